"""Every objection to a catalog file: its rule, its place, its entry, what was found and what is allowed; all at once."""

import pytest

from hostgate.catalog.model import Entry
from hostgate.catalog.problems import InputError, Problem
from hostgate.catalog.read import read_catalog

from .conftest import Read, Write

PLAIN = """\
catalog: acme/ours
title: Ours
entries:
  - id: mirror
    host: mirror.acme.example
    port: 443
    protocol: https
    purpose: Mirror of packages
"""

HISTORY = """\
catalog: acme/ours
sources:
  - {id: page, document: Hosts}
revisions:
  - {id: "2024-01-01", source: page, hosts: 1}
  - {id: "2024-02-01", source: page, hosts: 2}
entries:
  - id: first
    host: first.acme.example
    port: 443
    protocol: https
  - id: second
    host: second.acme.example
    port: 443
    protocol: https
    spans: [{since: "2024-02-01"}]
"""


def problems_of(write: Write, text: str) -> tuple[Problem, ...]:
    with pytest.raises(InputError) as caught:
        read_catalog(write(text), "ours.yaml")
    return caught.value.problems


def replaced(text: str, line: int, by: str) -> str:
    lines = text.splitlines()
    lines[line - 1] = by
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("line", "written", "rule", "place", "said"),
    [
        (5, "    host: https://acme.example", "host-scheme", (5, 11), "no scheme"),
        (5, "    host: com", "host-single-label", (5, 11), "'com'"),
        (5, "    host: co.uk", "host-public-suffix", (5, 11), "under which anybody can register"),
        (5, "    host: 10.0.0.1", "host-ip-literal", (5, 11), "10.0.0.1"),
        (5, "    host: 5", "host-type", (5, 11), "Found 5 for `host`"),
        (5, "    host:", "host-type", (5, 10), "Found nothing for `host`"),
        (5, "    host: [a.example]", "host-type", (5, 11), "Found a list"),
        (6, "    port: 0", "port-range", (6, 11), "Found 0 for `port`. Allowed: 1 to 65535"),
        (6, "    port: 65536", "port-range", (6, 11), "Found 65536 for `port`"),
        (6, "    port: -1", "port-range", (6, 11), "Found -1 for `port`"),
        (6, "    port: true", "port-type", (6, 11), "Found true (a boolean) for `port`"),
        (6, '    port: "443"', "port-type", (6, 11), "Found '443' for `port`. Allowed: a whole number"),
        (6, "    port: 443.0", "port-type", (6, 11), "Found '443.0' for `port`"),
        (6, "    port: 443-445", "port-type", (6, 11), "Found '443-445' for `port`"),
        (6, "    port: [443]", "port-type", (6, 11), "Found a list for `port`"),
        (6, "    match: exact", "missing-key", (4, 5), "`port` is missing"),
        (7, "    protocol: HTTPS", "unknown-protocol", (7, 15), "Allowed: 'https', 'http', 'tls', 'tcp' or 'udp'"),
        (7, "    protocol: quic", "unknown-protocol", (7, 15), "Found 'quic'"),
        (8, "    match: wildcard", "unknown-match", (8, 12), "Found 'wildcard'"),
        (8, "    phase: running", "unknown-phase", (8, 12), "Found 'running'"),
        (8, "    phase: [pull, run]", "unknown-phase", (8, 19), "Found 'run'"),
        (8, "    phase: []", "empty-phase", (8, 12), "at least one"),
        (8, "    families: [ipv5]", "unknown-families", (8, 16), "Found 'ipv5'"),
        (8, "    families: []", "empty-families", (8, 15), "at least one"),
        (8, "    party: second", "unknown-party", (8, 12), "Allowed: 'first' or 'third'"),
        (8, "    direction: both", "unknown-direction", (8, 16), "'egress' or 'ingress'"),
        (8, "    status: gone", "unknown-status", (8, 13), "'mistaken'"),
        (8, "    protcol: tcp", "unknown-key", (8, 14), "Did you mean `protocol`?"),
        (8, "    replaces: miror", "unknown-entry", (8, 15), "Found 'miror', which is no entry here. Did you mean 'mirror'?"),
        (4, "  - id: Mirror", "name", (4, 9), "Found 'Mirror'. Allowed for an id"),
        (4, "  - id: mirror-", "name", (4, 9), "Found 'mirror-'"),
        (4, '  - id: ""', "name", (4, 9), "Found ''"),
        (4, "  - id: 7", "id-type", (4, 9), "Found 7 for `id`. Allowed: text"),
    ],
)  # fmt: skip
def test_an_objection_to_an_entry_names_its_place_and_what_was_found(
    write: Write, line: int, written: str, rule: str, place: tuple[int, int], said: str
) -> None:
    (problem,) = problems_of(write, replaced(PLAIN, line, written))

    assert (problem.file, problem.rule, (problem.line, problem.column)) == ("ours.yaml", rule, place)
    assert said in problem.message


