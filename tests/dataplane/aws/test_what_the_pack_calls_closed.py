"""The pack's rules about what gets past a policy, against the engine: what they call closed, nothing gets out of."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dataplane.aws import packets
from dataplane.aws.packets import Talk
from dataplane.aws.replay import replay
from policies.cases import CLOSED, OPEN
from policies.first_packets import HOME_NET, LEFT, STOPPED

CLIENTS = {"10.1.2.3": "198.51.100.7", "100.64.1.2": "8.8.8.8", "2600:1f18::5": "2a00:1450::7"}
"""Inside HOME_NET, outside, and over IPv6; and where each sends."""
GRE, ESP, SCTP, ICMP, ICMPV6 = 47, 50, 132, 1, 58

NOT_REPLAYED = {
    "with a condition": "it asks for a database of countries",
    "half of the internet": "clients of this test are in that half, and the answers to them meet the rule",
}


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


def connections() -> Iterator[Talk]:
    for source, destination in [*CLIENTS.items(), ("10.1.2.3", "198.51.100.1"), ("10.1.2.3", "8.8.8.8")]:
        yield Talk("tcp", packets.named("evil.example"), 443, source, destination)
        for said in (packets.http("evil.example"), packets.http(None), packets.ssh(), packets.smtp()):
            yield Talk("tcp", said, 80, source, destination)


@pytest.mark.usefixtures("suricata")
@pytest.mark.parametrize("note", [*CLOSED, *(note for note in OPEN if note not in NOT_REPLAYED)])
def test_connections_get_out_where_the_pack_says_so_and_nowhere_else(note: str, tmp_path: Path) -> None:
    judged = replay(list(connections()), CLOSED.get(note) or OPEN[note], HOME_NET, tmp_path)
    assert all(heard.verdict == "block" for heard in judged) == (note in CLOSED)
