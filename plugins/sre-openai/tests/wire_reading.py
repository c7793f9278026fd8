"""What came over the wire, as our own request: the way back of what the connector does."""

import base64

from sre_core.connectors.llm import LLMRequest
from sre_core.messages import File, Message, MessageRole, SkillCall, SkillSpec

from .wire_models import (  # noqa: TID252 -- the folder of tests is no package
    ChatAssistant,
    ChatAudio,
    ChatFile,
    ChatImage,
    ChatMessage,
    ChatRequest,
    ChatResult,
    ChatText,
    ChatUser,
    InputCall,
    InputFile,
    InputImage,
    InputMessage,
    InputReasoning,
    InputResult,
    ResponsesRequest,
)


def read_chat(body: ChatRequest) -> LLMRequest:
    schema = body.response_format
    return LLMRequest(
        messages=tuple(_chat_message(message) for message in body.messages),
        model=body.model,
        skills=tuple(
            SkillSpec(
                name=tool.function.name, description=tool.function.description, parameters=tool.function.parameters
            )
            for tool in body.tools
        ),
        skill_choice=body.tool_choice,
        output_schema=schema.json_schema.schema_ if schema else None,
        max_tokens=body.max_completion_tokens,
        stop=tuple(body.stop),
        thinking=None if body.reasoning_effort is None else body.reasoning_effort != "none",
    )


def read_responses(body: ResponsesRequest) -> LLMRequest:
    items = [InputMessage(role="user", content=body.input)] if isinstance(body.input, str) else body.input
    return LLMRequest(
        messages=_input_messages(items),
        model=body.model,
        skills=tuple(
            SkillSpec(name=tool.name, description=tool.description, parameters=tool.parameters) for tool in body.tools
        ),
        skill_choice=body.tool_choice,
        output_schema=body.text.format.schema_ if body.text and body.text.format else None,
        max_tokens=body.max_output_tokens,
        thinking=None if body.reasoning is None or body.reasoning.effort is None else body.reasoning.effort != "none",
    )


def _chat_message(message: ChatMessage) -> Message:
    match message:
        case ChatUser():
            parts = message.content if isinstance(message.content, list) else []
            text = "".join(part.text for part in parts if isinstance(part, ChatText)) if parts else message.content
            return Message.user(text, files=tuple(_chat_file(part) for part in parts if not isinstance(part, ChatText)))
        case ChatAssistant():
            calls = tuple(
                SkillCall(id=call.id, name=call.function.name, arguments=call.function.arguments)
                for call in message.tool_calls
            )
            return Message.assistant(message.content or "", skill_calls=calls)
        case ChatResult():
            return Message(role=MessageRole.SKILL, text=message.content, call_id=message.tool_call_id)
    return Message.system(message.content)


def _chat_file(part: ChatImage | ChatAudio | ChatFile) -> File:
    match part:
        case ChatImage():
            return _from_url("image", part.image_url.url)
        case ChatFile():
            return _from_url(part.file.filename, part.file.file_data)
    kind = f"audio/{part.input_audio.format}"
    return File(name="audio", media_type=kind, data=base64.b64decode(part.input_audio.data))


def _from_url(name: str, url: str) -> File:
    head, _, data = url.removeprefix("data:").partition(";base64,")
    return File(name=name, media_type=head, data=base64.b64decode(data))


def _input_messages(items: list[InputMessage | InputCall | InputResult | InputReasoning]) -> tuple[Message, ...]:
    """Calls that follow each other, with the text before them, are one message of the assistant."""
    messages: list[Message] = []
    for item in items:
        match item:
            case InputMessage(role="assistant"):
                messages.append(Message.assistant(item.content))
            case InputMessage(role="user"):
                messages.append(_input_user(item))
            case InputMessage():
                messages.append(Message.system(item.content))
            case InputCall():
                call = SkillCall(id=item.call_id, name=item.name, arguments=item.arguments)
                messages.append(Message.assistant(skill_calls=(call,)))
            case InputResult():
                messages.append(Message(role=MessageRole.SKILL, text=item.output, call_id=item.call_id))
    return tuple(messages)


def _input_user(item: InputMessage) -> Message:
    if isinstance(item.content, str):
        return Message.user(item.content)
    files = []
    for part in item.content:
        match part:
            case InputImage():
                files.append(_from_url("image", part.image_url))
            case InputFile():
                files.append(_from_url(part.filename, part.file_data))
    return Message.user("".join(getattr(part, "text", "") for part in item.content), files=tuple(files))
