"""Lists of a cloud with the addresses of a pool, kept by Pulumi at each update, or by a push that runs on a schedule.

Never both: what a push keeps, Pulumi fills once, when it makes the list, and ignores from then on. So a list never begins
empty, and no update undoes a push.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal

from hostgate.catalog.model import FAMILIES, Entry, Family
from hostgate.planning.findings import Finding, finding
from hostgate.planning.mechanism import Objection
from hostgate.planning.pooled import Opening, PooledOptions, openings

PUSHED: Final = (
    "`hostgate pool push` has left the lists that it keeps as they were last read; `pulumi refresh` reads them again."
)
"""What is assumed of what stands where a push keeps some of it."""

Lists = Mapping[tuple[Family, str, int], Sequence[Opening]]
"""What is in a list, by its address family, transport and port: everything in it is open at the ports of its rules."""


class KeptOptions(PooledOptions):
    """Options of what is fed by a pool through lists of the cloud."""

    contents: Literal["pool", "refresher"] = "pool"
    """Who keeps the lists: `pool`, this program, at what the pool says at each update; `refresher`, `hostgate pool push`,
    after the program has filled a list once, when it makes it."""

    @property
    def refreshed(self) -> bool:
        """Whether what is in the lists is a refresher's."""
        return self.contents == "refresher"


def lists_of(entries: Iterable[Entry], options: PooledOptions) -> Lists:
    """A list for each address family, transport and port that has addresses."""
    lists: dict[tuple[Family, str, int], list[Opening]] = {}
    for each in openings(entries, options):
        lists.setdefault(("ipv6" if ":" in each.address else "ipv4", each.transport, each.port), []).append(each)
    return lists


def not_refreshed(
    entries: Sequence[Entry], options: KeptOptions, room: int, key: str
) -> Iterator[tuple[tuple[str, str], Objection]]:
    """Objections to entries whose lists a refresher cannot keep; none if Pulumi keeps them. `room`: of a list, which
    option `key` says."""
    if not options.refreshed:
        return
    if not options.fed:
        why = "Found `addresses`, and `contents` refresher: both would say what is in a list."
        near = "a pool in their place, which fills each list once; or `contents` pool."
        yield from ((entry.key, Objection(why, near)) for entry in entries)
        return
    for (family, transport, port), held in lists_of(entries, options).items():
        if len(held) > room:
            spelled = family.replace("ip", "IP")
            found = f"The {spelled} list of {transport} {port} begins with {len(held):,} addresses."
            why = f"{found} Allowed by {key}: {room:,}."
            hosts = {host for each in held for host in each.hosts}
            for entry in entries:
                if entry.host in hosts and (entry.transport, entry.port) == (transport, port):
                    yield entry.key, Objection(why, "room for what comes before anything leaves.")


def refresher_owned(push: str, lists: Lists, entries: Sequence[Entry]) -> Finding:
    """Who keeps the lists, and with which hosts, in words. `push`: the command."""
    told = []
    for family, transport, port in sorted(lists):
        hosts = {
            each.host
            for each in entries
            if (each.transport, each.port) == (transport, port) and family in (each.families or FAMILIES)
        }
        told.append(f"{family.replace('ip', 'IP')} {transport} {port}: push {' '.join(sorted(hosts))}")
    said = (
        "Pulumi fills each list once, when it makes it, and ignores what is in it from then on: "
        f"`hostgate pool push {push}` keeps them, and a host that comes later is closed until it is pushed. "
    )
    return finding("refresher-owned", f"{said}{'; '.join(told)}.")
