"""`hostgate reach --probe`: the script is run on a network of its own, and what it found is read back.

Names, ports and servers are those of the script; nothing but the wait is shortened.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from .conftest import Project, Result, Run
from .test_reach_command import HUB, rule, state, states

NETWORK = Path(__file__).parent / "probe_network.py"
NEEDED = ("unshare", "ip", "nft", "openssl", "curl", "mount")

pytestmark = pytest.mark.skipif(
    any(shutil.which(each) is None for each in NEEDED)
    or subprocess.run(["unshare", "-rnm", "true"], capture_output=True, check=False).returncode != 0,
    reason="needs a network namespace and " + ", ".join(NEEDED),
)

ADDRESSES = {f"h{n}.example.test": [f"198.51.100.{n}"] for n in range(1, 20)}
STRANGER = {"example.com": ["203.0.113.5", "2001:db8:5::5"]}
CLIENT = "10.20.0.5"

Try = Callable[..., Result]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    folder = tmp_path_factory.mktemp("certificates")
    names = ",".join(f"DNS:{name}" for name in ADDRESSES)
    for name in ("tls", "other"):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj", f"/CN={name}", "-addext",
             f"subjectAltName={names}", "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt"],
            check=True, capture_output=True,
        )  # fmt: skip
        pem = folder / f"{name}.pem"
        pem.write_text((folder / f"{name}.key").read_text() + (folder / f"{name}.crt").read_text())
    return {name: str(folder / f"{name}.pem") for name in ("tls", "other")}


@pytest.fixture
def attempt(tmp_path: Path, certificates: Mapping[str, str]) -> Try:
    """Run the script in `tmp_path`, with what listens where, and a filter."""

    def run(
        *arguments: str,
        servers: Mapping[str, str],
        drop: str = "",
        own: Sequence[str] = (CLIENT,),
        shell: str = "sh",
        **more: Any,
    ) -> Result:
        lines = "\n".join(each.strip() for each in drop.split(";"))
        rules = (
            f"table inet probe {{\nchain out {{\ntype filter hook output priority 0\n{lines}\n}}\n}}\n" if drop else ""
        )
        told = {
            "folder": str(tmp_path), "hosts": ADDRESSES | STRANGER, "own": list(own), "servers": servers, "filter": rules,
            "unreachable": [], "passed": PASSED,
            "certificates": dict(certificates), "command": [shell, "probe.sh", *arguments],
            "environment": {"HOSTGATE_PROBE_SECONDS": "1", "CURL_CA_BUNDLE": certificates["tls"].replace(".pem", ".crt")},
        } | more  # fmt: skip
        made = subprocess.run(
            ["unshare", "-rnm", sys.executable, str(NETWORK)], input=json.dumps(told), capture_output=True, text=True, check=False
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
        done = json.loads(made.stdout)
        return Result(done["code"], done["out"], done["err"])

    return run


def catalog(folder: Path, *hosts: Mapping[str, Any]) -> Path:
    entries = [
        {"id": each["host"].partition(".")[0], "port": 443, "protocol": "https", "purpose": "x"} | each
        for each in hosts
    ]
    path = folder / "ours.yaml"
    path.write_text(json.dumps({"catalog": "acme/pull", "entries": entries}) + "\n")
    return path


def found(made: Result) -> dict[str, tuple[str, str, str]]:
    """By host and port: what was expected, what was found, and what that is."""
    lines = [json.loads(line) for line in made.out.splitlines()]
    return {
        f"{line['flow']['name']} {line['flow']['port']}": (line["expected"], line["found"], line["status"])
        for line in lines
        if line["what"].startswith("an allowed host") and line["flow"]["sni"] and line["flow"]["address"] is None
        and line["flow"]["protocol"] != "quic"
    }  # fmt: skip


OUTCOMES = {
    ("h1", 443, "https", "tls"): ("connected", "agrees"),
    ("h2", 444, "https", None): ("refused", "disagrees"),
    ("h3", 445, "https", "reset"): ("reset", "disagrees"),
    ("h4", 446, "https", "close"): ("reset", "disagrees"),
    ("h5", 447, "https", "dropped"): ("timed out", "disagrees"),
    ("h6", 448, "https", "no way"): ("unreachable", "disagrees"),
    ("h7", 449, "https", "alert"): ("TLS failed", "undecided"),
    ("h8", 450, "https", "other"): ("TLS failed", "undecided"),
    ("h9", 451, "https", "mute"): ("timed out", "disagrees"),
    ("nowhere", 452, "https", None): ("name not resolved", "undecided"),
    ("h10", 80, "http", "http"): ("connected", "agrees"),
    ("h11", 81, "http", "close"): ("reset", "disagrees"),
    ("h12", 22, "tcp", "banner"): ("connected", "agrees"),
    ("h13", 23, "tcp", "mute"): ("connected", "agrees"),
    ("h14", 24, "tcp", None): ("refused", "disagrees"),
}
"""By host, port, protocol and what is there: what a probe finds, and what that says where it should pass."""


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_each_outcome_is_told_from_the_others(run: Run, attempt: Try, tmp_path: Path, shell: str) -> None:
    hosts = [
        {"host": f"{name}.example.test", "port": port, "protocol": protocol} for name, port, protocol, _ in OUTCOMES
    ]
    made = run("reach", "--catalog", catalog(tmp_path, *hosts), "--target", "gcp:fqdn", "--probe", tmp_path)
    assert made.code == 0, made.err
    subprocess.run(["dash", "-n", tmp_path / "probe.sh"], check=True)
    listening = ("tls", "other", "reset", "close", "alert", "mute", "banner", "http")
    servers = {f"198.51.100.{name[1:]} {port}": there for name, port, _, there in OUTCOMES if there in listening}
    drop = "ip daddr 198.51.100.5 drop; ip daddr 203.0.113.5 drop; ip6 daddr 2001:db8:5::5 drop"
    tried = attempt(servers=servers, drop=drop, shell=shell, unreachable=["198.51.100.6"])
    expected = {f"{name}.example.test {port}": ("allow", *told) for (name, port, *_), told in OUTCOMES.items()}
    assert found(tried) == expected, tried.err
    assert tried.code == 4
    assert tried.err.splitlines()[-1] == "19 tried: 8 agree, 8 disagree, 3 undecided, 0 unproven; 2 not tried."


REFUSED = "X-Squid-Error: ERR_ACCESS_DENIED 0"
ANSWERS = {
    ("azure:application-rules", "http", "470"): ("refused with HTTP 470", "no", 4),
    ("azure:application-rules", "http", "403"): ("answered with HTTP 403", "unknown", 5),
    ("azure:application-rules", "http", f"403 {REFUSED}"): ("answered with HTTP 403", "unknown", 5),
    ("azure:application-rules", "http", "503"): ("answered with HTTP 503", "unknown", 5),
    ("azure:application-rules", "http", "200"): ("connected", "yes", 0),
    ("azure:application-rules", "http", "301"): ("connected", "yes", 0),
    ("azure:application-rules", "http", "404"): ("connected", "yes", 0),
    ("azure:application-rules", "https", "470"): ("refused with HTTP 470", "no", 4),
    ("azure:application-rules", "https", "403"): ("connected", "yes", 0),
    ("aws:rules", "http", "470"): ("answered with HTTP 470", "unknown", 5),
    ("aws:rules", "http", "407"): ("answered with HTTP 407", "unknown", 5),
    ("aws:rules", "http", "511"): ("answered with HTTP 511", "unknown", 5),
    ("aws:rules", "https", "470"): ("connected", "yes", 0),
    ("gcp:fqdn", "http", "403"): ("answered with HTTP 403", "unknown", 5),
    ("gcp:fqdn", "http", "451"): ("answered with HTTP 451", "unknown", 5),
    ("gcp:fqdn", "http", "204"): ("connected", "yes", 0),
}
"""By target, protocol and what an allowed host seems to answer: what is found, whether it passed, and the exit code."""


@pytest.mark.parametrize(("asked", "told"), ANSWERS.items(), ids=[" ".join(each) for each in ANSWERS])
def test_what_may_come_from_before_the_server_is_no_proof_and_a_known_denial_is_one(
    run: Run, attempt: Try, tmp_path: Path, asked: tuple[str, str, str], told: tuple[str, str, int]
) -> None:
    target, protocol, status = asked
    port = {"http": 80, "https": 443}[protocol]
    hosts = catalog(tmp_path, {"host": "h1.example.test", "port": port, "protocol": protocol})
    run("reach", "--catalog", hosts, "--target", target, "--probe", tmp_path)
    there = f"{'tls' if protocol == 'https' else protocol} {status}"
    servers = {f"198.51.100.1 {port}": there, **{each: "reset" for each in SERVERS if each.startswith(("203", "2001"))}}
    tried = attempt(servers=servers)
    lines = [json.loads(line) for line in tried.out.splitlines()]
    (line,) = (
        each for each in lines if each["what"] == "an allowed host" and each["flow"]["name"] == "h1.example.test"
    )
    found_, passed, code = told
    assert (line["found"], line["passed"]) == (found_, passed)
    (tmp_path / "probe.log").write_text(json.dumps(line) + "\n")
    back = run("explain", "--log", tmp_path / "probe.log", "--catalog", hosts, "--target", target, "--json")
    assert back.code == code, back.err


@pytest.mark.parametrize(("status", "code"), [("470", 0), ("403", 5), ("200", 3)])
def test_a_stranger_that_the_firewall_itself_answers_for_is_blocked(
    run: Run, attempt: Try, tmp_path: Path, status: str, code: int
) -> None:
    target = ("--target", "azure:application-rules")
    written(run, tmp_path, *target)
    tried = attempt(servers=SERVERS | {"203.0.113.5 80": f"http {status}"})
    assert tried.code == code, tried.err
    assert read_back(run, tmp_path, tried, "--catalog", tmp_path / "ours.yaml", *target).code == code


PULL = ({"host": "h1.example.test"}, {"host": "h2.example.test"})
PASSED = ["h1.example.test", "h2.example.test"]
ASKED = ("--target", "aws:rules")
SERVERS = {
    "198.51.100.1 443": "gate", "198.51.100.2 443": "gate", "203.0.113.5 443": "gate", "2001:db8:5::5 443": "gate",
    "203.0.113.5 80": "reset",
}  # fmt: skip


def written(run: Run, folder: Path, *asked: object) -> tuple[object, ...]:
    """Write a probe, and what its log is read back with."""
    about = ("--catalog", catalog(folder, *PULL), *(asked or ASKED))
    made = run("reach", *about, "--probe", folder)
    assert (folder / "probe.sh").exists(), made.err
    return about


def read_back(run: Run, folder: Path, tried: Result, *about: object) -> Result:
    (folder / "probe.log").write_text(tried.out)
    return run("explain", "--log", folder / "probe.log", *about, "--json")


@pytest.mark.parametrize(
    ("servers", "more", "code", "said"),
    [
        ({}, {}, 0, ""),
        ({"198.51.100.1 443": "reset"}, {}, 4, "It should pass and does not"),
        ({}, {"passed": [*PASSED, "example.com"]}, 3, "It passes and should not"),
        ({"203.0.113.5 80": "http"}, {}, 3, "It passes and should not"),
        ({"198.51.100.2 443": "alert"}, {}, 5, "does not tell whether it passed"),
        ({"198.51.100.2 443": "alert", "198.51.100.1 443": "reset"}, {"passed": ["example.com"]}, 3, "passes and should not"),
    ],
    ids=["as meant", "a host is closed", "a stranger is open", "a port is open", "nobody can tell", "all at once"],
)  # fmt: skip
def test_the_script_and_explain_say_the_same_of_what_was_found(
    run: Run, attempt: Try, tmp_path: Path, servers: Mapping[str, str], more: Mapping[str, Any], code: int, said: str
) -> None:
    about = written(run, tmp_path)
    tried = attempt(servers=SERVERS | servers, **more)
    back = read_back(run, tmp_path, tried, *about)
    assert (tried.code, back.code) == (code, code), tried.err
    statuses = [json.loads(line)["status"] for line in tried.out.splitlines()]
    assert ("DISAGREES" in tried.err) == ("disagrees" in statuses) == (code in (3, 4))
    assert statuses.count("disagrees") == sum(each["agrees"] is False for each in back.json["events"])
    assert any(said in each["next"] for each in back.json["events"])
    assert {each["target"] for each in back.json["events"]} == {"aws:rules"}


def test_another_verdict_than_when_it_was_written_is_what_counts(run: Run, attempt: Try, tmp_path: Path) -> None:
    written(run, tmp_path)
    tried = attempt(servers=SERVERS)
    narrower = ("--catalog", catalog(tmp_path, PULL[0]), *ASKED)
    back = read_back(run, tmp_path, tried, *narrower)
    assert (tried.code, back.code) == (0, 3)
    assert [each["name"] for each in back.json["events"] if each["agrees"] is False] == ["h2.example.test"]
    other = read_back(run, tmp_path, tried, "--catalog", catalog(tmp_path, *PULL), "--target", "gcp:fqdn")
    assert other.code == 5
    assert "there is no aws policy hostgate of aws:rules" in other.json["events"][0]["next"]


@pytest.mark.parametrize(
    ("own", "arguments", "tried"),
    [
        (["10.9.9.9"], [], True),
        (["192.168.255.255", "fd00::1"], [], True),
        (["192.0.2.8"], [], False),
        (["11.0.0.1", "172.32.0.1", "172.15.255.255"], [], False),
        (["192.0.2.8"], ["172.31.255.254"], True),
        (["10.9.9.9"], ["192.0.2.8"], False),
        (["10.9.9.9"], ["account:a@p.iam.gserviceaccount.com"], False),
    ],
)
def test_clients_that_it_is_not_about_try_nothing(
    run: Run, attempt: Try, tmp_path: Path, own: list[str], arguments: list[str], tried: bool
) -> None:
    written(run, tmp_path)
    made = attempt(*arguments, servers=SERVERS, own=own)
    lines = [json.loads(line) for line in made.out.splitlines()]
    assert {line["status"] for line in lines} == ({"agrees", "skipped"} if tried else {"skipped"})
    assert made.code == (0 if tried else 5)
    assert tried or "run it on a client of 10.0.0.0/8" in made.err


V6 = {"2001:db8:aaaa::/47": "2001:db8:aaab:ffff::1", "2001:db8::/32": "2001:db8::1", "::/0": "fe80::1"}


@pytest.mark.parametrize("wanted", V6)
def test_ranges_of_ipv6_are_read_bit_by_bit(run: Run, tmp_path: Path, wanted: str) -> None:
    written(run, tmp_path)
    text = (tmp_path / "probe.sh").read_text().partition("which_client() {")[2].partition("\n}\n")[0]
    script = f"own=$1\nwhich_client() {{{text}\n}}\nwhich_client '10.0.0.0/8 {wanted}'"
    for own, inside in ((V6[wanted], True), ("2001:db9:aaac::1", wanted == "::/0"), ("192.0.2.1", False)):
        made = subprocess.run(["dash", "-c", script, "x", own], capture_output=True, text=True, check=True)
        assert (made.stdout.strip() == own) == inside, (own, wanted)


EVIL = "x'; touch pwned; echo '$(touch pwned2)`touch pwned3`\n touch pwned4 \\"


def test_what_a_state_holds_is_data_and_what_it_opens_is_tried(run: Run, attempt: Try, tmp_path: Path) -> None:
    wide = rule(("evil.example",), EVIL) | {"sourceAddresses": ["10.20.0.0/16"]}
    about = ("--state", state(tmp_path, HUB, *states(rule(("h1.example.test",)), wide)))
    made = run("reach", *about, "--catalog", catalog(tmp_path, PULL[0]), "--probe", tmp_path)
    assert made.code == 3
    names = [*PASSED, "evil.example"]
    tried = attempt(servers=SERVERS, passed=names)
    assert (tried.code, list(tmp_path.glob("**/pwned*"))) == (0, []), tried.err
    (line,) = [json.loads(line) for line in tried.out.splitlines() if "evil.example" in line]
    assert (line["status"], line["found"], line["client"], line["flow"]["name"]) == (
        "agrees",
        "connected",
        CLIENT,
        "example.com",
    )
    assert EVIL in line["rule"]
    back = read_back(run, tmp_path, tried, *about)
    assert (back.code, all(each["agrees"] for each in back.json["events"])) == (0, True)
    assert read_back(run, tmp_path, attempt(servers=SERVERS, passed=names, own=["10.21.0.5"]), *about).code == 0
    closed = attempt(servers=SERVERS | {"203.0.113.5 443": "other"}, passed=names, own=["10.21.0.5"])
    assert (closed.code, read_back(run, tmp_path, closed, *about).code) == (3, 3)


def test_a_place_is_chosen_where_there_are_several(run: Run, attempt: Try, tmp_path: Path) -> None:
    about = written(run, tmp_path, "--target", "aws:rules", "--target", "gcp:fqdn")
    unsaid = attempt(servers=SERVERS)
    assert (unsaid.code, unsaid.out) == (2, "")
    assert "  2  gcp policy plan" in unsaid.err
    assert attempt("-p", "3", servers=SERVERS).code == 2
    made = attempt("-p", "1", servers=SERVERS)
    assert {json.loads(line)["place"] for line in made.out.splitlines()} == {"aws policy hostgate"}
    assert read_back(run, tmp_path, made, *about).code == 0


def test_no_curl_and_wrong_words_are_said(run: Run, attempt: Try, tmp_path: Path) -> None:
    written(run, tmp_path)
    for arguments in (["-x"], ["a b'c"], ["-p", "x"]):
        assert attempt(*arguments, servers={}).code == 2
    assert "expected allow" in attempt("-l", servers={}).out
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "curl").write_text("#!/bin/sh\nexit 127\n")
    (tmp_path / "bin" / "curl").chmod(0o755)
    assert attempt(servers={}, environment={"PATH": f"{tmp_path}/bin:/usr/bin:/bin"}).code == 1


RELAY = {
    "ruleType": "NetworkRule", "name": "relay", "sourceAddresses": ["10.20.0.0/16"], "destinationAddresses": ["198.51.100.0/24"],
    "destinationPorts": ["587"], "ipProtocols": ["TCP"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("there", "found", "status", "code"),
    [
        ("banner", "connected", "agrees", 0),
        ("mute", "connected", "undecided", 5),
        (None, "refused", "undecided", 5),
    ],
    ids=["a server that speaks first", "a bare connect", "no server"],
)
def test_an_address_that_is_open_is_dialled_and_a_bare_connect_proves_nothing(
    run: Run, attempt: Try, tmp_path: Path, there: str | None, found: str, status: str, code: int
) -> None:
    about = ("--state", state(tmp_path, HUB, *states(rule(("h1.example.test",)), RELAY)))
    run("reach", *about, "--catalog", catalog(tmp_path, PULL[0]), "--probe", tmp_path)
    tried = attempt(servers=SERVERS | ({"198.51.100.7 587": there} if there else {}))
    (line,) = [json.loads(line) for line in tried.out.splitlines() if json.loads(line)["flow"]["port"] == 587]
    assert (line["found"], line["status"], line["flow"]["name"], tried.code) == (found, status, "198.51.100.7", code)
    assert read_back(run, tmp_path, tried, *about).code == code


def test_layers_of_a_cloud_are_met_together_and_a_name_that_is_not_resolved_is_blocked(
    run: Run, attempt: Try, tmp_path: Path
) -> None:
    about = written(run, tmp_path, "--target", "aws:rules", "aws:dns-firewall")
    tried = attempt(servers={key: SERVERS[key] for key in SERVERS if key.startswith("198.")}, hosts=ADDRESSES)
    lines = [json.loads(line) for line in tried.out.splitlines()]
    assert tried.code == 0, tried.err
    assert {tuple(line["targets"]) for line in lines} == {("aws:rules", "aws:dns-firewall")}
    strangers = [line for line in lines if line["flow"]["name"] == "example.com" and line["status"] != "skipped"]
    assert {(line["found"], line["status"]) for line in strangers} == {("name not resolved", "agrees")}
    back = read_back(run, tmp_path, tried, *about)
    assert (back.code, {each["target"] for each in back.json["events"]}) == (0, {"aws:rules, aws:dns-firewall"})
    alone = read_back(run, tmp_path, tried, *about[:2], "--target", "aws:rules")
    assert (alone.code, "no aws:dns-firewall" in alone.out) == (5, True)


@pytest.mark.parametrize(
    "name", ["a@b.example", "b.example/x", "b.example:22", "b.example#", "-k.example", "b example", "$(x).example"]
)
def test_what_is_no_name_is_never_dialled(run: Run, attempt: Try, tmp_path: Path, name: str) -> None:
    about = ("--state", state(tmp_path, HUB, *states(rule(("h1.example.test", name)))))
    made = run("reach", *about, "--catalog", catalog(tmp_path, PULL[0]), "--probe", tmp_path)
    assert made.code in (3, 5)
    calls = [line for line in (tmp_path / "probe.sh").read_text().splitlines() if line.startswith("  probe ")]
    assert calls
    assert not [call for call in calls if name in call]
    assert attempt(servers=SERVERS).code == 0


def test_silence_where_nothing_need_answer_is_unproven_and_no_error(run: Run, attempt: Try, tmp_path: Path) -> None:
    about = written(run, tmp_path)
    tried = attempt(
        servers=SERVERS, hosts=ADDRESSES | STRANGER | {"h1.example.test": ["198.51.100.1", "2001:db8:1::1"]}
    )
    (line,) = [line for line in map(json.loads, tried.out.splitlines()) if line["what"] == "an allowed host over IPv6"]
    assert (line["expected"], line["found"], line["status"], tried.code) == ("block", "refused", "unproven", 0)
    back = read_back(run, tmp_path, tried, *about)
    assert (back.code, [each["agrees"] for each in back.json["events"]].count(None)) == (0, 1)


EXPLICIT = """\
config:
  hostgate:catalogs: [./ours.yaml]
  hostgate:gcp: {mechanism: web-proxy, project: p, region: europe-west1, network: projects/p/global/networks/n,
    subnetwork: projects/p/regions/europe-west1/subnetworks/s, routing: explicit, ports: [443]}
