"""Options of URL filtering: zones whose instances are inspected, endpoints, and whom profiles and endpoints belong to."""

import re
from ipaddress import ip_network
from itertools import combinations
from typing import Annotated, ClassVar, Self, get_args

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from hostgate.catalog.model import Family
from hostgate.gcp.firewall_policy_options import FirewallPolicyOptions, is_placeholder
from hostgate.gcp.labels import Labels
from hostgate.gcp.links import check_project
from hostgate.gcp.resources_url_filter import JUMBO_MTU, PLAIN_MTU, ZONE_PATTERN
from hostgate.planning.options import Deny
from hostgate.planning.targets import COMPUTED

DECLARED = "declared"
"""In the place of an endpoint: one is there, associated with the networks by somebody else."""

_ENDPOINT = re.compile(
    r"(?://networksecurity\.googleapis\.com/)?((?:projects|organizations)/[^/\s]+/locations/[^/\s]+/firewallEndpoints/[^/\s]+)"
)
_GROUP = re.compile(
    r"(?://networksecurity\.googleapis\.com/)?((?:projects|organizations)/[^/\s]+/locations/global/securityProfileGroups/[^/\s]+)"
)


def _refusal(kind: str, message: str) -> PydanticCustomError:
    return PydanticCustomError(kind, "{message}", {"message": message})


def _zone(text: str) -> str:
    if not re.fullmatch(ZONE_PATTERN, text):
        raise _refusal("zone", f"Found {text!a}. Allowed: a zone, such as europe-west1-b; a region has several.")
    return text


def _endpoint(text: str) -> str:
    found = _ENDPOINT.fullmatch(text)
    if found is None and text != DECLARED and not is_placeholder(text):
        raise _refusal(
            "endpoint",
            f"Found {text!a}. Allowed: projects/PROJECT/locations/ZONE/firewallEndpoints/NAME or one of organizations/NUMBER; "
            f"{DECLARED}, where endpoint and association are there and nothing is made.",
        )
    return found[1] if found else text


def _group(text: str) -> str:
    found = _GROUP.fullmatch(text)
    if found is None:
        raise _refusal(
            "group", f"Found {text!a}. Allowed: projects/PROJECT/locations/global/securityProfileGroups/NAME or one of "
            "organizations/NUMBER.",
        )  # fmt: skip
    return found[1]


def _port(text: str) -> str:
    if not re.fullmatch("[1-9][0-9]{0,4}", text) or int(text) > 65_535:
        raise _refusal("port", f"Found {text!a}. Allowed: a port as text, such as '443'.")
    return text


def _mtu(number: int) -> int:
    if not 1_300 <= number <= JUMBO_MTU:
        raise _refusal(
            "mtu",
            f"Found {number}. Allowed: 1300 to {JUMBO_MTU}. An endpoint inspects no larger packets, and of a network with a "
            "larger MTU nothing is surely inspected: lower that of the VPC network (Cloud NGFW, firewall endpoints).",
        )
    return number


Zone = Annotated[str, AfterValidator(_zone)]


