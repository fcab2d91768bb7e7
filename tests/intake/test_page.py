"""Vendors' pages in forms good and bad: read as a whole, or refused with a rule; never more hosts than a table has."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostgate.catalog.problems import InputError
from hostgate.intake.cells import Access
from hostgate.intake.page import Page, read_page
from hostgate.intake.page_remarks import REMARKS

HEAD = "| Hostname | Port | Protocol | Notes |\n|---|---|---|---|\n"
GOOD = "| a.acme.example | 443 | HTTPS | First |\n"
READ = ("a.acme.example", 443, "https")

Of = Callable[..., Page]


@pytest.fixture
def of(tmp_path: Path) -> Of:
    """The page that a text, or rows below the usual header, make."""

    def read(text: str | bytes, **options: Any) -> Page:  # the options of read_page
        path = tmp_path / "page.md"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_page(path, "page.md", **options)

    return read


def row(host: str, port: str = "443", protocol: str = "HTTPS", note: str = "x") -> str:
    return f"| {host} | {port} | {protocol} | {note} |\n"


def told(page: Page) -> list[tuple[str, int, str]]:
    return [(host.reach, host.port, host.protocol) for host in page.hosts]


def rules(error: InputError) -> list[str]:
    return [problem.rule for problem in error.problems]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("plain", HEAD + GOOD),
        ("no newline at the end", HEAD + GOOD.rstrip()),
        ("no closing bar", HEAD + GOOD.rstrip("|\n ") + "\n"),
        ("no outer bars", "Hostname | Port | Protocol\n--- | --- | ---\na.acme.example | 443 | HTTPS\n"),
        ("windows lines", (HEAD + GOOD).replace("\n", "\r\n")),
        ("old mac lines", (HEAD + GOOD).replace("\n", "\r")),
        ("byte order mark", "\ufeff" + HEAD + GOOD),
        ("front matter that looks like a heading", "---\ntitle: b.acme.example\n---\n" + HEAD + GOOD),
        ("in a quotation", "> " + (HEAD + GOOD).strip().replace("\n", "\n> ") + "\n"),
        ("in details", "<details>\n\n" + HEAD + GOOD + "\n</details>\n"),
        ("bar in a note", HEAD + GOOD.replace("First", "this \\| that")),
        ("a very long note", HEAD + GOOD.replace("First", "x" * 500_000)),
        ("renamed headings", (HEAD + GOOD).replace("Hostname", "DNS Host Name").replace("Notes", "What is the purpose?")),
        ("reordered", "| Protocol | Notes | Port | FQDN |\n|:-:|-|-|-|\n| HTTPS | x | 443 | a.acme.example |\n"),
        ("back-ticks", HEAD + GOOD.replace("a.acme.example", "`a.acme.example`")),
        ("bold", HEAD + GOOD.replace("a.acme.example", "**a.acme.example**")),
        ("upper case", HEAD + GOOD.replace("a.acme", "A.ACME")),
        ("a link to itself", HEAD + GOOD.replace("a.acme.example", "[a.acme.example](https://a.acme.example/docs)")),
        ("an automatic link", HEAD + GOOD.replace("a.acme.example", "<https://a.acme.example/>")),
        ("with scheme", HEAD + GOOD.replace("a.acme.example", "https://a.acme.example")),
        ("with port", HEAD + GOOD.replace("a.acme.example", "a.acme.example:443")),
        ("protocol by its layers", HEAD + GOOD.replace("HTTPS", "HTTPS (TLS/TCP)")),
        ("port with transport", HEAD + GOOD.replace("443", "443/tcp")),
        ("only addresses with a scheme", "| URL |\n|---|\n| https://a.acme.example |\n"),
    ],
)  # fmt: skip
def test_the_one_host_of_the_page_is_read(of: Of, name: str, text: str) -> None:
    del name
    assert told(of(text)) == [READ]


@pytest.mark.parametrize("star", ["*.{}", "\\*.{}", "`*.{}`", "`\\*.{}`", "&#42;.{}", "**.{}"])
def test_a_star_in_front_becomes_the_match_kind_and_a_finding(of: Of, star: str) -> None:
    page = of(HEAD + row(star.format("acme.example")))

    assert [(host.host, host.match) for host in page.hosts] == [("acme.example", "subtree")]
    assert [finding.rule for finding in page.findings] == ["star"]


@pytest.mark.parametrize(
    ("port", "protocol", "found"),
    [
        ("443, 8443", "HTTPS", [(443, "https"), (8443, "https")]),
        ("443 8443", "HTTPS", [(443, "https"), (8443, "https")]),
        ("80/443", "HTTP/HTTPS", [(80, "http"), (443, "https")]),
        ("443, 80", "HTTP, HTTPS", [(443, "https"), (80, "http")]),
        ("80 and 443", "HTTP and HTTPS", [(80, "http"), (443, "https")]),
        ("53", "TCP/UDP", [(53, "tcp"), (53, "udp")]),
        ("22", "SSH", [(22, "tcp")]),
        ("123/udp", "UDP", [(123, "udp")]),
        ("443/https", "TCP", [(443, "https")]),
    ],
)
def test_port_lists_are_one_host_for_each_port(
    of: Of, port: str, protocol: str, found: Sequence[tuple[int, str]]
) -> None:
    assert [(host.port, host.protocol) for host in of(HEAD + row("a.acme.example", port, protocol)).hosts] == found


@pytest.mark.parametrize("cell", ["a.acme.example<br>b.acme.example", "a.acme.example, b.acme.example"])
def test_several_hosts_of_a_cell_are_each_read(of: Of, cell: str) -> None:
    assert [host.host for host in of(HEAD + row(cell)).hosts] == ["a.acme.example", "b.acme.example"]


@pytest.mark.parametrize(
    ("cell", "families"),
    [
        ("v4", ("ipv4",)), ("IPv6", ("ipv6",)), ("v4 & v6", ("ipv4", "ipv6")), ("IPv4/IPv6", ("ipv4", "ipv6")),
        ("both", ("ipv4", "ipv6")), ("v6, v4", ("ipv4", "ipv6")), ("", None),
    ],
)  # fmt: skip
def test_an_ip_column_gives_address_families(of: Of, cell: str, families: tuple[str, ...] | None) -> None:
    text = (
        f"| Hostname | Port | Protocol | IP version |\n|---|---|---|---|\n| a.acme.example | 443 | HTTPS | {cell} |\n"
    )

    assert of(text).hosts[0].families == families


def test_an_international_name_is_read_as_its_a_labels(of: Of) -> None:
    assert told(of(HEAD + row("bücher.example"))) == [("xn--bcher-kva.example", 443, "https")]


@pytest.mark.parametrize(
    ("rule", "line", "text"),
    [
        ("page-html-table", 1, "<table><tr><td>a.acme.example</td></tr></table>\n"),
        ("page-broken-table", 4, "<div>\n" + HEAD + GOOD + "</div>\n"),
        ("page-broken-table", 5, HEAD + GOOD + "\n" + row("b.acme.example")),
        ("page-broken-table", 3, HEAD.replace("---|---|---|---", "---|---|---") + GOOD),
        ("page-broken-table", 4, "```\n" + HEAD + GOOD + "```\n"),
        ("page-broken-table", 8, HEAD + GOOD + "\n```\n" + HEAD + row("b.acme.example")),
        ("page-broken-table", 7, HEAD + GOOD + "\ntext\n\n    " + row("b.acme.example")),
        ("page-broken-table", 3, ">" * 150 + (HEAD + GOOD).strip().replace("\n", "\n" + ">" * 150) + "\n"),
        ("page-row", 3, HEAD + GOOD.rstrip() + " surplus |\n"),
        ("page-empty-table", 5, HEAD + GOOD + "\n" + HEAD),
        ("page-columns", 1, "| Where | Port | Protocol |\n|---|---|---|\n| a.acme.example | 443 | HTTPS |\n"),
        ("page-columns", 1, "| Hostname | Domain | Port | Protocol |\n|-|-|-|-|\n| a.b.example | b.example | 443 | TLS |\n"),
        ("page-columns", 1, "| Hostname | Notes |\n|---|---|\n| a.acme.example | x |\n"),
        ("page-without-hosts", None, "# Hosts\n\nAllow `a.acme.example` on port 443.\n"),
        ("page-without-hosts", None, "| Cipher | Bits |\n|---|---|\n| AES | 256 |\n"),
        ("file-empty", None, " \n\n"),
        ("page-brackets", None, HEAD + GOOD + "[" * 20_000),
        ("page-contradiction", 3, HEAD + row("a.acme.example:8443")),
        ("page-contradiction", 3, HEAD + row("http://a.acme.example", "80")),
        ("page-contradiction", 3, HEAD + row("http://a.acme.example", "443", "HTTP")),
        ("page-port", 3, HEAD + row("a.acme.example", "8000-8010", "TCP")),
        ("page-port", 3, HEAD + row("a.acme.example", "any", "TCP")),
        ("page-port", 3, HEAD + row("a.acme.example", "*", "TCP")),
        ("page-port", 3, HEAD + row("a.acme.example", "")),
        ("page-port", 3, HEAD + row("a.acme.example", "0")),
        ("page-port", 3, HEAD + row("a.acme.example", "65536")),
        ("page-port", 3, HEAD + row("a.acme.example", "443/udp")),
        ("page-port", 3, HEAD + row("a.acme.example", "443, 80, 22", "HTTPS, HTTP")),
        ("page-port", 3, HEAD + row("a.acme.example:99999")),
        ("page-protocol", 3, HEAD + row("a.acme.example", "443", "QUIC")),
        ("page-protocol", 3, HEAD + row("a.acme.example", "443", "HTTP/2")),
        ("page-protocol", 3, HEAD + row("a.acme.example", "443", "")),
        ("page-host", 3, HEAD + row("")),
        ("page-host", 3, HEAD + row("~~a.acme.example~~")),
        ("page-host", 3, HEAD + row("a.acme.example<sup>1</sup>")),
        ("page-host", 3, HEAD + row("![a.acme.example](a.png)")),
        ("page-host", 3, HEAD + row("[a.acme.example](https://b.acme.example)")),
        ("page-host", 3, HEAD + row("ftp://a.acme.example")),
        ("page-cell", 3, HEAD + row("a.acme.example", "~~443~~")),
        ("host-star", 3, HEAD + row("a.*.acme.example")),
        ("host-star", 3, HEAD + row("*acme.example")),
        ("host-star", 3, HEAD + row("*")),
        ("host-single-label", 3, HEAD + row("*.dev")),
        ("host-public-suffix", 3, HEAD + row("*.co.uk")),
        ("host-empty-label", 3, HEAD + row("*.acme.example*")),
        ("host-empty-label", 3, HEAD + row(".acme.example")),
        ("host-path", 3, HEAD + row("https://a.acme.example/v2/")),
        ("host-ip-literal", 3, HEAD + row("192.0.2.1")),
        ("host-path", 3, HEAD + row("192.0.2.0/24")),
        ("host-space", 3, HEAD + row("a.acme.example or b.acme.example")),
        ("host-space", 4, HEAD + GOOD + "Note: text that Markdown takes into the table\n"),
        ("host-trailing-dot", 3, HEAD + row("a.acme.example.")),
        ("host-control-character", 3, HEAD + row("a.acme\x1b[31m.example")),
        ("host-character", 3, HEAD + row("a.acme.example[^1]")),
        ("host-look-alike", 3, HEAD + row("сgr.dev")),
        ("host-idna", 3, HEAD + row("cgr\u200b.dev")),
        ("host-too-long", 3, HEAD + row("a." * 100_000 + "example")),
        ("text-character", 3, HEAD + row("a.acme.example", note="\x1b[2J")),
        ("page-families", 3, "| Host | Port | Protocol | IP |\n|-|-|-|-|\n| a.acme.example | 443 | HTTPS | v5 |\n"),
        (
            "page-contradiction", 4,
            "| Host | Port | Protocol | IP |\n|-|-|-|-|\n| a.acme.example | 443 | HTTPS | v4 |\n"
            "| a.acme.example | 443 | HTTPS | v6 |\n",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_an_error_with_its_line(of: Of, rule: str, line: int | None, text: str) -> None:
    with pytest.raises(InputError) as refused:
        of(text)

    assert (rule, line) in [(problem.rule, problem.line) for problem in refused.value.problems]
    assert all(problem.message.isprintable() for problem in refused.value.problems)


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"\xff" + HEAD.encode(), "file-not-utf8"),
        (b"a\0b", "file-binary"),
        (b"x" * (1024 * 1024 + 1), "file-too-large"),
    ],
)
def test_a_file_that_is_no_page_is_refused(of: Of, data: bytes, rule: str) -> None:
    with pytest.raises(InputError) as refused:
        of(data)

    assert rules(refused.value) == [rule]


@pytest.mark.parametrize(("name", "rule"), [("none.md", "file-unreadable"), (".", "file-is-folder")])
def test_a_path_that_leads_to_no_file_is_refused(tmp_path: Path, name: str, rule: str) -> None:
    with pytest.raises(InputError) as refused:
        read_page(tmp_path / name)

    assert rules(refused.value) == [rule]


def test_all_errors_of_a_page_come_at_once(of: Of) -> None:
    with pytest.raises(InputError) as refused:
        of(HEAD + row("a.*.example", "any", "QUIC") + row("b.acme.example", "0"))

    assert sorted(rules(refused.value)) == ["host-star", "page-port", "page-port", "page-protocol"]


FINDINGS = [
    ("prose-host", "Allow `b.acme.example` too."),
    ("prose-host", "Allow *.acme.example too."),
    ("prose-host", "```\ncurl https://b.acme.example/x | sh\n```"),
    ("prose-host", "<!--\n" + HEAD + row("b.acme.example") + "-->"),
    ("prose-host", "<!--\n<table>\n<tr><td>b.acme.example</td></tr>\n</table>\n-->"),
    ("prose-port", "Open a.acme.example:8443."),
    ("page-include", "{{< blurb/hosts >}}"),
    ("page-include", "{% include hosts.md %}"),
    ("unread-table", "| Cipher | Bits |\n|---|---|\n| AES | 256 |"),
]


@pytest.mark.parametrize(("rule", "text"), FINDINGS)
def test_what_the_text_says_besides_is_a_finding_and_no_host(of: Of, rule: str, text: str) -> None:
    page = of(HEAD + GOOD + "\n" + text + "\n")

    assert told(page) == [READ]
    assert [finding.rule for finding in page.findings] == [rule]


@pytest.mark.parametrize(
    ("rule", "rows"),
    [
        ("duplicate-row", GOOD),
        ("duplicate-row", GOOD.replace("First", "Second")),
        ("near-miss", row("aa.acme.example")),
        ("odd-key", row("9236a389bd48b98df91adc1bc924620.acme.example")),
        ("note-says", row("mirror.acme.example", note="Optional, for metrics")),
        ("note-says", row("mirror.acme.example", note="and all subdomains")),
        ("note-says", row("mirror.acme.example", note="Also needs port 8443")),
        ("prose-host", row("mirror.acme.example", note="See b.acme.example")),
    ],
)
def test_what_is_remarkable_about_rows_is_a_finding(of: Of, rule: str, rows: str) -> None:
    assert [finding.rule for finding in of(HEAD + GOOD + rows).findings] == [rule]


def test_a_column_of_unknown_meaning_is_told(of: Of) -> None:
    text = "| Hostname | Port | Protocol | Region |\n|-|-|-|-|\n| a.acme.example | 443 | HTTPS | eu |\n"

    assert [finding.rule for finding in of(text).findings] == ["unread-column"]


@pytest.mark.parametrize(
    "text",
    ["See README.md, v1.2 and node.js.", "Mail help@acme.example.", "Names below `.example`.", "TLSv1.3, e.g. this; i.e. it."],
)  # fmt: skip
def test_words_with_dots_are_no_hosts(of: Of, text: str) -> None:
    assert of(HEAD + GOOD + f"\n{text}\n").findings == ()


def test_a_host_that_the_tables_wildcard_holds_is_no_finding(of: Of) -> None:
    page = of(HEAD + row("*.acme.example") + "\nSuch as `eu.acme.example`, or `*.eu.acme.example`.\n")

    assert [finding.rule for finding in page.findings] == ["star"]


def test_the_name_below_which_a_wildcard_reaches_is_a_finding(of: Of) -> None:
    page = of(HEAD + row("*.acme.example") + "\nAnd acme.example itself.\n")

    assert [finding.rule for finding in page.findings] == ["star", "prose-host"]


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "".join(row(f"*.h{n}.acme.example", note="port 80") for n in range(12_000)),
        HEAD + GOOD + "\n" + "".join(f"h{n}.acme.example:{n} " for n in range(20_000)),
        HEAD + GOOD + "\n<div>\n" + "<!--" * 200_000 + "\n",
        HEAD + GOOD + "\n<div>\n" + "<!---->" * 140_000 + "\n",
        HEAD + row("a.acme.example", "443" + " " * 500_000 + "x"),
        HEAD + row("<http://a.acme.example>" * 20_000),
        HEAD + GOOD + "\n" + "|" + " |" * 300_000 + "x\n",
    ],
    ids=["wildcards", "names", "open comments", "comments", "spaces", "links", "bars"],
)
def test_a_hostile_page_takes_no_longer_than_its_length_asks_for(of: Of, text: str) -> None:
    start = time.process_time()
    with suppress(InputError):
        of(text)

    assert time.process_time() - start < 30  # seconds; two or three are measured, and hours where time is quadratic


def test_sections_narrow_the_page_and_unknown_ones_are_refused(of: Of) -> None:
    text = f"# One\n\n## Hosts\n\n{HEAD}{GOOD}\n# Two\n\n## More\n\n{HEAD}{row('b.*.example')}"

    assert told(of(text, sections=["one"])) == [READ]
    assert told(of(text, sections=["Hosts"])) == [READ]
    with pytest.raises(InputError, match="page-section"):
        of(text, sections=["Three"])


def test_columns_and_missing_ports_can_be_said(of: Of) -> None:
    text = "| Where | Notes |\n|---|---|\n| a.acme.example | x |\n"

    assert told(of(text, columns={"where": "host"}, assume=Access(443, "https"))) == [READ]


def test_a_third_party_heading_gives_the_party_and_none_leaves_it_open(of: Of) -> None:
    both = of(f"# Hosts\n\n{HEAD}{GOOD}\n# Third Party Hosts\n\n{HEAD}{row('b.acme.example')}")

    assert [host.party for host in both.hosts] == ["first", "third"]
    assert [host.party for host in of(HEAD + GOOD).hosts] == [None]


def test_every_finding_has_a_case_here_or_needs_a_catalog() -> None:
    here = {rule for rule, _ in FINDINGS} | {
        "duplicate-row",
        "near-miss",
        "odd-key",
        "note-says",
        "star",
        "unread-column",
    }

    assert set(REMARKS) - here == {"mistaken-host", "replaced", "two-tables"}


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="|-*\\`[]()<>! \n:.#&ab1/{}~_\t\"'", max_size=400), st.booleans())
def test_no_text_breaks_the_reader_or_puts_a_host_into_it(
    tmp_path_factory: pytest.TempPathFactory, text: str, below: bool
) -> None:
    path = tmp_path_factory.mktemp("page") / "page.md"
    path.write_text(HEAD + GOOD + text if below else text + "\n\n" + HEAD + GOOD)
    try:
        page = read_page(path)
    except InputError:
        return
    assert {host.host for host in page.hosts} >= {"a.acme.example"}
    assert all(host.host in path.read_text().replace("\\", "") for host in page.hosts)
