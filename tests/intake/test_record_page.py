"""A page taken over into a catalog file: what changed is in it, and everything else is as its authors left it."""

import difflib
import os
from pathlib import Path

import pytest

from hostgate.catalog.model import Entry
from hostgate.catalog.problems import InputError
from hostgate.catalog.read import Catalog, check_catalog
from hostgate.catalog.references import resolve_file
from hostgate.catalog.yaml_reader import read_bytes
from hostgate.intake.page import read_page
from hostgate.intake.page_update import Overlap, Update, first, update
from hostgate.intake.record_page import PageSource, first_text, new_text, replace_file
from hostgate.intake.yaml_edit import Edit

DATE = "2025-06-01"
HEAD = "| Hostname | Port | Protocol | IP | Notes |\n|---|---|---|---|---|\n"

PLAIN = "catalog: acme/ours\nentries:\n  - {id: a, host: a.acme.example, port: 443, protocol: https}\n"

BLOCK = """\
# Reviewed by the network team.
catalog: acme/widgets
title: Widgets    # as on the page
sources:
  - {id: page-1, document: Network requirements, date: "2025-01-10"}

revisions:
  - {id: "2025-01-10", source: page-1, hosts: 3, note: "First: version"}

entries:
  # The registry.
  - id: registry
    host: registry.acme.example
    port: 443
    protocol: https
    purpose: Images
    phase: pull     # and nothing else
    spans:
      - {since: "2025-01-10"}   # since ever

  - id: mirror
    host: mirror.acme.example
    port: 443
    protocol: https
    notes: |
      Two lines
      of notes.
    spans:
      - since: "2025-01-10"
        purpose: Packages

  - {id: storage, host: storage.acme.example, match: subtree, port: 443, protocol: https, spans: [{since: "2025-01-10"}]}
# The end.
"""

FLOW = """\
{catalog: acme/widgets, sources: [{id: page-1, document: Page, date: "2025-01-10"}],
 revisions: [{id: "2025-01-10", source: page-1, hosts: 3}],
 entries: [
   {id: registry, host: registry.acme.example, port: 443, protocol: https, spans: [{since: "2025-01-10"}]},
   {id: mirror, host: mirror.acme.example, port: 443, protocol: https, purpose: Packages, spans: [{since: "2025-01-10"}]},
   {id: storage, host: storage.acme.example, match: subtree, port: 443, protocol: https, spans: [{since: "2025-01-10"}]},
 ]}
"""

INDENTLESS = """\
catalog: "acme/widgets"
entries:
- id: registry
  host: registry.acme.example
  port: 443
  protocol: https
  spans: ~
- host: mirror.acme.example
  id: mirror
  port: 443
  protocol: https
  purpose: Packages
  status: active
  spans:
  - until: ~
    since: "2025-01-10"
- id: storage
  host: storage.acme.example
  match: subtree
  port: 443
  protocol: https
sources:
- id: page-1
  document: Page
  date: "2025-01-10"
revisions:
- id: "2025-01-10"
  source: page-1
  hosts: 3
"""

FORMS = {
    "blocks": BLOCK,
    "braces": FLOW,
    "blocks without indent": INDENTLESS,
    "windows lines": BLOCK.replace("\n", "\r\n"),
    "other letters": BLOCK.replace("# The registry.", "# Das Register: \U0001f310 für alle").replace("Images", "Bücher \U0001f310"),
}  # fmt: skip
every_form = pytest.mark.parametrize("form", FORMS)


DROP = Overlap()


def row(host: str, ip: str = "", note: str = "", port: str = "443", protocol: str = "HTTPS") -> str:
    return f"| {host} | {port} | {protocol} | {ip} | {note} |\n"


ALL = row("registry.acme.example") + row("mirror.acme.example") + row("*.storage.acme.example")


def catalog_of(text: str) -> Catalog:
    return check_catalog(read_bytes(text.encode(), "widgets.yaml"), "widgets.yaml")


def change_of(text: str, rows: str, folder: Path) -> Update:
    path = folder / "page.md"
    path.write_text(HEAD + rows)
    catalog = catalog_of(text)
    return update(catalog, catalog.latest, read_page(path, "page.md"))


