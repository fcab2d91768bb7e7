"""The plugin folders: permanent names, and the versions that the rest of the project is tested with."""

import re
from pathlib import Path

import pytest
import yaml

from hostgate.planning.targets import beside_targets, rows

from .wire import COMPONENTS, PACKAGES, PLUGINS, ROOT, Package

each_package = pytest.mark.parametrize("package", PACKAGES, ids=str)

SDKS = {"aws": "pulumi_aws", "gcp": "pulumi_gcp", "azure": "pulumi_azure_native"}
REPORT = (
    "MarkupSafe", "contourpy", "cycler", "fonttools", "jinja2", "kiwisolver", "matplotlib", "numpy", "pillow", "pyparsing",
    "python-dateutil", "six",
)  # fmt: skip
POOLS = (
    "PyJWT", "azure-core", "azure-identity", "azure-mgmt-core", "azure-mgmt-network", "boto3", "botocore", "certifi", "cffi",
    "charset-normalizer", "cryptography", "google-api-core", "google-auth", "google-cloud-network-security",
    "grpc-google-iam-v1", "grpcio-status", "isodate", "jmespath", "msal", "msal-extensions", "obstore", "proto-plus",
    "pyasn1", "pyasn1-modules", "pycparser", "requests", "s3transfer", "urllib3",
)  # fmt: skip
OWN = ("pulumi_policy", "hatchling", *POOLS, *REPORT)
"""What only the project itself needs: policy packs, its build, stores and sinks of address pools, and the report of a survey,
each with what it needs."""


def pins(path: Path) -> set[str]:
    return {line.split()[0] for line in path.read_text("utf-8").splitlines() if re.match(r"[\w.-]+==", line)}


@each_package
def test_a_plugin_installs_this_checkout_with_one_cloud_at_the_versions_of_the_project(package: Package) -> None:
    """The CLI runs pip in the plugin's folder, so that the path holds in a checkout and in what it cloned from git."""
    others = tuple(f"{name}==" for name in (*SDKS.values(), *OWN) if name != SDKS[package.cloud])
    wanted = {pin for pin in pins(ROOT / "requirements.txt") if not pin.startswith(others)}
    path = PLUGINS / package.cloud / "requirements.txt"
    assert pins(path) == wanted
    assert f"-e ../../..[{package.cloud}]" in path.read_text("utf-8").splitlines()
    assert (path.parent / "../../.." / "pyproject.toml").is_file()


@each_package
def test_a_plugin_runs_on_python_in_an_environment_that_git_ignores(package: Package) -> None:
    declared = yaml.safe_load((PLUGINS / package.cloud / "PulumiPlugin.yaml").read_text("utf-8"))
    assert declared == {"runtime": {"name": "python", "options": {"toolchain": "pip", "virtualenv": "venv"}}}
    assert "venv/" in (ROOT / ".gitignore").read_text("utf-8").splitlines()


@each_package
def test_a_plugin_serves_its_package_under_the_permanent_name(package: Package) -> None:
    program = (PLUGINS / package.cloud / "__main__.py").read_text("utf-8")
    assert f'serve("{package.cloud}")' in program
    assert package.name == f"hostgate-{package.cloud}"
    places = {each.component for each in rows() if each.cloud == package.cloud} | set(beside_targets(package.cloud))
    assert {place.rpartition(":")[2] for place in places} == {
        each.component for each in COMPONENTS if each.name == package.name
    }


def test_the_examples_in_go_and_hcl_name_what_the_one_in_yaml_names() -> None:
    """Where their hosts are, they run. Elsewhere this holds them together: hosts, ranges, accounts and places."""
    yaml_texts = yaml.safe_load((ROOT / "examples" / "yaml-consumer" / "Pulumi.yaml").read_text("utf-8"))["resources"]
    named = {each for each in re.findall(r"'([^']*)'", repr(yaml_texts)) if re.search(r"[./ ]|^rg-", each)}
    assert len(named) > 5
    for file in ("go-consumer/main.go", "hcl-consumer/main.tf"):
        program = (ROOT / "examples" / file).read_text("utf-8")
        assert [each for each in sorted(named) if f'"{each}"' not in program] == [], file


@pytest.mark.parametrize("language", ["python", "typescript", "yaml", "go", "hcl"])
def test_an_example_names_every_package_by_its_folder(language: str) -> None:
    folder = ROOT / "examples" / f"{language}-consumer"
    named = yaml.safe_load((folder / "Pulumi.yaml").read_text("utf-8"))["packages"]
    assert set(named) == {package.name for package in PACKAGES}
    for package in PACKAGES:
        assert (folder / named[package.name]).resolve() == PLUGINS / package.cloud
