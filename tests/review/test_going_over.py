"""Hosts and clients that go from one object to another in one update, where a plan's objects change one by one."""

from typing import Any

import pytest

from conformance.catalogs import entry, selection
from hostgate.catalog.model import Entry
from hostgate.planning.grants import Grant
from hostgate.planning.plan import Plan, draft
from hostgate.review.plan_changes import diff
from review.changes import by_source

A, B = entry("a.example"), entry("b.example")
OWN: dict[str, Any] = {}
REFERENCES: dict[str, Any] = {"deny": "declared"}
ATTACHED = {"attach": "arn:aws:network-firewall:eu-central-1:123456789012:firewall-policy/egress"}

Lists = dict[str, tuple[list[Entry], list[str]]]


def planned(lists: Lists, options: dict[str, Any]) -> Plan:
    grants = [Grant(name, selection(hosts), clients) for name, (hosts, clients) in lists.items()]
    return draft(grants, "aws:rules", options)


def obstacles(before: Lists, after: Lists, options: dict[str, Any], source: str) -> list[str]:
    (base,), (head,) = (by_source(source, [planned(each, options)]) for each in (before, after))
    (change,) = diff([base], [head])
    return [*change.obstacles]


X, Y, Z = "10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16"
MOVES: dict[str, tuple[Lists, Lists]] = {
    "a client": ({"one": ([A, B], [X, Y]), "two": ([A], [Z])}, {"one": ([A, B], [X]), "two": ([A], [Y, Z])}),
    "a part of a client": (
        {"one": ([A, B], ["10.0.0.0/8"]), "two": ([A], ["172.16.0.0/12"])},
        {"one": ([A, B], [X]), "two": ([A], ["172.16.0.0/12", Y])},
    ),
    "two names that are swapped": (
        {"one": ([A, B], [X]), "two": ([A], [Y])}, {"two": ([A, B], [X]), "one": ([A], [Y])},
    ),
    "a client to a new list": (
        {"one": ([A, B], [X, Y]), "two": ([B], [Z])}, {"one": ([A, B], [X]), "two": ([B], [Z]), "three": ([A], [Y])},
    ),
}  # fmt: skip

HOSTS: dict[str, tuple[Lists, Lists]] = {
    "a host, for the same client": (
        {"one": ([A, B], [X]), "two": ([B], [X, Y])}, {"one": ([B], [X]), "two": ([A, B], [X, Y])},
    ),
}  # fmt: skip

STAYS: dict[str, tuple[Lists, Lists]] = {
    "into both": ({"one": ([A], [X, Y]), "two": ([A], [Z])}, {"one": ([A], [X, Y]), "two": ([A], [Y, Z])}),
    "out of both": ({"one": ([A], [X, Y]), "two": ([A], [Y, Z])}, {"one": ([A], [X]), "two": ([A], [Y, Z])}),
    "a client that leaves": ({"one": ([A], [X, Y]), "two": ([B], [Z])}, {"one": ([A], [X]), "two": ([B], [Y, Z])}),
    "a host that leaves": ({"one": ([A, B], [X]), "two": ([A], [Y])}, {"one": ([A], [X]), "two": ([A], [Y])}),
    "who is within the other": (
        {"one": ([A], [X, Y]), "two": ([A], ["10.0.0.0/8"])}, {"one": ([A], [X]), "two": ([A], ["10.0.0.0/8"])},
    ),
    "another order": ({"one": ([A], [X]), "two": ([B], [Y])}, {"two": ([B], [Y]), "one": ([A], [X])}),
}  # fmt: skip

sources = pytest.mark.parametrize("source", ["stack", "lock"])


@sources
@pytest.mark.parametrize("options", [REFERENCES, ATTACHED], ids=["references", "attached"])
@pytest.mark.parametrize("move", MOVES | HOSTS)
def test_in_a_policy_of_others_what_goes_over_takes_two_updates(
    move: str, options: dict[str, Any], source: str
) -> None:
    (said, *_) = obstacles(*(MOVES | HOSTS)[move], options, source)
    assert "a.example:443 for 10." in said
    assert "Make it two updates" in said


@sources
@pytest.mark.parametrize("options", [OWN, REFERENCES, ATTACHED], ids=["own", "references", "attached"])
@pytest.mark.parametrize("move", STAYS)
def test_what_stays_all_the_while_or_is_meant_to_close_is_one_update(
    move: str, options: dict[str, Any], source: str
) -> None:
    assert obstacles(*STAYS[move], options, source) == []


@sources
@pytest.mark.parametrize("move", MOVES)
def test_in_a_policy_of_ours_clients_go_over_at_its_update(move: str, source: str) -> None:
    assert obstacles(*MOVES[move], OWN, source) == []


def test_in_a_policy_of_ours_other_clients_replace_the_groups_of_their_list_alone() -> None:
    before, after = MOVES["a client to a new list"]
    (change,) = diff(*(by_source("stack", [planned(each, OWN)]) for each in (before, after)))
    told = {each.name.removeprefix("hostgate"): each.what for each in change.objects or ()}
    assert told == {"-one-allow": "replaced", "-three-allow": "created", "": "updated"}
