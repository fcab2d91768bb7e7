"""What opens, closes and changes between two lists of hosts, and in which order a reviewer hears of it."""

from typing import Any

import pytest

from hostgate.catalog.model import Entry
from hostgate.catalog.read import Catalog
from hostgate.catalog.references import resolve_file
from hostgate.catalog.revision_changes import RISKS, CatalogDiff, compare

from .test_history import HOSTS, NEWEST, REFERENCE


def entry(id_: str = "mirror", host: str = "mirror.acme.example", **more: Any) -> Entry:
    values: dict[str, Any] = {
        "catalog": "acme/ours",
        "match": "exact",
        "port": 443,
        "protocol": "https",
        "party": "first",
    }
    return Entry(id=id_, host=host, **{**values, **more})


OTHER = entry("other", "elsewhere.widgets.example")


def told(made: CatalogDiff) -> list[tuple[str, str | None, str | None]]:
    return [
        (each.what, each.before and each.before.reach, each.after and each.after.reach) for each in made.changes
    ]  # fmt: skip


def risks(made: CatalogDiff) -> list[str]:
    (change,) = made.changes
    return [risk.id for risk in change.risks]


@pytest.fixture(scope="module")
def images() -> Catalog:
    return resolve_file("chainguard/images")


def test_nothing_changed_is_no_change_whatever_line_it_stands_on() -> None:
    from hostgate.catalog.model import Origin

    made = compare([entry(), OTHER], [OTHER, entry(origin=Origin("x.yaml", 7, 1))])

    assert (made.changes, made.unchanged, made.summary) == ((), 2, "2 unchanged")


def test_a_host_opens_and_a_host_closes() -> None:
    assert told(compare([OTHER], [OTHER, entry()])) == [("opened", None, "mirror.acme.example")]
    assert told(compare([OTHER, entry()], [OTHER])) == [("closed", "mirror.acme.example", None)]


def test_from_nothing_everything_opens_and_to_nothing_everything_closes() -> None:
    assert compare([], [entry(), OTHER]).counts["opened"] == 2
    assert compare([entry(), OTHER], []).counts["closed"] == 2


@pytest.mark.parametrize(
    ("field", "before", "after"),
    [
        ("match", "exact", "subtree"), ("port", 443, 8443), ("protocol", "https", "tls"), ("party", "first", "third"),
        ("purpose", "", "Packages"), ("families", None, ("ipv4",)), ("direction", "egress", "ingress"),
        ("status", "active", "withdrawn"), ("withdrawn", None, "2025-01-01"), ("kept", None, "2025-01-01"),
        ("alternatives", None, "storage"), ("notes", "", "new"),
    ],
)  # fmt: skip
def test_each_field_that_changed_is_told(field: str, before: object, after: object) -> None:
    (change,) = compare([entry(**{field: before})], [entry(**{field: after})]).changes

    assert (change.what, [(each.field, each.before, each.after) for each in change.fields]) == (
        "changed", [(field, before, after)],
    )  # fmt: skip


def test_a_changed_phase_is_told_under_the_documents_key() -> None:
    (change,) = compare([entry(phases=("pull",))], [entry(phases=("pull", "cli"))]).changes

    assert [each.as_json() for each in change.fields] == [
        {"field": "phase", "before": ("pull",), "after": ("pull", "cli")}
    ]


def test_a_renamed_id_or_catalog_is_a_change_and_opens_nothing() -> None:
    (change,) = compare([entry()], [entry("packages", catalog="acme/theirs")]).changes

    assert (change.what, [each.field for each in change.fields]) == ("changed", ["id", "catalog"])


def test_equal_ids_of_two_catalogs_are_two_needs() -> None:
    made = compare([entry()], [entry(host="unlike.widgets.example", catalog="acme/theirs")])

    assert sorted(what for what, _, _ in told(made)) == ["closed", "opened"]


def test_another_host_under_the_same_id_is_replaced() -> None:
    made = compare([entry()], [entry(host="packages.widgets.example")])

    assert told(made) == [("replaced", "mirror.acme.example", "packages.widgets.example")]


def test_an_entry_that_took_over_is_paired_with_the_one_that_went() -> None:
    made = compare([entry()], [entry("packages", "packages.widgets.example", replaces="mirror", port=8443)])

    assert told(made) == [("replaced", "mirror.acme.example", "packages.widgets.example")]
    assert [each.field for each in made.changes[0].fields] == ["port"]


def test_while_both_stand_nothing_is_replaced_yet() -> None:
    made = compare([entry()], [entry(), entry("packages", "packages.widgets.example", replaces="mirror")])

    assert told(made) == [("opened", None, "packages.widgets.example")]


@pytest.mark.parametrize(
    ("id_", "after"),
    [
        ("shared-hosting", {"host": "storage.googleapis.com"}),
        ("shared-hosting", {"host": "r2.cloudflarestorage.com", "match": "subtree"}),
        ("hosting-suffix", {"host": "appspot.com"}),
        ("wildcard", {"match": "subtree"}),
        ("plain-http", {"protocol": "http", "port": 80}),
        ("new-port", {"port": 8443}),
        ("unusual-port", {"port": 9443}),
        ("withdrawn", {"withdrawn": "2025-01-01", "status": "withdrawn"}),
        ("third-party", {"party": "third"}),
        ("near-miss", {"host": "elsewhere.widget.example"}),
    ],
)
def test_an_opened_host_says_what_is_risky_about_it(id_: str, after: dict[str, Any]) -> None:
    assert id_ in risks(compare([OTHER], [OTHER, entry(**after)]))


