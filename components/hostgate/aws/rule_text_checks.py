"""What AWS Network Firewall checks of Suricata rule strings when a rule group is made."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from hostgate.aws.firewall_limits import GROUP_BYTES, QUOTAS, RULE_LENGTH
from hostgate.planning.shapes import InputProblem, duplicates, known_list, shown
from hostgate.suricata.reader import ACTIONS, SID_MAX, ParsedRule, UnreadLine, read_rules

# Sources, each as of 2026-11-23.
LIMITATIONS: Final = "AWS Network Firewall developer guide: Suricata limitations and caveats"
MEASURED: Final = "cdk-preflight, rules measured against the live service on 2026-09-25"

BUILT_IN: Final = frozenset({"HOME_NET", "EXTERNAL_NET"})
UNSUPPORTED: Final = frozenset({"dataset", "datarep", "iprep", "lua", "luajit", "filestore", "fileext", "filemagic"})
PCRE_COMPANIONS: Final = frozenset({"content", "tls.sni", "http.host", "dns.query", "http.uri"})


_FORM: Final = (
    f"{' | '.join(ACTIONS)}, protocol source port -> destination port (options; sid:1 to {SID_MAX};) on one line"
)
_UNREAD: Final[Mapping[str, str]] = {
    "action": "rule action", "header": "rule header", "options": "not a rule", "sid": "sid",
}  # fmt: skip


def check_rules(rules: str, path: str, group: Mapping[str, Any], *, strict: bool) -> Iterator[InputProblem]:
    """Every problem of a rules string. `group` is the ruleGroup that holds it: its variables and references."""
    size = len(rules.encode())
    if size > GROUP_BYTES.max:
        yield InputProblem(
            "too long", path=path, found=f"{size} bytes", allowed=f"{GROUP_BYTES.max} bytes", source=QUOTAS
        )
    declared = _declared(group)
    sids: list[tuple[str, Any]] = []
    lines = read_rules(rules)
    texts = rules.splitlines()
    if not lines:
        yield InputProblem(
            "no rule in it", path=path, found=f"{size} bytes", allowed="at least one rule", source=MEASURED
        )
    for line in lines:
        where, text = f"{path} line {line.number}", texts[line.number - 1].strip()
        if len(text) > RULE_LENGTH.max:
            found = f"{len(text)} characters"
            yield InputProblem(
                "rule too long", path=where, found=found, allowed=f"{RULE_LENGTH.max} characters", source=QUOTAS
            )
        if isinstance(line, UnreadLine):
            found = f"{shown(text)} ({shown(line.why)})"
            yield InputProblem(_UNREAD[line.part], path=where, found=found, allowed=_FORM, source=LIMITATIONS)
            continue
        sids.append((where, int(line.sid)))
        yield from _header(line, where, declared)
        yield from _options({keyword for keyword, _ in line.options}, where, strict=strict)
    yield from (_as_sid(problem) for problem in duplicates(sids, MEASURED))


def _as_sid(problem: InputProblem) -> InputProblem:
    return InputProblem(
        "duplicate sid", path=problem.path, found=problem.found, allowed=problem.allowed, source=problem.source
    )


def _declared(group: Mapping[str, Any]) -> dict[str, set[str]]:
    variables, references = group.get("ruleVariables"), group.get("referenceSets")
    names = set(BUILT_IN)
    if isinstance(variables, Mapping):
        for kind in ("ipSets", "portSets"):
            names |= {str(item.get("key")) for _, item in known_list(variables, kind) if isinstance(item, Mapping)}
    sets = known_list(references, "ipSetReferences") if isinstance(references, Mapping) else []
    return {"$": names, "@": {str(item.get("key")) for _, item in sets if isinstance(item, Mapping)}}


def _header(rule: ParsedRule, where: str, declared: Mapping[str, set[str]]) -> Iterator[InputProblem]:
    if rule.action == "reject" and rule.protocol in ("udp", "icmp", "ip"):
        yield InputProblem("reject", path=where, found=rule.protocol, allowed="TCP only", source=LIMITATIONS)
    ends = f"{rule.source} {rule.source_port} {rule.destination} {rule.port}"
    for mark, name in re.findall(r"([$@])([A-Za-z][A-Za-z0-9_]*)", ends):
        if name not in declared[mark]:
            allowed = "declared in " + ("ruleVariables, HOME_NET or EXTERNAL_NET" if mark == "$" else "referenceSets")
            yield InputProblem(
                "undeclared variable", path=where, found=f"{mark}{name}", allowed=allowed, source=MEASURED
            )


def _options(keywords: set[str], where: str, *, strict: bool) -> Iterator[InputProblem]:
    for keyword in sorted(keywords & UNSUPPORTED):
        yield InputProblem("keyword not supported", path=where, found=keyword, source=LIMITATIONS)
    if "gid" in keywords:
        yield InputProblem(
            "keyword not supported", path=where, found="gid", allowed="the service sets it", source=MEASURED
        )
    if strict and "priority" in keywords:
        allowed = "no priority in strict order"
        yield InputProblem("keyword not supported", path=where, found="priority", allowed=allowed, source=MEASURED)
    if "pcre" in keywords and not keywords & PCRE_COMPANIONS:
        allowed = f"beside one of {', '.join(sorted(PCRE_COMPANIONS))}"
        yield InputProblem("pcre alone", path=where, found="pcre", allowed=allowed, source=LIMITATIONS)
