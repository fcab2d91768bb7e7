"""Writes the golden schemas again."""

from . import write

write()
