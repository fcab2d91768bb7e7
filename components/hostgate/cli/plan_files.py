"""Plans as files: one folder a target, each replaced whole or not at all."""

import json
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from hostgate.catalog.problems import InputError, Problem

if TYPE_CHECKING:
    from hostgate.planning.plan import Plan


def write_plans(plans: Sequence["Plan"], out: Path) -> None:
    """Write each plan's rule text (`*.rules`) and API bodies (`*.json`) to `out`/CLOUD-MECHANISM.

    The new folders are written aside first and then take the old ones' places; if that fails the old ones are put
    back. Raises InputError if the disk or the permissions do not allow it.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".hostgate-", dir=out) as aside:
            fresh, old = Path(aside, "new"), Path(aside, "old")
            for plan in plans:
                _write(plan, fresh / _folder(plan))
            old.mkdir()
            _swap([_folder(plan) for plan in plans], fresh, old, out)
    except OSError as error:
        raise InputError(
            [
                Problem(
                    rule="out",
                    file=str(out),
                    message=f"Cannot write there: {error.strerror or error}. Nothing was changed.",
                )
            ]
        ) from None


def _folder(plan: "Plan") -> str:
    return plan.target.replace(":", "-")


def _write(plan: "Plan", folder: Path) -> None:
    folder.mkdir(parents=True)
    for each in plan.objects:
        place = folder / each.folder
        place.mkdir(exist_ok=True)
        body = json.dumps(each.body, indent=2, ensure_ascii=False) + "\n"
        (place / f"{each.name}.json").write_text(body, encoding="utf-8")
        if each.text is not None:
            (place / f"{each.name}.rules").write_text(each.text, encoding="utf-8")


def _swap(names: Sequence[str], fresh: Path, old: Path, out: Path) -> None:
    moved: list[tuple[Path, Path]] = []
    try:
        for name in names:
            if (out / name).exists():
                (out / name).rename(old / name)
                moved.append((old / name, out / name))
            (fresh / name).rename(out / name)
            moved.append((out / name, fresh / name))
    except OSError:
        for source, target in reversed(moved):
            with suppress(OSError):
                shutil.move(source, target)
        raise
