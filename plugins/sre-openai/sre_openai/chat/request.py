"""Chat completions, our side: requests, messages and skills in the form that servers take."""

from collections.abc import Mapping
from typing import Any

from sre_core.connectors.llm import LLMRequest
from sre_core.errors import UnsupportedError
from sre_core.messages import File, Message, MessageRole, SkillCall, SkillSpec
from sre_openai import state
from sre_openai.arguments import call_id, valid_arguments
from sre_openai.files import audio_format, base64_text, data_url, is_text, quoted, unsupported_file
from sre_openai.options import CHAT_OPTIONS, plain_fields
from sre_openai.preset import Preset
from sre_openai.schemas import is_strict, schema_name

__all__ = ["chat_body", "chat_fields", "chat_message", "chat_skill"]


def chat_fields(
    request: LLMRequest, preset: Preset, *, model: str, effort: str | None = None
) -> tuple[dict[str, Any], bool]:
    """All fields but messages and skills, and whether the server is told where to stop.

    `effort` is for models that think when neither the request nor its options say how hard. Raises ConfigError for an
    unknown option, UnsupportedError when `thinking` cannot be as the request wants it.
    """
    fields: dict[str, Any] = {"model": model, "stream": True}
    if preset.stream_options:
        fields["stream_options"] = {"include_usage": True}
    if request.max_tokens is not None:
        fields[preset.max_tokens] = request.max_tokens
    if request.temperature is not None:
        fields["temperature"] = request.temperature
    if request.top_p is not None:
        fields["top_p"] = request.top_p
    if request.seed is not None:
        fields[preset.seed] = request.seed
    stops = [stop for stop in request.stop if stop]
    told = bool(stops) and len(stops) <= preset.stops
    if told:
        fields["stop"] = stops
    if request.skills and request.skill_choice != "auto":
        fields["tool_choice"] = preset.required if request.skill_choice == "required" else request.skill_choice
    if request.output_schema is not None:
        fields["response_format"] = {"type": "json_schema", "json_schema": _format(request.output_schema, preset)}
    if request.options or request.thinking is not None or effort is not None:
        fields |= _thinking(request, preset, model, effort)
        fields |= plain_fields(request.options, CHAT_OPTIONS)
    if "verbosity" in request.options:
        fields["verbosity"] = request.options["verbosity"]
    return fields, told


def chat_body(head: bytes, messages: list[bytes], skills: list[bytes]) -> bytes:
    """The whole request, from parts that are written already; `head` is an object with all other fields."""
    parts = [head[:-1], b',"messages":[', b",".join(messages), b"]"]
    if skills:
        parts += [b',"tools":[', b",".join(skills), b"]"]
    parts.append(b"}")
    return b"".join(parts)


def chat_skill(skill: SkillSpec, preset: Preset) -> dict[str, Any]:
    """A skill, as a tool of the type function."""
    function: dict[str, Any] = {
        "name": skill.name,
        "description": skill.description,
        "parameters": dict(skill.parameters),
    }
    if preset.strict and is_strict(skill.parameters, bounds=preset.strict_bounds):
        function["strict"] = True
    return {"type": "function", "function": function}


def chat_message(message: Message, preset: Preset, *, origin: str, image_detail: str | None = None) -> dict[str, Any]:
    """A message. Raises UnsupportedError for a file that cannot be sent.

    What was kept with it is added if it came from `origin`.
    """
    match message.role:
        case MessageRole.SYSTEM:
            return {"role": preset.system_role, "content": message.text}
        case MessageRole.USER:
            return {"role": "user", "content": _content(message, preset, image_detail)}
        case MessageRole.SKILL:
            return {
                "role": "tool",
                "tool_call_id": call_id(message.call_id, short=preset.short_call_ids),
                "content": message.text,
            }
        case MessageRole.ASSISTANT:
            return _said(message, preset, origin)


def _said(message: Message, preset: Preset, origin: str) -> dict[str, Any]:
    data: dict[str, Any] = {"role": "assistant", "content": message.text}
    if message.skill_calls:
        data["tool_calls"] = [_call(call, preset) for call in message.skill_calls]
    thoughts = state.read(message, origin) if preset.thoughts else None
    if preset.thoughts == "reasoning_content":
        # It refuses calls without thoughts, also those that another model made.
        data["reasoning_content"] = thoughts or ""
    elif thoughts:
        if preset.thoughts == "content":
            text = [{"type": "text", "text": message.text}] if message.text else []
            data["content"] = [*thoughts, *text]
        else:
            data[str(preset.thoughts)] = thoughts
    return data


def _call(call: SkillCall, preset: Preset) -> dict[str, Any]:
    return {
        "id": call_id(call.id, short=preset.short_call_ids),
        "type": "function",
        "function": {"name": call.name, "arguments": valid_arguments(call.arguments)},
    }


def _content(message: Message, preset: Preset, image_detail: str | None) -> str | list[dict[str, Any]]:
    if not message.files:
        return message.text
    parts = [_part(file, preset, image_detail) for file in message.files]
    return [*parts, {"type": "text", "text": message.text}] if message.text else parts


def _part(file: File, preset: Preset, image_detail: str | None) -> dict[str, Any]:
    if is_text(file):
        return {"type": "text", "text": quoted(file)}
    match file.media_type.partition("/")[0]:
        case "image":
            image = {"url": data_url(file)} | ({"detail": image_detail} if image_detail else {})
            return {"type": "image_url", "image_url": image}
        case "audio":
            return {"type": "input_audio", "input_audio": {"data": base64_text(file), "format": audio_format(file)}}
    if not file.media_type.startswith("application/pdf"):
        raise unsupported_file(file, "documents must be PDF or text")
    if preset.documents == "document_url":
        return {"type": "document_url", "document_url": data_url(file), "document_name": file.name}
    return {"type": "file", "file": {"filename": file.name, "file_data": data_url(file)}}


def _format(schema: Mapping[str, Any], preset: Preset) -> dict[str, Any]:
    strict = is_strict(schema, bounds=preset.strict_bounds)
    return {"name": schema_name(schema), "schema": dict(schema), "strict": strict}


def _thinking(request: LLMRequest, preset: Preset, model: str, effort: str | None) -> dict[str, Any]:
    rule = preset.thinks(model)
    fields: dict[str, Any] = {}
    if request.thinking is not None and rule is not None:
        wanted = rule.on if request.thinking else rule.off
        if wanted is None:
            raise UnsupportedError(f"the model {model!r} cannot stop thinking", hint="leave `thinking` unset")
        fields = dict(wanted)
    elif request.thinking:
        raise UnsupportedError(
            f"the model {model!r} cannot think", hint="ask for another one, or leave `thinking` unset"
        )
    if request.thinking is False or model.startswith(preset.thoughtless):
        effort = None
    effort = request.options.get("effort", effort)
    if effort is not None:
        if preset.effort == "reasoning":
            fields["reasoning"] = {**fields.get("reasoning", {}), "effort": effort}
        else:
            fields["reasoning_effort"] = effort
    return fields
