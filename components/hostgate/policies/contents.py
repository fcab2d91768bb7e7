"""Allowed names against the catalogs: not in one, a mistake, withdrawn, wider than the entry, HTTP for HTTPS, shared."""

from collections.abc import Callable, Iterator, Mapping

from hostgate.catalog.hosts import is_public_suffix
from hostgate.catalog.model import Entry, Protocol
from hostgate.catalog.shared_hosting import shared_hosting
from hostgate.flows.snapshot import Resource
from hostgate.planning.mechanism import mechanism
from hostgate.planning.targets import rows
from hostgate.policies.catalogs import CatalogIndex
from hostgate.policies.effects import Effect, Layer, Names, in_words, is_match, ports_within
from hostgate.policies.readers import cloud_of
from hostgate.policies.reading import Reading
from hostgate.policies.settings import Settings
from hostgate.policies.violations import CheckResult, NotApplicable, Violation

_SPEAKS: Mapping[Layer, frozenset[Protocol]] = {
    "tls": frozenset({"https", "tls"}),
    "http": frozenset({"http"}),
    "tcp": frozenset({"https", "tls", "http", "tcp"}),
    "udp": frozenset({"udp"}),
    "any": frozenset(),
    "other": frozenset(),
}
"""Protocols of entries that a rule on a layer is no wider than, as far as a firewall on that layer sees."""

_LAYER_WORDS: Mapping[Layer, str] = {
    "tls": "TLS", "http": "plain HTTP", "tcp": "TCP", "udp": "UDP", "any": "every protocol", "other": "another protocol",
}  # fmt: skip


def against_catalogs(rule: str) -> Callable[[Resource, Reading, Settings], CheckResult]:
    """The check of one of the rules that compare names with catalog entries: each name breaks one of them at most."""

    def check(resource: Resource, reading: Reading, settings: Settings) -> CheckResult:
        effects = [effect for effect in reading.effects if effect.named]
        if not effects and not reading.names_in_doubt:
            return NotApplicable("allows nothing by name")
        return _once(_compared(resource, effects, settings.known, rule))

    return check


def wildcard_over_others(resource: Resource, reading: Reading, settings: Settings) -> CheckResult:
    del settings
    effects = [effect for effect in _by_name(reading) if effect.names is not None and effect.names.kind != "exact"]
    if not effects and not reading.names_in_doubt:
        return NotApplicable("has no wildcard")
    return _once(
        Violation(
            resource=resource, where=effect.where, message=f"{effect.names}: {why}", host=effect.names.host or None
        )
        for effect in effects
        if effect.names is not None and (why := whose(effect.names)) is not None
    )


def shared_host(resource: Resource, reading: Reading, settings: Settings) -> CheckResult:
    effects = [effect for effect in reading.effects if effect.named and effect.names and effect.names.kind == "exact"]
    if not effects and not reading.names_in_doubt:
        return NotApplicable("allows no exact name")
    return _once(
        Violation(
            resource=resource, where=effect.where, message=f"{effect.names.host}: {why}", host=effect.names.host,
            entry=_entry_of(settings.known, effect.names),
        )
        for effect in effects
        if effect.names is not None and (why := shared_hosting("exact", effect.names.host)) is not None
    )  # fmt: skip


def unsuitable_name(resource: Resource, reading: Reading, settings: Settings) -> CheckResult:
    cloud = cloud_of(resource.type)
    if settings.survey is None:
        return NotApplicable("no survey is named in the settings")
    if not reading.lookups and not reading.names_in_doubt:
        return NotApplicable("no name that the firewall resolves for itself")
    target = next(
        each.name
        for each in rows()
        if each.cloud == cloud and any(way.ttl_family == "own-lookup" for way in mechanism(each.name).means)
    )
    found = []
    for host, where in reading.lookups:
        verdict = settings.survey.of(host, target, "own-lookup")
        if verdict is not None and verdict.verdict == "ok":  # `unknown` proves nothing
            continue
        said = f"the survey has no verdict on {target}"
        if verdict is not None:
            said = f"{verdict.verdict} on {target}: {verdict.reason}"
        entry = _entry_of(settings.known, Names("exact", host))
        found.append(Violation(resource=resource, where=where, message=f"{host}: {said}", host=host, entry=entry))
    return found


def _by_name(reading: Reading) -> list[Effect]:
    return [effect for effect in reading.effects if effect.action == "allow" and effect.names is not None]


def _once(remarks: Iterator[Violation]) -> list[Violation]:
    """Without repetitions: a rule for two protocols says of each name the same thing twice."""
    return list({(remark.where, remark.message): remark for remark in remarks}.values())


def _entry_of(known: CatalogIndex, names: Names) -> str | None:
    return next((entry.id for entry in known.touching(names)), None)


def _compared(resource: Resource, effects: list[Effect], known: CatalogIndex, rule: str) -> Iterator[Violation]:
    for effect in effects:
        assert effect.names is not None
        broken, message, entry = judged(effect, effect.names, known)
        if broken == rule:
            yield Violation(
                resource=resource, where=effect.where, message=message, host=effect.names.host,
                entry=None if entry is None else entry.id,
            )  # fmt: skip


