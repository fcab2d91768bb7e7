"""hostgate.aws.PoolRefresher: an address pool refreshed on a schedule, from one place of several."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Required, TypedDict, TypeVar, Unpack

import pulumi
from pulumi_aws import cloudwatch, iam, lambda_, scheduler, sqs

from hostgate.allowlist import (
    AllowlistError,
    HostsArgs,
    merged,
    project_folder,
    refuse_blanks,
    refuse_outputs,
    selection_of,
    separate,
)
from hostgate.aws.refresher_options import (
    DAY,
    HANDLER,
    LONGEST_QUEUED,
    NAME,
    NAME_ALLOWED,
    RUNTIME,
    RefresherOptions,
    function_permissions,
    objection,
    schedule_permissions,
    too_large,
    trust,
    where,
)
from hostgate.catalog.problems import InputError, Problem, did_you_mean, spelled
from hostgate.catalog.selection import Selection
from hostgate.dns.pool_windows import windows_of
from hostgate.dns.refresh_job import DIMENSION, METRIC, NAMESPACE, RefreshJob
from hostgate.dns.refreshing import FLOOR
from hostgate.dns.surveyed_hosts import ToAsk, hosts_of, hosts_of_lines
from hostgate.planning.options import OptionsError, read_options
from hostgate.planning.pool_form import PREFIX_LIST, PREFIX_LIST_ALLOWED

_REFERENCES = {
    "alarm_actions[]": "arn-{}",
    "bucket": "bucket",
    "bucket_region": "eu-west-1",
    "image_uri": "image",
    "kms_key_arn": "arn:aws:kms:eu-west-1:123456789012:key/0",
    "prefix_lists[].list_id": "pl-00000000",
    "region": "eu-west-1",
    "security_group_ids[]": "sg-{}",
    "subnet_ids[]": "subnet-{}",
    "tags{}": "tag",
}
"""Inputs that may be Outputs, and what stands for each until it is known."""

_OF_JOB = ("bucket_region", "vantage", "window", "resolvers", "private", "most_removed", "prefix_lists")


class PrefixListArgs(TypedDict, total=False):
    """A managed prefix list of the same account and Region that is kept at what the pool says."""

    list_id: Required[pulumi.Input[str]]
    """Its id, pl-...; it gives the family."""
    hosts: list[str]
    """The hosts whose addresses go in: what the ports that refer to it are for. All that are refreshed unless given."""
    family: str
    """ipv4 or ipv6: a list of the other family is refused."""
    owner: str
    """Whose entries they are; pool unless given."""
    most_removed: float
    """Remove nothing if more than this per cent of the owner's entries is due at once; 20 unless given."""
    grow_to: float
    """How many entries a list that is too small may be given."""
    keep_foreign: bool
    """Whether entries of others are meant."""


