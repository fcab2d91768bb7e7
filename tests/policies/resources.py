"""Resources as the engine hands them over, by hand: none of them is made by hostgate."""

from collections.abc import Sequence
from typing import Any

from hostgate.sandbox.wire_values import UNKNOWN_ON_WIRE
from policies.process import R

UNKNOWN = UNKNOWN_ON_WIRE
GROUP = "aws:networkfirewall/ruleGroup:RuleGroup"
POLICY = "aws:networkfirewall/firewallPolicy:FirewallPolicy"
TO_SERVER = ("aws:drop_established_app_layer_to_server", "aws:alert_established_app_layer_to_server")
STRICT = "STRICT_ORDER"


def tls(host: str, port: int | str = 443, sid: int = 1, match: str = "startswith; endswith") -> str:
    """A Suricata rule that passes a server name."""
    return (
        f"pass tls $HOME_NET any -> $EXTERNAL_NET {port} "
        f'(flow:to_server; ssl_state:client_hello; tls.sni; content:"{host}"; {match}; nocase; sid:{sid}; rev:1;)'
    )


def http(host: str, port: int | str = 80, sid: int = 1) -> str:
    return f'pass http $HOME_NET any -> $EXTERNAL_NET {port} (http.host; content:"{host}"; startswith; endswith; sid:{sid};)'


def aws_rules(*lines: str, name: str = "rules", capacity: Any = 100, order: Any = STRICT, **more: Any) -> R:
    return _group(name, {"rulesString": "\n".join(lines)}, capacity, order, more)


def aws_list(
    *targets: str, types: Sequence[str] = ("TLS_SNI",), name: str = "list", capacity: Any = 100, order: Any = STRICT,
    kind: str = "ALLOWLIST",
) -> R:  # fmt: skip
    listed = {"targets": list(targets), "targetTypes": list(types), "generatedRulesType": kind}
    return _group(name, {"rulesSourceList": listed}, capacity, order, {})


def aws_group(source: Any, name: str = "group", capacity: Any = 100, order: Any = STRICT, **more: Any) -> R:
    return _group(name, source, capacity, order, more)


def _group(name: str, source: Any, capacity: Any, order: Any, more: dict[str, Any]) -> R:
    group = {"rulesSource": source, "statefulRuleOptions": {"ruleOrder": order}, **more}
    return R(GROUP, name, {"type": "STATEFUL", "capacity": capacity, "name": name, "ruleGroup": group, "arn": UNKNOWN})


def aws_policy(
    *groups: str, defaults: Any = TO_SERVER, home_net: Any = ("10.0.0.0/8",), order: Any = STRICT, name: str = "policy",
    stateless: Any = ("aws:forward_to_sfe",), exceptions: Any = "REJECT", arns: Sequence[Any] | None = None,
    stateless_groups: Sequence[str] = (), **more: Any,
) -> R:  # fmt: skip
    """A policy that refers to `groups` of the same stack, and to nothing else but `arns` if these are given."""
    references = [UNKNOWN] * len(groups) if arns is None else arns
    inner: dict[str, Any] = {
        "statelessDefaultActions": stateless if stateless == UNKNOWN else list(stateless),
        "statelessFragmentDefaultActions": ["aws:forward_to_sfe"],
        "statefulDefaultActions": defaults if defaults == UNKNOWN else list(defaults),
        "statefulEngineOptions": {"ruleOrder": order, **({"streamExceptionPolicy": exceptions} if exceptions else {})},
        "statefulRuleGroupReferences": [
            {"resourceArn": arn, "priority": 100 + index} for index, arn in enumerate(references)
        ],
        "statelessRuleGroupReferences": [
            {"resourceArn": UNKNOWN, "priority": 1 + index} for index, _ in enumerate(stateless_groups)
        ],
        **more,
    }
    if home_net is not None:
        inner["policyVariables"] = (
            UNKNOWN
            if home_net == UNKNOWN
            else {"ruleVariables": [{"key": "HOME_NET", "ipSet": {"definitions": list(home_net)}}]}
        )
    return R(POLICY, name, {"firewallPolicy": inner}, (*groups, *stateless_groups))


def arn_of(name: str, account: str = "123456789012") -> str:
    return f"arn:aws:network-firewall:eu-central-1:{account}:stateful-rulegroup/{name}"


