"""Grants: several lists of hosts and clients in one plan, so that builders may use hosts A and B and nodes only A.

What allows is made for each grant, with its own clients and names; what denies comes after all of it. A client of
several grants may use the hosts of each, and no grant closes what another one opens.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from hostgate.catalog.model import Entry
from hostgate.catalog.problems import InputError, wrong_type
from hostgate.catalog.selection import Selection, together
from hostgate.planning.findings import Finding
from hostgate.planning.limits import Limit, Usage
from hostgate.planning.options import Options

ONE_PRIORITY = Limit(
    "rules with one priority", 1, "rule; give the grants a `base` further apart, or each fewer hosts on a port",
    "compute, firewall policy rules; Secure Web Proxy, policies and rules", "2026-11-28",
)  # fmt: skip
"""The rules of a grant stand between those of the others, so that all that allow come before every deny: few for one port."""

O = TypeVar("O", bound=Options)  # noqa: E741 - the options type of a mechanism


@dataclass(frozen=True, slots=True)
class Grant:
    """Hosts for clients: one of several lists in a plan."""

    name: str
    hosts: Selection
    from_: Sequence[str] = ()
    """Its clients; empty: those of the whole plan, else everybody."""
    base: int | None = None
    """Of its rules, where each has a priority of its own (Google Cloud); None: by its place among the grants."""


def split(grants: Sequence[Grant]) -> tuple[Selection, list[dict[str, Any]]]:
    """The selection of `grants`, whose entries say their grant, and the option `grants`. Raises InputError."""
    wrong = [each for each in grants if not isinstance(each, Grant) or not isinstance(each.hosts, Selection)]
    if wrong or not grants:
        wanted = "a Selection, or a list of hostgate.Grant, each with a name and its hosts"
        raise InputError([wrong_type("selection", wrong[0] if wrong else [], wanted)])
    options = [
        {
            "name": each.name,
            **({"from": list(each.from_)} if each.from_ else {}),
            **({} if each.base is None else {"base": each.base}),
        }
        for each in grants
    ]
    return together({each.name: each.hosts for each in grants}), options


def shared(entries: Sequence[Entry], options: O) -> list[tuple[O, list[Entry]]]:
    """The options of each grant, and the entries that are its own; without grants, all of both."""
    if not options.grants:
        return [(options, [*entries])]
    return [(share, [entry for entry in entries if entry.grant == share.grant]) for share in options.shares]


def told(
    entries: Sequence[Entry], options: O, remarks: Callable[[Sequence[Entry], O], Iterable[Finding]]
) -> list[Finding]:
    """The findings of each grant: those that all of them have once, as findings of the plan, the others with its name."""
    return once([(share.grant, list(remarks(own, share))) for share, own in shared(entries, options)])


def once(each: Sequence[tuple[str, Sequence[Finding]]]) -> list[Finding]:
    """Findings by grant: those that every grant has once, as findings of the plan; the others with the name of theirs."""
    common = [one for one in each[0][1] if len(each) > 1 and all(one in found for _, found in each)]
    return [*common, *(replace(one, grant=grant) for grant, found in each for one in found if one not in common)]


def crowded(options: Options, priorities: Iterable[int]) -> list[Usage]:
    """How many rules of several grants have one priority; nothing where there are no grants."""
    often = Counter(priorities)
    return [Usage(ONE_PRIORITY, max(often.values(), default=0))] if options.grants else []
