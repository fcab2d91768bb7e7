"""What a Network Firewall policy does to packets that are no whole message: fragments, and a hello of several packets."""

from collections.abc import Iterator, Sequence

from hostgate.catalog.problems import few
from hostgate.flows.address_sets import EVERY_ADDRESS, AddressFamily, AddressSet, internet
from hostgate.flows.atoms import usual_address
from hostgate.flows.flow import Flow
from hostgate.flows.name_atoms import STRANGER
from hostgate.flows.nodes import Node
from hostgate.flows.steps import Stage, Step, WayOut

FRAGMENTS = "Datagrams in fragments pass uninspected, to anybody (statelessFragmentDefaultActions: aws:pass)."


def fragments(
    policy: Node, owner: str, stateless: Stage, inside: AddressSet, families: Sequence[AddressFamily]
) -> Iterator[WayOut]:
    """Where fragments go that no stateless rule takes. The service drops those of other protocols than UDP (API reference,
    FirewallPolicy, StatelessFragmentDefaultActions, read 2026-11-28)."""
    listed = policy.at("statelessFragmentDefaultActions")
    actions = [item.value for item in listed.items()]
    known = not listed.unknown and all(isinstance(each, str) for each in actions)
    if "aws:pass" not in actions and (known or listed.absent):
        return
    doubts = [] if "aws:pass" in actions else ["the policy's stateless fragment default passes them"]
    groups = (stateless.steps, *stateless.unordered)
    if stopping := next((step for group in groups for step in group if step.action == "block" and _of_udp(step)), None):
        doubts.append(f"{stopping.rule} does not drop them")
    for family in families:
        clients = inside.of(family) or EVERY_ADDRESS.of(family)
        flow = Flow(
            STRANGER, port=443, protocol="udp", address=usual_address(internet().of(family), family),
            source=usual_address(clients, family, client=True),
        )  # fmt: skip
        why = "fragments of datagrams pass uninspected by the policy's stateless fragment default"
        yield WayOut("aws:pass", owner, why, flow, tuple(doubts))


def _of_udp(step: Step) -> bool:
    return step.box.protocols is None or 17 in step.box.protocols


def whole_hellos(stages: Sequence[Stage]) -> Iterator[str]:
    """What passes by name only where the hello is in one packet, since something drops its first packet before the name is
    known: a post-quantum TLS hello takes two (replayed on Suricata 7.0.10 with the name in either)."""
    steps = [step for stage in stages for group in (stage.steps, *stage.unordered, stage.last) for step in group]
    named = [step for step in steps if step.action == "allow" and step.box.wire]
    cutting = dict.fromkeys(
        step.rule or "the policy's default"
        for step in steps
        if step.cuts_hellos and any(_meet(step, each) for each in named)
    )
    if cutting:
        yield (
            f"A TLS hello or request comes in one packet: of several, the first is dropped before the name is known, by "
            f"{few([*cutting])}."
        )


def _meet(cut: Step, named: Step) -> bool:
    if cut.box.protocols is not None and 6 not in cut.box.protocols:  # a hello of several packets is one of TCP
        return False
    spoken = (named.box.applications or frozenset({"tls", "http"})) - cut.box.but
    return bool(cut.box.port & named.box.port) and bool(spoken & (cut.box.applications or spoken))
