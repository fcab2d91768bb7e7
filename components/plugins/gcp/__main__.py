"""The Pulumi package hostgate-gcp: the component for Google Cloud, for programs in any Pulumi language."""

from hostgate.hosting import serve

serve("gcp")
