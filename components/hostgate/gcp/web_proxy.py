"""gcp:web-proxy: URL lists and rules of a Secure Web Proxy, which reads the SNI or Host, and the routes that lead to it.

The proxy denies what no rule allows, so every rule allows, and their order does not matter. A rule names its list by the
full name in a matcher: it is made of the options, so that a preview knows it. TLS is not inspected.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hostgate.catalog.model import Entry
from hostgate.flows.address_sets import NO_ADDRESS, networks
from hostgate.flows.intervals import Intervals
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.steps import ClientTest, Place
from hostgate.gcp import evaluate_proxy
from hostgate.gcp import resources_proxy as rows
from hostgate.gcp.proxy_options import WebProxyOptions
from hostgate.gcp.proxy_routes import Routing
from hostgate.gcp.resources_proxy import LIST_ENTRIES, LISTS, MATCHER, POLICY_RULES, READ_ON
from hostgate.gcp.wildcards import write_wildcard
from hostgate.planning.enforcement import ORDER, OWN_POLICY, AuditOpening, Enforcement
from hostgate.planning.evidence import Claim, Evidence
from hostgate.planning.findings import Finding, finding
from hostgate.planning.grants import crowded, shared, told
from hostgate.planning.limits import Limit, Usage
from hostgate.planning.mechanism import GROWS, CloudObject, Means, Mechanism, Objection, Rendering, Seat
from hostgate.planning.sharding import Shard, shard
from hostgate.planning.targets import COMPUTED, row

URL_LIST, POLICY, RULE = rows.URL_LIST_TYPE.kind, rows.POLICY_TYPE.kind, rows.RULE_TYPE.kind
GATEWAY, SUBNETWORK = rows.GATEWAY_TYPE.kind, rows.SUBNETWORK_TYPE.kind
POLICY_ROUTE, STATIC_ROUTE = rows.POLICY_ROUTE_TYPE.kind, rows.STATIC_ROUTE_TYPE.kind

BLOCK = Limit("rules of the block for one port", 63, "rules", "hostgate, priority slots", READ_ON)

RULES = "Secure Web Proxy documentation, configure rules"
CEL = "Secure Web Proxy documentation, CEL matcher language reference"
DEPLOY = "Secure Web Proxy documentation, deploy as next hop"
POLICIES = "Secure Web Proxy documentation, policies and rules"

TO_PROXY, BY_ROUTE = "IPv4 that clients send to the proxy", "IPv4 that routes lead to the proxy"

_RENAME = "To rename alone, keep what there is with `formerly` (in a component with an alias)."

_NEXT_HOP_WAY = (
    "The service takes one next-hop proxy in a network and region, and an address once; it makes no second one before the first "
    f"is gone, and lets none go while a route leads to it. {_RENAME} An address that was allocated is not known here: to give "
    "that very one as `address` counts as another gateway too, and `pulumi preview` shows whether it is replaced. Otherwise "
    "close the way out by other means first, such as a VPC firewall rule that denies egress to everything but private ranges; "
    "update without `network` and `subnetwork`; update again with the new settings; then take the firewall rule away. All is "
    "cut in between, and nothing opens."
)

_EXPLICIT_WAY = (
    "Clients are told of the address, which a gateway keeps for its life, and no second one is made with it before the first is "
    f"gone. {_RENAME} Otherwise make a second proxy beside it, by another `name` and with an `address` of its own; tell the "
    "clients of that; then take the first away. Or cut them in between: update without `network` and `subnetwork`; update "
    "again with the new settings."
)

_SUBNET = (
    "A network has one in a region, and one that does not hold the range of the old one is made beside it. Take a range that "
    "holds the old one, which is an update in place. Or make the new one yourself with role BACKUP, and a policy-based route "
    "that keeps its traffic from the proxy; promote it; then leave `proxySubnet` out."
)
"""Cloud Load Balancing documentation, proxy-only subnets, read 2026-11-28."""

AUDIT_SLOT = 10_000_000
"""Priority of the audit rule after the user's base. The rules of a port have 64 from 64 times the port on."""

