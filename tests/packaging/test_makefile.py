"""What `make` says and does on a machine that lacks something, or where an earlier run left something behind."""

import os
import re
import shlex
import shutil
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PYTHON = """#!/bin/sh
# Stands in for Python {version}, and for the one in an environment that it made.
case "$*" in
*version_info*) echo {version} ;;
*ensurepip*) exit {without_venv:d} ;;
"-m venv "*)
    mkdir -p "$3/bin" "$3/lib/python{version}" && touch "$3/pyvenv.cfg"
    cp "$0" "$3/bin/python"
    printf '#!/bin/sh\\n# of %s\\necho "$*" >>installed\\nexit {pip:d}\\n' "$(pwd -P)/$3/bin/python" >"$3/bin/pip"
    printf '#!/bin/sh\\necho "previews with Python {version}"\\n' >"$3/bin/hostgate"
    printf '#!/bin/sh\\necho "tests on Python {version}: $*"\\nexit {pytest:d}\\n' >"$3/bin/pytest"
    chmod +x "$3"/bin/* ;;
esac
"""


@dataclass(frozen=True)
class Checkout:
    """A folder with what make reads, and a folder of stand-ins for interpreters that alone is on PATH."""

    folder: Path
    bin: Path

    def python(
        self, name: str, version: str, *, without_venv: bool = False, pip: int = 0, pytest: int = 0, text: str = PYTHON
    ) -> Path:
        path = self.bin / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.format(version=version, without_venv=without_venv, pip=pip, pytest=pytest))
        path.chmod(0o755)
        return path

    def make(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", "--no-print-directory", *words], cwd=self.folder, capture_output=True, text=True, check=False, timeout=30,
            start_new_session=True,
            env={"PATH": f"{self.bin}:/usr/bin:/bin", "HOME": str(self.folder), **environment},
        )  # fmt: skip

    def installed(self) -> list[str]:
        """The lock files and the project that were installed, in order."""
        log = self.folder / "installed"
        return [line.split()[-1] for line in log.read_text().splitlines()] if log.exists() else []


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    folder = tmp_path / "check out"
    for name in ("Makefile", ".ci", "requirements.lock", "pyproject.toml", "tests/requirements.lock"):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, target)
    made = Checkout(folder, tmp_path / "bin")
    made.python("python3", "3.11")
    for version in ("3.11", "3.12", "3.13"):  # this machine's own are hidden
        made.python(f"python{version}", "", text="#!/bin/sh\nexit 127\n")
    made.python("pyenv", "", text="#!/bin/sh\nexit 1\n")
    return made


def stopped(done: subprocess.CompletedProcess[str], *said: str) -> None:
    assert done.returncode != 0, done.stdout
    for text in said:
        assert text in done.stderr
    assert "Traceback" not in done.stderr


class TestFirstRun:
    def test_it_makes_installs_and_previews_also_where_the_path_has_a_space(self, checkout: Checkout) -> None:
        done = checkout.make("preview")
        assert (done.returncode, done.stdout) == (0, "previews with Python 3.11\n"), done.stderr
        assert checkout.installed() == ["requirements.lock", "."]

    def test_the_second_run_installs_nothing(self, checkout: Checkout) -> None:
        checkout.make("preview")
        done = checkout.make("preview")
        assert (done.stdout, done.stderr) == ("previews with Python 3.11\n", "")
        assert checkout.installed() == ["requirements.lock", "."]

    def test_new_requirements_are_installed(self, checkout: Checkout) -> None:
        checkout.make("preview")
        later = (checkout.folder / ".venv/.installed").stat().st_mtime + 10
        os.utime(checkout.folder / "requirements.lock", (later, later))
        checkout.make("preview")
        assert checkout.installed() == ["requirements.lock", ".", "requirements.lock", "."]

    @pytest.mark.parametrize("version", ["2.7", "3.6", "3.9", "3.10"])
    def test_an_old_python_is_refused(self, checkout: Checkout, version: str) -> None:
        checkout.python("python3", version)
        stopped(
            checkout.make("preview"),
            f"hostgate needs Python 3.11 or newer; python3 is Python {version}.",
            "make PYTHON=python3.13 preview",
        )
        assert not (checkout.folder / ".venv").exists()

    @pytest.mark.parametrize("version", ["3.11", "3.13", "3.14", "3.20", "4.0"])
    def test_a_new_python_is_used(self, checkout: Checkout, version: str) -> None:
        checkout.python("python3", version)
        assert checkout.make("preview").stdout == f"previews with Python {version}\n"

    def test_a_missing_venv_module_is_said_with_the_package_of_that_python(self, checkout: Checkout) -> None:
        checkout.python("python3", "3.13", without_venv=True)
        stopped(checkout.make("preview"), "venv module is missing. On Debian: apt install python3.13-venv")
        assert not (checkout.folder / ".venv").exists()

    @pytest.mark.parametrize("python", ["python3.99", "/nowhere/python", "./two words"])
    def test_a_python_that_is_not_there_is_said(self, checkout: Checkout, python: str) -> None:
        stopped(checkout.make("preview", f"PYTHON={python}"), f"{python} does not run as Python: ")
        assert not (checkout.folder / ".venv").exists()

    def test_an_interpreter_may_have_a_space_in_its_path(self, checkout: Checkout) -> None:
        python = checkout.python("my pythons/python3.12", "3.12")
        assert checkout.make("preview", f"PYTHON={python}").stdout == "previews with Python 3.12\n"


