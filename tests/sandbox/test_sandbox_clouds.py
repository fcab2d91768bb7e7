"""The simulated clouds refuse what the real APIs refuse, at the right property, and nothing else."""

import copy
from collections.abc import Mapping
from typing import Any

import pytest

from hostgate.aws import resources_ec2, resources_firewall, resources_ram, resources_resolver
from hostgate.azure import resources as azure_resources
from hostgate.flows.nodes import UNKNOWN
from hostgate.gcp import resources as gcp_resources
from hostgate.sandbox import aws, azure, gcp
from hostgate.sandbox.clouds import Cloud, Declaration
from hostgate.sandbox.preview_problems import PreviewProblem

GONE = object()

RULE = 'pass tls $HOME_NET any -> $EXTERNAL_NET 443 (msg:"a\\; \\"b\\" sid:9\\;"; tls.sni; content:"cgr.dev"; sid:1; rev:1;)'
SUFFIX = '"; sid:1;)'

RULE_GROUP = {
    "capacity": 100,
    "type": "STATEFUL",
    "name": "egress-1",
    "ruleGroup": {
        "rulesSource": {"rulesString": f"# first\n\n{RULE}\n"},
        "statefulRuleOptions": {"ruleOrder": "STRICT_ORDER"},
    },
}
DOMAIN_LIST = {
    "capacity": 10,
    "type": "STATEFUL",
    "ruleGroup": {
        "rulesSource": {
            "rulesSourceList": {
                "generatedRulesType": "ALLOWLIST",
                "targetTypes": ["TLS_SNI"],
                "targets": ["cgr.dev", ".r2.cloudflarestorage.com"],
            }
        }
    },
}
FIREWALL_POLICY = {
    "firewallPolicy": {
        "statelessDefaultActions": ["aws:forward_to_sfe"],
        "statelessFragmentDefaultActions": ["aws:forward_to_sfe"],
        "statefulDefaultActions": [
            "aws:drop_established_app_layer_to_server",
            "aws:alert_established_app_layer_to_server",
        ],
        "statefulEngineOptions": {"ruleOrder": "STRICT_ORDER", "streamExceptionPolicy": "REJECT"},
        "statefulRuleGroupReferences": [
            {"resourceArn": UNKNOWN, "priority": 100},
            {"resourceArn": "arn:aws:network-firewall:eu-west-1:1:stateful-rulegroup/a", "priority": 200},
        ],
        "policyVariables": {"ruleVariables": [{"key": "HOME_NET", "ipSet": {"definitions": ["10.0.0.0/8"]}}]},
    }
}
FIREWALL = {"firewallPolicyArn": UNKNOWN, "vpcId": "vpc-1", "subnetMappings": [{"subnetId": "subnet-1"}]}
GATEWAY_FIREWALL = {
    "firewallPolicyArn": UNKNOWN,
    "transitGatewayId": "tgw-1",
    "availabilityZoneMappings": [{"availabilityZoneId": "euc1-az1"}],
}
ROUTE = {"routeTableId": "rtb-1", "destinationCidrBlock": "0.0.0.0/0", "vpcEndpointId": UNKNOWN}
LOGGING = {
    "firewallArn": UNKNOWN,
    "loggingConfiguration": {
        "logDestinationConfigs": [
            {"logDestination": {"bucketName": "logs"}, "logDestinationType": "S3", "logType": "ALERT"}
        ]
    },
}
QUERY_LIST = {"name": "hosts", "domains": ["cgr.dev", "*.cgr.dev.", "A-1.example", "*", "*."], "tags": {"a": "b"}}
QUERY_RULE = {
    "name": "block",
    "action": "BLOCK",
    "priority": 9000,
    "firewallRuleGroupId": UNKNOWN,
    "firewallDomainListId": "rslvr-fdl-0123456789abcdef",
    "firewallDomainRedirectionAction": "TRUST_REDIRECTION_DOMAIN",
    "blockResponse": "OVERRIDE",
    "blockOverrideDomain": "blocked.acme.example",
    "blockOverrideDnsType": "CNAME",
    "blockOverrideTtl": 0,
}
THREAT_RULE = {
    "action": "ALERT",
    "priority": 1,
    "firewallRuleGroupId": "rslvr-frg-0123456789abcdef",
    "dnsThreatProtection": "DGA",
    "confidenceThreshold": "HIGH",
}
QUERY_ASSOCIATION = {"firewallRuleGroupId": UNKNOWN, "vpcId": "vpc-0a1b2c3d", "priority": 9900}
GCP_RULE = {
    "action": "allow",
    "direction": "EGRESS",
    "firewallPolicy": "egress",
    "priority": 2000,
    "enableLogging": True,
    "targetServiceAccounts": ["build@p.iam.gserviceaccount.com"],
    "match": {
        "destFqdns": ["cgr.dev", "data.chainguard.dev"],
        "layer4Configs": [{"ipProtocol": "tcp", "ports": ["443", "8000-8010"]}],
    },
}
APPLICATION_RULE = {
    "ruleType": "ApplicationRule",
    "name": "https-443",
    "sourceAddresses": ["10.0.0.0/8", "10.1.0.1-10.1.0.9", "*"],
    "protocols": [{"protocolType": "Https", "port": 443}],
    "targetFqdns": ["cgr.dev", "*.cgr.dev", "*"],
}
NETWORK_RULE = {
    "ruleType": "NetworkRule",
    "name": "tcp-22",
    "sourceIpGroups": [UNKNOWN],
    "ipProtocols": ["TCP"],
    "destinationFqdns": ["git.example.com"],
    "destinationPorts": ["22", "8000-8010", "*"],
}
COLLECTION = {
    "ruleCollectionType": "FirewallPolicyFilterRuleCollection",
    "name": "allow",
    "priority": 1000,
    "action": {"type": "Allow"},
    "rules": [APPLICATION_RULE],
}
GROUP = {
    "resourceGroupName": "rg-hub",
    "firewallPolicyName": "fp-hub",
    "ruleCollectionGroupName": "chainguard",
    "priority": 2000,
    "ruleCollections": [COLLECTION],
}
NETWORK_GROUP = {**GROUP, "ruleCollections": [{**COLLECTION, "rules": [NETWORK_RULE]}]}
IP_GROUP = {"resourceGroupName": "rg", "ipAddresses": ["10.0.0.0/8", "10.0.0.1", "10.0.0.1-10.0.0.9"]}

