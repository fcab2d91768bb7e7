"""The pack's settings: what is read, what is refused, and exemptions that hold, end, or are about something else."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from hostgate.catalog.problems import InputError
from hostgate.policies.settings import Settings, read_settings
from policies.process import AS_OF, SETTINGS, Pack, R, running, start, write_pack
from policies.resources import application, aws_rules, azure, gcp_rule, network, tls

CATALOGS = "catalogs: [chainguard/images@2026-02-23]\n"
ROOT = Path(__file__).resolve().parents[2]
DAY = date.fromisoformat(AS_OF)


def read(folder: Path, text: str) -> Settings:
    return read_settings(write_pack(folder / "pack", text), DAY)


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(InputError) as refused:
        read(folder, text)
    return str(refused.value)


def test_defaults_are_those_of_the_rules(tmp_path: Path) -> None:
    settings = read(tmp_path, CATALOGS)
    assert (settings.head_room, settings.near_limit, settings.survey) == (20, 90, None)
    assert settings.level("host-not-in-catalog") == "mandatory"
    both = read(tmp_path, CATALOGS + "levels: {all: advisory, void-allow: mandatory}\n")
    assert (both.level("no-deny"), both.level("void-allow")) == ("advisory", "mandatory")
    assert (
        read(tmp_path, CATALOGS + "levels: {host-not-in-catalog: advisory}\n").level("host-not-in-catalog")
        == "advisory"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("survey: x.json\n", "`catalogs` is missing."),
        ("catalogs: []\n", "`catalogs` is empty."),
        ("catalogs: [chainguard/image@2026-02-23]\n", "Did you mean `chainguard/images`?"),
        ("catalogs: [./missing.yaml]\n", "There is no such file"),
        ("catalogs: [chainguard/images]\n", "without a revision. Pin one"),
        (CATALOGS + "catalog: x\n", "`catalog` is no key here. Did you mean `catalogs`? Allowed: addresses, catalogs, exempt,"),
        (CATALOGS + "levels: {host-not-in-catalogue: advisory}\n", "Did you mean `host-not-in-catalog`?"),
        (CATALOGS + "levels: {plain-http: remediate}\n", "Allowed: 'advisory', 'mandatory' or 'disabled'"),
        (CATALOGS + "headRoom: 120\n", "`headRoom`: found 120."),
        (CATALOGS + "addresses: {cgr.dev: [cgr.dev]}\n", "found 'cgr.dev'. Allowed: an address or a range."),
        (CATALOGS + "addresses: {cgr.dev: [203.0.113.7/24]}\n", "Allowed: an address or a range."),
        (CATALOGS + "addresses: {cgr.dev: [\"0.0.0.0/0\"]}\n", "most of the internet"),
        (CATALOGS + "addresses: {cgr.dev: [\"2000::/3\"]}\n", "most of the internet"),
        (CATALOGS + "survey: no.json\n", "no.json"),
        (CATALOGS + "exempt: [{rule: plain-http, because: x, until: \"2027-01-01\"}]\n",
         "neither `id`, `entry`, `host` nor `resource`"),
        (CATALOGS + "exempt: [{rule: plain-http, id: ab12cd34, because: x, until: \"2027-01-01\"}]\n",
         "names an `id`, which only lines of"),
        (CATALOGS + "exempt: [{rule: beyond-catalogs, id: ab12cd34, because: x, owner: \" \", until: \"2027-01-01\"}]\n",
         "`exempt[0].owner`"),
        (CATALOGS + "exempt: [{rule: plain-http, host: a.b, because: \" \", until: \"2027-01-01\"}]\n", "a reason in words"),
        (CATALOGS + "exempt: [{rule: plain-http, host: a.b, because: x}]\n", "`exempt[0].until` is missing."),
        (CATALOGS + "exempt: [{rule: plain-http, host: a.b, because: x, until: soon}]\n", "a date as YYYY-MM-DD"),
        (CATALOGS + "exempt:\n", "settings.yaml:2:8\n  `exempt`: found nothing. Allowed: a value; or leave it out."),
        (CATALOGS + "levels: {all: }\n", "`levels.all`: found nothing. Allowed: a value; or leave it out."),
        (CATALOGS + "survey: \"\"\n", "`survey`: found ''. Allowed: a value; or leave it out."),
        ("catalogs: [chainguard/images@2026-02-23, ~]\n", "`catalogs[1]`: found nothing. Allowed: a value; or leave it out."),
        (CATALOGS + "exempt: [{rule: plain-http, resource: \"*\", because: x, until: \"2027-01-01\"}]\n", "silence the whole rule"),
        (CATALOGS + "exempt: [{rule: plain-http, resource: \"?**\", because: x, until: \"2027-01-01\"}]\n", "silence the whole"),
        (CATALOGS + "exempt: [{rule: exemption-ended, resource: x, because: x, until: \"2027-01-01\"}]\n", "cannot be exempted"),
    ],
)  # fmt: skip
def test_settings_that_do_not_hold_are_refused(text: str, said: str, tmp_path: Path) -> None:
    assert said in refusal(tmp_path, text)


def test_all_errors_come_at_once_with_their_lines(tmp_path: Path) -> None:
    said = refusal(tmp_path, CATALOGS + "headRoom: 120\nlevels: {nothing: advisory}\n")
    assert "settings.yaml:2:11" in said
    assert "settings.yaml:3:9" in said


SURVEYED = {"form": 1, "ended": "2026-11-20T12:00:00Z", "hosts": []}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{", "no JSON"),
        ({}, "`form`"),
        ({**SURVEYED, "hosts": None}, "`hosts`"),
        ({**SURVEYED, "hosts": [{"host": "x", "verdicts": ["ok"]}]}, "`hosts.0.verdicts.0`"),
        ({**SURVEYED, "ended": None}, "It holds no lookup"),
    ],
)
def test_a_survey_that_is_none_is_refused(document: object, said: str, tmp_path: Path) -> None:
    folder = write_pack(tmp_path / "pack", CATALOGS + "survey: survey.json\n")
    (folder / "survey.json").write_text(document if isinstance(document, str) else json.dumps(document))
    with pytest.raises(InputError) as refused:
        read_settings(folder, DAY)
    assert said in str(refused.value)


TURNING = """
catalog: acme/turning
entries:
  - {id: steady, host: steady.example, port: 443, protocol: https, purpose: Stays}
  - {id: turning, host: turning.example, port: 443, protocol: https, purpose: Moves}
