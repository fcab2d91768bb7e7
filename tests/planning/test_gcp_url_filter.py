"""gcp:url-filter: one profile, group and rule for each port; what a filter means; zones, endpoints and where they are."""

from typing import Any

import pytest

from conformance.catalogs import entry, selection
from hostgate.catalog.problems import InputError
from hostgate.catalog.selection import Acceptance, select
from hostgate.flows.flow import Flow
from hostgate.gcp.url_filter import ENDPOINT, ENDPOINT_ASSOCIATION, PROFILE, PROFILE_GROUP
from hostgate.gcp.url_filter_options import UrlFilterOptions
from hostgate.planning.advice import advise
from hostgate.planning.mechanism import CloudObject, mechanism
from hostgate.planning.plan import Plan, draft, plan
from hostgate.review.plan_changes import diff
from hostgate.review.statement import state

TARGET = "gcp:url-filter"
B, C = "europe-west1-b", "europe-west1-c"
NET, OTHER = "projects/p/global/networks/main", "projects/p/global/networks/other"
WEB = [entry(), entry("plain.example", port=80, protocol="http")]
RULE = "compute#firewallPolicyRule"


def made(*entries: Any, **options: Any) -> Plan:
    return plan(selection(entries or [entry()]), TARGET, {"zones": [B], "networks": [NET], **options})


def of(found: Plan, kind: str) -> list[CloudObject]:
    return [each for each in found.objects if each.kind == kind]


def filters(found: Plan, port: int = 443) -> list[tuple[str, int, list[str]]]:
    (profile,) = [each for each in of(found, PROFILE) if each.name.endswith(f"-{port}")]
    listed = profile.body["urlFilteringProfile"]["urlFilters"]
    return [(each["filteringAction"], each["priority"], each["urls"]) for each in listed]


def ids(found: Plan) -> set[str]:
    return {one.id for one in found.findings}


def refusal(**options: Any) -> str:
    with pytest.raises(InputError) as caught:
        made(**options)
    return "\n".join(problem.message for problem in caught.value.problems)


class TestWhatIsRendered:
    def test_the_port_is_held_by_the_rule_and_the_names_by_the_profile_of_its_group(self) -> None:
        found = made(*WEB)
        inspecting = [each for each in of(found, RULE) if each.body["action"] == "apply_security_profile_group"]
        assert [each.body["match"]["layer4Configs"] for each in inspecting] == [
            [{"ipProtocol": "tcp", "ports": ["443"]}],
            [{"ipProtocol": "tcp", "ports": ["80"]}],
        ]
        for port, rule in zip((443, 80), inspecting, strict=True):
            group = f"projects/p/locations/global/securityProfileGroups/hostgate-group-{port}"
            assert rule.body["securityProfileGroup"] == f"//networksecurity.googleapis.com/{group}"
            (held,) = [each for each in of(found, PROFILE_GROUP) if each.body["name"] == group]
            profile = held.body["urlFilteringProfile"]
            assert profile == f"projects/p/locations/global/securityProfiles/hostgate-hosts-{port}"
        assert filters(found, 443)[1][2] == ["cgr.dev"]
        assert filters(found, 80)[1][2] == ["plain.example"]

    def test_a_first_filter_denies_what_nobody_is_called_since_it_decides_about_flows_without_a_name(self) -> None:
        assert filters(made()) == [("DENY", 0, ["nameless.invalid"]), ("ALLOW", 1_000, ["cgr.dev"])]

    def test_audit_and_no_deny_allow_every_name_last_and_have_no_first_filter(self) -> None:
        for options in ({"mode": "audit"}, {"deny": "none"}):
            assert filters(made(**options)) == [("ALLOW", 1_000, ["cgr.dev"]), ("ALLOW", 2_000_000_000, ["*"])]
        assert "AUDIT" in of(made(mode="audit"), PROFILE)[0].body["description"]

    def test_private_ranges_are_passed_on_before_any_rule_that_inspects(self) -> None:
        rules = [(each.name, each.body["priority"]) for each in of(made(*WEB, base=5_000), RULE)]
        assert rules == [
            ("hostgate-private-ipv4", 5_000),
            ("hostgate-private-ipv6", 5_001),
            ("hostgate-inspect-tcp-443", 5_002),
            ("hostgate-inspect-tcp-80", 7_050),
            ("hostgate-deny-ipv4", 10_005_010),
            ("hostgate-deny-ipv6", 10_005_011),
        ]

    def test_a_rule_that_inspects_is_about_every_ipv4_destination_and_names_no_network_context(self) -> None:
        (rule,) = [each for each in of(made(), RULE) if "securityProfileGroup" in each.body]
        assert rule.body["match"]["destIpRanges"] == ["0.0.0.0/0"]
        assert "destNetworkContext" not in rule.body["match"]
        assert "ipv4-only" in ids(made())

    def test_rules_profiles_and_all_else_stand_in_folders_of_their_own(self) -> None:
        folders = {each.kind: each.folder for each in made().objects}
        assert folders.pop(PROFILE) == "profiles"
        assert folders.pop(RULE) == "rules"
        assert set(folders.values()) == {"policy"}

    def test_without_hosts_nothing_is_inspected(self) -> None:
        found = plan(selection([]), TARGET, {"zones": [B], "networks": [NET]})
        assert not of(found, PROFILE)
        assert [each.body["action"] for each in of(found, RULE)] == ["goto_next", "goto_next", "deny", "deny"]