def taken_over(text: str, rows: str, folder: Path, overlap: Overlap = DROP, date: str = DATE) -> str:
    stated = PageSource(
        date=date,
        document="Network requirements",
        commit="0e54a00bd" if date == DATE else "",
        note="What: changed, and why",
    )
    return new_text(text, catalog_of(text), change_of(text, rows, folder), stated, overlap)


def at(text: str, revision: str = DATE) -> dict[str, Entry]:
    return {entry.id: entry for entry in catalog_of(text).entries(revision)}


def changed_lines(before: str, after: str) -> list[str]:
    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    return [line[2:].strip() for line in lines if line.startswith("+ ")]


@every_form
def test_a_page_that_says_the_same_changes_nothing(form: str, tmp_path: Path) -> None:
    change = change_of(FORMS[form], ALL, tmp_path)

    assert (change.same, change.stated, change.diff.changes) == (True, 3, ())


@every_form
def test_a_new_host_is_a_new_entry_and_nothing_else_moves(form: str, tmp_path: Path) -> None:
    before = FORMS[form]
    after = taken_over(before, ALL + row("api.acme.example", "v4", "The API: all of it"), tmp_path)

    assert at(after)["api-acme-example"].purpose == "The API: all of it"
    assert at(after)["api-acme-example"].families == ("ipv4",)
    assert at(before, "2025-01-10").keys() == at(after, "2025-01-10").keys()
    if form != "braces":
        assert not [line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line.startswith("- ")]


@every_form
def test_a_host_that_went_ends_and_is_withdrawn(form: str, tmp_path: Path) -> None:
    after = taken_over(FORMS[form], row("registry.acme.example") + row("*.storage.acme.example"), tmp_path)

    assert at(after).keys() == {"registry", "storage"}
    old = at(after, "2025-01-10")["mirror"]
    assert (old.withdrawn, old.status) == (DATE, "withdrawn")


@every_form
@pytest.mark.parametrize(
    ("overlap", "kept", "later"), [(Overlap("keep", 30), "2025-07-01", set()), (Overlap("warn"), "warn", {"mirror"})]
)
def test_a_host_that_went_can_be_kept_for_days_or_with_a_warning(
    form: str, overlap: Overlap, kept: str, later: set[str], tmp_path: Path
) -> None:
    rows = row("registry.acme.example") + row("*.storage.acme.example")
    after = taken_over(FORMS[form], rows, tmp_path, overlap)

    found = at(after)["mirror"]
    assert (found.kept, found.withdrawn, found.purpose) == (kept, DATE, "Packages")
    assert catalog_of(after).revisions[-1].hosts == 2
    assert change_of(after, rows, tmp_path).same
    much_later = taken_over(after, rows + row("api.acme.example"), tmp_path, date="2025-09-01")
    assert at(much_later, "2025-09-01").keys() == {"registry", "storage", "api-acme-example"} | later


@every_form
def test_a_kept_host_that_comes_back_is_stated_again(form: str, tmp_path: Path) -> None:
    rows = row("registry.acme.example") + row("*.storage.acme.example")
    without = taken_over(FORMS[form], rows, tmp_path, Overlap("warn"))
    back = taken_over(without, ALL, tmp_path, date="2025-09-01")

    found = at(back, "2025-09-01")["mirror"]
    assert (found.kept, found.withdrawn, found.status) == (None, None, "active")
    assert at(back, DATE)["mirror"].kept == "warn"


@every_form
def test_other_families_are_a_new_span_that_keeps_what_the_last_said(form: str, tmp_path: Path) -> None:
    rows = row("registry.acme.example") + row("mirror.acme.example", "v4 & v6") + row("*.storage.acme.example", "v4")
    after = taken_over(FORMS[form], rows, tmp_path)

    assert {id_: entry.families for id_, entry in at(after).items()} == {
        "registry": None, "mirror": ("ipv4", "ipv6"), "storage": ("ipv4",),
    }  # fmt: skip
    assert at(after)["mirror"].purpose == "Packages"
    assert {entry.families for entry in at(after, "2025-01-10").values()} == {None}


