"""gcp:fqdn with `googleApis`: which names it is about, what it opens, and where the names lead."""

from typing import Any

import pytest

from conformance.catalogs import entry, selection
from hostgate.catalog.model import Entry
from hostgate.catalog.problems import InputError
from hostgate.catalog.selection import Acceptance
from hostgate.flows.flow import Flow
from hostgate.planning.advice import advise
from hostgate.planning.mechanism import CloudObject, mechanism
from hostgate.planning.options import read_options
from hostgate.planning.plan import Plan, plan

STORAGE = entry("storage.googleapis.com", "storage")
DECLARED = {"access": "private", "responsePolicy": "declared"}
MADE = {"access": "private", "responsePolicy": "make"}
PSC = {"access": "psc", "addresses": ["10.9.9.9", "10.9.9.8"], "responsePolicy": "make"}
RESTRICTED = {"access": "restricted", "responsePolicy": "make"}


def made(*entries: Entry, apis: dict[str, Any] | None = None, **options: Any) -> Plan:
    """The plan of `entries`, of which all that is Google's is accepted by name."""
    hosts = entries or (entry(), STORAGE)
    accept = [
        Acceptance(finding="google-apis", entry=each.id, because="reviewed")
        for each in hosts
        if each.host.endswith(".googleapis.com") and each.port == 443
    ]
    return plan(selection(hosts, accept=accept), "gcp:fqdn", {"googleApis": apis or DECLARED, **options})


def objects(found: Plan, kind: str) -> list[CloudObject]:
    return [each for each in found.objects if each.kind == kind]


def google_rules(found: Plan) -> list[CloudObject]:
    return [each for each in objects(found, "compute#firewallPolicyRule") if "google-apis" in each.name]


def test_it_is_refused_until_it_is_accepted_by_name_that_every_api_opens() -> None:
    refused = plan(selection([entry(), STORAGE]), "gcp:fqdn", {"googleApis": DECLARED})
    (problem,) = refused.problems
    assert problem.entry == "storage"
    assert "every Google API behind 199.36.153.8/30, whatever its name" in problem.message
    assert "accept the finding google-apis for this entry" in problem.message


def test_an_acceptance_for_all_entries_lifts_nothing() -> None:
    accept = [Acceptance(finding="google-apis", because="reviewed")]
    with pytest.raises(InputError, match="no such finding"):
        plan(selection([entry(), STORAGE], accept=accept), "gcp:fqdn", {"googleApis": DECLARED})


def test_what_was_accepted_stays_visible_for_its_entry() -> None:
    (found,) = [one for one in made().findings if one.id == "google-apis"]
    assert (found.entry, found.severity, found.accepted) == ("storage", "warning", "reviewed")


def test_the_hosts_are_one_rule_to_the_addresses_and_no_fqdn_objects() -> None:
    found = made()
    (rule,) = google_rules(found)
    assert rule.body["match"] == {
        "destIpRanges": ["199.36.153.8/30"],
        "layer4Configs": [{"ipProtocol": "tcp", "ports": ["443"]}],
    }
    listed = [name for each in found.objects for name in each.body.get("match", {}).get("destFqdns", ())]
    assert listed == ["cgr.dev"]
    assert {each.entry.id: each.rule for each in found.decisions}["storage"] == "hostgate-google-apis"


@pytest.mark.parametrize(
    ("apis", "ranges"),
    [
        (DECLARED, [["199.36.153.8/30"]]),
        (RESTRICTED, [["199.36.153.4/30"], ["2600:2d00:0002:1000::/64"]]),
        (PSC, [["10.9.9.8/32", "10.9.9.9/32"]]),
    ],
)
def test_a_rule_has_the_addresses_of_one_family_in_a_slot_of_its_own(apis: dict[str, Any], ranges: list[Any]) -> None:
    rules = google_rules(made(apis=apis))
    assert [each.body["match"]["destIpRanges"] for each in rules] == ranges
    assert [each.body["priority"] for each in rules] == [6_096 + index for index in range(len(ranges))]


