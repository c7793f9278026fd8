"""FSign signs with a secret or a private key. The expected signatures of HMAC are the answers of Node.js 20."""

import hmac

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from sre_core.errors import ComponentError, SREError
from sre_core.testing.bench import bench
from tests.unit.sre_core.components.nodes import made

PSS = "RSA_PKCS1_PSS_PADDING"
ORDER = {"b": 1.0, "a": [1.5, None, "é"]}


def pem(key, *, form=PrivateFormat.PKCS8, encryption: KeySerializationEncryption | None = None) -> str:
    return key.private_bytes(Encoding.PEM, form, encryption or NoEncryption()).decode()


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


async def signed(data, inputs, **around):
    async with bench(**around) as b:
        return (await b.run("FSign", data, inputs=inputs))["Signature"]


@pytest.mark.parametrize(
    ("data", "value", "secret", "expected"),
    [
        (
            {"dataTransform": "Stringify", "hashType": "sha256", "encoding": "base64"},
            ORDER,
            "key",
            "dBk4WqGEtdEmFfFS5kIcVOlDzb7dHBVZQFWg+c/xYE0=",
        ),
        (
            {"dataTransform": "Querystring", "hashType": "sha512", "encoding": "base64url"},
            ORDER,
            "key",
            "RMjIR1DKCSssRbA0rcghXo5wt36Jr2kXjRa7NTk2s9TmqWPGDJql51oGBvGMVa3AGHziNB6alD8Ro31yRd18ZQ",
        ),
        (
            {"hashType": "RSA-SHA256"},
            "hello",
            "key",
            "9307b3b915efb5171ff14d8cb55fbcc798c6c0ef1456d66ded1a6aa723a58b7b",
        ),
        (
            {"hashType": "sha512-256", "dataTransform": "None"},
            b"hello",
            b"key",
            "6149bdedc72e1cb49de9d0e575ed42b04ca960d6064eb8d38aefcbc886864525",
        ),
    ],
)
async def test_a_secret_signs_as_node_does(data, value, secret, expected):
    assert await signed(data, {"Data": value, "Key": secret}) == expected


@pytest.mark.parametrize("transform", ["None", "Stringify", "Querystring"])
@pytest.mark.parametrize("text", ["hello world", ' {"b": 1,  "a": 2}', "[1, 2]", "a=1&b=x y", ""])
async def test_a_text_is_signed_as_it_is_whatever_is_made_of_other_values(transform, text):
    expected = hmac.new(b"key", text.encode(), "md5").hexdigest()
    assert await signed({"dataTransform": transform}, {"Data": text, "Key": "key"}) == expected


async def test_the_key_comes_from_the_vault_where_none_comes_in():
    data = {"key": "{{KEY(signing)}}", "hashType": "sha256"}
    expected = await signed({"hashType": "sha256"}, {"Data": "x", "Key": "s3cret"})
    assert await signed(data, {"Data": "x"}, secrets={"signing": "s3cret"}) == expected
    assert await signed(data, {"Data": "x", "Key": None}, secrets={"signing": "s3cret"}) == expected


async def test_the_key_that_comes_in_goes_before_the_setting():
    expected = await signed({}, {"Data": "x", "Key": "mine"})
    assert await signed({"key": "{{KEY(signing)}}"}, {"Data": "x", "Key": "mine"}) == expected


async def test_a_setting_may_name_another_input_as_the_key():
    expected = await signed({}, {"Data": "x", "Key": "mine"})
    assert await signed({"key": "{{Token}}"}, {"Data": "x", "Token": "mine"}) == expected


async def test_a_key_that_comes_in_cannot_name_a_secret():
    found = await signed({}, {"Data": "x", "Key": "{{KEY(signing)}}"}, secrets={"signing": "s3cret"})
    assert found != await signed({}, {"Data": "x", "Key": "s3cret"})


async def test_two_keys_are_an_error_that_says_what_to_do():
    async with bench() as b:
        with pytest.raises(ComponentError, match="Key came in 2 times") as refused:
            await b.run("FSign", {"key": "k"}, inputs={"Data": "x", "Key": ["hello world", "hello world"]})
    assert "links" in (refused.value.hint or "")
    assert "hello" not in str(refused.value)


@pytest.mark.parametrize("inputs", [{"Data": "x"}, {"Data": "x", "Key": ""}, {"Data": "x", "Key": None}])
async def test_no_key_is_an_error_and_not_an_empty_key(inputs):
    async with bench() as b:
        with pytest.raises(ComponentError, match="no key"):
            await b.run("FSign", {}, inputs=inputs)


async def test_a_secret_that_there_is_not_stays_the_error_that_it_is():
    async with bench() as b:
        with pytest.raises(SREError) as refused:
            await b.run("FSign", {"key": "{{KEY(nothing)}}"}, inputs={"Data": "x"})
    assert not isinstance(refused.value, ComponentError)


