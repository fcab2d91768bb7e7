"""Values of another type than a provider has, in every property that is read, of each cloud and of both its providers: never a
traceback, and never the word that a flow passes or does not where what was written there would have decided."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final

import pytest

from hostgate.flows.flow import Flow
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.verdicts import decide
from hostgate.policies.judge import judge_resource, judge_stack
from hostgate.policies.places import places_of_stack
from hostgate.policies.settings import Settings, read_settings

Stack = tuple[Resource, ...]


def made(token: str, name: str, id_: str = "", /, **properties: Any) -> Resource:
    return Resource(urn=f"urn:{token}::{name}", type=token, name=name, properties=properties, id=id_)


# Two providers of AWS

RULES = 'pass tls $HOME_NET any -> any 443 (tls.sni; content:"cgr.dev"; startswith; endswith; nocase; flow:to_server; sid:1;)'
DEFAULTS: dict[str, Any] = {
    "statelessDefaultActions": ["aws:forward_to_sfe"], "statelessFragmentDefaultActions": ["aws:forward_to_sfe"],
    "statefulEngineOptions": {"ruleOrder": "STRICT_ORDER"}, "statefulDefaultActions": ["aws:drop_established"],
    "statefulRuleGroupReferences": [
        {"resourceArn": "arn:rules", "priority": 3}, {"resourceArn": "arn:names", "priority": 2},
        {"resourceArn": "arn:headers", "priority": 1},
    ],
    "statelessRuleGroupReferences": [{"resourceArn": "arn:stateless", "priority": 1}],
}  # fmt: skip
STATELESS = {
    "priority": 1,
    "ruleDefinition": {"actions": ["aws:drop"], "matchAttributes": {
        "sources": [{"addressDefinition": "10.9.0.0/16"}], "destinations": [{"addressDefinition": "34.9.0.0/16"}],
        "sourcePorts": [{"fromPort": 0, "toPort": 65535}], "destinationPorts": [{"fromPort": 25, "toPort": 25}],
        "protocols": [6],
    }},
}  # fmt: skip
LISTED = {"generatedRulesType": "DENYLIST", "targetTypes": ["TLS_SNI"], "targets": ["bad.example"]}
DENIED = {
    "action": "DROP", "header": {"protocol": "TCP", "source": "10.8.0.0/16", "sourcePort": "ANY", "direction": "FORWARD",
                                 "destination": "34.8.0.0/16", "destinationPort": "22"},
}  # fmt: skip


def group(name: str, source: Mapping[str, Any], kind: str = "STATEFUL", **more: Any) -> dict[str, Any]:
    order = {"statefulRuleOptions": {"ruleOrder": "STRICT_ORDER"}} if kind == "STATEFUL" else {}
    return {"name": name, "type": kind, "capacity": 100, "ruleGroup": {"rulesSource": source, **order, **more}}


GROUPS: dict[str, dict[str, Any]] = {
    "rules": group("rules", {"rulesString": RULES}),
    "names": group("names", {"rulesSourceList": LISTED}),
    "headers": group(
        "headers", {"statefulRules": [{**DENIED, "ruleOptions": [{"keyword": "sid", "settings": ["5"]}]}]}
    ),
    "stateless": group("stateless", {"statelessRulesAndCustomActions": {"statelessRules": [STATELESS]}}, "STATELESS"),
}
VPC: dict[str, dict[str, Any]] = {
    "Vpc vpc-1": {"cidrBlock": "10.0.0.0/16", "mainRouteTableId": "rtb-main"},
    "Subnet subnet-fw": {"vpcId": "vpc-1", "cidrBlock": "10.0.0.0/28"},
    "Subnet subnet-app": {"vpcId": "vpc-1", "cidrBlock": "10.0.1.0/24", "ipv6CidrBlock": "2600:1f18::/64"},
    "RouteTable rtb-app": {"vpcId": "vpc-1"},
    "InternetGateway igw-1": {"vpcId": "vpc-1"},
    "NatGateway nat-1": {"subnetId": "subnet-fw"},
    "Route r": {"routeTableId": "rtb-app", "destinationCidrBlock": "0.0.0.0/0", "vpcEndpointId": "vpce-1"},
    "Route nat": {"routeTableId": "rtb-app", "destinationCidrBlock": "35.0.0.0/8", "natGatewayId": "nat-1"},
}


WIDE = "pass ip any any -> any any (sid:9;)"


def on_aws(*, native: bool, wide: bool = False) -> Stack:
    """Behind the denies, `wide`: everything passes; else only what is named."""
    beside = {"arn:wide": {"resourceArn": "arn:wide", "priority": 9}} if wide else {}
    groups = {**GROUPS, **({"wide": group("wide", {"rulesString": WIDE})} if wide else {})}
    defaults = {**DEFAULTS, "statefulRuleGroupReferences": [*DEFAULTS["statefulRuleGroupReferences"], *beside.values()]}

    def token(service: str, kind: str) -> str:
        return f"aws-native:{service}:{kind}" if native else f"aws:{service}/{kind[:1].lower()}{kind[1:]}:{kind}"

    arn = {key: f"{key}Arn" if native else "arn" for key in ("ruleGroup", "firewallPolicy", "firewall")}
    home = {"definition": ["10.0.0.0/8"]}
    variables = {"HOME_NET": home} if native else [{"key": "HOME_NET", "ipSet": {"definitions": home["definition"]}}]
    routes = {"routes": [{"cidrBlock": "36.0.0.0/8", "gatewayId": "igw-1"}]} if not native else {}
    association = "SubnetRouteTableAssociation" if native else "RouteTableAssociation"
    return (
        *(made(token("networkfirewall", "RuleGroup"), key, **{arn["ruleGroup"]: f"arn:{key}", **value})
          for key, value in groups.items()),
        made(token("networkfirewall", "FirewallPolicy"), "p", name="p", **{
            arn["firewallPolicy"]: "arn:p", "firewallPolicy": {**defaults, "policyVariables": {"ruleVariables": variables}}}),
        made(token("networkfirewall", "Firewall"), "fw", vpcId="vpc-1", firewallPolicyArn="arn:p", **{
            arn["firewall"]: "arn:fw", "subnetMappings": [{"subnetId": "subnet-fw"}],
            **({"endpointIds": ["eu-central-1a:vpce-1"]} if native else
               {"firewallStatuses": [{"syncStates": [{"attachments": [{"endpointId": "vpce-1"}]}]}]})}),
        *(made(token("ec2", key.partition(" ")[0]), key.partition(" ")[2], key.partition(" ")[2],
               **{**value, **(routes if "RouteTable" in key else {})}) for key, value in VPC.items()),
        made(token("ec2", association), "a", routeTableId="rtb-app", subnetId="subnet-app"),
    )  # fmt: skip


def queries(*, native: bool) -> Stack:
    one = {
        "action": "ALLOW",
        "priority": 1,
        "firewallDomainListId": "l-1",
        "firewallDomainRedirectionAction": "TRUST_REDIRECTION_DOMAIN",
    }
    two = {"action": "BLOCK", "priority": 2, "firewallDomainListId": "l-2", "blockResponse": "NODATA"}
    lists = {"l-1": ["cgr.dev"], "l-2": ["*."]}
    if native:
        of = "aws-native:route53resolver:Firewall"
        held = [made(f"{of}RuleGroup", "g", "g-1", firewallRules=[one, two])]
    else:
        of = "aws:route53/resolverFirewall{}:ResolverFirewall{}"
        held = [made(of.format("RuleGroup", "RuleGroup"), "g", "g-1", name="g")]
        held += [
            made(of.format("Rule", "Rule"), f"r{each['priority']}", firewallRuleGroupId="g-1", **each)
            for each in (one, two)
        ]

    def token(kind: str) -> str:
        return f"{of}{kind}" if native else of.format(kind, kind)

    return (
        *held,
        *(made(token("DomainList"), id_, id_, domains=domains) for id_, domains in lists.items()),
        made(token("RuleGroupAssociation"), "a", firewallRuleGroupId="g-1", vpcId="vpc-1", priority=101),
    )


# Two providers of Azure

BASE = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network"


def on_azure(*, native: bool, wide: bool = False) -> Stack:
    names = {"name": "https", "sourceAddresses": ["10.0.0.0/8"], "targetFqdns": ["cgr.dev"],
             "protocols": [{"protocolType": "Https", "port": 443}]}  # fmt: skip
    ports = {"name": "ssh", "sourceIpGroups": [f"{BASE}/ipGroups/ips"], "destinationAddresses": ["34.8.0.0/16"],
             "destinationPorts": ["22"], "ipProtocols": ["TCP"]}  # fmt: skip
    every = {"name": "every", "sourceAddresses": ["*"], "destinationAddresses": ["*"], "destinationPorts": ["*"],
             "ipProtocols": ["Any"]}  # fmt: skip
    hop = {"name": "out", "addressPrefix": "0.0.0.0/0", "nextHopType": "VirtualAppliance"}
    if native:

        def collection(name: str, priority: int, action: str, rule: dict[str, Any], kind: str) -> dict[str, Any]:
            return {"ruleCollectionType": "FirewallPolicyFilterRuleCollection", "name": name, "priority": priority,
                    "action": {"type": action}, "rules": [{**rule, "ruleType": kind}]}  # fmt: skip

        def at(kind: str, name: str, link: str, /, **properties: Any) -> Resource:
            return made(f"azure-native:network:{kind}", name, f"{BASE}/{link}", resourceGroupName="rg", **properties)

        return (
            at("FirewallPolicy", "hub", "firewallPolicies/hub", firewallPolicyName="hub", sku={"tier": "Premium"},
               threatIntelMode="Off", dnsSettings={"enableProxy": True}),
            at("FirewallPolicyRuleCollectionGroup", "g", "firewallPolicies/hub/ruleCollectionGroups/g",
               firewallPolicyName="hub", ruleCollectionGroupName="g", priority=500, ruleCollections=[
                   collection("deny", 100, "Deny", ports, "NetworkRule"),
                   *([collection("every", 150, "Allow", every, "NetworkRule")] if wide else ()),
                   collection("allow", 200, "Allow", names, "ApplicationRule")]),
            at("IpGroup", "ips", "ipGroups/ips", ipGroupsName="ips", ipAddresses=["10.8.0.0/16"]),
            at("AzureFirewall", "fw", "azureFirewalls/fw", azureFirewallName="fw", sku={"tier": "Premium"},
               firewallPolicy={"id": f"{BASE}/firewallPolicies/hub"},
               ipConfigurations=[{"privateIPAddress": "10.0.0.4"}]),
            at("RouteTable", "rt", "routeTables/rt", routeTableName="rt", disableBgpRoutePropagation=True,
               routes=[{**hop, "nextHopIpAddress": "10.0.0.4"}]),
            at("Subnet", "app", "virtualNetworks/spoke/subnets/app", subnetName="app", virtualNetworkName="spoke",
               addressPrefixes=["10.1.0.0/24"], routeTable={"id": f"{BASE}/routeTables/rt"}),
        )  # fmt: skip

    def on(kind: str, name: str, link: str, /, **properties: Any) -> Resource:
        token = f"azure:network/{kind[:1].lower()}{kind[1:]}:{kind}"
        return made(token, name, f"{BASE}/{link}", name=name, resourceGroupName="rg", **properties)

    spelled = {"name": "https", "sourceAddresses": ["10.0.0.0/8"], "destinationFqdns": ["cgr.dev"],
               "protocols": [{"type": "Https", "port": 443}]}  # fmt: skip

    def bridged(rule: dict[str, Any]) -> dict[str, Any]:
        return {"protocols" if key == "ipProtocols" else key: value for key, value in rule.items()}

    more = [{"name": "every", "priority": 150, "action": "Allow", "rules": [bridged(every)]}] if wide else []
    return (
        on("FirewallPolicy", "hub", "firewallPolicies/hub", sku="Premium", threatIntelligenceMode="Off",
           dns={"proxyEnabled": True}),
        on("FirewallPolicyRuleCollectionGroup", "g", "firewallPolicies/hub/ruleCollectionGroups/g",
           firewallPolicyId=f"{BASE}/firewallPolicies/hub", priority=500,
           networkRuleCollections=[{"name": "deny", "priority": 100, "action": "Deny",
                                    "rules": [bridged(ports)]}, *more],
           applicationRuleCollections=[{"name": "allow", "priority": 200, "action": "Allow", "rules": [spelled]}]),
        on("IPGroup", "ips", "ipGroups/ips", cidrs=["10.8.0.0/16"]),
        on("Firewall", "fw", "azureFirewalls/fw", skuTier="Premium", firewallPolicyId=f"{BASE}/firewallPolicies/hub",
           ipConfigurations=[{"privateIpAddress": "10.0.0.4"}]),
        on("RouteTable", "rt", "routeTables/rt", bgpRoutePropagationEnabled=False,
           routes=[{**hop, "nextHopInIpAddress": "10.0.0.4"}]),
        on("Subnet", "app", "virtualNetworks/spoke/subnets/app", virtualNetworkName="spoke",
           addressPrefixes=["10.1.0.0/24"]),
        on("SubnetRouteTableAssociation", "app", "", subnetId=f"{BASE}/virtualNetworks/spoke/subnets/app",
           routeTableId=f"{BASE}/routeTables/rt"),
    )  # fmt: skip


# Google Cloud

NET = "projects/p/global/networks/n"


def on_gcp(*, wide: bool = False) -> Stack:
    def rule(name: str, priority: int, action: str, **match: Any) -> Resource:
        tcp = [{"ipProtocol": "tcp", "ports": ["443"]}] if action == "allow" else [{"ipProtocol": "all"}]
        return made(
            "gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule",
            name,
            firewallPolicy="f",
            priority=priority,
            action=action,
            direction="EGRESS",
            project="p",
            match={"layer4Configs": tcp, **match},
        )

    return (
        made("gcp:compute/network:Network", "n", NET, name="n", project="p"),
        made("gcp:compute/networkFirewallPolicy:NetworkFirewallPolicy", "f", "projects/p/global/firewallPolicies/f",
             name="f", project="p"),
        made("gcp:compute/networkFirewallPolicyAssociation:NetworkFirewallPolicyAssociation", "a", firewallPolicy="f",
             attachmentTarget=NET, project="p", name="a"),
        rule("on", 500, "deny", destIpRanges=["34.8.0.0/16"], srcIpRanges=["10.8.0.0/16"]),
        rule("names", 1000, "allow", destFqdns=["cgr.dev"]),
        *(() if wide else (rule("v4", 2000, "deny", destIpRanges=["0.0.0.0/0"]), rule("v6", 2001, "deny", destIpRanges=["::/0"]))),
        made("gcp:compute/firewall:Firewall", "classic", name="classic", network=NET, project="p", direction="EGRESS",
             priority=1000, denies=[{"protocol": "tcp", "ports": ["25"]}], destinationRanges=["0.0.0.0/0"]),
    )  # fmt: skip


STACKS: dict[str, Stack] = {
    "aws": on_aws(native=False), "aws-native": on_aws(native=True),
    "aws queries": queries(native=False), "aws-native queries": queries(native=True),
    "azure": on_azure(native=False), "azure-native": on_azure(native=True),
    "gcp": on_gcp(),
    **{f"{name}, everything behind the denies": stack for name, stack in (
        ("aws", on_aws(native=False, wide=True)), ("aws-native", on_aws(native=True, wide=True)),
        ("azure", on_azure(native=False, wide=True)), ("azure-native", on_azure(native=True, wide=True)),
        ("gcp", on_gcp(wide=True)))},
}  # fmt: skip
FLOWS = (
    Flow("cgr.dev", address="34.1.0.1", source="10.0.1.7"), Flow("evil.example", address="34.1.0.1", source="10.0.1.7"),
    Flow("bad.example", address="34.1.0.1", source="10.0.1.7"),
    Flow("evil.example", 22, "tcp", address="34.8.0.1", source="10.8.0.7"),
    Flow("evil.example", 25, "tcp", address="34.9.0.1", source="10.9.0.7"),
    Flow("evil.example", 443, "https", address="2001:db8::7", source="2600:1f18::7"),
)  # fmt: skip
ODD: tuple[Any, ...] = ("\u2603", 7, None, [], {}, [{}])
"""In the place of a value: text, a number, nothing, lists, objects. Some of it may be what was meant."""
WRONG: Mapping[type, tuple[Any, ...]] = {
    str: ({"\u2603": 1}, [{}], True), int: ("\u2603", {"\u2603": 1}, ["\u2603"]), bool: ("\u2603", 7, {"\u2603": 1}),
    list: (True, {"\u2603": 1}), dict: (7, True, "\u2603", ["\u2603"]),
}  # fmt: skip
"""By the type of a value, what nobody can have meant. A number for a list of one is another number."""


def parts(value: Any, instead: Callable[[Any], Iterable[Any]]) -> Iterator[Any]:
    """`value` with each part of it, itself among them, replaced by each of what is `instead` of it."""
    yield from instead(value)
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from ({**value, key: each} for each in parts(inner, instead))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from ([*value[:index], each, *value[index + 1 :]] for each in parts(inner, instead))


def changed(stack: Stack, index: int, key: str, value: Any) -> Stack:
    of = stack[index]
    return (*stack[:index], replace(of, properties={**of.properties, key: value}), *stack[index + 1 :])


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("pack")
    (folder / "settings.yaml").write_text("catalogs: [chainguard/images@2024-03-28]\n")
    return read_settings(folder, date(2026, 11, 28))


def verdicts(stack: Stack) -> dict[tuple[str, str], list[list[str]]]:
    """What becomes of each flow at each place, by target and kind of place."""
    found: dict[tuple[str, str], list[list[str]]] = {}
    for place in places_of_stack(Snapshot(stack, "a stack")):
        found.setdefault((place.target, place.kind), []).append([decide(place, flow).action for flow in FLOWS])
    return found


INPUTS = [(name, index) for name, stack in STACKS.items() for index in range(len(stack))]
of_each_resource = pytest.mark.parametrize(
    ("name", "index"), INPUTS, ids=[f"{name}: {STACKS[name][index].name}" for name, index in INPUTS]
)


@of_each_resource
def test_a_value_of_a_wrong_type_is_not_known_and_never_passed_over(name: str, index: int) -> None:
    """A flow ends as before, because the value is not about it, or nobody can tell: at the place where it did. Where the place
    is what the value named, another stands for it."""
    stack = STACKS[name]
    before = verdicts(stack)
    for key, given in stack[index].properties.items():
        for value in parts(given, lambda part: WRONG.get(type(part), ())):
            after = verdicts(changed(stack, index, key, value))
            for place, ((*was,),) in before.items():
                now = min(after[place], key=lambda each: len(differing(was, each)))
                assert not differing(was, now), (key, value, was, now)


def differing(before: list[str], after: list[str]) -> list[str]:
    return [new for old, new in zip(before, after, strict=True) if new not in (old, "unknown")]


EVERY: Final = 20
"""Of the odd values one in so many is put to all rules of the pack, which takes longer."""
NARROW = [each for each in INPUTS if "everything" not in each[0]]


@pytest.mark.parametrize(
    ("name", "index"), NARROW, ids=[f"{name}: {STACKS[name][index].name}" for name, index in NARROW]
)
def test_an_odd_value_is_read_by_everything_without_a_traceback(name: str, index: int, settings: Settings) -> None:
    stack = STACKS[name]
    values = ((key, value) for key, given in stack[index].properties.items() for value in parts(given, lambda _: ODD))
    for number, (key, value) in enumerate(values):
        held = changed(stack, index, key, value)
        judge_resource(held[index], settings)
        if number % EVERY:
            assert places_of_stack(Snapshot(held, "a stack")) is not None, (key, value)
        else:
            judge_stack(held, settings)
