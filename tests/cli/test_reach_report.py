"""`hostgate reach --report` and `--accept-file`: what auditors keep, and who accepted what until when."""

import csv
import json
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from .conftest import Run
from .test_reach_command import HUB, hosts, rule, state, states

DAY = ("--as-of", "2026-11-28")


def asked(folder: Path, *rules: Mapping[str, Any], needed: tuple[str, ...] = ("cgr.dev",)) -> tuple[object, ...]:
    return ("--state", state(folder, HUB, *states(*map(dict, rules))), "--catalog", hosts(folder, *needed))


def ids(run: Run, *about: object) -> dict[str, str]:
    """Ids of the lines by kind, one of each."""
    (point,) = run("reach", *about, "--json").json["points"]
    return {kind: each["id"] for kind in ("beyond", "missing", "unknown") for each in point[kind]}


def accept(folder: Path, *items: Mapping[str, str]) -> Path:
    path = folder / "accepted.yaml"
    usual = {"because": "Known", "owner": "shop team", "until": "2026-12-31"}
    path.write_text(json.dumps({"accept": [usual | item for item in items]}) + "\n")
    return path


@pytest.mark.parametrize(
    ("until", "code", "standing"),
    [("2026-11-28", 0, "holds"), ("2026-11-27", 3, "ended, and does not count"), ("2027-01-01", 0, "holds")],
    ids=["its last day", "the day after", "before"],
)
def test_an_acceptance_counts_until_its_last_day(
    run: Run, tmp_path: Path, until: str, code: int, standing: str
) -> None:
    about = asked(tmp_path, rule(("cgr.dev", "evil.example")))
    path = accept(tmp_path, {"id": ids(run, *about)["beyond"], "until": until})
    report = tmp_path / "r.md"
    made = run("reach", *about, "--accept-file", path, *DAY, "--report", report)
    assert made.code == code
    assert ("(accepted)" in made.out) == (code == 0)
    assert (f"(accepted until {until} only)" in " ".join(made.out.split())) == (code == 3)
    assert f"| Known | shop team | {until} | {standing} |" in report.read_text()
    (point,) = run("reach", *about, "--accept-file", path, *DAY, "--json").json["points"]
    told = point["beyond"][0]
    assert told["acceptance"] == {"reason": "Known", "owner": "shop team", "until": until, "ended": code == 3}
    assert told.get("accepted") == ("Known" if code == 0 else None)


WIDER = {
    "a port": {"protocols": [{"protocolType": "Https", "port": 443}, {"protocolType": "Https", "port": 8443}]},
    "clients": {"sourceAddresses": ["10.0.0.0/8", "192.168.0.0/16"]},
    "a name below": {"targetFqdns": ["cgr.dev", "evil.example", "*.evil.example"]},
}


@pytest.mark.parametrize("wider", WIDER.values(), ids=WIDER)
def test_an_acceptance_of_a_line_that_opens_more_by_now_counts_no_more_and_is_told(
    run: Run, tmp_path: Path, wider: dict[str, Any]
) -> None:
    about = asked(tmp_path, rule(("cgr.dev", "evil.example")))
    path = accept(tmp_path, {"id": (was := ids(run, *about)["beyond"])})
    assert run("reach", *about, "--accept-file", path, *DAY).code == 0
    asked(tmp_path, rule(("cgr.dev", "evil.example")) | wider)
    reports = [tmp_path / f"r{form}" for form in (".md", ".html", ".csv")]
    made = run("reach", *about, "--accept-file", path, *DAY, "--report", *reports)
    assert made.code == 3, made.err
    assert "(changed; accepted" in made.out
    assert f"was {was})" in made.out
    assert all("of another extent" in path.read_text() for path in reports)
    (point,) = run("reach", *about, "--accept-file", path, *DAY, "--json").json["points"]
    (line,) = point["beyond"]
    assert (line["acceptance"]["outgrown"], "accepted" in line) == (was, False)
    again = accept(tmp_path, {"id": line["id"]})
    assert run("reach", *about, "--accept-file", again, *DAY).code == 0
    both = run("reach", *about, "--accept-file", accept(tmp_path, {"id": line["id"]}, {"id": was}), *DAY)
    assert (both.code, f"there is no line {was}" in both.err) == (1, True)


