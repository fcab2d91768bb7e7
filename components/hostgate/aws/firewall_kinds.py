"""Kinds of the objects that a plan of AWS Network Firewall is made of, as CloudFormation spells them."""

RULE_GROUP = "AWS::NetworkFirewall::RuleGroup"
POLICY = "AWS::NetworkFirewall::FirewallPolicy"
REFERENCES = "AWS::NetworkFirewall::FirewallPolicy.StatefulRuleGroupReferences"
FIREWALL = "AWS::NetworkFirewall::Firewall"
ENDPOINT = "AWS::NetworkFirewall::VpcEndpointAssociation"
LOGGING = "AWS::NetworkFirewall::LoggingConfiguration"
SHARE = "AWS::RAM::ResourceShare"

_IN_ARNS = {RULE_GROUP: "stateful-rulegroup", POLICY: "firewall-policy", FIREWALL: "firewall"}


def plan_arn(kind: str, name: str) -> str:
    """By what objects of a plan refer to one of theirs, until an update tells its Region and account."""
    return f"arn:aws:network-firewall:REGION:ACCOUNT:{_IN_ARNS[kind]}/{name}"
