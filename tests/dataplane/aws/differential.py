"""Rule sets and flows made at random: what the evaluation says of each pair beside what Suricata does.

A set is a firewall policy with one rule group, in action order (the engine's own) or in strict order (emulated in
stages, see `dataplane.aws.stages`), with rules that people write, rules that hostgate writes, or both. Run as
`python -m dataplane.aws.differential SEED SETS` from `tests`; `make differential` does.

What the engine is said to do with a flow:

- `block`: it drops a packet of the handshake, or something that the client said;
- `allow`: every packet gets through;
- `odd`: it drops something, and nothing that the client said: the client's first data is out and no answer comes back.
  Whether that is blocked or allowed nobody has defined, so the evaluation may only say `unknown`;
- nothing at all where the emulation of strict order is not exact: the stages cannot tell a later pass, that let the
  connection through before a packet that an earlier rule drops.
"""

import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any, Final, Literal

import hostgate
from dataplane.aws import flows as proof
from dataplane.aws import packets
from dataplane.aws.hellos import forged_hello
from dataplane.aws.packets import Said, Talk, Transport
from dataplane.aws.policy_default import FIRST_SID
from dataplane.aws.policy_default import rules as default_rules
from dataplane.aws.replay import Heard, SuricataError, replay
from dataplane.aws.stages import Ordered, ordered
from hostgate.aws.evaluate import POLICY, RULE_GROUP, places
from hostgate.aws.resources import snapshot_of
from hostgate.flows.flow import Flow
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.steps import Place
from hostgate.flows.verdicts import decide

Origin = Literal["own", "foreign", "beside"]
Order = Literal["action", "strict"]
Fate = Literal["allow", "block", "odd"]

HOME_NET: Final = ("10.0.0.0/8", "2600:1f18::/32")
SETS: Final = {
    "SERVERS": ("198.51.100.0/24", "2001:db8::/32"),
    "CLIENTS": ("10.1.0.0/16", "!10.1.9.0/24", "2600:1f18::/48"),
}
PORTS: Final = {"WEB": ("80", "443", "8000:8100")}
NAMES: Final = ("cgr.dev", "sub.cgr.dev", "a.b.cgr.dev", "notcgr.dev", "cgr.dev.evil.example", "evil.example",
                "CGR.dev", "Quay.IO", "suB.cgr.dev", "quay.io", "acct.r2.cloudflarestorage.com")  # fmt: skip
OPTIONS: Final[tuple[tuple[str, Mapping[str, Any]], ...]] = (
    ("aws:rules", {}),
    ("aws:rules", {"from": ["10.1.0.0/16", "192.168.7.0/24"]}),
    ("aws:rules", {"logAllowed": True}),
    ("aws:rules", {"mode": "audit"}),
    ("aws:rules", {"deny": "none"}),
    ("aws:rules", {"deny": "internet", "homeNet": ["10.0.0.0/8", "2600:1f18::/32"]}),
    ("aws:rules", {"deny": "all", "homeNet": ["10.0.0.0/8", "fc00::/7"]}),
    ("aws:rules", {"reject": True}),
    ("aws:domain-list", {}),
    ("aws:domain-list", {"deny": "none"}),
    ("aws:domain-list", {"deny": "all", "reject": True}),
    ("aws:domain-list", {"mode": "audit"}),
)
"""Every option that changes a rule's text; `declared` refers to groups for a policy of somebody else, and writes none."""


@dataclass(frozen=True, slots=True)
class Client:
    """A flow, and the packets that it is."""

    flow: Flow
    talk: Talk


@dataclass(frozen=True)
class RuleSet:
    """A policy as the engine gets it and as the evaluation reads it."""

    origin: Origin
    order: Order
    rules: Ordered
    snapshot: Snapshot

    @cached_property
    def place(self) -> Place:
        (found,) = places(self.snapshot)
        return found

    @property
    def interleaved(self) -> bool:
        """Whether a drop stands between passes, or a pass between drops."""
        kinds = [rule.partition(" ")[0] == "pass" for rule in self.rules.rules if not rule.startswith("alert ")]
        return sum(one != other for one, other in pairwise(kinds)) >= 2

    def replay(self, talks: Sequence[Talk], folder: Path) -> list[Fate | None]:
        if self.order == "action":
            heard = replay(talks, self.rules.rules, self.rules.home_net, folder, sets=self.rules.sets + settings())
            return [fate(each, talk) for each, talk in zip(heard, talks, strict=True)]
        loud = replace(self.rules, rules=tuple(_loud(rule) for rule in self.rules.rules))
        places_ = {_sid(rule): at for at, rule in enumerate(loud.rules)}
        judged: list[Heard] = []
        doubtful: set[int] = set()
        for number, stage in enumerate(loud.stages()):
            found = replay(talks, stage, loud.home_net, folder / f"stage-{number}", sets=self.rules.sets + settings())
            if any(map(_passes_unheard, stage)):
                doubtful.update(at for at, each in enumerate(judged) if each.dropped and not found[at].dropped)
            judged = [one.joined(other) for one, other in zip(judged, found, strict=True)] if judged else found
        return [
            fate(each, talk) if at not in doubtful and _is_exact(each, places_) else None
            for at, (each, talk) in enumerate(zip(judged, talks, strict=True))
        ]


