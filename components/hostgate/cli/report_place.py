"""Where a report or a script may be written, asked before anything is measured or judged."""

import os
from pathlib import Path

from hostgate.catalog.file_output import refuse_place


def unwritable_place(path: Path) -> str | None:
    """Why no file can be written at `path`; None if it can."""
    if path.is_dir():
        return "it is a folder. Allowed: a file."
    if not path.parent.is_dir():
        return f"there is no folder {str(path.parent)!r}. Make it, or name another."
    try:
        refuse_place(path)
    except OSError as error:
        return f"it cannot be written: {error.strerror}. Name another file, or change its permissions."
    if not os.access(path.parent, os.W_OK):
        return "its folder may not be written. Name another file, or change the permissions."
    return None
