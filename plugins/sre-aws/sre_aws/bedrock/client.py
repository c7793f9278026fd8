"""The two clients of the driver for Bedrock: one asks models, the other lists them. Only `start` imports this."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import suppress
from typing import Any

from sre_aws.bedrock.embeddings import batch_size, embedding_body, vectors_of
from sre_aws.bedrock.errors import FOREIGN, translated
from sre_aws.bedrock.request import Call
from sre_aws.bedrock.response import StreamReader
from sre_aws.bedrock.settings import BedrockSettings
from sre_aws.bedrock.traits import family
from sre_aws.errors import error_code
from sre_aws.session import AwsClient
from sre_core.connectors.llm import LLMChunk, ModelInfo
from sre_core.errors import ConnectorError, UnauthenticatedError, UnavailableError

__all__ = ["Bedrock"]

_TOGETHER = 16
_MOMENT = 0.2
"""Seconds to wait for the end of a reply of which all is known: about what a new connection would take."""


class Bedrock:
    """Models on Bedrock."""

    def __init__(self, settings: BedrockSettings) -> None:
        # Else a token in the environment would win over the keys or the profile that the settings name.
        named = settings.access_key_id is not None or settings.profile is not None
        signed = {"auth_scheme_preference": "sigv4"} if named else {}
        # Its own check of parameters walks through the whole conversation at each turn.
        self._runtime = AwsClient("bedrock-runtime", settings, {"parameter_validation": False, **signed})
        self._control = AwsClient("bedrock", settings, signed)
        self._dimensions = settings.embedding_dimensions
        self._under_way: set[Any] = set()
        self._listing = asyncio.Lock()
        self._listable = False

    async def open(self) -> None:
        """Find credentials and region; asks AWS nothing. Raises UnauthenticatedError, ConfigError."""
        await self._runtime.open()

    async def close(self) -> None:
        """Close all connections; what is under way breaks off."""
        self._listable = False
        # A reader that waits would not notice that its connection is closed.
        for events in list(self._under_way):
            events.close()
        await self._runtime.close()
        await self._control.close()

    async def stream(self, call: Call, *, model: str) -> AsyncGenerator[LLMChunk]:
        """Ask, and read the reply as it comes. Raises ConnectorErrors; closing it early hangs up."""
        what = f"asking {model!r}"
        runtime = self._runtime
        reader = StreamReader(family(model), call.stops)
        try:
            response = await runtime.driver.converse_stream(**call.parameters)
            events = response["stream"]
            self._under_way.add(events)
            try:
                told = aiter(events)
                async for event in told:
                    for chunk in reader.read(event):
                        yield chunk
                    if reader.done:
                        break
                if reader.done and not reader.hangs_up:
                    await _read_out(told)
            finally:
                self._under_way.discard(events)
                events.close()
        except FOREIGN as error:
            raise translated(error, what, at=runtime.at) from error
        if not reader.stopped:
            raise UnavailableError(f"{what}: the reply of {runtime.at} ended before it was complete", hint="try again")
        if not reader.done:
            yield reader.last()

    async def embed(self, texts: Sequence[str], *, model: str) -> list[list[float]]:
        """Vectors, several requests at once. Raises ConnectorErrors."""
        size = batch_size(model)
        free = asyncio.Semaphore(_TOGETHER)
        batches = [texts[start : start + size] for start in range(0, len(texts), size)]

        async def one(batch: Sequence[str]) -> list[list[float]]:
            async with free:
                return await self._embed(batch, model)

        tasks = [asyncio.create_task(one(batch)) for batch in batches]
        try:
            vectors = [vector for found in await asyncio.gather(*tasks) for vector in found]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        # Of one request for each text, no single reply shows that they differ.
        if len({len(vector) for vector in vectors}) != 1 or not vectors[0]:
            raise ConnectorError(
                f"embedding with {model!r}: {self._runtime.at} sent vectors that are empty, or of different lengths",
                hint="check embedding_model, and the setting url",
            )
        return vectors

    async def _embed(self, texts: Sequence[str], model: str) -> list[list[float]]:
        what, runtime = f"embedding with {model!r}", self._runtime
        body = json.dumps(embedding_body(model, texts, self._dimensions)).encode()
        try:
            response = await runtime.driver.invoke_model(
                modelId=model, body=body, contentType="application/json", accept="application/json"
            )
            async with response["body"] as content:
                found = vectors_of(model, json.loads(await content.read()))
            if len(found) != len(texts):
                raise ValueError("not a vector for each text")
        except FOREIGN as error:
            raise translated(error, what, at=runtime.at) from error
        return found

    async def models(self) -> list[ModelInfo]:
        """The models that write text and stream, and the inference profiles. Raises ConnectorErrors."""
        await self._open_control()
        control, what = self._control, "listing the models"
        try:
            listed = await control.driver.list_foundation_models(byOutputModality="TEXT")
            found = [
                model["modelId"]
                for model in listed["modelSummaries"]
                if model.get("responseStreamingSupported") and "ON_DEMAND" in model.get("inferenceTypesSupported", ())
            ]
            async for page in control.driver.get_paginator("list_inference_profiles").paginate():
                found += [profile["inferenceProfileId"] for profile in page["inferenceProfileSummaries"]]
        except FOREIGN as error:
            raise translated(error, what, at=control.at) from error
        return [ModelInfo(id=name) for name in dict.fromkeys(found)]

    async def check(self) -> None:
        """Return when AWS knows who is asking, though they may not list models. Raises ConnectorErrors."""
        try:
            await self.models()
        except UnauthenticatedError as error:
            cause = error.__cause__
            if not isinstance(cause, Exception) or error_code(cause) != "AccessDeniedException":
                raise

    async def _open_control(self) -> None:
        async with self._listing:
            if not self._listable:
                await self._control.open()
                self._listable = True


async def _read_out(told: AsyncIterator[object]) -> None:
    """Let a reply end, so that its connection can be used again, and nothing is left for the event loop to tidy up."""
    with suppress(*FOREIGN):
        async with asyncio.timeout(_MOMENT):
            async for _ in told:
                pass
