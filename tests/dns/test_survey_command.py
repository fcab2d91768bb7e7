"""`hostgate survey` as a person runs it, against a server on loopback: output, exit codes, files, Ctrl-C, wrong input."""

import os
import pty
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from zone_server import Zone, ZoneServer

from cli.conftest import Project, Run, project, run
from hostgate.cli.survey_command import _BY_VERDICT
from hostgate.dns import ask
from hostgate.dns.ask import Patience
from hostgate.dns.samples import Run as Header
from hostgate.dns.samples import Sample
from hostgate.dns.survey_files import as_line, read_survey

__all__ = ["project", "run"]

HOSTGATE = str(Path(sys.executable).with_name("hostgate"))
ZONES = {
    "steady.example": Zone(("192.0.2.1", "2001:db8::1"), ttl=60),
    "turning.example": Zone(tuple(f"192.0.2.{n}" for n in range(16, 80)), k=2, ttl=1, chain=(("edge.example", 300),)),
    "broken.example": Zone(fault="servfail"),
    "markup.example": Zone(("192.0.2.2",), fault="markup"),
}


@pytest.fixture
def server() -> Iterator[ZoneServer]:
    with ZoneServer(ZONES) as made:
        yield made


def listed(folder: Path, *names: str) -> Path:
    path = folder / "hosts.txt"
    path.write_text("# ours\n" + "".join(f"{name}  # why\n" for name in names))
    return path


def survey_file(
    path: Path, *, host: str = "steady.example", answers: int = 5000, vantage: str = "v", pool: int = 1
) -> Path:
    """A file of many answers, one a minute, that hold one address each."""
    began = 1_790_000_000.0
    header = Header(
        vantage=vantage,
        started=began,
        tool="hostgate",
        resolvers=("192.0.2.53:53",),
        types=("A",),
        hosts=(host,),
        edns=1232,
    )
    lines = [as_line(header)] + [
        as_line(
            Sample(
                host=host, at=began + 61 * n, resolver="192.0.2.53:53", type="A", outcome="answer",
                addresses=(f"192.0.2.{n * 7 % pool}",), ttl=60,
            )
        )
        for n in range(answers)
    ]  # fmt: skip
    path.write_text("\n".join(lines) + "\n")
    return path


