"""Names, addresses and servers as text: one spelling, or a sentence that says why not."""

from __future__ import annotations

import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.base.problems import Trouble
from handrail.dns.names import address, canonical, name_in_zone, plain_name, rtype_of, show_name, spell
from handrail.dns.zone import NameServer, Zone, make_zone, parse_server


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Puppet.Example.TEST.", "puppet.example.test"),
        (" puppet ", "puppet"),
        ("_dns.example.test", "_dns.example.test"),
        ("*.example.test", "*.example.test"),
        ("bücher.example.test", "xn--bcher-kva.example.test"),
        ("xn--bcher-kva.example.test", "xn--bcher-kva.example.test"),
    ],
)
def test_a_name_has_one_spelling(text: str, plain: str) -> None:
    assert plain_name(text) == plain


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "a..b",
        ".a",
        "-a.test",
        "a-.test",
        "a b.test",
        "a\n.test",
        "a\x1b[31m.test",
        "x" * 64,
        "x." * 127 + "x",
        "a;b",
        "\u202eevil.test",
        "\ud800.test",
    ],
)
def test_what_is_no_name_is_refused_in_safe_words(text: str) -> None:
    with pytest.raises(Trouble, match="dns-name") as caught:
        plain_name(text)
    assert str(caught.value).replace("\n", "").isprintable()


@given(st.text(max_size=80))
def test_any_text_is_a_name_or_trouble(text: str) -> None:
    try:
        plain = plain_name(text)
    except Trouble:
        return
    assert plain_name(plain) == plain
    assert len(dns.name.from_text(plain)) == plain.count(".") + 2


def test_a_name_is_in_its_zone_or_not() -> None:
    assert name_in_zone("puppet.example.test.", "Example.test") == "puppet.example.test"
    assert name_in_zone("example.test", "example.test") == "example.test"
    for outside in ("puppet.example.org", "puppetexample.test", "test"):
        with pytest.raises(Trouble, match="dns-name-outside"):
            name_in_zone(outside, "example.test")


def test_a_foreign_name_is_shown_so_that_it_deceives_nobody() -> None:
    assert show_name("Pu\u0440pet.Example.test.").isascii()
    assert show_name("evil\\027.test.") == "evil\\027.test"


def test_addresses_have_one_spelling() -> None:
    assert address(" 2001:DB8:0::1 ") == "2001:db8::1"
    assert (rtype_of("10.0.0.1"), rtype_of("::1")) == ("A", "AAAA")
    assert canonical(("10.0.0.10", "9.0.0.1", "10.0.0.10"), "A") == ("9.0.0.1", "10.0.0.10")
    for bad in ("", "10.0.0", "10.0.0.256", "010.0.0.1", "puppet"):
        with pytest.raises(Trouble, match="dns-address"):
            address(bad)


def test_values_are_spelled_as_words() -> None:
    assert spell(()) == "nothing"
    assert spell(("a", "b", "c")) == "a, b and c"


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("192.0.2.53", NameServer("192.0.2.53", "192.0.2.53", 5300)),
        ("192.0.2.53:53", NameServer("192.0.2.53:53", "192.0.2.53", 53)),
        ("ns1=192.0.2.53", NameServer("ns1", "192.0.2.53", 5300)),
        ("ns1=[2001:DB8::53]:54", NameServer("ns1", "2001:db8::53", 54)),
        ("2001:db8::53", NameServer("2001:db8::53", "2001:db8::53", 5300)),
        ("[2001:db8::53]", NameServer("2001:db8::53", "2001:db8::53", 5300)),
        ("[2001:db8::53]:53", NameServer("[2001:db8::53]:53", "2001:db8::53", 53)),
    ],
)
def test_a_server_is_an_address(text: str, server: NameServer) -> None:
    assert parse_server(text, 5300) == server


@pytest.mark.parametrize(
    "text", ["", "ns1.example.test", "192.0.2.53:0", "192.0.2.53:65536", "192.0.2.53:x", "[::1", "a=b=c"]
)
def test_a_server_by_name_is_refused(text: str) -> None:
    with pytest.raises(Trouble, match=r"dns-(server|address)"):
        parse_server(text)


def test_a_zone_from_an_estate() -> None:
    zone = make_zone("Example.test.", ["ns1=192.0.2.53", "192.0.2.54"], port=5300, resolvers=["192.0.2.1"])
    assert zone.name == "example.test"
    assert [(s.label, s.port) for s in (*zone.servers, *zone.resolvers)] == [
        ("ns1", 5300),
        ("192.0.2.54", 5300),
        ("192.0.2.1", 53),
    ]
    assert zone.primary.label == "ns1"
    with pytest.raises(Trouble, match="dns-no-server"):
        _ = Zone("example.test", ()).primary
