"""export:nftables: a table for nftables on a box that forwards, by addresses of a pool.

The file puts its table in place of the old one in one transaction: no packet meets neither, and connections go on. With
state, what is new needs an allowed address and port, and what belongs to it passes both ways. Without, each rule has a
mirror: what comes from the port to an unprivileged one, and does not begin a connection.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator

from hostgate.catalog.model import FAMILIES, Entry
from hostgate.export.file_format import TCP, UDP, clients_of, closed
from hostgate.export.pooled import KEEPS, OPENS, PooledFormat, PooledOptions, opening_step
from hostgate.flows.address_sets import networks
from hostgate.flows.intervals import Intervals
from hostgate.flows.steps import Box, Place, Stage, Step
from hostgate.planning.evidence import Claim, Evidence
from hostgate.planning.mechanism import CloudObject
from hostgate.planning.options import merged
from hostgate.planning.pooled import by_address, host_address, openings

_SOURCE = "nft(8), nftables 1.0.6"
_FAMILY = {"ipv4": ("ip", "ipv4_addr", "v4"), "ipv6": ("ip6", "ipv6_addr", "v6")}
_KEY = "{family} {end} . meta l4proto . th {port}"
_UNPRIVILEGED = "1024-65535"


class NftablesOptions(PooledOptions):
    """How the table tells what belongs to an allowed connection."""

    stateless: bool = False
    """Whether the rules do without connection tracking, in pairs."""
    resolvers: list[Annotated[str, AfterValidator(host_address)]] = []
    """Resolvers of the clients that lie behind this box: DNS to them passes too."""


class Nftables(PooledFormat[NftablesOptions]):
    """One table with a set for each family, and a chain."""

    target = "export:nftables"
    title = "nftables"
    options = NftablesOptions
    file = ".nft"
    state = "tracked, or pairs of rules with `--stateless`"
    tells_clients = True
    refuses = "The box forwards nothing else: no other traffic, of whatever protocol, and private destinations too."
    means = (
        by_address(
            "Address sets",
            Evidence("tried", "nftables 1.0.6 in network namespaces", "2026-11-28"),
            needs=(
                KEEPS,
                Claim("clients whose only way out leads through the box", _SOURCE, "2026-11-28"),
                Claim("no other table that drops what this one lets pass", _SOURCE, "2026-11-28"),
            ),
            opens=OPENS,
        ),
    )

    def body(self, entries: Sequence[Entry], options: NftablesOptions) -> Mapping[str, Any]:
        rows = [
            {"address": each.address, "transport": each.transport, "port": each.port, "hosts": list(each.hosts)}
            for each in openings(entries, options)
        ]
        found = {
            "table": f"{options.name.replace('-', '_')}_egress",  # no name alone: some are words of the language
            "state": "none" if options.stateless else "tracked",
            "clients": [str(each) for each in merged(options.from_)],
            "resolvers": sorted(options.resolvers),
            "elements": rows,
        }
        return {key: value for key, value in found.items() if value}

    def text(self, body: Mapping[str, Any], head: Sequence[str]) -> str:
        table = f"table inet {body['table']}"
        lines = [
            *(f"# {line}" for line in head),
            table,
            f"delete {table}",
            f"{table} {{",
            *_sets(body),
            *_chain(body),
            "}",
            "",
        ]
        return "\n".join(lines)

    def place(self, objects: Sequence[CloudObject], options: NftablesOptions) -> Place:
        (made,) = objects
        clients = clients_of(made.body.get("clients", ()))
        steps = [opening_step(made.name, row, clients) for row in made.body.get("elements", ())]
        for resolver in made.body.get("resolvers", ()):
            box = Box(
                address=networks([resolver]),
                port=Intervals.of([(53, 53)]),
                protocols=frozenset({TCP, UDP}),
                client=clients,
            )
            steps.append(Step(action="allow", rule=f"{made.name}#resolvers", why="it is DNS to a resolver", box=box))
        stage = Stage("forward", tuple(steps), closed("the chain drops what no rule accepts"))
        return Place(self.target, made.name, (stage,), clients=clients_of(options.from_), led="assumed", kind="router")


def _of(rows: Sequence[Mapping[str, Any]], family: str) -> list[Mapping[str, Any]]:
    return [row for row in rows if (":" in row["address"]) == (family == "ipv6")]


def _sets(body: Mapping[str, Any]) -> Iterator[str]:
    for family in FAMILIES:
        _, kind, end = _FAMILY[family]
        if clients := [each for each in body.get("clients", ()) if (":" in each) == (family == "ipv6")]:
            yield f"  set clients_{end} {{ type {kind}; flags interval; elements = {{ {', '.join(clients)} }}; }}"
        if rows := _of(body.get("elements", ()), family):
            yield f"  set hosts_{end} {{"
            yield f"    type {kind} . inet_proto . inet_service;"
            yield "    elements = {"
            yield from (
                f"      {row['address']} . {row['transport']} . {row['port']},  # {' '.join(row['hosts'])}"
                for row in rows
            )
            yield "    };"
            yield "  }"


def _chain(body: Mapping[str, Any]) -> Iterator[str]:
    tracked = body["state"] == "tracked"
    if not tracked:
        yield "  chain answers {"
        yield "    tcp flags & (syn | ack) == syn drop"
        yield "    accept"
        yield "  }"
    yield "  chain forward {"
    yield "    type filter hook forward priority filter; policy drop;"
    if tracked:
        yield "    ct state established,related accept"
    for family in FAMILIES:
        there, back = _clients(body, family, "saddr"), _clients(body, family, "daddr")
        if there is None or back is None:
            continue
        word, _, end = _FAMILY[family]
        resolvers = [each for each in body.get("resolvers", ()) if (":" in each) == (family == "ipv6")]
        about = [(f"{word} %s {{ {', '.join(resolvers)} }} meta l4proto {{ tcp, udp }} th %s 53")] if resolvers else []
        if _of(body.get("elements", ()), family):
            about.append(f"{word} %s . meta l4proto . th %s @hosts_{end}")
        for each in about:
            if tracked:
                yield f"    ct state new {there}{each % ('daddr', 'dport')} accept"
                continue
            yield f"    {there}{each % ('daddr', 'dport')} th sport {_UNPRIVILEGED} accept"
            yield f"    {back}{each % ('saddr', 'sport')} th dport {_UNPRIVILEGED} goto answers"
    yield "  }"


def _clients(body: Mapping[str, Any], family: str, end: str) -> str | None:
    """The test of the client at `end` of a packet; None where no client has the family, empty where everybody is meant."""
    clients = body.get("clients", ())
    word, _, suffix = _FAMILY[family]
    if not clients:
        return ""
    return f"{word} {end} @clients_{suffix} " if any((":" in each) == (family == "ipv6") for each in clients) else None


MECHANISM = Nftables()
