"""What every report's page is made with: templates that escape everything, and one look, light and dark."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from hostgate.catalog.problems import printable

_HERE = Path(__file__).parent
_STYLE = _HERE / "page.css"


def environment(folder: Path) -> Environment:
    """For the templates in `folder`, which may include `head.html`: what keeps a page from loading anything."""
    return Environment(
        loader=FileSystemLoader([folder, _HERE]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def style() -> Markup:
    """The style sheet, as it stands in a page."""
    return Markup(_STYLE.read_text("utf-8"))


def _shown(value: Any) -> Any:
    """What stands for `value`, before it is escaped; markup is the page's own."""
    return printable(value) if type(value) is str else value
