"""The monitor speaks the engine's protocol where no ordinary program takes it."""

import re
from typing import NoReturn

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime import rpc
from pulumi.runtime.proto import engine_pb2, resource_pb2

from hostgate.sandbox import wire_values as values
from hostgate.sandbox.clouds import Cloud
from hostgate.sandbox.monitor import FEATURES, EngineService, Monitor


class Context:
    """The one thing that a servicer asks of its context here."""

    def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        raise RuntimeError(f"{code.name}: {details}")


@pytest.fixture
def monitor(toy: Cloud) -> Monitor:
    return Monitor("demo", "dev", [toy])


def register(monitor: Monitor, **fields: object) -> resource_pb2.RegisterResourceResponse:
    request = resource_pb2.RegisterResourceRequest(
        **{"type": "toy:index:Box", "name": "a", "custom": True, "object": values.to_struct({"size": 1}), **fields}
    )
    return monitor.RegisterResource(request, Context())


def test_the_marks_on_the_wire_are_the_sdks_own() -> None:
    assert values.UNKNOWN_ON_WIRE == rpc.UNKNOWN
    assert rpc._special_sig_key == values.SIGNATURE
    assert rpc._special_secret_sig == values.SECRET_SIGNATURE
    assert rpc._special_asset_sig == values.ASSET_SIGNATURE
    assert rpc._special_archive_sig == values.ARCHIVE_SIGNATURE
    assert rpc._special_resource_sig == values.RESOURCE_SIGNATURE
    assert rpc._special_output_value_sig == values.OUTPUT_SIGNATURE


def test_only_what_is_implemented_is_announced(monitor: Monitor) -> None:
    ask = resource_pb2.SupportsFeatureRequest
    for feature in ("transforms", "resourceHooks", "errorHooks", "parameterization", "nonsense"):
        assert not monitor.SupportsFeature(ask(id=feature), Context()).hasSupport
    assert all(monitor.SupportsFeature(ask(id=feature), Context()).hasSupport for feature in FEATURES)
    info = monitor.GetDeploymentInfo(empty_pb2.Empty(), Context())
    assert set(info.supportedFeatures) == set(FEATURES.values())
    assert info.dryRun


def test_a_parent_must_be_there(monitor: Monitor) -> None:
    register(monitor, parent="urn:pulumi:dev::demo::x:y:Z::nobody")
    assert [problem.what for problem in monitor.problems] == [
        "could not find parent resource urn:pulumi:dev::demo::x:y:Z::nobody"
    ]


def test_a_provider_must_be_there(monitor: Monitor) -> None:
    register(monitor, provider="urn:pulumi:dev::demo::pulumi:providers:toy::gone::id")
    assert "unknown provider" in monitor.problems[0].what


def test_a_failed_registration_answers_fail_so_that_the_program_goes_on(monitor: Monitor) -> None:
    answer = register(monitor, object=values.to_struct({"size": 77}))
    assert answer.result == resource_pb2.FAIL
    assert answer.urn == "urn:pulumi:dev::demo::toy:index:Box::a"


def test_a_resource_that_comes_back_as_a_reference_is_found(monitor: Monitor) -> None:
    urn = register(monitor).urn
    ask = resource_pb2.ResourceInvokeRequest(tok="pulumi:pulumi:getResource", args=values.to_struct({"urn": urn}))
    found = values.from_struct(getattr(monitor.Invoke(ask, Context()), "return"))
    assert (found["urn"], found["id"], found["state"]["size"]) == (urn, "", 1)


def test_output_values_are_understood(monitor: Monitor) -> None:
    unknown = {values.SIGNATURE: values.OUTPUT_SIGNATURE, "dependencies": ["urn:x"]}
    secret = {values.SIGNATURE: values.OUTPUT_SIGNATURE, "value": "swordfish", "secret": True}
    known = {values.SIGNATURE: values.OUTPUT_SIGNATURE, "value": [1, unknown]}
    register(monitor, object=values.to_struct({"size": 1, "nested": {"u": unknown, "s": secret, "k": known}}))
    (box,) = (entry for entry in monitor.ordered() if not entry.implicit)
    assert box.shown().inputs["nested"] == {"u": values.UNKNOWN, "s": "[secret]", "k": [1, values.UNKNOWN]}
    assert monitor.secrets == {"swordfish"}


@pytest.mark.parametrize(
    ("method", "says"),
    [
        ("ExistsResource", "needs the pulumi CLI: "),
        ("Call", "needs the pulumi CLI: "),
        ("Invoke", "the Python SDK of the provider toy, "),
        ("ReadResource", "resource '1' does not exist: a preview is of empty clouds. "),
    ],
)
def test_what_is_not_a_preview_is_refused(monitor: Monitor, method: str, says: str) -> None:
    request = {
        "ExistsResource": resource_pb2.ExistsResourceRequest(type="toy:index:Box", id="1"),
        "Call": resource_pb2.ResourceCallRequest(tok="toy:index:Box/open"),
        "Invoke": resource_pb2.ResourceInvokeRequest(tok="toy:index:find"),
        "ReadResource": resource_pb2.ReadResourceRequest(type="toy:index:Box", id="1"),
    }[method]
    with pytest.raises(RuntimeError, match=re.escape(f"FAILED_PRECONDITION: {says}")):
        getattr(monitor, method)(request, Context())


def test_the_engine_keeps_messages_but_not_debug_noise(monitor: Monitor) -> None:
    engine = EngineService(monitor)
    for severity in (engine_pb2.DEBUG, engine_pb2.INFO, engine_pb2.WARNING, engine_pb2.ERROR):
        engine.Log(engine_pb2.LogRequest(severity=severity, message="x"), Context())
    assert [said.severity for said in monitor.diagnostics] == ["info", "warning", "error"]
    engine.SetRootResource(engine_pb2.SetRootResourceRequest(urn="urn:x"), Context())
    assert engine.GetRootResource(engine_pb2.GetRootResourceRequest(), Context()).urn == "urn:x"
    engine.RequirePulumiVersion(engine_pb2.RequirePulumiVersionRequest(pulumi_version_range=">=3"), Context())
    assert "not checked" in monitor.diagnostics[-1].message


def test_assets_are_shown_without_their_marks() -> None:
    wire = {"file": {values.SIGNATURE: values.ASSET_SIGNATURE, "path": "a.txt"}}
    assert values.plain_fields(wire) == {"file": {"path": "a.txt"}}
