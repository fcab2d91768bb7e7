"""Names in URL filters and URL lists: what is written is what is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.catalogs import entry
from hostgate.catalog.model import MATCHES, Match
from hostgate.gcp.wildcards import read_wildcard, write_wildcard

LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)


@pytest.mark.parametrize("match", [each for each in MATCHES if each != "one-label"])
@given(labels=st.lists(LABELS, min_size=2, max_size=5))
def test_an_entry_is_read_as_it_was_written(match: Match, labels: list[str]) -> None:
    host = ".".join(labels)
    assert read_wildcard(write_wildcard(entry(host, match=match))) == (match, host)


@pytest.mark.parametrize(
    ("match", "text"),
    [
        ("exact", "x.example"),
        ("one-label", "*.x.example"),  # with an accepted widening: no form has a depth
        ("subtree", "*.x.example"),
        ("subtree+apex", "*x.example"),
    ],
)
def test_a_match_kind_is_a_form(match: Match, text: str) -> None:
    assert write_wildcard(entry("x.example", match=match)) == text
