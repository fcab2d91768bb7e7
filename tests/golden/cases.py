"""Which plans have golden files, and what stands in them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from hostgate.catalog.selection import select
from hostgate.planning.mechanism import targets
from hostgate.planning.plan import Plan, plan

FOLDER = Path(__file__).parent / "files"
CATALOG = "chainguard/images"
REVISIONS = ("2024-03-28", "2026-02-23")
"""The reference revision and the newest."""

MODES = ("enforce", "audit")


class Case(NamedTuple):
    """One plan with the mechanism's own defaults."""

    target: str
    revision: str
    mode: str

    def __str__(self) -> str:
        return f"{self.target} {self.revision} {self.mode}"

    @property
    def folder(self) -> str:
        return f"{self.revision}/{self.mode}/{self.target.replace(':', '-')}"

    def plan(self) -> Plan:
        return plan(select(f"{CATALOG}@{self.revision}"), self.target, mode=self.mode)

    def files(self) -> dict[str, str]:
        """Contents by path below FOLDER: the plan's objects and decisions, and each rule text."""
        made = self.plan()
        written = made.as_json()
        shown = {key: written[key] for key in ("target", "digest", "objects", "decisions")}
        found = {f"{self.folder}/plan.json": json.dumps(shown, indent=2, ensure_ascii=False) + "\n"}
        texts = {each.name: each.text for each in made.objects if each.text is not None}
        return found | {f"{self.folder}/{name}.rules": text for name, text in texts.items()}


def cases() -> Iterator[Case]:
    """Every registered mechanism, both revisions, both modes."""
    for target in targets():
        for revision in REVISIONS:
            for mode in MODES:
                yield Case(target, revision, mode)
