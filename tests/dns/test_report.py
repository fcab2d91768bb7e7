"""The report: what stands in it and in which order, how much of it, and that strangers' names stay text."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from answers import answered, asked, run_of
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from report_samples import GOLDEN, HOSTILE, HOSTS, studied

from hostgate.catalog.problems import printable
from hostgate.dns.analysis import analyse
from hostgate.dns.document import document
from hostgate.dns.report.content import MOST_LISTED, SurveyReport, report
from hostgate.dns.report.html_report import page
from hostgate.dns.report.markdown_report import markdown
from hostgate.dns.report.wording import share, span, ttl_classes
from hostgate.dns.samples import Run, Sample

_PLAIN = frozenset(
    (
        "html",
        "head",
        "meta",
        "link",
        "title",
        "style",
        "body",
        "header",
        "main",
        "section",
        "h1",
        "h2",
        "h3",
        "small",
        "p",
        "ul",
        "li",
        "div",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "span",
        "a",
        "details",
        "summary",
        "br",
        "code",
        "dl",
        "dt",
        "dd",
        "figure",
        "figcaption",
        "svg",
        "defs",
        "g",
        "path",
        "use",
        "text",
        "clippath",
        "rect",
    )
)
"""Elements of the page itself."""
_VOID = {"meta", "link", "br"}
_REGENERATE = "make golden, or: python tests/dns/report_samples.py"


class Parsed(HTMLParser):
    """The elements of a page with their attributes, and its text by element."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    @property
    def text(self) -> str:
        return "".join(data for tag, data in self.texts if tag != "style")


@pytest.fixture(scope="module")
def made() -> SurveyReport:
    return studied()[1]


@pytest.fixture(scope="module")
def html(made: SurveyReport) -> str:
    return page(made)


def reported(records: Sequence[Run | Sample], **more: int) -> SurveyReport:
    analysis = analyse(records)
    return report(document(analysis), analysis, **more)


def tokens(text: str) -> Iterator[tuple[str, str]]:
    """Types of the Markdown's tokens and their contents, HTML and bare links allowed as on GitHub."""
    for block in MarkdownIt("commonmark", {"html": True}).enable("table").parse(text):
        for each in (block, *(block.children or ())):
            yield each.type, each.content


def cells(text: str) -> Iterator[str]:
    """What a reader sees in the cells of the Markdown's tables."""
    blocks = MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)
    for before, block in pairwise(blocks):
        if before.type == "td_open":
            yield "".join(each.content for each in block.children or ())


