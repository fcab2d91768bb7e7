"""Policy packs in a preview: each pack is started as the engine starts Python packs, asked, and always ended."""

import collections
import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn, TypeVar

import grpc
from google.protobuf import empty_pb2
from google.protobuf.message import Message
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from hostgate.sandbox.monitor import GRPC_OPTIONS
from hostgate.sandbox.preview_problems import PreviewError, PreviewProblem
from hostgate.sandbox.registry import RegistryEntry
from hostgate.sandbox.resources import Diagnostic, PolicyViolation
from hostgate.sandbox.wire_values import policy_struct
from hostgate.sandbox.yaml_files import Unreadable, read_pulumi_yaml

Answer = TypeVar("Answer", bound=Message)

ENFORCEMENT = {
    analyzer_pb2.ADVISORY: "advisory",
    analyzer_pb2.MANDATORY: "mandatory",
    analyzer_pb2.DISABLED: "disabled",
    analyzer_pb2.REMEDIATE: "remediate",
}

TAIL_LINES = 15
"""Lines of a broken pack's stderr that a problem shows: a Python traceback of usual depth."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Hard time limits in seconds. The engine has none, and then a pack that cannot start hangs a preview."""

    start: float = 60.0
    call: float = 60.0


@dataclass(frozen=True, slots=True)
class AnalyzerRun:
    """What a pack learns about the run. `address` is the engine's host:port; `config` holds secrets in clear."""

    project: str
    stack: str
    organization: str
    config: Mapping[str, str]
    secret_keys: frozenset[str]
    address: str

    def environment(self) -> dict[str, str]:
        """The variables that the language host adds for a pack."""
        return {
            "PULUMI_ORGANIZATION": self.organization,
            "PULUMI_PROJECT": self.project,
            "PULUMI_STACK": self.stack,
            "PULUMI_DRY_RUN": "true",
            "PULUMI_CONFIG": json.dumps(dict(self.config)),
        }


