"""Signatures of requests."""

import hashlib
import hmac

import pytest

from sre_core.components.triggers.signature import check_signature, header, same_text
from sre_core.errors import ComponentError

BODY = b'{"a": 1}'


def signed(secret: str = "s", body: bytes = BODY, algorithm: str = "sha256") -> str:
    return hmac.new(secret.encode(), body, algorithm).hexdigest()


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("change", [str, str.upper, lambda text: f" {text} "])
def test_the_right_signature_passes(algorithm, change):
    signature = signed(algorithm=algorithm)
    check_signature(BODY, change(signature), "s", algorithm=algorithm, name="X")
    check_signature(BODY, f"{algorithm}={signature}", "s", algorithm=algorithm, name="X")


@pytest.mark.parametrize(
    "signature",
    [
        signed("other"),
        signed(body=b"{}"),
        signed()[:-1],
        signed() + "0",
        f"sha1={signed()}",
        hashlib.sha256(BODY).hexdigest(),
        "é" * 64,
        "sha256=",
        "none",
    ],
)
def test_a_wrong_signature_is_refused_and_the_right_one_not_told(signature):
    with pytest.raises(ComponentError, match="wrong") as caught:
        check_signature(BODY, signature, "s", algorithm="sha256", name="X")
    assert signed() not in str(caught.value)


def test_no_signature_and_no_secret_are_refused():
    with pytest.raises(ComponentError, match="no header 'X'"):
        check_signature(BODY, "", "s", algorithm="sha256", name="X")
    with pytest.raises(ComponentError, match="no secret"):
        check_signature(BODY, signed(""), "", algorithm="sha256", name="X")


def test_headers_are_found_in_any_case():
    assert header({"x-HUB": "1"}, "X-Hub") == "1"
    assert header({}, "X-Hub") == ""


def test_texts_are_compared_whole():
    assert same_text("é", "é")
    assert not same_text("é", "e")
    assert not same_text("a", "ab")
