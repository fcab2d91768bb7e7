"""Components built over gRPC, as the engine does it for a program in another language."""

import json
import textwrap
from pathlib import Path
from typing import Any

import pytest
from pulumi.provider.server import ComponentInitError
from pulumi.runtime.proto import provider_pb2

import hostgate
from hostgate.flows.nodes import UNKNOWN
from hostgate.hosting import ComponentPackage
from hostgate.planning.targets import beside_targets, rows
from hostgate.sandbox.builtin_preview import preview
from hostgate.sandbox.resources import PreviewResource
from hostgate.sandbox.wire_values import SECRET_SIGNATURE, SIGNATURE

from .conftest import OURS
from .wire import (
    ALLOWLISTS,
    AWS,
    AZURE,
    COMPONENTS,
    DNS,
    GCP,
    PACKAGES,
    PROJECT,
    REFRESHER,
    STACK,
    Deployment,
    Package,
    Plugin,
    deployment,
    output,
    plugin,
)

Plugins = dict[str, Plugin]

REFERENCE = "chainguard/images@2024-03-28"
HOSTS: dict[str, Any] = {"catalogs": [REFERENCE], "asOf": "2026-11-01"}
NEEDS: dict[str, dict[str, Any]] = {"aws": {}, "gcp": {}, "azure": {"resourceGroup": "rg"}}
"""What a component needs beside hosts."""

ADOPTED = "arn:aws:network-firewall:eu-central-1:123456789012:stateful-rulegroup/old"
POLICY = "gcp:compute/networkFirewallPolicy:NetworkFirewallPolicy"
"""Any resource: only its URN counts."""

MANAGED = "arn:aws:network-firewall:REGION:aws-managed:stateful-rulegroup/ThreatSignaturesBotnetStrictOrder"
TLS = "arn:aws:network-firewall:eu-west-1:123456789012:tls-configuration/egress"

each_package = pytest.mark.parametrize("package", PACKAGES, ids=str)


def of_type(made: Any, ending: str) -> list[PreviewResource]:
    return [resource for resource in made.resources if resource.type.endswith(f":{ending}")]


def names(urns: Any) -> set[str]:
    return {urn.rpartition("::")[2] for urn in urns}


@each_package
def test_a_plugin_says_its_version_and_schema(package: Package, plugins: Plugins) -> None:
    assert plugins[package.cloud].version() == hostgate.__version__
    schema = json.loads(plugins[package.cloud].schema())
    assert (schema["name"], schema["version"]) == (package.name, hostgate.__version__)
    assert set(schema["resources"]) == {each.token for each in COMPONENTS if each.name == package.name}


SAME = [
    (AWS, {"phases": ["pull"], "base": 500, "tags": {"team": "platform"}, "homeNet": ["10.0.0.0/8"]}),
    (AWS, {"mechanism": "domain-list", "without": ["support"], "deny": "declared", "namePrefix": "egress"}),
    (AWS, {"catalogs": ["./ours.yaml"], "logAllowed": True}),
    (
        AWS,
        {
            "firewall": {
                "vpcId": "vpc-1",
                "subnetMappings": [{"subnetId": "subnet-1", "ipAddressType": "DUALSTACK"}, {"subnetId": "subnet-2"}],
                "deleteProtection": True,
            },
            "logging": [
                {
                    "logType": "ALERT",
                    "logDestinationType": "S3",
                    "logDestination": {"bucketName": "logs", "prefix": "a"},
                }
            ],
            "managedGroups": [{"arn": MANAGED, "priority": 7, "override": "DROP_TO_ALERT"}],
            "tlsInspection": TLS,
            "defaultActions": ["aws:drop_established_app_layer"],
            "region": "eu-west-1",
        },
    ),
    (AWS, {"firewall": {"transitGatewayId": "tgw-1", "availabilityZoneIds": ["euc1-az1"]}}),
    (
        AWS,
        {"deny": "declared", "share": {"principals": ["123456789012"], "allowExternalPrincipals": True}},
    ),
    (GCP, {"base": 3000, "networks": ["projects/p/global/networks/n"], "from": ["a@p.iam.gserviceaccount.com"]}),
    (GCP, {"attach": "projects/p/global/firewallPolicies/egress", "deny": "declared", "families": ["ipv4"]}),
    (
        GCP,
        {
            "accept": [
                {"finding": "google-name", "entry": "chainctl-downloads", "because": "Seen", "until": "2027-01-31"}
            ]
        },
    ),
    (AZURE, {"resourceGroup": "rg", "from": ["10.0.0.0/8"], "tier": "Premium", "location": "westeurope"}),
    (
        AZURE,
        {"attach": "rg-hub/fp-hub", "base": 3000, "deny": "declared", "choose": {"blob-storage": "r2-account-host"}},
    ),
]