def test_an_ordinary_opening_has_no_risk_and_the_first_catalog_has_no_new_ports() -> None:
    assert risks(compare([OTHER], [OTHER, entry()])) == []
    assert risks(compare([], [entry(port=8443)])) == []


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({}, {"match": "subtree"}, ["wildcard", "wider"]),
        ({"match": "subtree"}, {}, ["wider"]),
        ({"match": "subtree+apex"}, {"match": "subtree"}, []),
        ({"families": ("ipv4",)}, {"families": ("ipv4", "ipv6")}, ["wider"]),
        ({"families": ("ipv4",)}, {"families": None}, ["wider"]),
        ({"families": None}, {"families": ("ipv4",)}, []),
        ({"direction": "ingress"}, {}, ["wider"]),
        ({}, {"port": 8443}, ["new-port"]),
        ({}, {"protocol": "http", "port": 80}, ["plain-http", "new-port"]),
    ],
)
def test_a_change_is_risky_only_where_it_opens_more(before: Any, after: Any, found: list[str]) -> None:
    assert risks(compare([entry(**before)], [entry(**after)])) == found


@pytest.mark.parametrize("side", ["before", "after", "beside"])
def test_a_host_recorded_as_a_misprint_is_told_first(side: str) -> None:
    wrong = entry("wrong", "typo.acme.example", status="mistaken")
    opened = entry("typo", "typo.acme.example")
    lists = {
        "before": ([wrong], [opened], ()),
        "after": ([OTHER], [OTHER, wrong, opened], ()),
        "beside": ([OTHER], [OTHER, opened], [("exact", "typo.acme.example")]),
    }
    before, after, misprints = lists[side]
    made = compare(before, after, misprints=misprints)

    (change,) = made.of("opened")
    assert change.risks[0].id == "mistaken"


@pytest.mark.parametrize(
    ("match", "host", "told_of"),
    [
        ("subtree", "typo.acme.example", True),
        ("exact", "a.typo.acme.example", True),
        ("subtree", "acme.example", False),
    ],
)
def test_a_name_of_a_misprinted_wildcard_is_told_too(match: Any, host: str, told_of: bool) -> None:
    opened = entry("typo", host, match=match)

    (change,) = compare([OTHER], [OTHER, opened], misprints=[("subtree", "typo.acme.example")]).of("opened")

    assert ("mistaken" in [risk.id for risk in change.risks]) is told_of


def test_a_misprint_that_appears_opens_nothing() -> None:
    assert told(compare([], [entry(status="mistaken")])) == [("misprint", None, "mirror.acme.example")]
    assert told(compare([entry(status="mistaken")], [])) == [("misprint", "mirror.acme.example", None)]


def test_an_entry_declared_a_misprint_closes_and_one_no_longer_one_opens() -> None:
    assert [what for what, _, _ in told(compare([entry()], [entry(status="mistaken")]))] == ["closed"]
    assert [what for what, _, _ in told(compare([entry(status="mistaken")], [entry()]))] == ["opened"]


def test_changes_come_in_the_order_of_their_risks_then_of_their_kind() -> None:
    made = compare(
        [OTHER, entry("a", "gone.acme.example"), entry("b", "wider.acme.example")],
        [
            OTHER, entry("c", "plain.acme.example", protocol="http", port=80), entry("d", "star.acme.example", match="subtree"),
            entry("e", "quiet.acme.example"), entry("b", "wider.acme.example", match="subtree+apex"),
        ],
    )  # fmt: skip

    assert [(each.what, each.entry.id) for each in made.changes] == [
        ("opened", "d"), ("changed", "b"), ("opened", "c"), ("opened", "e"), ("closed", "a"),
    ]  # fmt: skip
    ranks = [min((list(RISKS).index(risk.id) for risk in each.risks), default=99) for each in made.changes]
    assert ranks == sorted(ranks)


def test_the_order_of_entries_does_not_matter() -> None:
    before = [entry(str(n), f"h{n}.acme.example") for n in range(6)]
    after = [entry(str(n), f"h{n}.acme.example", port=8443) for n in range(3, 9)]

    assert compare(before, after) == compare(before[::-1], after[::-1])


def test_the_reference_revision_against_the_newest(images: Catalog) -> None:
    made = compare(images.entries(REFERENCE), images.entries(NEWEST))

    assert made.summary == "3 opened, 2 replaced, 8 changed, 3 closed, 0 unchanged"
    assert {(old, new) for what, old, new in told(made) if what == "replaced"} == {
        ("console.enforce.dev", "console.chainguard.dev"), ("chainguardhelp.zendesk.com", "support.chainguard.dev"),
    }  # fmt: skip


@pytest.mark.parametrize(("before", "after"), list(zip(list(HOSTS), list(HOSTS)[1:], strict=False)))
def test_the_diff_of_neighbouring_revisions_leads_from_one_to_the_other(
    images: Catalog, before: str, after: str
) -> None:
    made = compare(images.entries(before), images.entries(after))
    hosts = set(HOSTS[before])
    for change in made.changes:
        if change.what in ("closed", "replaced") or (change.what == "misprint" and change.before):
            assert change.before
            hosts.remove(change.before.reach)
        if change.what in ("opened", "replaced") or (change.what == "misprint" and change.after):
            assert change.after
            hosts.add(change.after.reach)

    assert hosts == HOSTS[after]
