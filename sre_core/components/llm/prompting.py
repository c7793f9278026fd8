"""One prompt of a node, from its settings and inputs to its outputs."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from sre_core.components.context import ComponentContext, ModelUse
from sre_core.components.llm.asking import ask, cut_short, is_echo
from sre_core.components.llm.json_reply import Field, fields_of, instructions, read_loose, read_strict, schema
from sre_core.components.llm.settings import SamplingSettings
from sre_core.components.node import Node
from sre_core.connectors.llm import LLMRequest
from sre_core.errors import ComponentError
from sre_core.messages import File, Message

__all__ = ["Prompt", "answer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What a model is told: `text` with `files`, after what was said before, under the rules of `system`."""

    text: str
    files: tuple[File, ...] = ()
    history: tuple[Message, ...] = ()
    system: str = ""


async def answer(
    prompt: Prompt,
    node: Node,
    settings: SamplingSettings,
    use: ModelUse,
    context: ComponentContext,
    *,
    reply: str = "Reply",
) -> dict[str, Any]:
    """The outputs of a node: the reply by the name `reply`, and the fields that its own outputs name.

    `_error` stands beside them when the reply is not whole, `_warning` when it is no JSON though the node has outputs
    of its own: their links do not fire then. Raises ComponentError for an empty prompt or
    reply, and what the model raises.
    """
    if not prompt.text and not prompt.files:
        raise ComponentError(f"{node}: there is no prompt", hint="write one into the settings of the node")
    fields = fields_of(node, reply=reply)
    request = _request(prompt, fields, settings, use)
    completion = await ask(use, request, context, passthrough=settings.passthrough)
    outputs = _read(completion.message.text, fields, settings.response_format, reply)
    problem = cut_short(completion)
    if problem:
        outputs["_error"] = problem
    return outputs


def _request(prompt: Prompt, fields: tuple[Field, ...], settings: SamplingSettings, use: ModelUse) -> LLMRequest:
    request = settings.fill(use.request, use.llm.connector_name)
    if request.thinking and "reasoning" not in use.llm.capabilities:
        request = replace(request, thinking=None)
    text = prompt.text
    if not is_echo(use) and (fields or settings.response_format == "json"):
        if fields and "schema" in use.llm.capabilities:
            request = replace(request, output_schema=schema(fields))
        else:
            text = f"{text}\n\n{instructions(fields)}"
    said = [Message.system(prompt.system)] if prompt.system else []
    said += prompt.history
    said.append(Message.user(text, files=prompt.files))
    return replace(request, messages=tuple(said))


def _read(text: str, fields: tuple[Field, ...], form: Literal["json", "text"] | None, reply: str) -> dict[str, Any]:
    if not fields and form != "json":
        return {reply: read_strict(text)}
    found = read_loose(text)
    outputs: dict[str, Any] = {}
    if isinstance(found, dict):
        outputs = {field.name: found[field.name] for field in fields if field.name in found}
    elif fields:
        names = ", ".join(field.name for field in fields)
        outputs["_warning"] = f"the reply is no JSON object, so there is nothing for the outputs {names}"
    outputs[reply] = read_strict(text) if form == "text" or found is None else found
    return outputs
