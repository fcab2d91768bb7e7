"""An allowlist of AWS with a rule beside it that is narrow in one to five dimensions, behind drops that hide a part of it: what
Suricata lets out of a small universe of connections is beyond, and nothing else is."""

from collections.abc import Iterator, Sequence
from itertools import combinations, product
from pathlib import Path
from random import Random

import pytest

from dataplane.aws import packets
from dataplane.aws.differential import Client, RuleSet, foreign_set
from dataplane.aws.hellos import forged_hello
from dataplane.aws.packets import Talk
from dataplane.aws.test_reach import LONG, NEEDS
from flows.test_witnesses import MUTANTS, mutant
from hostgate.flows import reach as reach_module
from hostgate.flows.flow import Flow
from hostgate.flows.reach import Reach, reach

EACH = 300 if LONG else 4
"""Widenings in each number of dimensions."""

DIMENSIONS = ("name", "address", "port", "protocol", "client")
HOST, EVIL = "cgr.dev", "evil.example"
RANGE, HALF = "198.51.100.0/24", "198.51.100.0/25"
CLIENTS, SOME = "10.20.30.0/24", "10.20.30.0/25"
DEFAULT = ("aws:drop_established_app_layer_to_server",)

OWN = (
    f'pass tls $HOME_NET any -> any 443 (flow:to_server; ssl_state:client_hello; tls.sni; content:"{HOST}"; startswith; '
    "endswith; nocase; sid:1; rev:1;)"
)
ENDS = (
    "drop udp any any -> any any (flow:to_server; sid:901; rev:1;)",
    "drop icmp any any -> any any (flow:to_server; sid:902; rev:1;)",
    "drop ip any any -> any any (ip_proto:!6; ip_proto:!17; ip_proto:!1; ip_proto:!58; flow:to_server; sid:903; rev:1;)",
)


def universe() -> Iterator[Client]:
    for name, address, port, source in product(
        (HOST, EVIL), ("203.0.113.9", "198.51.100.9", "198.51.100.200"), (443, 8443), ("10.0.0.5", "10.20.30.7", "10.20.30.200")
    ):  # fmt: skip
        told = packets.tls(forged_hello([name]))
        yield Client(Flow(name, port, "https", name, address, source), Talk("tcp", told, port, source, address))
        yield Client(
            Flow(name, port, "http", name, address, source), Talk("tcp", packets.http(name), port, source, address)
        )
        if name == EVIL:
            yield Client(
                Flow(name, port, "tcp", None, address, source), Talk("tcp", packets.raw(), port, source, address)
            )
            alone = packets.alone(b"\x00\x01")
            yield Client(Flow(name, port, "udp", None, address, source), Talk("udp", alone, port, source, address))


UNIVERSE = tuple(universe())


def rule(action: str, narrowed: Sequence[str], sid: int, *, part: bool = False) -> str:
    """A rule that is narrow in those dimensions; of a `part`, narrower there than the widening."""
    layer = (
        ("tls" if "protocol" in narrowed else "http")
        if "name" in narrowed
        else "tcp"
        if "protocol" in narrowed
        else "ip"
    )
    layer = "tcp" if "port" in narrowed and layer == "ip" else layer
    buffer = "tls.sni" if layer == "tls" else "http.host"
    name = f'{buffer}; content:"{EVIL}"; startswith; endswith; ' if "name" in narrowed else ""
    source = (SOME if part else CLIENTS) if "client" in narrowed else "any"
    there = (HALF if part else RANGE) if "address" in narrowed else "any"
    port = "8443" if "port" in narrowed else "any"
    flow = "flow:to_server; " if layer != "ip" else ""
    return f"{action} {layer} {source} any -> {there} {port} ({flow}{name}sid:{sid}; rev:1;)"


