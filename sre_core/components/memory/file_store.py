"""FileStore: keeps a file, and gives a link to it."""

import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from pydantic import Field

from sre_core.components.base import Component, ComponentSettings
from sre_core.components.context import ComponentContext
from sre_core.components.files import is_file_value, read_file, safe_name
from sre_core.components.node import InputPort, OutputPort
from sre_core.components.smythfs import Address
from sre_core.components.template import as_text, expand
from sre_core.errors import ComponentError
from sre_core.messages import File

__all__ = ["MAX_LINK_SECONDS", "FileStore", "FileStoreSettings"]

MAX_LINK_SECONDS = 7 * 86_400
"""How long a link lasts at most: longer than that no storage signs one."""

_FOLDER = "components_data"


class FileStoreSettings(ComponentSettings):
    """The name of the file, and how long it is kept."""

    name: str = Field(
        "",
        max_length=1000,
        description="Name of the file, with placeholders and folders, as in reports/{{id}}.pdf; a new one if empty.",
    )
    ttl: int = Field(86_400, ge=1, description="How long the file is kept, in seconds.")


class FileStore(Component):
    """Keeps `Data` as a file of the agent's.

    `Data` is a file of any form, a text, or an object or a list, which is kept as JSON. `Url` is a link that anyone
    can read the file with until it vanishes, for a week at most. Where the storage can make no links, as on a disk,
    it is the file's address, `smythfs://AGENT.agent/components_data/NAME`, which other components take as a file.
    A file of the same name is replaced. Unlike in SmythOS, values in the name cannot lead to another folder, and the
    file really vanishes where the storage can expire.
    """

    name = "FileStore"
    settings_type = FileStoreSettings
    settings: FileStoreSettings
    inputs = (InputPort(name="Data"),)
    outputs = (OutputPort(name="Url", default=True),)
    open_inputs = True

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """Write, let expire, and link."""
        file = await _file(inputs.get("Data"), context)
        address = Address(context.candidate, f"{_FOLDER}/{quote(await self._name(file, inputs, context))}")
        storage = context.storage
        await storage.write(address.path, file.data, content_type=file.media_type)
        if "expire" in storage.capabilities:
            await storage.expire(address.path, self.settings.ttl)
        context.stored.add(str(address))
        if "url" in storage.capabilities:
            return {"Url": await storage.url(address.path, min(self.settings.ttl, MAX_LINK_SECONDS))}
        return {"Url": str(address)}

    async def _name(self, file: File, inputs: Mapping[str, Any], context: ComponentContext) -> str:
        written = await expand(
            self.settings.name,
            inputs,
            context,
            node=self.node,
            # A value is part of a name, and makes no folders.
            quote=lambda value: safe_name(as_text(value)),
            missing="empty",
        )
        *folders, last = [part for part in written.split("/") if part.strip(" .")] or [""]
        if not last:
            return f"{secrets.token_hex(8)}-{safe_name(file.name, file.media_type)}"
        return "/".join([*(safe_name(folder) for folder in folders), safe_name(last, file.media_type)])


async def _file(data: Any, context: ComponentContext) -> File:
    if data is None or data == "":
        raise ComponentError("there is nothing to store", hint="connect the input Data")
    if isinstance(data, Mapping | list | tuple) and not is_file_value(data):
        return File(name="data.json", media_type="application/json", data=as_text(data).encode())
    return await read_file(as_text(data) if isinstance(data, int | float) else data, context, name="data")
