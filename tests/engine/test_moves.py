"""Names, places and priorities that move on AWS and Azure, on the real engine: well in one update, or nothing happens."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from engine.lab import AWS, AZURE, Lab, real_engine, well
from hostgate.cli.diff_command import command
from hostgate.cli.preview_statements import read_preview
from hostgate.review.plan_changes import diff

pytestmark = real_engine

FIREWALL = {**AWS, "firewall": {"vpcId": "vpc-0a1", "subnetMappings": [{"subnetId": "subnet-0a1"}]}}
QUERIES = {"mechanism": "dns-firewall", "vpcs": ["vpc-0a1"], "failMode": "open"}
HUB = {"mechanism": "application-rules", "attach": "rg-hub/fp-hub", "from": ["10.0.0.0/8"]}
OWNER = """
import pulumi_azure_native as azure

group = azure.resources.ResourceGroup("hub", resource_group_name="rg-hub")
azure.network.FirewallPolicy("hub", firewall_policy_name="fp-hub", resource_group_name=group.name)
"""
GROUPS = """
import pulumi_azure_native as azure

for name in ("rg-hub", "rg-two"):
    azure.resources.ResourceGroup(name, resource_group_name=name)
"""
COMPONENTS = """
import pulumi
import hostgate
from hostgate.aws import DnsFirewallAllowlist, NetworkFirewallAllowlist
from hostgate.azure import FirewallPolicyAllowlist

hosts = hostgate.select("./ours.yaml")


def renamed(kind):
    return pulumi.ResourceOptions(aliases=[pulumi.Alias(name=f"old-{{kind}}")]) if "{name}" != "old" else None


NetworkFirewallAllowlist(
    "{name}-rules",
    hosts=hosts,
    firewall={{"vpc_id": "vpc-0a1", "subnet_mappings": [{{"subnet_id": "subnet-0a1"}}]}},
    opts=renamed("rules"),
)
DnsFirewallAllowlist("{name}-queries", hosts=hosts, vpcs=["vpc-0a1"], opts=renamed("queries"))
FirewallPolicyAllowlist("{name}-hub", hosts=hosts, attach="rg-hub/fp-hub", from_=["10.0.0.0/8"], opts=renamed("hub"))
FirewallPolicyAllowlist(
    "{name}-own", hosts=hosts, resource_group="rg-hub", location="westeurope", from_=["10.0.0.0/8"], opts=renamed("own")
)
"""


def laboratory(folder: Path, owner: str, program: str | None = None) -> Lab:
    """A lab in whose clouds `owner` has made what is there already."""
    assert Lab(folder / "owner", folder / "sandbox", owner, "owner").pulumi("up", "--yes", "--skip-preview").ok
    return Lab(folder / "project", folder / "sandbox", *([program] if program else []))


def called(**clouds: Any) -> dict[str, Any]:
    """The clouds of a stack, renamed from hostgate to acme."""
    return {
        cloud: [{**each, "name": "acme"} for each in layers] if isinstance(layers, list) else {**layers, "name": "acme"}
        for cloud, layers in clouds.items()
    }


def formerly(**clouds: Any) -> dict[str, Any]:
    """The same, with the name that there was."""
    return {
        cloud: [{**each, "formerly": "hostgate"} for each in layers]
        if isinstance(layers, list)
        else {**layers, "formerly": "hostgate"}
        for cloud, layers in called(**clouds).items()
    }


def test_a_stack_that_is_renamed_with_its_former_name_changes_nothing_in_the_clouds(tmp_path: Path) -> None:
    lab = laboratory(tmp_path, GROUPS)
    clouds = {"aws": [FIREWALL, QUERIES], "azure": AZURE}
    lab.configure(clouds, lab.hosts("a=a.acme.example"))
    well(lab.up())
    lab.configure(formerly(**clouds), "./ours.yaml")
    assert not well(lab.up()).update.calls
    lab.hosts("a=a.acme.example", "b=b.acme.example")
    assert {line.split()[0] for line in well(lab.up()).update.done("update")} == {
        "RuleGroup",
        "ResolverFirewallDomainList",
        "FirewallPolicyRuleCollectionGroup",
    }
    assert lab.pulumi("preview", "--expect-no-changes").ok
    # Without it a second of everything is made, and a VPC has no room for that at the same priority.
    lab.configure(called(aws=QUERIES), "./ours.yaml")
    assert well(lab.up()).ok
    lab.configure({"aws": {**QUERIES, "name": "other"}}, "./ours.yaml")
    refused = lab.up()
    assert not refused.ok
    assert "priority 9000 is that of" in refused.output
    assert not refused.wrong
    assert not refused.update.done("delete")


LISTS: dict[str, Any] = {
    "aws": {"mechanism": "prefix-list", "securityGroups": ["sg-0a1"]},
    "gcp": {"mechanism": "address-group", "networks": ["projects/acme/global/networks/main"]},
    "azure": {**AZURE, "mechanism": "ip-group"},
}
POOL = """hostgate-pool 1
host a.acme.example window 86400
  203.0.113.7 first 2026-11-20T10:00:00Z seen here 2026-11-28T10:00:00Z
