"""BASE and HEAD of a comparison: a stack, a stack at a git ref, a file of plans, an engine's preview, or its state."""

import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hostgate.catalog.file_input import real_path, user_path
from hostgate.catalog.problems import InputError, Problem
from hostgate.catalog.references import catalog_folder, is_path
from hostgate.cli.sources import find_stack
from hostgate.review.guards import Guards
from hostgate.review.statement import Statement, read_json, read_statements, state
from hostgate.stack import read_stack, values_of_file
from hostgate.stack_lists import rewrite_catalogs

if TYPE_CHECKING:
    from hostgate.flows.snapshot import Snapshot
    from hostgate.flows.steps import Place

GIT_LIMIT = 60
"""Seconds for one call of git; it reads a few files of the local repository."""

_STACK_FILE = re.compile(r"Pulumi\.([^/]+)\.ya?ml\Z")


@dataclass(frozen=True)
class Side:
    """One side as it was read. `stack` is project and stack, where there is one."""

    statements: tuple[Statement, ...]
    stack: str | None = None
    guards: Guards = field(default_factory=lambda: Guards(never_open_all=True))
    """Of a file none but the one that is always on: two sides turn that off only together."""
    notes: tuple[str, ...] = ()
    unreviewed: tuple[str, ...] = ()
    """Targets for which the stack pins another digest than it makes."""
    snapshot: "Snapshot | None" = None
    """All that stands; None where it is not known what does, as of a plan."""

    @cached_property
    def standing(self) -> "tuple[Place, ...]":
        """Where flows are judged by all that stands."""
        return () if self.snapshot is None else places_of(self.snapshot)


def read_sides(base: str, head: str, as_of: date) -> tuple[Side, Side]:
    """Both sides. A git ref without a stack takes the stack of the other side, or `dev`.

    Raises InputError with the problems of both, each with its side.
    """
    sides: list[Side] = []
    problems: list[Problem] = []
    default = _stack_named(head) or _stack_named(base) or "dev"
    for word, text in (("BASE", base), ("HEAD", head)):
        try:
            sides.append(_read(text, as_of, default))
        except InputError as error:
            problems += [replace(each, message=f"{word} ({text}): {each.message}") for each in error.problems]
    if problems:
        raise InputError(problems)
    return sides[0], sides[1]


def _stack_named(text: str) -> str | None:
    """The stack that a side names, where its text says it."""
    if text.startswith("git:"):
        return text.split(":", 2)[2] if text.count(":") > 1 else None
    if matched := _STACK_FILE.search(text):
        return matched[1]
    return None if text.endswith(".json") or text.startswith("deployed:") else text


def _read(text: str, as_of: date, default: str) -> Side:
    if text.startswith("git:"):
        ref = text.split(":", 2)[1]
        return _of_git(ref, _stack_named(text) or default, as_of)
    if text.startswith("deployed:"):
        return _of_file(Path(text.removeprefix("deployed:")), deployed=True)
    if text.endswith(".json"):
        return _of_file(Path(text), deployed=False)
    if matched := _STACK_FILE.search(text):
        if not Path(text).is_file():
            raise _error("no-stack", f"there is no file {text}.")
        return _of_stack(real_path(Path(text)).parent, matched[1], as_of)
    try:
        project, stack = find_stack(text)
    except InputError as error:
        hint = f" A git ref is git:{text}, a file of plans ends in .json."
        raise InputError([replace(each, message=each.message + hint) for each in error.problems]) from None
    return _of_stack(project, stack, as_of)


def _of_stack(project: Path, stack: str, as_of: date, values: dict[str, Any] | None = None) -> Side:
    wanted = read_stack(values_of_file(project, stack) if values is None else values, project, pins=False)
    plans = wanted.plans(as_of)
    name = read_name(project)
    return Side(
        tuple(map(state, plans)),
        f"{name}/{stack}" if name else stack,
        wanted.guards,
        unreviewed=tuple(each.target for each in plans if wanted.digests.get(each.target, each.digest) != each.digest),
    )


def read_name(project: Path) -> str:
    """The project's name in its Pulumi.yaml; empty if it has none."""
    from hostgate.catalog.yaml_reader import read_file

    return str(read_file(project / "Pulumi.yaml", "Pulumi.yaml").get("name") or "")


def _of_file(path: Path, *, deployed: bool) -> Side:
    document = read_json(path, str(path))
    if isinstance(document, dict) and "steps" in document:
        from hostgate.cli.preview_statements import read_preview
        from hostgate.flows.engine_documents import of_deployed, of_preview

        statements, stack = read_preview(document, str(path), deployed=deployed)
        snapshot = (of_deployed if deployed else of_preview)(document, str(path))
        partial = ", ".join(each.name for each in statements if each.enforcement.partial)
        note = f"{path}: {partial} does not say where it is enforced, as of 0.1.0: mode and deny alone are compared."
        found = Side(_with_lists(statements, snapshot), stack, notes=(note,) if partial else (), snapshot=snapshot)
        if not (statements or found.standing or deployed):
            raise _nothing_of_ours(path)
        return found
    if isinstance(document, dict) and "deployment" in document and not deployed:
        from hostgate.cli.preview_statements import read_state
        from hostgate.flows.engine_documents import of_state

        snapshot = of_state(document, str(path))
        statements, stack = read_state(document, str(path))
        found = Side(_with_lists(statements, snapshot), stack, snapshot=snapshot)
        if not (statements or found.standing):
            raise _nothing_of_ours(path)
        return found
    if deployed:
        raise _error("plan-file", f"{path} is no preview of the engine, which alone knows what is deployed.")
    return Side(read_statements(document, str(path)))


