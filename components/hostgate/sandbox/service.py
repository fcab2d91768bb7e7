"""A simulated cloud's API over the state file: create, read, update, delete; refusals, locks, delays and failures.

A write is accepted first (rules and locks are judged) and takes effect later, after the delay that the cloud was told
to have. Both steps are transactions; a process that dies in between leaves the cloud as it was before the call, and
its lock dies with it.
"""

import os
import signal
import time
from collections.abc import Callable, Collection
from functools import cache
from typing import Any, NoReturn

from hostgate.sandbox.clouds import cloud_of_engine
from hostgate.sandbox.faults import Fault, delay_of, trip
from hostgate.sandbox.lifecycle import Account, Ask, Inputs, Lifecycle, Refusal
from hostgate.sandbox.state import Operation, State, StoredObject, Transaction, acquire, release


@cache
def lifecycle_of(type_: str) -> Lifecycle:
    """How objects of the type live. Raises KeyError for one that no simulated cloud and no installed SDK has."""
    found = cloud_of_engine(type_.partition(":")[0]).life_of(type_)
    if found is None:
        raise KeyError(type_)
    return found


def die() -> NoReturn:
    """End this process as `kill -9` would."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


def account_of(held: StoredObject) -> Account:
    """The account that an object is in, read from its id, or from what the cloud says beside it."""
    if held.id.startswith("arn:"):
        return Account(region=held.id.split(":")[3])
    if "region" in held.computed:
        return Account(region=str(held.computed["region"]))
    first, _, rest = held.id.strip("/").partition("/")
    part = rest.partition("/")[0]
    if first == "projects":
        return Account(project=part)
    return Account(subscription=part) if first == "subscriptions" else Account()


class Service:
    """The API of every simulated cloud. Raises Refused for what a cloud refuses, and changes nothing then."""

    def __init__(
        self,
        state: State,
        account: Account | None = None,
        pause: Callable[[float], object] = time.sleep,
        crash: Callable[[], object] = die,
    ) -> None:
        self.state = state
        self.account = account or Account()
        self._pause = pause
        self._crash = crash

    def create(self, type_: str, inputs: Inputs) -> StoredObject:
        """Make an object. `inputs` are checked, plain and complete (a name is among them)."""
        life = lifecycle_of(type_)
        id_ = life.place(inputs, self.account)
        wanted = StoredObject(type_, id_, str(inputs.get(life.name, id_.rpartition("/")[2])), dict(inputs), {})
        made = self._write("create", wanted)
        assert made is not None
        return made

    def update(self, type_: str, id_: str, inputs: Inputs, ignored: Collection[str] = ()) -> StoredObject:
        """Change an object in place. What is `ignored` stays as somebody else left it: providers send what changed, and an
        engine has for such an input what it knew last."""
        life = lifecycle_of(type_)
        with self.state.transaction() as now:
            held = now.get(type_, id_)
        inputs = {**inputs, **{key: held.inputs[key] for key in ignored if held is not None and key in held.inputs}}
        wanted = StoredObject(type_, id_, str(inputs.get(life.name, id_.rpartition("/")[2])), inputs, {})
        made = self._write("update", wanted)
        assert made is not None
        return made

    def delete(self, type_: str, id_: str) -> None:
        """Delete an object; one that is gone already is no error, as with the real providers."""
        with self.state.transaction() as now:
            held = now.get(type_, id_)
        if held is not None:
            self._write("delete", held)

    def read(self, type_: str, id_: str) -> StoredObject | None:
        """The object as it is now, or None if it is gone."""
        with self.state.transaction() as now:
            held = now.get(type_, id_)
            fault = trip(now, "read", held or StoredObject(type_, id_, id_.rpartition("/")[2], {}, {}))
            if held is not None:
                held = self._computed(now, "read", held, held)
        if fault:
            self._fail(fault, "read", id_)
        return held

    def _write(self, operation: Operation, wanted: StoredObject) -> StoredObject | None:
        locks = lifecycle_of(wanted.type).locks(wanted.inputs, self.account)
        with self.state.transaction() as now:
            fault = trip(now, operation, wanted)
            refusal = None if fault else self._judge(now, operation, wanted)
            if refusal is None and fault is None:
                holder = acquire(now, locks, f"{operation} of {wanted.name}")
                if holder:
                    refusal = Refusal(
                        f"AnotherOperationInProgress: {wanted.name}: {holder} is in progress on {locks[0]}. "
                        "Wait for it: chain the resources with depends_on"
                    )
            if refusal:
                now.refused(operation, wanted, str(refusal))
            seconds = delay_of(now, wanted)
        if fault and fault.crash != "after":
            self._fail(fault, operation, wanted.name)
        if refusal:
            raise refusal
        try:
            if seconds:
                self._pause(seconds)
            made = self._apply(operation, wanted, locks)
        except BaseException:
            with self.state.transaction() as now:
                release(now, locks)
            raise
        if fault:
            self._crash()
        return made

    def _apply(self, operation: Operation, wanted: StoredObject, locks: tuple[str, ...]) -> StoredObject | None:
        made = None
        with self.state.transaction() as now:
            release(now, locks)
            refusal = self._judge(now, operation, wanted)  # others may have written since
            if refusal:
                now.refused(operation, wanted, str(refusal))
            elif operation == "delete":
                held = now.get(wanted.type, wanted.id) or wanted
                along = lifecycle_of(held.type).takes_along(Ask(operation, held, held, now, self.account))
                for each in (held, *along):  # in one call, of which no moment has the object without what is in it
                    now.remove(each)
            else:
                before = now.get(wanted.type, wanted.id)
                made = now.write(operation, self._computed(now, operation, wanted, before))
        if refusal:
            raise refusal
        return made

    def _judge(self, now: Transaction, operation: Operation, wanted: StoredObject) -> Refusal | None:
        before = now.get(wanted.type, wanted.id)
        kind = wanted.type.rpartition(":")[2]
        if operation == "create" and before is not None and not lifecycle_of(wanted.type).always_there:
            return Refusal(
                f"AlreadyExists: {kind} {wanted.name} exists already ({wanted.id}). {lifecycle_of(wanted.type).taken}",
                "exists",
            )
        if operation != "create" and before is None:
            return Refusal(f"NotFound: {kind} {wanted.name} does not exist ({wanted.id})", "missing")
        ask = Ask(operation, wanted, before, now, self.account)
        reasons = [reason for rule in lifecycle_of(wanted.type).rules for reason in rule(ask)]
        return Refusal(f"{kind} {wanted.name}: " + "; ".join(reasons)) if reasons else None

    def _computed(
        self, now: Transaction, operation: Operation, wanted: StoredObject, before: StoredObject | None
    ) -> StoredObject:
        computed: dict[str, Any] = lifecycle_of(wanted.type).computed(Ask(operation, wanted, before, now, self.account))
        return StoredObject(wanted.type, wanted.id, wanted.name, wanted.inputs, computed, before.born if before else 0)

    def _fail(self, fault: Fault, operation: Operation, what: str) -> NoReturn:
        if fault.crash:
            self._crash()
        message = f"InternalServerError: {operation} of {what} fails, as told by `hostgate sandbox fail {fault.about}`"
        raise Refusal(message, "failed")
