"""`hostgate reach` over what the engine writes of a stack with an allowlist on each cloud: `pulumi stack export`, and
`pulumi preview --json --show-sames` before the first update and after it.

`exports/` is what the CLI 3.259.0 wrote of two hosts (`images` and `files.acme.example`), without stack traces and times.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import Run

EXPORTS = Path(__file__).parent / "exports"
ASKED = {"state": "--state", "first-preview": "--preview", "later-preview": "--preview"}
CLOUDS = ("aws", "gcp", "azure")

document = pytest.mark.parametrize("document", ASKED)
cloud = pytest.mark.parametrize("cloud", CLOUDS)

HOST = "files.acme.example"
Change = Callable[[Any], Any]


def changed(folder: Path, document: str, cloud: str, change: Change, kind: str = "Rule") -> Path:
    """The document with each value of the resources of one cloud as `change` makes it, but for the components."""
    told = json.loads((EXPORTS / f"{document}.json").read_text())
    listed = told["deployment"]["resources"] if "deployment" in told else told["steps"]
    for at, each in enumerate(listed):
        token = str(each["urn"]).split("::")[2]
        if f"hostgate-{cloud}:" in token and "$" in token and kind in token.rpartition(":")[2]:
            listed[at] = walked(each, change)
    assert json.dumps(told) != json.dumps(json.loads((EXPORTS / f"{document}.json").read_text()))
    path = folder / "changed.json"
    path.write_text(json.dumps(told))
    return path


def walked(value: Any, change: Change) -> Any:
    if isinstance(value, dict):
        return change({key: walked(item, change) for key, item in value.items()})
    return change([walked(item, change) for item in value] if isinstance(value, list) else value)


def cut(value: Any) -> Any:
    """Without HOST: the line of a rule, or the item of a list."""
    if isinstance(value, str) and "\n" in value:
        return "".join(line for line in value.splitlines(keepends=True) if HOST not in line)
    return [each for each in value if each not in (HOST, f"{HOST}.")] if isinstance(value, list) else value


def widened(value: Any) -> Any:
    """With evil.example in the place of HOST."""
    return value.replace(HOST, "evil.example") if isinstance(value, str) else value


def renamed(value: Any) -> Any:
    """The same, in a resource that is called otherwise."""
    return widened(value).replace("hostgate-allow-", "given-") if isinstance(value, str) else value


def emptied(value: Any) -> Any:
    """Without a reference, or a collection, that holds the hosts."""
    if not isinstance(value, dict):
        return value
    kept = value.get("statefulRuleGroupReferences", ())
    return value | {
        key: [] if key == "ruleCollections" else [each for each in kept if "hostgate-allow" not in str(each)]
        for key in value.keys() & {"ruleCollections", "statefulRuleGroupReferences"}
    }


def points(run: Run, path: Path, asked: str, *more: str) -> tuple[int, dict[str, Any]]:
    made = run("reach", asked, path, "--json", *more)
    return made.code, {each["target"].partition(":")[0]: each for each in made.json["points"]}


@document
def test_what_stands_as_it_is_meant_is_clean_on_every_cloud(run: Run, document: str) -> None:
    code, found = points(run, EXPORTS / f"{document}.json", ASKED[document])
    assert (code, sorted(found)) == (0, sorted(CLOUDS))
    assert all(not each["beyond"] and not each["missing"] and not each["dead"] for each in found.values())


@document
@cloud
def test_a_host_that_was_cut_is_missing(run: Run, tmp_path: Path, document: str, cloud: str) -> None:
    code, found = points(run, changed(tmp_path, document, cloud, cut), ASKED[document])
    assert (code, {at: {each["entry"] for each in told["missing"]} for at, told in found.items()}) == (
        4, {at: {"files"} if at == cloud else set() for at in CLOUDS},
    )  # fmt: skip


@document
@cloud
@pytest.mark.parametrize("more", [[], ["--own"]], ids=["all", "own"])
def test_another_host_in_a_rule_of_the_allowlist_is_beyond_and_its_own(
    run: Run, tmp_path: Path, document: str, cloud: str, more: list[str]
) -> None:
    code, found = points(run, changed(tmp_path, document, cloud, widened), ASKED[document], *more)
    assert code == 3
    assert {each["owner"] for each in found[cloud]["beyond"]} == {"this allowlist"}
    assert {each["flow"]["name"] for each in found[cloud]["beyond"]} == {"evil.example"}


@cloud
def test_whose_a_rule_is_does_not_hang_on_what_it_is_called(run: Run, tmp_path: Path, cloud: str) -> None:
    """A name that the program gives, or a transform, or that stayed when the component was renamed."""
    code, found = points(run, changed(tmp_path, "state", cloud, renamed, ""), "--state", "--own")
    assert (code, {each["entry"] for each in found[cloud]["missing"]}) == (3, {"files"})


@pytest.mark.parametrize(("cloud", "kind"), [("aws", "Policy"), ("azure", "CollectionGroup")])
def test_an_allowlist_of_which_no_rule_judges_any_more_lacks_all_its_hosts(
    run: Run, tmp_path: Path, cloud: str, kind: str
) -> None:
    made = run("reach", "--state", changed(tmp_path, "state", cloud, emptied, kind), "--json")
    missing = {each["entry"] for point in made.json["points"] for each in point["missing"]}
    assert (made.code, missing) == (4, {"files", "images"})


@pytest.mark.parametrize("option", ["--state", "--with"])
def test_one_stack_at_two_moments_is_no_picture(option: str, run: Run, tmp_path: Path) -> None:
    again = changed(tmp_path, "state", "aws", widened)
    asked = run("reach", "--state", EXPORTS / "state.json", option, again)
    assert asked.code == 1
    assert "one stack at two moments" in " ".join(asked.err.split())
    assert "state.json" in asked.err and "changed.json" in asked.err  # noqa: PT018
