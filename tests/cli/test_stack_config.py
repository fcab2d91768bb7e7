"""Stack config: every error names the key, what was found and what is allowed, from a file and from the engine alike."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from hostgate.catalog.problems import InputError, Problem
from hostgate.flows.flow import Flow
from hostgate.planning.mechanism import main_targets
from hostgate.stack import config_of_file, read_stack, values_of_engine, values_of_file

from .conftest import Project

REFERENCE = "chainguard/images@2024-03-28"
GOOD: dict[str, Any] = {"catalogs": [REFERENCE], "aws": {}}
TOP = "accept, allowEmpty, aws, azure, catalogs, choose, gcp, guards, pool, reviewed, select, survey"


def accepting(**word: object) -> dict[str, Any]:
    return {**GOOD, "accept": [{"finding": "x", **word}]}


def config_problems(values: dict[str, Any]) -> tuple[Problem, ...]:
    with pytest.raises(InputError) as caught:
        read_stack(values, Path.cwd())
    return caught.value.problems


def file_problems(folder: Path, stack: str = "dev") -> tuple[Problem, ...]:
    with pytest.raises(InputError) as caught:
        values_of_file(folder, stack)
    return caught.value.problems


def engine_problems(config: dict[str, str], *secret: str) -> tuple[Problem, ...]:
    with pytest.raises(InputError) as caught:
        values_of_engine(config, frozenset(secret))
    return caught.value.problems


def test_a_cloud_gets_its_main_mechanism_unless_another_is_named() -> None:
    stack = read_stack(
        {"catalogs": [REFERENCE], "aws": {"mechanism": "domain-list"}, "gcp": {}, "azure": {"attach": "rg-hub/fp-hub"}},
        Path.cwd(),
    )

    assert [target for target, _ in stack.targets] == ["aws:domain-list", *main_targets()[1:]]


def test_a_list_gives_a_cloud_a_target_for_each_layer_with_options_of_its_own() -> None:
    layers = [{"from": ["10.1.0.0/16"]}, {"mechanism": "dns-firewall", "base": 200}]
    stack = read_stack({"catalogs": [REFERENCE], "aws": layers, "gcp": [{}]}, Path.cwd())

    assert [target for target, _ in stack.targets] == ["aws:rules", "aws:dns-firewall", "gcp:fqdn"]
    assert [options.model_dump(exclude_unset=True) for _, options in stack.targets] == [
        {"from_": ["10.1.0.0/16"]}, {"base": 200}, {},
    ]  # fmt: skip


POLICY = "projects/acme/global/firewallPolicies/egress"
MAIN, LAB = "projects/acme/global/networks/main", "projects/acme/global/networks/lab"
BUILDS, OPS = "builds@acme.iam.gserviceaccount.com", "ops@acme.iam.gserviceaccount.com"
IN_POLICY = {"attach": POLICY}
INSPECTED = {"mechanism": "url-filter", "zones": ["europe-west1-b"], "networks": [MAIN]}


@pytest.mark.parametrize(
    ("one", "other", "where"),
    [
        (IN_POLICY, {**INSPECTED, **IN_POLICY}, f"{POLICY}, from base 2000 and from base 2000"),
        ({**INSPECTED, **IN_POLICY, "base": 1000}, IN_POLICY, f"{POLICY}, from base 1000 and from base 2000"),
        (IN_POLICY, {**INSPECTED, "attach": "egress", "project": "acme", "base": 20_000_000}, POLICY),
        (
            {**IN_POLICY, "from": [BUILDS]},
            {**INSPECTED, **IN_POLICY, "from": [BUILDS], "mode": "audit", "base": 0},
            POLICY,
        ),
        ({**IN_POLICY, "from": [BUILDS]}, {**INSPECTED, **IN_POLICY, "from": ["10.0.0.0/8"]}, POLICY),
        ({**IN_POLICY, "from": ["10.1.0.0/16"]}, {**INSPECTED, **IN_POLICY, "from": ["10.0.0.0/8"]}, POLICY),
        ({**IN_POLICY, "from": ["tagValues/1"]}, {**INSPECTED, **IN_POLICY, "from": ["tagValues/2"]}, POLICY),
        ({"networks": [MAIN]}, INSPECTED, f"the firewall policies of {MAIN}"),
        ({"networks": [MAIN], "region": "europe-west1"}, INSPECTED, f"the firewall policies of {MAIN}"),
        ({"parent": "folders/1", "nodes": ["folders/1"]}, INSPECTED, "the firewall policies of one network"),
        ({"attach": "12345"}, INSPECTED, "the firewall policies of one network"),
    ],
)
def test_layers_of_which_the_first_rule_that_matches_decides_are_refused(one: Any, other: Any, where: str) -> None:
    said = config_problems({"catalogs": [REFERENCE], "gcp": [one, other]})

    assert [f"the same clients: {where}" in problem.message for problem in said] == [True]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({**IN_POLICY, "from": [OPS]}, {**INSPECTED, **IN_POLICY, "from": [BUILDS]}),
        ({**IN_POLICY, "from": ["10.1.0.0/16"]}, {**INSPECTED, **IN_POLICY, "from": ["10.2.0.0/16"]}),
        ({"networks": [LAB]}, INSPECTED),
        ({"attach": f"{POLICY}-lab"}, {**INSPECTED, **IN_POLICY}),
        ({"networks": [MAIN]}, {"mechanism": "web-proxy", "project": "acme", "region": "europe-west4"}),
    ],
)
def test_layers_may_stand_together_where_no_flow_meets_both_lists_or_every_flow_both_in_turn(
    one: Any, other: Any
) -> None:
    assert len(read_stack({"catalogs": [REFERENCE], "gcp": [one, other]}, Path.cwd()).targets) == 2


def test_layers_read_from_a_file_and_from_the_engine_are_the_same(project: Project) -> None:
    folder = project(
        dev=f"""\
        config:
          hostgate:catalogs: [{REFERENCE}]
          hostgate:aws:
            - {{mechanism: rules, from: [10.0.0.0/8]}}
            - mechanism: dns-firewall
              vpcs: [vpc-0a1b2c3d]
        """
    )
    from_file = read_stack(values_of_file(folder, "dev"), folder)
    from_engine = read_stack(values_of_engine(config_of_file(folder, "dev")), folder)

    assert from_file.targets == from_engine.targets
    assert [target for target, _ in from_file.targets] == ["aws:rules", "aws:dns-firewall"]


def test_a_cloud_that_is_not_named_gets_nothing() -> None:
    assert [target for target, _ in read_stack(GOOD, Path.cwd()).targets] == ["aws:rules"]


def test_select_choose_and_accept_reach_the_selection() -> None:
    values = {
        **GOOD,
        "select": {"phases": ["pull"]},
        "choose": {"blob-storage": "r2-any-bucket"},
        "accept": [{"finding": "shared-hosting", "entry": "r2-any-bucket", "because": "known", "until": "2027-01-31"}],
    }

    selection = read_stack(values, Path.cwd()).selection

    assert all("pull" in entry.phases for entry in selection.entries)
    assert selection.choose == (("blob-storage", "r2-any-bucket"),)
    assert selection.accept[0].until == date(2027, 1, 31)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"aws": {}}, "`hostgate:catalogs` is missing."),
        ({**GOOD, "catalogs": REFERENCE}, f"`hostgate:catalogs`: found '{REFERENCE}'. Allowed: a list."),
        ({**GOOD, "catalogs": []}, "`hostgate:catalogs` is empty. Allowed: at least one"),
        ({**GOOD, "catalogs": [1]}, "`hostgate:catalogs[0]`: found 1. Allowed: text."),
        ({**GOOD, "select": {"phases": "pull"}}, "`hostgate:select.phases`: found 'pull'. Allowed: a list."),
        ({**GOOD, "select": ["pull"]}, "`hostgate:select`: found a list. Allowed: a mapping."),
        ({**GOOD, "choose": {"a": 1}}, "`hostgate:choose.a`: found 1. Allowed: text."),
        ({**GOOD, "accept": {"finding": "x"}}, "`hostgate:accept`: found a mapping. Allowed: a list."),
        (accepting(), "`hostgate:accept[0].because` is missing."),
        (accepting(because=" "), "`hostgate:accept[0].because`: found ' '. Allowed: a reason in words."),
        (accepting(because="y", until="31.1.2027"), "`hostgate:accept[0].until`: found '31.1.2027'. Allowed: a quoted date"),
        (accepting(because="y", until="20270131"), "`hostgate:accept[0].until`: found '20270131'"),
        ({**GOOD, "allowEmpty": "true"}, "`hostgate:allowEmpty`: found 'true'. Allowed: true or false."),
        ({**GOOD, "gpc": {}}, f"`hostgate:gpc` is no key here. Did you mean `gcp`? Allowed: {TOP}."),
        ({"catalogs": [REFERENCE]}, "no cloud is named. Set at least one of `hostgate:aws`, `hostgate:gcp`, `hostgate:azure`."),
        ({**GOOD, "aws": True}, "`hostgate:aws`: found true (a boolean). Allowed: a mapping, or a list with a mapping for"),
        ({**GOOD, "aws": []}, "`hostgate:aws`: found an empty list. Allowed: a mapping, or a list with a mapping for each layer."),
        ({**GOOD, "aws": ["rules"]}, "`hostgate:aws`: found a list. Allowed: a mapping, or a list with a mapping for each layer."),
        ({**GOOD, "aws": [{}, {"mechanism": "rules"}]}, "`hostgate:aws`: found the layers rules and rules, which see the same of"),
        ({**GOOD, "aws": [{}, {"mechanism": "domain-list"}]}, "found the layers rules and domain-list, which see the same of a"),
        ({**GOOD, "aws": [{}, {"mechanism": "dns-firewall", "bas": 1}]}, "`hostgate:aws[1].bas` is no key here. Did you mean"),
        ({**GOOD, "aws": [{}, {"mechanism": "dns"}]}, "`hostgate:aws[1].mechanism`: found 'dns'. Allowed: rules,"),
        ({**GOOD, "aws": {"mechanism": "rule"}}, "`hostgate:aws.mechanism`: found 'rule'. Did you mean `rules`? Allowed: rules, "),
        ({**GOOD, "aws": {"mechanism": 1}}, "`hostgate:aws.mechanism`: found 1. Allowed: rules, domain-list, dns-firewall, pre"),
        ({**GOOD, "aws": {"mode": "enforced"}}, "found 'enforced'. Did you mean `enforce`? Allowed: 'enforce' or 'audit'."),
        ({**GOOD, "aws": {"deny": "some"}}, "`hostgate:aws.deny`: found 'some'. Allowed: 'none', 'declared', 'internet' or 'all'."),
        ({**GOOD, "aws": {"name": "Egress"}}, "`hostgate:aws.name`: found 'Egress'. Allowed: text like"),
        ({**GOOD, "aws": {"from": ["10.0.0.1/8"]}}, "`hostgate:aws.from[0]`: Found '10.0.0.1/8'. Allowed: an address range"),
        ({**GOOD, "aws": {"tags": {"a": 1}}}, "`hostgate:aws.tags.a`: found 1. Allowed: text."),
        ({**GOOD, "survey": "s.json"}, "`hostgate:survey`: found 's.json'. Allowed: a mapping."),
        ({**GOOD, "survey": {}}, "`hostgate:survey.file` is missing."),
        ({**GOOD, "survey": {"file": "s", "worst": "bad"}}, "`hostgate:survey.worst`: found 'bad'. Allowed: 'ok', 'risky', "),
        ({**GOOD, "gcp": {"base": -1}}, "`hostgate:gcp.base`: found -1. Allowed: greater than or equal to 0."),
    ],
)  # fmt: skip
def test_a_config_error_names_the_key_what_was_found_and_what_is_allowed(values: dict[str, Any], said: str) -> None:
    (problem,) = config_problems(values)

    assert problem.rule == "config"
    assert said in problem.message


def test_an_unknown_key_below_select_is_answered_with_the_keys_of_select() -> None:
    (problem,) = config_problems({**GOOD, "select": {"phase": ["pull"]}})

    assert "directions, ids, parties, phases, purposes, without" in problem.message


def test_the_config_errors_of_all_keys_come_at_once() -> None:
    found = config_problems({"catalogs": REFERENCE, "select": {"phases": "pull"}, "nope": 1, "gcp": 2})

    assert [problem.message.split("`")[1] for problem in found] == [
        "hostgate:catalogs", "hostgate:select.phases", "hostgate:gcp", "hostgate:nope",
    ]  # fmt: skip


def test_the_option_errors_of_all_clouds_come_at_once() -> None:
    found = config_problems(
        {**GOOD, "aws": {"mode": "x", "bogus": 1}, "gcp": {"mechanism": "y"}, "azure": {"resourceGroup": 3}}
    )

    assert {problem.message.split("`")[1] for problem in found} >= {
        "hostgate:aws.mode", "hostgate:aws.bogus", "hostgate:gcp.mechanism", "hostgate:azure.resourceGroup",
    }  # fmt: skip


def test_what_the_catalogs_lack_is_told_once_the_config_holds() -> None:
    found = config_problems({**GOOD, "select": {"phases": ["run"]}, "choose": {"blob": "x"}})

    assert [problem.rule for problem in found] == ["select-unknown-phase", "choose-unknown-group"]


def test_every_secret_and_bare_date_of_a_stack_file_has_its_key_and_place(project: Project) -> None:
    folder = project(
        dev="""\
        config:
          hostgate:catalogs: 2024-03-28
          hostgate:accept: [{finding: a, because: b, until: 2027-01-31}]
          hostgate:gcp: {secure: v1:abc}
          hostgate:aws:
            tags:
              owner: {secure: v1:abc}
          hostgate:choose: {a: 2024-01-01 10:00:00}
        """
    )

    found = file_problems(folder)

    assert [(problem.line, problem.column, problem.message) for problem in found] == [
        (2, 22, '`hostgate:catalogs`: found a date without quotes. Allowed: a quoted date, "2024-03-28".'),
        (3, 53, '`hostgate:accept[0].until`: found a date without quotes. Allowed: a quoted date, "2027-01-31".'),
        (4, 17, "`hostgate:gcp`: found `secure:`. Allowed: plain values; reviewers must see what is opened."),
        (7, 14, "`hostgate:aws.tags.owner`: found `secure:`. Allowed: plain values; reviewers must see what is opened."),
        (8, 24, '`hostgate:choose.a`: found a date without quotes. Allowed: a quoted date, "2024-01-01".'),
    ]  # fmt: skip
    assert {problem.file for problem in found} == {"Pulumi.dev.yaml"}


def test_quoted_dates_and_secrets_of_others_are_fine_in_a_stack_file(project: Project) -> None:
    folder = project(
        dev="""\
        config:
          aws:region: eu-central-1
          acme:password: {secure: v1:abc}
          acme:day: 2024-03-28
          hostgate:catalogs: [chainguard/images@2024-03-28]
          hostgate:accept: [{finding: a, because: b, until: "2027-01-31"}]
        """
    )

    assert values_of_file(folder, "dev") == {
        "catalogs": [REFERENCE],
        "accept": [{"finding": "a", "because": "b", "until": "2027-01-31"}],
    }


def test_defaults_of_the_project_stand_below_the_stack(project: Project) -> None:
    folder = project(dev="config:\n  hostgate:aws: {mode: audit}\n")
    (folder / "Pulumi.yaml").write_text(
        "name: acme\nruntime: python\nconfig:\n"
        "  hostgate:catalogs: {default: [a/b@latest]}\n  hostgate:aws: {value: {mode: enforce}}\n"
    )

    assert values_of_file(folder, "dev") == {"catalogs": ["a/b@latest"], "aws": {"mode": "audit"}}


@pytest.mark.parametrize(("owner", "found"), [("hostgate", {"catalogs": ["a"]}), ("acme", {})])
def test_a_key_without_a_prefix_belongs_to_the_project(project: Project, owner: str, found: dict[str, Any]) -> None:
    folder = project(dev="config:\n")
    (folder / "Pulumi.yaml").write_text(f"name: {owner}\nruntime: python\nconfig:\n  catalogs: {{value: [a]}}\n")

    assert values_of_file(folder, "dev") == found


@pytest.mark.parametrize(
    ("text", "rule", "said"),
    [
        ("", "file-empty", "empty"),
        ("config: []\n", "config", "`config`: found a list. Allowed: a mapping."),
        ("config: yes please\n", "config", "`config`: found 'yes please'"),
        ("config: {a: &x 1}\n", "yaml-alias", "anchor"),
        ("config: {a: 1, a: 2}\n", "yaml-duplicate-key", "`a` stands twice"),
        ("config:\n  a: 1", "file-truncated", "middle of a line"),
        ("config: [\n", "yaml-syntax", "Not valid YAML"),
    ],
)
def test_a_stack_file_that_cannot_be_read_is_an_error_with_its_name(
    project: Project, text: str, rule: str, said: str
) -> None:
    (problem,) = file_problems(project(dev=text))

    assert (problem.rule, problem.file) == (rule, "Pulumi.dev.yaml")
    assert said in problem.message


def test_the_engine_gives_the_same_values_as_the_file(project: Project) -> None:
    folder = project(
        dev="""\
        config:
          hostgate:catalogs: [chainguard/images@2024-03-28]
          hostgate:allowEmpty: true
          hostgate:aws: {mechanism: rules, from: [10.0.0.0/8]}
        """
    )

    assert values_of_engine(config_of_file(folder, "dev")) == values_of_file(folder, "dev")


def test_every_secret_and_rewritten_date_of_the_engine_has_its_key() -> None:
    found = engine_problems(
        {
            "hostgate:catalogs": '["2024-03-28 00:00:00 +0000 UTC"]',
            "hostgate:accept": json.dumps([{"finding": "a", "because": "b", "until": "2027-01-31T00:00:00Z"}]),
            "hostgate:gcp": "hidden",
            "acme:day": "2024-03-28 00:00:00 +0000 UTC",
        },
        "hostgate:gcp",
        "acme:day",
    )

    assert [problem.message for problem in found] == [
        '`hostgate:catalogs[0]`: found a date without quotes. Allowed: a quoted date, "2024-03-28".',
        '`hostgate:accept[0].until`: found a date without quotes. Allowed: a quoted date, "2027-01-31".',
        "`hostgate:gcp`: found a secret. Allowed: plain values; reviewers must see what is opened.",
    ]


def test_a_secret_is_never_repeated_in_the_message() -> None:
    (problem,) = engine_problems({"hostgate:aws": '{"mode": "hidden"}'}, "hostgate:aws")

    assert "hidden" not in str(problem)


def test_text_that_only_looks_like_json_stays_text() -> None:
    assert values_of_engine({"hostgate:catalogs": "[chainguard/images", "hostgate:allowEmpty": "true"}) == {
        "catalogs": "[chainguard/images",
        "allowEmpty": True,
    }


BLANK_STACKS = {
    "every item commented out": ("hostgate:select: {phases: }", "hostgate:select.phases"),
    "a list of which nothing is left": ("hostgate:select:\n            phases:\n            #  - pull", "hostgate:select.phases"),
    "a blank section": ("hostgate:select:", "hostgate:select"),
    "a blank pin": ("hostgate:reviewed:", "hostgate:reviewed"),
    "a null": ("hostgate:reviewed: null", "hostgate:reviewed"),
    "a tilde": ("hostgate:guards: ~", "hostgate:guards"),
    "empty text, as the CLI writes a blank back": ('hostgate:reviewed: ""', "hostgate:reviewed"),
    "blank clients": ("hostgate:gcp: {from: }", "hostgate:gcp.from"),
    "a blank cloud": ("hostgate:gcp:", "hostgate:gcp"),
    "a blank option in a second layer": ("hostgate:gcp: [{base: }]", "hostgate:gcp[0].base"),
    "blank choices": ("hostgate:choose:", "hostgate:choose"),
    "a blank choice": ("hostgate:choose: {blob-storage: }", "hostgate:choose.blob-storage"),
    "a blank acceptance": ("hostgate:accept:\n            -", "hostgate:accept[0]"),
    "a blank end": ("hostgate:accept: [{finding: a, because: b, until: }]", "hostgate:accept[0].until"),
    "a blank item among others": ("hostgate:select: {phases: [pull, ~]}", "hostgate:select.phases[1]"),
    "an empty item": ("hostgate:select: {without: [\"\"]}", "hostgate:select.without[0]"),
    "a blank guard": ("hostgate:guards: {maxOpened: }", "hostgate:guards.maxOpened"),
    "a blank demand": ("hostgate:survey: {file: s.json, worst: }", "hostgate:survey.worst"),
    "a blank tag": ("hostgate:gcp: {tags: {owner: }}", "hostgate:gcp.tags.owner"),
    "the engine's old spelling": ("hostgate:config:select:", "hostgate:select"),
    "JSON text": ("hostgate:select: '{\"phases\": null}'", "hostgate:select.phases"),
}  # fmt: skip


@pytest.mark.parametrize(("line", "key"), BLANK_STACKS.values(), ids=BLANK_STACKS)
def test_a_key_without_a_value_is_an_error_with_its_place(line: str, key: str, project: Project) -> None:
    folder = project(
        dev=f"""\
        config:
          hostgate:catalogs: [{REFERENCE}]
          hostgate:aws: {{}}
          {line}
        """
    )

    (problem,) = file_problems(folder)

    assert f"`{key}`: found " in problem.message
    assert problem.message.endswith(". Allowed: a value; or leave it out.")
    assert problem.file == "Pulumi.dev.yaml"
    assert (problem.line or 0) >= 4


BLANK_CONFIG = {
    "a blank key": ("hostgate:reviewed", "", "hostgate:reviewed"),
    "a blank below": ("hostgate:select", '{"phases": null}', "hostgate:select.phases"),
    "a blank item": ("hostgate:select", '{"phases": ["pull", null]}', "hostgate:select.phases[1]"),
    "an empty text": ("hostgate:select", '{"phases": [""]}', "hostgate:select.phases[0]"),
    "blank clients of a layer": ("hostgate:gcp", '[{"from": null}]', "hostgate:gcp[0].from"),
    "a blank acceptance": ("hostgate:accept", "[null]", "hostgate:accept[0]"),
}


@pytest.mark.parametrize(("key", "text", "place"), BLANK_CONFIG.values(), ids=BLANK_CONFIG)
def test_the_program_refuses_what_is_blank_in_the_same_words(key: str, text: str, place: str) -> None:
    config = {"hostgate:catalogs": json.dumps([REFERENCE]), "hostgate:aws": "{}", key: text}

    (problem,) = engine_problems(config)

    assert f"`{place}`: found " in problem.message
    assert problem.message.endswith(". Allowed: a value; or leave it out.")


@pytest.mark.parametrize("nothing", [None, ""])
def test_values_from_anywhere_else_are_held_to_the_same(nothing: str | None) -> None:
    found = config_problems({**GOOD, "aws": {"from": nothing}, "select": {"phases": nothing}, "reviewed": nothing})

    assert sorted(problem.message.split("`")[1] for problem in found) == [
        "hostgate:aws.from", "hostgate:reviewed", "hostgate:select.phases",
    ]  # fmt: skip
    assert all(problem.message.endswith(". Allowed: a value; or leave it out.") for problem in found)


def test_a_default_of_the_project_may_not_be_blank_either(project: Project) -> None:
    folder = project(dev=f"config:\n  hostgate:catalogs: [{REFERENCE}]\n  hostgate:aws: {{}}\n")
    (folder / "Pulumi.yaml").write_text("name: x\nruntime: python\nconfig:\n  hostgate:select: {default: {phases: }}\n")

    (problem,) = file_problems(folder)

    assert (problem.file, problem.line) == ("Pulumi.yaml", 4)


def test_a_tag_may_be_empty_text_because_clouds_take_it() -> None:
    ((_, options),) = read_stack({**GOOD, "aws": {"tags": {"owner": ""}}}, Path.cwd()).targets

    assert options.tags == {"owner": ""}


JSON_TEXTS: dict[str, Any] = {
    "catalogs": [REFERENCE],
    "select": {"phases": ["pull"]},
    "choose": {"blob-storage": "r2-any-bucket"},
    "accept": [{"finding": "shared-hosting", "because": "known"}],
    "guards": {"maxOpened": 0},
    "reviewed": {"digests": {"aws:rules": "0" * 64}},
    "survey": {"file": "s.json"},
    "aws": {"from": ["10.0.0.0/8"]},
    "gcp": [{"base": 3000}],
    "azure": {"attach": "rg-hub/fp-hub"},
    "allowEmpty": True,
}


@pytest.mark.parametrize("key", JSON_TEXTS)
def test_every_key_may_hold_json_text_for_the_command_line_and_the_program_alike(key: str, project: Project) -> None:
    text = json.dumps(JSON_TEXTS[key])
    folder = project(dev=f"config:\n  hostgate:{key}: '{text}'\n")

    assert values_of_file(folder, "dev") == {key: JSON_TEXTS[key]}
    assert values_of_engine({f"hostgate:{key}": text}) == {key: JSON_TEXTS[key]}
    assert values_of_engine(config_of_file(folder, "dev")) == {key: JSON_TEXTS[key]}


NO_JSON = {
    "cut off": ('["chainguard/images@2024-03-28"', "Expecting ',' delimiter"),
    "a mapping cut off": ('{"phases": ["pull"', "Expecting ',' delimiter"),
    "no quotes": ("[chainguard/images]", "Expecting value"),
    "a key twice": ('[{"a": 1, "a": 2}]', "the key 'a' stands twice"),
    "no number": ("[NaN]", "NaN is no number"),
    "too deep": ("[" * 100_000, "it is nested too deep"),
    "something after it": ('["a"] ["b"]', "Extra data"),
}


@pytest.mark.parametrize(("text", "why"), NO_JSON.values(), ids=NO_JSON)
@pytest.mark.parametrize("key", ["catalogs", "select", "aws"])
def test_text_that_begins_as_json_and_is_none_is_told_why(key: str, text: str, why: str) -> None:
    (problem,) = config_problems({**GOOD, **values_of_engine({f"hostgate:{key}": text})})

    assert f"`hostgate:{key}`: found " in problem.message
    assert f", which is no valid JSON ({why}" in problem.message
    assert ". Allowed: a " in problem.message


def test_one_key_in_two_spellings_is_an_error(project: Project) -> None:
    folder = project(
        dev=f"""\
        config:
          hostgate:catalogs: [{REFERENCE}]
          hostgate:select: {{phases: [pull]}}
          hostgate:config:select: {{}}
        """
    )

    (problem,) = file_problems(folder)

    assert problem.message == "`hostgate:config:select` says the same key as `hostgate:select`. Keep one."


def test_a_key_of_three_parts_is_never_passed_over(project: Project) -> None:
    folder = project(
        dev=f"""\
        config:
          hostgate:catalogs: [{REFERENCE}]
          hostgate:select:phases: [pull]
        """
    )

    (problem,) = file_problems(folder)

    assert (problem.line, problem.message.split(".")[0]) == (3, "`hostgate:select:phases` is no key here")


def test_a_key_whose_capitals_differ_is_never_passed_over(project: Project) -> None:
    folder = project(
        dev=f"""\
        config:
          hostgate:catalogs: [{REFERENCE}]
          Hostgate:gcp: {{}}
        """
    )
    said = "`Hostgate:gcp` is no key of hostgate: capitals count. Allowed: `hostgate:gcp`."

    (problem,) = file_problems(folder)
    assert (problem.line, problem.message) == (3, said)

    with pytest.raises(InputError, match="capitals count"):
        values_of_engine({"Hostgate:gcp": "{}"})


BUILDERS: dict[str, Any] = {"name": "builders", "from": ["10.1.0.0/16"]}
NODES: dict[str, Any] = {"name": "nodes", "from": ["10.0.0.0/8"], "select": {"phases": ["pull"]}}
GCP = {"networks": ["projects/acme/global/networks/main"]}


class TestSeveralListsOfHostsAndClients:
    def read(self, **clouds: Any) -> Any:
        return read_stack({"catalogs": [REFERENCE], **clouds}, Path.cwd())

    @pytest.mark.parametrize(
        ("cloud", "once"), [("aws", {"mode": "audit"}), ("gcp", GCP), ("azure", {"attach": "rg-hub/fp-hub"})]
    )
    def test_items_of_one_mechanism_that_have_names_are_lists_of_one_policy(
        self, cloud: str, once: dict[str, Any]
    ) -> None:
        stack = self.read(**{cloud: [{**BUILDERS, **once}, NODES]})
        ((target, options),), (hosts,) = stack.targets, stack.selections

        assert target in main_targets()
        assert [(each.name, each.from_) for each in options.grants] == [
            ("builders", ["10.1.0.0/16"]), ("nodes", ["10.0.0.0/8"]),
        ]  # fmt: skip
        assert [len(selection.entries) for _, selection in hosts.grants] == [13, 5]
        assert options.model_dump(exclude_unset=True).items() >= once.items()
        assert [grant for grant, _ in stack.plans(date(2026, 1, 1))[0].selection.grants] == ["builders", "nodes"]

    def test_a_mapping_takes_its_lists_under_grants_and_says_the_rest_for_all(self) -> None:
        stack = self.read(gcp={**GCP, "name": "egress", "grants": [BUILDERS, {**NODES, "base": 2100}]})
        ((_, options),) = stack.targets

        assert (options.name, [each.base for each in options.shares]) == ("egress", [2000, 2100])
        assert [len(selection.entries) for _, selection in stack.selections[0].grants] == [13, 5]

    def test_a_list_may_have_catalogs_choices_and_words_of_its_own_and_the_top_is_the_default(
        self, project: Project
    ) -> None:
        folder = project()
        (folder / "ours.yaml").write_text(
            "catalog: acme/ours\nentries:\n  - {id: git, host: git.acme.example, port: 443, protocol: https}\n"
        )
        stack = read_stack(
            {
                "catalogs": [REFERENCE],
                "choose": {"blob-storage": "r2-any-bucket"},
                "aws": [{**BUILDERS, "catalogs": ["./ours.yaml"], "choose": {}}, {**NODES, "accept": []}],
            },
            folder,
        )
        builders, nodes = (selection for _, selection in stack.selections[0].grants)
        assert (builders.refs, nodes.refs) == (("acme/ours",), (REFERENCE,))
        assert (builders.choose, nodes.choose) == ((), (("blob-storage", "r2-any-bucket"),))
        assert {entry.id for entry in stack.selection.entries} > {"git", "registry"}

    def test_catalogs_may_be_named_by_the_lists_alone(self) -> None:
        own = [{**BUILDERS, "catalogs": [REFERENCE]}, {**NODES, "catalogs": [REFERENCE]}]
        assert read_stack({"aws": own}, Path.cwd()).selections[0].refs == (REFERENCE,)
        (problem,) = config_problems({"aws": [own[0], NODES]})
        assert problem.message == "`hostgate:catalogs` is missing."

    def test_one_cloud_or_layer_may_say_its_own_hosts(self) -> None:
        stack = self.read(
            aws=[{"select": {"phases": ["pull"]}}, {"mechanism": "dns-firewall"}], gcp={"select": {"ids": ["registry"]}}
        )
        assert [len(selection.entries) for selection in stack.selections] == [5, 13, 1]

    @pytest.mark.parametrize(
        ("lists", "said"),
        [
            ([{}, BUILDERS], ["`hostgate:aws[0].name` is missing: several lists of one mechanism have a name each."]),
            ([BUILDERS, BUILDERS], ["`hostgate:aws`: found the grant 'builders' twice. Allowed: each name once."]),
            (
                [{**BUILDERS, "mode": "audit"}, {**NODES, "mode": "enforce"}],
                ["`hostgate:aws`: found mode 'audit' (`hostgate:aws[0].mode`), 'enforce' (`hostgate:aws[1].mode`). The lists "
                 "share one policy. Allowed: one value, given once or alike."],
            ),
            ([BUILDERS, {**NODES, "form": []}], ["`hostgate:aws[1].form` is no key here. Did you mean `from`?"]),
            ([BUILDERS, {**NODES, "selct": {}}], ["`hostgate:aws[1].selct` is no key here. Did you mean `select`?"]),
            ([BUILDERS, {**NODES, "from": ["10.0.0.1/8"]}], ["`hostgate:aws[1].from[0]`: Found '10.0.0.1/8'"]),
            ([BUILDERS, {**NODES, "from": ["100.64.0.0/10"]}], ["`hostgate:aws[1]`: found from 100.64.0.0/10, outside homeNet"]),
            ([{**BUILDERS, "base": "x"}, NODES], ["`hostgate:aws[0].base`: found 'x'. Allowed: a whole number."]),
            ([BUILDERS, {**NODES, "select": {"phase": []}}], ["`hostgate:aws[1].select.phase` is no key here. Did you mean"]),
            ([BUILDERS, {**NODES, "select": {"phases": ["pul"]}}], ["`hostgate:aws[1]`: Found the phase 'pul'"]),
            ([BUILDERS, {**NODES, "grants": []}], ["`hostgate:aws[1].grants`: found lists in an item of a list."]),
            (
                [{**BUILDERS, "mechanism": "domain-list"}, {**NODES, "mechanism": "domain-list"}],
                ["`hostgate:aws`: found several lists for aws:domain-list, which tells no clients apart. Allowed: one list"],
            ),
            (
                [BUILDERS, {**NODES, "mechanism": "domain-list"}],
                ["found the layers rules and domain-list, which see the same of a flow"],
            ),
            (
                {"grants": [BUILDERS, {**NODES, "nam": "x"}, {"from": []}]},
                ["`hostgate:aws.grants[1].nam` is no key here. Did you mean `name`?", "`hostgate:aws.grants[2].name` is missing."],
            ),
            ({"grants": []}, ["`hostgate:aws.grants` is empty"]),
        ],
    )  # fmt: skip
    def test_what_does_not_hold_is_said_at_the_key_of_the_list(self, lists: Any, said: list[str]) -> None:
        problems = config_problems({"catalogs": [REFERENCE], "aws": lists})
        assert len(problems) == len(said), problems
        for problem, words in zip(problems, said, strict=True):
            assert words in problem.message

    def test_what_all_lists_need_may_be_said_by_any_of_them(self) -> None:
        stack = self.read(
            aws=[BUILDERS, {**NODES, "from": ["100.64.0.0/10"], "homeNet": ["10.0.0.0/8", "100.64.0.0/10"]}]
        )
        assert stack.targets[0][1].clients == ("10.1.0.0/16", "100.64.0.0/10")

    def test_lists_stand_beside_a_layer_that_sees_something_else(self) -> None:
        stack = self.read(aws=[BUILDERS, {"mechanism": "dns-firewall"}, NODES])
        assert [target for target, _ in stack.targets] == ["aws:rules", "aws:dns-firewall"]

    def test_items_without_names_are_told_how_several_lists_are_written(self) -> None:
        (problem,) = config_problems({**GOOD, "aws": [{"from": ["10.1.0.0/16"]}, {"from": ["10.0.0.0/8"]}]})
        assert problem.message.endswith(
            "Allowed: one of them, or a `name` for each of several lists of hosts and clients."
        )


WRONG = """\
config:
  aws:region: eu-central-1
  hostgate:catalogs:
    - chainguard/images@2024-03-28
    - ./ours.yaml
  hostgate:select:
    phases: [pull, biuld]
    without:
      - supprt
  hostgate:choose: {blob-storag: r2-account-host}
  hostgate:aws:
    - mechanism: rules
      from: [10.0.0.0/8, 10.0.0.1/8]
      reject: "yes"
    - mechanism: dns-firewal
  hostgate:gcp: {networks: [main], bas: 2000}
  hostgate:azure: '{"attach": "rg/fp", "tier": "Premum"}'
