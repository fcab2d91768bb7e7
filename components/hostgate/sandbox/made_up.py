"""Made-up values for what only a real cloud knows: by the property's type, and of a form that programs can work with.

Addresses are of the ranges for documentation (RFC 5737, RFC 3849) where they are public, names end in `.invalid` (RFC
6761). The same object has the same values at every call.
"""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hostgate.flows.engine_documents import SIGNATURE
from hostgate.flows.nodes import UNKNOWN
from hostgate.sandbox.lifecycle import Account, digest_of
from hostgate.sandbox.sdk import Kind, Property, SdkResource, resource_of, sdk_of

DEEPEST = 6
"""Records within records: some of the SDKs' refer to themselves."""

AZURE = "azure-native"


@dataclass(frozen=True, slots=True)
class Subject:
    """What the values are of: a resource or the answer of a function, by token, id and name."""

    token: str
    id: str
    name: str
    account: Account
    inputs: Mapping[str, Any] = field(default_factory=dict)
    fills_lists: bool = True
    """Whether a list has an item. Azure's lists of what refers to an object are empty when it is made."""

    def value(self, told: Property, path: str = "") -> Any:
        """A value for a property; `path` is where it is inside the object."""
        own = {"id": self.id, "name": self.name, "arn": self.arn, "selfLink": f"{_LINK}/{self.id}"}
        if told.name in own and not path:
            return own[told.name]
        if told.name == "id" and path and self.package == AZURE:
            return f"{self.id}/{path}"
        return self._of_kind(told.kind, told.name, f"{path}.{told.name}", 0)

    @property
    def package(self) -> str:
        return self.token.partition(":")[0]

    def _of_kind(self, kind: Kind, name: str, path: str, depth: int) -> Any:
        match kind.form:
            case "text":
                return next(make(self, name, path) for pattern, make in _TEXTS if re.search(pattern, name))
            case "flag":
                return False
            case "number":
                return 1
            case "list":
                item = kind.of if self.fills_lists and depth < DEEPEST else None
                return [self._of_kind(item, re.sub(r"(?<=[a-z])s$", "", name), path, depth + 1)] if item else []
            case "record" if depth < DEEPEST:
                sdk = sdk_of(self.token)
                below = sdk.record(kind).values() if sdk else ()
                return {
                    each.name: self._of_kind(each.kind, each.name, f"{path}.{each.name}", depth + 1)
                    for each in below
                    if not each.optional
                    or (self.fills_lists and depth < 4)
                    or each.kind.form in ("text", "flag", "number")
                }
            case "map" if name in _COPIES:
                return self.inputs.get(_COPIES[name]) or {}
        return {}

    @property
    def arn(self) -> str:
        """The ARN of AWS, by the service's usual form; IAM and S3 have no Region in theirs."""
        if self.id.startswith("arn:"):
            return self.id
        _, module, kind = (*self.token.split(":"), "", "")[:3]
        service = module.partition("/")[0]
        if service == "s3":
            return f"arn:aws:s3:::{self.id}"
        region = "" if service == "iam" else self.inputs.get("region") or self.account.region
        return f"arn:aws:{service}:{region}:{self.account.number}:{_dashed(kind)}/{self.id}"

    @property
    def region(self) -> str:
        return str(self.inputs.get("region") or self.account.region)

    def digits(self, path: str, count: int) -> str:
        return digest_of(self.token, self.id, path, digits=count)


_LINK = "https://www.googleapis.com/compute/v1"
_COPIES = {"tagsAll": "tags", "effectiveLabels": "labels", "pulumiLabels": "labels"}
"""Maps that hold what another input holds, and the provider's defaults."""


def _identifier(subject: Subject, name: str, path: str) -> str:
    """An id of the type that the property's name ends with: of `defaultSecurityGroupId`, one of a security group."""
    if subject.package == "gcp":
        return str(int(subject.digits(path, 15), 16))
    package, module, _ = (*subject.token.split(":"), "", "")[:3]
    words = re.findall(r"[A-Z]?[a-z0-9]+", name.removesuffix("Id").removeprefix("default"))
    for start in range(len(words)):
        kind = "".join(word[:1].upper() + word[1:] for word in words[start:])
        kind = _CALLED.get(kind, kind)
        for where in dict.fromkeys((module.partition("/")[0], "ec2")):
            row = resource_of(f"{package}:{where}/{kind[:1].lower()}{kind[1:]}:{kind}")
            if row and (prefix := prefix_of(row)):
                return f"{prefix}-{subject.digits(path, 17)}"
    return f"{_dashed(name.removesuffix('Id'))}-{subject.digits(path, 17)}"


_CALLED = {"Endpoint": "VpcEndpoint", "Allocation": "Eip", "Image": "Ami"}
"""Types of AWS by what properties call them."""


def _uuid(subject: Subject, _name: str, path: str) -> str:
    digits = subject.digits(path, 32)
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _address(subject: Subject, name: str, path: str) -> str:
    number = int(subject.digits(path, 2), 16) % 254 + 1
    return f"10.0.0.{number}" if name.startswith("private") or name == "networkIp" else f"192.0.2.{number}"


def _endpoint(subject: Subject, name: str, path: str) -> str:
    """Of Google's clusters it is an address."""
    return _address(subject, name, path) if subject.package == "gcp" else f"https://{_host(subject, name, path)}"


