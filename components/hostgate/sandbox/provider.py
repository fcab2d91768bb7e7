"""A simulated cloud as a Pulumi provider plugin: what the real engine asks of a provider, from Check to Delete.

Run as `python -m hostgate.sandbox.provider PACKAGE VERSION STATE`; the first line on stdout is the port. STATE is the
file in which the clouds keep what they hold; several provider processes share it.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any, NoReturn

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from hostgate.sandbox.clouds import Cloud, Declaration, clouds_of_engine
from hostgate.sandbox.input_changes import DEFAULTS, Changes, diff
from hostgate.sandbox.lifecycle import Account, Refusal
from hostgate.sandbox.preview_problems import PreviewProblem
from hostgate.sandbox.service import Service
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

    def CheckConfig(self, request: provider_pb2.CheckRequest, _context: _Context) -> provider_pb2.CheckResponse:  # noqa: N802
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, _request: provider_pb2.DiffRequest, _context: _Context) -> provider_pb2.DiffResponse:  # noqa: N802
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(  # noqa: N802
        self, request: provider_pb2.ConfigureRequest, _context: _Context
    ) -> provider_pb2.ConfigureResponse:
        said = {key: value for key, value in from_struct(request.args).items() if isinstance(value, str)}
        known = Account()
        self.service.account = Account(
            region=said.get("region", known.region),
            project=said.get("project", known.project),
            subscription=said.get("subscriptionId", known.subscription),
        )
        return provider_pb2.ConfigureResponse(
            acceptSecrets=False, acceptResources=False, acceptOutputs=False, supportsPreview=True
        )

    def Check(self, request: provider_pb2.CheckRequest, context: _Context) -> provider_pb2.CheckResponse:  # noqa: N802
        type_ = self._known(_type(request), context)
        inputs = self._named(type_, request)
        plain = plain_fields({key: value for key, value in inputs.items() if key != DEFAULTS}, reveal=True)
        failures = [
            provider_pb2.CheckFailure(property=problem.path, reason=str(problem))
            for problem in (*self.cloud.check(type_, plain), *self._together(type_, request, plain))
        ]
        auto = self.cloud.types[type_].auto_name
        if auto is not None and auto.property not in inputs:
            reason = f"{auto.property} is missing, and autonaming is turned off"
            failures.append(provider_pb2.CheckFailure(property=auto.property, reason=reason))
        return provider_pb2.CheckResponse(inputs=to_struct(inputs), failures=failures)

    def Diff(self, request: provider_pb2.DiffRequest, context: _Context) -> provider_pb2.DiffResponse:  # noqa: N802
        type_ = self._known(_type(request), context)
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
        type_ = self._known(_type(request), context)
        inputs = from_struct(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(properties=to_struct(_shown(self.cloud.outputs(type_, inputs))))
        try:
            made = self.service.create(type_, _plain(inputs))
        except Refusal as refused:
            _abort(context, f"creating {_name(request)}", refused)
        return provider_pb2.CreateResponse(id=made.id, properties=to_struct(made.outputs))

    def Update(self, request: provider_pb2.UpdateRequest, context: _Context) -> provider_pb2.UpdateResponse:  # noqa: N802
        type_ = self._known(_type(request), context)
        inputs = from_struct(request.news)
        if request.preview:
            had = from_struct(request.old_inputs)
            computed = {key: value for key, value in from_struct(request.olds).items() if key not in had}
            return provider_pb2.UpdateResponse(properties=to_struct(_shown({**computed, **inputs})))
        try:
            made = self.service.update(type_, request.id, _plain(inputs))
        except Refusal as refused:
            _abort(context, f"updating {_name(request)}", refused)
        return provider_pb2.UpdateResponse(properties=to_struct(made.outputs))

    def Delete(self, request: provider_pb2.DeleteRequest, context: _Context) -> empty_pb2.Empty:  # noqa: N802
        type_ = self._known(_type(request), context)
        try:
            self.service.delete(type_, request.id)
        except Refusal as refused:
            if refused.kind != "missing":
                _abort(context, f"deleting {_name(request)}", refused)
        return empty_pb2.Empty()

    def Read(self, request: provider_pb2.ReadRequest, context: _Context) -> provider_pb2.ReadResponse:  # noqa: N802
        type_ = self._known(_type(request), context)
        try:
            held = self.service.read(type_, request.id)
        except Refusal as refused:
            _abort(context, f"reading {_name(request)}", refused)
        if held is None:
            return provider_pb2.ReadResponse(id="")
        # What the provider had filled in itself stays marked so; of an import nothing is (tfbridge, schema.go).
        inputs = {**held.inputs, DEFAULTS: from_struct(request.inputs).get(DEFAULTS) or []}
        return provider_pb2.ReadResponse(id=held.id, properties=to_struct(held.outputs), inputs=to_struct(inputs))

    def Invoke(self, request: provider_pb2.InvokeRequest, context: _Context) -> NoReturn:  # noqa: N802
        context.abort(
            grpc.StatusCode.UNIMPLEMENTED, f"the simulated {self.cloud.package} cloud answers no call of {request.tok}"
        )

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
        auto = self.cloud.types[type_].auto_name
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
            self.cloud.types[type_],
            self.cloud.lifecycles[type_],
            _inputs(request),
            from_struct(request.news),
            tuple(request.ignoreChanges),
            from_struct(request.olds),
        )

    def _known(self, type_: str, context: _Context) -> str:
        if type_ not in self.cloud.types:
            known = ", ".join(sorted(self.cloud.types))
            context.abort(
                grpc.StatusCode.INVALID_ARGUMENT, f"the simulated cloud does not know {type_}. Known types: {known}"
            )
        return type_


def _type(request: Any) -> str:
    """The type of a request; older engines put it in the URN only."""
    return str(request.type or request.urn.split("::")[2].rpartition("$")[2])


def _name(request: Any) -> str:
    return str(request.name or request.urn.rpartition("::")[2])


def _inputs(request: Any) -> dict[str, Any]:
    """The inputs of the state, which an engine sends if it can."""
    return from_struct(request.old_inputs if len(request.old_inputs.fields) else request.olds)


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
            Provider(clouds_of_engine()[package], version, service), server
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
