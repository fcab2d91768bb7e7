"""Options of the mechanisms whose rules stand in a firewall policy of Google Cloud."""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from ipaddress import ip_network
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from hostgate.catalog.model import Family
from hostgate.gcp.clients import ClientKind, client_kind, of_kind
from hostgate.gcp.links import Collection, Link, check_node, check_project, check_region, read_link
from hostgate.gcp.resources import Scope
from hostgate.planning.breadth import too_broad
from hostgate.planning.enforcement import WITHIN
from hostgate.planning.options import MOST_BETWEEN, Deny, Name, Options, merged
from hostgate.planning.targets import COMPUTED

USER_PRIORITY_MAX = 2_147_483_547
"""2147483548 and above are reserved for predefined rules (compute, firewall policy rules; read 2026-11-23)."""

ONE_PROJECT = (
    "A policy, its rules and the networks that it is associated with are of one project. Allowed: one; a Shared VPC is judged "
    "in its host project, and networks of another project need an allowlist of their own."
)
"""Cloud NGFW documentation, global network firewall policies: a policy and the associated networks belong to the same
project (read 2026-11-28)."""

_FAMILIES: tuple[Family, ...] = ("ipv4", "ipv6")


LINK = "https://www.googleapis.com/compute/v1/"

MOST_RANGES = 5_000
"""Source ranges of a rule (Compute Engine API v1, FirewallPolicyRuleMatcher.srcIpRanges, revision 20261106)."""


def _client(text: str) -> str:
    kind = client_kind(text)
    if kind is None and not is_placeholder(text):
        raise PydanticCustomError(
            "client", "{message}",
            {"message": f"Found {text!a}. Allowed: a service account's email (at gserviceaccount.com), a secure tag as "
                        "tagValues/123, or an address range as CIDR, without host bits. Network tags do not work in firewall "
                        "policies."},
        )  # fmt: skip
    return str(ip_network(text)) if kind == "range" else text


def _checked(check: Callable[[str], str]) -> AfterValidator:
    def checked(text: str) -> str:
        try:
            return text if is_placeholder(text) or text == COMPUTED else check(text)
        except ValueError as error:
            raise PydanticCustomError("place", "{message}", {"message": str(error)}) from None

    return AfterValidator(checked)


def _link(collection: Collection) -> AfterValidator:
    def check(text: str) -> str:
        try:
            return text if is_placeholder(text) else _stated(read_link(text, collection), text)
        except ValueError as error:
            raise PydanticCustomError("link", "{message}", {"message": str(error)}) from None

    return AfterValidator(check)


def _stated(link: Link, text: str) -> str:
    """A self-link as it was given, since the API takes it; every other spelling as the path from `projects/` on."""
    return text if text.startswith("https://") else link.path() or link.name


def is_placeholder(text: str) -> bool:
    """Whether `text` stands for an Output, whose value a plan does not know."""
    return text.startswith(f"{COMPUTED}/")


