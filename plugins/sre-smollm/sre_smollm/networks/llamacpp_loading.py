"""Loads a GGUF file into llama.cpp, with a store of keys and values of bounded size."""

import ctypes
import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from sre_core import logs
from sre_core.errors import ConfigError
from sre_smollm.networks.base import NetworkInfo
from sre_smollm.networks.llamacpp_library import library
from sre_smollm.networks.llamacpp_network import LlamaCppNetwork

__all__ = ["load"]

log = logs.get_logger(__name__)

# Tokens in one call.
_BATCH = 512
# The library rounds the number of cells up to a multiple of this.
_ROUND = 256
# Keys and values are kept as float16.
_KEPT_BYTES = 2
# Room for a value of the metadata, as text.
_TEXT_BYTES = 128


def load(
    file: Path,
    *,
    memory_bytes: int,
    threads: int | None = None,
    decode_threads: int = 1,
    context_tokens: int | None = None,
) -> LlamaCppNetwork:
    """Map the weights of a GGUF file, and take `memory_bytes` of memory for the keys and values of all caches.

    `threads` compute the steps that read many tokens (all cores if None), `decode_threads` the others.
    Raises ConfigError when llama.cpp is not installed, the file cannot be read, the model is of a kind whose caches
    cannot be cut (recurrent ones), `context_tokens` is more than the model's own, or the memory cannot be had.
    """
    llama = library()
    with ExitStack() as undo:
        model = _model(llama, file)
        undo.callback(llama.llama_model_free, model)
        info = _info(llama, model, file, context_tokens)
        cells = memory_bytes // info.token_bytes // _ROUND * _ROUND
        if cells <= 0:
            raise ConfigError(
                f"{memory_bytes} bytes are too few for the cache of {file.name!r}",
                hint=f"give at least {_ROUND * info.token_bytes}, for {_ROUND} tokens",
            )
        context = llama.llama_init_from_model(model, _parameters(llama, cells))
        if not context:
            raise ConfigError(
                f"llama.cpp cannot take {cells * info.token_bytes} bytes for the cache of {file.name!r}",
                hint="give it less memory",
            )
        undo.callback(llama.llama_free, context)
        network = LlamaCppNetwork(
            llama, model, context, info, threads=threads or os.cpu_count() or 1, decode_threads=decode_threads
        )
        undo.pop_all()
    log.debug("model_loaded", file=str(file), cells=cells, weights=info.weights, parameters=info.parameters)
    return network


def _model(llama: Any, file: Path) -> Any:
    parameters = llama.llama_model_default_params()
    parameters.n_gpu_layers = 0
    # What llama.cpp repacks for the matrix unit of Intel's processors ends the process when it is read.
    parameters.use_extra_bufts = not _has_amx()
    model = llama.llama_model_load_from_file(os.fsencode(file), parameters)
    if not model:
        raise ConfigError(
            f"llama.cpp cannot read the GGUF file {str(file)!r}",
            hint="it may be cut or damaged, or of a newer kind; what llama.cpp says is in the log at the level debug",
        )
    if (
        llama.llama_model_is_recurrent(model)
        or llama.llama_model_is_hybrid(model)
        or llama.llama_model_has_encoder(model)
        or not llama.llama_model_has_decoder(model)
    ):
        llama.llama_model_free(model)
        raise ConfigError(
            f"{file.name!r} is no model that reads token by token and can forget its last tokens",
            hint="use another engine for it",
        )
    return model


def _has_amx() -> bool:
    """Whether the processor has Advanced Matrix Extensions, which only Linux tells in a file."""
    try:
        return "amx_tile" in Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False


def _parameters(llama: Any, cells: int) -> Any:
    parameters = llama.llama_context_default_params()
    parameters.n_ctx = cells
    parameters.n_batch = parameters.n_ubatch = min(_BATCH, cells)
    # One store for all sequences, so that forks share cells and no sequence has a share of its own.
    parameters.kv_unified = True
    parameters.flash_attn_type = llama.LLAMA_FLASH_ATTN_TYPE_ENABLED
    parameters.n_seq_max = parameters.n_outputs_max = min(int(llama.llama_max_parallel_sequences()), _BATCH)
    parameters.offload_kqv = parameters.op_offload = False
    return parameters


def _info(llama: Any, model: Any, file: Path, context_tokens: int | None) -> NetworkInfo:
    own = int(llama.llama_model_n_ctx_train(model))
    if context_tokens is not None and context_tokens > own:
        raise ConfigError(
            f"context_tokens = {context_tokens} is more than the {own} of {file.name!r}",
            hint="lower it, or leave it out",
        )
    kind = llama.llama_ftype_name(llama.llama_model_ftype(model)) or b"unknown"
    return NetworkInfo(
        name=LlamaCppNetwork.name,
        device="cpu",
        weights=kind.decode(),
        parameters=int(llama.llama_model_n_params(model)),
        vocabulary=int(llama.llama_vocab_n_tokens(llama.llama_model_get_vocab(model))),
        context_tokens=context_tokens or own,
        token_bytes=_token_bytes(llama, model),
    )


def _token_bytes(llama: Any, model: Any) -> int:
    """What a token takes in all layers: the widths of its keys and values, times the heads that have their own."""
    name = _metadata(llama, model, "general.architecture")
    width = int(llama.llama_model_n_embd(model)) // int(llama.llama_model_n_head(model))
    widths = [int(_metadata(llama, model, f"{name}.attention.{part}_length") or width) for part in ("key", "value")]
    heads = int(llama.llama_model_n_head_kv(model))
    return int(llama.llama_model_n_layer(model)) * heads * sum(widths) * _KEPT_BYTES


def _metadata(llama: Any, model: Any, key: str) -> str:
    text = ctypes.create_string_buffer(_TEXT_BYTES)
    found = llama.llama_model_meta_val_str(model, key.encode(), text, _TEXT_BYTES)
    return text.value.decode(errors="replace") if found >= 0 else ""
