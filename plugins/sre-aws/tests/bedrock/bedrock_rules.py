"""What Bedrock's Converse API accepts, for the fake server of these tests.

What a request may hold is checked against the description of the service that AWS ships with its own client. The rules
beyond that are of its documentation: userguide/conversation-inference, .../tool-use, .../prompt-caching,
.../structured-output, .../claude-messages-extended-thinking, and APIReference/API_runtime_ConverseStream.
"""

import base64
import json
import re
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

CLAUDE = "us.anthropic.claude-haiku-5-5"
OLD_CLAUDE = "anthropic.claude-opus-4-5-20251101-v1:0"
NEW_CLAUDE = "global.anthropic.claude-opus-5-5"
PROFILE = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-5-5"
NOVA_2 = "us.amazon.nova-2-lite-v1:0"
LLAMA = "us.meta.llama4-maverick-17b-instruct-v1:0"
BETA = "thinking-binding-controls-2026-08-01"
_THINKING = {
    CLAUDE: {"adaptive", "disabled"},
    OLD_CLAUDE: {"enabled", "disabled"},
    NEW_CLAUDE: {"adaptive"},
    PROFILE: {"adaptive", "between_tools"},
}
BOUND = {CLAUDE, NEW_CLAUDE, PROFILE}
_BY_ITSELF = {CLAUDE, NEW_CLAUDE, PROFILE}
_UNFORCED = {NEW_CLAUDE, PROFILE}
_CAPPED = {CLAUDE, PROFILE}
_HELD_TO_SCHEMAS = {OLD_CLAUDE}
_CACHING = {CLAUDE, OLD_CLAUDE, NEW_CLAUDE, PROFILE, NOVA_2}
_MODELS = [CLAUDE, OLD_CLAUDE, NEW_CLAUDE, PROFILE, NOVA_2, LLAMA]
_ENUMS = {
    "image": {"png", "jpeg", "gif", "webp"},
    "document": {"pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"},
}
_NAME = re.compile(r"[A-Za-z0-9\-()\[\]]+( [A-Za-z0-9\-()\[\]]+)*")
_TOOL = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_MODEL = botocore.session.get_session().get_service_model("bedrock-runtime")


class RefusedError(Exception):
    """An error reply."""

    def __init__(self, message: str, *, status: int = 400, kind: str = "ValidationException") -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.message = message


def need(true: bool, message: str) -> None:
    if not true:
        raise RefusedError(message)


