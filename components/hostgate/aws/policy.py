"""What both Network Firewall mechanisms share: rule groups with reserved capacity, the policy or its references.

The policy is strict-order with application-layer drop to the server and its alert twin (a drop default without the
twin logs nothing), stream exceptions rejected, and HOME_NET set at policy level, from which EXTERNAL_NET follows.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from hostgate.aws.options import NetworkFirewallOptions
from hostgate.aws.strict_order import POLICY, REFERENCES, RULE_GROUP
from hostgate.aws.suricata import Rule, Sids
from hostgate.aws.suricata import group as group_of
from hostgate.catalog.model import Entry
from hostgate.planning.findings import Finding, finding
from hostgate.planning.flow import Verdict
from hostgate.planning.limits import Limit, Usage
from hostgate.planning.mechanism import CloudObject
from hostgate.planning.options import public_ranges

_QUOTAS = "AWS Network Firewall developer guide, quotas"
READ = "2026-11-23"

GROUP_CAPACITY = Limit("capacity of a rule group", 30_000, "capacity units", _QUOTAS, READ)
POLICY_CAPACITY = Limit("stateful capacity of a policy", 30_000, "capacity units", _QUOTAS, READ)
POLICY_GROUPS = Limit("stateful rule groups of a policy", 20, "rule groups", _QUOTAS, READ)
GROUP_BYTES = Limit("rules of a rule group", 2_000_000, "bytes", _QUOTAS, READ)
RULE_LENGTH = Limit(
    "one rule",
    8_175,
    "characters",
    "8,192 less a 16-character gid that the service adds; measured on the service",
    READ,
)
LIMITS = (GROUP_CAPACITY, POLICY_CAPACITY, POLICY_GROUPS, GROUP_BYTES, RULE_LENGTH)

CAPACITIES = (100, 200, 300, 500, 750, 1000, 1500, 2000, 3000, 5000, 7500, 10_000, 15_000, 20_000, 30_000)
"""Steps of reserved capacity. It cannot change later without a new group, and what is unused is free (AWS guide,
capacity), so a group takes the first step that its rules fill to at most 70 %."""

EDGE_SLOT, GUARD_SLOT, ALLOW_SLOT, HTTP_SLOT = 0, 1000, 2000, 3000
"""Priority of each kind of group, after the user's base; shards of a kind follow by their own fixed number."""

PASS_PRIVATE = "pass-private"
DROP_TO_SERVER = "aws:drop_established_app_layer_to_server"
ALERT_TO_SERVER = "aws:alert_established_app_layer_to_server"


def capacity(rules: int) -> int:
    """Capacity units to reserve for `rules`; more than the maximum where they do not fit, so that the limit shows."""
    return next(
        (step for step in CAPACITIES if rules <= step * 0.7), CAPACITIES[-1] if rules <= CAPACITIES[-1] else rules
    )


def suricata_group(options: NetworkFirewallOptions, suffix: str, rules: Sequence[Rule], about: str) -> CloudObject:
    """A rule group of Suricata rules in strict order; one capacity unit a rule."""
    text = "".join(f"{rule}\n" for rule in rules)
    return _group(options, suffix, {"RulesString": text}, capacity(len(rules)), about, text)


def list_group(
    options: NetworkFirewallOptions, suffix: str, targets: Sequence[str], kind: str, about: str
) -> CloudObject:
    """A domain list. Capacity: targets x types + types + 1, the larger of two published measurements."""
    listed = {"Targets": list(targets), "TargetTypes": [kind], "GeneratedRulesType": "ALLOWLIST"}
    return _group(options, suffix, {"RulesSourceList": listed}, capacity(len(targets) + 2), about, None)


def edge_group(options: NetworkFirewallOptions, sids: Sids) -> CloudObject | None:
    """What goes before every allow: private traffic passes, and datagrams to the internet do not.

    The policy's default drops established flows only, so that TCP can shake hands; the first datagram of a UDP or
    ICMP exchange would get out, and a DNS question is no more than that.
    """
    if options.deny not in ("internet", "all"):
        return None
    stop = "alert" if options.mode == "audit" else "drop"
    outside = "$EXTERNAL_NET" if options.deny == "internet" else "any"
    rules = []
    if options.deny == "internet":
        public = public_ranges(options.home_net)
        private = [cidr for cidr in options.home_net if cidr not in public]
        if private:
            inside = group_of(private) if public else "$HOME_NET"
            rules.append(_edge(PASS_PRIVATE, "pass", "ip", inside, "private traffic is not judged", (), sids))
    for name, protocol, words, conditions in (
        ("udp", "udp", "QUIC, DNS and other datagrams stay inside", ("flow:to_server",)),
        ("icmp", "icmp", "no ICMP to the outside", ("flow:to_server",)),
        # A tunnel (GRE, ESP, 6in4) or SCTP has no flow that the default would call established.
        ("others", "ip", "no other IP protocol to the outside", ("ip_proto:!6", "ip_proto:!17", "ip_proto:!1")),
    ):
        rules.append(_edge(f"{stop}-{name}", stop, protocol, outside, words, conditions, sids))
    return suricata_group(options, "edge", rules, "private traffic passes, datagrams stay inside")


