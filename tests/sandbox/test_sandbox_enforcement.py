"""What is deployed is judged as the plan is: the held objects of each cloud, rebuilt for the mechanism's verdict."""

import copy
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from provider_calls import (
    AWS_GROUP,
    AWS_POLICY,
    AZURE_GROUP,
    AZURE_POLICY,
    GCP_ASSOCIATION,
    GCP_POLICY,
    GCP_RULE,
    azure_group,
    gcp_rule,
    group,
    policy,
)

import hostgate
from hostgate.aws import resources as aws_resources
from hostgate.aws import resources_ec2, resources_resolver
from hostgate.azure import resources as azure_resources
from hostgate.flows.flow import Flow
from hostgate.planning.plan import Plan, plan
from hostgate.sandbox.enforcement_points import Point, points
from hostgate.sandbox.lifecycle import Refusal
from hostgate.sandbox.service import Service
from hostgate.sandbox.state import State

HOSTS = hostgate.select("chainguard/images@2024-03-28", phases=["pull", "build", "cli"])
NETWORK = "projects/sandbox/global/networks/main"
VPC = "vpc-0a1b2c3d"


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(State(tmp_path / "clouds.db"))


def deploy(service: Service, made: Plan) -> None:
    """Make the plan's objects as a component would."""
    for each in made.objects:
        body: Any = each.body
        match each.kind:
            case "AWS::NetworkFirewall::RuleGroup":
                service.create(AWS_GROUP, {**group(name=each.name), "ruleGroup": _camel(body["RuleGroup"])})
            case "AWS::NetworkFirewall::FirewallPolicy":
                arns = {held.name: held.id for held in service.state.objects(AWS_GROUP)}
                inner = copy.deepcopy(body["FirewallPolicy"])
                for reference in inner["StatefulRuleGroupReferences"]:
                    reference["ResourceArn"] = arns[reference["ResourceArn"].rpartition("/")[2]]
                home = inner["PolicyVariables"]["RuleVariables"]["HOME_NET"]["Definition"]
                variables = {"ruleVariables": [{"key": "HOME_NET", "ipSet": {"definitions": home}}]}
                whole = {**_camel(inner), "policyVariables": variables}
                service.create(AWS_POLICY, {"name": each.name, "firewallPolicy": whole})
            case "AWS::Route53Resolver::FirewallDomainList":
                service.create(resources_resolver.DOMAIN_LIST, {"name": each.name, "domains": body["Domains"]})
            case "AWS::Route53Resolver::FirewallRuleGroup":
                service.create(resources_resolver.RULE_GROUP, {"name": each.name})
            case "AWS::Route53Resolver::FirewallRuleGroup.FirewallRule":
                ids = {held.name: held.id for held in service.state.objects()}
                references = {key: ids[body[key]] for key in ("FirewallRuleGroupId", "FirewallDomainListId")}
                service.create(resources_resolver.RULE, _camel({**body, **references}))
            case "AWS::Route53Resolver::FirewallRuleGroupAssociation":
                (held,) = service.state.objects(resources_resolver.RULE_GROUP)
                service.create(resources_resolver.ASSOCIATION, _camel({**body, "FirewallRuleGroupId": held.id}))
            case "AWS::Route53Resolver::FirewallConfig":
                service.create(resources_resolver.CONFIG, _camel(body))
            case "compute#firewallPolicy":
                service.create(GCP_POLICY, {"name": "egress"})
            case "compute#firewallPolicyRule":
                service.create(GCP_RULE, {"firewallPolicy": "egress", **body})
            case "compute#firewallPolicyAssociation":
                service.create(GCP_ASSOCIATION, {"firewallPolicy": "egress", **body})
            case "Microsoft.Network/firewallPolicies":
                service.create(AZURE_POLICY, {"resourceGroupName": "rg", "firewallPolicyName": "fp"})
            case "Microsoft.Network/firewallPolicies/ruleCollectionGroups":
                named = {"resourceGroupName": "rg", "firewallPolicyName": "fp", "ruleCollectionGroupName": each.name}
                service.create(AZURE_GROUP, {**named, **body["properties"]})


def _camel(value: Any) -> Any:
    if isinstance(value, dict):
        return {key[0].lower() + key[1:]: _camel(item) for key, item in value.items()}
    return [_camel(item) for item in value] if isinstance(value, list | tuple) else value