def check(body: dict[str, Any]) -> None:
    model = body["modelId"]
    need(model in _MODELS, "The provided model identifier is invalid.")
    report = ParamValidator().validate(body, _MODEL.operation_model("ConverseStream").input_shape)
    need(not report.has_errors(), report.generate_report())
    roles = [message["role"] for message in body["messages"]]
    need(roles[0] == "user", "A conversation must start with a user message.")
    need(roles == ["user", "assistant"] * (len(roles) // 2) + ["user"], "Roles must alternate, and end with the user.")
    calls: list[str] = []
    for number, message in enumerate(body["messages"]):
        content = message["content"]
        need(bool(content), f"The content field in the Message object at messages.{number} is empty.")
        for block in content:
            need(len(block) == 1, "Only one member of a union may be set.")
            _check_block(block, content)
        results = [block["toolResult"]["toolUseId"] for block in content if "toolResult" in block]
        need(sorted(results) == sorted(calls), "The number of toolResult blocks exceeds the toolUse blocks, or lacks.")
        calls = [block["toolUse"]["toolUseId"] for block in content if "toolUse" in block]
        names = [block["toolUse"]["name"] for block in content if "toolUse" in block]
        need(all(_TOOL.fullmatch(name) for name in names), "toolUse.name: must match [a-zA-Z0-9_-]+")
        uses = calls or results
        need(
            not uses or "toolConfig" in body, "The toolConfig field must be defined when using toolUse and toolResult."
        )
    for block in body.get("system", []):
        need(len(block) == 1, "Only one member of a union may be set.")
    for tool in body.get("toolConfig", {}).get("tools", []):
        if "toolSpec" in tool:
            need(
                tool["toolSpec"]["inputSchema"]["json"].get("type") == "object", "inputSchema.json.type must be object."
            )
    forced = bool(body.get("toolConfig", {}).get("toolChoice", {}).keys() & {"any", "tool"})
    by_budget = body.get("additionalModelRequestFields", {}).get("thinking", {}).get("type") == "enabled"
    need(not forced or not (model in _UNFORCED or by_budget), "tool_choice forces tool use, which is not supported.")
    points = json.dumps(body).count('"cachePoint"')
    need(
        points == 0 or model in _CACHING,
        "You invoked an unsupported model or your request did not allow prompt caching.",
    )
    need(points <= 4, "Too many cache points.")
    _check_fields(body)


def _check_block(block: dict[str, Any], content: list[dict[str, Any]]) -> None:
    if "text" in block:
        need(bool(block["text"].strip()), "The text field in the ContentBlock object is blank.")
    for kind, formats in _ENUMS.items():
        if kind in block:
            need(block[kind]["format"] in formats, f"{kind}.format: not one of {sorted(formats)}")
            base64.b64decode(block[kind]["source"]["bytes"], validate=True)
    if "document" in block:
        need(any("text" in other for other in content), "A text block is required when using documents.")
        need(bool(_NAME.fullmatch(block["document"]["name"])), "The document file name can only contain ...")
        names = [other["document"]["name"] for other in content if "document" in other]
        need(len(set(names)) == len(names), "Document names must be unique.")


def _check_fields(body: dict[str, Any]) -> None:
    fields, model = body.get("additionalModelRequestFields", {}), body["modelId"]
    need(fields.keys() <= {"thinking", "anthropic_beta", "reasoningConfig", "top_k"}, "extraneous key is not permitted")
    config = fields.get("thinking")
    if config is not None:
        need(config["type"] in _THINKING.get(model, set()), f"thinking.type.{config['type']} is not supported.")
        bare = config["type"] in {"between_tools", "disabled"}
        need(not bare or len(config) == 1, f"thinking.{config['type']}: extra fields are not permitted")
        hard = body.get("outputConfig", {}).get("effort") in {"xhigh", "max"}
        need(not (bare and hard and model in _CAPPED), "the effort is capped at high")
        need("block_binding" not in config or BETA in fields.get("anthropic_beta", []), "block_binding: not permitted")
        limit = body.get("inferenceConfig", {}).get("maxTokens", 1 << 20)
        fits = config["type"] != "enabled" or 1024 <= config["budget_tokens"] < limit
        need(fits, "`max_tokens` must be greater than `thinking.budget_tokens`")
    need("reasoningConfig" not in fields or model == NOVA_2, "reasoningConfig: extraneous key is not permitted")
    sampling = body.get("inferenceConfig", {}).keys() & {"temperature", "topP"}
    need(not sampling or model not in BOUND, "temperature is not supported for this model.")
    text_format = body.get("outputConfig", {}).get("textFormat")
    if text_format is not None:
        need(model in _HELD_TO_SCHEMAS, "This model doesn't support the outputConfig field.")
        schema = json.loads(text_format["structure"]["jsonSchema"]["schema"])
        need(schema.get("additionalProperties") is False, "additionalProperties must be false")


def thinks(body: dict[str, Any]) -> bool:
    """Whether the model thinks in its reply; by a budget, only where an answer begins."""
    fields = body.get("additionalModelRequestFields", {})
    if body["modelId"] == NOVA_2:
        return bool(fields.get("reasoningConfig", {}).get("type") == "enabled")
    if "toolChoice" in body.get("toolConfig", {}):
        return False
    goes_on = any("toolResult" in block for block in body["messages"][-1]["content"])
    match fields.get("thinking", {}).get("type"):
        case None:
            return body["modelId"] in _BY_ITSELF
        case "between_tools":
            return goes_on
        case "enabled":
            return not goes_on
        case kind:
            return bool(kind == "adaptive")
