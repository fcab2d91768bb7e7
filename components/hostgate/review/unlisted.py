"""What changes for all that is in no catalog: whether it is denied, where, for whom, and what is exempt.

No count of hosts shows it: a plan that no longer denies opens everything, and the list of its hosts stays as it was.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Any

from hostgate.planning.enforcement import ORDER, OTHERS, WITHIN, AuditOpening, Enforcement
from hostgate.review.statement import Statement


@dataclass(frozen=True, slots=True)
class Shift:
    """One thing that changes: what it is about (an option, a place, clients, a range), and what follows, as a sentence."""

    about: str
    why: str

    def as_json(self) -> dict[str, str]:
        return {"about": self.about, "why": self.why}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlisted:
    """What changes for what is in no catalog. Of `opens`, any one is more than any number of hosts."""

    opens: tuple[Shift, ...] = ()
    closes: tuple[Shift, ...] = ()
    exempt: tuple[Shift, ...] = ()
    """Single destinations that pass now, such as a zone of one's own: each opens like a host of a catalog."""
    judged: tuple[Shift, ...] = ()
    """Single destinations that passed and do not any more."""
    safeguards: tuple[Shift, ...] = ()
    """What else narrows what passes, where it goes or changes."""
    deserted: tuple[str, ...] = ()
    """Places that deny by themselves, and have no rules any more: every host closes there."""
    settled: tuple[str, ...] = ()
    """Such as have rules now and had none: every host opens there."""
    unenforced: str | None = None
    """Of a plan that is new: the option by which it denies nothing."""

    def __bool__(self) -> bool:
        return any((self.opens, self.closes, self.exempt, self.judged, self.safeguards, self.deserted, self.settled))

    def as_json(self) -> dict[str, Any]:
        names = ("opens", "closes", "exempt", "judged", "safeguards")
        return {name: [each.as_json() for each in getattr(self, name)] for name in names}


def unlisted(base: Statement | None, head: Statement | None) -> Unlisted:
    """What changes from `base` to `head`, either of which may be missing. Nothing of a refused plan is made."""
    if head is not None and head.refused:
        return Unlisted()
    if base is None:
        if head is not None and (found := head.enforcement.audit) is not None and found.stands:
            return Unlisted(opens=tuple(_freed(found, None)))
        nobody = head is not None and head.enforcement.denier == "nobody"
        return Unlisted(unenforced=head.enforcement.because if head is not None and nobody else None)
    if head is None:
        opens = tuple(_gone(base.enforcement, base.target))
        return Unlisted(opens=opens, closes=tuple(_held(base.enforcement.audit, None)))
    return _between(base.enforcement, head.enforcement)


def _gone(before: Enforcement, target: str) -> Iterator[Shift]:
    if before.denier != "nobody" and not before.by_itself:
        deny = ", and the deny that hostgate made with them" if before.denier == "hostgate" else ""
        yield Shift(target, f"Its rules go{deny}: what is in no catalog opens{_unless(before, before)}.")


def _unless(before: Enforcement, after: Enforcement) -> str:
    """What may deny all the same, as the end of a sentence; nothing where it was hostgate alone that denied."""
    if said := before.unless or after.unless:
        return f", unless {said}"
    return f", unless {OTHERS}" if "others" in (before.denier, after.denier) else ""


def _between(before: Enforcement, after: Enforcement) -> Unlisted:
    safeguards = tuple(_safeguards(before, after))
    if before.denier == after.denier == "nobody":
        freed, held = _freed(after.audit, before.audit), _held(before.audit, after.audit)
        return Unlisted(opens=tuple(freed), closes=tuple(held), safeguards=safeguards)
    if after.denier == "nobody":
        return Unlisted(opens=(_open(before, after),), safeguards=safeguards)
    if before.denier == "nobody":
        return Unlisted(closes=(_closed(before, after),), safeguards=safeguards)
    handed = (_open(before, after),) if (before.denier, after.denier) == ("hostgate", "others") else ()
    if before.partial or after.partial:
        return Unlisted(opens=handed)
    same = before.denier == after.denier  # what another owner's policy exempts is not known
    passes = [each for each in after.exempt if same and not within(each, before.exempt)]
    judged = [each for each in before.exempt if same and not within(each, after.exempt)]
    wide, single = [each for each in passes if _is_wide(each)], [each for each in passes if not _is_wide(each)]
    return Unlisted(
        opens=(
            *handed,
            *_lost(before, after),
            *(Shift(each, "Passes unjudged: everything there becomes reachable.") for each in wide),
        ),
        closes=() if handed else tuple(_gained(before, after)),  # a deny that is only declared closes nothing
        exempt=tuple(Shift(each, "Passes unjudged, though it is in no catalog.") for each in single),
        deserted=tuple(_denying_alone(before, after)),
        settled=tuple(_denying_alone(after, before)),
        judged=tuple(Shift(each, "Passed unjudged before, and does not now.") for each in judged),
        safeguards=safeguards,
    )


def _open(before: Enforcement, after: Enforcement) -> Shift:
    if after.denier == "others":
        return Shift(
            after.because, f"hostgate denies nothing any more: what is in no catalog opens{_unless(before, after)}."
        )
    logged = ", and is only logged" if after.because == "mode audit" else ""
    # Where others were said to deny, the plan cannot say that they stopped.
    unless = f", unless {OTHERS}" if before.denier == "others" else ""
    return Shift(after.because, f"Nothing is denied any more: what is in no catalog opens{logged}{unless}.")


def _closed(before: Enforcement, after: Enforcement) -> Shift:
    how = "closes" if after.denier == "hostgate" else "closes, as far as the policy of another owner denies it"
    return Shift(after.because, f"With {before.because} what is in no catalog passed; now it {how}.")