def test_exactly_the_lines_that_say_the_change_change(tmp_path: Path) -> None:
    rows = (
        row("registry.acme.example", "v4")
        + row("*.storage.acme.example")
        + row("mirror.widgets.example", note="Packages")
    )
    after = taken_over(BLOCK, rows, tmp_path)

    assert changed_lines(BLOCK, after) == [
        '- {id: page-0e54a00bd, document: Network requirements, commit: "0e54a00bd", date: "2025-06-01"}',
        '- {id: "2025-06-01", source: page-0e54a00bd, hosts: 3, note: "What: changed, and why"}',
        '- {since: "2025-01-10", until: "2025-06-01"}   # since ever',
        '- {since: "2025-06-01", families: [ipv4]}',
        "status: withdrawn",
        'until: "2025-06-01"',
        "",
        '- {id: mirror-widgets-example, host: mirror.widgets.example, match: exact, port: 443, protocol: https, party: third, '
        'purpose: Packages, replaces: mirror, spans: [{since: "2025-06-01"}]}',
    ]  # fmt: skip
    assert after.endswith("# The end.\n")


def test_a_changed_port_is_a_new_entry_that_replaces_the_old(tmp_path: Path) -> None:
    rows = row("registry.acme.example", port="8443") + row("mirror.acme.example") + row("*.storage.acme.example")
    change = change_of(BLOCK, rows, tmp_path)

    assert [(each.id, each.replaces) for each in change.added] == [("registry-acme-example", "registry")]
    assert [entry.id for entry in change.withdrawn] == ["registry"]


def test_a_star_is_the_entry_that_a_reviewer_narrowed_to_one_label(tmp_path: Path) -> None:
    assert change_of(BLOCK.replace("match: subtree", "match: one-label"), ALL, tmp_path).same


def test_likeness_that_leaves_a_doubt_replaces_nothing(tmp_path: Path) -> None:
    rows = row("registry.acme.example") + row("*.storage.acme.example")
    rows += row("mirror.widgets.example") + row("mirror.gadgets.example")

    assert [each.replaces for each in change_of(BLOCK, rows, tmp_path).added] == [None, None]


def test_one_host_in_two_tables_is_one_entry_and_a_finding(tmp_path: Path) -> None:
    change = change_of(BLOCK, ALL + "\n## Again\n\n" + HEAD + row("registry.acme.example"), tmp_path)

    assert (change.same, change.stated) == (True, 3)
    assert "two-tables" in [finding.rule for finding in change.findings]


def test_ids_are_short_and_each_its_own(tmp_path: Path) -> None:
    long = ".".join(["a" * 40, "b" * 40, "acme.example"])
    rows = (
        ALL
        + row("storage.acme.example")
        + row(long)
        + row(long, port="80", protocol="HTTP")
        + row("storage.acme-widgets.com")
    )
    rows += row("storage-acme.widgets.com", port="8443") + row("storage-acme.widgets.com")
    ids = [each.id for each in change_of(BLOCK, rows, tmp_path).added]

    assert len(set(ids)) == 6
    assert all(len(id_) <= 64 for id_ in ids)


