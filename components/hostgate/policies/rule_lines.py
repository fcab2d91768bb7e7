"""Suricata rule lines as people write them for AWS Network Firewall: read as far as is safe, else said to be unread.

Tolerant in layout (spaces in lists, tabs, the old names of sticky buffers) and strict in meaning: a line of a form that
this reader does not know is never taken for one that does nothing. Sources: Suricata 7 user guide, rule format;
AWS Network Firewall developer guide, limitations and caveats.
"""

import re
from collections.abc import Iterator

from hostgate.suricata.reader import ACTIONS, ParsedRule, UnreadLine

_LISTED = re.compile(r"\s*,\s*|(?<=\[)\s+|\s+(?=\])|(?<=!)\s+")
_BUFFERS = {"tls_sni": "tls.sni", "dns_query": "dns.query"}
"""Old names of sticky buffers. `http_host` is not one of them: it stood after its content."""


def read_lines(text: str) -> Iterator[ParsedRule | UnreadLine]:
    """The rules of a rules string; blank lines and comments are free."""
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if line and not line.startswith("#"):
            yield read_line(line, number)


def read_line(line: str, number: int = 1) -> ParsedRule | UnreadLine:
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
    if not bracket or not rest.rstrip().endswith(")"):
        return UnreadLine(number, "options that do not end in a bracket")
    options = _options(rest.rstrip()[:-1])
    if options is None:
        return UnreadLine(number, "options with a quote that never ends")
    return ParsedRule(
        number, action.lower(), protocol.lower(), source, source_port, destination, port, tuple(options),
        both_ways=direction == "<>",
    )  # fmt: skip


def _options(text: str) -> list[tuple[str, str]] | None:
    """Keywords and values; a semicolon inside quotes or after a backslash ends nothing."""
    found: list[tuple[str, str]] = []
    word, quoted, escaped = "", False, False
    for letter in text + ";":
        if letter == ";" and not quoted and not escaped:
            keyword, _, value = word.partition(":")
            if keyword.strip():
                name = keyword.strip().lower()
                found.append((_BUFFERS.get(name, name), _unquoted(value.strip())))
            word = ""
            continue
        quoted ^= letter == '"' and not escaped
        escaped = letter == "\\" and not escaped
        word += letter
    return None if quoted or word else found


def _unquoted(value: str) -> str:
    negated = value.startswith("!")
    body = value.removeprefix("!").strip()
    if len(body) >= 2 and body[0] == body[-1] == '"':
        body = body[1:-1]
    return f"!{body}" if negated else body
