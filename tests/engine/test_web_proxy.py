"""A Secure Web Proxy on the real engine: hosts and ports that come and go, modes, renames, other ports, the way out."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.lab import Ended, Lab, real_engine, well
from engine.moments import flows_about, plain, violations
from hostgate.catalog.selection import select
from hostgate.gcp.resources_proxy import GATEWAY, POLICY, POLICY_ROUTE, RULE, URL_LIST
from hostgate.planning.plan import plan

pytestmark = real_engine

NETWORK = "projects/acme/global/networks/main"
PLACE = {"network": NETWORK, "subnetwork": "projects/acme/regions/europe-west4/subnetworks/main"}
PROXY = {"mechanism": "web-proxy", **PLACE, "proxySubnet": "10.9.0.0/23"}
EXPLICIT = {**PROXY, "routing": "explicit", "ports": [8080]}


class Changes:
    """Every step, in order."""

    def __init__(self, folder: Path) -> None:
        lab = self.lab = Lab(folder / "project", folder / "sandbox")

        def up(*hosts: str, **more: Any) -> Ended:
            lab.configure({"gcp": {**PROXY, **more}}, lab.hosts(*hosts))
            return lab.up()

        self.first = up("a.acme.example", "b.acme.example")
        self.again = lab.preview()
        self.one_more = up("a.acme.example", "b.acme.example", "c.acme.example")
        self.port_comes = up("a.acme.example", "b.acme.example:8443", "d.acme.example:80", "e.acme.example:8444")
        self.port_goes = up("a.acme.example", "f.acme.example:80")
        self.clients = up("a.acme.example", "f.acme.example:80", **{"from": ["10.0.0.0/8", "tagValues/1"]})
        self.audit = up("a.acme.example", mode="audit")
        self.enforced = up("g.acme.example", "h.acme.example:80")
        self.based = up("g.acme.example", "h.acme.example:80", base=1064)
        self.listening = up("g.acme.example", "h.acme.example:80", base=1064, ports=[80, 443])
        self.all_denied = up("g.acme.example", "h.acme.example:80", base=1064, deny="all", exempt=["203.0.113.0/24"])
        self.settled = lab.preview()
        self.gone = lab.pulumi("destroy", "--yes", "--skip-preview")
        self.left = lab.state.objects()


@pytest.fixture(scope="module")
def changes(tmp_path_factory: pytest.TempPathFactory) -> Changes:
    return Changes(tmp_path_factory.mktemp("changes"))


def order(ended: Ended, *types: str) -> list[str]:
    """Operation and name of the calls about these types."""
    return [f"{call.operation} {plain(call.name)}" for call in ended.update.calls if call.type in types]


def test_gateway_comes_after_the_rules_and_the_route_to_it_last(changes: Changes) -> None:
    done = [plain(call.name) for call in well(changes.first).update.calls]
    assert done.index("hostgate-allow-443") < done.index("hostgate-gateway")
    assert done[-1] == "hostgate-to-proxy"


def test_a_second_preview_has_nothing_to_do(changes: Changes) -> None:
    assert {step for step, _ in changes.again} == {"same"}
    assert {step for step, _ in changes.settled} == {"same"}


def test_one_more_host_is_one_update_of_a_list(changes: Changes) -> None:
    update = well(changes.one_more).update
    assert update.done("update") == ["UrlList hostgate-hosts-443"]
    assert update.done("create") == update.done("delete") == []


def test_the_rules_of_ports_that_come_and_go_are_written_one_after_another(changes: Changes) -> None:
    for ended in (changes.port_comes, changes.port_goes):
        assert not [call.refusal for call in well(ended).update.calls if call.refusal]
    assert order(changes.port_comes, RULE) == [f"create hostgate-allow-{port}" for port in (80, 8443, 8444)]
    assert sorted(order(changes.port_goes, RULE)) == [f"delete hostgate-allow-{port}" for port in (8443, 8444)]


def test_clients_are_an_update_of_the_rules_alone(changes: Changes) -> None:
    update = well(changes.clients).update
    assert sorted(update.done("update")) == [f"GatewaySecurityPolicyRule hostgate-allow-{port}" for port in (443, 80)]
    assert update.done("create") == update.done("delete") == []


def test_into_audit_everything_passes_before_a_host_leaves(changes: Changes) -> None:
    done = order(well(changes.audit), RULE, URL_LIST)
    assert done[0] == "create hostgate-audit"
    assert "delete hostgate-hosts-80" in done


def test_out_of_audit_the_hosts_are_there_before_the_audit_goes(changes: Changes) -> None:
    done = order(well(changes.enforced), RULE, URL_LIST)
    assert done.index("update hostgate-hosts-443") < done.index("delete hostgate-audit")


def test_another_base_is_an_update_of_the_rules(changes: Changes) -> None:
    assert sorted(order(well(changes.based), RULE)) == ["update hostgate-allow-443", "update hostgate-allow-80"]


def test_other_ports_of_a_next_hop_proxy_are_refused_and_cut_nobody(changes: Changes) -> None:
    assert not changes.listening.ok
    assert not changes.listening.wrong
    assert "is the next-hop proxy of the network in the region already" in changes.listening.output


def test_a_route_for_private_ranges_that_goes_and_one_that_comes_cut_and_open_nothing_else(changes: Changes) -> None:
    update = well(changes.all_denied).update
    assert "PolicyBasedRoute hostgate-past-203-0-113-0-24" in update.done("create")
    assert "PolicyBasedRoute hostgate-past-10-0-0-0-8" in update.done("delete")


def test_on_the_way_out_the_route_to_the_proxy_goes_first(changes: Changes) -> None:
    assert changes.gone.ok, changes.gone.output
    deleted = [plain(call.name) for call in changes.gone.update.calls]
    assert deleted[0] == "hostgate-to-proxy"
    assert changes.left == []


PROGRAM = """
import pulumi
from hostgate.gcp import WebProxyAllowlist

