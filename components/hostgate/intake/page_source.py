"""The file of a vendor's page as a Markdown document, or why it is none."""

from pathlib import Path

from hostgate.catalog.file_input import Size, read_file_bytes
from hostgate.catalog.problems import InputError, Problem
from hostgate.intake.markdown_tables import MAX_BRACKETS, MAX_BYTES, MarkdownDocument, read_markdown
from hostgate.intake.page_format import ALLOWED, format_of, format_of_bytes


def read_document(path: Path, name: str) -> MarkdownDocument:
    """The Markdown document in the file at `path`, called `name` before people. Raises InputError."""

    def error(rule: str, message: str, line: int | None = None) -> InputError:
        return InputError([Problem(rule=rule, message=message, file=name, line=line)])

    data = read_file_bytes(
        path, Size(MAX_BYTES, "the page it is made for has 10 kB"), name, allowed="one Markdown file"
    )
    packed = format_of_bytes(data)
    if packed is not None:
        raise error("page-format", f"Found {packed}. {ALLOWED}.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as failure:
        line = data.count(b"\n", 0, failure.start) + 1
        message = f"Found byte 0x{data[failure.start]:02x}, not valid UTF-8. Save the file as UTF-8."
        raise error("file-not-utf8", message, line) from None
    if "\0" in text:
        raise error("file-binary", "Found a NUL byte: this is not a text file.")
    if not text.strip():
        raise error("file-empty", "The file is empty. An empty page is never read as 'no hosts'.")
    if text.count("[") > MAX_BRACKETS:
        raise error("page-brackets", f"Found more than {MAX_BRACKETS:,} opening brackets. No page for people has them.")
    document = read_markdown(text)
    other = None if document.tables else format_of(path, text)
    if other is not None:
        what, line = other
        raise error(
            "page-format", f"Found {what}. {ALLOWED}. Convert the page to Markdown and compare the two, or write the hosts into a "
            "catalog by hand.", line,
        )  # fmt: skip
    return document
