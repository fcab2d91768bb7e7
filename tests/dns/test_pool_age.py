"""`hostgate pool show --max-age`: whether what refreshes a pool still does, by what it saw and not by whether it lives."""

from pathlib import Path

import pytest

from cli.conftest import Run, run
from hostgate.cli import pool_command
from hostgate.planning.pool_form import told_time

__all__ = ["run"]

NOW = 1_790_000_000
HOUR = 3600
POOL = """hostgate-pool 1
host both.example window 86400
  192.0.2.1 first {old} seen eu {old} us {fresh}
  192.0.2.2 first {old} seen eu {fresh}
host six.example window 86400
  2001:db8::1 first {old} seen us {old}
host unborn.example window 86400
host wide.example window 864000
  192.0.2.9 first {old} seen eu {fresh}
end
"""


@pytest.fixture
def pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Seen an hour ago, or five."""
    monkeypatch.setattr(pool_command.time, "time", lambda: NOW + 0.5)
    path = tmp_path / "pool.txt"
    path.write_text(POOL.format(old=told_time(NOW - 5 * HOUR), fresh=told_time(NOW - HOUR)))
    return path


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["both.example", "--max-age", "2h"], 0, ""),
        (["both.example", "--max-age", "1h"], 0, ""),
        (["both.example", "--max-age", "2h", "--vantage", "eu"], 0, ""),
        (["both.example", "--max-age", "2h", "--vantage", "us"], 0, ""),
        (["both.example", "--max-age", "2h", "--vantage", "asia"], 6, "both.example: not seen yet by asia."),
        (["six.example", "--max-age", "2h"], 6, "six.example: last seen"),
        (["six.example", "--max-age", "6h"], 0, ""),
        (["six.example", "--max-age", "6h", "--vantage", "eu"], 6, "six.example: not seen yet by eu."),
        (["unborn.example", "--max-age", "2h"], 6, "unborn.example: not seen yet."),
        (["both.example", "six.example", "--max-age", "2h"], 6, "300 minutes ago"),
        (["--max-age", "10h"], 6, "unborn.example: not seen yet."),
        (["both.example", "--max-age", "59m"], 1, "Allowed: 3,600 s or more."),
        (["wide.example", "--max-age", "2h"], 1, "Allowed: 36,000 s or more."),
        (["nobody.example", "--max-age", "2h"], 1, "It has no nobody.example."),
        (["both.example", "--vantage", "eu"], 2, "give both"),
        (["both.example", "--max-age", "soon"], 2, "is no time"),
        (["both.example", "--max-age", "2h", "--vantage", "two words"], 2, "is none"),
    ],
)
def test_the_code_says_whether_a_host_was_seen_lately(
    run: Run, pool: Path, words: list[str], code: int, said: str
) -> None:
    made = run("pool", "show", "--pool", pool, *words)
    assert (made.code, said in " ".join(made.err.split())) == (code, True)
    assert bool(made.err) == bool(code)


def test_without_the_option_nothing_is_late(run: Run, pool: Path) -> None:
    assert run("pool", "show", "--pool", pool, "six.example").code == 0
    assert "late" not in run("pool", "show", "--pool", pool, "six.example", "--json").json


def test_the_document_has_what_is_late_and_an_empty_list_where_nothing_is(run: Run, pool: Path) -> None:
    made = run("pool", "show", "--pool", pool, "both.example", "six.example", "--max-age", "2h", "--json")
    assert (made.code, [each["host"] for each in made.json["late"]]) == (6, ["six.example"])
    assert run("pool", "show", "--pool", pool, "both.example", "--max-age", "2h", "--json").json["late"] == []


def test_a_sighting_that_is_to_come_is_no_fresh_one(run: Run, pool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_command.time, "time", lambda: float(NOW - 10 * HOUR))
    made = run("pool", "show", "--pool", pool, "both.example", "--max-age", "2h")
    assert (made.code, "a clock is wrong" in made.err) == (6, True)


def test_a_pool_without_a_host_is_not_fresh(run: Run, pool: Path) -> None:
    pool.write_text("hostgate-pool 1\nend\n")
    assert run("pool", "show", "--pool", pool).code == 0
    assert run("pool", "show", "--pool", pool, "--max-age", "2h").code == 1
