"""`hostgate catalog import` and `check`: a vendor's Markdown page against a catalog, and into it."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from hostgate.catalog.dates import iso_date
from hostgate.catalog.problems import InputError, Problem
from hostgate.cli.catalog_command.diff_command import diff_json, show_diff
from hostgate.cli.main import print_json

if TYPE_CHECKING:
    from hostgate.catalog.read import Catalog
    from hostgate.catalog.references import CatalogRevision
    from hostgate.catalog.revision_changes import CatalogDiff
    from hostgate.intake.page import Page
    from hostgate.intake.page_update import Overlap, Update
    from hostgate.intake.record_page import PageSource

F = TypeVar("F", bound=Callable[..., Any])


def _reading(command: F) -> F:
    """The argument and options of every command that reads a page."""
    for option in reversed(
        (
            click.argument("page", type=click.Path(path_type=Path), metavar="PAGE.md"),
            click.option(
                "--catalog", "ref", metavar="REF", help="Compare with this catalog (the shipped one, at its newest)."
            ),
            click.option(
                "--section", "sections", multiple=True, metavar="HEADING", help="Only tables below this heading. Repeat."
            ),
            click.option(
                "--column", "columns", multiple=True, metavar="ROLE=TITLE", callback=_columns,
                help="What a column is: host, port, protocol, direction, families, purpose or ignore. Repeat.",
            ),
            click.option(
                "--assume", metavar="PORT/PROTOCOL", callback=_access, help="For tables without such columns: 443/https."
            ),
            click.option(
                "--literal", "literal", multiple=True, metavar="HOST", help="A name that looks like a placeholder and is none."
            ),
            click.option(
                "--besides", "besides", multiple=True, metavar="TEXT",
                help="A name, port, include, sentence or note that changes nothing. Repeat.",
            ),
            click.option("--json", "as_json", is_flag=True, help="Print one JSON document."),
        )
    ):  # fmt: skip
        command = option(command)
    return command


def _columns(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> dict[str, Any]:  # noqa: ARG001
    from hostgate.intake.page_columns import ROLES

    found = {}
    for each in value:
        role, given, title = each.partition("=")
        if role not in ROLES or not given or not title.strip():
            raise click.BadParameter(f"{each!r}. Allowed: ROLE=TITLE, where ROLE is {', '.join(ROLES)}.")
        found[title.strip()] = role
    return found


def _access(ctx: click.Context, param: click.Parameter, value: str | None) -> Any:  # noqa: ARG001
    from hostgate.catalog.model import PROTOCOLS
    from hostgate.intake.cells import Access

    if value is None:
        return None
    port, _, protocol = value.partition("/")
    known = next((name for name in PROTOCOLS if name == protocol), None)
    if not re.fullmatch("[0-9]{1,5}", port) or not 1 <= int(port) <= 65535 or known is None:
        raise click.BadParameter(f"{value!r}. Allowed: PORT/PROTOCOL, where PROTOCOL is {', '.join(PROTOCOLS)}.")
    return Access(int(port), known)


def _overlap(ctx: click.Context, param: click.Parameter, value: str | None) -> "Overlap | None":  # noqa: ARG001
    from hostgate.intake.page_update import Overlap

    if value is None:
        return None
    if value == "drop":
        return Overlap("drop")
    if value == "warn":
        return Overlap("warn")
    days = re.fullmatch("keep:([0-9]{1,4})d", value)
    if days is None or not 1 <= int(days[1]) <= 3650:
        raise click.BadParameter(f"{value!r}. Allowed: drop, warn, or keep:Nd with N days, 1 to 3650.")
    return Overlap("keep", int(days[1]))


def _day(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:  # noqa: ARG001
    try:
        return None if value is None else iso_date(value).isoformat()
    except ValueError:
        raise click.BadParameter(f"{value!r} is no date. Allowed: YYYY-MM-DD.") from None


@click.command("import")
@_reading
@click.option("--into", metavar="FILE", type=click.Path(path_type=Path), help="Write the change into this catalog.")
@click.option("--name", metavar="VENDOR/PRODUCT", help="With --into a new file: the catalog's name.")
@click.option("--date", metavar="DATE", callback=_day, help="With --into: when the page said so, the revision's name.")
@click.option("--source", metavar="ID", help="With --into: the source's id (made from commit or date).")
@click.option("--commit", metavar="HASH", help="With --into: the commit of the page.")
@click.option("--url", metavar="URL", help="With --into: where the page is.")
@click.option("--document", metavar="TITLE", help="With --into: the page's title (as in the newest source).")
@click.option("--note", metavar="TEXT", help="With --into: what changed, in your words.")
@click.option("--continues", metavar="ID", help="With --into: the source of which this page is a later state.")
@click.option(
    "--overlap", metavar="POLICY", callback=_overlap,
    help="With --into: hosts that go are closed (drop, the default), kept for N days (keep:Nd) or until you close them (warn).",
)  # fmt: skip
def import_(
    page: Path,
    ref: str | None,
    sections: tuple[str, ...],
    columns: dict[str, Any],
    assume: Any,
    literal: tuple[str, ...],
    besides: tuple[str, ...],
    as_json: bool,
    into: Path | None,
    **about: Any,
) -> None:
    """Show what a vendor's page changes in a catalog; with --into, write it there as a new revision.

    Exit code 0: the page could be read as a whole. 1: something of it could not, and nothing was written.
    """
    from hostgate.intake.page import read_page
    from hostgate.intake.page_remarks import settled_subjects

    _refuse_idle_options(ref, into, about)
    against = _catalog(ref) if into is None else None
    target = _Target(None, None) if into is None else _target(into, about["name"])
    catalog = against.catalog if against else target.catalog
    read = read_page(
        page, columns=columns, sections=sections, assume=assume, literal=literal,
        settled=settled_subjects(catalog.record if catalog else None, besides), names=into is not None,
    )  # fmt: skip
    if against is not None:
        change = _update(against, read)
        _tell(read, change, change.diff, str(against), as_json)
        return
    assert into is not None
    after, change, name = _written(target, read, {**about, "besides": besides})
    if after is not None:
        from hostgate.intake.record_page import replace_file

        replace_file(into, target.data, after)
    from hostgate.catalog.revision_changes import compare
    from hostgate.intake.page_update import Overlap

    _tell(
        read, change, compare(change.before, change.after(about["date"], about["overlap"] or Overlap())), name, as_json
    )
    done = f"Wrote {into}: revision {about['date']}, {change.stated} hosts." if after else f"{into} is left as it is."
    click.echo(done, err=True)


@click.command("check")
@_reading
def check(
    page: Path,
    ref: str | None,
    sections: tuple[str, ...],
    columns: dict[str, Any],
    assume: Any,
    literal: tuple[str, ...],
    besides: tuple[str, ...],
    as_json: bool,
) -> None:
    """Say in one line whether a vendor's page still states the hosts of a catalog.

    Exit code 0: it does, and names no other. 1: it does not, or something of it could not be read.
    """
    from hostgate.intake.page import read_page
    from hostgate.intake.page_remarks import open_doubts, settled_subjects

    against = _catalog(ref)
    settled = settled_subjects(against.catalog.record, besides)
    read = read_page(page, columns=columns, sections=sections, assume=assume, literal=literal, settled=settled)
    change = _update(against, read)
    others = list(open_doubts(read.findings, settled))
    same = change.same and not others
    if as_json:
        print_json({
            "same": same, "catalog": str(against), "hosts": change.stated, **diff_json(change.diff),
            "besides": [doubt.as_json() for doubt in others],
        })  # fmt: skip
    elif same:
        click.echo(f"{page} states the {change.stated} hosts of {against}.")
    else:
        told = [f"{what.entry.reach} {what.what}" for what in change.diff.changes]
        told += [f"{doubt.subject} named on line {doubt.line} and in no table" for doubt in others]
        more = f" and {len(told) - 6} more" if len(told) > 6 else ""
        click.echo(f"{page} differs from {against}: {', '.join(told[:6])}{more}.")
    if not same:
        raise click.exceptions.Exit(1)


def _refuse_idle_options(ref: str | None, into: Path | None, about: dict[str, Any]) -> None:
    given = [f"--{name}" for name, value in about.items() if value is not None]
    if into is None and given:
        raise click.UsageError(f"{', '.join(given)} only with --into FILE: without it nothing is written.")
    if into is not None and ref is not None:
        raise click.UsageError("--into names the catalog to compare with; leave out --catalog.")
    if into is not None and about["date"] is None:
        raise click.UsageError("--into needs --date: when did the page say so? The new revision is named by it.")


def _catalog(ref: str | None) -> "CatalogRevision":
    from hostgate.catalog.references import is_path, resolve, shipped_catalogs

    if ref is None:
        shipped = list(shipped_catalogs())
        if len(shipped) != 1:
            raise click.UsageError(f"Which catalog? Name it: --catalog. Shipped: {', '.join(shipped)}.")
        ref = shipped[0]
    return resolve(ref if "@" in ref or is_path(ref) else f"{ref}@latest")


def _update(against: "CatalogRevision", read: "Page") -> "Update":
    from hostgate.intake.page_update import update

    return update(against.catalog, against.revision, read)


class _Target(NamedTuple):
    """The file to write into: its bytes and its catalog, or nothing of both where it is to be made."""

    data: bytes | None
    catalog: "Catalog | None"


def _target(into: Path, name: str | None) -> _Target:
    if not into.exists():
        if name is None:
            raise InputError([Problem(
                rule="file-unreadable", file=str(into),
                message="There is no such file. Check the path, or make a new catalog: --name VENDOR/PRODUCT.",
            )])  # fmt: skip
        return _Target(None, None)
    if name is not None:
        raise click.UsageError(f"--name makes a new catalog, and {into} is there.")
    from hostgate.catalog.read import check_catalog
    from hostgate.catalog.yaml_reader import file_bytes, read_bytes

    data = file_bytes(into, str(into))
    return _Target(data, check_catalog(read_bytes(data, str(into)), str(into)))


def _written(target: _Target, read: "Page", about: dict[str, Any]) -> "tuple[bytes | None, Update, str]":
    """The bytes to put into the file (None: nothing changes), the change, and what it was compared with."""
    from hostgate.intake.page_update import Overlap, first, update
    from hostgate.intake.record_page import first_text, new_text
    from hostgate.intake.same_page import another_page

    before, catalog = target
    if catalog is None or before is None:
        change = first(about["name"], read)
        text = first_text(about["name"], change, _stated(about, Path(read.file).name))
        return text.encode(), change, "a new catalog"
    change = update(catalog, catalog.latest, read)
    against = f"{catalog.id}@{catalog.latest}" if catalog.latest else catalog.id
    other = another_page(
        catalog, change, file=Path(read.file).name, document=about["document"], url=about["url"],
        continues=about["continues"],
    )  # fmt: skip
    if other is not None:
        raise InputError([other])
    if change.same:
        return None, change, against
    mark = b"\xef\xbb\xbf" if before.startswith(b"\xef\xbb\xbf") else b""
    newest = max(catalog.record.sources, key=lambda source: source.date or "", default=None)
    stated = _stated(about, newest.document if newest else "")
    after = new_text(before.decode("utf-8-sig"), catalog, change, stated, about["overlap"] or Overlap())
    return mark + after.encode(), change, against


def _stated(about: dict[str, Any], document: str) -> "PageSource":
    from hostgate.intake.record_page import PageSource

    return PageSource(
        date=about["date"],
        document=about["document"] or document,
        id=about["source"] or "",
        commit=about["commit"] or "",
        url=about["url"] or "",
        note=about["note"] or "",
        besides=about["besides"],
    )


def _tell(read: "Page", change: "Update", diff: "CatalogDiff", against: str, as_json: bool) -> None:
    if as_json:
        print_json({
            "entries": [host.as_json() for host in read.hosts],
            "findings": [finding.as_json() for finding in change.findings],
        })  # fmt: skip
        return
    sections: dict[str, int] = {}
    for host in read.hosts:
        sections[host.section] = sections.get(host.section, 0) + 1
    counted = ", ".join(
        f"{number} below {section!r}" if section else str(number) for section, number in sections.items()
    )
    click.secho(f"{read.file} against {against}", bold=True)
    click.echo(f"{len(read.hosts)} hosts read: {counted}.")
    show_diff(diff)
    from hostgate.cli.tables import folded

    for finding in change.findings:
        click.echo(folded(f"{finding}"))
