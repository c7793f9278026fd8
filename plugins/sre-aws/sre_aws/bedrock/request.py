"""A request of ours as the parameters of ConverseStream."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sre_aws.bedrock import talk
from sre_aws.bedrock.options import RequestOptions
from sre_aws.bedrock.settings import BedrockSettings
from sre_aws.bedrock.thinking import Plan, thinking
from sre_aws.bedrock.traits import Traits, traits
from sre_aws.bedrock.wire import Block, Wire, whole
from sre_core.connectors.closed_schema import closed_schema
from sre_core.connectors.llm import LLMRequest
from sre_core.connectors.request_options import read_options
from sre_core.errors import ConfigError, UnsupportedError
from sre_core.messages import Message

__all__ = ["BINDING_BETA", "Call", "build"]

_TOLD = "Give your final answer as one JSON value that matches this JSON schema, with no text around it:"

BINDING_BETA = "thinking-binding-controls-2026-08-01"
"""What lets a request to Claude say that thoughts which do not hold any more are to be dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The parameters of a call. `ignored` names what was asked for and left out, since the model does not take it.

    `stops` are sequences without letters, which models do not take: whoever reads the reply has to look for them.
    """

    parameters: Mapping[str, Any]
    ignored: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()


def build(request: LLMRequest, settings: BedrockSettings, model: str, wire: Callable[[Message], Wire]) -> Call:
    """Put the parameters together. `wire` gives messages as they are sent, from a cache or not.

    Raises ConfigError for what makes no sense, and UnsupportedError for what the API or the model does not take.
    """
    known = traits(model)
    options = read_options(RequestOptions, request.options, connector="bedrock")
    if request.max_tokens is not None and request.max_tokens < 1:
        raise ConfigError(f"illegal max_tokens {request.max_tokens!r}", hint="ask for 1 or more, or None")
    max_tokens = request.max_tokens or settings.max_tokens
    said = talk.read(request.messages, wire)
    plan = thinking(request, options, known, max_tokens=max_tokens)
    if plan.mode == "enabled" and said.lacks_thoughts:
        plan = Plan(fields={"thinking": {"type": "disabled"}}, effort=plan.effort)
    tools = _tools(request, known, settings, by_budget=plan.mode == "enabled")
    # Calls need definitions of what was called; without any, they are told in words.
    thoughts = plan.on and said.thinks and (bool(tools) or not said.uses_tools)
    drops = thoughts and known.bound and settings.changed_history == "drop"
    if drops and plan.mode == "between_tools":
        # It cannot be said then what is to be dropped, so nothing goes back that might have to be.
        thoughts = drops = False
    form: talk.Form = "blocks" if thoughts else "unthinking" if tools or not said.uses_tools else "plain"
    mark = _mark(settings) if known.caches else None
    parameters: dict[str, Any] = {"modelId": model, "messages": talk.write(said, mark=mark, form=form)}
    enforced = known.schemas if settings.schemas == "auto" else settings.schemas == "enforce"
    system = [said.system] if said.system else []
    if request.output_schema is not None and not enforced:
        system.append(f"{_TOLD}\n{json.dumps(request.output_schema, ensure_ascii=False)}")
    if system:
        parameters["system"] = [{"text": whole("\n\n".join(system))}, *([mark] if mark else [])]
    inference, ignored = _inference(request, settings, known, max_tokens=max_tokens, thinks=plan.on)
    if inference:
        parameters["inferenceConfig"] = inference
    if tools:
        parameters["toolConfig"] = tools
    fields = _own_fields(options, plan, drops=drops)
    if fields:
        parameters["additionalModelRequestFields"] = fields
    parameters |= _rest(options, settings, plan, request.output_schema if enforced else None)
    stops = tuple(stop for stop in request.stop if stop and not stop.strip())
    return Call(parameters=parameters, ignored=ignored, stops=stops)


def _tools(request: LLMRequest, known: Traits, settings: BedrockSettings, *, by_budget: bool) -> dict[str, Any]:
    if request.skill_choice == "required":
        _check_forced(request, known, by_budget=by_budget)
    # The API cannot be told that a model must not call what it is offered.
    if not request.skills or request.skill_choice == "none":
        return {}
    tools: list[dict[str, Any]] = [
        {
            "toolSpec": {
                "name": skill.name,
                # An empty description is refused.
                "description": skill.description or skill.name,
                "inputSchema": {"json": {"type": "object", **skill.parameters}},
            }
        }
        for skill in request.skills
    ]
    mark = _mark(settings)
    if mark and known.caches_tools:
        tools.append(mark)
    return {"tools": tools} | ({"toolChoice": {"any": {}}} if request.skill_choice == "required" else {})


def _check_forced(request: LLMRequest, known: Traits, *, by_budget: bool) -> None:
    if not request.skills:
        raise ConfigError("skill_choice 'required' needs at least one skill", hint="pass skills=(...)")
    if not known.forced:
        raise UnsupportedError(
            "the model cannot be made to call a skill",
            hint="use skill_choice 'auto' and say so in the prompt, or another model",
        )
    if by_budget:
        raise UnsupportedError(
            "a model that thinks by a budget cannot be made to call a skill", hint="ask with thinking=False"
        )


def _inference(
    request: LLMRequest, settings: BedrockSettings, known: Traits, *, max_tokens: int | None, thinks: bool
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The part that all models share, and the names of what was left out of it."""
    found: dict[str, Any] = {}
    if max_tokens is not None:
        found["maxTokens"] = max_tokens
    stops = [stop for stop in request.stop if stop.strip()]
    if stops:
        found["stopSequences"] = stops
    sampling = {"temperature": request.temperature, "topP": request.top_p}
    given = {name: value for name, value in sampling.items() if value is not None}
    if known.samples:
        if thinks and known.caches_tools and "temperature" in given and given["temperature"] != 1:
            raise ConfigError(
                "temperature cannot be set while Claude thinks", hint="leave it out, or ask with thinking=False"
            )
        return found | given, ()
    # 1 is what the model does anyway.
    refused = tuple(name for name, value in given.items() if value != 1)
    if refused and settings.sampling == "refuse":
        name = refused[0]
        raise ConfigError(
            f"{name} = {given[name]!r} is not taken by this model", hint='leave it out, or set sampling = "ignore"'
        )
    return found, refused


