"""`hostgate explain`: allow or block, the rule that decides, and why, for each target."""

import pytest

from hostgate.planning.mechanism import targets

from .conftest import Project, Run

REFERENCE = "chainguard/images@2024-03-28"
R2_ACCOUNT = "9236a389bd48b984df91adc1bc924620.r2.cloudflarestorage.com"


def verdicts(run: Run, *arguments: str, target: str | None = None) -> dict[str, str]:
    wanted = [f"--target={each}" for each in ([target] if target else targets())]
    made = run("explain", *arguments, "--catalog", REFERENCE, *wanted, "--json")
    assert made.code == 0
    return {answer["target"]: answer["verdict"] for answer in made.json["targets"]}


def test_the_json_has_the_agreed_keys_and_nothing_else_is_printed(run: Run) -> None:
    made = run("explain", "cgr.dev", "--catalog", REFERENCE, "--json")

    assert (made.code, made.err, list(made.json)) == (0, "", ["targets"])
    assert [list(answer) for answer in made.json["targets"]] == [["target", "verdict", "rule", "why"]] * 3


@pytest.mark.parametrize("host", ["cgr.dev", "CGR.dev", R2_ACCOUNT, "storage.googleapis.com"])
def test_a_host_of_the_catalog_is_allowed_everywhere(run: Run, host: str) -> None:
    assert verdicts(run, host) == dict.fromkeys(targets(), "allow")


def test_a_name_of_the_host_itself_is_answered_by_the_vpcs_resolver_and_blocked_elsewhere(run: Run) -> None:
    made = verdicts(run, "localhost")
    assert made.pop("aws:dns-firewall") == "allow"
    assert set(made.values()) == {"block"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["notcgr.dev"],
        ["cgr.dev.evil.example"],
        ["sub.cgr.dev"],
        ["bucket.rc.cloudflarestorage.com"],
        ["any.r2.cloudflarestorage.com"],
        ["cgr.dev", "--port", "8443"],
        ["cgr.dev", "--protocol", "quic"],
        ["cgr.dev", "--protocol", "udp"],
    ],
    ids=" ".join,
)
def test_anything_else_is_blocked_wherever_it_is_seen_and_that_is_fine(run: Run, arguments: list[str]) -> None:
    made = verdicts(run, *arguments)
    if arguments[1:]:  # a port or a protocol, which a question for a name does not have
        assert made.pop("aws:dns-firewall") == "allow"
    assert set(made.values()) == {"block"}


def test_the_rule_that_allows_is_the_one_that_the_plan_names(run: Run) -> None:
    plan = run("plan", "--catalog", REFERENCE, "--target", "aws:rules", "--json").json["targets"][0]
    (rule,) = [decision["rule"] for decision in plan["decisions"] if decision["entry"] == "registry"]

    (answer,) = run("explain", "cgr.dev", "--catalog", REFERENCE, "--target", "aws:rules", "--json").json["targets"]

    assert answer["rule"] == rule


@pytest.mark.parametrize("target", targets())
def test_every_answer_says_why(run: Run, target: str) -> None:
    for host in ("cgr.dev", "evil.example"):
        (answer,) = run("explain", host, "--catalog", REFERENCE, "--target", target, "--json").json["targets"]

        assert answer["why"]


@pytest.mark.parametrize(
    ("arguments", "verdict"),
    [
        (["evil.example", "--sni", "cgr.dev"], "allow"),
        (["cgr.dev", "--sni", "evil.example"], "block"),
        (["cgr.dev", "--sni", ""], "block"),
        (["cgr.dev."], "block"),
        (["cgr.dev"], "allow"),
    ],
    ids=" ".join,
)
def test_a_mechanism_that_sees_names_judges_the_sni_which_is_the_host_unless_given(
    run: Run, arguments: list[str], verdict: str
) -> None:
    assert verdicts(run, *arguments, target="aws:rules") == {"aws:rules": verdict}


@pytest.mark.parametrize(
    ("source", "verdict"), [("10.1.2.3", "allow"), ("10.0.0.0/24", "allow"), ("192.0.2.1", "block")]
)
def test_the_source_is_judged_where_the_plan_names_its_clients(
    run: Run, project: Project, source: str, verdict: str
) -> None:
    project(dev=f"config:\n  hostgate:catalogs: ['{REFERENCE}']\n  hostgate:aws: {{from: [10.0.0.0/8]}}\n")

    (answer,) = run("explain", "cgr.dev", "--from", source, "--json").json["targets"]

    assert answer["verdict"] == verdict


def test_the_host_may_come_after_the_source(run: Run) -> None:
    assert (
        run("explain", "--from", "10.0.0.0/8", "cgr.dev").out == run("explain", "cgr.dev", "--from", "10.0.0.0/8").out
    )


def test_an_answer_for_people_is_a_table_under_the_question(run: Run) -> None:
    made = run("explain", "cgr.dev", "--catalog", REFERENCE, "--target", "aws:rules")

    assert made.out.splitlines()[0] == "cgr.dev:443 https"
    assert "aws:rules   allow" in made.out


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        [""],
        ["https://cgr.dev"],
        ["cgr.dev/path"],
        ["cgr.dev:443"],
        ["*.cgr.dev"],
        ["cgr dev"],
        ["сgr.dev"],
        ["cgr.dev", "ghcr.io"],
        ["cgr.dev", "--port", "0"],
        ["cgr.dev", "--port", "65536"],
        ["cgr.dev", "--port", "https"],
        ["cgr.dev", "--protocol", "icpm"],
        ["cgr.dev", "--protocol", "256"],
        ["cgr.dev", "--protocol", ""],
        ["cgr.dev", "--protocol", "icmp", "--port", "22"],
        ["cgr.dev", "--address", "2001:db8::7", "--from", "10.0.0.0/8"],
        ["198.51.100.7", "--from", "fd00::/8"],
        ["cgr.dev", "--address", "cgr.dev"],
        ["cgr.dev", "--from", "10.0.0.0/33"],
        ["cgr.dev", "--from", "here"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_exit_code_2_and_said_on_stderr_only(run: Run, arguments: list[str]) -> None:
    made = run("explain", *arguments, "--catalog", REFERENCE)

    assert (made.code, made.out) == (2, "")
    assert "Error:" in made.err


def test_a_name_in_unicode_is_asked_for_as_its_a_labels(run: Run) -> None:
    made = run("explain", "bücher.example", "--catalog", REFERENCE, "--target", "aws:rules")

    assert made.out.splitlines()[0] == "xn--bcher-kva.example:443 https"


def test_a_refused_plan_has_no_verdict(run: Run) -> None:
    made = run("explain", "cgr.dev", "--catalog", "chainguard/images@2023-05-15", "--target", "gcp:fqdn", "--json")

    assert (made.code, made.rules) == (1, ["not-expressible"])
