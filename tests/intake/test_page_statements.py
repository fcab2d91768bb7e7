"""What a page says beside its tables against their hosts, or beyond them: an error until a reader has settled it."""

import re
import shlex
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from hostgate.catalog.problems import InputError
from hostgate.intake.page import Page, read_page
from hostgate.intake.page_statements import against, inbound

TABLE = "| Hostname | Port | Protocol |\n|---|---|---|\n| a.acme.example | 443 | HTTPS |\n| b.vendor.example | 443 | HTTPS |\n"
BOTH = ["a.acme.example", "b.vendor.example"]

Of = Callable[..., Page]


@pytest.fixture
def of(tmp_path: Path) -> Of:
    """The page that a text makes, read as it is before it is written."""

    def read(text: str, **options: Any) -> Page:  # the options of read_page
        path = tmp_path / "page.md"
        path.write_text(text, "utf-8")
        return read_page(path, "page.md", **{"settled": frozenset(), "names": True, **options})

    return read


def refused(of: Of, text: str, **options: Any) -> list[tuple[str, str]]:
    with pytest.raises(InputError) as error:
        of(text, **options)
    assert all(problem.line and problem.message.isprintable() for problem in error.value.problems)
    return [(problem.rule, problem.message) for problem in error.value.problems]


def subjects(found: list[tuple[str, str]]) -> set[str]:
    """What the errors say to settle them with."""
    settling = (re.search(r"\(--besides (.*)\)\.\Z", message) for _, message in found)
    return {shlex.split(match[1])[0].casefold() for match in settling if match}


def noted(note: str, host: str = "b.vendor.example") -> str:
    head = "| Hostname | Port | Protocol | Notes |\n|---|---|---|---|\n| a.acme.example | 443 | HTTPS | Dashboard |\n"
    return f"{head}| {host} | 443 | HTTPS | {note} |\n"


AGAINST = [
    "Do not allow b.vendor.example.", "Please leave out `b.vendor.example`.", "We no longer operate b.vendor.example.",
    "You can skip b.vendor.example.", "Hosts removed in this version: b.vendor.example.", "b.vendor.example has been retired.",
    "b.vendor.example is no longer needed.", "Never\nopen b.vendor.example.", "There is no need to allow b.vendor.example.",
    "Allow all of these except b.vendor.example:", "Allow everything apart from b.vendor.example.",
    "Use a.acme.example instead of b.vendor.example.", "Only a.acme.example is needed.", "b.vendor.example is optional.",
    "b.vendor.example was switched off in May.", "Some hosts are no longer needed, e.g. b.vendor.example.",
    "b.vendor.example is listed too. It has been retired.", "Nothing below vendor.example is needed.",
    "Not needed any more:\n\n- b.vendor.example", "- Removed:\n  - b.vendor.example", "Removed:\n\n```\nb.vendor.example\n```",
    "```\n# no longer needed\nb.vendor.example\n```", "<!-- b.vendor.example is deprecated -->",
    "<p>Do not allow b.vendor.example.</p>", "> **Warning:** do not open b.vendor.example.", "~~b.vendor.example~~",
    "b.vendor.example connects to you.", "b.vendor.example calls your webhook endpoint.",
    "All but the second of these hosts are required:", "Everything but the second host is required.",
    "The second host is retired.", "The last one is no longer needed.", "Skip the second row.", "You only need the first host.",
    "b.vendor.example → a.acme.example",
    "Not all of these hosts are needed.", "This list is outdated.", "Acme calls your endpoint from these hosts.",
]  # fmt: skip


@pytest.mark.parametrize("text", AGAINST)
@pytest.mark.parametrize("page", ["{text}\n\n{table}", "{table}\n{text}\n", "## Hosts\n\n{table}\n## More\n\n{text}\n"])
def test_text_that_takes_hosts_away_or_turns_them_is_an_error_wherever_it_stands_until_it_is_settled(
    of: Of, text: str, page: str
) -> None:
    written = page.format(text=text, table=TABLE)
    found = refused(of, written)

    assert {rule for rule, _ in found} - {"prose-host"} == {"page-against"}
    assert [host.host for host in of(written, settled=subjects(found)).hosts] == BOTH
    assert "page-against" in {rule for rule, _ in refused(of, written, settled=None)}