@pytest.mark.parametrize(
    ("match", "passes"),
    [
        ("exact", {"x.example": True, "a.x.example": False, "newx.example": False}),
        ("subtree", {"x.example": False, "a.x.example": True, "b.a.x.example": True, "newx.example": False}),
        (
            "subtree+apex",
            {"x.example": True, "a.x.example": True, "newx.example": False, "x.example.evil.example": False},
        ),
    ],
)
def test_a_star_ends_at_a_label(match: Any, passes: dict[str, bool]) -> None:
    found = made(entry("x.example", match=match))
    assert {name: found.verdict(Flow(name)).allows for name in passes} == passes


class TestFlows:
    @pytest.mark.parametrize(
        ("flow", "action"),
        [
            (Flow("cgr.dev"), "allow"),
            (Flow("cgr.dev", protocol="http"), "allow"),  # SNI and Host are asked alike
            (Flow("evil.example", sni="cgr.dev"), "allow"),  # name-unproven
            (Flow("evil.example"), "block"),
            (Flow("cgr.dev", sni=None), "block"),
            (Flow("cgr.dev", protocol="tcp"), "block"),
            (Flow("cgr.dev", 443, "quic"), "block"),
            (Flow("cgr.dev", 8443), "block"),
            (Flow("cgr.dev", address="2600:1f18::5"), "block"),
            (Flow("intranet.example", address="10.1.2.3"), "allow"),
            (Flow("169.254.169.254", 80, "http"), "allow"),
        ],
        ids=str,
    )
    def test_a_plan_says_what_becomes_of_them(self, flow: Flow, action: str) -> None:
        assert made(entry()).verdict(flow).action == action

    def test_the_rule_of_a_verdict_is_that_of_the_decision_with_its_matcher_string(self) -> None:
        found = made(entry("x.example", match="subtree"))
        assert found.verdict(Flow("a.x.example")).rule == "hostgate-inspect-tcp-443#*.x.example"
        assert found.decisions[0].rule == "hostgate-inspect-tcp-443#*.x.example"

    def test_hosts_that_differ_by_port_do_not_share_one(self) -> None:
        found = made(*WEB)
        assert found.verdict(Flow("plain.example", 80, "http")).allows
        assert not found.verdict(Flow("plain.example", 443)).allows
        assert not found.verdict(Flow("cgr.dev", 80, "http")).allows

    @pytest.mark.parametrize("deny", ["declared", "all"])
    def test_without_a_pass_private_destinations_are_inspected_and_the_plan_says_so(self, deny: str) -> None:
        found = made(deny=deny)
        assert not found.verdict(Flow("intranet.example", address="10.1.2.3")).allows
        assert any("private" in one.message.lower() for one in found.findings if one.id == "deny-cuts")

    def test_a_client_of_an_open_zone_may_reach_everything_on_the_ports_of_the_hosts(self) -> None:
        found = made(open_zones=[C])
        assert "open-zones" in ids(found)
        verdict = found.verdict(Flow("evil.example"))
        assert (verdict.action, verdict.lacks) == (
            "unknown",
            (f"the client is in {C}, which has no firewall endpoint",),
        )
        assert found.verdict(Flow("evil.example", 8443)).action == "block"
        assert found.verdict(Flow("cgr.dev")).action == "allow"

    def test_that_clients_run_in_these_zones_alone_is_assumed_and_said(self) -> None:
        assert B in " ".join(made().place.assumptions)
        assert "zones" in ids(made())

    def test_a_plan_without_zones_says_of_nothing_on_the_ports_of_its_hosts_that_it_is_blocked(self) -> None:
        found = plan(selection(WEB), TARGET)
        for flow in (
            Flow("evil.example"),
            Flow("cgr.dev", sni=None),
            Flow("cgr.dev", 80, "http"),
            Flow("x.dev", 443, "tcp"),
        ):
            verdict = found.verdict(flow)
            assert verdict.action == "unknown", flow
            assert verdict.lacks == (
                "the client's zone has no firewall endpoint, and the plan names no zone that has one",
            )
        assert found.verdict(Flow("cgr.dev")).action == "allow"
        assert found.verdict(Flow("evil.example", 8443)).action == "block"
        assert found.verdict(Flow("evil.example", 443, "quic")).action == "block"

    def test_no_open_zone_frees_whom_the_rules_are_not_about(self) -> None:
        found = made(open_zones=[C], from_=["tagValues/1"], deny="declared")
        assert found.verdict(Flow("evil.example", source="tag:tagValues/1")).action == "unknown"
        assert found.verdict(Flow("evil.example", source="tag:tagValues/2")).action == "block"

    @pytest.mark.parametrize(
        ("options", "action"),
        [
            ({"mtu": 8_500}, "block"),  # the endpoints of the plan are made for it
            ({"mtu": 1_400, "endpoints": {B: "declared"}}, "block"),
            ({"mtu": 1_461, "endpoints": {B: "declared"}}, "unknown"),
            ({"mtu": 8_500, "endpoints": {B: f"projects/p/locations/{B}/firewallEndpoints/theirs"}}, "unknown"),
        ],
        ids=str,
    )
    def test_whether_an_endpoint_of_others_takes_jumbo_frames_is_not_known(
        self, options: dict[str, Any], action: str
    ) -> None:
        found = made(**options)
        verdict = found.verdict(Flow("evil.example"))
        assert verdict.action == action
        assert f"MTU of the networks is at most {options['mtu']};" in " ".join(found.place.assumptions)
        if action == "unknown":
            assert verdict.lacks == (
                f"the endpoint of {B}, which is not of the plan, has no jumbo frames, and the MTU is {options['mtu']}",
            )
            assert "has jumbo frames" in next(one.message for one in found.findings if one.id == "zones")

    def test_where_ipv6_is_left_open_no_verdict_is_about_ipv4_alone(self) -> None:
        assert made(families=["ipv4"]).verdict(Flow("evil.example")).action == "unknown"


