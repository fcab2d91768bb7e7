"""The Pulumi package hostgate-aws: the components for AWS, for programs in any Pulumi language."""

from hostgate.aws import DnsFirewallAllowlist, NetworkFirewallAllowlist
from hostgate.hosting import serve

serve("hostgate-aws", NetworkFirewallAllowlist, DnsFirewallAllowlist)
