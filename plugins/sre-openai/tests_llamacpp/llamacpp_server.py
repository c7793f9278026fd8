"""llama-cpp-python's server, with the weights as they lie in the file: what it makes of them for AMX crashes."""

from typing import Any

from llama_cpp import llama_cpp
from llama_cpp.server.__main__ import main

_defaults = llama_cpp.llama_model_default_params


def _plain() -> Any:
    parameters = _defaults()
    parameters.use_extra_bufts = False
    return parameters


llama_cpp.llama_model_default_params = _plain

if __name__ == "__main__":
    main()
