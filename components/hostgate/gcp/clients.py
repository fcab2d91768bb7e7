"""What clients are known by in options: a service account, a secure tag, a range of addresses."""

import re
from collections.abc import Iterable
from ipaddress import ip_network
from typing import Literal

_TAG = re.compile(r"tagValues/[0-9]+\Z")
_ACCOUNT = re.compile(r"[a-z0-9-]{1,63}@(?:[a-z0-9-]{1,63}\.){1,5}gserviceaccount\.com\Z")
"""Every service account has its address below this domain (IAM documentation, types of service accounts, read 2026-11-28)."""

ClientKind = Literal["account", "tag", "range"]


def client_kind(text: str) -> ClientKind | None:
    """What a client is known by; None for what is none of it, a range with host bits included."""
    if _TAG.match(text):
        return "tag"
    if _ACCOUNT.match(text):
        return "account"
    try:
        ip_network(text)
    except ValueError:
        return None
    return "range"


def of_kind(clients: Iterable[str], kind: ClientKind) -> list[str]:
    """Those of one kind, in their order."""
    return [client for client in clients if client_kind(client) == kind]
