"""The built-in preview: a project's real program against simulated clouds, without the pulumi CLI."""

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import grpc
from pulumi.runtime.proto import engine_pb2_grpc, resource_pb2_grpc

from hostgate.flows.nodes import UNKNOWN
from hostgate.planning.findings import UNENFORCED
from hostgate.planning.targets import named
from hostgate.sandbox import analyzers, opaque
from hostgate.sandbox import program_runner as program
from hostgate.sandbox.clouds import Cloud
from hostgate.sandbox.monitor import GRPC_OPTIONS, NEEDS_CLI, EngineService, Monitor
from hostgate.sandbox.preview_problems import PreviewError, PreviewProblem
from hostgate.sandbox.registry import RegistryEntry
from hostgate.sandbox.resources import Diagnostic, PolicyViolation, Preview, PreviewResource
from hostgate.sandbox.wire_values import masked, plain_fields

__all__ = [
    "UNKNOWN",
    "Diagnostic",
    "PolicyViolation",
    "Preview",
    "PreviewError",
    "PreviewProblem",
    "PreviewResource",
    "preview",
]

_NOT_SUPPORTED = "The Pulumi CLI does not support "


def preview(
    project_dir: Path,
    stack: str,
    config: Mapping[str, str],
    *,
    secret_keys: Collection[str] = (),
    policy_packs: Sequence[Path] = (),
    clouds: Sequence[Cloud] | None = None,
) -> Preview:
    """What `pulumi up` would create from nothing, in the project at `project_dir` (the folder of Pulumi.yaml).

    `config` maps fully qualified keys (`hostgate:aws`) to texts, structured values as JSON, as the engine passes
    them; values under `secret_keys` are masked in the result. `policy_packs` are folders with a PulumiPolicy.yaml.
    The program runs in this process, on this thread; no event loop may be running on it.

    `clouds` are those of the targets' rows, unless given.

    Raises PreviewError with every problem found when the program fails, a cloud would refuse a resource, something
    needs the real engine, or a policy pack does not work. Policy violations are part of the result.
    """
    project = program.Project.read(project_dir)
    monitor = Monitor(project.name, stack, named("simulated") if clouds is None else clouds, config)
    engine = EngineService(monitor, {config[key] for key in secret_keys if key in config})

    def say(line: str) -> None:
        monitor.diagnostics.append(Diagnostic("info", line))

    with _serving(monitor, engine) as address:
        failure = None
        try:
            program.run(project, stack, config, secret_keys, address, say)
        except program.ProgramError as failed:
            failure = failed
        entries = monitor.ordered()
        problems = [
            replace(problem, what=masked(problem.what, monitor.secrets), found=masked(problem.found, monitor.secrets))
            for problem in _problems(monitor, failure)
        ]
        if problems:
            raise PreviewError(problems, _said(monitor, entries))
        run = analyzers.AnalyzerRun(project.name, stack, program.ORGANIZATION, config, frozenset(secret_keys), address)
        verdict = analyzers.analyze(policy_packs, run, entries)
    made_up = opaque.made_up_line(monitor.made_up)
    stack_outputs = next((entry.outputs for entry in entries if entry.urn == monitor.stack_urn), {})
    return Preview(
        project=project.name,
        stack=stack,
        resources=tuple(entry.shown() for entry in entries if not entry.implicit),
        outputs=plain_fields(stack_outputs),
        diagnostics=(
            *_said(monitor, entries),
            *([Diagnostic("info", made_up)] if made_up else ()),
            *verdict.diagnostics,
        ),
        violations=tuple(
            replace(violation, message=masked(violation.message, monitor.secrets)) for violation in verdict.violations
        ),
    )


def _problems(monitor: Monitor, failure: program.ProgramError | None) -> list[PreviewProblem]:
    """Every problem of a run, resources in tree order, then what has no resource, then the program's own failure."""
    position = {entry.urn: index for index, entry in enumerate(monitor.ordered())}
    declared = [entry.declared() for entry in monitor.ordered()]
    together = [problem for cloud in monitor.clouds for problem in cloud.check_stack(declared)]
    found = sorted([*monitor.problems, *together], key=lambda problem: position.get(problem.urn, len(position)))
    if failure is None or any(refusal in failure.what for refusal in monitor.refusals):
        return found
    if failure.what.startswith(_NOT_SUPPORTED):
        feature = failure.what.removeprefix(_NOT_SUPPORTED).partition(".")[0]
        return [*found, PreviewProblem(f"{NEEDS_CLI}: {feature}")]
    return [*found, PreviewProblem(failure.message)]


def _said(monitor: Monitor, entries: Sequence[RegistryEntry]) -> list[Diagnostic]:
    """What is about no resource as it came, then resources in tree order: their messages arrive in no fixed order. That
    nothing is enforced comes before all else about a resource.

    Secrets are masked here, not on arrival: a line may be older than the registration that told us of its secret.
    """
    position = {entry.urn: index for index, entry in enumerate(entries)}
    ordered = sorted(
        monitor.diagnostics,
        key=lambda said: (
            (position[said.urn], said.message.partition(":")[0] not in UNENFORCED, said.message)
            if said.urn in position
            else (-1, False, "")
        ),
    )
    return [replace(said, message=masked(said.message, monitor.secrets)) for said in ordered]


@contextlib.contextmanager
def _serving(monitor: Monitor, engine: EngineService) -> Iterator[str]:
    """Serve monitor and engine on a free loopback port; the address is host:port."""
    with ThreadPoolExecutor(program.WORKERS) as executor:
        server = grpc.server(executor, options=[*GRPC_OPTIONS, ("grpc.so_reuseport", 0)])
        resource_pb2_grpc.add_ResourceMonitorServicer_to_server(monitor, server)
        engine_pb2_grpc.add_EngineServicer_to_server(engine, server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            server.stop(grace=None).wait()
