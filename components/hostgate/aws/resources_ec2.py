"""Resource types of Amazon EC2 that decide where packets go, and by which addresses."""

from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from typing import Any, Final

from hostgate.planning.resource_types import ResourceType
from hostgate.planning.shapes import InputProblem, Record, Text, filled, inner

# As of 2026-11-23.
API: Final = "Amazon EC2 API reference, CreateRoute"

ROUTE: Final = "aws:ec2/route:Route"

DESTINATIONS: Final = ("destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId")
TARGETS: Final = (
    "carrierGatewayId", "coreNetworkArn", "egressOnlyGatewayId", "gatewayId", "localGatewayId", "natGatewayId",
    "networkInterfaceId", "odbNetworkArn", "transitGatewayId", "vpcEndpointId", "vpcPeeringConnectionId",
)  # fmt: skip


def _one_of_each(inputs: Mapping[str, Any], path: str) -> Iterator[InputProblem]:
    for keys, what in ((DESTINATIONS, "one destination"), (TARGETS, "one target")):
        given = [key for key in keys if filled(inputs, key)]
        if len(given) != 1:
            found = ", ".join(given) or "none"
            yield InputProblem(what, path=path, found=found, allowed=f"exactly one of {', '.join(keys)}", source=API)


def _ranges(inputs: Mapping[str, Any], path: str) -> Iterator[InputProblem]:
    for key, version in (("destinationCidrBlock", 4), ("destinationIpv6CidrBlock", 6)):
        value = inputs.get(key)
        if not isinstance(value, str):
            continue
        try:
            fits = ip_network(value).version == version
        except ValueError:
            fits = False
        if not fits:
            yield InputProblem(
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
