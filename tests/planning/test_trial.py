"""What rests on documents alone says so once, and comes with the commands by which an owner tries it."""

import shlex
from dataclasses import replace

import pytest

from conformance.catalogs import MADE, entry, selection
from hostgate.flows.flow import Flow
from hostgate.planning.mechanism import mechanism
from hostgate.planning.plan import Plan, plan
from hostgate.planning.trial import Trial, trials

HOSTS = selection([entry("cgr.dev")])


def documented(made: Plan) -> list[str]:
    return [one.message for one in made.findings if one.id == "documented-only"]


def expected(made: Plan) -> list[str]:
    return [each.expected for each in trials(made)]


@pytest.mark.parametrize("target", MADE)
def test_a_plan_of_which_nothing_was_tried_says_so_once(target: str) -> None:
    hosts = selection([entry("cgr.dev"), entry("two.example")])
    untried = mechanism(target).way(hosts.entries[0])
    assert untried is not None
    assert len(documented(plan(hosts, target))) == (untried.evidence.kind == "documented")


def test_it_names_each_way_with_its_source_and_date() -> None:
    hosts = selection([entry("cgr.dev"), entry("ssh.example", protocol="tcp", port=22)])
    (message,) = documented(plan(hosts, "azure:application-rules"))
    assert "Application rules (Azure Firewall, rule processing" in message
    assert "FQDN network rules (Azure Firewall, FQDN filtering in network rules" in message


def test_a_plan_that_allows_nothing_rests_on_nothing() -> None:
    assert documented(plan(replace(selection([]), allow_empty=True), "gcp:fqdn")) == []


class TestCommands:
    def test_one_allowed_one_denied_one_without_sni_quic_and_ipv6(self) -> None:
        assert trials(plan(HOSTS, "gcp:fqdn")) == (
            Trial("an allowed host", "curl -sSI -m 10 https://cgr.dev:443/", "allow"),
            Trial("a host of no entry", "curl -sSI -m 10 https://example.com/", "block"),
            Trial(
                "the allowed host without SNI",
                "openssl s_client -connect cgr.dev:443 -noservername < /dev/null",
                "allow",
            ),
            Trial("the allowed host over QUIC", "curl -sSI -m 10 --http3-only https://cgr.dev:443/", "block"),
            Trial(
                "a host of no entry over IPv6, from a client that has it",
                "curl -sSI -m 10 -6 https://example.com/",
                "block",
            ),
        )

    def test_what_is_expected_is_what_the_plan_itself_answers(self) -> None:
        assert expected(plan(HOSTS, "azure:application-rules")) == ["allow", "block", "block", "block", "block"]
        assert expected(plan(HOSTS, "gcp:fqdn", deny="none")) == ["allow"] * 5

    @pytest.mark.parametrize("target", ["aws:prefix-list", "aws:network-acl", "gcp:address-group"])
    @pytest.mark.parametrize(
        ("address", "over_ipv6"), [("2001:db8::7", "unknown"), ("203.0.113.7", "block")], ids=["IPv6", "IPv4"]
    )
    def test_nobody_promises_that_a_stranger_has_none_of_the_addresses_that_are_open(
        self, target: str, address: str, over_ipv6: str
    ) -> None:
        assert expected(plan(HOSTS, target, addresses={"cgr.dev": [address]}))[-1] == over_ipv6

    @pytest.mark.parametrize("target", MADE)
    def test_no_target_promises_what_its_plan_does_not_say(self, target: str) -> None:
        made = plan(HOSTS, target)
        assert expected(made)[:2] == [made.verdict(Flow(name)).action for name in ("cgr.dev", "example.com")]

    def test_a_host_of_an_entry_is_no_stranger(self) -> None:
        ours = selection([entry("cgr.dev"), entry("example.com")])
        assert trials(plan(ours, "gcp:fqdn"))[1].command.endswith("https://example.org/")

    def test_a_host_that_the_vendor_withdrew_is_not_asked_where_there_is_another(self) -> None:
        old = entry("a.example", status="withdrawn", withdrawn="2025-01-01")
        assert "cgr.dev" in trials(plan(selection([old, entry("cgr.dev")]), "gcp:fqdn"))[0].command
        assert "a.example" in trials(plan(selection([old]), "gcp:fqdn"))[0].command

    @pytest.mark.parametrize(
        ("protocol", "port", "command"),
        [
            ("http", 80, "curl -sSI -m 10 http://a.example:80/"),
            ("tls", 5671, "openssl s_client -connect a.example:5671 -servername a.example < /dev/null"),
            ("tcp", 22, "nc -zvw 10 a.example 22"),
        ],
    )
    def test_other_protocols_are_dialled_in_their_own_way(self, protocol: str, port: int, command: str) -> None:
        made = trials(plan(selection([entry("a.example", protocol=protocol, port=port)]), "gcp:fqdn"))
        assert made[0].command == command
        assert "over QUIC" not in " ".join(each.what for each in made)

    def test_where_no_one_name_is_allowed_by_tcp_the_stranger_is_asked_alone(self) -> None:
        made = trials(plan(selection([entry("a.example", match="subtree")]), "azure:application-rules"))
        assert {each.what.partition(" over")[0] for each in made} == {"a host of no entry"}

    def test_a_refused_plan_has_none(self) -> None:
        assert trials(plan(selection([entry("a.example", match="subtree")]), "gcp:fqdn")) == ()

    @pytest.mark.parametrize("target", MADE)
    def test_each_command_is_one_that_a_shell_takes_apart(self, target: str) -> None:
        assert {shlex.split(each.command)[0] for each in trials(plan(HOSTS, target))} == {"curl", "openssl"}
