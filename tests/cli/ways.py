"""States of clients' networks with an allowlist, as `pulumi stack export` has them: AWS, Azure, a web proxy of Google Cloud."""

import json
from pathlib import Path
from typing import Any

State = dict[str, Any]
EVERY = {"IPv4": "0.0.0.0/0", "IPv6": "::/0"}


def made(
    type_: str, called: str, id_: str = "", parent: State | None = None, /, stack: str = "prod::net", **inputs: Any
) -> State:
    above = f"{parent['type']}$" if parent else ""
    told = {"parent": parent["urn"]} if parent else {}
    return {
        "urn": f"urn:pulumi:{stack}::{above}{type_}::{called}", "type": type_, "custom": True, "id": id_ or called,
        "inputs": inputs, "outputs": inputs, **told,
    }  # fmt: skip


def allowlist(
    kind: str, target: str, rule: str, *, stack: str = "prod::net", host: str = "cgr.dev", **inputs: Any
) -> State:
    type_ = f"hostgate-{target.partition(':')[0]}:index:{kind}"
    said = {"acme/pull#registry": f"allowed exact {host}:443/https {rule} Images"}
    told = {"target": target, "mode": "enforce", "deny": "declared", "digest": "x", "decisions": said, **inputs}
    return {"urn": f"urn:pulumi:{stack}::{type_}::list", "type": type_, "custom": False, "inputs": told}


def state(folder: Path, *resources: State, name: str = "state.json") -> Path:
    path = folder / name
    path.write_text(json.dumps({"version": 3, "deployment": {"resources": resources}}))
    return path


# AWS.

GROUP, POLICY = "aws:networkfirewall/ruleGroup:RuleGroup", "aws:networkfirewall/firewallPolicy:FirewallPolicy"
POLICY_ARN = "arn:aws:network-firewall:eu-central-1:1:firewall-policy/p"
TEXT = """pass tls $HOME_NET any -> $EXTERNAL_NET 443 (tls.sni; content:"{}"; startswith; endswith; flow:to_server; sid:1;)
drop ip any any -> any any (ip_proto:!6; sid:2;)"""


def aws_list(*clients: str, **more: Any) -> State:
    return allowlist("NetworkFirewallAllowlist", "aws:rules", "rules#1", options={"from": [*clients]}, **more)


def aws_group(parent: State | None, name: str = "rules", host: str = "cgr.dev", stack: str = "prod::net") -> State:
    arn = f"arn:aws:network-firewall:eu-central-1:1:stateful-rulegroup/{name}"
    held = {"rulesSource": {"rulesString": TEXT.format(host)}, "statefulRuleOptions": {"ruleOrder": "STRICT_ORDER"}}
    return made(GROUP, name, arn, parent, stack=stack, name=name, arn=arn, type="STATEFUL", capacity=9, ruleGroup=held)


def aws_policy(*groups: State) -> State:
    inner = {
        "statelessDefaultActions": ["aws:forward_to_sfe"], "statelessFragmentDefaultActions": ["aws:forward_to_sfe"],
        "statefulEngineOptions": {"ruleOrder": "STRICT_ORDER"},
        "statefulDefaultActions": ["aws:drop_established_app_layer_to_server"],
        "statefulRuleGroupReferences": [
            {"priority": at, "resourceArn": each["id"]} for at, each in enumerate(groups, start=1)],
        "policyVariables": {"ruleVariables": [{"key": "HOME_NET", "ipSet": {"definitions": ["10.0.0.0/8"]}}]},
    }  # fmt: skip
    return made(POLICY, "p", POLICY_ARN, name="p", arn=POLICY_ARN, firewallPolicy=inner)


FIREWALL = made(
    "aws:networkfirewall/firewall:Firewall", "fw", "arn:fw", arn="arn:fw", vpcId="vpc-1", firewallPolicyArn=POLICY_ARN,
    subnetMappings=[{"subnetId": "subnet-fw"}],
    firewallStatuses=[{"syncStates": [{"attachments": [{"endpointId": "vpce-1"}]}]}],
)  # fmt: skip


def aws_network(
    family: str = "IPv4", *more: State, name: str = "app", cidr: str = "10.0.1.0/24", **target: Any
) -> list[State]:
    """A subnet whose default route of one family leads to `target`; those of the other lead nowhere."""
    key = "destinationIpv6CidrBlock" if family == "IPv6" else "destinationCidrBlock"
    six = {"ipv6CidrBlock": "2600:1f18::/64"} if family == "IPv6" else {}
    table = {"routeTableId": f"rtb-{name}"}
    return [
        made("aws:ec2/vpc:Vpc", "vpc", "vpc-1", cidrBlock="10.0.0.0/16"),
        made("aws:ec2/subnet:Subnet", name, f"subnet-{name}", vpcId="vpc-1", cidrBlock=cidr, **six),
        made("aws:ec2/routeTable:RouteTable", f"rt-{name}", f"rtb-{name}", vpcId="vpc-1"),
        made("aws:ec2/routeTableAssociation:RouteTableAssociation", f"a-{name}", **table, subnetId=f"subnet-{name}"),
        made("aws:ec2/route:Route", f"out-{name}", **table, **{key: EVERY[family]}, **target),
        *more,
    ]


