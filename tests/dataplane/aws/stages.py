"""A plan's objects as rule sets that stock Suricata judges as AWS Network Firewall would.

The service takes rules in their order; stock Suricata takes every pass before any drop. So the order is cut into
stages of passes followed by drops: a stage has its own drops and all passes up to it, a packet has to survive every
stage, and what either engine would say of it is the same. A guard and the list behind it come out as two stages.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataplane.aws import policy_default
from dataplane.aws.packets import Talk
from dataplane.aws.replay import Heard, replay
from hostgate.planning.mechanism import CloudObject

_LIST_HEADER = "pass {protocol} $HOME_NET any -> $EXTERNAL_NET any"
_LIST_PROTOCOLS = {"TLS_SNI": ("tls", "tls.sni", " nocase;"), "HTTP_HOST": ("http", "http.host", "")}


@dataclass(frozen=True, slots=True)
class Ordered:
    """The rules of a policy in the order of evaluation, HOME_NET, and the plan's name for each signature id."""

    rules: tuple[str, ...]
    home_net: tuple[str, ...]
    labels: Mapping[int, str]
    sets: str = ""
    """The groups' own IP sets, as variables of the engine's configuration."""

    def stages(self) -> list[list[str]]:
        """One rule set for each replay."""
        passes: list[str] = []
        stages: list[list[str]] = []
        drops: list[str] = []
        for rule in self.rules:
            if not rule.startswith("pass "):
                drops.append(rule)
                continue
            if drops:
                stages.append([*passes, *drops])
                drops = []
            passes.append(rule)
        return [*stages, [*passes, *drops]]

    def judge(self, talks: Sequence[Talk], folder: Path) -> list[Heard]:
        """What becomes of each talk: one replay for each stage, and what any stage drops is lost."""
        judged: list[Heard] = []
        for number, stage in enumerate(self.stages()):
            heard = replay(talks, stage, self.home_net, folder / f"stage-{number}", sets=self.sets)
            judged = [one.joined(other) for one, other in zip(judged, heard, strict=True)] if judged else heard
        return judged


def ordered(objects: Sequence[CloudObject], sets: Mapping[str, Sequence[str]] = {}) -> Ordered:
    """The groups that the policy among `objects` refers to, by priority, and its default after them.

    `sets`: what is in the prefix lists that the groups refer to, by ARN, because stock Suricata has no references.
    """
    policy = next(each.body["FirewallPolicy"] for each in objects if each.kind.endswith("::FirewallPolicy"))
    groups = {each.name: each for each in objects if each.kind.endswith("::RuleGroup")}
    rules: list[str] = []
    labels: dict[int, str] = {}
    own: dict[str, list[str]] = {}
    for reference in sorted(policy["StatefulRuleGroupReferences"], key=lambda reference: int(reference["Priority"])):
        name = reference["ResourceArn"].rpartition("/")[2]
        body = groups[name].body["RuleGroup"]
        variables = body.get("RuleVariables", {}).get("IPSets", {})
        assert not own.keys() & variables.keys()  # each group has its own; the engine has one space of names
        own |= {key: each["Definition"] for key, each in variables.items()}
        for sid, rule, label in _rules_of(body["RulesSource"], taken=labels):
            rules.append(_with_sets(rule, body, sets))
            labels[sid] = f"{name}#{label}"
    return Ordered(
        rules=(*rules, *policy_default.rules(policy.get("StatefulDefaultActions", ()))),
        home_net=tuple(policy["PolicyVariables"]["RuleVariables"]["HOME_NET"]["Definition"]),
        labels=labels,
        sets="".join(f'    {key}: "[{",".join(items)}]"\n' for key, items in own.items()),
    )


def rule_texts(objects: Iterable[CloudObject]) -> Iterator[str]:
    """The rules that a plan itself writes, without the service's translation of domain lists."""
    for each in objects:
        source = each.body.get("RuleGroup", {}).get("RulesSource", {})
        yield from source.get("RulesString", "").splitlines()


def _with_sets(rule: str, group: Mapping[str, Any], sets: Mapping[str, Sequence[str]]) -> str:
    for key, reference in group.get("ReferenceSets", {}).get("IPSetReferences", {}).items():
        rule = rule.replace(f" @{key} ", f" [{','.join(sets[reference['ReferenceArn']])}] ")
    return rule


def _rules_of(source: Mapping[str, Any], taken: Iterable[int]) -> Iterator[tuple[int, str, str]]:
    """Signature id, rule and what the plan calls it, after the name of the group."""
    if "RulesString" in source:
        for rule in source["RulesString"].splitlines():
            found = re.search(r"; sid:(\d+);", rule)
            assert found is not None, rule
            yield int(found[1]), rule, found[1]
        return
    listed = source["RulesSourceList"]
    assert listed["GeneratedRulesType"] == "ALLOWLIST"
    sid = max(taken, default=0)
    used = set(taken)
    for target in listed["Targets"]:
        for kind in listed["TargetTypes"]:
            sid = next(free for free in range(sid % 4_000_000_000 + 1, 4_294_000_000) if free not in used)
            used.add(sid)
            yield sid, _listed(target, kind, sid), target


def _listed(target: str, kind: str, sid: int) -> str:
    """The service's rule for one target of an allow list (developer guide, Suricata examples of domain lists).

    In strict order a list has no drop of its own. `alert` is ours: it makes the pass tell its signature id.
    """
    protocol, buffer, case = _LIST_PROTOCOLS[kind]
    name = "dotprefix; " if target.startswith(".") else ""
    start = "" if target.startswith(".") else " startswith;"
    return (
        f'{_LIST_HEADER.format(protocol=protocol)} (msg:"matching {protocol.upper()} allowlisted FQDNs"; '
        f'flow:to_server, established; {buffer}; {name}content:"{target}";{start}{case} endswith; alert; '
        f"sid:{sid}; rev:1;)"
    )