@pytest.mark.parametrize(
    ("package", "inputs"), SAME, ids=lambda value: str(value) if isinstance(value, Package) else ""
)
def test_a_plugin_makes_what_the_python_component_makes(
    package: Package, inputs: dict[str, Any], plugins: Plugins, run: Deployment, tmp_path: Path
) -> None:
    """Type tokens, URNs, parents, inputs and dependencies: moving a program between languages changes nothing."""
    given = HOSTS | inputs
    (tmp_path / "Pulumi.yaml").write_text(f"name: {PROJECT}\nruntime: python\n")
    (tmp_path / "ours.yaml").write_text(OURS)
    (tmp_path / "__main__.py").write_text(
        textwrap.dedent(f"""
            import json
            from hostgate.{package.cloud} import {package.component}

            args = json.loads({json.dumps(given)!r})
            python = {{"asOf": "as_of", "from": "from_", "import": "import_", "homeNet": "home_net",
                "namePrefix": "name_prefix", "logAllowed": "log_allowed", "resourceGroup": "resource_group",
                "managedGroups": "managed_groups", "tlsInspection": "tls_inspection",
                "defaultActions": "default_actions"}}
            {package.component}("chainguard", {{python.get(key, key): value for key, value in args.items()}})
        """)
    )
    theirs = preview(tmp_path, STACK, {}).resources
    made = plugins[package.cloud].construct(run, "chainguard", given)
    assert not made.problems
    assert made.urn == made.resources[0].urn
    assert [_shape(each) for each in made.resources] == [_shape(each) for each in theirs if each.parent]
    assert {each.parent for each in made.resources[1:]} == {made.urn}


def test_what_is_there_already_is_adopted_by_its_id(plugins: Plugins, run: Deployment) -> None:
    made = plugins["aws"].construct(run, "chainguard", HOSTS | {"import": {"chainguard-allow": ADOPTED}})
    adopted = {
        each.urn.rpartition("::")[2]: str(each.options) for each in made.resources if ADOPTED in str(each.options)
    }
    assert list(adopted) == ["chainguard-allow"]


def _shape(resource: PreviewResource) -> tuple[object, ...]:
    return (
        resource.urn, resource.type, resource.parent, resource.inputs, resource.dependencies,
        resource.property_dependencies, resource.options,
    )  # fmt: skip


# Numbers: whole ones arrive as floats.


def test_whole_numbers_reach_the_cloud_as_whole_numbers(plugins: Plugins, run: Deployment) -> None:
    made = plugins["gcp"].construct(run, "chainguard", {**HOSTS, "base": 3000})
    priorities = [rule.inputs["priority"] for rule in of_type(made, "NetworkFirewallPolicyRule")]
    assert min(priorities) == 3000
    assert {type(priority) for priority in priorities} == {int}


def test_a_number_that_is_not_whole_is_refused(plugins: Plugins, run: Deployment) -> None:
    said = plugins["gcp"].refusal(run, "chainguard", {**HOSTS, "base": 3000.5})
    assert "`gcp:fqdn.base`: found 3000.5. Allowed: a whole number." in said


# Outputs: refused where reviewers and policies must see the value, taken where a resource is named.

