"""What `LLMRequest.options` and `ImageRequest.options` may hold; all else is refused."""

import difflib
from collections.abc import Mapping
from typing import Any

from sre_core.errors import ConfigError

__all__ = ["CHAT_OPTIONS", "IMAGE_OPTIONS", "RESPONSES_OPTIONS", "plain_fields"]

_BOTH = frozenset(
    {
        "metadata",
        "moderation",
        "parallel_tool_calls",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "safety_identifier",
        "service_tier",
        "user",
    }
)
_OURS = frozenset({"effort", "extra", "hosted_tools", "summary", "verbosity"})

CHAT_OPTIONS = _BOTH | {
    "frequency_penalty",
    "logit_bias",
    "min_p",
    "prediction",
    "presence_penalty",
    "repetition_penalty",
    "store",
    "top_k",
    "web_search_options",
}
"""Fields of chat completions that pass as they are; of them, some servers know a few more than OpenAI."""

RESPONSES_OPTIONS = _BOTH | {"context_management", "include", "max_tool_calls", "truncation"}
"""Fields of Responses that pass as they are."""

IMAGE_OPTIONS = frozenset(
    {
        "background",
        "input_fidelity",
        "moderation",
        "negative_prompt",
        "output_compression",
        "output_format",
        "quality",
        "safety_identifier",
        "seed",
        "steps",
        "style",
        "user",
    }
)
"""Fields of image requests that pass as they are."""

# What the guard has not seen must not choose a model: routers take several, and presets that name one.
_RESERVED = frozenset({"fallbacks", "input", "messages", "model", "models", "preset", "route", "stream", "tools"})


def plain_fields(options: Mapping[str, Any], known: frozenset[str], *, ours: frozenset[str] = _OURS) -> dict[str, Any]:
    """The options that pass as they are, with what `extra` adds. Raises ConfigError for one that is not known.

    Those in `ours` are known too, and left to the caller: "effort" and "summary" of thoughts, "verbosity",
    "hosted_tools" (a list of tools that the provider runs itself). "extra" has fields that are sent whatever they are.
    """
    for name in options:
        if name not in known and name not in ours:
            close = difflib.get_close_matches(name, known | ours, n=1)
            hint = f"did you mean {close[0]!r}?" if close else "what only your server knows goes into 'extra'"
            raise ConfigError(f"llm connector 'openai' knows no option {name!r}", hint=hint)
    extra = options.get("extra") or {}
    if not isinstance(extra, Mapping) or not _RESERVED.isdisjoint(extra):
        raise ConfigError(
            "the option 'extra' must be a mapping without " + ", ".join(sorted(_RESERVED)),
            hint="give it fields that only your server knows",
        )
    return {name: value for name, value in options.items() if name in known} | dict(extra)
