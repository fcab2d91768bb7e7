"""The Pulumi package hostgate-aws: the component for AWS, for programs in any Pulumi language."""

from hostgate.aws import NetworkFirewallAllowlist
from hostgate.hosting import serve

serve("hostgate-aws", NetworkFirewallAllowlist)
