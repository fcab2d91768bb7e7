"""Options of the mechanisms whose rules stand in a firewall policy of Google Cloud."""

import re
from collections.abc import Iterator
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from hostgate.catalog.model import Family
from hostgate.gcp.links import Collection, Link, check_project, read_link
from hostgate.planning.options import Options
from hostgate.planning.targets import COMPUTED

USER_PRIORITY_MAX = 2_147_483_547
"""2147483548 and above are reserved for predefined rules (compute, firewall policy rules; read 2026-11-23)."""

ONE_PROJECT = (
    "A policy, its rules and the networks that it is associated with are of one project. Allowed: one; a Shared VPC is judged "
    "in its host project, and networks of another project need an allowlist of their own."
)
"""Cloud NGFW documentation, global network firewall policies: a policy and the associated networks belong to the same
project (read 2026-11-28)."""

_TAG = re.compile(r"tagValues/[0-9]+\Z")
_ACCOUNT = re.compile(r"[a-z0-9-]{1,63}@[a-z0-9.-]{1,190}\Z")


def _client(text: str) -> str:
    if not (_TAG.match(text) or _ACCOUNT.match(text)):
        raise PydanticCustomError(
            "client", "{message}",
            {"message": f"Found {text!a}. Allowed: a service account's email, or a secure tag as tagValues/123. Network "
                        "tags and address ranges do not work in firewall policies."},
        )  # fmt: skip
    return text


def _link(collection: Collection) -> AfterValidator:
    def check(text: str) -> str:
        try:
            return text if is_placeholder(text) else _stated(read_link(text, collection), text)
        except ValueError as error:
            raise PydanticCustomError("link", "{message}", {"message": str(error)}) from None

    return AfterValidator(check)


def _stated(link: Link, text: str) -> str:
    """A self-link as it was given, since the API takes it; every other spelling as the path from `projects/` on."""
    return text if text.startswith("https://") else link.path() or link.name


def _project(text: str) -> str:
    try:
        return text if text == COMPUTED else check_project(text)
    except ValueError as error:
        raise PydanticCustomError("project", "{message}", {"message": str(error)}) from None


def is_placeholder(text: str) -> bool:
    """Whether `text` stands for an Output, whose value a plan does not know."""
    return text.startswith(f"{COMPUTED}/")


class FirewallPolicyOptions(Options):
    """Where the rules go and whose traffic they judge. Without `attach`, a global network firewall policy is made."""

    associates_beside_attach: ClassVar[bool] = False
    """Whether something else than the policy is associated with `networks`, so that they may stand beside `attach`."""

    attach: Annotated[str, _link("firewallPolicies")] | None = None
    """An existing global network firewall policy: projects/PROJECT/global/firewallPolicies/NAME, its full link, or its
    name."""
    project: Annotated[str, AfterValidator(_project)] | None = None
    """The project of everything that is made. Left out: that of `attach` or of `networks`, else the provider's."""
    networks: list[Annotated[str, _link("networks")]] = []
    """VPC networks that a new policy is associated with: projects/PROJECT/global/networks/NAME, a full link, or beside
    `project` a name. One global policy fits a network, and both are of one project."""
    from_: Annotated[list[Annotated[str, AfterValidator(_client)]], Field(alias="from", min_length=1)] = []
    """Target service accounts, or target secure tags; not both. Left out: every instance of the network."""
    base: Annotated[int, Field(ge=0, le=USER_PRIORITY_MAX - 20_000_000)] = 2000
    """Priority of the first allow rule; the fixed slots after it are in `hostgate.gcp.firewall_policy`."""
    families: Annotated[list[Family], Field(min_length=1)] = ["ipv4", "ipv6"]
    """Address families of the network: each gets its own deny."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if any(_TAG.match(client) for client in self.from_) and any(_ACCOUNT.match(client) for client in self.from_):
            raise ValueError(
                "found service accounts and secure tags under `from`. Allowed in one rule: one of the two kinds."
            )
        if self.attach is not None and self.networks and not self.associates_beside_attach:
            raise ValueError(
                "found `networks` with `attach`. An existing policy is associated by its owner; leave one out."
            )
        if self.mode == "audit" and self.attach is not None and not self.from_ and self.deny in ("internet", "all"):
            raise ValueError(
                "found mode 'audit' with `attach` and no `from`: the audit rules would open somebody else's policy to everybody, "
                "before its own deny. Name the clients to audit under `from`, or set deny 'declared'."
            )
        if found := list(self._place_objections()):
            raise ValueError(" ".join(found))
        return self

    def _place_objections(self) -> Iterator[str]:
        """What does not hold of policy, networks and project together."""
        stated = [
            ("`project`", None if self.project == COMPUTED else self.project),
            ("`attach`", self.policy_link and self.policy_link.project),
            *((f"network {link.name}", link.project) for link in self.network_links if link),
        ]
        projects = [(what, project) for what, project in stated if project is not None]
        if len({project for _, project in projects}) > 1:
            said = ", ".join(f"{project} ({what})" for what, project in projects)
            yield (f"found several projects: {said}. {ONE_PROJECT}")
        elif self.project is None and not projects:
            for link in self.network_links:
                if link is not None:
                    yield (
                        f"found the network {link.name!r} by name, and nothing that says its project. Allowed: "
                        f"projects/PROJECT/global/networks/{link.name}, or the name beside `project`."
                    )
        paths = [link.path(self.in_project) for link in self.network_links if link]
        if twice := sorted({path for path in paths if path and paths.count(path) > 1}):
            yield f"found {', '.join(twice)} twice in `networks`. Allowed: each once."

    @property
    def policy_link(self) -> Link | None:
        """What `attach` names; None where nothing is attached, or to an Output."""
        return (
            None if self.attach is None or is_placeholder(self.attach) else read_link(self.attach, "firewallPolicies")
        )

    @property
    def network_links(self) -> tuple[Link | None, ...]:
        """What each of `networks` names; None for an Output."""
        return tuple(None if is_placeholder(each) else read_link(each, "networks") for each in self.networks)

    @property
    def in_project(self) -> str | None:
        """The project of everything that is made, as far as the options tell; None: the provider's, or an Output."""
        if self.project is not None and self.project != COMPUTED:
            return self.project
        links = (self.policy_link, *self.network_links)
        return next((link.project for link in links if link is not None and link.project is not None), None)

    @property
    def policy_path(self) -> str | None:
        """What `attach` names, with its project as far as that is known."""
        link = self.policy_link
        return self.attach if link is None or link.project is not None else link.path(self.project) or self.attach

    @property
    def network_paths(self) -> tuple[str, ...]:
        """What `networks` name, with their project as far as that is known."""
        pairs = zip(self.networks, self.network_links, strict=True)
        return tuple((link and link.path(self.in_project)) or network for network, link in pairs)

    @property
    def place(self) -> tuple[tuple[str, str], ...]:
        link, attach = self.policy_link, self.policy_path
        found = () if attach is None else (("attach", attach),)
        told = [each for each in (link, *self.network_links) if each is not None]
        # An explicit project says something new only where no link says it already.
        return (*found, ("project", self.project)) if self.project is not None and not told else found

    @property
    def service_accounts(self) -> list[str]:
        return sorted(client for client in self.from_ if _ACCOUNT.match(client))

    @property
    def secure_tags(self) -> list[str]:
        return sorted(client for client in self.from_ if _TAG.match(client))
