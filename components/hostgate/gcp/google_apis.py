"""Google's own APIs by their virtual addresses: the option, what it is about, and the answers that lead names there.

Names of googleapis.com answer with addresses that vary too much for FQDN objects. Private Google Access and Private Service
Connect have fixed addresses for all of them; a response policy of Cloud DNS, or a private zone, leads the names there.
"""

from collections.abc import Iterable, Mapping
from ipaddress import ip_address, ip_network
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, model_validator
from pydantic_core import PydanticCustomError

from hostgate.catalog.model import MATCHES, Entry, Family, Match
from hostgate.gcp.firewall_policy_options import FirewallPolicyOptions
from hostgate.gcp.spelling import short_digest
from hostgate.planning.evidence import Claim, Evidence
from hostgate.planning.mechanism import Means, Objection
from hostgate.planning.options import PRIVATE_IPV4, SHARED_IPV4, Options

ZONE: Final = "googleapis.com"
"""The names that are led to the addresses, at and below, and no others of Google."""

SOURCE: Final = "VPC Service Controls documentation, private connectivity"

VIPS: Final[Mapping[str, Mapping[Family, str]]] = {
    "private": {"ipv4": "199.36.153.8/30"},
    "restricted": {"ipv4": "199.36.153.4/30", "ipv6": "2600:2d00:0002:1000::/64"},
}
"""Ranges of private.googleapis.com and restricted.googleapis.com (SOURCE, read 2026-11-23)."""

FINDING: Final = "google-apis"

MEANS = Means(
    name="Google API addresses",
    protocols=frozenset({"https", "tls", "tcp"}),
    sight="address-and-port",
    ttl_family="wire",
    resolver="the names resolve to fixed addresses; TTL and rotation do not matter",
    evidence=Evidence("documented", SOURCE, "2026-11-23"),
    needs=(
        Claim(
            "Private Google Access on the subnets, or an endpoint of Private Service Connect; a response policy or a private "
            "zone that leads the names there",
            SOURCE,
            "2026-11-23",
        ),
    ),
    opens=(Claim("every Google API behind the addresses, whatever its name", SOURCE, "2026-11-23"),),
    costs=(
        Claim(
            "1 unit for each GB of internet traffic that rules with FQDN objects judge before it, none within the cloud",
            "Cloud NGFW pricing, Standard",
            "2026-11-23",
        ),
    ),
    kinds=frozenset(),
    ports=range(443, 444),
    widenings=dict.fromkeys(MATCHES, FINDING),
)


ANSWERS_TTL: Final = 300
"""Seconds for which clients may keep where a response policy of the plan led them."""


def _endpoint(text: str) -> str:
    try:
        inside = any(ip_address(text) in ip_network(each) for each in (*PRIVATE_IPV4, *SHARED_IPV4))
    except ValueError:
        inside = False
    if not inside:
        raise PydanticCustomError(
            "endpoint", "{message}",
            {"message": f"Found {text!a}. Allowed: the private IPv4 address of an endpoint of Private Service Connect."},
        )  # fmt: skip
    return text


class GoogleApis(BaseModel):
    """How clients reach googleapis.com and all below it."""

    model_config = Options.model_config

    access: Literal["private", "restricted", "psc"]
    """By the private or the restricted addresses of Private Google Access, or by endpoints of Private Service Connect."""
    addresses: list[Annotated[str, AfterValidator(_endpoint)]] = []
    """Of the endpoints, for `psc`."""
    response_policy: Literal["make", "declared"]
    """Whether a response policy is made that leads the hosts there; `declared`: something there does, for the whole of
    googleapis.com and to these addresses alone."""

    @model_validator(mode="after")
    def _of_endpoints(self) -> Self:
        if (self.access == "psc") != bool(self.addresses):
            raise ValueError(
                f"found access {self.access!r} with {len(self.addresses)} `addresses`. Allowed: the addresses of endpoints "
                "with 'psc', none with 'private' and 'restricted'."
            )
        return self

    def ranges(self, family: Family) -> list[str]:
        """Where the names lead, as CIDR."""
        if self.access == "psc":
            return sorted({f"{each}/32" for each in self.addresses}) if family == "ipv4" else []
        found = VIPS[self.access].get(family)
        return [] if found is None else [found]


