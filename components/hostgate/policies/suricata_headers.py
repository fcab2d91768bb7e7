"""Ports and addresses of Suricata rule headers: for an allow read no narrower than they are, for a deny no wider."""

from collections.abc import Mapping, Sequence
from ipaddress import ip_network

from hostgate.policies.effects import (
    ANY_PORT,
    EVERYWHERE,
    NOWHERE,
    Destination,
    Ports,
    closes_the_internet,
    destination,
    inverse,
    port_range,
)

Sets = Mapping[str, Sequence[str] | None]
"""Definitions of variables by name; None for one that is declared and not known."""


def ports_of(text: str, sets: Sets) -> Ports | None:
    """`any`, `443`, `[443,8000:8010]`, `!443`, `$WEB`; None where a part is not known."""
    if text.lower() == "any":
        return ANY_PORT
    if text.startswith("!"):
        inner = ports_of(text[1:], sets)
        return None if inner is None else inverse(inner)
    if text.startswith("$"):
        known = sets.get(text[1:])
        return None if known is None else ports_of(f"[{','.join(known)}]", sets)
    items = text.removeprefix("[").removesuffix("]").split(",")
    ports: list[tuple[int, int]] = []
    excluded: list[tuple[int, int]] = []
    for item in items:
        if item.startswith("$"):
            nested = ports_of(item, sets)
            if nested is None:
                return None
            ports += nested
            continue
        found = port_range(item.removeprefix("!"), ":")
        if found is None:
            return None
        (excluded if item.startswith("!") else ports).append(found)
    if excluded and not ports:
        return inverse(tuple(excluded))
    return tuple(sorted(ports))


def addresses_of(text: str, sets: Sets) -> Destination | None:
    """The addresses of a header; an exclusion from a list is left out, which can only make it wider."""
    if text.lower() == "any" or (text == "$EXTERNAL_NET" and "EXTERNAL_NET" not in sets):
        return EVERYWHERE
    if text == "$HOME_NET" and "HOME_NET" not in sets:
        return NOWHERE
    if text.startswith("!"):
        return NOWHERE if text[1:].lower() in ("any", "$external_net") else EVERYWHERE
    if text.startswith("@"):
        return None
    if text.startswith("$"):
        known = sets.get(text[1:])
        return None if known is None else addresses_of(f"[{','.join(known)}]", sets)
    items = _items(text)
    wanted = [item for item in items if not item.startswith("!")]
    if not wanted:
        return EVERYWHERE if items else None
    everywhere = False
    ranges: list[str] = []
    for item in wanted:
        if item[0] in "$@" or item.lower() == "any":
            part = addresses_of(item, sets)
            if part is None:
                return None
            everywhere |= part.everywhere
            ranges += part.ranges
        else:
            ranges.append(item)
    found = destination(ranges)
    if found is None:
        return None
    return Destination(everywhere=everywhere or found.everywhere, ranges=found.ranges)


def clients_of(text: str, sets: Sets) -> frozenset[str]:
    """Source ranges; empty (everybody) for what is no plain list of them."""
    if text.startswith("$"):
        known = sets.get(text[1:])
        return frozenset(known) if known else frozenset()
    items = text.removeprefix("[").removesuffix("]").split(",")
    return frozenset() if any(item[:1] in "!$@" or item.lower() == "any" for item in items) else frozenset(items)


def closes(text: str, sets: Sets) -> bool:
    """Whether a deny to `text` leaves no public address out; an exclusion, or what is not known, may leave one out."""
    if text.lower() == "any" or (text == "$EXTERNAL_NET" and "EXTERNAL_NET" not in sets):
        return True
    if text == "!$HOME_NET":
        return "HOME_NET" not in sets
    excluded = destination(_items(text[1:])) if text.startswith("!") else None
    if excluded is not None:
        return excluded.unseen
    try:
        networks = [ip_network(item, strict=False) for item in _items(text)]
    except ValueError:
        return False
    return all(closes_the_internet(networks, version) for version in (4, 6))


def denied_clients(text: str, sets: Sets) -> frozenset[str]:
    """Whom a deny is about; empty (everybody) only where nobody behind the firewall is left out."""
    if text.lower() == "any" or (text == "$HOME_NET" and "HOME_NET" not in sets):
        return frozenset()
    return clients_of(text, sets) or frozenset({text})


def _items(text: str) -> list[str]:
    return [item for item in text.removeprefix("[").removesuffix("]").split(",") if item]
