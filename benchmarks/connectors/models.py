"""What the scenarios of models share: servers in processes of their own, and our side, which asks and checks."""

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.connectors.canned import PIECES
from benchmarks.connectors.contest import Operation
from benchmarks.connectors.runtime import AGENT, runtime_with
from benchmarks.workers import environment
from sre_core.connectors.llm import Completion, LLMRequest
from sre_core.messages import FinishReason, Message
from sre_core.testing.servers import ServerProcess, free_port

__all__ = ["LONGEST", "PROMPT", "REPLY", "TOKENS", "asking", "check", "prompt", "server"]

PROMPT = "Say hello."
REPLY = "".join(PIECES)
LONGEST = 100
TOKENS = 17
"""Those that the servers count for prompt and reply together."""


@contextmanager
def server(folder: Path, module: str = "benchmarks.connectors.canned") -> Iterator[str]:
    """The URL of a server of ours, while the block lasts."""
    port = free_port()
    command = [sys.executable, "-m", module, str(port)]
    with ServerProcess(command, port=port, folder=folder / "server", environment=environment()):
        yield f"http://127.0.0.1:{port}"


@asynccontextmanager
async def asking(folder: Path, *, reply: str = REPLY, **entry: Any) -> AsyncIterator[Operation]:
    """The operation of our side: one prompt, streamed, and the reply put together. `entry` is the connector's."""
    async with runtime_with("llm", folder, **entry) as runtime:
        llm = runtime.llm(AGENT)

        async def ours(number: int) -> None:
            check(await llm.complete(prompt()), reply)

        yield ours


def prompt() -> LLMRequest:
    """What is asked, new each time."""
    return LLMRequest(messages=(Message.user(PROMPT),), max_tokens=LONGEST)


def check(completion: Completion, reply: str) -> None:
    """See that it is the whole reply."""
    assert completion.message.text == reply
    assert completion.finish_reason is FinishReason.STOP
    assert completion.usage.input_tokens + completion.usage.output_tokens == TOKENS
