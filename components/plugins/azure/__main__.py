"""The Pulumi package hostgate-azure: the component for Azure, for programs in any Pulumi language."""

from hostgate.hosting import serve

serve("azure")
