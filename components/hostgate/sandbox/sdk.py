"""The installed Python SDK of a provider, read as data: which inputs a resource takes, what it gives, what a function answers.

The source is read and never imported: a cloud's SDK takes seconds to import, and one file of it tells all of a type. The
form is that of the SDK generator (pulumi-language-python): classes of getters with `@pulumi.getter(name=...)`.
"""

import ast
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

Form = Literal["text", "flag", "number", "list", "map", "record", "any"]

_SCALARS: Mapping[str, Form] = {"str": "text", "bool": "flag", "int": "number", "float": "number"}
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True, slots=True)
class Kind:
    """The type of a value: of lists and maps also that of the items, of a record where its class is."""

    form: Form
    of: "Kind | None" = None
    module: Path = Path()
    record: str = ""


ANY = Kind("any")


@dataclass(frozen=True, slots=True)
class Property:
    """A property by its name on the wire. `optional` is as the SDK's type says: of an output that may be absent."""

    name: str
    kind: Kind
    optional: bool
    doc: str = ""


Properties = Mapping[str, Property]


@dataclass(frozen=True, slots=True)
class SdkResource:
    """A resource type of an installed SDK. `imported` is the id in its documentation's first import example, `imported_by`
    the inputs that it is said to be made of."""

    token: str
    inputs: Properties
    outputs: Properties
    imported: str = ""
    imported_by: tuple[str, ...] = ()

    @property
    def package(self) -> str:
        return self.token.partition(":")[0]


@dataclass(frozen=True, slots=True)
class SdkFunction:
    """A function of an installed SDK: the names of its arguments, and what it answers."""

    token: str
    arguments: tuple[str, ...]
    outputs: Properties


@dataclass(frozen=True)
class Sdk:
    """The SDK of one provider."""

    package: str
    version: str
    folder: Path

    def resource(self, token: str) -> SdkResource | None:
        """The resource type, or None where the SDK has none of that token."""
        place = self._classes.get(token)
        if place is None:
            return None
        module, name = place
        file = _file_of(module, name, "pulumi.CustomResource")
        body = _class(file, name)
        taken = _class(file, f"{name}Args") or _class(file, f"{name}InitArgs")
        example = re.search(rf"pulumi import {re.escape(token)} \S+ ([^\s\"']+)$", body, re.MULTILINE)
        inputs = _getters(taken, module)
        return SdkResource(
            token, inputs, _getters(body, module), example[1] if example else "", _imported_by(body, inputs)
        )

    def function(self, token: str) -> SdkFunction | None:
        """The function, or None where the SDK has none of that token."""
        if token.count(":") != 2:
            return None
        _, module, name = token.split(":")
        folder = self._folders.get(module.partition("/")[0], self.folder)
        answer = f"{name[0].upper()}{name[1:]}Result"
        file = _file_of(folder, name, "")
        body = _class(file, answer)
        if file is None or not body or f"'{token}'" not in _text(file):
            return None
        arguments = dict.fromkeys(re.findall(r"__args__\['(\w+)'\]", _text(file)))
        return SdkFunction(token, tuple(arguments), _getters(body, folder))

    def record(self, kind: Kind) -> Properties:
        """The properties of a record."""
        return _record(kind.module, kind.record)

    def tokens(self) -> Iterator[str]:
        """Every resource type of the SDK."""
        yield from self._classes

    def functions(self) -> Iterator[str]:
        """Every function of the SDK."""
        for folder in dict.fromkeys((self.folder, *self._folders.values())):
            for file in sorted(folder.glob("*.py")):
                yield from re.findall(r"pulumi\.runtime\.invoke\('([^']+)'", _text(file))

    def provider(self) -> Iterable[Property]:
        """What the provider is configured with."""
        return _getters(_class(self.folder / "provider.py", "ProviderArgs"), self.folder).values()

    def long(self, token: str) -> str:
        """The token that a program in YAML may have shortened: `aws:ec2:Vpc` is `aws:ec2/vpc:Vpc`."""
        parts = token.split(":")
        package, name = parts[0], parts[-1]
        module = parts[1] if len(parts) == 3 else "index"
        return f"{package}:{module}/{name[0].lower()}{name[1:]}:{name}" if "/" not in module else token

    @cached_property
    def _classes(self) -> Mapping[str, tuple[Path, str]]:
        return {
            token: (self._path(each["fqn"]), name) for each in self._modules for token, name in each["classes"].items()
        }

    @cached_property
    def _folders(self) -> Mapping[str, Path]:
        return {each["mod"].partition("/")[0]: self._path(each["fqn"]) for each in self._modules}

    @cached_property
    def _modules(self) -> list[dict[str, Any]]:
        found = re.search(r'resource_modules="""(.*?)"""', _text(self.folder / "__init__.py"), re.DOTALL)
        return list(json.loads(found[1])) if found else []

    def _path(self, name: object) -> Path:
        return self.folder.joinpath(*str(name).split(".")[1:])


