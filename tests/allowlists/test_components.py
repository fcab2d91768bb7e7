"""The three components as a team uses them in a stack of its own."""

import json
import re
from typing import Any

import pytest

from hostgate.flows.nodes import UNKNOWN
from hostgate.sandbox.preview_problems import PreviewError
from hostgate.sandbox.resources import Preview, PreviewResource

from .conftest import Run

GROUP = "aws:networkfirewall/ruleGroup:RuleGroup"
AWS_POLICY = "aws:networkfirewall/firewallPolicy:FirewallPolicy"
GCP_POLICY = "gcp:compute/networkFirewallPolicy:NetworkFirewallPolicy"
GCP_RULE = "gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule"
GCP_ASSOCIATION = "gcp:compute/networkFirewallPolicyAssociation:NetworkFirewallPolicyAssociation"
AZURE_POLICY = "azure-native:network:FirewallPolicy"
AZURE_GROUP = "azure-native:network:FirewallPolicyRuleCollectionGroup"


def of_type(made: Preview, type_: str) -> list[PreviewResource]:
    return [resource for resource in made.resources if resource.type == type_]


def the(made: Preview, type_: str, name: str | None = None) -> PreviewResource:
    (found,) = [resource for resource in of_type(made, type_) if name in (None, resource.name)]
    return found


def names(made: Preview) -> set[str]:
    return {resource.name for resource in made.resources if resource.custom}


AWS = """
    import hostgate
    from hostgate.aws import NetworkFirewallAllowlist

    hosts = hostgate.select("chainguard/images@2024-03-28", phases=["pull"])
"""


def test_an_aws_allowlist_makes_its_policy_with_order_defaults_and_home_net(run: Run) -> None:
    made = run(AWS + '    NetworkFirewallAllowlist("chainguard", hosts=hosts, tags={"team": "platform"})')
    policy: Any = the(made, AWS_POLICY).inputs["firewallPolicy"]
    assert names(made) == {"chainguard", "chainguard-edge", "chainguard-allow"}
    assert policy["statefulEngineOptions"] == {"ruleOrder": "STRICT_ORDER", "streamExceptionPolicy": "REJECT"}
    assert policy["statefulDefaultActions"] == [
        "aws:drop_established_app_layer_to_server",
        "aws:alert_established_app_layer_to_server",
    ]
    (variable,) = policy["policyVariables"]["ruleVariables"]
    assert variable == {
        "key": "HOME_NET",
        "ipSet": {"definitions": ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]},
    }
    for group in of_type(made, GROUP):
        rules: Any = group.inputs["ruleGroup"]
        assert rules["statefulRuleOptions"] == {"ruleOrder": "STRICT_ORDER"}
        assert group.inputs["tags"] == {"team": "platform"}
        assert group.parent is not None
        assert group.parent.endswith("hostgate-aws:index:NetworkFirewallAllowlist::chainguard")


def test_aws_names_are_left_to_the_engine_so_that_a_new_group_comes_before_the_old_goes(run: Run) -> None:
    made = run(AWS + '    NetworkFirewallAllowlist("chainguard", hosts=hosts)')
    for group in of_type(made, GROUP):
        assert str(group.inputs["name"]).startswith(f"{group.name}-")
        assert group.options.delete_before_replace is not True


def test_a_policy_of_ones_own_takes_the_references(run: Run) -> None:
    made = run(
        AWS
        + """
    import pulumi_aws as aws

    chainguard = NetworkFirewallAllowlist("chainguard", hosts=hosts, deny="declared")
    aws.networkfirewall.FirewallPolicy("ours", firewall_policy={
        "stateless_default_actions": ["aws:forward_to_sfe"],
        "stateless_fragment_default_actions": ["aws:forward_to_sfe"],
        "stateful_engine_options": {"rule_order": "STRICT_ORDER"},
        "stateful_rule_group_references": chainguard.references,
    })
    """
    )
    assert names(made) == {"chainguard-edge", "chainguard-allow", "ours"}
    policy = the(made, AWS_POLICY, "ours")
    inputs: Any = policy.inputs["firewallPolicy"]
    both = [{"resourceArn": UNKNOWN, "priority": priority} for priority in (1500, 3000)]
    assert inputs["statefulRuleGroupReferences"] in (UNKNOWN, both)
    assert {urn.rpartition("::")[2] for urn in policy.dependencies} >= {"chainguard-edge", "chainguard-allow"}


def test_the_edge_group_is_left_out_on_request(run: Run) -> None:
    made = run(AWS + '    NetworkFirewallAllowlist("chainguard", hosts=hosts, deny="declared", edge=False)\n')
    assert names(made) == {"chainguard-allow"}


BY_ADDRESS = """
    from pathlib import Path
    import pulumi
    import hostgate
    from hostgate.aws import NetworkFirewallAllowlist

    Path("ours.yaml").write_text(
        "catalog: acme/ours\\nentries:\\n  - {id: git, host: git.acme.example, port: 22, protocol: tcp}\\n"
    )
    hosts = hostgate.select("./ours.yaml")
"""
PREFIX_LIST = "arn:aws:ec2:eu-central-1:123456789012:prefix-list/pl-1"


