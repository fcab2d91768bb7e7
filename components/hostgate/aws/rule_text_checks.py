"""Reads Suricata rule strings as far as AWS Network Firewall checks them when a rule group is made."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from hostgate.aws.firewall_limits import GROUP_BYTES, QUOTAS, RULE_LENGTH
from hostgate.planning.shapes import InputProblem, duplicates, known_list, shown
from hostgate.suricata.reader import ACTIONS, SID_MAX

# Sources, each as of 2026-11-23.
LIMITATIONS: Final = "AWS Network Firewall developer guide: Suricata limitations and caveats"
MEASURED: Final = "cdk-preflight, rules measured against the live service on 2026-09-25"

BUILT_IN: Final = frozenset({"HOME_NET", "EXTERNAL_NET"})
UNSUPPORTED: Final = frozenset({"dataset", "datarep", "iprep", "lua", "luajit", "filestore", "fileext", "filemagic"})
PCRE_COMPANIONS: Final = frozenset({"content", "tls.sni", "http.host", "dns.query", "http.uri"})


def rule_lines(rules: str) -> list[tuple[int, str]]:
    """The rules with their line numbers from 1. Blank lines and comments are no rules and cost no capacity."""
    lines = enumerate(rules.splitlines(), start=1)
    return [(number, line.strip()) for number, line in lines if line.strip() and not line.lstrip().startswith("#")]


def check_rules(rules: str, path: str, group: Mapping[str, Any], *, strict: bool) -> Iterator[InputProblem]:
    """Every problem of a rules string. `group` is the ruleGroup that holds it: its variables and references."""
    size = len(rules.encode())
    if size > GROUP_BYTES.max:
        yield InputProblem(
            "too long", path=path, found=f"{size} bytes", allowed=f"{GROUP_BYTES.max} bytes", source=QUOTAS
        )
    declared = _declared(group)
    sids: list[tuple[str, Any]] = []
    lines = rule_lines(rules)
    if not lines:
        yield InputProblem(
            "no rule in it", path=path, found=f"{size} bytes", allowed="at least one rule", source=MEASURED
        )
    for number, line in lines:
        where = f"{path} line {number}"
        if len(line) > RULE_LENGTH.max:
            found = f"{len(line)} characters"
            yield InputProblem(
                "rule too long", path=where, found=found, allowed=f"{RULE_LENGTH.max} characters", source=QUOTAS
            )
        head, _, options = line.partition("(")
        keywords = _keywords(options)
        yield from _header(head, where, declared)
        if not options.endswith(")"):
            found, allowed = shown(line), "action protocol source port -> destination port (options) on one line"
            yield InputProblem("not a rule", path=where, found=found, allowed=allowed, source=LIMITATIONS)
            continue
        sid = next((value for keyword, value in keywords if keyword == "sid"), "")
        if not sid.isdecimal() or not 1 <= int(sid) <= SID_MAX:
            found = shown(sid) if sid else "nothing"
            yield InputProblem("sid", path=where, found=found, allowed=f"1 to {SID_MAX}", source="Suricata rule format")
        else:
            sids.append((where, int(sid)))
        yield from _options({keyword for keyword, _ in keywords}, where, strict=strict)
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


def _header(head: str, where: str, declared: Mapping[str, set[str]]) -> Iterator[InputProblem]:
    words = re.sub(r"\s*,\s*", ",", head).split()
    action = words[0] if words else ""
    if action not in ACTIONS:
        allowed = " | ".join(ACTIONS)
        yield InputProblem("rule action", path=where, found=shown(action), allowed=allowed, source=LIMITATIONS)
    if len(words) != 7 or words[4:5] not in (["->"], ["<>"]):
        allowed = "action protocol source port -> destination port"
        yield InputProblem(
            "rule header", path=where, found=shown(head.strip()), allowed=allowed, source="Suricata rule format"
        )
        return
    if action == "reject" and words[1] in ("udp", "icmp", "ip"):
        yield InputProblem("reject", path=where, found=words[1], allowed="TCP only", source=LIMITATIONS)
    for mark, name in re.findall(r"([$@])([A-Za-z][A-Za-z0-9_]*)", head):
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


_OPTION: Final = re.compile(r"""(?:[^;"\\]++|\\.|"(?:[^"\\]++|\\.)*+"?)*+;""", re.DOTALL)
"""One option with its semicolon. Nothing is given back once taken, so that no text takes more than one reading."""


def _keywords(options: str) -> list[tuple[str, str]]:
    """Keywords and their values; a semicolon inside quotes or after a backslash does not end one."""
    found: list[tuple[str, str]] = []
    text, at = options.removesuffix(")"), 0
    while option := _OPTION.match(text, at):
        keyword, _, value = option[0][:-1].partition(":")
        found.append((keyword.strip(), value.strip()))
        at = option.end()
    return found
