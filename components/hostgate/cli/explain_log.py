"""`hostgate explain --log`: what a firewall's or a resolver's log says was blocked or let pass, and why.

Everything that comes out of a log is escaped before it reaches a terminal.
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from hostgate.catalog.file_input import open_file, open_stdin, user_path
from hostgate.catalog.hosts import MAX_NAME
from hostgate.catalog.problems import InputError, Problem, printable
from hostgate.cli.main import print_json, show_problems
from hostgate.cli.tables import near_line
from hostgate.planning.mechanism import mechanism
from hostgate.planning.targets import load, rows

if TYPE_CHECKING:
    from hostgate.catalog.model import Protocol
    from hostgate.cli.explain_probe import JudgingPlace
    from hostgate.flows.events import Event
    from hostgate.flows.flow import Verdict
    from hostgate.planning.near import Near
    from hostgate.planning.plan import Plan

PROBES = "hostgate.flows.probe_log:read_event"
"""The reader of what `hostgate reach --probe` tried: of no target, each line says whose rules it met."""

MOST_HELD = 64 * 1024 * 1024
"""Characters of different verdicts that are explained at once: some hundred thousand usual ones, in 0.5 GB."""

MOST_WRONG = 100
"""Lines told one by one that are none of a log; beyond, their number."""

MOST_KINDS, MOST_KIND = 100, 80
"""Kinds of records without a verdict, and characters of a kind's name; Suricata 7 has some forty, of ten."""


def explain_log(path: str, plans: Sequence["Plan"], points: Sequence["JudgingPlace"] = (), *, as_json: bool) -> None:
    """Explain every verdict in the log at `path` (`-`: stdin), equal ones once. Where what stands is asked, by `points`,
    it judges the probes alone.

    Raises InputError, or click's Exit: with 1 for lines that are none of a log, else as `hostgate reach` for what probes
    found.
    """
    from hostgate.cli.explain_probe import answer_probe, places_of, probe_code

    shown = "stdin" if path == "-" else path
    events, others, problems = _read(path, shown)
    layers = [_Layer(plan) for plan in plans]
    probed = any(reader == PROBES for reader, _ in events)
    judging = [*points, *(places_of(plans) if probed else ())]
    answers = [
        answer_probe(event, times, judging) if reader == PROBES else _answer(event, reader, times, layers)
        for (reader, event), times in events.items()
    ]
    if not answers and not problems:
        kinds = f"It has {_listed(others)}, which say none." if others else "It is empty."
        problems.append(Problem(rule="log", file=shown, message=f"There is no verdict in the log. {kinds}"))
    if as_json:
        document: dict[str, Any] = {"events": answers, "without": dict(others)}
        if problems:
            document["errors"] = [problem.as_json() for problem in problems]
        print_json(document)
    else:
        for answer in answers:
            _show(answer)
        if answers and others:
            click.echo(f"Left out, because they say no verdict: {_listed(others)}.")
        if problems:
            show_problems(problems, as_json=False)
    if code := 1 if problems else probe_code(answers):
        raise click.exceptions.Exit(code)


class _Layer:
    """A plan: as it is, whose rules a log names; as it would judge in enforce mode, since in audit everything passes and
    that explains nothing; and its rules by signature id, its entries by name, so that no line is looked for by a scan."""

    def __init__(self, plan: "Plan") -> None:
        from hostgate.planning.near import EntryIndex
        from hostgate.planning.plan import draft

        options = plan.options
        self.plan = plan
        self.enforced = (
            plan if options.mode == "enforce" else draft(plan.selection, plan.target, options, mode="enforce")
        )
        self.entries = EntryIndex(self.enforced)
        self.dialled: dict[tuple[int, str], dict[Protocol, str]] = {}
        for decision in plan.decisions:
            need = decision.entry
            if decision.outcome == "allowed":
                name = need.host if need.match in ("exact", "subtree+apex") else f"a.{need.host}"
                self.dialled.setdefault((need.port, need.transport), {}).setdefault(need.protocol, name)
        self.rules: dict[str, tuple[str, str | None]] = {}
        for decision in plan.decisions:
            if decision.rule is not None and "#" in decision.rule:
                entry = decision.entry.id
                told = (f"the rule of {decision.entry.label} ({decision.rule})", entry)
                self.rules.setdefault(decision.rule.rpartition("#")[2], told)
        for each in plan.objects:
            for line in (each.text or "").splitlines():
                sid = line.partition("; sid:")[2].partition(";")[0]
                words = line.partition('msg:"')[2].partition('";')[0]
                if sid:
                    self.rules.setdefault(sid, (f"{each.name}#{sid}: {words}", None))
            self.rules.setdefault(each.name, (each.name, None))
            if "priority" in each.body:  # some logs tell a rule by nothing else, and another policy may have the same
                self.rules.setdefault(str(each.body["priority"]), (f"{each.name}, by its priority", None))

    def verdict(self, event: "Event") -> "Verdict":
        """What enforce would do. Where the log has no name, what is blocked by its address may be a host's all the same."""
        from hostgate.flows.flow import Verdict

        flow = event.flow
        found = self.enforced.verdict(flow)
        if event.named or found.allows:
            return found
        for protocol, host in self.dialled.get((flow.port, flow.transport), {}).items():
            named = self.enforced.verdict(replace(flow, name=host, sni=host, protocol=protocol))
            if named.action != found.action:
                why = f"the log has an address and no name; {named.rule or 'a rule'} is about the names of its hosts"
                return Verdict("unknown", None, why, ("the name that the client dialled",))
        return found


