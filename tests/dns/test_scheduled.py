"""What AWS Lambda runs: one refresh and what is pushed, over HTTP on moto, with the answers of a real DNS server."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from lambda_lab import BUCKET, KEY, Context, RecordingServer, recording
from zone_server import Zone, ZoneServer

from hostgate.catalog.problems import InputError
from hostgate.dns.pool_places import load_pool
from hostgate.sinks.scheduled import RefreshFailed, handler
from sinks.ec2_server import LIST

URL = f"s3://{BUCKET}/{KEY}"
ZONES = {
    "steady.example": Zone(("192.0.2.1", "2001:db8::1")),
    "turning.example": Zone(("198.51.100.7", "198.51.100.9"), k=1),
    "gone.example": Zone(fault="servfail"),
}


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordingServer]:
    """An empty bucket and an empty list."""
    with recording(monkeypatch) as server:
        server.make(size=20)
        server.calls.clear()
        yield server


@pytest.fixture
def dns() -> Iterator[ZoneServer]:
    with ZoneServer(ZONES) as server:
        yield server


def job(dns: ZoneServer, *hosts: str, **more: Any) -> dict[str, Any]:
    asked = dict.fromkeys(hosts or ("steady.example",), 86_400)
    return {"pool": URL, "vantage": "eu-west-1", "hosts": asked, "resolvers": [str(dns)], **more}


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_run_puts_what_dns_says_into_the_pool_and_into_the_list(cloud: RecordingServer, dns: ZoneServer) -> None:
    handler(job(dns, prefixLists=[{"listId": LIST}]), Context())
    assert load_pool(URL).of("steady.example", "ipv4") == ("192.0.2.1",)
    assert load_pool(URL).of("steady.example", "ipv6") == ("2001:db8::1",)
    assert {vantage for _, vantage in load_pool(URL).hosts["steady.example"].watched} == {"eu-west-1"}
    assert cloud.entries() == {"192.0.2.1/32": "hostgate:pool"}


@pytest.mark.usefixtures("cloud")
def test_a_run_prints_one_line_that_counts_it(dns: ZoneServer, capsys: pytest.CaptureFixture[str]) -> None:
    returned = handler(job(dns, prefixLists=[{"listId": LIST}]), Context("eu-function"))
    (line,) = lines(capsys)
    assert line == returned
    assert (line["PoolRefreshed"], line["FunctionName"]) == (1, "eu-function")
    (metrics,) = line["_aws"]["CloudWatchMetrics"]
    assert metrics == {
        "Namespace": "hostgate", "Dimensions": [["FunctionName"]], "Metrics": [{"Name": "PoolRefreshed", "Unit": "Count"}]
    }  # fmt: skip
    assert isinstance(line["_aws"]["Timestamp"], int)
    assert line["refresh"]["changes"] == ["+ 192.0.2.1 steady.example", "+ 2001:db8::1 steady.example"]
    assert line["lists"][LIST]["added"] == 1
    assert "failures" not in line


def test_a_second_run_changes_nothing(cloud: RecordingServer, dns: ZoneServer) -> None:
    event = job(dns, prefixLists=[{"listId": LIST}])
    handler(event, Context())
    cloud.calls.clear()
    handler(event, Context())
    assert {action for action, _ in cloud.calls} == {
        "s3:GetObject", "ec2:DescribeManagedPrefixLists", "ec2:GetManagedPrefixListEntries"
    }  # fmt: skip


def test_a_list_gets_the_hosts_of_its_refresher_and_not_what_others_put_into_the_pool(
    cloud: RecordingServer, dns: ZoneServer
) -> None:
    handler(job(dns, "turning.example", vantage="us-east-1"), Context())
    handler(job(dns, prefixLists=[{"listId": LIST}]), Context())
    assert set(load_pool(URL).hosts) == {"steady.example", "turning.example"}
    assert set(cloud.entries()) == {"192.0.2.1/32"}


def test_a_list_gets_the_hosts_that_are_named_for_it(cloud: RecordingServer, dns: ZoneServer) -> None:
    wanted = [{"listId": LIST, "hosts": ["steady.example"], "owner": "web"}]
    handler(job(dns, "steady.example", "turning.example", prefixLists=wanted), Context())
    assert cloud.entries() == {"192.0.2.1/32": "hostgate:web"}


def test_two_owners_of_one_list_have_a_record_each(cloud: RecordingServer, dns: ZoneServer) -> None:
    wanted = [
        {"listId": LIST, "owner": owner, "hosts": [host], "keepForeign": True}
        for owner, host in (("pool", "steady.example"), ("web", "steady.example"))
    ]
    assert set(handler(job(dns, prefixLists=wanted), Context())["lists"]) == {LIST, f"{LIST} of web"}
    assert cloud.entries() == {"192.0.2.1/32": "hostgate:pool"}


def failed(event: object, capsys: pytest.CaptureFixture[str], context: Context | None = None) -> dict[str, Any]:
    """The line of a run that fails; it counts as none."""
    with pytest.raises(RefreshFailed):
        handler(event, context or Context())
    (line,) = lines(capsys)
    assert line["PoolRefreshed"] == 0
    assert line["failures"]
    return line


def test_a_host_without_an_answer_fails_the_run_and_the_others_are_in(
    cloud: RecordingServer, dns: ZoneServer, capsys: pytest.CaptureFixture[str]
) -> None:
    line = failed(job(dns, "steady.example", "gone.example", prefixLists=[{"listId": LIST}]), capsys)
    assert any("gone.example" in each for each in line["failures"])
    assert set(cloud.entries()) == {"192.0.2.1/32"}


def test_an_outage_of_the_resolver_takes_nothing_out(
    cloud: RecordingServer, dns: ZoneServer, capsys: pytest.CaptureFixture[str]
) -> None:
    event = job(dns, prefixLists=[{"listId": LIST}])
    handler(event, Context())
    before = load_pool(URL)
    capsys.readouterr()
    line = failed({**event, "resolvers": ["127.0.0.1:1"]}, capsys)
    assert "No resolver can be asked" in " ".join(line["failures"])
    assert load_pool(URL) == before
    assert set(cloud.entries()) == {"192.0.2.1/32"}
    assert line["lists"][LIST]["removed"] == 0


def test_a_resolver_that_answers_for_names_that_nobody_has_puts_nothing_in(
    cloud: RecordingServer, capsys: pytest.CaptureFixture[str]
) -> None:
    with ZoneServer(ZONES, captive="203.0.113.9") as liar:
        failed(job(liar, prefixLists=[{"listId": LIST}]), capsys)
    assert cloud.entries() == {}
    with pytest.raises(InputError, match="There is no pool"):
        load_pool(URL)


def test_a_list_that_cannot_be_changed_keeps_neither_the_pool_nor_another_list_back(
    cloud: RecordingServer, dns: ZoneServer, capsys: pytest.CaptureFixture[str]
) -> None:
    lists = [{"listId": "pl-0badc0de"}, {"listId": LIST}]
    line = failed(job(dns, prefixLists=lists), capsys)
    assert line["lists"]["pl-0badc0de"] is None
    assert set(cloud.entries()) == {"192.0.2.1/32"}
    assert all(each.startswith("pl-0badc0de: ") for each in line["failures"])


def test_entries_of_others_fail_the_run_unless_they_are_meant(
    cloud: RecordingServer, dns: ZoneServer, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.put(add=[("0.0.0.0/0", "everybody")])
    line = failed(job(dns, prefixLists=[{"listId": LIST}]), capsys)
    assert "list-foreign" in line["failures"][0]
    handler(job(dns, prefixLists=[{"listId": LIST, "keepForeign": True}]), Context())
    assert set(cloud.entries()) == {"0.0.0.0/0", "192.0.2.1/32"}


def test_more_that_is_due_than_may_leave_fails_the_run(
    cloud: RecordingServer, dns: ZoneServer, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.put(add=[(f"203.0.113.{number}/32", "hostgate:pool") for number in range(4)])
    line = failed(job(dns, prefixLists=[{"listId": LIST}]), capsys)
    assert "Nothing is removed: 4 entries are due at once" in line["failures"][0]
    assert len(cloud.entries()) == 5


@pytest.mark.usefixtures("cloud")
def test_a_run_whose_time_is_up_writes_what_it_saw_and_fails(
    dns: ZoneServer, capsys: pytest.CaptureFixture[str]
) -> None:
    line = failed(job(dns), capsys, Context(left=20_000))
    assert "The time was up" in line["failures"][0]
    assert set(load_pool(URL).hosts) <= {"steady.example"}


def test_a_pool_that_is_damaged_is_neither_written_nor_pushed(
    cloud: RecordingServer, dns: ZoneServer, capsys: pytest.CaptureFixture[str]
) -> None:
    handler(job(dns), Context())
    client = boto3.client("s3")
    client.put_object(Bucket=BUCKET, Key=KEY, Body=b"hostgate-pool 1\n")
    capsys.readouterr()
    cloud.calls.clear()
    line = failed(job(dns, prefixLists=[{"listId": LIST}]), capsys)
    assert all("pool-cut" in each for each in line["failures"])
    assert {action for action, _ in cloud.calls} == {"s3:GetObject", "ec2:DescribeManagedPrefixLists",
                                                     "ec2:GetManagedPrefixListEntries"}  # fmt: skip
    assert cloud.entries() == {}
    client.close()


@pytest.mark.usefixtures("cloud")
def test_many_failures_make_a_line_that_the_log_takes(dns: ZoneServer, capsys: pytest.CaptureFixture[str]) -> None:
    line = failed(job(dns, *(f"host-{number}.nowhere.example" for number in range(300))), capsys)
    assert len(json.dumps(line)) < 10_000
    assert line["failures"][-1] == "and 280 more"


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (None, "Allowed: a refresh job"),
        ([], "Allowed: a refresh job"),
        ({}, "`event.pool` is missing"),
        ({"pool": "/tmp/pool.txt"}, "a URL, s3://BUCKET/KEY"),
        ({"hosts": {}}, "`event.hosts`"),
        ({"hosts": {"*.example": 86_400}}, "*.example"),
        ({"hosts": {"a.example": 60}}, "`event.hosts.a.example`: found 60"),
        ({"hosts": {"a.example": "86400"}}, "a whole number"),
        ({"vantage": "no spaces"}, "a name of up to 63"),
        ({"resolvers": ["dns.example"]}, "is no resolver"),
        ({"private": ["8.8.8.0/24"]}, "Allowed: a CIDR within"),
        ({"mostRemoved": 101}, "less than or equal to 100"),
        ({"mostremoved": 1}, "Did you mean `mostRemoved`?"),
        ({"prefixLists": [{"listId": "pl-*"}]}, "the id of a managed prefix list"),
        ({"prefixLists": [{"listId": LIST, "growTo": 0}]}, "greater than or equal to 1"),
        ({"prefixLists": [{"listId": LIST, "owner": "a b"}]}, "up to 63 letters"),
    ],
)
def test_an_event_that_is_no_job_asks_nobody_and_says_what_is_wrong(
    event: object, said: str, cloud: RecordingServer, capsys: pytest.CaptureFixture[str]
) -> None:
    line = failed(event, capsys)
    assert said in " ".join(line["failures"])
    assert cloud.calls == []
