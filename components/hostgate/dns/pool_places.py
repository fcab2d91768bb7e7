"""Where an address pool stands: a file that one refresher writes, or an object in a bucket that several write at once.

Both are written whole or not at all. A file is locked for as long as its refresher runs. An object is written only if it
is still what was read (conditional writes of S3, Google Cloud Storage and Azure Blob): who comes second reads it again and
puts what it saw itself into that, so none loses the other's addresses.
"""

import fcntl
import os
import random
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from hostgate.catalog.file_input import Size, read_file_bytes, real_path
from hostgate.catalog.file_output import refuse_place, replace_file, unwritable
from hostgate.catalog.problems import InputError, Problem, spelled
from hostgate.dns.pool_update import PoolUpdate
from hostgate.planning.address_pool import AddressPool
from hostgate.planning.pool_form import pool_bytes, read_pool, told_time
from hostgate.requirement import install_command

if TYPE_CHECKING:
    from obstore.store import ObjectStore

LARGEST = Size(256 * 1024 * 1024, "10,000 hosts with 16 addresses each are 13 MB")

SCHEMES = ("s3", "gs", "az")
"""Of URLs of objects. Stores without conditional writes are none of them."""

_TRIES = 40
"""Writes that somebody else may win in a row. With ten refreshers at once, a write takes three tries on average."""

_PATIENCE = timedelta(seconds=30)
"""For a request to a store with all its retries: a refresher that hangs adds nothing."""


_NO_BUCKET = re.compile("NoSuchBucket|ContainerNotFound|bucket does not exist")


class PoolPlace(Protocol):
    """A place that can be written. `read`: bytes and what they are known by there; None where nothing is yet. `write`:
    False if the place holds something else than what was read. Both raise InputError."""

    shown: str

    def read(self) -> tuple[bytes, str] | None: ...
    def write(self, data: bytes, read: str | None) -> bool: ...
    def __enter__(self) -> "PoolPlace": ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


def is_shared(place: str) -> bool:
    """Whether `place` is a URL, where others may write as well."""
    return "://" in place


def place_of(place: str, region: str | None = None) -> PoolPlace:
    """The place at a path or at a URL: s3://BUCKET/KEY, gs://BUCKET/KEY, az://CONTAINER/KEY. `region`: of the bucket on S3,
    where it is not the environment's. Raises InputError."""
    return _ObjectPlace(place, region) if is_shared(place) else _FilePlace(Path(place))


def read_place(place: PoolPlace) -> AddressPool:
    """What stands at `place`, nothing where nothing is yet. Raises InputError."""
    found = place.read()
    return AddressPool(shown=place.shown) if found is None else read_pool(found[0], place.shown)


def load_pool(place: str, region: str | None = None) -> AddressPool:
    """The pool at `place`, as `place_of` takes it. Raises InputError with every error and its line, also if there is none."""
    found = place_of(place, region).read()
    if found is None:
        message = f"There is no pool. Make it: hostgate pool refresh --pool {place}"
        raise _error("pool-unreadable", place, message)
    return read_pool(found[0], place)


def change(place: PoolPlace, make: Callable[[AddressPool], PoolUpdate], known: AddressPool | None = None) -> PoolUpdate:
    """Put what `make` makes of the pool at `place` in its place; nothing is written if it is the same. `known`: what stood
    there when it was last written, and is begun with if it is gone.

    `make` is called again with what stands there by now, whenever somebody else was first. Raises InputError; then the pool
    stands as it was.
    """
    for attempt in range(_TRIES):
        found = place.read()
        nothing = known or AddressPool(shown=place.shown)
        update = make(nothing if found is None else read_pool(found[0], place.shown))
        data = pool_bytes(update.pool)
        if len(data) > LARGEST.most:
            message = f"The pool would be {len(data):,} bytes. Allowed: at most {LARGEST.most:,} ({LARGEST.because})."
            raise _error("pool-unwritable", place.shown, message)
        if found is not None and found[0] == data:
            return update
        if place.write(data, None if found is None else found[1]):
            return replace(update, pool=replace(update.pool, shown=place.shown))
        time.sleep(random.uniform(0, min(2.0, 0.02 * 2**attempt)))
    message = f"Others wrote it {_TRIES} times in a row between our reading and writing. Nothing was changed."
    raise _error("pool-contended", place.shown, message)


