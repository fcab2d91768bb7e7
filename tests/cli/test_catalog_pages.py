"""`hostgate catalog diff`, `import` and `check`."""

import subprocess
from pathlib import Path

import pytest

from .conftest import Run

PAGES = Path(__file__).parents[1] / "intake" / "pages"
NEWEST = PAGES / "2026-02-23.md"
REFERENCE = "chainguard/images@2024-03-28"
OURS = """\
catalog: acme/ours
sources:
  - {id: page-1, document: Requirements, date: "2025-01-10"}
revisions:
  - {id: "2025-01-10", source: page-1, hosts: 1}
entries:
  - {id: mirror, host: mirror.acme.example, port: 443, protocol: https, purpose: Packages, spans: [{since: "2025-01-10"}]}
"""
PAGE = """\
# Hosts

| Hostname | Port | Protocol | Notes |
|---|---|---|---|
| mirror.acme.example | 443 | HTTPS | Packages |
"""
API = "| `*.api.acme.example` | 443 | HTTPS | The API |\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a catalog and a page that says the same."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ours.yaml").write_text(OURS)
    (tmp_path / "page.md").write_text(PAGE)
    return tmp_path


class TestDiff:
    def test_people_read_the_sum_and_every_change_with_its_risks(self, run: Run, here: Path) -> None:
        (here / "wider.yaml").write_text(OURS.replace("port: 443", "match: subtree, port: 8443"))
        made = run("catalog", "diff", "ours.yaml", "wider.yaml")

        assert (made.code, made.err) == (0, "")
        for words in (
            "ours.yaml -> wider.yaml",
            "1 changed, 0 unchanged",
            "match: exact -> subtree",
            "port: 443 -> 8443",
        ):
            assert words in made.out
        for risk in ("! wildcard:", "! wider:", "! new-port:"):
            assert risk in made.out

    def test_tools_read_counts_and_changes(self, run: Run) -> None:
        made = run("catalog", "diff", REFERENCE, "chainguard/images@latest", "--json").json

        assert list(made) == ["before", "after", "counts", "changes"]
        assert made["counts"] == {
            "opened": 3, "replaced": 2, "changed": 8, "closed": 3, "misprint": 0, "unchanged": 0,
        }  # fmt: skip
        (support,) = [each for each in made["changes"] if each["after"] and each["after"]["id"] == "support"]
        assert (support["what"], support["before"]["id"]) == ("replaced", "support-zendesk")
        assert list(support) == ["what", "before", "after", "fields", "risks"]

    def test_no_difference_is_said_and_an_empty_list(self, run: Run) -> None:
        assert run("catalog", "diff", REFERENCE, REFERENCE).out.splitlines()[-1] == "13 unchanged"
        assert run("catalog", "diff", REFERENCE, REFERENCE, "--json").json["changes"] == []

    def test_a_misprint_that_no_revision_holds_is_known_all_the_same(self, run: Run, here: Path) -> None:
        (here / "typo.yaml").write_text(OURS.replace("mirror.acme.example", "rc.cloudflarestorage.com, match: subtree"))
        made = run("catalog", "diff", REFERENCE, "typo.yaml", "--json").json

        (opened,) = [each for each in made["changes"] if each["what"] == "opened"]
        assert opened["risks"][0]["id"] == "mistaken"

    def test_a_file_is_compared_with_what_git_has(self, run: Run, here: Path) -> None:
        for arguments in (["init", "-q"], ["add", "ours.yaml"], ["commit", "-q", "-m", "one"]):
            subprocess.run(
                ["git", "-c", "user.name=t", "-c", "user.email=t@acme.example", *arguments], cwd=here, check=True
            )
        (here / "ours.yaml").write_text(OURS.replace("mirror.acme.example", "packages.acme.example"))

        made = run("catalog", "diff", "git:HEAD:ours.yaml", "ours.yaml")
        assert "replaced  mirror.acme.example -> packages.acme.example" in made.out

    def test_errors_of_both_sides_come_at_once(self, run: Run) -> None:
        made = run("catalog", "diff", "none.yaml", "git:main", "--json")

        assert (made.code, made.rules) == (1, ["file-unreadable", "git-reference"])


