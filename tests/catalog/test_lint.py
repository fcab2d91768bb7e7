"""Lint finds what is well-formed and still deserves a look: misprints, shared hosting, ports, missing purposes."""

from collections.abc import Callable, Sequence
from hashlib import sha256

import pytest

from hostgate.catalog import typos
from hostgate.catalog.lint import lint_catalog
from hostgate.catalog.problems import Problem
from hostgate.catalog.references import resolve_file
from hostgate.catalog.typos import near_misses, typo_clusters

from .conftest import Read

R2_ACCOUNT = "9236a389bd48b984df91adc1bc924620.r2.cloudflarestorage.com"
R2_MISSPELT = "9236a389bd48b98df91adc1bc924620.r2.cloudflarestorage.com"


def entry(host: str, name: str = "", **other: object) -> str:
    values = {
        "id": name or "e" + sha256(host.encode()).hexdigest()[:12],
        "host": host,
        "port": 443,
        "protocol": "https",
    }
    return ", ".join(f"{key}: {value}" for key, value in {**values, "purpose": "Packages", **other}.items())


def remarks(read: Read, *entries: str) -> list[Problem]:
    return lint_catalog(read(*entries))


def rules(found: Sequence[Problem]) -> list[str]:
    return [problem.rule for problem in found]


def test_a_catalog_without_peculiarities_has_no_remarks(read: Read) -> None:
    assert remarks(read, entry("mirror.acme.example"), entry("signing.acme.example")) == []


@pytest.mark.parametrize(
    ("right", "wrong", "match"),
    [(R2_ACCOUNT, R2_MISSPELT, "exact"), ("r2.cloudflarestorage.com", "rc.cloudflarestorage.com", "subtree")],
    ids=["the account host with a digit missing", "rc for r2 in the wildcard"],
)
@pytest.mark.parametrize("order", [1, -1], ids=["right first", "wrong first"])
def test_each_misprint_of_the_vendor_is_caught_when_it_stands_beside_the_right_host(
    read: Read, right: str, wrong: str, match: str, order: int
) -> None:
    rows = [entry(right, "right", match=match), entry(wrong, "wrong", match=match)][::order]

    (found,) = [problem for problem in remarks(read, *rows) if problem.rule == "near-miss"]

    assert right in found.message
    assert wrong in found.message


def test_a_near_miss_names_the_later_entry_and_its_place(read: Read) -> None:
    (found,) = remarks(read, entry("cgr.dev", "right"), entry("cgrr.dev", "wrong"))

    assert (found.entry, found.line) == ("wrong", 4)
    assert "cgrr.dev is one edit away from cgr.dev (right)" in found.message


def test_a_misprint_that_is_marked_as_mistaken_is_no_remark(read: Read) -> None:
    assert remarks(read, entry("cgr.dev"), entry("cgrr.dev", status="mistaken")) == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("cgr.dev", "cgrr.dev"),
        ("cgr.dev", "cr.dev"),
        ("cgr.dev", "cgt.dev"),
        ("packages.wolfi.dev", "package.wolfi.dev"),
        ("packages.wolfi.dev", "packages.wolf1.dev"),
        ("a.acme.example", "a.acne.example"),
        ("cgr.dev", "xcgr.dev"),
        ("s3.acme.example", "s.acme.example"),
        ("4f7e1a2b3c4d5e6f7a8b.acme.example", "4f7e1a2b3c4d5e6f7a9b.acme.example"),
    ],
)
def test_one_letter_more_less_or_other_is_a_near_miss(first: str, second: str) -> None:
    assert typo_clusters([first, second]) == [(first, second)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("cgr.dev", "cgr.dev"),
        ("cgr.dev", "crg.dev"),
        ("cgr.dev", "cg.de"),
        ("cgr.dev", "cgr.io"),
        ("apk.cgr.dev", "packages.cgr.dev"),
        ("mirror1.acme.example", "mirror2.acme.example"),
        ("mirror9.acme.example", "mirror10.acme.example"),
        ("eu-1-a.acme.example", "eu-2-a.acme.example"),
        ("1.pool.example", "2.pool.example"),
    ],
)
def test_two_edits_the_same_host_and_a_number_that_counts_are_none(first: str, second: str) -> None:
    assert typo_clusters([first, second]) == []


@pytest.mark.parametrize(("one", "other"), [("gcr.io", "ghcr.io"), ("quay.io", "ghcr.io"), ("docker.io", "ghcr.io")])
def test_two_registries_that_many_use_are_no_misprint_of_each_other(one: str, other: str) -> None:
    assert typo_clusters([one, other]) == []
    assert near_misses([one], [other]) == {}


def test_a_misprint_of_a_registry_that_many_use_is_one() -> None:
    assert typo_clusters(["ghcr.io", "ghrc.io", "ghcr.co"]) == [("ghcr.io", "ghcr.co")]


def test_a_numbered_series_of_two_hundred_is_no_misprint(read: Read) -> None:
    assert remarks(read, *(entry(f"mirror{number}.acme.example") for number in range(1, 201))) == []


def test_a_misprint_inside_a_numbered_series_is_found(read: Read) -> None:
    names = [f"mirror{number}.acme.example" for number in range(1, 51)]

    found = remarks(read, *map(entry, names), entry("miror7.acme.example", "misprint"))

    assert [(problem.rule, problem.entry) for problem in found] == [("near-miss", "misprint")]


