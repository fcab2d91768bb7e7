"""The engine's side of a preview: a resource monitor and an engine service on the SDK's own protocol."""

import threading
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NoReturn

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, resource_pb2, resource_pb2_grpc

from hostgate.sandbox import opaque
from hostgate.sandbox.clouds import Cloud, cloud_of, with_id
from hostgate.sandbox.functions import account_of, answer
from hostgate.sandbox.lifecycle import Account
from hostgate.sandbox.preview_problems import ON_EMPTY_CLOUDS, PreviewProblem, does_not_exist
from hostgate.sandbox.registry import (
    PROVIDER_PREFIX,
    STACK_TYPE,
    RegistryEntry,
    in_tree_order,
    options_of,
    package_of,
    provider_of,
    urn_of,
)
from hostgate.sandbox.resources import Diagnostic
from hostgate.sandbox.sdk import sdk_of
from hostgate.sandbox.wire_values import UNKNOWN_ON_WIRE, as_secret, from_struct, plain_fields, secret_texts, to_struct

# Only what this monitor does. Transforms, hooks, parameterized packages and state migrations need the real engine.
FEATURES = {
    "secrets": resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS,
    "resourceReferences": resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
    "outputValues": resource_pb2.RESOURCE_MONITOR_FEATURE_OUTPUT_VALUES,
    "aliasSpecs": resource_pb2.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
    "deletedWith": resource_pb2.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
    "replaceWith": resource_pb2.RESOURCE_MONITOR_FEATURE_REPLACE_WITH,
}

SEVERITIES = {engine_pb2.INFO: "info", engine_pb2.WARNING: "warning", engine_pb2.ERROR: "error"}

NEEDS_CLI = "needs the pulumi CLI"

# gRPC stops at 4 MB by default; the engine and the SDK allow 400 MB.
GRPC_OPTIONS = (("grpc.max_receive_message_length", 400 * 1024 * 1024),)


class Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """Keeps what a program registers, and checks it against the simulated clouds.

    A registration that fails its check is remembered as a problem and answered with unknown outputs, so that the
    program goes on and one preview names every problem. Calls arrive concurrently.
    """

    def __init__(
        self, project: str, stack: str, clouds: Sequence[Cloud], config: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self.config = config
        self.project = project
        self.stack = stack
        self.clouds = clouds
        self.entries: dict[str, RegistryEntry] = {}
        self.problems: list[PreviewProblem] = []
        self.refusals: list[str] = []
        self.diagnostics: list[Diagnostic] = []
        self.secrets: set[str] = set()
        self.made_up: Counter[str] = Counter()
        """Resources of each type, and functions, that were answered with made-up values."""
        self._lock = threading.Lock()

    @property
    def stack_urn(self) -> str:
        """The URN of the root stack resource."""
        return urn_of(self.stack, self.project, "", STACK_TYPE, f"{self.project}-{self.stack}")

    def ordered(self) -> list[RegistryEntry]:
        """All entries in tree order."""
        with self._lock:
            return list(in_tree_order(self.entries))

    # The protocol. Method names and the unused context are gRPC's.

    def SupportsFeature(  # noqa: N802
        self, request: resource_pb2.SupportsFeatureRequest, _context: grpc.ServicerContext
    ) -> resource_pb2.SupportsFeatureResponse:
        return resource_pb2.SupportsFeatureResponse(hasSupport=request.id in FEATURES)

    def GetDeploymentInfo(  # noqa: N802
        self, _request: empty_pb2.Empty, _context: grpc.ServicerContext
    ) -> resource_pb2.DeploymentInfo:
        return resource_pb2.DeploymentInfo(
            project=self.project, stack=self.stack, dryRun=True, supportedFeatures=FEATURES.values()
        )

    def RegisterResource(  # noqa: N802
        self, request: resource_pb2.RegisterResourceRequest, context: grpc.ServicerContext
    ) -> resource_pb2.RegisterResourceResponse:
        if request.remote:
            self._refuse(context, f"{NEEDS_CLI}: remote component {request.type}")
        if request.type == "pulumi:pulumi:StackReference":
            self._refuse(context, f'unknown stack "{request.name}": {ON_EMPTY_CLOUDS}')
        urn = urn_of(self.stack, self.project, request.parent, request.type, request.name)
        inputs = from_struct(request.object)
        with self._lock:
            self.secrets.update(secret_texts(inputs))
            if urn in self.entries:
                what = f"Duplicate resource URN '{urn}'; try giving it a unique name"
                self.problems.append(PreviewProblem(what, urn=urn))
                return _failed(urn)
            parent = self.entries.get(request.parent)
            if request.parent and parent is None:
                what = f"could not find parent resource {request.parent}"
                self.problems.append(PreviewProblem(what, urn=urn, type=request.type, name=request.name))
            entry = self._entry(request, urn, parent, inputs)
            self.entries[urn] = entry
        if not entry.custom or entry.type.startswith(PROVIDER_PREFIX):
            return self._answer(entry)
        return self._create(entry)

    def RegisterResourceOutputs(  # noqa: N802
        self, request: resource_pb2.RegisterResourceOutputsRequest, context: grpc.ServicerContext
    ) -> empty_pb2.Empty:
        outputs = from_struct(request.outputs)
        with self._lock:
            self.secrets.update(secret_texts(outputs))
            entry = self.entries.get(request.urn)
            if entry is None:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"outputs for an unknown resource {request.urn}")
            else:
                self.entries[request.urn] = replace(entry, outputs=outputs)
        return empty_pb2.Empty()

    def RegisterPackage(  # noqa: N802
        self, request: resource_pb2.RegisterPackageRequest, context: grpc.ServicerContext
    ) -> resource_pb2.RegisterPackageResponse:
        if request.HasField("parameterization") or request.HasField("extension"):
            self._refuse(context, f"{NEEDS_CLI}: parameterized package {request.name}")
        return resource_pb2.RegisterPackageResponse(ref=f"{request.name}@{request.version}")

    def Invoke(  # noqa: N802
        self, request: resource_pb2.ResourceInvokeRequest, context: grpc.ServicerContext
    ) -> resource_pb2.ResourceInvokeResponse:
        if request.tok == "pulumi:pulumi:getResource":
            return self._get_resource(from_struct(request.args).get("urn", ""), context)
        given = plain_fields(from_struct(request.args), reveal=True)
        told = answer(request.tok, given, self._account(package_of(request.tok), request.provider))
        if told is None:
            self._refuse(context, opaque.unknown("the function", request.tok))
        with self._lock:
            self.made_up[request.tok] = 1
        return _returned(told)

    def Call(  # noqa: N802
        self, request: resource_pb2.ResourceCallRequest, context: grpc.ServicerContext
    ) -> NoReturn:
        self._refuse(context, f"{NEEDS_CLI}: method {request.tok}")

    def ReadResource(  # noqa: N802
        self, request: resource_pb2.ReadResourceRequest, context: grpc.ServicerContext
    ) -> resource_pb2.ReadResourceResponse:
        if request.type == "pulumi:pulumi:StackReference":
            self._refuse(context, f'unknown stack "{request.name}": {ON_EMPTY_CLOUDS}')
        if any(request.type in cloud.types for cloud in self.clouds) or opaque.type_of(request.type) is None:
            self._refuse(context, does_not_exist(request.id))
        with self._lock:
            self.made_up[request.type] += 1
        account = self._account(package_of(request.type), request.provider)
        told = with_id(request.type, request.id, opaque.outputs_of_existing(request.type, request.id, account))
        urn = urn_of(self.stack, self.project, request.parent, request.type, request.name)
        return resource_pb2.ReadResourceResponse(urn=urn, properties=to_struct(told))

    def ExistsResource(  # noqa: N802
        self, request: resource_pb2.ExistsResourceRequest, context: grpc.ServicerContext
    ) -> NoReturn:
        self._refuse(context, f"{NEEDS_CLI}: asking whether {request.type} {request.id} exists")

    def SignalAndWaitForShutdown(  # noqa: N802
        self, _request: empty_pb2.Empty, _context: grpc.ServicerContext
    ) -> empty_pb2.Empty:
        return empty_pb2.Empty()

    # What the calls share.

    def _entry(
        self,
        request: resource_pb2.RegisterResourceRequest,
        urn: str,
        parent: RegistryEntry | None,
        inputs: dict[str, Any],
    ) -> RegistryEntry:
        provider = provider_of(request, parent)
        if request.custom and not request.type.startswith(PROVIDER_PREFIX):
            provider = provider or self._default_provider(package_of(request.type), request.version)
            self._expect_provider(provider.rpartition("::")[0], urn, request)
        providers = {**(parent.providers if parent else {}), **request.providers} if not request.custom else {}
        return RegistryEntry(
            urn=urn,
            type=request.type,
            name=request.name,
            parent=request.parent,
            custom=request.custom,
            inputs=inputs,
            outputs=inputs,
            id=request.importId,
            dependencies=tuple(sorted(request.dependencies)),
            property_dependencies={
                key: tuple(sorted(request.propertyDependencies[key].urns))
                for key in sorted(request.propertyDependencies)
                if request.propertyDependencies[key].urns
            },
            provider=provider,
            providers=providers,
            options=options_of(request, parent, self.stack, self.project),
        )

    def _default_provider(self, package: str, version: str) -> str:
        name = f"default_{version.replace('.', '_')}" if version else "default"
        type_ = PROVIDER_PREFIX + package
        urn = urn_of(self.stack, self.project, "", type_, name)
        if urn not in self.entries:
            inputs = {"version": version} if version else {}
            self.entries[urn] = RegistryEntry(urn, type_, name, "", True, inputs, inputs, implicit=True)
        return f"{urn}::{UNKNOWN_ON_WIRE}"

    def _expect_provider(self, provider: str, urn: str, request: resource_pb2.RegisterResourceRequest) -> None:
        if provider not in self.entries:
            what = f"unknown provider {provider}"
            self.problems.append(PreviewProblem(what, urn=urn, type=request.type, name=request.name))

    def _create(self, entry: RegistryEntry) -> resource_pb2.RegisterResourceResponse:
        cloud = cloud_of(self.clouds, entry.type)
        if cloud is None:
            problems = [PreviewProblem(opaque.unknown("the resource type", entry.type))]
        else:
            inputs = cloud.named(entry.type, entry.name, entry.inputs, entry.urn)
            outputs = cloud.outputs(entry.type, inputs)
            outputs |= {
                key: as_secret(outputs[key]) for key in entry.options.additional_secret_outputs if key in outputs
            }
            entry = replace(entry, inputs=inputs, outputs=outputs)
            problems = cloud.check(entry.type, plain_fields(inputs, reveal=True))
        with self._lock:
            self.entries[entry.urn] = entry
            if cloud is not None and entry.type not in cloud.types:
                self.made_up[entry.type] += 1
            # Without an SDK there is no plugin, and then the engine names no resource either.
            named = {"type": entry.type, "name": entry.name} if cloud or sdk_of(entry.type) else {}
            self.problems += [replace(problem, urn=entry.urn, **named) for problem in problems]
            if entry.id:
                opaque_one = cloud is not None and entry.type not in cloud.types
                why = opaque.not_adopted(entry.type, entry.id) if opaque_one else does_not_exist(entry.id)
                self.problems.append(PreviewProblem(why, urn=entry.urn))
        return _failed(entry.urn) if problems else self._answer(entry)

    def _answer(self, entry: RegistryEntry) -> resource_pb2.RegisterResourceResponse:
        # An empty id is an unknown id. Properties that are not in the answer are unknown to the SDK in a dry run.
        return resource_pb2.RegisterResourceResponse(urn=entry.urn, id=entry.id, object=to_struct(entry.outputs))

    def _get_resource(self, urn: str, context: grpc.ServicerContext) -> resource_pb2.ResourceInvokeResponse:
        # The engine itself answers this one: the SDK asks when a resource comes back to it as a reference.
        with self._lock:
            entry = self.entries.get(urn)
        if entry is None:
            context.abort(grpc.StatusCode.NOT_FOUND, f"unknown resource {urn}")
            raise AssertionError(urn)  # abort raises
        return _returned({"urn": entry.urn, "id": entry.id, "state": dict(entry.outputs)})

    def _account(self, package: str, provider: str) -> Account:
        """Whose cloud a call asks: by the provider that it names, else by the stack's config."""
        with self._lock:
            entry = self.entries.get(provider.rpartition("::")[0])
        said = {key.partition(":")[2]: value for key, value in self.config.items() if key.startswith(f"{package}:")}
        return account_of(package, said | (plain_fields(entry.inputs, reveal=True) if entry else {}))

    def _refuse(self, context: grpc.ServicerContext, message: str) -> NoReturn:
        with self._lock:
            self.refusals.append(message)
            self.problems.append(PreviewProblem(message))
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, message)
        raise AssertionError(message)  # abort raises