options = {OPTIONS}
aliases = [pulumi.Alias(name="before")]
WebProxyAllowlist("{NAME}", {{"catalogs": ["./ours.yaml"], **options}}, pulumi.ResourceOptions(aliases=aliases))
"""


@pytest.mark.parametrize(("component", "prefix"), [("after", None), ("before", "after")])
def test_under_another_name_lists_are_made_before_the_rules_turn_to_them_and_all_else_stays(
    tmp_path: Path, component: str, prefix: str | None
) -> None:
    def program(name: str, **more: Any) -> str:
        return PROGRAM.format(OPTIONS={**PLACE, **more}, NAME=name)

    lab = Lab(tmp_path / "project", tmp_path / "sandbox", program("before"))
    lab.hosts("a.acme.example", "b.acme.example:80")
    assert lab.pulumi("up", "--yes", "--skip-preview").ok
    text = program(component, **({"name_prefix": prefix} if prefix else {}))
    (lab.project / "__main__.py").write_text(text)
    ended = lab.pulumi("up", "--yes", "--skip-preview")
    assert ended.ok, ended.output
    done = order(ended, RULE, URL_LIST)
    assert done.index("create after-hosts-443") < done.index("update before-allow-443")
    assert done.index("update before-allow-443") < done.index("delete before-hosts-443")
    assert not order(ended, GATEWAY, POLICY, POLICY_ROUTE)
    made = plan(select("./ours.yaml", base=lab.project), "gcp:web-proxy", PLACE)
    judged = replace(ended.update, old={"gcp:web-proxy": made}, new={"gcp:web-proxy": made})
    assert violations(judged, flows_about([made])) == []


def test_other_ports_of_an_explicit_proxy_make_a_new_one_beside_it(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "project", tmp_path / "sandbox")
    lab.configure({"gcp": EXPLICIT}, lab.hosts("a.acme.example"))
    assert well(lab.up()).update.done("create")
    lab.configure({"gcp": {**EXPLICIT, "ports": [3128]}}, "./ours.yaml")
    assert order(well(lab.up()), GATEWAY) == ["create hostgate-gateway", "delete hostgate-gateway"]
