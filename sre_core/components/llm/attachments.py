"""Files for a model: from a node's inputs, as far as the model can take them."""

from collections.abc import Iterable, Mapping
from typing import Any

from sre_core.components.context import ComponentContext, ModelUse
from sre_core.components.files import read_file
from sre_core.components.llm.asking import is_echo
from sre_core.components.node import InputPort, Node
from sre_core.errors import ComponentError
from sre_core.messages import File

__all__ = ["MEDIA_TYPES", "media_inputs", "model_files", "read_files"]

MEDIA_TYPES = frozenset({"audio", "binary", "image", "video"})
"""The types of ports, in lower case, whose values are files."""

_CAPABILITIES = {"audio": "audio", "image": "images", "video": "video"}


def media_inputs(node: Node, own: Iterable[InputPort] = ()) -> list[InputPort]:
    """The inputs of a node that take files: by their type, or by that of the component's `own` inputs."""
    names = {port.name for port in own if _is_media(port)}
    return [port for port in node.inputs if port.name in names or _is_media(port)]


async def read_files(
    ports: Iterable[InputPort], inputs: Mapping[str, Any], context: ComponentContext
) -> tuple[File, ...]:
    """The files that came in at these ports; a list holds several. Raises what `read_file` raises."""
    found = [(port.name, item) for port in ports for item in _items(inputs.get(port.name))]
    return tuple([await read_file(item, context, name=name) for name, item in found])


async def model_files(
    ports: Iterable[InputPort], inputs: Mapping[str, Any], context: ComponentContext, use: ModelUse
) -> tuple[File, ...]:
    """The files that the model can take. Raises ComponentError when files came, and it can take none of them."""
    if is_echo(use):
        return ()
    files = await read_files(ports, inputs, context)
    taken = tuple(file for file in files if _capability(file) in use.llm.capabilities)
    if files and not taken:
        kinds = ", ".join(sorted({file.media_type for file in files}))
        able = sorted(use.llm.capabilities & {"audio", "documents", "images", "video"})
        raise ComponentError(
            f"the model {use.request.model or 'default'!r} can take none of the files ({kinds})",
            hint=f"it takes {', '.join(able) if able else 'text alone'}; choose another model",
        )
    return taken


def _is_media(port: InputPort) -> bool:
    return port.is_file or port.type.lower() in MEDIA_TYPES


def _items(value: Any) -> list[Any]:
    items = value if isinstance(value, list | tuple) else [value]
    return [item for item in items if item is not None and item != ""]


def _capability(file: File) -> str:
    return _CAPABILITIES.get(file.media_type.partition("/")[0], "documents")
