"""Allowlists of a snapshot at a place: which resources there are theirs, whom they are for, and what of them nobody can read.

What a component says of itself stands in its inputs. What it made is told by the engine: a resource below it has it as parent,
and its type in the URN (Pulumi docs, resource names: the qualified type is that of the parents and its own, 2026-11).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from hostgate.flows.address_sets import AddressSet
from hostgate.flows.nodes import UNKNOWN
from hostgate.flows.routes import Round
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.steps import EVERY_CLIENT, ClientTest, Place
from hostgate.flows.urns import stack_of, types_of
from hostgate.planning.decision import Decision, read_registered, rules_decided
from hostgate.planning.kept_lists import KeptOptions, Standing, standing_in
from hostgate.planning.mechanism import mechanism, targets
from hostgate.planning.options import Options, OptionsError, plain_numbers, read_options
from hostgate.planning.targets import is_computed, row

_COMPONENT: Final = re.compile(r"hostgate-([a-z]+):index:")


@dataclass(frozen=True, slots=True)
class Allowlist:
    """What a component says, as far as it can be read, and the resources at a place that are `own` of it."""

    resource: Resource
    target: str
    decisions: tuple[Decision, ...]
    unread: tuple[str, ...]
    """Inputs without which nobody knows what it is for, each with the reason."""
    options: Options | None
    """None where its inputs do not say them, as those of 0.1.0, or where its clients are not known yet: there everybody may be
    one."""
    clients: Mapping[str, ClientTest]
    """By list; everybody where nobody here sees the addresses of some."""
    own: frozenset[str] = frozenset()
    placed: bool = True
    """Whether some resource of the snapshot is known to be made below it."""
    kept: Mapping[tuple[str, str, int], Standing] = field(default_factory=dict)
    """What stands in the lists that a refresher keeps for it, by grant, transport and port."""
    sets: Mapping[str, AddressSet] = field(default_factory=dict)
    """What stands in lists of others by which entries are allowed, by entry id."""

    @property
    def may_be_here(self) -> bool:
        """Whether it judges at the place, or nobody knows where it does."""
        return bool(self.own) or not self.placed


def allowlists_at(place: Place, snapshot: Snapshot) -> list[Allowlist]:
    """Those of the cloud of `place`, with what is theirs there: what each made and judges there, with a rule or without. Where
    nothing tells what it made, the rules that it names, of its own stack."""
    components = [each for each in snapshot.resources if _cloud(each) == place.cloud]
    others = {each.urn for each in components if _is_for_others(each, place, snapshot)}
    if not _is_not_known(place, snapshot):
        components = [each for each in components if each.urn not in others]
    if not components:
        return []
    steps = [step for step in place.steps if step.owner not in place.beside]
    judging = place.judging.union(step.owner for step in steps if step.owner)
    wanted = frozenset(each.urn for each in components)
    made = {urn: holder for urn in judging if (holder := _maker(urn, snapshot, wanted)) is not None}
    components = [each for each in components if each.urn not in others or each.urn in made.values()]
    above = {each.parent for each in snapshot.resources}.union(made.values())
    named: dict[str, set[str]] = {}
    for rule, owner in {(step.rule, step.owner): None for step in steps if step.owner not in made}:
        if (known := snapshot.by_urn.get(owner)) is None or not known.parent:
            for name in rules_decided(rule):
                named.setdefault(name, set()).add(owner)
    found = []
    for each in components:
        told = read_allowlist(each, snapshot)
        rules = {decision.rule for decision in told.decisions if decision.outcome == "allowed" and decision.rule}
        by_rule = {owner for rule in rules for owner in named.get(rule, ()) if stack_of(owner) == stack_of(each.urn)}
        own = by_rule.union(urn for urn in judging if each.urn in (urn, made.get(urn)))
        placed = each.urn in above or _has_children(each, snapshot, wanted)
        found.append(replace(told, own=frozenset() if each.urn in others else frozenset(own), placed=placed))
    return found


def _is_not_known(place: Place, snapshot: Snapshot) -> bool:
    """Whether nobody knows where the rules of a place judge, as where the id of their group is a secret: it may well be where
    those are for that made them. What they need is asked for there, and here it may be open."""
    key = row(place.target).held_by if place.target in targets() else ""
    rules = [snapshot.by_urn[step.owner] for step in place.steps if step.owner in snapshot.by_urn]
    return bool(key and rules) and not place.judging and all(each.node.at(key).unknown for each in rules)


def _is_for_others(component: Resource, place: Place, snapshot: Snapshot) -> bool:
    """Whether an allowlist says for whose clients it is, and it is for none of the place: not by its name, and not by what its
    rules allow to members that are elsewhere besides. One of another mechanism may be for clients of the place, unless an
    allowlist is for those by the name of the place: that one says what they may reach."""
    target = component.properties.get("target")
    key = row(target).named if isinstance(target, str) and target in targets() else ""
    if not key or component.urn in place.judging:
        return False
    if target != place.target and not any(_is_by_name(urn, place, snapshot) for urn in place.judging):
        return False
    names = [item.value for item in component.node.at("options", key).items()]
    told = bool(names) and all(isinstance(name, str) and name and not is_computed(name) for name in names)
    wanted = frozenset({component.urn})
    return told and not any(_maker(owner, snapshot, wanted) == component.urn for owner in place.beside)


def _is_by_name(urn: str, place: Place, snapshot: Snapshot) -> bool:
    """Whether a resource is an allowlist of the mechanism of `place` that says for whose clients it is."""
    known = snapshot.by_urn.get(urn)
    told = None if known is None else known.properties.get("target")
    return told == place.target and told in targets() and bool(row(told).named)


def named_by_allowlists(snapshot: Snapshot, cloud: str, key: str) -> dict[str, frozenset[str]]:
    """What allowlists of `cloud` have in their option `key`, with those that do: it judges for them, with a rule of theirs or
    without. Of what an update tells alone, nobody knows here what it is."""
    found: dict[str, frozenset[str]] = {}
    for each in snapshot.resources:
        if _cloud(each) != cloud:
            continue
        for name in (item.value for item in each.node.at("options", key).items()):
            if isinstance(name, str) and name and not is_computed(name):
                found[name] = found.get(name, frozenset()) | {each.urn}
    return found


def _cloud(resource: Resource) -> str | None:
    found = _COMPONENT.match(resource.type)
    return found[1] if found else None


def _has_children(component: Resource, snapshot: Snapshot, wanted: frozenset[str]) -> bool:
    """Whether the types in some URN name it, and none of the others of `wanted`."""
    below = (each.urn for each in snapshot.resources if _names_above(each.urn, component.urn))
    return any(_maker(urn, snapshot, wanted) == component.urn for urn in below)


def _names_above(urn: str, component: str) -> bool:
    return types_of(urn).startswith(f"{types_of(component)}$") and stack_of(urn) == stack_of(component)


def _maker(urn: str, snapshot: Snapshot, wanted: frozenset[str]) -> str | None:
    """The component of `wanted` that made a resource: the one above it; where no parent is told, the only one of its stack that
    the types in its URN name."""
    seen: set[str] = set()
    at = urn
    while (resource := snapshot.by_urn.get(at)) is not None and resource.parent and resource.parent not in seen:
        at = resource.parent
        if at in wanted:
            return at
        seen.add(at)
    if seen:
        return None
    above = [each for each in wanted if _names_above(urn, each)]
    return above[0] if len(above) == 1 else None


def read_allowlist(resource: Resource, snapshot: Snapshot) -> Allowlist:
    """What the inputs of a component say."""
    unread: list[str] = []
    target = resource.properties.get("target")
    if not isinstance(target, str) or target not in targets():
        unread.append(_why("target", target, f"found {str(target)[:80]!r}, known are {', '.join(targets())}"))
        target = ""
    decisions = tuple(_decisions(resource, unread))
    options = _options(target, resource) if target else None
    shares = () if options is None else options.shares
    clients = {share.grant: _clients(target, share, snapshot) for share in shares}
    own = frozenset({resource.urn})

    def made(part: str) -> Iterator[Resource]:
        below = (each for each in snapshot.resources if part in each.urn)
        return (each for each in below if _maker(each.urn, snapshot, own) is not None)

    kept: Mapping[tuple[str, str, int], Standing] = {}
    if isinstance(options, KeptOptions) and options.refreshed:
        kept = standing_in(resource, made("-refresher-"))
    sets: Mapping[str, AddressSet] = {}
    if options is not None:
        allowed = (decision.entry for decision in decisions if decision.outcome == "allowed")
        sets = mechanism(target).sets(allowed, options, made(""), snapshot)
    return Allowlist(resource, target, decisions, tuple(unread), options, clients, kept=kept, sets=sets)


def _why(path: str, value: object, wrong: str) -> str:
    return f"{path} is not known yet, or a secret" if value is UNKNOWN else f"{path} cannot be read: {wrong}"


def _decisions(resource: Resource, unread: list[str]) -> Iterator[Decision]:
    """Those that can be read; the others come to `unread`."""
    registered, purposes = resource.properties.get("decisions"), resource.properties.get("purposes")
    several: list[tuple[str, Any, object]]
    if isinstance(registered, Mapping):
        several = [(f"decisions.{key}", value, {key: value}) for key, value in registered.items()]
    elif isinstance(registered, list | tuple):
        several = [(f"decisions[{at}]", value, [value]) for at, value in enumerate(registered)]
    else:
        unread.append(_why("decisions", registered, f"found {str(registered)[:80]!r}, and no decisions"))
        return
    for path, value, alone in several:
        try:
            yield from read_registered(alone, purposes)
        except ValueError as error:
            unread.append(_why(path, value, str(error)))


def _options(target: str, resource: Resource) -> Options | None:
    options = resource.properties.get("options")
    if not isinstance(options, Mapping):
        return None
    real = resource.properties.get("clients")
    given = [(real if isinstance(real, Mapping) else {}).get(each, each) for each in options.get("from") or ()]
    if not all(isinstance(each, str) and not is_computed(each) for each in given):
        return None
    stated = {key: resource.properties[key] for key in ("mode", "deny") if key in resource.properties}
    told = plain_numbers({**options, **stated, **({"from": given} if given else {})})
    try:
        read: Options = read_options(mechanism(target).options, told, target)
    except (KeyError, OptionsError):
        return None
    return read


def _clients(target: str, share: Options, snapshot: Snapshot) -> ClientTest:
    """The clients of one list; everybody where nobody here sees the addresses of some of them."""
    found = mechanism(target).clients(share, snapshot)
    return EVERY_CLIENT if found.addresses.opaque else found


def with_clients(place: Place, snapshot: Snapshot) -> Place:
    """The place with the subnets that an allowlist there names as its clients among those that count. Where no firewall of the
    place was read, one that names nobody is for all of them."""
    if all(each.meant for each in place.other_ways):
        return place
    listed = [each for each in allowlists_at(place, snapshot) if each.may_be_here]
    named = [client for each in listed for client in (each.clients.values() or [EVERY_CLIENT])]
    if not place.remark and place.led == "seen":
        named = [each for each in named if each != EVERY_CLIENT]
    meant = {each.subnet for each in place.other_ways if any(_may_be_of(each, client) for client in named)}
    ways = [replace(each, meant=each.meant or each.subnet in meant) for each in place.other_ways]
    past = [each for each in ways if each.meant and each.way.end == "internet"]
    others = tuple(each for each in ways if not (each.meant and each.way.end == "internet"))
    return replace(place, round_it=(*place.round_it, *past), other_ways=others)


def with_meant(place: Place, snapshot: Snapshot) -> Place:
    """The place with the clients of the allowlists that judge there as those that are meant where a flow names none; as it was
    where one of them is for everybody, or where nobody can read for whom it is."""
    return _with_clients_of(place, allowlists_at(place, snapshot))


def with_named(place: Place, snapshot: Snapshot) -> Place:
    """The same where an allowlist names the place and has no rule there alone: no rule tells then whom it is for."""
    if not any(_cloud(snapshot.by_urn[urn]) for urn in place.judging if urn in snapshot.by_urn):
        return place
    owners = {step.owner for step in place.steps}
    listed = allowlists_at(place, snapshot)
    return _with_clients_of(place, listed) if any(each.own and not each.own & owners for each in listed) else place


def _with_clients_of(place: Place, listed: Sequence[Allowlist]) -> Place:
    clients = [each.clients.values() or [EVERY_CLIENT] for each in listed if each.own]
    meant = tuple(dict.fromkeys(client for each in clients for client in each))
    return place if EVERY_CLIENT in meant else replace(place, meant=meant)


def _may_be_of(way: Round, clients: ClientTest) -> bool:
    """Whether the clients of a subnet may be some of `clients`, by an address of either family or by what they are known by."""
    if clients.identities is not None and way.client not in clients.identities:
        return False
    known, wanted = way.ranges, clients.addresses
    return not (known.v4 or known.v6) or bool(known.v4 & wanted.v4 or known.v6 & wanted.v6)
