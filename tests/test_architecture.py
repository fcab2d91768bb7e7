"""The shape of the package: imports point one way, clouds stay where they are needed, and the bare import is light."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "components"
PACKAGE = SOURCE / "hostgate"

CLOUDS = ("aws", "gcp", "azure")

_ACTIONS = {"aws:pass", "aws:drop"}
"""Actions of a firewall policy of AWS that look like a target."""

LEVELS = {
    "catalog": 0,
    "on_demand": 0,
    "requirement": 0,
    "flows": 1,
    "planning": 2,
    "suricata": 3,
    "dns": 3,
    "default_base": 3,
    "stack_lists": 3,
    "aws": 4,
    "gcp": 4,
    "azure": 4,
    "sinks": 4,
    "export": 5,
    "review": 5,
    "allowlist": 6,
    "policies": 6,
    "sandbox": 6,
    "stack": 6,
    "package_schema": 5,
    "hosting": 6,
    "program": 6,
    "intake": 7,
    "cli": 7,
    "__main__": 8,
}
"""DESIGN: catalog <- flows <- planning <- suricata, dns <- aws|gcp|azure, sinks <- export, review <- policies, sandbox,
program <- cli; intake stands beside cli."""

MAY_MEET = {
    ("hosting", "allowlist"),
    ("program", "stack"),
    ("program", "allowlist"),
    ("cli", "intake"),
    ("on_demand", "requirement"),
}
"""Neighbours of one level that may import each other; all others of a level keep apart."""

REALISED_BY = {("aws", "allowlist"), ("gcp", "allowlist"), ("azure", "allowlist")}
"""What the module that realises a cloud's plans with pulumi, and no other of the cloud, takes from above it."""

HEAVY = (
    "pulumi",
    "pulumi_aws",
    "pulumi_gcp",
    "pulumi_azure_native",
    "pulumi_policy",
    "boto3",
    "botocore",
    "google",
    "azure",
)
SDKS_ELSEWHERE = {
    "policies/pack.py": {"pulumi_policy"},
    "sinks/aws_prefix_list.py": {"boto3", "botocore"},
    "sinks/gcp_address_group.py": {"google"},
    "sinks/azure_ip_group.py": {"azure"},
}
"""Modules that make no resources and call an SDK all the same."""

MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "__pycache__" not in path.parts)

every_module = pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))


def imported(path: Path) -> Iterator[str]:
    """Every module that `path` imports: at the top, in functions, under TYPE_CHECKING, relative, or by name."""
    package = ".".join(path.relative_to(SOURCE).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module or "") if part)
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and _called(node) in ("import_module", "__import__"):
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value


def part_of(module: str) -> str:
    """The part of hostgate that `module` belongs to; "" for the package itself and for other packages."""
    steps = module.split(".")
    return steps[1] if steps[0] == "hostgate" and len(steps) > 1 and steps[1] in LEVELS else ""


