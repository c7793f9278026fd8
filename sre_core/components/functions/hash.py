"""FHash: the cryptographic hash of a text."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from sre_core.components.base import Component, ComponentSettings, Flaw
from sre_core.components.context import ComponentContext
from sre_core.components.functions.buffers import Encoding, as_bytes, encode
from sre_core.components.functions.digests import digest, digest_name
from sre_core.components.node import InputPort, OutputPort

__all__ = ["FHash", "FHashSettings"]


class FHashSettings(ComponentSettings):
    """Which hash, and how it is written."""

    algorithm: str = Field(
        default="sha256",
        max_length=100,
        description="the hash function by the name that OpenSSL or Node.js has for it, such as sha256 or RSA-SHA256",
    )
    encoding: Encoding = Field(default="hex", description="how the bytes of the hash are written as text")


class FHash(Component):
    """Hashes a text, in UTF-8, or bytes.

    `Hash` is the hash as text. shake128 and shake256 give 16 and 32 bytes. Where a file names no algorithm, SmythOS
    fails and this takes sha256.
    """

    name = "FHash"
    settings_type = FHashSettings
    settings: FHashSettings
    inputs = (InputPort(name="Data"),)
    outputs = (OutputPort(name="Hash", default=True),)

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """The hash of `Data`."""
        data = as_bytes(inputs.get("Data"), "Data")
        return {"Hash": encode(digest(data, self.settings.algorithm), self.settings.encoding)}

    def check(self) -> list[Flaw]:
        """An algorithm that there is not."""
        return Flaw.raised_by(lambda: digest_name(self.settings.algorithm), "algorithm")
