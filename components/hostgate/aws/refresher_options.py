"""What a refresher on a schedule is made of on AWS: the options, the permissions, and when its alarm goes off. Pure.

A permission names its action and its resource; nothing that is given may widen one, so no name may hold the signs that
policies take as wildcards or variables (`*`, `?`, `${`).
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, Field

from hostgate.catalog.problems import spelled
from hostgate.planning.limits import Limit
from hostgate.planning.options import CONFIG

HANDLER: Final = "hostgate.sinks.scheduled.handler"
RUNTIME: Final = "python3.13"

INPUT: Final = Limit(
    "input of a schedule", 256 * 1024, "bytes", "EventBridge Scheduler API, Target.Input", "2026-11-28"
)
ARCHIVE: Final = Limit(
    "archive that is sent to Lambda", 50 * 1024 * 1024, "bytes", "Lambda developer guide, quotas", "2026-11-28"
)
LONGEST_RUN: Final = Limit("time of an invocation", 900, "seconds", "Lambda developer guide, quotas", "2026-11-28")
LONGEST_QUEUED: Final = 21_600
"""Seconds that Lambda keeps a call, at the most (PutFunctionEventInvokeConfig, read 2026-11-28)."""

DAY, WEEK = 86_400, 604_800
"""Seconds. An alarm looks back a day in periods of less than an hour, and a week in longer ones (PutMetricAlarm, 2026-11-28)."""

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,41}\Z")
NAME_ALLOWED = "a letter, and up to 41 letters, digits, - and _"
"""Names of roles have 64 characters (IAM quotas, read 2026-11-28), of which `-schedule-role` and the engine's own take 22."""

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\Z")
_KEY = re.compile(r"[A-Za-z0-9!_.'()-]+(/[A-Za-z0-9!_.'()-]+)*\Z")
_KMS_KEY = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+\Z")

ALLOWED: Final[Mapping[str, tuple[re.Pattern[str], str]]] = {
    "bucket": (_BUCKET, "the name of a bucket"),
    "key": (_KEY, "letters, digits and ! _ . ' ( ) - in parts that / divides"),
    "kms_key_arn": (_KMS_KEY, "the ARN of a key of AWS KMS, no alias"),
}


def objection(option: str, text: object) -> str | None:
    """What is wrong with the value of an option of `ALLOWED`, in words."""
    pattern, allowed = ALLOWED[option]
    if isinstance(text, str) and pattern.match(text):
        return None
    return f"found {spelled(text)}. Allowed: {allowed}."


def _of(option: str) -> AfterValidator:
    def check(text: str) -> str:
        if (wrong := objection(option, text)) is not None:
            raise ValueError(wrong)
        return text

    return AfterValidator(check)


