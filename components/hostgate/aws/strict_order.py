"""What AWS Network Firewall does with a flow: groups by priority, rules in listed order, then the policy's default.

Reads rule text and domain lists as the service gets them; knows nothing of how they came to be. Sources: AWS Network
Firewall developer guide, evaluation order and Suricata examples of domain lists; behaviour tried on Suricata 7.0.10.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from ipaddress import ip_network
from typing import Any

from hostgate.flows.flow import Flow, Network, Verdict
from hostgate.planning.mechanism import CloudObject
from hostgate.planning.options import PRIVATE, merged

RULE_GROUP = "AWS::NetworkFirewall::RuleGroup"
POLICY = "AWS::NetworkFirewall::FirewallPolicy"
REFERENCES = "AWS::NetworkFirewall::FirewallPolicy.StatefulRuleGroupReferences"

_HEADER = re.compile(r"(\S+) (\S+) (\S+) (\S+) -> (\S+) (\S+) \((.*)\)")


@dataclass(frozen=True, slots=True)
class ParsedRule:
    """A rule as the engine reads it. `options` are (keyword, value) in order."""

    action: str
    protocol: str
    source: str
    destination: str
    port: str
    options: tuple[tuple[str, str], ...]

    @property
    def sid(self) -> str:
        return dict(self.options).get("sid", "?")


def judge(objects: Sequence[CloudObject], home_net: Sequence[str], flow: Flow, *, undecided: Verdict) -> Verdict:
    """The verdict on `flow`. `undecided` stands where no policy is among the objects and no rule matches.

    Groups that others maintain are referred to and not among the objects: nobody here knows their rules.
    """
    groups = {each.name: each for each in objects if each.kind == RULE_GROUP}
    policy = next((each for each in objects if each.kind in (POLICY, REFERENCES)), None)
    body: Mapping[str, Any] = {} if policy is None else policy.body.get("FirewallPolicy", policy.body)
    home = tuple(ip_network(cidr) for cidr in home_net)
    defaults = body.get("StatefulDefaultActions", ())
    # The first packet of a TCP connection has no name: rules that ask for one come too late for a default that drops it.
    nameless = flow.transport == "tcp" and "aws:drop_strict" in defaults
    references = sorted(body.get("StatefulRuleGroupReferences", ()), key=lambda reference: int(reference["Priority"]))
    unless = ""
    for reference in references:
        name = str(reference["ResourceArn"]).rpartition("/")[2]
        for rule in _rules(groups[name]) if name in groups else ():
            if (
                rule.action == "alert"
                or (nameless and rule.protocol in ("tls", "http"))
                or not _matches(rule, flow, home)
            ):
                continue
            label = f"{name}#{rule.sid}"
            if _destined(rule.destination, flow, home) is None:
                if rule.action == "pass" and not unless:
                    unless = f", unless its address is in {rule.destination} ({label})"
                continue
            if rule.action == "pass":
                return Verdict("allow", label, f"passed by a rule of {name}")
            return Verdict("block", label, f"{_BLOCKED.get(rule.action, 'blocked')} by a rule of {name}{unless}")
    return _by_default(body, policy, flow, undecided, unless)


_BLOCKED = {"drop": "dropped", "reject": "rejected"}


def _by_default(
    body: Mapping[str, Any], policy: CloudObject | None, flow: Flow, undecided: Verdict, unless: str
) -> Verdict:
    """What becomes of a flow that no rule decides."""
    if policy is None or policy.kind == REFERENCES:
        return undecided if undecided.allows else replace(undecided, why=f"{undecided.why}{unless}")
    defaults = body.get("StatefulDefaultActions", ())
    drop = next((action for action in defaults if action.startswith("aws:drop")), None)
    if drop is None:
        return Verdict("allow", None, "no rule matches, and the policy's default does not drop")
    if flow.transport != "tcp" and drop != "aws:drop_strict":
        return Verdict(
            "allow", None, "no rule matches; the policy's default drops established flows, not a first datagram"
        )
    return Verdict("block", None, f"no rule matches; the policy's default drops ({drop}){unless}")


def _rules(each: CloudObject) -> Sequence[ParsedRule]:
    rules_source = each.body["RuleGroup"]["RulesSource"]
    if "RulesString" in rules_source:
        return parse(rules_source["RulesString"])
    listed = rules_source["RulesSourceList"]
    return _from_list(tuple(listed["Targets"]), tuple(listed["TargetTypes"]), listed["GeneratedRulesType"])


@lru_cache(maxsize=64)
def parse(text: str) -> tuple[ParsedRule, ...]:
    """The rules of a rule group's text; comments and blank lines are free."""
    found = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        match = _HEADER.fullmatch(line)
        if match is None:
            raise ValueError(f"not a rule of the form this evaluator knows: {line[:80]}")
        action, protocol, source, _, destination, port, options = match.groups()
        found.append(ParsedRule(action, protocol, source, destination, port, tuple(_options(options))))
    return tuple(found)


@lru_cache(maxsize=64)
def _from_list(targets: tuple[str, ...], types: tuple[str, ...], kind: str) -> tuple[ParsedRule, ...]:
    """A domain list in strict order: a rule for each target and type, on any port, and no drop (AWS guide)."""
    action = {"ALLOWLIST": "pass", "DENYLIST": "drop", "REJECTLIST": "reject", "ALERTLIST": "alert"}[kind]
    found = []
    for target in targets:
        for target_type in types:
            protocol, buffer = {"TLS_SNI": ("tls", "tls.sni"), "HTTP_HOST": ("http", "http.host")}[target_type]
            name = [("dotprefix", "")] if target.startswith(".") else [("startswith", "")]
            options = [(buffer, ""), *name, ("content", target), ("endswith", ""), ("nocase", ""), ("sid", target)]
            if not target.startswith("."):
                options = [(buffer, ""), ("content", target), *name, ("endswith", ""), ("nocase", ""), ("sid", target)]
            found.append(ParsedRule(action, protocol, "$HOME_NET", "$EXTERNAL_NET", "any", tuple(options)))
    return tuple(found)


