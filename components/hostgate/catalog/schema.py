"""The JSON Schema of catalog files, made from the model and kept at catalog/catalog.schema.json for editors."""

import json
from typing import Any

from hostgate.catalog.model import CatalogRecord


def schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a catalog document."""
    made = CatalogRecord.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": "hostgate host catalog"}


def schema_text() -> str:
    """The schema as the file has it."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
