"""Catalog files in a temporary folder, and entries as the reader makes them."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from hostgate.catalog.read import Catalog, read_catalog

Write = Callable[..., Path]
Read = Callable[..., Catalog]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write text or bytes as a catalog file."""

    def to_file(content: str | bytes, name: str = "ours.yaml") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else dedent(content).encode())
        return path

    return to_file


@pytest.fixture
def read(write: Write) -> Read:
    """Read a catalog of entries, each given as `key: value` pairs of a flow mapping."""

    def of_entries(*entries: str, name: str = "ours.yaml", catalog: str = "acme/ours") -> Catalog:
        lines = [f"catalog: {catalog}", "entries:", *(f"  - {{{entry}}}" for entry in entries)]
        return read_catalog(write("\n".join(lines) + "\n", name), name)

    return of_entries