class TestWhatIsRefused:
    def test_one_label_unless_deeper_names_are_accepted(self) -> None:
        one = entry("x.example", "x", match="one-label")
        assert draft(selection([one]), TARGET).refused
        accept = [Acceptance(finding="deeper-names", entry="x", because="a test")]
        assert filters(plan(selection([one], accept=accept), TARGET))[1][2] == ["*.x.example"]

    def test_other_ports_than_the_documented_ones_unless_accepted(self) -> None:
        one = entry("x.example", "x", port=8443)
        assert "documented for the ports 80 and 443" in draft(selection([one]), TARGET).decisions[0].reason
        accept = [Acceptance(finding="other-port", entry="x", because="tried it")]
        found = plan(selection([one], accept=accept), TARGET)
        assert found.verdict(Flow("x.example", 8443)).allows

    def test_what_is_wrong_twice_is_not_lifted_by_one_acceptance(self) -> None:
        one = entry("x.example", "x", match="one-label", port=8443)
        for finding in ("deeper-names", "other-port"):
            accept = [Acceptance(finding=finding, entry="x", because="a test")]
            assert draft(selection([one], accept=accept), TARGET).refused

    @pytest.mark.parametrize("protocol", ["tcp", "udp"])
    def test_what_carries_no_name(self, protocol: str) -> None:
        assert draft(selection([entry(protocol=protocol)]), TARGET).refused

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"zones": ["europe-west1"]}, "Allowed: a zone, such as europe-west1-b"),
            ({"zones": [B, B]}, "twice"),
            ({"open_zones": [B]}, "twice"),
            ({"endpoints": {C: "declared"}}, "not under `zones`"),
            ({"endpoints": {B: "mine"}}, "firewallEndpoints/NAME"),
            ({"endpoints": {B: f"projects/p/locations/{C}/firewallEndpoints/e"}}, "Allowed: an endpoint of the zone"),
            ({"mtu": 8_896}, "lower the MTU of the VPC network"),
            ({"organization": "1"}, "`billingProject`"),
            ({"families": ["ipv6"]}, "documented for IPv4"),
            ({"from_": ["fd00::/8"]}, "would inspect everybody's"),
            ({"from_": ["10.0.0.0/8", "fd00::/8"], "families": ["ipv4"]}, "`families` without ipv6"),
            ({"tags": {"Team": "x"}}, "Allowed as a label"),
        ],
    )
    def test_an_option_says_what_is_allowed(self, options: dict[str, Any], said: str) -> None:
        assert said in refusal(**options)


