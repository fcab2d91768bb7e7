"""`hostgate targets`: every target, what each of its ways can express, and what realises it."""

from typing import Any

import click

from hostgate.catalog.model import MATCHES
from hostgate.cli.main import print_json
from hostgate.planning.mechanism import mechanism
from hostgate.planning.targets import rows


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(as_json: bool) -> None:
    """List every target that is installed, and what it can express."""
    ways: list[dict[str, Any]] = [
        {
            "target": each.name,
            "way": way.name,
            "component": each.component.replace(":", "."),
            "ttlFamily": way.ttl_family,
            "sight": way.sight,
            "kinds": [kind for kind in MATCHES if kind in way.kinds],
            "protocols": sorted(way.protocols),
            "needs": [claim.as_json() for claim in way.needs],
            "opens": [claim.as_json() for claim in way.opens],
            "costs": [claim.as_json() for claim in way.costs],
            "evidence": way.evidence.as_json(),
        }
        for each in rows()
        for way in mechanism(each.name).means
    ]
    if as_json:
        print_json({"targets": ways})
        return
    from hostgate.cli.tables import table

    shown = ("target", "way", "ttlFamily", "sight", "kinds", "protocols")
    cells = [[", ".join(way[key]) if isinstance(way[key], list) else str(way[key]) for key in shown] for way in ways]
    click.echo(table(("target", "way", "TTL family", "sight", "kinds", "protocols"), cells))
