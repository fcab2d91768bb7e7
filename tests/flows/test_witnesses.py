"""Witness flows: every kind of flow that steps tell apart is found, against flows tried one by one at generated places."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from ipaddress import ip_address, ip_network
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import pytest

from hostgate.flows import name_classes, witnesses
from hostgate.flows.address_sets import EVERY_ADDRESS, AddressFamily, networks, symbol
from hostgate.flows.flow import Flow
from hostgate.flows.intervals import EVERY_PORT, Intervals
from hostgate.flows.name_classes import Need
from hostgate.flows.names import Names, NameTest, TestKind
from hostgate.flows.steps import ANY_MOMENT, Action, Box, ClientTest, Group, Moment, Place, Stage, Step
from hostgate.flows.verdicts import ends
from hostgate.flows.witnesses import Witness, extract

PLACES, FLOWS = int(os.environ.get("HOSTGATE_ORACLE_STACKS", "150")) // 3, 50

HOSTS = ("x.example", "a.x.example", "y.example", "b.y.example", "ax.example")
TEXTS = (*HOSTS, "evil", ".y", "-cdn.")
PORTS = (0, 80, 443, 65_535)
ADDRESSES = ("9.9.9.9", "203.0.113.1", "203.0.113.200", "223.1.1.1", "2001:db8::1", "2600::1")
SOURCES = ("10.1.0.1", "10.2.0.1", "8.8.8.8", "fd00::1", "2600:1f::1")
SPOKEN = (
    ("https", True), ("https", False), ("http", True), ("http", False), ("tcp", False), ("quic", False), ("udp", False),
    ("icmp", False), ("icmpv6", False), ("gre", False), ("253", False), ("sctp", False),
)  # fmt: skip
NAMES = (
    *HOSTS, *(f"w.{host}" for host in HOSTS), *(f"w.w.{host}" for host in HOSTS), *(f"w{host}" for host in HOSTS),
    "other.test", "evil.other.test", "evil.x.example", "evil-cdn.y.example", "e7.q.test", "a.evil.yy.test",
)  # fmt: skip
KINDS: tuple[TestKind, ...] = (
    "exact", "one-label", "subtree", "subtree+apex", "ending", "dot-ending", "starting", "containing", "pattern",
)  # fmt: skip
PATTERNS = (r"^e[0-9]\.", r"(evil|bad)\.", r"\A(?s:.){3,9}\Z", r"x\.example$")
RANGES = (
    networks(["203.0.113.0/24"]), networks(["0.0.0.0/0"]), networks(["2000::/3"]),
    networks(["203.0.113.0/25", "2600::/16"]), symbol("pl-1"), networks(["9.0.0.0/8"]) | symbol("pl-1"),
    symbol("pl-1").complement,
)  # fmt: skip
INTERVALS = tuple(map(Intervals.of, ([(443, 443)], [(80, 80), (443, 443)], [(0, 442)], [(444, 65_535)])))
CLIENTS = (networks(["10.0.0.0/8"]), networks(["10.1.0.0/16", "fd00::/8"]))
MEANT = (
    None, None, None, ClientTest(addresses=networks(["10.0.0.0/8", "fd00::/8"])),
    ClientTest(identities=frozenset({"account:a"})), ClientTest(identities=frozenset({"account:z"})),
)  # fmt: skip


def name_test(random: Random) -> NameTest:
    kind = random.choice(KINDS[:4] if random.random() < 0.6 else KINDS[4:])
    text = random.choice(PATTERNS if kind == "pattern" else TEXTS)
    if kind in KINDS[:6]:
        text = text.strip(".")
    case = kind not in KINDS[1:4] and random.random() < 0.15
    return NameTest(kind, text, case, negated=random.random() < 0.2)


def names(random: Random) -> Names | None:
    return tuple(name_test(random) for _ in range(random.choice((1, 1, 2, 3)))) if random.random() < 0.5 else None


def box(random: Random) -> Box:
    def often(default: Any, *others: Any) -> Any:
        return default if random.random() < 0.55 else random.choice(others)

    identities = [frozenset({each}) for each in ("account:a", "account:b", "tag:t", "tag:u")]
    return Box(
        wire=names(random),
        nameless=random.random() < 0.3,
        dialled=names(random) if random.random() < 0.3 else None,
        address=often(EVERY_ADDRESS, *RANGES),
        port=often(EVERY_PORT, *INTERVALS),
        protocols=often(None, *map(frozenset, ({6}, {17}, {1, 58}, {47, 132}, {6, 17}))),
        applications=often(None, *map(frozenset, ({"tls"}, {"tls", "http"}, {"other"}))),
        but=often(frozenset(), frozenset({"tls"})),
        client=ClientTest(
            addresses=often(EVERY_ADDRESS, *CLIENTS),
            identities=often(None, *identities, identities[0] | identities[1], identities[0] | identities[2]),
        ),
        doubts=often((), (), ("it is so",)),
    )


def group(random: Random, most: int, actions: Sequence[Action]) -> Group:
    moments = (ANY_MOMENT, ANY_MOMENT, frozenset({Moment.FIRST_PACKET}), frozenset(list(Moment)[2:]))
    return tuple(
        Step(
            action=random.choice(actions), rule="", why="it says so", box=box(random), moments=random.choice(moments),
            lasting=random.choice((True, True, False, None)), whole=random.choice(("", "", "", "one", "other")),
        )
        for _ in range(random.randint(0, most))
    )  # fmt: skip


def stage(random: Random, *, last: bool) -> Stage:
    actions: Sequence[Action] = ("allow", "block") if last else ("allow", "block", "next", "next")
    end = Step(action=random.choice(actions), rule="", why="the default")
    moments = random.choice(((Moment.NAME_KNOWN,), tuple(Moment)))
    unordered = (group(random, 3, actions),) if random.random() < 0.3 else ()
    behind = group(random, 2, actions) if random.random() < 0.3 else ()
    return Stage("s", group(random, 4, actions), end, moments, unordered, behind)


def place(random: Random) -> Place:
    """A place of one stage or two, with a name of its own for every rule."""
    count = iter(range(1000))

    def numbered(steps: Group) -> Group:
        return tuple(replace(each, rule=f"r{next(count)}") for each in steps)

    stages = [stage(random, last=False)] if random.random() < 0.5 else []
    found = tuple(
        replace(each, steps=numbered(each.steps), unordered=tuple(map(numbered, each.unordered)), last=numbered(each.last))
        for each in (*stages, stage(random, last=True))
    )  # fmt: skip
    answers = ((NameTest("subtree+apex", "y.example"), networks(["203.0.113.0/25"])),) if random.random() < 0.2 else ()
    own = ("b.y.example",) if random.random() < 0.2 else ()
    return Place("x:y", "here", found, clients=random.choice(MEANT), answers=answers, own_names=own)


def needs(random: Random) -> list[Need]:
    return [
        Need(
            random.choice(("e1", "e2")),
            Box(
                dialled=random.choice((None, (NameTest(random.choice(("exact", "subtree")), random.choice(HOSTS)),))),
                address=random.choice((EVERY_ADDRESS, networks(["0.0.0.0/0"]))),
                port=random.choice((EVERY_PORT, *INTERVALS)),
                protocols=frozenset({6}),
                applications=random.choice((None, frozenset({"tls"}), frozenset({"http"}))),
            ),
        )
        for _ in range(random.randint(0, 3))
    ]


def flow_at(random: Random, here: Place, name: str) -> tuple[Flow, ClientTest, bool]:
    """A flow to `name`, its client, and whether the client has two identities of a kind."""
    protocol, carries = random.choice(SPOKEN)
    there = [each for each in ADDRESSES if (protocol, ":" in each) not in (("icmp", True), ("icmpv6", False))]
    for test, addresses in here.answers:
        if test.holds(name.lower()):
            there = [each for each in there if addresses.holds(networks([each]), family_of(each))]
    if not there:
        return flow_at(random, here, name)
    address = random.choice(there)
    sources = [each for each in SOURCES if (":" in each) == (":" in address)]
    if here.clients is not None:
        sources = [each for each in sources if here.clients.addresses.holds(networks([each]), family_of(each))]
    port = random.choice(PORTS) if protocol in ("https", "http", "tcp", "quic", "udp", "sctp") else 0
    source = random.choice(sources)
    tags = random.choice(((), (), ("tag:t",), ("tag:u",), ("tag:t", "tag:u")))
    account = random.choice(("account:a", "account:b", "account:nobody"))
    if here.clients is not None and here.clients.identities:
        account = next(iter(here.clients.identities))
    client = ClientTest(addresses=networks([source]), identities=frozenset({account, *(tags or ("tag:nobody",))}))
    return Flow(name, port, protocol, name if carries else None, address, source), client, len(tags) > 1


def family_of(address: str) -> AddressFamily:
    return "IPv6" if ":" in address else "IPv4"


NAT64 = ip_network("64:ff9b::/96")
Kind = tuple[str, str | None, bool, bool]
"""The verdict, the rule that decides, whether a need is for it and whether it is part of one."""


def kind_of_flow(here: Place, wanted: Sequence[Need], flow: Flow, client: ClientTest) -> Kind:
    verdict, _ = ends(here, flow, client)
    carries = flow.protocol in ("https", "http") and flow.sni is not None
    needed = [_needed(need, flow, carries) for need in wanted]
    return (
        verdict.action, verdict.rule, flow.name == flow.name.lower() and any(due for due, _ in needed),
        any(part for _, part in needed),
    )  # fmt: skip


def _needed(need: Need, flow: Flow, carries: bool) -> tuple[bool, bool]:
    wanted, address = need.box, str(flow.address)
    reaches = all(test.holds(flow.name.lower()) for test in wanted.dialled or ()) and flow.number == 6
    reaches = reaches and flow.port in wanted.port
    reaches = reaches and bool(wanted.address.holds(networks([address]), family_of(address)))
    translated = ip_address(address) in NAT64  # whoever has that may go there, and need not
    if wanted.applications is None:
        return reaches and not translated, reaches
    fits = flow.application in wanted.applications
    return reaches and not translated and carries and fits, reaches and (not carries or fits)


def kinds_for(witness: Witness, name: str) -> Kind:
    by = witness.deciding[witness.names.index(name)]
    told = by.rule if by is not None and witness.verdict.action != "unknown" else witness.verdict.rule
    return witness.verdict.action, told, bool(witness.due), bool(witness.part_of)


def flows_that_are_missed(
    extracted: Callable[[Place, Sequence[Need]], Any], places: int = PLACES, flows: int = FLOWS
) -> Iterator[str]:
    """Flows of generated places that are of a kind of which no witness is, and witnesses that are not what they say."""
    for seed in range(places):
        random = Random(seed)
        here, wanted = place(random), needs(random)
        found = extracted(here, wanted).witnesses
        met: dict[str, set[Kind]] = {}
        for each in found:
            for name in each.names:
                met.setdefault(name, set()).add(kinds_for(each, name))
            told = kind_of_flow(here, wanted, each.flow, each.client)
            if told != kinds_for(each, each.flow.name):
                yield f"seed {seed}: the witness {each.flow} of {each.client} is {told}, not what it says"
        whole = {(kind[0], *kind[2:]) for kinds in met.values() for kind in kinds}
        for _ in range(flows):
            name = random.choice((random.choice(list(met) or ["x.example"]), random.choice(NAMES)))
            if any(name.lower() == zone or name.lower().endswith(f".{zone}") for zone in here.own_names):
                continue
            flow, client, several = flow_at(random, here, name)
            told = kind_of_flow(here, wanted, flow, client)
            if several and told[0] == "unknown":
                continue  # of what cannot be told of a client with two tags, a client with one has a part each
            if not (told in met[name] if name in met else (told[0], *told[2:]) in whole):
                yield f"seed {seed}: no witness is like {flow} of {client}: {told}, but {sorted(map(str, met.get(name, ())))}"


NO_FIRST = frozenset(list(Moment)[1:])


def small(*steps: Step, otherwise: Action = "block", moments: bool = False, **more: Any) -> Place:
    end = Step(action=otherwise, rule="", why="the default")
    numbered = tuple(replace(step, rule=f"r{number}") for number, step in enumerate(steps))
    return Place(
        "x:y", "here", (Stage("s", numbered, end, tuple(Moment) if moments else (Moment.NAME_KNOWN,)),), **more
    )


def rule(action: Action, *, moments: frozenset[Moment] = ANY_MOMENT, lasting: bool | None = True, **box: Any) -> Step:
    return Step(action=action, rule="", why="it says so", box=Box(**box), moments=moments, lasting=lasting)


def named(**texts: str) -> Names:
    return tuple(NameTest(kind.replace("_", "-"), text) for kind, text in texts.items())  # type: ignore[arg-type]


HALF, P443 = networks(["203.0.113.0/25"]), Intervals.of([(443, 443)])
CASES: dict[str, tuple[Place, str, set[str]]] = {
    "a step that holds later than one that decides the first packet": (
        small(rule("allow", lasting=False, moments=frozenset({Moment.FIRST_PACKET})),
              rule("block", port=P443, moments=NO_FIRST), otherwise="allow", moments=True),
        "other.test", {"allow", "block"},
    ),
    "a datagram, which is out by its first packet": (
        small(rule("allow", lasting=False, moments=frozenset({Moment.FIRST_PACKET}), protocols=frozenset({6, 17})),
              rule("block", moments=NO_FIRST, protocols=frozenset({6, 17})), moments=True),
        "other.test", {"allow", "block"},
    ),
    "all but what nobody sees": (
        small(rule("allow", address=symbol("pl-1").complement), rule("allow", client=ClientTest(addresses=CLIENTS[0]))),
        "other.test", {"allow", "unknown"},
    ),
    "what nobody sees before what is sure": (
        small(rule("allow", address=symbol("pl-1")), rule("allow", client=ClientTest(addresses=CLIENTS[0]))),
        "other.test", {"allow", "unknown"},
    ),
    "what nobody can tell before what is sure": (
        small(rule("allow", doubts=("it is so",)), rule("allow", address=HALF)), "other.test", {"allow", "unknown"},
    ),
    "letters at the end, and not labels": (small(rule("allow", wire=named(ending="x.example"))), "wx.example", {"allow", "block"}),
    "letters behind a dot": (small(rule("allow", wire=named(ending=".x.example"))), "w.x.example", {"allow", "block"}),
    "letters behind a dot, and not the host": (small(rule("allow", wire=named(ending=".x.example"))), "x.example", {"block"}),
    "two texts of one rule": (
        small(rule("allow", wire=(NameTest("containing", "evil"), NameTest("containing", "bad")))),
        "evil.bad.host.stranger.invalid", {"allow", "block"},
    ),
    "three texts of one rule and an ending": (
        small(rule("allow", wire=(*(NameTest("containing", each) for each in ("evil", "bad", "ugly")), *named(ending=".org")))),
        "evil.bad.ugly.org", {"allow", "block"},
    ),
    "a text with a dot in front": (
        small(rule("allow", wire=named(containing=".cdn-", subtree="x.example"))), "w.cdn-.x.example", {"allow", "block"},
    ),
    "a pattern": (small(rule("allow", wire=named(pattern=r"^e[0-9]+\.example$"))), "e0.example", {"allow", "block"}),
    "a text and how long the name is": (
        small(rule("allow", wire=(NameTest("containing", "quay.io"), NameTest("pattern", r"\A(?s:.){7}\Z")))),
        "quay.io", {"allow", "block"},
    ),
    "a text, an ending and a longer name": (
        small(rule("allow", wire=(*named(containing="cdn", ending=".org"), NameTest("pattern", r"\A(?s:.){19,25}\Z")))),
        f"cdn.{'w' * 11}.org", {"allow", "block"},
    ),
    "letters of either case": (
        small(rule("block", wire=(NameTest("exact", "x.example", case=True),)), rule("allow", wire=named(subtree="example"))),
        "X.EXAMPLE", {"allow", "block"},
    ),
    "a rule about the letters of the name that nobody means": (
        small(rule("block", wire=named(containing="s"), nameless=True), otherwise="allow"), "k7.q9.zz", {"allow", "block"},
    ),
    "what a name resolves to at the place": (
        small(rule("allow", address=HALF), answers=((NameTest("subtree+apex", "y.example"), HALF),)), "y.example", {"allow"},
    ),
    "a name that may resolve to anything": (
        small(rule("allow", address=HALF), answers=((NameTest("exact", "y.example"), networks([])),)), "y.example",
        {"allow", "block"},
    ),
    "a name beside one that is never asked of the internet": (
        small(rule("allow", dialled=named(exact="a.own.test")), rule("allow", dialled=named(exact="x.example")),
              own_names=("own.test",)),
        "x.example", {"allow"},
    ),
    "clients of whom no rule asks": (
        small(otherwise="allow", clients=ClientTest(identities=frozenset({"account:z"}))), "other.test", {"allow"},
    ),
    "clients whose addresses nobody sees": (
        small(rule("allow", client=ClientTest(addresses=symbol("net"))), clients=ClientTest(addresses=symbol("net"))),
        "other.test", {"unknown"},
    ),
    "a protocol with ports that no rule names": (
        small(rule("block", protocols=frozenset({6, 17})), rule("allow", port=P443)), "other.test", {"allow", "block"},
    ),
    "a port that nobody uses": (small(rule("block", port=Intervals.of([(1, 65_535)])), otherwise="allow"), "other.test",
                                {"allow", "block"}),
}  # fmt: skip
"""Places, a name, and how flows to it end there."""


def cases_that_are_wrong(extracted: Callable[[Place, Sequence[Need]], Any]) -> Iterator[str]:
    for what, (here, name, actions) in CASES.items():
        those = [each for each in extracted(here, []).witnesses if name in each.names]
        those = those or [each for each in extracted(here, []).witnesses if "host.stranger.invalid" in each.names]
        if {each.verdict.action for each in those} != actions:
            yield what


def test_each_kind_of_difference_is_seen() -> None:
    assert list(cases_that_are_wrong(extract)) == []


def test_a_pattern_of_which_no_example_is_found_is_told() -> None:
    step = rule("allow", wire=named(pattern=r"(?=evil)[a-z]+"))
    assert [text for _, text in extract(small(step), []).unread] == ["a name like '(?=evil)[a-z]+'"]
    assert extract(small(step, rule("allow", wire=named(exact="evil.example"))), []).unread == ()


def test_what_is_not_looked_at_to_the_end_is_told_with_its_rules() -> None:
    rules = [
        rule("allow", port=Intervals.of([(n, n)]), client=ClientTest(identities=frozenset({f"tag:{n}"})))
        for n in range(9)
    ]
    assert extract(small(*rules), [], most=20).overlapping == tuple(f"r{number}" for number in range(9))
    assert extract(small(*rules), []).overlapping == ()


def test_more_combinations_of_identities_than_are_looked_at_are_told() -> None:
    def tagged(stage: str) -> tuple[Step, ...]:
        return tuple(
            replace(rule("next", client=ClientTest(identities=frozenset({f"tag:{stage}{n}"}))), rule=f"{stage}{n}")
            for n in range(40)
        )

    end = Step(action="next", rule="", why="the default")
    stages = [Stage(stage, tagged(stage), end) for stage in "abc"]
    last = Stage("last", (), replace(end, action="allow"))
    assert extract(Place("x:y", "here", (*stages, last)), [], most=100).overlapping != ()


def test_endings_that_are_alike_stand_for_each_other_where_there_are_many_texts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(name_classes, "MOST_FRONTED", 0)
    assert list(cases_that_are_wrong(extract)) == []
    hosts = [rule("allow", wire=named(subtree=f"h{number}.example")) for number in range(5)]
    found = extract(small(rule("block", wire=named(containing="evil")), *hosts), []).witnesses
    assert len({name for each in found for name in each.names if "evil" in name}) < 2 * 4 * 2


def test_whatever_flow_is_tried_a_witness_is_like_it() -> None:
    assert next(flows_that_are_missed(extract), None) is None


MUTANTS = {
    "one dimension at a time": (
        "(*cell, what))\n",
        "(*cell, what)) if sum(each != rows.rows[0][2] for each, rows in zip((*cell, what), dimensions)) < 2 else ()\n",
    ),
    "two dimensions at a time": (
        "(*cell, what))\n",
        "(*cell, what)) if sum(each != rows.rows[0][2] for each, rows in zip((*cell, what), dimensions)) < 3 else ()\n",
    ),
    "pruning ignores doubts": ("elif holds & low and step.box.is_told:", "elif holds & low:"),
    "pruning ignores moments": ("if decided and step.moments <= decided:", "if decided:"),
    "pruning ignores what holds only perhaps": ("        holds = sure\n", "        holds = can\n"),
    "sets that are taken out are known": ("bool(each.without) << bit", "False << bit"),
    "sets that nobody sees are empty": ("bool(each.symbols) << bit", "False << bit"),
    "names glued to a host are left out": ("in atoms.plain(end)]", "in atoms.plain(end)[:3]]"),
    "texts in front are left out": ("            if every or alike not in fronted:", "            if False:"),
    "nobody has an identity": ("[None, *each.values()]", "[None]"),
    "every client has an identity": ("[None, *each.values()]", "[*each.values()]"),
    "a datagram is like a connection": (", each.number == 6): each", ", True): each"),
    "names are alike whatever they resolve to": ("            self.answers(lower),\n", ""),
    "packets without a name are like others": ("part.named if spoken.carries else part.silent", "part.named"),
}
"""Ways to extract less than there is; with each, what of the module it changes."""


def mutant(old: str, new: str) -> ModuleType:
    """`witnesses` as it is where a part of its text is another, or of that of the classes of names."""
    sources = {
        each.__name__: Path(str(each.__file__)).read_text(encoding="utf-8") for each in (name_classes, witnesses)
    }
    found = [name for name, source in sources.items() if source.count(old) == 1]
    assert len(found) == 1, f"{old!r} is in {found}: bring the mutant up to date"
    made = ModuleType("none")
    for name, source in sources.items():
        text = source.replace(old, new) if name in found else source
        text = text.replace("from hostgate.flows.name_classes import", "from mutant_of_name_classes import")
        made = ModuleType(f"mutant_of_{name.rpartition('.')[2]}")
        sys.modules[made.__name__] = made  # dataclasses look their module up
        exec(compile(text, made.__name__, "exec"), made.__dict__)
    return made


@pytest.mark.parametrize("what", MUTANTS)
def test_who_extracts_less_is_found_out(what: str) -> None:
    extracted = mutant(*MUTANTS[what]).extract
    found = next(cases_that_are_wrong(extracted), None) or next(flows_that_are_missed(extracted), None)
    assert found is not None
