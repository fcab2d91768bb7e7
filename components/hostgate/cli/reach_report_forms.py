"""The report of reach as Markdown for people, and as CSV for tables: every line, with a cell for each part."""

import csv
import re
from collections.abc import Iterator
from io import StringIO
from typing import Final

from hostgate.catalog.spreadsheet import cell
from hostgate.cli.acceptances import Acceptance
from hostgate.cli.reach_report import KINDS_OF_LINES, MOST_NAMED, Line, PlaceReport, ReachReport
from hostgate.dns.report.markdown_text import code, heading, plain, table
from hostgate.flows.name_atoms import STRANGER

_COLUMNS: Final = (
    "place", "target", "kind", "counts", "id", "entry", "name", "port", "protocol", "address", "source", "sni", "rule", "owner",
    "why", "accepted because", "accepted by", "accepted until", "acceptance",
)  # fmt: skip


def markdown(made: ReachReport) -> str:
    """The whole text."""
    return re.sub("\n{3,}", "\n\n", "\n".join(_lines(made))) + "\n"


def _lines(made: ReachReport) -> Iterator[str]:
    yield "# Reach"
    yield ""
    yield f"{made.day}. {made.result}"
    for sentence in made.left_out:
        yield ""
        yield plain(sentence)
    yield from heading(2, "Result")
    yield from table(("place", *KINDS_OF_LINES, "accepted"), map(_counts, made.places))
    for place in made.places:
        yield from _place(place)
    if made.accepted:
        yield from heading(2, "Acceptances")
        yield from table(("id", "line", "because", "by", "until", ""), (_acceptance(*each) for each in made.accepted))
    yield from heading(2, "Record")
    yield from table(("", ""), ((plain(what), code(value)) for what, value in made.asked))


def _counts(place: PlaceReport) -> tuple[str, ...]:
    return code(place.title), *(f"{place.count(kind):,}" for kind in KINDS_OF_LINES), f"{place.accepted:,}"


def _acceptance(said: Acceptance, kind: str, connection: str) -> tuple[str, ...]:
    line = f"{kind} {plain(_one_line(connection))}".strip()
    owner, until = plain(said.owner) or "not said", str(said.until or "not said")
    return code(said.id), line, plain(said.because), owner, until, standing(said)


def _one_line(connection: str) -> str:
    return connection.replace("\n", " / ")


def standing(acceptance: Acceptance) -> str:
    """Whether it holds."""
    return acceptance.standing if acceptance.standing == "holds" else f"{acceptance.standing}, and does not count"


def _place(place: PlaceReport) -> Iterator[str]:
    yield from heading(2, code(place.title, table=False))
    if place.remark:
        yield plain(place.remark)
        yield ""
    if place.lines:
        yield from table(
            ("id", "", "connection", "rule", "why"),
            (
                (code(line.id) if line.id else "", _kind(line), plain(_one_line(line.connection)),
                 code(line.rule) if line.rule else "no rule", plain(_why(line)))
                for line in place.listed
            ),
        )  # fmt: skip
    else:
        yield "Nothing beyond the catalogs is open, and all that they need is."
        yield ""
    for line in place.listed:
        if len(line.entries) > 1:
            told = [code(f"{entry} ({name})", table=False) for entry, name in line.entries[:MOST_NAMED]]
            more = f" and {len(line.entries) - MOST_NAMED:,} more" if len(line.entries) > MOST_NAMED else ""
            yield f"{code(line.id, table=False)} is about {', '.join(told)}{more}."
            yield ""
    if place.by_design:
        yield "**Passes by design.**"
        yield ""
        yield from (f"- {code(what, table=False)}: {plain(why)}" for what, why in place.by_design)
        yield ""
    if place.assumptions:
        yield "**Assumed.**"
        yield ""
        yield from (f"- {plain(each)}" for each in place.assumptions)
        yield ""


def _kind(line: Line) -> str:
    if line.acceptance is None:
        return f"**{line.kind}**"
    standing = line.acceptance.standing
    return f"{line.kind}, accepted" if standing == "holds" else f"**{line.kind}**, acceptance {standing}"


def _why(line: Line) -> str:
    more = f" and {len(line.entries) - 1:,} more" if len(line.entries) > 1 else ""
    about = f"{line.entries[0][0]}{more}: " if line.entries else ""
    return f"{about}{line.why}{f' ({line.owner})' if line.owner else ''}"


def csv_text(made: ReachReport) -> str:
    """All lines; what is missing once an entry. Then what is assumed, what passes by design and on what it rests."""
    out = StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")  # RFC 4180
    writer.writerow(_COLUMNS)
    for place in made.places:
        for line in place.lines:
            for entry, name in line.entries or (("", ""),):
                writer.writerow(map(cell, _row(place, line, entry, name)))
        besides = [("assumed", "", each) for each in place.assumptions] + [
            ("by design", *each) for each in place.by_design
        ]
        for kind, id_, why in besides:
            writer.writerow(map(cell, (place.title, place.target, kind, "", id_, *[""] * 9, why, *[""] * 4)))
    for what, value in made.asked:
        writer.writerow(map(cell, ("", "", "record", "", what, *[""] * 9, value, *[""] * 4)))
    return out.getvalue()


def _row(place: PlaceReport, line: Line, entry: str, name: str) -> tuple[object, ...]:
    flow, said = line.flow, line.acceptance
    connection: tuple[object, ...] = ("",) * 6
    if flow is not None:
        sni = "" if flow.wire_name == flow.name else flow.wire_name or "none"
        who = "any other name" if flow.name == STRANGER else name or flow.name
        connection = (who, flow.port, flow.protocol, flow.address, flow.source, sni)
    accepted = ("",) * 4 if said is None else (said.because, said.owner, said.until, standing(said))
    counts = "yes" if line.counts else "no"
    of_line = (place.title, place.target, line.kind, counts, line.id, entry)
    return (*of_line, *connection, line.rule, line.owner, line.why, *accepted)
