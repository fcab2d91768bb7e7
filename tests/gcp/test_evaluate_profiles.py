"""What security profile groups do, over everything that stands: filters by priority, what cannot be read, zones."""

from dataclasses import replace
from typing import Any

import pytest

from gcp.test_evaluate import DENY, EGRESS, NET, asked, resource, rule
from hostgate.flows.flow import Flow
from hostgate.flows.nodes import UNKNOWN
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.verdicts import decide
from hostgate.gcp.evaluate import places
from hostgate.review.compared_places import compared_standing

PLACE = "projects/p/locations/global"
WEB = [{"ipProtocol": "tcp", "ports": ["443"]}]
ADDRESS = "34.1.0.1"


def filters(*listed: tuple[str, Any, Any]) -> list[dict[str, Any]]:
    return [{"filteringAction": action, "priority": priority, "urls": urls} for action, priority, urls in listed]


def profile(*listed: tuple[str, Any, Any], **more: Any) -> Resource:
    held = {"urlFilters": filters(*listed)} if listed else None
    inputs = {"name": "urls", "parent": "projects/p", "urlFilteringProfile": held, **more}
    return resource(
        "networksecurity/securityProfile:SecurityProfile", "urls", f"{PLACE}/securityProfiles/urls", **inputs
    )


def group(**more: Any) -> Resource:
    inputs = {"urlFilteringProfile": f"{PLACE}/securityProfiles/urls", **more}
    link = f"{PLACE}/securityProfileGroups/g"
    return resource("networksecurity/securityProfileGroup:SecurityProfileGroup", "g", link, name="g", **inputs)


def inspect(layer4: Any = WEB, **more: Any) -> Resource:
    reference = f"//networksecurity.googleapis.com/{PLACE}/securityProfileGroups/g"
    inputs = {"securityProfileGroup": reference, **more}
    return rule(100, "apply_security_profile_group", layer4, more=inputs, destIpRanges=["0.0.0.0/0"])


def endpoint(network: str = NET, zone: str = "europe-west1-b", **more: Any) -> Resource:
    token = "networksecurity/firewallEndpointAssociation:FirewallEndpointAssociation"
    return resource(token, f"at-{zone}", network=network, location=zone, **more)


ONE = profile(("DENY", 0, ["nobody.invalid"]), ("ALLOW", 10, ["cgr.dev", "*.vendor.example", "*apex.example"]))
CLOSED = (*EGRESS, inspect(), *DENY, group(), endpoint())


def verdict(*stack: Resource, name: str = "evil.example", **flow: Any) -> str:
    return asked(*stack, name=name, address=ADDRESS, **flow).action


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("cgr.dev", "allow"),
        ("CGR.dev", "allow"),
        ("sub.cgr.dev", "block"),
        ("vendor.example", "block"),
        ("a.b.vendor.example", "allow"),
        ("apex.example", "allow"),
        ("a.apex.example", "allow"),
        ("newapex.example", "block"),
        ("evil.example", "block"),
    ],
)
def test_a_matcher_string_is_label_bounded(name: str, action: str) -> None:
    assert verdict(*CLOSED, ONE, name=name) == action
    assert verdict(*CLOSED, ONE, name=name, protocol="http") == action


@pytest.mark.parametrize(
    ("listed", "action"),
    [
        ([("DENY", 5, ["cgr.dev"]), ("ALLOW", 6, ["*"])], "block"),
        ([("DENY", 6, ["cgr.dev"]), ("ALLOW", 5, ["*"])], "allow"),
        ([("ALLOW", 6, ["cgr.dev"]), ("DENY", 5, ["*.dev"])], "block"),
        ([("ALLOW", 6, ["*.dev"])], "allow"),
        ([("ALLOW", 6, ["*.com"])], "block"),
    ],
)
def test_the_lower_priority_decides_and_what_no_filter_allows_is_denied(listed: Any, action: str) -> None:
    assert verdict(*CLOSED, profile(*listed), name="cgr.dev") == action


