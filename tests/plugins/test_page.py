"""docs/components.md says what the packages are: their inputs, outputs and versions, and commands that were run."""

import re
from collections.abc import Iterator

import pytest

from .schemas import schema_of
from .wire import ALLOWLISTS, COMPONENTS, PLUGINS, ROOT, Package

PAGE = (ROOT / "docs" / "components.md").read_text("utf-8")

each_package = pytest.mark.parametrize("package", COMPONENTS, ids=str)


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def rows(text: str) -> Iterator[list[str]]:
    """The cells of every row of every table, headers too."""
    for line in text.splitlines():
        if line.startswith("| ") and not line.startswith("| ---"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def _place(package: Package) -> str:
    """How the tables call a component: by its package, or by its own name if it is not the first of the package."""
    first = next(each for each in COMPONENTS if each.name == package.name)
    return f"`{package.name}`" if package == first else f"`{package.component}`"


@each_package
def test_the_page_lists_the_inputs_of_the_schema(package: Package) -> None:
    shared = [name for cells in rows(section("Inputs")) if len(cells) == 3 for name in re.findall(r"`(\w+)`", cells[0])]
    own = [cells[1].strip("`") for cells in rows(section("Inputs")) if cells[0] == _place(package)]
    not_taken = re.search(rf"`{package.component}` takes all of these but ([^.]+)\.", section("Inputs"))
    for name in re.findall(r"`(\w+)`", not_taken[1] if not_taken else ""):
        shared.remove(name)
    assert sorted(shared + own) == sorted(schema_of(package)["resources"][package.token]["inputProperties"])


@each_package
def test_the_page_lists_the_outputs_of_the_schema(package: Package) -> None:
    places = (_place(package), "every allowlist" if package in ALLOWLISTS else "")
    told = [cells[1].strip("`") for cells in rows(section("Outputs")) if cells[0] in places]
    assert sorted(told) == sorted(schema_of(package)["resources"][package.token]["properties"])


@each_package
def test_the_page_names_the_folder_and_the_component(package: Package) -> None:
    wanted = [f"`{package.name}`", f"`components/plugins/{package.cloud}`", f"`{package.component}`"]
    assert wanted in [cells[:3] for cells in rows(PAGE.partition("\n## ")[0])]
    assert (PLUGINS / package.cloud / "PulumiPlugin.yaml").is_file()


def test_the_page_names_the_provider_versions_that_are_pinned() -> None:
    told = dict(re.findall(r"(pulumi-[a-z-]+) (\d+\.\d+\.\d+)", PAGE))
    pinned = dict(
        re.findall(r"^(pulumi_(?:aws|gcp|azure_native))==(.+)$", (ROOT / "requirements.txt").read_text(), re.M)
    )
    assert told == {name.replace("_", "-"): version for name, version in pinned.items()}


def test_the_commands_of_the_page_are_those_that_the_consumers_run() -> None:
    commands = re.findall(r"^\$ (.+)$", PAGE, re.MULTILINE)
    assert commands
    for command in commands:
        added = re.fullmatch(r"pulumi package add [\w./-]*components/plugins/(aws|gcp|azure)(@\S+)?", command)
        assert added or command == "pulumi new github.com/OWNER/hostgate/examples/template", command