def _with_lists(statements: Sequence[Statement], snapshot: "Snapshot") -> tuple[Statement, ...]:
    """The statements with those addresses of hosts that are due by what stands in lists that a refresher keeps."""
    from hostgate.planning.allowlists_at import read_allowlist
    from hostgate.planning.needs import dialled_at

    def of(each: Statement) -> Statement:
        if each.settings.get("contents") != "refresher" or each.urn not in snapshot.by_urn:
            return each
        return replace(each, dialled=dialled_at(read_allowlist(snapshot.by_urn[each.urn], snapshot)))

    return tuple(map(of, statements))


def places_of(snapshot: "Snapshot") -> tuple["Place", ...]:
    """Where flows are judged by all that a snapshot holds."""
    from hostgate.policies.places import places_of_stack

    return tuple(places_of_stack(snapshot))


def _nothing_of_ours(path: Path) -> InputError:
    return _error(
        "plan-file", f"{path}: no component of hostgate is in it, and no other resource that judges what leaves."
    )


def _of_git(ref: str, stack: str, as_of: date) -> Side:
    """The stack as it stood at `ref`: its file, Pulumi.yaml, and the catalogs that are part of the repository."""
    here, _ = find_stack(stack, needs_file=False)
    with _tree(here) as tree:
        commit = tree.commit(ref)
        for name in ("Pulumi.yaml", f"Pulumi.{stack}.yaml"):
            tree.take(commit, here / name, needed=True)
        project = tree.at(here)
        values = values_of_file(project, stack)
        values = rewrite_catalogs(values, lambda each: tree.reference(commit, each, here))
        side = _of_stack(project, stack, as_of, values)
        return replace(side, notes=tuple(tree.notes))


@contextmanager
def _tree(here: Path) -> Iterator["_Tree"]:
    with tempfile.TemporaryDirectory(prefix="hostgate-") as folder:
        top = _git(here, "rev-parse", "--show-toplevel")
        if top is None:
            raise _error("git", f"{here} is in no git repository, or there is no git. Name a stack or a file.")
        yield _Tree(Path(top.decode().strip()).resolve(), Path(folder).resolve())


class _Tree:
    """Files of the repository `top` as they stood at a commit, put where they belong below `folder`."""

    def __init__(self, top: Path, folder: Path) -> None:
        self.top, self.folder = top, folder
        self.notes: list[str] = []

    def commit(self, ref: str) -> str:
        found = _git(self.top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        if not ref or found is None:
            raise _error(
                "git",
                f"git knows no commit {ref!r} here. A shallow clone has only its own: git fetch origin BRANCH, then "
                "git:origin/BRANCH.",
            )
        return found.decode().strip()

    def at(self, path: Path) -> Path:
        return self.folder / real_path(path).relative_to(self.top)

    def take(self, commit: str, path: Path, *, needed: bool = False) -> bool:
        """Put `path` there; whether it stood there at `commit`."""
        inside = real_path(path).relative_to(self.top).as_posix()
        data = _git(self.top, "show", f"{commit}:{inside}")
        if data is None:
            if needed:
                raise _error("git", f"there is no {inside} at {commit[:12]}.")
            return False
        place = self.folder / inside
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        return True

    def reference(self, commit: str, ref: Any, project: Path) -> Any:
        """`ref` of a stack file so that it leads to the catalog as it stood; anything odd stays for the reader to refuse."""
        if not isinstance(ref, str) or not ref.strip():
            return ref
        name, at, revision = ref.rpartition("@") if "@" in ref else (ref, "", "")
        if is_path(ref):
            path = real_path(project / user_path(name))
            if path.is_relative_to(self.top):
                self.take(commit, path)
            else:
                self.notes.append(f"{ref} is outside the repository, and read as it is today.")
            return (
                ref
                if not Path(name).is_absolute() or not path.is_relative_to(self.top)
                else f"{self.at(path)}{at}{revision}"
            )
        path = (catalog_folder() / f"{name}.yaml").resolve()
        if not revision or not path.is_relative_to(self.top):
            return ref  # a catalog of the installed package, pinned by its revision
        if not self.take(commit, path):
            return ref
        up = "../" * len(project.resolve().relative_to(self.top).parts)
        return f"./{up}{path.relative_to(self.top).as_posix()}{at}{revision}"


def _git(folder: Path, *words: str) -> bytes | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, check=False, timeout=GIT_LIMIT,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except FileNotFoundError:
        return None
    except subprocess.TimeoutExpired:
        raise _error("git", f"`git {words[0]}` did not end within {GIT_LIMIT} s.") from None
    return done.stdout if done.returncode == 0 else None


def _error(rule: str, message: str) -> InputError:
    return InputError([Problem(rule=rule, message=message)])
