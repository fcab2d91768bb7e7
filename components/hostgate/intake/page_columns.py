"""Which part a column of a vendor's table plays, from its title; pages rename and add columns.

A column that is not read may say what decides: the port, the direction, that the host is to be blocked. Then it has to be
named, by its part or as one to ignore.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, get_args

from hostgate.catalog.hosts import is_address
from hostgate.catalog.problems import spelled
from hostgate.intake.cells import PROTOCOL_NAMES, direction_in
from hostgate.intake.markdown_tables import Table
from hostgate.intake.page_statements import against, inbound
from hostgate.intake.prose import names_in, ports_in

Role = Literal["host", "port", "protocol", "direction", "families", "purpose", "ignore"]
ROLES: tuple[Role, ...] = get_args(Role)

_WORDS: Mapping[str, Role] = {
    **dict.fromkeys(("host", "hosts", "hostname", "hostnames", "domain", "domains", "fqdn", "fqdns"), "host"),
    **dict.fromkeys(("port", "ports"), "port"),
    **dict.fromkeys(("protocol", "protocols", "scheme", "proto"), "protocol"),
    **dict.fromkeys(("direction", "directions", "directionality"), "direction"),
    **dict.fromkeys(("note", "notes", "description", "descriptions", "purpose", "purposes", "comment", "comments"), "purpose"),
    **dict.fromkeys(("usage", "reason", "details"), "purpose"),
}  # fmt: skip
"""A title with exactly one of these words plays its part: Hostname, DNS hostname, Destination port, Notes."""

_TITLES: Mapping[str, Role] = {
    **dict.fromkeys(("ip", "ip version", "ip versions", "ip family", "ip families", "address family", "families"), "families"),
    **dict.fromkeys(("url", "urls", "endpoint", "endpoints", "dns name", "dns names", "server", "servers"), "host"),
    **dict.fromkeys(("used for", "required for", "needed for", "what for", "function", "service"), "purpose"),
}  # fmt: skip

_OTHER_END = frozenset(("source", "src", "local", "client", "from", "ephemeral", "sender"))
"""Words by which a title speaks of the client's own side: a source port is no port of the host."""

_DECIDING: Mapping[str, str] = {
    **dict.fromkeys((
        "port", "ports", "tcp", "udp", "puerto", "puertos", "porta", "portas", "porte", "portnummer", "portnummern",
        "numeroport", "poort", "poorten", "порт", "порты", "ポート", "ポート番号", "端口", "連接埠", "포트",
    ), "port"),
    **dict.fromkeys((
        "protocol", "protocols", "proto", "protos", "protokoll", "protokolle", "protocolo", "protocolos", "protocole", "protocoles",
        "protocollo", "transport", "scheme", "l4", "layer4", "протокол", "プロトコル", "协议", "協定", "통신규약", "프로토콜",
    ), "protocol"),
    **dict.fromkeys((
        "direction", "directions", "directionality", "flow", "flows", "traffic", "inbound", "outbound", "ingress", "egress",
        "incoming", "outgoing", "source", "sources", "src", "destination", "destinations", "dest", "dst", "initiator",
        "initiated", "originator", "origin", "caller", "client",
        "richtung", "quelle", "ziel", "dirección", "direccion", "origen", "destino", "sens", "origine",
        "direção", "direcao", "origem", "direzione", "sorgente", "destinazione", "richting", "направление", "方向", "送信元",
        "宛先", "방향",
    ), "direction"),
    **dict.fromkeys((
        "ip", "ips", "ipv4", "ipv6", "cidr", "cidrs", "subnet", "subnets", "range", "ranges", "address", "addresses", "adresse",
        "adressen", "adresses", "endereço", "indirizzo",
    ), "address"),
    **dict.fromkeys((
        "action", "actions", "policy", "rule", "allow", "allowed", "block", "blocked", "deny", "denied", "permit", "permitted",
        "status",
        "state", "required", "mandatory", "needed", "aktion", "acción", "accion", "ação", "erforderlich", "requis", "requerido",
        "deprecated",
    ), "decision on the host"),
}  # fmt: skip
"""Words of titles that say what decides, in the languages in which vendors translate their pages."""

_SHORT = frozenset(("from", "to", "in", "out", "way", "and", "or"))
"""Words that speak of the direction only where a title has no others: From, To, In/Out."""

