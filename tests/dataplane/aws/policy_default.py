"""A policy's default actions as rules of stock Suricata: what each drops of what no rule group passed.

The service's own text of them is not published. These follow its documentation (Network Firewall developer guide,
evaluation order; best practices guide, policy configuration) and what is said there of handshakes, hellos in several
packets and answers. Where detection decides, the emulation is as late as the engine's detection.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

FIRST_SID = 4_294_967_200
"""Defaults are numbered from here: out of the way of hashes, and known as no rule of a group."""


class Default(NamedTuple):
    """One rule of an emulated default: header without its action, options, and why it is needed."""

    header: str
    options: str
    why: str


_APP_LAYER_TO_SERVER = (
    Default(
        "tls any any -> any any",
        "flow:to_server,established; ssl_state:client_hello",
        "TLS, once the hello is whole: without the state it drops the first packet of a hello in two",
    ),
    Default(
        "http any any -> any any",
        "flow:to_server,established; http.host; bsize:>0",
        "HTTP/1 with a Host, at the moment at which a pass would match; also a CONNECT, which http.start and "
        "http.header_names hold back until the proxy answers",
    ),
    Default(
        "http any any -> any any",
        'flow:to_server,established; http.start; content:"|0d 0a|"',
        "HTTP/1 without Host, once the headers are whole; http.start is there even for a request without any",
    ),
    Default(
        "tcp any any -> any any",
        "flow:to_server,established; app-layer-protocol:!tls; app-layer-protocol:!http1",
        "any other protocol, and bytes of none, once detection is done: the handshake and servers' banners pass",
    ),
    Default(
        "ip any any -> any any",
        "flow:to_server,established; ip_proto:!6",
        "datagrams after an answer; a first datagram is no established flow",
    ),
)

EMULATED: Mapping[str, Sequence[Default]] = {
    "drop_strict": (Default("ip any any -> any any", "", "every packet, handshakes too"),),
    "drop_established": (
        Default("ip any any -> any any", "flow:established", "every packet after the handshake, hellos in parts too"),
    ),
    "drop_established_app_layer_to_server": _APP_LAYER_TO_SERVER,
}


def rules(actions: Sequence[str]) -> Iterator[str]:
    """The rules of a policy's `StatefulDefaultActions`. An alert that only accompanies a drop needs none of its own:
    Suricata logs what it drops."""
    drops = [action for action in actions if action.startswith("aws:drop_")]
    for action in drops or actions:
        verb, _, what = action.removeprefix("aws:").partition("_")
        for number, each in enumerate(EMULATED[f"drop_{what}"]):
            options = f"{each.options}; " if each.options else ""
            yield f'{verb} {each.header} (msg:"{action}"; {options}sid:{FIRST_SID + number}; rev:1;)'
