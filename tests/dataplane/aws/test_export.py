"""`hostgate export suricata` on an ordinary Suricata: one rule set, its own order of actions, all flows of the proof."""

import re
import subprocess
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

import hostgate
from dataplane.aws.flows import ADDRESSES, Case
from dataplane.aws.replay import PATIENCE, Heard, replay
from dataplane.aws.test_flows import CASES
from hostgate.export.suricata import ADDRESSES as ADDRESS_FILE
from hostgate.export.suricata import SuricataFiles, export_suricata
from hostgate.planning.plan import Plan

OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "drop": {"addresses": ADDRESSES},
    "reject": {"addresses": ADDRESSES, "reject": True},
    "audit": {"addresses": ADDRESSES, "mode": "audit"},
}


def shipped() -> str:
    """The settings that the installed Suricata came with."""
    said = subprocess.run(
        ["suricata", "--build-info"], capture_output=True, text=True, check=True, timeout=PATIENCE
    ).stdout
    found = re.search(r"^ *Configuration directory: +(\S+)", said, re.MULTILINE)
    assert found is not None
    return Path(found[1], "suricata.yaml").read_text()


@lru_cache
def planned(name: str) -> Plan:
    hosts = hostgate.select("catalog.yaml", "by-address.yaml", base=Path(__file__).parent)
    return hostgate.plan(hosts, "aws:rules", OPTIONS[name])


def exported(name: str) -> SuricataFiles:
    return export_suricata(planned(name))


def home_net(files: SuricataFiles) -> list[str]:
    found = re.search(r'^HOME_NET: "\[(.*)\]"$', files.addresses, re.MULTILINE)
    assert found is not None
    return found[1].split(",")


def judged(name: str, folder: Path, *, ips: bool = True) -> list[Heard]:
    files = exported(name)
    return replay([case.talk for case in CASES], files.rules.splitlines(), home_net(files), folder, ips=ips)


@pytest.fixture(scope="module", params=["drop", "reject"])
def heard(request: pytest.FixtureRequest, suricata: str, tmp_path_factory: pytest.TempPathFactory) -> list[Heard]:
    del suricata
    return judged(request.param, tmp_path_factory.mktemp("ips"))


every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)


@every_case
def test_the_exported_rules_pass_what_the_catalog_opens_and_nothing_else(heard: list[Heard], case: Case) -> None:
    assert heard[CASES.index(case)].verdict == case.rules
    assert planned("drop").verdict(case.flow).action == case.rules


@every_case
def test_a_blocked_flow_gets_no_more_out_than_what_comes_before_its_name(heard: list[Heard], case: Case) -> None:
    if case.rules == "block":
        assert heard[CASES.index(case)].leaked == case.leaks


@pytest.mark.usefixtures("suricata")
@pytest.mark.parametrize(("name", "ips"), [("drop", False), ("reject", False), ("audit", True), ("audit", False)])
def test_where_nothing_is_blocked_exactly_what_would_be_is_logged(name: str, ips: bool, tmp_path: Path) -> None:
    every = judged(name, tmp_path, ips=ips)
    assert {heard.verdict for heard in every} == {"allow"}
    wrong = [
        case.title
        for case, heard in zip(CASES, every, strict=True)
        if bool(heard.alert_sids) != (case.rules == "block")
    ]
    assert wrong == []


@pytest.mark.usefixtures("suricata")
@pytest.mark.parametrize("name", OPTIONS)
def test_the_settings_that_suricata_ships_with_take_the_rules_and_the_address_groups(name: str, tmp_path: Path) -> None:
    files = exported(name)
    for file, text in files.by_name().items():
        (tmp_path / file).write_text(text)
    include = f"    include: {tmp_path / ADDRESS_FILE}"
    settings = re.sub(r"^    HOME_NET: .*$", include, shipped(), count=1, flags=re.MULTILINE)
    settings = re.sub(r"^    EXTERNAL_NET: .*\n", "", settings, count=1, flags=re.MULTILINE)
    (tmp_path / "suricata.yaml").write_text(settings)
    command = ["suricata", "-T", "-c", "suricata.yaml", "-S", "hostgate.rules", "-l", ".", "--init-errors-fatal"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    said = subprocess.run(
        ["suricata", "-c", "suricata.yaml", "--dump-config"], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert f"vars.address-groups.HOME_NET = [{','.join(home_net(files))}]" in said
    assert "vars.address-groups.EXTERNAL_NET = !$HOME_NET" in said
    assert "vars.port-groups.HTTP_PORTS = 80" in said  # what else is there stays
