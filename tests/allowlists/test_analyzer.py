"""The component classes as the SDK's analyzer sees them: what consumers in other languages are offered."""

from typing import Any

import pytest
from pulumi.provider.experimental.analyzer import Analyzer

from hostgate.aws.components import NetworkFirewallAllowlist
from hostgate.azure.components import FirewallPolicyAllowlist as AzureFirewallPolicyAllowlist
from hostgate.gcp.components import FirewallPolicyAllowlist as GcpFirewallPolicyAllowlist

COMPONENTS: dict[str, Any] = {
    "hostgate-aws": NetworkFirewallAllowlist,
    "hostgate-gcp": GcpFirewallPolicyAllowlist,
    "hostgate-azure": AzureFirewallPolicyAllowlist,
}
SHARED = {
    "catalogs", "phases", "parties", "ids", "without", "choose", "accept", "allowEmpty",
    "mode", "deny", "tags", "namePrefix", "asOf", "mechanism", "attach", "from", "base", "import",
}  # fmt: skip


@pytest.mark.parametrize("package", COMPONENTS)
def test_the_analyzer_accepts_the_component(package: str) -> None:
    found: Any = Analyzer(package).analyze([COMPONENTS[package]])
    (definition,) = found["component_definitions"].values()
    assert set(definition.inputs) >= SHARED
    assert "digest" in definition.outputs
    assert not definition.inputs["catalogs"].plain or definition.inputs["catalogs"].optional


@pytest.mark.parametrize("package", COMPONENTS)
def test_every_input_is_optional_to_the_schema(package: str) -> None:
    found: Any = Analyzer(package).analyze([COMPONENTS[package]])
    (definition,) = found["component_definitions"].values()
    assert [name for name, item in definition.inputs.items() if not item.optional] == []


@pytest.mark.parametrize("package", COMPONENTS)
def test_numbers_are_floats_at_the_border(package: str) -> None:
    """Whole numbers cross it as floats, and an Output in place of an int stops the consumer's preview."""
    found: Any = Analyzer(package).analyze([COMPONENTS[package]])
    (definition,) = found["component_definitions"].values()
    assert [name for name, item in definition.inputs.items() if item.type is not None and item.type is int] == []
