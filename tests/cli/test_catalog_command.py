"""`hostgate catalog`: show, list, lint and schema."""

from pathlib import Path

import pytest

from .conftest import Run

REFERENCE = "chainguard/images@2024-03-28"
OURS = """\
catalog: acme/ours
entries:
  - {id: mirror, host: mirror.acme.example, port: 443, protocol: https, purpose: Packages}
"""


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    path = tmp_path / "ours.yaml"
    path.write_text(OURS)
    return path


def test_show_as_json_has_catalog_revision_and_the_entries_of_that_revision_only(run: Run) -> None:
    made = run("catalog", "show", REFERENCE, "--json")

    assert (made.code, made.err, list(made.json)) == (0, "", ["catalog", "revision", "entries"])
    assert (made.json["catalog"], made.json["revision"]) == ("chainguard/images", "2024-03-28")
    assert len(made.json["entries"]) == 13
    assert "apk.cgr.dev" not in {entry["host"] for entry in made.json["entries"]}


def test_every_entry_shown_has_the_agreed_keys_in_their_order(run: Run) -> None:
    entries = run("catalog", "show", REFERENCE, "--json").json["entries"]

    agreed = ["id", "host", "match", "port", "protocol", "party", "purpose"]
    assert [list(entry)[:7] for entry in entries] == [agreed] * 13


def test_an_entry_is_shown_with_the_values_of_its_revision(run: Run) -> None:
    entries = run("catalog", "show", "chainguard/images@2026-02-23", "--json").json["entries"]

    (found,) = [entry for entry in entries if entry["id"] == "packages-production"]
    assert {key: found[key] for key in ("host", "purpose", "families", "phase")} == {
        "host": "packages.cgr.dev",
        "purpose": "Package repository of extra packages",
        "families": ["ipv4"],
        "phase": ["build"],
    }


def test_latest_is_shown_as_the_revision_that_it_is(run: Run) -> None:
    assert run("catalog", "show", "chainguard/images@latest", "--json").json["revision"] == "2026-02-23"


def test_a_plain_file_is_shown_without_a_revision(run: Run, ours: Path) -> None:
    made = run("catalog", "show", ours, "--json").json

    assert (made["catalog"], made["revision"], [entry["id"] for entry in made["entries"]]) == (
        "acme/ours",
        None,
        ["mirror"],
    )


def test_show_for_people_names_document_date_and_every_host(run: Run) -> None:
    made = run("catalog", "show", REFERENCE)

    assert (made.code, made.err) == (0, "")
    for word in ("chainguard/images@2024-03-28", "Network Requirements", "ghcr.io", "withdrawn", "2024-05-13"):
        assert word in made.out


@pytest.mark.parametrize(
    ("ref", "rule"),
    [
        ("chainguard/images@2024-03-27", "unknown-revision"),
        ("chainguard/images", "no-revision"),
        ("chainguard/image@latest", "unknown-catalog"),
        ("./none.yaml", "file-unreadable"),
        (".", "file-is-folder"),
        ("", "catalog-reference"),
    ],
)
def test_a_reference_that_leads_nowhere_is_exit_code_1_with_a_rule(run: Run, ref: str, rule: str) -> None:
    made = run("catalog", "show", ref, "--json")

    assert (made.code, made.rules) == (1, [rule])


def test_list_names_the_shipped_catalogs_and_their_revisions(run: Run) -> None:
    (catalog,) = run("catalog", "list", "--json").json["catalogs"]

    assert catalog["catalog"] == "chainguard/images"
    assert [(each["id"], each["hosts"]) for each in catalog["revisions"]][7] == ("2024-03-28", 13)


def test_list_for_people_names_them_too(run: Run) -> None:
    made = run("catalog", "list")

    assert made.code == 0
    assert "chainguard/images" in made.out
    assert "2026-02-23" in made.out


def test_lint_warnings_are_fine(run: Run) -> None:
    made = run("catalog", "lint", "--json")

    assert (made.code, made.err) == (0, "")
    assert {warning["rule"] for warning in made.json["warnings"]} == {"shared-hosting"}


@pytest.mark.parametrize("ref", [REFERENCE, "chainguard/images", "chainguard/images@"])
def test_lint_takes_a_whole_catalog_whatever_revision_is_named(run: Run, ref: str) -> None:
    assert run("catalog", "lint", ref).code == 0


def test_lint_errors_are_exit_code_1_beside_the_warnings_of_the_others(run: Run, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(OURS.replace("443", "0"))

    made = run("catalog", "lint", "chainguard/images", bad, "--json")

    assert (made.code, made.rules) == (1, ["port-range"])
    assert made.json["warnings"] != []


def test_lint_for_people_ends_with_a_sum(run: Run, ours: Path) -> None:
    made = run("catalog", "lint", ours)

    assert (made.code, made.out.splitlines()[-1]) == (0, "1 checked: 0 errors, 0 warnings.")


def test_schema_prints_the_kept_schema(run: Run) -> None:
    kept = Path(__file__).parents[2] / "catalog" / "catalog.schema.json"

    assert run("catalog", "schema").out == kept.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "arguments",
    [["show"], ["show", "a", "b"], ["list", "x"], ["shaw"], ["lint", "--jsn"], ["schema", "--json"]],
    ids=" ".join,
)
def test_wrong_usage_is_exit_code_2(run: Run, arguments: list[str]) -> None:
    assert run("catalog", *arguments).code == 2
