"""Google Cloud's evaluation over everything that stands: small stacks that came out wrong, each for its kind."""

from dataclasses import replace
from typing import Any

import pytest

from hostgate.flows.address_sets import networks
from hostgate.flows.flow import Flow, Verdict
from hostgate.flows.intervals import Intervals
from hostgate.flows.name_classes import Need
from hostgate.flows.nodes import UNKNOWN
from hostgate.flows.reach import reach
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.steps import Box
from hostgate.flows.verdicts import decide
from hostgate.gcp.evaluate import places
from hostgate.review.compared_places import compared_standing

NET = "projects/p/global/networks/net"
POLICY = "projects/p/global/firewallPolicies/egress"
ALL = [{"ipProtocol": "all"}]
WEB = [{"ipProtocol": "tcp", "ports": ["443"]}]


def resource(token: str, name: str, link: str = "", /, **properties: Any) -> Resource:
    return Resource(urn=f"urn:{token}::{name}", type=f"gcp:{token}", name=name, properties=properties, id=link)


def rule(
    priority: Any, action: str, layer4: Any = None, *, policy: str = POLICY, more: Any = None, **match: Any
) -> Resource:
    kind = "networkFirewallPolicyRule:NetworkFirewallPolicyRule"
    if policy.startswith("locations/"):
        kind = "firewallPolicyRule:FirewallPolicyRule"
    body = {"action": action, "direction": "EGRESS", "priority": priority, "firewallPolicy": policy, **(more or {})}
    return resource(f"compute/{kind}", f"r{priority}", match={"layer4Configs": layer4 or ALL, **match}, **body)


NETWORK = resource("compute/network:Network", "net", NET, name="net")
EGRESS = (
    NETWORK,
    resource("compute/networkFirewallPolicy:NetworkFirewallPolicy", "egress", POLICY, name="egress"),
    resource("compute/networkFirewallPolicyAssociation:NetworkFirewallPolicyAssociation", "a",
             attachmentTarget=NET, firewallPolicy=POLICY),
)  # fmt: skip
ALLOWLIST = (rule(2000, "allow", WEB, destFqdns=["cgr.dev"]),)
DENY = (rule(3000, "deny", destIpRanges=["0.0.0.0/0"]), rule(3001, "deny", destIpRanges=["::/0"]))
ABOVE = "locations/global/firewallPolicies/11"
ORGANISATION = (
    resource("compute/firewallPolicy:FirewallPolicy", "above", ABOVE, parent="organizations/1", shortName="above"),
    resource("compute/firewallPolicyAssociation:FirewallPolicyAssociation", "b",
             attachmentTarget="organizations/1", firewallPolicy=ABOVE),
)  # fmt: skip


def asked(
    *resources: Resource, name: str = "evil.example", sharing: frozenset[str] = frozenset(), **flow: Any
) -> Verdict:
    (place,) = places(Snapshot(resources, "a stack"))
    return decide(place, Flow(name, **flow), sharing=sharing)


@pytest.mark.parametrize(
    "flow",
    [
        {"name": "metadata.google.internal", "port": 80, "protocol": "http"},
        {"name": "dns.example", "address": "169.254.169.254", "port": 53, "protocol": "udp"},
    ],
)
def test_no_rule_judges_traffic_to_the_metadata_server_by_name_or_address(flow: dict[str, Any]) -> None:
    verdict = asked(*EGRESS, *ALLOWLIST, *DENY, **flow)
    assert (verdict.action, verdict.rule) == ("allow", "metadata server")


def test_an_allowlist_before_a_deny_of_both_families_is_closed() -> None:
    assert asked(*EGRESS, *ALLOWLIST, *DENY).action == "block"
    assert asked(*EGRESS, *ALLOWLIST, *DENY, name="cgr.dev").action == "allow"


