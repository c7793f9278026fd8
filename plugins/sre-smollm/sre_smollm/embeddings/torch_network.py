"""Runs any encoder that transformers knows, on any device that torch knows."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sre_core.errors import ConfigError

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

__all__ = ["TorchNetwork"]


class TorchNetwork:
    """A network of `transformers.AutoModel`. For one thread at a time."""

    def __init__(self, folder: Path, *, device: str, dtype: str, threads: int) -> None:
        """Load it. Raises ConfigError when the folder is damaged, or the device is not on this machine."""
        import torch
        from safetensors import SafetensorError
        from transformers import AutoModel
        from transformers.utils import logging as hub_logging

        self._device = _device(device)
        self._threads = threads
        bars: Any = hub_logging  # untyped functions
        shown = bars.is_progress_bar_enabled()
        bars.disable_progress_bar()
        try:
            network: Any = AutoModel.from_pretrained(
                str(folder), local_files_only=True, dtype=getattr(torch, "float32" if dtype == "auto" else dtype)
            )
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise ConfigError(
                f"the network in {str(folder)!r} cannot be loaded: {error}",
                hint="fetch or save the model again; a network whose code is not in transformers is never run",
            ) from error
        finally:
            if shown:
                bars.enable_progress_bar()
        # Of a network with a decoder, vectors are made from the encoder alone.
        if network.config.is_encoder_decoder:
            network = network.get_encoder()
        self._network = network.to(self._device).eval().requires_grad_(False)  # noqa: FBT003 -- torch names it so
        self._pad = network.config.pad_token_id or 0
        self.dims = int(network.config.hidden_size)

    def states(self, rows: "Sequence[Sequence[int]]") -> "list[NDArray[np.float32]]":
        """The last hidden states of each row of token ids, shape (tokens, hidden), on the processor."""
        import torch

        # It counts for the calling thread.
        torch.set_num_threads(self._threads)
        longest = max(len(row) for row in rows)
        ids = torch.full((len(rows), longest), self._pad)
        mask = torch.zeros_like(ids)
        for number, row in enumerate(rows):
            ids[number, : len(row)] = torch.tensor(row)
            mask[number, : len(row)] = 1
        with torch.inference_mode():
            made = self._network(input_ids=ids.to(self._device), attention_mask=mask.to(self._device))[0]
            whole = made.float().cpu().numpy()
        return [whole[number, : len(row)] for number, row in enumerate(rows)]


def _device(name: str) -> "torch.device":
    import torch

    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ConfigError(f"unknown device {name!r}", hint="use auto, cpu, cuda, cuda:1 or mps") from error
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(device.type, False):
        raise ConfigError(f"device {name!r} is not on this machine", hint="use device = 'auto' or 'cpu'")
    return device
