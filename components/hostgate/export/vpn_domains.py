"""export:vpn-domains: what a split tunnel leads through the VPN by name, for products that take names.

One exact name a line. What a star means differs from product to product, so that none is written; nor is a port.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from hostgate.catalog.model import Entry
from hostgate.export.file_format import FileFormat, FormatOptions, closed
from hostgate.flows.names import NameTest
from hostgate.flows.steps import Box, Place, Stage, Step
from hostgate.planning.evidence import Claim, Evidence
from hostgate.planning.mechanism import CloudObject, Means

READ_ON = "2026-11-28"
_SOURCE = "GlobalProtect administrator guide, split tunnel by destination domain"


class VpnDomains(FileFormat[FormatOptions]):
    """A list of names."""

    target = "export:vpn-domains"
    title = "VPN split tunnel by name"
    options = FormatOptions
    file = ".domains.txt"
    state = "none: it leads, and stops nothing"
    refuses = "Other names do not go through the tunnel, private destinations too; the list itself stops nothing."
    means = (
        Means(
            name="Split-tunnel names",
            protocols=frozenset({"https", "tls", "http", "tcp", "udp"}),
            kinds=frozenset({"exact"}),
            sight="query-name",
            ttl_family="client-dns",
            evidence=Evidence("documented", _SOURCE, READ_ON),
            needs=(
                Claim(
                    "a product that takes a name for this name alone, and not for all below it too", _SOURCE, READ_ON
                ),
                Claim("a filter behind the tunnel that knows ports", _SOURCE, READ_ON),
            ),
            opens=(Claim("every port of the hosts", _SOURCE, READ_ON),),
            nearest=dict.fromkeys(
                ("one-label", "subtree", "subtree+apex"), "the names that are needed as exact entries."
            ),
        ),
    )

    def rule(self, entry: Entry, options: FormatOptions) -> str:  # noqa: ARG002
        return entry.host

    def body(self, entries: Sequence[Entry], options: FormatOptions) -> Mapping[str, Any]:  # noqa: ARG002
        return {"form": self.target, **({"names": sorted({each.host for each in entries})} if entries else {})}

    def text(self, body: Mapping[str, Any], head: Sequence[str]) -> str:
        return "".join([*(f"# {line}\n" for line in head), *(f"{name}\n" for name in body.get("names", ()))])

    def place(self, objects: Sequence[CloudObject], options: FormatOptions) -> Place:  # noqa: ARG002
        (made,) = objects
        why = "its name goes through the tunnel"
        steps = [
            Step(action="allow", rule=f"{made.name}#{name}", why=why, box=Box(asked=(NameTest("exact", name),)))
            for name in made.body.get("names", ())
        ]
        stage = Stage("names", tuple(steps), closed("its name does not go through the tunnel"))
        return Place(self.target, made.name, (stage,), led="assumed", kind="tunnel")


MECHANISM = VpnDomains()
