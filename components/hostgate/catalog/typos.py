"""Hosts one edit apart: the vendor's page once had a digit missing for 93 days and another letter for eleven months.

Linear in the number of hosts: names that are one insertion, deletion or substitution apart share a name with one
character taken out, so only names that share such a key are compared (deletion neighbourhoods).
"""

import re
from collections.abc import Iterable, Iterator

from hostgate.catalog.shared_hosting import is_well_known

_NUMBER = re.compile(r"[0-9]+")


def typo_clusters(hosts: Iterable[str]) -> list[tuple[str, ...]]:
    """Groups of `hosts` (two or more, in the order given) that hang together by single edits.

    A numbered series (mirror1, mirror2, ... mirror10) is not a typo and makes no group.
    """
    order = {host: index for index, host in enumerate(dict.fromkeys(hosts))}
    parent: dict[str, str] = {}

    def root(host: str) -> str:
        while parent.get(host, host) != host:
            parent[host] = parent.get(parent[host], parent[host])
            host = parent[host]
        return host

    seen: dict[tuple[int, str], list[str]] = {}
    for host in order:
        for key in _keys(host):
            near = seen.setdefault(key, [])
            if near and any(_typo(host, other) for other in near):
                for other in near:
                    if _typo(host, other):
                        parent[root(host)] = root(other)
            if len(near) < _CROWD:
                near.append(host)
    clusters: dict[str, list[str]] = {}
    for host in order:
        clusters.setdefault(root(host), []).append(host)
    return [tuple(cluster) for cluster in clusters.values() if len(cluster) > 1]


def near_misses(hosts: Iterable[str], standing: Iterable[str]) -> dict[str, str]:
    """Of each of `hosts` that is one edit away from one of `standing`, the first such; both without the other's members."""
    seen: dict[tuple[int, str], list[str]] = {}
    for host in sorted(hosts):
        for key in _keys(host):
            near = seen.setdefault(key, [])
            if len(near) < _CROWD:
                near.append(host)
    found: dict[str, str] = {}
    for other in sorted(standing):
        for key in _keys(other):
            for host in seen.get(key, ()):
                if host not in found and _typo(host, other):
                    found[host] = other
    return found


def odd_key(host: str) -> bool:
    """Whether a label of `host` is a long hexadecimal key with one digit more or less than keys have.

    Keys are written out of whole bytes, most of them 16, 20 or 32. A page once had one of 31 digits for 93 days.
    """
    return any(_opaque(label) and len(label) % 2 == 1 for label in host.split("."))


_CROWD = 8
"""Names kept under one key. A longer crowd is a series, whose members hang together by their neighbours anyway."""


def _keys(host: str) -> Iterator[tuple[int, str]]:
    """The name, and the name with each character taken out in turn; marked by the length they stand for."""
    yield len(host), host
    for index in range(len(host)):
        shorter = host[:index] + host[index + 1 :]
        yield len(host) - 1, shorter


def _typo(first: str, second: str) -> bool:
    if is_well_known(first) and is_well_known(second):
        return False  # gcr.io and ghcr.io are two registries
    return first != second and _one_edit(first, second) and not _series(first, second)


def _one_edit(first: str, second: str) -> bool:
    if len(first) > len(second):
        first, second = second, first
    if len(second) - len(first) > 1:
        return False
    at = next((index for index, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), len(first))
    return first[at + (len(first) == len(second)) :] == second[at + 1 :]


def _series(first: str, second: str) -> bool:
    """Whether two names differ only in one number that counts something: at the edge of a label, or set off by a hyphen.

    Digits inside a long hexadecimal label count nothing: there a digit more or less is a misprint.
    """
    ours, theirs = first.split("."), second.split(".")
    if len(ours) != len(theirs):
        return False
    differing = [(a, b) for a, b in zip(ours, theirs, strict=True) if a != b]
    if len(differing) != 1:
        return False
    a, b = differing[0]
    if _NUMBER.sub("#", a) != _NUMBER.sub("#", b) or "#" not in _NUMBER.sub("#", a):
        return False
    if _opaque(a) or _opaque(b):
        return False
    numbers = zip(_NUMBER.finditer(a), _NUMBER.finditer(b), strict=True)
    changed = [match for match, other in numbers if match[0] != other[0]]
    return len(changed) == 1 and _set_off(a, changed[0].start(), changed[0].end())


def _set_off(label: str, start: int, end: int) -> bool:
    return start == 0 or end == len(label) or label[start - 1] == "-" or label[end] == "-"


def _opaque(label: str) -> bool:
    """A key rather than a word: long, hexadecimal, with digits and letters mixed."""
    return len(label) >= 16 and set(label) <= set("0123456789abcdef") and len(_NUMBER.findall(label)) >= 3
