"""Small Pulumi projects, previewed on the simulated clouds."""

import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from hostgate.sandbox.builtin_preview import preview
from hostgate.sandbox.resources import Preview

Run = Callable[..., Preview]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Previews a program given as text; keyword `config` is the stack's config."""

    def previewed(program: str, config: Mapping[str, str] | None = None) -> Preview:
        (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
        (tmp_path / "__main__.py").write_text(textwrap.dedent(program))
        return preview(tmp_path, "test", config or {})

    return previewed
