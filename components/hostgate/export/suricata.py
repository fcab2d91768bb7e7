"""The rules of aws:rules for an ordinary Suricata, IDS or IPS: passes, and what the policy's default does on AWS.

Suricata takes every pass before any drop, whatever the order in the file (action order, its default); AWS takes rules as
listed. Of these rules no drop is about what a later pass allows, so both come to the same.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hostgate.aws.address_rules import ip_sets
from hostgate.aws.closing import Closing, closing_rules
from hostgate.aws.edge import edge_rules
from hostgate.aws.network_firewall_options import NetworkFirewallOptions
from hostgate.aws.rules import MECHANISM, entry_rules
from hostgate.aws.rules_options import RulesOptions
from hostgate.catalog.problems import InputError, Problem
from hostgate.planning.grants import shared
from hostgate.planning.plan import Plan
from hostgate.suricata.writer import Rule, Sids, group

RULES, ADDRESSES = "hostgate.rules", "hostgate-addresses.yaml"
"""Names of the files."""

_MEANT = {"grants", "mode", "from_", "home_net", "log_allowed", "reject", "addresses", "ip_sets", "host_addresses"}


@dataclass(frozen=True, slots=True)
class SuricataFiles:
    """The rules, and the address groups that they name, as text."""

    rules: str
    addresses: str

    def by_name(self) -> Mapping[str, str]:
        return {RULES: self.rules, ADDRESSES: self.addresses}


def options_for_suricata(options: NetworkFirewallOptions) -> RulesOptions:
    """Those of `options` that mean something to an engine which stands alone; it always has a deny of its own."""
    given = options.model_dump(include=_MEANT, exclude_unset=True)
    found = RulesOptions(**given, deny="all" if options.deny == "all" else "internet")
    if isinstance(options, RulesOptions):
        found.told_by(options)
    return found


def export_suricata(plan: Plan) -> SuricataFiles:
    """The files for `plan`, which is of aws:rules with options for Suricata.

    Raises InputError if the plan is refused, by something else than a limit of AWS, or if an entry's addresses are in a
    prefix list: that only AWS can read.
    """
    options = plan.options
    if plan.target != MECHANISM.target or not isinstance(options, RulesOptions):
        raise ValueError(f"a plan for {plan.target}; needed: {MECHANISM.target}")
    allowed = [decision.entry for decision in plan.decisions if decision.outcome == "allowed"]
    problems = [problem for problem in plan.problems if problem.rule != "limit-exceeded"]
    problems += [
        Problem(
            rule="export-ip-set",
            file=entry.origin.file,
            line=entry.origin.line,
            column=entry.origin.column,
            entry=entry.id,
            message=f"Found {options.ip_sets[entry.id]} as its addresses. Suricata cannot read that. Allowed: `addresses`.",
        )
        for entry in allowed
        if entry.protocol in ("tcp", "udp") and entry.id in options.ip_sets
    ]
    if problems:
        raise InputError(problems)
    sids = Sids()
    edge = edge_rules(options, sids)
    passes = entry_rules(allowed, options, sids)
    sets = {
        f"${key}": group(items) for share, own in shared(allowed, options) for key, items in ip_sets(own, share).items()
    }
    closing: Closing = "reject" if options.rejects else "drop" if options.mode == "enforce" else "alert"
    what = {"reject": "Default reject", "drop": "Default drop", "alert": "Default alert"}[closing]
    sections = (
        (
            "Hosts, by name or by address",
            [
                _of_any_state(rule.but(destination=sets.get(rule.destination, rule.destination)))
                for rules in passes.values()
                for rule in rules
            ],
        ),
        ("Private traffic, and datagrams to the outside", edge),
        (f"{what}: what nothing above passes", closing_rules(closing, sids, late=True)),
    )
    text = "\n".join([*_head(plan, len(allowed)), *(line for section in sections for line in _section(*section)), ""])
    return SuricataFiles(text, _addresses(options))


def _of_any_state(rule: Rule) -> Rule:
    """`rule` without the state of a TLS connection, which an engine that only looks on sees too late; the name is only
    in the client's hello anyway."""
    return rule.but(conditions=tuple(each for each in rule.conditions if each != "ssl_state:client_hello"))


def _head(plan: Plan, count: int) -> list[str]:
    refs = " ".join(", ".join(plan.selection.refs).split())  # a path may hold a line end, a comment may not
    return [
        f"# hostgate: {count} hosts of {refs}",
        "# For Suricata 7 with its default order of actions: pass, drop, reject, alert. As IPS it blocks, as IDS it only logs.",
        "# HOME_NET and EXTERNAL_NET have to be those of hostgate-addresses.yaml; it says how to include it.",
    ]


def _section(title: str, rules: Iterable[Rule]) -> list[str]:
    return ["", f"# {title}", *map(str, rules)]


def _addresses(options: NetworkFirewallOptions) -> str:
    return (
        "%YAML 1.1\n---\n"
        "# In suricata.yaml, in place of the lines HOME_NET and EXTERNAL_NET below vars, address-groups:\n"
        "#   include: /etc/suricata/hostgate-addresses.yaml\n"
        f'HOME_NET: "[{group(options.home_net).strip("[]")}]"\n'
        'EXTERNAL_NET: "!$HOME_NET"\n'
    )
