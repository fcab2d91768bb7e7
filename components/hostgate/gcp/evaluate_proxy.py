"""What a Secure Web Proxy does with a flow: routes past it, authorization policies, then its gateway security policy.

The rule with the lowest priority number that matches decides, and what none matches is denied (Secure Web Proxy
documentation, rule evaluation). In next-hop mode host() is the SNI, or the Host of plain HTTP; a rule that does not ask
for it is one for any TCP (same, configure rules; read 2026-11-27). A gateway with an authorization policy is said to ignore
its gateway security policy (same, configure rules, read 2026-11-28), and by an older text may deny what that allows: what
it does not deny is unknown.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from hostgate.flows.intervals import Intervals
from hostgate.flows.names import NameTest
from hostgate.flows.nodes import UNKNOWN, Node, number
from hostgate.flows.routes import Round, other_ways, round_the_firewall
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.steps import Action, Box, ClientTest, Led, Place, Stage, Step, either, elsewhere, whether
from hostgate.flows.verdicts import decide
from hostgate.gcp import evaluate, proxy_routes
from hostgate.gcp.proxy_routes import Routing
from hostgate.gcp.proxy_ways import ProxyWays
from hostgate.gcp.references import References, alike, home_of
from hostgate.gcp.resources import NETWORK
from hostgate.gcp.resources_proxy import (
    AUTHZ_POLICY,
    GATEWAY,
    NEXT_HOP,
    POLICY,
    RULE,
    SECURE_WEB_GATEWAY,
    SUBNETWORK,
    URL_LIST,
)
from hostgate.gcp.rule_steps import METADATA_ANSWERS, RankedStep, in_order, platform
from hostgate.gcp.session_matcher import Condition, Conditions, UnreadableError, read_matcher

TARGET: Final = "gcp:web-proxy"

_WITHIN: Final = "location"

_TCP: Final = frozenset({6})
_WEB: Final = frozenset({"tls", "http"})

DENIED = Step(action="block", rule="", why="no rule matches, and the proxy denies what no rule allows")
_REACHED = Step(action="next", rule="", why="the gateway listens on its port")
_ONWARD = Step(action="next", rule="", why="no authorization policy decides")


def places(snapshot: Snapshot) -> list[Place]:
    """Every gateway of a Secure Web Proxy, and every gateway security policy that no gateway uses."""
    used: set[str] = set()
    found = []
    for gateway in snapshot.of_types([GATEWAY]):
        if gateway.properties.get("type") == SECURE_WEB_GATEWAY:
            policy = policy_of(gateway, snapshot)
            used |= {policy.urn} if policy else set()
            # Without a mode it is an explicit one (Network Services API v1, Gateway.routingMode, revision 20261027).
            explicit = gateway.properties.get("routingMode") != NEXT_HOP
            found.append(_Reading(snapshot, explicit=explicit).gateway(gateway, policy))
    alone = _Reading(snapshot, explicit=False)
    for policy in snapshot.of_types([POLICY]):
        if policy.urn not in used:
            remark = "no gateway uses the policy"
            stages = (platform(), proxy_routes.stage_of(Routing()), alone.stage(policy, alone.rules_of(policy)))
            place = _place(policy.id or policy.name, stages, "assumed", remark=remark, policy=policy.name)
            found.append(_without_gateway(place, snapshot))
    return found


def policy_place(
    snapshot: Snapshot, routing: Routing, ports: Intervals | None, clients: ClientTest | None, ending: Step = DENIED
) -> Place:
    """The rules of a plan behind a gateway that is routed so and listens on `ports` (None: on all).

    `ending` is what becomes of a flow that no rule matches.
    """
    reading = _Reading(snapshot, explicit=routing.explicit)
    policy = replace(reading.stage(None, [(rule, True) for rule in snapshot.of_types([RULE])]), otherwise=ending)
    listens = () if routing.explicit else (_gateway(ports),)
    stages = (platform(), proxy_routes.stage_of(routing), *listens, policy)
    return replace(_place("plan", stages, "asked" if routing.explicit else "assumed"), clients=clients)


def policy_of(resource: Resource, snapshot: Snapshot) -> Resource | None:
    """The gateway security policy that a gateway or a rule names: by reference, or by its last part."""
    value = resource.properties.get("gatewaySecurityPolicy")
    made = [each for each in snapshot.referred(resource, "gatewaySecurityPolicy", value) if each.type == POLICY]
    if len(made) == 1:
        return made[0]
    if not isinstance(value, str):
        return None
    called = (
        each
        for each in snapshot.of_types([POLICY])
        if value.rpartition("/")[2] in (each.properties.get("name"), each.id.rpartition("/")[2])
        and alike(home_of(each, each.id, within=_WITHIN), home_of(resource, value, within=_WITHIN))
    )
    return next(called, None)


def policy_named(rule: Resource) -> str | None:
    """The path of the policy that a rule names, as far as it is told; None where it is not."""
    value = rule.properties.get("gatewaySecurityPolicy")
    if not isinstance(value, str):
        return None
    project, location = home_of(rule, value, within=_WITHIN)
    parts = (("projects", project), ("locations", location), ("gatewaySecurityPolicies", value.rpartition("/")[2]))
    return "/".join(f"{kind}/{name}" for kind, name in parts if name is not None)


def lists_in_use(snapshot: Snapshot) -> frozenset[str]:
    """The URL lists that some rule names, or may, by URN; what a matcher says behind what is not read is not seen."""
    reading = _Reading(snapshot, explicit=False)
    lists = {each.urn for each in snapshot.of_types([URL_LIST])}
    found: set[str] = set()

    def entries(name: str) -> list[str] | None:
        named = reading.list_of(name)
        found.update([named.urn] if named else [])
        return None

    for rule in snapshot.of_types([RULE]):
        matcher = rule.properties.get("sessionMatcher")
        if isinstance(matcher, str):
            with suppress(UnreadableError):
                read_matcher(matcher, entries)
        found |= rule.dependencies & lists
    return frozenset(found)


def proxy_alone(place: Place) -> Place:
    """What the proxy does with what comes to it, whatever routes do."""
    return replace(place, stages=tuple(stage for stage in place.stages if not stage.around))


def _place(
    name: str, stages: tuple[Stage, ...], led: Led, *, policy: str = "", remark: str = "", kind: str = "policy"
) -> Place:
    return Place(
        TARGET, name, stages, proxy_routes.ASSUMPTIONS[led], remark, policy, families=("IPv4",),
        answers=METADATA_ANSWERS, led=led, kind=kind,
    )  # fmt: skip


def _routed(place: Place, reading: proxy_routes.NetworkRoutes) -> Place:
    """The place with the ways past the proxy, and what is not known of them. Where rules of the network are in the snapshot
    and stop what goes past, it is judged with those, at the network's own place: it leads nowhere from here."""
    routes = ProxyWays(reading).routes
    ways = (*round_the_firewall(routes), *other_ways(routes))
    if any(each.way.end == "internet" for each in ways):
        network = next((each for each in evaluate.places(reading.snapshot) if each.name == reading.network), None)
        ways = tuple(_judged(each, network) for each in ways)
    past = [each for each in ways if each.meant and each.way.end == "internet"]
    unsure = dict.fromkeys(
        f"{each.subnet} over {each.family} ({each.way.hop})"
        for each in ways
        if each.meant and each.way.end == "unknown"
    )
    said = [f"Where the packets of these go is not known: {'; '.join(unsure)}."] if unsure else []
    if routes.others:
        why = "Clients without a tag that leads to the proxy are not meant, and go past it"
        if place.led != "seen":
            why = "No route that was read leads to the proxy; unless one elsewhere does, these go past it"
        said.append(f"{why}: {', '.join(routes.others)}.")
    others = tuple(each for each in ways if each not in past)
    return replace(
        place, round_it=(*place.round_it, *past), other_ways=(*place.other_ways, *others),
        assumptions=(*place.assumptions, *said),
    )  # fmt: skip


