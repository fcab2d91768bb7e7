"""`hostgate catalog`: what can be done with host catalogs and with the vendors' pages behind them."""

import click

from hostgate.cli.catalog_command.diff_command import diff
from hostgate.cli.catalog_command.page_command import check, import_
from hostgate.cli.catalog_command.show_command import lint, list_, schema, show


@click.group()
def command() -> None:
    """Show, list, lint and compare host catalogs; take over what vendors' pages say."""


for _each in (show, list_, lint, schema, diff, import_, check):
    command.add_command(_each)
