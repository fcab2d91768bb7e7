"""What the options of a rule ask of a flow: names, protocols, and the moment from which the engine can tell.

Of a keyword that is not known here nobody can tell whether it holds: it becomes a doubt, which no verdict passes over.
Source: Suricata 7 user guide, rules; what the engine does was replayed on 7.0.10.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from hostgate.flows.names import Names, NameTest
from hostgate.suricata.reader import FOLDS, ParsedRule, decoded

NUMBERS: Final[Mapping[str, int]] = {
    "icmp": 1, "igmp": 2, "tcp": 6, "udp": 17, "ipv6": 41, "gre": 47, "esp": 50, "ah": 51, "ipv6-icmp": 58, "icmpv6": 58,
    "sctp": 132,
}  # fmt: skip
"""IP protocols by name (IANA assigned internet protocol numbers)."""

_HARMLESS = frozenset(
    {"msg", "sid", "rev", "gid", "classtype", "reference", "metadata", "priority", "target", "alert", "noalert",
     "fast_pattern", "tag"}
)  # fmt: skip
"""Keywords that are no condition."""

_OF_FLOWS: Final = frozenset(NUMBERS[each] for each in ("icmp", "tcp", "udp", "icmpv6", "sctp"))
"""Protocols whose packets make flows: one of any other, such as GRE, has no state of one (replayed on 7.0.10)."""

_ECHO: Final = (8, 128)
"""Types of an echo request of ICMP and of ICMPv6 (RFC 792, RFC 4443)."""

NAME_BUFFERS: Final[Mapping[str, str]] = {"tls.sni": "tls", "http.host": "http"}
"""Sticky buffers that hold a name, and what the packets speak."""
_SET_BITS = ("set", "unset", "toggle", "noalert")


@dataclass(slots=True)
class Conditions:
    """Filled from the options in order. `protocols` None: every one; `never`: no client's connection meets it."""

    wire: Names | None = None
    applications: frozenset[str] | None = None
    but: frozenset[str] = frozenset()
    protocols: frozenset[int] | None = None
    after_hello: bool = False
    """Whether it waits for the client's first data: an established connection, a protocol, or a name."""
    whole_hello: bool = False
    """Whether it waits until the client's hello is whole, in however many packets."""
    doubts: list[str] = field(default_factory=list)
    never: bool = False
    before_handshake: bool = False
    """Whether it is about packets before the handshake alone."""
    once: bool = False
    """Whether it holds for the first packet of a flow alone: `flowbits` of hostgate's own rules that log a flow once."""
    to_server: bool = False
    """Whether it is about what clients send alone."""
    to_client: bool = False
    of_packets: bool = False
    """Whether the engine asks it of each packet for itself, so that a pass is for that packet alone."""

    def only(self, protocols: frozenset[int]) -> None:
        self.protocols = protocols if self.protocols is None else self.protocols & protocols

    def doubt(self, rule: ParsedRule, what: str) -> None:
        found = f"{what} of the rule {rule.sid} holds"
        if found not in self.doubts:
            self.doubts.append(found)


@dataclass(slots=True)
class _Content:
    """A `content` or `pcre` on a name, with the modifiers that follow it."""

    text: str
    negated: bool
    pattern: bool = False
    dotted: bool = False
    case: bool = True
    starts: bool = False
    ends: bool = False

    def blur(self) -> None:
        """Where it has to be is not known: one that must not be there may be elsewhere, and asks nothing any more."""
        if self.negated:
            self.text = ""


_CHANGED: Final = "a buffer that a transform has changed"
_OF_NAMES: Final = frozenset({*NAME_BUFFERS, _CHANGED})


