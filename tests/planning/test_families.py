"""An entry over one address family is opened where the mechanism and the clients have it, and refused with a reason elsewhere."""

from typing import Any

import pytest

from conformance.catalogs import MADE, entry, selection
from hostgate.catalog.selection import Acceptance
from hostgate.planning.address_pool import AddressPool, PoolAddress, PoolHost
from hostgate.planning.advice import advise
from hostgate.planning.mechanism import mechanism
from hostgate.planning.options import read_options
from hostgate.planning.plan import draft

SIX = entry("six.example.net", "six", families=("ipv6",))
FOUR = entry("four.example.net", "four", families=("ipv4",))
BOTH = entry("six.example.net", "six", families=("ipv6", "ipv4"))
ARN = "arn:aws:ec2:eu-central-1:123456789012:prefix-list/pl-1"
WIDER = [
    Acceptance(finding=finding, entry="six", because="a test")
    for finding in ("deeper-names", "apex-included", "other-port")
]

OVER_IPV6: list[tuple[str, dict[str, Any], bool]] = [
    ("aws:rules", {}, False),  # clients of HOME_NET have IPv4
    ("aws:rules", {"home_net": ["10.0.0.0/8", "2600:1f18::/56"]}, True),
    ("aws:domain-list", {}, False),
    ("aws:domain-list", {"home_net": ["2600:1f18::/56"]}, True),
    ("aws:dns-firewall", {}, True),  # a question for AAAA is one for the name
    ("gcp:fqdn", {}, True),
    ("gcp:fqdn", {"from_": ["tagValues/1"]}, True),
    ("gcp:fqdn", {"from_": ["10.0.0.0/8"]}, False),
    ("gcp:fqdn", {"from_": ["10.0.0.0/8", "tagValues/1"]}, False),
    ("gcp:fqdn", {"from_": ["10.0.0.0/8", "fd20::/64"]}, True),
    ("gcp:url-filter", {}, False),
    ("gcp:url-filter", {"from_": ["fd20::/64", "10.0.0.0/8"]}, False),
    ("gcp:url-filter", {"deny": "none"}, False),
    ("gcp:web-proxy", {}, False),
    ("gcp:web-proxy", {"mode": "audit"}, False),
    ("azure:application-rules", {}, False),
]


OVER_IPV4: list[tuple[str, dict[str, Any], bool]] = [
    ("aws:rules", {}, True),
    ("aws:rules", {"home_net": ["2600:1f18::/56"]}, False),
    ("aws:rules", {"home_net": ["10.0.0.0/8", "2600:1f18::/56"], "from_": ["2600:1f18::/64"]}, False),
    ("aws:rules", {"home_net": ["10.0.0.0/8", "2600:1f18::/56"]}, True),
    ("aws:domain-list", {"home_net": ["2600:1f18::/56"]}, False),
    ("aws:domain-list", {"home_net": ["2600:1f18::/56"], "mode": "audit"}, False),
    ("gcp:fqdn", {"from_": ["fd20::/64"]}, False),
    ("gcp:fqdn", {"from_": ["fd20::/64", "a@p.iam.gserviceaccount.com"]}, False),
    ("gcp:fqdn", {"from_": ["fd20::/64"], "deny": "declared"}, False),
    ("gcp:fqdn", {"from_": ["fd20::/64", "10.0.0.0/8"]}, True),
    ("gcp:fqdn", {"from_": ["tagValues/1"]}, True),
    ("azure:application-rules", {"from_": ["10.0.0.0/8"]}, True),
]


@pytest.mark.parametrize(
    ("host", "target", "options", "opens"),
    [*((SIX, *case) for case in OVER_IPV6), *((FOUR, *case) for case in OVER_IPV4)],
    ids=str,
)
def test_a_host_over_one_family_alone(host: Any, target: str, options: dict[str, Any], opens: bool) -> None:
    made = draft(selection([host]), target, options)
    (decision,) = made.decisions
    chosen = {target: read_options(mechanism(target).options, options, target)}
    (advised,) = advise(selection([host]), asked=[target], options=chosen)[0].advice
    assert (decision.outcome, advised.fit == "refused") == (("allowed", False) if opens else ("refused", True))
    if not opens:
        assert made.refused
        assert f"over {'IPv6' if host is SIX else 'IPv4'} only" in decision.reason
        assert decision.reason == advised.why


def test_every_target_is_asked() -> None:
    assert {target for target, _, _ in OVER_IPV6} == {*MADE}


@pytest.mark.parametrize("target", MADE)
@pytest.mark.parametrize("host", [BOTH, entry("six.example.net", "six", families=("ipv4",)), entry("six.example.net")])
def test_a_host_that_has_ipv4_too_is_opened_by_its_defaults(target: str, host: Any) -> None:
    assert draft(selection([host]), target).decisions[0].outcome == "allowed"


