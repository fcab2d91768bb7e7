"""Names in running text that could be meant as hosts. They are shown to people and never opened."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hostgate.catalog.hosts import check_host, is_public_suffix
from hostgate.catalog.model import Match

_TOKEN = re.compile(r"[\w*.\\-]{4,300}(?::[0-9]{1,5}(?![\w]))?")
_RESERVED = frozenset(("example", "test", "internal", "local"))
"""Last labels that no registry hands out and that documents use for names all the same (RFC 2606, RFC 6762)."""

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
    for found in _TOKEN.finditer(text):
        if "." not in found[0] or text[found.start() - 1 : found.start()] == "@":
            continue
        written, _, port = found[0].replace("\\", "").partition(":")
        written = written.strip(".-_")
        bare = written.removeprefix("*").removeprefix("*").lstrip(".")
        host = check_host(bare)
        if host.rule is None and _plausible(host.name):
            yield Name(host.name, "exact" if bare == written else "subtree", int(port) if port else None)


def _plausible(name: str) -> bool:
    labels = name.split(".")
    if len(labels) == 2 and labels[1] in _FILE_ENDINGS:
        return False
    return labels[-1] in _RESERVED or (is_public_suffix(labels[-1]) and not is_public_suffix(name))