@pytest.mark.parametrize("arn", [f'"{PREFIX_LIST}"', f'pulumi.Output.from_input("{PREFIX_LIST}")'])
def test_an_ip_set_is_declared_beside_the_rules_and_may_be_an_output(run: Run, arn: str) -> None:
    made = run(BY_ADDRESS + f'    NetworkFirewallAllowlist("ours", hosts=hosts, ip_sets={{"git": {arn}}})')
    group: Any = the(made, GROUP, "ours-address").inputs["ruleGroup"]
    (reference,) = group["referenceSets"]["ipSetReferences"]
    assert reference["ipSetReferences"] == [{"referenceArn": PREFIX_LIST}]
    assert f" -> @{reference['key']} 22 " in group["rulesSource"]["rulesString"]


POOL_FILE = """
    Path("pool.txt").write_text(
        "hostgate-pool 1\\nhost git.acme.example window 86400\\n"
        "  203.0.113.7 first 2026-11-20T10:00:00Z seen here 2026-11-28T10:00:00Z\\nend\\n"
    )
"""


@pytest.mark.parametrize("given", ['pool="pool.txt"', 'host_addresses={"git.acme.example": ["203.0.113.7"]}'])
def test_the_addresses_of_a_pool_are_a_variable_of_the_group(run: Run, given: str) -> None:
    made = run(BY_ADDRESS + POOL_FILE + f'    NetworkFirewallAllowlist("ours", hosts=hosts, {given})')
    group: Any = the(made, GROUP, "ours-address").inputs["ruleGroup"]
    (variable,) = group["ruleVariables"]["ipSets"]
    assert variable["ipSet"] == {"definitions": ["203.0.113.7/32"]}
    assert f" -> ${variable['key']} 22 " in group["rulesSource"]["rulesString"]


def test_a_second_component_of_one_policy_is_fed_too(run: Run) -> None:
    policy = "arn:aws:network-firewall:eu-central-1:123456789012:firewall-policy/egress"
    both = "".join(
        f'    NetworkFirewallAllowlist("{name}", hosts=hosts, attach="{policy}", pool="pool.txt")\n'
        for name in ("a", "b")
    )
    made = run(BY_ADDRESS + POOL_FILE + both)
    assert {"a-address", "b-address"} <= names(made)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ('ip_sets=pulumi.Output.from_input({"git": "arn:x"})', "`ip_sets` is an Output. Allowed: a mapping;"),
        ('addresses={"git": [pulumi.Output.from_input("203.0.113.1")]}', "`addresses.git[0]` is an Output."),
        ("ip_sets=3", "`aws:rules.ip_sets`: found 3. Allowed: a mapping."),
    ],
)
def test_addresses_are_plain_values(run: Run, options: str, said: str) -> None:
    with pytest.raises(PreviewError, match=re.escape(said)):
        run(BY_ADDRESS + f'    NetworkFirewallAllowlist("ours", hosts=hosts, {options})')


def test_a_policy_whose_rules_reject_has_no_default_actions(run: Run) -> None:
    made = run(AWS + '    NetworkFirewallAllowlist("chainguard", hosts=hosts, reject=True)')
    assert names(made) == {"chainguard", "chainguard-edge", "chainguard-allow", "chainguard-reject"}
    assert "statefulDefaultActions" not in the(made, AWS_POLICY).inputs["firewallPolicy"]  # type: ignore[operator]


def test_domain_lists_come_with_their_guard_ahead(run: Run) -> None:
    made = run(AWS + '    NetworkFirewallAllowlist("chainguard", hosts=hosts, mechanism="domain-list")')
    assert names(made) == {"chainguard", "chainguard-edge", "chainguard-guard", "chainguard-list"}
    listed: Any = the(made, GROUP, "chainguard-list").inputs["ruleGroup"]
    assert listed["rulesSource"]["rulesSourceList"]["generatedRulesType"] == "ALLOWLIST"
    assert "cgr.dev" in listed["rulesSource"]["rulesSourceList"]["targets"]


def test_catalogs_as_args_give_the_same_inputs_and_children_as_a_selection(run: Run) -> None:
    by_selection = run(AWS + '    NetworkFirewallAllowlist("chainguard", hosts=hosts, base=500)')
    by_args = run(
        AWS
        + """
    NetworkFirewallAllowlist(
        "chainguard", {"catalogs": ["chainguard/images@2024-03-28"], "phases": ["pull"], "base": 500.0}
    )
    """
    )
    assert [(r.urn, r.inputs) for r in by_selection.resources] == [(r.urn, r.inputs) for r in by_args.resources]


def test_component_inputs_carry_catalogs_decisions_and_digest(run: Run) -> None:
    made = run(AWS + '    NetworkFirewallAllowlist("chainguard", hosts=hosts)')
    inputs = the(made, "hostgate-aws:index:NetworkFirewallAllowlist").inputs
    assert inputs["catalogs"] == ["chainguard/images@2024-03-28"]
    assert len(str(inputs["digest"])) == 64
    decisions: Any = inputs["decisions"]
    outcome, match, need, rule, purpose = decisions["chainguard/images#registry"].split(" ", 4)
    assert (outcome, match, need, purpose) == ("allowed", "exact", "cgr.dev:443/https", "Main image registry")
    assert rule.startswith("chainguard-allow#")
    assert inputs["from"] == ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]
    assert "from-everything -" in inputs["findings"]


