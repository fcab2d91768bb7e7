"""What a reply says about a name: the aliases walked from it, the records at their end, or why there are none.

An empty answer is "no such record" only if a SOA of the last name's zone says so; else the chain is unfinished and
the asker goes on from its end. A time to live is never made up: without that SOA there is no negative TTL.
"""

from dataclasses import dataclass
from ipaddress import ip_address

import dns.rcode

from hostgate.dns.replies import CNAME, NOERROR, NXDOMAIN, QUERY_TYPES, REFUSED, SERVFAIL, Reply, ReplyRecord
from hostgate.dns.samples import HttpsRecord, Link, LookupOutcome, Note, RecordType

MOST_LINKS = 16
"""Aliases in a row before it is called endless; resolvers give up at 8 to 16."""


@dataclass(frozen=True, slots=True)
class ReplyReading:
    """The outcome for the name first asked. `unfinished`: the chain ends without records and without a reason."""

    outcome: LookupOutcome
    detail: str = ""
    chain: tuple[Link, ...] = ()
    addresses: tuple[str, ...] = ()
    https: tuple[HttpsRecord, ...] = ()
    ttl: int | None = None
    negative_ttl: int | None = None
    notes: frozenset[Note] = frozenset()
    unfinished: bool = False


def read_chain(name: str, kind: RecordType, reply: Reply, before: tuple[Link, ...] = ()) -> ReplyReading:
    """`reply` to the question for `name`, which is where the links `before` led."""
    aliases: dict[str, ReplyRecord] = {}
    for record in reply.answer:
        if record.type == CNAME:
            other = aliases.setdefault(record.owner, record)
            if other.data != record.data:
                return ReplyReading(
                    "two-aliases", f"{record.owner} is an alias of {other.data} and of {record.data}", chain=before
                )
    chain = list(before)
    seen = {link.owner for link in before} | {name}
    end = name
    while end in aliases:
        record = aliases[end]
        chain.append(Link(end, str(record.data), record.ttl))
        end = str(record.data)
        if end in seen:
            return ReplyReading("loop", f"the alias {record.owner} leads back to {end}", chain=tuple(chain))
        if len(chain) > MOST_LINKS:
            return ReplyReading("long-chain", f"more than {MOST_LINKS} aliases in a row", chain=tuple(chain))
        seen.add(end)
    return _at_the_end(end, kind, reply, tuple(chain), seen, moved=len(chain) > len(before))


def _at_the_end(
    end: str, kind: RecordType, reply: Reply, chain: tuple[Link, ...], seen: set[str], *, moved: bool
) -> ReplyReading:
    found = [record for record in reply.answer if record.owner == end and record.type == QUERY_TYPES[kind]]
    notes: set[Note] = set()
    if reply.top_bit:
        notes.add("ttl-top-bit")
    if any(record.owner not in seen for record in reply.answer):
        notes.add("other-names")
    if reply.rcode == NOERROR and found:
        ttls = {record.ttl for record in found}
        if len(ttls) > 1:
            notes.add("unequal-ttls")
        return ReplyReading(
            "answer",
            chain=chain,
            addresses=tuple(sorted({str(r.data) for r in found}, key=ip_address)) if kind != "HTTPS" else (),
            https=_https(found) if kind == "HTTPS" else (),
            ttl=min(ttls),  # RFC 2181 5.2
            notes=frozenset(notes),
        )
    if reply.rcode not in (NOERROR, NXDOMAIN):
        outcome: LookupOutcome = {SERVFAIL: "servfail", REFUSED: "refused"}.get(reply.rcode, "other-rcode")  # type: ignore[assignment]
        return ReplyReading(outcome, _why(reply), chain=chain, notes=frozenset(notes))
    proven = reply.soa is not None and _below(end, reply.soa)
    if not proven:
        notes.add("no-soa")
    negative = reply.negative_ttl if proven else None
    if reply.rcode == NXDOMAIN:
        missing: LookupOutcome = "dead-alias" if chain else "nxdomain"
        detail = f"{end} does not exist" if chain else ""
        return ReplyReading(missing, detail, chain=chain, negative_ttl=negative, notes=frozenset(notes))
    return ReplyReading(
        "no-data", chain=chain, negative_ttl=negative, notes=frozenset(notes), unfinished=moved and not proven
    )


def _https(found: list[ReplyRecord]) -> tuple[HttpsRecord, ...]:
    records = {record.data for record in found if isinstance(record.data, HttpsRecord)}
    return tuple(sorted(records, key=lambda each: (each.priority, each.target, repr(each))))


def _below(name: str, zone: str) -> bool:
    return zone in (".", name) or name.endswith("." + zone)


def _why(reply: Reply) -> str:
    code = dns.rcode.to_text(dns.rcode.Rcode.make(reply.rcode))
    more = [f"extended error {each}" for each in reply.ede] + ([reply.ede_text] if reply.ede_text else [])
    return ": ".join([code, ", ".join(more)]) if more else code
