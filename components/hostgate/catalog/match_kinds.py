"""Match-kind algebra: which names a (kind, host) pair holds, and how two such sets relate.

Hosts are lower-case A-labels without trailing dot, as the catalog gives them; names are compared without regard to
case. `exact` is {x}; `one-label` is every l.x; `subtree` every name below x; `subtree+apex` that and x.
"""

from hostgate.catalog.model import MATCHES, Match

BREADTH: dict[Match, int] = {kind: rank for rank, kind in enumerate(MATCHES)}
"""Rank of a kind: of two kinds over one host, the lower rank is the narrower."""


def holds(kind: Match, host: str, name: str) -> bool:
    """Whether the set (`kind`, `host`) holds `name`. A trailing dot makes another name, as it does on the wire."""
    name = name.lower()
    if name == host:
        return kind in ("exact", "subtree+apex")
    if kind == "exact" or not name.endswith("." + host):
        return False
    prefix = name[: -len(host) - 1]
    if not prefix or ".." in f".{prefix}.":  # an empty label
        return False
    return kind != "one-label" or "." not in prefix


def within(kind: Match, host: str, other_kind: Match, other_host: str) -> bool:
    """Whether every name of (`kind`, `host`) is in (`other_kind`, `other_host`)."""
    if kind == "exact":
        return holds(other_kind, other_host, host)
    if host == other_host:
        return kind == other_kind or other_kind == "subtree+apex" or (kind, other_kind) == ("one-label", "subtree")
    return other_kind in ("subtree", "subtree+apex") and host.endswith("." + other_host)


def meet(kind: Match, host: str, other_kind: Match, other_host: str) -> bool:
    """Whether some name is in both sets."""
    if kind == "exact":
        return holds(other_kind, other_host, host)
    if other_kind == "exact":
        return holds(kind, host, other_host)
    if host == other_host:
        return True
    if host.endswith("." + other_host):
        return _reaches_below(other_kind, other_host, kind, host)
    if other_host.endswith("." + host):
        return _reaches_below(kind, host, other_kind, other_host)
    return False


def _reaches_below(kind: Match, host: str, deep_kind: Match, deep_host: str) -> bool:
    """Whether (`kind`, `host`) holds a name of (`deep_kind`, `deep_host`), a wildcard set over a name below `host`."""
    if kind in ("subtree", "subtree+apex"):
        return True
    one_below = "." not in deep_host[: -len(host) - 1]
    return kind == "one-label" and one_below and deep_kind == "subtree+apex"