class TestOnce:
    def test_it_asks_every_name_and_type_and_says_what_it_saw(
        self, run: Run, server: ZoneServer, tmp_path: Path
    ) -> None:
        hosts = listed(tmp_path, "steady.example", "turning.example")
        made = run("survey", "--hosts", hosts, "--resolver", server, "--rounds", 1, "--json")
        assert made.code == 0
        assert made.err == ""
        steady, turning = made.json["hosts"]
        assert (steady["host"], steady["ttl"]["zone"], steady["families"]["A"]["seen"]) == ("steady.example", 60, 1)
        assert [link["target"] for link in turning["chain"]] == ["edge.example", None]
        assert {each["target"] for each in steady["verdicts"]} >= {"aws:rules", "gcp:fqdn"}
        asked = {name for name, _ in server.asked if name.endswith(".example")}
        assert asked == {"steady.example", "turning.example"}

    def test_people_get_the_verdicts_first(self, run: Run, server: ZoneServer, tmp_path: Path) -> None:
        made = run("survey", "--hosts", listed(tmp_path, "steady.example"), "--resolver", server, "--rounds", 1)
        assert made.code == 0
        # Titles and cells stand beside one another or below, by the width of the terminal.
        words = made.out.split()
        head, host = words.index("host"), words.index("steady.example")
        assert words[head + 1] == "aws:rules"
        assert (host > head, words[host + 1]) == (True, "ok")

    def test_control_characters_and_markup_of_strangers_stay_harmless(
        self, run: Run, server: ZoneServer, tmp_path: Path
    ) -> None:
        made = run("survey", "--hosts", listed(tmp_path, "markup.example"), "--resolver", server, "--rounds", 1)
        assert made.code == 0
        assert "\x1b" not in made.out
        assert r"\027[31m<script>alert\(1\)</script>.example" in made.out

    def test_nothing_is_written_beside_the_file_that_is_asked_for(
        self, run: Run, server: ZoneServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hosts = listed(tmp_path, "steady.example")
        (tmp_path / "here").mkdir()
        monkeypatch.chdir(tmp_path / "here")
        assert run("survey", "--hosts", hosts, "--resolver", server, "--rounds", 1).code == 0
        assert list((tmp_path / "here").iterdir()) == []

    def test_two_resolvers_are_asked_side_by_side(self, run: Run, server: ZoneServer, tmp_path: Path) -> None:
        hosts = listed(tmp_path, "steady.example")
        with ZoneServer(ZONES) as other:
            made = run("survey", "--resolver", server, other, "--hosts", hosts, "--rounds", 1, "--types", "a", "--json")
        assert made.code == 0
        assert made.json["resolvers"] == [str(server), str(other)]
        assert made.json["hosts"][0]["lookups"] == {"A": {"answer": 2}}


class TestFiles:
    def test_a_survey_is_kept_continued_and_analysed_again(self, run: Run, server: ZoneServer, tmp_path: Path) -> None:
        out = tmp_path / "s.jsonl"
        hosts = listed(tmp_path, "steady.example")
        for _ in range(2):
            assert run("survey", "--hosts", hosts, "--resolver", server, "--rounds", 1, "--out", out).code == 0
        found = read_survey([out])
        assert (len(found.runs), len(found.samples)) == (2, 6)
        server.asked.clear()
        again = run("survey", "--from", out, "--json")
        assert again.json["hosts"][0]["lookups"]["A"] == {"answer": 2}
        assert not server.asked

    def test_several_vantage_points_are_merged(self, run: Run, tmp_path: Path) -> None:
        files = [survey_file(tmp_path / name, vantage=name, answers=20) for name in ("frankfurt", "dublin")]
        made = run("survey", "--from", *files, "--json")
        assert made.json["vantages"] == ["frankfurt", "dublin"]
        assert made.json["hosts"][0]["lookups"]["A"] == {"answer": 40}

    def test_a_torn_line_is_told_and_dropped(self, run: Run, server: ZoneServer, tmp_path: Path) -> None:
        out = survey_file(tmp_path / "s.jsonl", answers=20)
        with out.open("a") as file:
            file.write('{"host"')
        hosts = listed(tmp_path, "steady.example")
        made = run("survey", "--hosts", hosts, "--resolver", server, "--rounds", 1, "--out", out)
        assert made.code == 0
        assert f"{out}:22: the last line is cut off" in made.err
        assert len(read_survey([out]).samples) == 23


class TestExitCodes:
    @pytest.mark.parametrize(
        ("pool", "answers", "target", "code"),
        [
            (1, 5000, "aws:rules", 0),
            (1, 30_000, "gcp:fqdn", 0),
            (16, 5000, "gcp:fqdn", 4),
            (1, 5, "gcp:fqdn", 5),
            (16, 5000, "aws:rules", 0),
            (16, 5000, None, 0),
        ],
    )
    def test_the_verdict_for_the_named_target_decides(
        self, run: Run, tmp_path: Path, pool: int, answers: int, target: str | None, code: int
    ) -> None:
        path = survey_file(tmp_path / "s.jsonl", pool=pool, answers=answers)
        assert run("survey", "--from", path, *(("--target", target) if target else ())).code == code

    def test_the_worst_target_wins(self, run: Run, tmp_path: Path) -> None:
        path = survey_file(tmp_path / "s.jsonl", pool=16)
        assert run("survey", "--from", path, "--target", "aws:rules", "gcp:fqdn").code == 4

    def test_unfit_comes_before_too_little_data_and_that_before_risky(self) -> None:
        assert _BY_VERDICT == (("unfit", 4), ("unknown", 5), ("risky", 3))

    def test_a_host_that_cannot_be_measured_comes_before_all(
        self, run: Run, server: ZoneServer, tmp_path: Path
    ) -> None:
        hosts = listed(tmp_path, "steady.example", "broken.example")
        made = run("survey", "--hosts", hosts, "--resolver", server, "--rounds", 1, "--json")
        assert made.code == 6
        assert made.json["hosts"][0]["lookups"]["A"] == {"servfail": 1}

    def test_a_closed_port_is_said_at_once(self, run: Run, tmp_path: Path) -> None:
        with ZoneServer({}) as gone:
            pass
        start = time.monotonic()
        made = run("survey", "--hosts", listed(tmp_path, "a.example"), "--resolver", gone, "--out", tmp_path / "s")
        assert (made.code, time.monotonic() - start < 5) == (6, True)
        assert f"The resolver {gone} is left out: nobody listens there (the port is closed)." in made.err
        assert "Name another with --resolver IP." in made.err
        assert not (tmp_path / "s").exists()

    def test_a_captive_resolver_is_not_believed(self, run: Run, tmp_path: Path) -> None:
        with ZoneServer(ZONES, captive="192.0.2.66") as captive:
            made = run("survey", "--hosts", listed(tmp_path, "a.example"), "--resolver", captive, "--json")
        assert made.code == 6
        assert made.rules == ["resolver-captive", "no-resolver"]

    def test_a_disk_that_takes_no_more_ends_it_with_a_word(self, tmp_path: Path) -> None:
        zones = {f"h{n}.example": Zone(("192.0.2.1",)) for n in range(600)}
        out = tmp_path / "s.jsonl"
        with ZoneServer(zones) as server:
            command = [HOSTGATE, "survey", "--hosts", str(listed(tmp_path, *zones)), "--resolver", str(server)]
            done = subprocess.run(
                [*command, "--rounds", "1", "--rate", "100000", "--out", str(out)],
                capture_output=True, text=True, check=False, timeout=60,
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
            )  # fmt: skip
        assert (done.returncode, done.stdout, done.stderr) == (1, "", f"Cannot go on: File too large ({out}).\n")

    def test_a_resolver_of_a_closed_network_is_asked_for_what_it_may_know(
        self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hasty = Patience(udp=(0.5, 1.0), tcp=1.0)  # the names that nobody answers for cost all of it, twice
        monkeypatch.setattr(ask, "Asker", partial(ask.Asker, patience=hasty))
        with ZoneServer(ZONES, knows_only_its_own=True) as closed:
            made = run("survey", "--hosts", listed(tmp_path, "steady.example"), "--resolver", closed, "--rounds", 1)
        assert made.code == 0

    def test_one_good_resolver_is_enough_and_the_other_is_named(
        self, run: Run, server: ZoneServer, tmp_path: Path
    ) -> None:
        with ZoneServer({}) as gone:
            pass
        hosts = listed(tmp_path, "steady.example")
        made = run("survey", "--hosts", hosts, "--resolver", gone, "--resolver", server, "--rounds", 1)
        assert made.code == 0
        assert f"The resolver {gone} is left out" in made.err


class TestHosts:
    def test_a_catalogs_names_are_asked_and_its_wildcards_are_named(
        self, run: Run, server: ZoneServer, tmp_path: Path
    ) -> None:
        catalog = tmp_path / "ours.yaml"
        catalog.write_text(
            "catalog: acme/ours\nentries:\n"
            "  - {id: one, host: steady.example, port: 443, protocol: https}\n"
            "  - {id: two, host: turning.example, match: subtree+apex, port: 443, protocol: https}\n"
            "  - {id: three, host: wild.example, match: subtree, port: 443, protocol: https}\n"
            "  - {id: four, host: in.example, port: 443, protocol: https, direction: ingress}\n"
        )
        made = run("survey", catalog, "--resolver", server, "--rounds", 1, "--json")
        assert [each["host"] for each in made.json["hosts"]] == ["steady.example", "turning.example"]
        left = {each["entry"]: each["reason"] for each in made.json["not_surveyed"]}
        assert set(left) == {
            "subtree+apex of turning.example (two)",
            "subtree of wild.example (three)",
            "in.example (four)",
        }
        assert "give the names that your clients use with --hosts" in left["subtree of wild.example (three)"]
        assert "Not surveyed: subtree of wild.example (three)" in made.err
        families = {
            each["family"] for each in made.json["hosts"][0]["verdicts"] if each["target"] == "azure:application-rules"
        }
        assert families == {"wire"}

    def test_nothing_but_wildcards_is_an_error(self, run: Run, server: ZoneServer, tmp_path: Path) -> None:
        catalog = tmp_path / "ours.yaml"
        catalog.write_text(
            "catalog: acme/ours\nentries:\n  - {id: a, host: x.example, match: subtree, port: 443, protocol: https}\n"
        )
        made = run("survey", catalog, "--resolver", server)
        assert (made.code, "nothing-to-survey" in made.err) == (1, True)
        assert not server.asked

    def test_a_stack_is_surveyed_before_its_survey_exists(self, run: Run, server: ZoneServer, project: Project) -> None:
        folder = project(
            dev="""\
            config:
              hostgate:catalogs: [./ours.yaml]
              hostgate:survey: {file: survey.jsonl, worst: ok}
              hostgate:aws: {mechanism: rules, from: [10.0.0.0/8]}
            """
        )
        (folder / "ours.yaml").write_text(
            "catalog: acme/ours\nentries:\n  - {id: one, host: steady.example, port: 443, protocol: https}\n"
        )
        made = run("survey", "--resolver", server, "--rounds", 1, "--out", "survey.jsonl")
        assert (made.code, made.err) == (0, "")
        assert read_survey([folder / "survey.jsonl"]).runs[0].hosts == ("steady.example",)


class TestWrongUse:
    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--rounds", "3", "--duration", "3m"], "leave one out"),
            (["--rounds", "0"], "not in the range"),
            (["--duration", "3"], "no time. Allowed: a number with s, m, h or d"),
            (["--duration", "0s"], "no time"),
            (["--duration", "-3m"], "no time"),
            (["--types", "MX"], "'MX' is not surveyed. Allowed: A,AAAA,HTTPS"),
            (["--types", ""], "is not surveyed"),
            (["--resolver", "dns.google"], "no resolver. Allowed: IP, IP:PORT or [IPv6]:PORT"),
            (["--resolver", *(f"192.0.2.{n}" for n in range(17))], "at most 16 resolvers"),
            (["--target", "aws:magic"], "no target. Allowed: aws:rules"),
            (["--rate", "0"], "not in the range"),
            (["--vantage", "\x1b[31m"], "up to 100 visible characters"),
            (["--from", "x", "--rounds", "2"], "--from asks nothing"),
            (["--from", "x", "--types", "A"], "--from asks nothing"),
            (["chainguard/images@latest", "--from", "x"], "--from asks nothing"),
            (["--stack", "dev", "--hosts", "x"], "--stack brings its own hosts"),
        ],
        ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
    )
    def test_it_is_refused_with_what_is_allowed(self, run: Run, arguments: list[str], said: str) -> None:
        made = run("survey", *arguments)
        assert made.code == 2
        assert said in re.sub(r"\s+", " ", made.err)

    @pytest.mark.parametrize(
        ("content", "rules"),
        [
            (b"", ["hosts-empty"]),
            (b"# only words\n", ["hosts-empty"]),
            (b"https://a.example\n*.b.example\nc\n", ["host-scheme", "host-star", "host-single-label"]),
            (b"a.ex\xffmple\n", ["hosts-unreadable"]),
            (b"\x7fELF\x00\x01\n", ["host-control-character"]),
        ],
    )  # fmt: skip
    def test_a_list_that_is_no_list_is_refused_by_line(
        self, run: Run, tmp_path: Path, content: bytes, rules: list[str]
    ) -> None:
        path = tmp_path / "hosts.txt"
        path.write_bytes(content)
        made = run("survey", "--hosts", path, "--resolver", "127.0.0.1:1", "--json")
        assert (made.code, made.rules) == (1, rules)
        assert all(error["file"] == str(path) and error["message"].isprintable() for error in made.json["errors"])

    def test_files_that_are_not_there_are_refused(self, run: Run, tmp_path: Path) -> None:
        for arguments, rule in (
            (("--hosts", tmp_path / "none"), "hosts-unreadable"),
            (("--from", tmp_path / "none"), "survey-unreadable"),
            (
                ("--hosts", listed(tmp_path, "a.example"), "--resolver", "127.0.0.1:1", "--out", tmp_path),
                "survey-unwritable",
            ),
            (("./none.yaml",), "file-unreadable"),
            (("chainguard/images@1999-01-01",), "unknown-revision"),
        ):
            made = run("survey", *arguments, "--json")
            assert (made.code, made.rules) == (1, [rule])

    def test_a_file_of_something_else_is_not_added_to(self, run: Run, server: ZoneServer, tmp_path: Path) -> None:
        path = tmp_path / "notes.txt"
        path.write_text("buy milk\n")
        made = run("survey", "--hosts", listed(tmp_path, "steady.example"), "--resolver", server, "--out", path)
        assert (made.code, path.read_text(), bool(server.asked)) == (1, "buy milk\n", False)


