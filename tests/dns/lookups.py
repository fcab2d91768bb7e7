"""Asking a server in tests: ours with short patience, and dnspython's resolver as most programs use it."""

import asyncio
from collections.abc import Sequence

import dns.asyncresolver
from zone_server import ZoneServer

from hostgate.dns.ask import Asker, Patience
from hostgate.dns.resolvers import Resolver
from hostgate.dns.samples import RecordType, Sample

SHORT = Patience(udp=(0.3, 0.3), tcp=0.5)
QUICK = 100_000
"""Packets a second: no pacing to speak of."""


def ask(server: ZoneServer, host: str, kind: RecordType = "A", patience: Patience = SHORT) -> Sample:
    """One lookup, as the survey makes it."""
    return asyncio.run(Asker(QUICK, patience).lookup(host, kind, resolver_of(server)))


def ask_all(server: ZoneServer, hosts: Sequence[str], patience: Patience = SHORT, bound: int = 100) -> list[Sample]:
    """Many lookups, at most `bound` at a time."""

    async def main() -> list[Sample]:
        asker, free = Asker(QUICK, patience), asyncio.Semaphore(bound)

        async def one(host: str) -> Sample:
            async with free:
                return await asker.lookup(host, "A", resolver_of(server))

        return await asyncio.gather(*map(one, hosts))

    return asyncio.run(main())


def resolver_of(server: ZoneServer) -> Resolver:
    return Resolver(server.address, server.port)


def plain(server: ZoneServer, *, edns: bool = True, lifetime: float = 1.0) -> dns.asyncresolver.Resolver:
    """dnspython's asynchronous resolver, pointed at the server."""
    made = dns.asyncresolver.Resolver(configure=False)
    made.nameservers, made.port = [server.address], server.port
    made.timeout, made.lifetime = min(lifetime, 0.5), lifetime
    if edns:
        made.use_edns(0, 0, 1232)
    return made
