"""Lint: what is well-formed in a catalog and still deserves a look. Everything here is a warning.

What cannot be right at all (an address, a public suffix, one need twice, a port out of range, an unknown phase) is an
error of reading and never reaches this module.
"""

from collections.abc import Iterator, Sequence

from hostgate.catalog.hosts import is_hosting_suffix
from hostgate.catalog.mistakes import Misprints, mistakes
from hostgate.catalog.model import EntryRecord, Origin
from hostgate.catalog.problems import Problem
from hostgate.catalog.read import Catalog
from hostgate.catalog.typos import typo_clusters

WEB_PORTS = {"https": (443, 8443), "http": (80, 8080)}
"""Where https and http usually are; another port is worth a look, not wrong."""


def lint_catalog(catalog: Catalog, beside: Sequence[Catalog] = ()) -> list[Problem]:
    """Every remark about `catalog`, in the order of its lines; `beside` are catalogs that it may be used with."""
    rows = list(zip(catalog.record.entries, catalog.origins, strict=True))
    found = [*_wildcards(catalog, rows), *_ports(catalog, rows), *_typos(catalog, rows), *_purposes(catalog, rows)]
    found += _mistakes(catalog, [other for other in beside if other.id != catalog.id])
    return sorted(found, key=lambda problem: (problem.line or 0, problem.rule))


_Rows = Sequence[tuple[EntryRecord, Origin]]


def _wildcards(catalog: Catalog, rows: _Rows) -> Iterator[Problem]:
    from hostgate.catalog.shared_hosting import shared_hosting

    for record, origin in rows:
        if record.status == "mistaken":
            continue
        shared = shared_hosting(record.match, record.host)
        if shared:
            yield _warning(
                "shared-hosting", catalog, origin, record.id,
                f"{record.match} {record.host} is shared: {shared}. Prefer the vendor's own host where there is one.",
            )  # fmt: skip
        elif record.match == "exact" and is_hosting_suffix(record.host):
            yield _warning(
                "hosting-suffix", catalog, origin, record.id,
                f"{record.host} is a name under which customers of one company register theirs. Is a name below it meant?",
            )  # fmt: skip


def _ports(catalog: Catalog, rows: _Rows) -> Iterator[Problem]:
    for record, origin in rows:
        usual = WEB_PORTS.get(record.protocol)
        if usual and record.port not in usual:
            yield _warning(
                "unusual-port", catalog, origin, record.id,
                f"{record.protocol} on port {record.port}. Usual: {' or '.join(map(str, usual))}. Fine if the vendor says so.",
            )  # fmt: skip
        for protocol, ports in WEB_PORTS.items():
            if record.protocol in ("http", "https") and record.protocol != protocol and record.port == ports[0]:
                yield _warning(
                    "port-of-other-protocol", catalog, origin, record.id,
                    f"{record.protocol} on port {record.port}, which is {protocol}'s. Firewalls that read the protocol block it.",
                )  # fmt: skip


def _typos(catalog: Catalog, rows: _Rows) -> Iterator[Problem]:
    standing = {record.host: (record, origin) for record, origin in rows if record.status != "mistaken"}
    for cluster in typo_clusters(standing):
        record, origin = standing[cluster[-1]]
        others = ", ".join(f"{host} ({standing[host][0].id})" for host in cluster[:-1])
        yield _warning(
            "near-miss", catalog, origin, record.id,
            f"{cluster[-1]} is one edit away from {others}. If one is a misprint, set its status to mistaken.",
        )  # fmt: skip


def _mistakes(catalog: Catalog, beside: Sequence[Catalog]) -> Iterator[Problem]:
    """Entries that open what one of the catalogs records as mistaken, at their newest revisions."""
    misprints = Misprints(
        [one for each in (catalog, *beside) for one in mistakes(each.entries(None), each.entries(each.latest))]
    )
    for entry in catalog.entries(catalog.latest):
        for mistake in misprints.opened_by(entry):
            wrong = mistake.entry
            yield _warning(
                "opens-mistake", catalog, entry.origin, entry.id,
                f"{entry.reach} opens {wrong.host}, which {wrong.catalog} records as mistaken ({wrong.id}, {wrong.origin}). "
                "A plan with both is refused.",
            )  # fmt: skip
        for mistake in misprints.contradicted_by(entry):
            yield _warning(
                "opens-mistake", catalog, entry.origin, entry.id,
                f"{entry.host} is listed here, and recorded as mistaken by {mistake.entry.id} ({mistake.entry.origin}).",
            )  # fmt: skip


def _purposes(catalog: Catalog, rows: _Rows) -> Iterator[Problem]:
    for record, origin in rows:
        if not record.purpose:
            yield _warning(
                "no-purpose", catalog, origin, record.id, "No purpose is given: a reviewer cannot tell what it is for."
            )


def _warning(rule: str, catalog: Catalog, origin: Origin, entry: str, message: str) -> Problem:
    return Problem(rule=rule, message=message, file=catalog.file, line=origin.line, column=origin.column, entry=entry)
