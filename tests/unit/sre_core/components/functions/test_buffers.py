"""Bytes and texts turn into each other as with Buffer in Node.js. The expected values are the answers of Node.js 20."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from sre_core.components.functions.buffers import Encoding, as_bytes, decode, encode
from sre_core.errors import ComponentError

NAMES = TypeAdapter(Encoding)
RAW = bytes.fromhex("004180ffe9")


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("utf8", "utf8"),
        ("UTF-8", "utf8"),
        ("HEX", "hex"),
        ("Base64", "base64"),
        ("base64url", "base64url"),
        ("binary", "latin1"),
        ("latin1", "latin1"),
        ("ascii", "ascii"),
        ("ucs2", "utf16le"),
        ("UCS-2", "utf16le"),
        ("utf-16le", "utf16le"),
    ],
)
def test_encodings_go_by_all_their_names(given_name, name):
    assert NAMES.validate_python(given_name) == name


@pytest.mark.parametrize("name", ["", "rot13", "utf32", 5, None])
def test_an_unknown_encoding_is_refused(name):
    with pytest.raises(ValidationError):
        NAMES.validate_python(name)


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("hex", "004180ffe9"),
        ("base64", "AEGA/+k="),
        ("base64url", "AEGA_-k"),
        ("latin1", "\x00A\x80ÿé"),
        ("ascii", "\x00A\x00\x7fi"),
        ("utf16le", "\u4100\uff80"),
        ("utf8", "\x00A\ufffd\ufffd\ufffd"),
    ],
)
def test_any_bytes_have_a_text(encoding, text):
    assert encode(RAW, encoding) == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("e282", "\ufffd"),
        ("f09080", "\ufffd"),
        ("c0af", "\ufffd\ufffd"),
        ("eda080", "\ufffd\ufffd\ufffd"),
        ("efbbbf41", "\ufeffA"),
        ("f4908080", "\ufffd\ufffd\ufffd\ufffd"),
    ],
)
def test_bytes_that_are_no_utf8_are_replaced_as_browsers_do(raw, text):
    assert encode(bytes.fromhex(raw), "utf8") == text


@pytest.mark.parametrize(
    ("text", "raw"),
    [
        ("hello world", b""),
        ("68656c6", b"hel"),
        ("68zz65", b"h"),
        ("6865 6c", b"he"),
        ("ABcd", b"\xab\xcd"),
        ("686é65", b"h"),
        ("", b""),
    ],
)
def test_hex_is_read_up_to_what_is_not_hex(text, raw):
    assert decode(text, "hex") == raw


@pytest.mark.parametrize(
    ("text", "raw"),
    [
        ("aGVsbG8=", b"hello"),
        ("aGVsbG8", b"hello"),
        ("aGVs\nbG8=\n", b"hello"),
        ("aG*Vs!bG8", b"hello"),
        ("aGVsbG8=aGVs", b"hello"),
        ("aG=Vs", b"h"),
        ("a-_b", b"\x6b\xef\xdb"),
        ("a+/b", b"\x6b\xef\xdb"),
        ("aGVsb", b"hel"),
        ("a", b""),
        ("====", b""),
        ("é", b""),
    ],
)
@pytest.mark.parametrize("encoding", ["base64", "base64url"])
def test_base64_is_read_in_both_alphabets_up_to_the_padding(text, raw, encoding):
    assert decode(text, encoding) == raw


@pytest.mark.parametrize(
    ("encoding", "raw"),
    [("latin1", "e9ac3d00"), ("ascii", "e9ac3d00"), ("utf16le", "e900ac203dd800de"), ("utf8", "c3a9e282acf09f9880")],
)
def test_characters_become_bytes(encoding, raw):
    assert decode("é€😀", encoding).hex() == raw


@given(st.binary())
@pytest.mark.parametrize("encoding", ["hex", "base64", "base64url", "latin1"])
def test_bytes_come_back(encoding, data):
    assert decode(encode(data, encoding), encoding) == data


@given(st.text())
@pytest.mark.parametrize("encoding", ["hex", "base64", "base64url", "latin1", "ascii", "utf16le", "utf8"])
def test_no_text_is_too_bad_to_be_read(encoding, text):
    assert isinstance(decode(text, encoding), bytes)


def test_half_a_surrogate_pair_has_bytes_too():
    assert as_bytes("\ud83d", "Data") == "\ufffd".encode()


@pytest.mark.parametrize("value", [None, 5, True, ["a"], {"a": 1}])
def test_what_is_no_text_is_refused_by_name(value):
    with pytest.raises(ComponentError, match="Data must be text or bytes"):
        as_bytes(value, "Data")
