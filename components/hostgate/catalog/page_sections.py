"""What the words over a table say against opening its hosts: that traffic comes from them, that they are to be blocked,
or that nobody needs them any more."""

import re
from collections.abc import Collection

from hostgate.catalog.markdown import Table
from hostgate.catalog.model import Direction
from hostgate.catalog.problems import spelled

_IN = re.compile(
    r"\b(?:inbound|ingress|incoming|eingehend\w*|entrantes?|ingoing|webhook (?:sources?|ips?))\b", re.IGNORECASE
)
_OUT = re.compile(r"\b(?:outbound|egress|outgoing|ausgehend\w*|salientes?|sortante?s?)\b", re.IGNORECASE)
_AGAINST = re.compile(
    r"\b(?:block-?list|deny-?list|black-?list|(?:block|deny|black) list|disallow(?:ed)?|forbidden|prohibited|blocked|denied|"
    r"(?:must|should|do|does|need) not (?:be )?(?:allow|open|need|require|permit|use|contact|connect|whitelist)\w*|"
    r"don[’']t (?:allow|open|need|require|permit|use)|never (?:allow|open|permit)|"
    r"to (?:be )?(?:block|deny|blocked|denied|avoid|remove|reject|drop)|"
    r"(?:block|deny|reject|drop|remove|avoid)"
    r"(?: (?:the|these|this|all|following|hosts?|domains?|traffic|access|endpoints?|urls?)\b)+|"
    r"deprecated|obsolete|retired|legacy|no longer|not (?:required|needed|necessary|used|allowed)|removed|withdrawn|"
    r"decommission\w*|end[- ]of[- ]life|sunset|unused|unneeded|veraltet\w*|nicht (?:mehr |erforderlich|benötigt)\w*|blockier\w*|"
    r"obsol[eè]te?s?|obsoletos?|no (?:necesari|requerid)\w+|bloque[ar]\w*|bloqu[eé]\w*|ya no)\b|\A(?:block|deny)\Z",
    re.IGNORECASE,
)
_OF_HOSTS = re.compile(
    r"\b(?:hosts?|hostnames?|domains?|fqdns?|endpoints?|urls?|names|following|these|those|table|below|list\w*)\b|:\s*\Z",
    re.IGNORECASE,
)
_CONDITION = re.compile(r"\s*(?:if|when|unless|in case|whether|wenn|si)\b", re.IGNORECASE)
_NOT = re.compile(r"(?:\bnot|n[’']t|\bnever|\bwithout)(?: be| get| being)?\s*\Z", re.IGNORECASE)
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
        if found := _against(heading):
            return f"the heading {spelled(heading)} says {found[0].lower()!r}"
    if not directed:
        speaking = [heading for heading in unnamed if _IN.search(heading) or _OUT.search(heading)]
        if speaking and (found := _IN.search(speaking[-1])):
            return f"the heading {spelled(speaking[-1])} says {found[0].lower()!r}"
    if below:
        return None
    for sentence in _SENTENCE.split(table.caption):
        if not _OF_HOSTS.search(sentence) or _CONDITION.match(sentence):
            continue
        if found := _against(sentence):
            return f"the text over it says {found[0].lower()!r}: {spelled(sentence)}"
        if not directed and (found := _IN.search(sentence)) and not _OUT.search(sentence):
            return f"the text over it says {found[0].lower()!r}: {spelled(sentence)}"
    return None


def _against(text: str) -> re.Match[str] | None:
    """What a text says against opening, unless it is itself denied: `make sure that these are not blocked`."""
    return next(
        (
            found
            for found in _AGAINST.finditer(text)
            if not _NOT.search(text[max(0, found.start() - 20) : found.start()])
        ),
        None,
    )


def direction_over(table: Table) -> Direction:
    """The direction of a table without a column for it that is read: that of the last heading that names just one."""
    for heading in reversed(table.headings):
        if _IN.search(heading) or _OUT.search(heading):
            return "egress" if _OUT.search(heading) else "ingress"
    return "egress"


def note_against(note: str) -> str | None:
    """The words by which a note says that its host is the source of traffic, or to be blocked; None if it does not."""
    inbound = _IN.search(note)
    if inbound and not _OUT.search(note):
        return inbound[0]
    against = _NOT_THIS.search(note)
    return against[0] if against else None


_NOT_THIS = re.compile(
    r"\b(?:(?:do|must|should) not (?:be )?(?:allow|open|permit|whitelist)\w*|don[’']t (?:allow|open|permit)|"
    r"(?:block|deny) (?:this|it|access|traffic|host|domain)\b|(?:must|should|to) be (?:blocked|denied)|never (?:allow|open))",
    re.IGNORECASE,
)
