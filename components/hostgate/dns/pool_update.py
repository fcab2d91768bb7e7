"""How a pool follows DNS: additions at once, removals late, in batches and guarded, and nothing removed for want of answers.

Every answer adds what it holds to the union. An address leaves when all of this holds:

* no vantage point that ever saw it has seen it for its host's window (and a quarter and a bit more, see `_GRAIN` and
  `_PAUSE`, so that no clock that is wrong by less than that takes an address away that was seen within the window);
* each of them got answers for the host and family all that time, and still does. One that stopped answering, was switched
  off or is new to the pool has proven nothing, so the window begins anew when its answers come back;
* the host was answered in that family in this very run;
* all that is due together is no more than the share that one run may remove; else nothing is removed, and a person is told.

So errors, empty answers, an outage, a clock that jumps, and a resolver that lies for less than the window remove nothing.
Rules: union over a grace window W, fail static, guard on the share removed. The functions are pure: `now` is given.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from hostgate.catalog.collector import collector_at_rest
from hostgate.catalog.model import FAMILIES, Family
from hostgate.catalog.problems import InputError, Problem
from hostgate.planning.address_pool import AddressPool, Network, PoolAddress, PoolHost, packed_address
from hostgate.planning.pool_form import LONGEST_WINDOW, told_time

DEFAULT_WINDOW = 86_400
"""Seconds. The least that is taken without a word of the owner's: pools rotate within a day, clients restart within one."""

MOST_REMOVED = 0.2
"""The share of the addresses of all its hosts that one run may remove; more at once is no turnover, but a mistake or a move."""

_GRAIN = 48
"""A later sighting is written down only when the one that stands is older than the window over this: half an hour for a
day. So a pool in which nothing changes stays the same text between, and removals come in batches of as much."""

_PAUSE = 4
"""Answers that stay away for longer than the window over this are a break: what happened meanwhile was not watched."""

_SKEW = 300
"""Seconds that another refresher's clock may be ahead of ours. What lies further in the future is a wrong clock's."""

Seen = Mapping[tuple[str, Family], Iterable[str]]
"""By host and family, the addresses that answers brought; a host and family without any is not in it."""


