"""Findings: what a plan has to say about an entry or about itself; each id with its severity, meaning and remedy.

The registry below is the only place where an id comes into being; the docs table is checked against it.
"""

from dataclasses import dataclass
from typing import Literal

from hostgate.catalog.model import Entry, Origin

Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class FindingKind:
    """A kind of finding: how bad it is, what it means, what to do about it."""

    severity: Severity
    meaning: str
    remedy: str
    first: bool = False
    """Whether it comes before all others of its severity: what it says makes the rest of the plan worth little."""
    unenforced: bool = False
    """Whether it says that what the plan makes blocks nothing. It is then shown before all others of its severity, and a
    program says it once, before anything else: whoever reads no further must have read this."""


KINDS: dict[str, FindingKind] = {
    "not-expressible": FindingKind(
        "error",
        "The mechanism cannot allow the entry exactly. The plan is refused.",
        "Do what the message names as nearest, leave the entry out, or accept the widening that the message names.",
    ),
    "empty-plan": FindingKind(
        "error",
        "No entry is allowed: all were left out. The plan is refused, because an empty allowlist is rarely meant.",
        "Select entries that are egress and not mistaken, or set `allowEmpty`.",
    ),
    "limit-exceeded": FindingKind(
        "error",
        "The cloud does not take this many. The plan is refused before anything is made.",
        "Select fewer entries, or split them over several stacks.",
    ),
    "over-quota": FindingKind(
        "warning",
        "The plan needs more than every account or policy has. Some have more, so nothing is refused.",
        "See that what the message says is so before `up`; have a quota raised in Service Quotas, by its code.",
    ),
    "acceptance-expired": FindingKind(
        "error",
        "An acceptance has passed its `until` date. Objects stay as they are; the plan fails until a person looks again.",
        "Review the entry; renew `until` with a new reason, or remove the acceptance and the entry.",
    ),
    "acceptance-expires-soon": FindingKind(
        "warning", "An acceptance ends within 14 days.", "Review the entry now; renew or remove the acceptance."
    ),
    "apex-included": FindingKind(
        "warning",
        "The object also allows the name itself, not only names below it. Only with an acceptance.",
        "Use a mechanism that can say it exactly, or keep the acceptance under review.",
    ),
    "deeper-names": FindingKind(
        "warning",
        "The object also allows names more than one label below. Only with an acceptance.",
        "Use a mechanism that can say it exactly, or keep the acceptance under review.",
    ),
    "address-only": FindingKind(
        "info",
        "The mechanism sees addresses, not names: another name on the same address passes, and a wrong SNI too.",
        "Nothing, if that is enough; otherwise a mechanism that sees the name.",
    ),
    "opens-addresses": FindingKind(
        "warning",
        "Names became addresses of a pool: what else answers at them is open too, and so is whoever has them next.",
        "Use a mechanism that reads the name where one can stand; else accept the finding with the reason.",
    ),
    "opens-inbound": FindingKind(
        "warning",
        "What keeps no state lets answers in by address: whoever has it may begin connections to the clients' ports.",
        "See that security groups and the way in let no connection from outside begin; else filter where state is kept.",
    ),
    "pool-stale": FindingKind(
        "warning",
        "Nobody has confirmed the addresses of the host for longer than they count.",
        "Run `hostgate pool refresh`, and see why it did not run.",
    ),
    "list-full": FindingKind(
        "warning",
        "A list that a refresher keeps begins full: a push of any address more is refused, and that address stays closed.",
        "Raise `maximum` or `capacity` before `up`; at the cloud's own limit split the entries over several stacks.",
    ),
    "refresher-owned": FindingKind(
        "info",
        "A refresher keeps the addresses, and not the program: what is open is what was pushed last.",
        "Push on a schedule, with an alarm on the exit code; push at once when a host comes.",
    ),
    "port-unseen": FindingKind(
        "info",
        "The mechanism sees addresses alone: every port, protocol and name of them passes.",
        "Have what sees ports behind it, such as `export:nftables`, or an allowlist of a cloud.",
    ),
    "name-unproven": FindingKind(
        "info",
        "The mechanism believes the name in the packet (SNI or Host): a client that lies about it is not caught.",
        "Nothing, for clients that are trusted not to lie; otherwise TLS inspection or resolved-address validation.",
    ),
    "name-only": FindingKind(
        "info",
        "The mechanism sees the name that is asked for, no port and no connection: an address that is known passes.",
        "Nothing beside a firewall on the path; alone it is no more than a first hurdle.",
    ),
    "documented-only": FindingKind(
        "info",
        "Nothing of the plan was tried on real software: that it works rests on what the cloud's vendor documents.",
        "Try it once it stands, with the commands that `hostgate plan` prints.",
    ),
    "no-survey": FindingKind(
        "warning",
        "The firewall resolves the names for itself and no survey of their TTLs and addresses is at hand.",
        "Expect refused connections after rotations; measure the names, or use a mechanism that matches on the wire.",
    ),
    "survey-ok": FindingKind(
        "info",
        "By the survey, fewer than 1 in 1,000 new connections are dropped because their address is not known yet.",
        "Nothing; survey again when the vendor changes its hosting.",
    ),
    "survey-risky": FindingKind(
        "warning",
        "By the survey, 1 in 1,000 to 1 in 100 new connections are dropped because their address is not known yet.",
        "Use a mechanism that the message names, or accept the finding for clients that retry.",
    ),
    "survey-unfit": FindingKind(
        "warning",
        "By the survey, more than 1 in 100 new connections are dropped because their address is not known yet.",
        "Use a mechanism that the message names.",
    ),
    "survey-unknown": FindingKind(
        "warning",
        "The survey has too few answers to say whether the mechanism keeps up with the host.",
        "Survey for longer, as the message says, or use a mechanism that the message names.",
    ),
    "not-in-survey": FindingKind(
        "warning",
        "The firewall resolves the name for itself and the survey does not hold it, or not for this mechanism.",
        "Survey the host too: `hostgate survey` takes the same catalogs and stacks.",
    ),
    "survey-stale": FindingKind(
        "warning",
        "The survey is more than 30 days old.",
        "Survey again: vendors move their hosts.",
    ),
    "survey-ech": FindingKind(
        "warning",
        "The host publishes a key for Encrypted Client Hello: a client that uses it shows an outer name only.",
        "Allow the outer name, turn ECH off on the clients, or answer their HTTPS queries without the key.",
    ),
    "survey-demand": FindingKind(
        "error",
        "A host is worse than the stack allows (`survey.worst`). The plan is refused.",
        "Use a mechanism that the message names, survey for longer, or accept the entry's survey finding.",
    ),
    "google-name": FindingKind(
        "warning",
        "Names of Google's services answer with highly variable addresses and make poor FQDN objects.",
        "Allow Google's API addresses by range, or use a mechanism that sees the name.",
    ),
    "google-apis": FindingKind(
        "warning",
        "The rule allows addresses behind which every Google API is, whatever its name. Only with an acceptance.",
        "Use a mechanism that sees the name, or keep the acceptance under review.",
    ),
    "google-access": FindingKind(
        "info",
        "Google's APIs are reached by addresses of their own: what that takes beside the plan.",
        "See that it is so; without it the names stay blocked.",
    ),
    "shared-hosting": FindingKind(
        "warning",
        "The name serves customers of one company beside the vendor: all of them are allowed.",
        "Prefer the vendor's own host where there is one; otherwise accept with a reason.",
    ),
    "withdrawn": FindingKind(
        "info",
        "A later revision of the catalog no longer holds the entry.",
        "Move the pinned revision when the hosts are no longer used.",
    ),
    "kept": FindingKind(
        "warning",
        "The vendor's document no longer states the host; the catalog keeps it open.",
        "Move the clients to what replaced it; a later revision of the catalog closes it.",
    ),
    "kept-over": FindingKind(
        "error",
        "The last day on which the catalog keeps a withdrawn host has passed.",
        "Leave the entry out (`select.without`), or pin a later revision.",
    ),
    "unpinned": FindingKind(
        "warning",
        "The catalog is followed at `latest`: what is allowed changes when the catalog does.",
        "Pin the revision that was reviewed.",
    ),
    "from-everything": FindingKind(
        "warning",
        "No `from` is given: everything behind the firewall may use the hosts.",
        "Name the clients under `from`.",
    ),
    "clients-unsaid": FindingKind(
        "warning",
        "Hosts are for some clients alone, and the file does not say for whom: all who get it may use all of them.",
        "Give it to those clients alone, name them where the format takes them, or write a file for each list.",
    ),
    "others-open": FindingKind(
        "warning",
        "`from`, or the scope of the policy, names some clients; for all others nothing of the plan holds, neither hosts nor deny.",
        "Leave `from` out to limit everybody, or limit the others by an allowlist or a deny of their own.",
    ),
    "others-cut": FindingKind(
        "info",
        "`from` names some clients; all others behind the firewall reach none of the hosts, and nothing that the deny cuts.",
        "Name them under `from` as well, or allow what they need by other rules.",
    ),
    "not-enforced": FindingKind(
        "warning",
        "What the plan makes judges no traffic: nothing uses it until something outside the plan does.",
        "Do what the message says is missing; accept the finding if it is done elsewhere.",
        unenforced=True,
    ),
    "deny-none": FindingKind(
        "warning",
        "Nothing is denied: an allowlist on a network that allows everything does nothing.",
        "Set `deny` to internet, or to declared if the deny exists elsewhere.",
        unenforced=True,
    ),
    "deny-declared": FindingKind(
        "info",
        "The deny is said to exist elsewhere; this plan neither makes nor checks it.",
        "See that it does, and what it must look like, in the message.",
    ),
    "datagrams-open": FindingKind(
        "warning",
        "No rule of the plan stops UDP, ICMP and other IP protocols, and a default that drops established flows lets them out.",
        "Leave `edge` at its default; accept the finding where the policy's owner stops them, for both address families.",
        first=True,
    ),
    "layers-differ": FindingKind(
        "warning",
        "Another layer of the stack blocks hosts of this one, and clients have to pass both.",
        "Give both layers the same hosts, or networks or clients of their own.",
    ),
    "deny-cuts": FindingKind(
        "info",
        "What the deny cuts beside the hosts of other vendors.",
        "Allow what your clients need of it by other rules.",
    ),
    "nxdomain-below": FindingKind(
        "warning",
        "A blocked name is said not to exist: resolvers on the way may conclude that no name below it does (RFC 8020).",
        "Leave `blockResponse` at NODATA, unless every client asks the VPC's resolver itself.",
    ),
    "fail-open": FindingKind(
        "warning",
        "While DNS Firewall does not answer, queries are resolved without being judged.",
        "Nothing, if names are also judged on the wire; otherwise set `failMode` to closed.",
    ),
    "detection-gap": FindingKind(
        "info",
        "The default drop acts once the engine knows the protocol: bytes that it cannot tell get out until then.",
        "Nothing, for clients that are trusted not to tunnel; otherwise close the ports outside the firewall as well.",
    ),
    "no-zones": FindingKind(
        "warning",
        "No zones are named: a rule that inspects lets everything pass in a zone without a firewall endpoint.",
        "Name every zone in which clients run under `zones`; a deployment without is refused.",
        first=True,
    ),
    "open-zones": FindingKind(
        "warning",
        "Zones without a firewall endpoint: clients there reach everything on the ports of the hosts.",
        "Move the zones from `openZones` to `zones`.",
    ),
    "zones": FindingKind(
        "info",
        "In which zones traffic is inspected: in any other one everything passes on the ports of the hosts.",
        "See that `zones` has every zone in which a client runs.",
    ),
    "new-endpoints": FindingKind(
        "info",
        "Firewall endpoints are made: what that takes and costs, and the largest packets that they inspect.",
        "Give an endpoint that is there under `endpoints`; see that `mtu` is that of the networks.",
    ),
    "attached-group": FindingKind(
        "warning",
        "A rule applies a security profile group of somebody else: it allows what that group holds.",
        "Have its owner put the named profile into it; leave `groups` out where one of your own will do.",
    ),
    "group-unused": FindingKind(
        "warning",
        "A security profile group is given for a port that no host of the plan has: misspelt, or its hosts are left out.",
        "Correct the port under `groups`, or remove it.",
    ),
    "other-port": FindingKind(
        "warning",
        "Names are filtered on a port of which the vendor's pages say nothing. Only with an acceptance.",
        "Try it with a name that must be blocked, or use a mechanism that is documented for the port.",
    ),
    "ipv6-not-denied": FindingKind(
        "warning",
        "An address family, mostly IPv6, is left out of the deny: everything is reachable over it.",
        "Leave `families` at its default, which denies both.",
    ),
    "http-or-tls": FindingKind(
        "info",
        "The mechanism sees name and port, and not whether TLS or plain HTTP is spoken: either passes on a port of the other.",
        "Nothing, for clients that are trusted not to send in the clear; otherwise a mechanism that tells them apart.",
    ),
    "apex-by-analogy": FindingKind(
        "info",
        "That a wildcard does not hold the name itself is documented for a sibling of the mechanism and taken to hold for it.",
        "Try the name itself once after `up`; if it matters, list the names that are needed as exact entries.",
    ),
    "past-the-proxy": FindingKind(
        "info",
        "What is not led to the proxy is not judged by it.",
        "See that clients have no other way out: no IPv6, no other default route, no external address of their own.",
    ),
    "explicit-proxy": FindingKind(
        "warning",
        "Clients of an explicit proxy choose to use it, and the vendor's pages contradict each other on names of uninspected TLS.",
        "Prefer `routing: next-hop`; else deny all other egress of the network, and try one host that must be blocked.",
        first=True,
    ),
    "quic-open": FindingKind(
        "warning",
        "Allowed hosts may be reached over QUIC, too, of which the mechanism sees nothing.",
        "Close UDP to the internet on the way, or send allowed URLs to a proxy.",
    ),
    "quic-closed": FindingKind(
        "info",
        "UDP 443 stays closed: an https entry means TCP.",
        "Nothing: clients fall back from QUIC to TLS over TCP.",
    ),
    "rejects": FindingKind(
        "info",
        "A blocked TCP connection is answered with a reset, by rules at the end in place of the policy's default drop.",
        "Nothing: clients fail at once instead of waiting; what is no TCP is dropped as before.",
    ),
    "addresses-unused": FindingKind(
        "warning",
        "Addresses are given for an entry that no rule allows by address: misspelt, left out, or one with a name to read.",
        "Correct the entry's id, or remove the addresses.",
    ),
    "attached-policy": FindingKind(
        "info",
        "What the policy that the objects are attached to must have, because this plan does not own it.",
        "Compare it with the policy's owner.",
    ),
    "network-preconditions": FindingKind(
        "info",
        "What the networks that the policy is associated with must have, because this plan does not own them.",
        "Compare it with the networks' owner; `hostgate explain --state` judges by what stands.",
    ),
    "default-action": FindingKind(
        "warning",
        "A default action of the firewall policy that was chosen costs something which the usual pair does not.",
        "Leave `defaultActions` out, or accept the finding with the reason.",
    ),
    "unknown-default-action": FindingKind(
        "warning",
        "A default action of the firewall policy that this release does not know. It is passed on as it is.",
        "See in the cloud's documentation that it drops what no rule matches; accept the finding with the reason.",
    ),
    "managed-groups": FindingKind(
        "info",
        "Rule groups that others maintain are judged before the plan's own. The plan does not read them.",
        "Watch them with `override: DROP_TO_ALERT` before they drop.",
    ),
    "foreign-groups": FindingKind(
        "warning",
        "A rule group that the cloud's vendor does not maintain is part of the policy: a pass in it would open more.",
        "Read its rules; accept the finding if none of them passes.",
    ),
    "stateless-groups": FindingKind(
        "warning",
        "Stateless rule groups stand before everything of the plan: a pass in one opens more, to anybody and unseen.",
        "Read their rules; accept the finding if none of them passes.",
    ),
    "denied-before": FindingKind(
        "info",
        "The firewall denies what lists and signatures of its vendor match, before it asks the rules.",
        "Where an allowed host is hit, name it under `threatIntelAllowlist`, or take mode Alert.",
    ),
    "safeguard-exempt": FindingKind(
        "warning",
        "What threat intelligence leaves alone is most of the internet: it is as good as off.",
        "Name the hosts and addresses that it hits and that are meant, in `threatIntelAllowlist`.",
    ),
    "tls-inspection": FindingKind(
        "info",
        "The policy decrypts TLS: what cannot be decrypted in its scope is dropped.",
        "Keep its scope to the clients and ports that trust its CA.",
    ),
    "home-net": FindingKind(
        "info",
        "Which clients the policy calls inside. Others match no rule of the plan.",
        "See that `homeNet` has every range that is routed through the firewall.",
    ),
    "doubtful-name": FindingKind(
        "warning",
        "A label has two hyphens in a row, as A-labels do (`xn--`). Azure Firewall once refused such names as invalid.",
        "Put it on a policy that nothing uses first; if it is refused, the host needs another cloud's mechanism.",
    ),
    "needs-dns-proxy": FindingKind(
        "warning",
        "FQDN network rules work only if clients resolve through the firewall's DNS proxy.",
        "Turn the proxy on and point the clients' DNS at the firewall.",
    ),
    "ipv4-only": FindingKind(
        "info",
        "The rules apply to IPv4 clients or destinations only; they open nothing over IPv6.",
        "Nothing, if clients fall back to IPv4; otherwise give the clients' IPv6 ranges.",
    ),
    "ipv6-only": FindingKind(
        "info",
        "The rules apply to IPv6 clients only; over IPv4 the hosts stay blocked.",
        "Nothing, if clients have IPv6 and so do the hosts; otherwise give the clients' IPv4 ranges.",
    ),
    "audit": FindingKind(
        "warning",
        "Audit mode: the plan blocks nothing; what passes beside the hosts, and what logs it.",
        "Read the logs, then set `mode` to enforce.",
        unenforced=True,
    ),
    "sid-collision": FindingKind(
        "info",
        "Two entries hashed to one signature id; the later one took the next.",
        "Nothing: ids stay unique and stable.",
    ),
    "mistake-refused": FindingKind(
        "error",
        "An entry would open a name that a catalog of the selection records as mistaken. The plan is refused.",
        "Correct the entry or leave it out; or accept `opens-mistake` for the entry and the name, with a reason.",
    ),
    "opens-mistake": FindingKind(
        "warning",
        "An entry opens a name that a catalog of the selection records as mistaken. Only with an acceptance that names both, "
        "or because that catalog lists the name as right as well.",
        "Keep the acceptance under review; whoever registers such a name is let in.",
    ),
    "mistaken": FindingKind(
        "warning",
        "The catalog records the entry as a mistake of the vendor's page. Nothing opens it.",
        "Use a revision in which the mistake is corrected.",
    ),
    "not-egress": FindingKind(
        "warning",
        "The entry is of a host that begins connections from outside. hostgate makes egress rules: nothing opens it.",
        "Open it where what comes in is decided, and narrow the selection to `directions: [egress]`.",
    ),
}


