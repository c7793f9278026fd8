"""Which addresses anybody may name."""

import pytest

from sre_core.components.public_address import check_public_host, is_public
from sre_core.errors import ComponentError


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.9",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::808:808",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:a00:1::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "2606:4700::1111%eth0",
        "fec0::1",
        "ff02::1",
        "",
        "localhost",
        "127.1",
        "2130706433",
        "0x7f000001",
        "1.2.3.4.5",
        "01.1.1.1",
    ],
)
def test_an_address_that_is_not_of_the_public_internet_is_refused(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"],
)
def test_an_address_of_the_public_internet_is_not(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "::1",
        "2130706433",
        "017700000001",
        "0x7f000001",
        "0x7f.0.0.1",
        "127.1",
        "127.0.0.0x1",
        "127.0.0.1.",
        "8.8.8.8.",
        "134744072",
        "0x",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "a.localhost",
        "printer.local",
        "metadata.google.internal",
        "router.home.arpa",
        "example.com.",
        "exämple.com",
        "①②⑦.0.0.1",
        "evil.com.1",
    ],
)
def test_a_host_of_an_odd_form_or_of_this_network_is_refused(host):
    with pytest.raises(ComponentError, match="refused"):
        check_public_host(host)


@pytest.mark.parametrize(
    "host", ["example.com", "a.b.example.co.uk", "8.8.8.8", "2606:4700:4700::1111", "localhost.com"]
)
def test_a_usual_host_passes(host):
    check_public_host(host)


def test_another_idea_of_public_holds_for_addresses_alone():
    check_public_host("127.0.0.1", lambda address: address == "127.0.0.1")
    with pytest.raises(ComponentError):
        check_public_host("8.8.8.8", lambda address: address == "127.0.0.1")
    with pytest.raises(ComponentError):
        check_public_host("localhost", lambda _: True)
