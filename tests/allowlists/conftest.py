"""Small Pulumi projects, previewed on the simulated clouds."""

import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from pulumi.runtime.proto import resource_pb2

from hostgate.sandbox import builtin_preview
from hostgate.sandbox.builtin_preview import preview
from hostgate.sandbox.monitor import Monitor
from hostgate.sandbox.preview_problems import does_not_exist
from hostgate.sandbox.registry import RegistryEntry
from hostgate.sandbox.resources import Preview

Run = Callable[..., Preview]


class _Filled(Monitor):
    """Clouds in which everything that a program adopts is there."""

    def _create(self, entry: RegistryEntry) -> resource_pb2.RegisterResourceResponse:
        made = super()._create(entry)
        self.problems = [each for each in self.problems if each.what != does_not_exist(entry.id)]
        return made


@pytest.fixture
def filled(monkeypatch: pytest.MonkeyPatch) -> None:
    """A preview is of clouds that hold what a program adopts, not of empty ones."""
    monkeypatch.setattr(builtin_preview, "Monitor", _Filled)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Previews a program given as text; keyword `config` is the stack's config."""

    def previewed(program: str, config: Mapping[str, str] | None = None) -> Preview:
        (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
        (tmp_path / "__main__.py").write_text(textwrap.dedent(program))
        return preview(tmp_path, "test", config or {})

    return previewed
