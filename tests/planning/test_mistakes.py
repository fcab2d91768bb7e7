"""A name that any catalog of the selection records as mistaken is opened by nothing, unless somebody says so by name."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from conformance.catalogs import MADE
from hostgate.catalog.lint import lint_catalog
from hostgate.catalog.problems import InputError
from hostgate.catalog.references import resolve_file
from hostgate.catalog.selection import Acceptance, Selection, select
from hostgate.planning.plan import Plan, draft, plan, plan_all
from hostgate.review.plan_changes import diff
from hostgate.review.risks import risks
from hostgate.review.statement import Statement, read_statements
from review.changes import by_source

IMAGES = "chainguard/images@2024-03-28"
MISPRINT = "rc.cloudflarestorage.com"
ACCOUNT = "9236a389bd48b98df91adc1bc924620.r2.cloudflarestorage.com"
"""A digit is missing; below the wildcard r2.cloudflarestorage.com that the vendor lists as well."""

VENDOR = """\
catalog: acme/vendor
sources: [{id: page, document: Page}]
revisions:
  - {id: "2024-01-01", source: page, hosts: 2}
  - {id: "2025-01-01", source: page, hosts: 2}
entries:
  - {id: wrong, host: wrong.vendor.example, port: 443, protocol: https, status: mistaken, spans: [SPAN]}
  - {id: wrong-port, host: api.vendor.example, port: 80, protocol: http, status: mistaken, spans: []}
  - {id: api, host: api.vendor.example, port: 443, protocol: https, spans: [{since: "2024-01-01"}]}
  - {id: right-later, host: wrong.vendor.example, port: 443, protocol: https, spans: [{since: "2025-01-01"}]}
""".replace("SPAN", '{since: "2024-01-01", until: "2025-01-01"}')


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "vendor.yaml").write_text(VENDOR)
    return tmp_path


def ours(
    folder: Path, host: str, match: str = "exact", port: int = 443, protocol: str = "https", more: str = ""
) -> str:
    """The path of a team's catalog with one entry."""
    path = folder / "ours.yaml"
    path.write_text(
        "catalog: acme/ours\nentries:\n"
        f"  - {{id: mine, host: {host}, match: {match}, port: {port}, protocol: {protocol}, purpose: Ours{more}}}\n"
    )
    return str(path)


def accepting(picked: Selection, *hosts: str | None) -> Selection:
    return picked.accepting(
        [Acceptance(finding="opens-mistake", entry="mine", host=host, because="Ours by contract") for host in hosts]
    )


def outcome(made: Plan, id_: str = "mine") -> str:
    return next(each.outcome for each in made.decisions if each.entry.id == id_)


OPENED = {
    "the name": (MISPRINT, "exact", 443, "https"),
    "in capitals": ("RC.CloudflareStorage.com", "exact", 443, "https"),
    "on another port": (MISPRINT, "exact", 8443, "tls"),
    "over UDP": (MISPRINT, "exact", 443, "udp"),
    "as the record has it": (MISPRINT, "subtree", 443, "https"),
    "a name below it": (f"a1.{MISPRINT}", "exact", 443, "https"),
    "a wildcard below it": (f"a1.{MISPRINT}", "subtree", 443, "https"),
    "a wildcard over it": ("cloudflarestorage.com", "subtree", 443, "https"),
    "a wildcard over it and itself": ("cloudflarestorage.com", "subtree+apex", 443, "https"),
    "one label over it": ("cloudflarestorage.com", "one-label", 443, "https"),
    "a misprint that only an old revision had": (ACCOUNT, "exact", 443, "https"),
}


@pytest.mark.parametrize(("host", "match", "port", "protocol"), OPENED.values(), ids=OPENED)
@pytest.mark.parametrize("order", [1, -1], ids=["ours last", "ours first"])
def test_a_teams_entry_that_opens_a_misprint_is_refused(
    host: str, match: str, port: int, protocol: str, order: int, tmp_path: Path
) -> None:
    picked = select(*[IMAGES, ours(tmp_path, host, match, port, protocol)][::order])

    made = draft(picked, "azure:application-rules")

    assert made.refused
    assert made.objects == ()
    assert outcome(made) == "refused"
    (problem,) = [each for each in made.problems if each.rule == "mistake-refused"]
    assert problem.entry == "mine"
    assert problem.file == str(tmp_path / "ours.yaml")
    assert "recorded as mistaken: " in problem.message
    assert "by chainguard/images (r2-a" in problem.message
    assert "accept the finding opens-mistake for the entry mine and the host " in problem.message


