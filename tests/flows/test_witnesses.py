"""Witness flows: every kind of flow that steps tell apart is found, against brute force over a small universe."""

from dataclasses import replace
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from hostgate.flows.address_sets import EVERY_ADDRESS, networks, symbol
from hostgate.flows.flow import Flow
from hostgate.flows.intervals import EVERY_PORT, Intervals
from hostgate.flows.names import NameTest
from hostgate.flows.steps import ANY_MOMENT, Box, ClientTest, Moment, Place, Stage, Step
from hostgate.flows.verdicts import ends
from hostgate.flows.witnesses import Need, Witness, extract

HOSTS = ("x.example", "a.x.example", "y.example", "b.y.example", "ax.example")
PORTS = (0, 80, 443, 65_535)
ADDRESSES = ("9.9.9.9", "203.0.113.1", "203.0.113.200", "223.1.1.1", "2001:db8::1", "2600::1")
SOURCES = ("10.1.0.1", "10.2.0.1", "8.8.8.8", "fd00::1", "2600:1f::1")
SPOKEN = (
    ("https", True), ("https", False), ("http", True), ("http", False), ("tcp", False), ("quic", False), ("udp", False),
    ("icmp", False), ("icmpv6", False), ("gre", False), ("253", False), ("sctp", False),
)  # fmt: skip
NAMES = (
    *HOSTS, *(f"w.{host}" for host in HOSTS), *(f"w.w.{host}" for host in HOSTS), *(f"w{host}" for host in HOSTS),
    *(f"w.w{host}" for host in HOSTS), "host.stranger.invalid", "evil.host.stranger.invalid", "evil.x.example",
)  # fmt: skip

name_tests = st.builds(
    NameTest,
    st.sampled_from(
        ["exact", "one-label", "subtree", "subtree+apex", "ending", "dot-ending", "starting", "containing"]
    ),
    st.sampled_from([*HOSTS, "evil"]),
    negated=st.sampled_from([False, False, False, True]),
)
names = st.none() | st.none() | st.tuples(name_tests) | st.tuples(name_tests, name_tests)
addresses = st.sampled_from(
    [EVERY_ADDRESS] * 4
    + [
        networks(["203.0.113.0/24"]),
        networks(["0.0.0.0/0"]),
        networks(["2000::/3"]),
        networks(["203.0.113.0/25", "2600::/16"]),
    ]
    + [symbol("pl-1"), networks(["9.0.0.0/8"]) | symbol("pl-1"), symbol("pl-1").complement]
)
ports = st.sampled_from(
    [EVERY_PORT] * 3
    + [Intervals.of(each) for each in ([(443, 443)], [(80, 80), (443, 443)], [(0, 442)], [(444, 65_535)])]
)
clients = st.builds(
    ClientTest,
    addresses=st.sampled_from([EVERY_ADDRESS] * 3 + [networks(["10.0.0.0/8"]), networks(["10.1.0.0/16", "fd00::/8"])]),
    identities=st.none()
    | st.none()
    | st.frozensets(st.sampled_from(["account:a", "account:b", "tag:t", "tag:u"]), min_size=1, max_size=2),
)
boxes = st.builds(
    Box,
    wire=names,
    nameless=st.sampled_from([False, False, True]),
    dialled=st.none() | st.none() | st.tuples(name_tests),
    address=addresses,
    port=ports,
    protocols=st.sampled_from([None, None, frozenset({6}), frozenset({17}), frozenset({1, 58}), frozenset({47, 132})]),
    applications=st.sampled_from([None, None, frozenset({"tls"}), frozenset({"tls", "http"}), frozenset({"other"})]),
    but=st.sampled_from([frozenset(), frozenset(), frozenset({"tls"})]),
    client=clients,
    doubts=st.sampled_from([(), (), (), ("it is so",)]),
)
moments = st.sampled_from([ANY_MOMENT, ANY_MOMENT, frozenset({Moment.FIRST_PACKET}), frozenset(list(Moment)[2:])])
steps = st.builds(
    Step,
    action=st.sampled_from(["allow", "block", "next"]),
    rule=st.sampled_from(["r1", "r2", "r3", "r4", "r5"]),
    why=st.just("it says so"),
    box=boxes,
    moments=moments,
    lasting=st.sampled_from([True, True, False, None]),
)
groups = st.lists(steps, max_size=4).map(tuple)
needs = st.lists(
    st.builds(
        Need,
        st.sampled_from(["e1", "e2"]),
        st.builds(
            Box,
            dialled=st.none()
            | st.tuples(st.builds(NameTest, st.sampled_from(["exact", "subtree"]), st.sampled_from(HOSTS))),
            address=st.sampled_from([EVERY_ADDRESS, networks(["0.0.0.0/0"])]),
            port=ports,
            protocols=st.just(frozenset({6})),
            applications=st.sampled_from([None, frozenset({"tls"}), frozenset({"http"})]),
        ),
    ),
    max_size=3,
)


