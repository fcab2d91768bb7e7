"""The packages as other teams use them, on the real engine: from a path and from git, in five languages.

Everything happens in a copy of the checkout. Virtual environments borrow the SDKs of this one, which saves a gigabyte;
the CLI still asks pip for its own tools, npm for the Node SDK and Go for its own, so the registries must be in reach.
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
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hostgate.sandbox.engine import Engine, engine, pulumi_cli
from hostgate.sandbox.state import StoredObject, state_of

from .git_server import HOST, serving
from .schemas import golden
from .wire import PACKAGES, ROOT, Package

pytestmark = pytest.mark.skipif(pulumi_cli() is None, reason="the pulumi CLI with its Python host is not on PATH")

BUILD = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
COPIED = ("components", "examples", "pyproject.toml", "README.md", "LICENSE", *BUILD["force-include"])
"""What a package is installed from; an editable build too asks for all that the wheel brings."""

LEFT = shutil.ignore_patterns("venv", "sdks", "node_modules", "__pycache__", "*.egg-info", "package-lock.json")
TIME_LIMIT = 600
"""Seconds for one command; npm takes 40 of them, a first build of the Go SDK 200 on two busy cores."""

UNREACHED = re.compile(
    r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|NewConnectionError|NameResolutionError|ConnectTimeout"
    r"|proxy\.golang\.org.*(?:no such host|connection refused|i/o timeout)"
)
"""What npm, pip and Go say without a network."""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("checkout")
    for name in COPIED:
        source = ROOT / name
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, place / name, ignore=LEFT, dirs_exist_ok=True)
        else:
            shutil.copy2(source, place / name)
    return place


class Consumer:
    """A consumer's project and an engine for it."""

    def __init__(self, ready: Engine, more: Mapping[str, str]) -> None:
        self.cli = ready.cli
        self.folder = ready.project
        self.state = ready.folder
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
        assert bool(process.returncode) is fails, (
            f"{self.folder.name}: pulumi {' '.join(arguments)}\n{said}\n{objected}"
        )
        return said, objected

    def objects(self) -> list[StoredObject]:
        """What the simulated clouds hold."""
        return state_of(self.state).objects()

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
    read = json.loads(said)
    del read["version"]
    assert _stated(read) == _stated(json.loads(golden(package).read_text("utf-8")))


def _stated(found: Any) -> Any:
    """A part of a schema less what the CLI leaves out when it writes it anew: empty values, and the order of lists."""
    if isinstance(found, list):
        return sorted(map(_stated, found), key=lambda each: json.dumps(each, sort_keys=True))
    return {key: _stated(value) for key, value in found.items() if value} if isinstance(found, dict) else found


@dataclass(frozen=True)
class Language:
    """An example's language: what its host is called, and what it needs beside that."""

    host: str
    programs: tuple[str, ...] = ()


LANGUAGES = {
    "python": Language("python"),
    "typescript": Language("nodejs", ("node", "npm")),
    "yaml": Language("yaml"),
    "go": Language("go", ("go",)),
    "hcl": Language("hcl"),
}

Installed = Callable[[str], Path]


@pytest.fixture(scope="module")
def installed(checkout: Path) -> Installed:
    """Gives the example of a language with its packages installed; skips where the language cannot run."""
    done: set[str] = set()

    def example(language: str) -> Path:
        needs(LANGUAGES[language].host, *LANGUAGES[language].programs)
        folder = checkout / "examples" / f"{language}-consumer"
        if language not in done:
            with consumer(folder) as here:
                here.run("install")
            done.add(language)
        return folder

    return example


