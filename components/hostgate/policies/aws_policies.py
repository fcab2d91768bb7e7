"""An AWS firewall policy's own say: rule order, default actions, HOME_NET, what passes before any rule sees it."""

from hostgate.flows.nodes import Node
from hostgate.policies.effects import ANY_PORT, EVERYWHERE, Effect
from hostgate.policies.reading import Reading
from hostgate.policies.rule_groups import STRICT


def read_policy(node: Node) -> Reading:
    """A FirewallPolicy."""
    reading = Reading(node.doubts)
    inner = node.at("firewallPolicy")
    found = reading.stateful
    order = inner.at("statefulEngineOptions", "ruleOrder")
    if order.unknown:
        order.doubt("order")
    else:
        found.strict = order.value == STRICT
    defaults = inner.at("statefulDefaultActions")
    actions = defaults.texts("default")
    if len(actions) == len(list(defaults.items())) and not defaults.unknown:
        found.defaults = tuple(actions)
    exceptions = inner.at("statefulEngineOptions", "streamExceptionPolicy")
    found.exceptions = exceptions.text("exceptions")
    variables = inner.at("policyVariables", "ruleVariables")
    keys = [item.at("key").text("home-net") for item in variables.items("home-net")]
    for item in variables.items("home-net"):
        definitions = item.at("ipSet", "definitions")
        if definitions.empty:
            reading.empties.append((definitions.path, "the variable holds nothing"))
        ranges = definitions.texts("home-net")
        if item.at("key").value == "HOME_NET" and ranges and len(ranges) == len(list(definitions.items())):
            found.home_ranges = tuple(ranges)
    if "HOME_NET" in keys or (None not in keys and not variables.unknown):
        found.home_net = "HOME_NET" in keys
    references = inner.at("statefulRuleGroupReferences")
    found.references, found.priorities = _references(references)
    found.references_unknown = references.unknown
    found.stateless_references, found.stateless_priorities = _references(inner.at("statelessRuleGroupReferences"))
    stateless = inner.at("statelessDefaultActions")
    if not stateless.absent and len(actions := stateless.texts("action")) == len(list(stateless.items())):
        found.stateless_defaults = None if stateless.unknown else tuple(actions)
    for key in ("statelessDefaultActions", "statelessFragmentDefaultActions"):
        for item in inner.at(key).items("action"):
            if item.text("action") == "aws:pass":
                reading.effects.append(
                    Effect(
                        where=item.path, action="allow", layer="any", ports=ANY_PORT, destination=EVERYWHERE, stage=-1
                    )
                )
    return reading


def _references(references: Node) -> tuple[int, dict[str, int]]:
    """How many rule groups a list refers to, and the priority of each by ARN as far as both are known."""
    count, priorities = 0, dict[str, int]()
    for item in references.items("place"):
        count += 1
        arn, priority = item.at("resourceArn").text(), item.at("priority").number("place")
        if arn is not None and priority is not None:
            priorities[arn] = priority
    return count, priorities
