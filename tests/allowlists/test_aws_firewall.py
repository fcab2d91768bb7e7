"""A firewall, its logs, managed groups, Regions and shares, in a stack of one's own."""

from typing import Any

import pytest

from hostgate.flows.nodes import UNKNOWN
from hostgate.sandbox.preview_problems import PreviewError
from hostgate.sandbox.resources import Preview, PreviewResource

from .conftest import Run

BOTNETS = "arn:aws:network-firewall:{}:aws-managed:stateful-rulegroup/ThreatSignaturesBotnetStrictOrder"

START = f"""
    import pulumi
    import hostgate
    from hostgate.aws import NetworkFirewallAllowlist

    hosts = hostgate.select("chainguard/images@2024-03-28", phases=["pull"])
    vpc = {{"vpc_id": "vpc-1", "subnet_mappings": [{{"subnet_id": "subnet-1"}}]}}
    alerts = {{"log_type": "ALERT", "log_destination_type": "S3", "log_destination": {{"bucketName": "logs"}}}}
    botnets = {{"arn": "{BOTNETS.format("REGION")}"}}
"""


def of_type(made: Preview, type_: str) -> list[PreviewResource]:
    return [resource for resource in made.resources if resource.type.endswith(f":{type_}")]


def the(made: Preview, type_: str) -> Any:
    (found,) = of_type(made, type_)
    return found


def after(resource: PreviewResource) -> set[str]:
    return {urn.rpartition("::")[2] for urn in resource.dependencies}


def test_a_firewall_comes_after_its_policy_and_its_logs_after_it(run: Run) -> None:
    made = run(
        START + '    NetworkFirewallAllowlist("c", hosts=hosts, firewall=vpc, logging=[alerts], tags={"a": "b"})'
    )
    firewall, logs = the(made, "Firewall"), the(made, "LoggingConfiguration")
    assert (firewall.name, after(firewall), after(logs)) == ("c-firewall", {"c"}, {"c-firewall"})
    assert str(firewall.inputs["name"]).startswith("c-firewall-")  # left to the engine: made before the old one goes
    assert firewall.inputs["firewallPolicyArn"] is UNKNOWN
    assert firewall.inputs["tags"] == {"a": "b"}
    assert [firewall.inputs[key] for key in ("deleteProtection", "firewallPolicyChangeProtection")] == [False, False]
    assert {resource.options.delete_before_replace for resource in (firewall, logs)} == {False}


def test_places_may_be_outputs_of_other_resources_and_stay_so(run: Run) -> None:
    made = run(
        START
        + """
    def later(value):
        return pulumi.Output.from_input(value)

    place = {"vpc_id": later("vpc-1"), "subnet_mappings": [{"subnet_id": "subnet-1"}, {"subnet_id": later("subnet-2")}]}
    buckets = [{**alerts, "log_type": "FLOW"}, {**alerts, "log_destination": {"bucketName": later("others"), "prefix": "x"}}]
    NetworkFirewallAllowlist("c", hosts=hosts, firewall=place, logging=buckets)
    """
    )
    firewall: Any = the(made, "Firewall").inputs
    assert firewall["vpcId"] == "vpc-1"
    assert firewall["subnetMappings"] == [{"subnetId": "subnet-1"}, {"subnetId": "subnet-2"}]
    configs = the(made, "LoggingConfiguration").inputs["loggingConfiguration"]["logDestinationConfigs"]
    assert {config["logType"]: config["logDestination"] for config in configs} == {
        "ALERT": {"bucketName": "others", "prefix": "x"},
        "FLOW": {"bucketName": "logs"},
    }


def test_keys_are_taken_as_python_and_as_yaml_spell_them(run: Run) -> None:
    python = run(START + '    NetworkFirewallAllowlist("c", hosts=hosts, firewall=vpc)')
    yaml = run(
        START
        + """
    place = {"vpcId": pulumi.Output.from_input("vpc-1"), "subnetMappings": [{"subnetId": "subnet-1"}]}
    NetworkFirewallAllowlist("c", {"catalogs": ["chainguard/images@2024-03-28"], "phases": ["pull"], "firewall": place})
    """
    )
    assert the(yaml, "Firewall").inputs == the(python, "Firewall").inputs


def test_managed_groups_stand_before_the_plans_own_in_the_components_region(run: Run) -> None:
    made = run(
        START
        + """
    watched = {**botnets, "override": "DROP_TO_ALERT", "priority": 7.0}
    NetworkFirewallAllowlist("c", {"managed_groups": [watched]}, hosts=hosts, region="us-east-1")
    """
    )
    references = the(made, "FirewallPolicy").inputs["firewallPolicy"]["statefulRuleGroupReferences"]
    assert references == [
        {"resourceArn": BOTNETS.format("us-east-1"), "priority": 7, "override": {"action": "DROP_TO_ALERT"}},
        {"resourceArn": UNKNOWN, "priority": 1500},
        {"resourceArn": UNKNOWN, "priority": 3000},
    ]