@pytest.mark.parametrize(("first", "action"), [("DENY", "block"), ("ALLOW", "allow")])
def test_what_carries_no_name_is_decided_by_the_first_filter_whatever_it_is_about(first: str, action: str) -> None:
    stack = (*CLOSED, profile((first, 0, ["x.invalid"]), ("ALLOW", 10, ["cgr.dev"])))
    assert verdict(*stack, name="cgr.dev", sni=None) == action
    assert verdict(*stack, name="cgr.dev", protocol="tcp") == action


@pytest.mark.parametrize(
    ("listed", "action"), [([("ALLOW", 1, ["cgr.dev"])], "unknown"), ([("DENY", 1, ["x.dev"])], "block")]
)
def test_quic_may_pass_where_an_explicit_filter_allows(listed: Any, action: str) -> None:
    quic = inspect([{"ipProtocol": "udp", "ports": ["443"]}])
    assert verdict(*EGRESS, quic, *DENY, group(), endpoint(), profile(*listed), protocol="quic") == action


@pytest.mark.parametrize(
    "stack",
    [
        (*EGRESS, inspect(), *DENY, endpoint(), ONE),  # the group is elsewhere
        (*EGRESS, inspect(), *DENY, endpoint(), group()),  # the profile is
        (*EGRESS, inspect(tlsInspect=True), *DENY, endpoint(), group(), ONE),
        (*EGRESS, inspect(tlsInspect=UNKNOWN), *DENY, endpoint(), group(), ONE),
        (*EGRESS, inspect(securityProfileGroup=UNKNOWN), *DENY, endpoint(), group(), ONE),
        (*CLOSED, profile(("ALLOW", UNKNOWN, ["cgr.dev"]))),
        (*CLOSED, profile((UNKNOWN, 1, ["cgr.dev"]))),  # type: ignore[arg-type]
        (*CLOSED, profile(("ALLOW", 1, UNKNOWN))),
        (*CLOSED, profile(("ALLOW", 1, [UNKNOWN]))),
        (*CLOSED, profile(("ALLOW", 1, ["*.e*l.example"]))),
        (*CLOSED, profile(urlFilteringProfile=UNKNOWN)),
    ],
)
def test_what_cannot_be_read_leaves_the_verdict_unknown(stack: tuple[Resource, ...]) -> None:
    assert verdict(*stack, name="x.evil.example") == "unknown"


def test_what_else_a_group_holds_may_stop_more_and_never_opens() -> None:
    stack = (*EGRESS, inspect(), *DENY, endpoint(), ONE)
    for key in ("threatPreventionProfile", "customInterceptProfile"):
        more = group(**{key: f"{PLACE}/securityProfiles/more"})
        assert verdict(*stack, more, name="cgr.dev") == "unknown"
        assert verdict(*stack, more) == "block"


def test_a_group_without_url_filters_lets_every_name_pass() -> None:
    for nothing in (None, ""):
        assert verdict(*EGRESS, inspect(), *DENY, endpoint(), group(urlFilteringProfile=nothing)) == "allow"


def test_a_reference_that_the_provider_has_as_empty_text_is_none() -> None:
    assert verdict(*CLOSED[:-2], group(threatPreventionProfile=""), endpoint(), ONE, name="cgr.dev") == "allow"


def test_a_profile_without_filters_denies_every_name() -> None:
    assert verdict(*CLOSED, profile()) == "block"


