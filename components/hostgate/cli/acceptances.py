"""Acceptances of lines of `hostgate reach`: by whom, why, and until when; in a file, or as a word on the command line."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from hostgate.catalog.model import Origin
from hostgate.catalog.problems import InputError, Problem, did_you_mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """A person's word that a line is known and meant."""

    id: str
    because: str
    owner: str = ""
    until: date | None = None
    ended: bool = False
    """Whether its last day was before the day of the run: then it counts no more."""
    origin: Origin | None = None


class Acceptances(dict[str, str]):
    """Reasons by id of what is accepted and has not ended; `every` one with those that have."""

    def __init__(self, every: Iterable[Acceptance]) -> None:
        self.every = tuple(every)
        super().__init__({each.id: each.because for each in self.every if not each.ended})

    def of(self, id_: str) -> Acceptance | None:
        return next((each for each in self.every if each.id == id_), None)

    def mark(self, id_: str) -> str:
        """The id, and whether the line is accepted, for people."""
        found = self.of(id_)
        if found is None:
            return id_
        return f"{id_} (accepted until {found.until} only)" if found.ended else f"{id_} (accepted)"

    def as_json(self, id_: str) -> dict[str, object]:
        """What is said of a line beside what it is; nothing of one that nobody accepted."""
        found = self.of(id_)
        if found is None:
            return {}
        told = {"reason": found.because, "owner": found.owner or None, "until": found.until and str(found.until),
                "ended": found.ended}  # fmt: skip
        return {"acceptance": told, **({} if found.ended else {"accepted": found.because})}

    def check(self, ids: set[str]) -> None:
        """Raises InputError for those of no line: what they were about is gone, or was never there."""
        problems = []
        for each in self.every:
            if each.id not in ids:
                hint = did_you_mean(each.id, sorted(ids))
                message = (
                    f"Accepted is {each.id}, and there is no line {each.id}.{hint} Remove it, or copy the id of a line."
                )
                problem = Problem(rule="unused-acceptance", message=message)
                if (at := each.origin) is not None:
                    problem = replace(problem, file=at.file, line=at.line, column=at.column)
                problems.append(problem)
        if problems:
            raise InputError(problems)


def acceptances(said: Mapping[str, str], path: Path | None, as_of: date) -> Acceptances:
    """Those `said` on the command line and those of the file at `path`. Raises InputError with every problem."""
    from_file: list[Acceptance] = []
    if path is not None:
        from hostgate.cli.acceptance_file import read_acceptances

        from_file = read_acceptances(path, as_of, said)
    every = [Acceptance(id=id_, because=because) for id_, because in said.items()]
    return Acceptances([*every, *from_file])
