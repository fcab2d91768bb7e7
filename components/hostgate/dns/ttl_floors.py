"""Resolvers with a minimum TTL of their own: what they show of a short-lived record is the minimum, not the zone's TTL.

Such a minimum (`cache-min-ttl` of unbound and others) is seen over all hosts together: nowhere does the resolver show
less, and at several records another one does. In the wild 8.7 % of resolvers lengthen TTLs (PAM 2023, doi
10.1007/978-3-031-28486-1_23); one that cuts all of them to a few seconds is told from it by showing one value throughout.
"""

from collections.abc import Iterable, Mapping

Shown = Mapping[str, int]
"""By resolver, the most that it showed of a record, in seconds."""

FEWEST_RECORDS = 2
"""At so many records at least another resolver shows less: one alone says nothing about all hosts."""


def differs(shown: int, ttl: int) -> bool:
    """Whether two TTLs are another number, and not the same one counted down a little."""
    return abs(shown - ttl) > max(2, ttl / 10)


def ttl_floors(records: Iterable[Shown]) -> dict[str, int]:
    """By resolver, the TTL under which it shows none of `records`; resolvers without such a minimum are left out."""
    every = list(records)
    found = {}
    for resolver in sorted({each for shown in every for each in shown}):
        ours = [shown for shown in every if resolver in shown]
        floor = min(shown[resolver] for shown in ours)
        at_floor = [shown for shown in ours if not differs(shown[resolver], floor)]
        lower = [shown for shown in at_floor if any(differs(ttl, floor) and ttl < floor for ttl in shown.values())]
        if len(lower) >= FEWEST_RECORDS and not _others_are_cut(resolver, ours, lower):
            found[resolver] = floor
    return found


def _others_are_cut(resolver: str, ours: Iterable[Shown], lower: Iterable[Shown]) -> bool:
    """Whether it is the others that show less, one and the same of every record, while this one's TTLs vary."""
    least = {min(shown.values()) for shown in lower}
    elsewhere = {ttl for shown in ours for each, ttl in shown.items() if each != resolver}
    return len(least) == 1 and elsewhere == least and len({shown[resolver] for shown in ours}) > 1


def zone_ttl(shown: Shown, floors: Mapping[str, int]) -> int:
    """What most resolvers show at the most, those at their own minimum aside; the higher where as many show another."""
    honest = [ttl for resolver, ttl in shown.items() if resolver not in floors or differs(ttl, floors[resolver])]
    counted = honest or list(shown.values())
    return max(counted, key=lambda ttl: (counted.count(ttl), ttl))
