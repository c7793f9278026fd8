"""Model: which model answers, and how it is asked to."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sre_core.connectors.llm import LLMRequest

__all__ = ["Model"]


@dataclass(frozen=True, slots=True)
class Model:
    """A model with its settings; what is None is left to the connector.

    `name` is read as in `Agent(model=...)`: "echo" is a connector, "smollm/SmolLM3-3B" a model of one, anything
    else a model of the default connector, and None the configured default. `options` go to the connector as
    they are: it refuses those that it does not know.
    """

    name: str | None = None
    _: KW_ONLY
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    thinking: bool | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def request(self, name: str | None) -> "LLMRequest":
        """The request, still without messages, that carries these settings to the model called `name`."""
        # The contracts bring pydantic and the logger, which an agent that is only constructed does not need.
        from sre_core.connectors.llm import LLMRequest

        return LLMRequest(
            messages=(),
            model=name,
            temperature=self.temperature,
            top_p=self.top_p,
            max_tokens=self.max_tokens,
            seed=self.seed,
            stop=tuple(self.stop),
            thinking=self.thinking,
            options=self.options,
        )