def _read(path: str, shown: str) -> tuple[Counter[tuple[str, "Event"]], Counter[str], list[Problem]]:
    from hostgate.flows.events import NotALog, NoVerdict, records

    events: Counter[tuple[str, Event]] = Counter()
    others: Counter[str] = Counter()
    problems: list[Problem] = []
    wrong, left_out, held = 0, 0, 0
    try:
        with _opened(path) as stream:
            for number, record in records(stream):
                try:
                    event = _event(record)
                except NoVerdict as other:
                    kind = str(other)[:MOST_KIND]
                    others[kind if kind in others or len(others) < MOST_KINDS else "other kinds"] += 1
                except NotALog as error:
                    wrong += 1
                    if wrong <= MOST_WRONG:
                        problems.append(Problem(rule="log", file=shown, line=number, message=str(error)))
                else:
                    if event in events or held <= MOST_HELD:
                        held += 0 if event in events else event[1].length
                        events[event] += 1
                    else:
                        left_out += 1
    except OSError as error:
        raise InputError([Problem(rule="log", file=shown, message=f"Cannot read it: {error.strerror}.")]) from None
    if wrong > MOST_WRONG:
        problems.append(_more(shown, f"{wrong - MOST_WRONG:,} more lines are none of a log."))
    if left_out:
        told = f"{left_out:,} more verdicts are left out: the log has more different ones than are explained at once "
        problems.append(_more(shown, f"{told}({len(events):,}). Cut it, e.g. by time or by source."))
    return events, others, problems


def _event(record: Any) -> tuple[str, "Event"]:
    """The verdict that a record tells, after the reader that knows such records. Raises NotALog or NoVerdict: what those
    readers said that know the record; where none does, what all of them read."""
    from hostgate.flows.events import NotALog, NoVerdict, OtherLog

    if isinstance(record, OtherLog):
        raise OtherLog(record.found, _forms())
    if isinstance(record, NotALog):
        raise record
    kinds, problems, found = [], [], ""
    for reader in _readers():
        try:
            return reader, load(reader)(record)
        except NoVerdict as other:
            kinds.append(str(other))
        except OtherLog as error:
            found = found or error.found
        except NotALog as error:
            problems.append(str(error))
    if kinds:
        raise NoVerdict(", ".join(dict.fromkeys(kinds)))
    if problems:
        raise NotALog(" ".join(dict.fromkeys(problems)))
    raise OtherLog(found, _forms())


def _readers() -> list[str]:
    return [*dict.fromkeys(reader for each in rows() for reader in each.logs.values()), PROBES]


def _forms() -> str:
    """What all readers read, as each says it of an object that is none of it."""
    from hostgate.flows.events import NotALog, NoVerdict, OtherLog

    found: dict[str, None] = {}
    for reader in _readers():
        try:
            load(reader)({})
        except OtherLog as error:
            found.setdefault(error.forms)
        except (NotALog, NoVerdict):
            continue
    return "; ".join(found)


def _opened(path: str) -> AbstractContextManager[BinaryIO]:
    """The log; stdin is not closed."""
    if path == "-":
        return nullcontext(open_stdin("log"))
    form = "a regular file; of what another command writes, - for stdin"
    return open_file(user_path(path), path, rule="log", allowed=form)


def _more(shown: str, message: str) -> Problem:
    return Problem(rule="log", file=shown, message=message)


