"""Running plugins, one process for each package, and a deployment for each test."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from golden.cases import POOLED

from .wire import PACKAGES, Deployment, Plugin, deployment, plugin


@pytest.fixture(scope="package")
def consumer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a consumer's program, with a catalog of its own."""
    folder = tmp_path_factory.mktemp("consumer")
    (folder / "Pulumi.yaml").write_text("name: shop\nruntime: nodejs\n")
    (folder / "ours.yaml").write_text(OURS)
    (folder / "plain.yaml").write_text(PLAIN)
    known = (f"host {host} window 86400\n  {address} {SEEN}\n" for host, (address, *_) in sorted(POOLED.items()))
    (folder / "pool.txt").write_text("".join(("hostgate-pool 1\n", *known, "end\n")))
    return folder


@pytest.fixture(scope="package")
def plugins(consumer: Path) -> Iterator[dict[str, Plugin]]:
    """Every plugin, by cloud."""
    with ExitStack() as stack:
        yield {package.cloud: stack.enter_context(plugin(package, consumer)) for package in PACKAGES}


@pytest.fixture
def run() -> Iterator[Deployment]:
    with deployment() as started:
        yield started


SEEN = "first 2026-02-20T10:00:00Z seen here 2026-02-23T10:00:00Z"
OURS = """
catalog: acme/ours
entries:
  - {id: mirror, host: mirror.acme.example, port: 443, protocol: https, purpose: Mirror, phase: build}
"""
PLAIN = """
catalog: acme/plain
entries:
  - {id: git, host: git.acme.example, port: 22, protocol: tcp, purpose: Sources, phase: build}
"""
