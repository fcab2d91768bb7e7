"""Addresses and ports of headers: what the engine means, each table replayed on Suricata 7.0.10."""

import pytest

from hostgate.flows.address_sets import networks
from hostgate.suricata.headers import HeaderError, addresses_of, ports_of

VARIABLES = {
    "HOME_NET": "[10.0.0.0/8,2600:1f18::/32]", "EXTERNAL_NET": "!$HOME_NET", "A": "[10.1.0.0/16,!10.1.9.0/24]",
    "NOBODY": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("any", "10.0.0.1 2001:db8::1", ""),
        ("$EXTERNAL_NET", "8.8.8.8 2001:db8::1", "10.1.1.1 2600:1f18::1"),
        ("!$EXTERNAL_NET", "10.1.1.1 2600:1f18::1", "8.8.8.8 2001:db8::1"),
        ("!10.0.0.0/8", "8.8.8.8", "10.1.1.1 2001:db8::1"),
        ("!2001:db8::/32", "2600::1", "2001:db8::1 8.8.8.8"),
        ("$A", "10.1.2.3", "10.1.9.9 8.8.8.8"),
        ("!$A", "8.8.8.8 10.1.9.9", "10.1.2.3 2001:db8::1"),
        ("[10.0.0.0/8,![10.1.0.0/16,!10.1.1.0/24]]", "10.2.0.1 10.1.1.1", "10.1.2.1 8.8.8.8"),
        ("[!10.1.0.0/16,10.0.0.0/8]", "10.2.0.1", "10.1.2.1 8.8.8.8"),
        ("[!10.0.0.0/8,!8.8.8.8]", "9.9.9.9", "10.1.1.1 8.8.8.8 2001:db8::1"),
        ("10.0.0.1-10.0.0.9", "10.0.0.9", "10.0.0.10"),
    ],
)
def test_a_list_is_what_it_names_less_what_it_excludes(text: str, inside: str, outside: str) -> None:
    found = addresses_of(text, VARIABLES)
    for wanted, addresses in ((True, inside), (False, outside)):
        for address in addresses.split():
            assert found.holds(networks([address]), "IPv6" if ":" in address else "IPv4") is wanted, address


@pytest.mark.parametrize("text", ["$NOBODY", "!$NOBODY", "[10.0.0.0/8,!$NOBODY]", "[$NOBODY,!10.1.0.0/16]", "@SET"])
def test_a_set_that_nobody_knows_stays_in_doubt(text: str) -> None:
    assert addresses_of(text, VARIABLES).holds(networks(["10.2.0.1"]), "IPv4") is None


@pytest.mark.parametrize(
    "text", ["!any", "[10.0.0.0/8,!10.0.0.0/8]", "[]", "10.1", "host.example", "$UNDECLARED", "[10.0.0.0/8"]
)
def test_what_the_engine_refuses_is_refused(text: str) -> None:
    with pytest.raises(HeaderError):
        addresses_of(text, VARIABLES)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("[80,443]", [80, 443], [81]), ("!443", [80], [443]), ("![80,443]", [81], [80, 443]), (":1023", [0, 1023], [1024]),
        ("1024:", [1024, 65_535], [1023]), ("[80:90,!85]", [84], [85]), ("[80:90,![82,83]]", [84], [82, 83]),
    ],
)  # fmt: skip
def test_ports_are_lists_ranges_and_inverses(text: str, inside: list[int], outside: list[int]) -> None:
    found = ports_of(text, {})
    assert found is not None
    assert [port in found for port in (*inside, *outside)] == [True] * len(inside) + [False] * len(outside)


def test_ports_that_nobody_can_tell_are_not_guessed() -> None:
    assert ports_of("$WEB", {"WEB": None}) is None
    assert ports_of("!$WEB", {"WEB": "[80,!443]"}) is None
