"""Every printed program, deployed as printed: the hosts of its catalogs are reached, and nothing else is.

The same flows are put to what stands in the simulated clouds, and on AWS to Suricata with the rule groups as deployed; the
policy pack judges the first preview and what is deployed. A program that closes nothing by itself says so.
"""

import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from deployed import Deployed, deployed, foreign_policies
from markdown_pages import ROOT
from printed_programs import Program, programs, write

from dataplane.aws import packets
from dataplane.aws.deployed_groups import objects_of
from dataplane.aws.packets import Talk
from dataplane.aws.replay import version
from dataplane.aws.stages import ordered
from engine.lab import LIMIT, real_engine
from hostgate.flows.flow import Flow, FlowProtocol
from hostgate.flows.nodes import UNKNOWN
from hostgate.flows.nodes import UNKNOWN as NOT_KNOWN
from hostgate.flows.snapshot import Resource
from hostgate.planning.decision import read_registered
from hostgate.planning.kept_lists import PUSHED
from hostgate.planning.mechanism import CloudObject
from hostgate.policies.catalogs import read_catalogs
from hostgate.policies.judge import judge_stack
from hostgate.policies.settings import Settings
from hostgate.policies.violations import NotApplicable
from hostgate.sandbox.builtin_preview import preview
from hostgate.sandbox.enforcement_points import Point, points
from hostgate.sandbox.engine import prepare
from hostgate.sandbox.lifecycle import Account
from hostgate.sandbox.preview_problems import PreviewError
from hostgate.sandbox.resources import PreviewResource
from hostgate.sandbox.service import Service

PROGRAMS = programs()
OPEN_BY_INTENT = {"review.md:Pulumi.wide.yaml"}
"""Programs that are printed to show something open (audit, deny none), by name: what a review says of such a change."""

REFUSED = {"plan.md:Pulumi.surveyed.yaml"}
"""Programs that are printed to show why a plan is refused. Nothing of them is deployed."""

CLOSED_ELSEWHERE = re.compile(r"[Cc]losed by")
"""What a program says that names a policy which it does not make, or makes rule groups for a policy elsewhere."""

OPENNESS = ("datagrams-out", "no-deny", "void-allow", "list-without-drop", "domain-list-any-port")
"""Rules of the pack about what gets past the names."""

CLIENTS = {4: ("10.20.1.2", "172.16.9.9", "100.64.1.2", "203.0.113.9"), 6: ("2600:1f18::5", "fd00::5")}
"""Usual ones, and others: behind carrier-grade NAT, with a public address, and over IPv6."""
INTERNET = {4: "198.51.100.7", 6: "2a00:1450::7"}
GRE, ICMP, ICMPV6 = 47, 1, 58


@dataclass(frozen=True)
class Other:
    """A flow that no catalog opens: for the sandbox as far as a `Flow` can say it, and as packets."""

    title: str
    flow: Flow | None
    talk: Talk


def others() -> Iterator[Other]:
    """What must not get out, from every client."""
    for number in (4, 6):
        there = INTERNET[number]
        for client in CLIENTS[number]:
            said: tuple[tuple[str, FlowProtocol, int, tuple[packets.Said, ...]], ...] = (
                ("another name", "https", 443, packets.named("evil.example")),
                ("another name on another port", "https", 8443, packets.named("evil.example")),
                ("another name over HTTP", "http", 80, packets.http("evil.example")),
                ("SSH", "tcp", 22, packets.ssh()),
                ("SSH on 443", "tcp", 443, packets.ssh()),
                ("DNS over TCP", "tcp", 53, packets.dns_over_tcp("evil.example")),
                ("QUIC", "quic", 443, packets.quic()),
                ("DNS", "udp", 53, packets.dns("evil.example")),
                ("NTP", "udp", 123, packets.ntp()),
                ("a datagram", "udp", 9999, packets.alone()),
            )
            for title, protocol, port, payloads in said:
                flow = Flow("evil.example", port, protocol, source=client, address=there)
                talk = Talk(flow.transport, payloads, port, client, there)
                yield Other(f"{title} from {client}", flow, talk)
            echo = packets.alone(bytes.fromhex("8000000000070001") + b"ping")
            icmp = Talk("other", echo, 0, client, there, protocol=ICMP if number == 4 else ICMPV6)
            yield Other(f"ICMP from {client}", None, icmp)
            yield Other(f"GRE from {client}", None, Talk("other", packets.alone(), 0, client, there, protocol=GRE))