@dataclass(frozen=True, slots=True)
class PoolUpdate:
    """The pool after an update. `added`, `removed`: host and address. `held`: what is due to be removed and stays,
    because it is more than a run may remove."""

    pool: AddressPool
    added: tuple[tuple[str, str], ...] = ()
    removed: tuple[tuple[str, str], ...] = ()
    held: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What a refresher learned in one round. `vantage`: its name; `hosts`: all it asks for, with the window that each needs
    at the least, in seconds; `windows`: those whose window is what a person said, whatever it was; `seen`: the answers.
    `unbroken`: False where the clock jumped or the refresher slept since its last round. `judged`: hosts and families that
    were answered since removals were last judged, and are judged now; None: those of `seen`."""

    vantage: str
    hosts: Mapping[str, int]
    seen: Seen
    windows: Mapping[str, int]
    private: tuple[Network, ...] = ()
    unbroken: bool = True
    judged: frozenset[tuple[str, Family]] | None = None
    most_removed: float = MOST_REMOVED


@collector_at_rest()
def updated(pool: AddressPool, found: Round, now: int) -> PoolUpdate:
    """`pool` after `found`, at `now` (unix seconds).

    Only what `found` saw is put into the pool, whatever it holds by now: so it can be applied again to a pool that somebody
    else has written meanwhile, and none loses the other's addresses.
    """
    hosts = dict(pool.hosts)
    added: list[tuple[str, str]] = []
    due: dict[str, set[str]] = {}
    overdue = False
    judged = found.seen.keys() if found.judged is None else found.judged
    for name, least in found.hosts.items():
        before = hosts.get(name, PoolHost(name, 0))
        window = found.windows.get(name) or max(before.window, min(least, LONGEST_WINDOW))
        host = _sound(replace(before, window=window), now)
        if not found.unbroken:  # also where no answer came in this round: what went on meanwhile was not watched
            anew = {key: now if key[1] == found.vantage else since for key, since in host.watched.items()}
            host = replace(host, watched=anew)
        for family in FAMILIES:
            if answer := found.seen.get((name, family)):
                host, fresh = _with_answer(host, family, frozenset(answer), found, now)
                added += [(name, each) for each in fresh]
            late = _due(host, family, now) if (name, family) in judged else None
            if late:
                due.setdefault(name, set()).update(late)
                overdue = overdue or max(late.values()) >= window // _GRAIN
        if host != before:
            hosts[name] = host
    gone = tuple((name, each) for name in sorted(due) for each in _ordered(due[name])) if overdue else ()
    after = replace(pool, hosts=dict(sorted(hosts.items())), private=_united(pool.private, found.private))
    if not gone:
        return PoolUpdate(after, tuple(added))
    total = sum(len(hosts[each].addresses) for each in found.hosts)
    if len(gone) > (max(1, int(found.most_removed * total)) if found.most_removed else 0):
        return PoolUpdate(after, tuple(added), held=gone)
    for name, addresses in due.items():
        kept = tuple(each for each in hosts[name].addresses if each.address not in addresses)
        hosts[name] = replace(hosts[name], addresses=kept)
    return PoolUpdate(replace(after, hosts=dict(sorted(hosts.items()))), tuple(added), gone)


def forgotten(
    pool: AddressPool, host: str | None = None, addresses: Iterable[str] = (), vantage: str | None = None
) -> AddressPool:
    """`pool` without a host, without some addresses of it, or without what a vantage point said (that is no more).

    An address that only this vantage point saw goes with it.
    """
    hosts = dict(pool.hosts)
    leaving = frozenset(addresses)
    for name in [host] if host is not None else list(hosts):
        if name not in hosts:
            continue
        if host is not None and not leaving and vantage is None:
            del hosts[name]
            continue
        kept = (each for each in hosts[name].addresses if each.address not in leaving)
        left = tuple(each._replace(seen=seen) for each in kept if (seen := _without(each.seen, vantage)))
        watched = {key: since for key, since in hosts[name].watched.items() if key[1] != vantage}
        hosts[name] = replace(hosts[name], addresses=left, watched=watched)
    return replace(pool, hosts=hosts)


@dataclass(frozen=True, slots=True)
class Stay:
    """Why an address is in a pool: until when at the earliest, in unix seconds, or which vantage points have to watch first."""

    until: int
    waits_for: tuple[str, ...]


def stay(host: PoolHost, each: PoolAddress, now: int) -> Stay:
    """How long an address of `host` stays, if nobody sees it again."""
    last = _last_answers(host, each.family)
    silent = tuple(vantage for vantage, _ in each.seen if not _watches(host, vantage, last, now))
    return Stay(_kept_until(host, each) + 1, silent)


def _without(seen: tuple[tuple[str, int], ...], vantage: str | None) -> tuple[tuple[str, int], ...]:
    return tuple(pair for pair in seen if pair[0] != vantage)


def _united(ours: tuple[Network, ...], theirs: tuple[Network, ...]) -> tuple[Network, ...]:
    return tuple(sorted({*ours, *theirs}, key=str))


def _sound(host: PoolHost, now: int) -> PoolHost:
    """`host` with what lies in the future taken for now: a clock that was wrong must not keep addresses for years."""
    latest = now + _SKEW
    addresses = host.addresses
    if any(at > latest for each in addresses for _, at in each.seen) or any(each.first > latest for each in addresses):
        addresses = tuple(
            PoolAddress(
                each.address,
                min(each.first, now) if each.first > latest else each.first,
                tuple((vantage, now if at > latest else at) for vantage, at in each.seen),
            )
            for each in addresses
        )
    watched = host.watched
    if any(since > latest for since in watched.values()):
        watched = {key: now if since > latest else since for key, since in watched.items()}
    return host if (addresses, watched) == (host.addresses, host.watched) else replace(
        host, addresses=addresses, watched=watched
    )  # fmt: skip


def _with_answer(
    host: PoolHost, family: Family, answer: frozenset[str], found: Round, now: int
) -> tuple[PoolHost, list[str]]:
    """`host` with an answer that holds addresses of `family`, and which of them are new to it."""
    vantage, key = found.vantage, (family, found.vantage)
    last = _last_answers(host, family).get(vantage)
    watched = host.watched
    if last is None or key not in watched or now - last > host.window // _PAUSE:
        watched = {**watched, key: now}
    made: list[PoolAddress] = []
    left = set(answer)
    for each in host.addresses:
        if each.address not in left:
            made.append(each)
            continue
        left.discard(each.address)
        seen = dict(each.seen)
        if now - seen.get(vantage, -host.window) >= host.window // _GRAIN:
            each = each._replace(seen=tuple(sorted({**seen, vantage: now}.items())))
        made.append(each)
    if left:
        made += [PoolAddress(each, now, ((vantage, now),)) for each in left]
        order = _ordered(each.address for each in made)
        by_address = {each.address: each for each in made}
        made = [by_address[each] for each in order]
    if not left and watched is host.watched and tuple(made) == host.addresses:
        return host, []
    return replace(host, addresses=tuple(made), watched=watched), _ordered(left)


def _due(host: PoolHost, family: Family, now: int) -> dict[str, int]:
    """The addresses of `family` that may leave, each with the seconds since it might."""
    last: dict[str, int] | None = None
    found = {}
    for each in host.addresses:
        if each.family != family or now - each.last <= host.window:
            continue
        late = now - _kept_until(host, each)
        if late <= 0:
            continue
        if last is None:
            last = _last_answers(host, family)
        if all(_watches(host, vantage, last, now) for vantage, _ in each.seen):
            found[each.address] = late
    return found


def _kept_until(host: PoolHost, each: PoolAddress) -> int:
    """The last second that an address counts, if each vantage point that saw it goes on watching and nobody sees it."""
    began = max(max(at, host.watched.get((each.family, vantage), at)) for vantage, at in each.seen)
    return began + host.window + host.window // _PAUSE + host.window // _GRAIN


def _watches(host: PoolHost, vantage: str, last: Mapping[str, int], now: int) -> bool:
    return vantage in last and now - last[vantage] <= host.window // _PAUSE


def _last_answers(host: PoolHost, family: Family) -> dict[str, int]:
    """By vantage point, when it last got any address of `family`."""
    last: dict[str, int] = {}
    for each in host.addresses:
        if each.family == family:
            for vantage, at in each.seen:
                if at > last.get(vantage, at - 1):
                    last[vantage] = at
    return last


def _ordered(addresses: Iterable[str]) -> list[str]:
    def number(text: str) -> tuple[int, bytes]:
        packed = packed_address(text)
        assert packed is not None
        return len(packed), packed

    return sorted(addresses, key=number)


def late_hosts(pool: AddressPool, hosts: Iterable[str], most: int, now: int, vantage: str | None) -> dict[str, str]:
    """Those of `hosts` that nobody, or not `vantage`, saw for longer than `most` seconds, with the reason in words.

    Raises InputError if no pool can tell: `most` is less than the time between two sightings that are written down, twice.
    """
    named = [pool.hosts[each] for each in hosts]
    least = max((2 * (each.window // _GRAIN) for each in named), default=0)
    if most < least:
        message = (
            f"An age of {most:,} s cannot be told: a later sighting is written down once it is {least // 2:,} s newer. "
            f"Allowed: {least:,} s or more."
        )
        raise InputError([Problem(rule="pool-age", file=pool.shown, message=message)])
    found = {}
    for host in named:
        times = [at for each in host.addresses for name, at in each.seen if vantage in (None, name)]
        if not times:
            found[host.host] = f"not seen yet{f' by {vantage}' if vantage else ''}"
        elif now - max(times) > most:
            found[host.host] = f"last seen {told_time(max(times))}, {(now - max(times)) // 60:,} minutes ago"
        elif max(times) - now > _SKEW:
            found[host.host] = f"last seen {told_time(max(times))}, which is to come: a clock is wrong"
    return found