@pytest.mark.parametrize(
    "text", ["## Removed hosts\n\n- b.vendor.example", "## Changes\n\n- 2025-01-01: removed b.vendor.example",
             "### b.vendor.example (retired)"],
)  # fmt: skip
def test_a_host_of_the_table_that_is_named_below_such_a_heading_is_an_error(of: Of, text: str) -> None:
    assert {rule for rule, _ in refused(of, f"## Hosts\n\n{TABLE}\n{text}\n")} == {"page-against"}


@pytest.mark.parametrize(
    "text",
    [
        "Make sure that b.vendor.example is not blocked.", "If b.vendor.example cannot be reached, pulls fail.",
        "Pulls fail if b.vendor.example is blocked.", "Do not intercept TLS to b.vendor.example.",
        "b.vendor.example does not support IPv6.", "Without b.vendor.example, pulls do not work.",
        "Both a.acme.example and b.vendor.example are required.", "Either a.acme.example or b.vendor.example is enough.",
        "To avoid errors, allow b.vendor.example.", "You can replace `b.vendor.example:443` with your own deployments.",
        "b.vendor.example is used to download packages.", "b.vendor.example was added in 2024.",
        "No other hosts are needed.", "You do not need to allow any other hosts.",
        "No inbound rules are required for these hosts.", "These hosts do not have fixed IP addresses.",
        "TLS inspection must not be used for these hosts.", "Do not remove these hosts from your allowlist.",
        "If your firewall does not allow these hosts, pulls fail.", "The hosts are listed in no particular order.",
        "```\ncurl -sS --no-progress-meter https://b.vendor.example/ || echo not reachable\n```",
        "Ensure that your firewall allows traffic to and from these hosts, and that it doesn't have rules to block `.dev` domains.",
        "Egress rules allow new traffic to these hosts. Ingress rules allow related and established traffic of these hosts.",
        "Connections from your network to these hosts must be allowed.", "TLS 1.0 is deprecated.",
        "The hosts below have several addresses, which change; do not filter by address.",
    ],
)  # fmt: skip
def test_text_that_says_how_to_reach_them_is_none(of: Of, text: str) -> None:
    assert [host.host for host in of(f"{text}\n\n{TABLE}").hosts] == BOTH
    assert [host.host for host in of(f"{TABLE}\n{text}\n").hosts] == BOTH


@pytest.mark.parametrize(
    "heading",
    [
        "From the internet to the appliance", "Acme to customer", "Acme → your network", "Vendor to client",
        "Connections to your network", "From our cloud to your network", "Hosts that connect to you",
    ],
)  # fmt: skip
def test_a_heading_that_leads_to_the_reader_is_inbound(of: Of, heading: str) -> None:
    text = f"## {heading}\n\n{TABLE}"

    assert {rule for rule, _ in refused(of, text)} == {"page-against"}
    assert {host.direction for host in of(text, sections=[heading]).hosts} == {"ingress"}


@pytest.mark.parametrize(
    "heading",
    [
        "From your network to the internet", "From the appliance to the internet", "Agent to server", "Customer to Acme",
        "Connecting to your account", "Guide to your workspace", "From the command line",
    ],
)  # fmt: skip
def test_a_heading_that_leads_from_the_reader_or_nowhere_is_not(of: Of, heading: str) -> None:
    assert {host.direction for host in of(f"## {heading}\n\n{TABLE}").hosts} == {None}


@pytest.mark.parametrize(
    "note",
    [
        "Deprecated, will go", "shut down, replaced by the dashboard", "connects to you: host of our webhooks",
        "host calls your webhook endpoint", "unused", "Never needed by builds", "Sunset", "obsolete", "decommissioned",
        "no longer served", "moved to another host", "Out of service", "for internal use only", "Gone since May",
    ],
)  # fmt: skip
def test_a_note_against_its_host_is_an_error_until_it_is_settled_for_that_host(of: Of, note: str) -> None:
    ((rule, message),) = found = refused(of, noted(note))

    assert (rule, subjects(found)) == ("page-against", {f"b.vendor.example: {note}".casefold()})
    assert "'b.vendor.example'" in message
    assert len(of(noted(note), settled=subjects(found)).hosts) == 2
    assert refused(of, noted(note, "c.vendor.example"), settled=subjects(found))


@pytest.mark.parametrize(
    "note",
    [
        "and all subdomains", "including every name below", "one for each region", "per region", "wildcard",
        "Replace eu-west-1 with your region", "all hosts below it", "for example", "an example", "and others",
    ],
)  # fmt: skip
def test_a_note_that_asks_for_more_than_its_row_has_is_an_error_until_it_is_settled(of: Of, note: str) -> None:
    found = refused(of, noted(note, "s3.eu-west-1.vendor.example"))

    assert [rule for rule, _ in found] == ["note-says"]
    assert len(of(noted(note, "s3.eu-west-1.vendor.example"), settled=subjects(found)).hosts) == 2


