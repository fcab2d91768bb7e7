"""Paths of probes: what a client's connection meets, the place that judges it and the layers beside it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from hostgate.flows.flow import Flow, Verdict
from hostgate.flows.name_classes import Need
from hostgate.flows.reach import Reach, sees_queries_alone
from hostgate.flows.steps import Place
from hostgate.flows.verdicts import decide
from hostgate.planning.mechanism import mechanism, targets


@dataclass(frozen=True, slots=True)
class Point:
    """A place, what catalogs need there, what reach says of it, and the target whose rules it has, by which a log finds it."""

    target: str
    place: Place
    needs: Sequence[Need]
    reach: Reach
    alone: bool = False
    """Whether it judges clients of its own, beside other targets of its cloud that do."""
    clients: tuple[str, ...] = ()
    """Identities of those that the catalogs are for; none: whoever the place is for."""

    @property
    def title(self) -> str:
        return title(self.target.partition(":")[0], self.place)


@dataclass(frozen=True)
class Path:
    """What a client's connection passes: the place, and beside it such as judge its DNS queries or the like."""

    points: tuple[Point, ...]

    @property
    def title(self) -> str:
        return self.points[0].title

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(point.target for point in self.points))

    @property
    def asked(self) -> bool:
        """Whether clients have to be told to go there: an explicit proxy."""
        return self.points[0].place.led == "asked"

    @property
    def queries(self) -> bool:
        """Whether DNS queries are judged on it, so that a name that does not resolve tells something."""
        return any(sees_queries_alone(point.place) for point in self.points)

    @property
    def bare_connect(self) -> str:
        """Why a TCP connect proves nothing; empty where it does."""
        means = (mechanism(each).means[0] for each in self.targets if each in targets())
        return next((why for each in means if (why := each.connect_test)), "")

    @property
    def denial(self) -> str:
        """How what judges on it answers an HTTP request that it denies; empty where that is not known."""
        means = (each for target in self.targets if target in targets() for each in mechanism(target).means)
        return next((each.denial for each in means if each.denial), "")

    def verdict(self, flow: Flow) -> Verdict:
        main, *layers = self.points
        if flow.source is None and main.clients:
            flow = replace(flow, source=main.clients[0])
        judged = [("", main.place), *((layer.target, layer.place) for layer in layers)]
        return met(flow, judged)


def as_tried(place: Place) -> Place:
    """The place for the client of a probe: it is told of a proxy that clients are told to use."""
    if place.led != "asked":
        return place
    return replace(place, stages=tuple(stage for stage in place.stages if not stage.around))


def title(cloud: str, place: Place) -> str:
    return f"{cloud} {place.kind} {place.name}"


def met(flow: Flow, places: Iterable[tuple[str, Place]]) -> Verdict:
    """What becomes of a flow that meets places one after the other, those of one name in the place of each other: what
    blocks it, else what is not known, else what allows it first. Of several of a name nobody knows which one it is."""
    by_name: dict[str, list[Verdict]] = {}
    for name, place in places:
        by_name.setdefault(name, []).append(decide(as_tried(place), flow, answered=True))
    verdicts = [
        those[0] if len({each.action for each in those}) == 1 else _either(name, len(those))
        for name, those in by_name.items()
    ]
    return next((each for word in ("block", "unknown") for each in verdicts if each.action == word), verdicts[0])


def _either(name: str, number: int) -> Verdict:
    why = f"there are {number} places of {name}, which judge it differently"
    return Verdict("unknown", None, why, (f"which place of {name} the client's connections pass",))


def paths(points: Sequence[Point]) -> tuple[Path, ...]:
    """The ways that clients' connections take: each place with the other layers of its cloud."""
    found: list[Path] = []
    for cloud in dict.fromkeys(point.target.partition(":")[0] for point in points):
        here = [point for point in points if point.target.partition(":")[0] == cloud]
        first = next((each.target for each in here if not sees_queries_alone(each.place)), here[0].target)
        apart = {each.target for each in here if each.alone}
        apart = apart if first in apart else {first}
        mains = [each for each in here if not sees_queries_alone(each.place) and each.target in apart]
        mains = mains or [each for each in here if each.target == first]
        layers = [each for each in here if not any(each is main for main in mains)]
        found += [Path((main, *layers)) for main in mains]
    return tuple(found)
