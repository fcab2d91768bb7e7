"""Google Cloud: the mechanisms of Cloud NGFW and Secure Web Proxy, and the components that realise them.

`from hostgate.gcp import FirewallPolicyAllowlist` loads pulumi and this cloud's SDK; importing a mechanism does not.
"""

from typing import TYPE_CHECKING

from hostgate.gcp.resources_groups import ADDRESS_GROUP, REPLACED
from hostgate.on_demand import on_demand
from hostgate.planning.targets import COMPUTED, Target

if TYPE_CHECKING:
    from hostgate.gcp.address_group_components import AddressGroupAllowlist, AddressGroupAllowlistArgs
    from hostgate.gcp.components import FirewallPolicyAllowlist, FirewallPolicyAllowlistArgs
    from hostgate.gcp.proxy_components import WebProxyAllowlist, WebProxyAllowlistArgs
    from hostgate.gcp.url_filter_components import UrlFilterAllowlist, UrlFilterAllowlistArgs

__all__ = [
    "TARGETS",
    "AddressGroupAllowlist",
    "AddressGroupAllowlistArgs",
    "FirewallPolicyAllowlist",
    "FirewallPolicyAllowlistArgs",
    "UrlFilterAllowlist",
    "UrlFilterAllowlistArgs",
    "WebProxyAllowlist",
    "WebProxyAllowlistArgs",
]

_TERRAFORM = "hostgate.export.terraform_google:export_terraform"

TARGETS = (
    Target(
        name="gcp:fqdn",
        mechanism="hostgate.gcp.fqdn",
        component="hostgate.gcp.components:FirewallPolicyAllowlist",
        outputs=("policy", "rules", "digest"),
        example={"networks": ["projects/acme-prod/global/networks/prod"]},
        references={
            "attach": f"{COMPUTED}/{COMPUTED}",
            "project": COMPUTED,
            "tags{}": COMPUTED,
            "networks[]": f"{COMPUTED}/network-{{}}",
            "parent": f"{COMPUTED}/parent",
            "nodes[]": f"{COMPUTED}/node-{{}}",
            "from_[]": f"{COMPUTED}/client-{{}}",
        },
        referred={
            "networks": (
                "gcp:compute/networkFirewallPolicyAssociation:NetworkFirewallPolicyAssociation",
                "attachmentTarget",
            ),
            "attach": ("gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule", "firewallPolicy"),
        },
        logs={"connection": "hostgate.gcp.event_log:read_event"},
        places="hostgate.gcp.evaluate:places",
        simulated="hostgate.sandbox.gcp:CLOUD",
        exports={"terraform": _TERRAFORM},
    ),
    Target(
        name="gcp:url-filter",
        mechanism="hostgate.gcp.url_filter",
        component="hostgate.gcp.url_filter_components:UrlFilterAllowlist",
        outputs=("policy", "group_ids", "digest"),
        example={"networks": ["projects/acme-prod/global/networks/prod"], "zones": ["europe-west4-a"]},
        references={
            "attach": f"{COMPUTED}/{COMPUTED}",
            "project": COMPUTED,
            "tags{}": COMPUTED,
            "networks[]": f"{COMPUTED}/network-{{}}",
            "endpoints{}": f"{COMPUTED}/endpoint-{{}}",
        },
        referred={
            "networks": (
                "gcp:networksecurity/firewallEndpointAssociation:FirewallEndpointAssociation",
                "network",
            ),
            "attach": ("gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule", "firewallPolicy"),
        },
        logs={
            "connection": "hostgate.gcp.event_log:read_event",
            "inspection": "hostgate.gcp.event_log:read_event",
        },
        places="hostgate.gcp.evaluate:places",
        simulated="hostgate.sandbox.gcp:CLOUD",
        exports={"terraform": _TERRAFORM},
    ),
    Target(
        name="gcp:web-proxy",
        mechanism="hostgate.gcp.web_proxy",
        component="hostgate.gcp.proxy_components:WebProxyAllowlist",
        outputs=("policy", "gateway", "address", "digest"),
        example={
            "network": "projects/acme-prod/global/networks/prod",
            "subnetwork": "projects/acme-prod/regions/europe-west4/subnetworks/prod",
            "from": ["10.20.0.0/16"],
        },
        references={"network": COMPUTED, "subnetwork": COMPUTED},
        referred={
            "network": ("gcp:networkservices/gateway:Gateway", "network"),
            "subnetwork": ("gcp:networkservices/gateway:Gateway", "subnetwork"),
        },
        logs={"request": "hostgate.gcp.event_log:read_event"},
        places="hostgate.gcp.evaluate_proxy:places",
        simulated="hostgate.sandbox.gcp:CLOUD",
        exports={"terraform": _TERRAFORM},
    ),
    Target(
        name="gcp:address-group",
        mechanism="hostgate.gcp.address_group",
        component="hostgate.gcp.address_group_components:AddressGroupAllowlist",
        outputs=("policy", "address_groups", "rules", "digest"),
        example={"pool": "pool.txt", "networks": ["projects/acme-prod/global/networks/prod"]},
        references={
            "attach": f"{COMPUTED}/{COMPUTED}",
            "project": COMPUTED,
            "tags{}": COMPUTED,
            "networks[]": f"{COMPUTED}/network-{{}}",
            "from_[]": f"{COMPUTED}/client-{{}}",
        },
        referred={
            "networks": (
                "gcp:compute/networkFirewallPolicyAssociation:NetworkFirewallPolicyAssociation",
                "attachmentTarget",
            ),
            "attach": ("gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule", "firewallPolicy"),
        },
        replaces={ADDRESS_GROUP: REPLACED},
        logs={"connection": "hostgate.gcp.event_log:read_event"},
        places="hostgate.gcp.evaluate:places",
        simulated="hostgate.sandbox.gcp:CLOUD",
        exports={"terraform": _TERRAFORM},
    ),
)

__getattr__ = on_demand(
    __name__,
    {
        "AddressGroupAllowlist": "address_group_components",
        "AddressGroupAllowlistArgs": "address_group_components",
        "FirewallPolicyAllowlist": "components",
        "FirewallPolicyAllowlistArgs": "components",
        "UrlFilterAllowlist": "url_filter_components",
        "UrlFilterAllowlistArgs": "url_filter_components",
        "WebProxyAllowlist": "proxy_components",
        "WebProxyAllowlistArgs": "proxy_components",
    },
)