def _judged(way: Round, network: Place | None) -> Round:
    if way.way.end != "internet" or network is None or decide(network, way.flow).action != "block":
        return way
    return replace(way, way=replace(way.way, end="nowhere", hop="rules of the network stop it"))


def _without_gateway(place: Place, snapshot: Snapshot) -> Place:
    """A policy whose gateway was not read: in each network that was, routes lead to it, or past it."""
    held = snapshot.of_types([NETWORK, SUBNETWORK])
    names = References(snapshot)
    keys = [names.key_of(each) if each.type == NETWORK else names.network(each, "network") for each in held]
    for key in dict.fromkeys(keys):
        gateway = Resource(urn="", type=GATEWAY, name="the gateway", properties={"network": key, "addresses": UNKNOWN})
        place = _routed(place, proxy_routes.NetworkRoutes(gateway, snapshot))
    return place


def _gateway(ports: Intervals | None, doubts: tuple[str, ...] = ()) -> Stage:
    """A gateway in next-hop mode, which takes what is led to one of its ports."""
    if ports is None:
        return Stage("gateway", (), _REACHED)
    closed = Box(port=ports.outside(65_535), doubts=doubts)
    step = Step(action="block", rule="", why="the gateway does not listen on the port", box=closed)
    return Stage("gateway", (step,), _REACHED)


