"""The resource type of address groups, which rules of firewall policies refer to, and how a reference names one."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from hostgate.gcp.spelling import DELETION
from hostgate.planning.limits import Limit
from hostgate.planning.resource_types import AutoName, ResourceType
from hostgate.planning.shapes import Entries, InputProblem, Items, Record, Text, Whole, filled, inner, known_list, shown

GROUPS: Final = "Cloud NGFW documentation: address groups for firewall policies"
SECURITY: Final = "Network Security API v1, AddressGroup, revision 20261104"
READ_ON: Final = "2026-11-29"

ADDRESS_GROUP: Final = "gcp:networksecurity/addressGroup:AddressGroup"

ITEMS = Limit("items of an address group", 1_000, "items", GROUPS, READ_ON)
GROUPS_OF_RULE = Limit(
    "address groups of a rule", 10, "groups", "compute v1, FirewallPolicyRuleMatcher.destAddressGroups", "2026-11-23"
)

REPLACED: Final = ("name", "location", "type")
"""Cannot change, and the provider plans an update in place: of its definition only `parent` and `capacity` are immutable
(magic-modules d577844, networksecurity AddressGroup)."""

_FAMILIES: Final = ("IPV4", "IPV6")

_PATH = re.compile(r"((?:projects|organizations)/[^/]+)/locations/([^/]+)/addressGroups/([^/]+)\Z")

Path = tuple[str | None, str | None, str]
"""Parent, location and name; None: not said."""


def path_in(text: str) -> Path:
    """What `text` says of a group: a path, with or without a service before it, or a name alone."""
    found = _PATH.search(text)
    return (found[1], found[2], found[3]) if found else (None, None, text.rpartition("/")[2])


def _fits(inputs: Mapping[str, Any], path: str) -> Iterator[InputProblem]:
    """A group holds ranges of its own family, and no more than its capacity."""
    items, capacity, family = inputs.get("items"), inputs.get("capacity"), inputs.get("type")
    where = inner(path, "items")
    if isinstance(capacity, int | float) and capacity >= 1:
        if capacity > ITEMS.max and not filled(inputs, "purposes"):  # those of Cloud Armor may be larger
            at, allowed = inner(path, "capacity"), f"1 to {ITEMS.max}"
            yield InputProblem("too large", path=at, found=shown(capacity), allowed=allowed, source=GROUPS)
        if isinstance(items, list | tuple) and len(items) > capacity:
            allowed = f"{capacity:g}, the capacity"
            yield InputProblem("too many items", path=where, found=str(len(items)), allowed=allowed, source=GROUPS)
    for index, text in known_list(inputs, "items"):
        try:
            found = f"IPV{ipaddress.ip_network(text, strict=False).version}"
        except ValueError:
            found = ""
        if not found or (family in _FAMILIES and found != family):
            allowed = f"an address or a range of {family if family in _FAMILIES else ' or '.join(_FAMILIES)}"
            yield InputProblem(
                "not an item", path=f"{where}[{index}]", found=shown(text), allowed=allowed, source=GROUPS
            )


ADDRESS_GROUP_TYPE = ResourceType(
    ADDRESS_GROUP,
    Record(
        {
            "name": Text(
                r"[a-zA-Z][a-zA-Z0-9_-]{0,62}", "1 to 63 of a-z, A-Z, 0-9, - and _, a letter first", source=GROUPS
            ),
            "parent": Text(
                r"(?:projects|organizations)/[^/]+", "projects/<id> or organizations/<number>", source=SECURITY
            ),
            "location": Text(fewest=1),
            "type": Text(one_of=_FAMILIES, source=SECURITY),
            "capacity": Whole(1, 2_147_483_647, SECURITY),
            "items": Items(Text(fewest=1), unique=True, source=GROUPS),
            "description": Text(),
            "labels": Entries(Text()),
            "purposes": Items(Text(one_of=("DEFAULT", "CLOUD_ARMOR"), source=SECURITY)),
            "deletionPolicy": DELETION,
        },
        ("capacity", "location", "type"),
        (_fits,),
        renamed={"purposes": "purpose"},
        source=SECURITY,
    ),
    computed=("createTime", "effectiveLabels", "pulumiLabels", "updateTime"),
    auto_name=AutoName("name"),
    replaces=("capacity", "parent", *REPLACED),
    configured=("parent",),
    kind="networksecurity.googleapis.com/AddressGroup",
    refreshed="items",
)
