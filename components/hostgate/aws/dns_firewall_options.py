"""Options of Route 53 Resolver DNS Firewall."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from hostgate.aws.policy_options import Tags
from hostgate.catalog.hosts import check_host, is_public_suffix
from hostgate.catalog.problems import spelled
from hostgate.catalog.shared_hosting import shared_hosting
from hostgate.planning.options import RenamedOptions

BlockResponse = Literal["NODATA", "NXDOMAIN", "OVERRIDE"]
FailMode = Literal["closed", "open", "unset"]

_VPC = re.compile(r"vpc-[0-9a-f]{1,17}\Z")
_PROFILE = re.compile(r"rp-[0-9a-z]{1,61}\Z")


def _vpc(text: str) -> str:
    if not _VPC.match(text):
        raise PydanticCustomError(
            "vpc", "{message}", {"message": f"found {spelled(text)}. Allowed: the id of a VPC, vpc- and hex digits."}
        )
    return text


def _profile(text: str) -> str:
    if not _PROFILE.match(text):
        message = f"found {spelled(text)}. Allowed: the id of a Route 53 Profile, rp- and digits or letters."
        raise PydanticCustomError("profile", "{message}", {"message": message})
    return text


def _zone(text: str) -> str:
    """A zone of one's own; unlike a host of a catalog it may be a single label, such as `corp`."""
    host = check_host(text)
    if host.rule not in (None, "host-single-label"):
        raise PydanticCustomError("zone", "{message}", {"message": host.message})
    name = host.name.lower()
    why = "anybody can register a name under it" if is_public_suffix(name) and name != "home.arpa" else None
    why = why or shared_hosting("subtree+apex", name)
    if why is not None:
        message = f"Found {host.name}: {why}. Allowed: a zone of your own."
        raise PydanticCustomError("zone", "{message}", {"message": message})
    return name


class DnsFirewallOptions(RenamedOptions):
    """Which VPCs the rule group judges, and what happens to a query that nothing allows."""

    tags: Tags = {}
    vpcs: list[Annotated[str, AfterValidator(_vpc)]] = []
    """VPCs to associate the rule group with. Left out: it judges nobody until somebody associates it."""
    profiles: list[Annotated[str, AfterValidator(_profile)]] = []
    """Route 53 Profiles to associate the rule group with: it judges every VPC that has the Profile, now or later."""
    base: Annotated[int, Field(ge=101, le=9900)] = 9000
    """Priority of the association among the rule groups of a VPC or a Profile, the same in each; lower ones come first,
    so that others may block before this group allows. The model says 100 to 9900 (AWS SDK service model,
    AssociateFirewallRuleGroupRequest.Priority, read 2026-11-23), and the service keeps 100 for itself."""
    inside: list[Annotated[str, AfterValidator(_zone)]] = []
    """Zones of your own whose names, at and below, are answered as before: private hosted zones, forwarded domains."""
    block_response: BlockResponse = "NODATA"
    """What a blocked query is answered with. NXDOMAIN for a name says that nothing is below it either (RFC 8020)."""
    override_domain: str | None = None
    """The CNAME that a blocked query is answered with, for OVERRIDE."""
    override_ttl: Annotated[int, Field(ge=0, le=604_800)] = 0
    """Seconds for which that answer may be cached."""
    fail_mode: FailMode = "closed"
    """What the resolver does while DNS Firewall does not answer: refuse (closed) or resolve (open). A setting of the
    VPC, not of the group; unset leaves it to whoever manages it."""

    mutation_protection: bool = False
    """Whether nobody, this program included, can change or delete the associations until it is turned off again."""

    @property
    def open_names(self) -> tuple[str, ...]:
        return tuple(self.inside)

    @model_validator(mode="before")
    @classmethod
    def _duplicates(cls, values: Any) -> Any:
        for key, what in (("vpcs", "VPC"), ("profiles", "Profile")):
            ids = values.get(key) if isinstance(values, dict) else None
            if isinstance(ids, list) and len(set(map(str, ids))) != len(ids):
                raise ValueError(f"found a {what} twice in `{key}`. Allowed: each once.")
        return values

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.block_response == "OVERRIDE") != (self.override_domain is not None):
            raise ValueError(
                f"found blockResponse {self.block_response} with overrideDomain {spelled(self.override_domain)}. "
                "Allowed: OVERRIDE and a domain together, or neither."
            )
        if self.override_domain is not None:
            host = check_host(self.override_domain)
            if host.rule is not None:
                raise ValueError(f"overrideDomain: {host.message}")
        if self.override_ttl and self.override_domain is None:
            raise ValueError("found overrideTtl without overrideDomain. Leave it out, or name the domain.")
        if self.mutation_protection and self.profiles:
            raise ValueError(
                "found mutationProtection with profiles: the association with a Profile has no such protection. "
                "Allowed: one of them."
            )
        if self.inside and self.deny in ("all", "none"):
            raise ValueError(
                f"found `inside` with deny {self.deny!r}, which "
                f"{'denies' if self.deny == 'all' else 'passes'} everything. Allowed: internet or declared."
            )
        return self
