"""Rules that end the evaluation in place of a policy's default: what nothing passed is rejected, dropped or logged.

Where the policy's default drops, there are none of these: both would say the same twice in the logs (AWS guide, custom
default block rules). They wait until a name could have been read: the handshake passes, and a hello in several packets
is judged once it is whole. Tried on Suricata 7.0.10.
"""

from typing import Literal

from hostgate.aws import policy
from hostgate.aws.network_firewall_options import NetworkFirewallOptions
from hostgate.planning.mechanism import CloudObject
from hostgate.suricata.writer import Rule, Sids

Closing = Literal["reject", "drop", "alert"]

_TCP: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("tls", "tls", ("ssl_state:client_hello",)),
    ("http", "http", ("http.host", "bsize:>0")),
    ("http-bare", "http", ("http.start", 'content:"|0d 0a|"')),  # without Host, once the headers are whole
    ("tcp", "tcp", ("app-layer-protocol:!tls", "app-layer-protocol:!http1")),
)
"""Name, protocol and conditions of the rules that together match every connection."""

_LATE = ("tls-late", "tls", ("tls.random", "bsize:32"))
"""The same as the first, for an engine that only looks on. It reads a segment once the other side has acknowledged it:
often with the server's hello, when the state of the connection is no longer that of the client's."""


def closing_group(options: NetworkFirewallOptions, sids: Sids) -> CloudObject | None:
    """The last group of a policy whose default does not drop, because blocked clients are to get a reset."""
    if not options.rejects:
        return None
    return policy.suricata_group(options, "reject", closing_rules("reject", sids), "what nothing passed is rejected")


def closing_rules(action: Closing, sids: Sids, *, late: bool = False) -> list[Rule]:
    """The rules; with `late`, also for an engine that only looks on.

    They are about everybody, as the default in whose place they stand is: a client in no range of HOME_NET, and of a
    family that HOME_NET has no range of, is no less behind the firewall. Its handshake has told it already that somebody
    is there, so a reset tells it nothing new.
    """
    found = [
        _rule(f"{action}-{name}", action, protocol, conditions, sids)
        for name, protocol, conditions in (*_TCP, *([_LATE] if late else []))
    ]
    # Only TCP can be reset. A first datagram is no established flow: those are the edge group's.
    verb = "alert" if action == "alert" else "drop"
    return [*found, _rule(f"{verb}-answered", verb, "ip", ("ip_proto:!6",), sids)]


def _rule(name: str, action: str, protocol: str, conditions: tuple[str, ...], sids: Sids) -> Rule:
    return Rule(
        action=action,
        protocol=protocol,
        source="any",
        destination="any",
        port="any",
        msg="hostgate: nothing allows it",
        conditions=("flow:to_server,established", *conditions),
        sid=sids.of("hostgate", f"closing-{name}"),
    )
