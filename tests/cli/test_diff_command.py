"""`hostgate diff` and `hostgate comment`: where the sides come from, what is said, and how it ends."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Project, Run
from conformance.catalogs import entry
from hostgate.allowlist import _inputs
from hostgate.flows.engine_documents import UNKNOWN_TEXT as UNKNOWN
from hostgate.planning.plan import Plan
from hostgate.planning.targets import COMPUTED
from review.changes import made

STACK = """
    config:
      hostgate:catalogs: [./ours.yaml]
      hostgate:guards: {{maxRemoved: {most}}}
      hostgate:aws: {{from: [10.0.0.0/8]}}
"""


def catalog(folder: Path, *hosts: str) -> None:
    lines = ["catalog: acme/ours", "entries:"]
    for host in hosts:
        lines.append(f"  - {{id: {host.split('.')[0]}, host: {host}, port: 443, protocol: https, purpose: Tests}}")
    (folder / "ours.yaml").write_text("\n".join(lines) + "\n")


@pytest.fixture
def repository(project: Project) -> Path:
    """A git repository whose first commit has a stack of three hosts, and whose work tree has one other."""
    folder = project(prod=STACK.format(most=9))
    catalog(folder, "a.example", "b.example", "c.example")
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "One"], ["tag", "one"]):
        ours = ["-c", "user.name=A", "-c", "user.email=a@acme.example", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *ours, *words], cwd=folder, check=True, capture_output=True)
    catalog(folder, "a.example", "d.example")
    return folder


class TestGit:
    @pytest.mark.usefixtures("repository")
    def test_a_ref_is_the_stack_with_its_catalogs_as_they_stood(self, run: Run) -> None:
        found = run("diff", "git:one", "prod", "--json")
        (target,) = found.json["targets"]
        assert found.code == 0
        assert [each["host"] for each in target["opened"]] == ["d.example"]
        assert [each["host"] for each in target["closed"]] == ["b.example", "c.example"]
        assert found.json["subject"] == "acme/prod"

    @pytest.mark.usefixtures("repository")
    @pytest.mark.parametrize("base", ["git:main", "git:one:prod", "git:HEAD"])
    def test_a_ref_takes_the_stack_of_the_other_side_or_names_its_own(self, run: Run, base: str) -> None:
        assert run("diff", base, "Pulumi.prod.yaml").code == 0

    def test_guards_of_the_base_hold_though_the_head_drops_them(self, run: Run, repository: Path) -> None:
        text = (repository / "Pulumi.prod.yaml").read_text()
        (repository / "Pulumi.prod.yaml").write_text(text.replace("maxRemoved: 9", "maxRemoved: 1"))
        assert run("diff", "git:one", "prod").code == 1
        back = run("diff", "prod", "git:one", "--json")
        assert back.json["guards"]["max_removed"] == 1

    def test_the_work_tree_stays_as_it_is(self, run: Run, repository: Path) -> None:
        before = {path: path.read_bytes() for path in repository.glob("*.yaml")}
        run("diff", "git:one", "prod")
        assert {path: path.read_bytes() for path in repository.glob("*.yaml")} == before

    @pytest.mark.usefixtures("repository")
    @pytest.mark.parametrize(
        ("base", "said"),
        [
            ("git:nowhere", "git knows no commit 'nowhere' here"),
            ("git:", "git knows no commit ''"),
            ("git:--output=x", "git knows no commit '--output=x'"),
            ("git:one:other", "there is no Pulumi.other.yaml at"),
            ("main", "A git ref is git:main"),
            ("missing.json", "There is no such file"),
            ("deployed:Pulumi.yaml", "this is not JSON"),
        ],
    )
    def test_a_side_that_cannot_be_read_is_named(self, run: Run, base: str, said: str) -> None:
        found = run("diff", base, "prod")
        assert found.code == 1
        assert f"BASE ({base})" in found.err
        assert said in found.err

    def test_a_catalog_that_was_not_there_yet_is_an_error_and_no_empty_list(self, run: Run, repository: Path) -> None:
        (repository / "Pulumi.prod.yaml").write_text(STACK.format(most=9).replace("ours.yaml", "new.yaml"))
        subprocess.run(
            ["git", "-c", "user.name=A", "-c", "user.email=a@a", "commit", "-qam", "x"], cwd=repository, check=True
        )
        catalog(repository, "a.example")
        (repository / "ours.yaml").rename(repository / "new.yaml")
        found = run("diff", "git:HEAD", "prod")
        assert found.code == 1
        assert "There is no such file" in found.err


class TestGuards:
    @pytest.mark.usefixtures("repository")
    @pytest.mark.parametrize(
        ("words", "code"),
        [
            ((), 0),
            (("--max-removed", 1), 1),
            (("--max-removed", 2), 0),
            (("--max-opened", 0), 1),
            (("--never-remove", "b.example"), 1),
            (("--never-remove", "a.example"), 0),
            (("--max-removed", 1, "--override", "the vendor closed them"), 0),
        ],
    )
    def test_the_exit_code_is_0_unless_a_guard_trips(self, run: Run, words: tuple[object, ...], code: int) -> None:
        found = run("diff", "git:one", "prod", *words)
        assert found.code == code
        assert ("guard " in found.out) == bool(code or "--override" in words)
        assert run("comment", "git:one", "prod", *words).code == code

    @pytest.mark.usefixtures("repository")
    @pytest.mark.parametrize(
        "words",
        [
            ("--max-removed", "-1"),
            ("--never-remove", "*.example"),
            ("--override", " "),
            ("--as-of", "soon"),
            ("--nonsense",),
        ],
    )
    def test_wrong_usage_is_2(self, run: Run, words: tuple[str, ...]) -> None:
        assert run("diff", "git:one", "prod", *words).code == 2


def test_an_expired_acceptance_in_head_is_told_first_and_stops(run: Run, repository: Path) -> None:
    catalog(repository, "a.example", "ghcr.io")
    stack = repository / "Pulumi.prod.yaml"
    accept = "[{finding: shared-hosting, entry: ghcr, because: reviewed, until: '2026-12-31'}]"
    stack.write_text(f"{stack.read_text().rstrip()}\n  hostgate:accept: {accept}\n")
    assert run("diff", "git:one", "prod", "--as-of", "2026-12-01").code == 0
    late = run("diff", "git:one", "prod", "--as-of", "2027-01-01", "--json")
    assert late.code == 1
    assert late.json["risks"][0]["id"] == "refused"
    assert [each["host"] for each in late.json["targets"][0]["opened"]] == ["ghcr.io"]


class TestFiles:
    def test_plans_and_locks_are_files_of_plans(self, run: Run, repository: Path) -> None:
        (repository / "plan.json").write_text(run("plan", "--stack", "prod", "--json").out)
        assert run("plan", "--stack", "prod", "--lock", "reviewed.json").code == 0
        for name in ("plan.json", "reviewed.json"):
            assert run("diff", name, "prod", "--json").json["unchanged"] is True

    def test_previews_of_the_engine_carry_what_components_open(self, run: Run, tmp_path: Path) -> None:
        first, second = (
            made("aws:rules", [entry("a.example")]),
            made("aws:rules", [entry("b.example", purpose="Mirror")]),
        )
        (tmp_path / "a.json").write_text(json.dumps(preview(first)))
        (tmp_path / "b.json").write_text(json.dumps(preview(second)))
        found = run("diff", tmp_path / "a.json", tmp_path / "b.json", "--json")
        (target,) = found.json["targets"]
        assert [(each["host"], each["purpose"]) for each in target["opened"]] == [("b.example", "Mirror")]
        assert [each["host"] for each in target["closed"]] == ["a.example"]
        assert target["objects"] == [
            {"kind": "RuleGroup", "name": "vendors-allow", "change": "replaced", "because": ["capacity"]}
        ]
        assert target["digest"] == {"base": first.digest, "head": second.digest}
        assert found.json["subject"] == "shop/dev"

    @pytest.mark.parametrize(
        ("document", "said"),
        [
            ({"steps": 1}, "`steps` is no list"),
            ({"steps": []}, "no resource is in it"),
            ({"steps": [], "changeSummary": {"same": 3}}, "3 resources that do not change are left out"),
            (
                {
                    "steps": [{"op": "create", "newState": {"urn": "urn:pulumi:dev::shop::a:b:C::d"}}],
                    "changeSummary": {},
                },
                "no component of hostgate",
            ),
            (
                {
                    "steps": [
                        {
                            "op": "create",
                            "newState": {"urn": "urn:pulumi:dev::shop::t::vendors", "type": "hostgate-aws:index:X"},
                        }
                    ],
                    "changeSummary": {},
                },
                "it has no inputs",
            ),
        ],
    )
    def test_what_is_no_preview_is_an_error(self, run: Run, tmp_path: Path, document: Any, said: str) -> None:
        (tmp_path / "a.json").write_text(json.dumps(document))
        found = run("diff", tmp_path / "a.json", tmp_path / "a.json")
        assert found.code == 1
        assert said in found.err


def preview(plan: Plan, suffix: str = "-allow") -> dict[str, Any]:
    """What the engine would write of a component with one child."""
    component = "urn:pulumi:dev::shop::hostgate-aws:index:NetworkFirewallAllowlist::vendors"
    group = next(each for each in plan.objects if each.name.endswith(suffix))
    child = {
        "urn": f"{component.rpartition('::')[0]}$aws:networkfirewall/ruleGroup:RuleGroup::vendors-allow",
        "type": "aws:networkfirewall/ruleGroup:RuleGroup",
        "parent": component,
        "inputs": {
            "__defaults": ["name"],
            "name": f"vendors-allow-{plan.digest[:7]}",
            "capacity": int(plan.digest[:4], 16),
            "ruleGroup": {"rulesSource": {"rulesString": group.text}},
        },
    }
    resource = {"urn": component, "type": "hostgate-aws:index:NetworkFirewallAllowlist", "inputs": _inputs(plan)}
    return {"steps": [{"op": "create", "newState": each} for each in (resource, child)], "changeSummary": {"create": 2}}


def test_a_component_of_an_earlier_release_is_compared_as_far_as_it_says(run: Run, tmp_path: Path) -> None:
    for name, options in (("old", {}), ("new", {"mode": "audit"})):
        document = preview(made("gcp:fqdn", [entry("a.example")], **options), "tcp-443")
        if name == "old":
            document["steps"][0]["newState"]["inputs"].pop("options")
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    found = run("diff", tmp_path / "old.json", tmp_path / "new.json", "--json")
    assert found.code == 1
    assert found.json["risks"][0]["subject"] == "mode audit"
    (note,) = found.json["notes"]
    assert "vendors does not say where it is enforced" in note


@pytest.mark.parametrize(
    ("target", "options", "kind", "key", "opens"),
    [
        (
            "gcp:fqdn",
            {"networks": ["network-0"], "project": "acme"},
            "gcp:compute/networkFirewallPolicyAssociation:NetworkFirewallPolicyAssociation",
            "attachmentTarget",
            "network projects/acme/global/networks/{}",
        ),
        (
            "aws:dns-firewall",
            {"vpcs": ["vpc-0"]},
            "aws:route53/resolverFirewallRuleGroupAssociation:ResolverFirewallRuleGroupAssociation",
            "vpcId",
            "VPC {}",
        ),
        (
            "gcp:fqdn",
            {"attach": f"{COMPUTED}/{COMPUTED}"},
            "gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule",
            "firewallPolicy",
            "policy {}",
        ),
    ],
)
def test_a_reference_that_a_program_computes_is_followed_to_where_it_leads(
    run: Run, tmp_path: Path, target: str, options: Any, kind: str, key: str, opens: str
) -> None:
    names = {"a": "vpc-0a", "b": "vpc-0b", "unknown": UNKNOWN}
    for name, value in names.items():
        document = preview(made(target, [entry("a.example")], **options), "")
        child = document["steps"][1]["newState"]
        child |= {"type": kind, "inputs": {key: value}}
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    moved = run("diff", tmp_path / "a.json", tmp_path / "b.json", "--json")
    assert (moved.code, [each["subject"] for each in moved.json["risks"][:1]]) == (1, [opens.format("vpc-0a")])
    for name in names:
        assert run("diff", tmp_path / f"{name}.json", tmp_path / f"{name}.json").code == 0


@pytest.mark.parametrize(("key", "value"), [("mode", "enforced"), ("deny", "nothing"), ("deny", 7)])
def test_a_mode_or_deny_that_is_none_is_an_error(run: Run, tmp_path: Path, key: str, value: Any) -> None:
    document = preview(made("aws:rules", [entry("a.example")]))
    document["steps"][0]["newState"]["inputs"][key] = value
    (tmp_path / "a.json").write_text(json.dumps(document))
    found = run("diff", tmp_path / "a.json", tmp_path / "a.json")
    assert found.code == 1
    assert f"found the {key} {str(value)!r}" in found.err


class TestPin:
    def test_a_stack_that_pins_its_plan_refuses_another(self, run: Run, repository: Path) -> None:
        locked = run("plan", "--stack", "prod", "--lock", "reviewed.json")
        pin = locked.err[locked.err.index("  hostgate:reviewed:") :]
        stack = repository / "Pulumi.prod.yaml"
        stack.write_text(stack.read_text().rstrip() + "\n" + pin)
        assert run("plan", "--stack", "prod").code == 0
        catalog(repository, "a.example", "d.example", "e.example")
        refused = run("plan", "--stack", "prod")
        assert refused.code == 1
        assert "opens e.example:443/https" in refused.err
        assert "note: aws:rules: HEAD pins another plan than it makes" in run("diff", "git:one", "prod").out
        assert "not-reviewed" in run("plan", "--stack", "prod", "--json").rules
        assert run("plan", "--stack", "prod", "--lock", "reviewed.json").code == 0

    @pytest.mark.parametrize(
        ("reviewed", "said"),
        [
            ("{digests: {aws: abc}}", "Allowed: text like"),
            ("{digests: {}}", "is empty"),
            ("{plan: x.json}", "`hostgate:reviewed.digests` is missing"),
        ],
    )
    def test_a_pin_that_does_not_hold_is_an_error(self, run: Run, repository: Path, reviewed: str, said: str) -> None:
        stack = repository / "Pulumi.prod.yaml"
        stack.write_text(f"{stack.read_text().rstrip()}\n  hostgate:reviewed: {reviewed}\n")
        found = run("plan", "--stack", "prod")
        assert found.code == 1
        assert said in found.err


LAYERS = """
    config:
      hostgate:catalogs: [./ours.yaml]
      hostgate:guards: {{maxOpened: 0, maxRemoved: 0}}
      hostgate:aws:
        - {{from: [10.0.0.0/8]}}
        - {{mechanism: dns-firewall, vpcs: [{vpcs}]}}
      hostgate:gcp: {gcp}
