"""Resource types of AWS Network Firewall: rule groups, policies, firewalls, logging; what the service takes."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from hostgate.aws import firewall_kinds
from hostgate.aws.firewall_limits import GROUP_CAPACITY, IP_SET_REFERENCES, POLICY_GROUPS, QUOTAS
from hostgate.aws.rule_text_checks import MEASURED, check_rules
from hostgate.aws.spelling import as_aws
from hostgate.flows.nodes import UNKNOWN
from hostgate.planning.resource_types import AutoName, ResourceType, fields, types_by_token
from hostgate.planning.shapes import (
    Anything,
    Entries,
    Flag,
    InputProblem,
    Items,
    Record,
    Shape,
    Text,
    Whole,
    filled,
    inner,
    known_list,
    shown,
)
from hostgate.suricata.reader import read_rules

# Sources, each as of 2026-11-23.
API: Final = "AWS Network Firewall API reference"
ORDER: Final = "AWS Network Firewall developer guide: rule evaluation order"
DOMAINS: Final = "AWS Network Firewall developer guide: stateful domain list rule groups"
MANAGED: Final = "AWS Network Firewall developer guide: AWS managed rule groups"
PROVIDER: Final = "terraform-provider-aws, internal/service/networkfirewall"

RULE_GROUP: Final = "aws:networkfirewall/ruleGroup:RuleGroup"
FIREWALL_POLICY: Final = "aws:networkfirewall/firewallPolicy:FirewallPolicy"
FIREWALL: Final = "aws:networkfirewall/firewall:Firewall"
ENDPOINT: Final = "aws:networkfirewall/vpcEndpointAssociation:VpcEndpointAssociation"
LOGGING: Final = "aws:networkfirewall/loggingConfiguration:LoggingConfiguration"

ANY = Anything()
NAME = Text(r"[a-zA-Z0-9-]+", "letters, digits and hyphens", fewest=1, most=128, source=API)
DESCRIPTION = Text(most=512, source=API)
TAGS = Entries(Text())
COMMON: Final[Mapping[str, Shape]] = {
    "name": NAME,
    "description": DESCRIPTION,
    "region": Text(),
    "tags": TAGS,
    "encryptionConfiguration": Record(
        {
            "keyId": Text(r"(?s).*\S.*", "no blanks alone", fewest=1, most=2048, source=API),
            "type": Text(one_of=("CUSTOMER_KMS", "AWS_OWNED_KMS_KEY"), source=API),
        },
        ("type",),
    ),
}
VARIABLE = Text(r"[A-Za-z][A-Za-z0-9_]*", "a letter, then letters, digits, _", fewest=1, most=32, source=API)
ORDERS = Text(one_of=("STRICT_ORDER", "DEFAULT_ACTION_ORDER"), source=API)
ARN = Text(r"arn:.+", "an ARN", source=API)
METRIC = Text(r"[a-zA-Z0-9_ -]+", "letters, digits, _ - and blanks", fewest=1, most=128, source=API)

PLAIN_ESTABLISHED: Final = frozenset({"aws:drop_established", "aws:alert_established"})
APP_LAYER: Final = frozenset(
    f"aws:{verb}_established_app_layer{where}" for verb in ("drop", "alert") for where in ("", "_to_server")
)


def _one_rules_source(group: Mapping[str, Any], path: str) -> Iterator[InputProblem]:
    kinds = ("rulesString", "rulesSourceList", "statefulRules", "statelessRulesAndCustomActions")
    given = [kind for kind in kinds if filled(group, kind)]
    if len(given) != 1:
        found = ", ".join(given) or "none"
        yield InputProblem(
            "one kind of rules", path=path, found=found, allowed=f"exactly one of {', '.join(kinds)}", source=API
        )


def _domain_targets(listed: Mapping[str, Any], path: str) -> Iterator[InputProblem]:
    for index, target in known_list(listed, "targets"):
        if not isinstance(target, str):
            continue
        labels = target.removeprefix(".").split(".")
        legal = all(
            label and len(label) <= 63 and label.replace("-", "a").replace("_", "a").isalnum() for label in labels
        )
        if "://" in target or "*" in target or not legal or len(target) > 255:
            where = f"{inner(path, 'targets')}[{index}]"
            allowed = "a domain name, or .name for the name and all below it; no *, no scheme"
            yield InputProblem("not a domain target", path=where, found=shown(target), allowed=allowed, source=MEASURED)


def _group_rules(inputs: Mapping[str, Any], path: str) -> Iterator[InputProblem]:
    if filled(inputs, "rules") == filled(inputs, "ruleGroup"):
        found = "both" if filled(inputs, "rules") else "neither"
        yield InputProblem("one of two", path=path, found=found, allowed="exactly one of rules, ruleGroup", source=API)
    group = inputs.get("ruleGroup")
    group = group if isinstance(group, Mapping) else {}
    source = group.get("rulesSource")
    source = source if isinstance(source, Mapping) else {}
    stateless = filled(source, "statelessRulesAndCustomActions")
    kind = inputs.get("type")
    if isinstance(kind, str) and source and stateless != (kind == "STATELESS"):
        allowed = "STATELESS" if stateless else "STATEFUL"
        yield InputProblem("type and rules differ", path="type", found=kind, allowed=allowed, source=API)
    rules, where = (source.get("rulesString"), "ruleGroup.rulesSource.rulesString")
    if filled(inputs, "rules"):
        rules, where = inputs["rules"], "rules"
    if isinstance(rules, str):
        yield from check_rules(rules, where, group, strict=order_of_group(group) == "STRICT_ORDER")
        yield from _capacity(inputs, len(read_rules(rules)), "1 unit per rule line", QUOTAS)
    listed = source.get("rulesSourceList")
    if isinstance(listed, Mapping):
        targets, types = listed.get("targets"), listed.get("targetTypes")
        if isinstance(targets, list) and isinstance(types, list) and targets:
            # The sources differ by a few units; this is the least that any of them gives, so nothing legal is refused.
            least = len(targets) * len(types) + (1 if "HTTP_HOST" in types else 0)
            yield from _capacity(inputs, least, "at least the targets times the target types", DOMAINS)


def _capacity(inputs: Mapping[str, Any], used: int, rule: str, source: str) -> Iterator[InputProblem]:
    capacity = inputs.get("capacity")
    if isinstance(capacity, int | float) and used > capacity:
        allowed = f"{used} or more units ({rule}); it cannot change later"
        yield InputProblem("capacity exceeded", path="capacity", found=shown(capacity), allowed=allowed, source=source)


def order_of_group(group: Mapping[str, Any]) -> object:
    """The rule order that a rule group says or has by default; may be `UNKNOWN`."""
    options = group.get("statefulRuleOptions")
    order = options.get("ruleOrder") if isinstance(options, Mapping) else options
    return order if order is UNKNOWN else order or "DEFAULT_ACTION_ORDER"


_STATELESS_MATCH: Final = (
    "protocols", "sources[].addressDefinition", "destinations[].addressDefinition", "sourcePorts[].fromPort",
    "sourcePorts[].toPort", "destinationPorts[].fromPort", "destinationPorts[].toPort", "tcpFlags[].flags", "tcpFlags[].masks",
)  # fmt: skip
IP_SET = Record(
    {"definitions": Items(Text(), fewest=1)}, ("definitions",), source=API, renamed={"definitions": "definition"}
)
RULES_SOURCE = Record(
    {
        "rulesString": Text(fewest=1),
        "rulesSourceList": Record(
            {
                "generatedRulesType": Text(one_of=("ALLOWLIST", "DENYLIST", "REJECTLIST", "ALERTLIST"), source=API),
                # A new target type must not be refused here: the service grows them (AWS_ROUTE_53_RESOLVED_DOMAIN).
                "targetTypes": Items(Text(r"[A-Z0-9_]+", "TLS_SNI | HTTP_HOST", source=API), fewest=1, unique=True),
                "targets": Items(Text(fewest=1), fewest=1, unique=True, source=MEASURED),
            },
            ("generatedRulesType", "targetTypes", "targets"),
            (_domain_targets,),
        ),
        "statefulRules": Items(
            fields(
                "action",
                "header.destination",
                "header.destinationPort",
                "header.direction",
                "header.protocol",
                "header.source",
                "header.sourcePort",
                "ruleOptions[].keyword",
                "ruleOptions[].settings",
            )
        ),
        "statelessRulesAndCustomActions": fields(
            "statelessRules[].priority",
            "statelessRules[].ruleDefinition.actions",
            *(f"statelessRules[].ruleDefinition.matchAttributes.{each}" for each in _STATELESS_MATCH),
            "customActions[].actionName",
            "customActions[].actionDefinition.publishMetricAction.dimensions[].value",
        ),
    },
    rules=(_one_rules_source,),
)
RULE_GROUP_TYPE = ResourceType(
    RULE_GROUP,
    Record(
        {
            **COMMON,
            "capacity": Whole(1, GROUP_CAPACITY.max, QUOTAS, "units"),
            "type": Text(one_of=("STATEFUL", "STATELESS"), source=API),
            "rules": Text(fewest=1),
            "ruleGroup": Record(
                {
                    "rulesSource": RULES_SOURCE,
                    "ruleVariables": Record(
                        {
                            "ipSets": Items(
                                Record({"key": VARIABLE, "ipSet": IP_SET}, ("key", "ipSet")),
                                unique_by=("key",),
                                keyed="ipSet",
                            ),
                            "portSets": Items(
                                Record({"key": VARIABLE, "portSet": IP_SET}, ("key", "portSet")),
                                unique_by=("key",),
                                keyed="portSet",
                            ),
                        }
                    ),
                    "referenceSets": Record(
                        {
                            "ipSetReferences": Items(
                                Record(
                                    {"key": VARIABLE, "ipSetReferences": Items(fields("referenceArn"))},
                                    ("key", "ipSetReferences"),
                                ),
                                most=IP_SET_REFERENCES.max,
                                keyed="ipSetReferences",
                                unique_by=("key",),
                                source=QUOTAS,
                            )
                        }
                    ),
                    "statefulRuleOptions": Record({"ruleOrder": ORDERS}, ("ruleOrder",)),
                },
                ("rulesSource",),
            ),
        },
        ("capacity", "type"),
        (_group_rules,),
        renamed={"name": "ruleGroupName"},
    ),
    computed=("arn", "tagsAll", "updateToken"),
    auto_name=AutoName("name"),
    # CloudFormation reference, `Update requires: Replacement` (2026-11-23); the order is the provider's (PROVIDER).
    replaces=("name", "type", "capacity", "region", "ruleGroup.statefulRuleOptions.ruleOrder"),
    kind=firewall_kinds.RULE_GROUP,
    spelled=as_aws,
)


def _stateless_defaults(policy: Mapping[str, Any], path: str) -> Iterator[InputProblem]:
    standard = ("aws:pass", "aws:drop", "aws:forward_to_sfe")
    for key in ("statelessDefaultActions", "statelessFragmentDefaultActions"):
        actions = [action for _, action in known_list(policy, key)]
        items = policy.get(key)
        whole = isinstance(items, list | tuple) and len(actions) == len(items)
        if whole and sum(action in standard for action in actions) != 1:
            found = ", ".join(map(str, actions)) or "none"
            allowed = f"exactly one of {' | '.join(standard)}"
            yield InputProblem("default action", path=inner(path, key), found=found, allowed=allowed, source=API)


def _stateful_defaults(policy: Mapping[str, Any], path: str) -> Iterator[InputProblem]:
    actions = [action for _, action in known_list(policy, "statefulDefaultActions") if isinstance(action, str)]
    where = inner(path, "statefulDefaultActions")
    for action in actions:
        # An unknown aws: value is not refused: the service adds default actions, and hard-coded lists broke (#1221 of
        # landing-zone-accelerator-on-aws).
        if not action.startswith("aws:"):
            yield InputProblem("default action", path=where, found=shown(action), allowed="aws:...", source=API)
    if actions and order_of_policy(policy) == "DEFAULT_ACTION_ORDER":
        found = f"{', '.join(actions)} in action order"
        allowed = "statefulEngineOptions.ruleOrder: STRICT_ORDER"
        yield InputProblem(
            "default actions need strict order", path=where, found=found, allowed=allowed, source=MEASURED
        )
    drops = [action for action in actions if action.startswith("aws:drop_")]
    if len(drops) > 1:
        yield InputProblem("drop actions", path=where, found=", ".join(drops), allowed="at most one", source=MEASURED)
    if PLAIN_ESTABLISHED & set(actions) and APP_LAYER & set(actions):
        allowed = "the established pair or an app-layer pair, not both"
        yield InputProblem(
            "default actions do not mix", path=where, found=", ".join(actions), allowed=allowed, source=MEASURED
        )
    if policy.get("enableTlsSessionHolding") is True and APP_LAYER & set(actions):
        allowed = "no app-layer default with TLS session holding"
        source = "AWS Network Firewall developer guide: limitations and caveats"
        yield InputProblem(
            "default actions do not mix", path=where, found=", ".join(actions), allowed=allowed, source=source
        )


def _session_holding(policy: Mapping[str, Any], path: str) -> Iterator[InputProblem]:
    if policy.get("enableTlsSessionHolding") is True and not filled(policy, "tlsInspectionConfigurationArn"):
        where = inner(path, "tlsInspectionConfigurationArn")
        allowed = "required when enableTlsSessionHolding is true"
        yield InputProblem("missing", path=where, found="nothing", allowed=allowed, source=MEASURED)


def _managed_orders(policy: Mapping[str, Any], path: str) -> Iterator[InputProblem]:
    """AWS publishes each of its groups twice, and names the order of each."""
    order = order_of_policy(policy)
    wanted = {"STRICT_ORDER": "StrictOrder", "DEFAULT_ACTION_ORDER": "ActionOrder"}.get(str(order))
    for index, reference in known_list(policy, "statefulRuleGroupReferences"):
        arn = reference.get("resourceArn") if isinstance(reference, Mapping) else None
        if not wanted or not isinstance(arn, str) or ":aws-managed:" not in arn:
            continue
        if arn.endswith(("StrictOrder", "ActionOrder")) and not arn.endswith(wanted):
            where = f"{inner(path, 'statefulRuleGroupReferences')}[{index}].resourceArn"
            found = f"{arn.rpartition('/')[2]} in a policy in {order}"
            yield InputProblem("rule orders differ", path=where, found=found, allowed=f"...{wanted}", source=MANAGED)


def order_of_policy(policy: Mapping[str, Any]) -> object:
    """The rule order that a policy says or has by default; may be `UNKNOWN`."""
    options = policy.get("statefulEngineOptions")
    order = options.get("ruleOrder") if isinstance(options, Mapping) else options
    return order if order is UNKNOWN else order or "DEFAULT_ACTION_ORDER"


def _reference_priorities(policy: Mapping[str, Any], path: str) -> Iterator[InputProblem]:
    if order_of_policy(policy) != "STRICT_ORDER":
        return
    for index, reference in known_list(policy, "statefulRuleGroupReferences"):
        if isinstance(reference, Mapping) and reference.get("priority") is None:
            where = f"{inner(path, 'statefulRuleGroupReferences')}[{index}].priority"
            allowed = "1 to 65535, because the policy is in strict order"
            yield InputProblem("missing", path=where, found="nothing", allowed=allowed, source=ORDER)


POLICY_TYPE = ResourceType(
    FIREWALL_POLICY,
    Record(
        {
            **COMMON,
            "firewallPolicy": Record(
                {
                    "statelessDefaultActions": Items(Text(), fewest=1, source=API),
                    "statelessFragmentDefaultActions": Items(Text(), fewest=1, source=API),
                    "statefulDefaultActions": Items(Text(), unique=True, source=API),
                    "statefulEngineOptions": Record(
                        {
                            "ruleOrder": ORDERS,
                            "streamExceptionPolicy": Text(one_of=("DROP", "CONTINUE", "REJECT"), source=API),
                            "flowTimeouts": Record({"tcpIdleTimeoutSeconds": Whole(60, 6000, API, "seconds")}),
                        }
                    ),
                    "statefulRuleGroupReferences": Items(
                        Record(
                            {
                                "resourceArn": ARN,
                                "priority": Whole(1, 65_535, QUOTAS),
                                "deepThreatInspection": ANY,
                                "override": Record({"action": Text(one_of=("DROP_TO_ALERT",), source=API)}),
                            },
                            ("resourceArn",),
                        ),
                        most=POLICY_GROUPS.max,
                        unique_by=("priority", "resourceArn"),
                        source=QUOTAS,
                    ),
                    "policyVariables": Record(
                        {
                            "ruleVariables": Items(
                                Record(
                                    {"key": Text(one_of=("HOME_NET",), source=MEASURED), "ipSet": IP_SET},
                                    ("key", "ipSet"),
                                ),
                                unique_by=("key",),
                                keyed="ipSet",
                                source=MEASURED,
                            )
                        }
                    ),
                    "enableTlsSessionHolding": Flag(),
                    "statelessCustomActions": Items(
                        Record(
                            {
                                "actionName": Text(
                                    r"[a-zA-Z0-9]+", "letters and digits", fewest=1, most=128, source=API
                                ),
                                "actionDefinition": Record(
                                    {
                                        "publishMetricAction": Record(
                                            {
                                                "dimensions": Items(
                                                    Record({"value": METRIC}, ("value",)), fewest=1, most=1
                                                )
                                            },
                                            ("dimensions",),
                                        )
                                    },
                                    ("publishMetricAction",),
                                ),
                            },
                            ("actionName", "actionDefinition"),
                        ),
                        unique_by=("actionName",),
                        source=API,
                    ),
                    "statelessRuleGroupReferences": Items(
                        Record({"resourceArn": ARN, "priority": Whole(1, 65_535, API)}, ("resourceArn", "priority")),
                        most=POLICY_GROUPS.max,
                        unique_by=("priority", "resourceArn"),
                        source=QUOTAS,
                    ),
                    "tlsInspectionConfigurationArn": ARN,
                },
                ("statelessDefaultActions", "statelessFragmentDefaultActions"),
                (_stateless_defaults, _stateful_defaults, _reference_priorities, _session_holding, _managed_orders),
            ),
        },
        ("firewallPolicy",),
        renamed={"name": "firewallPolicyName"},
    ),
    computed=("arn", "tagsAll", "updateToken"),
    auto_name=AutoName("name"),
    replaces=("name", "region", "firewallPolicy.statefulEngineOptions.ruleOrder"),
    kind=firewall_kinds.POLICY,
    spelled=as_aws,
)

_BODY: Final = POLICY_TYPE.inputs.fields["firewallPolicy"]
POLICY_SETTINGS: Final = frozenset(_BODY.fields if isinstance(_BODY, Record) else ())
"""Settings of a policy that are known here: of any other nobody knows what it does."""


def _attachment(inputs: Mapping[str, Any], path: str) -> Iterator[InputProblem]:
    keys = ("vpcId", "subnetMappings", "transitGatewayId", "availabilityZoneMappings")
    given = tuple(key for key in keys if filled(inputs, key))
    if given not in (keys[:2], keys[2:]):
        found = ", ".join(given) or "none"
        allowed = "vpcId with subnetMappings, or transitGatewayId with availabilityZoneMappings"
        yield InputProblem("where the firewall is", path=path, found=found, allowed=allowed, source=API)


DESTINATION_KEYS: Final = {
    "S3": (("bucketName",), ("prefix",)),
    "CloudWatchLogs": (("logGroup",), ()),
    "KinesisDataFirehose": (("deliveryStream",), ()),
}
"""Required and optional keys of a log destination, by its type."""


def _destination_keys(config: Mapping[str, Any], path: str) -> Iterator[InputProblem]:
    destination, kind = config.get("logDestination"), config.get("logDestinationType")
    if not isinstance(destination, Mapping) or not isinstance(kind, str) or kind not in DESTINATION_KEYS:
        return
    required, optional = DESTINATION_KEYS[kind]
    if not set(required) <= set(destination) or set(destination) - {*required, *optional}:
        allowed = f"{', '.join(required)}{f' and perhaps {optional[0]}' if optional else ''}"
        found = ", ".join(map(str, destination)) or "nothing"
        yield InputProblem(
            "log destination", path=inner(path, "logDestination"), found=found, allowed=allowed, source=API
        )


VPC_ID = Text(r"vpc-[0-9a-f]+", "vpc- and hex digits", source=API)
SUBNET = Record(
    {
        "subnetId": Text(r"subnet-[0-9a-f]+", "subnet- and hex digits", source=API),
        "ipAddressType": Text(one_of=("IPV4", "IPV6", "DUALSTACK"), source=API),
    },
    ("subnetId",),
)

FIREWALL_TYPE = ResourceType(
    FIREWALL,
    Record(
        {
            **COMMON,
            "firewallPolicyArn": ARN,
            "vpcId": VPC_ID,
            "subnetMappings": Items(SUBNET, unique_by=("subnetId",), source=API),
            "transitGatewayId": Text(r"tgw-[0-9a-z]+", "tgw- and letters or digits", source=API),
            "availabilityZoneMappings": Items(
                Record(
                    {"availabilityZoneId": Text(r"\S+", "no spaces", most=128, source=API)},
                    ("availabilityZoneId",),
                    renamed={"availabilityZoneId": "availabilityZone"},
                ),
                unique_by=("availabilityZoneId",),
                source=API,
            ),
            "deleteProtection": Flag(),
            "subnetChangeProtection": Flag(),
            "firewallPolicyChangeProtection": Flag(),
            "availabilityZoneChangeProtection": Flag(),
            "enabledAnalysisTypes": Items(Text(one_of=("TLS_SNI", "HTTP_HOST"), source=API), unique=True, source=API),
        },
        ("firewallPolicyArn",),
        (_attachment,),
        renamed={"name": "firewallName"},
    ),
    computed=("arn", "firewallStatuses", "tagsAll", "transitGatewayOwnerAccountId", "updateToken"),
    auto_name=AutoName("name"),
    replaces=("name", "vpcId", "transitGatewayId", "region"),
    kind=firewall_kinds.FIREWALL,
    spelled=as_aws,
)

LOGGING_TYPE = ResourceType(
    LOGGING,
    Record(
        {
            "firewallArn": ARN,
            "region": Text(),
            "enableMonitoringDashboard": Flag(),
            "loggingConfiguration": Record(
                {
                    "logDestinationConfigs": Items(
                        Record(
                            {
                                "logDestination": Entries(Text(fewest=1, most=1024, source=API)),
                                "logDestinationType": Text(
                                    one_of=("S3", "CloudWatchLogs", "KinesisDataFirehose"), source=API
                                ),
                                "logType": Text(one_of=("ALERT", "FLOW", "TLS"), source=API),
                            },
                            ("logDestination", "logDestinationType", "logType"),
                            (_destination_keys,),
                        ),
                        fewest=1,
                        most=3,
                        unique_by=("logType",),
                        source=API,
                    )
                },
                ("logDestinationConfigs",),
            ),
        },
        ("firewallArn", "loggingConfiguration"),
    ),
    replaces=("firewallArn", "region"),
    kind=firewall_kinds.LOGGING,
    spelled=as_aws,
)


ENDPOINT_TYPE = ResourceType(
    ENDPOINT,
    Record(
        {
            "description": DESCRIPTION,
            "firewallArn": ARN,
            "region": Text(),
            "subnetMapping": SUBNET,
            "tags": TAGS,
            "vpcId": VPC_ID,
        },
        ("firewallArn", "subnetMapping", "vpcId"),
    ),
    computed=(
        "tagsAll", "vpcEndpointAssociationArn", "vpcEndpointAssociationId", "vpcEndpointAssociationStatuses",
    ),
    # CloudFormation reference, `Update requires: Replacement` (2026-11-28): all but the tags.
    replaces=("description", "firewallArn", "region", "subnetMapping", "vpcId"),
    kind=firewall_kinds.ENDPOINT,
    spelled=as_aws,
)  # fmt: skip


TYPES: Final = types_by_token((RULE_GROUP_TYPE, POLICY_TYPE, FIREWALL_TYPE, ENDPOINT_TYPE, LOGGING_TYPE))
"""Every type of Network Firewall that a plan has."""
