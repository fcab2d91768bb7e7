"""Files that are no files, bytes that are no text, and disks that are full: said clearly, and the old file stays."""

import json
import os
import resource
import signal
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from hostgate.catalog import file_output
from hostgate.catalog.file_input import MOST_SKIPPED, LongLine, Size, lines_of, read_file_bytes, user_path
from hostgate.catalog.file_output import replace_file, replace_files
from hostgate.catalog.problems import InputError
from hostgate.catalog.strict_json import NotJSON, read_json_text

from .conftest import Project, Result, Run, tree

OURS = """\
catalog: acme/ours
entries:
  - {id: one, host: one.acme.example, port: 443, protocol: https, phase: build}
"""
STACK = "config:\n  hostgate:catalogs: [./ours.yaml]\n  hostgate:aws: {from: [10.0.0.0/8]}\n"
LIMIT = 30.0


@pytest.fixture
def folder(project: Project) -> Path:
    """A project with one stack and one catalog, and beside them what is no file."""
    folder = project(dev=STACK)
    (folder / "ours.yaml").write_text(OURS)
    os.mkfifo(folder / "pipe")
    (folder / "circle").symlink_to("circle")
    (folder / "to-pipe").symlink_to("pipe")
    (folder / "a-folder").mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "socket"))
    return folder


@pytest.fixture
def in_time(run: Run) -> Run:
    """Run `hostgate`; a command that waits for a pipe is ended and fails the test."""

    def hostgate(*arguments: object) -> Result:
        def late(*_: object) -> None:
            raise AssertionError(f"waits: {arguments}")

        signal.signal(signal.SIGALRM, late)
        signal.setitimer(signal.ITIMER_REAL, LIMIT)
        try:
            return run(*arguments)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    return hostgate


NO_FILES = ("pipe", "to-pipe", "socket", "a-folder", "circle", "/dev/zero", "/dev/null", "nowhere", "~nobody-here/x")

READERS: dict[str, tuple[str, ...]] = {
    "catalog lint": ("catalog", "lint", "{}.yaml"),
    "catalog show": ("catalog", "show", "{}.yaml"),
    "catalog diff": ("catalog", "diff", "{}.yaml", "ours.yaml"),
    "catalog check": ("catalog", "check", "{}"),
    "catalog import": ("catalog", "import", "{}"),
    "plan": ("plan", "--catalog", "{}.yaml"),
    "plan --survey": ("plan", "--catalog", "ours.yaml", "--survey", "{}"),
    "explain --log": ("explain", "--log", "{}", "--stack", "dev"),
    "diff": ("diff", "{}.json", "dev"),
    "diff, deployed": ("diff", "dev", "deployed:{}"),
    "survey --from": ("survey", "--from", "{}"),
    "survey --hosts": ("survey", "--hosts", "{}"),
}


@pytest.mark.parametrize("what", NO_FILES)
@pytest.mark.parametrize("command", READERS)
def test_what_is_no_regular_file_is_refused_by_every_command_that_reads(
    folder: Path, in_time: Run, command: str, what: str
) -> None:
    words = READERS[command]
    for ending in (".yaml", ".json"):  # the endings by which files are told from names
        (folder / f"{Path(what).name}{ending}").symlink_to(what)

    made = in_time(
        *(word.format(what if word == "{}" or word == "deployed:{}" else f"./{Path(what).name}") for word in words)
    )

    assert made.code == 1
    assert "Found " in made.err or "There is no such file" in made.err or "Cannot read it" in made.err


@pytest.mark.parametrize("what", ["pipe", "socket", "a-folder", "circle", "/dev/zero"])
@pytest.mark.parametrize("name", ["Pulumi.dev.yaml", "ours.yaml", "reviewed.json"])
def test_what_a_stack_names_is_held_to_the_same(folder: Path, in_time: Run, name: str, what: str) -> None:
    pinned = f"  hostgate:reviewed: {{plan: reviewed.json, digests: {{'aws:rules': {'0' * 64}}}}}\n"
    (folder / "Pulumi.dev.yaml").write_text(STACK + pinned)
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(what)

    made = in_time("plan", "--stack", "dev", "--json")

    assert made.code == 1
    assert made.rules


