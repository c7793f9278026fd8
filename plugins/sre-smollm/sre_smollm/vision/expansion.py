"""From the files of a prompt to the ids that stand for their pictures, as the model's own processor has it."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from sre_core.errors import ConfigError, UnsupportedError
from sre_core.messages import File
from sre_smollm.networks.folder import ModelFolder
from sre_smollm.prompts.template import Prompt
from sre_smollm.prompts.tokenizer import Tokenizer
from sre_smollm.vision.gallery import Gallery, Layout, Picture, Store
from sre_smollm.vision.pictures import read_picture

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    Inputs = Mapping[str, NDArray[np.float32] | NDArray[np.bool_]]

__all__ = ["Sight", "check", "expanded"]

# Pictures in tiles, each looked at by itself, with marks for rows and columns around them.
_TILED = frozenset({"smolvlm", "idefics3"})
# Pictures that are looked at as a whole, with what the processor of the model puts in place of a mark.
_WHOLE = frozenset({"llava"})


def check(folder: ModelFolder) -> None:
    """Raise UnsupportedError, saying why, for a model whose images cannot be shown to it here."""
    text = folder.text
    rotations = text.get("rope_parameters") or text.get("rope_scaling") or {}
    reason = ""
    if "mrope_section" in rotations:
        reason = "its positions in a picture have three parts (mrope)"
    elif folder.model_type not in _TILED | _WHOLE:
        reason = f"pictures are not made ready for its kind, {folder.model_type!r}"
    elif folder.image_token is None:
        reason = "its config.json names no token for images"
    if reason:
        raise UnsupportedError(
            f"the model in {str(folder.path)!r} takes no images here: {reason}",
            hint="use SmolVLM, Idefics3 or LLaVA, or send text alone",
        )


def expanded(prompt: Prompt, pictures: Sequence[Picture]) -> Prompt:
    """The prompt with the ids of `pictures` in place of its marks; there are as many of both, in the same order."""
    ids: list[int] = []
    done = 0
    for place, picture in zip(prompt.images, pictures, strict=True):
        ids += (*prompt.ids[done:place], *picture.ids)
        done = place + 1
    return replace(prompt, ids=(*ids, *prompt.ids[done:]), images=())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    """A picture as the model wants it: the text that stands for it, and what is computed from, view by view."""

    text: str
    views: "tuple[Inputs, ...]"
    sizes: tuple[int, ...]


class Sight:
    """Makes pictures ready for one model. `look` and `inputs` are for any thread.

    Pixels are kept from when they are made until they are used, within `limit` bytes; those that found no room are
    made again from the file. With low `detail` nothing is cut into tiles. Raises UnsupportedError as `check` does.
    """

    def __init__(self, folder: ModelFolder, *, limit: int, detail: Literal["high", "low"] = "high") -> None:
        check(folder)
        assert folder.image_token is not None  # noqa: S101 -- it was checked
        self._folder = folder
        self._detail = detail
        self._mark = folder.image_token
        self._gallery = Gallery(folder.image_token)
        self._pixels: Store[Inputs] = Store(limit)
        self._tokenizer: Tokenizer | None = None
        self._make: Callable[[Image], _Ready] | None = None
        self.find = self._gallery.find
        """As of the gallery."""

    def load(self, tokenizer: Tokenizer) -> None:
        """Read how the model wants its pictures. Slow. Raises ConfigError when that is missing or damaged."""
        try:
            tiled = self._folder.model_type in _TILED
            self._make = _tiled(self._folder, self._detail) if tiled else _whole(self._folder)
        except (OSError, ValueError, KeyError, AttributeError, TypeError, ImportError) as error:
            raise ConfigError(
                f"how images are made ready cannot be read from {str(self._folder.path)!r}: {error}",
                hint="fetch the whole model, with its preprocessor_config.json",
            ) from error
        self._tokenizer = tokenizer

    def look(self, files: Sequence[File]) -> tuple[Picture, ...]:
        """The pictures in `files`. Slow for those that are new: call it in a thread.

        Raises UnsupportedError for other files than images, ConfigError for damaged and too large ones.
        """
        return tuple(self._look(file) for file in files)

    def _look(self, file: File) -> Picture:
        digest = hashlib.sha256(file.data).digest()
        known = self._gallery.recall(digest, file)
        if known is not None:
            return known
        if self._tokenizer is None:
            raise RuntimeError("Sight.load comes first")
        ready = self._ready(file)
        layout = Layout(ids=tuple(self._tokenizer.encode(ready.text)), views=ready.sizes)
        if layout.ids.count(self._mark) != sum(layout.views):
            raise ConfigError(
                f"the tokenizer of the model in {str(self._folder.path)!r} has no token for images",
                hint="fetch the whole model again",
            )
        picture = self._gallery.add(digest, file, layout)
        self._keep(picture, ready)
        return picture

    def inputs(self, picture: Picture, view: int) -> "Inputs":
        """What the model looks at: arrays by the name of its arguments, each with one view."""
        found = self._pixels.take((picture.key, view))
        if found is not None:
            return found
        ready = self._ready(picture.file)
        self._keep(picture, ready)
        self._pixels.take((picture.key, view))
        return ready.views[view]

    def _keep(self, picture: Picture, ready: _Ready) -> None:
        for number, view in enumerate(ready.views):
            self._pixels.put((picture.key, number), view, sum(array.nbytes for array in view.values()))

    def _ready(self, file: File) -> _Ready:
        if self._make is None:
            raise RuntimeError("Sight.load comes first")
        image = read_picture(file)
        try:
            return self._make(image)
        except (ValueError, TypeError, MemoryError) as error:
            raise ConfigError(
                f"the image {file.name!r} cannot be made ready for the model: {error}",
                hint=f"it has {image.width} x {image.height} pixels: send it in another size",
            ) from error


def _tiled(folder: ModelFolder, detail: Literal["high", "low"]) -> "Callable[[Image], _Ready]":
    """Of SmolVLM and Idefics3: a picture is cut into rows of tiles, and the whole of it, made small, comes last."""
    from transformers import AutoConfig, AutoImageProcessor

    # The processor of SmolVLM itself wants packages for video.
    from transformers.models.smolvlm.processing_smolvlm import get_image_prompt_string

    images: Any = AutoImageProcessor  # untyped functions
    tell: Any = get_image_prompt_string
    process = images.from_pretrained(str(folder.path), backend="pil", local_files_only=True)
    config: Any = AutoConfig.from_pretrained(str(folder.path), local_files_only=True)
    patch, factor = config.vision_config.patch_size, config.scale_factor
    # What is not told is as the model's own files have it.
    options = {} if detail == "high" else {"do_image_splitting": False}

    def make(image: "Image") -> _Ready:
        made = process([[image]], return_tensors="np", return_row_col_info=True, **options)
        tiles, masks = made["pixel_values"][0], made.get("pixel_attention_mask")
        height, width = tiles.shape[-2:]
        size = (height // patch) * (width // patch) // factor**2
        text = tell(
            made["rows"][0][0],
            made["cols"][0][0],
            size,
            fake_token_around_image="<fake_token_around_image>",  # noqa: S106 -- not a secret
            image_token="<image>",  # noqa: S106 -- not a secret
            global_image_token="<global-img>",  # noqa: S106 -- not a secret
        )
        views = [
            {"pixel_values": tiles[None, one : one + 1]}
            | ({"pixel_attention_mask": masks[:, one : one + 1].astype(bool)} if masks is not None else {})
            for one in range(len(tiles))
        ]
        return _Ready(text=text, views=tuple(views), sizes=(size,) * len(views))

    return make


def _whole(folder: ModelFolder) -> "Callable[[Image], _Ready]":
    from transformers import AutoProcessor

    processors: Any = AutoProcessor  # untyped functions
    process = processors.from_pretrained(str(folder.path), backend="pil", local_files_only=True)

    def make(image: "Image") -> _Ready:
        made = process.image_processor([image], return_tensors="np")
        text = process.replace_image_token(made, 0)
        return _Ready(text=text, views=(dict(made),), sizes=(text.count(process.image_token),))

    return make
