"""`hostgate reach --probe`: a script that tries on a real client what reach says, and a table of what it expects."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, Final

from hostgate.catalog.file_output import replace_files
from hostgate.catalog.hosts import is_address
from hostgate.catalog.problems import printable
from hostgate.cli.report_place import unwritable_place
from hostgate.flows.flow import Flow
from hostgate.planning.plan import Plan
from hostgate.planning.probe_paths import Path as Way
from hostgate.planning.probe_paths import Point, paths
from hostgate.planning.probes import Probe, Untried, probes
from hostgate.review.inert_markdown import code, table

if TYPE_CHECKING:
    from hostgate.cli.reach_command import Answer

_SCRIPT, _TABLE = "probe.sh", "probe.md"
_RUN: Final = Path(__file__).parent / "probe.sh"
_NO_NAME: Final = {4: "192.0.2.1", 6: "[2001:db8::1]", None: "192.0.2.1"}
"""What a URL has in place of a name, so that no name is sent; the connection goes elsewhere."""

_EXPECTED: Final = {"allow": "passes", "block": "does not pass", "unknown": "not known"}


def check(path: Path) -> str | None:
    """Why no probe can be written to `path`, a folder or a script; None if it can."""
    if not path.is_dir() and path.suffix.lower() != ".sh":
        return f"found the ending {path.suffix!r}. Allowed: a folder that is there, or a file that ends in .sh."
    return next((why for each in probe_files(path) if (why := unwritable_place(each))), None)


def probe_files(path: Path) -> tuple[Path, Path]:
    """The script and the table that are written for `path`."""
    return (path / _SCRIPT, path / _TABLE) if path.is_dir() else (path, path.with_suffix(".md"))


def _judges_alone(plan: Plan, plans: Sequence[Plan]) -> bool:
    """Whether clients that another plan is for do not meet it."""
    return any(
        plan.options.apart(each.options) or each.options.apart(plan.options) for each in plans if each is not plan
    )


def write_probe(path: Path, answers: "Sequence[Answer]", plans: Sequence[Plan], source: str) -> tuple[Path, Path]:
    """Write the script and, beside it, the table: for the places of `plans` in their order, or of what stands where there
    are none; `source` says where those were read. Raises InputError."""
    script, beside = probe_files(path)
    about = [f"{plan.target}, plan {plan.digest}" for plan in plans] or [f"What stands: {source}"]
    points = [
        Point(
            answer.reach.place.target if answer.plan is None else answer.plan.target, answer.reach.place, answer.needs,
            answer.reach, answer.plan is not None and _judges_alone(answer.plan, plans),
            tuple(sorted({one for each in answer.clients or () for one in each.identities or ()})),
        )
        for answer in answers
    ]  # fmt: skip
    found = [(way, *probes(way)) for way in paths(points)]
    files = {script: _script(found, about).encode(), beside: _table(found, about, script.name).encode()}
    replace_files(files, "probe-unwritable")
    return script, beside


_Found = Sequence[tuple[Way, Sequence[Probe], Sequence[Untried]]]


def _script(found: _Found, about: Sequence[str]) -> str:
    lines = ["#!/bin/sh", "# Written by hostgate reach --probe.", *(f"# {_plain(each)}" for each in about),
             _RUN.read_text("utf-8").rstrip(), ""]  # fmt: skip
    if len(found) > 1:
        lines += [
            'if [ -z "$place$list" ]; then',
            "  echo 'There are several places. Name the one of this client: -p NUMBER' >&2",
        ]
        lines += [
            f"  printf '  %s  %s\\n' {number} {quote(_plain(way.title))} >&2"
            for number, (way, *_) in enumerate(found, 1)
        ]
        lines += ["  exit 2", "fi"]
    numbers = "|".join(map(str, range(1, len(found) + 1)))
    lines += [f"case $place in ''|{numbers}) ;; *) usage ;; esac"]
    for number, (way, tried, untried) in enumerate(found, 1):
        lines += [
            f'if [ "${{place:-{number}}}" = {number} ]; then',
            f"  [ -z \"$list\" ] || printf '%s\\n' {quote(_plain(way.title))}",
        ]
        lines += [f"  {_call(way, each)}" for each in tried]
        lines += [f"  {_not_tried(way, each)}" for each in untried]
        lines += ["fi"]
    return "\n".join([*lines, *_END, ""])


_END: Final = (
    '[ -z "$list" ] || exit 0',
    "printf '%s tried: %s agree, %s disagree, %s undecided, %s unproven; %s not tried.\\n' "
    '"$tried" "$agree" "$disagree" "$undecided" "$unproven" "$left" >&2',
    '[ -z "$opened" ] || exit 3',
    '[ -z "$closed" ] || exit 4',
    '[ "$undecided" = 0 ] && [ "$tried" != 0 ] || exit 5',
)


def _call(way: Way, probe: Probe) -> str:
    flow = probe.flow
    address = is_address(flow.name)
    host = f"[{flow.name.strip('[]')}]" if ":" in flow.name else flow.name
    name, said = host, flow.wire_name
    if flow.protocol in ("https", "tls", "http"):
        name = _NO_NAME[flow.family] if said is None and not address else said if said and said != flow.name else host
    scheme = {"https": "https", "tls": "https", "http": "http", "quic": "quic"}.get(flow.protocol, "telnet")
    expected = probe.verdict.action
    checked = "allow" in (expected, expected == "unknown" and probe.wanted) and probe.answers and said == flow.name
    static = _static(way, probe.what, flow, probe.verdict.rule, probe.wanted)
    of_way = (_flag(way.queries), way.bare_connect, _flag(way.asked))
    dialled = (str(flow.family or ""), scheme, host, str(flow.port), name, _flag(checked))
    clients = _plain(" ".join(probe.clients))
    of_client = (clients, probe.wanted, way.denial)
    words = (probe.id, _told(probe), static, expected, _flag(probe.answers), *of_way, *dialled, *of_client)
    return " ".join(("probe", *map(quote, words)))


def _not_tried(way: Way, each: Untried) -> str:
    words = (each.id, _plain(each.what), _static(way, each.what), _plain(each.why))
    return " ".join(("not_tried", *map(quote, words)))


def _static(way: Way, what: str, flow: Flow | None = None, rule: str | None = None, wanted: str = "") -> str:
    """What a line of the log has of a probe whatever comes of it: the inside of a JSON object, in ASCII."""
    of_way = {"place": way.title, "targets": list(way.targets)}
    told: dict[str, Any] = {"what": what, **of_way, "rule": rule, "wanted": wanted}
    if flow is not None:
        told["flow"] = {"name": flow.name, "port": flow.port, "protocol": flow.protocol, "sni": flow.sni,
                        "address": flow.address, "source": flow.source}  # fmt: skip
    return json.dumps(told)[1:-1]


def _told(probe: Probe) -> str:
    return _plain(f"{probe.what}: {in_words(probe.flow)}")


def in_words(flow: Flow) -> str:
    """What a client does, in a line."""
    said = ""
    if flow.protocol in ("https", "tls", "http") and flow.wire_name != flow.name and not is_address(flow.name):
        said = f" that says {flow.wire_name}" if flow.wire_name else " that says no name"
    over = f" over IPv{flow.family}" if flow.family and not is_address(flow.name) else ""
    return f"{flow.protocol} {flow.port} to {flow.name}{said}{over}"


def _flag(value: bool) -> str:
    return "1" if value else "0"


def _plain(text: str) -> str:
    """Text for a terminal, in ASCII: nothing that it holds moves the cursor or ends a line of the script."""
    return printable(text).encode("ascii", "backslashreplace").decode()


def _table(found: _Found, about: Sequence[str], script: str) -> str:
    return "\n".join(_table_lines(found, about, script)) + "\n"


def _table_lines(found: _Found, about: Sequence[str], script: str) -> Iterator[str]:
    yield "# What is expected"
    yield ""
    yield from (f"- {code(each)}" for each in about)
    yield ""
    yield f"Run on a client: {code(f'sh {script} > probe.log')}. Read back: {code('hostgate explain --log probe.log')}."
    for number, (way, tried, untried) in enumerate(found, 1):
        yield ""
        yield f"## {number}. {code(way.title)}"
        yield ""
        rows = [_row(each) for each in tried]
        yield from table(("id", "what", "connection", "from", "expected", "rule"), rows)
        if untried:
            yield ""
            yield from table(
                ("id", "not tried", "why"), [(code(each.id), code(each.what), code(each.why)) for each in untried]
            )


def _row(probe: Probe) -> tuple[str, ...]:
    whose = code(", ".join(probe.clients)) or "any client"
    expected, rule = _EXPECTED[probe.verdict.action], code(probe.verdict.rule or "")
    return code(probe.id), code(probe.what), code(in_words(probe.flow)), whose, expected, rule
