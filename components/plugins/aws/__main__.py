"""The Pulumi package hostgate-aws: the components for AWS, for programs in any Pulumi language."""

from hostgate.hosting import serve

serve("aws")
