"""Option errors: each names the key, what was found and what is allowed, and all come at once."""

from typing import Any

import pytest

from conformance.catalogs import MADE, entry, selection
from hostgate.catalog.problems import InputError
from hostgate.planning.mechanism import mechanism
from hostgate.planning.options import OptionsError, read_options
from hostgate.planning.plan import plan

AWS, GCP, AZURE = "aws:rules", "gcp:fqdn", "azure:application-rules"
ARN = "arn:aws:network-firewall:eu-central-1:123456789012:firewall-policy/egress"

WRONG: list[tuple[str, str, dict[str, Any], tuple[str, ...]]] = [
    ("an unknown key", AWS, {"basis": 1}, ("`aws:rules.basis`", "no key here", "Allowed:", "homeNet")),
    ("an unknown mode", AWS, {"mode": "dry"}, ("`aws:rules.mode`", "'dry'", "'enforce' or 'audit'")),
    ("an unknown deny", GCP, {"deny": "most"}, ("`gcp:fqdn.deny`", "'most'", "'internet'")),
    ("a name with a dot", AWS, {"name": "a.b"}, ("`aws:rules.name`", "'a.b'", "text like")),
    ("a name that is too long", AWS, {"name": "a" * 31}, ("`aws:rules.name`", "text like")),
    ("a number as text", AWS, {"base": "1000"}, ("`aws:rules.base`", "'1000'", "a whole number")),
    ("a boolean as a number", AWS, {"base": True}, ("`aws:rules.base`", "true (a boolean)", "a whole number")),
    ("a base of zero", AWS, {"base": 0}, ("`aws:rules.base`", "found 0", "greater than or equal to 1")),
    ("a base beyond the slots", AWS, {"base": 60_001}, ("`aws:rules.base`", "60001", "less than or equal to 60000")),
    ("text for a list", AWS, {"from": "10.0.0.0/8"}, ("`aws:rules.from`", "'10.0.0.0/8'", "a list")),
    ("no address range", AWS, {"from": ["ten"]}, ("`aws:rules.from[0]`", "'ten'", "CIDR")),
    ("a range with host bits", AWS, {"from": ["10.0.0.1/8"]}, ("`aws:rules.from[0]`", "10.0.0.1/8", "host bits")),
    ("an empty HOME_NET", AWS, {"homeNet": []}, ("`aws:rules.homeNet`", "empty", "at least one")),
    ("a HOME_NET of everything", AWS, {"homeNet": ["0.0.0.0/0"]}, ("homeNet of everything",)),
    ("a HOME_NET of everything in two halves", AWS, {"homeNet": ["0.0.0.0/1", "128.0.0.0/1"]}, ("homeNet of everything",)),
    ("no clients on AWS", AWS, {"from": []}, ("`aws:rules.from`", "empty", "at least one")),
    ("clients outside HOME_NET", AWS, {"from": ["198.51.100.0/24"]}, ("from 198.51.100.0/24", "outside homeNet", "Extend")),
    ("an attached name for an ARN", AWS, {"attach": "egress"}, ("attach 'egress'", "Allowed: the ARN")),
    ("attach with an own deny", AWS, {"attach": ARN, "deny": "internet"}, ("deny 'internet'", "`attach`", "'declared'")),
    ("tags that are no text", AWS, {"tags": {"team": 1}}, ("`aws:rules.tags.team`", "found 1", "text")),
    ("a range with host bits", GCP, {"from": ["10.0.0.1/8"]}, ("`gcp:fqdn.from[0]`", "service account", "tagValues/123", "CIDR")),
    ("audit that logs nothing", GCP, {"mode": "audit", "logDenied": False}, ("without `logDenied`",)),
    ("a network tag", GCP, {"from": ["builders"]}, ("`gcp:fqdn.from[0]`", "'builders'", "Network tags")),
    ("both kinds of client", GCP, {"from": ["tagValues/1", "a@p.iam.gserviceaccount.com"]}, ("one of the two kinds",)),
    ("networks of another's policy", GCP, {"attach": "p", "networks": ["n"]}, ("`networks` with `attach`",)),
    ("no family", GCP, {"families": []}, ("`gcp:fqdn.families`", "empty")),
    ("an unknown family", GCP, {"families": ["ipv5"]}, ("`gcp:fqdn.families[0]`", "'ipv5'", "'ipv4' or 'ipv6'")),
    ("a base that is reserved", GCP, {"base": 2_147_483_548}, ("`gcp:fqdn.base`", "2147483548")),
    ("a base that is negative", GCP, {"base": -1}, ("`gcp:fqdn.base`", "found -1")),
    ("deny none on Azure", AZURE, {"deny": "none"}, ("deny 'none'", "denies what no rule allows", "mode audit")),
    ("an IPv6 client on Azure", AZURE, {"from": ["fd00::/8"]}, ("fd00::/8", "IPv4 ranges")),
    ("a base below 100", AZURE, {"base": 99}, ("`azure:application-rules.base`", "found 99", "100")),
    ("an unknown tier", AZURE, {"tier": "Gold"}, ("`azure:application-rules.tier`", "'Gold'", "'Standard'")),
    ("attach without a group", AZURE, {"attach": "fp-hub"}, ("attach 'fp-hub'", "RESOURCE_GROUP/POLICY")),
    ("a group beside attach", AZURE, {"attach": "rg/p", "resourceGroup": "rg"}, ("`resourceGroup` with `attach`",)),
    ("deny all in another's policy", AZURE, {"attach": "rg/p", "deny": "all"}, ("deny 'all' with `attach`", "Allowed: ")),
    *(
        (f"attach to {what} on Azure", AZURE, {"attach": attach}, (f"attach {attach!r}", "RESOURCE_GROUP/POLICY"))
        for what, attach in {
            "a firewall": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/azureFirewalls/fw",
            "a group of a policy": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/firewallPolicies/p/x/g",
            "an id without its slash": "subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/firewallPolicies/p",
            "a name behind a blank": " rg/fp", "a name before a blank": "rg/fp ", "nothing": "", "blanks": "  ",
            "a group only": "rg/", "a policy only": "/fp", "a group with a period at the end": "rg./fp",
        }.items()
    ),
    *(
        (f"attach to {what} on AWS", AWS, {"attach": attach}, (f"attach {attach!r}", "Allowed: the ARN of a firewall policy"))
        for what, attach in {
            "a rule group": ARN.replace("firewall-policy", "stateful-rulegroup"),
            "a firewall": ARN.replace("firewall-policy", "firewall"),
            "a policy of IAM": "arn:aws:iam::123456789012:policy/egress",
            "a policy without a name": ARN.replace("egress", ""), "a folder of policies": ARN + "/more",
            "nothing": "", "a name behind a blank": f" {ARN}", "a name before a line end": f"{ARN}\n",
        }.items()
    ),
    ("audit in another's policy", AZURE, {"attach": "rg/p", "mode": "audit"}, ("no `from`", "Name the clients")),
]  # fmt: skip