def fate(heard: Heard, talk: Talk) -> Fate:
    if talk.transport == "tcp" and not heard.opened:
        return "block"
    lost = [heard.packets[at] for at in heard.dropped]
    if not lost:
        return "allow"
    return "block" if any(packet.by == "client" and packet.payload for packet in lost) else "odd"


def _sid(rule: str) -> int:
    found = re.search(r"sid:(\d+);", rule)
    assert found is not None, rule
    return int(found[1])


def _loud(rule: str) -> str:
    """The rule so that a pass tells at which packet it spoke."""
    return re.sub(r"( sid:\d+;)", r" alert;\1", rule) if rule.startswith("pass ") and " alert;" not in rule else rule


def _passes_unheard(rule: str) -> bool:
    """A pass of addresses alone does not tell at which packet it spoke (seen on 7.0.10)."""
    return re.match(r"pass (ip|ipv4|ipv6|icmp|icmpv6) ", rule) is not None


def _is_exact(heard: Heard, at: Mapping[int, int]) -> bool:
    """Whether no pass spoke before a packet was dropped by a rule that stands above that pass."""
    drops = [(packet, at[sid]) for sid, packet in heard.spoke if sid in heard.drop_sids]
    passes = [(packet, at[sid]) for sid, packet in heard.spoke if sid in heard.alert_sids - heard.drop_sids]
    return not any(early < late and below > above for late, above in drops for early, below in passes)


def settings() -> str:
    """The group's variables, in the engine's configuration."""
    addresses = "".join(f'    {name}: "[{",".join(items)}]"\n' for name, items in SETS.items())
    ports = "".join(f'    {name}: "[{",".join(items)}]"\n' for name, items in PORTS.items())
    return f"{addresses}  port-groups:\n{ports}"


# Clients


def clients(random: Random, count: int) -> list[Client]:
    return [_client(random) for _ in range(count)]


_KINDS: Final = ("https", "https", "https", "https", "http", "http", "tcp", "ssh", "udp", "udp", "quic", "icmp", "gre",
                 "esp")  # fmt: skip


def _client(random: Random) -> Client:
    kind = random.choice(_KINDS)
    v6 = random.random() < 0.35
    if v6:
        source = random.choice(["2600:1f18::5", "2600:1f18::5", "2600:1f18:1::7", "2001:db8:1::5"])
        address = random.choice(["2001:db8::7", "2a00:1450::9", "2600:1f18::99"])
    else:
        source = random.choice(["10.1.2.3", "10.1.2.3", "10.1.9.9", "11.0.0.1"])
        address = random.choice(["198.51.100.7", "8.8.8.8", "10.9.9.9", "203.0.113.5"])
    port, name = random.choice([443, 443, 443, 80, 8443, 22, 53]), random.choice(NAMES)
    sni = None if random.random() < 0.1 and kind in ("https", "http") else name
    transport: Transport
    said: tuple[Said, ...]
    match kind:
        case "https":
            transport, said = "tcp", packets.tls(forged_hello([sni])) if sni else packets.named(None)
        case "http":
            transport, said = "tcp", packets.http(sni)
        case "tcp" | "ssh":
            transport, said, kind = "tcp", packets.ssh() if kind == "ssh" else packets.raw(), "tcp"
        case "udp":
            transport, said = "udp", packets.alone(b"\x00\x01")
        case "quic":
            transport, said = "udp", packets.quic()
        case _:
            number = {"gre": 47, "esp": 50}.get(kind, 58 if v6 else 1)
            transport = "icmp" if kind == "icmp" else "other"
            flow = Flow(name, 0, str(number), sni, address, source)
            return Client(flow, Talk(transport, packets.alone(), 0, source, address, protocol=number))
    return Client(Flow(name, port, kind, sni, address, source), Talk(transport, said, port, source, address))  # type: ignore[arg-type]


# Rules that people write


