"""The command line, run in this process as `main` runs it, and small projects to run it in."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from hostgate.cli.main import main


@dataclass(frozen=True, slots=True)
class Result:
    """What a run of the command line leaves behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # a JSON document
        return json.loads(self.out)

    @property
    def rules(self) -> list[str]:
        """Of the errors of a `--json` run."""
        return [error["rule"] for error in self.json["errors"]]


Run = Callable[..., Result]
Project = Callable[..., Path]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `hostgate` with arguments."""

    def hostgate(*args: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["hostgate", *map(str, args)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        assert "Traceback" not in said.out + said.err
        return Result(ended.value.code, said.out, said.err)

    return hostgate


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A Pulumi project in the current folder, with a stack file for each keyword."""

    def write(**stacks: str) -> Path:
        folder = tmp_path / "project"
        folder.mkdir(exist_ok=True)
        (folder / "Pulumi.yaml").write_text("name: acme\nruntime: python\n")
        for name, text in stacks.items():
            (folder / f"Pulumi.{name}.yaml").write_text(dedent(text))
        monkeypatch.chdir(folder)
        return folder

    return write


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below `folder` and what it holds; nothing if there is no folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
