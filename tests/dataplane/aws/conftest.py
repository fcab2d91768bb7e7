"""Suricata where it is installed; where it is not, the checks are skipped with the reason, and on CI they fail."""

import os

import pytest

from dataplane.aws.replay import version

_OLDEST = 7
_HOW = "sh tests/dataplane/setup.sh installs it on Debian"


@pytest.fixture(scope="session")
def suricata() -> str:
    """The version that judges."""
    found = version()
    if found is not None and int(found.partition(".")[0]) >= _OLDEST:
        return found
    reason = f"Suricata {_OLDEST} is needed; found {found or 'none'}. {_HOW}."
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