@pytest.mark.parametrize("what", ["pipe", "socket", "a-folder", "circle", "/dev/null", "garbage"])
@pytest.mark.parametrize("command", [("show",), ("show", "--journal"), ("slow", "x", "1"), ("remove", "x")], ids=str)
def test_a_sandbox_that_is_none_is_an_error(folder: Path, in_time: Run, command: tuple[str, ...], what: str) -> None:
    (folder / "garbage").write_text("not a database" * 100)
    (folder / "box").mkdir()
    (folder / "box" / "clouds.db").symlink_to(folder / what if "/" not in what else what)

    made = in_time("sandbox", *command, "--state", "box", "--json" if command[0] == "show" else "--state=box")

    assert made.code == 1
    assert "The sandbox cannot be used" in made.out + made.err


def test_an_empty_journal_is_said(run: Run, folder: Path) -> None:
    assert "got no call" in run("sandbox", "show", "--journal", "--state", folder / "box").out
    assert run("sandbox", "show", "--journal", "--json", "--state", folder / "box").json == {"calls": []}


def test_a_reset_deletes_what_the_sandbox_wrote_and_nothing_else(run: Run, folder: Path) -> None:
    run("sandbox", "show", "--state", "box")
    (folder / "box" / "clouds.db.backup").write_text("mine")

    assert run("sandbox", "reset", "--yes", "--state", "box").code == 0
    assert tree(folder / "box") == {"clouds.db.backup": b"mine"}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"{}x", "Extra data"),
        (b'{"targets": NaN}', "NaN is no number of JSON"),
        (b'{"targets": -Infinity}', "-Infinity is no number of JSON"),
        (b'{"targets": 1e999}', "the number 1e999 is too large"),
        (b'{"targets": ' + b"9" * 5000 + b"}", "a number in it has too many digits"),
        (b'{"targets": [], "targets": []}', "the key 'targets' stands twice in one object"),
        (b"[" * 100_000, "it is nested too deep"),
        (b'{"targets": "\xff"}', "byte 0xff at 13 is not valid UTF-8"),
        (b'{"targets": "\x00"}', "Invalid control character"),
        (b'{"targets": ', "Expecting value"),
        (b"", "Expecting value"),
        ('{"targets": []}'.encode("utf-16"), "is not valid UTF-8"),
    ],
    ids=range(12),
)
@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "json"])
def test_a_file_of_plans_that_is_no_json_is_refused_with_the_reason(
    run: Run, folder: Path, data: bytes, said: str, form: tuple[str, ...]
) -> None:
    (folder / "plans.json").write_bytes(data)

    made = run("diff", "plans.json", "dev", *form)

    assert made.code == 1
    assert said in (made.json["errors"][0]["message"] if form else made.err)


def test_a_file_of_plans_may_begin_with_a_mark(run: Run, folder: Path) -> None:
    run("plan", "--stack", "dev", "--lock", "plans.json")
    (folder / "plans.json").write_bytes(b"\xef\xbb\xbf" + (folder / "plans.json").read_bytes())
    assert run("diff", "plans.json", "dev").code == 0


@pytest.mark.parametrize(
    "text", ["null", "0", "-1.5e3", '"a"', '{"a": [1, {"b": null}], "c": {"a": 1}}', '"\\ud83d\\ude00"']
)
def test_json_is_read_as_ever(text: str) -> None:
    assert read_json_text(text) == read_json_text(text.encode()) == json.loads(text)


@pytest.mark.parametrize(
    "text", ["NaN", '{"a": 1, "a": 1}', '[{"a": {"b": 1, "b": 2}}]', "[1e400]", "[-1e400]", "", "'a'"]
)
def test_json_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(NotJSON):
        read_json_text(text)


BROKEN_NAME = os.fsdecode(b"b\xffd")
"""A name that is no UTF-8."""


