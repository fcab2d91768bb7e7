"""The report of reach as one HTML page that needs nothing else, in the look of the survey's."""

from pathlib import Path

from markupsafe import Markup

from hostgate.cli.reach_report import KINDS_OF_LINES, MOST_NAMED, ReachReport
from hostgate.cli.reach_report_forms import standing
from hostgate.dns.report.page_template import environment, style

_FOLDER = Path(__file__).parent


def page(made: ReachReport) -> str:
    """The whole page. The same report gives the same bytes."""
    template = environment(_FOLDER).get_template("reach_page.html")
    own = Markup((_FOLDER / "reach_page.css").read_text("utf-8"))
    return template.render(
        report=made, kinds=KINDS_OF_LINES, named=MOST_NAMED, standing=standing, style=style() + own
    ).lstrip()
