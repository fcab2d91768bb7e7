"""What stands beside an allowlist in a stack, as people have met it, over a run of the pack: each is named, none in vain."""

from collections.abc import Iterator, Sequence

import pytest

from hostgate.aws.default_actions import DROP_TO_SERVER
from policies.process import Pack, R, running, write_pack
from policies.resources import (
    GCP_POLICY,
    UNKNOWN,
    application,
    authorization,
    aws_list,
    aws_policy,
    aws_rules,
    azure,
    gateway,
    gcp_classic,
    gcp_denies,
    gcp_rule,
    network,
    proxy_rule,
    tls,
    url_list,
)

OPENNESS = ("void-allow", "no-deny", "datagrams-out", "list-without-drop", "domain-list-any-port", "dead-allow")

APP = azure(application("cgr.dev"))
EDGE = "drop ip any any -> any any (ip_proto:!6; sid:90;)"
NAMES = aws_rules(EDGE, tls("cgr.dev"))
LIST = gcp_rule("cgr.dev")
EVERY = {"ranges": ["0.0.0.0/0", "::/0"], "ports": None, "protocol": "all"}


def ip_group(*addresses: str) -> R:
    held = {"ipAddresses": list(addresses), "ipGroupsName": "all", "resourceGroupName": "rg"}
    return R("azure-native:network:IpGroup", "all", held)


def to_group(resource_group: str = "rg", made_from: Sequence[str] = ("all",)) -> R:
    ids = [f"/subscriptions/s/resourceGroups/{resource_group}/providers/Microsoft.Network/ipGroups/all"]
    made = azure({**network(), "destinationIpGroups": ids}, name="wide")
    return R(made.type, made.name, made.properties, made_from)


def regional(rule: R, kind: str) -> R:
    return R(kind, rule.name, rule.properties, rule.made_from)


def replace_target(association: R, target: str) -> R:
    return R(association.type, association.name, {**association.properties, "attachmentTarget": target})


def guard(line: str) -> R:
    return aws_rules(EDGE, line, tls("cgr.dev"))


REGIONAL = "gcp:compute/regionNetworkFirewallPolicyRule:RegionNetworkFirewallPolicyRule"
ORGANISATION = "gcp:compute/firewallPolicyRule:FirewallPolicyRule"
GROUP = R("gcp:networksecurity/addressGroup:AddressGroup", "g", {"name": "g", "items": ["0.0.0.0/0"], "capacity": 9})
NETWORK = R("gcp:compute/network:Network", "main", {"name": "main"})

THEIRS = R("gcp:compute/firewallPolicy:FirewallPolicy", "quiet", {"firewallPolicyId": "theirs"})
ABOVE = R("gcp:compute/firewallPolicyAssociation:FirewallPolicyAssociation", "theirs", {
    "attachmentTarget": "organizations/1", "firewallPolicy": "theirs"})  # fmt: skip

PLACE = "projects/p/locations/global"
BY_NAME = {
    "priority": 1000, "action": "apply_security_profile_group", "ranges": ["0.0.0.0/0"],
    "securityProfileGroup": f"//networksecurity.googleapis.com/{PLACE}/securityProfileGroups/g",
}  # fmt: skip


def urls(*filters: tuple[str, list[str]]) -> list[R]:
    """A rule that inspects, its group and profile, and an endpoint for whatever network the policy is of."""
    listed = [{"filteringAction": action, "priority": at, "urls": names} for at, (action, names) in enumerate(filters)]
    security = "gcp:networksecurity/"
    return [
        gcp_rule(name="look", **BY_NAME),
        R(f"{security}securityProfileGroup:SecurityProfileGroup", "g",
          {"name": "g", "parent": "projects/p", "urlFilteringProfile": f"{PLACE}/securityProfiles/urls"}),
        R(f"{security}securityProfile:SecurityProfile", "urls",
          {"name": "urls", "parent": "projects/p", "type": "URL_FILTERING", "urlFilteringProfile": {"urlFilters": listed}}),
        R(f"{security}firewallEndpointAssociation:FirewallEndpointAssociation", "a",
          {"network": "projects/p/global/networks/main", "location": "europe-west1-b", "firewallEndpoint": "e"}),
    ]  # fmt: skip


