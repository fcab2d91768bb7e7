"""Suricata in simulated IPS mode over one capture: which packets got through, and which rules spoke."""

import json
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from dataplane.aws.packets import FIRST_PORT, Packet, Talk, capture, write

PATIENCE = 60
"""Seconds before a Suricata that does not end is a failure."""

BY_RULE = {"rules", "flow drop", "tunnel packet drop"}
"""Why a packet may be dropped here: a rule, a rule that dropped its flow before, or a rule about what it carries. Anything
else (a stream error, an exception policy) would be a capture that the engine does not take for a conversation."""

_SETTINGS = """%YAML 1.1
---
vars:
  address-groups:
    HOME_NET: "[{home_net}]"
    EXTERNAL_NET: "!$HOME_NET"        # as the service computes it from the policy's HOME_NET
{sets}default-log-dir: {folder}
classification-file: {folder}/none
reference-config-file: {folder}/none
threshold-file: {folder}/none
packet-alert-max: 255                 # rules that may speak at one packet
stats: {{enabled: no}}
logging: {{default-log-level: warning, outputs: [{{console: {{enabled: yes}}}}]}}
outputs:
  - eve-log:
      enabled: yes
      filetype: regular
      filename: eve.json
      types:
        - alert
        - drop: {{alerts: yes, flows: all}}   # every dropped packet, not only the first of a flow
exception-policy: ignore            # only rules drop: the default, `auto`, also drops what a parser does not understand
stream:
  midstream: false                    # a flow without its handshake is no flow, as on the service
  checksum-validation: no             # checksums are not what is tested
  inline: yes                         # judge each segment before it goes on, as IPS mode does
app-layer:
  protocols:                          # names are looked for on every port; the lists are only for probing
    tls: {{enabled: yes, detection-ports: {{dp: 443}}}}
    http: {{enabled: yes}}
    ssh: {{enabled: yes}}
    quic: {{enabled: yes}}
    dns:
      tcp: {{enabled: yes, detection-ports: {{dp: 53}}}}
      udp: {{enabled: yes, detection-ports: {{dp: 53}}}}
    ntp: {{enabled: yes}}
"""


class SuricataError(AssertionError):
    """Suricata refused the rules or failed; the message is its own."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of one talk: its packets, the numbers of those dropped, and the signature ids that spoke."""

    packets: tuple[Packet, ...]
    dropped: frozenset[int]
    drop_sids: frozenset[int]
    alert_sids: frozenset[int]
    spoke: frozenset[tuple[int, int]] = frozenset()
    """Signature ids with the numbers of the packets at which they spoke: those that drop, and passes that also alert."""

    @property
    def verdict(self) -> Literal["allow", "block"]:
        """`allow`: every packet got through. `block`: something that the client said did not."""
        if not self.dropped:
            return "allow"
        lost = [self.packets[at] for at in sorted(self.dropped)]
        if any(packet.by == "client" and packet.payload for packet in lost):
            return "block"
        raise SuricataError(f"neither passed nor blocked: {len(lost)} packets lost, none of the client's data")

    @property
    def leaked(self) -> int:
        """How many packets with client data got out."""
        kept = [packet for at, packet in enumerate(self.packets) if at not in self.dropped]
        return sum(packet.by == "client" and packet.payload for packet in kept)

    @property
    def opened(self) -> bool:
        """Whether the three packets of the TCP handshake got through."""
        return not self.dropped & {0, 1, 2}

    def joined(self, other: "Heard") -> "Heard":
        """Through both of two engines, one after the other: what either drops is lost."""
        return Heard(
            self.packets,
            self.dropped | other.dropped,
            self.drop_sids | other.drop_sids,
            self.alert_sids | other.alert_sids,
            self.spoke | other.spoke,
        )


@lru_cache(maxsize=1)
def version() -> str | None:
    """The version of the installed Suricata, e.g. `7.0.10 RELEASE`; None: there is none."""
    if shutil.which("suricata") is None:
        return None
    said = subprocess.run(["suricata", "-V"], capture_output=True, text=True, check=True, timeout=PATIENCE).stdout
    return said.partition(" version ")[2].strip()