def aws_stateless(*rules: dict[str, Any], name: str = "first") -> R:
    """A group of stateless rules, each with its priority, actions and attributes."""
    source = {"statelessRulesAndCustomActions": {"statelessRules": list(rules)}}
    return R(GROUP, name, {"type": "STATELESS", "capacity": 100, "name": name, "ruleGroup": {"rulesSource": source}})


def stateless(action: str, priority: int = 1, **attributes: Any) -> dict[str, Any]:
    return {"priority": priority, "ruleDefinition": {"actions": [action], "matchAttributes": attributes}}


def dns_list(*domains: str, name: str = "hosts", **more: Any) -> R:
    properties = {"domains": list(domains), **more}
    return R("aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList", name, properties)


def dns_rule(
    action: Any, listed: str = "hosts", priority: Any = 100, group: str = "dns", made_from: Any = None, **more: Any
) -> R:
    """A rule for a list of the same stack, in a group of it."""
    properties = {
        "action": action, "priority": priority, "firewallDomainListId": UNKNOWN, "firewallRuleGroupId": UNKNOWN, **more,
    }  # fmt: skip
    name = f"{group}-{listed}-{priority}"
    return R(
        "aws:route53/resolverFirewallRule:ResolverFirewallRule", name, properties,
        (listed, group) if made_from is None else made_from,
    )  # fmt: skip


DNS_GROUP = R("aws:route53/resolverFirewallRuleGroup:ResolverFirewallRuleGroup", "dns", {"name": "dns"})


def native_group(*rules: tuple[Any, int, Any], made_from: Sequence[str] = ("hosts", "rest")) -> R:
    """A rule group of aws-native with its rules: each an action, a priority and the id of a list."""
    keys = ("action", "priority", "firewallDomainListId")
    held = [dict(zip(keys, rule, strict=True)) for rule in rules]
    return R("aws-native:route53resolver:FirewallRuleGroup", "twin", {"firewallRules": held}, made_from)


DNS_BLOCK = (dns_list("*.", name="rest"), dns_rule("BLOCK", "rest", 9000))


def gcp_rule(
    *fqdns: str, name: str = "rule", action: Any = "allow", priority: int = 1000, protocol: Any = "tcp",
    ports: Any = ("443",), ranges: Any = None, policy: str = "egress", made_from: Sequence[str] = (), **more: Any,
) -> R:  # fmt: skip
    layer = {"ipProtocol": protocol, **({} if ports is None else {"ports": ports if ports == UNKNOWN else list(ports)})}
    match: dict[str, Any] = {"layer4Configs": [layer]}
    if fqdns:
        match["destFqdns"] = list(fqdns)
    if ranges is not None:
        match["destIpRanges"] = ranges if ranges == UNKNOWN else list(ranges)
    match.update(more.pop("match", {}))
    properties = {
        "direction": "EGRESS", "action": action, "priority": priority, "firewallPolicy": policy, "match": match, **more,
    }  # fmt: skip
    return R("gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule", name, properties, made_from)


GCP_POLICY = R("gcp:compute/networkFirewallPolicy:NetworkFirewallPolicy", "egress", {"name": "egress"})


def gcp_denies(**more: Any) -> list[R]:
    """The last two rules of a firewall policy."""
    every = {"action": "deny", "protocol": "all", "ports": None, "enableLogging": True, **more}
    return [
        gcp_rule(name="deny4", priority=9000, ranges=["0.0.0.0/0"], **every),
        gcp_rule(name="deny6", priority=9001, ranges=["::/0"], **every),
    ]


def gcp_classic(**more: Any) -> R:
    properties = {
        "direction": "EGRESS", "network": "main", "allows": [{"protocol": "tcp", "ports": ["443"]}],
        "destinationRanges": ["0.0.0.0/0"], **more,
    }  # fmt: skip
    return R("gcp:compute/firewall:Firewall", "classic", properties)


PROXY_PLACE = "projects/p/locations/europe-west4"
LISTED = f"inUrlList(host(), '{PROXY_PLACE}/urlLists/hosts') && destination.port == 443"


def url_list(*values: Any, name: str = "hosts") -> R:
    held = UNKNOWN if values == (UNKNOWN,) else list(values)
    return R("gcp:networksecurity/urlList:UrlList", name, {"name": name, "location": "europe-west4", "values": held})


