"""What the words over a table say against opening its hosts: that traffic comes from them, that they are to be blocked,
or that nobody needs them any more."""

import re
from collections.abc import Collection

from hostgate.catalog.model import Direction
from hostgate.catalog.problems import spelled
from hostgate.intake.markdown_tables import Table

INBOUND = re.compile(
    r"\b(?:inbound|ingress|incoming|eingehend\w*|entrantes?|ingoing|webhook (?:sources?|ips?)|callback sources?|"
    r"(?:traffic|connections?|requests?|calls?) from (?!(?:the )?(?:you|us|our|your|agents?|clients?|nodes?|customers?)\b))\b",
    re.IGNORECASE,
)
OUTBOUND = re.compile(r"\b(?:outbound|egress|outgoing|ausgehend\w*|salientes?|sortante?s?)\b", re.IGNORECASE)
_GONE = (
    r"deprecated|obsolete|retired|legacy|removed|withdrawn|discontinued|superseded|unsupported|shut down|out of service|unused|"
    r"decommission\w*|end[- ]of[- ]life|sunset|veraltet\w*|obsol[eè]te?s?|obsoletos?"
)
_NOT_NEEDED = (
    r"no longer|not (?:required|needed|necessary|used|allowed)|requir\w+ no|ya no|nicht (?:mehr |erforderlich|benötigt)\w*|"
    r"no (?:necesari|requerid)\w+|"
    r"(?:must|should|do|does|need) not (?:be )?(?:allow|open|need|require|permit|use|contact|whitelist)\w*|"
    r"don[’']t (?:allow|open|need|require|permit|use)|never (?:allow|open|permit)|"
    r"(?:block|deny|black)[- ]?list(?:ed|s)?"
)
_TITLE = re.compile(
    rf"\b(?:{_GONE}|{_NOT_NEEDED}|disallow(?:ed)?|forbidden|prohibited|malicious|exclude[ds]?|unneeded|"
    r"block(?:ed)?(?! (?:storage|devices?|level|size|explorer))|den(?:y|ied)|remove|prevent (?:access|traffic)|"
    r"formerly|former|previous(?:ly)?|"
    r"old (?:hosts?|domains?|endpoints?|names?|urls?)|to (?:be )?(?:avoid|reject|drop|restrict)(?:ed)?|blockier\w*|bloque[ar]\w*|"
    r"bloqu[eé]\w*)\b",
    re.IGNORECASE,
)
"""What a title says against its hosts. Text says such words of firewalls, too (`where a firewall blocks these hosts`)."""

_STATEMENT = re.compile(
    rf"\A\W*(?:please |then |also )?(?:you (?:can|may|must|should) )?(?:also |now |safely )?"
    r"(?:block|deny|reject|drop|remove|disallow|exclude|avoid|do not|don[’']t|never|prevent (?:access|traffic))\b|"
    r"\b(?:must|should|can|may|to) (?:also |now |safely )?be (?:blocked|denied|removed|disallowed|excluded|dropped|rejected)\b|"
    rf"\b(?:are|is|were|was|been|being) (?:now |already |all )?(?:{_GONE})\b|"
    rf"\b(?:{_GONE}|old|former|blocked|denied|excluded) (?:hosts?|hostnames?|domains?|endpoints?|urls?|names)\b|"
    rf"\b(?:{_NOT_NEEDED})\b",
    re.IGNORECASE,
)
_TITLE_WORDS = 6
"""Words. A shorter paragraph without a full stop stands over a table as a title does."""

_OF_HOSTS = re.compile(
    r"\b(?:hosts?|hostnames?|domains?|fqdns?|endpoints?|urls?|names|following|these|those|table|below|list\w*)\b|:\s*\Z",
    re.IGNORECASE,
)
_CONDITION = re.compile(r"\s*(?:if|when|unless|in case|whether|wenn|si)\b", re.IGNORECASE)
_NOT = re.compile(r"(?:\bnot|n[’']t|\bnever|\bno|\bnothing|\bwithout|\bun)(?: be| get| being)?\s*\Z", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+")


def objection(table: Table, named: Collection[str], *, directed: bool) -> str | None:
    """Why a table is not to be read as hosts to open, in words; None if nothing over it says so.

    `named`: case-folded headings that were asked for: of those and what stands over them the reader knows. `directed`:
    a column of the table gives the direction.
    """
    below = 0
    for depth, heading in enumerate(table.headings, 1):
        if heading.casefold() in named:
            below = depth
    unnamed = table.headings[below:]
    for heading in unnamed:
        if found := _against(heading, _TITLE):
            return f"the heading {spelled(heading)} says {found[0].lower()!r}"
    if not directed:
        speaking = [heading for heading in unnamed if INBOUND.search(heading) or OUTBOUND.search(heading)]
        if speaking and (found := INBOUND.search(speaking[-1])):
            return f"the heading {spelled(speaking[-1])} says {found[0].lower()!r}"
    if below:
        return None
    for paragraph in table.caption:
        as_title = len(paragraph.split()) <= _TITLE_WORDS and not paragraph.rstrip().endswith(".")
        for sentence in _SENTENCE.split(paragraph):
            if not as_title and (not _OF_HOSTS.search(sentence) or _CONDITION.match(sentence)):
                continue
            found = _against(sentence, _TITLE if as_title else _STATEMENT)
            if found is None and not directed and not OUTBOUND.search(sentence):
                found = INBOUND.search(sentence)
            if found is not None:
                return f"the text over it says {found[0].lower()!r}: {spelled(sentence)}"
    return None


def _against(text: str, pattern: re.Pattern[str]) -> re.Match[str] | None:
    """What a text says against opening, unless it is itself denied: `make sure that these are not blocked`."""
    found = pattern.finditer(text)
    return next((each for each in found if not _NOT.search(text[max(0, each.start() - 20) : each.start()])), None)


def direction_over(table: Table) -> Direction:
    """The direction of a table without a column for it that is read: that of the last heading that names just one."""
    for heading in reversed(table.headings):
        if INBOUND.search(heading) or OUTBOUND.search(heading):
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


def note_against(note: str) -> str | None:
    """The words by which a note says that its host is the source of traffic, or to be blocked; None if it does not."""
    inbound = INBOUND.search(note)
    if inbound and not OUTBOUND.search(note):
        return inbound[0]
    against = _NOT_THIS.search(note)
    return against[0] if against else None


_NOT_THIS = re.compile(
    r"\b(?:(?:do|must|should) not (?:be )?(?:allow|open|permit|whitelist)\w*|don[’']t (?:allow|open|permit)|"
    r"(?:block|deny) (?:this|it|access|traffic|host|domain)\b|(?:must|should|to) be (?:blocked|denied)|never (?:allow|open))",
    re.IGNORECASE,
)