@pytest.mark.parametrize(
    ("rule", "text", "date"),
    [
        ("import-date", BLOCK, "2025-01-10"),
        ("import-date", BLOCK, "2024-12-31"),
        ("import-source", BLOCK.replace("page-1", "page-0e54a00bd"), DATE),
        ("import-no-history", PLAIN, DATE),
    ],
)  # fmt: skip
def test_what_cannot_be_a_new_revision_is_refused(rule: str, text: str, date: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        taken_over(text, ALL, tmp_path, date=date)

    assert [problem.rule for problem in refused.value.problems] == [rule]


@pytest.mark.parametrize(("old", "new"), [("registry.acme", "registri.acme"), ("port: 443", "port: 0")])
def test_a_text_that_does_not_read_back_as_it_should_is_not_written(
    old: str, new: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = Edit.done
    monkeypatch.setattr(Edit, "done", lambda edit: done(edit).replace(old, new))

    with pytest.raises(InputError, match="import-form"):
        taken_over(BLOCK, ALL + row("api.acme.example"), tmp_path)


def test_ingress_entries_are_no_part_of_the_page_and_stay(tmp_path: Path) -> None:
    inbound = "  - {id: events, host: egress.acme.example, port: 443, protocol: https, direction: ingress}\n"
    text = BLOCK.replace("# The end.\n", inbound).replace("hosts: 3", "hosts: 4")

    assert change_of(text, ALL, tmp_path).same
    assert change_of(text, ALL, tmp_path).diff.changes == ()
    after = taken_over(text, ALL + row("api.acme.example"), tmp_path)
    assert at(after).keys() == {"registry", "mirror", "storage", "events", "api-acme-example"}


def test_a_new_catalog_is_made_whole(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(HEAD + ALL)
    text = first_text(
        "acme/new", first("acme/new", read_page(tmp_path / "page.md")), PageSource(date=DATE, document="Page")
    )

    assert text.endswith('- {since: "2025-06-01"}\n')
    assert {entry.reach for entry in at(text).values()} == {
        "registry.acme.example", "mirror.acme.example", "subtree of storage.acme.example",
    }  # fmt: skip


def test_the_shipped_catalog_takes_a_page_with_its_comments_and_order_kept(tmp_path: Path) -> None:
    shipped = (Path(__file__).parents[2] / "catalog" / "chainguard" / "images.yaml").read_text("utf-8")
    page = (Path(__file__).parent / "pages" / "2026-02-23.md").read_text("utf-8")
    path = tmp_path / "page.md"
    path.write_text(page.replace("data.chainguard.dev ", "data2.chainguard.dev"))
    catalog = resolve_file("chainguard/images")
    change = update(catalog, catalog.latest, read_page(path))

    after = new_text(
        shipped, catalog, change, PageSource(date="2026-12-01", document="Network Requirements"), Overlap()
    )

    assert changed_lines(shipped, after) == [
        '- {id: page-2026-12-01, document: Network Requirements, date: "2026-12-01"}',
        '- {id: "2026-12-01", source: page-2026-12-01, hosts: 13}',
        "status: withdrawn",
        '- {since: "2026-02-23", until: "2026-12-01", families: [ipv4]}',
        "",
        "- id: data2-chainguard-dev",
        "host: data2.chainguard.dev",
        "match: exact",
        "port: 443",
        "protocol: https",
        "party: first",
        "purpose: Data of the dashboard",
        "families: [ipv4]",
        "replaces: dashboard-data",
        "spans:",
        '- {since: "2026-12-01"}',
    ]


class TestReplacingTheFile:
    def test_the_new_bytes_are_there_with_the_old_mode_and_nothing_beside(self, tmp_path: Path) -> None:
        path = tmp_path / "a.yaml"
        path.write_bytes(b"old")
        path.chmod(0o640)
        replace_file(path, b"old", b"new")

        assert (path.read_bytes(), path.stat().st_mode & 0o777, [each.name for each in tmp_path.iterdir()]) == (
            b"new",
            0o640,
            ["a.yaml"],
        )

    def test_a_link_stays_a_link(self, tmp_path: Path) -> None:
        (tmp_path / "a.yaml").write_bytes(b"old")
        (tmp_path / "link.yaml").symlink_to("a.yaml")
        replace_file(tmp_path / "link.yaml", b"old", b"new")

        assert (tmp_path / "link.yaml").is_symlink()
        assert (tmp_path / "a.yaml").read_bytes() == b"new"

    @pytest.mark.parametrize("there", [b"changed", None])
    def test_a_file_that_changed_meanwhile_is_left_alone(self, tmp_path: Path, there: bytes | None) -> None:
        path = tmp_path / "a.yaml"
        if there is not None:
            path.write_bytes(there)

        with pytest.raises(InputError, match="import-raced"):
            replace_file(path, b"old", b"new")
        assert (path.read_bytes() if path.exists() else None) == there

    def test_a_failure_leaves_the_old_file_and_no_other(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "a.yaml"
        path.write_bytes(b"old")

        def full(_: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(InputError, match=r"No space left on device\. Nothing was changed"):
            replace_file(path, b"old", b"new")
        assert (path.read_bytes(), [each.name for each in tmp_path.iterdir()]) == (b"old", ["a.yaml"])