VALID: list[tuple[Cloud, str, Mapping[str, Any]]] = [
    (aws.CLOUD, resources_firewall.RULE_GROUP, RULE_GROUP),
    (aws.CLOUD, resources_firewall.RULE_GROUP, DOMAIN_LIST),
    (aws.CLOUD, resources_firewall.FIREWALL_POLICY, FIREWALL_POLICY),
    (aws.CLOUD, resources_firewall.FIREWALL, FIREWALL),
    (aws.CLOUD, resources_firewall.FIREWALL, GATEWAY_FIREWALL),
    (aws.CLOUD, resources_firewall.LOGGING, LOGGING),
    (aws.CLOUD, resources_ram.SHARE, {"name": "groups", "allowExternalPrincipals": False, "tags": {"a": "b"}}),
    (aws.CLOUD, resources_ram.RESOURCE, {"resourceArn": UNKNOWN, "resourceShareArn": UNKNOWN}),
    (aws.CLOUD, resources_ram.PRINCIPAL, {"principal": "123456789012", "resourceShareArn": UNKNOWN}),
    (aws.CLOUD, resources_ec2.ROUTE, ROUTE),
    (
        aws.CLOUD,
        resources_ec2.PREFIX_LIST,
        {"addressFamily": "IPv6", "maxEntries": 10, "entries": [{"cidr": "2001:db8::7/128", "description": "a"}]},
    ),
    (
        aws.CLOUD,
        resources_ec2.EGRESS_RULE,
        {"securityGroupId": "sg-0a1", "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "prefixListId": UNKNOWN},
    ),
    (
        aws.CLOUD,
        resources_ec2.ACL_ENTRY,
        {
            "networkAclId": "acl-0a1",
            "ruleNumber": 100,
            "protocol": "6",
            "ruleAction": "allow",
            "egress": True,
            "cidrBlock": "203.0.113.7/32",
            "fromPort": 443,
            "toPort": 443,
        },
    ),
    (aws.CLOUD, resources_resolver.DOMAIN_LIST, QUERY_LIST),
    (aws.CLOUD, resources_resolver.RULE_GROUP, {"name": "group 1", "tags": {"a": "b"}}),
    (aws.CLOUD, resources_resolver.RULE, QUERY_RULE),
    (aws.CLOUD, resources_resolver.RULE, THREAT_RULE),
    (aws.CLOUD, resources_resolver.ASSOCIATION, QUERY_ASSOCIATION),
    (aws.CLOUD, resources_resolver.CONFIG, {"resourceId": "vpc-0a1b2c3d", "firewallFailOpen": "ENABLED"}),
    (gcp.CLOUD, gcp_resources.POLICY, {"name": "egress", "description": "x"}),
    (gcp.CLOUD, gcp_resources.RULE, GCP_RULE),
    (gcp.CLOUD, gcp_resources.ASSOCIATION, {"attachmentTarget": UNKNOWN, "firewallPolicy": UNKNOWN, "name": "a"}),
    (azure.CLOUD, azure_resources.GROUP, GROUP),
    (azure.CLOUD, azure_resources.GROUP, NETWORK_GROUP),
    (azure.CLOUD, azure_resources.POLICY, {"resourceGroupName": UNKNOWN, "sku": {"tier": "Standard"}}),
    (azure.CLOUD, azure_resources.IP_GROUP, IP_GROUP),
    (azure.CLOUD, azure_resources.RESOURCE_GROUP, {"location": "westeurope", "tags": {"a": "b"}}),
]


def changed(base: Mapping[str, Any], path: str, value: object) -> dict[str, Any]:
    """A deep copy of `base` with one property set, or taken away when the value is GONE."""
    copied: dict[str, Any] = copy.deepcopy(dict(base))
    steps: list[Any] = [int(step) if step.isdigit() else step for step in path.split("/")]
    target: Any = copied
    for step in steps[:-1]:
        target = target[step]
    if value is GONE:
        del target[steps[-1]]
    else:
        target[steps[-1]] = value
    return copied


def only(problems: list[PreviewProblem]) -> PreviewProblem:
    assert len(problems) == 1, [str(problem) for problem in problems]
    return problems[0]


@pytest.mark.parametrize(("cloud", "token", "inputs"), VALID, ids=lambda value: getattr(value, "package", None))
def test_a_valid_resource_has_no_problem(cloud: Cloud, token: str, inputs: Mapping[str, Any]) -> None:
    assert cloud.check(token, inputs) == []


@pytest.mark.parametrize(("cloud", "token", "inputs"), VALID, ids=lambda value: getattr(value, "package", None))
def test_unknown_values_are_never_refused(cloud: Cloud, token: str, inputs: Mapping[str, Any]) -> None:
    for key in inputs:
        assert cloud.check(token, {**inputs, key: UNKNOWN}) == []


@pytest.mark.parametrize(("cloud", "token", "inputs"), VALID, ids=lambda value: getattr(value, "package", None))
def test_a_snake_case_key_is_refused_with_its_camel_case_name(
    cloud: Cloud, token: str, inputs: Mapping[str, Any]
) -> None:
    for key in cloud.types[token].inputs.fields:
        snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key)
        if snake != key:
            problem = next(p for p in cloud.check(token, {**inputs, snake: "x"}) if p.found == snake)
            assert problem.allowed == key
            break


NAMED = "ruleGroup/rulesSource/rulesString"
LISTED = "ruleGroup/rulesSource/rulesSourceList"
FP = "firewallPolicy"
RULES = "ruleCollections/0/rules"
APP = f"{RULES}/0"

