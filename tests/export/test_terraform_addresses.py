"""Prefix lists, rules of security groups and entries of network ACLs, exported: in their own text, and with the real provider.

The provider applies them to moto's EC2 on loopback, which holds to the service's rules for prefix lists. What stands there
afterwards is the bodies of the plan. `HOSTGATE_TERRAFORM_PLUGINS` names a folder with the provider.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import boto3
import pytest
from moto.ec2.models import ec2_backends

from conformance.catalogs import entry, selection
from export.test_terraform import PLUGINS, needs, write
from export.test_terraform_clouds import arguments, behind, resources, run
from hostgate.catalog.problems import InputError
from hostgate.export.terraform_aws import export_terraform
from hostgate.planning.address_pool import DEFAULT_OWNER, mark
from hostgate.planning.plan import Plan, draft, plan
from hostgate.planning.pool_form import read_pool
from sinks.ec2_server import REGION, PrefixListServer

HOSTS = [
    entry("cgr.dev"),
    entry("plain.example", protocol="http", port=80),
    entry("time.example", protocol="udp", port=123),
]
SEEN = "first 2026-11-20T10:00:00Z seen here 2026-11-28T10:00:00Z"
FIRST = {"cgr.dev": ["203.0.113.7", "2001:db8::7"], "plain.example": ["203.0.113.8"], "time.example": ["203.0.113.9"]}
TURNED = {**FIRST, "cgr.dev": ["203.0.113.70", "203.0.113.71", "2001:db8::70"]}
PUSHED = ["203.0.113.99/32"]


def planned(name: str, target: str, addresses: Mapping[str, list[str]], **options: Any) -> Plan:
    lines = [
        line
        for host, listed in sorted(addresses.items())
        for line in (f"host {host} window 86400", *(f"  {each} {SEEN}" for each in listed))
    ]
    pool = read_pool("\n".join(["hostgate-pool 1", *lines, "end", ""]).encode(), "pool.txt")
    made = plan(selection(HOSTS), target, options, name=name, pool=pool)
    assert made.objects
    return made


def plans(groups: list[str], acls: list[str], addresses: Mapping[str, list[str]]) -> list[Plan]:
    """A list by each keeper, and entries of ACLs."""
    kept = {"contents": "refresher", "maximum": 20, "securityGroups": groups[:1]}
    return [
        planned("groups", "aws:prefix-list", addresses, securityGroups=groups, tags={"CostCenter": "4711"}),
        planned("pushed", "aws:prefix-list", addresses, **kept),
        planned("acls", "aws:network-acl", addresses, networkAcls=acls),
    ]


GROUPS, ACLS = ["sg-0a1", "sg-0a2"], ["acl-0a1", "acl-0a2"]


@pytest.mark.parametrize("made", plans(GROUPS, ACLS, FIRST), ids=lambda made: made.options.name)
def test_every_object_is_one_resource_that_says_all_that_its_body_says(made: Plan) -> None:
    found = {address.rpartition(".")[2]: arguments(each) for address, each in resources(made).items()}
    assert len(found) == len(made.objects)
    for each in made.objects:
        words = {json.dumps(value) for value in _leaves(each.body) if value != each.body.get("PrefixListId")}
        assert words <= {json.dumps(value) for value in _leaves(found[each.name.replace(".", "-")])}


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        tag = value.keys() == {"Key", "Value"}
        yield from ([value["Value"]] if tag else (leaf for each in value.values() for leaf in _leaves(each)))
    elif isinstance(value, list):
        yield from (leaf for each in value for leaf in _leaves(each))
    else:
        yield value


def test_a_rule_refers_to_its_list_and_a_way_out_waits_for_every_way_back() -> None:
    groups, _, acls = (resources(made) for made in plans(GROUPS, ACLS, FIRST))
    rules = [address for address in groups if "egress_rule" in address]
    assert len(rules) == 8
    for address in rules:
        label = re.sub(r".*-sg-0a.-", "aws_ec2_managed_prefix_list.groups-", address)
        assert groups[address]["prefix_list_id"] == f"${{{label}.id}}"
    back = {address for address, each in acls.items() if not each["egress"]}
    assert len(back) == 8
    assert all(behind(acls, address) == back for address in acls.keys() - back)


def test_what_a_refresher_keeps_is_ignored_and_nothing_else_is() -> None:
    for made in plans(GROUPS, ACLS, FIRST):
        ignored = {address: each["lifecycle"].get("ignore_changes") for address, each in resources(made).items()}
        kept = made.options.name == "pushed"
        assert all(said == (["entry"] if kept and "prefix_list" in each else None) for each, said in ignored.items())


def test_names_of_resources_are_identifiers() -> None:
    for made in plans(GROUPS, ACLS, FIRST):
        assert all(re.fullmatch(r"[A-Za-z_][\w-]*", each.rpartition(".")[2], re.ASCII) for each in resources(made))


@pytest.mark.parametrize(
    ("target", "said"),
    [("aws:prefix-list", "`securityGroups` names none"), ("aws:network-acl", "`networkAcls` names none")],
)
def test_lists_that_nothing_uses_are_no_file(target: str, said: str) -> None:
    made = draft(selection(HOSTS), target, {"addresses": FIRST})
    with pytest.raises(InputError, match=said):
        export_terraform(made)


class Ec2(PrefixListServer):
    """moto's EC2, with what it forgets; `acl_calls` are the calls for entries of ACLs, and whether of a way out."""

    def __init__(self) -> None:
        super().__init__()
        self.acl_calls: list[tuple[str, bool]] = []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        answer = super().__call__(environ, start_response)
        asked = {key: values[0] for key, values in parse_qs(body.decode()).items()}
        if asked["Action"] == "AuthorizeSecurityGroupEgress":
            group = ec2_backends["123456789012"][REGION].get_security_group_from_id(asked["GroupId"])
            assert group is not None
            where = "IpPermissions.1.PrefixListIds.1"
            for rule in group.egress_rules:
                if rule.prefix_list_id == asked[f"{where}.PrefixListId"]:
                    rule.ip_range = {"Description": asked[f"{where}.Description"]}  # moto has it for ranges only
        if asked["Action"] in ("CreateNetworkAclEntry", "DeleteNetworkAclEntry"):
            self.acl_calls.append((asked["Action"][:6], asked["Egress"] == "true"))
        return answer


