"""What the tests of every push have in common: pools to push, and waits that are counted."""

import time
from pathlib import Path

from hostgate.planning.pool_form import told_time


def write(pool: Path, hosts: dict[str, list[str]], seen: int | None = None) -> Path:
    """A pool with the addresses of `hosts`, IPv4 before IPv6, last seen now or at `seen`."""
    at = told_time(int(time.time()) if seen is None else seen)
    lines = ["hostgate-pool 1"]
    for host, addresses in hosts.items():
        lines += [f"host {host} window 86400", f"  watched ipv4 here {at}"]
        lines += [f"  {each} first {at} seen here {at}" for each in addresses]
    pool.write_text("\n".join([*lines, "end", ""]))
    return pool


def damage(pool: Path) -> None:
    pool.write_text("hostgate-pool 1\n")


def numbered(count: int, start: int = 0) -> list[str]:
    return [f"198.51.{n // 250}.{n % 250 + 1}" for n in range(start, start + count)]


class Clock:
    """Waits that are counted and not slept."""

    def __init__(self) -> None:
        self.waited = 0.0

    def __call__(self, seconds: float) -> None:
        self.waited += seconds
