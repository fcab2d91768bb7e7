"""Egress by Secure Web Proxy: a policy-based route leads the instances with a network tag to it, as their next hop."""

import pulumi
import pulumi_gcp as gcp

import hostgate
from hostgate.gcp import WebProxyAllowlist

config = pulumi.Config()
project, region, network = pulumi.Config("gcp").require("project"), config.require("region"), config.require("network")

clients = gcp.compute.Subnetwork("clients", network=network, region=region, ip_cidr_range="10.20.0.0/20")

vendors = WebProxyAllowlist(
    "vendors",
    hosts=hostgate.select("chainguard/images@2026-02-23", phases=["pull", "build"]),
    # Both stand in the matchers of the rules, and no Output can say them.
    project=project,
    region=region,
    network=network,
    subnetwork=clients.id,  # the gateway has its address here, beside the clients
    proxy_subnet="10.9.0.0/23",  # where the proxies run; no instance can be in it
    network_tags=["egress-by-proxy"],
    from_=["10.20.0.0/20"],
)

pulumi.export("proxy", vendors.address)
