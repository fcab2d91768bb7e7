"""A preview that cannot be says why, with every reason at once, and never hangs or shows our own traceback."""

import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from hostgate.sandbox.builtin_preview import preview
from hostgate.sandbox.clouds import Cloud
from hostgate.sandbox.preview_problems import PreviewError, PreviewProblem

WriteProject = Callable[..., Path]


def problems_of(folder: Path, *clouds: Cloud) -> tuple[PreviewProblem, ...]:
    with pytest.raises(PreviewError) as failed:
        preview(folder, "dev", {}, clouds=clouds or None)
    assert failed.value.problems
    return failed.value.problems


def test_all_failures_of_all_resources_are_collected(project: WriteProject, toy: Cloud) -> None:
    folder = project("""
        a = Box("a", size=11, colour="red")
        b = Box("b", size=1, items=[a.label, 7], nested=a.name)
        Box("c", opts=pulumi.ResourceOptions(depends_on=[b]))
    """)
    found = [(each.name, each.path, each.found) for each in problems_of(folder, toy)]
    assert sorted(found) == [
        ("a", "colour", "colour"),
        ("a", "size", "11"),
        ("b", "items[1]", "a number: 7"),
        ("c", "size", "nothing"),
    ]


def test_a_problem_says_where_what_and_who_says_so(project: WriteProject, toy: Cloud) -> None:
    (problem,) = problems_of(project('Box("a", size=11)'), toy)
    assert problem == PreviewProblem(
        "out of range",
        urn="urn:pulumi:dev::demo::toy:index:Box::a",
        type="toy:index:Box",
        name="a",
        path="size",
        found="11",
        allowed="1 to 10",
        source="toy manual",
    )
    assert str(problem) == (
        "a (toy:index:Box) size: out of range\n  found: 11\n  allowed: 1 to 10\n  source: toy manual"
    )


def test_a_duplicate_urn_is_an_error(project: WriteProject, toy: Cloud) -> None:
    (problem,) = problems_of(project('Box("a", size=1)\nBox("a", size=1)'), toy)
    assert problem.what == (
        "Duplicate resource URN 'urn:pulumi:dev::demo::toy:index:Box::a'; try giving it a unique name"
    )


@pytest.mark.parametrize(
    ("type_", "says"),
    [
        ("aws:s3/bucket:Bukket", "no simulated cloud has the resource type aws:s3/bucket:Bukket, and neither has the "),
        (
            "random:index/randomId:RandomId",
            "the Python SDK of the provider random, which says what its resources give,",
        ),
    ],
)
def test_a_type_that_no_sdk_knows_is_refused_by_name(project: WriteProject, toy: Cloud, type_: str, says: str) -> None:
    (problem,) = problems_of(project(f'pulumi.CustomResource("{type_}", "b", {{}})'), toy)
    assert problem.what.startswith(says)


@pytest.mark.parametrize(
    ("program", "what"),
    [
        ('pulumi.ComponentResource("other:index:Thing", "t", {}, remote=True)', "remote component other:index:Thing"),
        ('pulumi.runtime.call("toy:index:Box/open", {}, Box("a", size=1))', "method toy:index:Box/open"),
        ("pulumi.runtime.register_resource_transform(lambda args: None)", "transforms"),
        (
            'Box("a", pulumi.ResourceOptions(transforms=[lambda args: None]), size=1)',
            "transforms",
        ),
    ],
)
def test_what_needs_the_engine_is_said_so(project: WriteProject, toy: Cloud, program: str, what: str) -> None:
    problems = problems_of(project(program), toy)
    assert [problem.what for problem in problems] == [f"needs the pulumi CLI: {what}"]


EMPTY = "a preview is of empty clouds. Deploy what makes it to a sandbox first: hostgate sandbox run"
NO_FUNCTION = (
    "no simulated cloud has the function aws:ec2/getNothing:getNothing, and neither has the installed SDK of aws"
)