@st.composite
def stages(draw: st.DrawFn, last: bool) -> Stage:
    allowed = ["allow", "block"] if last else ["allow", "block", "next", "next"]

    def fit(group: tuple[Step, ...]) -> tuple[Step, ...]:
        return tuple(each for each in group if not (last and each.action == "next"))

    end = Step(action=draw(st.sampled_from(allowed)), rule="", why="the default")  # type: ignore[arg-type]
    when = draw(st.sampled_from([(Moment.NAME_KNOWN,), tuple(Moment)]))
    unordered = tuple(map(fit, draw(st.lists(groups, max_size=1))))
    return Stage("s", fit(draw(groups)), end, when, unordered, fit(draw(groups)) if draw(st.booleans()) else ())


@st.composite
def places(draw: st.DrawFn) -> Place:
    found = (draw(stages(last=False)), draw(stages(last=True))) if draw(st.booleans()) else (draw(stages(last=True)),)
    meant = draw(st.sampled_from([None, None, ClientTest(addresses=networks(["10.0.0.0/8", "fd00::/8"]))]))
    return Place("x:y", "here", found, clients=meant)


Kind = tuple[str, str | None, int, bool, bool]


def _needed(need: Need, flow: Flow, carries: bool) -> tuple[bool, bool]:
    """Whether a flow is due to a need, and whether it is part of one."""
    box, family = need.box, "IPv4" if flow.family == 4 else "IPv6"
    reaches = (box.dialled is None or all(test.holds(flow.name) for test in box.dialled)) and flow.number == 6
    reaches = reaches and flow.port in box.port and bool(box.address.holds(networks([str(flow.address)]), family))  # type: ignore[arg-type]
    if box.applications is None:
        return reaches, reaches
    return reaches and carries and flow.application in box.applications, reaches and (
        not carries or flow.application in box.applications
    )


def by_force(place: Place, wanted: list[Need], name: str) -> set[Kind]:
    """Every kind of end of flows to `name` that are tried one by one."""
    found: set[Kind] = set()
    steps = (step for stage in place.stages for group in stage.groups for step in group.steps)
    by_identity = any(step.box.client.identities for step in steps)
    tags = (None, "tag:t", "tag:u") if by_identity else (None,)
    accounts = ("account:a", "account:b", "account:nobody") if by_identity else ("account:nobody",)
    for (protocol, carries), port, address, source in product(SPOKEN, PORTS, ADDRESSES, SOURCES):
        six = ":" in address
        if (":" in source) != six or (protocol, six) in (("icmp", True), ("icmpv6", False)):
            continue
        if place.clients is not None and not source.startswith(("10.", "fd")):
            continue
        if protocol not in ("https", "http", "tcp", "quic", "udp", "sctp") and port:
            continue
        flow = Flow(name, port, protocol, name if carries else None, address, source)
        due = [_needed(need, flow, carries) for need in wanted]
        for account, one, two in product(accounts, tags, tags):
            who = frozenset({account, *filter(None, (one, two))})
            who |= frozenset() if one or two else {"tag:nobody"}
            verdict, _ = ends(place, flow, ClientTest(addresses=networks([source]), identities=who))
            found.add(
                (
                    verdict.action,
                    verdict.rule,
                    len(verdict.lacks),
                    any(each for each, _ in due),
                    any(each for _, each in due),
                )
            )
    return found


def kind_of(witness: Witness) -> Kind:
    return (
        witness.verdict.action,
        witness.verdict.rule,
        len(witness.verdict.lacks),
        bool(witness.due),
        bool(witness.part_of),
    )


def numbered(place: Place) -> Place:
    """The place with a name of its own for every rule."""
    count = iter(range(1000))

    def of(group: tuple[Step, ...]) -> tuple[Step, ...]:
        return tuple(replace(each, rule=f"r{next(count)}") for each in group)

    stages = tuple(
        replace(each, steps=of(each.steps), unordered=tuple(map(of, each.unordered)), last=of(each.last))
        for each in place.stages
    )
    return replace(place, stages=stages)


@settings(max_examples=40, deadline=None)
@given(places(), needs, st.data())
def test_whatever_brute_force_meets_is_met_and_nothing_else(
    place: Place, wanted: list[Need], data: st.DataObject
) -> None:
    place = numbered(place)
    met: dict[tuple[str, ...], set[Kind]] = {}
    for witness in extract(place, wanted).witnesses:
        met.setdefault(witness.names, set()).add(kind_of(witness))
    names = data.draw(st.sampled_from(sorted(met)))
    assert met[names] == by_force(place, wanted, names[0])
    other = data.draw(st.sampled_from(NAMES))
    actions = [{kind[0] for kind in kinds} for kinds in met.values()]
    assert {kind[0] for kind in by_force(place, wanted, other)} in actions