_ONE_LABEL = "list the names that are needed as exact entries; a list has no depth."
_BY_ADDRESS = "gcp:fqdn for an exact name, which allows by the addresses of either family."
_NO_HOST = (
    "gcp:fqdn, which allows by address. A rule of the proxy for TCP without a name would allow the port to everybody."
)


class WebProxy(Mechanism[WebProxyOptions]):
    """URL lists with a rule each in a gateway security policy."""

    target = "gcp:web-proxy"
    several = True
    types = rows.TYPES
    title = "Secure Web Proxy"
    options = WebProxyOptions
    limits = (LISTS, LIST_ENTRIES, POLICY_RULES, MATCHER, BLOCK)
    means = (
        Means(
            name="URL lists",
            protocols=frozenset({"https", "tls", "http"}),
            sight="name-and-port",
            ttl_family="wire",
            tells_tls=False,
            evidence=Evidence("documented", RULES, READ_ON),
            needs=(
                Claim("a proxy-only subnet in the network and region", DEPLOY, READ_ON),
                Claim("clients whose traffic routes lead to the proxy, in one region and over IPv4", DEPLOY, READ_ON),
                Claim(
                    "no authorization policy on the gateway, beside which it ignores these rules",
                    POLICIES,
                    "2026-11-28",
                ),
            ),
            opens=(
                Claim("plain HTTP with the host's name on its port, and TLS on a port of HTTP", RULES, READ_ON),
                Claim(
                    "any server to which a client names an allowed host, unless the proxy dials the name itself",
                    CEL,
                    READ_ON,
                ),
            ),
            costs=(
                Claim(
                    "1 unit for each hour of a gateway, 1 for each GB that it passes",
                    "Secure Web Proxy pricing",
                    READ_ON,
                ),
            ),
            kinds=frozenset({"exact", "subtree", "subtree+apex"}),
            families=("ipv4",),  # Secure Web Proxy documentation, known limitations (read 2026-11-27)
            widenings={"one-label": "deeper-names"},
            nearest={"one-label": _ONE_LABEL, "ipv6": _BY_ADDRESS, "tcp": _NO_HOST, "udp": _NO_HOST},
        ),
    )

    def render(self, entries: Sequence[Entry], options: WebProxyOptions) -> Rendering:
        lists: list[CloudObject] = []
        rules: list[CloudObject] = []
        where: dict[tuple[str, int, str], str] = {}
        slots = 0
        for share, own in shared(entries, options):
            ports: dict[int, dict[str, set[str]]] = {}
            for entry in own:
                ports.setdefault(entry.port, {}).setdefault(entry.host, set()).add(write_wildcard(entry))
            for port, hosts in sorted(ports.items()):
                for part in _shards(hosts):
                    listed = _list(share, port, part, hosts)
                    rule = _allow(share, port, part, str(listed.body["name"]))
                    lists.append(listed)
                    rules.append(rule)
                    where.update({(share.grant, port, host): rule.name for host in part.items})
                    slots = max(slots, part.slot + 1)
        for share in options.shares if options.mode == "audit" else ():
            rules.append(_rule(share, "audit", AUDIT_SLOT, _sources(share) or "true", "AUDIT, allows all"))
        around = [] if options.attach is not None else [_policy(options)]
        return Rendering(
            objects=(*lists, *around, *rules, *_gateway(options), *_routes(options)),
            rules={entry.key: f"{where[entry.grant, entry.port, entry.host]}#{entry.host}" for entry in entries},
            findings=tuple(told(entries, options, _remarks)),
            usage=(
                *crowded(options, (each.body["priority"] for each in rules)),
                Usage(LISTS, len(lists)),
                Usage(LIST_ENTRIES, max((len(each.body["values"]) for each in lists), default=0)),
                Usage(POLICY_RULES, len(rules)),
                Usage(MATCHER, max((len(each.body["sessionMatcher"]) for each in rules), default=0)),
                Usage(BLOCK, slots),
            ),
        )

    def objections(self, entries: Sequence[Entry], options: WebProxyOptions) -> Mapping[tuple[str, str], Objection]:
        found = dict(super().objections(entries, options))
        closed = [each for each in entries if options.ports and each.port not in options.ports]
        for entry in closed if options.routing == "next-hop" else ():
            listens = ", ".join(map(str, sorted(options.ports)))
            objection = Objection(
                f"the gateway does not listen on port {entry.port}. Found in `ports`: {listens}.",
                "leave `ports` out, so that the gateway listens on all.",
            )
            if (known := found.get(entry.key)) is None or known.widening:  # no acceptance opens the port
                found[entry.key] = objection
        return found

    def fixed(self, each: CloudObject, objects: Sequence[CloudObject], options: WebProxyOptions) -> Mapping[str, Any]:
        # A list's place is part of its name, and the provider would change neither.
        named = {"name": each.body["name"]} if each.kind == URL_LIST else {}
        # A range that does not hold the old one is another subnetwork to the provider.
        grows = {GROWS: each.body[GROWS]} if each.kind == SUBNETWORK else {}
        return {**super().fixed(each, objects, options), **named, **grows}

    def enforcement(self, options: WebProxyOptions) -> Enforcement:
        where = OWN_POLICY if options.attach is None else f"policy {options.policy_path}"
        led = options.routing == "next-hop"
        safeguards = {ORDER: str(options.base)} if options.attach is not None else {}
        if options.network is not None and options.proxy_subnet is not None:
            kept = ", which a route keeps from being led to the proxy again" if options.makes_routes else ""
            safeguards["proxy-only subnet of the proxies"] = f"{options.proxy_subnet} is made{kept}"
        if options.makes_routes:
            first = "before every other route" if options.route == "policy-based" else "after more specific routes"
            safeguards["route to the proxy"] = f"{options.route}, {first}, priority {options.route_base + 1}"
        return replace(
            super().enforcement(options),
            # A client that is only told to use an explicit proxy is stopped by nobody where it does not.
            traffic=(TO_PROXY, *((BY_ROUTE,) if led else ())),
            places=tuple(
                f"{place} in {options.in_region}" if options.in_region != COMPUTED else place
                for place in (where, *((f"network {options.network}",) if options.network else ()))
            ),
            judged=tuple(f"network tag {tag}" for tag in sorted(options.network_tags)) if led else (),
            exempt=(*options.private, *sorted(options.exempt)),
            safeguards=safeguards,
            audit=AuditOpening(clients=options.clients, denier="the proxy", stands=options.attach is not None)
            if options.mode == "audit"
            else None,
        )

    def seats(self, objects: Sequence[CloudObject], options: WebProxyOptions) -> Sequence[Seat]:  # noqa: ARG002
        """A network has one next-hop proxy in a region, and one gateway an address. What replaces a gateway is another, and
        of an explicit proxy the clients know the address, which was allocated unless it is given."""
        if options.network is None:
            return ()
        component = row(self.target).component.rpartition(":")[2]
        where = f"{options.network} in {options.in_region}"
        ports = f"ports {', '.join(map(str, sorted(options.ports)))}" if options.ports else "all ports"
        about = f"on {ports} of {options.address or 'an allocated address'}, {options.subnetwork}"
        names = (options.name, *options.formerly_named)
        holders = tuple(f"the gateway of {component} {name} {about}" for name in names)
        found, way = [f"the next-hop proxy of {where}"], _NEXT_HOP_WAY
        if options.routing == "explicit":
            found, way = [], _EXPLICIT_WAY
            if options.address is None:
                found = [f"the allocated address of {component} {names[-1]} in {where}"]
        found += [f"the address {options.address} of {where}"] if options.address is not None else []
        seats = [Seat(what=what, holders=holders, way=way) for what in found]
        if options.proxy_subnet is not None:
            subnets = tuple(f"the proxy-only subnet of {component} {name}" for name in names)
            active = f"the active proxy-only subnet of {where}"
            seats.append(Seat(what=active, holders=subnets, way=_SUBNET, range=options.proxy_subnet))
        return seats

    def clients(self, options: WebProxyOptions, snapshot: Snapshot) -> ClientTest:  # noqa: ARG002
        return _named(options, set())

    def place(self, objects: Sequence[CloudObject], options: WebProxyOptions) -> Place:
        held = tuple(
            Resource(urn=f"plan::{each.name}", type=row.token, name=each.name, properties=each.body, id=str(full))
            for each in objects
            for row in (rows.URL_LIST_TYPE, rows.RULE_TYPE)
            if each.kind == row.kind and (full := each.body["name"])
        )
        ports = Intervals.of((port, port) for port in options.ports) if options.ports else None
        found = evaluate_proxy.policy_place(Snapshot(held, "the plan"), _routing(options), ports, _clients(options))
        beside = "No authorization policy stands on the gateway, beside which it ignores these rules."
        if options.attach is not None:
            beside = f"A gateway uses {options.policy_path}, and no rule there decides first. {beside}"
        return replace(found, assumptions=(*found.assumptions, *_other_routes(options), beside))


