"""Runs a project's real `__main__.py` in this process, and leaves no trace of it in the process."""

import asyncio
import contextlib
import contextvars
import gc
import importlib
import io
import os
import runpy
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pulumi
from pulumi.runtime import config as runtime_config
from pulumi.runtime import rpc
from pulumi.runtime.proto import engine_pb2_grpc, resource_pb2_grpc

from hostgate.sandbox.monitor import GRPC_OPTIONS
from hostgate.sandbox.preview_problems import PreviewError, PreviewProblem
from hostgate.sandbox.signals import ENDING, Ended, end
from hostgate.sandbox.yaml_files import Unreadable, read_pulumi_yaml

if TYPE_CHECKING:
    from typing_extensions import Buffer

ORGANIZATION = "organization"
"""What the engine says on a backend without organizations."""

WORKERS = 32
"""Threads for calls in flight; the engine's default parallelism is of this order."""


BEAT = 0.2
"""Seconds between two looks for an interrupt."""


@dataclass(frozen=True, slots=True)
class Project:
    """What `Pulumi.yaml` says that a run needs. `root` is the folder of Pulumi.yaml, `main` the program's file."""

    name: str
    root: Path
    main: Path

    @classmethod
    def read(cls, root: Path) -> "Project":
        """The project in a folder. Raises PreviewError when there is none or it is not a Python program."""
        root = root.resolve()
        file = root / "Pulumi.yaml"
        if not file.exists():
            raise PreviewError([PreviewProblem("no Pulumi project here", found=f"no {file}", allowed="Pulumi.yaml")])
        try:
            document = read_pulumi_yaml(file)
        except Unreadable as error:
            raise PreviewError([PreviewProblem(f"{file} cannot be read", found=str(error))]) from None
        name = document.get("name") if isinstance(document, dict) else None
        if not isinstance(name, str) or not name:
            raise PreviewError([PreviewProblem(f"{file} names no project", found=repr(name), allowed="name: a text")])
        runtime = document.get("runtime")
        language = runtime.get("name") if isinstance(runtime, dict) else runtime
        if language != "python":
            what = "the built-in preview runs Python programs only; other languages need the pulumi CLI"
            raise PreviewError([PreviewProblem(what, found=repr(language), allowed="runtime: python")])
        main = root / str(document.get("main") or "")
        main = main / "__main__.py" if main.is_dir() else main
        if not main.is_file():
            raise PreviewError(
                [PreviewProblem("the project has no program", found=f"no {main}", allowed="__main__.py")]
            )
        return cls(name, root, main)


class ProgramError(Exception):
    """The program raised; `message` is fit to print, `what` is what the exception itself said."""

    def __init__(self, message: str, what: str) -> None:
        self.message = message
        self.what = what
        super().__init__(message)


def run(
    project: Project,
    stack: str,
    config: Mapping[str, str],
    secret_keys: Collection[str],
    address: str,
    say: Callable[[str], None],
) -> None:
    """Run the program as a dry run against the monitor and engine at `address` (host:port).

    Lines that the program prints go to `say`. Raises ProgramError when it does not end well, KeyboardInterrupt when
    interrupted, RuntimeError when an event loop runs on this thread. Settings, config and root resource of the SDK live
    in a context of their own, which ends here.
    """
    if _loop_is_running():
        raise RuntimeError("a preview runs its own event loop: call it from a thread without one")
    with _as_program(project), _captured(say):
        contextvars.copy_context().run(_run, project, stack, config, secret_keys, address)


def _run(project: Project, stack: str, config: Mapping[str, str], secret_keys: Collection[str], address: str) -> None:
    runtime_config.set_all_config(dict(config), list(secret_keys))
    executor = ThreadPoolExecutor(WORKERS)
    with grpc.insecure_channel(address, options=GRPC_OPTIONS) as channel:
        settings = pulumi.runtime.Settings(
            project=project.name,
            stack=stack,
            monitor=resource_pb2_grpc.ResourceMonitorStub(channel),
            engine=engine_pb2_grpc.EngineStub(channel),
            parallel=WORKERS,
            dry_run=True,
            organization=ORGANIZATION,
            root_directory=str(project.root),
        )
        pulumi.runtime.configure(settings)
        loop = asyncio.new_event_loop()
        loop.set_default_executor(executor)
        # A failed program leaves futures that nobody awaits; the executor of the SDK silences asyncio too.
        loop.set_exception_handler(lambda _loop, _context: None)
        program = pulumi.runtime.run_in_stack(lambda: _execute(project.main))
        failure: tuple[str, str] | None = None
        try:
            with _interruptible(loop):
                loop.run_until_complete(program)
        except pulumi.RunError as error:
            failure = str(error), str(error)
        except SystemExit as error:
            if error.code not in (None, 0):
                failure = f"the program ended itself: exit {error.code}", str(error.code)
        except Exception as error:
            failure = _user_traceback(error, project), str(error)
        finally:
            _drain(loop)
            executor.shutdown(wait=False, cancel_futures=True)
    if failure:
        # Raised here, where the program's exception is gone: it holds frames, and with them coroutines that the SDK
        # never awaits once a run has failed. Python would warn about each of them at some later time.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            gc.collect()
        raise ProgramError(*failure)


