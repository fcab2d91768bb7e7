"""Errors and deaths in the middle of an update, and what the next run makes of them."""

from pathlib import Path

import pytest

from engine.lab import AWS, GCP, Ended, Lab, real_engine, well
from hostgate.gcp.resources import RULE
from hostgate.sandbox.faults import Fault, order
from hostgate.sandbox.service import Service, account_of

pytestmark = real_engine


class Trouble:
    """Every step, in order."""

    def __init__(self, folder: Path) -> None:
        lab = self.lab = Lab(folder / "project", folder / "sandbox")
        lab.configure({"aws": AWS, "gcp": GCP}, lab.hosts("a=a.acme.example"))
        # The first association is refused: everything else is there, and the network still has no deny.
        order(lab.state, Fault("NetworkFirewallPolicyAssociation", "create"))
        self.refused = lab.up()
        self.second = lab.up()
        # The process dies between two resources: one group is changed, the policy is never asked.
        lab.configure({"aws": {"mechanism": "domain-list"}, "gcp": GCP}, "./ours.yaml")
        order(lab.state, Fault("FirewallPolicy", "update", crash="before"))
        self.died = lab.up()
        self.refreshed = lab.pulumi("refresh", "--yes", "--skip-preview", "--clear-pending-creates")
        self.went_on = lab.up()
        self.settled = lab.pulumi("preview", "--expect-no-changes")


class Orphan:
    """A rule that the cloud made, and whose answer the engine never got."""

    def __init__(self, folder: Path) -> None:
        lab = self.lab = Lab(folder / "project", folder / "sandbox")
        lab.configure({"gcp": GCP}, lab.hosts("a=a.acme.example"))
        order(lab.state, Fault("hostgate-allow-tcp-443", "create", crash="after"))
        self.died = lab.up()
        (rule,) = lab.state.objects(RULE)
        self.refused = lab.up()
        Service(lab.state, account_of(rule)).delete(RULE, rule.id)
        self.went_on = lab.up()


@pytest.fixture(scope="module")
def trouble(tmp_path_factory: pytest.TempPathFactory) -> Trouble:
    return Trouble(tmp_path_factory.mktemp("trouble"))


@pytest.fixture(scope="module")
def orphan(tmp_path_factory: pytest.TempPathFactory) -> Orphan:
    return Orphan(tmp_path_factory.mktemp("orphan"))


def failed(ended: Ended) -> Ended:
    """The run, if it failed and no moment of it was other than it must be."""
    assert not ended.ok
    assert not ended.wrong, "\n".join(ended.wrong[:10])
    return ended


def test_a_refusal_in_the_middle_is_said_with_its_reason(trouble: Trouble) -> None:
    assert "as told by `hostgate sandbox fail NetworkFirewallPolicyAssociation`" in failed(trouble.refused).output


def test_the_next_up_makes_only_what_is_missing(trouble: Trouble) -> None:
    assert well(trouble.second).update.done("create") == ["NetworkFirewallPolicyAssociation hostgate-main"]


def test_a_death_between_two_resources_opens_and_cuts_nothing(trouble: Trouble) -> None:
    update = failed(trouble.died).update
    assert "RuleGroup hostgate-list" in update.done("create")
    assert [name for name in update.done("update") if name.startswith("FirewallPolicy")] == []
    assert update.done("delete") == []


def test_refresh_and_up_finish_what_the_dead_had_begun(trouble: Trouble) -> None:
    assert trouble.refreshed.ok, trouble.refreshed.output
    assert well(trouble.went_on).update.done("update") == ["FirewallPolicy hostgate"]
    assert trouble.went_on.update.done("delete") == ["RuleGroup hostgate-allow"]
    assert trouble.settled.ok, trouble.settled.output


def test_what_the_cloud_made_for_a_dead_process_is_not_taken_over_silently(orphan: Orphan) -> None:
    failed(orphan.died)
    refused = failed(orphan.refused)
    assert "exists already" in refused.output
    assert "Adopt it with import_, or delete it" in refused.output


def test_once_it_is_deleted_up_goes_through(orphan: Orphan) -> None:
    assert "NetworkFirewallPolicyRule hostgate-allow-tcp-443" in well(orphan.went_on).update.done("create")
