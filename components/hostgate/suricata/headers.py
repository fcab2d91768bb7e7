"""Addresses and ports of a rule header, as Suricata 7 means them.

A list is what it names less what it excludes, whatever the order and the depth of brackets; a list that only excludes
begins with everything of the address families that it excludes from, and of those alone: `!10.0.0.0/8` holds no IPv6
address (DetectAddressMergeNot). A list or a variable behind a `!` is worked out for itself first, and all of it is
excluded: `![a,!b]` is what is not in a, and b (DetectAddressParseInternal). Replayed on Suricata 7.0.10.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from ipaddress import ip_address, ip_network
from operator import or_
from typing import Generic, TypeVar

from hostgate.flows.address_sets import EVERY_ADDRESS, TOP, AddressFamily, AddressSet, between, networks, symbol, union
from hostgate.flows.intervals import EVERY_PORT, NO_NUMBER, Intervals

T = TypeVar("T")

Variables = Mapping[str, str | None]
"""Definitions by name, as a header would write them; None for one that is declared and not known."""

DEEPEST = 32
"""Brackets and variables inside one another that are followed; the engine takes 64 variables before it refuses."""


class HeaderError(ValueError):
    """A header that the engine refuses. The message says what of it."""


@dataclass(slots=True)
class _Parts(Generic[T]):
    """What a list names and what it excludes."""

    named: list[T] = field(default_factory=list)
    excluded: list[T] = field(default_factory=list)


def addresses_of(text: str, variables: Variables) -> AddressSet:
    """The addresses that `text` means. Sets that nobody knows here are symbols of their own name (`$NAME`, `@NAME`).

    Raises HeaderError for what the engine refuses.
    """
    return EVERY_ADDRESS if text.lower() == "any" else _set_of(text, variables, 0)


def _set_of(text: str, variables: Variables, depth: int) -> AddressSet:
    parts: _Parts[AddressSet] = _Parts()
    _collect(text, variables, parts, _address, _set_of, depth)
    named, excluded = union(parts.named), union(parts.excluded)
    if (excluded.v4, excluded.v6) == (EVERY_ADDRESS.v4, EVERY_ADDRESS.v6) and not excluded.without:
        raise HeaderError(f"{text!r} excludes every address")
    found = AddressSet(
        _less(named.v4, excluded.v4, "IPv4", named, excluded),
        _less(named.v6, excluded.v6, "IPv6", named, excluded),
        named.symbols | excluded.without,
        named.without | excluded.symbols,
    )
    if not found.v4 and not found.v6 and not found.symbols:
        raise HeaderError(f"{text!r} leaves no address")
    return found


def _less(
    named: Intervals, excluded: Intervals, family: AddressFamily, all_named: AddressSet, all_excluded: AddressSet
) -> Intervals:
    """What is left in one family. Where none of it is named and some is excluded, it begins with all of the family; an
    unseen set may hold addresses of either, and is then a symbol of the whole, so that the answer stays in doubt."""
    if not named and not all_named.symbols and (excluded or all_excluded.symbols):
        named = EVERY_ADDRESS.of(family)
    return named & excluded.outside(TOP[family])


def ports_of(text: str, variables: Variables) -> Intervals | None:
    """The ports that `text` means; None where that cannot be told. Raises HeaderError."""
    try:
        return EVERY_PORT if text.lower() == "any" else _ports(text, variables, 0)
    except _UnknownPortsError:
        return None


class _UnknownPortsError(Exception):
    """A variable whose ports are not known here, or a list behind a `!` that excludes in turn: there the engine means
    something else for ports than for addresses (seen on Suricata 7.0.10), and nothing documents what."""


def _ports(text: str, variables: Variables, depth: int) -> Intervals:
    parts: _Parts[Intervals] = _Parts()
    _collect(text, variables, parts, _port, _ports, depth)
    if depth and parts.excluded:
        raise _UnknownPortsError
    excluded = reduce(or_, parts.excluded, NO_NUMBER)
    named = reduce(or_, parts.named, NO_NUMBER) if parts.named else EVERY_PORT
    found = named & excluded.outside(EVERY_PORT.parts[0][1])
    if not found:
        raise HeaderError(f"{text!r} leaves no port")
    return found


def _collect(
    text: str, variables: Variables, parts: _Parts[T], one: Callable[[str], T],
    whole: Callable[[str, Variables, int], T], depth: int,
) -> None:  # fmt: skip
    """Sorts the items of a list; `one` reads a single item, `whole` works out a list behind a `!`."""
    if depth > DEEPEST:
        raise HeaderError(f"{text[:60]!r} goes deeper than {DEEPEST} brackets or variables")
    for raw in _items(text):
        item = raw.lstrip("!")
        if not item:
            raise HeaderError(f"an empty item in {text[:60]!r}")
        inner: str | None = None
        if item.startswith("["):
            inner = _inside(item)
        elif item.startswith("$"):
            if item[1:] not in variables:
                raise HeaderError(f"the variable {item} is not declared")
            inner = variables[item[1:]]
        negated = item != raw
        if inner is None:
            (parts.excluded if negated else parts.named).append(one(item))
        elif negated:
            parts.excluded.append(whole(inner, variables, depth + 1))
        else:
            _collect(inner, variables, parts, one, whole, depth + 1)


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


def _port(item: str) -> Intervals:
    if item.lower() == "any":
        return EVERY_PORT
    if item[0] == "$":
        raise _UnknownPortsError
    low, colon, high = item.partition(":")
    first = int(low) if low.isdecimal() else 0 if colon and not low else -1
    last = first if not colon else int(high) if high.isdecimal() else 65_535 if not high else -1
    if not 0 <= first <= last <= 65_535:
        raise HeaderError(f"{item!r} is no port")
    return Intervals.of([(first, last)])
