"""Catalog files as a git commit holds them: `git:REF:PATH`, and after it `@REVISION` as for any file.

The path starts at the current folder, as everywhere on the command line. Blobs are read with `git cat-file`, which runs
no text conversion that a repository may have configured.
"""

import subprocess
from pathlib import Path

from hostgate.catalog.problems import InputError, Problem
from hostgate.catalog.read import check_catalog
from hostgate.catalog.references import CatalogRevision, pin, resolve, split_path
from hostgate.catalog.yaml_reader import MAX_BYTES, read_bytes

FORM = "git:REF:PATH, e.g. git:main:catalog/ours.yaml"

_PATIENCE = 30
"""Seconds for one git command: a repository on a dead network drive must not hang a check."""


def resolve_anywhere(ref: str, base: Path | None = None) -> CatalogRevision:
    """As `resolve`, and `git:REF:PATH` besides. Raises InputError."""
    if not ref.startswith("git:"):
        return resolve(ref, base)
    commit, _, rest = ref.removeprefix("git:").partition(":")
    path, revision = split_path(rest)
    if not commit or not path or commit.startswith("-"):
        raise _error("git-reference", f"Found {ref!r}. Allowed: {FORM}.")
    name = f"{commit}:{path}"
    return pin(check_catalog(read_bytes(file_at(commit, path, base), name), name), revision, ref)


def file_at(commit: str, path: str, base: Path | None = None) -> bytes:
    """The bytes of the file `path` (from `base`, the current folder) in `commit`.

    Raises InputError: no git, not a repository, an unknown commit, no such file in it, or a file too large to review.
    """
    folder = base or Path.cwd()
    if _git(folder, "rev-parse", "--is-inside-work-tree") is None and _git(folder, "rev-parse", "--git-dir") is None:
        raise _error("git-no-repository", f"{folder} is in no git repository that git can read here.")
    if _git(folder, "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}") is None:
        raise _error(
            "git-unknown-ref",
            f"Found the git ref {commit!r}, which is no commit here. Fetch it first; a checkout of one commit only, as "
            "continuous integration makes it, has no other branch.",
        )
    blob = f"{commit}:{path}" if path.startswith(("./", "../")) else f"{commit}:./{path}"
    size = _git(folder, "cat-file", "-s", blob)
    if size is None or (_git(folder, "cat-file", "-t", blob) or b"").strip() != b"blob":
        raise _error("git-no-file", f"{commit} has no file {path!r} (from {folder}). Allowed: {FORM}.")
    if int(size) > MAX_BYTES:
        raise _error(
            "file-too-large", f"Found {int(size):,} bytes. Allowed: at most {MAX_BYTES:,}.", f"{commit}:{path}"
        )
    data = _git(folder, "cat-file", "blob", blob)
    if data is None:
        raise _error("git-no-file", f"{commit} has no readable file {path!r}.")
    return data


def _git(folder: Path, *arguments: str) -> bytes | None:
    """What git says, or None if it failed."""
    try:
        ran = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, timeout=_PATIENCE, check=False
        )
    except FileNotFoundError:
        raise _error("git-missing", "There is no `git` on PATH. Install it, or compare files.") from None
    except subprocess.TimeoutExpired:
        raise _error("git-missing", f"git did not answer within {_PATIENCE} s.") from None
    return ran.stdout if ran.returncode == 0 else None


def _error(rule: str, message: str, file: str | None = None) -> InputError:
    return InputError([Problem(rule=rule, message=message, file=file)])