def _address(random: Random) -> str:
    return random.choice(
        ["any", "any", "any", "any", "$HOME_NET", "$HOME_NET", "$EXTERNAL_NET", "$EXTERNAL_NET", "!$HOME_NET",
         "$SERVERS", "!$SERVERS", "$CLIENTS", "!$CLIENTS", "[$CLIENTS,!10.1.2.0/24]", "10.0.0.0/8",
         "[10.0.0.0/8, 192.168.0.0/16]", "!10.0.0.0/8", "198.51.100.0/24", "[198.51.100.0/24,8.8.8.8,2001:db8::/32]",
         "2001:db8::/32", "[10.0.0.0/8,!10.9.0.0/16]", "!2001:db8::/32", "[!10.0.0.0/8,!198.51.100.0/24]",
         "0.0.0.0/0", "::/0", "[0.0.0.0/0,::/0]", "10.0.0.1-10.9.255.255", "[!8.8.8.8,10.0.0.0/8]",
         "[$HOME_NET,!10.1.0.0/16]", "!$EXTERNAL_NET"]
    )  # fmt: skip


def _port(random: Random) -> str:
    return random.choice(
        ["any", "any", "any", "any", "443", "443", "[80,443]", "!443", "1:1023", "[400:500,!443]", "8443", "![80,443]",
         "$WEB", "!$WEB", ":1024", "1024:"]
    )  # fmt: skip


def _name(random: Random, layer: str) -> str:
    case = "; nocase" if layer == "tls" and random.random() < 0.7 else ""
    host = random.choice(["cgr.dev", "quay.io", "sub.cgr.dev", "r2.cloudflarestorage.com", "CGR.dev", "Quay.io"])
    host = host if layer == "tls" else host.lower()  # the engine says of capitals on http.host that they match nothing
    escaped = host.replace(".", r"\.")
    form = random.choice(
        [f'content:"{host}"; startswith; endswith{case}', f'content:".{host}"; endswith{case}',
         f'dotprefix; content:".{host}"; endswith{case}', f'content:"{host}"{case}', f'content:"{host}"; endswith{case}',
         f'content:"{host}"; startswith{case}', f'pcre:"/^([a-z]+\\.)?{escaped}$/{"i" if case else ""}"',
         f'pcre:"/(^|\\.){escaped}$/"', f'content:!"{host}"; endswith', f'bsize:{len(host)}; content:"{host}"{case}',
         f'content:"{host}"{case}; content:"."', f'content:"{host}"; depth:{len(host)}{case}',
         f'content:"{host}"; isdataat:!1,relative{case}', f"bsize:>{random.choice([0, 7, 10])}"]
    )  # fmt: skip
    return f"{'tls.sni' if layer == 'tls' else 'http.host'}; {form}; "


_CONDITIONS: Final[Mapping[str, Sequence[str]]] = {
    "tcp": ("", "", "flow:established; ", "flow:to_server,established; ", "app-layer-protocol:tls; ",
            "app-layer-protocol:!tls; ", "app-layer-protocol:http; ", "flow:to_server; ", "flow:not_established; ",
            "flow:to_server,established; app-layer-protocol:!tls; app-layer-protocol:!http; ", "flow:to_client; "),
    "ip": ("", "", "ip_proto:6; ", "ip_proto:!6; ", "ip_proto:47; ", "ip_proto:!6; ip_proto:!17; ", "ip_proto:>40; ",
           "flow:to_server; "),
    "ipv4": ("",), "ipv6": ("", "ip_proto:6; "), "icmp": ("",), "icmpv6": ("",),
    "udp": ("", "", "flow:to_server; ", "flow:established; ", "app-layer-protocol:!quic; "), "quic": ("",),
}  # fmt: skip


def foreign_rule(random: Random, sid: int) -> str:
    action = random.choice(["pass"] * 6 + ["drop"] * 6 + ["reject", "alert"])
    kind = random.choice(["tls"] * 4 + ["http"] * 2 + ["tcp"] * 3 + ["ip", "ip", "udp", "icmp", "ipv4", "ipv6", "icmpv6",
                                                                    "quic"])  # fmt: skip
    action = "drop" if action == "reject" and kind not in ("tls", "http", "tcp") else action
    if kind in ("tls", "http"):
        options = random.choice(["", "", "flow:to_server; ", "flow:to_server,established; ", "flow:established; "])
        options += "ssl_state:client_hello; " if kind == "tls" and random.random() < 0.3 else ""
        options += _name(random, kind) if random.random() < 0.85 else ""
    else:
        options = random.choice(_CONDITIONS[kind])
    port = _port(random) if kind in ("tls", "http", "tcp", "udp") else "any"
    way = random.choice(["->"] * 9 + ["<>"])
    return f"{action} {kind} {_address(random)} any {way} {_address(random)} {port} ({options}sid:{sid}; rev:1;)"


