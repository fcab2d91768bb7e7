"""`hostgate survey --report`: which files can be written, before anything is asked; and writing them."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hostgate.catalog.file_output import replace_file
from hostgate.cli.report_place import unwritable_place

if TYPE_CHECKING:
    from hostgate.dns.analysis import Analysis
    from hostgate.dns.document import Document

_PAGE_NEEDS = ("jinja2", "matplotlib")


def check(path: Path) -> str | None:
    """Why no report can be written to `path`; None if it can. A survey may take a day, and this is known before."""
    if path.suffix.lower() not in (".md", ".html"):
        return f"found the ending {path.suffix!r}. Allowed: .md (Markdown) or .html (one HTML page)."
    if (why := unwritable_place(path)) is not None:
        return why
    missing = [name for name in _PAGE_NEEDS if find_spec(name) is None] if path.suffix.lower() == ".html" else []
    if missing:
        from hostgate.requirement import install_command

        return f"a page needs {' and '.join(missing)}, not installed here: {install_command('report')}; or name a .md file."
    return None


def write_reports(paths: Sequence[Path], made: "Document", analysis: "Analysis", hosts: int) -> None:
    """Write a report to each of `paths`, with details of so many hosts. Raises InputError."""
    from hostgate.dns.report.content import report
    from hostgate.dns.report.markdown_report import markdown

    content = report(made, analysis, hosts)
    for path in paths:
        if path.suffix.lower() == ".html":
            from hostgate.dns.report.html_report import page

            text = page(content)
        else:
            text = markdown(content)
        replace_file(path, text.encode(), "report-unwritable")
        click.echo(f"Wrote {path}.", err=True)
