"""What the network security API refuses: inputs at check time, and calls by what else is held; what replaces."""

from pathlib import Path
from typing import Any

import pytest
from test_sandbox_clouds import GCP_RULE, GONE, changed, only

from hostgate.gcp.resources import POLICY, RULE
from hostgate.gcp.resources_url_filter import ENDPOINT, ENDPOINT_ASSOCIATION, PROFILE, PROFILE_GROUP
from hostgate.sandbox.gcp import CLOUD
from hostgate.sandbox.input_changes import DEFAULTS, diff
from hostgate.sandbox.lifecycle import Account, Refusal
from hostgate.sandbox.service import Service, account_of, lifecycle_of
from hostgate.sandbox.state import State

IN, AT = "urlFilteringProfile/urlFilters", "urlFilteringProfile.urlFilters"
ZONE, NET = "europe-west1-b", "projects/p/global/networks/n"
FILTER = {"filteringAction": "ALLOW", "priority": 1_000, "urls": ["cgr.dev", "*.x.dev", "*y.dev", "*"]}
URLS = {
    "name": "urls", "parent": "projects/p", "location": "global", "type": "URL_FILTERING",
    "urlFilteringProfile": {"urlFilters": [FILTER, {**FILTER, "priority": 0, "urls": ["z.dev"]}]},
}  # fmt: skip
GROUP = {
    "name": "group", "parent": "projects/p", "location": "global",
    "urlFilteringProfile": "projects/p/locations/global/securityProfiles/urls",
}  # fmt: skip
POINT = {"name": "e", "parent": "projects/p", "location": ZONE, "endpointSettings": {"jumboFramesEnabled": True}}
BOUND = {
    "name": "a", "parent": "projects/p", "location": ZONE, "network": NET,
    "firewallEndpoint": f"projects/p/locations/{ZONE}/firewallEndpoints/e",
}  # fmt: skip
INSPECTING = {
    **GCP_RULE, "firewallPolicy": "egress", "action": "apply_security_profile_group", "enableLogging": False,
    "securityProfileGroup": "//networksecurity.googleapis.com/projects/p/locations/global/securityProfileGroups/group",
}  # fmt: skip


@pytest.mark.parametrize(
    ("type_", "inputs", "path", "value", "where", "said"),
    [
        (PROFILE, URLS, "type", GONE, "type", "missing"),
        (PROFILE, URLS, "type", "URL", "type", "not a value"),
        (PROFILE, URLS, "type", "THREAT_PREVENTION", "urlFilteringProfile", "URL filters"),
        (PROFILE, URLS, "name", "With-Capital", "name", "wrong form"),
        (PROFILE, URLS, "parent", "folders/1", "parent", "wrong form"),
        (PROFILE, URLS, "description", "x" * 513, "description", "wrong length"),
        (PROFILE, URLS, f"{IN}/1/priority", 1_000, f"{AT}[1].priority", "duplicate"),
        (PROFILE, URLS, f"{IN}/1/priority", 2**31, f"{AT}[1].priority", "range"),
        (PROFILE, URLS, f"{IN}/0/urls", [], f"{AT}[0].urls", "too few"),
        (PROFILE, URLS, f"{IN}/0/urls", GONE, f"{AT}[0].urls", "missing"),
        (PROFILE, URLS, f"{IN}/0/filteringAction", "allow",
         f"{AT}[0].filteringAction", "not a value"),
        *(
            (PROFILE, URLS, f"{IN}/0/urls/0", text, f"{AT}[0].urls[0]", said)
            for text, said in (
                ("https://cgr.dev", "wrong form"), ("cgr.dev/x", "wrong form"), ("cgr.dev:443", "wrong form"),
                ("a.*.dev", "wrong form"), ("**.dev", "wrong form"), (".cgr.dev", "wrong form"), ("a..dev", "wrong form"),
                ("münchen.example", "wrong form"), (f"{'a' * 64}.dev", "wrong form"), (f"{'a.' * 127}dev", "wrong length"),
            )
        ),
        (ENDPOINT, POINT, "location", "europe-west1", "location", "wrong form"),
        (ENDPOINT, POINT, "parent", "organizations/1", "billingProjectId", "missing"),
        (ENDPOINT_ASSOCIATION, BOUND, "parent", "organizations/1", "parent", "wrong form"),
        (ENDPOINT_ASSOCIATION, BOUND, "network", GONE, "network", "missing"),
        (PROFILE_GROUP, GROUP, "urlFilteringProfile", "", "urlFilteringProfile", "wrong length"),
    ],
)  # fmt: skip
def test_an_input_that_the_api_refuses_is_refused_at_its_place(
    type_: str, inputs: dict[str, Any], path: str, value: object, where: str, said: str
) -> None:
    assert CLOUD.check(type_, inputs) == []
    problem = only(CLOUD.check(type_, changed(inputs, path, value)))
    assert problem.path == where
    assert said in problem.what


