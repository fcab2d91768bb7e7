"""Session matchers of Secure Web Proxy: the part of CEL that they are mostly made of, as conditions on a flow.

Read are host(), destination.port, source.ip, inIpRange, inUrlList, matchTag and matchServiceAccount with their comparisons,
and &&, ||, ! and brackets. All else raises UnreadableError: a rule whose matcher nobody reads here is a doubt, never nothing.
Source: Secure Web Proxy documentation, CEL matcher language reference and UrlList syntax reference (read 2026-11-28).
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from hostgate.catalog.hosts import check_host
from hostgate.flows.address_sets import EVERY_ADDRESS, AddressSet, networks
from hostgate.flows.intervals import EVERY_PORT, Intervals
from hostgate.flows.names import Names, NameTest, TestKind
from hostgate.gcp.wildcards import read_wildcard

MOST: Final = 20_000
"""Alternatives of a matcher that are looked at; one with more is not read."""

DEEPEST: Final = 50
"""Brackets in each other; a matcher with more is not read."""


class UnreadableError(ValueError):
    """A matcher, or an entry of a list, with something in it that is not read here."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold together. A matcher is a list of these, any of which is enough."""

    names: Names = ()
    ports: Intervals = EVERY_PORT
    sources: AddressSet = EVERY_ADDRESS
    identities: frozenset[str] | None = None
    doubts: tuple[str, ...] = ()

    @property
    def named(self) -> bool:
        """Whether it asks for a name that must be there, and not only for one that must not."""
        return any(not test.negated for test in self.names)


Conditions = tuple[Condition, ...]
Lists = Callable[[str], Sequence[str] | None]
"""The entries of a URL list by its name; None for a list that is not there."""

EVERYTHING: Final[Conditions] = (Condition(),)


def read_matcher(text: str, lists: Lists) -> Conditions:
    """What a session matcher asks for. Raises UnreadableError."""
    reader = _Reader(text, lists)
    found = reader.alternatives(negated=False)
    reader.end()
    return found


def entry_tests(entry: str) -> tuple[tuple[NameTest, tuple[str, ...]], ...]:
    """What an entry of a list means for host(), which has no path: names, and what would have to be so for them.

    That `*.x` does not hold x is documented for the same form in URL filtering, and not for these lists.
    """
    kind, text = read_wildcard(entry.partition("/")[0])
    host, broken, _ = check_host(text)
    if broken and not (broken == "host-single-label" and kind == "subtree"):
        raise UnreadableError(entry)
    named = (NameTest(kind, host), ())
    apex = (NameTest("exact", host), (f"Secure Web Proxy counts {host} to *.{host}",))
    return (named, apex) if kind == "subtree" else (named,)


_TEXT = r"(?:'(?P<{0}>[^'\\]*)'|\"(?P<{0}2>[^\"\\]*)\")"
_SPACE = re.compile(r"\s*")
_ATOMS: Final = {
    kind: re.compile(pattern)
    for kind, pattern in {
        "flag": r"(true|false)\b",
        "compared": r"host\(\)\s*(==|!=)\s*" + _TEXT.format("text"),
        "part": r"host\(\)\s*\.\s*(contains|startsWith|endsWith)\(\s*" + _TEXT.format("text") + r"\s*\)",
        "listed": r"inUrlList\(\s*host\(\)\s*,\s*" + _TEXT.format("text") + r"\s*\)",
        "port": r"destination\.port\s*(==|!=|<=|>=|<|>)\s*(\d{1,6})\b",
        "address": r"source\.ip\s*(==|!=)\s*" + _TEXT.format("text"),
        "range": r"inIpRange\(\s*source\.ip\s*,\s*" + _TEXT.format("text") + r"\s*\)",
        "tag": r"source\.matchTag\(\s*" + _TEXT.format("text") + r"\s*\)",
        "account": r"source\.matchServiceAccount\(\s*" + _TEXT.format("text") + r"\s*\)",
    }.items()
}
_PARTS: Final[Mapping[str, TestKind]] = {"contains": "containing", "startsWith": "starting", "endsWith": "ending"}


