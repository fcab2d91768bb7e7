"""`--survey` and `hostgate:survey`: what was measured joins the plan, and a stack can refuse to go without."""

import json
from pathlib import Path
from random import Random

import pytest

from hostgate.dns.analysis import analyse_files
from hostgate.dns.document import as_json, document
from hostgate.dns.samples import Run as SurveyRun
from hostgate.dns.samples import Sample
from hostgate.dns.survey_files import as_line

from .conftest import Project, Run

START = 1_790_000_000.0
DAY = "2026-10-01"
OURS = """\
catalog: acme/ours
entries:
  - {id: steady, host: steady.acme.example, port: 443, protocol: https, purpose: Packages}
  - {id: rotating, host: rotating.acme.example, port: 443, protocol: https, purpose: Images}
"""
STACK = """\
config:
  hostgate:catalogs: [./ours.yaml]
  hostgate:survey: {file: survey.jsonl, worst: %s}
  hostgate:gcp: {mechanism: fqdn, networks: [projects/p/global/networks/n]}
"""
MAIN = "from hostgate.program import run\n\nrun()\n"


@pytest.fixture(scope="module")
def samples() -> str:
    """Two days of answers: one host with all its four addresses in each, one with 2 of 32."""
    dice = Random("plan survey")
    run = SurveyRun(
        vantage="lab", started=START, tool="hostgate 0", resolvers=("10.0.0.2",), types=("A",), edns=1232,
        hosts=("steady.acme.example", "rotating.acme.example"),
    )  # fmt: skip
    lines = [as_line(run)]
    for number in range(2 * 1440):
        for host, size, answer in (("steady.acme.example", 4, 4), ("rotating.acme.example", 32, 2)):
            chosen = tuple(f"192.0.2.{each}" for each in dice.sample(range(size), answer))
            lines.append(
                as_line(
                    Sample(
                        host=host, at=START + number * 60.3, resolver="10.0.0.2", type="A", outcome="answer",
                        addresses=chosen, ttl=60,
                    )
                )
            )  # fmt: skip
    return "\n".join(lines) + "\n"


@pytest.fixture
def folder(project: Project, samples: str) -> Path:
    made = project(dev=STACK % "risky", lax=STACK % "unfit")
    (made / "ours.yaml").write_text(OURS)
    (made / "survey.jsonl").write_text(samples)
    (made / "__main__.py").write_text(MAIN)
    return made


def survey_findings(found: list[dict[str, str]]) -> dict[str, str]:
    return {each["entry"]: each["id"] for each in found if "survey" in each["id"]}


class TestOption:
    def test_samples_and_the_printed_document_give_the_same_plan(self, run: Run, folder: Path) -> None:
        printed = folder / "printed.json"
        printed.write_text(json.dumps(as_json(document(analyse_files([folder / "survey.jsonl"])))))
        plans = [
            run(
                "plan", "--catalog", "ours.yaml", "--target", "gcp:fqdn", "--survey", path, "--as-of", DAY, "--json"
            ).json
            for path in ("survey.jsonl", printed)
        ]
        assert plans[0] == plans[1]
        found = plans[0]["targets"][0]["findings"]
        assert survey_findings(found) == {"rotating": "survey-unfit", None: "survey-ok"}

    def test_it_takes_the_place_of_the_stacks_own_and_keeps_its_demand(self, run: Run, folder: Path) -> None:
        (folder / "survey.jsonl").rename(folder / "newer.jsonl")
        assert "survey.jsonl" in run("plan", "--as-of", DAY).err
        refused = run("plan", "--survey", "newer.jsonl", "--as-of", DAY)
        assert (refused.code, "survey-demand" in refused.err) == (1, True)

    def test_without_one_the_plan_says_that_there_is_none(self, run: Run, folder: Path) -> None:  # noqa: ARG002
        assert "no-survey" in run("plan", "--catalog", "ours.yaml", "--target", "gcp:fqdn").out

    @pytest.mark.parametrize("command", [("plan",), ("explain", "steady.acme.example")])
    @pytest.mark.parametrize(("text", "said"), [(None, "There is no such file"), ("", "no JSON"), ("{}", "`form`")])
    def test_a_bad_file_is_an_error_with_what_is_allowed(
        self, run: Run, folder: Path, command: tuple[str, ...], text: str | None, said: str
    ) -> None:
        if text is not None:
            (folder / "bad.json").write_text(text)
        ended = run(*command, "--catalog", "ours.yaml", "--survey", "bad.json")
        assert ended.code == 1
        assert said in ended.err
        assert "hostgate survey --out" in ended.err

    def test_an_explanation_tells_the_verdict(self, run: Run, folder: Path) -> None:  # noqa: ARG002
        ended = run("explain", "rotating.acme.example", "--catalog", "ours.yaml", "--survey", "survey.jsonl", "--json")
        found = {each["target"]: each for each in ended.json["targets"]}
        assert {target: each["survey"] for target, each in found.items()} == {
            "aws:rules": "ok", "gcp:fqdn": "unfit", "azure:application-rules": "ok",
        }  # fmt: skip
        assert "by the survey unfit: an answer holds 2 of 32 A addresses" in found["gcp:fqdn"]["why"]


class TestStack:
    def test_a_host_that_is_worse_than_demanded_refuses_the_plan(self, run: Run, folder: Path) -> None:  # noqa: ARG002
        ended = run("plan", "--as-of", DAY, "--json")
        assert ended.code == 1
        assert ended.rules == ["survey-demand"]
        (target,) = ended.json["targets"]
        assert target["objects"] == []
        (error,) = ended.json["errors"]
        assert error["entry"] == "rotating"
        assert "would be ok" in error["message"]

    def test_a_weaker_demand_lets_it_through(self, run: Run, folder: Path) -> None:  # noqa: ARG002
        ended = run("plan", "--stack", "lax", "--as-of", DAY)
        assert (ended.code, "survey-unfit rotating" in ended.out) == (0, True)

    def test_an_acceptance_of_the_host_does_too(self, run: Run, folder: Path) -> None:
        accept = "  hostgate:accept: [{finding: survey-unfit, entry: rotating, because: clients retry}]\n"
        (folder / "Pulumi.dev.yaml").write_text(STACK % "risky" + accept)
        assert run("plan", "--as-of", DAY).code == 0

    def test_the_program_refuses_before_the_first_resource(self, run: Run, folder: Path) -> None:  # noqa: ARG002
        ended = run("preview", "--host", "builtin")
        assert ended.code == 1
        assert "No host may be worse than risky" in ended.err
        assert "rotating.acme.example" in ended.err

    def test_the_program_goes_through_where_the_demand_is_met(self, run: Run, folder: Path) -> None:  # noqa: ARG002
        ended = run("preview", "--host", "builtin", "--stack", "lax")
        assert ended.code == 0, ended.err
        assert "survey-unfit" in ended.out + ended.err

    def test_a_survey_that_is_not_there_is_an_error(self, run: Run, folder: Path) -> None:
        (folder / "survey.jsonl").unlink()
        ended = run("plan")
        assert ended.code == 1
        assert "survey.jsonl" in ended.err
