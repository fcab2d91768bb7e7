"""`hostgate explain --log` of what a probe printed: held against the plans, or against what stands."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hostgate.planning.probe_paths import met, title

if TYPE_CHECKING:
    from hostgate.flows.events import Event
    from hostgate.flows.flow import Verdict
    from hostgate.flows.steps import Place
    from hostgate.planning.plan import Plan


@dataclass(frozen=True, slots=True)
class JudgingPlace:
    """A place of a plan or of a snapshot, with the target by which probes name it."""

    target: str
    place: "Place"


_AGREES: Final = "Nothing: the probe and the verdict agree."
_DISAGREES: Final[Mapping[tuple[str, str], tuple[int, str]]] = {
    ("allowed", "block"): (3, "It passes and should not: what is deployed may be older (pulumi preview --refresh), the client's "
                              "route leads past it, or the client is not the one that was taken for it."),
    ("blocked", "allow"): (4, "It should pass and does not: what is deployed may be older (pulumi preview --refresh), another "
                              "layer or the host itself stops it, or the client is not the one that was taken for it."),
}  # fmt: skip
_UNPROVEN: Final = "Nothing came back, as the verdict has it; where nothing answers, it looks the same."
_UNTOLD: Final = "What the client saw does not tell whether it passed. Ask the firewall's own log."


def places_of(plans: Iterable["Plan"]) -> list[JudgingPlace]:
    """Those of `plans`, as probes name them."""
    from hostgate.planning.needs import points_of

    return [JudgingPlace(plan.target, place) for plan in plans for place, _ in points_of(plan)]


def answer_probe(event: "Event", times: int, judging: Sequence[JudgingPlace]) -> dict[str, Any]:
    """What was found, the verdict that it is held against, whether they agree, and what to do. Of a plan in audit mode it is
    the verdict of the plan as it is."""
    verdict, target, lacking = _verdict(event, judging)
    agrees, code, then = None, 5, _UNTOLD
    if verdict is None:
        then = f"Nothing that is asked judges it: there is no {' and no '.join(lacking)}. Ask with what the probe was written for."
    else:
        expected = event.wanted if verdict.action == "unknown" else verdict.action
        if verdict.action == "unknown":
            then = f"The verdict is not known; the probe tells. What it hangs on: {'; '.join(verdict.lacks)}."
        if event.silent and expected == "block":
            code, then = 0, _UNPROVEN
        elif event.action != "unknown":
            code, said = _DISAGREES.get((event.action, expected), (0, _AGREES))
            agrees = code == 0 if expected else None
            then = said if code or verdict.action != "unknown" else then
    flow = event.flow
    return {
        "kind": "probe", "recorded": event.action, "times": times, "name": flow.name, "port": flow.port or None,
        "protocol": flow.protocol, "source": flow.source, "place": event.place, "target": target,
        "by": f"{event.called}: {event.words}", "entry": None,
        "plan": None if verdict is None else {"verdict": verdict.action, "rule": verdict.rule, "why": verdict.why},
        "nearest": [], "next": then, "agrees": agrees, "code": code,
    }  # fmt: skip


def probe_code(answers: Iterable[Mapping[str, Any]]) -> int:
    """The exit code that what probes found deserves: the first of 3, 4 and 5 that is there."""
    codes = {answer["code"] for answer in answers if "code" in answer}
    return min(codes - {0}, default=0)


def _verdict(event: "Event", judging: Sequence[JudgingPlace]) -> "tuple[Verdict | None, str | None, Sequence[str]]":
    """What becomes of the flow at all that it meets, the targets, and those that nothing that is asked has."""
    cloud, first = event.targets[0].partition(":")[0], event.targets[0]
    found: list[tuple[str, Place]] = []
    lacking: list[str] = []
    for target in event.targets:
        places = [each.place for each in judging if each.target == target]
        if target == first:  # of several it is the one that the probe names; of another layer, any
            places = [place for place in places if title(cloud, place) == event.place]
        if not places:
            lacking.append(f"{event.place} of {target}" if target == first else target)
        found += [("" if target == first else target, place) for place in places]
    if lacking:
        return None, None, lacking
    return met(event.flow, found), ", ".join(event.targets), ()
