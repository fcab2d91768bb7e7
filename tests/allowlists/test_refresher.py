"""PoolRefresher on the simulated clouds: what it makes of which inputs, and what it refuses before anything is made."""

from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

import hostgate
from hostgate.aws.refresher_options import ARCHIVE, INPUT
from hostgate.dns import pool_fitness
from hostgate.dns.pool_fitness import PoolFitness
from hostgate.sandbox.preview_problems import PreviewError
from hostgate.sandbox.resources import Preview, PreviewResource

from .conftest import Run

START = """
    import pulumi
    import hostgate
    import pulumi_aws as aws
    from hostgate.aws import PoolRefresher

    ours = dict(bucket="acme-pools", vantage="eu-west-1", image_uri="image", subnet_ids=["subnet-0a1"],
                security_group_ids=["sg-0a1"])
    pulls = dict(catalogs=["chainguard/images@2024-03-28"], phases=["pull"])
"""
CHILDREN = {
    "eu-age": "MetricAlarm",
    "eu-function": "Function",
    "eu-log": "LogGroup",
    "eu-once": "FunctionEventInvokeConfig",
    "eu-permissions": "RolePolicy",
    "eu-role": "Role",
    "eu-schedule": "Schedule",
    "eu-schedule-permissions": "RolePolicy",
    "eu-schedule-role": "Role",
    "eu-undelivered": "Queue",
}


def refresher(run: Run, keywords: str = "**pulls", before: str = "") -> Preview:
    return run(f"{START}{before}\n    PoolRefresher('eu', **{{**ours, **dict({keywords})}})\n")


def the(made: Preview, name: str) -> PreviewResource:
    (found,) = [each for each in made.resources if each.name == name]
    return found


def refused(run: Run, keywords: str, before: str = "") -> str:
    with pytest.raises(PreviewError) as failed:
        refresher(run, keywords, before)
    return str(failed.value)


def test_it_makes_a_function_a_schedule_an_alarm_and_a_role_for_each(run: Run) -> None:
    made = refresher(run)
    assert made.ok
    assert {
        each.name: each.type.rpartition(":")[2] for each in made.resources if each.name.startswith("eu-")
    } == CHILDREN
    assert all(each.parent and each.parent.endswith("::eu") for each in made.resources if each.name.startswith("eu-"))


def test_the_hosts_of_a_selection_are_those_of_its_catalogs(run: Run) -> None:
    selected = "hosts=hostgate.select('chainguard/images@2024-03-28', phases=['pull'])"
    assert the(refresher(run, selected), "eu").inputs == the(refresher(run), "eu").inputs
    assert "cgr.dev" in str(the(refresher(run), "eu").inputs["hosts"])


def test_names_come_beside_the_catalogs_or_alone(run: Run) -> None:
    both: Any = the(refresher(run, "**pulls, names=['Git.Acme.Example']"), "eu").inputs["hosts"]
    assert {"git.acme.example", "cgr.dev"} <= set(both)
    assert the(refresher(run, "names=['git.acme.example']"), "eu").inputs["hosts"] == ["git.acme.example"]


def test_a_wildcard_is_said_to_be_in_no_pool(run: Run) -> None:
    made = refresher(run, "catalogs=['./ours.yaml'], names=['a.acme.example']", """
    from pathlib import Path
    entry = "{id: any, host: acme.example, match: subtree, port: 443, protocol: https}"
    Path("ours.yaml").write_text(f"catalog: acme/ours\\nentries:\\n  - {entry}\\n")
""")  # fmt: skip
    assert any("acme.example" in str(each) and "wildcard" in str(each) for each in made.diagnostics)


def test_what_is_selected_is_said_each_time(run: Run) -> None:
    said = " ".join(map(str, refresher(run).diagnostics))
    assert hostgate.select("chainguard/images@2024-03-28", phases=["pull"]).summary in said


