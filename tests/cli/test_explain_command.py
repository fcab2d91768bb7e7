"""`hostgate explain`: allow or block, the rule that decides, and why, for each target."""

import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from conformance.catalogs import MADE
from policies.process import R
from policies.resources import GCP_POLICY, gcp_denies, gcp_rule, proxy_rule, url_list
from policies.test_reach_on_stacks import a_preview
from policies.test_what_stands_beside import APP, LIST, NAMES

from .conftest import Project, Run

REFERENCE = "chainguard/images@2024-03-28"
R2_ACCOUNT = "9236a389bd48b984df91adc1bc924620.r2.cloudflarestorage.com"


def verdicts(run: Run, *arguments: str, target: str | None = None) -> dict[str, str]:
    wanted = [f"--target={each}" for each in ([target] if target else MADE)]
    made = run("explain", *arguments, "--catalog", REFERENCE, *wanted, "--json")
    assert made.code == 0
    return {answer["target"]: answer["verdict"] for answer in made.json["targets"]}


def test_the_json_has_the_agreed_keys_and_nothing_else_is_printed(run: Run) -> None:
    made = run("explain", "cgr.dev", "--catalog", REFERENCE, "--json")

    assert (made.code, made.err, list(made.json)) == (0, "", ["targets"])
    assert [list(answer) for answer in made.json["targets"]] == [
        ["target", "place", "verdict", "rule", "why", "assumptions"]
    ] * 3


@pytest.mark.parametrize("target", MADE)
def test_what_a_plan_takes_for_granted_is_told_once_in_the_text_too(run: Run, target: str) -> None:
    asked = ("explain", "cgr.dev", "--catalog", REFERENCE, "--target", target)
    (answer,) = run(*asked, "--json").json["targets"]
    told = [line for line in run(*asked).out.splitlines() if line.startswith("assumed")]
    assert told == [f"assumed: {each}" for each in answer["assumptions"]]
    assert told


def test_of_several_targets_it_is_told_whose_it_is(run: Run) -> None:
    asked = ["--target=aws:rules", "--target=aws:domain-list", "--target=gcp:fqdn", "--target=gcp:url-filter"]
    lines = run("explain", "cgr.dev", "--catalog", REFERENCE, *asked).out.splitlines()
    assert [line.partition(": ")[0] for line in lines if line.startswith("assumed")] == [
        "assumed of aws:rules, aws:domain-list",
        "assumed of gcp:fqdn, gcp:url-filter",
        *["assumed of gcp:fqdn"] * 2,
        "assumed of gcp:url-filter",
    ]


def test_a_network_tag_is_among_the_clients_that_the_help_names(run: Run) -> None:
    assert "network-tag:NAME" in run("explain", "--help").out


@pytest.mark.parametrize("host", ["cgr.dev", "CGR.dev", R2_ACCOUNT, "storage.googleapis.com"])
def test_a_host_of_the_catalog_is_allowed_everywhere(run: Run, host: str) -> None:
    assert verdicts(run, host) == dict.fromkeys(MADE, "allow")


def test_a_name_of_the_host_itself_is_answered_by_the_vpcs_resolver_and_blocked_elsewhere(run: Run) -> None:
    made = verdicts(run, "localhost")
    assert made.pop("aws:dns-firewall") == "allow"
    assert made.pop("gcp:url-filter") == "unknown"  # a plan by catalog names no zone that has an endpoint
    assert set(made.values()) == {"block"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["notcgr.dev"],
        ["cgr.dev.evil.example"],
        ["sub.cgr.dev"],
        ["bucket.rc.cloudflarestorage.com"],
        ["any.r2.cloudflarestorage.com"],
        ["cgr.dev", "--port", "8443"],
        ["cgr.dev", "--protocol", "quic"],
        ["cgr.dev", "--protocol", "udp"],
    ],
    ids=" ".join,
)
def test_anything_else_is_blocked_wherever_it_is_seen_and_that_is_fine(run: Run, arguments: list[str]) -> None:
    made = verdicts(run, *arguments)
    if arguments[1:]:  # a port or a protocol, which a question for a name does not have
        assert made.pop("aws:dns-firewall") == "allow"
    else:  # on a port that is inspected; a plan by catalog names no zone that has an endpoint
        assert made.pop("gcp:url-filter") == "unknown"
    assert set(made.values()) == {"block"}