class _Reading:
    """A snapshot as far as Secure Web Proxy goes."""

    def __init__(self, snapshot: Snapshot, *, explicit: bool) -> None:
        self.snapshot, self.explicit = snapshot, explicit

    def gateway(self, gateway: Resource, policy: Resource | None) -> Place:
        routes, led = proxy_routes.around(gateway, self.snapshot, explicit=self.explicit)
        name = str(gateway.properties.get("gatewaySecurityPolicy") or gateway.name).rpartition("/")[2]
        if policy is None:
            unseen = either(name, f"{name} is not in the snapshot", box=Box(protocols=_TCP))
            stage = Stage(name, unseen, DENIED)
        else:
            name = policy.name
            stage = self.stage(policy, self.rules_of(policy))
        listens = () if self.explicit else (self._listens(gateway),)
        stages = (platform(), routes, *listens, self._authorized(gateway), stage)
        found = _place(gateway.id or gateway.name, stages, led, policy=name, kind="proxy")
        return found if self.explicit else _routed(found, proxy_routes.NetworkRoutes(gateway, self.snapshot))

    def _listens(self, gateway: Resource) -> Stage:
        listed = gateway.node.at("ports")
        if listed.absent or listed.empty:
            return _gateway(None)
        ports = [None] if listed.unknown else [number(item) for item in listed.items()]
        known = Intervals.of((port, port) for port in ports if port is not None)
        return _gateway(known, (f"{gateway.name} does not listen on the port",) if None in ports else ())

    def rules_of(self, policy: Resource) -> Iterator[tuple[Resource, bool]]:
        """Its rules, and those of which it is not known yet whether they are."""
        for rule in self.snapshot.of_types([RULE]):
            found = policy_of(rule, self.snapshot)
            if found is policy:
                yield rule, True
            elif found is None and not isinstance(rule.properties.get("gatewaySecurityPolicy"), str):
                yield rule, False

    def stage(self, policy: Resource | None, rules: Iterable[tuple[Resource, bool]]) -> Stage:
        ranked = [
            RankedStep(step, number(rule.node.at("priority")))
            for rule, sure in rules
            for step in self._rule(rule, sure)
        ]
        steps, unordered = in_order(ranked)
        seen = elsewhere(policy, box=Box(protocols=_TCP)) if policy else ()
        name = policy.name if policy else "policy"
        return Stage(name, (*seen, *steps), DENIED, unordered=tuple((*seen, *group) for group in unordered))

    def _rule(self, rule: Resource, sure: bool) -> Iterator[Step]:
        node = rule.node
        enabled = node.at("enabled")
        if enabled.value is False:
            return
        doubts = [] if sure else [f"{rule.name} is a rule of the policy"]
        if enabled.unknown:
            doubts.append(f"{rule.name} is enabled")
        if not node.at("applicationMatcher").absent and node.at("applicationMatcher").value != "":
            doubts.append(f"what the application matcher of {rule.name} asks for is so")
        conditions = self._conditions(rule)
        if conditions is None:
            conditions = (Condition(),)
            doubts.append(f"what the matcher of {rule.name} asks for is so, which is not read here")
        actions: Mapping[str, Action] = {"ALLOW": "allow", "DENY": "block"}
        profile = node.at("basicProfile").value
        told = actions.get(profile) if isinstance(profile, str) else None
        for action in actions.values() if told is None else (told,):
            word = "allows" if action == "allow" else "denies"
            known = doubts if told else [*doubts, f"{rule.name} {word} it"]
            for condition in conditions:
                label = _label(rule.name, condition)
                for box in self._boxes(condition, known):
                    why = f"the rule {rule.name} {word} it"
                    yield Step(action=action, rule=label, why=why, box=box, owner=rule.urn)

    def _conditions(self, rule: Resource) -> Conditions | None:
        matcher = rule.node.at("sessionMatcher").value
        if not isinstance(matcher, str):
            return None
        try:
            return read_matcher(matcher, self._entries)
        except UnreadableError:
            return None

    def _boxes(self, condition: Condition, doubts: Sequence[str]) -> Iterator[Box]:
        box = Box(
            protocols=_TCP,
            port=condition.ports,
            client=ClientTest(addresses=condition.sources, identities=condition.identities),
            doubts=(*condition.doubts, *doubts),
        )
        if not condition.names:
            yield box
            return
        if self.explicit:
            yield replace(box, wire=condition.names, applications=frozenset({"http"}))
            told = "in explicit mode host() is the target of CONNECT, which is documented both ways"
            yield replace(box, wire=condition.names, applications=frozenset({"tls"}), doubts=(*box.doubts, told))
        else:
            yield replace(box, wire=condition.names, applications=_WEB)
        if not condition.named:
            told = "a connection without a name is none of those that are named"
            yield replace(box, wire=condition.names, nameless=True, doubts=(*box.doubts, told))

    def _entries(self, name: str) -> list[str] | None:
        """The entries of the URL list of that name; None where it is not there, or not known."""
        named = self.list_of(name)
        if named is None:
            return None
        values = named.node.at("values")
        found = [item.value for item in values.items()]
        if values.unknown or not all(isinstance(value, str) for value in found):
            return None
        return [str(value) for value in found]

    def list_of(self, name: str) -> Resource | None:
        """The URL list of that name; None where it is not in the snapshot."""
        for each in self.snapshot.of_types([URL_LIST]):
            told = [str(each.properties.get(key) or "") for key in ("project", "location", "name")]
            path = f"/locations/{told[1]}/urlLists/{told[2]}"
            called = each.id == name or told[2] == name or (name.endswith(path) and told[0] in ("", name.split("/")[1]))
            if called:
                return each
        return None

    def _authorized(self, gateway: Resource) -> Stage:
        """Authorization policies on the gateway: those that deny first, then what nobody can tell."""
        steps: list[Step] = []
        later: list[Step] = []
        for policy in self.snapshot.of_types([AUTHZ_POLICY]):
            resources = policy.node.at("target", "resources")
            targets = [item.value for item in resources.items()]
            if not resources.unknown and all(isinstance(each, str) for each in targets):
                if not any(_ends_alike(str(each), gateway) for each in targets):
                    continue
            elif gateway not in self.snapshot.referred(policy, "target", None):
                continue
            if policy.node.at("action").value == "DENY":
                steps += _denied(policy)
            said = "the proxy is said to ignore its gateway security policy beside an authorization policy"
            later += either(policy.name, said, policy.urn)
        return Stage("authorization policies", (*steps, *later), _ONWARD)


