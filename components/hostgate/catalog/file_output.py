"""Files as output: the new text takes the old one's place in one step, or nothing changes.

The new file is written beside the old one, brought to the disk, and renamed over it. A full disk, a kill or a loss of
power leaves the old file; what a killed run leaves besides is a hidden file beside it.
"""

import errno
import os
import secrets
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from hostgate.catalog.file_input import kind_of, real_path
from hostgate.catalog.problems import InputError, Problem


def replace_file(path: Path, data: bytes, rule: str) -> None:
    """Put `data` at `path`. A link stays a link, and an existing file keeps its permissions and, where allowed, its owner.

    Raises InputError with `rule`, and then the old file stands as it was: the disk is full, the folder or the file may
    not be written, a folder, a pipe or a device is in the place.
    """
    replace_files({path: data}, rule)


def replace_files(files: Mapping[Path, bytes], rule: str) -> None:
    """Put each of `files` in its place, none before all are on the disk. Raises InputError as `replace_file` does."""
    fresh: dict[Path, Path] = {}
    about, done = Path(), 0
    try:
        for about, data in files.items():
            fresh[about] = _beside(real_path(about), data)
        for about in files:
            fresh[about].replace(real_path(about))
            del fresh[about]
            done += 1
            sync_folder(real_path(about).parent)
    except (OSError, ValueError) as error:
        raise InputError(
            [unwritable(about, error, rule, f"{done} of {len(files)} files are replaced" if done else "")]
        ) from None
    finally:
        for left in fresh.values():
            with suppress(OSError):
                left.unlink()


def unwritable(path: Path, error: OSError | ValueError, rule: str, done: str = "") -> Problem:
    """What to say of a place that cannot be written."""
    reason = error.strerror or error if isinstance(error, OSError) else "no file can have this name"
    return Problem(rule=rule, file=str(path), message=f"Cannot write it: {reason}. {done or 'Nothing was changed'}.")


def write_new(path: Path, data: bytes, mode: int = 0o666) -> None:
    """Write a file that is not there yet, down to the disk, with `mode` less the umask.

    Raises OSError, and then it is not there.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise


def sync_folder(folder: Path) -> None:
    """Bring the names in `folder` to the disk; some file systems cannot, and then there is nothing to do."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def refuse_place(path: Path) -> None:
    """Raises OSError if `path` is there and is no file that may be replaced; a link that leads in a circle is none."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    if (kind := kind_of(mode)) is not None:
        raise OSError(errno.EINVAL, f"found {kind[1]}, and allowed is a file", str(path))
    if not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))


def _beside(target: Path, data: bytes) -> Path:
    """A new file beside `target`, with its permissions, that holds `data`."""
    refuse_place(target)
    old = target.stat() if target.exists() else None
    fresh = target.with_name(f".{target.name[:50]}.{secrets.token_hex(4)}")
    write_new(fresh, data, 0o666 if old is None else stat.S_IMODE(old.st_mode))
    if old is not None:
        try:
            with suppress(PermissionError):  # only root gives files away
                os.chown(fresh, old.st_uid, old.st_gid)
            fresh.chmod(stat.S_IMODE(old.st_mode))  # what the umask took
        except OSError:
            fresh.unlink()
            raise
    return fresh
