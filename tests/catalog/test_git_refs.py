"""Catalog files as a git commit holds them."""

import subprocess
from pathlib import Path

import pytest

from hostgate.catalog.git_refs import resolve_anywhere
from hostgate.catalog.problems import InputError

ONE = "catalog: acme/ours\nentries:\n  - {id: mirror, host: mirror.acme.example, port: 443, protocol: https}\n"


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@acme.example", "-c", "commit.gpgsign=false"]
    ran = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return ran.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two commits of catalog/ours.yaml, on main and on work; the working tree has a third form."""
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "catalog").mkdir()
    file = tmp_path / "catalog" / "ours.yaml"
    for branch, text in (("main", ONE), ("work", ONE.replace("443", "8443"))):
        if branch != "main":
            git(tmp_path, "checkout", "-q", "-b", branch)
        file.write_text(text)
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "-q", "-m", branch)
    file.write_text("not a catalog")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("ref", "port"), [("main", 443), ("work", 8443), ("HEAD", 8443), ("HEAD~1", 443), ("main^{commit}", 443)]
)
def test_the_file_is_read_as_the_commit_has_it(repository: Path, ref: str, port: int) -> None:
    del repository
    pin = resolve_anywhere(f"git:{ref}:catalog/ours.yaml")

    assert ([entry.port for entry in pin.catalog.entries(pin.revision)], pin.catalog.file) == (
        [port],
        f"{ref}:catalog/ours.yaml",
    )


def test_the_path_starts_at_the_current_folder(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository / "catalog")

    assert resolve_anywhere("git:main:ours.yaml").catalog.id == "acme/ours"
    assert resolve_anywhere("git:main:../catalog/ours.yaml").catalog.id == "acme/ours"


def test_a_revision_can_be_named(repository: Path) -> None:
    shipped = Path(__file__).parents[2] / "catalog" / "chainguard" / "images.yaml"
    (repository / "images.yaml").write_bytes(shipped.read_bytes())
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "more")

    assert resolve_anywhere("git:HEAD:images.yaml@2024-03-28").revision == "2024-03-28"
    assert resolve_anywhere("git:HEAD:images.yaml").revision == "2026-02-23"


def test_other_references_are_resolved_as_ever(repository: Path) -> None:
    del repository
    assert str(resolve_anywhere("chainguard/images@2024-03-28")) == "chainguard/images@2024-03-28"


@pytest.mark.parametrize(
    ("ref", "rule"),
    [
        ("git:", "git-reference"),
        ("git:main", "git-reference"),
        ("git::catalog/ours.yaml", "git-reference"),
        ("git:main:", "git-reference"),
        ("git:--output=x:catalog/ours.yaml", "git-reference"),
        ("git:release:catalog/ours.yaml", "git-unknown-ref"),
        ("git:main:catalog/theirs.yaml", "git-no-file"),
        ("git:main:catalog", "git-no-file"),
        ("git:main:../ours.yaml", "git-no-file"),
        ("git:main:catalog/ours.yaml@2024-01-01", "unknown-revision"),
    ],
)
def test_a_reference_that_leads_nowhere_says_why(repository: Path, ref: str, rule: str) -> None:
    with pytest.raises(InputError) as refused:
        resolve_anywhere(ref)

    assert [problem.rule for problem in refused.value.problems] == [rule]
    assert not (repository / "x").exists()


def test_a_file_with_errors_is_told_with_commit_and_line(repository: Path) -> None:
    git(repository, "commit", "-q", "-a", "-m", "broken")
    (repository / "catalog" / "ours.yaml").write_text(ONE.replace("443", "0"))
    git(repository, "commit", "-q", "-a", "-m", "wrong")

    with pytest.raises(InputError, match=r"HEAD:catalog/ours\.yaml:3:.*\n.*port-range"):
        resolve_anywhere("git:HEAD:catalog/ours.yaml")
    with pytest.raises(InputError, match="file-truncated"):
        resolve_anywhere("git:HEAD~1:catalog/ours.yaml")


def test_outside_of_a_repository_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.chdir(tmp_path)

    with pytest.raises(InputError, match="git-no-repository"):
        resolve_anywhere("git:main:ours.yaml")


def test_without_git_that_is_said(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository))

    with pytest.raises(InputError, match="git-missing"):
        resolve_anywhere("git:main:catalog/ours.yaml")


def test_a_configured_text_conversion_is_not_run(repository: Path) -> None:
    (repository / ".gitattributes").write_text("*.yaml diff=own\n")
    git(repository, "config", "diff.own.textconv", "touch converted; cat")

    assert resolve_anywhere("git:main:catalog/ours.yaml").catalog.id == "acme/ours"
    assert not (repository / "converted").exists()