class TestImport:
    def test_json_has_every_host_of_every_table_with_the_agreed_keys(self, run: Run) -> None:
        made = run("catalog", "import", PAGES / "2024-03-22.md", "--json")

        assert (made.code, list(made.json)) == (0, ["entries", "findings"])
        assert len(made.json["entries"]) == 13
        agreed = ["host", "match", "port", "protocol", "section", "purpose", "families"]
        assert all(list(entry) == agreed for entry in made.json["entries"])
        (star,) = [entry for entry in made.json["entries"] if entry["match"] != "exact"]
        assert star == {
            "host": "r2.cloudflarestorage.com", "match": "subtree", "port": 443, "protocol": "https",
            "section": "Chainguard Images Third-party Hosts", "purpose": "Blobs behind cgr.dev", "families": None,
        }  # fmt: skip
        assert {"prose-host", "mistaken-host", "star"} <= {finding["rule"] for finding in made.json["findings"]}

    def test_people_read_the_change_and_the_findings_and_nothing_is_written(self, run: Run, here: Path) -> None:
        (here / "page.md").write_text(PAGE + API + "\nAllow old.acme.example too.\n")
        made = run("catalog", "import", "page.md", "--catalog", "ours.yaml")

        assert (made.code, made.err) == (0, "")
        for words in ("page.md against acme/ours@2025-01-10", "2 hosts read", "1 opened, 1 unchanged",
                      "opened    subtree of api.acme.example  443/https", "! wildcard", "[prose-host]"):  # fmt: skip
            assert words in made.out
        assert {each.name for each in here.iterdir()} == {"ours.yaml", "page.md"}
        assert (here / "ours.yaml").read_text() == OURS

    def test_into_a_file_writes_a_revision_that_the_next_import_finds(self, run: Run, here: Path) -> None:
        (here / "page.md").write_text(PAGE + API)
        made = run(
            "catalog", "import", "page.md", "--into", "ours.yaml", "--date", "2025-06-01", "--commit", "abcdef123",
            "--url", "https://acme.example/hosts", "--note", "API added",
        )  # fmt: skip

        assert (made.code, made.err) == (0, "Wrote ours.yaml: revision 2025-06-01, 2 hosts.\n")
        text = (here / "ours.yaml").read_text()
        assert text.startswith(OURS.splitlines()[0])
        assert '{id: page-abcdef123, document: Requirements, commit: abcdef123, date: "2025-06-01", url: ' in text
        assert run("catalog", "lint", "ours.yaml").code == 0
        assert run("catalog", "check", "page.md", "--catalog", "ours.yaml").code == 0
        again = run("catalog", "import", "page.md", "--into", "ours.yaml", "--date", "2025-07-01")
        assert (again.code, again.err) == (0, "ours.yaml is left as it is.\n")
        assert (here / "ours.yaml").read_text() == text

    @pytest.mark.parametrize(
        ("policy", "kept"), [("drop", None), ("warn", "warn"), ("keep:30d", "2025-07-01")]
    )  # fmt: skip
    def test_the_overlap_policy_says_what_becomes_of_hosts_that_go(
        self, run: Run, here: Path, policy: str, kept: str | None
    ) -> None:
        (here / "page.md").write_text(PAGE.replace("mirror.acme.example", "packages.widgets.example"))
        run("catalog", "import", "page.md", "--into", "ours.yaml", "--date", "2025-06-01", "--overlap", policy)

        shown = run("catalog", "show", "ours.yaml@2025-06-01", "--json").json["entries"]
        assert [(each["id"], each["kept"]) for each in shown] == [
            *([("mirror", kept)] if kept else []), ("packages-widgets-example", None),
        ]  # fmt: skip
        assert run("catalog", "check", "page.md", "--catalog", "ours.yaml").code == 0

    def test_into_a_new_file_makes_a_catalog(self, run: Run, here: Path) -> None:
        made = run("catalog", "import", "page.md", "--into", "new.yaml", "--name", "acme/new", "--date", "2025-06-01")

        assert (made.code, made.err) == (0, "Wrote new.yaml: revision 2025-06-01, 1 hosts.\n")
        assert (here / "new.yaml").read_text().startswith("catalog: acme/new\ntitle: page.md\n")
        assert run("catalog", "check", "page.md", "--catalog", "new.yaml").code == 0

    @pytest.mark.parametrize(
        ("change", "rule"),
        [
            (("443", "any"), "page-port"),
            (("mirror.acme.example", "mirror.*.example"), "host-star"),
            (("| Packages |", "| Packages | and more |"), "page-row"),
        ],
    )
    def test_a_page_that_cannot_be_read_as_a_whole_writes_nothing(
        self, run: Run, here: Path, change: tuple[str, str], rule: str
    ) -> None:
        (here / "page.md").write_text((PAGE + API).replace(*change, 1))
        made = run("catalog", "import", "page.md", "--into", "ours.yaml", "--date", "2025-06-01", "--json")

        assert (made.code, made.rules) == (1, [rule])
        assert (here / "ours.yaml").read_text() == OURS

    @pytest.mark.parametrize(
        ("arguments", "rule"),
        [
            (["--into", "none.yaml", "--date", "2025-06-01"], "file-unreadable"),
            (["--into", "ours.yaml", "--date", "2025-01-10"], "import-date"),
            (["--into", "page.md", "--date", "2025-06-01"], "yaml-syntax"),
            (["--into", ".", "--date", "2025-06-01"], "file-is-folder"),
            (["--into", "new.yaml", "--name", "Not A Name", "--date", "2025-06-01"], "name"),
            (["--catalog", "none.yaml"], "file-unreadable"),
            (["--section", "Elsewhere"], "page-section"),
        ],
        ids=str,
    )
    def test_what_does_not_fit_is_exit_code_1_and_writes_nothing(
        self, run: Run, here: Path, arguments: list[str], rule: str
    ) -> None:
        (here / "page.md").write_text(PAGE + API)
        made = run("catalog", "import", "page.md", *arguments, "--json")

        assert (made.code, made.rules) == (1, [rule])
        assert {each.name for each in here.iterdir()} == {"ours.yaml", "page.md"}
        assert (here / "ours.yaml").read_text() == OURS

    @pytest.mark.parametrize(
        "arguments",
        [
            ["--date", "2025-06-01"],
            ["--into", "ours.yaml"],
            ["--into", "ours.yaml", "--date", "today"],
            ["--into", "ours.yaml", "--date", "20250601"],
            ["--into", "ours.yaml", "--date", "2025-06-01", "--catalog", "ours.yaml"],
            ["--into", "ours.yaml", "--date", "2025-06-01", "--name", "acme/new"],
            ["--into", "ours.yaml", "--date", "2025-06-01", "--overlap", "keep:0d"],
            ["--into", "ours.yaml", "--date", "2025-06-01", "--overlap", "keep"],
            ["--overlap", "drop"],
            ["--column", "host"],
            ["--column", "what=Hostname"],
            ["--assume", "443"],
            ["--assume", "0/https"],
            ["--assume", "443/quic"],
        ],
        ids=" ".join,
    )
    def test_wrong_usage_is_exit_code_2_and_writes_nothing(self, run: Run, here: Path, arguments: list[str]) -> None:
        (here / "page.md").write_text(PAGE + API)

        assert run("catalog", "import", "page.md", *arguments).code == 2
        assert (here / "ours.yaml").read_text() == OURS

    def test_columns_and_ports_can_be_said(self, run: Run, here: Path) -> None:
        (here / "page.md").write_text("| Where |\n|---|\n| mirror.acme.example |\n")
        made = run(
            "catalog", "import", "page.md", "--column", "host=Where", "--assume", "443/https", "--catalog", "ours.yaml"
        )

        assert (made.code, "1 unchanged" in made.out) == (0, True)

    def test_what_the_text_names_besides_is_settled_by_hand_and_kept_in_the_catalog(self, run: Run, here: Path) -> None:
        (here / "page.md").write_text(PAGE + API + "\n{{< ranges >}}\n\nWas old.acme.example.\n")
        command = ("catalog", "import", "page.md", "--into", "ours.yaml", "--date", "2025-06-01")
        made = run(*command, "--json")

        assert (made.code, made.rules) == (1, ["page-include", "prose-host"])
        assert (here / "ours.yaml").read_text() == OURS
        assert run(*command, "--besides", "ranges", "--besides", "old.acme.example").code == 0
        assert "\nbesides: [ranges, old.acme.example]\nentries:\n" in (here / "ours.yaml").read_text()
        assert run("catalog", "lint", "ours.yaml").code == 0
        assert run("catalog", "check", "page.md", "--catalog", "ours.yaml").code == 0
        (here / "page.md").write_text((here / "page.md").read_text() + "And new.acme.example.\n| x |\n|---|\n")
        assert run("catalog", "check", "page.md", "--catalog", "ours.yaml").code == 1

    def test_text_against_a_host_is_settled_once_and_again_where_the_vendor_changes_it(
        self, run: Run, here: Path
    ) -> None:
        said = "The mirror.acme.example of old is no longer needed for pulls."
        (here / "page.md").write_text(f"{PAGE}{API}\n{said}\n")
        command = ("catalog", "import", "page.md", "--into", "ours.yaml", "--date", "2025-06-01")

        assert (run(*command, "--json").rules, (here / "ours.yaml").read_text()) == (["page-against"], OURS)
        assert run("catalog", "check", "page.md", "--catalog", "ours.yaml", "--json").rules == ["page-against"]
        assert run(*command, "--besides", said).code == 0
        assert run("catalog", "lint", "ours.yaml").code == 0
        assert run("catalog", "check", "page.md", "--catalog", "ours.yaml").code == 0
        (here / "page.md").write_text(f"{PAGE}{API}\n{said.replace(' for pulls', '')}\n")
        assert run("catalog", "check", "page.md", "--catalog", "ours.yaml").code == 1

    def test_a_new_catalog_keeps_what_was_settled_and_directions(self, run: Run, here: Path) -> None:
        (here / "page.md").write_text(
            "| Hostname | Port | Protocol | Direction |\n|---|---|---|---|\n"
            "| a.acme.example | 443 | HTTPS | Outbound |\n| b.acme.example | 443 | HTTPS | Inbound |\n\nNot c.acme.example.\n"
        )
        made = run(
            "catalog", "import", "page.md", "--into", "new.yaml", "--name", "acme/new", "--date", "2025-06-01",
            "--besides", "c.acme.example",
        )  # fmt: skip

        assert made.code == 0
        entries = run("catalog", "show", "new.yaml", "--json").json["entries"]
        assert [(each["host"], each["direction"]) for each in entries] == [
            ("a.acme.example", "egress"), ("b.acme.example", "ingress"),
        ]  # fmt: skip
        assert run("catalog", "check", "page.md", "--catalog", "new.yaml").code == 0
        text = (here / "page.md").read_text()
        (here / "page.md").write_text(text.replace("Inbound", "Outbound"))
        assert run("catalog", "check", "page.md", "--catalog", "new.yaml").code == 1
        (here / "page.md").write_text(text.replace("| b.acme.example | 443 | HTTPS | Inbound |\n", ""))
        assert run("catalog", "check", "page.md", "--catalog", "new.yaml").code == 1


