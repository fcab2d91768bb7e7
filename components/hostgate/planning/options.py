"""Options that every mechanism shares, and how an option error is told.

A mechanism's own options extend `Options`. Keys are camelCase in YAML and JSON, snake_case in Python.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from itertools import count
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    model_serializer,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from hostgate.catalog.blanks import blank_message, is_blank
from hostgate.catalog.model import FAMILIES, Entry, Family
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

MOST_BETWEEN = 1_000_000
"""Between the first priorities of two grants; on Google Cloud what allows has 8,398,608, and what denies begins at 10,000,000."""

LONGEST_NAME = 30
Name = Annotated[str, Field(pattern=r"^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$")]
"""Begins every object's name. 30 characters leave room for suffixes under every maximum (63 on Google Cloud)."""


CONFIG = ConfigDict(strict=True, extra="forbid", frozen=True, alias_generator=to_camel, validate_by_name=True)


class GrantOptions(BaseModel):
    """One of several lists of hosts in one plan: whom it is for. Its hosts are those entries of the selection that say its
    name."""

    model_config = CONFIG

    name: Name
    from_: Annotated[list[str] | None, Field(alias="from")] = None
    """Its clients; left out: those under `from` of the whole plan, else everybody."""
    base: int | None = None
    """Of its rules, where each has a priority of its own; left out: by its place among the grants."""

    @model_serializer(mode="wrap")
    def _said(self, whole: Any) -> dict[str, Any]:
        return {key: value for key, value in whole(self).items() if value is not None}


