"""Every file of `hostgate export` is byte for byte what is under version control."""

import difflib

import pytest

from golden import exports
from golden.exports import CASES, FOLDER
from golden.test_golden import REGENERATE
from hostgate.planning.targets import formats, rows


@pytest.mark.parametrize("name", CASES)
def test_the_file_is_what_the_golden_file_says(name: str) -> None:
    for file, text in exports.files_of(CASES[name]).items():
        place = FOLDER / name / file
        if not place.exists():
            pytest.fail(f"{name}/{file} is missing. {REGENERATE}", pytrace=False)
        golden = place.read_bytes().decode()
        if golden != text:
            said = difflib.unified_diff(
                golden.splitlines(), text.splitlines(), f"golden {file}", "made now", lineterm=""
            )
            pytest.fail("\n".join([f"{name}/{file} differs.", *list(said)[:60], REGENERATE]), pytrace=False)


def test_there_are_no_golden_files_of_exports_that_are_gone() -> None:
    found = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file()}
    assert found == set(exports.files()), REGENERATE


def test_every_form_of_every_target_is_among_them() -> None:
    wanted = {(form, each.name) for each in (*rows(), *formats()) for form in each.exports}
    assert wanted == {(each.form, each.target) for each in CASES.values()}
