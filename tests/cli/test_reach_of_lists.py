"""`hostgate reach` on what allowlists say of themselves: what cannot be read is not known, and is named; and what is theirs is
what they made, not what is called alike."""

from pathlib import Path
from typing import Any

import pytest

from cli import ways
from cli.conftest import Run
from cli.test_reach_command import SECRET
from cli.ways import State, aws_group, aws_list, aws_network, aws_policy, state

SAID = "allowed exact cgr.dev:443/https rules#1 Images"
NETWORK = aws_network(vpcEndpointId="vpce-1")
WIDE = "pass tcp $HOME_NET any -> 198.51.100.0/24 25 (sid:9;)"


def on_aws(**inputs: Any) -> list[State]:
    listed = aws_list("10.0.0.0/8")
    listed["inputs"] |= inputs
    group = aws_group(listed)
    return [listed, group, aws_policy(group), ways.FIREWALL, *NETWORK]


def on_azure(**inputs: Any) -> list[State]:
    listed = ways.azure_list("10.0.0.0/8")
    listed["inputs"] |= inputs
    return [listed, ways.azure_group(listed, "10.0.0.0/8"), ways.AZURE_POLICY, ways.AZURE_FIREWALL]


def on_gcp(**inputs: Any) -> list[State]:
    listed = ways.proxy_list("10.0.0.0/8")
    listed["inputs"] |= inputs
    return [listed, *ways.proxy_rule(listed), ways.PROXY, ways.gcp_route()]


STACKS = {"AWS": on_aws, "Azure": on_azure, "a web proxy": on_gcp}
UNREAD: dict[str, tuple[dict[str, Any], str]] = {
    "a secret": ({"decisions": SECRET}, "list: decisions is not known yet, or a secret"),
    "none": ({"decisions": None}, "list: decisions cannot be read: found 'None'"),
    "one of them": (
        {"decisions": {"acme/pull#registry": SAID, "acme/pull#x": SECRET}},
        "list: decisions.acme/pull#x is not known yet, or a secret"),
    "of another form": (
        {"decisions": {"acme/pull#x": "granted cgr.dev"}}, "list: decisions.acme/pull#x cannot be read: found the decision"),
    "one of a list": (
        {"decisions": ["acme/pull#registry allowed exact cgr.dev:443/https rules#1", "odd"]},
        "list: decisions[1] cannot be read"),
    "a target that is not known": ({"target": SECRET}, "list: target is not known yet, or a secret"),
    "a target of another release": ({"target": "aws:later"}, "list: target cannot be read: found 'aws:later'"),
}  # fmt: skip


@pytest.mark.parametrize("case", UNREAD)
@pytest.mark.parametrize("cloud", STACKS)
def test_what_an_allowlist_is_for_and_nobody_can_read_is_not_known_and_named(
    run: Run, tmp_path: Path, cloud: str, case: str
) -> None:
    inputs, said = UNREAD[case]
    path = state(tmp_path, *STACKS[cloud](**inputs))
    found = run("reach", "--state", path, "--json")
    told = [each for point in found.json["points"] for each in point["unknown"]]
    assert (found.code, [point["missing"] for point in found.json["points"] if point["missing"]]) == (5, []), found.out
    assert any(said in what for each in told for what in each["what"]), told
    assert not any(each["owner"] == "this allowlist" for point in found.json["points"] for each in point["beyond"])
    accepted = [word for each in told for word in ("--accept", f"{each['id']}=read by hand")]
    assert run("reach", "--state", path, *accepted).code == 0


def test_what_rules_of_others_open_stays_beyond_whatever_an_allowlist_is_for(run: Run, tmp_path: Path) -> None:
    listed = aws_list("10.0.0.0/8")
    listed["inputs"]["decisions"] = SECRET
    group, theirs = aws_group(listed), aws_group(None, "theirs")
    theirs["outputs"]["ruleGroup"]["rulesSource"]["rulesString"] = WIDE
    path = state(tmp_path, listed, group, theirs, aws_policy(group, theirs), ways.FIREWALL, *NETWORK)
    found = run("reach", "--state", path, "--json")
    (beyond,) = found.json["points"][0]["beyond"]
    assert (found.code, beyond["rule"]) == (3, "theirs#9")