def test_a_component_makes_the_reviewed_plan_and_refuses_another(run: Run) -> None:
    made = run(AWS + '    NetworkFirewallAllowlist("chainguard", hosts=hosts)')
    digest = str(the(made, "hostgate-aws:index:NetworkFirewallAllowlist").inputs["digest"])
    same = f'NetworkFirewallAllowlist("chainguard", hosts=hosts, reviewed={{"digest": "{digest}"}})'
    assert run(f"{AWS}    {same}").resources == made.resources
    for other in (same.replace("hosts=hosts", 'hosts=hosts, mode="audit"'), same.replace(digest, "0" * 64)):
        with pytest.raises(PreviewError, match="not the plan that was reviewed"):
            run(f"{AWS}    {other}")
    with pytest.raises(PreviewError, match="64 digits"):
        run(AWS + """    NetworkFirewallAllowlist("chainguard", hosts=hosts, reviewed={"digest": "abc"})""")


def test_a_plan_that_was_made_before_gives_the_same_resources_as_its_hosts_and_options(run: Run) -> None:
    by_hosts = run(AWS + '    NetworkFirewallAllowlist("chainguard", hosts=hosts, mode="audit", base=500)')
    by_plan = run(
        AWS
        + """
    plan = hostgate.plan(hosts, target="aws:rules", name="chainguard", mode="audit", base=500)
    NetworkFirewallAllowlist("chainguard", plan=plan)
    """
    )
    assert [(r.urn, r.inputs) for r in by_plan.resources] == [(r.urn, r.inputs) for r in by_hosts.resources]


DNS = """
    import pulumi
    import pulumi_aws as aws
    import hostgate
    from hostgate.aws import DnsFirewallAllowlist

    hosts = hostgate.select("chainguard/images@2024-03-28", phases=["pull"])
"""
DNS_LIST = "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList"
DNS_RULE = "aws:route53/resolverFirewallRule:ResolverFirewallRule"
DNS_ASSOCIATION = "aws:route53/resolverFirewallRuleGroupAssociation:ResolverFirewallRuleGroupAssociation"
DNS_CONFIG = "aws:route53/resolverFirewallConfig:ResolverFirewallConfig"


def test_a_dns_allowlist_makes_lists_with_a_rule_each_and_associates_the_whole_group_last(run: Run) -> None:
    made = run(DNS + '    DnsFirewallAllowlist("chainguard", hosts=hosts, vpcs=["vpc-0a1b2c3d"], tags={"team": "x"})')
    rules = {rule.name: rule for rule in of_type(made, DNS_RULE)}
    assert set(rules) == {"chainguard-allow", "chainguard-pass-inside", "chainguard-block"}
    assert {rule.inputs["firewallDomainRedirectionAction"] for rule in rules.values()} == {"TRUST_REDIRECTION_DOMAIN"}
    assert "cgr.dev" in the(made, DNS_LIST, "chainguard-hosts").inputs["domains"]
    assert the(made, DNS_LIST, "chainguard-everything").inputs["domains"] == ["*."]
    assert the(made, DNS_LIST, "chainguard-hosts").inputs["tags"] == {"team": "x"}
    association, config = the(made, DNS_ASSOCIATION), the(made, DNS_CONFIG)
    assert {urn.rpartition("::")[2] for urn in association.dependencies} >= {*rules, config.name}
    assert config.inputs == {"resourceId": "vpc-0a1b2c3d", "firewallFailOpen": "DISABLED"}
    for rule in rules.values():
        assert str(rule.inputs["name"]).startswith(f"{rule.name}-")


GROUPS = """
    import pulumi
    import pulumi_aws as aws
    import hostgate
    from hostgate.aws import SecurityGroupAllowlist

    hosts = hostgate.select("chainguard/images@2024-03-28", phases=["pull"])
"""
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"


def test_an_allowlist_of_security_groups_refers_to_its_lists_by_id(run: Run) -> None:
    made = run(
        GROUPS
        + """
    addresses = {each.host: ["203.0.113.7", "2001:db8::7"] for each in hosts.entries}
    route = aws.ec2.Route("r", route_table_id="rtb-0a1", destination_cidr_block="0.0.0.0/0", nat_gateway_id="nat-1")
    SecurityGroupAllowlist(
        "c", hosts=hosts, security_groups=["sg-0a1", route.state], addresses=addresses, tags={"team": "x"}
    )
"""
    )
    four = the(made, "aws:ec2/managedPrefixList:ManagedPrefixList", "c-ipv4-tcp-443")
    assert [each["cidr"] for each in four.inputs["entries"]] == ["203.0.113.7/32"]
    assert (four.inputs["maxEntries"], four.inputs["tags"]) == (10, {"team": "x"})
    rules = {rule.name: rule.inputs for rule in of_type(made, EGRESS)}
    assert {name for name in rules if "sg-0a1" in name} == {"c-sg-0a1-ipv4-tcp-443", "c-sg-0a1-ipv6-tcp-443"}
    assert len(rules) == 4
    rule = rules["c-sg-0a1-ipv4-tcp-443"]
    assert (rule["securityGroupId"], rule["ipProtocol"], rule["fromPort"], rule["toPort"]) == (
        "sg-0a1",
        "tcp",
        443,
        443,
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ('security_groups=["sg-0a1"]', "There is no address of"),
        ('security_groups=["sg-0a1"], pool="no-such-pool.txt"', "There is no pool"),
        ('security_groups=["sg-0a1"], pool=7', "`pool`"),
        ("addresses={each.host: ['203.0.113.7'] for each in hosts.entries}", "`securityGroups` names none"),
    ],
)
def test_an_allowlist_of_security_groups_without_addresses_or_groups_is_an_error(
    run: Run, given: str, said: str
) -> None:
    with pytest.raises(PreviewError) as failed:
        run(f'{GROUPS}    SecurityGroupAllowlist("c", hosts=hosts, {given})')
    assert said in str(failed.value)


