"""A flow as it is told: what is spoken, where to, and where from; in the words of a table, and as JSON."""

from collections.abc import Iterable
from typing import Any

from hostgate.flows.flow import Flow
from hostgate.flows.name_atoms import STRANGER


def flows_in_words(flows: Iterable[Flow]) -> str:
    """The first two kinds, a line each, and how many more there are."""
    told = list(dict.fromkeys(map(flow_in_words, flows)))
    return "\n".join(told[:2]) + (f"\nand {len(told) - 2} more kinds" if len(told) > 2 else "")


def flow_in_words(flow: Flow) -> str:
    name = "any other name" if flow.name == STRANGER else flow.name
    unsaid = (
        " that it does not say" if flow.protocol in ("https", "http") and flow.wire_name is None and flow.port else ""
    )
    if flow.wire_name not in (None, flow.name):
        unsaid = f" that says {flow.wire_name}"
    where = f", at {flow.address}" if flow.address else ""
    whence = f", from {flow.source}" if flow.source else ""
    spoken = flow.protocol if flow.port or not flow.has_ports else flow.transport  # nobody speaks more at port 0
    return f"{spoken}{f' {flow.port}' if flow.has_ports else ''} to {name}{unsaid}{where}{whence}"


def flow_as_json(flow: Flow) -> dict[str, Any]:
    return {
        "name": flow.name, "port": flow.port, "protocol": flow.protocol, "address": flow.address, "source": flow.source,
        **({} if flow.wire_name == flow.name else {"sni": flow.wire_name}),
    }  # fmt: skip
