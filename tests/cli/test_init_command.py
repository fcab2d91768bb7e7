"""`hostgate init`: what it writes runs as it is, and it writes nothing over what is there."""

import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import hostgate
from cli.conftest import Run
from hostgate.planning.targets import clouds
from hostgate.requirement import install_command

OURS = "catalog: acme/ours\nentries:\n  - {id: a, host: a.example, port: 443, protocol: https, purpose: Tests}\n"
NEWEST = "chainguard/images@2026-02-23"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def config(folder: Path, stack: str = "dev") -> dict[str, object]:
    document: dict[str, dict[str, object]] = yaml.safe_load((folder / f"Pulumi.{stack}.yaml").read_text())
    return document["config"]


@pytest.mark.parametrize("named", [(), ("aws",), ("azure", "gcp")])
def test_the_project_plans_previews_and_passes_its_own_policy_pack_as_it_is(
    run: Run, here: Path, monkeypatch: pytest.MonkeyPatch, named: tuple[str, ...]
) -> None:
    said = run("init", "shop egress", *(word for cloud in named for word in ("--cloud", cloud)))
    assert (said.code, said.err) == (0, "")
    monkeypatch.chdir(here / "shop egress")
    assert "cd 'shop egress' && hostgate preview --stack dev --host builtin\n" in said.out
    chosen = set(named or clouds())
    assert {each["target"].partition(":")[0] for each in run("plan", "--json").json["targets"]} == chosen
    done = subprocess.run(
        [sys.executable, "-m", "hostgate", "preview", "--host", "builtin", "--policy-pack", "policy"],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("shop-egress / dev\n")
    assert "policy hostgate/" not in done.stdout


def test_lines_to_fill_in_are_marked_and_every_cloud_has_some(run: Run, here: Path) -> None:
    run("init", "p")
    marked = [line for line in (here / "p/Pulumi.dev.yaml").read_text().splitlines() if " # yours" in line]
    for key in ("aws:region", "gcp:project", "networks", "azure-native:location", "resourceGroup"):
        assert any(key in line for line in marked), key


def test_the_stack_has_the_name_that_was_given_everywhere(run: Run, here: Path) -> None:
    run("init", "p", "--stack", "live", "--cloud", "aws")
    assert config(here / "p", "live")["aws:region"] == "eu-central-1"
    workflow = yaml.safe_load((here / "p/.github/workflows/hostgate.yml").read_text())
    assert workflow["jobs"]["review"]["env"]["STACK"] == "live"
    steps = [step.get("run", "") for step in workflow["jobs"]["review"]["steps"]]
    assert 'hostgate preview --stack "$STACK" --host builtin --policy-pack policy' in steps
    assert "--stack live" in (here / "p/README.md").read_text()


def test_a_catalog_is_pinned_and_a_file_is_named_from_where_it_is_read(run: Run, here: Path) -> None:
    (here / "ours.yaml").write_text(OURS)
    refs = ["chainguard/images", "chainguard/images@latest", "chainguard/images@2024-03-28", "ours.yaml"]
    run("init", "a/b", "--cloud", "aws", *(word for ref in refs for word in ("--catalog", ref)))
    assert config(here / "a/b")["hostgate:catalogs"] == [
        NEWEST, NEWEST, "chainguard/images@2024-03-28", "../../ours.yaml",
    ]  # fmt: skip
    settings = yaml.safe_load((here / "a/b/policy/settings.yaml").read_text())
    assert settings["catalogs"][-1] == "../../../ours.yaml"


def test_a_catalog_that_stands_in_the_folder_stays_and_is_used(run: Run, here: Path) -> None:
    (here / "ours.yaml").write_text(OURS)
    assert run("init", "--catalog", "ours.yaml", "--cloud", "gcp").code == 0
    assert config(here)["hostgate:catalogs"] == ["./ours.yaml"]
    assert run("plan").code == 0


def test_all_that_is_in_the_way_is_named_at_once_and_nothing_is_written(run: Run, here: Path) -> None:
    (here / "README.md").write_text("mine")
    (here / "policy").mkdir()
    (here / "policy/settings.yaml").symlink_to("nowhere")
    said = run("init", ".")
    assert (said.code, said.err.splitlines()) == (
        1,
        [
            f"{here}/policy/settings.yaml",
            "  It is there already. Move it away, or name another folder.  [init]",
            f"{here}/README.md",
            "  It is there already. Move it away, or name another folder.  [init]",
            "2 errors.",
        ],
    )
    assert files(here) == {"README.md": "mine"}


@pytest.mark.parametrize("name", ["policy", ".github", "p"])
def test_a_file_in_the_place_of_a_folder_leaves_nothing_half_written(run: Run, here: Path, name: str) -> None:
    folder = here if name == "p" else here / "p"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("mine")
    before = files(here)
    said = run("init", "p")
    assert (said.code, said.out) == (1, "")
    assert "Cannot write it" in said.err
    assert files(here) == before
    assert [path.name for path in folder.iterdir()] == [name]


def test_a_folder_with_other_files_takes_the_project(run: Run, here: Path) -> None:
    (here / "p/.github/workflows").mkdir(parents=True)
    (here / "p/.github/workflows/other.yml").write_text("on: push")
    assert run("init", "p").code == 0
    assert {".github/workflows/other.yml", ".github/workflows/hostgate.yml", "Pulumi.yaml"} <= set(files(here / "p"))
    assert not list((here / "p").glob(".hostgate-init*"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--cloud", "azur"], "'azur'. Did you mean `azure`? Allowed: aws, gcp, azure."),
        (["--stack", "a/b"], "'a/b'. Allowed: letters, digits, `_`, `.` and `-`."),
    ],
)
def test_wrong_usage_says_what_is_allowed(run: Run, here: Path, words: list[str], said: str) -> None:
    refused = run("init", "p", *words)
    assert refused.code == 2
    assert said in refused.err
    assert not (here / "p").exists()


def test_every_catalog_that_cannot_be_used_is_named_and_nothing_is_written(run: Run, here: Path) -> None:
    said = run("init", "p", "--catalog", "chainguard/image", "--catalog", "chainguard/images@2020-01-01")
    assert said.code == 1
    assert "Did you mean `chainguard/images`?" in said.err
    assert "Found the revision '2020-01-01'" in said.err
    assert not (here / "p").exists()


@pytest.mark.parametrize(
    ("origin", "line"),
    [
        (None, f"hostgate[aws,sandbox]=={hostgate.__version__}"),
        (
            {"url": "https://git.example/hostgate", "vcs_info": {"vcs": "git", "commit_id": "abc123"}},
            "hostgate[aws,sandbox] @ git+https://git.example/hostgate@abc123",
        ),
        ({"url": "https://a.example/h.whl", "archive_info": {}}, "hostgate[aws,sandbox] @ https://a.example/h.whl"),
        ({"url": "file:///src/h", "dir_info": {"editable": True}}, "hostgate[aws,sandbox] @ file:///src/h"),
    ],
    ids=["an index", "git", "an archive", "a folder"],
)
def test_the_requirement_finds_the_hostgate_that_runs_again(
    run: Run, here: Path, monkeypatch: pytest.MonkeyPatch, origin: object, line: str
) -> None:
    text = None if origin is None else json.dumps(origin)
    monkeypatch.setattr(importlib.metadata.Distribution, "read_text", lambda _self, _name: text, raising=False)
    monkeypatch.setattr(importlib.metadata.PathDistribution, "read_text", lambda _self, _name: text)
    run("init", "p", "--cloud", "aws")
    lines = (here / "p/requirements.txt").read_text().splitlines()
    assert lines[-1] == line
    assert install_command("aws") == f"pip install '{line.replace('aws,sandbox', 'aws')}'"
    assert (len(lines) == 2) == line.endswith("file:///src/h")
