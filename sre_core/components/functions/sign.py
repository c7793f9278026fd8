"""FSign: signatures, with a shared secret (HMAC) or a private key (RSA)."""

import hmac
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from anyio import to_thread
from pydantic import Field

from sre_core.components.base import Component, ComponentSettings, Flaw
from sre_core.components.context import ComponentContext
from sre_core.components.functions.buffers import Encoding, as_bytes, encode
from sre_core.components.functions.digests import digest_name, new_hash
from sre_core.components.javascript import json_text, query_text
from sre_core.components.node import InputPort, OutputPort
from sre_core.components.template import expand
from sre_core.errors import ComponentError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.padding import AsymmetricPadding
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

__all__ = ["FSign", "FSignSettings"]

_PKCS1 = "RSA_PKCS1_PADDING"
_PSS = "RSA_PKCS1_PSS_PADDING"
_SALT_AS_LONG_AS_DIGEST = {"-1", "RSA_PSS_SALTLEN_DIGEST"}
_SALT_AS_LONG_AS_FITS = {"", "-2", "RSA_PSS_SALTLEN_MAX_SIGN", "RSA_PSS_SALTLEN_AUTO"}
_RSA_HASHES = {
    "md5": "MD5",
    "sha1": "SHA1",
    "sha224": "SHA224",
    "sha256": "SHA256",
    "sha384": "SHA384",
    "sha512": "SHA512",
    "sha512_224": "SHA512_224",
    "sha512_256": "SHA512_256",
    "sha3_224": "SHA3_224",
    "sha3_256": "SHA3_256",
    "sha3_384": "SHA3_384",
    "sha3_512": "SHA3_512",
}
"""The names that cryptography has, by those of hashlib."""


class FSignSettings(ComponentSettings):
    """What is signed, with what, and how."""

    key: str = Field(
        default="",
        description="the secret, or the RSA private key in PEM, where none comes in as Key; best as {{KEY(name)}}, "
        "from the vault",
    )
    sign_method: Literal["HMAC", "RSA"] = Field(default="HMAC", description="with a shared secret, or a private key")
    hash_type: str = Field(
        default="md5",
        max_length=100,
        description="the hash function by the name that OpenSSL or Node.js has for it, such as sha256",
    )
    data_transform: Literal["None", "Stringify", "Querystring"] = Field(
        default="None",
        description="what is made of Data first, unless it is text: nothing, JSON, or a query such as a=1&b=2",
    )
    encoding: Encoding = Field(default="hex", description="how the bytes of the signature are written as text")
    rsa_padding: str = Field(
        default=_PKCS1, alias="RSA_padding", description=f"for RSA: {_PKCS1}, which is PKCS #1 v1.5, or {_PSS}"
    )
    rsa_salt_length: str = Field(
        default="",
        alias="RSA_saltLength",
        description=f"for {_PSS}: the length of the salt in bytes, RSA_PSS_SALTLEN_DIGEST for that of the hash, "
        "or nothing for as much as fits",
    )


