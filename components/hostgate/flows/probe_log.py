"""What the script of `hostgate reach --probe` prints of what it tried: a JSON object for each probe.

A name in it was made of a catalog or of a state: names and texts are data, to be escaped wherever they are shown.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

from hostgate.catalog.problems import spelled
from hostgate.flows.events import Event, NotALog, NoVerdict, OtherLog, keys_of, label_of, port_of, text_of
from hostgate.flows.flow import Flow

_KEY: Final = "hostgate_probe"
_FORMS: Final = "a line that the script of `hostgate reach --probe` prints (`hostgate_probe`)"
_ACTIONS: Final[Mapping[str, Literal["allowed", "blocked", "unknown"]]] = {
    "yes": "allowed",
    "no": "blocked",
    "unproven": "unknown",
    "unknown": "unknown",
}
_WANTED: Final[Mapping[str, Literal["allow", "block"]]] = {"allow": "allow", "block": "block"}


def read_event(record: Any) -> Event:
    """What a probe showed. Raises NotALog, OtherLog for a record of another log, or NoVerdict for a probe that was not
    tried."""
    if not isinstance(record, Mapping):
        raise NotALog(f"Found {spelled(record)}. Allowed: a JSON object.")
    if _KEY not in record:
        raise OtherLog(keys_of(record), _FORMS)
    id_ = text_of(record, _KEY)
    if label_of(record, "status") == "skipped":
        raise NoVerdict("probe that was not tried")
    passed = text_of(record, "passed")
    if passed not in _ACTIONS:
        raise NotALog(f"Found `passed`: {spelled(passed)}. Allowed: {', '.join(_ACTIONS)}.")
    told, targets = record.get("flow"), record.get("targets")
    if not isinstance(told, Mapping):
        raise NotALog(f"Found `flow`: {spelled(told)}. Allowed: what was tried, as an object.")
    if not isinstance(targets, list) or not targets or not all(isinstance(each, str) for each in targets):
        raise NotALog(f"Found `targets`: {spelled(targets)}. Allowed: a list of targets.")
    optional = {key: text_of(told, key) if told.get(key) is not None else None for key in ("sni", "address", "source")}
    try:
        flow = Flow(
            text_of(told, "name"), port_of(told, "port"), text_of(told, "protocol"), optional["sni"], optional["address"],
            label_of(record, "client") if label_of(record, "client") and optional["source"] else optional["source"],
        )  # fmt: skip
    except NotALog:
        raise
    except ValueError as error:
        raise NotALog(f"Found a connection that cannot be: {error}") from None
    saw = f"{text_of(record, 'found')}, and {label_of(record, 'expected') or 'nothing'} was expected"
    place, called = label_of(record, "place"), f"the probe {id_} found"
    return Event(
        "probe", flow, _ACTIONS[passed], None, saw, place, called=called, targets=tuple(targets), silent=passed == "unproven",
        wanted=_WANTED.get(label_of(record, "wanted"), "")
    )  # fmt: skip
