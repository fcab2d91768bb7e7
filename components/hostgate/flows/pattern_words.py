"""Words that a regular expression finds, made from the expression itself: what to ask a rule for that is written as one.

The standard library's own parser of expressions is read (`re._parser`, which has no public form), so that what is parsed
here and what is searched are one language.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice, product
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, Final

_MOST_WORDS: Final = 5
_MOST_TRIED: Final = 64
_MOST_REPEATED: Final = 253
"""Characters of the longest name (RFC 1035, 2.3.4)."""

_LETTERS: Final = "wx0-._~!"
"""What stands for one of a class of characters, in the order of preference."""

_NAME: Final = re.compile(r"[!-~]+\Z")
"""A name as packets carry it, which need not be one that DNS has."""


def words(pattern: str, *, case: bool = False) -> tuple[str, ...]:
    """At most five names in which `pattern` is found, none if no word was found. Looking around is not understood."""
    try:
        tree = parser.parse(pattern)
        compiled = re.compile(pattern, 0 if case else re.IGNORECASE)
    except (re.error, RecursionError, OverflowError):
        return ()
    found: dict[str, None] = {}
    for word in islice(_of(tree), _MOST_TRIED):
        # A part of a name that begins or ends with a dot has a label there.
        named = f"{'w' if word.startswith('.') else ''}{word}{'w' if word.endswith('.') else ''}"
        for each in (named, word):
            if _NAME.match(each) and compiled.search(each):
                found[each] = None
                break
        if len(found) == _MOST_WORDS:
            break
    return tuple(found)


def _of(tree: Iterable[tuple[Any, Any]]) -> Iterator[str]:
    """Words of a sequence, those first that take the first way of each choice."""
    parts = [list(islice(_of_one(code, what), _MOST_WORDS)) for code, what in tree]
    return ("".join(chosen) for chosen in product(*parts))


def _of_one(code: Any, what: Any) -> Iterator[str]:
    if code is op.LITERAL:
        yield chr(what)
    elif code in (op.NOT_LITERAL, op.ANY, op.IN):
        members = [(each[0], each[1] if each[0] is op.LITERAL else each[1][0]) for each in (what if code is op.IN else ())
                   if each[0] in (op.LITERAL, op.RANGE)]  # fmt: skip
        usual = (each for each in (*_LETTERS, *(chr(low) for _, low in members)) if _among(each, code, what))
        first = next(usual, "")
        yield first
        yield from (chr(one) for kind, one in members if kind is op.LITERAL and chr(one) != first
                    and _among(chr(one), code, what))  # fmt: skip
    elif code is op.BRANCH:
        for way in what[1]:
            yield from islice(_of(way), 1)
        for way in what[1]:
            yield from islice(_of(way), 1, _MOST_WORDS)
    elif code is op.SUBPATTERN:
        yield from _of(what[-1])
    elif code is op.ATOMIC_GROUP:
        yield from _of(what)
    elif code in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
        least, most, inner = what
        counts = {min(max(least, 1), most), least}
        yield from (
            word * count for count in sorted(counts, reverse=True) if count <= _MOST_REPEATED for word in _of(inner)
        )
    else:  # an anchor, or what a search will tell
        yield ""


def _among(letter: str, code: Any, what: Any) -> bool:
    if code is op.ANY:
        return True
    if code is op.NOT_LITERAL:
        return bool(ord(letter) != what)
    negated: bool = what[0][0] is op.NEGATE
    return any(_is(letter, *each) for each in what if each[0] is not op.NEGATE) != negated


def _is(letter: str, code: Any, what: Any) -> bool:
    if code is op.LITERAL:
        return bool(ord(letter) == what)
    if code is op.RANGE:
        return bool(what[0] <= ord(letter) <= what[1])
    kinds = {"DIGIT": r"\d", "WORD": r"\w", "SPACE": r"\s", "NOT_DIGIT": r"\D", "NOT_WORD": r"\W", "NOT_SPACE": r"\S"}
    kind = kinds.get(str(what).removeprefix("CATEGORY_"))
    return kind is not None and re.match(kind, letter) is not None
