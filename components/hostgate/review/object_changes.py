"""What becomes of each object and resource of a plan: made, changed in place, made anew, or taken away."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from hostgate.planning.kept_lists import ignored
from hostgate.planning.mechanism import GROWS, grown, mechanism
from hostgate.review.statement import ObjectStatement, Statement


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """What becomes of one object; `because` names what could not change in place."""

    kind: str
    name: str
    what: Literal["created", "updated", "replaced", "deleted"]
    because: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "name": self.name, "change": self.what, "because": list(self.because)}


def object_changes(base: Statement | None, head: Statement | None) -> tuple[ObjectChange, ...] | None:
    """What becomes of each object; None where a side does not say what it makes."""
    if any(each is not None and each.made is None for each in (base, head)):
        return None
    if head is not None and head.refused:
        return ()
    before, after = _by_name(base), _by_name(head)
    if base is not None and head is not None:
        if not base.of_engine and base.name not in (head.name, *head.formerly):
            gone = [ObjectChange(*key, "deleted") for key in before]
            return (*(ObjectChange(*key, "created") for key in after), *gone)
        if base.renamed and head.of_engine:
            before = {(each.kind, each.name): each for each in base.renamed}
        elif mechanism(head.target).auto_named and base.stem != head.stem:
            before = _by_name(_called(base, head.stem))
        elif not base.of_engine:
            now = {key: (key[0], f"{head.stem}{key[1].removeprefix(base.stem)}") for key in before if key not in after}
            before = {now[key] if now.get(key) in after else key: each for key, each in before.items()}
    found = []
    for key in (*after, *(key for key in before if key not in after)):
        old, new = before.get(key), after.get(key)
        if old is None:
            found.append(ObjectChange(*key, "created"))
        elif new is None:
            found.append(ObjectChange(*key, "deleted"))
        elif because := tuple(
            name for name, value in new.fixed.items() if not _stays(name, _was(old, name, value), value)
        ):
            found.append(ObjectChange(*key, "replaced", because))
        elif old.body != new.body and not (head is not None and _pushed(old, new, head)):
            found.append(ObjectChange(*key, "updated"))
    return (*found, *_referring(found, after.values()))


def _pushed(old: ObjectStatement, new: ObjectStatement, head: Statement) -> bool:
    """Whether two bodies differ in nothing but what an update leaves to a refresher."""
    row = mechanism(head.target).rows(head.options).get(new.kind)
    if row is None or not (left := ignored(row, head.options)):
        return False
    told = (row.from_body(each.body) for each in (old, new))
    before, after = ({key: value for key, value in each.items() if key not in left} for each in told)
    return before == after


def _stays(name: str, old: Any, new: Any) -> bool:
    return grown(old, new) if name == GROWS else bool(old == new)


def _was(old: ObjectStatement, name: str, new: Any) -> Any:
    """What stood there before. Another mechanism may have held it as a part of the body; what held nothing of the kind
    replaces nothing."""
    return old.fixed.get(name, old.body.get(name, new))


def _referring(found: Sequence[ObjectChange], after: Iterable[ObjectStatement]) -> Iterator[ObjectChange]:
    """Objects that are equal but for the id of another one, which a replacement changes."""
    new_ids = [f'/{each.name}"' for each in found if each.what == "replaced"]
    told = {(each.kind, each.name) for each in found}
    for each in after if new_ids else ():
        if (each.kind, each.name) not in told:
            body = json.dumps(each.body)
            if any(id_ in body for id_ in new_ids):
                yield ObjectChange(each.kind, each.name, "updated")


def _called(statement: Statement, stem: str) -> Statement:
    """The statement with objects called by another stem, where their names in the cloud are their own."""
    old = statement.stem

    def renamed(name: str) -> str:
        return f"{stem}{name.removeprefix(old)}"

    listed = statement.made or ()
    names = {each.name: renamed(each.name) for each in listed if each.name.startswith(old)}

    def inside(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: inside(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(map(inside, value))
        if not isinstance(value, str):
            return value
        where, slash, name = value.rpartition("/")  # an ARN ends with the name
        return f"{where}{slash}{names.get(name, name)}"

    made = tuple(
        replace(each, name=names.get(each.name, each.name), body=inside(each.body), fixed=inside(each.fixed))
        for each in listed
    )
    return replace(statement, made=made)


def _by_name(statement: Statement | None) -> Mapping[tuple[str, str], ObjectStatement]:
    return {} if statement is None else {(each.kind, each.name): each for each in statement.made or ()}
