"""The tables of the docs say what the code says, with nothing missing and nothing more; links lead somewhere."""

import re
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from markdown_pages import PAGES, ROOT, Table, anchors, links, prose, tables
from product_facts import lint_ids, rule_ids
from pydantic import BaseModel

import hostgate
from hostgate.aws.default_actions import DEFAULT_ACTIONS
from hostgate.aws.policy_options import DESTINATIONS, LOG_TYPES
from hostgate.catalog.match_kinds import holds
from hostgate.catalog.model import (
    MATCHES,
    CatalogRecord,
    EntryRecord,
    RevisionRecord,
    SourceRecord,
    SpanRecord,
)
from hostgate.catalog.references import each_shipped
from hostgate.catalog.revision_changes import RISKS
from hostgate.export.file_format import FileFormat
from hostgate.intake.page_remarks import REMARKS
from hostgate.planning.evidence import Claim
from hostgate.planning.findings import KINDS
from hostgate.planning.mechanism import mechanism, targets
from hostgate.planning.options import Options
from hostgate.planning.targets import formats, load, rows
from hostgate.policies.readers import READERS, UNREAD
from hostgate.policies.rule_table import RULES
from hostgate.policies.settings import SettingsFile
from hostgate.review.risks import RISKS as CHANGE_RISKS
from hostgate.stack import AcceptSection, GuardsSection, SelectSection, SurveySection, stack_section

