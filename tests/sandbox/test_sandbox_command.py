"""`hostgate sandbox` and `explain --sandbox`, without an engine: what the clouds hold is put there by their own API."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from provider_calls import AWS_GROUP, AWS_POLICY, GCP_POLICY, GCP_RULE, gcp_rule, group, policy

from hostgate.aws.resources_ec2 import ACL_ENTRY, PREFIX_LIST
from hostgate.cli.main import main
from hostgate.sandbox.faults import Fault, delay_of, pending
from hostgate.sandbox.service import Service
from hostgate.sandbox.state import State, StoredObject, state_of

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run `hostgate` with arguments, in a project of its own: exit code, what it said, what it complained about."""
    project = tmp_path / "repo"
    project.mkdir()
    (project / "Pulumi.yaml").write_text("name: demo\nruntime: python\n")
    monkeypatch.chdir(project)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state-home"))

    def hostgate(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["hostgate", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        return int(ended.value.code or 0), said.out, said.err

    return hostgate


@pytest.fixture
def state(tmp_path: Path) -> State:
    return state_of(tmp_path / "sandbox")


@pytest.fixture
def place(tmp_path: Path) -> tuple[str, Path]:
    return "--state", tmp_path / "sandbox"


@pytest.fixture
def filled(state: State) -> Service:
    """An AWS policy that passes cgr.dev, and a policy of Google Cloud that nothing is associated with."""
    service = Service(state)
    arn = service.create(AWS_GROUP, group("cgr.dev", name="hosts-1a2b3c4")).id
    home = [{"key": "HOME_NET", "ipSet": {"definitions": ["10.0.0.0/8"]}}]
    body = policy(arn)["firewallPolicy"] | {"policyVariables": {"ruleVariables": home}}
    service.create(AWS_POLICY, {"name": "fp", "firewallPolicy": body})
    service.create(GCP_POLICY, {"name": "egress"})
    service.create(GCP_RULE, gcp_rule("egress", ruleName="allow"))
    return service


@pytest.mark.usefixtures("filled")
def test_show_prints_what_the_clouds_hold(run: Run, place: Any) -> None:
    code, out, _ = run("sandbox", "show", *place)
    assert code == 0
    for words in (
        "RuleGroup",
        "hosts-1a2b3c4",
        "capacity 100, 1 rules",
        "1 rule groups",
        "priority 1000, action allow",
    ):
        assert words in out


def test_entries_of_one_acl_are_told_apart_and_reached_by_their_ids(run: Run, place: Any, state: State) -> None:
    service = Service(state)
    entry = {"networkAclId": "acl-0a1", "ruleAction": "allow", "protocol": "6", "fromPort": 443, "toPort": 443}
    out = service.create(ACL_ENTRY, {**entry, "ruleNumber": 7, "egress": True, "cidrBlock": "203.0.113.7/32"})
    back = service.create(ACL_ENTRY, {**entry, "ruleNumber": 8, "egress": False, "ipv6CidrBlock": "2001:db8::7/128"})
    listed = [{"cidr": "203.0.113.7/32"}]
    service.create(PREFIX_LIST, {"name": "hosts", "maxEntries": 9, "addressFamily": "IPv4", "entries": listed})
    shown = run("sandbox", "show", *place)[1]
    told = [
        "ruleNumber 7, ruleAction allow, 203.0.113.7/32, egress, ports 443 to 443",
        "ruleNumber 8, ruleAction allow, 2001:db8::7/128, ingress, ports 443 to 443",
    ]
    assert all(each in shown for each in [*told, "1 entries of 9"])
    code, _, said = run("sandbox", "remove", "acl-0a1", *place)
    assert code == 1
    assert all(f"{each.id} (NetworkAclRule, {words})" in said for each, words in zip((out, back), told, strict=True))
    assert run("sandbox", "remove", out.id, *place)[0] == 0
    assert [each.id for each in state.objects(ACL_ENTRY)] == [back.id]


@pytest.mark.usefixtures("filled")
def test_show_as_json_has_every_object_whole(run: Run, place: Any) -> None:
    objects = json.loads(run("sandbox", "show", "--json", *place)[1])["objects"]
    assert [each["type"] for each in objects] == [AWS_GROUP, AWS_POLICY, GCP_POLICY, GCP_RULE]
    assert objects[0]["computed"]["arn"] == objects[0]["id"]


@pytest.mark.usefixtures("filled")
def test_the_journal_has_every_call(run: Run, place: Any) -> None:
    assert run("sandbox", "show", "--journal", *place)[1].count("create") == 4
    calls = json.loads(run("sandbox", "show", "--journal", "--json", *place)[1])["calls"]
    assert [(call["operation"], call["before"]) for call in calls] == [("create", None)] * 4


def test_empty_clouds_say_how_to_fill_them(run: Run) -> None:
    code, out, _ = run("sandbox", "show")
    assert (code, "hostgate sandbox run -- pulumi up" in out) == (0, True)


def test_explain_answers_from_what_is_deployed(run: Run, place: Any, filled: Service) -> None:
    def answers(host: str) -> dict[str, str]:
        found = json.loads(run("explain", host, "--sandbox", "--json", *place)[1])["targets"]
        return {each["target"]: each["verdict"] for each in found}

    assert answers("cgr.dev") == {"aws policy fp": "allow", "gcp policy egress": "allow"}
    assert answers("new.example")["aws policy fp"] == "block"
    held = filled.state.objects(AWS_GROUP)[0]
    filled.update(AWS_GROUP, held.id, group("new.example", name=held.name))
    assert answers("new.example")["aws policy fp"] == "allow"


@pytest.mark.usefixtures("filled")
def test_explain_says_that_a_policy_applies_to_nobody(run: Run, place: Any) -> None:
    assert "no network is associated with the policy" in " ".join(
        run("explain", "cgr.dev", "--sandbox", *place)[1].split()
    )


def test_explain_says_which_rules_it_cannot_judge(run: Run, place: Any, filled: Service) -> None:
    held = filled.state.objects(AWS_GROUP)[0]
    source = {"rulesSource": {"rulesString": "pass tls something else"}}
    filled.update(AWS_GROUP, held.id, {**group(name=held.name), "ruleGroup": source})
    answers = json.loads(run("explain", "cgr.dev", "--sandbox", "--json", *place)[1])["targets"]
    assert answers[0]["verdict"] == "unknown"
    assert "cannot be read" in answers[0]["why"]


def test_explain_of_an_empty_sandbox_is_an_error(run: Run) -> None:
    code, _, err = run("explain", "cgr.dev", "--sandbox")
    assert (code, "hold no policy" in err) == (1, True)


def test_explain_asks_the_sandbox_or_a_plan_not_both(run: Run) -> None:
    assert run("explain", "cgr.dev", "--sandbox", "--stack", "dev")[0] == 2


def test_fail_slow_and_reset_are_kept_in_the_state(run: Run, place: Any, state: State) -> None:
    assert run("sandbox", "fail", "RuleGroup", "--on", "update", "--times", 2, "--after", 1, "--crash", *place)[0] == 0
    assert run("sandbox", "fail", "Firewall", "--on", "delete", *place)[0] == 0
    assert [(fault.about, fault.operation, fault.passing, fault.times, fault.crash) for fault in pending(state)] == [
        ("RuleGroup", "update", 1, 2, "after"),
        ("Firewall", "delete", 0, 1, ""),
    ]
    assert run("sandbox", "slow", "RuleGroup", 2.5, *place)[0] == 0
    with state.transaction() as now:
        assert delay_of(now, StoredObject(AWS_GROUP, "arn", "g", {}, {})) == 2.5
    assert run("sandbox", "reset", "--yes", *place)[0] == 0
    assert not state.path.exists()


def test_a_failure_that_is_told_is_shown(run: Run, place: Any, filled: Service) -> None:
    run("sandbox", "fail", "RuleGroup", "--on", "update", "--crash", "before", *place)
    assert "to fail: update of RuleGroup, next, 1 times: crash before the write" in run("sandbox", "show", *place)[1]
    assert pending(filled.state) == [Fault("RuleGroup", "update", 0, 1, "before", 1)]


def test_no_call_at_all_cannot_fail(run: Run, place: Any) -> None:
    assert run("sandbox", "fail", "RuleGroup", "--on", "update", "--times", 0, *place)[0] == 2


@pytest.mark.parametrize("name", ["hosts-1a2b3c4", "hosts"])
def test_an_object_is_changed_by_hand_at_a_path(run: Run, place: Any, filled: Service, name: str) -> None:
    text = "ruleGroup.rulesSource.rulesString"
    assert run("sandbox", "change", name, text, "pass ip any any -> any any (sid:1;)", *place)[0] == 0
    assert filled.state.objects(AWS_GROUP)[0].inputs["ruleGroup"]["rulesSource"]["rulesString"].startswith("pass ip")


def test_json_and_list_items_are_changed_too(run: Run, place: Any, filled: Service) -> None:
    assert run("sandbox", "change", "allow", "match.destFqdns.0", "evil.example", *place)[0] == 0
    assert run("sandbox", "change", "allow", "disabled", "true", *place)[0] == 0
    assert run("sandbox", "change", "allow", "description", *place)[0] == 0
    inputs = filled.state.objects(GCP_RULE)[0].inputs
    assert (inputs["match"]["destFqdns"], inputs["disabled"], "description" in inputs) == (
        ["evil.example"],
        True,
        False,
    )


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("nothing", "priority", "1"), 1, "There is no object 'nothing'"),
        (("*", "priority", "1"), 1, "4 objects are meant"),
        (("allow", "match.destFqdns.9", "a"), 2, "no index"),
        (("allow", "mtach.destFqdns", "[]"), 2, "there is no 'mtach'"),
        (("allow", "priority", "1"), 1, "priority cannot change"),
    ],
)
@pytest.mark.usefixtures("filled")
def test_a_change_by_hand_that_cannot_be_is_told(
    run: Run, place: Any, words: tuple[str, ...], code: int, said: str
) -> None:
    ended, _, err = run("sandbox", "change", *words, *place)
    assert (ended, said in " ".join(err.replace("│", " ").split())) == (code, True)


def test_an_object_is_removed_by_hand_unless_it_is_in_use(run: Run, place: Any, filled: Service) -> None:
    assert run("sandbox", "remove", "allow", *place)[0] == 0
    assert filled.state.objects(GCP_RULE) == []
    code, _, err = run("sandbox", "remove", "hosts", *place)
    assert (code, "fp uses it" in err) == (1, True)


def test_only_a_sandbox_is_reset(run: Run, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    code, _, err = run("sandbox", "reset", "--yes", "--state", tmp_path / "precious")
    assert (code, "is no sandbox" in err) == (1, True)
    assert run("sandbox", "reset", "--yes", "--state", tmp_path / "absent")[0] == 0


def test_run_takes_pulumi_commands_only(run: Run) -> None:
    assert run("sandbox", "run", "--", "ls")[0] == 2
    assert run("sandbox", "run", "--", "pulumi")[0] == 2


def test_run_without_the_cli_says_so(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    code, _, err = run("sandbox", "run", "--", "pulumi", "up")
    assert (code, "not on PATH" in err) == (1, True)