PLAIN: list[tuple[dict[str, Any], str]] = [
    ({"catalogs": output([REFERENCE])}, "`catalogs`"),
    ({"catalogs": output(known=False)}, "`catalogs`"),
    ({"catalogs": UNKNOWN}, "`catalogs`"),
    ({"catalogs": [output(REFERENCE)]}, "`catalogs[0]`"),
    ({"catalogs": [REFERENCE, UNKNOWN]}, "`catalogs[1]`"),
    ({"phases": [output(known=False)]}, "`phases[0]`"),
    ({"base": output(500.0)}, "`base`"),
    ({"allowEmpty": output(True)}, "`allowEmpty`"),
    ({"accept": [{"finding": output("no-survey"), "because": "Seen"}]}, "`accept[0].finding`"),
    ({"accept": output([{"finding": "no-survey", "because": "Seen"}])}, "`accept`"),
    ({"accept": [output({"finding": "no-survey", "because": "Seen"})]}, "`accept[0]`"),
]  # fmt: skip


@pytest.mark.parametrize(("inputs", "place"), PLAIN, ids=lambda value: value if isinstance(value, str) else "")
def test_an_output_in_place_of_a_plain_value_is_refused(
    inputs: dict[str, Any], place: str, plugins: Plugins, run: Deployment
) -> None:
    said = plugins["aws"].refusal(run, "chainguard", HOSTS | inputs)
    assert f"{place}: found an output or a secret. Allowed: a plain value" in said
    assert len(said.splitlines()) == 2


def test_a_value_with_dependencies_is_an_output_to_the_plugin(plugins: Plugins, run: Deployment) -> None:
    """The engine tells of them beside the value when the program's SDK did not say it in the value."""
    depends = provider_pb2.ConstructRequest.PropertyDependencies(urns=[run.monitor.stack_urn])
    said = plugins["aws"].refusal(run, "chainguard", HOSTS, inputDependencies={"catalogs": depends})
    assert "`catalogs`: found an output" in said


@pytest.mark.parametrize(
    "hidden",
    [output("hunter2", secret=True), {SIGNATURE: SECRET_SIGNATURE, "value": "hunter2"}],
    ids=["output", "secret"],
)
@pytest.mark.parametrize("shape", ["{}", '{{"mode": {}}}', '{{"phases": [{}]}}', '{{"choose": {{"a": {}}}}}'])
def test_a_secret_is_never_shown_in_the_message(
    shape: str, hidden: dict[str, Any], plugins: Plugins, run: Deployment
) -> None:
    inputs = json.loads(shape.format(json.dumps(hidden))) if shape != "{}" else {"namePrefix": hidden}
    said = plugins["aws"].refusal(run, "chainguard", HOSTS | inputs)
    assert "found an output or a secret" in said
    assert "hunter2" not in said


@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
def test_a_policy_of_another_resource_is_taken_as_an_output(known: bool, plugins: Plugins, run: Deployment) -> None:
    theirs = run.register("gcp:compute/networkFirewallPolicy:NetworkFirewallPolicy", "theirs")
    inputs = {**HOSTS, "deny": "declared", "attach": output("p-id", known=known, on=[theirs])}
    made = plugins["gcp"].construct(run, "chainguard", inputs)
    (rule,) = of_type(made, "NetworkFirewallPolicyRule")
    assert rule.inputs["firewallPolicy"] == ("p-id" if known else UNKNOWN)
    assert theirs in rule.dependencies
    assert made.dependencies["policy"] == (theirs,)


def test_a_bare_unknown_is_taken_as_an_output_too(plugins: Plugins, run: Deployment) -> None:
    inputs = {**HOSTS, "attach": UNKNOWN, "deny": "declared"}
    (rule,) = of_type(plugins["gcp"].construct(run, "chainguard", inputs), "NetworkFirewallPolicyRule")
    assert rule.inputs["firewallPolicy"] is UNKNOWN


