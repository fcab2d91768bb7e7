"""export:squid: access rules for Squid as a forward proxy, which dials the name that the client asks it for.

A CONNECT is judged by the name in it, then by the SNI of the TLS inside, read (peek) and passed on as it is (splice): no
TLS is opened. `dstdomain` has `-n`: without it Squid asks DNS for the name of every address that it is asked for, and
refuses. A leading dot means the name and all below, so that it is never written for an exact name.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Annotated, Any

from pydantic import Field

from hostgate.catalog.model import Entry
from hostgate.export.file_format import APPLICATION, PORT, TCP, ClientOptions, FileFormat, clients_of, closed
from hostgate.flows.intervals import Intervals
from hostgate.flows.names import NameTest, endings
from hostgate.flows.steps import Box, Place, Stage, Step
from hostgate.planning.evidence import Claim, Evidence
from hostgate.planning.mechanism import CloudObject, Means

TRIED = Evidence("tried", "Squid 5.7 with OpenSSL, asked as a running proxy", "2026-11-28")
_ACLS = "Squid configuration directive acl"
_NEEDS = (
    Claim(
        "Squid 5 or later, built with OpenSSL (`squid -v` names --with-openssl)",
        "Squid directive ssl_bump",
        "2026-11-28",
    ),
    Claim("clients that have no way out but the proxy", _ACLS, "2026-11-28"),
    Claim("no http_port, http_access or ssl_bump of another file", _ACLS, "2026-11-28"),
)
_BY_ADDRESS = "a format that allows by address, for what does not speak to a proxy."
_NEAREST = {"tcp": _BY_ADDRESS, "udp": _BY_ADDRESS}


class SquidOptions(ClientOptions):
    """Where the proxy listens, and how strict it is about TLS."""

    listen: Annotated[str, Field(pattern=rf"^(\[[0-9a-f:]+\]:|[0-9.]+:)?{PORT}$")] = "3128"
    """The port of the proxy, or an address with it."""
    certificate: Annotated[str, Field(pattern=r"^/[A-Za-z0-9._/-]+$")] = "/etc/squid/hostgate.pem"
    """A certificate with its key, which Squid wants for the port, and shows to a client only with a refusal."""
    pair: bool = False
    """Whether the SNI has to be meant by the same entry as the name in CONNECT. Else any host of the list, at the port."""


class Squid(FileFormat[SquidOptions]):
    """Lines for squid.conf."""

    target = "export:squid"
    title = "Squid"
    options = SquidOptions
    file = ".squid.conf"
    state = "the proxy ends and begins connections itself"
    tells_clients = True
    refuses = "The proxy refuses all other hosts, addresses instead of names, and private destinations too."
    means = (
        Means(
            name="CONNECT and SNI",
            protocols=frozenset({"https", "tls"}),
            sight="name-and-port",
            names="both",
            ttl_family="wire",
            resolver="the proxy dials the name itself; TTL and rotation do not matter",
            evidence=TRIED,
            needs=_NEEDS,
            nearest=_NEAREST,
        ),
        Means(
            name="HTTP requests",
            protocols=frozenset({"http"}),
            sight="name-and-port",
            names="dialled",
            ttl_family="wire",
            resolver="the proxy dials the name itself; TTL and rotation do not matter",
            evidence=TRIED,
            needs=_NEEDS,
            nearest=_NEAREST,
        ),
    )

    def rule(self, entry: Entry, options: SquidOptions) -> str:
        spoken = "http" if entry.protocol == "http" else "sni"
        label = "names" if entry.match in _PLAIN else "below"
        return f"{options.name}_{spoken}_{entry.port}_{label}{_mark(entry) if options.pair and spoken == 'sni' else ''}"

    def body(self, entries: Sequence[Entry], options: SquidOptions) -> Mapping[str, Any]:
        return {"lines": [list(line) for line in _lines(entries, options)]}

    def text(self, body: Mapping[str, Any], head: Sequence[str]) -> str:
        told = (*head, "In squid.conf, in place of its lines http_port, http_access and ssl_bump: include this file.")
        return "".join([*(f"# {line}\n" for line in told), *(f"{' '.join(line)}\n" for line in body["lines"])])

    def place(self, objects: Sequence[CloudObject], options: SquidOptions) -> Place:
        (made,) = objects
        return Reading(made).place(self.target, options)


def _lines(entries: Sequence[Entry], options: SquidOptions) -> Iterator[tuple[str, ...]]:
    name = options.name
    clients = (f"{name}_clients",) if options.from_ else ()
    yield from (("acl", *clients, "src", cidr) for cidr in sorted(options.from_))
    yield ("acl", f"{name}_connect", "method", "CONNECT")
    yield ("acl", f"{name}_plain", "proto", "HTTP")
    yield ("acl", f"{name}_hello", "at_step", "SslBump1")
    yield ("acl", f"{name}_no_name", "ssl::server_name_regex", _EMPTY_LABEL)
    groups: dict[tuple[str, int], list[Entry]] = {}
    for entry in entries:
        groups.setdefault((APPLICATION[entry.protocol], entry.port), []).append(entry)
    yield from (("acl", f"{name}_port_{port}", "port", str(port)) for port in sorted({port for _, port in groups}))
    access: list[tuple[str, ...]] = []
    splices: list[tuple[str, ...]] = []
    for (spoken, port), own in sorted(groups.items()):
        how = (f"{name}_connect",) if spoken == "tls" else (f"!{name}_connect", f"{name}_plain")
        sets = list(_sets(own))
        for label, values in sets:
            asked = f"{name}_{spoken}_{port}_{label}"
            yield from (("acl", asked, *_host_type(label), value) for value in values)
            access.append(("http_access", "allow", *clients, *how, f"{name}_port_{port}", asked))
        if spoken != "tls":
            continue
        for label, values, of in _pairs(own) if options.pair else ((label, values, "") for label, values in sets):
            said = f"{name}_sni_{port}_{label}{of}"
            yield from (("acl", said, *_sni_type(label), value) for value in values)
            asked = f"{name}_to_{port}_{label}{of}"
            yield from (("acl", asked, *_host_type(label), value) for value in values if of)
            splices.append(("ssl_bump", "splice", f"{name}_port_{port}", *((asked,) if of else ()), said))
    yield from access
    yield ("http_access", "deny", "all")
    yield ("http_port", options.listen, "ssl-bump", f"tls-cert={options.certificate}", "generate-host-certificates=off")
    yield ("ssl_bump", "peek", f"{name}_hello")
    yield ("ssl_bump", "terminate", f"{name}_no_name")
    yield from splices
    yield ("ssl_bump", "terminate", "all")


def _host_type(label: str) -> tuple[str, ...]:
    return ("dstdomain", "-n") if label == "names" else ("dstdom_regex", "-n", "-i")


def _sni_type(label: str) -> tuple[str, ...]:
    return ("ssl::server_name", "--client-requested") if label == "names" else ("ssl::server_name_regex", "-i")


def _sets(entries: Sequence[Entry]) -> Iterator[tuple[str, list[str]]]:
    """Values by the type that can say them: names, and patterns for a depth or an apex that dstdomain cannot leave out.

    No name is there that a wider one holds: Squid drops one of the two, and says only in its log which.
    """
    wide = {each.host for each in entries if each.match == "subtree+apex"}
    kept = [each for each in entries if not any(above in wide for above in _wider(each))]
    names = {f".{each.host}" if each.match == "subtree+apex" else each.host for each in kept if each.match in _PLAIN}
    if names:
        yield "names", sorted(names)
    if patterns := {_pattern(each) for each in kept if each.match not in _PLAIN}:
        yield "below", sorted(patterns)


_EMPTY_LABEL = r"(^|\.)\."
"""In no name of a host. Squid refuses it where it is dialled, and takes `.x` for x where it is an SNI (tried with 5.7)."""

_PLAIN = ("exact", "subtree+apex")


def _wider(entry: Entry) -> list[str]:
    """Hosts that hold all of `entry` where they are meant with everything below."""
    found = list(endings(entry.host))
    return found[1:] if entry.match == "subtree+apex" else found


def _pattern(entry: Entry) -> str:
    below = entry.host.replace(".", r"\.")
    return rf"^[^.]+\.{below}$" if entry.match == "one-label" else rf"\.{below}$"


def _mark(entry: Entry) -> str:
    """Tells the sets of one entry from those of others: a host is longer than the name of an acl may be."""
    return f"_{sha256(f'{entry.host} {entry.match}'.encode()).hexdigest()[:12]}"


def _pairs(entries: Iterable[Entry]) -> Iterator[tuple[str, list[str], str]]:
    """The same for each entry apart."""
    for entry in {(each.host, each.match): each for each in entries}.values():
        yield from ((label, values, _mark(entry)) for label, values in _sets([entry]))


class Reading:
    """What Squid does by its lines: http_access in order, then ssl_bump for what it has let connect."""

    def __init__(self, made: CloudObject) -> None:
        self.name = made.name
        self.acls: dict[str, list[tuple[str, str]]] = {}
        self.rules: list[Sequence[str]] = []
        for directive, *words in made.body["lines"]:
            if directive == "acl":
                self.acls.setdefault(words[0], []).append((words[1], words[-1]))
            else:
                self.rules.append((directive, *words))

    def place(self, target: str, options: SquidOptions) -> Place:
        access = [
            step for rule in self.rules if rule[:2] == ("http_access", "allow") for step in self._access(rule[2:])
        ]
        bumps = [step for rule in self.rules if rule[0] == "ssl_bump" for step in self._bump(*rule[1:])]
        odd = Box(dialled=(NameTest("pattern", _EMPTY_LABEL),))
        access.insert(0, Step(action="block", rule="", why="Squid takes no name with an empty label", box=odd))
        return Place(
            target,
            options.listen,
            (
                Stage("http_access", tuple(access), closed("no http_access allows it")),
                Stage(
                    "ssl_bump", tuple(bumps), closed("the SNI is of no host of the list, and the connection is ended")
                ),
            ),
            assumptions=("No http_port, http_access or ssl_bump of another file is there.",),
            clients=clients_of(options.from_),
            led="asked",
            kind="proxy",
        )

    def _of(self, words: Iterable[str], *types: str) -> list[str]:
        return [value for word in words for type_, value in self.acls.get(word, ()) if type_ in types]

    def _tests(self, words: Iterable[str], kind: str) -> list[NameTest]:
        plain, pattern = (
            ("dstdomain", "dstdom_regex") if kind == "host" else ("ssl::server_name", "ssl::server_name_regex")
        )
        found = [
            NameTest("subtree+apex" if value[0] == "." else "exact", value.lstrip("."))
            for value in self._of(words, plain)
        ]
        return found + [NameTest("pattern", value) for value in self._of(words, pattern)]

    def _box(self, words: Sequence[str], **more: Any) -> Box:
        ports = Intervals.of((int(port), int(port)) for port in self._of(words, "port"))
        return Box(port=ports, protocols=frozenset({TCP}), client=clients_of(self._of(words, "src")), **more)

    def _access(self, words: Sequence[str]) -> Iterator[Step]:
        tls = any(not word.startswith("!") and self._of([word], "method") for word in words)
        for test in self._tests(words, "host"):
            box = self._box(words, dialled=(test,), applications=frozenset({"tls" if tls else "http"}))
            why = "http_access allows the name that it is asked for"
            yield Step(action="next" if tls else "allow", rule=f"{self.name}#{words[-1]}", why=why, box=box)

    def _bump(self, action: str, *words: str) -> Iterator[Step]:
        asked = self._tests(words, "host")
        rule, why = f"{self.name}#{words[-1]}", "ssl_bump passes its SNI on"
        for test in self._tests(words, "sni") if action != "peek" else ():
            if action == "terminate":
                yield Step(action="block", rule=rule, why="ssl_bump ends what has this SNI", box=Box(wire=(test,)))
                continue
            # Without an SNI Squid takes the name in CONNECT for it.
            own = self._box(words, dialled=(test,), wire=(test,), nameless=True)
            yield Step(action="allow", rule=rule, why=why, box=own)
            if not asked:
                yield Step(action="allow", rule=rule, why=why, box=self._box(words, wire=(test,)))


MECHANISM = Squid()