class TestContent:
    def test_the_markdown_is_the_expected_one(self, made: SurveyReport) -> None:
        assert markdown(made) == GOLDEN.read_text("utf-8"), _REGENERATE

    def test_the_worst_hosts_come_first(self, made: SurveyReport) -> None:
        words = [section.worst for section in made.sections]
        assert words == sorted(words, key=("unfit", "unknown", "risky", "ok").index)
        assert [section.host.host for section in made.sections] == [host.host for host in made.listed]
        assert {section.host.host for section in made.sections} == set(HOSTS)

    def test_every_host_and_mechanism_has_its_verdict_and_one_reason(self, made: SurveyReport) -> None:
        rows = list(made.verdicts)
        told = [(row.host, target) for row in rows for target in row.targets.split(", ")]
        assert len(told) == len(set(told)) == sum(len(host.verdicts) for host in made.listed)
        assert all(row.reason for row in rows)
        turning = next(row for row in rows if row.host == "turning.example" and row.verdict == "risky")
        assert (turning.targets, turning.refresh, turning.grace) == (
            "azure:application-rules (own-lookup)",
            "30 s",
            "39 min",
        )
        assert re.fullmatch(r"0\.\d+% \(0\.\d+% to 0\.\d+%\)", turning.false_drop)

    def test_verdicts_are_counted_by_mechanism(self, made: SurveyReport) -> None:
        counts = dict(made.counts)
        assert counts["gcp:fqdn"] == {"unfit": 3, "unknown": 5, "risky": 0, "ok": 0}
        assert all(
            sum(each.values()) == len(HOSTS) for target, each in counts.items() if not target.endswith("lookup)")
        )

    @pytest.mark.parametrize("form", [markdown, page])
    def test_both_forms_say_how_it_was_measured(self, made: SurveyReport, form: object) -> None:
        text = form(made)  # type: ignore[operator]
        for each in ("2026-09-21 14:13:20 to 2026-09-22 02:13", "lab", "10.0.0.2:53", "192.0.2.53:53", "1232 octets",
                     "duration 43200, rate 500", "hostgate 0", "a wildcard is no name that can be asked"):  # fmt: skip
            assert each in text

    def test_the_page_has_for_each_host_what_was_measured(self, html: str) -> None:
        parsed = Parsed(html)
        for each in ("hints that no answer held", "203.0.113.77", "edge.turning.example", "resolvers-disagree",
                     "share of A addresses in common", "nxdomain 1,416",
                     "timeout", "TTLs as shown", "ech.example, shared"):  # fmt: skip
            assert each in parsed.text
        pictures = [attributes["aria-label"] for tag, attributes in parsed.elements if tag == "svg"]
        assert "48 A addresses over 12 h, in the order of discovery." in pictures
        assert "Addresses seen against answers. A: 35 seen, estimate 12." in pictures
        assert "TTLs as shown: to 20 s: 1,416, to 30 s: 0, to 60 s: 1,416" in pictures
        assert len(pictures) == 9 + 2 * 7

    def test_a_survey_without_an_answer_has_a_report(self) -> None:
        empty = reported([run_of()])
        assert "nothing was asked" in markdown(empty)
        assert "nothing was asked" in page(empty)

    def test_ids_are_told_once_and_links_lead_somewhere(self, html: str) -> None:
        parsed = Parsed(html)
        ids = [attributes["id"] for _, attributes in parsed.elements if "id" in attributes]
        assert len(ids) == len(set(ids))
        links = [
            attributes[key] for _, attributes in parsed.elements for key in ("href", "xlink:href") if key in attributes
        ]
        clips = re.findall(r"url\((#[^)]*)\)", html)
        assert {str(each)[1:] for each in (*links, *clips) if str(each).startswith("#")} <= set(ids)
        assert {each for each in links if not str(each).startswith("#")} == {"data:,"}


class TestStrangers:
    def test_the_page_holds_no_element_that_a_name_brought(self, html: str) -> None:
        parsed = Parsed(html)
        assert not {tag for tag, _ in parsed.elements} & {"script", "img", "iframe", "object", "form", "base"}
        assert not [name for _, attributes in parsed.elements for name in attributes if name.startswith("on")]
        assert HOSTILE in parsed.text
        assert "<script" not in html

    def test_markdown_holds_no_markup_that_a_name_brought(self, made: SurveyReport) -> None:
        found = list(tokens(markdown(made)))
        assert not {kind for kind, _ in found} & {"html_inline", "html_block", "link_open", "image"}
        assert ("code_inline", HOSTILE) in [(kind, text.replace("\\|", "|")) for kind, text in found]

    @settings(max_examples=40, deadline=None)
    @given(st.text(min_size=1, max_size=40), st.text(max_size=40))
    def test_whatever_stands_in_a_name_is_shown_as_it_is(self, name: str, reason: str) -> None:
        lookup = answered(0, "a", host="a.example", chain=[("a.example", name, 20)])
        run = run_of("a.example", vantage=name, not_surveyed=((name, reason),))
        made = reported([run, lookup])
        html = page(made)
        parsed = Parsed(html)
        assert printable(name) in [text for tag, text in parsed.texts if tag == "td"]
        assert not {tag for tag, _ in parsed.elements} - _PLAIN
        text = markdown(made)
        assert html.replace("\n", "").isprintable()
        assert text.replace("\n", "").isprintable()
        assert not {kind for kind, _ in tokens(text)} & {"html_inline", "html_block", "link_open", "image", "em_open"}
        assert {printable(name).strip(), printable(reason).strip()} <= set(cells(text))

    @pytest.mark.parametrize("sign", ["\x1b[31m", "\u202e", "\x00", "\u2028", "\x85"])
    def test_control_characters_are_spelled(self, sign: str) -> None:
        made = reported([answered(0, "a", chain=[("cgr.dev", f"a{sign}b", 20)])])
        for text in (markdown(made), page(made)):
            assert sign not in text
            assert ascii(sign[0])[1:-1] in text


