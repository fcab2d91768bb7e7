"""Several lists of hosts and clients of a stack, at the console: each command says whose a host is."""

import subprocess
from pathlib import Path

import pytest

from cli.conftest import Project, Run
from hostgate.catalog.problems import InputError
from hostgate.stack import config_of_file, read_stack, values_of_engine, values_of_file

ONE = """
    config:
      hostgate:catalogs: [chainguard/images@2024-03-28]
      hostgate:select: {phases: [pull]}
      hostgate:aws: {from: [10.0.0.0/8]}
"""
TWO = """
    config:
      hostgate:catalogs: [chainguard/images@2024-03-28]
      hostgate:aws:
        - {name: builders, from: [10.1.0.0/16], select: {phases: [build, pull]}}
        - {name: nodes, from: [10.0.0.0/8], select: {phases: [pull]}}
"""
WIDER = TWO.replace("[10.1.0.0/16]", "[10.1.0.0/16, 10.2.0.0/16]")
NARROWER = TWO.replace("phases: [build, pull]", "phases: [pull]")


@pytest.fixture
def stacks(project: Project) -> Path:
    return project(one=ONE, two=TWO, wider=WIDER, narrower=NARROWER)


@pytest.mark.usefixtures("stacks")
def test_plan_lists_each_list_with_its_clients_and_its_hosts(run: Run) -> None:
    out = run("plan", "--stack", "two").out
    assert "builders: for 10.1.0.0/16" in out
    assert "nodes: for 10.0.0.0/8" in out
    lines = [line.split()[:2] for line in out.splitlines() if "cgr.dev" in line and "allowed" in line]
    assert lines == [["builders", "packages.cgr.dev"], ["builders", "cgr.dev"], ["nodes", "cgr.dev"]]
    assert "info    others-cut (builders): Behind the firewall only 10.1.0.0/16 may use the hosts" in out


@pytest.mark.usefixtures("stacks")
def test_explain_answers_for_the_clients_of_each_list_or_for_the_one_that_is_named(run: Run) -> None:
    found = run("explain", "packages.wolfi.dev", "--stack", "two", "--json").json["targets"]
    assert [(each["target"], each["verdict"]) for each in found] == [
        ("aws:rules builders", "allow"), ("aws:rules nodes", "unknown"),
    ]  # fmt: skip
    assert any("10.1.0.0/16" in lack for lack in found[1]["lacks"])  # a builder is a node too

    for client, verdict in (("10.1.2.3", "allow"), ("10.9.9.9", "block")):
        (answer,) = run("explain", "packages.wolfi.dev", "--stack", "two", "--from", client, "--json").json["targets"]
        assert (answer["target"], answer["verdict"]) == ("aws:rules", verdict)
    assert {each["grant"] for each in answer["nearest"]} == {"builders", "nodes"}


@pytest.mark.usefixtures("stacks")
def test_diff_says_for_whom_a_host_opens_or_closes(run: Run) -> None:
    opened = run("diff", "two", "wider").out
    assert (
        "  + packages.wolfi.dev (this name only) 443/https for builders: 10.2.0.0/16 by hostgate-builders-allow#"
        in opened
    )
    closed = run("diff", "two", "narrower").out
    assert "  - packages.wolfi.dev (this name only) 443/https for builders: 10.1.0.0/16" in closed
    more = run("diff", "one", "two", "--json").json["targets"][0]
    assert {(each["host"], each["grant"], *each["clients"]) for each in more["opened"]} == {
        ("packages.cgr.dev", "builders", "10.1.0.0/16"), ("packages.wolfi.dev", "builders", "10.1.0.0/16"),
    }  # fmt: skip
    assert more["closed"] == []


@pytest.mark.usefixtures("stacks")
def test_guards_count_and_keep_by_client(run: Run) -> None:
    assert run("diff", "two", "narrower", "--max-removed", "2").code == 0
    assert run("diff", "two", "narrower", "--max-removed", "1").code == 1
    kept = run("diff", "two", "narrower", "--never-remove", "packages.wolfi.dev")
    assert kept.code == 1
    assert "packages.wolfi.dev must stay" in kept.out


@pytest.mark.usefixtures("stacks")
def test_a_host_that_stays_for_others_may_not_close_for_the_clients_of_a_list(run: Run, project: Project) -> None:
    project(moved=TWO.replace("from: [10.1.0.0/16]", "from: [10.9.0.0/16]"))
    kept = run("diff", "two", "moved", "--never-remove", "packages.wolfi.dev")
    assert kept.code == 1
    assert "packages.wolfi.dev must stay, and would close for builders: 10.1.0.0/16." in kept.out


