"""The format of encrypted files opens what it sealed, and nothing else."""

import resource
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_core.builtin.sealed import MIN_COST, Header, Kind, derive, read_header, seal, unseal
from sre_core.errors import ConnectorError, UnauthenticatedError

KEY = b"k" * 32
HEADER = Header(kind=Kind.KEY_FILE, cost=MIN_COST, salt=b"s" * 16)


def with_digest(body: bytes) -> bytes:
    """What somebody would write who alters a file on purpose."""
    return body + sha256(body).digest()


@given(st.binary(max_size=2000))
def test_what_was_sealed_opens_again(content):
    raw = seal(content, KEY, HEADER)
    assert read_header(raw, "file") == HEADER
    assert unseal(raw, KEY, "file") == content


@given(st.binary(max_size=200), st.data())
def test_a_changed_byte_is_damage_wherever_it_is(content, data):
    raw = bytearray(seal(content, KEY, HEADER))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ConnectorError) as error:
        read_header(bytes(raw), "file")
    assert type(error.value) is ConnectorError


@given(st.binary(max_size=200), st.data())
def test_a_change_with_a_new_digest_does_not_open(content, data):
    body = bytearray(seal(content, KEY, HEADER)[:-32])
    body[data.draw(st.integers(0, len(body) - 1))] ^= data.draw(st.integers(1, 255))
    raw = with_digest(bytes(body))
    with pytest.raises(ConnectorError):
        unseal(raw, derive(KEY, read_header(raw, "file")), "file")
    with pytest.raises(UnauthenticatedError):
        unseal(raw, KEY, "file")


@given(st.binary(max_size=300))
def test_any_other_bytes_are_refused(raw):
    with pytest.raises(ConnectorError):
        read_header(raw, "file")


@pytest.mark.parametrize("cost", [0, 1, MIN_COST - 1, 19, 30, 63, 255])
def test_a_hostile_cost_is_refused_before_any_memory_is_taken(cost):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    hostile = with_digest(b"SREVAULT" + bytes([1, Kind.PASSPHRASE, cost]) + b"s" * 28 + b"x" * 40)
    with pytest.raises(ConnectorError, match="cost"):
        read_header(hostile, "file")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 8 * 1024


@pytest.mark.parametrize(("version", "kind"), [(0, 1), (2, 1), (1, 2), (1, 255)])
def test_a_version_or_kind_of_another_release_is_named(version, kind):
    foreign = with_digest(b"SREVAULT" + bytes([version, kind, MIN_COST]) + b"s" * 28 + b"x" * 40)
    with pytest.raises(ConnectorError, match=f"version {version}, kind {kind}"):
        read_header(foreign, "file")


def test_a_wrong_key_is_told_from_damage():
    with pytest.raises(UnauthenticatedError, match="'file'"):
        unseal(seal(b"content", KEY, HEADER), b"w" * 32, "file")


def test_the_key_depends_on_the_secret_the_salt_the_cost_and_the_kind():
    headers = [
        Header(kind=kind, cost=cost, salt=salt)
        for kind, cost in ((Kind.KEY_FILE, MIN_COST), (Kind.PASSPHRASE, MIN_COST), (Kind.PASSPHRASE, MIN_COST + 1))
        for salt in (b"a" * 16, b"b" * 16)
    ]
    keys = {derive(secret, header) for header in headers for secret in (b"x" * 32, b"y" * 32)}
    assert len(keys) == 12
    assert {len(key) for key in keys} == {32}


def test_new_headers_have_salts_of_their_own():
    assert Header.new(Kind.PASSPHRASE, MIN_COST).salt != Header.new(Kind.PASSPHRASE, MIN_COST).salt
