"""The pack's process as the engine starts it, and what it answers over gRPC."""

import contextlib
import json
import select
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from hostgate.sandbox.wire_values import to_struct

TIME_LIMIT = 60
"""Seconds for the pack to start, and for one call."""

AS_OF = "2026-11-24"

MAIN = f"""
from datetime import date
from pathlib import Path

from hostgate.policies.pack import run

run(Path(__file__).resolve().parent, as_of=date.fromisoformat("{AS_OF}"))
"""

SETTINGS = """
catalogs: [chainguard/images@2024-03-28, ./ours.yaml]
survey: survey.json
addresses: {cgr.dev: [203.0.113.7], apk.cgr.dev: ["2001:db8::7"]}
"""

OURS = """
catalog: acme/ours
entries:
  - {id: plain, host: plain.acme.example, port: 80, protocol: http, purpose: Mirror}
  - {id: clock, host: clock.acme.example, port: 123, protocol: udp, purpose: Time}
  - {id: shell, host: shell.acme.example, port: 22, protocol: tcp, purpose: Source code}
  - {id: wide, host: wide.acme.example, match: subtree+apex, port: 443, protocol: https, purpose: Everything}
  - {id: below, host: below.acme.example, match: subtree, port: 443, protocol: https, purpose: All but the apex}
  - {id: wrong, host: typo.acme.example, port: 443, protocol: https, purpose: Typo, status: mistaken, notes: Misspelt.}
"""


def _verdict(target: str, verdict: str, reason: str, family: str = "own-lookup") -> dict[str, str]:
    return {"target": target, "family": family, "verdict": verdict, "reason": reason}


ON_AZURE = "azure:application-rules"
SURVEY = json.dumps(
    {
        "form": 1,
        "ended": "2026-11-20T12:00:00Z",
        "hosts": [
            {"host": "cgr.dev", "verdicts": [
                _verdict("gcp:fqdn", "ok", "pool of 2"), _verdict(ON_AZURE, "ok", "pool of 2")]},
            {"host": "apk.cgr.dev", "verdicts": [
                _verdict("gcp:fqdn", "unfit", "a pool of 400 addresses"),
                _verdict(ON_AZURE, "ok", "matches the name in the packet", "wire"),
                _verdict(ON_AZURE, "risky", "misses 1 in 200")]},
        ],
    }
)  # fmt: skip
"""As much of what `hostgate survey --json` prints as a pack reads."""


def write_pack(folder: Path, settings: str = SETTINGS, main: str = MAIN) -> Path:
    """A pack folder with these settings, a catalog and a survey."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "PulumiPolicy.yaml").write_text("runtime: python\nversion: 0.1.0\n")
    for name, text in (
        ("__main__.py", main),
        ("settings.yaml", settings),
        ("ours.yaml", OURS),
        ("survey.json", SURVEY),
    ):
        (folder / name).write_text(text.lstrip())
    return folder


@dataclass(frozen=True)
class R:
    """A resource as the engine hands it to a pack. `made_from` names the resources that its inputs came from."""

    type: str
    name: str
    properties: Mapping[str, Any]
    made_from: Sequence[str] = ()

    @property
    def urn(self) -> str:
        return urn(self.type, self.name)


def urn(type_: str, name: str) -> str:
    return f"urn:pulumi:dev::demo::{type_}::{name}"


@dataclass(frozen=True)
class Answer:
    """What a pack said: (policy, level, URN, message) of each violation, and policies that did not apply."""

    violations: Sequence[tuple[str, str, str, str]]
    not_applicable: Mapping[str, str] = field(default_factory=dict)

    def of(self, rule: str) -> list[tuple[str, str]]:
        """Level and message of each violation of a rule."""
        return [(level, message) for policy, level, _, message in self.violations if policy == rule]


@dataclass
class Pack:
    """A running pack."""

    stub: analyzer_pb2_grpc.AnalyzerStub

    def info(self) -> analyzer_pb2.AnalyzerInfo:
        return self.stub.GetAnalyzerInfo(empty_pb2.Empty(), timeout=TIME_LIMIT)

    def configure(self, levels: Mapping[str, Any]) -> None:
        """Levels as `--policy-pack-config` sets them."""
        config = {rule: analyzer_pb2.PolicyConfig(enforcementLevel=level) for rule, level in levels.items()}
        self.stub.Configure(analyzer_pb2.ConfigureAnalyzerRequest(policyConfig=config), timeout=TIME_LIMIT)

    def resource(self, resource: R) -> Answer:
        request = analyzer_pb2.AnalyzeRequest(
            type=resource.type, properties=to_struct(resource.properties), urn=resource.urn, name=resource.name
        )
        return _answer(self.stub.Analyze(request, timeout=TIME_LIMIT))

    def stack(self, resources: Sequence[R]) -> Answer:
        urns = {each.name: each.urn for each in resources}
        listed = [
            analyzer_pb2.AnalyzerResource(
                type=each.type, properties=to_struct(each.properties), urn=each.urn, name=each.name,
                dependencies=[urns[name] for name in each.made_from],
            )
            for each in resources
        ]  # fmt: skip
        return _answer(self.stub.AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(resources=listed), timeout=TIME_LIMIT))


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Pack]:
    """The pack in `folder`, started as the language host starts it; its process is ended in any case."""
    process = start(folder)
    try:
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], TIME_LIMIT)
        assert ready, f"the pack said nothing within {TIME_LIMIT} s"
        line = process.stdout.readline().strip()
        assert line.isdecimal(), line + process.stdout.read()
        with grpc.insecure_channel(f"127.0.0.1:{line}") as channel:
            grpc.channel_ready_future(channel).result(timeout=TIME_LIMIT)
            yield Pack(analyzer_pb2_grpc.AnalyzerStub(channel))
    finally:
        process.kill()
        process.communicate(timeout=TIME_LIMIT)


def start(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", str(folder)],
        cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


_LEVELS = {analyzer_pb2.ADVISORY: "advisory", analyzer_pb2.MANDATORY: "mandatory"}


def _answer(answer: analyzer_pb2.AnalyzeResponse) -> Answer:
    return Answer(
        [(said.policyName, _LEVELS[said.enforcementLevel], said.urn, said.message) for said in answer.diagnostics],
        {each.policy_name: each.reason for each in answer.not_applicable},
    )
