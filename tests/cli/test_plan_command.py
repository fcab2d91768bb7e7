"""`hostgate plan`: the JSON that tools rely on, the folders of `--out`, and the exit codes."""

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.catalogs import MADE, entry, selection
from hostgate.cli import plan_files
from hostgate.cli.plan_files import ASIDE, LIST
from hostgate.cli.preview_command import _hosts
from hostgate.planning.mechanism import main_targets
from hostgate.planning.plan import plan

from .conftest import Project, Run, tree

REFERENCE = "chainguard/images@2024-03-28"
FOLDERS = {target: target.replace(":", "-") for target in MADE}

WIDE = """\
catalog: acme/wide
entries:
  - {id: any, host: any.acme.example, match: subtree, port: 443, protocol: https, purpose: Packages}
"""
PRIVATE = """\
catalog: acme/ours
entries:
  - {id: mirror, host: mirror.acme.example, port: 443, protocol: https, purpose: Packages}
"""


@pytest.fixture
def wide(tmp_path: Path) -> Path:
    """A catalog that GCP's FQDN objects cannot express."""
    path = tmp_path / "wide.yaml"
    path.write_text(WIDE)
    return path


def plan_of(run: Run, *wanted: str) -> Any:  # a JSON document
    return run("plan", "--catalog", REFERENCE, *(f"--target={target}" for target in wanted), "--json").json


def test_the_json_has_one_item_a_target_with_the_agreed_keys(run: Run) -> None:
    (made,) = plan_of(run, "aws:rules")["targets"]

    assert list(made) == [
        "target",
        "digest",
        "objects",
        "decisions",
        "findings",
        "limits",
        "catalogs",
        "options",
        "assumptions",
    ]


@pytest.mark.parametrize(
    ("part", "keys"),
    [
        ("objects", {"kind", "name", "body"}),
        ("decisions", {"entry", "host", "match", "port", "protocol", "outcome", "reason", "rule"}),
        ("findings", {"id", "severity", "entry", "message"}),
        ("limits", {"name", "used", "max", "source"}),
    ],
)
@pytest.mark.parametrize("target", MADE)
def test_every_object_decision_finding_and_limit_has_the_agreed_keys(
    run: Run, target: str, part: str, keys: set[str]
) -> None:
    (made,) = plan_of(run, target)["targets"]

    assert made[part] != []
    assert [item for item in made[part] if not keys <= set(item)] == []


@pytest.mark.parametrize("target", MADE)
def test_every_entry_has_one_decision_and_an_allowed_one_names_its_rule(run: Run, target: str) -> None:
    (made,) = plan_of(run, target)["targets"]

    outcomes = {decision["entry"]: decision["outcome"] for decision in made["decisions"]}
    assert (len(outcomes), outcomes.pop("r2-any-bucket"), set(outcomes.values())) == (13, "covered", {"allowed"})
    assert all((decision["rule"] is not None) == (decision["outcome"] == "allowed") for decision in made["decisions"])


def test_targets_come_in_the_order_asked_for(run: Run) -> None:
    asked = ["gcp:fqdn", "aws:domain-list", "azure:application-rules", "aws:rules"]

    assert [made["target"] for made in plan_of(run, *asked)["targets"]] == asked


def test_without_a_target_there_is_one_plan_a_cloud(run: Run) -> None:
    assert [made["target"] for made in plan_of(run)["targets"]] == [
        "aws:rules", "gcp:fqdn", "azure:application-rules",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "spelling",
    [
        ["--target", "aws:rules", "--target", "gcp:fqdn"],
        ["--target", "aws:rules", "gcp:fqdn"],
        ["--target=aws:rules", "--target=gcp:fqdn"],
        ["--target", "aws:rules", "gcp:fqdn", "--target", "aws:rules"],
    ],
    ids=" ".join,
)
def test_an_option_may_be_repeated_or_take_several_values(run: Run, spelling: list[str]) -> None:
    made = run("plan", "--catalog", REFERENCE, *spelling, "--json").json

    assert [each["target"] for each in made["targets"]] == ["aws:rules", "gcp:fqdn"]


def test_a_plan_for_people_names_outcomes_objects_and_findings(run: Run) -> None:
    made = run("plan", "--catalog", REFERENCE, "--target", "aws:rules")

    assert (made.code, made.err) == (0, "")
    for word in ("12 allowed, 1 covered", "objects:", "limits:", "digest:", "warning from-everything"):
        assert word in made.out


