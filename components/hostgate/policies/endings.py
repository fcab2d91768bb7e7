"""What a deny rule of AWS surely ends. An allow counts for all that it may let pass; a deny only for what it must stop.

Rules that close a policy are often several, for TLS, HTTP and the rest: each ends a part, and together they have to
end every part. A condition that may leave something out ends nothing.
"""

from typing import Final

from hostgate.suricata.reader import ParsedRule

EVERY_CONNECTION: Final = frozenset({"tls", "http", "http-bare", "other"})
"""Parts of TCP as the engine tells them apart; `http-bare` are requests without a Host."""

_PARTS: Final = {
    "tls": frozenset({"tls"}),
    "http": frozenset({"http", "http-bare"}),
    "http1": frozenset({"http", "http-bare"}),
    "tcp": EVERY_CONNECTION,
    "ip": EVERY_CONNECTION,
}
APART: Final = frozenset(
    {"msg", "sid", "rev", "gid", "classtype", "reference", "metadata", "priority", "target", "alert", "noalert"}
)
"""Keywords that are no condition."""

_FLOW: Final = frozenset({"to_server", "from_client", "established"})
_OF_A_NAME: Final = frozenset(
    {"tls.sni", "http.host", "http_host", "content", "pcre", "nocase", "startswith", "endswith", "dotprefix", "depth",
     "isdataat", "bsize", "fast_pattern"}
)  # fmt: skip


def ended(line: ParsedRule) -> frozenset[str]:
    """The parts of TCP that a rule without a name ends on its ports; empty where a condition may leave some out."""
    parts = _PARTS.get(line.protocol, frozenset())
    left: list[tuple[str, str]] = []
    for keyword, value in line.options:
        if keyword == "app-layer-protocol":
            named = _PARTS.get(value.removeprefix("!"), frozenset({"other"}))
            parts = parts - named if value.startswith("!") else parts & (named - {"other"})
        elif keyword == "ip_proto":
            if value != "6" and (value == "!6" or not value.removeprefix("!").isdecimal() or value[0] != "!"):
                return frozenset()
        elif not _holds_always(keyword, value, line.protocol):
            left.append((keyword, value))
    match left:
        case []:
            return parts
        case [("http.host", ""), ("bsize", ">0")]:
            return parts & {"http"}
        case [("http.start", ""), ("content", "|0d 0a|")]:  # every request has an end of line
            return parts & {"http-bare"}
        case _:
            return frozenset()


def ends_names_only(line: ParsedRule) -> bool:
    """Whether a deny by name has no other condition, so that it ends every connection with the name."""
    return all(keyword in _OF_A_NAME or _holds_always(keyword, value, line.protocol) for keyword, value in line.options)


def _holds_always(keyword: str, value: str, protocol: str) -> bool:
    """Whether every new connection of the protocol meets the option sooner or later."""
    if keyword == "flow":
        return set(value.replace(" ", "").split(",")) <= _FLOW
    if keyword == "ssl_state":
        return protocol == "tls" and value == "client_hello"
    return keyword in APART
