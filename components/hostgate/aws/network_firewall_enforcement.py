"""What a plan of Network Firewall keeps closed beside its hosts: the policy, the endpoints before it, and the edge group."""

from collections.abc import Iterator
from dataclasses import replace

from hostgate.aws.default_actions import ALERT_TO_SERVER, DROP_TO_SERVER
from hostgate.aws.edge import edge_rules
from hostgate.aws.network_firewall_options import NetworkFirewallOptions
from hostgate.planning.enforcement import ORDER, OWN_POLICY, Enforcement
from hostgate.planning.options import public_ranges
from hostgate.planning.targets import COMPUTED, is_computed
from hostgate.suricata.writer import Sids

TCP, OTHERS = "TCP connections", "UDP, ICMP and all other IP protocols"


GOES_OVER = (
    "Make it two updates: in the first both groups hold it (it stays in its list, and is in the other too), and it leaves its "
    "list in the second."
)


def of_options(stated: Enforcement, options: NetworkFirewallOptions) -> Enforcement:
    """`stated`, with what only the options of Network Firewall say."""
    drops = any(rule.action == "drop" for rule in edge_rules(options, Sids()))
    return replace(
        stated,
        traffic=(TCP, *([OTHERS] if drops else [])),
        places=tuple(_places(options)),
        # The edge group passes what stays within the private ranges of HOME_NET.
        exempt=tuple(each for each in options.home_net if not public_ranges([each]))
        if options.deny == "internet"
        else (),
        safeguards=dict(_safeguards(options)),
        apart=GOES_OVER,
    )


def _places(options: NetworkFirewallOptions) -> Iterator[str]:
    if options.attach is not None:
        yield f"policy {options.attach}"
    for region in options.places:
        # References are handed out whoever makes a policy, so those who take them lose nothing to one of the plan.
        if options.creates_policy:
            yield OWN_POLICY if region is None else f"{OWN_POLICY}, in {region}"
        elif region is not None:
            yield f"references in {region}"
    if (firewall := options.firewall) is None:
        return
    where = f"firewall endpoint in {firewall.vpc_id or firewall.transit_gateway_id}"
    subnets = [each.subnet_id for each in firewall.subnet_mappings]
    for number, each in enumerate([*subnets, *firewall.availability_zone_ids], start=1):
        yield f"{where}, {f'subnet {number}' if each == COMPUTED else each}"
    for index, more in enumerate(options.endpoint_associations, start=1):
        subnet = f"subnet {index} of the associations" if is_computed(more.subnet_id) else more.subnet_id
        yield f"firewall endpoint in {more.vpc_id}, {subnet}"


def _safeguards(options: NetworkFirewallOptions) -> Iterator[tuple[str, str]]:
    for group in options.managed_groups:
        yield f"managed group {group.arn}", "only logs what it would drop" if group.override else "drops"
    if options.tls_inspection is not None:
        yield "TLS inspection", options.tls_inspection
    if not options.creates_policy:
        yield ORDER, str(options.base)
    else:
        chosen = ", ".join(options.default_actions or (DROP_TO_SERVER, ALERT_TO_SERVER))
        yield "default actions", "rules that reject, in the last group" if options.reject else chosen
    for name in ("delete_protection", "firewall_policy_change_protection", "subnet_change_protection",
                 "availability_zone_change_protection"):  # fmt: skip
        if options.firewall is not None and getattr(options.firewall, name):
            yield name.replace("_", " "), "on"
