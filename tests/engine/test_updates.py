"""The life of an allowlist on three clouds, deployed by the real engine: from the first `up` to `destroy`.

The engine is slow, so one fixture lives through it all and each test looks at one step.
"""

from pathlib import Path

import pytest

from engine.lab import AWS, AZURE, GCP, Lab, real_engine, well
from hostgate.sandbox.enforcement_points import points

pytestmark = real_engine

REFERENCE, NEWEST = "chainguard/images@2024-03-28", "chainguard/images@2026-02-23"
CLOUDS = {"aws": AWS, "gcp": GCP, "azure": AZURE}
ALLOWING = ["FirewallPolicyRuleCollectionGroup hostgate", "NetworkFirewallPolicyRule hostgate-allow-tcp-443",
            "RuleGroup hostgate-allow"]  # fmt: skip
"""The one object of each cloud that holds the hosts."""


class Life:
    """Every step, in order."""

    def __init__(self, folder: Path) -> None:
        lab = Lab(folder / "project", folder / "sandbox")
        lab.configure(CLOUDS, REFERENCE, lab.hosts("mirror=mirror.acme.example", "cache=cache.acme.example"))
        self.stack_file = (lab.project / "Pulumi.dev.yaml").read_bytes()
        self.first = lab.up()
        self.stack_file_after = (lab.project / "Pulumi.dev.yaml").read_bytes()
        self.again = lab.pulumi("preview", "--expect-no-changes")
        lab.hosts("mirror=mirror.acme.example", "cache=cache.acme.example", "proxy=proxy.acme.example")
        self.foretold = lab.preview()
        self.one_more = lab.up()
        lab.hosts("mirror=mirror2.acme.example", "proxy=proxy.acme.example")
        self.renamed = lab.up()
        lab.configure(CLOUDS, NEWEST, "./ours.yaml")
        self.newest = lab.up()
        lab.hosts("proxy=proxy.acme.example")  # mirror2 leaves, and passes nevertheless: at every moment
        lab.configure(
            {**CLOUDS, "aws": {**AWS, "mode": "audit"}, "gcp": {**GCP, "mode": "audit"}}, NEWEST, "./ours.yaml"
        )
        self.audit = lab.up()
        lab.configure(CLOUDS, NEWEST, "./ours.yaml")
        self.enforce = lab.up()
        gone = next(held for held in lab.state.objects() if held.name == "hostgate-private-ipv6")
        with lab.state.transaction() as now:
            now.remove(gone)
        self.repaired = lab.up("--refresh")
        self.destroyed = lab.pulumi("destroy", "--yes", "--skip-preview")
        self.left = lab.state.objects()


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    return Life(tmp_path_factory.mktemp("life"))


def test_the_first_up_makes_everything_and_is_at_no_moment_wider_than_the_plan(life: Life) -> None:
    made = well(life.first).update.done("create")
    assert len(made) == 12
    assert life.first.update.done("update") == []


def test_a_rule_that_denies_comes_after_those_that_allow_and_before_the_network(life: Life) -> None:
    made = [name for name in life.first.update.done("create") if name.startswith("NetworkFirewallPolicy")]
    kinds = [name.rpartition("hostgate")[2] for name in made]
    assert kinds.index("-allow-tcp-443") < min(kinds.index("-deny-ipv4"), kinds.index("-deny-ipv6"))
    assert kinds[0] == ""  # the policy
    assert kinds[-1] == "-main"  # its association


def test_the_stack_file_stays_as_it_was(life: Life) -> None:
    assert life.stack_file_after == life.stack_file


def test_a_preview_after_up_shows_no_change(life: Life) -> None:
    assert life.again.ok, life.again.output


def test_one_host_more_is_one_update_on_each_cloud_and_nothing_is_replaced(life: Life) -> None:
    well(life.one_more)
    assert sorted(life.one_more.update.done("update")) == ALLOWING
    assert life.one_more.update.done("create") == life.one_more.update.done("delete") == []


def test_the_preview_foretold_it(life: Life) -> None:
    changed = [
        urn.rpartition("::")[2] for op, urn in life.foretold if op != "same" and "index:" not in urn.split("$")[-1]
    ]
    assert {op for op, _ in life.foretold} == {"same", "update"}
    assert sorted(changed) == ["hostgate", "hostgate-allow", "hostgate-allow-tcp-443"]


def test_a_host_renamed_and_one_withdrawn_are_one_update_on_each_cloud(life: Life) -> None:
    well(life.renamed)
    assert sorted(life.renamed.update.done("update")) == ALLOWING
    assert life.renamed.update.done("create") == life.renamed.update.done("delete") == []


def test_from_the_reference_to_the_newest_revision_no_moment_cuts_what_both_allow(life: Life) -> None:
    well(life.newest)
    assert sorted(life.newest.update.done("update")) == ALLOWING


@pytest.mark.parametrize("step", ["audit", "enforce"])
def test_into_audit_and_back_no_moment_is_wider_than_audit(life: Life, step: str) -> None:
    well(getattr(life, step))


def test_what_was_deleted_by_hand_is_made_again(life: Life) -> None:
    well(life.repaired)
    assert life.repaired.update.done("create") == ["NetworkFirewallPolicyRule hostgate-private-ipv6"]
    assert life.repaired.update.done("update") == []


def test_destroy_leaves_nothing(life: Life) -> None:
    assert life.destroyed.ok, life.destroyed.output
    assert life.left == []
    assert [call.refusal for call in life.destroyed.update.calls if call.refusal] == []


def test_on_destroy_the_deny_goes_first(life: Life) -> None:
    gone = life.destroyed.update.done("delete")
    rules = [name.partition("hostgate-")[2] for name in gone if name.startswith("NetworkFirewallPolicyRule")]
    assert set(rules[:2]) == {"deny-ipv4", "deny-ipv6"}
    assert rules[-1] == "allow-tcp-443"
    assert gone.index("FirewallPolicy hostgate") < gone.index("RuleGroup hostgate-allow")


def test_every_cloud_had_a_point_where_flows_are_judged(life: Life) -> None:
    places = [point.title for point in points(life.enforce.update.after)]
    assert [title.split()[:2] for title in places] == [["aws", "policy"], ["gcp", "network"], ["azure", "policy"]]
