"""How AWS Network Firewall's objects live: ARNs, what replaces them, and what the service refuses at call time."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from hostgate.aws.resources_ec2 import SUBNET
from hostgate.aws.resources_firewall import ENDPOINT, FIREWALL, FIREWALL_POLICY, LOGGING, RULE_GROUP
from hostgate.sandbox import aws_ec2, aws_ram
from hostgate.sandbox.lifecycle import Account, Ask, CallRule, Inputs, Lifecycle, at, digest_of, fixed

_INVALID: Final = "InvalidRequestException"


def _arn(kind: str) -> "_Place":
    return _Place(kind)


class _Place:
    """ARNs of one kind, e.g. stateful-rulegroup."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __call__(self, inputs: Inputs, account: Account) -> str:
        kind = self.kind.replace("stateful", "stateless") if inputs.get("type") == "STATELESS" else self.kind
        region = inputs.get("region") or account.region
        return f"arn:aws:network-firewall:{region}:{account.number}:{kind}/{inputs['name']}"


def region_of(ask: Ask) -> str:
    return str(ask.held.inputs.get("region") or ask.account.region)


def arn_and_tags(ask: Ask, service: str, kind: str) -> dict[str, Any]:
    """What the provider says of every object that has an id of its own and tags."""
    arn = f"arn:aws:{service}:{region_of(ask)}:{ask.account.number}:{kind}/{ask.held.id}"
    return {"arn": arn, "region": region_of(ask), "tagsAll": ask.held.inputs.get("tags") or {}}


def _computed(ask: Ask) -> dict[str, Any]:
    return {
        "arn": ask.held.id,
        "region": ask.held.id.split(":")[3],
        "tagsAll": ask.held.inputs.get("tags") or {},
        "updateToken": digest_of(ask.held.id, ask.held.inputs, digits=32),
    }


def _firewall_computed(ask: Ask) -> dict[str, Any]:
    """With an endpoint for each subnet or zone. The zone of a subnet that nobody here made is made up: a, b, c in the order
    given."""
    region, inputs = ask.held.id.split(":")[3], ask.held.inputs
    subnets = [str(each["subnetId"]) for each in inputs.get("subnetMappings") or ()]
    places = [
        (_zone_of(ask, subnet) or f"{region}{chr(ord('a') + index)}", subnet) for index, subnet in enumerate(subnets)
    ]
    places += [(str(each["availabilityZoneId"]), "") for each in inputs.get("availabilityZoneMappings") or ()]
    states = [
        {
            "availabilityZone": zone,
            "attachments": [
                {"endpointId": f"vpce-{digest_of(ask.held.id, subnet or zone, digits=17)}", "subnetId": subnet}
            ],
        }
        for zone, subnet in places
    ]
    gateway = inputs.get("transitGatewayId")
    attached = [{"attachmentId": f"tgw-attach-{digest_of(ask.held.id, gateway, digits=17)}"}] if gateway else []
    return {
        **_computed(ask),
        "firewallStatuses": [{"syncStates": states, "transitGatewayAttachmentSyncStates": attached}],
        "transitGatewayOwnerAccountId": ask.account.number if gateway else "",
    }


def _endpoint_computed(ask: Ask) -> dict[str, Any]:
    """An endpoint in a zone, which is made up."""
    arn = ask.held.id
    region, subnet = arn.split(":")[3], ask.held.inputs["subnetMapping"]["subnetId"]
    attachment = {"endpointId": f"vpce-{digest_of(arn, subnet, digits=17)}", "subnetId": subnet, "status": "READY"}
    state = {"availabilityZone": f"{region}a", "attachments": [{**attachment, "statusMessage": ""}]}
    return {
        "region": region,
        "tagsAll": ask.held.inputs.get("tags") or {},
        "vpcEndpointAssociationArn": arn,
        "vpcEndpointAssociationId": arn.rpartition("/")[2],
        "vpcEndpointAssociationStatuses": [{"associationSyncStates": [state]}],
    }


def _endpoint_place(inputs: Inputs, account: Account) -> str:
    region = inputs.get("region") or account.region
    number = digest_of(inputs["firewallArn"], inputs["subnetMapping"]["subnetId"], digits=17)
    return f"arn:aws:network-firewall:{region}:{account.number}:vpc-endpoint-association/{number}"


def _zone_of(ask: Ask, subnet: str) -> str:
    """The zone that the stack gave the subnet; empty where it gave none, or is not the one that made it."""
    held = ask.now.get(SUBNET, subnet)
    return str(held.inputs.get("availabilityZone") or "") if held else ""


def _unused_on_delete(user: str, path: tuple[str, ...], words: str) -> CallRule:
    """The object cannot go while another refers to it at `path` (an ARN, or a list of references)."""

    def rule(ask: Ask) -> Iterator[str]:
        if ask.operation != "delete":
            return
        for other in ask.now.objects(user):
            if ask.held.id in _arns(at(other.inputs, path)):
                yield f"InvalidOperationException: {words} {other.name} uses it; take it out there first"

    return rule


