"""The hostgate that runs, as pip finds it again: nobody else may have the name on an index."""

import json
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distribution

import hostgate


def requirement(extras: Sequence[str]) -> str:
    """A requirement (PEP 508) for it with `extras`: its version, or the commit, archive or folder that it came from (PEP 610)."""
    what = f"hostgate[{','.join(extras)}]"
    try:
        text = distribution("hostgate").read_text("direct_url.json")
    except PackageNotFoundError:
        text = None
    if text is None:
        return f"{what}=={hostgate.__version__}"
    origin = json.loads(text)
    if commit := origin.get("vcs_info"):
        return f"{what} @ {commit['vcs']}+{origin['url']}@{commit['commit_id']}"
    return f"{what} @ {origin['url']}"


def install_command(extra: str) -> str:
    """What installs `extra` beside what is here."""
    return f"pip install '{requirement([extra])}'"
