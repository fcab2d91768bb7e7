"""Suricata rules for AWS Network Firewall: the text of one rule, and its signature id.

The form is the strictest that real Suricata (7.0.10) was seen to judge right. Order matters: the sticky buffer first,
then the content, then its modifiers; `dotprefix` before the content. `endswith` without `startswith` lets
notcgr.dev through. `nocase` is required on tls.sni and refused on http.host.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from hostgate.catalog.model import Entry, Match
from hostgate.suricata.reader import SID_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of a rule group. `conditions` are options after msg and before sid, in order."""

    action: str
    protocol: str
    source: str
    destination: str
    port: str
    msg: str
    conditions: tuple[str, ...]
    sid: int

    def but(self, **changes: Any) -> "Rule":
        """The rule with some of its parts changed."""
        return replace(self, **changes)

    def __str__(self) -> str:
        options = "; ".join((f'msg:"{_escaped(self.msg)}"', *self.conditions, f"sid:{self.sid}", "rev:1"))
        return f"{self.action} {self.protocol} {self.source} any -> {self.destination} {self.port} ({options};)"


def name_conditions(protocol: str, kind: Match, host: str) -> tuple[str, ...]:
    """Options that hold a TLS hello (`tls`) or a request (`http`) to the names of (`kind`, `host`)."""
    tls = protocol == "tls"
    head = ("flow:to_server", "ssl_state:client_hello", "tls.sni") if tls else ("flow:to_server", "http.host")
    case = ("nocase",) if tls else ()
    match kind:
        case "exact":
            return (*head, f'content:"{host}"', "startswith", "endswith", *case)
        case "subtree":
            return (*head, f'content:".{host}"', "endswith", *case)
        case "subtree+apex":
            return (*head, "dotprefix", f'content:".{host}"', "endswith", *case)
        case "one-label":
            escaped = host.replace(".", "\\.")
            flags = "i" if tls else ""
            return (*head, f'content:".{host}"', "endswith", *case, f'pcre:"/^[^.]+\\.{escaped}$/{flags}"')


class Sids:
    """Gives every rule an id that does not move when others come or go: a hash, and on a collision the next free one.

    Ask in the order of entry keys: the later one yields.
    """

    def __init__(self) -> None:
        self._taken: set[int] = set()
        self.yielded: list[str] = []

    def of(self, *parts: object) -> int:
        text = "\n".join(map(str, parts))
        number = int.from_bytes(sha256(text.encode()).digest()[:8], "big") % SID_MAX + 1
        if number in self._taken:
            self.yielded.append(str(parts[1] if len(parts) > 1 else parts[0]))
            while number in self._taken:
                number = number % SID_MAX + 1
        self._taken.add(number)
        return number

    def of_entry(self, entry: Entry, purpose: str = "allow") -> int:
        identity = (entry.catalog, entry.id, entry.host, entry.port, entry.protocol)
        more = (*([purpose] if purpose != "allow" else []), *([f"grant {entry.grant}"] if entry.grant else []))
        return self.of(*identity, *more)


def message(entry: Entry) -> str:
    """What a rule logs as the reason: the entry that it passes, and for which grant."""
    return f"hostgate {entry.catalog} {entry.id}{f' for {entry.grant}' if entry.grant else ''}"


def source(ranges: Iterable[str]) -> str:
    """The header's source: HOME_NET, or the given ranges."""
    return group(ranges) or "$HOME_NET"


def group(items: Iterable[object]) -> str:
    """A Suricata group: nothing, one item, or a bracketed list."""
    words = [str(item) for item in items]
    return words[0] if len(words) == 1 else f"[{','.join(words)}]" if words else ""


def _escaped(text: str) -> str:
    for char in '\\";':
        text = text.replace(char, "\\" + char)
    return text