def _arns(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    items = value if isinstance(value, list) else []
    return [str(item.get("resourceArn")) for item in items if isinstance(item, Mapping)]


def _references_exist(ask: Ask) -> Iterator[str]:
    """A policy refers to groups that exist and are of its own order (AWS guide, evaluation order)."""
    if not ask.writes:
        return
    policy = ask.held.inputs.get("firewallPolicy") or {}
    order = _order(at(policy, ("statefulEngineOptions", "ruleOrder")))
    groups = {held.id: held for held in ask.now.objects(RULE_GROUP)}
    for reference in policy.get("statefulRuleGroupReferences") or ():
        arn = str(reference.get("resourceArn"))
        if arn.split(":")[3:4] != ask.held.id.split(":")[3:4]:
            yield f"InvalidRequestException: rule group ARN is invalid, parameter: [{arn}]; the policy is of another Region"
            continue
        if _somebody_elses(arn, ask.account):
            continue
        if reference.get("override"):
            yield f"InvalidRequestException: rule group must be a managed resource, parameter: [{arn}]"
        if arn not in groups:
            yield f"ResourceNotFoundException: rule group {arn} does not exist"
            continue
        theirs = _order(at(groups[arn].inputs, ("ruleGroup", "statefulRuleOptions", "ruleOrder")))
        if theirs != order:
            yield f"InvalidRequestException: the policy is in {order}, and {groups[arn].name} in {theirs}"


def _somebody_elses(arn: str, account: Account) -> bool:
    """Of AWS, or of another account that shares it: nothing is known of such a group here."""
    return arn.split(":")[4:5] != [account.number]


def _tls_inspection_stays(ask: Ask) -> Iterator[str]:
    """AWS developer guide, updating a firewall policy: it can be changed for another, not added and not removed."""
    path = ("firewallPolicy", "tlsInspectionConfigurationArn")
    if ask.operation == "update" and ask.before:
        before, after = at(ask.before.inputs, path), at(ask.held.inputs, path)
        if bool(before) != bool(after):
            yield "InvalidRequestException: a TLS inspection configuration cannot be added to a policy or removed from it"


def _policy_exists(ask: Ask) -> Iterator[str]:
    arn = ask.held.inputs.get("firewallPolicyArn")
    if ask.writes and arn not in {held.id for held in ask.now.objects(FIREWALL_POLICY)}:
        yield f"ResourceNotFoundException: firewall policy {arn} does not exist"


def _firewall_exists(ask: Ask) -> Iterator[str]:
    arn = ask.held.inputs.get("firewallArn")
    if ask.writes and arn not in {held.id for held in ask.now.objects(FIREWALL)}:
        yield f"ResourceNotFoundException: firewall {arn} does not exist"


def _not_protected(ask: Ask) -> Iterator[str]:
    if ask.operation == "delete" and ask.held.inputs.get("deleteProtection"):
        yield "InvalidOperationException: delete protection is on"


def _protected(flag: str, names: tuple[str, ...], words: str) -> CallRule:
    """What cannot change while its protection is on. The provider sets the protection first, so one call may turn it off
    with a change, and not on."""

    def rule(ask: Ask) -> Iterator[str]:
        if ask.operation != "update" or not ask.before or not ask.held.inputs.get(flag):
            return
        if any(ask.before.inputs.get(key) != ask.held.inputs.get(key) for key in names):
            yield f"InvalidOperationException: {words}"

    return rule


def _address_types_stay(ask: Ask) -> Iterator[str]:
    """The address type of a subnet's endpoint cannot change (API reference, SubnetMapping)."""
    if ask.operation != "update" or not ask.before:
        return
    before = {each["subnetId"]: each.get("ipAddressType") for each in ask.before.inputs.get("subnetMappings") or ()}
    for each in ask.held.inputs.get("subnetMappings") or ():
        if each["subnetId"] in before and before[each["subnetId"]] != each.get("ipAddressType"):
            yield f"InvalidRequestException: the IP address type of {each['subnetId']} cannot change"


def _order(value: object) -> str:
    return str(value or "DEFAULT_ACTION_ORDER")


LIFECYCLES: Final[Mapping[str, Lifecycle]] = {
    RULE_GROUP: Lifecycle(
        place=_arn("stateful-rulegroup"),
        name="name",
        computed=_computed,
        rules=(
            fixed("name", "type", "capacity", says=_INVALID),
            _unused_on_delete(FIREWALL_POLICY, ("firewallPolicy", "statefulRuleGroupReferences"), "firewall policy"),
            _unused_on_delete(FIREWALL_POLICY, ("firewallPolicy", "statelessRuleGroupReferences"), "firewall policy"),
        ),
    ),
    FIREWALL_POLICY: Lifecycle(
        place=_arn("firewall-policy"),
        name="name",
        computed=_computed,
        rules=(
            fixed("name", says=_INVALID),
            _references_exist,
            _tls_inspection_stays,
            _unused_on_delete(FIREWALL, ("firewallPolicyArn",), "firewall"),
        ),
    ),
    FIREWALL: Lifecycle(
        place=_arn("firewall"),
        name="name",
        computed=_firewall_computed,
        rules=(
            fixed("name", "vpcId", "transitGatewayId", says=_INVALID),
            _policy_exists,
            _not_protected,
            _unused_on_delete(ENDPOINT, ("firewallArn",), "VPC endpoint association"),
            _protected("firewallPolicyChangeProtection", ("firewallPolicyArn",), "policy change protection is on"),
            _protected("subnetChangeProtection", ("subnetMappings",), "subnet change protection is on"),
            _protected(
                "availabilityZoneChangeProtection",
                ("availabilityZoneMappings",),
                "Availability Zone change protection is on",
            ),
            _address_types_stay,
        ),
    ),
    ENDPOINT: Lifecycle(
        place=_endpoint_place, name="firewallArn", computed=_endpoint_computed, rules=(_firewall_exists,)
    ),
    LOGGING: Lifecycle(
        place=lambda inputs, _: str(inputs["firewallArn"]),
        name="firewallArn",
        rules=(_firewall_exists,),
    ),
    **aws_ram.LIFECYCLES,
    **aws_ec2.LIFECYCLES,
}