class TestWhatWasLeftBehind:
    """An environment that cannot be used is made again, and never used half."""

    def made(self, checkout: Checkout) -> Path:
        assert checkout.make("preview").returncode == 0
        (checkout.folder / "installed").unlink()
        return checkout.folder / ".venv"

    def made_again(self, checkout: Checkout, why: str) -> None:
        done = checkout.make("preview")
        assert (done.returncode, done.stdout) == (0, "previews with Python 3.11\n"), done.stderr
        assert f".venv cannot be used: {why}" in done.stderr
        assert checkout.installed() == ["requirements.lock", "."]

    def test_the_interpreter_is_gone(self, checkout: Checkout) -> None:
        python = self.made(checkout) / "bin/python"
        python.unlink()
        python.symlink_to("/nowhere/python3.9")
        self.made_again(checkout, "its Python does not run")

    def test_the_system_has_another_python_now(self, checkout: Checkout) -> None:
        """Debian's environments lead to /usr/bin/python3, and an upgrade changes what that is."""
        venv = self.made(checkout)
        (venv / "lib/python3.11").rename(venv / "lib/python3.9")
        self.made_again(checkout, "it was made with another Python than 3.11")

    def test_the_checkout_was_moved(self, checkout: Checkout) -> None:
        self.made(checkout)
        moved = Checkout(checkout.folder.rename(checkout.folder.with_name("moved")), checkout.bin)
        self.made_again(moved, "it was made at another path")

    @pytest.mark.parametrize(
        ("when", "why"),
        [("mkdir", "its Python does not run"), ("cp", "its Python does not run"), ("printf", "it has no pip")],
    )
    def test_making_it_was_interrupted(self, checkout: Checkout, when: str, why: str) -> None:
        """As by Ctrl-C, which all that make started gets. make then deletes what it was about to make."""
        checkout.python("python3", "3.11", text=PYTHON.replace(f"    {when} ", f"    kill -INT 0; {when} ", 1))
        stopped(checkout.make("preview"))
        assert (checkout.folder / ".venv").exists()
        checkout.python("python3", "3.11")
        self.made_again(checkout, why)

    def test_an_installation_was_interrupted(self, checkout: Checkout) -> None:
        venv = self.made(checkout)
        gone = subprocess.Popen(["true"])
        gone.wait()
        (venv / ".installing").write_text(f"{gone.pid}\n")
        (venv / ".installed").unlink()
        self.made_again(checkout, "an installation into it was interrupted")

    def test_another_make_that_installs_is_left_alone(self, checkout: Checkout) -> None:
        venv = self.made(checkout)
        (venv / ".installing").write_text(f"{os.getpid()}\n")
        stopped(checkout.make("preview"), f"Another make installs into .venv (process {os.getpid()}).")
        assert checkout.installed() == []
        assert (venv / "bin/pip").exists()

    @pytest.mark.parametrize("place", ["a folder", "a file"])
    def test_what_is_no_environment_is_never_removed(self, checkout: Checkout, place: str) -> None:
        kept = checkout.folder / ".venv"
        if place == "a folder":
            kept.mkdir()
            (kept / "mine").touch()
        else:
            kept.touch()
        stopped(checkout.make("preview"), ".venv is there and is no virtual environment. Move it away")
        assert (kept / "mine").exists() or kept.is_file()

    def test_a_link_to_an_environment_is_used_where_it_can_be(self, checkout: Checkout) -> None:
        venv = self.made(checkout)
        link = checkout.folder / ".venv-link"
        link.symlink_to(venv)
        assert checkout.make("VENV=.venv-link", "preview").stdout == "previews with Python 3.11\n"
        (venv / "bin/pip").unlink()
        stopped(
            checkout.make("VENV=.venv-link", "preview"),
            "is a link to an environment that cannot be used: it has no pip.",
        )
        assert venv.exists()

    def test_an_environment_of_an_old_python_is_refused(self, checkout: Checkout) -> None:
        checkout.python("python3.9", "3.9")
        subprocess.run([checkout.bin / "python3.9", "-m", "venv", ".venv"], cwd=checkout.folder, check=True)
        stopped(checkout.make("preview"), "hostgate needs Python 3.11 or newer; .venv is Python 3.9.")

    def test_packages_that_cannot_be_had_are_asked_for_again(self, checkout: Checkout) -> None:
        checkout.python("python3", "3.11", pip=1)
        stopped(checkout.make("preview"), "could not be installed into .venv; see above.", "look at the network")
        assert not (checkout.folder / ".venv/.installed").exists()
        pip = checkout.folder / ".venv/bin/pip"
        pip.write_text(pip.read_text().replace("exit 1", "exit 0"))
        assert checkout.make("preview").stdout == "previews with Python 3.11\n"
        assert checkout.installed() == ["requirements.lock", "requirements.lock", "."]


