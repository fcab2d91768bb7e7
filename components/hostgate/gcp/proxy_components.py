"""hostgate.gcp.WebProxyAllowlist: the plan of gcp:web-proxy as Pulumi resources."""

from collections.abc import Callable, Sequence
from typing import Any, Unpack

import pulumi
from pulumi_gcp import compute, networkconnectivity, networksecurity, networkservices

from hostgate.allowlist import AllowlistComponent, Registration, SelectionArgs, prepare, report
from hostgate.catalog.selection import Selection
from hostgate.gcp.proxy_options import WebProxyOptions
from hostgate.gcp.web_proxy import GATEWAY, POLICY, POLICY_ROUTE, RULE, STATIC_ROUTE, SUBNETWORK, URL_LIST
from hostgate.planning.grants import Grant
from hostgate.planning.mechanism import CloudObject
from hostgate.planning.plan import Plan


class WebProxyAllowlistArgs(SelectionArgs, total=False):
    """Inputs from any language. Numbers are floats, lists of hosts are plain: reviewers and policies must see them."""

    project: str
    """The project of everything that is made; that of attach, network or subnetwork unless given."""
    region: str
    """The region of everything that is made; that of attach or subnetwork unless given."""
    attach: str
    """An existing gateway security policy, by its full name; a new one is made unless given."""
    network: pulumi.Input[str]
    """The VPC network of a new gateway."""
    subnetwork: pulumi.Input[str]
    """The subnetwork in which the gateway has its address."""
    proxy_subnet: str
    """The range of a proxy-only subnet to make; the network has an active one in the region unless given."""
    address: str
    """The address of the gateway; one is allocated unless given."""
    routing: str
    """next-hop (the default) or explicit."""
    ports: list[float]
    """Ports on which the gateway listens, at most five; all unless given, which only next-hop can."""
    route: str
    """What leads traffic to the proxy: policy-based (the default) or static, which needs network tags."""
    network_tags: list[str]
    """Network tags of the instances whose traffic is led to the proxy; every instance unless given."""
    route_base: float
    """Priority of the routes that lead past the proxy; 1000 unless given, 900 with a static route."""
    exempt: list[str]
    """Destinations, beside private ones, that keep their own routes."""
    from_: list[str]
    """IPv4 ranges, service accounts, secure tags; whoever reaches the proxy unless given."""
    base: float
    """Priority of the first rule; 1000 unless given."""
    import_: dict[str, str]
    """Ids of existing objects to adopt, by child name."""


class WebProxyAllowlist(AllowlistComponent):
    """URL lists and rules of a Secure Web Proxy that let the hosts pass, and with a network its gateway and routes."""

    policy: pulumi.Output[str]
    """Full name of the gateway security policy that holds the rules."""
    gateway: pulumi.Output[str]
    """Full name of the gateway; empty where none is made."""
    address: pulumi.Output[str]
    """Address of the gateway, for clients of an explicit proxy and routes of your own; empty where none is made."""
    digest: pulumi.Output[str]
    """Of the plan: equal digests mean equal objects."""

    def __init__(
        self,
        name: str,
        args: WebProxyAllowlistArgs = None,  # type: ignore[assignment]  # the analyzer refuses Optional here
        opts: pulumi.ResourceOptions = None,  # type: ignore[assignment]
        *,
        hosts: Selection | Sequence[Grant] = None,  # type: ignore[assignment]
        plan: Plan = None,  # type: ignore[assignment]
        **options: Unpack[WebProxyAllowlistArgs],
    ) -> None:
        """`hosts` are a Selection or Grants, other keywords as in the args; or `plan` alone. Raises AllowlistError."""
        prepared = prepare(name, args, hosts, {**options, "plan": plan}, opts, ("gcp:web-proxy",))
        super().__init__("hostgate-gcp:index:WebProxyAllowlist", name, prepared.inputs, opts)
        self.plan = plan = prepared.plan
        assert isinstance(plan.options, WebProxyOptions)
        made = _Children(self, name, prepared, plan.options)
        policy, rules = made.policy_and_rules()
        past = made.routes_past()
        gateway = made.gateway(policy, rules, past)
        nothing = pulumi.Output.from_input("")
        self.policy = pulumi.Output.from_input(plan.options.policy_path) if policy is None else policy.id
        self.gateway = nothing if gateway is None else gateway.id
        self.address = nothing if gateway is None else _address(gateway)
        if gateway is not None:
            made.routes_to(gateway, past)
        self.digest = pulumi.Output.from_input(plan.digest)
        report(self, plan)
        self.register_outputs(
            {"policy": self.policy, "gateway": self.gateway, "address": self.address, "digest": self.digest}
        )


