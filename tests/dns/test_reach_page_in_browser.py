"""The page of `hostgate reach --report` as Chromium shows it, in the look of the survey's and by the same measures."""

from datetime import date
from pathlib import Path
from typing import Literal

import pytest
from browser import Browser, Page
from report_samples import HOSTILE
from test_report_in_browser import CONTRASTS, ENOUGH, OVER_THE_EDGE, WIDTHS, chromium, opened

from hostgate.cli.acceptances import Acceptance
from hostgate.cli.reach_page import page
from hostgate.cli.reach_report import Line, PlaceReport, ReachReport
from hostgate.flows.flow import Flow

__all__ = ["chromium"]

LONG = "a-rule-with-a-very-long-name-" * 8
HELD = Acceptance(id="7c2be1cf", because="The mail relay of the shop", owner="shop team", until=date(2026, 12, 31))
ENDED = Acceptance(id="8d12e4f9", because=HOSTILE, owner=LONG, until=date(2026, 1, 31), ended=True)


def line(kind: str, number: int, rule: str, acceptance: Acceptance | None = None, entries: int = 0) -> Line:
    return Line(
        kind=kind, id=f"{number:08x}", flow=Flow("x.example"), rule=rule,
        connection="https 443 to any other name\nhttp 80 to x.example", owner="this stack", why=f"the rule {rule} allows it",
        counts=acceptance is None, acceptance=acceptance,
        entries=tuple((f"entry-{each}", f"{each}.{'label.' * 20}example") for each in range(entries)),
    )  # fmt: skip


def report(lines: int) -> ReachReport:
    place = PlaceReport(
        title=f"azure policy {LONG}", target="azure:application-rules", remark=HOSTILE,
        lines=(line("beyond", 1, HOSTILE), line("beyond", 2, LONG, HELD), line("beyond", 3, LONG, ENDED),
               line("missing", 4, "", entries=300), line("unknown", 5, ""), line("dead", 6, "old"),
               *(line("beyond", 7 + each, f"rule-{each}") for each in range(lines))),
        assumptions=("The clients' default routes lead to the firewall.", LONG),
        by_design=(("name-unproven", "A client that lies is not caught."), (LONG, HOSTILE)),
    )  # fmt: skip
    quiet = PlaceReport(
        title="aws queries of vpc-1", target="aws:dns-firewall", remark="", lines=(), assumptions=(), by_design=()
    )
    return ReachReport(
        day=date(2026, 11, 28), code=3, places=(place, quiet), asked=(("state", f"{LONG}.json, SHA-256 {'0' * 64}"),),
        accepted=((HELD, "beyond", "https 443 to x"), (ENDED, "beyond", "")),
    )  # fmt: skip


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "reach.html"
    path.write_text(page(report(2_000)), "utf-8")
    return path


@pytest.mark.parametrize("width", WIDTHS)
def test_it_loads_nothing_fits_the_window_and_the_browser_has_no_complaint(
    chromium: Browser, file: Path, width: int
) -> None:  # fmt: skip
    shown: Page = opened(chromium, file, width)
    assert (shown.requests, shown.complaints) == ([file.as_uri()], [])
    assert shown.value("document.title") == "Reach on 2026-11-28"
    assert HOSTILE in shown.value("document.body.innerText")
    assert shown.value("document.documentElement.scrollWidth") <= width
    assert shown.value(OVER_THE_EDGE) == []
    assert shown.value("document.querySelectorAll('.verdicts tbody').length") == 1_000 + 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_enough_contrast(
    chromium: Browser, file: Path, scheme: Literal["light", "dark"]
) -> None:  # fmt: skip
    found = opened(chromium, file, 1280, scheme).value(CONTRASTS)
    assert {
        "SPAN.chip beyond",
        "SPAN.chip missing",
        "SPAN.chip accepted",
        "SPAN.chip ended",
        "P.result",
    } <= found.keys()
    assert {what: round(ratio, 2) for what, ratio in found.items() if ratio < ENOUGH} == {}
