"""Bad input: each kind is one clear error within a second, exit code 1, no traceback, and nothing written."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Project, Result, Run

REFERENCE = "chainguard/images@2024-03-28"
BOUND = 5.0
"""Seconds; a second is what is asked for, and several times what is measured. The rest is for slow machines."""

SMALL = """\
catalog: acme/ours
title: Ours
entries:
  - id: mirror
    host: mirror.acme.example
    port: 443
    protocol: https
  - id: signing
    host: signing.acme.example
    match: subtree
    port: 8443
    protocol: tls
"""


def entry(host: str = "mirror.acme.example", port: str = "443") -> str:
    return f"catalog: acme/ours\nentries:\n  - id: mirror\n    host: {host}\n    port: {port}\n    protocol: https\n"


ALIAS_BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))


@pytest.fixture
def refused(run: Run, tmp_path: Path) -> Callable[..., Result]:
    """Run `plan --json --out` and hold it to what holds for every bad input."""

    def hostgate(*arguments: object) -> Result:
        out = tmp_path / "out"
        start = time.perf_counter()
        made = run("plan", *arguments, "--json", "--out", out)
        assert time.perf_counter() - start < BOUND
        assert (made.code, made.err) == (1, "")
        assert not out.exists()
        assert all(error["message"] and error["message"].isprintable() for error in made.json["errors"])
        return made

    return hostgate


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "file-empty"),
        (b"\n \n", "file-empty"),
        (b"# nothing here\n", "yaml-not-mapping"),
        (b"\x7fELF\x02\x01\x01\x00\x00", "file-binary"),
        (entry().encode("utf-16"), "file-binary"),
        (entry().encode().replace(b"mirror", b"mirr\xf6r"), "file-not-utf8"),
        (entry().encode()[:-1], "file-truncated"),
        (b"catalog: acme/ours\nentries: [\n", "yaml-syntax"),
        (b"catalog: acme/ours\nentries:\n", "entries-type"),
        (b"catalog: acme/ours\nentries: []\n", "empty-entries"),
        (b"catalog: acme/ours\n", "missing-key"),
        (b"catalog: a\ncatalog: b\n", "yaml-duplicate-key"),
        (entry().replace("    port: 443\n", "    port: 443\n    port: 80\n").encode(), "yaml-duplicate-key"),
        (b"catalog: " + b"[" * 100_000 + b"\n", "yaml-too-deep"),
        (b"catalog: " + b"[" * 100_000 + b"]" * 100_000 + b"\n", "yaml-too-deep"),
        (b"{a: " * 100_000 + b"\n", "yaml-too-deep"),
        (b"- " * 100_000 + b"x\n", "yaml-too-deep"),
        (b"".join(b" " * level + b"a:\n" for level in range(3000)), "yaml-too-deep"),
        (b"? " * 100_000 + b"x\n", "yaml-key"),
        (ALIAS_BOMB.encode(), "yaml-alias"),
        (b"catalog: !!python/object/apply:os.system [id]\n", "yaml-tag"),
        (b"catalog: " + b"a" * 10_000_000 + b"\n", "name"),
        (b"a" * 10_000_000 + b"\n", "yaml-not-mapping"),
        (b"- a\n" * 300_000, "yaml-not-mapping"),
    ],
    ids=[
        "empty", "blank", "comment only", "binary", "UTF-16", "Latin-1", "cut at the last newline", "cut in a list",
        "no entries", "empty entries", "entries missing", "duplicate key", "duplicate key in an entry",
        "100,000 brackets", "100,000 balanced brackets", "100,000 braces", "100,000 block lists",
        "3,000 block mappings", "100,000 complex keys", "alias bomb", "tag that runs code", "10 MB scalar", "10 MB line",
        "300,000 items",
    ],
)  # fmt: skip
def test_a_file_that_is_no_catalog_is_refused(
    refused: Callable[..., Result], tmp_path: Path, content: bytes, rule: str
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)

    assert rule in refused("--catalog", path).rules


def test_a_hundred_megabytes_are_refused(refused: Callable[..., Result], tmp_path: Path) -> None:
    path = tmp_path / "huge.yaml"
    with path.open("wb") as stream:
        stream.truncate(100 * 1024 * 1024)

    assert refused("--catalog", path).rules == ["file-too-large"]


@pytest.mark.parametrize(
    ("ref", "rule"),
    [
        ("./none.yaml", "file-unreadable"),
        ("/dev/null", "file-kind"),
        (".", "file-is-folder"),
        ("chainguard/images@2024-03-27", "unknown-revision"),
        ("chainguard/images@", "no-revision"),
        ("chainguard/images@../../etc/passwd", "unknown-revision"),
        ("chainguard/../../etc@latest", "unknown-catalog"),
        ("chainguard/wolfi@latest", "unknown-catalog"),
        ("", "catalog-reference"),
    ],
)
def test_a_catalog_that_is_not_there_is_refused(refused: Callable[..., Result], ref: str, rule: str) -> None:
    assert refused("--catalog", ref).rules == [rule]


def test_a_catalog_without_read_permission_is_refused(
    refused: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "ours.yaml").write_text(SMALL)
    monkeypatch.setattr("hostgate.catalog.file_input.os.open", denied)

    made = refused("--catalog", tmp_path / "ours.yaml")

    assert made.rules == ["file-unreadable"]
    assert "Permission denied" in made.json["errors"][0]["message"]


@pytest.mark.parametrize(
    ("host", "rule"),
    [
        ("https://acme.example", "host-scheme"),
        ("acme.example:443", "host-port"),
        ("acme.example/path", "host-path"),
        ('"*.acme.example"', "host-star"),
        ("acme .example", "host-space"),
        ('" acme.example"', "host-space"),
        ('"acme.example\\n"', "host-space"),
        ('"acme\\t.example"', "host-space"),
        ('"acme\\x01.example"', "host-control-character"),
        ('"acme\\e[31m.example"', "host-control-character"),
        ('"acme\\x7f.example"', "host-control-character"),
        ("acme\x01.example", "yaml-syntax"),
        ("acme.example.", "host-trailing-dot"),
        ("a" * 64 + ".example", "host-label-too-long"),
        ("a." * 127 + "ab", "host-too-long"),
        ("асme.example", "host-look-alike"),
        ("асе.example", "host-look-alike"),
        ("ａｃｍｅ.example", "host-look-alike"),
        ("acme。example", "host-look-alike"),
        ('"\\u212Aube.example"', "host-look-alike"),
        ("ас\u0301me.example", "host-look-alike"),
        ("😀.example", "host-idna"),
        ('"acme\\u200b.example"', "host-idna"),
        ('"acme\\u202e.example"', "host-idna"),
        ('""', "host-empty"),
        ("", "host-type"),
        ("~", "host-type"),
        ("acme", "host-single-label"),
        ("10.0.0.1", "host-ip-literal"),
        ('"2001:db8::1"', "host-ip-literal"),
        ("co.uk", "host-public-suffix"),
        ("acme..example", "host-empty-label"),
        ("-acme.example", "host-hyphen"),
        ('"acme\\";.example"', "host-character"),
        ("a" * 1_000_000, "host-too-long"),
        ("a." * 500_000 + "example", "host-too-long"),
        ('"' + "*" * 1_000_000 + '"', "host-star"),
    ],
    ids=lambda value: ascii(value)[1:40],
)
def test_a_host_that_is_no_name_is_refused(
    refused: Callable[..., Result], tmp_path: Path, host: str, rule: str
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(entry(host=host), encoding="utf-8")

    (error,) = refused("--catalog", path).json["errors"]

    assert (error["rule"], error["line"]) == (rule, 4)
    assert len(error["message"]) < 500


@pytest.mark.parametrize(
    ("port", "rule"),
    [
        ("0", "port-range"),
        ("65536", "port-range"),
        ("-1", "port-range"),
        ("true", "port-type"),
        ('"443"', "port-type"),
        ("443.0", "port-type"),
        ("0443", "port-type"),
        ("0x1bb", "port-type"),
        ("4e2", "port-type"),
        ("443,444", "port-type"),
        ("any", "port-type"),
        ("~", "port-type"),
        ("[443]", "port-type"),
        ("9" * 10_000, "port-type"),
    ],
    ids=lambda value: value[:20],
)
def test_a_port_that_is_no_port_is_refused(
    refused: Callable[..., Result], tmp_path: Path, port: str, rule: str
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(entry(port=port))

    (error,) = refused("--catalog", path).json["errors"]

    assert (error["rule"], error["line"], error["column"], error["entry"]) == (rule, 5, 11, "mirror")


def test_two_catalogs_that_disagree_on_one_host_are_refused(refused: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(entry())
    (tmp_path / "other.yaml").write_text(entry().replace("acme/ours", "acme/theirs").replace("https", "http"))

    (error,) = refused("--catalog", tmp_path / "one.yaml", "--catalog", tmp_path / "other.yaml").json["errors"]

    assert (error["rule"], error["entry"]) == ("catalogs-disagree", "mirror")


@pytest.mark.parametrize(
    ("config", "rule"),
    [
        ("hostgate:select: {phases: [pull], ids: [support-zendesk]}", "empty-selection"),
        ("hostgate:accept: [{finding: shared-hosting, entry: registry, because: reviewed}]", "acceptance-unused"),
        ("hostgate:accept: [{finding: shared-hosting, entry: nobody, because: reviewed}]", "acceptance-unused"),
        ("hostgate:accept: [{finding: shared-hosing, entry: wolfi-development, because: r}]", "acceptance-unused"),
        ("hostgate:accept: [{finding: not-expressible, entry: registry, because: r}]", "acceptance-unused"),
        ("hostgate:select: {phases: [run]}", "select-unknown-phase"),
        ("hostgate:choose: {blob-storage: registry}", "choose-unknown-entry"),
        ("hostgate:gcp: {secure: v1:abc}", "config"),
    ],
)
def test_a_stack_that_cannot_be_meant_is_refused(
    refused: Callable[..., Result], project: Project, config: str, rule: str
) -> None:
    project(dev=f"config:\n  hostgate:catalogs: ['{REFERENCE}']\n  hostgate:aws: {{}}\n  {config}\n")

    assert refused().rules == [rule]


def test_an_acceptance_that_does_not_occur_is_answered_with_the_findings_that_do(
    refused: Callable[..., Result], project: Project
) -> None:
    accept = "[{finding: shared-hosing, entry: wolfi-development, because: reviewed}]"
    project(dev=f"config:\n  hostgate:catalogs: ['{REFERENCE}']\n  hostgate:aws: {{}}\n  hostgate:accept: {accept}\n")

    (error,) = refused().json["errors"]

    assert error["entry"] == "wolfi-development"
    assert "That entry has: shared-hosting, withdrawn." in error["message"]
    assert "Did you mean `shared-hosting`?" in error["message"]


LINE_ENDS = [offset for offset in range(1, len(SMALL)) if SMALL[offset - 1] == "\n"]
WHOLE_ENTRIES = SMALL.index("  - id: signing")
"""Cut here, the file is a smaller catalog: no reader can tell, only the catalog's own count of hosts can."""