class Applied:
    """Every step, in order: applied, a pushed list beside a pool that turned, applied again, destroyed."""

    def __init__(self, program: str, folder: Path, ec2: Ec2) -> None:
        self.program, self.folder, self.ec2 = program, folder, ec2
        keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
        self.client: Any = boto3.client("ec2", endpoint_url=ec2.url, region_name=REGION, **keys)
        vpc = self.client.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.groups = [
            self.client.create_security_group(GroupName=each, Description=each, VpcId=vpc)["GroupId"] for each in "ab"
        ]
        self.acls = [self.client.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"] for _ in "ab"]
        self.first, self.standing_first, self.settled_first = self.apply(FIRST)
        self.push("pushed-refresher-ipv4-tcp-443", PUSHED)
        self.turned, self.standing_turned, self.settled_turned = self.apply(TURNED)
        ec2.acl_calls.clear()
        run(program, folder, "destroy", "-input=false", "-auto-approve")
        self.left, self.last_calls = self.standing(), list(ec2.acl_calls)

    def apply(self, addresses: Mapping[str, list[str]]) -> tuple[list[Plan], list[Any], str]:
        made = plans(self.groups, self.acls, addresses)
        write(self.folder, made, int(self.ec2.url.rpartition(":")[2]), REGION)
        run(self.program, self.folder, "init", "-input=false", f"-plugin-dir={PLUGINS}")
        self.ec2.acl_calls.clear()
        run(self.program, self.folder, "apply", "-input=false", "-auto-approve")
        self.calls = list(self.ec2.acl_calls)
        standing = self.standing()
        return made, standing, run(self.program, self.folder, "plan", "-input=false")

    def push(self, name: str, networks: list[str]) -> None:
        """What `hostgate pool push` leaves behind."""
        held = ec2_backends["123456789012"][REGION].managed_prefix_lists.values()
        (one,) = (each for each in held if each.prefix_list_name == name)
        one.version += 1
        one.entries[one.version] = [{"Cidr": each, "Description": mark(DEFAULT_OWNER)} for each in networks]

    def standing(self) -> list[Any]:
        """What stands, as the bodies of a plan say it: a list by its name, and what is of nobody without tags."""
        lists = self.client.describe_managed_prefix_lists()["PrefixLists"]
        ours = {each["PrefixListId"]: each["PrefixListName"] for each in lists if each["OwnerId"] != "AWS"}
        found = []
        for each in lists:
            if each["PrefixListId"] in ours:
                entries = self.client.get_managed_prefix_list_entries(PrefixListId=each["PrefixListId"])["Entries"]
                keys = ("PrefixListName", "AddressFamily", "MaxEntries", "Tags")
                found.append({**{key: each.get(key) for key in keys}, "Entries": entries})
        wanted = [{"Name": "group-id", "Values": self.groups}]
        for rule in self.client.describe_security_group_rules(Filters=wanted)["SecurityGroupRules"]:
            if "PrefixListId" in rule:  # beside it the one that every new group has
                keys = ("GroupId", "IpProtocol", "FromPort", "ToPort", "Description", "Tags")
                found.append({**{key: rule.get(key) for key in keys}, "PrefixListId": ours[rule["PrefixListId"]]})
        for acl in self.client.describe_network_acls(NetworkAclIds=self.acls)["NetworkAcls"]:
            found += [{"NetworkAclId": acl["NetworkAclId"], **each} for each in acl["Entries"]]
        return _in_order({key: value for key, value in each.items() if value not in (None, [])} for each in found)


def _in_order(bodies: Iterable[Mapping[str, Any]]) -> list[Any]:
    """`bodies` in an order of their own, and so their entries, which are a set."""
    ordered = ({**each, "Entries": sorted(each.get("Entries", []), key=str)} for each in bodies)
    return sorted(ordered, key=lambda each: json.dumps(each, sort_keys=True))


def _bodies(made: Iterable[Plan]) -> list[Any]:
    return _in_order(each.body for one in made for each in one.objects)


@pytest.fixture(scope="module", params=["terraform", "tofu"])
def applied(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Applied]:
    needs(request.param)
    with Ec2() as ec2:
        yield Applied(request.param, tmp_path_factory.mktemp("applied"), ec2)


def test_what_stands_is_the_bodies_of_the_plan(applied: Applied) -> None:
    assert applied.standing_first == _bodies(applied.first)
    assert "No changes" in applied.settled_first


def test_a_pool_that_turned_is_in_what_the_program_keeps_and_a_push_stays_in_what_it_does_not(applied: Applied) -> None:
    entries = {each.name: each.body.get("Entries") for one in applied.first for each in one.objects}
    entries["pushed-refresher-ipv4-tcp-443"] = [{"Cidr": each, "Description": "hostgate:pool"} for each in PUSHED]
    wanted = [
        {**each.body, "Entries": entries[each.name]} if each.name.startswith("pushed-refresher") else each.body
        for one in applied.turned
        for each in one.objects
    ]
    assert applied.standing_turned == _in_order(wanted)
    assert _in_order(wanted) != _bodies(applied.turned)
    assert "No changes" in applied.settled_turned


def test_the_way_back_is_there_before_a_way_out_and_goes_after_it(applied: Applied) -> None:
    removed = [out for action, out in applied.last_calls if action == "Delete"]
    made = [out for action, out in applied.calls if action == "Create"]
    assert made == sorted(made)
    assert removed == sorted(removed, reverse=True)
    assert {*made} == {*removed} == {True, False}
    assert applied.left == []
