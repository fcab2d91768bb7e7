"""A project of `hostgate init`, outside any checkout, from nothing to nothing: by the built-in preview and on the real engine.

What the built-in preview would make at a step is what the clouds hold after it.
"""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml

from engine.lab import Lab, real_engine, well
from hostgate.sandbox.builtin_preview import PreviewError, preview
from hostgate.sandbox.engine import pulumi_cli
from hostgate.stack import config_of_file

SECOND = """
import hostgate
from hostgate.aws import NetworkFirewallAllowlist

ours = hostgate.select("./ours.yaml")
NetworkFirewallAllowlist("second", hosts=ours, deny="declared", from_=["10.9.0.0/16"])
"""
TRANSFORM = """
import pulumi


def tagged(args):
    if args.type_ == "aws:networkfirewall/ruleGroup:RuleGroup":
        return pulumi.ResourceTransformResult({**args.props, "tags": {"owner": "net"}}, args.opts)
    return pulumi.ResourceTransformResult(args.props, args.opts)


pulumi.runtime.register_resource_transform(tagged)
"""
OURS = """catalog: acme/ours
entries:
  - {id: mirror, host: mirror.acme.example, port: 443, protocol: https, purpose: Our mirror}
"""


class Consumer:
    """The project, and what its owner does to it."""

    def __init__(self, folder: Path) -> None:
        words = [sys.executable, "-m", "hostgate", "init", "egress", "--catalog", "chainguard/images@2024-03-28"]
        subprocess.run(words, cwd=folder, check=True, timeout=60)
        self.project = folder / "egress"
        (self.project / ".venv").symlink_to(sys.prefix)  # what `pulumi install` makes
        self.lab = Lab.over(self.project, folder / "sandbox")

    def edit(self, old: str, new: str, *, pack: str | None = None) -> None:
        """In the stack file, and in the policy pack's settings as there, or with `pack`."""
        for name, text in (("Pulumi.dev.yaml", new), ("policy/settings.yaml", new if pack is None else pack)):
            file = self.project / name
            written = file.read_text()
            assert old in written, name
            indent = written.partition(old)[0].rpartition("\n")[2]
            file.write_text(written.replace(old, text.replace("\n- ", f"\n{indent}- ")))

    def host_added(self) -> None:
        (self.project / "ours.yaml").write_text(OURS)
        pinned = '- "chainguard/images@2024-03-28"\n'
        self.edit(pinned, f"{pinned}- ./ours.yaml\n", pack=f"{pinned}- ../ours.yaml\n")

    def revision_moved(self) -> None:
        self.edit("images@2024-03-28", "images@2026-02-23")

    def renamed(self) -> None:
        file = self.project / "Pulumi.dev.yaml"
        document = yaml.safe_load(file.read_text())
        for cloud in ("aws", "gcp", "azure"):
            document["config"][f"hostgate:{cloud}"]["name"] = "acme"
        document["config"]["hostgate:gcp"]["formerly"] = "hostgate"
        file.write_text(yaml.safe_dump(document))

    def program(self, before: str = "", after: str = "") -> None:
        (self.project / "__main__.py").write_text(f"{before}\nfrom hostgate.program import run\n\nrun()\n{after}")

    def foretold(self) -> Counter[str]:
        """How many resources of each type the built-in preview would make."""
        made = preview(self.project, "dev", config_of_file(self.project, "dev"))
        return Counter(each.type for each in made.resources if each.custom and not each.type.startswith("pulumi:"))

    def held(self) -> Counter[str]:
        return Counter(each.type for each in self.lab.state.objects())


@pytest.fixture
def consumer(tmp_path: Path) -> Consumer:
    return Consumer(tmp_path)


def test_the_built_in_preview_goes_with_it_through_every_change(consumer: Consumer) -> None:
    first = consumer.foretold()
    assert first.total() == 12
    consumer.host_added()
    assert consumer.foretold() == first
    consumer.revision_moved()
    assert consumer.foretold() == first
    consumer.renamed()
    assert consumer.foretold() == first
    consumer.program(after=SECOND)
    assert (consumer.foretold() - first).total() == 2
    consumer.program(before=TRANSFORM, after=SECOND)
    with pytest.raises(PreviewError, match="needs the pulumi CLI"):
        consumer.foretold()


@real_engine
def test_it_goes_up_changes_in_every_way_and_goes(consumer: Consumer) -> None:
    assert pulumi_cli() is not None
    lab = consumer.lab

    def up(*words: str) -> list[str]:
        """Bring it up, with no wrong moment; what it made, changed and deleted."""
        done = well(lab.up(*words)).update
        return [f"{how} {name}" for how in ("create", "update", "delete") for name in done.done(how)]

    assert len(up()) == 12
    assert consumer.held() == consumer.foretold()
    consumer.host_added()
    assert [line.split()[0] for line in up()] == ["update"] * 3, "one update on each cloud"
    consumer.revision_moved()
    assert [line.split()[0] for line in up("--policy-pack", "policy")] == ["update"] * 3
    assert "mirror.acme.example" in str(lab.state.objects())
    consumer.renamed()
    assert "update NetworkFirewallPolicyRule" in " ".join(up())
    assert consumer.held() == consumer.foretold()
    consumer.program(after=SECOND)
    assert {line.rpartition(" ")[2] for line in up()} == {"second-allow", "second-edge"}
    assert consumer.held() == consumer.foretold()
    consumer.program(before=TRANSFORM, after=SECOND)
    assert {line.partition(" ")[2] for line in up()} == {
        "RuleGroup acme-allow", "RuleGroup acme-edge", "RuleGroup second-allow", "RuleGroup second-edge",
    }  # fmt: skip
    settled = lab.pulumi("preview", "--expect-no-changes")
    assert settled.ok, settled.output
    destroyed = lab.pulumi("destroy", "--yes", "--skip-preview")
    assert destroyed.ok, destroyed.output
    assert lab.state.objects() == []
