"""The packages as other teams use them, on the real engine: from a path and from git, in three languages.

Everything happens in a copy of the checkout. Virtual environments borrow the SDKs of this one, which saves a gigabyte;
the CLI still asks pip for its own tools, and npm for the Node SDK, so both registries must be in reach.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from hostgate.sandbox.engine import Engine, engine, pulumi_cli

from .git_server import HOST, serving
from .schemas import schema_of
from .wire import PACKAGES, ROOT, Package

pytestmark = pytest.mark.skipif(pulumi_cli() is None, reason="the pulumi CLI with its Python host is not on PATH")

COPIED = ("components", "catalog", "examples", "pyproject.toml", "README.md", "LICENSE")
LEFT = shutil.ignore_patterns("venv", "sdks", "node_modules", "__pycache__", "*.egg-info", "package-lock.json")
TIME_LIMIT = 300
"""Seconds for one command; npm takes 40 of them."""

UNREACHED = re.compile(
    r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|NewConnectionError|NameResolutionError|ConnectTimeout"
)
"""What npm and pip say without a network."""

SHARED = ("hostgate-gcp:", "hostgate-azure:", "gcp:", "azure-native:")
"""What the three examples ask for in the same words."""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("checkout")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, place / name, ignore=LEFT)
        else:
            shutil.copy2(source, place / name)
    return place


class Consumer:
    """A consumer's project and an engine for it."""

    def __init__(self, ready: Engine, more: Mapping[str, str]) -> None:
        self.cli = ready.cli
        self.folder = ready.project
        self.environment = {
            **ready.environment,
            "PULUMI_PYTHON_CMD": sys.executable,
            "PYTHONPATH": sysconfig.get_path("purelib"),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            **more,
        }

    def run(self, *arguments: str, fails: bool = False) -> tuple[str, str]:
        """What `pulumi ARGUMENTS` says on stdout and stderr. No process of it is left, however it ends."""
        process = subprocess.Popen(
            [str(self.cli), *arguments], cwd=self.folder, env=self.environment, text=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        try:
            said, objected = process.communicate(timeout=TIME_LIMIT)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if process.returncode and (unreached := UNREACHED.search(said + objected)):
            pytest.skip(f"pip or npm cannot reach its registry: {unreached[0]}")
        assert bool(process.returncode) is fails, f"pulumi {' '.join(arguments)}\n{said}\n{objected}"
        return said, objected

    def preview(self) -> dict[str, dict[str, Any]]:
        """URN and new state of everything that `pulumi preview` would create."""
        said, _ = self.run("preview", "--stack", "dev", "--json", "--non-interactive")
        steps = json.loads(said)["steps"]
        assert {step["op"] for step in steps} == {"create"}
        return {step["urn"]: step["newState"] for step in steps if not step["urn"].count("::pulumi:providers:")}


@contextlib.contextmanager
def consumer(folder: Path, **more: str) -> Iterator[Consumer]:
    with engine(folder, "dev") as ready:
        yield Consumer(ready, more)


def project(folder: Path, program: str, runtime: str = "yaml") -> Path:
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text(f"name: shop\nruntime: {runtime}\n{program}")
    (folder / "Pulumi.dev.yaml").write_text("config: {}\n")
    return folder


def needs(language: str, *programs: str) -> None:
    """Skip if the host of `language` or one of `programs` is missing."""
    host = f"pulumi-language-{language}"
    beside = Path(shutil.which("pulumi") or "").resolve().parent / host
    for name in (host, *programs):
        if shutil.which(name) is None and not (name == host and beside.exists()):
            pytest.skip(f"{name} is not on PATH")


@pytest.mark.parametrize("package", PACKAGES, ids=str)
def test_the_cli_reads_the_golden_schema_from_a_path(package: Package, checkout: Path, tmp_path: Path) -> None:
    with consumer(project(tmp_path / "any", "", "python")) as here:
        said, _ = here.run("package", "get-schema", str(checkout / "components" / "plugins" / package.cloud))
    read, ours = json.loads(said), schema_of(package)
    assert read["name"] == package.name
    for part in ("types", "resources"):
        assert _stated(read[part]) == _stated(ours[part])


def _stated(found: Any) -> Any:
    """A part of a schema less what the CLI leaves out when it writes it anew: empty values, and descriptions of items."""
    if isinstance(found, list):
        return sorted(found)
    if not isinstance(found, dict):
        return found
    stated = {key: _stated(value) for key, value in found.items() if value}
    for inner in ("items", "additionalProperties"):
        if isinstance(stated.get(inner), dict):
            stated[inner].pop("description", None)
    return stated


LANGUAGES: dict[str, tuple[str, ...]] = {"python": (), "typescript": ("node", "npm"), "yaml": ()}


@pytest.fixture(scope="module")
def previewed(checkout: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """Previews of the examples that have run, by language."""
    del checkout
    return {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_example_is_previewed(
    language: str, checkout: Path, previewed: dict[str, dict[str, dict[str, Any]]]
) -> None:
    needs({"typescript": "nodejs"}.get(language, language), *LANGUAGES[language])
    with consumer(checkout / "examples" / f"{language}-consumer") as here:
        here.run("install")
        made = here.preview()
    kinds = {state["type"] for state in made.values()}
    assert {package.token for package in PACKAGES} <= kinds
    assert {"aws:networkfirewall/firewallPolicy:FirewallPolicy", "azure-native:network:FirewallPolicy"} <= kinds
    components = [state for state in made.values() if state["type"] in {package.token for package in PACKAGES}]
    assert {tuple(state["inputs"]["catalogs"]) for state in components} == {
        ("chainguard/images@2026-02-23", "acme/ours")
    }
    children = [state for state in made.values() if not state["type"].startswith(("pulumi:", "hostgate-"))]
    owned = [child for child in children if child["parent"].endswith("::vendors")]
    assert len(children) - len(owned) == (1 if language == "python" else 0)
    previewed[language] = made
    for other in previewed.values():
        assert _shared(made) == _shared(other)


def _shared(made: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        urn.split("::", 2)[2]: {key: value for key, value in state.get("inputs", {}).items() if key != "__defaults"}
        for urn, state in made.items()
        if state["type"].startswith(SHARED)
    }


PROGRAM = """
resources:
  vendors:
    type: hostgate-aws:NetworkFirewallAllowlist
    properties: {PROPERTIES}
packages:
  hostgate-aws: PACKAGE
"""


def test_a_refused_input_is_told_by_the_cli_without_a_traceback(checkout: Path, tmp_path: Path) -> None:
    needs("yaml")
    program = PROGRAM.replace("PACKAGE", str(checkout / "components" / "plugins" / "aws"))
    wrong = "catalogs: [chainguard/images@2024-03-28], phases: [pul], mode: audit"
    with consumer(project(tmp_path / "shop", program.replace("PROPERTIES", wrong))) as here:
        here.run("install")
        said = "".join(here.run("preview", "--stack", "dev", "--non-interactive", fails=True))
    assert "Found the phase 'pul'" in said
    assert "Did you mean `pull`?" in said
    assert "Traceback" not in said


@pytest.fixture(scope="module")
def origin(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The checkout as a bare repository acme/hostgate.git, and its commit."""
    if shutil.which("git") is None or shutil.which("openssl") is None:
        pytest.skip("git or openssl is not on PATH")
    root = tmp_path_factory.mktemp("origin")
    bare, work = root / "acme" / "hostgate.git", root / "work"
    shutil.copytree(checkout, work, ignore=LEFT)
    identity = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@acme.example"}
    identity |= {key.replace("AUTHOR", "COMMITTER"): value for key, value in identity.items()}
    environment = {**os.environ, **identity, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=work, env=environment, check=True, capture_output=True, text=True, timeout=60
        )
        return done.stdout.strip()

    git("init", "--quiet", "--initial-branch=main")
    git("add", "--all")
    git("commit", "--quiet", "--message=All of it")
    git("clone", "--quiet", "--bare", ".", str(bare))
    return root, git("rev-parse", "HEAD")


def test_a_package_is_added_from_a_git_url(origin: tuple[Path, str], tmp_path: Path) -> None:
    needs("yaml")
    root, commit = origin
    properties = "catalogs: [chainguard/images@2024-03-28]"
    shop = project(tmp_path / "shop", PROGRAM.partition("packages:")[0].replace("PROPERTIES", properties))
    url = f"{HOST}/acme/hostgate.git/components/plugins/aws"
    with serving(root, tmp_path) as reach, consumer(shop, **reach) as here:
        here.run("package", "add", f"{url}@{commit}")
        written = (shop / "Pulumi.yaml").read_text()
        made = here.preview()
    assert url in written
    assert commit in written
    assert "hostgate-aws:index:NetworkFirewallAllowlist" in {state["type"] for state in made.values()}
    assert len(made) == 5
