"""A pool that several refreshers share: an object of S3, here moto's, with real processes that write at once.

moto answers one request after the other here, because S3 makes a conditional write in one step and moto checks first and
writes then. Google Cloud Storage and Azure Blob are played by a loopback server that knows the conditions that they document
and nothing else: it shows which the library sends, and that the second of two writers is told.
"""

import json
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import moto.server as moto_app
import pytest
import werkzeug.serving as serving
from test_survey_command import listed
from zone_server import Zone, ZoneServer

from cli.conftest import Run, run
from hostgate.catalog.problems import InputError
from hostgate.dns.pool_places import change, load_pool, place_of
from hostgate.dns.pool_update import PoolUpdate, Round, updated
from hostgate.planning.address_pool import AddressPool

__all__ = ["run"]

URL = "s3://pools/egress/pool.txt"
T0 = 1_790_000_000

WRITER = """
import sys
from hostgate.dns.pool_places import change, place_of
from hostgate.dns.pool_update import Round, updated

vantage = int(sys.argv[2])
for number in range(int(sys.argv[3])):
    seen = {("a.example", "ipv4"): [f"198.51.{vantage}.{number}"]}
    found = Round(vantage=f"region-{vantage}", hosts={"a.example": 86400}, windows={}, seen=seen)
    with place_of(sys.argv[1]) as place:
        change(place, lambda pool: updated(pool, found, 1790000000 + number))
"""


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    app = moto_app.DomainDispatcherApplication(moto_app.create_backend_app)
    server = serving.make_server("127.0.0.1", 0, app, threaded=False, request_handler=_quiet())
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def _quiet() -> Any:
    class Quiet(serving.WSGIRequestHandler):  # type: ignore[misc, name-defined]
        def log(self, *_: object) -> None:
            return

    return Quiet


