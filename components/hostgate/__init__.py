"""hostgate: a reviewed catalog of vendor hosts becomes egress rules on AWS, Google Cloud and Azure.

`select` takes catalogs at revisions, `plan` turns a selection into one cloud's objects, decisions and findings; the
components in `hostgate.aws`, `hostgate.gcp` and `hostgate.azure` make the objects with Pulumi.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hostgate.catalog.problems import InputError, Problem
    from hostgate.catalog.selection import Acceptance, Selection, select
    from hostgate.flows.flow import Flow, Verdict
    from hostgate.planning.grants import Grant
    from hostgate.planning.plan import Plan, plan

__version__ = "0.1.0"
__all__ = ["Acceptance", "Flow", "Grant", "InputError", "Plan", "Problem", "Selection", "Verdict", "plan", "select"]

_HOMES = {
    "Acceptance": "hostgate.catalog.selection",
    "Selection": "hostgate.catalog.selection",
    "select": "hostgate.catalog.selection",
    "InputError": "hostgate.catalog.problems",
    "Problem": "hostgate.catalog.problems",
    "Flow": "hostgate.flows.flow",
    "Verdict": "hostgate.flows.flow",
    "Grant": "hostgate.planning.grants",
    "Plan": "hostgate.planning.plan",
    "plan": "hostgate.planning.plan",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
