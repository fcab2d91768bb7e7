"""The real engine on the simulated clouds: the pulumi CLI with a home, backend, passphrase and plugins of its own.

Everything it writes is in one folder, temporary or kept: the user's Pulumi home, login and stack file are not touched
(the CLI rewrites stack files, so it is given a copy). Nothing is downloaded, and no account is reached.
"""

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from hostgate.catalog.file_output import replace_file
from hostgate.sandbox.children import Finished, OutOfTime, run_child
from hostgate.sandbox.opaque import made_up_line
from hostgate.sandbox.preview_problems import PreviewError, PreviewProblem
from hostgate.sandbox.schema import YAML_TOKENS
from hostgate.sandbox.sdk import sdks
from hostgate.sandbox.signals import Ended
from hostgate.sandbox.state import State, state_of
from hostgate.sandbox.yaml_files import Unreadable, read_pulumi_yaml, tokens_in

TIME_LIMIT = 300
"""Seconds for one call of the CLI; a preview of the dev stack takes about five."""

PASSPHRASE = "sandbox"
_BUNDLED = frozenset({"bun", "dotnet", "go", "java", "nodejs", "pcl", "python", "yaml"})
"""Languages whose hosts the engine looks for beside the CLI (IsPluginBundled, CLI 3.259): that of HCL is none of them."""
_LAST = "999.999.999"
_OF_THE_BACKEND = ("encryptionsalt", "secretsprovider", "encryptedkey")
"""Keys of a stack file that tell how its own backend encrypts."""


def pulumi_cli() -> Path | None:
    """The pulumi CLI on PATH, if its language host for Python is there too."""
    found = shutil.which("pulumi")
    if found is None:
        return None
    return Path(found) if _host_beside(Path(found)) or shutil.which("pulumi-language-python") else None


@dataclass(frozen=True, slots=True)
class Engine:
    """A prepared engine: run `pulumi` with `environment` in `project`."""

    cli: Path
    project: Path
    stack: str
    environment: Mapping[str, str]
    folder: Path
    left_out: tuple[str, ...] = ()
    """Config keys of the stack file that hold secrets; only their own backend can read them."""

    @property
    def state(self) -> State:
        return state_of(self.folder)

    def run(self, *arguments: str, capture: bool = False, limit: float | None = TIME_LIMIT) -> Finished:
        """`pulumi ARGUMENTS` without a terminal.

        Raises PreviewError if it does not end within `limit` seconds, and Ended once it has ended because it was told to.
        """
        done = self._run([*arguments, "--non-interactive"], capture, limit)
        if done.told is not None:
            raise Ended(done.told, done.returncode or None)
        return done

    def pass_through(self, arguments: Sequence[str]) -> int:
        """`pulumi ARGUMENTS` as the user typed them, on the user's terminal and without a limit; its exit code."""
        return self._run(arguments, capture=False, limit=None).returncode

    def made_up(self) -> str:
        """What the last run was told that no simulated cloud knows, in one line; empty for nothing."""
        return made_up_line(self.state.take_made_up())

    def _run(self, arguments: Sequence[str], capture: bool, limit: float | None) -> Finished:
        command = [str(self.cli), *arguments]
        self.state.take_made_up()
        with _kept(self.project / f"Pulumi.{self.stack}.yaml"):
            try:
                return run_child(command, self.project, self.environment, capture=capture, limit=limit)
            except OutOfTime:
                raise PreviewError([PreviewProblem(f"`pulumi {arguments[0]}` did not end within {limit} s.")]) from None


@contextmanager
def _kept(path: Path) -> Iterator[None]:
    """Bring a file back that is deleted meanwhile: `stack rm` and `destroy --remove` take the stack file along."""
    content = path.read_bytes() if path.is_file() else None
    try:
        yield
    finally:
        if content is not None and not path.exists():
            replace_file(path, content, "sandbox")


@contextmanager
def engine(project: Path, stack: str) -> Iterator[Engine]:
    """An engine on empty clouds, gone afterwards. Raises PreviewError: no CLI, or the stack cannot be made."""
    with tempfile.TemporaryDirectory(prefix="hostgate-engine-") as folder:
        _keep_no_log(Path(folder) / "home")
        yield prepare(project, stack, Path(folder))


