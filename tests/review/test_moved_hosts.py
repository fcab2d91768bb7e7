"""Hosts by address that pass on one side alone: asked once of flows that are alike, as if each was asked."""

from hypothesis import given
from hypothesis import strategies as st

from hostgate.flows.address_sets import networks, symbol
from hostgate.flows.flow import Flow, is_identity
from hostgate.flows.intervals import Intervals
from hostgate.flows.names import NameTest
from hostgate.flows.steps import Box, ClientTest, Place, Stage, Step
from hostgate.review.moved_hosts import answered, passing_alone

ADDRESSES = ("203.0.113.7", "203.0.113.8", "198.51.100.9", "2001:db8::7", "2001:db8::8")
RANGES = (
    "203.0.113.0/24",
    "203.0.113.8/32",
    "198.51.100.0/24",
    "2001:db8::/32",
    "2001:db8::7/128",
    "0.0.0.0/0",
    "::/0",
)
HOSTS = ("a.example", "b.example")
CLIENTS = (None, "10.0.0.7", "fd00::7", "account:builds@acme.iam.gserviceaccount.com")

boxes = st.builds(
    Box,
    address=st.one_of(st.sets(st.sampled_from(RANGES), min_size=1).map(networks), st.just(symbol("pl-1"))),
    port=st.sampled_from([Intervals.of([(443, 443)]), Intervals.of([(0, 65_535)])]),
    dialled=st.one_of(st.none(), st.sampled_from(HOSTS).map(lambda host: (NameTest("exact", host),))),
    client=st.one_of(
        st.just(ClientTest()),
        st.just(ClientTest(addresses=networks(["10.0.0.0/8"]))),
        st.just(ClientTest(identities=frozenset({str(CLIENTS[-1])}))),
    ),
)
steps = st.builds(
    Step, action=st.sampled_from(["allow", "block"]), rule=st.sampled_from("xyz"), why=st.just(""), box=boxes
)
END = Step(action="block", rule="", why="nothing allows it")
places = st.lists(steps, max_size=4).map(lambda those: Place("gcp:fqdn", "vpc", (Stage("policy", tuple(those), END),)))
addresses = st.frozensets(st.sampled_from(ADDRESSES))
known = st.dictionaries(st.tuples(st.sampled_from(HOSTS), st.sampled_from([443, 22]), st.just("tcp")), addresses)


@given(places, places, known, known)
def test_the_hosts_are_those_that_are_found_by_asking_each(
    here: Place,
    other: Place,
    its: dict[tuple[str, int, str], frozenset[str]],
    others: dict[tuple[str, int, str], frozenset[str]],
) -> None:
    def passes_alone(flow: Flow) -> bool:
        mine, theirs = (answered(each, flow).action for each in (here, other))
        return mine != "block" and theirs != "allow" and mine != theirs

    found = dict(passing_alone(here, other, its, others, CLIENTS))
    wanted = {
        host
        for (host, port, protocol), those in its.items()
        for address in those & others.get((host, port, protocol), those)
        for source in CLIENTS
        if source is None or is_identity(source) or (":" in source) is (":" in address)
        if passes_alone(Flow(host, port, protocol, address=address, source=source))
    }
    assert found.keys() == wanted
    assert all(passes_alone(flow) for flow in found.values())
