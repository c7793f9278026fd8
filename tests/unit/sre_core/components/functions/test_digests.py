"""Hash functions are found by all of their names. The expected values are the answers of Node.js 20."""

import pytest

from sre_core.components.functions.digests import digest, digest_name
from sre_core.errors import ComponentError

SHA256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"


@pytest.mark.parametrize(
    ("algorithm", "hexadecimal"),
    [
        ("md5", "5d41402abc4b2a76b9719d911017c592"),
        ("RSA-MD5", "5d41402abc4b2a76b9719d911017c592"),
        ("md5WithRSAEncryption", "5d41402abc4b2a76b9719d911017c592"),
        ("ssl3-md5", "5d41402abc4b2a76b9719d911017c592"),
        ("sha1", "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"),
        ("RSA-SHA1-2", "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"),
        ("sha256", SHA256),
        ("SHA256", SHA256),
        ("sha-256", SHA256),
        ("SHA2-256", SHA256),
        ("RSA-SHA256", SHA256),
        ("rsa-sha256", SHA256),
        ("sha512-256", "e30d87cfa2a75db545eac4d61baf970366a8357c7f72fa95b52d0accb698f13a"),
        ("RSA-SHA512/256", "e30d87cfa2a75db545eac4d61baf970366a8357c7f72fa95b52d0accb698f13a"),
        ("sha512-224WithRSAEncryption", "fe8509ed1fb7dcefc27e6ac1a80eddbec4cb3d2c6fe565244374061c"),
        ("id-rsassa-pkcs1-v1_5-with-sha3-224", "b87f88c72702fff1748e58b87e9141a42c0dbedc29a78cb0d4a5cd81"),
        ("sha3-256", "3338be694f50c5f338814986cdf0686453a888b84f424d792af4b9202398f392"),
        ("blake2s256", "19213bacc58dee6dbde3ceb9a47cbb330b3d86f8cca8997eb00be456f140ca25"),
        ("shake128", "8eb4b6a932f280335ee1a279f8c208a3"),
        ("shake256", "1234075ae4a1e77316cf2d8000974581a343b9ebbca7e3d1db83394c30f22162"),
    ],
)
def test_an_algorithm_goes_by_the_names_that_node_has_for_it(algorithm, hexadecimal):
    assert digest(b"hello", algorithm).hex() == hexadecimal


@pytest.mark.parametrize("name", ["ripemd160", "ripemd", "rmd160", "RSA-RIPEMD160", "ripemd160WithRSA"])
def test_ripemd_has_many_names(name, monkeypatch):
    # Some builds of OpenSSL leave it out.
    monkeypatch.setattr("hashlib.algorithms_available", {"sha256", "ripemd160"})
    assert digest_name(name) == "ripemd160"


@pytest.mark.parametrize("name", ["", "none", "whirlpool9000", "sha999", "../../etc/passwd", "RSA-"])
def test_an_unknown_algorithm_is_an_error_that_lists_the_known_ones(name):
    with pytest.raises(ComponentError, match="there is no hash algorithm") as refused:
        digest(b"", name)
    assert "sha256" in (refused.value.hint or "")
    assert "sha3-512" in (refused.value.hint or "")


def test_an_algorithm_that_openssl_refuses_is_an_error(monkeypatch):
    monkeypatch.setattr("hashlib.algorithms_available", {"sha256", "no-such-thing"})
    with pytest.raises(ComponentError, match="switched off"):
        digest(b"", "no-such-thing")
