"""The evaluation agrees with Suricata on a sample of rule sets and flows made at random; `make differential` runs many."""

from pathlib import Path

import pytest

from dataplane.aws.differential import compare, shortfalls


@pytest.mark.usefixtures("suricata")
def test_the_evaluation_never_says_what_suricata_does_not_do(tmp_path: Path) -> None:
    figures = compare(seed=11, sets=40, folder=tmp_path)
    assert not figures.refused
    assert list(shortfalls(figures)) == [], "\n".join(map(str, figures.disagreements[:3]))
