"""The catalog document as typed records, and the entry that a plan is made from.

The records mirror the YAML one to one and produce the JSON Schema that editors use; `Entry` is one host need at one
revision, with its history applied. Strings that name a closed set are Literals, so that a reader sees the whole set.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from hostgate.catalog.dates import iso_date
from hostgate.catalog.hosts import check_host, is_public_suffix
from hostgate.catalog.problems import spelled

Match = Literal["exact", "one-label", "subtree", "subtree+apex"]
Protocol = Literal["https", "http", "tls", "tcp", "udp"]
Party = Literal["first", "third"]
Phase = Literal["pull", "build", "console", "cli", "support", "development"]
Direction = Literal["egress", "ingress"]
Family = Literal["ipv4", "ipv6"]
Status = Literal["active", "withdrawn", "mistaken"]

MATCHES: tuple[Match, ...] = get_args(Match)
PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)
PHASES: tuple[Phase, ...] = get_args(Phase)
PARTIES: tuple[Party, ...] = get_args(Party)
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
FAMILIES: tuple[Family, ...] = get_args(Family)


def _host(text: str) -> str:
    host = check_host(text)
    if host.rule is not None:
        raise PydanticCustomError(host.rule, "{message}", {"message": host.message})
    if is_public_suffix(host.name):
        raise PydanticCustomError(
            "host-public-suffix",
            "{message}",
            {"message": f"Found {host.name}, under which anybody can register a name. Allowed: a name below it."},
        )
    return host.name


def _date(text: str) -> str:
    try:
        iso_date(text)
    except ValueError:
        raise PydanticCustomError(
            "date", "{message}", {"message": f"Found {spelled(text)}. Allowed: a date as YYYY-MM-DD."}
        ) from None
    return text


def _keep(text: str) -> str:
    try:
        return text if text == "warn" else _date(text)
    except PydanticCustomError:
        raise PydanticCustomError(
            "date", "{message}", {"message": f"Found {spelled(text)}. Allowed: a date as YYYY-MM-DD, or `warn`."}
        ) from None


def _slug(what: str, extra: str = "-") -> Callable[[str], str]:
    allowed = frozenset("abcdefghijklmnopqrstuvwxyz0123456789" + extra)

    def check(text: str) -> str:
        if not text or len(text) > 64 or not set(text) <= allowed or not (text[0].isalnum() and text[-1].isalnum()):
            raise PydanticCustomError(
                "name", "{message}",
                {"message": f"Found {spelled(text)}. Allowed for {what}: 1 to 64 of a-z, 0-9 and {' '.join(extra)}."},
            )  # fmt: skip
        return text

    return check


def _text(text: str) -> str:
    plain = text.replace("\n", "")
    if not plain.isprintable():
        strange = next(char for char in plain if not char.isprintable())
        raise PydanticCustomError(
            "text-character",
            "{message}",
            {"message": f"Found the character U+{ord(strange):04X}, which cannot be seen. Allowed: visible text."},
        )
    return text


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


_DATE_SCHEMA = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_HOST_SCHEMA = {"type": "string", "pattern": r"^([^\s*/:@.]+\.)+[^\s*/:@.]+$", "maxLength": 253}
_PHASE_SCHEMA = {
    "anyOf": [{"enum": list(PHASES)}, {"type": "array", "items": {"enum": list(PHASES)}, "minItems": 1}],
}

Date = Annotated[str, AfterValidator(_date), WithJsonSchema(_DATE_SCHEMA)]
Keep = Annotated[str, AfterValidator(_keep), WithJsonSchema({"anyOf": [_DATE_SCHEMA, {"const": "warn"}]})]
HostName = Annotated[str, AfterValidator(_host), WithJsonSchema(_HOST_SCHEMA)]
EntryId = Annotated[
    str, AfterValidator(_slug("an id")), WithJsonSchema({"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,63}$"})
]
CatalogId = Annotated[
    str,
    AfterValidator(_slug("a catalog", "-/")),
    WithJsonSchema({"type": "string", "pattern": "^[a-z0-9][a-z0-9/-]{0,63}$"}),
]
Text = Annotated[str, AfterValidator(_text)]
Phases = Annotated[list[Phase], BeforeValidator(_listed), Field(min_length=1), WithJsonSchema(_PHASE_SCHEMA)]
Families = Annotated[list[Family], Field(min_length=1)]
Port = Annotated[int, Field(ge=1, le=65535)]


class _Record(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class SourceRecord(_Record):
    """Where a statement about hosts was read."""

    id: EntryId
    document: Text = Field(description="The vendor document's title")
    url: Text | None = None
    commit: Text | None = Field(
        None, description="The commit that stated it, where the document is under version control"
    )
    date: Date | None = Field(None, description="Author date of that commit, or the page's own date")


class RevisionRecord(_Record):
    """The catalog as one dated vendor document stated it."""

    id: Date
    source: EntryId = Field(description="The id of a source")
    hosts: Annotated[int, Field(ge=1)] = Field(description="How many hosts that document states; checked when read")
    note: Text = ""


class SpanRecord(_Record):
    """A stretch of revisions in which the entry stands: from `since`, up to but not including `until`."""

    since: Date
    until: Date | None = None
    keep: Keep | None = Field(
        default=None,
        description="After `until`: opened still by revisions up to this date, or by all later ones with a warning; not "
        "counted among the hosts that the document states",
    )
    purpose: Text | None = None
    party: Party | None = None
    phase: Phases | None = None
    families: Families | None = None


class EntryRecord(_Record):
    """One host need."""

    id: EntryId = Field(description="Stable across renames of the host")
    host: HostName = Field(description="A name of two or more labels, without star, scheme, port or path")
    match: Match = Field(
        "exact", description="How far the name reaches: this name, one label below, any depth below, both"
    )
    port: Port
    protocol: Protocol = Field(description="https and tls are TLS over TCP; https never means UDP 443")
    party: Party = Field("third", description="Whether the catalog's vendor runs the host itself")
    purpose: Text = ""
    phase: Phases = Field(default_factory=lambda: list(PHASES), description="When the host is needed; absent = always")
    direction: Direction = "egress"
    families: Families | None = Field(None, description="Address families the host is served on; absent = unknown")
    spans: list[SpanRecord] | None = Field(
        None, description="When the entry stood; absent = always, [] = in no revision"
    )
    status: Status = "active"
    replaces: EntryId | None = Field(None, description="The id of the entry that this one took over from")
    alternatives: EntryId | None = Field(None, description="A group of entries of which any one is enough")
    notes: Text = ""


class CatalogRecord(_Record):
    """A host catalog: the hosts that one vendor product needs, with their history."""

    catalog: CatalogId = Field(description="vendor/product, or a name of your own")
    title: Text = ""
    vendor: Text = ""
    sources: list[SourceRecord] = []
    revisions: list[RevisionRecord] = Field([], description="Absent in a plain file without history")
    besides: list[Text] = Field(
        [],
        description="What the vendor's page has beside its host tables and a reviewer found to change nothing: names as it "
        "writes them, ports, text that it takes in from elsewhere, sentences, and notes with their host",
    )
    entries: Annotated[list[EntryRecord], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an entry's host is written: file as shown to people, line and column from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


NOWHERE = Origin("-", 0, 0)
"""Of an entry that stands in no file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One host need at one revision: what a mechanism has to allow."""

    catalog: str
    id: str
    host: str
    match: Match
    port: int
    protocol: Protocol
    party: Party = "third"
    purpose: str = ""
    phases: tuple[Phase, ...] = PHASES
    direction: Direction = "egress"
    families: tuple[Family, ...] | None = None
    status: Status = "active"
    withdrawn: str | None = None
    """The revision that no longer holds the entry, where the catalog has one after the selected revision."""
    kept: str | None = None
    """Where the selected revision no longer states the entry and opens it still: the last date, or `warn` (no end)."""
    replaced_by: str | None = None
    alternatives: str | None = None
    replaces: str | None = None
    notes: str = ""
    origin: Origin = NOWHERE
    grant: str = ""
    """The grant that asks for it, where a plan has several."""

    @property
    def transport(self) -> Literal["tcp", "udp"]:
        return "udp" if self.protocol == "udp" else "tcp"

    @property
    def key(self) -> tuple[str, str]:
        """Catalog and entry id, with its grant if it has one: unique in a selection, and the order of everything rendered."""
        return (self.catalog, f"{self.id} {self.grant}" if self.grant else self.id)

    @property
    def label(self) -> str:
        """Its id for people, with its grant if it has one."""
        return f"{self.id} for {self.grant}" if self.grant else self.id

    @property
    def reach(self) -> str:
        """The names allowed, in words."""
        return self.host if self.match == "exact" else f"{self.match} of {self.host}"

    def as_json(self) -> dict[str, object]:
        """The entry under the document's own keys."""
        return {
            "id": self.id,
            "host": self.host,
            "match": self.match,
            "port": self.port,
            "protocol": self.protocol,
            "party": self.party,
            "purpose": self.purpose,
            "phase": list(self.phases),
            "direction": self.direction,
            "families": None if self.families is None else list(self.families),
            "status": self.status,
            "withdrawn": self.withdrawn,
            "kept": self.kept,
            "replaces": self.replaces,
            "replaced_by": self.replaced_by,
            "alternatives": self.alternatives,
            "notes": self.notes,
        }
