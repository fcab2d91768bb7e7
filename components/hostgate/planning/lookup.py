"""How a mechanism that resolves names for itself does it: the documented figures that decide who is dropped."""

from dataclasses import dataclass

from hostgate.catalog.model import Family


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """Times in seconds. `source` and `date` as of a limit: who says so, and when it was read.

    `refresh_s`: between two lookups; `published` is False where the vendor states none and this is our assumption.
    `keep_s`: how long an address stays allowed after it was last in an answer. `cap`: addresses of each family that
    it takes from an answer. `least_ttl_s`: the vendor advises against names with shorter TTLs. `shared_cache`: clients
    must resolve through the same cache.
    """

    refresh_s: int
    keep_s: int
    source: str
    date: str
    published: bool = True
    cap: int | None = None
    least_ttl_s: int | None = None
    shared_cache: bool = False
    families: tuple[Family, ...] = ("ipv4", "ipv6")