class TestHashes:
    def test_nothing_is_installed_without_its_hash_but_the_checkout_itself(self, checkout: Checkout) -> None:
        assert checkout.make(".venv/.tested").returncode == 0
        first, own, tests = (checkout.folder / "installed").read_text().splitlines()
        assert first.endswith("--require-hashes -r requirements.lock")
        assert own.endswith("--no-deps --no-build-isolation --editable .")
        assert tests.endswith("--require-hashes -r tests/requirements.lock")


class TestAudit:
    """pip-audit ends with 1 for what it found and for what it could not ask; only one of them is an answer."""

    def audit(self, folder: Path, says: str, code: int) -> subprocess.CompletedProcess[str]:
        stand_in = folder / "pip-audit"
        stand_in.write_text(f"#!/bin/sh\necho '{says}' >&2\nexit {code}\n")
        stand_in.chmod(0o755)
        words = ["sh", str(ROOT / ".ci/audit.sh"), str(stand_in), "a.lock", "b.lock"]
        return subprocess.run(words, capture_output=True, text=True, check=False, timeout=30)

    def test_nothing_known_passes(self, tmp_path: Path) -> None:
        done = self.audit(tmp_path, "No known vulnerabilities found", 0)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == "a.lock: no known vulnerabilities\nb.lock: no known vulnerabilities\n"

    def test_one_that_is_known_is_shown_with_what_to_do(self, tmp_path: Path) -> None:
        done = self.audit(tmp_path, "Found 1 known vulnerability in 1 package", 1)
        assert done.returncode == 1
        assert "a.lock: see above. Raise the version in a.txt, then make lock." in done.stdout

    @pytest.mark.parametrize(
        "says", ["ProxyError: Unable to connect", "ERROR: six: Dependency not found on PyPI and could not be audited"]
    )
    def test_a_database_that_cannot_be_asked_is_no_answer(self, tmp_path: Path, says: str) -> None:
        done = self.audit(tmp_path, says, 1)
        assert done.returncode == 1
        assert f"a.lock: NOT AUDITED, the database of vulnerabilities gave no answer: {says}" in done.stderr
        assert done.stderr.splitlines()[-1].endswith("Try again with a network.")
        assert "no known" not in done.stdout


