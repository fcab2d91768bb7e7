"""What AWS logs of its verdicts: Network Firewall's alert log (Suricata's EVE JSON, wrapped or plain), and the query
log of Route 53 Resolver.

Sources: AWS Network Firewall developer guide, contents of a firewall log; Suricata 7 user guide, EVE JSON; Amazon
Route 53 developer guide, values in Resolver query logs. What a line holds was written by strangers: names and texts
are data, to be escaped wherever they are shown.
"""

from collections.abc import Mapping
from typing import Any, Literal

from hostgate.catalog.hosts import is_address
from hostgate.catalog.problems import spelled
from hostgate.flows.events import Event, NotALog, NoVerdict, OtherLog, address_of, keys_of, label_of, port_of, text_of
from hostgate.flows.flow import Flow, flow_protocol


def read_event(record: Any) -> Event:
    """The verdict that a record tells. Raises NotALog, OtherLog for a record of another log, or NoVerdict for a record of
    another kind."""
    if not isinstance(record, Mapping):
        raise NotALog(f"Found {spelled(record)}. Allowed: a JSON object.")
    if "query_name" in record:
        return _query(record)
    event = record.get("event", record)
    if not isinstance(event, Mapping) or "event_type" not in event:
        raise OtherLog(
            keys_of(record),
            "an alert of AWS Network Firewall (`event`) or of Suricata (`event_type`), a query of Route 53 Resolver "
            "(`query_name`)",
        )
    if event["event_type"] not in ("alert", "drop"):
        raise NoVerdict(text_of(event, "event_type"))
    return _alert(event, label_of(record, "firewall_name"), dropped=event["event_type"] == "drop")


def _alert(event: Mapping[str, Any], firewall: str, *, dropped: bool) -> Event:
    """The verdict of an alert, or of a drop, which tells a rule as an alert does where one dropped the packet."""
    alert = event.get("alert", {} if dropped else None)
    if not isinstance(alert, Mapping):
        raise NotALog(f"Found `alert`: {spelled(alert)}. Allowed: what the rule was, as an object.")
    ends = [("src_ip", "src_port"), ("dest_ip", "dest_port")]
    if event.get("direction") == "to_client":  # the packet that matched was an answer
        ends.reverse()
    source, address = (address_of(event, key) for key, _ in ends)
    transport = text_of(event, "proto")
    try:
        carrier = flow_protocol(transport)
    except ValueError:
        raise NoVerdict(f"alert of {transport}") from None
    name, protocol = _name(event, carrier) if carrier in ("tcp", "udp") else (None, carrier)
    key = ends[1][1]
    port = port_of(event, key) if key in event or carrier in ("tcp", "udp") else 0  # ICMP, GRE and the like have none
    try:
        flow = Flow(name or address, port, protocol, sni=name, address=address, source=source)
    except ValueError as error:  # e.g. ends of two families
        raise NotALog(f"Found a packet that cannot be: {error}") from None
    verdict = event.get("verdict")
    acted = label_of(verdict, "action") if isinstance(verdict, Mapping) else ""
    blocked = dropped or acted in ("drop", "reject") or (acted != "pass" and alert.get("action") == "blocked")
    sid, words = alert.get("signature_id"), label_of(alert, "signature")
    known = f", which calls itself {words!r}" if words else ""
    rule = str(sid) if isinstance(sid, int) and not isinstance(sid, bool) else None
    return Event(
        "connection",
        flow,
        "blocked" if blocked else "allowed" if acted == "pass" else "alerted",
        rule,
        words,
        firewall,
        default=words.startswith("aws:"),  # AWS names the alerts of default actions like the actions
        named=name is not None or not dropped,
        called=f"signature {rule or '?'}{known}" if alert else "the engine, for no rule that the log tells",
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
    source = address_of(record, "srcaddr") if record.get("srcaddr") else None
    name = text_of(record, "query_name").removesuffix(".") or "."
    # An address can be asked for as if it were a name, and then says nothing of the family that the question came by.
    flow = Flow(name, source=None if is_address(name) else source)
    listed = label_of(record, "firewall_domain_list_id")
    return Event("query", flow, acted, None, f"domain list {listed}" if listed else "", label_of(record, "vpc_id"))
