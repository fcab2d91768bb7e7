"""JSON as its standard has it: what Python's reader lets through beyond that is refused.

Two keys of one name mean what each reader likes, and NaN, Infinity and numbers that become them compare with nothing:
none may decide what is opened, and none could be written out again as JSON.
"""

import json
import math
from typing import Any, NoReturn


class NotJSON(ValueError):  # noqa: N818 - what a text is, said to whoever gave it
    """The text is no JSON. The message says why, and fits behind a colon."""


def read_json_text(text: str | bytes) -> Any:
    """The document in `text`. Raises NotJSON."""
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8-sig")
        return _DECODER.decode(text)
    except NotJSON:
        raise
    except RecursionError:
        raise NotJSON("it is nested too deep") from None
    except UnicodeDecodeError as error:
        raise NotJSON(f"byte 0x{error.object[error.start]:02x} at {error.start} is not valid UTF-8") from None
    except json.JSONDecodeError as error:
        raise NotJSON(f"{error.msg}, line {error.lineno} column {error.colno}") from None
    except ValueError:  # more digits than Python turns into a number
        raise NotJSON("a number in it has too many digits") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise NotJSON(f"the key {twice[:60]!a} stands twice in one object")
    return made


def _constant(text: str) -> NoReturn:
    raise NotJSON(f"{text} is no number of JSON")


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise NotJSON(f"the number {text[:20]} is too large")
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_float=_float)
