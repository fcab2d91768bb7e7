"""Forms that look right and are not: each lets through, cuts or fails as it is known to, so the proof can fail."""

from collections.abc import Callable
from pathlib import Path

import pytest

import hostgate
from dataplane.aws import packets
from dataplane.aws.flows import STORAGE, Fate
from dataplane.aws.packets import Said, Talk
from dataplane.aws.policy_default import rules as default_rules
from dataplane.aws.replay import SuricataError, accept, replay
from dataplane.aws.stages import rule_texts
from hostgate.planning.options import PRIVATE_IPV4
from hostgate.suricata.writer import Rule

TO_SERVER = "aws:drop_established_app_layer_to_server"

pytestmark = pytest.mark.usefixtures("suricata")


def rule_of(entry: str) -> str:
    """The rule that hostgate writes for an entry of the proof's catalog."""
    hosts = hostgate.select("catalog.yaml", base=Path(__file__).parent, ids=[entry])
    (found,) = (rule for rule in rule_texts(hostgate.plan(hosts, target="aws:rules", deny="none").objects))
    return found


def fate(rule: str, said: tuple[Said, ...], folder: Path, *, port: int = 443, default: str = TO_SERVER) -> Fate:
    """What becomes of one connection under one rule and a policy's default."""
    (heard,) = replay([Talk("tcp", said, port)], [rule, *default_rules([default])], PRIVATE_IPV4, folder)
    return heard.verdict


def without(*options: str) -> Callable[[str], str]:
    return lambda rule: _changed(rule, {f" {option};": "" for option in options})


def changed(old: str, new: str) -> Callable[[str], str]:
    return lambda rule: _changed(rule, {old: new})


def _changed(rule: str, changes: dict[str, str]) -> str:
    for old, new in changes.items():
        assert old in rule, f"{old!r} is not in {rule}"
        rule = rule.replace(old, new)
    return rule


def dotprefix_last(rule: str) -> str:
    return _changed(_changed(rule, {" dotprefix;": ""}), {"endswith;": "endswith; dotprefix;"})


