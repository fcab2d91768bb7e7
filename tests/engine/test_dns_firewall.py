"""DNS Firewall beside the rules, on the real engine: wildcards that come and go, modes, VPCs, splits, the way out."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.lab import AWS, Ended, Lab, real_engine, well
from engine.moments import plain, violations
from hostgate.aws.resources_resolver import ASSOCIATION, DOMAIN_LIST, RULE_GROUP
from hostgate.flows.flow import Flow
from hostgate.sandbox.enforcement_points import points
from hostgate.sandbox.faults import Fault, order

pytestmark = real_engine

ONE, TWO = "vpc-0a1b2c3d", "vpc-0e1f2a3b"
DNS = {"mechanism": "dns-firewall", "vpcs": [ONE]}


def entries(lab: Lab, *needs: str) -> str:
    """Write a catalog of `match host` or `host`; the reference to it."""
    written = []
    for need in needs:
        match, _, host = need.rpartition(" ")
        told = {"id": host.replace(".", "-"), "host": host, "match": match or "exact", "port": 443}
        written.append({**told, "protocol": "https", "purpose": "Tests", "phase": "build"})
    (lab.project / "ours.yaml").write_text(yaml.safe_dump({"catalog": "acme/ours", "entries": written}))
    return "./ours.yaml"


class Layers:
    """Every step, in order."""

    def __init__(self, folder: Path) -> None:
        lab = self.lab = Lab(folder / "project", folder / "sandbox")

        def layers(*needs: str, **dns: Any) -> Ended:
            lab.configure({"aws": [AWS, {**DNS, **dns}]}, entries(lab, *needs))
            return lab.up()

        # The association is refused: everything else is there, and no query is judged yet.
        order(lab.state, Fault("ResolverFirewallRuleGroupAssociation", "create"))
        self.refused = layers("a.acme.example", "subtree old.example", "subtree whole.example")
        self.first = lab.up()
        self.again = lab.preview()
        self.outputs = json.loads(lab.pulumi("stack", "output", "--json").output)
        self.one_more = layers("a.acme.example", "b.acme.example", "subtree old.example", "subtree whole.example")
        self.turned = layers("a.acme.example", "whole.example", "subtree new.example", "subtree+apex x.example")
        self.audit = layers("a.acme.example", "subtree new.example", mode="audit")
        self.enforced = layers("c.acme.example", "subtree x.example")
        self.all_denied = layers("c.acme.example", "subtree x.example", deny="all", vpcs=[ONE, TWO], failMode="open")
        self.moved = layers(
            "c.acme.example", "subtree x.example", vpcs=[TWO], inside=["corp"], blockResponse="NXDOMAIN"
        )
        self.settled = lab.preview()
        lab.configure({"aws": AWS}, "./ours.yaml")
        self.removed = lab.up()
        lab.configure({"aws": DNS}, "./ours.yaml")
        self.alone = lab.up()
        self.gone = lab.pulumi("destroy", "--yes", "--skip-preview")


@pytest.fixture(scope="module")
def layers(tmp_path_factory: pytest.TempPathFactory) -> Layers:
    return Layers(tmp_path_factory.mktemp("layers"))


def test_a_refused_association_leaves_a_group_that_judges_nobody(layers: Layers) -> None:
    assert not layers.refused.ok
    assert not layers.refused.wrong
    assert "ResolverFirewallRuleGroupAssociation" not in " ".join(layers.refused.update.done("create"))


def test_the_next_up_makes_only_what_is_missing(layers: Layers) -> None:
    assert well(layers.first).update.done("create") == [f"ResolverFirewallRuleGroupAssociation hostgate-{ONE}"]


def test_a_second_preview_has_nothing_to_do(layers: Layers) -> None:
    assert {step for step, _ in layers.again} == {"same"}
    assert {step for step, _ in layers.settled} == {"same"}


def test_the_first_layer_is_exported_under_the_cloud_and_the_second_beside_it(layers: Layers) -> None:
    assert set(layers.outputs) == {"aws", "aws-dns-firewall"}
    assert layers.outputs["aws"]["policyArn"].startswith("arn:aws:network-firewall:")
    assert layers.outputs["aws-dns-firewall"]["ruleGroupId"].startswith("rslvr-frg-")


def test_one_more_host_is_one_update_of_a_list_beside_that_of_a_rule_group(layers: Layers) -> None:
    update = well(layers.one_more).update
    assert sorted(update.done("update")) == ["ResolverFirewallDomainList hostgate-hosts", "RuleGroup hostgate-allow"]
    assert update.done("create") == update.done("delete") == []


def test_wildcards_that_come_and_go_never_open_their_apex(layers: Layers) -> None:
    update = well(layers.turned).update
    lists = [name for name in update.done("update") if name.startswith("ResolverFirewallDomainList")]
    assert [name.partition("hostgate-")[2] for name in lists] == ["apexes-first", "hosts", "apexes-last"]


def test_into_audit_everything_passes_before_a_host_leaves(layers: Layers) -> None:
    done = [f"{call.operation} {plain(call.name)}" for call in well(layers.audit).update.calls]
    assert (
        done.index("create hostgate-audit") < done.index("update hostgate-hosts") < done.index("delete hostgate-block")
    )


def test_out_of_audit_the_block_is_there_before_the_audit_goes(layers: Layers) -> None:
    done = [f"{call.operation} {plain(call.name)}" for call in well(layers.enforced).update.calls]
    assert (
        done.index("update hostgate-hosts") < done.index("create hostgate-block") < done.index("delete hostgate-audit")
    )


def test_a_second_vpc_gets_the_whole_group_and_the_first_can_leave(layers: Layers) -> None:
    assert f"ResolverFirewallRuleGroupAssociation hostgate-{TWO}" in well(layers.all_denied).update.done("create")
    moved = well(layers.moved).update
    assert f"ResolverFirewallRuleGroupAssociation hostgate-{ONE}" in moved.done("delete")
    assert "ResolverFirewallRule hostgate-block" in moved.done("update")


@pytest.mark.parametrize("step", ["removed", "gone"])
def test_the_deny_goes_first_when_the_layer_goes(layers: Layers, step: str) -> None:
    ended: Ended = getattr(layers, step)
    assert ended.ok, ended.output
    deleted = [call.type for call in ended.update.calls if call.operation == "delete" and "esolver" in call.type]
    assert deleted[0] == ASSOCIATION
    assert deleted.count(ASSOCIATION) == 1
    assert deleted.index(RULE_GROUP) > deleted.index(ASSOCIATION)
    assert not any(call.refusal for call in ended.update.calls)
    assert not [held for held in layers.lab.state.objects() if held.type == DOMAIN_LIST]


def test_dns_firewall_can_be_the_only_layer(layers: Layers) -> None:
    assert well(layers.alone).update.done("delete") != []


def test_a_list_that_is_full_splits_without_a_host_being_cut(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "project", tmp_path / "sandbox")
    hosts = [f"h{number}.acme.example" for number in range(701)]
    lab.configure({"aws": DNS}, lab.hosts(*hosts[:700]))
    before = lab.plans()
    assert lab.pulumi("up", "--yes", "--skip-preview").ok
    lab.hosts(*hosts)
    ended = lab.pulumi("up", "--yes", "--skip-preview")
    assert ended.ok, ended.output
    assert sorted(ended.update.done("create")) == [
        f"{kind} hostgate-{name}-{half}"
        for kind, name in (("ResolverFirewallDomainList", "hosts"), ("ResolverFirewallRule", "allow"))
        for half in "01"
    ]
    flows = [Flow(name) for name in (*hosts[:5], hosts[-1], "h.acme.example", "evil.example")]
    assert violations(replace(ended.update, old=before, new=lab.plans()), flows) == []


ADOPTING = """
from hostgate.aws import DnsFirewallAllowlist

