"""Secure Web Proxy by another hand: session matchers in a CEL engine, lists and ranges by their documented meaning.

It reads bodies of the API as they are, and imports nothing of the product.
"""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from ipaddress import ip_address, ip_network
from typing import Any, NamedTuple

import celpy
from celpy import celtypes


class Request(NamedTuple):
    """What the proxy knows of a connection. `host` is empty where nothing in the packets names one."""

    host: str
    port: int
    source: str = "10.1.2.3"
    account: str = ""
    tag: str = ""


def in_list(values: Iterable[str], host: str) -> bool:
    """UrlList syntax reference: whole labels; without a star the domain itself, with one in front what is below it too."""
    for value in values:
        domain = value.lower().partition("/")[0]
        below = host.lower()
        if domain.startswith("*."):
            if below.endswith(domain[1:]):
                return True
        elif domain.startswith("*"):
            if below == domain[1:] or below.endswith(f".{domain[1:]}"):
                return True
        elif below == domain:
            return True
    return False


class Matcher:
    """A session matcher, compiled once."""

    def __init__(self, text: str, lists: Mapping[str, Sequence[str]]) -> None:
        self.lists, self.request = lists, Request("", 0)
        limit = sys.getrecursionlimit()
        environment = celpy.Environment()
        self._program = environment.program(environment.compile(text), functions=self._functions())
        sys.setrecursionlimit(limit)  # the engine raises it for the whole process

    def holds(self, request: Request) -> bool:
        """Raises KeyError for a list that is not there."""
        self.request = request
        known = {"destination": {"port": request.port}, "source": {"ip": request.source}}
        return bool(self._program.evaluate({key: celpy.json_to_cel(value) for key, value in known.items()}))

    def _functions(self) -> list[Callable[..., Any]]:
        def host() -> Any:
            return celtypes.StringType(self.request.host)

        def inUrlList(value: Any, name: Any) -> Any:  # noqa: N802
            return celtypes.BoolType(in_list(self.lists[str(name)], str(value)))

        def inIpRange(address: Any, cidr: Any) -> Any:  # noqa: N802
            return celtypes.BoolType(ip_address(str(address)) in ip_network(str(cidr)))

        def matchTag(_: Any, tag: Any) -> Any:  # noqa: N802
            return celtypes.BoolType(str(tag) == self.request.tag)

        def matchServiceAccount(_: Any, account: Any) -> Any:  # noqa: N802
            return celtypes.BoolType(str(account) == self.request.account)

        return [host, inUrlList, inIpRange, matchTag, matchServiceAccount]


class Policy:
    """A gateway security policy: the first rule by priority that matches decides, and what none matches is denied."""

    def __init__(self, rules: Iterable[Mapping[str, Any]], lists: Mapping[str, Sequence[str]]) -> None:
        ordered = sorted((rule for rule in rules if rule["enabled"]), key=lambda each: int(each["priority"]))
        self._rules = [(Matcher(rule["sessionMatcher"], lists), rule["basicProfile"] == "ALLOW") for rule in ordered]
        self.passes = cache(self._passes)

    def _passes(self, request: Request) -> bool:
        return next((allows for matcher, allows in self._rules if matcher.holds(request)), False)


class Packet(NamedTuple):
    """The first of a flow, as routes see it. `protocol` is TCP, UDP or another; `tags` are the sender's network tags."""

    address: str
    protocol: str
    source: str
    tags: frozenset[str] = frozenset()


def led(routes: Iterable[Mapping[str, Any]], proxy: str, packet: Packet) -> bool:
    """Whether policy-based routes lead it to the proxy: the lowest number that is for it decides, and what none is for goes
    by other routes (Virtual Private Cloud documentation, policy-based routes). No IPv6 does, nor the metadata server's."""
    if ":" in packet.address or packet.address == "169.254.169.254":
        return False
    for route in sorted(routes, key=lambda each: int(each["priority"])):
        match = route["filter"]
        tags = route.get("virtualMachine", {}).get("tags")
        if (
            match["protocolVersion"] == "IPV4"
            and match.get("ipProtocol", "ALL") in ("ALL", packet.protocol)
            and ip_address(packet.address) in ip_network(match.get("destRange", "0.0.0.0/0"))
            and ip_address(packet.source) in ip_network(match.get("srcRange", "0.0.0.0/0"))
            and (tags is None or packet.tags & set(tags))
        ):
            return route.get("nextHopIlbIp") == proxy
    return False
