"""The shipped catalog at every revision, against the vendor's page as its history was written down by hand."""

import pytest

from conformance.catalogs import MADE
from hostgate.catalog.model import Entry
from hostgate.catalog.problems import InputError
from hostgate.catalog.read import Catalog
from hostgate.catalog.references import resolve, resolve_file
from hostgate.catalog.selection import Acceptance, select
from hostgate.flows.flow import Flow
from hostgate.planning.plan import draft, plan

REFERENCE = "2024-03-28"
NEWEST = "2026-02-23"

R2_ANY = "subtree of r2.cloudflarestorage.com"
R2_ACCOUNT = "9236a389bd48b984df91adc1bc924620.r2.cloudflarestorage.com"
R2_MISSPELT = "9236a389bd48b98df91adc1bc924620.r2.cloudflarestorage.com"

HOSTS = {
    "2023-05-15": {"cgr.dev", "packages.wolfi.dev", "ghcr.io", R2_ANY},
    "2023-06-20": {"cgr.dev", "packages.wolfi.dev", "ghcr.io", R2_ANY, R2_MISSPELT},
    "2023-08-04": {"cgr.dev", "enforce.dev", "packages.wolfi.dev", "ghcr.io", R2_ANY, R2_MISSPELT},
    "2023-09-08": {
        "cgr.dev", "enforce.dev", "packages.wolfi.dev", "ghcr.io", R2_ANY, R2_MISSPELT, "chainguardhelp.zendesk.com",
    },
    "2023-09-21": {
        "cgr.dev", "enforce.dev", "packages.wolfi.dev", "ghcr.io", R2_ANY, R2_ACCOUNT, "chainguardhelp.zendesk.com",
    },
    "2024-02-07": {
        "cgr.dev", "console.enforce.dev", "console-api.enforce.dev", "enforce.dev", "dl.enforce.dev",
        "issuer.enforce.dev", "packages.wolfi.dev",
        "ghcr.io", R2_ANY, R2_ACCOUNT, "chainguardhelp.zendesk.com", "storage.googleapis.com",
    },
    "2024-03-22": {
        "cgr.dev", "console.enforce.dev", "console-api.enforce.dev", "enforce.dev", "dl.enforce.dev",
        "issuer.enforce.dev", "packages.wolfi.dev", "packages.cgr.dev",
        "ghcr.io", R2_ANY, R2_ACCOUNT, "chainguardhelp.zendesk.com", "storage.googleapis.com",
    },
    "2024-03-28": {
        "cgr.dev", "console.enforce.dev", "console-api.enforce.dev", "enforce.dev", "dl.enforce.dev",
        "issuer.enforce.dev", "packages.wolfi.dev", "packages.cgr.dev",
        "ghcr.io", R2_ANY, R2_ACCOUNT, "chainguardhelp.zendesk.com", "storage.googleapis.com",
    },
    "2024-03-29": {
        "cgr.dev", "console.enforce.dev", "console-api.enforce.dev", "enforce.dev", "dl.enforce.dev",
        "issuer.enforce.dev", "packages.wolfi.dev", "packages.cgr.dev",
        "ghcr.io", R2_ANY, R2_ACCOUNT, "chainguardhelp.zendesk.com", "storage.googleapis.com",
    },
    "2024-05-13": {
        "cgr.dev", "console.enforce.dev", "console-api.enforce.dev", "enforce.dev", "dl.enforce.dev",
        "issuer.enforce.dev", "packages.wolfi.dev", R2_ACCOUNT, "chainguardhelp.zendesk.com",
    },
    "2024-05-14": {
        "cgr.dev", "console.chainguard.dev", "console.enforce.dev", "console-api.enforce.dev", "enforce.dev",
        "dl.enforce.dev", "issuer.enforce.dev", "packages.wolfi.dev", R2_ACCOUNT, "chainguardhelp.zendesk.com",
    },
    "2024-08-06": {
        "cgr.dev", "console.chainguard.dev", "console-api.enforce.dev", "enforce.dev", "dl.enforce.dev",
        "issuer.enforce.dev", "packages.wolfi.dev", R2_ACCOUNT, "chainguardhelp.zendesk.com",
    },
    "2024-11-21": {
        "cgr.dev", "console.chainguard.dev", "console-api.enforce.dev", "enforce.dev", "dl.enforce.dev",
        "issuer.enforce.dev", "apk.cgr.dev", "packages.wolfi.dev", R2_ACCOUNT, "chainguardhelp.zendesk.com",
    },
    "2024-12-02": {
        "cgr.dev", "console.chainguard.dev", "console-api.enforce.dev", "enforce.dev", "dl.enforce.dev",
        "issuer.enforce.dev", "apk.cgr.dev", "packages.cgr.dev", "packages.wolfi.dev", R2_ACCOUNT,
        "chainguardhelp.zendesk.com",
    },
    "2025-02-04": {
        "cgr.dev", "console.chainguard.dev", "data.chainguard.dev", "console-api.enforce.dev", "enforce.dev",
        "dl.enforce.dev", "issuer.enforce.dev", "apk.cgr.dev", "packages.cgr.dev", "packages.wolfi.dev", R2_ACCOUNT,
        "chainguardhelp.zendesk.com",
    },
    "2025-06-10": {
        "cgr.dev", "console.chainguard.dev", "data.chainguard.dev", "console-api.enforce.dev", "enforce.dev",
        "dl.enforce.dev", "issuer.enforce.dev", "apk.cgr.dev", "virtualapk.cgr.dev", "packages.cgr.dev",
        "packages.wolfi.dev", R2_ACCOUNT, "chainguardhelp.zendesk.com",
    },
    "2025-06-17": {
        "cgr.dev", "console.chainguard.dev", "data.chainguard.dev", "console-api.enforce.dev", "enforce.dev",
        "dl.enforce.dev", "issuer.enforce.dev", "apk.cgr.dev", "virtualapk.cgr.dev", "packages.cgr.dev",
        "packages.wolfi.dev", R2_ACCOUNT, "support.chainguard.dev",
    },
    "2026-02-23": {
        "cgr.dev", "console.chainguard.dev", "data.chainguard.dev", "console-api.enforce.dev", "enforce.dev",
        "dl.enforce.dev", "issuer.enforce.dev", "apk.cgr.dev", "virtualapk.cgr.dev", "packages.cgr.dev",
        "packages.wolfi.dev", R2_ACCOUNT, "support.chainguard.dev",
    },
}  # fmt: skip