def test_a_note_of_subdomains_asks_for_no_more_than_a_star_has(of: Of) -> None:
    assert len(of(noted("and all subdomains", "*.vendor.example")).hosts) == 2


@pytest.mark.parametrize(
    "text",
    [
        "All subdomains of b.vendor.example are needed too.", "There is one such host for each region.",
        "Every region has its own host.", "Replace eu-west-1 by your region.",
    ],
)  # fmt: skip
def test_text_that_asks_for_more_than_the_table_has_is_an_error_until_it_is_settled(of: Of, text: str) -> None:
    found = refused(of, f"{TABLE}\n{text}\n")

    assert [rule for rule, _ in found] == ["prose-host"]
    assert len(of(f"{TABLE}\n{text}\n", settled=subjects(found)).hosts) == 2


@pytest.mark.parametrize(
    "note",
    [
        "Sign-in to your account", "Where `chainctl` comes from", "Connects your cluster to the dashboard", "Docker Hub",
        "Packages for every architecture", "Push notifications to your devices", "Metrics, optional", "Sends logs to Acme",
    ],
)  # fmt: skip
def test_a_note_of_what_the_host_is_for_is_none(of: Of, note: str) -> None:
    assert len(of(noted(note)).hosts) == 2


def test_a_column_that_nobody_reads_and_that_says_so_is_an_error(of: Of) -> None:
    text = "| Hostname | Port | Protocol | Zone |\n|---|---|---|---|\n| a.acme.example | 443 | HTTPS | no longer needed |\n"

    assert [rule for rule, _ in refused(of, text)] == ["page-columns"]


def test_every_reason_comes_at_once(of: Of) -> None:
    text = (
        f"## Inbound\n\n{noted('unused', 'ssm.REGION.acme.dev')}{noted('x', 'c.acme.dev').splitlines()[-1]}\n\n"
        "Do not allow c.acme.dev.\n\nAllow d.acme.dev and {{ hosts }}.\n"
    )

    assert [rule for rule, _ in refused(of, text)] == [
        "page-against", "page-placeholder", "page-against", "page-against", "page-include", "prose-host",
    ]  # fmt: skip


def test_a_table_without_ports_is_told_with_what_else_is_wrong_with_it(of: Of) -> None:
    text = "| Hostname | Notes |\n|---|---|\n| a.acme.dev | unused |\n| ssm.REGION.acme.dev | x |\n"

    assert [rule for rule, _ in refused(of, text)] == ["page-columns", "page-against", "page-placeholder"]


def test_what_cannot_be_seen_in_a_note_is_not_in_the_message(of: Of) -> None:
    assert {rule for rule, _ in refused(of, noted("un\x1b[2Jused, no longer"))} == {"page-against", "text-character"}


def test_a_name_of_a_row_that_could_not_be_read_is_not_said_to_be_in_no_table(of: Of) -> None:
    text = TABLE.replace("443 | HTTPS |\n| b", "400-500 | HTTPS |\n| b") + "\nAllow a.acme.example on port 400.\n"

    assert [rule for rule, _ in refused(of, text)] == ["page-port"]


def test_a_condition_and_what_is_denied_of_a_host_say_nothing_against_it() -> None:
    assert against("If a firewall blocks it, pulls fail") is None
    assert against("must not be blocked") is None
    assert against("must be blocked") == "blocked"
    assert inbound("no inbound ports") is None


@pytest.mark.parametrize(
    "text",
    [
        "not shut if take one hosts endpoint replace initiat traffic " * 16_000, "These hosts not a. " * 50_000,
        "```\n" + "# x a.acme.example not\n" * 40_000 + "```\n",
        "x " * 200_000 + "these:\n\n" + "- a.acme.example\n" * 20_000,
        "# " + "not " * 100_000 + "\n\n" + "a.acme.example\n\n" * 20_000,
    ],
    ids=["words", "sentences", "comments", "lists", "headings"],
)  # fmt: skip
def test_hostile_text_takes_no_longer_than_its_length_asks_for(of: Of, text: str) -> None:
    start = time.process_time()
    with suppress(InputError):
        of(f"{TABLE}\n{text}")

    assert time.process_time() - start < 40  # seconds; one to eight are measured, and hours where time is quadratic