"""


@pytest.mark.parametrize(
    ("environment", "passed", "code"),
    [({}, PASSED, 5), ({"https_proxy": "http://10.0.0.2:3128", "no_proxy": "*"}, PASSED, 0),
     ({"https_proxy": "http://10.0.0.2:3128"}, PASSED[:1], 4),
     ({"https_proxy": "http://10.0.0.2:3128"}, [*PASSED, "example.com"], 3)],
    ids=["not told", "as meant", "a host is closed", "a stranger is open"],
)  # fmt: skip
def test_a_proxy_that_clients_are_told_to_use_is_asked_by_name(
    run: Run, attempt: Try, project: Project, certificates: Mapping[str, str], tmp_path: Path, environment: dict[str, str],
    passed: list[str], code: int,
) -> None:  # fmt: skip
    catalog(project(dev=EXPLICIT), *PULL)
    made = run("reach", "--stack", "dev", "--probe", tmp_path)
    assert made.code == 5, made.out + made.err
    tried = attempt(servers={"10.0.0.2 3128": "proxy"}, own=["10.0.0.2"], passed=passed,
                    environment=environment | {"CURL_CA_BUNDLE": certificates["tls"].replace(".pem", ".crt")})  # fmt: skip
    assert tried.code == code, tried.err
    assert ("set https_proxy" in tried.err) == (not environment)
    if environment:
        assert read_back(run, tmp_path, tried, "--stack", "dev").code == code


LISTS = """\
config:
  hostgate:catalogs: [./ours.yaml]
  hostgate:azure:
    resourceGroup: rg
    grants:
      - {name: builders, from: [10.20.0.0/16]}
      - {name: nodes, from: [10.30.0.0/16], select: {ids: [h1]}}