class Options(BaseModel):
    """Options of any mechanism. `tags` and `name` reach every object that can carry them."""

    model_config = CONFIG

    between_grants: ClassVar[int] = 0
    """How far the priorities of one grant's rules are from those of the next; 0 where they have none of their own."""
    between_components: ClassVar[int] = 0
    """The same of components that share a policy and give no `base`; 0 where none share one."""

    name: Name = "hostgate"
    mode: Mode = "enforce"
    deny: Deny = "internet"
    tags: dict[str, str] = {}
    import_: Annotated[dict[str, str], Field(alias="import")] = {}
    """Ids of existing objects to adopt, by child name. They are of the update that adopts them; no object says them."""
    grants: list[GrantOptions] = []
    """Several lists of hosts and clients in one plan. What is denied is denied to the clients of all of them, after every
    rule that allows; a client of several may use the hosts of each."""
    _grant: str = PrivateAttr("")
    _index: int = PrivateAttr(0)

    @model_validator(mode="after")
    def _several_hold(self) -> Self:
        names = [each.name for each in self.grants]
        found = [f"found the grant {name!r} twice. Allowed: each name once." for name in names if names.count(name) > 1]
        for name in names:
            if len(f"{self.name}-{name}") > LONGEST_NAME:
                found.append(
                    f"found the name {self.name!r} and the grant {name!r}, which make {self.name}-{name}. Allowed: "
                    f"{LONGEST_NAME} characters together."
                )
        if not self.between_grants:
            found += [
                f"found a `base` of the grant {each.name!r}. Leave it out: its place among the grants says its order."
                for each in self.grants
                if each.base is not None
            ]
        if not found:
            found = list(self._share_problems())
        bases = [getattr(each, "base", 0) for each in self.shares] if not found else [0]
        if max(bases) - min(bases) > MOST_BETWEEN:
            found.append(
                f"found grants with the bases {min(bases)} and {max(bases)}. Allowed: at most {MOST_BETWEEN:,} apart, so that what "
                "allows for one comes before what denies for another."
            )
        if found:
            raise ValueError(" ".join(dict.fromkeys(found)))
        return self

    def _share_problems(self) -> Iterable[str]:
        for index, grant in enumerate(self.grants):
            try:
                self._share(index, grant)
            except ValidationError as error:
                yield from (each.message for each in option_problems(error, type(self), f"grants.{grant.name}"))

    def _share(self, index: int, grant: GrantOptions) -> Self:
        values = self.model_dump(exclude_unset=True, exclude={"grants"})
        if grant.from_ is not None:
            values.pop("from_", None)
            values["from"] = grant.from_
        if self.between_grants:
            values["base"] = self._bases[index]
        share = type(self).model_validate(values)
        share._grant, share._index = grant.name, index
        return share

    @property
    def _bases(self) -> list[int]:
        """Where the rules of each grant begin: where it says, else at the next place, by its place among all, that no other
        grant says."""
        base: int = getattr(self, "base", 0)
        found: list[int] = []
        for index, grant in enumerate(self.grants):
            taken = {*found, *(each.base for each in self.grants)}
            places = (base + place * self.between_grants for place in count(index))
            found.append(grant.base if grant.base is not None else next(each for each in places if each not in taken))
        return found

    @property
    def shares(self) -> tuple[Self, ...]:
        """The options of each grant, in their order; without grants, these alone."""
        return self._shares or (self,)

    @cached_property
    def _shares(self) -> tuple[Self, ...]:
        return tuple(self._share(*each) for each in enumerate(self.grants))

    @property
    def grant(self) -> str:
        """The grant whose share these options are."""
        return self._grant

    @property
    def index(self) -> int:
        """The place of that grant among all, from 0."""
        return self._index

    @property
    def prefix(self) -> str:
        """Begins the names of what allows the hosts."""
        return f"{self.stem}-{self.grant}" if self.grant else self.stem

    @property
    def clients(self) -> tuple[str, ...]:
        """Who may use the hosts, as the cloud names them; empty: everybody that the mechanism sees."""
        if not self.grants:
            return self.own_clients
        found = [each.own_clients for each in self.shares]
        return tuple(sorted({client for each in found for client in each})) if all(found) else ()

    @property
    def own_clients(self) -> tuple[str, ...]:
        """The same of options without grants."""
        return tuple(sorted(getattr(self, "from_", ())))

    clients_key: ClassVar[str] = "`from`"
    """Where clients are added, in words."""

    @property
    def source_families(self) -> Sequence[Family]:
        """Address families that clients may send from, as far as the options name their ranges."""
        return FAMILIES

    @property
    def served(self) -> tuple[str, ...]:
        """Those of `clients` that rules for hosts are about."""
        return self.clients

    def dialled(self, entry: Entry) -> tuple[str, ...]:  # noqa: ARG002
        """By which addresses `entry` is allowed, where the options give them: ranges, or the sets that hold them."""
        return ()

    def pooled(self, entry: Entry) -> bool:  # noqa: ARG002
        """Whether `entry` is allowed by the addresses alone that the options have of its host, as a pool says them."""
        return False

    def alone(self, entry: Entry) -> bool:
        """Whether `entry` is allowed by nothing but addresses that the options give."""
        return self.pooled(entry)

    @property
    def open_names(self) -> tuple[str, ...]:
        """Names that pass beside the hosts of the catalogs, at and below."""
        return ()

    @property
    def place(self) -> tuple[tuple[str, str], ...]:
        """Where the objects go, as far as their bodies do not say it: option and value."""
        found = ((name, getattr(self, name, None)) for name in ("attach", "resource_group"))
        return tuple((name, value) for name, value in found if value is not None)

    def one_list(self, other: "Options") -> str | None:  # noqa: ARG002
        """Where rules of both are one list of which the first that matches decides, for the same clients, in words; None
        where a flow has to pass both, or meets one of them alone (`apart`)."""
        return None

    def apart(self, other: "Options") -> bool:  # noqa: ARG002
        """Whether no client of one is judged by the other, as far as the options of both tell."""
        return False

    def moves_from(self, other: "Options") -> bool:  # noqa: ARG002
        """Whether both may be in one list for a while, with these rules first: the way from `other` to these, if they allow
        its hosts."""
        return False

    def decides_for(self, other: "Options") -> bool:  # noqa: ARG002
        """Whether, in one list for the same clients with options of the same mechanism, one leaves the other nothing to decide;
        else what one allows comes before what the other denies."""
        return False

    @property
    def stem(self) -> str:
        """What the names of the plan's objects begin with."""
        return self.name

    @property
    def shared_policy(self) -> str | None:
        """What the policy of another owner is known by, to which the rules go; None where they have one of their own."""
        attach: str | None = getattr(self, "attach", None)
        return attach

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


class RenamedOptions(Options):
    """Options whose objects keep their names where `name` changes, so that it moves nothing."""

    formerly: Name | None = None
    """The `name` before it was changed."""

    @property
    def stem(self) -> str:
        return self.formerly or self.name

    @property
    def formerly_named(self) -> tuple[str, ...]:
        return () if self.formerly is None else (self.formerly,)


def plain_numbers(value: Any) -> Any:
    """Whole numbers as such: they cross the boundary of plugins, and the engine's own, as floats."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [plain_numbers(item) for item in value]
    if isinstance(value, dict):
        return {key: plain_numbers(item) for key, item in value.items()}
    return value


def in_one_list(kind: str, names: Sequence[str], where: str) -> str:
    """What is wrong with two layers or components whose rules are one list at `where` (`Options.one_list`)."""
    return (
        f"found the {kind} {' and '.join(names)}, whose rules are one list for the same clients: {where}. The first rule that "
        f"matches decides there, a deny or audit rule of one before every rule of the other. Allowed: one of them, or {kind} "
        "whose `networks` or clients under `from` are apart."
    )


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
