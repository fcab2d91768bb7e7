"""Calls of a provider as the engine makes them, on a state file, without an engine."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import grpc
from google.protobuf import struct_pb2
from pulumi.runtime.proto import provider_pb2

from hostgate.sandbox.clouds import cloud_of, clouds_of_engine
from hostgate.sandbox.provider import Provider
from hostgate.sandbox.service import Service
from hostgate.sandbox.state import State
from hostgate.sandbox.wire_values import from_struct, to_struct

AWS_GROUP = "aws:networkfirewall/ruleGroup:RuleGroup"
AWS_POLICY = "aws:networkfirewall/firewallPolicy:FirewallPolicy"
AWS_FIREWALL = "aws:networkfirewall/firewall:Firewall"
GCP_POLICY = "gcp:compute/networkFirewallPolicy:NetworkFirewallPolicy"
GCP_RULE = "gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule"
GCP_ASSOCIATION = "gcp:compute/networkFirewallPolicyAssociation:NetworkFirewallPolicyAssociation"
AZURE_POLICY = "azure-native:network:FirewallPolicy"
AZURE_GROUP = "azure-native:network:FirewallPolicyRuleCollectionGroup"
AZURE_IP_GROUP = "azure-native:network:IpGroup"
AZURE_RESOURCE_GROUP = "azure-native:resources:ResourceGroup"

RULE = 'pass tls $HOME_NET any -> $EXTERNAL_NET 443 (msg:"a"; tls.sni; content:"{}"; sid:{};)\n'


class Aborted(Exception):  # noqa: N818
    """What the engine would get as an error."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(details)
        self.code = code


class Context:
    """A gRPC context that can do no more than refuse."""

    def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        raise Aborted(code, details)


class Deployment:
    """What the engine does with one resource after another: Check, Diff, Create, Update, Read, Delete."""

    def __init__(
        self, folder: Path, pause: Callable[[float], object] | None = None, crash: Callable[[], object] | None = None
    ) -> None:
        self.state = State(folder / "clouds.db")
        more = {key: value for key, value in (("pause", pause), ("crash", crash)) if value is not None}
        self.service = Service(self.state, **more)  # type: ignore[arg-type]
        self.context: Any = Context()

    def provider(self, type_: str) -> Provider:
        cloud = cloud_of(clouds_of_engine().values(), type_)
        assert cloud is not None
        return Provider(cloud, "1.2.3", self.service)

    def check(
        self, type_: str, name: str, inputs: Mapping[str, Any], olds: Mapping[str, Any] | None = None, **more: Any
    ) -> dict[str, Any]:
        """The checked inputs. Fails the test if the cloud objects."""
        answer = self.answer(type_, name, inputs, olds, **more)
        assert not answer.failures, [failure.reason for failure in answer.failures]
        return from_struct(answer.inputs)

    def answer(
        self, type_: str, name: str, inputs: Mapping[str, Any], olds: Mapping[str, Any] | None = None, **more: Any
    ) -> provider_pb2.CheckResponse:
        request = provider_pb2.CheckRequest(
            urn=urn(type_, name), type=type_, name=name, news=to_struct(inputs), olds=struct(olds), **more
        )
        return self.provider(type_).Check(request, self.context)

    def create(self, type_: str, name: str, inputs: Mapping[str, Any], **more: Any) -> tuple[str, dict[str, Any]]:
        """Check and Create: the id and the outputs."""
        checked = self.check(type_, name, inputs, randomSeed=name.encode())
        request = provider_pb2.CreateRequest(urn=urn(type_, name), type=type_, properties=to_struct(checked), **more)
        made = self.provider(type_).Create(request, self.context)
        return made.id, from_struct(made.properties)

    def diff(
        self,
        type_: str,
        olds: Mapping[str, Any],
        news: Mapping[str, Any],
        ignore: tuple[str, ...] = (),
        state: Mapping[str, Any] | None = None,
    ) -> provider_pb2.DiffResponse:
        request = provider_pb2.DiffRequest(
            urn=urn(type_, "it"), type=type_, id="it", old_inputs=to_struct(olds), olds=struct(state), news=to_struct(news),
            ignoreChanges=ignore,
        )  # fmt: skip
        return self.provider(type_).Diff(request, self.context)

    def update(
        self, type_: str, id_: str, news: Mapping[str, Any], olds: Mapping[str, Any] | None = None, **more: Any
    ) -> dict[str, Any]:
        request = provider_pb2.UpdateRequest(
            urn=urn(type_, "it"), type=type_, id=id_, news=to_struct(news), olds=struct(olds), **more
        )
        return from_struct(self.provider(type_).Update(request, self.context).properties)

    def delete(self, type_: str, id_: str) -> None:
        self.provider(type_).Delete(provider_pb2.DeleteRequest(urn=urn(type_, "it"), type=type_, id=id_), self.context)

    def read(self, type_: str, id_: str, inputs: Mapping[str, Any] | None = None) -> provider_pb2.ReadResponse:
        request = provider_pb2.ReadRequest(urn=urn(type_, "it"), type=type_, id=id_, inputs=struct(inputs))
        return self.provider(type_).Read(request, self.context)