REFUSED: list[tuple[str, Cloud, str, Mapping[str, Any], str, Any, str, str]] = [
    # case, cloud, type, valid inputs, what is changed, to what, where the problem is, what it says
    ("capacity 0", aws.CLOUD, resources_firewall.RULE_GROUP, RULE_GROUP, "capacity", 0, "capacity", "out of range"),
    (
        "capacity over 30000",
        aws.CLOUD,
        resources_firewall.RULE_GROUP,
        RULE_GROUP,
        "capacity",
        30_001,
        "capacity",
        "out of range",
    ),
    (
        "more rules than capacity",
        aws.CLOUD,
        resources_firewall.RULE_GROUP,
        {**RULE_GROUP, "capacity": 1},
        NAMED,
        f"{RULE}\n{RULE.replace('sid:1', 'sid:2')}",
        "capacity",
        "capacity exceeded",
    ),
    ("no capacity", aws.CLOUD, resources_firewall.RULE_GROUP, RULE_GROUP, "capacity", GONE, "capacity", "missing"),
    (
        "a dot in the name",
        aws.CLOUD,
        resources_firewall.RULE_GROUP,
        RULE_GROUP,
        "name",
        "cgr.dev",
        "name",
        "wrong form",
    ),
    ("a name of 129", aws.CLOUD, resources_firewall.RULE_GROUP, RULE_GROUP, "name", "a" * 129, "name", "wrong length"),
    (
        "a long description",
        aws.CLOUD,
        resources_firewall.RULE_GROUP,
        RULE_GROUP,
        "description",
        "a" * 513,
        "description",
        "length",
    ),
    (
        "a misspelt key",
        aws.CLOUD,
        resources_firewall.RULE_GROUP,
        RULE_GROUP,
        "ruleGroup/ruleVariable",
        {},
        "ruleGroup.ruleVariable",
        "unknown",
    ),
    (
        "an unknown order",
        aws.CLOUD,
        resources_firewall.RULE_GROUP,
        RULE_GROUP,
        "ruleGroup/statefulRuleOptions/ruleOrder",
        "STRICT",
        "ruleGroup.statefulRuleOptions.ruleOrder",
        "not a value",
    ),
    (
        "a rules string that is too long",
        aws.CLOUD,
        resources_firewall.RULE_GROUP,
        RULE_GROUP,
        NAMED,
        f"{RULE}\n#{'x' * 2_000_000}",
        "ruleGroup.rulesSource.rulesString",
        "too long",
    ),
    (
        "a rule that is too long",
        aws.CLOUD,
        resources_firewall.RULE_GROUP,
        RULE_GROUP,
        NAMED,
        f'pass tls any any -> any 443 (msg:"{"x" * 8_200}{SUFFIX}',
        "ruleGroup.rulesSource.rulesString line 1",
        "rule too long",
    ),
    (
        "a duplicate sid",
        aws.CLOUD,
        resources_firewall.RULE_GROUP,
        RULE_GROUP,
        NAMED,
        f"{RULE}\n{RULE}",
        "ruleGroup.rulesSource.rulesString line 2",
        "duplicate sid",
    ),
    (
        "no sid",
        aws.CLOUD,
        resources_firewall.RULE_GROUP,
        RULE_GROUP,
        NAMED,
        'pass tls any any -> any 443 (msg:"sid:5\\;";)',
        "ruleGroup.rulesSource.rulesString line 1",
        "sid",
    ),
    (
        "a sid out of range",
        aws.CLOUD,
        resources_firewall.RULE_GROUP,
        RULE_GROUP,
        NAMED,
        "pass tls any any -> any 443 (sid:4294967295;)",
        "ruleGroup.rulesSource.rulesString line 1",
        "sid",
    ),
    (
        "only comments",
        aws.CLOUD,
        resources_firewall.RULE_GROUP,
        RULE_GROUP,
        NAMED,
        "# nothing",
        "ruleGroup.rulesSource.rulesString",
        "no rule",
    ),
    (
        "an action that is none",
        aws.CLOUD,
        resources_firewall.RULE_GROUP,
        RULE_GROUP,
        NAMED,
        "allow tls any any -> any 443 (sid:1;)",
        "ruleGroup.rulesSource.rulesString line 1",
        "rule action",
    ),
    (
        "no direction",
        aws.CLOUD,
        resources_firewall.RULE_GROUP,
        RULE_GROUP,
        NAMED,
        "pass tls any any any 443 (sid:1;)",
        "ruleGroup.rulesSource.rulesString line 1",
        "rule header",
    ),
    (
        "a broken line",
        aws.CLOUD,
        resources_firewall.RULE_GROUP,
        RULE_GROUP,
        NAMED,
        "pass tls any any -> any 443 (sid:1; \\",
        "ruleGroup.rulesSource.rulesString line 1",
        "not a rule",
    ),
    (
        "an undeclared variable",
        aws.CLOUD,
        resources_firewall.RULE_GROUP,
        RULE_GROUP,
        NAMED,
        "pass tcp any any -> any $HTTP_PORTS (sid:1;)",
        "ruleGroup.rulesSource.rulesString line 1",
        "undeclared",
    ),
    (
        "reject of UDP",
        aws.CLOUD,
        resources_firewall.RULE_GROUP,
        RULE_GROUP,
        NAMED,
        "reject udp any any -> any any (sid:1;)",
        "ruleGroup.rulesSource.rulesString line 1",
        "reject",
    ),
    (
        "priority in strict order",
        aws.CLOUD,
        resources_firewall.RULE_GROUP,
        RULE_GROUP,
        NAMED,
        "pass tcp any any -> any any (priority:1; sid:1;)",
        "ruleGroup.rulesSource.rulesString line 1",
        "not supported",
    ),
    (
        "an unsupported keyword",
        aws.CLOUD,
        resources_firewall.RULE_GROUP,
        RULE_GROUP,
        NAMED,
        "pass tcp any any -> any any (dataset:isset,x; sid:1;)",
        "ruleGroup.rulesSource.rulesString line 1",
        "not supported",
    ),
    (
        "pcre alone",
        aws.CLOUD,
        resources_firewall.RULE_GROUP,
        RULE_GROUP,
        NAMED,
        'pass tcp any any -> any any (pcre:"/a/"; sid:1;)',
        "ruleGroup.rulesSource.rulesString line 1",
        "pcre alone",
    ),
    (
        "two kinds of rules",
        aws.CLOUD,
        resources_firewall.RULE_GROUP,
        DOMAIN_LIST,
        "ruleGroup/rulesSource/rulesString",
        RULE,
        "ruleGroup.rulesSource",
        "one kind",
    ),
    ("rules and ruleGroup", aws.CLOUD, resources_firewall.RULE_GROUP, RULE_GROUP, "rules", RULE, "", "one of two"),
    ("a stateless type", aws.CLOUD, resources_firewall.RULE_GROUP, RULE_GROUP, "type", "STATELESS", "type", "differ"),
    (
        "six references",
        aws.CLOUD,
        resources_firewall.RULE_GROUP,
        RULE_GROUP,
        "ruleGroup/referenceSets",
        {"ipSetReferences": [{"key": f"K{n}", "ipSetReferences": []} for n in range(6)]},
        "ruleGroup.referenceSets.ipSetReferences",
        "too many",
    ),
    (
        "a star target",
        aws.CLOUD,
        resources_firewall.RULE_GROUP,
        DOMAIN_LIST,
        f"{LISTED}/targets/0",
        "*.cgr.dev",
        "ruleGroup.rulesSource.rulesSourceList.targets[0]",
        "not a domain",
    ),
    (
        "a target with a scheme",
        aws.CLOUD,
        resources_firewall.RULE_GROUP,
        DOMAIN_LIST,
        f"{LISTED}/targets/0",
        "https://cgr.dev",
        "ruleGroup.rulesSource.rulesSourceList.targets[0]",
        "not a domain",
    ),
    (
        "a duplicate target",
        aws.CLOUD,
        resources_firewall.RULE_GROUP,
        DOMAIN_LIST,
        f"{LISTED}/targets/0",
        ".r2.cloudflarestorage.com",
        "ruleGroup.rulesSource.rulesSourceList.targets[1]",
        "duplicate",
    ),
    (
        "a list over capacity",
        aws.CLOUD,
        resources_firewall.RULE_GROUP,
        DOMAIN_LIST,
        "capacity",
        1,
        "capacity",
        "capacity exceeded",
    ),
    (
        "an unknown list type",
        aws.CLOUD,
        resources_firewall.RULE_GROUP,
        DOMAIN_LIST,
        f"{LISTED}/generatedRulesType",
        "ALLOW",
        "ruleGroup.rulesSource.rulesSourceList.generatedRulesType",
        "not a value",
    ),
    (
        "two stateless defaults",
        aws.CLOUD,
        resources_firewall.FIREWALL_POLICY,
        FIREWALL_POLICY,
        f"{FP}/statelessDefaultActions",
        ["aws:pass", "aws:drop"],
        "firewallPolicy.statelessDefaultActions",
        "default action",
    ),
    (
        "a made-up stateless default",
        aws.CLOUD,
        resources_firewall.FIREWALL_POLICY,
        FIREWALL_POLICY,
        f"{FP}/statelessFragmentDefaultActions",
        ["allow"],
        "firewallPolicy.statelessFragmentDefaultActions",
        "default action",
    ),
    (
        "two drops",
        aws.CLOUD,
        resources_firewall.FIREWALL_POLICY,
        FIREWALL_POLICY,
        f"{FP}/statefulDefaultActions",
        ["aws:drop_strict", "aws:drop_established"],
        "firewallPolicy.statefulDefaultActions",
        "drop actions",
    ),
    (
        "established with app-layer",
        aws.CLOUD,
        resources_firewall.FIREWALL_POLICY,
        FIREWALL_POLICY,
        f"{FP}/statefulDefaultActions",
        ["aws:alert_established", "aws:drop_established_app_layer"],
        "firewallPolicy.statefulDefaultActions",
        "do not mix",
    ),
    (
        "defaults in action order",
        aws.CLOUD,
        resources_firewall.FIREWALL_POLICY,
        FIREWALL_POLICY,
        f"{FP}/statefulEngineOptions",
        {},
        "firewallPolicy.statefulDefaultActions",
        "strict order",
    ),
    (
        "TLS session holding",
        aws.CLOUD,
        resources_firewall.FIREWALL_POLICY,
        FIREWALL_POLICY,
        f"{FP}/enableTlsSessionHolding",
        True,
        "firewallPolicy.statefulDefaultActions",
        "do not mix",
    ),
    (
        "no priority in strict order",
        aws.CLOUD,
        resources_firewall.FIREWALL_POLICY,
        FIREWALL_POLICY,
        f"{FP}/statefulRuleGroupReferences/0/priority",
        GONE,
        "firewallPolicy.statefulRuleGroupReferences[0].priority",
        "missing",
    ),
    (
        "a priority twice",
        aws.CLOUD,
        resources_firewall.FIREWALL_POLICY,
        FIREWALL_POLICY,
        f"{FP}/statefulRuleGroupReferences/0/priority",
        200,
        "firewallPolicy.statefulRuleGroupReferences[1].priority",
        "duplicate",
    ),
    (
        "priority 65536",
        aws.CLOUD,
        resources_firewall.FIREWALL_POLICY,
        FIREWALL_POLICY,
        f"{FP}/statefulRuleGroupReferences/0/priority",
        65_536,
        "firewallPolicy.statefulRuleGroupReferences[0].priority",
        "out of range",
    ),
    (
        "21 rule groups",
        aws.CLOUD,
        resources_firewall.FIREWALL_POLICY,
        FIREWALL_POLICY,
        f"{FP}/statefulRuleGroupReferences",
        [{"resourceArn": UNKNOWN, "priority": n} for n in range(1, 22)],
        "firewallPolicy.statefulRuleGroupReferences",
        "too many",
    ),
    (
        "another policy variable",
        aws.CLOUD,
        resources_firewall.FIREWALL_POLICY,
        FIREWALL_POLICY,
        f"{FP}/policyVariables/ruleVariables/0/key",
        "EXTERNAL_NET",
        "firewallPolicy.policyVariables.ruleVariables[0].key",
        "not a value",
    ),
    (
        "a short timeout",
        aws.CLOUD,
        resources_firewall.FIREWALL_POLICY,
        FIREWALL_POLICY,
        f"{FP}/statefulEngineOptions/flowTimeouts",
        {"tcpIdleTimeoutSeconds": 59},
        "firewallPolicy.statefulEngineOptions.flowTimeouts.tcpIdleTimeoutSeconds",
        "out of range",
    ),
    (
        "a firewall nowhere",
        aws.CLOUD,
        resources_firewall.FIREWALL,
        FIREWALL,
        "subnetMappings",
        GONE,
        "",
        "where the firewall is",
    ),
    (
        "an unknown log type",
        aws.CLOUD,
        resources_firewall.LOGGING,
        LOGGING,
        "loggingConfiguration/logDestinationConfigs/0/logType",
        "Alert",
        "loggingConfiguration.logDestinationConfigs[0].logType",
        "not a value",
    ),
    (
        "an unknown override",
        aws.CLOUD,
        resources_firewall.FIREWALL_POLICY,
        FIREWALL_POLICY,
        f"{FP}/statefulRuleGroupReferences/1/override",
        {"action": "ALERT"},
        "firewallPolicy.statefulRuleGroupReferences[1].override.action",
        "not a value",
    ),
    (
        "a managed group in action order",
        aws.CLOUD,
        resources_firewall.FIREWALL_POLICY,
        FIREWALL_POLICY,
        f"{FP}/statefulRuleGroupReferences/1/resourceArn",
        "arn:aws:network-firewall:eu-west-1:aws-managed:stateful-rulegroup/MalwareDomainsActionOrder",
        "firewallPolicy.statefulRuleGroupReferences[1].resourceArn",
        "rule orders differ",
    ),
    (
        "session holding without inspection",
        aws.CLOUD,
        resources_firewall.FIREWALL_POLICY,
        changed(FIREWALL_POLICY, f"{FP}/statefulDefaultActions", ["aws:drop_established"]),
        f"{FP}/enableTlsSessionHolding",
        True,
        "firewallPolicy.tlsInspectionConfigurationArn",
        "missing",
    ),
    (
        "a firewall in two places",
        aws.CLOUD,
        resources_firewall.FIREWALL,
        FIREWALL,
        "transitGatewayId",
        "tgw-1",
        "",
        "where the firewall is",
    ),
    (
        "a gateway without zones",
        aws.CLOUD,
        resources_firewall.FIREWALL,
        GATEWAY_FIREWALL,
        "availabilityZoneMappings",
        [],
        "",
        "where the firewall is",
    ),
    (
        "a VPC by name",
        aws.CLOUD,
        resources_firewall.FIREWALL,
        FIREWALL,
        "vpcId",
        "main",
        "vpcId",
        "wrong form",
    ),
    (
        "a subnet twice",
        aws.CLOUD,
        resources_firewall.FIREWALL,
        FIREWALL,
        "subnetMappings",
        [{"subnetId": "subnet-1"}, {"subnetId": "subnet-1"}],
        "subnetMappings[1].subnetId",
        "duplicate",
    ),
    (
        "an unknown analysis",
        aws.CLOUD,
        resources_firewall.FIREWALL,
        FIREWALL,
        "enabledAnalysisTypes",
        ["SNI"],
        "enabledAnalysisTypes[0]",
        "not a value",
    ),
    (
        "a log group in a bucket",
        aws.CLOUD,
        resources_firewall.LOGGING,
        LOGGING,
        "loggingConfiguration/logDestinationConfigs/0/logDestination",
        {"logGroup": "x"},
        "loggingConfiguration.logDestinationConfigs[0].logDestination",
        "log destination",
    ),
    (
        "a destination without a name",
        aws.CLOUD,
        resources_firewall.LOGGING,
        LOGGING,
        "loggingConfiguration/logDestinationConfigs/0/logDestination/bucketName",
        "",
        "loggingConfiguration.logDestinationConfigs[0].logDestination.bucketName",
        "wrong length",
    ),
    (
        "a share with a role",
        aws.CLOUD,
        resources_ram.PRINCIPAL,
        {"resourceShareArn": UNKNOWN},
        "principal",
        "arn:aws:iam::123456789012:role/x",
        "principal",
        "wrong form",
    ),
    ("a route to nowhere", aws.CLOUD, resources_ec2.ROUTE, ROUTE, "vpcEndpointId", GONE, "", "one target"),
    ("a route to two places", aws.CLOUD, resources_ec2.ROUTE, ROUTE, "natGatewayId", "nat-1", "", "one target"),
    ("a route of nothing", aws.CLOUD, resources_ec2.ROUTE, ROUTE, "destinationCidrBlock", GONE, "", "one destination"),
    (
        "a route of no range",
        aws.CLOUD,
        resources_ec2.ROUTE,
        ROUTE,
        "destinationCidrBlock",
        "10.0.0.1/8",
        "destinationCidrBlock",
        "no range",
    ),
    ("a table by name", aws.CLOUD, resources_ec2.ROUTE, ROUTE, "routeTableId", "main", "routeTableId", "wrong form"),
    ("a capital in a policy name", gcp.CLOUD, gcp_resources.POLICY, {}, "name", "Egress", "name", "wrong form"),
    ("a hyphen last", gcp.CLOUD, gcp_resources.POLICY, {}, "name", "egress-", "name", "wrong form"),
    ("a name of 64", gcp.CLOUD, gcp_resources.POLICY, {}, "name", "a" * 64, "name", "wrong form"),
    (
        "a reserved priority",
        gcp.CLOUD,
        gcp_resources.RULE,
        GCP_RULE,
        "priority",
        2_147_483_548,
        "priority",
        "out of range",
    ),
    ("a negative priority", gcp.CLOUD, gcp_resources.RULE, GCP_RULE, "priority", -1, "priority", "out of range"),
    (
        "a direction in lower case",
        gcp.CLOUD,
        gcp_resources.RULE,
        GCP_RULE,
        "direction",
        "egress",
        "direction",
        "not a value",
    ),
    (
        "an unknown action",
        gcp.CLOUD,
        gcp_resources.RULE,
        {**GCP_RULE, "enableLogging": False},
        "action",
        "ALLOW",
        "action",
        "not a value",
    ),
    (
        "logging on goto_next",
        gcp.CLOUD,
        gcp_resources.RULE,
        GCP_RULE,
        "action",
        "goto_next",
        "enableLogging",
        "logging",
    ),
    (
        "101 names",
        gcp.CLOUD,
        gcp_resources.RULE,
        GCP_RULE,
        "match/destFqdns",
        [f"h{n}.example.com" for n in range(101)],
        "match.destFqdns",
        "too many",
    ),
    (
        "a star name",
        gcp.CLOUD,
        gcp_resources.RULE,
        GCP_RULE,
        "match/destFqdns/0",
        "*.cgr.dev",
        "match.destFqdns[0]",
        "not an FQDN",
    ),
    (
        "one label",
        gcp.CLOUD,
        gcp_resources.RULE,
        GCP_RULE,
        "match/destFqdns/0",
        "localhost",
        "match.destFqdns[0]",
        "not an FQDN",
    ),
    (
        "no protocol",
        gcp.CLOUD,
        gcp_resources.RULE,
        GCP_RULE,
        "match/layer4Configs",
        GONE,
        "match.layer4Configs",
        "missing",
    ),
    (
        "an empty protocol list",
        gcp.CLOUD,
        gcp_resources.RULE,
        GCP_RULE,
        "match/layer4Configs",
        [],
        "match.layer4Configs",
        "too few",
    ),
    (
        "ports of ICMP",
        gcp.CLOUD,
        gcp_resources.RULE,
        GCP_RULE,
        "match/layer4Configs/0/ipProtocol",
        "icmp",
        "match.layer4Configs[0].ports",
        "ports",
    ),
    (
        "a port that is none",
        gcp.CLOUD,
        gcp_resources.RULE,
        GCP_RULE,
        "match/layer4Configs/0/ports/0",
        "https",
        "match.layer4Configs[0].ports[0]",
        "not a port",
    ),
    (
        "two families",
        gcp.CLOUD,
        gcp_resources.RULE,
        GCP_RULE,
        "match/destIpRanges",
        ["0.0.0.0/0", "::/0"],
        "match.destIpRanges",
        "IPv4 and IPv6",
    ),
    (
        "a range that is none",
        gcp.CLOUD,
        gcp_resources.RULE,
        GCP_RULE,
        "match/destIpRanges",
        ["10.0.0.0/33"],
        "match.destIpRanges[0]",
        "not a range",
    ),
    (
        "two kinds of targets",
        gcp.CLOUD,
        gcp_resources.RULE,
        GCP_RULE,
        "targetSecureTags",
        [{"name": "tagValues/1"}],
        "targetServiceAccounts",
        "two kinds",
    ),
    (
        "a tag by name",
        gcp.CLOUD,
        gcp_resources.RULE,
        {**GCP_RULE, "targetServiceAccounts": []},
        "targetSecureTags",
        [{"name": "build"}],
        "targetSecureTags[0].name",
        "wrong form",
    ),
    (
        "source names on egress",
        gcp.CLOUD,
        gcp_resources.RULE,
        GCP_RULE,
        "match/srcFqdns",
        ["a.b"],
        "match.srcFqdns",
        "FQDN objects",
    ),
    (
        "a profile group that is missing",
        gcp.CLOUD,
        gcp_resources.RULE,
        GCP_RULE,
        "action",
        "apply_security_profile_group",
        "securityProfileGroup",
        "profile",
    ),
    (
        "a context alone",
        gcp.CLOUD,
        gcp_resources.RULE,
        GCP_RULE,
        "match",
        {"destNetworkContext": "INTERNET", "layer4Configs": [{"ipProtocol": "all"}]},
        "match.destNetworkContext",
        "alone",
    ),
    ("group priority 99", azure.CLOUD, azure_resources.GROUP, GROUP, "priority", 99, "priority", "out of range"),
    (
        "collection priority 65001",
        azure.CLOUD,
        azure_resources.GROUP,
        GROUP,
        "ruleCollections/0/priority",
        65_001,
        "ruleCollections[0].priority",
        "out of range",
    ),
    (
        "a collection name twice",
        azure.CLOUD,
        azure_resources.GROUP,
        GROUP,
        "ruleCollections",
        [COLLECTION, {**COLLECTION, "priority": 1100}],
        "ruleCollections[1].name",
        "duplicate",
    ),
    (
        "a collection priority twice",
        azure.CLOUD,
        azure_resources.GROUP,
        GROUP,
        "ruleCollections",
        [COLLECTION, {**COLLECTION, "name": "b"}],
        "ruleCollections[1].priority",
        "duplicate",
    ),
    (
        "a rule name twice",
        azure.CLOUD,
        azure_resources.GROUP,
        GROUP,
        RULES,
        [APPLICATION_RULE, APPLICATION_RULE],
        "ruleCollections[0].rules[1].name",
        "duplicate",
    ),
    (
        "a group name with a hyphen last",
        azure.CLOUD,
        azure_resources.GROUP,
        GROUP,
        "ruleCollectionGroupName",
        "a-",
        "ruleCollectionGroupName",
        "wrong form",
    ),
    (
        "the wrong case of a rule type",
        azure.CLOUD,
        azure_resources.GROUP,
        GROUP,
        f"{APP}/ruleType",
        "applicationRule",
        "ruleCollections[0].rules[0].ruleType",
        "say the kind",
    ),
    (
        "no collection type",
        azure.CLOUD,
        azure_resources.GROUP,
        GROUP,
        "ruleCollections/0/ruleCollectionType",
        GONE,
        "ruleCollections[0].ruleCollectionType",
        "say the kind",
    ),
    (
        "the wrong case of a protocol",
        azure.CLOUD,
        azure_resources.GROUP,
        GROUP,
        f"{APP}/protocols/0/protocolType",
        "HTTPS",
        "ruleCollections[0].rules[0].protocols[0].protocolType",
        "not a value",
    ),
    (
        "the wrong case of an action",
        azure.CLOUD,
        azure_resources.GROUP,
        GROUP,
        "ruleCollections/0/action/type",
        "allow",
        "ruleCollections[0].action.type",
        "not a value",
    ),
    (
        "port 64001",
        azure.CLOUD,
        azure_resources.GROUP,
        GROUP,
        f"{APP}/protocols/0/port",
        64_001,
        "ruleCollections[0].rules[0].protocols[0].port",
        "out of range",
    ),
    (
        "port 0",
        azure.CLOUD,
        azure_resources.GROUP,
        GROUP,
        f"{APP}/protocols/0/port",
        0,
        "ruleCollections[0].rules[0].protocols[0].port",
        "out of range",
    ),
    (
        "two kinds of rule",
        azure.CLOUD,
        azure_resources.GROUP,
        GROUP,
        RULES,
        [APPLICATION_RULE, NETWORK_RULE],
        "ruleCollections[0].rules",
        "two kinds",
    ),
    (
        "a star inside",
        azure.CLOUD,
        azure_resources.GROUP,
        GROUP,
        f"{APP}/targetFqdns/0",
        "a.*.cgr.dev",
        "ruleCollections[0].rules[0].targetFqdns[0]",
        "not a target",
    ),
    (
        "a star right-most",
        azure.CLOUD,
        azure_resources.GROUP,
        GROUP,
        f"{APP}/targetFqdns/0",
        "www.cgr.*",
        "ruleCollections[0].rules[0].targetFqdns[0]",
        "not a target",
    ),
    (
        "no source",
        azure.CLOUD,
        azure_resources.GROUP,
        GROUP,
        f"{APP}/sourceAddresses",
        GONE,
        "ruleCollections[0].rules[0]",
        "no source",
    ),
    (
        "an empty source",
        azure.CLOUD,
        azure_resources.GROUP,
        GROUP,
        f"{APP}/sourceAddresses",
        [],
        "ruleCollections[0].rules[0]",
        "no source",
    ),
    (
        "a source that is none",
        azure.CLOUD,
        azure_resources.GROUP,
        GROUP,
        f"{APP}/sourceAddresses/0",
        "10.0.0.0/33",
        "ruleCollections[0].rules[0].sourceAddresses[0]",
        "not an address",
    ),
    (
        "no target",
        azure.CLOUD,
        azure_resources.GROUP,
        GROUP,
        f"{APP}/targetFqdns",
        GONE,
        "ruleCollections[0].rules[0]",
        "no target",
    ),
    (
        "a star in a network rule",
        azure.CLOUD,
        azure_resources.GROUP,
        NETWORK_GROUP,
        f"{APP}/destinationFqdns/0",
        "*.example.com",
        "ruleCollections[0].rules[0].destinationFqdns[0]",
        "not a destination",
    ),
    (
        "a port as a number",
        azure.CLOUD,
        azure_resources.GROUP,
        NETWORK_GROUP,
        f"{APP}/destinationPorts/0",
        22,
        "ruleCollections[0].rules[0].destinationPorts[0]",
        "wrong type",
    ),
    (
        "a port range backwards",
        azure.CLOUD,
        azure_resources.GROUP,
        NETWORK_GROUP,
        f"{APP}/destinationPorts/0",
        "90-80",
        "ruleCollections[0].rules[0].destinationPorts[0]",
        "not a port",
    ),
    (
        "the wrong case of an IP protocol",
        azure.CLOUD,
        azure_resources.GROUP,
        NETWORK_GROUP,
        f"{APP}/ipProtocols/0",
        "tcp",
        "ruleCollections[0].rules[0].ipProtocols[0]",
        "not a value",
    ),
    (
        "3 MB",
        azure.CLOUD,
        azure_resources.GROUP,
        GROUP,
        f"{APP}/description",
        "x" * 3_000_000,
        "ruleCollections",
        "too big",
    ),
    (
        "an unknown tier",
        azure.CLOUD,
        azure_resources.POLICY,
        {"resourceGroupName": "rg"},
        "sku",
        {"tier": "standard"},
        "sku.tier",
        "not a value",
    ),
    (
        "an IPv6 address in an IP group",
        azure.CLOUD,
        azure_resources.IP_GROUP,
        IP_GROUP,
        "ipAddresses/0",
        "::1",
        "ipAddresses[0]",
        "not an address",
    ),
    (
        "a resource group name with a dot last",
        azure.CLOUD,
        azure_resources.RESOURCE_GROUP,
        {},
        "resourceGroupName",
        "rg.",
        "resourceGroupName",
        "wrong form",
    ),
]