@pytest.mark.parametrize(
    ("denies", "action"),
    [
        ((rule(2500, "goto_next", destIpRanges=["0.0.0.0/0"]), rule(2501, "goto_next", destIpRanges=["::/0"]), *DENY), "allow"),
        ((rule(2500, "goto_next", destIpRanges=["0.0.0.0/0", "::/0"]), *DENY), "allow"),
        (DENY[:1], "unknown"),
        ((rule(3000, "deny", destIpRanges=["0.0.0.0/0", "::/0"], destNetworkContext="INTERNET"),), "unknown"),
        ((rule(3000, "deny", destIpRanges=["0.0.0.0/0", "::/0"], destNetworkScope="INTERNET"),), "unknown"),
        # Where a flow names no client, one is meant that no deny for some is about.
        ((rule(3000, "deny", destIpRanges=["0.0.0.0/0", "::/0"], srcIpRanges=["10.0.0.0/24"]),), "allow"),
        ((rule(3000, "deny", more={"disabled": True}),), "allow"),
        ((rule(3000, "deny", more={"targetType": "INTERNAL_MANAGED_LB"}),), "unknown"),
        ((rule(3000, "deny", more={"direction": "INGRESS"}),), "allow"),
    ],
)  # fmt: skip
def test_a_deny_that_does_not_hold_everything_is_no_deny(denies: tuple[Resource, ...], action: str) -> None:
    assert asked(*EGRESS, *ALLOWLIST, *denies).action == action


def test_a_deny_for_some_sources_blocks_those_alone() -> None:
    deny = rule(3000, "deny", destIpRanges=["0.0.0.0/0"], srcIpRanges=["10.0.0.0/24"])
    assert asked(*EGRESS, deny, source="10.0.0.9").action == "block"
    assert asked(*EGRESS, deny, source="10.0.1.9").action == "allow"


@pytest.mark.parametrize(
    ("match", "action"),
    [
        ({}, "allow"),
        ({"destIpRanges": ["0.0.0.0/0", "::/0"]}, "allow"),
        ({"destAddressGroups": ["projects/p/locations/global/addressGroups/all"]}, "allow"),
        ({"destAddressGroups": ["projects/p/locations/global/addressGroups/elsewhere"]}, "unknown"),
        ({"destRegionCodes": ["US"]}, "unknown"),
        ({"destThreatIntelligences": ["iplist-known-malicious-ips"]}, "unknown"),
    ],
)
@pytest.mark.parametrize("policy", [ABOVE, POLICY])
def test_an_allow_beside_the_allowlist_decides_wherever_it_stands(policy: str, match: Any, action: str) -> None:
    everything = resource("networksecurity/addressGroup:AddressGroup", "all",
                          "projects/p/locations/global/addressGroups/all", name="all", items=["0.0.0.0/0", "::/0"])  # fmt: skip
    open_ = rule(100, "allow", policy=policy, **match)
    assert asked(*EGRESS, *ORGANISATION, *ALLOWLIST, *DENY, everything, open_).action == action


def test_what_a_security_profile_group_does_is_not_known() -> None:
    inspected = rule(100, "apply_security_profile_group", more={"securityProfileGroup": "//x/g"})
    assert asked(*EGRESS, inspected, *DENY).action == "unknown"


def test_a_regional_policy_is_for_clients_of_its_region_as_a_whole() -> None:
    link = "projects/p/regions/r/firewallPolicies/regional"
    token = "compute/regionNetworkFirewallPolicy"
    rules = [
        {
            "action": "allow",
            "direction": "EGRESS",
            "priority": 1,
            "match": {"layer4Configs": WEB, "destFqdns": ["cgr.dev"]},
        },
        {"action": "deny", "direction": "EGRESS", "priority": 2, "match": {"layer4Configs": ALL}},
    ]
    regional = (
        NETWORK,
        resource(f"{token}WithRules:RegionNetworkFirewallPolicyWithRules", "regional", link, name="regional", rules=rules),
        resource(f"{token}Association:RegionNetworkFirewallPolicyAssociation", "c", region="r",
                 attachmentTarget=NET, firewallPolicy=link),
    )  # fmt: skip
    assert asked(*regional, name="cgr.dev").action == "allow"  # in the region by the rule, elsewhere by the implied one
    assert asked(*regional).action == "unknown"


def test_a_rule_on_a_policy_outside_the_stack_leaves_what_it_does_unknown() -> None:
    association = resource("compute/networkFirewallPolicyAssociation:NetworkFirewallPolicyAssociation", "a",
                           attachmentTarget=NET, firewallPolicy="projects/host/global/firewallPolicies/central")  # fmt: skip
    forged = rule(1, "allow", WEB, policy="projects/host/global/firewallPolicies/central", destIpRanges=["0.0.0.0/0"])
    assert asked(NETWORK, association, forged).action == "unknown"


