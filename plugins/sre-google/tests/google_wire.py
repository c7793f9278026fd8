"""The bodies of Google's requests as its API reference describes them, read strictly, and what they ask for.

After https://ai.google.dev/api/generate-content, .../api/caching#Content, .../api/embeddings and .../api/tokens;
rules of a conversation after https://ai.google.dev/gemini-api/docs/function-calling and .../docs/thought-signatures.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from sre_core.connectors.llm import LLMRequest
from sre_core.messages import File, Message, SkillCall, SkillSpec

ANY_SIGNATURE = "skip_thought_signature_validator"


class BadRequestError(Exception):
    """The API would answer with status 400 and this message."""


class Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)


class Blob(Wire):
    mime_type: str
    data: str


class FunctionCall(Wire):
    id: str | None = None
    name: str
    args: dict[str, Any] = {}


class FunctionResponse(Wire):
    id: str | None = None
    name: str
    response: dict[str, Any]


class Part(Wire):
    text: str | None = None
    inline_data: Blob | None = None
    function_call: FunctionCall | None = None
    function_response: FunctionResponse | None = None
    thought: bool | None = None
    thought_signature: str | None = None


class Content(Wire):
    role: Literal["user", "model"] | None = None
    parts: list[Part] = Field(min_length=1)


class FunctionDeclaration(Wire):
    name: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.:-]{0,127}$")
    description: str
    parameters_json_schema: dict[str, Any] | None = None


class Tool(Wire):
    function_declarations: list[FunctionDeclaration]


class FunctionCallingConfig(Wire):
    mode: Literal["AUTO", "ANY", "NONE"]


class ToolConfig(Wire):
    function_calling_config: FunctionCallingConfig


class ThinkingConfig(Wire):
    include_thoughts: bool | None = None
    thinking_budget: int | None = None
    thinking_level: Literal["MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH"] | None = None


class ImageConfig(Wire):
    aspect_ratio: str | None = None
    image_size: Literal["512", "1K", "2K", "4K"] | None = None
    person_generation: str | None = None


class GenerationConfig(Wire):
    max_output_tokens: int | None = Field(default=None, ge=1)
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    stop_sequences: list[str] | None = Field(default=None, max_length=5)
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    response_mime_type: Literal["text/plain", "application/json"] | None = None
    response_json_schema: dict[str, Any] | None = None
    response_modalities: list[Literal["TEXT", "IMAGE", "AUDIO"]] | None = None
    media_resolution: str | None = None
    thinking_config: ThinkingConfig | None = None
    image_config: ImageConfig | None = None


class SafetySetting(Wire):
    category: str = Field(pattern="^HARM_CATEGORY_")
    threshold: str = Field(pattern="^(BLOCK_|OFF)")


class GenerateRequest(Wire):
    contents: list[Content] = Field(min_length=1)
    system_instruction: Content | None = None
    tools: list[Tool] | None = None
    tool_config: ToolConfig | None = None
    generation_config: GenerationConfig = GenerationConfig()
    safety_settings: list[SafetySetting] | None = None
    cached_content: str | None = None
    service_tier: str | None = None
    labels: dict[str, str] | None = None


class CountRequest(Wire):
    contents: list[Content] = Field(min_length=1)


class EmbedConfig(Wire):
    task_type: str | None = None
    output_dimensionality: int | None = Field(default=None, ge=1)


class EmbedRequest(EmbedConfig):
    """As the Gemini API takes it: settings beside the content."""

    content: Content
    model: str


class VertexEmbedRequest(Wire):
    """As Vertex AI takes it: settings apart."""

    content: Content
    embed_content_config: EmbedConfig | None = None


class BatchEmbedRequest(Wire):
    requests: list[EmbedRequest] = Field(min_length=1, max_length=100)


class VertexBatchEmbedRequest(Wire):
    requests: list[VertexEmbedRequest] = Field(min_length=1, max_length=250)


class Instance(Wire):
    content: str
    task_type: str | None = Field(default=None, alias="task_type")


class Parameters(Wire):
    output_dimensionality: int | None = Field(default=None, ge=1)


class PredictRequest(Wire):
    """As models of Vertex AI take it that are older than Gemini's."""

    instances: list[Instance] = Field(min_length=1, max_length=250)
    parameters: Parameters | None = None


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request as the server understood it. `files` are apart, since the model of the tests takes none."""

    request: LLMRequest
    files: tuple[File, ...]
    thoughts: bool
    wants_image: bool


def read(kind: type[Wire], body: bytes) -> Any:
    """A body of this kind; raises BadRequestError for what the reference does not describe."""
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        raise BadRequestError(
            f"Invalid JSON payload received. {error.errors()[0]['loc']}: {error.errors()[0]['msg']}"
        ) from (error)


def understand(body: GenerateRequest, model: str, *, since_3: bool) -> Asked:
    """What a request asks for; raises BadRequestError where it breaks the rules of a conversation."""
    check_conversation(body.contents)
    check_signatures(body.contents, model, since_3=since_3)
    config = body.generation_config
    thinking = config.thinking_config or ThinkingConfig()
    if thinking.thinking_level is not None and (thinking.thinking_budget is not None or not since_3):
        raise BadRequestError("thinking_level is not supported for this model, or not with thinking_budget")
    if thinking.thinking_budget is not None and since_3:
        raise BadRequestError("thinking_budget is not supported for this model")
    if (config.response_json_schema is None) != (config.response_mime_type != "application/json"):
        raise BadRequestError("responseJsonSchema needs responseMimeType application/json")
    for schema in schemas(body):
        check_schema(schema)
    messages = [message for content in body.contents for message in to_messages(content)]
    if body.system_instruction is not None:
        messages.insert(0, Message.system("\n".join(part.text or "" for part in body.system_instruction.parts)))
    modes = {"AUTO": "auto", "ANY": "required", "NONE": "none"}
    mode = body.tool_config.function_calling_config.mode if body.tool_config is not None else "AUTO"
    request = LLMRequest(
        messages=tuple(messages),
        skills=tuple(
            SkillSpec(name=one.name, description=one.description, parameters=one.parameters_json_schema or {})
            for tool in body.tools or ()
            for one in tool.function_declarations
        ),
        skill_choice=modes[mode],  # type: ignore[arg-type]
        output_schema=config.response_json_schema,
        max_tokens=config.max_output_tokens,
        stop=tuple(config.stop_sequences or ()),
    )
    return Asked(
        request=request,
        files=tuple(file for content in body.contents for file in to_files(content)),
        thoughts=bool(thinking.include_thoughts),
        wants_image="IMAGE" in (config.response_modalities or ()),
    )


def check_conversation(contents: Sequence[Content]) -> None:
    """Roles take turns, beginning with the user; each call has its response, right after it and in order."""
    if contents[0].role != "user":
        raise BadRequestError("Please ensure that multiturn requests start with a user turn.")
    open_calls: list[FunctionCall] = []
    for number, content in enumerate(contents):
        responses = [part.function_response for part in content.parts if part.function_response is not None]
        calls = [part.function_call for part in content.parts if part.function_call is not None]
        if content.role is None:
            raise BadRequestError("Please use a valid role: user, model.")
        if number and content.role == contents[number - 1].role and not open_calls and content.role == "model":
            raise BadRequestError("Please ensure that multiturn requests alternate between user and model.")
        if [(call.id, call.name) for call in open_calls] != [(one.id, one.name) for one in responses]:
            raise BadRequestError(
                "Please ensure that the number of function response parts is equal to the number of function call "
                "parts of the function call turn, in the same order."
            )
        if responses and (content.role != "user" or len(responses) != len(content.parts)):
            raise BadRequestError("Function responses stand alone, in a turn of the user.")
        if calls and content.role != "model":
            raise BadRequestError("Function calls are made by the model.")
        for part in content.parts:
            check_part(part)
        open_calls = calls
    if open_calls:
        raise BadRequestError(
            "Please ensure that function call turn comes immediately before a function response turn."
        )


def check_part(part: Part) -> None:
    data = [part.text is not None, part.inline_data, part.function_call, part.function_response]
    if sum(bool(one) for one in data) != 1:
        raise BadRequestError("contents.parts must have one initialized field of data")
    if part.text == "" and part.thought_signature is None:
        raise BadRequestError("Unable to submit request because it has an empty text parameter.")


def sign(model: str, kind: str, value: Any) -> str:
    """The signature that belongs to what `model` wrote."""
    text = json.dumps([model, kind, value], sort_keys=True)
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def check_signatures(contents: Sequence[Content], model: str, *, since_3: bool) -> None:
    """A signature belongs to the part that it came with; the first call of each step of this turn needs one."""
    turn = max(
        number for number, one in enumerate(contents) if one.role == "user" and not one.parts[0].function_response
    )
    for number, content in enumerate(contents):
        text = ""
        first = True
        for part in content.parts:
            signature = part.thought_signature
            text += (part.text or "") if not part.thought else ""
            kind, value = ("call", part.function_call.args) if part.function_call else ("text", text)
            if part.thought:
                kind, value = "thought", part.text
            if signature is not None and signature not in {sign(model, kind, value), ANY_SIGNATURE}:
                raise BadRequestError("Corrupted thought signature.")
            if signature == ANY_SIGNATURE and (not since_3 or part.function_call is None or not first):
                raise BadRequestError("That thought signature has no place here.")
            if part.function_call is not None:
                if since_3 and number > turn and first and signature is None:
                    raise BadRequestError("Function call is missing a thought_signature in functionCall parts.")
                first = False


def schemas(body: GenerateRequest) -> Iterator[dict[str, Any]]:
    if body.generation_config.response_json_schema is not None:
        yield body.generation_config.response_json_schema
    for tool in body.tools or ():
        for one in tool.function_declarations:
            if one.parameters_json_schema is not None:
                yield one.parameters_json_schema


def check_schema(schema: Any) -> None:
    """Beside a reference nothing may stand, as https://ai.google.dev/api/generate-content#GenerationConfig says."""
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str) and any(not key.startswith("$") for key in schema):
            raise BadRequestError("If $ref is set on a sub-schema, no other properties may be set.")
        for value in schema.values():
            check_schema(value)
    elif isinstance(schema, list):
        for value in schema:
            check_schema(value)


def to_messages(content: Content) -> Iterator[Message]:
    text = "".join(part.text or "" for part in content.parts if not part.thought)
    if content.role == "model":
        calls = tuple(
            SkillCall(
                id=part.function_call.id or "",
                name=part.function_call.name,
                arguments=json.dumps(part.function_call.args),
            )
            for part in content.parts
            if part.function_call is not None
        )
        yield Message.assistant(text, skill_calls=calls)
        return
    for part in content.parts:
        if part.function_response is not None:
            one = part.function_response
            call = SkillCall(id=one.id or "", name=one.name, arguments="")
            if len(one.response) != 1 or not set(one.response) <= {"output", "error"}:
                raise BadRequestError(f"a response of {one.name} has {sorted(one.response)}")
            yield Message.result(call, str(next(iter(one.response.values()))), is_error="error" in one.response)
    if content.parts[0].function_response is None:
        yield Message.user(text)


def to_files(content: Content) -> Iterator[File]:
    for part in content.parts:
        if part.inline_data is not None:
            try:
                data = base64.b64decode(part.inline_data.data, validate=True)
            except binascii.Error as error:
                raise BadRequestError("Base64 decoding failed") from error
            yield File(name="", media_type=part.inline_data.mime_type, data=data)
