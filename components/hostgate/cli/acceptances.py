"""Acceptances of lines of `hostgate reach`: by whom, why, and until when; in a file, or as a word on the command line."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from hostgate.catalog.model import Origin
from hostgate.catalog.problems import InputError, Problem, did_you_mean
from hostgate.flows.extent import key_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """A person's word that a line is known and meant."""

    id: str
    because: str
    owner: str = ""
    until: date | None = None
    ended: bool = False
    """Whether its last day was before the day of the run: then it counts no more."""
    outgrown: bool = False
    """Whether its line is another one by now: the same rule, and what that opens or closes is not what was accepted."""
    origin: Origin | None = None

    @property
    def standing(self) -> str:
        return "ended" if self.ended else "of another extent" if self.outgrown else "holds"


class Acceptances(dict[str, str]):
    """Reasons by id of what is accepted and holds; `every` one with those that do not."""

    def __init__(self, every: Iterable[Acceptance]) -> None:
        self.every = tuple(every)
        super().__init__({each.id: each.because for each in self.every if each.standing == "holds"})

    def of(self, id_: str) -> Acceptance | None:
        """What was said of a line, or of the same line when it was another."""
        found = next((each for each in self.every if each.id == id_), None)
        return found or next((each for each in self.every if each.outgrown and key_of(each.id) == key_of(id_)), None)

    def mark(self, id_: str) -> str:
        """The id, and whether the line is accepted, for people."""
        found = self.of(id_)
        if found is None:
            return id_
        if found.ended:
            return f"{id_}\n(accepted until {found.until} only)"
        return f"{id_}\n(changed; accepted\nwas {found.id})" if found.outgrown else f"{id_}\n(accepted)"

    def as_json(self, id_: str) -> dict[str, object]:
        """What is said of a line beside what it is; nothing of one that nobody accepted."""
        found = self.of(id_)
        if found is None:
            return {}
        told = {"reason": found.because, "owner": found.owner or None, "until": found.until and str(found.until),
                "ended": found.ended}  # fmt: skip
        told |= {"outgrown": found.id} if found.outgrown else {}
        return {"acceptance": told, **({"accepted": found.because} if found.standing == "holds" else {})}

    def held_to(self, ids: set[str]) -> "Acceptances":
        """The same, held to the lines that there are: one whose line goes further or less far than it did holds no more.

        Raises InputError for those of no line: what they were about is gone, or was never there.
        """
        problems, every = [], []
        changed = {key_of(id_) for id_ in ids if id_ not in self}
        for each in self.every:
            outgrown = each.id not in ids and key_of(each.id) in changed
            every.append(replace(each, outgrown=outgrown))
            if each.id not in ids and not outgrown:
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
        return Acceptances(every)


def acceptances(said: Mapping[str, str], path: Path | None, as_of: date) -> Acceptances:
    """Those `said` on the command line and those of the file at `path`. Raises InputError with every problem."""
    from_file: list[Acceptance] = []
    if path is not None:
        from hostgate.cli.acceptance_file import read_acceptances

        from_file = read_acceptances(path, as_of, said)
    every = [Acceptance(id=id_, because=because) for id_, because in said.items()]
    return Acceptances([*every, *from_file])