def against(resource: Resource, effect: Effect, known: CatalogIndex, *, withdrawn: bool) -> Violation | None:
    """What the catalogs have against a name that is allowed, a wildcard that others can be in included; with `withdrawn`, only
    that it was given up."""
    assert effect.names is not None
    broken, message, entry = judged(effect, effect.names, known)
    reason = None if effect.names.kind == "exact" else whose(effect.names)
    if reason is not None and not withdrawn:
        broken, message = "wildcard-over-others", f"{effect.names}: {reason}"
    if broken is None or (broken == "host-withdrawn") is not withdrawn:
        return None
    return Violation(
        resource=resource, where=effect.where, message=message, host=effect.names.host or None,
        entry=None if entry is None else entry.id,
    )  # fmt: skip


def judged(effect: Effect, names: Names, known: CatalogIndex) -> tuple[str | None, str, Entry | None]:
    """The rule that the allowed names break, what to say, and the entry it is about."""
    mistakes = known.mistakes(names)
    for entry in mistakes:
        if names.inside(_names_of(entry)):
            notes = " ".join(entry.notes.split())[:200]
            return "host-mistaken", f"{names}: {entry.catalog} records it as a mistake. {notes}".strip(), entry
    touching = known.touching(names)
    if not touching:
        if mistakes:
            said = f"{names} takes in {mistakes[0].reach}, which {mistakes[0].catalog} records as a mistake."
            return "host-mistaken", said, mistakes[0]
        return "host-not-in-catalog", f"{names}: {_history(known, names)}", None
    covering = _covering(names, touching)
    if not covering:
        reach = ", ".join(sorted({entry.reach for entry in touching})[:3])
        return "wider-than-catalog", f"allows {names}; the catalog has {reach}.", touching[0]
    against = [known.misprints.opened_by(entry) for entry in covering] if mistakes else []
    if against and all(against):
        record = against[0][0].entry
        said = (
            f"{names} opens {record.host}, which {record.catalog} records as a mistake; {covering[0].catalog} lists it."
        )
        return "host-mistaken", said, covering[0]
    layer = effect.layer
    if layer is not None and not _spoken(covering, layer):
        needed = ", ".join(sorted({f"{entry.protocol} on {entry.port}" for entry in covering}))
        if layer == "http" and all(entry.protocol in ("https", "tls") for entry in covering):
            return "plain-http", f"{names}: plain HTTP is allowed, the catalog has {needed}.", covering[0]
        said = f"{names}: allowed for {_LAYER_WORDS[layer]}, the catalog has {needed}."
        return "wider-than-catalog", said, covering[0]
    if effect.ports is not None and not effect.listed:
        speaking = _spoken(covering, layer) if layer is not None else covering
        ports = tuple(sorted({(entry.port, entry.port) for entry in speaking}))
        if not ports_within(effect.ports, ports):
            if effect.ports == ((80, 80),) and all(entry.protocol in ("https", "tls") for entry in covering):
                return "plain-http", f"{names}: port 80 is allowed, the catalog has {in_words(ports)}.", covering[0]
            said = f"{names}: allowed on {in_words(effect.ports)}, the catalog has {in_words(ports)}."
            return "wider-than-catalog", said, covering[0]
    if all(entry.withdrawn for entry in covering):
        entry = covering[0]
        after = f"; {entry.replaced_by} took over" if entry.replaced_by else ""
        return "host-withdrawn", f"{names}: {entry.catalog} no longer holds it since {entry.withdrawn}{after}.", entry
    return None, "", None


def _history(known: CatalogIndex, names: Names) -> str:
    gone = known.former(names)
    where = f"in no named catalog ({', '.join(known.refs)})"
    if not gone:
        return f"{where}."
    entry = gone[0]
    told = f"held it until {entry.withdrawn}" if entry.withdrawn else "has it at another revision"
    after = f"; {entry.replaced_by} took over" if entry.replaced_by else ""
    return f"{where}; {entry.catalog} {told}{after}."


def _names_of(entry: Entry) -> Names:
    return Names(entry.match, entry.host)


def _covering(names: Names, touching: list[Entry]) -> list[Entry]:
    """Entries that hold all of `names`; a name and everything below it may be two entries."""
    whole = [entry for entry in touching if names.inside(_names_of(entry))]
    if whole or names.kind != "subtree+apex":
        return whole
    halves = [
        [entry for entry in touching if half.inside(_names_of(entry))]
        for half in (Names("exact", names.host), Names("subtree", names.host))
    ]
    return [*halves[0], *halves[1]] if all(halves) else []


def _spoken(entries: list[Entry], layer: Layer) -> list[Entry]:
    return [entry for entry in entries if entry.protocol in _SPEAKS[layer]]


def whose(names: Names) -> str | None:
    """Who else can have one of these names."""
    match names.kind:
        case "any":
            return "every name there is"
        case "ending":
            return f"it does not stop at a dot: evil{names.host} is one of them, and anybody can register it"
        case "containing":
            return f"{names.host}.evil.example is one of them, and anybody can have it"
    if is_public_suffix(names.host):
        return f"anybody can register a name below {names.host} (publicsuffix.org)"
    return shared_hosting(names.kind, names.host) if is_match(names.kind) else None
