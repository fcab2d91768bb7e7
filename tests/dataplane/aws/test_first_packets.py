"""The pack's rule about first datagrams against the engine: what it calls closed, no first packet gets out of."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dataplane.aws import packets
from dataplane.aws.packets import Talk
from dataplane.aws.replay import replay
from policies.first_packets import HOME_NET, LEFT, STOPPED

CLIENTS = {"10.1.2.3": "198.51.100.7", "100.64.1.2": "8.8.8.8", "2600:1f18::5": "2a00:1450::7"}
"""Inside HOME_NET, outside, and over IPv6; and where each sends."""
GRE, ESP, SCTP, ICMP, ICMPV6 = 47, 50, 132, 1, 58


def talks() -> Iterator[Talk]:
    for source, destination in CLIENTS.items():
        yield Talk("udp", packets.quic(), 443, source, destination)
        yield Talk("udp", packets.dns("evil.example"), 53, source, destination)
        for protocol in (GRE, ESP, SCTP):
            yield Talk("other", packets.alone(), 0, source, destination, protocol=protocol)
        echo = packets.alone(bytes.fromhex("8000000000070001") + b"ping")
        yield Talk("other", echo, 0, source, destination, protocol=ICMPV6 if ":" in source else ICMP)


@pytest.mark.usefixtures("suricata")
@pytest.mark.parametrize("note", [*STOPPED, *LEFT])
def test_first_packets_get_out_where_the_pack_says_so_and_nowhere_else(note: str, tmp_path: Path) -> None:
    rules = STOPPED.get(note) or LEFT[note][0]
    judged = replay(list(talks()), rules, HOME_NET, tmp_path)
    assert all(0 in heard.dropped for heard in judged) == (note in STOPPED)
