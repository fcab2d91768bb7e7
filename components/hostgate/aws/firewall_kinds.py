"""Kinds of the objects that a plan of AWS Network Firewall is made of, as CloudFormation spells them."""

RULE_GROUP = "AWS::NetworkFirewall::RuleGroup"
POLICY = "AWS::NetworkFirewall::FirewallPolicy"
REFERENCES = "AWS::NetworkFirewall::FirewallPolicy.StatefulRuleGroupReferences"
FIREWALL = "AWS::NetworkFirewall::Firewall"
ENDPOINT = "AWS::NetworkFirewall::VpcEndpointAssociation"
LOGGING = "AWS::NetworkFirewall::LoggingConfiguration"
SHARE = "AWS::RAM::ResourceShare"
