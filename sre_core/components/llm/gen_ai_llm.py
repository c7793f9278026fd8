"""GenAILLM: a prompt for a model, with files, the agent's behavior and what was said before."""

from collections.abc import Mapping
from typing import Any, ClassVar

from sre_core.components.base import Component, Flaw
from sre_core.components.context import ComponentContext, ModelUse
from sre_core.components.llm.attachments import media_inputs, model_files
from sre_core.components.llm.gen_ai_settings import GenAISettings
from sre_core.components.llm.history import plain_messages, recent
from sre_core.components.llm.prompting import Prompt, answer
from sre_core.components.node import InputPort, OutputPort
from sre_core.components.template import expand
from sre_core.messages import Message, MessageRole

__all__ = ["GenAILLM"]


class GenAILLM(Component):
    """Sends a prompt to a model: the main component for language models.

    Inputs of the types Image, Audio, Video and Binary are files for the model; those that it cannot take are left out,
    and it is an error when it can take none. `Reply` is the text of the reply, or the object or list when the reply is
    JSON from end to end, or when `responseFormat` is "json". Outputs that the author added are fields of a JSON object
    that the model is asked for; a field that the model left out fires nothing. A reply that was cut short comes with
    `_error`; one without the JSON that the node's own outputs need, with `_warning`.

    Unlike SmythOS, a model that can be held to a JSON schema is; the messages of the chat fit into
    `maxContextWindowLength` all together, where SmythOS measures each by itself; and parameters that the model does
    not take are left out.
    """

    name = "GenAILLM"
    settings_type = GenAISettings
    settings: GenAISettings
    inputs: ClassVar[tuple[InputPort, ...]] = (
        InputPort(name="Input", optional=True, description="What the prompt may name as {{Input}}."),
        InputPort(name="Attachment", type="Binary", optional=True, description="Files for the model."),
    )
    outputs: ClassVar[tuple[OutputPort, ...]] = (OutputPort(name="Reply", default=True, description="The reply."),)
    open_inputs = True
    open_outputs = True

    def check(self) -> list[Flaw]:
        """Whether there is a prompt."""
        return [] if self.settings.prompt else [Flaw("there is no prompt", "prompt")]

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """Ask the model."""
        use = context.host.model(self.settings.model)
        text = await expand(self.settings.prompt, inputs, context, node=self.node)
        prompt = Prompt(
            text=text,
            files=await model_files(media_inputs(self.node, self.inputs), inputs, context, use),
            history=await self._history(text, context, use),
            system=context.agent.behavior if self.settings.use_system_prompt else "",
        )
        return await answer(prompt, self.node, self.settings, use, context)

    async def _history(self, prompt: str, context: ComponentContext, use: ModelUse) -> tuple[Message, ...]:
        if not self.settings.use_context_window:
            return ()
        said = plain_messages(context.request.conversation)
        if said and said[-1].role is MessageRole.USER and said[-1].text == prompt:
            # The prompt is what the user said last.
            said.pop()
        return await recent(said, self.settings.max_context_window_length, use)