COMMITS = {
    "2023-05-15": "0b54c1b56", "2023-06-20": "b3adff5af", "2023-08-04": "0e54a00bd", "2023-09-08": "e3674909f",
    "2023-09-21": "d4e9386a4", "2024-02-07": "a1583e29b", "2024-03-22": "ca00505ea", "2024-03-28": None,
    "2024-03-29": "70621da30", "2024-05-13": "baebde9fa", "2024-05-14": "46480dd63", "2024-08-06": "ebd8d791e",
    "2024-11-21": "9b53584cb", "2024-12-02": "c60b9a893", "2025-02-04": "c6bc30f57", "2025-06-10": "5aeb6acdd",
    "2025-06-17": "c720df060", "2026-02-23": "20ec2fc24",
}  # fmt: skip

REFERENCE_TABLE = {
    ("cgr.dev", "exact", 443, "https", "first"),
    ("console.enforce.dev", "exact", 443, "https", "first"),
    ("console-api.enforce.dev", "exact", 443, "https", "first"),
    ("enforce.dev", "exact", 443, "https", "first"),
    ("dl.enforce.dev", "exact", 443, "https", "first"),
    ("issuer.enforce.dev", "exact", 443, "https", "first"),
    ("packages.wolfi.dev", "exact", 443, "https", "first"),
    ("packages.cgr.dev", "exact", 443, "https", "first"),
    ("ghcr.io", "exact", 443, "https", "third"),
    ("r2.cloudflarestorage.com", "subtree", 443, "https", "third"),
    (R2_ACCOUNT, "exact", 443, "https", "third"),
    ("chainguardhelp.zendesk.com", "exact", 443, "https", "third"),
    ("storage.googleapis.com", "exact", 443, "https", "third"),
}


@pytest.fixture(scope="module")
def images() -> Catalog:
    return resolve_file("chainguard/images")


def at(images: Catalog, revision: str) -> dict[str, Entry]:
    return {entry.id: entry for entry in images.entries(revision)}


@pytest.mark.parametrize("revision", HOSTS)
def test_a_revision_holds_the_hosts_of_the_page_at_that_date(images: Catalog, revision: str) -> None:
    assert {entry.reach for entry in images.entries(revision)} == HOSTS[revision]


def test_the_revisions_are_those_of_the_page_oldest_first(images: Catalog) -> None:
    assert [revision.id for revision in images.revisions] == list(HOSTS)


