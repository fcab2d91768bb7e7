"""The file of `hostgate reach --accept-file`."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError
from pydantic_core import PydanticCustomError

from hostgate.catalog.blanks import blanks
from hostgate.catalog.dates import iso_date
from hostgate.catalog.problems import InputError, Problem, key_path, spelled
from hostgate.catalog.yaml_reader import read_file
from hostgate.cli.acceptances import Acceptance
from hostgate.flows.extent import ID
from hostgate.planning.options import option_problems
from hostgate.stack import StackValues
from hostgate.stack_lists import Section, quoted_date, reason


def _id(text: str) -> str:
    if not ID.match(text):
        message = f"found {spelled(text)}. Allowed: the id of a line, as `hostgate reach` prints it (twice 8 hexadecimal digits)."
        raise PydanticCustomError("id", "{message}", {"message": message})
    return text


class AcceptedLine(Section):
    """An item of `accept`. `until` is the last day it holds; from the command line nothing is said of owner and end."""

    id: Annotated[str, AfterValidator(_id)]
    because: Annotated[str, AfterValidator(reason)]
    owner: Annotated[str, AfterValidator(reason)]
    until: Annotated[str, AfterValidator(quoted_date)]


class AcceptanceFile(Section):
    """The keys of the file."""

    accept: Annotated[list[AcceptedLine], Field(min_length=1)]


def read_acceptances(path: Path, as_of: date, said: Mapping[str, str]) -> list[Acceptance]:
    """Those in the file at `path`; none of them may be among what was `said` beside it. Raises InputError with every
    problem."""
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
