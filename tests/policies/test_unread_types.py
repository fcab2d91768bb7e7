"""Types that decide about egress and that the pack does not read: each is said to be unread, never passed over."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from hostgate.flows.nodes import UNKNOWN
from hostgate.flows.snapshot import Resource
from hostgate.policies.catalogs import read_catalogs
from hostgate.policies.judge import is_judged
from hostgate.policies.readers import READERS, UNREAD
from hostgate.policies.settings import Settings
from hostgate.policies.shape import not_read

ALSO_OPEN = (
    "aws:ec2/networkAclRule:NetworkAclRule",
    "aws-native:ec2:SecurityGroup",
    "aws-native:ec2:PrefixList",
    "azure:network/firewallApplicationRuleCollection:FirewallApplicationRuleCollection",
)


def said(type_: str, **properties: Any) -> bool:
    settings = Settings(known=read_catalogs(["chainguard/images@2024-03-28"], Path()), as_of=date(2026, 11, 23))
    found = not_read(Resource(urn="u", type=type_, name="n", properties=properties), settings)
    return isinstance(found, list) and bool(found)


@pytest.mark.parametrize("type_", sorted({*UNREAD, *ALSO_OPEN}))
def test_a_type_that_opens_egress_and_is_not_read_is_said_to_be(type_: str) -> None:
    _, keys = UNREAD[type_]
    assert is_judged(type_)
    assert said(type_, **dict.fromkeys(keys, UNKNOWN))
    assert said(type_) == (not keys)


def test_no_type_is_both_read_and_not() -> None:
    assert not set(READERS) & set(UNREAD)
