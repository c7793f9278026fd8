"""Gemini models against `google-genai` on aiohttp: one short prompt, its reply streamed."""

from pathlib import Path

from google import genai
from google.genai import types

from benchmarks.connectors.contest import Contest
from benchmarks.connectors.models import LONGEST, PROMPT, REPLY, TOKENS, asking, server
from benchmarks.result import Row

__all__ = ["measure"]

_MODEL = "gemini-3.8-flash"
_CONFIG = types.GenerateContentConfig(max_output_tokens=LONGEST)


async def measure(contest: Contest, folder: Path) -> list[Row]:
    """On a server that always gives the same reply."""
    with server(folder) as url:
        options = types.HttpOptions(base_url=url, api_version="v1beta")
        client = genai.Client(vertexai=False, api_key="none", http_options=options).aio
        async with asking(folder, use="google", url=url, key="none", model=_MODEL) as ours:

            async def bare(number: int) -> None:
                texts, reason, tokens = [], None, 0
                async for piece in await client.models.generate_content_stream(
                    model=_MODEL, contents=PROMPT, config=_CONFIG
                ):
                    texts.append(piece.text or "")
                    for candidate in piece.candidates or ():
                        reason = candidate.finish_reason or reason
                    if piece.usage_metadata is not None:
                        tokens = piece.usage_metadata.total_token_count or 0
                assert "".join(texts) == REPLY
                assert reason is types.FinishReason.STOP
                assert tokens == TOKENS

            try:
                return await contest.rows("google: short reply", ours=ours, bare=bare, count=400)
            finally:
                await client.aclose()
