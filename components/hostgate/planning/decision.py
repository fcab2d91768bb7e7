"""Decisions: what becomes of each entry of a selection, why, and by which means; and how an engine's input carries one."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from hostgate.catalog.model import MATCHES, PROTOCOLS, Entry
from hostgate.planning.mechanism import Means

Outcome = Literal["allowed", "covered", "left out", "refused"]

_MADE_LONGER: Final = re.compile(r"-[0-9a-f]{7}(?=#|\Z)")
"""What the engine appends to the name of a resource (Pulumi docs, resource names, auto-naming: 7 hex digits, 2026-11)."""


def rules_decided(met: str) -> Iterator[str]:
    """What a decision may call the rule that is `met` where it stands: it may be a part of that rule, and in a group whose name
    the engine made longer."""
    for name in dict.fromkeys((met, _MADE_LONGER.sub("", met))):
        while name:
            yield name
            name = name.rpartition("#")[0]


_OUTCOMES = {each.replace(" ", "-"): each for each in get_args(Outcome)}


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one entry, and why; `rule` names the object and rule that allow it, `means` the mechanism's way.

    `means` is None where the mechanism has none for the entry's protocol.
    """

    entry: Entry
    outcome: Outcome
    reason: str
    rule: str | None = None
    means: Means | None = field(default=None, compare=False)

    @property
    def widening(self) -> str | None:
        """The finding that was accepted for it, where its rule opens more than the entry says."""
        if self.means is None or self.entry.match in self.means.kinds:
            return None
        return self.means.widenings.get(self.entry.match)

    def as_json(self) -> dict[str, Any]:
        entry = self.entry
        return {
            **({"grant": entry.grant} if entry.grant else {}),
            "entry": entry.id,
            "catalog": entry.catalog,
            "host": entry.host,
            "match": entry.match,
            "port": entry.port,
            "protocol": entry.protocol,
            "outcome": self.outcome,
            "reason": self.reason,
            "rule": self.rule,
            "purpose": entry.purpose,
            "notes": entry.notes,
            "replaces": entry.replaces,
        }

    @property
    def registered(self) -> tuple[str, str]:
        """Key and value of the decision in a component's inputs: `catalog#entry` (of a grant `grant:catalog#entry`), and
        outcome, match, host:port/protocol, rule and purpose with a space between.

        One text each, so that a host that comes or goes is one line of an engine's diff. An outcome has a hyphen for its
        space, a rule that there is none of is `-`, and the purpose, which may have spaces, ends the text.
        """
        entry = self.entry
        need = f"{entry.host}:{entry.port}/{entry.protocol}"
        words = (self.outcome.replace(" ", "-"), entry.match, need, self.rule or "-", entry.purpose)
        whose = f"{entry.grant}:" if entry.grant else ""
        return f"{whose}{entry.catalog}#{entry.id}", " ".join(filter(None, words))


def read_registered(registered: object, purposes: object = None) -> tuple[Decision, ...]:
    """The decisions that a component's input `decisions` carries.

    Version 0.1.0 registered a list of texts that begin with the entry, and the `purposes` by entry beside it. Raises
    ValueError with the item that is no decision.
    """
    if isinstance(registered, Mapping):
        return tuple(_read(str(key), str(value), None) for key, value in registered.items())
    known = purposes if isinstance(purposes, Mapping) else {}
    found = []
    for each in registered if isinstance(registered, list) else [registered]:
        key, _, words = str(each).partition(" ")
        found.append(_read(key, words, str(known.get(key, ""))))
    return tuple(found)


def _read(key: str, words: str, purpose: str | None) -> Decision:
    catalog, _, id_ = key.rpartition("#")
    grant, colon, rest = catalog.partition(":")
    grant, catalog = (grant, rest) if colon else ("", catalog)
    parts = words.split(" ", 4)
    place, _, protocol = (parts[2] if len(parts) > 3 else "").partition("/")
    host, _, port = place.rpartition(":")
    right = (
        len(parts) > 3
        and parts[0] in _OUTCOMES
        and parts[1] in MATCHES
        and protocol in PROTOCOLS
        and host
        and port.isascii()
        and port.isdecimal()
        and 1 <= int(port[:6]) <= 65_535
    )
    if not right or (purpose is not None and len(parts) > 4):
        raise ValueError(f"found the decision {f'{key} {words}'[:80]!r}")
    outcome: Any = _OUTCOMES[parts[0]]
    match: Any = parts[1]
    checked: Any = protocol
    told = purpose if purpose is not None else parts[4] if len(parts) > 4 else ""
    entry = Entry(
        catalog=catalog, id=id_, host=host, match=match, port=int(port), protocol=checked, purpose=told, grant=grant
    )  # fmt: skip
    return Decision(entry, outcome, "", None if parts[3] == "-" else parts[3])