def test_a_rule_takes_the_clients_of_its_own_family_and_none_is_made_for_a_family_without_clients() -> None:
    both = google_rules(made(apis=RESTRICTED, from_=["10.0.0.0/8", "fd20::/20"]))
    assert [each.body["match"]["srcIpRanges"] for each in both] == [["10.0.0.0/8"], ["fd20::/20"]]
    (only,) = google_rules(made(apis=RESTRICTED, from_=["10.0.0.0/8"]))
    assert only.body["match"]["srcIpRanges"] == ["10.0.0.0/8"]


@pytest.mark.parametrize("host", ["googleapis.com.evil.example", "notgoogleapis.com", "www.google.com", "gcr.io"])
def test_no_other_name_is_led_there(host: str) -> None:
    found = made(entry(host, "other"), STORAGE)
    assert {each.entry.id: each.rule for each in found.decisions}["other"] == "hostgate-allow-tcp-443"


def test_without_hosts_of_google_nothing_more_is_made_and_without_the_option_they_are_fqdn_objects() -> None:
    assert made(entry()).objects == plan(selection([entry()]), "gcp:fqdn").objects
    plain = plan(selection([STORAGE]), "gcp:fqdn")
    assert [one.id for one in plain.findings if one.entry == "storage"].count("google-name") == 1
    assert "google-name" not in {one.id for one in made().findings}


@pytest.mark.parametrize(
    ("port", "protocol", "said"), [(80, "http", "tcp 80"), (443, "udp", "udp 443"), (8443, "https", "tcp 8443")]
)
def test_another_port_or_transport_is_refused_and_no_acceptance_lifts_that(port: int, protocol: Any, said: str) -> None:
    other = entry("storage.googleapis.com", "other", port=port, protocol=protocol)
    found = plan(selection([other]), "gcp:fqdn", {"googleApis": DECLARED})
    assert f"Found: {said}" in found.problems[0].message
    assert "google-apis" not in found.problems[0].message


def test_wildcards_below_googleapis_are_reached_by_the_addresses_too() -> None:
    found = made(entry("run.googleapis.com", match="subtree"))
    assert found.verdict(Flow("a.b.run.googleapis.com")).allows


class TestVerdicts:
    def test_a_host_without_an_address_goes_where_the_response_policy_leads_it(self) -> None:
        for apis in (DECLARED, MADE, PSC, RESTRICTED):
            assert made(apis=apis).verdict(Flow("storage.googleapis.com")).rule == "hostgate-google-apis"

    def test_a_flow_with_an_address_is_judged_by_it_whatever_its_name(self) -> None:
        found = made()
        assert found.verdict(Flow("storage.googleapis.com", address="199.36.153.8")).allows
        assert found.verdict(Flow("evil.example", address="199.36.153.11")).allows
        for address in ("199.36.153.7", "199.36.153.12", "142.250.1.1", "2001:db8::1"):
            assert found.verdict(Flow("storage.googleapis.com", address=address)).action == "block"

    def test_other_ports_of_the_addresses_stay_closed(self) -> None:
        assert made().verdict(Flow("storage.googleapis.com", 80, "http")).action == "block"
        assert made().verdict(Flow("storage.googleapis.com", 443, "quic")).action == "block"

    def test_a_response_policy_that_is_made_leads_the_hosts_and_no_other_name(self) -> None:
        assert made(apis=PSC).verdict(Flow("compute.googleapis.com")).action == "block"
        assert made(apis=DECLARED).verdict(Flow("compute.googleapis.com")).allows

    def test_any_name_may_have_a_public_address_of_google_so_without_one_nobody_can_tell(self) -> None:
        verdict = made(apis=MADE).verdict(Flow("evil.example"))
        assert verdict.action == "unknown"
        assert "its address is in 199.36.153.8/30" in verdict.lacks