NOBODY = ("DENY", ["nobody.invalid"])


def network_of(mtu: int) -> R:
    return R("gcp:compute/network:Network", "main", {"name": "main", "project": "p", "mtu": mtu})


FAMILY = (
    R("azure-native:network:FirewallPolicy", "parent", {"firewallPolicyName": "parent", "resourceGroupName": "rg"}),
    R("azure-native:network:FirewallPolicy", "hub", {
        "firewallPolicyName": "hub", "basePolicy": {
            "id": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/firewallPolicies/parent"}}, ("parent",)),
)  # fmt: skip

PROXY = (url_list("cgr.dev"), proxy_rule(), *gateway())

CASES: dict[str, tuple[Sequence[R], str, str]] = {
    "B1: a network rule for everything": (
        [APP, azure(network(addresses=["0.0.0.0/0"]), name="wide")], "void-allow", "wide/c/net"),
    "B2: the internet by its service tag": (
        [APP, azure(network(addresses=["Internet"]), name="wide")], "void-allow", "any destination is allowed on port 443"),
    "B2: an IP group that holds everything": (
        [APP, to_group(), ip_group("0.0.0.0/0")], "void-allow", "any destination is allowed on port 443"),
    "B2: an IP group that holds one range": ([APP, to_group(), ip_group("198.51.100.0/24")], "", ""),
    **{
        f"B2: an IP group {what}": ([APP, to_group(*how), ip_group("198.51.100.0/24")], "void-allow", "cannot be judged: ")
        for what, how in {
            "of its name in another resource group": ("other", ("all",)),
            "that is named by hand, in whichever subscription": ("rg", ()),
        }.items()
    },
    "B3: a deny of everything above the names": (
        [APP, azure(network(addresses=["0.0.0.0/0"]), name="none", action="Deny")], "dead-allow", "none/c/net"),
    "B4: a service tag whose addresses nobody sees": (
        [APP, azure(network(addresses=["Storage"]), name="tag")], "void-allow", "cannot be judged: "),
    "B5: a parent policy denies the name": (
        [APP, azure(application("cgr.dev"), name="above", action="Deny", policy="parent"), *FAMILY], "dead-allow", "above/c/app"),
    "B6: what the stateless default passes": (
        [NAMES, aws_policy("rules", stateless=["aws:pass"])], "void-allow", "any destination is allowed on any port"),
    "B7: an allow list in action order drops the rest": (
        [aws_list("cgr.dev", order="DEFAULT_ACTION_ORDER"),
         aws_policy("list", order="DEFAULT_ACTION_ORDER", defaults=[])], "no-deny", "other TCP over IPv4"),
    "B8: a pass of one IP version beside the names": (
        [guard("pass ipv4 any any -> any any (sid:2;)"), aws_policy("rules")], "void-allow", "rules#2"),
    "B9: a goto_next before the deny": (
        [LIST, gcp_rule(name="on", priority=2000, action="goto_next", **EVERY), *gcp_denies()], "deny-elsewhere", "egress"),
    "B9: a deny for some clients": ([LIST, *gcp_denies(match={"srcIpRanges": ["10.0.0.0/8"]})], "deny-elsewhere", "egress"),
    "B9: a deny for some networks": ([LIST, *gcp_denies(match={"destNetworkContext": "INTERNET"})], "deny-elsewhere", "egress"),
    "B10: an allow of everything in a hierarchical policy": (
        [LIST, *gcp_denies(), NETWORK, regional(gcp_rule(name="up", policy="org", **EVERY), ORGANISATION)], "void-allow", "up"),
    "B10: the same beside another policy of the organisation": (
        [LIST, *gcp_denies(), NETWORK, THEIRS, ABOVE, regional(gcp_rule(name="up", policy="org", **EVERY), ORGANISATION)],
        "void-allow", "up: any destination is allowed"),
    "a hierarchical policy of a folder, in a stack without any network": (
        [replace_target(ABOVE, "folders/2"), *(regional(each, ORGANISATION) for each in (
            gcp_rule("cgr.dev", policy="theirs"), gcp_rule(name="up", priority=1, policy="theirs", **EVERY)))],
        "void-allow", "up: any destination is allowed"),
    "B10: the same in a regional one": (
        [LIST, *gcp_denies(), regional(gcp_rule(name="near", policy="near", **EVERY), REGIONAL)], "void-allow",
        "cannot be judged: the client is not in the policy's region. Then any destination is allowed"),
    "B10: an address group of everything": (
        [LIST, gcp_rule(name="wide", match={"destAddressGroups": ["projects/p/locations/global/addressGroups/g"]}), GROUP,
         *gcp_denies()], "void-allow", "wide"),
    "B10: inspection of everything by a list of its own": (
        [LIST, gcp_rule(name="look", priority=900, action="apply_security_profile_group", securityProfileGroup="spg", **EVERY),
         *gcp_denies()], "void-allow", "cannot be judged: the security profile group spg lets it through"),
    "names by a security profile group that denies what has none": (
        [GCP_POLICY, *urls(NOBODY, ("ALLOW", ["cgr.dev"])), *gcp_denies()], "", ""),
    "names by a group whose first filter lets pass what has none": (
        [GCP_POLICY, *urls(("ALLOW", ["cgr.dev"])), *gcp_denies()], "void-allow", "any destination is allowed on port 443"),
    "names by a group, whose network sends more than its endpoint inspects": (
        [GCP_POLICY, *urls(NOBODY, ("ALLOW", ["cgr.dev"])), *gcp_denies(), network_of(8_896)], "void-allow",
        "its MTU of 8896 is above the 1460 bytes of the endpoint of europe-west1-b"),
    "the same, with an MTU that it inspects": (
        [GCP_POLICY, *urls(NOBODY, ("ALLOW", ["cgr.dev"])), *gcp_denies(), network_of(1_400)], "", ""),
    "names by a group, and a last filter for every name": (
        [GCP_POLICY, *urls(NOBODY, ("ALLOW", ["cgr.dev"]), ("ALLOW", ["*"])), *gcp_denies()], "void-allow", "look#*"),
    "names by a group without a deny of the rest": (
        [GCP_POLICY, *urls(NOBODY, ("ALLOW", ["cgr.dev"])), *gcp_denies()[:1]], "no-deny", "no last rule denies IPv6"),
    "names by a group in a network without an endpoint": (
        [GCP_POLICY, *urls(NOBODY, ("ALLOW", ["cgr.dev"]))[:3], *gcp_denies()], "void-allow",
        "cannot be judged: the client's zone has no firewall endpoint"),
    "B11: an allow of everything in a policy elsewhere": (
        [LIST, *gcp_denies(), gcp_rule(name="forged", policy="theirs", ranges=["0.0.0.0/0"])], "void-allow", "forged"),
    "B12: a second list behind the deny of the first": (
        [LIST, *gcp_denies(), gcp_rule("apk.cgr.dev", name="late", priority=9500)], "dead-allow", "apk.cgr.dev: never reached"),
    "a VPC firewall rule before the policy": ([LIST, *gcp_denies(), gcp_classic()], "void-allow", "VPC firewall rules come"),
    "a policy of the stack whose denies come after a goto_next": (
        [GCP_POLICY, LIST, gcp_rule(name="on", priority=2000, action="goto_next", **EVERY), *gcp_denies()], "no-deny", "on"),
    "a policy of the stack whose denies are for some clients": (
        [GCP_POLICY, LIST, *gcp_denies(match={"srcIpRanges": ["10.5.0.0/16"]})], "no-deny", "egress"),
    "a policy of the stack whose denies are for a network scope": (
        [GCP_POLICY, LIST, *gcp_denies(match={"destNetworkScope": "NON_INTERNET"})], "no-deny", "cannot be judged"),
    "a range of Azure that is everything": (
        [APP, azure(network(addresses=["0.0.0.0-255.255.255.255"]), name="wide")], "void-allow", "any destination is allowed"),
    "two ranges of Azure that are everything": (
        [APP, azure(network(addresses=["0.0.0.0-127.255.255.255", "128.0.0.0-255.255.255.255"]), name="wide")], "void-allow",
        "any destination is allowed"),
    "a region of the world": (
        [LIST, gcp_rule(name="us", match={"destRegionCodes": ["US"]}), *gcp_denies()], "void-allow", "cannot be judged"),
    "the addresses of everybody at a cloud": (
        [APP, azure(network(addresses=["AzureCloud"]), name="tag")], "void-allow", "cannot be judged"),
    "an address group of somebody else": (
        [LIST, gcp_rule(name="g", match={"destAddressGroups": ["projects/p/locations/global/addressGroups/x"]}), *gcp_denies()],
        "void-allow", "cannot be judged"),
    "an IP group of somebody else": ([APP, to_group(made_from=())], "void-allow", "cannot be judged"),
    "any destination for one of two accounts": (
        [gcp_rule("cgr.dev", targetServiceAccounts=["a@p.iam.gserviceaccount.com", "b@p.iam.gserviceaccount.com"]),
         gcp_rule(name="b", targetServiceAccounts=["b@p.iam.gserviceaccount.com"], ranges=["0.0.0.0/0"]), *gcp_denies()],
        "void-allow", "any destination"),
    "any name for half of the clients": (
        [guard("pass tls 10.128.0.0/9 any -> any any (sid:2;)"), aws_policy("rules")], "void-allow", "rules#2"),
    "a deny of one of two ports before the names": (
        [gcp_rule("cgr.dev", ports=("80", "443")), gcp_rule(name="no80", priority=900, action="deny", ports=("80",),
         ranges=["0.0.0.0/0"]), *gcp_denies()], "", ""),
    "a port that is none": (
        [LIST, gcp_rule(name="odd", priority=900, ranges=["0.0.0.0/0"], ports=("70000",)), *gcp_denies()],
        "void-allow", "cannot be judged: odd is about its port"),
    "a project that is no text": (
        [LIST, *gcp_denies(), R("gcp:compute/networkFirewallPolicy:NetworkFirewallPolicy", "p",
         {"name": "egress", "project": []})], "", ""),
    "proxy: a rule for every host beside the names": (
        [*PROXY, proxy_rule("true", priority=900, name="wide")], "void-allow", "wide: any destination is allowed on any port"),
    "proxy: a rule for every host but one": (
        [*PROXY, proxy_rule("host() != 'x.example'", priority=1, name="wide")], "void-allow", "any destination is allowed"),
    "proxy: a rule for the port alone": (
        [*PROXY, proxy_rule("destination.port == 443", name="wide")], "void-allow", "any destination is allowed on port 443"),
    "proxy: a rule for another port": ([*PROXY, proxy_rule("destination.port == 22", name="ssh")], "", ""),
    "proxy: a star on the list": (
        [url_list("cgr.dev", "*"), *PROXY[1:]], "void-allow", "cannot be judged: its name is what '*' on the list means"),
    "proxy: a rule that is not read": (
        [*PROXY, proxy_rule("host().matches('.*')", name="other")], "void-allow", "cannot be judged: what the matcher of other"),
    "proxy: a rule whose priority is not known yet": (
        [*PROXY, proxy_rule("true", "DENY", UNKNOWN, "none")], "", ""),
    "proxy: a deny of everything before the names": (
        [*PROXY, proxy_rule("true", "DENY", 1, "none")], "dead-allow", "none: the rule none denies it"),
    "proxy: a deny of everything behind the names": ([*PROXY, proxy_rule("true", "DENY", 900, "none")], "", ""),
    "proxy: a deny of some clients": (
        [*PROXY, proxy_rule("inIpRange(source.ip, '10.1.0.0/16')", "DENY", 1, "some")], "", ""),
    "proxy: an authorization policy on the gateway": (
        [*PROXY, authorization()], "void-allow", "cannot be judged: authz makes it"),
    "proxy: an authorization policy on another": ([*PROXY, authorization(proxy="other")], "", ""),
    "proxy: the names stand in a policy elsewhere, and so does what is wider": (
        [url_list("cgr.dev"), proxy_rule(policy="hub"), proxy_rule("true", priority=900, name="wide", policy="hub")],
        "void-allow", "wide: any destination"),
    "proxy: a firewall rule of another policy is not what the proxy allows": (
        [*PROXY, gcp_rule(policy="hub", name="out", ranges=["0.0.0.0/0"])], "", ""),
    "reject ends UDP as well as a drop": (
        [aws_rules(EDGE.replace("drop ip", "reject ip"), tls("cgr.dev")), aws_policy("rules")], "", ""),
}  # fmt: skip


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pack]:
    with running(write_pack(tmp_path_factory.mktemp("pack"))) as started:
        yield started


@pytest.mark.parametrize("case", CASES)
def test_what_stands_beside_the_names_is_named(case: str, pack: Pack) -> None:
    resources, rule, said = CASES[case]
    answer = pack.stack(resources)
    if not rule:
        assert not [each for policy in OPENNESS for each in answer.of(policy)]
        return
    assert said in "\n".join(message for _, message in answer.of(rule)), answer


FORMS = {
    "a space in a list": ("pass tcp any any -> [0.0.0.0/1, 128.0.0.0/1] 443 (sid:2;)", "any destination"),
    "a tab": ("pass\ttcp any any -> any 443 (sid:2;)", "any destination"),
    "two spaces": ("pass  tcp  any any  -> any 443 (sid:2;)", "any destination"),
    "both ways": ("pass tcp any any <> any 443 (sid:2;)", "any destination"),
    "an indented comment": ("  # pass tcp any any -> any 443 (sid:2;)", ""),
    "an action in upper case": ("PASS tcp any any -> any 443 (sid:2;)", "any destination"),
    "an indented rule": (" pass tcp any any -> any 443 (sid:2;)", "cannot be judged"),
    "a semicolon in quotes": ('pass tcp any any -> any 443 (msg:"a; b"; sid:2;)', "cannot be judged"),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_b16_a_line_is_what_the_engine_reads_or_a_question(form: str, pack: Pack) -> None:
    line, said = FORMS[form]
    found = pack.stack([guard(line), aws_policy("rules")]).of("void-allow")
    assert bool(found) == bool(said)
    assert said in "".join(message for _, message in found)


def test_many_rules_for_a_little_of_the_internet_each_are_one_for_all_of_it(pack: Pack) -> None:
    lines = [f"pass tcp any any -> {first}.0.0.0/8 443 (sid:{first};)" for first in range(1, 200)]
    whole = pack.stack([aws_rules(EDGE, *lines, tls("cgr.dev", sid=300)), aws_policy("rules")])
    assert "any destination is allowed on port 443" in "".join(said for _, said in whole.of("void-allow"))
    some = pack.stack([aws_rules(EDGE, *lines[10:50], tls("cgr.dev", sid=300)), aws_policy("rules")])
    assert not some.of("void-allow")


def test_two_policies_whose_names_are_not_known_yet_are_two(pack: Pack) -> None:
    good, bad = (
        aws_policy("rules", name=name, defaults=defaults)
        for name, defaults in (("good", [DROP_TO_SERVER]), ("bad", ["aws:alert_established"]))
    )
    stack = [
        NAMES,
        *(R(each.type, each.name, {**each.properties, "name": UNKNOWN}, each.made_from) for each in (good, bad)),
    ]
    assert {name for name, _ in pack.stack(stack).of("no-deny")} == {pack.stack([NAMES, bad]).of("no-deny")[0][0]}