def test_networks_may_be_outputs_one_by_one_and_not_as_a_whole(plugins: Plugins, run: Deployment) -> None:
    inputs = {**HOSTS, "networks": ["projects/p/global/networks/a", output(known=False), UNKNOWN]}
    associations = of_type(plugins["gcp"].construct(run, "chainguard", inputs), "NetworkFirewallPolicyAssociation")
    assert [each.inputs["attachmentTarget"] for each in associations] == [
        "projects/p/global/networks/a",
        UNKNOWN,
        UNKNOWN,
    ]
    said = plugins["gcp"].refusal(run, "whole", {**HOSTS, "networks": output(["n"])})
    assert "`networks`: found an output" in said


@pytest.mark.parametrize("arn", [output(known=False), UNKNOWN], ids=["output", "bare"])
def test_an_ip_set_may_be_an_output_of_another_resource(arn: Any, plugins: Plugins, run: Deployment) -> None:
    sets = {"a": "arn:aws:x", "git": arn}
    inputs = {"catalogs": ["./plain.yaml"], "asOf": "2026-11-01", "ipSets": sets}
    made = plugins["aws"].construct(run, "chainguard", inputs)
    (group,) = (each for each in of_type(made, "RuleGroup") if each.name == "chainguard-address")
    ((reference,),) = (
        [each["ipSetReferences"]] for each in group.inputs["ruleGroup"]["referenceSets"]["ipSetReferences"]
    )
    assert reference == [{"referenceArn": UNKNOWN}]
    assert "`ipSets`: found an output" in plugins["aws"].refusal(
        run, "whole", {**inputs, "ipSets": output({"git": "x"})}
    )


def test_a_firewall_stands_where_other_resources_say(plugins: Plugins, run: Deployment) -> None:
    vpc, bucket = run.register(POLICY, "vpc"), run.register(POLICY, "bucket")
    place = {
        "vpcId": output("vpc-1", on=[vpc]),
        "subnetMappings": [{"subnetId": output(known=False)}, {"subnetId": "subnet-2"}],
    }
    alerts = {
        "logType": "ALERT",
        "logDestinationType": "S3",
        "logDestination": {"bucketName": output("logs", on=[bucket])},
    }
    inputs = {"firewall": place, "logging": [alerts], "tlsInspection": UNKNOWN}
    made = plugins["aws"].construct(run, "chainguard", HOSTS | inputs)
    (firewall,) = of_type(made, "Firewall")
    assert firewall.inputs["vpcId"] == "vpc-1"
    assert firewall.inputs["subnetMappings"] == [{"subnetId": UNKNOWN}, {"subnetId": "subnet-2"}]
    assert vpc in firewall.dependencies
    (logs,) = of_type(made, "LoggingConfiguration")
    configs: Any = logs.inputs["loggingConfiguration"]
    assert configs["logDestinationConfigs"][0]["logDestination"] == {"bucketName": "logs"}
    assert bucket in logs.dependencies
    (policy,) = of_type(made, "FirewallPolicy")
    body: Any = policy.inputs["firewallPolicy"]
    assert body["tlsInspectionConfigurationArn"] is UNKNOWN


@pytest.mark.parametrize(
    ("inputs", "place"),
    [
        (
            {"firewall": {"vpcId": "vpc-1", "subnetMappings": output([{"subnetId": "subnet-1"}])}},
            "`firewall.subnetMappings`",
        ),
        ({"firewall": output({"vpcId": "vpc-1"})}, "`firewall`"),
        ({"logging": [{"logType": output("ALERT")}]}, "`logging[0].logType`"),
    ],
    ids=str,
)
def test_what_decides_who_passes_or_sees_is_plain(
    inputs: dict[str, Any], place: str, plugins: Plugins, run: Deployment
) -> None:
    assert f"{place}: found an output or a secret" in plugins["aws"].refusal(run, "chainguard", HOSTS | inputs)


def test_a_resource_group_of_another_resource_is_taken_and_stays_secret(plugins: Plugins, run: Deployment) -> None:
    inputs = {**HOSTS, "resourceGroup": output("rg-hidden", secret=True)}
    made = plugins["azure"].construct(run, "chainguard", inputs)
    (policy,) = of_type(made, "FirewallPolicy")
    assert policy.inputs["resourceGroupName"] == "[secret]"


