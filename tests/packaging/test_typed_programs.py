"""A consumer's type checker sees the components: every input by its name and type, and what a component has."""

import subprocess
import sys
from pathlib import Path

import pytest

from hostgate.requirement import requirement

ROOT = Path(__file__).resolve().parents[2]

GOOD = """
import datetime
import hostgate
import pulumi
from hostgate.aws import DnsFirewallAllowlist, NetworkFirewallAllowlist
from hostgate.azure import FirewallPolicyAllowlist as Azure
from hostgate.gcp import FirewallPolicyAllowlist as Gcp

hosts = hostgate.select("chainguard/images@2024-03-28", phases=["pull"])
network: pulumi.Output[str] = pulumi.Output.from_input("projects/p/global/networks/n")
aws = NetworkFirewallAllowlist("a", hosts=hosts, mode="enforce", base=2000, tags={"team": "net"}, region="eu-central-1")
DnsFirewallAllowlist("d", {"catalogs": ["chainguard/images@2024-03-28"], "vpcs": ["vpc-0123"]})
Gcp("g", hosts=hosts, networks=[network], opts=pulumi.ResourceOptions(protect=True))
Azure("z", plan=hostgate.plan(hosts, target="azure:application-rules", from_=["10.0.0.0/8"]))
arn: pulumi.Output[str] = aws.policy_arn
digest: str = aws.plan.digest
"""
WRONG = {
    "a keyword that is none": ('Gcp("g", hosts=hosts, network=["n"])', 'Unexpected keyword argument "network"'),
    "a text where a list is due": ('Gcp("g", hosts=hosts, networks="n")', 'Argument "networks"'),
    "a Selection in the place of args": ('NetworkFirewallAllowlist("a", hosts)', "Argument 2"),
    "a number as a mode": ('Azure("z", hosts=hosts, mode=3)', 'Argument "mode"'),
    "a reference as hosts": ('Azure("z", hosts="chainguard/images@2024-03-28")', 'Argument "hosts"'),
}


def objections(folder: Path, program: str) -> str:
    (folder / "program.py").write_text(program)
    # With the settings and the cache of the project's own check: the SDKs take minutes the first time.
    words = [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", str(folder / "program.py")]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=900)
    return done.stdout + done.stderr


def test_a_right_program_is_right_and_each_wrong_line_is_objected_to(tmp_path: Path) -> None:
    program = GOOD + "\n".join(line for line, _ in WRONG.values()) + "\n"
    said = objections(tmp_path, program).splitlines()
    first_wrong = GOOD.count("\n") + 1
    for number, (what, (_, words)) in enumerate(WRONG.items(), first_wrong):
        of_line = [each for each in said if f"program.py:{number}:" in each]
        assert any(words in each for each in of_line), (what, said)
    assert not [each for each in said for number in range(first_wrong) if f"program.py:{number}:" in each]


@pytest.mark.parametrize("cloud", ["aws", "gcp", "azure"])
def test_an_sdk_that_is_not_installed_is_named_with_the_command_that_installs_it(cloud: str) -> None:
    sdk = {"aws": "pulumi_aws", "gcp": "pulumi_gcp", "azure": "pulumi_azure_native"}[cloud]
    component = "NetworkFirewallAllowlist" if cloud == "aws" else "FirewallPolicyAllowlist"
    program = f"import sys; sys.modules['{sdk}'] = None; from hostgate.{cloud} import {component}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120)
    assert done.stderr.splitlines()[-1] == (
        f"ModuleNotFoundError: hostgate.{cloud}.{component} needs {sdk}, which is not installed. "
        f"Install it: pip install '{requirement([cloud])}'"
    )
