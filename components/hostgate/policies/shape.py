"""What a resource can be asked without any catalog: empty lists, reserved room, defaults that are silent or too early."""

from collections.abc import Iterator

from hostgate.flows.address_sets import networks
from hostgate.flows.nodes import About
from hostgate.flows.snapshot import Resource
from hostgate.policies.effects import everywhere
from hostgate.policies.readers import AWS_POLICY, RULE_GROUP, cloud_of, unread
from hostgate.policies.reading import Reading
from hostgate.policies.settings import Settings
from hostgate.policies.violations import CheckResult, NotApplicable, Violation

_EARLY = ("aws:drop_established", "aws:drop_strict")


def empty_list(resource: Resource, reading: Reading, settings: Settings) -> CheckResult:
    del settings
    return [Violation(resource=resource, where=where, message=f"empty: {what}.") for where, what in reading.empties]


def capacity_head_room(resource: Resource, reading: Reading, settings: Settings) -> CheckResult:
    if not reading.rooms and not _unknown(reading, "capacity"):
        return NotApplicable("reserves no room")
    found = []
    for room in reading.rooms:
        if room.used * 100 > room.reserved * (100 - settings.head_room):
            message = (
                f"{room.used:,} of {room.reserved:,} {room.unit} are used; {settings.head_room} % are to stay free."
            )
            found.append(Violation(resource=resource, where=room.where, message=message))
    return found


def silent_drop(resource: Resource, reading: Reading, settings: Settings) -> CheckResult:
    del settings
    if resource.type == AWS_POLICY:
        return list(_without_twin(resource, reading))
    denies = any(effect.action == "deny" for effect in reading.effects)
    if cloud_of(resource.type) != "gcp" or not (denies or _unknown(reading, "log")):
        return NotApplicable("denies nothing by default")
    return [
        Violation(resource=resource, where=where, message="denies everything else, and logging is off.")
        for where in reading.silent_denies
    ]


def _without_twin(resource: Resource, reading: Reading) -> Iterator[Violation]:
    defaults = reading.stateful.defaults or ()
    for action in defaults:
        twin = action.replace("aws:drop_", "aws:alert_")
        if action.startswith("aws:drop_") and twin not in defaults:
            message = f"{action} without {twin}."
            yield Violation(resource=resource, where="firewallPolicy.statefulDefaultActions", message=message)


def home_net(resource: Resource, reading: Reading, settings: Settings) -> CheckResult:
    del settings
    type_ = resource.type
    if type_ == AWS_POLICY:
        if reading.stateful.references == 0 and not _unknown(reading, "place"):
            return NotApplicable("holds no stateful rule group")
        if reading.stateful.home_net is False:
            message = "HOME_NET is not set: it is the VPC of the firewall alone."
            return [Violation(resource=resource, where="firewallPolicy.policyVariables", message=message)]
        return []
    if type_ != RULE_GROUP:
        return NotApplicable("is no firewall policy and no rule group")
    if "HOME_NET" in reading.variables and "EXTERNAL_NET" not in reading.variables:
        message = "HOME_NET is set here, and EXTERNAL_NET stays the inverse of the policy's."
        return [Violation(resource=resource, where="ruleGroup.ruleVariables", message=message)]
    return []


def stream_exceptions(resource: Resource, reading: Reading, settings: Settings) -> CheckResult:
    del settings
    if resource.type != AWS_POLICY:
        return NotApplicable("is no firewall policy")
    if reading.stateful.references == 0 and not _unknown(reading, "place"):
        return NotApplicable("holds no stateful rule group")
    found = reading.stateful.exceptions
    if found == "REJECT" or _unknown(reading, "exceptions"):
        return []
    said = "not set, which is DROP" if found is None else found
    where = "firewallPolicy.statefulEngineOptions.streamExceptionPolicy"
    return [Violation(resource=resource, where=where, message=f"what breaks in its middle: {said}.")]


def stateless_drop(resource: Resource, reading: Reading, settings: Settings) -> CheckResult:
    del settings
    if resource.type != AWS_POLICY:
        return NotApplicable("is no firewall policy")
    if reading.stateful.references == 0 and not _unknown(reading, "place"):
        return NotApplicable("holds no stateful rule group")
    return [
        Violation(
            resource=resource,
            where=where,
            message=f"aws:drop: {'fragments' if 'Fragment' in where else 'packets'} that no stateless rule forwards are lost.",
        )
        for where in reading.stateful.unseen
    ]


def established_default(resource: Resource, reading: Reading, settings: Settings) -> CheckResult:
    del settings
    if resource.type != AWS_POLICY:
        return NotApplicable("is no firewall policy")
    return [
        Violation(resource=resource, where="firewallPolicy.statefulDefaultActions", message=f"the default is {action}.")
        for action in reading.stateful.defaults or ()
        if action in _EARLY
    ]


def raw_address(resource: Resource, reading: Reading, settings: Settings) -> CheckResult:
    if not settings.addresses:
        return NotApplicable("no address of a host is known: name addresses in the settings")
    effects = [effect for effect in reading.effects if effect.action == "allow" and effect.names is None]
    if not effects and not _unknown(reading, "destination"):
        return NotApplicable("allows nothing by address")
    return [
        Violation(resource=resource, where=effect.where, host=host, message=f"{address} is an address of {host}.")
        for effect in effects
        if effect.destination is not None and not everywhere(effect.destination)
        for address, hosts in settings.addresses.items()
        if effect.destination.holds(networks([address]), "IPv6" if ":" in address else "IPv4")
        for host in hosts
    ]


def not_read(resource: Resource, settings: Settings) -> CheckResult:
    del settings
    what = unread(resource)
    if what is None:
        return NotApplicable("is of a type that is read, or opens no names")
    return [Violation(resource=resource, where=resource.type, message=f"this type holds {what}; it is not read.")]


def _unknown(reading: Reading, about: About) -> bool:
    return any(doubt.about == about for doubt in reading.doubts)
