"""Files of the checkout that an installed hostgate brings too: documentation, the policy pack, CI."""

from pathlib import Path

import hostgate

_PACKAGE = Path(hostgate.__file__).resolve().parent


def shipped(name: str) -> Path:
    """The file that a checkout has at `name`: in a wheel the copy within the package."""
    copy = _PACKAGE / "_checkout" / name
    return copy if copy.exists() else _PACKAGE.parents[1] / name


def page(name: str) -> str:
    """The path of a page of the documentation, from the current folder if it is below it."""
    path = shipped(f"docs/{name}")
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
