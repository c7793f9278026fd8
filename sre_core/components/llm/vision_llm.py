"""VisionLLM: a prompt about images."""

from collections.abc import Mapping
from typing import Any, ClassVar

from sre_core.components.base import Component, Flaw
from sre_core.components.context import ComponentContext
from sre_core.components.llm.asking import is_echo
from sre_core.components.llm.attachments import media_inputs, model_files
from sre_core.components.llm.prompting import Prompt, answer
from sre_core.components.llm.settings import PromptSettings
from sre_core.components.node import InputPort, OutputPort
from sre_core.components.template import expand
from sre_core.errors import ComponentError

__all__ = ["FilePrompt", "VisionLLM"]


class FilePrompt(Component):
    """Sends a prompt and the files at one input to a model. A base class for such components."""

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
        ports = media_inputs(self.node, self.inputs)
        text = await expand(self.settings.prompt, inputs, context, node=self.node)
        files = await model_files(ports, inputs, context, use)
        if not files and not is_echo(use):
            raise ComponentError(
                f"{self.node}: no file came in", hint=f"link {' or '.join(port.name for port in ports)}"
            )
        return await answer(Prompt(text=text, files=files), self.node, self.settings, use, context)


class VisionLLM(FilePrompt):
    """Sends a prompt and images to a model. GenAILLM does the same, and more.

    `Images` is an image or a list of them. `Reply` is as with GenAILLM, and so are outputs that the author added.

    Unlike SmythOS, `passthrough` works, and `maxTokens` reaches the model.
    """

    name = "VisionLLM"
    inputs: ClassVar[tuple[InputPort, ...]] = (InputPort(name="Images", type="Image", description="What to look at."),)
