"""What the URN of a resource tells: urn:pulumi:STACK::PROJECT::TYPES::NAME (Pulumi docs, resource names, read 2026-11)."""


def stack_of(urn: str) -> tuple[str, str]:
    """Stack and project; both empty for another text."""
    parts = urn.split("::", 3)
    return (parts[0].rpartition(":")[2], parts[1]) if len(parts) == 4 else ("", "")


def types_of(urn: str) -> str:
    """The types of the parents and its own, divided by $; empty for another text."""
    parts = urn.split("::", 3)
    return parts[2] if len(parts) == 4 else ""
