"""Plans as files: one folder a target, each replaced whole or not at all, and only if hostgate wrote all that is in it.

A list in each folder names the files that were written there. What it does not name is somebody else's: then nothing is
written and nothing deleted.
"""

import ctypes
import errno
import fcntl
import json
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from hostgate.catalog.file_input import Size, read_file_bytes
from hostgate.catalog.file_output import sync_folder, unwritable, write_new
from hostgate.catalog.problems import InputError, Problem, few

if TYPE_CHECKING:
    from hostgate.planning.plan import Plan

LIST = ".hostgate-files"
"""In each folder: the files that hostgate wrote there, a line each."""

ASIDE = ".hostgate-aside"
"""Where new folders are written before they take their places; a killed run leaves it, and the next one clears it."""

_LIST_SIZE = Size(64 * 1024 * 1024, "10,000 files are 0.5 MB")


def write_plans(plans: Sequence["Plan"], out: Path) -> None:
    """Write each plan's rule text (`*.rules`) and API bodies (`*.json`) to `out`/CLOUD-MECHANISM.

    The new folders are written aside first and then trade places with the old ones; if that fails the old ones are put
    back. Raises InputError: the disk or the permissions do not allow it, another run is at it, or a folder holds what
    hostgate did not write.
    """
    files = {_folder(plan): _files(plan) for plan in plans}
    made = not out.exists()
    try:
        out.mkdir(parents=True, exist_ok=True)
        with _alone(out):
            problems = [problem for name in files for problem in _foreign(out / name, files[name])]
            if problems:
                raise InputError(problems)
            aside = out / ASIDE
            shutil.rmtree(aside, ignore_errors=True)
            try:
                for name, texts in files.items():
                    _write(aside / name, texts, out / name)
                _swap(list(files), aside, out)
            finally:
                shutil.rmtree(aside, ignore_errors=True)
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        if made:
            with suppress(OSError):
                out.rmdir()
        raise InputError([unwritable(out, error, "out")]) from None


def _folder(plan: "Plan") -> str:
    return plan.target.replace(":", "-")


def _files(plan: "Plan") -> dict[str, bytes]:
    """The content of each file by its path within the plan's folder."""
    files: dict[str, bytes] = {}
    for each in plan.objects:
        place = Path(each.folder, each.name)
        files[f"{place}.json"] = f"{json.dumps(each.body, indent=2, ensure_ascii=False)}\n".encode()
        if each.text is not None:
            files[f"{place}.rules"] = each.text.encode()
    return files


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Hold the folder for this run."""
    handle = os.open(out, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OSError(errno.EBUSY, "another run of hostgate is writing there") from None
        yield
    finally:
        os.close(handle)


def _foreign(folder: Path, files: dict[str, bytes]) -> Iterator[Problem]:
    """What stands in the way of `folder`: anything that hostgate did not write."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        what = "a link" if folder.is_symlink() else "no folder"
        yield _problem(folder, f"Found {what}. Allowed: a folder that hostgate wrote, or nothing. Nothing was changed.")
        return
    if not folder.exists():
        return
    ours = _listed(folder)
    found = {
        str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()
    }
    strange = sorted(
        name
        for name, path in found.items()
        if path.is_symlink() or not path.is_file() or not (name in ours or _is_of_before(path, name, files))
    )
    if strange:
        shown = few(strange, 5)
        yield _problem(
            folder,
            f"Found what hostgate did not write: {shown}. A folder is replaced whole; move that away, or name another "
            "folder. Nothing was changed.",
        )


def _listed(folder: Path) -> set[str]:
    if not (folder / LIST).exists():
        return set()
    text = read_file_bytes(folder / LIST, _LIST_SIZE, str(folder / LIST), rule="out").decode("utf-8", "surrogateescape")
    return {LIST, *text.splitlines()}


def _is_of_before(path: Path, name: str, files: dict[str, bytes]) -> bool:
    """Whether a file is what would be written now: hostgate 0.1.0 wrote no list."""
    return name in files and path.stat().st_size == len(files[name]) and path.read_bytes() == files[name]


def _write(folder: Path, files: dict[str, bytes], old: Path) -> None:
    """Write `files` and their list to `folder`, with the permissions that they have in the folder `old`."""
    folder.mkdir(parents=True)
    for name, data in {**files, LIST: "".join(f"{name}\n" for name in sorted(files)).encode()}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        write_new(folder / name, data)
        with suppress(FileNotFoundError):
            (folder / name).chmod(stat.S_IMODE((old / name).stat().st_mode))
    for each in {folder, *((folder / name).parent for name in files)}:
        sync_folder(each)
    with suppress(FileNotFoundError):
        folder.chmod(stat.S_IMODE(old.stat().st_mode))


def _swap(names: Sequence[str], aside: Path, out: Path) -> None:
    """Let the folders aside and those in place trade places; all of them, or none."""
    done: list[tuple[Path, Path]] = []
    try:
        for name in names:
            trade(aside / name, out / name)
            done.append((aside / name, out / name))
    except OSError:
        for fresh, place in reversed(done):
            with suppress(OSError):
                trade(fresh, place)
        raise
    sync_folder(out)


def trade(fresh: Path, place: Path) -> None:
    """Put `fresh` at `place`, and what stood there at `fresh`. In one step where the system can (Linux), so that a kill
    never leaves the place empty."""
    if not place.exists():
        fresh.rename(place)
        return
    if not _exchanged(fresh, place):
        old = fresh.with_name(f"{fresh.name}.old")
        place.rename(old)
        try:
            fresh.rename(place)
        except OSError:
            old.rename(place)
            raise
        old.rename(fresh)


_HERE = -100
"""AT_FDCWD of linux/fcntl.h."""
_EXCHANGE = 2
"""RENAME_EXCHANGE of linux/fs.h."""


def _exchanged(one: Path, other: Path) -> bool:
    """Whether renameat2(2) exchanged the two; Python has no call for it. Raises OSError where they cannot be renamed."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    if rename(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.ENOSYS, errno.EINVAL):  # an old kernel, or a file system that cannot
        return False
    raise OSError(code, os.strerror(code), str(other))


def _problem(folder: Path, message: str) -> Problem:
    return Problem(rule="out", file=str(folder), message=message)
