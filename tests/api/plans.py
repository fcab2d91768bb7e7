"""The bodies that are checked: every golden plan, and the options that add something to a body."""

from collections.abc import Iterator
from typing import Any

from conformance.catalogs import MADE, entry, selection
from golden.cases import cases
from hostgate.planning.mechanism import CloudObject
from hostgate.planning.plan import plan

_NFW = "arn:aws:network-firewall:eu-central-1"
_GATEWAY = {
    "network": "projects/p/global/networks/main",
    "subnetwork": "projects/p/regions/europe-west4/subnetworks/main",
}
_MORE: dict[str, list[dict[str, Any]]] = {
    "aws": [
        {"tags": {"team": "platform"}},
        {"from_": ["10.1.0.0/16"], "log_allowed": True},
        {"deny": "declared"},
        {"deny": "all"},
        {
            "managed_groups": [
                {"arn": f"{_NFW}:aws-managed:stateful-rulegroup/AStrictOrder", "override": "DROP_TO_ALERT"}
            ],
            "tls_inspection": f"{_NFW}:123456789012:tls-configuration/egress",
            "default_actions": ["aws:drop_established", "aws:alert_established", "aws:alert_strict"],
            "firewall": {
                "vpc_id": "vpc-0a1b",
                "subnet_mappings": [
                    {"subnet_id": "subnet-0a", "ip_address_type": "DUALSTACK"},
                    {"subnet_id": "subnet-0b"},
                ],
                "delete_protection": True,
            },
            "logging": [
                {
                    "log_type": "ALERT",
                    "log_destination_type": "S3",
                    "log_destination": {"bucketName": "b", "prefix": "p"},
                },
                {
                    "log_type": "FLOW",
                    "log_destination_type": "CloudWatchLogs",
                    "log_destination": {"logGroup": "flows"},
                },
                {
                    "log_type": "TLS",
                    "log_destination_type": "KinesisDataFirehose",
                    "log_destination": {"deliveryStream": "s"},
                },
            ],
            "tags": {"team": "platform"},
        },
        {
            "encryption_configuration": {"key_id": "alias/firewall"},
            "stateless_groups": [{"arn": f"{_NFW}:123456789012:stateless-rulegroup/edge"}],
            "stateless_custom_actions": {"counted": "egress"},
            "flow_timeouts": {"tcp_idle_timeout_seconds": 600},
            "group_tags": {"team": "platform"},
            "policy_tags": {"team": "network"},
            "firewall": {"vpc_id": "vpc-0a1b", "subnet_mappings": [{"subnet_id": "subnet-0a"}]},
            "endpoint_associations": [{"vpc_id": "vpc-0c", "subnet_id": "subnet-0c", "ip_address_type": "IPV4"}],
            "firewall_tags": {"team": "network"},
        },
        {"firewall": {"transit_gateway_id": "tgw-0a1b", "availability_zone_ids": ["euc1-az1", "euc1-az2"]}},
        {
            "deny": "declared",
            "share": {"principals": ["123456789012", "arn:aws:organizations::123456789012:ou/o-acme/ou-ab12-cd34"]},
            "tags": {"team": "platform"},
        },
    ],
    "aws:dns-firewall": [
        {"vpcs": ["vpc-0a1b2c3d", "vpc-0a1b2c3e4f5a6b7c8"], "base": 101, "tags": {"team": "platform"}},
        {"vpcs": ["vpc-0a1b2c3d"], "fail_mode": "open", "inside": ["corp", "acme.example"], "mode": "audit"},
        {"block_response": "OVERRIDE", "override_domain": "blocked.acme.example", "override_ttl": 604_800},
        {"deny": "declared", "block_response": "NXDOMAIN"},
        {"vpcs": ["vpc-0a1b2c3d"], "mutation_protection": True},
        {"profiles": ["rp-4987774726example", "rp-0a1b2c3d"], "base": 9_900, "tags": {"team": "platform"}},
        {"deny": "all"},
    ],
    "gcp": [
        {"from_": ["tagValues/1"]},
        {"from_": ["a@p.iam.gserviceaccount.com"]},
        {"networks": ["projects/p/global/networks/n"]},
    ],
    "gcp:url-filter": [
        {
            "zones": ["europe-west1-b", "us-central1-ai1a"],
            "networks": ["projects/p/global/networks/n", "projects/p/global/networks/m"],
            "mtu": 8_500,
            "tags": {"team": "platform"},
        },
        {
            "attach": "projects/p/global/firewallPolicies/egress",
            "networks": ["projects/p/global/networks/n"],
            "zones": ["europe-west1-b"],
            "endpoints": {"europe-west1-b": "organizations/1/locations/europe-west1-b/firewallEndpoints/e"},
            "from_": ["tagValues/1"],
        },
        {"zones": ["europe-west1-b"], "project": "p", "organization": "1", "billing_project": "pay", "mode": "audit"},
    ],
    "gcp:web-proxy": [
        {
            "from_": ["10.0.0.0/8", "a@p.iam.gserviceaccount.com", "tagValues/1"],
            "region": "europe-west4",
            "project": "p",
        },
        {**_GATEWAY, "proxy_subnet": "10.9.0.0/23", "exempt": ["203.0.113.0/24"], "mode": "audit"},
        {**_GATEWAY, "deny": "all", "network_tags": ["builds"], "address": "10.1.0.9", "tags": {"team": "platform"}},
        {
            **_GATEWAY,
            "route": "static",
            "network_tags": ["builds"],
            "address": "10.1.0.9",
            "exempt": ["203.0.113.0/24"],
        },
        {**_GATEWAY, "routing": "explicit", "ports": [8080, 3128]},
        {"attach": "projects/p/locations/europe-west4/gatewaySecurityPolicies/egress", "deny": "declared"},
        {**_GATEWAY, "tags": {"team": "platform"}},
    ],
    "azure": [
        {"attach": "rg/fp"},
        {"location": "westeurope", "tags": {"team": "platform"}},
        {"deny": "all", "from_": ["10.1.0.0/16"]},
        {
            "tier": "Premium",
            "threat_intel_mode": "Deny",
            "threat_intel_allowlist": {"fqdns": ["*.vendor.example"], "ip_addresses": ["203.0.113.0/24"]},
            "intrusion_detection": "Deny",
            "dns_servers": ["10.0.0.4"],
            "dns_proxy": True,
        },
    ],
}
_ALL_KINDS = [
    entry(),
    entry("x.vendor.example", match="subtree+apex", port=8443, protocol="tls"),
    entry("plain.vendor.example", port=80, protocol="http"),
]
_WEB = [
    entry(),
    entry("x.vendor.example", match="subtree+apex"),
    entry("y.vendor.example", match="subtree"),
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
    for target in MADE:
        if not target.startswith(f"{cloud}:"):
            continue
        for hosts in (_ALL_KINDS, _WEB, _BY_ADDRESS):
            for options in _MORE.get(target, _MORE[cloud]):
                made = plan(selection(hosts), target, options)
                yield from ((f"{target} {options}", each) for each in made.objects)
