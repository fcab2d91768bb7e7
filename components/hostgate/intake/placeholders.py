"""Parts of a name that the reader of a page is to fill in. A name with one is no host: the real one would be missing.

Pages write them in brackets, braces, capitals, or as words such as `your-org`. A name that only looks so can be said to
be meant as it stands.
"""

import re
from itertools import pairwise

from hostgate.catalog.hosts import registrable

_MARKS = re.compile(
    r"<[^<>]*>|\{\{[^{}]*\}\}|\$?\{[^{}]*\}|\[[^\[\]^][^\[\]]*\]|\([^()]*\)|\$[A-Za-z_]\w*|%[A-Za-z_]\w*%?|@@?\w+@@?|#+|\.{3}|…|"
    r"[<>{}]|\$|%|_{2,}\w*|\?+"
)
"""Marks that no host has, as placeholders are written with them."""

_ALWAYS = frozenset(("placeholder", "changeme", "replaceme", "todo", "tbd", "foo", "bar", "baz", "foobar", "xyz"))

_LABELS = frozenset((
    "region", "location", "tenant", "customer", "company", "organization", "organisation", "subdomain", "hostname",
    "regionname", "awsregion", "yourdomain", "mydomain", "mycompany", "myorg", "mytenant", "acctid", "bucketname",
    "tenantid", "tenantname", "accountid", "accountname", "orgid", "orgname", "clusterid", "clustername", "projectid",
    "projectname", "workspaceid", "workspacename", "customerid", "customername", "subscriptionid", "resourcename",
    "storageaccount", "vaultname", "registryname", "instancename", "username", "domainname", "sitename", "dummy", "sample",
    "123456789012", "111122223333", "444455556666", "000000000000", "012345678901", "012345678910", "123456789",
    "1234567890", "12345", "123456", "abc123", "abcd1234", "abcdef", "deadbeef", "uuid", "guid",
    "00000000-0000-0000-0000-000000000000", "org", "abc", "abcd", "cluster", "datacenter", "environment", "someone", "n", "x",
))  # fmt: skip
"""Labels that stand for another in vendors' documents, the numbers of accounts that they invent among them."""

_FILLED = frozenset((
    "region", "location", "tenant", "customer", "company", "account", "org", "organization", "organisation", "cluster",
    "project", "workspace", "subscription", "resource", "storage", "bucket", "vault", "registry", "instance", "user",
    "domain", "site", "host", "team", "environment", "env", "app", "api", "server", "zone", "namespace", "database",
))  # fmt: skip
_ASKED = frozenset(("id", "name", "here", "code", "number", "placeholder", "alias", "prefix", "suffix", "slug", "hash"))
"""A word of each, one after the other, ask for the reader's own: `tenant-id`, `accountName`."""


def placeholder_in(name: str) -> str | None:
    """The part of a name, as it is written, that is to be filled in; None if it seems a name as it stands."""
    marked = _MARKS.search(name)
    if marked and not (marked[0].startswith("(") and " " in name):
        return marked[0]
    if not name.isprintable() or " " in name:
        return None  # text, and no name at all
    labels = name.removeprefix("*").strip(".").split(".")
    own = registrable(name)
    fixed = len(own.split(".")) if own else 1
    lower = own is not None and ".".join(labels[-fixed:]).islower()
    for index, label in enumerate(labels[:-1]):
        below = index < len(labels) - fixed
        words = [word.lower() for word in _WORD.findall(label)]
        if (
            ({"your", "yours"} | _ALWAYS) & set(words)
            or label.lower().startswith(("your", "example"))
            or _REPEATED.search(label.lower())
            or (below and (label.lower() in _LABELS or _asks(label.lower(), words)))
            or (below and lower and _capitals(label))
        ):
            return label
    return None


_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


_REPEATED = re.compile(r"(?<![a-z0-9])(?:x{2,}|[nyz]{3,}|([a-z])\1+-([a-z])\2+(?:-([a-z])\3+)*)(?![a-z0-9])")
_OWN = re.compile(
    rf"my-?[a-z]*(?:{'|'.join(sorted(_FILLED))})\Z|[a-z]*(?:{'|'.join(sorted(_FILLED))})(?:{'|'.join(sorted(_ASKED))})\Z"
)
_SEVERAL = frozenset(("multi", "cross", "any", "global", "inter", "per", "all"))


def _asks(label: str, words: list[str]) -> bool:
    """Whether the words of a label ask for something of the reader's: `tenant-id`, `my-org`, `s3-region`, `tenant1`."""
    return (
        _OWN.fullmatch(label) is not None
        or any(first in _FILLED and second in _ASKED for first, second in pairwise(words))
        or (len(words) > 1 and words[-1] in ("region", "tenant", "location") and words[-2] not in _SEVERAL)
        or (len(words) == 2 and words[0] in ("tenant", "customer", "company") and words[1].isdigit())
    )


def _capitals(label: str) -> bool:
    """Capitals in a name that is otherwise written small, other than at the beginning of words."""
    return bool(re.search(r"[A-Z]{2}|\A[A-Z]\Z|[A-Z]\Z", label))
