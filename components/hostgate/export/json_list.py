"""export:json: the hosts as one JSON document, for a ticket that a machine reads."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from hostgate.export.host_list import HostList


class JsonList(HostList):
    """A document with `about` and `hosts`; without hosts the list is there, and empty."""

    target = "export:json"
    title = "a ticket, as JSON"
    file = ".json"

    def text(self, body: Mapping[str, Any], head: Sequence[str]) -> str:
        return (
            json.dumps({"about": " ".join(head), "hosts": body.get("hosts", [])}, indent=2, ensure_ascii=False) + "\n"
        )


MECHANISM = JsonList()