WRONG_VERDICTS = [
    # entry, what is wrong, how, name, right, wrong
    ("registry", "no startswith", without("startswith"), "sub.cgr.dev", "block", "allow"),
    ("registry", "no startswith, another name", without("startswith"), "notcgr.dev", "block", "allow"),
    ("registry", "bare content", without("startswith", "endswith"), "cgr.dev.evil.example", "block", "allow"),
    ("registry", "no endswith", without("endswith"), "cgr.dev.evil.example", "block", "allow"),
    ("registry", "no nocase", without("nocase"), "CGR.DEV", "allow", "block"),
    ("storage", "dotprefix on a subtree", changed("tls.sni;", "tls.sni; dotprefix;"), STORAGE, "block", "allow"),
    ("storage", "no dot", changed('content:".r2', 'content:"r2'), f"evil{STORAGE}", "block", "allow"),
    ("cdn", "dotprefix after the content", dotprefix_last, "cdn.vendor.example", "allow", "block"),
    ("cdn", "no dotprefix", without("dotprefix"), "cdn.vendor.example", "allow", "block"),
    ("mirrors", "no pcre", without(r'pcre:"/^[^.]+\.mirror\.vendor\.example$/i"'), "a.b.mirror.vendor.example",
     "block", "allow"),
    ("mirrors", "pcre without i", changed("$/i", "$/"), "EU.MIRROR.vendor.example", "allow", "block"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("entry", "wrong", "name", "right", "then"),
    [pytest.param(entry, how, name, right, then, id=title) for entry, title, how, name, right, then in WRONG_VERDICTS],
)
def test_a_wrong_form_of_the_name_gets_a_wrong_verdict(
    entry: str, wrong: Callable[[str], str], name: str, right: Fate, then: Fate, tmp_path: Path
) -> None:
    said = packets.named(name)
    assert fate(rule_of(entry), said, tmp_path / "right") == right
    assert fate(wrong(rule_of(entry)), said, tmp_path / "wrong") == then


def test_any_port_opens_the_host_on_every_port(tmp_path: Path) -> None:
    anywhere = _changed(rule_of("registry"), {"$EXTERNAL_NET 443": "$EXTERNAL_NET any"})
    assert fate(rule_of("registry"), packets.named("cgr.dev"), tmp_path / "right", port=8443) == "block"
    assert fate(anywhere, packets.named("cgr.dev"), tmp_path / "wrong", port=8443) == "allow"


def test_a_stray_pass_of_tcp_opens_the_port_to_every_name(tmp_path: Path) -> None:
    stray = 'pass tcp $HOME_NET any -> $EXTERNAL_NET 443 (msg:"stray"; sid:1; rev:1;)'
    assert fate(stray, packets.named("other.example"), tmp_path) == "allow"


MALFORMED = {
    "endswith before its content": ("registry", changed('content:"cgr.dev"; startswith; endswith;',
                                                        'endswith; content:"cgr.dev"; startswith;')),
    "a semicolon in the message": ("registry", changed('msg:"hostgate acme', 'msg:"hostgate; acme')),
    "nocase on http.host": ("packages", changed("endswith;", "endswith; nocase;")),
    "upper case on http.host": ("packages", changed("deb.vendor", "Deb.vendor")),
    "dotprefix without a buffer": ("cdn", without("tls.sni")),
    "a variable that nobody declared": ("registry", changed("$HOME_NET", "$CLIENTS")),
    "a signature id over the maximum": ("registry", lambda rule: rule.replace("sid:", "sid:99999999999")),
}  # fmt: skip


@pytest.mark.parametrize(("entry", "wrong"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_rule_is_refused(entry: str, wrong: Callable[[str], str], tmp_path: Path) -> None:
    accept([rule_of(entry)], PRIVATE_IPV4, tmp_path / "right")
    with pytest.raises(SuricataError):
        accept([wrong(rule_of(entry))], PRIVATE_IPV4, tmp_path / "wrong")


def test_a_message_of_any_text_is_escaped(tmp_path: Path) -> None:
    rule = Rule(
        action="pass", protocol="tls", source="$HOME_NET", destination="$EXTERNAL_NET", port="443",
        msg='one; two "three" four\\; five: (six) | $HOME_NET, sieben äöü', conditions=("flow:to_server",), sid=1,
    )  # fmt: skip
    accept([str(rule)], PRIVATE_IPV4, tmp_path)


def test_a_home_net_of_everything_leaves_nothing_outside(tmp_path: Path) -> None:
    with pytest.raises(SuricataError):
        accept([rule_of("registry")], ["0.0.0.0/0"], tmp_path)


HELLOS = {
    "in one segment": packets.named("cgr.dev"),
    "post-quantum, name in the first packet": packets.post_quantum("cgr.dev", "first"),
    "post-quantum, name in the second packet": packets.post_quantum("cgr.dev", "second"),
}


@pytest.mark.parametrize(
    ("default", "expected"),
    [
        pytest.param(TO_SERVER, ["allow", "allow", "allow"], id="application layer"),
        pytest.param(
            "aws:drop_established", ["allow", "block", "block"], id="established: cuts a hello in two packets"
        ),
        pytest.param("aws:drop_strict", ["block", "block", "block"], id="strict: no connection begins"),
    ],
)
def test_another_default_action_breaks_what_the_rules_allow(default: str, expected: list[Fate], tmp_path: Path) -> None:
    talks = [Talk("tcp", said, 443) for said in HELLOS.values()]
    heard = replay(talks, [rule_of("registry"), *default_rules([default])], PRIVATE_IPV4, tmp_path)
    assert [each.verdict for each in heard] == expected
    assert all(each.opened for each in heard) == (default != "aws:drop_strict")


def test_a_drop_of_tls_without_the_hello_state_cuts_a_hello_in_two_packets(tmp_path: Path) -> None:
    careless = 'drop tls any any -> any any (msg:"careless"; flow:to_server,established; sid:1; rev:1;)'
    talks = [Talk("tcp", said, 443) for said in HELLOS.values()]
    heard = replay(talks, [rule_of("registry"), careless], PRIVATE_IPV4, tmp_path)
    assert [each.verdict for each in heard] == ["allow", "block", "block"]


def test_a_domain_list_by_itself_opens_its_hosts_on_every_port(tmp_path: Path) -> None:
    listed = (
        'pass tls $HOME_NET any -> $EXTERNAL_NET any (msg:"list"; flow:to_server, established; tls.sni; '
        'content:"cgr.dev"; startswith; nocase; endswith; sid:1; rev:1;)'
    )
    assert fate(listed, packets.named("cgr.dev"), tmp_path, port=8443) == "allow"
