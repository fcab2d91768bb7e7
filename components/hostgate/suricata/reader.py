"""The one reader of Suricata rule text: what Suricata 7 reads, or a clear word that it cannot be told.

Tolerant in layout as the engine is (tabs, blanks in lists, letters of either case, old names of sticky buffers) and
strict in meaning: a line of a form that is not known is never taken for one that does nothing. Sources: Suricata 7 user
guide, rule format; every form was put to Suricata 7.0.10 (2026-11-28). What AWS Network Firewall takes beside that: its
developer guide, limitations and caveats.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

ACTIONS = frozenset({"pass", "drop", "reject", "alert"})
"""What the service takes (limitations and caveats, 2026-11); the engine has further ones."""

_LISTED = re.compile(r"\s*,\s*|(?<=\[)\s+|\s+(?=\])|(?<=!)\s+")
_BUFFERS = {"tls_sni": "tls.sni", "dns_query": "dns.query", "http_host": "http.host", "http_raw_host": "http.host.raw"}
"""Old names of buffers. The `http_` ones are modifiers: they stand after the content that they are about."""
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
        return f"line {self.number}" + (f" (sid {self.sid})" if self.sid != "?" else "")

    def has(self, keyword: str) -> bool:
        return any(keyword == found for found, _ in self.options)


@dataclass(frozen=True, slots=True)
class UnreadLine:
    """A line that is no comment and cannot be read, and why."""

    number: int
    why: str

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
        return UnreadLine(number, "an indented rule: Suricata skips it, and what the service does is not documented")
    line = line.rstrip()
    if line.endswith("\\"):
        return UnreadLine(number, "a rule that goes on in the next line")
    head, bracket, rest = line.partition("(")
    words = _LISTED.sub(lambda found: "," if "," in found[0] else "", head).split()
    if len(words) != 7 or words[4] not in ("->", "<>"):
        return UnreadLine(
            number, f"no header of the form `action protocol source port -> destination port`: {head[:60]!r}"
        )
    action, protocol, source, source_port, direction, destination, port = words
    if action.lower() not in ACTIONS:
        return UnreadLine(number, f"the action {action!r}")
    if not bracket or not rest.endswith(")"):
        return UnreadLine(number, "options that do not end in a bracket")
    options = _options(rest[:-1])
    if isinstance(options, str):
        return UnreadLine(number, options)
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
            _add(found, name, unquoted)
            word = ""
            continue
        escaped = letter == "\\" and not escaped
        word += letter
    if word.strip():
        return "a last option without its semicolon"
    return tuple(found)


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
