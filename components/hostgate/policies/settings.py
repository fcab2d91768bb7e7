"""The pack's settings: which catalogs count, the survey, thresholds, levels, and exemptions with a reason and an end.

They stand in one file beside PulumiPolicy.yaml, so that whoever owns the pack owns them, and not the stack under review.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from fnmatch import fnmatchcase
from functools import cached_property
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from hostgate.catalog.blanks import blanks
from hostgate.catalog.dates import iso_date
from hostgate.catalog.problems import InputError, Problem, did_you_mean, key_path, spelled
from hostgate.catalog.yaml_reader import Mapping as YamlMapping
from hostgate.catalog.yaml_reader import read_file
from hostgate.dns.document import read_verdicts
from hostgate.flows.address_sets import networks
from hostgate.flows.extent import ID, key_of
from hostgate.flows.name_classes import Need
from hostgate.planning.needs import needs_of
from hostgate.planning.options import option_problems
from hostgate.planning.survey import Survey
from hostgate.policies.catalogs import CatalogIndex, read_catalogs
from hostgate.policies.effects import everywhere
from hostgate.policies.rule_table import OF_REACH, RULES, Level

FILE = "settings.yaml"

ALL = "all"
"""In `levels`: every rule that is not named there, as in the engine's own pack config."""


def _date(text: str) -> str:
    try:
        iso_date(text)
    except ValueError:
        raise PydanticCustomError(
            "date", "{message}", {"message": f"found {spelled(text)}. Allowed: a date as YYYY-MM-DD."}
        ) from None
    return text


