"""Names in running text that could be meant as hosts. They are shown to people and never opened."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_network

from hostgate.catalog.hosts import RESERVED, check_host, is_public_suffix
from hostgate.catalog.model import Match

_TOKEN = re.compile(r"[\w*.\\-]{4,300}(?::[0-9]{1,5}(?![\w]))?")
_FILE_ENDINGS = frozenset(("md", "py", "sh", "rs", "pl", "zip", "so", "cc", "ps"))
"""Last labels of countries and registries that are rather the end of a file's name, as in README.md."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name in text, with how far a star in front of it would reach, and the port written behind it."""

    name: str
    match: Match
    port: int | None

    @property
    def written(self) -> str:
        return self.name if self.match == "exact" else f"*.{self.name}"


def names_in(text: str) -> Iterator[Name]:
    """The names of `text`, each time they occur. Addresses of mail and words with a dot in them are no names."""
    text = _plainly(text)
    whole = text.strip(" `")
    for found in _TOKEN.finditer(text):
        before = text[max(0, found.start() - 60) : found.start()]
        if "." not in found[0] or (before.endswith("@") and not _USER.search(before)):
            continue
        written, _, port = found[0].replace("\\", "").partition(":")
        written = written.strip(".-_")
        bare = written.removeprefix("*").removeprefix("*").lstrip(".")
        host = check_host(bare)
        alone = before.endswith("://") or bool(port) or whole == found[0]
        if host.rule is None and _plausible(host.name, alone):
            plain_http = 80 if before.lower().endswith("http://") else None
            yield Name(host.name, "exact" if bare == written else "subtree", int(port) if port else plain_http)


def _plainly(text: str) -> str:
    """`text` with the dots that only look otherwise as dots, and without characters that cannot be seen."""
    text = text.replace("[.]", ".").replace("(.)", ".")
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKC", text).replace("\u3002", ".")
    return "".join(char for char in text if unicodedata.category(char) != "Cf")


_ADDRESS = re.compile(
    r"(?<![\w.:])(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?:/[0-9]{1,2})?|[0-9a-fA-F:]{3,39}/[0-9]{1,3})(?![\w:]|\.[0-9])"
)


def addresses_in(text: str) -> Iterator[str]:
    """IPv4 addresses and ranges of either family in `text`, but those by which hosts speak to themselves or a neighbour."""
    for found in _ADDRESS.finditer(text):
        try:
            network = ip_network(found[0], strict=False)
        except ValueError:
            continue
        if not (network.is_loopback or network.is_link_local or network.is_unspecified or network.prefixlen == 0):
            yield found[0]


_USER = re.compile(r"(?:\bgit|://[^\s/@]{1,50})@\Z")
"""A user in front of a host, as in `git@HOST:PATH` and `ssh://USER@HOST`; before other names it is mail."""


def _plausible(name: str, alone: bool) -> bool:
    """Whether a registry could have handed out the name. `alone`: it cannot be a file's, given what stands around it."""
    labels = name.split(".")
    if len(labels) == 2 and labels[1] in _FILE_ENDINGS and not alone:
        return False
    return labels[-1] in RESERVED or (is_public_suffix(labels[-1]) and not is_public_suffix(name))


_AND = r"(?:\s{0,3}(?:,|/|&|\+|-|–|\band\b|\bor\b|\bto\b)\s{0,3}[0-9]{1,5}\b(?!\.[0-9]))"
_PORTS = re.compile(
    rf"\b(tcp|udp|quic|ports?)\b(?:\s(?:port|number|on))*[\s:/(#-]{{0,4}}([0-9]{{1,5}})\b(?!\.[0-9]|%)({_AND}{{0,20}})|"
    r"\b([0-9]{1,5})\s{0,2}[/(]\s{0,2}(tcp|udp|quic|https?)\b|"
    r"\b(?:https?|tls|ssl|ssh|wss?)\b(?: on)?[\s:/(]{1,4}(80|443|22|[0-9]{4,5})\b(?!\.[0-9])|"
    r"\b(?:tcp|udp)([0-9]{2,5})\b|(?:^|\s):([0-9]{2,5})\b(?![:.][0-9])|"
    r"(?<![\w.,:/-])(80|443|8080|8443|6443|9443|5671|5672)\b(?![.,:][0-9]|\s{0,2}(?:%|[a-z]?s\b|[kmgt]i?b\b|percent|hosts|regions|days|bytes))|"
    r"\b(?:plain(?:text)?|unencrypted|both) (http)\b(?![s/])|\b(http)(?: and |/| or |, )https\b",
    re.IGNORECASE,
)
"""Ports as text names them: `port 80`, `ports 80 and 443`, `TCP 80`, `443/tcp`, `HTTPS (443)`; not `HTTP 404`, `TLS 1.2`."""


def ports_in(text: str) -> list[tuple[int, bool]]:
    """The ports that `text` names as such, in order, each with whether it says UDP."""
    found: list[tuple[int, bool]] = []
    for match in _PORTS.finditer(text):
        udp = (match[1] or match[5] or "").lower() in ("udp", "quic")
        one = next((group for group in match.group(2, 4, 6, 7, 8, 9) if group), "80")  # plain http
        numbers = [one, *re.findall("[0-9]{1,5}", match[3] or "")]
        found += [(int(number), udp) for number in numbers if 1 <= int(number) <= 65535]
    return list(dict.fromkeys(found))
