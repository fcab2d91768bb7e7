"""export:tfvars: the hosts as the value of a variable of Terraform and OpenTofu modules.

A file that ends in `.auto.tfvars.json` is read without being named. Its texts are values: neither program looks for a
template in them.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from hostgate.catalog.model import Entry
from hostgate.export.file_format import FormatOptions
from hostgate.export.host_list import HostList


class Tfvars(HostList):
    """One variable, a list of objects that all have the same attributes."""

    target = "export:tfvars"
    title = "Terraform and OpenTofu variables"
    file = ".auto.tfvars.json"

    def body(self, entries: Sequence[Entry], options: FormatOptions) -> Mapping[str, Any]:
        return {"variable": f"{options.name.replace('-', '_')}_hosts", **super().body(entries, options)}

    def text(self, body: Mapping[str, Any], head: Sequence[str]) -> str:  # noqa: ARG002
        rows = [{"purpose": "", **row} for row in body.get("hosts", ())]
        return json.dumps({body["variable"]: rows}, indent=2, sort_keys=True) + "\n"


MECHANISM = Tfvars()