def _denied(policy: Resource) -> Iterator[Step]:
    """What a policy that denies says of server names. `suffix` is not held to whole labels; plain HTTP has none, and is
    denied by a rule that asks for one (Network Security API v1, AuthzPolicy, revision 20261104)."""
    why, unread = f"the authorization policy {policy.name} denies it", "what it denies is not read here"
    listed = policy.node.at("networkRules")
    rules = [] if listed.unknown else list(listed.items())
    if listed.unknown or not rules:
        yield whether("block", policy.name, unread, policy.urn)
    for rule in rules:
        plain = all(rule.at(key).absent for key in ("from", "when")) and rule.at("to", "notOperations").absent
        operations = [operation for to in rule.at("to").items() for operation in to.at("operations").items()]
        snis = [sni for operation in operations for sni in operation.at("snis").items()]
        tests = [test for sni in snis for test in _sni_tests(sni)]
        if not plain or not tests or len(tests) != len(snis):
            yield whether("block", policy.name, unread, policy.urn)
            continue
        for test in tests:
            box = Box(protocols=_TCP, wire=(test,), applications=frozenset({"tls"}))
            yield Step(action="block", rule=policy.name, why=why, box=box, owner=policy.urn)
        nameless = Box(protocols=_TCP, applications=frozenset({"http"}))
        yield Step(action="block", rule=policy.name, why=why, box=nameless, owner=policy.urn)


def _sni_tests(sni: Node) -> Iterator[NameTest]:
    kinds = {"exact": "exact", "prefix": "starting", "suffix": "ending", "contains": "containing"}
    for key, kind in kinds.items():
        text = sni.at(key).value
        if isinstance(text, str) and text:
            yield NameTest(kind, text, case=sni.at("ignoreCase").value is not True)  # type: ignore[arg-type]


def _label(rule: str, condition: Condition) -> str:
    named = [test.text for test in condition.names if not test.negated]
    return f"{rule}#{named[0]}" if len(named) == 1 else rule


def _ends_alike(reference: str, gateway: Resource) -> bool:
    last = reference.rpartition("/")[2]
    return gateway.id == reference or last in (gateway.properties.get("name"), gateway.id.rpartition("/")[2] or None)