# Names, types and closed sets.

WRONG: list[tuple[Package, dict[str, Any], str]] = [
    (AWS, {"catalog": [REFERENCE]}, "`catalog` is no input here. Did you mean `catalogs`? Allowed: accept, addresses,"),
    (AWS, {"resourceGroup": "rg"}, "`resourceGroup` is no input here. Allowed:"),
    (AWS, {"home_net": ["10.0.0.0/8"]}, "`home_net` is no input here. Did you mean `homeNet`?"),
    (AWS, {"accept": [{"finding": "no-survey", "reason": "Seen"}]}, "`accept[0].reason` is no input here. Allowed: because,"),
    (AWS, {"catalogs": REFERENCE}, f"`catalogs`: found '{REFERENCE}'. Allowed: a list."),
    (AWS, {"phases": ["pull", 3]}, "`phases[1]`: found 3.0. Allowed: text."),
    (AWS, {"phases": ["pull", {}]}, "`phases[1]`: found a mapping. Allowed: text."),
    (AWS, {"base": "500"}, "`base`: found '500'. Allowed: a number."),
    (AWS, {"base": True}, "`base`: found true (a boolean). Allowed: a number."),
    (AWS, {"allowEmpty": "no"}, "`allowEmpty`: found 'no'. Allowed: true or false."),
    (AWS, {"tags": ["a"]}, "`tags`: found a list. Allowed: a mapping."),
    (AWS, {"tags": {"a": 1}}, '`tags["a"]`: found 1.0. Allowed: text.'),
    (AWS, {"accept": ["no-survey"]}, "`accept[0]`: found 'no-survey'. Allowed: a mapping."),
    (AWS, {"phases": ["pul"]}, "Found the phase 'pul'"),
    (AWS, {"mode": "strict"}, "`aws:rules.mode`: found 'strict'. Allowed: 'enforce' or 'audit'."),
    (AWS, {"mechanism": "proxy"}, "`mechanism`: found 'proxy'. Allowed: rules, domain-list."),
    (AWS, {"asOf": "tomorrow"}, "Found 'tomorrow'. Allowed: a date as YYYY-MM-DD."),
    (AWS, {"catalogs": ["./nowhere.yaml"]}, "nowhere.yaml"),
    (AWS, {"catalogs": ["chainguard/image@2024-03-28"]}, "Did you mean `chainguard/images`?"),
    (GCP, {"families": ["ipv5"]}, "ipv5"),
    (GCP, {"ids": ["r2-any-bucket"]}, "FQDN objects take exact names only"),
    (AZURE, {"tier": "premium"}, "'premium'"),
    (AZURE, {}, "chainguard: `resourceGroup` is missing"),
    (AWS, {"managedGroups": [{}]}, "`managedGroups[0].arn` is missing."),
    (AWS, {"logging": [{"logType": "ALERT"}]}, "`logging[0].logDestination` is missing.\n`logging[0].logDestinationType` is"),
    (AWS, {"reviewed": {"plan": "plan.json"}}, "`reviewed.digest` is missing."),
    (GCP, {"accept": [{"finding": "no-survey"}]}, "`accept[0].because` is missing."),
    (GCP, {"googleApis": {"access": "private"}}, "`googleApis.responsePolicy` is missing."),
]  # fmt: skip


@pytest.mark.parametrize(("package", "inputs", "told"), WRONG, ids=[f"{each[0]}-{each[2][:40]}" for each in WRONG])
def test_wrong_inputs_are_refused_with_the_reason_and_no_traceback(
    package: Package, inputs: dict[str, Any], told: str, plugins: Plugins, run: Deployment
) -> None:
    said = plugins[package.cloud].refusal(run, "chainguard", HOSTS | inputs)
    assert said.startswith("chainguard: ")
    assert told in said
    assert "Traceback" not in said
    assert "File " not in said
    assert [entry.type for entry in run.monitor.ordered()] == ["pulumi:pulumi:Stack"]


