"""LLMAssistant: a model that remembers its conversations."""

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from sre_core.components.base import Component
from sre_core.components.context import ComponentContext
from sre_core.components.llm.chat_memory import ChatMemory, chat_key
from sre_core.components.llm.history import recent
from sre_core.components.llm.prompting import Prompt, answer
from sre_core.components.llm.settings import ModelSettings
from sre_core.components.node import InputPort, OutputPort
from sre_core.components.template import as_text, expand
from sre_core.errors import ComponentError

__all__ = ["AssistantSettings", "LLMAssistant"]

_HISTORY_TOKENS = 4096


class AssistantSettings(ModelSettings):
    """A model, how it behaves, and how long it remembers."""

    behavior: str = Field(
        default="", max_length=30_000, description="What the model is told of its task; placeholders name inputs."
    )
    ttl: float = Field(default=86_400, gt=0, description="How long each turn is remembered, in seconds.")


class LLMAssistant(Component):
    """Answers a user, with what both said before in the same conversation.

    `UserInput` is what the user says; `UserId` and `ConversationId` say in which conversation. Without either nothing
    is remembered. `Response` is what the model answers; outputs that the author added are fields of a JSON object that
    the model is asked for.

    The agent's cache keeps the turns, each for `ttl` seconds, a day if nothing is said. The model sees the newest of
    them, about 4,096 tokens. Turns of one conversation that overlap are all kept, also those of several processes over
    one cache, but answered without knowledge of each other. A turn that failed is not remembered.

    Unlike SmythOS, temperature and its like reach the model, what was said is forgotten turn by turn, and no caller
    gets into the conversations of another one by naming his ids.
    """

    name = "LLMAssistant"
    settings_type = AssistantSettings
    settings: AssistantSettings
    inputs: ClassVar[tuple[InputPort, ...]] = (
        InputPort(name="UserInput", type="Text", description="What the user says."),
        InputPort(name="UserId", type="Text", optional=True, description="Who the user is."),
        InputPort(name="ConversationId", type="Text", optional=True, description="Which of their conversations it is."),
    )
    outputs: ClassVar[tuple[OutputPort, ...]] = (
        OutputPort(name="Response", default=True, description="What the model answers."),
    )
    open_inputs = True
    open_outputs = True

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """Ask the model, and remember what it said."""
        said = _text(inputs.get("UserInput"))
        if not said:
            raise ComponentError(f"{self.node}: the user said nothing", hint="link UserInput")
        use = context.host.model(self.settings.model)
        memory = self._memory(inputs, context)
        before = await recent(await memory.messages(), _HISTORY_TOKENS, use) if memory else ()
        behavior = await expand(self.settings.behavior, inputs, context, node=self.node)
        prompt = Prompt(text=said, history=before, system=behavior)
        outputs = await answer(prompt, self.node, self.settings, use, context, reply="Response")
        if memory:
            await memory.add(said, as_text(outputs["Response"]))
        return outputs

    def _memory(self, inputs: Mapping[str, Any], context: ComponentContext) -> ChatMemory | None:
        user, conversation = (_text(inputs.get(name)) for name in ("UserId", "ConversationId"))
        if not user and not conversation:
            return None
        key = chat_key(str(context.caller), user, conversation)
        return ChatMemory(cache=context.cache, key=key, ttl=self.settings.ttl)


def _text(value: Any) -> str:
    return "" if value is None else as_text(value)
