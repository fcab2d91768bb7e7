"""`hostgate explain --log`: why a logged connection or query was blocked, and clear errors for what is no log."""

import io
import json
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.catalogs import entry, selection
from hostgate.aws.event_log import read_event
from hostgate.cli import explain_log
from hostgate.cli.explain_log import _Layer
from hostgate.flows.events import Event, NotALog, NoVerdict, records
from hostgate.flows.flow import Flow
from hostgate.planning.near import nearest
from hostgate.planning.plan import plan
from hostgate.planning.targets import load, row, rows

from .conftest import Project, Result, Run

OURS = """\
catalog: acme/ours
entries:
  - {id: one, host: one.acme.example, port: 443, protocol: https, phase: build}
  - {id: wild, host: wild.acme.example, match: subtree, port: 443, protocol: https, phase: build}
  - {id: site, host: site.acme.example, port: 80, protocol: http, phase: build}
  - {id: later, host: later.acme.example, port: 443, protocol: https, phase: support}
"""
STACK = """\
config:
  hostgate:catalogs: [./ours.yaml]
  hostgate:select: {phases: [build]}
  hostgate:aws:
    - {mechanism: rules, from: [10.0.0.0/8]MODE}
    - {mechanism: dns-firewall, vpcs: [vpc-0a1b2c3d]MODE}
"""
DEFAULT = {"action": "blocked", "signature_id": 4, "signature": "aws:alert_established action"}


def alert(
    sni: str | None = "one.acme.example", port: int = 443, source: str = "10.1.2.3", **more: Any
) -> dict[str, Any]:
    """An alert of plain EVE JSON."""
    event: dict[str, Any] = {
        "event_type": "alert", "src_ip": source, "src_port": 40_000, "dest_ip": "203.0.113.5", "dest_port": port,
        "proto": "TCP", "app_proto": "tls", "alert": DEFAULT, "tls": {} if sni is None else {"sni": sni},
    }  # fmt: skip
    return {**event, **more}


def query(name: str, action: str | None = "BLOCK", **more: Any) -> dict[str, Any]:
    asked = {"query_name": name, "query_type": "A", "srcaddr": "10.0.0.1", "vpc_id": "vpc-0a1b2c3d"}
    return {**asked, **({} if action is None else {"firewall_rule_action": action}), **more}


class Logs:
    """Explains logs with the layers of one stack."""

    def __init__(self, run: Run, project: Project) -> None:
        self.run = run
        self.folder = project(dev=STACK.replace("MODE", ""), audit=STACK.replace("MODE", ", mode: audit"))
        (self.folder / "ours.yaml").write_text(OURS)

    def __call__(self, *documents: object, stack: str = "dev", options: tuple[str, ...] = ()) -> Result:
        path = self.folder / "log.jsonl"
        path.write_text("".join(f"{d if isinstance(d, str) else json.dumps(d)}\n" for d in documents))
        return self.run("explain", "--log", path, "--stack", stack, *options)

    def one(self, document: object, stack: str = "dev") -> Any:
        made = self(document, stack=stack, options=("--json",))
        assert made.code == 0, made.out
        (answer,) = made.json["events"]
        return answer


@pytest.fixture
def logs(run: Run, project: Project) -> Logs:
    return Logs(run, project)


