"""Acceptances of lines of `hostgate reach`: by whom, why, and until when; in a file, or as a word on the command line."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_core import PydanticCustomError

from hostgate.catalog.blanks import blanks
from hostgate.catalog.dates import iso_date
from hostgate.catalog.model import Origin
from hostgate.catalog.problems import InputError, Problem, did_you_mean, key_path, spelled
from hostgate.catalog.yaml_reader import read_file
from hostgate.planning.options import option_problems
from hostgate.stack import StackValues
from hostgate.stack_lists import Section, quoted_date, reason

_ID: Final = re.compile(r"[0-9a-f]{8}\Z")


def _id(text: str) -> str:
    if not _ID.match(text):
        message = (
            f"found {spelled(text)}. Allowed: the id of a line, as `hostgate reach` prints it (8 hexadecimal digits)."
        )
        raise PydanticCustomError("id", "{message}", {"message": message})
    return text


def _as_text(value: object) -> object:
    """An id of digits alone is read as a number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class AcceptedLine(Section):
    """An item of `accept`. `until` is the last day it holds; from the command line nothing is said of owner and end."""

    id: Annotated[str, BeforeValidator(_as_text), AfterValidator(_id)]
    because: Annotated[str, AfterValidator(reason)]
    owner: Annotated[str, AfterValidator(reason)]
    until: Annotated[str, AfterValidator(quoted_date)]


class AcceptanceFile(Section):
    """The keys of the file."""

    accept: Annotated[list[AcceptedLine], Field(min_length=1)]


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
    every = [Acceptance(id=id_, because=because) for id_, because in said.items()]
    return Acceptances([*every, *(_of_file(path, as_of, said) if path is not None else ())])


def _of_file(path: Path, as_of: date, said: Mapping[str, str]) -> list[Acceptance]:
    shown = str(path)
    document = read_file(path, shown)
    values = StackValues()
    values.written = {key: (shown, document, key) for key in document}

    def problem(message: str, at: tuple[int | str, ...]) -> Problem:
        place = values.place(at)
        where = (place.line, place.column) if place is not None else (None, None)
        return Problem(rule="acceptance", file=shown, line=where[0], column=where[1], message=message)

    problems = [problem(blank.message(key_path("", blank.path)[1:]), blank.path) for blank in blanks(document)]
    try:
        read = AcceptanceFile.model_validate(document)
    except ValidationError as error:
        told = {each.message for each in problems}
        found = [
            (each.message.replace("`file.", "`", 1), each.path)
            for each in option_problems(error, AcceptanceFile, "file")
        ]
        problems += [problem(message, at) for message, at in found if message not in told]
        raise InputError(problems) from None
    made: dict[str, Acceptance] = {}
    for index, item in enumerate(read.accept):
        if item.id in made or item.id in said:
            message = f"`accept[{index}].id`: found {item.id}, which is accepted twice. Say it once."
            problems.append(problem(message, ("accept", index)))
        until = iso_date(item.until)
        made[item.id] = Acceptance(id=item.id, because=item.because.strip(), owner=item.owner.strip(), until=until,
                                   ended=as_of > until, origin=values.place(("accept", index)))  # fmt: skip
    if problems:
        raise InputError(problems)
    return list(made.values())
