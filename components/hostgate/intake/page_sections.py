"""What the headings over a table say of all its hosts: that they are not to be opened, their direction, another protocol."""

import re
from collections.abc import Collection

from hostgate.catalog.model import Direction
from hostgate.catalog.problems import spelled
from hostgate.intake.markdown_tables import Table
from hostgate.intake.page_statements import OUTBOUND, against_title, inbound_title, unchosen


def objection(table: Table, named: Collection[str], *, directed: bool) -> str | None:
    """Why a table is not to be read as hosts to open, in words; None if no heading over it says so.

    `named`: case-folded headings that were asked for: of those and what stands over them the reader knows. `directed`:
    a column of the table gives the direction.
    """
    over = unchosen(table.headings, named)
    for heading in over:
        if found := against_title(heading):
            return f"the heading {spelled(heading)} says {found!r}"
    if not directed:
        speaking = [heading for heading in over if inbound_title(heading) or OUTBOUND.search(heading)]
        if speaking and (found := inbound_title(speaking[-1])):
            return f"the heading {spelled(speaking[-1])} says {found!r}"
    return None


def direction_over(table: Table) -> Direction:
    """The direction of a table without a column for it that is read: that of the last heading that names just one."""
    for heading in reversed(table.headings):
        if inbound_title(heading) or OUTBOUND.search(heading):
            return "egress" if OUTBOUND.search(heading) else "ingress"
    return "egress"


def other_protocol(text: str, *, loosely: bool = False) -> str | None:
    """The word by which a text says that something else than HTTPS on its port is meant; None if it does not.

    `loosely`: the mere word HTTP says so, too, as in a title or a note; running text says it of proxies and versions.
    """
    found = _OTHER_PROTOCOL.search(text) or (_PLAIN_HTTP.search(text) if loosely else None)
    return found[0] if found else None


_OTHER_PROTOCOL = re.compile(
    r"\b(?:udp|quic|ssh|ntp|smtp|ftp|ldaps?|amqps?|mqtts?|grpc|icmp|(?:over|via|plain|unencrypted) http(?![s/]|s?[ -]prox))\b",
    re.IGNORECASE,
)
_PLAIN_HTTP = re.compile(r"\bhttp\b(?!/|[ -]?prox| ?\(s\))", re.IGNORECASE)
