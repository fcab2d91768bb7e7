"""export:vpn: what a split tunnel leads through the VPN, as address ranges of a pool.

A route knows addresses alone: every port, protocol and name of an address goes the same way. So behind the tunnel has to
stand a filter that knows more; the list only brings the traffic there.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from hostgate.catalog.model import Entry
from hostgate.export.file_format import clients_of, closed
from hostgate.export.pooled import KEEPS, PooledFormat, PooledOptions
from hostgate.flows.address_sets import networks
from hostgate.flows.steps import Box, Place, Stage, Step
from hostgate.planning.evidence import Claim, Evidence
from hostgate.planning.findings import Finding, finding
from hostgate.planning.limits import Limit, Usage
from hostgate.planning.mechanism import CloudObject, Rendering
from hostgate.planning.pooled import by_address, openings

READ_ON = "2026-11-28"
_QUOTAS = "AWS Client VPN administrator guide, quotas"
ROUTES = Limit("routes of a target network association", 100, "routes", _QUOTAS, READ_ON, unless="the quota was raised")
RULES = Limit("authorization rules of an endpoint", 200, "rules", _QUOTAS, READ_ON, quota="L-9A1BC94B")
_OPENVPN = "OpenVPN 2.6 manual, --push, --route, --route-ipv6"


class VpnOptions(PooledOptions):
    """For whose split tunnel the list is."""

    product: Literal["prefixes", "openvpn", "wireguard", "aws-client-vpn"] = "prefixes"
    """How the list is written: plain ranges, lines of an OpenVPN server, lines of a WireGuard peer, AWS Client VPN."""


class Vpn(PooledFormat[VpnOptions]):
    """One list of addresses, each a range of its own."""

    target = "export:vpn"
    title = "VPN split tunnel"
    options = VpnOptions
    file = ".vpn"
    state = "none: the same ranges lead there and back"
    refuses = (
        "What is in no range does not go through the tunnel, private destinations too; the list itself stops nothing."
    )
    limits = (ROUTES, RULES)
    open_ports = "at every port"
    means = (
        by_address(
            "Split-tunnel routes",
            Evidence("documented", _OPENVPN, READ_ON),
            needs=(
                KEEPS,
                Claim("a filter behind the tunnel that knows ports, such as export:nftables", _OPENVPN, READ_ON),
            ),
            opens=(Claim("every port, protocol and name on the addresses of the hosts", _OPENVPN, READ_ON),),
            sight="address",
        ),
    )

    def render(self, entries: Sequence[Entry], options: VpnOptions) -> Rendering:
        made = super().render(entries, options)
        count = len(made.objects[0].body.get("ranges", ())) if options.product == "aws-client-vpn" else 0
        usage = (Usage(ROUTES, count), Usage(RULES, count))
        return Rendering(objects=made.objects, rules=made.rules, findings=made.findings, usage=usage)

    def remarks(self, options: VpnOptions) -> Iterator[Finding]:
        yield from super().remarks(options)
        if options.from_:
            whose = ", ".join(map(str, options.from_))
            yield finding(
                "clients-unsaid", f"No range of it is for {whose} alone: it holds for every client that gets it."
            )

    def body(self, entries: Sequence[Entry], options: VpnOptions) -> Mapping[str, Any]:
        hosts: dict[str, set[str]] = {}
        for each in openings(entries, options):
            hosts.setdefault(each.address, set()).update(each.hosts)
        ranges = [
            {"range": f"{address}/{128 if ':' in address else 32}", "hosts": sorted(names)}
            for address, names in hosts.items()
        ]
        return {"product": options.product, **({"ranges": ranges} if ranges else {})}

    def text(self, body: Mapping[str, Any], head: Sequence[str]) -> str:
        rows = body.get("ranges", ())
        if body["product"] == "aws-client-vpn":
            told = [(row["range"], " ".join(row["hosts"])[:255]) for row in rows]
            routes = [{"DestinationCidrBlock": cidr, "Description": hosts} for cidr, hosts in told]
            rules = [{"TargetNetworkCidr": cidr, "Description": hosts} for cidr, hosts in told]
            return json.dumps({"routes": routes, "authorizationRules": rules}, indent=2) + "\n"
        lines = [f"# {line}" for line in head]
        for row in rows:
            lines += [f"# {' '.join(row['hosts'])}", _line(body["product"], row["range"])]
        return "\n".join(lines) + "\n"

    def place(self, objects: Sequence[CloudObject], options: VpnOptions) -> Place:
        (made,) = objects
        steps = [
            Step(
                action="allow",
                rule=f"{made.name}#{row['hosts'][0]}",
                why="its address goes through the tunnel",
                box=Box(address=networks([row["range"]])),
            )
            for row in made.body.get("ranges", ())
        ]
        stage = Stage("routes", tuple(steps), closed("no route leads it through the tunnel"))
        # Whom the list is meant for; a client that is another and gets it has the ranges all the same.
        return Place(self.target, made.name, (stage,), clients=clients_of(options.from_), led="assumed", kind="tunnel")


def _line(product: str, cidr: str) -> str:
    if product == "wireguard":
        return f"AllowedIPs = {cidr}"
    if product == "openvpn":
        where = f"route-ipv6 {cidr}" if ":" in cidr else f"route {cidr.removesuffix('/32')} 255.255.255.255"
        return f'push "{where}"'
    return cidr


MECHANISM = Vpn()
