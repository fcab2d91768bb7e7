"""Rules from a program of your own, without a project folder: an inline program of Pulumi's Automation API.

`python main.py preview`, `up` or `destroy`. The stack and its state are where the pulumi CLI keeps them.
"""

import sys
from pathlib import Path

import pulumi
from pulumi import automation
from semver import VersionInfo

from hostgate.aws import NetworkFirewallAllowlist

# There is no Pulumi.yaml at which relative paths could begin; they would begin where this is started.
OURS = Path(__file__).resolve().parent.parent / "ours.yaml"


def program() -> None:
    rules = NetworkFirewallAllowlist(
        "vendors", catalogs=["chainguard/images@2026-02-23", str(OURS)], phases=["pull", "build"]
    )
    pulumi.export("policy", rules.policy_arn)
    pulumi.export("digest", rules.digest)


def cli() -> automation.PulumiCommand:
    """The CLI on PATH. One that was built without a version stamp, which the SDK refuses, is taken for one it knows."""
    found = automation.PulumiCommand(skip_version_check=True)
    if found.version is not None:
        return automation.PulumiCommand()
    found.version = VersionInfo(3, 259)
    sys.stderr.write(f"The pulumi CLI tells no version: it is taken for {found.version}, and nobody checks that.\n")
    return found


def main(words: list[str]) -> None:
    if len(words) != 1 or words[0] not in ("preview", "up", "destroy"):
        sys.exit("Usage: python main.py preview|up|destroy")
    stack = automation.create_or_select_stack(
        "dev",
        project_name="automation",
        program=program,
        opts=automation.LocalWorkspaceOptions(pulumi_command=cli()),
    )
    stack.set_config("aws:region", automation.ConfigValue("eu-central-1"))
    getattr(stack, words[0])(on_output=print)


if __name__ == "__main__":
    main(sys.argv[1:])