@pytest.mark.parametrize("offset", [offset for offset in range(len(SMALL)) if offset not in LINE_ENDS])
def test_a_file_cut_in_the_middle_of_a_line_is_refused(
    refused: Callable[..., Result], tmp_path: Path, offset: int
) -> None:
    path = tmp_path / "cut.yaml"
    path.write_text(SMALL[:offset])

    assert refused("--catalog", path).rules == ["file-truncated" if offset else "file-empty"]


@pytest.mark.parametrize("offset", [offset for offset in LINE_ENDS if offset != WHOLE_ENTRIES])
def test_a_file_cut_between_the_lines_of_an_entry_is_refused(
    refused: Callable[..., Result], tmp_path: Path, offset: int
) -> None:
    path = tmp_path / "cut.yaml"
    path.write_text(SMALL[:offset])

    assert refused("--catalog", path).rules != []


def test_a_file_cut_between_two_entries_is_refused_if_it_states_how_many_hosts_it_has(
    refused: Callable[..., Result], tmp_path: Path
) -> None:
    stated = (
        "sources: [{id: page, document: Hosts}]\nrevisions: [{id: '2024-01-01', source: page, hosts: 2}]\nentries:\n"
    )
    path = tmp_path / "cut.yaml"
    path.write_text(SMALL[:WHOLE_ENTRIES].replace("entries:\n", stated))

    assert refused("--catalog", path).rules == ["revision-count"]


