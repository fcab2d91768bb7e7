"""Which format a file is in that has no Markdown tables: one message instead of one for each line that looks wrong."""

import csv
import json
import re
from pathlib import Path

ALLOWED = "Allowed: a Markdown page with its hosts in tables"

_SUFFIXES = {
    **dict.fromkeys((".adoc", ".asciidoc", ".asc"), "AsciiDoc"), **dict.fromkeys((".rst", ".rest"), "reStructuredText"),
    **dict.fromkeys((".html", ".htm", ".xhtml"), "HTML"), **dict.fromkeys((".yaml", ".yml"), "YAML"),
    **dict.fromkeys((".json", ".jsonl", ".ndjson", ".json5"), "JSON"), ".csv": "CSV", ".tsv": "CSV", ".xml": "XML", ".org": "Org",
    **dict.fromkeys((".wiki", ".mediawiki"), "MediaWiki"), ".textile": "Textile", ".toml": "TOML",
    **dict.fromkeys((".docx", ".odt"), "a word processor's document"), **dict.fromkeys((".xlsx", ".ods"), "a spreadsheet"),
    ".pdf": "PDF",
}  # fmt: skip

_BYTES = (
    (b"%PDF", "PDF"),
    (b"PK\x03\x04", "a packed document (a word processor's, or a spreadsheet)"),
    (b"\x1f\x8b", "gzip"),
)
"""How files begin that hold no text."""

_STRONG: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("HTML", re.compile(
        r"\A\s{0,100}(?:<!--.{0,2000}?-->\s{0,100})?<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL
    )),
    ("XML", re.compile(r"\A\s{0,100}<\?xml\b", re.IGNORECASE)),
    ("AsciiDoc", re.compile(r"^[|!]={3,}[ \t]*$|^\[cols=|^\[%header", re.MULTILINE)),
    ("reStructuredText", re.compile(
        r"^\.\. (?:list-table|csv-table|table|flat-table)::|^\+[-=]{3,}(?:\+[-=]{3,})*\+[ \t]*$|^={3,}(?:[ ]+={3,})+[ \t]*$",
        re.MULTILINE)),
    ("MediaWiki", re.compile(r"^\{\|", re.MULTILINE)),
    ("Org", re.compile(r"^\|-+(?:\+-+)+\|?[ \t]*$", re.MULTILINE)),
    ("Textile", re.compile(r"^\|_\. ", re.MULTILINE)),
    ("Confluence markup", re.compile(r"^\|\|[^|\n]+\|\|", re.MULTILINE)),
)  # fmt: skip


def format_of_bytes(data: bytes) -> str | None:
    """The format of a file that is no text, by how it begins."""
    return next((name for start, name in _BYTES if data.startswith(start)), None)


def format_of(path: Path, text: str) -> tuple[str, int] | None:
    """The format of `text` in words and the line that shows it (1: the file's name does); None for Markdown.

    Asked only of a text in which no Markdown table was found: a table in this form is what counts.
    """
    for name, pattern in _STRONG:
        found = pattern.search(text)
        if found:
            return name, text.count("\n", 0, found.start()) + 1
    if path.suffix.lower() in _SUFFIXES:
        return _SUFFIXES[path.suffix.lower()], 1
    if text.lstrip()[:1] in ("{", "[") and _is_json(text):
        return "JSON", 1
    if _is_yaml(text):
        return "YAML", 1
    if _is_csv(text):
        return "CSV", 1
    return None


def _is_json(text: str) -> bool:
    first = text.lstrip().split("\n", 1)[0]
    for whole in (text, first):
        try:
            return isinstance(json.loads(whole), dict | list)
        except (ValueError, RecursionError):
            continue
    return False


_KEY = re.compile(r"\s*(?:- )?[\"']?[\w./-]{1,80}[\"']?:(?:\s|\Z)")
_ITEM = re.compile(r"---|\.\.\.|\s*- |\s+\S")


def _is_yaml(text: str) -> bool:
    """Whether every line is a comment, an item or belongs to a key. Not parsed: a page of prose often is YAML, too."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    keys = sum(bool(_KEY.match(line)) for line in lines)
    return keys > 0 and all(_KEY.match(line) or _ITEM.match(line) for line in lines)


def _is_csv(text: str) -> bool:
    for mark in (",", ";", "\t"):
        try:
            rows = [row for row in csv.reader(text.splitlines()[:200], delimiter=mark) if row]
        except csv.Error:
            continue
        titles = rows[0] if len(rows) > 1 and len({len(row) for row in rows}) == 1 else []
        if len(titles) > 1 and all(len(title.split()) < 5 for title in titles):
            return True
    return False
