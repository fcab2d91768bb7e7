"""`hostgate pool` as a person runs it, against a server on loopback: what is taken, what is said, exit codes, wrong input."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_survey_command import listed, survey_file
from zone_server import Zone, ZoneServer

from cli.conftest import Run, run
from hostgate.dns.ask import Asker
from hostgate.dns.pool_places import load_pool

__all__ = ["run"]

HOSTGATE = str(Path(sys.executable).with_name("hostgate"))
OLD = """\
hostgate-pool 1
host gone.example window 3600
  watched ipv4 here {watched}
  192.0.2.200 first 2026-01-01T00:00:00Z seen here 2026-01-01T00:00:00Z
end
"""
ZONES = {
    "steady.example": Zone(("192.0.2.1", "2001:db8::1"), chain=(("edge.example", 300),)),
    "hints.example": Zone(("192.0.2.2",), https=("1 . alpn=h2 ipv4hint=192.0.2.3 ipv6hint=2001:db8::3",)),
    "other-target.example": Zone(("192.0.2.4",), https=("1 edge.other.example. ipv4hint=192.0.2.5",)),
    "lies.example": Zone(
        ("192.0.2.6", "0.0.0.0", "127.0.0.1", "10.1.2.3", "169.254.169.254", "100.64.0.1", "::ffff:c000:207",
         "64:ff9b::c000:207", "2001:db8:64::c000:207", "fe80::1", "fd00::1", "224.0.0.1", "198.18.0.1"),
    ),
    "only-lies.example": Zone(("0.0.0.0", "::")),
    "broken.example": Zone(fault="servfail"),
    "empty.example": Zone(),
    "dead.example": Zone(("192.0.2.8",), chain=(("nobody.example", 60),), fault="dead-alias"),
    "long.example": Zone(("192.0.2.9",), ttl=5 * 86_400),
    "ipv4only.arpa": Zone(("192.0.0.170", "192.0.0.171", "2001:db8:64::c000:aa", "2001:db8:64::c000:ab")),
}  # fmt: skip


@pytest.fixture
def server() -> Iterator[ZoneServer]:
    with ZoneServer(dict(ZONES)) as made:
        yield made


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    return tmp_path / "pool.txt"


def held(pool: Path, host: str) -> set[str]:
    return {each.address for each in load_pool(str(pool)).hosts[host].addresses}


class TestRefresh:
    def test_addresses_of_both_families_come_in_through_aliases_and_with_hints(
        self, run: Run, server: ZoneServer, pool: Path, tmp_path: Path
    ) -> None:
        hosts = listed(tmp_path, "steady.example", "hints.example", "other-target.example")
        made = run(
            "pool", "refresh", "--pool", pool, "--hosts", hosts, "--resolver", server, "--vantage", "here", "--json"
        )
        assert (made.code, made.err) == (0, "")
        assert (made.json["hosts"], made.json["addresses"], made.json["removed"]) == (3, 6, [])
        assert held(pool, "steady.example") == {"192.0.2.1", "2001:db8::1"}
        assert held(pool, "hints.example") == {"192.0.2.2", "192.0.2.3", "2001:db8::3"}
        assert held(pool, "other-target.example") == {"192.0.2.4"}
        assert {
            vantage for each in load_pool(str(pool)).hosts["hints.example"].addresses for vantage, _ in each.seen
        } == {"here"}

    def test_a_second_run_that_sees_the_same_writes_nothing(
        self, run: Run, server: ZoneServer, pool: Path, tmp_path: Path
    ) -> None:
        hosts = listed(tmp_path, "steady.example")
        for _ in range(2):
            made = run("pool", "refresh", "--pool", pool, "--hosts", hosts, "--resolver", server)
            about = pool.stat()
        assert made.out.endswith("1 hosts, 2 addresses; 0 added, 0 removed.\n")
        assert (pool.stat().st_ino, pool.stat().st_mtime_ns) == (about.st_ino, about.st_mtime_ns)

    def test_addresses_that_no_host_can_have_are_not_taken_and_named(
        self, run: Run, server: ZoneServer, pool: Path, tmp_path: Path
    ) -> None:
        made = run("pool", "refresh", "--pool", pool, "--hosts", listed(tmp_path, "lies.example"), "--resolver", server,
                   "--json")  # fmt: skip
        assert made.code == 0
        assert held(pool, "lies.example") == {"192.0.2.6"}
        why = {each["address"]: each["why"] for each in made.json["refused"]}
        assert set(why) == set(ZONES["lies.example"].pool) - {"192.0.2.6"}
        assert "DNS64" in why["2001:db8:64::c000:207"]
        assert "--private" in why["10.1.2.3"]
        assert "--private" in why["fd00::1"]
        assert "--private" not in why["169.254.169.254"]

    def test_private_addresses_come_in_where_the_owner_says_so_and_only_those(
        self, run: Run, server: ZoneServer, pool: Path, tmp_path: Path
    ) -> None:
        hosts = listed(tmp_path, "lies.example")
        run("pool", "refresh", "--pool", pool, "--hosts", hosts, "--resolver", server, "--private", "10.1.0.0/16")
        assert held(pool, "lies.example") == {"192.0.2.6", "10.1.2.3"}
        assert "private 10.1.0.0/16\n" in pool.read_text()

    @pytest.mark.parametrize(
        ("host", "said"),
        [
            ("broken.example", "could not get an answer"),
            ("empty.example", "no record of this type"),
            ("dead.example", "ends at a name which does not exist"),
            ("nobody-has-it.example", "does not exist"),
            ("only-lies.example", "only addresses that do not count"),
        ],
    )
    def test_a_host_without_an_answer_is_said_and_told_apart_and_keeps_what_it_had(
        self, run: Run, server: ZoneServer, pool: Path, tmp_path: Path, host: str, said: str
    ) -> None:
        pool.write_text(OLD.format(watched="2026-01-01T00:00:00Z").replace("gone.example", host))
        made = run("pool", "refresh", "--pool", pool, "--hosts", listed(tmp_path, host), "--resolver", server)
        assert made.code == 6
        assert said in re.sub(r"\s+", " ", made.err)
        assert held(pool, host) == {"192.0.2.200"}

    def test_a_host_that_never_had_an_address_is_in_the_pool_as_one_without(
        self, run: Run, server: ZoneServer, pool: Path, tmp_path: Path
    ) -> None:
        made = run(
            "pool", "refresh", "--pool", pool, "--hosts", listed(tmp_path, "broken.example"), "--resolver", server
        )
        assert made.code == 6
        assert list(load_pool(str(pool)).lacking(["broken.example"])) == ["broken.example"]

    @pytest.mark.parametrize(("at", "family", "kept"), [("A", "ipv4", "2001:db8::1"), ("AAAA", "ipv6", "192.0.2.1")])
    def test_a_family_that_nobody_could_ask_for_is_said_from_the_first_run_on(
        self, at: str, family: str, kept: str, run: Run, server: ZoneServer, pool: Path, tmp_path: Path
    ) -> None:
        server.hosts = {"half.example": Zone(("192.0.2.1", "2001:db8::1"), fault="servfail", at=at)}
        hosts = listed(tmp_path, "half.example")
        made = run("pool", "refresh", "--pool", pool, "--hosts", hosts, "--resolver", server)
        assert (made.code, f"half.example: {family}: the resolver could not" in re.sub(r"\s+", " ", made.err)) == (
            6,
            True,
        )
        assert held(pool, "half.example") == {kept}

    def test_a_family_that_a_host_does_not_have_is_no_failure(
        self, run: Run, server: ZoneServer, pool: Path, tmp_path: Path
    ) -> None:
        server.hosts = {"old.example": Zone(("192.0.2.1",))}
        made = run("pool", "refresh", "--pool", pool, "--hosts", listed(tmp_path, "old.example"), "--resolver", server)
        assert made.code == 0

    def test_a_ttl_longer_than_the_window_makes_it_longer(
        self, run: Run, server: ZoneServer, pool: Path, tmp_path: Path
    ) -> None:
        run("pool", "refresh", "--pool", pool, "--hosts", listed(tmp_path, "long.example"), "--resolver", server)
        assert load_pool(str(pool)).hosts["long.example"].window >= 5 * 86_400 + 300

    def test_subtrees_have_no_addresses_and_are_said(
        self, run: Run, server: ZoneServer, pool: Path, tmp_path: Path
    ) -> None:
        catalog = tmp_path / "ours.yaml"
        catalog.write_text(
            "catalog: acme/ours\nentries:\n"
            "  - {id: one, host: steady.example, port: 443, protocol: https}\n"
            "  - {id: three, host: wild.example, match: subtree, port: 443, protocol: https}\n"
        )
        made = run("pool", "refresh", catalog, "--pool", pool, "--resolver", server)
        assert made.code == 0
        assert "Not in the pool: subtree of wild.example (three)" in made.err
        assert list(load_pool(str(pool)).hosts) == ["steady.example"]

    def test_a_family_that_has_no_answer_any_more_is_said_and_keeps_its_addresses(
        self, run: Run, server: ZoneServer, pool: Path, tmp_path: Path
    ) -> None:
        hosts = listed(tmp_path, "steady.example")
        run("pool", "refresh", "--pool", pool, "--hosts", hosts, "--resolver", server)
        server.hosts = {"steady.example": Zone(("192.0.2.1",))}
        made = run("pool", "refresh", "--pool", pool, "--hosts", hosts, "--resolver", server)
        assert made.code == 6
        said = re.sub(r"\s+", " ", made.err)
        assert (
            "steady.example: ipv6: the name exists and has no record of this type; its addresses there (1) stay" in said
        )
        assert held(pool, "steady.example") == {"192.0.2.1", "2001:db8::1"}

    def test_hosts_of_the_pool_that_are_not_asked_for_are_said(
        self, run: Run, server: ZoneServer, pool: Path, tmp_path: Path
    ) -> None:
        pool.write_text(OLD.format(watched="2026-01-01T00:00:00Z"))
        made = run(
            "pool", "refresh", "--pool", pool, "--hosts", listed(tmp_path, "steady.example"), "--resolver", server
        )
        assert (made.code, "Not asked for by this run: 1 hosts of it, gone.example." in made.out) == (0, True)
        assert held(pool, "gone.example") == {"192.0.2.200"}


class TestResolvers:
    def test_one_that_answers_for_every_name_changes_nothing(self, run: Run, pool: Path, tmp_path: Path) -> None:
        pool.write_text(OLD.format(watched="2026-01-01T00:00:00Z"))
        before = pool.read_bytes()
        with ZoneServer({}, captive="192.0.2.66") as liar:
            made = run(
                "pool", "refresh", "--pool", pool, "--hosts", listed(tmp_path, "gone.example"), "--resolver", liar
            )
        assert made.code == 1
        assert "no-resolver" in made.err
        assert pool.read_bytes() == before

    def test_one_that_begins_to_lie_while_it_is_asked_brings_nothing_in(
        self, run: Run, pool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with ZoneServer(dict(ZONES)) as liar:
            lookup = Asker.lookup

            async def turning(self: Asker, host: str, *rest: object) -> object:
                if host == "steady.example":
                    liar.captive = "192.0.2.66"
                return await lookup(self, host, *rest)  # type: ignore[arg-type]

            monkeypatch.setattr(Asker, "lookup", turning)
            made = run(
                "pool", "refresh", "--pool", pool, "--hosts", listed(tmp_path, "steady.example"), "--resolver", liar
            )
        assert made.code == 1
        assert not pool.exists()

    def test_the_answers_of_several_are_united(self, run: Run, server: ZoneServer, pool: Path, tmp_path: Path) -> None:
        with ZoneServer({"steady.example": Zone(("192.0.2.77",))}) as other:
            made = run("pool", "refresh", "--pool", pool, "--hosts", listed(tmp_path, "steady.example"), "--resolver",
                       server, other)  # fmt: skip
        assert made.code == 0
        assert held(pool, "steady.example") == {"192.0.2.1", "2001:db8::1", "192.0.2.77"}

    def test_a_silent_one_beside_a_good_one_is_named(
        self, run: Run, server: ZoneServer, pool: Path, tmp_path: Path
    ) -> None:
        with ZoneServer({}) as gone:
            pass
        made = run("pool", "refresh", "--pool", pool, "--hosts", listed(tmp_path, "steady.example"), "--resolver", gone,
                   "--resolver", server)  # fmt: skip
        assert made.code == 0
        assert f"The resolver {gone} is left out" in made.err


class TestRemoval:
    @pytest.fixture
    def due(self, pool: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """192.0.2.200 and .201 were last seen three hours ago, with a window of one, watched all the time since."""
        now = 1_790_000_000
        monkeypatch.setattr("time.time", lambda: now)
        text = OLD.format(watched="2026-09-01T00:00:00Z").replace("gone.example", "steady.example")
        text = text.replace("2026-01-01T00:00:00Z", "2026-09-21T10:40:00Z")
        text = text.replace(
            "end\n",
            "  192.0.2.1 first 2026-09-01T00:00:00Z seen here 2026-09-21T14:10:00Z\n"
            "  192.0.2.201 first 2026-09-01T00:00:00Z seen here 2026-09-21T10:40:00Z\nend\n",
        )
        pool.write_text(text)
        return pool

    def test_more_than_the_share_is_held_back_with_a_code_and_words(
        self, run: Run, server: ZoneServer, due: Path, tmp_path: Path
    ) -> None:
        hosts = listed(tmp_path, "steady.example")
        made = run("pool", "refresh", "--pool", due, "--hosts", hosts, "--resolver", server, "--vantage", "here",
                   "--window", "1h")  # fmt: skip
        assert made.code == 3
        assert "2 addresses are due at once (192.0.2.200 of steady.example" in re.sub(r"\s+", " ", made.err)
        assert held(due, "steady.example") == {"192.0.2.1", "2001:db8::1", "192.0.2.200", "192.0.2.201"}
        made = run("pool", "refresh", "--pool", due, "--hosts", hosts, "--resolver", server, "--vantage", "here",
                   "--window", "1h", "--most-removed", 50)  # fmt: skip
        assert (made.code, "- 192.0.2.201  steady.example" in made.out) == (0, True)
        assert held(due, "steady.example") == {"192.0.2.1", "2001:db8::1"}


class TestSurvey:
    def test_an_unfit_host_is_refused_before_anything_is_asked_unless_accepted_by_name(
        self, run: Run, server: ZoneServer, pool: Path, tmp_path: Path
    ) -> None:
        hosts = listed(tmp_path, "steady.example")
        survey = survey_file(tmp_path / "s.jsonl", answers=400, pool=256)
        text = survey.read_text().splitlines()
        survey.write_text("\n".join([text[0], *_churning(text[1:])]) + "\n")
        made = run("pool", "refresh", "--pool", pool, "--hosts", hosts, "--resolver", server, "--survey", survey)
        assert made.code == 1
        assert "pool-unfit" in made.err
        assert not server.asked
        assert not pool.exists()
        made = run("pool", "refresh", "--pool", pool, "--hosts", hosts, "--resolver", server, "--survey", survey,
                   "--accept", "steady.example=only for the move")  # fmt: skip
        assert made.code == 0

    @pytest.mark.parametrize("form", ["samples", "document"])
    def test_windows_follow_the_numbers_of_either_form(
        self, run: Run, server: ZoneServer, pool: Path, tmp_path: Path, form: str
    ) -> None:
        survey = survey_file(tmp_path / "s.jsonl", answers=8000, pool=250)
        if form == "document":
            said = run("survey", "--from", survey, "--json").out
            survey = tmp_path / "s.json"
            survey.write_text(said)
        made = run("pool", "refresh", "--pool", pool, "--hosts", listed(tmp_path, "steady.example", "hints.example"),
                   "--resolver", server, "--survey", survey)  # fmt: skip
        assert made.code == 0
        assert "hints.example: not in the survey" in made.err
        windows = {name: each.window for name, each in load_pool(str(pool)).hosts.items()}
        assert windows == {"hints.example": 86_400, "steady.example": 7 * 60 * 250}

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ('"pool": 1.0', '"pool": 0.0'), ('"pool": 1.0', '"pool": 1e300'), ('"answer": 1.0', '"answer": 0.0'),
            ('"answer": 1.0', '"answer": -1.0'), ('"zone": 60', '"zone": 1' + "0" * 300), ('"miss": 0.0', '"miss": 1e308'),
            ('"pool": 1.0', '"pool": NaN'), ('"zone": 60', '"zone": "60"'),
        ],
    )  # fmt: skip
    def test_a_document_whose_numbers_cannot_be_is_no_reason_for_a_crash(
        self, run: Run, server: ZoneServer, pool: Path, tmp_path: Path, old: str, new: str
    ) -> None:
        said = run("survey", "--from", survey_file(tmp_path / "s.jsonl", answers=400), "--json").out
        assert old in said
        (tmp_path / "s.json").write_text(said.replace(old, new))
        made = run("pool", "refresh", "--pool", pool, "--hosts", listed(tmp_path, "steady.example"), "--resolver", server,
                   "--survey", tmp_path / "s.json")  # fmt: skip
        assert made.code in (0, 1)
        assert made.err

    def test_an_acceptance_of_what_is_not_unfit_is_an_error(
        self, run: Run, server: ZoneServer, pool: Path, tmp_path: Path
    ) -> None:
        survey = survey_file(tmp_path / "s.jsonl", answers=4000)
        made = run("pool", "refresh", "--pool", pool, "--hosts", listed(tmp_path, "steady.example"), "--resolver", server,
                   "--survey", survey, "--accept", "staedy.example=why")  # fmt: skip
        assert (made.code, "unused-acceptance" in made.err, "steady.example" in made.err) == (1, True, False)


def _churning(lines: list[str]) -> Iterator[str]:
    """A new address in every fourth answer."""
    for number, line in enumerate(lines):
        yield re.sub(r'192\.0\.2\.\d+"\]', f'198.51.{number // 1000}.{number // 4 % 250}"]', line)


class TestShow:
    def test_each_address_is_explained(self, run: Run, pool: Path) -> None:
        pool.write_text(
            "hostgate-pool 1\n"
            "host a.example window 86400\n  watched ipv4 eu 2026-09-21T10:00:00Z\n"
            "  192.0.2.1 first 2026-09-20T10:00:00Z seen eu 2026-09-21T10:00:00Z us 2026-01-01T00:00:00Z\n"
            "host b.example window 86400\n  192.0.2.1 first 2026-09-20T10:00:00Z seen eu 2026-09-21T10:00:00Z\n"
            "host c.example window 86400\nend\n"
        )
        made = run("pool", "show", "--pool", pool, "--json")
        first, _, third = made.json["hosts"]
        assert first["addresses"] == [
            {
                "address": "192.0.2.1",
                "first": "2026-09-20T10:00:00Z",
                "seen": {"eu": "2026-09-21T10:00:00Z", "us": "2026-01-01T00:00:00Z"},
                "stays": "until eu and us got answers for its window again",
                "shared_with": ["b.example"],
            }
        ]
        assert (third["host"], third["addresses"]) == ("c.example", [])
        words = run("pool", "show", "--pool", pool).out
        assert "c.example: asked for, and no answer has brought an address yet." in words
        made = run("pool", "show", "b.exmple", "--pool", pool)
        assert (made.code, "Did you mean `b.example`?" in made.err) == (1, True)


class TestForget:
    def test_an_address_a_host_and_a_place_can_be_forgotten(
        self, run: Run, server: ZoneServer, pool: Path, tmp_path: Path
    ) -> None:
        hosts = listed(tmp_path, "steady.example", "hints.example")
        run("pool", "refresh", "--pool", pool, "--hosts", hosts, "--resolver", server, "--vantage", "here")
        made = run("pool", "forget", "hints.example", "192.0.2.3", "--pool", pool)
        assert (made.code, made.out.splitlines()[0]) == (0, "- 192.0.2.3  hints.example")
        assert held(pool, "hints.example") == {"192.0.2.2", "2001:db8::3"}
        for arguments in (("hints.example", "192.0.2.3"), ("nobody.example",), ("--vantage", "nowhere")):
            before = pool.read_bytes()
            assert run("pool", "forget", *arguments, "--pool", pool).code == 1
            assert pool.read_bytes() == before
        assert run("pool", "forget", "hints.example", "--pool", pool).code == 0
        assert list(load_pool(str(pool)).hosts) == ["steady.example"]
        assert run("pool", "forget", "--vantage", "here", "--pool", pool).code == 0
        assert held(pool, "steady.example") == set()


class TestWrongUse:
    @pytest.mark.parametrize(
        ("arguments", "code", "said"),
        [
            ([], 2, "Missing option '--pool'"),
            (["--pool", "p", "--vantage", "two words"], 2, "Allowed: a name of up to 63"),
            (["--pool", "p", "--window", "5m"], 2, "Allowed: 1h to 90d"),
            (["--pool", "p", "--window", "91d"], 2, "Allowed: 1h to 90d"),
            (["--pool", "p", "--private", "8.8.8.0/24"], 2, "Allowed: a CIDR within 10.0.0.0/8"),
            (["--pool", "p", "--private", "0.0.0.0/0"], 2, "Allowed: a CIDR within 10.0.0.0/8"),
            (["--pool", "p", "--private", "169.254.0.0/16"], 2, "Allowed: a CIDR within 10.0.0.0/8"),
            (["--pool", "p", "--most-removed", "101"], 2, "not in the range"),
            (["--pool", "p", "--accept", "a.example=x"], 2, "name it with --survey"),
            (["--pool", "p", "--survey", "s", "--accept", "a.example"], 2, "Allowed: HOST=reason"),
            (["--pool", "p", "--stack", "dev", "--hosts", "x"], 2, "--stack brings its own hosts"),
            (["--pool", "s3://pools/key"], 2, "name this place with --vantage"),
            (["--pool", "http://pools/key", "--vantage", "a"], 1, "Allowed: s3://BUCKET/KEY"),
            (["--pool", "s3://pools", "--vantage", "a"], 1, "Allowed: s3://BUCKET/KEY"),
            (["--pool", "az:///key", "--vantage", "a"], 1, "Allowed: s3://BUCKET/KEY"),
            (["--pool", "gs://pools/a//key", "--vantage", "a"], 1, "Allowed: s3://BUCKET/KEY"),
            (["--pool", "s3://pools/a/", "--vantage", "a"], 1, "Allowed: s3://BUCKET/KEY"),
        ],
    )
    def test_it_is_refused_with_what_is_allowed(self, run: Run, arguments: list[str], code: int, said: str) -> None:
        made = run("pool", "refresh", *arguments)
        assert made.code == code
        assert said in re.sub(r"\s+", " ", made.err)

    @pytest.mark.parametrize("what", ["folder", "damaged", "cut", "another"])
    def test_a_pool_that_cannot_be_read_back_is_left_alone(
        self, run: Run, server: ZoneServer, pool: Path, tmp_path: Path, what: str
    ) -> None:
        texts = {
            "damaged": "hostgate-pool 1\n???\nend\n",
            "cut": "hostgate-pool 1\nhost a.example win",
            "another": "{}\n",
        }
        if what == "folder":
            pool.mkdir()
        else:
            pool.write_text(texts[what])
        made = run(
            "pool", "refresh", "--pool", pool, "--hosts", listed(tmp_path, "steady.example"), "--resolver", server
        )
        assert made.code == 1
        assert pool.is_dir() if what == "folder" else pool.read_text() == texts[what]

    @pytest.mark.parametrize("place", ["/", ".", "..", "", "/dev/null", "none/pool.txt", "\0"])
    def test_a_place_that_can_hold_no_pool_is_refused_and_nothing_left_there(
        self, run: Run, server: ZoneServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
    ) -> None:
        hosts = listed(tmp_path, "steady.example")
        (tmp_path / "here").mkdir()
        monkeypatch.chdir(tmp_path / "here")
        made = run("pool", "refresh", "--pool", place, "--hosts", hosts, "--resolver", server)
        assert (made.code, "pool-unwritable" in made.err) == (1, True)
        assert not server.asked
        assert {each.name for each in tmp_path.rglob("*")} == {"here", "hosts.txt"}

    def test_a_pool_that_is_not_there_is_no_empty_one(self, run: Run, pool: Path) -> None:
        for made in (run("pool", "show", "--pool", pool), run("pool", "forget", "a.example", "--pool", pool)):
            assert (made.code, "hostgate pool refresh --pool" in re.sub(r"\s+", " ", made.err)) == (1, True)


def test_a_url_without_the_extra_says_how_to_install_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    monkeypatch.setitem(sys.modules, "obstore.exceptions", None)
    made = run("pool", "show", "--pool", "s3://pools/pool.txt")
    assert (made.code, "pip install 'hostgate[pool]" in re.sub(r"\s+", " ", made.err)) == (1, True)


def test_the_command_says_what_it_does_in_its_help() -> None:
    said = subprocess.run([HOSTGATE, "pool", "-h"], capture_output=True, text=True, check=True).stdout
    assert [line.split()[0] for line in said.partition("Commands:")[2].strip().splitlines()] == [
        "forget", "push", "refresh", "show",
    ]  # fmt: skip