@dataclass(frozen=True, slots=True)
class AnalyzerVerdict:
    """What the packs said."""

    violations: tuple[PolicyViolation, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()


def analyze(
    packs: Sequence[Path], run: AnalyzerRun, entries: Sequence[RegistryEntry], limits: Limits | None = None
) -> AnalyzerVerdict:
    """Ask every pack about every resource, then about the stack. Packs and resources keep their order.

    Raises PreviewError when a pack does not start, crashes, or does not answer in time; no process outlives the call.
    """
    limits = limits or Limits()
    violations: list[PolicyViolation] = []
    diagnostics: list[Diagnostic] = []
    for folder in packs:
        with _started(folder.resolve(), run, limits) as pack:
            diagnostics += pack.remediations()
            for entry in entries:
                violations += pack.analyze(entry, entries)
            violations += pack.analyze_stack(entries)
    return AnalyzerVerdict(tuple(violations), tuple(diagnostics))


class _Pack:
    """A running pack."""

    def __init__(self, process: "_Process", channel: grpc.Channel, run: AnalyzerRun, limits: Limits) -> None:
        self._process = process
        self._stub = analyzer_pb2_grpc.AnalyzerStub(channel)
        self._limits = limits
        self._root = f"urn:pulumi:{run.stack}::{run.project}::pulumi:pulumi:Stack::{run.project}-{run.stack}"
        folder = str(process.folder)
        self._tell(
            self._stub.Handshake,
            analyzer_pb2.AnalyzerHandshakeRequest(
                engine_address=run.address, root_directory=folder, program_directory=folder
            ),
            "Handshake",
        )
        self._tell(
            self._stub.ConfigureStack,
            analyzer_pb2.AnalyzerStackConfigureRequest(
                stack=run.stack,
                project=run.project,
                organization=run.organization,
                dry_run=True,
                config=run.config,
                config_secret_keys=sorted(run.secret_keys),
            ),
            "ConfigureStack",
        )
        self.info = self._call(self._stub.GetAnalyzerInfo, empty_pb2.Empty(), "GetAnalyzerInfo")

    def remediations(self) -> list[Diagnostic]:
        return [
            Diagnostic(
                "warning", f"{self.info.name}: {policy.name} can remediate; a built-in preview does not apply it"
            )
            for policy in self.info.policies
            if policy.enforcementLevel == analyzer_pb2.REMEDIATE
        ]

    def analyze(self, entry: RegistryEntry, entries: Sequence[RegistryEntry]) -> list[PolicyViolation]:
        request = analyzer_pb2.AnalyzeRequest(
            type=entry.type,
            properties=policy_struct(entry.inputs),
            urn=entry.urn,
            name=entry.name,
            options=_options(entry),
            provider=_provider(entry, entries),
        )
        return self._violations(self._call(self._stub.Analyze, request, "Analyze", entry.urn), entry.urn)

    def analyze_stack(self, entries: Sequence[RegistryEntry]) -> list[PolicyViolation]:
        # Unlike Analyze, this one sees outputs: the engine judges the stack by its final state.
        resources = [
            analyzer_pb2.AnalyzerResource(
                type=entry.type,
                properties=policy_struct(entry.outputs),
                urn=entry.urn,
                name=entry.name,
                options=_options(entry),
                provider=_provider(entry, entries),
                parent=entry.parent,
                dependencies=entry.dependencies,
                propertyDependencies={
                    key: analyzer_pb2.AnalyzerPropertyDependencies(urns=urns)
                    for key, urns in entry.property_dependencies.items()
                },
            )
            for entry in entries
        ]
        answer = self._call(
            self._stub.AnalyzeStack, analyzer_pb2.AnalyzeStackRequest(resources=resources), "AnalyzeStack", "the stack"
        )
        return self._violations(answer, self._root)

    def _violations(self, answer: analyzer_pb2.AnalyzeResponse, urn: str) -> list[PolicyViolation]:
        return [
            PolicyViolation(
                pack=said.policyPackName,
                policy=said.policyName,
                enforcement=ENFORCEMENT.get(said.enforcementLevel, "mandatory"),
                message=said.message,
                urn=said.urn or urn,
            )
            for said in answer.diagnostics
        ]

    def _call(self, ask: Callable[..., Answer], request: Message, name: str, about: str = "") -> Answer:
        try:
            return ask(request, timeout=self._limits.call, wait_for_ready=True)
        except grpc.RpcError as error:
            late = f"no answer within {self._limits.call:g} s"
            said = late if error.code() == grpc.StatusCode.DEADLINE_EXCEEDED else error.details()
            self._process.fail(f"failed in {name}{f' of {about}' if about else ''}: {said}")

    def _tell(self, ask: Callable[..., Message], request: Message, name: str) -> None:
        # Packs of older SDKs do not know these calls; the engine goes on without.
        try:
            ask(request, timeout=self._limits.call, wait_for_ready=True)
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.UNIMPLEMENTED:
                self._process.fail(f"failed in {name}: {error.details()}")


@contextlib.contextmanager
def _started(folder: Path, run: AnalyzerRun, limits: Limits) -> Iterator[_Pack]:
    process = _Process(folder, run)
    try:
        port = process.port(limits.start)
        with grpc.insecure_channel(f"127.0.0.1:{port}", options=GRPC_OPTIONS) as channel:
            yield _Pack(process, channel, run, limits)
    finally:
        process.end()


class _Process:
    """The pack's process: `python -u -m pulumi.policy <engine> <folder>`, in the pack's folder.

    That is the command line of the Python language host since CLI 3.221 (pulumi-language-python, RunPlugin).
    """

    def __init__(self, folder: Path, run: AnalyzerRun) -> None:
        self.folder = folder
        self._said: collections.deque[str] = collections.deque(maxlen=TAIL_LINES)
        self._first: queue.Queue[str] = queue.Queue()
        command = [_interpreter(folder), "-u", "-m", "pulumi.policy", run.address, str(folder)]
        try:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env={**os.environ, **run.environment()},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
            )
        except OSError as error:
            raise PreviewError([_problem(folder, f"did not start: {error}")]) from None
        self._readers = [
            threading.Thread(target=self._read_port, args=(self._process.stdout,), daemon=True),
            threading.Thread(target=self._read_errors, args=(self._process.stderr,), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def port(self, seconds: float) -> int:
        """The port that the pack prints first."""
        try:
            line = self._first.get(timeout=seconds).strip()
        except queue.Empty:
            self.fail(f"did not start within {seconds:g} s")
        if not line.isdecimal() or not 0 < int(line) < 65536:
            self.fail(f"printed {line!r} instead of its port" if line else "ended before it printed its port")
        return int(line)

    def fail(self, what: str) -> NoReturn:
        """Raise PreviewError with the last lines that the pack wrote to stderr."""
        self.end()
        raise PreviewError([_problem(self.folder, what, "\n".join(self._said))])

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for reader in self._readers:
            # A grandchild may hold the pipe open: the threads are daemons and must not hold up the preview.
            reader.join(timeout=1)
        for pipe, reader in zip((self._process.stdout, self._process.stderr), self._readers, strict=True):
            if pipe and not reader.is_alive():
                pipe.close()

    def _read_port(self, pipe: IO[str]) -> None:
        self._first.put(pipe.readline())
        for _line in pipe:
            pass  # the engine drains what comes after the port, so that the pack never blocks on a full pipe

    def _read_errors(self, pipe: IO[str]) -> None:
        for line in pipe:
            self._said.append(line.rstrip())


def _interpreter(folder: Path) -> str:
    """The Python of a pack: of the virtualenv it names, else ours. Raises PreviewError for anything but a pack."""
    file = folder / "PulumiPolicy.yaml"
    try:
        document = read_pulumi_yaml(file)
    except Unreadable as error:
        raise PreviewError([_problem(folder, f"PulumiPolicy.yaml cannot be read: {error}")]) from None
    runtime = document.get("runtime") if isinstance(document, dict) else None
    language = runtime.get("name") if isinstance(runtime, dict) else runtime
    if language != "python":
        raise PreviewError([_problem(folder, f"the built-in preview runs Python packs only, found {language!r}")])
    options = runtime.get("options") if isinstance(runtime, dict) else None
    virtualenv = (options or {}).get("virtualenv")
    if not virtualenv:
        return sys.executable
    python = folder / virtualenv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        raise PreviewError([_problem(folder, f"its virtualenv has no Python: {python}")])
    return str(python)


def _problem(folder: Path, what: str, tail: str = "") -> PreviewProblem:
    return PreviewProblem(f"policy pack {folder.name}: {what}", path=str(folder), found=tail)


def _options(entry: RegistryEntry) -> analyzer_pb2.AnalyzerResourceOptions:
    options = entry.options
    return analyzer_pb2.AnalyzerResourceOptions(
        protect=options.protect,
        ignoreChanges=options.ignore_changes,
        deleteBeforeReplace=bool(options.delete_before_replace),
        deleteBeforeReplaceDefined=options.delete_before_replace is not None,
        additionalSecretOutputs=options.additional_secret_outputs,
        aliases=options.aliases,
        parent=entry.parent,
    )


def _provider(entry: RegistryEntry, entries: Sequence[RegistryEntry]) -> analyzer_pb2.AnalyzerProviderResource | None:
    urn = entry.provider.rpartition("::")[0]
    found = next((each for each in entries if each.urn == urn), None) if entry.custom and urn else None
    if found is None:
        return None
    properties = policy_struct(found.inputs)
    return analyzer_pb2.AnalyzerProviderResource(type=found.type, properties=properties, urn=found.urn, name=found.name)
