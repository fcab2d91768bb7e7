"""export:csv: the hosts as a table that a spreadsheet opens, for a ticket to a network team."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from hostgate.export.host_list import HostList

COLUMNS = ("host", "match", "names", "port", "protocol", "party", "phases", "purpose", "catalog", "entry")

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""What a spreadsheet takes for a formula where a cell begins with it, full-width signs too (OWASP, CSV injection)."""


class CsvList(HostList):
    """Comma-separated values with a line of titles (RFC 4180)."""

    target = "export:csv"
    title = "a ticket, as CSV"
    file = ".csv"

    def text(self, body: Mapping[str, Any], head: Sequence[str]) -> str:  # noqa: ARG002
        written = io.StringIO()
        lines = csv.writer(written, lineterminator="\n")
        lines.writerow(COLUMNS)
        lines.writerows([_cell(row.get(column, "")) for column in COLUMNS] for row in body.get("hosts", ()))
        return written.getvalue()


def _cell(value: object) -> str:
    text = ", ".join(value) if isinstance(value, list) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


MECHANISM = CsvList()