class TestZones:
    def test_a_network_without_an_endpoint_is_not_said_to_be_closed(self) -> None:
        bare = (*EGRESS, inspect(), *DENY, group(), ONE)
        assert verdict(*bare) == "unknown"
        assert verdict(*bare, name="cgr.dev") == "allow"
        for none in (endpoint(f"{NET}-other"), endpoint(disabled=True), endpoint(disabled=UNKNOWN)):
            assert verdict(*bare, none) == "unknown"
        assert verdict(*bare, endpoint()) == "block"

    def test_that_clients_run_where_endpoints_are_is_an_assumption_of_the_network(self) -> None:
        (place,) = places(Snapshot((*CLOSED, ONE, endpoint(zone="europe-west1-c")), "a stack"))
        assert any("europe-west1-b, europe-west1-c alone" in each for each in place.assumptions)

    @pytest.mark.parametrize(
        ("zone", "interface", "action"),
        [
            ("us-east1-b", {"network": NET}, "unknown"),
            ("https://www.googleapis.com/compute/v1/projects/p/zones/us-east1-b", {"network": NET}, "unknown"),
            ("us-east1-b", {"subnetwork": "projects/p/regions/us-east1/subnetworks/east"}, "unknown"),
            ("europe-west1-b", {"network": NET}, "block"),
            ("us-east1-b", {"network": f"{NET}-other"}, "block"),
        ],
    )
    def test_an_instance_of_the_network_in_a_zone_without_one_is_a_client_that_is_not_inspected(
        self, zone: str, interface: dict[str, Any], action: str
    ) -> None:
        east = resource("compute/subnetwork:Subnetwork", "east", name="east", network=NET)
        vm = resource("compute/instance:Instance", "vm", zone=zone, networkInterfaces=[interface])
        found = asked(*CLOSED, ONE, east, vm, address=ADDRESS)
        assert (found.action, "as vm is" in found.why) == (action, action == "unknown")
        assert verdict(*CLOSED, ONE, east, vm, name="cgr.dev") == "allow"

    def test_what_the_policy_passes_on_before_is_not_inspected(self) -> None:
        passes = rule(50, "goto_next", destIpRanges=["10.0.0.0/8"])
        assert asked(*CLOSED, passes, ONE, address="10.1.2.3").action == "allow"
        assert asked(*CLOSED, ONE, address="10.1.2.3").action == "block"


def network(**more: Any) -> Resource:
    return resource("compute/network:Network", "main", NET, name="main", project="p", **more)


def made_endpoint(zone: str = "europe-west1-b", **more: Any) -> Resource:
    token = "networksecurity/firewallEndpoint:FirewallEndpoint"
    link = f"projects/p/locations/{zone}/firewallEndpoints/e"
    return resource(token, f"e-{zone}", link, name="e", location=zone, parent="projects/p", **more)


def bound(zone: str = "europe-west1-b") -> Resource:
    return endpoint(zone=zone, firewallEndpoint=f"projects/p/locations/{zone}/firewallEndpoints/e")


JUMBO: dict[str, Any] = {"endpointSettings": {"jumboFramesEnabled": True}}


POLICY = tuple(each for each in EGRESS if "compute/network:" not in each.type)
"""And its association with a network that is elsewhere."""


