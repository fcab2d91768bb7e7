"""Words that a regular expression finds."""

import pytest

from hostgate.flows.pattern_words import words


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        (r"^evil[0-9]+\.example$", ("evil0.example",)),
        (r"\A(?:.*\.)?x\.example\Z", ("w.x.example", "x.example")),
        (r"(?:\A|\.)evil", ("evil", "w.evil")),
        (r"\A(?s:.){3,5}\Z", ("www",)),
        (r"(a|b)c{2}", ("acc", "bcc")),
        (r"(evil|bad)\.org", ("evil.org", "bad.org")),
        (r"[^w]b", ("xb",)),
        (r"[h-k]", ("h",)),
        (r"(?P<one>cdn|img)-\d{2}", ("cdn-00", "img-00")),
        (r"(?<!a)b", ("b",)),
        (r"a*", ("a",)),
        (r"(?=x)y", ()),
        (r"\s", ()),
        (r"[", ()),
        (r"", ()),
        (r"a{400}", ()),
    ],
)
def test_words_are_made_of_the_expression_and_tried(pattern: str, found: tuple[str, ...]) -> None:
    assert words(pattern) == found


def test_the_case_counts_where_it_counts() -> None:
    assert words("^Evil$", case=True) == ("Evil",)
