"""Rule strings as the simulated Network Firewall reads them: options end where the engine says, whatever stands in them."""

import pytest

from hostgate.aws.rule_text_checks import check_rules

HEAD = "pass tls $HOME_NET any -> $EXTERNAL_NET 443 "


def objections(rules: str) -> list[str]:
    return [problem.what for problem in check_rules(rules, "rulesString", {}, strict=True)]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (r'(msg:"a\; gid:1\; b"; sid:1; rev:1;)', []),
        ('(msg:"a; gid:1; b"; sid:1; rev:1;)', ["not a rule"]),
        (r'(msg:"a\"; gid:1; b"; sid:1; rev:1;)', ["keyword not supported"]),
        (r"(msg:a\; gid:1; sid:1; rev:1;)", ["not a rule"]),
        ('(msg:"a"; gid:1; sid:1; rev:1;)', ["keyword not supported"]),
        ('(msg:"never closed; gid:1; sid:1; rev:1;)', ["not a rule"]),
        ("(sid:1; rev:1", ["not a rule"]),
    ],
)
def test_a_semicolon_ends_an_option_inside_quotes_too_and_after_a_backslash_none(
    options: str, expected: list[str]
) -> None:
    assert objections(HEAD + options) == expected


@pytest.mark.parametrize("letter", ['"', "\\", 'a"', '"a\\', ";", "a"])
def test_a_rule_of_a_million_hostile_characters_is_read_once(letter: str) -> None:
    found = objections(f"{HEAD}({letter * (1_000_000 // len(letter))})")
    assert "rule too long" in found
