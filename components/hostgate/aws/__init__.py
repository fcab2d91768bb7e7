"""AWS: the mechanisms of Network Firewall, DNS Firewall, prefix lists and network ACLs, and the components that realise them.

`from hostgate.aws import NetworkFirewallAllowlist` loads pulumi and this cloud's SDK; importing a mechanism does not.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from hostgate.on_demand import on_demand
from hostgate.planning.targets import COMPUTED, Target

if TYPE_CHECKING:
    from hostgate.aws.acl_components import NetworkAclAllowlist, NetworkAclAllowlistArgs
    from hostgate.aws.components import NetworkFirewallAllowlist, NetworkFirewallAllowlistArgs
    from hostgate.aws.dns_components import DnsFirewallAllowlist, DnsFirewallAllowlistArgs
    from hostgate.aws.group_components import SecurityGroupAllowlist, SecurityGroupAllowlistArgs
    from hostgate.aws.refresher_components import PoolRefresher, PoolRefresherArgs

__all__ = [
    "TARGETS",
    "DnsFirewallAllowlist",
    "DnsFirewallAllowlistArgs",
    "NetworkAclAllowlist",
    "NetworkAclAllowlistArgs",
    "NetworkFirewallAllowlist",
    "NetworkFirewallAllowlistArgs",
    "PoolRefresher",
    "PoolRefresherArgs",
    "SecurityGroupAllowlist",
    "SecurityGroupAllowlistArgs",
]

_POLICY = "aws:networkfirewall/firewallPolicy:FirewallPolicy"
_GROUP = "aws:networkfirewall/ruleGroup:RuleGroup"
_REPLACES = {_POLICY: ("firewallPolicy.tlsInspectionConfigurationArn",), _GROUP: ("description",)}

_TERRAFORM = "hostgate.export.terraform_aws:export_terraform"

_OF_FIREWALL = Target(
    name="aws:rules",
    mechanism="hostgate.aws.rules",
    component="hostgate.aws.components:NetworkFirewallAllowlist",
    outputs=("references", "policy_arn", "firewall_arn", "endpoints", "associated_endpoints", "share_arn", "digest"),
    example={"phases": ["pull", "build"], "homeNet": ["10.0.0.0/8"]},
    references={
        "ip_sets{}": f"arn:{COMPUTED}/{{}}",
        "attach": COMPUTED,
        "managed_groups[].arn": COMPUTED,
        "stateless_groups[].arn": COMPUTED,
        "encryption_configuration.key_id": COMPUTED,
        "group_tags{}": COMPUTED,
        "policy_tags{}": COMPUTED,
        "firewall_tags{}": COMPUTED,
        "share.principals[]": f"{COMPUTED}/{{}}",
        "tags{}": COMPUTED,
        "tls_inspection": COMPUTED,
        "firewall.vpc_id": COMPUTED,
        "firewall.subnet_mappings[].subnet_id": COMPUTED,
        "firewall.transit_gateway_id": COMPUTED,
        "endpoint_associations[].vpc_id": COMPUTED,
        "endpoint_associations[].subnet_id": COMPUTED,
        "logging[].log_destination{}": COMPUTED,
    },
    replaces=_REPLACES,
    logs={"connection": "hostgate.aws.event_log:read_event"},
    places="hostgate.aws.evaluate:places",
    simulated="hostgate.sandbox.aws:CLOUD",
    exports={"suricata": "hostgate.export.suricata:export_suricata", "terraform": _TERRAFORM},
)

TARGETS = (
    _OF_FIREWALL,
    replace(
        _OF_FIREWALL,
        name="aws:domain-list",
        mechanism="hostgate.aws.domain_list",
        replaces={**_REPLACES, _GROUP: ("description", "ruleGroup")},
        exports={"terraform": _TERRAFORM},
    ),
    Target(
        name="aws:dns-firewall",
        mechanism="hostgate.aws.dns_firewall",
        component="hostgate.aws.dns_components:DnsFirewallAllowlist",
        outputs=("rule_group_id", "rule_group_arn", "digest"),
        example={"vpcs": ["vpc-0123456789abcdef0"], "inside": ["corp.example"]},
        references={"vpcs[]": "vpc-{}", "profiles[]": "rp-{}", "tags{}": COMPUTED},
        referred={
            "vpcs": ("aws:route53/resolverFirewallRuleGroupAssociation:ResolverFirewallRuleGroupAssociation", "vpcId"),
            "profiles": ("aws:route53/profilesResourceAssociation:ProfilesResourceAssociation", "profileId"),
        },
        logs={"query": "hostgate.aws.event_log:read_event"},
        places="hostgate.aws.evaluate_queries:places",
        simulated="hostgate.sandbox.aws:CLOUD",
        exports={"terraform": _TERRAFORM},
    ),
    Target(
        name="aws:prefix-list",
        mechanism="hostgate.aws.prefix_list",
        component="hostgate.aws.group_components:SecurityGroupAllowlist",
        outputs=("prefix_lists", "digest"),
        example={"pool": "pool.txt", "securityGroups": ["sg-0123456789abcdef0"]},
        references={"security_groups[]": f"{COMPUTED}/{{}}", "tags{}": COMPUTED},
        places="hostgate.aws.evaluate_groups:places",
        named="securityGroups",
        held_by="securityGroupId",
        members="hostgate.aws.evaluate_groups:members",
        simulated="hostgate.sandbox.aws:CLOUD",
        exports={"terraform": _TERRAFORM},
    ),
    Target(
        name="aws:network-acl",
        mechanism="hostgate.aws.network_acl",
        component="hostgate.aws.acl_components:NetworkAclAllowlist",
        outputs=("digest",),
        example={"pool": "pool.txt", "networkAcls": ["acl-0123456789abcdef0"]},
        references={"network_acls[]": f"{COMPUTED}/{{}}", "tags{}": COMPUTED},
        places="hostgate.aws.evaluate_acls:places",
        named="networkAcls",
        held_by="networkAclId",
        members="hostgate.aws.evaluate_acls:members",
        simulated="hostgate.sandbox.aws:CLOUD",
        exports={"terraform": _TERRAFORM},
    ),
)

BESIDE_TARGETS = {
    "hostgate.aws.refresher_components:PoolRefresher": {
        "bucket": "acme-pools",
        "vantage": "eu-west-1",
        "imageUri": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/hostgate:0.2.0",
        "subnetIds": ["subnet-0123456789abcdef0"],
        "securityGroupIds": ["sg-0123456789abcdef0"],
    }
}
"""Components that realise no plan, with inputs for an example."""

__getattr__ = on_demand(
    __name__,
    {
        "DnsFirewallAllowlist": "dns_components",
        "DnsFirewallAllowlistArgs": "dns_components",
        "NetworkAclAllowlist": "acl_components",
        "NetworkAclAllowlistArgs": "acl_components",
        "NetworkFirewallAllowlist": "components",
        "NetworkFirewallAllowlistArgs": "components",
        "PoolRefresher": "refresher_components",
        "PoolRefresherArgs": "refresher_components",
        "SecurityGroupAllowlist": "group_components",
        "SecurityGroupAllowlistArgs": "group_components",
    },
)
