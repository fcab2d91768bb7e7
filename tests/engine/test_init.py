"""A project of `hostgate init` on the real engine, from nothing to nothing."""

import subprocess
import sys
from pathlib import Path

from engine.lab import LIMIT, real_engine
from hostgate.sandbox.engine import prepare
from hostgate.sandbox.state import state_of

pytestmark = real_engine


def test_it_goes_up_takes_one_host_more_moves_its_revision_and_goes(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "hostgate", "init", "egress", "--catalog", "chainguard/images@2024-03-28"]
    subprocess.run(words, cwd=tmp_path, check=True, timeout=60)
    project, sandbox = tmp_path / "egress", tmp_path / "sandbox"
    (project / ".venv").symlink_to(sys.prefix)  # what `pulumi install` makes

    def pulumi(*words: str) -> int:
        """Run it; the calls to the clouds that it made."""
        before = len(state_of(sandbox).journal())
        done = prepare(project, "dev", sandbox).run(*words, capture=True, limit=LIMIT)
        assert done.returncode == 0, done.stdout + done.stderr
        return len(state_of(sandbox).journal()) - before

    def edit(old: str, new: str) -> None:
        for file in (project / "Pulumi.dev.yaml", project / "policy/settings.yaml"):
            text = file.read_text()
            assert old in text
            file.write_text(text.replace(old, new))

    up = ("up", "--yes", "--skip-preview")
    assert pulumi(*up) > 0
    (project / "ours.yaml").write_text(
        "catalog: acme/ours\nentries:\n"
        "  - {id: mirror, host: mirror.acme.example, port: 443, protocol: https, purpose: Our mirror}\n"
    )
    pinned = '- "chainguard/images@2024-03-28"\n'
    stack, settings = project / "Pulumi.dev.yaml", project / "policy/settings.yaml"
    for file, path in ((stack, "./ours.yaml"), (settings, "../ours.yaml")):
        text = file.read_text()
        indent = text.partition(pinned)[0].rpartition("\n")[2]
        file.write_text(text.replace(pinned, f"{pinned}{indent}- {path}\n"))
    assert pulumi(*up) == 3, "one update on each cloud"
    edit("images@2024-03-28", "images@2026-02-23")
    assert pulumi(*up, "--policy-pack", "policy") == 3
    assert "mirror.acme.example" in str(state_of(sandbox).objects())
    assert pulumi("preview", "--expect-no-changes") == 0
    pulumi("destroy", "--yes", "--skip-preview")
    assert state_of(sandbox).objects() == []
