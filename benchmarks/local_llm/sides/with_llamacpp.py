"""llama.cpp through llama-cpp-python, in an environment of its own, on the same GGUF file."""

import math
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.local_llm.sides.worker import Answer, Clock, reading, serve

__all__ = ["LlamaCpp"]

# Not there for who checks the types of this project.
_Llama: Any = import_module("llama_cpp").Llama
_CONTEXT = 4096


class LlamaCpp:
    """One thread, flash attention on: its fastest way to run a model that small."""

    def __init__(self, file: str) -> None:
        common: dict[str, Any] = {"n_batch": 512, "n_threads": 1, "n_threads_batch": 1, "verbose": False}
        self._llama = _Llama(file, n_ctx=_CONTEXT, flash_attn=True, **common)
        self._file, self._common = file, common

    def read(self, ids: Sequence[int]) -> None:
        """Forget all, and read `ids`."""
        self._llama.reset()
        self._llama.eval(list(ids))

    def write(self, count: int) -> None:
        """Pick the likeliest token and read it, so many times."""
        for _ in range(count):
            self._llama.eval([self._llama.sample(temp=0.0)])

    def perplexity(self, windows: list[list[int]]) -> Answer:
        """The perplexity of all windows together."""
        llama = _Llama(self._file, n_ctx=512, logits_all=True, **self._common)
        losses: list[float] = []
        for ids in windows:
            llama.reset()
            llama.eval(ids)
            scores = np.asarray(llama.scores[: len(ids) - 1], dtype=np.float64)
            scores -= scores.max(axis=1, keepdims=True)
            wanted = scores[np.arange(len(ids) - 1), ids[1:]]
            losses += (np.log(np.exp(scores).sum(axis=1)) - wanted).tolist()
        return {"value": math.exp(sum(losses) / len(losses))}

    def agent(self, system: str, question: str, seen: list[str], count: int) -> Answer:
        """A run of an agent; what was read before is found again by its own comparison with the last prompt."""
        messages: list[Any] = [{"role": "system", "content": system}, {"role": "user", "content": question}]
        # An early end would make a step cheaper than those of the others.
        never = {self._llama.token_eos(): -1e9}
        steps = []
        for observation in seen:
            clock = Clock()
            done: Any = self._llama.create_chat_completion(
                messages, max_tokens=count, temperature=0.0, logit_bias=never
            )
            used = done["usage"]
            steps.append(clock.read() | {"read": used["prompt_tokens"], "written": used["completion_tokens"]})
            text = done["choices"][0]["message"]["content"]
            messages += [{"role": "assistant", "content": text}, {"role": "user", "content": observation}]
        return {"steps": steps}


if __name__ == "__main__":
    side = LlamaCpp(sys.argv[1])
    serve({**reading(side), "perplexity": side.perplexity, "agent": side.agent})