class TestResponsePolicy:
    def test_it_answers_each_host_with_every_address_and_a_star_for_what_is_below(self) -> None:
        network = "projects/p/global/networks/n"
        found = made(STORAGE, entry("run.googleapis.com", match="subtree+apex"), apis=MADE, networks=[network])
        (policy,) = objects(found, "dns#responsePolicy")
        assert policy.body["networks"] == [{"networkUrl": network}]
        rules = objects(found, "dns#responsePolicyRule")
        names = ["*.run.googleapis.com.", "run.googleapis.com.", "storage.googleapis.com."]
        assert [each.body["dnsName"] for each in rules] == names
        for each in rules:
            (records,) = each.body["localData"]["localDatas"]
            assert (records["name"], records["type"]) == (each.body["dnsName"], "A")
            assert records["rrdatas"] == ["199.36.153.8", "199.36.153.9", "199.36.153.10", "199.36.153.11"]

    def test_declared_makes_none_and_says_what_has_to_answer(self) -> None:
        assert not any(each.kind.startswith("dns#") for each in made().objects)
        (said,) = [one.message for one in made().findings if one.id == "google-access"]
        assert "an answer for googleapis.com and every name below it with these addresses alone" in said

    def test_rules_are_not_called_after_the_plan_so_that_a_new_name_replaces_none(self) -> None:
        def fixed(found: Plan) -> list[Any]:
            how = mechanism("gcp:fqdn")
            dns = [each for each in found.objects if each.kind.startswith("dns#")]
            return [how.fixed(each, found.objects, found.options) for each in dns]

        assert fixed(made(apis=MADE)) == fixed(made(apis=MADE, name="other"))


def test_restricted_says_that_it_serves_no_more_than_vpc_service_controls_do() -> None:
    (said,) = [one.message for one in made(apis=RESTRICTED).findings if one.id == "google-access"]
    assert "services of VPC Service Controls only" in said


def test_what_the_deny_cuts_no_longer_names_the_addresses_that_are_allowed() -> None:
    (said,) = [one.message for one in made().findings if one.id == "deny-cuts"]
    assert "Google APIs but by 199.36.153.8/30" in said
    assert "199.36.153.4/30" not in said


def test_such_a_host_needs_no_survey() -> None:
    assert not any(one.entry == "storage" and "survey" in one.id for one in made().findings)
    assert "no-survey" not in {one.id for one in made(STORAGE).findings}


def test_advice_is_about_the_way_that_the_options_choose() -> None:
    options = read_options(mechanism("gcp:fqdn").options, {"googleApis": DECLARED}, "gcp:fqdn")
    accept = [Acceptance(finding="google-apis", entry="storage", because="reviewed")]
    hosts = selection([STORAGE], accept=accept)
    (found,) = advise(hosts, asked=["gcp:fqdn"], options={"gcp:fqdn": options})
    assert found.advice[0].fit == "ok"
    assert "Wider than asked, as google-apis is accepted" in found.advice[0].why


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"apis": {"access": "public", "responsePolicy": "make"}}, "'private', 'restricted' or 'psc'"),
        ({"apis": {"access": "private"}}, "`gcp:fqdn.googleApis.responsePolicy` is missing"),
        ({"apis": {"access": "psc", "responsePolicy": "make"}}, "access 'psc' with 0 `addresses`"),
        ({"apis": {**DECLARED, "addresses": ["10.0.0.1"]}}, "access 'private' with 1 `addresses`"),
        ({"apis": {**PSC, "addresses": ["10.0.0.0/24"]}}, "'10.0.0.0/24'"),
        ({"apis": {**PSC, "addresses": ["203.0.113.1"]}}, "private IPv4 address of an endpoint"),
        ({"apis": {**PSC, "addresses": ["fd00::1"]}}, "private IPv4 address of an endpoint"),
        ({"from_": ["fd00::/8"]}, "no IPv4 range under `from`"),
        ({"apis": MADE, "attach": "projects/p/global/firewallPolicies/e"}, "responsePolicy 'make' with `attach`"),
        ({"apis": MADE, "parent": "folders/1"}, "responsePolicy 'make' with a hierarchical policy"),
    ],
)
def test_options_that_do_not_hold_are_refused_with_the_reason(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        made(**options)
    assert said in "\n".join(problem.message for problem in caught.value.problems)
