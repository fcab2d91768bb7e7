"""Whether a page that is to be taken over is the one whose hosts the catalog holds.

A catalog states one vendor document over time: what a page does not state, closes. Another page of the vendor would close
every host of the first.
"""

import re

from hostgate.catalog.model import SourceRecord
from hostgate.catalog.problems import Problem, spelled
from hostgate.catalog.read import Catalog
from hostgate.catalog.update import Update


def another_page(
    catalog: Catalog, change: Update, *, document: str | None, url: str | None, continues: str | None
) -> Problem | None:
    """Why `change` seems to be made from another page than the catalog's newest revision, or None.

    `document` and `url`: what is said of the page, None where nothing is. `continues`: the id of the source of which the
    page is said to be a later state.
    """
    newest = _newest(catalog)
    if newest is None:
        return None  # of a file without history; refused where it is written
    if continues is not None and continues != newest.id:
        return _problem(
            catalog, f"Found --continues {continues}; the newest revision {catalog.latest} was read from {newest.id}. Allowed: "
            "that one, if the page is a later state of it.",
        )  # fmt: skip
    why = None if continues else _why(newest, change, document, url)
    if why is None:
        return None
    return _problem(
        catalog, f"{why}. A page closes the hosts that it does not state, so each page has a catalog of its own: --into a new file "
        f"with --name, and name both in the stack. If it is the same page, say so: --continues {newest.id}.",
    )  # fmt: skip


def _newest(catalog: Catalog) -> SourceRecord | None:
    revisions = catalog.revisions
    return next((each for each in catalog.record.sources if revisions and each.id == revisions[-1].source), None)


def _why(newest: SourceRecord, change: Update, document: str | None, url: str | None) -> str | None:
    if url is not None and newest.url and _bare(url) != _bare(newest.url):
        return f"Found the address {spelled(url)}; the hosts of the catalog were read from {spelled(newest.url)}"
    same_url = url is not None and newest.url is not None
    if document is not None and not same_url and _words(document) != _words(newest.document):
        return f"Found the document {spelled(document)}; the hosts of the catalog were read from {spelled(newest.document)}"
    replaced = sum(added.replaces is not None for added in change.added)
    stood = sum(known.now is not None for known in change.known)
    before = stood + len(change.withdrawn)
    if (stood + replaced) * 2 < before:
        return f"The page has {stood + replaced} of the {before} hosts that the catalog states: it seems to be another page"
    return None


def _bare(url: str) -> str:
    """An address without what does not tell pages apart: scheme, query, fragment and the slash at the end."""
    return re.sub(r"\A[a-z]+://(?:www\.)?|[?#].*\Z", "", url.strip().lower()).rstrip("/")


def _words(title: str) -> str:
    return " ".join(re.findall(r"\w+", title.casefold()))


def _problem(catalog: Catalog, message: str) -> Problem:
    return Problem(rule="import-other-page", file=catalog.file, message=message)
