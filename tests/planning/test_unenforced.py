"""A plan that blocks nothing says so before everything else, on every cloud."""

from typing import Any

import pytest

from conformance.catalogs import MADE, entry, selection
from hostgate.catalog.selection import Acceptance
from hostgate.planning.findings import KINDS
from hostgate.planning.plan import plan, unenforced

ARN = "arn:aws:network-firewall:eu-central-1:123456789012:firewall-policy/egress"
NETWORK = "projects/p/global/networks/main"
FIREWALL = {"vpc_id": "vpc-0a1b", "subnet_mappings": [{"subnet_id": "subnet-0a1b"}]}

NOTHING: list[tuple[str, dict[str, Any], str, str]] = [
    ("aws:rules", {}, "not-enforced", "until a firewall uses it"),
    ("aws:domain-list", {}, "not-enforced", "until a firewall uses it"),
    ("aws:rules", {"attach": ARN}, "not-enforced", f"attaches nothing on AWS: the groups judge nothing until the owner of {ARN}"),
    ("aws:domain-list", {"attach": ARN}, "not-enforced", "eu-central-1"),
    ("aws:rules", {"deny": "declared"}, "not-enforced", "No policy is made"),
    ("aws:rules", {"firewall": FIREWALL, "deny": "none"}, "deny-none", "passes"),
    ("aws:rules", {"firewall": FIREWALL, "mode": "audit"}, "audit", "does not drop"),
    ("aws:dns-firewall", {}, "not-enforced", "No `vpcs` or `profiles` are named"),
    ("aws:dns-firewall", {"vpcs": ["vpc-0a1b"], "mode": "audit"}, "audit", "logs it"),
    ("gcp:fqdn", {}, "not-enforced", "No `networks` are named"),
    ("gcp:fqdn", {"from_": ["tagValues/1"], "base": 1}, "not-enforced", "No `networks` are named"),
    ("gcp:fqdn", {"networks": [NETWORK], "deny": "none"}, "deny-none", "change nothing"),
    ("gcp:fqdn", {"networks": [NETWORK], "mode": "audit"}, "audit", "allow everything"),
    ("azure:application-rules", {"resource_group": "rg"}, "not-enforced", "until a firewall uses it"),
    ("azure:application-rules", {"attach": "rg/fp", "mode": "audit", "from_": ["10.0.0.0/8"]}, "audit", "allow everything"),
]  # fmt: skip

SOMETHING: list[tuple[str, dict[str, Any]]] = [
    ("aws:rules", {"firewall": FIREWALL}),
    ("aws:dns-firewall", {"vpcs": ["vpc-0a1b"]}),
    ("gcp:fqdn", {"networks": [NETWORK]}),
    ("gcp:fqdn", {"networks": [NETWORK], "from_": ["tagValues/1"]}),
    ("gcp:fqdn", {"attach": "egress", "deny": "declared"}),
    ("azure:application-rules", {"attach": "rg/fp"}),
]


@pytest.mark.parametrize(("target", "options", "id_", "said"), NOTHING, ids=lambda each: str(each)[:60])
def test_a_plan_that_blocks_nothing_says_so_first(target: str, options: dict[str, Any], id_: str, said: str) -> None:
    made = plan(selection([entry("storage.googleapis.com")]), target, options)
    warnings = [one for one in made.findings if one.severity == "warning"]
    assert len(warnings) > 1
    first = [one.id for one in warnings[: len(made.unenforced)]]
    assert id_ in first
    assert set(first) == {one.id for one in made.unenforced}
    assert any(said in one.message for one in made.unenforced)


@pytest.mark.parametrize(("target", "options"), SOMETHING, ids=str)
def test_a_plan_that_blocks_does_not(target: str, options: dict[str, Any]) -> None:
    made = plan(selection([entry()]), target, options)
    assert made.unenforced == ()
    assert unenforced([made]) is None


def test_an_error_still_comes_before_it() -> None:
    made = plan(selection([entry(match="subtree")]), "gcp:fqdn", mode="audit")
    assert made.findings[0].severity == "error"


def test_every_kind_that_says_so_is_a_warning() -> None:
    assert {id_ for id_, kind in KINDS.items() if kind.unenforced} == {"not-enforced", "audit", "deny-none"}
    assert {kind.severity for kind in KINDS.values() if kind.unenforced} == {"warning"}


def test_whoever_has_a_firewall_of_their_own_accepts_it_and_hears_no_more_of_it() -> None:
    known = Acceptance(finding="not-enforced", because="The hub's firewall uses the policy")
    made = plan(selection([entry()]).accepting([known]), "azure:application-rules", resource_group="rg")
    assert made.unenforced == ()
    assert any(one.id == "not-enforced" and one.accepted for one in made.findings)


def test_a_stack_says_it_once_with_every_target() -> None:
    made = [plan(selection([entry()]), target) for target in MADE]
    told = unenforced(made) or ""
    assert [line.split()[0] for line in told.splitlines()[1:]] == list(MADE)


@pytest.mark.parametrize(
    ("target", "options", "id_", "said"),
    [
        ("aws:rules", {"from_": ["10.1.0.0/16"]}, "others-cut", "10.1.0.0/16"),
        ("azure:application-rules", {"from_": ["10.1.0.0/16"]}, "others-cut", "denies everything to others"),
        (
            "azure:application-rules",
            {"from_": ["10.1.0.0/16"], "attach": "rg/fp"},
            "others-cut",
            "rest of the attached policy",
        ),
        ("gcp:fqdn", {"from_": ["tagValues/1"]}, "others-open", "not judged"),
    ],
    ids=str,
)
def test_what_becomes_of_clients_that_from_does_not_name_is_said(
    target: str, options: dict[str, Any], id_: str, said: str
) -> None:
    (message,) = [one.message for one in plan(selection([entry()]), target, options).findings if one.id == id_]
    assert said in message
    rest = {key: value for key, value in options.items() if key != "from_"}
    assert not any(one.id == id_ for one in plan(selection([entry()]), target, rest).findings)
