"""Every fenced block of README.md and docs/ is run, and does what the page says."""

import doctest
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import pytest
from markdown_pages import PAGES, ROOT, Block, blocks, files_before
from printed_programs import COMPONENTS, CONFIG

from hostgate.catalog.lint import lint_catalog
from hostgate.catalog.match_kinds import holds
from hostgate.catalog.model import MATCHES, Match
from hostgate.catalog.problems import InputError, Problem
from hostgate.catalog.read import read_catalog
from hostgate.catalog.selection import select
from hostgate.catalog.yaml_reader import read_file
from hostgate.cli.acceptances import acceptances
from hostgate.flows.flow import Flow
from hostgate.intake.page import read_page
from hostgate.planning import mechanism
from hostgate.planning.plan import plan, plan_all
from hostgate.planning.targets import GROUP, _rows, clouds
from hostgate.policies.settings import read_settings
from hostgate.sandbox.builtin_preview import preview
from hostgate.sandbox.engine import pulumi_cli
from hostgate.stack import read_stack, values_of_file
from sinks.address_group_server import AddressGroupServer
from sinks.arm_server import ArmServer
from sinks.ec2_server import PrefixListServer

BLOCKS = [block for page in PAGES for block in blocks(page)]
CHECKOUT = ("Pulumi.yaml", "Pulumi.dev.yaml", "Pulumi.team.yaml", "__main__.py", "examples", "policy", "Makefile")
PROGRAMS = [
    path.read_text("utf-8")
    for path in sorted(ROOT.glob("examples/**/*"))
    if path.is_file()
    and path.parent != ROOT / "examples"
    and (path.suffix in (".py", ".ts", ".yaml", ".go", ".tf") or path.name == "Dockerfile")
]
"""The programs in examples/. tests/plugins and tests/engine run them; a page that shows a part shows what was run."""
EXPECTED = re.compile(r"# (error|lint): ([a-z, -]+?)\s*$")
TIME_LIMIT = 60
"""Seconds for one command."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a reader has in front of him: the project's own program and stacks, copied."""
    place = tmp_path / "checkout"
    place.mkdir()
    for name in CHECKOUT:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, place / name)
    (place / ".venv").symlink_to(sys.prefix)  # of the program, as Pulumi.yaml says, for the real engine
    return place


@pytest.fixture
def in_front_of(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Block], Path]]:
    """The folder with the files that the page has shown before a block; mechanisms among them join the registry."""
    joined: list[str] = []
    clouds_asked = ExitStack()

    def prepare(block: Block) -> Path:
        if "pool push azure-ip-group" in block.text:
            arm = clouds_asked.enter_context(ArmServer())
            arm.make("192.0.2.1", "192.0.2.9/32")
            for name, value in arm.environment.items():
                monkeypatch.setenv(name, value)
        if "pool push aws-prefix-list" in block.text:
            ec2 = clouds_asked.enter_context(PrefixListServer())
            ec2.make(("192.0.2.1/32", "hostgate:pool"), ("192.0.2.9/32", "hostgate:pool"), size=20)
            for name, value in ec2.environment.items():
                monkeypatch.setenv(name, value)
        if "pool push gcp-address-group" in block.text:
            groups = clouds_asked.enter_context(AddressGroupServer())
            groups.make("192.0.2.1/32", "192.0.2.9/32")
            for name, value in groups.environment(folder.parent).items():
                monkeypatch.setenv(name, value)
        for other in (*files_before(block), *([block] if block.file else [])):
            (folder / str(other.file)).write_text(other.text, "utf-8")
            if other.language == "python" and other.file != "__main__.py":
                joined.append(Path(str(other.file)).stem)
            if other.file == "pyproject.toml":
                _install(other.text, folder)
                monkeypatch.syspath_prepend(str(folder))
                monkeypatch.setenv("PYTHONPATH", str(folder))
                _forget()
        monkeypatch.chdir(folder)
        return folder

    with clouds_asked:
        yield prepare
    monkeypatch.undo()
    _forget()
    for name in joined:
        sys.modules.pop(name, None)