"""
NETWORK = "{networks: [projects/acme/global/networks/main]}"


class TestLayers:
    """A stack with two layers of one cloud, of one name."""

    @pytest.fixture
    def layered(self, project: Project) -> Path:
        folder = project(
            prod=LAYERS.format(vpcs="vpc-1", gcp=NETWORK), wide=LAYERS.format(vpcs="", gcp="{mode: audit}")
        )
        catalog(folder, "a.example", "b.example")
        return folder

    @pytest.mark.usefixtures("layered")
    def test_a_stack_compared_with_itself_is_unchanged_from_every_source(self, run: Run) -> None:
        assert run("plan", "--stack", "prod", "--lock", "reviewed.json").code == 0
        for sides in (("prod", "prod"), ("reviewed.json", "prod"), ("prod", "reviewed.json")):
            found = run("diff", *sides, "--json")
            assert (found.code, found.json["unchanged"]) == (0, True)
            assert [each["change"] for each in found.json["targets"]] == ["same"] * 3

    def test_a_pin_holds_each_layer_to_its_own_plan(self, run: Run, layered: Path) -> None:
        locked = run("plan", "--stack", "prod", "--lock", "reviewed.json")
        stack = layered / "Pulumi.prod.yaml"
        stack.write_text(stack.read_text().rstrip() + "\n" + locked.err[locked.err.index("  hostgate:reviewed:") :])
        assert run("plan", "--stack", "prod").code == 0
        stack.write_text(stack.read_text().replace("[vpc-1]", "[]"))
        refused = run("plan", "--stack", "prod")
        assert refused.code == 1
        assert "aws:dns-firewall opens everything: VPC vpc-1." in refused.err
        assert "aws:rules" not in refused.err

    @pytest.mark.usefixtures("layered")
    @pytest.mark.parametrize("base", ["prod", "reviewed.json"])
    def test_everything_that_opens_is_first_and_stops_the_change(self, run: Run, base: str) -> None:
        run("plan", "--stack", "prod", "--lock", "reviewed.json")
        found = run("diff", base, "wide", "--json")
        assert found.code == 1
        first, second, *_ = found.json["risks"]
        assert [(each["id"], each["subject"], each["target"]) for each in (first, second)] == [
            ("everything-open", "VPC vpc-1", "aws:dns-firewall"),
            ("everything-open", "mode audit", "gcp:fqdn"),
        ]
        rules, dns, gcp = found.json["targets"]
        assert [len(each["unlisted"]["opens"]) for each in (rules, dns, gcp)] == [0, 1, 1]
        assert [each["guard"] for each in found.json["guards"]["tripped"]] == ["never-open-all", "max-opened"] * 2
        text, markdown = run("diff", base, "wide").out, run("comment", base, "wide").out
        assert "aws:dns-firewall  everything opens, 0 close, 2 stay" in text
        assert ": everything opens on `aws:dns-firewall`, `gcp:fqdn`\n" in markdown
        row = "| everything opens | `VPC vpc-1` | `hostgate no longer denies there: what is in no catalog opens.` |"
        assert markdown.index(row) < markdown.index("mode audit` |")

    def test_a_stack_turns_the_guard_off_in_both_sides_or_not_at_all(self, run: Run, layered: Path) -> None:
        for name in ("prod", "wide"):
            stack = layered / f"Pulumi.{name}.yaml"
            assert run("diff", "prod", "wide").code == 1
            stack.write_text(stack.read_text().replace("maxOpened: 0, maxRemoved: 0", "neverOpenAll: false"))
        off = run("diff", "prod", "wide", "--json")
        assert (off.code, off.json["guards"]["never_open_all"]) == (0, False)
        assert off.json["risks"][0]["id"] == "everything-open"
        run("plan", "--stack", "prod", "--lock", "reviewed.json")
        assert run("diff", "reviewed.json", "wide").code == 1


class TestComment:
    @pytest.mark.usefixtures("repository")
    def test_it_is_markdown_with_a_marker_that_names_the_stack(self, run: Run) -> None:
        found = run("comment", "git:one", "prod")
        first, title, *_ = found.out.splitlines()
        assert first == "<!-- hostgate review of acme/prod -->"
        assert title == "### Egress of `acme/prod`: 1 host opens, 2 hosts close"
        assert run("comment", "git:one", "prod", "--marker").out == f"{first}\n"
        assert "hostgate review of mine" in run("comment", "git:one", "prod", "--name", "mine").out

    @pytest.mark.usefixtures("repository")
    def test_a_change_of_nothing_says_so(self, run: Run) -> None:
        assert "nothing changes" in run("comment", "prod", "prod").out
