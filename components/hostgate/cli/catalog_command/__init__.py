"""`hostgate catalog`: what can be done with host catalogs and with the vendors' pages behind them."""

import click

from hostgate.cli.catalog_command import diff, page, show


@click.group()
def command() -> None:
    """Show, list, lint and compare host catalogs; take over what vendors' pages say."""


for _each in (show.show, show.list_, show.lint, show.schema, diff.diff, page.import_, page.check):
    command.add_command(_each)