def test_a_name_that_shares_an_address_with_one_inside_is_allowed_by_address() -> None:
    stands = (*EGRESS, *ALLOWLIST, *DENY)
    assert asked(*stands, sharing=frozenset({"cgr.dev"})).action == "allow"
    assert asked(*stands).action == "block"


@pytest.mark.parametrize(
    ("source", "action"),
    [
        ("account:builds@p.iam.gserviceaccount.com", "allow"),
        ("account:other@p.iam.gserviceaccount.com", "block"),
        ("tag:tagValues/1", "unknown"),
        ("10.0.0.5", "unknown"),
        (None, "allow"),  # none is named: one that the allow is for
    ],
)
def test_a_client_is_told_by_what_a_rule_is_for(source: str | None, action: str) -> None:
    builds = {"targetServiceAccounts": ["builds@p.iam.gserviceaccount.com"]}
    only = rule(2000, "allow", WEB, destIpRanges=["0.0.0.0/0"], more=builds)
    assert asked(*EGRESS, only, *DENY, source=source, address="34.1.0.1").action == action


def test_a_policy_that_the_stack_only_reads_may_have_rules_of_others() -> None:
    stands = [replace(each, external="NetworkFirewallPolicy:" in each.urn) for each in (*EGRESS, *DENY)]
    assert any(each.external for each in stands)
    assert asked(*EGRESS, *DENY).action == "block"
    assert asked(*stands).action == "unknown"


def test_a_rule_whose_clients_are_not_known_yet_may_be_for_any_service_account() -> None:
    unseen = rule(2000, "allow", WEB, destIpRanges=["0.0.0.0/0"], more={"targetServiceAccounts": [UNKNOWN]})
    source = "account:other@p.iam.gserviceaccount.com"
    assert asked(*EGRESS, unseen, *DENY, source=source, address="34.1.0.1").action == "unknown"


@pytest.mark.parametrize("written", ["net", "global/networks/net", NET, f"https://www.googleapis.com/compute/v1/{NET}"])
def test_a_vpc_firewall_rule_finds_its_network_by_link_path_and_name(written: str) -> None:
    deny = resource("compute/firewall:Firewall", "f", network=written, direction="EGRESS", denies=[{"protocol": "all"}])
    assert asked(NETWORK, deny, address="34.1.0.1").action == "block"
    assert asked(*EGRESS[1:], deny, rule(1, "allow"), address="34.1.0.1").action == "block"


def test_a_vpc_firewall_rule_of_another_project_is_for_another_network() -> None:
    deny = resource("compute/firewall:Firewall", "f", network="net", project="q", direction="EGRESS",
                    denies=[{"protocol": "all"}])  # fmt: skip
    verdicts = {
        place.name: decide(place, Flow("x.example", address="34.1.0.1")).action
        for place in places(Snapshot((*EGRESS, deny), "a stack"))
    }
    assert verdicts == {NET: "allow", "projects/q/global/networks/net": "block"}


def test_a_network_of_the_stack_without_any_policy_lets_everything_out() -> None:
    assert asked(NETWORK).action == "allow"


@pytest.mark.parametrize("more", [{"targetServiceAccounts": UNKNOWN}, {"targetSecureTags": [{"name": UNKNOWN}]}])
def test_a_deny_whose_clients_are_not_known_yet_may_be_for_everybody(more: dict[str, Any]) -> None:
    allow = rule(2, "allow", destIpRanges=["0.0.0.0/0"])
    assert asked(*EGRESS, rule(1, "deny", more=more), allow, address="34.1.0.1").action == "unknown"
    assert asked(*EGRESS, rule(1, "deny", srcIpRanges=UNKNOWN), allow, address="34.1.0.1").action == "unknown"


def test_a_hierarchical_rule_finds_a_network_that_is_not_made_yet() -> None:
    network = resource("compute/network:Network", "net", name="net", project="p")
    deny = rule(1, "deny", policy=ABOVE, more={"targetResources": [NET]})
    assert asked(network, *ORGANISATION, deny, address="34.1.0.1").action == "block"
    nameless = replace(network, properties={"name": "net"})
    assert asked(nameless, *ORGANISATION, deny, address="34.1.0.1").action == "unknown"


