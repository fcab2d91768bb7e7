"""Resources that no simulated cloud knows: what the installed SDK says of them, and nothing more.

Inputs pass to outputs; what a cloud would compute is unknown in a preview, and made up when the object is made. Nothing is
checked but the names of the inputs, and that the required ones are there.
"""

import re
import secrets
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

from hostgate.aws.resources_ec2 import DEFAULT_ACL
from hostgate.flows.nodes import UNKNOWN
from hostgate.planning.resource_types import AutoName, ResourceType
from hostgate.planning.shapes import Anything, Record
from hostgate.sandbox.lifecycle import Account, Ask, Inputs, Lifecycle, digest_of, last_part
from hostgate.sandbox.made_up import AZURE, Subject, completed, prefix_of, service_account
from hostgate.sandbox.sdk import Property, SdkResource, camel, resource_of, sdk_of

_REPLACES = re.compile(
    r"forces? (a )?(new|re-?creat|replace)|(force|trigger)s?.{0,30}(re-?creat|replacement|new resource)", re.I
)
_PART = re.compile(r"\{\{([\w.]+)\}\}")
"""A part of an id in the documentation of Google's types."""
_GRANTS = ("IamMember", "IAMMember", "IamBinding", "IAMBinding")
"""Kinds of Google whose documentation shows the id of what is granted, and which are told apart by the grant."""
_SERVICES = {"containerservice": "ContainerService", "containerregistry": "ContainerRegistry", "keyvault": "KeyVault"}
"""Azure's own capitals in names of resource providers, as far as the capital is not the first letter alone."""


def no_sdk(package: str) -> str:
    """What to do where no SDK says what a provider has."""
    return (
        f"the Python SDK of the provider {package}, which says what its resources give, is not installed beside hostgate. "
        f"Install it there (pip install pulumi-{package}), or leave them out"
    )


def unknown(what: str, token: str) -> str:
    """Why nothing can be said of a resource or a function."""
    sdk = sdk_of(token)
    if sdk is None:
        return no_sdk(token.partition(":")[0])
    return f"no simulated cloud has {what} {token}, and neither has the installed SDK of {sdk.package}, {sdk.version}"


def not_adopted(token: str, id_: str) -> str:
    """Why an object that was there before cannot be adopted."""
    return f"{id_} cannot be adopted here: {token} is not simulated, so what the object holds is not known"


def made_up_line(told: Mapping[str, int]) -> str:
    """What a run was told that is made up, in one line: resources by type, and functions; empty for nothing."""
    functions = [token for token in told if token.rpartition(":")[2][:1].islower()]
    types = {token: count for token, count in told.items() if token not in functions}
    parts = []
    if types:
        number = sum(types.values())
        named = ", ".join(f"{token.rpartition(':')[2]} {count}" for token, count in sorted(types.items()))
        parts.append(
            f"{number} resource{'s' * (number != 1)} of {len(types)} type{'s' * (len(types) != 1)} "
            f"{'are' if number != 1 else 'is'} not simulated, what a cloud computes of them is made up: {named}"
        )
    if functions:
        named = ", ".join(token.rpartition(":")[2] for token in sorted(functions))
        parts.append(f"functions answered with made-up values: {named}")
    return "; ".join(parts)


@cache
def type_of(token: str) -> ResourceType | None:
    """A resource type as the installed SDK tells it; None where none does."""
    row = resource_of(token)
    if row is None:
        return None
    inputs = Record(
        {name: Anything() for name in row.inputs},
        tuple(name for name, told in row.inputs.items() if not told.optional),
    )
    auto = _auto_name(row)
    made_of = {*_parts(row), *row.imported_by, "location", auto.property if auto else ""} & {*row.inputs}
    said = {name for name, told in row.inputs.items() if _REPLACES.search(told.doc)}
    computed = tuple(name for name in row.outputs if name not in row.inputs)
    return ResourceType(token, inputs, computed, auto, tuple(sorted({*made_of, *said})))


@cache
def lifecycle(token: str) -> Lifecycle | None:
    """How objects of such a type come and go; None where no installed SDK tells of it."""
    row, type_ = resource_of(token), type_of(token)
    if row is None or type_ is None:
        return None
    name = type_.auto_name.property if type_.auto_name else "name"
    return Lifecycle(place=partial(id_of, row), name=name, computed=partial(_computed, row))


def preview_outputs(token: str, inputs: Inputs) -> dict[str, Any]:
    """What a create would answer in a preview: the inputs, and `UNKNOWN` for what the cloud computes."""
    row = resource_of(token)
    return _outputs(row, inputs, lambda *_: UNKNOWN) if row else dict(inputs)


def outputs_of_existing(token: str, id_: str, account: Account) -> dict[str, Any]:
    """What the cloud would tell of an object that was there before."""
    row = resource_of(token)
    return _made(row, id_, {}, account) if row else {}


