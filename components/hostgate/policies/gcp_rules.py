"""Google Cloud firewall policy rules and classic VPC firewall rules as effects of their egress part."""

from collections.abc import Iterator, Mapping

from hostgate.catalog.hosts import check_host
from hostgate.flows.address_sets import AddressSet
from hostgate.flows.nodes import Node
from hostgate.gcp.resources import FQDNS
from hostgate.gcp.wildcards import read_wildcard
from hostgate.planning.limits import Usage
from hostgate.policies.effects import (
    ANY_PORT,
    EVERYWHERE,
    NOWHERE,
    Action,
    Effect,
    Layer,
    Names,
    Ports,
    destination,
    everywhere,
    port_range,
)
from hostgate.policies.reading import OF_A_RULE, Reading

_LAYERS: Mapping[str, Layer] = {"tcp": "tcp", "6": "tcp", "udp": "udp", "17": "udp", "all": "any"}
_ACTIONS: Mapping[str, Action] = {"allow": "allow", "deny": "deny"}
_OTHER_DESTINATIONS = ("destAddressGroups", "destRegionCodes", "destThreatIntelligences")


def read_rule(node: Node) -> Reading:
    """One rule of a firewall policy."""
    reading = Reading(node.doubts)
    reading.policy = _policy(node.at("firewallPolicy"))
    _rule(node, reading)
    return reading


def read_rules(node: Node) -> Reading:
    """A firewall policy that brings its rules along. Its direction defaults to INGRESS."""
    reading = Reading(node.doubts)
    reading.policy = _policy(node.at("name"))
    rules = node.at("rules")
    if rules.empty:
        reading.empties.append((rules.path, "a policy without rules"))
    for rule in rules.items(*OF_A_RULE):
        _rule(rule, reading, default="INGRESS")
    return reading


def read_classic(node: Node) -> Reading:
    """A VPC firewall rule: it goes by address and has no names."""
    reading = Reading(node.doubts)
    if node.at("direction").text("action") != "EGRESS" and not node.at("direction").unknown:
        return reading
    if node.at("disabled").flag("action"):
        return reading
    target = _ranges(node.at("destinationRanges"), nothing=EVERYWHERE)
    kinds: tuple[tuple[str, Action], ...] = (("allows", "allow"), ("denies", "deny"))
    for key, action in kinds:
        for item in node.at(key).items("protocol", "ports"):
            layer, ports = _layer4(item, "protocol")
            reading.effects.append(
                Effect(
                    where=item.path, action=action, layer=layer, ports=ports, destination=target,
                )
            )  # fmt: skip
    return reading


def read_profile(node: Node) -> Reading:
    """A security profile: names that its URL filters allow, over TLS and HTTP alike. Which ports they are for, the rules say
    that apply its group."""
    reading = Reading(node.doubts)
    for each in node.at("urlFilteringProfile", "urlFilters").items("names"):
        if each.at("filteringAction").text("action") != "ALLOW":
            continue
        for url in each.at("urls").items("names"):
            text = url.text("names")
            if text is not None:
                host = text.lower().removesuffix(".")
                names = Names("any", "") if host == "*" else Names(*read_wildcard(host))
                reading.effects.append(
                    Effect(where=url.path, action="allow", layer=None, ports=ANY_PORT, names=names, listed=True)
                )
    return reading


def _rule(node: Node, reading: Reading, default: str = "EGRESS") -> None:
    direction = node.at("direction")
    if (direction.text("action") or default) != "EGRESS" and not direction.unknown:
        return
    if node.at("disabled").flag("action"):
        return
    word = node.at("action").text("action")
    action: Action | None = "allow" if word is None else _ACTIONS.get(word)
    if action is None:
        return  # goto_next decides nothing; a security profile group decides by a list of its own
    match = node.at("match")
    fqdns = match.at("destFqdns")
    if fqdns.empty and action == "allow":
        reading.empties.append((fqdns.path, "no name: the rule is then about every address of its other conditions"))
    names = list(_names(fqdns))
    target = _ranges(match.at("destIpRanges"), nothing=NOWHERE)
    aside = any(not match.at(key).absent and not match.at(key).empty for key in _OTHER_DESTINATIONS)
    if not names and fqdns.absent | fqdns.empty and match.at("destIpRanges").value in (None, []) and not aside:
        target = EVERYWHERE
    if action == "deny" and node.at("enableLogging").value is not True:
        if node.at("enableLogging").unknown:
            node.at("enableLogging").doubt("log")
        elif target is not None and everywhere(target):
            reading.silent_denies.append(node.path or "the rule")
    for config in match.at("layer4Configs").items("ports", "protocol"):
        layer, ports = _layer4(config, "ipProtocol")
        for where, name in names:
            reading.effects.append(
                Effect(
                    where=where, action=action, layer=layer, ports=ports, names=name,
                )
            )  # fmt: skip
        if target != NOWHERE:
            reading.effects.append(
                Effect(
                    where=match.path or "match", action=action, layer=layer, ports=ports, destination=target,
                )
            )  # fmt: skip
    reading.usage.append(Usage(FQDNS, len(list(fqdns.items()))))
    if action == "allow":
        reading.lookups += [(name.host, where) for where, name in names]


def _names(fqdns: Node) -> Iterator[tuple[str, Names]]:
    for item in fqdns.items("names"):
        text = item.text("names")
        if text is None:
            continue
        host = check_host(text.removesuffix("."))
        if host.rule is None:
            yield item.path, Names("exact", host.name)
        elif text.startswith("*."):
            yield item.path, Names("subtree", text[2:].lower())  # refused by the API, and meant as this
        else:
            item.doubt("names", f"{text!r} is no name")


def _layer4(node: Node, key: str) -> tuple[Layer | None, Ports | None]:
    protocol = node.at(key).text("protocol")
    layer: Layer | None = None if protocol is None else _LAYERS.get(protocol.lower(), "other")
    listed = node.at("ports")
    if listed.absent or listed.empty:
        return layer, ANY_PORT
    found = []
    for item in listed.items("ports"):
        text = item.text("ports")
        part = None if text is None else port_range(text, "-")
        if part is None:
            if text is not None:
                item.doubt("ports", f"{text!r} is no port")
            return layer, None
        found.append(part)
    return layer, tuple(sorted(found)) if not listed.unknown else None


def _ranges(node: Node, nothing: AddressSet) -> AddressSet | None:
    """Where the ranges lead; None, with a doubt, where one of them cannot be read."""
    if node.absent or node.empty:
        return nothing
    texts = node.texts("destination")
    found = destination(texts)
    if found is None:
        node.doubt("destination", "an item that is no address range")
        return None
    if len(texts) < len(list(node.items())) or node.unknown:
        return found if everywhere(found) else None
    return found


def _policy(node: Node) -> str | None:
    text = node.text("place")
    return None if text is None else text.rpartition("/")[2]