CATALOG, MECHANISMS, PLAN, POLICIES, REVIEW, SURVEY = (
    ROOT / "docs" / name for name in ("catalog.md", "mechanisms.md", "plan.md", "policies.md", "review.md", "survey.md")
)
BY_ADDRESS = ROOT / "docs" / "by-address.md"
EXPORT = ROOT / "docs" / "export.md"
SANDBOX = ROOT / "docs" / "sandbox.md"
AWS_POLICY = ROOT / "docs" / "aws-policy.md"
TEXTS = (*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md")

_CLOUDS = {"aws": "AWS", "gcp": "Google Cloud", "azure": "Azure"}

OPTIONS_OF = {"aws": "aws:rules", "gcp": "gcp:fqdn", "azure": "azure:application-rules"}
"""A target whose options the cloud's table lists."""


def _tables(page: Path, heading: str, first: str) -> list[Table]:
    """The tables below `heading` whose first column is called `first`; there is at least one."""
    found = [table for table in tables(page) if heading in table.headings and table.header[0] == first]
    assert found, f"{page.name} has no table of {first} under {heading!r}"
    return found


def _ids(found: list[Table]) -> list[str]:
    return [each for table in found for each in table.column(table.header[0])]


def test_every_finding_is_in_the_plan_page_word_for_word() -> None:
    rows = [row for table in _tables(PLAN, "Findings", "id") for row in table.rows]
    wanted = [(f"`{id_}`", kind.severity, kind.meaning, kind.remedy) for id_, kind in KINDS.items()]
    pasted = "\n".join(f"| {' | '.join(row)} |" for row in wanted if row not in rows)
    assert sorted(rows) == sorted(wanted), f"The rows that are missing in docs/plan.md:\n{pasted}"


def test_every_policy_is_in_the_policies_page_word_for_word() -> None:
    (table,) = _tables(POLICIES, "Rules", "id")
    wanted = [
        (f"`{id_}`", rule.level, rule.scope, ", ".join(rule.clouds), rule.finds, rule.matters, rule.fix)
        for id_, rule in RULES.items()
    ]
    pasted = "\n".join(f"| {' | '.join(row)} |" for row in wanted if row not in table.rows)
    assert list(table.rows) == wanted, f"The rows that are missing in docs/policies.md:\n{pasted}"


def test_the_types_that_the_pack_reads_are_those_of_the_readers() -> None:
    (table,) = _tables(POLICIES, "What it reads", "type")
    found = dict(zip((cell.strip("`") for cell in table.column("type")), table.column("read"), strict=True))
    assert found == {**dict.fromkeys(READERS, "yes"), **{type_: f"no: {what}" for type_, (what, _) in UNREAD.items()}}


def test_the_settings_of_the_pack_are_those_that_are_read() -> None:
    (table,) = _tables(POLICIES, "Settings", "key")
    assert _defaults(table) == _option_defaults(SettingsFile) | {"catalogs": "required"}


def test_every_rule_of_an_error_is_in_a_table_of_errors() -> None:
    named = [each for page in (CATALOG, PLAN, SURVEY, BY_ADDRESS) for each in _ids(_tables(page, "Errors", "rule"))]
    assert sorted(named) == sorted(rule_ids())


def test_every_finding_about_a_page_is_in_the_catalog_page_word_for_word() -> None:
    (table,) = _tables(CATALOG, "A vendor's page", "finding")
    assert {row[0].strip("`"): row[1] for row in table.rows} == dict(REMARKS)


def test_every_risk_of_a_difference_is_in_the_catalog_page_word_for_word_in_its_order() -> None:
    (table,) = _tables(CATALOG, "Comparing", "risk")
    assert [(row[0].strip("`"), row[1]) for row in table.rows] == list(RISKS.items())


def test_every_risk_of_a_change_is_in_the_review_page_in_its_order() -> None:
    (table,) = _tables(REVIEW, "What to look at first", "risk")
    assert [row[0] for row in table.rows] == list(CHANGE_RISKS.values())


def test_every_guard_is_in_the_review_page() -> None:
    (table,) = _tables(REVIEW, "Guards", "guard")
    keys = [field.alias for field in GuardsSection.model_fields.values()]
    assert [row[0].strip("`") for row in table.rows] == keys


def test_every_lint_warning_is_in_the_catalog_page() -> None:
    assert sorted(_ids(_tables(CATALOG, "Lint", "id"))) == sorted(lint_ids())


@pytest.mark.parametrize(
    ("record", "introduction"),
    [
        (CatalogRecord, "The document:"),
        (SourceRecord, "An item of `sources`:"),
        (RevisionRecord, "An item of `revisions`:"),
        (EntryRecord, "An item of `entries`, one host need:"),
        (SpanRecord, "An item of `spans`:"),
    ],
)
def test_the_keys_of_a_catalog_are_those_of_the_model(record: type[BaseModel], introduction: str) -> None:
    (table,) = [table for table in _tables(CATALOG, "Keys", "key") if table.introduction == introduction]
    required = {name: "yes" if field.is_required() else "" for name, field in record.model_fields.items()}
    assert dict(zip(table.column("key"), table.column("required"), strict=True)) == required


def test_the_selection_keys_are_those_of_the_stack() -> None:
    assert _ids(_tables(CATALOG, "Selecting", "key")) == list(SelectSection.model_fields)


def test_the_table_of_match_kinds_holds_what_the_code_holds() -> None:
    (table,) = _tables(CATALOG, "Match kinds", "kind")
    assert table.column("kind") == list(MATCHES)
    for kind, *cells in table.rows:
        for name, cell in zip(table.header[1:], cells, strict=True):
            assert cell == ("yes" if holds(kind.strip("`"), "cgr.dev", name.strip("`")) else "no"), (kind, name)


def test_the_shipped_catalogs_are_those_that_the_page_counts() -> None:
    (catalog,) = each_shipped()
    first, last = catalog.revisions[0].id, catalog.revisions[-1].id
    said = f"Shipped today: `{catalog.id}`, {len(catalog.revisions)} revisions from {first} to {last}."
    assert said in CATALOG.read_text("utf-8")


def test_the_mechanisms_are_those_of_the_registry() -> None:
    (table,) = [table for table in tables(MECHANISMS) if "TTL family" in table.header]
    rows = [
        (row[table.header.index("target")].strip("`"), *(row[table.header.index(name)] for name in _MEANS))
        for row in table.rows
    ]
    assert rows == [
        (
            target,
            means.name,
            means.ttl_family,
            means.sight,
            _listed(MATCHES, means.kinds),
            _listed(_PROTOCOLS, means.protocols),
        )
        for target in targets()
        for means in mechanism(target).means
    ]
    made = next(table for table in tables(MECHANISMS) if table.introduction == "What each makes:")
    assert made.column("target") == list(targets())
    told = ""
    for target, component in zip(table.column("target"), table.column("component"), strict=True):
        told = told if component.startswith("same") else component.strip("`")
        assert told == _components()[target.strip("`")]


def test_the_formats_that_say_who_may_use_the_hosts_are_those_that_do() -> None:
    (table,) = [table for table in tables(EXPORT) if table.header[0] == "file"]
    told = {name: not says.startswith("no:") for names, says in table.rows for name in re.findall("`(.*?)`", names)}
    known = {each.name.partition(":")[2]: mechanism(each.name) for each in formats()}
    assert told == {name: isinstance(how, FileFormat) and how.tells_clients for name, how in known.items()}


def test_the_formats_of_the_export_page_are_those_of_the_registry() -> None:
    (table,) = [table for table in tables(EXPORT) if table.header[0] == "format"]
    assert table.rows == tuple(
        (
            f"`{each.name.partition(':')[2]}`",
            way.name,
            _listed(MATCHES, way.kinds),
            _listed(_PROTOCOLS, way.protocols),
            f"{way.ports.start}-{way.ports.stop - 1}",
            way.sight,
            how.state,
        )
        for each in formats()
        for how in [cast("FileFormat[Any]", mechanism(each.name))]
        for way in how.means
    )
    assert all(tuple(each.exports) == (each.name.partition(":")[2],) for each in formats())


def test_the_targets_of_terraform_are_those_that_can_be_written_for_it() -> None:
    (table,) = [table for table in tables(EXPORT) if table.header[:2] == ("targets", "provider")]
    told = [target for row in table.rows for target in re.findall("`(.*?)`", row[0])]
    assert len(told) == len(set(told))
    assert {*told} == {each.name for each in rows() if "terraform" in each.exports}


def _components() -> dict[str, str]:
    """The component of each target, as a program imports it."""
    found = {}
    for each in rows():
        module, _, name = each.component.partition(":")
        found[each.name] = f"{module.rpartition('.')[0]}.{name}"
    return found


def test_the_components_of_the_readme_are_all_there_are_with_their_outputs() -> None:
    (table,) = [table for table in tables(ROOT / "README.md") if table.header[0] == "component"]
    outputs = {_components()[each.name]: ", ".join(f"`{output}`" for output in each.outputs) for each in rows()}
    assert table.rows == tuple((f"`{name}`", outputs[name]) for name in outputs)


def test_the_types_of_the_sandbox_are_those_that_its_clouds_have() -> None:
    (table,) = [table for table in tables(SANDBOX) if table.header == ("cloud", "types")]
    simulated = {each.cloud: load(each.simulated).types for each in rows()}
    wanted: dict[str, list[str]] = {}
    for cloud, types in simulated.items():
        modules: dict[str, list[str]] = {}
        for token in types:
            module, _, name = token.partition(":")[2].partition(":")
            modules.setdefault(module.partition("/")[0], []).append(f"`{name}`")
        wanted[_CLOUDS[cloud]] = [f"`{module}`: {', '.join(names)}" for module, names in modules.items()]
    pasted = "\n".join(f"| {cloud} | {'; '.join(parts)} |" for cloud, parts in wanted.items())
    assert {cloud: types.split("; ") for cloud, types in table.rows} == wanted, f"docs/sandbox.md lacks:\n{pasted}"


def test_the_plan_page_has_slots_and_a_folder_for_every_target() -> None:
    (table,) = _tables(PLAN, "Objects, priorities, slots", "target")
    assert {name.strip("`") for each in table.column("target") for name in each.split(", ")} == set(targets())
    folders = re.search(r"writes one folder a target \(([^)]*)\)", PLAN.read_text("utf-8"))
    assert folders is not None
    assert re.findall(r"`([a-z-]+)/`", folders[1]) == [target.replace(":", "-") for target in targets()]


def test_the_figures_of_lookups_are_those_that_verdicts_are_made_from() -> None:
    (table,) = _tables(MECHANISMS, "TTL family", "rules")
    ways = [means for target in targets() for means in mechanism(target).means if means.lookup is not None]
    assert list(table.rows) == [
        (
            means.name,
            f"{lookup.refresh_s} s{'' if lookup.published else ', assumed'}",
            f"{lookup.keep_s} s",
            "all" if lookup.cap is None else str(lookup.cap),
            "the clients'" if lookup.shared_cache else "its own",
            f"{lookup.source} ({lookup.date})",
        )
        for means in ways
        if (lookup := means.lookup)
    ]


def test_what_each_way_needs_opens_and_costs_is_in_the_page_with_its_evidence() -> None:
    (table,) = _tables(MECHANISMS, "Needs, costs, evidence", "target")
    wanted = [
        (
            f"`{target}`",
            means.name,
            _claims(means.needs),
            _claims(means.opens),
            _claims(means.costs),
            str(means.evidence),
        )
        for target in targets()
        for means in mechanism(target).means
    ]
    pasted = "\n".join(f"| {' | '.join(row)} |" for row in wanted if row not in table.rows)
    assert list(table.rows) == wanted, f"The rows that are missing in docs/mechanisms.md:\n{pasted}"


def _claims(claims: tuple[Claim, ...]) -> str:
    return "; ".join(each.text for each in claims)


_MEANS = ("way", "TTL family", "sight", "kinds", "protocols")
_PROTOCOLS = ("https", "http", "tls", "tcp", "udp")


def _listed(order: tuple[str, ...], some: frozenset[str]) -> str:
    return ", ".join(each for each in order if each in some)


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_every_limit_of_a_cloud_is_in_its_page_with_its_source(cloud: str) -> None:
    page = ROOT / "docs" / f"{cloud}.md"
    table = next(table for table in _tables(page, "Limits", "limit") if "source" in table.header)
    known = {
        (limit.name, f"{limit.max:,}", limit.unit, limit.source, limit.date)
        for target in targets()
        if target.startswith(f"{cloud}:")
        for limit in mechanism(target).limits
    }
    pasted = "\n".join(f"| {' | '.join(row)} |" for row in sorted(known) if row not in table.rows)
    assert sorted(table.rows) == sorted(known), f"The rows that are missing in {page.name}:\n{pasted}"


@pytest.mark.parametrize("target", ["aws:dns-firewall", "gcp:web-proxy"])
def test_the_limits_of_a_mechanism_with_a_page_are_those_that_are_checked(target: str) -> None:
    (table,) = _tables(ROOT / "docs" / f"{target.replace(':', '-')}.md", "Limits", "limit")
    limits = mechanism(target).limits
    assert table.rows == tuple((each.name, f"{each.max:,}", f"{each.source} ({each.date})") for each in limits)


def test_no_page_names_a_target_that_does_not_exist() -> None:
    for page in PAGES:
        named = set(re.findall(r"`((?:aws|gcp|azure):[a-z-]+)`", "\n".join(prose(page))))
        assert named <= set(targets()), page.name
        assert page != ROOT / "README.md" or named == set(targets())


@pytest.mark.parametrize(
    ("section", "introduction"),
    [
        (stack_section(), "snake_case in Python"),
        (AcceptSection, "An item of `accept`:"),
        (SurveySection, "Of `survey`:"),
    ],
)
def test_the_stack_keys_are_those_that_are_read(section: type[BaseModel], introduction: str) -> None:
    (table,) = [table for table in _tables(PLAN, "Stack config", "key") if table.introduction.startswith(introduction)]
    assert _defaults(table) == {
        field.alias or name: "required" if field.is_required() else _plain(field.get_default(call_default_factory=True))
        for name, field in section.model_fields.items()
    }


def test_the_options_of_every_cloud_are_those_of_its_mechanisms() -> None:
    (shared,) = _tables(PLAN, "Options of every cloud", "key")
    assert {**_defaults(shared), "mechanism": ""} == {**_option_defaults(Options), "mechanism": ""}
    for target in targets():
        cloud, _, name = target.partition(":")
        (table,) = _option_tables(cloud, name)
        own = {
            key: value
            for key, value in _option_defaults(mechanism(target).options).items()
            if key not in _option_defaults(Options)
        }
        assert _defaults(table) == own, target
        assert f"`{name}`" in next(row for row in shared.rows if row[0] == "`mechanism`")[2]


def test_the_default_actions_of_aws_are_those_of_the_code() -> None:
    (table,) = _tables(AWS_POLICY, "Default actions", "action")
    assert [(row[0].strip("`"), row[1], row[2]) for row in table.rows] == [
        (name, "yes" if action.drops else "no", action.cost) for name, action in DEFAULT_ACTIONS.items()
    ]


def test_the_log_destinations_of_aws_are_those_that_are_read() -> None:
    types, destinations = (_tables(AWS_POLICY, "Logging", first)[0] for first in ("`logType`", "`logDestinationType`"))
    assert [name.strip("`") for name in types.column("`logType`")] == list(LOG_TYPES)
    told = {row[0].strip("`"): set(re.findall(r"`(\w+)`", row[1])) for row in destinations.rows}
    assert told == {kind: required | optional for kind, (required, optional) in DESTINATIONS.items()}


def _option_tables(cloud: str, name: str) -> list[Table]:
    """The table of the options of a mechanism: its own, where the page has one, or that of its cloud."""
    own = f"Options of `hostgate:{cloud}` with `{name}`"
    if any(own in table.headings for table in tables(PLAN)):
        return _tables(PLAN, own, "key")
    return _tables(PLAN, f"Options of `hostgate:{cloud}`", "key")


def _defaults(table: Table) -> dict[str, object]:
    cells = zip(table.column("key"), table.column("default"), strict=True)
    return {key: _plain({"none": None, "required": "required"}.get(cell, yaml.safe_load(cell))) for key, cell in cells}


def _option_defaults(options: type[BaseModel]) -> dict[str, object]:
    return {
        field.alias or name: _plain(field.get_default(call_default_factory=True))
        for name, field in options.model_fields.items()
    }


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return {key: each for key, each in value.model_dump().items() if each}
    return value


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: page.name)
def test_every_relative_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for link in links(page):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name}: {link}"
        assert not anchor or anchor in anchors(target), f"{page.name}: {link}"


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: page.name)
def test_lines_outside_tables_are_short_and_paths_exist(page: Path) -> None:
    lines = prose(page)
    assert not [line for line in lines if len(line) > 122 and not line.startswith("|")]
    named = re.findall(r"`((?:components|docs|tests|catalog|examples)/[\w./-]*\w/?)`", "\n".join(lines))
    missing = [path for path in named if not re.search("CLOUD|NAME", path) and not (ROOT / path).exists()]
    assert not missing


def test_the_places_that_a_new_mechanism_joins_are_where_the_page_says() -> None:
    steps = re.findall(
        r"`(\w+)`(?: and\s+`(\w+)`)? of\s+`(components/[\w/]+\.py)`", MECHANISMS.read_text("utf-8"), re.MULTILINE
    )
    assert steps
    for *names, path in steps:
        code = (ROOT / path).read_text("utf-8")
        for name in filter(None, names):
            assert re.search(rf"^(def |class )?{name}\b", code, re.MULTILINE), (name, path)


def test_the_changelog_has_the_version_of_the_package() -> None:
    assert f"## [{hostgate.__version__}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")
