"""What is special about one provider: where it is, what it can do, and where it differs from OpenAI."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sre_openai.settings import ApiName

__all__ = ["Preset", "Thinking"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Thinking:
    """How thinking is switched, for models whose names begin with one of `models`; () is all.

    `on` and `off` are fields of chat completions; Responses has its own. An `off` of None says that these models always
    think. "gpt-5-" begins "gpt-5" too, and "gpt-5-mini", but not "gpt-5.1".
    """

    models: tuple[str, ...] = ()
    on: Mapping[str, Any] = field(default_factory=dict)
    off: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A provider, or a kind of server. Nothing in it changes while the connector runs."""

    name: str
    title: str
    """As its makers write it."""
    docs: str
    """The page of its documentation that the rest is taken from."""
    url: str | None = None
    """Where its API begins; None where the user must say it."""
    needs_key: bool = True
    key_header: Literal["Authorization", "api-key"] = "Authorization"
    api: ApiName = "chat"
    model: str | None = None
    """The default; None takes the first that the server lists."""
    embedding_model: str | None = None
    image_model: str | None = None
    capabilities: frozenset[str] = frozenset()

    # Differences from chat completions as OpenAI defines them
    max_tokens: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    system_role: Literal["system", "developer"] = "system"
    stream_options: bool = True
    """Whether it must be asked for usage; others send it anyway, and may refuse the question."""
    seed: str = "seed"
    stops: int = 4
    """How many stop sequences it takes. What it does not take, the connector does."""
    required: Literal["required", "any"] = "required"
    """Its word for "call a skill"."""
    strict: bool = False
    """Whether it can hold calls of skills to their schema, and takes the word for it."""
    strict_bounds: bool = True
    """Whether a strict schema may have bounds and patterns."""
    effort: Literal["reasoning_effort", "reasoning"] = "reasoning_effort"
    """Where the effort goes: a field, or `effort` in an object."""
    thinking: tuple[Thinking, ...] = ()
    """The first whose models fit is used."""
    thoughts: Literal["reasoning_content", "reasoning_details", "content"] | None = None
    """Where in a message of the assistant it wants its thoughts back, if it does."""
    documents: Literal["file", "document_url"] = "file"
    """The form of a PDF."""
    short_call_ids: bool = False
    """Whether ids of calls must have nine letters and digits."""

    # Differences of its other endpoints
    stored: bool = True
    """Whether Responses must be told not to keep replies."""
    encrypted: bool = False
    """Whether Responses gives thoughts back encrypted when it keeps nothing."""
    thoughtless: tuple[str, ...] = ()
    """Beginnings of the names of models that cannot think, and refuse to be asked for their thoughts."""
    any_model: bool = False
    """Whether it answers for models that it does not have, so that the connector must look first."""
    packed_vectors: bool = False
    """Whether it can send vectors as base64, which is quicker."""
    image_format: str | None = None
    """What it must be asked for to send images and no links."""
    image_edits: bool = False
    """Whether it takes images to make images."""

    def thinks(self, model: str) -> Thinking | None:
        """How the thinking of a model is switched; None if it is not known to think."""
        if model.startswith(self.thoughtless):
            return None
        fits = (rule for rule in self.thinking if not rule.models or f"{model}-".startswith(rule.models))
        return next(fits, None)
