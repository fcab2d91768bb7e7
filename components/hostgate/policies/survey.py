"""What a DNS survey says of hosts, from the JSON that `hostgate survey --json` prints: verdicts, and addresses seen."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from hostgate.catalog.problems import InputError, Problem, spelled

SUITS: Final = "ok"
"""The one verdict that is no objection: risky and unfit are, and unknown proves nothing."""


@dataclass(frozen=True, slots=True)
class Surveyed:
    """`verdicts` by host and target, each (verdict, reason); `addresses` maps an address to the hosts it was seen for."""

    verdicts: Mapping[str, Mapping[str, tuple[str, str]]] = field(default_factory=dict)
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def read_survey(path: Path, shown: str) -> Surveyed:
    """The survey at `path`. Raises InputError if it is not one: a survey that cannot be read is not an empty one."""
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"not JSON ({error})"
        raise _error(shown, f"It cannot be read: {reason}. Write it with `hostgate survey --json`.") from None
    hosts = document.get("hosts") if isinstance(document, dict) else None
    if not isinstance(hosts, list) or not hosts:
        raise _error(shown, f"`hosts`: found {spelled(hosts)}. Allowed: the list that `hostgate survey --json` prints.")
    verdicts: dict[str, dict[str, tuple[str, str]]] = {}
    addresses: dict[str, list[str]] = {}
    problems = []
    for index, item in enumerate(hosts):
        host = item.get("host") if isinstance(item, dict) else None
        if not isinstance(host, str):
            problems.append(_problem(shown, f"`hosts[{index}].host`: found {spelled(host)}. Allowed: a name."))
            continue
        name = host.lower().removesuffix(".")
        for told in item.get("verdicts") or ():
            if not (isinstance(told, dict) and isinstance(told.get("target"), str) and told.get("verdict")):
                problems.append(_problem(shown, f"`hosts[{index}].verdicts`: allowed are a target and a verdict each."))
                continue
            verdicts.setdefault(name, {})[told["target"]] = (str(told["verdict"]), str(told.get("reason", "")))
        for address in _addresses(item):
            addresses.setdefault(address, []).append(name)
    if problems:
        raise InputError(problems)
    return Surveyed(verdicts, {address: tuple(names) for address, names in addresses.items()})


def _addresses(item: Mapping[str, Any]) -> Iterator[str]:
    """Addresses of a host: its own list, or those of its families, where the survey was asked for them."""
    families = item.get("families")
    lists = [item.get("addresses")]
    lists += (
        [each.get("addresses") for each in families.values() if isinstance(each, dict)]
        if isinstance(families, dict)
        else []
    )
    for texts in lists:
        for text in texts if isinstance(texts, list) else ():
            if address := plain_address(text):
                yield address


def plain_address(text: object) -> str | None:
    """The address that `text` writes, in its one shortest form; None for anything else."""
    try:
        return str(ip_address(text)) if isinstance(text, str) else None
    except ValueError:
        return None


def _problem(shown: str, message: str) -> Problem:
    return Problem(rule="config", file=shown, message=message)


def _error(shown: str, message: str) -> InputError:
    return InputError([_problem(shown, message)])