def _own_fields(options: RequestOptions, plan: Plan, *, drops: bool) -> dict[str, Any]:
    """What goes to the model as it is."""
    fields = dict(plan.fields)
    if drops:
        config = dict(fields.get("thinking") or {"type": "adaptive"})
        config["block_binding"] = {"prefix_mismatch_behavior": "drop_block"}
        fields |= {"thinking": config, "anthropic_beta": [BINDING_BETA]}
    return fields | dict(options.fields)


def _rest(
    options: RequestOptions, settings: BedrockSettings, plan: Plan, schema: Mapping[str, Any] | None
) -> dict[str, Any]:
    rest: dict[str, Any] = {}
    output: dict[str, Any] = {"effort": plan.effort} if plan.effort else {}
    if schema is not None:
        output["textFormat"] = {
            "type": "json_schema",
            "structure": {"jsonSchema": {"schema": json.dumps(closed_schema(schema)), "name": "answer"}},
        }
    if output:
        rest["outputConfig"] = output
    if settings.guardrail is not None:
        rest["guardrailConfig"] = {
            "guardrailIdentifier": settings.guardrail,
            "guardrailVersion": settings.guardrail_version,
        }
    if options.service_tier is not None:
        rest["serviceTier"] = {"type": options.service_tier}
    if options.latency is not None:
        rest["performanceConfig"] = {"latency": options.latency}
    if options.metadata:
        rest["requestMetadata"] = dict(options.metadata)
    return rest


def _mark(settings: BedrockSettings) -> Block | None:
    """What stands after something that the provider is to keep in its cache."""
    if settings.prompt_caching == "off":
        return None
    return {"cachePoint": {"type": "default"} | ({"ttl": "1h"} if settings.prompt_caching == "1h" else {})}