class PoolRefresherArgs(HostsArgs, total=False):
    """Inputs from any language. Numbers are floats, hosts are plain: reviewers and policies must see them."""

    names: list[str]
    """Names that are asked for beside those of the catalogs: of a wildcard, those that your clients use."""
    bucket: Required[pulumi.Input[str]]
    """The bucket of the pool, which all refreshers share. Switch versions on."""
    key: str
    """The pool's key in it; hostgate/pool.txt unless given."""
    bucket_region: pulumi.Input[str]
    """The bucket's Region, if it is another one."""
    kms_key_arn: pulumi.Input[str]
    """The key that encrypts the bucket, if it is one of your own."""
    vantage: Required[str]
    """What to call this place. Every place has another name, and keeps it."""
    image_uri: pulumi.Input[str]
    """An image with hostgate in a repository of the same Region; or `archive`."""
    archive: str
    """A zip archive with hostgate, as a path; or `image_uri`."""
    architecture: str
    """Of the code: x86_64 (the default) or arm64."""
    memory_mb: float
    """Of the function; 512 unless given."""
    subnet_ids: Required[list[pulumi.Input[str]]]
    """Subnets of the clients, so that the resolver that they ask is asked; with a way to S3, and to EC2 for lists."""
    security_group_ids: Required[list[pulumi.Input[str]]]
    """Security groups of the function: out to the resolver on 53, over UDP and TCP, and to S3 and EC2 on 443."""
    resolvers: list[str]
    """Resolvers to ask, as addresses; that of the function unless given."""
    private: list[str]
    """Private networks whose addresses are taken too."""
    window: float
    """Seconds to keep an address, whatever a survey says; 86400 at the least unless given."""
    survey: str
    """A survey of the hosts, as a path: it gives the windows, and refuses hosts that no pool keeps up with."""
    accept_unfit: dict[str, str]
    """Hosts that the survey refuses and that are meant, with the reason."""
    most_removed: float
    """Remove nothing from the pool if more than this per cent is due at once; 20 unless given."""
    prefix_lists: list[PrefixListArgs]
    """Lists that are brought to what the pool says, after each refresh."""
    every_minutes: float
    """Minutes between two runs; 5 unless given."""
    alarm_after_minutes: float
    """Minutes without a whole run after which the alarm goes off; 60 unless given."""
    alarm_actions: list[pulumi.Input[str]]
    """Whom the alarm tells, and when it is over: ARNs of SNS topics, e.g."""
    log_retention_days: float
    """Days that the log is kept; 30 unless given."""
    tags: dict[str, pulumi.Input[str]]
    """Tags of everything that carries them."""
    region: pulumi.Input[str]
    """The Region to make everything in; the provider's unless given."""


