"""Keys as names of blobs and back, and lists of names as lists of keys."""

import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sre_azure.names import Names
from sre_azure.order import InOrder
from sre_core.connectors.storage import ObjectInfo
from sre_core.errors import ConfigError

NAMES = Names("")

# Short keys of the characters that are apt to go wrong.
part = st.text("ab.!#- ~0\ufb01\U0001f600", min_size=1, max_size=4).filter(lambda text: text not in {".", ".."})
keys = st.lists(part, min_size=1, max_size=3).map("/".join)


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("notes/today.txt", "notes/today.txt"),
        ("a.", "a.!"),
        ("a..", "a..!"),
        ("a.!", "a.!!"),
        ("v1./a", "v1.!/a"),
        ("a ", "a !"),
        ("a!", "a!"),
        ("a. b", "a. b"),
        ("...", "...!"),
    ],
)
def test_only_an_end_that_azure_would_drop_is_changed(key: str, name: str) -> None:
    assert NAMES.name(key) == name
    assert NAMES.key(name) == key


@given(keys)
def test_a_name_leads_back_to_its_key(key: str) -> None:
    name = Names("team.").name(key)
    assert name.startswith("team.!/")
    assert Names("team.").key(name) == key
    assert not any(piece.endswith((".", " ")) for piece in name.split("/"))


@given(st.sets(keys, max_size=12))
@example({".!", ".! -A"})
@example({"a./b", "a. ", "a.!", "a.-"})
def test_a_list_is_in_the_order_of_keys_whatever_the_order_of_the_server(given_keys: set[str]) -> None:
    for encoding in ("utf-8", "utf-16-be"):
        names = sorted(map(NAMES.name, given_keys), key=lambda name, encoding=encoding: name.encode(encoding))
        assert listed("", [str(NAMES.key(name)) for name in names]) == sorted(given_keys)


@given(st.sets(keys, max_size=12))
def test_a_list_of_a_folder_is_in_order_too(given_keys: set[str]) -> None:
    below = {f"v1. /{key}" for key in given_keys}
    names = sorted(map(NAMES.name, below), key=lambda name: name.encode("utf-16-be"))
    assert listed("v1. ", [str(NAMES.key(name)) for name in names]) == sorted(below)


def test_an_ordinary_list_is_not_held_back() -> None:
    order = InOrder("v1.")
    for number in range(3):
        assert [found.key for found in order.put(info(f"v1./{number}"))] == [f"v1./{number}"]
    assert order.rest() == []


@pytest.mark.parametrize(
    "key",
    [
        "a\\b",
        "a\nb",
        "a\x7f",
        "a\x80",
        "a\uffff",
        "x" * 1025,
        "\U0001f600" * 513,
        "/".join("a" * 255),
        "",
        "a//b",
        "../a",
    ],
)
def test_a_key_that_azure_cannot_have_is_refused(key: str) -> None:
    with pytest.raises(ConfigError):
        NAMES.name(key)


def test_the_longest_keys_fit() -> None:
    assert len(NAMES.name("x" * 1024)) == 1024
    assert NAMES.name("/".join("a" * 254))
    with pytest.raises(ConfigError, match="too long"):
        Names("p").name("/".join("a" * 254))
    with pytest.raises(ConfigError, match="too long"):
        NAMES.name("x" * 1023 + ".")


@pytest.mark.parametrize("name", ["folder/", "/a", "a//b", "a.", "a ", "", "a\\b"])
def test_a_name_that_is_no_key_has_none(name: str) -> None:
    assert NAMES.key(name) is None


def listed(prefix: str, arriving: list[str]) -> list[str]:
    order = InOrder(prefix)
    ready = [found for key in arriving for found in order.put(info(key))]
    return [found.key for found in (*ready, *order.rest())]


def info(key: str) -> ObjectInfo:
    return ObjectInfo(key=key, size=0, version=str(random.random()), modified=0.0)
