"""What the commands of `hostgate pool` have in common: options, an exit code, and the hosts that a person names."""

from typing import TYPE_CHECKING

import click

from hostgate.catalog.problems import InputError, Problem, did_you_mean

if TYPE_CHECKING:
    from hostgate.planning.address_pool import AddressPool

HELD_BACK = 3
"""Exit code: more is due to be removed than one run may, and stays."""

POOL = click.option("--pool", "pool", required=True, metavar="FILE|URL", help="A file, or s3://, gs:// or az:// URL.")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


def named_hosts(pool: "AddressPool", hosts: tuple[str, ...]) -> list[str]:
    """Those of `hosts`, each once; every host of the pool if none is named. Raises InputError for those that it lacks."""
    strange = [each for each in hosts if each not in pool.hosts]
    if strange:
        raise InputError(
            Problem(rule="pool-host", file=pool.shown, message=f"It has no {each}.{did_you_mean(each, pool.hosts)}")
            for each in strange
        )
    return list(dict.fromkeys(hosts) or pool.hosts)