class TestMtu:
    """What an endpoint does not inspect passes: no verdict of block rests on packets that may be too large for it."""

    @pytest.mark.parametrize(
        ("mtu", "settings", "action"),
        [
            ({}, {}, "block"),  # 1460, the default
            ({"mtu": 0}, {}, "block"),
            ({"mtu": 1_460}, {}, "block"),
            ({"mtu": 1_461}, {}, "unknown"),
            ({"mtu": 1_500.0}, {}, "unknown"),
            ({"mtu": 8_896}, {}, "unknown"),
            ({"mtu": 8_500}, JUMBO, "block"),
            ({"mtu": 8_501}, JUMBO, "unknown"),
            ({"mtu": 8_500}, {"endpointSettings": {"jumboFramesEnabled": False}}, "unknown"),
            ({"mtu": 8_500}, {"endpointSettings": UNKNOWN}, "unknown"),
            ({"mtu": 1_400}, {"endpointSettings": UNKNOWN}, "block"),
            ({"mtu": UNKNOWN}, {}, "block"),  # of a first preview, from nothing: left out
        ],
        ids=str,
    )
    def test_the_networks_is_compared_with_what_its_endpoint_inspects(
        self, mtu: dict[str, Any], settings: dict[str, Any], action: str
    ) -> None:
        stack = (*POLICY, inspect(), *DENY, group(), ONE, network(**mtu), made_endpoint(**settings), bound())
        assert verdict(*stack) == action
        assert verdict(*stack, name="cgr.dev") == "allow"
        assert verdict(*stack, port=8443) == "block"  # which no rule inspects

    @pytest.mark.parametrize(
        "made_from", [{"property_dependencies": {"mtu": frozenset({"x"})}}, {"dependencies": frozenset({"x"})}]
    )
    @pytest.mark.parametrize("settings", [{}, JUMBO])
    def test_an_mtu_that_comes_from_something_is_not_known_before_that_is(
        self, made_from: dict[str, Any], settings: dict[str, Any]
    ) -> None:
        unseen = replace(network(mtu=UNKNOWN), **made_from)
        assert verdict(*POLICY, inspect(), *DENY, group(), ONE, unseen, made_endpoint(**settings), bound()) == "unknown"

    def test_the_verdict_says_by_how_much_and_of_which_endpoint(self) -> None:
        stack = (*POLICY, inspect(), *DENY, group(), ONE, network(mtu=8_896), made_endpoint(), bound())
        (lack,) = asked(*stack, name="evil.example", address=ADDRESS).lacks
        assert "its MTU of 8896 is above the 1460 bytes of the endpoint of europe-west1-b" in lack

    def test_one_endpoint_of_several_that_is_too_small_is_enough(self) -> None:
        c = "europe-west1-c"
        zones = (made_endpoint(**JUMBO), bound(), made_endpoint(c), bound(c))
        assert verdict(*POLICY, inspect(), *DENY, group(), ONE, network(mtu=8_500), *zones) == "unknown"
        zones = (made_endpoint(**JUMBO), bound(), made_endpoint(c, **JUMBO), bound(c))
        assert verdict(*POLICY, inspect(), *DENY, group(), ONE, network(mtu=8_500), *zones) == "block"

    def test_an_endpoint_that_is_elsewhere_may_have_no_jumbo_frames(self) -> None:
        stack = (*POLICY, inspect(), *DENY, group(), ONE, bound())
        assert verdict(*stack, network(mtu=8_500)) == "unknown"
        assert verdict(*stack, network(mtu=8_800)) == "unknown"
        assert verdict(*stack, network(mtu=1_400)) == "block"

    def test_an_endpoint_is_found_by_what_its_association_was_made_from(self) -> None:
        there = made_endpoint(**JUMBO)
        loose = replace(
            endpoint(firewallEndpoint=UNKNOWN), property_dependencies={"firewallEndpoint": frozenset({there.urn})}
        )
        assert verdict(*POLICY, inspect(), *DENY, group(), ONE, network(mtu=8_500), there, loose) == "block"

    @pytest.mark.parametrize(("settings", "most"), [({}, 1_460), (JUMBO, 8_500)], ids=str)
    def test_that_of_a_network_which_is_elsewhere_is_an_assumption(self, settings: dict[str, Any], most: int) -> None:
        stack = (*POLICY, inspect(), *DENY, group(), ONE, made_endpoint(**settings), bound())
        assert verdict(*stack) == "block"
        for there, assumed in (((), True), ((network(),), False)):
            (place,) = places(Snapshot((*stack, *there), "a stack"))
            assert any(f"MTU of the network is at most {most}," in each for each in place.assumptions) == assumed

    def test_another_network_has_its_own(self) -> None:
        other = replace(network(mtu=8_896), urn="other", id=f"{NET}-other")
        stack = (*POLICY, inspect(), *DENY, group(), ONE, network(), other, made_endpoint(), bound())
        place = next(each for each in places(Snapshot(stack, "a stack")) if each.name == NET)
        assert decide(place, Flow("evil.example", address=ADDRESS)).action == "block"


