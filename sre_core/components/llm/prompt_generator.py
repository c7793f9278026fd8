"""PromptGenerator: a prompt for a model, and its reply."""

from collections.abc import Mapping
from typing import Any, ClassVar

from sre_core.components.base import Component, Flaw
from sre_core.components.context import ComponentContext
from sre_core.components.llm.prompting import Prompt, answer
from sre_core.components.llm.settings import PromptSettings
from sre_core.components.node import OutputPort
from sre_core.components.template import expand

__all__ = ["PromptGenerator"]


class PromptGenerator(Component):
    """Sends a prompt to a model. Files know it as LLMPrompt, too; GenAILLM can do more.

    `Reply` is the text of the reply, or the object or list when the reply is JSON from end to end, or when
    `responseFormat` is "json". Outputs that the author added are fields of a JSON object that the model is asked for;
    it is found between other words, and mended where it is nearly JSON. A field that the model left out fires nothing.
    A reply that was cut short comes with `_error`; one without the JSON that the node's own outputs need, with
    `_warning`.

    Unlike SmythOS, temperature, tokens, stop sequences and their like reach the model, nothing in the prompt is
    escaped, and a reply that has a field `error` is a reply like others.
    """

    name = "PromptGenerator"
    aliases = ("LLMPrompt",)
    settings_type = PromptSettings
    settings: PromptSettings
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
        return await answer(Prompt(text=text), self.node, self.settings, use, context)