ADDRESS_GROUPS = """
    import pulumi
    import pulumi_gcp as gcp
    import hostgate
    from hostgate.gcp import AddressGroupAllowlist

    hosts = hostgate.select("chainguard/images@2024-03-28", phases=["pull"])
    addresses = {each.host: ["203.0.113.7", "2001:db8::7"] for each in hosts.entries}
"""
ADDRESS_GROUP = "gcp:networksecurity/addressGroup:AddressGroup"


def test_an_allowlist_of_address_groups_names_each_by_its_path_and_makes_it_before_its_rule(run: Run) -> None:
    made = run(
        ADDRESS_GROUPS
        + """
    AddressGroupAllowlist(
        "c", hosts=hosts, networks=["projects/p/global/networks/n"], addresses=addresses, tags={"team": "x"}, steps=30,
        region="europe-west4",
    )
"""
    )
    four = the(made, ADDRESS_GROUP, "c-ipv4-tcp-443-30")
    assert four.inputs == {
        "name": "c-ipv4-tcp-443-30",
        "parent": "projects/p",
        "location": "europe-west4",
        "type": "IPV4",
        "capacity": 30,
        "items": ["203.0.113.7/32"],
        "description": "hostgate: hosts of the catalog",
        "labels": {"team": "x"},
    }
    assert {*four.options.replace_on_changes} == {"name", "location", "type"}
    assert four.options.delete_before_replace is False
    assert not four.options.ignore_changes
    rule = the(made, GCP_RULE.replace("compute/n", "compute/regionN").replace(":N", ":RegionN"), "c-allow-ipv4-tcp-443")
    match: Any = rule.inputs["match"]
    assert match["destAddressGroups"] == ["projects/p/locations/europe-west4/addressGroups/c-ipv4-tcp-443-30"]
    assert "c-ipv4-tcp-443-30" in {urn.rpartition("::")[2] for urn in rule.dependencies}


def test_an_address_group_of_a_project_that_is_an_output_is_named_by_its_id(run: Run) -> None:
    made = run(
        ADDRESS_GROUPS
        + """
    project = gcp.organizations.Project("p", name="p", project_id="p", org_id="1")
    AddressGroupAllowlist("c", hosts=hosts, project=project.number, addresses=addresses)
"""
    )
    rule = the(made, GCP_RULE, "c-allow-ipv4-tcp-443")
    match: Any = rule.inputs["match"]
    assert match["destAddressGroups"] == [UNKNOWN]
    assert the(made, ADDRESS_GROUP, "c-ipv4-tcp-443-100").inputs["parent"] is UNKNOWN


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ('networks=["projects/p/global/networks/n"]', "There is no address of"),
        ("addresses=addresses", "`project` is missing"),
        ('addresses=addresses, parent="organizations/1"', "found a hierarchical policy"),
        ('addresses=addresses, project="p", contents="refresher", capacity=10', "both would say what is in a list"),
    ],
)
def test_an_allowlist_of_address_groups_that_cannot_be_made_is_an_error(run: Run, given: str, said: str) -> None:
    with pytest.raises(PreviewError) as failed:
        run(f'{ADDRESS_GROUPS}    AddressGroupAllowlist("c", hosts=hosts, {given})')
    assert said in str(failed.value)


IP_GROUPS = """
    import pulumi
    import pulumi_azure_native as azure
    import hostgate
    from hostgate.azure import FirewallPolicyAllowlist, IpGroupAllowlist

    hosts = hostgate.select("chainguard/images@2024-03-28", phases=["pull"])
    addresses = {each.host: ["203.0.113.7", "2001:db8::7"] for each in hosts.entries}
"""
IP_GROUP = "azure-native:network:IpGroup"
COLLECTIONS = "azure-native:network:FirewallPolicyRuleCollectionGroup"


def test_an_ip_group_is_made_before_the_rules_and_the_policy_that_it_is_used_by(run: Run) -> None:
    made = run(
        IP_GROUPS
        + """
    tag = azure.resources.ResourceGroup("rg", location="westeurope")
    IpGroupAllowlist(
        "c", hosts=hosts, resource_group="rg", location="westeurope", addresses=addresses, tags={"team": "x", "of": tag.id}
    )
"""
    )
    group, rules = the(made, IP_GROUP), the(made, COLLECTIONS)
    assert group.inputs["ipAddresses"] == ["203.0.113.7/32"]
    assert (group.inputs["ipGroupsName"], group.inputs["location"]) == ("c-tcp-443", "westeurope")
    assert group.inputs["tags"]["team"] == "x"
    (collection,) = rules.inputs["ruleCollections"]
    (rule,) = collection["rules"]
    assert (rule["ipProtocols"], rule["destinationPorts"]) == (["TCP"], ["443"])
    (told,) = rule["destinationIpGroups"]  # known before it is made, so that a preview tells which rule opens what
    assert re.fullmatch(
        r"/subscriptions/[0-9a-f-]+/resourceGroups/rg/providers/Microsoft.Network/ipGroups/c-tcp-443", told
    )
    assert group.urn in rules.property_dependencies["ruleCollections"]
    assert group.urn in the(made, "azure-native:network:FirewallPolicy").dependencies