def _reason(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError(
            "reason", "{message}", {"message": f"found {spelled(text)}. Allowed: a reason in words."}
        )
    return text


def _rule(text: str) -> str:
    if text not in RULES:
        raise PydanticCustomError(
            "rule",
            "{message}",
            {"message": f"found {spelled(text)}.{did_you_mean(text, RULES)} Allowed: {', '.join(RULES)}."},
        )
    return text


def _rule_or_all(text: str) -> str:
    return text if text == ALL else _rule(text)


def _address(text: str) -> str:
    try:
        network = ip_network(text)
    except ValueError:
        raise PydanticCustomError(
            "address", "{message}", {"message": f"found {spelled(text)}. Allowed: an address or a range."}
        ) from None
    if everywhere(networks([text])):
        said = f"found {text}, which is most of the internet. Allowed: an address or a range of one host."
        raise PydanticCustomError("address", "{message}", {"message": said})
    return str(network.network_address) if network.num_addresses == 1 else str(network)


class _Section(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, alias_generator=to_camel)


class Exemption(_Section):
    """A person's word that one finding is known and meant, until a day. At least one of id, entry, host, resource."""

    rule: Annotated[str, AfterValidator(_rule)]
    because: Annotated[str, AfterValidator(_reason)]
    until: Annotated[str, AfterValidator(_date)]
    owner: Annotated[str, AfterValidator(_reason)] | None = None
    id: str | None = None
    entry: str | None = None
    host: str | None = None
    resource: str | None = None

    @model_validator(mode="after")
    def _is_about_something(self) -> Self:
        if self.rule == "exemption-ended":
            raise ValueError("found the rule exemption-ended, which cannot be exempted. Take the ended exemption out.")
        if self.resource is not None and not self.resource.strip("*?"):
            raise ValueError(
                f"found resource {spelled(self.resource)}, which is every resource: it would silence the whole rule. Name one."
            )
        if self.id is not None and self.rule not in OF_REACH:
            raise ValueError(f"names an `id`, which only lines of {', '.join(OF_REACH)} have.")
        if self.id is not None and not ID.match(self.id):
            raise ValueError(f"found id {spelled(self.id)}. Allowed: that of a line, twice 8 hexadecimal digits.")
        if (self.id, self.entry, self.host, self.resource) == (None,) * 4:
            raise ValueError(
                "names neither `id`, `entry`, `host` nor `resource`: it would silence the whole rule. Name one."
            )
        return self

    @property
    def ends(self) -> date:
        return iso_date(self.until)

    def outgrown_by(self, rule: str, id_: str | None) -> bool:
        """Whether it is about a line that has changed since: the same rule, and what that opens is another thing."""
        known = rule == self.rule and self.id is not None and id_ is not None
        return known and self.id != id_ and key_of(str(self.id)) == key_of(str(id_))

    def covers(self, rule: str, entry: str | None, host: str | None, resource: str, id_: str | None = None) -> bool:
        """Whether it is about this; `resource` is a name and may hold `*`."""
        return (
            rule == self.rule
            and self.id in (None, id_)
            and self.entry in (None, entry)
            and self.host in (None, host)
            and (self.resource is None or fnmatchcase(resource, self.resource))
        )

    def __str__(self) -> str:
        about = [f"{key} {value}" for key in ("id", "entry", "host", "resource") if (value := getattr(self, key))]
        return f"{self.rule} for {', '.join(about)}"


class SettingsFile(_Section):
    """The keys of the settings file."""

    catalogs: Annotated[list[str], Field(min_length=1)]
    survey: str | None = None
    addresses: dict[str, list[Annotated[str, AfterValidator(_address)]]] = {}
    head_room: Annotated[int, Field(ge=0, le=90)] = 20
    near_limit: Annotated[int, Field(ge=1, le=100)] = 90
    levels: dict[Annotated[str, AfterValidator(_rule_or_all)], Level] = {}
    exempt: list[Exemption] = []


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings as rules use them. `head_room` and `near_limit` are percent; `as_of` decides which exemptions hold."""

    known: CatalogIndex
    as_of: date
    survey: Survey | None = None
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Hosts by address."""
    head_room: int = 20
    near_limit: int = 90
    levels: Mapping[str, Level] = field(default_factory=dict)
    exempt: tuple[Exemption, ...] = ()

    @cached_property
    def needs(self) -> tuple[Need, ...]:
        """What the catalogs need; where the settings have an address of a host, that may be open for it."""
        by_address = (
            Need(entry.id, replace(need.box, dialled=None, applications=None, address=networks([address])), due=False)
            for address, hosts in self.addresses.items()
            for host in hosts
            for entry in self.known.standing.get(host, ())
            for need in needs_of([entry])[:1]
        )
        return (*self.known.needs, *by_address)

    def level(self, rule: str) -> Level:
        return self.levels.get(rule) or self.levels.get(ALL) or RULES[rule].level


def read_settings(folder: Path, as_of: date) -> Settings:
    """The settings in `folder`; paths in them are relative to it. Raises InputError with every problem."""
    document = read_file(folder / FILE, FILE)
    problems = [
        Problem(rule="config", file=FILE, line=line, column=column, message=blank.message(key_path("", blank.path)[1:]))
        for blank in blanks(document)
        for line, column in [blank.at or (None, None)]
    ]
    try:
        told = SettingsFile.model_validate(document)
    except ValidationError as error:
        found = option_problems(error, SettingsFile, "settings")
        keys = [str(item["loc"][0]) if item["loc"] else "" for item in error.errors(include_url=False)]
        messages = [problem.message.replace("`settings.", "`", 1) for problem in found]
        blank = {problem.message for problem in problems}
        problems += [
            _placed(said, document, key) for said, key in zip(messages, keys, strict=True) if said not in blank
        ]
        raise InputError(problems) from None
    known: CatalogIndex | None = None
    try:
        known = read_catalogs(told.catalogs, folder)
    except InputError as error:
        problems += error.problems
    survey: Survey | None = None
    try:
        survey = None if told.survey is None else read_verdicts(folder / told.survey)
    except InputError as error:
        problems += error.problems
    if problems or known is None:
        raise InputError(problems)
    addresses: dict[str, list[str]] = {}
    for host, texts in told.addresses.items():
        for text in texts:
            addresses.setdefault(text, []).append(host.lower())
    return Settings(
        known=known,
        as_of=as_of,
        survey=survey,
        addresses={address: tuple(dict.fromkeys(hosts)) for address, hosts in addresses.items()},
        head_room=told.head_room,
        near_limit=told.near_limit,
        levels=told.levels,
        exempt=tuple(told.exempt),
    )


def _placed(message: str, document: YamlMapping, key: str) -> Problem:
    line, column = document.at.get(key, (None, None))
    return Problem(rule="config", file=FILE, line=line, column=column, message=message)