@pytest.mark.parametrize("target", MADE)
def test_no_mechanism_opens_it(target: str, tmp_path: Path) -> None:
    made = draft(select(IMAGES, ours(tmp_path, MISPRINT), without=["r2-any-bucket"]), target)

    assert (made.refused, outcome(made)) == (True, "refused")


APART = {
    "the wildcard that the vendor lists": ("r2.cloudflarestorage.com", "subtree"),
    "one edit away": ("rd.cloudflarestorage.com", "exact"),
    "one label over something deeper": ("com.example", "one-label"),
    "an ending without a dot": ("xrc.cloudflarestorage.com", "exact"),
}


@pytest.mark.parametrize(("host", "match"), APART.values(), ids=APART)
def test_what_opens_no_misprint_is_not_refused(host: str, match: str, tmp_path: Path) -> None:
    picked = select(IMAGES, ours(tmp_path, host, match))

    assert "mistake-refused" not in {each.id for each in draft(picked, "aws:rules").findings}


def test_a_wildcard_as_listed_is_no_word_for_the_misprint_below_it(tmp_path: Path) -> None:
    made = draft(select(IMAGES, ours(tmp_path, ACCOUNT), without=["r2-account-host"]), "aws:rules")

    assert outcome(made) == "refused"


@pytest.mark.parametrize("catalog", ["chainguard/images@2023-06-20", IMAGES, "chainguard/images@2026-02-23"])
def test_the_record_counts_at_every_revision(catalog: str, tmp_path: Path) -> None:
    assert outcome(draft(select(catalog, ours(tmp_path, MISPRINT)), "aws:rules")) == "refused"


def test_a_narrowed_catalog_keeps_its_record(tmp_path: Path) -> None:
    picked = select(IMAGES, ours(tmp_path, MISPRINT), ids=["registry", "mine"])

    assert outcome(draft(picked, "aws:rules")) == "refused"


def test_without_the_catalog_that_records_it_nobody_knows(tmp_path: Path) -> None:
    assert outcome(plan(select(ours(tmp_path, MISPRINT)), "aws:rules")) == "allowed"


# Overridden by name.


def test_an_acceptance_that_names_entry_and_host_opens_it_and_shows(tmp_path: Path) -> None:
    picked = accepting(select(IMAGES, ours(tmp_path, MISPRINT)), MISPRINT)

    made = plan(picked, "aws:rules")

    assert (made.refused, outcome(made)) == (False, "allowed")
    (told,) = [each for each in made.findings if each.id == "opens-mistake"]
    assert (told.severity, told.entry, told.accepted) == ("warning", "mine", "Ours by contract")
    assert MISPRINT in told.message


@pytest.mark.parametrize("host", [None, "cloudflarestorage.com", ACCOUNT])
def test_an_acceptance_that_names_another_host_or_none_opens_nothing(host: str | None, tmp_path: Path) -> None:
    picked = accepting(select(IMAGES, ours(tmp_path, MISPRINT)), host)

    assert outcome(draft(picked, "aws:rules")) == "refused"
    with pytest.raises(InputError, match="acceptance-unused"):
        plan(picked, "aws:rules")


def test_an_acceptance_for_every_entry_opens_nothing(tmp_path: Path) -> None:
    word = Acceptance(finding="opens-mistake", host=MISPRINT, because="x")

    assert outcome(draft(select(IMAGES, ours(tmp_path, MISPRINT)).accepting([word]), "aws:rules")) == "refused"


def test_a_wildcard_over_two_misprints_needs_a_word_for_each(tmp_path: Path) -> None:
    picked = select(IMAGES, ours(tmp_path, "cloudflarestorage.com", "subtree"))

    assert outcome(draft(accepting(picked, MISPRINT), "aws:rules")) == "refused"
    assert draft(accepting(picked, MISPRINT), "aws:rules").unused == ()
    assert outcome(plan(accepting(picked, MISPRINT, ACCOUNT), "aws:rules")) == "allowed"


