"""The programs of examples/ and of this repository pass the policy pack: before anything is made, and once it is there."""

from datetime import date
from pathlib import Path

import pytest
from deployed import Deployed, deployed
from test_example_routes import EXAMPLES

from hostgate.flows.snapshot import Resource
from hostgate.policies.judge import judge_stack
from hostgate.policies.rule_table import RULES
from hostgate.policies.settings import Settings, read_settings
from hostgate.policies.violations import NotApplicable
from hostgate.sandbox.resources import Preview
from hostgate.stack import config_of_file
from policies.process import AS_OF

ROOT = EXAMPLES.parent
SERVICE = "gcp-shared-vpc/service"
HOST = "gcp-shared-vpc/host"
GOOGLES = """
exempt:
  - {rule: beyond-catalogs, resource: google-apis, because: Google's APIs for nodes of a cluster, until: "2030-12-31"}
"""
STACKS = {
    "aws-inspection-vpc": "", "aws-single-vpc": "", "aws-shared-groups/team": "", "gcp-folder-policy": "",
    "gcp-gke-nodes": GOOGLES, "gcp-web-proxy": "", HOST: "", SERVICE: "", "dev": "", "team": "",
}  # fmt: skip
"""Programs, and stacks of this repository; with what their pack's owner accepts: what a program opens beside its catalogs."""

CATALOGS = """
catalogs: [chainguard/images@2024-03-28, chainguard/images@2026-02-23, ../examples/ours.yaml]
"""


def settings(folder: Path, accepted: str) -> Settings:
    (folder / "settings.yaml").write_text(CATALOGS.replace("..", str(ROOT)) + accepted)
    return read_settings(folder, date.fromisoformat(AS_OF))


def made(name: str, folder: Path) -> Deployed:
    project, stack = (EXAMPLES / name, "dev") if (EXAMPLES / name).exists() else (ROOT, name)
    others = {f"organization/{HOST.replace('/', '-')}/dev": made(HOST, folder)} if name == SERVICE else {}
    return deployed(project, config_of_file(project, stack), folder, others)


def objections(preview: Preview, held: Settings) -> dict[str, str]:
    """What mandatory rules of a stack, and those that ask reach, say of it as the engine hands it to a pack."""
    resources = [
        Resource(
            urn=each.urn, type=each.type, name=each.name, properties=each.outputs, dependencies=frozenset(each.dependencies),
            property_dependencies={key: frozenset(urns) for key, urns in each.property_dependencies.items()},
        )
        for each in preview.resources
    ]  # fmt: skip
    return {
        rule: "\n".join(each.message for each in said)
        for rule, said in judge_stack(resources, held).items()
        if not isinstance(said, NotApplicable)
        and said
        and (RULES[rule].level == "mandatory" or rule == "needed-closed")
    }


@pytest.mark.parametrize("name", STACKS)
def test_a_sound_stack_stays_clean_at_its_first_preview_and_once_it_is_there(name: str, tmp_path: Path) -> None:
    stack = made(name, tmp_path)
    held = settings(tmp_path, STACKS[name])
    assert objections(stack.first, held) == {}
    assert objections(stack.made, held) == {}