class TestAudit:
    """Filters that allow every name stand before the owner's rules, whatever kind of deny is asked for."""

    ATTACHED = "projects/p/global/firewallPolicies/egress"

    @pytest.mark.parametrize("deny", ["none", "declared", "internet", "all"])
    @pytest.mark.parametrize("clients", [None, ["0.0.0.0/0"], ["::/0"]], ids=str)
    def test_in_anothers_policy_it_opens_to_nobody_who_is_not_named(self, deny: str, clients: list[str] | None) -> None:
        given = {} if clients is None else {"from_": clients}
        said = refusal(attach=self.ATTACHED, mode="audit", deny=deny, **given)
        assert "would open somebody else's policy to everybody" in said
        assert "declared" not in said  # which would open it as well

    @pytest.mark.parametrize("deny", ["declared", "internet", "all"])
    def test_clients_that_are_named_are_the_only_ones_that_its_rules_are_about(self, deny: str) -> None:
        found = made(attach=self.ATTACHED, mode="audit", deny=deny, from_=["tagValues/1"])
        assert all(each.body["targetSecureTags"] == [{"name": "tagValues/1"}] for each in of(found, RULE))

    @pytest.mark.parametrize("mode", ["audit", "enforce"])
    def test_without_a_deny_there_is_none_of_the_owner_either_so_that_is_refused(self, mode: str) -> None:
        said = refusal(attach=self.ATTACHED, mode=mode, deny="none", from_=["tagValues/1"])
        assert "found deny 'none' with `attach`" in said

    @pytest.mark.parametrize(
        ("options", "rest"),
        [
            ({}, "The last rules allow everything else over IPv4 and IPv6 and log it."),
            ({"deny": "declared"}, "No rule of the plan allows the rest or logs it"),
            ({"deny": "none"}, "No last rule logs what enforce would block"),
        ],
        ids=str,
    )
    def test_it_says_on_which_ports_the_filters_allow_every_name_and_what_becomes_of_the_rest(
        self, options: dict[str, Any], rest: str
    ) -> None:
        (said,) = [one.message for one in made(*WEB, mode="audit", **options).findings if one.id == "audit"]
        assert said.startswith("The URL filters allow every name on TCP 80, 443, and their own log has each")
        assert rest in said
        assert not {"deny-cuts", "quic-closed"} & ids(made(*WEB, mode="audit", **options))

    def test_it_says_whom_it_frees_and_from_whose_deny(self) -> None:
        found = made(attach=self.ATTACHED, mode="audit", deny="declared", from_=["tagValues/1"])
        (said,) = [one.message for one in found.findings if one.id == "audit"]
        assert "of the clients under `from`" in said
        assert f"before any later deny of {self.ATTACHED}" in said

    def test_without_hosts_no_filter_allows_anything(self) -> None:
        found = plan(selection([]), TARGET, {"zones": [B], "networks": [NET], "mode": "audit"})
        (said,) = [one.message for one in found.findings if one.id == "audit"]
        assert "filters" not in said


