"""docs/by-address.md names every option, exit code and rule of `hostgate pool`, and no other."""

import re

import click
import pytest
from markdown_pages import ROOT, Table, tables

from hostgate.cli.pool_command import command, refresh, show
from hostgate.cli.pool_options import HELD_BACK
from hostgate.cli.push_command import aws_prefix_list, azure_ip_group, gcp_address_group
from hostgate.cli.survey_command import UNMEASURED
from hostgate.dns.pool_places import load_pool
from hostgate.dns.pool_update import DEFAULT_WINDOW, MOST_REMOVED
from hostgate.dns.refreshing import FLOOR, SLOWEST, WRITTEN_EVERY
from hostgate.planning.address_pool import OWNER_LABEL
from hostgate.planning.pool_form import LONGEST_WINDOW, SHORTEST_WINDOW, pool_bytes
from hostgate.sinks import azure_ip_group as azure_sink
from hostgate.sinks import gcp_address_group as group_sink
from hostgate.sinks.aws_prefix_list import BATCH, EXTRA

PAGE = ROOT / "docs" / "by-address.md"
TEXT = " ".join(PAGE.read_text("utf-8").split())


def table(first: str) -> Table:
    return next(each for each in tables(PAGE) if each.header[0] == first)


def test_every_option_is_on_the_page() -> None:
    named = {name.strip("`").lower().lstrip("-") for name in table("option").column("option")}
    taken = {opt.lstrip("-") for each in refresh.params for opt in each.opts}
    assert named == (taken - {"refs"}) | {"ref"}


def test_every_option_of_push_is_on_the_page_with_its_default() -> None:
    shown = table("option of `push`")
    options = {name.strip("`").lower(): default for name, default in
               zip(shown.column("option of `push`"), shown.column("default"), strict=True)}  # fmt: skip
    taken = {each.opts[0]: each for each in aws_prefix_list.params}
    assert options.keys() == (taken.keys() - {"hosts"}) | {"host"}
    assert str(taken["--most-removed"].default) == options["--most-removed"]
    assert f"`{taken['--owner'].default}`" in (options["--owner"], f"`{options['--owner']}`")
    assert f"at most {BATCH} entries in a change" in TEXT
    assert f"'hostgate[{EXTRA}]'" in TEXT


def test_what_a_push_into_an_address_group_takes_is_on_the_page() -> None:
    own = {
        name.strip("`")
        for name in table("option of `push gcp-address-group`").column("option of `push gcp-address-group`")
    }
    taken = {each.opts[0]: each for each in gcp_address_group.params}
    shared = {each.opts[0] for each in aws_prefix_list.params} - {"--region", "--grow-to", "--keep-foreign"}
    assert "but for `--region`, `--grow-to` and `--keep-foreign`" in TEXT
    assert own == {"--list", "--endpoint"}
    assert taken.keys() == shared | own
    assert f"`{taken['--endpoint'].envvar}`, or the public one" in TEXT
    assert f"A change names items, at most {group_sink.BATCH} of them." in TEXT
    assert f"`{OWNER_LABEL}: NAME`" in TEXT
    assert f"'hostgate[{group_sink.EXTRA}]'" in TEXT


def test_every_rule_of_a_list_is_on_the_page_and_no_other() -> None:
    code = "".join(path.read_text("utf-8") for path in (ROOT / "components" / "hostgate" / "sinks").glob("*.py"))
    raised = set(re.findall(r'"(list-[a-z]+)"', code))
    named = {each.strip("`") for each in table("rule").column("rule")}
    assert raised == {each for each in named if each.startswith("list-")}


def test_every_option_of_push_to_an_ip_group_is_on_the_page_with_its_default() -> None:
    shown = table("option of `push azure-ip-group`")
    options = {name.strip("`").lower(): default for name, default in
               zip(shown.column("option of `push azure-ip-group`"), shown.column("default"), strict=True)}  # fmt: skip
    taken = {each.opts[0]: each for each in azure_ip_group.params}
    assert options.keys() == (taken.keys() - {"hosts"}) | {"host"}
    assert str(taken["--most-removed"].default) == options["--most-removed"]
    assert azure_sink.PUBLIC == taken["--endpoint"].default == options["--endpoint"].strip("`")
    assert f"'hostgate[{azure_sink.EXTRA}]'" in TEXT
    assert f"A group holds {azure_sink.MOST:,} entries" in TEXT
    assert f"up to {azure_sink._PATIENCE / 60:.0f} minutes" in TEXT


@pytest.mark.parametrize("option", ["--rate", "--most-removed"])
def test_defaults_are_those_of_the_command(option: str) -> None:
    shown = dict(zip(table("option").column("option"), table("option").column("default"), strict=True))
    assert str(next(each for each in refresh.params if option in each.opts).default) == shown[option]


def test_the_numbers_are_those_of_the_code() -> None:
    shown = dict(zip(table("option").column("option"), table("option").column("default"), strict=True))
    meaning = dict(zip(table("option").column("option"), table("option").column("meaning"), strict=True))
    assert shown["--floor"] == f"{FLOOR:.0f}s"
    assert f"`{DEFAULT_WINDOW // 3600}h` at the least" in shown["--window"]
    assert f"`{SHORTEST_WINDOW // 3600}h` to `{LONGEST_WINDOW // 86_400}d`" in f"`{meaning['--window'].strip('`')}`"
    assert int(shown["--most-removed"]) == MOST_REMOVED * 100
    assert (SLOWEST, WRITTEN_EVERY) == (300, 10)
    assert "between 30 s (`--floor`) and five minutes" in TEXT
    assert "within ten seconds" in TEXT


def test_every_exit_code_is_on_the_page() -> None:
    codes = [int(code) for code in table("exit code").column("exit code")]
    assert codes == [0, 1, 2, HELD_BACK, UNMEASURED]
    assert f"The first of {HELD_BACK} and {UNMEASURED} is given." in TEXT


def test_the_options_of_show_are_on_the_page() -> None:
    assert {opt for each in show.params for opt in each.opts} == {"hosts", "--pool", "--max-age", "--vantage", "--json"}
    assert "`pool show --max-age 2h` ends with code 6" in TEXT
    assert "with `--vantage NAME` not by that place" in TEXT


def test_every_command_is_on_the_page() -> None:
    assert isinstance(command, click.Group)
    assert all(f"pool {name}" in TEXT for name in command.commands)


def test_the_example_is_a_pool_as_it_is_written() -> None:
    path = ROOT / "examples" / "pool.txt"
    assert pool_bytes(load_pool(str(path))) == path.read_bytes()