@pytest.mark.parametrize("target", ["gcp:url-filter", "gcp:web-proxy", "azure:application-rules", "aws:domain-list"])
@pytest.mark.parametrize("match", ["one-label", "subtree"])
def test_no_accepted_widening_opens_a_host_over_ipv6_alone(target: str, match: Any) -> None:
    wide = entry("six.example.net", "six", match=match, port=8443, families=("ipv6",))
    assert draft(selection([wide], accept=WIDER), target).decisions[0].outcome == "refused"


@pytest.mark.parametrize("families", [("ipv4",), ("ipv6",)])
@pytest.mark.parametrize(
    "given", [{"addresses": {"git": ["192.0.2.0/28", "2001:db8::/48"]}}, {"ip_sets": {"git": ARN}}]
)
def test_addresses_on_aws_open_no_host_over_a_family_that_no_client_has(given: dict[str, Any], families: Any) -> None:
    git = entry("git.example", "git", protocol="tcp", port=22, families=families)
    own, other = ("10.0.0.0/8", "2600:1f18::/56")[:: 1 if families == ("ipv4",) else -1]
    assert draft(selection([git]), "aws:rules", {**given, "home_net": [own]}).decisions[0].outcome == "allowed"
    assert draft(selection([git]), "aws:rules", {**given, "home_net": [other]}).decisions[0].outcome == "refused"


def test_addresses_of_another_family_than_the_host_s_open_nothing() -> None:
    git = entry("git.example", "git", protocol="tcp", port=22, families=("ipv4",))
    options = {"addresses": {"git": ["2001:db8::/48"]}, "home_net": ["10.0.0.0/8", "2600:1f18::/56"]}
    (decision,) = draft(selection([git]), "aws:rules", options).decisions
    assert "the families differ" in decision.reason


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_network_rules_of_azure_take_ipv4_as_well(protocol: Any) -> None:
    (decision,) = draft(
        selection([entry(protocol=protocol, port=22, families=("ipv6",))]), "azure:application-rules"
    ).decisions
    assert "over IPv4. Found: a host over IPv6 only" in decision.reason


def test_names_of_google_lead_to_ipv4_addresses_whatever_their_own_have() -> None:
    google = entry("storage.googleapis.com", "g", families=("ipv6",))
    accept = [Acceptance(finding="google-apis", entry="g", because="a test")]
    options = {"google_apis": {"access": "private", "response_policy": "declared"}, "from_": ["10.0.0.0/8"]}
    assert draft(selection([google], accept=accept), "gcp:fqdn", options).decisions[0].outcome == "allowed"


def test_an_accepted_widening_opens_no_port_that_a_mechanism_cannot_take() -> None:
    wide = entry("x.example", "six", match="one-label", port=64_001)
    assert draft(selection([wide], accept=WIDER), "azure:application-rules").decisions[0].outcome == "refused"
    behind = {"network": "projects/p/global/networks/main", "ports": [443, 80],
              "subnetwork": "projects/p/regions/europe-west4/subnetworks/main"}  # fmt: skip
    wide = entry("x.example", "six", match="one-label", port=8443)
    (decision,) = draft(selection([wide], accept=WIDER), "gcp:web-proxy", behind).decisions
    assert "does not listen on port 8443" in decision.reason


def test_a_pool_of_which_no_client_can_use_a_family_of_the_host_refuses_it() -> None:
    pool = AddressPool({"v6.example": PoolHost("v6.example", 86_400, (PoolAddress("2001:db8::7", 0, (("here", 0),)),))})
    only = selection([entry("v6.example", families=("ipv6",))])
    for target, options in (
        ("export:nftables", {"from": ["10.0.0.0/8"]}),
        ("azure:ip-group", {"from": ["10.0.0.0/8"]}),
    ):
        refused = draft(only, target, options, pool=pool)
        assert (refused.refused, refused.objects) == (True, ())


PLAIN_SIX = entry("six.example.net", "six")


@pytest.mark.parametrize(
    ("target", "options", "why", "nearest"),
    [
        ("gcp:address-group", {"from_": ["10.0.0.0/8"]}, "`from` has no clients of it", "ranges of IPv6 to `from`"),
        ("gcp:address-group", {"families": ["ipv4"]}, "`families` leave it out", "add ipv6 to `families`"),
        ("azure:ip-group", {}, "take IPv4 alone", "leave the entry out here"),
        ("export:nftables", {"from_": ["10.0.0.0/8"]}, "`from` has no clients of it", "ranges of IPv6 to `from`"),
    ],
)
def test_a_host_whose_addresses_are_of_no_use_is_told_so_and_not_to_be_refreshed(
    target: str, options: dict[str, Any], why: str, nearest: str
) -> None:
    read = read_options(
        mechanism(target).options, {**options, "addresses": {"six.example.net": ["2001:db8::6"]}}, target
    )
    refused = draft(selection([PLAIN_SIX]), target, read)
    (problem,) = refused.problems
    assert "six.example.net has addresses of IPv6 only" in problem.message
    assert why in problem.message
    assert nearest in problem.message
    assert "refresh" not in problem.message
