"""Functions of providers, as programs call them to look around: who am I, which zones are there, which VPC has this name.

What the clouds hold answers for itself; the rest is made up by the form of the installed SDK's answer.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hostgate.sandbox.lifecycle import Account
from hostgate.sandbox.made_up import AZURE, Subject, prefix_of
from hostgate.sandbox.opaque import id_of
from hostgate.sandbox.sdk import SdkFunction, function_of, resource_of
from hostgate.sandbox.state import StoredObject

Answer = Callable[[Mapping[str, Any], Account], Mapping[str, Any]]


def answer(
    token: str, arguments: Mapping[str, Any], account: Account, held: Iterable[StoredObject] = ()
) -> dict[str, Any] | None:
    """What the function answers; None where no installed SDK has it."""
    function = function_of(token)
    if function is None:
        return None
    given = {key: value for key, value in arguments.items() if value is not None}
    found = _held(token, given, held)
    if found is not None:
        made = {"id": found.id, "name": found.name, **found.outputs}
        return {key: value for key, value in made.items() if key in function.outputs}
    return {**_made(function, given, account), **_TOLD.get(token, _nothing)(given, account)}


def _made(function: SdkFunction, given: Mapping[str, Any], account: Account) -> dict[str, Any]:
    """The arguments again, and made-up values for what else the answer has to have."""
    kind = _kind(function.token)
    own = str(given.get("name") or given.get(f"{kind[:1].lower()}{kind[1:]}Name") or "made-up")
    row = next((row for token in _types(function.token) if (row := resource_of(token))), None)
    id_ = str(given.get("id") or (id_of(row, {"name": own, **given}, account, of_function=True) if row else own))
    subject = Subject(row.token if row else function.token, id_, own, account, given)
    needed = {
        name: told for name, told in function.outputs.items() if not told.optional or name not in function.arguments
    }
    made = {name: subject.value(told) for name, told in needed.items()}
    one = next((row for token in _types(function.token.removesuffix("s")) if (row := resource_of(token))), None)
    if "ids" in made and one is not None and prefix_of(one):
        made["ids"] = [f"{prefix_of(one)}-{subject.digits(each, 17)}" for each in "abc"]
    return made | {name: value for name, value in given.items() if name in function.outputs}


def _held(token: str, given: Mapping[str, Any], held: Iterable[StoredObject]) -> StoredObject | None:
    """The one object that the arguments name, by its id or by all of its names."""
    named = {key: value for key, value in given.items() if isinstance(value, str)}
    types = _types(token)
    fits = [
        each
        for each in (held if named else ())
        if each.type in types
        and all({"id": each.id, "name": each.name, **each.outputs}.get(key) == value for key, value in named.items())
    ]
    return fits[0] if len(fits) == 1 else None


def _types(token: str) -> tuple[str, ...]:
    """The resource types that a function may tell of: `aws:ec2/getVpc:getVpc` tells of `aws:ec2/vpc:Vpc`."""
    package, module, _ = token.split(":")
    kind, folder = _kind(token), module.partition("/")[0]
    return f"{package}:{folder}/{kind[:1].lower()}{kind[1:]}:{kind}", f"{package}:{folder}:{kind}"


def _kind(token: str) -> str:
    return token.rpartition(":")[2].removeprefix("get")


def _nothing(_given: Mapping[str, Any], _account: Account) -> Mapping[str, Any]:
    return {}


def _aws_zones(given: Mapping[str, Any], account: Account) -> Mapping[str, Any]:
    region = str(given.get("region") or account.region)
    letters = [letter for letter in "abc" if f"{region}{letter}" not in (given.get("excludeNames") or ())]
    return {
        "names": [f"{region}{letter}" for letter in letters],
        "zoneIds": [f"{''.join(part[:3] for part in region.split('-'))}-az{'abc'.index(each) + 1}" for each in letters],
        "groupNames": [region],
    }


def _region(given: Mapping[str, Any], account: Account) -> Mapping[str, Any]:
    region = str(given.get("region") or given.get("name") or account.region)
    return {"id": region, "name": region, "region": region, "endpoint": f"ec2.{region}.amazonaws.com"}


def _partition(_given: Mapping[str, Any], _account: Account) -> Mapping[str, Any]:
    return {"id": "aws", "partition": "aws", "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws"}


def _identity(_given: Mapping[str, Any], account: Account) -> Mapping[str, Any]:
    return {"id": account.number, "arn": f"arn:aws:iam::{account.number}:user/sandbox", "userId": "AIDASANDBOX"}


def _policy_document(given: Mapping[str, Any], _account: Account) -> Mapping[str, Any]:
    """The document itself, in IAM's spelling: roles and buckets that get it hold what the program said."""
    lists = (("Action", "actions"), ("NotAction", "notActions"), ("Resource", "resources"))
    statements = [
        {
            "Effect": each.get("effect") or "Allow",
            **({"Sid": each["sid"]} if each.get("sid") else {}),
            **{key: each[name] for key, name in lists if each.get(name)},
            **({"Principal": _principals(each["principals"])} if each.get("principals") else {}),
            **({"Condition": _conditions(each["conditions"])} if each.get("conditions") else {}),
        }
        for each in given.get("statements") or ()
    ]
    document = {"Version": given.get("version") or "2012-10-17", "Statement": statements}
    return {"json": json.dumps(document, indent=2), "minifiedJson": json.dumps(document, separators=(",", ":"))}


def _principals(listed: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    return {str(each.get("type")): list(each.get("identifiers") or ()) for each in listed}


def _conditions(listed: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, list[str]]]:
    made: dict[str, dict[str, list[str]]] = {}
    for each in listed:
        made.setdefault(str(each.get("test")), {})[str(each.get("variable"))] = list(each.get("values") or ())
    return made


def _google_zones(given: Mapping[str, Any], account: Account) -> Mapping[str, Any]:
    region = str(given.get("region") or account.region)
    return {"names": [f"{region}-{letter}" for letter in "abc"]}


def _google_project(given: Mapping[str, Any], account: Account) -> Mapping[str, Any]:
    project = str(given.get("projectId") or account.project)
    return {"id": f"projects/{project}", "name": project, "projectId": project, "number": account.number}


_TOLD: Mapping[str, Answer] = {
    "aws:index/getAvailabilityZones:getAvailabilityZones": _aws_zones,
    "aws:index/getRegion:getRegion": _region,
    "aws:index/getPartition:getPartition": _partition,
    "aws:index/getCallerIdentity:getCallerIdentity": _identity,
    "aws:iam/getPolicyDocument:getPolicyDocument": _policy_document,
    "gcp:compute/getZones:getZones": _google_zones,
    "gcp:organizations/getProject:getProject": _google_project,
}
"""Answers whose values programs take apart: the form of the SDK's types does not say enough of them."""


def account_of(package: str, config: Mapping[str, Any]) -> Account:
    """Whose cloud a provider with this configuration speaks to; what it does not say is made up."""
    said = {key: value for key, value in config.items() if isinstance(value, str)}
    known = Account()
    region = said.get("location" if package == AZURE else "region")
    return Account(
        region=region or _PLACES.get(package, known.region),
        project=said.get("project", known.project),
        subscription=said.get("subscriptionId", known.subscription),
    )


_PLACES = {"gcp": "europe-west3", AZURE: "westeurope"}