def test_all_wrong_inputs_are_told_at_once(plugins: Plugins, run: Deployment) -> None:
    inputs = {"catalogs": REFERENCE, "mode": output("audit"), "base": "500"}
    assert plugins["aws"].refusal(run, "chainguard", inputs).splitlines()[1:] == [
        "`base`: found '500'. Allowed: a number.",
        f"`catalogs`: found '{REFERENCE}'. Allowed: a list.",
        "`mode`: found an output or a secret. Allowed: a plain value, so that previews and policies see it.",
    ]


def test_a_refresher_in_another_language_is_told_the_same(plugins: Plugins, run: Deployment) -> None:
    """A key that the SDK requires and a program left out, one that is none, and what does not hold behind the border."""
    more = {"type": REFRESHER.token}
    inputs = {"catalogs": [REFERENCE], "subnetIds": ["subnet-1"], "vantag": "eu", "securityGroupIds": [output()]}
    _, misspelt, *missing = plugins["aws"].refusal(run, "pool", inputs, **more).splitlines()
    assert misspelt.startswith("`vantag` is no input here. Did you mean `vantage`? Allowed: acceptUnfit, ")
    assert missing == ["`bucket` is missing.", "`vantage` is missing."]
    whole = {**inputs, "bucket": output(), "imageUri": "image", "vantage": "two words", "everyMinutes": 0.0}
    said = plugins["aws"].refusal(run, "pool", {key: value for key, value in whole.items() if key != "vantag"}, **more)
    assert "`pool.every_minutes`: found 0." in said
    assert "`pool.vantage`: found 'two words'" in said
    assert "Traceback" not in said


BLANK: list[tuple[Any, str]] = [
    ({"phases": None}, "phases"),
    ({"phases": ["pull", None]}, "phases[1]"),
    ({"phases": [""]}, "phases[0]"),
    ({"mode": None}, "mode"),
    ({"mode": ""}, "mode"),
    ({"tags": None}, "tags"),
    ({"tags": {"owner": None}}, "tags.owner"),
    ({"base": None}, "base"),
    ({"reviewed": None}, "reviewed"),
    ({"accept": [None]}, "accept[0]"),
    ({"accept": [{"finding": "a", "because": "b", "until": None}]}, "accept[0].until"),
]


@pytest.mark.parametrize(("inputs", "place"), BLANK, ids=[place for _, place in BLANK])
def test_what_is_left_blank_is_refused_and_never_read_as_not_given(
    inputs: dict[str, Any], place: str, plugins: Plugins, run: Deployment
) -> None:
    _, said = plugins["aws"].refusal(run, "chainguard", HOSTS | inputs).splitlines()
    assert said.startswith(f"`{place}`: found ")
    assert said.endswith(". Allowed: a value; or leave it out.")


@each_package
def test_a_tag_without_a_value_is_fine(package: Package, plugins: Plugins, run: Deployment) -> None:
    inputs = {**HOSTS, **NEEDS[package.cloud], "tags": {"reviewed": ""}}
    assert not plugins[package.cloud].construct(run, "chainguard", inputs).problems


def test_a_second_component_of_a_package_is_constructed_by_its_token(plugins: Plugins, run: Deployment) -> None:
    vpc = run.register("aws:route53/resolverFirewallRuleGroup:ResolverFirewallRuleGroup", "stands-for-a-vpc")
    inputs = {**HOSTS, "vpcs": [output("vpc-0a1b2c3d", on=[vpc])], "base": 200.0, "blockResponse": "NXDOMAIN"}
    made = plugins["aws"].construct(run, "chainguard", inputs, type=DNS.token)
    assert not made.problems
    assert set(made.state) == {"ruleGroupId", "ruleGroupArn", "digest"}
    (association,) = of_type(made, "ResolverFirewallRuleGroupAssociation")
    assert (association.inputs["vpcId"], association.inputs["priority"]) == ("vpc-0a1b2c3d", 200)
    assert {rule.inputs.get("blockResponse") for rule in of_type(made, "ResolverFirewallRule")} == {None, "NXDOMAIN"}


