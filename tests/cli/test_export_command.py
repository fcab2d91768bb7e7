"""`hostgate export suricata`: to the screen or to files, from catalogs or from a stack; what it cannot do it says."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from hostgate.catalog import file_output
from hostgate.cli import export_command
from hostgate.planning.targets import rows

from .conftest import Project, Run, tree

REFERENCE = "chainguard/images@2024-03-28"
NAMES = {"hostgate.rules", "hostgate-addresses.yaml"}
PLAIN = "catalog: acme/plain\nentries:\n  - {id: git, host: git.acme.example, port: 22, protocol: tcp}\n"
PREFIX_LIST = "arn:aws:ec2:eu-central-1:123456789012:prefix-list/pl-1"


def rules(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def actions(text: str) -> set[str]:
    return {rule.split()[0] for rule in rules(text)}


def test_the_rules_are_printed_and_nothing_else_on_stdout(run: Run) -> None:
    made = run("export", "suricata", "--catalog", REFERENCE)
    assert made.code == 0
    assert made.out.startswith(f"# hostgate: 12 hosts of {REFERENCE}\n")
    assert actions(made.out) == {"pass", "drop"}
    assert "warning from-everything: All of HOME_NET" in made.err
    assert re.search(r"# Default drop: .*\ndrop tls any any -> any any ", made.out)


def test_the_same_input_gives_the_same_bytes(run: Run) -> None:
    one, other = (run("export", "suricata", "--catalog", REFERENCE).out for _ in range(2))
    assert one == other


@pytest.mark.parametrize(
    ("flag", "found"),
    [("--audit", {"pass", "alert"}), ("--reject", {"pass", "drop", "reject"})],
    ids=["audit", "reject"],
)
def test_what_is_not_allowed_is_dropped_or_rejected_or_logged(run: Run, flag: str, found: set[str]) -> None:
    assert actions(run("export", "suricata", "--catalog", REFERENCE, flag).out) == found


def test_options_reach_the_rules_and_the_address_groups(run: Run, tmp_path: Path) -> None:
    options = ("--home-net", "10.0.0.0/8", "--home-net", "fd00::/8", "--from", "10.1.0.0/16", "--log-allowed")
    made = run("export", "suricata", "--catalog", REFERENCE, *options, "--out", tmp_path / "out")
    assert made.out == ""
    files = tree(tmp_path / "out")
    assert set(files) == NAMES
    assert b'HOME_NET: "[10.0.0.0/8,fd00::/8]"\nEXTERNAL_NET: "!$HOME_NET"\n' in files["hostgate-addresses.yaml"]
    passed = [rule for rule in rules(files["hostgate.rules"].decode()) if rule.startswith("pass tls")]
    assert all(rule.startswith("pass tls 10.1.0.0/16 any -> ") and " alert; " in rule for rule in passed)


def test_a_stack_brings_its_own_options(run: Run, project: Project) -> None:
    folder = project(
        dev="""
        config:
          hostgate:catalogs: [./plain.yaml]
          hostgate:aws:
            attach: arn:aws:network-firewall:eu-central-1:123456789012:firewall-policy/egress
            homeNet: [10.0.0.0/8]
            addresses: {git: [203.0.113.22]}
        """
    )
    (folder / "plain.yaml").write_text(PLAIN)
    made = run("export", "suricata")
    assert made.code == 0
    assert "pass tcp $HOME_NET any -> 203.0.113.22/32 22 " in made.out
    assert "drop" in actions(made.out)


def test_a_stack_of_another_cloud_has_the_defaults(run: Run, project: Project) -> None:
    project(dev=f"config:\n  hostgate:catalogs: [{REFERENCE}]\n  hostgate:gcp: {{}}\n")
    assert run("export", "suricata").out == run("export", "suricata", "--catalog", REFERENCE).out


def test_a_limit_of_aws_is_none_of_suricatas(run: Run, tmp_path: Path) -> None:
    entries = [f"  - {{id: h{n}, host: h{n}.acme.example, port: 443, protocol: https}}" for n in range(30_001)]
    (tmp_path / "many.yaml").write_text("\n".join(["catalog: acme/many", "entries:", *entries, ""]))
    assert run("plan", "--catalog", tmp_path / "many.yaml", "--target", "aws:rules").code == 1
    made = run("export", "suricata", "--catalog", tmp_path / "many.yaml")
    assert made.code == 0
    assert sum(rule.startswith("pass tls ") for rule in rules(made.out)) == 30_001


class TestRefusals:
    def test_an_entry_without_addresses(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "plain.yaml").write_text(PLAIN)
        made = run("export", "suricata", "--catalog", tmp_path / "plain.yaml", "--out", tmp_path / "out")
        assert (made.code, made.out) == (1, "")
        assert "no addresses for git" in made.err
        assert tree(tmp_path / "out") == {}

    def test_addresses_that_only_aws_can_read(self, run: Run, project: Project) -> None:
        folder = project(
            dev=f"""
            config:
              hostgate:catalogs: [./plain.yaml]
              hostgate:aws: {{ipSets: {{git: "{PREFIX_LIST}"}}}}
            """
        )
        (folder / "plain.yaml").write_text(PLAIN)
        made = run("export", "suricata")
        assert (made.code, made.out) == (1, "")
        assert re.search(r"plain\.yaml:3:\d+  git\n  Found arn:aws:ec2.*\[export-ip-set\]", made.err)

    @pytest.mark.parametrize(
        ("arguments", "code", "said"),
        [
            (["--home-net", "10.0.0.0/33"], 1, "Found '10.0.0.0/33'. Allowed: an address range as CIDR"),
            (["--from", "192.0.2.0/24"], 1, "outside homeNet"),
            (["--stack", "dev"], 2, "leave out --catalog"),
            (["--target", "aws:rules"], 2, "--target"),
            (["--out", "/dev/null/x"], 1, "Cannot write it"),
        ],
    )
    def test_wrong_options(self, run: Run, arguments: list[str], code: int, said: str) -> None:
        made = run("export", "suricata", "--catalog", REFERENCE, *arguments)
        assert (made.code, made.out) == (code, "")
        assert said in made.err

    def test_options_beside_a_stack(self, run: Run, project: Project) -> None:
        project(dev=f"config:\n  hostgate:catalogs: [{REFERENCE}]\n  hostgate:aws: {{}}\n")
        made = run("export", "suricata", "--reject")
        assert made.code == 2
        assert "under `hostgate:aws`" in made.err

    def test_an_acceptance_that_has_ended(self, run: Run, project: Project) -> None:
        project(
            dev=f"""
            config:
              hostgate:catalogs: [{REFERENCE}]
              hostgate:accept: [{{finding: shared-hosting, entry: chainctl-downloads, because: Seen, until: "2026-01-31"}}]
              hostgate:aws: {{}}
            """
        )
        assert run("export", "suricata", "--as-of", "2026-01-31").code == 0
        made = run("export", "suricata", "--as-of", "2026-02-01")
        assert (made.code, made.out) == (1, "")
        assert "[acceptance-expired]" in made.err


def test_old_files_stay_whole_if_the_new_ones_cannot_be_written(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    assert run("export", "suricata", "--catalog", REFERENCE, "--out", out).code == 0
    before = tree(out)
    written = file_output.write_new

    def full(path: Path, data: bytes, mode: int) -> None:
        if "hostgate-addresses.yaml" in path.name:
            raise OSError(28, "No space left on device")
        written(path, data, mode)

    monkeypatch.setattr(file_output, "write_new", full)
    made = run("export", "suricata", "--catalog", REFERENCE, "--reject", "--out", out)
    assert made.code == 1
    assert "No space left on device" in made.err
    assert tree(out) == before


class TestTerraform:
    LAYERS = f"""
        config:
          hostgate:catalogs: [{REFERENCE}]
          hostgate:aws: {{mechanism: rules, homeNet: [10.0.0.0/8]}}
          hostgate:gcp: {{networks: [projects/acme-prod/global/networks/prod]}}
          hostgate:azure: {{resourceGroup: rg-hub, location: westeurope}}
        """
    FILES = ("hostgate.aws-rules.tf.json", "hostgate.azure-application-rules.tf.json", "hostgate.gcp-fqdn.tf.json")

    def test_every_layer_of_a_stack_is_a_file(self, run: Run, project: Project, tmp_path: Path) -> None:
        project(dev=self.LAYERS)
        made = run("export", "terraform", "--out", tmp_path / "out")
        assert (made.code, made.out) == (0, "")
        assert tuple(sorted(tree(tmp_path / "out"))) == self.FILES
        assert "warning from-everything: Every instance of the network" in made.err

    def test_layers_are_chosen_by_target(self, run: Run, project: Project, tmp_path: Path) -> None:
        project(dev=self.LAYERS)
        chosen = ("--target", "gcp:fqdn", "--target", "aws:rules")
        assert run("export", "terraform", *chosen, "--out", tmp_path / "out").code == 0
        assert set(tree(tmp_path / "out")) == {self.FILES[0], self.FILES[2]}

    def test_catalogs_are_planned_for_the_target_that_is_named(self, run: Run, tmp_path: Path) -> None:
        command = ("export", "terraform", "--catalog", REFERENCE, "--out", tmp_path / "out")
        assert run(*command).code == 0
        assert run(*command, "--target", "gcp:fqdn").code == 0
        assert set(tree(tmp_path / "out")) == {self.FILES[0], self.FILES[2]}

    @pytest.mark.parametrize(
        ("layers", "words", "code", "said"),
        [
            (LAYERS, ["--target", "gcp:web-proxy"], 2, "no layer of gcp:web-proxy"),
            (LAYERS, ["--target", "gcp:fdqn"], 2, "is not one of"),
            (LAYERS, ["--catalog", REFERENCE, "--target", "gcp:web-proxy"], 1, "`project` and `region` must be given"),
        ],
    )  # fmt: skip
    def test_what_is_not_written_is_said_and_then_nothing_is(
        self, run: Run, project: Project, tmp_path: Path, layers: str, words: list[str], code: int, said: str
    ) -> None:
        project(dev=layers)
        made = run("export", "terraform", *words, "--out", tmp_path / "out")
        assert (made.code, made.out) == (code, "")
        assert said in " ".join(made.err.split())
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize(
        ("more", "said"),
        [("  hostgate:aws: {}\n", "gcp:fqdn cannot be written as terraform"), ("", "no layer of aws:rules or ")],
    )
    def test_a_layer_that_has_no_such_form_is_not_passed_over(
        self, run: Run, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str, said: str
    ) -> None:
        able = [replace(each, exports={} if each.cloud == "gcp" else each.exports) for each in rows()]
        monkeypatch.setattr(export_command, "rows", lambda: able)
        layers = f"config:\n  hostgate:catalogs: [{REFERENCE}]\n  hostgate:gcp: {{networks: [projects/acme/global/networks/n]}}\n"
        project(dev=layers + more)
        made = run("export", "terraform", "--out", tmp_path / "out")
        assert (made.code, made.out) == (2, "")
        assert said in " ".join(made.err.split())
        assert not (tmp_path / "out").exists()