def test_what_is_named_may_be_an_output_of_the_same_stack(run: Run) -> None:
    made = run(START + """
    bucket = aws.s3.Bucket("pools")
    key = aws.kms.Key("pools")
    listed = aws.ec2.ManagedPrefixList("egress", address_family="IPv4", max_entries=50)
    subnet = aws.ec2.Subnet("clients", vpc_id="vpc-0a1", cidr_block="10.0.0.0/24")
    topic = aws.sns.Topic("oncall")
    PoolRefresher("eu", **pulls, bucket=bucket.bucket, kms_key_arn=key.arn, vantage="eu-west-1", image_uri=bucket.id,
                  bucket_region=bucket.region, subnet_ids=[subnet.id], security_group_ids=[subnet.id], region=bucket.region,
                  alarm_actions=[topic.arn], tags={"team": bucket.id}, prefix_lists=[{"list_id": listed.id}])
    """)  # fmt: skip
    assert made.ok
    assert {"pools", "egress", "clients"} <= {
        urn.rpartition("::")[2] for each in made.resources for urn in each.dependencies
    }


def test_the_code_is_an_image_or_an_archive(run: Run, tmp_path: Path) -> None:
    with ZipFile(tmp_path / "refresher.zip", "w") as archive:
        archive.writestr("hostgate/__init__.py", "")
    made = refresher(run, "**pulls, archive='refresher.zip', image_uri=None, architecture='arm64'")
    function = the(made, "eu-function").inputs
    assert (function["packageType"], function["handler"]) == ("Zip", "hostgate.sinks.scheduled.handler")
    assert (function["runtime"], function["architectures"]) == ("python3.13", ["arm64"])
    image = the(refresher(run), "eu-function").inputs
    assert (image["packageType"], image["imageConfig"]) == ("Image", {"commands": ["hostgate.sinks.scheduled.handler"]})


@pytest.mark.parametrize(
    ("minutes", "rate", "timeout", "retried"),
    [(1, "rate(1 minute)", 60, 60), (5, "rate(5 minutes)", 300, 300), (60, "rate(60 minutes)", 900, 3600)],
)
def test_a_run_ends_before_the_next_begins(run: Run, minutes: int, rate: str, timeout: int, retried: int) -> None:
    made = refresher(run, f"**pulls, every_minutes={minutes}, alarm_after_minutes=180")
    schedule: Any = the(made, "eu-schedule").inputs
    assert schedule["scheduleExpression"] == rate
    assert schedule["target"]["retryPolicy"]["maximumEventAgeInSeconds"] == retried
    assert the(made, "eu-function").inputs["timeout"] == timeout
    once = the(made, "eu-once").inputs
    assert (once["maximumRetryAttempts"], once["maximumEventAgeInSeconds"]) == (0, retried)


@pytest.mark.parametrize(
    ("minutes", "period", "periods"), [(15, 300, 3), (60, 300, 12), (1440, 300, 288), (1500, 3600, 25)]
)
def test_the_alarm_goes_off_where_no_run_was_whole_or_none_came(
    run: Run, minutes: int, period: int, periods: int
) -> None:
    alarm = the(
        refresher(run, f"**pulls, alarm_after_minutes={minutes}, alarm_actions=['arn:aws:sns:a']"), "eu-age"
    ).inputs
    assert (alarm["period"], alarm["evaluationPeriods"]) == (period, periods)
    assert period * periods == minutes * 60
    assert period * periods <= (86_400 if period < 3600 else 604_800)
    assert alarm["treatMissingData"] == "breaching"
    assert (alarm["statistic"], alarm["comparisonOperator"], alarm["threshold"]) == ("Sum", "LessThanThreshold", 1)
    assert (alarm["namespace"], alarm["metricName"]) == ("hostgate", "PoolRefreshed")
    assert alarm["alarmActions"] == alarm["okActions"] == ["arn:aws:sns:a"]


def test_the_log_is_made_before_the_function_and_kept_for_as_long_as_one_says(run: Run) -> None:
    made = refresher(run, "**pulls, log_retention_days=90")
    assert the(made, "eu-log").inputs["retentionInDays"] == 90
    config: Any = the(made, "eu-function").inputs["loggingConfig"]
    assert config == {"logFormat": "Text", "logGroup": the(made, "eu-log").inputs["name"]}


def test_the_schedule_comes_last(run: Run) -> None:
    waits = {urn.rpartition("::")[2] for urn in the(refresher(run), "eu-schedule").dependencies}
    assert {"eu-schedule-permissions", "eu-once", "eu-age", "eu-function"} <= waits
    waits = {urn.rpartition("::")[2] for urn in the(refresher(run), "eu-function").dependencies}
    assert "eu-permissions" in waits


