"""`hostgate init`: a Pulumi project that runs, made of what the checkout's own stack, policy pack and CI example say."""

import json
import os
import re
import secrets
import shlex
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import click

from hostgate.catalog.file_output import unwritable
from hostgate.catalog.problems import InputError, Problem, did_you_mean
from hostgate.cli.shipped import page, shipped
from hostgate.requirement import requirement

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}\Z")
"""What the engine takes as the name of a project or a stack (pulumi/pulumi, sdk/go/common/tokens)."""

_README = """\
# {name}

Which hosts may be reached, and from where, stands in `Pulumi.{stack}.yaml`; lines marked `yours` have examples in them:
put your own there. `hostgate preview --host builtin` needs no account and deploys nothing.

| command | does |
| --- | --- |
| `pulumi install`, then `. .venv/bin/activate` | makes `.venv`, installs `requirements.txt`, and puts both on PATH: \
the policy pack runs there too (without the CLI: `python3 -m venv .venv`, then pip) |
| `hostgate preview --stack {stack} --host builtin --policy-pack policy` | what `pulumi up` would create, on simulated clouds |
| `hostgate plan --stack {stack}` | every host, by which rule it is allowed, and every finding |
| `hostgate sandbox run -- pulumi up` | goes through `up` on simulated clouds, and `destroy` likewise |
| `pulumi stack init {stack}`, `pulumi up --policy-pack policy` | makes it |

`policy/` holds every preview to the reviewed catalogs; `.github/workflows/hostgate.yml` comments on pull requests, if
this folder is the top of its repository.
"""
_IGNORED = ".venv/\n__pycache__/\nsdks/\n"


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path(), metavar="[FOLDER]")
@click.option("--cloud", "clouds", multiple=True, metavar="CLOUD", help="aws, gcp or azure. Repeat; all if absent.")
@click.option("--stack", default="dev", metavar="NAME", show_default=True, help="The stack that gets a file.")
@click.option(
    "--catalog", "catalogs", multiple=True, metavar="REF",
    help="vendor/product@revision, or a file. Repeat; without a revision it is pinned to the newest.",
)  # fmt: skip
def command(folder: Path, clouds: tuple[str, ...], stack: str, catalogs: tuple[str, ...]) -> None:
    """Write a project into FOLDER (this one): stack file, program, policy pack, CI. Nothing there is overwritten."""
    folder = folder.resolve()
    if not _NAME.match(stack):
        raise click.BadParameter(f"{stack!r}. Allowed: letters, digits, `_`, `.` and `-`.", param_hint="--stack")
    sections = _sections()
    for cloud in clouds:
        if cloud not in sections:
            near = did_you_mean(cloud, sections)
            raise click.BadParameter(f"{cloud!r}.{near} Allowed: {', '.join(sections)}.", param_hint="--cloud")
    chosen = [cloud for cloud in sections if cloud in clouds or not clouds]
    files = _files(folder, stack, chosen, _pinned(catalogs, folder))
    _write(folder, files)
    there = os.path.relpath(folder)
    click.echo(f"Wrote {there}: {', '.join(files)}.")
    click.echo(f"Lines marked `yours` in Pulumi.{stack}.yaml have examples in them: put your own there. Try it:")
    click.echo(
        f"  {'' if there == '.' else f'cd {shlex.quote(there)} && '}hostgate preview --stack {stack} --host builtin"
    )
    click.echo(f"How it goes on stands in its README.md, and all keys in {page('plan.md')}.")


def _sections() -> dict[str, str]:
    """By cloud, its lines of the checkout's stack file, which are examples of every cloud's own settings."""
    text = shipped("Pulumi.dev.yaml").read_text("utf-8").partition("config:\n")[2]
    found: dict[str, str] = {}
    for block in re.findall(r"^  \S.*\n(?:    .*\n)*", text, re.MULTILINE):
        provider, key = block.strip().split(":")[:2]
        cloud = key if provider == "hostgate" else provider.partition("-")[0]
        if cloud != "catalogs":
            found[cloud] = found.get(cloud, "") + block
    return found