class PoolRefresher(pulumi.ComponentResource):
    """Refreshes an address pool in S3 on a schedule, and puts it into managed prefix lists.

    One for each place: a Region, or a network with a resolver of its own. All write one pool. It allows nothing by itself.
    """

    function_name: pulumi.Output[str]
    """Name of the function that refreshes."""
    role_arn: pulumi.Output[str]
    """ARN of the function's role, for a policy of the bucket or its key in another account."""
    alarm_arn: pulumi.Output[str]
    """ARN of the alarm on the age of the last whole run."""
    queue_arn: pulumi.Output[str]
    """ARN of the queue of calls that could not be delivered."""

    def __init__(
        self,
        name: str,
        args: PoolRefresherArgs = None,  # type: ignore[assignment]  # the analyzer refuses Optional here
        opts: pulumi.ResourceOptions = None,  # type: ignore[assignment]
        *,
        hosts: Selection = None,  # type: ignore[assignment]
        **options: Unpack[PoolRefresherArgs],
    ) -> None:
        """`hosts` is a Selection, and other keywords as in the args. Raises AllowlistError."""
        try:
            made = _prepared(name, args, hosts, options, opts)
        except InputError as error:
            raise AllowlistError(f"{name}: {error}") from None
        super().__init__("hostgate-aws:index:PoolRefresher", name, made.registered, opts)
        # Each time: an input that a generated SDK drops narrows nothing, and reaches nobody who could object to it.
        pulumi.log.info(made.selected, resource=self)
        for line in made.remarks:
            pulumi.log.warn(line, resource=self)
        where_made: dict[str, Any] = {"region": made.real("region", made.options.region), "tags": made.tags}
        log = cloudwatch.LogGroup(
            f"{name}-log", retention_in_days=made.options.log_retention_days, opts=self._child(), **where_made
        )
        role, permissions = self._role(
            "", trust("lambda"), pulumi.Output.all(log.arn, *made.named).apply(made.permissions), made.tags
        )
        function = self._function(made, log, role, permissions, where_made)
        queue = sqs.Queue(
            f"{name}-undelivered",
            message_retention_seconds=14 * 86_400,
            sqs_managed_sse_enabled=True,
            opts=self._child(),
            **where_made,
        )
        alarm = self._alarm(made, function, where_made)
        by_schedule, may_call = self._role(
            "schedule-",
            log.arn.apply(lambda arn: trust("scheduler", where(arn).account)),
            pulumi.Output.all(function.arn, queue.arn).apply(lambda arns: schedule_permissions(*arns)),
            made.tags,
        )
        # The next run is the retry: it begins where this one ended.
        once = lambda_.FunctionEventInvokeConfig(
            f"{name}-once",
            function_name=function.name,
            maximum_retry_attempts=0,
            maximum_event_age_in_seconds=min(LONGEST_QUEUED, made.options.every_minutes * 60),
            region=where_made["region"],
            opts=self._child(),
        )
        scheduler.Schedule(
            f"{name}-schedule",
            description=f"hostgate: refreshes the address pool from {made.job.vantage}",
            schedule_expression=made.options.rate,
            flexible_time_window=scheduler.ScheduleFlexibleTimeWindowArgs(mode="OFF"),
            target=scheduler.ScheduleTargetArgs(
                arn=function.arn,
                role_arn=by_schedule.arn,
                input=pulumi.Output.all(*made.named).apply(made.event),
                retry_policy=scheduler.ScheduleTargetRetryPolicyArgs(
                    maximum_event_age_in_seconds=made.options.every_minutes * 60, maximum_retry_attempts=3
                ),
                dead_letter_config=scheduler.ScheduleTargetDeadLetterConfigArgs(arn=queue.arn),
            ),
            region=where_made["region"],
            opts=self._child(may_call, once, alarm),
        )
        self.function_name = function.name
        self.role_arn = role.arn
        self.alarm_arn = alarm.arn
        self.queue_arn = queue.arn
        self.register_outputs(
            {
                "functionName": self.function_name,
                "roleArn": self.role_arn,
                "alarmArn": self.alarm_arn,
                "queueArn": self.queue_arn,
            }
        )

    def _child(self, *depends_on: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, depends_on=list(depends_on) or None)

    def _role(
        self, part: str, trusted: pulumi.Input[str], policy: pulumi.Output[str], tags: Mapping[str, Any] | None
    ) -> tuple[iam.Role, iam.RolePolicy]:
        role = iam.Role(f"{self._name}-{part}role", assume_role_policy=trusted, tags=tags, opts=self._child())
        allowed = iam.RolePolicy(f"{self._name}-{part}permissions", role=role.name, policy=policy, opts=self._child())
        return role, allowed

    def _function(
        self,
        made: "_Prepared",
        log: cloudwatch.LogGroup,
        role: iam.Role,
        permissions: iam.RolePolicy,
        where_made: Mapping[str, Any],
    ) -> lambda_.Function:
        options = made.options
        code: dict[str, Any] = {
            "package_type": "Image",
            "image_uri": made.real("image_uri", options.image_uri),
            "image_config": lambda_.FunctionImageConfigArgs(commands=[HANDLER]),
        }
        if made.archive is not None:
            archive = pulumi.FileArchive(str(made.archive))
            code = {"package_type": "Zip", "code": archive, "handler": HANDLER, "runtime": RUNTIME}
        return lambda_.Function(
            f"{self._name}-function",
            role=role.arn,
            architectures=[options.architecture],
            memory_size=options.memory_mb,
            timeout=options.timeout,
            vpc_config=lambda_.FunctionVpcConfigArgs(
                subnet_ids=made.each("subnet_ids", options.subnet_ids),
                security_group_ids=made.each("security_group_ids", options.security_group_ids),
            ),
            # As text: the line of a run is the embedded metric format, which another JSON around it would hide.
            logging_config=lambda_.FunctionLoggingConfigArgs(log_format="Text", log_group=log.name),
            opts=self._child(permissions),
            **code,
            **where_made,
        )

    def _alarm(
        self, made: "_Prepared", function: lambda_.Function, where_made: Mapping[str, Any]
    ) -> cloudwatch.MetricAlarm:
        options = made.options
        actions = made.each("alarm_actions", options.alarm_actions)
        return cloudwatch.MetricAlarm(
            f"{self._name}-age",
            alarm_description=(
                f"hostgate: no whole refresh of the address pool from {made.job.vantage} for {options.alarm_after_minutes} "
                "minutes. The function's log says why; no line in it: look at the schedule and the queue of undelivered calls."
            ),
            namespace=NAMESPACE,
            metric_name=METRIC,
            dimensions={DIMENSION: function.name},
            statistic="Sum",
            period=options.period,
            evaluation_periods=options.alarm_after_minutes * 60 // options.period,
            comparison_operator="LessThanThreshold",
            threshold=1,
            treat_missing_data="breaching",
            alarm_actions=actions,
            ok_actions=actions,
            opts=self._child(),
            **where_made,
        )


