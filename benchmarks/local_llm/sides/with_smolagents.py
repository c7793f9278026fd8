"""The peer: smolagents' TransformersModel, in an environment of its own, with the same weights in float32."""

import sys
from importlib import import_module
from typing import Any

import torch

from benchmarks.local_llm.sides.worker import Answer, Clock, serve

__all__ = ["Smolagents"]

# Not there for who checks the types of this project.
_smolagents: Any = import_module("smolagents")
_Role = _smolagents.MessageRole


class Smolagents:
    """The model as its agents call it; the agent's own work between two calls is left out."""

    def __init__(self, folder: str) -> None:
        # Each step writes as much as those of the other sides.
        self._model = _smolagents.TransformersModel(folder, device_map="cpu", torch_dtype="float32", do_sample=False)

    def agent(self, system: str, question: str, seen: list[str], count: int) -> Answer:
        """A run of an agent."""
        messages = [_message(_Role.SYSTEM, system), _message(_Role.USER, question)]
        steps = []
        for observation in seen:
            clock = Clock()
            reply: Any = self._model.generate(messages, max_new_tokens=count, min_new_tokens=count)
            used = reply.token_usage
            steps.append(clock.read() | {"read": used.input_tokens, "written": used.output_tokens})
            messages += [_message(_Role.ASSISTANT, reply.content), _message(_Role.USER, observation)]
        return {"steps": steps}


def _message(role: Any, text: str) -> Any:
    return _smolagents.ChatMessage(role=role, content=[{"type": "text", "text": text}])


if __name__ == "__main__":
    torch.set_num_threads(1)
    serve({"agent": Smolagents(sys.argv[1]).agent})
