"""Names under which many customers of one company publish: an allow rule for them allows all of those customers.

Three shapes: tenants told apart by path (one name for everybody; no firewall here sees a path), by path on each of several
names below one (a name for each region), and by a label (a wildcard over the name is everybody; one tenant's own name is
not).
"""

from dataclasses import dataclass
from typing import Literal

from hostgate.catalog.hosts import is_hosting_suffix
from hostgate.catalog.match_kinds import holds, meet
from hostgate.catalog.model import Match


@dataclass(frozen=True, slots=True)
class SharedHost:
    """A shared name, how its tenants differ, and where that is documented."""

    host: str
    tenants_by: Literal["path", "path-below", "label"]
    what: str
    source: str


SHARED_HOSTS = (
    SharedHost(
        "storage.googleapis.com", "path", "every Cloud Storage bucket", "Cloud Storage, request endpoints, 2026-11"
    ),
    SharedHost(
        "ghcr.io", "path", "every GitHub container registry namespace", "GitHub docs, container registry, 2026-11"
    ),
    SharedHost("docker.io", "path", "every Docker Hub repository", "Docker docs, registry, 2026-11"),
    SharedHost("registry-1.docker.io", "path", "every Docker Hub repository", "Docker docs, registry, 2026-11"),
    SharedHost("quay.io", "path", "every Quay repository", "Red Hat Quay.io docs, 2026-11"),
    SharedHost(
        "gcr.io", "path", "every project of Artifact Registry", "Artifact Registry, gcr.io repositories, 2026-11"
    ),
    SharedHost("mirror.gcr.io", "path", "every Docker Hub image that Google caches", "Artifact Registry docs, 2026-11"),
    SharedHost(
        "gcr.io", "path-below", "every project of Artifact Registry", "Artifact Registry, gcr.io repositories, 2026-11"
    ),
    SharedHost(
        "pkg.dev", "path-below", "every project of Artifact Registry", "Artifact Registry, repository names, 2026-11"
    ),
    SharedHost("public.ecr.aws", "path", "every public ECR repository", "Amazon ECR public docs, 2026-11"),
    SharedHost("raw.githubusercontent.com", "path", "every public GitHub repository", "GitHub docs, 2026-11"),
    SharedHost("github.com", "path", "every GitHub repository", "GitHub docs, 2026-11"),
    SharedHost("s3.amazonaws.com", "path", "every S3 bucket (path style)", "Amazon S3, virtual hosting, 2026-11"),
    SharedHost(
        "storage.googleapis.com", "label", "every Cloud Storage bucket", "Cloud Storage, request endpoints, 2026-11"
    ),
    SharedHost("r2.cloudflarestorage.com", "label", "every R2 account", "Cloudflare R2, S3 API endpoint, 2026-11"),
    SharedHost("zendesk.com", "label", "every Zendesk customer", "Zendesk help, subdomains, 2026-11"),
    SharedHost("auth0.com", "label", "every Auth0 tenant", "Auth0 docs, tenants, 2026-11"),
)


_HOSTS = frozenset(shared.host for shared in SHARED_HOSTS)
_ABOVE = frozenset(shared.host for shared in SHARED_HOSTS if shared.tenants_by == "path-below")


def is_well_known(host: str) -> bool:
    """Whether `host` is a name of its own that many use, and so no misprint of another."""
    return host in _HOSTS


def shared_hosting(kind: Match, host: str) -> str | None:
    """Who else is allowed by (`kind`, `host`) beside the vendor, in words; None if nobody is known to be."""
    if kind == "exact" and host not in _HOSTS and host.partition(".")[2] not in _ABOVE:
        return None
    for shared in SHARED_HOSTS:
        if shared.tenants_by == "path" and holds(kind, host, shared.host):
            return f"{shared.what} is behind {shared.host} ({shared.source})"
        if shared.tenants_by == "path-below" and meet(kind, host, "one-label", shared.host):
            return f"{shared.what} is behind {host} ({shared.source})"
        if shared.tenants_by == "label" and kind != "exact" and meet(kind, host, "one-label", shared.host):
            return f"{shared.what} is a name below {shared.host} ({shared.source})"
    if kind != "exact" and is_hosting_suffix(host):
        return f"customers of one company register names below {host} (publicsuffix.org, private section)"
    return None