@pytest.mark.parametrize(
    ("cloud", "token", "base", "path", "value", "where", "what"), [c[1:] for c in REFUSED], ids=[c[0] for c in REFUSED]
)
def test_the_cloud_refuses(
    cloud: Cloud, token: str, base: Mapping[str, Any], path: str, value: object, where: str, what: str
) -> None:
    problem = only([p for p in cloud.check(token, changed(base, path, value)) if p.path == where and what in p.what])
    assert problem.type == token
    assert problem.allowed or problem.what == "keyword not supported"
    assert problem.source, "every refusal says who says so"


def test_nothing_else_is_wrong_in_a_refused_resource() -> None:
    for case, cloud, token, base, path, value, _where, _what in REFUSED:
        found = cloud.check(token, changed(base, path, value))
        assert len(found) <= 2, (case, [str(problem) for problem in found])


ODD = (None, 7, -1.5, True, "", "x", "\n\0", [], {}, [None], [[]], [{}], {"a": 1}, {"name": []}, UNKNOWN, [UNKNOWN])


def places(value: object, path: str = "") -> list[str]:
    """The path of every property and item inside a value."""
    inside = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    found = [f"{path}/{key}".removeprefix("/") for key, _ in inside]
    return found + [deeper for key, item in inside for deeper in places(item, f"{path}/{key}".removeprefix("/"))]