class _FilePlace:
    """A file, and a lock beside it (`.NAME.lock`) that says who holds it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.shown = str(path)
        self._lock: int | None = None

    def __enter__(self) -> "_FilePlace":
        try:
            target = real_path(self.path)
            refuse_place(target)
        except (OSError, ValueError) as error:
            raise InputError([unwritable(self.path, error, "pool-unwritable")]) from None
        lock = target.with_name(f".{target.name}.lock")
        try:
            handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        except OSError as error:
            message = f"Cannot lock it ({lock}): {error.strerror}. Nothing was changed."
            raise _error("pool-unwritable", self.shown, message) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(handle, 200, 0).decode("utf-8", "replace").strip() or "somebody who has not said who"
            os.close(handle)
            message = f"Another refresher writes it: {holder}. Stop that one, or use a pool of your own."
            raise _error("pool-in-use", self.shown, message) from None
        self._lock = handle
        with suppress(OSError):  # a full disk keeps nobody from holding the lock
            os.ftruncate(handle, 0)
            os.pwrite(
                handle,
                f"process {os.getpid()} on {os.uname().nodename} since {told_time(int(time.time()))}\n".encode(),
                0,
            )
        self._sweep(target)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._lock is not None:
            with suppress(OSError):
                os.ftruncate(self._lock, 0)
            os.close(self._lock)
            self._lock = None

    def read(self) -> tuple[bytes, str] | None:
        try:
            self.path.lstat()
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            pass  # told by what reads it
        return read_file_bytes(self.path, LARGEST, self.shown, rule="pool-unreadable"), ""

    def write(self, data: bytes, read: str | None) -> bool:  # noqa: ARG002 - nobody else writes while it is locked
        assert self._lock is not None
        replace_file(self.path, data, "pool-unwritable")
        return True

    def _sweep(self, target: Path) -> None:
        """Take away what killed refreshers left beside the file (`file_output` cuts long names: those are left)."""
        if len(target.name) > 50:
            return
        left = re.compile(rf"\.{re.escape(target.name)}\.[0-9a-f]{{8}}\Z")
        with suppress(OSError):
            for each in target.parent.iterdir():
                if left.match(each.name):
                    each.unlink()


class _ObjectPlace:
    """An object. Credentials are the environment's, as the store's own tools take them."""

    def __init__(self, url: str, region: str | None) -> None:
        self.shown = url
        scheme, _, rest = url.partition("://")
        folder, _, self._key = rest.rpartition("/")
        if scheme not in SCHEMES or not all(folder.split("/")) or not self._key:
            allowed = "s3://BUCKET/KEY, gs://BUCKET/KEY, az://CONTAINER/KEY, or a file"
            raise _error("pool-place", url, f"Found {spelled(url)}. Allowed: {allowed}.")
        self._store = self._connected(f"{scheme}://{folder}", {"region": region} if region else {})

    def _connected(self, url: str, config: dict[str, Any]) -> "ObjectStore":
        try:
            from obstore.exceptions import BaseError
            from obstore.store import from_url
        except ModuleNotFoundError as error:
            message = (
                f"A pool at a URL needs {error.name}, which is not installed. Install it: {install_command('pool')}"
            )
            raise _error("pool-place", self.shown, message) from None
        try:
            return from_url(url, retry_config={"max_retries": 5, "retry_timeout": _PATIENCE}, **config)
        except (BaseError, ValueError) as error:
            raise _error("pool-place", self.shown, f"Cannot go there: {_first_line(error)}") from None

    def __enter__(self) -> "_ObjectPlace":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        return

    def read(self) -> tuple[bytes, str] | None:
        import obstore
        from obstore.exceptions import BaseError, NotFoundError

        try:
            found = obstore.get(self._store, self._key)
            if found.meta["size"] > LARGEST.most:
                message = f"Found {found.meta['size']:,} bytes. Allowed: at most {LARGEST.most:,} ({LARGEST.because})."
                raise _error("pool-unreadable", self.shown, message)
            data = bytes(found.bytes())
        except (NotFoundError, FileNotFoundError) as error:
            if _NO_BUCKET.search(str(error)):  # where nothing can be is not where nothing is yet
                raise _error("pool-unreadable", self.shown, f"Cannot read it: {_first_line(error)}") from None
            return None
        except (BaseError, OSError, ValueError) as error:
            raise _error("pool-unreadable", self.shown, f"Cannot read it: {_first_line(error)}") from None
        return data, _tag(found.meta.get("e_tag"), found.meta.get("version"))

    def write(self, data: bytes, read: str | None) -> bool:
        import obstore
        from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError

        try:
            if read is None:
                obstore.put(self._store, self._key, data, mode="create", use_multipart=False)
            else:
                known = zip(("e_tag", "version"), read.split("\n"), strict=True)
                mode: Any = {key: value for key, value in known if value}
                # parts that are put together later would know no condition
                obstore.put(self._store, self._key, data, mode=mode, use_multipart=False)
        except (AlreadyExistsError, PreconditionError):
            return False
        except (BaseError, OSError, ValueError) as error:
            message = f"Cannot write it: {_first_line(error)} Nothing was changed."
            raise _error("pool-unwritable", self.shown, message) from None
        return True


def _tag(e_tag: str | None, version: str | None) -> str:
    return f"{e_tag or ''}\n{version or ''}"


def _first_line(error: BaseException) -> str:
    """What a store's error says, without the debug text below it and the document of the service in it."""
    text = str(error).split("\n\nDebug", 1)[0]
    codes = re.findall(r"<Code>(.*?)</Code>", text)
    line = re.sub(r"<\?xml.*", "", text.splitlines()[0] if text else type(error).__name__).strip()
    plain = " An endpoint of http:// needs AWS_ALLOW_HTTP=true (AZURE_ALLOW_HTTP for az://)."
    return f"{line}{' ' + codes[0] if codes else ''}".rstrip(".") + "." + (plain if "BadScheme" in str(error) else "")


def _error(rule: str, shown: str, message: str) -> InputError:
    return InputError([Problem(rule=rule, file=shown, message=message)])