@pytest.mark.parametrize(
    ("program", "says"),
    [
        ('pulumi.StackReference("org/net/prod").get_output("id")', f'unknown stack "org/net/prod": {EMPTY}'),
        ('pulumi.export("x", Box("it", pulumi.ResourceOptions(id="box-7")).label)',
         f"resource 'box-7' does not exist: {EMPTY}"),
        ('Box("it", pulumi.ResourceOptions(import_="box-7"), size=1)', f"resource 'box-7' does not exist: {EMPTY}"),
        ('pulumi.runtime.invoke("aws:ec2/getNothing:getNothing", {})', NO_FUNCTION),
        ('pulumi.export("x", pulumi.runtime.invoke_output("aws:ec2/getNothing:getNothing", {}))', NO_FUNCTION),
        ('pulumi.runtime.invoke("random:index:thing", {})', "the Python SDK of the provider random, which says"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_said_with_the_next_step(
    project: WriteProject, toy: Cloud, program: str, says: str
) -> None:
    (problem,) = problems_of(project(program), toy)
    assert str(problem).startswith(says)


def test_a_run_error_is_its_message(project: WriteProject, toy: Cloud) -> None:
    (problem,) = problems_of(project('raise pulumi.RunError("catalog is empty")'), toy)
    assert str(problem) == "catalog is empty"


def test_missing_config_is_a_message(project: WriteProject, toy: Cloud) -> None:
    (problem,) = problems_of(project('pulumi.Config().require("catalogs")'), toy)
    assert "Missing required configuration variable 'demo:catalogs'" in problem.what
    assert "Traceback" not in problem.what


def test_an_exception_shows_the_users_files_only(project: WriteProject, toy: Cloud) -> None:
    folder = project("import rules\nrules.make()", rules__py="def make():\n    raise ValueError('no rule')\n")
    (problem,) = problems_of(folder, toy)
    assert problem.what.startswith("Traceback (most recent call last):\n")
    assert problem.what.endswith("ValueError: no rule")
    assert problem.what.count("File ") == 2
    assert "rules.py" in problem.what
    assert "hostgate" not in problem.what
    assert "runpy" not in problem.what


def test_an_exception_in_an_apply_fails_the_preview(project: WriteProject, toy: Cloud) -> None:
    folder = project('Box("a", size=1).name.apply(lambda name: 1 / 0)')
    (problem,) = problems_of(folder, toy)
    assert "ZeroDivisionError" in problem.what


def test_a_syntax_error_names_the_line(project: WriteProject, toy: Cloud) -> None:
    folder = project("")
    (folder / "__main__.py").write_text("x = 1\ndef broken(:\n")
    (problem,) = problems_of(folder, toy)
    assert "__main__.py" in problem.what
    assert "line 2" in problem.what
    assert "SyntaxError" in problem.what


def test_an_exit_code_is_a_failure_and_zero_is_not(project: WriteProject, toy: Cloud) -> None:
    with pytest.raises(PreviewError) as failed:
        preview(project("import sys\nprint('no catalog')\nsys.exit(3)"), "dev", {}, clouds=[toy])
    assert "exit 3" in str(failed.value)
    assert [said.message for said in failed.value.diagnostics] == ["no catalog"]
    assert preview(project("import sys\nsys.exit(0)"), "dev", {}, clouds=[toy]).ok


def test_failed_checks_are_told_beside_the_programs_own_failure(project: WriteProject, toy: Cloud) -> None:
    problems = problems_of(project('Box("a", size=99)\nraise pulumi.RunError("and so")'), toy)
    assert [problem.what for problem in problems] == ["out of range", "and so"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "no Pulumi project here"),
        ("a: [", "cannot be read"),
        ("runtime: python", "names no project"),
        ("name: x\nruntime: nodejs", "Python programs only"),
        ("name: x\nruntime: python\nmain: nowhere", "no program"),
    ],
)
def test_a_folder_that_is_no_project_is_said_so(tmp_path: Path, text: str | None, said: str) -> None:
    if text is not None:
        (tmp_path / "Pulumi.yaml").write_text(text)
    (problem,) = problems_of(tmp_path)
    assert said in problem.what


INTERRUPTED_AT_TOP_LEVEL = """
    import asyncio, signal

    pulumi.export("never", pulumi.Output.from_input(asyncio.get_running_loop().create_future()))
    signal.raise_signal(signal.SIGINT)
"""
INTERRUPTED_WHILE_WAITING = """
    import asyncio, os, signal, threading

    async def main():
        threading.Thread(target=lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        await asyncio.Event().wait()

    pulumi.run(main)
"""


@pytest.mark.parametrize("program", [INTERRUPTED_AT_TOP_LEVEL, INTERRUPTED_WHILE_WAITING])
def test_an_interrupt_ends_a_preview_at_once(project: WriteProject, toy: Cloud, program: str) -> None:
    before, handler = threading.active_count(), signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        preview(project(program), "dev", {}, clouds=[toy])
    assert signal.getsignal(signal.SIGINT) is handler
    assert threading.active_count() <= before + 1
    assert preview(project("pulumi.export('x', 1)"), "dev", {}, clouds=[toy]).outputs == {"x": 1}
