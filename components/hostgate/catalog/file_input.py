"""Files as input: regular ones only, and never more of them than the reader can hold.

A pipe that nobody writes hangs a check, a device has no end, and a folder or a socket is a mistake: each is refused by
its kind before a byte is read. What may be as long as it likes (logs, surveys) is read line by line, in bounded memory.
"""

import os
import re
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import BinaryIO, Protocol

from hostgate.catalog.problems import InputError, Problem


@dataclass(frozen=True, slots=True)
class Size:
    """The most that a file may hold, in bytes, and what that is measured by."""

    most: int
    because: str


@dataclass(frozen=True, slots=True)
class LongLine:
    """A line over the limit, in bytes; its text is not kept. `endless`: its end was not reached, nor anything after."""

    length: int
    endless: bool


MOST_SKIPPED = 64 * 1024 * 1024
"""Bytes of one line that are passed over in search of its end; beyond, the input is taken for one without lines."""

_KINDS = (
    (stat.S_ISDIR, "file-is-folder", "a folder"),
    (stat.S_ISFIFO, "file-kind", "a pipe (FIFO)"),
    (stat.S_ISSOCK, "file-kind", "a socket"),
    (stat.S_ISCHR, "file-kind", "a device"),
    (stat.S_ISBLK, "file-kind", "a device"),
)


def kind_of(mode: int) -> tuple[str, str] | None:
    """Rule and words for what a path is that is no regular file; None for a regular file."""
    if stat.S_ISREG(mode):
        return None
    return next(((rule, words) for holds, rule, words in _KINDS if holds(mode)), ("file-kind", "no regular file"))


def read_file_bytes(
    path: Path, size: Size, shown: str, *, rule: str | None = None, allowed: str = "a regular file", missing: str = ""
) -> bytes:
    """All of the regular file at `path`.

    `shown` names it in messages, `rule` stands for every rule of this module, `allowed` and `missing` say what to give
    instead. Raises InputError: none there, not readable, of another kind, or longer than `size`.
    """
    with open_file(path, shown, rule=rule, allowed=allowed, missing=missing) as stream:
        try:
            found = os.fstat(stream.fileno()).st_size
            data = b"" if found > size.most else stream.read(size.most + 1)  # a file of /proc says 0 and holds more
        except OSError as error:
            raise _unreadable(error, shown, rule, missing) from None
    if found > size.most or len(data) > size.most:
        told = f"{found:,}" if found > size.most else f"more than {size.most:,}"
        message = f"Found {told} bytes. Allowed: at most {size.most:,} ({size.because})."
        raise _error(rule or "file-too-large", message, shown)
    return data


def open_file(
    path: Path, shown: str, *, rule: str | None = None, allowed: str = "a regular file", missing: str = ""
) -> BinaryIO:
    """The regular file at `path`, open for reading. Raises InputError as `read_file_bytes` does, but for the length."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        raise _unreadable(error, shown, rule, missing) from None
    _refuse_other_kinds(mode, shown, rule, allowed)
    try:  # not to wait for a writer, should a pipe have taken the file's place meanwhile
        opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _unreadable(error, shown, rule, missing) from None
    try:
        _refuse_other_kinds(os.fstat(opened).st_mode, shown, rule, allowed)
        return os.fdopen(opened, "rb")
    except BaseException:
        os.close(opened)
        raise


class Lines(Protocol):
    """What lines can be read from."""

    def readline(self, limit: int, /) -> bytes:
        """The next line, or so many bytes of it."""


def lines_of(stream: Lines, longest: int) -> Iterator[tuple[int, bytes | LongLine]]:
    """The lines of `stream`, numbered from 1, with their ends; in the memory of one line of `longest` bytes.

    After an endless line nothing more comes. Raises OSError.
    """
    number = 0
    while line := stream.readline(longest + 1):
        number += 1
        if len(line) <= longest or line.endswith(b"\n"):
            yield number, line
            continue
        length = len(line)
        while (rest := stream.readline(1 << 20)) and length <= MOST_SKIPPED:
            length += len(rest)
            if rest.endswith(b"\n"):
                break
        endless = length > MOST_SKIPPED
        yield number, LongLine(length, endless)
        if endless:
            return


def open_stdin(rule: str) -> BinaryIO:
    """Standard input. Raises InputError where it is closed."""
    if sys.stdin is None:
        raise _error(rule, "Cannot read it: it is closed.", "stdin")
    return sys.stdin.buffer


def user_path(text: str) -> Path:
    """A path as a person writes it, `~` included; a home folder that nobody has stays as it was written."""
    return Path(os.path.expanduser(text))  # noqa: PTH111 - Path.expanduser raises where there is no such user


def real_path(path: Path) -> Path:
    """Where `path` leads, links followed; those in a circle stay as they are, for which Path.resolve raises."""
    return Path(os.path.realpath(path))


def _refuse_other_kinds(mode: int, shown: str, rule: str | None, allowed: str) -> None:
    if (kind := kind_of(mode)) is not None:
        raise _error(rule or kind[0], f"Found {kind[1]}. Allowed: {allowed}.", shown)


def _unreadable(error: OSError | ValueError, shown: str, rule: str | None, missing: str) -> InputError:
    if isinstance(error, FileNotFoundError):
        if url := re.match(r"(https?):/+(.*)", shown):  # a path has lost one of its slashes
            shown, ending = f"{url[1]}://{url[2]}", Path(url[2]).suffix
            missing = f"Get its source first, e.g. curl -fsSLo page{ending} {quote(shown)}"
            return _error(
                rule or "file-unreadable", f"Found a URL. Files are read, and nothing is fetched. {missing}", shown
            )
        reason = "There is no such file"
    elif isinstance(error, OSError):
        reason = f"Cannot read it: {error.strerror or error}"
    else:  # a NUL character, or one that no file name can hold
        reason = "No file can have this name"
    return _error(rule or "file-unreadable", f"{reason}. {missing or 'Check the path.'}", shown)


def _error(rule: str, message: str, shown: str) -> InputError:
    return InputError([Problem(rule=rule, message=message, file=shown)])
