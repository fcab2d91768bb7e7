"""The wheel and the checkout: both carry the catalogs, and neither claims to be a Pulumi provider."""

import json
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without a network from the installed build back end."""
    out = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--quiet",
        "-w",
        str(out),
        str(ROOT),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    (built,) = out.glob("*.whl")
    return built


def test_the_wheel_is_named_hostgate_and_never_pulumi(wheel: Path) -> None:
    """The CLI looks for a provider plugin of every installed wheel whose name begins with pulumi."""
    assert wheel.name.startswith("hostgate-0.")


def test_the_wheel_carries_every_catalog(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    shipped = {path.relative_to(ROOT / "catalog") for path in (ROOT / "catalog").rglob("*.yaml")}
    assert {f"hostgate/_catalog/{path}" for path in shipped} <= names
    assert "hostgate/_catalog/catalog.schema.json" in names


def test_the_wheel_says_that_it_is_typed(wheel: Path) -> None:
    assert "hostgate/py.typed" in zipfile.ZipFile(wheel).namelist()


def test_the_wheel_carries_the_page_of_the_report(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"hostgate/dns/report/page.html", "hostgate/dns/report/page.css"} <= names
    assert {f"hostgate/cli/{name}" for name in ("probe.sh", "reach_page.html", "reach_page.css")} <= names


def test_an_installed_wheel_plans_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    unpacked = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(unpacked)
    code = (
        "import sys, hostgate, json; assert hostgate.__file__.startswith(sys.path[0]), hostgate.__file__;"
        "made = hostgate.plan(hostgate.select('chainguard/images@2024-03-28'), target='aws:rules');"
        "print(json.dumps([made.digest, hostgate.__file__]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(unpacked)!r}); {code}"],
        cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    import hostgate

    digest, _ = json.loads(done.stdout)
    here = hostgate.plan(hostgate.select("chainguard/images@2024-03-28"), target="aws:rules")
    assert digest == here.digest


def test_an_installed_wheel_writes_a_project_and_has_the_pages_that_it_points_to(wheel: Path, tmp_path: Path) -> None:
    unpacked = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(unpacked)
    code = f"import sys; sys.path.insert(0, {str(unpacked)!r}); from hostgate.cli.main import main; main()"
    words = [sys.executable, "-c", code, "init", "egress", "--cloud", "aws"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    shown = done.stdout.rpartition(" in ")[2].rstrip(".\n")
    assert (tmp_path / shown).is_relative_to(unpacked)
    assert (tmp_path / shown).read_text() == (ROOT / "docs/plan.md").read_text()
    assert (tmp_path / "egress/policy/__main__.py").read_text() == (ROOT / "policy/__main__.py").read_text()


def test_the_source_distribution_makes_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path)]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (source,) = tmp_path.glob("hostgate-*.tar.gz")
    words = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-q", "-w", str(tmp_path)]
    subprocess.run([*words, str(source)], check=True, capture_output=True, timeout=300)
    (built,) = tmp_path.glob("*.whl")
    assert sorted(zipfile.ZipFile(built).namelist()) == sorted(zipfile.ZipFile(wheel).namelist())


PIN = re.compile(r"([A-Za-z0-9_.-]+)==([^ ;]+)")
LOCKS = ("requirements", "tests/requirements", ".ci/tools")


def pins(file: str) -> dict[str, str]:
    """Version by name, of each line that pins one, as the index spells names."""
    found = (PIN.match(line) for line in (ROOT / file).read_text().splitlines())
    return {re.sub("[-_.]+", "-", each[1]).lower(): each[2] for each in found if each}


@pytest.mark.parametrize("name", LOCKS)
def test_the_lock_has_every_pin_each_with_hashes_and_says_nothing_of_where_it_was_made(name: str) -> None:
    wanted, locked = pins(f"{name}.txt"), pins(f"{name}.lock")
    assert wanted.items() <= locked.items(), "make lock writes it again"
    first, *packages = re.split(r"^(?=[a-z])", (ROOT / f"{name}.lock").read_text(), flags=re.MULTILINE)
    assert len(packages) == len(locked)
    package = re.compile(r"[a-z0-9.-]+==\S+( ; [^\n\\]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+\n")
    assert [each for each in packages if not package.fullmatch(each)] == []
    assert first == "# This file was autogenerated by uv via the following command:\n#    make lock\n"


def test_the_tests_run_with_the_packages_that_are_installed_without_them() -> None:
    assert pins("requirements.lock").items() <= pins("tests/requirements.lock").items()


def test_what_the_locks_install_without_looking_for_more_lacks_nothing() -> None:
    done = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_direct_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(item for extra in project["optional-dependencies"].values() for item in extra),
    ]
    names = {re.split(r"[><=\[ ]", item, maxsplit=1)[0].lower().replace("_", "-") for item in wanted}
    assert names <= pins("requirements.txt").keys()
