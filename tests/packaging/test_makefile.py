"""What `make` says on a machine that lacks something."""

import shutil
import stat
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def make(folder: Path, python: str) -> subprocess.CompletedProcess[str]:
    """`make .venv/bin/python` with a stand-in for Python that is the shell script `python`."""
    shutil.copy(ROOT / "Makefile", folder)
    stand_in = folder / "python"
    stand_in.write_text(f"#!/bin/sh\n{python}\n")
    stand_in.chmod(stand_in.stat().st_mode | stat.S_IXUSR)
    return subprocess.run(
        ["make", "PYTHON=./python", ".venv/bin/python"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


@pytest.mark.parametrize(
    ("python", "said"),
    [
        (
            'case "$2" in *version_info*) exit 1;; esac; echo "Python 3.9.2"',
            "needs Python 3.11 or newer; found Python 3.9.2",
        ),
        ('case "$2" in *ensurepip*) exit 1;; esac', "apt install python3-venv"),
    ],
)
def test_a_missing_requirement_is_said_with_its_remedy(tmp_path: Path, python: str, said: str) -> None:
    done = make(tmp_path, python)
    assert done.returncode != 0
    assert said in done.stderr
    assert not (tmp_path / ".venv").exists()
