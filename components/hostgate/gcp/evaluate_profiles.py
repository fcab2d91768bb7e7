"""What a security profile group does to what a rule sends to it: URL filters by priority, and what nobody can read.

Cloud NGFW, about URL filtering and configure URL filtering security profiles (read 2026-11-23): a filter is asked of SNI
and Host alike; what carries neither is decided by the filter of the highest priority, of whatever protocol it is; QUIC
passes only where an explicit filter allows, of which names is not said; in a zone without an endpoint everything passes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hostgate.flows.names import Names, NameTest
from hostgate.flows.nodes import UNKNOWN, Node, number
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.steps import Action, Box
from hostgate.gcp.resources_url_filter import (
    ENDPOINT,
    ENDPOINT_ASSOCIATION,
    JUMBO_MTU,
    PLAIN_MTU,
    PROFILE,
    PROFILE_GROUP,
)
from hostgate.gcp.spelling import SERVICE
from hostgate.gcp.wildcards import read_wildcard

_OTHERS = {
    "threatPreventionProfile": "threat prevention profile",
    "customInterceptProfile": "intercept profile",
    "wildfireAnalysisProfile": "WildFire profile",
}
"""What else a group may hold that stops traffic, in words; what is mirrored passes all the same."""

_NOTHING = (None, "")
"""A reference that is left out: states of the provider have it as empty text."""

ANY_BOX = Box()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What becomes of a part of what a rule sends to a group. Of `box` counts what it asks of names and protocols, and its
    doubts; `url` is the matcher string that decides."""

    action: Action
    why: str
    box: Box = ANY_BOX
    url: str = ""


def unread(rule: str, node: Node) -> tuple[Ruling, ...]:
    """The rulings of a group that nobody can read: it may let everything through, or nothing."""
    reference = node.at("securityProfileGroup").value
    said = reference if isinstance(reference, str) else f"of {rule}"
    lets = Box(doubts=(f"the security profile group {said} lets it through",))
    stops = Box(doubts=(f"the security profile group {said} does not let it through",))
    return (
        Ruling(action="allow", why=f"inspected by the security profile group {said}", box=lets),
        Ruling(action="block", why=f"the security profile group {said} does not let it through", box=stops),
    )