@pytest.mark.parametrize("arguments", [
    ("plan", "--catalog", f"./{BROKEN_NAME}.yaml"),
    ("plan", "--catalog", f"./no-{BROKEN_NAME}.yaml"),
    ("catalog", "lint", f"./{BROKEN_NAME}.yaml"),
    ("catalog", "show", f"./{BROKEN_NAME}.yaml"),
    ("diff", f"{BROKEN_NAME}.json", "dev"),
    ("explain", "--stack", "dev", "--log", BROKEN_NAME),
    ("survey", "--from", BROKEN_NAME),
    ("plan", "--stack", BROKEN_NAME),
])  # fmt: skip
def test_a_name_that_is_no_text_is_spelled_out(run: Run, folder: Path, arguments: tuple[str, ...]) -> None:
    (folder / f"{BROKEN_NAME}.yaml").write_text(OURS)

    made = run(*arguments, "--json")

    assert made.code in (0, 1)
    assert made.json
    assert made.code == 0 or "b\\udcffd" in made.out.replace("\\\\", "\\")


def test_half_a_pair_in_a_log_is_told_and_the_others_are_answered(run: Run, folder: Path) -> None:
    def query(name: str) -> dict[str, Any]:
        return {"query_name": name, "srcaddr": "10.0.0.1", "firewall_rule_action": "BLOCK"}

    lines = [json.dumps(query(name)).encode() for name in ("a.example", "b\ud800.example", "c\0.example", "d.example")]
    broken = [b'{"query_name": "\xff"}', b"\0" * 40, b'{"query_name": "a", "query_name": "b"}', b'{"query_name": NaN}',
              b'{"events": ' * 450 + b"1" + b"}" * 450, b'{"query_name": "half']  # fmt: skip
    (folder / "log").write_bytes(b"\xef\xbb\xbf" + b"\r\n".join([*lines, *broken]))

    made = run("explain", "--log", "log", "--stack", "dev", "--json")

    assert made.code == 1
    names = [event["name"] for event in made.json["events"]]
    assert names == ["a.example", "b\\ud800.example", "c\0.example", "d.example"]
    assert [error["line"] for error in made.json["errors"]] == [5, 6, 7, 8, 9, 10]
    assert "was the log cut?" in made.json["errors"][-1]["message"]


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"\x1f\x8b\x08", "a gzip file"), ("{}".encode("utf-16"), "UTF-16"), (b"PK\x03\x04", "a zip file")],
    ids=["gzip", "UTF-16", "zip"],
)
def test_a_log_in_another_form_is_named(run: Run, folder: Path, data: bytes, said: str) -> None:
    (folder / "log").write_bytes(data)
    assert f"Found {said}." in run("explain", "--log", "log", "--stack", "dev").err


@pytest.mark.usefixtures("folder")
def test_a_log_of_any_length_is_read_in_bounded_memory() -> None:
    line = json.dumps({"query_name": "a.example", "srcaddr": "10.0.0.1", "firewall_rule_action": "BLOCK"}).encode()
    written = 0

    with _process("explain", "--log", "-", "--stack", "dev", "--json", stdin=subprocess.PIPE, memory=1_500) as running:

        def feed() -> None:
            nonlocal written
            assert running.stdin is not None
            for _ in range(20):
                running.stdin.write((line + b"\n") * 100 + b"x" * 5_000_000 + b"\n" + b"not json\n" * 20)
                written += 100
            running.stdin.close()

        feeding = threading.Thread(target=feed)
        feeding.start()
        out = running.stdout.read() if running.stdout else b""
        feeding.join()
        running.stdin = None
        running.wait(LIMIT)

    made = json.loads(out)
    assert made["events"][0]["times"] == written == 2_000
    assert len(made["errors"]) == 101
    assert made["errors"][-1]["message"] == "320 more lines are none of a log."


def test_an_endless_line_is_given_up() -> None:
    class Zeros:
        def readline(self, limit: int, /) -> bytes:
            return b"\0" * limit

    ((number, line),) = lines_of(Zeros(), 1000)
    assert number == 1
    assert isinstance(line, LongLine)
    assert line.endless
    assert line.length > MOST_SKIPPED


def test_a_file_without_an_honest_size_is_read_to_the_limit_only() -> None:
    with pytest.raises(InputError, match="file-too-large"):
        read_file_bytes(Path("/proc/self/status"), Size(10, "a test"), "status")


@pytest.mark.parametrize("text", ["~/x", "~nobody-here/x", "a\0b", "\ud800", "x" * 5000])
def test_a_name_that_no_file_can_have_is_an_error(text: str) -> None:
    with pytest.raises(InputError, match="file-unreadable"):
        read_file_bytes(user_path(text), Size(10, "a test"), "x")


