"""The exported CiliumNetworkPolicy: only fields that its definition has, and the meaning that Cilium gives to them."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from conformance.catalogs import entry, many, selection
from hostgate.catalog.model import MATCHES
from hostgate.catalog.problems import InputError
from hostgate.planning.plan import plan

RULE, L4, FQDN, L7 = (f"cilium/cilium pkg/policy/api/{name}.go" for name in ("rule", "l4", "fqdn", "l7"))
EGRESS, META = "cilium/cilium pkg/policy/api/egress.go", "Kubernetes API, ObjectMeta"
NAME, PATTERN = r"([-a-zA-Z0-9_]+[.]?)+", r"([-a-zA-Z0-9_*]+[.]?)+"

FIELDS: dict[str, tuple[str, str]] = {
    "apiVersion": ("cilium.io/v2", "cilium/cilium pkg/k8s/apis/cilium.io/v2/cnp_types.go"),
    "kind": ("CiliumNetworkPolicy", "cilium/cilium pkg/k8s/apis/cilium.io/v2/cnp_types.go"),
    "metadata.name": (r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", META),
    "metadata.namespace": (r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", META),
    "spec.endpointSelector.matchLabels.*": (r"([A-Za-z0-9][A-Za-z0-9._-]{0,62})?", RULE),
    "spec.egress[].toEndpoints[].matchLabels.*": (r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", EGRESS),
    "spec.egress[].toFQDNs[].matchName": (NAME, FQDN),
    "spec.egress[].toFQDNs[].matchPattern": (PATTERN, FQDN),
    "spec.egress[].toPorts[].ports[].port": (r"[0-9]{1,5}", L4),
    "spec.egress[].toPorts[].ports[].protocol": (r"TCP|UDP|SCTP|ICMP|ICMPV6|ANY", L4),
    "spec.egress[].toPorts[].serverNames[]": (NAME, L4),
    "spec.egress[].toPorts[].rules.dns[].matchName": (NAME, L7),
    "spec.egress[].toPorts[].rules.dns[].matchPattern": (PATTERN, L7),
}
"""Paths of the published definition (1.20, read 2026-11-28) that the export may use: the form of a value, and its source."""


def document(*entries: Any, **options: Any) -> dict[str, Any]:
    made = plan(selection(entries), "export:cilium", options)
    found = yaml.safe_load(made.objects[0].text or "")
    assert isinstance(found, dict)
    return found


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, f"{path}.*" if path.endswith("matchLabels") else f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item, f"{path}[]")
    else:
        yield path, value


KINDS = [
    entry("one.example"),
    entry("below.example", match="subtree"),
    entry("label.example", match="one-label", port=8443),
    entry("all.example", match="subtree+apex", protocol="tls"),
    entry("plain.example", protocol="http", port=80),
    entry("time.example", protocol="udp", port=123),
]


def test_every_field_is_one_of_the_definition_with_a_value_of_its_form() -> None:
    found = list(leaves(document(*KINDS, namespace="ci", select=["app=builder", "team.example/x=y", "empty="])))
    assert {path for path, _ in found} == set(FIELDS)
    for path, value in found:
        assert isinstance(value, str), (path, value)
        assert re.fullmatch(FIELDS[path][0], value), (path, value)
        assert len(value) <= 255


@pytest.mark.parametrize("match", MATCHES)
def test_dns_may_be_asked_for_the_names_that_may_be_connected_to_and_no_other(match: str) -> None:
    dns, rule = document(entry(match=match))["spec"]["egress"]
    assert dns["toPorts"][0]["rules"]["dns"] == rule["toFQDNs"]
    wanted = {
        "exact": [{"matchName": "cgr.dev"}],
        "one-label": [{"matchPattern": "*.cgr.dev"}],
        "subtree": [{"matchPattern": "**.cgr.dev"}],
        "subtree+apex": [{"matchName": "cgr.dev"}, {"matchPattern": "**.cgr.dev"}],
    }
    assert rule["toFQDNs"] == wanted[match]


def test_an_exact_name_of_tls_asks_for_its_sni_and_what_cannot_be_said_does_not() -> None:
    rules = {rule["toFQDNs"][0].popitem()[1]: rule["toPorts"][0] for rule in document(*KINDS)["spec"]["egress"][1:]}
    assert [host for host, ports in rules.items() if "serverNames" in ports] == ["one.example"]
    assert rules["one.example"]["serverNames"] == ["one.example"]


def test_nothing_allowed_denies_all_and_nothing_named_means_every_pod_of_the_namespace() -> None:
    empty = document()
    assert empty["spec"] == {"endpointSelector": {}, "egress": [{}]}
    assert "namespace" not in empty["metadata"]


def test_a_policy_that_no_cluster_stores_is_refused() -> None:
    assert not plan(selection(many(3_000)), "export:cilium").refused
    assert plan(selection(many(20_000)), "export:cilium").refused


@pytest.mark.parametrize(
    "options", [{"select": ["app"]}, {"select": ["a b=c"]}, {"namespace": "No"}, {"select": ["=x"]}]
)
def test_labels_and_namespaces_that_kubernetes_does_not_have_are_told(options: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        document(entry(), **options)


def test_a_label_has_one_value() -> None:
    with pytest.raises(InputError, match="found a with several values"):
        document(entry(), select=["a=b", "b=b", "a=c"])
    assert document(entry(), select=["a=b", "b=b", "a=b"])["spec"]["endpointSelector"] == {
        "matchLabels": {"a": "b", "b": "b"}
    }
