"""Where flows meet a plan of AWS: its groups in their policy, or in one of somebody else; its rules over a VPC's queries."""

from collections.abc import Sequence
from dataclasses import replace

from hostgate.aws import evaluate, evaluate_queries
from hostgate.aws.dns_firewall_options import DnsFirewallOptions
from hostgate.aws.firewall_kinds import POLICY, REFERENCES
from hostgate.aws.network_firewall_options import NetworkFirewallOptions
from hostgate.aws.resources import snapshot_of
from hostgate.aws.resources_firewall import FIREWALL_POLICY
from hostgate.aws.resources_resolver import RULE_GROUP
from hostgate.aws.rule_steps import HELLO
from hostgate.flows.address_sets import networks
from hostgate.flows.steps import EVERY_CLIENT, Box, ClientTest, Place, Stage, Step
from hostgate.planning.mechanism import CloudObject


def of_network_firewall(options: NetworkFirewallOptions, objects: Sequence[CloudObject]) -> Place:
    """The groups in their policy, or in one that is owned elsewhere and has what the finding `attached-policy` asks for."""
    references = next((each for each in objects if each.kind == REFERENCES), None)
    held = [each for each in objects if each is not references]
    snapshot = snapshot_of(held if references is None else [*held, _attached(options, references)])
    (policy,) = snapshot.of_types([FIREWALL_POLICY])
    found = evaluate.policy_place(snapshot, policy, ClientTest(addresses=networks(options.from_ or options.home_net)))
    if references is not None:
        beside = (
            "The policy that holds the groups is in strict order, forwards every packet to them, has the HOME_NET of the options "
            "and no rule before them that decides."
        )
        stages = (*found.stages[:-1], _undecided(options, found.stages[-1]))
        found = replace(found, stages=stages, assumptions=(*found.assumptions, beside))
    return replace(found, inside=networks(options.home_net))


def clients_of(options: NetworkFirewallOptions) -> ClientTest:
    """Those of `from`; without it everybody that the policy's HOME_NET holds."""
    return ClientTest(addresses=networks(options.from_)) if options.from_ else EVERY_CLIENT


def of_dns_firewall(options: DnsFirewallOptions, objects: Sequence[CloudObject]) -> Place:
    snapshot = snapshot_of(objects)
    (group,) = snapshot.of_types([RULE_GROUP])
    ending = evaluate_queries.ANSWERED
    if options.deny == "declared" and options.mode == "audit":
        ending = replace(ending, why="no rule matches; in audit mode the declared deny must only log")
    elif options.deny == "declared":
        why = "no rule matches; the deny is declared to exist in another rule group"
        ending = replace(ending, action="block", why=why)
    return evaluate_queries.group_place(snapshot, group, ending)


def _attached(options: NetworkFirewallOptions, references: CloudObject) -> CloudObject:
    """The policy of somebody else, as far as the plan's verdicts lean on it."""
    body = {
        **references.body,
        "StatelessDefaultActions": ["aws:forward_to_sfe"],
        "StatefulEngineOptions": {"RuleOrder": "STRICT_ORDER"},
        "PolicyVariables": {"RuleVariables": {"HOME_NET": {"Definition": list(options.home_net)}}},
    }
    return CloudObject(kind=POLICY, name=options.stem, body={"FirewallPolicy": body})


def _undecided(options: NetworkFirewallOptions, stage: Stage) -> Stage:
    """The stage with what becomes of a flow that no group decides, where the policy is owned elsewhere."""
    if options.mode == "audit":
        why = "no rule matches; in audit mode the attached policy's default only logs"
        return replace(stage, otherwise=Step(action="allow", rule="", why=why))
    drop = Step(
        action="block", rule="", box=Box(protocols=frozenset({6})), moments=HELLO,
        why="no rule matches; the attached policy's default must drop it (deny: declared)",
    )  # fmt: skip
    why = (
        "no rule matches; the attached policy's default drops established flows, not a first datagram (deny: declared)"
    )
    return replace(stage, last=(drop,), otherwise=Step(action="allow", rule="", why=why))
