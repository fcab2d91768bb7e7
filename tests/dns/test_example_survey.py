"""The survey in examples/ is what its script makes."""

import example_survey


def test_the_example_is_up_to_date() -> None:
    assert example_survey.PATH.read_text("utf-8") == example_survey.text(), "python tests/dns/example_survey.py"
