"""A simulated cloud as a Pulumi provider plugin: what the real engine asks of a provider during a preview.

Run as `python -m hostgate.sandbox.provider PACKAGE VERSION`; the first line on stdout is the port. It previews: a
Create, Update or Delete that is not part of a preview is refused, so nothing can look deployed that is not.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from hostgate.sandbox import aws, azure, gcp
from hostgate.sandbox.clouds import Cloud
from hostgate.sandbox.values import from_struct, plain_fields, to_struct

CLOUDS: dict[str, Cloud] = {cloud.package: cloud for cloud in (aws.CLOUD, azure.CLOUD, gcp.CLOUD)}

_Context = grpc.ServicerContext


class PreviewProvider(provider_pb2_grpc.ResourceProviderServicer):
    """One simulated cloud. Answers for the types it knows; refuses the rest by name."""

    def __init__(self, cloud: Cloud, version: str) -> None:
        self.cloud = cloud
        self.version = version

    def GetPluginInfo(self, _request: empty_pb2.Empty, _context: _Context) -> plugin_pb2.PluginInfo:  # noqa: N802
        return plugin_pb2.PluginInfo(version=self.version)

    def CheckConfig(self, request: provider_pb2.CheckRequest, _context: _Context) -> provider_pb2.CheckResponse:  # noqa: N802
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, _request: provider_pb2.DiffRequest, _context: _Context) -> provider_pb2.DiffResponse:  # noqa: N802
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(  # noqa: N802
        self, _request: provider_pb2.ConfigureRequest, _context: _Context
    ) -> provider_pb2.ConfigureResponse:
        return provider_pb2.ConfigureResponse(
            acceptSecrets=False, acceptResources=False, acceptOutputs=False, supportsPreview=True
        )

    def Check(self, request: provider_pb2.CheckRequest, context: _Context) -> provider_pb2.CheckResponse:  # noqa: N802
        type_ = self._known(request.type or request.urn.split("::")[2].rpartition("$")[2], context)
        name = request.name or request.urn.rpartition("::")[2]
        inputs = self.cloud.named(type_, name, from_struct(request.news), request.urn)
        failures = [
            provider_pb2.CheckFailure(property=problem.path, reason=str(problem))
            for problem in self.cloud.check(type_, plain_fields(inputs, reveal=True))
        ]
        return provider_pb2.CheckResponse(inputs=to_struct(inputs), failures=failures)

    def Diff(self, request: provider_pb2.DiffRequest, _context: _Context) -> provider_pb2.DiffResponse:  # noqa: N802
        olds, news = from_struct(request.old_inputs or request.olds), from_struct(request.news)
        changed = sorted(key for key in {*olds, *news} if olds.get(key) != news.get(key))
        kind = provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(changes=kind, diffs=changed)

    def Create(self, request: provider_pb2.CreateRequest, context: _Context) -> provider_pb2.CreateResponse:  # noqa: N802
        if not request.preview:
            self._refuse(context, "Create")
        type_ = request.urn.split("::")[2].rpartition("$")[2]
        outputs: dict[str, Any] = self.cloud.outputs(type_, from_struct(request.properties))
        return provider_pb2.CreateResponse(properties=to_struct(outputs))

    def Update(self, request: provider_pb2.UpdateRequest, context: _Context) -> provider_pb2.UpdateResponse:  # noqa: N802
        if not request.preview:
            self._refuse(context, "Update")
        return provider_pb2.UpdateResponse(properties=request.news)

    def Delete(self, _request: provider_pb2.DeleteRequest, context: _Context) -> NoReturn:  # noqa: N802
        self._refuse(context, "Delete")

    def Read(self, _request: provider_pb2.ReadRequest, context: _Context) -> NoReturn:  # noqa: N802
        self._refuse(context, "Read")

    def Invoke(self, _request: provider_pb2.InvokeRequest, context: _Context) -> NoReturn:  # noqa: N802
        self._refuse(context, "Invoke")

    def Cancel(self, _request: empty_pb2.Empty, _context: _Context) -> empty_pb2.Empty:  # noqa: N802
        return empty_pb2.Empty()

    def _known(self, type_: str, context: _Context) -> str:
        if type_ not in self.cloud.types:
            known = ", ".join(sorted(self.cloud.types))
            context.abort(
                grpc.StatusCode.INVALID_ARGUMENT, f"the simulated cloud does not know {type_}. Known types: {known}"
            )
        return type_

    def _refuse(self, context: _Context, what: str) -> NoReturn:
        context.abort(
            grpc.StatusCode.UNIMPLEMENTED, f"the simulated {self.cloud.package} cloud previews only: no {what}"
        )


def main() -> None:
    """Serve one cloud until the engine ends the process."""
    package, version = sys.argv[1], sys.argv[2]
    with ThreadPoolExecutor(8) as executor:
        server = grpc.server(executor, options=[("grpc.max_receive_message_length", -1), ("grpc.so_reuseport", 0)])
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(PreviewProvider(CLOUDS[package], version), server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        sys.stdout.write(f"{port}\n")
        sys.stdout.flush()
        server.wait_for_termination()


if __name__ == "__main__":
    main()
