"""What AWS logs of its verdicts: Network Firewall's alert log (Suricata's EVE JSON, wrapped or plain), and the query
log of Route 53 Resolver.

Sources: AWS Network Firewall developer guide, contents of a firewall log; Suricata 7 user guide, EVE JSON; Amazon
Route 53 developer guide, values in Resolver query logs. What a line holds was written by strangers: names and texts
are data, to be escaped wherever they are shown.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from ipaddress import ip_address
from typing import Any, BinaryIO, Literal

from hostgate.catalog.file_input import Lines, LongLine, lines_of
from hostgate.catalog.hosts import is_address
from hostgate.catalog.problems import spelled
from hostgate.catalog.strict_json import NotJSON, read_json_text
from hostgate.flows.flow import Flow, flow_protocol

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

    @property
    def length(self) -> int:
        """Characters that it is kept in, about: 300 beside its texts."""
        return 300 + len(self.flow.name) + len(self.words) + len(self.place)

    @property
    def default(self) -> bool:
        """Whether the policy's default action logged it: AWS names those like the actions."""
        return self.words.startswith("aws:")


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


def read_event(record: Any) -> Event:
    """The verdict that a record tells. Raises NotALog, or NoVerdict for a record of another kind."""
    if isinstance(record, NotALog):
        raise record
    if not isinstance(record, Mapping):
        raise NotALog(f"Found {spelled(record)}. Allowed: a JSON object.")
    if "query_name" in record:
        return _query(record)
    event = record.get("event", record)
    if not isinstance(event, Mapping) or "event_type" not in event:
        keys = ", ".join(spelled(key) for key in list(record)[:5])
        raise NotALog(
            f"Found an object with {keys or 'no key'}. Allowed: an alert of AWS Network Firewall (`event`), of Suricata "
            "(`event_type`), or a query of Route 53 Resolver (`query_name`)."
        )
    if event["event_type"] != "alert":
        raise NoVerdict(_text(event, "event_type"))
    return _alert(event, _label(record, "firewall_name"))


def _alert(event: Mapping[str, Any], firewall: str) -> Event:
    alert = event.get("alert")
    if not isinstance(alert, Mapping):
        raise NotALog(f"Found `alert`: {spelled(alert)}. Allowed: what the rule was, as an object.")
    ends = [("src_ip", "src_port"), ("dest_ip", "dest_port")]
    if event.get("direction") == "to_client":  # the packet that matched was an answer
        ends.reverse()
    source, address = (_address(event, key) for key, _ in ends)
    transport = _text(event, "proto")
    try:
        carrier = flow_protocol(transport)
    except ValueError:
        raise NoVerdict(f"alert of {transport}") from None
    name, protocol = _name(event, carrier) if carrier in ("tcp", "udp") else (None, carrier)
    key = ends[1][1]
    port = _port(event, key) if key in event or carrier in ("tcp", "udp") else 0  # ICMP, GRE and the like have none
    try:
        flow = Flow(name or address, port, protocol, sni=name, address=address, source=source)
    except ValueError as error:  # e.g. ends of two families
        raise NotALog(f"Found a packet that cannot be: {error}") from None
    verdict = event.get("verdict")
    acted = _label(verdict, "action") if isinstance(verdict, Mapping) else ""
    blocked = acted in ("drop", "reject") or (acted != "pass" and alert.get("action") == "blocked")
    sid = alert.get("signature_id")
    return Event(
        "connection",
        flow,
        "blocked" if blocked else "allowed" if acted == "pass" else "alerted",
        str(sid) if isinstance(sid, int) and not isinstance(sid, bool) else None,
        _label(alert, "signature"),
        firewall,
    )


def _name(event: Mapping[str, Any], transport: str) -> tuple[str | None, str]:
    """The name that the packets carried, and the protocol that the engine recognised."""
    for key, field, protocol in (("tls", "sni", "tls"), ("http", "hostname", "http")):
        part = event.get(key)
        if event.get("app_proto") == key or isinstance(part, Mapping):
            name = part.get(field) if isinstance(part, Mapping) else None
            return (name if isinstance(name, str) and name else None), protocol
    return None, "quic" if transport == "udp" and event.get("app_proto") == "quic" else transport


def _query(record: Mapping[str, Any]) -> Event:
    action = record.get("firewall_rule_action")
    acted: Literal["blocked", "alerted", "allowed"]
    match action:
        case "BLOCK":
            acted = "blocked"
        case "ALERT":
            acted = "alerted"
        case None | "" | "ALLOW":
            acted = "allowed"
        case _:
            raise NotALog(f"Found `firewall_rule_action`: {spelled(action)}. Allowed: BLOCK, ALERT, ALLOW or none.")
    source = _address(record, "srcaddr") if record.get("srcaddr") else None
    name = _text(record, "query_name").removesuffix(".") or "."
    # An address can be asked for as if it were a name, and then says nothing of the family that the question came by.
    flow = Flow(name, source=None if is_address(name) else source)
    listed = _label(record, "firewall_domain_list_id")
    return Event("query", flow, acted, None, f"domain list {listed}" if listed else "", _label(record, "vpc_id"))


def _label(record: Mapping[str, Any], key: str) -> str:
    """What is only shown; a log that has something else there than text is explained all the same."""
    value = record.get(key)
    return value if isinstance(value, str) else "" if value is None else spelled(value)


def _text(record: Mapping[str, Any], key: str) -> str:
    value = record.get(key)
    if not isinstance(value, str) or not value:
        raise NotALog(f"Found `{key}`: {spelled(value)}. Allowed: text.")
    return value


def _address(record: Mapping[str, Any], key: str) -> str:
    value = record.get(key)
    try:
        return str(ip_address(value)) if isinstance(value, str) else str(ip_address(""))
    except ValueError:
        raise NotALog(f"Found `{key}`: {spelled(value)}. Allowed: an IP address.") from None


def _port(record: Mapping[str, Any], key: str) -> int:
    value = record.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 65_535:
        raise NotALog(f"Found `{key}`: {spelled(value)}. Allowed: a port.")
    return value
