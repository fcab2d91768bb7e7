"""What text says against the hosts of a table or beyond them: `all but b.vendor.example`, `retired`, `calls your
endpoint`, `and all subdomains`. A table alone does not tell it, and read without it would open what nobody asks for.

A text counts where it is about the hosts: a heading or a title over their table, a note in their row, a sentence that
names one of them, and a sentence that speaks of them (`these hosts`, `the second row`). What it denies of doing to a
host (`is not blocked`) and what it makes a condition (`if a firewall blocks it`) is said neither against it nor beyond.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from hostgate.catalog.model import Match
from hostgate.intake.markdown_tables import MarkdownDocument, Paragraph
from hostgate.intake.prose import names_in

_HOST = "host_"
"""Stands for each name, so that patterns can speak of one."""

_NAME = re.compile(r"(?<![\w*.-])[\w*-]{1,63}(?:\.[\w*-]{1,63}){0,20}\.[A-Za-z][\w-]+(?::[0-9]+)?")
_MARKS = str.maketrans({"`": " ", '"': " ", "“": " ", "”": " ", "’": "'", "\\": ""})
_SENTENCE = re.compile(r"(?<!\be\.g\.)(?<!\bi\.e\.)(?<=[.!?])\s+")

_NOT = r"(?:\b(?:not|never|nothing|nobody|nowhere|no one|none|no|nor|neither|cannot|dont|doesnt|isnt|nicht|kein\w*)\b(?!-)|n't\b)"
_FILLING = r"(?:\s+(?:be|been|being|get|to|have|yet|any|an?|the|your|rules?|firewalls?|proxy|policy|accidentally))*"
_HARMLESS = re.compile(
    rf"{_NOT}{_FILLING}\s+(?:block|den[iy]|reject|drop|remov|delet|clos|skip|omit|ignor|forbid|exclu|prohibit|restrict|disabl|"
    r"unused|optional|retire\b|leave out|only|just|merely)\w*|"
    rf"{_NOT}(?:\s+(?!host_|these|those|allow|open|permit|use|need)[\w'-]+){{0,3}}?\s+"
    r"(?:intercept|inspect|decrypt|terminat|filter|throttl|cach|fail|break|brok|interrupt|work|"
    r"respond|support(?:s|ed)? (?!host_)|static|fixed|by (?:ip|address)|ipv[46]|than)\w*|"
    rf"{_NOT}(?:\s+(?!host_|these|those|this|them|following)[\w'-]+){{0,5}}?\s+(?:others?|else|further|additional|inbound|incoming|"
    r"ingress)\b|"
    rf"\b(?:inspection|interception|decryption)\b.{{0,20}}?{_NOT}(?: be)?(?: \w+)?|"
    rf"\bblock\w*(?= (?:storage|devices?|level|size|explorer|stor\w+|(?:all )?(?:outbound|egress|outgoing|internet)))|"
    r"\b(?:inbound|ingress|incoming)\b(?=[^.;]{0,60}\b(?:related|established|return|repl(?:y|ies)|responses?|answers?)\b)",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"\A\W*(?:\w+: )?(?:if|when(?:ever)?|unless|in case|should|(?:in order )?to (?:avoid|prevent)|wenn|falls|si)\b[^,;:]*[,;:]|"
    r"(?<=[^\s]) (?:if|when(?:ever)?|unless|in case|whether|to (?:avoid|prevent)|wenn|falls)\b[^,;:]*",
    re.IGNORECASE,
)

_GONE = (
    r"deprecat\w*|obsol[eè]te?s?|obsoletos?|retir(?:ed|ing|es?)|legacy|remov(?:ed|al)|withdrawn|discontinu\w*|supersed\w*|unsupported|"
    r"decommission\w*|end[- ]of[- ]life|eol|sunset\w*|unused|unneeded|unnecessary|redundant|superfluous|defunct|inactive|gone|"
    r"replaced|migrated|renamed|moved (?:to|away)|veraltet\w*|"
    r"(?:shut|take|taken|turn(?:ed)?|switch(?:ed)?|phas(?:ed|ing)) (?:\S+ ){0,3}?(?:down|off|out)|dead|ended|outdated|"
    r"stopped|ceas\w+|out of (?:service|use|order|date)|no (?:longer|more)|any ?more|any longer|"
    r"ya no|no (?:necesari|requerid)\w+|nicht mehr"
)
_LEFT_OUT = (
    r"except\w*|exclud\w*|excluding|exempt\w*|omit\w*|skip\w*|ignor\w*|disregard\w*|(?:leave|left|cross(?:ed)?) (?:\S+ ){0,3}?out|"
    r"(?:all|everything|everyone|each|both|any\w*) but|"
    r"but not|(?:other|rather) than|(?:apart|aside) from|save for|instead of|in place of|"
    r"host_ only|host_ (?:->|=>|→) host_|(?:only|just|solely)(?: need| allow)? (?:the )?(?:first|second|third|last|host_)|"
    r"(?:all|these|those|hosts?|list|everything)\b.{0,30} (?:without|minus|besides)"
)
_OF_ONE = re.compile(
    rf"\b(?:{_GONE}|{_LEFT_OUT}|delet\w+|drop(?:s|ped)?|(?<!the )former(?:ly)?|previous(?:ly)?|old|"
    r"block(?:s|ed|ing)?|(?:block|deny|black)[- ]?list\w*|den(?:y|ied|ies)|forbid\w*|prohibit\w*|reject\w*|refus\w+|revok\w+|"
    r"disabl\w+|disallow\w*|clos(?:e|es|ed|ing)(?! source)|remov\w+|instead|replac(?:es|ing|ement)|"
    r"replace(?! \S+ (?:with|by) (?!host_))|"
    rf"internal (?:use|only)|internally|staff|avoid|malicious|until|used to (?:be|need))\b|{_NOT}",
    re.IGNORECASE,
)
"""What a text of one host says against it, a note or a sentence that names it."""

_OPTIONAL = re.compile(r"\b(?:optional(?:ly)?|temporar(?:y|ily))\b", re.IGNORECASE)

_NEED = (
    r"(?:allow|open|need|requir|permit|us(?:e|ed|ing)\b|contact|whitelist|allowlist|necessary|reach|access|includ|add\b|benötigt|"
    r"erforderlich)\w*"
)
_DENIED = (
    rf"{_NOT}(?:\s+[\w'-]+){{0,3}}?\s+{_NEED}|\brequir\w+ no\b|{_NOT} (?:all|every|(?:of )?(?:these|those|host_))\b"
)
_HOSTS = r"(?:hosts?|hostnames?|domains?|endpoints?|urls?|names)"
_TITLE = re.compile(
    rf"\b(?:{_GONE}|{_LEFT_OUT}|disallow(?:ed)?|forbidden|prohibited|malicious|block(?:ed)?|den(?:y|ied)|"
    r"(?:block|deny|black)[- ]?list(?:ed|s)?|remove|prevent (?:access|traffic)|formerly|former|previous(?:ly)?|old "
    rf"{_HOSTS}|to (?:be )?(?:avoid|reject|drop|restrict)(?:ed)?|blockier\w*|bloque[ar]\w*|bloqu[eé]\w*)\b|{_DENIED}|"
    r"\bnot (?:for|yours)\b",
    re.IGNORECASE,
)
"""What a title says against its hosts. Text says such words of firewalls, too (`where a firewall blocks these hosts`)."""

_STATEMENT = re.compile(
    r"\A\W*(?:please |then |also )?(?:you (?:can|may|must|should) )?(?:also |now |safely )?"
    r"(?:block|deny|reject|drop|remove|delete|close|skip|omit|ignore|disallow|exclude|avoid|forget|prevent "
    r"(?:access|traffic))\b|"
    r"\b(?:must|should|can|may|to|need) (?:also |now |safely )?be "
    r"(?:blocked|denied|removed|disallowed|excluded|dropped|rejected|closed|skipped|omitted|ignored|left out)\b|"
    rf"\b(?:are|is|were|was|been|being|has|have) (?:now |already |all |since )?(?:{_GONE})\b|"
    rf"\b(?:{_GONE}|old|former|blocked|denied|excluded) {_HOSTS}\b|\b{_HOSTS} (?:{_GONE})\b|\bno (?:longer|more)\b|\bany ?more\b|"
    rf"\b(?:{_LEFT_OUT})\b|(?:block|deny|black)[- ]?list(?:ed|s)?\b|{_DENIED}",
    re.IGNORECASE,
)
"""What a sentence says against the hosts that it speaks of."""

_OF_HOSTS = re.compile(
    rf"\b(?:{_HOSTS}|fqdns?|following|these|those|table|below|above|list\w*|rows?|entr(?:y|ies)|ones?|first|second|third|fourth|fifth|"
    r"last|everything|page|replace|substitute)\b|:\s*\Z",
    re.IGNORECASE,
)

_OURS = r"(?:(?:the )?(?:you|us|our|your|agents?|clients?|nodes?|customers?)\b)"
_OUR_SIDE = (
    rf"(?:{_OURS}|(?:the )?(?:appliances?|clusters?|workers?|runners?|machines?|servers?|devices?|gateways?|builds?|sites?|"
    r"data ?cent\w+|vpcs?|pods?|containers?|on[- ]prem\w*|internal|local|private|corporate|firewall)\b)"
)
_OUR_END = (
    r"(?:you|your (?:\w+ ){0,2}?(?:networks?|webhooks?|endpoints?|servers?|side|callbacks?|listeners?|gateways?|appliances?|"
    r"premises|infrastructure))\b"
)
_INBOUND = re.compile(
    r"\b(?:inbound|ingress|incoming|eingehend\w*|entrantes?|ingoing|webhook (?:sources?|ips?)|our webhooks?|callback sources?|"
    r"(?:source|sender)s? of (?:\w+ )?(?:webhooks?|callbacks?|calls|connections?|traffic)|webhook senders?|"
    r"initiat\w+ (?:the |all )?connections?|"
    rf"(?:traffic|connections?|requests?|calls?) from (?!{_OURS})|(?:webhooks?|callbacks?)\b[^.;]{{0,40}} from|"
    rf"(?:connect|call|talk|traffic|connection|request|callback|webhook|event)(?:s|ing)?\b[^.;,]{{0,40}}? (?:in)?to {_OUR_END}|"
    rf"(?:calls?|reach(?:es)?|contacts?|access(?:es)?|polls?|scans?|probes?) {_OUR_END}|connects? back)",
    re.IGNORECASE,
)
OUTBOUND = re.compile(r"\b(?:outbound|egress|outgoing|ausgehend\w*|salientes?|sortante?s?)\b", re.IGNORECASE)
_INTO = re.compile(
    rf"\Afrom (?:(?!{_OUR_SIDE}).{{1,60}}? (?:to|into)\b|the (?:internet|outside)\Z|our .{{1,60}}? (?:to|into) your?\b)|"
    rf"(?:\A|\b(?:traffic|connections?|calls|requests) )(?!from )(?!{_OUR_SIDE})"
    rf"(?:[\w.-]+ ){{0,2}}(?:to|into|->|→|⇒|=>) (?:the )?(?:{_OUR_END}|(?:customers?|clients?|agents?|appliances?|"
    r"on[- ]prem\w*)(?: (?:networks?|side|sites?))?\Z)",
    re.IGNORECASE,
)
"""A heading that leads from somebody else to the reader, as `From the internet to the appliance`, `Acme to customer`."""

_PLACE = r"(?:region|location|zone|tenant|account|customer|site|cluster|project|country|instance|user|team)"
_BELOW = (
    r"sub[- ]?domains?|(?:names?|hosts?|domains?|endpoints?|everything|anything|all) (?:\w+ ){0,2}?"
    r"(?:below|under|beneath|ending (?:in|with)) (?:it|them|this|that|these|those|each|host_)"
)
_ANOTHER = (
    rf"(?:one|another|host|name|endpoint|different)\b(?: \w+){{0,3}}? (?:for|per|in|by) (?:each|every)\b|"
    rf"per[- ]{_PLACE}|(?:each|every) {_PLACE} has|its own {_HOSTS}|"
    r"(?:replace|substitute|swap|insert|fill in)\b[^.;]{0,60}\byour (?!own)|"
    r"(?:of|for|with|use|in|is) your (?:own )?(?:\w+ )?(?:region|location|zone|subdomain|geography)"
)
_BEYOND = re.compile(rf"\b(?:{_BELOW}|{_ANOTHER})\b", re.IGNORECASE)
_BEYOND_IN_NOTE = re.compile(
    rf"\b(?:{_BELOW}|{_ANOTHER}|wild-?cards?(?! host_)|an example|regional|region-specific|var(?:y|ies)|differs?|your region|"
    r"(?:whole|entire) domain|in this domain|"
    r"depends? on (?:the|your)|(?:one|first) of (?:several|many|some)|every name|"
    r"(?:names?|hosts?|domains?|everything|all) (?:below|under|beneath))\b|"
    r"\A\W*(?:for (?:example|instance)|e\.?g\.?|such as this|(?:an? )?example)\b|"
    r"\b(?:and (?:others|similar|more|so on)|among others)\W*\Z|(?:\.{3}|…)\W*\Z",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Statement:
    """What stands beside the tables and is about their hosts: the line of its paragraph, the sentence, and the words that
    say it. `takes`: whether it takes hosts away or turns their direction; otherwise it asks for more."""

    line: int
    text: str
    word: str
    takes: bool


def against(text: str) -> str | None:
    """The words by which a text of one host, its note for one, says that it is not to be opened."""
    return _found(_OF_ONE, _bare(text))


def against_title(title: str) -> str | None:
    """The words by which a title says so of the hosts below it."""
    return _found(_TITLE, _bare(title))


def inbound(text: str) -> str | None:
    """The words by which a text says that traffic comes from the hosts; None if it speaks of the other direction too."""
    bare = _bare(text)
    return None if OUTBOUND.search(bare) else _found(_INBOUND, bare)


def inbound_title(title: str) -> str | None:
    """The words by which a title says that traffic comes from the hosts below it, maybe besides the other direction."""
    bare = _bare(title).strip()
    return _found(_INBOUND, bare) or _found(_INTO, bare)


def beyond(note: str) -> str | None:
    """The words by which a note says that its row stands for more hosts than it names."""
    return _found(_BEYOND_IN_NOTE, _bare(note))


def statements(
    document: MarkdownDocument,
    hosts: Mapping[str, Collection[Match]],
    inside: Callable[[int], bool],
    *,
    directed: bool,
    chosen: Collection[str],
) -> Iterator[Statement]:
    """Every sentence about `hosts` (name to the kinds that tables state) that says something against or beyond them.

    `directed`: the tables say the directions of their hosts, and no text turns them. `chosen`: case-folded headings that
    were asked for.
    """
    above: dict[str, set[Match]] = {}
    for host, kinds in hosts.items():
        for name in (host, *_parents(host)):
            above.setdefault(name, set()).update(kinds)

    def kinds_in(text: str) -> set[Match]:
        """The kinds of the hosts that a text names, or names something above or below of."""
        found: set[Match] = set()
        for name in names_in(text):
            found.update(above.get(name.name, ()), *(hosts[each] for each in _parents(name.name) if each in hosts))
        return found

    titles = {heading.title: against_title(heading.title) for heading in document.headings}
    captions = {printable(text) for table in document.tables for text in table.caption}
    stars = any(match != "exact" for kinds in hosts.values() for match in kinds)
    for paragraph in document.paragraphs:
        text = printable(paragraph.text) if inside(paragraph.line) else ""
        named = kinds_in(text)
        led = _led(paragraph, directed) if named else None
        if named and led is None:
            led = next(filter(None, (titles[each] for each in unchosen(paragraph.headings, chosen))), None)
        as_title = text in captions and _is_title(text)
        code = paragraph.kind == "code"
        for sentence in paragraph.text.splitlines() if code else _SENTENCE.split(text):
            of_one = kinds_in(sentence)
            bare = "" if code else _bare(sentence)
            if of_one:
                word = led or _found(_OF_ONE, bare) or _found(_OPTIONAL, bare)
            elif paragraph.kind != "title" and (named or as_title or _OF_HOSTS.search(sentence)):
                word = _found(_TITLE if as_title else _STATEMENT, bare)
            else:
                continue
            if word is None and not directed:
                word = inbound_title(bare) if as_title else inbound(bare)
            if word is not None:
                yield Statement(paragraph.line, printable(sentence), word, takes=True)
            elif (more := _found(_BEYOND, bare)) and not (of_one - {"exact"} if of_one else stars):
                yield Statement(paragraph.line, sentence, more, takes=False)


def unchosen(headings: Sequence[str], chosen: Collection[str]) -> Sequence[str]:
    """The headings below the last of those that were asked for (`chosen`, case-folded): of the others the reader knows."""
    below = [depth for depth, heading in enumerate(headings, 1) if heading.casefold() in chosen]
    return headings[below[-1] if below else 0 :]


def _led(paragraph: Paragraph, directed: bool) -> str | None:
    """What is said against the hosts that a paragraph names by what leads to it: the opening of its list, the comments of
    its code, or that it is crossed out."""
    words = [_opening(lead[-_LEAD:], directed) for lead in paragraph.leads]
    if paragraph.kind == "code":
        words += [_of_hosts_below(comment, directed) for comment in _COMMENT.findall(paragraph.text)]
    return next(filter(None, words), "crossed-out text" if paragraph.struck else None)


@lru_cache(maxsize=32)  # once for each item of a list
def _opening(lead: str, directed: bool) -> str | None:
    last = _SENTENCE.split(printable(lead))[-1]
    return _of_hosts_below(last, directed) if last.endswith(":") or _is_title(last) else None


def _of_hosts_below(text: str, directed: bool) -> str | None:
    return against(text) or (None if directed else inbound(text))


_LEAD = 400
"""Characters. Sentences that open a list are shorter."""

_COMMENT = re.compile(r"(?:^|\s)(?:#|//|;)[ \t]*(\S.*)")


def _is_title(text: str) -> bool:
    """Whether a paragraph stands over what follows as a title does: six words or less, and no full stop."""
    return len(text.split()) <= 6 and not text.endswith(".")


def _parents(host: str) -> Iterator[str]:
    labels = host.split(".")
    yield from (".".join(labels[depth:]) for depth in range(1, len(labels) - 1))


def printable(text: str) -> str:
    """A text on one line, without characters that cannot be seen."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _bare(text: str) -> str:
    """A text with names as one word, and without what it makes a condition or denies of doing to a host."""
    text = " ".join(_NAME.sub(_HOST, text.translate(_MARKS)).split())
    return _HARMLESS.sub(" ", _CONDITION.sub(" ", text))


def _found(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text)
    return found[0].strip().lower() if found else None
