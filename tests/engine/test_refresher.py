"""A PoolRefresher on the real engine: it comes up whole, a second run changes nothing, another host changes the schedule."""

from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from engine.lab import Ended, Lab, real_engine

pytestmark = real_engine

PROGRAM = """
import pulumi
import pulumi_aws as aws
from hostgate.aws import PoolRefresher

bucket = aws.s3.Bucket("pools")
listed = aws.ec2.ManagedPrefixList("egress", address_family="IPv4", max_entries=50)
made = PoolRefresher(
    "eu", names={names}, bucket=bucket.bucket, vantage="eu-west-1", {code}, subnet_ids=["subnet-0a1"],
    security_group_ids=["sg-0a1"], prefix_lists=[{{"list_id": "pl-0a1b2c3d"}}],
)
pulumi.export("alarm", made.alarm_arn)
"""
IMAGE, ARCHIVE = 'image_uri="image"', 'archive="refresher.zip"'


class Steps:
    """Every step, in order."""

    def __init__(self, folder: Path) -> None:
        lab = self.lab = Lab(folder / "project", folder / "sandbox", name="shop")
        with ZipFile(lab.project / "refresher.zip", "w") as archive:
            archive.writestr("hostgate/__init__.py", "")
        self.first = self._up(["a.acme.example"])
        self.again = lab.preview()
        self.one_more = self._up(["a.acme.example", "b.acme.example"])
        self.archive = self._up(["a.acme.example", "b.acme.example"], ARCHIVE)
        self.settled = lab.preview()
        self.gone = lab.pulumi("destroy", "--yes", "--skip-preview")

    def _up(self, names: list[str], code: str = IMAGE) -> Ended:
        (self.lab.project / "__main__.py").write_text(PROGRAM.format(names=names, code=code))
        return self.lab.pulumi("up", "--yes", "--skip-preview")


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> Steps:
    return Steps(tmp_path_factory.mktemp("refresher"))


def changed(steps: list[tuple[str, str]]) -> list[Any]:
    return [each for each in steps if each[0] != "same"]


def test_it_comes_up_and_a_second_run_changes_nothing(steps: Steps) -> None:
    assert steps.first.ok, steps.first.output
    assert len(steps.first.update.done("create")) == 12
    assert changed(steps.again) == []


def test_another_host_changes_the_schedule_alone(steps: Steps) -> None:
    assert steps.one_more.ok, steps.one_more.output
    update = steps.one_more.update
    assert [each.split()[0] for each in update.done("update")] == ["Schedule"]
    assert (update.done("create"), update.done("delete")) == ([], [])


def test_other_code_is_taken_and_then_rests(steps: Steps) -> None:
    assert steps.archive.ok, steps.archive.output
    assert changed(steps.settled) == []


def test_it_goes_whole(steps: Steps) -> None:
    assert steps.gone.ok, steps.gone.output
    assert list(steps.lab.state.objects()) == []