def struct(values: Mapping[str, Any] | None) -> struct_pb2.Struct:
    return to_struct(values or {})


def urn(type_: str, name: str) -> str:
    return f"urn:pulumi:dev::demo::{type_}::{name}"


def group(*hosts: str, capacity: int = 100, order: str = "STRICT_ORDER", **more: Any) -> dict[str, Any]:
    """Inputs of a rule group that passes `hosts`."""
    rules = "".join(RULE.format(host, number) for number, host in enumerate(hosts or ("cgr.dev",), start=1))
    options = {"statefulRuleOptions": {"ruleOrder": order}}
    return {
        "capacity": capacity,
        "type": "STATEFUL",
        "ruleGroup": {"rulesSource": {"rulesString": rules}, **options},
        **more,
    }


def policy(*arns: str, order: str = "STRICT_ORDER", **more: Any) -> dict[str, Any]:
    """Inputs of an AWS firewall policy that refers to the groups."""
    references = [{"resourceArn": arn, "priority": 100 + index} for index, arn in enumerate(arns)]
    body: dict[str, Any] = {
        "statelessDefaultActions": ["aws:forward_to_sfe"],
        "statelessFragmentDefaultActions": ["aws:forward_to_sfe"],
        "statefulEngineOptions": {"ruleOrder": order},
        "statefulRuleGroupReferences": references,
    }
    if order == "STRICT_ORDER":
        body["statefulDefaultActions"] = ["aws:drop_established"]
    return {"firewallPolicy": body, **more}


def gcp_rule(policy_name: str, priority: int = 1000, **more: Any) -> dict[str, Any]:
    return {
        "action": "allow",
        "direction": "EGRESS",
        "firewallPolicy": policy_name,
        "priority": priority,
        "match": {"destFqdns": ["cgr.dev"], "layer4Configs": [{"ipProtocol": "tcp", "ports": ["443"]}]},
        **more,
    }


def azure_group(name: str, priority: int = 200, policy_name: str = "fp", **more: Any) -> dict[str, Any]:
    rule = {
        "ruleType": "ApplicationRule",
        "name": "https-443",
        "sourceAddresses": ["*"],
        "protocols": [{"protocolType": "Https", "port": 443}],
        "targetFqdns": ["cgr.dev"],
    }
    collection = {
        "ruleCollectionType": "FirewallPolicyFilterRuleCollection",
        "name": "allow",
        "priority": 100,
        "action": {"type": "Allow"},
        "rules": [rule],
    }
    return {
        "resourceGroupName": "rg",
        "firewallPolicyName": policy_name,
        "ruleCollectionGroupName": name,
        "priority": priority,
        "ruleCollections": [collection],
        **more,
    }