WRITERS: dict[str, tuple[str, ...]] = {
    "plan --lock": ("plan", "--catalog", "ours.yaml", "--target", "aws:rules", "--lock", "{}"),
    "survey --report": ("survey", "--from", "survey.jsonl", "--report", "{}"),
    "catalog import": (
        "catalog", "import", "page.md", "--date", "2026-01-01", "--name", "acme/page", "--into", "{}",
    ),
}  # fmt: skip
PAGE = "# Hosts\n\n| Host | Port | Protocol |\n| --- | --- | --- |\n| a.acme.example | 443 | HTTPS |\n"


@pytest.fixture
def writing(folder: Path) -> Path:
    (folder / "page.md").write_text(PAGE)
    (folder / "survey.jsonl").write_bytes((Path(__file__).parents[2] / "examples" / "survey.jsonl").read_bytes())
    return folder


@pytest.mark.parametrize("what", ["pipe", "to-pipe", "a-folder", "circle", "/dev/null", "/dev/full"])
@pytest.mark.parametrize("command", ["plan --lock", "survey --report"])
def test_only_a_file_is_written_over(writing: Path, in_time: Run, command: str, what: str) -> None:
    (writing / "target.md").symlink_to(what)

    made = in_time(*(word.format("target.md") for word in WRITERS[command]))

    assert made.code in (1, 2)
    assert (writing / "target.md").is_symlink()
    assert stat.S_ISFIFO((writing / "pipe").stat().st_mode)


def full(*_: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("command", WRITERS)
def test_a_full_disk_leaves_the_old_file_and_no_other(
    writing: Path, run: Run, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    if command != "catalog import":
        (writing / "target.md").write_text("old")
    before = sorted(path.name for path in writing.iterdir())
    monkeypatch.setattr("hostgate.catalog.file_output.os.fsync", full)

    made = run(*(word.format("target.md") for word in WRITERS[command]))

    assert made.code == 1
    assert "No space left on device. Nothing was changed." in made.err
    assert sorted(path.name for path in writing.iterdir()) == before
    assert command == "catalog import" or (writing / "target.md").read_text() == "old"


def _process(
    *words: str, memory: int | None = None, largest: int | None = None, **more: Any
) -> "subprocess.Popen[bytes]":
    """`hostgate WORDS` with so many MB of memory, and files of so many bytes at most."""

    def limited() -> None:
        if memory is not None:
            resource.setrlimit(resource.RLIMIT_AS, (memory << 20, memory << 20))
        if largest is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))

    source = str(Path(__file__).parents[2] / "components")
    return subprocess.Popen(
        [sys.executable, "-m", "hostgate.cli.main", *words], env={**os.environ, "PYTHONPATH": source},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=limited, **more,
    )  # fmt: skip


@pytest.mark.parametrize("out", [("--lock", "target"), ("--out", "target")], ids=["lock", "out"])
def test_a_disk_that_fills_in_the_middle_leaves_what_was_there(folder: Path, run: Run, out: tuple[str, str]) -> None:
    write = ["plan", "--stack", "dev", *out]
    run(*write)
    before = tree(folder / "target") or (folder / "target").read_bytes()
    (folder / "ours.yaml").write_text(OURS.replace("one.acme", "two.acme"))

    with _process(*write, largest=1000) as running:
        _, err = running.communicate(timeout=LIMIT)

    assert running.returncode == 1
    assert b"Cannot write it: File too large. Nothing was changed." in err
    assert (tree(folder / "target") or (folder / "target").read_bytes()) == before
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