def test_the_rule_that_allows_is_the_one_that_the_plan_names(run: Run) -> None:
    plan = run("plan", "--catalog", REFERENCE, "--target", "aws:rules", "--json").json["targets"][0]
    (rule,) = [decision["rule"] for decision in plan["decisions"] if decision["entry"] == "registry"]

    (answer,) = run("explain", "cgr.dev", "--catalog", REFERENCE, "--target", "aws:rules", "--json").json["targets"]

    assert answer["rule"] == rule


@pytest.mark.parametrize("target", MADE)
def test_every_answer_says_why(run: Run, target: str) -> None:
    for host in ("cgr.dev", "evil.example"):
        (answer,) = run("explain", host, "--catalog", REFERENCE, "--target", target, "--json").json["targets"]

        assert answer["why"]


@pytest.mark.parametrize(
    ("arguments", "verdict"),
    [
        (["evil.example", "--sni", "cgr.dev"], "allow"),
        (["cgr.dev", "--sni", "evil.example"], "block"),
        (["cgr.dev", "--sni", ""], "block"),
        (["cgr.dev."], "block"),
        (["cgr.dev"], "allow"),
    ],
    ids=" ".join,
)
def test_a_mechanism_that_sees_names_judges_the_sni_which_is_the_host_unless_given(
    run: Run, arguments: list[str], verdict: str
) -> None:
    assert verdicts(run, *arguments, target="aws:rules") == {"aws:rules": verdict}


@pytest.mark.parametrize(
    ("source", "verdict"), [("10.1.2.3", "allow"), ("10.0.0.0/24", "allow"), ("192.0.2.1", "block")]
)
def test_the_source_is_judged_where_the_plan_names_its_clients(
    run: Run, project: Project, source: str, verdict: str
) -> None:
    project(dev=f"config:\n  hostgate:catalogs: ['{REFERENCE}']\n  hostgate:aws: {{from: [10.0.0.0/8]}}\n")

    (answer,) = run("explain", "cgr.dev", "--from", source, "--json").json["targets"]

    assert answer["verdict"] == verdict


@pytest.mark.parametrize(
    ("layers", "told"),
    [
        ("[{networks: [NET/main]}, {mechanism: url-filter, networks: [NET/lab], zones: [europe-west1-b]}]", []),
        ("[{networks: [NET/main]}, {mechanism: web-proxy, project: acme, region: europe-west4}]", ["allow"]),
        (
            "[{deny: declared, attach: POLICY, base: 20000}, {mechanism: url-filter, deny: declared, attach: POLICY, "
            "networks: [NET/main], zones: [europe-west1-b]}]",
            ["allow"],
        ),
    ],
)
def test_layers_have_a_joined_verdict_where_one_connection_meets_them_all(
    run: Run, project: Project, layers: str, told: list[str]
) -> None:
    where = layers.replace("NET", "projects/acme/global/networks")
    where = where.replace("POLICY", "projects/acme/global/firewallPolicies/egress")
    project(
        dev=f"config:\n  hostgate:catalogs: ['{REFERENCE}']\n  hostgate:select: {{ids: [registry]}}\n  hostgate:gcp: {where}\n"
    )

    found = run("explain", "cgr.dev", "--json").json.get("together", [])

    assert [each["verdict"] for each in found] == told


def test_the_host_may_come_after_the_source(run: Run) -> None:
    assert (
        run("explain", "--from", "10.0.0.0/8", "cgr.dev").out == run("explain", "cgr.dev", "--from", "10.0.0.0/8").out
    )


