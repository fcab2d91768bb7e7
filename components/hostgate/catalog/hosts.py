"""Host strings: checked label by label in linear time, lower-cased, IDNA to A-labels.

No regular expression that can backtrack touches third-party text: a public host pattern of the field needs more than
ten minutes for 81 hostile characters. The match kind says how far a host reaches, so a star is a syntax error.
"""

import string
import unicodedata
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from hostgate.catalog.problems import spelled

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

MAX_NAME = 253
"""Characters of a name without its root dot (RFC 1035 2.3.4: 255 octets on the wire)."""

MAX_LABEL = 63
"""Characters of a label (RFC 1035 2.3.4)."""

_LDH = frozenset(string.ascii_lowercase + string.digits + "-")
_LDH_AND_DOT = _LDH | {"."}

_LOOKS_LATIN = frozenset("аеорсухіјѕһԁԛԝӏкмтвнαοινρτυχκ")
"""Lower-case Cyrillic and Greek letters that most fonts draw like a Latin one (Unicode TR 39, confusables)."""


class Host(NamedTuple):
    """A checked host: `name` in A-labels, or `rule` and `message` saying why not."""

    name: str
    rule: str | None = None
    message: str = ""


def check_host(text: str) -> Host:
    """`text` as an A-label name of two or more labels, or the first rule it breaks."""
    name = text.lower()
    if not name:
        return Host(text, "host-empty", "Found nothing. Allowed: a name of two or more labels.")
    if not _LDH_AND_DOT.issuperset(name) and (foreign := _foreign(text, name)):
        return foreign
    if is_address(name):
        return Host(text, "host-ip-literal", f"Found the address {text}. Allowed: a name; addresses change under it.")
    if ":" in name:
        return Host(text, "host-port", f"Found {spelled(text)}: a host has no port. Put the number under `port`.")
    if name.endswith("."):
        return Host(text, "host-trailing-dot", f"Found a trailing dot in {spelled(text)}. Write the name without it.")
    if not text.isascii():
        name, broken, message = _to_a_labels(text)
        if broken:
            return Host(text, broken, message)
    if len(name) > MAX_NAME:
        return Host(text, "host-too-long", f"Found {len(name)} characters. Allowed: at most {MAX_NAME}.")
    labels = name.split(".")
    for label in labels:
        broken, message = _label(label)
        if broken:
            return Host(text, broken, f"Found {spelled(text)}: {message}")
    if len(labels) < 2:
        return Host(text, "host-single-label", f"Found the single label {text!r}. Allowed: at least two labels.")
    if labels[-1].isdigit():
        return Host(text, "host-ip-literal", f"Found {spelled(text)}: the last label is a number, as in an address.")
    return Host(name)


def _foreign(text: str, name: str) -> Host | None:
    """What is wrong with the characters of `name` that stand in no host, if anything is."""
    for found, rule, message in _FOREIGN:
        if found in name:
            return Host(text, rule, f"Found {spelled(text)}: {message}")
    for char in name:
        if char <= " " or char == "\x7f":
            what = "a space" if char == " " else f"the control character U+{ord(char):04X}"
            rule = "host-space" if char in " \t\n\r" else "host-control-character"
            return Host(text, rule, f"Found {what} in {spelled(text)}. Allowed: letters, digits, hyphens and dots.")
    return None


def is_public_suffix(name: str) -> bool:
    """Whether a registry hands out names below `name` to anybody (publicsuffix.org, the ICANN section)."""
    return _icann().is_public(name)


RESERVED = frozenset(("example", "test", "internal", "local"))
"""Last labels that no registry hands out and that documents use for names all the same (RFC 2606, RFC 6762, ICANN 2024)."""


def registrable(name: str) -> str | None:
    """The part of `name` that somebody registers at a registry: one label and the suffix. None if there is no such
    registry, or nothing before the suffix; below a reserved last label, the last two labels."""
    labels = name.lower().split(".")
    if labels[-1] in RESERVED:
        return ".".join(labels[-2:]) if len(labels) > 1 else None
    return _icann().privatesuffix(name.lower())


def is_hosting_suffix(name: str) -> bool:
    """Whether a company hands out names below `name` to its customers (publicsuffix.org, the private section)."""
    return _all().is_public(name) and not _icann().is_public(name)


def is_address(name: str) -> bool:
    """Whether `name` is an IP address, in brackets or not."""
    from ipaddress import ip_address

    if not (name[:1].isdigit() or ":" in name or name.startswith("[")):
        return False
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


_FOREIGN = (
    ("://", "host-scheme", "a host has no scheme. Write the name only, the protocol under `protocol`."),
    ("/", "host-path", "a host has no path. Write the name only; a path is not visible to these firewalls."),
    ("*", "host-star", "a star is not part of a host. Write the name after the star and say how far it reaches with "
                       "`match`: one-label, subtree or subtree+apex."),
    ("@", "host-user", "a host has no user part. Write the name only."),
)  # fmt: skip


def _label(label: str) -> tuple[str | None, str]:
    if not label:
        return "host-empty-label", "two dots in a row, or a dot in front."
    if len(label) > MAX_LABEL:
        return "host-label-too-long", f"a label of {len(label)} characters. Allowed: at most {MAX_LABEL}."
    if not _LDH.issuperset(label):
        wrong = next(char for char in label if char not in _LDH)
        return "host-character", f"the character {wrong!r}. Allowed: letters, digits, hyphens and dots."
    if label[0] == "-" or label[-1] == "-":
        return "host-hyphen", f"the label {label!r} begins or ends with a hyphen."
    return None, ""


def _to_a_labels(text: str) -> tuple[str, str | None, str]:
    import idna

    name = text.lower()
    strange = next(char for char in text if not char.isascii())
    shown = f"U+{ord(strange):04X} {unicodedata.name(strange, 'unnamed')}"
    if unicodedata.normalize("NFKC", text) != text:  # before lower(): the Kelvin sign's lower case is a plain k
        return (
            name,
            "host-look-alike",
            f"Found {shown} in {spelled(text)}, a compatibility form. Write the plain letter.",
        )
    if "\u3002" in name:
        return name, "host-look-alike", f"Found U+3002 IDEOGRAPHIC FULL STOP in {spelled(name)}. Write a plain dot."
    labels = []
    for label in name.split("."):
        if label.isascii():
            labels.append(label)
            continue
        letters = [char for char in label if char.isalpha()]
        scripts = {unicodedata.name(char, "?").split()[0] for char in letters}
        if len(scripts) > 1 and not scripts <= {"CJK", "HIRAGANA", "KATAKANA"}:
            return name, "host-look-alike", (
                f"Found {shown} in {spelled(name)}: one label mixes {' and '.join(sorted(scripts))} letters. "
                "Write it in one script, or as its A-label (xn--...) if it is meant."
            )  # fmt: skip
        if letters and all(char in _LOOKS_LATIN for char in letters):
            return name, "host-look-alike", (
                f"Found {shown} in {spelled(name)}: the whole label looks like Latin letters. "
                "Write the Latin name, or the A-label (xn--...) if it is meant."
            )  # fmt: skip
        try:
            labels.append(idna.encode(label).decode("ascii"))
        except idna.IDNAError as error:
            why = str(error).encode("ascii", "backslashreplace").decode()
            return name, "host-idna", f"Found {spelled(name)}, not a valid internationalised name: {why}."
    return ".".join(labels), None, ""


@cache
def _all() -> "PublicSuffixList":
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList(accept_unknown=False)


@cache
def _icann() -> "PublicSuffixList":
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList(accept_unknown=False, only_icann=True)
