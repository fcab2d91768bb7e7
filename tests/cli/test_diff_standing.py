"""`hostgate diff` and `hostgate comment` on what stands: states and previews, with rules of others beside the allowlists."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Run
from cli.test_reach_command import GROUP, HUB, POLICY, TO_HUB, URN, rule, state, states
from policies.process import R
from policies.resources import aws_policy, gcp_denies
from policies.test_reach_on_stacks import BESIDE, a_preview
from policies.test_what_stands_beside import APP, CASES, LIST, NAMES, NETWORK, PROXY

SOUND: dict[str, list[R]] = {
    "aws": [NAMES, aws_policy("rules")],
    "gcp": [LIST, *gcp_denies()],
    "azure": [APP],
    "proxy": list(PROXY),
}
"""A stack of each kind in which nothing but one name is open."""

OPENS = {
    **{
        case: resources
        for case, (resources, rule, _) in CASES.items()
        if rule in ("void-allow", "no-deny", "deny-elsewhere")
    },
    **{case: resources for case, (resources, _) in BESIDE.items()},
}
OPENS_NOTHING = {
    case: resources for case, (resources, rule, _) in CASES.items()
    if case.startswith(("B3", "B5", "B12", "proxy: a deny", "proxy: an authorization policy on another", "reject"))
}  # fmt: skip


def document(folder: Path, name: str, resources: Sequence[R]) -> Path:
    path = folder / name
    path.write_text(json.dumps(a_preview(resources)))
    return path


def sound(case: str, resources: Sequence[R]) -> list[R]:
    kind = "proxy" if case.startswith("proxy") else resources[0].type.partition(":")[0].removesuffix("-native")
    networks = [NETWORK] if any(each.name == NETWORK.name and each.type == NETWORK.type for each in resources) else []
    return [*SOUND[kind], *networks]


def compared(run: Run, folder: Path, case: str, resources: Sequence[R], *words: object) -> Any:
    base, head = document(folder, "base.json", sound(case, resources)), document(folder, "head.json", resources)
    return run("diff", base, head, "--json", *words)


@pytest.mark.parametrize("case", OPENS)
def test_what_comes_to_stand_beside_the_names_opens_or_is_not_known_and_counts(
    run: Run, tmp_path: Path, case: str
) -> None:
    found = compared(run, tmp_path, case, OPENS[case], "--max-opened", 0)
    assert (found.code, {each["guard"] for each in found.json["guards"]["tripped"]} >= {"max-opened"}) == (1, True)
    assert found.json["unchanged"] is False
    assert any(each["opened"] or each["unknown"] for each in found.json["places"])
    assert {"everything-open", "everything-perhaps", "opens-beside", "not-known"} & {
        each["id"] for each in found.json["risks"]
    }


@pytest.mark.parametrize("case", OPENS_NOTHING)
def test_what_opens_nothing_trips_no_guard(run: Run, tmp_path: Path, case: str) -> None:
    found = compared(run, tmp_path, case, OPENS_NOTHING[case], "--max-opened", 0)
    assert found.code == 0
    assert not any(each["opened"] for each in found.json["places"])


def test_a_set_behind_a_rule_that_stays_opens_what_it_holds_more(run: Run, tmp_path: Path) -> None:
    narrow, wide = (CASES[f"B2: an IP group that holds {what}"][0] for what in ("one range", "everything"))
    base, head = document(tmp_path, "base.json", narrow), document(tmp_path, "head.json", wide)
    found = run("diff", base, head, "--json")
    assert (found.code, [each["guard"] for each in found.json["guards"]["tripped"]]) == (1, ["never-open-all"])
    assert run("diff", head, base, "--max-opened", 0).code == 0


def network_rule(name: str = "relay", to: str = "198.51.100.0/24", port: str = "587", **more: Any) -> dict[str, Any]:
    return {
        "ruleType": "NetworkRule", "name": name, "sourceAddresses": ["10.20.0.0/16"], "destinationAddresses": [to],
        "destinationPorts": [port], "ipProtocols": ["TCP"], **more,
    }  # fmt: skip


ALLOWED = [HUB, *states(rule(("cgr.dev", "quay.io", "ghcr.io")))]


class TestStates:
    def test_a_rule_of_others_that_opens_little_is_told_with_a_witness_and_counts_as_one(
        self, run: Run, tmp_path: Path
    ) -> None:
        before = state(tmp_path, *ALLOWED, name="before.json")
        after = state(tmp_path, *ALLOWED, *states(network_rule(), group="team", priority=300), name="after.json")
        found = run("diff", before, after, "--json", "--max-opened", 1)
        (place,) = found.json["places"]
        (opened,) = place["opened"]
        assert (found.code, place["change"], place["label"]) == (0, "changed", "azure policy hub")
        assert (opened["flow"]["port"], opened["flow"]["address"], opened["flow"]["source"]) == (
            587,
            "198.51.100.7",
            "10.20.0.0",
        )
        assert (opened["before"]["verdict"], opened["after"]["verdict"]) == ("block", "allow")
        assert [(each["rule"], each["owner"]) for each in opened["opening"]] == [
            ("team/c/relay", URN.format(GROUP, "team"))
        ]
        assert run("diff", before, after, "--max-opened", 0).code == 1
        assert run("diff", after, before, "--max-opened", 0).code == 0
        assert run("diff", after, before, "--max-removed", 0).code == 1

    def test_a_rule_that_comes_before_the_names_closes_them_and_those_that_must_stay(
        self, run: Run, tmp_path: Path
    ) -> None:
        before = state(tmp_path, *ALLOWED, name="before.json")
        deny = states(network_rule("none", "*", "443", sourceAddresses=["*"]), group="team", priority=100)
        deny[0]["inputs"]["ruleCollections"][0]["action"] = {"type": "Deny"}
        after = state(tmp_path, *ALLOWED, *deny, name="after.json")
        found = run(
            "diff", before, after, "--max-removed", 2, "--never-remove", "quay.io", "--never-remove", "never.example"
        )
        assert found.code == 1
        assert "guard max-removed on azure policy hub: 3 would close, allowed 2." in found.out
        assert "guard never-remove on azure policy hub: quay.io must stay, and would close: https 443 to" in found.out
        assert "never.example is open on no target of BASE" in found.out
        assert "quay.io is open on no target" not in found.out
        assert "(one of 3 hosts)" in found.out.replace("\n", " ").replace("  ", " ") or "of 3 hosts" in found.out

    def test_what_is_not_known_any_more_counts_both_ways_and_is_told(self, run: Run, tmp_path: Path) -> None:
        before = state(tmp_path, *ALLOWED, name="before.json")
        tagged = states(network_rule("tag", "Storage", "443"), group="team", priority=300)
        after = state(tmp_path, *ALLOWED, *tagged, name="after.json")
        found = run("diff", before, after, "--json", "--max-opened", 0)
        (unknown,) = found.json["places"][0]["unknown"]
        assert (found.code, unknown["after"]["verdict"]) == (1, "unknown")
        assert "Storage" in str(unknown["after"]["what"])
        assert [each["id"] for each in found.json["risks"]] == ["not-known"]

    def test_what_was_not_known_and_stays_so_reports_nothing(self, run: Run, tmp_path: Path) -> None:
        tagged = states(network_rule("tag", "Storage", "443"), group="team", priority=300)
        renamed = states(network_rule("storage", "Storage", "443"), group="others", priority=310)
        before = state(tmp_path, *ALLOWED, *tagged, name="before.json")
        after = state(tmp_path, *ALLOWED, *renamed, name="after.json")
        found = run("diff", before, after, "--json", "--max-opened", 0, "--max-removed", 0)
        assert (found.code, found.json["unchanged"]) == (0, True)

    def test_a_place_of_another_urn_is_found_by_what_its_cloud_calls_it(self, run: Run, tmp_path: Path) -> None:
        again = [{**each, "urn": each["urn"].replace("::hub::", "::network::")} for each in ALLOWED]
        before, after = state(tmp_path, *ALLOWED, name="a.json"), state(tmp_path, *again, name="b.json")
        found = run("diff", before, after, "--json")
        assert (found.json["unchanged"], [each["change"] for each in found.json["places"]]) == (True, ["same"])

    def test_a_firewall_that_goes_opens_everything(self, run: Run, tmp_path: Path) -> None:
        before = state(tmp_path, *ALLOWED, name="before.json")
        other = {**HUB, "urn": URN.format(POLICY, "other"), "inputs": {**TO_HUB, "firewallPolicyName": "other"}}
        after = state(tmp_path, other, name="after.json")
        found = run("diff", before, after)
        assert found.code == 1
        assert "guard never-open-all on azure policy hub: Everything would open" in found.out
        assert "azure policy other, every flow asked of both sides  new: nothing judged there before" in found.out

    def test_many_hosts_are_one_line(self, run: Run, tmp_path: Path) -> None:
        hosts = tuple(f"h{number}.example" for number in range(300))
        before = state(tmp_path, HUB, *states(rule()), name="before.json")
        after = state(tmp_path, HUB, *states(rule(("cgr.dev", *hosts))), name="after.json")
        found = run("diff", before, after, "--max-opened", 299)
        assert "guard max-opened on azure policy hub: 300 would open, allowed 299." in found.out
        assert sum(line.startswith(" +") for line in found.out.splitlines()) == 1
        (place,) = run("diff", before, after, "--json").json["places"]
        assert {host for each in place["opened"] for cause in each["opening"] for host in cause["hosts"]} == set(hosts)

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ({"version": 3, "deployment": {"resources": []}}, "no resource in it"),
            ({"version": 9, "deployment": {"resources": []}}, "the version 9"),
            (
                {"version": 3, "deployment": {"resources": [{"urn": "urn:pulumi:a::b::c:d:E::f", "type": "c:d:E"}]}},
                "no component of hostgate is in it, and no other resource that judges what leaves",
            ),
        ],
    )
    def test_a_state_that_says_nothing_is_an_error(
        self, run: Run, tmp_path: Path, content: dict[str, Any], said: str
    ) -> None:
        (tmp_path / "s.json").write_text(json.dumps(content))
        found = run("diff", tmp_path / "s.json", state(tmp_path, *ALLOWED))
        assert (found.code, f"BASE ({tmp_path / 's.json'})" in found.err, said in found.err) == (1, True, True)

    def test_only_a_preview_knows_what_it_found_deployed(self, run: Run, tmp_path: Path) -> None:
        found = run("diff", f"deployed:{state(tmp_path, *ALLOWED)}", state(tmp_path, *ALLOWED))
        assert (found.code, "is no preview of the engine" in found.err) == (1, True)


def preview(
    folder: Path, *steps: tuple[str, dict[str, Any] | None, dict[str, Any] | None], name: str = "p.json", **more: Any
) -> Path:
    listed = [
        {"op": op, **({"oldState": old} if old else {}), **({"newState": new} if new else {})} for op, old, new in steps
    ]
    counts = {op: sum(op == each for each, _, _ in steps) for op, _, _ in steps}
    path = folder / name
    path.write_text(json.dumps({"steps": listed, "changeSummary": counts, **more}))
    return path


class TestPreviews:
    def test_a_state_is_compared_with_what_a_preview_would_leave(self, run: Run, tmp_path: Path) -> None:
        (wide,) = states(network_rule(to="*", port="*"), group="team", priority=300)
        made = preview(tmp_path, *(("same", each, each) for each in ALLOWED), ("create", None, wide))
        for base in (state(tmp_path, *ALLOWED), f"deployed:{made}"):
            found = run("diff", base, made)
            assert found.code == 1
            assert "guard never-open-all on azure policy hub: Everything would open" in found.out

    def test_of_a_first_preview_nothing_stood(self, run: Run, tmp_path: Path) -> None:
        made = preview(tmp_path, *(("create", None, each) for each in ALLOWED))
        found = run("diff", f"deployed:{made}", made, "--json")
        assert (found.code, [each["change"] for each in found.json["places"]]) == (0, ["new"])

    def test_a_preview_that_failed_may_lack_what_judges(self, run: Run, tmp_path: Path) -> None:
        failed = {"diagnostics": [{"severity": "error", "message": "no"}]}
        made = preview(tmp_path, *(("same", each, each) for each in ALLOWED), **failed)
        found = run("diff", f"deployed:{made}", made)
        assert (found.code, "a preview that failed" in found.err) == (1, True)

    def test_a_plan_of_which_nothing_stands_yet_is_asked_by_itself_and_that_is_said(
        self, run: Run, tmp_path: Path
    ) -> None:
        assert run("plan", "--catalog", "chainguard/images@2024-03-28", "--target", "azure:application-rules",
                   "--lock", tmp_path / "plan.json").code == 0  # fmt: skip
        found = run("diff", state(tmp_path, *ALLOWED), tmp_path / "plan.json", "--json")
        changes = {each["label"]: each["change"] for each in found.json["places"]}
        assert changes == {"azure policy hub": "same", "azure:application-rules": "new"}
        assert "azure:application-rules stands nowhere yet" in str(found.json["notes"])


class TestComments:
    def test_it_has_what_opens_by_other_rules_and_says_so_first(self, run: Run, tmp_path: Path) -> None:
        before = state(tmp_path, *ALLOWED, name="before.json")
        after = state(tmp_path, *ALLOWED, *states(network_rule(), group="team", priority=300), name="after.json")
        found = run("comment", before, after)
        assert found.code == 0
        assert "more opens by other rules on `azure policy hub`" in found.out
        assert "**Every flow asked of both sides**" in found.out
        assert "| opens | `https 587 to any other name, at 198.51.100.7, from 10.20.0.0`" in found.out

    def test_it_begins_with_what_is_gravest(self, run: Run, tmp_path: Path) -> None:
        deny = states(network_rule("none", "*", "443", sourceAddresses=["*"]), group="team", priority=100)
        deny[0]["inputs"]["ruleCollections"][0]["action"] = {"type": "Deny"}
        wide = states(network_rule("wide", "*", "*"), group="team", priority=300)
        before = state(tmp_path, *ALLOWED, name="before.json")
        for more, said in (
            (deny, "more closes than entries say on"),
            (wide, "everything opens on"),
            ([], "nothing changes"),
        ):
            after = state(tmp_path, *ALLOWED, *more, name="after.json")
            headline = run("comment", before, after).out.splitlines()[1]
            assert headline.startswith(f"### Egress of `hub/prod`: {said}")
            assert headline.count(" on ") == bool(more)

    def test_names_of_rules_and_hosts_stand_in_code_spans(self, run: Run, tmp_path: Path) -> None:
        bad = "a`b|c<img src=x>@team"
        before = state(tmp_path, *ALLOWED, name="before.json")
        after = state(tmp_path, *ALLOWED, *states(network_rule(bad), group="team", priority=300), name="after.json")
        for line in run("comment", before, after).out.splitlines():
            outside = "".join(part for at, part in enumerate(line.split("`")) if at % 2 == 0)
            assert "<img" not in outside
            assert "@team" not in outside

    def test_it_fits_however_many_rules_change(self, run: Run, tmp_path: Path) -> None:
        wide = [
            network_rule(f"{'r' * 60}{n}", f"198.51.{n % 100}.{n // 100 * 64}/30", str(1000 + n)) for n in range(600)
        ]
        before = state(tmp_path, *ALLOWED, name="before.json")
        after = state(tmp_path, *ALLOWED, *states(*wide, group="team", priority=300), name="after.json")
        found = run("comment", before, after)
        assert len(found.out.encode()) <= 65_536
        assert "more rows do not fit here" in found.out