def _routing(options: WebProxyOptions) -> Routing:
    if options.routing == "explicit":
        return Routing(explicit=True)
    tags = tuple(sorted(options.network_tags)) if options.makes_routes else ()
    if options.deny == "declared":
        return Routing()
    exempt = networks(options.exempt)
    if options.route == "static":  # subnets' own routes are not seen, and more specific
        return Routing(past=exempt, tags=tags)
    return Routing(past=networks(options.private) | exempt, perhaps=NO_ADDRESS, tags=tags)


def _other_routes(options: WebProxyOptions) -> Iterator[str]:
    """What is assumed of the network's other routes: of static ones the longest prefix takes a packet, then the lowest
    number; between equal ones nobody tells which."""
    if options.makes_routes and options.route == "static":
        yield (
            f"No other route of 0.0.0.0/0 that is for these instances has priority {options.route_base + 1} or a lower number, "
            "and none to the internet is more specific."
        )


def _clients(options: WebProxyOptions) -> ClientTest | None:
    """Those that the plan is meant for: of `from`, and with a tag that leads them to the proxy."""
    led = {f"network-tag:{each}" for each in options.network_tags} if options.makes_routes else set()
    return _named(options, led) if options.from_ or led else None


def _named(options: WebProxyOptions, led: set[str]) -> ClientTest:
    """Those of `from`, as one set of identities with those that are `led` to the proxy."""
    identities = {f"{kind}:{each}" for kind in ("account", "tag") for each in options.clients_of(kind)} | led
    ranges = options.clients_of("range")
    found = ClientTest(identities=frozenset(identities) or None)
    return replace(found, addresses=networks(ranges)) if ranges else found