def _edge(
    name: str, action: str, protocol: str, destination: str, words: str, conditions: tuple[str, ...], sids: Sids
) -> Rule:
    return Rule(
        action=action, protocol=protocol, source="$HOME_NET", destination=destination, port="any",
        msg=f"hostgate: {words}", conditions=conditions, sid=sids.of("hostgate", name),
    )  # fmt: skip


def assemble(options: NetworkFirewallOptions, groups: Sequence[tuple[int, CloudObject]]) -> tuple[CloudObject, ...]:
    """`groups` with their priority slots, and the policy that holds them or the references for one owned elsewhere."""
    references = [
        {
            "ResourceArn": f"arn:aws:network-firewall:REGION:ACCOUNT:stateful-rulegroup/{group.name}",
            "Priority": options.base + slot,
        }
        for slot, group in sorted(groups, key=lambda item: item[0])
    ]
    objects = tuple(group for _, group in sorted(groups, key=lambda item: item[0]))
    if not options.creates_policy:
        wanted = CloudObject(
            kind=REFERENCES, name=f"{options.name}-references", body={"StatefulRuleGroupReferences": references}
        )
        return (*objects, wanted)
    silent = options.mode == "audit" or options.deny == "none"
    body: dict[str, Any] = {
        "FirewallPolicyName": options.name,
        "FirewallPolicy": {
            "StatelessDefaultActions": ["aws:forward_to_sfe"],
            "StatelessFragmentDefaultActions": ["aws:forward_to_sfe"],
            "StatefulDefaultActions": [ALERT_TO_SERVER] if silent else [DROP_TO_SERVER, ALERT_TO_SERVER],
            "StatefulEngineOptions": {"RuleOrder": "STRICT_ORDER", "StreamExceptionPolicy": "REJECT"},
            "StatefulRuleGroupReferences": references,
            "PolicyVariables": {"RuleVariables": {"HOME_NET": {"Definition": list(options.home_net)}}},
        },
        "Description": "hostgate: what no rule group passes is dropped"
        if not silent
        else "hostgate: nothing is dropped",
    }
    if options.tags:
        body["Tags"] = _tags(options)
    return (*objects, CloudObject(kind=POLICY, name=options.name, body=body))


def fixed(each: CloudObject, objects: Sequence[CloudObject], *, whole: bool) -> dict[str, Any]:
    """What of `each` cannot change in place (CloudFormation reference, `Update requires: Replacement`, 2026-11-23).

    A policy of ours replaces its groups with its own settings, and with `whole` also where their rules change: its
    update is the one moment at which all of them change together.
    """
    if each.kind != RULE_GROUP:
        return {}
    body = each.body
    found = {
        "Type": body["Type"],
        "Capacity": body["Capacity"],
        "RuleOrder": body["RuleGroup"]["StatefulRuleOptions"]["RuleOrder"],
    }
    ours = next((other.body["FirewallPolicy"] for other in objects if other.kind == POLICY), None)
    if ours is not None:
        found["settings of the policy"] = {k: v for k, v in ours.items() if k != "StatefulRuleGroupReferences"}
        if whole:
            found["RuleGroup"] = body["RuleGroup"]
    return found


def usage(options: NetworkFirewallOptions, objects: Iterable[CloudObject]) -> tuple[Usage, ...]:
    """How full the fullest group is, and the policy. A rule is as long as with its variables expanded."""
    home_net = group_of(options.home_net)
    groups = [each for each in objects if each.kind == RULE_GROUP]
    texts = [each.text for each in groups if each.text]
    sizes = [len(each.text.encode()) if each.text else _list_bytes(each) for each in groups]
    return (
        Usage(GROUP_CAPACITY, max((each.body["Capacity"] for each in groups), default=0)),
        Usage(POLICY_CAPACITY, sum(each.body["Capacity"] for each in groups)),
        Usage(POLICY_GROUPS, len(groups)),
        Usage(GROUP_BYTES, max(sizes, default=0)),
        Usage(
            RULE_LENGTH,
            max((_expanded_length(line, home_net) for text in texts for line in text.splitlines()), default=0),
        ),
    )