@pytest.mark.parametrize("source", ["stack", "preview", "json"])
def test_a_review_tells_a_second_misprint_that_an_entry_opens(source: str, tmp_path: Path) -> None:
    before = plan(accepting(select(IMAGES, ours(tmp_path, MISPRINT)), MISPRINT), "aws:rules")
    wider = select(IMAGES, ours(tmp_path, "cloudflarestorage.com", "subtree"))
    after = plan(accepting(wider, MISPRINT, ACCOUNT), "aws:rules")

    def said(made: Plan) -> Sequence[Statement]:
        if source == "json":
            return read_statements({"targets": [made.as_json()]}, "plan.json")
        return by_source(source, [made])

    (change,) = diff(said(before), said(after))
    told = {risk.message for risk in risks([change]) if risk.id == "accepted"}

    assert told == {f"opens-mistake ({ACCOUNT}): Ours by contract"}


def test_a_widening_that_is_accepted_lifts_no_mistake(tmp_path: Path) -> None:
    word = Acceptance(finding="deeper-names", entry="mine", because="x")
    picked = select(IMAGES, ours(tmp_path, "cloudflarestorage.com", "one-label"), without=["r2-any-bucket"])

    made = draft(picked.accepting([word]), "aws:dns-firewall")

    assert "mistake-refused" in {each.id for each in made.findings}


def test_an_alternative_that_opens_a_misprint_is_covered_by_one_that_does_not(tmp_path: Path) -> None:
    path = tmp_path / "two.yaml"
    path.write_text(
        "catalog: acme/two\nentries:\n"
        f"  - {{id: mine, host: {MISPRINT}, port: 443, protocol: https, alternatives: a}}\n"
        "  - {id: right, host: storage.acme.example, port: 443, protocol: https, alternatives: a}\n"
    )

    (made,) = plan_all(select(IMAGES, str(path)), [("aws:rules", None)])

    assert (outcome(made), outcome(made, "right"), made.refused) == ("covered", "allowed", False)


# A catalog's own list is its word.


def test_the_vendors_own_wildcard_over_its_misprint_is_its_word() -> None:
    made = plan(select("chainguard/images@2023-06-20", choose={"blob-storage": "r2-any-bucket"}), "aws:rules")

    assert outcome(made, "r2-any-bucket") == "allowed"
    assert "opens-mistake" not in {each.id for each in made.findings}


@pytest.mark.parametrize(
    ("revision", "host", "port", "protocol", "refused"),
    [
        ("2024-01-01", "wrong.vendor.example", 443, "https", True),
        ("2025-01-01", "wrong.vendor.example", 443, "https", False),
        ("2025-01-01", "wrong.vendor.example", 8443, "https", False),
        ("2024-01-01", "api.vendor.example", 443, "https", False),
        ("2024-01-01", "api.vendor.example", 8443, "https", False),
        ("2024-01-01", "api.vendor.example", 80, "http", True),
    ],
    ids=["not yet right", "right by now", "right by now, any port", "another port", "any other port", "the very port"],
)
def test_a_name_that_the_catalog_lists_as_right_too_is_mistaken_only_as_recorded(
    revision: str, host: str, port: int, protocol: str, refused: bool, folder: Path
) -> None:
    picked = select(f"{folder}/vendor.yaml@{revision}", ours(folder, host, port=port, protocol=protocol))

    assert (outcome(draft(picked, "aws:rules")) == "refused") is refused


def test_a_catalog_that_lists_what_it_records_as_mistaken_opens_it_with_a_warning(folder: Path) -> None:
    made = plan(select(f"{folder}/vendor.yaml@2025-01-01"), "aws:rules")

    assert outcome(made, "right-later") == "allowed"
    (told,) = [each for each in made.findings if each.id == "opens-mistake"]
    assert (told.severity, told.entry) == ("warning", "right-later")


# Lint.


def linted(folder: Path, host: str, *beside: str) -> Sequence[str]:
    catalog = resolve_file(ours(folder, host))
    return [each.rule for each in lint_catalog(catalog, [resolve_file(ref) for ref in beside])]


def test_lint_says_it_before_any_plan(folder: Path) -> None:
    assert linted(folder, MISPRINT, "chainguard/images") == ["opens-mistake"]
    assert linted(folder, MISPRINT) == []
    assert linted(folder, "mirror.acme.example", "chainguard/images") == []


def test_lint_says_that_a_catalog_contradicts_itself(folder: Path) -> None:
    found = lint_catalog(resolve_file(str(folder / "vendor.yaml")))

    assert [each.entry for each in found if each.rule == "opens-mistake"] == ["right-later"]
