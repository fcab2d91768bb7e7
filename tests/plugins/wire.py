"""Both ends of a plugin's wire: a plugin process as the engine runs it, and an engine that records what it registers."""

import contextlib
import select
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import (
    engine_pb2_grpc,
    provider_pb2,
    provider_pb2_grpc,
    resource_pb2,
    resource_pb2_grpc,
)

from hostgate.planning.targets import named
from hostgate.sandbox.monitor import GRPC_OPTIONS, EngineService, Monitor
from hostgate.sandbox.registry import STACK_TYPE
from hostgate.sandbox.resources import Diagnostic, PreviewResource
from hostgate.sandbox.wire_values import OUTPUT_SIGNATURE, SIGNATURE, from_struct, to_struct

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "components" / "plugins"

PROJECT, STACK = "shop", "test"
TIME_LIMIT = 60
"""Seconds for a plugin to start, and for one call. A first import of a cloud SDK without compiled files takes seven."""


@dataclass(frozen=True)
class Package:
    """A component package and one of its components: folder, component class, and where the Python component is."""

    cloud: str
    component: str

    @property
    def name(self) -> str:
        return f"hostgate-{self.cloud}"

    @property
    def token(self) -> str:
        return f"{self.name}:index:{self.component}"

    def __str__(self) -> str:
        return f"{self.name}-{self.component}"


AWS = Package("aws", "NetworkFirewallAllowlist")
GCP = Package("gcp", "FirewallPolicyAllowlist")
AZURE = Package("azure", "FirewallPolicyAllowlist")
PACKAGES = (AWS, GCP, AZURE)
"""Each package, with its first component."""

DNS = Package("aws", "DnsFirewallAllowlist")
GROUPS = Package("aws", "SecurityGroupAllowlist")
ACLS = Package("aws", "NetworkAclAllowlist")
ADDRESSES = Package("gcp", "AddressGroupAllowlist")
URLS = Package("gcp", "UrlFilterAllowlist")
PROXY = Package("gcp", "WebProxyAllowlist")
IP_GROUPS = Package("azure", "IpGroupAllowlist")
REFRESHER = Package("aws", "PoolRefresher")
ALLOWLISTS = (*PACKAGES, DNS, GROUPS, ACLS, URLS, PROXY, ADDRESSES, IP_GROUPS)
COMPONENTS = (*ALLOWLISTS, REFRESHER)
"""Each component of each package."""


def output(value: Any = None, *, known: bool = True, secret: bool = False, on: Sequence[str] = ()) -> dict[str, Any]:
    """An output as the engine sends it: its value if that is known, and the resources it depends on."""
    body: dict[str, Any] = {SIGNATURE: OUTPUT_SIGNATURE, "secret": secret, "dependencies": list(on)}
    return {**body, "value": value} if known else body


@dataclass(frozen=True)
class Constructed:
    """A component as the engine knows it afterwards."""

    urn: str
    state: Mapping[str, Any]
    dependencies: Mapping[str, Sequence[str]]
    """URNs that each output depends on."""
    resources: Sequence[PreviewResource]
    problems: Sequence[str]


@dataclass
class Deployment:
    """One run of a consumer's program, as far as a plugin sees it."""

    monitor: Monitor
    address: str
    stub: resource_pb2_grpc.ResourceMonitorStub

    def register(self, type_: str, name: str, **inputs: Any) -> str:
        """The URN of a resource of the consumer's own."""
        answer = self.stub.RegisterResource(
            resource_pb2.RegisterResourceRequest(
                type=type_, name=name, custom=True, parent=self.monitor.stack_urn, object=to_struct(inputs)
            ),
            timeout=TIME_LIMIT,
        )
        return str(answer.urn)


