"""Readers of the exported files: what each would let pass, told from its text alone by the rules of its own software.

They share no code with what writes the files: no matcher, no place, no body of a plan.
"""

import csv
import io
import ipaddress
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import yaml

from hostgate.flows.flow import Flow

Passes = Callable[[Flow], bool]
TLS = ("https", "tls")


def below(name: str, host: str) -> int:
    """How many labels `name` has before `host`; -1 where it does not end in it."""
    name, host = name.lower(), host.lower()
    if name == host:
        return 0
    return name.removesuffix(host)[:-1].count(".") + 1 if name.endswith(f".{host}") else -1


def read_rows(rows: Sequence[Mapping[str, Any]]) -> Passes:
    """A person who reads each row: the words of the column `names` say how far a name reaches."""
    reach: dict[str, Callable[[int], bool]] = {
        "this name only": lambda depth: depth == 0,
        "every name one label below, not the name itself": lambda depth: depth == 1,
        "every name below at any depth, not the name itself": lambda depth: depth >= 1,
        "the name itself and every name below at any depth": lambda depth: depth >= 0,
    }

    def spoken(row: Mapping[str, Any], flow: Flow) -> bool:
        if row["protocol"] in ("tcp", "udp"):
            return bool(flow.transport == row["protocol"])
        return flow.protocol in (TLS if row["protocol"] in TLS else ("http",))

    def passes(flow: Flow) -> bool:
        return any(
            reach[row["names"]](below(flow.name.removesuffix("."), row["host"]))
            and int(row["port"]) == flow.port
            and spoken(row, flow)
            for row in rows
        )

    return passes


def read_csv(text: str) -> Passes:
    return read_rows(list(csv.DictReader(io.StringIO(text, newline=""))))


def read_json(text: str) -> Passes:
    return read_rows(json.loads(text)["hosts"])


def read_tfvars(text: str) -> Passes:
    (rows,) = json.loads(text).values()
    return read_rows(rows)


def read_cilium(text: str) -> Passes:
    """Cilium 1.19 and later: a star is characters of one label, two stars and a dot are labels (documentation, DNS based)."""
    spec = yaml.safe_load(text)["spec"]

    def named(selectors: Sequence[Mapping[str, str]], name: str) -> bool:
        for each in selectors:
            if each.get("matchName") == name:
                return True
            pattern = re.escape(each.get("matchPattern", "")).replace(r"\*\*\.", "(@+[.])+").replace(r"\*", "@*")
            if "matchPattern" in each and re.fullmatch(pattern.replace("@", "[-a-z0-9_]"), name):
                return True
        return False

    def passes(flow: Flow) -> bool:
        name = flow.name.removesuffix(".").lower()
        rules = spec["egress"]
        asks = [
            each for rule in rules for port in rule.get("toPorts", ()) for each in port.get("rules", {}).get("dns", ())
        ]
        if not named(asks, name):
            return False  # the pod gets no answer, and knows no address
        for rule in rules:
            for ports in rule.get("toPorts", ()) if named(rule.get("toFQDNs", ()), name) else ():
                there = {(each["port"], each["protocol"]) for each in ports["ports"]}
                said = ports.get("serverNames")
                if (str(flow.port), str(flow.transport).upper()) in there and (
                    said is None or (flow.protocol in TLS and (flow.sni or "").lower() in said)
                ):
                    return True
        return False

    return passes


class Request(NamedTuple):
    """What Squid judges: `step` 0 is the request itself, 2 the server name of the TLS in a tunnel."""

    method: str
    host: str
    port: int
    sni: str = ""
    step: int = 0


