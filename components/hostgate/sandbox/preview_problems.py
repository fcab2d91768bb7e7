"""What stops a preview, said for people: what is wrong, where, what was found, what is allowed, who says so."""

from collections.abc import Iterable
from dataclasses import dataclass, fields

from hostgate.planning.shapes import InputProblem
from hostgate.sandbox.resources import Diagnostic

ON_EMPTY_CLOUDS = "a preview is of empty clouds. Deploy what makes it to a sandbox first: hostgate sandbox run"
"""What to do about something that is elsewhere, on either host of a preview."""


def does_not_exist(id_: str) -> str:
    """That what a program reads or adopts is not there, in the engine's words, and what to do."""
    return f"resource '{id_}' does not exist: {ON_EMPTY_CLOUDS}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewProblem(InputProblem):
    """One reason why `pulumi up` would fail: of an input, of a whole resource, or of the program."""

    urn: str = ""
    type: str = ""
    name: str = ""

    @classmethod
    def of(cls, problem: InputProblem, **resource: str) -> "PreviewProblem":
        """The problem of an input of one resource, told by `urn`, `type`, `name` as far as they are known."""
        return cls(**{each.name: getattr(problem, each.name) for each in fields(problem)} | resource)

    def __str__(self) -> str:
        where = " ".join(part for part in (self.name, f"({self.type})" if self.type else "", self.path) if part)
        lines = [f"{where}: {self.what}" if where else self.what]
        lines += [
            f"  {label}: {text}"
            for label, text in (("found", self.found), ("allowed", self.allowed), ("source", self.source))
            if text
        ]
        return "\n".join(lines)


class PreviewError(Exception):
    """The program or its resources would be refused; `problems` holds every reason, never none.

    `diagnostics` is what the program said until then: it often explains the failure.
    """

    def __init__(self, problems: Iterable[PreviewProblem], diagnostics: Iterable[Diagnostic] = ()) -> None:
        self.problems = tuple(problems)
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(str(problem) for problem in self.problems))
