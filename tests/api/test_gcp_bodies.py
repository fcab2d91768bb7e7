"""GCP bodies against the discovery documents that google-api-python-client ships."""

import copy
import json
import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from api.plans import objects

POLICY, RULE, ASSOCIATION = "compute#firewallPolicy", "compute#firewallPolicyRule", "compute#firewallPolicyAssociation"
SECURITY = "networksecurity.googleapis.com/"
SCHEMAS = {POLICY: "FirewallPolicy", RULE: "FirewallPolicyRule", ASSOCIATION: "FirewallPolicyAssociation"} | {
    f"{SECURITY}{name}": name
    for name in (
        "AddressGroup",
        "SecurityProfile",
        "SecurityProfileGroup",
        "FirewallEndpoint",
        "FirewallEndpointAssociation",
    )
}
PROXY_RULE = "networksecurity#gatewaySecurityPolicyRule"
SCHEMAS |= {
    "networksecurity#urlList": "UrlList",
    "networksecurity#gatewaySecurityPolicy": "GatewaySecurityPolicy",
    PROXY_RULE: "GatewaySecurityPolicyRule",
    "networkservices#gateway": "Gateway",
    "networkconnectivity#policyBasedRoute": "PolicyBasedRoute",
    "compute#route": "Route",
    "compute#subnetwork": "Subnetwork",
    "dns#responsePolicy": "ResponsePolicy",
    "dns#responsePolicyRule": "ResponsePolicyRule",
}
DOCUMENTS = ("compute.v1", "networksecurity.v1", "networkservices.v1", "networkconnectivity.v1", "dns.v1")
LOCATED = re.compile(
    r"(?:projects|organizations)/[a-z0-9-]+/locations/[a-z0-9-]+/(?:[A-Za-z]+/[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?/?)+"
)
"""Full names of what is in a location; the pattern of their last part is in the document's prose."""
NAME = re.compile(r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?")
"""Of policies and rules (RFC 1035); the document has the pattern on some names only."""

ACTIONS = ("allow", "deny", "goto_next", "apply_security_profile_group")
"""In the prose of FirewallPolicyRule.action."""


@cache
def schemas() -> dict[str, Any]:
    spec = find_spec("googleapiclient")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent / "discovery_cache" / "documents"
    found: dict[str, Any] = {}
    for document in DOCUMENTS:
        found = {**json.loads((folder / f"{document}.json").read_text())["schemas"], **found}
    return found


def wrong(value: Any, schema: dict[str, Any], path: str = "") -> Iterator[str]:
    """What the document says against `value`: unknown and read-only properties, types, enums, patterns, ranges."""
    schema = schemas()[schema["$ref"]] if "$ref" in schema else schema
    types: dict[str, Any] = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int}
    wanted = types[schema["type"]]
    if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
        yield f"{path}: {value!r} is no {schema['type']}"
    elif wanted is dict:
        for key, item in value.items():
            known = schema.get("properties", {}).get(key, schema.get("additionalProperties"))
            if known is None or known.get("readOnly"):
                yield f"{path}.{key}: {'unknown' if known is None else 'read-only'}"
            else:
                yield from wrong(item, known, f"{path}.{key}")
    elif wanted is list:
        for index, item in enumerate(value):
            yield from wrong(item, schema["items"], f"{path}[{index}]")
    elif "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is none of {schema['enum']}"
    elif "pattern" in schema and not re.fullmatch(schema["pattern"], value):
        yield f"{path}: {value!r} does not match {schema['pattern']}"
    elif schema.get("format") == "int32" and not -(2**31) <= value < 2**31:
        yield f"{path}: {value} is no int32"


def wrong_rule(body: dict[str, Any]) -> Iterator[str]:
    """What the document says in prose only."""
    match = body.get("match", {})
    if body.get("action") not in ACTIONS:
        yield f"action {body.get('action')!r}"
    hierarchical = "ruleName" not in body and ": hostgate: " in body.get("description", "")
    if not hierarchical and not NAME.fullmatch(body.get("ruleName", "")):
        yield f"ruleName {body.get('ruleName')!r}"
    if not 0 <= body.get("priority", -1) <= 2_147_483_547:
        yield f"priority {body.get('priority')}"
    if not match.get("layer4Configs"):
        yield "no layer4Configs"
    if body.get("direction") != "EGRESS" or any(key.startswith("src") for key in match if key != "srcIpRanges"):
        yield "not an egress rule"
    if not any(match.get(key) for key in ("destFqdns", "destIpRanges", "destAddressGroups")):
        yield "no destination"
    if body.get("action") == "goto_next" and body.get("enableLogging"):
        yield "logging on goto_next"
    if body.get("targetSecureTags") and body.get("targetServiceAccounts"):
        yield "both secure tags and service accounts"
    for config in match.get("layer4Configs", ()):
        if config.get("ports") and config["ipProtocol"] not in ("tcp", "udp"):
            yield "ports of a protocol without ports"
    for name in match.get("destFqdns", ()):
        if "*" in name or "." not in name:
            yield f"destFqdns {name!r}"


def test_every_body_is_one_that_the_discovery_document_takes() -> None:
    checked = set()
    for plan, each in objects("gcp"):
        assert list(wrong(dict(each.body), schemas()[SCHEMAS[each.kind]])) == [], f"{plan}: {each.name}"
        if each.kind == RULE:
            assert list(wrong_rule(dict(each.body))) == [], f"{plan}: {each.name}"
        if not each.kind.startswith(("compute#", "dns#")):
            assert LOCATED.fullmatch(each.body["name"]), each.body["name"]
        if each.kind == POLICY:
            assert NAME.fullmatch(each.body.get("name") or each.body["shortName"])
        checked.add(each.kind)
    assert checked == set(SCHEMAS)


@pytest.mark.parametrize(
    ("path", "value", "word"),
    [
        (("direction",), "egress", "none of"),
        (("direction",), "INGRESS", "not an egress rule"),
        (("priority",), "2000", "no integer"),
        (("priority",), 2_147_483_548, "priority"),
        (("priority",), 2**31, "no int32"),
        (("rule_name",), "x", "unknown"),
        (("ruleTupleCount",), 1, "read-only"),
        (("ruleName",), "With-Capital", "ruleName"),
        (("action",), "permit", "action"),
        (("match", "dest_fqdns"), ["x.dev"], "unknown"),
        (("match", "destFqdns"), ["*.x.dev"], "destFqdns"),
        (("match", "destFqdns"), [], "no destination"),
        (("match", "layer4Configs", 0, "ports"), [443], "no string"),
        (("match", "layer4Configs", 0, "ipProtocol"), "all", "ports of a protocol"),
        (("targetSecureTags",), ["tagValues/1"], "no object"),
    ],
)
def test_a_bad_body_is_found(path: tuple[str | int, ...], value: object, word: str) -> None:
    body = copy.deepcopy(dict(next(each.body for _, each in objects("gcp") if each.kind == RULE)))
    place: Any = body
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    said = list(wrong(body, schemas()["FirewallPolicyRule"]))
    said += list(wrong_rule(body)) if isinstance(body["priority"], int) else []
    assert any(word in message for message in said), said