def test_an_objection_names_the_entry_by_id(write: Write) -> None:
    (problem,) = problems_of(write, replaced(PLAIN, 6, "    port: 0"))

    assert problem.entry == "mirror"


def test_an_entry_without_id_is_named_by_its_host(write: Write) -> None:
    (problem,) = problems_of(write, replaced(PLAIN, 4, "  - match: exact"))

    assert (problem.rule, problem.entry) == ("missing-key", "mirror.acme.example")


@pytest.mark.parametrize(
    ("line", "written", "rule", "place"),
    [
        (1, "catalog: Acme Ours", "name", (1, 10)),
        (1, "name: acme", "missing-key", (1, 1)),
        (2, "titel: Ours", "unknown-key", (2, 8)),
        (3, "entries: []", "empty-entries", (3, 10)),
        (3, "entries: none", "entries-type", (3, 10)),
        (3, "entries:", "entries-type", (3, 9)),
        (3, "entries: {a: 1}", "entries-type", (3, 10)),
        (3, "entries: [cgr.dev]", "entries-type", (3, 11)),
    ],
)
def test_an_objection_to_the_document_has_a_place_too(
    write: Write, line: int, written: str, rule: str, place: tuple[int, int]
) -> None:
    text = replaced(PLAIN, line, written) if line < 3 else f"catalog: acme/ours\ntitle: Ours\n{written}\n"

    found = problems_of(write, text)

    assert (rule, *place) in [(problem.rule, problem.line, problem.column) for problem in found]


@pytest.mark.parametrize(
    ("line", "written", "rule", "place", "said"),
    [
        (5, '  - {id: "2024-02-01", source: page, hosts: 1}', "revision-twice", (6, 10), "2024-02-01 stands twice"),
        (5, '  - {id: "2024-1-1", source: page, hosts: 1}', "date", (5, 10), "Found '2024-1-1'. Allowed: a date"),
        (5, '  - {id: "20240101", source: page, hosts: 1}', "date", (5, 10), "Found '20240101'"),
        (5, '  - {id: "2024-W01-1", source: page, hosts: 1}', "date", (5, 10), "Found '2024-W01-1'"),
        (5, '  - {id: "2024-02-30", source: page, hosts: 1}', "date", (5, 10), "Found '2024-02-30'"),
        (5, '  - {id: "2024-01-01", source: pag, hosts: 1}', "unknown-source", (5, 32), "Found the source 'pag'. Allowed: page"),
        (5, '  - {id: "2024-01-01", source: page, hosts: 3}', "revision-count", (5, 45), "the entries' spans give 1"),
        (12, "  - id: first", "entry-twice", (12, 9), "first on line 9"),
        (16, '    spans: [{since: "2024-02-02"}]', "unknown-revision", (16, 13), "Allowed: 2024-01-01, 2024-02-01"),
        (16, '    spans: [{since: "2024-02-01", until: "2024-01-01"}]', "span-backwards", (16, 13), "before it begins"),
        (16, '    spans: [{since: "2024-01-01", keep: ever}]', "date", (16, 41), "Found 'ever'. Allowed: a date as YYYY-MM-DD, or"),
        (16, '    spans: [{since: "2024-01-01", keep: "2024-03-01"}]', "span-keep", (16, 13), "beside `until`"),
        (
            16, '    spans: [{since: "2024-01-01", until: "2024-02-01", keep: "2024-01-31"}]', "span-keep", (16, 13),
            "not before it",
        ),
        (16, '    spans: [{since: "2024-01-01"}, {since: "2024-02-01"}]', "spans-overlap", (16, 12), "Two spans hold 2024-02-01"),
        (13, "    host: first.acme.example", "host-twice", (13, 11), "The same need as first on line 9"),
    ],
)  # fmt: skip
def test_parts_that_contradict_each_other_are_found(
    write: Write, line: int, written: str, rule: str, place: tuple[int, int], said: str
) -> None:
    found = problems_of(write, replaced(HISTORY, line, written))

    assert (rule, *place) in [(problem.rule, problem.line, problem.column) for problem in found]
    assert any(said in problem.message for problem in found)


