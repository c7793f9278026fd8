"""The optional library llama.cpp, through the thin bindings of llama-cpp-python."""

import ctypes
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from sre_core import logs
from sre_core.errors import ConfigError

__all__ = ["installed", "library"]

log = logs.get_logger(__name__)

_NAME = "llama_cpp"


def installed() -> bool:
    """Whether the library is there; it is not loaded."""
    return find_spec(_NAME) is not None


def library() -> Any:
    """The library, ready for use, its messages in our log at the level debug. `Any`, since it has no types.

    Raises ConfigError when it is not installed, or its compiled part cannot be loaded.
    """
    try:
        llama: Any = import_module(_NAME)
    except ModuleNotFoundError as error:
        if error.name not in {_NAME, None}:
            raise
        raise ConfigError(
            "llama.cpp is not installed", hint="run `pip install 'sre-smollm[llamacpp]'`; it compiles for minutes"
        ) from error
    except (OSError, RuntimeError) as error:
        raise ConfigError(
            f"llama.cpp cannot be loaded: {error}",
            hint="compile it anew: `pip install --force-reinstall --no-cache-dir llama-cpp-python`",
        ) from error
    # Both may be repeated, and the importing of the bindings has set a logger that prints.
    llama.llama_log_set(_CALLBACK, None)
    llama.llama_backend_init()
    return llama


def _write(_level: int, text: bytes, _data: object) -> None:
    if log.enabled_for_debug() and (line := text.decode(errors="replace").strip(" .\n")):
        log.debug("llama_cpp", text=line)


# C code keeps the address of this object, so it must live as long as the process.
_CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)(_write)
