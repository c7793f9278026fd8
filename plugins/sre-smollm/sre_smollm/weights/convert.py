"""Turns a GGUF file into a safetensors folder, once, in a cache that processes share."""

import hashlib
import shutil
import struct
import sys
import tempfile
from pathlib import Path
from typing import Any

from filelock import FileLock

from sre_core import logs
from sre_core.errors import ConfigError
from sre_smollm.weights import gguf_config, gguf_header, gguf_tokenizer, gguf_weights

__all__ = ["content_key", "converted"]

log = logs.get_logger(__name__)

# Part of the key: raise it when the written form changes, and old folders are left alone.
_FORM = "2"
_MAGIC = b"GGUF"


def converted(file: Path, cache: Path) -> Path:
    """The safetensors folder of a GGUF file, made if it is not there yet.

    Two processes never convert the same file twice, and a folder is either whole or absent. Raises
    ConfigError when the file is damaged, or of an architecture that cannot be read.
    """
    with file.open("rb") as stream:
        if stream.read(len(_MAGIC)) != _MAGIC:
            raise ConfigError(f"{str(file)!r} is no GGUF file", hint="it must begin with the letters GGUF")
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / f"{file.stem}-{content_key(file)}"
    if folder.is_dir():
        return folder
    with FileLock(cache / f"{folder.name}.lock"):
        if folder.is_dir():
            return folder
        log.info("converting_weights", file=str(file), folder=str(folder))
        sys.stderr.write(f"smollm: converting {file.name} once…\n")
        scratch = Path(tempfile.mkdtemp(prefix=".converting-", dir=cache))
        try:
            _convert(file, scratch)
            scratch.rename(folder)
        except BaseException:
            shutil.rmtree(scratch, ignore_errors=True)
            raise
        sys.stderr.write(f"smollm: converted weights are in {folder}\n")
    return folder


def content_key(file: Path) -> str:
    """16 hexadecimal digits that change with the file's content."""
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256")
    digest.update(_FORM.encode())
    return digest.hexdigest()[:16]


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
