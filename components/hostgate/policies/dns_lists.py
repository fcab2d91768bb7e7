"""Domain lists of Route 53 Resolver DNS Firewall: what their lines hold. What a list does, the rules beside it decide."""

from collections.abc import Iterator

from hostgate.aws.resources_resolver import LIST_DOMAINS
from hostgate.flows.nodes import Node
from hostgate.planning.limits import Usage
from hostgate.policies.effects import Names
from hostgate.policies.reading import Reading


def read_list(node: Node) -> Reading:
    """A ResolverFirewallDomainList by itself: whether it is empty, and how full."""
    reading = Reading(node.doubts)
    domains = node.at("domains")
    if domains.absent or domains.empty:
        reading.empties.append(("domains", "a domain list without domains"))
    reading.usage.append(Usage(LIST_DOMAINS, len(list(domains.items("size")))))
    return reading


def domains_of(node: Node) -> Iterator[tuple[str, Names]]:
    """Where each line stands and the names it holds; a line that cannot be read is a doubt of `node`.

    Whether `*.x` holds x itself is not documented, so it is taken to (`hostgate.aws.query_kinds`).
    """
    for item in node.at("domains").items("names"):
        text = item.text("names")
        if text is not None:
            yield item.path, _names(text.lower())


def _names(line: str) -> Names:
    if line in ("*", "*."):
        return Names("any", "")
    name = line.removesuffix(".")
    if name.startswith("*."):
        return Names("subtree+apex", name[2:])
    if "*" in name:
        return Names("ending", name.rpartition("*")[2])
    return Names("exact", name)
