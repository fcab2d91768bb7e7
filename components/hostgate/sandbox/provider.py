"""A simulated cloud as a Pulumi provider plugin: what the real engine asks of a provider, from Check to Delete.

Run as `python -m hostgate.sandbox.provider PACKAGE VERSION STATE`; the first line on stdout is the port. STATE is the
file in which the clouds keep what they hold; several provider processes share it.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any, NoReturn

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from hostgate.planning.resource_types import ResourceType
from hostgate.sandbox import opaque
from hostgate.sandbox.clouds import Cloud, Declaration, cloud_of_engine, with_id
from hostgate.sandbox.functions import account_of, answer
from hostgate.sandbox.input_changes import DEFAULTS, Changes, diff
from hostgate.sandbox.lifecycle import Refusal
from hostgate.sandbox.preview_problems import PreviewProblem
from hostgate.sandbox.schema import YAML_TOKENS, schema_of
from hostgate.sandbox.sdk import sdks
from hostgate.sandbox.service import Service, lifecycle_of
from hostgate.sandbox.state import State
from hostgate.sandbox.wire_values import from_struct, plain_fields, to_struct

_Context = grpc.ServicerContext

_CODES = {
    "exists": grpc.StatusCode.ALREADY_EXISTS,
    "missing": grpc.StatusCode.NOT_FOUND,
    "refused": grpc.StatusCode.FAILED_PRECONDITION,
    "failed": grpc.StatusCode.ABORTED,
}
_Kind = provider_pb2.PropertyDiff
_KINDS = {
    ("add", False): _Kind.ADD,
    ("add", True): _Kind.ADD_REPLACE,
    ("delete", False): _Kind.DELETE,
    ("delete", True): _Kind.DELETE_REPLACE,
    ("update", False): _Kind.UPDATE,
    ("update", True): _Kind.UPDATE_REPLACE,
}
_MODES = provider_pb2.CheckRequest.AutonamingOptions


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """One simulated cloud. Answers for the types it knows; refuses the rest by name."""

    def __init__(self, cloud: Cloud, version: str, service: Service) -> None:
        self.cloud = cloud
        self.version = version
        self.service = service
        self._declared: dict[str, Declaration] = {}
        """What a run has asked to have, by URN; the engine checks every resource of a program, changed or not."""
        self._lock = Lock()

    def GetPluginInfo(self, _request: empty_pb2.Empty, _context: _Context) -> plugin_pb2.PluginInfo:  # noqa: N802
        return plugin_pb2.PluginInfo(version=self.version)

    def GetSchema(self, _request: provider_pb2.GetSchemaRequest, context: _Context) -> provider_pb2.GetSchemaResponse:  # noqa: N802
        sdk = sdks().get(self.cloud.package)
        if sdk is None:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, opaque.no_sdk(self.cloud.package))
            raise AssertionError(self.cloud.package)  # abort raises
        told = os.environ.get(YAML_TOKENS)
        wanted = [each for each in told.split(",") if each.startswith(f"{sdk.package}:")] if told is not None else None
        return provider_pb2.GetSchemaResponse(schema=json.dumps(schema_of(sdk, wanted)))

    def CheckConfig(self, request: provider_pb2.CheckRequest, _context: _Context) -> provider_pb2.CheckResponse:  # noqa: N802
        sdk, asked = sdks().get(self.cloud.package), str(from_struct(request.news).get("version", ""))
        failures = []
        if sdk and asked and _major(asked) != _major(sdk.version):
            reason = (
                f"the program asks for version {asked} of the provider {sdk.package}, and the sandbox speaks "
                f"{_major(sdk.version)}.x, as its Python SDK beside hostgate ({sdk.version}) does. Use an SDK of "
                f"{_major(sdk.version)}.x, or install pulumi-{sdk.package} {_major(asked)}.x beside hostgate"
            )
            failures = [provider_pb2.CheckFailure(property="version", reason=reason)]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    def DiffConfig(self, _request: provider_pb2.DiffRequest, _context: _Context) -> provider_pb2.DiffResponse:  # noqa: N802
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(  # noqa: N802
        self, request: provider_pb2.ConfigureRequest, _context: _Context
    ) -> provider_pb2.ConfigureResponse:
        self.service.account = account_of(self.cloud.package, from_struct(request.args))
        return provider_pb2.ConfigureResponse(
            acceptSecrets=False, acceptResources=False, acceptOutputs=False, supportsPreview=True
        )

    def Check(self, request: provider_pb2.CheckRequest, context: _Context) -> provider_pb2.CheckResponse:  # noqa: N802
        type_ = self._known(request, context)
        if type_ not in self.cloud.types:
            self.service.state.note_made_up(type_, request.urn)
        inputs = self._named(type_, request)
        plain = plain_fields({key: value for key, value in inputs.items() if key != DEFAULTS}, reveal=True)
        failures = [
            provider_pb2.CheckFailure(property=problem.path, reason=str(replace(problem, name=_name(request))))
            for problem in (*self.cloud.check(type_, plain), *self._together(type_, request, plain))
        ]
        auto = self._row(type_).auto_name
        if auto is not None and auto.property not in inputs:
            reason = f"{auto.property} is missing, and autonaming is turned off"
            failures.append(provider_pb2.CheckFailure(property=auto.property, reason=reason))
        return provider_pb2.CheckResponse(inputs=to_struct(inputs), failures=failures)

    def Diff(self, request: provider_pb2.DiffRequest, context: _Context) -> provider_pb2.DiffResponse:  # noqa: N802
        type_ = self._known(request, context)
        adopts = type_ not in self.cloud.types and not request.old_inputs.fields and bool(request.news.fields)
        if adopts and not self._holds(type_, request.id):
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, opaque.not_adopted(type_, request.id))
        found = self._diff(type_, request)
        detailed = {
            path: provider_pb2.PropertyDiff(kind=_KINDS[kind, path in found.replacing], inputDiff=True)
            for path, kind in found.paths.items()
        }
        some, none = provider_pb2.DiffResponse.DIFF_SOME, provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(
            changes=some if found.paths else none,
            diffs=found.properties,
            replaces=found.replaced_by,
            deleteBeforeReplace=found.delete_first,
            detailedDiff=detailed,
            hasDetailedDiff=True,
        )

    def Create(self, request: provider_pb2.CreateRequest, context: _Context) -> provider_pb2.CreateResponse:  # noqa: N802
        type_ = self._known(request, context)
        inputs = from_struct(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(properties=to_struct(_shown(self.cloud.outputs(type_, inputs))))
        try:
            made = self.service.create(type_, _plain(inputs))
        except Refusal as refused:
            _abort(context, f"creating {_name(request)}", refused)
        return provider_pb2.CreateResponse(id=made.id, properties=to_struct(with_id(type_, made.id, made.outputs)))

    def Update(self, request: provider_pb2.UpdateRequest, context: _Context) -> provider_pb2.UpdateResponse:  # noqa: N802
        type_ = self._known(request, context)
        inputs = from_struct(request.news)
        if request.preview:
            had, olds = from_struct(request.old_inputs), from_struct(request.olds)
            if type_ in self.cloud.types:
                told = {**{key: value for key, value in olds.items() if key not in had}, **inputs}
            else:
                fresh = self.cloud.outputs(type_, inputs)
                told = {
                    key: olds.get(key, new) if inputs.get(key) == had.get(key) else new for key, new in fresh.items()
                }
            return provider_pb2.UpdateResponse(properties=to_struct(_shown(told)))
        try:
            made = self.service.update(type_, request.id, _plain(inputs), request.ignoreChanges)
        except Refusal as refused:
            _abort(context, f"updating {_name(request)}", refused)
        return provider_pb2.UpdateResponse(properties=to_struct(with_id(type_, made.id, made.outputs)))

    def Delete(self, request: provider_pb2.DeleteRequest, context: _Context) -> empty_pb2.Empty:  # noqa: N802
        type_ = self._known(request, context)
        try:
            self.service.delete(type_, request.id)
        except Refusal as refused:
            if refused.kind != "missing":
                _abort(context, f"deleting {_name(request)}", refused)
        return empty_pb2.Empty()

    def Read(self, request: provider_pb2.ReadRequest, context: _Context) -> provider_pb2.ReadResponse:  # noqa: N802
        type_ = self._known(request, context)
        try:
            held = self.service.read(type_, request.id)
        except Refusal as refused:
            _abort(context, f"reading {_name(request)}", refused)
        if held is None and type_ not in self.cloud.types and not request.inputs.fields:
            # A program looks up what was there before; a refresh comes with the inputs of what a stack made.
            self.service.state.note_made_up(type_, request.urn)
            told = with_id(type_, request.id, opaque.outputs_of_existing(type_, request.id, self.service.account))
            return provider_pb2.ReadResponse(id=request.id, properties=to_struct(told), inputs=to_struct({}))
        if held is None:
            return provider_pb2.ReadResponse(id="")
        # What the provider had filled in itself stays marked so; of an import nothing is (tfbridge, schema.go).
        inputs = {**held.inputs, DEFAULTS: from_struct(request.inputs).get(DEFAULTS) or []}
        told = with_id(type_, held.id, held.outputs)
        return provider_pb2.ReadResponse(id=held.id, properties=to_struct(told), inputs=to_struct(inputs))

    def Invoke(self, request: provider_pb2.InvokeRequest, context: _Context) -> provider_pb2.InvokeResponse:  # noqa: N802
        given = plain_fields(from_struct(request.args), reveal=True)
        told = answer(request.tok, given, self.service.account, self.service.state.objects())
        if told is None:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, opaque.unknown("the function", request.tok))
            raise AssertionError(request.tok)  # abort raises
        self.service.state.note_made_up(request.tok, request.tok)
        found = provider_pb2.InvokeResponse()
        getattr(found, "return").CopyFrom(to_struct(told))  # a field named by a Python keyword
        return found

    def Cancel(self, _request: empty_pb2.Empty, _context: _Context) -> empty_pb2.Empty:  # noqa: N802
        return empty_pb2.Empty()

    def _together(
        self, type_: str, request: provider_pb2.CheckRequest, inputs: Mapping[str, Any]
    ) -> Iterator[PreviewProblem]:
        """Why the resource cannot be beside those that were checked before it. A provider that asks an API would find out
        while it makes them, and half of them would be made."""
        with self._lock:
            self._declared[request.urn] = Declaration(request.urn, type_, _name(request), inputs, None)
            declared = list(self._declared.values())
        yield from (problem for problem in self.cloud.check_stack(declared) if problem.urn == request.urn)

    def _named(self, type_: str, request: provider_pb2.CheckRequest) -> dict[str, Any]:
        """The inputs, with a name where the program gave none: the one it had, the engine's, or a new one."""
        inputs, olds = from_struct(request.news), from_struct(request.olds)
        auto = self._row(type_).auto_name
        if auto is None:
            return inputs
        inputs.pop(DEFAULTS, None)
        if inputs.get(auto.property) is not None:
            return {**inputs, DEFAULTS: []}
        kept = olds.get(auto.property) if auto.property in olds.get(DEFAULTS, [auto.property]) else None
        wanted = request.autonaming if request.HasField("autonaming") else None
        if kept is not None:
            inputs[auto.property] = kept
        elif wanted is not None and wanted.mode == _MODES.DISABLE:
            return {**inputs, DEFAULTS: []}
        elif wanted is not None:
            inputs[auto.property] = wanted.proposed_name
        else:
            seed = request.randomSeed.hex() or request.urn
            inputs = self.cloud.named(type_, request.name or request.urn.rpartition("::")[2], inputs, seed)
        return {**inputs, DEFAULTS: [auto.property]}

    def _diff(self, type_: str, request: provider_pb2.DiffRequest) -> Changes:
        return diff(
            self._row(type_),
            lifecycle_of(type_),
            _inputs(request),
            from_struct(request.news),
            tuple(request.ignoreChanges),
            from_struct(request.olds),
        )

    def _known(self, request: Any, context: _Context) -> str:
        """The type of what a request is about. Aborts the call where nobody tells what it is."""
        type_ = _type(request)
        if self.cloud.type_of(type_) is None:
            context.abort(
                grpc.StatusCode.INVALID_ARGUMENT,
                f"{_name(request)} ({type_}): {opaque.unknown('the resource type', type_)}",
            )
        return type_

    def _holds(self, type_: str, id_: str) -> bool:
        with self.service.state.transaction() as now:
            return now.get(type_, id_) is not None

    def _row(self, type_: str) -> ResourceType:
        found = self.cloud.type_of(type_)
        assert found is not None  # _known has looked
        return found