NAT = [
    made("aws:ec2/natGateway:NatGateway", "nat", "nat-1", subnetId="subnet-public"),
    *aws_network(name="public", cidr="10.0.9.0/24", gatewayId="igw-1")[1:],
]

# Azure.

AZURE_ID = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network"
TO_HUB = {"firewallPolicyName": "hub", "resourceGroupName": "rg"}
AZURE_POLICY = made("azure-native:network:FirewallPolicy", "hub", f"{AZURE_ID}/firewallPolicies/hub", **TO_HUB)
AZURE_FIREWALL = made(
    "azure-native:network:AzureFirewall", "fw", f"{AZURE_ID}/azureFirewalls/fw", resourceGroupName="rg",
    firewallPolicy={"id": AZURE_POLICY["id"]}, ipConfigurations=[{"privateIPAddress": "10.0.0.4"}],
)  # fmt: skip


def azure_list(*clients: str, **more: Any) -> State:
    options = {"attach": AZURE_POLICY["id"], "from": [*clients]}
    return allowlist("FirewallPolicyAllowlist", "azure:application-rules", "names/c/images", options=options, **more)


def azure_group(parent: State | None, *clients: str) -> State:
    rule = {"ruleType": "ApplicationRule", "name": "images", "sourceAddresses": [*clients] or ["*"],
            "targetFqdns": ["cgr.dev"], "protocols": [{"protocolType": "Https", "port": 443}]}  # fmt: skip
    held = {"ruleCollectionType": "FirewallPolicyFilterRuleCollection", "name": "c", "priority": 100,
            "action": {"type": "Allow"}, "rules": [rule]}  # fmt: skip
    type_, id_ = (
        "azure-native:network:FirewallPolicyRuleCollectionGroup",
        f"{AZURE_POLICY['id']}/ruleCollectionGroups/names",
    )
    named = {**TO_HUB, "ruleCollectionGroupName": "names"}
    return made(type_, "names", id_, parent, **named, priority=200, ruleCollections=[held])


def azure_network(kind: str, address: str | None = None, family: str = "IPv4") -> list[State]:
    hop = {"nextHopType": kind, **({"nextHopIpAddress": address} if address else {})}
    id_ = f"{AZURE_ID}/routeTables/rt"
    table = made("azure-native:network:RouteTable", "rt", id_, resourceGroupName="rg", routeTableName="rt",
                 disableBgpRoutePropagation=True, routes=[{"name": "out", "addressPrefix": EVERY[family], **hop}])  # fmt: skip
    ranges = ["10.0.1.0/24", *(["fd00:1::/64"] if family == "IPv6" else [])]
    subnet = made("azure-native:network:Subnet", "app", f"{AZURE_ID}/virtualNetworks/v/subnets/app", resourceGroupName="rg",
                  virtualNetworkName="v", subnetName="app", addressPrefixes=ranges, routeTable={"id": id_})  # fmt: skip
    return [table, subnet]


# Google Cloud.

NETWORK = "projects/acme/global/networks/main"
GATE = "projects/acme/locations/europe-west4/gatewaySecurityPolicies/gate"
HERE = {"location": "europe-west4", "project": "acme"}


def proxy_list(*clients: str, **more: Any) -> State:
    options = {"attach": GATE, "from": [*clients]}
    return allowlist("WebProxyAllowlist", "gcp:web-proxy", "allow", options=options, **more)


def proxy_rule(parent: State | None) -> list[State]:
    matcher = "host() == 'cgr.dev' && destination.port == 443"
    policy = made("gcp:networksecurity/gatewaySecurityPolicy:GatewaySecurityPolicy", "gate", GATE, name="gate", **HERE)
    rule = made("gcp:networksecurity/gatewaySecurityPolicyRule:GatewaySecurityPolicyRule", "allow", f"{GATE}/rules/allow",
                parent, name="allow", gatewaySecurityPolicy="gate", enabled=True, priority=1, basicProfile="ALLOW",
                sessionMatcher=matcher, **HERE)  # fmt: skip
    return [policy, rule]


PROXY = made(
    "gcp:networkservices/gateway:Gateway", "gw", "projects/acme/locations/europe-west4/gateways/gw", name="gw", **HERE,
    type="SECURE_WEB_GATEWAY", routingMode="NEXT_HOP_ROUTING_MODE", network=NETWORK, addresses=["10.0.0.99"],
    ports=[443], gatewaySecurityPolicy=GATE,
)  # fmt: skip


def gcp_route(hop: str = "10.0.0.99", name: str = "to-proxy", priority: int = 100) -> State:
    told = {"name": name, "project": "acme", "network": NETWORK, "destRange": "0.0.0.0/0", "priority": priority}
    return made("gcp:compute/route:Route", name, f"projects/acme/global/routes/{name}", **told, nextHopIlb=hop)


GCP_NETWORK = [
    made("gcp:compute/network:Network", "main", NETWORK, name="main", project="acme"),
    made("gcp:compute/subnetwork:Subnetwork", "app", "projects/acme/regions/europe-west4/subnetworks/app", name="app",
         project="acme", region="europe-west4", network=NETWORK, ipCidrRange="10.0.1.0/24"),
]  # fmt: skip