def test_allowlists_of_names_and_of_addresses_share_a_policy_and_are_written_in_turn(run: Run) -> None:
    made = run(
        IP_GROUPS
        + """
    FirewallPolicyAllowlist("names", hosts=hosts, attach="rg/hub", from_=["10.0.0.0/8"])
    IpGroupAllowlist("ips", hosts=hosts, attach="rg/hub", from_=["10.0.0.0/8"], addresses=addresses)
"""
    )
    names, ips = (the(made, COLLECTIONS, each) for each in ("names", "ips-addresses"))
    assert names.inputs["priority"] != ips.inputs["priority"]
    group = the(made, IP_GROUP)
    assert group.inputs["resourceGroupName"] == "rg"
    assert names.urn in group.dependencies  # contents are a change of the firewall, too


def test_a_refresher_s_group_says_so_and_no_more_than_twenty_are_written_at_once(run: Run) -> None:
    pool = "hostgate-pool 1\\nhost a.example window 86400\\n  203.0.113.7 first {0} seen here {0}\\nend\\n"
    made = run(
        IP_GROUPS
        + f"""
    from pathlib import Path
    Path("pool.txt").write_text("{pool.format("2026-11-20T10:00:00Z")}")
    lines = "".join(
        f"  - {{{{id: p{{port}}, host: a.example, port: {{port}}, protocol: tcp, purpose: tests}}}}\\n" for port in range(1, 23)
    )
    Path("ours.yaml").write_text("catalog: acme/ours\\nentries:\\n" + lines)
    ours = hostgate.select("./ours.yaml")
    IpGroupAllowlist("c", hosts=ours, resource_group="rg", pool="pool.txt", contents="refresher", tags={{"team": "x"}})
"""
    )
    groups = {group.name: group for group in of_type(made, IP_GROUP)}
    assert len(groups) == 22
    assert groups["c-refresher-tcp-1"].inputs["tags"] == {"hostgate-owner": "pool", "team": "x"}
    waits = {name: {groups[other].urn for other in groups} & {*group.dependencies} for name, group in groups.items()}
    assert sorted(name for name, on in waits.items() if on) == ["c-refresher-tcp-21", "c-refresher-tcp-22"]
    assert waits["c-refresher-tcp-21"] == {groups["c-refresher-tcp-1"].urn}


def test_a_rule_group_goes_into_profiles_of_others_when_it_is_whole(run: Run) -> None:
    made = run(
        DNS
        + """
    profile = aws.route53.ProfilesProfile("shared")
    DnsFirewallAllowlist("c", hosts=hosts, profiles=[profile.id, "rp-0a1b"], base=500)
    """
    )
    in_profile = of_type(made, "aws:route53/profilesResourceAssociation:ProfilesResourceAssociation")
    assert {each.name: (each.inputs["profileId"], each.inputs["resourceProperties"]) for each in in_profile} == {
        "c-rp-0": (UNKNOWN, '{"priority": 500}'),
        "c-rp-0a1b": ("rp-0a1b", '{"priority": 500}'),
    }
    rules = {rule.name for rule in of_type(made, DNS_RULE)}
    for each in in_profile:
        assert {urn.rpartition("::")[2] for urn in each.dependencies} >= {*rules, "c"}
    assert of_type(made, DNS_CONFIG) == []


def test_a_dns_block_waits_for_what_it_does_not_block(run: Run) -> None:
    made = run(DNS + '    DnsFirewallAllowlist("chainguard", hosts=hosts)')
    waits = {urn.rpartition("::")[2] for urn in the(made, DNS_RULE, "chainguard-block").dependencies}
    assert waits >= {"chainguard-allow", "chainguard-pass-inside", "chainguard-everything"}
    assert of_type(made, DNS_ASSOCIATION) == of_type(made, DNS_CONFIG) == []


def test_the_vpcs_of_a_dns_allowlist_may_be_outputs_of_other_resources(run: Run) -> None:
    made = run(
        DNS
        + """
    group = aws.route53.ResolverFirewallRuleGroup("stands-for-a-vpc")
    DnsFirewallAllowlist("chainguard", hosts=hosts, vpcs=[group.id, "vpc-0a1b2c3d"], fail_mode="unset")
    """
    )
    assert {each.name: each.inputs["vpcId"] for each in of_type(made, DNS_ASSOCIATION)} == {
        "chainguard-vpc-0": UNKNOWN,
        "chainguard-vpc-0a1b2c3d": "vpc-0a1b2c3d",
    }
    assert of_type(made, DNS_CONFIG) == []


def test_a_stack_with_two_layers_makes_both_of_the_same_hosts_and_exports_each(run: Run) -> None:
    layers = [{"mechanism": "rules", "name": "wire"}, {"mechanism": "dns-firewall", "name": "names"}]
    made = run(
        "from hostgate.program import run; run()",
        {"hostgate:catalogs": '["chainguard/images@2024-03-28"]', "hostgate:aws": json.dumps(layers)},
    )
    components = [resource for resource in made.resources if resource.type.startswith("hostgate-aws:")]
    assert {each.name: each.type.rpartition(":")[2] for each in components} == {
        "wire": "NetworkFirewallAllowlist",
        "names": "DnsFirewallAllowlist",
    }
    decided: Any = [
        {key: said.split()[:3] for key, said in each.inputs["decisions"].items()}  # type: ignore[attr-defined]
        for each in components
    ]
    assert decided[0] == decided[1]
    assert {key: set(value) for key, value in made.outputs.items()} == {  # type: ignore[call-overload]
        "aws": {"references", "policyArn", "firewallArn", "endpoints", "associatedEndpoints", "shareArn", "digest"},
        "aws-dns-firewall": {"ruleGroupId", "ruleGroupArn", "digest"},
    }


