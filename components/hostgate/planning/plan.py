"""From a selection and a target to a plan: who is allowed by which rule, and everything there is to say about it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from hashlib import sha256
from typing import Any, Final

from hostgate.catalog.collector import collector_at_rest
from hostgate.catalog.mistakes import Misprints
from hostgate.catalog.model import Entry
from hostgate.catalog.problems import InputError, Problem, did_you_mean, wrong_type
from hostgate.catalog.selection import Acceptance, Selection
from hostgate.catalog.shared_hosting import shared_hosting
from hostgate.flows.flow import Flow, Verdict
from hostgate.flows.steps import Place
from hostgate.flows.verdicts import decide
from hostgate.planning.address_pool import AddressPool
from hostgate.planning.decision import Decision, Outcome
from hostgate.planning.evidence import Evidence
from hostgate.planning.findings import KINDS, Finding, finding
from hostgate.planning.grants import Grant, once, split
from hostgate.planning.limits import Usage
from hostgate.planning.mechanism import CloudObject, Mechanism, Objection, Rendering, mechanism, targets
from hostgate.planning.objections import accepted, covered, meant, objections, opening_mistakes
from hostgate.planning.options import Options, OptionsError, read_options
from hostgate.planning.pooled import FedOptions
from hostgate.planning.survey import HostVerdict, Survey
from hostgate.planning.survey_findings import survey_findings
from hostgate.planning.targets import row

REFUSALS = ("not-expressible", "limit-exceeded", "empty-plan", "survey-demand", "mistake-refused")
"""Ids of findings with which nothing of a plan may be applied."""

EXPIRY_WARNING = timedelta(days=14)
"""How long before its `until` an acceptance is warned about."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The pure result of selection x mechanism x options. A refused plan has no objects."""

    target: str
    selection: Selection
    options: Options
    objects: tuple[CloudObject, ...]
    decisions: tuple[Decision, ...]
    findings: tuple[Finding, ...]
    limits: tuple[Usage, ...]
    digest: str
    unused: tuple[Acceptance, ...] = ()
    """Acceptances of findings that did not occur."""
    as_of: date | None = None
    """The date at which expiries were judged; None: they were not."""
    survey: Survey | None = field(default=None, repr=False)
    _mechanism: Mechanism[Any] = field(repr=False)

    @property
    def refused(self) -> bool:
        """Whether something could not be done exactly or within the limits; nothing of the plan may be applied."""
        return any(one.id in REFUSALS for one in self.findings)

    @property
    def ok(self) -> bool:
        return not any(one.severity == "error" for one in self.findings)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The findings that stop the plan, as input problems."""
        return tuple(
            Problem(
                rule=one.id,
                file=one.origin.file if one.origin else None,
                line=one.origin.line if one.origin else None,
                column=one.origin.column if one.origin else None,
                entry=one.entry,
                message=f"{self.target}{f' {one.grant}' if one.grant else ''}: {one.message}",
            )
            for one in self.findings
            if one.severity == "error"
        )

    @property
    def unenforced(self) -> tuple[Finding, ...]:
        """Why what it makes blocks nothing, as findings that nobody has accepted; empty if it blocks."""
        return tuple(one for one in self.findings if one.unenforced and one.accepted is None)

    def verdict(self, flow: Flow) -> Verdict:
        """What becomes of `flow` under this plan's objects. Raises InputError if the plan was refused."""
        found = self.verdicts(flow)
        if len({verdict.action for _, verdict in found}) == 1:
            return found[0][1]
        said = "; ".join(f"{grant}: {verdict.action}, {verdict.why}" for grant, verdict in found)
        return Verdict("unknown", None, said, ("whose client it is",))

    def verdicts(self, flow: Flow) -> tuple[tuple[str, Verdict], ...]:
        """What becomes of `flow` from the clients of each grant, with its name; one without a name where the flow says its
        address, or the plan has no grants. Raises as `verdict` does."""
        if not isinstance(flow, Flow):
            raise InputError([wrong_type("flow", flow, "a hostgate.Flow, such as Flow('cgr.dev', 443, 'https')")])
        if self.refused:
            raise InputError(self.problems)
        if flow.source is not None and flow.identity is None:
            return (("", decide(self.place, flow)),)
        return tuple((share.grant, decide(place, flow)) for share, place in self.places)

    @property
    def place(self) -> Place:
        """Where flows meet the plan's objects, with nothing else there; for the clients of the first of several grants."""
        return self.places[0][1]

    @cached_property
    def places(self) -> tuple[tuple[Options, Place], ...]:
        """The same for the clients of each grant, with its options."""
        return tuple((share, self._mechanism.place(self.objects, share)) for share in self.options.shares)

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What lies outside the plan, and its verdicts take for granted; of a refused plan nothing."""
        return () if self.refused else self.place.assumptions

    def surveyed(self, flow: Flow) -> HostVerdict | None:
        """What the plan's survey says of the host that `flow` dials, by the way that allows it; None if nothing."""
        if self.survey is None:
            return None
        for decision in self.decisions:
            entry = decision.entry
            if decision.outcome == "allowed" and (entry.host, entry.port) == (flow.name, flow.port):
                assert decision.means is not None
                return self.survey.of(entry.host, self.target, decision.means.ttl_family)
        return None

    def as_json(self) -> dict[str, Any]:
        return {
            "target": self.target,
            "digest": self.digest,
            "objects": [each.as_json() for each in self.objects],
            "decisions": [each.as_json() for each in self.decisions],
            "findings": [each.as_json() for each in self.findings],
            "limits": [each.as_json() for each in self.limits],
            "catalogs": sorted(self.selection.refs),
            "options": self.options.model_dump(mode="json", by_alias=True, exclude_defaults=True),
            "assumptions": list(self.assumptions),
        }