SECOND = """\
# Widgets

| Hostname | Port | Protocol | Notes |
|---|---|---|---|
| widgets.acme.example | 443 | HTTPS | Widgets of others |
| gadgets.acme.example | 443 | HTTPS | Gadgets of others |
"""


class TestAnotherPage:
    @pytest.mark.parametrize(
        "about",
        [
            [], ["--url", "https://acme.example/widgets"], ["--document", "Requirements"], ["--document", "Widgets"],
            ["--url", "https://acme.example/hosts", "--document", "Requirements"], ["--continues", "page-2024"],
        ],
        ids=" ".join,
    )  # fmt: skip
    def test_it_never_closes_the_hosts_of_the_first(self, run: Run, here: Path, about: list[str]) -> None:
        ours = OURS.replace("document: Requirements,", "document: Requirements, url: https://acme.example/hosts,")
        (here / "ours.yaml").write_text(ours)
        (here / "page.md").write_text(SECOND)
        made = run("catalog", "import", "page.md", "--into", "ours.yaml", "--date", "2025-06-01", *about, "--json")

        assert (made.code, made.rules) == (1, ["import-other-page"])
        assert (here / "ours.yaml").read_text() == ours

    @pytest.mark.parametrize(
        "about", [["--url", "https://acme.example/widgets"], ["--document", "Widgets"]], ids=" ".join
    )
    def test_it_is_told_by_its_name_although_it_has_the_hosts_of_the_first(
        self, run: Run, here: Path, about: list[str]
    ) -> None:
        (here / "ours.yaml").write_text(OURS.replace("Requirements,", "Requirements, url: https://acme.example/hosts,"))
        (here / "page.md").write_text(PAGE + API)
        command = ("catalog", "import", "page.md", "--into", "ours.yaml", "--date", "2025-06-01", *about)

        assert run(*command, "--json").rules == ["import-other-page"]
        assert run(*command, "--continues", "page-1").code == 0
        assert run("catalog", "check", "page.md", "--catalog", "ours.yaml").code == 0

    @pytest.mark.parametrize(
        ("about", "code"),
        [
            ([], 1), (["--commit", "abc"], 1), (["--overlap", "drop"], 1), (["--document", "Requirements"], 0),
            (["--url", "https://acme.example/hosts"], 0), (["--continues", "page-1"], 0),
        ],
        ids=str,
    )  # fmt: skip
    def test_it_may_have_half_the_hosts_of_the_first_so_what_closes_one_has_to_say_which_it_is(
        self, run: Run, here: Path, about: list[str], code: int
    ) -> None:
        more = "  - {id: api, host: api.acme.example, port: 443, protocol: https, spans: [{since: '2025-01-10'}]}\n"
        ours = OURS.replace("Requirements,", "Requirements, url: https://acme.example/hosts,").replace(
            "hosts: 1", "hosts: 2"
        )
        (here / "ours.yaml").write_text(ours + more)
        (here / "page.md").write_text(PAGE + "| gadgets.widgets.example | 443 | HTTPS | Other things |\n")
        made = run("catalog", "import", "page.md", "--into", "ours.yaml", "--date", "2025-06-01", *about)

        assert made.code == code
        assert code == 0 or "The page does not have api.acme.example" in made.err

    def test_a_file_of_the_name_that_the_source_has_is_the_page(self, run: Run, here: Path) -> None:
        (here / "page.md").write_text(PAGE + API)
        run("catalog", "import", "page.md", "--into", "new.yaml", "--name", "acme/new", "--date", "2025-06-01")
        (here / "page.md").write_text(PAGE)

        assert run("catalog", "import", "page.md", "--into", "new.yaml", "--date", "2025-07-01").code == 0

    def test_a_page_that_changed_as_a_whole_is_taken_over_if_it_is_said_to_be_the_same(
        self, run: Run, here: Path
    ) -> None:
        (here / "page.md").write_text(SECOND)
        command = ("catalog", "import", "page.md", "--into", "ours.yaml", "--date", "2025-06-01")

        assert run(*command, "--continues", "page-1").code == 0
        assert [each["host"] for each in run("catalog", "show", "ours.yaml", "--json").json["entries"]] == [
            "gadgets.acme.example", "widgets.acme.example",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        "about",
        [["--url", "http://www.acme.example/hosts/?x=1#y"], ["--document", "requirements"], ["--commit", "abc"]],
        ids=" ".join,
    )
    def test_the_same_page_under_the_same_name_needs_no_word(self, run: Run, here: Path, about: list[str]) -> None:
        (here / "ours.yaml").write_text(OURS.replace("Requirements,", "Requirements, url: https://acme.example/hosts,"))
        (here / "page.md").write_text(PAGE + API)

        assert run("catalog", "import", "page.md", "--into", "ours.yaml", "--date", "2025-06-01", *about).code == 0


