"""`hostgate sandbox`: the real pulumi CLI on simulated clouds that keep what is deployed to them."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hostgate.catalog.problems import InputError, Problem
from hostgate.cli.main import print_json
from hostgate.cli.sources import find_stack

if TYPE_CHECKING:
    from hostgate.sandbox.lifecycle import Refusal
    from hostgate.sandbox.service import Service
    from hostgate.sandbox.state import State, StoredObject

F = TypeVar("F", bound=Callable[..., Any])

state_option = click.option(
    "--state",
    "state_dir",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the sandbox is kept (a folder of the project's own in the user's state folder).",
)


def sandbox_folder(state_dir: Path | None) -> Path:
    """The sandbox's folder: the one named, or that of the project around here. Raises InputError: no project."""
    from hostgate.sandbox.state import default_folder

    if state_dir is not None:
        return state_dir
    return default_folder(find_stack(None, needs_file=False)[0])


def sandbox_state(state_dir: Path | None) -> "State":
    from hostgate.sandbox.state import state_of

    return state_of(sandbox_folder(state_dir))


@click.group()
def command() -> None:
    """Run pulumi on simulated clouds, look at what they hold, and let them fail."""


@command.command(context_settings={"ignore_unknown_options": True})
@click.option("--stack", metavar="NAME", help="The stack, made if need be (dev unless given).")
@state_option
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- pulumi ARGUMENTS")
def run(stack: str | None, state_dir: Path | None, words: tuple[str, ...]) -> None:
    """Run `pulumi ARGUMENTS` in this project, on simulated clouds: no account, no download, no change of a file here."""
    from hostgate.sandbox.engine import prepare
    from hostgate.sandbox.preview_problems import PreviewError
    from hostgate.sandbox.state import default_folder

    if words[0] != "pulumi" or len(words) < 2:
        raise click.UsageError("Give a pulumi command, e.g. hostgate sandbox run -- pulumi up")
    project, name = find_stack(stack, needs_file=False)
    try:
        ready = prepare(project, name, state_dir or default_folder(project))
    except PreviewError as failed:
        lines = [str(problem).replace("\n  ", "; ") for problem in failed.problems]
        raise InputError([Problem(rule="sandbox", message=line) for line in lines]) from None
    for key in ready.left_out:
        click.echo(f"{key} is left out: it holds a secret, which only the stack's own backend can read.", err=True)
    code = ready.pass_through(words[1:])
    if made_up := ready.made_up():
        click.echo(made_up, err=True)
    if code:
        raise click.exceptions.Exit(code)