def test_every_host_of_the_reference_revision_fits_its_wildcard_too() -> None:
    hosts = select("chainguard/images@2024-03-28")
    found = {
        each.entry.id: {one.target: one.fit for one in each.advice}
        for each in advise(hosts, asked=["gcp:fqdn", TARGET])
    }
    assert len(found) == 13
    assert {fits[TARGET] for fits in found.values()} == {"ok"}
    assert found["r2-any-bucket"]["gcp:fqdn"] == "refused"
    whole = plan(select("chainguard/images@2024-03-28", choose={"blob-storage": "r2-any-bucket"}), TARGET)
    assert not whole.refused
    assert whole.verdict(Flow("bucket.r2.cloudflarestorage.com")).allows
    assert not whole.verdict(Flow("r2.cloudflarestorage.com")).allows


class TestEndpoints:
    def test_every_zone_has_one_with_an_association_for_each_network(self) -> None:
        found = made(zones=[C, B], networks=[NET, OTHER])
        zones = [each.body["name"].split("/")[3] for each in of(found, ENDPOINT)]
        assert zones == [B, C]
        held = [(each.body["name"].split("/")[3], each.body["network"]) for each in of(found, ENDPOINT_ASSOCIATION)]
        assert held == [(B, NET), (B, OTHER), (C, NET), (C, OTHER)]
        for each in of(found, ENDPOINT_ASSOCIATION):
            assert each.body["firewallEndpoint"] in [one.body["name"] for one in of(found, ENDPOINT)]

    @pytest.mark.parametrize(("mtu", "jumbo"), [(1_460, None), (1_461, True), (8_500, True)])
    def test_larger_packets_need_jumbo_frames_which_are_set_for_good(self, mtu: int, jumbo: bool | None) -> None:
        (endpoint,) = of(made(mtu=mtu), ENDPOINT)
        assert endpoint.body.get("endpointSettings", {}).get("jumboFramesEnabled") is jumbo

    def test_an_endpoint_that_is_there_is_associated_and_a_declared_one_left_alone(self) -> None:
        theirs = f"projects/q/locations/{B}/firewallEndpoints/theirs"
        found = made(zones=[B, C], endpoints={B: theirs, C: "declared"})
        assert not of(found, ENDPOINT)
        assert [each.body["firewallEndpoint"] for each in of(found, ENDPOINT_ASSOCIATION)] == [theirs]
        assert "new-endpoints" not in ids(found)

    def test_what_is_made_says_how_long_it_takes_and_what_is_charged_in_units(self) -> None:
        (one,) = [each for each in made(zones=[B, C]).findings if each.id == "new-endpoints"]
        assert "up to an hour" in one.message
        assert "2 endpoint-hours each hour" in one.message

    def test_an_organization_has_profiles_groups_and_endpoints_and_a_project_the_associations(self) -> None:
        found = made(organization="7", billing_project="pay")
        for kind, parent in ((PROFILE, "organizations/7"), (PROFILE_GROUP, "organizations/7"), (ENDPOINT, "organizations/7"),
                             (ENDPOINT_ASSOCIATION, "projects/p")):  # fmt: skip
            assert all(each.body["name"].startswith(f"{parent}/") for each in of(found, kind)), kind
        assert of(found, ENDPOINT)[0].body["billingProjectId"] == "pay"

    def test_a_group_of_somebody_else_is_applied_and_not_made_and_what_it_lets_pass_is_not_known(self) -> None:
        theirs = "organizations/1/locations/global/securityProfileGroups/web"
        found = made(*WEB, groups={"443": theirs})
        assert [each.name for each in of(found, PROFILE_GROUP)] == ["hostgate-group-80"]
        assert f"//networksecurity.googleapis.com/{theirs}" in [
            each.body.get("securityProfileGroup") for each in of(found, RULE)
        ]
        assert "hostgate-hosts-443" in next(one.message for one in found.findings if one.id == "attached-group")
        assert found.verdict(Flow("cgr.dev")).action == "unknown"
        assert found.verdict(Flow("plain.example", 80, "http")).action == "allow"
        assert "securityProfileGroups/NAME" in refusal(groups={"443": "web"})

    @pytest.mark.parametrize("port", ["8080", "8443", "1"])
    def test_a_group_for_a_port_that_no_host_has_is_said(self, port: str) -> None:
        theirs = "organizations/1/locations/global/securityProfileGroups/web"
        found = made(entry(), groups={port: theirs, "443": theirs})
        (said,) = [one.message for one in found.findings if one.id == "group-unused"]
        assert said == f"{theirs} is given for port {port}, and no rule applies it."
        assert "group-unused" not in ids(made(*WEB, groups={"443": theirs, "80": theirs}))

    @pytest.mark.parametrize("port", ["0", "0443", "65536", "99999", "443 ", "443-444", "https"])
    def test_the_key_of_a_group_is_a_port(self, port: str) -> None:
        theirs = "organizations/1/locations/global/securityProfileGroups/web"
        assert "Allowed: a port as text, such as '443'" in refusal(groups={port: theirs})

    def test_names_leave_room_for_what_an_engine_appends(self) -> None:
        found = made(zones=["northamerica-northeast1-a"], name="n" * 30)
        for kind in (ENDPOINT, ENDPOINT_ASSOCIATION):
            assert all(len(each.name) + len("-1234567") <= 63 for each in of(found, kind)), kind

    def test_networks_stand_beside_attach_since_the_endpoints_are_for_them(self) -> None:
        found = made(attach="projects/p/global/firewallPolicies/egress")
        assert len(of(found, ENDPOINT_ASSOCIATION)) == 1
        assert not of(found, "compute#firewallPolicyAssociation")


