"""Entries of network ACLs in the policy pack: those of an allowlist are judged with their ACL, others are said to be unread."""

from typing import Any

import pytest

from hostgate.aws.resources_ec2 import ACL_ENTRY
from hostgate.flows.nodes import UNKNOWN
from hostgate.flows.snapshot import Resource
from hostgate.policies.readers import unread


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({"egress": True, "cidrBlock": "203.0.113.7/32"}, False),
        ({"egress": False, "ipv6CidrBlock": "2001:db8::7/128"}, False),
        ({"egress": True, "cidrBlock": "0.0.0.0/0"}, True),
        ({"egress": True, "cidrBlock": "203.0.113.6/31"}, True),
        ({"egress": True, "cidrBlock": UNKNOWN}, True),
        ({"egress": True, "cidrBlock": "everything"}, True),
        ({}, True),
    ],
)
def test_an_entry_is_said_to_be_unread_unless_its_acl_is_judged(properties: dict[str, Any], said: bool) -> None:
    entry = Resource(urn="u", type=ACL_ENTRY, name="n", properties=properties)
    assert (unread(entry) is not None) == said