class _Reader:
    """From left to right. `negated`: what is read stands behind a `!`, which is carried down to the last condition."""

    def __init__(self, text: str, lists: Lists) -> None:
        self.text, self.lists, self.at, self.depth = text, lists, 0, 0

    def alternatives(self, *, negated: bool) -> Conditions:
        return self._chain("||", self._together, either=not negated, negated=negated)

    def _together(self, *, negated: bool) -> Conditions:
        return self._chain("&&", self._one, either=negated, negated=negated)

    def end(self) -> None:
        self._skip()
        if self.at < len(self.text):
            raise UnreadableError(self.text[self.at :])

    def _chain(self, word: str, below: Callable[..., Conditions], *, either: bool, negated: bool) -> Conditions:
        found = below(negated=negated)
        while self._take(word):
            other = below(negated=negated)
            found = _merged((*found, *other)) if either else _both(found, other)
        return found

    def _one(self, *, negated: bool) -> Conditions:
        while self._take("!"):
            negated = not negated
        if self._take("("):
            self.depth += 1
            if self.depth > DEEPEST:
                raise UnreadableError("too many brackets in each other")
            found = self.alternatives(negated=negated)
            self.depth -= 1
            if not self._take(")"):
                raise UnreadableError(self.text[self.at :])
            return found
        self._skip()
        for kind, pattern in _ATOMS.items():
            if match := pattern.match(self.text, self.at):
                self.at = match.end()
                return self._atom(kind, match, negated=negated)
        raise UnreadableError(self.text[self.at :])

    def _atom(self, kind: str, match: re.Match[str], *, negated: bool) -> Conditions:
        groups = match.groupdict()
        text = next((each for each in (groups.get("text"), groups.get("text2")) if each is not None), "")
        match kind:
            case "flag":
                return EVERYTHING if (match[1] == "true") != negated else ()
            case "compared":
                return _name("exact", text, negated=negated != (match[1] == "!="))
            case "part":
                return _name(_PARTS[match[1]], text, negated=negated)
            case "listed":
                return self._listed(text, negated=negated)
            case "port":
                return _port(match[1], int(match[2]), negated=negated)
            case "address" | "range":
                return _source(text, outside=negated != (kind == "address" and match[1] == "!="))
        if negated:
            raise UnreadableError(f"not {match[0]}")
        return (Condition(identities=frozenset({f"{kind}:{text}"})),)

    def _listed(self, name: str, *, negated: bool) -> Conditions:
        entries = self.lists(name)
        if entries is None:
            last = name.rpartition("/")[2]
            word = "is not" if negated else "is"
            said = f"its name {word} on the URL list {last}, whose entries are not known here"
            return (Condition(doubts=(said,)),)
        if not negated:
            return tuple(each for entry in sorted(entries, key=_breadth) for each in _of_entry(entry))
        tests = [each for entry in sorted(entries, key=_breadth) for each in entry_tests(entry)]
        others = tuple(replace(test, negated=True) for test, doubts in tests if not doubts)
        doubtful = [(test, f"not so: {doubts[0]}") for test, doubts in tests if doubts]
        sure = (*others, *(replace(test, negated=True) for test, _ in doubtful))
        perhaps = (Condition(names=(test, *others), doubts=(doubt,)) for test, doubt in doubtful)
        return (Condition(names=sure), *perhaps)

    def _skip(self) -> None:
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def _take(self, word: str) -> bool:
        self._skip()
        taken = self.text.startswith(word, self.at) and not (word == "!" and self.text.startswith("!=", self.at))
        self.at += len(word) if taken else 0
        return taken


def _of_entry(entry: str) -> Iterator[Condition]:
    """What is on the list by an entry; by one of another form, nobody here can tell what."""
    try:
        yield from (Condition(names=(test,), doubts=doubts) for test, doubts in entry_tests(entry))
    except UnreadableError:
        yield Condition(doubts=(f"its name is what {entry!a} on the list means",))


