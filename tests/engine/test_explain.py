"""`hostgate explain` says the same of the simulated clouds, of the state that the engine exports, and of its previews."""

import json
from pathlib import Path
from typing import Any

import pytest

from engine.lab import AWS, AZURE, GCP, Lab, real_engine, well
from hostgate.flows.engine_documents import of_preview, of_state
from hostgate.flows.flow import Flow
from hostgate.sandbox.enforcement_points import Point, points, points_of

pytestmark = real_engine

FLOWS = (
    Flow("a.acme.example"), Flow("a.acme.example", 8443), Flow("b.acme.example"), Flow("sub.a.acme.example"),
    Flow("evil.example"), Flow("evil.example", protocol="quic"), Flow("a.acme.example", protocol="icmp"),
    Flow("a.acme.example", source="10.1.2.3"), Flow("a.acme.example", source="192.0.2.1"),
    Flow("a.acme.example", source="account:a@acme.iam.gserviceaccount.com"), Flow("a.acme.example", address="2001:db8::7"),
)  # fmt: skip


def said(found: list[Point]) -> dict[str, list[Any]]:
    return {point.target: [point.verdict(flow) for flow in FLOWS] for point in found}


class Deployed:
    """A stack on all three clouds: previewed, made, exported, and previewed with one host more and one less."""

    def __init__(self, folder: Path) -> None:
        lab = Lab(folder / "project", folder / "sandbox")
        clouds = {"aws": AWS, "gcp": GCP, "azure": AZURE}
        lab.configure(clouds, lab.hosts("a=a.acme.example"))
        self.before = self._preview(lab)
        well(lab.up())
        self.held = said(points(lab.state.objects()))
        exported = lab.pulumi("stack", "export")
        assert exported.ok, exported.output
        self.exported = said(points_of(of_state(_json(exported.output), "export")))
        self.same = self._preview(lab)
        lab.configure(clouds, lab.hosts("b=b.acme.example"))
        self.changing = self._preview(lab)
        well(lab.up())
        self.changed = said(points(lab.state.objects()))

    @staticmethod
    def _preview(lab: Lab) -> dict[str, list[Any]]:
        made = lab.pulumi("preview", "--json", "--show-sames")
        assert made.ok, made.output
        return said(points_of(of_preview(_json(made.output), "preview")))


def _json(output: str) -> Any:
    return json.JSONDecoder().raw_decode(output[output.index("{") :])[0]


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    return Deployed(tmp_path_factory.mktemp("explain"))


def test_the_state_that_the_engine_exports_is_what_the_clouds_hold(deployed: Deployed) -> None:
    assert len(deployed.held) == 3
    assert deployed.exported == deployed.held


def test_a_preview_without_a_change_is_what_the_clouds_hold(deployed: Deployed) -> None:
    assert deployed.same == deployed.held


def test_a_preview_says_what_stands_after_the_update(deployed: Deployed) -> None:
    assert _actions(deployed.changing) == _actions(deployed.changed)
    assert _actions(deployed.changing) != _actions(deployed.held)


def test_the_first_preview_says_nothing_else_than_what_is_made_then(deployed: Deployed) -> None:
    assert _actions(deployed.before) == _actions(deployed.held)


def _actions(verdicts: dict[str, list[Any]]) -> dict[str, list[str]]:
    """Without names that the provider makes up, which differ from one preview to the next."""
    return {target: [verdict.action for verdict in found] for target, found in verdicts.items()}
