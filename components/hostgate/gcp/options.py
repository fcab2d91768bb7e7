"""Options of the firewall policy mechanisms of Google Cloud."""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from hostgate.catalog.model import Family
from hostgate.planning.options import Options

USER_PRIORITY_MAX = 2_147_483_547
"""2147483548 and above are reserved for predefined rules (compute, firewall policy rules; read 2026-11-23)."""

_TAG = re.compile(r"tagValues/[0-9]+\Z")
_ACCOUNT = re.compile(r"[a-z0-9-]{1,63}@[a-z0-9.-]{1,190}\Z")


def _client(text: str) -> str:
    if not (_TAG.match(text) or _ACCOUNT.match(text)):
        raise PydanticCustomError(
            "client", "{message}",
            {"message": f"Found {text!a}. Allowed: a service account's email, or a secure tag as tagValues/123. Network "
                        "tags and address ranges do not work in firewall policies."},
        )  # fmt: skip
    return text


class FirewallPolicyOptions(Options):
    """Where the rules go and whose traffic they judge. Without `attach`, a global network firewall policy is made."""

    attach: str | None = None
    """An existing global network firewall policy: projects/PROJECT/global/firewallPolicies/NAME, or its name."""
    networks: list[str] = []
    """VPC networks that a new policy is associated with; one global policy fits a network."""
    from_: Annotated[list[Annotated[str, AfterValidator(_client)]], Field(alias="from", min_length=1)] = []
    """Target service accounts, or target secure tags; not both. Left out: every instance of the network."""
    base: Annotated[int, Field(ge=0, le=USER_PRIORITY_MAX - 20_000_000)] = 2000
    """Priority of the first allow rule; the fixed slots after it are in `hostgate.gcp.fqdn`."""
    families: Annotated[list[Family], Field(min_length=1)] = ["ipv4", "ipv6"]
    """Address families of the network: each gets its own deny."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if any(_TAG.match(client) for client in self.from_) and any(_ACCOUNT.match(client) for client in self.from_):
            raise ValueError(
                "found service accounts and secure tags under `from`. Allowed in one rule: one of the two kinds."
            )
        if self.attach is not None and self.networks:
            raise ValueError(
                "found `networks` with `attach`. An existing policy is associated by its owner; leave one out."
            )
        return self

    @property
    def service_accounts(self) -> list[str]:
        return sorted(client for client in self.from_ if _ACCOUNT.match(client))

    @property
    def secure_tags(self) -> list[str]:
        return sorted(client for client in self.from_ if _TAG.match(client))
