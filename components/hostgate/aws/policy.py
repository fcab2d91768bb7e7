"""What both Network Firewall mechanisms share: rule groups with reserved capacity, the policy or its references.

The policy is strict-order with application-layer drop to the server and its alert twin (a drop default without the
twin logs nothing), stream exceptions rejected, and HOME_NET set at policy level, from which EXTERNAL_NET follows.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from ipaddress import ip_network
from typing import Any

from hostgate.aws import default_actions
from hostgate.aws.default_actions import ALERT_TO_SERVER, DROP_TO_SERVER
from hostgate.aws.firewall import around, beside, managed_references, remarks_around, stateless
from hostgate.aws.firewall_kinds import FIREWALL, POLICY, REFERENCES, RULE_GROUP, plan_arn
from hostgate.aws.firewall_limits import (
    GROUP_BYTES,
    GROUP_CAPACITY,
    IP_SET_REFERENCES,
    POLICY_CAPACITY,
    POLICY_GROUPS,
    RULE_LENGTH,
)
from hostgate.aws.network_firewall_options import NetworkFirewallOptions
from hostgate.aws.policy_options import POLICY_ARN
from hostgate.aws.resources import TYPES
from hostgate.catalog.model import Entry
from hostgate.planning.findings import Finding, finding
from hostgate.planning.limits import Usage
from hostgate.planning.mechanism import CloudObject
from hostgate.planning.options import public_ranges
from hostgate.planning.pooled import FedOptions
from hostgate.planning.resource_types import fixed_by_row
from hostgate.suricata.writer import Rule, Sids
from hostgate.suricata.writer import group as group_of

CAPACITIES = (100, 200, 300, 500, 750, 1000, 1500, 2000, 3000, 5000, 7500, 10_000, 15_000, 20_000, 30_000)
"""Steps of reserved capacity. It cannot change later without a new group, and what is unused is free (AWS guide,
capacity), so a group takes the first step that its rules fill to at most 70 %."""

ADDRESS_SLOT, EDGE_SLOT, GUARD_SLOT, ALLOW_SLOT, HTTP_SLOT, CLOSING_SLOT = 0, 500, 1000, 2000, 3000, 5000
"""Priority of each kind of group, after the user's base; shards of a kind follow by their own fixed number."""

BETWEEN_GRANTS = 32
"""Between the groups of one grant and those of the next of the same kind: room for 16 shards, and a policy has 20 groups."""


def capacity(rules: int) -> int:
    """Capacity units to reserve for `rules`; more than the maximum where they do not fit, so that the limit shows."""
    return next(
        (step for step in CAPACITIES if rules <= step * 0.7), CAPACITIES[-1] if rules <= CAPACITIES[-1] else rules
    )


def suricata_group(
    options: NetworkFirewallOptions,
    suffix: str,
    rules: Sequence[Rule],
    about: str,
    references: Mapping[str, str] = {},
    sets: Mapping[str, Sequence[str]] = {},
) -> CloudObject:
    """A rule group of Suricata rules in strict order; one capacity unit a rule. By key, `references`: ARNs of IP sets;
    `sets`: what is in those of its own."""
    text = "".join(f"{rule}\n" for rule in rules)
    return _group(options, suffix, {"RulesString": text}, capacity(len(rules)), about, text, references, sets)


def list_group(
    options: NetworkFirewallOptions, suffix: str, targets: Sequence[str], kind: str, about: str
) -> CloudObject:
    """A domain list. Capacity: targets x types + types + 1, the larger of two published measurements."""
    listed = {"Targets": list(targets), "TargetTypes": [kind], "GeneratedRulesType": "ALLOWLIST"}
    return _group(options, suffix, {"RulesSourceList": listed}, capacity(len(targets) + 2), about, None)


def assemble(options: NetworkFirewallOptions, groups: Sequence[tuple[int, CloudObject]]) -> tuple[CloudObject, ...]:
    """`groups` with their priority slots, the policy that holds them or the references for one owned elsewhere, and
    what is made around it."""
    references = [
        {
            "ResourceArn": plan_arn(RULE_GROUP, group.name),
            "Priority": options.base + slot,
        }
        for slot, group in sorted(groups, key=lambda item: item[0])
    ]
    objects = tuple(group for _, group in sorted(groups, key=lambda item: item[0]))
    if not options.creates_policy:
        wanted = CloudObject(
            kind=REFERENCES, name=f"{options.stem}-references", body={"StatefulRuleGroupReferences": references}
        )
        return (*objects, wanted, *around(options, objects))
    silent = options.mode == "audit" or options.deny == "none"
    body: dict[str, Any] = {
        "FirewallPolicyName": options.stem,
        "FirewallPolicy": {
            **stateless(options),
            **({} if options.rejects else {"StatefulDefaultActions": _default_actions(options, silent=silent)}),
            "StatefulEngineOptions": _engine(options),
            "StatefulRuleGroupReferences": [*managed_references(options), *references],
            "PolicyVariables": {"RuleVariables": {"HOME_NET": {"Definition": list(options.home_net)}}},
        },
        "Description": _description(options, silent=silent),
    }
    if options.tls_inspection is not None:
        body["FirewallPolicy"][_TLS] = options.tls_inspection
    body |= beside(options, options.policy_tags)
    objects = tuple(_marked(each, settings_of(body["FirewallPolicy"])) for each in objects)
    return (*objects, CloudObject(kind=POLICY, name=options.stem, body=body), *around(options, objects))


