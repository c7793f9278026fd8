"""What makes no sense in a request, and its texts and schemas in a form that everything can read."""

from dataclasses import replace

from sre_core.connectors.llm import LLMRequest
from sre_core.errors import ConfigError
from sre_smollm.prompts.tokenizer import whole_letters
from sre_smollm.writing.plain_schema import plain_schema, plain_skill

__all__ = ["check_sense", "plain_request"]

# Far beyond what makes a difference, and far from what numbers can hold.
_HOTTEST = 1e12


def check_sense(request: LLMRequest) -> None:
    """Raises ConfigError for what makes no sense."""
    if request.options:
        raise ConfigError(
            f"the connector 'smollm' has no option {sorted(request.options)[0]!r}",
            hint="it takes no options; its settings are in sre.toml under [connectors.llm.<id>]",
        )
    if request.skill_choice == "required" and not request.skills:
        raise ConfigError("skill_choice 'required' needs at least one skill", hint="pass skills=(...)")
    if request.max_tokens is not None and request.max_tokens < 1:
        raise ConfigError(f"max_tokens = {request.max_tokens} leaves no room for a reply", hint="use 1 or more")
    if request.temperature is not None and not 0 <= request.temperature <= _HOTTEST:
        raise ConfigError(
            f"temperature = {request.temperature} makes no sense", hint="use 0 for the likeliest, 1 for the model's own"
        )
    if request.top_p is not None and not 0 <= request.top_p <= 1:
        raise ConfigError(f"top_p = {request.top_p} is no share", hint="use a number from 0 to 1")


def plain_request(request: LLMRequest) -> LLMRequest:
    """`request` with whole letters, and with schemas that are checked and its own.

    Raises UnsupportedError for schemas that are none.
    """
    schema = request.output_schema
    return replace(
        request,
        messages=tuple(replace(message, text=whole_letters(message.text)) for message in request.messages),
        skills=tuple(plain_skill(skill) for skill in request.skills),
        output_schema=plain_schema(schema, what="the output") if schema is not None else None,
    )