def conditions(rule: ParsedRule) -> Conditions:
    """What `rule` asks beside its header."""
    found = Conditions()
    buffer: str | None = None
    dotted = False
    folded: Callable[[str], str] | None = None
    contents: list[_Content] = []
    sizes: list[str] = []
    untouched = 0
    """How many contents there were when the buffer began: transforms follow it directly (transformation keywords)."""
    for keyword, value in rule.options:
        if keyword in _HARMLESS:
            continue
        if keyword in NAME_BUFFERS:
            buffer, dotted, folded, untouched = keyword, False, None, len(contents)
            found.wire = ()
            found.after_hello = True
            found.applications = frozenset({NAME_BUFFERS[keyword]})
        elif keyword == "http.start":
            buffer = keyword
            found.after_hello = True
            found.applications = frozenset({"http"})
        elif buffer == "http.start" and keyword == "content" and decoded(value) == "\r\n":
            continue  # every request has it, one without any header too
        elif keyword == "dotprefix" and buffer in NAME_BUFFERS:
            dotted = True
        elif keyword in FOLDS and buffer in NAME_BUFFERS and len(contents) == untouched and folded is None:
            folded = FOLDS[keyword]
        elif keyword in ("content", "pcre") and buffer == _CHANGED:
            contents.append(_Content("", negated=False))  # of what nobody here knows, which is a doubt already
        elif keyword in ("content", "pcre") and buffer in NAME_BUFFERS:
            content = _content(rule, found, keyword, value, str(buffer), dotted=dotted, folded=folded)
            contents.append(content)
        elif keyword in ("nocase", "startswith", "endswith") and contents and buffer in _OF_NAMES:
            _modify(contents[-1], keyword)
        elif keyword in ("depth", "isdataat") and contents and buffer in _OF_NAMES:
            _bound(rule, found, contents[-1], keyword, value)
        elif keyword == "bsize" and buffer in _OF_NAMES:
            sizes += [value] if buffer != _CHANGED else []
        elif not _plain(rule, found, keyword, value):
            found.doubt(rule, keyword)
            if _is_buffer(keyword):
                buffer = keyword
            elif buffer in NAME_BUFFERS:  # it may change the name for what follows, and move the content before it
                buffer = _CHANGED
                if contents:
                    contents[-1].blur()
    if found.wire is not None:
        tests = [_test(each) for each in contents]
        tests += [_size(rule, found, each, dotted=dotted) for each in sizes]
        found.wire = tuple(test for test in tests if test is not None)
    return found


def _is_buffer(keyword: str) -> bool:
    """Sticky buffers are called `protocol.part`; contents after one are about it."""
    return "." in keyword


def _plain(rule: ParsedRule, found: Conditions, keyword: str, value: str) -> bool:
    """Whether the keyword is one whose condition is told without a buffer; it is then taken in."""
    match keyword:
        case "flow":
            _flow(rule, found, value)
        case "ip_proto":
            return _ip_proto(found, value)
        case "app-layer-protocol":
            return _application(found, value)
        case "ssl_state":
            if value != "client_hello":
                return False
            found.after_hello = found.whole_hello = True
            found.applications = frozenset({"tls"})
        case "itype" | "icode" if value.strip().isdecimal():
            # What a client begins with ICMP is an echo; errors answer something that was judged already.
            found.never |= int(value) not in (_ECHO if keyword == "itype" else (0,))
        case "flowbits" if value.replace(" ", "") == "isnotset,hostgate":
            found.once = True  # of a bit that nobody but such rules sets, the first packet has none
        case "flowbits" | "xbits":
            return value.split(",")[0].strip() in _SET_BITS
        case _:
            return False
    return True


def _flow(rule: ParsedRule, found: Conditions, value: str) -> None:
    found.of_packets = True
    for word in value.split(","):
        match word.strip().lower():
            case "to_server" | "from_client":
                found.to_server = True
            case "to_client" | "from_server":
                found.to_client = True
            case "stateless" | "only_stream" | "no_stream" | "no_frag":
                pass
            case "established":
                # Of a datagram exchange, the first is no established flow, and it is out by then.
                # Of a connection, the client's first data is the first packet that the engine counts to it.
                found.only(frozenset({NUMBERS["tcp"]}))
                found.after_hello = True
            case "not_established":
                found.only(_OF_FLOWS)
                found.before_handshake = True
            case other:
                found.doubt(rule, f"flow:{other}")


def _ip_proto(found: Conditions, value: str) -> bool:
    spec = value.strip().lower()
    mark = spec[:1] if spec[:1] in "!<>" else ""
    word = spec.removeprefix(mark).strip()
    number = NUMBERS.get(word, int(word) if word.isdecimal() and int(word) < 256 else None)
    if number is None:
        return False
    every = range(256)
    match mark:
        case "!":
            found.only(frozenset(every) - {number})
        case "<":
            found.only(frozenset(each for each in every if each < number))
        case ">":
            found.only(frozenset(each for each in every if each > number))
        case _:
            found.only(frozenset({number}))
    return True


