"""The examples for CI: what the forges' schemas say of them, and what their steps do."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "ci"
GITHUB, PULUMI_ACTIONS, GITLAB = (
    EXAMPLES / name for name in ("github-review.yml", "github-pulumi-actions.yml", "gitlab-review.yml")
)
MARKER = "<!-- hostgate review of acme/prod -->"


@pytest.mark.parametrize("path", [GITHUB, PULUMI_ACTIONS, GITLAB], ids=lambda path: path.name)
def test_it_holds_to_the_schema_of_its_forge(path: Path) -> None:
    schema = ["vendor.gitlab-ci", "--data-transform", "gitlab-ci"] if path == GITLAB else ["vendor.github-workflows"]
    checker = Path(sys.executable).with_name("check-jsonschema")
    done = subprocess.run(
        [checker, "--builtin-schema", *schema, path], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout


def test_both_workflows_find_and_write_the_comment_by_the_same_lines() -> None:
    assert _step(GITHUB, "Comment")["run"] == _step(PULUMI_ACTIONS, "Comment")["run"]


def _step(path: Path, name: str) -> Any:
    jobs = yaml.safe_load(path.read_text())["jobs"].values()
    return next(step for job in jobs for step in job["steps"] if step.get("name") == name)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A platform repository whose last commit closes one host more than its guard lets it."""
    (tmp_path / "Pulumi.yaml").write_text("name: acme\nruntime: python\n")
    stack = "config:\n  hostgate:catalogs: [./ours.yaml]\n  hostgate:guards: {maxRemoved: 0}\n  hostgate:aws: {}\n"
    (tmp_path / "Pulumi.prod.yaml").write_text(stack)
    entry = "  - {{id: {0}, host: {0}.example, port: 443, protocol: https, purpose: Tests}}\n"
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@acme.example", "-c", "commit.gpgsign=false"]
    subprocess.run([*git, "init", "-q"], cwd=tmp_path, check=True)
    for hosts in ("ab", "a"):
        text = "catalog: acme/ours\nentries:\n" + "".join(map(entry.format, hosts))
        (tmp_path / "ours.yaml").write_text(text)
        for words in (["add", "-A"], ["commit", "-q", "-m", hosts]):
            subprocess.run([*git, *words], cwd=tmp_path, check=True)
    return tmp_path


def _bash(script: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    path = f"{folder / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script], cwd=folder, capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, **environment, "PATH": path},
    )  # fmt: skip


def test_the_github_step_writes_the_comment_though_a_guard_trips(repository: Path) -> None:
    base = subprocess.run(
        ["git", "rev-parse", "HEAD~1"], cwd=repository, capture_output=True, text=True, check=True
    ).stdout.strip()
    files = {"GITHUB_OUTPUT": str(repository / "output"), "GITHUB_STEP_SUMMARY": str(repository / "summary")}
    done = _bash(_step(GITHUB, "Compare")["run"], repository, BASE=base, STACK="prod", **files)
    assert done.returncode == 0, done.stderr
    assert (repository / "output").read_text() == "code=1\n"
    assert (repository / "summary").read_text() == (repository / "comment.md").read_text()
    assert (repository / "comment.md").read_text().startswith(MARKER)


@pytest.mark.parametrize("known", ["", "42"])
def test_the_github_step_updates_its_comment_or_makes_the_first(repository: Path, known: str) -> None:
    (repository / "comment.md").write_text(f"{MARKER}\ntext\n")
    (repository / "bin").mkdir()
    gh = repository / "bin" / "gh"
    gh.write_text(
        f'#!/bin/bash\necho "$@" >> calls\n[ "$2" != --paginate ] || echo "{known}"\necho "$marker" > marker\n'
    )
    gh.chmod(0o755)
    done = _bash(_step(GITHUB, "Comment")["run"], repository, GITHUB_REPOSITORY="acme/platform", PULL="7")
    assert done.returncode == 0, done.stderr
    assert (repository / "marker").read_text().strip() == MARKER
    written = (repository / "calls").read_text().splitlines()[-1]
    wanted = (
        "--method PATCH repos/acme/platform/issues/comments/42"
        if known
        else "--method POST repos/acme/platform/issues/7"
    )
    assert wanted in written


class _GitLab(BaseHTTPRequestHandler):
    """Two pages of notes, one of them ours on the second page."""

    calls: list[tuple[str, str, str]] = []
    ours: bool = True

    def do_GET(self) -> None:
        notes = [{"id": 1, "author": {"id": 5}, "body": f"{MARKER} by somebody else"}]
        if "page=2" in self.path:
            notes = [{"id": 2, "author": {"id": 9}, "body": f"{MARKER}\nold"}] if self.ours else []
        self._answer({"id": 9} if self.path.endswith("/user") else notes, "" if "page=2" in self.path else "2")

    def do_PUT(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"]
        self.calls.append((self.command, self.path, body))
        self._answer({}, "")

    do_POST = do_PUT  # noqa: N815 - as the server calls it

    def _answer(self, document: Any, following: str) -> None:
        self.send_response(200)
        self.send_header("X-Next-Page", following)
        self.end_headers()
        self.wfile.write(json.dumps(document).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def gitlab() -> Iterator[str]:
    _GitLab.calls = []
    with HTTPServer(("127.0.0.1", 0), _GitLab) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("ours", "call"), [(True, ("PUT", "/notes/2")), (False, ("POST", "/notes"))])
def test_the_gitlab_script_updates_its_note_or_makes_the_first(
    gitlab: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ours: bool, call: tuple[str, str]
) -> None:
    monkeypatch.setattr(_GitLab, "ours", ours)
    (tmp_path / "comment.md").write_text(f"{MARKER}\nnew\n")
    variables = {
        "CI_API_V4_URL": gitlab, "CI_PROJECT_ID": "3", "CI_MERGE_REQUEST_IID": "7", "REVIEW_TOKEN": "t", "no_proxy": "*",
    }  # fmt: skip
    script = [sys.executable, EXAMPLES / "gitlab_note.py", tmp_path / "comment.md"]
    subprocess.run(script, env={**os.environ, **variables}, check=True, timeout=60)
    ((method, path, body),) = _GitLab.calls
    assert (method, path) == (call[0], f"/projects/3/merge_requests/7{call[1]}")
    assert body == f"{MARKER}\nnew\n"
