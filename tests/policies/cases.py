"""For every rule and cloud: what it reports, what it lets pass, what it cannot know, and what it is not about."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

from hostgate.policies.rule_table import RULES
from policies.first_packets import LEFT, STOPPED
from policies.process import R
from policies.resources import (
    DNS_BLOCK,
    DNS_GROUP,
    GCP_POLICY,
    LISTED,
    PROXY_PLACE,
    UNKNOWN,
    application,
    arn_of,
    authorization,
    aws_group,
    aws_list,
    aws_policy,
    aws_rules,
    aws_stateless,
    azure,
    bridged,
    dns_list,
    dns_rule,
    gateway,
    gcp_classic,
    gcp_denies,
    gcp_rule,
    http,
    native_group,
    network,
    proxy_rule,
    stateless,
    tls,
    url_list,
)

Kind = Literal["fails", "passes", "unknown", "not applicable"]
KINDS: tuple[Kind, ...] = ("fails", "passes", "unknown", "not applicable")
UNJUDGED = "cannot be judged: not known before the update"
OPEN_QUESTION = "cannot be judged: "
"""What the evaluator would have to know stands behind it."""


class Case(NamedTuple):
    """One question to a rule. `said` is in the message where the rule objects."""

    rule: str
    cloud: str
    kind: Kind
    resources: Sequence[R]
    said: str = ""
    note: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.rule, self.cloud, self.kind, self.note)))


BUCKET = R("aws:s3/bucket:Bucket", "bucket", {"bucket": UNKNOWN})
VM = R("gcp:compute/instance:Instance", "vm", {"name": UNKNOWN})
VNET = R("azure-native:network:VirtualNetwork", "net", {"location": UNKNOWN})
STRANGERS = {"aws": BUCKET, "gcp": VM, "azure": VNET}
"""A resource of each cloud that no rule is about, although nothing of it is known."""

UNKNOWN_NAMES = {
    "aws": aws_list("cgr.dev", UNKNOWN),
    "gcp": gcp_rule("cgr.dev", UNKNOWN),
    "azure": azure(application("cgr.dev", UNKNOWN)),
}
GOOD = {
    "aws": aws_rules(tls("cgr.dev")),
    "gcp": gcp_rule("cgr.dev"),
    "azure": azure(application("cgr.dev")),
}
R2 = "r2.cloudflarestorage.com"

NO_GUARDS = {
    "datagrams, tunnels": "drop ip $HOME_NET any -> $EXTERNAL_NET any (ip_proto:!6; ip_proto:!17; sid:9;)",
    "of HTTP": "drop http $HOME_NET any -> $EXTERNAL_NET !443 (sid:9;)",
    "of one address": 'drop tls any any -> 198.51.100.1 !443 (tls.sni; content:"cgr.dev"; bsize:7; sid:9;)',
    "of one version": 'drop tls any any -> any !443 (tls.version:1.2; tls.sni; content:"cgr.dev"; bsize:7; sid:9;)',
}
"""Drops before a domain list that leave its names open on some port."""

_LAST = "{} any any -> any any (flow:to_server,established; {}sid:{};)"
_TLS = _LAST.format("reject tls", "ssl_state:client_hello; ", 11)
_HTTP = (
    _LAST.format("reject http", "http.host; bsize:>0; ", 12),
    _LAST.format("reject http", 'http.start; content:"|0d 0a|"; ', 13),
)
_REST = _LAST.format("reject tcp", "app-layer-protocol:!tls; app-layer-protocol:!http1; ", 14)
CLOSED = {
    "rejects in parts": (_TLS, *_HTTP, _REST),
    "all HTTP as one": (_TLS, "drop http any any -> any any (sid:12;)", _REST),
    "public ranges": ("drop ip any any -> [0.0.0.0/0,2000::/3] any (sid:11;)",),
    "all but private ranges": ("drop ip any any -> ![10.0.0.0/8,fc00::/7] any (sid:11;)",),
    "clients inside and outside, each by itself": (
        *(each.replace("reject", "drop") for each in (_TLS, *_HTTP, _REST)),
        "reject tcp $HOME_NET any -> any any (sid:19;)",
    ),
}
OPEN = {
    "no TLS": (*_HTTP, _REST),
    "no HTTP without Host": (_TLS, _HTTP[0], _REST),
    "no other protocol": (_TLS, *_HTTP),
    "one more protocol left out": (_TLS, *_HTTP, _REST.replace("sid", "app-layer-protocol:!ssh; sid")),
    "all but TCP": ("drop ip any any -> any any (ip_proto:!6; ip_proto:!17; sid:11;)",),
    "other clients": tuple(each.replace("any any ->", "$EXTERNAL_NET any ->", 1) for each in (_TLS, *_HTTP, _REST)),
    "clients inside HOME_NET": tuple(
        each.replace("any any ->", "$HOME_NET any ->", 1) for each in (_TLS, *_HTTP, _REST)
    ),
    "clients inside and outside an IPv4 HOME_NET": tuple(
        each.replace("any any ->", f"{side} any ->", 1).replace("sid:", f"sid:{number}")
        for each in (_TLS, *_HTTP, _REST)
        for number, side in enumerate(("$HOME_NET", "$EXTERNAL_NET"), start=1)
    ),
    "all but IPv4 ranges": ("drop ip any any -> ![10.0.0.0/8] any (sid:11;)",),
    "all but HOME_NET": ("drop ip any any -> $EXTERNAL_NET any (sid:11;)",),
    "one source port": ("drop ip any 1024 -> any any (sid:11;)",),
    "some clients": ("drop ip 10.1.0.0/16 any -> any any (sid:11;)",),
    "one port": ("drop tcp any any -> any 443 (sid:11;)",),
    "with a condition": ("drop tcp any any -> any any (geoip:dst,XX; sid:11;)",),
    "half of the internet": ("drop tcp any any -> [0.0.0.0/1,2000::/3] any (sid:11;)",),
    "all but one address": ("drop tcp any any -> !198.51.100.1 any (sid:11;)",),
    "IPv4 only": ("drop tcp any any -> 0.0.0.0/0 any (sid:11;)",),
    "only logged": ("alert tcp any any -> any any (sid:11;)",),
}
"""Last rules of a policy without a default, that deny the rest and that leave something out."""
NOT_STATED = "a rule that is not about this cloud"


def _resources() -> Iterator[Case]:
    """Cases of rules that are asked of one resource."""

    def of(rule: str, cloud: str, kind: Kind, resource: R, said: str = "", note: str = "") -> Case:
        return Case(rule, cloud, kind, [resource], said, note)

    by_name = ("host-not-in-catalog", "host-mistaken", "host-withdrawn", "shared-host", "wider-than-catalog",
               "plain-http", "wildcard-over-others")  # fmt: skip
    for rule in by_name:
        for cloud, resource in UNKNOWN_NAMES.items():
            yield of(rule, cloud, "unknown", resource, UNJUDGED)
        if rule != "wildcard-over-others":
            for cloud, resource in GOOD.items():
                yield of(rule, cloud, "passes", resource)
        yield of(rule, "aws", "not applicable", aws_rules('drop tcp any any -> any any (msg:"all"; sid:1;)'))
        yield of(rule, "gcp", "not applicable", gcp_denies()[0])
        yield of(rule, "azure", "not applicable", azure(network(addresses=["10.1.0.0/16"])))

    for host, said in (
        ("notcgr.dev", "notcgr.dev: in no named catalog (chainguard/images@2024-03-28, acme/ours)"),
        ("apk.cgr.dev", "chainguard/images has it at another revision"),
    ):
        rule = "host-not-in-catalog"
        yield of(rule, "aws", "fails", aws_rules(tls(host)), said, host)
        yield of(rule, "aws", "fails", aws_list(host), said, f"list {host}")
        yield of(rule, "gcp", "fails", gcp_rule(host), said, host)
        yield of(rule, "azure", "fails", azure(application("cgr.dev", host)), said, host)
        yield of(rule, "azure", "fails", azure(network(fqdns=[host])), said, f"network {host}")
    yield of("host-not-in-catalog", "aws", "unknown", aws_group(UNKNOWN), UNJUDGED, "whole contents")
    yield of("host-not-in-catalog", "aws", "unknown", aws_rules(tls("cgr.dev"), "pass tls what is this"),
             "line 2: cannot be judged: no header of the form", "unreadable line")  # fmt: skip
    yield of("host-not-in-catalog", "azure", "unknown", azure({"rule_type": "ApplicationRule", "target_fqdns": ["x.y"]}),
             "cannot be judged: the rule type None", "untranslated keys")  # fmt: skip
    yield of("host-not-in-catalog", "azure", "unknown", azure(application("cgr.dev", fqdnTags=["WindowsUpdate"])),
             "names that are kept elsewhere", "tags")  # fmt: skip
    yield of(
        "host-not-in-catalog",
        "azure",
        "not applicable",
        azure(application("evil.example"), action="Deny"),
        "",
        "denied",
    )
    yield of(
        "host-not-in-catalog", "gcp", "not applicable", gcp_rule("evil.example", direction="INGRESS"), "", "ingress"
    )
    yield of("host-not-in-catalog", "gcp", "not applicable", gcp_rule("evil.example", disabled=True), "", "disabled")

    typo = "typo.acme.example: acme/ours records it as a mistake. Misspelt."
    yield of("host-mistaken", "aws", "fails", aws_rules(tls("typo.acme.example")), typo)
    yield of(
        "host-mistaken", "aws", "fails", aws_list(".rc.cloudflarestorage.com"), "chainguard/images", "vendor's typo"
    )
    apex = "rc.cloudflarestorage.com takes in subtree of rc.cloudflarestorage.com, which chainguard/images records"
    yield of(
        "host-mistaken", "aws", "fails", aws_rules(tls("rc.cloudflarestorage.com")), apex, "apex of the vendor's typo"
    )
    yield of("host-mistaken", "gcp", "fails", gcp_rule("rc.cloudflarestorage.com"), apex, "apex of the vendor's typo")
    yield of("host-mistaken", "gcp", "fails", gcp_rule("typo.acme.example"), typo)
    yield of("host-mistaken", "azure", "fails", azure(application("typo.acme.example")), typo)

    gone = "no longer holds it since 2025-06-17; support took over"
    yield of("host-withdrawn", "aws", "fails", aws_rules(tls("chainguardhelp.zendesk.com")), gone)
    yield of("host-withdrawn", "gcp", "fails", gcp_rule("chainguardhelp.zendesk.com"), gone)
    yield of("host-withdrawn", "azure", "fails", azure(application("chainguardhelp.zendesk.com")), gone)

    wild = "wildcard-over-others"
    below = "anybody can register a name below"
    yield of(wild, "aws", "fails", aws_list(".co.uk"), below, "public suffix")
    yield of(wild, "aws", "fails", aws_list(f".{R2}"), "every R2 account", "shared hosting")
    yield of(wild, "aws", "fails", aws_rules(tls("cgr.dev", match="endswith")), "evilcgr.dev", "half a label")
    yield of(wild, "gcp", "fails", gcp_rule("*.blob.core.windows.net"), "blob.core.windows.net", "shared hosting")
    yield of(wild, "azure", "fails", azure(application(f"*.{R2}")), "every R2 account", "shared hosting")
    yield of(wild, "azure", "fails", azure(application("*cgr.dev")), "evilcgr.dev", "star without dot")
    yield of(wild, "azure", "fails", azure(application("*")), "every name there is", "star")
    yield of(wild, "aws", "passes", aws_list(".wide.acme.example"))
    yield of(wild, "gcp", "passes", gcp_rule("*.wide.acme.example"))
    yield of(wild, "azure", "passes", azure(application("*.wide.acme.example")))

    bucket = "every Cloud Storage bucket is behind"
    yield of("shared-host", "aws", "fails", aws_rules(tls("storage.googleapis.com")), bucket)
    yield of("shared-host", "gcp", "fails", gcp_rule("storage.googleapis.com"), bucket)
    yield of("shared-host", "azure", "fails", azure(application("storage.googleapis.com")), bucket)

    wider = "wider-than-catalog"
    yield of(
        wider, "aws", "fails", aws_list(".cgr.dev"), "allows subtree+apex of cgr.dev; the catalog has cgr.dev", "kind"
    )
    yield of(
        wider, "aws", "fails", aws_rules(tls("cgr.dev", "any")), "allowed on any port, the catalog has port 443", "port"
    )
    yield of(wider, "aws", "fails", aws_rules(tls("cgr.dev", "[443,8443]")), "allowed on port 443, 8443", "ports")
    yield of(wider, "aws", "fails", aws_rules(tls("cgr.dev", match="startswith")), "containing 'cgr.dev'", "prefix")
    yield of(wider, "gcp", "fails", gcp_rule("cgr.dev", ports=["443-444"]), "allowed on port 443-444", "port")
    yield of(wider, "gcp", "fails", gcp_rule("cgr.dev", ports=None), "allowed on any port", "any port")
    yield of(
        wider,
        "gcp",
        "fails",
        gcp_rule("cgr.dev", protocol="udp"),
        "allowed for UDP, the catalog has https on 443",
        "udp",
    )
    yield of(
        wider, "gcp", "fails", gcp_rule("cgr.dev", protocol="all", ports=None), "allowed for every protocol", "all"
    )
    yield of(wider, "azure", "fails", azure(application("cgr.dev", port=8443)), "allowed on port 8443", "port")
    every = azure(network(fqdns=["cgr.dev"], protocols=["Any"]))
    yield of(wider, "azure", "fails", every, "allowed for every protocol", "any")
    yield of(wider, "aws", "passes", aws_rules(http("plain.acme.example")), "", "http")
    yield of(wider, "gcp", "passes", gcp_rule("clock.acme.example", protocol="udp", ports=["123"]), "", "udp")
    yield of(
        wider, "azure", "passes", azure(application("wide.acme.example", "*.wide.acme.example")), "", "apex and below"
    )
    yield of(wider, "azure", "passes", azure(network(fqdns=["shell.acme.example"], ports=["22"])), "", "network rule")
    yield of(wider, "aws", "unknown", aws_rules(tls("cgr.dev", "$WEB")), "cannot be judged: the ports $WEB", "ports")
    yield of(wider, "gcp", "unknown", gcp_rule("cgr.dev", ports=UNKNOWN), UNJUDGED, "ports")
    yield of(wider, "azure", "unknown", azure(application("cgr.dev", port=UNKNOWN)), UNJUDGED, "port")

    plain = "plain-http"
    yield of(plain, "aws", "fails", aws_rules(http("cgr.dev")), "plain HTTP is allowed, the catalog has https on 443")
    yield of(
        plain, "aws", "fails", aws_list("cgr.dev", types=["TLS_SNI", "HTTP_HOST"]), "plain HTTP is allowed", "list"
    )
    yield of(plain, "gcp", "fails", gcp_rule("cgr.dev", ports=["80"]), "port 80 is allowed, the catalog has port 443")
    yield of(plain, "azure", "fails", azure(application("cgr.dev", kind="Http", port=80)), "plain HTTP is allowed")

    empty = "empty-list"
    yield of(empty, "aws", "fails", aws_list(), "a domain list without targets", "list")
    yield of(empty, "aws", "fails", aws_rules("# nothing"), "no rule in it", "rules")
    yield of(empty, "gcp", "fails", gcp_rule(match={"destFqdns": []}), "every address of its other conditions")
    yield of(empty, "azure", "fails", azure(), "a collection without rules")
    yield of(
        empty, "azure", "fails", R("azure-native:network:IpGroup", "ips", {"ipAddresses": []}), "no address", "group"
    )
    for cloud, resource in GOOD.items():
        yield of(empty, cloud, "passes", resource)
        yield of(empty, cloud, "not applicable", STRANGERS[cloud])
    yield of(empty, "aws", "unknown", aws_group({"rulesString": UNKNOWN}), UNJUDGED)
    yield of(empty, "gcp", "unknown", gcp_rule(match={"destFqdns": UNKNOWN}), UNJUDGED)
    yield of(empty, "azure", "unknown", azure(application("cgr.dev", targetFqdns=UNKNOWN)), UNJUDGED)

    room = "capacity-head-room"
    addresses = "gcp:networksecurity/addressGroup:AddressGroup"
    hosts = [tls("cgr.dev", sid=number) for number in range(1, 10)]
    yield of(room, "aws", "fails", aws_rules(*hosts, capacity=10), "9 of 10 capacity units are used")
    yield of(room, "aws", "fails", aws_list("a.example", "b.example", "c.example", capacity=5), "5 of 5", "list")
    yield of(
        room, "gcp", "fails", R(addresses, "a", {"capacity": 2, "items": ["192.0.2.1/32", "192.0.2.2/32"]}), "2 of 2"
    )
    yield of(room, "aws", "passes", aws_rules(*hosts, capacity=12))
    yield of(room, "gcp", "passes", R(addresses, "a", {"capacity": 10, "items": ["192.0.2.1/32"]}))
    yield of(room, "aws", "unknown", aws_rules(*hosts, capacity=UNKNOWN), UNJUDGED)
    yield of(room, "gcp", "unknown", R(addresses, "a", {"capacity": 10, "items": UNKNOWN}), UNJUDGED)
    yield of(room, "aws", "not applicable", aws_policy("rules"))
    yield of(room, "gcp", "not applicable", gcp_rule("cgr.dev"))

    silent = "silent-drop"
    yield of(silent, "aws", "fails", aws_policy("rules", defaults=["aws:drop_strict"]), "without aws:alert_strict")
    yield of(silent, "gcp", "fails", gcp_denies(enableLogging=False)[0], "logging is off")
    yield of(silent, "aws", "passes", aws_policy("rules"))
    yield of(silent, "gcp", "passes", gcp_denies()[0])
    yield of(silent, "aws", "unknown", aws_policy("rules", defaults=UNKNOWN), UNJUDGED)
    yield of(silent, "gcp", "unknown", gcp_denies(enableLogging=UNKNOWN)[0], UNJUDGED)
    yield of(silent, "aws", "not applicable", aws_rules(tls("cgr.dev")))
    yield of(silent, "gcp", "not applicable", gcp_rule("cgr.dev"))

    home = "home-net"
    own = {"ruleVariables": {"ipSets": [{"key": "HOME_NET", "ipSet": {"definitions": ["10.0.0.0/8"]}}]}}
    yield of(home, "aws", "fails", aws_policy("rules", home_net=None), "HOME_NET is not set")
    yield of(home, "aws", "fails", aws_rules(tls("cgr.dev"), **own), "EXTERNAL_NET stays the inverse", "in a group")
    yield of(home, "aws", "passes", aws_policy("rules"))
    yield of(home, "aws", "unknown", aws_policy("rules", home_net=UNKNOWN), UNJUDGED)
    yield of(home, "aws", "not applicable", aws_policy(home_net=None), "", "no groups")

    early = "established-default"
    yield of(early, "aws", "fails", aws_policy("rules", defaults=["aws:drop_established"]), "is aws:drop_established.")
    yield of(early, "aws", "passes", aws_policy("rules"))
    yield of(early, "aws", "unknown", aws_policy("rules", defaults=["aws:alert_strict", UNKNOWN]), UNJUDGED)
    yield of(early, "aws", "not applicable", aws_rules(tls("cgr.dev")))

    unseen = "stateless-drop"
    yield of(unseen, "aws", "fails", aws_policy("rules", stateless=["aws:drop"]), "packets that no stateless rule")
    yield of(
        unseen,
        "aws",
        "fails",
        aws_policy("rules", statelessFragmentDefaultActions=["aws:drop"]),
        "fragments that no",
        "fragments",
    )
    yield of(unseen, "aws", "passes", aws_policy("rules"))
    yield of(unseen, "aws", "unknown", aws_policy("rules", stateless=[UNKNOWN]), UNJUDGED)
    yield of(unseen, "aws", "not applicable", aws_rules(tls("cgr.dev")))
    yield of(unseen, "aws", "not applicable", aws_policy(stateless=["aws:drop"]), "", "no groups")

    broken = "stream-exceptions"
    yield of(broken, "aws", "fails", aws_policy("rules", exceptions="CONTINUE"), "in its middle: CONTINUE")
    yield of(broken, "aws", "fails", aws_policy("rules", exceptions=None), "not set, which is DROP", "not set")
    yield of(broken, "aws", "passes", aws_policy("rules"))
    yield of(broken, "aws", "unknown", aws_policy("rules", exceptions=UNKNOWN), UNJUDGED)
    yield of(broken, "aws", "not applicable", aws_rules(tls("cgr.dev")))
    yield of(broken, "aws", "not applicable", aws_policy(), "", "no groups")

    survey = "unsuitable-name"
    yield of(survey, "gcp", "fails", gcp_rule("apk.cgr.dev"), "unfit on gcp:fqdn: a pool of 400 addresses")
    yield of(survey, "gcp", "fails", gcp_rule("dl.enforce.dev"), "the survey has no verdict", "not surveyed")
    yield of(
        survey,
        "azure",
        "fails",
        azure(network(fqdns=["apk.cgr.dev"])),
        "risky on azure:application-rules: misses 1 in 200",
    )
    yield of(survey, "gcp", "passes", gcp_rule("cgr.dev"))
    yield of(survey, "azure", "passes", azure(network(fqdns=["cgr.dev"])))
    yield of(survey, "gcp", "unknown", gcp_rule(UNKNOWN), UNJUDGED)
    yield of(survey, "azure", "unknown", azure(network(fqdns=[UNKNOWN])), UNJUDGED)
    yield of(survey, "gcp", "not applicable", gcp_denies()[0])
    yield of(survey, "azure", "not applicable", azure(application("apk.cgr.dev")))

    raw = "raw-address"
    by_address = "pass tcp $HOME_NET any -> {} 443 (sid:1;)"
    egress = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
    open_to = {"ipProtocol": "tcp", "fromPort": 443, "toPort": 443}
    yield of(raw, "aws", "fails", aws_rules(by_address.format("203.0.113.7")), "203.0.113.7 is an address of cgr.dev")
    yield of(
        raw, "aws", "fails", R(egress, "sg", {**open_to, "cidrIpv6": "2001:db8::/64"}), "of apk.cgr.dev", "egress rule"
    )
    yield of(raw, "gcp", "fails", gcp_rule(ranges=["203.0.113.0/24"]), "203.0.113.7 is an address of cgr.dev")
    yield of(raw, "azure", "fails", azure(network(addresses=["203.0.113.7"])), "an address of cgr.dev")
    yield of(raw, "aws", "passes", aws_rules(by_address.format("203.0.113.8")))
    yield of(raw, "gcp", "passes", gcp_rule(ranges=["198.51.100.0/24"]))
    yield of(raw, "azure", "passes", azure(network(addresses=["198.51.100.1"])))
    yield of(raw, "aws", "unknown", R(egress, "sg", {**open_to, "cidrIpv4": UNKNOWN}), UNJUDGED)
    yield of(raw, "gcp", "unknown", gcp_rule(ranges=["198.51.100.0/24", UNKNOWN]), UNJUDGED)
    yield of(raw, "azure", "unknown", azure(network(addresses=[UNKNOWN])), UNJUDGED)
    for cloud, resource in GOOD.items():
        yield of(raw, cloud, "not applicable", resource)

    unread = "not-read"
    yield of(empty, "aws", "fails", dns_list(), "a domain list without domains", "DNS")
    yield of("host-not-in-catalog", "aws", "not applicable", dns_list("evil.example"), "", "a list by itself")
    yield of(unread, "aws", "fails", R("aws:ec2/networkAclRule:NetworkAclRule", "r", {}), "holds an entry")
    inside = {"cidrBlocks": ["203.0.113.0/24"], "protocol": "tcp", "fromPort": 443, "toPort": 443}
    legacy = "aws:ec2/securityGroupRule:SecurityGroupRule"
    for name, resource in {
        "default group": R("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "r", {"egress": [inside]}),
        "older rule": R(legacy, "r", {**inside, "type": "egress"}),
        "entry apart": R("aws:ec2/managedPrefixListEntry:ManagedPrefixListEntry", "r", {"cidr": "203.0.113.0/24"}),
        "rule of aws-native": R("aws-native:ec2:SecurityGroupEgress", "r", {
            "groupId": "sg-1", "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIp": "203.0.113.0/24"}),
    }.items():  # fmt: skip
        yield of(unread, "aws", "not applicable", resource, "", name)
        yield of(raw, "aws", "fails", resource, "203.0.113.7 is an address of cgr.dev", name)
    yield of(raw, "aws", "not applicable", R(legacy, "r", {**inside, "type": "ingress"}), "", "older rule inwards")
    yield of(
        raw, "aws", "unknown", R(legacy, "r", {**inside, "type": "egress", "cidrBlocks": UNKNOWN}), UNJUDGED, "older"
    )
    native = R("aws-native:networkfirewall:RuleGroup", "rules", aws_rules(tls("evil.example")).properties)
    yield of("host-not-in-catalog", "aws", "fails", native, "evil.example: in no named catalog", "aws-native")
    yield of(unread, "azure", "fails", R("azure-native:dnsresolver:DnsResolverDomainList", "d", {}), "DNS")
    app = {"name": "app", "sourceAddresses": ["*"], "protocols": [{"type": "Https", "port": 443}]}
    twin = bridged({**app, "destinationFqdns": ["evil.example"]}, kind="application")
    yield of("host-not-in-catalog", "azure", "fails", twin, "evil.example: in no named catalog", "bridged")
    yield of(unread, "azure", "not applicable", twin, "", "bridged")
    net = {"name": "net", "sourceAddresses": ["*"], "protocols": ["TCP"], "destinationPorts": ["443"]}
    yield of(
        survey, "azure", "fails", bridged({**net, "destinationFqdns": ["apk.cgr.dev"]}), "risky on azure", "bridged"
    )
    for cloud, resource in STRANGERS.items():
        yield of(unread, cloud, "not applicable", resource)
        yield of(unread, cloud, "not applicable", GOOD[cloud], "", "read")


def _datagrams() -> Iterator[Case]:
    """Cases of what is not TCP, in one group with a host, in several groups, and before the stateful engine."""
    out = "datagrams-out"
    names = aws_rules(tls("cgr.dev"))
    rest = aws_rules("drop ip any any -> any any (ip_proto:!6; sid:21;)", name="edge")
    both = aws_policy("rules", "edge")
    for note, lines in STOPPED.items():
        yield Case(out, "aws", "passes", [aws_rules(*lines, tls("cgr.dev")), aws_policy("rules")], "", note)
    for note, (lines, said) in LEFT.items():
        yield Case(out, "aws", "fails", [aws_rules(*lines, tls("cgr.dev")), aws_policy("rules")], said, note)
    yield Case(out, "aws", "fails", [aws_list("cgr.dev"), aws_policy("list")], "get out: no default drops it", "a list")
    yield Case(out, "aws", "fails", [aws_policy()], "and no rule of any group does", "nothing but a default")
    home = ["10.0.0.0/8", "8.8.8.0/24"]
    wide = aws_rules("drop ip any any -> [$EXTERNAL_NET,2000::/3] any (ip_proto:!6; sid:21;)", tls("cgr.dev"))
    yield Case(out, "aws", "passes", [wide, aws_policy("rules")], "", "IPv6 beside HOME_NET")
    yield Case(out, "aws", "fails", [wide, aws_policy("rules", home_net=home)],
               "over IPv4 get out to 8.8.8.0/24", "a public range in HOME_NET")  # fmt: skip
    dual = aws_rules("drop ip any any -> $EXTERNAL_NET any (ip_proto:!6; sid:21;)", tls("cgr.dev"))
    yield Case(
        out, "aws", "passes", [dual, aws_policy("rules", home_net=["10.0.0.0/8", "fc00::/7"])], "", "both versions"
    )
    yield Case(out, "aws", "fails", [dual, aws_policy("rules", home_net=None)], "over IPv6 get out", "HOME_NET of AWS")
    yield Case(out, "aws", "unknown", [dual, aws_policy("rules", home_net=UNKNOWN)],
               "its address is not in $HOME_NET", "HOME_NET")  # fmt: skip
    own = {"ruleVariables": {"ipSets": [{"key": "FAR", "ipSet": {"definitions": ["0.0.0.0/0", "::/0"]}}]}}
    by_set = "drop ip any any -> {} any (ip_proto:!6; sid:21;)"
    yield Case(out, "aws", "passes", [aws_rules(by_set.format("$FAR"), tls("cgr.dev"), **own), aws_policy("rules")], "",
               "a variable of the group")  # fmt: skip
    yield Case(out, "aws", "unknown", [aws_rules(by_set.format("@FAR"), tls("cgr.dev")), aws_policy("rules")],
               "cannot be judged: its address is in @FAR", "a set kept elsewhere")  # fmt: skip
    kept = aws_rules("pass udp $HOME_NET any -> @CLOCKS 123 (sid:20;)", *STOPPED["all but TCP"], tls("cgr.dev"))
    yield Case(out, "aws", "passes", [kept, aws_policy("rules")], "", "a pass to a set")
    named = 'pass dns $HOME_NET any -> any 53 (dns.query; content:"corp.example"; endswith; sid:20;)'
    yield Case(out, "aws", "unknown", [aws_rules(named, *STOPPED["all but TCP"], tls("cgr.dev")), aws_policy("rules")],
               "the protocol dns of the rule 20 holds", "a pass of some questions")  # fmt: skip
    yield Case(out, "aws", "unknown", [aws_rules("pass what is this", *STOPPED["everything"]), aws_policy("rules")],
               "no header of the form", "an unreadable line")  # fmt: skip

    yield Case(out, "aws", "passes", [names, rest, both], "", "two groups, their order not known")
    ping = aws_rules("pass icmp any any -> any any (sid:5;)", tls("cgr.dev"))
    yield Case(out, "aws", "unknown", [ping, rest, both],
               "cannot be judged: the order of the rule groups is so, which is not known yet", "order")  # fmt: skip
    arns = [arn_of("edge"), arn_of("rules")]
    yield Case(out, "aws", "passes", [ping, rest, aws_policy("rules", "edge", arns=arns)], "", "the drops first")
    yield Case(out, "aws", "fails", [ping, rest, aws_policy("rules", "edge", arns=arns[::-1])],
               "passes to any destination: ICMP", "the pass first")  # fmt: skip
    action = "DEFAULT_ACTION_ORDER"
    old = [aws_rules(tls("cgr.dev"), "pass icmp any any -> any any (sid:5;)", order=action),
           aws_rules(*STOPPED["all but TCP"], name="edge", order=action)]  # fmt: skip
    yield Case(out, "aws", "fails", [*old, aws_policy("rules", "edge", order=action, defaults=[], arns=arns)],
               "passes to any destination: ICMP", "in action order passes come first")  # fmt: skip
    yield Case(out, "aws", "fails", [aws_rules(tls("cgr.dev"), order=action), aws_policy("rules", order=action, defaults=[])],
               "get out", "action order")  # fmt: skip

    foreign = [arn_of("theirs"), arn_of("edge"), arn_of("rules")]
    yield Case(out, "aws", "unknown", [names, rest, aws_policy("rules", "edge", arns=foreign)],
               "cannot be judged: theirs makes it allow", "a group of others")  # fmt: skip
    yield Case(out, "aws", "passes", [names, rest, aws_policy("rules", "edge", arns=[*arns, foreign[0]])], "",
               "a group of others, after the drops")  # fmt: skip
    yield Case(out, "aws", "unknown", [names, aws_policy("rules", arns=[arn_of("theirs"), arn_of("rules")])],
               "cannot be judged: theirs", "a group of others may stop it")  # fmt: skip
    managed = [arn_of("MalwareDomainsStrictOrder", "aws-managed"), *arns]
    yield Case(out, "aws", "passes", [names, rest, aws_policy("rules", "edge", arns=managed)], "", "a group of AWS")
    yield Case(out, "aws", "fails", [names, aws_policy("rules", arns=[managed[0], arns[1]])], "get out",
               "a group of AWS stops nothing of it")  # fmt: skip
    one_more = aws_policy("rules", arns=[UNKNOWN, UNKNOWN])
    yield Case(
        out, "aws", "unknown", [names, one_more], "cannot be judged: rule group 1 of the policy", "one group more"
    )
    listless = aws_policy("rules", statefulRuleGroupReferences=UNKNOWN)
    yield Case(out, "aws", "unknown", [names, listless], "get out", "no list")
    yield Case(out, "aws", "passes", [names, rest, aws_policy("rules", "edge", statefulRuleGroupReferences=UNKNOWN)], "",
               "no list, but the drops by what it is made from")  # fmt: skip
    yield Case(out, "aws", "unknown", [aws_group(UNKNOWN), aws_policy("group")], OPEN_QUESTION, "contents")
    yield Case(
        out,
        "aws",
        "unknown",
        [names, aws_policy("rules", defaults=UNKNOWN)],
        "a default action of the policy, not known yet",
        "default",
    )
    yield Case(out, "aws", "unknown", [names, aws_policy("rules", order=UNKNOWN)], "get out", "rule order")
    yield Case(out, "aws", "unknown", [names, aws_policy("rules", defaults=["aws:drop_later"])],
               "cannot be judged: aws:drop_later makes it block", "a default of tomorrow")  # fmt: skip
    yield Case(out, "aws", "passes", [names, aws_policy("rules", defaults=["aws:drop_strict"])], "", "drop_strict")
    yield Case(out, "aws", "fails", [names, aws_policy("rules", defaults=[])], "get out", "no default")
    yield Case(out, "aws", "fails", [names, rest, aws_policy("rules", "edge", stateless=["aws:pass"])],
               "aws:pass: packets that no stateless rule takes pass unjudged", "stateless default")  # fmt: skip
    fragments = aws_policy("rules", "edge", statelessFragmentDefaultActions=["aws:pass"])
    yield Case(out, "aws", "fails", [names, rest, fragments], "aws:pass: fragments pass unjudged", "fragments")
    yield Case(
        out, "aws", "unknown", [names, rest, aws_policy("rules", "edge", stateless=UNKNOWN)], OPEN_QUESTION, "stateless"
    )
    yield Case(out, "aws", "passes", [names, aws_policy("rules", stateless=["aws:drop"])], "", "a stateless drop")

    def before(*rules: dict[str, Any], default: str = "aws:forward_to_sfe") -> list[R]:
        policy = aws_policy("rules", stateless=[default], stateless_groups=["first"])
        return [names, aws_stateless(*rules), policy]

    tcp = stateless("aws:forward_to_sfe", protocols=[6])
    yield Case(out, "aws", "passes", before(tcp, stateless("aws:drop", 2)), "", "stateless: TCP on, the rest dropped")
    yield Case(out, "aws", "passes", before(tcp, default="aws:drop"), "", "stateless: TCP on, the default drops")
    yield Case(out, "aws", "fails", before(stateless("aws:forward_to_sfe", protocols=[6, 17]), default="aws:drop"),
               "UDP over IPv4 and IPv6 get out", "stateless: UDP on")  # fmt: skip
    yield Case(out, "aws", "fails", before(stateless("aws:forward_to_sfe"), stateless("aws:drop", 2)), "get out",
               "stateless: the drop comes too late")  # fmt: skip
    everywhere = [{"addressDefinition": "0.0.0.0/0"}]
    yield Case(out, "aws", "fails", before(stateless("aws:drop", destinations=everywhere, protocols=[17, 1, 58])),
               "UDP, ICMP over IPv6; other IP protocols over IPv4 and IPv6 get out", "stateless: IPv4 only")  # fmt: skip
    yield Case(out, "aws", "fails", before(stateless("aws:drop", sources=[{"addressDefinition": "10.0.0.0/8"}])), "get out",
               "stateless: some clients")  # fmt: skip
    yield Case(out, "aws", "fails", before(stateless("aws:drop", destinationPorts=[{"fromPort": 53, "toPort": 53}])),
               "get out", "stateless: one port")  # fmt: skip
    yield Case(out, "aws", "fails", before(stateless("aws:drop", protocols=[UNKNOWN])), "get out", "stateless: unknown")
    # Whether it drops before the rest is handed on, nobody can say yet.
    unordered = {**stateless("aws:drop"), "priority": UNKNOWN}
    yield Case(out, "aws", "fails", before(unordered, stateless("aws:forward_to_sfe", 2)), "get out",
               "stateless: a priority that is not known")  # fmt: skip
    yield Case(out, "aws", "fails", [rest, *before(stateless("aws:pass", protocols=[17]))],
               "aws:pass to any destination, before any other rule: UDP over IPv4", "stateless: a pass")  # fmt: skip
    yield Case(
        out,
        "aws",
        "not applicable",
        [aws_rules("alert ip any any -> any any (sid:1;)"), aws_policy("rules", defaults=[])],
    )
    for cloud in ("gcp", "azure"):
        yield Case(out, cloud, "not applicable", [GOOD[cloud]])


def _stacks() -> Iterator[Case]:
    """Cases of rules that are asked of a stack."""
    lists, rules = aws_list("cgr.dev"), aws_rules(tls("cgr.dev"))
    none = aws_policy("list", "rules", defaults=[])
    unknown = aws_policy("list", "rules", defaults=UNKNOWN)
    guard = aws_rules(
        'drop tls $HOME_NET any -> $EXTERNAL_NET !443 (tls.sni; content:"cgr.dev"; startswith; endswith; sid:9;)',
        name="guard",
    )

    drop = "list-without-drop"
    yield Case(drop, "aws", "fails", [lists, aws_policy("list", defaults=[])], "list in strict order")
    yield Case(drop, "aws", "passes", [lists, aws_policy("list")])
    yield Case(drop, "aws", "unknown", [lists, aws_policy("list", defaults=UNKNOWN)], OPEN_QUESTION)
    yield Case(drop, "aws", "not applicable", [rules, aws_policy("rules", defaults=[])])

    port = "domain-list-any-port"
    yield Case(port, "aws", "fails", [lists, aws_policy("list")], "cgr.dev: open on every port, needed on 443")
    yield Case(port, "aws", "fails", [lists, aws_rules(tls("cgr.dev").replace("pass", "drop"), name="g")],
               "open on every port", "guard of the wrong port")  # fmt: skip
    yield Case(port, "aws", "passes", [guard, lists, aws_policy("guard", "list")])
    for note, line in NO_GUARDS.items():
        stack = [aws_rules(line, name="guard"), lists, aws_policy("guard", "list")]
        yield Case(port, "aws", "fails", stack, "open on every port", note)
    yield Case(port, "aws", "unknown", [aws_list("cgr.dev", UNKNOWN), guard], OPEN_QUESTION)
    yield Case(port, "aws", "not applicable", [rules])

    void = "void-allow"
    broad = aws_rules("pass tcp $HOME_NET any -> $EXTERNAL_NET 443 (sid:2;)", name="broad")
    both = aws_policy("rules", "broad")
    yield Case(
        void, "aws", "fails", [rules, broad, both], "any destination is allowed on port 443; the rule for cgr.dev"
    )
    halves = "pass tcp any any -> [0.0.0.0/1, 128.0.0.0/1] [80:500] (sid:2;)"
    yield Case(void, "aws", "fails", [rules, aws_rules(halves, name="broad"), both], "port 80-500", "in two halves")
    yield Case(
        void, "aws", "fails", [rules, aws_policy("rules", stateless=["aws:pass"])], "any port", "stateless default"
    )
    standard = {"statefulRules": [{"action": "PASS", "ruleOptions": [{"keyword": "sid", "settings": ["3"]}], "header": {
        "protocol": "TCP", "source": "ANY", "sourcePort": "ANY", "direction": "FORWARD", "destination": "ANY",
        "destinationPort": "443"}}]}  # fmt: skip
    yield Case(void, "aws", "fails", [rules, aws_group(standard, "broad"), both], "port 443", "standard rules")
    for protocol in ("ip", "ip4", "ipv4", "ip6", "ipv6"):
        every = aws_rules(f"pass {protocol} any any -> any any (sid:2;)", name="broad")
        yield Case(void, "aws", "fails", [rules, every, both], "any port", protocol)
    shake = aws_rules("pass tcp $HOME_NET any -> $EXTERNAL_NET 443 (flow:not_established; sid:2;)", name="broad")
    yield Case(
        void, "aws", "unknown", [rules, shake, both], "is the whole connection and not single packets", "handshake only"
    )
    yield Case(void, "aws", "passes", [rules, aws_rules("pass udp any any -> any 123 (sid:2;)", name="broad"), both])
    private = aws_rules("pass ip $HOME_NET any -> [10.0.0.0/8,172.16.0.0/12] any (sid:2;)", name="broad")
    yield Case(void, "aws", "passes", [rules, private, both], "", "private ranges")
    yield Case(void, "aws", "unknown", [rules, aws_group(UNKNOWN, "broad"), both], OPEN_QUESTION)
    kept = "pass tcp $HOME_NET any -> @BROKER {} (flow:to_server; sid:2;)"
    yield Case(void, "aws", "passes", [rules, aws_rules(kept.format(5671), name="broad"), both], "", "set, other port")
    yield Case(void, "aws", "unknown", [rules, aws_rules(kept.format("[443,5671]"), name="broad"), both],
               "cannot be judged: its address is in @BROKER", "set, same port")  # fmt: skip
    yield Case(void, "aws", "unknown", [aws_group(UNKNOWN, "rules"), aws_rules(kept.format(5671), name="broad"), both],
               "cannot be judged", "set, names not known")  # fmt: skip
    yield Case(void, "aws", "not applicable", [broad, aws_policy("broad")])
    names = gcp_rule("cgr.dev")
    wide = gcp_rule(name="wide", priority=2000, ranges=["0.0.0.0/0"])
    yield Case(void, "gcp", "fails", [names, wide, *gcp_denies()], "any destination is allowed on port 443")
    yield Case(void, "gcp", "fails", [names, gcp_rule(name="wide", ports=None, protocol="all"), *gcp_denies()],
               "any port", "no destination at all")  # fmt: skip
    yield Case(void, "gcp", "fails", [names, gcp_classic(), *gcp_denies()], "VPC firewall rules come before", "classic")
    before = R("gcp:compute/network:Network", "main",
               {"name": "main", "networkFirewallPolicyEnforcementOrder": "BEFORE_CLASSIC_FIREWALL"})  # fmt: skip
    yield Case(void, "gcp", "passes", [names, gcp_classic(), before, *gcp_denies()], "", "classic rules last")
    late = gcp_rule(name="wide", priority=9500, ranges=["0.0.0.0/0"])
    yield Case(void, "gcp", "passes", [names, late, *gcp_denies()], "", "after the deny")
    other = gcp_rule(name="wide", ranges=["0.0.0.0/0"], policy="other")
    yield Case(void, "gcp", "fails", [names, other, *gcp_denies()], "wide: any destination", "in a policy elsewhere")
    theirs = R(GCP_POLICY.type, "other", {"name": "other"})
    yield Case(void, "gcp", "passes", [names, other, theirs, *gcp_denies()], "", "in another policy")
    proxy = gcp_rule(name="wide", ranges=["0.0.0.0/0"], targetServiceAccounts=["proxy@p.iam.gserviceaccount.com"])
    builds = gcp_rule("cgr.dev", targetServiceAccounts=["builds@p.iam.gserviceaccount.com"])
    yield Case(void, "gcp", "passes", [builds, proxy, *gcp_denies()], "", "other clients")
    yield Case(void, "gcp", "unknown", [names, gcp_rule(name="wide", ranges=[UNKNOWN]), *gcp_denies()], OPEN_QUESTION)
    yield Case(void, "gcp", "not applicable", [wide, *gcp_denies()])
    app = azure(application("cgr.dev"))
    for address in ("*", "0.0.0.0/0", "Internet"):
        yield Case(void, "azure", "fails", [app, azure(network(addresses=[address]), name="wide")],
                   "network rules come before application rules: any destination is allowed on port 443", address)  # fmt: skip
    yield Case(void, "azure", "fails", [azure(application("cgr.dev"), application("*"))], "any destination", "star")
    yield Case(
        void, "azure", "passes", [app, azure(network(addresses=["*"]), name="wide", policy="spoke")], "", "other policy"
    )
    yield Case(void, "azure", "fails", [app, azure(network(addresses=["*"]), name="wide", policy=UNKNOWN)],
               "any destination", "policy not known")  # fmt: skip
    yield Case(void, "azure", "passes", [app, azure(network(addresses=["*"], ports=["22"]), name="wide")])
    apart = azure(network(addresses=["*"], sources=["10.9.0.0/16"]), name="wide")
    yield Case(void, "azure", "passes", [azure(application("cgr.dev", sources=["10.1.0.0/16"])), apart], "", "clients")
    yield Case(void, "azure", "unknown", [app, azure(network(addresses=UNKNOWN), name="wide")], OPEN_QUESTION)
    yield Case(void, "azure", "not applicable", [azure(network(addresses=["*"]))])

    dead, first = "dead-allow", "never reached. "
    early = aws_rules("drop tls any any -> any any (tls.sni; sid:5;)", tls("cgr.dev"))
    yield Case(
        dead, "aws", "fails", [early, aws_policy("rules")], f"cgr.dev: {first}rules#5: dropped by a rule of rules"
    )
    yield Case(dead, "aws", "passes", [rules, aws_policy("rules")])
    yield Case(dead, "aws", "not applicable", [broad, aws_policy("broad")])
    later = [gcp_rule("cgr.dev", name="second", priority=9500), gcp_rule("apk.cgr.dev", name="third", priority=9501)]
    yield Case(dead, "gcp", "fails", [names, *later, *gcp_denies()], f"cgr.dev: {first}deny4", "B12")
    yield Case(dead, "gcp", "passes", [names, *gcp_denies()])
    yield Case(dead, "gcp", "not applicable", gcp_denies())
    no_web = azure(network(addresses=["*"]), name="none", action="Deny")
    yield Case(dead, "azure", "fails", [app, no_web], f"cgr.dev: {first}none/c/net")
    yield Case(dead, "azure", "passes", [app])
    yield Case(dead, "azure", "not applicable", [azure(network(addresses=["*"]))])

    deny = "no-deny"
    yield Case(deny, "aws", "fails", [rules, lists, none], "no default drops")
    yield Case(deny, "aws", "fails", [aws_rules(tls("cgr.dev"), order="DEFAULT_ACTION_ORDER"),
                                      aws_policy("rules", defaults=[], order="DEFAULT_ACTION_ORDER")],
               "in action order there is no default", "action order")  # fmt: skip
    yield Case(deny, "aws", "passes", [rules, aws_policy("rules")])
    last = aws_rules(tls("cgr.dev"), "drop tcp any any -> any any (sid:2;)")
    yield Case(deny, "aws", "passes", [last, aws_policy("rules", defaults=[])], "", "a last rule")
    for note, lines in CLOSED.items():
        closed = aws_rules(tls("cgr.dev"), *lines)
        yield Case(deny, "aws", "passes", [closed, aws_policy("rules", defaults=[])], "", note)
    answers = aws_rules(tls("cgr.dev"), "drop tcp any any -> any any (flow:to_client; sid:11;)")
    yield Case(deny, "aws", "passes", [answers, aws_policy("rules", defaults=[])], "", "no answer, no connection")
    for note, lines in OPEN.items():
        ajar = aws_rules(tls("cgr.dev"), *lines)
        yield Case(deny, "aws", "fails", [ajar, aws_policy("rules", defaults=[])], "no last rule does", note)
    yield Case(deny, "aws", "unknown", [rules, lists, unknown], OPEN_QUESTION)
    far = aws_rules(tls("cgr.dev"), OPEN["all but HOME_NET"][0])
    yield Case(deny, "aws", "fails", [far, aws_policy("rules", defaults=[])],
               "TLS, HTTP, HTTP without a Host, other TCP over IPv6 get out", "over IPv6")  # fmt: skip
    yield Case(deny, "aws", "unknown", [far, aws_policy("rules", defaults=[], home_net=UNKNOWN)],
               "its address is not in $HOME_NET", "HOME_NET")  # fmt: skip
    yield Case(
        deny, "aws", "unknown", [aws_group(UNKNOWN), aws_policy("group", order=UNKNOWN)], OPEN_QUESTION, "contents"
    )
    any_order = aws_policy("rules", order=UNKNOWN)
    yield Case(deny, "aws", "unknown", [rules, any_order], "cannot be judged: the rule order",
               "rule order")  # fmt: skip
    yield Case(deny, "aws", "not applicable", [aws_policy(defaults=[])])
    yield Case(deny, "gcp", "fails", [GCP_POLICY, names], "no last rule denies IPv4 (0.0.0.0/0)")
    yield Case(deny, "gcp", "fails", [GCP_POLICY, names, gcp_denies()[0]], "no last rule denies IPv6", "IPv4 only")
    regional = R("gcp:compute/regionNetworkFirewallPolicy:RegionNetworkFirewallPolicy", "policy", {"name": UNKNOWN})
    inputs = gcp_rule("cgr.dev", policy=UNKNOWN).properties
    made_from = R(
        "gcp:compute/regionNetworkFirewallPolicyRule:RegionNetworkFirewallPolicyRule", "r", inputs, ["policy"]
    )
    yield Case(deny, "gcp", "fails", [regional, made_from], "no last rule denies IPv4", "regional, by dependency")
    tcp = [gcp_rule(name=f"d{n}", action="deny", ranges=[each]) for n, each in enumerate(("0.0.0.0/0", "::/0"))]
    yield Case(deny, "gcp", "fails", [GCP_POLICY, names, *tcp], "for all protocols", "one port only")
    yield Case(deny, "gcp", "passes", [GCP_POLICY, names, *gcp_denies()])
    inside = gcp_rule("cgr.dev", project="acme")
    pair = [R(GCP_POLICY.type, name, {"name": "egress", "project": name}) for name in ("acme", "net-host")]
    yield Case(deny, "gcp", "passes", [*pair, inside, *gcp_denies(project="acme")], "", "one name in two projects")
    other = [*pair, inside, *gcp_denies(project="net-host")]
    yield Case(
        deny, "gcp", "fails", other, "no last rule denies IPv4", "denied in the policy of that name of another project"
    )
    yield Case(
        deny, "gcp", "unknown", [GCP_POLICY, names, gcp_denies()[0], gcp_denies(action=UNKNOWN)[1]], OPEN_QUESTION
    )
    yield Case(deny, "gcp", "not applicable", [GCP_POLICY, *gcp_denies()])

    yield from _datagrams()

    elsewhere = "deny-elsewhere"
    not_here = "is not part of this stack"
    yield Case(elsewhere, "aws", "fails", [rules], not_here)
    yield Case(elsewhere, "gcp", "passes", [gcp_rule("cgr.dev", policy="hub"), *gcp_denies(policy="hub")])
    yield Case(elsewhere, "gcp", "fails", [gcp_rule("cgr.dev", policy="hub")], not_here)
    yield Case(elsewhere, "aws", "unknown", [aws_list(UNKNOWN)], not_here)
    yield Case(elsewhere, "gcp", "unknown", [gcp_rule(UNKNOWN, policy="hub")], not_here)
    yield Case(elsewhere, "aws", "not applicable", [rules, aws_policy("rules")])
    yield Case(elsewhere, "gcp", "not applicable", [GCP_POLICY, names])

    limit = "limit-nearly-used"
    many = [f"h{number}.example" for number in range(95)]
    twenty = [aws_rules(tls("cgr.dev"), name=f"g{number}", capacity=10) for number in range(19)]
    yield Case(limit, "aws", "fails", [*twenty, aws_policy(*(each.name for each in twenty))], "19 of 20 rule groups")
    yield Case(limit, "gcp", "fails", [gcp_rule(*many)], "95 of 100 names")
    yield Case(
        limit, "azure", "fails", [azure(network(fqdns=[f"{each}.example" for each in range(950)]))], "950 of 1,000"
    )
    groups = [azure(application("cgr.dev"), name=f"g{number}") for number in range(85)]
    yield Case(limit, "azure", "fails", groups[:45], "45 of 50 groups", "near what every policy takes")
    yield Case(limit, "azure", "fails", groups[:60], "60 of 50 groups", "more than every policy takes")
    yield Case(limit, "azure", "fails", groups, "85 of 90 groups", "near what any policy takes")
    held = {"ipAddresses": [f"203.0.{number // 250}.{number % 250}" for number in range(4_600)]}
    yield Case(limit, "azure", "fails", [R("azure-native:network:IpGroup", "ips", held)], "4,600 of 5,000", "IP group")
    yield Case(limit, "aws", "passes", [rules, aws_policy("rules")])
    yield Case(limit, "gcp", "passes", [gcp_rule(*many[:80])])
    yield Case(limit, "azure", "passes", [app])
    yield Case(limit, "aws", "unknown", [aws_group(UNKNOWN)], UNJUDGED)
    yield Case(limit, "gcp", "unknown", [gcp_rule(UNKNOWN)], UNJUDGED)
    yield Case(limit, "azure", "unknown", [azure(application(UNKNOWN))], UNJUDGED)
    for cloud, resource in STRANGERS.items():
        yield Case(limit, cloud, "not applicable", [resource])


def _reached() -> Iterator[Case]:
    """What is open beyond the catalogs, and closed of what they need; tests/policies/test_reach_rules.py has many more."""
    beyond, closed = "beyond-catalogs", "needed-closed"
    policy, denies = aws_policy("rules"), gcp_denies()
    relay = aws_rules(tls("cgr.dev"), "pass tcp $HOME_NET any -> 198.51.100.0/24 587 (sid:2;)")
    side = gcp_rule(name="side", ranges=["198.51.100.0/24"], ports=("587",))
    near = azure(network(addresses=["198.51.100.0/24"], ports=["587"]), name="side")
    seen = "587 to any other name, at 198.51.100.7"
    for cloud, fails, passes in (
        ("aws", [relay, policy], [GOOD["aws"], aws_rules("drop ip any any -> any any (ip_proto:!6; sid:9;)", name="edge"),
                                  aws_policy("rules", "edge")]),
        ("gcp", [GOOD["gcp"], side, *denies], [GOOD["gcp"], *denies]),
        ("azure", [GOOD["azure"], near], [GOOD["azure"]]),
    ):  # fmt: skip
        yield Case(beyond, cloud, "fails", fails, seen)
        yield Case(beyond, cloud, "passes", passes)
        yield Case(beyond, cloud, "not applicable", [STRANGERS[cloud]])
        yield Case(closed, cloud, "passes", passes)
        yield Case(closed, cloud, "not applicable", [STRANGERS[cloud]])
    # Of these no rule by a pattern says anything: what is not known is no name, and little of the internet.
    kept = aws_rules(
        "pass tcp $HOME_NET any -> @RELAYS 587 (sid:2;)", tls("cgr.dev"), "drop ip any any -> any any (sid:9;)"
    )
    yield Case(beyond, "aws", "unknown", [kept, policy], f"{OPEN_QUESTION}its address is in @RELAYS")
    late = gcp_rule(name="side", ranges=["198.51.100.0/24"], ports=(UNKNOWN,))
    yield Case(beyond, "gcp", "unknown", [GOOD["gcp"], late, *denies], "side: match.layer4Configs[0].ports[0]")
    tag = azure(network(addresses=["Storage"], ports=["587"]), name="side")
    yield Case(beyond, "azure", "unknown", [GOOD["azure"], tag], OPEN_QUESTION)

    first = aws_rules('drop tls any any -> any any (tls.sni; content:"cgr.dev"; endswith; sid:5;)', name="first")
    arns = [arn_of("first"), arn_of("rules")]
    half = aws_rules("drop tcp any any -> [0.0.0.0/1] 443 (flow:to_server; sid:5;)", tls("cgr.dev"))
    yield Case(closed, "aws", "fails", [half, policy], "https 443 to cgr.dev")
    yield Case(
        closed, "aws", "unknown", [GOOD["aws"], first, aws_policy("rules", "first")], "the order of the rule groups"
    )
    yield Case(
        closed,
        "aws",
        "passes",
        [GOOD["aws"], first, aws_policy("rules", "first", arns=arns[::-1])],
        "",
        "the names first",
    )
    deny = gcp_rule(name="none", priority=1, action="deny", ranges=["::/0"])
    yield Case(closed, "gcp", "fails", [GOOD["gcp"], deny, *denies], "none: https 443 to cgr.dev, at 2001:db8::7")
    unsure = gcp_rule(name="none", priority=1, action="deny", ranges=["0.0.0.0/0"], ports=(UNKNOWN,))
    yield Case(closed, "gcp", "unknown", [GOOD["gcp"], unsure, *denies], "none: match.layer4Configs[0].ports[0]")
    no_web = azure(network(addresses=["0.0.0.0/1"]), name="none", action="Deny")
    yield Case(closed, "azure", "fails", [GOOD["azure"], no_web], "none/c/net: https 443 to cgr.dev")
    some = azure(network(addresses=UNKNOWN), name="none", action="Deny")
    yield Case(closed, "azure", "unknown", [GOOD["azure"], some], OPEN_QUESTION)


def _queries() -> Iterator[Case]:
    """Cases of DNS Firewall."""
    names, gone, block = "dns-names", "dns-withdrawn", "dns-no-block"
    group = [DNS_GROUP, *DNS_BLOCK]
    allow = dns_rule("ALLOW")
    for host, said in (
        ("evil.example", "evil.example: in no named catalog"),
        ("EVIL.example.", "evil.example: in no named catalog"),
        ("typo.acme.example", "acme/ours records it as a mistake"),
        ("*.cgr.dev", "allows subtree+apex of cgr.dev; the catalog has cgr.dev"),
        ("*.co.uk", "anybody can register a name below"),
        (f"*.{R2}", "every R2 account"),
        ("*acme.example", "evilacme.example is one of them"),
        ("*", "every name there is"),
        ("*.", "every name there is"),
    ):
        yield Case(names, "aws", "fails", [dns_list("cgr.dev", host), allow, *group], said, host)
    strange = dns_list("evil.example")
    yield Case(names, "aws", "fails", [strange, dns_rule("ALERT"), *group], "evil.example", "answered and logged")
    yield Case(names, "aws", "fails", [strange], "evil.example", "a list without a rule")
    yield Case(names, "aws", "fails", [strange, dns_rule(UNKNOWN), *group], "evil.example", "action not known")
    both = [strange, dns_rule("BLOCK", priority=50), allow]
    yield Case(names, "aws", "fails", [*both, *group], "evil.example", "blocked and answered")
    fine = [dns_list("cgr.dev", "*.wide.acme.example", "*.10.in-addr.arpa"), allow]
    yield Case(names, "aws", "passes", [*fine, *group])
    yield Case(names, "aws", "unknown", [dns_list("cgr.dev", UNKNOWN), allow, *group], UNJUDGED)
    yield Case(names, "aws", "unknown", [R(dns_list().type, "hosts", {"domains": UNKNOWN})], UNJUDGED, "whole list")
    yield Case(names, "aws", "unknown", [dns_rule("ALLOW", made_from=["dns"]), *group],
               "cannot be judged: its list is not part of this stack", "list elsewhere")  # fmt: skip
    yield Case(names, "aws", "not applicable", [strange, dns_rule("BLOCK"), *group], "", "blocked")
    yield Case(names, "aws", "not applicable", [dns_rule("BLOCK", made_from=["dns"]), *group], "", "managed list")

    twin = native_group(("ALLOW", 1, "l-hosts"), ("BLOCK", 2, UNKNOWN))
    lists = [dns_list("evil.example", id="l-hosts"), dns_list("*.", name="rest")]
    yield Case(names, "aws", "fails", [twin, *lists], "evil.example: in no named catalog", "aws-native")
    yield Case(block, "aws", "passes", [twin, *lists], "", "aws-native")
    yield Case(
        block,
        "aws",
        "fails",
        [native_group(("ALLOW", 1, "l-hosts"), made_from=["hosts"]), lists[0]],
        "no rule blocks",
        "aws-native",
    )
    loose = native_group(("ALLOW", 1, UNKNOWN), ("BLOCK", 2, UNKNOWN))
    yield Case(names, "aws", "unknown", [loose, *lists], "cannot be judged: its list", "aws-native")
    blocked = native_group(("BLOCK", 1, "l-hosts"), made_from=["hosts"])
    yield Case(names, "aws", "not applicable", [blocked, lists[0]], "", "aws-native")

    below = [dns_list("*.below.acme.example"), allow, dns_list("below.acme.example", name="apex"), *group]
    yield Case(names, "aws", "passes", [*below, dns_rule("BLOCK", "apex", 50)], "", "apex blocked before")
    for note, guard in {
        "no guard": dns_rule("ALERT", "apex", 50),
        "guard behind": dns_rule("BLOCK", "apex", 200),
        "guard of one type": dns_rule("BLOCK", "apex", 50, qType="AAAA"),
        "guard of unknown place": dns_rule("BLOCK", "apex", UNKNOWN),
    }.items():
        said = "allows subtree+apex of below.acme.example"
        yield Case(names, "aws", "fails", [*below, guard], said, note)

    old = dns_list("chainguardhelp.zendesk.com")
    yield Case(gone, "aws", "fails", [old, allow, *group], "no longer holds it since 2025-06-17")
    yield Case(gone, "aws", "passes", [*fine, *group])
    yield Case(gone, "aws", "unknown", [dns_list(UNKNOWN), allow, *group], UNJUDGED)
    yield Case(gone, "aws", "not applicable", [old, dns_rule("BLOCK"), *group])

    rest = dns_list("*.", name="rest")
    yield Case(block, "aws", "fails", [*fine, DNS_GROUP], "no rule blocks")
    yield Case(block, "aws", "fails", [*fine, DNS_GROUP, rest, dns_rule("ALERT", "rest")], "no rule blocks", "logged")
    yield Case(block, "aws", "fails", [*fine, DNS_GROUP, rest, dns_rule("BLOCK", "rest", qType="A")], "no rule blocks",
               "one type of query")  # fmt: skip
    other = R(DNS_GROUP.type, "other", {})
    yield Case(block, "aws", "fails", [*fine, DNS_GROUP, other, rest, dns_rule("BLOCK", "rest", group="other")],
               "no rule blocks", "in another group")  # fmt: skip
    either = dns_rule("BLOCK", "rest", made_from=["rest", "hosts", "dns"])
    yield Case(block, "aws", "fails", [*fine, DNS_GROUP, rest, either], "no rule blocks", "made after two lists")
    yield Case(block, "aws", "passes", [*fine, *group])
    yield Case(block, "aws", "unknown", [*fine, DNS_GROUP, rest, dns_rule(UNKNOWN, "rest")], UNJUDGED, "action")
    hidden = dns_list(UNKNOWN, name="rest")
    yield Case(block, "aws", "unknown", [*fine, DNS_GROUP, hidden, dns_rule("BLOCK", "rest")], UNJUDGED, "list")
    yield Case(block, "aws", "not applicable", group)

    full = dns_list(*(f"h{number}.wide.acme.example" for number in range(950)))
    yield Case("limit-nearly-used", "aws", "fails", [full], "950 of 1,000 domains", "DNS")
    yield Case("limit-nearly-used", "aws", "unknown", [R(full.type, "hosts", {"domains": UNKNOWN})], UNJUDGED, "DNS")


def _proxies() -> Iterator[Case]:
    """Cases of Secure Web Proxy."""
    names, gone, elsewhere = "proxy-names", "proxy-withdrawn", "deny-elsewhere"
    allow, fine = proxy_rule(), [url_list("cgr.dev"), proxy_rule(), *gateway()]
    for values, said in {
        ("evil.example",): "evil.example: in no named catalog",
        ("cgr.dev", "EVIL.example/path"): "evil.example: in no named catalog",
        ("typo.acme.example",): "acme/ours records it as a mistake",
        ("*cgr.dev",): "allows subtree+apex of cgr.dev; the catalog has cgr.dev",
        ("*.co.uk",): "anybody can register a name below",
        ("*.com",): "anybody can register a name below",
        ("*",): "cannot be judged: its name is what '*' on the list means",
    }.items():
        yield Case(names, "gcp", "fails", [url_list(*values), allow, *gateway()], said, " ".join(values))
    web = "destination.port == 443"
    for matcher, said in {
        LISTED.partition(" &&")[0]: "allowed on any port, the catalog has port 443",
        LISTED.replace("443", "8443"): "allowed on port 8443, the catalog has port 443",
        f"host().contains('cgr') && {web}": "any name containing 'cgr'",
        f"host().endsWith('cgr.dev') && {web}": "it does not stop at a dot",
        f"host().startsWith('cgr.dev') && {web}": "every name there is",
        f"(host() == 'cgr.dev' || host() == 'evil.example') && {web}": "evil.example: in no named catalog",
        f"host() != 'cgr.dev' && {web}": "any name is allowed",
        "true": "any name is allowed",
        f"!inUrlList(host(), '{PROXY_PLACE}/urlLists/hosts')": "any name is allowed",
    }.items():
        yield Case(names, "gcp", "fails", [url_list("cgr.dev"), proxy_rule(matcher), *gateway()], said, matcher)
    for matcher in (
        "destination.port == 8443",
        "destination.port != 443",
        "host() != 'x.example' && destination.port == 8443",
        "inIpRange(source.ip, '10.0.0.0/8') && destination.port >= 443",
    ):
        beside = [*fine, proxy_rule(matcher, priority=900, name="wide")]
        yield Case(names, "gcp", "fails", beside, "any name is allowed", f"beside names: {matcher}")
    some = url_list("cgr.dev"), proxy_rule(f"source.matchTag('tagValues/1') && {LISTED}"), *gateway()
    for clients, said in {
        "source.matchTag('tagValues/2')": "fails",
        "source.matchTag('tagValues/1')": "passes",
    }.items():
        beside = [*some, proxy_rule(f"{clients} && {web}", priority=900, name="wide")]
        told = "any name is allowed" if said == "fails" else ""
        yield Case(names, "gcp", said, beside, told, f"beside names for some: {clients}")
    yield Case(
        names, "gcp", "fails", [url_list("evil.example"), proxy_rule(policy="hub")], "evil.example", "policy elsewhere"
    )
    wide = proxy_rule("true", name="wide", policy="projects/a/locations/europe-west4/gatewaySecurityPolicies/hub")
    hubs = {"b/locations/europe-west4": "another project", "a/locations/europe-west1": "another location"}
    for home, note in hubs.items():
        namesake = proxy_rule(policy=f"projects/{home}/gatewaySecurityPolicies/hub")
        of_its_own = R(namesake.type, namesake.name, {**namesake.properties, "location": home.rpartition("/")[2]})
        apart = [wide, url_list("cgr.dev"), of_its_own]
        yield Case(names, "gcp", "fails", apart, "any name is allowed", f"a namesake in {note}")
    yield Case(names, "gcp", "passes", fine)
    yield Case(names, "gcp", "passes", [proxy_rule(f"host() == 'cgr.dev' && {web}"), *gateway()], "", "by comparison")
    both = proxy_rule(f"host() == 'cgr.dev' && host().contains('cgr') && {web}")
    yield Case(names, "gcp", "passes", [both, *gateway()], "", "two conditions")
    bad = LISTED.replace("urlLists/hosts", "urlLists/bad")
    denying = [url_list("evil.example", name="bad"), proxy_rule(bad, "DENY", 1, "deny")]
    yield Case(names, "gcp", "passes", [*fine, *denying], "", "a list that denies")
    yield Case(names, "gcp", "passes", [*fine, url_list("evil.example", name="unused")], "", "a list that no rule uses")
    yield Case(
        names, "gcp", "passes", [url_list("*.below.acme.example"), allow, *gateway()], "", "a wildcard and its apex"
    )
    for note, unknown in {
        "matcher": [proxy_rule(UNKNOWN), *gateway()],
        "list": [url_list(UNKNOWN), allow, *gateway()],
        "list elsewhere": [allow, *gateway()],
        "another matcher": [proxy_rule("host().matches('cgr.dev')"), *gateway()],
    }.items():
        yield Case(names, "gcp", "unknown", unknown, OPEN_QUESTION, note)
        yield Case(gone, "gcp", "unknown", unknown, OPEN_QUESTION, note)
    yield Case(names, "gcp", "not applicable", [GOOD["gcp"]])
    old = [url_list("chainguardhelp.zendesk.com"), allow, *gateway()]
    yield Case(gone, "gcp", "fails", old, "no longer holds it since 2025-06-17")
    yield Case(gone, "gcp", "passes", fine)
    yield Case(gone, "gcp", "not applicable", [GOOD["gcp"]])

    yield Case(elsewhere, "gcp", "fails", fine[:-1], "no route of this stack leads clients to the proxy", "proxy")
    yield Case(elsewhere, "gcp", "fails", [*fine[:2], *gateway("EXPLICIT_ROUTING_MODE")], "explicit one", "proxy")
    yield Case(
        elsewhere, "gcp", "fails", [url_list("cgr.dev"), proxy_rule(policy="hub")], "no gateway of this stack", "proxy"
    )
    main = {"network": "projects/p/global/networks/main"}
    tunnel = R("gcp:compute/route:Route", "vpn", {**main, "destRange": "10.9.0.0/16", "nextHopVpnTunnel": "t"})
    over_ipv6 = R("gcp:compute/route:Route", "v6", {**main, "destRange": "::/0", "nextHopIp": "10.0.0.9"})
    for note, beside in {"a tunnel": tunnel, "a route for IPv6": over_ipv6}.items():
        yield Case(elsewhere, "gcp", "fails", [*fine[:-1], beside], "no route of this stack leads clients", note)
    yield Case(elsewhere, "gcp", "not applicable", fine, "", "proxy")
    idle = "cannot be judged: no rule of this stack uses the list"
    yield Case(elsewhere, "gcp", "unknown", [url_list("evil.example")], idle, "a list alone")
    yield Case(elsewhere, "gcp", "unknown", [*fine, url_list("evil.example", name="unused")], idle, "one list of two")
    yield Case(elsewhere, "gcp", "not applicable", [*fine, *denying], "", "a list that denies")
    authz = "cannot be judged: no gateway that is judged here has it"
    yield Case(elsewhere, "gcp", "unknown", [*gateway(), authorization("ALLOW")], authz, "a gateway without rules")
    yield Case(elsewhere, "gcp", "unknown", [*fine, authorization(proxy="other")], authz, "one on another gateway")
    yield Case(
        elsewhere, "gcp", "not applicable", [*fine, authorization()], "", "an authorization policy on the gateway"
    )
    yield Case("empty-list", "gcp", "fails", [url_list()], "a URL list without entries", "proxy")
    full = url_list(*(f"h{number}.wide.acme.example" for number in range(2_400)))
    yield Case("limit-nearly-used", "gcp", "fails", [full], "2,400 of 2,500 entries", "proxy")


def _of_other_clouds() -> Iterator[Case]:
    """Rules that do not exist on a cloud do not apply to it, whatever stands there."""
    for name, rule in RULES.items():
        for cloud in sorted({"aws", "gcp", "azure"} - set(rule.clouds)):
            yield Case(name, cloud, "not applicable", [UNKNOWN_NAMES[cloud]], "", NOT_STATED)


CASES = (*_resources(), *_stacks(), *_reached(), *_queries(), *_proxies(), *_of_other_clouds())
