"""A component's children and its plan, as attributes for the program around it, under the names by which they are adopted."""

import re

import pytest

from hostgate.sandbox.preview_problems import PreviewError

from .conftest import Run

START = """
    import pulumi
    import hostgate
    from hostgate.aws import DnsFirewallAllowlist, NetworkAclAllowlist, NetworkFirewallAllowlist, SecurityGroupAllowlist
    from hostgate.azure import FirewallPolicyAllowlist as Azure
    from hostgate.gcp import AddressGroupAllowlist
    from hostgate.azure import IpGroupAllowlist
    from hostgate.gcp import FirewallPolicyAllowlist as Google

    hosts = hostgate.select("chainguard/images@2024-03-28", phases=["pull"])
    addresses = {each.host: ["203.0.113.7", "2001:db8::7"] for each in hosts.entries}
"""
CALLS = {
    'NetworkFirewallAllowlist("c", hosts=hosts)': {"c", "c-allow", "c-edge"},
    'DnsFirewallAllowlist("c", hosts=hosts, vpcs=["vpc-0a1"])': {
        "c",
        "c-hosts",
        "c-allow",
        "c-vpc-0a1",
        "c-fail-vpc-0a1",
    },
    'SecurityGroupAllowlist("c", hosts=hosts, security_groups=["sg-0a1"], addresses=addresses)': {
        "c-ipv4-tcp-443",
        "c-ipv6-tcp-443",
        "c-sg-0a1-ipv4-tcp-443",
        "c-sg-0a1-ipv6-tcp-443",
    },
    'NetworkAclAllowlist("c", hosts=hosts, network_acls=["acl-0a1"], addresses=addresses)': {
        "c-acl-0a1-out-tcp-443-203.0.113.7",
        "c-acl-0a1-out-tcp-443-2001-db8--7",
        "c-acl-0a1-in-tcp-203.0.113.7",
        "c-acl-0a1-in-tcp-2001-db8--7",
    },
    'Google("c", hosts=hosts, networks=["projects/p/global/networks/main"])': {"c", "c-allow-tcp-443", "c-main"},
    'AddressGroupAllowlist("c", hosts=hosts, networks=["projects/p/global/networks/main"], addresses=addresses)': {
        "c",
        "c-ipv4-tcp-443-100",
        "c-ipv6-tcp-443-100",
        "c-allow-ipv4-tcp-443",
        "c-allow-ipv6-tcp-443",
        "c-main",
    },
    'Azure("c", hosts=hosts, resource_group="rg")': {"c-policy", "c"},
    'IpGroupAllowlist("c", hosts=hosts, resource_group="rg", addresses=addresses)': {
        "c-policy",
        "c-addresses",
        "c-tcp-443",
    },
}


@pytest.mark.parametrize("call", CALLS)
def test_children_and_plan_are_there(run: Run, call: str) -> None:
    made = run(START + f"    made = {call}\n    pulumi.export('names', list(made.children))\n    made.plan.verdict\n")
    names = set(made.outputs["names"])
    assert names >= CALLS[call]
    assert names == {
        each.name for each in made.resources if each.parent and each.name.startswith("c") and ":index:" not in each.type
    }


@pytest.mark.parametrize("call", CALLS)
def test_they_are_the_names_that_can_be_adopted(run: Run, call: str) -> None:
    with pytest.raises(PreviewError) as failed:
        run(START + f"    {call[:-1]}, import_={{'c-nothing': 'x'}})")
    said = re.split(r"[,.]?\s+", str(failed.value).partition("Children:")[2].rstrip(". \n"))
    assert CALLS[call] <= {*said}