def test_a_refused_plan_is_an_error_with_the_place_of_the_entry(run: Run, wide: Path) -> None:
    made = run("plan", "--catalog", wide, "--target", "gcp:fqdn", "--json")

    assert made.code == 1
    (error,) = made.json["errors"]
    assert {key: error[key] for key in ("rule", "file", "line", "column", "entry")} == {
        "rule": "not-expressible", "file": str(wide), "line": 3, "column": 21, "entry": "any",
    }  # fmt: skip
    assert "gcp:fqdn" in error["message"]


def test_a_refused_plan_for_people_tells_the_reason_on_stderr(run: Run, wide: Path) -> None:
    made = run("plan", "--catalog", wide, "--target", "gcp:fqdn")

    assert made.code == 1
    assert "[not-expressible]" in made.err


def test_a_plan_that_is_refused_as_a_whole_is_not_headed_as_allowed(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    listed = [f"203.{number // 250}.{number % 250}.7" for number in range(1_001)]
    pool = "".join(f"  {each} first 2026-11-20T10:00:00Z seen here 2026-11-28T10:00:00Z\n" for each in listed)
    (tmp_path / "pool.txt").write_text(f"hostgate-pool 1\nhost a.example window 86400\n{pool}end\n")
    (tmp_path / "ours.yaml").write_text(
        "catalog: acme/ours\nentries:\n  - {id: a, host: a.example, port: 443, protocol: https}\n"
    )
    (tmp_path / "Pulumi.yaml").write_text("name: acme\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text(
        "config:\n  hostgate:catalogs: [./ours.yaml]\n  hostgate:pool: {file: pool.txt}\n"
        "  hostgate:gcp: {mechanism: address-group, networks: [projects/p/global/networks/n]}\n"
    )
    made = run("plan", "--stack", "dev")
    assert made.code == 1
    assert made.out.startswith("gcp:address-group  1 allowed; the plan as a whole is refused\n")


def test_an_error_document_has_the_agreed_keys_and_nothing_else_is_printed(run: Run) -> None:
    made = run("plan", "--catalog", "chainguard/images@never", "--json")

    assert (made.code, made.err) == (1, "")
    assert list(made.json) == ["errors"]
    assert list(made.json["errors"][0]) == ["rule", "file", "line", "column", "entry", "message"]


def test_errors_for_people_go_to_stderr_only(run: Run) -> None:
    made = run("plan", "--catalog", "chainguard/images@never")

    assert (made.code, made.out) == (1, "")
    assert "[unknown-revision]" in made.err


def test_a_stack_is_planned_with_its_own_options(run: Run, project: Project) -> None:
    project(
        dev=f"config:\n  hostgate:catalogs: ['{REFERENCE}']\n  hostgate:aws: {{mechanism: domain-list, name: acme}}\n",
        live=f"config:\n  hostgate:catalogs: ['{REFERENCE}']\n  hostgate:gcp: {{}}\n",
    )

    default, named = run("plan", "--json"), run("plan", "--stack", "live", "--json")

    assert [made["target"] for made in default.json["targets"]] == ["aws:domain-list"]
    assert all(each["name"].startswith("acme") for each in default.json["targets"][0]["objects"])
    assert [made["target"] for made in named.json["targets"]] == ["gcp:fqdn"]


def test_a_stack_is_found_from_a_folder_below_the_project(
    run: Run, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project(dev=f"config:\n  hostgate:catalogs: ['{REFERENCE}', ./own.yaml]\n  hostgate:aws: {{}}\n")
    (folder / "own.yaml").write_text(PRIVATE)
    (folder / "below").mkdir()
    monkeypatch.chdir(folder / "below")

    assert run("plan", "--json").code == 0


@pytest.mark.parametrize("name", ["live", "a/b", "../dev", "de*", "Pulumi.dev.yaml"])
def test_a_stack_that_is_not_there_is_answered_with_those_that_are(run: Run, project: Project, name: str) -> None:
    project(dev="config:\n", test="config:\n")

    made = run("plan", "--stack", name, "--json")

    assert (made.code, made.rules) == (1, ["no-stack"])
    assert "Stacks here: dev, test." in made.json["errors"][0]["message"]


def test_outside_a_project_the_next_step_is_said(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    made = run("plan", "--json")

    assert (made.code, made.rules) == (1, ["no-project"])
    assert "--catalog" in made.json["errors"][0]["message"]


@pytest.mark.parametrize(
    ("as_of", "code", "finding"),
    [
        ("2026-12-31", 0, None),
        ("2027-01-17", 0, "acceptance-expires-soon"),
        ("2027-01-31", 0, "acceptance-expires-soon"),
        ("2027-02-01", 1, "acceptance-expired"),
    ],
)
def test_the_date_judges_acceptances_and_leaves_the_objects_alone(
    run: Run, project: Project, as_of: str, code: int, finding: str | None
) -> None:
    accept = "[{finding: shared-hosting, entry: wolfi-development, because: reviewed, until: '2027-01-31'}]"
    project(dev=f"config:\n  hostgate:catalogs: ['{REFERENCE}']\n  hostgate:accept: {accept}\n  hostgate:aws: {{}}\n")

    made, early = run("plan", "--as-of", as_of, "--json"), run("plan", "--as-of", "2026-01-01", "--json")

    expiry = [one["id"] for one in made.json["targets"][0]["findings"] if one["id"].startswith("acceptance-")]
    assert (made.code, expiry) == (code, [finding] if finding else [])
    assert made.json["targets"][0]["digest"] == early.json["targets"][0]["digest"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["plan", "--catalog", REFERENCE, "--as-of", "garbage"],
        ["plan", "--catalog", REFERENCE, "--as-of", ""],
        ["plan", "--catalog", REFERENCE, "--as-of", "20240328"],
        ["plan", "--catalog", REFERENCE, "--as-of", "2024-W13-4"],
        ["plan", "--catalog", REFERENCE, "--as-of", "2024-02-30"],
        ["plan", "--catalog", REFERENCE, "--as-of"],
        ["plan", "--catalog", REFERENCE, "--stack", "dev"],
        ["plan", "--target", "aws:rules"],
        ["plan", "--target", "aws:rules", "--stack", "dev"],
        ["plan", "--catalog", REFERENCE, "surplus"],
        ["plan", "--catalogue", REFERENCE],
        ["plan", "--catalog", REFERENCE, "--out"],
        ["plan", "--catalog"],
        ["plan", "--jsn"],
        ["plam"],
        [],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_exit_code_2_and_said_on_stderr_only(run: Run, arguments: list[str]) -> None:
    made = run(*arguments)

    assert (made.code, made.out) == (2, "")
    assert made.err != ""


def test_the_place_of_out_must_be_a_folder(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")

    assert run("plan", "--catalog", REFERENCE, "--out", tmp_path / "file").code == 2
    assert (tmp_path / "file").read_text() == "kept"


@pytest.mark.parametrize(
    "arguments", [["--help"], ["-h"], ["--version"], ["plan", "--help"], ["explain", "-h"]], ids=" ".join
)
def test_help_and_version_are_fine(run: Run, arguments: list[str]) -> None:
    made = run(*arguments)

    assert (made.code, made.err) == (0, "")


def test_an_unknown_target_is_answered_with_those_that_are_known(run: Run) -> None:
    made = run("plan", "--catalog", REFERENCE, "--target", "aws:rule", "--json")

    assert (made.code, made.rules) == (1, ["unknown-target"])
    assert "Did you mean `aws:rules`?" in made.json["errors"][0]["message"]


def test_out_writes_one_folder_a_target_with_rule_text_and_bodies(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"

    made = run("plan", "--catalog", REFERENCE, "--target", *MADE, "--out", out)

    written = tree(out)
    assert made.code == 0
    assert sorted(path.name for path in out.iterdir()) == sorted(FOLDERS.values())
    assert {Path(name).suffix for name in written if Path(name).name != LIST} == {".json", ".rules"}
    assert {str(Path(name).parent) for name in written if Path(name).name == LIST} == set(FOLDERS.values())
    assert {Path(name).parts[0] for name in written if name.endswith(".rules")} <= {"aws-rules", "aws-domain-list"}
    assert all(json.loads(body) for name, body in written.items() if name.endswith(".json"))


def test_out_says_on_stderr_where_it_wrote_unless_json_is_asked_for(run: Run, tmp_path: Path) -> None:
    arguments = ["plan", "--catalog", REFERENCE, "--target", "aws:rules", "--out", tmp_path / "out"]

    assert f"Wrote {tmp_path / 'out' / 'aws-rules'}." in run(*arguments).err
    assert run(*arguments, "--json").err == ""


def test_out_writes_the_same_bytes_twice(run: Run, tmp_path: Path) -> None:
    for name in ("one", "other"):
        run("plan", "--catalog", REFERENCE, "--target", *MADE, "--out", tmp_path / name)

    assert tree(tmp_path / "one") == tree(tmp_path / "other")


@pytest.mark.parametrize("target", MADE)
def test_the_bodies_written_are_those_of_the_json(run: Run, tmp_path: Path, target: str) -> None:
    made = run("plan", "--catalog", REFERENCE, "--target", target, "--out", tmp_path, "--json").json["targets"][0]

    written = [json.loads(body) for name, body in tree(tmp_path).items() if name.endswith(".json")]
    assert sorted(map(str, written)) == sorted(str(each["body"]) for each in made["objects"])


def test_an_old_folder_is_replaced_whole_and_its_neighbours_stay(run: Run, tmp_path: Path, wide: Path) -> None:
    write = ["plan", "--target", "aws:rules", "--out", tmp_path, "--catalog"]
    run(*write, wide)
    wide.unlink()
    (tmp_path / "gcp-fqdn").mkdir()
    (tmp_path / "gcp-fqdn" / "other.json").write_text("{}")
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "aws-rules" / LIST).write_text(f"{(tmp_path / 'aws-rules' / LIST).read_text()}gone.json\n")
    (tmp_path / "aws-rules" / "gone.json").write_text("{}")

    assert run(*write, REFERENCE).code == 0

    assert {Path(name).parts[0] for name in tree(tmp_path)} == {"aws-rules", "gcp-fqdn", "notes.txt"}
    assert not (tmp_path / "aws-rules" / "gone.json").exists()
    assert tree(tmp_path)["gcp-fqdn/other.json"] == b"{}"


def put_file(folder: Path) -> None:
    (folder / "mine.txt").write_text("mine")


def put_rules(folder: Path) -> None:
    (folder / "deeper").mkdir()
    (folder / "deeper" / "stray.rules").write_text("pass ip any any -> any any")


def put_link(folder: Path) -> None:
    (folder / "link.json").symlink_to("/etc/hosts")


def put_pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe")


def put_link_over_ours(folder: Path) -> None:
    (folder / "hostgate-allow.json").unlink()
    (folder / "hostgate-allow.json").symlink_to("/etc/hosts")


@pytest.mark.parametrize("put", [put_file, put_rules, put_link, put_pipe, put_link_over_ours])
def test_what_hostgate_did_not_write_is_never_deleted(run: Run, tmp_path: Path, put: Callable[[Path], None]) -> None:
    write = ["plan", "--catalog", REFERENCE, "--target", "gcp:fqdn", "aws:rules", "--out", tmp_path, "--json"]
    run(*write)
    put(tmp_path / "aws-rules")
    names = sorted(path.name for path in tmp_path.rglob("*"))

    made = run(*write)

    assert (made.code, made.rules) == (1, ["out"])
    assert "Found what hostgate did not write" in made.json["errors"][0]["message"]
    assert sorted(path.name for path in tmp_path.rglob("*")) == names


def test_a_folder_of_before_the_list_is_taken_over_if_it_holds_what_would_be_written(run: Run, tmp_path: Path) -> None:
    write = ["plan", "--catalog", REFERENCE, "--target", "aws:rules", "--out", tmp_path]
    run(*write)
    (tmp_path / "aws-rules" / LIST).unlink()

    assert run(*write).code == 0
    (tmp_path / "aws-rules" / LIST).unlink()
    (tmp_path / "aws-rules" / "hostgate.json").write_text("{}\n")
    assert run(*write).code == 1


@pytest.mark.parametrize("place", ["a link", "no folder"])
def test_what_is_no_folder_in_a_folders_place_stays(run: Run, tmp_path: Path, place: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "kept").write_text("mine")
    (tmp_path / "out").mkdir()
    if place == "a link":
        (tmp_path / "out" / "aws-rules").symlink_to(tmp_path / "elsewhere")
    else:
        (tmp_path / "out" / "aws-rules").write_text("mine")
    before = tree(tmp_path)

    made = run("plan", "--catalog", REFERENCE, "--target", "aws:rules", "--out", tmp_path / "out", "--json")

    assert (made.code, made.rules) == (1, ["out"])
    assert f"Found {place}." in made.json["errors"][0]["message"]
    assert tree(tmp_path) == before


def test_a_folder_that_was_written_keeps_its_permissions(run: Run, tmp_path: Path) -> None:
    write = ["plan", "--catalog", REFERENCE, "--target", "aws:rules", "--out", tmp_path]
    run(*write)
    (tmp_path / "aws-rules").chmod(0o750)
    (tmp_path / "aws-rules" / "hostgate.json").chmod(0o640)

    run(*write)

    assert (tmp_path / "aws-rules").stat().st_mode & 0o777 == 0o750
    assert (tmp_path / "aws-rules" / "hostgate.json").stat().st_mode & 0o777 == 0o640


def test_what_a_killed_run_left_aside_is_cleared(run: Run, tmp_path: Path) -> None:
    (tmp_path / ASIDE / "aws-rules").mkdir(parents=True)
    (tmp_path / ASIDE / "aws-rules" / "half.json").write_text("{")

    assert run("plan", "--catalog", REFERENCE, "--target", "aws:rules", "--out", tmp_path).code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["aws-rules"]


def test_a_second_run_at_the_same_folder_is_refused(run: Run, tmp_path: Path) -> None:
    holding = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(holding, fcntl.LOCK_EX)
    try:
        made = run("plan", "--catalog", REFERENCE, "--target", "aws:rules", "--out", tmp_path)
    finally:
        os.close(holding)

    assert made.code == 1
    assert "another run of hostgate is writing there" in made.err


def test_a_refused_plan_writes_nothing_not_even_for_the_other_targets(run: Run, wide: Path, tmp_path: Path) -> None:
    made = run("plan", "--catalog", wide, "--target", "aws:rules", "gcp:fqdn", "--out", tmp_path / "out")

    assert made.code == 1
    assert not (tmp_path / "out").exists()


@pytest.fixture
def old_folders(tmp_path: Path) -> dict[str, bytes]:
    """Two folders in the current one, as an earlier run wrote them."""
    for name in ("aws-rules", "gcp-fqdn"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "old.json").write_text(name)
        (tmp_path / name / LIST).write_text("old.json\n")
    return tree(tmp_path)


def failing_trade(monkeypatch: pytest.MonkeyPatch, failing: Path) -> None:
    really = plan_files.trade

    def trade(fresh: Path, place: Path) -> None:
        if place == failing:
            raise PermissionError(13, "Permission denied", str(place))
        really(fresh, place)

    monkeypatch.setattr(plan_files, "trade", trade)


@pytest.mark.parametrize("exchanges", [True, False], ids=["in one step", "in two"])
@pytest.mark.parametrize("failing", ["aws-rules", "gcp-fqdn"])
def test_if_one_folder_cannot_take_its_place_all_old_folders_come_back(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    old_folders: dict[str, bytes],
    failing: str,
    exchanges: bool,
) -> None:
    failing_trade(monkeypatch, tmp_path / failing)
    if not exchanges:
        monkeypatch.setattr(plan_files, "_exchanged", lambda *_: False)

    made = run("plan", "--catalog", REFERENCE, "--target", "aws:rules", "gcp:fqdn", "--out", tmp_path, "--json")

    assert (made.code, made.rules) == (1, ["out"])
    assert "Permission denied" in made.json["errors"][0]["message"]
    assert tree(tmp_path) == old_folders


@pytest.mark.usefixtures("old_folders")
def test_where_the_system_cannot_exchange_two_folders_they_are_moved(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_files, "_exchanged", lambda *_: False)

    assert run("plan", "--catalog", REFERENCE, "--target", "aws:rules", "--out", tmp_path).code == 0
    assert "aws-rules/old.json" not in tree(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["aws-rules", "gcp-fqdn"]


def test_if_the_disk_is_full_nothing_changes(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old_folders: dict[str, bytes]
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hostgate.catalog.file_output.os.fsync", full)

    made = run("plan", "--catalog", REFERENCE, "--target", "aws:rules", "gcp:fqdn", "--out", tmp_path)

    assert made.code == 1
    assert "No space left on device. Nothing was changed." in made.err
    assert tree(tmp_path) == old_folders


@pytest.mark.parametrize("below", ["file/out", "file/out/deeper"])
def test_a_place_that_cannot_be_made_is_an_error(run: Run, tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("kept")

    made = run("plan", "--catalog", REFERENCE, "--target", "aws:rules", "--out", tmp_path / below, "--json")

    assert (made.code, made.rules) == (1, ["out"])
    assert (tmp_path / "file").read_text() == "kept"


def test_nothing_is_left_aside_after_writing_or_failing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("plan", "--catalog", REFERENCE, "--target", "aws:rules", "--out", tmp_path)
    failing_trade(monkeypatch, tmp_path / "aws-rules")
    run("plan", "--catalog", REFERENCE, "--target", "aws:rules", "--out", tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["aws-rules"]


def test_an_empty_selection_needs_a_flag(run: Run, project: Project) -> None:
    narrow = "{phases: [pull], parties: [first], ids: [support-zendesk]}"
    project(dev=f"config:\n  hostgate:catalogs: ['{REFERENCE}']\n  hostgate:select: {narrow}\n  hostgate:aws: {{}}\n")

    assert run("plan", "--json").rules == ["empty-selection"]
    assert run("plan", "--allow-empty", "--json").code == 0


def process(*arguments: str, **options: object) -> "subprocess.Popen[bytes]":
    source = str(Path(__file__).parents[2] / "components")
    command = [sys.executable, "-m", "hostgate.cli.main", *arguments]
    environment = {**os.environ, "PYTHONPATH": source}
    return subprocess.Popen(command, stderr=subprocess.PIPE, env=environment, **options)  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["plan", "--catalog", REFERENCE, "--target", "aws:rules", "--json"], 0),
        (["plan", "--catalog", "chainguard/images@never", "--json"], 1),
        (["plan", "--jsn"], 2),
        (["catalog", "lint", "./none.yaml"], 1),
    ],
    ids=str,
)
def test_the_exit_code_reaches_the_shell(arguments: list[str], code: int) -> None:
    with process(*arguments, stdout=subprocess.DEVNULL) as running:
        running.communicate(timeout=20)

    assert running.returncode == code


@pytest.mark.parametrize("form", [["--json"], []], ids=["json", "text"])
def test_a_reader_that_goes_away_ends_the_command_without_a_word(form: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with process("plan", "--catalog", REFERENCE, *form, stdout=writing) as running:
        os.close(writing)
        _, err = running.communicate(timeout=20)

    assert (running.returncode, err) == (1, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("form", [["--json"], []], ids=["json", "text"])
def test_a_full_disk_behind_stdout_is_said_in_one_line(form: list[str]) -> None:
    with Path("/dev/full").open("wb") as full, process("plan", "--catalog", REFERENCE, *form, stdout=full) as running:
        _, err = running.communicate(timeout=20)

    assert (running.returncode, err) == (1, b"Cannot go on: No space left on device.\n")


def test_a_terminal_that_cannot_draw_tables_still_gets_the_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    with process("plan", "--catalog", REFERENCE, "--target", "aws:rules", stdout=subprocess.PIPE) as running:
        out, err = running.communicate(timeout=20)

    assert (running.returncode, err) == (0, b"")
    assert b"cgr.dev" in out


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=str
)
def test_a_signal_ends_the_command_without_a_traceback(number: signal.Signals, code: int) -> None:
    explain = ["explain", "--log", "-", "--catalog", REFERENCE, "--target", "aws:rules"]
    with process(*explain, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as running:
        assert running.stdin is not None
        running.stdin.write(b"\n" * 1_000_000)  # more than a pipe holds: it returns once the command reads
        running.send_signal(number)
        _, err = running.communicate(timeout=20)

    assert running.returncode == code
    assert b"stopped" in err
    assert b"Traceback" not in err


def test_the_hosts_of_a_preview_have_the_names_of_rules_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    wide = [plan(selection([entry("a-rather-long.name.vendor.example")]), each) for each in main_targets()]
    assert any(line.rstrip().endswith(" allow-application/") for line in _hosts(wide).splitlines())


@pytest.mark.parametrize(
    ("options", "child", "code"),
    [
        ("{from: [10.0.0.0/8], import: {hostgate-alow: arn:aws:x}}", "hostgate-alow", 1),
        ("{from: [10.0.0.0/8], import: {hostgate-allow: arn:aws:x}}", "", 0),
        ("{from: [10.0.0.0/8], name: egress, import: {hostgate-allow: arn:aws:x}}", "hostgate-allow", 1),
        ("{from: [10.0.0.0/8], regions: [eu-west-1], import: {hostgate-eu-west-1-allow: arn:aws:x}}", "", 0),
        ("{from: [10.0.0.0/8], regions: [eu-west-1], import: {hostgate-allow: arn:aws:x}}", "hostgate-allow", 1),
    ],
)
def test_what_is_to_be_adopted_is_a_child_of_the_plan(
    run: Run, project: Project, options: str, child: str, code: int
) -> None:
    project(dev=f"config:\n  hostgate:catalogs: [chainguard/images@2024-03-28]\n  hostgate:aws: {options}\n")
    made = run("plan")
    assert made.code == code, made.err
    assert (f"`hostgate:aws.import` names {child}, which is no child. Children: " in made.err) is bool(code)
