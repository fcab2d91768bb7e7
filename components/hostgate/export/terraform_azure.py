"""The policy, the rule collection groups and the IP groups of a plan for Azure as resources of the provider azapi.

azapi takes the body of the service's own API, in the API's version: what is written is what the plan has. azurerm has the
same under other names and in other blocks, and each of them would be another chance to open more than was reviewed.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from hostgate.azure.firewall_policy import ip_group_id
from hostgate.azure.firewall_policy_options import FirewallPolicyOptions
from hostgate.azure.resources import GROUP_TYPE, IP_GROUP_TYPE, POLICY_TYPE
from hostgate.export.terraform import Template, TerraformResource, in_stages, refuse_foreign, write_terraform
from hostgate.planning.kept_lists import ignored
from hostgate.planning.mechanism import CloudObject
from hostgate.planning.plan import Plan

KINDS: Final = (POLICY_TYPE.kind, GROUP_TYPE.kind, IP_GROUP_TYPE.kind)
RESOURCE: Final = "azapi_resource"
"""Its arguments `type`, `parent_id`, `name`, `location`, `tags` and, as a value and not as text, `body`: azapi 2."""

_CLIENT: Final = "azapi_client_config"
"""The data source that knows the subscription of the provider, where no policy of others says another."""


def export_terraform(plan: Plan) -> Mapping[str, str]:
    """The resources of `plan` as one file. Raises InputError for what is none of KINDS, and for what is not known."""
    refuse_foreign(plan, KINDS, "a firewall policy, rule collection groups and IP groups; the rest is your module's")
    options = plan.options
    assert isinstance(options, FirewallPolicyOptions)
    group, policy = options.policy
    subscription = options.subscription or f"${{data.{_CLIENT}.{options.name}.subscription_id}}"
    place = Template(f"/subscriptions/{subscription}/resourceGroups/{group}")
    holder = Template(f"{place}/providers/{POLICY_TYPE.kind}/{policy}")
    if own := next((each.name for each in plan.objects if each.kind == POLICY_TYPE.kind), None):
        holder = Template(f"${{{RESOURCE}.{own}.id}}")
    listed = [each.name for each in plan.objects if each.kind == IP_GROUP_TYPE.kind]
    ids = {ip_group_id(options, name): Template(f"${{{RESOURCE}.{name}.id}}") for name in listed}
    others = [f"body.properties.{key}" for key in ignored(IP_GROUP_TYPE, options)]

    def made(each: CloudObject, after: Sequence[str]) -> TerraformResource:
        body = dict(each.body)
        kind, version = body.pop("type"), body.pop("apiVersion")
        arguments = {
            "type": f"{kind}@{version}",
            "parent_id": holder if each.kind == GROUP_TYPE.kind else place,
            "name": str(body.pop("name")).rpartition("/")[2],
            **{str(key): body.pop(key) for key in ("location", "tags") if key in body},
            "body": _referring(body, ids),
        }
        return TerraformResource(
            type=RESOURCE,
            name=each.name,
            arguments=arguments,
            after=after,
            ignored=others if each.name in listed else (),
        )

    # One at a time: the service refuses parallel updates of one policy.
    resources = in_stages([[each] for each in plan.objects], made)
    return write_terraform(plan, resources, {} if options.subscription else {_CLIENT: {options.name: {}}})


def _referring(value: Any, ids: Mapping[str, Template]) -> Any:
    """`value` with what the file makes in the place of its ids."""
    if isinstance(value, Mapping):
        return {key: _referring(each, ids) for key, each in value.items()}
    if isinstance(value, list):
        return [_referring(each, ids) for each in value]
    return ids.get(value, value) if isinstance(value, str) else value
