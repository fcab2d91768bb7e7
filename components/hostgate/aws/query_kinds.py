"""Kinds and words of the objects that a plan of DNS Firewall is made of, as CloudFormation spells them."""

DOMAIN_LIST = "AWS::Route53Resolver::FirewallDomainList"
RULE_GROUP = "AWS::Route53Resolver::FirewallRuleGroup"
RULE = "AWS::Route53Resolver::FirewallRuleGroup.FirewallRule"
ASSOCIATION = "AWS::Route53Resolver::FirewallRuleGroupAssociation"
CONFIG = "AWS::Route53Resolver::FirewallConfig"

EVERYTHING = "*."
"""A list of all names. The service stores `*` so, and anything else is a difference for ever."""

TRUST = "TRUST_REDIRECTION_DOMAIN"
