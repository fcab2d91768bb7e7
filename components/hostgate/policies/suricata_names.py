"""Which names a Suricata rule matches: its conditions on SNI or Host, as one set that holds at least those names.

Where several conditions stand together the narrowest is taken, which the others can only narrow further: what is
said to be allowed is never less than what is. A condition that cannot be read makes the rule unreadable.
"""

import re
from dataclasses import dataclass

from hostgate.policies.effects import Names
from hostgate.suricata.conditions import NAME_BUFFERS
from hostgate.suricata.reader import ParsedRule, decoded

_MODIFIERS = frozenset(
    {"nocase", "startswith", "endswith", "dotprefix", "depth", "offset", "distance", "within", "fast_pattern", "bsize",
     "isdataat", "rawbytes", "to_lowercase"}
)  # fmt: skip
_PLAIN = frozenset(
    {"msg", "sid", "rev", "gid", "classtype", "reference", "metadata", "priority", "target", "flow", "alert", "noalert",
     "ssl_state", "app-layer-protocol", "ip_proto", "threshold", "tls.version", "ssl_version", "flowbits", "geoip",
     "ttl", "dsize", "flags", "itype", "icode", "urilen"}
)  # fmt: skip
"""Keywords that carry no content of their own. A condition among them only narrows, so leaving it out is safe."""

_RANK = ("exact", "one-label", "subtree", "subtree+apex", "ending", "containing", "any")
_LITERAL = re.compile(r"(?:[A-Za-z0-9_-]|\\\.|\\-)+\Z")


@dataclass(frozen=True, slots=True)
class Condition:
    """The names that a rule matches, each a choice of one (an alternation); and the layer of the buffer."""

    names: tuple[Names, ...]
    layer: str


@dataclass(slots=True)
class _Content:
    value: str
    buffer: str | None
    starts: bool = False
    ends: bool = False
    dotted: bool = False
    size: int | None = None


def condition(line: ParsedRule) -> Condition | str | None:
    """The names of `line`; None if it has no condition on a name; text if it has one that cannot be read."""
    buffer: str | None = None
    layer: str | None = None
    dotted = False
    found: list[tuple[Names, ...]] = []
    contents: list[_Content] = []
    aside: str | None = None
    for keyword, value in line.options:
        if keyword in NAME_BUFFERS or _is_buffer(keyword):
            buffer, dotted = keyword, False
            layer = NAME_BUFFERS.get(keyword, layer)
        elif keyword == "dotprefix":
            if contents and contents[-1].buffer == buffer:
                return "`dotprefix` after the content that it is about"
            dotted = True
        elif keyword in ("content", "pcre"):
            if buffer not in NAME_BUFFERS or value.startswith("!"):
                aside = f"{keyword} {value} on {buffer or 'the payload'}"  # narrows, and tells no name
                contents.append(_Content("", buffer))
            elif keyword == "pcre":
                names = _of_pattern(value)
                if isinstance(names, str):
                    return names
                found.append(names)
            else:
                contents.append(_Content(decoded(value), buffer, dotted=dotted))
        elif keyword == "offset" and value != "0":
            return "a content with an offset"
        elif keyword in _MODIFIERS:
            if contents:
                _modify(contents[-1], keyword, value)
        elif keyword == "flowbits" and value.replace(" ", "").startswith(("isset", "isnotset")):
            aside = "a condition on what another rule has set (flowbits)"
        elif keyword not in _PLAIN:
            return f"the keyword {keyword!r}"
    found += [(_names(content),) for content in contents if content.value]
    if not found:
        return aside or (f"{buffer} without a content" if buffer else None)
    best = min(found, key=lambda names: (len(names) > 1, max(_RANK.index(each.kind) for each in names)))
    return Condition(best, layer or "tls")


def _is_buffer(keyword: str) -> bool:
    """Sticky buffers are called `protocol.part`; `tls.version` and the like take a value and hold no content."""
    return "." in keyword and keyword not in _PLAIN


def _modify(content: _Content, keyword: str, value: str) -> None:
    match keyword:
        case "startswith":
            content.starts = True
        case "endswith":
            content.ends = True
        case "depth" if value.isdecimal():
            content.starts |= int(value) == len(content.value)
        case "bsize" if value.isdecimal():
            content.size = int(value)
        case "isdataat":
            content.ends |= value.replace(" ", "") == "!1,relative"


def _names(content: _Content) -> Names:
    text = content.value.lower()
    if content.size == len(text) and not content.dotted:
        return Names("exact", text)
    if content.dotted:
        if not text.startswith("."):
            return Names("ending", text) if content.ends else Names("containing", text)
        if content.ends:
            return Names("exact", text[1:]) if content.starts else Names("subtree+apex", text[1:])
        return Names("containing", text[1:])  # the dot in front may be the one that `dotprefix` puts there
    if content.starts and content.ends:
        return Names("exact", text)
    if content.ends:
        return Names("subtree", text[1:]) if text.startswith(".") else Names("ending", text)
    return Names("containing", text)


def _of_pattern(value: str) -> tuple[Names, ...] | str:
    """Names of a pcre of a known form: anchored literals, `(a|b)` choices of them, one label or any before a literal."""
    cannot = f"the pattern {value!r}"
    body, slash, flags = value.removeprefix("/").rpartition("/")
    if not slash or not value.startswith("/") or set(flags) - set("iRUHWN"):
        return cannot
    if not body.endswith("$"):
        return cannot
    body = body[:-1]
    for prefix, kind in ((r"^[^.]+\.", "one-label"), (r"^[^\.]+\.", "one-label"), (r"^.+\.", "subtree"),
                         (r"^.*\.", "subtree"), (r"\.", "subtree"), (r"(^|\.)", "subtree+apex"),
                         (r"(?:^|\.)", "subtree+apex"), ("^", "exact")):  # fmt: skip
        if body.startswith(prefix):
            hosts = _choices(body[len(prefix) :])
            if hosts is None:
                return cannot
            return tuple(Names(kind, host) for host in hosts)  # type: ignore[arg-type]
    return cannot


def _choices(pattern: str) -> list[str] | None:
    """`a\\.x`, `(a|b)\\.x` and `(a\\.x|b\\.y)` as host texts; None for anything else."""
    choice = re.fullmatch(r"([^()]*)\((?:\?:)?([^()]*)\)([^()]*)", pattern)
    texts = [pattern] if choice is None else [f"{choice[1]}{each}{choice[3]}" for each in choice[2].split("|")]
    if not all(text and _LITERAL.match(text) for text in texts):
        return None
    return [text.replace("\\", "").lower() for text in texts]
