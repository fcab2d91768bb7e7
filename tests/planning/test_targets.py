"""Rows of targets: those of the clouds here, and those that another distribution adds."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields
from importlib import metadata
from pathlib import Path

import pytest

from hostgate.catalog.problems import InputError
from hostgate.planning import mechanism
from hostgate.planning.targets import GROUP, _rows, clouds, load, row, rows

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """A distribution with one module and the entry points that it names."""

    def distribution(module: str, *points: str) -> None:
        (tmp_path / "acme_rows.py").write_text(module)
        place = tmp_path / "acme-1.dist-info"
        place.mkdir()
        (place / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1\n")
        (place / "entry_points.txt").write_text("\n".join([f"[{GROUP}]", *points, ""]))
        monkeypatch.syspath_prepend(str(tmp_path))
        _rows.cache_clear()

    yield distribution
    monkeypatch.undo()
    _rows.cache_clear()
    sys.modules.pop("acme_rows", None)


ROW = """
from hostgate.planning.targets import Target

TARGETS = [Target(name="NAME", mechanism="acme_gate", component="acme_gate:Gate", outputs=())]
"""


def test_the_first_row_of_a_cloud_is_its_main_target() -> None:
    assert mechanism.main_targets() == ("aws:rules", "gcp:fqdn", "azure:application-rules")


def test_every_row_names_the_mechanism_that_calls_itself_so() -> None:
    assert [load(each.mechanism).MECHANISM.target for each in rows()] == [each.name for each in rows()]


@pytest.mark.parametrize("target", [each.name for each in rows()])
def test_everything_that_a_row_names_is_there(target: str) -> None:
    found = row(target)
    component = load(found.component)
    assert set(found.outputs) <= set(component.__annotations__)
    for each in (found.places, found.simulated, *found.logs.values(), *found.exports.values()):
        assert not each or load(each)
    for shape in found.references:
        assert (
            shape.partition(".")[0].partition("[")[0].partition("{")[0]
            in mechanism.mechanism(target).options.model_fields
        )


def test_the_rows_load_neither_pulumi_nor_an_sdk_nor_a_mechanism() -> None:
    heavy = "[name for name in sys.modules if name.partition('.')[0].startswith('pulumi') or name.endswith('.rules')]"
    program = f"import sys; from hostgate.planning.targets import rows; rows(); sys.exit(str({heavy} or ''))"
    assert subprocess.run([sys.executable, "-c", program], check=False, capture_output=True).stderr.strip() == b""


def test_an_installed_distribution_adds_a_target_and_its_cloud(install: Install) -> None:
    install(ROW.replace("NAME", "acme:gate"), "acme = acme_rows:TARGETS")
    assert mechanism.targets()[-1] == "acme:gate"
    assert clouds()[-1] == "acme"
    assert "acme:gate" in mechanism.main_targets()


def test_all_rows_that_do_not_hold_are_told_with_their_entry_points(install: Install) -> None:
    install(
        ROW.replace("NAME", "aws:rules") + "\nNOTHING = [3]\n",
        "again = acme_rows:TARGETS",
        "gone = acme_rows_of_old:TARGETS",
        "strange = acme_rows:NOTHING",
    )
    with pytest.raises(InputError) as caught:
        rows()
    assert [problem.rule for problem in caught.value.problems] == ["target-row"] * 3
    again, gone, strange = (problem.message for problem in caught.value.problems)
    assert "again = acme_rows:TARGETS" in again
    assert "aws:rules, which is there already" in again
    assert "No module named 'acme_rows_of_old'" in gone
    assert "found 3" in strange


def test_a_target_that_is_here_is_found_without_a_look_at_other_distributions(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(ROW.replace("NAME", "acme:gate"), "acme = acme_rows:TARGETS")
    monkeypatch.setattr(metadata, "entry_points", lambda **_: pytest.fail("they were looked for"))
    assert row("gcp:fqdn").cloud == "gcp"
    monkeypatch.undo()
    with pytest.raises(KeyError):
        row("acme:wall")


def test_one_form_of_export_is_of_one_target(install: Install) -> None:
    more = ROW.replace("NAME", "acme:gate").replace("outputs=()", 'outputs=(), exports={"lists": "acme_gate:lists"}')
    install(f"{more}TARGETS += [replace(TARGETS[0], name='acme:wall')]\n".replace(
        "from hostgate", "from dataclasses import replace\nfrom hostgate", 1), "acme = acme_rows:TARGETS")  # fmt: skip
    with pytest.raises(InputError, match="found the export form lists, which acme:gate has"):
        rows()


def test_a_row_says_only_what_somebody_asks_for() -> None:
    used = "".join(path.read_text("utf-8") for path in Path(load("hostgate").__file__).parent.rglob("*.py"))
    for each in fields(rows()[0]):
        assert f".{each.name}" in used or f'named("{each.name}")' in used, each.name