@dataclass
class Plugin:
    """A running plugin of `package`."""

    package: Package
    stub: provider_pb2_grpc.ResourceProviderStub
    said: list[Diagnostic] = field(default_factory=list)

    def schema(self) -> str:
        return str(self.stub.GetSchema(provider_pb2.GetSchemaRequest(version=0), timeout=TIME_LIMIT).schema)

    def version(self) -> str:
        return str(self.stub.GetPluginInfo(empty_pb2.Empty(), timeout=TIME_LIMIT).version)

    def request(self, run: Deployment, name: str, inputs: Mapping[str, Any], **more: Any) -> Any:
        """The call in flight; `more` are fields of ConstructRequest."""
        return self.stub.Construct.future(
            provider_pb2.ConstructRequest(
                project=PROJECT,
                stack=STACK,
                organization="organization",
                parallel=16,
                monitorEndpoint=run.address,
                type=more.pop("type", self.package.token),
                name=name,
                parent=run.monitor.stack_urn,
                inputs=to_struct(inputs),
                accepts_output_values=True,
                **{"dryRun": True, **more},
            ),
            timeout=TIME_LIMIT,
        )

    def construct(self, run: Deployment, name: str, inputs: Mapping[str, Any], **more: Any) -> Constructed:
        """The component `name` of `inputs` as wire values."""
        answer = self.request(run, name, inputs, **more).result()
        return Constructed(
            answer.urn,
            from_struct(answer.state),
            {key: tuple(answer.stateDependencies[key].urns) for key in answer.stateDependencies},
            [entry.shown() for entry in run.monitor.ordered() if not entry.implicit and entry.type != STACK_TYPE],
            [str(problem) for problem in run.monitor.problems],
        )

    def refusal(self, run: Deployment, name: str, inputs: Mapping[str, Any], **more: Any) -> str:
        """What a person is told instead of getting the component."""
        with pytest.raises(grpc.RpcError) as refused:
            self.construct(run, name, inputs, **more)
        error: Any = refused.value
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT, error
        return str(error.details())


class Deploying(Monitor):
    """An engine that deploys: every resource has an id, and an ARN made of its name."""

    def RegisterResource(  # noqa: N802
        self, request: resource_pb2.RegisterResourceRequest, context: grpc.ServicerContext
    ) -> resource_pb2.RegisterResourceResponse:
        answer = super().RegisterResource(request, context)
        if request.custom:
            answer.id = request.name
            answer.object.update({"arn": f"arn:{request.name}"})
        return answer


@contextlib.contextmanager
def deployment(*, up: bool = False) -> Iterator[Deployment]:
    """An engine whose stack resource is registered: in preview, or with `up` deploying."""
    monitor = (Deploying if up else Monitor)(PROJECT, STACK, named("simulated"))
    with _serving(monitor) as address, _channel(address) as channel:
        stub = resource_pb2_grpc.ResourceMonitorStub(channel)
        stub.RegisterResource(
            resource_pb2.RegisterResourceRequest(type=STACK_TYPE, name=f"{PROJECT}-{STACK}"), timeout=TIME_LIMIT
        )
        yield Deployment(monitor, address, stub)


@contextlib.contextmanager
def plugin(package: Package, folder: Path) -> Iterator[Plugin]:
    """The plugin as the engine starts it for a program in `folder`; its process is ended in any case."""
    monitor = Monitor(PROJECT, STACK, named("simulated"))
    with _serving(monitor) as engine:
        process = subprocess.Popen(
            [sys.executable, str(PLUGINS / package.cloud), engine],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        try:
            with _channel(f"127.0.0.1:{_port(process)}") as channel:
                yield Plugin(package, provider_pb2_grpc.ResourceProviderStub(channel), monitor.diagnostics)
        finally:
            process.kill()
            process.communicate(timeout=TIME_LIMIT)


def _port(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], TIME_LIMIT)
    assert ready, f"the plugin said nothing within {TIME_LIMIT} s"
    line = process.stdout.readline()
    assert line.strip().isdecimal(), f"the plugin said {line + process.stdout.read()!r} instead of a port"
    return int(line)


@contextlib.contextmanager
def _channel(address: str) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(address, options=GRPC_OPTIONS) as channel:
        grpc.channel_ready_future(channel).result(timeout=TIME_LIMIT)
        yield channel


@contextlib.contextmanager
def _serving(monitor: Monitor) -> Iterator[str]:
    with ThreadPoolExecutor(16) as executor:
        server = grpc.server(executor, options=[*GRPC_OPTIONS, ("grpc.so_reuseport", 0)])
        resource_pb2_grpc.add_ResourceMonitorServicer_to_server(monitor, server)
        engine_pb2_grpc.add_EngineServicer_to_server(EngineService(monitor), server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            server.stop(grace=None).wait()
