"""A host string is a name in A-labels of two labels or more, or the first rule that it breaks."""

import time

import pytest

from hostgate.catalog.hosts import check_host, is_hosting_suffix, is_public_suffix

LABEL_63 = "a" * 63
NAME_253 = ".".join([LABEL_63, LABEL_63, LABEL_63, "b" * 61])


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("cgr.dev", "cgr.dev"),
        ("CGR.Dev", "cgr.dev"),
        ("a-b.example.com", "a-b.example.com"),
        ("1.example.com", "1.example.com"),
        ("123.456.example", "123.456.example"),
        ("9236a389bd48b984df91adc1bc924620.r2.cloudflarestorage.com",) * 2,
        (f"{LABEL_63}.example",) * 2,
        (NAME_253, NAME_253),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
        ("пример.рф", "xn--e1afmkfd.xn--p1ai"),
        ("сгг.dev", "xn--c1aa4b.dev"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
    ],
)
def test_a_name_is_taken_in_lower_case_a_labels(written: str, name: str) -> None:
    host = check_host(written)

    assert (host.name, host.rule) == (name, None)


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("", "host-empty"),
        ("https://cgr.dev", "host-scheme"),
        ("cgr.dev/chainguard", "host-path"),
        ("cgr.dev/", "host-path"),
        ("*.cgr.dev", "host-star"),
        ("a*.cgr.dev", "host-star"),
        ("*", "host-star"),
        ("user@cgr.dev", "host-user"),
        ("cgr.dev:443", "host-port"),
        ("cgr .dev", "host-space"),
        (" cgr.dev", "host-space"),
        ("cgr.dev\n", "host-space"),
        ("cgr\t.dev", "host-space"),
        ("cgr\x00.dev", "host-control-character"),
        ("cgr\x1b[31m.dev", "host-control-character"),
        ("cgr\x7f.dev", "host-control-character"),
        ("cgr.dev.", "host-trailing-dot"),
        (".", "host-trailing-dot"),
        (".cgr.dev", "host-empty-label"),
        ("cgr..dev", "host-empty-label"),
        (f"{'a' * 64}.example", "host-label-too-long"),
        (NAME_253 + "b", "host-too-long"),
        ("a." * 2_000_000 + "com", "host-too-long"),
        ("-cgr.dev", "host-hyphen"),
        ("cgr-.dev", "host-hyphen"),
        ("cgr_a.dev", "host-character"),
        ("cgr,dev.example", "host-character"),
        ('cgr";.dev', "host-character"),
        ("$HOME_NET.example", "host-character"),
        ("localhost", "host-single-label"),
        ("10.0.0.1", "host-ip-literal"),
        ("::1", "host-ip-literal"),
        ("[2001:db8::1]", "host-ip-literal"),
        ("1.2.3", "host-ip-literal"),
        ("999.999.999.999", "host-ip-literal"),
        ("сgr.dev", "host-look-alike"),
        ("раураӏ.example", "host-look-alike"),
        ("ｃｇｒ.dev", "host-look-alike"),
        ("cgr\uff0edev", "host-look-alike"),
        ("ⓒgr.dev", "host-look-alike"),
        ("\u212aube.dev", "host-look-alike"),
        ("ca\u0308r.dev", "host-look-alike"),
        ("cgr\u3002dev", "host-look-alike"),
        ("cgr\u00ad.dev", "host-idna"),
        ("cgr\u200b.dev", "host-idna"),
        ("cgr\u202e.dev", "host-idna"),
        ("😀.example", "host-idna"),
    ],
)
def test_the_first_broken_rule_is_named(written: str, rule: str) -> None:
    assert check_host(written).rule == rule


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("https://cgr.dev", "no scheme"),
        ("cgr.dev:443", "`port`"),
        ("*.cgr.dev", "one-label, subtree or subtree+apex"),
        ("сgr.dev", "U+0441 CYRILLIC SMALL LETTER ES"),
        ("cgr\x01.dev", "U+0001"),
        ("a" * 64 + ".example", "64 characters. Allowed: at most 63"),
    ],
)
def test_the_message_says_what_was_found_and_what_is_allowed(written: str, said: str) -> None:
    assert said in check_host(written).message


@pytest.mark.parametrize("written", ["сgr.dev", "cgr\x1b.dev", "cgr\u202e.dev", "😀.example"])
def test_the_message_never_repeats_a_character_that_cannot_be_told_apart(written: str) -> None:
    assert check_host(written).message.isascii()


@pytest.mark.parametrize(
    "hostile", ["a." * 500_000, "-" * 1_000_000, "ä" * 1_000_000, "a" * 1_000_000 + "!", "1." * 500_000]
)
def test_a_million_hostile_characters_cost_less_than_five_seconds(hostile: str) -> None:
    start = time.perf_counter()

    host = check_host(hostile)

    assert host.rule is not None
    assert len(host.message) < 500
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize(
    ("name", "public", "hosting"),
    [
        ("com", True, False),
        ("co.uk", True, False),
        ("github.io", False, True),
        ("s3.amazonaws.com", False, True),
        ("r2.dev", False, True),
        ("cgr.dev", False, False),
        ("unknown-suffix", False, False),
    ],
)
def test_registry_suffixes_and_hosting_suffixes_are_told_apart(name: str, public: bool, hosting: bool) -> None:
    assert (is_public_suffix(name), is_hosting_suffix(name)) == (public, hosting)
