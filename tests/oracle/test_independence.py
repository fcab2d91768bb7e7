"""The oracles judge the product, so they use nothing of it."""

import ast
from pathlib import Path

import pytest


@pytest.mark.parametrize("module", ["dial", "gcp", "azure", "proxy_cel", "stacks_gcp", "stacks_azure", "widenings"])
def test_an_oracle_imports_nothing_of_the_product(module: str) -> None:
    tree = ast.parse((Path(__file__).parent / f"{module}.py").read_text(encoding="utf-8"))
    roots = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [each.name for each in node.names]
            if isinstance(node, ast.Import)
            else []
        )
    }
    assert "hostgate" not in roots
