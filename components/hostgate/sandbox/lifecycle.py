"""How a resource type lives in its cloud: its id, what the cloud computes, what replaces it, and when it is refused."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hostgate.sandbox.state import Operation, StoredObject, Transaction

Inputs = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Account:
    """Whose cloud it is, as far as ids and defaults tell. The numbers are made up; no account has them."""

    region: str = "eu-central-1"
    number: str = "123456789012"
    project: str = "sandbox"
    subscription: str = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Ask:
    """One call as a rule sees it: the object as it would be (for a delete: as it is), and all else that is held."""

    operation: Operation
    held: StoredObject
    before: StoredObject | None
    now: Transaction
    account: Account

    @property
    def writes(self) -> bool:
        """Whether the call makes or changes the object."""
        return self.operation in ("create", "update")


CallRule = Callable[[Ask], Iterator[str]]
"""A rule over one call and everything held: yields the reasons for which the cloud refuses."""


def _nothing(inputs: Inputs, account: Account) -> tuple[str, ...]:  # noqa: ARG001
    return ()


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """How objects of one type come, change and go.

    What cannot change in place is said by its `ResourceType`. `same` tells spellings of one value apart from changes,
    given the old one and the new. `locks` are what a write holds until the cloud is done with it.
    """

    place: Callable[[Inputs, Account], str]
    """The id that inputs lead to."""
    name: str
    """The input that holds the name in the cloud."""
    computed: Callable[[Ask], dict[str, Any]] = field(default=lambda _: {})
    rules: tuple[CallRule, ...] = ()
    locks: Callable[[Inputs, Account], tuple[str, ...]] = _nothing
    takes_along: Callable[[Ask], list[StoredObject]] = field(default=lambda _: [])
    """What the cloud deletes with the object."""
    replaces_delete_first: bool = False
    """Whether a replacement deletes first whatever the name is; otherwise only where the name was set by hand."""
    same: Mapping[str, Callable[[Any, Any], bool]] = field(default_factory=dict)
    overlooks: tuple[str, ...] = ()
    """Inputs that cannot change in place, and that the provider plans so all the same: it then fails."""
    grows: tuple[str, ...] = ()
    """Address ranges that change in place where they hold what they were, and else replace."""
    taken: str = "Adopt it with import_, or delete it"
    """What to do where a create finds that something has its id."""
    always_there: bool = False
    """Whether the object is a setting that something else has anyway: a create takes it over without a word."""


class Refusal(Exception):  # noqa: N818 -- an answer of the cloud
    """The cloud refuses the call. `kind` is exists, missing, refused or failed."""

    def __init__(self, message: str, kind: str = "refused") -> None:
        super().__init__(message)
        self.kind = kind


def last_part(reference: Any) -> Any:
    """The name in a reference that may be a name, an id or a link; anything else as it is."""
    return reference.rpartition("/")[2] if isinstance(reference, str) else reference


def same_name(old: Any, new: Any) -> bool:
    """Whether two references are one to a provider that keeps the name alone (CompareResourceNames of Google's)."""
    return bool(last_part(old) == last_part(new))


def fixed(*names: str, says: str, because: str = "") -> CallRule:
    """Inputs that an update does not change, `says` the cloud: the provider never asks, somebody by hand might."""

    def rule(ask: Ask) -> Iterator[str]:
        for name in names:
            if ask.operation == "update" and ask.before and ask.before.inputs.get(name) != ask.held.inputs.get(name):
                yield f"{says}: {name} cannot change{because}"

    return rule


def digest_of(*values: Any, digits: int = 12) -> str:
    """A made-up token that changes when the values do, and is the same for the same values."""
    text = json.dumps(values, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:digits]


def at(values: Any, path: Sequence[str]) -> Any:
    """The value at a property path, None where there is none."""
    for key in path:
        if not isinstance(values, Mapping):
            return None
        values = values.get(key)
    return values
