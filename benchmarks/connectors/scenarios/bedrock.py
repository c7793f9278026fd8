"""Models on Amazon Bedrock against aiobotocore: one short prompt, its reply streamed."""

from pathlib import Path

from aiobotocore.config import AioConfig  # type: ignore[import-untyped]
from aiobotocore.session import get_session  # type: ignore[import-untyped]

from benchmarks.connectors.contest import AT_ONCE, Contest
from benchmarks.connectors.models import LONGEST, PROMPT, REPLY, TOKENS, asking, server
from benchmarks.result import Row

__all__ = ["measure"]

_MODEL = "us.anthropic.claude-haiku-5-5"
_KEY_ID, _SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
_OURS = {"access_key_id": _KEY_ID, "secret_access_key": _SECRET, "region": "us-east-1"}
_THEIRS = {"aws_access_key_id": _KEY_ID, "aws_secret_access_key": _SECRET, "region_name": "us-east-1"}


async def measure(contest: Contest, folder: Path) -> list[Row]:
    """On a server that always gives the same reply."""
    with server(folder) as url:
        config = AioConfig(max_pool_connections=AT_ONCE, retries={"total_max_attempts": 1})
        async with (
            asking(folder, use="bedrock", url=url, model=_MODEL, **_OURS) as ours,
            get_session().create_client("bedrock-runtime", endpoint_url=url, config=config, **_THEIRS) as client,
        ):

            async def bare(number: int) -> None:
                texts, reason, tokens = [], None, 0
                reply = await client.converse_stream(
                    modelId=_MODEL,
                    messages=[{"role": "user", "content": [{"text": PROMPT}]}],
                    inferenceConfig={"maxTokens": LONGEST},
                )
                async for event in reply["stream"]:
                    if "contentBlockDelta" in event:
                        texts.append(event["contentBlockDelta"]["delta"]["text"])
                    elif "messageStop" in event:
                        reason = event["messageStop"]["stopReason"]
                    elif "metadata" in event:
                        tokens = event["metadata"]["usage"]["totalTokens"]
                assert "".join(texts) == REPLY
                assert reason == "end_turn"
                assert tokens == TOKENS

            return await contest.rows("bedrock: short reply", ours=ours, bare=bare, count=400)