class TestStopping:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_what_was_measured_is_kept_and_analysed(
        self, server: ZoneServer, tmp_path: Path, number: signal.Signals
    ) -> None:
        out = tmp_path / "s.jsonl"
        hosts = listed(tmp_path, "steady.example")
        command = [
            HOSTGATE,
            "survey",
            "--hosts",
            str(hosts),
            "--resolver",
            str(server),
            "--duration",
            "1h",
            "--out",
            str(out),
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            end = time.monotonic() + 30
            while len(server.asked) < 5 and time.monotonic() < end:
                time.sleep(0.02)
            time.sleep(0.2)
            process.send_signal(number)
            said, complained = process.communicate(timeout=30)
        assert process.returncode == 0
        assert "Stopped after 3 lookups; what was measured is kept." in complained
        assert "steady.example" in said
        assert len(read_survey([out]).samples) == 3

    def test_nothing_measured_is_nothing_to_judge(self, tmp_path: Path) -> None:
        with ZoneServer({}, delay=60, tcp=False) as silent:
            hosts = listed(tmp_path, "a.example")
            command = [HOSTGATE, "survey", "--hosts", str(hosts), "--resolver", str(silent)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
                end = time.monotonic() + 30
                while not silent.in_flight and time.monotonic() < end:
                    time.sleep(0.02)
                process.send_signal(signal.SIGINT)
                said, complained = process.communicate(timeout=30)
        assert (process.returncode, said, complained) == (130, "", "stopped\n")

    def test_a_terminal_shows_how_far_it_is(self, server: ZoneServer, tmp_path: Path) -> None:
        hosts = listed(tmp_path, "steady.example")
        ours, theirs = pty.openpty()
        command = [HOSTGATE, "survey", "--hosts", str(hosts), "--resolver", str(server), "--duration", "3s"]
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=theirs, env={**os.environ, "TERM": "xterm", "COLUMNS": "120"}
        ) as process:
            os.close(theirs)
            said = bytearray()

            def read() -> None:
                try:
                    while part := os.read(ours, 4096):
                        said.extend(part)
                except OSError:  # the other end is closed
                    pass

            reader = threading.Thread(target=read)
            reader.start()
            process.wait(30)
            reader.join(10)
        os.close(ours)
        assert process.returncode == 0
        plain = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", bytes(said)).decode()
        assert "1 of 1 names" in plain
        assert "3 lookups" in plain
        assert "0 errors" in plain
        assert re.search(r"0:0\d left", plain)


def test_a_damaged_file_stops_an_analysis(tmp_path: Path, run: Run) -> None:
    path = survey_file(tmp_path / "s.jsonl", answers=10)
    lines = path.read_text().splitlines()
    lines[4] = lines[4].replace("answer", "guess", 1)
    path.write_text("\n".join(lines) + "\n")
    made = run("survey", "--from", path, "--json")
    assert (made.code, made.rules, made.json["errors"][0]["line"]) == (1, ["survey-value"], 5)
