"""The YAML reader takes plain values with their places, and refuses what a reviewed file must not use."""

from pathlib import Path

import pytest

from hostgate.catalog.problems import InputError, Problem
from hostgate.catalog.yaml_reader import MAX_BYTES, MAX_DEPTH, Mapping, read_bytes, read_file

from .conftest import Write


def refusal(content: bytes) -> Problem:
    with pytest.raises(InputError) as caught:
        read_bytes(content, "ours.yaml")
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("443", 443),
        ("-1", -1),
        ("0", 0),
        ("'443'", "443"),
        ("0443", "0443"),
        ("0x1bb", "0x1bb"),
        ("4_43", "4_43"),
        ("443.0", "443.0"),
        ("4:43", "4:43"),
        ("9999999999999999999", "9999999999999999999"),
        ("true", True),
        ("FALSE", False),
        ("'true'", "true"),
        ("yes", "yes"),
        ("on", "on"),
        ("no", "no"),
        ("~", None),
        ("", None),
        ("null", None),
        ("''", ""),
        ("2024-03-28", "2024-03-28"),
        (".inf", ".inf"),
        ("[a, 1]", ["a", 1]),
        ("{b: 1}", {"b": 1}),
        ("|\n  two\n  lines", "two\nlines\n"),
    ],
)
def test_a_plain_scalar_is_text_a_whole_number_a_boolean_or_nothing(written: str, value: object) -> None:
    found = read_bytes(f"a: {written}\n".encode(), "ours.yaml")["a"]

    assert (found, type(found) is bool) == (value, type(value) is bool)


def test_a_mapping_knows_the_line_and_column_of_each_value() -> None:
    document = read_bytes(b"first: 1\nsecond:\n  - {inner: x}\n", "ours.yaml")

    assert document.at == {"first": (1, 8), "second": (3, 3)}
    assert document["second"].at == [(3, 5)]
    assert document["second"][0].at == {"inner": (3, 13)}


def test_only_dates_without_quotes_are_remembered_as_bare() -> None:
    document = read_bytes(b"bare: 2024-03-28\nquoted: '2024-03-28'\ntext: x\n", "ours.yaml")

    assert document.bare_dates == ("bare",)


@pytest.mark.parametrize("content", [b"\xef\xbb\xbfa: 1\n", b"a: 1\r\n", b"--- \na: 1\n...\n", b"a: 1 # b\n"])
def test_a_byte_order_mark_dos_lines_a_document_marker_and_comments_are_read(content: bytes) -> None:
    assert read_bytes(content, "ours.yaml") == {"a": 1}


@pytest.mark.parametrize(
    ("content", "rule", "place"),
    [
        (b"", "file-empty", (None, None)),
        (b" \n\t\n", "file-empty", (None, None)),
        (b"a: \x001\n", "file-binary", (None, None)),
        ("a: 1\n".encode("utf-16"), "file-binary", (None, None)),
        (b"a: 1\nb: caf\xe9\n", "file-not-utf8", (2, 1)),
        (b"a: 1\nb: 2", "file-truncated", (2, 1)),
        (b"# only a comment\n", "yaml-not-mapping", (1, 1)),
        (b"- a\n", "yaml-not-mapping", (1, 1)),
        (b"a\n", "yaml-not-mapping", (1, 1)),
        (b"a: 1\nb: [\n", "yaml-syntax", (3, 1)),
        (b"a: 1\n  b: 2\n", "yaml-syntax", (2, 4)),
        (b"a:\n\t- b\n", "yaml-syntax", (2, 1)),
        ("ä: 1\nbö: x\x01\n".encode(), "yaml-syntax", (2, 6)),
        (b"a: 1\nb: 2\na: 3\n", "yaml-duplicate-key", (3, 1)),
        (b"a:\n  - {b: 1, b: 2}\n", "yaml-duplicate-key", (2, 12)),
        (b"a: &x 1\n", "yaml-alias", (1, 4)),
        (b"a: &x [1]\n", "yaml-alias", (1, 4)),
        (b"a: *x\n", "yaml-alias", (1, 4)),
        (b"a: !!python/name:os.system x\n", "yaml-tag", (1, 4)),
        (b"a: !secret [x]\n", "yaml-tag", (1, 4)),
        (b"[a]: 1\n", "yaml-key", (1, 1)),
        (b"{a: 1}: 1\n", "yaml-key", (1, 1)),
        (b"a: 1\n---\nb: 2\n", "yaml-several-documents", (2, 1)),
    ],
)
def test_a_file_of_the_wrong_kind_is_refused_at_its_place(
    content: bytes, rule: str, place: tuple[int | None, int | None]
) -> None:
    problem = refusal(content)

    assert (problem.rule, (problem.line, problem.column)) == (rule, place)


def test_the_message_about_a_second_key_says_where_the_first_one_is() -> None:
    assert "`a` stands twice in one mapping (first on line 1)" in refusal(b"a: 1\nb: 2\na: 3\n").message


def test_nesting_is_allowed_up_to_the_limit_and_not_beyond() -> None:
    def nested(levels: int) -> bytes:
        return b"a: " + b"[" * (levels - 1) + b"]" * (levels - 1) + b"\n"

    assert isinstance(read_bytes(nested(MAX_DEPTH), "ours.yaml"), Mapping)
    assert refusal(nested(MAX_DEPTH + 1)).rule == "yaml-too-deep"


@pytest.mark.parametrize(
    "content",
    [
        b"a: " + b"[" * 100_000 + b"\n",
        b"{a: " * 100_000 + b"\n",
        b"- " * 100_000 + b"x\n",
        b"".join(b" " * level + b"a:\n" for level in range(1000)),
    ],
    ids=["flow lists", "flow mappings", "block lists", "block mappings"],
)
def test_deep_nesting_is_refused_at_the_limit_without_reading_on(content: bytes) -> None:
    assert refusal(content).rule == "yaml-too-deep"


def test_a_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_file(tmp_path / "none.yaml", "none.yaml")

    (problem,) = caught.value.problems
    assert (problem.rule, problem.file) == ("file-unreadable", "none.yaml")


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Found a folder"):
        read_file(tmp_path)


def test_a_file_over_the_limit_is_refused(write: Write) -> None:
    path = write(b"")
    with path.open("r+b") as stream:
        stream.truncate(MAX_BYTES + 1)

    with pytest.raises(InputError, match="file-too-large"):
        read_file(path)


def test_control_characters_of_the_input_never_reach_the_terminal() -> None:
    problem = Problem(rule="unknown-key", message="Found the key `\x1b[31mred\n`.", entry="a\rb")

    assert str(problem) == "a\\rb\n  Found the key `\\x1b[31mred\\n`.  [unknown-key]"