_STOPS: Final = (
    "drop tls $HOME_NET any -> any any (ssl_state:client_hello; ",
    "drop tcp $HOME_NET any -> any any (flow:to_server,established; ",
    "drop tcp any any -> any any (flow:established; ",
    "drop tcp any any -> any any (flow:to_server,established; app-layer-protocol:!tls; app-layer-protocol:!http; ",
    "drop http any any -> any any (",
    "drop tls any any -> any any (",
    "drop udp any any -> any any (",
    "drop ip $HOME_NET any -> $EXTERNAL_NET any (",
    "drop ip any any -> any any (ip_proto:!6; ",
    "drop ip any any -> any any (",
    "reject tcp $HOME_NET any -> any !443 (",
)
_DEFAULTS: Final[tuple[tuple[str, ...], ...]] = (
    (), (), ("aws:drop_established",), ("aws:drop_established_app_layer_to_server",),
    ("aws:drop_established_app_layer_to_server", "aws:alert_established_app_layer_to_server"),
    ("aws:drop_strict",), ("aws:alert_strict",),
)  # fmt: skip


# Sets


def rule_sets(random: Random) -> Iterator[RuleSet]:
    """Sets without end: of five, one is a plan's, one a plan's rules among others, three are others'."""
    while True:
        roll = random.random()
        if roll < 0.2:
            yield _own(random)
        else:
            yield _foreign(random, beside=roll < 0.35)


def _plan_objects(random: Random) -> Any:
    target, options = random.choice(OPTIONS)
    listed = target == "aws:domain-list"
    accept = [
        hostgate.Acceptance(finding="apex-included", entry=entry, because="") for entry in ("storage", "snapshots")
    ]
    without = ["mirrors", "builds"] if listed else []
    without += random.sample(["cdn", "api", "books", "longest", "packages-alternative", "pool", "queue"], 4)
    hosts = hostgate.select(
        "catalog.yaml", base=Path(__file__).parent, without=without, accept=accept if listed else []
    )
    return hostgate.plan(hosts, target, options).objects


def _own(random: Random) -> RuleSet:
    objects = _plan_objects(random)
    return RuleSet("own", "strict", ordered(objects), snapshot_of(objects))


def _foreign(random: Random, *, beside: bool) -> RuleSet:
    rules = [foreign_rule(random, sid) for sid in range(1, random.randrange(3, 9))]
    if beside:
        own = [rule for rule in ordered(_plan_objects(random)).rules if _sid(rule) < FIRST_SID]
        for rule in random.sample(own, min(len(own), 6)):
            rules.insert(random.randrange(len(rules) + 1), rule)
    if random.random() < 0.6:
        rules.append(f"{random.choice(_STOPS)}sid:900; rev:1;)")
    order: Order = "strict" if random.random() < 0.4 else "action"
    defaults = random.choice(_DEFAULTS) if order == "strict" else ()
    return foreign_set(rules, order, defaults, "beside" if beside else "foreign")


def foreign_set(
    rules: Sequence[str], order: Order, defaults: Sequence[str] = (), origin: Origin = "foreign"
) -> RuleSet:
    home = {"key": "HOME_NET", "ipSet": {"definitions": list(HOME_NET)}}
    sets = [{"key": key, "ipSet": {"definitions": list(items)}} for key, items in SETS.items()]
    ports = [{"key": key, "portSet": {"definitions": list(items)}} for key, items in PORTS.items()]
    group = Resource(
        urn="urn:group", type=RULE_GROUP, name="g",
        properties={
            "arn": "arn:g", "type": "STATEFUL",
            "ruleGroup": {"rulesSource": {"rulesString": "\n".join(rules)},
                          "ruleVariables": {"ipSets": sets, "portSets": ports}},
        },
    )  # fmt: skip
    policy = Resource(
        urn="urn:policy", type=POLICY, name="p",
        properties={
            "firewallPolicy": {
                "statelessDefaultActions": ["aws:forward_to_sfe"],
                "statefulDefaultActions": list(defaults),
                "statefulEngineOptions": {"ruleOrder": "STRICT_ORDER" if order == "strict" else "DEFAULT_ACTION_ORDER"},
                "statefulRuleGroupReferences": [{"resourceArn": "arn:g", "priority": 1}],
                "policyVariables": {"ruleVariables": [home]},
            }
        },
    )  # fmt: skip
    whole = (*rules, *(default_rules(defaults) if defaults else ()))
    return RuleSet(origin, order, Ordered(whole, HOME_NET, {}), Snapshot((policy, group), "made"))


