"""The cases of `hostgate pool push gcp-address-group` run in a process of their own: pulumi and the SDK of Google Cloud each
bring google.rpc.Status, and one process takes one of them. A push loads no pulumi."""

import re
import subprocess
import sys
from pathlib import Path

CASES = Path(__file__).parent / "gcp_address_group_cases.py"


def test_every_case_holds() -> None:
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", str(CASES)]
    done = subprocess.run(words, capture_output=True, text=True, cwd=CASES.parents[2], check=False, timeout=900)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) > 100
