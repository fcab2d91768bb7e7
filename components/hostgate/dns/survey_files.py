"""Survey files: runs and samples as JSON lines, written as they come and read back without trust.

A file is a sequence of runs: a header line that says who asked whom and how, then one line per lookup. Files can be
continued (another header) and joined (`cat a b`).
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from hostgate.catalog.file_input import LongLine, lines_of, open_file
from hostgate.catalog.problems import InputError, Problem, key_path, spelled
from hostgate.catalog.strict_json import NotJSON, read_json_text
from hostgate.dns.samples import Run, Sample, SurveySamples, Torn

VERSION = 1
"""Of the file form, in every header line."""

LONGEST = 64 * 1024 * 1024
"""Bytes of a line. A header names every host: 10,000 are 0.4 MB, and a list of hosts may have 10 MB."""

R = TypeVar("R", Run, Sample)

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
        if each.name in ("https", "probes"):
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
                    yield _sample(record, vantage)
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
    return _valid(_RUN, record)


def _sample(record: dict[str, Any], vantage: str) -> Sample:
    if "vantage" in record:
        raise _LineError("survey-key", "Found the key 'vantage'. Allowed: in the header, for all lines below it.")
    record["vantage"] = vantage
    return _valid(_SAMPLE, record)


_RUN = TypeAdapter(Run)
_SAMPLE = TypeAdapter(Sample)


def _valid(form: TypeAdapter[R], record: dict[str, Any]) -> R:
    try:
        return form.validate_python(record)
    except ValidationError as error:
        found = error.errors(include_url=False)[0]
    key = key_path("", found["loc"]).lstrip(".")
    if found["type"] == "unexpected_keyword_argument":
        raise _LineError("survey-key", f"Found the key `{key}`. Allowed: what `hostgate survey --out` writes.")
    if found["type"] == "missing":
        raise _LineError("survey-value", f"Found no `{key}`. Allowed: what `hostgate survey --out` writes.")
    allowed = found["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    raise _LineError("survey-value", f"Found {spelled(found['input'])} for `{key}`. Allowed: {allowed}.")
