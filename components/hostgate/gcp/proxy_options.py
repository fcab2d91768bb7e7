"""Options of Secure Web Proxy: where its policy, gateway and routes go, and whose traffic they judge."""

import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from hostgate.gcp.clients import ClientKind, client_kind, of_kind
from hostgate.gcp.links import check_project, read_link
from hostgate.planning.breadth import too_broad
from hostgate.planning.options import PRIVATE_IPV4, Name, Options, cidr
from hostgate.planning.targets import COMPUTED, is_computed

OWN_DEFAULT_ROUTE = 1_000
"""Priority of the route of 0.0.0.0/0 that a VPC network is made with: where two of one length fit, the lower number wins
(compute v1, Route.priority; Virtual Private Cloud documentation, routes)."""

STATIC_BASE = 900
"""`routeBase` of static routes unless given: before the network's own default route."""

Port = Annotated[int, Field(ge=1, le=65_535)]

_PROJECT, _REGION = r"[a-z0-9][a-z0-9.:-]*", r"[a-z]+-[a-z]+[0-9]+"
_NETWORK_TAG = re.compile(r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?\Z")
_POLICY = re.compile(
    r"(?:(?:https:)?//networksecurity\.googleapis\.com/(?:v1/)?)?"
    rf"projects/(?P<project>{_PROJECT})/locations/(?P<region>{_REGION})"
    r"/gatewaySecurityPolicies/(?P<name>[a-z][a-z0-9-]{0,62})\Z"
)
_SUBNETWORK = re.compile(
    r"(?:https://(?:www|compute)\.googleapis\.com/compute/v1/)?"
    rf"projects/(?P<project>{_PROJECT})/regions/(?P<region>{_REGION})/subnetworks/(?P<name>[a-z][a-z0-9-]{{0,62}})\Z"
)


def _refused(kind: str, message: str) -> PydanticCustomError:
    return PydanticCustomError(kind, "{message}", {"message": message})


def _v4(text: str) -> str:
    network = cidr(text)
    if ":" in network:
        raise _refused("cidr", f"found {text!a}. Allowed: IPv4 ranges; the proxy takes no IPv6.")
    return network


def _client(text: str) -> str:
    if client_kind(text) in ("account", "tag"):
        return text
    try:
        return _v4(text)
    except PydanticCustomError:
        raise _refused(
            "client",
            f"found {text!a}. Allowed: an IPv4 range, a service account's email (at gserviceaccount.com), or a secure tag as "
            "tagValues/123.",
        ) from None


def _form(pattern: re.Pattern[str], allowed: str, also: str = "") -> AfterValidator:
    def check(text: str) -> str:
        if (also and text == also) or pattern.match(text):
            return text
        raise _refused("form", f"found {text!a}. Allowed: {allowed}.")

    return AfterValidator(check)


def _network(text: str) -> str:
    if text == COMPUTED:
        return text
    try:
        path = read_link(text, "networks").path()
    except ValueError as error:
        raise _refused("link", str(error)) from None
    if path is None:
        raise _refused("link", f"found {text!a}. Allowed: projects/PROJECT/global/networks/NAME, or its full link.")
    return path


def _project(text: str) -> str:
    try:
        return check_project(text)
    except ValueError as error:
        raise _refused("project", str(error)) from None


def _address(text: str) -> str:
    allowed = "one IPv4 address of the subnetwork; left out, one is allocated"
    try:
        address = IPv4Address(text)
    except ValueError:
        raise _refused("address", f"found {text!a}. Allowed: {allowed}.") from None
    if address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified:
        raise _refused("address", f"found {text}, which no subnetwork has. Allowed: {allowed}.")
    return str(address)  # a public one, too: subnets may have them for private use (VPC documentation, subnets)


class WebProxyOptions(Options):
    """Where the rules go and whose traffic they judge. With `network` and `subnetwork` a gateway is made, and its routes."""

    between_grants: ClassVar[int] = 8
    between_components: ClassVar[int] = 8

    project: Annotated[str, AfterValidator(_project)] | None = None
    """The project of everything that is made. It stands in the matchers, so it is never an Output. Left out: that of
    `attach`, `network` or `subnetwork`."""
    region: Annotated[str, _form(re.compile(rf"{_REGION}\Z"), "a region such as europe-west4")] | None = None
    """The region of everything that is made. Left out: that of `attach` or `subnetwork`."""
    attach: Annotated[str, _form(_POLICY, "projects/PROJECT/locations/REGION/gatewaySecurityPolicies/NAME")] | None = (
        None
    )
    """An existing gateway security policy, which gets the rules. Its owner has the gateway."""
    network: Annotated[str, AfterValidator(_network)] | None = None
    """The VPC network of a new gateway."""
    subnetwork: (
        Annotated[str, _form(_SUBNETWORK, "projects/PROJECT/regions/REGION/subnetworks/NAME", COMPUTED)] | None
    ) = None
    """The subnetwork in which the gateway has its address."""
    proxy_subnet: Annotated[str, AfterValidator(_v4)] | None = None
    """A proxy-only subnet to make, by its range. Left out: the network has an active one in the region."""
    address: Annotated[str, AfterValidator(_address)] | None = None
    """The address of the gateway, of the subnetwork. Left out: one is allocated."""
    routing: Literal["next-hop", "explicit"] = "next-hop"
    """Whether routes lead traffic to the proxy, or clients are told to use it."""
    ports: Annotated[list[Port], Field(min_length=1, max_length=5)] = []
    """Ports on which the gateway listens, at most five, fixed for its life. Left out: all, which only next-hop can."""
    route: Literal["policy-based", "static"] = "policy-based"
    """What leads traffic to the proxy: policy-based routes, or a static route, which needs `networkTags`. None is made with
    `deny: declared`."""
    network_tags: list[
        Annotated[str, _form(_NETWORK_TAG, "a network tag: a-z, 0-9 and -, a letter first, no - last")]
    ] = []
    """Network tags of the instances whose traffic the route leads to the proxy. Left out: every instance of the network."""
    route_base: Annotated[int, Field(ge=1, le=65_000)] = 1000
    """Priority of the routes that lead past the proxy; the one that leads to it has the next number. Left out with
    `route: static`: 900."""
    exempt: list[Annotated[str, AfterValidator(_v4)]] = []
    """Destinations, beside private ones, that keep their own routes."""
    from_: Annotated[list[Annotated[str, AfterValidator(_client)]], Field(alias="from", min_length=1)] = []
    """Who may use the hosts: IPv4 ranges, service accounts, secure tags; any of them. Left out: whoever reaches the proxy."""
    base: Annotated[int, Field(ge=0, le=2_000_000_000)] = 1000
    """Priority of the first rule; the fixed slots after it are in `hostgate.gcp.web_proxy`."""

    formerly: Name | None = None
    """The `name` before it was changed: what was made under it stays, the gateway above all."""

    @model_validator(mode="before")
    @classmethod
    def _static_routes_come_before_the_network_s_own(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("route") == "static" and not {"routeBase", "route_base"} & {*values}:
            return {**values, "routeBase": STATIC_BASE}
        return values

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if found := list(self._objections()):
            raise ValueError(" ".join(found))
        return self

    def _objections(self) -> Iterator[str]:
        if self.deny == "none":
            yield (
                "found deny 'none'. The proxy denies what no rule allows and cannot be told otherwise. Allowed: internet, "
                "declared, all."
            )
        if broad := too_broad(each for share in self.shares for each in share.clients_of("range")):
            yield f"from: {broad} If everybody is meant, leave `from` out: a finding says so then."
        if broad := too_broad(self.exempt):
            yield f"exempt: {broad}"
        if self.mode == "audit" and self.attach is not None and not (self.from_ or self.grants):
            yield (
                "found mode 'audit' with `attach` and no `from`: the audit rule would open somebody else's proxy to everybody. "
                "Name the clients to audit under `from`."
            )
        for key in ("network", "subnetwork", "proxy_subnet", "address", "ports"):
            if self.attach is not None and getattr(self, key):
                yield f"found `{_camel(key)}` with `attach`. Who owns an existing policy has the gateway; leave one out."
        inside = self.proxy_subnet is not None and self.address is not None
        if inside and IPv4Address(self.address) in IPv4Network(self.proxy_subnet):
            yield (
                f"found address {self.address}, which is in `proxySubnet` {self.proxy_subnet}: the service takes those for itself. "
                "Allowed: one of `subnetwork`, or left out, so that one is allocated."
            )
        if (self.network is None) != (self.subnetwork is None):
            missing = "subnetwork" if self.subnetwork is None else "network"
            yield f"`{missing}` is missing: a gateway needs both `network` and `subnetwork`."
        if self.routing == "explicit" and self.network is not None and not self.ports:
            yield (
                "`ports` is missing: in explicit mode the clients name the port of the proxy. Allowed: one to five, such as "
                "[8080]."
            )
        if self.routing == "explicit" and self.network_tags:
            yield (
                "found `networkTags` with routing 'explicit': the tags choose who is led to the proxy by routes, and no route is "
                "made then. Leave one out; `from` says who may use the hosts."
            )
        if self.route == "static":
            if not self.network_tags:
                yield "`networkTags` is missing: a static route to a proxy has to name the instances that it is for."
            if self.deny == "all":
                yield (
                    "found deny 'all' with route 'static': a static route takes no traffic from the subnets' own routes. "
                    "Allowed: internet, declared."
                )
            if self.route_base + 1 >= OWN_DEFAULT_ROUTE:
                yield (
                    f"found routeBase {self.route_base} with route 'static': the route to the proxy would have priority "
                    f"{self.route_base + 1}, and a network's own default route, which has {OWN_DEFAULT_ROUTE}, takes everything "
                    f"past the proxy unless the number is lower. Allowed: 1 to {OWN_DEFAULT_ROUTE - 2}."
                )
        for key in ("project", "region"):
            stated = self._stated(key)
            if len(set(stated.values())) > 1:
                said = ", ".join(f"{value} (`{name}`)" for name, value in stated.items())
                yield f"found several {key}s: {said}. Allowed: one."

    def _stated(self, key: str) -> dict[str, str]:
        """Where the options say a project or region, and which."""
        found = {key: getattr(self, key)}
        for name, pattern in (("attach", _POLICY), ("subnetwork", _SUBNETWORK)):
            matched = pattern.match(getattr(self, name) or "")
            found[name] = matched and matched[key]
        if key == "project" and self.network not in (None, COMPUTED):
            found["network"] = str(self.network).split("/")[1]
        return {name: value for name, value in found.items() if value is not None}

    @property
    def in_project(self) -> str:
        return next(iter(self._stated("project").values()), COMPUTED)

    @property
    def in_region(self) -> str:
        return next(iter(self._stated("region").values()), COMPUTED)

    @property
    def parent(self) -> str:
        """The path of what is regional, from `projects/` on."""
        return f"projects/{self.in_project}/locations/{self.in_region}"

    @property
    def lacking(self) -> str | None:
        missing = [key for key in ("project", "region") if not self._stated(key)]
        if not missing:
            return None
        keys = " and ".join(f"`{key}`" for key in missing)
        return (
            f"{keys} must be given: they are part of the names of URL lists, which stand in the matchers of the rules."
        )

    def apart(self, other: Options) -> bool:
        """Whether clients of the other layer are led to no proxy of this one: they are of other networks, or told of the proxy,
        so that what they send to it meets no rule about the hosts."""
        networks: tuple[str, ...] = getattr(other, "network_paths", ())
        known = self.network is not None and networks and not any(map(is_computed, (self.network, *networks)))
        return self.routing == "explicit" or bool(known and self.network not in networks)

    @property
    def makes_routes(self) -> bool:
        return self.network is not None and self.routing == "next-hop" and self.deny != "declared"

    @property
    def private(self) -> tuple[str, ...]:
        """Private ranges that keep their own routes. Audit cuts no private traffic."""
        return () if self.deny == "declared" or (self.deny == "all" and self.mode == "enforce") else PRIVATE_IPV4

    @property
    def policy_path(self) -> str:
        """The policy that holds the rules, from `projects/` on."""
        matched = _POLICY.match(self.attach or "")
        return f"{self.parent}/gatewaySecurityPolicies/{matched['name'] if matched else self.name}"

    @property
    def formerly_named(self) -> tuple[str, ...]:
        return () if self.formerly is None else (self.formerly,)

    @property
    def place(self) -> tuple[tuple[str, str], ...]:
        found = () if self.attach is None else (("attach", self.policy_path),)
        return (*found, ("project", self.in_project), ("region", self.in_region))

    def clients_of(self, kind: ClientKind) -> list[str]:
        """The clients of one kind, in order."""
        return sorted(of_kind(self.from_, kind))


def _camel(key: str) -> str:
    first, *rest = key.split("_")
    return first + "".join(part.capitalize() for part in rest)