@pytest.mark.parametrize(
    ("target", "options"),
    [
        ("aws:rules", {}),
        ("aws:rules", {"mode": "audit"}),
        ("aws:rules", {"deny": "none", "from": ["10.1.0.0/16"]}),
        ("aws:domain-list", {}),
        ("aws:dns-firewall", {"vpcs": [VPC]}),
        ("aws:dns-firewall", {"vpcs": [VPC], "mode": "audit"}),
        ("aws:dns-firewall", {"vpcs": [VPC], "deny": "all"}),
        ("gcp:fqdn", {"networks": [NETWORK]}),
        ("gcp:fqdn", {"networks": [NETWORK], "mode": "audit"}),
        ("gcp:fqdn", {"networks": [NETWORK], "deny": "all"}),
        ("azure:application-rules", {"resourceGroup": "rg"}),
        ("azure:application-rules", {"resourceGroup": "rg", "mode": "audit"}),
    ],
    ids=str,
)
def test_what_a_plan_allows_is_what_its_objects_allow(service: Service, target: str, options: dict[str, Any]) -> None:
    made = plan(HOSTS, target, options)
    deploy(service, made)
    (point,) = points(service.state.objects())
    names = [decision.entry.host for decision in made.decisions] + ["evil.example", "notcgr.dev", "a.cgr.dev"]
    for name in names:
        for port in (443, 80, 8443):
            for protocol in ("https", "http", "tcp", "quic"):
                for source in (None, "10.1.2.3"):
                    flow = Flow(name, port, protocol, source=source)  # type: ignore[arg-type]
                    assert point.verdict(flow).allows == made.verdict(flow).allows, flow
    private = Flow("db.internal", 5432, "tcp", address="10.1.2.3")
    assert point.verdict(private).allows == made.verdict(private).allows


GROUPS = ["sg-0a1", "sg-0a2"]
HELD = {each.host: [f"203.0.113.{number}", f"2001:db8::{number}"] for number, each in enumerate(HOSTS.entries, 1)}


def test_each_security_group_allows_what_its_plan_allows_and_a_list_in_use_cannot_go(service: Service) -> None:
    hosts = replace(HOSTS, entries=tuple(each for each in HOSTS.entries if each.match == "exact"))
    made = plan(hosts, "aws:prefix-list", securityGroups=GROUPS, addresses=HELD)
    lists: dict[str, Any] = {}
    for each in made.objects:
        inputs = aws_resources.inputs_of(each)
        if each.kind == resources_ec2.PREFIX_LIST_KIND:
            lists[each.name] = service.create(resources_ec2.PREFIX_LIST, inputs)
            continue
        inputs = {key: value for key, value in inputs.items() if key != "name"}
        inputs["prefixListId"] = lists[inputs["prefixListId"]].id
        service.create(resources_ec2.EGRESS_RULE, inputs)
    found = points(service.state.objects())
    assert {point.place for point in found} == set(GROUPS)
    for point in found:
        for address in ("203.0.113.1", "2001:db8::2", "203.0.113.99", "10.1.2.3"):
            for port in (443, 80):
                flow = Flow("x.example", port, "https", address=address)
                assert point.verdict(flow).action == made.verdict(flow).action
    with pytest.raises(Refusal, match="PrefixListInUse"):
        service.delete(resources_ec2.PREFIX_LIST, next(iter(lists.values())).id)


ACLS = ["acl-0a1", "acl-0a2"]


def entries_of(service: Service, made: Plan) -> dict[str, str]:
    """Make the entries of a plan; their ids by name."""
    found = {}
    for each in made.objects:
        inputs = {key: value for key, value in aws_resources.inputs_of(each).items() if key != "name"}
        found[each.name] = service.create(resources_ec2.ACL_ENTRY, inputs).id
    return found


def acl_plan(**options: Any) -> Plan:
    hosts = replace(HOSTS, entries=tuple(each for each in HOSTS.entries if each.match == "exact"))
    return plan(hosts, "aws:network-acl", networkAcls=ACLS, addresses=HELD, **options)