"""


@pytest.mark.parametrize("form", ["what --json prints", "what --out wrote"])
def test_the_survey_is_what_the_command_makes(form: str, tmp_path: Path) -> None:
    """Azure has two verdicts on a host: of rules that read the name, and of those that look it up."""
    samples = ROOT / "examples" / "survey.jsonl"
    command = [sys.executable, "-m", "hostgate", "survey", "--from", str(samples), "--json"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    if form == "what --out wrote":
        printed = samples.read_text()
    folder = write_pack(tmp_path / "pack", "catalogs: [./turning.yaml]\nsurvey: survey.json\n")
    (folder / "turning.yaml").write_text(TURNING)
    (folder / "survey.json").write_text(printed)
    hosts = ("steady.example", "turning.example")
    with running(folder) as pack:
        google, looked_up, by_name = (
            pack.resource(each) for each in (gcp_rule(*hosts), azure(network(fqdns=hosts)), azure(application(*hosts)))
        )
    ((_, said),) = google.of("unsuitable-name")
    assert "turning.example: unfit on gcp:fqdn: an answer holds 4 of 16 A addresses" in said
    assert "steady.example: unknown on gcp:fqdn" in said
    ((_, said),) = looked_up.of("unsuitable-name")
    assert "turning.example: risky on azure:application-rules: an answer holds 4 of 16 A addresses" in said
    assert "steady.example" not in said
    assert "unsuitable-name" in by_name.not_applicable


def test_addresses_are_kept_in_their_one_form(tmp_path: Path) -> None:
    settings = read(tmp_path, CATALOGS + "addresses: {CGR.dev: ['2001:DB8:0::1', 192.0.2.1]}\n")
    assert settings.addresses == {"192.0.2.1": ("cgr.dev",), "2001:db8::1": ("cgr.dev",)}


def asked(tmp_path: Path, exemption: str, resource: R, rule: str) -> list[str]:
    folder = write_pack(tmp_path / "pack", f"{SETTINGS}exempt: [{exemption}]\n")
    with running(folder) as pack:
        return [message for _, message in pack.resource(resource).of(rule)]


@pytest.mark.parametrize(
    ("about", "reported"),
    [
        ("host: evil.example", False),
        ("resource: rules", False),
        ("resource: ru*", False),
        ("host: evil.example, resource: other", True),
        ("host: other.example", True),
        ("entry: evil", True),
    ],
)
def test_an_exemption_is_about_what_it_names_and_nothing_else(about: str, reported: bool, tmp_path: Path) -> None:
    said = asked(
        tmp_path, f'{{rule: host-not-in-catalog, {about}, because: Reviewed, until: "{AS_OF}"}}',
        aws_rules(tls("evil.example")), "host-not-in-catalog",
    )  # fmt: skip
    assert bool(said) is reported


def test_an_exemption_by_entry_spares_one_host_and_not_its_neighbours(tmp_path: Path) -> None:
    (said,) = asked(
        tmp_path, f'{{rule: shared-host, entry: chainctl-downloads, because: Reviewed, until: "{AS_OF}"}}',
        gcp_rule("storage.googleapis.com", "ghcr.io"), "shared-host",
    )  # fmt: skip
    assert "ghcr.io" in said
    assert "storage.googleapis.com" not in said


def test_an_exemption_that_has_ended_is_a_violation_beside_the_one_that_it_hid(tmp_path: Path) -> None:
    settings = SETTINGS + (
        'exempt: [{rule: host-not-in-catalog, host: evil.example, because: A trial, until: "2026-11-23"}]\n'
    )
    with running(write_pack(tmp_path / "pack", settings)) as pack:
        ((level, said),) = pack.resource(azure(application("evil.example"))).of("host-not-in-catalog")
        assert level == "mandatory"
        assert "(the exemption until 2026-11-23 has ended)" in said
        ((level, said),) = pack.stack([]).of("exemption-ended")
        assert level == "mandatory"
        assert "host-not-in-catalog for host evil.example: ended on 2026-11-23 (A trial)" in said


def test_an_exemption_of_a_host_does_not_cover_a_name_that_is_not_known(tmp_path: Path) -> None:
    from policies.resources import UNKNOWN

    said = asked(
        tmp_path, f'{{rule: host-not-in-catalog, host: evil.example, because: Reviewed, until: "{AS_OF}"}}',
        gcp_rule("evil.example", UNKNOWN), "host-not-in-catalog",
    )  # fmt: skip
    assert "cannot be judged" in said[0]
    assert "evil.example" not in said[0]


def test_exemptions_that_hold_are_no_violation_and_without_any_the_rule_does_not_apply(tmp_path: Path) -> None:
    for exempt, applies in (
        ("", False),
        ('exempt: [{rule: plain-http, host: a.b, because: x, until: "2027-01-01"}]\n', True),
    ):
        with running(write_pack(tmp_path / "pack", SETTINGS + exempt)) as pack:
            answer = pack.stack([])
            assert not answer.of("exemption-ended")
            assert ("exemption-ended" not in answer.not_applicable) is applies


def levels(pack: Pack) -> set[str]:
    return {level for level, _ in pack.resource(gcp_rule("evil.example")).of("host-not-in-catalog")}


def test_levels_are_those_of_the_settings_and_the_engine_can_change_them(tmp_path: Path) -> None:
    with running(write_pack(tmp_path / "pack", SETTINGS + "levels: {host-not-in-catalog: advisory}\n")) as pack:
        assert levels(pack) == {"advisory"}
        pack.configure({"host-not-in-catalog": "MANDATORY"})
        assert levels(pack) == {"mandatory"}
        pack.configure({"host-not-in-catalog": "DISABLED"})
        assert levels(pack) == set()


def test_a_pack_with_wrong_settings_ends_with_all_of_them_and_no_traceback(tmp_path: Path) -> None:
    process = start(write_pack(tmp_path / "pack", "catalogs: [nothing]\n"))
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "hostgate's policy pack cannot start: its settings have errors" in said
    assert "Traceback" not in said


def test_a_pack_in_an_environment_without_hostgate_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['hostgate'] = None\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    process = start(Path(__file__).resolve().parents[2] / "policy")
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "The policy pack needs hostgate with its extra `sandbox`" in said
    assert "Traceback" not in said


def test_a_pack_without_settings_says_which_file_it_wants(tmp_path: Path) -> None:
    folder = write_pack(tmp_path / "pack")
    (folder / "settings.yaml").unlink()
    said, _ = start(folder).communicate(timeout=60)
    assert "settings.yaml" in said
    assert "There is no such file" in said
