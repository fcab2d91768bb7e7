"""What is tried of a place, and what is expected: judged as it is made, for the clients whose verdict it is."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from hostgate.flows.address_sets import networks, symbol
from hostgate.flows.flow import Flow
from hostgate.flows.intervals import Intervals
from hostgate.flows.name_classes import Need
from hostgate.flows.names import NameTest
from hostgate.flows.reach import reach
from hostgate.flows.steps import EVERY_CLIENT, Box, ClientTest, Place, Stage, Step
from hostgate.planning.probe_paths import Point, paths
from hostgate.planning.probes import Probe, Untried, probes

HTTPS = Box(port=Intervals.of([(443, 443)]), protocols=frozenset({6}), applications=frozenset({"tls"}))
RANGE = replace(HTTPS, address=networks(["198.51.7.0/24"]))
NO = Step(action="block", rule="", why="no rule allows it")


def named(name: str, *, wire: bool = True, action: str = "allow", client: ClientTest = EVERY_CLIENT) -> Step:
    names = (NameTest("exact", name),)
    box = replace(HTTPS, client=client, **({"wire": names} if wire else {"dialled": names}))
    return Step(action=action, rule=f"{action} {name}", why="by its name", box=box)  # type: ignore[arg-type]


def need(name: str, kind: str = "exact", group: str = "") -> Need:
    return Need(name, replace(HTTPS, dialled=(NameTest(kind, name),)), group=group)  # type: ignore[arg-type]


def wide(rule: str, *names: str) -> list[Step]:
    """A rule for several names."""
    return [replace(named(name), rule=rule) for name in names]


def unsure(name: str, kind: str = "exact") -> Step:
    box = replace(HTTPS, wire=(NameTest(kind, name),), doubts=("it is so",))  # type: ignore[arg-type]
    return replace(named(name), box=box)


def point(
    *steps: Step,
    needs: Sequence[Need] = (),
    target: str = "acme:gate",
    name: str = "one",
    clients: ClientTest | None = None,
) -> Point:
    place = Place(target, name, (Stage("rules", steps, NO),), clients=clients)
    return Point(target, place, needs, reach(place, needs))


def tried(*points: Point) -> dict[str, list[Probe]]:
    """Probes of the only path, by what they try."""
    (path,) = paths(points)
    found: dict[str, list[Probe]] = {}
    for each in probes(path)[0]:
        found.setdefault(each.what, []).append(each)
    return found


def inside(*ranges: str) -> ClientTest:
    return ClientTest(addresses=networks(ranges))


CLIENTS = [
    ("everybody", [], None, ()),
    ("those of the rule", [inside("10.1.0.0/16")], None, ("10.1.0.0/16",)),
    ("those of two rules", [inside("10.1.0.0/16"), inside("10.2.0.0/16")], None, ("10.1.0.0/16", "10.2.0.0/16")),
    ("those that are meant", [], inside("10.0.0.0/8", "fd00::/8"), ("10.0.0.0/8", "fd00::/8")),
    ("service accounts", [], ClientTest(identities=frozenset({"account:a@b.c"})), ("account:a@b.c",)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rules", "meant", "clients"), [case[1:] for case in CLIENTS], ids=[case[0] for case in CLIENTS]
)
def test_a_probe_is_for_the_clients_whose_verdict_it_is(
    rules: list[ClientTest], meant: ClientTest | None, clients: tuple[str, ...]
) -> None:
    steps = [named("cgr.dev", client=each) for each in rules or [ClientTest()]]
    (probe,) = tried(point(*steps, needs=[need("cgr.dev")], clients=meant))["an allowed host"]
    assert (probe.verdict.action, probe.clients) == ("allow", clients)


def test_a_client_that_is_cut_out_of_a_range_is_not_among_them() -> None:
    cut = named("cgr.dev", action="block", client=inside("10.1.2.0/24"))
    (probe,) = tried(point(cut, named("cgr.dev", client=inside("10.1.0.0/16")), needs=[need("cgr.dev")]))[
        "an allowed host"
    ]
    assert networks(probe.clients) == networks(["10.1.0.0/16"]).less(networks(["10.1.2.0/24"]))


def test_where_some_clients_that_are_meant_are_cut_off_it_is_they_that_try_it() -> None:
    rule = named("cgr.dev", client=inside("10.1.0.0/16"))
    (probe,) = tried(point(rule, needs=[need("cgr.dev")], clients=inside("10.0.0.0/8")))["missing"]
    assert (probe.verdict.action, probe.wanted) == ("block", "allow")
    assert networks(probe.clients) == networks(["10.0.0.0/8"]).less(networks(["10.1.0.0/16"]))


def test_clients_that_nobody_can_see_are_said() -> None:
    meant = ClientTest(addresses=symbol("pl-1"))
    (path,) = paths([point(named("cgr.dev"), needs=[need("cgr.dev")], clients=meant)])
    found, untried = probes(path)
    assert not found
    assert "which clients it is about is not known here" in {each.why for each in untried}


@pytest.mark.parametrize(
    ("step", "name", "sni"),
    [
        (named("evil.example"), "example.com", "evil.example"),
        (named("evil.example", wire=False), "evil.example", "evil.example"),
        (Step(action="allow", rule="all", why="all of it", box=HTTPS), "example.com", "example.com"),
        (Step(action="allow", rule="net", why="a range", box=RANGE), "198.51.7.0", None),
    ],
    ids=["a name on the wire", "a name that is looked up", "everything", "a range"],
)  # fmt: skip
def test_what_is_beyond_is_tried_in_a_way_that_the_place_judges_alike(step: Step, name: str, sni: str | None) -> None:
    made = point(named("cgr.dev"), step, needs=[need("cgr.dev")])
    (probe,) = tried(made)["beyond the catalogs"]
    assert (probe.verdict.action, probe.verdict.rule, probe.flow.name) == ("allow", step.rule, name)
    assert sni is None or probe.flow.sni == sni


def test_an_alternative_that_is_not_open_is_not_said_to_be_allowed() -> None:
    needs = [need("one.example", group="g"), need("two.example", group="g")]
    assert [each.flow.name for each in tried(point(named("two.example"), needs=needs))["an allowed host"]] == [
        "two.example"
    ]


def test_names_below_a_name_are_said_not_to_be_tried() -> None:
    below = need("acme.example", "subtree")
    (path,) = paths([point(named("cgr.dev"), needs=[below])])
    assert [each for each in probes(path)[1] if isinstance(each, Untried) and "name below it" in each.why]


def asked(name: str) -> Step:
    return Step(action="allow", rule="list", why="listed", box=Box(asked=(NameTest("exact", name),)))


def dns(name: str, *names: str) -> Point:
    return point(*map(asked, names), target="acme:dns", name=name)


def test_a_layer_of_which_there_are_several_is_known_where_all_of_them_agree() -> None:
    gate = point(named("cgr.dev"), named("quay.io"), needs=[need("cgr.dev"), need("quay.io")])
    (path,) = paths([gate, dns("vpc-1", "cgr.dev"), dns("vpc-2", "cgr.dev", "quay.io")])
    assert (path.targets, path.queries) == (("acme:gate", "acme:dns"), True)
    assert path.verdict(Flow("cgr.dev")).action == "allow"
    assert path.verdict(Flow("example.com")).action == "block"
    verdict = path.verdict(Flow("quay.io"))
    assert (verdict.action, verdict.lacks) == ("unknown", ("which place of acme:dns the client's connections pass",))


def test_places_of_a_target_are_paths_of_their_own_and_clouds_too() -> None:
    one, two, other = (point(named("cgr.dev"), name=name, target=target) for name, target in
                       (("one", "acme:gate"), ("two", "acme:gate"), ("three", "other:gate")))  # fmt: skip
    assert [path.title for path in paths([one, two, other])] == [
        "acme policy one",
        "acme policy two",
        "other policy three",
    ]


@pytest.mark.parametrize(("alone", "titles"), [((True, True), 2), ((True, False), 1), ((False, False), 1)])
def test_targets_that_judge_clients_of_their_own_are_no_layers(alone: tuple[bool, bool], titles: int) -> None:
    first = replace(point(named("cgr.dev")), alone=alone[0])
    second = replace(point(named("cgr.dev"), target="acme:other", name="two"), alone=alone[1])
    assert len(paths([first, second])) == titles


def test_where_rules_are_for_some_identities_it_is_they_that_try_it() -> None:
    account = "account:a@b.iam.gserviceaccount.com"
    own = ClientTest(identities=frozenset({account}))
    deny = Step(action="block", rule="deny", why="denied", box=Box(client=own))
    passes = Step(action="allow", rule="", why="by default")
    place = Place("acme:gate", "one", (Stage("rules", (named("cgr.dev", client=own), deny), passes),))
    needs = [need("cgr.dev")]
    found = tried(Point("acme:gate", place, needs, reach(place, needs, [own]), clients=(account,)))
    assert {
        what: {(each.verdict.action, each.flow.source, each.clients) for each in those} for what, those in found.items()
    } == {
        "an allowed host": {("allow", account, (account,))},
        "an allowed host over IPv6": {("allow", account, (account,))},
        "an allowed host without SNI": {("block", account, (account,))},
        "an allowed host over QUIC": {("block", account, (account,))},
        "a host of no entry": {("block", account, (account,))},
        "a host of no entry on another port": {("block", account, (account,))},
    }


ODD = "with blank.example"


@pytest.mark.parametrize(
    ("here", "what", "name"),
    [
        (point(*wide("of many", ODD, "b.example")), "beyond the catalogs", "b.example"),
        (point(*wide("of many", ODD, "also odd", "c.example")), "beyond the catalogs", "c.example"),
        (point(needs=[need("a.example", "subtree"), need("b.example")]), "missing", "b.example"),
        (point(unsure("a.example", "subtree"), unsure("b.example"), needs=[need("a.example", "subtree"), need("b.example")]),
         "not known whether it passes", "b.example"),
        (point(*map(named, (ODD, "x y", "z z", "b.example")), needs=list(map(need, (ODD, "x y", "z z", "b.example")))),
         "an allowed host, one of 4 alike", "b.example"),
    ],
    ids=["beyond", "the third", "missing", "not known", "allowed"],
)  # fmt: skip
def test_of_several_names_one_that_can_be_dialled_is_tried(here: Point, what: str, name: str) -> None:
    (path,) = paths([here])
    made, untried = probes(path)
    assert name in {each.flow.sni for each in made if each.what == what}
    assert not [each for each in untried if each.what.startswith(what)]


def test_of_other_names_only_such_are_tried_as_the_same_rule_lets_pass() -> None:
    here = point(named("b.example", action="block"), *wide("of many", ODD, "b.example"))
    (path,) = paths([here])
    made, untried = probes(path)
    assert not [each for each in made if each.what == "beyond the catalogs"]
    assert [each.why for each in untried if each.what == "beyond the catalogs"]


@pytest.mark.parametrize(
    ("open_at", "told"),
    [
        (["198.51.7.1", "198.51.7.2"], ""),
        (["198.51.7.2"], "and not at others that it has"),
        (["198.51.7.9"], "a probe"),
    ],
)
def test_a_host_that_is_closed_at_some_of_its_addresses_alone_is_not_tried(open_at: list[str], told: str) -> None:
    at_both = networks(["198.51.7.1", "198.51.7.2"])
    wanted = Need("a", replace(HTTPS, dialled=(NameTest("exact", "a.example"),), address=at_both))
    opened = Step(action="allow", rule="list", why="", box=replace(HTTPS, address=networks(open_at), applications=None))
    (path,) = paths([point(opened, needs=[wanted])])
    made, untried = probes(path)
    assert [each.flow.name for each in made if each.what == "missing"] == (["a.example"] if told == "a probe" else [])
    assert [each.why.rpartition(", ")[2] for each in untried if each.what == "missing"] == (
        [told] if told not in ("", "a probe") else []
    )


BY_ADDRESS = {"IPv4": ["192.0.2.1", "192.0.2.2"], "IPv6": ["2001:db8::1"], "both": ["192.0.2.1", "2001:db8::1"]}


@pytest.mark.parametrize("given", BY_ADDRESS.values(), ids=list(BY_ADDRESS))
@pytest.mark.parametrize("hosts", [1, 2, 5])
def test_hosts_that_are_needed_at_their_own_addresses_are_tried_there(given: list[str], hosts: int) -> None:
    def addresses(host: int) -> list[str]:
        return [f"{each}{host}" for each in given]

    needs = [
        Need(f"h{host}", replace(HTTPS, dialled=(NameTest("exact", f"h{host}.example"),), address=networks(addresses(host))))
        for host in range(hosts)
    ]  # fmt: skip
    every = networks([each for host in range(hosts) for each in addresses(host)])
    opened = Step(action="allow", rule="list", why="", box=replace(HTTPS, address=every, applications=None))
    made = [
        each for what, those in tried(point(opened, needs=needs)).items() if "allowed host" in what for each in those
    ]
    assert len(made) == min(hosts, 3)
    assert {each.verdict.action for each in made} == {"allow"}
    assert {each.flow.family for each in made} == {6 if given == BY_ADDRESS["IPv6"] else 4}


def test_a_host_that_is_open_at_some_of_its_addresses_alone_is_said_not_to_be_tried() -> None:
    needs = [Need("h", replace(HTTPS, dialled=(NameTest("exact", "h.example"),), address=networks(BY_ADDRESS["IPv4"])))]
    opened = Step(
        action="allow", rule="list", why="", box=replace(HTTPS, address=networks(["192.0.2.1"]), applications=None)
    )
    (path,) = paths([point(opened, needs=needs)])
    assert [each.why for each in probes(path)[1] if each.what == "an allowed host"] == [
        "h: it is open at some of its addresses alone"
    ]