def proxy_rule(
    matcher: Any = LISTED, action: Any = "ALLOW", priority: Any = 100, name: str = "allow", policy: Any = "egress"
) -> R:
    inputs = {"basicProfile": action, "sessionMatcher": matcher, "priority": priority, "enabled": True}
    named = {"name": name, "location": "europe-west4", "gatewaySecurityPolicy": policy}
    return R("gcp:networksecurity/gatewaySecurityPolicyRule:GatewaySecurityPolicyRule", name, {**named, **inputs})


def gateway(routing: Any = "NEXT_HOP_ROUTING_MODE", policy: str = "egress") -> list[R]:
    """A gateway, its policy, and a route that leads everybody to it."""
    network = "projects/p/global/networks/main"
    used = f"{PROXY_PLACE}/gatewaySecurityPolicies/{policy}"
    return [
        R("gcp:networksecurity/gatewaySecurityPolicy:GatewaySecurityPolicy", policy,
          {"name": policy, "location": "europe-west4"}),
        R("gcp:networkservices/gateway:Gateway", "proxy",
          {"name": "proxy", "location": "europe-west4", "type": "SECURE_WEB_GATEWAY", "routingMode": routing, "allPorts": True,
           "addresses": ["10.0.0.9"], "network": network, "gatewaySecurityPolicy": used}),
        R("gcp:networkconnectivity/policyBasedRoute:PolicyBasedRoute", "lead",
          {"network": network, "filter": {"protocolVersion": "IPV4"}, "priority": 1000, "nextHopIlbIp": "10.0.0.9"}),
    ]  # fmt: skip


def authorization(action: str = "DENY", proxy: str = "proxy") -> R:
    """An authorization policy that names one host."""
    rules = [{"to": {"operations": [{"snis": [{"exact": "other.example"}]}]}}]
    inputs = {"action": action, "networkRules": rules, "target": {"resources": [f"{PROXY_PLACE}/gateways/{proxy}"]}}
    return R("gcp:networksecurity/authzPolicy:AuthzPolicy", "authz", inputs)


def application(
    *fqdns: str, kind: Any = "Https", port: Any = 443, sources: Any = ("*",), **more: Any
) -> dict[str, Any]:
    return {
        "ruleType": "ApplicationRule", "name": "app", "sourceAddresses": list(sources), "targetFqdns": list(fqdns),
        "protocols": [{"protocolType": kind, "port": port}], **more,
    }  # fmt: skip


def network(
    *, fqdns: Any = None, addresses: Any = None, protocols: Any = ("TCP",), ports: Any = ("443",), sources: Any = ("*",)
) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "ruleType": "NetworkRule", "name": "net", "ipProtocols": list(protocols), "sourceAddresses": list(sources),
        "destinationPorts": ports if ports == UNKNOWN else list(ports),
    }  # fmt: skip
    if fqdns is not None:
        rule["destinationFqdns"] = list(fqdns)
    if addresses is not None:
        rule["destinationAddresses"] = addresses if addresses == UNKNOWN else list(addresses)
    return rule


def bridged(*rules: dict[str, Any], kind: str = "network", name: str = "group", policy: str = "hub") -> R:
    """A rule collection group as the provider bridged from Terraform has it."""
    collection = {"name": "c", "priority": 1000, "action": "Allow", "rules": list(rules)}
    properties = {
        "name": name, "firewallPolicyId": f"/subscriptions/s/resourceGroups/rg/providers/x/firewallPolicies/{policy}",
        "priority": 2000, f"{kind}RuleCollections": [collection],
    }  # fmt: skip
    return R("azure:network/firewallPolicyRuleCollectionGroup:FirewallPolicyRuleCollectionGroup", name, properties)


def azure(*rules: Any, name: str = "group", action: Any = "Allow", policy: Any = "hub") -> R:
    collection = {
        "ruleCollectionType": "FirewallPolicyFilterRuleCollection", "name": "c", "priority": 1000,
        "action": {"type": action}, "rules": list(rules),
    }  # fmt: skip
    properties = {"firewallPolicyName": policy, "priority": 2000, "ruleCollections": [collection]}
    return R("azure-native:network:FirewallPolicyRuleCollectionGroup", name, properties)