UNENFORCED = frozenset(id_ for id_, kind in KINDS.items() if kind.unenforced)
"""Ids of findings that what the plan makes blocks nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One remark. `entry` is the entry id, None for the whole plan; `accepted` the reason of whoever accepted it.

    `host` is the name that it is about where that is not the entry's own: an acceptance has to name it too.
    """

    id: str
    severity: Severity
    message: str
    entry: str | None = None
    catalog: str | None = None
    origin: Origin | None = None
    accepted: str | None = None
    host: str | None = None
    grant: str = ""
    """The grant that it is about, where a plan has several and it is not about all of them."""

    @property
    def unenforced(self) -> bool:
        """Whether it says that what the plan makes blocks nothing."""
        return self.id in UNENFORCED

    @property
    def order(self) -> tuple[int, int, str, str, str]:
        """The gravest first; in a severity that nothing is enforced, then what else makes the rest worth little."""
        severity = ("error", "warning", "info").index(self.severity)
        first = self.id in KINDS and KINDS[self.id].first  # a plan file may be of another release
        return (severity, 0 if self.unenforced else 1 if first else 2, self.id, self.entry or "", self.message)

    @property
    def line(self) -> str:
        """Id, grant, entry and message, as logs have it."""
        return ": ".join((self.id, *filter(None, (self.grant, self.entry)), self.message))

    def as_json(self) -> dict[str, str | None]:
        return {
            **({"grant": self.grant} if self.grant else {}),
            "id": self.id,
            "severity": self.severity,
            "entry": self.entry,
            "catalog": self.catalog,
            "host": self.host,
            "message": self.message,
            "at": None if self.origin is None else str(self.origin),
            "accepted": self.accepted,
        }


def finding(id_: str, message: str, entry: Entry | None = None, host: str | None = None) -> Finding:
    """A finding of the registered kind `id_`, about `entry` (and `host`) or about the whole plan."""
    severity = KINDS[id_].severity
    if entry is None:
        return Finding(id=id_, severity=severity, message=message)
    return Finding(
        id=id_,
        severity=severity,
        message=message,
        entry=entry.id,
        catalog=entry.catalog,
        origin=entry.origin,
        host=host,
        grant=entry.grant,
    )
