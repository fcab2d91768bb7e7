"""`hostgate catalog show`, `list`, `lint` and `schema`: show a revision, list what is shipped, lint files, print the schema."""

import click

from hostgate.catalog.problems import InputError, Problem
from hostgate.cli.main import print_json, show_problems


@click.command("show")
@click.argument("ref")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def show(ref: str, as_json: bool) -> None:
    """Show the entries of one catalog at one revision."""
    from hostgate.catalog.references import resolve

    pin = resolve(ref)
    entries = pin.catalog.entries(pin.revision)
    if as_json:
        print_json(
            {"catalog": pin.catalog.id, "revision": pin.revision, "entries": [entry.as_json() for entry in entries]}
        )
        return
    from hostgate.catalog.model import PHASES
    from hostgate.cli.tables import table

    record = pin.catalog.record
    source = next((rev.source for rev in record.revisions if rev.id == pin.revision), None)
    about = next((item for item in record.sources if item.id == source), None)
    click.secho(f"{pin}  {record.title}".rstrip(), bold=True)
    if about is not None:
        click.echo("  " + ", ".join(part for part in (about.document, about.date, about.commit, about.url) if part))
    rows = [
        (
            entry.id,
            entry.host,
            entry.match,
            f"{entry.port}/{entry.protocol}",
            entry.party,
            ", ".join(entry.phases) if len(entry.phases) < len(PHASES) else "always",
            _state(entry.status, entry.withdrawn),
            entry.purpose,
        )
        for entry in entries
    ]
    click.echo(table(("entry", "host", "match", "port", "party", "phase", "status", "purpose"), rows))


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_(as_json: bool) -> None:
    """List the shipped catalogs and their revisions."""
    from hostgate.catalog.references import each_shipped

    catalogs = list(each_shipped())
    if as_json:
        print_json(
            {
                "catalogs": [
                    {
                        "catalog": catalog.id,
                        "title": catalog.record.title,
                        "file": catalog.file,
                        "revisions": [
                            {"id": rev.id, "hosts": rev.hosts, "source": rev.source, "note": rev.note}
                            for rev in catalog.revisions
                        ],
                    }
                    for catalog in catalogs
                ]
            }
        )
        return
    from hostgate.cli.tables import table

    for catalog in catalogs:
        click.secho(f"{catalog.id}  {catalog.record.title}", bold=True)
        click.echo(
            table(("revision", "hosts", "note"), [(rev.id, str(rev.hosts), rev.note) for rev in catalog.revisions])
        )


@click.command("lint")
@click.argument("refs", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def lint(refs: tuple[str, ...], as_json: bool) -> None:
    """Lint catalog files (all shipped ones unless REFS name some). Warnings are fine; errors are not."""
    from hostgate.catalog.lint import lint_catalog
    from hostgate.catalog.references import each_shipped, resolve_file, shipped_catalogs

    problems: list[Problem] = []
    catalogs = []
    names = refs or tuple(shipped_catalogs())
    for ref in names:
        try:
            catalogs.append(resolve_file(ref))
        except InputError as error:
            problems += error.problems
    # A catalog of one's own stands in a stack beside what is shipped.
    named = {catalog.id for catalog in catalogs}
    beside = [*catalogs, *(catalog for catalog in each_shipped() if catalog.id not in named)]
    warnings = [warning for catalog in catalogs for warning in lint_catalog(catalog, beside)]
    if as_json:
        document: dict[str, object] = {"warnings": [warning.as_json() for warning in warnings]}
        if problems:
            document["errors"] = [problem.as_json() for problem in problems]
        print_json(document)
    else:
        from hostgate.cli.tables import folded

        for warning in warnings:
            click.echo(folded(str(warning)))
        if problems:
            show_problems(problems, as_json=False)
        click.echo(f"{len(names)} checked: {len(problems)} errors, {len(warnings)} warnings.")
    if problems:
        raise click.exceptions.Exit(1)


@click.command("schema")
def schema() -> None:
    """Print the JSON Schema of catalog files."""
    from hostgate.catalog.schema import schema_text

    click.echo(schema_text(), nl=False)


def _state(status: str, withdrawn: str | None) -> str:
    return f"withdrawn {withdrawn}" if status == "withdrawn" and withdrawn else status
