"""The hosts as a table: for a ticket to whoever keeps the firewall, with what each is for, and for modules that take values.

A list enforces nothing. Its rows say the match kind in words, so that nobody has to guess what a star or a dot means.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from hostgate.catalog.model import Entry, Match
from hostgate.export.file_format import FileFormat, FormatOptions, row_stage
from hostgate.flows.steps import Place
from hostgate.planning.evidence import Claim, Evidence
from hostgate.planning.mechanism import CloudObject, Means

_OURS = Evidence("documented", "hostgate, docs/export.md", "2026-11-28")
_NEEDS = (
    Claim("somebody who allows these hosts as they are written, and no more", "hostgate, docs/export.md", "2026-11-28"),
)
_RESOLVER = "a list says nothing of it: it depends on what it is entered into"


WORDS: Mapping[Match, str] = {
    "exact": "this name only",
    "one-label": "every name one label below, not the name itself",
    "subtree": "every name below at any depth, not the name itself",
    "subtree+apex": "the name itself and every name below at any depth",
}


class HostList(FileFormat[FormatOptions]):
    """Base of the lists: one row for each entry."""

    options = FormatOptions
    state = "up to whoever enters it"
    refuses = "A list refuses nothing: all else, private destinations too, is up to whoever enters it."
    means = (
        Means(
            name="Rows by name",
            protocols=frozenset({"https", "tls", "http"}),
            sight="name-and-port",
            names="dialled",
            ttl_family="wire",
            resolver=_RESOLVER,
            evidence=_OURS,
            needs=_NEEDS,
        ),
        Means(
            name="Rows by address",
            protocols=frozenset({"tcp", "udp"}),
            sight="address-and-port",
            ttl_family="own-lookup",
            resolver=_RESOLVER,
            evidence=_OURS,
            needs=_NEEDS,
        ),
    )

    def body(self, entries: Sequence[Entry], options: FormatOptions) -> Mapping[str, Any]:  # noqa: ARG002
        hosts = [self.row(entry) for entry in entries]
        return {"form": self.target, **({"hosts": hosts} if hosts else {})}

    def row(self, entry: Entry) -> Mapping[str, Any]:
        """What is said of `entry`."""
        found = {
            "host": entry.host,
            "match": entry.match,
            "names": WORDS[entry.match],
            "port": entry.port,
            "protocol": entry.protocol,
            "party": entry.party,
            "phases": list(entry.phases),
            "purpose": " ".join(entry.purpose.split()),
            "catalog": entry.catalog,
            "entry": entry.id,
        }
        return {key: value for key, value in found.items() if value}

    def place(self, objects: Sequence[CloudObject], options: FormatOptions) -> Place:  # noqa: ARG002
        (made,) = objects
        stage = row_stage(made.name, made.body.get("hosts", ()))
        return Place(
            self.target, made.name, (stage,), led="assumed", assumptions=("Somebody allows these rows and no more.",)
        )
