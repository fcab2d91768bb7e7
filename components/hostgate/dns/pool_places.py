"""Where an address pool stands: a file, or an object in a bucket that several refreshers write."""

from pathlib import Path

from hostgate.catalog.file_input import Size, read_file_bytes
from hostgate.planning.address_pool import AddressPool
from hostgate.planning.pool_form import read_pool

LARGEST = Size(256 * 1024 * 1024, "10,000 hosts with 16 addresses each are 13 MB")


def load_pool(place: str) -> AddressPool:
    """The pool at `place`, a path. Raises InputError with every error and its line, also if there is none."""
    data = read_file_bytes(
        Path(place), LARGEST, place, rule="pool-unreadable", missing=f"Make it: hostgate pool refresh --pool {place}"
    )
    return read_pool(data, place)
