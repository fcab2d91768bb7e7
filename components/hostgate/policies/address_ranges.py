"""Which addresses a Suricata header matches, by IP version: exactly what the engine takes, for rules that have to stop all.

A negation is of the versions that it names: `![10.0.0.0/8]`, which `$EXTERNAL_NET` is as a rule, matches no IPv6 packet
(replayed on Suricata 7.0.10).
"""

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, collapse_addresses, ip_address, ip_network, summarize_address_range

from hostgate.flows.flow import Network
from hostgate.policies.effects import NEVER_PUBLIC
from hostgate.policies.suricata_headers import Sets

VERSIONS = (4, 6)
ALL: Mapping[int, Network] = {4: ip_network("0.0.0.0/0"), 6: ip_network("::/0")}

Addresses = Mapping[int, tuple[Network, ...]]
"""Networks by IP version; a version that is not matched has none."""

NONE: Addresses = {4: (), 6: ()}


def matched(text: str, sets: Sets) -> Addresses | None:
    """The addresses of a header's `text`; None where a part is not known, or kept elsewhere (`@NAME`)."""
    wanted: dict[int, list[Network]] = {4: [], 6: []}
    excluded: dict[int, list[Network]] = {4: [], 6: []}
    for item in _parts(text):
        found = _one(item.removeprefix("!"), sets)
        if found is None:
            return None
        for version in VERSIONS:
            (excluded if item.startswith("!") else wanted)[version] += found[version]
    return {
        version: without(wanted[version] or ([ALL[version]] if excluded[version] else []), excluded[version])
        for version in VERSIONS
    }


def _one(text: str, sets: Sets) -> Addresses | None:
    if text.lower() == "any":
        return {version: (ALL[version],) for version in VERSIONS}
    if text.startswith("["):
        return matched(text, sets)
    if text.startswith("$"):
        known = sets.get(text[1:])
        return None if known is None else matched(f"[{','.join(known)}]", sets)
    try:
        networks = _networks(text)
    except ValueError:
        return None
    return {version: tuple(each for each in networks if each.version == version) for version in VERSIONS}


def _networks(text: str) -> list[Network]:
    low, dash, high = text.partition("-")
    if not dash:
        return [ip_network(text, strict=False)]
    first, last = ip_address(low), ip_address(high)
    if isinstance(first, IPv4Address) and isinstance(last, IPv4Address):
        return list(summarize_address_range(first, last))
    if isinstance(first, IPv6Address) and isinstance(last, IPv6Address):
        return list(summarize_address_range(first, last))
    raise ValueError(text)


def _parts(text: str) -> list[str]:
    """The items of a list, lists in it whole; the text itself if it is none."""
    if not text.startswith("["):
        return [text]
    found, depth = [""], 0
    for letter in text[1:].removesuffix("]"):
        depth += (letter == "[") - (letter == "]")
        if letter == "," and depth == 0:
            found.append("")
        else:
            found[-1] += letter
    return [item.strip() for item in found if item.strip()]


def without(networks: Iterable[Network], taken: Sequence[Network]) -> tuple[Network, ...]:
    """What is left of `networks`, all of one version, less `taken`."""
    left = list(networks)
    for gone in taken:
        rest: list[Network] = []
        for each in left:
            if each.subnet_of(gone):  # type: ignore[arg-type]
                continue
            rest += each.address_exclude(gone) if gone.subnet_of(each) else [each]  # type: ignore[arg-type]
        left = rest
    return tuple(collapse_addresses(left))  # type: ignore[type-var]


INTERNET: Addresses = {4: without([ALL[4]], NEVER_PUBLIC), 6: (ip_network("2000::/3"),)}
"""Every address that a host of the internet may have (IANA)."""
