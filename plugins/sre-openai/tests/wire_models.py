"""What the fake server takes: both APIs as strict models, which know no field but those of OpenAI's reference."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class JsonSchema(Strict):
    name: str = Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")
    schema_: dict[str, Any] = Field(alias="schema")
    strict: bool


# Chat completions: https://developers.openai.com/api/reference/resources/chat/subresources/completions/methods/create


class ChatText(Strict):
    type: Literal["text"]
    text: str = Field(min_length=1)


class ImageUrl(Strict):
    url: str = Field(pattern="^data:image/")
    detail: Literal["auto", "low", "high"] = "auto"


class ChatImage(Strict):
    type: Literal["image_url"]
    image_url: ImageUrl


class Audio(Strict):
    data: str
    format: Literal["wav", "mp3"]


class ChatAudio(Strict):
    type: Literal["input_audio"]
    input_audio: Audio


class FileData(Strict):
    filename: str
    file_data: str = Field(pattern="^data:application/pdf;base64,")


class ChatFile(Strict):
    type: Literal["file"]
    file: FileData


ChatPart = Annotated[ChatText | ChatImage | ChatAudio | ChatFile, Field(discriminator="type")]


class ChatSystem(Strict):
    role: Literal["system", "developer"]
    content: str


class ChatUser(Strict):
    role: Literal["user"]
    content: str | list[ChatPart]


class Function(Strict):
    name: str = Field(pattern=r"^[a-zA-Z0-9_.-]{1,64}$")
    arguments: str


class ChatCall(Strict):
    id: str = Field(min_length=1)
    type: Literal["function"]
    function: Function


class ChatAssistant(Strict):
    role: Literal["assistant"]
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[ChatCall] = Field(default=[])


class ChatResult(Strict):
    role: Literal["tool"]
    tool_call_id: str
    content: str


ChatMessage = Annotated[ChatSystem | ChatUser | ChatAssistant | ChatResult, Field(discriminator="role")]


class ChatFunction(Strict):
    name: str = Field(pattern=r"^[a-zA-Z0-9_.-]{1,64}$")
    description: str = ""
    parameters: dict[str, Any]
    strict: bool = False


class ChatTool(Strict):
    type: Literal["function"]
    function: ChatFunction


class ChatFormat(Strict):
    type: Literal["json_schema"]
    json_schema: JsonSchema


class StreamOptions(Strict):
    include_usage: bool


class ChatRequest(Strict):
    model: str
    messages: list[ChatMessage] = Field(min_length=1)
    stream: bool = False
    stream_options: StreamOptions | None = None
    max_completion_tokens: int | None = Field(default=None, ge=1)
    temperature: float | int | None = None
    top_p: float | int | None = None
    seed: int | None = None
    stop: list[str] = Field(default=[], max_length=4)
    tools: list[ChatTool] = []
    tool_choice: Literal["auto", "required", "none"] = "auto"
    response_format: ChatFormat | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    verbosity: Literal["low", "medium", "high"] | None = None
    parallel_tool_calls: bool = True
    frequency_penalty: float = 0
    user: str | None = None


# Responses: https://developers.openai.com/api/reference/resources/responses/methods/create


class InputText(Strict):
    type: Literal["input_text"]
    text: str = Field(min_length=1)


class InputImage(Strict):
    type: Literal["input_image"]
    image_url: str = Field(pattern="^data:image/")
    detail: Literal["auto", "low", "high"]


class InputFile(Strict):
    type: Literal["input_file"]
    filename: str
    file_data: str = Field(pattern="^data:application/pdf;base64,")


InputPart = Annotated[InputText | InputImage | InputFile, Field(discriminator="type")]


class InputMessage(Strict):
    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[InputPart]
    phase: Literal["commentary", "final_answer"] | None = None


class InputCall(Strict):
    type: Literal["function_call"]
    call_id: str = Field(min_length=1)
    name: str
    arguments: str


class InputResult(Strict):
    type: Literal["function_call_output"]
    call_id: str
    output: str


class SummaryText(Strict):
    type: Literal["summary_text"]
    text: str


class InputReasoning(Strict):
    type: Literal["reasoning"]
    id: str
    summary: list[SummaryText]
    encrypted_content: str = Field(pattern="^sealed:")


class ResponsesTool(Strict):
    type: Literal["function"]
    name: str
    description: str = ""
    parameters: dict[str, Any]
    strict: bool


class TextFormat(JsonSchema):
    type: Literal["json_schema"]


class TextConfig(Strict):
    format: TextFormat | None = None
    verbosity: Literal["low", "medium", "high"] | None = None


class Reasoning(Strict):
    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    summary: Literal["auto", "concise", "detailed"] | None = None


class ResponsesRequest(Strict):
    model: str
    input: list[InputMessage | InputCall | InputResult | InputReasoning] | str = Field(min_length=1)
    stream: bool = False
    store: bool = True
    include: list[Literal["reasoning.encrypted_content"]] = []
    max_output_tokens: int | None = Field(default=None, ge=1)
    temperature: float | int | None = None
    top_p: float | int | None = None
    tools: list[ResponsesTool] = []
    tool_choice: Literal["auto", "required", "none"] = "auto"
    text: TextConfig | None = None
    reasoning: Reasoning | None = None
    parallel_tool_calls: bool = True


# Embeddings: https://developers.openai.com/api/reference/resources/embeddings/methods/create


class EmbeddingRequest(Strict):
    model: str
    input: list[str] = Field(min_length=1, max_length=2048)
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = None


# Images: https://developers.openai.com/api/reference/resources/images/methods/generate and .../methods/edit


class MakeImages(Strict):
    model: str
    prompt: str
    n: int = Field(default=1, ge=1, le=10)
    size: Literal["auto", "1024x1024", "1536x1024", "1024x1536"] = "auto"
    quality: Literal["auto", "low", "medium", "high"] = "auto"
    output_format: Literal["png", "jpeg", "webp"] = "png"
