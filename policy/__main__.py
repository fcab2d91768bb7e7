"""The policy pack. Its rules are hostgate.policies, its settings settings.yaml beside this file."""

import sys
from pathlib import Path

try:
    from hostgate.policies.pack import run
except ImportError as error:
    sys.exit(
        f"The policy pack needs hostgate with its extra `sandbox` in {sys.executable}: {error}.\n"
        "Install it there, or put the environment that has it first on PATH (or name its python in PULUMI_PYTHON_CMD)."
    )

run(Path(__file__).resolve().parent)
