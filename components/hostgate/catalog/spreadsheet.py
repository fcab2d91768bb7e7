"""Cells of tables that spreadsheets open: text written by strangers, which none may compute."""

from typing import Final

from hostgate.catalog.problems import printable

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How a cell begins that a spreadsheet would compute (OWASP, CSV Injection, read 2026-11-28), also in full width."""


def cell(value: object) -> str:
    """`value` as the text of a cell that no spreadsheet computes; empty for None."""
    text = "" if value is None else printable(str(value))
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text