def _options(text: str) -> Iterator[tuple[str, str]]:
    for part in re.split(r"(?<!\\);\s*", text):
        if part:
            keyword, _, value = part.partition(":")
            yield keyword, value.strip('"')


def _matches(rule: ParsedRule, flow: Flow, home: Sequence[Network]) -> bool:
    return (
        _protocol_matches(rule.protocol, flow)
        and _source_matches(rule.source, flow, home)
        and _destined(rule.destination, flow, home) is not False
        and _port_matches(rule.port, flow.port)
        and _options_match(rule.options, flow)
    )


def _protocol_matches(protocol: str, flow: Flow) -> bool:
    match protocol:
        case "ip":
            return True
        case "tls":
            return flow.protocol in ("https", "tls")
        case "tcp" | "udp" | "sctp":
            return flow.transport == protocol
        case "icmp":  # ICMPv6 too
            return flow.transport in ("icmp", "icmpv6")
        case _:
            return flow.protocol == protocol


def _source_matches(spec: str, flow: Flow, home: Sequence[Network]) -> bool:
    if spec == "any":
        return True
    if spec == "$EXTERNAL_NET":
        return _invertible(flow, home) and not flow.starts_within(home)
    return flow.starts_within(home if spec == "$HOME_NET" else [ip_network(item) for item in _items(spec)])


def _destined(spec: str, flow: Flow, home: Sequence[Network]) -> bool | None:
    """Whether the flow goes to `spec`; None: nobody here can tell, as the set is kept elsewhere, or the name's address
    is not known and only some of the internet is in it."""
    if spec == "any":
        return True
    if spec == "$HOME_NET":
        return flow.destined_within(home)
    if spec == "$EXTERNAL_NET":
        return _invertible(flow, home) and not flow.destined_within(home)
    if spec.startswith("@"):
        return None
    networks = [ip_network(item) for item in _items(spec)]
    if flow.address is not None:
        return flow.destined_within(networks)
    families = {flow.family} if flow.family else {network.version for network in home} or {4, 6}
    return True if families <= _whole_families(tuple(networks)) else None


def _invertible(flow: Flow, home: Sequence[Network]) -> bool:
    """Whether HOME_NET has a range of the flow's family. If it has none, its inverse holds no address of that family
    either: the engine inverts each family for itself (tried on Suricata 7.0.10; AWS documents EXTERNAL_NET as the
    inverse of HOME_NET and says nothing of families)."""
    return flow.family is None or any(network.version == flow.family for network in home)


@lru_cache(maxsize=64)
def _whole_families(networks: tuple[Network, ...]) -> set[int]:
    """The IP versions of which every address that is not private is in `networks`."""
    return {each.version for each in merged(map(str, (*networks, *PRIVATE))) if each.prefixlen == 0}


def _port_matches(spec: str, port: int) -> bool:
    if spec == "any":
        return True
    inside = str(port) in _items(spec.removeprefix("!"))
    return inside != spec.startswith("!")


def _items(spec: str) -> list[str]:
    return spec.strip("[]").split(",")


def _options_match(options: Sequence[tuple[str, str]], flow: Flow) -> bool:
    keywords = [keyword for keyword, _ in options]
    if not all(_packets_match(keyword, value, flow) for keyword, value in options):
        return False
    if "tls.sni" not in keywords and "http.host" not in keywords:
        return True
    buffer = flow.wire_name
    if buffer is None:
        return False
    if "http.host" in keywords:
        buffer = buffer.lower().partition(":")[0]
    nocase = "nocase" in keywords
    for keyword, value in options:
        if keyword == "bsize" and buffer == "" and value == ">0":
            return False
        if keyword == "dotprefix":
            buffer = "." + buffer
        elif keyword == "content":
            text, wanted = (buffer.lower(), value.lower()) if nocase else (buffer, value)
            if not _content_matches(text, wanted, "startswith" in keywords, "endswith" in keywords):
                return False
        elif keyword == "pcre":
            pattern, _, flags = value.removeprefix("/").rpartition("/")
            if not re.search(pattern, buffer, re.IGNORECASE if "i" in flags else 0):
                return False
    return True


def _packets_match(keyword: str, value: str, flow: Flow) -> bool:
    """Whether an option that is not about a name holds for `flow`. Options that a new flow always meets hold."""
    match keyword:
        case "ip_proto":
            return _number_matches(value, flow)
        case "flow":  # a first datagram belongs to no established flow
            return flow.transport == "tcp" or "established" not in value.split(",")
        case "itype":  # a flow of ICMP is an echo request; what answers, or says that something failed, begins none
            return value == ("128" if flow.protocol == "icmpv6" else "8")
        case "app-layer-protocol":
            found = {"https": "tls", "http": "http1"}.get(flow.protocol, flow.protocol)
            return (found == value.removeprefix("!")) != value.startswith("!")
    return True


def _number_matches(spec: str, flow: Flow) -> bool:
    """An `ip_proto` option: the protocol number of the packets, or with `!` any other."""
    inside = int(spec.removeprefix("!")) == flow.number
    return inside != spec.startswith("!")


def _content_matches(text: str, wanted: str, at_start: bool, at_end: bool) -> bool:
    if at_start and at_end:
        return text == wanted
    return text.startswith(wanted) if at_start else text.endswith(wanted) if at_end else wanted in text