def test_each_network_acl_allows_what_its_plan_allows_only_while_both_ways_stand(service: Service) -> None:
    made = acl_plan()
    ids = entries_of(service, made)
    allowed = Flow("x.example", 443, "https", address="203.0.113.1")
    found = points(service.state.objects())
    assert [point.title for point in found] == [f"aws network ACL {each}" for each in ACLS]
    for point in found:
        for address in ("203.0.113.1", "2001:db8::2", "203.0.113.99", "10.1.2.3"):
            for port in (443, 80):
                for protocol in ("https", "udp"):
                    flow = replace(allowed, address=address, port=port, protocol=protocol)
                    assert point.verdict(flow).action == made.verdict(flow).action, flow
    assert found[0].verdict(allowed).allows
    service.delete(resources_ec2.ACL_ENTRY, ids["hostgate-acl-0a1-in-tcp-203.0.113.1"])
    one, other = points(service.state.objects())
    assert not one.verdict(allowed).allows  # nothing comes back
    assert "lets the answers in" in one.verdict(allowed).why
    assert other.verdict(allowed).allows


def test_an_entry_of_somebody_else_in_front_decides_and_its_number_is_taken(service: Service) -> None:
    made = acl_plan()
    theirs = {"networkAclId": ACLS[0], "egress": True, "ruleAction": "deny", "protocol": "-1", "cidrBlock": "0.0.0.0/0"}
    entries_of(service, made)
    service.create(resources_ec2.ACL_ENTRY, {**theirs, "ruleNumber": 100})
    one, other = points(service.state.objects())
    allowed = Flow("x.example", 443, "https", address="203.0.113.1")
    assert (one.verdict(allowed).allows, other.verdict(allowed).allows) == (False, True)
    over_ipv6 = replace(allowed, address="2001:db8::1")
    assert one.verdict(over_ipv6).allows
    number = next(each.body["RuleNumber"] for each in made.objects if each.body["Egress"])
    with pytest.raises(Refusal, match="NetworkAclEntryAlreadyExists"):
        service.create(resources_ec2.ACL_ENTRY, {**theirs, "ruleNumber": number})


def only(service: Service) -> Point:
    (point,) = points(service.state.objects())
    return point


def test_a_rule_that_is_disabled_does_nothing(service: Service) -> None:
    service.create(GCP_POLICY, {"name": "egress"})
    deny = {"action": "deny", "match": {"destIpRanges": ["0.0.0.0/0"], "layer4Configs": [{"ipProtocol": "all"}]}}
    service.create(GCP_RULE, gcp_rule("egress", 2000, **deny))
    assert not only(service).verdict(Flow("evil.example")).allows
    held = service.state.objects(GCP_RULE)[0]
    service.update(GCP_RULE, held.id, {**held.inputs, "disabled": True})
    assert only(service).verdict(Flow("evil.example")).allows


def test_a_policy_of_several_networks_is_several_points(service: Service) -> None:
    service.create(GCP_POLICY, {"name": "egress"})
    assert only(service).remark == "no network is associated with the policy"
    for name in ("one", "two"):
        target = f"projects/sandbox/global/networks/{name}"
        service.create(GCP_ASSOCIATION, {"firewallPolicy": "egress", "attachmentTarget": target, "name": name})
    assert [point.title for point in points(service.state.objects())] == ["gcp network one", "gcp network two"]


def test_a_flat_rules_text_and_a_policy_without_home_net_are_judged_too(service: Service) -> None:
    text = 'pass tls $HOME_NET any -> $EXTERNAL_NET 443 (tls.sni; content:"cgr.dev"; startswith; endswith; sid:1;)'
    flat = {"name": "g", "type": "STATEFUL", "capacity": 10, "rules": text}
    arn = service.create(AWS_GROUP, flat).id
    service.create(AWS_POLICY, policy(arn, order="DEFAULT_ACTION_ORDER", name="fp"))
    assert only(service).verdict(Flow("cgr.dev")).allows
    assert any("HOME_NET is the range of the firewall's VPC" in each for each in only(service).judged.assumptions)


