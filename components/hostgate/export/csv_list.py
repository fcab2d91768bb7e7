"""export:csv: the hosts as a table that a spreadsheet opens, for a ticket to a network team."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from hostgate.catalog.spreadsheet import cell
from hostgate.export.host_list import HostList

COLUMNS = ("host", "match", "names", "port", "protocol", "party", "phases", "purpose", "catalog", "entry")


class CsvList(HostList):
    """Comma-separated values with a line of titles (RFC 4180)."""

    target = "export:csv"
    title = "a ticket, as CSV"
    file = ".csv"

    def text(self, body: Mapping[str, Any], head: Sequence[str]) -> str:  # noqa: ARG002
        written = io.StringIO()
        lines = csv.writer(written, lineterminator="\n")
        lines.writerow(COLUMNS)
        lines.writerows([cell(_text(row.get(column))) for column in COLUMNS] for row in body.get("hosts", ()))
        return written.getvalue()


def _text(value: object) -> object:
    return ", ".join(value) if isinstance(value, list) else value


MECHANISM = CsvList()