def _shards(hosts: Mapping[str, set[str]]) -> tuple[Shard[str], ...]:
    return shard(sorted(hosts), key=str, weights=lambda host: (len(hosts[host]),), capacities=(LIST_ENTRIES.max,))


def _label(port: int, part: Shard[str]) -> str:
    return f"{port}-{part.label}" if part.label else str(port)


def _list(options: WebProxyOptions, port: int, part: Shard[str], hosts: Mapping[str, set[str]]) -> CloudObject:
    name = f"{options.prefix}-hosts-{_label(port, part)}"
    body = {
        "name": f"{options.parent}/urlLists/{name}",
        "description": "hostgate: hosts of reviewed catalogs",
        "values": sorted(spec for host in part.items for spec in hosts[host]),
    }
    return CloudObject(kind=URL_LIST, name=name, body=body, folder="url-lists")


def _allow(options: WebProxyOptions, port: int, part: Shard[str], listed: str) -> CloudObject:
    matcher = f"inUrlList(host(), '{listed}') && destination.port == {port}"
    if sources := _sources(options):
        matcher += f" && ({sources})"
    return _rule(options, f"allow-{_label(port, part)}", port * 64 + part.slot, matcher, "hosts of reviewed catalogs")


def _sources(options: WebProxyOptions) -> str:
    """That the client is one of `from`; empty where everybody is meant."""
    sources = [f"inIpRange(source.ip, '{each}')" for each in options.clients_of("range")]
    sources += [f"source.matchServiceAccount('{each}')" for each in options.clients_of("account")]
    return " || ".join([*sources, *(f"source.matchTag('{each}')" for each in options.clients_of("tag"))])


