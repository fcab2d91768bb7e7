"""Several lists of hosts and clients in one stack, on the real engine: what comes, changes, moves and goes in one update."""

from pathlib import Path
from typing import Any

import pytest

from engine.lab import AZURE, GCP, Lab, real_engine, well

pytestmark = real_engine

A, B = "a=a.acme.example", "b=b.acme.example"
BUILDERS, NODES, AGENTS = ["10.1.0.0/16"], ["10.0.0.0/8"], ["10.7.0.0/16"]
CLOUDS = {
    "aws": {"mechanism": "rules"},
    "gcp": GCP,
    "azure": {key: value for key, value in AZURE.items() if key != "from"},
}
ONLY_A = {"select": {"ids": ["a"]}}


def lists(**named: dict[str, Any]) -> dict[str, Any]:
    """A list for each name on every cloud; what is said of the policy stands in the first."""
    found: dict[str, Any] = {}
    for cloud, options in CLOUDS.items():
        items = [{"name": name, "mechanism": options["mechanism"], **own} for name, own in named.items()]
        items = [{key: item[key] for key in item if key != "base" or cloud == "gcp"} for item in items]
        found[cloud] = [{**items[0], **options}, *items[1:]]
    return found


class Course:
    """A stack over its life, each step one update; every moment of each is judged for clients of every list."""

    def __init__(self, folder: Path) -> None:
        lab = Lab(folder / "project", folder / "sandbox")
        hosts = lab.hosts(A, B)
        builders, nodes = {"from": BUILDERS}, {"from": NODES, **ONLY_A}
        lab.configure(lists(builders=builders, nodes=nodes), hosts)
        self.made = lab.up()
        self.quiet = lab.pulumi("preview", "--expect-no-changes")
        lab.configure(lists(builders=builders, nodes=nodes, agents={"from": AGENTS}), hosts)
        self.one_more = lab.up()
        lab.configure(lists(builders={**builders, **ONLY_A}, nodes=nodes, agents={"from": AGENTS}), hosts)
        self.narrowed = lab.up()
        lab.configure(lists(nodes={**nodes, "base": 2008}, agents={"from": AGENTS, "base": 2016}), hosts)
        self.first_gone = lab.up()
        lab.configure(lists(nodes={**nodes, "base": 2008}, workers={"from": AGENTS, "base": 2024}), hosts)
        self.renamed = lab.up()
        lab.configure({"aws": {"from": NODES}, "gcp": {**GCP, "from": NODES, "base": 3000}, "azure": AZURE}, hosts)
        self.single = lab.up()
        self.gone = lab.pulumi("destroy", "--yes", "--skip-preview")


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return Course(tmp_path_factory.mktemp("grants"))


STEPS = ("made", "one_more", "narrowed", "first_gone", "renamed", "single")


@pytest.mark.parametrize("step", STEPS)
def test_each_step_is_one_update_without_a_wrong_moment(course: Course, step: str) -> None:
    well(getattr(course, step))


def test_an_equal_stack_changes_nothing(course: Course) -> None:
    assert course.quiet.ok, course.quiet.output


def test_a_list_more_touches_no_rule_of_the_others(course: Course) -> None:
    update = course.one_more.update
    assert sorted(update.done("update")) == ["FirewallPolicy hostgate", "FirewallPolicyRuleCollectionGroup hostgate"]
    assert update.done("delete") == []
    assert all("agents" in name for name in update.done("create"))


def test_everything_goes(course: Course) -> None:
    assert course.gone.ok, course.gone.output


class Over:
    """Clients that go from one list to another, and lists that swap their names, in a policy of ours on AWS."""

    def __init__(self, folder: Path) -> None:
        lab = Lab(folder / "project", folder / "sandbox")
        hosts = lab.hosts(A, B)

        def stack(first: str, ones: list[str], second: str, others: list[str]) -> None:
            lists = [{"name": first, "from": ones}, {"name": second, "from": others, **ONLY_A}]
            lab.configure({"aws": lists}, hosts)

        stack("builders", ["10.1.0.0/16", "10.2.0.0/16"], "nodes", ["10.3.0.0/16"])
        self.made = lab.up()
        stack("builders", ["10.1.0.0/16"], "nodes", ["10.2.0.0/16", "10.3.0.0/16"])
        self.clients = lab.up()
        stack("nodes", ["10.1.0.0/16"], "builders", ["10.2.0.0/16", "10.3.0.0/16"])
        self.names = lab.up()


@pytest.fixture(scope="module")
def over(tmp_path_factory: pytest.TempPathFactory) -> Over:
    return Over(tmp_path_factory.mktemp("over"))


@pytest.mark.parametrize("step", ["made", "clients", "names"])
def test_what_goes_from_one_list_to_another_is_never_cut(over: Over, step: str) -> None:
    well(getattr(over, step))
