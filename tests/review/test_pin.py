"""The pin: another plan than the reviewed one is refused, with what differs."""

import json

import pytest

from conformance.catalogs import entry, many
from hostgate.catalog.problems import InputError
from hostgate.review.pin import SHOWN, pinned
from hostgate.review.statement import Statement, locked, read_statements
from review.changes import made

A, B = entry("a.example"), entry("b.example")
REVIEWED = made("aws:rules", [A])


def statements() -> tuple[Statement, ...]:
    return read_statements(json.loads(locked([REVIEWED])), "reviewed.json")


def test_the_reviewed_plan_is_applied() -> None:
    pin = pinned({"aws:rules": REVIEWED.digest}, statements(), "reviewed.json")
    assert pin.objections([made("aws:rules", [A])]) == []


def test_another_plan_is_refused_with_the_difference() -> None:
    pin = pinned({"aws:rules": REVIEWED.digest}, statements(), "reviewed.json")
    first, *rest = pin.objections([made("aws:rules", [B], from_=["10.1.0.0/16"])])
    assert "not the plan that was reviewed" in first.message
    said = " ".join(problem.message for problem in rest)
    for words in (
        "opens b.example:443/https (this name only; b-example)",
        "closes a.example:443",
        "no longer lets 10.0.0.0/8",
    ):
        assert words in said
    assert {problem.rule for problem in (first, *rest)} == {"not-reviewed"}


def test_a_digest_alone_refuses_too_and_says_how_to_see_more() -> None:
    (only,) = pinned({"aws:rules": REVIEWED.digest}).objections([made("aws:rules", [B])])
    assert "hostgate plan --lock FILE" in only.message


def test_a_long_difference_is_cut_and_says_so() -> None:
    pin = pinned({"aws:rules": REVIEWED.digest}, statements(), "reviewed.json")
    found = pin.objections([made("aws:rules", [A, *many(50)])])
    assert len(found) == SHOWN + 2
    assert "differences more" in found[-1].message


def test_a_target_that_was_not_reviewed_or_is_not_planned_is_refused() -> None:
    pin = pinned({"aws:rules": REVIEWED.digest})
    found = pin.objections([made("gcp:fqdn", [A])])
    assert [problem.message.partition(",")[0] for problem in found] == [
        "aws:rules was reviewed",
        "gcp:fqdn is planned",
    ]


def test_a_file_that_is_not_the_pinned_plan_is_an_error() -> None:
    with pytest.raises(InputError, match="is pinned"):
        pinned({"aws:rules": "0" * 64}, statements(), "reviewed.json")
    with pytest.raises(InputError, match="has no plan for gcp:fqdn"):
        pinned({"gcp:fqdn": REVIEWED.digest}, statements(), "reviewed.json")