def test_what_a_stack_exports_has_camel_case_keys_all_the_way_down(run: Run) -> None:
    program = """
        import pulumi
        from hostgate import program

        exported = program._exported(type("Made", (), {
            "references": pulumi.Output.from_input([{"resource_arn": "arn:x", "priority": 1}]),
            "endpoints": pulumi.Output.from_input({"zone_a": "vpce-1"}),
            "digest": "d",
        }), type("Row", (), {"outputs": ("references", "endpoints", "digest")}))
        for key, value in exported.items():
            pulumi.export(key, value)
    """
    assert run(program).outputs == {
        "references": [{"resourceArn": "arn:x", "priority": 1}],
        "endpoints": {"zone_a": "vpce-1"},
        "digest": "d",
    }


@pytest.mark.usefixtures("filled")
def test_an_adopted_dns_object_keeps_the_name_that_its_id_does_not_tell(run: Run) -> None:
    made = run(DNS + '    DnsFirewallAllowlist("c", hosts=hosts, import_={"c-hosts": "rslvr-fdl-0123456789abcdef"})')
    adopted, other = the(made, DNS_LIST, "c-hosts"), the(made, DNS_LIST, "c-everything")
    assert (adopted.options.import_id, adopted.options.ignore_changes) == ("rslvr-fdl-0123456789abcdef", ("name",))
    assert (other.options.import_id, other.options.ignore_changes) == ("", ())


GCP = """
    import pulumi
    import pulumi_gcp as gcp
    import hostgate
    from hostgate.gcp import FirewallPolicyAllowlist

    hosts = hostgate.select("chainguard/images@2024-03-28")
"""


def test_a_gcp_allowlist_makes_a_policy_whose_deny_waits_for_the_allows_and_is_associated_last(run: Run) -> None:
    made = run(
        GCP + '    FirewallPolicyAllowlist("chainguard", hosts=hosts, networks=["projects/p/global/networks/n"])'
    )
    rules = {rule.name: rule for rule in of_type(made, GCP_RULE)}
    assert set(rules) == {
        "chainguard-allow-tcp-443",
        "chainguard-private-ipv4",
        "chainguard-private-ipv6",
        "chainguard-deny-ipv4",
        "chainguard-deny-ipv6",
    }
    assert {rule.inputs["direction"] for rule in rules.values()} == {"EGRESS"}
    for family in ("ipv4", "ipv6"):
        waits = {urn.rpartition("::")[2] for urn in rules[f"chainguard-deny-{family}"].dependencies}
        assert {"chainguard-allow-tcp-443", "chainguard-private-ipv4", "chainguard-private-ipv6"} <= waits
    association = the(made, GCP_ASSOCIATION)
    assert {urn.rpartition("::")[2] for urn in association.dependencies} >= set(rules)


def test_a_gcp_allowlist_attaches_to_a_policy_that_is_an_output_of_another_resource(run: Run) -> None:
    made = run(
        GCP
        + """
    theirs = gcp.compute.NetworkFirewallPolicy("theirs")
    FirewallPolicyAllowlist("chainguard", hosts=hosts, attach=theirs.id, deny="declared", base=3000)
    """
    )
    (rule,) = of_type(made, GCP_RULE)
    assert len(of_type(made, GCP_POLICY)) == 1
    assert rule.inputs["firewallPolicy"] is UNKNOWN
    assert rule.inputs["priority"] == 3000
    assert any(urn.endswith("::theirs") for urn in rule.dependencies)


def test_gcp_clients_are_the_rule_s_targets(run: Run) -> None:
    made = run(
        GCP
        + '    FirewallPolicyAllowlist("c", hosts=hosts, attach="p", deny="declared", from_=["a@p.iam.gserviceaccount.com"])'
    )
    (rule,) = of_type(made, GCP_RULE)
    assert rule.inputs["targetServiceAccounts"] == ["a@p.iam.gserviceaccount.com"]


AZURE = """
    import pulumi
    import hostgate
    from hostgate.azure import FirewallPolicyAllowlist

    hosts = hostgate.select("chainguard/images@2024-03-28")
"""


def test_an_azure_allowlist_sends_its_rules_in_the_service_s_own_spelling(run: Run) -> None:
    made = run(
        AZURE + '    FirewallPolicyAllowlist("chainguard", hosts=hosts, resource_group="rg", from_=["10.0.0.0/8"])'
    )
    assert the(made, AZURE_POLICY).inputs["firewallPolicyName"] == "chainguard"
    collections: Any = the(made, AZURE_GROUP).inputs["ruleCollections"]
    (rule,) = collections[0]["rules"]
    assert rule["ruleType"] == "ApplicationRule"
    assert rule["protocols"] == [{"protocolType": "Https", "port": 443}]
    assert rule["sourceAddresses"] == ["10.0.0.0/8"]
    assert "cgr.dev" in rule["targetFqdns"]


