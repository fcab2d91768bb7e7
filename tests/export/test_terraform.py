"""The exported resources with the real program and the real provider: what the API receives is the plan's own body.

`HOSTGATE_TERRAFORM_PLUGINS` names a folder of providers (a filesystem mirror); without it nothing is fetched, and the
checks are skipped.
"""

import json
import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from conformance.catalogs import entry, selection
from export.test_terraform_clouds import behind, resources, run
from hostgate.aws.resources import TYPES as ROWS
from hostgate.catalog.problems import InputError
from hostgate.export.terraform_aws import REPEATED, TYPES, export_terraform
from hostgate.planning.plan import Plan, plan

PLUGINS = os.environ.get("HOSTGATE_TERRAFORM_PLUGINS", "")
HOSTS = [
    entry("cgr.dev"),
    entry("apk.cgr.dev", match="subtree+apex", port=8443),
    entry("plain.example", protocol="http", port=80),
]
ARN = "arn:aws:ec2:eu-central-1:000000000000"
PLANS: dict[str, tuple[str, dict[str, Any]]] = {
    "rules": ("aws:rules", {}),
    "rules by address": (
        "aws:rules",
        {"addresses": {"cgr-dev": ["203.0.113.7/32"]}, "homeNet": ["10.0.0.0/8", "fd00::/8"]},
    ),
    "rules from a pool": (
        "aws:rules",
        {"hostAddresses": {"cgr.dev": ["203.0.113.7", "2001:db8::7"]}, "homeNet": ["10.0.0.0/8", "fd00::/8"]},
    ),
    "rules by prefix list": ("aws:rules", {"ipSets": {"cgr-dev": f"{ARN}:prefix-list/pl-0123456789abcdef0"}}),
    "audit": ("aws:rules", {"mode": "audit"}),
    "reject": ("aws:rules", {"reject": True}),
    "domain-list": ("aws:domain-list", {}),
    "queries": (
        "aws:dns-firewall",
        {"vpcs": ["vpc-0123456789abcdef0"], "inside": ["corp.example"], "tags": {"CostCenter": "1"}},
    ),
    "queries by audit": (
        "aws:dns-firewall",
        {"mode": "audit", "vpcs": ["vpc-0fedcba9876543210"], "failMode": "unset", "mutationProtection": True},
    ),
    "queries in a profile": ("aws:dns-firewall", {"profiles": ["rp-0123456789abcdef"], "base": 101}),
    "queries overridden": (
        "aws:dns-firewall",
        {"blockResponse": "OVERRIDE", "overrideDomain": "blocked.example", "overrideTtl": 60},
    ),
    "tags": ("aws:rules", {"tags": {"CostCenter": "4711", "odd ${key}": "%{value}"}}),
}


def planned(name: str) -> Plan:
    target, options = PLANS[name]
    hosts = (
        [entry("cgr.dev", protocol="tcp"), *HOSTS[1:]]
        if {"addresses", "hostAddresses", "ipSets"} & options.keys()
        else HOSTS
    )
    return plan(selection(hosts), target, options, name=name.replace(" ", "-"))


