"""Survey files: runs and samples as JSON lines, written as they come and read back without trust.

A file is a sequence of runs: a header line that says who asked whom and how, then one line per lookup. Files can be
continued (another header) and joined (`cat a b`).
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import fields
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from hostgate.catalog.file_input import LongLine, lines_of, open_file
from hostgate.catalog.problems import InputError, Problem, spelled
from hostgate.catalog.strict_json import NotJSON, read_json_text
from hostgate.dns.samples import (
    NOTES,
    OUTCOMES,
    PROBE_STATES,
    RECORD_TYPES,
    HttpsRecord,
    Link,
    Probe,
    Run,
    Sample,
    SurveySamples,
    Torn,
)

VERSION = 1
"""Of the file form, in every header line."""

LONGEST = 64 * 1024 * 1024
"""Bytes of a line. A header names every host: 10,000 are 0.4 MB, and a list of hosts may have 10 MB."""

_ALLOWED = "a file that `hostgate survey --out` wrote"


def read_survey(paths: Iterable[Path]) -> SurveySamples:
    """All of `paths` (of one or several vantage points) in memory. Raises InputError as `stream` does."""
    runs, samples, torn = [], [], []
    for each in stream(paths):
        if isinstance(each, Sample):
            samples.append(each)
        elif isinstance(each, Run):
            runs.append(each)
        else:
            torn.append(each)
    return SurveySamples(tuple(runs), tuple(samples), tuple(torn))


def stream(paths: Iterable[Path]) -> Iterator[Run | Sample | Torn]:
    """Runs and samples as they stand in the files, one at a time.

    Raises InputError with file, line, what was found and what is allowed: an unreadable or empty file, a line that is
    no record, an unknown version, and a run that stands in two places (it would be counted twice). Only the last line
    of a file may be cut off.
    """
    seen: dict[tuple[str, float], str] = {}
    for path in paths:
        yield from _stream_file(path, seen)


def as_line(record: Run | Sample) -> str:
    """`record` as its JSON line, without what is at its default and without the vantage that the header states."""
    if isinstance(record, Run):
        return json.dumps({"survey": VERSION, **_plain(record)}, separators=(",", ":"))
    return json.dumps({k: v for k, v in _plain(record).items() if k != "vantage"}, separators=(",", ":"))


def _plain(record: Any) -> dict[str, Any]:
    made = {}
    for each in fields(record):
        value = getattr(record, each.name)
        if value == each.default or (each.name == "plan" and not value):
            continue
        if each.name == "chain":
            value = [[link.owner, link.target, link.ttl] for link in value]
        elif each.name in ("https", "probes"):
            value = [_plain(one) for one in value]
        elif each.name == "at":
            value = round(value, 3)
        made[each.name] = value
    return made


class _LineError(ValueError):
    """A line that is no record: `args` are the rule and the message."""


def _stream_file(path: Path, seen: dict[tuple[str, float], str]) -> Iterator[Run | Sample | Torn]:
    vantage: str | None = None
    number = 0
    intern: dict[Any, Any] = {}
    try:
        with open_file(
            path, str(path), rule="survey-unreadable", allowed=_ALLOWED, missing=f"Allowed: {_ALLOWED}."
        ) as lines:
            for number, raw in lines_of(lines, LONGEST):
                if isinstance(raw, LongLine):
                    raise _LineError(
                        "survey-line", f"Found a line of {raw.length:,} bytes or more. Allowed: at most {LONGEST:,}."
                    )
                if not raw.endswith(b"\n"):
                    if vantage is None:
                        raise _LineError(
                            "survey-no-header", "Found a first line that is cut off. There is nothing to read."
                        )
                    yield Torn(str(path), number)
                    return
                record = _parsed(raw)
                if "survey" in record:
                    run = _run(record)
                    key, here = (run.vantage, run.started), f"{path}:{number}"
                    if key in seen:
                        raise _LineError(
                            "survey-run-twice",
                            f"Found the run of {spelled(run.vantage)} that stands at {seen[key]} as well. "
                            "Its answers would count twice: name each file once.",
                        )
                    seen[key] = here
                    vantage = run.vantage
                    yield run
                elif vantage is None:
                    raise _LineError(
                        "survey-no-header",
                        'Found no header line. Allowed first: {"survey": 1, ...}, as `hostgate survey --out` writes it.',
                    )
                else:
                    yield _sample(record, vantage, intern)
    except OSError as error:
        raise InputError([Problem(
            rule="survey-unreadable", file=str(path),
            message=f"Cannot read it: {error.strerror or error}. Allowed: {_ALLOWED}.",
        )]) from None  # fmt: skip
    except _LineError as bad:
        raise InputError([Problem(rule=bad.args[0], file=str(path), line=number, message=bad.args[1])]) from None
    if not number:
        raise InputError(
            [Problem(rule="survey-empty", file=str(path), message="The file is empty: nothing was asked.")]
        )


def _parsed(raw: bytes) -> dict[str, Any]:
    try:
        record = read_json_text(raw)
    except NotJSON as error:
        shown = raw[:60].decode("utf-8", "backslashreplace").strip()
        raise _LineError(
            "survey-line", f"Found {spelled(shown)}, no JSON: {error}. Allowed: one JSON object per line."
        ) from None
    if not isinstance(record, dict):
        raise _LineError("survey-line", f"Found {spelled(record)}. Allowed: one JSON object per line.")
    return record


def _run(record: dict[str, Any]) -> Run:
    version = record.pop("survey")
    if version != VERSION or version is True:
        raise _LineError("survey-version", f"Found survey form {spelled(version)}. Allowed: {VERSION}.")
    _keys(record, Run)
    plan = record.get("plan", {})
    _check(isinstance(plan, dict) and all(isinstance(v, int | float) or _is_text(v) for v in plan.values()), "plan", plan,
           "a mapping of figures")  # fmt: skip
    return Run(
        vantage=_text(record, "vantage"),
        started=_number(record, "started"),
        tool=_text(record, "tool"),
        resolvers=tuple(_texts(record, "resolvers")),
        types=tuple(_among("types", each, RECORD_TYPES) for each in _texts(record, "types")),
        hosts=tuple(_texts(record, "hosts")),
        edns=_whole(record, "edns") or 0,
        plan=plan,
        probes=tuple(_probe(each) for each in _list(record, "probes")),
        not_surveyed=tuple(_pair(each) for each in _list(record, "not_surveyed")),
    )


def _probe(record: Any) -> Probe:
    _check(isinstance(record, dict), "probes", record, "mappings")
    _keys(record, Probe)
    return Probe(
        resolver=_text(record, "resolver"),
        state=_among("state", record.get("state"), PROBE_STATES),
        detail=_text(record, "detail", ""),
        rtt=_number(record, "rtt") if "rtt" in record else None,
    )


def _pair(value: Any) -> tuple[str, str]:
    right = isinstance(value, list) and len(value) == 2 and all(_is_text(each) for each in value)
    _check(right, "not_surveyed", value, "pairs of what and why")
    return value[0], value[1]


def _sample(record: dict[str, Any], vantage: str, intern: dict[Any, Any]) -> Sample:
    _keys(record, Sample, without="vantage")

    def kept(value: Any) -> Any:  # the same few chains and answers come again and again
        return intern.setdefault(value, value)

    return Sample(
        host=kept(_text(record, "host")),
        at=_number(record, "at"),
        resolver=kept(_text(record, "resolver")),
        type=_among("type", record.get("type"), RECORD_TYPES),
        outcome=_among("outcome", record.get("outcome"), OUTCOMES),
        vantage=vantage,
        detail=kept(_text(record, "detail", "")),
        chain=tuple(_link(each, intern) for each in _list(record, "chain")),
        addresses=kept(_addresses(record, "addresses")),
        ttl=_whole(record, "ttl"),
        negative_ttl=_whole(record, "negative_ttl"),
        https=kept(tuple(_https(each) for each in _list(record, "https"))),
        truncated=_flag(record, "truncated"),
        tcp=_flag(record, "tcp"),
        ede=kept(tuple(_wholes(record, "ede"))),
        notes=kept(tuple(_among("notes", each, NOTES) for each in _list(record, "notes"))),
    )


def _link(value: Any, intern: dict[Any, Any]) -> Link:
    right = (
        isinstance(value, list)
        and len(value) == 3
        and _is_text(value[0])
        and _is_text(value[1])
        and _is_whole(value[2])
    )
    _check(right, "chain", value, "lists of owner, target and TTL")
    return Link(intern.setdefault(value[0], value[0]), intern.setdefault(value[1], value[1]), value[2])


def _https(record: Any) -> HttpsRecord:
    _check(isinstance(record, dict), "https", record, "mappings")
    _keys(record, HttpsRecord)
    return HttpsRecord(
        priority=_whole(record, "priority") or 0,
        target=_text(record, "target"),
        alpn=tuple(_texts(record, "alpn")),
        ipv4hint=_addresses(record, "ipv4hint"),
        ipv6hint=_addresses(record, "ipv6hint"),
        ech=_flag(record, "ech"),
        port=_whole(record, "port"),
    )


def _keys(record: dict[str, Any], kind: type[Any], without: str = "") -> None:
    known = {each.name for each in fields(kind)} - {without}
    strange = sorted(set(record) - known)
    if strange:
        raise _LineError("survey-key", f"Found the key {spelled(strange[0])}. Allowed: {', '.join(sorted(known))}.")


def _check(right: bool, key: str, found: object, allowed: str) -> None:
    if not right:
        raise _LineError("survey-value", f"Found {spelled(found)} for `{key}`. Allowed: {allowed}.")


def _among(key: str, value: Any, allowed: tuple[Any, ...]) -> Any:
    _check(isinstance(value, str) and value in allowed, key, value, ", ".join(allowed))
    return value


def _text(record: dict[str, Any], key: str, default: str | None = None) -> str:
    value = record.get(key, default)
    _check(_is_text(value), key, value, "visible text")
    return str(value)


def _list(record: dict[str, Any], key: str) -> list[Any]:
    value = record.get(key, [])
    _check(isinstance(value, list), key, value, "a list")
    return list(value)


def _texts(record: dict[str, Any], key: str) -> list[str]:
    values = _list(record, key)
    for each in values:
        _check(_is_text(each), key, each, "a list of visible texts")
    return values


def _wholes(record: dict[str, Any], key: str) -> list[int]:
    values = _list(record, key)
    for each in values:
        _check(_is_whole(each), key, each, "whole numbers from 0")
    return values


def _addresses(record: dict[str, Any], key: str) -> tuple[str, ...]:
    values = _texts(record, key)
    for each in values:
        _check(_is_address(each), key, each, "IP addresses")
    return tuple(values)


@lru_cache(maxsize=65536)
def _is_address(text: str) -> bool:
    try:
        return str(ip_address(text)) == text
    except ValueError:
        return False


def _number(record: dict[str, Any], key: str) -> float:
    value = record.get(key)
    right = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e11
    _check(right, key, value, "a number from 0")
    return float(value)  # type: ignore[arg-type]


def _whole(record: dict[str, Any], key: str) -> int | None:
    value = record.get(key)
    _check(value is None or _is_whole(value), key, value, "a whole number from 0 to 4294967295")
    return value


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**32


def _is_text(value: object) -> bool:
    """Text that cannot write over a terminal: what a survey writes is escaped, what somebody else wrote may not be."""
    return isinstance(value, str) and value.isprintable()


def _flag(record: dict[str, Any], key: str) -> bool:
    value = record.get(key, False)
    _check(isinstance(value, bool), key, value, "true or false")
    return bool(value)
