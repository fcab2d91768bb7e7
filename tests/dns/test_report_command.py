"""`hostgate survey --report` as a person runs it: which files are made, and what is said before anything is asked."""

import importlib.util
import json
import os
from pathlib import Path

import pytest
from report_samples import samples
from zone_server import Zone, ZoneServer

from cli.conftest import Project, Run, project, run
from hostgate.dns.survey_files import as_line
from hostgate.requirement import install_command

__all__ = ["Project", "project", "run"]


@pytest.fixture(scope="module")
def survey(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("survey") / "survey.jsonl"
    path.write_text("".join(as_line(each) + "\n" for each in samples(1)), "utf-8")
    return path


def test_both_forms_are_made_in_one_go_and_named(run: Run, survey: Path, tmp_path: Path) -> None:
    text, html = tmp_path / "report.md", tmp_path / "report.HTML"
    made = run("survey", "--from", survey, "--report", text, html)
    assert made.code == 0
    assert made.err == f"Wrote {text}.\nWrote {html}.\n"
    assert text.read_text("utf-8").startswith("# DNS survey\n\n8 hosts, ")
    assert html.read_text("utf-8").startswith("<!DOCTYPE html>\n")


def test_json_stays_json(run: Run, survey: Path, tmp_path: Path) -> None:
    plain = run("survey", "--from", survey, "--json")
    made = run("survey", "--from", survey, "--json", "--report", tmp_path / "report.md")
    assert json.loads(made.out) == plain.json


def test_a_running_survey_makes_one_and_keeps_nothing_else(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts = tmp_path / "hosts.txt"
    hosts.write_text("steady.example\nmarkup.example\n")
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    zones = {"steady.example": Zone(("192.0.2.1",)), "markup.example": Zone(("192.0.2.2",), fault="markup")}
    with ZoneServer(zones) as server:
        made = run("survey", "--hosts", hosts, "--resolver", server, "--rounds", 1, "--report", "r.md", "r.html")
    assert made.code == 0
    assert sorted(path.name for path in folder.iterdir()) == ["r.html", "r.md"]
    html = (folder / "r.html").read_text("utf-8")
    assert r"\027[31m&lt;script&gt;alert\(1\)&lt;/script&gt;.example" in html
    assert "<script" not in html


def test_as_many_hosts_are_detailed_as_asked_for(run: Run, survey: Path, tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    run("survey", "--from", survey, "--report", path, "--report-hosts", 2)
    text = path.read_text("utf-8")
    assert text.count("\n## `") == 2
    assert "Details and pictures are of the worst 2 of 8 hosts; --report-hosts N shows more." in text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("report.pdf", "found the ending '.pdf'. Allowed: .md (Markdown) or .html (one HTML page)."),
        ("report", "found the ending ''. Allowed: .md (Markdown) or .html (one HTML page)."),
        ("missing/report.md", "Make it, or name another."),
        ("folder.md", "it is a folder. Allowed: a file."),
    ],
)
def test_a_file_that_cannot_be_made_is_refused_before_anything_is_asked(
    run: Run, tmp_path: Path, name: str, said: str
) -> None:
    (tmp_path / "folder.md").mkdir()
    hosts = tmp_path / "hosts.txt"
    hosts.write_text("steady.example\n")
    with ZoneServer({"steady.example": Zone(("192.0.2.1",))}) as server:
        made = run("survey", "--hosts", hosts, "--resolver", server, "--report", tmp_path / name)
    assert made.code == 2
    assert said in made.err
    assert not server.asked


def test_a_page_without_what_draws_it_says_how_to_get_it(
    run: Run, survey: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "hostgate.cli.survey_report.find_spec", lambda name: None if name == "matplotlib" else found(name)
    )
    made = run("survey", "--from", survey, "--report", tmp_path / "r.html")
    assert made.code == 2
    assert f"a page needs matplotlib, not installed here: {install_command('report')}; or name a .md file." in made.err
    assert run("survey", "--from", survey, "--report", tmp_path / "r.md").code == 0


def test_details_of_no_report_are_wrong_usage(run: Run, survey: Path) -> None:
    made = run("survey", "--from", survey, "--report-hosts", 5)
    assert made.code == 2
    assert "--report-hosts says how much a report shows; name its file with --report." in made.err


@pytest.mark.parametrize("option", ["--out", "--from"])
def test_a_survey_is_not_written_over(run: Run, survey: Path, tmp_path: Path, option: str) -> None:
    path = tmp_path / "survey.md"
    path.write_text(survey.read_text("utf-8"), "utf-8")
    made = run("survey", option, path, "--report", tmp_path / "x" / ".." / "survey.md")
    assert made.code == 2
    assert path.read_text("utf-8") == survey.read_text("utf-8")


def test_a_full_disk_is_an_error_and_the_old_report_stays(
    run: Run, survey: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "report.md"
    path.write_text("old")
    monkeypatch.setattr("hostgate.catalog.file_output.os.fsync", full)
    made = run("survey", "--from", survey, "--report", path)
    assert made.code == 1
    assert f"{path}\n  Cannot write it: No space left on device. Nothing was changed." in made.err
    assert "[report-unwritable]" in made.err
    assert path.read_text() == "old"


@pytest.mark.parametrize("target", ["/dev/full", "/dev/null", "pipe", "loop.md"])
def test_what_is_no_file_is_refused_before_anything_is_asked(
    run: Run, survey: Path, tmp_path: Path, target: str
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop.md").symlink_to("report.md")
    (tmp_path / "report.md").symlink_to(tmp_path / target)
    made = run("survey", "--from", survey, "--report", tmp_path / "report.md")
    assert made.code == 2
    assert "it cannot be written: " in made.err
