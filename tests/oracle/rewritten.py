"""Stacks of three clouds and the same stacks written otherwise: in another order, under other names, with rules split, ranges
merged and what is hidden left out. Nothing of it opens or closes anything."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from itertools import count
from random import Random
from typing import Any

from oracle import widenings
from oracle.dial import Resource

Stack = list[Resource]


def pair(random: Random, cloud: str) -> tuple[str, Stack, Stack]:
    """Where it is judged, and a stack before and after changes that make no difference."""
    narrowed = random.sample(widenings.DIMENSIONS, random.randint(1, 5))
    where, stack, _ = aws(random, narrowed) if cloud == "aws" else widenings.widened(random, cloud, narrowed)  # type: ignore[arg-type]
    after = [each._replace(inputs=deepcopy(each.inputs)) for each in stack]
    for change in random.sample(_CHANGES[cloud], random.randint(1, 3)):
        after = change(random, after)
    random.shuffle(after)
    return where, stack, after


# Google Cloud.


def _rules(stack: Stack) -> Iterator[Resource]:
    return (each for each in stack if each.type.endswith("PolicyRule"))


def _apart(_: Random, stack: Stack) -> Stack:
    """Priorities that leave room, in the same order."""
    for each in _rules(stack):
        each.inputs["priority"] *= 10
    return stack


def _called(random: Random, stack: Stack) -> Stack:
    for number, each in enumerate(_rules(stack)):
        each.inputs["ruleName"] = f"rule-{random.randint(0, 9)}-{number}"
    return [each._replace(name=f"{each.name}-new") if each.type.endswith("PolicyRule") else each for each in stack]


def _split_by_protocol(_: Random, stack: Stack) -> Stack:
    """A rule for each of its protocols and ports, one behind the other."""
    made = []
    for each in _apart(_, stack):
        listed = each.inputs["match"]["layer4Configs"] if each in list(_rules([each])) else []
        if len(listed) < 2:
            made.append(each)
        for at, one in enumerate(listed if len(listed) > 1 else ()):
            inputs = {**each.inputs, "priority": each.inputs["priority"] + at, "ruleName": f"{each.name}-{at}",
                      "match": {**each.inputs["match"], "layer4Configs": [one]}}  # fmt: skip
            made.append(Resource(each.type, f"{each.name}-{at}", f"{each.id}{at}", inputs))
    return made


_HALVES = {"198.18.7.0/24": ["198.18.7.128/25", "198.18.7.0/25"], "0.0.0.0/0": ["128.0.0.0/1", "0.0.0.0/1"],
           "10.20.30.0/24": ["10.20.30.0/26", "10.20.30.64/26", "10.20.30.128/25"], "::/0": ["8000::/1", "::/1"]}  # fmt: skip


def _ranges_in_parts(_: Random, stack: Stack) -> Stack:
    for each in _rules(stack):
        match = each.inputs["match"]
        for key in ("destIpRanges", "srcIpRanges"):
            if key in match:
                match[key] = [part for cidr in match[key] for part in _HALVES.get(cidr, [cidr])]
    return stack


def _names_as_others_write_them(_: Random, stack: Stack) -> Stack:
    for each in _rules(stack):
        if "destFqdns" in each.inputs["match"]:
            each.inputs["match"]["destFqdns"] = [f"{name.upper()}." for name in each.inputs["match"]["destFqdns"]]
    return stack


def _denies_in_one(_: Random, stack: Stack) -> Stack:
    found = [each for each in stack if not each.id.endswith(("/2000", "/2001"))]
    (deny,) = (each for each in stack if each.id.endswith("/2000"))
    deny.inputs["match"]["destIpRanges"] = ["::/0", "0.0.0.0/0"]
    return [*found, deny]


def _hidden(_: Random, stack: Stack) -> Stack:
    """With a rule behind the deny, and one that is off."""
    late = widenings._gcp_rule(3000, "allow", destIpRanges=["0.0.0.0/0"], layer4Configs=[{"ipProtocol": "all"}])
    off = widenings._gcp_rule(
        1, "allow", destIpRanges=["0.0.0.0/0"], layer4Configs=[{"ipProtocol": "all"}], outer={"disabled": True}
    )
    late.inputs["priority"] *= 10
    return [*stack, late, off]


# Azure.


def _collections(stack: Stack) -> Iterator[dict[str, Any]]:
    for each in stack:
        yield from each.inputs.get("ruleCollections") or ()


def _another_order(random: Random, stack: Stack) -> Stack:
    for each in _collections(stack):
        random.shuffle(each["rules"])
    return stack


def _called_on_azure(_: Random, stack: Stack) -> Stack:
    numbers = count()
    for each in _collections(stack):
        each["name"] = f"c{next(numbers)}"
        for rule in each["rules"]:
            rule["name"] = f"r{next(numbers)}"
    return stack


def _a_rule_each(_: Random, stack: Stack) -> Stack:
    """A rule for each of its destinations, and for each name."""
    for each in _collections(stack):
        each["rules"] = [
            {**rule, key: [one], "name": f"{rule['name']}-{at}"}
            for rule in each["rules"]
            for key in ("destinationAddresses", "targetFqdns")
            for at, one in enumerate(rule.get(key, ()))
        ]
    return stack


def _azure_ranges_in_parts(_: Random, stack: Stack) -> Stack:
    for each in _collections(stack):
        for rule in each["rules"]:
            for key in ("sourceAddresses", "destinationAddresses"):
                if key in rule:
                    rule[key] = [part for cidr in rule[key] for part in _HALVES.get(cidr, [cidr])]
            if rule.get("destinationPorts") == ["8443"]:
                rule["destinationPorts"] = ["8443-8443"]
    return stack


def _a_collection_each(_: Random, stack: Stack) -> Stack:
    """A collection for each of the rules of one, one behind the other."""
    for each in stack:
        if "ruleCollections" in each.inputs:
            each.inputs["ruleCollections"] = [
                {
                    **collection,
                    "priority": collection["priority"] + at,
                    "name": f"{collection['name']}{at}",
                    "rules": [rule],
                }
                for collection in each.inputs["ruleCollections"]
                for at, rule in enumerate(collection["rules"])
            ]
    return stack


# AWS.

STRICT = {"ruleOrder": "STRICT_ORDER"}
_NFW = "aws:networkfirewall"
_SNI = 'tls.sni; content:"{}"; startswith; endswith; nocase; flow:to_server, established'


def aws(random: Random, narrowed: list[str] | tuple[str, ...]) -> tuple[str, Stack, Stack]:
    """A firewall policy with one host, a rule beside it that is narrow in `narrowed`, and a drop that hides a part of it."""
    own = f"pass tls $HOME_NET any -> any 443 ({_SNI.format(widenings.HOST)}; sid:1;)"
    client = widenings.CLIENTS if "client" in narrowed else "any"
    there = widenings.RANGE if "address" in narrowed else "any"
    port = "8443" if "port" in narrowed else "any"
    kind = "tls" if {"name", "protocol", "port"} & set(narrowed) else "ip"
    established = "flow:to_server, established; " if kind == "tls" else ""
    options = f"{_SNI.format(widenings.EVIL)}; " if "name" in narrowed else established
    wide = f"pass {kind} {client} any -> {there} {port} ({options}sid:2;)"
    blocks = []
    if random.random() < 0.5:
        chosen = random.sample(widenings.DIMENSIONS, random.choice((1, 2, 3)))
        blocks.append(
            f"drop {'tcp' if 'protocol' in chosen or 'port' in chosen else 'ip'} "
            f"{'10.20.30.0/25' if 'client' in chosen else 'any'} any -> "
            f"{widenings.HALF if 'address' in chosen else '198.18.0.0/15'} {'8443' if 'port' in chosen else 'any'} (sid:3;)"
        )
    return "fw", _aws([[*blocks, wide, own]]), _aws([[*blocks, own]])


def _aws(groups: list[list[str]], name: str = "g") -> Stack:
    made = [
        Resource(f"{_NFW}/ruleGroup:RuleGroup", f"{name}{at}", f"arn:{name}{at}",
                 {"name": f"{name}{at}", "type": "STATEFUL", "capacity": 100, "arn": f"arn:{name}{at}",
                  "ruleGroup": {"statefulRuleOptions": STRICT, "rulesSource": {"rulesString": "\n".join(lines)}}})
        for at, lines in enumerate(groups)
    ]  # fmt: skip
    policy = {
        "statelessDefaultActions": ["aws:forward_to_sfe"], "statelessFragmentDefaultActions": ["aws:forward_to_sfe"],
        "statefulEngineOptions": STRICT, "statefulDefaultActions": ["aws:drop_established_app_layer_to_server"],
        "policyVariables": {"ruleVariables": [{"key": "HOME_NET", "ipSet": {"definitions": ["10.0.0.0/8"]}}]},
        "statefulRuleGroupReferences": [{"resourceArn": each.id, "priority": at + 1} for at, each in enumerate(made)],
    }  # fmt: skip
    return [
        *made,
        Resource(f"{_NFW}/firewallPolicy:FirewallPolicy", "p", "arn:p", {"name": "p", "arn": "arn:p", "firewallPolicy": policy}),
        Resource(f"{_NFW}/firewall:Firewall", "fw", "fw", {"name": "fw", "vpcId": "vpc-1", "firewallPolicyArn": "arn:p",
                                                          "subnetMappings": [{"subnetId": "subnet-fw"}]}),
    ]  # fmt: skip


def _lines(stack: Stack) -> list[str]:
    return [
        line for each in stack if "ruleGroup" in each.inputs
        for line in each.inputs["ruleGroup"]["rulesSource"]["rulesString"].splitlines()
    ]  # fmt: skip


def _other_passes_first(_: Random, stack: Stack) -> Stack:
    """What passes in the other order, behind what drops."""
    lines = _lines(stack)
    drops = [line for line in lines if line.startswith("drop")]
    return _aws([[*drops, *(line for line in reversed(lines) if line not in drops)]])


def _other_numbers(random: Random, stack: Stack) -> Stack:
    return _aws([[line.replace("sid:", f"sid:{random.randint(10, 99)}") for line in _lines(stack)]], name="other")


def _a_group_each(_: Random, stack: Stack) -> Stack:
    return _aws([[line] for line in _lines(stack)])


def _aws_ranges_in_parts(_: Random, stack: Stack) -> Stack:
    lines = _lines(stack)
    for whole, parts in _HALVES.items():
        lines = [line.replace(f" {whole} ", f" [{','.join(parts)}] ") for line in lines]
    return _aws([lines])


def _twice(_: Random, stack: Stack) -> Stack:
    lines = _lines(stack)
    return _aws([[*lines, *(line.replace("sid:", "sid:9") for line in lines)]])


def _as_others_write_it(_: Random, stack: Stack) -> Stack:
    return _aws(
        [
            [
                "# ours",
                *(
                    line.replace(widenings.HOST, widenings.HOST.upper()).replace(" any ->", "  any ->")
                    for line in _lines(stack)
                ),
            ]
        ]
    )


_CHANGES: dict[str, list[Callable[[Random, Stack], Stack]]] = {
    "gcp": [
        _apart,
        _called,
        _split_by_protocol,
        _ranges_in_parts,
        _names_as_others_write_them,
        _denies_in_one,
        _hidden,
    ],
    "azure": [_another_order, _called_on_azure, _a_rule_each, _azure_ranges_in_parts, _a_collection_each],
    "aws": [_other_passes_first, _other_numbers, _a_group_each, _aws_ranges_in_parts, _twice, _as_others_write_it],
}
