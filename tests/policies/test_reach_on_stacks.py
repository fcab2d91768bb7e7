"""Reach over the stacks that people have met: what stands beside the names is beyond, missing or unknown, and none in vain."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from hostgate.catalog.model import Entry
from hostgate.flows.engine_documents import of_preview
from hostgate.flows.reach import Reach, reach
from hostgate.planning.needs import needs_of
from hostgate.policies.places import places_of_stack
from policies.process import R
from policies.resources import aws_policy, aws_rules, gcp_denies, gcp_rule, tls
from policies.test_what_stands_beside import CASES, EDGE, LIST, ORGANISATION, guard, regional

CGR = Entry(catalog="vendor/images", id="registry", host="cgr.dev", match="exact", port=443, protocol="https")


def a_preview(resources: Sequence[R]) -> dict[str, Any]:
    """What `pulumi preview --json --show-sames` says of a stack that is made for the first time."""
    urns = {each.name: each.urn for each in resources}
    steps = []
    for each in resources:
        made_from = [urns[name] for name in each.made_from if name in urns]
        state = {"urn": each.urn, "type": each.type, "inputs": dict(each.properties), "dependencies": made_from,
                 "propertyDependencies": dict.fromkeys(each.properties, made_from)}  # fmt: skip
        steps.append({"op": "create", "urn": each.urn, "newState": state})
    return {"steps": steps, "changeSummary": {"create": len(steps)}}


def found(resources: Sequence[R]) -> list[Reach]:
    """What is reached at every place of a stack after a preview, held against one host."""
    snapshot = of_preview(json.loads(json.dumps(a_preview(resources))), "after.json")
    return [reach(place, needs_of([CGR])) for place in places_of_stack(snapshot)]


NARROW = {
    "B2: an IP group that holds one range": "hub/c/net",
    "a deny of one of two ports before the names": "rule",
    "proxy: a rule for another port": "ssh",
    "proxy: a firewall rule of another policy is not what the proxy allows": "out",
    "the same, with an MTU that it inspects": "",  # nothing associates the policy with the network that is there
}
"""What the pack's rules pass over, because it is little, and is in no catalog all the same, by the rule that lets it out."""

UNSURE = {"proxy: a rule whose priority is not known yet"}
"""What the pack's rules pass over, because some order is fine, and what is needed hangs on it all the same."""


@pytest.mark.parametrize("case", CASES)
def test_what_stands_beside_the_names_is_reached(case: str) -> None:
    resources, rule, said = CASES[case]
    points = found(resources)
    kinds = {kind for each in points for kind in ("beyond", "missing", "unknown", "dead") if getattr(each, kind)}
    if case in NARROW:
        assert {each.rule for point in points for each in point.beyond} == {NARROW[case]}
    elif case in UNSURE:
        assert kinds == {"unknown"}, points
    elif not rule:
        assert not kinds & {"beyond", "unknown"}, points
    elif rule == "dead-allow":
        assert kinds & {"missing", "dead"}, points
    else:
        assert kinds & ({"unknown"} if "cannot be judged" in said and "Then" not in said else {"beyond", "unknown"}), (
            points
        )


BESIDE: dict[str, tuple[list[R], str]] = {
    **{
        f"B8: {line}": ([guard(f"{line} (sid:2;)"), aws_policy("rules")], "rules#2")
        for line in (
            "pass ip any any -> any any", "pass ip6 any any -> any any", "pass tcp any any -> any any",
            "pass tcp $HOME_NET any -> any 8443", "pass tcp any any <> 198.51.100.0/24 any",
            "pass tcp any any -> [128.0.0.0/1,!203.0.113.0/24] [1:442,444:]",
        )
    },
    "B8: TLS to any name": (
        [guard("pass tls any any -> any any (flow:to_server, established; sid:2;)"), aws_policy("rules")], "rules#2"),
    "B8: names by a pattern": (
        [guard(r'pass tls any any -> any 443 (tls.sni; pcre:"/^evil[0-9]+\\.example$/i"; flow:to_server; sid:2;)'),
         aws_policy("rules")], "rules#2"),
    **{
        f"B8: {line}, before the drop of what is not TCP": (
            [aws_rules(f"{line} (sid:2;)", EDGE, tls("cgr.dev")), aws_policy("rules")], "rules#2"
        )
        for line in ("pass udp any any -> any 53", "pass icmp any any -> any any", "pass udp $HOME_NET any -> 198.51.100.0/24 443")
    },
    "B9: a goto_next of half of IPv4 and one port": (
        [LIST, gcp_rule(name="on", priority=2000, action="goto_next", ranges=["128.0.0.0/1"], ports=["8443"]), *gcp_denies()],
        "on"),
    "B9: denies for one service account": ([LIST, *gcp_denies(targetServiceAccounts=["a@p.iam.gserviceaccount.com"])], ""),
    "B9: denies of TCP alone": ([LIST, *gcp_denies(match={"layer4Configs": [{"ipProtocol": "tcp"}]})], ""),
    "B10: an allow of one port in a hierarchical policy": (
        [LIST, *gcp_denies(), R("gcp:compute/network:Network", "main", {"name": "main"}),
         regional(gcp_rule(name="up", policy="org", ranges=["198.51.100.0/24"], ports=["22"]), ORGANISATION)], "up"),
    "B11: half of the internet in a policy elsewhere": (
        [LIST, *gcp_denies(), gcp_rule(name="forged", policy="theirs", ranges=["128.0.0.0/1"])], "forged"),
    "B11: by name": ([LIST, *gcp_denies(), gcp_rule("evil.example", name="forged", policy="theirs")], "forged"),
}  # fmt: skip
"""Others of the same kinds, with the rule that lets something out; empty: no rule does, by default."""


@pytest.mark.parametrize("case", BESIDE)
def test_others_of_their_kinds_are_beyond_with_the_rule_that_lets_them_out(case: str) -> None:
    resources, rule = BESIDE[case]
    assert rule in {each.rule for point in found(resources) for each in point.beyond}, found(resources)


def test_a_second_list_behind_a_deny_is_dead_and_missing_whatever_its_form() -> None:
    for late in (
        gcp_rule("apk.cgr.dev", name="late", priority=9500),
        gcp_rule("apk.cgr.dev", name="late", priority=9600),
    ):
        assert "late" in {each.rule for point in found([LIST, *gcp_denies(), late]) for each in point.dead}
