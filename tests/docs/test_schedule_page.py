"""docs/on-a-schedule.md: what containers are told is read as the command line reads it, and names are those of the code."""

import ast
import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from markdown_pages import ROOT, blocks, tables

from hostgate.aws.refresher_options import HANDLER, NETWORK, RUNTIME, function_permissions
from hostgate.cli.pool_command import command

PAGE = ROOT / "docs" / "on-a-schedule.md"
TEXT = " ".join(PAGE.read_text("utf-8").split())
DOCKERFILE = (ROOT / "examples" / "pool-container" / "Dockerfile").read_text("utf-8")


def told() -> Iterator[list[str]]:
    """The arguments of `hostgate pool` in what the page prints: of containers, of their health, and of jobs."""
    for block in blocks(PAGE):
        if block.language == "python":
            for node in ast.walk(ast.parse(block.text)):
                if isinstance(node, ast.List) and isinstance(node.elts[0] if node.elts else None, ast.Constant):
                    words = [each.value if isinstance(each, ast.Constant) else "place" for each in node.elts]
                    if words[0] in ("refresh", "push"):
                        yield list(map(str, words))
        elif block.language == "console":
            for line in block.text.splitlines():
                words = shlex.split(line.removeprefix("$ "))
                if words[:1] != ["docker"]:
                    continue
                yield words[words.index("hostgate-pool") + 1 :]
                if "--health-cmd" in words:
                    health = shlex.split(words[words.index("--health-cmd") + 1])
                    assert health[:4] == ["python", "-m", "hostgate", "pool"]
                    yield health[4:]


@pytest.mark.parametrize("words", list(told()), ids=" ".join)
def test_what_a_container_is_told_is_a_command_of_the_pool(words: list[str]) -> None:
    assert isinstance(command, click.Group)
    found = command.commands[words[0]]
    if isinstance(found, click.Group):
        words = words[1:]
        found = found.commands[words[0]]
    with found.make_context(words[0], words[1:]) as context:  # raises what a shell would be told
        assert context.params["pool"].startswith(("s3://", "gs://", "az://"))
        assert context.params.get("vantage", context.params.get("list_id"))


def test_containers_services_and_jobs_are_among_them() -> None:
    kinds = {(words[0], "--watch" in words) for words in told()}
    assert kinds == {("refresh", True), ("refresh", False), ("show", False), ("push", False)}


def test_the_job_that_pushes_ends_with_the_worse_of_both_and_always_pushes() -> None:
    """The shell's part, with two commands that end as they are told."""
    (text,) = re.findall(r'^BOTH = f"(.*)"$', PAGE.read_text("utf-8"), re.M)
    done = text.replace("{POOL} {shlex.join(REFRESH)}", "(exit {0})").replace(
        "{POOL} {shlex.join(PUSH)}", "(echo pushed; exit {1})"
    )
    for first, second in ((0, 0), (6, 0), (0, 3), (6, 3), (1, 6)):
        script = done.replace("{0}", str(first)).replace("{1}", str(second))
        run = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False, timeout=20)
        assert (run.returncode, run.stdout) == (max(first, second), "pushed\n")


def test_the_account_of_the_job_that_pushes_may_do_what_by_address_says_and_no_more() -> None:
    granted = set(re.findall(r'"(networksecurity\.[A-Za-z.]+)"', PAGE.read_text("utf-8")))
    named = set(re.findall(r"`(networksecurity\.[A-Za-z.]+)`", (ROOT / "docs" / "by-address.md").read_text("utf-8")))
    assert granted == named
    assert len(granted) == 3


def test_the_image_runs_the_command_and_the_function_on_the_python_that_the_archive_is_for() -> None:
    version = RUNTIME.removeprefix("python")
    assert set(re.findall(r"^FROM \S*python:([\d.]+)", DOCKERFILE, re.M)) == {version}
    entry, run = (json.loads(each) for each in re.findall(r"^(?:ENTRYPOINT|CMD) (\[.*\])$", DOCKERFILE, re.M))
    assert entry == ["python", "-m", "hostgate", "pool"]
    assert run == [HANDLER]
    assert DOCKERFILE.rstrip().endswith("FROM pool")  # what is built unless a target is named
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert f"--python-version {version} --platform" in makefile
    assert f"Python {version}" in TEXT


def test_every_child_is_on_the_page() -> None:
    table = next(each for each in tables(PAGE) if each.header[0] == "child")
    named = re.findall(r"NAME(-[a-z-]+)", " ".join(table.column("child")))
    code = Path(ROOT / "components/hostgate/aws/refresher_components.py").read_text("utf-8")
    made = set(re.findall(r'f"\{(?:name|self\._name)\}(-[a-z-]+)"', code))
    made |= {f"-{part}{kind}" for part in ("", "schedule-") for kind in ("role", "permissions")}
    assert set(named) == made


def test_every_permission_is_on_the_page() -> None:
    table = next(each for each in tables(PAGE) if each.header[0] == "action")
    named = set(
        re.findall(r"`([a-z0-9]+:[A-Za-z]+)`", " ".join(table.column("action")) + " ".join(map(str, table.rows)))
    )
    policy = json.loads(
        function_permissions(
            log_arn="arn:aws:logs:eu-west-1:1:log-group:a", bucket="b", key="k", kms_key_arn="key", bucket_region=None,
            lists=["pl-0"],
        )
    )  # fmt: skip
    granted = {action for each in policy["Statement"] for action in each["Action"]}
    assert granted - named == set(NETWORK) - {"ec2:CreateNetworkInterface"}
    assert named <= granted
    assert len(NETWORK) == 6
    assert "and five more of" in TEXT