def test_an_association_made_from_two_networks_may_be_with_either() -> None:
    other = resource("compute/network:Network", "other", NET.replace("/net", "/other"), name="other")
    loose = replace(
        EGRESS[2],
        properties={**EGRESS[2].properties, "attachmentTarget": UNKNOWN},
        property_dependencies={"attachmentTarget": frozenset({NETWORK.urn, other.urn})},
    )
    found = places(Snapshot((NETWORK, other, EGRESS[1], loose, rule(1, "deny")), "a stack"))
    verdicts = {place.name: decide(place, Flow("x.example", address="34.1.0.1")).action for place in found}
    assert {verdicts[NET], verdicts[NET.replace("/net", "/other")]} == {"unknown"}


GROUP = "projects/p/locations/global/addressGroups/ag"


@pytest.mark.parametrize(
    ("reference", "action"),
    [
        (GROUP, "allow"),
        (f"//networksecurity.googleapis.com/{GROUP}", "allow"),
        (f"https://networksecurity.googleapis.com/v1/{GROUP}", "allow"),
        ("ag", "allow"),
        (GROUP.replace("/p/", "/q/"), "unknown"),
        (GROUP.replace("projects/p", "organizations/1"), "unknown"),
        (GROUP.replace("global", "europe-west1"), "unknown"),
        (GROUP.replace("/ag", "/other"), "unknown"),
        ("bag", "unknown"),
    ],
)
@pytest.mark.parametrize("made", [True, False])
def test_an_address_group_is_told_by_parent_location_and_name(reference: str, action: str, made: bool) -> None:
    said = {"name": "ag", "parent": "projects/p", "location": "global", "items": ["34.1.0.0/16"]}
    group = resource("networksecurity/addressGroup:AddressGroup", "ag", GROUP if made else "", **said)
    wanted = rule(1, "allow", destAddressGroups=[reference])
    assert asked(*EGRESS, group, wanted, *DENY, address="34.1.0.1").action == action
    assert asked(*EGRESS, group, wanted, *DENY, address="34.2.0.1").action == ("block" if action == "allow" else action)


@pytest.mark.parametrize("items", [[], None, UNKNOWN, ["34.1/x"], [UNKNOWN]])
@pytest.mark.parametrize("action", ["allow", "deny"])
def test_a_rule_whose_group_is_not_there_empty_or_not_known_is_never_said_to_be_closed(
    items: object, action: str
) -> None:
    said = {"name": "ag", "parent": "projects/p", "location": "global", "items": items}
    group = resource("networksecurity/addressGroup:AddressGroup", "ag", GROUP, **said)
    wanted, after = rule(1, action, destAddressGroups=[GROUP]), DENY if action == "allow" else ()
    for held in ((group,), ()):
        assert asked(*EGRESS, *held, wanted, *after, address="34.1.0.1").action == "unknown"


def test_of_two_groups_that_a_reference_may_mean_nobody_says_which() -> None:
    groups = [
        resource("networksecurity/addressGroup:AddressGroup", where, f"projects/p/locations/{where}/addressGroups/ag",
                 name="ag", parent="projects/p", location=where, items=["34.1.0.0/16"])
        for where in ("global", "europe-west1")
    ]  # fmt: skip
    short = rule(1, "allow", destAddressGroups=["ag"])
    assert asked(*EGRESS, *groups, short, *DENY, address="34.1.0.1").action == "unknown"


@pytest.mark.parametrize(("source", "action"), [("10.0.0.9", "block"), ("10.1.0.9", "allow")])
def test_a_group_of_sources_is_read_too(source: str, action: str) -> None:
    said = {"name": "ag", "parent": "projects/p", "location": "global", "items": ["10.0.0.0/16"]}
    group = resource("networksecurity/addressGroup:AddressGroup", "ag", GROUP, **said)
    deny = rule(1, "deny", destIpRanges=["0.0.0.0/0"], srcAddressGroups=[GROUP])
    assert asked(*EGRESS, group, deny, source=source, address="34.1.0.1").action == action


