"""Every flow that the catalog allows passes, and every other flow that the mechanism can see is blocked."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.catalogs import EVERY, FED, MADE, entry, selection
from conformance.oracle import WIDENED, Need, answer
from conformance.strategies import INSIDE, INTERNET, INTERNET_6, catalogs, flows_about
from hostgate.catalog.model import Entry
from hostgate.catalog.problems import InputError
from hostgate.catalog.selection import Acceptance
from hostgate.flows.flow import Flow
from hostgate.planning.mechanism import mechanism
from hostgate.planning.options import Deny
from hostgate.planning.plan import Plan, draft, plan

DENIES: tuple[Deny, ...] = get_args(Deny)
CLIENTS = "10.0.0.0/8"

every_target = pytest.mark.parametrize("target", EVERY)
every_deny = pytest.mark.parametrize("deny", DENIES)


@every_target
@every_deny
@given(drawn=catalogs(), accepting=st.booleans())
def test_enforce_passes_what_the_catalog_allows_and_blocks_all_else(
    target: str, deny: Deny, drawn: list[Entry], accepting: bool
) -> None:
    made = _expressible(target, drawn, accepting, deny=deny)
    if made is None:
        return
    assert not made.refused, [str(one.message) for one in made.findings if one.severity == "error"]
    for flow, wanted, passes in _judged(made, drawn):
        if wanted == "must pass":
            assert passes, f"{flow} is in the catalog and is blocked: {made.verdict(flow)}"
        if wanted == "must not":
            assert passes == (deny == "none"), f"{flow} is not in the catalog: {made.verdict(flow)}"
    assert (deny == "none") == any(one.id == "deny-none" for one in made.findings)


@pytest.mark.parametrize(
    "target", [*(each for each in MADE if "addresses" in mechanism(each).options.model_fields), *FED]
)
@every_deny
@given(drawn=catalogs(), reject=st.booleans(), logged=st.booleans())
def test_entries_without_a_name_on_the_wire_pass_to_the_addresses_that_are_given_for_them(
    target: str, deny: Deny, drawn: list[Entry], reject: bool, logged: bool
) -> None:
    ranges = {each.id: [_RANGES[index % len(_RANGES)]] for index, each in enumerate(drawn)}
    reject = reject and deny in ("internet", "all")
    options = {"deny": deny, "reject": reject, "log_allowed": logged, "addresses": ranges}
    if target in FED:  # by host, as a pool has them
        options = {"addresses": {each.host: list(_POOL) for each in drawn}}
        deny = "internet"
    made = _expressible(target, drawn, False, **options)
    assert made is not None
    for flow, wanted, passes in _judged(made, drawn):
        assert wanted == "may" or passes == (wanted == "must pass" or deny == "none"), f"{flow} {wanted}"


_POOL = (INTERNET, "203.0.113.4", INTERNET_6)
_RANGES = (f"{INTERNET}/32", "203.0.113.0/24", "198.51.100.0/29")


@pytest.mark.parametrize("target", [each for each in EVERY if "home_net" in mechanism(each).options.model_fields])
@pytest.mark.parametrize(
    "home", [["10.0.0.0/8", "fd00::/8"], ["fd00::/8", "2600:1f18::/56"], ["10.0.0.0/8", "203.0.113.0/24"]]
)
@given(drawn=catalogs(), deny=st.sampled_from(["internet", "all", "declared"]), reject=st.booleans())
def test_only_clients_of_the_families_and_ranges_behind_the_firewall_reach_anything(
    target: str, home: list[str], drawn: list[Entry], deny: Deny, reject: bool
) -> None:
    made = _expressible(target, drawn, False, deny=deny, reject=reject and deny != "declared", home_net=home)
    assert made is not None
    for flow, wanted, passes in _judged(made, drawn):
        assert wanted == "may" or passes == (wanted == "must pass"), f"{flow} {wanted}: {made.verdict(flow)}"


@every_target
@given(drawn=catalogs(), accepting=st.booleans())
def test_only_the_clients_of_from_may_use_the_hosts(target: str, drawn: list[Entry], accepting: bool) -> None:
    made = _expressible(target, drawn, accepting, from_=[CLIENTS])
    if made is None or made.refused:
        assert made is None or not made.objects
        return
    # Where a deny is about the clients alone, others are not judged, and the plan says so.
    free = any(one.id == "others-open" for one in made.findings)
    for flow, wanted, passes in _judged(made, drawn, [CLIENTS]):
        if not free or flow.source == INSIDE:
            assert wanted == "may" or passes == (wanted == "must pass"), f"{flow} {wanted}: {made.verdict(flow)}"


@every_target
@every_deny
@given(drawn=catalogs(), accepting=st.booleans())
def test_audit_lets_the_web_pass_and_decides_allowed_flows_as_enforce_does(
    target: str, deny: Deny, drawn: list[Entry], accepting: bool
) -> None:
    audit = _expressible(target, drawn, accepting, deny=deny, mode="audit")
    enforce = _expressible(target, drawn, accepting, deny=deny)
    if audit is None or enforce is None:
        return
    assert any(one.id == "audit" for one in audit.findings)
    for flow, wanted, _ in _judged(audit, drawn):
        verdict = audit.verdict(flow)
        if flow.wire_name is not None and flow.family != 6:
            assert verdict.allows, f"{flow} is blocked in audit mode: {verdict}"
        decides = verdict.rule or ""
        if wanted == "must pass" and flow.family != 6:
            assert decides == (enforce.verdict(flow).rule or ""), f"{flow} is not decided by its own rule"
        elif wanted == "must not":
            narrow = decides in {decision.rule for decision in enforce.decisions}
            marked = "audit" in decides or decides.endswith(
                "#*"
            )  # a filter for every name, in a profile that says AUDIT
            assert not decides or narrow or marked, f"{flow} is decided by {decides}, which is not marked"


@every_target
@given(drawn=catalogs())
def test_enforce_renders_nothing_of_audit(target: str, drawn: list[Entry]) -> None:
    made = _expressible(target, drawn, False)
    assert made is not None
    assert "audit" not in str([each.as_json() for each in made.objects]).lower()


@every_target
@given(drawn=catalogs())
def test_what_cannot_be_exact_is_refused_with_the_nearest_and_has_no_objects(target: str, drawn: list[Entry]) -> None:
    made = draft(selection(drawn), target)
    refused = [decision for decision in made.decisions if decision.outcome == "refused"]
    assert bool(refused) == made.refused
    assert all("Nearest: " in decision.reason for decision in refused)
    if made.refused:
        assert made.objects == ()
        assert all(decision.rule is None for decision in made.decisions)
        with pytest.raises(InputError):
            made.verdict(Flow("cgr.dev"))


@every_target
@given(drawn=catalogs())
def test_every_entry_is_decided_and_one_of_a_group_of_alternatives_is_used(target: str, drawn: list[Entry]) -> None:
    made = draft(selection(drawn), target)
    assert [decision.entry.key for decision in made.decisions] == sorted(each.key for each in drawn)
    group = [d for d in made.decisions if d.entry.alternatives and d.outcome != "left out"]
    if any(decision.outcome == "allowed" for decision in group):
        assert [d.outcome for d in group].count("allowed") == 1
        assert {d.outcome for d in group} <= {"allowed", "covered"}
    for decision in made.decisions:
        idle = decision.entry.direction != "egress" or decision.entry.status == "mistaken"
        assert (decision.outcome == "left out") == idle
        assert decision.reason


@every_target
@given(drawn=catalogs(), accepting=st.booleans())
def test_what_the_mechanism_cannot_see_is_said(target: str, drawn: list[Entry], accepting: bool) -> None:
    made = _expressible(target, drawn, accepting)
    assert made is not None
    needs = _needs(made)
    sights = {need.sight for need in needs}
    ids = {one.id for one in made.findings}
    assert ("address-only" in ids) == ("address-and-port" in sights)
    assert ("name-unproven" in ids) == any(need.sight == "name-and-port" and need.names == "wire" for need in needs)
    used = [decision.means for decision in made.decisions if decision.outcome == "allowed" and decision.means]
    assert ("http-or-tls" in ids) == any(not way.tells_tls for way in used)
    assert ("name-only" in ids) == ("query-name" in sights)
    for decision in made.decisions:
        ways = mechanism(target).way(decision.entry)
        if decision.outcome == "allowed" and ways is not None and decision.entry.match not in ways.kinds:
            assert ways.widenings[decision.entry.match] in {f.id for f in made.findings if f.entry == decision.entry.id}


@every_target
def test_internet_deny_leaves_private_traffic_alone_or_says_that_it_cuts_it(target: str) -> None:
    made = plan(selection([entry()]), target, deny="internet")
    cuts = " ".join(one.message for one in made.findings if one.id == "deny-cuts")
    said = re.search(r"private \w+ too", cuts) is not None
    for address in ("10.20.30.40", "172.16.0.9", "192.168.1.1"):
        flow = Flow("db.internal.example", 5432, "tcp", address=address, source="10.1.2.3")
        assert made.verdict(flow).allows != said, f"{address}: {made.verdict(flow)}; said: {cuts}"


@every_target
def test_a_plan_that_denies_all_says_that_private_traffic_is_cut(target: str) -> None:
    made = plan(selection([entry()]), target, deny="all")
    flow = Flow("db.internal.example", 5432, "tcp", address="10.20.30.40", source="10.1.2.3")
    assert not made.verdict(flow).allows
    assert any(re.search(r"private \w+ too", one.message) for one in made.findings if one.id == "deny-cuts")


def _expressible(target: str, drawn: Sequence[Entry], accepting: bool, **options: Any) -> Plan | None:
    """The plan of what the mechanism can express of `drawn`; None if it does not have these options.

    Leaving one entry out can lift the objection to another, never raise one, so what is kept is expressible.
    """
    try:
        whole = draft(selection(drawn), target, options)
    except InputError:
        return None
    objections = mechanism(target).objections([d.entry for d in whole.decisions], whole.options)
    accept = [
        Acceptance(finding=objection.widening, entry=key[1], because="a test")
        for key, objection in objections.items()
        if accepting and objection.widening
    ]
    met = {acceptance.entry for acceptance in accept}
    kept = [each for each in drawn if each.key not in objections or each.id in met]
    if options.get("from_") and not kept:
        return whole
    return draft(selection(kept, accept=accept), target, options)


def _needs(made: Plan) -> list[Need]:
    how = mechanism(made.target)
    accepted = {(acceptance.finding, acceptance.entry) for acceptance in made.selection.accept}
    needs = []
    for decision in made.decisions:
        way = how.way(decision.entry)
        if decision.outcome == "allowed" and way is not None:
            widenings = tuple(name for name in WIDENED if (name, decision.entry.id) in accepted)
            given = made.options.dialled(decision.entry) if made.target in FED else ()
            given = given or getattr(made.options, "addresses", {}).get(decision.entry.id, ())
            needs.append(Need(decision.entry, way.sight, widenings, tuple(given), not way.tells_tls, way.names))
    return needs


def _judged(made: Plan, drawn: Sequence[Entry], sources: Sequence[str] = ()) -> Iterator[tuple[Flow, str, bool]]:
    needs = _needs(made)
    ipv6 = all(one.id != "ipv4-only" for one in made.findings)
    sights = [means.sight for means in mechanism(made.target).means]
    clients = sources or getattr(made.options, "home_net", ())
    for flow in flows_about(drawn):
        yield flow, answer(needs, flow, clients, ipv6=ipv6, sights=sights), made.verdict(flow).allows
