"""The schema that a component package serves: SDKs, editors and registries in every language read it.

The SDK makes a schema of the components' classes. What it leaves out is taken from where it is said already: required
keys, closed sets and defaults from the options of the mechanisms, words from the classes. Python's names and habits are
put into the words of all languages.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from inspect import cleandoc
from typing import Any, Final, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.alias_generators import to_camel, to_snake

from hostgate.catalog.model import Direction, Party, Phase
from hostgate.planning.mechanism import mechanism
from hostgate.planning.targets import beside_targets, rows

LICENSE: Final = "Apache-2.0"
PUBLISHER: Final = "hostgate"
REPOSITORY: Final = "https://github.com/OWNER/hostgate"
"""Whoever publishes the packages puts the owner's name in place of OWNER, here and in docs/components.md."""

_CLOUDS = {"aws": "AWS", "gcp": "Google Cloud", "azure": "Azure"}
_Sets = dict[str, tuple[str, tuple[str, ...]]]
"""Closed sets by the name of their type: the key that takes one, and the values."""

_NARROWING: Mapping[str, Any] = {"phases": Phase, "parties": Party, "directions": Direction}

EFFECTS: Final[Mapping[str, Mapping[str, str]]] = {
    "Access": {
        "private": "By the addresses of private.googleapis.com.",
        "restricted": "By the addresses of restricted.googleapis.com, which serve what VPC Service Controls supports.",
        "psc": "By endpoints of Private Service Connect, whose addresses are given.",
    },
    "BlockResponse": {
        "NODATA": "The name exists and has no such record.",
        "NXDOMAIN": "The name does not exist, nor anything below it.",
        "OVERRIDE": "The CNAME that overrideDomain names.",
    },
    "Contents": {
        "pool": "The program: at each update what the pool says.",
        "refresher": "hostgate pool push, after the program has filled the list once, when it made it.",
    },
    "Deny": {
        "internet": "What no rule allows is denied; private ranges are passed on.",
        "all": "What no rule allows is denied, private ranges too.",
        "declared": "The deny exists elsewhere: it is neither made nor checked.",
        "none": "Nothing is denied, so nothing is enforced.",
    },
    "Direction": {"egress": "Connections to the host.", "ingress": "Connections from the host; no rule allows them."},
    "FailMode": {
        "closed": "Queries are refused while DNS Firewall does not answer.",
        "open": "Every name resolves while DNS Firewall does not answer.",
        "unset": "The VPC's setting is left alone.",
    },
    "Family": {"ipv4": "IPv4.", "ipv6": "IPv6."},
    "IntrusionDetection": {
        "Off": "Nothing is looked for.",
        "Alert": "What a signature recognises is logged, and passes.",
        "Deny": "What a signature recognises is denied, before any rule allows it.",
    },
    "IpAddressType": {
        "IPV4": "An endpoint with an IPv4 address.",
        "IPV6": "An endpoint with an IPv6 address.",
        "DUALSTACK": "An endpoint with both.",
    },
    "LogDestinationType": {
        "S3": "A bucket: bucketName and, if need be, prefix.",
        "CloudWatchLogs": "A log group: logGroup.",
        "KinesisDataFirehose": "A delivery stream: deliveryStream.",
    },
    "LogType": {
        "ALERT": "What rules drop, reject or alert on.",
        "FLOW": "Every flow, without a verdict.",
        "TLS": "Events of TLS inspection.",
    },
    "Mode": {
        "enforce": "What no rule allows is denied.",
        "audit": "The same rules, but what enforce would block passes and is logged.",
    },
    "Override": {"DROP_TO_ALERT": "What the group would drop is logged and goes on."},
    "Party": {"first": "The vendor's own hosts.", "third": "Hosts of others that the vendor's product needs."},
    "Phase": {
        "pull": "Pulling what the vendor publishes.",
        "build": "Building with it.",
        "console": "The vendor's console in a browser.",
        "cli": "The vendor's command line.",
        "support": "Asking the vendor for help.",
        "development": "Working on code.",
    },
    "ResponsePolicy": {
        "make": "A response policy is made that leads the hosts there.",
        "declared": "Something does so already, for the whole of googleapis.com; it is not checked.",
    },
    "Route": {
        "policy-based": "Policy-based routes; they win over every other route.",
        "static": "A static route for the instances with networkTags.",
    },
    "Routing": {
        "next-hop": "Routes lead traffic to the proxy; clients know nothing of it.",
        "explicit": "Clients are told to use the proxy; no routes are made.",
    },
    "Tier": {
        "Basic": "Application rules only; no names in network rules.",
        "Standard": "Names in network rules too.",
        "Premium": "As Standard; the tier in which TLS inspection and intrusion detection can be had.",
    },
    "ThreatIntelMode": {
        "Off": "Nothing is compared.",
        "Alert": "What Microsoft knows as malicious is logged, and passes.",
        "Deny": "What Microsoft knows as malicious is denied, before any rule allows it.",
    },
    "Type": {
        "CUSTOMER_KMS": "A key of the account, which `keyId` names.",
        "AWS_OWNED_KMS_KEY": "A key that AWS owns.",
    },
}
"""What each value of a closed set does, by the set's name. What a mechanism is, its title says."""


