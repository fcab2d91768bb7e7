"""The objects of a plan for Google Cloud as resources of terraform-provider-google, which Pulumi's provider is made of.

Each input is an argument in snake case; project, region, parent and location come from the names of the objects and the
options, as the components have it. Names stand there as the plan has them, so that a reader sees what is referred to; what
has to be there first is said beside.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from hostgate.export.terraform import (
    Template,
    TerraformResource,
    in_snake_case,
    in_stages,
    refuse_foreign,
    write_terraform,
)
from hostgate.gcp import resources as firewall
from hostgate.gcp import resources_dns as dns
from hostgate.gcp import resources_proxy as proxy
from hostgate.gcp import resources_url_filter as url_filter
from hostgate.gcp.firewall_policy import EDGE_SLOT
from hostgate.gcp.firewall_policy_options import FirewallPolicyOptions
from hostgate.gcp.resources_groups import ADDRESS_GROUP_TYPE
from hostgate.planning.kept_lists import ignored
from hostgate.planning.mechanism import CloudObject
from hostgate.planning.plan import Plan
from hostgate.planning.resource_types import ResourceType
from hostgate.planning.targets import COMPUTED

TYPES: Final[Mapping[str, str]] = {
    firewall.POLICY: "google_compute_network_firewall_policy",
    firewall.RULE: "google_compute_network_firewall_policy_rule",
    firewall.ASSOCIATION: "google_compute_network_firewall_policy_association",
    firewall.REGION_POLICY: "google_compute_region_network_firewall_policy",
    firewall.REGION_RULE: "google_compute_region_network_firewall_policy_rule",
    firewall.REGION_ASSOCIATION: "google_compute_region_network_firewall_policy_association",
    firewall.ORGANISATION_POLICY: "google_compute_firewall_policy",
    firewall.ORGANISATION_RULE: "google_compute_firewall_policy_rule",
    firewall.ORGANISATION_ASSOCIATION: "google_compute_firewall_policy_association",
    firewall.ADDRESS_GROUP: "google_network_security_address_group",
    dns.RESPONSE_POLICY: "google_dns_response_policy",
    dns.RESPONSE_RULE: "google_dns_response_policy_rule",
    url_filter.PROFILE: "google_network_security_security_profile",
    url_filter.PROFILE_GROUP: "google_network_security_security_profile_group",
    url_filter.ENDPOINT: "google_network_security_firewall_endpoint",
    url_filter.ENDPOINT_ASSOCIATION: "google_network_security_firewall_endpoint_association",
    proxy.URL_LIST: "google_network_security_url_lists",
    proxy.POLICY: "google_network_security_gateway_security_policy",
    proxy.RULE: "google_network_security_gateway_security_policy_rule",
    proxy.GATEWAY: "google_network_services_gateway",
    proxy.POLICY_ROUTE: "google_network_connectivity_policy_based_route",
    proxy.STATIC_ROUTE: "google_compute_route",
    proxy.SUBNETWORK: "google_compute_subnetwork",
}
"""Tokens of Pulumi's types, and the resource types: terraform-provider-google 6.50, whose schema has all arguments of a plan
but the newer `all_ports`, `endpoint_settings` and `url_filtering_profile` (read 2026-11-28); pulumi-gcp 10.2.0 has those."""

_LEADS_THERE: Final = ("nextHopIlbIp", "nextHopIp")


def export_terraform(plan: Plan) -> Mapping[str, str]:
    """The resources of `plan` as one file. Raises InputError for what is none of TYPES, and for what is not known."""
    options = plan.options
    rows, stages = {row.kind: row for row in firewall.TYPES.values()}, _of_proxy(plan)
    if isinstance(options, FirewallPolicyOptions):  # of which each scope has types of its own for the same kinds
        rows |= {row.kind: row for row in firewall.SCOPES[options.scope]}
        stages = _of_policy(plan, options)
    refuse_foreign(plan, rows, "what a program makes of a firewall policy or a proxy")

    def made(each: CloudObject, after: Sequence[str]) -> TerraformResource:
        row = rows[each.kind]
        arguments = in_snake_case(_inputs(each, row, plan))
        return TerraformResource(
            type=TYPES[row.token], name=each.name, arguments=arguments, after=after, ignored=ignored(row, options)
        )

    return write_terraform(plan, in_stages(stages, made))


def _inputs(each: CloudObject, row: ResourceType, plan: Plan) -> dict[str, Any]:
    """The inputs of `row` for an object: its body's, and those that say where it is."""
    options: Any = plan.options
    found = row.from_body(each.body)
    place = {"project": options.in_project, "region": options.in_region}
    name = str(found.get("name", ""))
    if name.startswith(("projects/", "organizations/")):  # a full name has the place in it
        holder, at, _, location, _, *rest = name.split("/")
        place |= {"parent": f"{holder}/{at}", "location": location}
        if holder == "projects":
            place["project"] = at
        if row.token == proxy.RULE:
            place["gatewaySecurityPolicy"] = rest[0]
        found["name"] = rest[-1]
    elif row.token == firewall.ORGANISATION_POLICY:
        place["parent"] = options.parent
    if row.token == dns.RESPONSE_RULE:
        place["responsePolicy"] = next(
            one.body["responsePolicyName"] for one in plan.objects if one.kind == dns.POLICY_TYPE.kind
        )
    if "firewallPolicy" in row.inputs.fields:
        place["firewallPolicy"] = _policy(plan)
    for key in _LEADS_THERE:
        if found.get(key) == COMPUTED:
            gateway = next(one.name for one in plan.objects if one.kind == proxy.GATEWAY_TYPE.kind)
            found[key] = Template(f"${{{TYPES[proxy.GATEWAY]}.{gateway}.addresses[0]}}")
    return {**{key: value for key, value in place.items() if key in row.inputs.fields}, **found}


