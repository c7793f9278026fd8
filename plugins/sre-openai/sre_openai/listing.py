"""The models that a server lists."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import Any

from sre_core.connectors.llm import ModelInfo
from sre_core.errors import NotFoundError

__all__ = ["ModelList", "listed", "with_default"]

# Each server has its own word for it.
_CONTEXT = ("context_length", "context_window", "max_context_length", "max_model_len", "n_ctx")
_OUTPUT = ("max_completion_tokens", "max_output_tokens", "max_output_length")


class ModelList:
    """What a server lists, asked for once, and again when it has other models by now. Belongs to one event loop.

    A block with it is around the calls of its models.
    """

    def __init__(self, ask: Callable[[], Awaitable[list[ModelInfo]]]) -> None:
        self._ask = ask
        self._lock = asyncio.Lock()
        self._found: list[ModelInfo] | None = None

    async def get(self, wanted: str | None = None) -> list[ModelInfo]:
        """The models; empty where the server has no list. It is asked anew if the model `wanted` was not among them."""
        async with self._lock:
            found = self._found
            if found is None or (found and wanted is not None and all(model.id != wanted for model in found)):
                try:
                    found = await self._ask()
                    # One that has none yet may load some.
                    self._found = found or None
                except NotFoundError:
                    self._found = found = []
            return found

    def __enter__(self) -> None:
        """A model of the list is asked."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """If it is gone, the list is old."""
        if isinstance(error, NotFoundError):
            self._found = None


def listed(data: Any) -> list[ModelInfo]:
    """The models in the reply of `models`, a list or an object with one. Raises TypeError for anything else."""
    entries = data.get("data", data.get("models")) if isinstance(data, Mapping) else data
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        raise TypeError("no list of models")
    found: dict[str, ModelInfo] = {}
    for entry in entries:
        name = entry.get("id") or entry.get("name")
        if isinstance(name, str) and name:
            found.setdefault(name, _info(name, entry))
    return list(found.values())


def with_default(models: Sequence[ModelInfo], default: str | None) -> list[ModelInfo]:
    """The models with the default first, which the server need not list."""
    if default is None:
        return list(models)
    first = next((model for model in models if model.id == default), ModelInfo(id=default))
    return [first, *(model for model in models if model.id != default)]


def _info(name: str, entry: Mapping[str, Any]) -> ModelInfo:
    places = [entry]
    places += [found for key in ("meta", "top_provider", "limits") if isinstance(found := entry.get(key), Mapping)]
    return ModelInfo(id=name, context_tokens=_size(places, _CONTEXT), output_tokens=_size(places, _OUTPUT))


def _size(places: Sequence[Mapping[str, Any]], names: Sequence[str]) -> int | None:
    sizes = [place.get(name) for place in places for name in names]
    return next((size for size in sizes if isinstance(size, int) and size > 0), None)