def _expanded_length(rule: str, home_net: str) -> int:
    """Characters of `rule` with HOME_NET written out, and EXTERNAL_NET as its inverse."""
    inside, outside = rule.count("$HOME_NET"), rule.count("$EXTERNAL_NET")
    grown = inside * (len(home_net) - len("$HOME_NET")) + outside * (len(home_net) + 1 - len("$EXTERNAL_NET"))
    return len(rule) + grown


def remarks(options: NetworkFirewallOptions, entries: Sequence[Entry], sids: Sids) -> list[Finding]:
    """The findings that follow from the options."""
    found = [
        finding("quic-closed", "UDP 443 stays closed; clients fall back to TLS over TCP."),
        *(finding("sid-collision", f"The signature id of {name} moved to the next free one.") for name in sids.yielded),
    ]
    if not options.from_:
        found.append(finding("from-everything", f"All of HOME_NET ({', '.join(options.home_net)}) may use the hosts."))
    if options.mode == "audit":
        found.append(finding("audit", "The policy's default logs and does not drop."))
    if options.deny == "none":
        found.append(finding("deny-none", "The policy has no drop default: what no rule matches passes."))
    if options.deny in ("internet", "all"):
        public = public_ranges(options.home_net)
        what = (
            "private addresses too, "
            if options.deny == "all"
            else f"{', '.join(public)} of homeNet too, "
            if public
            else ""
        )
        found.append(
            finding(
                "deny-cuts",
                f"Everything else that crosses the firewall is cut: {what}DNS to resolvers outside, NTP, ICMP, Google and AWS "
                "APIs by public name. DNS to the VPC resolver never crosses it.",
            )
        )
        found.append(
            finding(
                "detection-gap",
                "Packets of a TCP connection that looks like no known protocol, or never finishes a hello, pass until the engine "
                "gives up telling what it is; seen on Suricata 7.0.10, not tried on the service.",
            )
        )
    if options.deny == "declared":
        home = ", ".join(options.home_net)
        default = ALERT_TO_SERVER if options.mode == "audit" else f"{DROP_TO_SERVER} and {ALERT_TO_SERVER}"
        found += [
            finding("deny-declared", "The deny is the default action of a policy that this plan does not own."),
            finding(
                "attached-policy",
                f"{options.attach or 'The policy'} needs: rule order STRICT_ORDER, HOME_NET at policy level ({home}), stateful "
                f"defaults {default}, a drop of all but TCP to EXTERNAL_NET before other groups, and no broader pass before.",
            ),
        ]
    if any(entry.families and "ipv6" in entry.families for entry in entries) and not any(
        ":" in cidr for cidr in options.from_ or options.home_net
    ):
        found.append(finding("ipv4-only", "HOME_NET has no IPv6 range, so clients reach the hosts over IPv4 only."))
    return found


def undecided(options: NetworkFirewallOptions) -> Verdict:
    """What becomes of a flow that no group decides, where the policy is owned elsewhere."""
    if options.mode == "audit":
        return Verdict("allow", None, "no rule matches; in audit mode the attached policy's default only logs")
    return Verdict("block", None, "no rule matches; the attached policy's default must drop it (deny: declared)")


def effective_home_net(options: NetworkFirewallOptions, objects: Sequence[CloudObject]) -> Sequence[str]:
    """HOME_NET as the policy among `objects` sets it, or as the options declare it for an attached one."""
    for each in objects:
        if each.kind == POLICY:
            variables = each.body["FirewallPolicy"]["PolicyVariables"]["RuleVariables"]
            return list(variables["HOME_NET"]["Definition"])
    return options.home_net


def _group(
    options: NetworkFirewallOptions, suffix: str, source: dict[str, Any], units: int, about: str, text: str | None
) -> CloudObject:
    name = f"{options.name}-{suffix}"
    body: dict[str, Any] = {
        "RuleGroupName": name,
        "Type": "STATEFUL",
        "Capacity": units,
        "Description": f"hostgate: {about}",
        "RuleGroup": {"RulesSource": source, "StatefulRuleOptions": {"RuleOrder": "STRICT_ORDER"}},
    }
    if options.tags:
        body["Tags"] = _tags(options)
    return CloudObject(kind=RULE_GROUP, name=name, body=body, text=text)


def _tags(options: NetworkFirewallOptions) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(options.tags.items())]


def _list_bytes(group: CloudObject) -> int:
    """An estimate from above of what a list becomes: the service writes about 160 bytes around each target."""
    listed = group.body["RuleGroup"]["RulesSource"]["RulesSourceList"]
    return sum(len(target) + 200 for target in listed["Targets"]) * len(listed["TargetTypes"])