class EngineService(engine_pb2_grpc.EngineServicer):
    """Log messages of the program, and its root resource."""

    def __init__(self, monitor: Monitor, secrets: Collection[str] = ()) -> None:
        self._monitor = monitor
        self._monitor.secrets.update(secrets)
        self._root = ""

    def Log(  # noqa: N802
        self, request: engine_pb2.LogRequest, _context: grpc.ServicerContext
    ) -> empty_pb2.Empty:
        if severity := SEVERITIES.get(request.severity):
            self._monitor.diagnostics.append(Diagnostic(severity, request.message, request.urn))
        return empty_pb2.Empty()

    def GetRootResource(  # noqa: N802
        self, _request: engine_pb2.GetRootResourceRequest, _context: grpc.ServicerContext
    ) -> engine_pb2.GetRootResourceResponse:
        return engine_pb2.GetRootResourceResponse(urn=self._root)

    def SetRootResource(  # noqa: N802
        self, request: engine_pb2.SetRootResourceRequest, _context: grpc.ServicerContext
    ) -> engine_pb2.SetRootResourceResponse:
        self._root = request.urn
        return engine_pb2.SetRootResourceResponse()

    def RequirePulumiVersion(  # noqa: N802
        self, request: engine_pb2.RequirePulumiVersionRequest, _context: grpc.ServicerContext
    ) -> engine_pb2.RequirePulumiVersionResponse:
        message = f"the program wants pulumi {request.pulumi_version_range}: not checked, there is no CLI here"
        self._monitor.diagnostics.append(Diagnostic("warning", message))
        return engine_pb2.RequirePulumiVersionResponse()


def _returned(values: Mapping[str, Any]) -> resource_pb2.ResourceInvokeResponse:
    told = resource_pb2.ResourceInvokeResponse()
    getattr(told, "return").CopyFrom(to_struct(values))  # a field named by a Python keyword
    return told


def _failed(urn: str) -> resource_pb2.RegisterResourceResponse:
    # FAIL makes the SDK resolve every output as unknown and go on (supportsResultReporting).
    return resource_pb2.RegisterResourceResponse(urn=urn, result=resource_pb2.FAIL)