class FSign(Component):
    """Signs a value.

    `Signature` is the signature as text. The key is what comes in as `Key`, else the setting. A text in `Data` is
    signed as it is; any other value needs `dataTransform`: Stringify gives the JSON text and Querystring the query that
    JavaScript gives, byte for byte, so that other programs can check the signature. SmythOS signs with an empty key
    when there is none; here that is an error.
    """

    name = "FSign"
    settings_type = FSignSettings
    settings: FSignSettings
    inputs = (InputPort(name="Data"), InputPort(name="Key", optional=True))
    outputs = (OutputPort(name="Signature", default=True),)

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """The signature of `Data`."""
        data = self._data(inputs.get("Data"))
        key = await self._key(inputs, context)
        sign = self._rsa if self.settings.sign_method == "RSA" else self._hmac
        # In a thread: RSA takes a while, and so does a large value.
        signature = await to_thread.run_sync(partial(sign, key, data))
        return {"Signature": encode(signature, self.settings.encoding)}

    def check(self) -> list[Flaw]:
        """Hash, padding or salt that there are not."""
        if self.settings.sign_method == "HMAC":
            return Flaw.raised_by(self._hmac_name, "hashType")
        salt = "RSA_saltLength" if self.settings.rsa_padding == _PSS else "RSA_padding"
        return [*Flaw.raised_by(self._rsa_hash_name, "hashType"), *Flaw.raised_by(self._salt_length, salt)]

    def _data(self, value: Any) -> bytes:
        if isinstance(value, str):
            # What is sent elsewhere is mostly such a text already, so nothing may change in it.
            return as_bytes(value, "Data")
        match self.settings.data_transform:
            case "Stringify":
                return json_text(value).encode()
            case "Querystring":
                return query_text(value).encode()
            case _:
                return as_bytes(value, "Data")

    async def _key(self, inputs: Mapping[str, Any], context: ComponentContext) -> bytes:
        given = inputs.get("Key")
        if isinstance(given, list):
            raise ComponentError(
                f"Key came in {len(given)} times, or as a list; it must be one text",
                hint="remove all links into Key but one",
            )
        if given is None or given == "":
            given = await expand(self.settings.key, inputs, context, node=self.node)
        if not given:
            raise ComponentError("there is no key to sign with", hint="wire one to Key, or fill in the setting 'key'")
        return as_bytes(given, "Key")

    def _hmac_name(self) -> str:
        name = digest_name(self.settings.hash_type)
        if name.startswith("shake"):
            raise ComponentError(f"HMAC does not work with {self.settings.hash_type!r}", hint="use sha256")
        return name

    def _hmac(self, key: bytes, data: bytes) -> bytes:
        return hmac.new(key, data, partial(new_hash, self._hmac_name())).digest()

    def _rsa(self, key: bytes, data: bytes) -> bytes:
        hash_ = _rsa_hash(self._rsa_hash_name())
        try:
            return _private_key(key).sign(data, self._padding(hash_), hash_)
        except ValueError as error:
            # It says that the key is too small for the hash and its salt.
            raise ComponentError(
                f"cannot sign with this key and {self.settings.hash_type!r}: {error}",
                hint="use a longer key, or a shorter salt",
            ) from error

    def _rsa_hash_name(self) -> str:
        name = digest_name(self.settings.hash_type)
        if name not in _RSA_HASHES:
            raise ComponentError(
                f"RSA does not work with {self.settings.hash_type!r}",
                hint=f"use one of {', '.join(sorted(name.replace('_', '-') for name in _RSA_HASHES))}",
            )
        return name

    def _salt_length(self) -> int | Literal["digest", "most"] | None:
        """The salt of PSS padding; None for padding without one."""
        if self.settings.rsa_padding == _PKCS1:
            return None
        if self.settings.rsa_padding != _PSS:
            raise ComponentError(
                f"there is no padding {self.settings.rsa_padding!r} for signatures", hint=f"use {_PKCS1} or {_PSS}"
            )
        length = self.settings.rsa_salt_length.strip()
        if length in _SALT_AS_LONG_AS_FITS:
            return "most"
        if length in _SALT_AS_LONG_AS_DIGEST:
            return "digest"
        if length.isdecimal() and len(length) < 6:
            return int(length)
        raise ComponentError(f"{length!r} is no length of a salt", hint="give a number of bytes, or nothing")

    def _padding(self, hash_: "HashAlgorithm") -> "AsymmetricPadding":
        from cryptography.hazmat.primitives.asymmetric import padding

        length = self._salt_length()
        if length is None:
            return padding.PKCS1v15()
        salt = padding.PSS.MAX_LENGTH if length == "most" else hash_.digest_size if length == "digest" else length
        return padding.PSS(mgf=padding.MGF1(hash_), salt_length=salt)


def _rsa_hash(name: str) -> "HashAlgorithm":
    from cryptography.hazmat.primitives import hashes

    made: HashAlgorithm = getattr(hashes, _RSA_HASHES[name])()
    return made


def _private_key(pem: bytes) -> "RSAPrivateKey":
    """The key in a PEM text. Raises ComponentError, which says nothing of what the text holds."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # Without the cause: what a parser complains of may be a part of the key.
        raise ComponentError(
            "the key is no private key in PEM, or it is encrypted", hint="give it from '-----BEGIN' to 'KEY-----'"
        ) from None
    if not isinstance(key, RSAPrivateKey):
        raise ComponentError("the key is no RSA key", hint="give an RSA private key")
    return key