@command.command()
@state_option
@click.option(
    "--journal", "with_journal", is_flag=True, help="Every call that the clouds got, instead of what is left."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def show(state_dir: Path | None, with_journal: bool, as_json: bool) -> None:
    """Print what the simulated clouds hold."""
    state = sandbox_state(state_dir)
    if with_journal:
        _show_journal(state, as_json)
        return
    held = state.objects()
    if as_json:
        print_json({"objects": [each.as_json() for each in held]})
        return
    if not held:
        click.echo("The simulated clouds are empty. Fill them: hostgate sandbox run -- pulumi up")
        return
    from hostgate.cli.tables import table
    from hostgate.sandbox.faults import pending

    click.echo(table(("type", "name", "holds"), [(_kind(each.type), each.name, _holds(each)) for each in held]))
    for fault in pending(state):
        when = f"after {fault.passing} more" if fault.passing else "next"
        how = f"crash {fault.crash} the write" if fault.crash else "an error"
        times = "for ever" if fault.times < 0 else f"{fault.times} times"
        click.echo(f"to fail: {fault.operation} of {fault.about}, {when}, {times}: {how}")


@command.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@state_option
def reset(state_dir: Path | None, yes: bool) -> None:
    """Forget the sandbox: stacks, clouds, journal, failures."""
    from hostgate.sandbox.state import FILE

    folder = sandbox_folder(state_dir)
    if not folder.exists():
        click.echo(f"There is no sandbox in {folder}.")
        return
    if not (folder / FILE).exists():
        raise InputError([Problem(rule="sandbox", message=f"{folder} is no sandbox: it has no {FILE}.")])
    if not yes:
        click.confirm(f"Delete the sandbox in {folder}?", abort=True)
    for name in ("home", "backend", "stacks"):
        if (folder / name).exists():
            shutil.rmtree(folder / name)
    for name in (f"{FILE}-journal", FILE):  # the file last: a folder without it is no sandbox, and would stay
        (folder / name).unlink(missing_ok=True)
    click.echo("The sandbox is empty.")


@command.command()
@click.argument("about", metavar="TYPE|NAME")
@click.option(
    "--on",
    "operation",
    required=True,
    type=click.Choice(["create", "read", "update", "delete"]),
    help="Which call fails.",
)
@click.option("--times", type=int, default=1, show_default=True, help="How many calls; -1 for every one.")
@click.option(
    "--after", "passing", type=click.IntRange(0), default=0, show_default=True, help="Let so many pass first."
)
@click.option(
    "--crash",
    is_flag=False,
    flag_value="after",
    default="",
    type=click.Choice(["", "before", "after"]),
    metavar="[before|after]",
    help="Kill the provider: before the cloud acts, or after, so that its answer is lost (the default).",
)
@state_option
def fail(about: str, operation: str, times: int, passing: int, crash: str, state_dir: Path | None) -> None:
    """Let a call fail: TYPE|NAME is a type (RuleGroup), a name (hostgate-allow) or a pattern ('*')."""
    from hostgate.sandbox.faults import Fault, order

    if times == 0:
        raise click.BadParameter("0 calls cannot fail; -1 means every one.", param_hint="--times")
    fault = Fault(about, operation, passing, times, crash)  # type: ignore[arg-type]  # click has checked them
    order(sandbox_state(state_dir), fault)
    click.echo(f"{operation} of {about} will fail.")


@command.command()
@click.argument("about", metavar="TYPE|NAME")
@click.argument("seconds", type=click.FloatRange(0))
@state_option
def slow(about: str, seconds: float, state_dir: Path | None) -> None:
    """Let every write of TYPE|NAME take SECONDS; 0 ends it. A policy on Azure refuses other writes meanwhile."""
    from hostgate.sandbox.faults import delay

    delay(sandbox_state(state_dir), about, seconds)
    click.echo(f"Writes of {about} take {seconds:g} s." if seconds else f"Writes of {about} take no time.")


@command.command()
@click.argument("name")
@click.argument("path")
@click.argument("value", required=False)
@state_option
def change(name: str, path: str, value: str | None, state_dir: Path | None) -> None:
    """Change the input at PATH of object NAME to VALUE (JSON, or text), as somebody would by hand. No VALUE: take it out."""
    from hostgate.catalog.strict_json import NotJSON, read_json_text
    from hostgate.sandbox.lifecycle import Refusal

    service, held = _by_hand(name, state_dir)
    try:
        wanted = None if value is None else read_json_text(value)
    except NotJSON:
        wanted = value
    try:
        service.update(held.type, held.id, _changed(held.inputs, path.split("."), wanted))
    except Refusal as refused:
        raise _refused(refused) from None
    click.echo(f"{_kind(held.type)} {held.name} is changed at {path}. `pulumi refresh` will see it.")


@command.command()
@click.argument("name")
@state_option
def remove(name: str, state_dir: Path | None) -> None:
    """Delete object NAME, as somebody would by hand."""
    from hostgate.sandbox.lifecycle import Refusal

    service, held = _by_hand(name, state_dir)
    try:
        service.delete(held.type, held.id)
    except Refusal as refused:
        raise _refused(refused) from None
    click.echo(f"{_kind(held.type)} {held.name} is gone. `pulumi refresh` will see it.")


def _by_hand(name: str, state_dir: Path | None) -> "tuple[Service, StoredObject]":
    from hostgate.sandbox.faults import meant
    from hostgate.sandbox.service import Service, account_of

    state = sandbox_state(state_dir)
    found = [held for held in state.objects() if held.id == name or meant(name, held)]
    if len(found) != 1:
        if found:
            ids = "; ".join(f"{each.id} ({_kind(each.type)}, {_holds(each)})" for each in found)
            told = f"{len(found)} objects are meant by {name!r}. Allowed: the id of one of them: {ids}."
        else:
            names = ", ".join(dict.fromkeys(f"{_kind(each.type)} {each.name}" for each in state.objects())) or "nothing"
            told = f"There is no object {name!r}. The clouds hold: {names}."
        raise InputError([Problem(rule="sandbox", message=told)])
    return Service(state, account_of(found[0])), found[0]


def _changed(value: Any, path: list[str], wanted: Any) -> Any:
    """A copy of `value` with what is at `path` (keys and list indices) replaced; None takes a key out."""
    if not path:
        return wanted
    step, rest = path[0], path[1:]
    if isinstance(value, list):
        if not step.isdecimal() or int(step) >= len(value):
            raise click.BadParameter(f"{step!r} is no index of a list of {len(value)}.", param_hint="PATH")
        return [_changed(item, rest, wanted) if index == int(step) else item for index, item in enumerate(value)]
    if not isinstance(value, dict) or (rest and step not in value):
        known = ", ".join(sorted(value)) if isinstance(value, dict) else "nothing"
        raise click.BadParameter(f"there is no {step!r} here. Found: {known}.", param_hint="PATH")
    made = {**value, step: _changed(value.get(step), rest, wanted)}
    return {key: item for key, item in made.items() if item is not None}


def _refused(refused: "Refusal") -> InputError:
    return InputError([Problem(rule="sandbox", message=str(refused))])


def _show_journal(state: "State", as_json: bool) -> None:
    calls = state.journal()
    if as_json:
        lines = [
            {
                "number": call.number,
                "operation": call.operation,
                "type": call.type,
                "name": call.name,
                "id": call.id,
                "refusal": call.refusal,
                "before": call.before and call.before.as_json(),
                "after": call.after and call.after.as_json(),
            }
            for call in calls
        ]
        print_json({"calls": lines})
        return
    if not calls:
        click.echo("The simulated clouds got no call. Make some: hostgate sandbox run -- pulumi up")
        return
    from hostgate.cli.tables import table

    rows = [(str(call.number), call.operation, _kind(call.type), call.name, call.refusal or "done") for call in calls]
    click.echo(table(("call", "operation", "type", "name", "answer"), rows))


def _kind(type_: str) -> str:
    return type_.rpartition(":")[2]


def _holds(held: "StoredObject") -> str:
    """What tells a reader most of an object."""
    inputs = held.inputs
    told = [
        f"{key} {inputs[key]}"
        for key in ("priority", "action", "capacity", "attachmentTarget", "vpcId", "ruleNumber", "ruleAction")
        if key in inputs
    ]
    told += [str(inputs[key]) for key in ("cidrBlock", "ipv6CidrBlock", "prefixListId") if inputs.get(key)]
    if "ruleNumber" in inputs:
        told.append("egress" if inputs.get("egress") else "ingress")
    if "fromPort" in inputs:
        told.append(f"ports {inputs['fromPort']} to {inputs.get('toPort')}")
    if "entries" in inputs:
        told.append(f"{len(inputs['entries'])} entries of {inputs.get('maxEntries')}")
    if "domains" in inputs:
        told.append(f"{len(inputs['domains'])} domains")
    source = (inputs.get("ruleGroup") or {}).get("rulesSource") or {}
    if "rulesString" in source:
        told.append(f"{len(source['rulesString'].splitlines())} rules")
    if "rulesSourceList" in source:
        told.append(f"{len(source['rulesSourceList']['targets'])} targets")
    policy = inputs.get("firewallPolicy")
    if isinstance(policy, dict):
        told.append(f"{len(policy.get('statefulRuleGroupReferences') or ())} rule groups")
        told += policy.get("statefulDefaultActions") or ()
    names = (inputs.get("match") or {}).get("destFqdns") or ()
    if names:
        told.append(f"{len(names)} names")
    collections = inputs.get("ruleCollections") or ()
    if collections:
        told.append(", ".join(each["name"] for each in collections))
    return ", ".join(told)