def _rule(options: WebProxyOptions, suffix: str, slot: int, matcher: str, words: str) -> CloudObject:
    name = f"{options.prefix}-{suffix}"
    body = {
        "name": f"{options.policy_path}/rules/{name}",
        "description": f"hostgate: {words}",
        "enabled": True,
        "priority": options.base + slot,
        "basicProfile": "ALLOW",
        "sessionMatcher": matcher,
    }
    return CloudObject(kind=RULE, name=name, body=body, folder="rules")


def _policy(options: WebProxyOptions) -> CloudObject:
    body = {"name": options.policy_path, "description": "hostgate: egress to the hosts of reviewed catalogs"}
    return CloudObject(kind=POLICY, name=options.name, body=body, folder="policy")


def _gateway(options: WebProxyOptions) -> Iterable[CloudObject]:
    if options.network is None:
        return
    if options.proxy_subnet is not None:
        body: dict[str, Any] = {
            "name": f"{options.name}-proxy-only",
            "network": options.network,
            "ipCidrRange": options.proxy_subnet,
            "purpose": rows.PROXY_ONLY,
            "role": "ACTIVE",
        }
        yield CloudObject(kind=SUBNETWORK, name=body["name"], body=body, folder="policy")
    name = f"{options.name}-gateway"
    body = {
        "name": f"{options.parent}/gateways/{name}",
        "type": rows.SECURE_WEB_GATEWAY,
        "routingMode": rows.NEXT_HOP if options.routing == "next-hop" else rows.EXPLICIT,
        "gatewaySecurityPolicy": options.policy_path,
        "network": options.network,
        "subnetwork": options.subnetwork,
    }
    body |= {"ports": sorted(options.ports)} if options.ports else {"allPorts": True}
    if options.address is not None:
        body["addresses"] = [options.address]
    if options.tags:
        body["labels"] = dict(sorted(options.tags.items()))
    yield CloudObject(kind=GATEWAY, name=name, body=body, folder="policy")


def _routes(options: WebProxyOptions) -> Iterable[CloudObject]:
    """Routes past the proxy first, then the one that leads all else to it."""
    if not options.makes_routes:
        return
    address = options.address or COMPUTED
    if options.route == "static":
        body: dict[str, Any] = {"network": options.network, "destRange": "0.0.0.0/0", "nextHopIp": address}
        body |= {"priority": options.route_base + 1, "tags": sorted(options.network_tags)}
        yield _route(options, STATIC_ROUTE, "to-proxy", body)
        for cidr in sorted(options.exempt):
            gateway = f"projects/{options.in_project}/global/gateways/default-internet-gateway"
            body = {"network": options.network, "destRange": cidr, "nextHopGateway": gateway}
            body |= {"priority": options.route_base, "tags": sorted(options.network_tags)}
            yield _route(options, STATIC_ROUTE, f"past-{_dashed(cidr)}", body)
        return
    past = [*options.private, *sorted(options.exempt)]
    filters = [{"destRange": cidr} for cidr in dict.fromkeys(past)]
    if options.proxy_subnet is not None:
        filters.append({"srcRange": options.proxy_subnet})
    for match in filters:
        (which,) = match.values()
        body = {"nextHopOtherRoutes": rows.DEFAULT_ROUTING, "priority": options.route_base}
        kind = "past" if "destRange" in match else "from"
        yield _policy_route(options, f"{kind}-{_dashed(which)}", match, body)
    body = {"nextHopIlbIp": address, "priority": options.route_base + 1}
    if options.network_tags:
        body["virtualMachine"] = {"tags": sorted(options.network_tags)}
    yield _policy_route(options, "to-proxy", {}, body)


