"""The policy rules as data: id, level, severity, what is found, why it matters, what to do, who says so.

The registry below is the only place where an id comes into being; the docs table is checked against it. What a rule
`needs` to know decides which unknown values it cannot do without: for each of them it reports that it cannot judge, at
its own level, so that a mandatory rule fails closed.
"""

from dataclasses import dataclass
from typing import Literal

from hostgate.flows.nodes import About
from hostgate.policies.readers import CloudName

Level = Literal["advisory", "mandatory", "disabled"]
PolicySeverity = Literal["low", "medium", "high", "critical"]
Scope = Literal["resource", "stack"]

_ALL: tuple[CloudName, ...] = ("aws", "gcp", "azure")


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRule:
    """`scope` says when it is asked: of each resource before it is made, or of the stack as a whole."""

    scope: Scope
    level: Level
    severity: PolicySeverity
    clouds: tuple[CloudName, ...] = _ALL
    needs: frozenset[About] = frozenset()
    finds: str
    matters: str
    fix: str
    source: str
    title: str = ""
    """A name for people; the id in words unless given."""


RULES: dict[str, PolicyRule] = {
    "host-not-in-catalog": PolicyRule(
        scope="resource", level="mandatory", severity="critical", needs=frozenset({"names", "action"}),
        finds="A name is allowed that no named catalog holds.",
        matters="Nobody reviewed it: a slip of the hand or an attacker's host look the same here.",
        fix="Add the host to a catalog with its purpose, or take it out. If it is withdrawn, use the host that replaced it.",
        source="hostgate, catalogs named in the pack's settings",
    ),
    "host-mistaken": PolicyRule(
        scope="resource", level="mandatory", severity="critical", needs=frozenset({"names", "action"}),
        finds="A name is allowed that a catalog records as a mistake of the vendor's page, also if another named catalog "
        "lists it.",
        matters="The name belongs to nobody that you know, and whoever registers it is let in.",
        fix="Take it out; the catalog's entry says what was meant.",
        source="catalog, status mistaken",
    ),
    "host-withdrawn": PolicyRule(
        scope="resource", level="advisory", severity="medium", needs=frozenset({"names", "action"}),
        finds="A name is allowed that a later revision of the catalog no longer holds.",
        matters="A vendor gives up names; who has them next is let in.",
        fix="Move to the newer revision once nothing uses the name; where another took over, allow that one first.",
        source="catalog, spans of the entry",
    ),
    "wildcard-over-others": PolicyRule(
        scope="resource", level="mandatory", severity="critical", needs=frozenset({"names", "action"}),
        finds="A wildcard takes in names that others can register: below a public suffix, or of other customers of a host.",
        matters="Anybody can get a name that is then allowed, and take data out through it.",
        fix="Allow the exact names. For storage, the vendor's own bucket or account host.",
        source="publicsuffix.org; the providers' own documentation, named in the message",
    ),
    "shared-host": PolicyRule(
        scope="resource", level="advisory", severity="medium", needs=frozenset({"names", "action"}),
        finds="One name serves customers of one company beside the vendor, told apart by a path.",
        matters="A firewall that sees names cannot see whose bucket or repository it is.",
        fix="Use a host of the vendor's own where there is one; else exempt it with a reason.",
        source="the providers' own documentation, named in the message",
    ),
    "wider-than-catalog": PolicyRule(
        scope="resource", level="mandatory", severity="high",
        needs=frozenset({"names", "ports", "protocol", "action"}),
        finds="A host of the catalog is allowed with more names, ports or protocols than its entry has.",
        matters="What the catalog's reviewers approved is less than what is open.",
        fix="Say the entry's own names, port and protocol.",
        source="catalog entry; AWS developer guide on leading dots, Azure Firewall FAQ on stars",
    ),
    "plain-http": PolicyRule(
        scope="resource", level="mandatory", severity="high",
        needs=frozenset({"names", "ports", "protocol", "action"}),
        finds="Plain HTTP is allowed to a host that the catalog has for HTTPS only.",
        matters="A Host header proves nothing and the content is readable on the way; the host needs no such rule.",
        fix="Allow TLS on the entry's port: TLS_SNI, `tls.sni`, `Https`, or tcp 443 alone.",
        source="catalog entry",
    ),
    "empty-list": PolicyRule(
        scope="resource", level="mandatory", severity="high", needs=frozenset({"size", "names", "action"}),
        finds="A list that decides what is allowed has nothing in it.",
        matters="Clouds read it differently: as nothing, as everything, or as a rule that is skipped.",
        fix="Fill it, or leave the rule out. An empty result of a lookup is an error of the lookup.",
        source="compute v1, FirewallPolicyRuleMatcher; Azure Firewall, IP groups; AWS API, RulesSourceList",
    ),
    "capacity-head-room": PolicyRule(
        scope="resource", level="advisory", severity="medium", clouds=("aws", "gcp"),
        needs=frozenset({"capacity", "size", "names"}),
        finds="Reserved room is nearly full, or over.",
        matters="It cannot grow later: the object has to be replaced while a policy uses it.",
        fix="Reserve more when it is made; what is unused is free on AWS.",
        source="AWS developer guide, rule group capacity; Cloud NGFW, address groups",
    ),
    "silent-drop": PolicyRule(
        scope="resource", level="advisory", severity="low", clouds=("aws", "gcp"),
        needs=frozenset({"default", "log", "destination"}),
        finds="What is denied by default leaves no log: a drop without its alert twin, a deny without logging.",
        matters="Nobody can say why a build is blocked, and nobody sees an attempt.",
        fix="AWS: add the alert action of the same name. Google Cloud: enableLogging on the deny.",
        source="AWS best practices for Network Firewall, default actions (2026); compute v1, enableLogging",
    ),
    "home-net": PolicyRule(
        scope="resource", level="advisory", severity="high", clouds=("aws",), needs=frozenset({"home-net"}),
        finds="HOME_NET is left at its default, or set in a rule group where EXTERNAL_NET does not follow it.",
        matters="The default is the firewall's own VPC: in a central inspection VPC no rule matches the others' traffic.",
        fix="Set HOME_NET at policy level to the ranges of all clients, and no variable of that name in a group.",
        source="AWS best practices for Network Firewall, customer-managed rules (2026)",
    ),
    "established-default": PolicyRule(
        scope="resource", level="advisory", severity="medium", clouds=("aws",), needs=frozenset({"default"}),
        finds="The default drops before a hello of two packets is whole: drop_established, or drop_strict.",
        matters="A post-quantum TLS hello takes two packets, and its first is dropped: the host looks blocked.",
        fix="aws:drop_established_app_layer_to_server and its alert twin.",
        source="AWS What's New 2026-06, default drop action; tried on Suricata 7.0.10",
    ),
    "stateless-drop": PolicyRule(
        scope="resource", level="advisory", severity="medium", clouds=("aws",), needs=frozenset({"action"}),
        finds="Packets or fragments are dropped before the rules that allow names see them, and no log tells.",
        matters="With packets dropped no listed host is reached; with fragments, answers over UDP that do not fit a packet.",
        fix="aws:forward_to_sfe as stateless default for both, or a stateless rule that forwards what is to be judged.",
        source="AWS best practices for Network Firewall, stateless default actions (2026)",
    ),
    "stream-exceptions": PolicyRule(
        scope="resource", level="advisory", severity="medium", clouds=("aws",), needs=frozenset({"exceptions"}),
        finds="A connection that breaks in its middle is not rejected: it goes on half seen, or hangs.",
        matters="With CONTINUE rules judge what they did not see begin; with DROP clients wait until they give up.",
        fix="REJECT as stream exception policy: the client opens it anew, and it is judged from its first packet.",
        source="AWS Network Firewall developer guide, stream exception policy; best practices (2026)",
    ),
    "unsuitable-name": PolicyRule(
        scope="resource", level="advisory", severity="medium", clouds=("gcp", "azure"),
        needs=frozenset({"names", "action"}),
        finds="The firewall resolves the name for itself, and the survey says that its TTL or rotation does not suit that.",
        matters="Client and firewall then hold different addresses, and connections are refused at random.",
        fix="A mechanism that reads the name in the packet, or a refresh and grace window as the survey advises.",
        source="the survey named in the settings; Cloud NGFW, FQDN objects; Azure Firewall, FQDN in network rules",
    ),
    "raw-address": PolicyRule(
        scope="resource", level="advisory", severity="medium", needs=frozenset({"destination", "action"}),
        finds="An address of a catalog host is allowed by number.",
        matters="The host moves and the rule stays: it lets in whoever has the address next, and blocks the host.",
        fix="Allow the name, by a mechanism that takes names.",
        source="addresses from the settings; no address is known otherwise",
    ),
    "not-read": PolicyRule(
        scope="resource", level="advisory", severity="low",
        finds="The resource decides about what passes and this pack does not read its type.",
        matters="It may open what no catalog holds; this pack says nothing about that.",
        fix="Review it by hand, and exempt it with the reason.",
        source="hostgate, types that the pack reads",
    ),
    "list-without-drop": PolicyRule(
        scope="stack", level="mandatory", severity="critical", clouds=("aws",),
        finds="A domain list in strict order, in a policy whose default does not drop.",
        matters="In strict order a list makes no drop rule of its own: everything that is not listed passes.",
        fix="Add aws:drop_established_app_layer_to_server and its alert twin to the policy's stateful defaults.",
        source="AWS best practices for Network Firewall, customer-managed rules (2026)",
    ),
    "domain-list-any-port": PolicyRule(
        scope="stack", level="mandatory", severity="high", clouds=("aws",), needs=frozenset({"names", "ports"}),
        finds="A domain list opens its names on every port, and no rule before it drops the others.",
        matters="The catalog has one port; a list cannot say so.",
        fix="Suricata rules with the port, or a group before the list that drops the listed names on other ports.",
        source="AWS Network Firewall developer guide, stateful domain list rule groups; replayed on Suricata 7.0.10",
    ),
    "void-allow": PolicyRule(
        scope="stack", level="mandatory", severity="critical",
        finds="A broader allow stands beside allowed names and makes them void.",
        matters="The list is reviewed and does nothing: every destination is open on its ports.",
        fix="Take the broader allow out, or keep it to other ports, other clients or private ranges.",
        source="AWS: evaluation order; Google Cloud: firewall policy rule evaluation order; Azure Firewall: rule processing",
    ),
    "dead-allow": PolicyRule(
        title="No dead allow",
        scope="stack", level="mandatory", severity="high",
        finds="A rule allows and decides nothing, because others block all that it is for.",
        matters="The rule is reviewed and does nothing: none of its hosts is ever reached.",
        fix="Give it a priority before the rule that is named, or a policy of its own.",
        source="AWS: evaluation order; Google Cloud: firewall policy rule evaluation order; Azure Firewall: rule processing",
    ),
    "no-deny": PolicyRule(
        scope="stack", level="mandatory", severity="critical", clouds=("aws", "gcp"),
        finds="Names are allowed and nothing denies the rest.",
        matters="Networks allow egress by default: the list does nothing.",
        fix="AWS: a drop default in strict order. Google Cloud: a last deny of 0.0.0.0/0 and ::/0 for all protocols.",
        source="AWS best practices (no default action, no match: passes); VPC firewall rules, implied rules",
    ),
    "beyond-catalogs": PolicyRule(
        title="Nothing beyond the catalogs is open",
        scope="stack", level="mandatory", severity="critical",
        finds="Something gets out that is in no named catalog, and that no other rule names.",
        matters="Nobody reviewed it. Data leaves by whatever is open, however narrow.",
        fix="Take the rule that is named out, or narrow it to what a catalog has. What is meant is accepted by its id.",
        source="hostgate reach: the flow was put to the evaluator of the cloud's rules",
    ),
    "needed-closed": PolicyRule(
        title="What the catalogs need is open",
        scope="stack", level="advisory", severity="medium",
        finds="A host of a named catalog that a rule of this stack is there for does not get out, or not in every way.",
        matters="What was reviewed as needed fails at run time, and nobody sees why.",
        fix="Put the rule that is named behind the one for the host, or narrow it.",
        source="hostgate reach: the flow was put to the evaluator of the cloud's rules",
    ),
    "datagrams-out": PolicyRule(
        scope="stack", level="mandatory", severity="critical", clouds=("aws",), needs=frozenset({"protocol", "action"}),
        finds="UDP, ICMP or other IP protocols get out of a policy that is to allow listed names only.",
        matters="Defaults drop established TCP. A DNS question or a QUIC hello is one packet, to anybody, with data in it.",
        fix="hostgate's edge group, by reference, or `drop ip any any -> any any (ip_proto:!6; sid:1;)` right behind what passes "
            "as private. Stateless defaults: aws:forward_to_sfe.",
        source="AWS best practices for Network Firewall, default actions (2026); replayed on Suricata 7.0.10",
    ),
    "deny-elsewhere": PolicyRule(
        scope="stack", level="advisory", severity="medium", clouds=("aws", "gcp"),
        finds="Names are allowed in a policy that is not part of this stack, and no deny is to be seen; or by a web proxy to which "
        "no route of this stack leads. Or a URL list or an authorization policy of one stands here without what uses it.",
        matters="Whether the list does anything is decided elsewhere.",
        fix="See that the policy denies the rest, then exempt the resource with that reason.",
        source="hostgate, deny: declared",
    ),
    "dns-names": PolicyRule(
        scope="stack", level="mandatory", severity="critical", clouds=("aws",),
        finds="DNS Firewall answers a name that no named catalog holds, a mistake, or more names than the catalog has.",
        matters="Whoever owns that name gets every query below it, and a query carries data out by itself.",
        fix="List the entry's own names, with a block of the apex before a wildcard; or add the host to a catalog.",
        source="Amazon Route 53 developer guide, DNS Firewall domain lists; catalog entry",
    ),
    "dns-withdrawn": PolicyRule(
        scope="stack", level="advisory", severity="medium", clouds=("aws",),
        finds="DNS Firewall answers a name that a later revision of the catalog no longer holds.",
        matters="A vendor gives up names; who has them next gets the queries.",
        fix="Move to the newer revision once nothing asks for the name.",
        source="catalog, spans of the entry",
    ),
    "dns-no-block": PolicyRule(
        scope="stack", level="mandatory", severity="critical", clouds=("aws",),
        finds="DNS Firewall answers names, and no rule of the same group blocks all others.",
        matters="The resolver answers what no rule blocks: the list does nothing.",
        fix="A last rule with BLOCK and a list of `*.`; if another group blocks, exempt this one with that reason.",
        source="Amazon Route 53 developer guide, DNS Firewall rule actions",
    ),
    "proxy-names": PolicyRule(
        scope="stack", level="mandatory", severity="critical", clouds=("gcp",),
        finds="A rule of a web proxy allows a name that no named catalog holds, a mistake, or more names or ports than the "
        "catalog has.",
        matters="The proxy lets it through, whatever the reviewers of the catalog approved.",
        fix="List the entry's own names, with its port in the matcher; or add the host to a catalog.",
        source="Secure Web Proxy documentation, CEL matcher language and UrlList syntax references; catalog entry",
    ),
    "proxy-withdrawn": PolicyRule(
        scope="stack", level="advisory", severity="medium", clouds=("gcp",),
        finds="A rule of a web proxy allows a name that a later revision of the catalog no longer holds.",
        matters="A vendor gives up names; who has them next is let in.",
        fix="Move to the newer revision once nothing uses the name.",
        source="catalog, spans of the entry",
    ),
    "limit-nearly-used": PolicyRule(
        scope="stack", level="advisory", severity="low", needs=frozenset({"size", "names"}),
        finds="A limit of the cloud is nearly used up, or over.",
        matters="The next host fails in the middle of an update, on a deployed firewall.",
        fix="Split the list over more objects, or raise the quota where that can be done.",
        source="the limit's own source, named in the message",
    ),
    "exemption-ended": PolicyRule(
        scope="stack", level="mandatory", severity="medium",
        finds="An exemption in the settings has passed its `until` date.",
        matters="It was granted for a time, and nobody has looked again.",
        fix="Take it out, or renew it with a new reason.",
        source="the pack's settings",
    ),
}  # fmt: skip

OF_REACH: tuple[str, ...] = ("beyond-catalogs", "needed-closed")
"""Rules whose lines have an id, the same as in `hostgate reach`."""