class FqdnOptions(FirewallPolicyOptions):
    """Beside those of a firewall policy: how Google's own APIs are reached."""

    google_apis: GoogleApis | None = None
    """Left out: names of googleapis.com are FQDN objects like all others, which suits them badly."""

    @model_validator(mode="after")
    def _reaches_google(self) -> Self:
        if self.google_apis is None:
            return self
        found = []
        if "ipv4" not in self.source_families:
            found.append("found `googleApis` and no IPv4 range under `from`. Hosts are led to IPv4 addresses.")
        if self.google_apis.response_policy == "make" and (self.attach is not None or self.scope == "hierarchical"):
            whose = "`attach`" if self.attach is not None else "a hierarchical policy"
            found.append(
                f"found responsePolicy 'make' with {whose}. It is made for `networks` of the policy's own project. Allowed: "
                "'declared', where one answers for the networks."
            )
        if found:
            raise ValueError(" ".join(found))
        return self

    def leads(self, entry: Entry) -> bool:
        """Whether the host of `entry` is reached by the addresses of Google's APIs."""
        return self.google_apis is not None and (entry.host == ZONE or entry.host.endswith(f".{ZONE}"))

    def dialled(self, entry: Entry) -> tuple[str, ...]:
        return tuple(each for found in self.google_ranges.values() for each in found) if self.leads(entry) else ()

    @property
    def google_ranges(self) -> dict[Family, list[str]]:
        """The addresses of Google's APIs by family: IPv6 where it is denied and clients may have it."""
        if self.google_apis is None:
            return {}
        families: list[Family] = ["ipv4"]
        families += ["ipv6"] if "ipv6" in self.families and "ipv6" in self.source_families else []
        return {family: found for family in families if (found := self.google_apis.ranges(family))}

    @property
    def google_cut(self) -> str:
        if self.google_apis is None:
            return super().google_cut
        return f"Google APIs but by {', '.join(each for found in self.google_ranges.values() for each in found)}"


def objection(entry: Entry, options: FqdnOptions) -> Objection:
    """Why an entry that `options` lead to the addresses is not allowed as it is."""
    assert options.google_apis is not None
    if (entry.transport, entry.port) != ("tcp", 443):
        return Objection(
            f"With `googleApis` names of {ZONE} lead to addresses that are allowed on tcp 443 only. Found: {entry.transport} "
            f"{entry.port}.",
            "leave the entry out here (select.without).",
        )
    where = ", ".join(each for found in options.google_ranges.values() for each in found)
    return Objection(
        f"The rule for {entry.reach} allows every Google API behind {where}, whatever its name.",
        "a mechanism that sees names, gcp:url-filter or gcp:web-proxy.",
        FINDING,
    )


def needs(options: FqdnOptions) -> str:
    """What has to be so beside the plan for the hosts to be reached, in sentences."""
    apis = options.google_apis
    assert apis is not None
    where = ", ".join(each for found in options.google_ranges.values() for each in found)
    what = (
        "an endpoint of Private Service Connect for Google APIs on each address"
        if apis.access == "psc"
        else "subnets with Private Google Access, and a route to the range"
    )
    named = (
        f"an answer for {ZONE} and every name below it with these addresses alone"
        if apis.response_policy == "declared"
        else "no other response policy of the networks that answers the names"
    )
    said = f"{ZONE} by {where} needs: {what}, and {named}."
    if apis.access == "restricted":
        said += " It serves services of VPC Service Controls only, and a perimeter may refuse what this allows."
    return said


def answers(entries: Iterable[Entry], options: FqdnOptions) -> list[dict[str, Any]]:
    """A response policy rule for each name that `entries` need, as bodies. A star answers for every depth below.

    Rules are called after what they answer for, and not after the plan: a name has one rule, so a new one cannot be made
    beside the old.
    """
    addresses = [str(each) for cidr in options.google_ranges["ipv4"] for each in ip_network(cidr)]
    names = sorted({f"{star}{entry.host}." for entry in entries for star in _STARS[entry.match]})
    return [
        {
            "ruleName": f"{_label(name)}-{short_digest(name)}",
            "dnsName": name,
            "localData": {"localDatas": [{"name": name, "type": "A", "ttl": ANSWERS_TTL, "rrdatas": addresses}]},
        }
        for name in names
    ]


def _label(name: str) -> str:
    """The first of a name, for people; names that begin alike are told apart by their digest."""
    return f"any-{name[2:].partition('.')[0]}"[:24] if name.startswith("*.") else name.partition(".")[0][:24]


_STARS: Final[Mapping[Match, tuple[str, ...]]] = {
    "exact": ("",), "one-label": ("*.",), "subtree": ("*.",), "subtree+apex": ("", "*."),
}  # fmt: skip
