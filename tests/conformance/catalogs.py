"""Entries and selections made by hand, without files."""

from collections.abc import Iterable
from typing import Any

from hostgate.catalog.model import Entry
from hostgate.catalog.selection import Acceptance, Selection
from hostgate.planning.mechanism import mechanism, targets
from hostgate.planning.pooled import PooledOptions
from hostgate.planning.targets import formats

FORMATS = tuple(each.name for each in formats())
FED = tuple(each for each in (*targets(), *FORMATS) if issubclass(mechanism(each).options, PooledOptions))
"""Those that refuse a host of which no addresses are given."""
MADE = tuple(each for each in targets() if each not in FED)
"""What a program can make of hosts alone."""
EVERY = (*MADE, *(each for each in FORMATS if each not in FED))
"""What a program can make, and what becomes files."""


def entry(host: str = "cgr.dev", id_: str | None = None, **fields: Any) -> Entry:
    """An entry of catalog acme/test: exact, 443, https unless said otherwise; its id is the host with hyphens."""
    made: dict[str, Any] = {"catalog": "acme/test", "match": "exact", "port": 443, "protocol": "https", **fields}
    return Entry(id=id_ or host.replace(".", "-"), host=host, **made)


def selection(
    entries: Iterable[Entry], *, accept: Iterable[Acceptance] = (), choose: Iterable[tuple[str, str]] = ()
) -> Selection:
    """`entries` as `select` would hand them over: sorted by key."""
    return Selection(
        refs=("acme/test",),
        entries=tuple(sorted(entries, key=lambda each: each.key)),
        accept=tuple(accept),
        choose=tuple(choose),
        allow_empty=True,
    )


def many(count: int) -> list[Entry]:
    """`count` exact https entries; the first n of a larger number are the same entries."""
    return [entry(f"host-{number:05}.vendor.example", f"e{number:05}") for number in range(count)]