"""


@pytest.mark.parametrize(
    ("place", "own", "skipped"), [("1", CLIENT, False), ("2", CLIENT, True), ("2", "10.30.0.9", False)]
)
def test_clients_of_several_lists_are_tried_apart(
    run: Run, attempt: Try, project: Project, tmp_path: Path, place: str, own: str, skipped: bool
) -> None:
    catalog(project(dev=LISTS), *PULL)
    assert run("reach", "--probe", tmp_path).code == 0
    tried = attempt("-p", place, servers=SERVERS | ({"198.51.100.2 443": "reset"} if own != CLIENT else {}), own=[own])
    assert tried.code == (5 if skipped else 0), tried.err
    if not skipped:
        assert read_back(run, tmp_path, tried, "--stack", "dev").code == 0


def test_ten_thousand_hosts_are_a_few_of_each_kind(run: Run, tmp_path: Path) -> None:
    hosts = [
        {"host": f"h{n}.example.test", "port": port, "protocol": "https", "id": f"h{n}-{port}"}
        for n in range(5_000) for port in (443, 8443)
    ]  # fmt: skip
    made = run(
        "reach",
        "--catalog",
        catalog(tmp_path, *hosts),
        "--target",
        "azure:application-rules",
        "--probe",
        tmp_path / "p.sh",
    )
    calls = [line for line in (tmp_path / "p.sh").read_text().splitlines() if line.startswith("  probe ")]
    assert made.code == 0
    assert len(calls) == 12
    assert sum("one of 5,000 alike" in call for call in calls) == 6


def test_every_line_of_reach_is_tried_or_said_not_to_be(run: Run, tmp_path: Path) -> None:
    wide = [{"ruleType": "NetworkRule", "name": f"n{n}", "sourceAddresses": ["*"], "destinationAddresses": [f"198.51.{n}.0/24"],
             "destinationPorts": ["*"], "ipProtocols": [protocol]} for n in range(40) for protocol in ("TCP", "ICMP")]  # fmt: skip
    about = ("--state", state(tmp_path, HUB, *states(rule(("h1.example.test",)), *wide)))
    made = run(
        "reach",
        *about,
        "--catalog",
        catalog(tmp_path, *PULL, {"host": "below.example", "match": "subtree"}),
        "--probe",
        tmp_path,
        "--json",
    )
    (point,) = made.json["points"]
    script = (tmp_path / "probe.sh").read_text()
    ids = {each["id"] for kind in ("beyond", "missing", "unknown") for each in point[kind]}
    assert all(script.count(f" {id_} ") == 1 for id_ in ids)
    assert sum(line.startswith("  probe ") for line in script.splitlines()) <= 60


@pytest.mark.parametrize(
    ("place", "said"),
    [("probe.txt", "Allowed: a folder that is there, or a file that ends in .sh"), ("no/probe.sh", "there is no folder"),
     ("no", "Allowed: a folder that is there")],
)  # fmt: skip
def test_where_no_probe_can_be_written_is_said_before_anything_is_judged(
    run: Run, tmp_path: Path, place: str, said: str
) -> None:
    made = run("reach", "--state", tmp_path / "none.json", "--probe", tmp_path / place)
    assert (made.code, made.out, list(tmp_path.iterdir())) == (2, "", [])
    assert said in made.err


RECORD = {
    "hostgate_probe": "7c2be1cf", "status": "agrees", "expected": "allow", "found": "connected", "passed": "yes", "client": "",
    "place": "aws policy hostgate", "targets": ["aws:rules"],
    "flow": {"name": PASSED[0], "port": 443, "protocol": "https", "sni": PASSED[0], "address": None, "source": None},
}  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"passed": "maybe"}, "Found `passed`: 'maybe'"),
        ({"flow": None}, "Found `flow`: nothing"),
        ({"targets": []}, "Found `targets`: a list"),
        ({"flow": RECORD["flow"] | {"port": "443"}}, "Found `port`: '443'"),
        ({"flow": RECORD["flow"] | {"protocol": "x"}}, "connection that cannot be"),
        ({"flow": RECORD["flow"] | {"address": "2001:db8::1", "source": "10.0.0.1"}}, "connection that cannot be"),
        ({"found": ""}, "Found `found`"),
    ],
)
def test_a_line_that_no_probe_prints_is_an_error_beside_the_answers(
    run: Run, tmp_path: Path, fields: Mapping[str, Any], said: str
) -> None:
    (tmp_path / "probe.log").write_text(json.dumps(RECORD) + "\n" + json.dumps(RECORD | fields) + "\n")
    made = run("explain", "--log", tmp_path / "probe.log", "--catalog", catalog(tmp_path, *PULL), *ASKED)
    assert (made.code, "the probe and the verdict agree" in made.out) == (1, True)
    assert said in made.err
    assert "probe.log:2" in made.err


def test_what_stands_beside_other_options_is_wrong_usage(run: Run, tmp_path: Path) -> None:
    (tmp_path / "probe.log").write_text(json.dumps(RECORD) + "\n")
    about = state(tmp_path, HUB, *states(rule()))
    log = ("--log", tmp_path / "probe.log")
    for more in (["--state", about, "--stack", "dev"], ["--with", about, "--catalog", "x.yaml"]):
        assert run("explain", *log, *more).code == 2
    assert run("explain", "cgr.dev", "--with", about).code == 2
    other = run("explain", *log, "--state", about)
    assert (other.code, "there is no aws policy hostgate of aws:rules" in other.out) == (5, True)
