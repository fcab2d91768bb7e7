"""The comment: what the golden files say, nothing that foreign text could make of it, and never longer than allowed."""

import difflib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from conformance.catalogs import entry, many
from golden import comments
from golden.comments import BEFORE, HOSTILE, review
from hostgate.review.comment import FORGES, comment, marker
from hostgate.review.inert_markdown import LONGEST, code, table

GFM = MarkdownIt("gfm-like", {"html": True, "linkify": True})
"""Tables, strikethrough and links that nobody marked, as forges have them; with HTML, which they filter."""

OURS = {"<details>", "</details>", "<summary>", "</summary>", "<br>", "<sub>", "</sub>"}
REGENERATE = "If the change is meant, regenerate with `make golden` and look at the comment as it is rendered."


@pytest.mark.parametrize("name", sorted(comments.files()))
def test_the_comment_is_what_the_golden_file_says(name: str) -> None:
    place = comments.FOLDER / name
    if not place.exists():
        pytest.fail(f"{name} is missing. {REGENERATE}", pytrace=False)
    golden, made = place.read_bytes().decode(), comments.files()[name]
    if golden != made:
        lines = difflib.unified_diff(golden.splitlines(), made.splitlines(), "golden", "made now", lineterm="")
        pytest.fail("\n".join([*list(lines)[:60], REGENERATE]), pytrace=False)


def test_there_are_no_golden_comments_that_are_gone() -> None:
    assert {path.name for path in comments.FOLDER.iterdir()} == set(comments.files()), REGENERATE


HARD = st.text(
    st.sampled_from(
        [*"`|\\<>&@#*_[]()!~$:/\n\r\t-+='\" ", "\u202e", "\u200b", "\u2028", "\x00", "\x1b", "é", "a", "1"]
    ),
    max_size=60,
)
foreign = pytest.mark.parametrize("forge", FORGES)


@given(text=st.one_of(HARD, st.text(max_size=80), st.just(HOSTILE)))
def test_foreign_text_is_one_code_span_in_one_cell_and_nothing_else(text: str) -> None:
    lines = table(("a", "b"), [(code(text), "end")])
    tokens = list(_flat(GFM.parse("\n".join(lines) + "\n")))
    cells = [token for token in tokens if token.type == "td_open"]
    spans = [token for token in tokens if token.type == "code_inline"]
    assert len(cells) == 2
    assert len(spans) == (1 if code(text) else 0)
    assert not [token for token in tokens if token.type.startswith(("html", "link", "image", "em_", "strong", "s_"))]
    shown = "".join(token.content for token in spans)
    assert shown.isprintable()
    assert len(shown) <= LONGEST + len("... (cut)")


@given(purpose=HARD, notes=HARD, because=HARD)
def test_a_comment_has_no_html_link_or_mention_but_our_own(purpose: str, notes: str, because: str) -> None:
    after = (*BEFORE, entry("new.example", "new", purpose=purpose, notes=notes))
    tokens = list(_flat(GFM.parse(comment(review(BEFORE, after, override=because or "x")))))
    html = [token.content.strip() for token in tokens if token.type.startswith("html")]
    assert all(_ours(text) for text in html), html
    assert not [token for token in tokens if token.type in ("link_open", "image")]
    outside = "".join(token.content for token in tokens if token.type == "text")
    assert "@" not in outside


def _ours(html: str) -> bool:
    return html in OURS or html.startswith((marker("acme/prod"), "<details>\n<summary>"))


def _flat(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _flat(token.children or [])


class TestMarker:
    def test_it_is_the_first_line_and_the_same_for_every_change_of_a_stack(self) -> None:
        first = {comment(made()).splitlines()[0] for _, made in comments.cases()}
        assert first == {marker("acme/prod")}

    @given(one=st.text(max_size=30), other=st.text(max_size=30))
    def test_no_subject_ends_it_early_or_passes_for_another(self, one: str, other: str) -> None:
        text = marker(one)
        assert text.isascii()
        assert text.isprintable()
        assert text.count("-->") == text.count(">") == 1
        assert (text == marker(other)) == (one == other)


class TestLength:
    @foreign
    @pytest.mark.parametrize("hosts", [200, 3_000])
    def test_it_fits_the_forge_and_says_what_is_not_shown(self, forge: str, hosts: int) -> None:
        text = comment(review(BEFORE, (*BEFORE, *many(hosts))), forge)
        shown = text.count(".vendor.example`")
        assert len(text.encode()) <= FORGES[forge].max
        assert f"{hosts} hosts open" in text
        assert (shown == hosts) == (f"{hosts - shown} more rows do not fit here" not in text)
        assert shown == hosts or shown >= 100

    def test_long_notes_do_not_push_out_what_matters(self) -> None:
        after = [entry(f"h{number}.example", purpose="x" * 5_000, notes="ß" * 5_000) for number in range(400)]
        risky = entry("r2.cloudflarestorage.com", match="subtree", purpose="Blob storage")
        text = comment(review(BEFORE, (*after, risky), targets=("aws:rules",)))
        assert len(text.encode()) <= FORGES["github"].max
        assert "| wildcard | `r2.cloudflarestorage.com` |" in text
        assert "... (cut)" in text
