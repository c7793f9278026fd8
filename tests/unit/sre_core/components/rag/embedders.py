"""Connectors whose models make vectors of any length, and do what a test says before they answer."""

import re
import zlib
from collections.abc import Awaitable, Callable, Sequence

from sre_core.builtin.echo_llm import EchoLLM
from sre_core.connectors import Connector
from sre_core.hookspecs import hookimpl
from sre_core.plugins import Plugins

__all__ = ["Before", "connector", "plugins_with"]

Before = Callable[[Sequence[str]], Awaitable[None]]


async def at_once(_: Sequence[str]) -> None:
    """Answer."""


def connector(called: str, *, length: int = 64, before: Before = at_once, embeds: bool = True) -> type[Connector]:
    """A model connector that embeds by words, whatever the model is called; `before` hears of each call."""

    class WordsLLM(EchoLLM):
        name = called
        capabilities = frozenset({"embed"} if embeds else ())

        async def embed(self, texts: Sequence[str], *, model: str | None = None) -> list[list[float]]:
            await before(texts)
            return [_vector(text, length) for text in texts]

    return WordsLLM


def plugins_with(*connectors: type[Connector]) -> Plugins:
    """Plugins with these connectors, and nothing that is installed."""

    class WordsPlugin:
        @hookimpl
        def register_connectors(self) -> list[type[Connector]]:
            return list(connectors)

    return Plugins.load(only=[], extra={"words": WordsPlugin()})


def _vector(text: str, length: int) -> list[float]:
    counts = [0.0] * length
    for word in re.findall(r"\w+", text.lower()):
        counts[zlib.crc32(word.encode()) % length] += 1.0
    return counts