@dataclass(frozen=True)
class _Prepared:
    """Inputs that hold. `outputs`: those that are Outputs, by their place; `archive`: the code, as an absolute path;
    `selected`: what of the catalogs, in words."""

    options: RefresherOptions
    job: RefreshJob
    outputs: Mapping[str, pulumi.Output[Any]]
    archive: Path | None
    selected: str
    remarks: Sequence[str]

    def real(self, place: str, planned: Any) -> Any:
        """The value at `place`: the Output that was given there, or what was read."""
        return self.outputs.get(place, planned)

    def each(self, place: str, planned: Sequence[str]) -> list[Any]:
        return [self.real(f"{place}[{index}]", value) for index, value in enumerate(planned)]

    @property
    def tags(self) -> dict[str, Any] | None:
        return {key: self.real(f"tags.{key}", value) for key, value in self.options.tags.items()} or None

    @property
    def registered(self) -> dict[str, Any]:
        """What the engine is told of the component: the job as far as it names no other resource."""
        told = self.job.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        plain = {key: value for key, value in told.items() if key not in ("pool", "bucketRegion", "prefixLists")}
        return {**plain, "hosts": sorted(self.job.hosts), "everyMinutes": self.options.every_minutes}

    @property
    def named(self) -> list[Any]:
        """Bucket, its key of KMS, its Region and the lists, each checked once it is known: permissions are made of them."""
        bucket, key = (
            self._checked(each, getattr(self.options, each), partial(objection, each))
            for each in ("bucket", "kms_key_arn")
        )
        region = self.real("bucket_region", self.job.bucket_region)
        places = (f"prefix_lists[{index}].list_id" for index in range(len(self.job.prefix_lists)))
        lists = zip(places, self.job.prefix_lists, strict=True)
        return [bucket, key, region, *(self._checked(place, each.list_id, _no_list) for place, each in lists)]

    def permissions(self, known: Sequence[Any]) -> str:
        """Of the function, by the ARN of its log and what is `named`."""
        log_arn, bucket, kms_key_arn, bucket_region, *lists = known
        return function_permissions(
            log_arn=log_arn, bucket=bucket, key=self.options.key, kms_key_arn=kms_key_arn, bucket_region=bucket_region,
            lists=lists,
        )  # fmt: skip

    def event(self, known: Sequence[Any]) -> str:
        """The input of the schedule, by what is `named`."""
        bucket, _, bucket_region, *lists = known
        job = self.job.model_copy(
            update={
                "pool": f"s3://{bucket}/{self.options.key}",
                "bucket_region": bucket_region,
                "prefix_lists": [
                    each.model_copy(update={"list_id": list_id})
                    for each, list_id in zip(self.job.prefix_lists, lists, strict=True)
                ],
            }
        )
        return json.dumps(job.model_dump(mode="json", by_alias=True, exclude_defaults=True))

    def _checked(self, place: str, planned: Any, check: Callable[[object], str | None]) -> Any:
        def known(value: object) -> object:
            if (said := check(value)) is not None:
                raise AllowlistError(f"`{place}`: found an Output of {spelled(value)}. {said}")
            return value

        given = self.outputs.get(place)
        return planned if given is None else given.apply(known)


def _no_list(value: object) -> str | None:
    found = isinstance(value, str) and PREFIX_LIST.match(value)
    return None if found else f"Allowed: {PREFIX_LIST_ALLOWED}."


