"""What the ways of mechanisms rest on: every way says it, with who says so and when that was read."""

import re
from datetime import date

import pytest

from hostgate.planning.mechanism import Means, mechanism, targets

every_way = pytest.mark.parametrize(
    "means", [means for target in targets() for means in mechanism(target).means], ids=lambda means: means.name
)


@every_way
def test_every_way_says_what_it_needs_opens_and_costs_and_who_says_so(means: Means) -> None:
    assert means.needs
    assert means.opens
    assert means.costs
    for claim in (*means.needs, *means.opens, *means.costs, means.evidence):
        assert claim.source
        assert date.fromisoformat(claim.date)


@every_way
def test_costs_are_units_and_never_money(means: Means) -> None:
    for claim in means.costs:
        assert claim.text.startswith(("1 ", "nothing "))
        assert not {"$", "USD", "EUR"} & set(claim.text.split())


@every_way
def test_a_way_that_was_tried_names_the_software_and_its_version(means: Means) -> None:
    assert means.evidence.kind == "documented" or re.search(r"\d+\.\d+", means.evidence.source)


def test_what_packets_were_replayed_for_is_tried_and_what_no_software_answers_for_is_documented() -> None:
    kinds = {target: {means.evidence.kind for means in mechanism(target).means} for target in targets()}
    assert kinds["aws:rules"] == kinds["aws:domain-list"] == {"tried"}
    assert kinds["aws:dns-firewall"] == kinds["gcp:fqdn"] == kinds["gcp:web-proxy"] == {"documented"}
    assert kinds["azure:application-rules"] == {"documented"}
