"""Where the wire and the plan part: what an engine that detects protocols cannot tell, and what a pass ends.

Each is a property of Suricata 7.0 under the emulated default, not of a rule of hostgate. A change here is news.
"""

from pathlib import Path

import pytest

from dataplane.aws import packets
from dataplane.aws.hellos import application_data
from dataplane.aws.packets import Said, Talk
from dataplane.aws.replay import Heard
from dataplane.aws.stages import ordered
from dataplane.aws.test_flows import plans
from hostgate.flows.flow import Flow

UNANSWERED = (Said("client", b"\xf5\x07" * 500),) * 40
NOT_QUITE_TLS = (
    Said("client", b"\x16\x03\x01\x00\x10" + b"\x63" * 16),
    *(Said("client", application_data(1000)) for _ in range(4)),
)
A_BYTE_AT_A_TIME = tuple(Said(by, b"x") for _ in range(2) for by in ("client", "server"))

UNDETECTED = {
    "bytes of no protocol that the server never answers": UNANSWERED,
    "bytes that begin like a TLS record and are none": NOT_QUITE_TLS,
    "a byte at a time": A_BYTE_AT_A_TIME,
}


def _judge(said: tuple[Said, ...], port: int, folder: Path) -> Heard:
    (heard,) = ordered(plans()["aws:rules"].objects).judge([Talk("tcp", said, port)], folder)
    return heard


@pytest.mark.usefixtures("suricata")
@pytest.mark.parametrize("said", UNDETECTED.values(), ids=UNDETECTED)
def test_what_detection_never_decides_is_never_dropped(said: tuple[Said, ...], tmp_path: Path) -> None:
    assert _judge(said, 443, tmp_path).verdict == "allow"
    assert plans()["aws:rules"].verdict(Flow(name="cgr.dev", protocol="tcp")).action == "block"


@pytest.mark.usefixtures("suricata")
def test_bytes_of_no_protocol_are_dropped_once_both_sides_have_spoken(tmp_path: Path) -> None:
    heard = _judge(packets.raw(), 443, tmp_path)
    assert heard.leaked == 1
    assert heard.verdict == "block"


@pytest.mark.usefixtures("suricata")
def test_a_pass_ends_the_judging_of_its_connection(tmp_path: Path) -> None:
    """A second request over the same connection may name anybody; the plan judges the one that opens it."""
    heard = _judge(packets.http("deb.vendor.example", "other.example"), 80, tmp_path)
    assert heard.verdict == "allow"