def _prepared(
    name: str,
    args: Mapping[str, Any] | None,
    hosts: Selection | None,
    keywords: Mapping[str, Any],
    opts: pulumi.ResourceOptions | None,
) -> _Prepared:
    """Raises InputError with all that is wrong, and AllowlistError."""
    of_hosts = (
        "hosts",
        hosts,
        (Selection,),
        "a Selection, as hostgate.select() makes it; references go under `catalogs`",
    )
    given = merged(name, args, keywords, opts, of_hosts)
    refuse_blanks(given)
    refuse_outputs(given, _REFERENCES)
    narrowing = {key: given.pop(key) for key in HostsArgs.__annotations__ if key in given}
    given, outputs = separate(given, _REFERENCES)
    of_job = {key: given.pop(key) for key in _OF_JOB if key in given}
    problems: list[Problem] = []
    if not NAME.match(name):
        problems.append(
            Problem(rule="config", message=f"The component's name: found {spelled(name)}. Allowed: {NAME_ALLOWED}.")
        )
    options = _read(RefresherOptions, given, name, (*_OF_JOB, *HostsArgs.__annotations__, "hosts"), problems)
    folder = project_folder() or Path.cwd()
    windows: dict[str, int] = {}
    remarks: list[str] = []
    selected = "no catalog, names alone"
    try:
        selection = None
        if hosts is not None or narrowing or not given.get("names"):
            selection = selection_of(narrowing, hosts)
            selected = selection.summary
        found = _names(selection, given.get("names"))
        windows, remarks = windows_of(
            found.hosts,
            None if options is None or options.survey is None else folder / options.survey,
            {} if options is None else options.accept_unfit,
            FLOOR,
            "accept_unfit",
        )
        remarks += (f"Not in the pool: {what}: {why}." for what, why in found.not_surveyed)
    except InputError as error:
        problems += error.problems
    pool = "s3://bucket/key" if options is None else f"s3://{options.bucket}/{options.key}"
    # Without a host that holds, one that stands for it: what else is wrong with the job is said all the same.
    job = _read(RefreshJob, {"pool": pool, "hosts": windows or {"a.example": DAY}, **of_job}, name, (), problems)
    if options is not None and job is not None and windows:
        said = [*options.objections([job.window] if job.window else windows.values(), folder), *_of_lists(job)]
        large = too_large(job.model_dump(mode="json", by_alias=True, exclude_defaults=True))
        problems += (Problem(rule="config", message=each) for each in [*said, *([large] if large else [])])
    if problems:
        raise InputError(problems)
    assert options is not None
    assert job is not None
    archive = None if options.archive is None else (folder / options.archive).resolve()
    return _Prepared(options, job, outputs, archive, selected, remarks)


def _names(selection: Selection | None, names: object) -> ToAsk:
    """What is asked for: the names of the selection, and those given by name. Raises InputError."""
    found = ToAsk(()) if selection is None else hosts_of(selection.entries)
    if isinstance(names, list) and all(isinstance(each, str) for each in names):  # others are objected to already
        found = replace(found, hosts=tuple(dict.fromkeys((*found.hosts, *hosts_of_lines(names, "names")))))
    if not found.hosts:
        message = (
            "There is no host to ask: none of the entries is one name. Give the names that your clients use: `names`."
        )
        raise InputError([Problem(rule="nothing-to-survey", message=message)])
    return found


def _of_lists(job: RefreshJob) -> Iterator[str]:
    seen = set()
    for index, each in enumerate(job.prefix_lists):
        for host in each.hosts:
            if host not in job.hosts:
                near = did_you_mean(host, job.hosts)
                yield f"`prefix_lists[{index}].hosts`: {host} is not refreshed here.{near} Allowed: hosts that are."
        if (each.list_id, each.owner) in seen and each.list_id != _REFERENCES["prefix_lists[].list_id"]:
            yield f"`prefix_lists[{index}]`: {each.list_id} is there already for the owner {each.owner}. Give each an owner."
        seen.add((each.list_id, each.owner))


Model = TypeVar("Model", RefresherOptions, RefreshJob)


def _read(
    kind: type[Model], values: Mapping[str, Any], where: str, beside: Sequence[str], problems: list[Problem]
) -> Model | None:
    try:
        return read_options(kind, values, where, beside)
    except OptionsError as error:
        problems += error.problems
        return None
