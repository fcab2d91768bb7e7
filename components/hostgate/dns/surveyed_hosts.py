"""Which names a survey asks: those of entries that are one name, and of a list that a person wrote.

A wildcard has no name to ask. It is never dropped in silence: it is listed with the reason, and the survey file keeps
it, so that nobody takes a missing host for a measured one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hostgate.catalog.hosts import check_host
from hostgate.catalog.model import Entry, Protocol
from hostgate.catalog.problems import InputError, Problem

WILDCARD = "a wildcard is no name that can be asked; give the names that your clients use with --hosts"


@dataclass(frozen=True, slots=True)
class ToAsk:
    """Names in order, each once; what has no name, as pairs of what and why; and what entries need each name for."""

    hosts: tuple[str, ...]
    not_surveyed: tuple[tuple[str, str], ...] = ()
    protocols: Mapping[str, frozenset[Protocol]] = field(default_factory=dict)


def hosts_of(entries: Iterable[Entry]) -> ToAsk:
    """The names of `entries`. Of `subtree+apex` the apex is a name, and the names below it are not surveyed."""
    hosts: dict[str, set[Protocol]] = {}
    left: dict[str, str] = {}
    for entry in entries:
        if entry.direction != "egress":
            left[f"{entry.host} ({entry.id})"] = "not egress"
        elif entry.status == "mistaken":
            left[f"{entry.host} ({entry.id})"] = "the catalog records it as a mistake of the vendor's page"
        else:
            if entry.match in ("exact", "subtree+apex"):
                hosts.setdefault(entry.host, set()).add(entry.protocol)
            if entry.match != "exact":
                left[f"{entry.reach} ({entry.id})"] = WILDCARD
    return ToAsk(tuple(hosts), tuple(left.items()), {host: frozenset(found) for host, found in hosts.items()})


def hosts_of_lines(lines: Sequence[str], file: str) -> tuple[str, ...]:
    """One name per line; `#` begins a comment. Raises InputError with every line that is no name."""
    found: dict[str, None] = {}
    problems = []
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        host = check_host(text)
        if host.rule is None:
            found[host.name] = None
        else:
            problems.append(Problem(rule=host.rule, file=file, line=number, message=host.message))
    if not found and not problems:
        problems.append(
            Problem(rule="hosts-empty", file=file, message="Found no name. Allowed: one name per line, # for comments.")
        )
    if problems:
        raise InputError(problems)
    return tuple(found)
