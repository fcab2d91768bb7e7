"""hostgate.gcp.UrlFilterAllowlist: the plan of gcp:url-filter as Pulumi resources."""

from collections.abc import Sequence
from typing import Any, Unpack

import pulumi
from pulumi_gcp import networksecurity

from hostgate.allowlist import AllowlistComponent, Registration, SelectionArgs, prepare, report
from hostgate.catalog.selection import Selection
from hostgate.gcp.policy_components import PolicyPlace, make_policy
from hostgate.gcp.spelling import SERVICE
from hostgate.gcp.url_filter import ENDPOINT, ENDPOINT_ASSOCIATION, PROFILE, PROFILE_GROUP
from hostgate.gcp.url_filter_options import UrlFilterOptions
from hostgate.planning.grants import Grant
from hostgate.planning.mechanism import CloudObject
from hostgate.planning.plan import Plan
from hostgate.planning.targets import COMPUTED


class UrlFilterAllowlistArgs(SelectionArgs, total=False):
    """Inputs from any language. Numbers are floats, lists of hosts are plain: reviewers and policies must see them."""

    zones: list[str]
    """Every zone in which clients run; each has a firewall endpoint."""
    open_zones: list[str]
    """Zones with clients and without an endpoint, where everything passes on the ports of the hosts."""
    endpoints: dict[str, pulumi.Input[str]]
    """Ids of existing firewall endpoints by zone, or declared where the association is there too."""
    groups: dict[str, str]
    """Ids of security profile groups of others by port, each of which holds the profile of the port."""
    mtu: float
    """MTU of the VPC networks, 1300 to 8500; 1460 unless given."""
    organization: str
    """Number of the organization for profiles, groups and endpoints; the project unless given."""
    billing_project: str
    """The project that pays for endpoints of an organization."""
    attach: pulumi.Input[str]
    """An existing global network firewall policy, by id or name; a new one is made unless given."""
    project: pulumi.Input[str]
    """The project of everything that is made; that of attach or networks unless given."""
    networks: list[pulumi.Input[str]]
    """VPC networks of the endpoints, and of a new policy."""
    from_: list[str]
    """Target service accounts, or secure tags; every instance unless given."""
    families: list[str]
    """Address families to deny; ipv4 and ipv6 unless given."""
    base: float
    """Priority of the first rule; 2000 unless given."""
    import_: dict[str, str]
    """Ids of existing objects to adopt, by child name."""


class UrlFilterAllowlist(AllowlistComponent):
    """Security profiles with URL filters, firewall endpoints, and the rules of a firewall policy that apply them."""

    policy: pulumi.Output[str]
    """The policy that holds the rules."""
    group_ids: pulumi.Output[list[str]]
    """Ids of the security profile groups, one for each port and those of others among them."""
    digest: pulumi.Output[str]
    """Of the plan: equal digests mean equal objects."""

    def __init__(
        self,
        name: str,
        args: UrlFilterAllowlistArgs = None,  # type: ignore[assignment]  # the analyzer refuses Optional here
        opts: pulumi.ResourceOptions = None,  # type: ignore[assignment]
        *,
        hosts: Selection | Sequence[Grant] = None,  # type: ignore[assignment]
        plan: Plan = None,  # type: ignore[assignment]
        **options: Unpack[UrlFilterAllowlistArgs],
    ) -> None:
        """`hosts` are a Selection or Grants, other keywords as in the args; or `plan` alone. Raises AllowlistError."""
        prepared = prepare(name, args, hosts, {**options, "plan": plan}, opts, ("gcp:url-filter",))
        super().__init__("hostgate-gcp:index:UrlFilterAllowlist", name, prepared.inputs, opts)
        self.plan = plan = prepared.plan
        assert isinstance(plan.options, UrlFilterOptions)
        where = PolicyPlace(name, plan.options, prepared.outputs)
        project, networks = where.project, where.networks
        made = _Making(self, prepared, plan.options, pulumi.Output.concat("projects/", project))
        groups = made.groups()
        # Before a rule inspects, every zone has its endpoint: in one without, the rule would let everything pass.
        inspected = [*made.group_resources, *made.associations(networks)]
        references = {f"{SERVICE}{body}": _service(id_) for body, id_ in groups.items()}
        self.policy = make_policy(self, name, prepared, plan.options, references, inspected)
        self.group_ids = pulumi.Output.all(*groups.values())
        self.digest = pulumi.Output.from_input(plan.digest)
        report(self, plan)
        self.register_outputs({"policy": self.policy, "groupIds": self.group_ids, "digest": self.digest})