def part_of_file(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


@every_module
def test_every_module_has_a_level(path: Path) -> None:
    assert part_of_file(path) in {*LEVELS, "__init__"}


@every_module
def test_imports_point_one_way(path: Path) -> None:
    here = part_of_file(path)
    if here == "__init__":
        return
    for module in imported(path):
        there = part_of(module)
        if not there or there == here:
            continue
        down = LEVELS[there] < LEVELS[here]
        realises = path.name.endswith("components.py") and (here, there) in REALISED_BY
        assert down or realises or (here, there) in MAY_MEET, f"{path.name}: {here} may not import {module}"


@every_module
def test_pulumi_and_cloud_sdks_are_imported_only_where_resources_are_made(path: Path) -> None:
    if path.name.endswith("components.py") or path.name in (
        "allowlist.py", "default_base.py", "program.py", "hosting.py",
    ):  # fmt: skip
        return
    if part_of_file(path) == "sandbox":
        return
    allowed = SDKS_ELSEWHERE.get(str(path.relative_to(PACKAGE)), set())
    for module in imported(path):
        assert module.partition(".")[0] not in set(HEAVY) - allowed, f"{path.name} imports {module}"


@pytest.mark.parametrize("cloud", ["aws", "gcp", "azure"])
def test_a_components_module_imports_its_own_cloud_only(cloud: str) -> None:
    sdks = {"aws": "pulumi_aws", "gcp": "pulumi_gcp", "azure": "pulumi_azure_native"}
    of_modules = [
        {module.partition(".")[0] for module in imported(path)} & set(sdks.values())
        for path in (PACKAGE / cloud).glob("*components.py")
    ]
    assert {sdks[cloud]} in of_modules
    assert all(sdk <= {sdks[cloud]} for sdk in of_modules)


NAMES_A_TARGET = {"cli/sources.py": "an example in the help of --target"}
"""Modules outside the clouds whose text names a mechanism, and why; docstrings may."""

_TARGET = re.compile(rf"(?:{'|'.join(CLOUDS)}):[a-z]+(?:-[a-z]+)*(?![\w/:-])")


@every_module
def test_a_mechanism_is_named_in_its_cloud_alone(path: Path) -> None:
    if part_of_file(path) in CLOUDS:
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    texts = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    found = {name for text in texts if id(text) not in docs for name in _TARGET.findall(text.value)} - _ACTIONS
    assert bool(found) == (str(path.relative_to(PACKAGE)) in NAMES_A_TARGET), found


@every_module
def test_no_module_is_a_drawer_for_leftovers(path: Path) -> None:
    assert not {"utils", "util", "helpers", "helper", "common", "manager", "misc"} & {
        path.stem,
        *path.relative_to(SOURCE).parts,
    }


@every_module
def test_every_module_says_in_its_first_line_what_it_is(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert docstring, f"{path} has no docstring"


@pytest.mark.parametrize(
    ("statement", "unloaded"),
    [
        (
            "import hostgate",
            ("pulumi", "pulumi_aws", "pulumi_gcp", "pulumi_azure_native", "yaml", "pydantic", "click", "rich", "dns"),
        ),
        ("import hostgate.aws, hostgate.gcp, hostgate.azure", ("pulumi", "pulumi_aws", "pulumi_gcp", "pulumi_azure_native")),
        (
            "import hostgate.aws.rules, hostgate.aws.domain_list, hostgate.gcp.fqdn, hostgate.azure.application_rules",
            ("pulumi", "pulumi_aws", "pulumi_gcp", "pulumi_azure_native"),
        ),
        ("import hostgate.policies.judge", ("pulumi", "pulumi_policy", "pulumi_aws", "pulumi_gcp", "pulumi_azure_native")),
        (
            "from hostgate import plan; import hostgate.planning.plan",
            ("pulumi", "hostgate.aws", "hostgate.gcp", "hostgate.azure", "dns"),
        ),
        (
            "import hostgate.stack, hostgate.program, hostgate.cli.plan_command, hostgate.cli.survey_command",
            ("pulumi_aws", "dns", "hostgate.dns"),
        ),
        (
            "import hostgate.cli.pool_command, hostgate.sinks.aws_prefix_list, hostgate.sinks.azure_ip_group",
            ("boto3", "botocore", "azure.core", "azure.identity", "azure.mgmt", "dns"),
        ),
    ],
)  # fmt: skip
def test_an_import_loads_no_more_than_it_needs(statement: str, unloaded: tuple[str, ...]) -> None:
    program = f"import sys\nsys.path.insert(0, {str(SOURCE)!r})\n{statement}\nprint(*sorted(sys.modules), sep='\\n')"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not set(unloaded) & set(ran.stdout.split())


class TestTheCheckItself:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("import pulumi\n", "pulumi"),
            ("def f():\n    from hostgate.cli import main\n", "hostgate.cli.main"),
            (
                "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import hostgate.gcp.fqdn\n",
                "hostgate.gcp.fqdn",
            ),
            ("from importlib import import_module\nimport_module('hostgate.aws.rules')\n", "hostgate.aws.rules"),
            ("from hostgate import program\n", "hostgate.program"),
        ],
    )
    def test_no_way_of_importing_is_missed(
        self, text: str, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys.modules[__name__], "SOURCE", tmp_path)
        (tmp_path / "hostgate").mkdir()
        (tmp_path / "hostgate" / "x.py").write_text(text)
        assert found in set(imported(tmp_path / "hostgate" / "x.py"))

    def test_a_relative_import_is_resolved(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys.modules[__name__], "SOURCE", tmp_path)
        (tmp_path / "hostgate" / "planning").mkdir(parents=True)
        (tmp_path / "hostgate" / "planning" / "x.py").write_text("from ..cli import main\nfrom . import plan\n")
        assert {"hostgate.cli.main", "hostgate.planning.plan"} <= set(
            imported(tmp_path / "hostgate" / "planning" / "x.py")
        )
