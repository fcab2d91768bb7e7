"""Values on the Pulumi wire, and the plain values a preview shows: unknowns as a sentinel, secrets masked."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from google.protobuf import json_format, struct_pb2

from hostgate.flows.engine_documents import SIGNATURE, UNKNOWN_TEXT
from hostgate.flows.nodes import UNKNOWN

# Magic strings of the SDK's own property serialisation (Pulumi SDK for Python, runtime/rpc.py).
UNKNOWN_ON_WIRE: Final = UNKNOWN_TEXT
SECRET_SIGNATURE: Final = "1b47061264138c4ac30d75fd1eb44270"
ASSET_SIGNATURE: Final = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE_SIGNATURE: Final = "0def7320c3a5731c473e5ecbe6d01bc7"
RESOURCE_SIGNATURE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
OUTPUT_SIGNATURE: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"

RESOURCE_MARK: Final = "@isPulumiResource"

MASK: Final = "[secret]"


def from_struct(struct: struct_pb2.Struct) -> dict[str, Any]:
    """The struct as JSON-like Python values, signatures and sentinels untouched; whole numbers become int.

    The wire has floating point numbers only, and a port of 443.0 is nothing to show anybody. It has no order of keys
    either, so they come sorted: two previews of one program must not differ.
    """
    return {key: _from_value(struct.fields[key]) for key in sorted(struct.fields)}


def as_secret(value: object) -> object:
    """A wire value marked as a secret, once."""
    if isinstance(value, dict) and value.get(SIGNATURE) == SECRET_SIGNATURE:
        return value
    return {SIGNATURE: SECRET_SIGNATURE, "value": value}


def policy_struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """The properties of a resource as policy packs get them."""
    return to_struct({key: for_policies(item) for key, item in values.items() if not key.startswith("__")})


def to_struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """Plain or wire values as a Struct; `UNKNOWN` becomes the wire's sentinel."""
    struct = struct_pb2.Struct()
    json_format.ParseDict({key: _to_wire(value) for key, value in values.items()}, struct)
    return struct


def plain(value: object, *, reveal: bool = False) -> object:
    """A wire value without signatures.

    Unknowns become `UNKNOWN`, a resource reference its id (or its URN, for a component), and a secret its mask, or
    with `reveal` its value: checks need the value, results must not hold it. The mark that the SDK puts on exported
    resources, for the engine's diff of a preview, is left out.
    """
    if isinstance(value, list):
        return [plain(item, reveal=reveal) for item in value]
    if isinstance(value, dict):
        match value.get(SIGNATURE):
            case None:
                return {key: plain(item, reveal=reveal) for key, item in value.items() if key != RESOURCE_MARK}
            case signature if signature == SECRET_SIGNATURE:
                return plain(value.get("value"), reveal=True) if reveal else MASK
            case signature if signature == OUTPUT_SIGNATURE:
                if value.get("secret") and not reveal:
                    return MASK
                return plain(value["value"], reveal=reveal) if "value" in value else UNKNOWN
            case signature if signature == RESOURCE_SIGNATURE:
                return plain(value["id"] or UNKNOWN_ON_WIRE) if "id" in value else value["urn"]
            case _:  # asset or archive: a cloud gives it back, and the SDKs know it by its mark only
                return {key: plain(item, reveal=reveal) for key, item in value.items() if reveal or key != SIGNATURE}
    return UNKNOWN if value == UNKNOWN_ON_WIRE else value


def plain_fields(values: Mapping[str, Any], *, reveal: bool = False) -> dict[str, Any]:
    """`plain` for every property of a resource."""
    return {key: plain(item, reveal=reveal) for key, item in values.items() if key != RESOURCE_MARK}


def for_policies(value: object) -> object:
    """A wire value as the engine hands it to policy packs: unknowns, secrets and assets marked, references resolved.

    The engine marshals with KeepUnknowns, KeepSecrets and SkipInternalKeys; a pack refuses any other signature.
    """
    if isinstance(value, list):
        return [for_policies(item) for item in value]
    if not isinstance(value, dict):
        return value
    signature = value.get(SIGNATURE)
    if signature == RESOURCE_SIGNATURE:
        return (value["id"] or UNKNOWN_ON_WIRE) if "id" in value else value["urn"]
    if signature == OUTPUT_SIGNATURE:
        inner = for_policies(value["value"]) if "value" in value else UNKNOWN_ON_WIRE
        return {SIGNATURE: SECRET_SIGNATURE, "value": inner} if value.get("secret") else inner
    return {key: for_policies(item) for key, item in value.items() if not key.startswith("__")}


def secret_texts(value: object, *, inside: bool = False) -> Iterator[str]:
    """Every text inside a secret of a wire value, for taking it out of messages."""
    if isinstance(value, list):
        for item in value:
            yield from secret_texts(item, inside=inside)
    elif isinstance(value, dict):
        signature = value.get(SIGNATURE)
        inside = (
            inside or signature == SECRET_SIGNATURE or (signature == OUTPUT_SIGNATURE and bool(value.get("secret")))
        )
        for key, item in value.items():
            if key != SIGNATURE:
                yield from secret_texts(item, inside=inside)
    elif inside and isinstance(value, str) and value != UNKNOWN_ON_WIRE:
        yield value


def masked(text: str, secrets: set[str]) -> str:
    """`text` with every secret of three characters or more masked, as the engine filters its own output."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= 3:
            text = text.replace(secret, MASK)
    return text


def _from_value(value: struct_pb2.Value) -> object:
    match value.WhichOneof("kind"):
        case "string_value":
            return value.string_value
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "bool_value":
            return value.bool_value
        case "struct_value":
            return from_struct(value.struct_value)
        case "list_value":
            return [_from_value(item) for item in value.list_value.values]
    return None


def _to_wire(value: object) -> object:
    if value is UNKNOWN:
        return UNKNOWN_ON_WIRE
    if isinstance(value, Mapping):
        return {key: _to_wire(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_to_wire(item) for item in value]
    return value
