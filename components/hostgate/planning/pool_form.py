"""The text form of an address pool: one line for each address, so that one changed address changes one line.

    hostgate-pool 1
    private 10.20.0.0/16
    host cgr.dev window 86400
      watched ipv4 eu-west-1 2026-11-20T10:00:00Z
      watched ipv4 us-east-1 2026-11-20T10:02:10Z
      203.0.113.7 first 2026-11-20T10:00:00Z seen eu-west-1 2026-11-28T17:00:00Z us-east-1 2026-11-28T17:10:30Z
      2001:db8::7 first 2026-11-21T09:00:00Z seen eu-west-1 2026-11-28T17:00:00Z
    host new.example window 86400
    end

`private` (optional, repeated): networks of the owner's own from which addresses are taken. `host`: a name that is asked
for and its window in seconds; one with no address below it is known and has none yet. `watched`: since when answers of a
family came at a vantage point without a break. An address: when it was first seen at all, and for each vantage point when
last. Times are UTC. Hosts, then families, vantage points and addresses are in order. `end` is there because a file that
was cut off has lost addresses. Blanks and the order of hosts and lines are free in what is read; a second time is an error.

`pool = read_pool(data, "pool.txt")`, or from a path or a URL: `hostgate.dns.pool_places.load_pool`.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import NoReturn, get_args

from hostgate.catalog.collector import collector_at_rest
from hostgate.catalog.hosts import check_host
from hostgate.catalog.model import Family
from hostgate.catalog.problems import InputError, Problem, spelled
from hostgate.planning.address_pool import AddressPool, Network, PoolAddress, PoolHost, address_kind, packed_address

VERSION = 1
"""Of the form, in the first line."""

LONGEST_WINDOW = 90 * 86_400
"""Seconds. What nobody has seen for longer is no address of the host any more."""

SHORTEST_WINDOW = 3600
"""Seconds. In less, answers that come every five minutes could not be told from a break."""

VANTAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/-]{0,62}\Z")
VANTAGE_ALLOWED = "a name of up to 63 letters, digits and . _ : @ / -, e.g. eu-west-1"

OWNER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z")
OWNER_ALLOWED = "up to 63 letters, digits and . _ -, e.g. pool"

LABELLED_OWNER = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}\Z")
"""Of a list whose label says it: labels of Google Cloud have no capital and no dot."""
LABELLED_OWNER_ALLOWED = "up to 63 lower-case letters, digits and _ -, e.g. pool"

PREFIX_LIST = re.compile(r"pl-(?:[0-9a-f]{8}|[0-9a-f]{17})\Z")
PREFIX_LIST_ALLOWED = "the id of a managed prefix list, pl- and 8 or 17 hex digits"

_HEAD = "hostgate-pool"
_FAMILIES: tuple[Family, ...] = get_args(Family)
_ALLOWED = "Allowed: a file that `hostgate pool refresh` wrote."
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z\Z")


class _LineError(ValueError):
    """A line that is none of a pool: `args` are the rule and the message."""


@collector_at_rest()
def read_pool(data: bytes, shown: str) -> AddressPool:
    """The pool in `data`. `shown`: its file or URL, for messages. Raises InputError with every error and its line."""
    reading = _Reading(shown)
    try:
        lines = data.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"Found the byte {data[error.start]:#04x}: no ASCII text. {_ALLOWED}"
        raise InputError([Problem(rule="pool-line", file=shown, line=line, message=message)]) from None
    return reading.read(lines)


def pool_bytes(pool: AddressPool) -> bytes:
    """`pool` as text; the same bytes for the same pool."""
    return "".join(_lines(pool)).encode("ascii")


def told_time(seconds: int) -> str:
    """`2026-11-28T17:00:00Z`."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}Z".zfill(20)


def _lines(pool: AddressPool) -> list[str]:
    known: dict[int, str] = {}

    def told(seconds: int) -> str:
        return known.get(seconds) or known.setdefault(seconds, told_time(seconds))

    made = [f"{_HEAD} {VERSION}\n"]
    made += [f"private {each}\n" for each in sorted(map(str, pool.private))]
    for name in sorted(pool.hosts):
        host = pool.hosts[name]
        made.append(f"host {name} window {host.window}\n")
        for (family, vantage), since in sorted(host.watched.items()):
            made.append(f"  watched {family} {vantage} {told(since)}\n")
        for each in host.addresses:
            seen = " ".join([f"{vantage} {told(at)}" for vantage, at in each.seen])
            made.append(f"  {each.address} first {told(each.first)} seen {seen}\n")
    made.append("end\n")
    return made


