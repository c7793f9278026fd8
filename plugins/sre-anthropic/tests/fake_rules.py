"""What the Messages API accepts, as its documentation says, for the fake server of these tests.

Pages: api/messages/create, api/errors, api/migration-2026-10-21, build-with-claude/thinking, .../prompt-caching,
.../structured-outputs, .../preserved-thinking, agents-and-tools/tool-use; and the "what's new" pages of the models.
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

VERSIONS = {"2023-06-01", "2026-10-21"}
MODELS = {
    # id: (limit of output, how it thinks, whether a call can be forced, whether thoughts are bound to what precedes)
    "claude-fable-5-2": (128_000, "always", False, True),
    "claude-sonnet-5-5": (128_000, "between", False, True),
    "claude-opus-5-5": (128_000, "always", False, True),
    "claude-haiku-5-5": (128_000, "unless", True, True),
    "claude-opus-5": (128_000, "unless", True, False),
    "claude-opus-4-7": (128_000, "asked", True, False),
    "claude-opus-4-6": (128_000, "asked", True, False),
    "claude-opus-4-5-20251101": (64_000, "budget", True, False),
}
CAPPED = {"claude-haiku-5-5", "claude-opus-5", "claude-sonnet-5-5"}
"""Those that must think to try harder than "high"."""
ALIASES = {"claude-opus-4-5": "claude-opus-4-5-20251101"}
BINDING_BETA = "thinking-binding-controls-2026-08-01"

_FIELDS = {
    "model", "max_tokens", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "stop_sequences",
    "stream", "temperature", "top_p", "top_k", "metadata", "service_tier", "inference_geo",
}  # fmt: skip
_ID = re.compile(r"[a-zA-Z0-9_-]+")
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_BLOCKS = {
    "text": {"text"},
    "image": {"source"},
    "document": {"source", "title"},
    "tool_use": {"id", "name", "input"},
    "tool_result": {"tool_use_id", "content", "is_error"},
    "thinking": {"thinking", "signature"},
    "redacted_thinking": {"data"},
}
_OPTIONAL = {"title", "is_error", "cache_control"}
_THOUGHTS = {"thinking", "redacted_thinking"}


class RefusedError(Exception):
    """An error reply."""

    def __init__(self, message: str, *, status: int = 400, kind: str = "invalid_request_error") -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.message = message


@dataclass(frozen=True, kw_only=True)
class Turn:
    """Messages of one role, joined, as the API joins them."""

    role: str
    blocks: list[dict[str, Any]]


def check(body: Any, *, version: str, betas: Sequence[str]) -> list[Turn]:
    """The turns of a request that keeps all rules. Raises RefusedError."""
    need(isinstance(body, dict), "body: Input should be an object")
    extra = sorted(body.keys() - _FIELDS)
    need(not extra, f"{extra[0] if extra else ''}: Extra inputs are not permitted")
    for name in ("model", "max_tokens", "messages"):
        need(name in body, f"{name}: Field required")
    model = ALIASES.get(body["model"], body["model"])
    if model not in MODELS:
        raise RefusedError(f"model: {body['model']}", status=404, kind="not_found_error")
    limit = MODELS[model][0]
    need(type(body["max_tokens"]) is int and 1 <= body["max_tokens"] <= limit, f"max_tokens: not from 1 to {limit}")
    for name in ("temperature", "top_p", "top_k"):
        need(name not in body or version < "2026", f"{name}: Extra inputs are not permitted")
    _check_stops(body.get("stop_sequences", []))
    _check_system(body.get("system", ""))
    turns = _turns(body["messages"])
    names = _check_tools(body)
    _check_calls(turns, names)
    _check_marks(body)
    _check_thinking(body, turns, model=model, betas=betas)
    _check_output(body.get("output_config", {}))
    return turns


def need(true: bool, message: str) -> None:
    if not true:
        raise RefusedError(message)


def thinks(body: Mapping[str, Any], turns: Sequence[Turn]) -> bool:
    """Whether the model thinks in its reply; by a budget, only where an answer begins."""
    kind = MODELS[ALIASES.get(body["model"], body["model"])][1]
    if body.get("tool_choice", {"type": "auto"})["type"] in {"any", "tool"}:
        return False
    match body.get("thinking", {}).get("type"):
        case None:
            return kind in {"unless", "between", "always"}
        case "between_tools":
            return any(block["type"] == "tool_result" for block in turns[-1].blocks)
        case "enabled":
            return not any(block["type"] == "tool_result" for block in turns[-1].blocks)
        case config:
            return config == "adaptive"


def bound(model: str) -> bool:
    return MODELS[ALIASES.get(model, model)][3]


def _check_stops(stops: Any) -> None:
    for stop in stops:
        need(isinstance(stop, str) and bool(stop.strip()), "stop_sequences: each must contain non-whitespace")


def _check_system(system: Any) -> None:
    blocks = [{"type": "text", "text": system}] if isinstance(system, str) else system
    for block in blocks:
        need(block.keys() <= {"type", "text", "cache_control"} and block["type"] == "text", "system: text blocks only")
        need(isinstance(system, str) or bool(block["text"].strip()), "system: text content blocks must be non-empty")


def _turns(messages: Any) -> list[Turn]:
    need(isinstance(messages, list) and bool(messages), "messages: at least one message is required")
    turns: list[Turn] = []
    for number, message in enumerate(messages):
        where = f"messages.{number}"
        need(set(message) == {"role", "content"}, f"{where}: role and content are required")
        need(message["role"] in {"user", "assistant"}, f"{where}.role: unknown")
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        need(bool(blocks), f"{where}: messages must have non-empty content")
        for index, block in enumerate(blocks):
            _check_block(block, message["role"], f"{where}.content.{index}")
        if turns and turns[-1].role == message["role"]:
            turns[-1].blocks.extend(blocks)
        else:
            turns.append(Turn(role=message["role"], blocks=list(blocks)))
    need(turns[0].role == "user", 'messages: first message must use the "user" role')
    need(turns[-1].role == "user", "This model does not support assistant message prefill.")
    return turns


def _check_block(block: dict[str, Any], role: str, where: str) -> None:
    kind = block.get("type")
    allowed = {"text", "image", "document", "tool_result"} if role == "user" else {"text", "tool_use", *_THOUGHTS}
    need(kind in allowed, f"{where}: a {kind} block is not allowed in a message of the {role}")
    fields = _BLOCKS[kind]
    need(block.keys() - {"type"} <= fields | {"cache_control"}, f"{where}: Extra inputs are not permitted")
    need(fields - _OPTIONAL <= block.keys(), f"{where}: Field required")
    need("cache_control" not in block or kind not in _THOUGHTS, f"{where}: cache_control cannot be set on thinking")
    if kind == "text":
        need(bool(block["text"].strip()), f"{where}: text content blocks must contain non-whitespace text")
    elif kind in {"image", "document"}:
        _check_source(block["source"], kind, where)
    elif kind == "tool_use":
        need(bool(_ID.fullmatch(block["id"])), f"{where}.id: String should match pattern")
        need(bool(_TOOL_NAME.fullmatch(block["name"])), f"{where}.name: String should match pattern")
        need(isinstance(block["input"], dict), f"{where}.input: Input should be an object")
    elif kind == "tool_result" and isinstance(block.get("content"), list):
        for inner in block["content"]:
            need(inner["type"] in {"text", "image", "document"}, f"{where}: {inner['type']} in a tool_result")
            _check_block(inner, "user", where)


def _check_source(source: dict[str, Any], kind: str, where: str) -> None:
    need(set(source) == {"type", "media_type", "data"}, f"{where}.source: Extra inputs are not permitted")
    images = {"image/png", "image/jpeg", "image/gif", "image/webp"}
    types = {"base64": images if kind == "image" else {"application/pdf"}, "text": {"text/plain"}}
    need(source["type"] == "base64" or kind == "document", f"{where}.source: not of an image")
    need(source["media_type"] in types[source["type"]], f"{where}.source.media_type: unexpected value")
    if source["type"] == "base64":
        data = base64.b64decode(source["data"], validate=True)
        magic = {"image/png": b"\x89PNG", "application/pdf": b"%PDF"}.get(source["media_type"], b"")
        need(data.startswith(magic), f"{where}.source: could not process")
    else:
        need(bool(source["data"].strip()), f"{where}.source.data: empty")


def _check_tools(body: dict[str, Any]) -> set[str]:
    tools, choice = body.get("tools", []), body.get("tool_choice", {"type": "auto"})
    for tool in tools:
        extra = tool.keys() - {"name", "description", "input_schema", "cache_control"}
        need(not extra, "tools: Extra inputs are not permitted")
        need(bool(_TOOL_NAME.fullmatch(tool["name"])), "tools.name: String should match pattern")
        need(tool["input_schema"].get("type") == "object", "tools.input_schema.type: Field required")
    names = {tool["name"] for tool in tools}
    need(len(names) == len(tools), "tools: Tool names must be unique.")
    need(choice.keys() <= {"type", "name", "disable_parallel_tool_use"}, "tool_choice: Extra inputs are not permitted")
    need("tool_choice" not in body or bool(tools), "tool_choice may only be specified while providing tools.")
    if choice["type"] in {"any", "tool"}:
        forced = MODELS[ALIASES.get(body["model"], body["model"])][2]
        need(forced, "tool_choice forces tool use, which is not supported for this model.")
        by_budget = body.get("thinking", {}).get("type") == "enabled"
        need(not by_budget, "Thinking may not be enabled when tool_choice forces tool use.")
    return names


def _check_calls(turns: list[Turn], names: set[str]) -> None:
    open_calls: list[str] = []
    for number, turn in enumerate(turns):
        results = [block["tool_use_id"] for block in turn.blocks if block["type"] == "tool_result"]
        if open_calls or results:
            need(sorted(results) == sorted(open_calls), f"messages.{number}: `tool_use` ids without `tool_result`")
            head = [block["type"] for block in turn.blocks[: len(results)]]
            need(set(head) == {"tool_result"}, f"messages.{number}: tool_result blocks must come first")
        calls = [block for block in turn.blocks if block["type"] == "tool_use"]
        open_calls = [block["id"] for block in calls]
        need(len(set(open_calls)) == len(open_calls), f"messages.{number}: `tool_use` ids must be unique")
        need(not calls or bool(names), "Requests which include `tool_use` or `tool_result` must define tools.")


def _check_marks(body: dict[str, Any]) -> None:
    marks = [json.loads(found) for found in re.findall(r'"cache_control": (\{[^}]*\})', json.dumps(body))]
    need(len(marks) <= 4, f"A maximum of 4 blocks with cache_control may be provided. Found {len(marks)}.")
    for mark in marks:
        need(mark["type"] == "ephemeral" and mark.get("ttl", "5m") in {"5m", "1h"}, "cache_control: unexpected value")


def _check_thinking(body: dict[str, Any], turns: list[Turn], *, model: str, betas: Sequence[str]) -> None:
    config = body.get("thinking")
    if config is None:
        return
    kind, mode = config["type"], MODELS[model][1]
    fields = {
        "enabled": {"budget_tokens", "display", "block_binding"},
        "adaptive": {"display", "block_binding"},
        "disabled": set(),
        "between_tools": set(),
    }
    need(kind in fields and config.keys() - {"type"} <= fields[kind], "thinking: Extra inputs are not permitted")
    need(
        "block_binding" not in config or BINDING_BETA in betas, "thinking.block_binding: Extra inputs are not permitted"
    )
    accepted = {
        "budget": {"enabled", "disabled"},
        "asked": {"adaptive", "disabled"} | ({"enabled"} if model == "claude-opus-4-6" else set()),
        "unless": {"adaptive", "disabled"},
        "between": {"adaptive", "between_tools"},
        "always": {"adaptive"},
    }[mode]
    need(kind in accepted, f'"thinking.type.{kind}" is not supported for this model.')
    effort = body.get("output_config", {}).get("effort", "high")
    hard = effort in {"xhigh", "max"} and model in CAPPED
    need(kind not in {"disabled", "between_tools"} or not hard, "effort: too high not to think")
    if kind == "enabled":
        budget = config["budget_tokens"]
        need(budget >= 1024, "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
        need(budget < body["max_tokens"], "`max_tokens` must be greater than `thinking.budget_tokens`")
        asked = len(turns) - 1
        while asked > 0 and any(block["type"] == "tool_result" for block in turns[asked].blocks):
            asked -= 2
        if asked < len(turns) - 1:
            first = turns[asked + 1].blocks[0]["type"]
            need(first in _THOUGHTS, f"Expected `thinking` or `redacted_thinking`, but found `{first}`.")


def _check_output(config: dict[str, Any]) -> None:
    need(config.keys() <= {"effort", "format"}, "output_config: Extra inputs are not permitted")
    if "format" in config:
        need(set(config["format"]) == {"type", "schema"}, "output_config.format: Extra inputs are not permitted")
        _check_schema(config["format"]["schema"])


def _check_schema(schema: Any) -> None:
    need(isinstance(schema, dict), "output_config.format.schema: Input should be an object")
    known = {
        "type", "enum", "const", "title", "description", "$defs", "$ref", "anyOf", "allOf", "properties", "required",
        "additionalProperties", "items", "format", "minItems",
    }  # fmt: skip
    for key in schema.keys() - known:
        raise RefusedError(
            f"output_config.format.schema: For '{schema.get('type')}' type, property '{key}' is not supported"
        )
    if schema.get("type") == "object":
        closed = schema.get("additionalProperties") is False
        need(closed, "output_config.format.schema: 'additionalProperties' must be explicitly set to false")
    for inner in (*schema.get("properties", {}).values(), *schema.get("$defs", {}).values()):
        _check_schema(inner)
    for inner in (
        *schema.get("anyOf", ()),
        *schema.get("allOf", ()),
        *([schema["items"]] if "items" in schema else ()),
    ):
        _check_schema(inner)
