"""Models of Anthropic against the `anthropic` package on aiohttp: one short prompt, its reply streamed."""

from pathlib import Path

import anthropic

from benchmarks.connectors.contest import Contest
from benchmarks.connectors.models import LONGEST, PROMPT, REPLY, TOKENS, asking, server
from benchmarks.result import Row

__all__ = ["measure"]

_MODEL = "claude-haiku-5-5"


async def measure(contest: Contest, folder: Path) -> list[Row]:
    """On a server that always gives the same reply."""
    with server(folder) as url:
        async with (
            asking(folder, use="anthropic", url=url, key="none", model=_MODEL) as ours,
            anthropic.AsyncAnthropic(
                api_key="none", base_url=url, max_retries=0, http_client=anthropic.DefaultAioHttpClient()
            ) as client,
        ):

            async def bare(number: int) -> None:
                texts, reason, tokens = [], None, 0
                async with await client.messages.create(
                    model=_MODEL, max_tokens=LONGEST, messages=[{"role": "user", "content": PROMPT}], stream=True
                ) as events:
                    async for event in events:
                        if event.type == "content_block_delta" and event.delta.type == "text_delta":
                            texts.append(event.delta.text)
                        elif event.type == "message_start":
                            tokens = event.message.usage.input_tokens
                        elif event.type == "message_delta":
                            reason = event.delta.stop_reason
                            tokens += event.usage.output_tokens
                assert "".join(texts) == REPLY
                assert reason == "end_turn"
                assert tokens == TOKENS

            return await contest.rows("anthropic: short reply", ours=ours, bare=bare, count=600)
