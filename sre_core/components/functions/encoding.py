"""FEncDec: text to an encoding, such as base64, and back."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from sre_core.components.base import Component, ComponentSettings
from sre_core.components.context import ComponentContext
from sre_core.components.functions.buffers import Encoding, as_bytes, decode, encode
from sre_core.components.node import InputPort, OutputPort

__all__ = ["FEncDec", "FEncDecSettings"]


class FEncDecSettings(ComponentSettings):
    """Which encoding, and which way."""

    action: Literal["Encode", "Decode"] = Field(default="Encode", description="from text to the encoding, or back")
    encoding: Encoding = Field(default="hex", description="the encoding, one of those that Buffer in Node.js has")


class FEncDec(Component):
    """Encodes a text, or bytes, or decodes what was encoded.

    `Output` is the result. Decoding never fails: hex is read up to the first character that is not hex, base64 up to
    the first "=" and without the characters that do not belong to it, and bytes that are no UTF-8 become U+FFFD. Text
    that is not encoded at all so gives "". As in SmythOS, but for halves of surrogate pairs, which become U+FFFD.
    """

    name = "FEncDec"
    settings_type = FEncDecSettings
    settings: FEncDecSettings
    inputs = (InputPort(name="Data"),)
    outputs = (OutputPort(name="Output", default=True),)

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """`Data`, encoded or decoded."""
        data = as_bytes(inputs.get("Data"), "Data")
        if self.settings.action == "Encode":
            return {"Output": encode(data, self.settings.encoding)}
        return {"Output": encode(decode(encode(data, "utf8"), self.settings.encoding), "utf8")}
