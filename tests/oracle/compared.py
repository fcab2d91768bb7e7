"""What the oracle sees as the product sees it: raw resources as a snapshot, a connection as a flow."""

import json
import os
from collections.abc import Sequence

from hostgate.flows.flow import Flow
from hostgate.flows.snapshot import Resource, Snapshot
from oracle import dial as seen

STACKS = int(os.environ.get("HOSTGATE_ORACLE_STACKS", "150"))
FIRST_SEED = 0 if STACKS <= 150 else 100_000
"""The seeds of a long run are none of those of every run."""

FLOWS = 12


def snapshot_of(stack: Sequence[seen.Resource]) -> Snapshot:
    return Snapshot(
        tuple(
            Resource(
                urn=f"urn:pulumi:dev::p::{each.type}::{each.name}",
                type=each.type,
                name=each.name,
                properties={**each.inputs, "id": each.id},
                id=each.id,
            )
            for each in stack
        ),
        "a generated stack",
    )


def flow_of(dial: seen.Dial) -> Flow:
    protocol = {"tls": "https", "http": "http", "quic": "quic"}.get(dial.speaks, dial.transport)
    return Flow(dial.name, dial.port, protocol, dial.carries, dial.address, dial.source)  # type: ignore[arg-type]


def sharing_of(dial: seen.Dial) -> frozenset[str]:
    """Names known to share the address that is dialled."""
    return frozenset(name for name, found in dial.resolves.items() if dial.address in found) - {dial.name}


def said(stack: Sequence[seen.Resource], network: str, dial: seen.Dial, ours: object, theirs: str) -> str:
    body = "\n".join(json.dumps({each.type.rpartition(":")[2]: each.id, **each.inputs}) for each in stack)
    return f"ours {ours}\noracle {theirs}\nfrom {network}: {dial}\n{body}"
