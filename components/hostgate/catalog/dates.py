"""Dates as people write them here: YYYY-MM-DD and nothing else."""

from datetime import date


def iso_date(text: str) -> date:
    """The date that `text` writes. Raises ValueError for the other ISO forms too, such as 20240328 and 2024-W13-4."""
    day = date.fromisoformat(text)
    if day.isoformat() != text:
        raise ValueError(f"not YYYY-MM-DD: {text}")
    return day