def _name(kind: TestKind, text: str, *, negated: bool) -> Conditions:
    """A comparison of names, which CEL makes by the letter. Whether host() comes in lower case is not documented, so a name
    that differs by case alone is a doubt; entries of URL lists are domains, and taken to be alike in either case."""
    if not text:
        raise UnreadableError("an empty name")
    strict, loose = NameTest(kind, text, case=True), NameTest(kind, text)
    lowered, kept = "host() comes in lower case", "host() comes as the client wrote it"
    if not negated:
        sure = (Condition(names=(strict,)),) if text == text.lower() else ()
        return (*sure, Condition(names=(loose,), doubts=(lowered if sure else kept,)))
    if text != text.lower():
        return (Condition(names=(replace(strict, negated=True),)), Condition(names=(strict,), doubts=(lowered,)))
    return (
        Condition(names=(replace(loose, negated=True),)),
        Condition(names=(replace(strict, negated=True),), doubts=(kept,)),
    )


def _port(word: str, number: int, *, negated: bool) -> Conditions:
    parts = {
        "==": [(number, number)], "!=": [(0, number - 1), (number + 1, 65_535)], "<": [(0, number - 1)],
        "<=": [(0, number)], ">": [(number + 1, 65_535)], ">=": [(number, 65_535)],
    }  # fmt: skip
    found = Intervals.of((low, min(high, 65_535)) for low, high in parts[word])
    return (Condition(ports=found.outside(65_535) if negated else found),)


def _source(text: str, *, outside: bool) -> Conditions:
    try:
        found = networks([text])
    except ValueError:
        raise UnreadableError(text) from None
    return (Condition(sources=found.complement if outside else found),)


def _both(some: Conditions, others: Conditions) -> Conditions:
    if len(some) * len(others) > MOST:
        raise UnreadableError("too many alternatives")
    return tuple(each for one in some for other in others for each in _meet(one, other))


def _meet(one: Condition, other: Condition) -> Iterator[Condition]:
    """Both at once; nothing where they exclude each other."""
    if one.identities is not None and other.identities is not None:
        raise UnreadableError("two identities of one client")  # a rule's identities are alternatives
    sources = AddressSet(one.sources.v4 & other.sources.v4, one.sources.v6 & other.sources.v6)
    found = Condition(
        names=tuple(dict.fromkeys((*one.names, *other.names))),
        ports=one.ports & other.ports,
        sources=sources,
        identities=one.identities if other.identities is None else other.identities,
        doubts=tuple(dict.fromkeys((*one.doubts, *other.doubts))),
    )
    if found.ports and (sources.v4 or sources.v6):
        yield found


def _merged(conditions: Iterable[Condition]) -> Conditions:
    """Alternatives that differ in ports, in sources or in identities alone, as one: a client may be in any of its ranges."""
    found: dict[object, Condition] = {}
    for each in conditions:
        rest = (each.names, each.ports, each.doubts)
        key: object = each
        if each.identities is None and each.sources != EVERY_ADDRESS:
            key = ("sources", rest)
        elif each.identities is not None and each.sources == EVERY_ADDRESS:
            key = ("identities", rest)
        elif each.ports != EVERY_PORT:
            key = ("ports", each.names, each.doubts, each.identities, each.sources)
        known = found.get(key)
        if known is None:
            found[key] = each
        else:
            found[key] = replace(
                known,
                ports=known.ports | each.ports,
                sources=known.sources | each.sources,
                identities=None if known.identities is None else known.identities | (each.identities or frozenset()),
            )
    if len(found) > MOST:
        raise UnreadableError("too many alternatives")
    return tuple(found.values())


def _breadth(entry: str) -> tuple[bool, int, str]:
    """A whole name is named before a wildcard; all of a list decide alike."""
    return (entry.startswith("*"), -len(entry), entry)
