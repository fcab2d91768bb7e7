"""The hosts for software outside the clouds, as files that it reads: each format a mechanism with a row of its own."""

from hostgate.planning.targets import Target

_FILES = "hostgate.export.file_format:files_of"
_MODULES = {
    "squid": "squid",
    "pac": "pac",
    "cilium": "cilium",
    "nftables": "nftables",
    "vpn": "vpn",
    "vpn-domains": "vpn_domains",
    "csv": "csv_list",
    "json": "json_list",
    "tfvars": "tfvars",
}

TARGETS = tuple(
    Target(name=f"export:{name}", mechanism=f"hostgate.export.{module}", exports={name: _FILES})
    for name, module in _MODULES.items()
)