def query_group(service: Service, name: str, *rules: tuple[int, str, str]) -> str:
    """A rule group of DNS Firewall with rules of priority, action and domain; its id."""
    group_id = service.create(resources_resolver.RULE_GROUP, {"name": name}).id
    for priority, action, domain in rules:
        listed = service.create(resources_resolver.DOMAIN_LIST, {"name": f"{name}-{priority}", "domains": [domain]}).id
        named = {"name": f"{name}-r{priority}", "priority": priority, "action": action, "blockResponse": "NODATA"}
        references = {"firewallRuleGroupId": group_id, "firewallDomainListId": listed}
        service.create(resources_resolver.RULE, {**named, **references})
    return group_id


def test_the_rule_groups_of_a_vpc_are_judged_by_the_priority_of_their_associations(service: Service) -> None:
    blocking = query_group(service, "threats", (1, "BLOCK", "bad.example"))
    allowing = query_group(service, "ours", (1, "ALLOW", "*.example"), (2, "BLOCK", "*"))
    for group_id, priority in ((allowing, 200), (blocking, 100)):
        link = {"firewallRuleGroupId": group_id, "vpcId": VPC, "priority": priority, "name": f"a{priority}"}
        service.create(resources_resolver.ASSOCIATION, link)
    point = only(service)
    assert (point.title, point.policy) == (f"aws queries of {VPC}", "threats, ours")
    verdicts = {name: point.verdict(Flow(name)).rule for name in ("bad.example", "good.example", "other.org")}
    assert verdicts == {
        "bad.example": "threats-r1#bad.example",
        "good.example": "ours-r1#*.example",
        "other.org": "ours-r2",
    }


def test_a_rule_group_without_a_vpc_judges_nobody_and_says_so(service: Service) -> None:
    query_group(service, "ours", (1, "BLOCK", "*."))
    assert only(service).remark == "no VPC is associated with the rule group"


def test_rule_collection_groups_of_one_policy_are_judged_together(service: Service) -> None:
    service.create(AZURE_POLICY, {"resourceGroupName": "rg", "firewallPolicyName": "fp"})
    assert not only(service).verdict(Flow("cgr.dev")).allows
    service.create(AZURE_GROUP, azure_group("g"))
    other = azure_group("h", 300)
    other["ruleCollections"][0]["rules"][0]["targetFqdns"] = ["other.dev"]
    service.create(AZURE_GROUP, other)
    assert only(service).verdict(Flow("cgr.dev")).allows
    assert only(service).verdict(Flow("other.dev")).allows


def test_a_firewall_allows_what_a_plan_of_ip_groups_allows_and_a_group_in_use_cannot_go(service: Service) -> None:
    hosts = replace(HOSTS, entries=tuple(each for each in HOSTS.entries if each.match == "exact"))
    made = plan(hosts, "azure:ip-group", resourceGroup="rg", addresses=HELD)
    ids: dict[str, str] = {}
    for each in made.objects:
        if each.kind == azure_resources.IP_GROUP_TYPE.kind:
            inputs = {"resourceGroupName": "rg", "ipGroupsName": each.name, **each.body["properties"]}
            ids[each.name] = service.create(azure_resources.IP_GROUP, inputs).id
    # An id that begins that of another is not in use with it.
    beginning = service.create(
        azure_resources.IP_GROUP, {"resourceGroupName": "rg", "ipGroupsName": "hostgate-tcp-44"}
    ).id
    objects = [each for each in made.objects if each.kind != azure_resources.IP_GROUP_TYPE.kind]
    deploy(service, replace(made, objects=tuple(replace(each, body=_real(each.body, ids)) for each in objects)))
    (point,) = points(service.state.objects())
    for address in ("203.0.113.1", "2001:db8::2", "203.0.113.99", "10.1.2.3"):
        for port in (443, 80):
            flow = Flow("x.example", port, "https", address=address)
            assert point.verdict(flow).action == made.verdict(flow).action
    with pytest.raises(Refusal, match="InUse"):
        service.delete(azure_resources.IP_GROUP, ids["hostgate-tcp-443"])
    service.delete(azure_resources.IP_GROUP, beginning)


def _real(value: Any, ids: Mapping[str, str]) -> Any:
    """A body with the ids of the cloud in the places of those of the plan."""
    if isinstance(value, Mapping):
        return {key: _real(each, ids) for key, each in value.items()}
    if isinstance(value, list):
        return [_real(each, ids) for each in value]
    return ids.get(str(value).rpartition("/ipGroups/")[2], value)
