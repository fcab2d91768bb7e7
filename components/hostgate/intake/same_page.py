"""Whether a page that is to be taken over is the one whose hosts the catalog holds.

A catalog states one vendor document over time: what a page does not state, closes. Another page of the vendor would close
every host of the first.
"""

import re

from hostgate.catalog.model import SourceRecord
from hostgate.catalog.problems import Problem, spelled
from hostgate.catalog.read import Catalog
from hostgate.intake.page_update import Update


def another_page(
    catalog: Catalog, change: Update, *, file: str, document: str | None, url: str | None, continues: str | None
) -> Problem | None:
    """Why `change` seems to be made from another page than the catalog's newest revision, or None.

    `file`: its name. `document` and `url`: what is said of the page, None where nothing is. `continues`: the id of the
    source of which the page is said to be a later state.
    """
    newest = _newest(catalog)
    if newest is None:
        return None  # of a file without history; refused where it is written
    if continues is not None and continues != newest.id:
        return _problem(
            catalog, f"Found --continues {continues}; the newest revision {catalog.latest} was read from {newest.id}. Allowed: "
            "that one, if the page is a later state of it.",
        )  # fmt: skip
    why = None if continues else _why(newest, change, file, document, url)
    if why is None:
        return None
    return _problem(
        catalog, f"{why}. A page closes the hosts that it does not state, so each page has a catalog of its own: --into a new file "
        f"with --name, and name both in the stack. If it is the same page, say so: --continues {newest.id}.",
    )  # fmt: skip


def _newest(catalog: Catalog) -> SourceRecord | None:
    revisions = catalog.revisions
    return next((each for each in catalog.record.sources if revisions and each.id == revisions[-1].source), None)


def _why(newest: SourceRecord, change: Update, file: str, document: str | None, url: str | None) -> str | None:
    same_url = url is not None and newest.url is not None and _bare(url) == _bare(newest.url)
    same_document = _words(document or file) == _words(newest.document)
    if url is not None and newest.url and not same_url:
        return f"Found the address {spelled(url)}; the hosts of the catalog were read from {spelled(newest.url)}"
    if document is not None and not same_url and not same_document:
        return f"Found the document {spelled(document)}; the hosts of the catalog were read from {spelled(newest.document)}"
    replaced = {added.replaces for added in change.added}
    closed = [entry.reach for entry in change.withdrawn if entry.id not in replaced]
    before = sum(known.now is not None for known in change.known) + len(change.withdrawn)
    if len(closed) * 2 > before:
        return f"The page has {before - len(closed)} of the {before} hosts that the catalog states: it seems to be another page"
    if closed and not same_url and not same_document:
        more = f" and {len(closed) - 3} more" if len(closed) > 3 else ""
        return (
            f"The page does not have {', '.join(closed[:3])}{more}, and nothing says that it is the page that the hosts of the "
            f"catalog were read from ({spelled(newest.document)}: say it with --document, or with --url)"
        )
    return None


def _bare(url: str) -> str:
    """An address without what does not tell pages apart: scheme, query, fragment and the slash at the end."""
    return re.sub(r"\A[a-z]+://(?:www\.)?|[?#].*\Z", "", url.strip().lower()).rstrip("/")


def _words(title: str) -> str:
    return " ".join(re.findall(r"\w+", title.casefold()))


def _problem(catalog: Catalog, message: str) -> Problem:
    return Problem(rule="import-other-page", file=catalog.file, message=message)
