"""What every format of `hostgate export` has in common: a mechanism whose objects are files, for software out of a cloud.

A format says in `means` what its software can tell apart, writes one file of structured content, and judges a flow by that
content alone. It deploys nothing: what has to stand beside the file is in `needs`.
"""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import ConfigDict, Field

from hostgate.catalog.model import Entry
from hostgate.flows.address_sets import networks
from hostgate.flows.intervals import Intervals
from hostgate.flows.names import Names, NameTest
from hostgate.flows.steps import EVERY_CLIENT, Box, ClientTest, Stage, Step
from hostgate.planning.findings import Finding, finding
from hostgate.planning.limits import Limit
from hostgate.planning.mechanism import CloudObject, Mechanism, Rendering
from hostgate.planning.options import CONFIG, Cidr, Options
from hostgate.planning.plan import Plan

APPLICATION = {"https": "tls", "tls": "tls", "http": "http"}
"""What an entry's protocol speaks."""

TCP, UDP = 6, 17


PORT = r"(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})"
"""A port from 1 to 65535, as a pattern."""


class FormatOptions(Options):
    """Options of any format. Its software refuses what no line allows, private destinations too, whatever `deny` says."""

    model_config = ConfigDict(**CONFIG, use_attribute_docstrings=True)

    mode: Literal["enforce"] = "enforce"
    deny: Literal["internet", "all"] = "internet"


class ClientOptions(FormatOptions):
    """Options of formats that tell clients apart."""

    from_: Annotated[list[Cidr], Field(alias="from")] = []
    """Who may use the hosts: address ranges. Left out: everybody who reaches the software."""


F = TypeVar("F", bound=FormatOptions)


class FileFormat(Mechanism[F]):
    """Base of the formats: one file of one kind of content."""

    file: ClassVar[str]
    """The end of the file's name, after `name` of the options."""
    refuses: ClassVar[str]
    """What else the file refuses, as the finding `deny-cuts` says it."""
    state: ClassVar[str]
    """What its software remembers of a connection, and so which way a rule is for."""
    limits: ClassVar[tuple[Limit, ...]] = ()
    tells_clients: ClassVar[bool] = False
    """Whether the file says who may use the hosts, where the options name them. Else who gets the file may use all."""

    @abstractmethod
    def body(self, entries: Sequence[Entry], options: F) -> Mapping[str, Any]:
        """The content of the file as plain values."""

    @abstractmethod
    def text(self, body: Mapping[str, Any], head: Sequence[str]) -> str:
        """The file, of its content and of lines for people."""

    def render(self, entries: Sequence[Entry], options: F) -> Rendering:
        name = f"{options.name}{self.file}"
        body = self.body(entries, options)
        head = (f"hostgate: {len(entries)} {'host' if len(entries) == 1 else 'hosts'} for {self.title}",)
        made = CloudObject(kind=f"file{self.file}", name=name, body=body, text=self.text(body, head))
        return Rendering(
            objects=(made,),
            rules={entry.key: f"{name}#{self.rule(entry, options)}" for entry in entries},
            findings=tuple(self.remarks(options)),
        )

    def rule(self, entry: Entry, options: F) -> str:  # noqa: ARG002
        """What of the file allows `entry`: the host, as the catalog means it."""
        return f"{entry.host}:{entry.port}"

    def remarks(self, options: F) -> Iterator[Finding]:
        """What a plan says beside its entries."""
        yield finding("deny-cuts", self.refuses)
        if isinstance(options, ClientOptions) and not options.from_:
            yield finding("from-everything", "Everybody who reaches it may use the hosts.")


def clients_of(cidrs: Sequence[str]) -> ClientTest:
    """The clients in `cidrs`; everybody where there are none."""
    return ClientTest(addresses=networks(cidrs)) if cidrs else ClientTest()


def closed(why: str) -> Step:
    """What becomes of a flow that no line is about."""
    return Step(action="block", rule="", why=why)


def row_stage(name: str, rows: Iterable[Mapping[str, Any]], clients: ClientTest = EVERY_CLIENT) -> Stage:
    """One stage of rows that each say host, match, port and protocol, and mean the name that is dialled."""
    steps = []
    for row in rows:
        test: Names = (NameTest(row["match"], row["host"]),)
        spoken = APPLICATION.get(row["protocol"])
        box = Box(
            dialled=test,
            port=Intervals.of([(row["port"], row["port"])]),
            protocols=frozenset({UDP if row["protocol"] == "udp" else TCP}),
            applications=frozenset({spoken}) if spoken else None,
            client=clients,
        )
        steps.append(Step(action="allow", rule=f"{name}#{row['host']}:{row['port']}", why="a line allows it", box=box))
    return Stage("lines", tuple(steps), closed("no line allows it"))


def files_of(plan: Plan) -> Mapping[str, str]:
    """The files of a plan for a format, by name."""
    return {each.name: each.text or "" for each in plan.objects}
