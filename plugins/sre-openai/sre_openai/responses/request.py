"""Responses, our side: requests, messages and skills in the form that servers take."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sre_core.connectors.llm import LLMRequest
from sre_core.errors import UnsupportedError
from sre_core.messages import File, Message, MessageRole, SkillCall, SkillSpec
from sre_openai import state
from sre_openai.arguments import call_id, valid_arguments
from sre_openai.files import data_url, is_text, quoted, unsupported_file
from sre_openai.options import RESPONSES_OPTIONS, plain_fields
from sre_openai.preset import Preset
from sre_openai.schemas import is_strict, schema_name

__all__ = ["responses_body", "responses_fields", "responses_items", "responses_skill"]


def responses_fields(
    request: LLMRequest, preset: Preset, *, model: str, effort: str | None = None
) -> tuple[dict[str, Any], bool]:
    """All fields but input and skills, and False: this API cannot be told where to stop, nor a seed.

    Nothing is kept at the server: thoughts come back encrypted, and are sent again with the message. Raises
    ConfigError for an unknown option, UnsupportedError when `thinking` cannot be as the request wants it.
    """
    options = request.options
    fields: dict[str, Any] = {"model": model, "stream": True}
    if preset.stored:
        fields["store"] = False
    if request.max_tokens is not None:
        fields["max_output_tokens"] = request.max_tokens
    if request.temperature is not None:
        fields["temperature"] = request.temperature
    if request.top_p is not None:
        fields["top_p"] = request.top_p
    if request.skills and request.skill_choice != "auto":
        fields["tool_choice"] = request.skill_choice
    text: dict[str, Any] = {}
    if request.output_schema is not None:
        text["format"] = {"type": "json_schema", **_format(request.output_schema, preset)}
    if "verbosity" in options:
        text["verbosity"] = options["verbosity"]
    if text:
        fields["text"] = text
    if reasoning := _reasoning(request, preset, model, effort):
        fields["reasoning"] = reasoning
    fields |= plain_fields(options, RESPONSES_OPTIONS)
    if preset.encrypted and preset.thinks(model) is not None:
        fields["include"] = list(dict.fromkeys(["reasoning.encrypted_content", *fields.get("include", ())]))
    return fields, False


def responses_body(head: bytes, items: list[bytes], skills: list[bytes]) -> bytes:
    """The whole request, from parts that are written already; `head` is an object with all other fields.

    An empty item is a message without content.
    """
    parts = [head[:-1], b',"input":[', b",".join(item for item in items if item), b"]"]
    if skills:
        parts += [b',"tools":[', b",".join(skills), b"]"]
    parts.append(b"}")
    return b"".join(parts)


def responses_skill(skill: SkillSpec, preset: Preset) -> dict[str, Any]:
    """A skill, as a tool of the type function. Strictness is always said, since it is the default here."""
    return {
        "type": "function",
        "name": skill.name,
        "description": skill.description,
        "parameters": dict(skill.parameters),
        "strict": preset.strict and is_strict(skill.parameters, bounds=preset.strict_bounds),
    }


def responses_items(
    message: Message, preset: Preset, *, origin: str, image_detail: str | None = None
) -> list[dict[str, Any]]:
    """The items of a message, in their order. Raises UnsupportedError for a file that cannot be sent.

    What was kept with it is added if it came from `origin`.
    """
    match message.role:
        case MessageRole.SYSTEM:
            return [{"role": preset.system_role, "content": message.text}]
        case MessageRole.USER:
            return [{"role": "user", "content": _content(message, image_detail)}]
        case MessageRole.SKILL:
            output = {"call_id": call_id(message.call_id, short=preset.short_call_ids), "output": message.text}
            return [{"type": "function_call_output", **output}]
        case MessageRole.ASSISTANT:
            return _said(message, preset, state.read(message, origin))


def _said(message: Message, preset: Preset, plan: Any) -> list[dict[str, Any]]:
    """Text and calls; with a plan, the items that it names between them, in the order in which they came.

    The ids of calls are those of the message, which may be others than they were when the plan was made.
    """
    calls = iter(message.skill_calls)
    if not _is_plan(plan) or sum(step.get("text", 0) for step in plan) != len(message.text):
        plan = [{"text": len(message.text)}]
    items = [*_planned(plan, message.text, calls, preset), *(_call(call, preset) for call in calls)]
    while items and items[-1].get("type") == "reasoning":
        # The server refuses a thought without what came of it.
        items.pop()
    return items


def _planned(
    plan: Sequence[Mapping[str, Any]], text: str, calls: Iterator[SkillCall], preset: Preset
) -> Iterator[dict[str, Any]]:
    place = 0
    for step in plan:
        if "item" in step:
            yield step["item"]
        elif "text" in step:
            said = {"role": "assistant", "content": text[place : place + step["text"]]}
            place += step["text"]
            if said["content"]:
                yield said | ({"phase": step["phase"]} if step.get("phase") else {})
        elif (call := next(calls, None)) is not None:
            yield _call(call, preset)


def _is_plan(plan: Any) -> bool:
    return isinstance(plan, list) and all(isinstance(step, dict) for step in plan)


def _call(call: SkillCall, preset: Preset) -> dict[str, Any]:
    return {
        "type": "function_call",
        "call_id": call_id(call.id, short=preset.short_call_ids),
        "name": call.name,
        "arguments": valid_arguments(call.arguments),
    }


def _content(message: Message, image_detail: str | None) -> str | list[dict[str, Any]]:
    if not message.files:
        return message.text
    parts = [_part(file, image_detail) for file in message.files]
    return [*parts, {"type": "input_text", "text": message.text}] if message.text else parts


def _part(file: File, image_detail: str | None) -> dict[str, Any]:
    if is_text(file):
        return {"type": "input_text", "text": quoted(file)}
    if file.media_type.startswith("image/"):
        return {"type": "input_image", "image_url": data_url(file), "detail": image_detail or "auto"}
    if not file.media_type.startswith("application/pdf"):
        raise unsupported_file(file, 'images, PDF and text can be sent; audio needs `api = "chat"`')
    return {"type": "input_file", "filename": file.name, "file_data": data_url(file)}


def _format(schema: Mapping[str, Any], preset: Preset) -> dict[str, Any]:
    strict = is_strict(schema, bounds=preset.strict_bounds)
    return {"name": schema_name(schema), "schema": dict(schema), "strict": strict}


def _reasoning(request: LLMRequest, preset: Preset, model: str, effort: str | None) -> dict[str, Any]:
    options, rule = request.options, preset.thinks(model)
    thinks = rule is not None
    if request.thinking and not thinks:
        raise UnsupportedError(
            f"the model {model!r} cannot think", hint="ask for another one, or leave `thinking` unset"
        )
    if request.thinking is False and rule is not None and rule.off is None:
        raise UnsupportedError(f"the model {model!r} cannot stop thinking", hint="leave `thinking` unset")
    reasoning: dict[str, Any] = {}
    if request.thinking:
        # Without a summary, nothing of the thoughts would be seen.
        reasoning = {"effort": effort or "medium"} | ({"summary": "auto"} if preset.stored else {})
    elif request.thinking is False and thinks:
        reasoning = {"effort": "none"}
    elif effort is not None and thinks:
        reasoning = {"effort": effort}
    return reasoning | {name: options[name] for name in ("effort", "summary") if name in options}