@pytest.mark.parametrize(
    ("keep", "february", "march"),
    [(None, None, None), ("2024-02-01", "2024-02-01", None), ("2024-02-29", "2024-02-29", None),
     ("2024-03-01", "2024-03-01", "2024-03-01"), ("warn", "warn", "warn")],
)  # fmt: skip
def test_a_kept_entry_is_open_up_to_its_day_and_is_no_host_that_the_document_states(
    write: Write, keep: str | None, february: str | None, march: str | None
) -> None:
    more = f', keep: "{keep}"' if keep else ""
    text = replaced(HISTORY, 16, f'    spans: [{{since: "2024-01-01", until: "2024-02-01"{more}}}]')
    text = text.replace("page, hosts: 2}", 'page, hosts: 1}\n  - {id: "2024-03-01", source: page, hosts: 1}')
    catalog = read_catalog(write(text.replace("hosts: 1", "hosts: 2", 1)))

    for revision, kept in (("2024-01-01", None), ("2024-02-01", february), ("2024-03-01", march)):
        second = [entry for entry in catalog.entries(revision) if entry.id == "second"]
        stands = revision == "2024-01-01" or kept is not None
        assert [(entry.kept, entry.withdrawn) for entry in second] == [(kept, "2024-02-01")] * stands


def test_one_host_may_not_be_kept_beside_an_entry_that_states_it(write: Write) -> None:
    kept = '    spans: [{since: "2024-01-01", until: "2024-02-01", keep: warn}]'
    text = replaced(replaced(HISTORY, 13, "    host: first.acme.example"), 16, kept)

    assert "host-twice" in [problem.rule for problem in problems_of(write, text)]


def test_one_host_may_stand_twice_if_no_revision_holds_both(write: Write) -> None:
    text = replaced(HISTORY, 13, "    host: first.acme.example").replace("hosts: 2", "hosts: 1")
    only_then = '    spans: [{since: "2024-01-01", until: "2024-02-01"}]'
    text = text.replace("host: first.acme.example\n", f"host: first.acme.example\n{only_then}\n", 1)

    assert [entry.id for entry in read_catalog(write(text)).entries("2024-02-01")] == ["second"]


@pytest.mark.parametrize("difference", ["port: 8443", "match: subtree", "protocol: udp", "direction: ingress"])
def test_one_host_with_another_port_kind_transport_or_direction_is_another_need(write: Write, difference: str) -> None:
    key = difference.partition(":")[0]
    second = {"port": "443", "protocol": "https", "match": "exact", "direction": "egress"}
    second[key] = difference.partition(": ")[2]
    lines = [f"    {name}: {value}" for name, value in second.items()]

    catalog = read_catalog(write(PLAIN + "\n".join(["  - id: other", "    host: mirror.acme.example", *lines]) + "\n"))

    assert len(catalog.entries(None)) == 2


def test_https_and_http_on_one_port_are_one_need_stated_twice(write: Write) -> None:
    text = PLAIN + "  - {id: other, host: mirror.acme.example, port: 443, protocol: http}\n"

    (problem,) = problems_of(write, text)

    assert (problem.rule, problem.entry) == ("host-twice", "other")