@pytest.fixture(scope="module")
def previewed() -> dict[str, dict[str, dict[str, Any]]]:
    """Previews of the examples that have run, by language."""
    return {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_example_goes_up_stays_and_goes(
    language: str, installed: Installed, previewed: dict[str, dict[str, dict[str, Any]]]
) -> None:
    with consumer(installed(language)) as here:
        made = here.preview()
        here.run("up", "--stack", "dev", "--yes", "--skip-preview", "--non-interactive")
        outputs = json.loads(here.run("stack", "output", "--json", "--stack", "dev")[0])
        held = {each.name for each in here.objects()}
        here.run("preview", "--stack", "dev", "--expect-no-changes", "--non-interactive")
        here.run("destroy", "--stack", "dev", "--yes", "--skip-preview", "--non-interactive")
        assert here.objects() == []
    assert len(set(outputs["digests"])) == 3
    assert outputs["policy"].startswith("arn:aws:network-firewall:eu-central-1:")
    assert {"vendors-allow-tcp-443", "vendors-deny-ipv4", "vendors-deny-ipv6"} <= held
    components = [state for state in made.values() if state["type"] in {package.token for package in PACKAGES}]
    assert {tuple(state["inputs"]["catalogs"]) for state in components} == {
        ("chainguard/images@2026-02-23", "acme/ours")
    }
    assert sorted(state["inputs"]["digest"] for state in components) == sorted(outputs["digests"])
    children = [state for state in made.values() if not state["type"].startswith(("pulumi:", "hostgate-"))]
    owned = [child for child in children if child["parent"].endswith("::vendors")]
    assert len(children) - len(owned) == (3 if language == "python" else 0)
    previewed[language] = made
    for other, theirs in previewed.items():
        clouds = ("azure",) if "python" in (language, other) else ("aws", "gcp", "azure")
        assert _of(clouds, made) == _of(clouds, theirs)


def _of(clouds: Sequence[str], made: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """What was made on `clouds`, but for the names that the engine makes up. Python's example has policies of its own."""
    types = tuple(prefix for cloud in clouds for prefix in (f"{cloud}:", f"{cloud}-native:", f"hostgate-{cloud}:"))
    return {
        urn.split("::", 2)[2]: {key: value for key, value in state.get("inputs", {}).items() if key not in MADE_UP}
        for urn, state in made.items()
        if state["type"].startswith(types)
    }


MADE_UP = ("__defaults", "name", "firewallPolicy")

TYPED = {
    "no inputs at all": ('new NetworkFirewallAllowlist("a");', "Expected 2-3 arguments"),
    "no catalogs": ('new NetworkFirewallAllowlist("a", {});', "Property 'catalogs' is missing"),
    "a mode that is none": ('new NetworkFirewallAllowlist("a", { catalogs, mode: "enforced" });', '"enforced"'),
    "a phase that is none": ('new NetworkFirewallAllowlist("a", { catalogs, phases: ["pul"] });', '"pul"'),
    "a managed group without its ARN": (
        'new NetworkFirewallAllowlist("a", { catalogs, managedGroups: [{}] });',
        "Property 'arn' is missing",
    ),
    "an acceptance without a reason": (
        'new NetworkFirewallAllowlist("a", { catalogs, accept: [{ finding: "shared-hosting" }] });',
        "Property 'because' is missing",
    ),
    "a misspelt key": ('new NetworkFirewallAllowlist("a", { catalogs, phase: ["pull"] });', "'phase' does not exist"),
    "catalogs as an output": (
        'new NetworkFirewallAllowlist("a", { catalogs: pulumi.output(catalogs) });',
        "missing the following properties from type 'string[]'",
    ),
}


def test_typescript_objects_to_what_the_package_would_refuse(installed: Installed) -> None:
    folder = installed("typescript")
    head = (
        'import * as pulumi from "@pulumi/pulumi";\n'
        'import { NetworkFirewallAllowlist } from "@pulumi/hostgate-aws";\n'
        'const catalogs = ["chainguard/images@2026-02-23"];\nvoid pulumi;\n'
    )
    fine = 'new NetworkFirewallAllowlist("a", { catalogs, mode: "audit", phases: ["pull"], mechanism: "domain-list" });'
    files = {f"case{number}.ts": head + text + "\n" for number, (text, _) in enumerate(TYPED.values())}
    for name, text in {**files, "fine.ts": head + fine + "\n"}.items():
        (folder / name).write_text(text)
    settings = ["--strict", "--noEmit", "--skipLibCheck", "--module", "commonjs", "--moduleResolution", "node"]
    done = subprocess.run(
        ["npx", "--no-install", "tsc", *settings, "--target", "es2022", *files, "fine.ts"],
        cwd=folder, capture_output=True, text=True, check=False, timeout=TIME_LIMIT,
    )  # fmt: skip
    for number, (case, (_, objection)) in enumerate(TYPED.items()):
        said = "".join(
            part for part in re.split(r"^(?=\S)", done.stdout, flags=re.M) if part.startswith(f"case{number}.ts")
        )
        assert objection in said, f"{case}: {said or 'no objection'}"
    assert "fine.ts" not in done.stdout


MISSPELT = """
const { NetworkFirewallAllowlist } = require("@pulumi/hostgate-aws");
const args = { catalogs: ["chainguard/images@2024-03-28"], PHASES: ["pull"] };
new NetworkFirewallAllowlist("vendors", args);
"""
"""The same in TypeScript without an objection, because `args` is no literal."""


@pytest.mark.parametrize(
    ("file", "key", "selected"),
    [
        ("index.js", "phases", "5 of 13 hosts of chainguard/images@2024-03-28 selected: phases pull; left out: 8"),
        (
            "index.js",
            "phase",
            "13 of 13 hosts of chainguard/images@2024-03-28 selected: everything, because no phases, ",
        ),
        (
            "index.ts",
            "phase",
            "13 of 13 hosts of chainguard/images@2024-03-28 selected: everything, because no phases, ",
        ),
    ],
)
def test_a_key_that_the_sdk_drops_opens_nothing_in_silence(
    file: str, key: str, selected: str, installed: Installed
) -> None:
    example = installed("typescript")
    program = MISSPELT.replace("PHASES", key)
    if file.endswith("ts"):
        program = program.replace("const {", "import {").replace('} = require("', '} from "').replace('");', '";', 1)
    shop = example.with_name("shop")
    shop.mkdir(exist_ok=True)
    for name in ("node_modules", "sdks"):
        (shop / name).unlink(missing_ok=True)
        (shop / name).symlink_to(example / name)
    (shop / file).write_text(program)
    (shop / "package.json").write_text(json.dumps({"name": "shop", "main": file}))
    (shop / "tsconfig.json").write_text((example / "tsconfig.json").read_text().replace("index.ts", file))
    (shop / "Pulumi.yaml").write_text((example / "Pulumi.yaml").read_text() + f"main: {file}\n")
    (shop / "Pulumi.dev.yaml").write_text((example / "Pulumi.dev.yaml").read_text())
    with consumer(shop) as here:
        said = "".join(here.run("preview", "--stack", "dev", "--non-interactive"))
    assert selected in said


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
