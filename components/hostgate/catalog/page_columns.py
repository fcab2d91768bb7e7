"""Which part a column of a vendor's table plays, from its title; pages rename and add columns."""

import re
from collections.abc import Mapping, Sequence
from typing import Literal, get_args

Role = Literal["host", "port", "protocol", "families", "purpose"]
ROLES: tuple[Role, ...] = get_args(Role)

_WORDS: Mapping[str, Role] = {
    **dict.fromkeys(("host", "hosts", "hostname", "hostnames", "domain", "domains", "fqdn", "fqdns"), "host"),
    **dict.fromkeys(("port", "ports"), "port"),
    **dict.fromkeys(("protocol", "protocols", "scheme"), "protocol"),
    **dict.fromkeys(("note", "notes", "description", "descriptions", "purpose", "purposes", "comment", "comments"), "purpose"),
    **dict.fromkeys(("usage", "reason", "details"), "purpose"),
}  # fmt: skip
"""A title with exactly one of these words plays its part: Hostname, DNS hostname, Destination port, Notes."""

_TITLES: Mapping[str, Role] = {
    **dict.fromkeys(("ip", "ip version", "ip versions", "ip family", "ip families", "address family", "families"), "families"),
    **dict.fromkeys(("url", "urls", "endpoint", "endpoints", "dns name", "dns names", "server", "servers"), "host"),
    **dict.fromkeys(("used for", "what for", "function", "service"), "purpose"),
}  # fmt: skip


def roles_of(header: Sequence[str], named: Mapping[str, Role]) -> list[Role | None]:
    """The part of each column, None where the title says none. `named` (case-folded title to part) comes first.

    Titles of weaker meaning (Endpoint, Service) count only where no column says the part plainly.
    """
    plain = [named.get(title.casefold()) or _plainly(title) for title in header]
    weak = [_TITLES.get(_words(title)) for title in header]
    return [
        role if role else other if other not in plain else None for role, other in zip(plain, weak, strict=True)
    ]  # fmt: skip


def _plainly(title: str) -> Role | None:
    roles: set[Role] = {_WORDS[word] for word in _words(title).split() if word in _WORDS}
    return roles.pop() if len(roles) == 1 else None


def _words(title: str) -> str:
    return " ".join(re.findall(r"\w+", title.casefold()))
