"""Running plugins, one process for each package, and a deployment for each test."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from .wire import PACKAGES, Deployment, Plugin, deployment, plugin


@pytest.fixture(scope="package")
def consumer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a consumer's program, with a catalog of its own."""
    folder = tmp_path_factory.mktemp("consumer")
    (folder / "Pulumi.yaml").write_text("name: shop\nruntime: nodejs\n")
    (folder / "ours.yaml").write_text(OURS)
    (folder / "plain.yaml").write_text(PLAIN)
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