def test_all_objections_come_at_once_in_the_order_of_the_lines(write: Write) -> None:
    text = """\
        catalog: acme/ours
        entries:
          - {id: c, host: "*.acme.example", port: 0, protocol: https}
          - {id: b, host: b.acme.example, port: 443, protocol: ftp, color: red}
          - {id: a, host: acme.example., protocol: https}
        """

    found = problems_of(write, text)

    assert [(problem.line, problem.entry, problem.rule) for problem in found] == [
        (3, "c", "host-star"),
        (3, "c", "port-range"),
        (4, "b", "unknown-protocol"),
        (4, "b", "unknown-key"),
        (5, "a", "missing-key"),
        (5, "a", "host-trailing-dot"),
    ]


def test_a_misspelt_entry_in_a_large_file_is_not_compared_with_every_other(write: Write) -> None:
    rows = [
        f"  - {{id: e{n}, host: h{n}.acme.example, port: 443, protocol: https, replaces: f{n}}}" for n in range(300)
    ]

    found = problems_of(write, "\n".join(["catalog: acme/ours", "entries:", *rows]) + "\n")

    assert {problem.rule for problem in found} == {"unknown-entry"}
    assert not any("Did you mean" in problem.message for problem in found)


def test_a_plain_entry_gets_the_documented_defaults(read: Read) -> None:
    (entry,) = read("id: mirror, host: Mirror.Acme.Example, port: 8443, protocol: tls").entries(None)

    assert entry == Entry(
        catalog="acme/ours", id="mirror", host="mirror.acme.example", match="exact", port=8443, protocol="tls",
        party="third", purpose="", phases=("pull", "build", "console", "cli", "support", "development"),
        direction="egress", families=None, status="active", origin=entry.origin,
    )  # fmt: skip


def test_an_entry_knows_where_its_host_is_written(read: Read) -> None:
    (entry,) = read("id: mirror, host: mirror.acme.example, port: 443, protocol: https").entries(None)

    assert str(entry.origin) == "ours.yaml:3:24"


def test_entries_come_sorted_by_id_whatever_their_order_in_the_file(read: Read) -> None:
    rows = [f"id: {name}, host: {name}.acme.example, port: 443, protocol: https" for name in ("b", "c", "a")]

    assert [entry.id for entry in read(*rows).entries(None)] == ["a", "b", "c"]


BLANK_KEYS = {
    "an end": (12, '    spans: [{since: "2024-01-01", until: }]', "until", (12, 42)),
    "spans of which nothing is left": (12, "    spans:\n    #  - since", "spans", (12, 11)),
    "families": (12, "    families:", "families", (12, 14)),
    "a purpose": (12, "    purpose:", "purpose", (12, 13)),
    "a title of the document": (1, "catalog: acme/ours\ntitle:", "title", (2, 7)),
}


@pytest.mark.parametrize(("line", "written", "key", "place"), BLANK_KEYS.values(), ids=BLANK_KEYS)
def test_a_key_without_a_value_is_never_read_as_left_out(
    write: Write, line: int, written: str, key: str, place: tuple[int, int]
) -> None:
    history = HISTORY.replace("  - id: second", '    notes: ""\n  - id: second')

    (problem,) = problems_of(write, replaced(history, line, written))

    assert (problem.rule, problem.line, problem.column) == (f"{key}-type", *place)
    assert problem.message == f"Found nothing for `{key}`. Allowed: a value; or leave it out."


def test_all_keys_without_a_value_are_told_at_once_with_what_else_is_wrong(write: Write) -> None:
    text = (
        "catalog: acme/ours\ntitle:\nentries:\n  - id: a\n    host:\n    families:\n    port: x\n    protocol: https\n"
    )

    assert [problem.line for problem in problems_of(write, text)] == [2, 5, 6, 7]


@pytest.mark.parametrize("written", ["families: ~", "families: null", 'notes: ""'])
def test_nothing_that_is_written_out_is_an_authors_word(write: Write, written: str) -> None:
    read_catalog(write(f"{PLAIN}    {written}\n"), "ours.yaml")
