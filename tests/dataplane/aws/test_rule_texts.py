"""Suricata accepts every rule that hostgate writes: for all shipped revisions, and for rule sets made at random."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from re import sub

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import hostgate
from dataplane.aws.replay import accept
from dataplane.aws.stages import rule_texts
from hostgate.catalog.model import MATCHES, PROTOCOLS, Entry
from hostgate.catalog.references import resolve
from hostgate.catalog.selection import Acceptance, Selection
from hostgate.planning.plan import draft

HOME_NET = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"]
OPTIONS: tuple[Mapping[str, object], ...] = (
    {},
    {"logAllowed": True, "from": ["10.1.0.0/16", "192.168.7.0/24"]},
    {"mode": "audit"},
    {"deny": "all", "homeNet": HOME_NET},
    {"homeNet": ["10.0.0.0/8", "172.16.0.0/12", "8.0.0.0/8"]},
    {"deny": "none"},
    {"reject": True},
)
GOLDEN = Path(__file__).parents[2] / "golden" / "files"
CATALOG = "chainguard/images"
REVISIONS = [str(each.id) for each in resolve(f"{CATALOG}@latest", None).catalog.revisions]


def renumbered(rules: Iterable[str]) -> list[str]:
    """Rules of many plans as one set: equal ones once, and new signature ids, because plans share them."""
    texts = dict.fromkeys(sub(r"; sid:\d+;", "; sid:0;", rule) for rule in rules)
    return [rule.replace("; sid:0;", f"; sid:{number};") for number, rule in enumerate(texts, start=1)]


def of_selection(hosts: Selection, options: Mapping[str, object]) -> list[str]:
    """The rules of both mechanisms; none of a domain list that is refused."""
    widened = [
        Acceptance(finding="apex-included", because="", entry=e.id) for e in hosts.entries if e.match == "subtree"
    ]
    named = replace(hosts, entries=tuple(e for e in hosts.entries if e.protocol not in ("tcp", "udp")))
    plans = (draft(hosts, "aws:rules", options), draft(named.accepting(widened), "aws:domain-list", options))
    return [rule for plan in plans for rule in rule_texts(plan.objects)]


@pytest.mark.usefixtures("suricata")
def test_suricata_accepts_the_rules_of_every_shipped_revision(tmp_path: Path) -> None:
    rules: list[str] = []
    for revision in REVISIONS:
        hosts = hostgate.select(f"{CATALOG}@{revision}")
        for options in OPTIONS:
            rules += of_selection(hosts, options)
        if any(entry.alternatives for entry in hosts.entries):
            wide = [entry for entry in hosts.entries if entry.alternatives and entry.match != "exact"]
            choose = {entry.alternatives: entry.id for entry in wide if entry.alternatives}
            rules += of_selection(hostgate.select(f"{CATALOG}@{revision}", choose=choose), {})
    assert len(rules) > 13 * len(REVISIONS)
    accept(renumbered(rules), HOME_NET, tmp_path)


@pytest.mark.usefixtures("suricata")
def test_suricata_accepts_the_signature_ids_as_they_are(tmp_path: Path) -> None:
    accept(rule_texts(hostgate.plan(hostgate.select(f"{CATALOG}@2024-03-28"), "aws:rules").objects), HOME_NET, tmp_path)


@pytest.mark.usefixtures("suricata")
@pytest.mark.parametrize(
    "folder",
    sorted({path.parent for path in GOLDEN.rglob("*.rules")}),
    ids=lambda folder: str(folder.relative_to(GOLDEN)),
)
def test_suricata_accepts_the_golden_files(folder: Path, tmp_path: Path) -> None:
    rules = [rule for path in sorted(folder.glob("*.rules")) for rule in path.read_text().splitlines()]
    kept = [sub(r" (@|\$E_)\w+ ", " 203.0.113.0/24 ", rule) for rule in rules]  # stock Suricata has no sets of groups
    accept(kept, HOME_NET, tmp_path)


LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,14}[a-z0-9])?", fullmatch=True)
LONG_LABELS = st.integers(50, 63).map(lambda size: "l" * size)
NAMES = st.lists(st.one_of(LABELS, LONG_LABELS), min_size=1, max_size=3).map(
    lambda parts: ".".join([*parts, "example"])
)


@st.composite
def rule_sets(draw: st.DrawFn) -> tuple[Selection, Mapping[str, object]]:
    """A selection of any entries, and options with addresses for those that have no name on the wire."""
    entries = tuple(
        Entry(
            catalog=draw(st.sampled_from(["acme/one", "acme/two", "9/x"])),
            id=f"e{number}",
            host=draw(NAMES),
            match=draw(st.sampled_from(MATCHES)),
            port=draw(st.one_of(st.sampled_from([80, 443, 1, 65_535]), st.integers(1, 65_535))),
            protocol=draw(st.sampled_from(PROTOCOLS)),
        )
        for number in range(draw(st.integers(1, 12)))
    )
    hosts = Selection(refs=("acme/any",), entries=tuple(sorted(entries, key=lambda entry: entry.key)))
    plain = [entry.id for entry in entries if entry.protocol in ("tcp", "udp")]
    ranges = st.lists(st.ip_addresses(v=4).map(str), max_size=3).map(lambda found: ["203.0.113.0/24", *found])
    return hosts, {**draw(st.sampled_from(OPTIONS)), "addresses": {name: draw(ranges) for name in plain}}


@pytest.mark.usefixtures("suricata")
@settings(max_examples=8, phases=[Phase.generate])  # Suricata names the rule; a smaller set would say no more
@given(sets=st.lists(rule_sets(), min_size=20, max_size=20))
def test_suricata_accepts_rule_sets_made_at_random(
    tmp_path_factory: pytest.TempPathFactory, sets: list[tuple[Selection, Mapping[str, object]]]
) -> None:
    """Many rule sets at a time: starting Suricata costs more than reading thousands of rules."""
    rules = [rule for hosts, options in sets for rule in of_selection(hosts, options)]
    accept(renumbered(rules), HOME_NET, tmp_path_factory.mktemp("made"))
