"""The rule that a decision names, found again where it stands."""

import pytest

from hostgate.planning.decision import rules_decided


@pytest.mark.parametrize(
    ("decided", "met", "same"),
    [
        ("hostgate-allow#12", "hostgate-allow#12", True),
        ("hostgate-allow#12", "hostgate-allow-a3ac61e#12", True),
        ("hostgate-allow", "hostgate-allow-a3ac61e", True),
        ("hostgate-list", "hostgate-list#cgr.dev", True),
        ("hostgate-list", "hostgate-list-0123abc#cgr.dev", True),
        ("hostgate-allow#12", "hostgate-allow-a3ac61e#13", False),
        ("hostgate-allow#12", "hostgate-allow-team#12", False),
        ("hostgate-allow#12", "hostgate-allow-a3ac61e9#12", False),
        ("hostgate", "hostgate-allow", False),
    ],
)
def test_a_rule_is_found_in_a_group_whose_name_the_engine_made_longer(decided: str, met: str, same: bool) -> None:
    assert (decided in rules_decided(met)) == same
