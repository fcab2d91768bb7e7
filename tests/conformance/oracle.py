"""What a catalog means for a flow, told from the catalog alone: no rule, object or matcher of a cloud is looked at.

`must pass` and `must not` are judged; `may` is what nobody promised: beyond an accepted widening's entry, names that
are no names, or IPv6 to a host that is not known to be served on it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Literal, NamedTuple

from hostgate.catalog.hosts import is_address
from hostgate.catalog.model import Entry, Match
from hostgate.flows.flow import Flow
from hostgate.planning.mechanism import Sight

Answer = Literal["must pass", "may", "must not"]

WIDENED: dict[str, tuple[Match, Match]] = {
    "apex-included": ("subtree", "subtree+apex"),
    "deeper-names": ("one-label", "subtree"),
}
"""What each widening finding says that it adds, as the kind before and after."""

CARRIED = {"https": ("https", "tls"), "tls": ("https", "tls"), "http": ("http",)}
"""Flow protocols that an entry of this protocol is about, for those who read packets."""


class Need(NamedTuple):
    """An entry in force, what its mechanism sees of flows to it, and the widenings accepted for it.

    `addresses`: where somebody says that the host is; then they stand for the name.
    """

    entry: Entry
    sight: Sight
    widenings: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    either: bool = False
    """Whether its way does not tell TLS from HTTP: what speaks the other of the two then may pass."""
    names: str = "wire"
    """Which name its way judges, where it sees names: that in the packets, the dialled one, or both."""


def answer(
    needs: Iterable[Need],
    flow: Flow,
    sources: Sequence[str] = (),
    *,
    ipv6: bool = True,
    sights: Iterable[Sight] = (),
) -> Answer:
    """Whether `flow` has to pass. `sources` are the clients (none: everybody); `ipv6`: whether IPv6 is promised.

    `sights` are those of the mechanism. One that sees questions only does not see a client that asks none.
    """
    needs = list(needs)
    if set(sights) == {"query-name"} and is_address(flow.name):
        return "may"
    if sources and flow.source and not any(ip_address(flow.source) in ip_network(cidr) for cidr in sources):
        return "must not"
    if sources and flow.address and not any((":" in flow.address) == (":" in cidr) for cidr in sources):
        return "must not"  # no client has an address of that family
    best: Answer = "must not"
    for need in needs:
        one = _of_one(need, flow)
        if (
            one == "must pass"
            and _over_ipv6(flow)
            and not (ipv6 and need.entry.families and "ipv6" in need.entry.families)
        ):
            one = "may"
        if one == "must pass":
            return one
        if one == "may":
            best = one
    if (
        best == "must not" and flow.sni is not None
    ):  # hosts of two entries in one flow: nobody said that they go together
        both = [need for need in needs if need.names == "both"]
        each = [_of_any(both, replace(flow, name=name, sni=name)) for name in (flow.name.removesuffix("."), flow.sni)]
        best = "may" if "must not" not in each else best
    return best


def _of_any(needs: Iterable[Need], flow: Flow) -> Answer:
    return next(("may" for need in needs if _of_one(need, flow) != "must not"), "must not")


def _of_one(need: Need, flow: Flow) -> Answer:
    entry = need.entry
    if need.sight == "name-and-port":
        meant = flow.protocol in CARRIED.get(entry.protocol, ())
        web = need.either and flow.protocol in ("https", "tls", "http")
        if not (meant or web) or flow.port != entry.port or (flow.sni is None and need.names == "wire"):
            return "must not"
        if need.names != "wire":
            return _of_dialled(need, flow)
        assert flow.sni is not None
        name = flow.sni
        if not meant:
            return "must not" if _of_one(need, replace(flow, protocol=entry.protocol)) == "must not" else "may"
    elif need.sight == "address":
        if flow.address is None:
            return "may"
        inside = any(ip_address(flow.address) in ip_network(cidr) for cidr in need.addresses)
        named = flow.transport == entry.transport and flow.port == entry.port
        return "must not" if not inside else "must pass" if named else "may"
    elif need.sight == "address-and-port":
        if flow.transport != entry.transport or flow.port != entry.port:
            return "must not"
        if need.addresses:
            if flow.address is None:  # nobody asked where the name leads
                return "may"
            there = ip_address(flow.address)
            return "must pass" if any(there in ip_network(cidr) for cidr in need.addresses) else "must not"
        name = flow.name.removesuffix(".")  # dialling a name with its root dot resolves the same name
    else:
        name = flow.name.removesuffix(".")
    kinds = [after for widening in need.widenings for before, after in [WIDENED[widening]] if before == entry.match]
    exact = _is_meant(entry.match, entry.host, name)
    return (
        exact
        if exact != "must not"
        else "may"
        if any(_is_meant(k, entry.host, name) != "must not" for k in kinds)
        else exact
    )


def _of_dialled(need: Need, flow: Flow) -> Answer:
    """Where the dialled name is judged: it decides, and what the packets name has to be meant too or is not looked at."""
    dialled = _is_meant(need.entry.match, need.entry.host, flow.name.removesuffix("."))
    if dialled != "must pass" or flow.sni is None:
        return "must not" if dialled == "must not" else "may"
    said = _is_meant(need.entry.match, need.entry.host, flow.sni)
    return said if said != "must not" or need.names == "both" else "may"


def _is_meant(kind: Match, host: str, name: str) -> Answer:
    labels, base = name.lower().split("."), host.split(".")
    above, tail = labels[: len(labels) - len(base)], labels[-len(base) :]
    if len(labels) == len(base):
        return "must pass" if labels == base and kind in ("exact", "subtree+apex") else "must not"
    if len(labels) < len(base) or tail != base or kind == "exact":
        return "must not"
    if "" in above:  # an empty label: no client can have resolved this, and matchers of a suffix cannot tell
        return "may"
    return "must pass" if kind != "one-label" or len(above) == 1 else "must not"


def _over_ipv6(flow: Flow) -> bool:
    return ":" in (flow.address or flow.source or "")