@pytest.mark.parametrize("package", COMPONENTS, ids=str)
def test_the_example_of_the_documentation_holds(package: Package, plugins: Plugins, run: Deployment) -> None:
    [example] = {
        json.dumps(example)
        for place, example in (*((each.component, each.example) for each in rows()), *beside_targets("aws").items())
        if place.startswith(f"hostgate.{package.cloud}.") and place.endswith(f":{package.component}") and example
    }
    as_of = {"asOf": HOSTS["asOf"]} if package in ALLOWLISTS else {}
    inputs = {"catalogs": ["chainguard/images@2026-02-23"], **as_of, **json.loads(example)}
    more = {"type": package.token}
    assert not plugins[package.cloud].construct(run, "vendors", inputs, **more).problems


def test_closed_sets_in_lists_arrive_as_they_were_sent(plugins: Plugins, run: Deployment) -> None:
    """The SDK loses the values of a list of enums; ours are lists of text."""
    made = plugins["aws"].construct(run, "chainguard", {**HOSTS, "phases": ["pull", "cli"], "parties": ["third"]})
    outcomes = {said.split()[0] for said in made.resources[0].inputs["decisions"].values()}
    assert outcomes == {"allowed", "covered", "left-out"}


# Outputs of the component.


def test_outputs_have_the_names_and_the_dependencies_of_the_schema(plugins: Plugins, run: Deployment) -> None:
    made = plugins["aws"].construct(run, "chainguard", HOSTS)
    assert set(made.state) == {
        "references", "policyArn", "firewallArn", "endpoints", "associatedEndpoints", "shareArn", "digest",
    }  # fmt: skip
    assert made.state["digest"] == made.resources[0].inputs["digest"]
    assert names(made.dependencies["references"]) == {"chainguard-allow", "chainguard-edge"}
    assert names(made.dependencies["policyArn"]) == {"chainguard"}


def test_keys_in_lists_of_objects_are_those_of_the_schema(plugins: Plugins) -> None:
    with deployment(up=True) as done:
        made = plugins["aws"].construct(done, "chainguard", HOSTS, dryRun=False)
    assert made.state["references"] == [
        {"resourceArn": "arn:chainguard-edge", "priority": 1500},
        {"resourceArn": "arn:chainguard-allow", "priority": 3000},
    ]
    assert made.state["policyArn"] == "arn:chainguard"


# What a resource inherits.


def test_providers_and_waits_reach_every_child(plugins: Plugins, run: Deployment) -> None:
    west = run.register("pulumi:providers:aws", "west", region="us-west-2")
    first = run.register("aws:networkfirewall/firewallPolicy:FirewallPolicy", "first")
    made = plugins["aws"].construct(
        run, "chainguard", HOSTS, providers={"aws": f"{west}::west-id"}, dependencies=[first], protect=True
    )
    ours = [child for child in made.resources if child.parent == made.urn]
    assert len(ours) == 3
    for child in ours:
        assert child.provider == west
        assert first in child.dependencies
        assert child.options.protect


def test_findings_are_logged_at_the_component(plugins: Plugins, run: Deployment) -> None:
    before = len(plugins["aws"].said)
    made = plugins["aws"].construct(run, "logged", HOSTS)
    said = plugins["aws"].said[before:]
    assert any(each.message.startswith("from-everything: ") and each.urn == made.urn for each in said)
    assert [each.severity for each in said] == ["info", *["warning"] * (len(said) - 1)]


