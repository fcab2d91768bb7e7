"""The resources exported for Google Cloud and Azure: every object once, as its body has it, in the order of the components.

No provider of these is fetched. The program itself reads the files with every resource changed to the built-in one that
holds any value: so references, templates and the order are its own judgement. Names of arguments are held to the installed
SDK, which is made of the provider. `HOSTGATE_TERRAFORM_PLUGINS` names a folder of providers for their own judgement.
"""

import importlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from pydantic.alias_generators import to_camel

from api.test_sdk_inputs import strangers
from conformance.catalogs import entry, selection
from conformance.strategies import catalogs
from conformance.test_flows import _expressible
from hostgate.catalog.model import Entry
from hostgate.catalog.problems import InputError
from hostgate.export.terraform_google import TYPES
from hostgate.gcp.resources import TYPES as ROWS
from hostgate.planning.plan import Plan, draft, plan
from hostgate.planning.targets import load, row

HOSTS = [
    entry("cgr.dev"),
    entry("apk.cgr.dev", protocol="tls"),
    entry("plain.example", protocol="http", port=80),
]
NETWORK, OTHER = "projects/acme-prod/global/networks/prod", "projects/acme-prod/global/networks/other"
ACCOUNT = "builds@acme-prod.iam.gserviceaccount.com"
ENDPOINT = "projects/acme-prod/locations/europe-west4-b/firewallEndpoints/theirs"
PROXY = {"network": NETWORK, "subnetwork": "projects/acme-prod/regions/europe-west4/subnetworks/prod"}
POLICY_ID = "/subscriptions/0000/resourceGroups/rg-hub/providers/Microsoft.Network/firewallPolicies/fp-hub"
IP_GROUP = "/subscriptions/0000/resourceGroups/rg/providers/Microsoft.Network/ipGroups/builders"
ADDRESSES = {each.host: ["203.0.113.7", "2001:db8::7"] for each in HOSTS}
PLANS: dict[str, tuple[str, dict[str, Any]]] = {
    "global": ("gcp:fqdn", {"networks": [NETWORK, OTHER], "from": [ACCOUNT, "10.0.0.0/8", "fd20::/20"]}),
    "global by audit": ("gcp:fqdn", {"networks": [NETWORK], "mode": "audit"}),
    "global without a network": ("gcp:fqdn", {"from": ["tagValues/1"], "logAllowed": True}),
    "region": ("gcp:fqdn", {"networks": [NETWORK], "region": "europe-west4"}),
    "hierarchical": ("gcp:fqdn", {"parent": "organizations/1", "nodes": ["folders/2"], "networks": [NETWORK]}),
    "attached": ("gcp:fqdn", {"attach": "projects/acme-prod/global/firewallPolicies/egress"}),
    "attached in a region": ("gcp:fqdn", {"attach": "egress", "region": "europe-west4", "project": "acme-prod"}),
    "attached above": ("gcp:fqdn", {"parent": "organizations/1", "attach": "345678901234"}),
    "answers": ("gcp:fqdn", {"networks": [NETWORK], "googleApis": {"access": "restricted", "responsePolicy": "make"}}),
    "address groups": (
        "gcp:address-group",
        {
            "networks": [NETWORK],
            "addresses": ADDRESSES,
            "from": ["10.0.0.0/8", "fd20::/20"],
            "tags": {"team": "platform"},
        },
    ),
    "in zones": (
        "gcp:url-filter",
        {
            "networks": [NETWORK, OTHER],
            "zones": ["europe-west4-a", "europe-west4-b"],
            "endpoints": {"europe-west4-b": ENDPOINT},
            "mtu": 8_500,
            "organization": "1",
            "billingProject": "pay",
            "tags": {"team": "platform"},
        },
    ),
    "in zones by audit": ("gcp:url-filter", {"networks": [NETWORK], "zones": ["europe-west4-a"], "mode": "audit"}),
    "proxy": ("gcp:web-proxy", {**PROXY, "proxySubnet": "10.9.0.0/23", "from": ["10.0.0.0/8"]}),
    "proxy by audit": ("gcp:web-proxy", {**PROXY, "mode": "audit", "exempt": ["203.0.113.0/24"]}),
    "proxy by a static route": (
        "gcp:web-proxy",
        {**PROXY, "route": "static", "networkTags": ["ci"], "ports": [80, 443], "tags": {"team": "platform"}},
    ),
    "explicit proxy": ("gcp:web-proxy", {**PROXY, "routing": "explicit", "ports": [8080], "address": "10.0.0.9"}),
    "proxy of others": (
        "gcp:web-proxy",
        {"attach": "projects/acme-prod/locations/europe-west4/gatewaySecurityPolicies/theirs"},
    ),
    "azure": (
        "azure:application-rules",
        {"resourceGroup": "rg-hub", "location": "westeurope", "tags": {"Cost Center": "1"}},
    ),
    "azure premium": (
        "azure:application-rules",
        {"resourceGroup": "rg-hub", "tier": "Premium", "from": ["10.0.0.0/8", IP_GROUP], "deny": "all"},
    ),
    "azure attached": ("azure:application-rules", {"attach": "rg-hub/fp-hub", "from": ["10.0.0.0/8"]}),
    "azure attached by id": ("azure:application-rules", {"attach": POLICY_ID}),
}

