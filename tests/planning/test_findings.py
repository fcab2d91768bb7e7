"""Findings: one registry, ordered by weight, each where it belongs."""

from dataclasses import replace
from datetime import date

import pytest

from conformance.catalogs import MADE, entry, selection
from hostgate.catalog.model import Origin, Protocol
from hostgate.flows.flow import Flow
from hostgate.planning.findings import KINDS, finding
from hostgate.planning.mechanism import mechanism
from hostgate.planning.plan import Plan, draft, plan

every_target = pytest.mark.parametrize("target", MADE)


def found(made: Plan, id_: str) -> list[str | None]:
    return [one.entry for one in made.findings if one.id == id_]


@pytest.mark.parametrize("id_", KINDS)
def test_every_kind_has_a_meaning_and_a_remedy(id_: str) -> None:
    kind = KINDS[id_]
    assert kind.meaning.endswith(".")
    assert kind.remedy.endswith(".")
    assert finding(id_, "text").severity == kind.severity


def test_an_unregistered_id_cannot_come_into_being() -> None:
    with pytest.raises(KeyError):
        finding("no-such-finding", "text")


def test_a_finding_about_an_entry_carries_where_it_is_written() -> None:
    made = finding("withdrawn", "text", entry(origin=Origin("a.yaml", 3, 11)))
    assert made.as_json()["at"] == "a.yaml:3:11"


@every_target
def test_errors_come_first_then_warnings(target: str) -> None:
    hosts = [entry(), entry("ghcr.io"), entry("x.example.com", match="one-label", port=1, protocol="udp")]
    severities = [one.severity for one in plan(selection(hosts), target).findings]
    assert severities == sorted(severities, key=("error", "warning", "info").index)
    assert severities[0] == "error"


@every_target
def test_a_withdrawn_entry_names_the_revision_and_its_successor(target: str) -> None:
    old = entry("old.example.com", "old", status="withdrawn", withdrawn="2025-06-17", replaced_by="new")
    (one,) = [one for one in plan(selection([old]), target).findings if one.id == "withdrawn"]
    assert one.entry == "old"
    assert "2025-06-17" in one.message
    assert "new took over" in one.message


@every_target
@pytest.mark.parametrize(
    ("kept", "as_of", "ids"),
    [
        ("2025-07-01", None, ["kept"]),
        ("2025-07-01", date(2025, 7, 1), ["kept"]),
        ("2025-07-01", date(2025, 7, 2), ["kept-over", "kept"]),
        ("warn", date(2099, 1, 1), ["kept"]),
    ],
)
def test_a_kept_entry_is_open_with_a_warning_and_an_error_once_its_day_has_passed(
    target: str, kept: str, as_of: date | None, ids: list[str]
) -> None:
    old = entry("old.example.com", "old", status="withdrawn", withdrawn="2025-06-01", kept=kept)
    made = plan(selection([old]), target, as_of=as_of)

    assert [
        one.id for one in made.findings if one.entry == "old" and one.id in ("kept", "kept-over", "withdrawn")
    ] == ids
    assert made.verdict(Flow("old.example.com")).allows
    assert made.objects == plan(selection([replace(old, kept=None)]), target).objects


@every_target
def test_a_catalog_followed_at_latest_is_a_warning(target: str) -> None:
    hosts = replace(selection([entry()]), floating=("chainguard/images@2026-02-23",))
    assert found(plan(hosts, target), "unpinned") == [None]


@every_target
def test_a_shared_host_is_named_and_the_vendors_own_are_not(target: str) -> None:
    made = plan(selection([entry("storage.googleapis.com", "bucket"), entry()]), target)
    assert found(made, "shared-hosting") == ["bucket"]


@every_target
def test_a_plan_for_everybody_says_so(target: str) -> None:
    assert found(plan(selection([entry()]), target), "from-everything") == [None]


@every_target
def test_an_https_entry_says_that_quic_stays_closed_where_ports_are_seen(target: str) -> None:
    sees_ports = {means.sight for means in mechanism(target).means} != {"query-name"}
    assert found(plan(selection([entry()]), target), "quic-closed") == [None] * sees_ports


@every_target
@pytest.mark.parametrize("deny", ["internet", "all"])
def test_what_the_deny_cuts_is_said(target: str, deny: str) -> None:
    assert found(plan(selection([entry()]), target, deny=deny), "deny-cuts") == [None]


@every_target
def test_a_declared_deny_is_said_to_be_elsewhere(target: str) -> None:
    assert found(plan(selection([entry()]), target, deny="declared"), "deny-declared") == [None]


def test_names_of_google_apis_are_poor_fqdn_objects_and_nothing_else_is() -> None:
    hosts = [entry("storage.googleapis.com"), entry("googleapis.com.example.dev"), entry("notgoogleapis.com")]
    assert found(plan(selection(hosts), "gcp:fqdn"), "google-name") == ["storage-googleapis-com"]
    registries = [entry("gcr.io"), entry("mirror.gcr.io"), entry("europe-docker.pkg.dev"), entry("x.a.run.app")]
    assert len(found(plan(selection(registries), "gcp:fqdn"), "google-name")) == 4


@pytest.mark.parametrize("host", ["test--a.vendor.example", "xn--mnchen-3ya.example", "a.b--c.example"])
@pytest.mark.parametrize(("port", "protocol"), [(443, "https"), (5432, "tcp")])
def test_a_double_hyphen_is_in_doubt_on_azure_and_nowhere_else(host: str, port: int, protocol: Protocol) -> None:
    one = entry(host, "one", port=port, protocol=protocol)
    for target in MADE:
        options = {"addresses": {"one": ["203.0.113.7/32"]}} if protocol == "tcp" and target == "aws:rules" else {}
        made = draft(selection([one, entry("single-hyphen.example")]), target, options)
        assert found(made, "doubtful-name") == (["one"] if target.startswith("azure:") and not made.refused else [])
    assert not plan(selection([one]), "azure:application-rules").refused


def test_own_lookup_without_a_survey_is_a_warning_and_wire_is_none() -> None:
    assert found(plan(selection([entry()]), "gcp:fqdn"), "no-survey") == [None]
    assert found(plan(selection([entry()]), "aws:rules"), "no-survey") == []


def test_a_private_suffix_of_one_company_is_shared_only_as_a_wildcard() -> None:
    one, wide = entry("ours.github.io", "one"), entry("github.io", "wide", match="subtree")
    assert found(plan(selection([one, wide]), "aws:rules"), "shared-hosting") == ["wide"]
