"""The report's page as Chromium shows it: it loads nothing, complains of nothing, fits a phone, and can be read."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from browser import CHROMIUM, Browser, Page, browser
from report_samples import HOSTILE, studied

from hostgate.dns.report.html_report import page

WIDTHS = (390, 1280)
ENOUGH = 4.5
"""The least contrast of text, WCAG 2.2, 1.4.3."""

OPEN_ALL = "document.querySelectorAll('details').forEach(each => each.open = true)"
OVER_THE_EDGE = """
[...document.querySelectorAll('body *')].filter(each => {
  for (let up = each; up; up = up.parentElement) if (getComputedStyle(up).overflowX === 'auto') return up === each
    && each.getBoundingClientRect().right > innerWidth + 1;
  return each.getBoundingClientRect().right > innerWidth + 1;
}).map(each => each.outerHTML.slice(0, 200))
"""
CONTRASTS = """
(() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
  const rgba = colour => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, n) => sum + v * [.2126, .7152, .0722][n], 0);
  const behind = each => {
    for (; each; each = each.parentElement) {
      const colour = rgba(getComputedStyle(each).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return rgba('Canvas');
  };
  const found = {};
  for (const each of document.querySelectorAll('body *')) {
    if (![...each.childNodes].some(node => node.nodeType === 3 && node.data.trim())) continue;
    const drawn = each.namespaceURI.endsWith('svg');
    const style = getComputedStyle(each);
    const pair = [light(rgba(drawn ? style.fill : style.color)), light(behind(each))].sort((a, b) => b - a);
    const key = each.tagName + '.' + (each.getAttribute('class') || '');
    found[key] = Math.min(found[key] ?? 99, (pair[0] + .05) / (pair[1] + .05));
  }
  return found;
})()
"""
SHAPES = """
[...document.querySelectorAll('svg path')].map(each => getComputedStyle(each)).map(style => [style.fill, style.stroke])
"""


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if CHROMIUM is None:
        reason = "chromium is not installed. sh tests/dns/setup.sh installs it on Debian."
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with browser(tmp_path_factory.mktemp("chromium")) as made:
        yield made


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "survey.html"
    path.write_text(page(studied()[1]), "utf-8")
    return path


def opened(chromium: Browser, file: Path, width: int, scheme: Literal["light", "dark"] = "light") -> Page:
    shown = chromium.open(file, width=width, scheme=scheme)
    shown.value(OPEN_ALL)
    return shown


@pytest.mark.parametrize("width", WIDTHS)
def test_it_loads_nothing_and_the_browser_has_no_complaint(chromium: Browser, file: Path, width: int) -> None:
    shown = opened(chromium, file, width)
    assert shown.requests == [file.as_uri()]
    assert shown.complaints == []
    assert shown.value("document.title") == "DNS survey: 8 hosts"
    assert HOSTILE in shown.value("document.body.innerText")


def test_the_check_sees_a_page_that_loads_something_or_complains(chromium: Browser, tmp_path: Path) -> None:
    path = tmp_path / "bad.html"
    path.write_text(
        "<img src='http://192.0.2.1/x.png'><script>console.error('no')</script><p style='width:3000px'>wide"
    )
    shown = chromium.open(path, width=390)
    assert "http://192.0.2.1/x.png" in shown.requests
    assert shown.complaints
    assert shown.value(OVER_THE_EDGE)


def test_the_page_forbids_itself_to_load_anything(chromium: Browser, file: Path, tmp_path: Path) -> None:
    path = tmp_path / "changed.html"
    path.write_text(
        file.read_text("utf-8").replace("</main>", "<script>document.title = 'ran'</script></main>"), "utf-8"
    )
    shown = chromium.open(path, width=390)
    assert shown.value("document.title") == "DNS survey: 8 hosts"
    assert any("Content Security Policy" in each for each in shown.complaints)


@pytest.mark.parametrize("width", WIDTHS)
def test_it_fits_the_window_and_wide_things_scroll_in_their_own_box(chromium: Browser, file: Path, width: int) -> None:
    shown = opened(chromium, file, width)
    assert shown.value("innerWidth") == width
    assert shown.value("document.documentElement.scrollWidth") <= width
    assert shown.value(OVER_THE_EDGE) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_enough_contrast(chromium: Browser, file: Path, scheme: Literal["light", "dark"]) -> None:
    found = opened(chromium, file, 1280, scheme).value(CONTRASTS)
    assert {"text.", "SPAN.chip unfit", "TD.", "H1.", "DT."} <= found.keys()
    assert {what: round(ratio, 2) for what, ratio in found.items() if ratio < ENOUGH} == {}


def test_pictures_take_their_colours_from_the_page(chromium: Browser, file: Path) -> None:
    light, dark = (opened(chromium, file, 1280, scheme).value(SHAPES) for scheme in ("light", "dark"))  # type: ignore[arg-type]
    assert len(light) == len(dark) > 100
    coloured = [each for each in zip(light, dark, strict=True) if each[0] != ["none", "none"]]
    assert all(before != after for before, after in coloured)
    assert not re.search(r"#(0[1-9])\1\1", file.read_text("utf-8"))  # what they were drawn with


def test_the_first_hosts_are_open_and_the_others_a_line(chromium: Browser, file: Path) -> None:
    shown = chromium.open(file, width=1280)
    assert shown.value("[...document.querySelectorAll('details')].map(each => each.open)") == [True] * 3 + [False] * 5
