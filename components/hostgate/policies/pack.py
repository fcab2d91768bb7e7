"""The policy pack: the only module that knows Pulumi's policy SDK. It turns its values into plain ones and back.

Every rule is a policy of its own, so that its level can be set with the engine's own means too. The pack's process
serves until the engine ends it.
"""

import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pulumi_policy
from pulumi_policy.proxy import UnknownValueError

from hostgate import __version__
from hostgate.catalog.problems import InputError
from hostgate.flows.nodes import UNKNOWN
from hostgate.flows.snapshot import Resource
from hostgate.package_schema import REPOSITORY
from hostgate.policies.judge import Verdicts, is_judged, judge_resource, judge_stack
from hostgate.policies.rule_table import RULES
from hostgate.policies.settings import Settings, read_settings
from hostgate.policies.violations import NotApplicable

NAME = "hostgate"
PAGE = f"{REPOSITORY}/blob/main/docs/policies.md"


def run(folder: Path, *, as_of: date | None = None) -> None:
    """Serve the pack with the settings in `folder`; does not return. `as_of` judges exemptions (today unless given).

    Settings with errors end the process with all of them on stderr: a pack without its settings judges nothing.
    """
    try:
        settings = read_settings(folder, as_of or date.today())
    except InputError as error:
        sys.exit(f"hostgate's policy pack cannot start: its settings have errors\n{error}")
    pulumi_policy.PolicyPack(
        NAME,
        policies=policies(settings),
        description="What gets out, against the catalogs that people reviewed",
        display_name="hostgate: egress allowlists",
        readme=f"What each policy finds, why it matters and what to do: {PAGE}\n",
        tags=["egress", "firewall", "allowlist"],
        repository=REPOSITORY,
    )


def policies(settings: Settings) -> list[Any]:
    """A policy for every rule, at its level in the settings."""
    asked = _Asked(settings)
    found: list[Any] = []
    for name, rule in RULES.items():
        told = {
            "name": name,
            "description": rule.finds,
            "enforcement_level": pulumi_policy.EnforcementLevel(settings.level(name)),
            "severity": pulumi_policy.Severity(rule.severity),
            "remediation_steps": rule.fix,
            "display_name": rule.title or name.replace("-", " ").capitalize(),
            "url": f"{PAGE}#rules",
            "tags": ["egress", rule.scope, *rule.clouds],
            "framework": pulumi_policy.PolicyComplianceFramework(
                name=NAME, version=__version__, reference=", ".join(settings.known.refs), specification=rule.source
            ),
        }
        if rule.scope == "resource":
            found.append(pulumi_policy.ResourceValidationPolicy(validate=_of_resource(name, asked), **told))
        else:
            found.append(pulumi_policy.StackValidationPolicy(validate=_of_stack(name, asked), **told))
    return found


class _Asked:
    """The last answers, for each thread of the server: the SDK asks one policy after the other about the same thing."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._last = threading.local()

    def of(self, what: Resource | Sequence[Resource]) -> Verdicts:
        if getattr(self._last, "what", None) != what:
            judged = judge_resource if isinstance(what, Resource) else judge_stack
            self._last.verdicts = judged(what, self._settings)  # type: ignore[arg-type]
            self._last.what = what
        verdicts: Verdicts = self._last.verdicts
        return verdicts


def _of_resource(rule: str, asked: _Asked) -> Callable[[Any, Any], None]:
    def validate(args: Any, report: Any) -> None:
        if not is_judged(args.resource_type):
            args.not_applicable("no rule is about this type")
        resource = Resource(urn=args.urn, type=args.resource_type, name=args.name, properties=_plain(args.props))
        _answer(asked.of(resource)[rule], args, report)

    return validate


def _of_stack(rule: str, asked: _Asked) -> Callable[[Any, Any], None]:
    def validate(args: Any, report: Any) -> None:
        _answer(asked.of([_resource(each) for each in args.resources])[rule], args, report)

    return validate


def _answer(verdict: Any, args: Any, report: Any) -> None:
    if isinstance(verdict, NotApplicable):
        args.not_applicable(verdict.why)
    for each in verdict:
        report(each.message, each.urn or None)


def _resource(found: Any) -> Resource:
    of_properties = {
        key: frozenset(each.urn for each in several) for key, several in (found.property_dependencies or {}).items()
    }
    return Resource(
        urn=found.urn,
        type=found.resource_type,
        name=found.name,
        properties=_plain(found.props),
        dependencies=frozenset(each.urn for each in found.dependencies).union(*of_properties.values()),
        property_dependencies={key: urns for key, urns in of_properties.items() if urns},
    )


def _plain(value: Any) -> Any:
    """The SDK's proxies as plain values. An unknown value raises when it is touched: item by item it is `UNKNOWN`."""
    if isinstance(value, Mapping):
        return {key: _item(value, key) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_item(value, index) for index in range(len(value))]
    return value


def _item(holder: Any, key: Any) -> Any:
    try:
        return _plain(holder[key])
    except UnknownValueError:
        return UNKNOWN
