"""What the code says that the docs have to say too: ids of findings, rules and lint, option keys, mechanisms."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "components" / "hostgate"

RULE_MAKERS = {
    "Problem",
    "_error",
    "error",
    "problem",
    "_problem",
    "_warning",
    "Host",
    "Wrong",
    "PydanticCustomError",
    "_LineError",
    "read_file_bytes",
    "open_file",
    "replace_file",
    "replace_files",
    "unwritable",
}
"""Functions that are handed a rule id: as `rule=`, or as the first argument that looks like one."""

_ID = re.compile(r"[a-z]+(-[a-z0-9KEY]+)*\Z")


@cache
def rule_ids() -> frozenset[str]:
    """Every rule id that an error of the product can carry; `KEY` stands where the id names the key at fault.

    The simulated clouds are left out: their problems carry no ids.
    """
    found: set[str] = set()
    for path in SOURCES.rglob("*.py"):
        if "sandbox" not in path.parts:
            found.update(_rules_of(ast.parse(path.read_text("utf-8")), path.name))
    return frozenset(found - lint_ids() - _OPTION_TYPES)


@cache
def lint_ids() -> frozenset[str]:
    """Every id of a lint warning."""
    tree = ast.parse((SOURCES / "catalog" / "lint.py").read_text("utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _name(node) == "_warning"]
    return frozenset(node.args[0].value for node in calls if isinstance(node.args[0], ast.Constant))


def _rules_of(tree: ast.AST, file: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node) in RULE_MAKERS:
            named = [keyword.value for keyword in node.keywords if keyword.arg == "rule"]
            yield from _texts(named[0] if named else next(iter(map(_first_id, [node.args])), None))
        # The reader of catalogs and the checker of hosts hand ids back as the first or second item of a tuple.
        elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple) and file in ("read.py", "hosts.py"):
            yield from _texts(_first_id(node.value.elts))
        elif isinstance(node, ast.Tuple) and file in ("hosts.py", "file_input.py") and len(node.elts) == 3:
            yield from _texts(_first_id(node.elts))
        elif isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "rule" for t in node.targets):
            yield from _texts(node.value)


def _first_id(values: list[ast.expr]) -> ast.expr | None:
    return next((value for value in values if any("-" in text or text in _BARE for text in _texts(value))), None)


_OPTION_TYPES = {"cidr", "client"}
"""Names of types within options; what is wrong with an option is told under `config`."""

_BARE = {"config", "name", "date", "cidr", "client", "allowlist", "preview", "out", "lock", "git"}
"""Ids of one word."""


def _texts(value: ast.expr | None) -> Iterator[str]:
    if isinstance(value, ast.IfExp):
        yield from _texts(value.body)
        yield from _texts(value.orelse)
    elif isinstance(value, ast.BoolOp):  # the id given, or else one of the module's own
        yield from _texts(value.values[-1])
    elif isinstance(value, ast.Constant) and isinstance(value.value, str) and _ID.match(value.value):
        yield value.value
    elif isinstance(value, ast.JoinedStr):
        text = "".join(str(part.value) if isinstance(part, ast.Constant) else "KEY" for part in value.values)
        if _ID.match(text.replace("KEY", "key")):
            yield text


def _name(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
