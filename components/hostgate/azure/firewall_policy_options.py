"""Options of the Azure Firewall mechanisms."""

import re
from collections import Counter
from ipaddress import IPv4Address
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from hostgate.catalog.hosts import check_host
from hostgate.planning.breadth import too_broad
from hostgate.planning.options import Cidr, Options, RenamedOptions, cidr
from hostgate.planning.targets import COMPUTED, is_computed

IP_GROUP = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Network/ipGroups/[^/]+\Z", re.IGNORECASE
)
_POLICY_ID = re.compile(
    r"/subscriptions/(?P<subscription>[^/\s]+)/resourceGroups/(?P<group>[^/]+)"
    r"/providers/Microsoft\.Network/firewallPolicies/(?P<name>[^/]+)\Z",
    re.IGNORECASE,
)
_GROUP = re.compile(r"[\w().-]{0,89}[\w()-]\Z")
"""Resource group names: 1 to 90 characters, no period at the end (Azure, naming rules of Microsoft.Resources; read
2026-11-28)."""
_OF_THE_POLICY = ("threat_intel_mode", "threat_intel_allowlist", "intrusion_detection", "dns_servers", "dns_proxy")
"""Options of a policy, which are its owner's to set where it is attached to."""

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,78}[A-Za-z0-9_])?\Z")
"""Firewall policy and group names (2024-05-01 API text). The provider's own check of it does not run."""


def is_group(client: str) -> bool:
    """Whether a client is an IP group, by its id or as an Output that is to name one."""
    return bool(IP_GROUP.match(client)) or is_computed(client)


def group_objection(text: str) -> str | None:
    """Why a client that was an Output is no reference to others; None if it is one."""
    return None if IP_GROUP.match(text) else "Allowed: the id of an IP group; ranges are plain values."


def _spelled(policy: tuple[str, str]) -> tuple[str, str]:
    """As it is compared: names are of either case."""
    return policy[0].lower(), policy[1].lower()


def _client(text: str) -> str:
    if is_group(text):
        return text
    network = cidr(text)
    if ":" in network:
        raise PydanticCustomError(
            "client", "{message}",
            {"message": f"Found {text}. Allowed: IPv4 ranges; IPv6 in a rule breaks the firewall (known issues, 2025-09)."},
        )  # fmt: skip
    return network


def _server(text: str) -> str:
    try:
        return str(IPv4Address(text))
    except ValueError:
        message = f"Found {text!a}. Allowed: the IPv4 address of a DNS server."
        raise PydanticCustomError("server", "{message}", {"message": message}) from None


def _listed(text: str) -> str:
    """A name of the allowlist of threat intelligence; `*.x` for what is below x."""
    host = check_host(text.removeprefix("*."))
    if host.rule is not None:
        raise PydanticCustomError("host", "{message}", {"message": host.message})
    return f"{'*.' if text.startswith('*.') else ''}{host.name}"


_NOT_IN_TAGS = frozenset("<>%&\\?/")


def _tags(tags: dict[str, str]) -> dict[str, str]:
    """As Azure Resource Manager takes them (Use tags to organize resources, limitations, read 2026-11-28). A value may be an
    Output."""
    found = None
    names = Counter(name.lower() for name in tags)
    for name, text in tags.items():
        if wrong := "".join(sorted(_NOT_IN_TAGS & set(name))):
            found = f"Found {name!a} with {wrong}. Allowed: a name without any of {' '.join(sorted(_NOT_IN_TAGS))}."
        elif not 1 <= len(name) <= 512 or (len(text) > 256 and not is_computed(text)):
            found = f"Found {name!a}: {text!a}. Allowed: a name of up to 512 characters, a value of up to 256."
        elif names[name.lower()] > 1:
            found = f"Found {name!a} twice. Allowed: each name once, whatever its case."
    if len(tags) > 50:
        found = f"Found {len(tags)}. Allowed: 50 tags."
    if found is not None:
        raise PydanticCustomError("tag", "{message}", {"message": found})
    return tags