def widened(random: Random, narrowed: Sequence[str]) -> RuleSet:
    """In strict order: in half of them a drop of a part or of all of it comes before."""
    blocks = []
    if random.random() < 0.5:
        chosen = random.sample(DIMENSIONS, random.choice((1, 2, 3)))
        blocks = [rule("drop", chosen, 50, part=True)]
    return foreign_set([OWN, *blocks, rule("pass", narrowed, 100), *ENDS], "strict", DEFAULT)


def stacks(k: int, count: int) -> Iterator[tuple[int, RuleSet]]:
    choices = list(combinations(DIMENSIONS, k))
    for seed in range(count):
        random = Random(seed * 10 + k)
        yield seed, widened(random, random.choice(choices))


def disagreements(rules: RuleSet, found: Reach, folder: Path) -> Iterator[str]:
    fates = rules.replay([each.talk for each in UNIVERSE], folder)
    pairs = [(each.flow, fate) for each, fate in zip(UNIVERSE, fates, strict=True)]
    needed = [
        (flow, fate) for flow, fate in pairs if flow.name == HOST and flow.port == 443 and flow.protocol == "https"
    ]
    out = [flow for flow, fate in pairs if fate == "allow" and (flow, fate) not in needed]
    by = {each.rule for each in found.beyond}
    if out and "g#100" not in by:
        yield f"{out[0]} gets out, and beyond are {by}"
    if not out and by and None not in fates:
        yield f"{by} are beyond, and nothing gets out"
    closed = [flow for flow, fate in needed if fate == "block"]
    if len(closed) == len(needed) and not found.missing:
        yield f"{closed[0]} is stopped, and nothing is missing"


@pytest.mark.usefixtures("suricata")
@pytest.mark.parametrize("k", range(1, 6))
def test_what_suricata_lets_out_is_beyond_and_nothing_else(k: int, tmp_path: Path) -> None:
    opened = 0
    for seed, rules in stacks(k, EACH):
        found = reach(rules.place, NEEDS)
        opened += bool(found.beyond)
        wrong = next(disagreements(rules, found, tmp_path / str(seed)), None)
        assert wrong is None, f"seed {seed}, {k} dimensions: {wrong}\n{rules.rules.rules}"
    assert opened > EACH // 3


@pytest.mark.usefixtures("suricata")
def test_who_varies_one_dimension_at_a_time_misses_what_is_narrow_in_several(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(reach_module, "extract", mutant(*MUTANTS["one dimension at a time"]).extract)
    missed = 0
    for seed, rules in stacks(4, 8):
        missed += next(disagreements(rules, reach(rules.place, NEEDS), tmp_path / str(seed)), None) is not None
    assert missed > 0


HARMLESS = (
    "alert ip any any -> any any (sid:{};)",
    f'drop tls any any -> any any (flow:to_server; tls.sni; content:"{EVIL}"; endswith; sid:{{}};)',
    f'pass tls any any -> any 443 (flow:to_server; tls.sni; content:"{HOST.upper()}"; startswith; endswith; nocase; sid:{{}};)',
    "pass ip 10.0.0.0/8 any -> 10.0.0.0/8 any (sid:{};)",
    "drop udp $HOME_NET any -> any 53 (flow:to_server; sid:{};)",
    "drop http any any -> any any (flow:to_server; sid:{};)",
    "pass tls 192.168.0.0/16 any -> any any (flow:to_server; sid:{};)",
)
"""What opens and closes nothing for whoever is in HOME_NET."""


def test_a_change_that_opens_and_closes_nothing_reports_nothing() -> None:
    for seed in range(500 if LONG else 12):
        random = Random(seed)
        rules = [OWN]
        for at, text in enumerate(random.sample(HARMLESS, random.choice((1, 2, 3)))):
            rules.insert(random.randrange(len(rules) + 1), text.format(200 + at))
        found = reach(foreign_set([*rules, *ENDS], "strict", DEFAULT).place, NEEDS)
        assert (found.beyond, found.missing, found.unknown) == ((), (), ()), f"seed {seed}: {rules}"
