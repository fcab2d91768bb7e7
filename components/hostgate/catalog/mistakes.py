"""Names that a catalog records as misprints, and which entries of other catalogs would open them all the same.

A misprinted name belongs to nobody that anybody knows: whoever registers it is let in. So a record counts at every
revision of its catalog, for every port, and also against a wildcard that takes the name in.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hostgate.catalog.match_kinds import holds, meet, within
from hostgate.catalog.model import Entry


@dataclass(frozen=True, slots=True)
class Mistake:
    """A need that a catalog records as mistaken. `stated`: what that catalog lists as right, at the revision in use.

    A catalog's own list is its word: what it lists there is not opposed by its own record. That is so for the vendor's
    wildcard above a misprinted account, and for a name that was a misprint once, or at another port only.
    """

    entry: Entry
    stated: tuple[Entry, ...] = field(default=(), repr=False)

    def opened_by(self, other: Entry) -> bool:
        """Whether `other` opens the name, or one below it where the record is a wildcard, against its catalog's word."""
        record = self.entry
        if other.status == "mistaken" or other.direction != "egress" or other.catalog == record.catalog:
            return False
        if not _opens(other, record):
            return False
        same = [one for one in self.stated if one.host == record.host]
        if same and _need(other) != _need(record):
            return False  # the name is right, and another port or protocol of it was the mistake
        wider = other.host != record.host and record.host.endswith(f".{other.host}")
        return not any(
            _need(one) == _need(other) and within(other.match, other.host, one.match, one.host)
            for one in (self.stated if wider else same)
        )

    def contradicted_by(self, other: Entry) -> bool:
        """Whether its own catalog lists the same name, at the same port, as right."""
        record = self.entry
        return (
            other.catalog == record.catalog
            and other.status != "mistaken"
            and other.direction == "egress"
            and other.host == record.host
            and _need(other) == _need(record)
        )


def _opens(entry: Entry, record: Entry) -> bool:
    return holds(entry.match, entry.host, record.host) or meet(entry.match, entry.host, record.match, record.host)


def _need(entry: Entry) -> tuple[int, str]:
    return entry.port, entry.transport


def mistakes(entries: Iterable[Entry], stated: Iterable[Entry]) -> tuple[Mistake, ...]:
    """The mistakes among `entries`, all that a catalog ever had, beside what it has at the revision in use."""
    right = tuple(one for one in stated if one.status != "mistaken" and one.direction == "egress")
    found = []
    for entry in entries:
        if entry.status == "mistaken":
            near = tuple(one for one in right if _opens(one, entry) or one.host == entry.host)
            found.append(Mistake(entry, near))
    return tuple(found)


class Misprints:
    """Mistakes by host, so that ten thousand exact entries ask a few labels each."""

    def __init__(self, found: Sequence[Mistake]) -> None:
        self._found = found
        by_host: dict[str, list[Mistake]] = {}
        for mistake in found:
            by_host.setdefault(mistake.entry.host, []).append(mistake)
        self._by_host: Mapping[str, list[Mistake]] = by_host

    def opened_by(self, entry: Entry) -> list[Mistake]:
        """The mistakes that `entry` opens, in the order of their hosts."""
        found = [mistake for mistake in self._near(entry) if mistake.opened_by(entry)]
        return sorted(found, key=lambda mistake: (mistake.entry.host, mistake.entry.key))

    def contradicted_by(self, entry: Entry) -> list[Mistake]:
        return [mistake for mistake in self._by_host.get(entry.host, ()) if mistake.contradicted_by(entry)]

    def _near(self, entry: Entry) -> Iterator[Mistake]:
        if entry.match != "exact":
            yield from self._found
            return
        labels = entry.host.split(".")
        for start in range(len(labels)):
            yield from self._by_host.get(".".join(labels[start:]), ())