@pytest.mark.parametrize("revision", HOSTS)
def test_a_revision_cites_the_commit_that_changed_the_table(images: Catalog, revision: str) -> None:
    named = next(each.source for each in images.revisions if each.id == revision)
    source = next(each for each in images.record.sources if each.id == named)

    assert (source.commit, source.date) == (COMMITS[revision], revision)


@pytest.mark.parametrize("revision", HOSTS)
def test_every_entry_of_the_page_is_https_on_port_443_and_outbound(images: Catalog, revision: str) -> None:
    assert {(entry.port, entry.protocol, entry.direction) for entry in images.entries(revision)} == {
        (443, "https", "egress")
    }


def test_the_reference_revision_is_the_reference_table(images: Catalog) -> None:
    found = {(entry.host, entry.match, entry.port, entry.protocol, entry.party) for entry in images.entries(REFERENCE)}

    assert found == REFERENCE_TABLE


def test_nineteen_strings_ever_stood_in_the_table(images: Catalog) -> None:
    assert len({entry.reach for revision in HOSTS for entry in images.entries(revision)}) == 19


def test_of_the_thirteen_reference_hosts_eight_are_in_the_newest_revision(images: Catalog) -> None:
    reference, newest = at(images, REFERENCE), at(images, NEWEST)

    assert {entry.host for entry in reference.values()} & {entry.host for entry in newest.values()} == {
        "cgr.dev", "console-api.enforce.dev", "enforce.dev", "dl.enforce.dev", "issuer.enforce.dev",
        "packages.wolfi.dev", "packages.cgr.dev", R2_ACCOUNT,
    }  # fmt: skip


def test_the_newest_revision_has_five_hosts_that_the_reference_has_not(images: Catalog) -> None:
    reference, newest = at(images, REFERENCE), at(images, NEWEST)

    assert {entry.host for entry in newest.values()} - {entry.host for entry in reference.values()} == {
        "console.chainguard.dev", "data.chainguard.dev", "apk.cgr.dev", "virtualapk.cgr.dev", "support.chainguard.dev",
    }  # fmt: skip


def test_latest_is_the_newest_revision_and_says_that_it_floats() -> None:
    pin = resolve("chainguard/images@latest")

    assert (pin.revision, pin.floating) == (NEWEST, True)


def test_two_hosts_of_the_newest_revision_are_served_over_ipv6_and_all_over_ipv4(images: Catalog) -> None:
    families = {entry.host: entry.families for entry in images.entries(NEWEST)}

    assert families == {
        "cgr.dev": ("ipv4",),
        "console.chainguard.dev": ("ipv4",),
        "data.chainguard.dev": ("ipv4",),
        "console-api.enforce.dev": ("ipv4",),
        "enforce.dev": ("ipv4",),
        "dl.enforce.dev": ("ipv4",),
        "issuer.enforce.dev": ("ipv4",),
        "apk.cgr.dev": ("ipv4",),
        "virtualapk.cgr.dev": ("ipv4",),
        "packages.cgr.dev": ("ipv4",),
        "packages.wolfi.dev": ("ipv4", "ipv6"),
        R2_ACCOUNT: ("ipv4", "ipv6"),
        "support.chainguard.dev": ("ipv4",),
    }


@pytest.mark.parametrize("revision", [each for each in HOSTS if each != NEWEST])
def test_before_the_page_had_an_ip_version_column_families_are_unknown(images: Catalog, revision: str) -> None:
    assert {entry.families for entry in images.entries(revision)} == {None}


@pytest.mark.parametrize(
    ("entry", "successor"),
    [
        ("dashboard-enforce", "dashboard"),
        ("support-zendesk", "support"),
        ("r2-account-host-misspelt", "r2-account-host"),
    ],
)
def test_an_entry_names_the_one_that_it_took_over_from(images: Catalog, entry: str, successor: str) -> None:
    entries = {entry.id: entry for revision in HOSTS for entry in images.entries(revision)}

    assert (entries[successor].replaces, entries[entry].replaced_by) == (entry, successor)


def test_the_dashboards_overlapped_and_the_support_hosts_did_not(images: Catalog) -> None:
    together = [
        (revision, pair)
        for revision in HOSTS
        for pair in ({"dashboard", "dashboard-enforce"}, {"support", "support-zendesk"})
        if pair <= set(at(images, revision))
    ]

    assert together == [("2024-05-14", {"dashboard", "dashboard-enforce"})]


