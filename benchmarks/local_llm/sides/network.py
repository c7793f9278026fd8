"""Our networks, without the engine around them: reading, writing, perplexity, and what a grammar costs."""

import math
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.local_llm.prompts import PROMPTS, SKILLS
from benchmarks.local_llm.sides.worker import Answer, reading, serve
from sre_core.messages import Message
from sre_smollm.local_model import find_model
from sre_smollm.networks.base import KVCache, Row
from sre_smollm.settings import SmolLMSettings
from sre_smollm.weights.sources import picked
from sre_smollm.writing.grammar import Constraint
from sre_smollm.writing.toolcalls import call_schema

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Ours"]

_LONGEST_CALL = 160


class Ours:
    """A network as the connector would open it."""

    def __init__(self, settings: SmolLMSettings) -> None:
        model = find_model(settings)
        self._network = model.open()
        self._text = model.text_side()
        self._cache: KVCache | None = None
        self._next = 0

    def read(self, ids: Sequence[int]) -> None:
        """Forget all, and read `ids`."""
        if self._cache is not None:
            self._cache.close()
        self._cache = self._network.cache()
        self._step(ids)

    def write(self, count: int) -> None:
        """Pick the likeliest token and read it, so many times."""
        for _ in range(count):
            self._step([self._next])

    def perplexity(self, windows: list[list[int]]) -> Answer:
        """The perplexity of all windows together."""
        losses = []
        for ids in windows:
            cache = self._network.cache()
            (scores,) = self._network.forward([Row(cache=cache, ids=ids, keep=len(ids))])
            losses += loss(scores[:-1], ids[1:])
            cache.close()
        return {"value": math.exp(sum(losses) / len(losses))}

    def mask(self, count: int) -> Answer:
        """CPU seconds of a token, and of all that the grammar does for a token that is picked.

        Calls of the benchmark's skills are written, each under its own schema; only steps of one token count as the
        cost of a token, since others read forced tokens too.
        """
        tokens: list[float] = []
        masks: list[float] = []
        began = time.process_time()
        self._text.grammars.schema(call_schema(SKILLS), what="the skills")
        ready = time.process_time() - began
        forced = written = 0
        for prompt in [prompt for prompt in PROMPTS if prompt.skill][:count]:
            skills = [skill for skill in SKILLS if skill.name == prompt.skill]
            template = self._text.template
            ids = template.prompt([Message.user(prompt.text)], skills=skills).ids
            self.read([*ids, *template.tokens(template.call_form.open)])
            constraint = self._text.grammars.schema(call_schema(skills), what="the skill")
            found = self._call(constraint, tokens, masks)
            forced, written = forced + found[0], written + found[1]
        return {
            "token": float(np.median(tokens)),
            "mask": float(np.mean(masks)),
            "ready": ready,
            "forced": forced,
            "written": written,
        }

    def _call(self, constraint: Constraint, tokens: list[float], masks: list[float]) -> tuple[int, int]:
        """Write a call; how many of its tokens were forced, and how many there are."""
        forced = written = 0
        scores, waiting = self._scores, list[int]()
        while not constraint.finished and written < _LONGEST_CALL:
            began = time.process_time()
            waiting = constraint.forced()
            spent = time.process_time() - began
            forced, written = forced + len(waiting), written + len(waiting)
            if constraint.finished:
                break
            if waiting:
                self._step(waiting)
                scores = self._scores
            began = time.process_time()
            token = int(constraint.mask(scores).argmax())
            constraint.accept(token)
            masks.append(spent + time.process_time() - began)
            written += 1
            began = time.process_time()
            self._step([token])
            tokens.append(time.process_time() - began)
            scores = self._scores
        return forced, written

    def _step(self, ids: Sequence[int]) -> None:
        assert self._cache is not None
        ((self._scores,),) = self._network.forward([Row(cache=self._cache, ids=ids)])
        self._next = int(self._scores.argmax())


def loss(scores: "NDArray[np.float32]", wanted: Sequence[int]) -> list[float]:
    """How unlikely each of the `wanted` tokens was, in nats; `scores` has a row for each."""
    wide = scores.astype(np.float64)
    wide -= wide.max(axis=1, keepdims=True)
    sums = np.log(np.exp(wide).sum(axis=1))
    return [float(one) for one in sums - wide[np.arange(len(wanted)), list(wanted)]]


if __name__ == "__main__":
    ours = Ours(picked(SmolLMSettings.model_validate_json(sys.argv[1])))
    serve({**reading(ours), "perplexity": ours.perplexity, "mask": ours.mask})
