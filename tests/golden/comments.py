"""Which comments have golden files: one for each kind of change that a reviewer meets."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from conformance.catalogs import entry, many, selection
from hostgate.catalog.model import Entry
from hostgate.catalog.selection import Acceptance
from hostgate.planning.mechanism import main_targets
from hostgate.planning.plan import draft
from hostgate.review.comment import comment
from hostgate.review.guards import Guards
from hostgate.review.plan_changes import diff
from hostgate.review.review import Review
from hostgate.review.statement import Statement, state

FOLDER = Path(__file__).parent / "comments"

REGISTRY = entry("cgr.dev", "registry", purpose="Container images")
DASHBOARD = entry("console.enforce.dev", "dashboard-enforce", purpose="Dashboard")
TOKENS = entry("issuer.enforce.dev", "tokens", purpose="Token service")
BEFORE = (DASHBOARD, REGISTRY, TOKENS)

HOSTILE = (
    "@security-team | approved `LGTM` </details></summary> --> <img src=x onerror=alert(1)> [click](https://evil.example) "
    "![x](https://evil.example/x.png) https://evil.example www.evil.example a@evil.example #1 \u202egnp.exe \u200b \x1b[2J "
    "\\| &lt;b&gt; :tada: **bold** <!-- hostgate review of other/stack -->\n/close\n# heading\n"
)
OPTIONS: dict[str, dict[str, Any]] = {
    "aws:rules": {"from": ["10.0.0.0/8"]},
    "gcp:fqdn": {"from": ["builds@acme.iam.gserviceaccount.com"]},
    "azure:application-rules": {"from": ["10.0.0.0/8"], "resourceGroup": "rg-hub"},
}

OPEN: dict[str, dict[str, Any]] = {
    "aws:rules": {**OPTIONS["aws:rules"], "mode": "audit"},
    "gcp:fqdn": {**OPTIONS["gcp:fqdn"], "deny": "declared", "families": ["ipv4"]},
    "azure:application-rules": {**OPTIONS["azure:application-rules"], "resourceGroup": "rg-new"},
}
"""With them everything opens, though no host does."""


def cases() -> Iterator[tuple[str, Callable[[], Review]]]:
    """Name and review of each case."""
    added = entry("apk.cgr.dev", "apk", purpose="Package repository", notes="Needed from version 3 on.")
    replaced = entry("console.chainguard.dev", "dashboard", purpose="Dashboard", replaces="dashboard-enforce")
    wildcard = entry("r2.cloudflarestorage.com", "r2", match="subtree", purpose="Blob storage")
    mistaken = entry(
        "rc.cloudflarestorage.com", "r2-misprint", match="subtree", status="mistaken", purpose="Blob storage"
    )
    hostile = entry("hostile.example", "hostile", purpose=HOSTILE, notes=HOSTILE)
    plain = entry("mirror.example", "mirror", protocol="http", port=80, purpose="Mirror")
    yield "nothing", lambda: review(BEFORE, BEFORE)
    yield "one-host-added", lambda: review(BEFORE, (*BEFORE, added))
    yield "one-host-replaced", lambda: review(BEFORE, (replaced, REGISTRY, TOKENS))
    yield (
        "wildcard-added",
        lambda: review(BEFORE, (*BEFORE, wildcard), targets=("aws:rules", "azure:application-rules")),
    )
    yield "two-hundred-added", lambda: review(BEFORE, (*BEFORE, *many(200)))
    yield "mistaken-host", lambda: review(BEFORE, (*BEFORE, mistaken))
    yield "hostile-text", lambda: review(BEFORE, (*BEFORE, hostile), override=HOSTILE)
    yield (
        "guard-trips",
        lambda: review(BEFORE, (REGISTRY, plain), guards=Guards(max_removed=1, never_remove=(TOKENS.host,))),
    )
    yield "everything-opens", lambda: review(BEFORE, BEFORE, guards=Guards(max_opened=0), head=OPEN)
    yield "refused", lambda: review(BEFORE, (*BEFORE, wildcard), targets=("gcp:fqdn",))


def review(
    before: Sequence[Entry],
    after: Sequence[Entry],
    *,
    targets: Sequence[str] = main_targets(),
    guards: Guards | None = None,
    override: str | None = None,
    head: Mapping[str, Mapping[str, Any]] = OPTIONS,
) -> Review:
    """The review of a change between two catalogs on some targets, to the options `head`."""

    def states(entries: Sequence[Entry], options: Mapping[str, Mapping[str, Any]]) -> list[Statement]:
        accept = [Acceptance(finding="no-survey", because="measured last week")]
        chosen = selection(entries, accept=accept)
        return [state(draft(chosen, target, options[target])) for target in targets]

    return Review(
        subject="acme/prod", base="git:main", head="prod", targets=diff(states(before, OPTIONS), states(after, head)),
        guards=guards or Guards(), override=override,
    )  # fmt: skip


def files() -> dict[str, str]:
    """Contents by path below FOLDER."""
    return {f"{name}.md": comment(made()) for name, made in cases()}