@pytest.mark.usefixtures("stacks")
def test_the_comment_has_a_row_for_each_list(run: Run) -> None:
    out = run("comment", "two", "wider").out
    assert "`for builders: 10.2.0.0/16`" in out
    assert "what opens is for" not in out


def test_a_pin_holds_what_each_list_opens(run: Run, stacks: Path) -> None:
    locked = run("plan", "--stack", "two", "--lock", "two.json")
    digest = locked.err.rpartition("aws:rules")[2].split()[-1]
    pinned = f"{WIDER}\n      hostgate:reviewed: {{plan: two.json, digests: {{'aws:rules': {digest}}}}}\n"
    (stacks / "Pulumi.wider.yaml").write_text("\n".join(line[4:] for line in pinned.splitlines()) + "\n")
    refused = run("plan", "--stack", "wider")
    assert refused.code == 1
    assert (
        "opens packages.wolfi.dev:443/https (this name only; packages-wolfi) for builders: 10.2.0.0/16." in refused.err
    )


@pytest.mark.usefixtures("stacks")
def test_files_and_rules_for_suricata_are_those_of_every_list(run: Run) -> None:
    assert run("plan", "--stack", "two", "--out", "plans").code == 0
    assert {path.name for path in Path("plans/aws-rules").glob("*.rules")} == {
        "hostgate-builders-allow.rules", "hostgate-edge.rules", "hostgate-nodes-allow.rules",
    }  # fmt: skip
    rules = run("export", "suricata", "--stack", "two").out
    assert (
        'pass tls 10.1.0.0/16 any -> $EXTERNAL_NET 443 (msg:"hostgate chainguard/images packages-wolfi for builders"'
        in rules
    )
    assert "packages-wolfi for nodes" not in rules


@pytest.mark.usefixtures("stacks")
def test_advice_is_about_the_hosts_of_all_lists(run: Run) -> None:
    hosts = {each["host"] for each in run("advise", "--stack", "two", "--json").json["hosts"]}
    assert {"cgr.dev", "packages.wolfi.dev"} <= hosts
    assert "ghcr.io" not in hosts


def test_a_git_ref_takes_the_catalogs_that_a_list_names(run: Run, project: Project) -> None:
    folder = project(
        prod="""
        config:
          hostgate:aws:
            - {name: builders, from: [10.1.0.0/16], catalogs: [./ours.yaml]}
            - {name: nodes, from: [10.2.0.0/16], catalogs: [./ours.yaml]}
        """
    )
    line = "  - {{id: {0}, host: {0}.example, port: 443, protocol: https}}\n"
    (folder / "ours.yaml").write_text("catalog: acme/ours\nentries:\n" + line.format("a"))
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "One"]):
        ours = ["-c", "user.name=A", "-c", "user.email=a@acme.example", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *ours, *words], cwd=folder, check=True, capture_output=True)
    (folder / "ours.yaml").write_text("catalog: acme/ours\nentries:\n" + line.format("a") + line.format("b"))
    (target,) = run("diff", "git:main", "prod", "--json").json["targets"]
    assert [(each["host"], each["grant"]) for each in target["opened"]] == [
        ("b.example", "builders"),
        ("b.example", "nodes"),
    ]


def test_what_lists_say_differently_of_their_policy_is_told_in_one_order_whoever_asks(project: Project) -> None:
    lists = "[{name: a, homeNet: [10.0.0.0/8], deny: all}, {name: b, deny: internet, homeNet: [10.0.0.0/9]}]"
    folder = project(dev=f"config:\n  hostgate:catalogs: [chainguard/images@2024-03-28]\n  hostgate:aws: {lists}\n")
    told = []
    for values in (values_of_file(folder, "dev"), values_of_engine(config_of_file(folder, "dev"))):
        with pytest.raises(InputError) as caught:
            read_stack(values, folder)
        told.append([problem.message for problem in caught.value.problems])
    assert told[0] == told[1]
    assert ["found deny" in each for each in told[0]] == [True, False]


def test_a_preview_counts_every_error_of_the_program(run: Run, project: Project) -> None:
    project(
        dev="config:\n  hostgate:catalogs: [chainguard/images@2024-03-28]\n  hostgate:aws: {base: 0, attach: x, denyy: all}\n"
    )
    Path("__main__.py").write_text("from hostgate.program import run\n\nrun()\n")
    planned, previewed = run("plan"), run("preview", "--host", "builtin")
    assert (planned.code, previewed.code) == (1, 1)
    assert planned.err.splitlines()[-1] == previewed.err.splitlines()[-1] != "1 error."
