"""Pacing: how many packets a second one resolver gets from us."""

import asyncio

from hostgate.planning.limits import Limit

CLOUD_RESOLVER = Limit(
    "packets to the VPC resolver",
    1024,
    "packets a second per network interface",
    "https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html",
    "2026-11-23",
)
"""The lowest limit of the three clouds. What is over it is dropped without a word, other programs' questions as well."""

DEFAULT_RATE = 500
"""Packets a second: about half of what the strictest cloud takes, so that the machine's own questions get through."""

TCP_PACKETS = 8
"""A question over TCP: three for the hand-shake, question, answer's acknowledgement, and three to close."""

_CREDIT = 0.05
"""Seconds that a busy event loop may come late without losing its turns."""


class Pacer:
    """Turns at one resolver, at most `rate` packets a second; who comes early waits."""

    def __init__(self, rate: float) -> None:
        self._gap = 1 / rate
        self._next = 0.0

    async def turn(self, packets: int = 1) -> None:
        """Wait until `packets` may be sent."""
        now = asyncio.get_running_loop().time()
        mine = max(self._next, now - _CREDIT)
        self._next = mine + packets * self._gap
        if mine > now:
            await asyncio.sleep(mine - now)