@pytest.mark.parametrize(
    ("document", "near", "lacking"),
    [
        (alert(port=8443), "one", "port: 443 is meant, not 8443"),
        (alert("a.one.acme.example"), "one", "name: exact is this name only, not a.one.acme.example"),
        (alert("wild.acme.example"), "wild", "name: subtree is what is below, not wild.acme.example itself"),
        (alert("one.acme.example."), "one", "name: one.acme.example. has a trailing dot"),
        (alert("one.acme.exmple"), "one", "name: one.acme.example is meant, not one.acme.exmple"),
        (alert("site.acme.example"), "site", "protocol: http is meant, not tls"),
        (alert(source="192.168.1.1"), "one", "source: 192.168.1.1 is none of the clients"),
        (alert("later.acme.example"), "later", ""),
        (query("a.one.acme.example."), "one", "name: exact is this name only"),
        (query("wild.acme.example."), "wild", "name: subtree is what is below"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_blocked_flow_is_told_what_the_nearest_entry_lacks(
    logs: Logs, document: dict[str, Any], near: str, lacking: str
) -> None:
    answer = logs.one(document)
    assert (answer["recorded"], answer["plan"]["verdict"]) == ("blocked", "block")
    assert answer["nearest"][0]["entry"] == near
    assert lacking in "; ".join(answer["nearest"][0]["lacking"])
    assert answer["next"]


def test_an_entry_that_was_left_out_is_named_with_the_reason(logs: Logs) -> None:
    answer = logs.one(alert("later.acme.example"))
    assert answer["next"].startswith("later is about it and left out:")


def test_a_name_that_nobody_listed_has_no_nearest(logs: Logs) -> None:
    answer = logs.one(alert("evil.invalid"))
    assert answer["nearest"] == []
    assert "No entry has such a name" in answer["next"]


def test_the_wrapping_of_network_firewall_and_of_cloudwatch_makes_no_difference(logs: Logs) -> None:
    plain = alert(port=8443)
    wrapped = {"firewall_name": "", "availability_zone": "a", "event_timestamp": "1", "event": plain}
    exported = {"events": [{"timestamp": 1, "message": json.dumps(wrapped)}]}
    assert logs.one(plain) == logs.one(wrapped) == logs.one(exported) == logs.one([plain])
    pretty = logs(json.dumps(wrapped, indent=2), options=("--json",))
    assert pretty.json["events"] == [logs.one(plain)]


def test_the_default_action_is_told_from_a_rule(logs: Logs) -> None:
    assert logs.one(alert(port=8443))["by"].startswith("the policy's default action (aws:alert_established action)")


def test_a_signature_of_the_plan_leads_to_its_entry_or_its_group(logs: Logs) -> None:
    hosts = logs.run("plan", "--stack", "dev", "--json").json["targets"][0]
    (sid,) = [d["rule"].rpartition("#")[2] for d in hosts["decisions"] if d["entry"] == "one"]
    passed = alert(alert={"action": "allowed", "signature_id": int(sid), "signature": "x"}, verdict={"action": "pass"})
    answer = logs.one(passed)
    assert (answer["recorded"], answer["entry"], answer["next"]) == ("allowed", "one", "Nothing: log and plan agree.")
    (edge,) = [each for each in hosts["objects"] if each["name"] == "hostgate-edge"]
    line = edge["body"]["RuleGroup"]["RulesSource"]["RulesString"].splitlines()[4]
    number = int(line.partition("sid:")[2].partition(";")[0])
    dropped = alert(
        None, 53, proto="UDP", app_proto="dns", tls=None, alert={**DEFAULT, "signature_id": number, "signature": "y"}
    )
    assert logs.one(dropped)["by"] == f"hostgate-edge#{number}: hostgate: QUIC, DNS and other datagrams stay inside"


def test_a_signature_of_somebody_else_is_said_to_be_so(logs: Logs) -> None:
    answer = logs.one(alert(alert={"action": "blocked", "signature_id": 99, "signature": "ET MALWARE"}))
    assert answer["by"] == "signature 99, which calls itself 'ET MALWARE': no rule of this plan"
    assert "another rule group blocks it" in answer["next"]


def test_an_answer_that_matched_is_turned_round(logs: Logs) -> None:
    ends = {"src_ip": "203.0.113.5", "src_port": 8443, "dest_ip": "10.1.2.3", "dest_port": 40_000}
    answer = logs.one(alert(**ends, direction="to_client"))
    assert (answer["source"], answer["port"]) == ("10.1.2.3", 8443)


def test_audit_is_explained_as_enforce_would_judge(logs: Logs) -> None:
    seen = alert(port=8443, alert={**DEFAULT, "action": "allowed"})
    answer = logs.one(seen, stack="audit")
    assert (answer["recorded"], answer["plan"]["verdict"]) == ("alerted", "block")
    assert answer["next"].startswith("It was only logged; in enforce mode the plan blocks it.")
    assert logs.one(query("evil.example", "ALERT"), stack="audit")["plan"]["verdict"] == "block"


def test_a_signature_of_audit_is_found_though_enforce_has_another(logs: Logs) -> None:
    made = logs.run("plan", "--stack", "audit", "--json").json["targets"][0]["objects"][0]
    line = made["body"]["RuleGroup"]["RulesSource"]["RulesString"].splitlines()[1]
    number = int(line.partition("sid:")[2].partition(";")[0])
    named = {"action": "allowed", "signature_id": number, "signature": "z"}
    answer = logs.one(alert(None, 53, proto="UDP", app_proto="dns", tls=None, alert=named), stack="audit")
    assert answer["by"].startswith(f"hostgate-edge#{number}: ")


def test_a_name_longer_than_any_is_cut(logs: Logs) -> None:
    made = logs(alert("a" * 60_000), alert(f"{'a' * 60_000}.one.acme.example"))
    assert made.code == 0
    assert len(made.out) < 4_000


def test_a_query_without_an_action_was_answered(logs: Logs) -> None:
    answer = logs.one(query("one.acme.example", None))
    assert (answer["recorded"], answer["by"]) == ("allowed", "no rule that blocks or alerts")
    assert logs.one(query("db.corp."))["next"].endswith("name it under `inside`.")


def test_equal_verdicts_are_told_once_with_their_number(logs: Logs) -> None:
    made = logs(*([alert(port=8443)] * 3), alert(port=8444))
    assert made.out.count("blocked  one.acme.example:8443 tls from 10.1.2.3  3 times") == 1
    assert made.out.count("blocked  ") == 2


def test_records_without_a_verdict_are_counted_and_left_out(logs: Logs) -> None:
    made = logs({"event_type": "netflow"}, alert(), {"event_type": "flow"}, alert(proto="XNS"))
    assert made.code == 0
    assert "Left out, because they say no verdict: alert of XNS (1), flow (1), netflow (1)." in made.out


def test_a_drop_of_the_engine_is_a_verdict_with_or_without_a_rule(logs: Logs) -> None:
    drop = {key: value for key, value in alert("evil.example").items() if key != "alert"} | {"event_type": "drop"}
    by_rule = logs.one({**drop, "alert": DEFAULT})
    assert (by_rule["recorded"], by_rule["name"], by_rule["by"]) == (
        "blocked", "evil.example", "the policy's default action (aws:alert_established action): no rule before it matched"
    )  # fmt: skip
    bare = logs.one({**drop, "tls": None, "app_proto": None, "drop": {"reason": "stream error"}})
    assert (bare["recorded"], bare["by"]) == (
        "blocked", "the engine, for no rule that the log tells: no rule of this plan"
    )  # fmt: skip
    assert bare["plan"]["verdict"] == "unknown"


def test_a_layer_that_the_stack_does_not_have_is_named(run: Run, logs: Logs) -> None:
    made = run("explain", "--log", _written(logs, query("x.example.")), "--catalog", logs.folder / "ours.yaml",
               "--target", "aws:rules", "--json")  # fmt: skip
    assert made.json["events"][0]["next"] == "No layer of the plan judges this. Ask with one that has aws:dns-firewall."


def _written(logs: Logs, document: object) -> Path:
    path = logs.folder / "one.jsonl"
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("not json", "Found 'not json', which is not JSON: Expecting value, line 1 column 1."),
        ('{"a": 1}', "Found an object with 'a'."),
        ("{}", "Found an object with no key."),
        ("[1]", "Found 1. Allowed: a JSON object."),
        ('"text"', "Found 'text'. Allowed: a JSON object."),
        ("[" * 100_000, "which is not JSON"),
        (
            '{"message": "START RequestId: 1"}',
            "Found a `message` of 'START RequestId: 1', which is not JSON: Expecting value",
        ),
        (json.dumps(alert(src_ip="::x")), "Found `src_ip`: '::x'. Allowed: an IP address."),
        (json.dumps(alert(dest_ip=None)), "Found `dest_ip`: nothing. Allowed: an IP address."),
        (json.dumps(alert(port=70_000)), "Found `dest_port`: 70000. Allowed: a port."),
        (json.dumps(alert(proto=6)), "Found `proto`: 6. Allowed: text."),
        (json.dumps(alert(alert="drop")), "Found `alert`: 'drop'."),
        (json.dumps({**alert(), "event_type": []}), "Found `event_type`: a list. Allowed: text."),
        (json.dumps(query("a.example", "DENY")), "Found `firewall_rule_action`: 'DENY'."),
        (json.dumps(query("")), "Found `query_name`: ''. Allowed: text."),
        (json.dumps(query("a.example", srcaddr="me")), "Found `srcaddr`: 'me'."),
        (f'{{"query_name": "{"a" * 1_000_001}"}}', "Allowed: at most 1,000,000."),
    ],
    ids=range(17),
)
def test_a_line_that_is_none_is_an_error_with_its_place_and_the_others_are_explained(
    logs: Logs, line: str, said: str
) -> None:
    made = logs(alert(), line)
    assert made.code == 1
    assert "one.acme.example:443" in made.out
    assert "log.jsonl:2" in made.err
    assert said in made.err


def test_a_reader_that_finds_no_verdict_leaves_the_record_to_the_others(
    logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def passing(record: Any) -> None:
        raise NoVerdict(f"gate of {len(record)}")

    def refusing(record: Any) -> None:
        raise NotALog(f"Found {len(record)}. Allowed: none.")

    strangers = [replace(row("gcp:fqdn"), logs={"connection": name}) for name in ("passing", "refusing")]
    readers = {"passing": passing, "refusing": refusing}
    monkeypatch.setattr(explain_log, "rows", lambda: (*strangers, *rows()))
    monkeypatch.setattr(explain_log, "load", lambda place: readers.get(place) or load(place))
    assert logs.one(alert(port=8443))["recorded"] == "blocked"
    assert "It has gate of 1, flow (1)" in logs({"event_type": "flow"}).err
    monkeypatch.setattr(explain_log, "rows", lambda: (strangers[1], *rows()))
    said = logs({"nothing": 1}).err
    assert "Found 1. Allowed: none." in said  # it knows the record


FORMS = ("`event`", "`event_type`", "`query_name`", "`logName`", "firewall_url_filter", "gateway_requests")


@pytest.mark.parametrize("line", ["not json", '{"a": 1}', "{}", '{"records": []}', '{"event": {"a": 1}}'])
def test_a_line_of_no_log_is_told_every_form_that_is_read(logs: Logs, line: str) -> None:
    said = " ".join(logs(alert(), line).err.split())
    assert [form for form in FORMS if form not in said] == []


@pytest.mark.parametrize(
    ("record", "found"),
    [
        ({"logName": "projects/p/logs/networksecurity.googleapis.com%2Ffirewall_url_filter"}, "`jsonPayload`: nothing"),
        ({"logName": "x"}, "`logName`: 'x'"),
        ({"event": {"event_type": "alert"}}, "`alert`: nothing"),
        ({"query_name": 3}, "`query_name`: 3"),
    ],
)
def test_a_line_of_a_log_that_is_read_is_told_what_is_wrong_in_it_and_no_other_form(
    logs: Logs, record: dict[str, Any], found: str
) -> None:
    said = logs(alert(), record).err
    assert f"Found {found}" in said
    assert "Found an object" not in said


@pytest.mark.parametrize(
    ("proto", "ends", "protocol", "port"),
    [
        ("ICMP", {}, "icmp", None),
        ("IPv6-ICMP", {"src_ip": "fd00::1", "dest_ip": "2001:db8::7"}, "icmpv6", None),
        ("GRE", {}, "gre", None),
        ("SCTP", {"dest_port": 5000}, "sctp", 5000),
    ],
)
def test_drops_of_what_is_neither_tcp_nor_udp_are_explained_too(
    logs: Logs, proto: str, ends: dict[str, Any], protocol: str, port: int | None
) -> None:
    event = {key: value for key, value in alert().items() if key not in ("src_port", "dest_port", "app_proto", "tls")}
    answer = logs.one({**event, "proto": proto, **ends})
    assert (answer["protocol"], answer["port"], answer["plan"]["verdict"]) == (protocol, port, "block")


def test_a_log_without_a_verdict_is_an_error(logs: Logs) -> None:
    assert "There is no verdict in the log. It is empty." in logs("").err
    assert "It has flow (1), which say none." in logs({"event_type": "flow"}).err


def test_a_log_that_cannot_be_read_is_an_error(run: Run, logs: Logs) -> None:
    made = run("explain", "--log", logs.folder / "nowhere")
    assert (made.code, "There is no such file" in made.err) == (1, True)
    assert run("explain", "--log", logs.folder).code == 1


def test_a_log_comes_on_stdin_too(logs: Logs, monkeypatch: pytest.MonkeyPatch) -> None:
    text = io.TextIOWrapper(io.BytesIO(json.dumps(alert(port=8443)).encode()))
    monkeypatch.setattr(sys, "stdin", text)
    assert "one.acme.example:8443" in logs.run("explain", "--log", "-", "--stack", "dev").out


@pytest.mark.parametrize("more", [["one.acme.example"], ["--port", "443"], ["--sni", "x"]], ids=str)
def test_a_connection_beside_a_log_is_wrong_usage(run: Run, logs: Logs, more: list[str]) -> None:
    made = run("explain", "--log", _written(logs, alert()), *more)
    assert made.code == 2
    assert f"leave out {'HOST' if not more[0].startswith('-') else more[0]}" in made.err


def test_neither_a_host_nor_a_log_is_wrong_usage(logs: Logs) -> None:
    assert logs.run("explain").code == 2


def test_a_stack_with_two_layers_says_what_becomes_of_a_connection_under_both(logs: Logs) -> None:
    made = logs.run("explain", "one.acme.example", "--port", "8443", "--json")
    assert [answer["verdict"] for answer in made.json["targets"]] == ["block", "allow"]
    assert made.json["together"] == [{"cloud": "aws", "verdict": "block", "blocking": ["aws:rules"]}]
    assert "aws, all layers: allow" in logs.run("explain", "one.acme.example").out
    assert "aws, all layers: block (aws:rules, aws:dns-firewall)" in logs.run("explain", "evil.example").out


HOSTILE = "a\x1b[2J\u202e\r\nb; rm -rf `x` [red]"


def test_what_a_log_holds_is_escaped_wherever_it_is_shown(logs: Logs) -> None:
    named = {"action": "blocked", "signature_id": 1, "signature": HOSTILE}
    made = logs({"firewall_name": HOSTILE, "event": alert(HOSTILE, alert=named)}, query(HOSTILE, vpc_id=HOSTILE))
    assert made.code == 0
    for line in made.out.split("\n"):
        assert line.isprintable(), ascii(line)
    wrong = logs({HOSTILE: 1}, {"event_type": HOSTILE}, HOSTILE.replace("\n", ""))
    for line in (wrong.out + wrong.err).split("\n"):
        assert line.isprintable(), ascii(line)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = (
    "src_ip",
    "src_port",
    "dest_ip",
    "dest_port",
    "proto",
    "app_proto",
    "alert",
    "tls",
    "http",
    "verdict",
    "direction",
)


@given(changed=st.dictionaries(st.sampled_from(KEYS), json_values), wrap=st.booleans())
def test_whatever_stands_in_an_alert_is_an_event_or_an_error_that_says_why(changed: dict[str, Any], wrap: bool) -> None:
    event = {**alert(), **changed}
    with suppress(NotALog, NoVerdict):
        made = read_event({"firewall_name": "f", "event": event} if wrap else event)
        assert made.kind == "connection"
        plan(selection([entry()]), "aws:rules").verdict(made.flow)


@given(text=st.text(max_size=60))
def test_whatever_stands_in_a_file_is_a_record_or_an_error_that_says_why(text: str) -> None:
    for number, record in records(io.BytesIO(text.encode())):
        assert number >= 1
        with pytest.raises((NotALog, NoVerdict), match="Found"):
            read_event(record)


def test_an_ip_destination_inside_is_no_matter_of_the_name() -> None:
    made = plan(selection([entry()]), "aws:rules", deny="all")
    (near,) = nearest(made, Flow("cgr.dev", address="10.1.2.3"))
    assert near.lacking == ("address: 10.1.2.3 is none that the rules are for",)


class TestGoogleCloud:
    """A firewall rule's log has addresses and no names: what the plan says of it is unknown where a host may stand behind."""

    STACK = """\
config:
  hostgate:catalogs: [./ours.yaml]
  hostgate:select: {phases: [build]}
  hostgate:gcp: {mechanism: fqdn, networks: [projects/p/global/networks/main]MODE}
"""

    @pytest.fixture
    def gcp(self, run: Run, project: Project) -> Logs:
        made = Logs(run, project)
        for name, mode in (("dev", ""), ("audit", ", mode: audit")):
            (made.folder / f"Pulumi.{name}.yaml").write_text(self.STACK.replace("MODE", mode))
        (made.folder / "ours.yaml").write_text(OURS.replace("  - {id: wild", "  # - {id: wild"))
        return made

    def record(self, disposition: str = "DENIED", port: int = 443, priority: int = 1, **ends: Any) -> dict[str, Any]:
        return {
            "logName": "projects/p/logs/compute.googleapis.com%2Ffirewall",
            "jsonPayload": {
                "connection": {
                    "src_ip": "10.1.2.3", "src_port": 40_000, "dest_ip": "203.0.113.5", "dest_port": port, "protocol": 6,
                    **ends,
                },
                "disposition": disposition,
                "rule_details": {"reference": "network:main/firewallPolicy:42", "priority": priority, "direction": "EGRESS"},
                "vpc": {"vpc_name": "main"},
            },
        }  # fmt: skip

    def priority(self, suffix: str) -> int:
        hosts = selection([entry("one.acme.example")])
        (rule,) = [each for each in plan(hosts, "gcp:fqdn").objects if each.name.endswith(suffix)]
        return int(rule.body["priority"])

    def test_a_denied_address_may_be_one_of_an_allowed_host(self, gcp: Logs) -> None:
        answer = gcp.one(self.record(priority=self.priority("deny-ipv4")))
        assert (answer["recorded"], answer["target"], answer["plan"]["verdict"]) == ("blocked", "gcp:fqdn", "unknown")
        assert answer["by"] == "hostgate-deny-ipv4, by its priority"
        assert "hostgate explain NAME --port 443 --address 203.0.113.5" in answer["next"]
        assert answer["nearest"] == []

    def test_an_allowed_address_is_no_disagreement(self, gcp: Logs) -> None:
        answer = gcp.one(self.record("ALLOWED", priority=self.priority("allow-tcp-443")))
        assert answer["plan"]["verdict"] == "unknown"
        assert answer["by"] == "hostgate-allow-tcp-443, by its priority"
        assert answer["next"].startswith("Nothing, if the client dialled a host of the plan")

    @pytest.mark.parametrize(("port", "ends"), [(8443, {}), (443, {"protocol": 17})])
    def test_where_no_host_has_the_port_it_is_blocked_whatever_the_name(
        self, gcp: Logs, port: int, ends: dict[str, Any]
    ) -> None:
        answer = gcp.one(self.record(port=port, **ends))
        assert answer["plan"]["verdict"] == "block"
        assert answer["next"] == "No host of the plan has this port and protocol."

    def test_what_passed_and_no_host_has_the_port_of_is_said_to_be_blocked_by_the_plan(self, gcp: Logs) -> None:
        answer = gcp.one(self.record("ALLOWED", port=8443))
        assert answer["next"].startswith("The plan blocks it: what is deployed may be older")

    def test_in_audit_what_passed_was_only_logged(self, gcp: Logs) -> None:
        answer = gcp.one(self.record("ALLOWED", port=8443), stack="audit")
        assert answer["next"].startswith("It was only logged; in enforce mode the plan blocks it.")

    def test_a_rule_of_another_policy_is_named_as_the_log_does(self, gcp: Logs) -> None:
        answer = gcp.one(self.record(priority=77))
        assert answer["by"] == "network:main/firewallPolicy:42, priority 77: no rule of this plan"

    @pytest.mark.parametrize(
        ("denied", "mode", "said"),
        [
            ({"denyType": "SNI"}, "", "Whether the plan blocks it is not known."),
            ({}, "", "Whether the plan blocks it is not known."),
            ({}, ", mode: audit", "It was only logged. Whether the plan blocks it in enforce mode is not known."),
        ],
        ids=str,
    )
    def test_where_the_plan_does_not_know_it_says_what_that_hangs_on(
        self, gcp: Logs, denied: dict[str, str], mode: str, said: str
    ) -> None:
        urls = "config:\n  hostgate:catalogs: [./ours.yaml]\n  hostgate:select: {phases: [build]}\n"
        urls += (
            f"  hostgate:gcp: {{mechanism: url-filter, zones: [a-b1-c], openZones: [a-b1-d], project: acme{mode}}}\n"
        )
        (gcp.folder / "Pulumi.urls.yaml").write_text(urls)
        payload = {
            "connection": {"clientIp": "10.1.2.3", "clientPort": 1, "protocol": 6, "serverIp": "192.0.2.7", "serverPort": 443},
            "ruleIndex": 3, "uriMatched": "evil.example", **denied,
        }  # fmt: skip
        name = "projects/p/logs/networksecurity.googleapis.com%2Ffirewall_url_filter"
        answer = gcp.one({"logName": name, "jsonPayload": payload}, stack="urls")
        assert answer["plan"]["verdict"] == "unknown"
        told = "What it hangs on: the client is in a-b1-d, which has no firewall endpoint. No entry has such a name."
        assert answer["next"].startswith(f"{said} {told}")

    @pytest.mark.parametrize(
        ("mechanism", "said"),
        [("fqdn", "did not know this address of it: hostgate survey."), ("url-filter", "another rule denied it first")],
    )
    def test_an_address_that_was_denied_is_a_question_for_a_survey_where_the_firewall_looks_up_names(
        self, gcp: Logs, mechanism: str, said: str
    ) -> None:
        zones = ", zones: [europe-west1-b]" if mechanism == "url-filter" else ""
        gcp.folder.joinpath("Pulumi.dev.yaml").write_text(self.STACK.replace("MODE", zones).replace("fqdn", mechanism))
        told = gcp.one(self.record(dest_ip="203.0.113.5"))["next"]
        assert (said in told, "survey" in told) == (True, mechanism == "fqdn")

    def test_private_addresses_pass_by_the_plan_too(self, gcp: Logs) -> None:
        answer = gcp.one(self.record("ALLOWED", dest_ip="10.9.9.9"))
        assert (answer["plan"]["verdict"], answer["next"]) == ("allow", "Nothing: log and plan agree.")

    def test_logs_of_two_clouds_may_be_mixed_and_other_logs_are_counted(self, gcp: Logs) -> None:
        flow_log = {"logName": "projects/p/logs/compute.googleapis.com%2Fvpc_flows", "jsonPayload": {}}
        made = gcp(self.record(), alert(), flow_log, options=("--json",))
        assert [each["target"] for each in made.json["events"]] == ["gcp:fqdn", None]
        assert made.json["without"] == {"compute.googleapis.com/vpc_flows": 1}

    def test_an_entry_that_does_not_say_what_became_of_it_is_unknown_and_says_what_the_plan_does(
        self, gcp: Logs
    ) -> None:
        ends = {
            "clientIp": "10.1.2.3",
            "clientPort": 40_000,
            "serverIp": "203.0.113.5",
            "serverPort": 443,
            "protocol": 6,
        }
        name = "projects/p/logs/networksecurity.googleapis.com%2Ffirewall_url_filter"
        gcp.folder.joinpath("Pulumi.dev.yaml").write_text(
            self.STACK.replace("MODE", ", zones: [europe-west1-b]").replace("fqdn", "url-filter")
        )
        told = gcp.one({"logName": name, "jsonPayload": {"connection": ends, "ruleIndex": 3}})
        assert (told["recorded"], told["by"]) == ("unknown", "the URL filter with the number 3 in its profile")
        unsaid = gcp.one({"logName": name, "jsonPayload": {"connection": ends}})
        assert unsaid["by"] == "a URL filter that the log does not tell"
        assert told["next"] == "The log does not say whether it passed. The plan does not allow it."

    @pytest.mark.parametrize(
        "log",
        ["networksecurity.googleapis.com%2Ffirewall_url_filter", "networkservices.googleapis.com%2Fgateway_requests"],
    )
    def test_what_other_mechanisms_logged_is_told_and_judged_by_no_layer_of_this_stack(
        self, gcp: Logs, log: str
    ) -> None:
        ends = {"clientIp": "10.1.2.3", "serverIp": "203.0.113.5", "serverPort": 443}
        policy = {"hostname": "one.acme.example:443", "matchedRules": [{"name": "default_denied", "action": "DENIED"}]}
        payload = {
            "connection": ends, "uriMatched": "one.acme.example", "action": "deny", "enforcedGatewaySecurityPolicy": policy,
        }  # fmt: skip
        answer = gcp.one({"logName": f"projects/p/logs/{log}", "jsonPayload": payload})
        assert (answer["name"], answer["port"], answer["recorded"]) == ("one.acme.example", 443, "blocked")
        assert answer["target"] is None
        assert answer["next"].startswith("No layer of the plan judges this.")


@pytest.mark.parametrize(
    ("match", "port", "action"),
    [("exact", 443, "unknown"), ("subtree", 443, "unknown"), ("subtree+apex", 443, "unknown"), ("exact", 80, "block")],
)
def test_an_address_is_unknown_to_what_reads_names_too_where_a_host_has_the_port(
    match: Any, port: int, action: str
) -> None:
    layer = _Layer(plan(selection([entry("one.acme.example", match=match)]), "aws:rules"))
    flow = Flow("203.0.113.5", port, "tcp", sni=None)
    assert layer.verdict(Event("connection", flow, "blocked", None, "", "", named=False)).action == action
    assert layer.verdict(Event("connection", flow, "blocked", None, "", "")).action == "block"