def test_the_errors_of_ten_thousand_bad_entries_all_come_in_the_bound(
    refused: Callable[..., Result], tmp_path: Path
) -> None:
    rows = [f"  - {{id: e{n}, host: '*.h{n}.example', port: 443, protocol: https}}" for n in range(10_000)]
    path = tmp_path / "bad.yaml"
    path.write_text("\n".join(["catalog: acme/ours", "entries:", *rows]) + "\n")

    assert len(refused("--catalog", path).rules) == 10_000


@pytest.mark.parametrize(
    "content", [b"", b"\x00", b"[" * 100_000 + b"\n", ALIAS_BOMB.encode(), entry(host="сgr.dev").encode()]
)
def test_for_people_the_error_is_on_stderr_with_its_file_and_no_traceback(
    run: Run, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)

    made = run("plan", "--catalog", path)

    assert (made.code, made.out) == (1, "")
    assert made.err.startswith(str(path))
    assert made.err.endswith("1 error.\n")


def test_a_new_process_refuses_within_the_bound_too(tmp_path: Path) -> None:
    path = tmp_path / "huge.yaml"
    with path.open("wb") as stream:
        stream.truncate(100 * 1024 * 1024)
    command = [sys.executable, "-m", "hostgate.cli.main", "plan", "--catalog", str(path), "--json"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "components")}

    made = subprocess.run(command, capture_output=True, env=environment, timeout=BOUND, check=False)

    assert (made.returncode, made.stderr) == (1, b"")
    assert [error["rule"] for error in json.loads(made.stdout)["errors"]] == ["file-too-large"]
