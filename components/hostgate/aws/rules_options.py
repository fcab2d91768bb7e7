"""Options of rules by name and by address: of those by address, a pool may say the addresses."""

from collections.abc import Iterable
from typing import ClassVar, Final, Self

from hostgate.aws.network_firewall_options import NetworkFirewallOptions
from hostgate.catalog.model import Entry, Family, Protocol
from hostgate.planning.address_pool import AddressPool
from hostgate.planning.pooled import FedOptions

BY_ADDRESS: Final[frozenset[Protocol]] = frozenset({"tcp", "udp"})
"""Protocols whose packets carry no name."""


class RulesOptions(NetworkFirewallOptions, FedOptions):
    """Entries that carry a name take no addresses, whatever a pool says of their hosts."""

    hosts_key: ClassVar[str] = "host_addresses"

    def takes(self, entry: Entry) -> bool:
        return entry.protocol in BY_ADDRESS and entry.id not in self.ip_sets

    def fed_by(self, pool: AddressPool, entries: Iterable[Entry]) -> Self:
        bare = type(self).model_validate(self.model_dump(exclude_unset=True, exclude={"addresses"}))
        return super(RulesOptions, bare).fed_by(pool, entries)

    def pooled(self, entry: Entry) -> bool:
        return (self.fed or bool(self.host_addresses)) and self.takes(entry)

    def alone(self, entry: Entry) -> bool:
        return self.pooled(entry) or (entry.protocol in BY_ADDRESS and entry.id in self.addresses)

    @property
    def client_families(self) -> frozenset[Family]:
        return frozenset(self.source_families)

    def dialled(self, entry: Entry) -> tuple[str, ...]:
        return self.of(entry) if self.pooled(entry) else super().dialled(entry)