def _policy_route(options: WebProxyOptions, suffix: str, match: dict[str, str], body: dict[str, Any]) -> CloudObject:
    # ALL, so that UDP and other protocols end at the proxy, which takes none of them.
    match = {"protocolVersion": "IPV4", "ipProtocol": "ALL", **match}
    body |= {"labels": dict(sorted(options.tags.items()))} if options.tags else {}
    return _route(options, POLICY_ROUTE, suffix, {"network": options.network, "filter": match, **body})


def _route(options: WebProxyOptions, kind: str, suffix: str, body: dict[str, Any]) -> CloudObject:
    name = f"{options.name}-{suffix}"
    full = f"projects/{options.in_project}/locations/global/policyBasedRoutes/{name}"
    body = {"name": full if kind == POLICY_ROUTE else name, **body}
    return CloudObject(kind=kind, name=name, body=body, folder="policy")


def _dashed(cidr: str) -> str:
    return cidr.replace(".", "-").replace("/", "-")


def _remarks(entries: Sequence[Entry], options: WebProxyOptions) -> Iterator[Finding]:
    for entry in entries:
        if entry.match in ("subtree", "one-label"):
            yield finding("apex-by-analogy", f"*.{entry.host} is taken not to hold {entry.host}.", entry)
    yield from (finding(id_, message) for id_, message in _told(entries, options))


def _told(entries: Sequence[Entry], options: WebProxyOptions) -> Iterator[tuple[str, str]]:
    """What there is to say of the whole plan, by the id of its finding."""
    if entries:
        yield "http-or-tls", "Plain HTTP with an allowed Host passes on the port of a TLS host, and TLS on one of HTTP."
    if any(entry.protocol == "https" for entry in entries):
        yield "quic-closed", "UDP 443 stays closed where it is led to the proxy; clients fall back to TLS over TCP."
    if options.from_:
        yield "others-cut", "Whoever is led to the proxy and not named under `from` reaches nothing through it."
    else:
        yield "from-everything", "Every client that reaches the proxy may use the hosts."
    yield "ipv4-only", "The proxy takes IPv4: no rule opens anything over IPv6."
    if options.mode == "audit":
        whose = " of the clients under `from`" if options.from_ else ""
        yield (
            "audit",
            f"The last rule allows every TCP connection{whose}, and the proxy logs each; UDP that is led to it ends there.",
        )
    if options.routing == "explicit":
        yield (
            "explicit-proxy",
            "Whether host() is the target of CONNECT where TLS is not inspected is documented both ways (CEL matcher language "
            "reference; configure rules): hosts may be blocked. Clients that do not use the proxy are not stopped.",
        )
    else:
        tags = " or ".join(sorted(options.network_tags))
        loop = (
            " The route is for the whole network: one of your own has to keep the proxy-only subnet's traffic from it."
        )
        whole = options.makes_routes and not tags and options.proxy_subnet is None
        yield (
            "past-the-proxy",
            f"Not judged are IPv6,{tags and f' instances without the tag {tags},'} clients of other regions, and whatever "
            f"other routes lead away.{loop if whole else ''}",
        )
    if options.deny == "declared":
        yield (
            "deny-declared",
            "The proxy denies what no rule allows; routes that lead all traffic to it are said to exist.",
        )
    elif options.routing == "next-hop":
        yield (
            "deny-cuts",
            f"Of what is led to the proxy, everything else is cut: {'' if options.private else 'private ranges too, '}TCP that "
            "is neither TLS nor HTTP, UDP (DNS to own resolvers on public addresses, NTP, QUIC), ICMP, Google APIs by public or "
            "private VIP (199.36.153.4/30, 199.36.153.8/30). DNS, NTP and metadata of the platform (169.254.169.254) are not.",
        )
    if options.attach is not None:
        yield (
            "attached-policy",
            f"{options.policy_path} needs: a gateway that uses it, no broader allow and no deny of these hosts before priority "
            f"{options.base}, no authorization policy on the gateway, which would then ignore these rules.",
        )
    elif options.network is None:
        yield (
            "not-enforced",
            "No `network` and `subnetwork` are named: no gateway uses the policy, and no traffic is judged by it.",
        )


MECHANISM = WebProxy()
