"""Policy packs in a preview: started as the engine starts them, asked about every resource, and always ended."""

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from hostgate.sandbox.analyzers import AnalyzerRun, Limits, analyze
from hostgate.sandbox.builtin_preview import preview
from hostgate.sandbox.clouds import Cloud
from hostgate.sandbox.preview_problems import PreviewError
from hostgate.sandbox.resources import PolicyViolation

WriteProject = Callable[..., Path]

RUN = AnalyzerRun("demo", "dev", "organization", {}, frozenset(), "127.0.0.1:1")


def pack(folder: Path, main: str, runtime: str = "python") -> Path:
    folder.mkdir()
    (folder / "PulumiPolicy.yaml").write_text(f"runtime: {runtime}\nversion: 1.0.0\n")
    (folder / "__main__.py").write_text(textwrap.dedent(main))
    return folder


def test_a_pack_sees_resources_unknowns_config_and_the_stack(project: WriteProject, toy: Cloud, tmp_path: Path) -> None:
    folder = project("""
        a = Box("a", size=1)
        Box("b", size=7, nested={"label": a.label, "secret": pulumi.Output.secret("swordfish")})
        Group("g", box=a)
    """)
    rules = pack(
        tmp_path / "rules",
        """
        import pulumi
        from pulumi_policy import *

        def size(args, report):
            if args.resource_type == "toy:index:Box" and args.props["size"] > 5:
                report(f"size {args.props['size']:g}, {pulumi.Config('demo').require('limit')}, "
                       f"{args.props['nested']['secret']}, {args.provider.name}")

        def label(args, report):
            if args.name == "b":
                args.props["nested"]["label"]

        def count(args, report):
            boxes = [r for r in args.resources if r.resource_type == "toy:index:Box"]
            report(f"{len(boxes)} boxes, b after {[d.name for d in boxes[-1].dependencies]}, "
                   f"in {boxes[0].parent.name}")

        PolicyPack("rules", [
            ResourceValidationPolicy("size", "No big boxes.", size, EnforcementLevel.MANDATORY),
            ResourceValidationPolicy("label", "Labels.", label, EnforcementLevel.MANDATORY),
            ResourceValidationPolicy("fix", "Fix.", lambda a, r: None, EnforcementLevel.REMEDIATE,
                                     remediate=lambda a: None),
            StackValidationPolicy("count", "Few boxes.", count, EnforcementLevel.ADVISORY),
        ])
        """,
    )
    result = preview(folder, "dev", {"demo:limit": "five"}, policy_packs=[rules], clouds=[toy])
    b, stack = "urn:pulumi:dev::demo::toy:index:Box::b", "urn:pulumi:dev::demo::pulumi:pulumi:Stack::demo-dev"
    said = "can't run policy 'label' from policy pack 'rules@v0.0.1' during preview: "
    assert result.violations == (
        PolicyViolation("rules", "size", "mandatory", "No big boxes.\nsize 7, five, [secret], default", b),
        PolicyViolation(
            "rules", "label", "advisory", f"{said}string value at .nested.label can't be known during preview", b
        ),
        PolicyViolation("rules", "count", "advisory", "Few boxes.\n2 boxes, b after ['a'], in demo-dev", stack),
    )
    assert not result.ok
    assert "does not apply it" in result.diagnostics[-1].message


def problem_of(folder: Path, limits: Limits | None = None) -> str:
    with pytest.raises(PreviewError) as failed:
        analyze([folder], RUN, [], limits)
    (problem,) = failed.value.problems
    return str(problem)


def test_a_broken_pack_shows_the_end_of_its_stderr(tmp_path: Path) -> None:
    said = problem_of(pack(tmp_path / "broken", "import no_such_module"))
    assert "policy pack broken: ended before it printed its port" in said
    assert "ModuleNotFoundError: No module named 'no_such_module'" in said


def test_a_pack_that_never_starts_is_ended(tmp_path: Path) -> None:
    said = problem_of(pack(tmp_path / "slow", "import time\ntime.sleep(600)"), Limits(start=1.5))
    assert "did not start within 1.5 s" in said


def test_a_pack_that_prints_something_else_first_is_said_so(tmp_path: Path) -> None:
    assert "printed 'hello' instead of its port" in problem_of(pack(tmp_path / "chatty", "print('hello')"))


def test_a_policy_that_raises_fails_the_preview(tmp_path: Path) -> None:
    main = """
        from pulumi_policy import *

        def boom(args, report):
            raise ValueError("boom")

        PolicyPack("p", [StackValidationPolicy("boom", "Boom.", boom)])
    """
    said = problem_of(pack(tmp_path / "raises", main))
    assert "failed in AnalyzeStack of the stack" in said
    assert "boom" in said


def test_a_policy_that_never_answers_is_ended(tmp_path: Path) -> None:
    main = """
        import time
        from pulumi_policy import *
        PolicyPack("p", [StackValidationPolicy("slow", "Slow.", lambda args, report: time.sleep(600))])
    """
    assert "no answer within 2 s" in problem_of(pack(tmp_path / "hangs", main), Limits(call=2))


@pytest.mark.parametrize(
    ("runtime", "said"),
    [
        ("nodejs", "Python packs only"),
        ("{name: python, options: {virtualenv: venv}}", "its virtualenv has no Python"),
    ],
)
def test_a_pack_that_cannot_run_here_is_said_so(tmp_path: Path, runtime: str, said: str) -> None:
    assert said in problem_of(pack(tmp_path / "other", "", runtime))


def test_a_folder_that_is_no_pack_is_said_so(tmp_path: Path) -> None:
    assert "PulumiPolicy.yaml cannot be read" in problem_of(tmp_path)
