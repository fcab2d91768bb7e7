"""One Hypothesis profile for every test: deterministic, so that a red build is red again when it is repeated."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "ci", derandomize=True, deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ci")

os.environ["COLUMNS"] = "160"  # tables fit the terminal, and a test has none