OTHERS = list(others())


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Programs that are deployed already, with their outputs."""
    return {"folder": tmp_path_factory.mktemp("programs"), "made": {}}


@pytest.fixture
def made(program: Program, running: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Deployed:
    return _deployed(program, running, monkeypatch)


def _deployed(program: Program, running: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Deployed:
    found = running["made"]
    if program.name not in found:
        place = Path(tempfile.mkdtemp(dir=running["folder"]))
        project, config = write(program, place)
        stacks = {
            reference: _deployed(_program_of(named[1]), running, monkeypatch)
            for reference in config.values()
            if (named := re.fullmatch(r"organization/([\w-]+)/dev", reference))
        }
        monkeypatch.chdir(project)
        found[program.name] = deployed(project, config, place, stacks)
    return found[program.name]  # type: ignore[no-any-return]


def _program_of(project: str) -> Program:
    (found,) = [each for each in PROGRAMS if f"name: {project}\n" in each.text]
    return found


every_program = pytest.mark.parametrize("program", [each for each in PROGRAMS if each.name not in REFUSED], ids=str)


@every_program
def test_what_a_program_does_not_close_by_itself_it_says(program: Program, made: Deployed) -> None:
    policies = [each for each in points(made.held) if each.target != "aws:dns-firewall"]
    ours = [each for each in policies if each.policy not in {name.rpartition("/")[2] for name in made.foreign}]
    components = [each for each in _components(made) if each.inputs["target"] != "aws:dns-firewall"]
    clouds = {str(each.inputs["target"]).partition(":")[0] for each in components}
    if clouds - {each.target.partition(":")[0] for each in ours}:
        assert CLOSED_ELSEWHERE.search(program.text)


@every_program
def test_only_the_hosts_of_its_catalogs_are_reached(program: Program, made: Deployed) -> None:
    if program.name not in OPEN_BY_INTENT:
        _closed(points(made.held))
    for component in _components(made):
        places = [point for point in points(made.held) if _cloud(point.target) == _cloud(component.inputs["target"])]
        for flow in _allowed(component):
            assert not places or any(_passes(point, flow) for point in places), flow


@every_program
def test_the_policy_pack_finds_no_way_past_the_names(program: Program, made: Deployed) -> None:
    for resources in (made.first.resources, made.made.resources):
        verdicts = judge_stack([_resource(each) for each in resources], _settings())
        found = [each for rule in OPENNESS if not isinstance(said := verdicts[rule], NotApplicable) for each in said]
        assert bool(found) == (program.name in OPEN_BY_INTENT), "\n".join(each.message for each in found)


@pytest.mark.skipif(version() is None, reason="Suricata is not installed")
@every_program
def test_suricata_does_with_the_groups_as_deployed_what_the_page_says(
    program: Program, made: Deployed, tmp_path: Path
) -> None:
    for number, point in enumerate(each for each in points(made.held) if each.target == "aws:rules"):
        hosts = [
            (flow, Talk("tcp", packets.http(flow.name) if flow.protocol == "http" else packets.named(flow.name), flow.port,
                        flow.source or CLIENTS[4][0], INTERNET[4]))
            for component in _components(made)
            if _cloud(component.inputs["target"]) == "aws"
            for flow in _allowed(component)
            if flow.protocol in ("https", "tls", "http")
        ]  # fmt: skip
        talks = [talk for _, talk in hosts] + [other.talk for other in OTHERS]
        judged = ordered([_with_sets(each) for each in objects_of(point.policy, made.held)]).judge(
            talks, tmp_path / str(number)
        )
        for (flow, _), heard in zip(hosts, judged[: len(hosts)], strict=True):
            assert heard.verdict == ("allow" if _passes(point, flow) else "block"), flow
        for other, heard in zip(OTHERS, judged[len(hosts) :], strict=True):
            if other.talk.transport == "tcp":
                blocked = heard.verdict == "block"
            else:
                blocked = {at for at, packet in enumerate(heard.packets) if packet.by == "client"} <= heard.dropped
            assert blocked != (program.name in OPEN_BY_INTENT), other.title


@real_engine
@pytest.mark.parametrize(
    "program", [each for each in PROGRAMS if each.block and each.block.language == "python"], ids=str
)
def test_the_real_engine_deploys_no_more_than_that(program: Program, tmp_path: Path) -> None:
    project, config = write(program, tmp_path / "project")
    (project / "Pulumi.yaml").write_text(
        f"name: demo\nruntime: {{name: python, options: {{virtualenv: {sys.prefix}}}}}\n"
    )
    (project / "Pulumi.dev.yaml").write_text("".join(["config:\n", *(f"  {key}: {config[key]}\n" for key in config)]))
    ready = prepare(project, "dev", tmp_path / "sandbox")
    google = config["gcp:project"]
    foreign_policies(preview(project, "dev", config), Service(ready.state, Account(project=google)), google)
    done = ready.run("up", "--yes", "--skip-preview", capture=True, limit=LIMIT)
    assert done.returncode == 0, done.stdout + done.stderr
    _closed(points(ready.state.objects()))


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_program_that_is_printed_as_refused_makes_nothing(
    name: str, running: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    (program,) = [each for each in PROGRAMS if each.name == name]
    with pytest.raises(PreviewError, match="the plan is refused"):
        _deployed(program, running, monkeypatch)


def test_programs_are_found_in_every_place_that_prints_some() -> None:
    places = {program.name.partition(":")[0].partition("/")[0] for program in PROGRAMS}
    assert {"README.md", "aws-policy.md", "plan.md", "examples"} <= places
    assert {program.name for program in PROGRAMS} >= OPEN_BY_INTENT


def _passes(point: Point, flow: Flow) -> bool:
    """Whether `flow` is allowed, but for what rule groups of AWS may drop, which nobody here can see."""
    verdict = point.verdict(flow)
    return verdict.allows or all("StrictOrder makes it block" in each for each in verdict.lacks or ("",))


def _closed(places: list[Point]) -> None:
    """No place lets out what no catalog opens; DNS Firewall sees the question alone, a security group the address."""
    for point in places:
        if point.target == "aws:dns-firewall":
            assert not point.verdict(Flow("evil.example")).allows
            continue
        by_address = (
            point.target in ("aws:prefix-list", "aws:network-acl")
            or PUSHED in point.judged.assumptions
            or any("/allow-addresses/" in step.rule for step in point.judged.steps)  # of azure:ip-group
        )
        if by_address:  # any name passes to an address of the pool, and none to another
            assert not point.verdict(Flow("evil.example", address="203.0.113.200")).allows
            continue
        for other in OTHERS:
            assert other.flow is None or not point.verdict(other.flow).allows, f"{point.title}: {other.title}"


def _components(made: Deployed) -> list[PreviewResource]:
    """The allowlists of the program, and of those that it takes outputs from."""
    return [each for run in (made.made, *made.others) for each in run.resources if _is_allowlist(each)]


def _is_allowlist(each: PreviewResource) -> bool:
    return each.type.startswith("hostgate-") and "target" in each.inputs


def _cloud(target: object) -> str:
    """The cloud; queries are apart from connections."""
    return str(target) if str(target).endswith("dns-firewall") else str(target).partition(":")[0]


def _allowed(component: PreviewResource) -> Iterator[Flow]:
    """A flow to each host that the plan allows and that shows its name, from a client that may use it."""
    said = component.inputs["options"].get("grants") or [{"name": "", "from": component.inputs.get("from")}]
    sources = {each["name"]: _client(each.get("from") or ()) for each in said}
    for decision in read_registered(component.inputs["decisions"]):
        entry = decision.entry
        if decision.outcome == "allowed" and entry.protocol in ("https", "tls", "http"):
            host = entry.host if entry.match in ("exact", "subtree+apex") else f"a.{entry.host}"
            (address, *_) = (component.inputs["options"].get("addresses") or {}).get(entry.host) or [None]
            yield Flow(host, entry.port, entry.protocol, source=sources[entry.grant], address=address)


def _client(clients: Sequence[str]) -> str | None:
    ranges = [text for text in clients if text[:1].isdigit() and "." in text and "/" in text]
    return str(ip_network(ranges[0])[5]) if ranges else None


def _resource(each: PreviewResource) -> Resource:
    made_from = {*each.dependencies, *(urn for urns in each.property_dependencies.values() for urn in urns)}
    inputs = _plain({**each.outputs, **each.inputs})
    return Resource(urn=each.urn, type=each.type, name=each.name, properties=inputs, dependencies=frozenset(made_from))


def _plain(value: Any) -> Any:
    if value is UNKNOWN:
        return NOT_KNOWN
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


@cache
def _settings() -> Settings:
    known = read_catalogs(["chainguard/images@2026-02-23", "./examples/ours.yaml"], ROOT)
    return Settings(known=known, as_of=date(2026, 11, 24))


def _with_sets(each: CloudObject) -> CloudObject:
    """With a range in place of sets that are kept elsewhere, which stock Suricata has not."""
    if each.text is None:
        return each
    text = re.sub(r" @\w+ ", " 192.0.2.0/24 ", each.text)
    own = {key: value for key, value in each.body["RuleGroup"].items() if key == "RuleVariables"}
    return replace(each, body={"RuleGroup": {"RulesSource": {"RulesString": text}, **own}}, text=text)