@pytest.fixture
def service(tmp_path: Path) -> Service:
    made = Service(State(tmp_path / "clouds.db"), Account(project="p"))
    for type_, inputs in ((PROFILE, URLS), (PROFILE_GROUP, GROUP), (ENDPOINT, POINT), (ENDPOINT_ASSOCIATION, BOUND),
                          (POLICY, {"name": "egress"}), (RULE, INSPECTING)):  # fmt: skip
        made.create(type_, inputs)
    return made


def id_of(service: Service, type_: str) -> str:
    (held,) = service.state.objects(type_)
    return held.id


@pytest.mark.parametrize(
    ("type_", "before", "said"),
    [
        (PROFILE, PROFILE_GROUP, "securityProfileGroups/group holds the profile"),
        (PROFILE_GROUP, RULE, "refers to the group"),
        (ENDPOINT, ENDPOINT_ASSOCIATION, "is associated with the endpoint"),
    ],
)
def test_what_is_referred_to_goes_last(service: Service, type_: str, before: str, said: str) -> None:
    with pytest.raises(Refusal, match=said):
        service.delete(type_, id_of(service, type_))
    for each in (RULE, before):
        for held in service.state.objects(each):
            service.delete(each, held.id)
    service.delete(type_, id_of(service, type_))
    assert service.state.objects(type_) == []


@pytest.mark.parametrize(
    ("type_", "inputs", "said"),
    [
        (PROFILE_GROUP, {**GROUP, "name": "other", "urlFilteringProfile": "projects/p/x"}, "not found"),
        (RULE, {**INSPECTING, "priority": 1, "securityProfileGroup": "//networksecurity.googleapis.com/x"}, "not found"),
        (ENDPOINT_ASSOCIATION, {**BOUND, "name": "b", "firewallEndpoint": "projects/p/x"}, "not found"),
        (ENDPOINT_ASSOCIATION, {**BOUND, "name": "b", "location": "europe-west1-c"}, "of another zone"),
        (ENDPOINT_ASSOCIATION, {**BOUND, "name": "b", "disabled": True}, "not made disabled"),
        (PROFILE, URLS, "exists already"),
    ],
)  # fmt: skip
def test_a_call_that_the_service_refuses_changes_nothing(
    service: Service, type_: str, inputs: dict[str, Any], said: str
) -> None:
    before = service.state.objects()
    with pytest.raises(Refusal, match=said):
        service.create(type_, inputs)
    assert service.state.objects() == before


def test_an_association_is_disabled_by_an_update(service: Service) -> None:
    made = service.update(ENDPOINT_ASSOCIATION, id_of(service, ENDPOINT_ASSOCIATION), {**BOUND, "disabled": True})
    assert made.outputs["disabled"] is True


@pytest.mark.parametrize(
    ("type_", "inputs", "path", "value", "replaces"),
    [
        (PROFILE, URLS, "type", "THREAT_PREVENTION", True),
        (PROFILE, URLS, "parent", "organizations/1", True),
        (PROFILE, URLS, "name", "other", True),
        (PROFILE, URLS, f"{IN}/0/urls", ["*.x.dev", "cgr.dev"], False),  # order counts as well
        (PROFILE_GROUP, GROUP, "location", "europe-west1", True),
        (PROFILE_GROUP, GROUP, "urlFilteringProfile", "x", False),
        (ENDPOINT, POINT, "endpointSettings/jumboFramesEnabled", False, True),
        (ENDPOINT, POINT, "billingProjectId", "pay", False),
        (ENDPOINT_ASSOCIATION, BOUND, "location", "europe-west1-c", True),
        (ENDPOINT_ASSOCIATION, BOUND, "firewallEndpoint", "x", False),
        (ENDPOINT_ASSOCIATION, BOUND, "disabled", True, False),
    ],
)
def test_what_the_provider_cannot_change_in_place(
    type_: str, inputs: dict[str, Any], path: str, value: object, replaces: bool
) -> None:
    news = {**changed(inputs, path, value), DEFAULTS: ["name"]}
    found = diff(CLOUD.types[type_], lifecycle_of(type_), {**inputs, DEFAULTS: ["name"]}, news)
    assert found.paths
    assert bool(found.replacing) == replaces


def test_an_object_of_an_organization_is_read_back_as_it_is(service: Service) -> None:
    made = service.create(PROFILE, {**URLS, "parent": "organizations/1"})
    assert made.id == "organizations/1/locations/global/securityProfiles/urls"
    assert account_of(made) == Account()
    read = service.read(PROFILE, made.id)
    assert read is not None
    assert read.computed == made.computed


def test_an_endpoint_lists_its_networks(service: Service) -> None:
    read = service.read(ENDPOINT, id_of(service, ENDPOINT))
    assert read is not None
    assert read.outputs["associatedNetworks"] == [NET]
    assert read.outputs["state"] == "ACTIVE"
