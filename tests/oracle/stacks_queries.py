"""Rule groups of DNS Firewall over one VPC or two, and queries, from one seed."""

from random import Random

from hostgate.aws.evaluate_queries import ASSOCIATION, DOMAIN_LIST, RULE, RULE_GROUP
from hostgate.flows.flow import Flow
from hostgate.flows.snapshot import Resource, Snapshot

NAMES = ("cgr.dev", "data.cgr.dev", "quay.io", "evil.example", "cdn.quay.io")
DOMAINS = ("cgr.dev.", "*.cgr.dev.", "quay.io", "*", "*.quay.io", "evil.example.")


def stack(random: Random) -> tuple[Snapshot, list[tuple[Flow, frozenset[str]]]]:
    made = [_resource(DOMAIN_LIST, f"l{n}", domains=random.sample(DOMAINS, random.choice((1, 2)))) for n in range(4)]
    for n in range(random.choice((1, 2, 3))):
        made.append(_resource(RULE_GROUP, f"g{n}", name=f"g{n}"))
        for place in random.sample(range(100, 999), random.choice((1, 2, 3))):
            more = {"qType": random.choice(("A", "AAAA"))} if random.random() < 0.2 else {}
            more |= {"blockResponse": "NODATA"} if random.random() < 0.5 else {}
            made.append(
                _resource(
                    RULE,
                    f"g{n}-{place}",
                    firewallRuleGroupId=f"g{n}",
                    firewallDomainListId=f"l{random.randrange(4)}",
                    priority=float(place),
                    action=random.choice(("ALLOW", "BLOCK", "BLOCK", "ALERT")),
                    firewallDomainRedirectionAction="TRUST_REDIRECTION_DOMAIN",
                    **more,
                )
            )
        if random.random() < 0.9:
            vpc, place = random.choice(("vpc-1", "vpc-1", "vpc-2")), random.randrange(101, 9000)
            made.append(_resource(ASSOCIATION, f"a{n}", firewallRuleGroupId=f"g{n}", vpcId=vpc, priority=place))
    flows = [Flow(name, 443, random.choice(("https", "tcp"))) for name in NAMES]
    return Snapshot(tuple(made), "a generated stack"), [(each, frozenset[str]()) for each in flows]


def _resource(kind: str, id_: str, **properties: object) -> Resource:
    return Resource(urn=f"urn:{id_}", type=kind, name=id_, id=id_, properties=properties)
