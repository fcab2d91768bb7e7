"""Survey files: what is written is read back, what is damaged is refused by line, and a killed run loses one line."""

import json
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostgate.catalog.problems import InputError
from hostgate.dns.samples import NOTES, OUTCOMES, RECORD_TYPES, HttpsRecord, Link, Probe, Run, Sample, address_text
from hostgate.dns.survey_files import as_line, read_survey
from hostgate.dns.survey_log import SurveyLog

RUN = Run(
    vantage="frankfurt", started=1_790_000_000.25, tool="hostgate", resolvers=("192.0.2.53:53",), types=("A",),
    hosts=("a.example",), edns=1232, plan={"rounds": 3, "rate": 500.0},
    probes=(Probe(resolver="192.0.2.53:53", state="ok", rtt=0.01),), not_surveyed=(("subtree of b.example", "no name"),),
)  # fmt: skip
SAMPLE = Sample(
    host="a.example", at=1_790_000_001.5, resolver="192.0.2.53:53", type="A", outcome="answer", vantage="frankfurt",
    chain=(Link("a.example", "edge.example", 300),), addresses=("192.0.2.1", "192.0.2.2"), ttl=0,
)  # fmt: skip


def written(path: Path, *records: Run | Sample) -> Path:
    path.write_text("".join(as_line(each) + "\n" for each in records))
    return path


texts = st.text('aZ0.-_ \\<["é日', max_size=20)
wholes = st.integers(0, 2**32 - 1)
addresses = st.lists(st.ip_addresses().map(address_text), max_size=4).map(tuple)
samples = st.builds(
    Sample,
    host=texts,
    at=st.floats(0, 1e10).map(lambda at: round(at, 3)),
    resolver=texts,
    type=st.sampled_from(RECORD_TYPES),
    outcome=st.sampled_from(OUTCOMES),
    vantage=st.just("frankfurt"),
    detail=texts,
    chain=st.lists(st.builds(Link, texts, texts, wholes), max_size=3).map(tuple),
    addresses=addresses,
    ttl=st.none() | wholes,
    negative_ttl=st.none() | wholes,
    https=st.lists(
        st.builds(
            HttpsRecord, priority=wholes, target=texts, alpn=st.lists(texts, max_size=2).map(tuple), ipv4hint=addresses,
            ipv6hint=addresses, ech=st.booleans(), port=st.none() | wholes,
        ), max_size=2,
    ).map(tuple),
    truncated=st.booleans(),
    tcp=st.booleans(),
    ede=st.lists(wholes, max_size=2).map(tuple),
    notes=st.lists(st.sampled_from(NOTES), max_size=3).map(tuple),
)  # fmt: skip