def test_tags_and_the_region_reach_everything_that_has_them(run: Run) -> None:
    made = refresher(run, "**pulls, tags={'team': 'net'}, region='us-east-1'")
    for name in CHILDREN.keys() - {"eu-permissions", "eu-schedule-permissions", "eu-once", "eu-schedule"}:
        assert the(made, name).inputs["tags"] == {"team": "net"}, name
    for name in CHILDREN.keys() - {"eu-permissions", "eu-schedule-permissions", "eu-role", "eu-schedule-role"}:
        assert the(made, name).inputs["region"] == "us-east-1", name


@pytest.mark.parametrize(
    ("keywords", "said"),
    [
        ("**pulls, bucket='acme-*'", "`eu.bucket`: found 'acme-*'. Allowed: the name of a bucket."),
        ("**pulls, key='pools/${aws:username}'", "`eu.key`: found"),
        ("**pulls, key='/pool.txt'", "`eu.key`: found"),
        ("**pulls, key='pools/*'", "`eu.key`: found"),
        ("**pulls, kms_key_arn='arn:aws:kms:eu-west-1:123456789012:alias/pools'", "no alias"),
        ("**pulls, kms_key_arn='arn:aws:kms:*:123456789012:key/a'", "the ARN of a key of AWS KMS"),
        ("**pulls, prefix_lists=[{'list_id': 'pl-*'}]", "the id of a managed prefix list"),
        ("**pulls, prefix_lists=[{}]", "`eu.prefix_lists[0].listId` is missing"),
        ("**pulls, prefix_lists=[{'list_id': 'pl-0a1b2c3d', 'hosts': ['cgr.de']}]", "Did you mean `cgr.dev`?"),
        ("**pulls, prefix_lists=[{'list_id': 'pl-0a1b2c3d'}] * 2", "is there already for the owner pool"),
        ("**pulls, prefix_lists=[{'list_id': 'pl-0a1b2c3d', 'owner': '../pool'}]", "up to 63 letters"),
        ("**pulls, bucket_region='eu-*'", "a Region, e.g. eu-west-1"),
        ("**pulls, prefix_lists=[{'list_id': f'pl-{n:08}'} for n in range(101)]", "found 101 items. Allowed: at most 100."),
        ("**pulls, vantage='two words'", "`eu.vantage`: found 'two words'"),
        ("**pulls, vantage=None", "`eu.vantage` is missing"),
        ("**pulls, subnet_ids=[]", "`eu.subnet_ids` is empty"),
        ("**pulls, security_group_ids=None", "`eu.securityGroupIds` is missing"),
        ("**pulls, resolvers=['resolver.acme.example']", "no names"),
        ("**pulls, private=['0.0.0.0/0']", "Allowed: a CIDR within"),
        ("**pulls, window=60", "`eu.window`: found 60"),
        ("**pulls, window=3600, every_minutes=30, alarm_after_minutes=90", "at most 15, a quarter of the shortest window"),
        ("**pulls, every_minutes=2000", "`eu.every_minutes`: found 2000"),
        ("**pulls, every_minutes=30", "at least 90, three runs"),
        ("**pulls, alarm_after_minutes=61", "in steps of 5"),
        ("**pulls, alarm_after_minutes=1470", "in steps of 60"),
        ("**pulls, most_removed=200", "`eu.most_removed`: found 200"),
        ("**pulls, log_retention_days=31", "`eu.log_retention_days`: found 31"),
        ("**pulls, memory_mb=64", "`eu.memory_mb`: found 64"),
        ("**pulls, architecture='arm'", "Did you mean `arm64`?"),
        ("**pulls, image_uri=None", "one of them, which brings the code"),
        ("**pulls, archive='gone.zip'", "one of them, which brings the code"),
        ("**pulls, archive='gone.zip', image_uri=None", "found no file at"),
        ("**pulls, archive='.', image_uri=None", "found no file at"),
        ("**pulls, vantge='eu'", "`eu.vantge` is no key here. Did you mean `vantage`?"),
        ("**pulls, vantage=''", "`vantage`: found ''"),
        ("**pulls, resolvers=pulumi.Output.from_input(['10.0.0.2'])", "`resolvers` is an Output"),
        ("**pulls, subnet_ids=pulumi.Output.from_input(['subnet-1'])", "Allowed: a list; what stands in it may be Outputs"),
        ("**pulls, survey='gone.jsonl'", "gone.jsonl"),
        ("**pulls, accept_unfit={'cgr.dev': 'meant'}", "`accept_unfit` answers a survey"),
        ("", "No catalog is named"),
        ("names=[]", "No catalog is named"),
        ("names=[5]", "`eu.names[0]`: found 5. Allowed: text."),
        ("**pulls, names='a.example'", "`eu.names`: found 'a.example'. Allowed: a list."),
        ("names=['*.acme.example']", "*.acme.example"),
        ("names=['10.0.0.1']", "Found the address"),
        ("catalogs=['chainguard/images@2024-03-28'], phases=['nothing']", "nothing"),
        ("**pulls, hosts=hostgate.select('chainguard/images@2024-03-28')", "Both `hosts` and catalogs are given"),
    ],
)  # fmt: skip
def test_what_does_not_hold_is_refused_before_anything_is_made(run: Run, keywords: str, said: str) -> None:
    message = refused(run, keywords)
    assert said in message
    assert "Traceback" not in message


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("PoolRefresher('e u', **pulls, **ours)", "The component's name: found 'e u'"),
        ("PoolRefresher('e' * 43, **pulls, **ours)", "up to 41 letters"),
        ("PoolRefresher('eu', hostgate.select(*pulls['catalogs']), **ours)", "a Selection goes by name, hosts=..."),
        ("PoolRefresher('eu', hosts=pulls['catalogs'], **ours)", "references go under `catalogs`"),
        ("PoolRefresher('eu', {**pulls, **ours}, {'parent': None})", "a pulumi.ResourceOptions"),
        ("PoolRefresher('eu', {**pulls, **ours}, bucket='b-2')", "`bucket` is given twice"),
    ],
)
def test_what_a_program_hands_over_wrongly_is_said(run: Run, call: str, said: str) -> None:
    with pytest.raises(PreviewError) as failed:
        run(f"{START}\n    {call}\n")
    assert said in str(failed.value)