def _pinned(catalogs: Sequence[str], folder: Path) -> list[str]:
    """The references as the stack file has them: pinned, and paths from `folder`. Raises InputError with all problems."""
    from hostgate.catalog.references import is_path, resolve, resolve_file, shipped_catalogs, split_path

    found: list[str] = []
    problems: list[Problem] = []
    for ref in catalogs or shipped_catalogs():
        try:
            revision = ref.partition("@")[2] if not is_path(ref) else split_path(ref)[1]
            known = resolve(ref) if revision else None
            catalog = known.catalog if known else resolve_file(ref)
            named = known.revision if known else catalog.latest
            name = catalog.id
            if is_path(ref):
                path = os.path.relpath(Path(split_path(ref)[0]).expanduser(), folder)
                name = path if path.startswith(".") else f"./{path}"
            found.append(f"{name}@{named}" if named else name)
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return found


def _files(folder: Path, stack: str, clouds: Sequence[str], catalogs: Sequence[str]) -> dict[str, str]:
    """Text by path within the project."""
    sections = _sections()
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", folder.name)[:100].strip("-") or "egress"
    program, pack, pack_program = (
        shipped(path).read_text("utf-8") for path in ("__main__.py", "policy/PulumiPolicy.yaml", "policy/__main__.py")
    )
    workflow = shipped("examples/ci/github-review.yml").read_text("utf-8")
    above = [ref if not ref.startswith(".") else os.path.normpath(f"../{ref}") for ref in catalogs]
    return {
        "Pulumi.yaml": f"name: {json.dumps(name)}\n"
        "description: Egress rules from reviewed catalogs of hosts\n"
        "runtime:\n  name: python\n  options:\n    toolchain: pip\n    virtualenv: .venv\n",
        f"Pulumi.{stack}.yaml": "# What may be reached, and by whom. Lines marked `yours` have examples in them.\n"
        f"config:\n  hostgate:catalogs:\n{_items(catalogs, 4)}" + "".join(sections[cloud] for cloud in clouds),
        "__main__.py": program,
        "requirements.txt": _requirements([*clouds, "sandbox"]),
        "policy/PulumiPolicy.yaml": pack,
        "policy/__main__.py": pack_program,
        "policy/settings.yaml": "# The catalogs that were reviewed: a name that none of them holds stops a preview.\n"
        f"catalogs:\n{_items(above, 2)}",
        ".github/workflows/hostgate.yml": workflow.replace("STACK: prod", f"STACK: {stack}").replace(
            "--host builtin", "--host builtin --policy-pack policy"
        ),
        ".gitignore": _IGNORED,
        "README.md": _README.format(name=name, stack=stack),
    }


def _items(values: Sequence[str], indent: int) -> str:
    return "".join(f"{' ' * indent}- {json.dumps(value, ensure_ascii=False)}\n" for value in values)


def _requirements(extras: Sequence[str]) -> str:
    line = requirement(extras)
    local = " @ file:" in line
    return f"{'# Of this machine: where CI has to find it, name a commit.' + chr(10) if local else ''}{line}\n"


def _write(folder: Path, files: Mapping[str, str]) -> None:
    """Put `files` into `folder`, all or none. Raises InputError with every place that is taken or cannot be written."""
    taken = [name for name in files if os.path.lexists(folder / name)] if folder.is_dir() else []
    problems = [
        Problem(
            rule="init", file=str(folder / name), message="It is there already. Move it away, or name another folder."
        )
        for name in taken
    ]
    if problems:
        raise InputError(problems)
    beside = folder if folder.is_dir() else folder.parent
    fresh = beside / f".hostgate-init-{secrets.token_hex(4)}"
    made: list[Path] = []
    try:
        for name, text in files.items():
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            (fresh / name).write_text(text, "utf-8")
        if beside != folder:
            fresh.rename(folder)
            return
        for name in files:
            path = folder / name
            for parent in reversed(path.parents):
                if not parent.exists():
                    parent.mkdir()
                    made.append(parent)
            (fresh / name).rename(path)
            made.append(path)
    except OSError as error:
        for path in reversed(made):
            with suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()
        raise InputError([unwritable(folder, error, "init")]) from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