def id_of(row: SdkResource, inputs: Inputs, account: Account, *, of_function: bool = False) -> str:
    """An id of the form that the SDK's documentation shows, or one that nothing else has.

    `of_function`: of what a function looks up, the same for the same question.
    """
    auto = _auto_name(row)
    name = str(inputs.get(auto.property if auto else "name") or "")
    unique = digest_of(row.token, inputs, digits=17) if of_function else secrets.token_hex(9)[:17]
    if row.package == AZURE:
        return _azure_id(row, inputs, account, unique)
    if email := service_account(inputs, account) if row.package == "gcp" else "":  # the SDK shows no id of its own
        return f"projects/{email.partition('@')[2].partition('.')[0]}/serviceAccounts/{email}"
    if "{{" in row.imported:
        known = {"project": account.project, "region": account.region, "zone": f"{account.region}-a"}
        known |= {"location": account.region, "projectId": account.project}

        def part(match: re.Match[str]) -> str:
            key = camel(match[1].partition(".")[0])
            return str(last_part(inputs.get(key)) or known.get(key) or name or unique)

        grant = [str(inputs[key]) for key in ("role", "member") if row.token.endswith(_GRANTS) and inputs.get(key)]
        return "/".join((re.sub(_PART, part, row.imported), *grant))
    if row.token == DEFAULT_ACL and inputs.get("defaultNetworkAclId"):
        return str(
            inputs["defaultNetworkAclId"]
        )  # which it adopts (terraform-provider-aws, vpc_default_network_acl.go)
    if prefix := prefix_of(row):
        return f"{prefix}-{unique}"
    if row.imported.startswith("arn:") and row.imported.count(":") > 4:
        _, partition, service, region, number, rest = row.imported.split(":", 5)
        own = re.sub(r"[^/:]+$", lambda _: name or unique, rest)
        return ":".join(("arn", partition, service, region and account.region, number and account.number, own))
    if row.imported_by and all(inputs.get(each) for each in row.imported_by):
        between = re.search(r"[^\w.-]", row.imported)
        return (between[0] if between else "/").join(str(inputs[each]) for each in row.imported_by)
    return f"{row.token.rpartition(':')[2].lower()}-{unique}"


def _computed(row: SdkResource, ask: Ask) -> dict[str, Any]:
    return _made(row, ask.held.id, ask.held.inputs, ask.account)


def _made(row: SdkResource, id_: str, inputs: Inputs, account: Account) -> dict[str, Any]:
    auto = _auto_name(row)
    name = str(inputs.get(auto.property if auto else "name") or last_part(id_))
    subject = Subject(row.token, id_, name, account, inputs, row.package != AZURE)
    told = _outputs(row, inputs, subject.value)
    if row.package == AZURE:
        told |= {"type": _azure_type(row)} if "type" in row.outputs else {}
    return told


def _outputs(row: SdkResource, inputs: Inputs, missing: Callable[[Property, str], Any]) -> dict[str, Any]:
    """The inputs with what a cloud adds. What may be given and was not is absent, where the SDK says that it may be."""
    told = dict(inputs)
    for name, each in row.outputs.items():
        if inputs.get(name) is not None:
            told[name] = completed(each.kind, inputs[name], missing, row.token, name)
        elif not each.optional or name not in row.inputs:
            told[name] = missing(each, "")
            # A made-up item would read as a rule or a route that somebody asked for.
            if name in row.inputs and isinstance(told[name], list):
                told[name] = []
    return told


def _auto_name(row: SdkResource) -> AutoName | None:
    """The name that the provider makes up: of the object itself, where it may be left out."""
    kind = row.token.rpartition(":")[2]
    kind = f"{kind[:1].lower()}{kind[1:]}"
    if row.package == AZURE:
        own = _parts(row)
        return AutoName(own[-1], "", 8) if own and row.inputs[own[-1]].optional else None
    for name in ("name", f"{kind}Name", kind, f"{kind}Identifier", "identifier"):
        told = row.inputs.get(name)
        if told and told.kind.form == "text" and told.optional and not getattr(row.outputs.get(name), "optional", True):
            return AutoName(name)
    return None


def _parts(row: SdkResource) -> tuple[str, ...]:
    """The inputs that the id is made of, in its order."""
    if row.package == AZURE:
        # Names of what it is in are required; its own may be left out. They stand in the SDK's order, alphabetical.
        names = [name for name in row.inputs if name.endswith("Name") and row.inputs[name].kind.form == "text"]
        kind = row.token.rpartition(":")[2].lower()
        own = [name for name in names if name.lower() == f"{kind}name"]
        own = own or [name for name in names if row.inputs[name].optional][:1]
        outer = [name for name in names if not row.inputs[name].optional and name not in (*own, "resourceGroupName")]
        return tuple(name for name in ("resourceGroupName", *outer, *own) if name in row.inputs)
    keys = (camel(key.partition(".")[0]) for key in re.findall(_PART, row.imported))
    return tuple(key for key in keys if key in row.inputs)


def _azure_id(row: SdkResource, inputs: Inputs, account: Account, unique: str) -> str:
    names = {name: str(inputs.get(name)) for name in _parts(row)}
    group = names.pop("resourceGroupName", "")
    base = f"/subscriptions/{account.subscription}" + (f"/resourceGroups/{group}" if group else "")
    if row.token.endswith(":ResourceGroup"):
        return base
    service, *kinds = _azure_type(row).split("/")
    own = [part for pair in zip(kinds, names.values() or (unique,), strict=False) for part in pair]
    return "/".join((str(inputs.get("scope") or base).rstrip("/"), "providers", service, *own))


def _azure_type(row: SdkResource) -> str:
    """`Microsoft.Network/virtualNetworks/subnets`: the kinds are the plurals of what the names are of."""
    _, module, kind = row.token.split(":")
    outer = [name.removesuffix("Name") for name in _parts(row)[:-1] if name != "resourceGroupName"]
    service = _SERVICES.get(module, f"{module[:1].upper()}{module[1:]}")
    kinds = [_plural(each) for each in (*outer, f"{kind[:1].lower()}{kind[1:]}")]
    return "/".join((f"Microsoft.{service}", *kinds))


def _plural(word: str) -> str:
    if word.endswith(("s", "x")):
        return f"{word}es"
    return f"{word[:-1]}ies" if word.endswith("y") and word[-2:-1] not in "aeiou" else f"{word}s"