"""
PLACES = {
    (7, 20): "Did you mean `build`?",
    (9, 9): "Did you mean `support`?",
    (10, 21): "Did you mean `blob-storage`?",
    (13, 26): "`hostgate:aws[0].from[1]`",
    (14, 7): "`hostgate:aws[0].reject`",
    (15, 7): "`hostgate:aws[1].mechanism`: found 'dns-firewal'. Did you mean `dns-firewall`?",
    (16, 36): "`hostgate:gcp.bas` is no key here. Did you mean `base`?",
    (17, 3): "`hostgate:azure.tier`: found 'Premum'. Did you mean `Premium`?",
}


def test_every_error_of_a_stack_file_is_told_at_once_at_the_key_that_is_wrong(project: Project) -> None:
    ours = "catalog: acme/ours\nentries:\n  - {id: a, host: a.example, port: 443, protocol: https, purpose: Tests}\n"
    folder = project(dev=WRONG)
    (folder / "ours.yaml").write_text(ours)
    with pytest.raises(InputError) as caught:
        read_stack(values_of_file(folder, "dev"), folder)
    found = {(problem.line, problem.column): problem for problem in caught.value.problems}
    assert {problem.file for problem in found.values()} == {"Pulumi.dev.yaml"}
    assert found.keys() == PLACES.keys()
    for place, said in PLACES.items():
        assert said in found[place].message


@pytest.mark.parametrize(
    ("ref", "said"),
    [
        ("chainguard/image@2024-03-28", "Did you mean `chainguard/images`?"),
        ("chainguard/images@2024-03-82", "Found the revision '2024-03-82' of chainguard/images. Allowed: 2023-05-15,"),
        ("chainguard/images", "without a revision"),
    ],
)
def test_a_reference_to_no_catalog_is_told_at_its_item(project: Project, ref: str, said: str) -> None:
    folder = project(
        dev=f"config:\n  hostgate:catalogs:\n    - chainguard/images@latest\n    - {ref}\n  hostgate:aws: {{}}\n"
    )
    with pytest.raises(InputError) as caught:
        read_stack(values_of_file(folder, "dev"), folder)
    (problem,) = caught.value.problems
    assert (problem.file, problem.line, problem.column) == ("Pulumi.dev.yaml", 4, 7)
    assert said in problem.message


def test_a_default_of_the_project_is_told_where_the_project_has_it(project: Project) -> None:
    folder = project(dev="config:\n  hostgate:aws: {}\n")
    text = "name: p\nruntime: python\nconfig:\n  hostgate:catalogs:\n    default: [chainguard/image@latest]\n"
    (folder / "Pulumi.yaml").write_text(text)
    with pytest.raises(InputError) as caught:
        read_stack(values_of_file(folder, "dev"), folder)
    (problem,) = caught.value.problems
    assert (problem.file, problem.line, problem.column) == ("Pulumi.yaml", 5, 15)


def test_clients_outside_home_net_are_one_error_at_the_key_of_the_layer_whatever_the_catalog_has(
    project: Project,
) -> None:
    entries = "".join(
        f"  - {{id: h{number}, host: h{number}.example, port: 443, protocol: https, purpose: Tests}}\n"
        for number in range(17)
    )
    keys = "mechanism: domain-list, from: [172.16.0.0/12, 192.168.0.0/16], homeNet: [10.0.0.0/8]"
    folder = project(dev=f"config:\n  hostgate:catalogs: [./ours.yaml]\n  hostgate:aws: {{{keys}}}\n")
    (folder / "ours.yaml").write_text(f"catalog: acme/ours\nentries:\n{entries}")
    with pytest.raises(InputError) as caught:
        read_stack(values_of_file(folder, "dev"), folder)
    (problem,) = caught.value.problems
    assert (problem.file, problem.line, problem.column) == ("Pulumi.dev.yaml", 3, 3)
    assert "outside homeNet" in problem.message


ARN = "arn:aws:network-firewall:{}:aws-managed:stateful-rulegroup/MalwareDomainsStrictOrder"


@pytest.mark.parametrize(
    ("region", "regions", "named", "wrong"),
    [
        ("eu-central-1", "", "us-east-1", "eu-central-1"),
        ("eu-central-1", "regions: [us-east-1, eu-west-1], ", "us-east-1", "eu-west-1"),
        ("eu-central-1", "", "REGION", None),
        ("eu-central-1", "", "eu-central-1", None),
        ("eu-central-1", "regions: [us-east-1], ", "us-east-1", None),
        (None, "", "us-east-1", None),
    ],
)
def test_what_is_of_another_region_than_the_policy_is_refused_where_both_are_known(
    project: Project, region: str | None, regions: str, named: str, wrong: str | None
) -> None:
    options = f"{{{regions}from: [10.0.0.0/8], managedGroups: [{{arn: '{ARN.format(named)}'}}]}}"
    place = f"  aws:region: {region}\n" if region else ""
    folder = project(dev=f"config:\n{place}  hostgate:catalogs: ['{REFERENCE}']\n  hostgate:aws: {options}\n")
    for values in (values_of_file(folder, "dev"), values_of_engine(config_of_file(folder, "dev"))):
        if wrong is None:
            assert read_stack(values, folder).targets
            continue
        with pytest.raises(InputError) as caught:
            read_stack(values, folder)
        (problem,) = caught.value.problems
        assert "`hostgate:aws.managedGroups[0].arn`: found arn:" in problem.message
        assert f"for a policy of {wrong}. Allowed: one of the same Region" in problem.message


@pytest.mark.parametrize(
    ("options", "path"),
    [
        (
            "statelessGroups: [{arn: 'arn:aws:network-firewall:%s:123456789012:stateless-rulegroup/x'}]",
            "statelessGroups[0].arn",
        ),
        ("encryptionConfiguration: {keyId: 'arn:aws:kms:%s:123456789012:key/abc'}", "encryptionConfiguration.keyId"),
        ("tlsInspection: 'arn:aws:network-firewall:%s:123456789012:tls-configuration/x'", "tlsInspection"),
        ("attach: 'arn:aws:network-firewall:%s:123456789012:firewall-policy/x'", "attach"),
        ("ipSets: {db: 'arn:aws:ec2:%s:123456789012:prefix-list/pl-1'}", "ipSets.db"),
        (
            "import: {hostgate-allow: 'arn:aws:network-firewall:%s:123456789012:stateful-rulegroup/x'}",
            "import.hostgate-allow",
        ),
    ],
)
@pytest.mark.parametrize(
    ("provider", "regions", "of", "wrong"),
    [
        ("eu-central-1", "", "eu-central-1", None),
        ("eu-central-1", "", "eu-west-1", "eu-central-1"),
        ("eu-west-1", "regions: [eu-central-1], ", "eu-west-1", "eu-central-1"),
        ("eu-west-1", "regions: [eu-central-1], ", "eu-central-1", None),
        (None, "", "eu-west-1", None),
    ],
)
def test_whatever_a_plan_refers_to_is_of_its_own_region(
    project: Project, options: str, path: str, provider: str | None, regions: str, of: str, wrong: str | None
) -> None:
    place = f"  aws:region: {provider}\n" if provider else ""
    said = f"{{{regions}from: [10.0.0.0/8], {options % of}}}"
    folder = project(dev=f"config:\n{place}  hostgate:catalogs: ['{REFERENCE}']\n  hostgate:aws: {said}\n")
    values = values_of_file(folder, "dev")
    if wrong is None:
        assert read_stack(values, folder).targets
        return
    with pytest.raises(InputError) as caught:
        read_stack(values, folder)
    told = [problem.message for problem in caught.value.problems]
    assert any(
        f"hostgate:aws.{path}`: found arn:" in each and f"for a policy of {wrong}." in each for each in told
    ) or (path == "attach" and regions), told


AWS_TAGS = ("{aws:team: x}", "{AWS:team: x}", f"{{{'k' * 129}: x}}", f"{{team: {'v' * 257}}}")
AZURE_TAGS = ("{'a<b': x}", "{'a/b': x}", "{'a?b': x}", f"{{team: {'v' * 257}}}", "{Team: x, team: y}")
WHERE = {"aws": "from: [10.0.0.0/8]", "azure": "from: [10.0.0.0/8], resourceGroup: rg, location: westeurope"}


@pytest.mark.parametrize(
    ("cloud", "more", "key", "tags", "wrong"),
    [
        *(("aws", "", key, tags, True) for key in ("tags", "groupTags", "policyTags") for tags in AWS_TAGS),
        *(("aws", "mechanism: dns-firewall, ", "tags", tags, True) for tags in AWS_TAGS),
        *(("azure", "", "tags", tags, True) for tags in AZURE_TAGS),
        ("aws", "", "tags", "{'a<b': x, 'team aws:': 'aws'}", False),
        ("azure", "", "tags", "{'aws:team': x, 'cost center': '<1>'}", False),
    ],
)
def test_tags_are_those_that_the_cloud_takes(
    project: Project, cloud: str, more: str, key: str, tags: str, wrong: bool
) -> None:
    place = "" if more else f"{WHERE[cloud]}, "
    said = f"{{{more}{place}{key}: {tags}}}"
    folder = project(dev=f"config:\n  hostgate:catalogs: ['{REFERENCE}']\n  hostgate:{cloud}: {said}\n")
    values = values_of_file(folder, "dev")
    if not wrong:
        assert read_stack(values, folder).targets
        return
    with pytest.raises(InputError) as caught:
        read_stack(values, folder)
    (problem,) = caught.value.problems
    assert f"`hostgate:{cloud}.{key}`: Found " in problem.message
    assert "Allowed: " in problem.message


def test_an_object_to_adopt_may_be_of_any_of_several_regions(project: Project) -> None:
    arn = "arn:aws:network-firewall:eu-west-1:123456789012:stateful-rulegroup/x"
    said = f"{{regions: [eu-central-1, eu-west-1], from: [10.0.0.0/8], import: {{hostgate-eu-west-1-allow: '{arn}'}}}}"
    folder = project(dev=f"config:\n  hostgate:catalogs: ['{REFERENCE}']\n  hostgate:aws: {said}\n")
    assert read_stack(values_of_file(folder, "dev"), folder).plans()


def test_a_word_that_is_no_value_of_its_key_is_answered_with_the_nearest() -> None:
    (problem,) = config_problems({**GOOD, "choose": {"blob-storage": "r2-acount-host"}})
    assert "Did you mean `r2-account-host`?" in problem.message
    assert problem.path == ("choose", "blob-storage")


POOLED = {"catalogs": ["./pooled.yaml"], "aws": {"mechanism": "prefix-list", "securityGroups": ["sg-0a1"]}}
POOL = """hostgate-pool 1
host a.example window 86400
  203.0.113.7 first 2026-11-20T10:00:00Z seen here 2026-11-28T10:00:00Z