def served(schema: Mapping[str, Any], package: str) -> dict[str, Any]:
    """The SDK's `schema` of the package `hostgate-CLOUD`, finished. Raises ValueError: two closed sets have one name."""
    cloud = package.removeprefix("hostgate-")
    finished: dict[str, Any] = _worded(_renamed(schema))
    sets: _Sets = {}
    for token, component in finished["resources"].items():
        targets = [each for each in rows() if each.cloud == cloud and each.component.endswith(f":{_last(token)}")]
        inputs = component["inputProperties"]
        if targets:
            component["requiredInputs"] = ["catalogs"]  # in Python a Selection or a plan may stand in their place
        for key, values in _NARROWING.items():
            _close(inputs[key], key, get_args(values), package, sets)
        if "mechanism" in inputs:
            names = tuple(each.name.partition(":")[2] for each in targets)
            _close(inputs["mechanism"], "mechanism", names, package, sets)
        for target in targets:
            _close_by(mechanism(target.name).options, inputs, package, finished["types"], sets)
        examples = [each.example for each in targets if each.example] or [
            example for place, example in beside_targets(cloud).items() if place.endswith(f":{_last(token)}")
        ]
        component["description"] += _examples(package, _last(token), examples)
    titles = {each.name.partition(":")[2]: f"{mechanism(each.name).title}." for each in rows() if each.cloud == cloud}
    for name, (key, values) in sorted(sets.items()):
        effects = titles if name == "Mechanism" else EFFECTS.get(name, {})
        finished["types"][f"{package}:index:{name}"] = {
            "type": "string",
            "description": f"A value of `{key}`.",
            "enum": [
                {"name": _identifier(value), "value": value, "description": effects.get(value, "")} for value in values
            ],
        }
    return {**finished, **_facts(package, cloud, finished)}


