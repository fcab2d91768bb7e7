"""Tags as labels of Google Cloud."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

_LABEL: Final = re.compile(r"[a-z][a-z0-9_-]{0,62}\Z"), re.compile(r"[a-z0-9_-]{0,63}\Z")


def _labels(tags: dict[str, str]) -> dict[str, str]:
    key, value = _LABEL
    for name, text in tags.items():
        if not key.match(name) or not value.match(text):
            message = f"Found {name!a}: {text!a}. Allowed as a label: up to 63 of a-z, 0-9, _ and -; the key with a letter first."
            raise PydanticCustomError("label", "{message}", {"message": message})
    return tags


Labels = Annotated[dict[str, str], AfterValidator(_labels)]
"""Tags that every object can carry as labels."""
