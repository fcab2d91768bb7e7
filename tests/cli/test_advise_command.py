"""`hostgate advise`: for each host the mechanisms that fit, best first; for each mechanism why, and what it takes."""

from pathlib import Path

import pytest

from hostgate.planning.mechanism import targets
from hostgate.planning.targets import clouds

from .conftest import Project, Run

SURVEY = Path(__file__).resolve().parents[2] / "examples" / "survey.jsonl"
OURS = """\
catalog: acme/ours
entries:
  - {id: steady, host: steady.example, port: 443, protocol: https, purpose: Packages}
  - {id: turning, host: turning.example, port: 443, protocol: https, purpose: Images}
  - {id: shell, host: shell.example, port: 22, protocol: tcp, purpose: Shell}
"""
STACK = """\
config:
  hostgate:catalogs: [./ours.yaml]
  hostgate:aws: {addresses: {shell: [192.0.2.7]}}
"""


@pytest.fixture
def folder(project: Project) -> Path:
    made = project(dev=STACK)
    (made / "ours.yaml").write_text(OURS)
    return made


def fits(document: dict, target: str) -> dict[str, str]:  # type: ignore[type-arg]
    return {
        host["entry"]: each["fit"] for host in document["hosts"] for each in host["advice"] if each["target"] == target
    }


@pytest.mark.usefixtures("folder")
class TestAdvise:
    def test_every_host_gets_the_advice_of_every_target(self, run: Run) -> None:
        found = run("advise", "./ours.yaml", "--json")
        assert found.code == 0
        assert [host["entry"] for host in found.json["hosts"]] == ["shell", "steady", "turning"]
        assert all({each["target"] for each in host["advice"]} == set(targets()) for host in found.json["hosts"])

    def test_with_a_survey_its_verdicts_are_the_fits(self, run: Run) -> None:
        found = run("advise", "./ours.yaml", "--survey", SURVEY, "--cloud", "gcp", "--json").json
        assert fits(found, "gcp:fqdn") == {"steady": "unknown", "turning": "unfit", "shell": "unknown"}

    def test_one_cloud_alone_can_be_asked(self, run: Run) -> None:
        found = run("advise", "./ours.yaml", "--cloud", "azure", "--json").json
        assert {each["target"] for host in found["hosts"] for each in host["advice"]} == {
            "azure:application-rules",
            "azure:ip-group",
        }

    def test_a_stack_brings_hosts_and_options(self, run: Run) -> None:
        assert fits(run("advise", "--json").json, "aws:rules")["shell"] == "unknown"
        assert fits(run("advise", "./ours.yaml", "--json").json, "aws:rules")["shell"] == "refused"

    def test_an_old_survey_is_said_to_be_old(self, run: Run) -> None:
        old = run("advise", "./ours.yaml", "--survey", SURVEY, "--as-of", "2026-11-28")
        assert old.err == "The survey ended on 2026-09-21, 68 days ago. Survey again: vendors move their hosts.\n"
        assert run("advise", "./ours.yaml", "--survey", SURVEY, "--as-of", "2026-09-30").err == ""

    def test_nothing_to_open_is_said(self, run: Run, folder: Path) -> None:
        (folder / "in.yaml").write_text(
            "catalog: a/b\nentries:\n  - {id: x, host: x.example, port: 443, protocol: https, direction: ingress, purpose: X}\n"
        )
        assert run("advise", "./in.yaml").out == "No host of the selection is to be opened.\n"


@pytest.mark.usefixtures("folder")
class TestForPeople:
    def test_hosts_of_the_same_fits_stand_together_and_each_target_says_why(self, run: Run) -> None:
        out = run("advise", "./ours.yaml", "--survey", SURVEY, "--cloud", "gcp", "--as-of", "2026-09-30").out
        assert "steady.example  443/https\n  ok          gcp:url-filter, gcp:web-proxy\n  unknown     " in out
        assert out.startswith(
            "shell.example  22/tcp\n  unknown     gcp:fqdn\n"
            "  refused     gcp:url-filter, gcp:web-proxy, gcp:address-group\n"
        )
        assert "turning.example  443/https\n" in out
        assert "gcp:fqdn  Cloud NGFW FQDN objects\n" in out
        assert "  unfit       turning.example: an answer holds 4 of 16 A addresses" in out
        for label in ("needs", "opens", "costs", "documented"):
            assert f"\n  {label:<10}  " in out

    def test_it_holds_at_eighty_columns_and_names_stay_whole(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COLUMNS", "80")
        out = run("advise", "chainguard/images@2024-03-28").out
        assert max(map(len, out.splitlines())) <= 80
        assert "9236a389bd48b984df91adc1bc924620.r2.cloudflarestorage.com  443/https\n" in out

    def test_of_many_hosts_a_part_is_listed(self, run: Run, folder: Path) -> None:
        lines = "".join(
            f"  - {{id: h{n}, host: h{n}.example, port: 443, protocol: https, purpose: X}}\n" for n in range(45)
        )
        (folder / "many.yaml").write_text(f"catalog: a/many\nentries:\n{lines}")
        assert "  ... and 5 more (--json lists them).\n" in run("advise", "./many.yaml").out


@pytest.mark.usefixtures("folder")
class TestErrors:
    def test_an_unknown_cloud_is_refused_with_the_nearest(self, run: Run) -> None:
        found = run("advise", "./ours.yaml", "--cloud", "gpc")
        assert found.code == 1
        assert f"Found the cloud 'gpc'. Did you mean `gcp`? Allowed: {', '.join(clouds())}." in found.err
        assert run("advise", "./ours.yaml", "--cloud", "x", "--json").rules == ["unknown-cloud"]

    def test_a_stack_brings_its_own_hosts(self, run: Run) -> None:
        assert run("advise", "./ours.yaml", "--stack", "dev").code == 2

    def test_a_catalog_that_is_not_there_is_an_error_like_everywhere(self, run: Run) -> None:
        found = run("advise", "./nowhere.yaml", "--json")
        assert (found.code, found.rules) == (1, run("plan", "--catalog", "./nowhere.yaml", "--json").rules)