def test_an_answer_for_people_is_a_table_under_the_question(run: Run) -> None:
    made = run("explain", "cgr.dev", "--catalog", REFERENCE, "--target", "aws:rules")

    assert made.out.splitlines()[0] == "cgr.dev:443 https"
    assert "aws:rules   allow" in made.out


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        [""],
        ["https://cgr.dev"],
        ["cgr.dev/path"],
        ["cgr.dev:443"],
        ["*.cgr.dev"],
        ["cgr dev"],
        ["сgr.dev"],
        ["cgr.dev", "ghcr.io"],
        ["cgr.dev", "--port", "0"],
        ["cgr.dev", "--port", "65536"],
        ["cgr.dev", "--port", "https"],
        ["cgr.dev", "--protocol", "icpm"],
        ["cgr.dev", "--protocol", "256"],
        ["cgr.dev", "--protocol", ""],
        ["cgr.dev", "--protocol", "icmp", "--port", "22"],
        ["cgr.dev", "--address", "2001:db8::7", "--from", "10.0.0.0/8"],
        ["198.51.100.7", "--from", "fd00::/8"],
        ["cgr.dev", "--address", "cgr.dev"],
        ["cgr.dev", "--from", "10.0.0.0/33"],
        ["cgr.dev", "--from", "here"],
        ["cgr.dev", "--from", "tagValues/x"],
        ["cgr.dev", "--from", "a@b"],
        ["cgr.dev", "--from", "network-tag:"],
        ["cgr.dev", "--from", "network-tag:Builds"],
        ["cgr.dev", "--sni", "x.example", "--protocol", "udp"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_exit_code_2_and_said_on_stderr_only(run: Run, arguments: list[str]) -> None:
    made = run("explain", *arguments, "--catalog", REFERENCE)

    assert (made.code, made.out) == (2, "")
    assert "Error:" in made.err


def test_a_name_in_unicode_is_asked_for_as_its_a_labels(run: Run) -> None:
    made = run("explain", "bücher.example", "--catalog", REFERENCE, "--target", "aws:rules")

    assert made.out.splitlines()[0] == "xn--bcher-kva.example:443 https"


def test_a_refused_plan_has_no_verdict(run: Run) -> None:
    made = run("explain", "cgr.dev", "--catalog", "chainguard/images@2023-05-15", "--target", "gcp:fqdn", "--json")

    assert (made.code, made.rules) == (1, ["not-expressible"])


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("builds@acme.iam.gserviceaccount.com", {"aws:rules": "unknown", "gcp:fqdn": "allow"}),
        ("other@acme.iam.gserviceaccount.com", {"aws:rules": "unknown", "gcp:fqdn": "block"}),
        ("tagValues/123", {"aws:rules": "unknown", "gcp:fqdn": "unknown"}),
        ("network-tag:builds", {"aws:rules": "unknown", "gcp:fqdn": "unknown"}),
        ("10.1.2.3", {"aws:rules": "allow", "gcp:fqdn": "unknown"}),
        (
            "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/ipGroups/builders",
            {"aws:rules": "unknown", "gcp:fqdn": "unknown"},
        ),
    ],
)
def test_a_client_is_answered_by_target_and_unknown_where_it_cannot_be_told(
    run: Run, project: Project, source: str, said: dict[str, str]
) -> None:
    clients = "{from: [builds@acme.iam.gserviceaccount.com], deny: declared}"
    project(dev=f"config:\n  hostgate:catalogs: ['{REFERENCE}']\n  hostgate:aws: {{from: [10.0.0.0/8]}}\n"
                f"  hostgate:gcp: {clients}\n")  # fmt: skip
    answers = run("explain", "cgr.dev", "--from", source, "--json").json["targets"]
    assert {answer["target"]: answer["verdict"] for answer in answers} == said
    assert all(answer["lacks"] for answer in answers if answer["verdict"] == "unknown")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("network-tag:builds", "block"),
        ("network-tag:web", "allow"),
        ("10.1.2.3", "unknown"),
    ],
)
def test_a_client_without_the_network_tag_of_a_route_is_not_led_to_a_web_proxy(
    run: Run, project: Project, source: str, said: str
) -> None:
    place = "projects/p/global/networks/main, subnetwork: projects/p/regions/europe-west4/subnetworks/main"
    project(dev=f"config:\n  hostgate:catalogs: ['{REFERENCE}']\n"
                f"  hostgate:gcp: {{mechanism: web-proxy, networkTags: [builds], network: {place}}}\n")  # fmt: skip
    (answer,) = run("explain", "evil.example", "--from", source, "--json").json["targets"]
    assert answer["verdict"] == said


def test_a_blocked_connection_names_the_nearest_entry_and_what_does_not_match(run: Run) -> None:
    made = run("explain", "cgr.dev", "--port", "8443", "--catalog", REFERENCE, "--target", "gcp:fqdn", "--json")
    (answer,) = made.json["targets"]
    (near,) = answer["nearest"]
    assert (near["entry"], near["lacking"]) == ("registry", ["port: 443 is meant, not 8443"])


def test_what_has_no_port_lacks_none(run: Run) -> None:
    made = run("explain", "cgr.dev", "--protocol", "gre", "--catalog", REFERENCE, "--target", "gcp:fqdn", "--json")
    assert made.json["targets"][0]["nearest"][0]["lacking"] == ["protocol: https is meant, not gre"]


def test_what_a_mechanism_does_not_see_is_not_said_to_be_missing(run: Run) -> None:
    made = run("explain", "cgr.dev", "--port", "22", "--protocol", "tcp", "--catalog", REFERENCE, "--json",
               "--target", "gcp:fqdn")  # fmt: skip
    assert made.json["targets"][0]["nearest"][0]["lacking"] == ["port: 443 is meant, not 22"]