@pytest.mark.parametrize("labels", [{"hostgate-owner": "pool"}, {"team": "platform"}, None])
def test_that_a_push_keeps_a_group_is_assumed_where_a_rule_names_it(labels: object) -> None:
    said = {"name": "ag", "parent": "projects/p", "location": "global", "items": ["34.1.0.0/16"], "labels": labels}
    group = resource("networksecurity/addressGroup:AddressGroup", "ag", GROUP, **said)
    for named, kept in ((GROUP, labels == {"hostgate-owner": "pool"}), (None, False)):
        wanted = rule(1, "allow", **({"destAddressGroups": [named]} if named else {"destIpRanges": ["34.1.0.0/16"]}))
        (place,) = places(Snapshot((*EGRESS, group, wanted, *DENY), "a stack"))
        assert any("hostgate pool push" in each for each in place.assumptions) == kept


@pytest.mark.parametrize(
    ("first", "denies", "families"),
    [
        ((), DENY, ("IPv4",)),
        ((rule(100, "allow", WEB, destIpRanges=["0.0.0.0/0"]),), DENY, ("IPv4",)),
        ((rule(100, "goto_next", destIpRanges=["fc00::/7"]),), DENY, ("IPv4",)),
        ((rule(100, "allow", WEB, destIpRanges=["2600::/12"]),), DENY, ("IPv4", "IPv6")),
        ((rule(100, "allow", WEB, destFqdns=["cgr.dev"]),), DENY, ("IPv4", "IPv6")),
        ((), DENY[:1], ("IPv4", "IPv6")),
        ((), (*DENY[:1], rule(3001, "deny", WEB, destIpRanges=["::/0"])), ("IPv4", "IPv6")),
        ((), (*DENY[:1], rule(3001, "deny", destIpRanges=["::/0"], more={"targetServiceAccounts": ["a@p.iam"]})), ("IPv4", "IPv6")),
        ((rule(UNKNOWN, "allow", destIpRanges=["::/0"]),), DENY, ("IPv4", "IPv6")),
    ],
)  # fmt: skip
def test_clients_go_over_ipv4_where_ipv6_is_closed_as_a_whole(
    first: tuple[Resource, ...], denies: tuple[Resource, ...], families: tuple[str, ...]
) -> None:
    (place,) = places(Snapshot((*EGRESS, *first, *denies), "a stack"))
    assert place.families == families


FOLDER = (
    resource("compute/firewallPolicy:FirewallPolicy", "nearer", "locations/global/firewallPolicies/12",
             parent="folders/2", shortName="nearer"),
    resource("compute/firewallPolicyAssociation:FirewallPolicyAssociation", "c", attachmentTarget="folders/2",
             firewallPolicy="locations/global/firewallPolicies/12"),
)  # fmt: skip


def test_policies_of_an_organisation_judge_its_projects_though_the_stack_has_no_network() -> None:
    allow = rule(1, "allow", WEB, policy=ABOVE, destFqdns=["cgr.dev"])
    deny = rule(2, "deny", policy=ABOVE)
    (place,) = places(Snapshot((*ORGANISATION, allow, deny), "a stack"))
    assert (place.kind, place.name, place.remark) == ("projects below", "organizations/1", "")
    assert "The project belongs to organizations/1." in place.assumptions
    assert decide(place, Flow("cgr.dev")).action == "allow"
    assert decide(place, Flow("evil.example")).action == "block"


def test_a_project_below_a_folder_meets_its_policy_after_that_of_the_organisation() -> None:
    above, nearer = rule(1, "deny", WEB, policy=ABOVE), rule(1, "deny", policy="locations/global/firewallPolicies/12")
    anywhere, below = places(Snapshot((*FOLDER, *ORGANISATION, above, nearer), "a stack"))
    assert (anywhere.name, below.name) == ("organizations/1", "folders/2")
    flow = Flow("x.example", 80, "tcp", address="34.1.0.1")
    assert (decide(anywhere, flow).action, decide(below, flow).action) == ("unknown", "block")
    assert decide(below, Flow("x.example")).rule == "r1"
    assert [stage.name for stage in below.stages][1:3] == ["above", "nearer"]


def test_a_hierarchical_policy_that_nothing_uses_is_judged_alone_beside_networks_too() -> None:
    deny = rule(1, "deny", policy=ABOVE)
    (alone,) = places(Snapshot((ORGANISATION[0], deny), "a stack"))
    assert alone.remark == "no organisation or folder is associated with the policy"
    assert decide(alone, Flow("x.example")).action == "block"
    assert len(places(Snapshot((NETWORK, ORGANISATION[0], deny), "a stack"))) == 2