class ThreatIntelAllowlist(BaseModel):
    """What threat intelligence lets through to the rules (2024-05-01 API, FirewallPolicyThreatIntelWhitelist)."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, alias_generator=to_camel, validate_by_name=True)

    fqdns: list[Annotated[str, AfterValidator(_listed)]] = []
    ip_addresses: list[Cidr] = []


class FirewallPolicyOptions(RenamedOptions):
    """Where the rule collection group goes and whose traffic it judges. Without `attach`, a policy is made."""

    between_components: ClassVar[int] = 100

    tags: Annotated[dict[str, str], AfterValidator(_tags)] = {}
    attach: str | None = None
    """An existing policy: RESOURCE_GROUP/POLICY, or its ARM id."""
    resource_group: str | None = None
    """Of a new policy."""
    location: str | None = None
    """Of a new policy; absent: the provider's."""
    tier: Literal["Basic", "Standard", "Premium"] = "Standard"
    """Of the policy, new or attached. FQDNs in network rules need Standard or Premium."""
    threat_intel_mode: Literal["Alert", "Deny", "Off"] = "Alert"
    """What a new policy does with what Microsoft lists as malicious, before any rule (2024-05-01 firewallPolicy API)."""
    threat_intel_allowlist: ThreatIntelAllowlist | None = None
    """What that is not about; it opens nothing that no rule allows."""
    intrusion_detection: Literal["Off", "Alert", "Deny"] | None = None
    """What a new policy of tier Premium does with what its signatures match (2024-05-01 firewallPolicy API)."""
    dns_servers: Annotated[list[Annotated[str, AfterValidator(_server)]], Field(max_length=15)] = []
    """Resolvers of a new policy; Azure's own unless given. 15 at most (Azure Firewall, DNS settings, 2022-10)."""
    dns_proxy: bool | None = None
    """Whether a new policy answers the clients' DNS. Left out: where names in network rules need it."""
    from_: Annotated[list[Annotated[str, AfterValidator(_client)]], Field(alias="from", min_length=1)] = []
    """Clients: IPv4 ranges and IP group ids. Left out: any (the service needs a source, so it is spelled `*`)."""
    base: Annotated[int, Field(ge=100, le=60_000)] = 2000
    """Priority of the rule collection group; shards follow. 100 to 65000, lower first (2024-05-01 firewallPolicy API)."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if broad := too_broad(client for client in self.clients if not is_group(client)):
            raise ValueError(f"from: {broad} If everybody is meant, leave `from` out: a finding says so then.")
        if self.deny == "none":
            raise ValueError(
                "found deny 'none'. Azure Firewall denies what no rule allows and cannot be told otherwise. "
                "Allowed: internet, declared, all. With mode audit, leave `deny` out."
            )
        if self.intrusion_detection is not None and self.tier != "Premium":
            raise ValueError(f"found intrusionDetection with tier {self.tier}. Allowed with tier Premium.")
        if self.threat_intel_mode == "Deny" and self.tier == "Basic":
            raise ValueError(
                "found threatIntelMode Deny with tier Basic, which has Alert alone. Allowed: Standard or Premium."
            )
        if self.tier == "Basic" and (self.dns_proxy or self.dns_servers):
            raise ValueError(
                "found dnsProxy or dnsServers with tier Basic, which has neither. Allowed: Standard or Premium."
            )
        if self.attach is not None:
            unset = type(self).model_fields
            if given := [key for key in _OF_THE_POLICY if getattr(self, key) != unset[key].get_default()]:
                named = ", ".join(map(to_camel, given))
                raise ValueError(f"found {named} with `attach`. They are of the policy, and its owner's to set.")
            if self.resource_group is not None:
                raise ValueError("found `resourceGroup` with `attach`, which names it already. Leave one out.")
            if self.deny == "all":
                raise ValueError(
                    "found deny 'all' with `attach`: a deny in the middle of somebody else's policy cuts the groups after "
                    "it. Allowed: internet, declared."
                )
            if self.mode == "audit" and not (self.from_ or self.grants):
                raise ValueError(
                    "found mode 'audit' with `attach` and no `from`: the audit rules would open somebody else's firewall to "
                    "everybody. Name the clients to audit under `from`."
                )
            group, policy = self.policy
            if self.attach != f"{COMPUTED}/{COMPUTED}" and not (_NAME.match(policy) and _GROUP.match(group)):
                raise ValueError(
                    f"found attach {self.attach!r}. Allowed: RESOURCE_GROUP/POLICY, or the ARM id of a firewall policy, "
                    "/subscriptions/ID/resourceGroups/GROUP/providers/Microsoft.Network/firewallPolicies/NAME."
                )
        return self

    @property
    def lacking(self) -> str | None:
        if self.attach is None and self.resource_group is None:
            return "`resourceGroup` is missing: a new policy needs one. Or name a policy under `attach`."
        return None

    @property
    def policy(self) -> tuple[str, str]:
        """Resource group and name of the policy."""
        if self.attach is None:
            return self.resource_group or "", self.stem
        matched = _POLICY_ID.match(self.attach)
        if matched:
            return matched["group"], matched["name"]
        group, _, name = self.attach.partition("/")
        return group, name

    @property
    def shared_policy(self) -> str | None:
        return None if self.attach is None else "/".join(self.policy)

    def one_list(self, other: Options) -> str | None:
        """Rule collection groups of one policy: network rules of all of them, then application rules (rule processing logic,
        read 2026-03-28)."""
        same = isinstance(other, FirewallPolicyOptions) and _spelled(self.policy) == _spelled(other.policy)
        return f"the policy {'/'.join(filter(None, self.policy))}" if same else None

    def apart(self, other: Options) -> bool:
        """A firewall has one policy, and clients are routed to one firewall."""
        return isinstance(other, FirewallPolicyOptions) and _spelled(self.policy) != _spelled(other.policy)

    @property
    def subscription(self) -> str | None:
        """That of `attach`, where it says one. Objects are made in the provider's, whatever `attach` says."""
        matched = None if self.attach is None else _POLICY_ID.match(self.attach)
        return matched and matched["subscription"]

    @property
    def sources(self) -> dict[str, list[str]]:
        """The clients, of all grants, as a rule spells them; `*` if nobody is named."""
        ranges = sorted(client for client in self.clients if not is_group(client))
        groups = sorted(client for client in self.clients if is_group(client))
        if not ranges and not groups:
            return {"sourceAddresses": ["*"]}
        return {key: value for key, value in (("sourceAddresses", ranges), ("sourceIpGroups", groups)) if value}