def _answer(event: "Event", reader: str, times: int, layers: Sequence[_Layer]) -> dict[str, Any]:
    """What the log says, what decided, what the plan says now, the nearest entries, and what to do."""
    flow = event.flow
    told: dict[str, Any] = {
        "kind": event.kind,
        "recorded": event.action,
        "times": times,
        "name": flow.name,
        "port": None if event.kind == "query" else flow.port or None,
        "protocol": "dns" if event.kind == "query" else flow.protocol,
        "source": flow.source,
        "place": event.place,
    }
    told_of = [each.name for each in rows() if each.logs.get(event.kind) == reader]
    layer = next((each for each in layers if each.plan.target in told_of), None)
    if layer is None:
        hint = f" Ask with one that has {' or '.join(told_of)}." if told_of else ""
        return {**told, "target": None, "by": None, "entry": None, "plan": None, "nearest": [],
                "next": f"No layer of the plan judges this.{hint}"}  # fmt: skip
    verdict = layer.verdict(event)
    near = () if verdict.allows or not event.named else layer.entries.nearest(flow)
    by, entry = _decider(event, layer)
    return {
        **told,
        "target": layer.plan.target,
        "by": by,
        "entry": entry,
        "plan": {"verdict": verdict.action, "rule": verdict.rule, "why": verdict.why},
        "nearest": [each.as_json() for each in near],
        "next": _next(event, layer, verdict, near),
    }  # fmt: skip


def _decider(event: "Event", layer: _Layer) -> tuple[str, str | None]:
    """What decided, as far as the log tells it, and the entry that the rule is of."""
    if event.kind == "query":
        if event.action == "allowed":
            return "no rule that blocks or alerts", None
        return f"a rule that {event.action}{f', with {event.words}' if event.words else ''}", None
    if event.default:
        return f"the policy's default action ({event.words}): no rule before it matched", None
    if event.kind == "inspection":  # which profile it is of, the log does not say
        return event.called, None
    return layer.rules.get(event.rule or "", (f"{event.called}: no rule of this plan", None))


def _next(event: "Event", layer: _Layer, verdict: "Verdict", near: Sequence["Near"]) -> str:
    from hostgate.planning.near import advice

    blocked = event.action == "blocked"
    if event.action == "unknown":
        allowed = "The plan allows it." if verdict.allows else "The plan does not allow it."
        return f"The log does not say whether it passed. {allowed if verdict.action != 'unknown' else 'Nor does the plan.'}"
    if verdict.action == "unknown" and not event.named:
        if not blocked:
            return "Nothing, if the client dialled a host of the plan: the log has its address only."
        ask = f"hostgate explain NAME --port {event.flow.port} --address {event.flow.address}"
        ways = mechanism(layer.plan.target).means
        follows = any(way.ttl_family == "own-lookup" for way in ways)
        why = (
            "the firewall did not know this address of it: hostgate survey."
            if follows
            else "another rule denied it first, or what is deployed is older (pulumi preview --refresh)."
        )
        return f"The log has the address only. Ask with the name that the client dialled: {ask}. If the plan allows that, {why}"
    if verdict.allows:
        return (
            "The plan allows it. What is deployed may be older (pulumi preview --refresh), or another rule group blocks it."
            if blocked
            else "Nothing: log and plan agree."
        )
    audited = layer.plan.options.mode == "audit" and event.action == "allowed"
    if verdict.action == "unknown":
        logged = "It was only logged. " if audited or event.action == "alerted" else ""
        whose = "Whether the plan blocks it in enforce mode" if logged else "Whether the plan blocks it"
        return f"{logged}{whose} is not known. What it hangs on: {'; '.join(verdict.lacks)}. {advice(near)}"
    zone = " If it is a zone of your own, name it under `inside`." if event.kind == "query" else ""
    passed = {
        "blocked": "",
        "alerted": "It was only logged; in enforce mode the plan blocks it. ",
        "allowed": "The plan blocks it: what is deployed may be older, or another rule group let it pass. ",
    }
    return f"{passed['alerted' if audited else event.action]}{advice(near) if event.named else _NO_HOST}{zone}"


_NO_HOST = "No host of the plan has this port and protocol."


def _show(answer: dict[str, Any]) -> None:
    port = f":{answer['port']}" if answer["port"] is not None else ""
    source = f" from {answer['source']}" if answer["source"] else ""
    place = f" at {answer['place']}" if answer["place"] else ""
    times = f"  {answer['times']} times" if answer["times"] > 1 else ""
    name = answer["name"] if len(answer["name"]) <= MAX_NAME else f"{answer['name'][:MAX_NAME]}..."
    lines = [f"{answer['recorded']}  {name}{port} {answer['protocol']}{source}{place}{times}"]
    if answer["by"]:
        lines.append(f"  by       {answer['by']}")
    if answer["plan"]:
        verdict = answer["plan"]
        rule = f" {verdict['rule']}:" if verdict["rule"] else ""
        lines.append(f"  plan     {answer['target']} {verdict['verdict']}:{rule} {verdict['why']}")
    for near in answer["nearest"]:
        lines.append(f"  nearest  {near_line(near)}")
    lines.append(f"  next     {answer['next']}")
    for line in lines:
        click.echo(printable(line))
    click.echo()


def _listed(others: Counter[str]) -> str:
    return ", ".join(f"{printable(kind)} ({count})" for kind, count in sorted(others.items()))