every_plan = pytest.mark.parametrize("name", PLANS)


def planned(name: str) -> Plan:
    target, options = PLANS[name]
    made = plan(selection(HOSTS), target, options, name=name.replace(" ", "-"))
    assert made.objects
    return made


def exported(made: Plan) -> str:
    ((file, text),) = load(row(made.target).exports["terraform"])(made).items()
    assert file == f"{made.options.name}.{made.target.replace(':', '-')}.tf.json"
    return str(text)


def resources(made: Plan) -> dict[str, dict[str, Any]]:
    """The resources by address."""
    document = json.loads(exported(made))["resource"]
    return {f"{type_}.{key}": each for type_, listed in document.items() for key, each in listed.items()}


def arguments(resource: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in resource.items() if key not in ("depends_on", "lifecycle")}


@every_plan
def test_every_object_is_one_resource(name: str) -> None:
    made = planned(name)
    assert sorted(address.rpartition(".")[2] for address in resources(made)) == sorted(
        each.name for each in made.objects
    )


def in_camel_case(value: Any, key: str = "") -> Any:
    """Arguments as an API spells them, read back without what wrote them."""
    if isinstance(value, dict) and key not in ("labels", "tags"):
        return {to_camel(name): in_camel_case(each, name) for name, each in value.items()}
    return [in_camel_case(each) for each in value] if isinstance(value, list) else value


@every_plan
def test_a_resource_says_all_that_the_body_says_and_beside_it_where_it_is(name: str) -> None:
    holds_the_bodies(planned(name))


@pytest.mark.parametrize("name", ["global", "in zones", "proxy", "azure"])
@given(drawn=catalogs())
def test_so_it_is_of_any_catalog(name: str, drawn: list[Entry]) -> None:
    target, options = PLANS[name]
    made = _expressible(target, drawn, False, **options)
    if made is not None and made.objects:
        holds_the_bodies(made)


def holds_the_bodies(made: Plan) -> None:
    found = {address.rpartition(".")[2]: arguments(each) for address, each in resources(made).items()}
    for each in made.objects:
        body, written = dict(each.body), found[each.name]
        if made.target.startswith("azure"):
            assert written["type"] == f"{body.pop('type')}@{body.pop('apiVersion')}"
            assert written["name"] == str(body.pop("name")).rpartition("/")[2]
            assert {**written["body"], **{key: written[key] for key in ("location", "tags") if key in written}} == body
            assert written.keys() <= {"type", "parent_id", "name", "location", "tags", "body"}
            continue
        written = in_camel_case(written)
        if "/" in str(body.get("name")):
            *place, body["name"] = str(body["name"]).split("/")
            assert all(written[key] in "/".join(place) for key in ("parent", "project", "location") if key in written)
        for hop in ("nextHopIlbIp", "nextHopIp"):
            if body.get(hop) == "known-after-apply":
                assert re.fullmatch(r"\$\{google_network_services_gateway\.[a-z-]+\.addresses\[0\]\}", written.pop(hop))
                del body[hop]
        beside = {key: value for key, value in written.items() if key not in body}
        assert {key: written[key] for key in body} == body
        assert beside.keys() <= {
            "project", "region", "parent", "location", "firewallPolicy", "gatewaySecurityPolicy", "responsePolicy",
        }  # fmt: skip


@every_plan
def test_the_place_is_that_of_the_options(name: str) -> None:
    said = json.dumps(resources(planned(name)))
    assert ("acme-prod" in said) == (
        PLANS[name][0].startswith("gcp") and name not in ("global without a network", "attached above")
    )
    wanted = {
        "region": '"region": "europe-west4"',
        "attached in a region": '"firewall_policy": "egress"',
        "attached": '"firewall_policy": "egress"',
        "attached above": '"firewall_policy": "345678901234"',
        "hierarchical": '"firewall_policy": "${google_compute_firewall_policy.hierarchical.name}"',
        "in zones": '"parent": "organizations/1"',
        "proxy of others": '"gateway_security_policy": "theirs"',
        "azure attached": "subscription_id}/resourceGroups/rg-hub/providers/Microsoft.Network/firewallPolicies/fp-hub",
        "azure attached by id": f'"parent_id": "{POLICY_ID}"',
        "azure": '"parent_id": "${azapi_resource.azure-policy.id}"',
    }
    assert wanted.get(name, "") in said