_DECISIONS = re.compile(
    r"(?:no|not required|not needed|n/?a|never|den(?:y|ied)|block(?:ed|list)?|reject(?:ed)?|drop(?:ped)?|forbidden|disallow(?:ed)?|"
    r"prohibited|deprecated|obsolete|retired|removed|legacy|withdrawn|sunset|decommissioned|end of life|eol|"
    r"✗|✘|✕|❌|nein|non|нет|否)[.!]?",
    re.IGNORECASE,
)
_NUMBERED = frozenset(
    ("", "no", "nr", "number", "id", "item", "row", "step", "count", "nº", "n", "version", "priority", "order")
)
_PORT = re.compile(
    r"(?:(?:tcp|udp|http|https|tls|ssl|quic|ssh|ports?)[\s:/]*)?[0-9]{1,5}(?:\s*[-–]\s*[0-9]{1,5})?(?:[\s/:]*\(?(?:tcp|udp|https?|tls|ssl|quic|ssh)\)?)?",
    re.IGNORECASE,
)
_CIDR = re.compile(r"[0-9a-fA-F:.]{3,45}(?:/[0-9]{1,3})?")


def roles_of(header: Sequence[str], named: Mapping[str, Role]) -> list[Role | None]:
    """The part of each column, None where the title says none. `named` (case-folded title to part) comes first.

    Titles of weaker meaning (Endpoint, Service) count only where no column says the part plainly.
    """
    plain = [named.get(title.casefold()) or _plainly(title) for title in header]
    weak = [_TITLES.get(_words(title)) for title in header]
    return [
        role if role else other if other not in plain else None for role, other in zip(plain, weak, strict=True)
    ]  # fmt: skip


def undecided_columns(table: Table, roles: Sequence[Role | None]) -> Iterator[tuple[str, str]]:
    """The columns of a host table that are not read, or only as notes, and seem to say what decides: title, and why."""
    for index, (title, role) in enumerate(zip(table.header, roles, strict=True)):
        if role not in (None, "purpose"):
            continue
        if role is None and (decides := _deciding(title)):
            yield title, f"its title speaks of the {decides}"
            continue
        cells = [(row.line, row.cells[index].text) for row in table.rows if row.cells[index].text]
        told = [
            (line, text, what)
            for line, text in cells
            if (what := _content(text, title) or (None if role else _mention(text)))
        ]
        if told and (role is None or len(told) == len(cells)):
            line, text, what = told[0]
            as_notes = " (it is taken for notes)" if role else ""
            yield title, f"on line {line} it says {spelled(text)}, which looks like {what}{as_notes}"


def _plainly(title: str) -> Role | None:
    words = _words(title).split()
    roles: set[Role] = {_WORDS[word] for word in words if word in _WORDS}
    if len(roles) != 1:
        return None
    role = roles.pop()
    if role in ("host", "port", "protocol") and (_OTHER_END | {"udp"}) & set(words):
        return None
    return role


def _deciding(title: str) -> str | None:
    words = _words(title).split()
    if words and _SHORT.issuperset(words):
        return "direction"
    found = next(
        (_DECIDING[word] for word in [*words, *_words(_without_accents(title)).split()] if word in _DECIDING), None
    )
    return None if found == "decision on the host" and {"for", "by", "when"} & set(words) else found


def _content(text: str, title: str) -> str | None:
    """What a cell seems to state, in words, or None."""
    pieces = [piece for piece in re.split(r"[,;&+|]|\band\b|\bor\b|\s/\s", text) if piece.strip()]
    stripped = [piece.strip(" ()`") for piece in pieces]
    numbers = all(piece.isdigit() for piece in stripped)
    if stripped and all(_PORT.fullmatch(piece) for piece in stripped) and not (numbers and _words(title) in _NUMBERED):
        return "ports"
    words = [word for word in re.split(r"[\s,;&/()+]+|\band\b|\bor\b", text.lower()) if word]
    if words and all(
        word in PROTOCOL_NAMES or word in ("quic", "icmp", "http/2", "grpc", "wss", "any") for word in words
    ):
        return "protocols"
    if direction_in(text) is not None:
        return "a direction"
    if _DECISIONS.fullmatch(text.strip()):
        return "a decision on the host"
    if any(_is_range(piece) for piece in re.split(r"[\s,;]+", text)):
        return "addresses"
    names = [name.name for name in names_in(text)]
    if names and all(any(name in piece.lower() for name in names) for piece in re.split(r"[\s,;]+", text.strip())):
        return "hosts"
    return None


def _mention(text: str) -> str | None:
    """What a cell of a column that nobody reads speaks of, among other things."""
    if ports_in(text):
        return "ports"
    if re.search(r"\b(?:tcp|udp|quic|https?|ssh|tls)\b", text, re.IGNORECASE):
        return "protocols"
    if inbound(text):
        return "a direction"
    return "a decision on the host" if against(text) else None


def _is_range(text: str) -> bool:
    if not _CIDR.fullmatch(text):
        return False
    address, _, length = text.partition("/")
    return is_address(address) and (not length or length.isdigit())


def _without_accents(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char))


def _words(title: str) -> str:
    return " ".join(re.findall(r"\w+", title.casefold()))
