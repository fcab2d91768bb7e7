"""The one reader of Suricata rule text: what Suricata 7 reads, or a clear word that it cannot be told.

Tolerant in layout as the engine is (tabs, blanks in lists, letters of either case, old names of sticky buffers) and
strict in meaning: a line of a form that is not known is never taken for one that does nothing. Sources: Suricata 7 user
guide, rule format; every form was put to Suricata 7.0.10 (2026-11-28). What AWS Network Firewall takes beside that: its
developer guide, limitations and caveats.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

ACTIONS = ("pass", "drop", "reject", "alert")
"""What the service takes (limitations and caveats, 2026-11); the engine has further ones."""

SID_MAX = 4_294_967_294
"""Largest signature id that Suricata takes (tried on 7.0.10)."""

_LISTED = re.compile(r"(?<=[\[,])\s+")
"""Blanks that the engine takes inside a list: after a comma or an opening bracket, nowhere else."""
_BUFFERS = {"tls_sni": "tls.sni", "dns_query": "dns.query", "http_host": "http.host", "http_raw_host": "http.host.raw"}
"""Old names of buffers. The `http_` ones are modifiers: they stand after the content that they are about."""
FOLDS: Final[Mapping[str, Callable[[str], str]]] = {"to_lowercase": str.lower, "to_uppercase": str.upper}
"""Transforms that write a buffer in one case. The engine refuses a content that it can never hold then."""
_HEX = re.compile(r"\|([0-9A-Fa-f ]*)\|")
_AFTER_CONTENT = frozenset({"http_host", "http_raw_host"})


@dataclass(frozen=True, slots=True)
class ParsedRule:
    """A rule. `options` are (keyword, value) in order, values without their quotes, `!` kept in front."""

    number: int
    action: str
    protocol: str
    source: str
    source_port: str
    destination: str
    port: str
    options: tuple[tuple[str, str], ...]
    both_ways: bool = False

    @property
    def sid(self) -> str:
        return next((value for keyword, value in self.options if keyword == "sid"), "?")

    @property
    def where(self) -> str:
        sid = next((value for keyword, value in self.options if keyword == "sid"), None)
        return f"line {self.number}" + (f" (sid {sid})" if sid else "")


@dataclass(frozen=True, slots=True)
class UnreadLine:
    """A line that is no comment and cannot be read, and why."""

    number: int
    why: str
    part: Literal["action", "header", "options", "sid"] = "options"
    """What of it is not as it has to be."""

    @property
    def where(self) -> str:
        return f"line {self.number}"


@lru_cache(maxsize=64)
def read_rules(text: str) -> tuple[ParsedRule | UnreadLine, ...]:
    """The rules of a rules string; blank lines and comments, indented or not, are free."""
    lines = enumerate(text.splitlines(), start=1)
    return tuple(
        read_line(line, number) for number, line in lines if line.strip() and not line.lstrip().startswith("#")
    )


def read_line(line: str, number: int = 1) -> ParsedRule | UnreadLine:
    if line[0].isspace():
        return UnreadLine(
            number, "an indented rule: Suricata skips it, and what the service does is not documented", "header"
        )
    line = line.rstrip()
    if line.endswith("\\"):
        return UnreadLine(number, "a rule that goes on in the next line")
    head, bracket, rest = line.partition("(")
    words = _LISTED.sub("", head).split()
    if bracket and not head[-1:].isspace():
        return UnreadLine(number, "no blank in front of the options")
    if len(words) != 7 or words[4] not in ("->", "<>"):
        return UnreadLine(
            number,
            f"no header of the form `action protocol source port -> destination port`: {head[:60]!r}",
            "header",
        )
    action, protocol, source, source_port, direction, destination, port = words
    if action.lower() not in ACTIONS:
        return UnreadLine(number, f"the action {action!r}", "action")
    if not bracket or not rest.endswith(")"):
        return UnreadLine(number, "options that do not end in a bracket")
    options = _options(rest[:-1])
    if isinstance(options, str):
        return UnreadLine(number, options)
    sids = [value for keyword, value in options if keyword == "sid"]
    if len(sids) != 1 or not sids[0].isdecimal() or not 1 <= int(sids[0]) <= SID_MAX:
        told = f"the sid {sids[0]!r}; 1 to {SID_MAX} are taken" if len(sids) == 1 else "two sids" if sids else "no sid"
        return UnreadLine(number, told, "sid")
    refused = _refused(options)
    if refused is not None:
        return UnreadLine(number, refused)
    return ParsedRule(
        number, action.lower(), protocol.lower(), source, source_port, destination, port, options,
        both_ways=direction == "<>",
    )  # fmt: skip


def _options(text: str) -> tuple[tuple[str, str], ...] | str:
    """Keywords and values; only a backslash keeps a semicolon from ending an option, quotes do not."""
    found: list[tuple[str, str]] = []
    word, escaped = "", False
    for letter in text:
        if letter == ";" and not escaped:
            keyword, _, value = word.partition(":")
            name = keyword.strip().lower()
            if not name:
                return "an option without a keyword"
            unquoted = _unquoted(value.strip())
            if unquoted is None:
                return f"a quote that never ends, in the option {name!r}"
            if name == "msg" and not value.strip().startswith('"'):
                return "a message without quotes"
            if name in _AFTER_CONTENT and all(each not in ("content", "pcre") for each, _ in found):
                return f"{name} without a content in front of it"
            _add(found, name, unquoted)
            word = ""
            continue
        escaped = letter == "\\" and not escaped
        word += letter
    if word.strip():
        return "a last option without its semicolon"
    return tuple(found)


def _refused(options: tuple[tuple[str, str], ...]) -> str | None:
    """What of the options the engine refuses, of all that can be told without knowing every keyword."""
    buffer, starts = "", 0
    folds: list[str] = []
    for keyword, value in options:
        if "." in keyword:
            buffer, folds = keyword, []
        if keyword in FOLDS:
            folds.append(keyword)
        if keyword == "content":
            starts = 0
            if not value.removeprefix("!"):
                return "an empty content"
            text = decoded(value)
            if not value.startswith("!") and (wrong := [each for each in folds if FOLDS[each](text) != text]):
                return f"a content that {wrong[0]} never leaves"
            if buffer == "http.host" and value != value.lower():
                return "a content with upper-case letters on http.host, which is lower case"
        if keyword == "nocase" and buffer == "http.host":
            return "nocase on http.host, which is lower case"
        starts += keyword in ("startswith", "depth")
        if starts > 1:
            return "two depths for one content"
    return None


def _add(found: list[tuple[str, str]], name: str, value: str) -> None:
    """The option, with the buffer in front of its content where an old keyword stands behind it."""
    if name not in _AFTER_CONTENT:
        found.append((_BUFFERS.get(name, name), value))
        return
    content = max((index for index, each in enumerate(found) if each[0] in ("content", "pcre")), default=len(found))
    found.insert(content, (_BUFFERS[name], ""))


def _unquoted(value: str) -> str | None:
    negated = value.startswith("!")
    body = value.removeprefix("!").strip()
    if body.startswith('"'):
        if len(body) < 2 or not body.endswith('"'):
            return None
        body = body[1:-1]
    return f"!{body}" if negated else body


def decoded(value: str) -> str:
    """A content's bytes, one letter each: `|2e|` is a dot, and a backslash keeps what follows it."""

    def letters(found: re.Match[str]) -> str:
        try:
            return bytes.fromhex(found[1]).decode("latin-1")
        except ValueError:
            return found[0]

    return re.sub(r"\\(.)", r"\1", _HEX.sub(letters, value))
