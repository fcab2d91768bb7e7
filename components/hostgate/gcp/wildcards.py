"""Names as URL filters and URL lists write them: `x` itself, `*.x` every name below x, `*x` that and x, by whole labels.

Cloud NGFW documentation, configure URL filtering security profiles; Secure Web Proxy documentation, UrlList syntax
reference (both read 2026-11-23).
"""

from hostgate.catalog.model import Entry, Match

_MARKS: tuple[tuple[str, Match], ...] = (("*.", "subtree"), ("*", "subtree+apex"), ("", "exact"))


def write_wildcard(entry: Entry) -> str:
    """The text for what `entry` opens; of a one-label entry with an accepted widening, every name below its host."""
    kind: Match = "subtree" if entry.match == "one-label" else entry.match
    return next(f"{mark}{entry.host}" for mark, each in _MARKS if each == kind)


def read_wildcard(text: str) -> tuple[Match, str]:
    """The kind and the host that `text` stands for. Whether the host is one, each reader judges by its own page."""
    return next((kind, text.removeprefix(mark)) for mark, kind in _MARKS if text.startswith(mark))