# Comparing


@dataclass(frozen=True, slots=True)
class Disagreement:
    rules: RuleSet
    client: Client
    engine: Fate
    verdict: str

    def __str__(self) -> str:
        head = f"{self.client.flow}: Suricata {self.engine}, the evaluation {self.verdict} ({self.rules.order} order)"
        return "\n    ".join([head, *self.rules.rules.rules])


class Figures:
    """What many pairs came to."""

    def __init__(self) -> None:
        self.sets: Counter[str] = Counter()
        self.pairs: Counter[str] = Counter()
        self.unknown: Counter[str] = Counter()
        self.fates: Counter[str] = Counter()
        self.refused: list[str] = []
        self.disagreements: list[Disagreement] = []

    def add(self, rules: RuleSet, found: Sequence[Client], folder: Path) -> None:
        try:
            fates = rules.replay([client.talk for client in found], folder)
        except SuricataError as error:
            self.refused.append(str(error).splitlines()[0])
            return
        self.sets.update(["all", rules.origin, rules.order, *(["interleaved"] if rules.interleaved else [])])
        for client, engine in zip(found, fates, strict=True):
            if engine is None:
                self.fates["not emulated"] += 1
                continue
            verdict = decide(rules.place, client.flow)
            self.fates[engine] += 1
            self.pairs.update(["all", rules.origin, rules.order])
            if verdict.action == "unknown":
                self.unknown[rules.origin] += 1
            elif verdict.action != engine:
                said = f"{verdict.action} by {verdict.rule}: {verdict.why}"
                self.disagreements.append(Disagreement(rules, client, engine, said))

    def share(self, fate: str) -> float:
        return self.fates[fate] / max(self.pairs["all"], 1)

    def share_unknown(self, origin: Origin) -> float:
        return self.unknown[origin] / max(self.pairs[origin], 1)

    def __str__(self) -> str:
        lines = [f"{self.sets['all']} rule sets: {dict(self.sets)}; {len(self.refused)} more refused by Suricata",
                 f"{self.pairs['all']} pairs: {dict(self.pairs)}; {dict(self.fates)}",
                 f"unknown: {dict(self.unknown)}", f"disagreements: {len(self.disagreements)}"]  # fmt: skip
        return "\n".join(lines)


def compare(seed: int, sets: int, folder: Path, flows_each: int = 14) -> Figures:
    random, figures = Random(seed), Figures()
    made = rule_sets(random)
    cases = proof.cases()
    for _ in range(sets):
        rules = next(made)
        found = clients(random, flows_each)
        if rules.origin == "own":  # its cases hold hellos in several packets, which rules of others drop unread
            found[: flows_each // 2] = [Client(case.flow, case.talk) for case in random.sample(cases, flows_each // 2)]
            found = [replace_addresses(client) for client in found]
        figures.add(rules, found, folder)
    return figures


def replace_addresses(client: Client) -> Client:
    """The flow with the addresses that its packets have, where it names none."""
    flow = client.flow
    if flow.address is not None and flow.source is not None:
        return client
    return Client(replace(flow, address=client.talk.destination, source=client.talk.source), client.talk)


def shortfalls(figures: Figures) -> Iterator[str]:
    """What of the figures is not as it has to be."""
    if figures.disagreements:
        yield f"{len(figures.disagreements)} disagreements"
    if figures.unknown["own"]:
        yield f"{figures.unknown['own']} unknown on rules that hostgate writes"
    if figures.share_unknown("foreign") >= 0.05:
        yield f"{figures.share_unknown('foreign'):.1%} unknown on foreign rules; under 5 % wanted"
    if figures.sets["interleaved"] < 0.4 * figures.sets["all"]:
        yield f"{figures.sets['interleaved']} sets with pass and drop interleaved; 40 % wanted"
    if figures.share("allow") < 0.3 or figures.share("block") < 0.25:
        yield f"{figures.share('allow'):.0%} allowed and {figures.share('block'):.0%} blocked; 30 % and 25 % wanted"


def main() -> int:
    seed, sets = int(sys.argv[1]), int(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        figures = compare(seed, sets, Path(folder))
    missed = list(shortfalls(figures))
    found = map(str, figures.disagreements[:12])
    sys.stdout.write("\n".join([*found, *dict.fromkeys(figures.refused), str(figures), *missed, ""]))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
