"""Options that every mechanism shares, and how an option error is told.

A mechanism's own options extend `Options`. Keys are camelCase in YAML and JSON, snake_case in Python.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from hostgate.catalog.blanks import blank_message, is_blank
from hostgate.catalog.problems import Problem, did_you_mean, key_path, spelled
from hostgate.catalog.strict_json import NotJSON, read_json_text

Mode = Literal["enforce", "audit"]
Deny = Literal["none", "declared", "internet", "all"]

PRIVATE_IPV4 = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
"""RFC 1918."""

PRIVATE_IPV6 = ("fc00::/7",)
"""RFC 4193, unique local addresses."""


SHARED_IPV4 = ("100.64.0.0/10",)
"""RFC 6598, address space shared behind carrier-grade NAT; clouds route it inside as well."""

PRIVATE = (*PRIVATE_IPV4, *SHARED_IPV4, *PRIVATE_IPV6)
"""What no route on the internet leads to, of both families."""


def public_ranges(cidrs: Iterable[str]) -> list[str]:
    """Those of `cidrs` that are not wholly private, in order: traffic to them is traffic to the internet."""
    inside = [ip_network(each) for each in PRIVATE]

    def private(network: IPv4Network | IPv6Network) -> bool:
        return any(network.version == each.version and network.subnet_of(each) for each in inside)  # type: ignore[arg-type]

    return [each for each in cidrs if not private(ip_network(each))]


def merged(cidrs: Iterable[str]) -> list[IPv4Network | IPv6Network]:
    """The ranges without overlap, IPv4 first, each in order."""
    networks = [ip_network(cidr) for cidr in cidrs]
    return [
        *collapse_addresses(network for network in networks if isinstance(network, IPv4Network)),
        *collapse_addresses(network for network in networks if isinstance(network, IPv6Network)),
    ]


def internet_ranges() -> list[IPv4Network | IPv6Network]:
    """Every address of both families that is not private, as ranges, IPv4 first: a list that needs no negation."""
    left: list[IPv4Network | IPv6Network] = [ip_network("0.0.0.0/0"), ip_network("::/0")]
    for private in map(ip_network, PRIVATE):
        left = [part for each in left for part in _without(each, private)]
    return sorted(left, key=lambda each: (each.version, int(each.network_address)))


def _without(
    network: IPv4Network | IPv6Network, hole: IPv4Network | IPv6Network
) -> Iterable[IPv4Network | IPv6Network]:
    inside = network.version == hole.version and hole.subnet_of(network)  # type: ignore[arg-type]
    return network.address_exclude(hole) if inside else [network]  # type: ignore[arg-type]


def cidr(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError as error:
        raise PydanticCustomError(
            "cidr", "{message}", {"message": f"Found {text!a}. Allowed: an address range as CIDR ({error})."}
        ) from None


Cidr = Annotated[str, AfterValidator(cidr)]

Name = Annotated[str, Field(pattern=r"^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$")]
"""Begins every object's name. 30 characters leave room for suffixes under every maximum (63 on Google Cloud)."""


class Options(BaseModel):
    """Options of any mechanism. `tags` and `name` reach every object that can carry them."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, alias_generator=to_camel, validate_by_name=True)

    name: Name = "hostgate"
    mode: Mode = "enforce"
    deny: Deny = "internet"
    tags: dict[str, str] = {}

    @property
    def clients(self) -> tuple[str, ...]:
        """Who may use the hosts, as the cloud names them; empty: everybody that the mechanism sees."""
        return tuple(sorted(getattr(self, "from_", ())))

    @property
    def dialled(self) -> Mapping[str, tuple[str, ...]]:
        """Where entries are allowed by addresses that the options give: ranges, or the sets that hold them, by entry id."""
        return {}

    @property
    def open_names(self) -> tuple[str, ...]:
        """Names that pass beside the hosts of the catalogs, at and below."""
        return ()

    @property
    def place(self) -> tuple[tuple[str, str], ...]:
        """Where the objects go, as far as their bodies do not say it: option and value."""
        found = ((name, getattr(self, name, None)) for name in ("attach", "resource_group"))
        return tuple((name, value) for name, value in found if value is not None)

    @property
    def formerly_named(self) -> tuple[str, ...]:
        """Names that the same objects had before."""
        return ()

    @property
    def lacking(self) -> str | None:
        """What a deployment needs and a plan does not, in words; None if nothing."""
        return None

    def elsewhere(self, providers: Mapping[str, str]) -> Iterator[tuple[tuple[int | str, ...], str]]:  # noqa: ARG002
        """What the options name that is not where a stack's default providers are: the key's path, and what is wrong.

        `providers`: their settings by full config key (`aws:region`), as far as they are known.
        """
        return iter(())

    @property
    def places(self) -> tuple[str | None, ...]:
        """Where a program makes the whole plan, once in each: Regions, or None for where the provider is."""
        return (None,)


def spelled_out(options: Options) -> dict[str, Any]:
    """`options` as `read_options` takes them, with the defaults that they have in this release; what is empty left out."""
    found = options.model_dump(mode="json", by_alias=True)
    return {key: value for key, value in found.items() if value not in (None, [], {})}


Model = TypeVar("Model", bound=BaseModel)


class OptionsError(ValueError):
    """Options that do not hold; `problems` has all of them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, problems)))


