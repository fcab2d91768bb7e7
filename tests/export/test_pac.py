"""The exported PAC file in JavaScript engines: what it answers for a URL is what the plan's verdict says."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence

import dukpy
import pytest

from conformance.catalogs import entry, selection
from conformance.strategies import flows_about
from hostgate.catalog.problems import InputError
from hostgate.flows.flow import Flow
from hostgate.planning.plan import Plan, plan

ENTRIES = [
    entry("cgr.dev"),
    entry("apk.cgr.dev", port=8443, match="subtree"),
    entry("enforce.dev", match="subtree+apex"),
    entry("dl.enforce.dev", match="one-label", port=80, protocol="http"),
    entry("wide.example", match="one-label"),
    entry("wide.example", "both", match="exact"),
]
Engine = Callable[[str, Sequence[tuple[str, str]]], list[str]]
_ASK = "JSON.stringify({asked}.map(function (each) {{ return FindProxyForURL(each[0], each[1]); }}))"


def _node(script: str, asked: Sequence[tuple[str, str]]) -> list[str]:
    program = f"{script}\nconsole.log({_ASK.format(asked=json.dumps(asked))});"
    ran = subprocess.run(["node", "-"], input=program, capture_output=True, text=True, check=True, timeout=60)
    return list(json.loads(ran.stdout))


def _duktape(script: str, asked: Sequence[tuple[str, str]]) -> list[str]:
    return list(json.loads(dukpy.evaljs(f"{script}\n{_ASK.format(asked=json.dumps(asked))}")))


@pytest.fixture(params=[_node, _duktape])
def engine(request: pytest.FixtureRequest) -> Engine:
    if request.param is _node and shutil.which("node") is None:
        pytest.skip("there is no node on PATH")
    return request.param  # type: ignore[no-any-return]


def planned(**options: str) -> Plan:
    return plan(selection(ENTRIES), "export:pac", options)


def urls() -> Iterator[tuple[Flow, str, str]]:
    return browsed(flows_about(ENTRIES))


def browsed(flows: Iterable[Flow]) -> Iterator[tuple[Flow, str, str]]:
    """Those of `flows` that a browser can have, each with the URL and host that it asks the file about."""
    for flow in flows:
        if flow.protocol in ("https", "http") and flow.port > 0 and flow.sni == flow.name:
            host = f"[{flow.name}]" if ":" in flow.name else flow.name
            usual = flow.port == (443 if flow.protocol == "https" else 80)
            for port in [f":{flow.port}"] if not usual else ["", f":{flow.port}"]:
                yield flow, f"{flow.protocol}://{host}{port}/v2/x?y#z", host


def test_the_script_answers_as_the_verdict_says(engine: Engine) -> None:
    made, asked = planned(), list(urls())
    answers = engine(made.objects[0].text or "", [(url, host) for _, url, host in asked])
    different = [
        (url, answer, made.verdict(flow))
        for (flow, url, host), answer in zip(asked, answers, strict=True)
        if (answer == "DIRECT") != made.verdict(flow).allows and ".." not in host and not host.startswith(".")
    ]
    assert different == []
    assert 20 < answers.count("DIRECT") < len(answers) - 50


ODD = [
    ("https://cgr.dev", "cgr.dev", True),
    ("wss://cgr.dev/chat", "cgr.dev", True),
    ("HTTPS://CGR.DEV/", "CGR.DEV", True),
    ("https://user:pass@cgr.dev/", "cgr.dev", True),
    ("https://cgr.dev@evil.example/", "evil.example", False),
    ("https://evil.example/@cgr.dev", "evil.example", False),
    ("https://evil.example?@cgr.dev", "evil.example", False),
    ("https://evil.example#@cgr.dev/", "evil.example", False),
    ("https://cgr.dev/", "evil.example", False),
    ("https://evil.example\\@cgr.dev/", "evil.example", False),
    ("ftp://cgr.dev/", "cgr.dev", False),
    ("http://cgr.dev/", "cgr.dev", False),
    ("http://cgr.dev:443/", "cgr.dev", False),
    ("https://cgr.dev:0443/", "cgr.dev", True),
    ("https://cgr.dev:/", "cgr.dev", True),
    ("https://sub..enforce.dev/", "sub..enforce.dev", False),
    ("https://constructor/", "constructor", False),
    ("https://x.__proto__/", "x.__proto__", False),
    ("", "", False),
]


def test_a_url_is_taken_apart_as_a_browser_does(engine: Engine) -> None:
    answers = engine(planned().objects[0].text or "", [(url, host) for url, host, _ in ODD])
    assert [(url, answer == "DIRECT") for (url, _, _), answer in zip(ODD, answers, strict=True)] == [
        (url, wanted) for url, _, wanted in ODD
    ]


def test_what_is_allowed_goes_to_the_proxy_that_is_named_and_all_else_to_the_other(engine: Engine) -> None:
    made = planned(allowed="PROXY REFUSED.example:3128; DIRECT", refused="HTTPS no.example:1")
    asked = [("https://cgr.dev/", "cgr.dev"), ("https://evil.example/", "evil.example")]
    assert engine(made.objects[0].text or "", asked) == ["PROXY REFUSED.example:3128; DIRECT", "HTTPS no.example:1"]


@pytest.mark.parametrize("way", ["DIRECT", "PROXY a.example:1; DIRECT", "PROXY a.example", 'PROXY "', "", "direct"])
def test_all_else_never_passes(way: str) -> None:
    with pytest.raises(InputError, match="refused"):
        planned(refused=way)