def prepare(project: Path, stack: str, folder: Path) -> Engine:
    """An engine that keeps its state in `folder`, with the stack made or found there. Raises PreviewError."""
    cli = pulumi_cli()
    if cli is None:
        raise PreviewError(
            [
                PreviewProblem(
                    "The pulumi CLI with its Python host is not on PATH.",
                    allowed="install it; `hostgate preview --host builtin` needs none",
                )
            ]
        )
    folder = folder.resolve()
    home, backend = folder / "home", folder / "backend"
    try:
        backend.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PreviewError([PreviewProblem(f"the sandbox cannot be kept in {folder}: {error.strerror}")]) from None
    for package, sdk in sdks().items():
        for version in dict.fromkeys((_LAST, sdk.version)):
            _plugin(home, package, version, state_of(folder).path)
    for schema in (home / "plugins").glob("schema-*.json"):  # the engine's copy, of another program or another SDK
        schema.unlink(missing_ok=True)
    # The stack is made beside copies: `stack select` writes its salt into the stack file of the folder it runs in.
    # A sandbox may hold the stacks of several projects, which then see one another's objects and outputs.
    owner, document = _project_file(project)
    copies = folder / "stacks" / owner / stack
    copies.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(project / "Pulumi.yaml", copies / "Pulumi.yaml")
    config = copies / f"Pulumi.{stack}.yaml"
    left_out = _copy_stack_file(project / config.name, config)
    environment = {
        **os.environ,
        "PULUMI_HOME": str(home),
        "PULUMI_BACKEND_URL": backend.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        "PULUMI_OPTION_CONFIG_FILE": str(config),
        "PULUMI_STACK": stack,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_DISABLE_REGISTRY_RESOLVE": "true",
        # Of the plugins that are not older than the SDK that a program asks for, the newest: the search of CLI 3.65.
        "PULUMI_ENABLE_LEGACY_PLUGIN_SEARCH": "true",
        # Of a policy pack that names no virtualenv: the Python on PATH need not be one that has the SDK.
        "PULUMI_PYTHON_CMD": os.environ.get("PULUMI_PYTHON_CMD", sys.executable),
    }
    if (tokens := _yaml_tokens(project, document)) is not None:
        environment[YAML_TOKENS] = tokens
    # A real plugin must not be taken for a simulated one, nor a real backend for ours.
    for name in ("PULUMI_CONFIG_PASSPHRASE_FILE", "PULUMI_DEBUG_PROVIDERS", "PULUMI_ACCESS_TOKEN"):
        environment.pop(name, None)
    if _without_path(cli, home, {"python", _runtime(document)}):
        environment["PULUMI_IGNORE_AMBIENT_PLUGINS"] = "true"
    made = Engine(cli, project, stack, environment, folder, left_out)
    if not (backend / ".pulumi" / "stacks" / owner / f"{stack}.json").exists():
        chosen = Engine(cli, copies, stack, environment, folder)
        done = chosen.run("stack", "select", "--create", stack, capture=True)
        if done.returncode != 0:
            raise PreviewError([PreviewProblem(f"pulumi could not make the stack: {done.stderr.strip()}")])
    return made


def preview(project: Path, stack: str, policy_packs: Sequence[Path]) -> int:
    """Run the real `pulumi preview` with policy packs on empty clouds, printing as it does; its exit code."""
    packs = [word for pack in policy_packs for word in ("--policy-pack", str(pack.resolve()))]
    with engine(project, stack) as ready:
        code = ready.run("preview", *packs).returncode
        if made_up := ready.made_up():
            sys.stderr.write(f"info: {made_up}\n")
    return code


def _keep_no_log(home: Path) -> None:
    """A file where the engine would keep its own logs, which then goes without (pkg/logging, StartLogging).

    It writes out every step in full, encrypted: 0.4 s for ten thousand hosts, for a folder that is gone afterwards.
    """
    home.mkdir(parents=True, exist_ok=True)
    (home / "logs").touch()


def _project_file(project: Path) -> tuple[str, dict[str, Any]]:
    """The project's name, and what its file says. Raises PreviewError: it has no name that can be read."""
    try:
        document = read_pulumi_yaml(project / "Pulumi.yaml")
    except Unreadable as error:
        raise PreviewError([PreviewProblem(f"{project / 'Pulumi.yaml'} cannot be read", found=str(error))]) from None
    document = document if isinstance(document, dict) else {}
    name = document.get("name")
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9_.-]{1,100}", name) or name.strip(".") == "":
        allowed = "name: letters, digits, dots, hyphens and underscores"
        raise PreviewError(
            [PreviewProblem(f"{project / 'Pulumi.yaml'} names no project", found=repr(name), allowed=allowed)]
        )
    return name, document


def _runtime(document: dict[str, Any]) -> str:
    """The language that the project file names; that of a project without a readable one, which the engine will say."""
    runtime = document.get("runtime")
    runtime = runtime.get("name") if isinstance(runtime, dict) else runtime
    return runtime if isinstance(runtime, str) and re.fullmatch(r"[a-z]+", runtime) else "python"