class UrlFilterOptions(FirewallPolicyOptions):
    """Beside those of a firewall policy: where traffic is inspected, by which endpoints, and in which scope."""

    sees_names: ClassVar[bool] = True
    associates_beside_attach: ClassVar[bool] = True
    audit_opens: ClassVar[frozenset[Deny]] = frozenset(get_args(Deny))
    """The rules that inspect, whose filters allow every name then, come before any deny of others."""

    tags: Labels = {}
    zones: list[Zone] = []
    """Every zone in which clients run. Each has a firewall endpoint: a rule that inspects lets everything pass in a zone
    without one (Cloud NGFW, about URL filtering)."""
    open_zones: list[Zone] = []
    """Zones in which clients run and that knowingly have no endpoint: on the ports of the hosts they reach everything."""
    endpoints: dict[Zone, Annotated[str, AfterValidator(_endpoint)]] = {}
    """Firewall endpoints that are there already, by zone: their ids, which are associated with the networks; or
    `declared`, where the association is there too. Every other zone gets one."""
    groups: dict[Annotated[str, AfterValidator(_port)], Annotated[str, AfterValidator(_group)]] = {}
    """Security profile groups of others that the rules apply, by port; each has to hold the profile of the port."""
    mtu: Annotated[int, AfterValidator(_mtu)] = PLAIN_MTU
    """Of the VPC networks: above 1460 the endpoints are made for jumbo frames, which cannot be changed later."""
    organization: Annotated[str, Field(pattern=r"^[0-9]{1,20}$")] | None = None
    """The number of the organization that profiles, groups and endpoints are made in; left out: the project."""
    billing_project: Annotated[str, AfterValidator(check_project)] | None = None
    """The project that pays for endpoints of an organization."""

    @model_validator(mode="after")
    def _covered(self) -> Self:
        found = []
        if twice := sorted(
            {each for each in self.zones if self.zones.count(each) > 1} | {*self.zones} & {*self.open_zones}
        ):
            found.append(
                f"found {', '.join(twice)} twice in `zones` and `openZones`. Allowed: each once, in one of them."
            )
        if strange := sorted({*self.endpoints} - {*self.zones}):
            found.append(f"found an endpoint for {', '.join(strange)}, not under `zones`. Name the zone there too.")
        for zone, endpoint in self.endpoints.items():
            if "/locations/" in endpoint and f"/locations/{zone}/" not in endpoint:
                found.append(f"found {endpoint} for the zone {zone}. Allowed: an endpoint of the zone.")
        if self.scope == "region":
            found.append(
                f"found the regional policy of {self.in_region}. Rules that inspect stand in global policies (compute v1, "
                "FirewallPolicyRule.action)."
            )
        if self.scope == "hierarchical":
            found.append(
                "found a hierarchical policy. Allowed here: a global one; endpoints are associated by project."
            )
        if self.attach is not None and self.deny == "none":
            found.append(
                "found deny 'none' with `attach`: filters have to allow every name then, before any deny of the attached "
                "policy. Allowed: declared, where that policy denies; internet, all."
            )
        if "ipv4" not in self.families:
            found.append("found `families` without ipv4. URL filtering is documented for IPv4; use another mechanism.")
        if "ipv4" not in self.source_families:
            found.append(
                "found `from` with IPv6 ranges alone. Rules that inspect are about IPv4, and would inspect everybody's. Allowed: "
                "IPv4 ranges among them."
            )
        if (self.organization is None) != (self.billing_project is None):
            found.append("found one of `organization` and `billingProject`. Allowed: both, or neither.")
        if self.grants and self.groups:
            found.append(
                "found `groups` with several grants, each of which has a profile of its own. Leave `groups` out."
            )
        for one, other in combinations(self.shares, 2):
            if not _apart(one, other):
                found.append(
                    f"found the grants {one.grant} and {other.grant}, which may have a client in common: a rule that inspects "
                    "for one denies it the hosts of the other. Allowed here: service accounts, each in one grant, or ranges "
                    "apart; give clients of both a grant of their own."
                )
        if found:
            raise ValueError(" ".join(found))
        return self

    @property
    def lacking(self) -> str | None:
        found = []
        if not self.zones:
            found.append(
                "`zones` is missing: the zones in which clients run. In a zone without a firewall endpoint a rule that inspects "
                "lets everything pass."
            )
        if self.in_project is None and self.project is None and not any(map(is_placeholder, self.networks)):
            found.append(
                "`project` is missing: profiles, groups and endpoints are made in it. Or name a network by its path."
            )
        if self.attach is not None and not self.networks and any(self.endpoints.get(z) != DECLARED for z in self.zones):
            found.append(
                "`networks` is missing: the networks of the attached policy, which the endpoints are associated with."
            )
        return " ".join(found) or None

    @property
    def served(self) -> tuple[str, ...]:
        """Without IPv6 ranges: rules that inspect are about IPv4."""
        if self.grants:
            return tuple(sorted({each for share in self.shares for each in share.served}))
        return self._clients_within([each for each in self._of_kind("range") if ":" not in each])

    @property
    def barred(self) -> tuple[str, ...]:
        """Clients of IPv6 ranges: the deny is about them, and no rule for hosts."""
        if self.grants:
            return tuple(sorted({each for share in self.shares for each in share.barred}))
        ranges = [each for each in self._of_kind("range") if ":" in each]
        return self._clients_within(ranges) if ranges else ()

    @property
    def made_in(self) -> str:
        """What profiles, groups and endpoints are made in."""
        return f"organizations/{self.organization}" if self.organization else f"projects/{self.in_project or COMPUTED}"


def _apart(one: UrlFilterOptions, other: UrlFilterOptions) -> bool:
    """Whether no instance is a client of both: an instance has one service account (Compute Engine, service accounts; read
    2026-11-28) and may have several tags."""
    if one.service_accounts and other.service_accounts:
        named = {*one.service_accounts} | {*other.service_accounts}
        if not any(map(is_placeholder, named)) and not {*one.service_accounts} & {*other.service_accounts}:
            return True
    families: tuple[Family, ...] = ("ipv4", "ipv6")
    ranges = [
        [ip_network(each) for family in families for each in share.source_ranges(family)] for share in (one, other)
    ]
    return all(ranges) and not any(a.version == b.version and a.overlaps(b) for a in ranges[0] for b in ranges[1])
