"""Samples for tests, in few words: one lookup, and a pool asked for as long as a survey takes."""

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

from hostgate.dns.samples import Link, Run, Sample

HOST = "cgr.dev"
START = 1_790_000_000.0
"""22 September 2026."""


def answered(at: float, *letters: str, resolver: str = "10.0.0.2", ttl: int = 60, **more: Any) -> Sample:
    """An answer `at` seconds after the start. A letter stands for an address; `chain` as (owner, target, ttl)."""
    chain = tuple(Link(*link) for link in more.pop("chain", ()))
    addresses = tuple(more.pop("addresses", [address(letter) for letter in letters]))
    fixed: dict[str, Any] = {"host": HOST, "type": "A", "outcome": "answer", **more}
    return Sample(at=START + at, resolver=resolver, ttl=ttl, chain=chain, addresses=addresses, **fixed)


def address(letter: str) -> str:
    return f"192.0.2.{ord(letter)}"


def failed(at: float, outcome: str = "timeout", **more: Any) -> Sample:
    fixed: dict[str, Any] = {"host": HOST, "type": "A", "resolver": "10.0.0.2", "outcome": outcome, **more}
    return Sample(at=START + at, **fixed)


def run_of(*hosts: str, vantage: str = "lab", **more: Any) -> Run:
    fixed: dict[str, Any] = {"resolvers": ("10.0.0.2",), "types": ("A",), "edns": 1232, "tool": "hostgate 0", **more}
    return Run(vantage=vantage, started=START, hosts=hosts or (HOST,), **fixed)


def asked(
    pools: Mapping[str, tuple[int, int]],
    hours: float,
    *,
    ttl: int = 60,
    resolvers: tuple[str, ...] = ("10.0.0.2",),
    seed: int = 0,
) -> Iterator[Sample]:
    """A survey of `pools` (size and answer by host) at every TTL; a size of 0 is a name that does not exist."""
    dice = Random(f"answers/{seed}")
    at = 0.0
    while at < hours * 3600:
        for number, resolver in enumerate(resolvers):
            for host, (size, answer) in pools.items():
                if size:
                    chosen = [f"192.0.{each // 250}.{each % 250 + 1}" for each in dice.sample(range(size), answer)]
                    yield answered(at + number * 5, host=host, addresses=chosen, resolver=resolver, ttl=ttl)
                else:
                    yield failed(at + number * 5, "nxdomain", host=host, resolver=resolver)
        at += ttl + 0.3