def _engine(options: NetworkFirewallOptions) -> dict[str, Any]:
    found: dict[str, Any] = {"RuleOrder": "STRICT_ORDER", "StreamExceptionPolicy": "REJECT"}
    if options.flow_timeouts is not None:
        found["FlowTimeouts"] = {"TcpIdleTimeoutSeconds": options.flow_timeouts.tcp_idle_timeout_seconds}
    return found


def _description(options: NetworkFirewallOptions, *, silent: bool) -> str:
    if not silent:
        return "hostgate: what no rule group passes is dropped"
    return "hostgate: only managed groups drop" if options.managed_groups else "hostgate: nothing is dropped"


def _default_actions(options: NetworkFirewallOptions, *, silent: bool) -> list[str]:
    """The policy's default actions; `silent` keeps those that only log."""
    chosen = options.default_actions or [DROP_TO_SERVER, ALERT_TO_SERVER]
    if not silent:
        return list(chosen)
    logging = [action for action in chosen if not action.startswith("aws:drop_")]
    return logging or [default_actions.twin(action) for action in chosen]


def fixed(each: CloudObject, objects: Sequence[CloudObject], *, whole: bool) -> dict[str, Any]:
    """What of `each` cannot change in place.

    A policy of ours replaces its groups with its own settings, and with `whole` also where their rules change: its
    update is the one moment at which all of them change together.
    """
    found = fixed_by_row(TYPES, each.kind, each.body)
    if each.kind == POLICY:
        found["TLS inspection"] = each.body["FirewallPolicy"].get(_TLS)
    if each.kind == RULE_GROUP and any(other.kind == POLICY for other in objects):
        found["Description"] = each.body["Description"]
        if whole:
            found["RuleGroup"] = each.body["RuleGroup"]
    return found


def outside(kinds: Collection[str]) -> Mapping[str, str]:
    """Whom it touches where firewall, policy or groups of a plan are made anew: the outermost that there is."""
    if FIREWALL in kinds:
        words = (
            "Its endpoints are others: what routes of other stacks lead to the old ones is lost until they are changed."
        )
        return {FIREWALL: words}
    if POLICY in kinds:
        return {
            POLICY: "A firewall of another stack has to take the new one: until then AWS keeps the old one, and `up` ends so."
        }
    words = (
        "A policy that holds old groups has to take the new `references`: until then AWS keeps them, and `up` ends so."
    )
    return {RULE_GROUP: words} if REFERENCES in kinds else {}


_TLS = "TLSInspectionConfigurationArn"


