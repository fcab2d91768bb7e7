"""Verdicts: whether a mechanism keeps up with a host, by what the survey saw and what the mechanism documents of itself.

Mechanisms that read the name are ok whatever the TTL. Those that resolve the name for themselves drop whoever dials an
address that they do not know (yet, or any more); how often is predicted, and too few answers are never ok.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any

from hostgate.catalog.model import Family, Protocol
from hostgate.dns.analysis import Study
from hostgate.dns.facts import AddressType
from hostgate.dns.false_drop import TARGET, Refreshing, Remedy, false_drop, remedy
from hostgate.dns.pools import FEWEST_ANSWERS, Pool, answers_to_know
from hostgate.dns.rate_bounds import Interval
from hostgate.dns.samples import OUTCOME_MEANS
from hostgate.planning.lookup import Lookup
from hostgate.planning.mechanism import TTL_MEANS, Means, Mechanism, mechanism
from hostgate.planning.survey import WORDS, HostVerdict, Word

UNFIT = 1e-2
"""From this share of dropped connections on a host is unfit for a list of addresses; under TARGET it is ok."""

RULE_OF_THREE = 3000
"""Sightings in a row without a new address that bound the unseen share by TARGET (95 %)."""

_TYPES: dict[Family, AddressType] = {"ipv4": "A", "ipv6": "AAAA"}


def judge(
    study: Study, targets: Iterable[str], protocols: Collection[Protocol] | None = None
) -> tuple[HostVerdict, ...]:
    """A verdict on the host of `study` for each of `targets`, and for each TTL family that a target has.

    `protocols`: what the host is needed for; ways of a mechanism that serve none of them are left out. None: all ways
    of the mechanism itself, and none by which somebody else keeps a list of addresses.
    """
    found = []
    for target in targets:
        how = mechanism(target)
        ways: dict[str, Means] = {}
        for means in how.means:  # of several ways of a family that which needs the least of others is the first
            if not means.resolver if protocols is None else means.protocols & set(protocols):
                ways.setdefault(means.ttl_family, means)
        found += [_judge(study, how, means) for means in ways.values()]
    return tuple(found)


def word(predicted: Interval) -> Word:
    """The verdict on a predicted share of drops.

    `ok` needs the upper end under TARGET. Otherwise the estimate decides, unless it is itself under TARGET, or the
    interval reaches ten times beyond what the verdict would say: then there is too little data.
    """
    if predicted.high < TARGET:
        return "ok"
    if predicted.estimate < TARGET or predicted.low < TARGET / 10:
        return "unknown"
    if predicted.estimate >= UNFIT:
        return "unfit"
    return "risky" if predicted.high < 10 * UNFIT else "unknown"


def _judge(study: Study, how: Mechanism[Any], means: Means) -> HostVerdict:
    if not study.pools:
        return _verdict(how, means, "unknown", _unresolved(study))
    if means.ttl_family == "own-lookup":
        return _own_lookup(study, how, means)
    https = study.facts.https
    reason = f"{TTL_MEANS[means.ttl_family]}."
    if means.ttl_family == "client-dns" or https is None:
        return _verdict(how, means, "ok", reason)
    caveats = tuple(name for name in ("ech", "h3") if getattr(https, name))
    if https.ech:
        reason += " A client that uses the host's ECH key shows an outer name instead."
    if https.h3:
        reason += " Clients may try QUIC (UDP 443), which stays closed, and fall back to TCP."
    return _verdict(how, means, "ok", reason, caveats=caveats)


def _own_lookup(study: Study, how: Mechanism[Any], means: Means) -> HostVerdict:
    lookup = means.lookup
    if lookup is None:
        known = [remedy(pool, float(study.ttl[family])) for family, pool in study.pools.items() if pool.known]
        slowest = max((each for each in known if each is not None), key=lambda each: each.keep, default=None)
        reason = means.resolver or f"{how.title} does not say how often it resolves the name"
        return _verdict(how, means, "unknown", f"{reason}.", way_out=slowest)
    families = [_TYPES[family] for family in lookup.families if _TYPES[family] in study.pools]
    if not families:
        return _verdict(how, means, "unknown", f"no address of {' or '.join(lookup.families)} was seen.")
    judged = [_by_family(study, family, how, means, lookup) for family in families]
    return max(judged, key=lambda each: (WORDS.index(each.verdict), each.false_drop or 0.0))


def _by_family(study: Study, family: AddressType, how: Mechanism[Any], means: Means, lookup: Lookup) -> HostVerdict:
    pool, ttl = study.pools[family], float(study.ttl[family])
    manner = Refreshing(refresh=lookup.refresh_s, keep=lookup.keep_s, cap=lookup.cap, shared=lookup.shared_cache)
    predicted = false_drop(pool, ttl, manner)
    if predicted is None:
        return _verdict(
            how, means, "unknown", f"{pool.answers} fresh answers for {family}; at least {FEWEST_ANSWERS} are needed."
        )
    agreement = study.facts.agreement.get(family)
    foreign = 0.0 if agreement is None or lookup.shared_cache else agreement.foreign
    if foreign:  # the firewall asks one resolver, the client another: which, nobody knows
        predicted = Interval(
            1 - (1 - predicted.estimate) * (1 - foreign), predicted.low, 1 - (1 - predicted.high) * (1 - foreign)
        )
        verdict: Word = "unfit" if foreign >= UNFIT else max(word(predicted), "risky", key=WORDS.index)
    else:
        verdict = word(predicted)
    reason = _reason(pool, ttl, family, manner, predicted, foreign, verdict)
    if not lookup.published:
        reason += f" No period is published; judged as {lookup.refresh_s} s."
    if lookup.least_ttl_s is not None and ttl < lookup.least_ttl_s:
        reason += f" The vendor advises against TTLs under {lookup.least_ttl_s} s; found {ttl:.0f} s."
    way_out = remedy(pool, ttl) if pool.known and not foreign else None
    return _verdict(how, means, verdict, reason, predicted, way_out)


def _reason(
    pool: Pool, ttl: float, family: AddressType, how: Refreshing, predicted: Interval, foreign: float, verdict: Word
) -> str:
    if foreign:
        return f"resolvers disagree: up to {foreign:.0%} of what one answers for {family} is unknown to another."
    if verdict == "unknown":
        hours = hours_to_settle(pool, ttl, how)
        return (
            f"{family}: after {pool.answers:,} answers, {_share(predicted.low)} to {_share(predicted.high)} of new "
            f"connections may be dropped; about {hours:,.0f} h more of survey settle it."
        )
    kept = f"keeps addresses for {how.keep:.0f} s" if how.keep else "keeps the last answer only"
    if how.cap is not None and pool.answer > how.cap:
        return f"an answer holds {pool.answer:.0f} {family} addresses, and {how.cap} are taken: {_dropped(predicted)}."
    size = pool.seen if pool.size is None else pool.size
    if verdict == "ok":
        return f"{family}: {pool.answer:.3g} of {size:.0f} addresses in an answer, {kept}: {_dropped(predicted)}."
    if pool.unseen(1 + how.keep / max(how.refresh, ttl)) * 2 < predicted.estimate and pool.new_per_day:
        return f"{pool.new_per_day:.2g} new {family} addresses a day, in a pool of {size:.0f}: {_dropped(predicted)}."
    return f"an answer holds {pool.answer:.3g} of {size:.0f} {family} addresses and it {kept}: {_dropped(predicted)}."


def hours_to_settle(pool: Pool, ttl: float, how: Refreshing) -> float:
    """Hours of survey, as dense as it was, until it can be said that drops are below TARGET, if nothing new comes."""
    sightings = max(0.0, RULE_OF_THREE - pool.since_new) / pool.answer * pool.spacing
    size = pool.answer if pool.size is None else pool.size
    lag = how.delay + how.refresh / 2 + max(how.refresh, ttl) * (size / pool.answer - 1)
    arrivals = max(0.0, 3 * lag / (TARGET * size) - pool.watched)
    known = 0.0 if pool.known else (2 * answers_to_know(size, pool.answer) - pool.answers) * pool.spacing
    least = pool.answers * pool.spacing / 4  # never "0 h more": the interval narrows with the square root
    return max(sightings, arrivals, known, least) / 3600


def _unresolved(study: Study) -> str:
    counts: Counter[str] = Counter()
    for outcomes in study.facts.lookups.values():
        counts.update(outcomes)
    if not counts:
        return "it was not asked."
    outcome, count = counts.most_common(1)[0]
    means = OUTCOME_MEANS[outcome]  # type: ignore[index]
    return f"no address in {counts.total()} lookups; most often ({count}): {means}."


def _verdict(
    how: Mechanism[Any],
    means: Means,
    verdict: Word,
    reason: str,
    predicted: Interval | None = None,
    way_out: Remedy | None = None,
    caveats: tuple[str, ...] = (),
) -> HostVerdict:
    return HostVerdict(
        target=how.target,
        family=means.ttl_family,
        verdict=verdict,
        reason=reason,
        false_drop=None if predicted is None else _rounded(predicted.estimate),
        interval=None if predicted is None else (_rounded(predicted.low), _rounded(predicted.high)),
        refresh_s=None if way_out is None else round(way_out.refresh),
        grace_s=None if way_out is None else round(way_out.keep),
        caveats=caveats,
    )


def _dropped(predicted: Interval) -> str:
    return f"{_share(predicted.estimate)} of new connections dropped (at most {_share(predicted.high)})"


def _share(value: float) -> str:
    """A share as people read it: per cent where that is short, else one in so many."""
    if value >= 0.001:
        return f"{value:.1%}" if value < 0.1 else f"{value:.0%}"
    return f"1 in {1 / value:,.0f}" if value > 1e-6 else "none"


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
