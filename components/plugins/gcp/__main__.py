"""The Pulumi package hostgate-gcp: the component for Google Cloud, for programs in any Pulumi language."""

from hostgate.gcp import FirewallPolicyAllowlist
from hostgate.hosting import serve

serve("hostgate-gcp", FirewallPolicyAllowlist)