def test_hosts_that_hang_together_by_single_edits_make_one_remark(read: Read) -> None:
    names = ["pack.acme.example", "packs.acme.example", "packss.acme.example", "pask.acme.example"]

    assert rules(remarks(read, *map(entry, names))) == ["near-miss"]


def test_two_separate_clusters_make_two_remarks(read: Read) -> None:
    names = ["alpha.acme.example", "alfha.acme.example", "omega.acme.example", "omiga.acme.example"]

    assert rules(remarks(read, *map(entry, names))) == ["near-miss", "near-miss"]


def plain_names(count: int) -> list[str]:
    return [f"{sha256(str(number).encode()).hexdigest()[:10]}.acme.example" for number in range(count)]


def series(count: int) -> list[str]:
    return [f"mirror{number}.acme.example" for number in range(count)]


def one_cluster(count: int) -> list[str]:
    letters = "abcdefghijklmnopqrstuvwxyz"
    return [f"{letters[n % 26]}{letters[n // 26 % 26]}{letters[n // 676 % 26]}.acme.example" for n in range(count)]


@pytest.mark.parametrize("names", [plain_names, series, one_cluster])
def test_ten_times_the_hosts_are_about_ten_times_the_comparisons(
    names: Callable[[int], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = 0
    really = typos._typo

    def counted(first: str, second: str) -> bool:
        nonlocal compared
        compared += 1
        return really(first, second)

    def comparisons(count: int) -> int:
        nonlocal compared
        compared = 0
        typo_clusters(names(count))
        return compared

    monkeypatch.setattr(typos, "_typo", counted)

    assert comparisons(10_000) <= 15 * comparisons(1_000) + 10_000


@pytest.mark.parametrize(
    ("host", "match", "who"),
    [
        ("r2.cloudflarestorage.com", "subtree", "every R2 account"),
        ("r2.cloudflarestorage.com", "one-label", "every R2 account"),
        ("cloudflarestorage.com", "subtree", "every R2 account"),
        ("storage.googleapis.com", "exact", "every Cloud Storage bucket"),
        ("storage.googleapis.com", "subtree", "every Cloud Storage bucket"),
        ("googleapis.com", "subtree", "every Cloud Storage bucket"),
        ("ghcr.io", "exact", "every GitHub container registry namespace"),
        ("zendesk.com", "one-label", "every Zendesk customer"),
        ("gcr.io", "exact", "every project of Artifact Registry is behind gcr.io"),
        ("eu.gcr.io", "exact", "every project of Artifact Registry is behind eu.gcr.io"),
        ("mirror.gcr.io", "exact", "every Docker Hub image that Google caches"),
        ("europe-docker.pkg.dev", "exact", "every project of Artifact Registry"),
        ("us-central1-python.pkg.dev", "exact", "every project of Artifact Registry"),
        ("pkg.dev", "one-label", "every project of Artifact Registry"),
        ("run.app", "one-label", "customers of one company"),
        ("github.io", "one-label", "customers of one company"),
    ],
)
def test_a_host_shared_with_other_customers_is_remarked(read: Read, host: str, match: str, who: str) -> None:
    (found,) = remarks(read, entry(host, match=match))

    assert found.rule == "shared-hosting"
    assert who in found.message


@pytest.mark.parametrize(
    "host", [R2_ACCOUNT, "chainguardhelp.zendesk.com", "acme.github.io", "bucket.storage.googleapis.com", "cgr.dev"]
)
def test_the_name_of_one_customer_is_not_shared(read: Read, host: str) -> None:
    assert remarks(read, entry(host)) == []


def test_the_bare_name_that_customers_register_under_is_remarked(read: Read) -> None:
    assert rules(remarks(read, entry("github.io"))) == ["hosting-suffix"]


@pytest.mark.parametrize(
    ("protocol", "port", "expected"),
    [
        ("https", 443, []),
        ("https", 8443, []),
        ("https", 4443, ["unusual-port"]),
        ("https", 80, ["port-of-other-protocol", "unusual-port"]),
        ("http", 80, []),
        ("http", 8080, []),
        ("http", 443, ["port-of-other-protocol", "unusual-port"]),
        ("tls", 4443, []),
        ("tcp", 22, []),
        ("udp", 53, []),
    ],
)
def test_a_port_that_the_protocol_rarely_uses_is_remarked(
    read: Read, protocol: str, port: int, expected: list[str]
) -> None:
    assert rules(remarks(read, entry("mirror.acme.example", protocol=protocol, port=port))) == expected


def test_an_entry_without_a_purpose_is_remarked(read: Read) -> None:
    assert rules(remarks(read, "id: a, host: a.acme.example, port: 443, protocol: https")) == ["no-purpose"]


def test_remarks_come_in_the_order_of_the_lines(read: Read) -> None:
    found = remarks(read, entry("ghcr.io"), entry("a.acme.example", port=81), entry("cgr.dev"), entry("cgt.dev"))

    assert [problem.line for problem in found] == [3, 4, 6]


def test_the_shipped_catalog_has_only_remarks_about_hosts_that_are_shared() -> None:
    found = lint_catalog(resolve_file("chainguard/images"))

    assert [(problem.rule, problem.entry) for problem in found] == [
        ("shared-hosting", "chainctl-downloads"),
        ("shared-hosting", "wolfi-development"),
        ("shared-hosting", "r2-any-bucket"),
    ]
