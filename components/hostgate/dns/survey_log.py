"""Writing a survey file while it is measured: whole lines only, continued if it exists, never two writers at once."""

import fcntl
import os
import stat
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from types import TracebackType

from hostgate.catalog.problems import InputError, Problem
from hostgate.dns.samples import Run, Sample, Torn
from hostgate.dns.survey_files import as_line, stream

_EVERY = 1.0
"""Seconds: what a killed run loses at most."""

_FULL = 1 << 16


class SurveyLog:
    """Appends records to `path`. What stands there is read first: nothing is added to a file that cannot be read back.

    Raises InputError for a damaged file, one that cannot be written, and one that another run is writing. A line that
    a killed run left unfinished is cut off and named in `torn`.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = monotonic) -> None:
        self.path = path
        self.torn: tuple[Torn, ...] = ()
        self._clock = clock
        self._lines: list[bytes] = []
        self._held = 0
        self._written_at = clock()
        self._new = not path.exists()
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise _refused(path, "survey-unwritable", f"Cannot write it: {error.strerror}.") from None
        try:
            self._prepare()
        except BaseException:
            os.close(self._file)
            raise

    def _prepare(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _refused(self.path, "survey-in-use", "Another survey is writing it. Name another file.") from None
        about = os.fstat(self._file)
        if not stat.S_ISREG(about.st_mode):  # a device or a pipe cannot be read back for the analysis
            raise _refused(self.path, "survey-unwritable", "It is no regular file. Name a file.")
        size = about.st_size
        if not size:
            return
        self.torn = tuple(each for each in stream([self.path]) if isinstance(each, Torn))
        if self.torn:
            os.ftruncate(self._file, _end_of_lines(self._file, size))

    def write(self, record: Run | Sample) -> None:
        """Append `record`: at the latest with the first record that comes a second later."""
        line = as_line(record).encode() + b"\n"
        self._lines.append(line)
        self._held += len(line)
        if self._held >= _FULL or self._clock() - self._written_at >= _EVERY:
            self.flush()

    def flush(self) -> None:
        """Write what is held, in one piece. If the disk is full, the file ends where it ended before."""
        data = b"".join(self._lines)
        self._lines, self._held, self._written_at = [], 0, self._clock()
        before = os.fstat(self._file).st_size
        try:
            while data:
                data = data[os.write(self._file, data) :]
        except OSError as error:
            os.ftruncate(self._file, before)
            error.filename = str(self.path)
            raise

    def __enter__(self) -> "SurveyLog":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self.flush()
            if self._new and not os.fstat(self._file).st_size:
                self.path.unlink()  # nothing was measured: no file that looks like a survey
        finally:
            os.close(self._file)


def _end_of_lines(file: int, size: int) -> int:
    """The offset behind the last line end."""
    at = size
    while at:
        start = max(0, at - _FULL)
        found = os.pread(file, at - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        at = start
    return 0


def _refused(path: Path, rule: str, message: str) -> InputError:
    return InputError([Problem(rule=rule, file=str(path), message=message)])
