"""export:pac: a proxy auto-configuration file, by which a browser asks where to send each URL.

It sees the name and port of the URL and nothing of what is sent, and it binds only who uses it. The script is of ECMAScript
3, which every engine of such files takes, and looks names up nowhere: no `dnsResolve`, no `isInNet`.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from hostgate.catalog.model import Entry
from hostgate.export.file_format import APPLICATION, PORT, UDP, FileFormat, FormatOptions, closed
from hostgate.flows.intervals import Intervals
from hostgate.flows.names import NameTest
from hostgate.flows.steps import Box, Place, Stage, Step
from hostgate.planning.evidence import Claim, Evidence
from hostgate.planning.findings import Finding, finding
from hostgate.planning.mechanism import CloudObject, Means

_WAY = r"(DIRECT|(PROXY|HTTP|HTTPS|SOCKS|SOCKS4|SOCKS5) (\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):" + PORT + ")"
_SOURCE = "Mozilla developer documentation, proxy auto-configuration file"
_HTTP3 = "RFC 9114, section 3.1.1; Chromium, net/docs/proxy.md: a proxy of this kind carries no QUIC"
_QUIC = "a browser that is told DIRECT may change to HTTP/3, on any UDP port that the host says"


def _refusing(text: str) -> str:
    if "DIRECT" in text:
        raise PydanticCustomError(
            "way",
            "{message}",
            {"message": f"found {text!a}, by which all else would pass. Allowed: a proxy that refuses."},
        )
    return text


class PacOptions(FormatOptions):
    """Where what is allowed goes, and where all else goes."""

    allowed: Annotated[str, Field(pattern=f"^{_WAY}(; ?{_WAY})*$")] = "DIRECT"
    """Where allowed URLs go, as a PAC file says it: `DIRECT`, or `PROXY proxy.example:3128`."""
    refused: Annotated[str, Field(pattern=f"^{_WAY}(; ?{_WAY})*$"), AfterValidator(_refusing)] = "PROXY 127.0.0.1:9"
    """Where all else goes: a proxy that refuses it. Left out: a port on which nothing listens."""


class Pac(FileFormat[PacOptions]):
    """One function over a table of names."""

    target = "export:pac"
    title = "Proxy auto-configuration"
    options = PacOptions
    file = ".pac"
    state = "none: the file is asked about each URL"
    refuses = "All other URLs are refused, those of private destinations too."
    means = (
        Means(
            name="URLs",
            protocols=frozenset({"https", "http"}),
            sight="name-and-port",
            names="dialled",
            ttl_family="wire",
            resolver="the browser dials the name that was judged; TTL and rotation do not matter",
            evidence=Evidence("tried", "the script in Node.js 20 and Duktape", "2026-11-28"),
            needs=(
                Claim(
                    "browsers that are set to use the file, and a firewall for what does not ask it",
                    _SOURCE,
                    "2026-11-28",
                ),
            ),
            opens=(
                Claim("everything to a program that does not use the file", _SOURCE, "2026-11-28"),
                Claim(f"QUIC to the hosts where they are reached directly: {_QUIC}", _HTTP3, "2026-11-28"),
            ),
            nearest=dict.fromkeys(("tls", "tcp", "udp"), "a format for all programs: no URL is asked about for it."),
        ),
    )

    def remarks(self, options: PacOptions) -> Iterator[Finding]:
        yield from super().remarks(options)
        if _direct(options.allowed):
            yield finding("quic-open", f"Not over TCP alone: {_QUIC}.")

    def body(self, entries: Sequence[Entry], options: PacOptions) -> Mapping[str, Any]:
        hosts: dict[str, dict[str, list[str]]] = {}
        for entry in entries:
            spoken = "http" if entry.protocol == "http" else "https"
            kinds = hosts.setdefault(f"{spoken}:{entry.port}", {}).setdefault(entry.host, [])
            kinds += [entry.match] if entry.match not in kinds else []
        return {"allowed": options.allowed, "refused": options.refused, **({"hosts": hosts} if hosts else {})}

    def text(self, body: Mapping[str, Any], head: Sequence[str]) -> str:
        said = {word: json.dumps(body[word.lower()]) for word in ("ALLOWED", "REFUSED")}
        listed = (f"{json.dumps(key)}: {{\n{_rows(hosts)}\n}}" for key, hosts in sorted(body.get("hosts", {}).items()))
        said["HOSTS"] = f"{{{', '.join(listed)}}}"
        script = re.sub("HOSTS|ALLOWED|REFUSED", lambda word: said[word[0]], _SCRIPT)
        quic = (f"QUIC, too: {_QUIC}; close UDP on the way",) if _direct(body["allowed"]) else ()
        return "".join(f"// {line}\n" for line in (*head, *quic)) + script

    def place(self, objects: Sequence[CloudObject], options: PacOptions) -> Place:  # noqa: ARG002
        (made,) = objects
        steps = [
            Step(action="allow", rule=f"{made.name}#{host}:{port}", why="the script finds the name", box=where)
            for key, hosts in made.body.get("hosts", {}).items()
            for spoken, port in [key.split(":")]
            for host, kinds in hosts.items()
            for kind in kinds
            for where in [_box(spoken, int(port), host, kind), *_over_quic(made.body["allowed"], spoken, host, kind)]
        ]
        stage = Stage("script", tuple(steps), closed("the script finds no such name at this port"))
        return Place(
            self.target, made.name, (stage,), led="asked", kind="browsers", assumptions=("The client asks the file.",)
        )


def _direct(ways: str) -> bool:
    return any(each.strip() == "DIRECT" for each in ways.split(";"))


def _over_quic(ways: str, spoken: str, host: str, kind: Any) -> Iterator[Box]:
    """What a browser may go over to where it is told to connect directly. Which port, the host says."""
    if spoken == "https" and _direct(ways):
        doubt = "the host offers HTTP/3 at this port, and the browser takes it"
        yield Box(
            dialled=(NameTest(kind, host),),
            protocols=frozenset({UDP}),
            applications=frozenset({"quic"}),
            doubts=(doubt,),
        )


def _rows(hosts: Mapping[str, Sequence[str]]) -> str:
    return ",\n".join(f"  {json.dumps(host)}: {json.dumps(kinds)}" for host, kinds in sorted(hosts.items()))


def _box(spoken: str, port: int, host: str, kind: Any) -> Box:
    applications = frozenset({APPLICATION[spoken]})
    return Box(dialled=(NameTest(kind, host),), port=Intervals.of([(port, port)]), applications=applications)


_SCRIPT = """\
var HOSTGATE = HOSTS;

