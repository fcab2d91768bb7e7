"""What a refresher on a schedule is built from: the versions and hashes of the lock that everything is tested with."""

import re
import subprocess
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name
from test_extras import alone, needed

ROOT = Path(__file__).resolve().parents[2]


def pins(lock: Path) -> dict[str, tuple[str, frozenset[str]]]:
    """Version and hashes by the name of a distribution."""
    text = lock.read_text("utf-8")
    found = re.findall(
        r"^([A-Za-z0-9._-]+)==(\S+?)(?: ;[^\\\n]*)? \\\n((?: +--hash=\S+(?: \\)?\n?)+)", text, re.MULTILINE
    )
    assert len(found) == len(re.findall(r"^\S+==", text, re.MULTILINE))
    return {
        canonicalize_name(name): (version, frozenset(re.findall(r"--hash=(\S+)", hashes)))
        for name, version, hashes in found
    }


LOCKS = {"": "pool-aws", "gcp": "pool-gcp"}
"""The extra of each lock, by the CLOUD that make is told."""

each_lock = pytest.mark.parametrize("cloud", LOCKS)


def lock(cloud: str) -> str:
    return f"refresher-{cloud}.lock" if cloud else "refresher.lock"


@each_lock
def test_its_lock_is_a_part_of_the_one_that_is_tested(cloud: str) -> None:
    ours, tested = pins(ROOT / ".ci" / lock(cloud)), pins(ROOT / "requirements.lock")
    assert {name: tested.get(name) for name in ours} == ours


@each_lock
def test_its_lock_has_what_pools_and_lists_need_and_no_other_cloud(cloud: str) -> None:
    ours = set(pins(ROOT / ".ci" / lock(cloud)))
    wanted = {canonicalize_name(name) for extra in ("pool", LOCKS[cloud]) for name in needed(extra)} - {
        "hostgate",
        "pip",
    }
    assert wanted - {"setuptools"} <= ours
    assert not {"pulumi-aws", "pulumi-gcp", "pulumi-azure-native", "matplotlib"} & ours
    assert len({"boto3", "google-cloud-network-security", "azure-mgmt-network"} & ours) == 1


def test_the_function_needs_no_pulumi_and_loads_none() -> None:
    done = alone("pool-aws", "import hostgate.sinks.scheduled; print(*sys.modules)")
    assert done.returncode == 0, done.stderr
    assert not {"pulumi", "pulumi_aws", "rich", "matplotlib"} & set(done.stdout.split())


@each_lock
def test_make_builds_it_from_that_lock_with_hashes_and_wheels_only(cloud: str) -> None:
    done = subprocess.run(
        ["make", "-n", "-o", ".venv/.installed", "refresher", f"CLOUD={cloud}"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    first = next(
        line for line in done.stdout.replace("\\\n", " ").splitlines() if "refresher" in line and "-r " in line
    )
    assert {"--require-hashes", "--no-deps", "--only-binary", f".ci/{lock(cloud)}"} <= set(first.split())