@cache
def sdks() -> Mapping[str, Sdk]:
    """The installed SDKs of providers, by package."""
    found: dict[str, Sdk] = {}
    for root in sys.path:
        for file in sorted(Path(root).glob("*/pulumi-plugin.json")) if root else ():
            try:
                told = json.loads(file.read_text(encoding="utf-8"))
            except (OSError, ValueError):  # somebody else's file, which says nothing of an SDK
                continue
            name = str(told.get("name", ""))
            if told.get("resource") and name and not told.get("parameterization"):
                found.setdefault(name, Sdk(name, str(told.get("version", "")), file.parent))
    return found


def sdk_of(token: str) -> Sdk | None:
    """The installed SDK that a token is of."""
    return sdks().get(token.partition(":")[0])


@cache
def resource_of(token: str) -> SdkResource | None:
    """The resource type in whatever SDK is installed for it."""
    sdk = sdk_of(token)
    return sdk.resource(token) if sdk else None


@cache
def function_of(token: str) -> SdkFunction | None:
    """The function in whatever SDK is installed for it."""
    sdk = sdk_of(token)
    return sdk.function(token) if sdk else None


@cache
def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


@cache
def _record(module: Path, name: str) -> Properties:
    file = module / ("_inputs.py" if name.endswith("Args") else "outputs.py")
    return _getters(_class(file, name), module)


def _file_of(folder: Path, name: str, base: str) -> Path | None:
    """The file of a class or function: by its name, else by looking for it."""
    named = folder / f"{_WORDS.sub('_', name).lower()}.py"
    if named.is_file():
        return named
    wanted = f"\nclass {name}({base})" if base else f"\ndef {_WORDS.sub('_', name).lower()}("
    return next((file for file in sorted(folder.glob("*.py")) if wanted in _text(file)), None)


def _imported_by(source: str, inputs: Properties) -> tuple[str, ...]:
    """Of "import EKS Clusters using the `name`. For example", the inputs that are named; none if others are named too."""
    sentence = re.search(r"import [^\n]*? using ([^\n]*?) For example", source)
    named = [camel(each) for each in re.findall(r"`(\w+)`", sentence[1])] if sentence else []
    return tuple(named) if all(each in inputs for each in named) else ()


def camel(name: str) -> str:
    """A name of Python or Terraform as the wire has it."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _class(file: Path | None, name: str) -> str:
    """The source of a class at the top of a module, or nothing."""
    start, end = _places(file).get(name, (0, 0)) if file else (0, 0)
    return _text(file)[start:end] if file and end else ""


@cache
def _places(file: Path) -> Mapping[str, tuple[int, int]]:
    """Where the classes of a module begin and end: some of the files have thousands."""
    text = _text(file) if file.is_file() else ""
    tops = [*(found.start() for found in re.finditer(r"^[^\s#)]", text, re.MULTILINE)), len(text)]
    ends = dict(pairwise(tops))
    found = re.finditer(r"^class (\w+)", text, re.MULTILINE)
    return {each[1]: (each.start(), ends[each.start()]) for each in found}


_GETTER = re.compile(
    r'@pulumi\.getter(?:\(name="(?P<wire>\w+)"\))?.*?\n    def (?P<name>\w+)\(self\) -> (?P<type>[^\n]+):\n'
    r'(?:\s+"""(?P<doc>.*?)""")?',
    re.DOTALL,
)


def _getters(source: str, module: Path) -> Properties:
    made = {}
    for found in _GETTER.finditer(source):
        name = found["wire"] or found["name"]
        optional, kind = _annotated(found["type"], module)
        made[name] = Property(name, kind, optional, " ".join((found["doc"] or "").split()))
    return made


@cache
def _annotated(annotation: str, module: Path) -> tuple[bool, Kind]:
    return _kind(ast.parse(annotation, mode="eval").body, module)


def _kind(node: ast.expr, module: Path) -> tuple[bool, Kind]:
    """Whether a type is optional, and the type."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        *path, name = node.value.split(".")
        other = module.parent / path[0].strip("_") if len(path) > 1 or (path and path[0] != "outputs") else module
        return False, Kind("record", module=other, record=name) if path or name.endswith("Args") else ANY
    if isinstance(node, ast.Attribute):
        return False, Kind(_SCALARS.get(node.attr, "any"))
    if isinstance(node, ast.Subscript):
        name = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
        items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if name in ("Output", "Input", "Optional", "Union", "Awaitable"):
            optional, kind = _kind(items[0], module)
            return optional or name == "Optional", kind
        if name in ("Sequence", "Mapping"):
            return False, Kind("list" if name == "Sequence" else "map", of=_kind(items[-1], module)[1])
    return False, ANY