def _host(subject: Subject, _name: str, _path: str) -> str:
    label = re.sub(r"[^a-z0-9-]+", "-", subject.name.lower()).strip("-")[:60]
    return f"{label or 'made-up'}.sandbox.invalid"


def _email(subject: Subject, _name: str, _path: str) -> str:
    """Of a service account, which is what Google has of all kinds; other addresses have no domain of their own here."""
    domain = "sandbox.iam.gserviceaccount.com" if subject.package == "gcp" else "sandbox.invalid"
    return service_account(subject.inputs, subject.account) or f"made-up@{domain}"


def service_account(inputs: Mapping[str, Any], account: Account) -> str:
    """The email of Google's service account with these inputs; empty for what is none."""
    project = str(inputs.get("project") or account.project)
    return f"{inputs['accountId']}@{project}.iam.gserviceaccount.com" if inputs.get("accountId") else ""


_TEXTS: tuple[tuple[str, Callable[[Subject, str, str], str]], ...] = (
    (r"^project(Id)?$", lambda it, *_: it.account.project),
    (r"^(region|location)$", lambda it, *_: it.region),
    (r"^(zone|availabilityZone)$", lambda it, *_: f"{it.region}{'-a' if it.package == 'gcp' else 'a'}"),
    (r"^subscriptionId$", lambda it, *_: it.account.subscription),
    (r"(^a|A)ccountId$|^ownerId$|^registryId$", lambda it, *_: it.account.number),
    (r"(tenant|client|object|principal)Id$|(PrincipalId|Guid|Uuid)$", _uuid),
    (r"[aA]rn$", lambda it, name, path: f"arn:aws:{_dashed(name)}:::{it.digits(path, 17)}"),
    (r"(^i|I)d$", _identifier),
    (r"[pP]refix$", lambda *_: ""),
    (r"^provisioningState$", lambda *_: "Succeeded"),
    (r"^(status|state)$", lambda *_: "ACTIVE"),
    (r"[iI]pv6.*Cidr(Block)?$", lambda *_: "2001:db8::/56"),
    (r"(^c|C)idr(Block|Range)?$", lambda *_: "10.0.0.0/16"),
    (r"[iI]pv6(Address)?$", lambda it, _, path: f"2001:db8::{it.digits(path, 4)}"),
    (r"(^i|I)[pP](v4)?(Address)?$|^networkIp$|^natIp$", _address),
    (r"(^e|E)mail$", _email),
    (r"^member$", lambda *them: f"serviceAccount:{_email(*them)}"),
    (r"[jJ]son$", lambda *_: "{}"),
    (r"[cC]ert|(^k|K)ey$|^data$|^value$", lambda *_: base64.b64encode(b"made up").decode()),
    (r"(^e|E)ndpoint$", _endpoint),
    (r"(^u|U)r[il]$|^issuer$", lambda *them: f"https://{_host(*them)}"),
    (r"[dD]nsName$|(^f|F)qdn$|FQDN$|[hH]ost[nN]ame$|[dD]omain(Name)?$", _host),
    (r"(Time|Timestamp|Date|At)$", lambda *_: "2026-01-01T00:00:00Z"),
    (r"", lambda _it, name, _path: f"made-up-{_dashed(name)}"),
)
"""Forms by the name of a property, the first that fits."""


def prefix_of(row: SdkResource) -> str:
    """What ids of the type begin with, of those that have a prefix and digits (`vpc-0a1b...`); else nothing."""
    found = re.fullmatch(r"([a-z]+(?:-[a-z]+)*)-[0-9a-f]{8,17}", row.imported)
    return found[1] if found else ""


def completed(kind: Kind, given: Any, missing: Callable[[Property, str], Any], token: str, path: str) -> Any:
    """A value that was given, with what the cloud adds inside: what the SDK's type promises, and ids of named parts."""
    if (
        kind.form == "map" and kind.of and isinstance(given, list)
    ):  # Azure takes ids of identities, and tells of each by id
        known = UNKNOWN not in given
        return {each: completed(kind.of, {}, missing, token, f"{path}/{each}") for each in given} if known else UNKNOWN
    if kind.of and isinstance(given, list):
        named = (str(each.get("name", index)) if isinstance(each, Mapping) else "" for index, each in enumerate(given))
        return [
            completed(kind.of, one, missing, token, f"{path}/{name}") for one, name in zip(given, named, strict=True)
        ]
    sdk = sdk_of(token)
    if kind.form != "record" or sdk is None or not isinstance(given, Mapping) or SIGNATURE in given:
        return given
    made, last = dict(given), [part for part in path.split("/") if not part.isdigit()][-1]
    for each in sdk.record(kind).values():
        if given.get(each.name) is not None:
            made[each.name] = completed(each.kind, given[each.name], missing, token, f"{path}/{each.name}")
        elif not each.optional or (each.name == "id" and "name" in given) or f"{last}.{each.name}" in _ADDED:
            made[each.name] = missing(each, path)
    return made


_ADDED = ("vpcConfig.clusterSecurityGroupId", "vpcConfig.vpcId", "networkInterfaces.networkIp", "accessConfigs.natIp")
"""What a cloud adds inside given inputs although the SDKs' types call it optional, and programs use: of EKS clusters and
Google's instances."""


def _dashed(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()