def replay(
    talks: Sequence[Talk],
    rules: Iterable[str],
    home_net: Sequence[str],
    folder: Path,
    *,
    ips: bool = True,
    sets: str = "",
) -> list[Heard]:
    """What each talk comes to under `rules`, in the order of `talks`; not `ips`: an engine that only logs.

    `sets`: further variables, as lines of Suricata's configuration. Raises SuricataError.
    """
    packets = capture(talks)
    folder.mkdir(parents=True, exist_ok=True)
    write(packets, folder / "flows.pcap")
    (folder / "eve.json").unlink(missing_ok=True)  # Suricata appends
    how = ["--simulate-ips"] if ips else ["--set", "stream.inline=no"]
    run(rules, home_net, folder, *how, "-r", str(folder / "flows.pcap"), "--runmode", "single", "-k", "none", sets=sets)
    return _heard(talks, packets, (folder / "eve.json").read_text().splitlines())


def accept(rules: Iterable[str], home_net: Sequence[str], folder: Path, *, sets: str = "") -> None:
    """Let Suricata read `rules` without traffic. Raises SuricataError with what it says of those that it refuses."""
    folder.mkdir(parents=True, exist_ok=True)
    run(rules, home_net, folder, "-T", sets=sets)


def run(rules: Iterable[str], home_net: Sequence[str], folder: Path, *arguments: str, sets: str = "") -> str:
    """What one run of Suricata says, with `rules` and `arguments` that say what to do. Raises SuricataError."""
    (folder / "none").touch()
    (folder / "suricata.yaml").write_text(_SETTINGS.format(home_net=",".join(home_net), folder=folder, sets=sets))
    (folder / "all.rules").write_text("".join(f"{rule}\n" for rule in rules), encoding="utf-8")
    command = [
        "suricata", "-c", str(folder / "suricata.yaml"), "-S", str(folder / "all.rules"), "-l", str(folder),
        "--init-errors-fatal",  # a rule that is left out for an error would be a verdict on other rules
        *arguments,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    said = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith(("E:", "W:"))]
    if done.returncode or said:
        raise SuricataError("\n".join(said or [f"suricata ended with {done.returncode}"]))
    return done.stdout + done.stderr


def _heard(talks: Sequence[Talk], packets: Sequence[Packet], events: Iterable[str]) -> list[Heard]:
    starts: dict[int, int] = {}
    for number, packet in enumerate(packets):
        starts.setdefault(packet.talk, number)
    dropped: dict[int, set[int]] = defaultdict(set)
    sids: dict[tuple[str, int], set[int]] = defaultdict(set)
    spoke: dict[int, set[tuple[int, int]]] = defaultdict(set)
    for line in events:
        event = json.loads(line)
        if event["pkt_src"] != "wire/pcap":  # the engine's own packet when a stream ends: nothing that could be dropped
            continue
        number = event["pcap_cnt"] - 1
        talk = packets[number].talk
        _same_flow(event, talk, talks[talk])
        if "alert" in event:
            sids[event["event_type"], talk].add(event["alert"]["signature_id"])
            spoke[talk].add((event["alert"]["signature_id"], number - starts[talk]))
        if event["event_type"] == "drop":
            if event["drop"]["reason"] not in BY_RULE:
                raise SuricataError(f"a packet of talk {talk} was dropped by no rule: {event['drop']['reason']}")
            dropped[talk].add(number - starts[talk])
    return [
        Heard(
            tuple(packet for packet in packets if packet.talk == talk),
            frozenset(dropped[talk]),
            frozenset(sids["drop", talk]),
            frozenset(sids["alert", talk]),
            frozenset(spoke[talk]),
        )
        for talk in range(len(talks))
    ]


def _same_flow(event: dict[str, object], number: int, talk: Talk) -> None:
    """Packet numbers tell talks apart; the source port that Suricata saw has to tell the same."""
    ports = (event.get("src_port"), event.get("dest_port"))
    if talk.transport in ("tcp", "udp") and event["proto"] in ("TCP", "UDP") and FIRST_PORT + number not in ports:
        raise SuricataError(f"the event is not about talk {number}: {event}")
