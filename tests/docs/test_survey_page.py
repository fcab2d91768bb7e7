"""docs/survey.md names every option, outcome, note, finding, key and exit code, and no other."""

import re
from dataclasses import fields

import pytest
from markdown_pages import ROOT, Table, tables

from hostgate.cli.survey_command import _BY_VERDICT, UNMEASURED, command
from hostgate.dns.document import Document, HostReport
from hostgate.dns.host_remarks import FINDINGS
from hostgate.dns.report.content import DETAILED
from hostgate.dns.samples import NOTES, OUTCOME_MEANS

PAGE = ROOT / "docs" / "survey.md"


def table(first: str) -> Table:
    return next(each for each in tables(PAGE) if each.header[0] == first)


def test_every_option_is_on_the_page() -> None:
    named = {name.strip("`").lower().lstrip("-") for name in table("option").column("option")}
    taken = {opt.lstrip("-") for each in command.params for opt in each.opts}
    assert named == (taken - {"refs"}) | {"ref"}


@pytest.mark.parametrize(
    ("option", "default"), [("--rate", "500"), ("--types", "A,AAAA,HTTPS"), ("--report-hosts", str(DETAILED))]
)
def test_defaults_are_those_of_the_command(option: str, default: str) -> None:
    shown = dict(zip(table("option").column("option"), table("option").column("default"), strict=True))
    assert shown[option] == default
    assert str(next(each for each in command.params if option in each.opts).default) == default


def test_every_outcome_is_on_the_page() -> None:
    shown = table("outcome")
    assert dict(zip(shown.column("outcome"), shown.column("meaning"), strict=True)) == OUTCOME_MEANS


def test_every_note_is_on_the_page() -> None:
    assert set(table("note").column("note")) == set(NOTES)


def test_every_finding_is_on_the_page() -> None:
    shown = table("finding")
    assert dict(zip(shown.column("finding"), (row[1] for row in shown.rows), strict=True)) == FINDINGS


def test_every_key_of_the_document_is_on_the_page() -> None:
    rows = table("key").rows
    assert {name for row in rows for name in re.findall("`([a-z_]+)`", row[0])} == {
        each.name for each in fields(Document)
    }
    held = next(row[1] for row in rows if row[0] == "`hosts`")
    assert set(re.findall("`([a-z_]+)`", held)) == {each.name for each in fields(HostReport)}


def test_every_exit_code_is_on_the_page() -> None:
    shown = table("exit code")
    assert [int(code) for code in shown.column("exit code")] == [0, 1, 2, 3, 4, 5, 6]
    meanings = dict(zip(shown.column("exit code"), shown.column("meaning"), strict=True))
    assert all(f"a verdict is `{word}" in meanings[str(code)] for word, code in _BY_VERDICT)
    assert "could not be measured" in meanings[str(UNMEASURED)]
    order = ", ".join(str(code) for code in (UNMEASURED, *(code for _, code in _BY_VERDICT)))
    assert f"the first of {order} is given" in PAGE.read_text("utf-8")
