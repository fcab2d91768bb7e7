"""One update after another without the CLI: each resource is made, changed or replaced in the order in which the program
registers it, and what is gone or was replaced is deleted at the end, the last made first.

The engine has more freedom than that, since what does not wait for each other goes at once; what it never does is not
done here either: nothing comes before what it depends on, nothing goes before the end, a replacement is made beside
what it replaces.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import RLock
from typing import Any

import pytest
from pulumi.runtime.proto import resource_pb2

from engine.lab import Lab
from engine.moments import Update, flows_about, violations
from hostgate.sandbox import builtin_preview as built_in
from hostgate.sandbox.input_changes import DEFAULTS, diff, within
from hostgate.sandbox.lifecycle import Account, Refusal
from hostgate.sandbox.monitor import Monitor
from hostgate.sandbox.preview_problems import PreviewProblem
from hostgate.sandbox.registry import RegistryEntry, urn_of
from hostgate.sandbox.service import Service, lifecycle_of
from hostgate.sandbox.state import StoredObject
from hostgate.sandbox.wire_values import plain_fields
from hostgate.stack import config_of_file


@dataclass
class Stack:
    """What the engine remembers of a stack: the objects by URN, in the order in which they were made."""

    held: dict[str, StoredObject] = field(default_factory=dict)


class _Updating(Monitor):
    """An engine that brings a stack to what the program registers. What a cloud refuses is a problem of the run."""

    def __init__(self, *told: Any, service: Service, stack: Stack) -> None:
        super().__init__(*told)
        self._service, self._known, self._turn = service, stack, RLock()
        self.now: dict[str, StoredObject] = {}
        self.replaced: list[StoredObject] = []

    def _create(self, entry: RegistryEntry) -> resource_pb2.RegisterResourceResponse:
        answer = super()._create(entry)
        if answer.result == resource_pb2.FAIL or self.problems:  # after the first refusal nothing more is begun
            return resource_pb2.RegisterResourceResponse(urn=entry.urn, result=resource_pb2.FAIL)
        checked = self.entries[entry.urn]
        try:
            with self._turn:
                held = self.now[entry.urn] = self._brought(entry, checked)
        except Refusal as refused:
            self.problems.append(PreviewProblem(str(refused), urn=entry.urn, type=entry.type, name=entry.name))
            return resource_pb2.RegisterResourceResponse(urn=entry.urn, result=resource_pb2.FAIL)
        made = replace(checked, id=held.id, outputs={**checked.inputs, **held.computed, **held.inputs})
        self.entries[entry.urn] = made
        return self._answer(made)

    def _brought(self, entry: RegistryEntry, checked: RegistryEntry) -> StoredObject:
        inputs = plain_fields(checked.inputs, reveal=True)
        known = (self._known.held.get(urn) for urn in (entry.urn, *entry.options.aliases, *self._inherited(entry)))
        old = next((each for each in known if each is not None), None)
        if old is None:
            return self._service.create(entry.type, inputs)
        row, life = next(c.types[entry.type] for c in self.clouds if entry.type in c.types), lifecycle_of(entry.type)
        auto = row.auto_name.property if row.auto_name and entry.inputs.get(row.auto_name.property) is None else ""
        if auto:  # a name that the provider made stays, unless the object is replaced
            inputs[auto] = old.inputs[auto]
        defaults = {DEFAULTS: [auto] if auto else []}
        options = entry.options
        changes = diff(
            row, life, {**old.inputs, **defaults}, {**inputs, **defaults}, options.ignore_changes, old.outputs
        )
        for ignored in options.ignore_changes:  # what is ignored stays as it was made
            inputs |= {ignored: old.inputs[ignored]} if ignored in old.inputs else {}
        if not changes.paths:
            return old
        told = any(within(path, options.replace_on_changes) for path in changes.paths)
        if not changes.replacing and not told:
            return self._service.update(entry.type, old.id, inputs, options.ignore_changes)
        assert options.delete_before_replace is False, f"{entry.name} would be deleted before it is made again"
        if auto:
            inputs[auto] = f"{old.inputs[auto][:-7]}{len(self.replaced):07d}"
        self.replaced.append(old)
        return self._service.create(entry.type, inputs)

    def _inherited(self, entry: RegistryEntry) -> Iterator[str]:
        """URNs that the resource had under earlier names of its parent, which its own name begins with."""
        parent = self.entries.get(entry.parent)
        for alias in parent.options.aliases if parent else ():
            assert parent is not None
            name = alias.rpartition("::")[2] + entry.name.removeprefix(parent.name)
            yield urn_of(self.stack, self.project, alias, entry.type, name)

    def sweep(self) -> None:
        """Delete what is in the stack no more. Raises Refusal."""
        gone = [each for each in self._known.held.values() if each.id not in {one.id for one in self.now.values()}]
        for each in sorted(gone, key=lambda one: one.born, reverse=True):
            self._service.delete(each.type, each.id)


class StandIn(Lab):
    """A project as the lab has it, brought up without the CLI."""

    def __init__(self, folder: Path, program: str | None = None) -> None:
        super().__init__(folder / "project", folder / "sandbox", *([program] if program else []))
        (folder / "sandbox").mkdir(exist_ok=True)
        self.stack = Stack()

    def brought_up(self) -> Update:
        """Bring the stack up; what it did, with the plans before and after. Raises PreviewError, Refusal."""
        before, calls = self.state.objects(), len(self.state.journal())
        wanted = self.plans()
        service = Service(self.state, Account(project="acme"))
        made: list[_Updating] = []

        def monitor(*told: Any) -> _Updating:
            made.append(_Updating(*told, service=service, stack=self.stack))
            return made[0]

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(built_in, "Monitor", monitor)
            built_in.preview(self.project, "dev", config_of_file(self.project, "dev"))
        made[0].sweep()
        self.stack.held = made[0].now
        update = Update(before, self.state.journal()[calls:], self.in_force, wanted)
        self.in_force = wanted
        return update

    def well(self) -> Update:
        """The same, with every moment as it must be."""
        old = self.in_force
        update = self.brought_up()
        wrong = violations(update, flows_about([*old.values(), *update.new.values()]))
        assert not wrong, "\n".join(wrong[:10])
        return update
