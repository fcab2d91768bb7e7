"""What Google Cloud logs of its verdicts, as Cloud Logging exports it: a LogEntry with its `logName`.

Three logs are read: firewall rules logging (policy rules and VPC firewall rules), the URL filtering of Cloud NGFW, and the
transactions of Secure Web Proxy. Sources: docs.cloud.google.com, firewall-policy-log-format and vpc-log-format,
url-filtering-logs, secure-web-proxy/docs/monitor-logs (of 2026-04-08; all read 2026-11-28). What a line holds was
written by strangers: names and texts are data, to be escaped wherever they are shown.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal
from urllib.parse import SplitResult, unquote, urlsplit

from hostgate.catalog.hosts import is_address
from hostgate.catalog.problems import spelled
from hostgate.flows.events import Event, NotALog, NoVerdict, OtherLog, address_of, keys_of, label_of, port_of, text_of
from hostgate.flows.flow import Flow, ip_protocol

Logged = Literal["blocked", "allowed", "unknown"]

_FORMS = (
    "an entry of Cloud Logging (`logName`): of firewall rules (compute.googleapis.com/firewall), of the URL filter "
    "(networksecurity.googleapis.com/firewall_url_filter), of Secure Web Proxy (networkservices.googleapis.com/gateway_requests)"
)


def read_event(record: Any) -> Event:
    """The verdict that a record tells: `connection` of a firewall rule, `inspection` of the URL filter, `request` of a proxy.

    Raises NotALog, OtherLog for what is no entry of Cloud Logging, or NoVerdict for an entry of another of its logs, or one
    that leaves the verdict to another.
    """
    if not isinstance(record, Mapping):
        raise NotALog(f"Found {spelled(record)}. Allowed: a JSON object.")
    if "logName" not in record:
        raise OtherLog(keys_of(record), _FORMS)
    name = record["logName"]
    if not isinstance(name, str) or "/logs/" not in name:
        raise NotALog(f"Found `logName`: {spelled(name)}. Allowed: an entry of Cloud Logging, projects/P/logs/LOG.")
    log = unquote(name.partition("/logs/")[2])
    if log not in _READERS:
        raise NoVerdict(log)
    return _READERS[log](_mapping(record, "jsonPayload"), record)


def _firewall_rule(payload: Mapping[str, Any], record: Mapping[str, Any]) -> Event:  # noqa: ARG001
    """A connection by its addresses: which name the client dialled is not in the log."""
    rule, ends = _mapping(payload, "rule_details"), _mapping(payload, "connection")
    if rule.get("direction") == "INGRESS":
        raise NoVerdict("ingress")
    disposition = text_of(payload, "disposition")
    if disposition == "INTERCEPTED":  # whether it passed is in the log of the URL filter
        raise NoVerdict("intercepted")
    reference = label_of(rule, "reference")
    priority = rule.get("priority")
    return Event(
        "connection",
        _flow(address_of(ends, "dest_ip"), ends, "dest_port", address_of(ends, "src_ip")),
        _action(disposition, "disposition"),
        # Of a VPC firewall rule and of a hierarchical policy the priority counts among others than a network policy's.
        str(priority) if reference.startswith("network:") and "/firewallPolicy:" in reference else None,
        "",
        label_of(_optional(payload, "vpc"), "vpc_name"),
        named=False,
        called=f"{reference or 'a rule'}, priority {spelled(priority)}",
    )


def _url_filter(payload: Mapping[str, Any], record: Mapping[str, Any]) -> Event:  # noqa: ARG001
    ends = _mapping(payload, "connection")
    name = payload.get("uriMatched")
    if isinstance(name, str) and "*" in name:  # the filter, and not what the client named
        raise NoVerdict("wildcard filter without a host")
    address, port = address_of(ends, "serverIp"), port_of(ends, "serverPort")
    host = _host_and_port(name)[0] if isinstance(name, str) and name else None
    denied = _deny_type(payload)
    # An allowed connection has no `denyType`: whether SNI or Host was read is told by the port.
    plain = denied in ("HOST", "URI") or (not denied and port == 80)
    protocol = "quic" if ends.get("protocol") in (17, "17", "UDP") else "http" if plain else "tls"
    flow = _made(host or address, port, protocol, host, address, address_of(ends, "clientIp"))
    index = payload.get("ruleIndex")
    action: Logged = "blocked" if denied else "allowed" if host else "unknown"
    if payload.get("action") is not None:
        told = _action(text_of(payload, "action"), "action")
        action = "unknown" if denied and told != action else told
    return Event(
        "inspection", flow, action, None, "",
        label_of(_optional(payload, "interceptVpc"), "vpc"), called=_filter(index),
    )  # fmt: skip


def _filter(index: object) -> str:
    if isinstance(index, int) and not isinstance(index, bool):
        return f"the URL filter with the number {index} in its profile"
    return "a URL filter that the log does not tell"


def _deny_type(payload: Mapping[str, Any]) -> str:
    """By what a connection was denied: SNI, HOST, URI, or another word; nothing where it passed. An entry without an `action`
    (older pages have none) tells nothing else; of one without a name not even that, as there is none to deny by."""
    value = payload.get("denyType")
    if value is not None and not isinstance(value, str):
        raise NotALog(f"Found `denyType`: {spelled(value)}. Allowed: text.")
    return "" if value is None or value.upper().endswith("UNSPECIFIED") else value.upper()


def _web_proxy(payload: Mapping[str, Any], record: Mapping[str, Any]) -> Event:
    policy, request = _optional(payload, "enforcedGatewaySecurityPolicy"), _optional(record, "httpRequest")
    rules = policy.get("matchedRules")
    matched = [each for each in rules if isinstance(each, Mapping)] if isinstance(rules, list) else []
    # An authorization policy judges beside the rules, or in their place: then none is matched.
    authorized = _optional(payload, "authzPolicyInfo").get("result")
    refused = authorized == "DENIED"
    if not matched and authorized not in ("DENIED", "ALLOWED"):
        raise NoVerdict("request without a rule")
    denying = [each for each in matched if _ACTIONS.get(str(each.get("action")).upper()) == "blocked"]
    action: Logged = "blocked" if denying or refused else "allowed"
    if matched and action == "allowed":
        action = _action(text_of(matched[0], "action"), "action")
    decisive = label_of((denying or matched or [{}])[0], "name")
    try:
        asked = label_of(request, "requestUrl")
        url = _split(asked)  # of a tunnel, host and port
        plain = url.scheme == "http"
        named = policy.get("hostname") is not None or not url.hostname
        host, port = _host_and_port(text_of(policy, "hostname")) if named else (str(url.hostname), None)
        port = port or url.port or (80 if plain else 443)
    except NotALog:
        raise
    except ValueError:
        raise NotALog(f"Found `requestUrl`: {spelled(request.get('requestUrl'))}. Allowed: a URL.") from None
    by_policy = not denying and (refused or not matched)
    server, client = (_end(request, key) for key in ("serverIp", "remoteIp"))
    labels = _optional(_optional(record, "resource"), "labels")
    return Event(
        "request",
        _made(host, port, "http" if plain else "https", host, server, client),
        action,
        None if by_policy else decisive.rpartition("/")[2] or None,
        "default_denied" if decisive == "default_denied" else "",
        label_of(labels, "gateway_name"),
        default=decisive == "default_denied",
        called="an authorization policy of the gateway" if by_policy else f"the rule {spelled(decisive)}",
    )


_READERS: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], Event]] = {
    "compute.googleapis.com/firewall": _firewall_rule,
    "networksecurity.googleapis.com/firewall_url_filter": _url_filter,
    "networkservices.googleapis.com/gateway_requests": _web_proxy,
}

_ACTIONS: Mapping[str, Logged] = {"ALLOWED": "allowed", "ALLOW": "allowed", "DENIED": "blocked", "DENY": "blocked"}


def _action(text: str, key: str) -> Logged:
    if text.upper() not in _ACTIONS:
        raise NotALog(f"Found `{key}`: {spelled(text)}. Allowed: {', '.join(_ACTIONS)}.")
    return _ACTIONS[text.upper()]


def _flow(address: str, ends: Mapping[str, Any], port: str, source: str) -> Flow:
    number = ends.get("protocol")
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= 255:
        raise NotALog(f"Found `protocol`: {spelled(number)}. Allowed: the number of an IP protocol.")
    protocol = ip_protocol(number)
    return _made(address, port_of(ends, port) if protocol in ("tcp", "udp") else 0, protocol, None, address, source)


def _made(name: str, port: int, protocol: str, sni: str | None, address: str | None, source: str | None) -> Flow:
    try:
        return Flow(name, port, protocol, sni=sni, address=address, source=source)
    except ValueError as error:  # e.g. ends of two families
        raise NotALog(f"Found a connection that cannot be: {error}") from None


def _split(text: str) -> SplitResult:
    """A URL, or what stands in one from its host on. Raises ValueError."""
    return urlsplit(text if "://" in text else f"//{text}")


def _host_and_port(text: str) -> tuple[str, int | None]:
    """`www.example.com`, `www.example.com:443` or `[2001:db8::1]:443`, apart."""
    try:
        split = _split(text)
        host, port = split.hostname, split.port
    except ValueError:
        return text, None
    return host or text, port


def _end(request: Mapping[str, Any], key: str) -> str | None:
    """The address of an end, which is written with its port; None where the log has none."""
    text = request.get(key)
    if text is None:
        return None
    host = _host_and_port(text)[0] if isinstance(text, str) and not is_address(text) else text
    return address_of({key: host}, key)


def _mapping(record: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = record.get(key)
    if not isinstance(value, Mapping):
        raise NotALog(f"Found `{key}`: {spelled(value)}. Allowed: an object.")
    return value


def _optional(record: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = record.get(key)
    return value if isinstance(value, Mapping) else {}
