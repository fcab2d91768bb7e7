"""Tables for people: nothing that is one word is broken, however narrow the terminal is."""

from pathlib import Path

import pytest

from cli.conftest import Run
from hostgate.cli.tables import folded, table

ROOT = Path(__file__).resolve().parents[2]
REF = "chainguard/images@2024-03-28"
HEADER = ("host", "verdict", "why")
LONG = "9236a389bd48b984df91adc1bc924620.r2.cloudflarestorage.com"


@pytest.fixture
def columns(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> int:
    monkeypatch.setenv("COLUMNS", str(request.param))
    return int(request.param)


eighty = pytest.mark.parametrize("columns", [80], indirect=True)


@eighty
def test_columns_that_fit_stand_side_by_side_and_the_longest_text_is_folded(columns: int) -> None:
    why = "the rule hostgate-deny-ipv4 denies it, and none before it allows it"
    assert table(HEADER, [("cgr.dev", "allow", ""), ("quay.io", "block", why)]).splitlines() == [
        " host      verdict   why",
        f" {'─' * 77}",
        " cgr.dev   allow",
        " quay.io   block     the rule hostgate-deny-ipv4 denies it, and none before it",
        "                     allows it",
    ]
    assert columns == 80


@eighty
def test_a_name_that_leaves_no_room_stands_on_a_line_of_its_own(columns: int) -> None:
    rows = [(LONG, "allow", "hostgate-allow#387891108"), ("cgr.dev", "block", "-")]
    assert table(HEADER, rows).splitlines() == [
        " host",
        "   verdict   why",
        f" {'─' * len(LONG)}",
        f" {LONG}",
        "   allow     hostgate-allow#387891108",
        " cgr.dev",
        "   block     -",
    ]
    assert columns == 80


@eighty
def test_words_that_do_not_fit_side_by_side_have_a_line_each_with_the_title(columns: int) -> None:
    assert table(HEADER, [("cgr.dev", LONG, f"{LONG} and hostgate/\nallow")]).splitlines() == [
        " cgr.dev",
        f"   verdict  {LONG}",
        f"   why      {LONG} and",
        "            hostgate/allow",
    ]
    assert columns == 80


@eighty
def test_a_column_of_short_cells_is_folded_last_and_the_one_that_fewest_cells_need_is_folded_first(
    columns: int,
) -> None:
    rows = [("a" * 30, "withdrawn 2024-05-13", "b" * 12)] * 3 + [("a a " * 10, "active", "b b " * 6)]
    lines = table(HEADER, rows).splitlines()
    assert len(lines) == 2 + 3 + 2
    assert sum("withdrawn 2024-05-13" in line for line in lines) == 3
    assert columns == 80


SENTENCE = f"warning shared: {LONG} answers for everybody who has an account there.  (ours.yaml:4:11)"


@pytest.mark.parametrize("columns", [80, 60, 40], indirect=True)
def test_a_terminal_shows_sentences_without_breaking_a_word(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    lines = folded(f"  {SENTENCE}").splitlines()
    assert len(lines) > 1
    assert " ".join(" ".join(lines).split()) == " ".join(SENTENCE.split())
    assert all(len(line) <= columns or line.strip() == LONG for line in lines)
    assert {line[:2] for line in lines} == {"  "}


@eighty
def test_what_is_piped_keeps_a_sentence_a_line(columns: int) -> None:
    assert folded(SENTENCE) == SENTENCE
    assert len(SENTENCE) > columns


@pytest.mark.parametrize("columns", [60, 40], indirect=True)
def test_a_narrow_terminal_has_whole_names_in_its_tables(columns: int) -> None:
    for line in table(HEADER, [(LONG, "allow", "hostgate-allow#387891108"), ("cgr.dev", "block", "-")]).splitlines():
        assert len(line) <= columns or LONG in line or set(line) <= {" ", "─"}


HOSTS = (LONG, "storage.googleapis.com", "chainguardhelp.zendesk.com", "console-api.enforce.dev")


@eighty
@pytest.mark.parametrize(
    ("words", "whole"),
    [
        (f"plan --catalog {REF}", (*HOSTS, "hostgate-allow#2551356895", "hostgate/allow-application/https-443")),
        (f"explain storage.googleapis.com --catalog {REF}", ("hostgate-allow#330717208", "azure:application-rules")),
        (f"catalog show {REF}", (*HOSTS, "withdrawn 2024-05-13", "registry-authentication")),
        ("preview --host builtin", (*HOSTS, "hostgate/allow-application/https-443 :443")),
        ("targets", ("azure:application-rules", "address-and-port", "subtree+apex")),
        ("diff dev team --override tests", ("projects/acme-dev/global/networks/default", "azure:application-rules")),
        (f"advise {REF}", HOSTS),
    ],
)
def test_no_command_breaks_a_name_at_eighty_columns(
    run: Run, columns: int, words: str, whole: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    said = run(*words.split())
    assert (said.code, said.err) == (0, "")
    assert [text for text in whole if text not in said.out] == []
    assert columns == 80
