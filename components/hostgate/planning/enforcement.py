"""Enforcement: what a plan keeps closed beside the hosts of its catalogs, so that two plans can be compared by it.

Hosts that open or close are counted from decisions. What is in no catalog is denied or not, as a whole: by whom, which
traffic, in which places, for whom, and with which destinations exempt. Every mechanism says so of its own options.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Denier = Literal["hostgate", "others", "nobody"]

ORDER = "first priority among rules of others"
"""A safeguard where others have rules in the same place: what they allow before ours is open."""

OWN_POLICY = "the policy that hostgate makes"
"""A place whatever the policy is called: where it can be renamed, the new one takes the old one's networks or firewall."""

WITHIN = " within "
"""Between a client and the ranges in which alone it is meant."""

OTHERS = "the policy of another owner denies it"
"""What may deny where `deny: declared` says so, as the end of a sentence with "unless"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesInPlace:
    """Rules that let clients pass and that an update changes where they stand, before the deny: a client that leaves such a
    rule meets the deny until that changes too, and for good where the update stops between them."""

    clients: Mapping[str, tuple[str, ...]]
    """Whom each rule is about, by what identifies it; empty: everybody."""
    way: str
    """How clients leave all the same, as the end of a message."""
    led: str = ""
    """Where names are led to addresses that the options say, and rules are about those: how the names go to others, as the
    end of a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditOpening:
    """What audit allows although something else denies it: everything, to those that the audit rules are about."""

    clients: tuple[str, ...]
    """Empty: everybody in these places."""
    denier: str
    """What denies it to all others, as the subject of a sentence."""
    stands: bool
    """Whether that denies without the plan too, so that a new plan opens everything and one that goes closes it."""
    places: tuple[str, ...] = ()
    """Where the audit rules stand, as far as another place is another opening."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enforcement:
    """What becomes of traffic to what is in no catalog. Items are in words that a reviewer reads."""

    denier: Denier
    """Who denies it: the plan, another policy that `deny: declared` says to exist, or nobody."""
    because: str
    """The options that say so."""
    traffic: tuple[str, ...] = ("traffic",)
    """What is denied, e.g. an address family."""
    places: tuple[str, ...] = ()
    """Where: policies, networks, VPCs, firewall endpoints."""
    inside: Mapping[str, str] = field(default_factory=dict)
    """Of a place the one that it is a part of: enforced there, it is enforced in the part too."""
    declared: Mapping[str, str] = field(default_factory=dict)
    """Of the places those where the plan makes nothing, and what is said to stand there in its place."""
    judged: tuple[str, ...] = ()
    """Clients that the deny holds for; empty: everybody in these places."""
    barred: tuple[str, ...] = ()
    """Of those clients the ones that no rule for hosts is about: they reach none."""
    exempt: tuple[str, ...] = ()
    """Destinations that pass all the same: ranges as CIDR, zones, or words for what the cloud keeps open."""
    safeguards: Mapping[str, str] = field(default_factory=dict)
    """What else narrows what passes, by name."""
    in_place: RulesInPlace | None = None
    """Where rules are about clients, those that let them pass."""
    apart: str = ""
    """Where objects that hold the rules change one by one, in whatever order: how a host or a client goes from one to another,
    as the end of a message."""
    audit: AuditOpening | None = None
    """Of mode audit, where it does not only leave out a deny."""
    unless: str = ""
    """What may deny it all the same once the plan does not, as the end of a sentence."""
    by_itself: bool = False
    """Whether what judges at the places denies whatever no rule allows: where rules go, the hosts close, and nothing opens."""
    partial: bool = False
    """Whether only the denier is known: the rest is then not compared."""


def denier_of(settings: Mapping[str, Any]) -> tuple[Denier, str]:
    """Who denies by the options `mode` and `deny`, and the option that decides it."""
    deny = settings.get("deny", "internet")
    if settings.get("mode") == "audit":
        return "nobody", "mode audit"
    if deny == "none":
        return "nobody", "deny none"
    return ("others" if deny == "declared" else "hostgate"), f"deny {deny}"
