"""A network that an allowlist names, whoever holds it: what is needed there and closed is missing in `reach`, blocked in
`explain` and closed in a comparison with what stood before; what is open there is none of it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from hostgate.catalog.selection import select
from hostgate.flows.comparison import compare_all
from hostgate.flows.flow import Flow
from hostgate.flows.snapshot import Resource, Snapshot
from hostgate.flows.steps import Place
from hostgate.flows.verdicts import decide
from hostgate.gcp.resources import ASSOCIATION, CLASSIC, POLICY, RULE
from hostgate.planning.allowlists_at import allowlists_at
from hostgate.planning.needs import needs_of_allowlists
from hostgate.planning.plan import plan
from hostgate.policies.places import places_of_stack
from hostgate.review.compared_places import ComparedPlace, as_it_stands, compared_standing
from hostgate.review.plan_changes import diff
from hostgate.review.statement import state

from .conftest import Run
from .test_reach_by_list import asked, stand

NETWORK = "projects/net-host/global/networks/prod"
FIRST, SECOND = "cgr.dev", "packages.wolfi.dev"
CLIENTS = {
    "everybody": ("hosts=both", {}, {}),
    "a range": ("hosts=both, from_=['10.1.0.0/16']", {"srcIpRanges": ["10.1.0.0/16"]}, {}),
    "ranges": (
        "hosts=both, from_=['10.1.0.0/16', '10.9.0.0/20', 'fd20::/64']",
        {"srcIpRanges": ["10.1.0.0/16", "10.9.0.0/20", "fd20::/64"]},
        {},
    ),
    "an account": (
        "hosts=both, from_=[BUILDS]",
        {},
        {"targetServiceAccounts": ["builds@acme.iam.gserviceaccount.com"]},
    ),
    "a tag": ("hosts=both, from_=['tagValues/1']", {}, {"targetSecureTags": [{"name": "tagValues/1"}]}),
    "lists": ("hosts=LISTS", {"srcIpRanges": ["10.1.0.0/16", "10.2.0.0/16"]}, {}),
}
"""What an allowlist says of its clients, and how a rule of others is about just them."""


def made(kind: str, name: str, **properties: Any) -> Resource:
    told = {"name": name, "project": "net-host", **properties}
    id_ = f"projects/net-host/global/firewallPolicies/{name}" if kind == POLICY else ""
    return Resource(urn=f"urn:pulumi:test::net::{kind}::{name}", type=kind, name=name, properties=told, id=id_)


def held_by(name: str, *rules: Resource) -> list[Resource]:
    """The network with a policy of others."""
    return [
        made(POLICY, name), made(ASSOCIATION, name, attachmentTarget=NETWORK, firewallPolicy=name),
        *(replace(each, properties={**each.properties, "firewallPolicy": name}) for each in rules),
    ]  # fmt: skip


def rules(action: str, first: int = 1_000, whom: Mapping[str, Any] = {}, **more: Any) -> list[Resource]:
    """One for each family."""
    return [
        made(
            RULE, f"{action}-{first + number}", priority=first + number, direction="EGRESS", action=action,
            match={"destIpRanges": [every], "layer4Configs": [{"ipProtocol": "all"}], **_of_family(whom, every)}, **more,
        )
        for number, every in enumerate(("0.0.0.0/0", "::/0"))
        if not whom or _of_family(whom, every)
    ]  # fmt: skip


def _of_family(whom: Mapping[str, Any], every: str) -> dict[str, Any]:
    found = {key: [each for each in ranges if (":" in each) is (":" in every)] for key, ranges in whom.items()}
    return {key: ranges for key, ranges in found.items() if ranges}


def firewall(does: str) -> list[Resource]:
    """VPC firewall rules about everything."""
    return [
        made(
            CLASSIC, f"{does}-{number}", network=NETWORK, direction="EGRESS", priority=900, destinationRanges=[every],
            **{does: [{"protocol": "all"}]},
        )
        for number, every in enumerate(("0.0.0.0/0", "::/0"))
    ]  # fmt: skip


def copied(stands: Snapshot, left_out: str = "") -> list[Resource]:
    """The rules of the allowlist, as those of others, without one of the hosts."""
    found = []
    for each in stands.of_types([RULE]):
        match = dict(each.properties["match"])
        if "destFqdns" in match:
            match["destFqdns"] = [host for host in match["destFqdns"] if host != left_out]
        if match.get("destFqdns") != []:
            more = {key: value for key, value in each.properties.items() if key.startswith("target")}
            of = {key: each.properties[key] for key in ("priority", "direction", "action")}
            found.append(made(RULE, f"copy-{each.name}", match=match, **of, **more))
    return found


def denies_clients(_: Snapshot, clients: str) -> list[Resource]:
    _, whom, more = CLIENTS[clients]
    return held_by("theirs", *rules("deny", whom=whom, **more))


def denies_a_host(_: Snapshot, __: str) -> list[Resource]:
    denied = {"destFqdns": [FIRST], "layer4Configs": [{"ipProtocol": "all"}]}
    deny = made(RULE, "no", priority=900, direction="EGRESS", action="deny", match=denied)
    return held_by("theirs", deny, *rules("allow"))


class Holder(NamedTuple):
    """Who has the network; `ours`: whether the allowlist's policy is associated, too. Of the hosts, those that are closed there;
    whether anything passes that is in no catalog; whether nothing passes from anybody."""

    ours: bool
    others: Callable[[Snapshot, str], list[Resource]]
    closed: Iterable[str]
    beyond: bool
    shut: bool = False


BOTH = (FIRST, SECOND)
HOLDERS = {
    "ours": Holder(True, lambda *_: [], (), False),
    "nobody": Holder(False, lambda *_: [], (), True),
    "a policy that denies all": Holder(False, lambda *_: held_by("theirs", *rules("deny")), BOTH, False, True),
    "a policy that allows all": Holder(False, lambda *_: held_by("theirs", *rules("allow")), (), True),
    "a policy without rules": Holder(False, lambda *_: held_by("theirs"), (), True),
    "a policy that denies the clients": Holder(False, denies_clients, BOTH, False),
    "a policy that denies one host": Holder(False, denies_a_host, (FIRST,), True),
    "a copy": Holder(False, lambda stands, _: held_by("theirs", *copied(stands)), (), False),
    "a copy without one host": Holder(False, lambda stands, _: held_by("theirs", *copied(stands, FIRST)), (FIRST,), False),
    "VPC rules that deny": Holder(False, lambda *_: firewall("denies"), BOTH, False, True),
    "VPC rules that allow": Holder(False, lambda *_: firewall("allows"), (), True),
    "ours, and VPC rules that deny": Holder(True, lambda *_: firewall("denies"), BOTH, False, True),
    "ours, and VPC rules that allow": Holder(True, lambda *_: firewall("allows"), (), True),
    "a copy, and VPC rules that deny": Holder(
        False, lambda stands, _: [*held_by("theirs", *copied(stands)), *firewall("denies")], BOTH, False, True
    ),
    "a policy that denies all, and VPC rules that allow": Holder(
        False, lambda *_: [*held_by("theirs", *rules("deny")), *firewall("allows")], (), True
    ),
}  # fmt: skip


def good(run: Run, clients: str) -> Snapshot:
    return stand(run, f"Google('c', {CLIENTS[clients][0]}, networks=['{NETWORK}'])")


def held(stands: Snapshot, holder: Holder, clients: str) -> Snapshot:
    left = (each for each in stands.resources if holder.ours or each.type != ASSOCIATION)
    return Snapshot((*left, *holder.others(stands, clients)), "a state")


def network(places: Iterable[Place]) -> Place:
    (found,) = (each for each in places if each.name == NETWORK)
    return found


class Answers(NamedTuple):
    missing: set[str]
    blocked: set[str]
    closed: set[str]
    beyond: bool
    unlisted: bool
    everything: bool
    back: bool


def answers(stands: Snapshot, then: Snapshot) -> Answers:
    """What each says of the hosts at the network, and of all that is in no catalog; `back`: whether everything opens with the
    way back to what stood, as to clients that are not meant it does where nothing passed."""
    before, after = places_of_stack(stands), places_of_stack(then)
    needs, _ = needs_of_allowlists(allowlists_at(network(before), stands))
    (found,) = (each for each in asked(then) if each.place.name == NETWORK)
    changes = [
        change
        for each in compare_all(before, after, lambda _: needs)
        if each.place.name == NETWORK
        for change in each.changes
    ]
    forth, back = (opens_everything(*sides) for sides in ((stands, then), (then, stands)))
    return Answers(
        {name for each in found.missing for _, name in each.entries},
        {host for host in BOTH if decide(network(after), Flow(host)).action == "block"},
        {name for each in changes if each.kind == "closed" for _, name in each.due},
        bool(found.beyond),
        decide(network(after), Flow("a.example", address="8.8.8.8")).allows,
        forth,
        back,
    )


def opens_everything(before: Snapshot, after: Snapshot) -> bool:
    return any(each.everything for each in compared(before, after))


def compared(before: Snapshot, after: Snapshot) -> tuple[ComparedPlace, ...]:
    return compared_standing(places_of_stack(before), places_of_stack(after), ((), ()), (), after)


@pytest.mark.parametrize("clients", CLIENTS)
def test_what_is_closed_at_a_named_network_is_so_for_every_question_whoever_holds_it(run: Run, clients: str) -> None:
    stands = good(run, clients)
    told = {name: answers(stands, held(stands, holder, clients)) for name, holder in HOLDERS.items()}
    expected = {
        name: Answers(
            *3 * (set(holder.closed),), *3 * (holder.beyond,), back=holder.shut and clients != "everybody"
        )
        for name, holder in HOLDERS.items()
    }  # fmt: skip
    assert told == expected


@pytest.mark.parametrize("clients", ["a range", "ranges", "an account", "a tag", "lists"])
def test_what_shows_that_a_named_network_is_open_comes_from_a_client_that_is_meant(run: Run, clients: str) -> None:
    stands = good(run, clients)
    (found,) = (each for each in asked(held(stands, HOLDERS["nobody"], clients)) if each.place.name == NETWORK)
    sources = {str(flow.source) for each in found.beyond for flow in each.flows}
    assert sources
    whose = ("10.1.", "10.2.", "10.9.", "fd20:", "account:builds@", "tag:tagValues/1")
    assert all(each.startswith(whose) for each in sources), sources


def test_a_host_that_is_closed_to_some_of_its_clients_alone_is_missing_and_open_to_one_that_gets_through(
    run: Run,
) -> None:
    stands = good(run, "lists")
    deny = rules("deny", whom={"srcIpRanges": ["10.2.0.0/16"]})
    then = Snapshot((*held(stands, HOLDERS["nobody"], "lists").resources, *held_by("theirs", *deny)), "a state")
    (found,) = (each for each in asked(then) if each.place.name == NETWORK)
    assert {entry for each in found.missing for entry, _ in each.entries} == {"runners:registry"}
    place = network(places_of_stack(then))
    verdicts = {source: decide(place, Flow(FIRST, source=source)).action for source in (None, "10.1.0.7", "10.2.0.7")}
    assert verdicts == {None: "allow", "10.1.0.7": "allow", "10.2.0.7": "block"}


def test_two_allowlists_whose_networks_have_each_the_policy_of_the_other_lack_what_that_does_not_allow(
    run: Run,
) -> None:
    other = NETWORK.replace("prod", "lab")
    program = f"Google('c', hosts=both, networks=['{NETWORK}']); Google('d', hosts=one, networks=['{other}'])"
    stands = stand(run, program)
    swap = {NETWORK: other, other: NETWORK}
    crossed = tuple(
        replace(each, properties={**each.properties, "attachmentTarget": swap[each.properties["attachmentTarget"]]})
        if each.type == ASSOCIATION
        else each
        for each in stands.resources
    )
    for resources, missing in ((stands.resources, set()), (crossed, {SECOND})):
        found = {each.place.name: each for each in asked(Snapshot(resources, "a state"))}
        assert {name for each in found[NETWORK].missing for _, name in each.entries} == missing
        assert found[other].missing == ()


DENIED = {
    "account": ({"targetServiceAccounts": ["other@acme.iam.gserviceaccount.com"]}, "the service account other@"),
    "tag": ({"targetSecureTags": [{"name": "tagValues/7"}]}, "the secure tag tagValues/7"),
}


@pytest.mark.parametrize("denied", DENIED)
@pytest.mark.parametrize("clients", CLIENTS)
def test_what_is_denied_to_an_identity_that_no_client_is_said_to_have_is_an_assumption(
    run: Run, clients: str, denied: str
) -> None:
    stands = good(run, clients)
    (policy,) = (each.properties["name"] for each in stands.of_types([POLICY]))
    more, words = DENIED[denied]
    deny = [
        replace(each, properties={**each.properties, "firewallPolicy": policy}) for each in rules("deny", 10, **more)
    ]
    (found,) = asked(Snapshot((*stands.resources, *deny), "a state"))
    said = [each for each in found.assumptions if each.startswith(f"Clients do not have {words}")]
    assert (found.missing, found.unknown) == ((), ())
    impossible = (clients, denied) == ("an account", "account")  # who has an account has no other
    assert len(said) == (not impossible), found.assumptions
    assert all("deny-10" in each for each in said)


@pytest.mark.parametrize("clients", CLIENTS)
def test_what_is_denied_to_every_identity_that_clients_have_is_missing_and_no_assumption(
    run: Run, clients: str
) -> None:
    stands = good(run, clients)
    (policy,) = (each.properties["name"] for each in stands.of_types([POLICY]))
    _, whom, more = CLIENTS[clients]
    deny = [
        replace(each, properties={**each.properties, "firewallPolicy": policy})
        for each in rules("deny", 10, whom=whom, **more)
    ]
    (found,) = asked(Snapshot((*stands.resources, *deny), "a state"))
    assert {name for each in found.missing for _, name in each.entries} == set(BOTH)
    assert [each for each in found.assumptions if each.startswith("Clients do not have")] == []


LAB = NETWORK.replace("prod", "lab")


@pytest.mark.parametrize("lost", [False, True], ids=["associated until then", "association lost before"])
@pytest.mark.parametrize("others", [False, True], ids=["nobody else denies", "VPC rules deny the same"])
def test_a_network_that_an_allowlist_leaves_opens_if_its_policy_was_all_that_denied_there(
    run: Run, lost: bool, others: bool
) -> None:
    program = "Google('c', hosts=both, networks={})"
    both, one = (stand(run, program.format(named)) for named in ([NETWORK, LAB], [NETWORK]))
    theirs = [replace(each, properties={**each.properties, "network": LAB}) for each in firewall("denies")]
    left = [
        each for each in both.resources if not (lost and str(each.properties.get("attachmentTarget")).endswith("/lab"))
    ]
    before, after = (Snapshot((*each, *(theirs if others else ())), "a state") for each in (left, one.resources))
    entries = select("chainguard/images@2024-03-28", ids=["registry", "packages-wolfi"])
    bases, heads = ([state(plan(entries, "gcp:fqdn", networks=named))] for named in ([NETWORK, LAB], [NETWORK]))
    (change,) = diff(bases, heads)
    assert [each.about for each in change.unlisted.opens] == [f"network {LAB}"]
    told = as_it_stands(change, compared(before, after))
    opens = not (lost or others)
    assert [each.about for each in told.unlisted.opens] == [f"network {LAB}"] * opens
    assert opens_everything(before, after) == opens
    assert as_it_stands(change, ()) == change