class _Making:
    """The objects of a plan that belong to the network security API, as resources."""

    def __init__(
        self,
        component: UrlFilterAllowlist,
        prepared: Registration,
        options: UrlFilterOptions,
        project: "pulumi.Output[str]",
    ) -> None:
        self.component, self.prepared, self.options = component, prepared, options
        self.project: Any = f"projects/{options.in_project}" if options.in_project else project
        self.parent: Any = f"organizations/{options.organization}" if options.organization else self.project
        self.labels = prepared.tags
        self.group_resources: list[pulumi.Resource] = []

    def of(self, kind: str) -> list[tuple[str, CloudObject]]:
        found = [each for each in self.prepared.plan.objects if each.kind == kind]
        return [(self.prepared.child(self.component._name, each), each) for each in found]

    def groups(self) -> dict[str, Any]:
        """Ids of the groups, with their profiles, by the ids that the plan has for them."""
        profiles: dict[str, tuple[networksecurity.SecurityProfile, Any]] = {}
        for child, each in self.of(PROFILE):
            profile = networksecurity.SecurityProfile(
                child,
                # By name, since others refer to it: a change that replaces it changes its place or the name too.
                name=self.prepared.adopted_name(child) or each.name,
                parent=self.parent,
                location="global",
                type=each.body["type"],
                description=each.body["description"],
                labels=self.labels,
                url_filtering_profile=networksecurity.SecurityProfileUrlFilteringProfileArgs(
                    url_filters=[
                        networksecurity.SecurityProfileUrlFilteringProfileUrlFilterArgs(
                            filtering_action=one["filteringAction"], priority=one["priority"], urls=one["urls"]
                        )
                        for one in each.body["urlFilteringProfile"]["urlFilters"]
                    ]
                ),
                opts=self.prepared.options(self.component, child),
            )
            profiles[each.body["name"]] = (profile, self._id(profile, child, each))
            self.group_resources.append(profile)
        groups: dict[str, Any] = {each: each for each in self.options.groups.values()}
        for child, each in self.of(PROFILE_GROUP):
            profile, id_ = profiles[each.body["urlFilteringProfile"]]
            group = networksecurity.SecurityProfileGroup(
                child,
                name=self.prepared.adopted_name(child) or each.name,
                parent=self.parent,
                location="global",
                description=each.body["description"],
                labels=self.labels,
                url_filtering_profile=id_,
                opts=self.prepared.options(self.component, child, depends_on=[profile]),
            )
            self.group_resources.append(group)
            groups[each.body["name"]] = self._id(group, child, each)
        return groups

    def _id(self, made: pulumi.CustomResource, child: str, each: CloudObject) -> Any:
        """The id of what was made: as the plan has it wherever it is known, so that a first preview shows it."""
        known = COMPUTED not in each.body["name"] and self.prepared.adopted_name(child) is None
        return each.body["name"] if known else made.id

    def associations(self, networks: Sequence["pulumi.Output[str] | None"]) -> list[pulumi.Resource]:
        """Associations of the networks with an endpoint in each zone, which is made where there is none."""
        endpoints: dict[str, Any] = {
            zone: self.prepared.real(f"endpoints.{zone}", endpoint) for zone, endpoint in self.options.endpoints.items()
        }
        for child, each in self.of(ENDPOINT):
            zone = _zone(each)
            settings = each.body.get("endpointSettings")
            endpoint = networksecurity.FirewallEndpoint(
                child,
                # No `name`, here and below: the engine's own lets a replacement be made beside the old object.
                name=self.prepared.adopted_name(child),
                parent=self.parent,
                location=zone,
                billing_project_id=each.body.get("billingProjectId"),
                endpoint_settings=settings
                and networksecurity.FirewallEndpointEndpointSettingsArgs(
                    jumbo_frames_enabled=settings["jumboFramesEnabled"]
                ),
                labels=self.labels,
                opts=self.prepared.options(self.component, child),
            )
            endpoints[zone] = endpoint.id
        real = dict(zip(self.options.network_paths, networks, strict=True))
        return [
            networksecurity.FirewallEndpointAssociation(
                child,
                name=self.prepared.adopted_name(child),
                parent=self.project,
                location=_zone(each),
                firewall_endpoint=endpoints[_zone(each)],
                network=each.body["network"] if real[each.body["network"]] is None else real[each.body["network"]],
                labels=self.labels,
                opts=self.prepared.options(self.component, child),
            )
            for child, each in self.of(ENDPOINT_ASSOCIATION)
        ]


def _service(id_: Any) -> Any:
    return f"{SERVICE}{id_}" if isinstance(id_, str) else pulumi.Output.concat(SERVICE, id_)


def _zone(each: CloudObject) -> str:
    return str(each.body["name"].split("/")[3])