def _loop_is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _execute(main: Path) -> None:
    runpy.run_path(str(main), run_name="__main__")


@contextlib.contextmanager
def _interruptible(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Make Ctrl-C, and whatever else ends a command, end the loop within `BEAT` seconds, whatever the program waits for.

    Without a beat the loop may sleep through a signal that another thread received; and the SDK holds back an
    interrupt of the program's own code until every output has resolved, which may be never.
    """
    interrupted: list[Ended] = []

    next_beat: asyncio.TimerHandle | None = None

    def beat() -> None:
        nonlocal next_beat
        if interrupted:
            raise interrupted[0]
        next_beat = loop.call_later(BEAT, beat)

    def interrupt(number: int, _frame: object) -> None:
        interrupted.append(Ended(number))
        raise interrupted[0]

    handlers = {}
    if threading.current_thread() is threading.main_thread():
        handlers = {number: signal.getsignal(number) for number in ENDING}
    ours = {number: handler for number, handler in handlers.items() if handler in (signal.default_int_handler, end)}
    for number in ours:
        signal.signal(number, interrupt)
    beat()
    try:
        yield
    finally:
        if next_beat:
            next_beat.cancel()
        for number, handler in ours.items():
            signal.signal(number, handler)


def _drain(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel what is left until nothing is, for a second at most: the SDK starts new calls while it winds down."""
    with contextlib.suppress(BaseException):
        for _ in range(5):
            if not (tasks := asyncio.all_tasks(loop)):
                break
            for task in tasks:
                task.cancel()
            loop.run_until_complete(asyncio.wait(tasks, timeout=BEAT))
        loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


def _user_traceback(error: BaseException, project: Project) -> str:
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<")  # <frozen runpy> is no file, though it looks relative
        and _is_under(frame.filename, project.root)
        and "site-packages" not in frame.filename
    ]
    head = ["Traceback (most recent call last):\n", *traceback.format_list(frames)] if frames else []
    return "".join([*head, *traceback.format_exception_only(error)]).rstrip()


@contextlib.contextmanager
def _as_program(project: Project) -> Iterator[None]:
    """Folder, module path and arguments as the SDK's executor sets them; all of it undone at the end."""
    folder = project.main.parent
    path, modules, argv, cwd = list(sys.path), set(sys.modules), list(sys.argv), Path.cwd()
    environment = dict(os.environ)
    sys.path.insert(0, str(folder))
    sys.argv[:] = [str(project.main)]
    os.chdir(folder)
    # A file written just now may be younger than the finder's cached listing of its folder.
    importlib.invalidate_caches()
    try:
        yield
    finally:
        os.chdir(cwd)
        sys.argv[:] = argv
        sys.path[:] = path
        if dict(os.environ) != environment:
            os.environ.clear()
            os.environ.update(environment)
        projects = {name for name in set(sys.modules) - modules if _is_projects(sys.modules[name], folder, path)}
        for name in projects:
            del sys.modules[name]
        _forget_packages({*projects, "__main__"})
        for finder in list(sys.path_importer_cache):
            if _is_under(finder, folder):
                del sys.path_importer_cache[finder]


def _forget_packages(modules: set[str]) -> None:
    """Take back what these modules registered with the SDK: a second registration of a package is an error there."""
    for packages in rpc._RESOURCE_PACKAGES.values():
        packages[:] = [package for package in packages if type(package).__module__ not in modules]
    for kinds in rpc._RESOURCE_MODULES.values():
        kinds[:] = [kind for kind in kinds if type(kind).__module__ not in modules]


def _is_projects(module: object, folder: Path, path: list[str]) -> bool:
    """Whether a module came from the project folder itself, and not from an environment or source root inside it."""
    file = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), None)
    if not isinstance(file, str) or not _is_under(file, folder) or "site-packages" in file:
        return False
    return not any(
        _is_under(file, entry) and _is_under(entry, folder) and Path(entry) != folder for entry in path if entry
    )


def _is_under(file: str, folder: Path | str) -> bool:
    return Path(os.path.abspath(file)).is_relative_to(folder)  # noqa: PTH100 -- a link must not be followed


@contextlib.contextmanager
def _captured(say: Callable[[str], None]) -> Iterator[None]:
    """What the program prints becomes lines for `say`, as the engine shows it as messages."""
    with _text(say) as out, _text(say) as err, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        yield


def _text(say: Callable[[str], None]) -> io.TextIOWrapper:
    # A real TextIOWrapper, because programs use .buffer and .reconfigure() of sys.stdout.
    return io.TextIOWrapper(_Lines(say), encoding="utf-8", errors="replace", write_through=True)


class _Lines(io.BufferedIOBase):
    """A byte stream that hands on whole lines, and what is left when it closes."""

    name = "<program>"

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._rest = b""
        self._lock = threading.Lock()

    def writable(self) -> bool:
        return True

    def write(self, data: "Buffer") -> int:
        written = bytes(data)
        with self._lock:
            *lines, self._rest = (self._rest + written).split(b"\n")
        for line in lines:
            self._say(line.decode("utf-8", "replace"))
        return len(written)

    def close(self) -> None:
        if not self.closed and self._rest:
            self._say(self._rest.decode("utf-8", "replace"))
        super().close()
