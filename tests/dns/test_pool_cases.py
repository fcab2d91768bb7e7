"""Predictions against simulated truth, on the 24 pools: within a factor of two, and never ok where clients are dropped."""

from pathlib import Path

import pytest
from pool_cases import CHURNING, SIZES, Cell, predicted, recorded, tables, truth

from hostgate.dns.host_verdicts import word

PAGE = Path(__file__).parents[2] / "docs" / "ttl.md"
TRUE = recorded()

AGAIN = [
    *[cell for cell in TRUE if cell.shared and (cell.size, cell.answer) == (16, 4)][:3],
    Cell("grace", 16, 4, 60.0, 10.0, keep=1440.0),
    Cell("churn", 16, 4, 300.0, 60.0, keep=86_400.0, life=1),
]
"""Cells that are simulated again in every run, to see that the recorded truth is what the simulation says."""

pool = pytest.mark.parametrize(
    ("table", "size", "answer"),
    [(table, *each) for table in ("no grace", "grace") for each in SIZES] + [("churn", *each) for each in CHURNING],
    ids=lambda value: str(value),
)
"""23 pools; the 24th is followed by its name on the wire, where nothing is predicted and nothing is dropped."""


@pool
def test_the_prediction_is_within_twice_the_truth(table: str, size: int, answer: int) -> None:
    for cell, true in TRUE.items():
        if (cell.table, cell.size, cell.answer) == (table, size, answer) and true > 1e-3:
            assert true / 2 <= predicted(cell).estimate <= 2 * true, cell.label


@pool
def test_the_verdict_is_never_ok_where_one_in_a_hundred_is_dropped(table: str, size: int, answer: int) -> None:
    for cell, true in TRUE.items():
        if (cell.table, cell.size, cell.answer) == (table, size, answer) and true > 1e-2:
            assert word(predicted(cell)) in ("unfit", "risky", "unknown"), cell.label


def test_neither_is_said_of_few_cells_only() -> None:
    assert sum(true > 1e-3 for true in TRUE.values()) > 100
    assert sum(true > 1e-2 for true in TRUE.values()) > 90
    assert any(word(predicted(cell)) == "ok" for cell in TRUE)


@pytest.mark.parametrize("cell", AGAIN, ids=lambda cell: cell.label)
def test_the_recorded_truth_is_what_the_simulation_says(cell: Cell) -> None:
    assert truth(cell) == pytest.approx(TRUE[cell], rel=0.01)


def test_the_page_has_the_tables_as_they_are_measured() -> None:
    assert tables() in PAGE.read_text("utf-8"), "Paste what this prints: python tests/dns/pool_cases.py"