class TestReplacing:
    def test_permissions_stay(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(b"old")
        (tmp_path / "a").chmod(0o640)
        replace_file(tmp_path / "a", b"new", "x")
        assert ((tmp_path / "a").read_bytes(), (tmp_path / "a").stat().st_mode & 0o7777) == (b"new", 0o640)

    def test_a_new_file_gets_those_of_the_umask(self, tmp_path: Path) -> None:
        old = os.umask(0o027)
        try:
            replace_file(tmp_path / "a", b"new", "x")
        finally:
            os.umask(old)
        assert (tmp_path / "a").stat().st_mode & 0o7777 == 0o640

    def test_a_link_stays_a_link_also_to_a_file_that_is_not_there_yet(self, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to("a")
        replace_file(tmp_path / "link", b"new", "x")
        assert ((tmp_path / "link").is_symlink(), (tmp_path / "a").read_bytes()) == (True, b"new")

    def test_a_file_that_may_not_be_written_is_not_replaced(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "a").write_bytes(b"old")
        monkeypatch.setattr("hostgate.catalog.file_output.os.access", lambda *_: False)  # root may write everything
        with pytest.raises(InputError, match="Permission denied"):
            replace_file(tmp_path / "a", b"new", "x")
        assert (tmp_path / "a").read_bytes() == b"old"

    def test_of_several_none_is_replaced_before_all_are_on_the_disk(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(b"old")
        (tmp_path / "b").mkdir()
        with pytest.raises(InputError, match="found a folder"):
            replace_files({tmp_path / "a": b"new", tmp_path / "b": b"new"}, "x")
        assert tree(tmp_path) == {"a": b"old"}

    def test_it_is_on_the_disk_before_it_has_its_name(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        order: list[str] = []
        fsync, rename = os.fsync, Path.replace

        def synced(handle: int) -> None:
            order.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
            fsync(handle)

        def renamed(self: Path, target: Path) -> Path:
            order.append("name")
            return rename(self, target)

        monkeypatch.setattr(file_output.os, "fsync", synced)
        monkeypatch.setattr(Path, "replace", renamed)
        replace_file(tmp_path / "a", b"new", "x")
        assert order == ["file", "name", "folder"]

    def test_a_kill_in_the_middle_leaves_the_old_file(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(b"old")
        script = (
            "import os, signal, sys; from pathlib import Path; from hostgate.catalog import file_output as f\n"
            "f.os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)\n"
            "f.replace_file(Path(sys.argv[1]), b'new', 'x')\n"
        )
        source = str(Path(__file__).parents[2] / "components")
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / "a")], env={**os.environ, "PYTHONPATH": source}, check=False
        )
        assert done.returncode == -signal.SIGKILL
        assert (tmp_path / "a").read_bytes() == b"old"


COMMANDS: dict[str, tuple[str, ...]] = {
    "help": ("--help",),
    "version": ("--version",),
    "plan": ("plan", "--stack", "dev"),
    "errors": ("plan", "--catalog", "./none.yaml", "--json"),
    "diff": ("diff", "dev", "dev"),
    "comment": ("comment", "dev", "dev"),
    "schema": ("catalog", "schema"),
    "export": ("export", "suricata", "--catalog", "ours.yaml"),
    "explain": ("explain", "one.acme.example", "--stack", "dev"),
}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_disk_behind_stdout_is_never_a_success(folder: Path, command: str) -> None:
    with Path("/dev/full").open("wb") as nowhere:
        done = subprocess.run(
            _argv(command), stdout=nowhere, stderr=subprocess.PIPE, check=False, cwd=folder, env=_env()
        )
    assert (done.returncode, done.stderr) == (1, b"Cannot go on: No space left on device.\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_reader_that_has_gone_is_no_matter_for_words(folder: Path, command: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(_argv(command), stdout=writing, stderr=subprocess.PIPE, check=False, cwd=folder, env=_env())
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize("more", [{"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
                                  {"PYTHONIOENCODING": "ascii:strict"}], ids=["LANG=C", "ascii"])  # fmt: skip
@pytest.mark.parametrize("name", ["ours", BROKEN_NAME, "\N{SNOWMAN}"], ids=["plain", "no text", "not ASCII"])
def test_a_terminal_of_ascii_gets_its_words(folder: Path, more: dict[str, str], name: str) -> None:
    (folder / f"{name}.yaml").write_text(OURS)
    argv = [sys.executable, "-m", "hostgate.cli.main", "catalog", "lint", f"./{name}.yaml", f"./no-{name}.yaml"]
    done = subprocess.run(argv, capture_output=True, check=False, cwd=folder, env={**_env(), **more})
    assert done.returncode == 1
    assert b"2 checked" in done.stdout
    assert b"Traceback" not in done.stderr


def _argv(command: str) -> list[str]:
    return [sys.executable, "-m", "hostgate.cli.main", *COMMANDS[command]]


def _env() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "components")}