def read_options(kind: type[Model], values: Mapping[str, Any], where: str, beside: Sequence[str] = ()) -> Model:
    """`values` as options of `kind`. `where` names their place, e.g. `hostgate:aws`; `beside` are keys that may stand
    there and were read already. Raises OptionsError, all at once."""
    try:
        return kind.model_validate(dict(values))
    except ValidationError as error:
        raise OptionsError(option_problems(error, kind, where, beside)) from None


def option_problems(
    error: ValidationError, kind: type[BaseModel], where: str, beside: Sequence[str] = ()
) -> list[Problem]:
    """What pydantic found, with the key, what stands there and what is allowed."""
    problems = []
    for item in error.errors(include_url=False):
        key = key_path(where, item["loc"])
        found, context = spelled(item["input"]), item.get("ctx", {})
        match item["type"]:
            case "extra_forbidden":
                above = item["loc"][:-1]
                keys = sorted([*_keys(kind, above), *(() if above else beside)])
                message = (
                    f"`{key}` is no key here.{did_you_mean(str(item['loc'][-1]), keys)} Allowed: {', '.join(keys)}."
                )
            case "missing":
                message = f"`{key}` is missing."
            case _ if is_blank(item["input"]):
                message = blank_message(key, item["input"])
            case "literal_error":
                near = did_you_mean(str(item["input"]), re.findall(r"'([^']*)'", context["expected"]))
                message = f"`{key}`: found {found}.{near} Allowed: {context['expected']}."
            case "string_pattern_mismatch":
                message = f"`{key}`: found {found}. Allowed: text like {context['pattern']}."
            case "greater_than_equal" | "less_than_equal":
                message = f"`{key}`: found {found}. Allowed: {item['msg'].removeprefix('Input should be ')}."
            case "int_type" | "string_type" | "bool_type" | "list_type" | "dict_type" | "model_type":
                words = {"int": "a whole number", "string": "text", "bool": "true or false", "list": "a list"}
                word = words.get(item["type"].split("_")[0], "a mapping")
                message = f"`{key}`: found {found}{not_json(item['input'])}. Allowed: {word}."
            case "string_unicode":
                message = f"`{key}`: found {found}, which is half a character. Allowed: text."
            case "too_long":
                message = f"`{key}`: found {context['actual_length']} items. Allowed: at most {context['max_length']}."
            case "too_short":
                message = f"`{key}` is empty. Allowed: at least one, or leave the key out."
            case _:
                message = f"`{key}`: {item['msg'].removeprefix('Value error, ')}"
        problems.append(Problem(rule="config", message=message, path=tuple(item["loc"])))
    return problems


def not_json(value: object) -> str:
    """Why a text that begins as a JSON list or mapping is none, as the rest of a sentence; nothing for all else."""
    if not isinstance(value, str) or value.strip()[:1] not in ("[", "{"):
        return ""
    try:
        read_json_text(value)
    except NotJSON as error:
        return f", which is no valid JSON ({error})"
    return ""


def _keys(kind: type[BaseModel], path: Sequence[int | str]) -> list[str]:
    """The keys of the section at `path`, which is `kind` itself or one nested in it."""
    section: Any = kind
    for step in path:
        if isinstance(step, int):
            continue
        field = next(field for name, field in section.model_fields.items() if step in (field.alias, name))
        found = field.annotation
        while not (isinstance(found, type) and issubclass(found, BaseModel)):
            found = next(part for part in get_args(found) if part is not type(None))
        section = found
    return sorted(field.alias or name for name, field in section.model_fields.items())