def test_what_the_vendor_withdrew_after_the_reference_revision_says_when(images: Catalog) -> None:
    withdrawn = {entry.host: entry.withdrawn for entry in images.entries(REFERENCE) if entry.withdrawn}

    assert withdrawn == {
        "ghcr.io": "2024-05-13",
        "r2.cloudflarestorage.com": "2024-05-13",
        "storage.googleapis.com": "2024-05-13",
        "console.enforce.dev": "2024-08-06",
        "chainguardhelp.zendesk.com": "2025-06-17",
    }


def test_a_host_that_left_and_came_back_is_one_entry_with_another_purpose(images: Catalog) -> None:
    held = [revision for revision in HOSTS if "packages-production" in at(images, revision)]
    before, after = at(images, REFERENCE)["packages-production"], at(images, NEWEST)["packages-production"]

    assert held == [*list(HOSTS)[6:9], *list(HOSTS)[13:]]
    assert (before.purpose, after.purpose) == (
        "Package repository of production images",
        "Package repository of extra packages",
    )


def test_either_r2_entry_of_the_reference_revision_is_enough(images: Catalog) -> None:
    groups = {entry.id: entry.alternatives for entry in images.entries(REFERENCE) if entry.alternatives}

    assert groups == {"r2-any-bucket": "blob-storage", "r2-account-host": "blob-storage"}


def test_the_misprints_of_the_page_are_recorded_as_mistaken(images: Catalog) -> None:
    mistaken = {record.host for record in images.record.entries if record.status == "mistaken"}

    assert mistaken == {R2_MISSPELT, "rc.cloudflarestorage.com"}


@pytest.mark.parametrize("revision", HOSTS)
def test_the_misspelt_wildcard_is_part_of_no_revision(images: Catalog, revision: str) -> None:
    assert not any("rc.cloudflarestorage.com" in entry.host for entry in images.entries(revision))


@pytest.mark.parametrize("target", MADE)
@pytest.mark.parametrize("revision", HOSTS)
def test_no_plan_of_any_revision_opens_the_misspelt_wildcard(revision: str, target: str) -> None:
    made = draft(select(f"chainguard/images@{revision}"), target)

    assert "rc.cloudflare" not in str([each.as_json() for each in made.objects])
    if not made.refused:
        assert not made.verdict(Flow("bucket.rc.cloudflarestorage.com")).allows


@pytest.mark.parametrize("revision", HOSTS)
def test_the_misspelt_wildcard_cannot_be_asked_for_by_id(revision: str) -> None:
    with pytest.raises(InputError, match="select-unknown-id"):
        select(f"chainguard/images@{revision}", ids=["r2-any-bucket-misspelt"])


@pytest.mark.parametrize("target", MADE)
@pytest.mark.parametrize("revision", ["2023-06-20", "2023-08-04", "2023-09-08"])
def test_the_misspelt_account_host_is_left_out_with_a_finding_and_in_no_object(revision: str, target: str) -> None:
    made = draft(select(f"chainguard/images@{revision}"), target)

    (decision,) = [each for each in made.decisions if each.entry.host == R2_MISSPELT]
    assert (decision.outcome, decision.rule) == ("left out", None)
    assert ("mistaken", decision.entry.id) in [(each.id, each.entry) for each in made.findings]
    assert "9236a389" not in str([each.as_json() for each in made.objects])


def test_accepting_the_finding_does_not_open_a_misprint() -> None:
    word = Acceptance(finding="mistaken", entry="r2-account-host-misspelt", because="trying")
    made = plan(
        select("chainguard/images@2023-06-20", ids=["r2-account-host-misspelt", "registry"], accept=[word]), "aws:rules"
    )

    assert not made.verdict(Flow(R2_MISSPELT)).allows


def test_a_misprint_cannot_be_chosen_among_alternatives() -> None:
    with pytest.raises(InputError, match="choose-unknown-entry"):
        select("chainguard/images@2023-06-20", choose={"blob-storage": "r2-account-host-misspelt"})


@pytest.mark.parametrize("target", MADE)
def test_the_reference_revision_plans_on_every_target_with_the_wildcard_covered(target: str) -> None:
    made = plan(select(f"chainguard/images@{REFERENCE}"), target)

    assert made.ok
    assert {decision.entry.reach: decision.outcome for decision in made.decisions} == {
        host: "covered" if host == R2_ANY else "allowed" for host in HOSTS[REFERENCE]
    }
