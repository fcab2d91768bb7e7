"""Every plan of the golden cases is byte for byte what is under version control."""

import difflib

import pytest

from golden.cases import CATALOG, FOLDER, REVISIONS, Case, cases
from hostgate.catalog.references import resolve

REGENERATE = (
    "If the change is meant, regenerate with `make golden` (python tests/golden/regenerate.py) and read the diff."
)


@pytest.mark.parametrize("case", list(cases()), ids=str)
def test_the_plan_is_what_the_golden_files_say(case: Case) -> None:
    for path, text in case.files().items():
        place = FOLDER / path
        if not place.exists():
            pytest.fail(f"{path} is missing. {REGENERATE}", pytrace=False)
        golden = place.read_bytes().decode()
        if golden != text:
            lines = difflib.unified_diff(
                golden.splitlines(), text.splitlines(), f"golden {path}", "made now", lineterm=""
            )
            shown = "\n".join(list(lines)[:60])
            pytest.fail(f"{path} differs.\n{shown}\n{REGENERATE}", pytrace=False)


def test_there_are_no_golden_files_of_plans_that_are_gone() -> None:
    wanted = {path for case in cases() for path in case.files()}
    found = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file()}
    assert found - wanted == set(), REGENERATE


def test_the_newest_revision_is_among_the_golden_cases() -> None:
    assert resolve(f"{CATALOG}@latest").revision == REVISIONS[-1], f"Add it to REVISIONS. {REGENERATE}"