class TestSnapshots:
    """What stands, from what the engine writes."""

    URN = "urn:pulumi:dev::acme::{}::{}"
    POLICY = "azure-native:network/v20240501:FirewallPolicy"
    GROUP = "azure-native:network/v20240501:FirewallPolicyRuleCollectionGroup"

    def states(self, fqdns: object = ("cgr.dev",)) -> list[dict[str, Any]]:
        rule = {
            "ruleType": "ApplicationRule", "name": "r", "sourceAddresses": ["10.0.0.0/8"], "targetFqdns": fqdns,
            "protocols": [{"protocolType": "Https", "port": 443.0}],
        }  # fmt: skip
        collection = {
            "ruleCollectionType": "FirewallPolicyFilterRuleCollection", "name": "c", "priority": 100.0,
            "action": {"type": "Allow"}, "rules": [rule],
        }  # fmt: skip
        policy = {"firewallPolicyName": "hub", "resourceGroupName": "rg"}
        group = {**policy, "ruleCollectionGroupName": "g", "priority": 200.0, "ruleCollections": [collection]}
        return [
            {"urn": self.URN.format(type_, name), "type": type_, "inputs": inputs}
            for type_, name, inputs in ((self.POLICY, "policy", policy), (self.GROUP, "group", group))
        ]

    def written(self, folder: Path, document: object) -> Path:
        path = folder / "engine.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return path

    def state(self, folder: Path, **more: Any) -> Path:
        return self.written(folder, {"version": 3, "deployment": {"resources": self.states(**more)}})

    @pytest.mark.parametrize(
        ("host", "verdict", "more"),
        [
            ("cgr.dev", "allow", {}),
            ("evil.example", "block", {"nearest": []}),
            ("sub.cgr.dev", "block", {"nearest": [{"rule": "g/c/r", "lacking": ["name: cgr.dev is meant, not sub.cgr.dev"]}]}),
        ],
    )  # fmt: skip
    def test_a_state_and_a_preview_of_the_same_are_answered_alike(
        self, run: Run, tmp_path: Path, host: str, verdict: str, more: dict[str, Any]
    ) -> None:
        of_state = run("explain", host, "--state", self.state(tmp_path), "--json")
        steps = [{"op": "create", "urn": each["urn"], "newState": each} for each in self.states()]
        of_preview = run(
            "explain", host, "--preview", self.written(tmp_path, {"steps": steps, "changeSummary": {}}), "--json"
        )
        assert (of_state.code, of_preview.code) == (0, 0)
        (answer,) = of_state.json["targets"]
        assert [answer] == of_preview.json["targets"]
        assert any("routes of both address families" in each for each in answer.pop("assumptions"))
        assert "assumed: The clients' default routes" in run("explain", host, "--state", self.state(tmp_path)).out
        told = {
            "target": "azure policy hub",
            "place": "hub",
            "verdict": verdict,
            "rule": answer["rule"],
            "why": answer["why"],
        }
        assert answer == told | more

    def test_what_is_assumed_of_one_of_two_places_says_of_which(self, run: Run, tmp_path: Path) -> None:
        states = self.states()
        other = {**states[0], "urn": self.URN.format(self.POLICY, "other")}
        other["inputs"] = {**states[0]["inputs"], "firewallPolicyName": "other", "threatIntelMode": "Deny"}
        document = {"version": 3, "deployment": {"resources": [*states, other]}}
        found = run("explain", "cgr.dev", "--state", self.written(tmp_path, document)).out
        assert "assumed: The clients' default routes" in found
        assert "assumed of azure policy other: Threat intelligence of other denies" in found

    def test_a_state_comes_on_stdin_too(self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(self.state(tmp_path).read_bytes())))
        assert "azure policy hub   allow" in run("explain", "cgr.dev", "--state", "-").out

    def test_what_cannot_be_read_is_unknown_and_says_what_to_look_at(self, run: Run, tmp_path: Path) -> None:
        secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x"}
        made = run("explain", "cgr.dev", "--state", self.state(tmp_path, fqdns=secret), "--json")
        (answer,) = made.json["targets"]
        assert (made.code, answer["verdict"], answer["lacks"]) == (0, "unknown", ["g/c/r names it"])

    @pytest.mark.parametrize(
        ("option", "document", "said"),
        [
            ("--state", "{", "this is not JSON"),
            ("--state", '{"version": 3, "version": 3}', "this is not JSON: the key 'version' stands twice"),
            ("--state", {"steps": []}, "Found a preview of the engine (--preview)"),
            ("--preview", {"version": 3, "deployment": {}}, "Found a state of the engine (--state)"),
            ("--state", {"version": 3, "deployment": {}}, "Found no resource in it"),
            ("--state", {"version": 3, "deployment": "v1:x"}, "as where the whole state is encrypted"),
            (
                "--state", {"version": 3, "deployment": {"resources": [{"urn": "urn:pulumi:d::p::pulumi:pulumi:Stack::s"}]}},
                "No resource in it judges what leaves",
            ),
        ],
    )  # fmt: skip
    def test_a_file_that_is_no_such_document_is_an_error(
        self, run: Run, tmp_path: Path, option: str, document: object, said: str
    ) -> None:
        made = run("explain", "cgr.dev", option, self.written(tmp_path, document))
        assert (made.code, made.out) == (1, "")
        assert "engine.json" in made.err
        assert said in made.err
        assert run("explain", "cgr.dev", option, tmp_path / "engine.json", "--json").rules == ["plan-file"]

    def test_a_pipe_is_refused_by_its_kind(self, run: Run, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        made = run("explain", "cgr.dev", "--state", tmp_path / "pipe")
        assert (made.code, "Found a pipe (FIFO)" in made.err) == (1, True)

    @pytest.mark.parametrize(
        "arguments",
        [
            ["--state", "a.json", "--preview", "b.json"],
            ["--sandbox", "--preview", "b.json"],
            ["--sandbox", "--state", __file__],
            ["--state", "."],
            ["--state", "a.json", "--catalog", REFERENCE],
        ],
        ids=lambda arguments: " ".join(each for each in arguments if each != __file__),
    )
    def test_several_snapshots_or_one_beside_a_plan_are_wrong_usage(self, run: Run, arguments: list[str]) -> None:
        assert run("explain", "cgr.dev", *arguments).code == 2


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("aws:rules", "aws:rules: the name is read after it"),
        ("azure:application-rules", "azure:application-rules: the firewall answers it itself, unlogged"),
        ("gcp:fqdn", None),
        ("aws:dns-firewall", None),
    ],
)
@pytest.mark.parametrize("protocol", ["https", "tcp"])
def test_it_is_said_once_where_a_tcp_connect_is_no_test(run: Run, target: str, why: str | None, protocol: str) -> None:
    said = run("explain", "cgr.dev", "--protocol", protocol, "--catalog", REFERENCE, "--target", target)
    assert said.out.count("proves nothing") == (why is not None)
    assert why is None or why in said.out


