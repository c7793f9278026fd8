"""Plain transformers: `forward` and `generate` as its documentation shows them. For any interpreter that has it."""

import inspect
import math
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache

from benchmarks.local_llm.sides.worker import Answer, Clock, reading, serve

__all__ = ["Plain"]


class Plain:
    """A model of transformers on the processor."""

    def __init__(self, folder: str, dtype: str) -> None:
        model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype))
        self._model = model.eval()
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        self._cache: Any = None
        # The name that transformers had until 5.23.
        self._name = "cache" if "cache" in inspect.signature(model.forward).parameters else "past_key_values"
        self._next = torch.zeros((1, 1), dtype=torch.long)

    def read(self, ids: Sequence[int]) -> None:
        """Forget all, and read `ids`."""
        self._cache = DynamicCache(config=self._model.config)
        self._step(torch.tensor([list(ids)]))

    def write(self, count: int) -> None:
        """Pick the likeliest token and read it, so many times."""
        for _ in range(count):
            self._step(self._next)

    def perplexity(self, windows: list[list[int]]) -> Answer:
        """The perplexity of all windows together."""
        losses = []
        with torch.inference_mode():
            for ids in windows:
                scores = self._model(torch.tensor([ids])).logits[0, :-1].double()
                losses.append(torch.nn.functional.cross_entropy(scores, torch.tensor(ids[1:])).item())
        return {"value": math.exp(sum(losses) / len(losses))}

    def replies(self, prompts: list[str], count: int) -> Answer:
        """Replies of `count` tokens, one after the other."""
        clock = Clock()
        for prompt in prompts:
            self._generate([{"role": "user", "content": prompt}], count)
        return clock.read() | {"tokens": len(prompts) * count}

    def decode(self, prompt: str, count: int) -> Answer:
        """Tokens per second of wall time, after the first one of a reply."""
        self.read(self._ids([{"role": "user", "content": prompt}])["input_ids"][0].tolist())
        clock = Clock()
        self.write(count - 1)
        return {"rate": (count - 1) / clock.read()["wall"]}

    def agent(self, system: str, question: str, seen: list[str], count: int) -> Answer:
        """A run of an agent, whose whole history is read at each step."""
        messages = [{"role": "system", "content": system}, {"role": "user", "content": question}]
        steps = []
        for observation in seen:
            clock = Clock()
            size, text = self._generate(messages, count)
            steps.append(clock.read() | {"read": size, "written": count})
            messages += [{"role": "assistant", "content": text}, {"role": "user", "content": observation}]
        return {"steps": steps}

    def _generate(self, messages: Sequence[Mapping[str, str]], count: int) -> tuple[int, str]:
        ids = self._ids(messages)
        done = self._model.generate(**ids, max_new_tokens=count, min_new_tokens=count, do_sample=False)
        size = ids["input_ids"].shape[1]
        return size, self._tokenizer.decode(done[0, size:], skip_special_tokens=True)

    def _ids(self, messages: Sequence[Mapping[str, str]]) -> Any:
        return self._tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )

    def _step(self, ids: torch.Tensor) -> None:
        with torch.inference_mode():
            scores = self._model(ids, **{self._name: self._cache}, logits_to_keep=1).logits[:, -1]
            self._next = scores.argmax(-1, keepdim=True)


if __name__ == "__main__":
    if threads := os.environ.get("OMP_NUM_THREADS"):
        torch.set_num_threads(int(threads))
    plain = Plain(sys.argv[1], sys.argv[2])
    serve(
        {
            **reading(plain),
            "perplexity": plain.perplexity,
            "replies": plain.replies,
            "decode": plain.decode,
            "agent": plain.agent,
        }
    )
