"""Decisions in a component's inputs: what goes in comes out, whatever an entry says, and nothing else is read."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostgate.catalog.model import MATCHES, PROTOCOLS, Entry
from hostgate.planning.decision import Decision, Outcome, read_registered

WORDS = st.text("abcdefgh-0123456789", min_size=1, max_size=12)
DECISIONS = st.builds(
    Decision,
    st.builds(
        Entry,
        catalog=st.tuples(WORDS, WORDS).map("/".join),
        id=WORDS,
        host=st.tuples(WORDS, WORDS).map(".".join),
        match=st.sampled_from(MATCHES),
        port=st.integers(1, 65535),
        protocol=st.sampled_from(PROTOCOLS),
        purpose=st.text().filter(lambda text: text == text.strip()),
    ),
    st.sampled_from(get_args(Outcome)),
    st.just(""),
    st.none() | st.tuples(WORDS, WORDS).map("#".join),
)


@given(st.lists(DECISIONS, unique_by=lambda each: each.entry.key))
def test_what_a_component_registers_reads_back_as_it_was(decisions: list[Decision]) -> None:
    assert list(read_registered(dict(each.registered for each in decisions))) == decisions


def test_a_deployment_of_version_0_1_0_is_read_with_its_purposes() -> None:
    (read,) = read_registered(
        ["registry allowed exact cgr.dev:443/https c-allow#1"], {"registry": "Main image registry"}
    )
    assert (read.entry.key, read.entry.host, read.entry.purpose) == (
        ("", "registry"), "cgr.dev", "Main image registry",
    )  # fmt: skip
    assert (read.outcome, read.rule) == ("allowed", "c-allow#1")


@pytest.mark.parametrize(
    "words",
    [
        "",
        "allowed",
        "allowed exact cgr.dev:443/https",
        "open exact cgr.dev:443/https -",
        "allowed any cgr.dev:443/https -",
        "allowed exact cgr.dev:0/https -",
        "allowed exact cgr.dev:65536/https -",
        "allowed exact cgr.dev:٤٤٣/https -",
        "allowed exact cgr.dev/https -",
        "allowed exact :443/https -",
        "allowed exact cgr.dev:443/ftp -",
    ],
)
def test_what_is_no_decision_is_named(words: str) -> None:
    with pytest.raises(ValueError, match="found the decision"):
        read_registered({"a/b#c": words})
    with pytest.raises(ValueError, match="found the decision"):
        read_registered([f"c {words}"])


@pytest.mark.parametrize("registered", [None, "x", 3, [3], [None]])
def test_what_holds_no_decisions_is_named(registered: object) -> None:
    with pytest.raises(ValueError, match="found the decision"):
        read_registered(registered)