@pytest.mark.parametrize("networks", [(NETWORK,), ()])
def test_of_policies_of_two_organisations_one_judges_a_project(networks: tuple[Resource, ...]) -> None:
    other = (
        replace(ORGANISATION[0], urn="urn:other", id=ABOVE.replace("11", "13")),
        replace(ORGANISATION[1], urn="urn:d", properties={
            "attachmentTarget": "organizations/3", "firewallPolicy": ABOVE.replace("11", "13")}),
    )  # fmt: skip
    deny = replace(rule(1, "deny", policy=ABOVE.replace("11", "13")), urn="urn:deny")
    found = places(Snapshot((*networks, *ORGANISATION, *other, rule(1, "allow", policy=ABOVE), deny), "a stack"))
    verdicts = {place.name: decide(place, Flow("x.example")).action for place in found}
    several = "The project belongs to one of organizations/1, organizations/3; which, the snapshot does not say."
    if networks:
        assert verdicts == {NET: "unknown"}
        assert several in found[0].assumptions
    else:
        assert verdicts == {"organizations/1": "allow", "organizations/3": "block"}


def policy_of_its_own(
    project: str, action: str, region: str | None = None, network: str = "net"
) -> tuple[Resource, ...]:
    """A network with a policy called np, as stacks write them: the policy by its name alone, beside project and region."""
    kind, upper = ("regionNetworkFirewallPolicy", "Region") if region else ("networkFirewallPolicy", "")
    place = {"project": project, **({"region": region} if region else {})}
    folder = f"projects/{project}/{f'regions/{region}' if region else 'global'}/firewallPolicies/np"
    token = f"{upper}NetworkFirewallPolicy"
    label = f"{project}-{region}"
    link = f"projects/{project}/global/networks/{network}"
    match = {"layer4Configs": ALL, "destIpRanges": ["0.0.0.0/0"]}
    return (
        resource("compute/network:Network", f"net-{label}", link, name=network, project=project),
        resource(f"compute/{kind}:{token}", f"np-{label}", folder, name="np", **place),
        resource(f"compute/{kind}Association:{token}Association", f"a-{label}", f"{project}/np/a", attachmentTarget=link,
                 firewallPolicy="np", **place),
        resource(f"compute/{kind}Rule:{token}Rule", f"r-{label}", f"{folder}/rules/9", action=action, direction="EGRESS",
                 priority=9, firewallPolicy="np", match=match, **place),
    )  # fmt: skip


@pytest.mark.parametrize("turned", [False, True])
def test_policies_of_one_name_in_two_projects_are_two(turned: bool) -> None:
    parts = [policy_of_its_own("acme", "deny"), policy_of_its_own("other", "allow")]
    standing = [each for part in (reversed(parts) if turned else parts) for each in part]
    answers = {
        each.name: decide(each, Flow("evil.example", address="203.0.113.1"))
        for each in places(Snapshot(tuple(standing), "two"))
    }
    assert {name.split("/")[1]: answer.action for name, answer in answers.items()} == {
        "acme": "block",
        "other": "allow",
    }


@pytest.mark.parametrize("turned", [False, True])
def test_policies_of_one_name_in_two_regions_are_two(turned: bool) -> None:
    parts = [
        policy_of_its_own("p", "deny", "us-east1", "east"),
        policy_of_its_own("p", "allow", "europe-west3", "west"),
    ]
    standing = [each for part in (reversed(parts) if turned else parts) for each in part]
    found = places(Snapshot(tuple(standing), "two"))
    answers = {
        each.name.rpartition("/")[2]: decide(each, Flow("evil.example", address="203.0.113.1")) for each in found
    }
    # Nobody says in which region the client is.
    assert (answers["east"].action, "us-east1" in answers["east"].why) == ("unknown", True)
    assert answers["west"].action == "allow"


def test_a_rule_whose_policy_may_be_one_of_two_is_in_doubt_in_both() -> None:
    """The provider's own project is not in the snapshot."""
    acme, other = policy_of_its_own("acme", "allow")[:3], policy_of_its_own("other", "allow")[:3]
    anywhere = rule(9, "deny", policy="np", destIpRanges=["0.0.0.0/0"])
    standing = places(Snapshot((*acme, *other, anywhere), "two"))
    assert {decide(each, Flow("evil.example", address="203.0.113.1")).action for each in standing} == {"unknown"}