def test_of_datagrams_no_connect_is_spoken_of(run: Run) -> None:
    said = run("explain", "cgr.dev", "--protocol", "udp", "--port", "53", "--catalog", REFERENCE)
    assert "proves nothing" not in said.out


APART: dict[str, list[R]] = {
    "azure": [APP],
    "gcp": [gcp_rule("cgr.dev", policy="hub")],
    "aws": [NAMES],
    "proxy": [url_list("cgr.dev"), proxy_rule(policy="hub")],
    "gcp, with its policy": [GCP_POLICY, LIST, *gcp_denies()],
}
"""Rules of a stack whose policy others own, and one that it owns."""


@pytest.mark.parametrize("asked", ["--state", "--preview"])
@pytest.mark.parametrize("case", APART)
def test_what_stands_is_judged_where_reach_judges_it_with_the_same_assumptions(
    run: Run, tmp_path: Path, case: str, asked: str
) -> None:
    told = a_preview(APART[case])
    if asked == "--state":
        told = {"version": 3, "deployment": {"resources": [each["newState"] for each in told["steps"]]}}
    path = tmp_path / "stands.json"
    path.write_text(json.dumps(told))
    found = run("explain", "cgr.dev", asked, path, "--json")
    reached = run("reach", asked, path, "--catalog", REFERENCE, "--json")
    for answer, point in zip(found.json["targets"], reached.json["points"], strict=True):
        assert answer["place"] == point["place"]
        assert set(answer["assumptions"]) <= set(point["assumptions"])  # reach has what it adds of its own
    elsewhere = any(
        "not in what was read" in each for target in found.json["targets"] for each in target["assumptions"]
    )
    assert elsewhere is (case != "gcp, with its policy")
    assert (found.code, [each["verdict"] for each in found.json["targets"]]) == (0, ["allow"])
    assert [each["verdict"] for each in run("explain", "evil.example", asked, path, "--json").json["targets"]] == [
        "block"
    ]