class RefresherOptions(BaseModel):
    """Options of the component, beside the hosts and what the job says (`hostgate.dns.refresh_job.RefreshJob`)."""

    model_config = CONFIG

    bucket: Annotated[str, _of("bucket")]
    key: Annotated[str, _of("key")] = "hostgate/pool.txt"
    kms_key_arn: Annotated[str, _of("kms_key_arn")] | None = None
    names: list[str] = []
    survey: str | None = None
    accept_unfit: dict[str, str] = {}
    image_uri: str | None = None
    archive: str | None = None
    architecture: Literal["x86_64", "arm64"] = "x86_64"
    memory_mb: Annotated[int, Field(ge=256, le=10_240)] = 512
    subnet_ids: Annotated[list[str], Field(min_length=1, max_length=16)]
    security_group_ids: Annotated[list[str], Field(min_length=1, max_length=5)]
    every_minutes: Annotated[int, Field(ge=1, le=1440)] = 5
    alarm_after_minutes: Annotated[int, Field(ge=5, le=WEEK // 60)] = 60
    alarm_actions: list[str] = []
    log_retention_days: Literal[
        1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
    ] = 30
    tags: dict[str, str] = {}
    region: str | None = None

    @property
    def timeout(self) -> int:
        """Seconds that a run may take: it ends before the next begins."""
        return min(self.every_minutes * 60, LONGEST_RUN.max)

    @property
    def period(self) -> int:
        """Seconds of one look of the alarm."""
        return 300 if self.alarm_after_minutes * 60 <= DAY else 3600

    @property
    def rate(self) -> str:
        return f"rate({self.every_minutes} minute{'s' if self.every_minutes != 1 else ''})"

    def objections(self, windows: Iterable[int], folder: Path) -> Iterator[str]:
        """What does not go together. `windows`: of the hosts, in seconds; `folder`: where a relative path begins."""
        if (self.image_uri is None) == (self.archive is None):
            yield "Found both or none of `image_uri` and `archive`. Allowed: one of them, which brings the code."
        if self.accept_unfit and self.survey is None:
            yield "`accept_unfit` answers a survey. Allowed: beside `survey`."
        if self.archive is not None:
            yield from _archive(folder / self.archive)
        least = min(windows, default=DAY) // 4
        if self.every_minutes * 60 > least:
            yield (
                f"`every_minutes`: found {self.every_minutes}. Allowed: at most {least // 60}, a quarter of the shortest "
                "window; answers that stay away for longer are an outage."
            )
        if self.alarm_after_minutes < 3 * self.every_minutes or self.alarm_after_minutes % (self.period // 60):
            yield (
                f"`alarm_after_minutes`: found {self.alarm_after_minutes}. Allowed: at least {3 * self.every_minutes}, three runs, "
                f"in steps of {self.period // 60}."
            )


def _archive(path: Path) -> Iterator[str]:
    try:
        size = path.stat().st_size if path.is_file() else None
    except (OSError, ValueError):
        size = None
    if size is None:
        yield f"`archive`: found no file at {path}. Allowed: a zip archive; `make refresher` builds one."
    elif size > ARCHIVE.max:
        yield (
            f"`archive`: found {size:,} bytes at {path}. Allowed: at most {ARCHIVE.max:,} ({ARCHIVE.source}, {ARCHIVE.date}); "
            "an image may be larger."
        )


def too_large(document: Mapping[str, Any]) -> str | None:
    """That a job is more than a schedule holds, in words; None if it is not."""
    size = len(json.dumps(document).encode())
    if size <= INPUT.max:
        return None
    return (
        f"The {len(document['hosts']):,} hosts make {size:,} bytes. Allowed: {INPUT.max:,} ({INPUT.source}, {INPUT.date}). "
        "Divide them among several refreshers, which may have one vantage point and one pool."
    )


class Where(NamedTuple):
    """Where something is made, as its ARN says it."""

    partition: str
    region: str
    account: str


def where(arn: str) -> Where:
    _, partition, _, region, account, *_ = arn.split(":")
    return Where(partition, region, account)


def trust(service: str, account: str | None = None) -> str:
    """Who may take a role: a service of AWS, for things of `account` alone if that is given."""
    only = {} if account is None else {"Condition": {"StringEquals": {"aws:SourceAccount": account}}}
    return _policy(
        [_allow("Trust", ["sts:AssumeRole"], None, Principal={"Service": f"{service}.amazonaws.com"}, **only)]
    )


def schedule_permissions(function_arn: str, queue_arn: str) -> str:
    """Of the schedule: to call the function, and to put away calls that it could not deliver."""
    return _policy(
        [
            _allow("Invoke", ["lambda:InvokeFunction"], [function_arn]),
            _allow("Undelivered", ["sqs:SendMessage"], [queue_arn]),
        ]
    )


def function_permissions(
    *, log_arn: str, bucket: str, key: str, kms_key_arn: str | None, bucket_region: str | None, lists: Sequence[str]
) -> str:
    """Of the function: what a refresh and a push ask for, and what Lambda itself does in the role's name.

    `s3:ListBucket` is never called: without it S3 answers 403 for a pool that is not there yet, and a condition on it would
    take it away again, because a GetObject has no prefix (S3 API, GetObject). DescribeManagedPrefixLists knows no resources
    (service authorization reference, EC2; both read 2026-11-28). The calls for network interfaces are Lambda's own and carry
    no `lambda:SourceFunctionArn`, which every call of the function's code does (Lambda developer guide, "Using source
    function ARN", read 2026-11-28): so the code cannot make them.
    """
    here = where(log_arn)
    found = [
        _allow("Pool", ["s3:GetObject", "s3:PutObject"], [f"arn:{here.partition}:s3:::{bucket}/{key}"]),
        _allow("PoolNotThereYet", ["s3:ListBucket"], [f"arn:{here.partition}:s3:::{bucket}"]),
    ]
    if kms_key_arn is not None:
        service = f"s3.{bucket_region or here.region}.amazonaws.com{'.cn' if here.partition == 'aws-cn' else ''}"
        only = {"StringEquals": {"kms:ViaService": service}}
        found.append(_allow("PoolKey", ["kms:Decrypt", "kms:GenerateDataKey"], [kms_key_arn], Condition=only))
    if lists:
        arns = [
            f"arn:{here.partition}:ec2:{here.region}:{here.account}:prefix-list/{each}" for each in dict.fromkeys(lists)
        ]
        only = {"StringEquals": {"aws:RequestedRegion": here.region}}
        found += [
            _allow("ListsState", ["ec2:DescribeManagedPrefixLists"], ["*"], Condition=only),
            _allow("Lists", ["ec2:GetManagedPrefixListEntries", "ec2:ModifyManagedPrefixList"], arns),
        ]
    not_code = {"Null": {"lambda:SourceFunctionArn": "true"}}
    return _policy(
        [
            *found,
            _allow("Log", ["logs:CreateLogStream", "logs:PutLogEvents"], [f"{log_arn.removesuffix(':*')}:*"]),
            _allow("Network", list(NETWORK), ["*"], Condition=not_code),
        ]
    )


NETWORK: Final = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
)
"""What Lambda does to stand in a VPC (AWSLambdaVPCAccessExecutionRole, read 2026-11-28)."""


def _allow(sid: str, actions: list[str], resources: list[str] | None, **more: Any) -> dict[str, Any]:
    named = {} if resources is None else {"Resource": resources}
    return {"Sid": sid, "Effect": "Allow", "Action": actions, **named, **more}


def _policy(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
