"""The same program on the real engine, where the pulumi CLI is on PATH."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hostgate.sandbox import engine_preview
from hostgate.sandbox.builtin_preview import preview
from hostgate.sandbox.engine import engine, pulumi_cli
from hostgate.sandbox.preview_problems import PreviewError
from hostgate.sandbox.wire_values import UNKNOWN_ON_WIRE
from hostgate.stack import config_of_file

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(
    pulumi_cli() is None,
    reason="the pulumi CLI with its Python host is not on PATH; the built-in preview is tested instead",
)


def real_preview(stack: str) -> dict[str, Mapping[str, Any]]:
    """URN and new state of everything that the real `pulumi preview` would create."""
    with engine(ROOT, stack) as ready:
        done = ready.run("preview", "--json", capture=True)
    assert done.returncode == 0, done.stdout + done.stderr
    steps = json.loads(done.stdout)["steps"]
    assert {step["op"] for step in steps} == {"create"}
    return {step["urn"]: step["newState"] for step in steps}


@pytest.mark.parametrize("stack", ["dev", "team"])
def test_the_real_engine_and_the_built_in_preview_make_the_same_resources(stack: str) -> None:
    theirs = real_preview(stack)
    ours = {resource.urn: resource for resource in preview(ROOT, stack, config_of_file(ROOT, stack)).resources}
    providers = {urn for urn in theirs if "::pulumi:providers:" in urn}
    assert set(ours) == set(theirs) - providers
    for urn, resource in ours.items():
        state = theirs[urn]
        assert state.get("parent", None) == resource.parent
        assert sorted(state.get("dependencies", [])) == sorted(resource.dependencies)
        if not resource.custom:
            assert _plain(state.get("inputs", {})) == _plain(resource.inputs)
            continue
        inputs = {key: value for key, value in state.get("inputs", {}).items() if not key.startswith("__")}
        assert _without_made_up(inputs) == _without_made_up(resource.inputs)


def test_a_preview_on_the_real_engine_leaves_the_checkout_as_it_was() -> None:
    before = changes()
    with engine(ROOT, "dev") as ready:
        assert ready.run("preview", capture=True).returncode == 0
    assert changes() == before


def test_a_deployment_in_the_sandbox_leaves_the_checkout_as_it_was(tmp_path: Path) -> None:
    def sandbox(*words: str, pulumi: str = "") -> str:
        place = ["--state", str(tmp_path / "sandbox")]
        command = [sys.executable, "-m", "hostgate.cli.main", "sandbox", *words, *place]
        command += ["--", "pulumi", *pulumi.split()] if pulumi else []
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    before = changes()
    sandbox("run", pulumi="up --yes --skip-preview")
    assert "RuleGroup" in sandbox("show")
    # The CLI deletes a stack's file with the stack; ours must stay.
    sandbox("run", pulumi="destroy --yes --skip-preview --remove")
    assert "empty" in sandbox("show")
    assert changes() == before
    assert (ROOT / "Pulumi.dev.yaml").exists()


def test_the_preview_command_says_the_same_on_both_hosts() -> None:
    said = [
        subprocess.run(
            [sys.executable, "-m", "hostgate.cli.main", "preview", *host], cwd=ROOT, capture_output=True, text=True,
            timeout=120, check=True,
        ).stdout
        for host in ([], ["--host", "builtin"])
    ]  # fmt: skip
    assert said[0] == said[1]


def test_a_refused_plan_stops_the_real_preview_with_the_reason(tmp_path: Path) -> None:
    stack = (ROOT / "Pulumi.dev.yaml").read_text().replace("mechanism: fqdn", "mechanism: dns")
    for name, text in (
        (
            "Pulumi.yaml",
            "name: hostgate\nruntime: {name: python, options: {virtualenv: " + sys.prefix + "}}\n",
        ),
        ("Pulumi.dev.yaml", stack),
        ("__main__.py", (ROOT / "__main__.py").read_text()),
    ):
        (tmp_path / name).write_text(text)
    with pytest.raises(PreviewError) as failed:
        engine_preview.preview(tmp_path, "dev")
    (problem,) = failed.value.problems
    assert "`hostgate:gcp.mechanism`: found 'dns'. Allowed: fqdn, " in problem.what
    assert "Traceback" not in problem.what


def changes() -> str:
    """What differs from the last commit, and how; a copy without git has no such answer."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    done = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value, default=lambda _: UNKNOWN_ON_WIRE))


def _without_made_up(value: Any) -> Any:
    """Inputs less the digits of generated names, also where others refer to them: neither side can foretell them."""
    if isinstance(value, Mapping):
        return {key: _without_made_up(item) for key, item in _plain(value).items()}
    if isinstance(value, list):
        return [_without_made_up(item) for item in value]
    return re.sub(r"-[0-9a-f]{7}\Z", "", value) if isinstance(value, str) else value


def test_an_engine_that_is_gone_afterwards_goes_without_a_log_of_its_own() -> None:
    with engine(ROOT, "dev") as ready:
        done = ready.run("preview", capture=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert (ready.folder / "home" / "logs").read_bytes() == b""
