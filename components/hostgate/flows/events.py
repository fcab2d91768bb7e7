"""What a log says of verdicts: its events, and the JSON records that a log is made of, whoever wrote it.

What a line holds was written by strangers: names and texts are data, to be escaped wherever they are shown.
"""

from codecs import getincrementaldecoder
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from ipaddress import ip_address
from json import JSONDecoder
from typing import Any, BinaryIO, Literal

from hostgate.catalog.file_input import Lines, LongLine, lines_of
from hostgate.catalog.problems import spelled
from hostgate.catalog.strict_json import NotJSON, read_json_text
from hostgate.flows.flow import Flow

MOST_TEXT = 1_000_000
"""Bytes of a line, or of a document over many lines. The service's own lines have a few thousand."""

EventKind = Literal["connection", "inspection", "request", "query", "probe"]
"""Of what a verdict is: a connection by its packets, what an inspection read in one, a request to a proxy, a DNS query; or
what a client saw that tried."""


@dataclass(frozen=True, slots=True)
class Event:
    """One logged verdict. `rule` is that by which a plan knows the rule: the signature id of an alert, a priority, a name;
    `words` is what the log says of it, and `called` how to name it where no rule of a plan is it. The action is unknown where
    the entry does not say it."""

    kind: EventKind
    flow: Flow
    action: Literal["blocked", "alerted", "allowed", "unknown"]
    rule: str | None
    words: str
    place: str
    """The firewall or the VPC."""
    default: bool = False
    """Whether what the policy does by default logged it, and no rule."""
    named: bool = True
    """Whether the log tells the name that the client dialled; if not, the flow's name is its address."""
    called: str = ""
    targets: tuple[str, ...] = ()
    """Of a probe, those whose rules it met, one after the other."""
    silent: bool = False
    """Whether nothing came back to a probe, and perhaps nothing is there that would have answered."""
    wanted: Literal["allow", "block", ""] = ""
    """Of a probe, what the catalogs ask for, whatever the verdict."""

    @property
    def length(self) -> int:
        """Characters that it is kept in, about: 300 beside its texts."""
        return 300 + len(self.flow.name) + len(self.words) + len(self.place) + len(self.called)


class NotALog(ValueError):  # noqa: N818 - what a text is, said to whoever gave it
    """The text is no line of such a log. The message says what was found and what is allowed."""


class OtherLog(NotALog):
    """The record is none of the logs that a reader knows. `forms` are those that it knows, each by what tells it; none of
    a line that no reader can know."""

    def __init__(self, found: str, forms: str = "") -> None:
        super().__init__(f"Found {found}. Allowed: {forms}." if forms else f"Found {found}.")
        self.found, self.forms = found, forms


class NoVerdict(ValueError):  # noqa: N818 - not an error
    """A line of such a log that says no verdict, e.g. a flow record. The message is its kind."""


def records(stream: BinaryIO) -> Iterator[tuple[int, Any]]:
    """The JSON documents of `stream` with the line that each begins on: one a line, or one or a list of them over many.

    However long the stream is, no more of it is held than twice MOST_TEXT bytes. What cannot be read is handed out as
    NotALog; of a list, nothing after that. Raises OSError.
    """
    start = stream.read(MOST_TEXT + 1)
    if kind := next((words for mark, words in _OTHER_FORMS.items() if start.startswith(mark)), None):
        yield 1, NotALog(f"Found {kind}. Allowed: JSON as text in UTF-8, e.g. zcat FILE | hostgate explain --log -.")
        return
    try:
        whole = read_json_text(start) if len(start) <= MOST_TEXT else None
    except NotJSON:
        whole = None
    if whole is None and start.lstrip().startswith(b"[") and not _one_line(start):
        yield from _records_of_list(start, stream)
    elif whole is None:
        yield from _records_of_lines(_Rejoined(BytesIO(start), stream))
    else:
        yield from ((1, each) for each in _unwrapped(whole))


_OTHER_FORMS = {b"\x1f\x8b": "a gzip file", b"\x28\xb5\x2f\xfd": "a zstd file", b"PK\x03\x04": "a zip file",
                b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}  # fmt: skip
