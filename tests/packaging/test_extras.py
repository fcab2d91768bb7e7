"""Each extra alone, and none: everything else that is installed here is hidden, as if it had never been installed."""

import subprocess
import sys
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from hostgate.cli.main import _COMMANDS
from hostgate.requirement import requirement

HIDE = """
import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name in {hidden!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Hidden())
"""
MAIN = "from hostgate.cli.main import main; main()"


def needed(extra: str) -> set[str]:
    """The distributions that `hostgate[extra]` brings, by what each says that it requires."""
    found: set[str] = set()
    todo = [("hostgate", extra)]
    while todo:
        name, wanted = todo.pop()
        if name in found and not wanted:
            continue
        found.add(name)
        for line in distribution(name).requires or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": wanted}):
                todo += [(canonicalize_name(requirement.name), each) for each in requirement.extras or {""}]
    return found


def alone(extra: str, code: str, *words: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    kept = needed(extra)
    hidden = {
        module
        for module, names in packages_distributions().items()
        if not {canonicalize_name(name) for name in names} & kept
    }
    assert "pytest" in hidden
    done = [sys.executable, "-c", HIDE.format(hidden=hidden) + code, *words]
    return subprocess.run(done, cwd=folder, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize("command", _COMMANDS)
def test_every_command_loads_without_any_extra(command: str) -> None:
    done = alone("", MAIN, command, "--help")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "words",
    [
        "plan --catalog chainguard/images@2026-02-23 --json",
        "explain cgr.dev --catalog chainguard/images@2026-02-23",
        "catalog lint",
        "targets",
        "advise chainguard/images@2026-02-23",
        "init egress",
    ],
)
def test_what_needs_no_cloud_works_without_its_sdk(words: str, tmp_path: Path) -> None:
    done = alone("", MAIN, *words.split(), folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("cloud", ["aws", "gcp", "azure"])
def test_a_cloud_alone_previews_and_another_says_what_to_install(cloud: str, tmp_path: Path) -> None:
    assert alone("", MAIN, "init", ".", "--cloud", cloud, folder=tmp_path).returncode == 0
    done = alone(cloud, MAIN, "preview", "--host", "builtin", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "to create, on simulated clouds" in done.stdout
    other = alone("report" if cloud == "aws" else "aws", MAIN, "preview", "--host", "builtin", folder=tmp_path)
    assert other.returncode == 1
    assert f"pip install '{requirement([cloud])}'" in other.stderr
    assert "Traceback" not in other.stderr


@pytest.mark.parametrize(
    ("extra", "code"),
    [
        ("sandbox", "import hostgate.policies.pack, hostgate.sandbox.analyzers"),
        ("report", "import hostgate.dns.report, jinja2, matplotlib"),
        ("pool", "import hostgate.dns.pool_places, obstore"),
        ("pool-aws", "from hostgate.sinks.aws_prefix_list import connect; connect('eu-west-1')"),
        ("pool-gcp", "import hostgate.sinks.gcp_address_group, google.cloud.network_security_v1"),
        ("pool-azure", "import hostgate.sinks.azure_ip_group, azure.identity, azure.mgmt.network"),
    ],
)
def test_what_an_extra_is_for_loads_with_it_alone(extra: str, code: str) -> None:
    done = alone(extra, code)
    assert done.returncode == 0, done.stderr
