"""DNAT rules of Azure Firewall: what clients send to an address of the firewall goes on to another place.

They come before network and application rules, and what they translate passes without a rule of its own, unless a network
rule denies it there. They are of the policy itself: a child does not inherit them. Sources: Azure Firewall rule processing
logic (2026-03-28), Firewall Manager policy overview, private IP DNAT (read 2026-11-28).

A rule about a public address that leads inside is for those who come from the internet, and none of what leaves.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from hostgate.azure.rule_steps import CollectionRule, address
from hostgate.flows.address_sets import EVERY_IPV4, AddressSet, internet
from hostgate.flows.atoms import usual_address
from hostgate.flows.flow import Flow
from hostgate.flows.intervals import EVERY_PORT
from hostgate.flows.name_atoms import STRANGER
from hostgate.flows.steps import Box, Step, WayOut

_PROTOCOLS = {6: "tcp", 17: "udp"}


class NatRule(CollectionRule):
    """A DNAT rule: the steps of what is sent to the firewall, and where that leads on the internet."""

    def steps(self, denies: Iterable[Step]) -> Iterator[Step]:
        """`denies`: network rules of the policy that deny."""
        if self._of_others:
            return
        target, _, _ = self._target()
        why = f"the rule {self.label} translates it to {target}, and what is translated passes"
        for box in self._boxes(denies):
            yield replace(self._step(box, ""), why=why)

    def ways_out(self, denies: Iterable[Step]) -> Iterator[WayOut]:
        target, where, port = self._target()
        if self._of_others or self._inside(where):
            return
        sources = self._clients().addresses.v4 or EVERY_IPV4.v4
        name = self.node.at("translatedFqdn").value
        for box in self._boxes(denies):
            why = f"the rule {self.label} leads what is sent to {box.address.shown('IPv4')} on to {target}"
            for number in sorted(_PROTOCOLS.keys() & (box.protocols or _PROTOCOLS.keys())):
                flow = Flow(
                    name if isinstance(name, str) and name else STRANGER,
                    port=port or 443, protocol=_PROTOCOLS[number],
                    address=usual_address(where.v4, "IPv4") if where is not None else None,
                    source=usual_address(sources, "IPv4", client=True),
                )  # fmt: skip
                yield WayOut(self.label, self.collection.owner, why, flow, (*self._untold(), *box.doubts))

    @property
    def _of_others(self) -> bool:
        """Whether it is about public addresses, and leads inside."""
        return self._public and self._inside(self._target()[1])

    @property
    def _public(self) -> bool:
        there = self._addresses() or EVERY_IPV4
        return bool(there.v4 & internet().v4 or there.symbols)

    @staticmethod
    def _inside(where: AddressSet | None) -> bool:
        return where is not None and not where.v4 & internet().v4

    def _boxes(self, denies: Iterable[Step]) -> Iterator[Box]:
        ports = self._ports()
        general = list(self._unread("sourceAddresses"))
        if ports is None:
            general.append(self._doubt("is about its port"))
        if self._public:
            general.append(self._doubt("is about an address that is the firewall's own"))
        for protocols, doubts in self._ip_protocols():
            box = Box(
                protocols=protocols, port=EVERY_PORT if ports is None else ports, client=self._clients(),
                address=self._addresses() or EVERY_IPV4, doubts=(*doubts, *general),
            )  # fmt: skip
            denying = next((each for each in denies if self._may_deny(each.box, box)), None)
            if denying is not None:
                box = replace(box, doubts=(*box.doubts, f"{denying.rule} does not deny what {self.label} translates"))
            yield box

    def _may_deny(self, deny: Box, ours: Box) -> bool:
        """Whether a network rule may be about what this one translates."""
        _, where, port = self._target()
        theirs = deny.client.addresses
        clients = ours.client.addresses
        return (
            (port is None or port in deny.port)
            and (deny.protocols is None or ours.protocols is None or bool(deny.protocols & ours.protocols))
            and (where is None or deny.dialled is not None or bool(deny.address.symbols or where.v4 & deny.address.v4))
            and bool(theirs.symbols or clients.symbols or theirs.v4 & clients.v4)
        )

    def _target(self) -> tuple[str, AddressSet | None, int | None]:
        """Where it leads: in words, by address where it says one, and on which port."""
        told = str(self.node.at("translatedPort").value).removesuffix(".0")
        port = int(told) if told.isdecimal() else None
        on = f":{told}" if port is not None else ""
        for key in ("translatedFqdn", "translatedAddress"):
            value = self.node.at(key).value
            if isinstance(value, str) and value:
                found = address(value) if key == "translatedAddress" else None
                return f"{value}{on}", found if found is not None and found.v4 else None, port
        return "a place that is not known yet", None, port

    def _untold(self) -> Iterator[str]:
        told = (self.node.at(key).value for key in ("translatedFqdn", "translatedAddress"))
        if not any(isinstance(value, str) and value for value in told) or self._target()[2] is None:
            yield self._doubt("leads to a place on the internet")
