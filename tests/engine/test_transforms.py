"""Programs that transform every resource, on the real engine: what is promised about order holds all the same.

A transform that hands on what it got takes with it whatever the SDK has no room for in its options (3.272: a replacement
trigger stops the program, `delete_before_replace=False` is gone).
"""

from typing import Any

import pytest

from engine.lab import AWS, AZURE, GCP, PROGRAM, Lab, real_engine, well

pytestmark = real_engine

TRANSFORMED = f"""import pulumi


def handed_on(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult:
    if args.type_ == "aws:networkfirewall/ruleGroup:RuleGroup":
        args.props["tags"] = {{"team": "platform"}}
    return pulumi.ResourceTransformResult(args.props, args.opts)


pulumi.runtime.register_resource_transform(handed_on)
{PROGRAM}"""
TLS = "arn:aws:network-firewall:eu-central-1:123456789012:tls-configuration/inspect"
LISTS = {"mechanism": "domain-list", "homeNet": ["10.0.0.0/8"]}
CHANGES: list[dict[str, Any]] = [
    {"aws": {**AWS, "mode": "audit"}, "gcp": {**GCP, "mode": "audit"}, "azure": AZURE},
    {"aws": AWS, "gcp": GCP, "azure": AZURE},
    {"aws": {**AWS, "tlsInspection": TLS}, "gcp": {**GCP, "base": 5000}, "azure": AZURE},
    {"aws": LISTS, "gcp": GCP, "azure": AZURE},
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    folder = tmp_path_factory.mktemp("transforms")
    return Lab(folder / "project", folder / "sandbox", TRANSFORMED)


def test_every_moment_of_every_change_is_right(lab: Lab) -> None:
    lab.configure({"aws": AWS, "gcp": GCP, "azure": AZURE}, lab.hosts("a.acme.example", "b.acme.example"))
    well(lab.up())
    for clouds in CHANGES:
        lab.configure(clouds, "./ours.yaml")
        well(lab.up())


def test_a_list_and_its_guard_still_change_at_once(lab: Lab) -> None:
    lab.configure({"aws": LISTS}, lab.hosts("a.acme.example", "c.acme.example:8443"))
    update = well(lab.up()).update
    assert update.done("create") == ["RuleGroup hostgate-guard", "RuleGroup hostgate-list"]
    assert "FirewallPolicy hostgate" in update.done("update")