@pytest.mark.parametrize("name", [name for name in PLANS if PLANS[name][0].startswith("gcp")])
def test_every_argument_is_one_of_the_sdk_that_is_made_of_the_provider(name: str) -> None:
    tokens = {type_: token for token, type_ in TYPES.items()}
    for address, each in resources(planned(name)).items():
        module, _, class_ = tokens[address.partition(".")[0]].removeprefix("gcp:").partition(":")
        sdk = importlib.import_module(f"pulumi_gcp.{module.partition('/')[0]}")
        assert strangers(in_camel_case(arguments(each)), getattr(sdk, f"{class_}Args"), address) == []


def test_there_is_a_resource_type_for_every_type_that_a_plan_of_google_cloud_makes() -> None:
    assert TYPES.keys() == ROWS.keys()


def behind(found: Mapping[str, Mapping[str, Any]], address: str) -> set[str]:
    """What `address` waits for, and what that waits for."""
    named = set(re.findall(r"\$\{([a-z_0-9]+\.[\w-]+)\.", json.dumps(arguments(found[address]))))
    direct = {*found[address].get("depends_on", ()), *named} & found.keys()
    return direct.union(*(behind(found, each) for each in direct)) if direct else set()


def of(found: Mapping[str, Any], *words: str) -> set[str]:
    return {address for address in found if any(re.search(word, address) for word in words)}


@every_plan
def test_what_is_made_later_waits_for_what_it_needs(name: str) -> None:
    found = resources(planned(name))
    audit = "audit" in name
    denies, hosts = of(found, r"-(deny|audit)-ip"), of(found, r"-allow-tcp", r"-inspect-")
    for late, early in [(hosts, denies)] if audit else [(denies, hosts)]:
        assert all(early <= behind(found, each) for each in late)
    rules = of(found, r"policy_rule\.")
    for each in of(found, r"_association\..*-(prod|other|folders-2)$", r"dns_response"):
        assert rules <= behind(found, each)
    inspected = of(found, r"firewall_endpoint_association\.", r"profile_group\.")
    assert all(inspected <= behind(found, each) for each in of(found, r"-inspect-"))
    gateway = of(found, r"_gateway\.")
    assert all(
        of(found, r"security_policy_rule\.") | of(found, r"compute_subnetwork") <= behind(found, each)
        for each in gateway
    )
    assert all(gateway | of(found, r"-past-") <= behind(found, each) for each in of(found, r"-to-proxy$"))
    groups = [address for address in found if "ruleCollectionGroups" in str(found[address].get("type"))]
    for earlier, later in pairwise(groups):
        assert earlier in behind(found, later)


@every_plan
def test_what_takes_the_place_of_another_is_made_first(name: str) -> None:
    assert all(each["lifecycle"] == {"create_before_destroy": True} for each in resources(planned(name)).values())


@pytest.mark.parametrize("program", ["terraform", "tofu"])
def test_the_program_reads_every_value_as_the_plan_has_it(program: str, tmp_path: Path) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"there is no {program} on PATH")
    wanted = {}
    for name in PLANS:
        made = planned(name)
        texts = [replace(each, body=odd(each.body)) for each in made.objects]
        made = replace(made, objects=tuple(texts))
        document = json.loads(exported(made))
        held = {}
        for address, each in resources(made).items():
            type_, _, key = address.partition(".")
            held[f"{type_}-{key}"] = {
                "input": {"addresses": ["10.0.0.7"], "id": f"id of {key}", "name": f"name of {key}", **arguments(each)},
                "depends_on": [f"terraform_data.{one.replace('.', '-', 1)}" for one in each.get("depends_on", ())],
                "lifecycle": each["lifecycle"],
            }
            wanted[f"{type_}-{key}"] = each
        for type_, listed in document.get("data", {}).items():
            held |= {f"{type_}-{key}": {"input": {"subscription_id": "0000"}} for key in listed}
        text = json.dumps({"resource": {"terraform_data": held}})
        text = re.sub(r"\$\{(?:data\.)?([a-z_0-9]+)\.([\w-]+)\.", r"${terraform_data.\1-\2.output.", text)
        (tmp_path / f"{made.options.name}.tf.json").write_text(text)
    run(program, tmp_path, "init", "-input=false")
    run(program, tmp_path, "apply", "-input=false", "-auto-approve")
    state = json.loads((tmp_path / "terraform.tfstate").read_text())
    outputs = {each["name"]: each["instances"][0]["attributes"]["output"]["value"] for each in state["resources"]}
    assert outputs.keys() >= wanted.keys()
    for key, each in wanted.items():
        assert {name: outputs[key][name] for name in arguments(each)} == resolved(arguments(each), outputs)