def _forget() -> None:
    """Rows and mechanisms are read once a process."""
    _rows.cache_clear()
    mechanism.mechanism.cache_clear()


def _install(project: str, folder: Path) -> None:
    """What pip writes beside the modules of a distribution: its name, and its entry points."""
    told = tomllib.loads(project)["project"]
    place = folder / f"{told['name'].replace('-', '_')}-{told['version']}.dist-info"
    place.mkdir(exist_ok=True)
    (place / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {told['name']}\nVersion: {told['version']}\n")
    lines = [
        line
        for group, points in told["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in points.items()))
    ]
    (place / "entry_points.txt").write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_the_block_does_what_the_page_says(block: Block, in_front_of: Callable[[Block], Path]) -> None:
    if any(block.text in program for program in PROGRAMS):
        return
    run = RUNNERS.get(block.language)
    assert run, f"{block}: nothing runs {block.language!r}. Allowed: {', '.join(RUNNERS)}."
    run(block, in_front_of(block))


def test_the_pages_have_blocks_of_every_language() -> None:
    assert {block.language for block in BLOCKS} == set(RUNNERS)


@pytest.mark.parametrize("kind", MATCHES)
def test_the_example_mechanism_allows_what_its_entries_hold_and_nothing_else(
    kind: Match, in_front_of: Callable[[Block], Path]
) -> None:
    gate = next(block for block in BLOCKS if block.language == "toml" and block.page.name == "mechanisms.md")
    (in_front_of(gate) / "one.yaml").write_text(
        "catalog: acme/one\nentries:\n"
        f"  - {{id: host, host: cgr.dev, match: {kind}, port: 443, protocol: https, purpose: Images}}\n"
    )
    made = plan(select("./one.yaml"), "acme:gate")
    assert made.refused == (kind not in mechanism.mechanism("acme:gate").means[0].kinds)
    if made.refused:
        return
    for name in ("cgr.dev", "api.cgr.dev", "a.b.cgr.dev", "notcgr.dev", "cgr.dev.evil.example", "cgr.dev.", ".cgr.dev"):
        for port in (443, 8443):
            for protocol in ("https", "tls", "http", "tcp", "udp", "quic"):
                wanted = holds(kind, "cgr.dev", name) and port == 443 and protocol in ("https", "tls")
                assert made.verdict(Flow(name, port, protocol)).allows == wanted, (name, port, protocol)
    assert not made.verdict(Flow("cgr.dev", sni=None)).allows


def _python(block: Block, folder: Path) -> None:
    """A program with components is previewed on the simulated clouds; other code is executed."""
    if not COMPONENTS.search(block.text):
        exec(compile(block.text, str(block), "exec"), {"__name__": Path(block.file or "example").stem})
        return
    (folder / "__main__.py").write_text(block.text, "utf-8")
    config = CONFIG
    if "hostgate.program" in block.text:
        config = {**CONFIG, "hostgate:catalogs": '["chainguard/images@2024-03-28"]', "hostgate:aws": "{}"}
    made = preview(folder, "dev", config)
    assert made.ok
    ours = any(not resource.custom and "hostgate-" in resource.type for resource in made.resources)
    assert ours == ("hostgate." in block.text)  # a program beside it makes what runs hostgate, by the SDK alone


def _pycon(block: Block, folder: Path) -> None:
    del folder
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    test = doctest.DocTestParser().get_doctest(block.text, {}, str(block), str(block.page), block.line)
    said: list[str] = []
    doctest.DocTestRunner(optionflags=flags).run(test, out=said.append)
    assert test.examples
    assert not said, "".join(said)


def _console(block: Block, folder: Path) -> None:
    """Each `$ command` runs in a shell; what is shown below it is in what it says, `...` standing for anything."""
    sessions: list[tuple[str, list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            sessions.append((line[2:], []))
        else:
            assert sessions, f"{block}: the block begins without a `$ command`."
            sessions[-1][1].append(line)
    assert sessions, f"{block}: no `$ command` in it."
    for command, shown in sessions:
        code, said = _run(command, folder)
        wrong = any(re.fullmatch(r"\d+ errors?\.", line) for line in shown)
        stopped = any(re.match(r"policy .* \(mandatory\) ", line) for line in shown)
        allowed = {1} if wrong or stopped else {0, 1} if command.startswith("diff ") else {0}
        assert code in allowed, f"$ {command}\nexit code {code}\n{said}"
        missing = _missing(shown, said)
        assert missing is None, f"{block}\n$ {command}\ndoes not say, at this place:\n{missing}\nIt says:\n{said}"


def _run(command: str, folder: Path) -> tuple[int, str]:
    first = command.split()[0]
    if first == "pulumi":
        return 0, ""  # tests/plugins runs what the pages tell of the CLI, where there is one
    if first == "docker":
        return 0, ""  # test_schedule_page reads what containers are told
    if "sandbox" in command and pulumi_cli() is None:
        return 0, ""  # nothing can be deployed there, and so nothing is there to look at
    assert first in ("hostgate", "make", "diff", "head", "sed", "cp", "cd"), f"`{first}` is no command for the docs"
    if first == "make":
        # A dry run, because the tests may not install packages or start themselves. Of the commands that make would
        # run, those of hostgate run.
        done = ["-o", ".venv/.installed", "-o", ".venv/.tested"]
        listed = _shell(["make", "--no-print-directory", "-n", *done, *command.split()[1:]], folder)
        assert listed[0] == 0, listed[1]
        ours = [
            line.removeprefix(".venv/bin/") for line in listed[1].splitlines() if line.startswith(".venv/bin/hostgate")
        ]
        return _run(ours[0], folder) if ours else listed
    return _shell(["bash", "-c", command], folder)


def _shell(command: list[str], folder: Path) -> tuple[int, str]:
    # What `make` above the tests hands on is its own: pages show commands with the defaults of the Makefile.
    handed_on = {
        "MAKEFLAGS",
        "MAKELEVEL",
        *re.findall(r"^([A-Z_]+) \?=", (ROOT / "Makefile").read_text(), re.MULTILINE),
    }
    clean = {key: value for key, value in os.environ.items() if key not in {"COLUMNS", *handed_on}}
    path = os.pathsep.join([str(Path(sys.executable).parent), clean["PATH"]])
    ours = {"PATH": path, "LC_ALL": "C.UTF-8", "XDG_STATE_HOME": str(folder.parent)}
    done = subprocess.run(
        command, cwd=folder, env={**clean, **ours}, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, timeout=TIME_LIMIT, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


def _missing(shown: list[str], said: str) -> str | None:
    """The first shown line that `said` does not have in its place; None if all are there.

    A line `...` skips lines, `...` within a line skips characters. Runs of spaces and of rule signs are equal.
    """
    real = [_plain(line) for line in said.splitlines()]
    real = [line for line in real if line]
    at, skip = 0, False
    for line in shown:
        if line.strip() == "...":
            skip = True
            continue
        wanted = _plain(line)
        if not wanted:
            continue
        pattern = re.compile(".*".join(re.escape(part.strip()) for part in wanted.split("...")))
        places = range(at, len(real)) if skip else range(at, min(at + 1, len(real)))
        found = next((index for index in places if pattern.fullmatch(real[index])), None)
        if found is None:
            return line
        at, skip = found + 1, False
    return None if skip or at == len(real) or not shown else f"(the end; the next line is {real[at]!r})"


def _plain(line: str) -> str:
    return re.sub(r"\s+", " ", re.sub("─{2,}", "", line)).strip()


def _yaml(block: Block, folder: Path) -> None:
    """A catalog is read and linted, a stack file is read and planned; `# error: rule` and `# lint: id` mark bad lines."""
    path = folder / (block.file or "example.yaml")
    path.write_text(block.text, "utf-8")
    document = read_file(path)
    expected = [
        (match[1], rule, number)
        for number, line in enumerate(block.text.splitlines(), 1)
        if (match := EXPECTED.search(line))
        for rule in match[2].split(", ")
    ]
    if "catalog" in document:
        assert _of_catalog(path) == expected
    elif "accept" in document:
        assert acceptances({}, path, date(2026, 11, 24))
    elif block.file == "settings.yaml":
        (folder / "policy" / block.file).write_text(block.text, "utf-8")
        read_settings(folder / "policy", date(2026, 11, 24))
    else:
        assert "config" in document, f"{block}: neither a catalog, nor a stack file, nor settings of the policy pack"
        assert _of_stack(block, folder) == expected


def _of_catalog(path: Path) -> list[tuple[str, str, int]]:
    try:
        catalog = read_catalog(path)
    except InputError as error:
        return [("error", problem.rule, problem.line or 0) for problem in error.problems]
    return [("lint", warning.rule, warning.line or 0) for warning in lint_catalog(catalog)]


def _of_stack(block: Block, folder: Path) -> list[tuple[str, str, int]]:
    """Options have no line in their errors, so the line is that of the key that the message names."""
    (folder / "Pulumi.example.yaml").write_text(block.text, "utf-8")
    try:
        wanted = read_stack(values_of_file(folder, "example"), folder)
        plans = plan_all(wanted.selections, wanted.targets)
    except InputError as error:
        return sorted(
            (("error", problem.rule, _line(block, problem)) for problem in error.problems), key=lambda e: e[2]
        )
    assert all(plan.ok for plan in plans)
    return []


def _markdown(block: Block, folder: Path) -> None:
    """A vendor's page has hosts and can be read as a whole."""
    path = folder / (block.file or "page.md")
    path.write_text(block.text, "utf-8")
    assert read_page(path).hosts


def _line(block: Block, problem: Problem) -> int:
    lines = block.text.splitlines()
    named = [
        key for key in re.findall(r"\w+", problem.message) if any(line.startswith(f"    {key}:") for line in lines)
    ]
    return next(
        (number for number, line in enumerate(lines, 1) for key in named[:1] if line.startswith(f"    {key}:")), 0
    )


def _toml(block: Block, folder: Path) -> None:
    """A distribution's project file: once it is installed, its targets are there."""
    del folder
    names = tomllib.loads(block.text)["project"]["entry-points"][GROUP]
    assert names.keys() <= set(clouds())


NODE = r"(\w+)(?:\[([^\[\]|]+)\])?"
EDGE = re.compile(rf"  {NODE} -->(?:\|[^|]+\|)? {NODE}")


def _mermaid(block: Block, folder: Path) -> None:
    """A diagram is edges between boxes that say what they are; what it calls an object, the plan page has."""
    del folder
    first, *lines = block.text.splitlines()
    assert first in ("flowchart TD", "flowchart LR"), f"{block}: {first}"
    edges = [EDGE.fullmatch(line) for line in lines]
    said: dict[str, str] = {}
    for edge, line in zip(edges, lines, strict=True):
        assert edge, f"{block}: no edge of the form that is checked: {line}"
        said |= {name: words for name, words in (edge.group(1, 2), edge.group(3, 4)) if words}
    assert {name for edge in edges if edge for name in edge.group(1, 3)} == set(said), f"{block}: a box says nothing"
    objects = set(re.findall(r"`(NAME-[a-z-]+)`", (ROOT / "docs" / "plan.md").read_text("utf-8")))
    assert set(re.findall(r"NAME-[a-z-]+", block.text)) <= objects


def _of_an_example(block: Block, folder: Path) -> None:
    del folder
    raise AssertionError(f"{block}: found {block.language} that is no part of a program in examples/")


def _json(block: Block, folder: Path) -> None:  # noqa: ARG001
    json.loads(block.text)


RUNNERS: dict[str, Callable[[Block, Path], None]] = {
    "console": _console,
    "dockerfile": _of_an_example,
    "go": _of_an_example,
    "hcl": _of_an_example,
    "json": _json,
    "mermaid": _mermaid,
    "markdown": _markdown,
    "pycon": _pycon,
    "python": _python,
    "toml": _toml,
    "typescript": _of_an_example,
    "yaml": _yaml,
}
