"""Which flows open and close: by what is reachable, never by which lines came and went."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.catalogs import MADE, entry, many, selection
from conformance.strategies import HOSTS, catalogs
from hostgate.catalog.match_kinds import holds
from hostgate.catalog.model import MATCHES, Entry, Match
from hostgate.catalog.problems import InputError
from hostgate.flows.flow import Flow
from hostgate.planning.plan import Plan, draft
from hostgate.review.openings import Part
from hostgate.review.plan_changes import EVERYBODY, FlowChange, TargetDiff, diff
from hostgate.review.risks import risks
from hostgate.review.statement import locked, read_statements, state
from review.changes import change, made, told

NAME, ONE, DEEP = int(Part.NAME), int(Part.ONE), int(Part.DEEP)
X, API = "cgr.dev", "api.cgr.dev"


def wild(kind: Match, host: str = X) -> Entry:
    return entry(host, f"wild-{host.count('.')}", match=kind)


@pytest.mark.parametrize(
    ("before", "after", "opened", "closed"),
    [
        pytest.param([entry(X)], [entry(X)], set(), set(), id="nothing"),
        pytest.param([entry(X)], [entry(X), entry(API)], {(API, NAME)}, set(), id="a host is added"),
        pytest.param([entry(X), entry(API)], [entry(X)], set(), {(API, NAME)}, id="a host is removed"),
        pytest.param([entry(API), wild("subtree")], [wild("subtree")], set(), set(), id="the wildcard still holds it"),
        pytest.param([wild("subtree")], [wild("subtree"), entry(API)], set(), set(), id="the wildcard held it already"),
        pytest.param([wild("subtree")], [entry(API)], set(), {(X, ONE | DEEP)}, id="one host of a wildcard stays"),
        pytest.param([entry(API)], [wild("subtree")], {(X, ONE | DEEP)}, set(), id="a host becomes a wildcard"),
        pytest.param([wild("subtree+apex")], [wild("subtree")], set(), {(X, NAME)}, id="a wildcard loses its apex"),
        pytest.param([wild("one-label")], [wild("subtree")], {(X, DEEP)}, set(), id="a wildcard gets deeper"),
        pytest.param(
            [wild("subtree", API), wild("subtree")], [wild("subtree")], set(), set(), id="a wildcard within a wildcard"
        ),
        pytest.param(
            [wild("one-label", API)], [wild("one-label")], {(X, ONE)}, {(API, ONE)}, id="one label is one label"
        ),
        pytest.param(
            [entry(X), wild("subtree")],
            [wild("subtree+apex")],
            set(),
            set(),
            id="two entries become one of the same reach",
        ),
        pytest.param([entry(X, port=443)], [entry(X, port=8443)], {(X, NAME)}, {(X, NAME)}, id="another port"),
        pytest.param([entry(X)], [entry(X, protocol="tls")], set(), set(), id="https and tls are one on the wire"),
        pytest.param([entry(X)], [entry(X, "other-id")], set(), set(), id="only the id changes"),
    ],
)
def test_flows_open_and_close(
    before: list[Entry], after: list[Entry], opened: set[tuple[str, int]], closed: set[tuple[str, int]]
) -> None:
    found = change("aws:rules", before, after)
    assert (told(found.opened), told(found.closed)) == (opened, closed)


def test_an_accepted_widening_opens_what_the_rule_opens() -> None:
    found = change("aws:domain-list", [], [wild("subtree")])
    assert told(found.opened) == {(X, NAME | ONE | DEEP)}
    (flow,) = found.opened
    assert flow.opening.widened


def test_a_port_of_an_address_tells_no_protocols_apart() -> None:
    assert not change("gcp:fqdn", [entry(X)], [entry(X, protocol="tcp")]).closed
    assert change("gcp:fqdn", [entry(X)], [entry(X, protocol="udp")]).closed


NESTED = st.lists(
    st.builds(
        entry,
        st.sampled_from(HOSTS[:4]),
        match=st.sampled_from(MATCHES),
        port=st.sampled_from([443, 443, 80]),
        protocol=st.sampled_from(["https", "https", "tls", "tcp"]),
    ),
    min_size=1,
    max_size=4,
).map(lambda drawn: [replace(each, id=f"e{number}") for number, each in enumerate(drawn)])
"""Names below each other on one port, where wildcards meet."""


@pytest.mark.parametrize("target", MADE)
@settings(max_examples=100)
@given(before=NESTED | catalogs(), after=NESTED | catalogs())
def test_the_changed_flows_are_those_whose_verdict_changes(
    target: str, before: list[Entry], after: list[Entry]
) -> None:
    old, new = _expressible(target, before), _expressible(target, after)
    if old is None or new is None:
        return
    (found,) = diff([state(old)], [state(new)])
    known = [decision.entry for plan in (old, new) for decision in plan.decisions]
    for flow in _native_flows(known):
        was, now = old.verdict(flow).allows, new.verdict(flow).allows
        for changes, turned in ((found.opened, now and not was), (found.closed, was and not now)):
            # Below a wildcard that closes, a name that another entry holds stays: so names that nobody wrote down.
            said = any(
                _is_about(each, flow)
                for each in changes
                if flow.name in (each.entry.host, f"fresh.{each.entry.host}", f"deep.fresh.{each.entry.host}")
            )
            alike = any(_is_about(each, flow, seen_alike=True) for each in changes)
            assert not said or turned, f"{flow} is told and does not change: {old.verdict(flow)}, {new.verdict(flow)}"
            assert not turned or alike, f"{flow} changes and is not told: {old.verdict(flow)}, {new.verdict(flow)}"


def _expressible(target: str, entries: list[Entry]) -> Plan | None:
    """The plan of those entries that the target can express; None if there are none."""
    refused = {each.entry.id for each in made(target, entries).decisions if each.outcome == "refused"}
    left = [each for each in entries if each.id not in refused]
    plan = made(target, left)
    return None if plan.refused else plan


def _native_flows(known: list[Entry]) -> list[Flow]:
    """Flows of the ports and protocols that entries have, to their names and to names that nobody wrote down."""
    names = {f"{prefix}{each.host}" for each in known for prefix in ("", "fresh.", "deep.fresh.")}
    ways = {(each.port, each.protocol) for each in known}
    return [Flow(name, port, protocol) for name in sorted(names) if len(name) <= 253 for port, protocol in sorted(ways)]


def _is_about(change: FlowChange, flow: Flow, *, seen_alike: bool = False) -> bool:
    """Whether the change says that `flow` opens or closes; `seen_alike`: or one of another protocol on that port."""
    entry = change.entry
    kinds: dict[Part, Match] = {Part.NAME: "exact", Part.ONE: "one-label"}
    held = any(part in change.parts and holds(kind, entry.host, flow.name) for part, kind in kinds.items())
    deep = holds("subtree", entry.host, flow.name) and not holds("one-label", entry.host, flow.name)
    if not (held or (Part.DEEP in change.parts and deep)):
        return False
    if change.opening.wire == "query":  # a question, whatever the client wants of the name
        return True
    if flow.port != entry.port:
        return False
    wire = "tls" if flow.protocol == "https" else flow.protocol
    return wire == change.opening.wire or (seen_alike and flow.transport == entry.transport)


class TestClients:
    @pytest.mark.parametrize(
        ("before", "after", "added", "removed"),
        [
            (["10.0.0.0/8"], ["10.0.0.0/8", "172.16.0.0/12"], ("172.16.0.0/12",), ()),
            (["10.0.0.0/8"], ["10.1.0.0/16"], (), ("10.0.0.0/8",)),
            (["10.1.0.0/16"], ["10.0.0.0/8"], ("10.0.0.0/8",), ()),
            (["10.0.0.0/9", "10.128.0.0/9"], ["10.0.0.0/8"], (), ()),
            (["10.0.0.0/8"], ["10.0.0.0/9", "10.128.0.0/9"], (), ()),
        ],
    )
    def test_ranges_are_compared_by_what_is_in_them(
        self, before: list[str], after: list[str], added: tuple[str, ...], removed: tuple[str, ...]
    ) -> None:
        found = _between({"from_": before}, {"from_": after})
        assert (found.clients_added, found.clients_removed) == (added, removed)
        assert not found.opened
        assert found.added == (1 if added else 0)

    def test_nobody_named_is_everybody(self) -> None:
        found = _between({}, {"from_": ["builds@acme.iam.gserviceaccount.com"]}, "gcp:fqdn")
        assert (found.clients_added, found.clients_removed) == ((), (EVERYBODY,))
        back = _between({"from_": ["builds@acme.iam.gserviceaccount.com"]}, {}, "gcp:fqdn")
        assert (back.clients_added, back.clients_removed) == ((EVERYBODY,), ())

    @pytest.mark.parametrize(
        ("before", "after", "target", "free"),
        [
            ({}, {"from_": ["tagValues/1"]}, "gcp:fqdn", ["everybody but tagValues/1"]),
            ({"from_": ["tagValues/1", "tagValues/2"]}, {"from_": ["tagValues/1"]}, "gcp:fqdn", ["tagValues/2"]),
            ({"from_": ["tagValues/1"]}, {"from_": ["tagValues/1", "tagValues/2"]}, "gcp:fqdn", []),
            ({"deny": "declared"}, {"from_": ["tagValues/1"], "deny": "declared"}, "gcp:fqdn", []),
            ({"from_": ["10.0.0.0/8"]}, {"from_": ["10.1.0.0/16"]}, "aws:rules", []),
            ({"from_": ["10.0.0.0/8"]}, {"from_": ["10.1.0.0/16"]}, "azure:application-rules", []),
        ],
        ids=str,
    )  # fmt: skip
    def test_a_client_that_no_deny_is_about_any_more_is_a_risk(
        self, before: dict[str, Any], after: dict[str, Any], target: str, free: list[str]
    ) -> None:
        found = risks([_between(before, after, target)])
        assert [each.subject for each in found if each.id == "everything-open"] == free


def _between(before: dict[str, Any], after: dict[str, Any], target: str = "aws:rules") -> TargetDiff:
    (found,) = diff([state(made(target, [entry(X)], **before))], [state(made(target, [entry(X)], **after))])
    return found


class TestPairs:
    def test_a_replaced_host_is_paired_by_its_id_or_by_what_it_says_it_replaces(self) -> None:
        (renamed,) = change("aws:rules", [entry(X, "a")], [entry(API, "a")]).opened
        (taken,) = change("aws:rules", [entry(X, "a")], [entry(API, "b", replaces="a")]).opened
        assert renamed.other is not None
        assert taken.other is not None
        assert renamed.other.host == taken.other.host == X

    def test_a_cloud_that_comes_opens_all_and_one_that_goes_closes_all(self) -> None:
        some = [state(made("aws:rules", [entry(X)]))]
        (new,), (gone,) = diff([], some), diff(some, [])
        assert (len(new.opened), len(new.closed), len(gone.opened), len(gone.closed)) == (1, 0, 0, 1)
        assert {each.what for each in gone.objects or ()} == {"deleted"}

    def test_another_mechanism_of_one_cloud_is_compared_with_the_one_before(self) -> None:
        (found,) = diff([state(made("aws:rules", [entry(X)]))], [state(made("aws:domain-list", [entry(X)]))])
        assert not found.opened
        assert not found.closed

    def test_a_refused_head_opens_and_closes_nothing(self) -> None:
        refused = state(draft(selection([entry(X, protocol="tcp")]), "aws:rules"))
        (found,) = diff([state(made("aws:rules", [entry(X)]))], [refused])
        assert found.head is not None
        assert found.head.refused
        assert (found.opened, found.closed, found.objects) == ((), (), ())


class TestStatements:
    @pytest.mark.parametrize("target", MADE)
    def test_a_plan_read_back_from_its_json_is_the_same(self, target: str) -> None:
        plan = made(target, many(5))
        for text in (json.dumps({"targets": [plan.as_json()]}), locked([plan])):
            (read,) = read_statements(json.loads(text), "plan.json")
            (found,) = diff([read], [state(plan)])
            assert found.unchanged
            assert found.kept == 5

    def test_objects_that_were_changed_by_hand_are_noticed(self) -> None:
        document = json.loads(locked([made("gcp:fqdn", [entry(X)])]))
        document["targets"][0]["objects"][-1]["body"]["priority"] = 1
        with pytest.raises(InputError, match="do not have the digest"):
            read_statements(document, "plan.json")

    @pytest.mark.parametrize(
        ("document", "said"),
        [
            ([], "mapping"),
            ({}, r"`\$.targets` is missing"),
            ({"targets": []}, r"`\$.targets` is empty"),
            ({"errors": [{"rule": "x"}]}, "errors of a plan that failed"),
            ({"targets": [{"target": "aws:rules"}]}, r"`\$.targets\[0\].digest` is missing"),
        ],
    )
    def test_what_is_no_document_of_plans_is_an_error(self, document: Any, said: str) -> None:
        with pytest.raises(InputError, match=said):
            read_statements(document, "plan.json")

    def test_another_place_is_another_digest(self) -> None:
        digests = {
            made("gcp:fqdn", [entry(X)], attach=place, deny="declared").digest
            for place in ("one-policy", "other-policy")
        }
        assert len(digests) == 2


def test_a_second_finding_of_one_kind_about_the_whole_plan_is_new() -> None:
    one = selection([entry(X)])
    before, after = (
        state(draft(replace(one, floating=refs), "aws:rules")) for refs in (("a/b@1",), ("a/b@1", "c/d@2"))
    )
    assert [each.id for each in diff([before], [after])[0].findings_new] == ["unpinned"]
    assert [each.id for each in diff([after], [before])[0].findings_gone] == ["unpinned"]
