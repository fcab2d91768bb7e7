"""An AWS firewall policy's own say: rule order, default actions, HOME_NET, what passes before any rule sees it."""

from hostgate.aws.evaluate import STRICT
from hostgate.flows.nodes import Node
from hostgate.policies.effects import ANY_PORT, EVERYWHERE, Effect
from hostgate.policies.reading import Reading


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
        definitions.texts("home-net")
    if "HOME_NET" in keys or (None not in keys and not variables.unknown):
        found.home_net = "HOME_NET" in keys
    for key in ("statefulRuleGroupReferences", "statelessRuleGroupReferences"):
        for item in inner.at(key).items("place"):
            item.at("priority").number("place")
            found.references += key == "statefulRuleGroupReferences"
            found.arns |= set(item.at("resourceArn").texts())
    for key in ("statelessDefaultActions", "statelessFragmentDefaultActions"):
        for item in inner.at(key).items("action"):
            action = item.text("action")
            if action == "aws:drop":
                found.unseen.append(item.path)
            if action == "aws:pass":
                reading.effects.append(
                    Effect(where=item.path, action="allow", layer="any", ports=ANY_PORT, destination=EVERYWHERE)
                )
    return reading