@pytest.fixture
def bucket(s3: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty bucket `pools`; the environment leads to it."""
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b"), ("AWS_REGION", "eu-west-1"), ("AWS_ENDPOINT_URL", s3),
        ("AWS_ALLOW_HTTP", "true"),
    ):  # fmt: skip
        monkeypatch.setenv(name, value)
    with urllib.request.urlopen(urllib.request.Request(f"{s3}/moto-api/reset", method="POST")):
        pass
    client = boto3.client(
        "s3", endpoint_url=s3, region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    client.create_bucket(Bucket="pools", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    client.close()
    return URL


def adding(vantage: str, *addresses: str, at: int = T0, host: str = "a.example") -> Any:
    found = Round(vantage=vantage, hosts={host: 86_400}, windows={}, seen={(host, "ipv4"): addresses})

    def make(pool: AddressPool) -> PoolUpdate:
        return updated(pool, found, at)

    return make


def test_refreshers_in_eight_regions_write_at_once_and_none_loses_anothers_addresses(bucket: str) -> None:
    regions, writes = 8, 12
    every = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, bucket, str(region), str(writes)], stderr=subprocess.PIPE, text=True
        )
        for region in range(regions)
    ]
    said = [process.communicate(timeout=300)[1] for process in every]
    assert [process.returncode for process in every] == [0] * regions, said
    pool = load_pool(bucket)
    assert set(pool.of("a.example", "ipv4")) == {f"198.51.{r}.{n}" for r in range(regions) for n in range(writes)}
    assert {vantage for _, vantage in pool.hosts["a.example"].watched} == {f"region-{r}" for r in range(regions)}


def test_one_that_is_killed_while_others_write_takes_nothing_with_it(bucket: str) -> None:
    every = [
        subprocess.Popen([sys.executable, "-c", WRITER, bucket, str(region), "30"], stderr=subprocess.DEVNULL)
        for region in range(4)
    ]
    while True:
        try:
            if len(load_pool(bucket).of("a.example", "ipv4")) > 20:
                break
        except InputError:
            pass
    every[0].kill()
    for process in every:
        process.wait(300)
    found = set(load_pool(bucket).of("a.example", "ipv4"))
    assert found >= {f"198.51.{region}.{n}" for region in (1, 2, 3) for n in range(30)}


def test_who_comes_second_puts_what_it_saw_into_what_the_first_wrote(bucket: str) -> None:
    place = place_of(bucket)
    change(place, adding("eu", "192.0.2.1"))
    writes = []

    def make(pool: AddressPool) -> PoolUpdate:
        if not writes:  # between our reading and our writing
            change(place_of(bucket), adding("us", "192.0.2.2"))
        writes.append(pool)
        return adding("eu", "192.0.2.3", at=T0 + 60)(pool)  # type: ignore[no-any-return]

    made = change(place, make)
    assert len(writes) == 2
    assert made.added == (("a.example", "192.0.2.3"),)
    assert load_pool(bucket).of("a.example", "ipv4") == ("192.0.2.1", "192.0.2.2", "192.0.2.3")


def test_two_that_make_the_pool_at_once_make_one(bucket: str) -> None:
    place, made = place_of(bucket), []

    def make(pool: AddressPool) -> PoolUpdate:
        if not made:
            change(place_of(bucket), adding("us", "192.0.2.2"))
        made.append(pool)
        return adding("eu", "192.0.2.3")(pool)  # type: ignore[no-any-return]

    change(place, make)
    assert load_pool(bucket).of("a.example", "ipv4") == ("192.0.2.2", "192.0.2.3")


def test_what_did_not_change_is_not_written(bucket: str) -> None:
    place = place_of(bucket)
    change(place, adding("eu", "192.0.2.1"))
    before = place.read()
    change(place, adding("eu", "192.0.2.1", at=T0 + 60))
    assert place.read() == before


def test_the_command_refreshes_shows_and_forgets_an_object(run: Run, bucket: str, tmp_path: Path) -> None:
    zones = {"steady.example": Zone(("192.0.2.1", "2001:db8::1"))}
    with ZoneServer(zones) as server:
        for vantage in ("eu-west-1", "us-east-1"):
            made = run("pool", "refresh", "--pool", bucket, "--hosts", listed(tmp_path, "steady.example"), "--resolver", server,
                       "--vantage", vantage)  # fmt: skip
            assert (made.code, made.err) == (0, "")
    shown = run("pool", "show", "--pool", bucket, "--json").json
    assert [list(each["seen"]) for each in shown["hosts"][0]["addresses"]] == [["eu-west-1", "us-east-1"]] * 2
    assert run("pool", "forget", "steady.example", "192.0.2.1", "--pool", bucket).code == 0
    assert load_pool(bucket).of("steady.example", "ipv4") == ()


@pytest.mark.parametrize(
    ("url", "rule"), [("s3://nobodys/pool.txt", "pool-unreadable"), ("s3://pools/none.txt", "pool-unreadable")]
)
@pytest.mark.usefixtures("bucket")
def test_what_is_not_there_is_no_empty_pool(run: Run, url: str, rule: str) -> None:
    made = run("pool", "show", "--pool", url)
    assert (made.code, rule in made.err, "Debug source" in made.err) == (1, True, False)


@pytest.mark.usefixtures("bucket")
def test_a_bucket_that_is_not_there_is_said_and_nothing_else_made(run: Run, tmp_path: Path) -> None:
    with ZoneServer({"steady.example": Zone(("192.0.2.1",))}) as server:
        made = run("pool", "refresh", "--pool", "s3://nobodys/pool.txt", "--hosts", listed(tmp_path, "steady.example"),
                   "--resolver", server, "--vantage", "eu")  # fmt: skip
    assert (made.code, "NoSuchBucket" in made.err) == (1, True)


def test_a_damaged_object_is_left_alone(run: Run, bucket: str, tmp_path: Path) -> None:
    place = place_of(bucket)
    assert place.write(b"hostgate-pool 1\nhost a.exa", None)
    with ZoneServer({"steady.example": Zone(("192.0.2.1",))}) as server:
        made = run("pool", "refresh", "--pool", bucket, "--hosts", listed(tmp_path, "steady.example"), "--resolver", server,
                   "--vantage", "eu")  # fmt: skip
    assert made.code == 1
    found = place.read()
    assert found is not None
    assert found[0] == b"hostgate-pool 1\nhost a.exa"


def test_a_store_that_is_away_is_said_in_a_line(run: Run, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import timedelta

    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setattr("hostgate.dns.pool_places._PATIENCE", timedelta(seconds=1))
    made = run("pool", "show", "--pool", bucket)
    assert made.code == 1
    assert len(made.err.splitlines()) <= 6


def test_an_endpoint_without_encryption_has_to_be_allowed(
    run: Run, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ALLOW_HTTP")
    made = run("pool", "show", "--pool", bucket)
    assert (made.code, "needs AWS_ALLOW_HTTP=true" in " ".join(made.err.split())) == (1, True)


class TestOtherStores:
    """`x-goog-if-generation-match` (0: there is none) and `If-Match`, `If-None-Match: *`, as the services document them."""

    @pytest.fixture(params=["gs://pools/egress/pool.txt", "az://pools/egress/pool.txt"])
    def store(self, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), Conditional)
        Conditional.objects, Conditional.refused = {}, 0
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        base = f"http://127.0.0.1:{server.server_port}"
        account = tmp_path / "account.json"
        keys = {"client_email": "", "private_key": "", "private_key_id": ""}
        account.write_text(json.dumps({"gcs_base_url": base, "disable_oauth": True, **keys}))
        for name, value in (
            ("GOOGLE_SERVICE_ACCOUNT", str(account)), ("AZURE_STORAGE_ACCOUNT_NAME", "acct"),
            ("AZURE_STORAGE_ACCOUNT_KEY", "aGVsbG8="), ("AZURE_STORAGE_ENDPOINT", base), ("AZURE_ALLOW_HTTP", "true"),
            ("GOOGLE_ALLOW_HTTP", "true"),
        ):  # fmt: skip
            monkeypatch.setenv(name, value)
        yield request.param
        server.shutdown()
        thread.join()
        server.server_close()

    def test_none_loses_anothers_addresses(self, store: str) -> None:
        every = [
            subprocess.Popen([sys.executable, "-c", WRITER, store, str(n), "6"], stderr=subprocess.PIPE, text=True)
            for n in range(3)
        ]
        said = [process.communicate(timeout=300)[1] for process in every]
        assert [process.returncode for process in every] == [0] * 3, said
        assert set(load_pool(store).of("a.example", "ipv4")) == {f"198.51.{r}.{n}" for r in range(3) for n in range(6)}

    def test_who_comes_second_is_told(self, store: str) -> None:
        place, other = place_of(store), place_of(store)
        assert place.read() is None
        assert (place.write(b"1", None), other.write(b"2", None)) == (True, False)
        found = place.read()
        assert found is not None
        assert (other.write(b"3", found[1]), place.write(b"4", found[1])) == (True, False)
        assert Conditional.refused == 2


class Conditional(BaseHTTPRequestHandler):
    """An object store that refuses every write without a condition."""

    protocol_version = "HTTP/1.1"
    objects: dict[str, tuple[int, bytes]] = {}
    refused = 0
    lock = threading.Lock()

    def do_GET(self) -> None:
        version, data = self.objects.get(self.path, (0, b""))
        self._answer(200 if version else 404, version, data)

    def do_PUT(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        with self.lock:
            version = self.objects.get(self.path, (0, b""))[0]
            wanted = self.headers.get("x-goog-if-generation-match") or (self.headers.get("If-Match") or "").strip('"')
            if self.headers.get("If-None-Match") == "*":
                wanted = "0"
            held = wanted == str(version)
            if held:
                self.objects[self.path] = (version := version + 1, data)
            else:
                type(self).refused += 1
        self._answer(201 if held else 412 if wanted else 428, version, b"")

    def _answer(self, code: int, version: int, data: bytes) -> None:
        self.send_response(code)
        for name, value in (
            ("ETag", f'"{version}"'), ("x-goog-generation", str(version)), ("Content-Length", str(len(data))),
            ("Last-Modified", "Sat, 28 Nov 2026 18:00:00 GMT"),
        ):  # fmt: skip
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        return


def test_the_buckets_region_is_said_where_the_environments_is_another(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr("obstore.store.from_url", lambda url, **more: asked.append((url, more.get("region"))))
    place_of(bucket, "us-west-2")
    place_of(bucket)
    assert asked == [("s3://pools/egress", "us-west-2"), ("s3://pools/egress", None)]


def test_a_job_of_container_apps_gets_its_token_where_its_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Container Apps, "Managed identities", read 2026-11-28: IDENTITY_ENDPOINT, and IDENTITY_HEADER in X-IDENTITY-HEADER."""
    asked: list[tuple[str, str | None]] = []

    class Identity(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers["X-IDENTITY-HEADER"]))
            self.send_response(400)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Identity)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    for name, value in (
        ("AZURE_STORAGE_ACCOUNT_NAME", "acmepools"), ("AZURE_CLIENT_ID", "0c0ffee0"), ("IDENTITY_HEADER", "secret"),
        ("IDENTITY_ENDPOINT", f"http://127.0.0.1:{server.server_port}/msi/token"),
    ):  # fmt: skip
        monkeypatch.setenv(name, value)
    for name in ("AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_KEY", "AZURE_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InputError, match="token request"):
        place_of("az://pools/pool.txt").read()
    server.shutdown()
    server.server_close()
    ((path, header), *_) = asked
    assert header == "secret"
    assert "client_id=0c0ffee0" in path
    assert "resource=https%3A%2F%2Fstorage.azure.com" in path
