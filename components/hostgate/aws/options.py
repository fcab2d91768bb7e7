"""Options of the Network Firewall mechanisms."""

from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from hostgate.planning.options import PRIVATE_IPV4, Cidr, Options


class NetworkFirewallOptions(Options):
    """Where the groups go and whose traffic they judge.

    Without `attach` and with any `deny` but declared, a firewall policy is made; otherwise only rule groups are, and
    their references are handed out for a policy that somebody else owns.
    """

    attach: str | None = None
    """The ARN of the policy, owned elsewhere, that will hold the references."""
    from_: Annotated[list[Cidr], Field(alias="from", min_length=1)] = []
    """Clients, as source ranges within HOME_NET. Left out: all of HOME_NET; an empty list is refused, not read as all."""
    home_net: Annotated[list[Cidr], Field(min_length=1)] = list(PRIVATE_IPV4)
    """HOME_NET at policy level: the ranges behind the firewall. AWS's own default is only the firewall's VPC, which
    in a central inspection VPC lets every spoke pass (AWS Network Firewall best practices, prerequisites)."""
    base: Annotated[int, Field(ge=1, le=60_000)] = 1000
    """Priority of the first group, 1 to 65535 (AWS SDK service model, StatefulRuleGroupReference.Priority, read
    2026-11-23) less room for the slots; the fixed slots after it are in `hostgate.aws.policy`."""
    log_allowed: bool = False
    """Whether a flow that a rule allows is logged (`alert` inside the pass rule)."""

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
        if self.attach is not None and not self.attach.startswith("arn:"):
            raise ValueError(f"found attach {self.attach!r}. Allowed: the ARN of a firewall policy.")
        home = [ip_network(cidr) for cidr in self.home_net]
        for cidr in self.from_:
            source = ip_network(cidr)
            if not any(source.version == net.version and source.subnet_of(net) for net in home):  # type: ignore[arg-type]
                raise ValueError(f"found from {cidr}, outside homeNet ({', '.join(self.home_net)}). Extend homeNet.")
        merged: list[IPv4Network | IPv6Network] = [
            *collapse_addresses(network for network in home if isinstance(network, IPv4Network)),
            *collapse_addresses(network for network in home if isinstance(network, IPv6Network)),
        ]
        if any(network.prefixlen == 0 for network in merged):
            raise ValueError(
                "found a homeNet of everything: then nothing is outside, and the engine refuses the rules."
            )
        return self

    @property
    def clients(self) -> tuple[str, ...]:
        return tuple(sorted(self.from_ or self.home_net))

    @property
    def creates_policy(self) -> bool:
        return self.deny != "declared"
