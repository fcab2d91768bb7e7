"""The real engine on the simulated clouds: `pulumi preview` with a home, backend and plugins of its own.

Everything it writes is in a temporary folder: the user's Pulumi home, login and stack file are not touched (the CLI
rewrites stack files, so it is given a copy). Nothing is downloaded and nothing is deployed.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from hostgate.sandbox.problems import PreviewFailed, Problem
from hostgate.sandbox.provider import CLOUDS

TIME_LIMIT = 300
"""Seconds for one call of the CLI; a preview of the dev stack takes about five."""

_WHEELS = {"aws": "pulumi-aws", "gcp": "pulumi-gcp", "azure-native": "pulumi-azure-native"}


def pulumi_cli() -> Path | None:
    """The pulumi CLI on PATH, if its language host for Python is there too."""
    found = shutil.which("pulumi")
    if found is None:
        return None
    beside = Path(found).resolve().parent / "pulumi-language-python"
    return Path(found) if beside.exists() or shutil.which("pulumi-language-python") else None


@dataclass(frozen=True, slots=True)
class Engine:
    """A prepared engine: run `pulumi` with `environment` in `project`."""

    cli: Path
    project: Path
    stack: str
    environment: Mapping[str, str]

    def run(self, *arguments: str, capture: bool = False) -> subprocess.CompletedProcess[str]:
        """`pulumi ARGUMENTS --stack STACK --non-interactive`. Raises PreviewFailed if it does not end in time."""
        command = [str(self.cli), *arguments, "--stack", self.stack, "--non-interactive"]
        try:
            return subprocess.run(
                command, cwd=self.project, env=dict(self.environment), text=True, capture_output=capture, check=False,
                timeout=TIME_LIMIT,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise PreviewFailed([Problem(f"`pulumi {arguments[0]}` did not end within {TIME_LIMIT} s.")]) from None


@contextmanager
def engine(project: Path, stack: str) -> Iterator[Engine]:
    """An engine whose stack exists. Raises PreviewFailed: no CLI, or the stack cannot be made."""
    cli = pulumi_cli()
    if cli is None:
        raise PreviewFailed(
            [
                Problem(
                    "The pulumi CLI with its Python host is not on PATH.", allowed="install it, or use --host builtin"
                )
            ]
        )
    with tempfile.TemporaryDirectory(prefix="hostgate-engine-") as folder:
        home, backend = Path(folder, "home"), Path(folder, "backend")
        backend.mkdir()
        for package in CLOUDS:
            _plugin(home, package)
        # The stack is made beside copies: `stack init` writes its salt into the stack file of the folder it runs in.
        copies = Path(folder, "project")
        copies.mkdir()
        config = copies / f"Pulumi.{stack}.yaml"
        shutil.copyfile(project / "Pulumi.yaml", copies / "Pulumi.yaml")
        shutil.copyfile(project / config.name, config)
        environment = {
            **os.environ,
            "PULUMI_HOME": str(home),
            "PULUMI_BACKEND_URL": backend.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "sandbox",
            "PULUMI_OPTION_CONFIG_FILE": str(config),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_DISABLE_REGISTRY_RESOLVE": "true",
        }
        environment.pop("PULUMI_CONFIG_PASSPHRASE_FILE", None)
        made = Engine(cli, copies, stack, environment).run("stack", "init", capture=True)
        if made.returncode != 0:
            raise PreviewFailed([Problem(f"pulumi could not make the stack: {made.stderr.strip()}")])
        yield Engine(cli, project, stack, environment)


def preview(project: Path, stack: str, policy_packs: Sequence[Path] = ()) -> int:
    """Run the real `pulumi preview` on the simulated clouds, printing as it does; its exit code."""
    packs = [word for pack in policy_packs for word in ("--policy-pack", str(pack.resolve()))]
    with engine(project, stack) as ready:
        return ready.run("preview", *packs).returncode


def _plugin(home: Path, package: str) -> None:
    """Put the simulated cloud where the engine looks for the plugin of the installed SDK's version."""
    try:
        number = version(_WHEELS[package])
    except PackageNotFoundError:
        return
    folder = home / "plugins" / f"resource-{package}-v{number}"
    folder.mkdir(parents=True)
    script = folder / f"pulumi-resource-{package}"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m hostgate.sandbox.provider {package} {number}\n')
    script.chmod(0o755)