def read_squid(text: str) -> Passes:
    """Squid 6: of acl lines with one name any, of names in a rule all, of rules the first (squid.conf.documented)."""
    acls: dict[str, list[list[str]]] = {}
    access: list[list[str]] = []
    bumps: list[list[str]] = []
    for line in text.splitlines():
        word, *rest = line.split() if line and not line.startswith("#") else [""]
        if word == "acl":
            acls.setdefault(rest[0], []).append(rest[1:])
        elif word in ("http_access", "ssl_bump"):
            (access if word == "http_access" else bumps).append(rest)

    def one(words: list[str], asked: Request) -> bool:
        kind, *values = words
        values = [each for each in values if not each.startswith("-")]
        match kind:
            case "src":
                return True
            case "method":
                return asked.method in values
            case "proto":
                return asked.method != "CONNECT" and "HTTP" in values
            case "port":
                return str(asked.port) in values
            case "at_step":
                return False  # what is asked here comes after the first
            case "dstdomain":
                return any(_domain(each, asked.host) for each in values)
            case "dstdom_regex":
                return any(re.search(each, asked.host, re.IGNORECASE) for each in values)
            case "ssl::server_name":
                return any(_domain(each, asked.sni) for each in values)
            case "ssl::server_name_regex":
                return any(re.search(each, asked.sni, re.IGNORECASE) for each in values)
        raise AssertionError(words)

    def holds(name: str, asked: Request) -> bool:
        if name.startswith("!"):
            return not holds(name[1:], asked)
        return name == "all" or any(one(words, asked) for words in acls[name])

    def first(rules: list[list[str]], asked: Request) -> str:
        return next((action for action, *names in rules if all(holds(name, asked) for name in names)), "")

    def passes(flow: Flow) -> bool:
        plain = flow.protocol == "http"
        if not plain and flow.protocol not in TLS:
            return False
        asked = Request("GET" if plain else "CONNECT", flow.name, flow.port)
        if first(access, asked) != "allow":
            return False
        return plain or first(bumps, asked._replace(sni=flow.sni or "", step=2)) == "splice"

    return passes


def _domain(said: str, name: str) -> bool:
    return below(name, said.removeprefix(".")) >= 0 if said.startswith(".") else below(name, said) == 0


_ELEMENT = re.compile(r"([0-9a-f.:]+) \. (tcp|udp) \. ([0-9]+),")
_TESTS = {
    "there": r"ct state new (?:ip6? saddr @(\w+) )?ip6? daddr \. meta l4proto \. th dport @(\w+) accept",
    "there, stateless": (
        r"(?:ip6? saddr @(\w+) )?ip6? daddr \. meta l4proto \. th dport @(\w+) th sport 1024-65535 accept"
    ),
    "back, stateless": (
        r"(?:ip6? daddr @(\w+) )?ip6? saddr \. meta l4proto \. th sport @(\w+) th dport 1024-65535 goto answers"
    ),
}
"""Which way a rule is for: whose packets, and where to or from."""


class Table(NamedTuple):
    """One way through a table: where connections may go (address, protocol, port), and the ranges that they may come from."""

    reached: set[tuple[str, str, int]]
    clients: set[str]


def read_nftables(text: str) -> dict[str, Table]:
    """What the rules of each of `_TESTS` let pass. Raises AssertionError for a line that might mean something else."""
    sets: dict[str, set[tuple[str, str, int]]] = {}
    ranges: dict[str, set[str]] = {}
    found: dict[str, Table] = {}
    current = last = ""
    assert re.search(r"chain forward \{\s+type filter hook forward priority filter; policy drop;\n", text)
    for line in map(str.strip, text.splitlines()):
        if line == "accept":  # of answers alone
            assert last == "tcp flags & (syn | ack) == syn drop"
        elif made := re.match(r"set (\w+) \{(?: type \w+; flags interval; elements = \{ (.*) \}; \})?$", line):
            current = made[1]
            if made[2]:
                ranges[current] = set(made[2].split(", "))
        elif element := _ELEMENT.match(line):
            sets.setdefault(current, set()).add((element[1], element[2], int(element[3])))
        elif way := next((way for way, form in _TESTS.items() if re.fullmatch(form, line)), ""):
            said = re.fullmatch(_TESTS[way], line)
            assert said
            table = found.setdefault(way, Table(set(), set()))
            table.reached.update(sets[said[2]])
            table.clients.update(ranges[said[1]] if said[1] else {"0.0.0.0/0", "::/0"})
        else:
            assert re.fullmatch(
                r"#.*|table inet \w+( \{)?|delete table inet \w+|type ipv[46]_addr \. inet_proto \. inet_service;|"
                r"elements = \{|\};?|chain forward \{|type filter hook forward priority filter; policy drop;|"
                r"ct state established,related accept|chain answers \{|tcp flags & \(syn \| ack\) == syn drop|",
                line,
            ), line
            last = line
    return found