@pytest.mark.parametrize(("target", "values", "words"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_a_wrong_option_says_what_was_found_and_what_is_allowed(
    target: str, values: dict[str, Any], words: tuple[str, ...]
) -> None:
    with pytest.raises(InputError) as caught:
        plan(selection([entry()]), target, values)
    (problem,) = caught.value.problems
    assert problem.rule == "config"
    for word in words:
        assert word in problem.message, problem.message


@pytest.mark.parametrize("target", MADE)
def test_all_errors_come_at_once(target: str) -> None:
    with pytest.raises(OptionsError) as caught:
        read_options(mechanism(target).options, {"mode": "dry", "deny": "most", "nonsense": 1}, "hostgate:here")
    assert len(caught.value.problems) == 3
    assert all("hostgate:here." in problem.message for problem in caught.value.problems)


@pytest.mark.parametrize("target", MADE)
def test_every_mechanism_works_on_its_defaults(target: str) -> None:
    options = read_options(mechanism(target).options, {}, "x")
    assert (options.name, options.mode, options.deny) == ("hostgate", "enforce", "internet")


def test_attaching_on_aws_declares_the_deny_unless_it_is_said() -> None:
    made = plan(selection([entry()]), AWS, attach=ARN)
    assert made.options.deny == "declared"


@pytest.mark.parametrize(
    "attach",
    ["rg-hub/fp-hub", "/subscriptions/s/resourceGroups/rg-hub/providers/Microsoft.Network/firewallPolicies/fp-hub"],
)
def test_an_azure_policy_is_named_by_group_and_name_or_by_id(attach: str) -> None:
    made = plan(selection([entry()]), AZURE, attach=attach)
    (group,) = made.objects
    assert group.body["name"] == "fp-hub/hostgate"


@pytest.mark.parametrize("target", MADE)
def test_tags_reach_objects_that_carry_them_in_one_order(target: str) -> None:
    one = plan(selection([entry()]), target, tags={"a": "1", "b": "2"})
    other = plan(selection([entry()]), target, tags={"b": "2", "a": "1"})
    assert one.digest == other.digest
