"""Every program that the pages and examples print, as projects that run here: found by what it is, not by its name."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from markdown_pages import PAGES, ROOT, Block, blocks, files_before

CONFIG = {"aws:region": "eu-central-1", "gcp:project": "acme-prod", "azure-native:location": "westeurope"}
COMPONENTS = re.compile(r"^(import pulumi|from hostgate\.(aws|gcp|azure) import|from hostgate\.program)", re.MULTILINE)
OF_A_STACK = "from datetime import date\n\nfrom hostgate.program import run\n\nrun(as_of=date(2026, 11, 24))\n"
MARKED = re.compile(r"# (error|lint): ")

_PACKAGE = '''\
"""The component as the generated SDK gives it: the same class, and objects for the items of outputs."""

from types import SimpleNamespace

from hostgate.{cloud} import *  # noqa: F403
from hostgate.{cloud} import {component} as _Component


class {component}(_Component):
    def __init__(self, *told, **options):
        super().__init__(*told, **options)
        if hasattr(self, "references"):
            self.references = self.references.apply(lambda items: [SimpleNamespace(**each) for each in items])
'''
_COMPONENTS = {"aws": "NetworkFirewallAllowlist", "gcp": "FirewallPolicyAllowlist", "azure": "FirewallPolicyAllowlist"}


@dataclass(frozen=True)
class Program:
    """A printed program. `text` is what a reader sees of it; `block`, `folder` or `stack` (a file) is where it is from."""

    name: str
    text: str
    block: Block | None = None
    folder: Path | None = None
    stack: Path | None = None

    def __str__(self) -> str:
        return self.name


def programs() -> list[Program]:
    """Programs in pages that are not parts of examples, stack files in pages and of this project, the projects in examples/."""
    examples = list(_examples())
    found = [
        Program(f"{block.page.name}:{block.file or block.line}", block.text, block=block)
        for page in PAGES
        for block in blocks(page)
        if not any(block.text in example.text for example in examples) and _is_program(block)
    ]
    stacks = [Program(file.name, file.read_text("utf-8"), stack=file) for file in sorted(ROOT.glob("Pulumi.*.yaml"))]
    return [*found, *stacks, *examples]


def _is_program(block: Block) -> bool:
    if block.language == "python":
        return bool(COMPONENTS.search(block.text)) and "hostgate.program" not in block.text
    # `run()` is nothing without a stack file, and each stack file is run with it.
    # The made-up cloud of docs/mechanisms.md has no engine and no firewall to replay.
    ours = "hostgate:catalogs:" in block.text and "hostgate:acme:" not in block.text
    return block.language == "yaml" and ours and not MARKED.search(block.text)


READ = re.compile(r"^ *(?:runtime|name): (?:python|nodejs|yaml)$", re.MULTILINE)
"""Runtimes whose programs are read here. Those in Go and HCL say what the one in YAML says (tests/plugins)."""


def _examples() -> Iterator[Program]:
    for file in sorted(ROOT.glob("examples/**/Pulumi.yaml")):
        skipped = {"venv", "node_modules", "sdks", "template"}  # the last is no program before somebody answers it
        if READ.search(file.read_text("utf-8")) and not skipped & set(file.parts):
            parts = [file, *sorted(file.parent.glob("*.py")), *sorted(file.parent.glob("*.ts"))]
            text = "\n".join(each.read_text("utf-8") for each in parts)
            yield Program(str(file.parent.relative_to(ROOT)), text, folder=file.parent)


def write(program: Program, place: Path) -> tuple[Path, dict[str, str]]:
    """The program as a Python project in `place`, and its config; what stands beside it is beside it there too."""
    shutil.copytree(
        ROOT / "examples", place / "examples", ignore=shutil.ignore_patterns("venv", "sdks", "node_modules")
    )
    if program.folder is None:
        for other in (*files_before(program.block), program.block) if program.block else ():
            if other.file:
                (place / other.file).write_text(other.text, "utf-8")
        is_code = program.block is not None and program.block.language == "python"
        (place / "Pulumi.yaml").write_text("name: demo\nruntime: python\n", "utf-8")
        (place / "__main__.py").write_text(program.text if is_code else OF_A_STACK, "utf-8")
        return place, CONFIG if is_code else {**CONFIG, **_told(program.text)}
    project = place / program.folder.relative_to(ROOT)
    document = yaml.safe_load((project / "Pulumi.yaml").read_text("utf-8"))
    runtime = document["runtime"]
    language = runtime["name"] if isinstance(runtime, dict) else runtime
    if language != "python":
        wanted = _of_yaml(document) if language == "yaml" else _of_typescript((project / "index.ts").read_text("utf-8"))
        (project / "__main__.py").write_text("".join(wanted), "utf-8")
        (project / "Pulumi.yaml").write_text(f"name: {document['name']}\nruntime: python\n", "utf-8")
    for cloud, component in _COMPONENTS.items():
        package = _PACKAGE.format(cloud=cloud, component=component)
        (project / f"pulumi_hostgate_{cloud}.py").write_text(package, "utf-8")
    return project, _told((project / "Pulumi.dev.yaml").read_text("utf-8"))


def _told(stack: str) -> dict[str, str]:
    """The config of a stack file as the engine hands it over."""
    values = yaml.safe_load(stack)["config"]
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}


def _of_yaml(document: dict[str, Any]) -> Iterator[str]:
    """A YAML program of components, as the Python program that says the same."""
    for key, resource in document["resources"].items():
        package, component = resource["type"].split(":")
        yield _component(
            package.removeprefix("hostgate-"), component, resource.get("name", key), resource["properties"]
        )


def _of_typescript(text: str) -> Iterator[str]:
    """The components of a TypeScript program. Its object literals are YAML but for a shorthand property."""
    constants = {
        name: yaml.safe_load(value) for name, value in re.findall(r"^const (\w+) = (\[.*\]);$", text, re.MULTILINE)
    }
    packages = {
        alias or name: (cloud, name)
        for name, alias, cloud in re.findall(r"import \{ (\w+)(?: as (\w+))? \} from \"@pulumi/hostgate-(\w+)\"", text)
    }
    for class_, name, literal in re.findall(r'new (\w+)\("(\w+)", (\{.*?\n\})\)', text, re.DOTALL):
        uncommented = re.sub(r"^\s*//.*$", "", literal, flags=re.MULTILINE)
        inputs = yaml.safe_load(uncommented)
        told = {key: constants[key] if value is None else value for key, value in inputs.items()}
        yield _component(*packages[class_], name, told)


def _component(cloud: str, component: str, name: str, inputs: dict[str, Any]) -> str:
    told = {re.sub(r"([A-Z])", lambda upper: f"_{upper[0].lower()}", key): value for key, value in inputs.items()}
    if "from" in told:
        told["from_"] = told.pop("from")
    return f"import hostgate.{cloud}\nhostgate.{cloud}.{component}({name!r}, **{told!r})\n"
