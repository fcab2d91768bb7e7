"""Rules of Azure Firewall as steps: application rules and network rules of a rule collection.

Sources: Azure Firewall FAQ (wildcards), rule processing logic, FQDN filtering in network rules, IP groups (2025-07 to
2026-03-28); API Microsoft.Network 2024-05-01.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from hostgate.flows.address_sets import (
    EVERY_ADDRESS,
    EVERY_IPV4,
    NO_ADDRESS,
    AddressSet,
    between,
    internet,
    networks,
    symbol,
    union,
)
from hostgate.flows.intervals import EVERY_PORT, Intervals
from hostgate.flows.names import NameTest
from hostgate.flows.nodes import Node, number
from hostgate.flows.steps import Action, Box, ClientTest, Step

_PROTOCOLS: Mapping[str, frozenset[int] | None] = {
    "TCP": frozenset({6}), "UDP": frozenset({17}), "ICMP": frozenset({1, 58}), "ANY": None,
}  # fmt: skip
_LAYERS: Mapping[str, str] = {"http": "http", "https": "tls"}

_PORTS: Mapping[str, int] = {"mssql": 1433}
"""Ports of protocols of application rules that no flow here speaks, where a rule says none (SQL FQDNs, 2023-04)."""

_RANGE = re.compile(r"[/:]|^[0-9]")
"""What no service tag has."""

IpGroups = Callable[[str | None], AddressSet]
"""The addresses behind a reference to an IP group; None: it is not known yet, and where nobody can tell, there are none."""


@dataclass(frozen=True)
class RuleCollection:
    """A rule collection with its place; a priority of None is not known yet."""

    node: Node
    group: str
    owner: str
    depth: int
    """How far above: 0 for the topmost policy."""
    priority: tuple[int | None, int | None]
    kind: str = ""
    """What its rules are, where they do not say so: those of a firewall without a policy."""

    @property
    def known(self) -> bool:
        return None not in self.priority


class CollectionRule:
    """One rule of a collection, as steps: one for each name, tag or set of addresses, and each port."""

    def __init__(self, ip_groups: IpGroups, node: Node, collection: RuleCollection, action: Action) -> None:
        self.ip_groups, self.node, self.collection, self.action = ip_groups, node, collection, action
        name, rule = collection.node.at("name").value, node.at("name").value
        self.label = f"{collection.group}/{name or '?'}/{rule or '?'}"

    def _step(self, box: Box, why: str) -> Step:
        word = "allows" if self.action == "allow" else "denies"
        return Step(
            action=self.action, rule=self.label, why=f"the rule {self.label} {word} {why}", box=box,
            owner=self.collection.owner,
        )  # fmt: skip

    def application(self) -> Iterator[Step]:
        client = self._clients()
        unread = self._unread("sourceAddresses")
        there = self._addresses()
        for protocol in self._protocols():
            for names, doubts in self._names():
                box = replace(protocol, address=EVERY_IPV4, client=client, doubts=(*protocol.doubts, *unread, *doubts))
                # The name that a database client sends is in no flow here, and is the one that it dials.
                box = replace(box, dialled=names) if protocol.applications is None else replace(box, wire=names)
                if there is not None:
                    yield self._step(replace(box, address=there), "its name")
                    elsewhere = self._doubt("looks at names alone, whatever its destinationAddresses")
                    box = replace(box, doubts=(*box.doubts, elsewhere))
                yield self._step(box, "its name")

    def _protocols(self) -> Iterator[Box]:
        """What the rule is about; a rule with FQDN tags need not say, its tags do.

        (learn.microsoft.com, New-AzFirewallPolicyApplicationRule, read 2026-11-28: a rule with tags takes no protocol.)
        """
        node = self.node.at("protocols")
        if (node.absent or node.empty) and not self.node.at("fqdnTags").absent:
            yield Box(protocols=frozenset({6}), applications=frozenset({"http", "tls"}))
            return
        if node.unknown:
            yield Box(protocols=frozenset({6}), doubts=(self._doubt("is about its protocol"),))
            return
        for item in node.items():
            kind = item.at("protocolType").value
            layer = _LAYERS.get(str(kind).lower())
            told = number(item.at("port"))
            doubts: list[str] = []
            if kind is None or item.at("protocolType").unknown:
                doubts.append(self._doubt("is about its protocol"))
            elif layer is None:
                doubts.append(self._doubt(f"finds its name in what it speaks ({kind})"))
            default = {"http": 80, "tls": 443}.get(layer or "") or _PORTS.get(str(kind).lower())
            if item.at("port").unknown:
                doubts.append(self._doubt("is about its port"))
            port = told if told else default
            yield Box(
                protocols=frozenset({6}),
                applications=None if layer is None else frozenset({layer}),
                port=EVERY_PORT if item.at("port").unknown or port is None else Intervals.of([(port, port)]),
                doubts=tuple(doubts),
            )

    def _names(self) -> Iterator[tuple[tuple[NameTest, ...], tuple[str, ...]]]:
        """The names of an application rule; tags, categories and paths of URLs are known to Microsoft alone."""
        fqdns = self.node.at("targetFqdns")
        if fqdns.unknown:
            yield (), (self._doubt("names it"),)
        for item in fqdns.items():
            if isinstance(item.value, str):
                yield pattern(item.value), ()
            else:
                yield (), (self._doubt("names it"),)
        urls = self.node.at("targetUrls")
        if urls.unknown:
            yield (), (self._doubt("names it"),)
        for item in urls.items():
            if not isinstance(item.value, str):
                yield (), (self._doubt("names it"),)
                continue
            host, slash, path = item.value.partition("/")
            doubts = (self._doubt(f"is about its path ({item.value})"),) if path not in ("", "*") else ()
            yield pattern(host), doubts if slash else ()
        for key, what in (("fqdnTags", "FQDN tag"), ("webCategories", "web category")):
            node = self.node.at(key)
            if node.unknown:
                yield (), (self._doubt(f"has a {what} that it is of"),)
            for item in node.items():
                name = item.value if isinstance(item.value, str) else "not known yet"
                yield (), (f"Microsoft counts its name to the {what} {name}",)

    def network(self, named: str) -> Iterator[Step]:
        """Steps of a network rule. `named` is what has to be so for names in it to work."""
        client = self._clients()
        unread = self._unread("sourceAddresses")
        ports = self._ports()
        for protocols, doubts in self._ip_protocols():
            base = Box(
                protocols=protocols,
                port=EVERY_PORT if ports is None else ports,
                client=client,
                doubts=(*doubts, *unread, *((self._doubt("is about its port"),) if ports is None else ())),
            )
            addresses = self._addresses()
            if addresses is not None:
                yield self._step(replace(base, address=addresses), "its destination")
            fqdns = self.node.at("destinationFqdns")
            unproxied = (named,) if named else ()
            for item in fqdns.items():
                if isinstance(item.value, str):
                    test = NameTest("exact", item.value.lower().removesuffix("."))
                    yield self._step(
                        replace(base, dialled=(test,), doubts=(*base.doubts, *unproxied)), "the addresses of its name"
                    )
                else:
                    yield self._step(replace(base, doubts=(*base.doubts, self._doubt("names it"))), "its name")
            if fqdns.unknown:
                yield self._step(replace(base, doubts=(*base.doubts, self._doubt("names it"))), "its name")

    def _ip_protocols(self) -> Iterator[tuple[frozenset[int] | None, tuple[str, ...]]]:
        node = self.node.at("ipProtocols")
        if node.absent:
            node = self.node.at("protocols")  # of a firewall without a policy
        if node.unknown:
            yield None, (self._doubt("is about its protocol"),)
        for item in node.items():
            word = str(item.value).upper()
            if not isinstance(item.value, str) or word not in _PROTOCOLS:
                yield None, (self._doubt("is about its protocol"),)
            else:
                yield _PROTOCOLS[word], ()

    def _ports(self) -> Intervals | None:
        node = self.node.at("destinationPorts")
        if node.unknown:
            return None
        parts = []
        for item in node.items():
            part = _port(item.value)
            if part is None:
                return None
            parts.append(part)
        return Intervals.of(parts)

    def _addresses(self) -> AddressSet | None:
        """Where a rule leads by address; None if it goes by names alone."""
        return self._sets("destinationAddresses", "destinationIpGroups")

    def _clients(self) -> ClientTest:
        """Of all clients where none are named, which the API refuses for a policy's rules."""
        found = self._sets("sourceAddresses", "sourceIpGroups")
        return ClientTest(addresses=EVERY_ADDRESS if found is None else found)

    def _sets(self, addresses: str, groups: str) -> AddressSet | None:
        found: list[AddressSet] = []
        for key in (addresses, groups):
            node = self.node.at(key)
            if node.unknown:
                found.append(symbol(f"unknown:{self.label}#{key}"))
            for item in node.items() if not node.unknown else ():
                if not isinstance(item.value, str):
                    made = self.ip_groups(None) if key == groups and item.unknown else NO_ADDRESS
                    found.append(made if made != NO_ADDRESS else symbol(f"unknown:{self.label}#{key}"))
                else:
                    found.append(self.ip_groups(item.value) if key == groups else address(item.value))
        return union(found) if found else None

    def _unread(self, key: str) -> tuple[str, ...]:
        """The doubt about a list of addresses with one in it that is none, nor a tag. What is not known yet is another
        thing: it will be one."""
        values = (item.value for item in self.node.at(key).items() if not item.unknown)
        wrong = [
            value for value in values if not isinstance(value, str) or (_RANGE.search(value) and address(value).symbols)
        ]
        return (self._doubt(f"is for it by its {key}, with {wrong[0]!r} in them"),) if wrong else ()

    def _doubt(self, what: str) -> str:
        return f"{self.label} {what}"