@pytest.mark.parametrize(("cloud", "token", "inputs"), VALID, ids=lambda value: getattr(value, "package", None))
def test_no_input_however_odd_breaks_a_check(cloud: Cloud, token: str, inputs: Mapping[str, Any]) -> None:
    for path in places(inputs):
        for odd in ODD:
            broken = changed(inputs, path, odd)
            for problem in cloud.check(token, broken):
                assert problem.what
            others = [Declaration(f"urn:{n}", token, n, broken, (), {"firewallPolicy": ("urn:a",)}) for n in "ab"]
            cloud.check_stack(others)


def test_an_unknown_default_action_of_aws_is_not_refused() -> None:
    new = changed(FIREWALL_POLICY, f"{FP}/statefulDefaultActions", ["aws:drop_something_new"])
    assert aws.CLOUD.check(resources_firewall.FIREWALL_POLICY, new) == []


def test_untranslated_dicts_of_azure_rules_are_caught() -> None:
    snake = {
        "rule_collection_type": "FirewallPolicyFilterRuleCollection",
        "name": "allow",
        "priority": 1000,
        "action": {"type": "Allow"},
        "rules": [{"rule_type": "ApplicationRule", "target_fqdns": ["cgr.dev"]}],
    }
    found = {p.path: p.allowed for p in azure.CLOUD.check(azure_resources.GROUP, {**GROUP, "ruleCollections": [snake]})}
    assert found["ruleCollections[0].rule_collection_type"] == "ruleCollectionType"
    within = azure.CLOUD.check(azure_resources.GROUP, changed(GROUP, f"{APP}/target_fqdns", ["cgr.dev"]))
    assert only(within).allowed == "targetFqdns"


