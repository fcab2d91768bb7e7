"""The judge of moments must itself find what it is for; no engine needed."""

from pathlib import Path

import pytest

import hostgate
from engine.moments import Update, flows_about, plain, violations
from hostgate.aws.resources_firewall import FIREWALL_POLICY, RULE_GROUP
from hostgate.flows.flow import Flow
from hostgate.planning.plan import Plan, plan
from hostgate.sandbox.service import Service
from hostgate.sandbox.state import State

SPARE = 'pass tls 10.0.0.0/8 any -> $EXTERNAL_NET 443 (tls.sni; content:"{}"; startswith; endswith; nocase; sid:1;)\n'


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(State(tmp_path / "clouds.db"))


@pytest.fixture
def old() -> Plan:
    return plan(hostgate.select("chainguard/images@2024-03-28", ids=["registry"]), "aws:rules", from_=["10.0.0.0/8"])


def group(name: str, text: str) -> dict[str, object]:
    rules = {"rulesSource": {"rulesString": text}, "statefulRuleOptions": {"ruleOrder": "STRICT_ORDER"}}
    return {"name": name, "type": "STATEFUL", "capacity": 100, "ruleGroup": rules}


def policy(*arns: str, actions: tuple[str, ...] = ("aws:drop_established_app_layer_to_server",)) -> dict[str, object]:
    references = [{"resourceArn": arn, "priority": 100 + index} for index, arn in enumerate(arns)]
    home = [{"key": "HOME_NET", "ipSet": {"definitions": ["10.0.0.0/8"]}}]
    body = {
        "statefulEngineOptions": {"ruleOrder": "STRICT_ORDER"},
        "statefulRuleGroupReferences": references,
        "statefulDefaultActions": list(actions),
        "policyVariables": {"ruleVariables": home},
    }
    return {"name": "fp", "firewallPolicy": body}


def deploy(service: Service, made: Plan) -> list[str]:
    """The plan's groups and a policy over them; the ARNs."""
    arns = []
    for each in made.objects:
        if each.text:
            arns.append(service.create(RULE_GROUP, group(each.name, each.text)).id)
    service.create(FIREWALL_POLICY, policy(*arns))
    return arns


def judged(service: Service, made: Plan, number: int) -> list[str]:
    calls = service.state.journal()
    start = Update([], calls[:number], {}, {}).after
    return violations(Update(start, calls[number:], {"aws": made}, {"aws": made}), flows_about([made]))


def test_an_update_that_only_adds_the_same_again_is_well(service: Service, old: Plan) -> None:
    arns = deploy(service, old)
    number = len(service.state.journal())
    service.update(FIREWALL_POLICY, service.state.objects(FIREWALL_POLICY)[0].id, policy(*arns))
    assert judged(service, old, number) == []


def test_a_moment_that_opens_a_host_is_found_though_it_is_closed_again(service: Service, old: Plan) -> None:
    arns = deploy(service, old)
    number, held = len(service.state.journal()), service.state.objects(RULE_GROUP)[-1]
    service.update(RULE_GROUP, arns[-1], group(held.name, SPARE.format("evil.example")))
    service.update(RULE_GROUP, arns[-1], dict(held.inputs))
    found = judged(service, old, number)
    assert (
        f"after call {number + 1} (update of RuleGroup {held.name}): aws policy fp opens evil.example:443 https"
        in found
    )
    assert f"after call {number + 1} (update of RuleGroup {held.name}): aws policy fp cuts cgr.dev:443 https" in found
    assert not any("at the end" in each for each in found)


def test_a_moment_without_the_policys_drop_is_found(service: Service, old: Plan) -> None:
    arns = deploy(service, old)
    number, fp = len(service.state.journal()), service.state.objects(FIREWALL_POLICY)[0].id
    service.update(FIREWALL_POLICY, fp, policy(*arns, actions=("aws:alert_established",)))
    service.update(FIREWALL_POLICY, fp, policy(*arns))
    assert any("opens evil.example:22 tcp" in each for each in judged(service, old, number))


def test_a_policy_that_is_gone_for_a_moment_is_found(service: Service, old: Plan) -> None:
    arns = deploy(service, old)
    number, fp = len(service.state.journal()), service.state.objects(FIREWALL_POLICY)[0].id
    service.delete(FIREWALL_POLICY, fp)
    service.create(FIREWALL_POLICY, policy(*arns))
    assert judged(service, old, number)[0].endswith(f"{fp} is judged by nobody")


def test_an_end_that_is_not_the_plan_is_found(service: Service, old: Plan) -> None:
    arns = deploy(service, old)
    number, fp = len(service.state.journal()), service.state.objects(FIREWALL_POLICY)[0].id
    service.update(FIREWALL_POLICY, fp, policy(arns[0]))
    assert f"at the end {fp} and the plan differ on cgr.dev:443 https" in judged(service, old, number)


def test_the_flows_hold_what_is_listed_and_what_is_close_by(old: Plan) -> None:
    flows = flows_about([old])
    for name, port in (("cgr.dev", 443), ("cgr.dev", 8443), ("notcgr.dev", 443), ("a.cgr.dev", 443)):
        assert Flow(name, port) in flows


@pytest.mark.parametrize(
    ("name", "short"), [("hostgate-allow-1a2b3c4", "hostgate-allow"), ("hostgate-allow", "hostgate-allow"), ("x", "x")]
)
def test_made_up_digits_are_no_part_of_a_name(name: str, short: str) -> None:
    assert plain(name) == short
