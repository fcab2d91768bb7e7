"""Resources that open or hold plain addresses: security groups, prefix lists, address groups, IP groups."""

from hostgate.azure.resources import IP_GROUP_ADDRESSES
from hostgate.flows.nodes import Node
from hostgate.planning.limits import Usage
from hostgate.policies.effects import ANY_PORT, EVERYWHERE, NOWHERE, Effect, Layer, Ports, destination
from hostgate.policies.reading import Reading, Room

_LAYERS: dict[str, Layer] = {"tcp": "tcp", "6": "tcp", "udp": "udp", "17": "udp", "-1": "any"}


def read_egress_rule(node: Node) -> Reading:
    """aws.vpc.SecurityGroupEgressRule."""
    reading = Reading(node.doubts)
    ranges = [node.at(key).text("destination") for key in ("cidrIpv4", "cidrIpv6")]
    _open(reading, node, node.at("ipProtocol"), [text for text in ranges if text])
    return reading


def read_security_group(node: Node) -> Reading:
    """The egress rules inside an aws.ec2.SecurityGroup."""
    reading = Reading(node.doubts)
    for rule in node.at("egress").items("destination", "ports"):
        _open_ranges(reading, rule)
    return reading


def read_legacy_rule(node: Node) -> Reading:
    """aws.ec2.SecurityGroupRule, which is for one direction."""
    reading = Reading(node.doubts)
    if node.at("type").text("destination") != "ingress":
        _open_ranges(reading, node)
    return reading


def _open_ranges(reading: Reading, rule: Node) -> None:
    ranges = [*rule.at("cidrBlocks").texts("destination"), *rule.at("ipv6CidrBlocks").texts("destination")]
    _open(reading, rule, rule.at("protocol"), ranges)


def _open(reading: Reading, node: Node, protocol: Node, ranges: list[str]) -> None:
    name = protocol.text("protocol")
    layer = None if name is None else _LAYERS.get(name.lower(), "other")
    low, high = node.at("fromPort").number("ports"), node.at("toPort").number("ports")
    ports: Ports | None = ANY_PORT
    if layer != "any" and low is not None:
        ports = ((low, low if high is None else high),)
    elif node.at("fromPort").unknown or node.at("toPort").unknown:
        ports = None
    target = destination(ranges)
    if target != NOWHERE:
        reading.effects.append(
            Effect(where=node.path or "cidr", action="allow", layer=layer, ports=ports, destination=target)
        )


def read_prefix_list(node: Node) -> Reading:
    """aws.ec2.ManagedPrefixList: `maxEntries` is what the list counts as wherever it is used."""
    reading = Reading(node.doubts)
    _held(reading, node.at("entries"), "cidr")
    most = node.at("maxEntries").number("capacity")
    if most is not None:
        reading.rooms.append(Room("maxEntries", len(list(node.at("entries").items("size"))), most, "entries"))
    return reading


def read_entry(node: Node) -> Reading:
    """aws.ec2.ManagedPrefixListEntry: one entry, of a list that is elsewhere."""
    reading = Reading(node.doubts)
    _hold(reading, node.at("cidr"), node.at("cidr"))
    return reading


def read_address_group(node: Node) -> Reading:
    """gcp.networksecurity.AddressGroup: its capacity cannot change, and counts in every policy that uses it."""
    reading = Reading(node.doubts)
    _held(reading, node.at("items"), "")
    capacity = node.at("capacity").number("capacity")
    if capacity is not None:
        reading.rooms.append(Room("capacity", len(list(node.at("items").items("size"))), capacity, "items"))
    return reading


def read_ip_group(node: Node) -> Reading:
    """azure.network.IpGroup: a rule whose group is empty is skipped (Azure Firewall, IP groups)."""
    reading = Reading(node.doubts)
    _held(reading, node.at("ipAddresses"), "")
    reading.usage.append(Usage(IP_GROUP_ADDRESSES, len(list(node.at("ipAddresses").items("size")))))
    return reading


def _held(reading: Reading, listed: Node, key: str) -> None:
    """Addresses that others open: kept as effects without ports, so that raw addresses among them are seen."""
    if listed.empty:
        reading.empties.append((listed.path, "no address in it"))
    for item in listed.items("destination", "size"):
        _hold(reading, item, item.at(key) if key else item)


def _hold(reading: Reading, item: Node, address: Node) -> None:
    text = address.text("destination")
    if text is None:
        return
    target = EVERYWHERE if text == "*" else destination(part.strip() for part in text.split("-"))
    if target is None:
        item.doubt("destination", f"{text!r} is no address range")
    elif target != NOWHERE:
        reading.effects.append(
            Effect(where=item.path, action="allow", layer="other", ports=ANY_PORT, destination=target)
        )