"""First bytes of what logs are stored as elsewhere."""


def _one_line(start: bytes) -> bool:
    """Whether the first line is JSON of its own: a log of lists, one a line."""
    try:
        read_json_text(start.lstrip().partition(b"\n")[0])
    except NotJSON:
        return False
    return True


def _records_of_list(start: bytes, stream: BinaryIO) -> Iterator[tuple[int, Any]]:
    """The items of one list over many lines, as `gcloud logging read --format=json` writes it, one held at a time."""
    text = _Text(start, stream)
    text.skip("[")
    while (mark := text.peek()) != "]":
        number, item = text.line, text.document()
        if item is None:
            found = f"no JSON of at most {MOST_TEXT:,} characters." if mark else "no end of the list: was the log cut?"
            yield number, NotALog(f"Found {found} Allowed: a list of JSON objects. Nothing after that is read.")
            return
        try:
            yield from ((number, each) for each in _unwrapped(read_json_text(item)))
        except NotJSON as error:
            yield number, NotALog(f"Found an item that is not JSON: {error}. Allowed: a JSON object.")
        text.skip(",")


class _Text:
    """What is left of a stream of text, and the number of its line."""

    def __init__(self, start: bytes, stream: BinaryIO) -> None:
        self._stream, self._decoder = stream, getincrementaldecoder("utf-8-sig")("backslashreplace")
        self._text, self._at, self.line = self._decoder.decode(start), 0, 1

    def peek(self) -> str:
        """The next character that is no blank; nothing at the end."""
        while True:
            if self._at == len(self._text) and not self._more():
                return ""
            if not (mark := self._text[self._at]).isspace():
                return mark
            self._to(self._at + 1)

    def skip(self, mark: str) -> None:
        """Go past `mark`, where it comes next."""
        if self.peek() == mark:
            self._to(self._at + 1)

    def document(self) -> str | None:
        """The text of the JSON document that comes next; None if there is none of MOST_TEXT characters at most."""
        while True:
            try:
                _, end = _DECODER.raw_decode(self._text, self._at)
            except (ValueError, RecursionError):
                if len(self._text) - self._at > MOST_TEXT or not self._more():
                    return None
            else:
                found = self._text[self._at : end]
                self._to(end)
                return found

    def _more(self) -> bool:
        data = self._stream.read(MOST_TEXT)
        self._text, self._at = self._text[self._at :] + self._decoder.decode(data, final=not data), 0
        return bool(data)

    def _to(self, place: int) -> None:
        self.line += self._text.count("\n", self._at, place)
        self._at = place


_DECODER = JSONDecoder()


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
                cut = "" if line.endswith(b"\n") else "; it is the last one and has no end: was the log cut?"
                yield (
                    number,
                    OtherLog(f"{spelled(text)}, which is not JSON: {error}{cut}"),
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


def keys_of(record: Mapping[str, Any]) -> str:
    """What to say of an object that is none of a log."""
    keys = ", ".join(spelled(key) for key in list(record)[:5])
    return f"an object with {keys or 'no key'}"


def label_of(record: Mapping[str, Any], key: str) -> str:
    """What is only shown; a log that has something else there than text is explained all the same."""
    value = record.get(key)
    return value if isinstance(value, str) else "" if value is None else spelled(value)


def text_of(record: Mapping[str, Any], key: str) -> str:
    """The text under `key`. Raises NotALog."""
    value = record.get(key)
    if not isinstance(value, str) or not value:
        raise NotALog(f"Found `{key}`: {spelled(value)}. Allowed: text.")
    return value


def address_of(record: Mapping[str, Any], key: str) -> str:
    """The IP address under `key`, in its usual spelling. Raises NotALog."""
    value = record.get(key)
    try:
        return str(ip_address(value)) if isinstance(value, str) else str(ip_address(""))
    except ValueError:
        raise NotALog(f"Found `{key}`: {spelled(value)}. Allowed: an IP address.") from None


def port_of(record: Mapping[str, Any], key: str) -> int:
    """The port under `key`. Raises NotALog."""
    value = record.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 65_535:
        raise NotALog(f"Found `{key}`: {spelled(value)}. Allowed: a port.")
    return value