async def test_data_that_is_no_text_needs_a_transformation():
    async with bench() as b:
        with pytest.raises(ComponentError, match="Data must be text or bytes"):
            await b.run("FSign", {"key": "k"}, inputs={"Data": {"a": 1}})


@pytest.mark.parametrize(("name", "kind"), [("sha256", hashes.SHA256), ("RSA-SHA1", hashes.SHA1), ("md5", hashes.MD5)])
@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
async def test_a_private_key_signs_what_its_public_key_confirms(key, name, kind, form):
    data = {"signMethod": "RSA", "hashType": name, "RSA_padding": "RSA_PKCS1_PADDING"}
    signature = bytes.fromhex(await signed(data, {"Data": "hello", "Key": pem(key, form=form)}))
    key.public_key().verify(signature, b"hello", padding.PKCS1v15(), kind())
    with pytest.raises(InvalidSignature):
        key.public_key().verify(signature, b"hullo", padding.PKCS1v15(), kind())


@pytest.mark.parametrize(
    ("salt", "length"),
    [
        ("", 256 - 32 - 2),
        ("-2", 256 - 32 - 2),
        ("RSA_PSS_SALTLEN_MAX_SIGN", 256 - 32 - 2),
        (-1, 32),
        ("RSA_PSS_SALTLEN_DIGEST", 32),
        ("20", 20),
        (0, 0),
    ],
)
async def test_pss_padding_has_the_salt_that_is_asked_for(key, salt, length):
    data = {"signMethod": "RSA", "hashType": "sha256", "RSA_padding": PSS, "RSA_saltLength": salt}
    signature = bytes.fromhex(await signed(data, {"Data": "hello", "Key": pem(key)}))
    with_salt = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=length)
    key.public_key().verify(signature, b"hello", with_salt, hashes.SHA256())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"hashType": "sha0"}, "no hash algorithm 'sha0'"),
        ({"hashType": "shake128"}, "HMAC does not work with 'shake128'"),
        ({"signMethod": "RSA", "hashType": "blake2b512"}, "RSA does not work with 'blake2b512'"),
        ({"signMethod": "RSA", "RSA_padding": "RSA_NO_PADDING"}, "no padding 'RSA_NO_PADDING'"),
        ({"signMethod": "RSA", "RSA_padding": PSS, "RSA_saltLength": "long"}, "'long' is no length"),
        ({"signMethod": "RSA", "RSA_padding": PSS, "RSA_saltLength": "-3"}, "'-3' is no length"),
    ],
)
async def test_a_setting_that_cannot_be_is_told_before_and_when_it_runs(key, data, message):
    assert message in made("FSign", data).check()[0].message
    async with bench() as b:
        with pytest.raises(ComponentError, match=message):
            await b.run("FSign", data, inputs={"Data": "x", "Key": pem(key)})


@pytest.mark.parametrize("data", [{}, {"RSA_padding": "nonsense"}, {"signMethod": "RSA", "RSA_padding": PSS}])
def test_settings_that_can_be_have_nothing_to_tell(data):
    assert made("FSign", data).check() == []


def test_wrong_settings_are_told_all_at_once_with_their_names():
    data = {"signMethod": "RSA", "hashType": "md55", "RSA_padding": PSS, "RSA_saltLength": "long"}
    assert [flaw.setting for flaw in made("FSign", data).check()] == ["hashType", "RSA_saltLength"]
    assert [flaw.setting for flaw in made("FSign", {**data, "RSA_padding": "none"}).check()] == [
        "hashType",
        "RSA_padding",
    ]


async def test_a_salt_that_does_not_fit_the_key_is_an_error(key):
    data = {"signMethod": "RSA", "hashType": "sha256", "RSA_padding": PSS, "RSA_saltLength": "1000"}
    async with bench() as b:
        with pytest.raises(ComponentError, match="cannot sign with this key"):
            await b.run("FSign", data, inputs={"Data": "x", "Key": pem(key)})


@pytest.mark.parametrize(
    "text", ["no-key-but-secret", "-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----"]
)
async def test_a_key_that_is_none_is_an_error_without_the_key_in_it(text):
    async with bench() as b:
        with pytest.raises(ComponentError, match="no private key in PEM") as refused:
            await b.run("FSign", {"signMethod": "RSA"}, inputs={"Data": "x", "Key": text})
    assert "secret" not in f"{refused.value} {refused.value.hint}"
    assert refused.value.__suppress_context__


async def test_an_encrypted_key_is_refused(key):
    text = pem(key, encryption=BestAvailableEncryption(b"pass"))
    async with bench() as b:
        with pytest.raises(ComponentError, match="encrypted"):
            await b.run("FSign", {"signMethod": "RSA"}, inputs={"Data": "x", "Key": text})


async def test_a_key_of_another_kind_is_refused():
    text = pem(ec.generate_private_key(ec.SECP256R1()))
    async with bench() as b:
        with pytest.raises(ComponentError, match="no RSA key"):
            await b.run("FSign", {"signMethod": "RSA"}, inputs={"Data": "x", "Key": text})
