"""What every way of Azure Firewall rests on."""

from hostgate.planning.evidence import Claim

ROUTE = Claim(
    "a firewall that uses the policy, and a route of each client subnet to it",
    "Azure Firewall: routes on every spoke subnet",
    "2026-11-23",
)
COSTS = (
    Claim(
        "1 deployment-hour for each firewall, by its tier, and 1 unit for each GB processed",
        "a public cost guide (PointFive CER-0313)",
        "2026-11-28",
    ),
)

ANSWERS = "the firewall answers it itself, unlogged, where no rule allows it"
"""Of a TCP connect without a name (Azure Firewall FAQ, read 2026-11-23)."""
