"""What a refresher that is started on a schedule does each time, as one JSON document: made when it is deployed, and read
when it runs. Whatever the one refuses, the other never gets.
"""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field

from hostgate.catalog.hosts import check_host
from hostgate.catalog.model import Family
from hostgate.catalog.problems import InputError, Problem, spelled
from hostgate.dns.refreshing import RefreshOrder
from hostgate.dns.resolvers import MOST, parse_resolver, system_resolvers
from hostgate.planning.options import CONFIG, OptionsError, read_options
from hostgate.planning.pool_form import (
    LONGEST_WINDOW,
    OWNER,
    OWNER_ALLOWED,
    PREFIX_LIST,
    PREFIX_LIST_ALLOWED,
    SHORTEST_WINDOW,
    VANTAGE,
    VANTAGE_ALLOWED,
    private_network,
)

NAMESPACE, METRIC, DIMENSION = "hostgate", "PoolRefreshed", "FunctionName"
"""What a run counts itself by on CloudWatch: 1 if it was whole, 0 if not."""

MOST_LISTS = 100
"""Of one refresher: each is named in its role's policy, which holds 10,240 characters (IAM quotas, read 2026-11-28)."""

_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]{1,2}\Z")


def _like(pattern: re.Pattern[str], allowed: str) -> AfterValidator:
    def check(text: str) -> str:
        if not pattern.match(text):
            raise ValueError(f"found {spelled(text)}. Allowed: {allowed}.")
        return text

    return AfterValidator(check)


def _read_by(read: Callable[[str], Any]) -> AfterValidator:
    """A text that `read` takes; what it raises says what is allowed."""

    def check(text: str) -> str:
        try:
            read(text)
        except ValueError as error:
            raise ValueError(str(error.args[-1])) from None
        return text

    return AfterValidator(check)


def _host(text: str) -> str:
    host = check_host(text)
    if host.rule is not None:
        raise ValueError(host.message)
    return host.name


_Host = Annotated[str, AfterValidator(_host)]
_Percent = Annotated[int, Field(ge=0, le=100)]
_Window = Annotated[int, Field(ge=SHORTEST_WINDOW, le=LONGEST_WINDOW)]


class PushJob(BaseModel):
    """A managed prefix list that the pool's addresses go into: the options of `hostgate pool push aws-prefix-list`."""

    model_config = CONFIG

    list_id: Annotated[str, _like(PREFIX_LIST, PREFIX_LIST_ALLOWED)]
    hosts: list[_Host] = []
    family: Family | None = None
    owner: Annotated[str, _like(OWNER, OWNER_ALLOWED)] = "pool"
    most_removed: _Percent = 20
    grow_to: Annotated[int, Field(ge=1)] | None = None
    keep_foreign: bool = False


class RefreshJob(BaseModel):
    """One run. `hosts`: each with its window in seconds at the least; `window`: of all, if a person said so. `bucket_region`:
    of the pool's bucket, where it is not where the refresher runs."""

    model_config = CONFIG

    pool: Annotated[str, _like(re.compile("(s3|gs|az)://."), "a URL, s3://BUCKET/KEY")]
    bucket_region: Annotated[str, _like(_REGION, "a Region, e.g. eu-west-1")] | None = None
    vantage: Annotated[str, _like(VANTAGE, VANTAGE_ALLOWED)]
    hosts: Annotated[dict[_Host, _Window], Field(min_length=1)]
    window: _Window | None = None
    resolvers: Annotated[list[Annotated[str, _read_by(parse_resolver)]], Field(max_length=MOST)] = []
    private: list[Annotated[str, _read_by(private_network)]] = []
    most_removed: _Percent = 20
    prefix_lists: Annotated[list[PushJob], Field(max_length=MOST_LISTS)] = []

    @property
    def order(self) -> RefreshOrder:
        """What the refresher is told. Raises InputError where no resolver is named and the machine has none."""
        return RefreshOrder(
            vantage=self.vantage,
            hosts=self.hosts,
            windows={} if self.window is None else dict.fromkeys(self.hosts, self.window),
            resolvers=tuple(map(parse_resolver, self.resolvers)) or system_resolvers(),
            private=tuple(dict.fromkeys(map(private_network, self.private))),
            most_removed=self.most_removed / 100,
        )


def read_job(event: object, where: str = "event") -> RefreshJob:
    """The job in `event`, a JSON document by its place in words. Raises InputError, all at once."""
    if not isinstance(event, Mapping):
        message = f"`{where}`: found {spelled(event)}. Allowed: a refresh job, a mapping."
        raise InputError([Problem(rule="refresh-job", message=message)])
    try:
        return read_options(RefreshJob, event, where)
    except OptionsError as error:
        raise InputError(error.problems) from None
