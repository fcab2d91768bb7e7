"""What names resolve to in a network with response policies, and what that means for a flow that has no address."""

from typing import Any

import pytest

from gcp.test_evaluate import DENY, EGRESS, NET, asked, resource, rule
from hostgate.flows.nodes import UNKNOWN
from hostgate.flows.snapshot import Resource

VIP = "199.36.153.8/30"
ALLOW = rule(2000, "allow", [{"ipProtocol": "tcp", "ports": ["443"]}], destIpRanges=[VIP])
STACK = (*EGRESS, ALLOW, *DENY)


def policy(*networks: Any) -> Resource:
    links = [{"networkUrl": each} for each in networks]
    return resource("dns/responsePolicy:ResponsePolicy", "rp", responsePolicyName="rp", networks=links)


def answer(name: Any, *addresses: Any, kind: str = "A", **more: Any) -> Resource:
    records = {"localDatas": [{"name": name, "type": kind, "rrdatas": list(addresses)}]}
    body = {"dnsName": name, "responsePolicy": "rp", "ruleName": str(name), "localData": records, **more}
    return resource("dns/responsePolicyRule:ResponsePolicyRule", str(name), **body)


HOST = answer("storage.googleapis.com.", "199.36.153.8")


def verdict(*resources: Resource, name: str = "storage.googleapis.com", **flow: Any) -> str:
    return asked(*STACK, *resources, name=name, **flow).action


def test_a_name_goes_to_the_address_that_the_networks_response_policy_answers() -> None:
    assert verdict(policy(NET), HOST) == "allow"
    assert verdict(policy(f"https://www.googleapis.com/compute/v1/{NET}"), HOST) == "allow"
    assert verdict(policy(NET), answer("storage.googleapis.com.", "203.0.113.1")) == "block"


def test_without_one_or_with_that_of_another_network_it_may_go_anywhere() -> None:
    for resources in ((), (policy("projects/p/global/networks/other"), HOST), (policy(), HOST)):
        assert verdict(*resources) == "unknown"


def test_a_flow_that_has_an_address_is_judged_by_that() -> None:
    assert verdict(policy(NET), HOST, address="203.0.113.1") == "block"


@pytest.mark.parametrize(
    "resources",
    [
        (policy(UNKNOWN), answer("storage.googleapis.com.", "203.0.113.1")),
        (answer("storage.googleapis.com.", "203.0.113.1"),),
        (policy(NET), answer("storage.googleapis.com.", UNKNOWN)),
        (policy(NET), answer("storage.googleapis.com.", "private.googleapis.com.", kind="CNAME")),
    ],
    ids=["its networks", "its policy", "its addresses", "an alias"],
)
def test_what_is_not_known_of_an_answer_leaves_the_verdict_unknown(resources: tuple[Resource, ...]) -> None:
    assert verdict(*resources) == "unknown"


def test_an_exact_name_goes_before_a_star_and_a_longer_star_before_a_shorter() -> None:
    stars = (answer("*.googleapis.com.", "203.0.113.1"), answer("*.run.googleapis.com.", "199.36.153.9"))
    assert verdict(policy(NET), HOST, *stars) == "allow"
    assert verdict(policy(NET), *stars, name="a.run.googleapis.com") == "allow"
    assert verdict(policy(NET), *stars, name="run.googleapis.com") == "block"
    exact = answer("a.run.googleapis.com.", "203.0.113.1")
    assert verdict(policy(NET), *stars, exact, name="a.run.googleapis.com") == "block"


def test_a_name_that_is_passed_over_goes_where_the_internet_says() -> None:
    star = answer("*.googleapis.com.", "199.36.153.8")
    passed = answer("storage.googleapis.com.", behavior="bypassResponsePolicy", localData=None)
    assert verdict(policy(NET), star) == "allow"
    assert verdict(policy(NET), star, passed) == "unknown"