def plan(
    selection: Selection | Sequence[Grant],
    target: str,
    options: Options | Mapping[str, Any] | None = None,
    *,
    as_of: date | None = None,
    survey: Survey | None = None,
    pool: AddressPool | None = None,
    **more: Any,
) -> Plan:
    """The plan of `selection` for `target` (`cloud:mechanism`); of several grants, where each has clients and hosts of its
    own.

    Options are an options value, a mapping, or keywords, e.g. `plan(hosts, target="aws:rules", mode="audit")`.
    `as_of` judges expiries and the age of the `survey` and the `pool`; without it they are not judged. `pool` has the
    addresses for a mechanism that sees no names. Raises InputError: unknown target,
    wrong options, or an acceptance of a finding that does not occur. A plan that cannot be exact, or that has a host worse
    than the survey's demand, is returned with `refused` set.
    """
    made = draft(selection, target, options, as_of=as_of, survey=survey, pool=pool, **more)
    if made.unused:
        raise InputError(unused_acceptances([made]))
    return made


@collector_at_rest()
def draft(
    selection: Selection | Sequence[Grant],
    target: str,
    options: Options | Mapping[str, Any] | None = None,
    *,
    as_of: date | None = None,
    survey: Survey | None = None,
    pool: AddressPool | None = None,
    **more: Any,
) -> Plan:
    """As `plan`, but with unused acceptances left for the caller to judge over several targets."""
    if isinstance(selection, list | tuple):
        selection, more["grants"] = split(selection)
    if not isinstance(selection, Selection):
        raise InputError([wrong_type("selection", selection, "a Selection, as hostgate.select() makes it")])
    if not isinstance(target, str):
        raise InputError([wrong_type("target", target, f"one of {', '.join(targets())}")])
    if options is not None and not isinstance(options, Options | Mapping):
        raise InputError([wrong_type("options", options, "a mapping, or the options of the mechanism")])
    how = find_mechanism(target)
    chosen = _options(how, options, more)
    if pool is not None:
        if not isinstance(chosen, FedOptions) or not chosen.wanting(selection.entries):
            whose = " for these hosts" if isinstance(chosen, FedOptions) else ""
            message = f"Found a pool for {target}, which takes none{whose}. Leave it out."
            raise InputError([Problem(rule="config", message=message)])
        chosen = chosen.fed_by(pool, selection.entries)
    if problem := _ungranted(how, selection, chosen):
        raise InputError([problem])
    parts = [_Part.of(how, *each, survey, as_of) for each in zip(selection.parts, chosen.shares, strict=True)]
    decided = sorted((each for part in parts for each in part.decided), key=lambda each: each.entry.key)
    allowed = [each.entry for each in decided if each.outcome == "allowed"]
    empty = [part for part in parts if part.empty]
    surveyed = [one for part in parts for one in part.surveyed]
    in_zones = list(_mistakes_in_zones(chosen, Misprints(selection.mistakes)))
    refused = bool(empty or in_zones) or any(each.outcome == "refused" for each in decided)
    rendering = Rendering(objects=(), rules={}) if refused else how.render(allowed, chosen)
    over = [usage for usage in rendering.usage if usage.exceeded and not usage.limit.soft]
    nothing = bool(over) or any(one.id == "survey-demand" for one in surveyed)
    rules = {} if nothing else rendering.rules
    decisions = tuple(
        replace(each, rule=rules.get(each.entry.key)) if each.outcome == "allowed" else each for each in decided
    )
    of_parts = []
    for part in parts:
        own = [each for each in decisions if each.entry.grant == part.grant]
        said = [*_about_entries(part.selection, own, as_of, part.opposed), *part.surveyed]
        of_parts.append((part.grant, [*said, *_opened_mistakes(part.selection, own, part.misprints)]))
    findings = [*once(of_parts), *rendering.findings, *in_zones]
    findings += [
        finding(
            "limit-exceeded",
            f"{usage.limit.name}: needs {usage.used:,}, allowed {usage.limit.max:,} {usage.limit.unit} "
            f"({usage.limit.source}).",
        )
        for usage in over
    ]
    findings += [
        finding(
            "over-quota",
            f"{usage.limit.name}: needs {usage.used:,}, allowed {usage.limit.max:,} {usage.limit.unit} unless "
            f"{usage.limit.unless or f'quota {usage.limit.quota} was raised'} ({usage.limit.source}).",
        )
        for usage in rendering.usage
        if usage.exceeded and usage.limit.soft
    ]
    findings += [
        replace(
            finding("empty-plan", f"Nothing is allowed: {len(part.decided)} entries, all of them left out."),
            grant=part.grant,
        )
        for part in empty
        if all(each.outcome != "refused" for each in part.decided)
    ]
    judged, unused = _judge_parts(findings, parts, as_of)
    objects = () if nothing else rendering.objects
    return Plan(
        target=target,
        selection=selection,
        options=chosen,
        objects=objects,
        decisions=decisions,
        findings=tuple(sorted(judged, key=lambda one: one.order)),
        limits=rendering.usage,
        digest=digest_of(target, objects, chosen),
        unused=unused,
        as_of=as_of,
        survey=survey,
        _mechanism=how,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What is decided for one grant, or for the whole plan where there are none."""

    grant: str
    selection: Selection
    misprints: Misprints
    opposed: Mapping[tuple[str, str], Objection]
    decided: list[Decision]
    surveyed: list[Finding]

    @staticmethod
    def of(
        how: Mechanism[Any], selection: Selection, options: Options, survey: Survey | None, as_of: date | None
    ) -> "_Part":
        misprints = Misprints(selection.mistakes)
        opposed = opening_mistakes(selection, misprints)
        decided = _decide(how, selection, options, opposed)
        allowed = [each.entry for each in decided if each.outcome == "allowed"]
        surveyed = survey_findings(how, allowed, survey, as_of, accepted(selection), options)
        if isinstance(options, FedOptions) and as_of is not None:
            surveyed += options.stale(allowed, as_of)
        return _Part(
            grant=options.grant, selection=selection, misprints=misprints, opposed=opposed, decided=decided,
            surveyed=surveyed,
        )  # fmt: skip

    @property
    def empty(self) -> bool:
        """Whether nothing is allowed, and nobody said that this is meant."""
        return not self.selection.allow_empty and all(each.outcome != "allowed" for each in self.decided)


def _ungranted(how: Mechanism[Any], selection: Selection, options: Options) -> Problem | None:
    """What does not hold of a plan's grants: whether the mechanism takes any, and whether each has hosts and clients."""
    clients, hosts = [each.name for each in options.grants], [name for name, _ in selection.grants]
    if clients and not how.several:
        able = ", ".join(target for target in targets() if mechanism(target).several)
        message = f"{how.target} has one list of hosts: it tells no clients apart. Found: {', '.join(clients)}. Allowed: {able}."
        return Problem(rule="config", message=message)
    if clients != hosts:
        message = (
            f"`grants`: found clients for {', '.join(clients) or 'none'} and hosts for {', '.join(hosts) or 'none'}."
        )
        return Problem(rule="config", message=f"{message} Allowed: both for each, as hostgate.Grant has them.")
    return None


def plan_all(
    selection: Selection | Sequence[Selection],
    targets: Sequence[tuple[str, Options | Mapping[str, Any] | None]],
    *,
    as_of: date | None = None,
    survey: Survey | None = None,
) -> tuple[Plan, ...]:
    """A plan for each target, of one selection or of as many. Raises InputError with the option errors of all, or stale
    acceptances.

    An acceptance counts as met if its finding occurs for any of the targets.
    """
    made = drafts(selection, targets, as_of=as_of, survey=survey)
    if problems := unused_acceptances(made):
        raise InputError(problems)
    return made


def drafts(
    selection: Selection | Sequence[Selection],
    targets: Sequence[tuple[str, Options | Mapping[str, Any] | None]],
    *,
    as_of: date | None = None,
    survey: Survey | None = None,
) -> tuple[Plan, ...]:
    """As `plan_all`, but with unused acceptances left for the caller to judge."""
    made: list[Plan] = []
    problems: list[Problem] = []
    selections = [selection] * len(targets) if isinstance(selection, Selection) else selection
    for own, (target, options) in zip(selections, targets, strict=True):
        try:
            made.append(draft(own, target, options, as_of=as_of, survey=survey))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return tuple(made)


def with_findings(made: Plan, more: Sequence[Finding]) -> Plan:
    """The plan with findings of more than itself: accepted by what all of its lists accept."""
    parts = [part.accept for part in made.selection.parts]
    accept = [one for one in parts[0] if all(one in other for other in parts)]
    judged, unmet = _judge_acceptances(more, accept, made.as_of)
    met = {*accept} - {*unmet}
    return replace(
        made,
        findings=tuple(sorted((*made.findings, *judged), key=lambda one: one.order)),
        unused=tuple(one for one in made.unused if one not in met),
    )


def unused_acceptances(plans: Sequence[Plan]) -> list[Problem]:
    """Acceptances whose finding occurred in none of `plans`: stale, misspelt, or about another entry."""
    given = dict.fromkeys(one for made in plans for one in made.unused)
    stale = [one for one in given if all(one in made.unused for made in plans if one in made.selection.accept)]
    occurring = {one.id for made in plans for one in made.findings}
    entries = {decision.entry.id for made in plans for decision in made.decisions}
    problems = []
    for acceptance in stale:
        # What occurs here is more likely meant than what does not.
        near = did_you_mean(acceptance.finding, occurring) or did_you_mean(acceptance.finding, KINDS)
        if acceptance.finding in KINDS:
            unknown = acceptance.entry is not None and acceptance.entry not in entries
            near = did_you_mean(str(acceptance.entry), entries) if unknown else ""
        of_entry = sorted({one.id for made in plans for one in made.findings if one.entry == acceptance.entry})
        whose = "Without an entry there are" if acceptance.entry is None else "That entry has"
        hint = f" {whose}: {', '.join(of_entry)}." if of_entry else ""
        problems.append(
            Problem(
                rule="acceptance-unused",
                entry=acceptance.entry,
                file=None if acceptance.origin is None else acceptance.origin.file,
                line=None if acceptance.origin is None else acceptance.origin.line,
                column=None if acceptance.origin is None else acceptance.origin.column,
                message=f"Accepted {acceptance}, but there is no such finding.{hint}{near} Remove the acceptance.",
            )
        )
    return problems


def unenforced(plans: Sequence[Plan]) -> str | None:
    """One message about every plan of a stack that blocks nothing, and why; None if there is none."""
    idle = [made for made in plans if made.unenforced]
    if not idle:
        return None
    lines = [f"  {made.target} {one.line}" for made in idle for one in made.unenforced]
    return "\n".join((f"nothing is blocked by {', '.join(made.target for made in idle)}:", *lines))


def find_mechanism(target: str) -> Mechanism[Any]:
    """The mechanism called `target`. Raises InputError with the nearest name."""
    try:
        row(target)
    except KeyError:
        raise InputError(
            [
                Problem(
                    rule="unknown-target",
                    message=f"Found the target {target!r}.{did_you_mean(target, targets(), 0.6)} "
                    f"Allowed: {', '.join(targets())}.",
                )
            ]
        ) from None
    return mechanism(target)


def _options(how: Mechanism[Any], options: Options | Mapping[str, Any] | None, more: Mapping[str, Any]) -> Options:
    if isinstance(options, Options) and isinstance(options, how.options) and not more:
        return options
    given = options.model_dump(exclude_unset=True) if isinstance(options, Options) else dict(options or {})
    try:
        read: Options = read_options(how.options, {**given, **more}, how.target)
    except OptionsError as error:
        raise InputError(error.problems) from None
    return read


def _opened_mistakes(selection: Selection, decisions: Sequence[Decision], misprints: Misprints) -> Iterator[Finding]:
    """What is opened although a catalog records it as mistaken: by acceptance, or on that catalog's own word."""
    said = meant(selection)
    for decision in decisions if selection.mistakes else ():
        entry = decision.entry
        if decision.outcome not in ("allowed", "refused"):
            continue
        for each in misprints.opened_by(entry):
            if (entry.id, each.entry.host) in said:
                message = f"Opens {each.entry.host}, which {each.entry.catalog} records as mistaken ({each.entry.id})."
                yield finding("opens-mistake", message, entry, each.entry.host)
        for each in misprints.contradicted_by(entry):
            message = f"{entry.catalog} lists {entry.host} as right, and records it as mistaken ({each.entry.id})."
            yield finding("opens-mistake", message, entry, each.entry.host)


def _mistakes_in_zones(options: Options, misprints: Misprints) -> Iterator[Finding]:
    """What the options let pass beside the entries although a catalog records it as mistaken."""
    for zone in options.open_names:
        everything = Entry(catalog="", id="", host=zone, match="subtree+apex", port=443, protocol="https")
        for each in misprints.opened_by(everything):
            yield finding(
                "mistake-refused",
                f"The zone {zone} holds {each.entry.host}, which {each.entry.catalog} records as mistaken "
                f"({each.entry.id}). Leave the zone out, or name narrower ones.",
            )


_NOT_EGRESS: Final = "not egress"


def _decide(
    how: Mechanism[Any], selection: Selection, options: Options, opposed: Mapping[tuple[str, str], Objection]
) -> list[Decision]:
    """What becomes of every entry, by key; the rule that an allowed one gets is told by who renders it."""

    def told(entry: Entry, outcome: Outcome, reason: str) -> Decision:
        return Decision(entry, outcome, reason, means=how.way(entry, options))

    decided = [told(entry, "left out", reason) for entry, reason in selection.left_out]
    wanted = []
    for entry in selection.entries:
        if entry.direction != "egress":
            decided.append(told(entry, "left out", _NOT_EGRESS))
        elif entry.status == "mistaken":
            mistaken = "mistaken: the catalog records it as a misprint, and nothing opens it"
            decided.append(told(entry, "left out", mistaken))
        else:
            wanted.append(entry)
    standing = objections(how, wanted, options, selection, opposed)
    enough = covered(wanted, standing, dict(selection.choose))
    for entry in wanted:
        if entry.key in enough:
            decided.append(told(entry, "covered", enough[entry.key]))
        elif entry.key in standing:
            decided.append(told(entry, "refused", str(standing[entry.key])))
        else:
            way = how.way(entry, options)
            assert way is not None
            decided.append(Decision(entry, "allowed", f"{way.name}: {way.ttl_means}", means=way))
    decided.sort(key=lambda each: each.entry.key)
    return decided


def _about_entries(
    selection: Selection,
    decisions: Sequence[Decision],
    as_of: date | None,
    opposed: Mapping[tuple[str, str], Objection],
) -> list[Finding]:
    found = [finding("unpinned", f"{ref} was asked for as `latest`. Pin it: {ref}.") for ref in selection.floating]
    sights: dict[str, list[str]] = {}
    ways: dict[str, Evidence] = {}
    for decision in decisions:
        entry = decision.entry
        if decision.outcome == "refused":
            id_ = "mistake-refused" if entry.key in opposed else "not-expressible"
            found.append(finding(id_, decision.reason, entry))
        if entry.status == "mistaken" and decision.outcome == "left out":
            found.append(
                finding("mistaken", f"{entry.reach} is a misprint of the vendor's page; nothing opens it.", entry)
            )
        if decision.reason == _NOT_EGRESS:
            found.append(finding("not-egress", f"{entry.reach} comes in, and no egress rule lets it.", entry))
        if decision.outcome != "allowed":
            continue
        way = decision.means
        assert way is not None
        if way.sight != "name-and-port" or way.names == "wire":
            sights.setdefault(way.sight, []).append(entry.id)
        ways[way.name] = way.evidence
        widening = way.widenings.get(entry.match) if entry.match not in way.kinds else None
        if widening:
            found.append(finding(widening, f"{way.name} allow more than {entry.reach}.", entry))
        shared = shared_hosting(entry.match, entry.host)
        if shared:
            found.append(finding("shared-hosting", f"{entry.reach} is shared: {shared}.", entry))
        if entry.kept:
            found += _kept(entry, as_of)
        elif entry.withdrawn:
            successor = f"; {entry.replaced_by} took over" if entry.replaced_by else ""
            found.append(
                finding("withdrawn", f"The vendor withdrew {entry.host} on {entry.withdrawn}{successor}.", entry)
            )
    if "address-and-port" in sights:
        found.append(
            finding("address-only", f"{_some(sights['address-and-port'])}: allowed by the addresses of the name.")
        )
    if "name-and-port" in sights:
        found.append(finding("name-unproven", f"{_some(sights['name-and-port'])}: allowed by the name in SNI or Host."))
    if "query-name" in sights:
        found.append(finding("name-only", f"{_some(sights['query-name'])}: allowed by the name that is asked for."))
    if "address" in sights:
        found.append(finding("port-unseen", f"{_some(sights['address'])}: allowed by address, whatever the port."))
    if ways and all(evidence.kind == "documented" for evidence in ways.values()):
        told = "; ".join(f"{name} ({evidence.source}, read {evidence.date})" for name, evidence in ways.items())
        found.append(finding("documented-only", f"{told}: as documented, and not tried. `hostgate plan` says how to."))
    return found


def _some(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{len(names)} entries"


def _kept(entry: Entry, as_of: date | None) -> Iterator[Finding]:
    """What is to be said of an entry that the vendor withdrew and the catalog keeps, at `as_of`."""
    assert entry.kept is not None
    ends = f"until {entry.kept}" if entry.kept != "warn" else "without an end"
    took_over = f" {entry.replaced_by} took over." if entry.replaced_by else ""
    yield finding("kept", f"The vendor withdrew {entry.host} on {entry.withdrawn}; kept {ends}.{took_over}", entry)
    if entry.kept != "warn" and as_of is not None and as_of.isoformat() > entry.kept:
        yield finding("kept-over", f"{entry.host} was kept until {entry.kept}.", entry)


def _judge_acceptances(
    findings: Sequence[Finding], accept: Sequence[Acceptance], as_of: date | None
) -> tuple[list[Finding], tuple[Acceptance, ...]]:
    """The findings, marked where accepted and joined by those about expiry; and the acceptances that met none."""
    judged = list(findings)
    unused = []
    for acceptance in accept:
        met = [
            index
            for index, one in enumerate(judged)
            if one.id == acceptance.finding
            and one.severity != "error"
            and acceptance.entry in (None, one.entry)
            and acceptance.host == one.host
        ]
        if not met:
            unused.append(acceptance)
            continue
        expired = as_of is not None and acceptance.until is not None and as_of > acceptance.until
        for index in met if not expired else ():
            judged[index] = replace(judged[index], accepted=acceptance.because)
        if as_of is None or acceptance.until is None:
            continue
        where = judged[met[0]] if acceptance.entry else None
        if expired:
            judged.append(_expiry("acceptance-expired", f"Accepting {acceptance} ended on {acceptance.until}.", where))
        elif acceptance.until - as_of <= EXPIRY_WARNING:
            judged.append(
                _expiry("acceptance-expires-soon", f"Accepting {acceptance} ends on {acceptance.until}.", where)
            )
    return judged, tuple(unused)


def _judge_parts(
    findings: Sequence[Finding], parts: Sequence[_Part], as_of: date | None
) -> tuple[list[Finding], tuple[Acceptance, ...]]:
    """As `_judge_acceptances`: a grant's word is about its own findings, and what is about all is accepted by the word of
    each."""
    if len(parts) == 1:
        return _judge_acceptances(findings, parts[0].selection.accept, as_of)
    accept = [part.selection.accept for part in parts]
    common = [one for one in accept[0] if all(one in other for other in accept)]
    whole, unmet = _judge_acceptances([one for one in findings if not one.grant], common, as_of)
    judged, met = list(whole), {*common} - {*unmet}
    for part in parts:
        mine = [one for one in findings if one.grant == part.grant]
        found, unused = _judge_acceptances(mine, part.selection.accept, as_of)
        judged += [replace(one, grant=part.grant) for one in found]
        met |= {*part.selection.accept} - {*unused}
    return judged, tuple(dict.fromkeys(one for each in accept for one in each if one not in met))


def _expiry(id_: str, message: str, about: Finding | None) -> Finding:
    if about is None:
        return finding(id_, message)
    return replace(finding(id_, message), entry=about.entry, catalog=about.catalog, origin=about.origin)


def digest_of(target: str, objects: Sequence[CloudObject], options: Options) -> str:
    """Of the objects and their place: two plans with one digest make the same objects in the same policy."""
    made: list[Any] = [target, [each.as_json() for each in objects]]
    place = [list(pair) for pair in options.place]
    canonical = json.dumps([*made, place] if place else made, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return sha256(canonical.encode()).hexdigest()
