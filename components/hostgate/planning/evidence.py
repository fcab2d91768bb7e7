"""What a way of a mechanism rests on, as data: claims about what it needs, opens and costs; and whether it was tried."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Claim:
    """What `source` states, in words, as a Limit is what it states as a number. `date` is when the source was read."""

    text: str
    source: str
    date: str

    def as_json(self) -> dict[str, str]:
        return {"text": self.text, "source": self.source, "date": self.date}


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a way is believed to work. `tried`: our tests hold it to real software, which `source` names with its version.
    `documented`: it rests on what the vendor writes, and nobody saw it work. `date` is when it was tried or read."""

    kind: Literal["tried", "documented"]
    source: str
    date: str

    def as_json(self) -> dict[str, str]:
        return {"kind": self.kind, "source": self.source, "date": self.date}

    def __str__(self) -> str:
        return f"{self.kind}: {self.source} ({self.date})"
