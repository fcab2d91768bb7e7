"""export:cilium: a CiliumNetworkPolicy. Cilium learns the addresses of a name from the answers that the pods get.

It reads them in its DNS proxy, so that the policy has a rule for DNS too, about the same names. In `matchPattern` a star is
a part of one label, and `**.` at the beginning any depth below (1.19); neither holds the name itself. A rule is for one host,
so that the SNI is asked for of those connections alone that go to the host's addresses.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import yaml
from pydantic import Field, field_validator

from hostgate.catalog.model import Entry
from hostgate.export.file_format import TCP, UDP, FileFormat, FormatOptions, closed
from hostgate.flows.intervals import Intervals
from hostgate.flows.names import NameTest
from hostgate.flows.steps import Box, Place, Stage, Step
from hostgate.planning.evidence import Claim, Evidence
from hostgate.planning.findings import Finding, finding
from hostgate.planning.limits import Limit, Usage
from hostgate.planning.mechanism import CloudObject, Means, Rendering
from hostgate.planning.options import Options

READ_ON = "2026-11-28"
_DNS = "Cilium documentation, layer 3 policies, DNS based"
_PORTS = "Cilium, pkg/policy/api/l4.go, PortRule"
BYTES = Limit("bytes of the policy", 1_500_000, "bytes", "etcd documentation, request size limit", READ_ON)

_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

_LEARNS = "Cilium keeps what a pod's own answer said while its TTL lasts, and for connections that live"
_NEEDS = (
    Claim("Cilium with its DNS proxy, 1.19 or later where a host means any depth", _DNS, READ_ON),
    Claim(
        "pods that ask kube-dns for absolute names, or have ndots 1: a name with a search domain is refused",
        _DNS,
        READ_ON,
    ),
)
_LABEL = (
    r"^([a-z0-9.-]+/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?=([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$"
)


class CiliumOptions(FormatOptions):
    """Where the policy stands, and which pods it is for."""

    namespace: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")] | None = None
    """The namespace of the policy and its pods. Left out: the one it is applied to."""
    select: list[Annotated[str, Field(pattern=_LABEL)]] = []
    """Labels of the pods, as KEY=VALUE, all of which they have. Left out: every pod of the namespace."""

    @field_validator("select")
    @classmethod
    def _one_value_a_key(cls, select: list[str]) -> list[str]:
        counted = Counter(key for key, _, _ in (each.partition("=") for each in dict.fromkeys(select)))
        if twice := sorted(key for key, number in counted.items() if number > 1):
            raise ValueError(f"found {', '.join(twice)} with several values. Allowed: one a key; no pod has two.")
        return select


class Cilium(FileFormat[CiliumOptions]):
    """One policy with a rule for DNS and one for each host."""

    target = "export:cilium"
    title = "Cilium network policy"
    options = CiliumOptions
    file = ".cilium.yaml"
    state = "tracked: answers to what the pods begin pass"
    tells_clients = True
    refuses = (
        "The pods reach nothing else: no other pod or service, no other name in DNS, and private destinations too. "
        "What other policies allow them is added."
    )
    limits = (BYTES,)
    means = (
        Means(
            name="FQDN rules with server names",
            protocols=frozenset({"https", "tls"}),
            kinds=frozenset({"exact"}),
            sight="name-and-port",
            names="both",
            ttl_family="client-dns",
            resolver=_LEARNS,
            evidence=Evidence("documented", _PORTS, READ_ON),
            needs=_NEEDS,
        ),
        Means(
            name="FQDN rules",
            protocols=frozenset({"https", "tls", "http", "tcp", "udp"}),
            sight="address-and-port",
            ttl_family="client-dns",
            resolver=_LEARNS,
            evidence=Evidence("documented", _DNS, READ_ON),
            needs=_NEEDS,
            opens=(Claim("every other name on the addresses of the host, at its port", _DNS, READ_ON),),
        ),
    )

    def way(self, entry: Entry, options: Options | None = None) -> Means:  # noqa: ARG002
        named = entry.match == "exact" and entry.protocol in self.means[0].protocols
        return self.means[0] if named else self.means[1]

    def render(self, entries: Sequence[Entry], options: CiliumOptions) -> Rendering:
        made = super().render(entries, options)
        size = len(json.dumps(_document(made.objects[0].body)))
        return Rendering(objects=made.objects, rules=made.rules, findings=made.findings, usage=(Usage(BYTES, size),))

    def remarks(self, options: CiliumOptions) -> Iterator[Finding]:
        yield from super().remarks(options)
        if not options.select:
            yield finding("from-everything", "Every pod of the namespace may use the hosts.")

    def body(self, entries: Sequence[Entry], options: CiliumOptions) -> Mapping[str, Any]:
        rules = {json.dumps(rule): rule for rule in map(self._rule, entries)}
        names = {json.dumps(name): name for entry in entries for name in _names(entry)}
        found = {
            "name": options.name,
            "namespace": options.namespace,
            "labels": dict(sorted(label.split("=") for label in options.select)),
            "egress": [_dns([names[key] for key in sorted(names)]), *rules.values()] if rules else [],
        }
        return {key: value for key, value in found.items() if value}

    def _rule(self, entry: Entry) -> dict[str, Any]:
        ports = {"ports": [{"port": str(entry.port), "protocol": entry.transport.upper()}]}
        if self.way(entry) is self.means[0]:
            return {"toFQDNs": _names(entry), "toPorts": [{**ports, "serverNames": [entry.host]}]}
        return {"toFQDNs": _names(entry), "toPorts": [ports]}

    def text(self, body: Mapping[str, Any], head: Sequence[str]) -> str:
        made = yaml.dump(_document(body), Dumper=_DUMPER, sort_keys=False, width=300)
        return "".join(f"# {line}\n" for line in head) + str(made)

    def place(self, objects: Sequence[CloudObject], options: CiliumOptions) -> Place:  # noqa: ARG002
        (made,) = objects
        steps = [step for rule in made.body.get("egress", ()) if "toFQDNs" in rule for step in _steps(made.name, rule)]
        stage = Stage("egress", tuple(steps), closed("no egress rule allows it"))
        assumptions = ("No other policy allows these pods anything.", "The pods ask the cluster's DNS, through Cilium.")
        return Place(self.target, made.name, (stage,), assumptions=assumptions, led="assumed", kind="pods")


def _names(entry: Entry) -> list[dict[str, str]]:
    exact, below = {"matchName": entry.host}, {"matchPattern": f"**.{entry.host}"}
    return {
        "exact": [exact],
        "one-label": [{"matchPattern": f"*.{entry.host}"}],
        "subtree": [below],
        "subtree+apex": [exact, below],
    }[entry.match]


def _dns(names: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    labels = {"k8s:io.kubernetes.pod.namespace": "kube-system", "k8s:k8s-app": "kube-dns"}
    ports = [{"port": "53", "protocol": protocol} for protocol in ("UDP", "TCP")]
    return {
        "toEndpoints": [{"matchLabels": labels}],
        "toPorts": [{"ports": ports, "rules": {"dns": [dict(each) for each in names]}}],
    }


def _document(body: Mapping[str, Any]) -> dict[str, Any]:
    """The object as the cluster takes it. One empty rule denies all; no rule at all would deny nothing."""
    place = {"namespace": body["namespace"]} if "namespace" in body else {}
    selector = {"matchLabels": body["labels"]} if "labels" in body else {}
    return {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumNetworkPolicy",
        "metadata": {"name": body["name"], **place},
        "spec": {"endpointSelector": selector, "egress": body.get("egress", [{}])},
    }


def _steps(name: str, rule: Mapping[str, Any]) -> Iterator[Step]:
    """By the rules of the documentation: names of the answers that the pod got, port, and SNI where one is asked for."""
    for selector in rule["toFQDNs"]:
        pattern = selector.get("matchPattern", "")
        host = pattern.removeprefix("**.").removeprefix("*.") or selector["matchName"]
        test = NameTest("exact" if not pattern else "subtree" if pattern.startswith("**.") else "one-label", host)
        for ports in rule["toPorts"]:
            for port in ports["ports"]:
                number = int(port["port"])
                for said in ports.get("serverNames", (None,)):
                    box = Box(
                        dialled=(test,),
                        wire=None if said is None else (NameTest("exact", said),),
                        applications=None if said is None else frozenset({"tls"}),
                        port=Intervals.of([(number, number)]),
                        protocols=frozenset({TCP if port["protocol"] == "TCP" else UDP}),
                    )
                    yield Step(action="allow", rule=f"{name}#{host}:{number}", why="an egress rule allows it", box=box)


MECHANISM = Cilium()