def test_an_azure_allowlist_attaches_by_name_by_id_and_by_output(run: Run) -> None:
    policy_id = "/subscriptions/s/resourceGroups/rg-hub/providers/Microsoft.Network/firewallPolicies/fp-hub"
    made = run(
        AZURE
        + f"""
    def after(other):
        return pulumi.ResourceOptions(depends_on=[other])

    one = FirewallPolicyAllowlist("one", hosts=hosts, attach="rg-hub/fp-hub")
    two = FirewallPolicyAllowlist("two", hosts=hosts, attach="{policy_id}", base=3000, opts=after(one))
    attach = pulumi.Output.from_input("{policy_id}")
    FirewallPolicyAllowlist("three", hosts=hosts, attach=attach, base=4000, opts=after(two))
    """
    )
    assert not of_type(made, AZURE_POLICY)
    for group in of_type(made, AZURE_GROUP):
        assert (group.inputs["resourceGroupName"], group.inputs["firewallPolicyName"]) == ("rg-hub", "fp-hub")


def test_azure_groups_are_made_one_after_another(run: Run) -> None:
    made = run(AZURE + '    FirewallPolicyAllowlist("chainguard", hosts=hosts, resource_group="rg")')
    (policy,) = of_type(made, AZURE_POLICY)
    assert policy.urn in the(made, AZURE_GROUP).dependencies


@pytest.mark.parametrize(
    ("program", "said"),
    [
        (AWS + '    NetworkFirewallAllowlist("chainguard", hosts=hosts, mode="strict")', "`aws:rules.mode`: found 'strict'"),
        (AWS + '    NetworkFirewallAllowlist("chainguard", hosts=hosts, mechanism="proxy")', "Allowed: rules, domain-list"),
        (AWS + '    NetworkFirewallAllowlist("chainguard", hosts=hosts, phases=["pull"])', "Both `hosts` and catalogs"),
        (AWS + '    NetworkFirewallAllowlist("chainguard")', "No catalog is named"),
        (
            AWS + '    NetworkFirewallAllowlist("c", plan=hostgate.plan(hosts, target="aws:rules"), mode="audit")',
            "`plan` is given beside `mode`",
        ),
        (
            AWS + '    NetworkFirewallAllowlist("c", plan=hostgate.plan(hosts, target="gcp:fqdn"))',
            "`plan` is for gcp:fqdn. Allowed: aws:rules, aws:domain-list.",
        ),
        (
            AWS
            + """
    import datetime
    ended = hostgate.Acceptance(finding="name-unproven", because="meant once", until=datetime.date(2020, 1, 1))
    NetworkFirewallAllowlist("c", plan=hostgate.plan(hosts.accepting([ended]), target="aws:rules"))
    """,
            "made without `as_of`",
        ),
        (AWS + '    NetworkFirewallAllowlist("Chain_Guard", hosts=hosts)', "`aws:rules.name`"),
        (AWS + '    NetworkFirewallAllowlist("c", hosts)', "`args`: found a Selection. Allowed: a mapping of inputs; a Selection"),
        (DNS + '    DnsFirewallAllowlist("c", hosts)', "`args`: found a Selection. Allowed: a mapping of inputs; a Selection"),
        (AWS + '    NetworkFirewallAllowlist("c", hosts="chainguard/images@2024-03-28")', "`hosts`: found 'chainguard/images@2024"),
        (AWS + '    NetworkFirewallAllowlist("c", plan=hosts)', "`plan`: found a Selection. Allowed: a Plan"),
        (AWS + '    NetworkFirewallAllowlist("c", hosts=hosts, opts={"protect": True})', "`opts`: found a mapping. Allowed"),
        (AWS + '    NetworkFirewallAllowlist("c", hosts=hosts, import_="c-allow")', "`import_`: found 'c-allow'. Allowed"),
        (AWS + '    NetworkFirewallAllowlist("c", hosts=hosts, allow_empty="no")', "`allow_empty`: found 'no'. Allowed: true or"),
        (AWS + '    NetworkFirewallAllowlist("c", hosts=hosts, reviewed="x")', "`reviewed`: found 'x'. Allowed: a mapping."),
        (AWS + '    NetworkFirewallAllowlist("chainguard", hosts=hosts, attach="arn:aws:x", deny="all")', "with `attach`"),
        (DNS + '    DnsFirewallAllowlist("c", hosts=hosts, vpcs=pulumi.Output.from_input([]))', "`vpcs` is an Output. Allowed"),
        (DNS + '    DnsFirewallAllowlist("c", hosts=hosts, vpcs=["main"])', "Allowed: the id of a VPC"),
        (AZURE + '    FirewallPolicyAllowlist("chainguard", hosts=hosts)', "`resourceGroup` is missing"),
        (AZURE + '    FirewallPolicyAllowlist("c", hosts=hosts, from_=pulumi.Output.from_input([]))', "is an Output"),
        (
            GCP + '    FirewallPolicyAllowlist("c", hosts=hostgate.select("chainguard/images@2024-03-28", ids=["r2-any-bucket"]))',
            "FQDN objects take exact names only",
        ),
    ],
)  # fmt: skip
def test_wrong_inputs_stop_with_the_reason_and_no_traceback(run: Run, program: str, said: str) -> None:
    with pytest.raises(PreviewError) as failed:
        run(program)
    assert said in str(failed.value)
    assert "Traceback" not in str(failed.value)


