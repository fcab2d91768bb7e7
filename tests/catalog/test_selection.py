"""A selection: catalogs at revisions, narrowed to what every list names, with all wrong names told at once."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hostgate.catalog.problems import InputError, Problem
from hostgate.catalog.selection import Acceptance, select

from .conftest import Write

REFERENCE = "chainguard/images@2024-03-28"

OURS = """\
catalog: acme/ours
entries:
  - {id: mirror, host: mirror.acme.example, port: 443, protocol: https, party: first, purpose: Mirror, phase: build}
  - {id: hook, host: hook.acme.example, port: 443, protocol: https, purpose: Hook, direction: ingress, phase: [cli, pull]}
  - {id: time, host: time.acme.example, port: 123, protocol: udp, purpose: Clock}
"""


def problems_of(*refs: str, **narrowing: Any) -> tuple[Problem, ...]:
    with pytest.raises(InputError) as caught:
        select(*refs, **narrowing)
    return caught.value.problems


@pytest.fixture
def ours(write: Write) -> str:
    return str(write(OURS))


@pytest.mark.parametrize(
    ("narrowing", "kept"),
    [
        ({}, ["hook", "mirror", "time"]),
        ({"phases": ["build"]}, ["mirror", "time"]),
        ({"phases": ["pull"]}, ["hook", "time"]),
        ({"phases": ["build", "pull"]}, ["hook", "mirror", "time"]),
        ({"phases": ["console"]}, ["time"]),
        ({"parties": ["first"]}, ["mirror"]),
        ({"purposes": ["Mirror", "Clock"]}, ["mirror", "time"]),
        ({"directions": ["egress"]}, ["mirror", "time"]),
        ({"ids": ["time"]}, ["time"]),
        ({"phases": ["build"], "parties": ["third"]}, ["time"]),
        ({"without": ["mirror"]}, ["hook", "time"]),
        ({"without": ["build"]}, ["hook", "time"]),
        ({"without": ["cli"]}, ["hook", "mirror", "time"]),
        ({"without": ["cli", "pull"]}, ["mirror", "time"]),
        ({"without": ["build", "time"]}, ["hook"]),
    ],
    ids=str,
)
def test_what_every_list_names_is_kept(ours: str, narrowing: Mapping[str, Any], kept: list[str]) -> None:
    assert [entry.id for entry in select(ours, **narrowing).entries] == kept


def test_what_was_narrowed_away_is_remembered_with_the_list_that_did_it(ours: str) -> None:
    selection = select(ours, phases=["build"], without=["time"])

    assert [(entry.id, reason) for entry, reason in selection.left_out] == [
        ("hook", "left out by the selection (phase)"),
        ("time", "left out by the selection (without)"),
    ]


def test_entries_come_sorted_by_catalog_and_id_whatever_the_order_of_the_catalogs(ours: str) -> None:
    one, other = select(ours, REFERENCE), select(REFERENCE, ours)

    assert one.entries == other.entries
    assert [entry.key for entry in one.entries] == sorted(entry.key for entry in one.entries)


@pytest.mark.parametrize(
    ("narrowing", "rule", "said"),
    [
        ({"phases": ["run"]}, "select-unknown-phase", "'run'"),
        ({"phases": ["pul"]}, "select-unknown-phase", "Did you mean `pull`?"),
        ({"parties": ["second"]}, "select-unknown-party", "Allowed: first, third"),
        ({"purposes": ["Miror"]}, "select-unknown-purpose", "Did you mean `Mirror`?"),
        ({"directions": ["out"]}, "select-unknown-direction", "Allowed: egress, ingress"),
        ({"ids": ["miror"]}, "select-unknown-id", "Did you mean `mirror`?"),
        ({"ids": [""]}, "select-unknown-id", "''"),
        ({"without": ["miror"]}, "select-unknown-entry", "Did you mean `mirror`?"),
    ],
    ids=str,
)
def test_a_name_that_matches_nothing_is_an_error(ours: str, narrowing: Mapping[str, Any], rule: str, said: str) -> None:
    (problem,) = problems_of(ours, **narrowing)

    assert problem.rule == rule
    assert said in problem.message


def test_all_wrong_names_and_choices_are_told_at_once(ours: str) -> None:
    found = problems_of(ours, phases=["run"], ids=["miror"], without=["zz"], choose={"storage": "x"})

    assert [problem.rule for problem in found] == [
        "select-unknown-phase", "select-unknown-id", "select-unknown-entry", "choose-unknown-group",
    ]  # fmt: skip


def test_nothing_left_is_an_error(ours: str) -> None:
    (problem,) = problems_of(ours, phases=["build"], directions=["ingress"])

    assert problem.rule == "empty-selection"
    assert "3 entries were narrowed away" in problem.message


def test_nothing_left_is_a_selection_if_it_is_meant(ours: str) -> None:
    selection = select(ours, phases=["build"], directions=["ingress"], allow_empty=True)

    assert (selection.entries, len(selection.left_out)) == ((), 3)


def test_no_catalog_at_all_is_an_error_even_if_empty_is_meant() -> None:
    assert [problem.rule for problem in problems_of(allow_empty=True)] == ["no-catalog"]


@pytest.mark.parametrize(
    ("ref", "rule"),
    [
        ("", "catalog-reference"),
        ("  ", "catalog-reference"),
        ("chainguard/images", "no-revision"),
        ("chainguard/images@", "no-revision"),
        ("chainguard/images@2024-03-27", "unknown-revision"),
        ("chainguard/images@Latest", "unknown-revision"),
        ("chainguard/image@latest", "unknown-catalog"),
        ("images@latest", "unknown-catalog"),
        ("@latest", "unknown-catalog"),
        ("chainguard/images.yaml", "file-unreadable"),
        ("./none.yaml", "file-unreadable"),
        ("..", "file-is-folder"),
    ],
)
def test_a_reference_that_leads_nowhere_is_an_error(ref: str, rule: str) -> None:
    (problem,) = problems_of(ref)

    assert problem.rule == rule


def test_an_unknown_revision_is_answered_with_those_that_are_known() -> None:
    (problem,) = problems_of("chainguard/images@2024-03-27")

    assert "2024-03-22, 2024-03-28, 2024-03-29" in problem.message


def test_a_plain_file_takes_no_revision(ours: str) -> None:
    (problem,) = problems_of(f"{ours}@2024-03-28")

    assert problem.rule == "unknown-revision"
    assert "no revisions" in problem.message


def test_the_errors_of_all_catalogs_come_at_once(write: Write) -> None:
    bad = write("catalog: acme/bad\nentries: [{id: a, host: '*.a.example', port: 0, protocol: https}]\n", "bad.yaml")

    found = problems_of("chainguard/images@never", str(bad), "./none.yaml")

    assert [problem.rule for problem in found] == ["unknown-revision", "host-star", "port-range", "file-unreadable"]


@pytest.mark.parametrize("second", [REFERENCE, "chainguard/images@2026-02-23", "chainguard/images@latest"])
def test_one_catalog_twice_is_an_error(second: str) -> None:
    (problem,) = problems_of(REFERENCE, second)

    assert problem.rule == "catalog-twice"


def test_a_copy_of_a_catalog_under_the_same_name_is_the_same_catalog(ours: str, write: Write) -> None:
    copy = write(OURS, "copy.yaml")

    assert [problem.rule for problem in problems_of(ours, str(copy))] == ["catalog-twice"]


@pytest.mark.parametrize(
    ("theirs", "what"),
    [
        ("protocol: http", "protocol http here and https"),
        ("protocol: https, match: subtree+apex", "match subtree+apex here and exact"),
        ("protocol: https, direction: ingress", "direction ingress here and egress"),
    ],
)
def test_two_catalogs_that_disagree_on_one_host_are_an_error(ours: str, write: Write, theirs: str, what: str) -> None:
    other = write(
        f"catalog: acme/theirs\nentries: [{{id: m, host: mirror.acme.example, port: 443, {theirs}}}]\n", "b.yaml"
    )

    (problem,) = problems_of(ours, str(other))

    assert (problem.rule, problem.file, problem.line) == ("catalogs-disagree", str(other), 2)
    assert what in problem.message
    assert f"mirror of acme/ours ({ours}:3:24)" in problem.message


def test_families_disagree_only_where_both_state_them(write: Write) -> None:
    def catalog(name: str, families: str) -> str:
        row = f"{{id: m, host: m.acme.example, port: 443, protocol: https{families}}}"
        return str(write(f"catalog: acme/{name}\nentries: [{row}]\n", f"{name}.yaml"))

    silent, v4, v6 = catalog("silent", ""), catalog("v4", ", families: [ipv4]"), catalog("v6", ", families: [ipv6]")

    assert len(select(silent, v4).entries) == 2
    assert [problem.rule for problem in problems_of(v4, v6)] == ["catalogs-disagree"]


def test_two_catalogs_may_agree_on_one_host(ours: str, write: Write) -> None:
    other = write(
        "catalog: acme/theirs\nentries: [{id: m, host: mirror.acme.example, port: 443, protocol: https}]\n", "b.yaml"
    )

    assert [entry.key for entry in select(ours, str(other), phases=["build"]).entries] == [
        ("acme/ours", "mirror"), ("acme/ours", "time"), ("acme/theirs", "m"),
    ]  # fmt: skip


def test_a_disagreement_ends_where_one_of_the_entries_is_left_out(ours: str, write: Write) -> None:
    other = write(
        "catalog: acme/theirs\nentries: [{id: m, host: mirror.acme.example, port: 443, protocol: http}]\n", "b.yaml"
    )

    assert "m" not in {entry.id for entry in select(ours, str(other), without=["m"]).entries}


def test_a_choice_among_alternatives_is_kept() -> None:
    assert select(REFERENCE, choose={"blob-storage": "r2-any-bucket"}).choose == (("blob-storage", "r2-any-bucket"),)


@pytest.mark.parametrize(
    ("choose", "rule", "said"),
    [
        ({"blob": "r2-any-bucket"}, "choose-unknown-group", "Allowed: blob-storage"),
        ({"blob-storage": "registry"}, "choose-unknown-entry", "Allowed: r2-account-host, r2-any-bucket"),
        ({"blob-storage": ""}, "choose-unknown-entry", "Found ''"),
    ],
)
def test_a_choice_that_does_not_exist_is_an_error(choose: Mapping[str, str], rule: str, said: str) -> None:
    (problem,) = problems_of(REFERENCE, choose=choose)

    assert problem.rule == rule
    assert said in problem.message


def test_a_reference_says_whether_it_floats() -> None:
    assert select("chainguard/images@latest").floating == ("chainguard/images@2026-02-23",)
    assert select(REFERENCE).floating == ()


def test_paths_are_relative_to_the_given_base(write: Write) -> None:
    path = write(OURS)

    assert select("./ours.yaml", base=path.parent).refs == ("acme/ours",)


def test_paths_are_relative_to_the_current_folder_without_a_base(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write(OURS).parent)

    assert select("ours.yaml").entries[0].origin.file == "ours.yaml"


def test_a_catalog_in_the_home_folder_is_found(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(write(OURS).parent))

    assert len(select("~/ours.yaml", base=Path("/nowhere")).entries) == 3


def test_an_acceptance_reads_as_finding_and_entry() -> None:
    assert str(Acceptance(finding="shared-hosting", entry="mirror", because="x")) == "shared-hosting for mirror"


@pytest.mark.parametrize("what", ["phases", "parties", "purposes", "directions", "ids"])
def test_an_empty_list_to_keep_by_is_refused_and_never_read_as_all(what: str) -> None:
    (problem,) = problems_of(REFERENCE, **{what: []})

    assert problem.rule == "select-empty"


def test_an_acceptance_for_an_id_that_two_catalogs_have_is_refused(write: Write) -> None:
    entry = "entries:\n  - {id: x, host: HOST, match: subtree, port: 443, protocol: https}\n"
    first = write("catalog: a/a\n" + entry.replace("HOST", "one.acme.example"), "a.yaml")
    second = write("catalog: b/b\n" + entry.replace("HOST", "two.acme.example"), "b.yaml")
    word = Acceptance(finding="apex-included", entry="x", because="meant for a/a")
    (problem,) = problems_of(str(first), str(second), accept=[word])

    assert (problem.rule, problem.entry) == ("acceptance-ambiguous", "x")


def test_a_misprint_is_not_counted_among_the_hosts(write: Write) -> None:
    typo = "  - {id: typo, host: evil.example, port: 443, protocol: https, purpose: A misprint, status: mistaken}\n"
    ours = write(OURS + typo)
    assert select(str(ours)).summary.startswith("3 of 3 hosts of ")


def test_a_text_is_no_list_of_letters() -> None:
    problems = problems_of(REFERENCE, phases="pull", ids="registry")
    assert [str(each) for each in problems] == [
        "`phases`: found 'pull', one text. Allowed: a list.  [no-list]",
        "`ids`: found 'registry', one text. Allowed: a list.  [no-list]",
    ]