def odd(body: Mapping[str, Any]) -> dict[str, Any]:
    """`body` with a description in which a program would read templates."""
    return {**body, **({"description": '${file("/etc/passwd")} %{if true}'} if "description" in body else {})}


def resolved(value: Any, outputs: Mapping[str, Any]) -> Any:
    """A value of a file as a reader of the syntax has it: references looked up, doubled signs single."""
    if isinstance(value, dict):
        return {key: resolved(each, outputs) for key, each in value.items()}
    if isinstance(value, list):
        return [resolved(each, outputs) for each in value]
    if not isinstance(value, str):
        return value
    if said := re.search(r"(?<!\$)\$\{(?:data\.)?([a-z_0-9]+)\.([\w-]+)\.(\w+)(\[0\])?\}", value):
        there = outputs[f"{said[1]}-{said[2]}"][said[3]]
        return value.replace(said[0], there[0] if said[4] else there)
    return value.replace("$${", "${").replace("%%{", "%{")


def run(program: str, folder: Path, *words: str) -> str:
    """What it prints. Nothing of the machine's own settings, and no way out but the loopback."""
    environment = {
        "PATH": os.environ["PATH"],
        "TF_CLI_CONFIG_FILE": os.devnull,
        "CHECKPOINT_DISABLE": "1",
        "HOME": str(folder),
    }
    command = [program, *words, "-no-color"]
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=400)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


PROVIDERS = {"gcp": "hashicorp/google", "azure": "Azure/azapi"}


def present(source: str) -> Iterator[Path]:
    folder = os.environ.get("HOSTGATE_TERRAFORM_PLUGINS", "")
    return Path(folder or "/nowhere").glob(f"*/{source.lower()}/*")


@pytest.mark.parametrize("program", ["terraform", "tofu"])
@pytest.mark.parametrize("cloud", PROVIDERS)
def test_the_provider_knows_every_argument(program: str, cloud: str, tmp_path: Path) -> None:
    source = PROVIDERS[cloud]
    if shutil.which(program) is None or not any(present(source)):
        pytest.skip(f"needs {program} on PATH, and HOSTGATE_TERRAFORM_PLUGINS with the provider {source}")
    for name, (target, _) in PLANS.items():
        if target.startswith(cloud):
            made = planned(name)
            (tmp_path / f"{made.options.name}.tf.json").write_text(exported(made))
    required = {"required_providers": {source.partition("/")[2]: {"source": source}}}
    (tmp_path / "provider.tf.json").write_text(json.dumps({"terraform": required}))
    run(program, tmp_path, "init", "-input=false", f"-plugin-dir={os.environ['HOSTGATE_TERRAFORM_PLUGINS']}")
    run(program, tmp_path, "validate")


REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "no project": ("gcp:web-proxy", {}, "`project` and `region` must be given"),
    "no zone": ("gcp:url-filter", {"networks": [NETWORK]}, "`zones` is missing"),
    "no resource group": ("azure:application-rules", {}, "`resourceGroup` is missing"),
    "an object to adopt": (
        "azure:application-rules",
        {"resourceGroup": "rg", "import": {"hostgate-policy": POLICY_ID}},
        "found `import`",
    ),
    "a value of another resource": (
        "gcp:fqdn",
        {"networks": ["known-after-apply/network-0"], "project": "acme-prod"},
        "known only once something else is made",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_file_cannot_say_is_refused(name: str) -> None:
    target, options, said = REFUSED[name]
    made = draft(selection(HOSTS), target, options)
    with pytest.raises(InputError, match=re.escape(said)):
        exported(made)


@pytest.mark.parametrize("target", ["aws:rules", "gcp:fqdn", "azure:application-rules"])
def test_nothing_is_made_of_a_plan_that_is_refused(target: str) -> None:
    made = draft(selection([*HOSTS, entry("wide.example", match="one-label", protocol="tcp")]), target)
    assert made.refused
    with pytest.raises(InputError, match="wide-example"):
        exported(made)


@pytest.mark.parametrize("name", ["global", "azure"])
def test_an_object_that_no_module_of_this_kind_has_is_refused(name: str) -> None:
    made = planned(name)
    with pytest.raises(InputError, match="found acme/Gate"):
        exported(replace(made, objects=(*made.objects, replace(made.objects[0], kind="acme/Gate", name="gate"))))