def test_a_catalog_that_is_named_says_what_is_needed_where_the_allowlist_cannot(run: Run, tmp_path: Path) -> None:
    (tmp_path / "ours.yaml").write_text(
        "catalog: acme/pull\nentries:\n  - {id: r, host: cgr.dev, port: 443, protocol: https, purpose: x}\n"
    )
    path = state(tmp_path, *on_aws(decisions=SECRET))
    assert run("reach", "--state", path, "--catalog", tmp_path / "ours.yaml").code == 0


def without_parents(*resources: State) -> list[State]:
    return [{key: value for key, value in each.items() if key != "parent"} for each in resources]


def of_stack(stack: str, host: str, group: str, *, chained: bool = True) -> tuple[State, State]:
    """An allowlist and a group whose rule is called `rules#1`, as in every other stack."""
    listed = aws_list("10.0.0.0/8", stack=stack, host=host)
    made = aws_group(listed if chained else None, group, host, stack)
    made["outputs"]["name"] = "rules"
    return listed, made


@pytest.mark.parametrize(
    "chained", [True, False], ids=["the types in a URN say whose it is", "nothing says whose it is"]
)
@pytest.mark.parametrize("parents", [True, False], ids=["with parents", "without"])
def test_two_stacks_whose_rules_are_called_alike_do_not_answer_for_each_other(
    run: Run, tmp_path: Path, parents: bool, chained: bool
) -> None:
    """The policy has the group of one stack alone; that of the other stands beside, and nothing of it is needed there."""
    one, its_group = of_stack("prod::one", "cgr.dev", "one", chained=chained)
    two, _ = of_stack("prod::two", "files.example.net", "two", chained=chained)
    held = [one, its_group, two, aws_policy(its_group), ways.FIREWALL, *NETWORK]
    found = run("reach", "--state", state(tmp_path, *(held if parents else without_parents(*held))), "--json")
    assert (found.code, [point["missing"] for point in found.json["points"]]) == (0, [[]])


def test_what_a_rule_of_another_stack_opens_is_not_the_allowlists_own(run: Run, tmp_path: Path) -> None:
    """Though it is called as the allowlist's own rule is."""
    one, its_group = of_stack("prod::one", "cgr.dev", "one", chained=False)
    theirs = aws_group(None, "two", "evil.example", "prod::two")
    theirs["outputs"]["name"] = "rules"
    held = [one, its_group, theirs, aws_policy(its_group, theirs), ways.FIREWALL, *NETWORK]
    found = run("reach", "--state", state(tmp_path, *without_parents(*held)), "--json")
    (beyond,) = found.json["points"][0]["beyond"]
    assert (beyond["flow"]["name"], beyond["owner"]) == ("evil.example", "this stack")


def test_of_two_allowlists_of_one_stack_each_has_what_it_made(run: Run, tmp_path: Path) -> None:
    """Where no parents are told and the types in the URNs are alike, the rules that each names tell."""
    one, its_group = of_stack("prod::net", "cgr.dev", "rules")
    two = aws_list("10.0.0.0/8", host="files.example.net")
    two["urn"] = two["urn"].replace("::list", "::more")
    two["inputs"]["decisions"] = {"acme/pull#files": "allowed exact files.example.net:443/https more#1 Files"}
    held = without_parents(one, its_group, two, aws_policy(its_group), ways.FIREWALL, *NETWORK)
    found = run("reach", "--state", state(tmp_path, *held), "--json")
    assert (found.code, [point["missing"] for point in found.json["points"]]) == (0, [[]])


def test_where_nobody_knows_what_an_unread_allowlist_made_it_is_told_at_every_place_of_its_cloud(
    run: Run, tmp_path: Path
) -> None:
    one, its_group = of_stack("prod::net", "cgr.dev", "rules")
    two = aws_list("10.0.0.0/8")
    two["urn"] = two["urn"].replace("::list", "::more")
    two["inputs"]["decisions"] = SECRET
    held = without_parents(one, its_group, two, aws_policy(its_group), ways.FIREWALL, *NETWORK)
    found = run("reach", "--state", state(tmp_path, *held), "--json")
    (unknown,) = found.json["points"][0]["unknown"]
    assert (found.code, unknown["what"]) == (5, ["more: decisions is not known yet, or a secret"])
