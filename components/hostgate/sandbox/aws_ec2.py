"""Simulated Amazon EC2, as far as a firewall needs it: routes to its endpoints; the type and how it lives.

Route tables are taken as given, and so is every target but a VPC endpoint: those are of firewalls that this cloud holds.
"""

from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from typing import Any, Final

from hostgate.sandbox.clouds import ResourceType
from hostgate.sandbox.lifecycle import Account, Ask, Inputs, Lifecycle, digest_of
from hostgate.sandbox.preview_problems import PreviewProblem
from hostgate.sandbox.shapes import Record, Text, filled, inner

# As of 2026-11-23.
API: Final = "Amazon EC2 API reference, CreateRoute"

ROUTE: Final = "aws:ec2/route:Route"
_FIREWALL: Final = "aws:networkfirewall/firewall:Firewall"

DESTINATIONS: Final = ("destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId")
TARGETS: Final = (
    "carrierGatewayId", "coreNetworkArn", "egressOnlyGatewayId", "gatewayId", "localGatewayId", "natGatewayId",
    "networkInterfaceId", "odbNetworkArn", "transitGatewayId", "vpcEndpointId", "vpcPeeringConnectionId",
)  # fmt: skip


def _one_of_each(inputs: Mapping[str, Any], path: str) -> Iterator[PreviewProblem]:
    for keys, what in ((DESTINATIONS, "one destination"), (TARGETS, "one target")):
        given = [key for key in keys if filled(inputs, key)]
        if len(given) != 1:
            found = ", ".join(given) or "none"
            yield PreviewProblem(what, path=path, found=found, allowed=f"exactly one of {', '.join(keys)}", source=API)


def _ranges(inputs: Mapping[str, Any], path: str) -> Iterator[PreviewProblem]:
    for key, version in (("destinationCidrBlock", 4), ("destinationIpv6CidrBlock", 6)):
        value = inputs.get(key)
        if not isinstance(value, str):
            continue
        try:
            fits = ip_network(value).version == version
        except ValueError:
            fits = False
        if not fits:
            yield PreviewProblem(
                "no range", path=inner(path, key), found=value, allowed=f"an IPv{version} CIDR", source=API
            )


TYPES: Final = (
    ResourceType(
        ROUTE,
        Record(
            {
                "routeTableId": Text(r"rtb-[0-9a-f]+", "rtb- and hex digits", source=API),
                "region": Text(),
                **dict.fromkeys((*DESTINATIONS, *TARGETS), Text()),
            },
            ("routeTableId",),
            (_one_of_each, _ranges),
        ),
        computed=("instanceId", "instanceOwnerId", "origin", "state"),
    ),
)


def _id(inputs: Inputs, account: Account) -> str:
    destination = next(str(inputs[key]) for key in DESTINATIONS if inputs.get(key))
    region = inputs.get("region") or account.region
    return f"r-{inputs['routeTableId']}{digest_of(region, destination, digits=10)}"


def _computed(ask: Ask) -> dict[str, Any]:  # noqa: ARG001
    return {"instanceId": "", "instanceOwnerId": "", "origin": "CreateRoute", "state": "active"}


def _endpoint_exists(ask: Ask) -> Iterator[str]:
    wanted = ask.held.inputs.get("vpcEndpointId")
    if ask.writes and wanted and wanted not in set(_endpoints(ask)):
        yield f"InvalidVpcEndpointId.NotFound: the VPC endpoint {wanted} does not exist"


def _endpoints(ask: Ask) -> Iterator[str]:
    for firewall in ask.now.objects(_FIREWALL):
        for status in firewall.computed.get("firewallStatuses") or ():
            for state in status["syncStates"]:
                yield from (each["endpointId"] for each in state["attachments"])


LIFECYCLES: Final[Mapping[str, Lifecycle]] = {
    ROUTE: Lifecycle(
        place=_id,
        name="routeTableId",
        replaces=("routeTableId", "region", *DESTINATIONS),
        computed=_computed,
        rules=(_endpoint_exists,),
    )
}
