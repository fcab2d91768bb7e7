"""Simulated Amazon EC2, as far as a firewall needs it: routes to its endpoints.

Route tables are taken as given, and so is every target but a VPC endpoint: those are of what this cloud holds.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from hostgate.aws.resources_ec2 import DESTINATIONS, ROUTE
from hostgate.aws.resources_firewall import FIREWALL
from hostgate.sandbox.lifecycle import Account, Ask, Inputs, Lifecycle, digest_of


def _id(inputs: Inputs, account: Account) -> str:
    destination = next(str(inputs[key]) for key in DESTINATIONS if inputs.get(key))
    region = inputs.get("region") or account.region
    return f"r-{inputs['routeTableId']}{digest_of(region, destination, digits=10)}"


def _computed(ask: Ask) -> dict[str, Any]:  # noqa: ARG001
    return {"instanceId": "", "instanceOwnerId": "", "origin": "CreateRoute", "state": "active"}


def _endpoint_exists(ask: Ask) -> Iterator[str]:
    wanted = ask.held.inputs.get("vpcEndpointId")
    if ask.writes and wanted and wanted not in set(_endpoints(ask)) and not _goes_by(ask, str(wanted)):
        yield f"InvalidVpcEndpointId.NotFound: the VPC endpoint {wanted} does not exist"


def _goes_by(ask: Ask, endpoint: str) -> bool:
    """Whether an object that is not simulated has the endpoint: one of a service, or of an association with a firewall."""
    return any(endpoint in (each.id, *re.findall(r"vpce-\w+", str(each.computed))) for each in ask.now.objects())


def _endpoints(ask: Ask) -> Iterator[str]:
    for firewall in ask.now.objects(FIREWALL):
        for status in firewall.computed.get("firewallStatuses") or ():
            for state in status["syncStates"]:
                yield from (each["endpointId"] for each in state["attachments"])


LIFECYCLES: Final[Mapping[str, Lifecycle]] = {
    ROUTE: Lifecycle(
        place=_id,
        name="routeTableId",
        computed=_computed,
        rules=(_endpoint_exists,),
    )
}
