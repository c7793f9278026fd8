"""ImageGenerator: images that a model makes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from sre_core import logs
from sre_core.components.base import Component
from sre_core.components.context import ComponentContext, ModelUse
from sre_core.components.files import store_file
from sre_core.components.llm.asking import refused_option
from sre_core.components.llm.attachments import media_inputs, read_files
from sre_core.components.llm.image_settings import ImageForm, ImageSettings, image_form
from sre_core.components.node import InputPort, OutputPort
from sre_core.components.template import as_text, expand
from sre_core.connectors.llm import GeneratedImages, ImageRequest
from sre_core.errors import ComponentError, ConfigError, ConnectorError
from sre_core.events import UsageReported
from sre_core.messages import File

__all__ = ["ImageGenerator"]

log = logs.get_logger(__name__)


class ImageGenerator(Component):
    """Lets a model make an image, or change those that come in at inputs of the types Image and Binary.

    `Output` is the image, a file of the agent; a list of them when there are several. What applies of the settings
    depends on the family of the model: DALL·E, GPT Image, Google's models, Runware's, others.

    Unlike SmythOS, the output is always a file, and never an address of the provider that soon ends; all images that
    were made come out, not the first alone; and a model that cannot change images says so when one comes in.
    """

    name = "ImageGenerator"
    settings_type = ImageSettings
    settings: ImageSettings
    inputs: ClassVar[tuple[InputPort, ...]] = (
        InputPort(name="Prompt", type="Text", optional=True, description="What to show."),
    )
    outputs: ClassVar[tuple[OutputPort, ...]] = (OutputPort(name="Output", default=True, description="The image."),)
    open_inputs = True
    open_outputs = True

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """Ask the model."""
        use = context.host.model(self.settings.model)
        prompt = await self._prompt(inputs, context)
        files = await read_files(media_inputs(self.node, self.inputs), inputs, context)
        form = image_form(
            self.settings,
            use.request.model or self.settings.model,
            use.llm.connector_name,
            with_files=bool(files),
        )
        made = await _make(use, self._request(use, prompt, files, form))
        await context.emit(
            UsageReported(run_id=context.run_id, agent_id=context.agent.id, usage=made.usage, model=use.request.model)
        )
        stored = [await store_file(image, context) for image in made.images]
        return {"Output": stored[0] if len(stored) == 1 else stored}

    async def _prompt(self, inputs: Mapping[str, Any], context: ComponentContext) -> str:
        if self.settings.prompt:
            prompt = await expand(self.settings.prompt, inputs, context, node=self.node)
        else:
            prompt = as_text(inputs.get("Prompt") or "")
        if not prompt.strip():
            raise ComponentError(f"{self.node}: there is no prompt", hint="write one, or link the input Prompt")
        return prompt

    def _request(self, use: ModelUse, prompt: str, files: tuple[File, ...], form: ImageForm) -> ImageRequest:
        if files and not form.takes_files:
            raise ComponentError(
                f"the model {use.request.model!r} cannot change images",
                hint="unlink them, or choose a model that can, such as one of GPT Image",
            )
        return ImageRequest(
            prompt=form.prefix + prompt,
            model=use.request.model,
            count=self.settings.number_of_images,
            size=form.size,
            images=files,
            options=form.options,
        )


async def _make(use: ModelUse, request: ImageRequest) -> GeneratedImages:
    """Ask; options that the connector does not take are left out, since files carry those of all families."""
    while True:
        try:
            return await use.llm.generate_images(request)
        except (ConfigError, ConnectorError) as error:
            name = refused_option(error, request.options)
            if name is None:
                raise
            log.debug("image_option_left_out", option=name, model=request.model, reason=error.message)
            options = {key: value for key, value in request.options.items() if key != name}
            request = replace(request, options=options)
