"""The hand-written program that benchmarks compare with registers what the dev stack does, or the ratios mean nothing."""

import json
import re
from pathlib import Path
from typing import Any

from hostgate.sandbox.builtin_preview import preview
from hostgate.stack import config_of_file

ROOT = Path(__file__).resolve().parents[2]
GENERATED = re.compile(r'-[0-9a-f]{7}"')
"""The end of a name that the engine makes up, which depends on the parent."""


def registered(program: Path) -> dict[str, Any]:
    made = preview(program, "dev", config_of_file(ROOT, "dev"))
    return {
        f"{each.type} {each.name}": (
            json.loads(GENERATED.sub('"', json.dumps(each.inputs, default=repr))),
            sorted(urn.rpartition("::")[2] for urn in each.dependencies),
        )
        for each in made.resources
        if each.custom
    }


def test_the_hand_written_program_registers_the_resources_of_the_dev_stack() -> None:
    assert registered(ROOT / "benchmarks" / "handwritten") == registered(ROOT)