def read_vpn(text: str, product: str) -> set[str]:
    """The networks that are led through the tunnel, as CIDR."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    if product == "aws-client-vpn":
        document = json.loads(text)
        routes = {each["DestinationCidrBlock"] for each in document.get("routes", ())}
        assert routes == {each["TargetNetworkCidr"] for each in document.get("authorizationRules", ())}
        return routes
    forms = {
        "prefixes": r"([0-9a-f.:]+/\d+)()",
        "wireguard": r"AllowedIPs = ([0-9a-f.:]+/\d+)()",
        "openvpn": r'push "route(?:-ipv6)? ([0-9a-f.:]+(?:/\d+)?)(?: ([0-9.]+))?"',
    }
    found = set()
    for line in lines:
        said = re.fullmatch(forms[product], line)
        assert said, line
        found.add(str(ipaddress.ip_network(f"{said[1]}/{said[2]}" if said[2] else said[1])))
    return found


Opened = set[tuple[str, str, int]]
"""Range, transport and port."""


def read_terraform_groups(text: str) -> dict[str, Opened]:
    """What each security group lets out, by its rules and the lists that they refer to."""
    document = json.loads(text).get("resource", {})
    lists = {
        f"${{aws_ec2_managed_prefix_list.{name}.id}}": each
        for name, each in _of(document, "aws_ec2_managed_prefix_list")
    }
    found: dict[str, Opened] = {}
    for _, rule in _of(document, "aws_vpc_security_group_egress_rule"):
        listed = lists[rule["prefix_list_id"]]
        assert len(listed["entry"]) <= listed["max_entries"]
        for port in range(rule["from_port"], rule["to_port"] + 1):
            opened = {(each["cidr"], rule["ip_protocol"], port) for each in listed["entry"]}
            assert {ipaddress.ip_network(cidr).version for cidr, _, _ in opened} == {int(listed["address_family"][-1])}
            found.setdefault(rule["security_group_id"], set()).update(opened)
    return found


def read_terraform_acls(text: str) -> dict[str, tuple[Opened, Opened]]:
    """What each network ACL lets out and in, each range at the first port of an entry's."""
    found: dict[str, tuple[Opened, Opened]] = {}
    taken = set()
    for _, entry in _of(json.loads(text).get("resource", {}), "aws_network_acl_rule"):
        out, back = found.setdefault(entry["network_acl_id"], (set(), set()))
        place = (entry["network_acl_id"], entry["egress"], entry["rule_number"])
        assert place not in taken
        taken.add(place)
        assert entry["rule_action"] == "allow"
        assert (entry["from_port"], entry["to_port"]) == (
            (entry["to_port"],) * 2 if entry["egress"] else (1024, 65_535)
        )
        (cidr,) = (entry[key] for key in ("cidr_block", "ipv6_cidr_block") if key in entry)
        transport = {"6": "tcp", "17": "udp"}[entry["protocol"]]
        (out if entry["egress"] else back).add((cidr, transport, entry["from_port"]))
    return found


def _of(document: Mapping[str, Any], kind: str) -> list[tuple[str, Mapping[str, Any]]]:
    return list(document.get(kind, {}).items())
