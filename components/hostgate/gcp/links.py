"""Links of Compute Engine: which global firewall policy or VPC network a text names, and in which project.

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

_ALLOWED: dict[Collection, str] = {
    "firewallPolicies": "a global network firewall policy, as projects/PROJECT/global/firewallPolicies/NAME, as the full link "
    "of one, or by its name alone. Hierarchical and regional policies are not filled by this mechanism",
    "networks": "a VPC network, as projects/PROJECT/global/networks/NAME, as the full link of one, or by its name alone where "
    "`project` is given",
}
_HIERARCHICAL = "a hierarchical policy is of an organization or a folder"
_PLACES = {
    "organizations": _HIERARCHICAL,
    "folders": _HIERARCHICAL,
    "locations": _HIERARCHICAL,
    "regions": "that is of one region",
    "zones": "that is of one zone",
}


@dataclass(frozen=True, slots=True)
class Link:
    """What a text names. `project` is None where the text does not say it."""

    collection: Collection
    project: str | None
    name: str

    def path(self, project: str | None = None) -> str | None:
        """The link from `projects/` on, in `project` unless it has its own; None if neither says one."""
        stated = self.project or project
        return stated and f"projects/{stated}/global/{self.collection}/{self.name}"


def read_link(text: str, collection: Collection) -> Link:
    """The link that `text` is. Raises ValueError: what was found, why it is none, what is allowed."""
    found = _HOST.match(text)
    below = text[found.end() :] if found else text
    parts = below.split("/")
    match parts:
        case ["projects", project, "global", kind, name] if kind == collection and _whole(project, name):
            return Link(collection, project, name)
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
        return "digits are the id of a hierarchical policy"
    if any(part != part.lower() for part in (*above, name) if part != collection):
        return "ids and names are in lower case"
    return ""