def _facts(package: str, cloud: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """What a registry shows of the package, and what SDKs carry of it."""
    name = _CLOUDS.get(cloud, cloud)
    description = (
        f"{package}: a reviewed catalog of vendor hosts becomes egress rules on {name}, exactly or not at all."
    )
    components = "".join(
        f"- `{_last(token)}`: {each['description'].partition('{{%')[0].strip()}\n"
        for token, each in schema["resources"].items()
    )
    readme = (
        f"# {package}\n\n{description}\n\n{components}\n"
        f"Inputs, outputs and examples: {REPOSITORY}/blob/main/docs/components.md\n"
    )
    language: dict[str, Any] = {key: dict(value) for key, value in schema["language"].items()}
    language["nodejs"]["readme"] = language["python"]["readme"] = readme
    # Of its own: by the repository all three packages would be one Go module. The root is the CLI's own for local SDKs.
    module = f"example.com/{package}"
    language["go"] |= {
        "modulePath": module,
        "importBasePath": f"{module}/{package.replace('-', '')}",
        # Without it the types of plain nested inputs are named in the SDK and not generated, and it does not compile.
        "generateExtraInputTypes": True,
    }
    return {
        "displayName": f"hostgate for {name}",
        "description": description,
        "keywords": ["hostgate", cloud, "firewall", "egress", "allowlist", "category/network", "kind/component"],
        "homepage": REPOSITORY,
        "repository": REPOSITORY,
        "license": LICENSE,
        "publisher": PUBLISHER,
        "language": language,
    }


def _last(token: str) -> str:
    return token.rpartition(":")[2]


def _renamed(schema: Any) -> Any:
    """Types without the `Args` of Python's classes: code generators add their own, and `ArgsArgs` would be left."""
    text = json.dumps(schema)
    for token in schema["types"]:
        if token.endswith("Args"):
            text = text.replace(f'{token}"', f'{token.removesuffix("Args")}"')
    return json.loads(text)


def _close_by(
    model: type[BaseModel], properties: Mapping[str, Any], package: str, types: Mapping[str, Any], sets: _Sets
) -> None:
    """Closed sets and defaults of `model` for the `properties` that it reads, and of the models within it."""
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    for key in properties.keys() & fields.keys():
        found, field = properties[key], fields[key]
        parts = list(_parts(field.annotation))
        sections = [each for each in parts if isinstance(each, type) and issubclass(each, BaseModel)]
        for section in sections:
            kind = found.get("$ref") or found["items"]["$ref"]
            _close_by(section, types[kind.removeprefix("#/types/")]["properties"], package, types, sets)
        default = _default(field.default)
        if default and not re.search("unless given|the default|Default: ", found["description"]):
            found["description"] += f" Default: {default}."
        for values in parts:
            if get_origin(values) is Literal and not sections:
                _close(found, key, get_args(values), package, sets)


def _parts(annotation: Any) -> Iterator[Any]:
    """An annotation and all that it is made of."""
    yield annotation
    if get_origin(annotation) is not Literal:
        for part in get_args(annotation):
            yield from _parts(part)


def _default(value: Any) -> str:
    if isinstance(value, bool):
        return json.dumps(value)
    return str(value) if isinstance(value, int | str) else ""


def _close(found: dict[str, Any], key: str, values: tuple[str, ...], package: str, sets: _Sets) -> None:
    """Let `found`, a text or a list of texts, take `values` only."""
    name = re.sub("ies$", "y", key).removesuffix("s") if "items" in found else key
    name = name[0].upper() + name[1:]
    if sets.setdefault(name, (key, values)) != (key, values):
        raise ValueError(f"{package}: found the closed set {name} of {sets[name]} and of {(key, values)}.")
    place = found.get("items", found)
    place.pop("type", None)
    place["$ref"] = f"#/types/{package}:index:{name}"


def _identifier(value: str) -> str:
    return "".join(part[0].upper() + part[1:] for part in re.split("[-_]", value))


_PYTHON = re.compile(r"`([a-z]+(?:_[a-z]+)*_?)(=\"([a-z-]+)\")?`")


def _worded(schema: Any) -> Any:
    """Descriptions without our source's indentation and Python's names; one for a list, and none for its items.

    The SDK describes a class by its `__doc__`, from which Python 3.13 and newer take the indentation and older ones do
    not, and a property by the source text, which always has it.
    """
    if isinstance(schema, list):
        return [_worded(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    worded = {key: _worded(value) for key, value in schema.items()}
    if isinstance(text := worded.get("description"), str):
        worded["description"] = _PYTHON.sub(_in_any_language, cleandoc(text))
    for inner in ("items", "additionalProperties"):
        if isinstance(worded.get(inner), dict):
            worded[inner].pop("description", None)
    return worded


def _in_any_language(found: re.Match[str]) -> str:
    value = f": {found[3]}" if found[3] else ""
    return f"`{to_camel(found[1].removesuffix('_'))}{value}`"


def _examples(package: str, component: str, examples: Sequence[Mapping[str, Any]]) -> str:
    """The first of a component's examples in the languages that write its inputs alike."""
    if not examples:
        return ""
    inputs = {"catalogs": ["chainguard/images@2026-02-23"], **examples[0]}
    script = "".join(f"    {key}: {json.dumps(value)},\n" for key, value in inputs.items())
    python = "".join(f"    {_in_python(key)}={json.dumps(value)},\n" for key, value in inputs.items())
    plain = "".join(f"      {key}: {json.dumps(value)}\n" for key, value in inputs.items())
    blocks = {
        "typescript": (
            f'import {{ {component} }} from "@pulumi/{package}";\n\n'
            f'const hosts = new {component}("vendors", {{\n{script}}});\n'
        ),
        "python": (
            f"from pulumi_{package.replace('-', '_')} import {component}\n\n"
            f'hosts = {component}(\n    "vendors",\n{python})\n'
        ),
        "yaml": f"resources:\n  vendors:\n    type: {package}:{component}\n    properties:\n{plain}",
    }
    shown = "\n".join(f"```{language}\n{text}```" for language, text in blocks.items())
    return (
        f"\n\n{{{{% examples %}}}}\n## Example Usage\n{{{{% example %}}}}\n\n{shown}\n"
        "{{% /example %}}\n{{% /examples %}}"
    )


def _in_python(key: str) -> str:
    return {"from": "from_", "import": "import_"}.get(key, to_snake(key))
