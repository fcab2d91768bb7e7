"""Which plans have golden files, and what stands in them."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from conformance.catalogs import MADE
from hostgate.catalog.selection import Acceptance, select
from hostgate.planning.plan import Plan, plan

FOLDER = Path(__file__).parent / "files"
CATALOG = "chainguard/images"
REVISIONS = ("2024-03-28", "2026-02-23")
"""The reference revision and the newest."""

MODES = ("enforce", "audit")


PREFIX_LIST = "arn:aws:ec2:eu-central-1:123456789012:prefix-list/pl-0123456789abcdef0"


class Variant(NamedTuple):
    """What a case has beside the catalog and the mechanism's own defaults."""

    catalogs: tuple[str, ...]
    options: Mapping[str, Any]
    target: str = "aws:rules"
    accept: tuple[Acceptance, ...] = ()


POOLED = {
    each.host: [f"203.0.113.{number}", *([f"2001:db8::{number:x}"] if number % 2 else [])]
    for number, each in enumerate(select(f"{CATALOG}@{REVISIONS[-1]}").entries, 1)
    if each.match == "exact"
}

VARIANTS = {
    "from-a-pool": Variant(
        (),
        {"addresses": POOLED, "securityGroups": ["sg-0123456789abcdef0"], "tags": {"team": "platform"}},
        "aws:prefix-list",
    ),
    "in-network-acls": Variant(
        (),
        {"addresses": POOLED, "networkAcls": ["acl-0123456789abcdef0"]},
        "aws:network-acl",
    ),
    "in-address-groups": Variant(
        (),
        {
            "addresses": POOLED,
            "region": "europe-west4",
            "networks": ["projects/acme-prod/global/networks/main"],
            "from": ["tagValues/1", "10.0.0.0/8", "fd20::/20"],
            "tags": {"team": "platform"},
        },
        "gcp:address-group",
    ),
    "in-ip-groups": Variant(
        (),
        {"addresses": POOLED, "resourceGroup": "rg-hub", "from": ["10.20.0.0/16"], "tags": {"team": "platform"}},
        "azure:ip-group",
    ),
    "by-address": Variant(
        ("./by-address.yaml",),
        {
            "addresses": {"git": ["203.0.113.22", "203.0.113.23"], "clock": ["203.0.113.64/28", "198.51.100.0/24"]},
            "ipSets": {"broker": PREFIX_LIST},
            "logAllowed": True,
            "reject": True,
        },
    ),
    "by-address-from-a-pool": Variant(
        ("./by-address.yaml",),
        {
            "homeNet": ["10.0.0.0/8", "fd00::/8"],
            "hostAddresses": {
                "git.vendor.example": ["203.0.113.22", "203.0.113.23", "2001:db8::22"],
                "broker.vendor.example": ["203.0.113.22", "203.0.113.30"],
            },
            "ipSets": {"clock": PREFIX_LIST},
        },
    ),
    "in-zones": Variant(
        (),
        {
            "zones": ["europe-west1-b", "northamerica-northeast1-a"],
            "networks": ["projects/acme/global/networks/main"],
            "mtu": 8_500,
            "tags": {"team": "platform"},
        },
        "gcp:url-filter",
    ),
    "folder": Variant(
        (),
        {
            "parent": "organizations/123456789012",
            "nodes": ["folders/345678901234"],
            "networks": ["projects/acme-prod/global/networks/main"],
            "from": ["tagValues/1", "10.0.0.0/8", "fd20::/20"],
            "logAllowed": True,
        },
        "gcp:fqdn",
    ),
    "google-apis": Variant(
        ("./google-apis.yaml",),
        {
            "networks": ["projects/acme-prod/global/networks/main"],
            "googleApis": {"access": "restricted", "responsePolicy": "make"},
        },
        "gcp:fqdn",
        tuple(
            Acceptance(finding="google-apis", entry=entry, because="all of them may be used")
            for entry in ("any-run", "storage")
        ),
    ),
    "region": Variant(
        (), {"region": "europe-west1", "networks": ["projects/acme-prod/global/networks/main"]}, "gcp:fqdn"
    ),
}
"""By name; each with the newest revision, in enforce mode."""


class Case(NamedTuple):
    """One plan."""

    target: str
    revision: str
    mode: str
    variant: str = ""

    def __str__(self) -> str:
        return f"{self.target} {self.revision} {self.variant or self.mode}"

    @property
    def folder(self) -> str:
        return f"{self.revision}/{self.variant or self.mode}/{self.target.replace(':', '-')}"

    def plan(self) -> Plan:
        catalogs, options, _, accept = VARIANTS.get(self.variant, Variant((), {}))
        hosts = select(f"{CATALOG}@{self.revision}", *catalogs, base=Path(__file__).parent).accepting(accept)
        return plan(hosts, self.target, options, mode=self.mode)

    def files(self) -> dict[str, str]:
        """Contents by path below FOLDER: the plan's objects and decisions, and each rule text."""
        made = self.plan()
        written = made.as_json()
        shown = {key: written[key] for key in ("target", "digest", "objects", "decisions")}
        found = {f"{self.folder}/plan.json": json.dumps(shown, indent=2, ensure_ascii=False) + "\n"}
        texts = {each.name: each.text for each in made.objects if each.text is not None}
        return found | {f"{self.folder}/{name}.rules": text for name, text in texts.items()}


def cases() -> Iterator[Case]:
    """Every registered mechanism, both revisions, both modes; and the variants."""
    for target in MADE:
        for revision in REVISIONS:
            for mode in MODES:
                yield Case(target, revision, mode)
    for variant, stated in VARIANTS.items():
        yield Case(stated.target, REVISIONS[-1], "enforce", variant)
