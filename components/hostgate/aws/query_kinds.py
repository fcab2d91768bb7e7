"""Kinds and words of the objects that a plan of DNS Firewall is made of, as CloudFormation spells them."""

DOMAIN_LIST = "AWS::Route53Resolver::FirewallDomainList"
RULE_GROUP = "AWS::Route53Resolver::FirewallRuleGroup"
RULE = "AWS::Route53Resolver::FirewallRuleGroup.FirewallRule"
ASSOCIATION = "AWS::Route53Resolver::FirewallRuleGroupAssociation"
PROFILE_ASSOCIATION = "AWS::Route53Profiles::ProfileResourceAssociation"
CONFIG = "AWS::Route53Resolver::FirewallConfig"

EVERYTHING = "*."
"""A list of all names. The service stores `*` so, and anything else is a difference for ever."""

TRUST = "TRUST_REDIRECTION_DOMAIN"

RESOLVER_ZONES = (
    "compute.internal",
    "compute-1.internal",
    "ec2.internal",
    "localhost",
    "127.in-addr.arpa",
    "10.in-addr.arpa",
    *(f"{second}.172.in-addr.arpa" for second in range(16, 32)),
    "168.192.in-addr.arpa",
)
"""Answered inside the VPC by the resolver's own rules (Route 53 developer guide, autodefined rules, read 2026-11-27): names
of instances (`compute-1.internal` in us-east-1), names of the host itself, and reverse lookups of loopback and RFC 1918
addresses. Names below them are never asked for outside."""
