"""How an owner tries a plan: commands for a client that it is about, made of its own hosts, and what each has to show."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from hostgate.catalog.model import Entry
from hostgate.flows.flow import Flow
from hostgate.planning.address_pool import family_of
from hostgate.planning.mechanism import mechanism
from hostgate.planning.plan import Plan

STRANGERS = ("example.com", "example.org", "example.net")
"""Names that answer over IPv4 and IPv6 and that no vendor needs (RFC 2606): the first that the plan blocks is asked."""

_DIALLED = ("https", "tls", "http", "tcp")
"""Protocols in which a server answers whoever connects; the first that an entry has is tried."""

_IPV6 = "2001:db8::1"


@dataclass(frozen=True, slots=True)
class Trial:
    """One command, what it tries, and what the plan's own evaluation expects of it."""

    what: str
    command: str
    expected: Literal["allow", "block", "unknown"]


def trials(plan: Plan) -> tuple[Trial, ...]:
    """An allowed host, a stranger, a hello without SNI, QUIC and IPv6. Empty for a plan that is refused."""
    if plan.refused:
        return ()
    found = []
    for what, command, flow, grant in _tried(plan):
        verdict = dict(plan.verdicts(flow)).get(grant) or plan.verdict(flow)
        found.append(Trial(f"{what}, from a client of {grant}" if grant else what, command, verdict.action))
    return tuple(found)


def no_test(targets: Iterable[str]) -> str | None:
    """Why a TCP connect says nothing about `targets`, and what does, in one line; None where it is as good as any test."""
    told: dict[str, list[str]] = {}
    for target in dict.fromkeys(targets):
        if why := mechanism(target).means[0].connect_test:
            told.setdefault(why, []).append(target)
    if not told:
        return None
    reasons = "; ".join(f"{', '.join(those)}: {why}" for why, those in told.items())
    return f"A TCP connect (`nc -z`) proves nothing. {reasons}. Test with a request, or a TLS handshake with the name."


def _tried(plan: Plan) -> Iterator[tuple[str, str, Flow, str]]:
    """What is tried, the command, its flow, and of which grant the client is."""
    allowed = [each.entry for each in plan.decisions if each.outcome == "allowed" and each.entry.match == "exact"]
    dialled = [entry for entry in allowed if entry.protocol in _DIALLED]
    # What the vendor withdrew may not answer any more, and would look blocked.
    entry = min(dialled, key=lambda entry: (entry.withdrawn is not None, _DIALLED.index(entry.protocol)), default=None)
    if entry is not None:
        yield "an allowed host", _command(entry), Flow(entry.host, entry.port, entry.protocol), entry.grant
    blocked = (name for name in STRANGERS if plan.verdict(Flow(name)).action == "block")
    stranger = next(blocked, STRANGERS[0])
    yield "a host of no entry", f"curl -sSI -m 10 https://{stranger}/", Flow(stranger), ""
    if entry is not None and entry.protocol in ("https", "tls"):
        yield (
            "the allowed host without SNI",
            f"openssl s_client -connect {entry.host}:{entry.port} -noservername < /dev/null",
            Flow(entry.host, entry.port, entry.protocol, sni=None),
            entry.grant,
        )
    if entry is not None and entry.protocol == "https":
        quic = f"curl -sSI -m 10 --http3-only https://{entry.host}:{entry.port}/"
        yield "the allowed host over QUIC", quic, Flow(entry.host, entry.port, "quic"), entry.grant
    yield (
        "a host of no entry over IPv6, from a client that has it",
        f"curl -sSI -m 10 -6 https://{stranger}/",
        # Where addresses of a pool are open, nobody knows here whether the stranger has one of them.
        Flow(stranger, address=None if _pooled(plan, allowed) else _IPV6),
        "",
    )


def _pooled(plan: Plan, allowed: Iterable[Entry]) -> bool:
    """Whether the plan opens IPv6 addresses of a pool, to whatever has them."""
    pooled = filter(plan.options.pooled, allowed)
    return any(family_of(address) == "ipv6" for entry in pooled for address in plan.options.dialled(entry))


def _command(entry: Entry) -> str:
    match entry.protocol:
        case "https" | "http":
            return f"curl -sSI -m 10 {entry.protocol}://{entry.host}:{entry.port}/"
        case "tls":
            return f"openssl s_client -connect {entry.host}:{entry.port} -servername {entry.host} < /dev/null"
    return f"nc -zvw 10 {entry.host} {entry.port}"
