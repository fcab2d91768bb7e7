"""How response policies of Cloud DNS live: ids are the import formats of pulumi-gcp 10.2.0, in the object's own project."""

from collections.abc import Iterator, Mapping
from typing import Final

from hostgate.gcp.resources_dns import RESPONSE_POLICY, RESPONSE_RULE
from hostgate.gcp.rule_steps import network_path
from hostgate.sandbox.gcp_projects import project_of
from hostgate.sandbox.lifecycle import Account, Ask, Inputs, Lifecycle, last_part, same_name


def _policy_id(inputs: Inputs, account: Account, key: str = "responsePolicyName") -> str:
    return f"projects/{project_of(inputs, account)}/responsePolicies/{last_part(inputs[key])}"


def _rule_id(inputs: Inputs, account: Account) -> str:
    return f"{_policy_id(inputs, account, 'responsePolicy')}/rules/{inputs['ruleName']}"


def _policy_exists(ask: Ask) -> Iterator[str]:
    wanted = _policy_id(ask.held.inputs, ask.account, "responsePolicy")
    if ask.writes and ask.now.get(RESPONSE_POLICY, wanted) is None:
        yield f"notFound: the response policy {wanted} was not found"


def _name_is_free(ask: Ask) -> Iterator[str]:
    """A name has one rule in a policy (Cloud DNS API v1, ResponsePolicyRule.dnsName)."""
    policy = ask.held.id.rpartition("/rules/")[0]
    for other in ask.now.objects(RESPONSE_RULE) if ask.writes else ():
        alike = other.inputs["dnsName"] == ask.held.inputs["dnsName"]
        if alike and other.id != ask.held.id and other.id.startswith(f"{policy}/"):
            yield f"alreadyExists: {other.id} answers for {other.inputs['dnsName']}"


def _same_networks(old: object, new: object) -> bool:
    def paths(listed: object) -> list[str]:
        links = [each["networkUrl"] for each in listed] if isinstance(listed, list) else []
        return sorted(network_path(str(link)) for link in links)

    return paths(old) == paths(new)


LIFECYCLES: Final[Mapping[str, Lifecycle]] = {
    RESPONSE_POLICY: Lifecycle(
        place=_policy_id,
        name="responsePolicyName",
        computed=lambda ask: {"project": ask.held.id.split("/")[1]},
        same={"networks": _same_networks},
    ),
    RESPONSE_RULE: Lifecycle(
        place=_rule_id,
        name="ruleName",
        computed=lambda ask: {"project": ask.held.id.split("/")[1]},
        rules=(_policy_exists, _name_is_free),
        same={"responsePolicy": same_name},
    ),
}
