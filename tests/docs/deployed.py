"""Programs deployed on the simulated clouds without the CLI: one run, in which the clouds' own service makes every object."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import resource_pb2

from hostgate.azure.resources import GROUP as AZURE_GROUP
from hostgate.azure.resources import POLICY as AZURE_POLICY
from hostgate.flows.nodes import UNKNOWN
from hostgate.gcp.resources import ASSOCIATION as GCP_ASSOCIATION
from hostgate.gcp.resources import POLICY as GCP_POLICY
from hostgate.gcp.resources import RULE as GCP_RULE
from hostgate.sandbox import builtin_preview as built_in
from hostgate.sandbox.clouds import Cloud
from hostgate.sandbox.lifecycle import Account, Refusal, last_part
from hostgate.sandbox.monitor import Monitor
from hostgate.sandbox.preview_problems import PreviewProblem, does_not_exist
from hostgate.sandbox.registry import RegistryEntry
from hostgate.sandbox.resources import Preview
from hostgate.sandbox.service import Service
from hostgate.sandbox.state import State, StoredObject
from hostgate.sandbox.wire_values import plain_fields, to_struct

STACK = "dev"
NETWORK = "projects/{}/global/networks/default"
Outputs = Mapping[str, Mapping[str, Any]]
"""Of stacks that are deployed already, by `organization/PROJECT/STACK`."""


@dataclass(frozen=True)
class Deployed:
    """What a program made: at its first preview, and then in the clouds. `foreign`: policies that were there before;
    `others`: what was deployed in the same clouds before, by stacks that it takes outputs from."""

    first: Preview
    made: Preview
    others: Sequence[Preview]
    folder: Path
    held: Sequence[StoredObject]
    foreign: Sequence[str]


class _Referring(Monitor):
    """A preview that knows the outputs of other stacks."""

    def __init__(
        self, project: str, stack: str, clouds: Sequence[Cloud], config: Mapping[str, str], others: Outputs
    ) -> None:
        super().__init__(project, stack, clouds, config)
        self._others = others

    def _create(self, entry: RegistryEntry) -> resource_pb2.RegisterResourceResponse:
        """What a program adopts is there."""
        made = super()._create(entry)
        self.problems = [each for each in self.problems if each.what != does_not_exist(entry.id)]
        return made

    def ReadResource(  # noqa: N802
        self, request: resource_pb2.ReadResourceRequest, context: grpc.ServicerContext
    ) -> resource_pb2.ReadResourceResponse:
        if request.id not in self._others:
            return super().ReadResource(request, context)
        properties = {"name": request.id, "outputs": dict(self._others[request.id]), "secretOutputNames": []}
        return resource_pb2.ReadResourceResponse(urn=request.name, properties=to_struct(properties))


class _Deploying(_Referring):
    """An engine that makes what it is asked for. What a cloud refuses is a problem of the run."""

    def __init__(
        self,
        project: str,
        stack: str,
        clouds: Sequence[Cloud],
        config: Mapping[str, str],
        others: Outputs,
        service: Service,
    ) -> None:
        super().__init__(project, stack, clouds, config, others)
        self._service = service

    def _create(self, entry: RegistryEntry) -> resource_pb2.RegisterResourceResponse:
        answer = super()._create(entry)
        if answer.result == resource_pb2.FAIL:
            return answer
        checked = self.entries[entry.urn]
        try:
            held = self._service.create(entry.type, plain_fields(checked.inputs, reveal=True))
        except Refusal as refused:
            self.problems.append(PreviewProblem(str(refused), urn=entry.urn, type=entry.type, name=entry.name))
            return resource_pb2.RegisterResourceResponse(urn=entry.urn, result=resource_pb2.FAIL)
        made = replace(checked, id=held.id, outputs={**checked.inputs, **held.computed})
        self.entries[entry.urn] = made
        return self._answer(made)


def deployed(project: Path, config: Mapping[str, str], folder: Path, stacks: "Mapping[str, Deployed]") -> Deployed:
    """Preview and deploy the program at `project`. Policies that it names and does not make are there before it runs.

    `folder` keeps the clouds; those of `stacks`, which the program refers to, are used where there are some.
    """
    outputs: Outputs = {reference: each.made.outputs for reference, each in stacks.items()}
    folder = next((each.folder for each in stacks.values()), folder)
    with _monitor(lambda *told: _Referring(*told, outputs)):
        first = built_in.preview(project, STACK, config)
    project_id = config.get("gcp:project", "acme-prod")
    service = Service(State(folder / "clouds.db"), Account(project=project_id))
    before = foreign_policies(first, service, project_id)
    with _monitor(lambda *told: _Deploying(*told, outputs, service)):
        made = built_in.preview(project, STACK, config)
    others = [each.made for each in stacks.values()]
    return Deployed(first, made, others, folder, service.state.objects(), before)


@contextmanager
def _monitor(make: Any) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(built_in, "Monitor", make)
        yield


def foreign_policies(first: Preview, service: Service, project: str) -> list[str]:
    """Make the policies that rules are attached to, but for those that another stack made, with what such a policy must
    have: on Google Cloud a last deny of everything and an association, on Azure nothing, because the service denies what
    no rule allows. Their names."""
    there = {each.id for each in service.state.objects(GCP_POLICY)}
    google = sorted(_names(first, "firewallPolicy", GCP_RULE) - _names(first, "name", GCP_POLICY) - there)
    azure = sorted(_names(first, "firewallPolicyName", AZURE_GROUP) - _names(first, "firewallPolicyName", AZURE_POLICY))
    for name in google:
        service.create(GCP_POLICY, {"name": last_part(name)})
        for priority, cidr in ((2_000_000_000, "0.0.0.0/0"), (2_000_000_001, "::/0")):
            match = {"destIpRanges": [cidr], "layer4Configs": [{"ipProtocol": "all"}]}
            told = {"priority": priority, "direction": "EGRESS", "action": "deny", "ruleName": f"deny-{priority}"}
            service.create(GCP_RULE, {"firewallPolicy": last_part(name), "match": match, **told})
        association = {
            "name": "default",
            "attachmentTarget": NETWORK.format(project),
            "firewallPolicy": last_part(name),
        }
        service.create(GCP_ASSOCIATION, association)
    for name in azure:
        service.create(AZURE_POLICY, {"resourceGroupName": "rg-hub", "firewallPolicyName": name})
    return [*google, *azure]


def _names(first: Preview, key: str, type_: str) -> set[str]:
    return {str(each.inputs[key]) for each in first.resources if each.type == type_ and each.inputs[key] is not UNKNOWN}
