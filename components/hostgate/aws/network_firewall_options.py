"""Options of the Network Firewall mechanisms."""

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_network
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from hostgate.aws.policy_options import PolicyOptions
from hostgate.catalog.model import FAMILIES, Entry, Family
from hostgate.planning.breadth import too_broad
from hostgate.planning.options import PRIVATE_IPV4, Cidr, merged
from hostgate.planning.pooled import HostAddress

MOST_GRANTS = 15
"""Their groups by address have priorities of 32 each before the edge group, which begins at 500."""


class NetworkFirewallOptions(PolicyOptions):
    """Where the groups go and whose traffic they judge.

    Without `attach` and with any `deny` but declared, a firewall policy is made; otherwise only rule groups are, and
    their references are handed out for a policy that somebody else owns.
    """

    between_components: ClassVar[int] = 32
    clients_key: ClassVar[str] = "homeNet (and `from`)"

    attach: str | None = None
    """The ARN of the policy, owned elsewhere, that will hold the references. Nothing is attached: a policy's references
    are part of the policy, and its owner's to write."""
    from_: Annotated[list[Cidr], Field(alias="from", min_length=1)] = []
    """Clients, as source ranges within HOME_NET. Left out: all of HOME_NET; an empty list is refused, not read as all."""
    home_net: Annotated[list[Cidr], Field(min_length=1)] = list(PRIVATE_IPV4)
    """HOME_NET at policy level: the ranges behind the firewall. AWS's own default is only the firewall's VPC, which
    in a central inspection VPC lets every spoke pass (AWS Network Firewall best practices, prerequisites)."""
    base: Annotated[int, Field(ge=1, le=60_000)] = 1000
    """Priority of the first group, 1 to 65535 (AWS SDK service model, StatefulRuleGroupReference.Priority, read
    2026-11-23) less room for the slots; the fixed slots after it are in `hostgate.aws.policy`."""
    edge: bool = True
    """Whether the group is made that stops UDP, ICMP and every other IP protocol but TCP. Left out only where the policy is
    owned elsewhere and has such rules of its own: its default drops established flows, so first datagrams get out."""
    log_allowed: bool = False
    """Whether a flow that a rule allows is logged (`alert` inside the pass rule)."""
    reject: bool = False
    """Whether a client whose TCP connection is blocked gets a reset and not silence. Rules at the end of the policy do
    it in place of the policy's default drop."""
    addresses: dict[str, Annotated[list[Cidr], Field(min_length=1)]] = {}
    """Addresses of tcp and udp entries, whose packets carry no name: ranges by entry id."""
    host_addresses: dict[str, list[HostAddress]] = {}
    """Addresses of the hosts of such entries, as a pool has them: each is an item of an IP set of its entry."""
    ip_sets: dict[str, str] = {}
    """The same as references: the ARN of a prefix list or resource group that holds the addresses, by entry id."""

    @model_validator(mode="before")
    @classmethod
    def _attached_policies_deny_for_themselves(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("attach") is not None and "deny" not in values:
            return {**values, "deny": "declared"}
        return values

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.attach is not None and self.deny != "declared":
            raise ValueError(
                f"found deny {self.deny!r} with `attach`. The deny is the policy's default action and the policy is owned "
                "elsewhere. Allowed: deny 'declared' (the default with attach)."
            )
        if len(self.grants) > MOST_GRANTS:
            raise ValueError(
                f"found {len(self.grants)} lists. Allowed: {MOST_GRANTS}; each has a rule group, of which a policy has 20."
            )
        home = [ip_network(cidr) for cidr in self.home_net]
        for cidr in self.from_:
            source = ip_network(cidr)
            if not any(source.version == net.version and source.subnet_of(net) for net in home):  # type: ignore[arg-type]
                raise ValueError(f"found from {cidr}, outside homeNet ({', '.join(self.home_net)}). Extend homeNet.")
        if any(network.prefixlen == 0 for network in merged(self.home_net)):
            raise ValueError(
                "found a homeNet of everything: then nothing is outside, and the engine refuses the rules."
            )
        if broad := too_broad(self.home_net):
            raise ValueError(f"homeNet: {broad} Allowed: the ranges of your clients.")
        if broad := _too_broad_addresses(self.addresses):
            raise ValueError(broad)
        for entry, arn in self.ip_sets.items():
            if not arn.startswith("arn:"):
                raise ValueError(
                    f"found ipSets {entry}: {arn!r}. Allowed: the ARN of a prefix list or of a resource group."
                )
        if both := sorted(self.addresses.keys() & self.ip_sets.keys()):
            raise ValueError(f"found {', '.join(both)} in both `addresses` and `ipSets`. Keep one.")
        if self.addresses and self.host_addresses:
            raise ValueError(
                "found `addresses` and `hostAddresses`. Keep one: ranges by entry id, or addresses by host."
            )
        if not self.edge and self.deny != "declared":
            raise ValueError(
                f"found edge false with deny {self.deny!r}. The group is part of that deny, and the policy's default lets first "
                "datagrams out. Allowed: edge false with deny 'declared', where the owner's policy has such rules."
                if self.deny != "none"
                else "found edge false with deny 'none', which makes no such group. Leave it out."
            )
        if self.reject and self.deny not in ("internet", "all"):
            raise ValueError(
                f"found `reject` with deny {self.deny!r}. It is a way of denying. Allowed: deny 'internet' or 'all'."
            )
        if self.rejects and self.default_actions:
            raise ValueError(
                "found `reject` with `defaultActions`. Its last group blocks in their place, and the policy has none. Keep one."
            )
        if found := list(self.objections(owned=self.creates_policy, attach=self.attach, base=self.base)):
            raise ValueError(" ".join(found))
        return self

    @property
    def own_clients(self) -> tuple[str, ...]:
        return tuple(sorted(self.from_ or self.home_net))

    @property
    def source_families(self) -> Sequence[Family]:
        return [family for family in FAMILIES if any((":" in each) == (family == "ipv6") for each in self.clients)]

    def _arns(self) -> Iterator[tuple[tuple[int | str, ...], str]]:
        yield from super()._arns()
        yield from ((("ipSets", entry), arn) for entry, arn in self.ip_sets.items())
        yield from ((("import", child), arn) for child, arn in self.import_.items())
        if self.attach is not None and ":REGION:" not in self.attach:
            yield ("attach",), self.attach

    def dialled(self, entry: Entry) -> tuple[str, ...]:
        if entry.id in self.addresses:
            return tuple(self.addresses[entry.id])
        return (self.ip_sets[entry.id],) if entry.id in self.ip_sets else ()

    @property
    def shared_policy(self) -> str | None:
        return None if self.creates_policy else self.attach or "references"

    @property
    def creates_policy(self) -> bool:
        return self.deny != "declared"

    @property
    def rejects(self) -> bool:
        """Whether rules of ours end the evaluation, and not the policy's default."""
        return self.reject and self.mode == "enforce"


def _too_broad_addresses(addresses: Mapping[str, Sequence[str]]) -> str | None:
    """Entries whose addresses are most of the internet, each by itself or all together."""
    found = []
    for entry, cidrs in addresses.items():
        if any(network.prefixlen == 0 for network in merged(cidrs)):
            found.append(f"found every address as addresses of {entry}. Allowed: the host's own ranges.")
        elif broad := too_broad(cidrs):
            found.append(f"addresses of {entry}: {broad}")
    if found:
        return " ".join(found)
    everything = [cidr for cidrs in addresses.values() for cidr in cidrs]
    broad = too_broad(everything)
    return None if broad is None else f"addresses of {', '.join(sorted(addresses))} together: {broad}"
