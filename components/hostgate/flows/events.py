"""What a log says of verdicts: its events, and the JSON records that a log is made of, whoever wrote it.

What a line holds was written by strangers: names and texts are data, to be escaped wherever they are shown.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any, BinaryIO, Literal

from hostgate.catalog.file_input import Lines, LongLine, lines_of
from hostgate.catalog.problems import spelled
from hostgate.catalog.strict_json import NotJSON, read_json_text
from hostgate.flows.flow import Flow

MOST_TEXT = 1_000_000
"""Bytes of a line, or of a document over many lines. The service's own lines have a few thousand."""

EventKind = Literal["connection", "query"]


@dataclass(frozen=True, slots=True)
class Event:
    """One logged verdict. `rule` is the signature id of an alert; `words` what the log calls the rule."""

    kind: EventKind
    flow: Flow
    action: Literal["blocked", "alerted", "allowed"]
    rule: str | None
    words: str
    place: str
    """The firewall or the VPC."""
    default: bool = False
    """Whether what the policy does by default logged it, and no rule."""

    @property
    def length(self) -> int:
        """Characters that it is kept in, about: 300 beside its texts."""
        return 300 + len(self.flow.name) + len(self.words) + len(self.place)


class NotALog(ValueError):  # noqa: N818 - what a text is, said to whoever gave it
    """The text is no line of such a log. The message says what was found and what is allowed."""


class NoVerdict(ValueError):  # noqa: N818 - not an error
    """A line of such a log that says no verdict, e.g. a flow record. The message is its kind."""


def records(stream: BinaryIO) -> Iterator[tuple[int, Any]]:
    """The JSON documents of `stream` with the line that each begins on: one a line, or one or a list of them over many.

    However long the stream is, no more of it is held than MOST_TEXT bytes and a line. What cannot be read is handed out
    as NotALog. Raises OSError.
    """
    start = stream.read(MOST_TEXT + 1)
    if kind := next((words for mark, words in _OTHER_FORMS.items() if start.startswith(mark)), None):
        yield 1, NotALog(f"Found {kind}. Allowed: JSON as text in UTF-8, e.g. zcat FILE | hostgate explain --log -.")
        return
    try:
        whole = read_json_text(start) if len(start) <= MOST_TEXT else None
    except NotJSON:
        whole = None
    if whole is None:
        yield from _records_of_lines(_Rejoined(BytesIO(start), stream))
    else:
        yield from ((1, each) for each in _unwrapped(whole))


_OTHER_FORMS = {b"\x1f\x8b": "a gzip file", b"\x28\xb5\x2f\xfd": "a zstd file", b"PK\x03\x04": "a zip file",
                b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}  # fmt: skip
"""First bytes of what logs are stored as elsewhere."""


def _records_of_lines(stream: Lines) -> Iterator[tuple[int, Any]]:
    for number, line in lines_of(stream, MOST_TEXT):
        if isinstance(line, LongLine):
            more = ", and no end of it; nothing after that is read" if line.endless else ""
            yield (
                number,
                NotALog(f"Found a line of {line.length:,} bytes{more}. Allowed: at most {MOST_TEXT:,}."),
            )
        elif line.strip():
            try:
                yield from ((number, each) for each in _unwrapped(read_json_text(line)))
            except NotJSON as error:
                text = line.decode("utf-8", "backslashreplace").strip()
                cut = "" if line.endswith(b"\n") else " It is the last one and has no end: was the log cut?"
                yield (
                    number,
                    NotALog(
                        f"Found {spelled(text)}, which is not JSON: {error}.{cut} Allowed: a line of the alert log or of the "
                        "query log."
                    ),
                )


@dataclass(frozen=True, slots=True)
class _Rejoined:
    """A stream whose beginning was read already."""

    start: BinaryIO
    rest: BinaryIO

    def readline(self, limit: int) -> bytes:
        line = self.start.readline(limit)
        return line if line.endswith(b"\n") or len(line) == limit else line + self.rest.readline(limit - len(line))


def _unwrapped(document: Any) -> Iterator[Any]:
    """The records in a document: a list has many, and CloudWatch exports keep the line as text under `message`."""
    left = [document]
    while left:
        one = left.pop()
        if isinstance(one, list):
            left += reversed(one)
        elif isinstance(one, Mapping) and isinstance(one.get("events"), list):
            left += reversed(one["events"])
        elif isinstance(one, Mapping) and isinstance(one.get("message"), str):
            try:
                yield read_json_text(one["message"])
            except NotJSON as error:
                yield NotALog(f"Found a `message` of {spelled(one['message'])}, which is not JSON: {error}.")
        else:
            yield one
