"""Addresses and ports of a rule header, as Suricata 7 means them.

A list is what it names less what it excludes, whatever the order and the depth of brackets; a list that only excludes
begins with everything of the address families that it excludes from, and of those alone: `!10.0.0.0/8` holds no IPv6
address (DetectAddressMergeNot; replayed on Suricata 7.0.10). Two negations cancel each other.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

from hostgate.flows.address_sets import EVERY_ADDRESS, TOP, AddressSet, between, networks, symbol
from hostgate.flows.intervals import EVERY_PORT, NO_NUMBER, Intervals

Variables = Mapping[str, str | None]
"""Definitions by name, as a header would write them; None for one that is declared and not known."""

DEEPEST = 32
"""Brackets and variables inside one another that are followed; the engine takes 64 variables before it refuses."""


class HeaderError(ValueError):
    """A header that the engine refuses. The message says what of it."""


@dataclass(slots=True)
class _Parts:
    """What a list names and what it excludes."""

    named: list[str] = field(default_factory=list)
    excluded: list[str] = field(default_factory=list)


def addresses_of(text: str, variables: Variables) -> AddressSet:
    """The addresses that `text` means. Sets that nobody knows here are symbols of their own name (`$NAME`, `@NAME`).

    Raises HeaderError for what the engine refuses.
    """
    if text.lower() == "any":
        return EVERY_ADDRESS
    parts = _Parts()
    _collect(text, variables, parts, negated=False, depth=0)
    named = AddressSet()
    for item in parts.named:
        named |= _address(item)
    excluded = AddressSet()
    for item in parts.excluded:
        excluded |= _address(item)
    if EVERY_ADDRESS in (excluded, *map(_address, parts.excluded)):
        raise HeaderError(f"{text!r} excludes every address")
    v4, v6 = named.v4, named.v6
    if not parts.named or not (named.v4 or named.v6 or named.symbols):
        # An unseen set may hold addresses of either family, so what is left of both is in doubt.
        v4 = EVERY_ADDRESS.v4 if excluded.v4 or excluded.symbols else NO_NUMBER
        v6 = EVERY_ADDRESS.v6 if excluded.v6 or excluded.symbols else NO_NUMBER
    else:
        v4 = v4 or (EVERY_ADDRESS.v4 if excluded.v4 and not named.symbols else NO_NUMBER)
        v6 = v6 or (EVERY_ADDRESS.v6 if excluded.v6 and not named.symbols else NO_NUMBER)
    found = AddressSet(
        v4 & excluded.v4.outside(TOP["IPv4"]), v6 & excluded.v6.outside(TOP["IPv6"]), named.symbols, excluded.symbols
    )
    if not found.v4 and not found.v6 and not found.symbols:
        raise HeaderError(f"{text!r} leaves no address")
    return found


def ports_of(text: str, variables: Variables) -> Intervals | None:
    """The ports that `text` means; None where a variable in it is not known. Raises HeaderError."""
    if text.lower() == "any":
        return EVERY_PORT
    parts = _Parts()
    _collect(text, variables, parts, negated=False, depth=0)
    if any(item.startswith("$") for item in (*parts.named, *parts.excluded)):
        return None
    named, excluded = Intervals.of(map(_port, parts.named)), Intervals.of(map(_port, parts.excluded))
    if not parts.named:
        named = EVERY_PORT
    found = named & excluded.outside(EVERY_PORT.parts[0][1])
    if not found:
        raise HeaderError(f"{text!r} leaves no port")
    return found


def _collect(text: str, variables: Variables, parts: _Parts, *, negated: bool, depth: int) -> None:
    if depth > DEEPEST:
        raise HeaderError(f"{text[:60]!r} goes deeper than {DEEPEST} brackets or variables")
    for raw in _items(text):
        item, turned = raw, negated
        while item.startswith("!"):
            item, turned = item[1:], not turned
        if not item:
            raise HeaderError(f"an empty item in {text[:60]!r}")
        if item.startswith("["):
            _collect(_inside(item), variables, parts, negated=turned, depth=depth + 1)
        elif item.startswith("$") and variables.get(item[1:], "") is not None:
            if item[1:] not in variables:
                raise HeaderError(f"the variable {item} is not declared")
            _collect(variables[item[1:]] or "", variables, parts, negated=turned, depth=depth + 1)
        else:
            (parts.excluded if turned else parts.named).append(item)


def _inside(item: str) -> str:
    if not item.endswith("]"):
        raise HeaderError(f"a bracket that does not close in {item[:60]!r}")
    return item[1:-1]


def _items(text: str) -> Iterator[str]:
    """The items of a list, with brackets inside it whole."""
    depth, start = 0, 0
    for at, letter in enumerate(text):
        depth += (letter == "[") - (letter == "]")
        if depth < 0:
            break
        if letter == "," and depth == 0:
            yield text[start:at].strip()
            start = at + 1
    if depth:
        raise HeaderError(f"a bracket that does not close in {text[:60]!r}")
    yield text[start:].strip()


def _address(item: str) -> AddressSet:
    if item.lower() == "any":
        return EVERY_ADDRESS
    if item[0] in "$@":
        return symbol(item)
    try:
        first, dash, last = item.partition("-")
        if dash and ":" not in item:
            return between(first, last)
        return networks([item] if "/" in item else [ip_network(ip_address(item))])
    except ValueError:
        raise HeaderError(f"{item!r} is no address") from None


def _port(item: str) -> tuple[int, int]:
    if item.lower() == "any":
        return EVERY_PORT.parts[0]
    low, colon, high = item.partition(":")
    first = int(low) if low.isdecimal() else 0 if colon and not low else -1
    last = first if not colon else int(high) if high.isdecimal() else 65_535 if not high else -1
    if not 0 <= first <= last <= 65_535:
        raise HeaderError(f"{item!r} is no port")
    return first, last