def item(**fields: str) -> str:
    """An item of the file; a field that is empty is left out."""
    told = {"id": "ID", "because": "x", "owner": "a", "until": "'2026-12-31'"} | fields
    return "  - {" + ", ".join(f"{key}: {value}" for key, value in told.items() if value) + "}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ["file-empty"]),
        ("accept: []\n", ["`accept` is empty"]),
        ("accept:\n", ["accepted.yaml:1:", "`accept`: found nothing"]),
        ("accepted: []\n", ["`accepted` is no key here", "`accept` is missing"]),
        (item(owner="", until=""), ["accepted.yaml:2:5", "`accept[0].owner` is missing", "`accept[0].until` is missing"]),
        (item(because="' '"), ["accepted.yaml:2:", "`accept[0].because`", "a reason in words"]),
        (item(until="soon"), ["`accept[0].until`: found 'soon'", "YYYY-MM-DD"]),
        (item(untill="x"), ["Did you mean `until`"]),
        (item(id="XYZ"), ["twice 8 hexadecimal digits"]),
        (item(id="00000000-00000000") + item(id="12345678-12345678"),
         ["accepted.yaml:2:5", "there is no line 00000000-0", "accepted.yaml:3:5", "there is no line 12345678-1", "2 errors"]),
        (item(id="12345678"), ["accepted.yaml:2:6", "Allowed: text"]),
        (item() + item(), ["accepted.yaml:3:5", "accepted twice"]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_file_is_said_with_its_place(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    about = asked(tmp_path, rule(("cgr.dev", "evil.example")))
    head = "accept:\n" if text.startswith("  -") else ""
    Path("accepted.yaml").write_text(head + text.replace("ID", ids(run, *about)["beyond"]))
    made = run("reach", *about, "--accept-file", "accepted.yaml", "--report", "r.md")
    assert (made.code, made.out, Path("r.md").exists()) == (1, "", False)
    for part in said:
        assert part in made.err
    missing = run("reach", *about, "--accept-file", "none.yaml")
    assert (missing.code, "none.yaml" in missing.err) == (1, True)


def test_a_line_is_accepted_once(run: Run, tmp_path: Path) -> None:
    about = asked(tmp_path, rule(("cgr.dev", "evil.example")))
    id_ = ids(run, *about)["beyond"]
    made = run("reach", *about, "--accept-file", accept(tmp_path, {"id": id_}), "--accept", f"{id_}=x")
    assert (made.code, "accepted twice" in made.err) == (1, True)


class Page(HTMLParser):
    """Texts, and everything that a page would load or run."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [tag] if tag in ("script", "iframe", "img", "object", "embed", "base", "form") else []
        self.loads += [f"{name}={value}" for name, value in attrs if name.startswith("on") or name in ("src", "action")]
        self.loads += [
            str(value) for name, value in attrs if name == "href" and not str(value).startswith(("#place-", "data:,"))
        ]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


HOSTILE = ("<script>alert(1)</script>", "| `x` [a](javascript:alert(1))", "=HYPERLINK(\"http://x\")", "\u202e\x1b[31m")  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE, ids=["html", "markdown", "formula", "terminal"])
def test_what_a_state_holds_is_text_in_every_form(run: Run, tmp_path: Path, name: str) -> None:
    about = asked(tmp_path, rule(), rule(("evil.example",), name))
    accepted = accept(
        tmp_path, {"id": ids(run, *about)["beyond"], "because": name.lstrip("\u202e\x1b") + "!", "owner": "=1+1"}
    )
    reports = [tmp_path / f"r{form}" for form in (".md", ".html", ".csv")]
    made = run("reach", *about, "--accept-file", accepted, *DAY, "--report", *reports)
    assert made.code == 0, made.err
    text, html, table = (path.read_text() for path in reports)
    page = Page()
    page.feed(html)
    assert page.loads == []
    assert "default-src 'none'" in html
    assert "\x1b" not in text + html + table
    shown = "".join(page.texts)
    assert name.replace("\u202e", "\\u202e").replace("\x1b", "\\x1b") in shown
    assert not re.search(r"(?<!\\)[<\[]", re.sub(r"(`+) ?.*?[^`] ?\1(?!`)", "", text))
    cells = [cell for row in csv.reader(table.splitlines()) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    assert "'=1+1" in cells


def test_the_csv_form_has_a_row_for_each_entry_and_names_what_it_rests_on(run: Run, tmp_path: Path) -> None:
    about = asked(tmp_path, rule(("cgr.dev", "evil.example")), needed=("cgr.dev", "quay.io", "ghcr.io"))
    made = run("reach", *about, *DAY, "--report", tmp_path / "r.csv")
    rows = list(csv.DictReader((tmp_path / "r.csv").read_text().splitlines()))
    by_kind = {kind: [row for row in rows if row["kind"] == kind] for kind in {row["kind"] for row in rows}}
    assert made.code == 3
    assert [row["name"] for row in by_kind["beyond"]] == ["evil.example"]
    assert [(row["entry"], row["name"], row["counts"]) for row in by_kind["missing"]] == [
        ("h1", "quay.io", "yes"), ("h2", "ghcr.io", "yes"),
    ]  # fmt: skip
    record = {row["id"]: row["why"] for row in by_kind["record"]}
    assert record["date"].startswith("2026-11-28")
    assert re.fullmatch(r".*state\.json, SHA-256 [0-9a-f]{64}", record["state"])
    assert record["stack"] == "prod of hub"
    assert len(by_kind["assumed"]) == 3


@pytest.mark.parametrize("form", [".md", ".html", ".csv"])
def test_the_same_input_gives_the_same_bytes_and_the_exit_code_is_the_same(run: Run, tmp_path: Path, form: str) -> None:
    about = asked(tmp_path, rule(), needed=("cgr.dev", "quay.io"))
    plain = run("reach", *about)
    one, two = tmp_path / f"one{form}", tmp_path / f"two{form.upper()}"
    first, second = (run("reach", *about, *DAY, "--report", path) for path in (one, two))
    assert {plain.code, first.code, second.code} == {4}
    assert plain.out == first.out
    assert one.read_bytes() == two.read_bytes()
    assert b"2026-11-28" in one.read_bytes()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("r.txt", ".md (Markdown), .html (one HTML page), .csv"),
        ("r", ".md (Markdown), .html (one HTML page), .csv"),
        ("no/r.md", "there is no folder"),
        ("folder.md", "it is a folder"),
    ],
)
def test_a_report_that_cannot_be_written_is_said_before_anything_is_judged(
    run: Run, tmp_path: Path, name: str, said: str
) -> None:
    (tmp_path / "folder.md").mkdir()
    made = run("reach", "--state", tmp_path / "none.json", "--report", tmp_path / name)
    assert (made.code, made.out) == (2, "")
    assert said in made.err


def test_a_report_may_not_take_the_place_of_what_it_is_about(run: Run, tmp_path: Path) -> None:
    about = state(tmp_path, HUB, *states(rule()), name="state.md")
    made = run("reach", "--state", about, "--catalog", hosts(tmp_path, "cgr.dev"), "--report", about)
    assert (made.code, "would write over" in made.err) == (2, True)
    json.loads(about.read_text())
    beside = run(
        "reach", "--catalog", hosts(tmp_path, "cgr.dev"), "--report", tmp_path / "probe.md", "--probe", tmp_path
    )
    assert (beside.code, "would write over" in beside.err, (tmp_path / "probe.md").exists()) == (2, True, False)


def test_a_plan_names_digest_catalogs_and_what_passes_by_design(run: Run, tmp_path: Path) -> None:
    about = ("--catalog", "chainguard/images@2026-02-23", "--target", "aws:rules", "gcp:fqdn")
    assert run("reach", *about, *DAY, "--report", tmp_path / "r.md").code == 0
    text = (tmp_path / "r.md").read_text()
    digests = [each["digest"] for each in run("plan", *about, "--json").json["targets"]]
    assert all(digest in text for digest in digests)
    assert "| catalogs of aws:rules | `chainguard/images@2026-02-23` |" in text
    assert "- `name-unproven`: " in text
    assert "- `address-only`: " in text


def test_ten_thousand_hosts_stay_readable(run: Run, tmp_path: Path) -> None:
    about = asked(tmp_path, rule(), needed=("cgr.dev", *(f"h{n}.example.net" for n in range(10_000))))
    reports = [tmp_path / f"r{form}" for form in (".md", ".html", ".csv")]
    assert run("reach", *about, *DAY, "--report", *reports).code == 4
    text, html, table = (path.read_text() for path in reports)
    assert max(len(text), len(html)) < 100_000
    assert "9,999 more" in text
    assert sum(row["kind"] == "missing" for row in csv.DictReader(table.splitlines())) == 10_000


def test_an_acceptance_of_what_is_not_counted_is_in_the_report(run: Run, tmp_path: Path) -> None:
    about = asked(tmp_path, rule(("cgr.dev", "evil.example")))
    path = accept(tmp_path, {"id": ids(run, *about)["beyond"]})
    assert run("reach", *about, "--own", "--accept-file", path, *DAY, "--report", tmp_path / "r.md").code == 0
    assert "not counted" in (tmp_path / "r.md").read_text()
