"""How long a pool keeps the addresses of each host that it is asked to hold."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from hostgate.catalog.problems import InputError, Problem, did_you_mean
from hostgate.dns.pool_update import DEFAULT_WINDOW


def windows_of(
    hosts: Iterable[str], survey: Path | None, accepted: Mapping[str, str], floor: float, option: str
) -> tuple[dict[str, int], list[str]]:
    """The window of each host in seconds, and what is to be said of them. `accepted`: hosts that are meant though the
    survey calls them unfit, with the reason; `option` is where they stand. Raises InputError for other unfit ones."""
    if survey is None:
        return dict.fromkeys(hosts, DEFAULT_WINDOW), []
    from hostgate.dns.pool_fitness import fitness_of  # only those that have a survey pay for it

    known = fitness_of(survey, floor)
    found: dict[str, int] = {}
    remarks = []
    problems = []
    unfit = set()
    for host in hosts:
        says = known.get(host)
        found[host] = DEFAULT_WINDOW if says is None else says.window
        if says is None:
            remarks.append(f"{host}: not in the survey; its window is {DEFAULT_WINDOW:,} s.")
        elif says.verdict == "unfit":
            unfit.add(host)
            if host not in accepted:
                message = (
                    f"A pool cannot keep up with {host}: {says.reason}. Use what reads the name (SNI, a proxy), or accept it: "
                    f"{option} '{host}=reason'."
                )
                problems.append(Problem(rule="pool-unfit", message=message))
        elif says.verdict != "ok":
            remarks.append(f"{host}: {says.verdict}: {says.reason}.")
    for host in accepted.keys() - unfit:
        message = f"{option}: the survey does not call {host} unfit.{did_you_mean(host, unfit)} Remove it."
        problems.append(Problem(rule="unused-acceptance", message=message))
    if problems:
        raise InputError(problems)
    return found, remarks
