"""Turns a GGUF file into a safetensors folder, once, in a cache that processes share."""

import struct
import sys
from functools import partial
from pathlib import Path
from typing import Any

from sre_core import logs
from sre_core.errors import ConfigError
from sre_smollm.weights import gguf_config, gguf_header, gguf_tokenizer, gguf_weights
from sre_smollm.weights.checks import check_folder
from sre_smollm.weights.prepared import prepared

__all__ = ["converted"]

log = logs.get_logger(__name__)

# Raise the number when the written form changes: old folders are then left alone.
_FORM = "safetensors-3"
_MAGIC = b"GGUF"
_REPAIR = "fetch the GGUF file again, or use a folder with safetensors"


def converted(file: Path, cache: Path) -> Path:
    """The safetensors folder of a GGUF file, made if it is not there yet.

    Two processes never convert the same file twice, and a folder is either whole or absent; one that was damaged
    since is made again. Raises ConfigError when the file is damaged, or of an architecture that cannot be read.
    """
    try:
        with file.open("rb") as stream:
            magic = stream.read(len(_MAGIC))
    except OSError as error:
        raise gguf_header.unreadable(file, error.strerror) from error
    if magic != _MAGIC:
        what = "begins with other letters than GGUF" if magic else "is empty"
        raise ConfigError(f"{str(file)!r} is no GGUF file: it {what}", hint=_REPAIR)
    return prepared(file, cache, _FORM, partial(_write, file), whole=_whole)


def _write(file: Path, folder: Path) -> None:
    log.info("converting_weights", file=str(file))
    sys.stderr.write(f"smollm: converting {file.name} once…\n")
    folder.mkdir()
    _convert(file, folder)
    try:
        check_folder(folder, repair=_REPAIR)
    except ConfigError as error:
        raise gguf_header.unreadable(file, f"what it was converted to is not whole: {error.message}") from error
    sys.stderr.write(f"smollm: converted {file.name}\n")


def _whole(folder: Path) -> bool:
    try:
        check_folder(folder, repair=_REPAIR)
    except ConfigError:
        return False
    return True


def _convert(file: Path, folder: Path) -> None:
    header = gguf_header.read(file)
    architecture = header.text("general.architecture")
    if architecture in gguf_config.ARCHITECTURES and gguf_config.dense(header) and gguf_tokenizer.known(header):
        _convert_llama(header, folder)
    elif architecture == "smollm3":
        raise gguf_header.unreadable(file, "its tokenizer is of no known kind")
    else:
        _convert_other(file, folder)


def _convert_llama(header: gguf_header.Header, folder: Path) -> None:
    from safetensors import SafetensorError

    config = gguf_config.config(header)
    try:
        gguf_tokenizer.write_tokenizer(
            header, folder, context_tokens=config.max_position_embeddings, vocabulary=config.vocab_size
        )
        gguf_weights.write_weights(header, config, folder)
    except (OSError, SafetensorError) as error:
        raise ConfigError(
            f"the converted weights of {str(header.file)!r} cannot be written: {error}",
            hint="free some room, or set cache_folder to a folder on a larger disk",
        ) from error


def _convert_other(file: Path, folder: Path) -> None:
    """Through transformers, which is slow but knows more architectures and tokenizers."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(str(file.parent), gguf_file=file.name)
        model: Any = AutoModelForCausalLM.from_pretrained(str(file.parent), gguf_file=file.name, dtype=torch.float32)
    # The reader fails with whatever a damaged table leads to.
    except (
        ValueError,
        KeyError,
        IndexError,
        OSError,
        EOFError,
        MemoryError,
        ArithmeticError,
        RuntimeError,
        struct.error,
    ) as error:
        raise gguf_header.unreadable(file, error) from error
    # The weights are plain numbers by now, but transformers still takes them for quantised and refuses to save.
    model.hf_quantizer = None
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.save_pretrained(str(folder))
    tokenizer.save_pretrained(str(folder))
