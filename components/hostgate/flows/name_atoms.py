"""Names that conditions tell apart: whatever name is asked of a place, one of these is like it.

A host that is asked for exactly is one name. Of one that is an ending there are itself, one and two labels below it, and the
same glued to it without a dot. Texts that a name may begin with or contain, and words of patterns, stand in front of each
ending, alone and two at a time; those of one rule all together, too.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final

from hostgate.catalog.model import MATCHES
from hostgate.flows.names import Names, NameTest
from hostgate.flows.pattern_words import words

STRANGER: Final = "host.stranger.invalid"
"""A name that no rule and no catalog means (RFC 6761: `invalid` names nothing)."""

OTHERS: Final = ("k7.q9.zz", "www.03.jp", "b-v.xyz.gf")
"""For rules whose texts or patterns hold of that name by chance."""

_LABEL: Final = "w"
_MOST_FILLED: Final = 64
ENDINGS: Final = frozenset({*MATCHES, "ending", "dot-ending"})
"""Kinds of tests that hold by the end of a name, or by all of it."""


@dataclass
class NameAtoms:
    """What names are made of: whole names, endings, and what can stand in front of an ending, alone or two at a time.
    `without_example` are conditions with a pattern of which no name was made that fits."""

    whole: dict[str, None] = field(default_factory=dict)
    ends: dict[str, None] = field(default_factory=dict)
    fronts: dict[str, None] = field(default_factory=dict)
    pairs: dict[str, None] = field(default_factory=dict)
    without_example: list[Names] = field(default_factory=list)

    def plain(self, end: str) -> tuple[str, ...]:
        """The ending itself, and names with it that nothing but endings is asked of."""
        below = f"{_LABEL}.{end}"
        return end, below, f"{_LABEL}.{below}", f"{_LABEL}{end}", f"{_LABEL}.{_LABEL}{end}"

    def fronted(self, end: str, *, pairs: bool = True) -> Iterator[str]:
        """The same with each of the texts in front, and with two of them."""
        for front in self.fronts:
            yield f"{front}.{end}"
            yield f"{front}.{_LABEL}.{end}"
            yield f"{front}{end}"
            yield f"{front}.{_LABEL}{end}"
        yield from (f"{pair}.{end}" for pair in self.pairs if pairs)


def name_atoms(conditions: Iterable[Names]) -> NameAtoms:
    """Those of all conditions; the tests of one stand together."""
    made = NameAtoms()
    inner: dict[str, None] = {}
    starts: dict[str, None] = {}
    joint: dict[str, None] = {}
    patterns: dict[NameTest, None] = {}
    asked: dict[NameTest, None] = {}
    for names in conditions:
        texts = [_front(test.text) for test in names if test.kind in ("starting", "containing") and not test.negated]
        if len(texts) > 1:  # one text may hold of a name for which another one stands in front
            begins = [_front(test.text) for test in names if test.kind == "starting" and not test.negated]
            joint[".".join(dict.fromkeys((*begins, *texts)))] = None
        if any(test.kind == "pattern" and not test.negated for test in names):
            fitting = next((name for name in _filled(names) if all(test.holds(name) for test in names)), None)
            made.whole |= {} if fitting is None else {fitting: None}
            made.without_example += [names] if fitting is None else []
        asked |= dict.fromkeys(names)
    for test in asked:
        if test.kind == "pattern":
            patterns[test] = None
            continue
        for text in _spellings(test):
            if test.kind == "exact":
                made.whole[text.strip(".")] = None
            elif test.kind in ENDINGS:
                made.ends[text.strip(".")] = None
            elif text.strip("."):
                (starts if test.kind == "starting" else inner)[_front(text)] = None
    for test in patterns:
        found = words(test.text, case=test.case)
        made.whole |= dict.fromkeys(found)
        inner |= dict.fromkeys(map(_front, found))
    made.whole |= dict.fromkeys((*inner, *starts, *joint))
    made.whole.pop("", None)
    made.ends.pop("", None)
    two = (".".join(each) for each in combinations(inner, 2))
    pairs = (f"{begin}.{text}" for begin in starts for text in inner)
    made.fronts = dict.fromkeys((*inner, *starts, *joint))
    made.pairs = dict.fromkeys((*two, *pairs))
    loose = [test for test in asked if test.kind not in ("exact", *MATCHES)]
    strangers = [STRANGER]
    if _by_chance(STRANGER, loose):
        strangers += [name for name in OTHERS if not _by_chance(name, loose)][:1]
    made.whole = dict.fromkeys((*strangers, *made.whole))
    made.ends = dict.fromkeys((*strangers, *made.ends))
    return made


def _filled(names: Names) -> Iterator[str]:
    """Names with all the texts of a condition, and words of its patterns, with letters between them up to a length that a
    pattern may ask for."""
    positive = [test for test in names if not test.negated]
    begin = "".join(test.text for test in positive if test.kind == "starting")
    inner = ".".join(test.text for test in positive if test.kind == "containing")
    ends = [test.text for test in positive if test.kind in (*ENDINGS, "exact")]
    end = max(ends, key=len, default="")
    yield from ends
    for test in positive:
        if test.kind == "pattern":
            for word in words(test.text, case=test.case):
                yield from (word, f"{begin}{word}{end}", f"{begin}{word}.{end}", f"{word}{inner}{end}")
    for length in range(_MOST_FILLED):
        filler = _LABEL * length
        yield from (f"{begin}{filler}{inner}{end}", f"{begin}{inner}{filler}{end}", f"{begin}{inner}.{filler}{end}",
                    f"{begin}{inner}{filler}.{end}")  # fmt: skip


def _by_chance(name: str, tests: Iterable[NameTest]) -> bool:
    """Whether letters of the name are asked for, though nobody means it."""
    return any(test.holds(name) != test.negated for test in tests if test.text.strip("."))


def _spellings(test: NameTest) -> tuple[str, ...]:
    """The text; where its case matters, as it is written, and in the other cases."""
    text = test.text
    return tuple(dict.fromkeys((text, text.lower(), text.upper()))) if test.case else (text.lower(),)


def _front(text: str) -> str:
    """A text as it stands at the beginning of a name, with a label before the dot that it may begin with."""
    return (f"{_LABEL}{text}" if text.startswith(".") else text).rstrip(".")