ALL_OF_IT = (
    "13 of 13 hosts of chainguard/images@2024-03-28 selected: everything, because no phases, parties, purposes, directions, ids "
    "or without are given"
)
SELECTED: list[tuple[dict[str, Any], str]] = [
    ({}, ALL_OF_IT),
    ({"phases": ["pull"]}, "5 of 13 hosts of chainguard/images@2024-03-28 selected: phases pull; left out: 8"),
    (
        {"phases": ["pull", "build"], "without": ["r2-any-bucket"]},
        "6 of 13 hosts of chainguard/images@2024-03-28 selected: phases pull, build; without r2-any-bucket; left out: 7",
    ),
    (
        {"parties": ["first", "third"]},
        "13 of 13 hosts of chainguard/images@2024-03-28 selected: parties first, third; left out: 0",
    ),
]


@pytest.mark.parametrize(("inputs", "line"), SELECTED, ids=["everything", "a phase", "two lists", "all by name"])
def test_what_is_selected_is_said_in_one_line_at_the_component(
    inputs: dict[str, Any], line: str, plugins: Plugins, run: Deployment
) -> None:
    before = len(plugins["aws"].said)
    made = plugins["aws"].construct(run, "said", HOSTS | inputs)
    assert [each.message for each in plugins["aws"].said[before:] if each.severity == "info"] == [line]
    assert all(each.urn == made.urn for each in plugins["aws"].said[before:])


@each_package
def test_an_input_that_a_generated_sdk_dropped_shows_as_everything(
    package: Package, plugins: Plugins, run: Deployment
) -> None:
    """`phase: ["pull"]` in a variable: the SDK sends the keys that it knows, so nothing of it arrives."""
    before = len(plugins[package.cloud].said)
    plugins[package.cloud].construct(run, "dropped", HOSTS | NEEDS[package.cloud])
    assert ALL_OF_IT in [each.message for each in plugins[package.cloud].said[before:]]


def test_two_components_are_made_at_the_same_time(plugins: Plugins, run: Deployment) -> None:
    calls = [plugins["aws"].request(run, f"team-{number}", HOSTS) for number in range(4)]
    urns = {call.result().urn for call in calls}
    assert names(urns) == {"team-0", "team-1", "team-2", "team-3"}
    children = [entry for entry in run.monitor.ordered() if entry.parent in urns]
    assert len(children) == 12


def test_a_plugin_goes_on_after_a_refusal(plugins: Plugins, run: Deployment) -> None:
    plugins["aws"].refusal(run, "chainguard", {"catalogs": []})
    assert plugins["aws"].construct(run, "chainguard", HOSTS).resources


# Where relative paths begin.


@pytest.mark.parametrize("below", [".", "src", "src/deep"])
def test_relative_paths_begin_at_the_folder_of_the_project_file(below: str, consumer: Path) -> None:
    """A plugin is started in the folder of the program, which `main` may put below that of Pulumi.yaml."""
    folder = consumer / below
    folder.mkdir(parents=True, exist_ok=True)
    with plugin(AWS, folder) as started, deployment() as here:
        made = started.construct(here, "ours", {"catalogs": ["./ours.yaml"]})
    assert made.resources[0].inputs["catalogs"] == ["acme/ours"]


def test_a_relative_path_without_a_project_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ours.yaml").write_text(OURS)
    with plugin(AWS, tmp_path) as started, deployment() as here:
        said = started.refusal(here, "ours", {"catalogs": [REFERENCE, "./ours.yaml", "~nobody-has-this/ours.yaml"]})
        assert started.construct(here, "ours", {"catalogs": [str(tmp_path / "ours.yaml")]}).resources
    assert "`catalogs[1]`: found the relative path './ours.yaml'" in said
    assert "`catalogs[2]`: found the relative path '~nobody-has-this/ours.yaml'" in said
    assert f"none at or above {tmp_path}. Give an absolute path." in said


def test_a_defect_of_the_component_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    from hostgate.aws import NetworkFirewallAllowlist

    package = ComponentPackage(AWS.name, NetworkFirewallAllowlist)

    def broken(*_: object) -> None:
        raise KeyError("a defect")

    monkeypatch.setitem(package._components, AWS.component, broken)
    with pytest.raises(ComponentInitError):
        package.construct("chainguard", AWS.token, HOSTS)
