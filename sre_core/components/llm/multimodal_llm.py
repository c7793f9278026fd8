"""MultimodalLLM: a prompt about files of any kind."""

from typing import ClassVar

from sre_core.components.llm.vision_llm import FilePrompt
from sre_core.components.node import InputPort

__all__ = ["MultimodalLLM"]


class MultimodalLLM(FilePrompt):
    """Sends a prompt and files to a model: images, sound, films, documents. GenAILLM does the same, and more.

    `Input` is a file or a list of them. `Reply` is as with GenAILLM, and so are outputs that the author added.

    Unlike SmythOS, `passthrough` works, `maxTokens` reaches the model, and a node that names no model has that of the
    agent.
    """

    name = "MultimodalLLM"
    inputs: ClassVar[tuple[InputPort, ...]] = (InputPort(name="Input", type="Binary", description="What it is about."),)