def _yaml_tokens(project: Path, document: dict[str, Any]) -> str | None:
    """What a program in YAML names of the providers, for which their whole schemas need not be made; None of others."""
    if _runtime(document) != "yaml":
        return None
    main = project / str(document.get("main") or "")
    return ",".join({**dict.fromkeys(tokens_in(project, sdks())), **dict.fromkeys(tokens_in(main, sdks()))})


def _host_beside(cli: Path, language: str = "python") -> bool:
    return language in _BUNDLED and (cli.resolve().parent / f"pulumi-language-{language}").exists()


def _without_path(cli: Path, home: Path, languages: set[str]) -> bool:
    """Whether the engine finds the hosts of `languages` without the plugins on PATH, among which real providers may be.

    They are found where the CLI finds them: beside it, on PATH, or in the user's plugin cache, to which `home` then has
    a link. Raises PreviewError: a host is nowhere, or is on PATH where providers are too.
    """
    elsewhere = sorted(language for language in languages if not _host_beside(cli, language))
    on_path = {language: found for language in elsewhere if (found := shutil.which(f"pulumi-language-{language}"))}
    cache = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi") / "plugins"
    for language in elsewhere:
        kept = sorted(cache.glob(f"language-{language}-v*/pulumi-language-{language}"))
        for host in kept:
            link = home / "plugins" / host.parent.name / host.name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            link.symlink_to(host)
        if not kept and language not in on_path:
            raise PreviewError(
                [
                    PreviewProblem(
                        f"The language host pulumi-language-{language} is not beside {cli}, not on PATH and not in {cache}.",
                        allowed=f"put it on PATH; it comes with the pulumi CLI, or by `pulumi plugin install language {language}`",
                    )
                ]
            )
    if not on_path:
        return True
    own = {each.name for each in cli.resolve().parent.glob("pulumi-resource-*")}
    folders = map(Path, filter(None, os.get_exec_path()))
    real = next(
        (each for folder in folders for each in sorted(folder.glob("pulumi-resource-*")) if each.name not in own), None
    )
    if real is not None:
        raise PreviewError(
            [
                PreviewProblem(
                    "A real provider plugin is on PATH, and so is the language host: the engine takes both or neither.",
                    found=f"{real}, {', '.join(on_path.values())}",
                    allowed="take the provider off PATH, or put the host beside the pulumi CLI",
                )
            ]
        )
    return False


def _copy_stack_file(source: Path, copy: Path) -> tuple[str, ...]:
    """Copy the stack file, less what only its own backend can read; the keys left out.

    The salt of an earlier copy stays: with another one the backend's state could not be read.
    """
    left_out: tuple[str, ...] = ()
    text = ""
    if source.exists():
        try:
            document = read_pulumi_yaml(source)
        except Unreadable as error:
            raise PreviewError([PreviewProblem(f"{source} cannot be read", found=str(error))]) from None
        text = source.read_text(encoding="utf-8-sig")
    if "secure" in text:
        config = document.get("config") if isinstance(document, dict) else None
        config = config if isinstance(config, dict) else {}
        left_out = tuple(key for key, value in config.items() if _is_secret(value))
        text = yaml.safe_dump({"config": {key: value for key, value in config.items() if key not in left_out}})
    lines = [line for line in text.splitlines() if not line.startswith(_OF_THE_BACKEND)]
    if copy.exists():
        lines += [line for line in copy.read_text(encoding="utf-8").splitlines() if line.startswith(_OF_THE_BACKEND)]
    fresh = copy.with_suffix(".fresh")
    fresh.write_text("\n".join([*lines, ""]), encoding="utf-8")
    fresh.replace(copy)
    return left_out


def _is_secret(value: Any) -> bool:
    if isinstance(value, dict):
        return "secure" in value or any(map(_is_secret, value.values()))
    return isinstance(value, list) and any(map(_is_secret, value))


def _plugin(home: Path, package: str, version: str, state: Path) -> None:
    """Put the simulated cloud where the engine looks for plugins. As the last of all versions, because programs in other
    languages ask for that of their own SDK (the provider refuses those of another major by name), and as that of the
    installed SDK, because `pulumi install` and `pulumi package` look for no other and would download it."""
    folder = home / "plugins" / f"resource-{package}-v{version}"
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / f"pulumi-resource-{package}"
    call = f'exec "{sys.executable}" -m hostgate.sandbox.provider {package} {version} "{state}"'
    fresh = folder / "fresh"
    fresh.write_text(f"#!/bin/sh\n{call}\n")
    fresh.chmod(0o755)
    fresh.replace(script)