def _major(version: str) -> str:
    return version.removeprefix("v").partition(".")[0]


def _type(request: Any) -> str:
    """The type of a request; older engines put it in the URN only."""
    return str(request.type or request.urn.split("::")[2].rpartition("$")[2])


def _name(request: Any) -> str:
    return str(request.name or request.urn.rpartition("::")[2])


def _inputs(request: Any) -> dict[str, Any]:
    """The inputs of the state, which an engine sends if it can."""
    return from_struct(request.old_inputs if request.HasField("old_inputs") else request.olds)


def _plain(inputs: Mapping[str, Any]) -> dict[str, Any]:
    return plain_fields({key: value for key, value in inputs.items() if not key.startswith("__")}, reveal=True)


def _shown(outputs: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in outputs.items() if not key.startswith("__")}


def _abort(context: _Context, what: str, refused: Refusal) -> NoReturn:
    context.abort(_CODES[refused.kind], f"{what}: {refused}")


BEAT = 1.0
"""Seconds between two looks for the engine."""


def main() -> None:
    """Serve one cloud until the engine ends the process, or is no more."""
    package, version, state = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    service = Service(State(state))
    with ThreadPoolExecutor(16) as executor:
        server = grpc.server(executor, options=[("grpc.max_receive_message_length", -1), ("grpc.so_reuseport", 0)])
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(
            Provider(cloud_of_engine(package), version, service), server
        )
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        sys.stdout.write(f"{port}\n")
        sys.stdout.flush()
        engine = os.getppid()
        while server.wait_for_termination(timeout=BEAT):
            if os.getppid() != engine:  # it was killed: nobody is left to end this process
                os._exit(1)


if __name__ == "__main__":
    main()