class Profiles:
    """The security profile groups of a snapshot with their URL filters, and which networks have endpoints."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot

    def rulings(self, rule: str, node: Node, holder: Resource | None) -> tuple[Ruling, ...]:
        """In order; the first whose box holds decides."""
        reference = node.at("securityProfileGroup")
        group = self._one(PROFILE_GROUP, reference.value, holder, "securityProfileGroup")
        if group is None or node.at("tlsInspect").value not in (None, False):
            return unread(rule, node)
        more = [words for key, words in _OTHERS.items() if group.node.at(key).value not in _NOTHING]
        stops = tuple(
            Ruling(
                action="block", why=f"the {words} of {group.name} stops it",
                box=Box(doubts=(f"the {words} of {group.name} stops it",)),
            )
            for words in more
        )  # fmt: skip
        held = group.node.at("urlFilteringProfile")
        if held.value in _NOTHING:
            return (*stops, Ruling(action="allow", why=f"{group.name} filters no names"))
        profile = self._one(PROFILE, held.value, group, "urlFilteringProfile")
        filters = None if profile is None else list(_filters(profile))
        if profile is None or filters is None or None in filters:
            return (*stops, *unread(rule, node))
        return (*stops, *_by_filters(profile.name, sorted((each for each in filters if each), key=_priority)))

    def endpoint_associations(self) -> Iterator[Resource]:
        """Those of endpoints with networks that surely are not turned off."""
        held = self.snapshot.of_types([ENDPOINT_ASSOCIATION])
        return (each for each in held if each.properties.get("disabled") in (None, False))

    def too_large(self, association: Resource, mtu: Node) -> str | None:
        """What would have to be so for the association's endpoint not to inspect what a network of this MTU sends; None if it
        does inspect it. What becomes of the smaller packets of a network with too large ones, no page says."""
        endpoint = f"the endpoint of {association.properties.get('location')}"
        limit = self._limit(association)
        most = limit or PLAIN_MTU
        size = PLAIN_MTU if mtu.value in (None, 0) else number(mtu)  # the default (compute v1, Network.mtu)
        if size is not None and size <= most:
            return None
        if size is None:
            return f"the MTU of the network is above the {most} bytes that {endpoint} inspects"
        if limit is None and size <= JUMBO_MTU:
            return (
                f"{endpoint}, which is not in the snapshot, has no jumbo frames, and the MTU of the network is {size}"
            )
        return f"what the network sends is not inspected: its MTU of {size} is above the {most} bytes of {endpoint}"

    def largest(self, associations: Sequence[Resource]) -> str:
        """What is assumed of the MTU of a network that is not in the snapshot."""
        most = min(self._limit(each) or PLAIN_MTU for each in associations)
        return f"The MTU of the network is at most {most}, which its firewall endpoints inspect; larger packets pass."

    def _limit(self, association: Resource) -> int | None:
        """The largest packet that the endpoint of the association inspects; None: nobody knows."""
        endpoint = self._one(ENDPOINT, association.properties.get("firewallEndpoint"), association, "firewallEndpoint")
        if endpoint is None:
            return None
        jumbo = endpoint.node.at("endpointSettings", "jumboFramesEnabled")
        return None if jumbo.unknown else JUMBO_MTU if jumbo.value is True else PLAIN_MTU

    def _one(self, type_: str, value: object, holder: Resource | None, key: str) -> Resource | None:
        """The profile or group that `value` names: by its full name, or while that is not known by what it came from."""
        if value is UNKNOWN and holder is not None:
            made = [each for each in self.snapshot.referred(holder, key, value) if each.type == type_]
            return made[0] if len(made) == 1 else None
        if not isinstance(value, str):
            return None
        wanted = value.removeprefix(SERVICE)
        return next((each for each in self.snapshot.of_types([type_]) if wanted in _full_names(each)), None)


_COLLECTIONS = {
    PROFILE: "securityProfiles",
    PROFILE_GROUP: "securityProfileGroups",
    ENDPOINT: "firewallEndpoints",
}


def _full_names(resource: Resource) -> tuple[object, ...]:
    """The names by which others refer to a profile or group, as far as they are known."""
    properties = resource.properties
    name, parent, location = (properties.get(key) for key in ("name", "parent", "location"))
    kind = _COLLECTIONS[resource.type]
    composed = f"{parent}/locations/{location or 'global'}/{kind}/{name}" if parent and name else None
    return (resource.id or None, name, composed)


@dataclass(frozen=True, slots=True)
class _Filter:
    priority: int
    action: Action
    urls: tuple[str | None, ...]
    """None: one that is not known yet."""


def _filters(profile: Resource) -> Iterator[_Filter | None]:
    """The filters; None for what nobody can tell which it is."""
    listed = profile.node.at("urlFilteringProfile", "urlFilters")
    if listed.unknown:
        yield None
    for item in listed.items():
        priority, action, urls = number(item.at("priority")), item.at("filteringAction").value, item.at("urls")
        if priority is None or action not in ("ALLOW", "DENY"):
            yield None
            continue
        texts = (
            (None,) if urls.unknown else (each.value if isinstance(each.value, str) else None for each in urls.items())
        )
        yield _Filter(priority, "allow" if action == "ALLOW" else "block", tuple(texts))


def _priority(each: _Filter) -> int:
    return each.priority


def _by_filters(profile: str, filters: Sequence[_Filter]) -> Iterator[Ruling]:
    quic = frozenset({"quic"})
    if any(each.action == "allow" for each in filters):
        passes = f"an explicit filter of {profile} is enough for QUIC"
        yield Ruling(action="allow", why=passes, box=Box(applications=quic, doubts=(passes,)))
    yield Ruling(action="block", why=f"no filter of {profile} lets QUIC pass", box=Box(applications=quic))
    nameless = True  # decided by the first filter, whatever names it is about
    for each in filters:
        for text in each.urls:
            test, known = matcher(text) if text is not None else ((), False)
            said = text if text is not None else f"of priority {each.priority}, whose names are not known yet,"
            word = "allows" if each.action == "allow" else "denies"
            doubts = () if known else (f"the URL filter {said} of {profile} is about it",)
            why = f"the URL filter {said} of {profile} {word} it{', and what carries no name' if nameless else ''}"
            box = Box(wire=test, nameless=nameless, doubts=doubts)
            yield Ruling(action=each.action, why=why, box=box, url=text or "")
            nameless = False
    yield Ruling(action="block", why=f"no URL filter of {profile} allows it (implicit filter)")


def matcher(text: str) -> tuple[Names, bool]:
    """The tests that a matcher string stands for, any name where its form is none that the vendor describes, and whether
    it is."""
    host = text.lower().removesuffix(".")
    if host == "*":
        return (), True
    kind, rest = read_wildcard(host)
    return ((), False) if "*" in rest or not rest else ((NameTest(kind, rest),), True)
