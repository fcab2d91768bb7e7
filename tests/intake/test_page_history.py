"""The vendor's page in each of its layouts, read back to the hosts of that date, and taken over one after the other.

The pages are written for these tests after a description of the originals: their headings, tables and misprints.
"""

from pathlib import Path

import pytest

from catalog.test_history import HOSTS, R2_ACCOUNT, R2_MISSPELT
from hostgate.catalog.read import Catalog, check_catalog
from hostgate.catalog.references import resolve_file
from hostgate.catalog.yaml_reader import read_bytes
from hostgate.intake.page import Page, read_page
from hostgate.intake.page_update import Overlap, first, update
from hostgate.intake.record_page import PageSource, first_text, new_text

PAGES = Path(__file__).with_name("pages")
DATES = sorted(path.stem for path in PAGES.glob("*.md"))
MISSPELT_ACCOUNT = ("2023-06-20", "2023-08-04", "2023-09-08")
MISSPELT_WILDCARD = [date for date in DATES if "2023-06-20" <= date <= "2024-03-29"]


def page(date: str) -> Page:
    """The page of `date`; of those that held another product too, the part about images."""
    sections = ["Chainguard Images"] if date in ("2023-09-08", "2023-09-21") else []
    return read_page(PAGES / f"{date}.md", f"{date}.md", sections=sections)


def catalog_of(text: str) -> Catalog:
    return check_catalog(read_bytes(text.encode(), "made.yaml"), "made.yaml")


@pytest.fixture(scope="module")
def images() -> Catalog:
    return resolve_file("chainguard/images")


def test_there_is_a_page_for_every_revision_but_the_one_that_keeps_the_pages_own_date() -> None:
    assert set(HOSTS) - set(DATES) == {"2024-03-28"}


@pytest.mark.parametrize("date", DATES)
def test_the_page_is_read_to_exactly_its_hosts_all_https_on_443(date: str) -> None:
    hosts = page(date).hosts

    assert sorted(host.reach for host in hosts) == sorted(HOSTS[date])
    assert {(host.port, host.protocol) for host in hosts} == {(443, "https")}


@pytest.mark.parametrize("date", DATES)
def test_the_page_states_what_the_catalog_has_at_its_revision_parties_and_families_too(
    images: Catalog, date: str
) -> None:
    change = update(images, date, page(date))

    assert change.same
    assert change.diff.changes == ()


@pytest.mark.parametrize(("date", "earlier"), list(zip(DATES[1:], DATES, strict=False)))
def test_the_page_differs_from_the_catalog_at_the_revision_before_unless_only_its_text_changed(
    images: Catalog, date: str, earlier: str
) -> None:
    hosts_changed = HOSTS[date] != HOSTS[earlier] or date == "2026-02-23"

    assert update(images, earlier, page(date)).same is not hosts_changed


def test_a_page_of_two_products_has_the_hosts_of_both_with_their_sections() -> None:
    hosts = read_page(PAGES / "2023-09-08.md").hosts

    assert {host.section for host in hosts} == {"Images Hosts", "Images Third-party Hosts", "Enforce Third-party Hosts"}
    assert {host.host for host in hosts if host.section == "Enforce Third-party Hosts"} == {
        "tenant-a1.edge.tenants.us.auth0.com", "googlecode.l.googleusercontent.com", "raw.githubusercontent.com",
        "storage.googleapis.com",
    }  # fmt: skip


@pytest.mark.parametrize("date", DATES)
def test_the_misspelt_account_host_is_caught_without_and_with_a_catalog(images: Catalog, date: str) -> None:
    alone = [finding for finding in page(date).findings if finding.rule == "odd-key"]
    known = [
        finding for finding in update(images, date, page(date)).findings if finding.entry == "r2-account-host-misspelt"
    ]

    assert [R2_MISSPELT in finding.message for finding in alone] == [True] * (date in MISSPELT_ACCOUNT)
    assert [finding.rule for finding in known] == ["mistaken-host"] * (date in MISSPELT_ACCOUNT)


@pytest.mark.parametrize("date", DATES)
def test_the_misspelt_wildcard_of_the_text_is_caught_and_never_taken(images: Catalog, date: str) -> None:
    read = page(date)
    alone = [one.message for one in read.findings if one.rule == "prose-host" and "*.rc.cloudflare" in one.message]
    known = [one for one in update(images, date, read).findings if one.entry == "r2-any-bucket-misspelt"]

    assert len(alone) == len(known) == (date in MISSPELT_WILDCARD)
    assert all("one edit away from r2.cloudflarestorage.com" in message for message in alone)
    assert not any("rc.cloudflare" in host.host for host in read.hosts)


def test_the_correction_of_the_account_host_takes_over_from_the_misprint() -> None:
    text = first_text(
        "acme/images", first("acme/images", page("2023-09-08")), PageSource(date="2023-09-08", document="Page")
    )
    (added,) = update(catalog_of(text), "2023-09-08", page("2023-09-21")).added

    assert (added.host.host, added.replaces) == (R2_ACCOUNT, "9236a389bd48b98df91adc1bc924620-r2-cloudflarestorage-com")


def test_the_whole_history_is_rebuilt_by_taking_over_page_after_page() -> None:
    text = first_text("acme/images", first("acme/images", page(DATES[0])), PageSource(date=DATES[0], document="Page"))
    for date in DATES[1:]:
        catalog = catalog_of(text)
        change = update(catalog, catalog.latest, page(date))
        if not change.same:
            text = new_text(text, catalog, change, PageSource(date=date, document="Page"), Overlap())

    made = catalog_of(text)
    assert [revision.id for revision in made.revisions] == [date for date in DATES if date != "2024-03-29"]
    for revision in made.revisions:
        assert {entry.reach for entry in made.entries(revision.id)} == HOSTS[revision.id]
    back = next(record for record in made.record.entries if record.id == "packages-cgr-dev")
    assert [(span.since, span.until) for span in back.spans or ()] == [
        ("2024-03-22", "2024-05-13"), ("2024-12-02", "2026-02-23"), ("2026-02-23", None),
    ]  # fmt: skip
    replaced = {record.host: record.replaces for record in made.record.entries if record.replaces}
    assert replaced["support.chainguard.dev"] == "chainguardhelp-zendesk-com"
