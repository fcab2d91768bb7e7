"""Resolvers: where questions go, and what a resolver does before it is trusted with a survey."""

import asyncio
import secrets
from collections.abc import Sequence
from ipaddress import ip_address
from typing import NamedTuple

from hostgate.catalog.problems import InputError, Problem, spelled
from hostgate.dns.ask import PORT_CLOSED, Asker
from hostgate.dns.samples import LookupOutcome, Probe, ProbeState, Sample

MOST = 16
"""Resolvers of one survey. Each holds up to a hundred sockets."""

_STATE: dict[LookupOutcome, ProbeState] = {
    "timeout": "silent",
    "malformed": "broken",
    "unreachable": "unreachable",
    "local": "unreachable",
}
"""What outcomes that bring no reply say of the resolver."""


class Resolver(NamedTuple):
    """An address and port; text as people write it, `192.0.2.1:53` or `[2001:db8::1]:53`."""

    address: str
    port: int = 53

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


def parse_resolver(text: str) -> Resolver:
    """`IP`, `IP:PORT` or `[IPv6]:PORT`. Raises ValueError saying what is allowed."""
    host, port = text, "53"
    if text.startswith("["):
        host, closing, rest = text[1:].partition("]")
        port = rest[1:] if rest.startswith(":") else ("53" if closing and not rest else "")
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    try:
        address = ip_address(host)
    except ValueError:
        raise ValueError(f"{spelled(text)} is no resolver. Allowed: IP, IP:PORT or [IPv6]:PORT, no names.") from None
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError(f"{spelled(text)} has no port from 1 to 65535. Allowed: IP, IP:PORT or [IPv6]:PORT.")
    return Resolver(str(address), int(port))


def system_resolvers() -> tuple[Resolver, ...]:
    """Those that this machine's programs ask. Raises InputError if it has none."""
    import dns.resolver

    try:
        found = dns.resolver.Resolver()
    except dns.resolver.NoResolverConfiguration:
        message = "This machine has no resolver configured (/etc/resolv.conf). Name one: --resolver IP."
        raise InputError([Problem(rule="no-resolver", message=message)]) from None
    return tuple(Resolver(str(ip_address(str(each))), found.port) for each in found.nameservers)


async def probe(resolver: Resolver, asker: Asker, known: str) -> Probe:
    """Ask for two names that cannot exist, one after the other with nothing else going on.

    A closed port shows here and not after thousands of timeouts; a resolver that knows an address for a name that
    nobody has (a captive portal, a filter) would have one for every host. `.invalid` never exists (RFC 6761 6.4); a
    random name below `.com` also finds those who only rewrite NXDOMAIN of real domains. A resolver of a closed network
    may have nobody to ask about either: it is silent only if it does not answer for `known`, a host of the survey.
    """
    loop = asyncio.get_running_loop()
    took: list[float] = []

    async def ask(name: str) -> Sample:
        start = loop.time()
        answer = await asker.lookup(name, "A", resolver)
        if answer.outcome not in _STATE:
            took.append(loop.time() - start)
        return answer

    for top in ("invalid", "com"):
        name = f"{secrets.token_hex(12)}.{top}"
        answer = await ask(name)
        if answer.outcome == "answer":
            return Probe(
                resolver=str(resolver),
                state="captive",
                detail=f"it gave the address {answer.addresses[0]} for {name}, a name that does not exist",
            )
        if answer.outcome == "timeout" and not took:
            answer = await ask(known)
        if not took:
            state: ProbeState = "closed" if answer.detail == PORT_CLOSED else _STATE[answer.outcome]
            return Probe(resolver=str(resolver), state=state, detail=answer.detail)
    return Probe(resolver=str(resolver), state="ok", rtt=round(min(took), 6))


def usable(probes: Sequence[Probe]) -> tuple[str, ...]:
    """The resolvers whose answers are worth something."""
    return tuple(each.resolver for each in probes if each.state == "ok")