class Api(BaseHTTPRequestHandler):
    """As much of the APIs as the provider asks to make what plans have and to read it."""

    kept: dict[str, dict[str, Any]]

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/profileresourceassociation":
            self.kept[asked["Name"]] = {**asked, "Id": asked["Name"], "OwnerId": "000000000000", "Status": "COMPLETE"}
            return self.answer(200, {"ProfileResourceAssociation": self.kept[asked["Name"]]})
        service, _, action = self.headers["X-Amz-Target"].partition(".")
        if service == "Route53Resolver":
            return self.resolver(action, asked)
        kind = "RuleGroup" if "RuleGroup" in action else "FirewallPolicy"
        name = asked.get(f"{kind}Name") or asked.get(f"{kind}Arn", "").rpartition("/")[2]
        if action.startswith("Create"):
            self.kept[name] = asked
        if action.startswith("Update"):
            self.kept[name] = {**self.kept[name], kind: asked[kind]}
        if name not in self.kept:
            return self.answer(400, {"__type": "ResourceNotFoundException", "message": name})
        held = self.kept[name]
        if action.startswith("Delete"):
            if any(f'/{name}"' in json.dumps(each) for each in self.kept.values()):
                return self.answer(400, {"__type": "InvalidRequestException", "message": f"{name} is in use"})
            del self.kept[name]
        answer = {
            "UpdateToken": "1",
            kind: held[kind],
            f"{kind}Response": {
                f"{kind}Arn": f"arn:aws:network-firewall:eu-central-1:000000000000:stateful-rulegroup/{name}",
                f"{kind}Id": "00000000-0000-0000-0000-000000000000",
                f"{kind}Name": name,
                f"{kind}Status": "ACTIVE",
                **{key: held[key] for key in ("Type", "Capacity", "Description", "Tags") if key in held},
            },
        }
        return self.answer(200, answer)

    def do_GET(self) -> None:
        """Of Route 53 Profiles, whose API has paths in place of actions."""
        self.answer(200, {"ProfileResourceAssociation": self.kept[self.path.rpartition("/")[2]]})

    def resolver(self, action: str, asked: dict[str, Any]) -> None:
        """The same of DNS Firewall: what is made has its name as its id, and rules are listed by their group."""
        verb, _, kind = action.partition("Firewall")
        if action == "ListTagsForResource":
            return self.answer(200, {"Tags": self.kept[asked["ResourceArn"].rpartition("/")[2]].get("Tags", [])})
        if action == "ListFirewallDomains":
            return self.answer(200, {"Domains": self.kept[asked["FirewallDomainListId"]]["Domains"]})
        if action == "UpdateFirewallDomains":
            assert asked["Operation"] in ("ADD", "REPLACE")
            self.kept[asked["FirewallDomainListId"]]["Domains"] = asked["Domains"]
            return self.answer(200, {"Id": asked["FirewallDomainListId"], "Status": "COMPLETE"})
        if action == "ListFirewallRules":
            rules = [
                each for each in self.kept.values() if each.get("FirewallRuleGroupId") == asked["FirewallRuleGroupId"]
            ]
            return self.answer(200, {"FirewallRules": [each for each in rules if "FirewallDomainListId" in each]})
        if action in ("ListFirewallConfigs", "GetFirewallConfig", "UpdateFirewallConfig"):
            if verb == "Update":
                name = f"queries-fail-{asked['ResourceId']}"
                self.kept[name] = {**asked, "Id": name, "OwnerId": "000000000000"}
            found = [each for name, each in self.kept.items() if "-fail-" in name]
            return self.answer(200, {"FirewallConfigs": found, "FirewallConfig": found[0] if found else {}})
        if verb in ("Create", "Associate"):
            name = asked["Name"]
            arn = f"arn:aws:route53resolver:eu-central-1:000000000000:firewall-{kind.lower()}/{name}"
            self.kept[name] = {**asked, "Id": name, "Arn": arn, "Status": "COMPLETE"}
        else:
            name = next(asked[key] for key in asked if key.startswith("Firewall"))
        held = {"OwnerId": "000000000000", "DomainCount": len(self.kept[name].get("Domains", ())), **self.kept[name]}
        kinds = ("FirewallDomainList", "FirewallRuleGroup", "FirewallRule", "FirewallRuleGroupAssociation")
        return self.answer(200, dict.fromkeys(kinds, held))

    def answer(self, code: int, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def api() -> Iterator[tuple[int, dict[str, dict[str, Any]]]]:
    kept: dict[str, dict[str, Any]] = {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Kept", (Api,), {"kept": kept}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port, kept
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("program", ["terraform", "tofu"])
def test_the_provider_sends_the_bodies_of_the_plan(
    program: str, api: tuple[int, dict[str, dict[str, Any]]], tmp_path: Path
) -> None:
    needs(program)
    port, kept = api
    plans = [planned(name) for name in PLANS]
    write(tmp_path, plans, port)
    run(program, tmp_path, "init", "-input=false", f"-plugin-dir={PLUGINS}")  # from the folder, and from nowhere else
    run(program, tmp_path, "apply", "-input=false", "-auto-approve")
    objects = [each for made in plans for each in made.objects]
    assert kept.keys() == {each.name for each in objects}
    for each in objects:
        assert each.body.keys() <= kept[each.name].keys()
        assert _plain(kept[each.name], each.body) == _plain(each.body, each.body)
    assert "No changes" in run(program, tmp_path, "plan", "-input=false")


@pytest.mark.parametrize("program", ["terraform", "tofu"])
def test_a_group_goes_only_once_no_policy_refers_to_it(
    program: str, api: tuple[int, dict[str, dict[str, Any]]], tmp_path: Path
) -> None:
    needs(program)
    port, kept = api
    for hosts in (HOSTS, HOSTS[:1]):  # the second list has no plain HTTP, and no group for it
        made = plan(selection(hosts), "aws:domain-list")
        write(tmp_path, [made], port)
        run(program, tmp_path, "init", "-input=false", f"-plugin-dir={PLUGINS}")
        run(program, tmp_path, "apply", "-input=false", "-auto-approve")
        assert kept.keys() == {each.name for each in made.objects}
    assert "hostgate-list-http" not in kept


def needs(program: str) -> None:
    if shutil.which(program) is None or not Path(PLUGINS or "/nowhere").is_dir():
        pytest.skip(f"needs {program} on PATH, and HOSTGATE_TERRAFORM_PLUGINS with the provider of AWS")


def write(folder: Path, plans: Sequence[Plan], port: int, region: str = "eu-central-1") -> None:
    """The files of `plans`, and a provider that asks the API on loopback."""
    for file, text in (each for made in plans for each in export_terraform(made).items()):
        (folder / file).write_text(text)
    skips = ("credentials_validation", "requesting_account_id", "metadata_api_check", "region_validation")
    provider = {
        "region": region,
        "access_key": "x",
        "secret_key": "x",
        **{f"skip_{each}": True for each in skips},
        "endpoints": dict.fromkeys(
            ("ec2", "networkfirewall", "route53profiles", "route53resolver"), f"http://127.0.0.1:{port}"
        ),
    }
    required = {"required_providers": {"aws": {"source": "hashicorp/aws"}}}
    (folder / "provider.tf.json").write_text(json.dumps({"terraform": required, "provider": {"aws": provider}}))


def _plain(value: Any, like: Any) -> Any:
    """`value` as far as the plan says it: sets in order, and ARNs by their names."""
    if isinstance(value, dict):
        return {key: _plain(value[key], item) for key, item in like.items()}
    if isinstance(value, list | tuple):
        pairs = [_plain(item, like[0]) for item in value]
        return sorted(pairs, key=lambda each: json.dumps(each, sort_keys=True))
    return value.rpartition("/")[2] if isinstance(value, str) and value.startswith("arn:") else value


@pytest.mark.parametrize("name", sorted(PLANS))
def test_every_object_is_a_resource_with_all_that_its_body_says(name: str) -> None:
    made = planned(name)
    ((file, text),) = export_terraform(made).items()
    assert file == f"{made.options.name}.{made.target.replace(':', '-')}.tf.json"
    resources = json.loads(text)["resource"]
    assert {key for one in resources.values() for key in one} == {each.name for each in made.objects}
    assert text.count("${aws_networkfirewall_rule_group.") == sum(
        each.kind == "AWS::NetworkFirewall::RuleGroup" for each in made.objects
    )
    assert "REGION" not in text


@pytest.mark.parametrize(
    ("name", "late", "early"),
    [
        ("queries", "rule.queries-block", "rule.queries-allow"),
        ("queries", "rule.queries-allow", "rule.queries-guard-first"),
        ("queries", "rule.queries-guard-last", "rule.queries-allow"),
        ("queries", "rule_group_association.queries-vpc-0123456789abcdef0", "rule.queries-block"),
        (
            "queries",
            "rule_group_association.queries-vpc-0123456789abcdef0",
            "config.queries-fail-vpc-0123456789abcdef0",
        ),
        ("queries by audit", "rule.queries-by-audit-allow", "rule.queries-by-audit-audit"),
    ],
)
def test_rules_of_queries_come_kind_after_kind_and_a_group_is_associated_whole(
    name: str, late: str, early: str
) -> None:
    target, options = PLANS[name]
    wide = entry("wide.example", match="subtree")
    found = resources(plan(selection([*HOSTS, wide]), target, options, name=name.replace(" ", "-")))
    prefix = "aws_route53_resolver_firewall_"
    assert f"{prefix}{early}" in behind(found, f"{prefix}{late}")


def test_a_text_is_never_a_template() -> None:
    made = plan(selection([entry("cgr.dev", "e")]), "aws:rules")
    objects = [each for each in made.objects if each.kind.endswith("RuleGroup")]
    body = {**objects[0].body, "Description": 'a ${file("/etc/passwd")} %{if true}'}
    ((_, text),) = export_terraform(replace(made, objects=(replace(objects[0], body=body),))).items()
    group = json.loads(text)["resource"]["aws_networkfirewall_rule_group"][objects[0].name]
    assert group["description"] == 'a $${file("/etc/passwd")} %%{if true}'


@pytest.mark.parametrize(
    "options",
    [
        {"attach": "arn:aws:network-firewall:eu-central-1:000000000000:firewall-policy/theirs"},
        {"firewall": {"vpcId": "vpc-0123456789abcdef0", "subnetMappings": [{"subnetId": "subnet-0123456789abcdef0"}]}},
    ],
)
def test_what_a_module_has_to_make_itself_is_refused(options: dict[str, Any]) -> None:
    made = plan(selection(HOSTS), "aws:rules", options)
    with pytest.raises(InputError, match="the rest is your module's"):
        export_terraform(made)


def test_the_kinds_are_those_of_the_resource_rows_and_no_plural_is_left_over() -> None:
    assert set(TYPES) <= {row.kind for row in ROWS.values()}
    written = "".join(text for name in PLANS for text in export_terraform(planned(name)).values())
    assert not [plural for plural in REPEATED if f'"{plural}"' in written]
