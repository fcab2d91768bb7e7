"""What a plan cannot see and its verdicts take for granted is said, by every target, and once."""

from typing import Any

import pytest

from conformance.catalogs import MADE, entry, selection
from hostgate.planning.plan import draft, plan

ARN = "arn:aws:network-firewall:eu-central-1:123456789012:firewall-policy/central"
ATTACHED: dict[str, dict[str, Any]] = {
    "aws:rules": {"attach": ARN},
    "aws:domain-list": {"attach": ARN},
    "gcp:fqdn": {"attach": "projects/p/global/firewallPolicies/egress"},
    "gcp:url-filter": {"attach": "projects/p/global/firewallPolicies/egress"},
    "gcp:web-proxy": {"attach": "projects/p/locations/europe-west4/gatewaySecurityPolicies/egress"},
    "azure:application-rules": {"attach": "rg/fp"},
}
NET = "projects/p/global/networks/main"


def assumed(target: str, **options: Any) -> list[str]:
    made = plan(selection([entry()]), target, options)
    told = made.as_json()["assumptions"]
    assert told == list(made.place.assumptions)
    assert len(told) == len(set(told))
    return list(told)


@pytest.mark.parametrize("target", MADE)
def test_every_target_says_what_lies_outside_a_plan(target: str) -> None:
    assert assumed(target)
    assert all(each.endswith(".") for each in assumed(target))
    assert not any("REGION:ACCOUNT" in each for each in assumed(target))  # its own groups are not outside


@pytest.mark.parametrize("target", ATTACHED)
def test_beside_a_policy_of_others_more_is_taken_for_granted(target: str) -> None:
    beside = set(assumed(target, **ATTACHED[target])) - set(assumed(target))
    assert any("before" in each or "first" in each for each in beside)


@pytest.mark.parametrize(
    ("target", "options", "said"),
    [
        ("aws:rules", {}, "routed to the firewall"),
        ("aws:dns-firewall", {}, "ask the VPC's resolver"),
        ("gcp:fqdn", {}, "no VPC firewall rule decides first"),
        ("gcp:fqdn", {}, "no outbound DNS server policy with an alternative name server"),
        ("gcp:fqdn", {"region": "europe-west4"}, "nor a global network policy"),
        ("gcp:fqdn", {"parent": "folders/1"}, "no policy above that node decides first"),
        ("gcp:fqdn", {"deny": "declared"}, "The declared deny comes after these rules"),
        ("gcp:url-filter", {"zones": ["europe-west1-b"], "networks": [NET]}, "Clients run in europe-west1-b alone"),
        ("gcp:url-filter", {"zones": ["europe-west1-b"], "networks": [NET], "mtu": 8_500}, "at most 8500"),
        ("gcp:web-proxy", {}, "No authorization policy stands on the gateway"),
        ("azure:application-rules", {}, "routes of both address families"),
    ],
)
def test_what_it_is(target: str, options: dict[str, Any], said: str) -> None:
    assert any(said in each for each in assumed(target, **options))


def test_names_that_are_not_looked_up_need_no_lookup() -> None:
    assert not any("DNS" in each for each in assumed("gcp:url-filter"))
    nothing = plan(selection([]), "gcp:fqdn").as_json()["assumptions"]
    assert not any("DNS" in each for each in nothing)


def test_a_refused_plan_has_none() -> None:
    assert draft(selection([entry(match="subtree")]), "gcp:fqdn").as_json()["assumptions"] == []