def test_auto_names_are_checked_too() -> None:
    named = gcp.CLOUD.named(gcp_resources.POLICY, "Egress", {}, "seed")
    assert only(gcp.CLOUD.check(gcp_resources.POLICY, named)).path == "name"
    long = aws.CLOUD.named(resources_firewall.RULE_GROUP, "a" * 121, {**RULE_GROUP, "name": None}, "seed")
    assert only(aws.CLOUD.check(resources_firewall.RULE_GROUP, long)).what == "wrong length"
    assert len(azure.CLOUD.named(azure_resources.GROUP, "rcg", {}, "seed")["ruleCollectionGroupName"]) == len("rcg") + 8


def declared(token: str, name: str, inputs: Mapping[str, Any], **dependencies: str) -> Declaration:
    deps = {key: (f"urn:{value}",) for key, value in dependencies.items()}
    return Declaration(f"urn:{name}", token, name, inputs, tuple(sorted({d for (d,) in deps.values()})), deps)


def test_one_priority_serves_one_gcp_rule_of_a_policy() -> None:
    policy = declared(gcp_resources.POLICY, "policy", {"name": "egress"})
    rules = [
        declared(gcp_resources.RULE, "a", {"firewallPolicy": UNKNOWN, "priority": 1}, firewallPolicy="policy"),
        declared(
            gcp_resources.RULE, "b", {"firewallPolicy": "projects/p/global/firewallPolicies/egress", "priority": 1}
        ),
        declared(gcp_resources.RULE, "c", {"firewallPolicy": "other", "priority": 1}),
        declared(gcp_resources.RULE, "d", {"firewallPolicy": UNKNOWN, "priority": 1}),
    ]
    problem = only(gcp.CLOUD.check_stack([policy, *rules]))
    assert (problem.name, problem.path, problem.found) == ("b", "priority", "1")


