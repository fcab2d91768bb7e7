"""The bodies that are checked: every golden plan, and the options that add something to a body."""

from collections.abc import Iterator
from typing import Any

from conformance.catalogs import entry, selection
from golden.cases import cases
from hostgate.planning.mechanism import CloudObject, targets
from hostgate.planning.plan import plan

_MORE: dict[str, list[dict[str, Any]]] = {
    "aws": [
        {"tags": {"team": "platform"}},
        {"from_": ["10.1.0.0/16"], "log_allowed": True},
        {"deny": "declared"},
        {"deny": "all"},
    ],
    "aws:dns-firewall": [
        {"vpcs": ["vpc-0a1b2c3d", "vpc-0a1b2c3e4f5a6b7c8"], "base": 100, "tags": {"team": "platform"}},
        {"vpcs": ["vpc-0a1b2c3d"], "fail_mode": "open", "inside": ["corp", "acme.example"], "mode": "audit"},
        {"block_response": "OVERRIDE", "override_domain": "blocked.acme.example", "override_ttl": 604_800},
        {"deny": "declared", "block_response": "NXDOMAIN"},
        {"deny": "all"},
    ],
    "gcp": [
        {"from_": ["tagValues/1"]},
        {"from_": ["a@p.iam.gserviceaccount.com"]},
        {"networks": ["projects/p/global/networks/n"]},
    ],
    "azure": [
        {"attach": "rg/fp"},
        {"location": "westeurope", "tags": {"team": "platform"}},
        {"deny": "all", "from_": ["10.1.0.0/16"]},
    ],
}
_ALL_KINDS = [
    entry(),
    entry("x.vendor.example", match="subtree+apex", port=8443, protocol="tls"),
    entry("plain.vendor.example", port=80, protocol="http"),
]
_BY_ADDRESS = [
    entry(),
    entry("db.vendor.example", port=5432, protocol="tcp"),
    entry("turn.vendor.example", port=3478, protocol="udp"),
]


def objects(cloud: str) -> Iterator[tuple[str, CloudObject]]:
    """Every object of `cloud`, with the plan that it comes from in words."""
    for case in cases():
        if case.target.startswith(f"{cloud}:"):
            yield from ((str(case), each) for each in case.plan().objects)
    for target in targets():
        if not target.startswith(f"{cloud}:"):
            continue
        for hosts in (_ALL_KINDS, _BY_ADDRESS):
            for options in _MORE.get(target, _MORE[cloud]):
                made = plan(selection(hosts), target, options)
                yield from ((f"{target} {options}", each) for each in made.objects)
