"""A model on this machine: found, described, with its text side loaded; the network is left to the engine."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from sre_core import logs
from sre_core.errors import ConfigError, UnsupportedError
from sre_smollm.networks.base import Network, NetworkInfo
from sre_smollm.networks.folder import ModelFolder
from sre_smollm.networks.selection import Selection, open_network, select
from sre_smollm.prompts.template import Template
from sre_smollm.prompts.tokenizer import Tokenizer
from sre_smollm.settings import SmolLMSettings
from sre_smollm.vision.expansion import Sight, check
from sre_smollm.weights.known import KNOWN, canonical, known_model
from sre_smollm.weights.sources import AUTO, locate, readable
from sre_smollm.writing.grammar import Grammars
from sre_smollm.writing.tools import Tools

__all__ = ["LocalModel", "TextSide", "find_model", "model_id"]

log = logs.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSide:
    """All that turns messages into tokens and back."""

    template: Template
    grammars: Grammars
    ends: frozenset[int]

    def tools(self, info: NetworkInfo, context_tokens: int) -> Tools:
        """What replies are written with."""
        info = replace(info, context_tokens=context_tokens)
        return Tools(template=self.template, grammars=self.grammars, info=info, ends=self.ends)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalModel:
    """A model whose weights are on this machine. `place` is where they lie, `folder` what is loaded.

    `sight` makes images ready for it; None when it takes none.
    """

    settings: SmolLMSettings
    place: Path
    folder: ModelFolder
    selection: Selection
    context_tokens: int
    sight: Sight | None = None

    def text_side(self) -> TextSide:
        """Load tokenizer and template, and `sight`. Raises ConfigError when they are missing or damaged."""
        tokenizer = Tokenizer.load(self.folder.path)
        if self.sight is not None:
            self.sight.load(tokenizer)
        chat_template = self.settings.chat_template
        template = Template(
            tokenizer,
            system_prompt=self.settings.system_prompt,
            chat_template=chat_template,
            tools_as=self.settings.tools_as,
        )
        ends = self.folder.ends | tokenizer.ends
        return TextSide(template=template, grammars=Grammars(tokenizer, ends=ends), ends=ends)

    @property
    def open(self) -> Callable[[], Network]:
        """A function that loads the network; slow."""
        gguf = self.place if self.place.is_file() else None
        return lambda: open_network(
            self.folder, self.settings, gguf=gguf, context_tokens=self.context_tokens, sight=self.sight
        )

    def check_images(self) -> None:
        """Raise UnsupportedError, saying why, when the model takes images but cannot be shown any here."""
        if self.folder.image_text:
            check(self.folder)


def model_id(settings: SmolLMSettings) -> str:
    """The name under which the model is asked for."""
    name = canonical(settings.model)
    known = name == AUTO or any(one.name == name for one in KNOWN)
    return name if known or not Path(name).expanduser().exists() else Path(name).stem


def find_model(settings: SmolLMSettings) -> LocalModel:
    """Find the weights of `settings`, whose model is no `auto` any more; convert them if need be. Slow.

    Raises NotFoundError, ConfigError and UnavailableError as `weights.sources.resolve` does, UnsupportedError when the
    engine that was asked for cannot run the model.
    """
    known = known_model(settings.model) if settings.weights is None else None
    if known is not None and known.kind == "embeddings":
        raise ConfigError(
            f"the model {known.name!r} computes embeddings, and writes no text",
            hint=f"set embedding_model = {known.name!r}, and model to one that writes",
        )
    place = locate(settings)
    folder = ModelFolder.read(readable(place, settings))
    return LocalModel(
        settings=settings,
        place=place,
        folder=folder,
        selection=select(folder, settings),
        context_tokens=_context(folder, settings),
        sight=_sight(folder, settings),
    )


def _sight(folder: ModelFolder, settings: SmolLMSettings) -> Sight | None:
    if not folder.image_text:
        return None
    try:
        return Sight(folder, limit=settings.image_cache_bytes, detail=settings.image_detail)
    except UnsupportedError as error:
        log.warning("images_not_taken", model=settings.model, reason=str(error))
        return None


def _context(folder: ModelFolder, settings: SmolLMSettings) -> int:
    own, wanted = folder.context_tokens, settings.context_tokens
    if wanted is not None and wanted > own:
        raise ConfigError(f"context_tokens = {wanted} is more than the model's {own}", hint="lower it, or leave it out")
    return wanted or own