def address(text: str) -> AddressSet:
    """An address, a CIDR, a range `a-b`, `*`, or a service tag; `Internet` is every public address, other tags symbols."""
    if text == "*":
        return EVERY_IPV4  # the rules do not apply to IPv6 (known issues, 2025-09-19)
    if text.lower() == "internet":
        return AddressSet(v4=internet().v4)
    try:
        first, dash, last = text.partition("-")
        return between(first, last) if dash else networks([text])
    except ValueError:
        return symbol(f"service tag {text}")


def pattern(text: str) -> tuple[NameTest, ...]:
    """A star stands left-most only, for any text or none: `*.x` any depth below x, `*x` x itself and evilx too (Azure
    Firewall FAQ, read 2026-11-23); alone it is any name."""
    lowered = text.lower()
    if not lowered.startswith("*"):
        return (NameTest("exact", lowered),)
    rest = lowered[1:]
    if not rest:
        return ()
    return (NameTest("ending", rest),)


def _port(value: object) -> tuple[int, int] | None:
    text = str(int(value)) if isinstance(value, int | float) and not isinstance(value, bool) else value
    if not isinstance(text, str):
        return None
    if text == "*":
        return EVERY_PORT.parts[0]
    low, _, high = text.partition("-")
    high = high or low
    return (int(low), int(high)) if low.isdecimal() and high.isdecimal() and int(low) <= int(high) else None
