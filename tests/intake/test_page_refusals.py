"""Vendors' pages that say more, less or the opposite of what a table of hosts seems to say: refused, never half read.

Each page would open a host that is not asked for, or leave one out, if it were read as far as it can be.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostgate.catalog.model import CatalogRecord
from hostgate.catalog.problems import InputError
from hostgate.intake.cells import Access
from hostgate.intake.page import Page, read_page
from hostgate.intake.page_remarks import open_doubts, settled_subjects

HEAD = "| Hostname | Port | Protocol | Notes |\n|---|---|---|---|\n"
GOOD = "| a.acme.example | 443 | HTTPS | First |\n"
BARE = "| Hostname | Notes |\n|---|---|\n| a.acme.example | First |\n"
READ = ("a.acme.example", 443, "https")
HTTPS = Access(443, "https")

Of = Callable[..., Page]


@pytest.fixture
def of(tmp_path: Path) -> Of:
    """The page that a text makes, read as it is before it is written: what is open is an error."""

    def read(text: str, file: str = "page.md", **options: Any) -> Page:  # the options of read_page
        path = tmp_path / file
        path.write_text(text, "utf-8")
        return read_page(path, file, **{"settled": frozenset(), "names": True, **options})

    return read


def refused(of: Of, text: str, **options: Any) -> list[tuple[str, int | None, str]]:
    with pytest.raises(InputError) as error:
        of(text, **options)
    assert all(problem.message.isprintable() for problem in error.value.problems)
    return [(problem.rule, problem.line, problem.message) for problem in error.value.problems]


def told(page: Page) -> list[tuple[str, int, str]]:
    return [(host.reach, host.port, host.protocol) for host in page.hosts]


def column(title: str, cell: str, port: str = "443", protocol: str = "HTTPS") -> str:
    """The usual table with another column in front of the notes."""
    return (
        f"| Hostname | Port | Protocol | {title} | Notes |\n|---|---|---|---|---|\n"
        f"| a.acme.example | {port} | {protocol} | {cell} | First |\n"
    )


def row(host: str, port: str = "443", protocol: str = "HTTPS", note: str = "x") -> str:
    return f"| {host} | {port} | {protocol} | {note} |\n"


# --- what is assumed


@pytest.mark.parametrize(
    ("header", "cell", "assumed"),
    [
        ("Protocol", "http", HTTPS), ("Protocol", "udp", HTTPS), ("Protocol", "TCP", HTTPS),
        ("Protocol", "HTTP, HTTPS", HTTPS),
        ("Protocol", "https", Access(80, "http")), ("Port", "80", HTTPS), ("Port", "443, 80", HTTPS),
        ("Port", "443/80", HTTPS),
        ("Port", "8443", HTTPS),  ("Port", "80-443", HTTPS), ("Port", "443 (80 for redirect)", HTTPS),
        ("Port", "443 or 80", HTTPS), ("Ports", "443<br>80", HTTPS), ("Port", "443*", HTTPS), ("Port", "443+", HTTPS),
        ("Port", "TCP 443", HTTPS), ("Port", "HTTPS:443", HTTPS), ("Port", "ephemeral", HTTPS), ("Port", "PORT", HTTPS),
        ("Port", "<port>", HTTPS), ("Port", "`<port>`", HTTPS),
    ],
)  # fmt: skip
def test_an_assumption_goes_as_a_whole_or_not_at_all(of: Of, header: str, cell: str, assumed: Access) -> None:
    text = f"| Hostname | {header} |\n|---|---|\n| a.acme.example | {cell} |\n"

    assert {rule for rule, _, _ in refused(of, text, assume=assumed)} <= {"page-port", "page-cell"}


@pytest.mark.parametrize("host", ["a.acme.example:80", "tls://a.acme.example", "udp://a.acme.example"])
def test_half_of_an_access_beside_a_host_is_not_filled_up_with_half_of_an_assumption(of: Of, host: str) -> None:
    assert [rule for rule, _, _ in refused(of, BARE.replace("a.acme.example", host), assume=HTTPS)] == ["page-port"]


@pytest.mark.parametrize(
    ("text", "assumed"),
    [
        (BARE, HTTPS),
        (BARE.replace("a.acme.example", "https://a.acme.example:443"), Access(80, "http")),
        ("| Hostname | Port |\n|---|---|\n| a.acme.example | 443 |\n", HTTPS),
        ("| Hostname | Proto |\n|---|---|\n| a.acme.example | https |\n", HTTPS),
        ("| URL |\n|---|\n| https://a.acme.example |\n", Access(80, "http")),
    ],
)
def test_an_assumption_that_fits_is_taken(of: Of, text: str, assumed: Access) -> None:
    assert told(of(text, assume=assumed)) == [READ]


@pytest.mark.parametrize(
    "text",
    [
        "Allow these over UDP:\n\n" + BARE, "## SSH\n\n" + BARE, "## HTTP (port 80)\n\n" + BARE,
        BARE.replace("Hostname", "Hostname (UDP)"),
        BARE.replace("First", "NTP over UDP"), BARE.replace("First", "HTTP only"),
        BARE.replace("First", "unencrypted http"),
        "| Hostname | UDP ports |\n|---|---|\n| a.acme.example | 443 |\n",
        "| Hostname | TCP ports | UDP ports |\n|---|---|---|\n| a.acme.example | 443 | 53 |\n",
        "Allow on port 8443:\n\n" + BARE, BARE + "\n| Port | Protocol |\n|---|---|\n| 8443 | TCP |\n",
    ],
)  # fmt: skip
def test_what_speaks_otherwise_near_a_table_forbids_to_assume(of: Of, text: str) -> None:
    refused(of, text, assume=HTTPS)


@pytest.mark.parametrize("text", ["Your HTTP proxy must allow:", "HTTP/2 is used.", "TLS 1.3 over TCP:"])
def test_words_of_proxies_and_versions_do_not(of: Of, text: str) -> None:
    assert told(of(f"{text}\n\n{BARE}", assume=HTTPS)) == [READ]


@pytest.mark.parametrize(
    ("port", "protocol"),
    [("80", "HTTPS"), ("443", "HTTP"), ("80, 443", "HTTPS"), ("443", "HTTP/HTTPS"), ("80/https", "TCP")],
)
def test_the_port_of_the_other_protocol_is_an_error(of: Of, port: str, protocol: str) -> None:
    assert "page-port" in [rule for rule, _, _ in refused(of, HEAD + row("a.acme.example", port, protocol))]


def test_ports_that_belong_to_one_protocol_each_go_with_it_in_any_order(of: Of) -> None:
    found = told(of(HEAD + row("a.acme.example", "8443, 8080", "HTTP, HTTPS")))

    assert found == [("a.acme.example", 8443, "https"), ("a.acme.example", 8080, "http")]


# --- columns that are not read


@pytest.mark.parametrize(
    ("title", "cell"),
    [
        ("Ports/Protocol", "443/tcp"), ("Port and protocol", "x"), ("Source port", "any"), ("Puerto", "8443"),
        ("Porta", "x"),
        ("Portnummer", "x"), ("ポート", "x"), ("端口", "x"), ("Transport", "UDP"), ("Layer4 transport", "x"),
        ("Protokoll", "x"),
        ("Flow", "x"), ("Traffic", "x"), ("In/Out", "x"), ("From", "x"), ("To", "x"), ("Source", "your network"),
        ("Destination", "x"), ("Dirección", "x"), ("Richtung", "x"), ("Sens", "x"),
        ("IP addresses", "x"), ("CIDR", "x"), ("Address range", "x"), ("Action", "x"), ("Status", "x"),
        ("Required?", "x"),
        ("Requis", "x"), ("Outbound", "x"),
        ("Firewall", "443/TCP"), ("Firewall", "TCP 443"), ("Firewall", "tcp/8443, udp/8443"), ("Firewall", "8443"),
        ("Layer", "UDP"), ("Layer", "TCP & UDP"), ("Stack", "QUIC"), ("Path", "Inbound"), ("Path", "outgoing"),
        ("Path", "from Acme to you"), ("Who", "Both"), ("Who", "bi-directional"), ("Edge", "192.0.2.0/24"),
        ("Edge", "192.0.2.7, 192.0.2.8"),
        ("Edge", "2001:db8::/32"), ("Verdict", "Block"), ("Verdict", "denied"), ("State of it", "Deprecated"),
        ("Region", "b.acme.example"),
        ("Now", "not required"), ("EU", "`eu.acme.example`<br>eu2.acme.example"), ("Now", "No"),
        ("Access", "HTTPS, port 8443"), ("Access", "ssh (22)"), ("Type", "inbound (from Acme)"), ("Client", "Acme"),
        ("Initiated by", "Acme"), ("Prot.", "udp"), ("UDP port", "53"), ("Now", "❌"),
    ],
)  # fmt: skip
def test_a_column_that_seems_to_decide_and_is_not_read_is_an_error_unless_it_is_named(
    of: Of, title: str, cell: str
) -> None:
    text = column(title, cell)
    found = refused(of, text)

    assert ("page-columns", 1) in [(rule, line) for rule, line, _ in found]
    assert any(title in message or "\\" in message for rule, _, message in found if rule == "page-columns")
    if "acme.example" not in cell:
        assert told(of(text, columns={title: "ignore"})) == [READ]


@pytest.mark.parametrize("title", ["Service", "Usage", "Notes on it", "Description"])
@pytest.mark.parametrize("cell", ["8443/TCP", "Inbound", "UDP", "192.0.2.1"])
def test_notes_that_are_nothing_but_ports_protocols_or_directions_are_no_notes(of: Of, title: str, cell: str) -> None:
    text = f"| Hostname | Port | Protocol | {title} |\n|---|---|---|---|\n| a.acme.example | 443 | HTTPS | {cell} |\n"

    assert "page-columns" in [rule for rule, _, _ in refused(of, text)]


@pytest.mark.parametrize(
    ("title", "cell"),
    [("Region", "eu"), ("#", "1"), ("Since", "2024-01-01"), ("Required for", "pulls"), ("Team", "Platform")],
)
def test_a_column_that_decides_nothing_is_a_finding(of: Of, title: str, cell: str) -> None:
    page = of(column(title, cell))

    assert told(page) == [READ]
    assert [finding.rule for finding in page.findings] == ["unread-column"]


# --- directions


@pytest.mark.parametrize(
    ("cell", "directions"),
    [
        ("Outbound", ["egress"]), ("egress", ["egress"]), ("Outgoing traffic", ["egress"]), ("out", ["egress"]),
        ("Outbound to Acme", ["egress"]), ("from you to Acme", ["egress"]), ("From your network to Acme", ["egress"]),
        ("Inbound", ["ingress"]), ("Ingress", ["ingress"]), ("incoming only", ["ingress"]),
        ("from Acme to you", ["ingress"]),
        ("Inbound from Acme", ["ingress"]), ("Both", ["egress", "ingress"]), ("Bidirectional", ["egress", "ingress"]),
        ("Inbound/Outbound", ["egress", "ingress"]), ("inbound and outbound", ["egress", "ingress"]),
        ("↔", ["egress", "ingress"]),
    ],
)  # fmt: skip
def test_a_direction_column_gives_the_direction(of: Of, cell: str, directions: Sequence[str]) -> None:
    page = of(column("Direction", cell))

    assert [host.direction for host in page.hosts] == directions
    assert [host.as_json()["direction"] for host in page.hosts] == directions


@pytest.mark.parametrize(
    "cell",
    ["", "yes", "Outbound from Acme", "Inbound to Acme", "→", "Acme", "from Acme to Acme", "~~Inbound~~", "see below"],
)
def test_a_direction_that_is_not_plain_is_an_error(of: Of, cell: str) -> None:
    assert [rule for rule, _, _ in refused(of, column("Direction", cell))] in (["page-direction"], ["page-cell"])


@pytest.mark.parametrize(
    "over",
    [
        "## Inbound hosts", "## Ingress", "## Incoming webhooks", "## Inbound and outbound", "## Hosts to block",
        "## Blocked hosts",
        "## Deny list", "## Denylist", "## Blocklist", "## Block", "## Deprecated", "## Legacy hosts",
        "## Hosts no longer required",
        "## Not required", "## Retired endpoints", "## Do not allow", "## Hosts that you don't need", "## Obsolete",
        "Inbound\n-------", "Hosts to deny\n=============", "## Hosts to block\n\n### EU",
        "# Deprecated\n\n## Acme\n\n### Hosts",
        "## Nicht mehr benötigt", "## Eingehend", "Block the following hosts:", "These hosts are deprecated.",
        "The domains below are no longer needed.", "Do not allow these hosts:",
        "Allow inbound traffic from the following hosts:",
        "## Blacklisted", "## Former hosts", "## Discontinued", "## Superseded", "## Sites to restrict",
        "## Traffic from Acme",
        "## Connections from Acme to your network", "Blacklisted hosts:", "The following hosts have been shut down:",
        "These hosts must be blocked by you.", "Prevent access to these hosts:",
        "You can remove these hosts from your allowlist:",
        "<details><summary>Inbound hosts</summary>", "> **Warning**: these hosts are deprecated.",
        "**Hosts to block**", "**Deny list**", "Some words.\n\nDeny these:", "Remove the following from your rules:",
        "<h2>Hosts to block</h2>", "<h2>Inbound hosts</h2>", "<p>These hosts are deprecated.</p>",
    ],
)  # fmt: skip
def test_a_table_below_words_that_say_the_opposite_is_an_error(of: Of, over: str) -> None:
    found = refused(of, f"# Hosts\n\n{HEAD}{row('b.acme.example')}\n{over}\n\n{HEAD}{GOOD}")

    assert [rule for rule, _, _ in found] == ["page-against"]


@pytest.mark.parametrize(
    "over",
    [
        "## Outbound hosts", "# Inbound and outbound\n\n## Outbound", "## Block storage", "## Hosts",
        "Make sure that these hosts are not blocked.", "If your firewall blocks the following hosts, pulls fail.",
        "Your proxy must not block these hosts:", "Ensure that nothing blocks `.dev` domains. You need these hosts:",
        "## Unblock these hosts", "Networks that block outbound traffic must let the following hosts through.",
        "In restricted environments, allow these hosts and no others:",
        "To prevent failures, allow the following hosts.",
        "Pulls fail when the following hosts are blocked.", "Traffic from your network to these hosts:",
    ],
)  # fmt: skip
def test_words_that_only_sound_so_are_no_objection(of: Of, over: str) -> None:
    assert told(of(f"{over}\n\n{HEAD}{GOOD}")) == [READ]


def test_a_section_that_says_the_opposite_is_read_if_it_is_named_and_inbound_stays_inbound(of: Of) -> None:
    text = f"# Acme\n\n## Outbound\n\n{HEAD}{GOOD}\n## Inbound\n\n{HEAD}{row('b.acme.example')}\n"
    text += f"## Legacy\n\n{HEAD}{row('c.acme.example')}"

    assert told(of(text, sections=["Outbound"])) == [READ]
    assert [host.direction for host in of(text, sections=["Inbound"]).hosts] == ["ingress"]
    assert [host.direction for host in of(text, sections=["legacy"]).hosts] == [None]
    assert [rule for rule, _, _ in refused(of, text, sections=["Acme"])] == ["page-against", "page-against"]


@pytest.mark.parametrize(
    "note", ["Inbound webhooks", "Do not allow", "Block this host", "Ingress from Acme", "Must be blocked"]
)
def test_a_note_that_says_the_opposite_is_an_error(of: Of, note: str) -> None:
    assert [rule for rule, _, _ in refused(of, HEAD + GOOD + row("b.acme.example", note=note))] == ["page-against"]


# --- placeholders


@pytest.mark.parametrize(
    "host",
    [
        "ssm.REGION.amazonaws.com", "<location>.acme.example", "`<location>.acme.example`", "{{site}}.acme.example",
        "${VAR}.acme.example",
        "`ssm.[region].amazonaws.com`", "%s.acme.example", "%REGION%.acme.example", "$REGION.acme.example",
        "YOUR-ORG.acme.example",
        "your-org.acme.example", "yourorg.acme.example", "`<your-tenant>.acme.example`", "xxx.acme.example",
        "xxxx-xxxx.acme.example",
        "example.acme.dev", "example.com", "api.example.com", "example-bucket.acme.dev", "{region}.acme.example",
        "#.acme.example",
        "acme-#.acme.example", "ACCOUNT.acme.dev", "X.acme.dev", "mirrorN.acme.dev", "tenant-id.acme.dev",
        "accountId.acme.dev",
        "AccountName.acme.dev", "region.acme.dev", "ssm.region.amazonaws.com", "ssm.*region*.amazonaws.com",
        "ssm._region_.amazonaws.com",
        "ssm.**region**.amazonaws.com", "ssm.<em>region</em>.amazonaws.com", "ssm.<i>region</i>.amazonaws.com",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com", "my-org.acme.dev", "(region).acme.dev", "api.acme.TLD",
        "api.acme.tld",
        "&lt;region&gt;.acme.dev", "https://<host>/", "placeholder.acme.dev", "foo.acme.dev", "@region@.acme.dev",
        "...acme.dev",
        "*.<region>.acme.dev", "*.REGION.acme.dev", "[.replaceable]`region`.acme.dev", "__region__.acme.dev",
        "storage-account-name.acme.dev",
        "ssm.REGION.amazonaws.com:443", "https://ssm.REGION.amazonaws.com", "workspace-id.ods.acme.dev",
        "subdomain.acme.dev",
        "{{< site >}}.acme.dev", "company.acme.dev", "xx.acme.dev", "aa-bb-cccc.acme.dev", "s3-region.amazonaws.com",
        "s3.us-xxxx-1.amazonaws.com",
        "tenant1.acme.dev", "myaccount.blob.core.windows.net", "storageaccountname.blob.core.windows.net",
        "[a-z].acme.dev",
        "{eu,us}.acme.dev", "(eu|us).acme.dev", "<var>region</var>.acme.dev", "abc.acme.dev",
        "00000000-0000-0000-0000-000000000000.acme.dev", "?.acme.dev",
        "a.acme.example1",
    ],
)  # fmt: skip
def test_a_name_with_a_part_to_fill_in_is_no_host(of: Of, host: str) -> None:
    found = refused(of, HEAD + GOOD + row(host))

    assert {line for _, line, _ in found} == {4}


@pytest.mark.parametrize(
    "host",
    [
        "region1.v2.acme.dev", "account.acme.dev", "id.acme.dev", "EnterpriseEnrollment.acme.dev", "CGR.DEV",
        "A.ACME.EXAMPLE",
        "9236a389bd48b984df91adc1bc924620.r2.cloudflarestorage.com", "tenant-a1.edge.tenants.us.acme.dev",
        "customer.io", "www.acme.dev",
        "xn--bcher-kva.example", "eu-west-1.acme.dev", "s3.amazonaws.com", "api.acme-example.com", "user.acme.dev",
        "my.acme.dev",
    ],
)  # fmt: skip
def test_a_name_that_is_one_is_read(of: Of, host: str) -> None:
    assert told(of(HEAD + row(host))) == [(host.lower(), 443, "https")]


def test_a_name_that_only_looks_so_can_be_said_to_be_meant(of: Of) -> None:
    assert told(of(HEAD + row("tenant.acme.dev"), literal=["tenant.acme.dev"])) == [("tenant.acme.dev", 443, "https")]
    assert [rule for rule, _, _ in refused(of, HEAD + row("tenant.acme.dev"), literal=["region.acme.dev"])] == [
        "page-placeholder"
    ]


# --- includes

INCLUDES = [
    ("[!INCLUDE [hosts](../includes/hosts.md)]", "../includes/hosts.md"),
    ("[!include[](hosts.md)]", "hosts.md"),
    ("import Hosts from './_hosts.mdx';", "./_hosts.mdx"),
    ('import { Hosts } from "../hosts"', "../hosts"),
    ("<Hosts product='a' />", "Hosts"),
    ("Then <HostTable/> follows.", "HostTable"),
    ("<Render file='hosts' />", "Render"),
    ("<host-table></host-table>", "host-table"),
    ('--8<-- "hosts.md"', "hosts.md"),
    ("{{< include hosts.md >}}", "include"),
    ("{{% hosts/list %}}", "hosts/list"),
    ("{{< blurb/hosts >}}", "blurb/hosts"),
    ("{{ hosts }}", "hosts"),
    ("{% include hosts.md %}", "hosts.md"),
    ("{%- include_relative hosts.md -%}", "hosts.md"),
    ("{% data reusables.actions.hosts %}", "reusables.actions.hosts"),
    ("{% for host in site.data.hosts %}", "for"),
    ("{! hosts.md !}", "hosts.md"),
    ("{{#include hosts.md}}", "include hosts.md"),
    ("{{> hosts }}", "hosts"),
    (".. include:: hosts.rst", "hosts.rst"),
    (".. literalinclude:: hosts.txt", "hosts.txt"),
    ("```{include} hosts.md\n```", "hosts.md"),
    (":::{include} hosts.md\n:::", "hosts.md"),
    (":::hosts", "hosts"),
    (":::code source='hosts.txt':::", "source='hosts.txt':::"),
    ("::include{file=hosts.md}", "file=hosts.md"),
    ("include::hosts.adoc[]", "hosts.adoc"),
    ("<!--#include virtual='/hosts.html' -->", "/hosts.html"),
    ("<!-- include: hosts.md -->", "hosts.md"),
    ("<iframe src='https://acme.example/hosts'></iframe>", "https://acme.example/hosts"),
    ("<object data='hosts.html'></object>", "hosts.html"),
    ("<embed src='hosts.html'>", "hosts.html"),
    ("<IFRAME SRC='hosts.html'></IFRAME>", "hosts.html"),
    ("@import hosts.md", "hosts.md"),
    ("@include(hosts.md)", "hosts.md"),
    ("!include hosts.md", "hosts.md"),
    ("![[hosts]]", "hosts"),
    ("[[include hosts]]", "hosts"),
    ("{props.hosts}", "props.hosts"),
    ("\\input{hosts}", "hosts"),
    ("<!-- @include: ./hosts.md -->", "./hosts.md"),
    ("[hosts](hosts.md ':include')", "hosts.md"),
    ("@[code](./hosts.txt)", "./hosts.txt"),
    ("<<< @/hosts.txt", "@/hosts.txt"),
    ("!!!include(hosts.md)!!!", "hosts.md"),
    ("<%= hosts %>", "hosts"),
    ("<?php include 'hosts.php'; ?>", "include 'hosts.php';"),
    ("<snippet src='hosts.md'></snippet>", "snippet"),
    ("<HOSTS/>", "HOSTS"),
    ("[!code-json[](hosts.json)]", "hosts.json"),
    ("include hosts.md", "hosts.md"),
    ("%INCLUDE{hosts}%", "hosts"),
]


@pytest.mark.parametrize(("markup", "name"), INCLUDES)
@pytest.mark.parametrize("where", ["above", "below", "in a list", "in a quotation", "commented out"])
def test_text_that_is_taken_in_from_elsewhere_is_an_error_until_somebody_settled_it(
    of: Of, markup: str, name: str, where: str
) -> None:
    if where in ("in a list", "in a quotation", "commented out") and (
        "```" in markup or markup.startswith((":::", "import ", "::", "<!--", "\\", "[include", "<<<", "include"))
    ):
        where = "below"
    placed = {"in a list": f"- {markup}", "in a quotation": f"> {markup}", "commented out": f"<!-- {markup} -->"}.get(
        where, markup
    )
    text = f"{placed}\n\n{HEAD}{GOOD}" if where == "above" else f"{HEAD}{GOOD}\n{placed}\n"
    found = refused(of, text)

    assert ("page-include", 1 if where == "above" else 5) in [(rule, line) for rule, line, _ in found]
    subject = re.search(r"--besides (.*?)\)\.\Z", found[0][2])
    assert subject
    assert name in subject[1].replace("'\"'\"'", "'")


@pytest.mark.parametrize(("markup", "name"), [INCLUDES[0], INCLUDES[4], INCLUDES[11], INCLUDES[15], INCLUDES[22]])
def test_an_include_that_brings_no_host_is_settled_by_its_name(of: Of, markup: str, name: str) -> None:
    assert told(of(f"{HEAD}{GOOD}\n{markup}\n", settled={name.casefold()})) == [READ]


def test_an_include_outside_of_the_sections_that_are_read_is_none_of_theirs(of: Of) -> None:
    text = f"## One\n\n{HEAD}{GOOD}\n## Two\n\n{{{{< hosts >}}}}\n\nAnd b.acme.example.\n"

    assert told(of(text, sections=["One"])) == [READ]
    assert {rule for rule, _, _ in refused(of, text)} == {"page-include", "prose-host"}


@pytest.mark.parametrize(
    "text",
    [
        "[!NOTE]\n> Words.", ":::note\nWords.\n:::", "<Note>\n\nWords.\n\n</Note>",
        "{{< note >}}\nWords.\n{{< /note >}}", "{% note %}Words{% endnote %}",
        "`{{ value }}`", "```\nimport x from 'y'\n{{ value }} <Hosts/>\n```", "<br/>", "<BR>",
        "<details><summary>x</summary>Words</details>",
        "Use `<Tenant>` here.", "A set {1, 2}.", "${{ github.sha }}", "An import from abroad.", "1 < 2 > 0",
    ],
)  # fmt: skip
def test_boxes_and_code_take_nothing_in(of: Of, text: str) -> None:
    assert told(of(f"{HEAD}{GOOD}\n{text}\n")) == [READ]


@pytest.mark.parametrize(
    "note",
    [
        "See [the full list](hosts.md) of hosts",
        "Other hosts: see the endpoints page",
        "Listed in the domains reference",
    ],
)
def test_a_note_that_sends_the_reader_to_other_hosts_is_an_error(of: Of, note: str) -> None:
    assert [rule for rule, _, _ in refused(of, HEAD + row("a.acme.example", note=note))] == ["page-include"]


@pytest.mark.parametrize("cell", ["See [the list](hosts.md)", "[All hosts](hosts.md)", "see below"])
def test_a_host_cell_that_sends_the_reader_elsewhere_is_an_error(of: Of, cell: str) -> None:
    assert {line for _, line, _ in refused(of, HEAD + GOOD + row(cell))} == {4}


# --- names and ports besides the tables


@pytest.mark.parametrize(
    "text",
    [
        "- b.acme.example", "* `b.acme.example`: new", "1. b.acme.example", "Allow b.acme.example too.",
        "```\nb.acme.example\n```",
        "    b.acme.example", "<ul><li>b.acme.example</li></ul>", "<dl><dt>b.acme.example</dt></dl>",
        "b.acme.example\n: the new one",
        "[b.acme.example](https://docs.acme.example/x)", "<https://b.acme.example/>", "https://b.acme.example/v2",
        "- [The API](https://b.acme.example/)",
        "> b.acme.example", "### b.acme.example", "**b.acme.example**", "b\\.acme\\.example", "*.acme.example",
        "B.ACME.EXAMPLE",
        "<b>b.acme.example</b>", "| x | y |\n|---|---|\n| b.acme.example | z |", "| b.acme.example |\n|---|",
        "b.acme.example:443",
        "- git@b.acme.example:org/repo.git", "- b.sh", "https://b.sh/install", "<!-- b.acme.example -->",
        "![b.acme.example](x.png)",
        "~~b.acme.example~~", "<p>b.acme.example</p>", "Term\n\n:   b.acme.example",
        "<details>\n<summary>More</summary>\nb.acme.example\n</details>",
        "[x]: /y 'b.acme.example'\n\n[b.acme.example][x]", "<code>b.acme.example</code>", "+ b<wbr>.acme.example",
    ],
)  # fmt: skip
def test_a_host_that_stands_anywhere_else_on_the_page_is_an_error_until_somebody_settled_it(of: Of, text: str) -> None:
    found = refused(of, f"{HEAD}{GOOD}\n{text}\n")

    assert {rule for rule, _, _ in found} <= {"prose-host", "page-columns"}
    assert any(
        "b.acme.example" in message or "b.sh" in message or "*.acme.example" in message for _, _, message in found
    )


@pytest.mark.parametrize("address", ["192.0.2.7", "192.0.2.0/24", "2001:db8::/32"])
def test_an_address_in_the_text_is_an_error_until_somebody_settled_it(of: Of, address: str) -> None:
    text = f"{HEAD}{GOOD}\n- {address}\n"

    assert [rule for rule, _, _ in refused(of, text)] == ["prose-host"]
    assert told(of(text, settled={address})) == [READ]


@pytest.mark.parametrize(
    "text", ["127.0.0.1", "169.254.169.254", "0.0.0.0/0", "::1/128", "1.2.3", "10:30", "v1.2.3.4.5"]
)
def test_addresses_of_the_host_itself_and_other_numbers_are_none(of: Of, text: str) -> None:
    assert told(of(f"{HEAD}{GOOD}\n- {text}\n")) == [READ]


@pytest.mark.parametrize(
    "text",
    [
        "See [the guide](https://docs.widgets.example/guide).", "[Acme](https://acme.example)",
        "- [A guide](https://docs.widgets.example/guide)",
        '<a href="https://docs.widgets.example/">docs</a>',
        '<div>\n<a href="https://docs.widgets.example/">docs</a>\n</div>', "[x]: https://b.acme.example/y",
        "Mail help@acme.example.", "See README.md and node.js.", "And a.acme.example again.",
        "curl https://a.acme.example/v2/",
    ],
)  # fmt: skip
def test_where_links_lead_and_what_the_table_has_is_no_other_host(of: Of, text: str) -> None:
    assert told(of(f"{HEAD}{GOOD}\n{text}\n")) == [READ]


@pytest.mark.parametrize(
    "note",
    [
        "uses HTTP/TCP 80 and HTTPS/TCP 443", "TCP 80 and 443", "also port 8443", "ports 443, 80",
        "Ports 443 and 8443", "80/tcp too",
        "HTTP (80) for redirects", "UDP:443", "ports 8000-8010", "HTTPS 8443", "tcp/5671", "Port: 9093",
    ],
)  # fmt: skip
def test_another_port_in_a_note_or_in_the_text_is_an_error_until_somebody_settled_it(of: Of, note: str) -> None:
    in_note = refused(of, HEAD + GOOD + row("b.acme.example", note=note))
    in_text = refused(of, f"{HEAD}{GOOD}\nWhat it is: {note}.\n")

    assert {rule for rule, _, _ in in_note} == {"note-says"}
    assert {rule for rule, _, _ in in_text} == {"prose-port"}
    named = (re.search(r"--besides b\.acme\.example:([0-9]+(?:/udp)?)", message) for _, _, message in in_note)
    settled = {f"b.acme.example:{match[1]}" for match in named if match}
    assert len(of(HEAD + GOOD + row("b.acme.example", note=note), settled=settled).hosts) == 2


@pytest.mark.parametrize(
    "note", ["TLS 1.2", "HTTP/2", "HTTP 404 is fine", "TCP 443", "RFC 7627", "SHA-256", "port 443", "3600 s"]
)
def test_numbers_that_are_no_other_port_are_none(of: Of, note: str) -> None:
    assert len(of(HEAD + GOOD + row("b.acme.example", note=note) + f"\n{note}\n").hosts) == 2


def test_what_a_catalog_settles_is_its_list_and_its_misprints() -> None:
    record = CatalogRecord.model_validate({
        "catalog": "acme/a", "besides": ["*.Acme.example", "port 80"],
        "entries": [
            {"id": "a", "host": "a.acme.example", "port": 443, "protocol": "https"},
            {"id": "b", "host": "b.acme.example", "match": "subtree", "port": 443, "protocol": "https", "status": "mistaken"},
        ],
    })  # fmt: skip

    assert settled_subjects(record, ["X"]) == {"*.acme.example", "port 80", "*.b.acme.example", "x"}
    assert list(open_doubts([], frozenset())) == []


# --- other formats


@pytest.mark.parametrize(
    ("found", "file", "text"),
    [
        ("AsciiDoc", "page.adoc", "= Hosts\n\n|===\n|Host |Port\n\n|a.acme.example |443\n|===\n"),
        ("AsciiDoc", "page.md", "= Hosts\n\n[cols=2]\n|===\n|Host |Port\n" + "|a.acme.example |443\n" * 31 + "|===\n"),
        ("AsciiDoc", "page.adoc", "= Hosts\n\n* a.acme.example\n"),
        ("JSON", "page.json", '{"hosts": ["a.acme.example"]}'),
        ("JSON", "page.md", '[\n  {"host": "a.acme.example"}\n]\n'),
        ("JSON", "page.txt", '{"host": "a.acme.example"}\n{"host": "b.acme.example"}\n'),
        ("YAML", "page.yaml", "hosts:\n  - a.acme.example\n"),
        ("YAML", "page.md", "# hosts\nhosts:\n  - host: a.acme.example\n    port: 443\n"),
        ("CSV", "page.csv", "host,port\na.acme.example,443\n"),
        ("CSV", "page.md", "host;port\na.acme.example;443\nb.acme.example;443\n"),
        ("HTML", "page.html", "<p>a.acme.example</p>"),
        ("HTML", "page.md", "<!DOCTYPE html>\n<html><body><table><tr><td>a.acme.example</td></tr></table></body></html>\n"),
        ("XML", "page.md", "<?xml version='1.0'?>\n<hosts><host>a.acme.example</host></hosts>\n"),
        ("reStructuredText", "page.rst", "Hosts\n=====\n\na.acme.example\n"),
        ("reStructuredText", "page.md", "Hosts\n=====\n\n.. list-table::\n\n   * - a.acme.example\n     - 443\n"),
        ("reStructuredText", "page.md", "+------+\n| Host |\n+======+\n| a.acme.example |\n+------+\n"),
        ("reStructuredText", "page.md", "============== ====\nHost           Port\n============== ====\na.acme.example 443\n"),
        ("MediaWiki", "page.md", "{| class='wikitable'\n! Host !! Port\n|-\n| a.acme.example || 443\n|}\n"),
        ("Org", "page.md", "| Host | Port |\n|------+------|\n| a.acme.example | 443 |\n"),
        ("Confluence markup", "page.md", "|| Host || Port ||\n| a.acme.example | 443 |\n"),
        ("PDF", "page.pdf", "%PDF-1.7\n"),
    ],
)  # fmt: skip
def test_another_format_is_named_in_one_message(of: Of, found: str, file: str, text: str) -> None:
    ((rule, _, message),) = refused(of, text, file=file)

    assert rule == "page-format"
    assert f"Found {found}" in message


def test_a_markdown_table_counts_whatever_the_file_is_called(of: Of) -> None:
    assert told(of(HEAD + GOOD, file="page.txt")) == told(of(HEAD + GOOD, file="page.html")) == [READ]


# --- forms of hosts and of tables


@pytest.mark.parametrize(
    "text",
    [
        HEAD + row("*cgr.dev"), HEAD + row("cgr.dev/*"), HEAD + row("https://cgr.dev:8443/v2"), HEAD + row("cgr.*"),
        HEAD + row("*"),
        HEAD + row("*.*.cgr.dev"), HEAD + row("a*.cgr.dev"), HEAD + row("192.0.2.0/24"), HEAD + row("2001:db8::1"),
        HEAD + row("[2001:db8::1]:443"),
        HEAD + row("a.cgr.dev b.cgr.dev"), HEAD + row("a.cgr.dev / b.cgr.dev"), HEAD + row("a.cgr.dev and b.cgr.dev"),
        HEAD + row("a.cgr.dev (new)"), HEAD + row("a.cgr.dev[^1]"), HEAD + row("a.cgr.dev<sup>1</sup>"),
        HEAD + row("a.cgr.dev¹"),
        HEAD + row("a.cgr.dev †"), HEAD + row("a.cgr.dev \\*"), HEAD + row("a.cgr.dev^1^"),
        HEAD + row("~~a.cgr.dev~~"), HEAD + row("<del>a.cgr.dev</del>"),
        HEAD + row("<s>a.cgr.dev</s>"),
        HEAD + GOOD + "<!-- " + row("b.acme.example").strip() + " -->\n" + row("c.acme.example"),
        HEAD + GOOD + "\n" + row("b.acme.example"), HEAD + GOOD + "\n---\n\n" + row("b.acme.example"),
        HEAD + GOOD + "\n# More\n" + row("b.acme.example"),
        HEAD + "| **EU** | | | |\n" + GOOD,
        HEAD + GOOD + "| Hostname | Port | Protocol | Notes |\n" + row("b.acme.example"),
        HEAD + GOOD + "| | 443 | HTTPS | the same |\n", HEAD + GOOD + '| b.acme.example | " | " | x |\n',
        HEAD + GOOD + "| b.acme.example |\n",
        row("b.acme.example") + "|---|---|---|---|\n" + GOOD, "| | | | |\n|---|---|---|---|\n" + GOOD,
        row("b.acme.example") + "|---|---|---|---|\n",
        HEAD.replace("Hostname", "Hostname (b.acme.example)") + GOOD, "a.acme.example | 443\nb.acme.example | 443\n",
        HEAD + row("a.cgr.dev or higher"),
        HEAD + row("`a.cgr.dev` `b.cgr.dev`"), HEAD + row("a.cgr.dev–b.cgr.dev"), HEAD + row("a..cgr.dev"),
        HEAD + row("-"), HEAD + row("n/a"),
    ],
)  # fmt: skip
def test_odd_forms_of_hosts_and_tables_are_errors(of: Of, text: str) -> None:
    refused(of, text)


# --- one odd element in any page

ODD = [
    "- b.acme.example", "Allow b.acme.example.", "```\nb.acme.example\n```", "<p>b.acme.example</p>",
    "[!INCLUDE [x](hosts.md)]",
    "{{< hosts >}}", "import Hosts from './hosts.mdx'", "<Hosts/>", '--8<-- "hosts.md"', "{% include hosts.md %}",
    ".. include:: hosts.rst",
    f"## Hosts to block\n\n{HEAD}{row('b.acme.example')}", f"## Inbound\n\n{HEAD}{row('b.acme.example')}",
    f"Block these hosts:\n\n{HEAD}{row('b.acme.example')}", HEAD + row("b.REGION.acme.dev"),
    HEAD + row("<site>.acme.example"),
    HEAD + row("your-org.acme.example"), HEAD + row("b.acme.example", note="also TCP 80"),
    HEAD + row("b.acme.example", "80-443"),
    HEAD + row("~~b.acme.example~~"), HEAD + row("b.*.acme.example"), HEAD + row("192.0.2.0/24"), row("b.acme.example"),
    column("Direction", "Inbound").replace("a.acme", "b.acme"), column("Flow", "Inbound").replace("a.acme", "b.acme"),
    column("Zone", "8443/tcp").replace("a.acme", "b.acme"), "<table><tr><td>b.acme.example</td></tr></table>",
    "|===\n|b.acme.example |443\n|===",
    "All hosts need port 8443 too.", "[b.acme.example](https://docs.acme.example/x)", "b.acme.example\n: new",
]  # fmt: skip


@settings(max_examples=120)
@given(
    names=st.lists(
        st.from_regex(r"[a-z]{4,9}\.(widgets|gadgets)\.example", fullmatch=True), min_size=1, max_size=5, unique=True
    ),
    odd=st.sampled_from(ODD),
    at=st.integers(0, 3),
    heading=st.sampled_from(["", "# Hosts\n\n", "# Acme\n\n## What to allow\n\n"]),
)
def test_a_page_with_one_odd_element_is_refused_or_read_to_the_truth(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], odd: str, at: int, heading: str
) -> None:
    table = f"{heading}{HEAD}" + "".join(row(name) for name in names)
    parts = [table, "Words about it.\n", "- a list\n"]
    parts.insert(at, f"{odd}\n")
    path = tmp_path_factory.mktemp("page") / "page.md"
    path.write_text("\n".join(parts), "utf-8")
    try:
        page = read_page(path, "page.md", settled=frozenset(), names=True)
    except InputError:
        return
    opened = {(host.reach, host.port, host.protocol) for host in page.hosts if host.direction != "ingress"}
    assert opened == {(name, 443, "https") for name in names}