@pytest.mark.parametrize(
    ("of_network", "servers", "action"),
    [
        ([{"networkUrl": NET}], [{"ipv4Address": "10.0.0.53"}], "unknown"),
        (UNKNOWN, [{"ipv4Address": "10.0.0.53"}], "unknown"),
        ([{"networkUrl": NET}], UNKNOWN, "unknown"),
        ([{"networkUrl": NET}], [], "allow"),
        ([{"networkUrl": "projects/p/global/networks/another"}], [{"ipv4Address": "10.0.0.53"}], "allow"),
    ],
)  # fmt: skip
def test_no_fqdn_object_is_sure_where_the_network_has_an_outbound_dns_server_policy(
    of_network: Any, servers: Any, action: str
) -> None:
    forwarding = resource(
        "dns/policy:Policy", "dns", networks=of_network, alternativeNameServerConfig={"targetNameServers": servers}
    )
    answer = asked(*EGRESS, *ALLOWLIST, *DENY, forwarding, name="cgr.dev")
    assert answer.action == action
    assert asked(*EGRESS, *ALLOWLIST, *DENY, forwarding).action == "block"
    (place,) = places(Snapshot((*EGRESS, forwarding), "a stack"))
    assert any("outbound DNS" in each for each in place.assumptions) == (action == "allow")


@pytest.mark.parametrize(
    ("states", "action"),
    [(["INEFFECTIVE"], "allow"), (["INEFFECTIVE", "INEFFECTIVE"], "allow"), (["INEFFECTIVE", "EFFECTIVE"], "block")],
)
def test_a_rule_of_which_every_secure_tag_is_ineffective_is_ignored(states: list[str], action: str) -> None:
    tags = [{"name": f"tagValues/{number}", "state": state} for number, state in enumerate(states)]
    deny = rule(1, "deny", destIpRanges=["0.0.0.0/0"], more={"targetSecureTags": tags})
    asked_for = {"address": "34.1.0.1", "source": f"tag:tagValues/{len(states) - 1}"}
    assert asked(*EGRESS, deny, rule(2, "allow", destIpRanges=["0.0.0.0/0"]), **asked_for).action == action


@pytest.mark.parametrize("action", ["allow", "deny", "goto_next"])
def test_what_a_match_says_under_a_key_that_is_not_read_may_narrow_it(action: str) -> None:
    odd = rule(1, action, destIpRanges=["0.0.0.0/0"], destNewThings=["x"])
    last = rule(2, "deny" if action == "allow" else "allow", destIpRanges=["0.0.0.0/0"])
    verdict = asked(*EGRESS, odd, last, address="34.1.0.1")
    assert (verdict.action == "unknown") == (action != "goto_next")
    assert action == "goto_next" or "match.destNewThings" in " ".join(verdict.lacks)
    assert (
        asked(*EGRESS, rule(1, "deny", destIpRanges=["0.0.0.0/0"], destNewThings=[]), address="34.1.0.1").action
        == "block"
    )


def regional(name: str, action: str, priority: Any = None) -> tuple[Resource, ...]:
    link = f"projects/p/regions/r/firewallPolicies/{name}"
    token = "compute/regionNetworkFirewallPolicy"
    rules = [
        {
            "priority": 5,
            "action": action,
            "direction": "EGRESS",
            "match": {"layer4Configs": ALL, "destIpRanges": ["0.0.0.0/0"]},
        }
    ]
    given = {} if priority is None else {"priority": priority}
    return (
        resource(f"{token}WithRules:RegionNetworkFirewallPolicyWithRules", name, link, name=name, rules=rules),
        resource(f"{token}Association:RegionNetworkFirewallPolicyAssociation", f"a-{name}", name=f"a-{name}", region="r",
                 attachmentTarget=NET, firewallPolicy=link, **given),
    )  # fmt: skip


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("one", "other", "end"),
    [(2000, 100, "allow"), (100, 2000, "block"), (None, 999, "allow"), (None, 1001, "block"), (None, None, "block"),
     (7, 7, "block")],
)  # fmt: skip
def test_regional_policies_judge_by_the_priority_of_their_associations_then_by_their_names(
    one: int | None, other: int | None, end: str, turned: bool
) -> None:
    parts = [regional("one", "deny", one), regional("two", "allow", other)]
    verdict = asked(NETWORK, *(each for part in parts[:: -1 if turned else 1] for each in part), address="203.0.113.7")
    assert f"; else {end}" in verdict.why  # of a client in the region
    assert verdict.lacks == ("the client is not in r",)