@pytest.mark.usefixtures("filled")
def test_existing_objects_are_adopted_by_child_name(run: Run) -> None:
    arn = "arn:aws:network-firewall:eu-central-1:123456789012:stateful-rulegroup/old"
    made = run(
        AWS + f'    NetworkFirewallAllowlist("chainguard", hosts=hosts, import_={{"chainguard-allow": "{arn}"}})'
    )
    adopted = the(made, GROUP, "chainguard-allow")
    assert adopted.options.import_id == arn
    assert adopted.inputs["name"] == "old"  # a generated name would not match what is there
    assert the(made, GROUP, "chainguard-edge").options.import_id == ""


def test_a_provider_given_to_the_component_reaches_every_child(run: Run) -> None:
    made = run(
        AWS
        + """
    import pulumi
    import pulumi_aws as aws

    west = aws.Provider("west", region="us-west-2")
    NetworkFirewallAllowlist("chainguard", hosts=hosts, opts=pulumi.ResourceOptions(provider=west))
    """
    )
    assert {group.provider.rpartition("::")[2] for group in of_type(made, GROUP)} == {"west"}


@pytest.mark.parametrize("program", [AWS, DNS, GCP, AZURE])
def test_no_object_is_deleted_before_its_replacement_is_made(run: Run, program: str) -> None:
    calls = {
        AWS: 'NetworkFirewallAllowlist("chainguard", hosts=hosts)',
        DNS: 'DnsFirewallAllowlist("chainguard", hosts=hosts, vpcs=["vpc-0a1b2c3d"])',
        GCP: 'FirewallPolicyAllowlist("chainguard", hosts=hosts, networks=["projects/p/global/networks/n"])',
        AZURE: 'FirewallPolicyAllowlist("chainguard", hosts=hosts, resource_group="rg")',
    }
    made = run(program + f"    {calls[program]}")
    custom = [resource for resource in made.resources if resource.custom and "providers" not in resource.type]
    assert len(custom) >= 2
    assert {resource.options.delete_before_replace for resource in custom} == {False}


BLANK_ARGS = {
    "phases": '{"catalogs": ["chainguard/images@2024-03-28"], "phases": None}',
    "from_": '{"catalogs": ["chainguard/images@2024-03-28"], "from_": None}',
    "phases[1]": '{"catalogs": ["chainguard/images@2024-03-28"], "phases": ["pull", None]}',
    "catalogs[0]": '{"catalogs": [""]}',
    "accept[0].until": '{"catalogs": ["chainguard/images@2024-03-28"], "accept": [{"finding": "a", "because": "b", "until": ""}]}',
}


@pytest.mark.parametrize("place", BLANK_ARGS)
def test_a_key_of_args_without_a_value_is_refused(place: str, run: Run) -> None:
    with pytest.raises(PreviewError) as failed:
        run(AWS + f'    NetworkFirewallAllowlist("chainguard", {BLANK_ARGS[place]})')
    assert f"`{place}`: found " in str(failed.value)
    assert "Allowed: a value; or leave it out." in str(failed.value)


def test_a_keyword_that_is_none_is_one_that_was_left_out(run: Run) -> None:
    plain = run(AWS + '    NetworkFirewallAllowlist("chainguard", hosts=hosts)')
    same = run(AWS + '    NetworkFirewallAllowlist("chainguard", hosts=hosts, mode=None, from_=None, accept=None)')
    assert names(same) == names(plain)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ('accept=[{"finding": "a", "because": "b", "untill": "2027-01-31"}]', "`accept[0].untill` is no key here. Did you mean"),
        ('accept=["shared-hosting"]', "`accept[0]`: found 'shared-hosting'. Allowed: a mapping."),
        ('reviewed={"digests": "0"}', "`reviewed.digests` is no key here. Did you mean `digest`?"),
    ],
)  # fmt: skip
def test_a_misspelt_key_of_an_acceptance_or_a_pin_is_refused(word: str, said: str, run: Run) -> None:
    with pytest.raises(PreviewError) as failed:
        run(AWS + f'    NetworkFirewallAllowlist("chainguard", catalogs=["chainguard/images@2024-03-28"], {word})')
    assert said in str(failed.value)


MISSPELT = """
    from hostgate.{cloud} import {component}

    {component}("chainguard", {given})
"""


@pytest.mark.parametrize(
    ("cloud", "component"),
    [
        ("aws", "NetworkFirewallAllowlist"),
        ("aws", "DnsFirewallAllowlist"),
        ("gcp", "FirewallPolicyAllowlist"),
        ("azure", "FirewallPolicyAllowlist"),
    ],
)
@pytest.mark.parametrize("form", ["keyword", "args"])
def test_a_misspelt_input_of_a_python_program_is_refused_by_its_name(
    cloud: str, component: str, form: str, run: Run
) -> None:
    catalogs = ["chainguard/images@2024-03-28"]
    given = (
        f"catalogs={catalogs}, phase=['pull']"
        if form == "keyword"
        else f"{{'catalogs': {catalogs}, 'phase': ['pull']}}"
    )
    with pytest.raises(PreviewError) as failed:
        run(MISSPELT.format(cloud=cloud, component=component, given=given))
    assert ".phase` is no key here. Allowed: " in str(failed.value)