class TestWhatADeploymentNeeds:
    @pytest.mark.parametrize(
        ("options", "missing"),
        [
            ({}, "`zones`, `project`"),
            ({"zones": [B]}, "`project`"),
            ({"zones": [B], "project": "p"}, ""),
            ({"zones": [B], "networks": [NET]}, ""),
            ({"zones": [B], "attach": "projects/p/global/firewallPolicies/e"}, "`networks`"),
            ({"zones": [B], "attach": "projects/p/global/firewallPolicies/e", "endpoints": {B: "declared"}}, ""),
        ],
    )
    def test_zones_and_who_they_belong_to(self, options: dict[str, Any], missing: str) -> None:
        lacking = UrlFilterOptions(**options).lacking or ""
        assert [word for word in ("`zones`", "`project`", "`networks`") if f"{word} is missing" in lacking] == [
            word for word in missing.split(", ") if word
        ]

    def test_a_plan_by_catalog_alone_has_none_and_says_so(self) -> None:
        found = plan(selection([entry()]), TARGET)
        assert "no-zones" in ids(found)
        assert found.objects


class TestReview:
    def test_a_zone_that_leaves_opens_there(self) -> None:
        enforcement = [made(zones=zones).options for zones in ([B, C], [B])]
        places = [set(places_of(options)) for options in enforcement]
        assert places[0] - places[1] == {f"zone {C}"}

    @pytest.mark.parametrize(
        ("before", "after", "kinds"),
        [
            ({}, {"mtu": 8_000}, {ENDPOINT}),
            ({"organization": "1", "billing_project": "x"}, {}, {PROFILE, PROFILE_GROUP, ENDPOINT}),
            ({}, {"base": 3_000}, {RULE}),
        ],
    )
    def test_what_replaces_is_told(self, before: dict[str, Any], after: dict[str, Any], kinds: set[str]) -> None:
        (found,) = diff([state(made(**before))], [state(made(**after))])
        assert {each.kind for each in found.objects if each.what == "replaced"} == kinds


def places_of(options: Any) -> tuple[str, ...]:
    return mechanism(TARGET).enforcement(options).places
