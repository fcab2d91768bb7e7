"""What would have to be so for a step to hold, in the words in which verdicts tell it."""

from collections.abc import Iterable, Mapping
from typing import Final

from hostgate.flows.address_sets import EVERY_ADDRESS, FAMILIES, AddressFamily, AddressSet
from hostgate.flows.flow import Flow, ip_protocol
from hostgate.flows.names import Names
from hostgate.flows.steps import Box, ClientTest


def spoken(box: Box, flow: Flow) -> str:
    words = sorted(box.applications or map(ip_protocol, sorted(box.protocols or ())))
    but = f", and not {' or '.join(sorted(box.but))}" if box.but else ""
    return f"protocol: {' or '.join(words) or 'any'}{but} is meant, not {flow.protocol}"


def ports(box: Box, flow: Flow) -> str:
    return f"port: {box.port} is meant, not {flow.port}"


def named(names: Names, name: str | None) -> str:
    if name is None:
        return "no server name was sent, only an address"
    return f"name: {' and '.join(map(str, names))} is meant, not {name}"


CLIENT_IS: Final = "the client is "


def among(client: ClientTest) -> str:
    return f"{CLIENT_IS}{' or '.join(sorted(client.identities or ()))}"


_KINDS: Mapping[str, str] = {
    "account": "the service account", "tag": "the secure tag", "network-tag": "the network tag",
    "ip-group": "an address in the IP group", "member": "the resource", "unknown": "what is not known yet,",
}  # fmt: skip


def identities(those: Iterable[str]) -> str:
    """What a client may be known by beside its address."""
    told = ((_KINDS[kind], value) for kind, _, value in (each.partition(":") for each in sorted(those)))
    return " or ".join(f"{kind} {value}" for kind, value in told)


def whose(clients: Iterable[ClientTest]) -> str:
    """What the clients are known by."""
    told: dict[str, None] = {}
    for each in clients:
        ranges = [] if each.addresses == EVERY_ADDRESS else filter(None, map(each.addresses.shown, FAMILIES))
        told |= dict.fromkeys((*sorted(each.identities or ()), *ranges, *sorted(each.addresses.symbols)))
    return ", ".join(told)


def told_range(what: str, test: AddressSet, family: AddressFamily) -> str:
    if not test.opaque:
        return f"{what} in {test.shown(family)}" if test.of(family) else f"it does not go over {family}"
    inside = f"in {', '.join(sorted(map(_called, test.symbols)))}" if test.symbols else ""
    outside = f"not in {', '.join(sorted(map(_called, test.without)))}" if test.without else ""
    return f"{what} {' and '.join(filter(None, (inside, outside)))}"


def _called(symbol: str) -> str:
    """What a set is called that nobody sees: of a value that is not known yet, which one it is."""
    kind, colon, told = symbol.partition("unknown:")
    if kind or not colon:
        return symbol
    holder, _, path = told.rpartition("#")
    return f"{path} of {holder.rpartition('::')[2]} (not known)" if holder else f"{told} (not known)"
