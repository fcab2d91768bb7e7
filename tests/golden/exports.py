"""Which files of `hostgate export` are golden: every form at least once, and each way in which a form is written otherwise."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from conformance.catalogs import entry, selection
from hostgate.export.suricata import export_suricata
from hostgate.planning.address_pool import AddressPool, PoolAddress, PoolHost
from hostgate.planning.mechanism import mechanism
from hostgate.planning.plan import draft
from hostgate.planning.targets import load, row

FOLDER = Path(__file__).parent / "exports"

HOSTS = [
    entry("registry.corp.example", purpose="Images", phases=("pull",), party="first"),
    entry("registry.corp.example", "registry-alt", port=8443, protocol="tls", purpose="=Images, the other port"),
    entry("blobs.corp.example", match="subtree", purpose="Layers", phases=("pull", "build")),
    entry("one.corp.example", match="one-label", purpose="Shards"),
    entry("lists.corp.example", match="subtree+apex", port=80, protocol="http", purpose="Revocation lists"),
    entry("mirror.corp.example", port=80, protocol="http", purpose="Packages"),
    entry("time.corp.example", port=123, protocol="udp", purpose="Clock"),
    entry("git.corp.example", port=22, protocol="tcp", purpose="Sources", families=("ipv4",)),
]
"""Every match kind, protocol and a second port. Each form has those of them that it can say."""

POOL = {
    "registry.corp.example": ["203.0.113.7", "203.0.113.8", "2001:db8::7"],
    "mirror.corp.example": ["203.0.113.8", "2001:db8::8"],
    "time.corp.example": ["203.0.113.123", "2001:db8::123"],
    "git.corp.example": ["203.0.113.22"],
}
CLIENTS = {"from": ["10.0.0.0/8", "fd00::/8"]}
NETWORK = "projects/corp-net/global/networks/main"


class Case(NamedTuple):
    """A form, the plan that it is written of, options, and the addresses that a pool brings."""

    form: str
    target: str
    options: Mapping[str, Any] = {}
    pool: Mapping[str, Sequence[str]] | None = None


CASES = {
    "squid": Case("squid", "export:squid", CLIENTS),
    "squid-pairs": Case("squid", "export:squid", {"pair": True, "listen": "10.0.0.1:3128"}),
    "pac": Case("pac", "export:pac", {"allowed": "PROXY proxy.corp.example:3128"}),
    "cilium": Case("cilium", "export:cilium", {"namespace": "ci", "select": ["app=builder", "tier=build"]}),
    "nftables": Case("nftables", "export:nftables", {"addresses": POOL, **CLIENTS, "resolvers": ["10.0.0.2", "fd00::2"]}),
    "nftables-stateless": Case("nftables", "export:nftables", {"addresses": POOL, "stateless": True}),
    "vpn": Case("vpn", "export:vpn", {"addresses": POOL}),
    "vpn-openvpn": Case("vpn", "export:vpn", {"addresses": POOL, "product": "openvpn"}),
    "vpn-wireguard": Case("vpn", "export:vpn", {"addresses": POOL, "product": "wireguard"}),
    "vpn-aws-client-vpn": Case("vpn", "export:vpn", {"addresses": POOL, "product": "aws-client-vpn"}),
    "vpn-domains": Case("vpn-domains", "export:vpn-domains"),
    "csv": Case("csv", "export:csv"),
    "json": Case("json", "export:json"),
    "tfvars": Case("tfvars", "export:tfvars", {"name": "corp"}),
    "suricata": Case("suricata", "aws:rules", {"homeNet": ["10.0.0.0/8", "fd00::/8"], **CLIENTS}),
    "suricata-audit": Case("suricata", "aws:rules", {"mode": "audit"}),
    "terraform-aws-rules": Case("terraform", "aws:rules", {"tags": {"CostCenter": "4711"}}),
    "terraform-aws-domain-list": Case("terraform", "aws:domain-list"),
    "terraform-aws-dns-firewall": Case("terraform", "aws:dns-firewall", {"vpcs": ["vpc-0123456789abcdef0"], "inside": ["corp"]}),
    "terraform-aws-prefix-list": Case(
        "terraform", "aws:prefix-list", {"securityGroups": ["sg-0a1", "sg-0a2"], "addresses": POOL, "tags": {"CostCenter": "4711"}}
    ),
    "terraform-aws-network-acl": Case("terraform", "aws:network-acl", {"networkAcls": ["acl-0a1"], "addresses": POOL}),
    "terraform-gcp-fqdn": Case("terraform", "gcp:fqdn", {"networks": [NETWORK], **CLIENTS}),
    "terraform-gcp-fqdn-folder": Case(
        "terraform", "gcp:fqdn", {"parent": "organizations/1", "nodes": ["folders/2"], "networks": [NETWORK]}
    ),
    "terraform-gcp-address-group": Case(
        "terraform", "gcp:address-group", {"addresses": POOL, "networks": [NETWORK], "tags": {"team": "platform"}, **CLIENTS}
    ),
    "terraform-gcp-url-filter": Case(
        "terraform", "gcp:url-filter", {"networks": [NETWORK], "zones": ["europe-west4-a"], "tags": {"team": "platform"}}
    ),
    "terraform-gcp-web-proxy": Case(
        "terraform",
        "gcp:web-proxy",
        {"network": NETWORK, "subnetwork": "projects/corp-net/regions/europe-west4/subnetworks/main"},
    ),
    "terraform-azure-application-rules": Case(
        "terraform", "azure:application-rules", {"resourceGroup": "rg-hub", "location": "westeurope", "from": ["10.0.0.0/8"]}
    ),
    "terraform-azure-ip-group": Case(
        "terraform", "azure:ip-group",
        {"resourceGroup": "rg-hub", "location": "westeurope", "tags": {"team": "x"}, "contents": "refresher"},
        pool=POOL,
    ),
}  # fmt: skip


def files_of(case: Case) -> Mapping[str, str]:
    """The files of a form by name."""
    how = mechanism(case.target)
    pool = None if case.pool is None else _pool(case.pool)
    whole = draft(selection(HOSTS), case.target, case.options, pool=pool)
    objections = how.objections([each.entry for each in whole.decisions], whole.options)
    made = draft(
        selection([each for each in HOSTS if each.key not in objections]), case.target, case.options, pool=pool
    )
    assert made.objects, f"{case.target} has nothing to write"
    if case.form == "suricata":
        return export_suricata(made).by_name()
    written: Mapping[str, str] = load(row(case.target).exports[case.form])(made)
    return written


def _pool(addresses: Mapping[str, Sequence[str]]) -> AddressPool:
    hosts = {
        host: PoolHost(host, 86_400, tuple(PoolAddress(each, 0, (("here", 0),)) for each in listed))
        for host, listed in addresses.items()
    }
    return AddressPool(hosts)


def files() -> dict[str, str]:
    """Contents by path below FOLDER."""
    return {f"{name}/{file}": text for name, case in CASES.items() for file, text in files_of(case).items()}