def _policy(plan: Plan) -> Any:
    """What a rule calls the policy that holds it: its name alone, beside project and region. A hierarchical one has a number,
    once it is made."""
    made = next((each.name for each in plan.objects if each.kind == firewall.POLICY_TYPE.kind), None)
    options = plan.options
    assert isinstance(options, FirewallPolicyOptions)
    if made is None:
        return str(options.attach).rpartition("/")[2]
    return Template(f"${{{TYPES[firewall.SCOPES[options.scope].policy.token]}.{made}.name}}")


def _of_policy(plan: Plan, options: FirewallPolicyOptions) -> Iterator[Sequence[CloudObject]]:
    """What inspects is whole before a rule sends anything there, and a group before a rule names it; the deny comes after
    the hosts, and on destroy goes before them; a whole policy is associated, never a half-made one; names are led to
    addresses that are allowed by then."""
    of = _by_kind(plan)
    yield of(firewall.POLICY_TYPE)
    for row in (*url_filter.ROWS, ADDRESS_GROUP_TYPE):
        yield of(row)
    rules = of(firewall.RULE_TYPE)
    if options.mode == "audit":  # no host goes before everything passes
        rules = rules[::-1]
    for _, run in groupby(rules, lambda each: (each.body["action"], each.body["priority"] - options.base < EDGE_SLOT)):
        yield list(run)
    yield of(firewall.ASSOCIATION_TYPE)
    yield of(dns.POLICY_TYPE)
    yield of(dns.RULE_TYPE)


def _of_proxy(plan: Plan) -> Iterator[Sequence[CloudObject]]:
    """Rules one after another, each with its list; the gateway once they are there; the routes past it before its subnet,
    and the route to it last, so that on destroy it goes first."""
    of = _by_kind(plan)
    yield of(proxy.POLICY_TYPE)
    rules, lists = of(proxy.RULE_TYPE), of(proxy.URL_LIST_TYPE)
    if plan.options.mode == "audit":
        rules = [*rules[-1:], *rules[:-1]]
    for rule in rules:
        yield [each for each in lists if f"'{each.body['name']}'" in rule.body["sessionMatcher"]]
        yield [rule]
    routes = [*of(proxy.POLICY_ROUTE_TYPE), *of(proxy.STATIC_ROUTE_TYPE)]
    yield [each for each in routes if not _leads_there(each)]
    yield of(proxy.SUBNETWORK_TYPE)
    yield of(proxy.GATEWAY_TYPE)
    yield [each for each in routes if _leads_there(each)]


def _by_kind(plan: Plan) -> Any:
    return lambda row: [each for each in plan.objects if each.kind == row.kind]


def _leads_there(route: CloudObject) -> bool:
    return any(key in route.body for key in _LEADS_THERE)
