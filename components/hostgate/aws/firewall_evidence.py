"""What every way of AWS Network Firewall rests on."""

from hostgate.planning.evidence import Claim, Evidence

REPLAYED = Evidence("tried", "Suricata 7.0.10, packets replayed; not on the service itself", "2026-11-23")

NEEDS = (
    Claim(
        "a firewall that uses the policy, with an endpoint in each Availability Zone of the clients",
        "AWS Network Firewall developer guide, firewall components",
        "2026-11-28",
    ),
    Claim(
        "a route of each client subnet to its endpoint and back, for every address family that it has",
        "AWS Network Firewall developer guide, route table configurations",
        "2026-11-23",
    ),
    Claim(
        "HOME_NET with the addresses of all clients; others match no rule",
        "AWS Network Firewall best-practice guide",
        "2026-11-23",
    ),
)
NAMES_OPEN = (
    Claim(
        "any server to which a client names an allowed host",
        "AWS Network Firewall best-practice guide: the destination address is not checked against SNI",
        "2026-11-23",
    ),
)
COSTS = (
    Claim(
        "1 endpoint-hour for each Availability Zone, and 1 unit for each GB processed",
        "a public write-up that cites the pricing page of AWS Network Firewall",
        "2026-11-28",
    ),
)
