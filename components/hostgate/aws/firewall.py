"""What stands around the plan's groups, as API bodies: managed groups before them, firewall, its logs, and the share.

Managed groups come first: a matching pass ends inspection for the whole stream (AWS best practices, firewall policy), so
behind the allow rules they would see nothing that is allowed. A drop of theirs only narrows. A pass of theirs opens
wherever the group stands, since it acts before the policy's default: no order makes such a group safe.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hostgate.aws.default_actions import remarks as default_action_remarks
from hostgate.aws.firewall_kinds import ENDPOINT, FIREWALL, LOGGING, POLICY, RULE_GROUP, SHARE, plan_arn
from hostgate.aws.network_firewall_options import NetworkFirewallOptions
from hostgate.aws.policy_options import FirewallSection, priorities_of
from hostgate.planning.findings import Finding, finding
from hostgate.planning.mechanism import CloudObject
from hostgate.planning.targets import is_computed

_AWS_OWNED = ":aws-managed:"
"""In the ARN of a rule group that AWS maintains."""


def managed_references(options: NetworkFirewallOptions) -> list[dict[str, Any]]:
    """References of the managed groups, by priority."""
    found = []
    for group, priority in zip(options.managed_groups, options.managed_priorities, strict=True):
        reference: dict[str, Any] = {"ResourceArn": group.arn, "Priority": priority}
        if group.override is not None:
            reference["Override"] = {"Action": group.override}
        found.append(reference)
    return sorted(found, key=lambda reference: int(reference["Priority"]))


def stateless(options: NetworkFirewallOptions) -> dict[str, Any]:
    """What the policy does with each packet by itself: its stateless groups, then the hand-over to the stateful engine."""
    defaults = ["aws:forward_to_sfe", *sorted(options.stateless_custom_actions)]
    found: dict[str, Any] = {
        "StatelessDefaultActions": defaults,
        "StatelessFragmentDefaultActions": list(defaults),
    }
    if options.stateless_groups:
        pairs = zip(options.stateless_groups, priorities_of(options.stateless_groups), strict=True)
        listed: list[dict[str, Any]] = [{"ResourceArn": group.arn, "Priority": priority} for group, priority in pairs]
        found["StatelessRuleGroupReferences"] = sorted(listed, key=lambda each: int(each["Priority"]))
    if options.stateless_custom_actions:
        found["StatelessCustomActions"] = [
            {
                "ActionName": name,
                "ActionDefinition": {"PublishMetricAction": {"Dimensions": [{"Value": value}]}},
            }
            for name, value in sorted(options.stateless_custom_actions.items())
        ]
    return found


def beside(options: NetworkFirewallOptions, tags: Mapping[str, str]) -> dict[str, Any]:
    """What an object has beside its own: the key that encrypts it, and tags."""
    found: dict[str, Any] = {}
    if (key := options.encryption_configuration) is not None:
        found["EncryptionConfiguration"] = {"Type": key.type, **({"KeyId": key.key_id} if key.key_id else {})}
    if every := options.tags_of(tags):
        found["Tags"] = [{"Key": name, "Value": value} for name, value in every.items()]
    return found


def around(options: NetworkFirewallOptions, groups: Sequence[CloudObject]) -> Iterator[CloudObject]:
    """Firewall, logging configuration and share, as far as the options ask for them."""
    if options.firewall is not None:
        name = f"{options.stem}-firewall"
        arn = plan_arn(FIREWALL, name)
        yield CloudObject(kind=FIREWALL, name=name, body=_firewall(options, options.firewall, name))
        for index, each in enumerate(options.endpoint_associations):
            kind = {"IPAddressType": each.ip_address_type} if each.ip_address_type else {}
            endpoint: dict[str, Any] = {
                "FirewallArn": arn,
                "VpcId": each.vpc_id,
                "SubnetMapping": {"SubnetId": each.subnet_id, **kind},
                "Description": "hostgate: only the hosts of the catalogs",
            }
            if tags := options.tags_of(options.firewall_tags):
                endpoint["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
            label = index if is_computed(each.subnet_id) else each.subnet_id
            yield CloudObject(kind=ENDPOINT, name=f"{options.stem}-endpoint-{label}", body=endpoint)
        if options.logging:
            configured = sorted(options.logging, key=lambda each: each.log_type)
            destinations = [
                {
                    "LogType": each.log_type,
                    "LogDestinationType": each.log_destination_type,
                    "LogDestination": dict(sorted(each.log_destination.items())),
                }
                for each in configured
            ]
            body = {"FirewallArn": arn, "LoggingConfiguration": {"LogDestinationConfigs": destinations}}
            yield CloudObject(kind=LOGGING, name=f"{options.stem}-logs", body=body)
    if options.share is not None:
        name = f"{options.stem}-share"
        shared: dict[str, Any] = {
            "name": name,
            "resourceArns": [plan_arn(RULE_GROUP, group.name) for group in groups],
            "principals": sorted(options.share.principals),
            "allowExternalPrincipals": options.share.allow_external_principals,
        }
        if options.tags:
            shared["tags"] = [{"key": key, "value": value} for key, value in sorted(options.tags.items())]
        yield CloudObject(kind=SHARE, name=name, body=shared)


def _firewall(options: NetworkFirewallOptions, wanted: FirewallSection, name: str) -> dict[str, Any]:
    body: dict[str, Any] = {
        "FirewallName": name,
        "FirewallPolicyArn": plan_arn(POLICY, options.stem),
        "Description": "hostgate: only the hosts of the catalogs",
        "DeleteProtection": wanted.delete_protection,
        "FirewallPolicyChangeProtection": wanted.firewall_policy_change_protection,
    }
    if wanted.vpc_id is not None:
        body["VpcId"] = wanted.vpc_id
        body["SubnetMappings"] = [
            {"SubnetId": each.subnet_id, **({"IPAddressType": each.ip_address_type} if each.ip_address_type else {})}
            for each in wanted.subnet_mappings
        ]
        body["SubnetChangeProtection"] = wanted.subnet_change_protection
    else:
        body["TransitGatewayId"] = wanted.transit_gateway_id
        body["AvailabilityZoneMappings"] = [{"AvailabilityZone": each} for each in wanted.availability_zone_ids]
        body["AvailabilityZoneChangeProtection"] = wanted.availability_zone_change_protection
    return body | beside(options, options.firewall_tags)


def remarks_around(options: NetworkFirewallOptions) -> Iterator[Finding]:
    """The findings that follow from default actions, managed groups, TLS inspection and the firewall."""
    yield from (finding(id_, message) for id_, message in default_action_remarks(options.default_actions))
    ours = [_short(each.arn) for each in options.managed_groups if _AWS_OWNED in each.arn]
    foreign = [_short(each.arn) for each in options.managed_groups if _AWS_OWNED not in each.arn]
    if options.managed_groups:
        silent = options.mode == "audit" or options.deny == "none"
        yield finding(
            "managed-groups",
            f"{', '.join([*ours, *foreign])}: judged before every rule of the plan, which does not read them. What they drop is "
            f"cut though {'nothing of the plan drops' if silent else 'the catalog allows it'}; their capacity counts towards the "
            "policy's 30,000 units, unseen here.",
        )
    if foreign:
        yield finding(
            "foreign-groups",
            f"{', '.join(foreign)}: not of AWS. If such a group holds a pass, that opens what it names, at any priority.",
        )
    if options.stateless_groups:
        yield finding(
            "stateless-groups",
            f"{', '.join(_short(each.arn) for each in options.stateless_groups)}: judge each packet before every rule of the plan, "
            "which does not read them. A pass of theirs opens what it names to anybody, past the hosts, uninspected and unlogged; "
            "what they drop is cut though the catalog allows it.",
        )
    if options.tls_inspection is not None:
        yield finding(
            "tls-inspection",
            "In its scope the firewall drops TLS without a server name and whatever is not TLS, in audit mode too. Clients must "
            "trust its CA; pinned certificates break. The rules of the plan were not tried behind it.",
        )
    if options.firewall is not None:
        yield finding(
            "home-net",
            f"HOME_NET of the policy is {', '.join(options.home_net)}. Clients outside (100.64.0.0/10, public ranges of a VPC) "
            "reach no host. AWS's own default, the firewall's VPC, would leave out every spoke of an inspection VPC.",
        )


def _short(arn: str) -> str:
    return arn.rpartition("/")[2]
