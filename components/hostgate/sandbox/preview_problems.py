"""What stops a preview, said for people: what is wrong, where, what was found, what is allowed, who says so."""

from collections.abc import Iterable
from dataclasses import dataclass

from hostgate.sandbox.resources import Diagnostic


@dataclass(frozen=True, slots=True)
class PreviewProblem:
    """One reason why `pulumi up` would fail. Every text may be empty when it does not apply.

    `path` is a property path in the cloud's own names (`ruleGroup.rulesSource.targets[2]`); `source` names the
    document that states the rule.
    """

    what: str
    urn: str = ""
    type: str = ""
    name: str = ""
    path: str = ""
    found: str = ""
    allowed: str = ""
    source: str = ""

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