import_ = {IMPORT}
DnsFirewallAllowlist("hostgate", {"catalogs": ["./ours.yaml"], "vpcs": ["vpc-0a1b2c3d"], "import_": import_})
"""


def test_a_list_of_another_name_is_adopted_as_it_is_called(tmp_path: Path) -> None:
    theirs = Lab(tmp_path / "theirs", tmp_path / "sandbox", THEIR_LIST, "theirs")
    assert well(theirs.up()).ok
    (held,) = theirs.state.objects(DOMAIN_LIST)
    ours = Lab(
        tmp_path / "ours",
        tmp_path / "sandbox",
        ADOPTING.replace("{IMPORT}", json.dumps({"hostgate-hosts": held.id})),
        "ours",
    )
    ours.hosts("a.acme.example")
    ended = ours.up()
    assert ended.ok, ended.output
    assert _names(ours) == ["allowed hosts"]
    assert [point.verdict(Flow("a.acme.example")).allows for point in points(ours.state.objects())] == [True]


THEIR_LIST = """
from pulumi_aws import route53

route53.ResolverFirewallDomainList("theirs", name="allowed hosts", domains=["a.acme.example"])
"""


def _names(lab: Lab) -> Sequence[str]:
    """Names of lists that the engine did not make up."""
    return [held.name for held in lab.state.objects(DOMAIN_LIST) if not held.name.startswith("hostgate")]
