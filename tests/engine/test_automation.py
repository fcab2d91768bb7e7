"""The example of the Automation API, with and without a version of the CLI; and the template of `pulumi new`."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from engine.lab import LIMIT, real_engine
from hostgate.sandbox.engine import Engine, engine
from hostgate.sandbox.state import state_of
from hostgate.stack import read_stack, values_of_file

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "automation" / "main.py"
TEMPLATE = ROOT / "examples" / "template"


@pytest.fixture
def ready(tmp_path: Path) -> Iterator[Engine]:
    project = tmp_path / "elsewhere"
    project.mkdir()
    (project / "Pulumi.yaml").write_text("name: elsewhere\nruntime: python\n")
    with engine(project, "dev") as made:
        yield made


def run(ready: Engine, program: Path, *words: str, path: str = "", folder: Path | None = None) -> tuple[int, str]:
    environment = {key: value for key, value in ready.environment.items() if key not in OF_THE_STACK}
    done = subprocess.run(
        [sys.executable, str(program), *words],
        cwd=folder or ready.project, env={**environment, "PATH": f"{path}{environment['PATH']}"},
        capture_output=True, text=True, check=False, timeout=LIMIT,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


OF_THE_STACK = ("PULUMI_STACK", "PULUMI_OPTION_CONFIG_FILE")
"""What makes every call of the CLI one about the fixture's own stack."""


@real_engine
def test_the_inline_program_goes_up_and_goes_wherever_it_is_started(ready: Engine) -> None:
    code, said = run(ready, EXAMPLE, "up")
    assert code == 0, said
    assert "11 of 16 hosts of chainguard/images@2026-02-23, acme/ours selected: phases pull, build" in said
    assert "tells no version" not in said
    assert len(state_of(ready.folder).objects()) == 3
    assert run(ready, EXAMPLE, "destroy")[0] == 0
    assert state_of(ready.folder).objects() == []


@real_engine
def test_a_cli_without_a_version_is_taken_with_a_remark(ready: Engine, tmp_path: Path) -> None:
    unstamped = tmp_path / "bin" / "pulumi"
    unstamped.parent.mkdir()
    unstamped.write_text(f'#!/bin/sh\n[ "$1" != version ] || exit 0\nexec "{ready.cli}" "$@"\n')
    unstamped.chmod(0o755)
    code, said = run(ready, EXAMPLE, "preview", path=f"{unstamped.parent}{os.pathsep}")
    assert code == 0, said
    assert said.count("The pulumi CLI tells no version") == 1


@real_engine
def test_a_relative_catalog_of_an_inline_program_is_told_with_the_place_where_it_was_looked_for(
    ready: Engine, tmp_path: Path
) -> None:
    program = tmp_path / "main.py"
    program.write_text(EXAMPLE.read_text().replace("str(OURS)", '"./ours.yaml"'))
    code, said = run(ready, program, "preview")
    assert code != 0
    assert f"There is no such file. Check the path (looked for as {ready.project}/ours.yaml)" in said
    (ready.project / "ours.yaml").write_text((ROOT / "examples" / "ours.yaml").read_text())
    code, said = run(ready, program, "preview")
    assert code == 0, said


@real_engine
def test_pulumi_takes_the_template(ready: Engine, tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    words = [
        "new",
        str(TEMPLATE),
        "--dir",
        str(shop),
        "--name",
        "shop",
        "--generate-only",
        "--yes",
        "--non-interactive",
    ]
    environment = {key: value for key, value in ready.environment.items() if key not in OF_THE_STACK}
    subprocess.run([str(ready.cli), *words], env=environment, check=True, capture_output=True, timeout=LIMIT)
    made = yaml.safe_load((shop / "Pulumi.yaml").read_text())
    assert (made["name"], made["description"]) == ("shop", "Egress rules from reviewed catalogs of hosts")
    assert "template" not in made
    assert (shop / "__main__.py").read_text() == (ROOT / "__main__.py").read_text()


def test_the_answers_that_the_template_offers_are_a_stack_that_can_be_planned(tmp_path: Path) -> None:
    """`pulumi new` writes them into the stack file as texts, and so as JSON where a list or a mapping is meant."""
    shutil.copytree(TEMPLATE, tmp_path / "shop")
    offered = yaml.safe_load((TEMPLATE / "Pulumi.yaml").read_text())["template"]["config"]
    stack = tmp_path / "shop" / "Pulumi.dev.yaml"
    stack.write_text(yaml.safe_dump({"config": {key: each["default"] for key, each in offered.items()}}))
    read = read_stack(values_of_file(stack.parent, "dev"), stack.parent)
    assert [name for name, _ in read.targets] == ["aws:rules"]
    assert read.selection.refs == ("chainguard/images@2026-02-23",)
