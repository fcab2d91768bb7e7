"""Clients that leave, come or change on Google Cloud, call by call: nobody is cut from what both plans allow, and nothing opens."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from conformance.catalogs import entry
from engine.lab import Lab, real_engine
from engine.moments import Update, states
from engine.stand_in import StandIn
from hostgate.flows.flow import Flow
from hostgate.review.plan_changes import diff
from hostgate.review.statement import state
from hostgate.sandbox.enforcement_points import points
from review.changes import made

NETWORKS = {"networks": ["projects/acme/global/networks/main"]}
FQDN: dict[str, Any] = {"mechanism": "fqdn", **NETWORKS}
URLS: dict[str, Any] = {"mechanism": "url-filter", **NETWORKS, "zones": ["europe-west1-b"]}
A, B = "tagValues/1", "tagValues/2"
FLOWS: dict[str, dict[str, Any]] = {
    "a host": {"name": "a.acme.example", "address": "198.51.100.7"},
    "private TLS": {"name": "db.internal", "address": "10.9.8.7"},
    "private TCP": {"name": "db.internal", "port": 5432, "protocol": "tcp", "address": "10.9.8.7"},
    "what is in no catalog": {"name": "evil.example", "address": "198.51.100.8"},
    "the same by IPv6": {"name": "evil.example", "address": "2001:db8::8"},
}


def wrong(update: Update, client: str) -> Iterator[str]:
    """Moments at which `client` is cut from what it may reach before and after, or reaches what it may reach in neither."""
    source = f"tag:{client}" if client in (A, B) else client
    six = ":" in client
    flows = {
        what: Flow(source=source, **told)
        for what, told in FLOWS.items()
        if client in (A, B) or (":" in str(told["address"])) == six
    }
    ends = [allowed(held, flows) for held in (update.before, update.after)]
    for call, held in states(update.calls, update.before):
        now = allowed(held, flows)
        for what in flows:
            if now[what] not in {end[what] for end in ends}:
                done = "reaches" if now[what] else "is cut from"
                yield f"after call {call.number} ({call.operation} {call.name}): {client} {done} {what}"


def allowed(held: Any, flows: Mapping[str, Flow]) -> dict[str, bool]:
    (point,) = points(held)
    return {what: point.verdict(flow).allows for what, flow in flows.items()}


def clients(*sources: str, **more: Any) -> dict[str, Any]:
    return {"from": [*sources], **more}


COMES_AND_GOES = [
    (clients(A, B), clients(A), [A, B]),
    (clients(A), clients(B), [A, B]),
    (clients(A), clients(A, B), [A, B]),
    (clients("10.0.0.0/8"), clients("10.1.0.0/16"), ["10.1.2.3", "10.2.3.4"]),
    (clients("10.1.0.0/16"), clients("10.2.0.0/16"), ["10.1.2.3", "10.2.3.4"]),
    (clients("10.0.0.0/8", "fd00::/8"), clients("10.0.0.0/8"), ["10.1.2.3", "fd00::1"]),
    (clients(A, "10.0.0.0/8"), clients(A, "10.1.0.0/16"), [A]),
    ({}, clients(A), [A, B]),
    (clients(A, deny="all"), clients(B, deny="all"), [A, B]),
]


def foretold(options: dict[str, Any], before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    target = f"gcp:{options['mechanism']}"
    rest = {key: value for key, value in options.items() if key != "mechanism"}
    plans = [made(target, [entry("a.acme.example")], **rest, **each) for each in (before, after)]
    (change,) = diff([state(plans[0])], [state(plans[1])])
    return [*change.obstacles]


@pytest.mark.parametrize("options", [FQDN, URLS], ids=["fqdn", "url-filter"])
@pytest.mark.parametrize(("before", "after", "who"), COMES_AND_GOES, ids=str)
def test_with_another_base_where_the_review_asks_for_one_no_moment_is_wrong_for_any_client(
    tmp_path: Path, options: dict[str, Any], before: dict[str, Any], after: dict[str, Any], who: list[str]
) -> None:
    lab = StandIn(tmp_path)
    lab.configure({"gcp": {**options, **before}}, lab.hosts("a.acme.example"))
    lab.brought_up()
    moved = {**after, "base": 2012} if foretold(options, before, after) else after
    assert not foretold(options, before, moved)
    lab.configure({"gcp": {**options, **moved}}, "./ours.yaml")
    update = lab.brought_up()
    assert not [each for client in who for each in wrong(update, client)]


@pytest.mark.parametrize("options", [FQDN, URLS], ids=["fqdn", "url-filter"])
@pytest.mark.parametrize(("before", "after", "who"), COMES_AND_GOES, ids=str)
def test_the_review_asks_for_one_exactly_where_a_moment_would_be_wrong(
    tmp_path: Path, options: dict[str, Any], before: dict[str, Any], after: dict[str, Any], who: list[str]
) -> None:
    lab = StandIn(tmp_path)
    lab.configure({"gcp": {**options, **before}}, lab.hosts("a.acme.example"))
    lab.brought_up()
    lab.configure({"gcp": {**options, **after}}, "./ours.yaml")
    update = lab.brought_up()
    found = [each for client in who for each in wrong(update, client)]
    if who != [A]:  # whether a target is within a range depends on its address, which a flow of it has not
        assert bool(found) == bool(foretold(options, before, after)), found


@real_engine
@pytest.mark.parametrize("options", [FQDN, URLS], ids=["fqdn", "url-filter"])
def test_on_the_real_engine_the_old_deny_goes_before_what_it_stood_behind(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    lab = Lab(tmp_path / "project", tmp_path / "sandbox")
    for sources, base in (([A, B], 2000), ([A], 2012), ([B], 2000), ([A, B], 2000)):
        lab.configure(
            {"gcp": {**options, "from": sources, "base": base}}, lab.hosts("a.acme.example", "b.acme.example")
        )
        ended = lab.pulumi("up", "--yes", "--skip-preview")
        assert ended.ok, ended.output
        if ended.update.before:
            assert not [each for client in (A, B) for each in wrong(ended.update, client)]