def _freed(after: AuditOpening | None, before: AuditOpening | None) -> Iterator[Shift]:
    """For whom, and where, audit allows everything that was denied so far."""
    if after is not None:
        for each in _audited_beyond(after, before):
            yield Shift(each, f"Everything opens: the audit rules allow there what {after.denier} denied so far.")


def _held(before: AuditOpening | None, after: AuditOpening | None) -> Iterator[Shift]:
    if before is not None:
        for each in _audited_beyond(before, after):
            yield Shift(each, f"Everything closes: no audit rule allows there any more what {before.denier} denies.")


def _audited_beyond(some: AuditOpening, others: AuditOpening | None) -> list[str]:
    """Clients and places of `some` that are not among `others`. Where there are no others, all of them if something denied
    without either."""
    if others is None:
        return [*some.clients] if some.stands else []
    return [*_beyond(some.places, others.places), *clients_beyond(some.clients, others.clients)]


def _lost(before: Enforcement, after: Enforcement) -> Iterator[Shift]:
    """What was denied and is not, in each respect in which an enforcement can shrink."""
    unless = _unless(before, after)
    who = "hostgate no longer denies there" if before.denier == "hostgate" else "Its rules are no longer there"
    for place in () if before.by_itself else _places_beyond(before, after):
        yield Shift(place, f"{who}: what is in no catalog opens{unless}.")
    for place, other in after.declared.items():
        if place in before.places and place not in before.declared:
            yield Shift(
                place, f"What hostgate made there goes: what is in no catalog opens, unless {other} stands there."
            )
    for traffic in _beyond(before.traffic, after.traffic):
        yield Shift(traffic, f"No longer denied, wherever it goes{unless}.")
    for client in clients_beyond(before.judged, after.judged):
        yield Shift(client, f"The deny no longer holds for them: to them what is in no catalog opens{unless}.")


def _gained(before: Enforcement, after: Enforcement) -> Iterator[Shift]:
    for place in _places_beyond(after, before) if not after.by_itself else ():
        yield Shift(place, "Enforced there now: what is in no catalog closes.")
    for place in _denying_alone(before, after):
        yield Shift(
            place, "Its rules are no longer there, and it denies what none allows: every host closes for its clients."
        )
    for place, other in before.declared.items():
        if place in after.places and place not in after.declared:
            yield Shift(place, f"Enforced there now by hostgate, whether {other} stands there or not.")
    for traffic in _beyond(after.traffic, before.traffic):
        yield Shift(traffic, "Denied now to what is in no catalog.")
    for client in clients_beyond(after.judged, before.judged):
        hosts = [each for each in after.barred if within(each, [client])]
        too = f", and so do the hosts to {', '.join(hosts)}" if hosts else ""
        yield Shift(client, f"The deny holds for them now: to them what is in no catalog closes{too}.")


def _safeguards(before: Enforcement, after: Enforcement) -> Iterator[Shift]:
    if before.partial or after.partial:
        return
    for name, value in before.safeguards.items():
        now = after.safeguards.get(name)
        if now is None and name == ORDER:
            continue  # no others have rules there any more
        if now is None:
            yield Shift(name, f"Before: {value}. Now: not there.")
        elif now != value:
            yield Shift(name, f"Before: {value}. Now: {now}.")


def _is_wide(destination: str) -> bool:
    """Whether passing `destination` opens what is not one's own: a range of addresses, or a name anybody registers below."""
    if network_of(destination) is not None:
        return True
    from hostgate.catalog.hosts import is_public_suffix  # reads the whole list of suffixes

    return " " not in destination and is_public_suffix(destination)


def _denying_alone(some: Enforcement, others: Enforcement) -> list[str]:
    """Places that deny by themselves and are enforced by `some` and not by `others`."""
    return _places_beyond(some, others) if some.by_itself else []


def _beyond(some: Sequence[str], others: Sequence[str]) -> list[str]:
    return [each for each in some if each not in others]


def _places_beyond(some: Enforcement, others: Enforcement) -> list[str]:
    return [each for each in some.places if each not in others.places and some.inside.get(each) not in others.places]


def clients_beyond(some: Sequence[str], others: Sequence[str]) -> list[str]:
    """Those of `some` that are not among `others`; nobody named is everybody."""
    if is_everybody(others):
        return []
    if is_everybody(some):
        return [f"everybody but {', '.join(others)}"]
    return [each for each in some if not within(each, others)]


def is_everybody(clients: Sequence[str]) -> bool:
    """Whether `clients` names nobody, or every address of both families."""
    return not clients or all(within(each, clients) for each in ("0.0.0.0/0", "::/0"))


def within(one: str, others: Sequence[str]) -> bool:
    """Whether `one` (a range, a zone, a target within ranges, or any other name) is one of `others`, or inside of what they
    hold together."""
    if one in others:
        return True
    target, of_target, ranges = one.partition(WITHIN)
    if of_target:
        own = f"{target}{WITHIN}"  # the ranges of another target say nothing of this one
        known = [each.removeprefix(own) for each in others if each.startswith(own) or WITHIN not in each]
        listed = [network for each in known for network in each.split(", ")]
        return target in others or all(within(each, listed) for each in ranges.split(", "))
    network = network_of(one)
    if network is None:
        return any(one.endswith(f".{zone}") for zone in others)
    alike = [other for each in others if (other := network_of(each)) is not None and other.version == network.version]
    return any(network.subnet_of(each) for each in collapse_addresses(alike))  # type: ignore[arg-type, type-var]


def network_of(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text)
    except ValueError:  # an account, a tag, the id of a group, a zone
        return None
