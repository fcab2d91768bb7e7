"""The role of a refresher may do what its function was seen to ask for, each on its own resource, and nothing else.

The policy is the one that the component makes; the calls are those that the function's code makes over HTTP, for the job
that the component's schedule holds.
"""

import fnmatch
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from lambda_lab import ACCOUNT, BUCKET, KEY, Call, Context, RecordingServer, recording
from refresher_stack import made, ran
from zone_server import Zone, ZoneServer

from hostgate.aws.refresher_options import NETWORK
from hostgate.sinks.scheduled import RefreshFailed, handler
from sinks.ec2_server import LIST, REGION

SECOND = "pl-0c0ffee0c0ffee001"
POOL = ("arn:aws:s3:::pools/egress/pool.txt", "arn:aws:s3:::pools")
LISTS = tuple(f"arn:aws:ec2:{REGION}:{ACCOUNT}:prefix-list/{each}" for each in (LIST, SECOND))
KMS_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"

OF_CODE = {"lambda:SourceFunctionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:eu-function",
           "aws:RequestedRegion": REGION}  # fmt: skip
"""What every call of the function's code carries."""

BY_LAMBDA = {
    *((action, "*") for action in NETWORK),
    *((f"logs:{each}", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:eu-log:*") for each in ("CreateLogStream", "PutLogEvents")),
}  # fmt: skip
"""What the service does in the role's name, where the code sees nothing of it."""

BY_S3 = {("kms:Decrypt", KMS_KEY), ("kms:GenerateDataKey", KMS_KEY)}
"""What S3 does with the key of the bucket."""


def keywords(resolver: str, more: str = "") -> str:
    return f"""{{
        "names": ["steady.example"], "bucket": later("{BUCKET}"), "key": "{KEY}", "vantage": "eu-west-1",
        "resolvers": ["{resolver}"], "image_uri": "image", "subnet_ids": ["subnet-1"], "security_group_ids": ["sg-1"], {more}
    }}"""


def statements(resources: Mapping[str, Any], name: str = "eu-permissions") -> list[dict[str, Any]]:
    found = json.loads(resources[name]["policy"])["Statement"]
    assert all(each["Effect"] == "Allow" for each in found)
    return found  # type: ignore[no-any-return]


def granted(policy: list[dict[str, Any]]) -> set[Call]:
    return {(action, resource) for each in policy for action in each["Action"] for resource in each["Resource"]}


def allows(policy: list[dict[str, Any]], call: Call, context: Mapping[str, str]) -> bool:
    """As IAM decides: an action, a resource by its pattern, and every condition."""
    return any(
        call[0] in each["Action"]
        and any(fnmatch.fnmatchcase(call[1], pattern) for pattern in each["Resource"])
        and all(_holds(*condition, context) for condition in each.get("Condition", {}).items())
        for each in policy
    )


def _holds(operator: str, wanted: Mapping[str, str], context: Mapping[str, str]) -> bool:
    assert operator in ("StringEquals", "Null")
    if operator == "Null":
        return all((key not in context) == (value == "true") for key, value in wanted.items())
    return all(context.get(key) == value for key, value in wanted.items())


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordingServer]:
    with recording(monkeypatch) as server:
        server.make(("192.0.2.9/32", "hostgate:pool"), size=1)
        server.make(family="IPv6", size=5, list_id=SECOND)
        server.calls.clear()
        yield server


@pytest.mark.parametrize(
    ("more", "by_others"),
    [
        (f'"prefix_lists": [{{"list_id": later("{LIST}"), "grow_to": 9}}, {{"list_id": "{SECOND}"}}]', BY_LAMBDA),
        ("", BY_LAMBDA),
        (f'"kms_key_arn": later("{KMS_KEY}")', BY_LAMBDA | BY_S3),
    ],
    ids=["pool and lists", "pool alone", "a key of one's own"],
)
def test_the_role_may_do_what_the_function_does_and_nothing_else(
    cloud: RecordingServer, tmp_path: Path, more: str, by_others: set[Call]
) -> None:
    with ZoneServer({"steady.example": Zone(("192.0.2.1", "2001:db8::1"))}) as dns:
        resources = made(tmp_path, keywords(str(dns), more))
        event = json.loads(resources["eu-schedule"]["target"]["input"])
        for _ in range(2):
            handler(event, Context())
        with pytest.raises(RefreshFailed):  # what is asked for where nothing comes about
            handler({**event, "resolvers": ["127.0.0.1:1"]}, Context())
    policy = statements(resources)
    assert [call for call in cloud.calls if not allows(policy, call, OF_CODE)] == []
    assert granted(policy) == set(cloud.calls) | by_others
    assert {action for action, _ in cloud.calls} == {"s3:GetObject", "s3:PutObject", "s3:ListBucket"} | (
        {"ec2:DescribeManagedPrefixLists", "ec2:GetManagedPrefixListEntries", "ec2:ModifyManagedPrefixList"}
        if "prefix_lists" in more
        else set()
    )


@pytest.mark.parametrize(
    "call",
    [
        ("s3:PutObject", "arn:aws:s3:::pools/egress/pool.txt.old"),
        ("s3:PutObject", "arn:aws:s3:::pools/other.txt"),
        ("s3:GetObject", "arn:aws:s3:::others/egress/pool.txt"),
        ("s3:DeleteObject", POOL[0]),
        ("s3:DeleteObjectVersion", POOL[0]),
        ("s3:ListBucketVersions", POOL[1]),
        ("s3:PutBucketPolicy", POOL[1]),
        ("ec2:ModifyManagedPrefixList", f"arn:aws:ec2:{REGION}:{ACCOUNT}:prefix-list/pl-0badc0de"),
        ("ec2:ModifyManagedPrefixList", LISTS[0].replace(REGION, "us-east-1")),
        ("ec2:DeleteManagedPrefixList", LISTS[0]),
        ("ec2:RestoreManagedPrefixListVersion", LISTS[0]),
        ("logs:CreateLogGroup", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:eu-log"),
        ("logs:PutLogEvents", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:eu-log-2:log-stream:a"),
        ("cloudwatch:PutMetricData", "*"),
        ("lambda:InvokeFunction", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:eu-function"),
        *((action, "*") for action in NETWORK),
    ],
    ids=str,
)
def test_the_code_may_do_nothing_beyond(call: Call, tmp_path: Path) -> None:
    policy = statements(_once(tmp_path))
    assert not allows(policy, call, OF_CODE)


_MADE: dict[str, Any] = {}


def _once(folder: Path) -> dict[str, Any]:
    if not _MADE:
        lists = f'"prefix_lists": [{{"list_id": "{LIST}"}}, {{"list_id": "{SECOND}"}}]'
        _MADE.update(made(folder, keywords("127.0.0.1", lists)))
    return _MADE


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ('"bucket": later("*")', "`bucket`: found an Output of '*'"),
        ('"bucket": later("pools/*")', "Allowed: the name of a bucket"),
        ('"kms_key_arn": later("*")', "the ARN of a key of AWS KMS"),
        ('"prefix_lists": [{"list_id": later("*")}]', "`prefix_lists[0].list_id`: found an Output of '*'"),
        ('"prefix_lists": [{"list_id": later(7)}]', "found an Output of 7"),
    ],
)
def test_an_output_that_would_widen_the_role_is_refused_once_it_is_known(given: str, said: str, tmp_path: Path) -> None:
    done = ran(tmp_path, f"{{**{keywords('127.0.0.1')}, {given}}}")
    assert done.returncode != 0
    assert said in done.stderr


def test_lambda_itself_may_make_the_network_interfaces_that_the_code_may_not(tmp_path: Path) -> None:
    policy = statements(_once(tmp_path))
    assert all(allows(policy, (action, "*"), {}) for action in NETWORK)


def test_lists_of_another_region_are_not_even_looked_at(tmp_path: Path) -> None:
    policy = statements(_once(tmp_path))
    looked = ("ec2:DescribeManagedPrefixLists", "*")
    assert allows(policy, looked, OF_CODE)
    assert not allows(policy, looked, {**OF_CODE, "aws:RequestedRegion": "us-east-1"})


def test_the_schedule_may_call_this_function_and_put_away_what_it_could_not_deliver(tmp_path: Path) -> None:
    policy = statements(_once(tmp_path), "eu-schedule-permissions")
    assert granted(policy) == {
        ("lambda:InvokeFunction", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:eu-function"),
        ("sqs:SendMessage", f"arn:aws:sqs:{REGION}:{ACCOUNT}:eu-undelivered"),
    }


def test_roles_are_for_one_service_each_and_the_schedules_for_this_account(tmp_path: Path) -> None:
    trusted = {
        name: json.loads(_once(tmp_path)[name]["assumeRolePolicy"])["Statement"]
        for name in ("eu-role", "eu-schedule-role")
    }
    ((function,), (schedule,)) = trusted.values()
    assert function["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert schedule["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert schedule["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
