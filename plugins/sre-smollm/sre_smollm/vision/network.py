"""An image-text model of transformers: text and pictures in one prompt. Importing it loads torch."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any

import torch

from sre_core import logs
from sre_core.errors import ConfigError, UnavailableError
from sre_smollm.networks.base import Network, NetworkInfo, Row
from sre_smollm.networks.folder import ModelFolder
from sre_smollm.networks.packed_network import PackedNetwork
from sre_smollm.networks.threads import Threads
from sre_smollm.networks.transformers_network import Placement, load_with
from sre_smollm.vision.expansion import Sight
from sre_smollm.vision.gallery import Picture, Store

__all__ = ["ImageTextNetwork", "load"]

log = logs.get_logger(__name__)


class ImageTextNetwork(PackedNetwork):
    """Negative ids are those of pictures: what the model sees in their place is put among the embeddings.

    A view of a picture is looked at when the first of its ids is read, so that a large picture comes tile by tile and
    others write in between. What was seen is kept within `limit` bytes, and looked at again when it is gone.
    """

    def __init__(self, model: Any, info: NetworkInfo, threads: Threads, *, sight: Sight, limit: int) -> None:
        super().__init__(model, info, threads)
        self.looked = 0
        """How many views were looked at so far."""
        self._sight = sight
        self._seen: Store[torch.Tensor] = Store(limit)

    def close(self) -> None:
        """Free the weights, and what was seen. Safe to call twice."""
        super().close()
        self._seen = Store(0)

    def inputs(self, rows: Sequence[Row]) -> Mapping[str, torch.Tensor]:
        """Ids, or embeddings when there are pictures among them."""
        if all(token >= 0 for row in rows for token in row.ids):
            return super().inputs(rows)
        table = self.model.get_input_embeddings()
        ids = [token for row in rows for token in row.ids]
        words = torch.tensor([[max(token, 0) for token in ids]], device=table.weight.device)
        embedded = table(words)
        places = [self._place(token) for token in ids]
        start = 0
        # One look for all ids of a view that stand together.
        for view, group in groupby(places, key=lambda place: place[:2] if place is not None else None):
            run = list(group)
            if view is not None:
                features = self._features(*view)
                wanted = torch.tensor([place[2] for place in run if place is not None], device=features.device)
                embedded[0, start : start + len(run)] = features[wanted].to(embedded)
            start += len(run)
        return {"inputs_embeds": embedded}

    def _place(self, token: int) -> tuple[Picture, int, int] | None:
        """The picture of an id, its view, and the place in the view; None for a word."""
        if token >= 0:
            return None
        try:
            picture, mark = self._sight.find(token)
        except LookupError as error:
            raise UnavailableError("a picture of this prompt is gone", hint="ask again") from error
        return (picture, *picture.view(mark))

    def _features(self, picture: Picture, view: int) -> torch.Tensor:
        """What the model sees in a view, of shape (marks, hidden size)."""
        key = (picture.key, view)
        seen = self._seen.get(key)
        if seen is not None:
            return seen
        # A look is much work, even when few tokens are read.
        self._threads.use(picture.views[view] + 1024)
        device = self.model.get_input_embeddings().weight.device
        arrays = self._sight.inputs(picture, view)
        tensors = {name: _tensor(array, self.model.dtype).to(device) for name, array in arrays.items()}
        found = self.model.get_image_features(**tensors, return_dict=True).pooler_output
        # One entry for each picture, and there is one.
        seen = torch.cat([part.reshape(-1, part.shape[-1]) for part in found])
        self.looked += 1
        if len(seen) != picture.views[view]:
            raise ConfigError(
                f"the model sees {len(seen)} places in a picture where its processor marks {picture.views[view]}",
                hint="its config.json and processor_config.json do not fit together: fetch the model again",
            )
        self._seen.put(key, seen, seen.nbytes)
        return seen


def _tensor(array: Any, dtype: torch.dtype) -> torch.Tensor:
    made = torch.from_numpy(array)
    return made.to(dtype) if made.is_floating_point() else made


def load(folder: ModelFolder, placement: Placement, sight: Sight, *, limit: int) -> Network:
    """Read the weights. Slow: call it in a thread. `limit` is in bytes, for what was seen in pictures.

    Raises as `transformers_network.load` does, and UnsupportedError for a language model whose attention is unknown.
    """
    return load_with(folder, placement, partial(ImageTextNetwork, sight=sight, limit=limit))