function FindProxyForURL(url, host) {
  var refused = REFUSED;
  var form = /^(https?|wss?):\\/\\/(?:[^\\/?#]*@)?(\\[[^\\]\\/]*\\]|[^:\\/?#\\[\\]]+)(?::([0-9]*))?(?:[\\/?#]|$)/;
  var parts = form.exec(String(url).toLowerCase());
  var name = String(host).toLowerCase();
  if (!parts || parts[2] !== name) { return refused; }
  var tls = parts[1] === "https" || parts[1] === "wss";
  var listed = HOSTGATE[(tls ? "https:" : "http:") + Number(parts[3] || (tls ? 443 : 80))];
  name = name.replace(/\\.$/, "");
  if (!listed || /^\\.|\\.\\.|[:\\[]/.test(name)) { return refused; }
  for (var rest = name, depth = 0; rest; depth += 1) {
    var kinds = listed.hasOwnProperty(rest) ? listed[rest] : [];
    for (var at = 0; at < kinds.length; at += 1) {
      if (kinds[at] === (depth === 0 ? "exact" : "subtree")) { return ALLOWED; }
      if (kinds[at] === "subtree+apex" || (kinds[at] === "one-label" && depth === 1)) { return ALLOWED; }
    }
    var dot = rest.indexOf(".");
    rest = dot < 0 ? "" : rest.slice(dot + 1);
  }
  return refused;
}
"""

MECHANISM = Pac()