end
"""


def test_the_pool_of_a_stack_feeds_the_layers_that_take_one(tmp_path: Path) -> None:
    (tmp_path / "pool.txt").write_text(POOL)
    (tmp_path / "pooled.yaml").write_text(
        "catalog: acme/pooled\nentries:\n  - {id: a, host: a.example, port: 443, protocol: https}\n"
    )
    stack = read_stack({**POOLED, "pool": {"file": "pool.txt"}}, tmp_path)
    (made,) = stack.plans(date(2026, 11, 29))
    assert [each.body["Entries"][0]["Cidr"] for each in made.objects if "Entries" in each.body] == ["203.0.113.7/32"]
    (late,) = stack.plans(date(2026, 12, 29))
    assert "pool-stale" in {one.id for one in late.findings}
    assert read_stack(POOLED, tmp_path).plans()[0].refused


def test_layers_that_judge_names_are_fed_for_their_other_hosts_and_left_alone_without_any(tmp_path: Path) -> None:
    (tmp_path / "pool.txt").write_text(POOL)
    (tmp_path / "pooled.yaml").write_text(
        "catalog: acme/pooled\nentries:\n  - {id: a, host: a.example, port: 443, protocol: https}\n"
    )
    (tmp_path / "plain.yaml").write_text(
        "catalog: acme/plain\nentries:\n  - {id: git, host: a.example, port: 22, protocol: tcp}\n"
    )
    values: dict[str, Any] = {**POOLED, "pool": {"file": "pool.txt"}, "aws": [POOLED["aws"], {"mechanism": "rules"}]}
    _, named = read_stack(values, tmp_path).plans()
    _, alone = read_stack({key: value for key, value in values.items() if key != "pool"}, tmp_path).plans()
    assert (named.options, named.objects) == (alone.options, alone.objects)
    assert not {"addresses-unused", "opens-addresses"} & {one.id for one in named.findings}
    listed, blind = read_stack({**values, "catalogs": ["./pooled.yaml", "./plain.yaml"]}, tmp_path).plans()
    assert (listed.refused, blind.refused) == (False, False)
    assert blind.verdict(Flow("x.example", 22, "tcp", address="203.0.113.7")).action == "allow"
    assert blind.verdict(Flow("x.example", 443, address="203.0.113.7")).action == "block"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({**POOLED, "pool": {"file": "gone.txt"}}, "There is no pool"),
        ({**POOLED, "pool": "pool.txt"}, "`hostgate:pool`"),
        (
            {**POOLED, "pool": {"file": "pool.txt"}, "aws": {}},
            "no layer that takes one for its hosts. Allowed with: aws:rules, aws:prefix-list",
        ),
    ],
)
def test_a_pool_that_is_not_there_or_that_nothing_takes_is_an_error(
    tmp_path: Path, values: dict[str, Any], said: str
) -> None:
    (tmp_path / "pool.txt").write_text(POOL)
    (tmp_path / "pooled.yaml").write_text(
        "catalog: acme/pooled\nentries:\n  - {id: a, host: a.example, port: 443, protocol: https}\n"
    )
    with pytest.raises(InputError) as found:
        read_stack(values, tmp_path)
    assert said in str(found.value)
