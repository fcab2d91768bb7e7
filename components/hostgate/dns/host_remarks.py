"""Remarks: what is worth knowing of a host beside the verdicts, each with an id and what was found."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from hostgate.dns.facts import MOST_CHAINS, HostFacts, HttpsFacts, Remark
from hostgate.dns.samples import ABOUT_THE_NAME, LookupOutcome
from hostgate.dns.ttl_floors import differs

FAILING = 0.01
"""Share of failed lookups that is worth a remark."""

FINDINGS: dict[str, str] = {
    "unresolved": "No lookup gave an address.",
    "failing": "More than 1 in 100 lookups failed; the causes are counted by outcome.",
    "ttl-differs": "A resolver shows another TTL than the others: it shortens or lengthens what the zone says. One that has a "
    "minimum of its own is known by all hosts together: it shows nothing below.",
    "stale-answers": "A resolver answered past the TTL, as it may when the zone's servers do not answer.",
    "aliases-change": "The chain of aliases is not always the same: the vendor steers clients by alias.",
    "partial-chain": "A resolver answered with aliases and without the addresses at their end.",
    "unequal-ttls": "Records of one set carry different TTLs, which RFC 2181 forbids; the lowest counts.",
    "truncated": "Answers did not fit a UDP packet and were asked again over TCP.",
    "resolvers-disagree": "Resolvers hand out different addresses, by place or by customer: where a client and a firewall "
    "ask different ones, connections are dropped for good.",
    "new-addresses": "Addresses that were not seen before keep coming after the pool was known.",
    "uneven-rotation": "Addresses stay away for longer than chance explains: handed out in turn, or switched.",
    "hints-outside": "The HTTPS record hints at addresses that no address answer held: a list made of those misses them.",
    "ech": "The HTTPS record carries an ECH key: clients that use it show an outer name.",
    "h3": "The HTTPS record offers HTTP/3: clients try QUIC (UDP) first where it is open.",
    "shared-addresses": "Hosts of the catalog share addresses: a rule for one address opens all of them.",
}
"""Every remark on a host that is no verdict, and what it means."""

_SHOWN = 5
"""Names or addresses told one by one; beyond, their number."""


def remarks(facts: HostFacts, floors: Mapping[str, int]) -> Iterator[Remark]:
    """Everything remarkable about a host, in the order of FINDINGS. `floors`: minimum TTLs of resolvers, in seconds."""
    yield from _on_lookups(facts)
    yield from _on_ttls(facts, floors)
    yield from _on_answers(facts)
    yield from _on_addresses(facts)
    if facts.https is not None:
        yield from _on_https(facts.https)
    if facts.shares_with:
        yield Remark("shared-addresses", f"Shares addresses with {_few(facts.shares_with)}.")


def _on_lookups(facts: HostFacts) -> Iterator[Remark]:
    outcomes: Counter[LookupOutcome] = Counter()
    for counts in facts.lookups.values():
        outcomes.update(counts)
    failed = {outcome: count for outcome, count in outcomes.items() if outcome not in ABOUT_THE_NAME}
    asked, lost = outcomes.total(), sum(failed.values())
    if not facts.families:
        yield Remark("unresolved", f"{asked} lookups, no address: {_counted(outcomes)}.")
    if asked and lost / asked > FAILING:
        yield Remark("failing", f"{lost} of {asked} lookups failed: {_counted(failed)}.")


def _on_ttls(facts: HostFacts, floors: Mapping[str, int]) -> Iterator[Remark]:
    for link in facts.chain:
        for resolver, most in link.shown.items():
            if differs(most, link.ttl):
                verb = "shortens" if most < link.ttl else "lengthens"
                told = f"{resolver} {verb} the TTL of {link.owner} {link.type}: {most} s, not {link.ttl} s."
                if resolver in floors and most > link.ttl:
                    told += f" Of no host does it show less than {floors[resolver]} s: a minimum of its own."
                yield Remark("ttl-differs", told)
    if facts.stale:
        yield Remark("stale-answers", f"{facts.stale} answers came past their TTL.")


def _on_answers(facts: HostFacts) -> Iterator[Remark]:
    if facts.chains > 1:
        least = "at least " if facts.chains >= MOST_CHAINS else ""
        yield Remark("aliases-change", f"{least}{facts.chains} different chains of aliases.")
    if partial := facts.notes.get("partial-chain"):
        yield Remark("partial-chain", f"{partial} answers stopped on the way to the addresses.")
    if unequal := facts.notes.get("unequal-ttls"):
        yield Remark("unequal-ttls", f"{unequal} answers had records of different TTLs.")
    if facts.truncated:
        yield Remark("truncated", f"{facts.truncated} answers did not fit a UDP packet.")


def _on_addresses(facts: HostFacts) -> Iterator[Remark]:
    for family, agreement in facts.agreement.items():
        if agreement.foreign:
            yield Remark(
                "resolvers-disagree",
                f"{family}: up to {agreement.foreign:.0%} of what one of {len(agreement.resolvers)} resolvers answers is "
                "unknown to another.",
            )
    for family, pool in facts.families.items():
        if pool.new_per_day:
            yield Remark("new-addresses", f"{family}: {pool.new_per_day:.2g} a day, in a pool of {pool.pool:.0f}.")
    for family, pool in facts.families.items():
        if pool.uneven:
            yield Remark("uneven-rotation", f"{family}: addresses stay away for longer than chance explains.")


def _on_https(https: HttpsFacts) -> Iterator[Remark]:
    if https.hints_outside:
        yield Remark("hints-outside", f"In the HTTPS record only: {_few(https.hints_outside)}.")
    if https.ech:
        yield Remark("ech", "The HTTPS record carries an ECH key.")
    if https.h3:
        yield Remark("h3", "The HTTPS record offers HTTP/3.")


def _few(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _counted(counts: Mapping[LookupOutcome, int]) -> str:
    return ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())) or "none asked"