def test_all_that_is_wrong_is_said_at_once(run: Run) -> None:
    said = refused(run, "catalogs=['acme/none'], bucket='*', vantage='a b', every_minutes=0")
    assert all(each in said for each in ("acme/none", "`eu.bucket`", "`eu.every_minutes`", "`eu.vantage`"))


def test_an_archive_that_lambda_would_refuse_is_refused(run: Run, tmp_path: Path) -> None:
    with (tmp_path / "large.zip").open("wb") as file:
        file.truncate(ARCHIVE.max + 1)
    assert f"Allowed: at most {ARCHIVE.max:,}" in refused(run, "**pulls, archive='large.zip', image_uri=None")


def test_more_hosts_than_a_schedule_holds_are_refused_with_a_way_on(run: Run) -> None:
    said = refused(run, "names=[f'{number:06}.a-name-of-some-length.acme.example' for number in range(6000)]")
    assert f"Allowed: {INPUT.max:,}" in said
    assert "several refreshers" in said


def test_a_survey_refuses_hosts_that_no_pool_keeps_up_with_unless_they_are_accepted_by_name(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    says = {
        "fit.example": PoolFitness("ok", 700_000, "1 of 1"),
        "unfit.example": PoolFitness("unfit", 86_400, "new ones by the minute"),
    }
    monkeypatch.setattr(pool_fitness, "fitness_of", lambda *_: says)
    both = "names=['fit.example', 'unfit.example'], survey='survey.jsonl'"
    assert "accept_unfit" in refused(run, both)
    assert refresher(run, f"{both}, accept_unfit={{'unfit.example': 'meant'}}").ok
    said = refused(run, "names=['fit.example'], survey='survey.jsonl', accept_unfit={'fit.example': 'meant'}")
    assert "does not call fit.example unfit" in said
    # Its windows count: a run has to come four times within the shortest.
    long = "survey='survey.jsonl', every_minutes=1440, alarm_after_minutes=4320"
    assert refresher(run, f"names=['fit.example'], {long}").ok
    assert "at most 360" in refused(run, "**pulls, every_minutes=1440, alarm_after_minutes=4320")
