"""One Hypothesis profile for every test: deterministic, so that a red build is red again when it is repeated."""

import os

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "ci", derandomize=True, deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ci")

os.environ["COLUMNS"] = "160"  # tables fit the terminal, and a test has none


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which Suricata judged. Here, because a process that only hands tests to others loads no conftest below."""
    reports = (report for reports in terminalreporter.stats.values() for report in reports)
    if any("dataplane/aws/" in getattr(report, "nodeid", "") for report in reports):
        from dataplane.aws.replay import version

        terminalreporter.write_line(f"data plane: Suricata {version() or 'is missing'}")