def test_a_network_takes_one_global_policy() -> None:
    pair = [
        declared(gcp_resources.ASSOCIATION, n, {"attachmentTarget": "net", "firewallPolicy": n, "name": n})
        for n in "ab"
    ]
    assert only(gcp.CLOUD.check_stack(pair)).what == "two policies"


def test_a_node_takes_one_hierarchical_policy_and_a_network_several_regional_ones() -> None:
    for token, target, expected in (
        (gcp_resources.ORGANISATION_ASSOCIATION, "folders/1", ["two policies"]),
        (gcp_resources.REGION_ASSOCIATION, "net", []),
    ):
        pair = [declared(token, n, {"attachmentTarget": target, "firewallPolicy": n, "name": n}) for n in "ab"]
        assert [problem.what for problem in gcp.CLOUD.check_stack(pair)] == expected


def test_regional_policies_of_one_name_are_told_apart_by_their_region() -> None:
    rules = [
        declared(gcp_resources.REGION_RULE, n, {"firewallPolicy": "egress", "priority": 1, "region": region})
        for n, region in (("a", "europe-west1"), ("b", "europe-west4"), ("c", "europe-west1"))
    ]
    assert only(gcp.CLOUD.check_stack(rules)).name == "c"


def test_aws_rule_orders_must_agree() -> None:
    group = declared(resources_firewall.RULE_GROUP, "group", changed(RULE_GROUP, "ruleGroup/statefulRuleOptions", {}))
    policy = declared(resources_firewall.FIREWALL_POLICY, "policy", FIREWALL_POLICY, firewallPolicy="group")
    assert only(aws.CLOUD.check_stack([group, policy])).what == "rule orders differ"
    strict = declared(resources_firewall.RULE_GROUP, "group", RULE_GROUP)
    assert aws.CLOUD.check_stack([strict, policy]) == []


