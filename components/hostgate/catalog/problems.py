"""What is wrong with an input, told so that a person can mend it: where, what was found, what is allowed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One objection to an input. `line` and `column` count from 1; None where the input has no lines.

    `rule` is empty where a message of several lines is passed on as it came.
    """

    rule: str
    message: str
    file: str | None = None
    line: int | None = None
    column: int | None = None
    entry: str | None = None
    path: tuple[int | str, ...] = ()
    """Keys and indices that lead to it from the values that were given; whoever knows their file finds the place by it."""

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        where = printable("  ".join(part for part in (place, self.entry) if part))
        if not self.rule:
            return "\n".join(printable(line) for line in self.message.splitlines())
        said = f"{printable(self.message)}  [{self.rule}]"
        return f"{where}\n  {said}" if where else said

    def as_json(self) -> dict[str, str | int | None]:
        return {
            "rule": self.rule,
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "entry": self.entry,
            "message": self.message,
        }


class InputError(ValueError):
    """The input has errors. `problems` holds every one of them, never only the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def key_path(where: str, path: Sequence[int | str]) -> str:
    """The key at `path` below `where`, as people write it: `settings.exempt[0].rule`."""
    return where + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)


def printable(text: str) -> str:
    """`text` without the control characters by which an input could write over the terminal."""
    return text if text.isprintable() else "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def did_you_mean(word: str, known: Iterable[str], likeness: float = 0.67) -> str:
    """` Did you mean X?`, with the nearest of `known`, whatever the case of its letters; empty if none is near.

    `likeness`: 0 to 1, as difflib counts it; short words need less.
    """
    by_lower = {each.lower(): each for each in known}
    near = get_close_matches(word.lower(), by_lower, 1, likeness if len(word) > 4 else 0.6)
    return f" Did you mean `{by_lower[near[0]]}`?" if near else ""


def wrong_type(name: str, found: object, wanted: str) -> Problem:
    """A value that a program gave under `name` is not of the type that is `wanted`, in words."""
    plain = found is None or isinstance(found, str | bytes | bool | int | float | dict | list | tuple)
    shown = spelled(found) if plain else f"a {type(found).__name__}"
    return Problem(rule="wrong-type", message=f"`{name}`: found {shown}. Allowed: {wanted}.")


def few(names: Sequence[str], most: int = 3) -> str:
    """The first of `names`, and how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def spelled(value: object) -> str:
    """A found value as its author wrote it, cut to a readable length."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"{str(value).lower()} (a boolean)"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    text = ascii(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