class TestCheck:
    @pytest.mark.parametrize(
        "added",
        [
            "- new.acme.example", "Allow `new.acme.example` too.", "```\nnew.acme.example\n```",
            "<ul><li>new.acme.example</li></ul>",
            "<table><tr><td>new.acme.example</td></tr></table>", "new.acme.example\n: The new one",
            "<dl><dt>new.acme.example</dt></dl>",
            "[new.acme.example](https://docs.acme.example/new)", "- [New](https://new.acme.example)",
            "- mirror.acme.example:8443",
            "All of them on port 8443 too.", "{{< hosts >}}", "| Hostname |\n|---|\n| new.acme.example |",
        ],
    )  # fmt: skip
    def test_a_host_that_the_vendor_adds_anywhere_is_exit_code_1(self, run: Run, here: Path, added: str) -> None:
        (here / "page.md").write_text(f"{PAGE}\n{added}\n")
        made = run("catalog", "check", "page.md", "--catalog", "ours.yaml")

        assert made.code == 1
        assert any(word in made.out + made.err for word in ("new.acme.example", "8443", "hosts", "table"))

    def test_the_line_says_what_is_named_and_json_where(self, run: Run, here: Path) -> None:
        (here / "page.md").write_text(f"{PAGE}\n- new.acme.example\n")
        made = run("catalog", "check", "page.md", "--catalog", "ours.yaml")

        assert made.out == (
            "page.md differs from acme/ours@2025-01-10: new.acme.example named on line 7 and in no table.\n"
        )
        told = run("catalog", "check", "page.md", "--catalog", "ours.yaml", "--json").json
        assert (told["same"], told["changes"], [each["line"] for each in told["besides"]]) == (False, [], [7])
        assert run("catalog", "check", "page.md", "--catalog", "ours.yaml", "--besides", "new.acme.example").code == 0

    @pytest.mark.parametrize(
        ("page", "ref"), [(NEWEST, None), (NEWEST, "chainguard/images"), (PAGES / "2024-03-22.md", REFERENCE)]
    )
    def test_a_page_that_says_the_same_is_one_line_and_exit_code_0(self, run: Run, page: Path, ref: str | None) -> None:
        made = run("catalog", "check", page, *(["--catalog", ref] if ref else []))

        assert (made.code, made.err, made.out.count("\n")) == (0, "", 1)
        assert "states the 13 hosts of chainguard/images@" in made.out

    def test_a_page_that_says_something_else_is_one_line_and_exit_code_1(self, run: Run) -> None:
        made = run("catalog", "check", PAGES / "2025-06-10.md")

        assert (made.code, made.err, made.out.count("\n")) == (1, "", 1)
        assert "differs from chainguard/images@2026-02-23" in made.out
        assert "chainguardhelp.zendesk.com" in made.out

    def test_json_says_it_too(self, run: Run) -> None:
        assert run("catalog", "check", NEWEST, "--json").json["same"] is True
        made = run("catalog", "check", PAGES / "2025-06-10.md", "--json")
        assert (made.code, made.json["same"], len(made.json["changes"])) == (1, False, 2)

    def test_a_page_that_cannot_be_read_is_exit_code_1_too(self, run: Run, here: Path) -> None:
        (here / "page.md").write_text("# Nothing here\n")
        made = run("catalog", "check", "page.md")

        assert (made.code, made.out) == (1, "")
        assert "page-without-hosts" in made.err


@pytest.mark.parametrize("command", ["check", "import"])
def test_a_url_is_not_fetched_and_the_command_that_gets_it_is_said(run: Run, command: str) -> None:
    url = "https://docs.example/network?a=b.md"
    said = run("catalog", command, url)
    assert said.code == 1
    assert said.err.splitlines()[:2] == [
        url,
        "  Found a URL. Files are read, and nothing is fetched. Get its source first, e.g. "
        f"curl -fsSLo page.md '{url}'  [file-unreadable]",
    ]
