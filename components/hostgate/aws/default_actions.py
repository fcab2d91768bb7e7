"""The stateful default actions of a strict-order policy: what each does to a packet that no rule matched, as data.

Sources: AWS SDK service model (FirewallPolicy.StatefulDefaultActions) and developer guide, strict evaluation order; which
of them mix was measured on the service by cdk-preflight on 2026-09-25; read 2026-11-23. The service adds values (2026
brought the to_server pair), so an unknown one is passed on with a finding and never refused.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

DefaultActionFamily = Literal["strict", "established", "app-layer", "app-layer-to-server"]

DROP_TO_SERVER = "aws:drop_established_app_layer_to_server"
ALERT_TO_SERVER = "aws:alert_established_app_layer_to_server"


@dataclass(frozen=True, slots=True)
class DefaultAction:
    """One value: whether it drops or only logs, on which packets, and what it costs beside the to_server pair."""

    drops: bool
    family: DefaultActionFamily
    cost: str = ""


DEFAULT_ACTIONS: dict[str, DefaultAction] = {
    "aws:drop_strict": DefaultAction(True, "strict", "the first packet of every TCP handshake is dropped"),
    "aws:alert_strict": DefaultAction(False, "strict", "every packet is logged, those of handshakes too"),
    "aws:drop_established": DefaultAction(
        True,
        "established",
        "a TLS hello in two packets is cut at the first (post-quantum hellos have 1.5 kB), and so is what a server says first",
    ),
    "aws:alert_established": DefaultAction(False, "established"),
    "aws:drop_established_app_layer": DefaultAction(
        True, "app-layer", "window updates, keep-alives, resets and banners of servers may be dropped"
    ),
    "aws:alert_established_app_layer": DefaultAction(False, "app-layer"),
    DROP_TO_SERVER: DefaultAction(True, "app-layer-to-server"),
    ALERT_TO_SERVER: DefaultAction(False, "app-layer-to-server"),
}


def twin(action: str) -> str:
    """The alert action that logs what the drop `action` drops; the to_server one for a drop that nobody knows."""
    alert = action.replace("aws:drop_", "aws:alert_", 1)
    return alert if alert in DEFAULT_ACTIONS else ALERT_TO_SERVER


def objections(actions: Sequence[str]) -> Iterator[str]:
    """Why the service, or the rules of this project, cannot work with `actions`; nothing about unknown values."""
    if strangers := [action for action in actions if not action.startswith("aws:")]:
        yield f"found {', '.join(strangers)}. Allowed: aws:... of the API, e.g. {', '.join(DEFAULT_ACTIONS)}."
    if len(set(actions)) < len(actions):
        yield f"found {', '.join(actions)}. Allowed: each once."
    drops = [action for action in actions if action.startswith("aws:drop_")]
    if len(drops) > 1:
        yield f"found {', '.join(drops)}. Allowed: at most one drop (measured on the service)."
    if "aws:drop_strict" in drops:
        yield (
            "found aws:drop_strict. It drops the first packet of every handshake, so no rule would ever see a name and every "
            f"host would be cut. Allowed: another drop, best {DROP_TO_SERVER}."
        )
    families = {DEFAULT_ACTIONS[action].family for action in actions if action in DEFAULT_ACTIONS}
    if "established" in families and families & {"app-layer", "app-layer-to-server"}:
        yield (
            f"found {', '.join(actions)}. Allowed: the established pair or an app-layer pair, not both (measured on the "
            "service)."
        )


def remarks(actions: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Finding ids and messages about default actions that a user chose."""
    for action in actions:
        known = DEFAULT_ACTIONS.get(action)
        if known is None:
            how = "taken for a drop of established TCP" if action.startswith("aws:drop_") else "not taken for a drop"
            yield "unknown-default-action", f"{action} is none that this release knows; passed on as it is, and {how}."
        elif known.cost:
            yield "default-action", f"{action}: {known.cost}."
    for drop in (action for action in actions if action.startswith("aws:drop_")):
        if not any(action.startswith("aws:alert_") for action in actions):
            yield "default-action", f"{drop} without {twin(drop)} drops in silence: nothing of it is logged."
    if {"aws:drop_established_app_layer", "aws:alert_established_app_layer"} & set(actions) and {
        DROP_TO_SERVER,
        ALERT_TO_SERVER,
    } & set(actions):
        yield "default-action", "Whether the service mixes the app_layer pair with the to_server pair is not known."