class _Children:
    """The resources of the plan, made in the order in which they may be written."""

    def __init__(
        self, component: WebProxyAllowlist, name: str, prepared: Registration, options: WebProxyOptions
    ) -> None:
        self._component, self._name, self._prepared, self._options = component, name, prepared, options
        self._place: dict[str, Any] = {"project": options.in_project, "location": options.in_region}
        self._network = {"project": options.in_project, "network": prepared.real("network", options.network)}

    def policy_and_rules(
        self,
    ) -> tuple[networksecurity.GatewaySecurityPolicy | None, Sequence[pulumi.Resource]]:
        """The policy, None where one is attached to, and its rules with their lists.

        The service takes the rules of a policy one after another, so each waits for all before it. Into audit the rule
        that lets everything pass comes first, before a list loses a host.
        """
        policy = None
        for each in self._of(POLICY):
            description = each.body["description"]
            policy = self._make(networksecurity.GatewaySecurityPolicy, each, description=description, **self._place)
        holder = self._options.policy_path.rpartition("/")[2] if policy is None else policy.name
        lists = {each.body["name"]: each for each in self._of(URL_LIST)}
        rules: list[pulumi.Resource] = []
        ordered = self._of(RULE)
        first: list[pulumi.Resource] = []
        if self._options.mode == "audit":
            ordered = [*ordered[-1:], *ordered[:-1]]
        for each in ordered:
            named = next((full for full in lists if f"'{full}'" in each.body["sessionMatcher"]), None)
            listed = [] if named is None else [self._list(lists[named], first)]
            rules.append(self._rule(each, holder, [*rules, *listed]))
            first = rules[:1] if self._options.mode == "audit" else []
        return policy, rules

    def gateway(
        self,
        policy: networksecurity.GatewaySecurityPolicy | None,
        rules: Sequence[pulumi.Resource],
        past: Sequence[pulumi.Resource],
    ) -> networkservices.Gateway | None:
        """The gateway, None where none is made: after the rules, so that it never judges by half a policy. Its proxy-only
        subnet comes after the route that keeps the subnet's traffic from the proxy itself."""
        before = [*rules]
        for each in self._of(SUBNETWORK):
            body = each.body
            subnet = self._make(
                compute.Subnetwork,
                each,
                past,
                region=self._options.in_region,
                ip_cidr_range=body["ipCidrRange"],
                purpose=body["purpose"],
                role=body["role"],
                **self._network,
            )
            before.append(subnet)
        for each in self._of(GATEWAY):
            body = each.body
            return self._make(
                networkservices.Gateway,
                each,
                before,
                ["ports"],  # the provider plans another list of them in place, and the service refuses that
                type=body["type"],
                routing_mode=body["routingMode"],
                gateway_security_policy=None if policy is None else policy.id,
                subnetwork=self._prepared.real("subnetwork", self._options.subnetwork),
                addresses=body.get("addresses"),
                ports=body.get("ports"),
                all_ports=body.get("allPorts"),
                labels=self._prepared.tags if "labels" in body else None,
                **self._network,
                location=self._options.in_region,
            )
        return None

    def routes_past(self) -> list[pulumi.Resource]:
        """Routes that lead past the proxy."""
        return [self._route(each, None, []) for each in self._routes() if not _leads_there(each)]

    def routes_to(self, gateway: networkservices.Gateway, past: Sequence[pulumi.Resource]) -> None:
        """The route that leads all else to the proxy, after those `past` it: on destroy it goes first."""
        for each in filter(_leads_there, self._routes()):
            self._route(each, _address(gateway), [gateway, *past])

    def _routes(self) -> list[CloudObject]:
        return [*self._of(POLICY_ROUTE), *self._of(STATIC_ROUTE)]

    def _route(self, each: CloudObject, address: Any, before: Sequence[pulumi.Resource]) -> Any:
        body, more = each.body, {**self._network, "priority": each.body["priority"]}
        if each.kind == STATIC_ROUTE:
            return self._make(
                compute.Route,
                each,
                before,
                dest_range=body["destRange"],
                tags=body["tags"],
                next_hop_ip=address,
                next_hop_gateway=body.get("nextHopGateway"),
                **more,
            )
        match, tags = body["filter"], body.get("virtualMachine", {}).get("tags")
        return self._make(
            networkconnectivity.PolicyBasedRoute,
            each,
            before,
            filter=networkconnectivity.PolicyBasedRouteFilterArgs(
                protocol_version=match["protocolVersion"],
                ip_protocol=match["ipProtocol"],
                src_range=match.get("srcRange"),
                dest_range=match.get("destRange"),
            ),
            next_hop_ilb_ip=address,
            next_hop_other_routes=body.get("nextHopOtherRoutes"),
            labels=self._prepared.tags if "labels" in body else None,
            virtual_machine=tags and networkconnectivity.PolicyBasedRouteVirtualMachineArgs(tags=tags),
            **more,
        )

    def _list(self, each: CloudObject, before: Sequence[pulumi.Resource]) -> Any:
        """A list by its own name, which stands in the matcher of its rule. The provider plans another name or location in
        place, sends nothing and fails: both replace."""
        body = {"name": each.name, "description": each.body["description"], "values": each.body["values"]}
        return self._make(networksecurity.UrlList, each, before, ["name", "location"], **body, **self._place)

    def _rule(self, each: CloudObject, holder: Any, before: Sequence[pulumi.Resource]) -> Any:
        body = each.body
        return self._make(
            networksecurity.GatewaySecurityPolicyRule,
            each,
            before,
            gateway_security_policy=holder,
            description=body["description"],
            enabled=body["enabled"],
            priority=body["priority"],
            basic_profile=body["basicProfile"],
            session_matcher=body["sessionMatcher"],
            **self._place,
        )

    def _of(self, kind: str) -> list[CloudObject]:
        return [each for each in self._prepared.plan.objects if each.kind == kind]

    def _make(
        self,
        resource: Callable[..., Any],
        each: CloudObject,
        before: Sequence[pulumi.Resource] = (),
        replacing: Sequence[str] | None = None,
        **inputs: Any,
    ) -> Any:
        """The child that realises `each`. The engine names it unless `inputs` do: a replacement can then be made beside it."""
        child = self._prepared.child(self._name, each)
        inputs = {"name": self._prepared.adopted_name(child), **inputs}
        return resource(child, opts=self._prepared.options(self._component, child, before, replacing), **inputs)


def _leads_there(route: CloudObject) -> bool:
    return "nextHopIlbIp" in route.body or "nextHopIp" in route.body


def _address(gateway: networkservices.Gateway) -> "pulumi.Output[str]":
    found: pulumi.Output[str] = gateway.addresses.apply(lambda addresses: addresses[0] if addresses else "")
    return found