@pytest.mark.parametrize("turned", [False, True])
def test_where_a_priority_is_not_known_yet_either_may_judge_first(turned: bool) -> None:
    parts = [regional("one", "deny", UNKNOWN), regional("two", "allow", 100)]
    standing = [each for part in parts[:: -1 if turned else 1] for each in part]
    verdict = asked(NETWORK, *standing, address="203.0.113.7")
    assert (verdict.action, "one does not judge before two" in verdict.lacks) == ("unknown", True)


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_global_policies_of_one_network_nobody_tells_which_it_has(turned: bool) -> None:
    second = "projects/p/global/firewallPolicies/second"
    token = "compute/networkFirewallPolicy"
    both = [
        EGRESS[2],
        resource(
            f"{token}Association:NetworkFirewallPolicyAssociation", "b", attachmentTarget=NET, firewallPolicy=second
        ),
    ]
    policies = (EGRESS[1], resource(f"{token}:NetworkFirewallPolicy", "second", second, name="second"))
    allow = rule(5, "allow", policy=second, destIpRanges=["0.0.0.0/0"])
    verdict = asked(NETWORK, *policies, *both[:: -1 if turned else 1], *DENY, allow, address="203.0.113.7")
    assert verdict.action == "unknown"
    assert "second is the network's policy, and not egress" in verdict.why + str(verdict.lacks) or turned
    assert "egress is the network's policy, and not second" in verdict.why + str(verdict.lacks) or not turned


V6_ONLY, BOTH = networks(["2001:db8::7/128"]), networks(["203.0.113.7/32", "2001:db8::7/128"])


@pytest.mark.parametrize("later", [True, False], ids=["allowed behind", "not allowed"])
def test_what_has_ipv6_addresses_alone_is_missing_where_ipv6_is_closed_and_the_rest_goes_over_ipv4(
    *, later: bool
) -> None:
    allow = rule(2000, "allow", WEB, destIpRanges=["203.0.113.7/32", *(["2001:db8::7/128"] if later else [])])
    closes = rule(1, "deny", destIpRanges=["::/0"])
    (place,) = places(Snapshot((*EGRESS, closes, allow, *DENY), "a stack"))
    assert ("Clients go over IPv4: " in " ".join(place.assumptions)) is later
    for address, missing in ((BOTH, []), (V6_ONLY, ["a"])):
        need = Need("a", Box(address=address, port=Intervals.of([(443, 443)]), protocols=frozenset({6})))
        assert [entry for each in reach(place, [need]).missing for entry, _ in each.entries] == missing


@pytest.mark.parametrize(
    ("denied", "wide"),
    [
        (["198.18.5.5/32"], False),
        (["198.18.5.5/32", "203.0.113.0/24"], False),
        (["0.0.0.0/0"], True),
        (["0.0.0.0/1"], True),
        (["2000::/3"], True),
        (["2600:1f00::/48"], False),
    ],
)
def test_a_denial_that_goes_opens_what_it_denied_and_is_everything_where_that_was_wide(
    denied: list[str], *, wide: bool
) -> None:
    before, after = (
        places(Snapshot((*EGRESS, *(rule(300, "deny", destIpRanges=each) for each in some)), "a stack"))
        for some in ([denied], [])
    )
    (place,) = compared_standing(before, after, ((), ()))
    assert {each.kind for each in place.found.changes} == {"opened"}
    assert (place.everything is not None) is wide
    assert place.opens == 1
    both = [rule(at, "deny", destIpRanges=[half]) for at, half in enumerate(("0.0.0.0/1", "128.0.0.0/1"), 1)]
    (halves,) = compared_standing(places(Snapshot((*EGRESS, *both), "a stack")), after, ((), ()))
    assert halves.everything is not None