class FirewallPolicyOptions(Options):
    """Where the rules go and whose traffic they judge. Without `attach`, a policy is made: a global one, or with `region`
    or `parent` one of that region or a hierarchical one."""

    between_grants: ClassVar[int] = 8
    between_components: ClassVar[int] = 8
    sees_names: ClassVar[bool] = False
    """Whether the rules decide by the name in the packets, finally."""
    associates_beside_attach: ClassVar[bool] = False
    """Whether something else than the policy is associated with `networks`, so that they may stand beside `attach`."""

    audit_opens: ClassVar[frozenset[Deny]] = frozenset({"internet", "all"})
    """With which of `deny` there are rules in audit mode that let everything pass."""

    attach: Annotated[str, _link("firewallPolicies")] | None = None
    """An existing policy: projects/PROJECT/global/firewallPolicies/NAME or projects/PROJECT/regions/REGION/..., its full
    link or its name; a hierarchical one as locations/global/firewallPolicies/NUMBER."""
    project: Annotated[str, _checked(check_project)] | None = None
    """The project of everything that is made. Left out: that of `attach` or of `networks`, else the provider's."""
    region: Annotated[str, _checked(check_region)] | None = None
    """The region of a regional policy, which is made or which `attach` names."""
    parent: Annotated[str, _checked(check_node)] | None = None
    """organizations/NUMBER or folders/NUMBER: where a hierarchical policy is made. Beside `attach` it says that the policy
    is hierarchical where that is an Output."""
    nodes: list[Annotated[str, _checked(check_node)]] = []
    """Organizations and folders that a new hierarchical policy is associated with; each has one policy."""
    networks: list[Annotated[str, _link("networks")]] = []
    """VPC networks that a new policy is associated with: projects/PROJECT/global/networks/NAME, a full link, or beside
    `project` a name. One global policy fits a network, and both are of one project. Of a hierarchical policy the networks
    that its rules are about, of any project; left out: all below its nodes."""
    from_: Annotated[list[Annotated[str, AfterValidator(_client)]], Field(alias="from", min_length=1)] = []
    """Target service accounts, or target secure tags, not both; and source ranges. With ranges beside targets, clients are
    the targets within the ranges. Left out: every instance of the network."""
    base: Annotated[int, Field(ge=0, le=USER_PRIORITY_MAX - 20_000_000)] = 2000
    """Priority of the first allow rule; the fixed slots after it are in `hostgate.gcp.firewall_policy`."""
    families: Annotated[list[Family], Field(min_length=1)] = ["ipv4", "ipv6"]
    """Address families of the network: each gets its own deny."""
    formerly: Name | None = None
    """The `name` before it was changed: what was made under it stays, the policy of a network above all."""
    log_allowed: bool = False
    """Whether the rules that allow the hosts log what they let through."""
    log_denied: bool = True
    """Whether the deny logs, or in audit mode what stands in its place."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.secure_tags and self.service_accounts:
            raise ValueError(
                "found service accounts and secure tags under `from`. Allowed in one rule: one of the two kinds."
            )
        beside = self.scope == "hierarchical" or self.associates_beside_attach
        if self.attach is not None and (self.nodes or (self.networks and not beside)):
            key = "nodes" if self.nodes else "networks"
            raise ValueError(
                f"found `{key}` with `attach`. An existing policy is associated by its owner; leave one out."
            )
        shared = "somebody else's policy" if self.attach is not None else "the policies of every project below"
        if (
            self.mode == "audit"
            and (self.attach is not None or self.scope == "hierarchical")
            and not self.grants
            and not self.names_clients
            and self.deny in self.audit_opens
        ):
            whose = "its own deny" if self.attach is not None else "their own denies"
            otherwise = "" if "declared" in self.audit_opens else ", or set deny 'declared'"
            broad = self.broad_sources
            whom = "no `from`" if broad is None else f"a `from` that is most of the internet ({broad.rstrip('.')})"
            raise ValueError(
                f"found mode 'audit' with `{'attach' if self.attach is not None else 'parent'}` and {whom}: the audit rules "
                f"would open {shared} to everybody, before {whose}. Name the clients to audit under `from`{otherwise}."
            )
        if self.mode == "audit" and not self.log_denied:
            raise ValueError(
                "found mode 'audit' without `logDenied`. Audit mode is there to log what enforce would block."
            )
        for family in _FAMILIES:
            if len(found := self.source_ranges(family)) > MOST_RANGES:
                raise ValueError(
                    f"found {len(found):,} ranges of {family} under `from`. Allowed: {MOST_RANGES:,} in a rule."
                )
        for family in _FAMILIES:
            if self.denies and family not in self.families and (found := self.source_ranges(family)):
                raise ValueError(
                    f"found {found[0]} under `from` and `families` without {family}. No deny would be about clients of that "
                    f"range. Add {family} to `families`, or take its ranges out of `from`."
                )
        if said := [*self._scope_objections(), *self._place_objections()]:
            raise ValueError(" ".join(said))
        return self

    def _scope_objections(self) -> Iterator[str]:
        """What does not hold of the options that say of which scope the policy is."""
        link = self.policy_link
        if self.parent is not None and self.region is not None:
            yield "found `parent` and `region`. A hierarchical policy has no region; leave one out."
        if self.scope == "hierarchical":
            if self.project is not None:
                yield "found `project` with a hierarchical policy, which is in no project; leave it out."
            if link is not None and not link.hierarchical:
                yield f"found `parent` with {self.attach}, which is no hierarchical policy; leave one out."
            if link is not None and self.region is not None:
                yield f"found the region {self.region} with {self.attach}, which is hierarchical and has none."
            return
        if self.nodes:
            yield "found `nodes` without `parent`. Organizations and folders are associated with hierarchical policies."
        if link is not None and self.region is not None and link.region != self.region and link.project is not None:
            where = link.region or "global"
            yield f"found the region {self.region} with {self.attach}, which is {where}. Allowed: one region."

    def _place_objections(self) -> Iterator[str]:
        """What does not hold of policy, networks and project together."""
        stated = [
            ("`project`", None if self.project == COMPUTED else self.project),
            ("`attach`", self.policy_link and self.policy_link.project),
            *((f"network {link.name}", link.project) for link in self.network_links if link),
        ]
        projects = [(what, project) for what, project in stated if project is not None]
        if len({project for _, project in projects}) > 1 and self.scope != "hierarchical":
            said = ", ".join(f"{project} ({what})" for what, project in projects)
            yield (f"found several projects: {said}. {ONE_PROJECT}")
        elif self.scope == "hierarchical" or (self.project is None and not projects):
            for link in self.network_links:
                if link is not None and link.project is None:
                    beside = "" if self.scope == "hierarchical" else ", or the name beside `project`"
                    yield (
                        f"found the network {link.name!r} by name, and nothing that says its project. Allowed: "
                        f"projects/PROJECT/global/networks/{link.name}{beside}."
                    )
        paths = [link.path(self.in_project) for link in self.network_links if link]
        if twice := sorted({path for path in paths if path and paths.count(path) > 1}):
            yield f"found {', '.join(twice)} twice in `networks`. Allowed: each once."
        if twice := sorted({node for node in self.nodes if self.nodes.count(node) > 1}):
            yield f"found {', '.join(twice)} twice in `nodes`. Allowed: each once."

    @property
    def scope(self) -> Scope:
        """Of the policy that is made or attached to."""
        link = self.policy_link
        if self.parent is not None or (link is not None and link.hierarchical):
            return "hierarchical"
        return "region" if self.in_region is not None else "global"

    @property
    def in_region(self) -> str | None:
        """The region of the policy, None for one of another scope."""
        link = self.policy_link
        return self.region or (None if link is None else link.region)

    @cached_property
    def policy_link(self) -> Link | None:
        """What `attach` names; None where nothing is attached, or to an Output."""
        return (
            None if self.attach is None or is_placeholder(self.attach) else read_link(self.attach, "firewallPolicies")
        )

    @cached_property
    def network_links(self) -> tuple[Link | None, ...]:
        """What each of `networks` names; None for an Output."""
        return tuple(None if is_placeholder(each) else read_link(each, "networks") for each in self.networks)

    @property
    def in_project(self) -> str | None:
        """The project of everything that is made, as far as the options tell; None: the provider's, an Output, or that of
        no hierarchical policy."""
        if self.scope == "hierarchical":
            return None
        if self.project is not None and self.project != COMPUTED:
            return self.project
        links = (self.policy_link, *self.network_links)
        return next((link.project for link in links if link is not None and link.project is not None), None)

    @property
    def policy_path(self) -> str | None:
        """What `attach` names, with its project as far as that is known."""
        link = self.policy_link
        if link is None or link.project is not None:
            return self.attach
        return link.path(self.in_project, self.region) or self.attach

    @property
    def shared_policy(self) -> str | None:
        link = self.policy_link
        return self.attach if link is None else link.path(self.in_project, self.region) or self.attach

    @property
    def network_paths(self) -> tuple[str, ...]:
        """What `networks` name, with their project as far as that is known."""
        pairs = zip(self.networks, self.network_links, strict=True)
        return tuple((link and link.path(self.in_project)) or network for network, link in pairs)

    @property
    def target_resources(self) -> list[str]:
        """The networks that the rules of a hierarchical policy are about, as full links; empty: all below its nodes."""
        if self.scope != "hierarchical":
            return []
        pairs = zip(self.networks, self.network_links, strict=True)
        return sorted(
            each.rpartition("/")[2] if link is None else each if each.startswith("https://") else f"{LINK}{link.path()}"
            for each, link in pairs
        )

    @property
    def names_clients(self) -> bool:
        """Whether `from` leaves anybody out, however its ranges are cut."""
        return bool(self.service_accounts or self.secure_tags or (self.from_ and self.broad_sources is None))

    @property
    def broad_sources(self) -> str | None:
        """What is too much of the internet among the source ranges; None if nothing is."""
        return too_broad(self._of_kind("range"))

    @property
    def own_clients(self) -> tuple[str, ...]:
        return self._clients_within(self._of_kind("range"))

    def _clients_within(self, ranges: list[str]) -> tuple[str, ...]:
        targets = sorted(set(self.from_) - set(self._of_kind("range")))
        if not ranges or not targets:
            return tuple(targets or sorted(ranges))
        return tuple(f"{target}{WITHIN}{', '.join(sorted(ranges))}" for target in targets)

    def one_list(self, other: Options) -> str | None:
        """Firewall policies of one network are asked one after the other, by priority within each, and an allow ends that as
        a deny does (Cloud NGFW, firewall policy rule evaluation order, read 2026-11-23)."""
        if not isinstance(other, FirewallPolicyOptions) or self.apart(other):
            return None
        if self.attach is not None and self.policy_path == other.policy_path:
            return f"{self.policy_path}, from base {self.base} and from base {other.base}"
        both = [each for each in self.network_paths if each in other.network_paths]
        return f"the firewall policies of {', '.join(both) or 'one network'}"

    def decides_for(self, other: Options) -> bool:
        """What sees names decides about all of them; what lets everything pass for an audit does so for both; and rules too
        far apart stand before or behind all of the other's."""
        if not isinstance(other, FirewallPolicyOptions):
            return False
        audits = any(each.mode == "audit" and each.deny in each.audit_opens for each in (self, other))
        return (
            (self.sees_names and other.sees_names)
            or (audits and self.mode != other.mode)
            or (abs(self.base - other.base) > MOST_BETWEEN and any(each.denies for each in (self, other)))
        )

    def apart(self, other: Options) -> bool:
        return isinstance(other, FirewallPolicyOptions) and (self._clients_apart(other) or self._networks_apart(other))

    def moves_from(self, other: Options) -> bool:
        """Whether rules that see names stand before those of `other` in one policy of somebody else, and neither denies the
        rest itself: on the way from addresses to names both allow the hosts, and the first decide about all others."""
        if not isinstance(other, FirewallPolicyOptions):
            return False
        both = (self, other)
        return (
            self.sees_names
            and not other.sees_names
            and self.attach is not None
            and self.policy_path == other.policy_path
            and self.base < other.base
            and self.clients == other.clients
            and all(each.deny == "declared" and each.mode == "enforce" for each in both)
        )

    def _clients_apart(self, other: "FirewallPolicyOptions") -> bool:
        """Whether no instance is under `from` of both. An instance has one service account and may have any tags."""
        accounts, theirs = set(self.service_accounts), set(other.service_accounts)
        if accounts and theirs and not any(map(is_placeholder, accounts | theirs)) and not accounts & theirs:
            return True
        mine, ranges = self._of_kind("range"), other._of_kind("range")
        return bool(mine and ranges) and not any(
            ip_network(one).version == ip_network(another).version and ip_network(one).overlaps(ip_network(another))
            for one in mine
            for another in ranges
        )

    def _networks_apart(self, other: "FirewallPolicyOptions") -> bool:
        """Whether no network is behind both. A network has one global policy."""
        pair = (self, other)
        if all(each.attach is not None and each.scope == "global" for each in pair):
            links = [each.policy_link and each.policy_link.path(each.in_project) for each in pair]
            if None not in links and links[0] != links[1]:
                return True
        networks = [each.network_paths for each in pair]
        if any(is_placeholder(each) for each in (*networks[0], *networks[1])):
            return False
        return all(networks) and not {*networks[0]} & {*networks[1]}

    @property
    def denies(self) -> bool:
        """Whether the plan has a deny of its own, or in audit mode what stands in its place."""
        return self.deny in ("internet", "all")

    @property
    def google_cut(self) -> str:
        """What the deny cuts of Google's APIs, as a part of a sentence."""
        return "Google APIs by public or private VIP (199.36.153.4/30, 199.36.153.8/30)"

    @property
    def formerly_named(self) -> tuple[str, ...]:
        return () if self.formerly is None else (self.formerly,)

    @property
    def place(self) -> tuple[tuple[str, str], ...]:
        link, attach = self.policy_link, self.policy_path
        found = () if attach is None else (("attach", attach),)
        if self.attach is None and self.parent is not None:
            found = (("parent", self.parent),)
        if self.region is not None and (link is None or link.project is None):
            found = (*found, ("region", self.region))
        told = [each for each in (link, *self.network_links) if each is not None]
        # An explicit project says something new only where no link says it already.
        return (*found, ("project", self.project)) if self.project is not None and not told else found

    @property
    def service_accounts(self) -> list[str]:
        """Target service accounts. An Output that nothing tells to be a tag is taken for one, until it is known."""
        outputs = [] if self._of_kind("tag") else [*filter(is_placeholder, self.from_)]
        return sorted([*self._of_kind("account"), *outputs])

    @property
    def secure_tags(self) -> list[str]:
        """Target secure tags, and Outputs beside them."""
        tags = self._of_kind("tag")
        return sorted([*tags, *(filter(is_placeholder, self.from_) if tags else ())])

    def _of_kind(self, kind: ClientKind) -> list[str]:
        return of_kind(self.from_, kind)

    def source_ranges(self, family: Family) -> list[str]:
        """Source ranges of a family, without overlap; empty: from any address."""
        return [*self._source_ranges[family]]

    @cached_property
    def _source_ranges(self) -> Mapping[Family, tuple[str, ...]]:
        ranges = merged(self._of_kind("range"))  # once: every rule asks for them
        return {
            "ipv4": tuple(str(each) for each in ranges if each.version == 4),
            "ipv6": tuple(str(each) for each in ranges if each.version == 6),
        }

    @property
    def source_families(self) -> list[Family]:
        """Families that clients may send from: those of the source ranges, else both."""
        found: list[Family] = [family for family in _FAMILIES if self.source_ranges(family)]
        return found or list(_FAMILIES)
