"""Whose project an object of Google Cloud is in."""

from hostgate.sandbox.lifecycle import Account, Inputs


def project_of(inputs: Inputs, account: Account) -> str:
    """The project that inputs name, with or without `projects/` before it, else the provider's."""
    return str(inputs.get("project") or account.project).removeprefix("projects/")
