"""Suricata rules written by hand: which names they match, and what is never guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostgate.flows.address_sets import internet
from hostgate.flows.nodes import Node
from hostgate.policies.effects import ANY_PORT, Names, everywhere
from hostgate.policies.reading import Reading
from hostgate.policies.rule_groups import read_rule_group
from hostgate.policies.suricata_names import condition
from hostgate.suricata.reader import ParsedRule, UnreadLine, read_line, read_rules

HEAD = "pass tls $HOME_NET any -> $EXTERNAL_NET 443"


def group(text: str, **variables: object) -> Reading:
    inner = {"rulesSource": {"rulesString": text}, "statefulRuleOptions": {"ruleOrder": "STRICT_ORDER"}, **variables}
    return read_rule_group(Node({"capacity": 100, "ruleGroup": inner}))


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ('tls.sni; content:"cgr.dev"; startswith; endswith; nocase;', "cgr.dev"),
        ('tls.sni; content:"CGR.dev"; nocase; startswith; endswith;', "cgr.dev"),
        ('tls_sni; content:"cgr.dev"; depth:7; isdataat:!1,relative;', "cgr.dev"),
        ('tls.sni; content:"cgr.dev"; bsize:7;', "cgr.dev"),
        ('tls.sni; content:"cgr|2e|dev"; startswith; endswith;', "cgr.dev"),
        ('tls.sni; content:".cgr.dev"; endswith;', "subtree of cgr.dev"),
        ('tls.sni; dotprefix; content:".cgr.dev"; endswith;', "subtree+apex of cgr.dev"),
        ('tls.sni; dotprefix; content:".cgr.dev"; startswith; endswith;', "cgr.dev"),
        ('tls.sni; content:"cgr.dev"; endswith;', "any name ending 'cgr.dev'"),
        ('tls.sni; content:"cgr.dev"; startswith;', "any name containing 'cgr.dev'"),
        ('tls.sni; content:"cgr.dev";', "any name containing 'cgr.dev'"),
        ('tls.sni; content:"cgr"; content:"cgr.dev"; startswith; endswith;', "cgr.dev"),
        (r'tls.sni; content:".cgr.dev"; endswith; pcre:"/^[^.]+\.cgr\.dev$/i";', "one-label of cgr.dev"),
        (r'tls.sni; pcre:"/^cgr\.dev$/i";', "cgr.dev"),
        (r'tls.sni; pcre:"/(^|\.)cgr\.dev$/";', "subtree+apex of cgr.dev"),
        ('http.method; content:"GET"; http.host; content:"cgr.dev"; startswith; endswith;', "cgr.dev"),
        ('content:"cgr.dev"; http_host; depth:7; isdataat:!1,relative;', "cgr.dev"),
    ],
)
def test_a_condition_on_a_name_is_read(options: str, names: str) -> None:
    line = read_line(f"{HEAD} ({options} sid:1;)")
    assert isinstance(line, ParsedRule)
    found = condition(line)
    assert found is not None
    assert not isinstance(found, str), found
    assert ", ".join(map(str, found.names)) == names


def test_a_choice_of_names_is_several_names() -> None:
    reading = group(HEAD + r' (tls.sni; content:"dev"; pcre:"/^(cgr|apk\.cgr)\.dev$/"; sid:1;)')
    assert [str(effect.names) for effect in reading.effects] == ["any name containing 'dev'"]
    alone = group(HEAD + r' (tls.sni; pcre:"/^(cgr|apk\.cgr)\.dev$/"; sid:1;)')
    assert [str(effect.names) for effect in alone.effects] == ["cgr.dev", "apk.cgr.dev"]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (HEAD + ' (tls.sni; content:"cgr.dev"; startswith; endswith; sid:1;', "options that do not end in a bracket"),
        (HEAD + ' (tls.sni; content:"cgr.dev; sid:1;)', "a quote that never ends"),
        (HEAD + ' (tls.sni; content:"cgr.dev"; \\', "goes on in the next line"),
        (HEAD.replace("-> ", "") + " (sid:1;)", "no header of the form"),
        (HEAD.replace("pass", "allow") + " (sid:1;)", "the action 'allow'"),
        (HEAD + r' (tls.sni; pcre:"/cgr.*dev/"; sid:1;)', "the pattern"),
        (HEAD + ' (tls.sni; to_nowhere; content:"cgr.dev"; sid:1;)', "the keyword 'to_nowhere'"),
        (HEAD + ' (tls.sni; url_decode; content:"cgr.dev"; endswith; sid:1;)', "the keyword 'url_decode'"),
        (HEAD + ' (tls.sni; content:"cgr.dev"; dotprefix; endswith; sid:1;)', "`dotprefix` after the content"),
        (HEAD + ' (tls.sni; content:"cgr.dev"; offset:3; depth:7; sid:1;)', "a content with an offset"),
        (HEAD + ' (tls.sni; content:!"evil.example"; sid:1;)', "content !evil.example on tls.sni"),
        (HEAD + ' (http.user_agent; content:"curl"; sid:1;)', "content curl on http.user_agent"),
        (HEAD + " (flowbits:isset,known; sid:1;)", "flowbits"),
        (HEAD + " (tls.sni; sid:1;)", "tls.sni without a content"),
    ],
)
def test_what_cannot_be_read_is_a_doubt_about_names_and_never_nothing(line: str, why: str) -> None:
    reading = group(line)
    assert not reading.effects
    assert [doubt.why for doubt in reading.doubts if doubt.about == "names"] != []
    assert why in next(doubt.why for doubt in reading.doubts if doubt.about == "names")


def test_layout_does_not_matter() -> None:
    text = (
        "# a comment\n\n  # another\n"
        "PASS\ttls  [10.0.0.0/8, 192.168.0.0/16] any -> $EXTERNAL_NET [ 443, 8443:8445] "
        '( msg:"a: b \\" c"; tls.sni ;content : "cgr.dev" ; startswith;endswith; sid: 7 ; )  \n'
    )
    (line,) = read_rules(text)
    assert isinstance(line, ParsedRule)
    assert (line.number, line.where) == (4, "line 4 (sid 7)")
    (effect,) = group(text).effects
    assert effect.ports == ((443, 443), (8443, 8445))
    assert str(effect.names) == "cgr.dev"


def test_what_the_engine_skips_is_a_doubt() -> None:
    reading = group(f'  {HEAD} (tls.sni; content:"cgr.dev"; startswith; endswith; sid:1;)')
    assert not reading.effects
    assert "an indented rule: Suricata skips it" in reading.doubts[0].why


@pytest.mark.parametrize(
    ("port", "ports"),
    [
        ("any", ANY_PORT),
        ("!443", ((0, 442), (444, 65_535))),
        ("![80,443]", ((0, 79), (81, 442), (444, 65_535))),
        ("1024:", ((1024, 65_535),)),
        ("$WEB", ((80, 80), (443, 443))),
        ("$NOT_DECLARED", None),
        ("https", None),
    ],
)
def test_ports_are_read_or_a_doubt(port: str, ports: object) -> None:
    variables = {"portSets": [{"key": "WEB", "portSet": {"definitions": ["80", "443"]}}]}
    text = f'pass tls $HOME_NET any -> $EXTERNAL_NET {port} (tls.sni; content:"x.y"; startswith; endswith; sid:1;)'
    reading = group(text, ruleVariables=variables)
    assert [effect.ports for effect in reading.effects] == [ports]
    assert bool([doubt for doubt in reading.doubts if doubt.about == "ports"]) is (ports is None)


@pytest.mark.parametrize(
    ("address", "broad"),
    [
        ("any", True),
        ("$EXTERNAL_NET", True),
        ("!$HOME_NET", True),
        ("[0.0.0.0/1,128.0.0.0/1]", True),
        ("[any,!10.0.0.0/8]", True),
        ("::/0", True),
        ("$HOME_NET", None),
        ("[10.0.0.0/8,172.16.0.0/12]", None),
        ("198.51.100.0/24", False),
    ],
)
def test_destinations_of_one_meaning_are_read_alike(address: str, broad: bool | None) -> None:
    reading = group(f"pass tcp $HOME_NET any -> {address} 443 (sid:1;)")
    assert [everywhere(effect.destination or internet()) for effect in reading.effects] == (
        [] if broad is None else [broad]
    )


def test_a_set_from_elsewhere_is_a_doubt() -> None:
    reading = group("pass tcp $HOME_NET any -> @VENDOR 443 (sid:1;)")
    assert [doubt.about for doubt in reading.doubts] == ["destination"]


@given(st.text(max_size=200))
def test_no_line_is_too_strange(text: str) -> None:
    for line in read_rules(text):
        assert isinstance(line, ParsedRule | UnreadLine)
        if isinstance(line, ParsedRule):
            condition(line)


labels = st.sampled_from(["cgr", "dev", "apk", "x", "notcgr"])
hosts = st.lists(labels, min_size=1, max_size=4).map(".".join)


@given(
    contents=st.lists(
        st.tuples(st.booleans(), hosts, st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=3
    ),
    name=hosts,
)
def test_no_name_that_a_rule_matches_is_outside_of_what_is_read(
    contents: list[tuple[bool, str, bool, bool, bool]], name: str
) -> None:
    """`dotprefix` holds for the rest of the buffer; each content then has its own anchors (Suricata user guide)."""
    options, matched, dotted = "tls.sni; ", True, False
    for wants_dot, host, leading, starts, ends in contents:
        text = f".{host}" if leading else host
        if wants_dot and not dotted and options == "tls.sni; ":
            dotted = True
            options += "dotprefix; "
        options += f'content:"{text}"; {"startswith; " if starts else ""}{"endswith; " if ends else ""}'
        buffer = f".{name}" if dotted else name
        matched &= text in buffer
        matched &= not starts or buffer.startswith(text)
        matched &= not ends or buffer.endswith(text)
        matched &= not (starts and ends) or buffer == text
    line = read_line(f"{HEAD} ({options}sid:1;)")
    assert isinstance(line, ParsedRule)
    found = condition(line)
    assert found is not None
    assert not isinstance(found, str)
    if matched:
        assert any(Names("exact", name).inside(names) for names in found.names), (options, found)