def test_azure_groups_of_a_policy_come_one_after_another_with_own_priorities() -> None:
    policy = declared(
        azure_resources.POLICY, "policy", {"firewallPolicyName": "fp-hub", "dnsSettings": {"enableProxy": True}}
    )
    first = declared(azure_resources.GROUP, "first", NETWORK_GROUP, firewallPolicyName="policy")
    other = {**GROUP, "priority": 2100, "ruleCollectionGroupName": "other"}
    beside = declared(azure_resources.GROUP, "second", other, firewallPolicyName="policy")
    assert only(azure.CLOUD.check_stack([policy, first, beside])).what == "parallel updates"
    after = declared(azure_resources.GROUP, "second", other, firewallPolicyName="policy", depends="first")
    assert azure.CLOUD.check_stack([policy, first, after]) == []
    same = declared(
        azure_resources.GROUP, "second", {**other, "priority": 2000}, firewallPolicyName="policy", depends="first"
    )
    assert only(azure.CLOUD.check_stack([policy, first, same])).path == "priority"


@pytest.mark.parametrize(
    ("policy", "found"),
    [({}, "no DNS proxy"), ({"dnsSettings": {"enableProxy": True}, "sku": {"tier": "Basic"}}, "tier Basic")],
)
def test_azure_names_in_network_rules_need_proxy_and_tier(policy: dict[str, Any], found: str) -> None:
    made = declared(azure_resources.POLICY, "policy", {"firewallPolicyName": "fp-hub", **policy})
    group = declared(azure_resources.GROUP, "group", NETWORK_GROUP)
    assert found in only(azure.CLOUD.check_stack([made, group])).found