@given(made=st.lists(samples, max_size=5))
def test_what_is_written_is_read_back(made: list[Sample], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = written(tmp_path_factory.mktemp("survey") / "s.jsonl", RUN, *made)
    found = read_survey([path])
    assert found.runs == (RUN,)
    assert found.samples == tuple(made)
    assert path.read_text().isascii()


def test_several_vantage_points_are_read_as_one_survey(tmp_path: Path) -> None:
    other = Run(vantage="dublin", started=5, tool="hostgate", resolvers=(), types=("A",), hosts=(), edns=1232)
    files = [written(tmp_path / "a", RUN, SAMPLE), written(tmp_path / "b", other, SAMPLE)]
    assert [each.vantage for each in read_survey(files).samples] == ["frankfurt", "dublin"]
    joined = tmp_path / "joined"
    joined.write_bytes(b"".join(each.read_bytes() for each in files))
    assert read_survey([joined]) == read_survey(files)


def test_the_same_run_is_not_counted_twice(tmp_path: Path) -> None:
    path = written(tmp_path / "a", RUN, SAMPLE)
    with pytest.raises(InputError, match=r"a:1\n.*stands at .*a:1 as well.*survey-run-twice"):
        read_survey([path, path])


def test_the_last_line_of_a_killed_run_is_dropped_and_named(tmp_path: Path) -> None:
    path = written(tmp_path / "a", RUN, SAMPLE, SAMPLE)
    whole = path.read_bytes()
    for cut in range(1, len(as_line(SAMPLE))):
        path.write_bytes(whole[:-cut])
        found = read_survey([path])
        assert (len(found.samples), str(found.torn[0])) == (
            1,
            f"{path}:3: the last line is cut off (the run was killed); it is dropped.",
        )


def changed(record: Run | Sample, **keys: Any) -> str:
    return json.dumps(
        {key: value for key, value in {**json.loads(as_line(record)), **keys}.items() if value is not ...}
    )


@pytest.mark.parametrize(
    ("lines", "line", "rule"),
    [
        ([], 1, "survey-empty"),
        (["{"], 1, "survey-line"),
        (["[1]"], 1, "survey-line"),
        (["\x00\x01"], 1, "survey-line"),
        (["[" * 100_000], 1, "survey-line"),
        (["NaN"], 1, "survey-line"),
        ([as_line(SAMPLE)], 1, "survey-no-header"),
        ([changed(RUN, survey=2)], 1, "survey-version"),
        ([changed(RUN, survey=True)], 1, "survey-version"),
        ([changed(RUN, vantage=3)], 1, "survey-value"),
        ([changed(RUN, resolvers="x")], 1, "survey-value"),
        ([changed(RUN, types=["MX"])], 1, "survey-value"),
        ([changed(RUN, plan={"a": []})], 1, "survey-value"),
        ([changed(RUN, probes=[{"resolver": "x", "state": "fine"}])], 1, "survey-value"),
        ([changed(RUN, not_surveyed=["x"])], 1, "survey-value"),
        ([changed(RUN, colour="red")], 1, "survey-key"),
        ([as_line(RUN), ""], 2, "survey-line"),
        ([as_line(RUN), as_line(SAMPLE)[:40]], 2, "survey-line"),
        ([as_line(RUN), changed(SAMPLE, host=...)], 2, "survey-value"),
        ([as_line(RUN), changed(SAMPLE, at="now")], 2, "survey-value"),
        ([as_line(RUN), changed(SAMPLE, at=-1)], 2, "survey-value"),
        ([as_line(RUN), changed(SAMPLE, type="MX")], 2, "survey-value"),
        ([as_line(RUN), changed(SAMPLE, outcome="fine")], 2, "survey-value"),
        ([as_line(RUN), changed(SAMPLE, outcome=["answer"])], 2, "survey-value"),
        ([as_line(RUN), changed(SAMPLE, addresses=["192.0.2.1/24"])], 2, "survey-value"),
        ([as_line(RUN), changed(SAMPLE, addresses=["192.0.2.01"])], 2, "survey-value"),
        ([as_line(RUN), changed(SAMPLE, addresses=["2001:DB8::1"])], 2, "survey-value"),
        ([as_line(RUN), changed(SAMPLE, ttl=-1)], 2, "survey-value"),
        ([as_line(RUN), changed(SAMPLE, ttl=True)], 2, "survey-value"),
        ([as_line(RUN), changed(SAMPLE, ttl=2**32)], 2, "survey-value"),
        ([as_line(RUN), changed(SAMPLE, chain=[["a", "b"]])], 2, "survey-value"),
        ([as_line(RUN), changed(SAMPLE, notes=["odd"])], 2, "survey-value"),
        ([as_line(RUN), changed(SAMPLE, tcp="yes")], 2, "survey-value"),
        ([as_line(RUN), changed(SAMPLE, host="\x1b[31m")], 2, "survey-value"),
        ([as_line(RUN), changed(SAMPLE, chain=[["a", "\x1b[31m", 1]])], 2, "survey-value"),
        ([changed(RUN, vantage="\x1b[31m")], 1, "survey-value"),
        ([as_line(RUN), changed(SAMPLE, vantage="x")], 2, "survey-key"),
        ([as_line(RUN), changed(SAMPLE, https=[{"priority": 1}])], 2, "survey-value"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_refused_by_line(tmp_path: Path, lines: list[str], line: int, rule: str) -> None:
    path = tmp_path / "s.jsonl"
    path.write_text("".join(each + "\n" for each in lines))
    with pytest.raises(InputError) as raised:
        read_survey([path])
    problem = raised.value.problems[0]
    assert (problem.rule, problem.file) == (rule, str(path))
    assert problem.line == (line if lines else None)
    assert rule == "survey-empty" or "llowed" in problem.message
    assert problem.message.isprintable()


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="survey-unreadable"):
        read_survey([tmp_path / "none"])
    with pytest.raises(InputError, match="survey-unreadable"):
        read_survey([tmp_path])


class TestLog:
    def test_it_is_continued_if_it_exists(self, tmp_path: Path) -> None:
        path = tmp_path / "s.jsonl"
        for started in (1.0, 2.0):
            with SurveyLog(path) as log:
                log.write(Run(vantage="v", started=started, tool="t", resolvers=(), types=("A",), hosts=(), edns=1232))
                log.write(SAMPLE)
        found = read_survey([path])
        assert [run.started for run in found.runs] == [1.0, 2.0]
        assert len(found.samples) == 2

    @pytest.mark.parametrize("tail", [b'{"host', b"x" * 200_000])
    def test_a_line_that_a_killed_run_left_is_cut_off(self, tmp_path: Path, tail: bytes) -> None:
        path = written(tmp_path / "s.jsonl", RUN, SAMPLE)
        whole = path.read_bytes()
        path.write_bytes(whole + tail)
        with SurveyLog(path) as log:
            assert [str(each).split(": ")[0] for each in log.torn] == [f"{path}:3"]
            log.write(SAMPLE)
        assert path.read_bytes() == whole + as_line(SAMPLE).encode() + b"\n"

    def test_nothing_is_added_to_a_file_that_cannot_be_read_back(self, tmp_path: Path) -> None:
        path = tmp_path / "notes.txt"
        path.write_text("buy milk\n")
        with pytest.raises(InputError, match="survey-line"):
            SurveyLog(path)
        assert path.read_text() == "buy milk\n"

    def test_two_runs_do_not_write_one_file(self, tmp_path: Path) -> None:
        with SurveyLog(tmp_path / "s.jsonl"), pytest.raises(InputError, match="survey-in-use"):
            SurveyLog(tmp_path / "s.jsonl")

    def test_a_place_that_cannot_be_written_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="survey-unwritable"):
            SurveyLog(tmp_path / "none" / "s.jsonl")
        with pytest.raises(InputError, match="survey-unwritable"):
            SurveyLog(tmp_path)
        with pytest.raises(InputError, match="no regular file"):
            SurveyLog(Path("/dev/null"))

    def test_what_was_measured_is_on_disk_a_second_later_in_whole_lines(self, tmp_path: Path) -> None:
        path, now = tmp_path / "s.jsonl", [0.0]
        log = SurveyLog(path, clock=lambda: now[0])
        log.write(RUN)
        for tick in range(50):
            now[0] = tick / 10
            log.write(SAMPLE)
            assert path.read_bytes()[-1:] in (b"", b"\n")
        assert len(read_survey([path]).samples) >= 40
        log.__exit__(None, None, None)
        assert len(read_survey([path]).samples) == 50

    def test_a_full_disk_leaves_whole_lines(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        import os

        path = tmp_path / "s.jsonl"
        log = SurveyLog(path)
        log.write(RUN)
        log.flush()
        log.write(SAMPLE)
        write, calls = os.write, []

        def full(file: int, data: bytes) -> int:
            calls.append(data)
            if len(calls) > 1:
                raise OSError(28, "No space left on device")
            return write(file, data[:10])

        monkeypatch.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space left") as raised:
            log.flush()
        assert raised.value.filename == str(path)
        assert path.read_text() == as_line(RUN) + "\n"
        log.__exit__(None, None, None)


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("::ffff:192.0.2.7", "::ffff:c000:207"),
        ("::ffff:0.0.0.1", "::ffff:0:1"),
        ("::c000:207", "::c000:207"),
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::1"),
    ],
)
def test_an_address_has_one_text_on_every_python(address: str, text: str) -> None:
    assert address_text(ip_address(address)) == text
