"""Every form of a line in `forms.txt` is read as Suricata 7.0.10 reads it: loaded, refused, or skipped without a word."""

from pathlib import Path

import pytest

from dataplane.aws.replay import SuricataError, accept, version
from hostgate.suricata.reader import ACTIONS, ParsedRule, UnreadLine, read_rules
from hostgate.suricata.steps import steps_of

FORMS = [(line[:8].strip(), line[8:]) for line in (Path(__file__).parent / "forms.txt").read_text().splitlines()]
VARIABLES = {"HOME_NET": "[10.0.0.0/8]", "EXTERNAL_NET": "!$HOME_NET", "HTTP_PORTS": "80"}
LOADED = [line for what, line in FORMS if what == "loaded"]
REFUSED = [line for what, line in FORMS if what == "refused"]
SKIPPED = [line for what, line in FORMS if what == "skipped"]


@pytest.mark.parametrize("line", LOADED)
def test_what_the_engine_loads_is_read(line: str) -> None:
    (found,) = read_rules(line)
    if line.split()[0].lower() in ACTIONS:
        assert isinstance(found, ParsedRule), found
    else:
        assert isinstance(found, UnreadLine)  # the engine's, and none of the service's


@pytest.mark.parametrize("line", REFUSED)
def test_what_the_engine_refuses_decides_nothing_for_certain(line: str) -> None:
    steps = list(steps_of(read_rules(line), VARIABLES, "g"))
    assert steps
    assert all(step.box.doubts for step in steps)


@pytest.mark.parametrize("line", SKIPPED)
def test_what_the_engine_skips_is_a_comment_or_is_said_to_be_unread(line: str) -> None:
    assert all(isinstance(found, UnreadLine) for found in read_rules(line))


def test_the_same_rule_in_eight_layouts_is_one_rule() -> None:
    """Blanks and tabs between words, blanks in lists and around options, letters of either case."""
    plain = 'pass tls [10.0.0.0/8,11.0.0.0/8] any -> any 443 (tls.sni; content:"a.b"; endswith; sid:1;)'
    for line in (
        plain,
        plain.replace("8,11", "8, 11"),
        plain.replace("[10", "[ 10"),
        plain.replace(" ", "\t", 2),
        plain.replace(" any", "  any"),
        plain.replace("pass tls", "PASS TLS"),
        plain.replace("tls.sni", "TLS.SNI").replace("tls.sni", "tls_sni"),
        plain.replace("; ", " ; ") + "  ",
    ):
        assert read_rules(line) == read_rules(plain), line


def test_a_rule_both_ways_a_comment_and_an_indented_rule_are_told_apart() -> None:
    found = read_rules("  # a comment\npass tcp any any <> any any (sid:1;)\n\n pass tcp any any -> any any (sid:2;)\n")
    assert [type(each) for each in found] == [ParsedRule, UnreadLine]
    assert isinstance(found[0], ParsedRule)
    assert found[0].both_ways
    assert found[1].where == "line 4"


@pytest.mark.skipif(version() is None, reason="Suricata is not installed: sh tests/dataplane/setup.sh")
@pytest.mark.parametrize("line", [*LOADED, *REFUSED][::8])
def test_the_table_is_what_the_installed_engine_says(line: str, tmp_path: Path) -> None:
    ports = '  port-groups:\n    HTTP_PORTS: "80"\n'
    try:
        accept([line], ["10.0.0.0/8"], tmp_path, sets=ports)
    except SuricataError:
        assert line in REFUSED
    else:
        assert line in LOADED