end
"""


@pytest.mark.parametrize("contents", ["pool", "refresher"])
def test_lists_with_addresses_keep_their_names_and_what_is_in_them_where_the_stack_is_renamed(
    tmp_path: Path, contents: str
) -> None:
    lab = laboratory(tmp_path, GROUPS)
    catalog = lab.hosts("a=a.acme.example")
    (lab.project / "pool.txt").write_text(POOL)
    kept = {"contents": contents}
    room = {"pool": ({}, {}), "refresher": ({"maximum": 20}, {"capacity": 20})}[contents]
    layers = {
        "aws": {**LISTS["aws"], **kept, **room[0]},
        "gcp": {**LISTS["gcp"], **kept, **room[1]},
        "azure": {**LISTS["azure"], **kept},
    }
    pool = {"pool": {"file": "pool.txt"}}
    lab.configure({**layers, **pool}, catalog)
    well(lab.up())
    made = {(each.type, each.id) for each in lab.state.objects()}
    exported = lab.pulumi("stack", "export")
    (tmp_path / "state.json").write_text(exported.output[exported.output.index("{") :])
    lab.configure({**formerly(**layers), **pool}, catalog)
    if contents == "refresher":
        (lab.project / "pool.txt").write_text(POOL.replace("203.0.113.7", "203.0.113.8"))
    found = CliRunner().invoke(command, [str(tmp_path / "state.json"), str(lab.project / "Pulumi.dev.yaml"), "--json"])
    told = json.loads(found.stdout)
    assert (found.exit_code, told["guards"]["tripped"]) == (0, [])
    assert {each["change"] for each in told["places"]} == {"same"}
    foreseen = lab.pulumi("preview", "--json", "--show-sames")
    assert foreseen.ok, foreseen.output
    document = json.loads(foreseen.output[foreseen.output.index("{") :])
    sides = [read_preview(document, "preview.json", deployed=was)[0] for was in (True, False)]
    assert [each.objects for each in diff(*sides)] == [(), (), ()]
    renamed = lab.pulumi("up", "--yes", "--skip-preview")
    assert (renamed.ok, renamed.update.calls) == (True, []), renamed.output
    assert {(each.type, each.id) for each in lab.state.objects()} == made


def test_a_policy_of_azure_moves_to_another_name_group_and_location_before_the_old_one_goes(tmp_path: Path) -> None:
    lab = laboratory(tmp_path, GROUPS)
    lab.configure({"azure": AZURE}, lab.hosts("a=a.acme.example"))
    well(lab.up())
    moves: list[dict[str, Any]] = [
        {**AZURE, "resourceGroup": "rg-two", "name": "second"},
        {**AZURE, "resourceGroup": "rg-two", "name": "acme", "location": "northeurope"},
        {**AZURE, "resourceGroup": "rg-two", "name": "acme", "location": "northeurope", "base": 2001},
    ]
    for place in moves[:2]:
        lab.configure({"azure": place}, "./ours.yaml")
        update = well(lab.up()).update
        assert [call.operation for call in update.calls] == ["create", "create", "delete", "delete"]
        assert update.calls[2].type.endswith(":FirewallPolicy")  # and with it its group
    lab.configure({"azure": moves[2]}, "./ours.yaml")
    assert well(lab.up()).update.done("update") == ["FirewallPolicyRuleCollectionGroup acme"]
    lab.configure({"azure": {**moves[2], "location": "westeurope"}}, "./ours.yaml")
    refused = lab.up()
    assert not refused.ok
    assert not refused.wrong
    assert not any(refused.update.done(operation) for operation in ("create", "update", "delete"))


def test_a_group_in_somebody_elses_policy_is_renamed_in_place_or_by_way_of_another_base(tmp_path: Path) -> None:
    lab = laboratory(tmp_path, OWNER)
    lab.configure({"azure": HUB}, lab.hosts("a=a.acme.example"))
    well(lab.up())
    lab.configure(called(azure=HUB), "./ours.yaml")
    refused = lab.up()
    assert "priority 2000 is taken by hostgate" in refused.output
    assert not refused.wrong
    lab.configure({"azure": HUB}, "./ours.yaml")
    well(lab.up())
    lab.configure(formerly(azure=HUB), "./ours.yaml")
    assert not well(lab.up()).update.calls
    lab.configure(called(azure={**HUB, "base": 2100}), "./ours.yaml")
    assert well(lab.up()).ok


def test_components_that_are_renamed_by_alias_keep_what_others_have_no_room_beside(tmp_path: Path) -> None:
    lab = laboratory(tmp_path, OWNER, COMPONENTS.format(name="old"))
    lab.hosts("a=a.acme.example")
    assert lab.up().ok
    (tmp_path / "project" / "__main__.py").write_text(COMPONENTS.format(name="new"))
    renamed = lab.up()
    assert renamed.ok, renamed.output
    own = ["FirewallPolicy new-own", "FirewallPolicyRuleCollectionGroup new-own"]
    assert renamed.update.done("create") == own
    assert [call.operation for call in renamed.update.calls] == ["create", "create", "delete", "delete"]
    again = lab.pulumi("preview", "--expect-no-changes")
    assert again.ok, again.output
