"""What several types of Google Cloud spell alike: an input of the provider, a full resource name, digits in our own names."""

from hashlib import sha256
from typing import Final

from hostgate.planning.shapes import Text

DELETION: Final = Text(one_of=("DELETE", "PREVENT", "ABANDON"), source="pulumi-gcp 10.2.0")
"""The provider's `deletionPolicy`, which most types take."""

SERVICE: Final = "//networksecurity.googleapis.com/"
"""What begins a full resource name of the network security API, as a rule names a group by it; the provider compares it as
it is."""


def short_digest(text: str) -> str:
    """Six digits that tell `text` from others in a name that has no room for it."""
    return sha256(text.encode()).hexdigest()[:6]
