"""Links of Compute Engine: which firewall policy or VPC network a text names, and in which project or region.

The provider keeps the last part of a policy's link and puts it into its own project, and sends a network's link as it
is (magic-modules d577844, 2026-08-21): what a text names has to be known before.
"""

import re
from dataclasses import dataclass
from typing import Literal

Collection = Literal["firewallPolicies", "networks"]

_HOST = re.compile(
    r"https://(?:www|compute)\.googleapis\.com/compute/(?:v1|beta|alpha)/|(?://)?compute\.googleapis\.com/(?:compute/v1/)?"
)
"""What stands before `projects/` in a self-link, and in a full resource name of Google Cloud."""

_NAME = re.compile(r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?")
"""RFC 1035, as the Compute Engine API v1 has it for names (revision 20261106)."""

_PROJECT = re.compile(r"(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?:)?[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
"""Id, with its domain where it has one, or number; as the provider takes them (magic-modules d577844, ProjectRegex)."""

_REGION = re.compile(r"[a-z]+-[a-z]+[0-9]+")
_NUMBER = re.compile(r"[0-9]{1,20}")
_NODE = re.compile(r"(?:organizations|folders)/[0-9]{1,20}")

_ALLOWED: dict[Collection, str] = {
    "firewallPolicies": "a network firewall policy, as projects/PROJECT/global/firewallPolicies/NAME or "
    "projects/PROJECT/regions/REGION/firewallPolicies/NAME, as the full link of one, or by its name alone; a hierarchical "
    "policy by its number, as locations/global/firewallPolicies/NUMBER",
    "networks": "a VPC network, as projects/PROJECT/global/networks/NAME, as the full link of one, or by its name alone where "
    "`project` is given",
}
_HIERARCHICAL = "an organization or a folder is where a hierarchical policy is made; the policy has a number of its own"
_PLACES = {
    "organizations": _HIERARCHICAL,
    "folders": _HIERARCHICAL,
    "regions": "that is of one region",
    "zones": "that is of one zone",
}


@dataclass(frozen=True, slots=True)
class Link:
    """What a text names. `project` is None where the text does not say it, or the policy is hierarchical: in none."""

    collection: Collection
    project: str | None
    name: str
    region: str | None = None

    @property
    def hierarchical(self) -> bool:
        """Whether it is a policy of an organization or a folder: such a one goes by its number."""
        return self.collection == "firewallPolicies" and self.name.isdecimal()

    def path(self, project: str | None = None, region: str | None = None) -> str | None:
        """The link from `projects/` on, in `project` and `region` unless it has its own; None if no project is said."""
        if self.hierarchical:
            return f"locations/global/firewallPolicies/{self.name}"
        stated, place = self.project or project, self.region or region
        return stated and f"projects/{stated}/{f'regions/{place}' if place else 'global'}/{self.collection}/{self.name}"


def read_link(text: str, collection: Collection) -> Link:
    """The link that `text` is. Raises ValueError: what was found, why it is none, what is allowed."""
    found = _HOST.match(text)
    below = text[found.end() :] if found else text
    parts = below.split("/")
    match parts:
        case ["projects", project, "global", kind, name] if kind == collection and _whole(project, name):
            return Link(collection, project, name)
        case ["projects", project, "regions", region, "firewallPolicies", name] if (
            collection == "firewallPolicies" and _whole(project, name) and _REGION.fullmatch(region)
        ):
            return Link(collection, project, name, region)
        case [*above, name] if (
            collection == "firewallPolicies"
            and (above == ["locations", "global", collection] or (not above and not found))
            and _NUMBER.fullmatch(name)
        ):
            return Link(collection, None, name)
        case [name] | ["global", _, name] if (
            not found and parts[:-1] in ([], ["global", collection]) and _NAME.fullmatch(name)
        ):
            return Link(collection, None, name)
    why = _why_not(below, collection)
    raise ValueError(f"found {text!a}{f': {why}' if why else ''}. Allowed: {_ALLOWED[collection]}.")


def check_project(text: str) -> str:
    """The text, if it can be a project. Raises ValueError."""
    if not _PROJECT.fullmatch(text):
        raise ValueError(f"found {text!a}. Allowed: the id of a project, such as acme-prod.")
    return text


def check_region(text: str) -> str:
    """The text, if it can be a region. Raises ValueError."""
    if not _REGION.fullmatch(text):
        raise ValueError(f"found {text!a}. Allowed: a region, such as europe-west1.")
    return text


def check_node(text: str) -> str:
    """The text, if it can be an organization or a folder. Raises ValueError."""
    if not _NODE.fullmatch(text):
        raise ValueError(f"found {text!a}. Allowed: organizations/NUMBER or folders/NUMBER.")
    return text


def _whole(project: str, name: str) -> bool:
    return _PROJECT.fullmatch(project) is not None and _NAME.fullmatch(name) is not None


def _why_not(below: str, collection: Collection) -> str:
    """What is wrong with the text from `projects/` on, in words; empty where no word is better than what is allowed."""
    *above, name = below.split("/")
    if not below.strip():
        return "it is blank"
    if below != below.strip():
        return "blanks stand around it"
    if any(part in ("organizations", "folders") for part in above):
        return _HIERARCHICAL
    if above and not name:
        return "nothing stands after the last /"
    if above and above[-1] not in (collection, "global"):
        return f"that names one of {above[-1]}"
    if place := next((_PLACES[part] for part in above if part in _PLACES), None):
        return place
    if name.isdecimal() and collection == "firewallPolicies":
        return "digits are the number of a hierarchical policy, which is in no project"
    if any(part != part.lower() for part in (*above, name) if part != collection):
        return "ids and names are in lower case"
    return ""