def test_one_plan_serves_several_regions(run: Run) -> None:
    made = run(
        START
        + """
    plan = hostgate.plan(hosts, target="aws:rules", name="vendors")
    for region in ("eu-central-1", "us-east-1"):
        NetworkFirewallAllowlist(f"vendors-{region}", plan=plan, region=region)
    """
    )
    components = of_type(made, "NetworkFirewallAllowlist")
    assert len({component.inputs["digest"] for component in components}) == 1
    assert [component.inputs["region"] for component in components] == ["eu-central-1", "us-east-1"]
    for resource in made.resources:
        if resource.parent and "Allowlist" in resource.parent:
            assert str(resource.inputs["region"]) in resource.parent
            assert resource.name.startswith(f"vendors-{resource.inputs['region']}")


def test_a_stack_with_regions_makes_its_plan_in_each_and_exports_each(run: Run) -> None:
    program = "    from hostgate.program import run\n    run()\n"
    config = {
        "hostgate:catalogs": '["chainguard/images@2024-03-28"]',
        "hostgate:aws": '{"regions": ["eu-central-1", "us-east-1"], "from": ["10.0.0.0/8"]}',
    }
    made = run(program, config)
    assert [each.name for each in of_type(made, "NetworkFirewallAllowlist")] == [
        "hostgate-eu-central-1",
        "hostgate-us-east-1",
    ]
    exported: Any = made.outputs["aws"]
    assert set(exported) == {"eu-central-1", "us-east-1"}
    assert exported["eu-central-1"]["digest"] == exported["us-east-1"]["digest"]


def test_a_share_has_the_groups_before_anybody_joins(run: Run) -> None:
    made = run(
        START
        + """
    NetworkFirewallAllowlist("c", hosts=hosts, deny="declared", share={"principals": [
        "210987654321", "arn:aws:organizations::123456789012:organization/o-acme"
    ]})
    """
    )
    share, members = the(made, "ResourceShare"), of_type(made, "ResourceAssociation")
    assert share.inputs["allowExternalPrincipals"] is False
    assert sorted(sorted(after(member)) for member in members) == [["c-allow", "c-share"], ["c-edge", "c-share"]]
    joined = of_type(made, "PrincipalAssociation")
    assert {each.name for each in joined} == {"c-share-210987654321", "c-share-o-acme"}
    assert all(after(each) == {"c-share", "c-share-edge", "c-share-allow"} for each in joined)


@pytest.mark.usefixtures("filled")
def test_an_adopted_share_keeps_its_name(run: Run) -> None:
    arn = "arn:aws:ram:eu-central-1:123456789012:resource-share/0a"
    call = 'NetworkFirewallAllowlist("c", hosts=hosts, deny="declared", share={"principals": ["210987654321"]}'
    made = run(START + f'    {call}, import_={{"c-share": "{arn}"}})')
    assert the(made, "ResourceShare").options.import_id == arn
    assert the(made, "ResourceShare").options.ignore_changes == ("name",)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ('"c", hosts=hosts, managed_groups=[botnets]', "found REGION in arn:aws:"),
        (
            f'"c", hosts=hosts, region="us-east-1", managed_groups=[{{"arn": "{BOTNETS.format("eu-west-1")}"}}]',
            "for a policy of us-east-1",
        ),
        (
            '"c", hosts=hosts, region="us-east-1", tls_inspection="arn:aws:network-firewall:eu-west-1:1:tls-configuration/x"',
            "for a policy of us-east-1",
        ),
        ('"c", hosts=hosts, regions=["us-east-1"]', "`regions` is of a stack"),
        ('"c", hosts=hosts, regions=["us-east-1"], region="eu-west-1"', "Found: eu-west-1."),
        ('"c", {"region": "us-east-1"}, hosts=hosts, region="us-east-1"', "`region` is given twice"),
        ('"c", hosts=hosts, region="Frankfurt"', "`region`: found 'Frankfurt'"),
        ('"c", hosts=hosts, region=pulumi.Output.from_input("Frankfurt")', "`region`: found 'Frankfurt'"),
        (
            '"c", hosts=hosts, firewall={**vpc, "delete_protection": pulumi.Output.from_input(True)}',
            "`firewall.delete_protection` is an Output",
        ),
        ('"c", hosts=hosts, firewall=pulumi.Output.from_input(vpc)', "`firewall` is an Output. Allowed: a mapping"),
        ('"c", hosts=hosts, logging=pulumi.Output.from_input([alerts])', "`logging` is an Output. Allowed: a list"),
        ('"c", hosts=hosts, managed_groups=[{"priority": pulumi.Output.from_input(1)}]', "[0].priority` is an Output"),
        ('"c", hosts=hosts, from_=[pulumi.Output.from_input("10.0.0.0/8")]', "`from_[0]` is an Output. Allowed: a plain value"),
        ('"c", hosts=hosts, deny="declared", firewall=vpc', "owned elsewhere"),
        ('"c", hosts=hosts, firewall={**vpc, "vpc": "vpc-1"}', "`aws:rules.firewall.vpc` is no key here"),
    ],
)  # fmt: skip
def test_wrong_inputs_stop_with_the_reason_before_anything_is_registered(run: Run, call: str, said: str) -> None:
    with pytest.raises(PreviewError) as failed:
        run(START + f"    NetworkFirewallAllowlist({call})")
    assert said in str(failed.value)
    assert "Traceback" not in str(failed.value)