def _application(found: Conditions, value: str) -> bool:
    negated, word = value.startswith("!"), value.removeprefix("!").strip().lower()
    if word not in ("tls", "http", "http1"):
        return (
            False  # QUIC among them: whether the engine takes a datagram for it differs by port and content (replayed)
        )
    found.after_hello = True
    word = word.removesuffix("1")
    if negated:
        found.but |= {word}
    else:
        found.applications = frozenset({word}) & (found.applications or {word})
    return True


def _content(
    rule: ParsedRule, found: Conditions, keyword: str, value: str, buffer: str, *,
    dotted: bool, folded: Callable[[str], str] | None,
) -> _Content:  # fmt: skip
    negated = value.startswith("!")
    text = value.removeprefix("!").strip('"') if keyword == "pcre" else decoded(value.removeprefix("!"))
    case = buffer != "http.host"  # the engine lower-cases the host before it looks
    if keyword == "content":
        changed = dotted or folded is not None
        if (negated and changed) or (folded is not None and folded(text) != text):
            # Refused; or negated, which the engine asks of more than the changed name where it stands alone (replayed).
            found.doubt(rule, f"content:{value}")
            return _Content("", negated=False)
        return _Content(text, negated, dotted=dotted, case=case and folded is None)
    body, slash, flags = text.removeprefix("/").rpartition("/")
    if not slash or set(flags) - {"i"} or dotted or folded or not _is_tame(body):
        found.doubt(rule, "pcre")
        return _Content("", negated=False, pattern=True, case=case)
    return _Content(body, negated, pattern=True, dotted=dotted, case=case and "i" not in flags)


def _is_tame(pattern: str) -> bool:
    """Whether Python means the same by the pattern and no name can keep it busy: no repetition inside another one."""
    if len(pattern) > 1_000 or re.search(r"\\[^.\\/\-wdsWDSbB]|\(\?(?!:)|\[\[", pattern):
        return False
    if re.search(r"[*+}]\)[*+{?]|\([^()]*[*+][^()]*\)[*+{]", pattern):
        return False
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


def _modify(content: _Content, keyword: str) -> None:
    match keyword:
        case "nocase":
            content.case = False
        case "startswith":
            content.starts = True
        case "endswith":
            content.ends = True


def _bound(rule: ParsedRule, found: Conditions, content: _Content, keyword: str, value: str) -> None:
    if keyword == "depth" and value.strip() == str(len(content.text)):
        content.starts = True
    elif keyword == "isdataat" and value.replace(" ", "") == "!1,relative":
        content.ends = True
    elif content.text:
        found.doubt(rule, keyword)
        content.blur()


def _test(content: _Content) -> NameTest | None:
    text, case, negated = content.text, content.case, content.negated
    if not text:
        return None
    if content.pattern:
        return NameTest("pattern", text, case, negated)
    if content.dotted:
        return _dotted(content)
    if content.starts and content.ends:
        return NameTest("exact", text, case, negated)
    kind = "starting" if content.starts else "ending" if content.ends else "containing"
    return NameTest(kind, text, case, negated)  # type: ignore[arg-type]


def _dotted(content: _Content) -> NameTest:
    """A condition on the name with a dot in front of it, which is never negated."""
    text, case = content.text, content.case
    if not text.startswith("."):
        return NameTest("ending" if content.ends else "containing", text, case)
    if content.starts and content.ends:
        return NameTest("exact", text[1:], case)
    if content.ends:
        return NameTest("dot-ending", text[1:], case)
    escaped = re.escape(text[1:])
    return NameTest("pattern", rf"\A{escaped}" if content.starts else rf"(?:\A|\.){escaped}", case)


def _size(rule: ParsedRule, found: Conditions, value: str, *, dotted: bool) -> NameTest | None:
    """How long the name is (`bsize`), as a pattern; with the dot in front where there is one."""
    spec = value.replace(" ", "")
    one = re.fullmatch(r"([<>]=?|)([0-9]{1,5})", spec)
    span = re.fullmatch(r"([0-9]{1,5})<>([0-9]{1,5})", spec)
    if one is None and span is None:
        found.doubt(rule, "bsize")
        return None
    low, high = 0, 65_535
    if span is not None:
        low, high = int(span[1]) + 1, int(span[2]) - 1
    elif one is not None:
        mark, number = one[1], int(one[2])
        low = {">": number + 1, ">=": number, "": number}.get(mark, 0)
        high = {"<": number - 1, "<=": number, "": number}.get(mark, 65_535)
    less = 1 if dotted else 0
    return NameTest("pattern", rf"\A(?s:.){{{max(low - less, 0)},{max(high - less, 0)}}}\Z")
