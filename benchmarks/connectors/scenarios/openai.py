"""Models that speak OpenAI's API against aiohttp and json, and against the `openai` package: one short prompt,
its reply streamed. The connector is measured alone, and in a runtime.
"""

import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import aiohttp
import openai
from pydantic import SecretStr

from benchmarks.connectors.contest import AT_ONCE, Contest, Operation
from benchmarks.connectors.models import LONGEST, PROMPT, TOKENS, asking, check, prompt, server
from benchmarks.result import Row
from benchmarks.stub_server import REPLY
from sre_core.connectors.llm import fold
from sre_openai import OpenAILLM, OpenAISettings

__all__ = ["measure"]

_MODEL = "text"
_HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer none"}
_MESSAGES = [{"role": "user", "content": PROMPT}]


async def measure(contest: Contest, folder: Path) -> list[Row]:
    """On a server that always gives the same reply."""
    with server(folder, "benchmarks.stub_server") as base:
        url = f"{base}/v1"
        async with (
            asking(folder, reply=REPLY, use="openai", url=url, key="none", model=_MODEL) as guarded,
            _alone(url) as alone,
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE)) as session,
            openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client,
        ):

            async def bare(number: int) -> None:
                await _exchange(session, f"{url}/chat/completions")

            async def package(number: int) -> None:
                texts, reason, tokens = [], None, 0
                async with await client.chat.completions.create(
                    model=_MODEL,
                    messages=[{"role": "user", "content": PROMPT}],
                    max_tokens=LONGEST,
                    stream=True,
                    stream_options={"include_usage": True},
                ) as events:
                    async for event in events:
                        for choice in event.choices:
                            texts.append(choice.delta.content or "")
                            reason = choice.finish_reason or reason
                        if event.usage is not None:
                            tokens = event.usage.total_tokens
                _check("".join(texts), reason, tokens)

            return [
                *await contest.rows(
                    "openai: short reply", ours=alone, bare=bare, others={"openai package": package}, count=1000
                ),
                *await contest.rows("openai: short reply, in a runtime", ours=guarded, bare=bare, count=1000, bar=None),
            ]


@asynccontextmanager
async def _alone(url: str) -> AsyncIterator[Operation]:
    """The operation of the connector, without guard, span and deadline: aiohttp costs so little that these show."""
    connector = OpenAILLM(OpenAISettings(url=url, key=SecretStr("none"), model=_MODEL))
    await connector.start()

    async def ours(number: int) -> None:
        async with aclosing(connector.stream(prompt())) as chunks:
            check(fold([chunk async for chunk in chunks]), REPLY)

    yield ours
    await connector.stop()


async def _exchange(session: aiohttp.ClientSession, url: str) -> None:
    """As a program does that needs nothing but the text, the reason and the usage."""
    body = {
        "model": _MODEL,
        "messages": _MESSAGES,
        "max_tokens": LONGEST,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    texts: list[str] = []
    rest, reason, tokens = b"", None, 0
    async with session.post(url, data=json.dumps(body).encode(), headers=_HEADERS) as response:
        response.raise_for_status()
        async for raw in response.content.iter_any():
            *events, rest = (rest + raw).split(b"\n\n")
            for event in events:
                if event == b"data: [DONE]":
                    continue
                data = json.loads(event[6:])
                for choice in data["choices"]:
                    texts.append(choice["delta"].get("content") or "")
                    reason = choice["finish_reason"] or reason
                if data.get("usage"):
                    tokens = data["usage"]["total_tokens"]
    _check("".join(texts), reason, tokens)


def _check(text: str, reason: str | None, tokens: int) -> None:
    assert text == REPLY
    assert reason == "stop"
    assert tokens == TOKENS