def settings_of(policy: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a policy of ours with which its groups are replaced: they change at the moment of its update."""
    apart = ("StatefulRuleGroupReferences", "StatelessRuleGroupReferences", "StatelessCustomActions", _TLS)
    engine = {key: value for key, value in policy["StatefulEngineOptions"].items() if key != "FlowTimeouts"}
    return {key: value for key, value in policy.items() if key not in apart} | {"StatefulEngineOptions": engine}


def _marked(group: CloudObject, settings: Mapping[str, Any]) -> CloudObject:
    """The group, with a digest of the policy's settings in its description: a change of them replaces it, by an input
    of its own, which no transform of a program takes away as it does a replacement trigger."""
    return replace(
        group, body={**group.body, "Description": f"{group.body['Description']}, settings {_short(settings)}"}
    )


def _short(value: Any) -> str:
    return sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:8]


def usage(options: NetworkFirewallOptions, objects: Iterable[CloudObject]) -> tuple[Usage, ...]:
    """How full the fullest group is, and the policy. A rule is as long as with its variables expanded."""
    groups = [each for each in objects if each.kind == RULE_GROUP]
    sizes = [len(each.text.encode()) if each.text else _list_bytes(each) for each in groups]
    return (
        Usage(GROUP_CAPACITY, max((each.body["Capacity"] for each in groups), default=0)),
        Usage(POLICY_CAPACITY, sum(each.body["Capacity"] for each in groups)),
        Usage(POLICY_GROUPS, len(groups) + len(options.managed_groups)),
        Usage(GROUP_BYTES, max(sizes, default=0)),
        Usage(
            RULE_LENGTH,
            max(
                (
                    expanded_length(line, options, _own_sets(each))
                    for each in groups
                    for line in (each.text or "").splitlines()
                ),
                default=0,
            ),
        ),
        Usage(IP_SET_REFERENCES, max((len(_references(each)) for each in groups), default=0)),
    )


def _references(group: CloudObject) -> Mapping[str, Any]:
    found: Mapping[str, Any] = group.body["RuleGroup"].get("ReferenceSets", {}).get("IPSetReferences", {})
    return found


def _own_sets(group: CloudObject) -> Mapping[str, Sequence[str]]:
    variables = group.body["RuleGroup"].get("RuleVariables", {}).get("IPSets", {})
    return {key: variable["Definition"] for key, variable in variables.items()}


def expanded_length(rule: str, options: NetworkFirewallOptions, sets: Mapping[str, Sequence[str]] = {}) -> int:
    """Characters of `rule` with HOME_NET written out, EXTERNAL_NET as its inverse, and `sets`, which are there by key."""
    named = [key for key in re.findall(r"\$(\w+)", rule) if key in sets] if sets else []
    home_net = group_of(options.home_net)
    inside, outside = rule.count("$HOME_NET"), rule.count("$EXTERNAL_NET")
    grown = inside * (len(home_net) - len("$HOME_NET")) + outside * (len(home_net) + 1 - len("$EXTERNAL_NET"))
    return len(rule) + grown + sum(len(group_of(sets[key])) - len(f"${key}") for key in named)


def remarks_of_all(options: NetworkFirewallOptions, entries: Sequence[Entry]) -> Iterator[Finding]:
    """The findings that follow from the options and the entries of all grants together."""
    blind = [entry for entry in entries if entry.protocol in ("tcp", "udp")]
    by_hand = {} if isinstance(options, FedOptions) and options.fed else options.host_addresses
    unused = {*options.addresses, *options.ip_sets} - {entry.id for entry in blind}
    for name in sorted(unused | by_hand.keys() - {entry.host for entry in blind if entry.id not in options.ip_sets}):
        yield finding("addresses-unused", f"Addresses are given for {name}, and no rule of this plan uses them.")


def remarks(options: NetworkFirewallOptions, entries: Sequence[Entry], sids: Sids) -> list[Finding]:
    """The findings that follow from the options of one grant and its entries."""
    found = [
        *_quic(options, entries),
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
                f"Everything else that crosses the firewall is cut, over IPv4 and IPv6 alike: {what}all that clients outside "
                "homeNet send, DNS to resolvers outside, NTP, ICMP, Google and AWS APIs by public name. DNS to the VPC resolver "
                "never crosses it.",
            )
        )
        found.append(
            finding(
                "detection-gap",
                "Packets of a TCP connection that looks like no known protocol, or never finishes a hello, pass until the engine "
                "gives up telling what it is; seen on Suricata 7.0.10, not tried on the service.",
            )
        )
    if options.rejects:
        found.append(
            finding(
                "rejects", "The last group rejects what nothing passes, so the policy has no drop among its defaults."
            )
        )
    found += _declared(options, entries)
    if options.from_ and options.deny in ("internet", "all") and options.mode == "enforce":
        found.append(
            finding(
                "others-cut", f"Behind the firewall only {', '.join(options.from_)} may use the hosts; others cannot."
            )
        )
    found += _unenforced(options)
    found += remarks_around(options)
    found += _families(options)
    return found


def _declared(options: NetworkFirewallOptions, entries: Sequence[Entry]) -> Iterator[Finding]:
    """What a policy that somebody else owns has to have, so that the plan's verdicts hold."""
    if options.deny != "declared":
        return
    whose = options.attach or "The policy"
    default = ALERT_TO_SERVER if options.mode == "audit" else f"{DROP_TO_SERVER} and {ALERT_TO_SERVER}"
    if options.edge:
        groups = f"references to all groups of the plan, {options.stem}-edge among them, "
        rest = (
            f"{options.stem}-edge {'logs' if options.mode == 'audit' else 'stops'} all but TCP to addresses that are not private, "
            f"of both families and from everybody: what else of that may pass has to pass before priority "
            f"{options.base + EDGE_SLOT}"
        )
    else:
        datagrams = any(entry.transport == "udp" for entry in entries)
        place = f"after {options.stem}-address and before other groups" if datagrams else "before other groups"
        groups, rest = (
            "",
            f"a drop of all but TCP {place}, which leans on no inverse of IPv4 ranges: that holds no IPv6 packet",
        )
        yield finding(
            "datagrams-open",
            f"Without the edge group no rule of the plan stops UDP (QUIC, DNS), ICMP, tunnels and other IP protocols. {whose} lets "
            "them out to anybody, over IPv4 and IPv6, unless rules of its owner stop them: its default drops established flows.",
        )
    yield finding("deny-declared", "The deny is the default action of a policy that this plan does not own.")
    yield finding(
        "attached-policy",
        f"{whose} needs: {groups}both stateless defaults aws:forward_to_sfe, rule order STRICT_ORDER, stream exceptions REJECT, "
        f"HOME_NET at policy level ({', '.join(options.home_net)}: the rules that allow are for its clients, and a wider one "
        f"lets more use the hosts), stateful defaults {default}, and at no priority a pass that is broader than the catalog. "
        f"{rest[0].upper()}{rest[1:]}.",
    )


def _families(options: NetworkFirewallOptions) -> Iterator[Finding]:
    """Which address family no client of the rules has."""
    clients = options.from_ or options.home_net
    versions = {ip_network(cidr).version for cidr in clients}
    for version, id_ in ((6, "ipv4-only"), (4, "ipv6-only")):
        if version not in versions:
            silent = options.mode == "audit" or options.deny == "none"
            then = "match no rule that allows" if silent else "reach none of the hosts"
            elsewhere = options.deny == "declared" or bool(options.grant)  # others may be of another list
            out = "" if silent or elsewhere else ", and nothing of theirs gets out to the internet"
            what = "`from`" if options.from_ else "homeNet"
            yield finding(id_, f"{what} has no IPv{version} range: IPv{version} clients {then}{out}.")


def _unenforced(options: NetworkFirewallOptions) -> list[Finding]:
    """That no firewall judges by the groups: a policy refers to them, and a firewall uses a policy."""
    if options.creates_policy:
        if options.firewall is not None:
            return []
        return [
            finding(
                "not-enforced",
                "No `firewall` is made: the policy judges nothing until a firewall uses it (output `policyArn`).",
            )
        ]
    if options.attach is None:
        return [
            finding(
                "not-enforced",
                "No policy is made: the groups judge nothing until `references` stand in a policy that a firewall uses.",
            )
        ]
    where = POLICY_ARN.fullmatch(options.attach)
    region, account = (f" ({where['region']})", where["account"]) if where else ("", "its own")
    return [
        finding(
            "not-enforced",
            f"`attach` attaches nothing on AWS: the groups judge nothing until the owner of {options.attach} writes `references` "
            f"into it. It can hold groups of its own Region{region} only, and those of another account than {account} only if "
            "they are shared.",
        )
    ]


def _quic(options: NetworkFirewallOptions, entries: Sequence[Entry]) -> list[Finding]:
    """What becomes of QUIC; nothing to say where the plan itself leaves datagrams alone."""
    if options.mode == "audit" or options.deny == "none" or not options.edge:
        return []
    opened = [entry.id for entry in entries if (entry.protocol, entry.port) == ("udp", 443)]
    but = f" but to the addresses of {', '.join(opened)}" if opened else ""
    return [finding("quic-closed", f"UDP 443 stays closed{but}; clients fall back to TLS over TCP.")]


def _group(
    options: NetworkFirewallOptions,
    suffix: str,
    source: dict[str, Any],
    units: int,
    about: str,
    text: str | None,
    references: Mapping[str, str] = {},
    sets: Mapping[str, Sequence[str]] = {},
) -> CloudObject:
    name = f"{options.prefix}-{suffix}"
    kept = {key: {"ReferenceArn": arn} for key, arn in references.items()}
    own = {key: {"Definition": list(items)} for key, items in sets.items()}
    if options.grant:
        # A client that goes from one list to another is in neither while their groups change one after the other: as with
        # the policy's settings, other clients replace the group, and the policy's update takes all of them at once.
        about += f", clients {_short(sorted(options.from_))}"
    body: dict[str, Any] = {
        "RuleGroupName": name,
        "Type": "STATEFUL",
        "Capacity": units,
        "Description": f"hostgate: {about}",
        "RuleGroup": {
            "RulesSource": source,
            **({"RuleVariables": {"IPSets": own}} if own else {}),
            **({"ReferenceSets": {"IPSetReferences": kept}} if kept else {}),
            "StatefulRuleOptions": {"RuleOrder": "STRICT_ORDER"},
        },
    }
    body |= beside(options, options.group_tags)
    return CloudObject(kind=RULE_GROUP, name=name, body=body, text=text)


def _list_bytes(group: CloudObject) -> int:
    """An estimate from above of what a list becomes: the service writes about 160 bytes around each target."""
    listed = group.body["RuleGroup"]["RulesSource"]["RulesSourceList"]
    return sum(len(target) + 200 for target in listed["Targets"]) * len(listed["TargetTypes"])
