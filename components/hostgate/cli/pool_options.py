"""What the commands of `hostgate pool` have in common: options, and an exit code."""

import click

HELD_BACK = 3
"""Exit code: more is due to be removed than one run may, and stays."""

POOL = click.option("--pool", "pool", required=True, metavar="FILE|URL", help="A file, or s3://, gs:// or az:// URL.")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