class _Reading:
    """One reading of a text, line by line."""

    def __init__(self, shown: str) -> None:
        self.shown = shown
        self.problems: list[Problem] = []
        self.hosts: dict[str, PoolHost] = {}
        self.private: dict[Network, None] = {}
        self.at_line: dict[str, int] = {}
        self.times: dict[str, int] = {}
        self.vantages: dict[str, str] = {}
        self.seen: dict[str, tuple[tuple[str, int], ...]] = {}
        self.ended = False
        self.host = ""
        self.window = SHORTEST_WINDOW
        self.addresses: dict[bytes, PoolAddress] = {}
        self.watched: dict[tuple[Family, str], int] = {}
        self.strange: list[tuple[int, bytes]] = []
        """Lines with addresses of private networks: whether they are the owner's is known at the end."""

    def read(self, lines: list[str]) -> AddressPool:
        self._head(lines[0])
        kinds: dict[str, Callable[[list[str]], None]] = {
            "private": self._private, "host": self._host, "watched": self._watch, "end": self._end,
        }  # fmt: skip
        for number, line in enumerate(lines[1:], 2):
            words = line.split(None, 4)
            if not words:
                continue
            try:
                if self.ended:
                    raise _LineError("pool-line", f"Found {spelled(line.strip())} after `end`. {_ALLOWED}")
                kind = kinds.get(words[0])
                if kind is not None:
                    kind(words)
                    if words[0] == "host":
                        self.at_line[self.host] = number
                else:
                    self._address(words, number)
            except _LineError as bad:
                self._problem(number, bad.args[0], bad.args[1])
        if not self.ended and not self.problems:
            message = f"Found no `end`: the file is cut off, and addresses may be missing. {_ALLOWED}"
            self._problem(len(lines), "pool-cut", message)
        self._close_host()
        self._refuse_private()
        if self.problems:
            raise InputError(sorted(self.problems, key=lambda each: each.line or 0))
        return AddressPool(dict(sorted(self.hosts.items())), tuple(self.private), self.shown)

    def _problem(self, line: int, rule: str, message: str) -> None:
        self.problems.append(Problem(rule=rule, file=self.shown, line=line, message=message))

    def _head(self, line: str) -> None:
        words = line.split()
        if words[:1] != [_HEAD] or len(words) != 2:
            found = "an empty file" if not line.strip() else spelled(line)
            message = f"Found {found}. Allowed first: `{_HEAD} {VERSION}`, as `hostgate pool refresh` writes it."
            raise InputError([Problem(rule="pool-head", file=self.shown, line=1, message=message)])
        if words[1] != str(VERSION):
            message = f"Found pool form {spelled(words[1])}. Allowed: {VERSION}."
            raise InputError([Problem(rule="pool-version", file=self.shown, line=1, message=message)])

    def _private(self, words: list[str]) -> None:
        if len(words) != 2 or self.host:
            _not_a_line(words, "`private CIDR`, before the first host")
        self.private[private_network(words[1])] = None

    def _host(self, words: list[str]) -> None:
        self._close_host()
        self.host, self.window = words[-1], SHORTEST_WINDOW  # so that the lines below it are read too
        if len(words) != 4 or words[2] != "window":
            _not_a_line(words, "`host NAME window SECONDS`")
        checked = check_host(words[1])
        self.host = words[1]
        if checked.rule is not None or checked.name != words[1]:
            raise _LineError(checked.rule or "pool-host", checked.message or "Allowed: lower case.")
        if self.host in self.hosts:
            raise _LineError("pool-twice", f"Found {self.host} that is in line {self.at_line[self.host]} as well.")
        digits = words[3]
        if not (digits.isdigit() and len(digits) < 9 and SHORTEST_WINDOW <= int(digits) <= LONGEST_WINDOW):
            allowed = f"{SHORTEST_WINDOW} to {LONGEST_WINDOW} seconds"
            raise _LineError("pool-window", f"Found the window {spelled(digits)}. Allowed: {allowed}.")
        self.window = int(digits)

    def _watch(self, words: list[str]) -> None:
        if len(words) != 4 or not self.host or words[1] not in _FAMILIES:
            _not_a_line(words, "`watched ipv4|ipv6 VANTAGE TIME`, below a host")
        family = _FAMILIES[_FAMILIES.index(words[1])]
        key = (family, self._vantage(words[2]))
        if key in self.watched:
            raise _LineError("pool-twice", f"Found a second `watched {family} {key[1]}` of {self.host}.")
        self.watched[key] = self._time(words[3])

    def _address(self, words: list[str], number: int) -> None:
        packed = packed_address(words[0])
        if packed is None:
            _not_a_line(words, "`host`, `watched`, `end`, or an address in its shortest form")
        if not self.host or len(words) != 5 or words[1] != "first" or words[3] != "seen":
            _not_a_line(words, "`ADDRESS first TIME seen VANTAGE TIME [VANTAGE TIME ...]`, below a host")
        if packed in self.addresses:
            raise _LineError("pool-twice", f"Found {words[0]} a second time below {self.host}.")
        kind = address_kind(packed)
        if kind == "never":
            raise _LineError("pool-address", f"Found {words[0]}: no host of the internet has it. Take the line out.")
        if kind == "private":
            self.strange.append((number, packed))
        seen = self.seen.get(words[4]) or self._seen(words[4])
        self.addresses[packed] = PoolAddress(words[0], self.times.get(words[2]) or self._time(words[2]), seen)

    def _seen(self, text: str) -> tuple[tuple[str, int], ...]:
        """`VANTAGE TIME [VANTAGE TIME ...]`: mostly the same for the addresses of one answer, and then held once."""
        words = text.split()
        if len(words) % 2:
            raise _LineError("pool-line", f"Found {spelled(text)}. Allowed: `seen VANTAGE TIME [VANTAGE TIME ...]`.")
        seen = {self._vantage(vantage): self._time(at) for vantage, at in zip(words[::2], words[1::2], strict=True)}
        if 2 * len(seen) != len(words):
            raise _LineError("pool-twice", f"Found a vantage point twice in {spelled(text)}.")
        return self.seen.setdefault(text, tuple(sorted(seen.items())))

    def _end(self, words: list[str]) -> None:
        if len(words) != 1:
            _not_a_line(words, "`end` alone")
        self.ended = True

    def _close_host(self) -> None:
        if self.host and self.host not in self.hosts:
            ordered = tuple(self.addresses[key] for key in sorted(self.addresses, key=lambda each: (len(each), each)))
            self.hosts[self.host] = PoolHost(self.host, self.window, ordered, self.watched)
        self.addresses, self.watched = {}, {}

    def _refuse_private(self) -> None:
        if any(each.rule == "pool-private" for each in self.problems):  # what is allowed is not known
            return
        for line, packed in self.strange:
            if not in_networks(packed, tuple(self.private)):
                message = (
                    "Found an address of a private network. Allowed: addresses of the internet; if your own hosts are "
                    "meant, say so with `hostgate pool refresh --private CIDR`, which writes `private CIDR` here."
                )
                self._problem(line, "pool-private", message)

    def _vantage(self, text: str) -> str:
        known = self.vantages.get(text)
        if known is None:
            if not VANTAGE.match(text):
                raise _LineError(
                    "pool-vantage", f"Found the vantage point {spelled(text)}. Allowed: {VANTAGE_ALLOWED}."
                )
            known = self.vantages[text] = text  # the same few names, each held once
        return known

    def _time(self, text: str) -> int:
        known = self.times.get(text)
        if known is None:
            try:
                if not _TIME.match(text):
                    raise ValueError
                known = self.times[text] = int(datetime.fromisoformat(text).timestamp())
            except ValueError:
                raise _LineError("pool-time", f"Found {spelled(text)}. Allowed: 2026-11-28T17:00:00Z.") from None
        return known


def private_network(text: str) -> Network:
    """A network of an owner's own. Raises ValueError whose `args` are the rule and the message."""
    try:
        network = ip_network(text)
    except ValueError:
        network = None
    if network is None or any(address_kind(end.packed) != "private" for end in (network[0], network[-1])):
        raise _LineError(
            "pool-private", f"Found {spelled(text)}. Allowed: a CIDR within 10.0.0.0/8, 100.64.0.0/10, 172.16.0.0/12, "
            "192.168.0.0/16 or fc00::/7; others need no word, or are never taken.",
        )  # fmt: skip
    return network


def in_networks(packed: bytes, networks: tuple[Network, ...]) -> bool:
    """Whether one of `networks` holds the address."""
    number = int.from_bytes(packed, "big")
    return any(
        each.max_prefixlen == 8 * len(packed) and number >> (each.max_prefixlen - each.prefixlen)
        == int(each.network_address) >> (each.max_prefixlen - each.prefixlen)
        for each in networks
    )  # fmt: skip


def _not_a_line(words: list[str], allowed: str) -> NoReturn:
    raise _LineError("pool-line", f"Found {spelled(' '.join(words))}. Allowed: {allowed}.")