class TestAnotherPython:
    @pytest.mark.parametrize("how", ["as an argument", "in the environment"])
    def test_it_is_refused_where_the_environment_has_one(self, checkout: Checkout, how: str) -> None:
        checkout.make("preview")
        python = str(checkout.python("python3.13", "3.13"))
        done = (
            checkout.make("preview", f"PYTHON={python}")
            if how == "as an argument"
            else checkout.make("preview", PYTHON=python)
        )
        stopped(
            done,
            f".venv has Python 3.11, and PYTHON={python} is Python 3.13.",
            f"make VENV=.venv-3.13 PYTHON={python} preview",
        )

    def test_the_command_that_is_offered_works(self, checkout: Checkout) -> None:
        checkout.make("preview")
        python = checkout.python("python3.13", "3.13")
        offered = checkout.make("preview", f"PYTHON={python}").stderr.split("keep both: make ")[1].splitlines()[0]
        assert checkout.make(*shlex.split(offered)).stdout == "previews with Python 3.13\n"
        assert checkout.make("preview").stdout == "previews with Python 3.11\n"

    def test_the_same_one_is_no_other(self, checkout: Checkout) -> None:
        checkout.make("preview")
        python = checkout.python("mine/python", "3.11")
        assert checkout.make("preview", f"PYTHON={python}").stdout == "previews with Python 3.11\n"


class TestEveryPython:
    def test_where_there_is_one_it_is_said_in_a_line(self, checkout: Checkout) -> None:
        done = checkout.make("test-pythons")
        assert done.returncode == 0, done.stderr
        assert done.stdout == (
            "Tests passed on Python 3.11 (make test). Not tried: 3.12 (not on this machine), 3.13 (not on this machine).\n"
        )
        assert [path.name for path in checkout.folder.glob(".venv*")] == [".venv"]

    def test_each_that_is_there_has_its_environment_and_its_tests(self, checkout: Checkout) -> None:
        for name, version in (("python3", "3.12"), ("python3.11", "3.11"), ("python3.13", "3.13")):
            checkout.python(name, version)
        done = checkout.make("test-pythons")
        assert done.returncode == 0, done.stderr
        for version in ("3.11", "3.13"):
            assert f"tests on Python {version}: -n 2 --dist loadfile" in done.stdout
        assert done.stdout.splitlines()[-1] == "Tests passed on Python 3.12 (make test), 3.11, 3.13."
        assert sorted(path.name for path in checkout.folder.glob(".venv*")) == [".venv", ".venv-3.11", ".venv-3.13"]

    def test_one_that_only_pyenv_runs_is_found(self, checkout: Checkout) -> None:
        """Its `python3.12` on PATH ends with an error unless that version is the selected one."""
        checkout.python("versions/3.12.1/bin/python3.12", "3.12")
        prefix = shlex.quote(str(checkout.bin / "versions/3.12.1"))
        checkout.python("pyenv", "", text=f'#!/bin/sh\n[ "$*" = "prefix 3.12" ] && echo {prefix}\n')
        done = checkout.make("test-pythons")
        assert "Tests passed on Python 3.11 (make test), 3.12." in done.stdout

    def test_a_name_that_leads_to_another_version_is_none(self, checkout: Checkout) -> None:
        checkout.python("python3.13", "3.10")
        assert "3.13 (not on this machine)" in checkout.make("test-pythons").stdout

    def test_one_that_can_make_no_environment_is_not_tried(self, checkout: Checkout) -> None:
        checkout.python("python3.13", "3.13", without_venv=True)
        done = checkout.make("test-pythons")
        assert done.returncode == 0, done.stderr
        assert "3.13 (no venv module; on Debian: apt install python3.13-venv)" in done.stdout

    @pytest.mark.parametrize("failing", ["its tests fail", "its packages cannot be had"])
    def test_one_that_fails_fails_all_after_the_others_were_tried(self, checkout: Checkout, failing: str) -> None:
        checkout.python(
            "python3.12", "3.12", pytest=failing == "its tests fail", pip=failing == "its packages cannot be had"
        )
        checkout.python("python3.13", "3.13")
        done = checkout.make("test-pythons")
        assert done.returncode != 0
        assert "Tests passed on Python 3.11 (make test), 3.13." in done.stdout
        assert "FAILED on: 3.12." in done.stdout


def test_the_pythons_that_are_tried_are_those_that_the_project_names() -> None:
    (said,) = re.findall(r'^VERSIONS="(.*)"$', (ROOT / ".ci/pythons.sh").read_text(), re.MULTILINE)
    tried = said.split()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["classifiers"] == [f"Programming Language :: Python :: {version}" for version in tried]
    assert project["requires-python"] == f">={tried[0]}"
    readme = " ".join((ROOT / "README.md").read_text().split())
    assert f"Tried are Python {', '.join(tried[:-1])} and {tried[-1]}." in readme
    assert f"Python {tried[0]} to {tried[-1]} that is on PATH" in " ".join(
        (ROOT / "CONTRIBUTING.md").read_text().split()
    )
