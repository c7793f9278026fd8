"""A request of ours as the body that the API takes, and the beta features that it needs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sre_anthropic import talk
from sre_anthropic.models import info
from sre_anthropic.options import RequestOptions
from sre_anthropic.settings import AnthropicSettings
from sre_anthropic.thinking import Plan, thinking
from sre_anthropic.traits import Traits, traits
from sre_anthropic.wire import Wire, dump, tool_name
from sre_core.connectors.closed_schema import closed_schema
from sre_core.connectors.llm import LLMRequest
from sre_core.connectors.request_options import read_options
from sre_core.errors import ConfigError, UnsupportedError
from sre_core.messages import Message, SkillSpec

__all__ = ["BINDING_BETA", "Body", "build"]

BINDING_BETA = "thinking-binding-controls-2026-08-01"
"""What lets a request say that thoughts which do not hold any more are to be dropped."""

_DEFAULT_TOKENS = 8192
_GONE = "It is not offered any more."


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """The body of a request, and the beta features that it needs besides those of the settings.

    `ignored` names what was asked for and left out, since the API does not take it. `stops` are sequences without
    letters, which the API does not take either: whoever reads the reply has to look for them.
    """

    data: bytes
    betas: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()


def build(request: LLMRequest, settings: AnthropicSettings, wire: Callable[[Message], Wire]) -> Body:
    """Put the body together. `wire` gives messages as they are sent, from a cache or not.

    Raises ConfigError for what makes no sense, and UnsupportedError for what the API or the model does not take.
    """
    model = request.model or settings.model
    known = traits(model)
    options = read_options(RequestOptions, request.options, connector="anthropic")
    max_tokens = _max_tokens(request, settings, model)
    said = talk.read(request.messages, wire)
    plan = thinking(request, options, known, max_tokens=max_tokens)
    if plan.mode == "enabled" and said.lacks_thoughts:
        plan = Plan(config={"type": "disabled"}, effort=plan.effort)
    fields: dict[str, Any] = {"model": model, "max_tokens": max_tokens, "stream": True}
    betas: tuple[str, ...] = ()
    if plan.config is not None:
        fields["thinking"] = plan.config
    thoughts = plan.on and said.thinks
    if thoughts and known.bound and settings.changed_history == "drop":
        if plan.mode == "between_tools":
            # It cannot be said then what is to be dropped, so nothing goes back that might have to be.
            thoughts = False
        else:
            fields["thinking"], betas = _binding(plan.config), (BINDING_BETA,)
    output: dict[str, Any] = {"effort": plan.effort} if plan.effort else {}
    if request.output_schema is not None:
        output["format"] = {"type": "json_schema", "schema": closed_schema(request.output_schema)}
    if output:
        fields["output_config"] = output
    ignored = _sampling(fields, request, options, settings, thinks=plan.on)
    _plain_options(fields, request, options)
    fields |= _tools(request, options, known, settings, by_budget=plan.mode == "enabled")
    mark = _mark(settings)
    if said.system:
        fields["system"] = [{"type": "text", "text": said.system, "cache_control": mark}] if mark else said.system
    messages = talk.write(said, mark=dump(mark) if mark else None, thoughts=thoughts)
    return Body(
        data=dump(fields)[:-1] + b',"messages":[' + messages + b"]}",
        betas=betas,
        ignored=ignored,
        stops=tuple(stop for stop in request.stop if stop and not stop.strip()),
    )


def _max_tokens(request: LLMRequest, settings: AnthropicSettings, model: str) -> int:
    if request.max_tokens is not None and request.max_tokens < 1:
        raise ConfigError(f"illegal max_tokens {request.max_tokens!r}", hint="ask for 1 or more, or None")
    return request.max_tokens or settings.max_tokens or info(model).output_tokens or _DEFAULT_TOKENS


def _binding(config: Mapping[str, Any] | None) -> dict[str, Any]:
    """Thinking as configured, with leave to drop what does not hold any more."""
    return {**(config or {"type": "adaptive"}), "block_binding": {"prefix_mismatch_behavior": "drop_block"}}


def _sampling(
    fields: dict[str, Any], request: LLMRequest, options: RequestOptions, settings: AnthropicSettings, *, thinks: bool
) -> tuple[str, ...]:
    """Add what the version of the API takes; returns the names of what it does not."""
    # Of both, 1 is what the API does anyway.
    wanted = {
        "temperature": None if request.temperature == 1 else request.temperature,
        "top_p": None if request.top_p == 1 else request.top_p,
        "top_k": options.top_k,
    }
    given = {name: value for name, value in wanted.items() if value is not None}
    if settings.samples:
        if thinks and ("temperature" in given or "top_k" in given):
            raise ConfigError(
                f"{next(iter(given))!r} cannot be set while a model of Anthropic thinks",
                hint="leave it out, or ask with thinking=False",
            )
        fields |= given
        return ()
    if given and settings.sampling == "refuse":
        name, value = next(iter(given.items()))
        raise ConfigError(
            f"{name} = {value!r} is not taken by Anthropic's API any more",
            hint='leave it out, or set sampling = "ignore", or api_version = "2023-06-01" with a model up to 4.6',
        )
    return tuple(given)


def _plain_options(fields: dict[str, Any], request: LLMRequest, options: RequestOptions) -> None:
    stops = [stop for stop in request.stop if stop.strip()]
    if stops:
        fields["stop_sequences"] = stops
    if options.service_tier is not None:
        fields["service_tier"] = options.service_tier
    if options.inference_geo is not None:
        fields["inference_geo"] = options.inference_geo
    if options.user is not None:
        fields["metadata"] = {"user_id": options.user}


def _tools(
    request: LLMRequest, options: RequestOptions, known: Traits, settings: AnthropicSettings, *, by_budget: bool
) -> dict[str, Any]:
    skills, choice = request.skills, request.skill_choice
    if choice == "required":
        _check_forced(request, known, by_budget=by_budget)
    if not skills:
        # Calls of skills in what was said before need their definitions.
        names = dict.fromkeys(tool_name(call.name) for message in request.messages for call in message.skill_calls)
        skills, choice = tuple(SkillSpec(name=name, description=_GONE, parameters={}) for name in names), "none"
        if not skills:
            return {}
    tools: list[dict[str, Any]] = [
        {"name": skill.name, "description": skill.description, "input_schema": {"type": "object", **skill.parameters}}
        for skill in skills
    ]
    mark = _mark(settings)
    if mark:
        tools[-1]["cache_control"] = mark
    found: dict[str, Any] = {"type": {"auto": "auto", "required": "any", "none": "none"}[choice]}
    if not options.parallel_calls and choice != "none":
        found["disable_parallel_tool_use"] = True
    return {"tools": tools} if found == {"type": "auto"} else {"tools": tools, "tool_choice": found}


def _check_forced(request: LLMRequest, known: Traits, *, by_budget: bool) -> None:
    if not request.skills:
        raise ConfigError("skill_choice 'required' needs at least one skill", hint="pass skills=(...)")
    if not known.forced:
        raise UnsupportedError(
            f"the model {request.model or 'of the connector'} cannot be made to call a skill",
            hint="use skill_choice 'auto' and say so in the prompt, or another model, such as claude-haiku-5-5",
        )
    if by_budget:
        raise UnsupportedError(
            "a model that thinks by a budget cannot be made to call a skill", hint="ask with thinking=False"
        )


def _mark(settings: AnthropicSettings) -> dict[str, str] | None:
    """What stands at the end of something that the provider is to keep in its cache."""
    if settings.prompt_caching == "off":
        return None
    return {"type": "ephemeral"} | ({"ttl": "1h"} if settings.prompt_caching == "1h" else {})