def test_in_a_preview_group_and_profile_are_found_by_what_they_will_be_called() -> None:
    unmade = [replace(each, id="") for each in (group(parent="projects/p", location="global"), ONE)]
    (place,) = places(Snapshot((*EGRESS, inspect(), *DENY, endpoint(), *unmade), "a preview"))
    assert decide(place, Flow("cgr.dev", address=ADDRESS)).action == "allow"
    assert decide(place, Flow("evil.example", address=ADDRESS)).action == "block"


def test_while_a_name_is_not_known_they_are_found_by_what_they_were_made_from() -> None:
    loose_group = replace(
        group(urlFilteringProfile=UNKNOWN), property_dependencies={"urlFilteringProfile": frozenset({ONE.urn})}
    )
    loose_rule = replace(
        inspect(securityProfileGroup=UNKNOWN),
        property_dependencies={"securityProfileGroup": frozenset({loose_group.urn})},
    )
    assert verdict(*EGRESS, loose_rule, *DENY, endpoint(), loose_group, ONE) == "block"


def test_a_rule_that_stands_in_its_policy_or_above_is_read_alike() -> None:
    body = {
        "action": "apply_security_profile_group", "direction": "EGRESS", "priority": 1,
        "securityProfileGroup": f"//networksecurity.googleapis.com/{PLACE}/securityProfileGroups/g",
        "match": {"layer4Configs": WEB, "destIpRanges": ["0.0.0.0/0"]},
    }  # fmt: skip
    link = "locations/global/firewallPolicies/11"
    above = (
        resource("compute/firewallPolicyWithRules:FirewallPolicyWithRules", "above", link, parent="organizations/1",
                 shortName="above", rules=[body]),
        resource("compute/firewallPolicyAssociation:FirewallPolicyAssociation", "b",
                 attachmentTarget="organizations/1", firewallPolicy=link),
    )  # fmt: skip
    assert verdict(*EGRESS[:1], *above, group(), endpoint(), ONE) == "block"
    assert verdict(*EGRESS[:1], *above, group(), endpoint(), ONE, name="cgr.dev") == "allow"


def test_whether_a_rule_is_for_a_client_is_one_question_for_all_its_filters() -> None:
    some = inspect(targetServiceAccounts=["builds@p.iam.gserviceaccount.com"])
    stack = (*EGRESS, some, group(), endpoint(), ONE)
    assert verdict(*stack, name="cgr.dev", source="10.0.0.5") == "allow"  # by a filter, or because nothing denies
    assert verdict(*stack, source="10.0.0.5") == "unknown"
    assert verdict(*stack, source="account:builds@p.iam.gserviceaccount.com") == "block"
    assert verdict(*stack, source="account:other@p.iam.gserviceaccount.com") == "allow"


def test_a_rule_that_no_longer_asks_whose_address_it_is_opens_to_what_says_a_listed_name() -> None:
    """The profile goes on to read the name in the packets; the rule no longer looks up where the name leads."""
    reference = f"//networksecurity.googleapis.com/{PLACE}/securityProfileGroups/g"
    looked_up = rule(
        100, "apply_security_profile_group", WEB, more={"securityProfileGroup": reference}, destFqdns=["cgr.dev"]
    )
    listed = profile(("DENY", 0, ["nobody.invalid"]), ("ALLOW", 10, ["cgr.dev"]))
    before, after = (
        places(Snapshot((*EGRESS, each, *DENY, group(), endpoint(), listed), "x")) for each in (looked_up, inspect())
    )
    (place,) = compared_standing(before, after, ([], []))
    (change,) = place.opened_by_others
    assert change.flow.wire_name == "cgr.dev" != change.flow.name
    assert "to any other name that says cgr.dev" in place.words(change)
    assert (place.opens, place.everything) == (1, None)