class TestSameBytes:
    def test_two_processes_make_the_same(self, html: str, tmp_path: Path) -> None:
        (tmp_path / "matplotlibrc").write_text("font.size: 30\nsvg.fonttype: path\nlines.linewidth: 9\n")
        code = (
            "from report_samples import studied; from hostgate.dns.report.html_report import page;"
            "import sys; sys.stdout.buffer.write(page(studied()[1]).encode())"
        )
        env = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "MATPLOTLIBRC": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=GOLDEN.parent, env=env, capture_output=True, check=True, timeout=120
        )
        assert done.stdout.decode() == html


@pytest.fixture(scope="module")
def many() -> list[Run | Sample]:
    pools = {f"host-{number:04}.example": (120, 8) if number % 2 else (1, 1) for number in range(MOST_LISTED + 100)}
    return [run_of(*pools), *asked(pools, 0.4)]


class TestSize:
    def test_a_thousand_hosts_fit_and_what_is_left_out_is_said(self, many: list[Run | Sample]) -> None:
        made = reported(many)
        html, text = page(made), markdown(made)
        assert len(html) < 4_000_000
        assert len(text) < 2_000_000
        assert html.count("<details") == text.count("\n## `") == 30
        for each in ("the worst 30 of 1,100 hosts", "the worst 1,000 of 1,100 hosts", "more shared addresses"):
            assert each in html
            assert each in text
        assert all(section.host.host[-9] in "13579" for section in made.sections)

    @pytest.mark.parametrize("number", [0, 3])
    def test_so_many_hosts_are_detailed_as_asked_for(self, many: list[Run | Sample], number: int) -> None:
        made = reported(many[:600], detailed=number)
        assert page(made).count("<details") == number

    def test_many_resolvers_are_cut_to_a_matrix_that_can_be_read(self) -> None:
        resolvers = tuple(f"10.0.{number}.2" for number in range(20))
        made = reported(list(asked({"a.example": (8, 2)}, 0.5, resolvers=resolvers)))
        assert "4 more resolvers are in --json" in page(made)


class TestWords:
    @pytest.mark.parametrize(
        ("seconds", "said"),
        [
            (0, "0 s"),
            (60, "60 s"),
            (119, "119 s"),
            (120, "2 min"),
            (3661, "1 h 1 min"),
            (86_400, "1 d"),
            (90_061, "1 d 1 h"),
        ],
    )
    def test_times(self, seconds: int, said: str) -> None:
        assert span(seconds) == said

    @pytest.mark.parametrize(
        ("value", "said"),
        [(0, "0%"), (1, "100%"), (0.999, "100%"), (0.75, "75%"), (0.00128, "0.13%"), (7.6e-6, "0.00076%")],
    )
    def test_shares(self, value: float, said: str) -> None:
        assert share(value) == said

    def test_only_classes_between_the_first_and_the_last_are_shown(self) -> None:
        counts = [0] * 15
        counts[6], counts[8] = 3, 1
        assert ttl_classes(counts) == (("to 60 s", 3), ("to 2 min", 0), ("to 5 min", 1))
        assert ttl_classes([0] * 15) == ()
