"""HuggingFace: a model of the Hub, for one of its tasks."""

import asyncio
import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar
from urllib.parse import quote

from pydantic import Field
from pydantic_core import from_json
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    retry_if_result,
    stop_after_attempt,
    wait_chain,
    wait_fixed,
)

from sre_core.components.base import Component, ComponentSettings, Flaw
from sre_core.components.context import ComponentContext
from sre_core.components.files import read_file, store_file
from sre_core.components.http_client import HTTPReply
from sre_core.components.llm.hugging_face_tasks import TASKS, Payload, make_payload, match_inputs
from sre_core.components.node import OutputPort
from sre_core.components.template import expand, expand_value
from sre_core.errors import ComponentError, UnavailableError
from sre_core.messages import File

__all__ = ["HuggingFace", "HuggingFaceSettings"]

_NOT_READY = 503


class HuggingFaceSettings(ComponentSettings):
    """A model of the Hub, and what it is used for."""

    access_token: str = Field(
        min_length=1, max_length=350, description="The token, which should be a secret: {{KEY(huggingface)}}."
    )
    model_name: str = Field(
        min_length=1, description="The model on the Hub, owner/name; or the URL of an Inference Endpoint."
    )
    model_task: str = Field(min_length=1, description='The task, such as "text-classification".')
    parameters: str | dict[str, Any] = Field(
        default="", description="Parameters of the task, a JSON object; placeholders name inputs."
    )
    disable_cache: bool = Field(default=False, description="Whether an answer of before may not be given again.")


class HuggingFace(Component):
    """Lets a model on the Hugging Face Hub do one of 26 tasks, by the Inference API (hf-inference).

    The inputs are those of the task: `Text`, `Image`, `Audio`; `Question` and `Context`; `Query` and `Table`;
    `Source_sentence` and `Sentences`; those that a task does not know become parameters. `Output` is the answer as
    Hugging Face gives it; an image, or sound, is a file of the agent.

    A model that is not ready is asked again after 5 and after 10 seconds. Unlike SmythOS, nothing else is asked for
    twice, and the task need not be the one that the input ports were made for.
    """

    name = "HuggingFace"
    settings_type = HuggingFaceSettings
    settings: HuggingFaceSettings
    outputs: ClassVar[tuple[OutputPort, ...]] = (OutputPort(name="Output", default=True, description="The answer."),)
    open_inputs = True
    open_outputs = True

    base_url: ClassVar[str] = "https://router.huggingface.co/hf-inference"
    waits: ClassVar[tuple[float, ...]] = (5.0, 10.0)
    """Seconds before each further try."""

    def check(self) -> Iterator[Flaw]:
        """Whether the task is one of Hugging Face's, and the parameters are an object."""
        task = self.settings.model_task
        if task not in TASKS:
            yield Flaw(f"Hugging Face has no task {task!r}", "modelTask", f"there are {', '.join(TASKS)}")
        yield from Flaw.raised_by(self._parameters, "parameters")

    async def pause(self, seconds: float) -> None:
        """Wait before a further try."""
        await asyncio.sleep(seconds)

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """Ask the model."""
        for flaw in self.check():
            raise ComponentError(flaw.message, hint=flaw.hint)
        payload = await self._payload(inputs, context)
        token = await expand(self.settings.access_token, {}, context, node=self.node)
        reply = await self._send(payload, token, context)
        _raise_for_status(reply, self.settings.model_name, token)
        return {"Output": await _read(reply, context)}

    async def _payload(self, inputs: Mapping[str, Any], context: ComponentContext) -> Payload:
        task = TASKS[self.settings.model_task]
        found, rest = match_inputs(task, inputs)
        for wanted, value in found.items():
            if wanted.kind == "file":
                found[wanted] = await read_file(value, context, name=wanted.name)
        parameters = await expand_value(self._parameters(), inputs, context, node=self.node)
        return make_payload(task, found, {**parameters, **rest})

    def _parameters(self) -> dict[str, Any]:
        given = self.settings.parameters
        if isinstance(given, str):
            # Read before placeholders are filled: no input can add a parameter.
            try:
                given = from_json(given) if given.strip() else {}
            except ValueError as error:
                raise ComponentError("the parameters are no JSON", hint='write {"top_k": 3}') from error
        if not isinstance(given, dict):
            raise ComponentError("the parameters are no JSON object", hint='write {"top_k": 3}')
        return given

    async def _send(self, payload: Payload, token: str, context: ComponentContext) -> HTTPReply:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": payload.media_type}
        if self.settings.disable_cache:
            headers["x-use-cache"] = "false"

        async def send() -> HTTPReply:
            return await context.host.http.request(
                "POST", self._url(), trusted=True, headers=headers, data=payload.data
            )

        tries = AsyncRetrying(
            retry=retry_if_result(lambda reply: reply.status == _NOT_READY) | retry_if_exception_type(UnavailableError),
            wait=wait_chain(*(wait_fixed(seconds) for seconds in self.waits)),
            stop=stop_after_attempt(len(self.waits) + 1),
            sleep=self.pause,
            retry_error_callback=_last,
        )
        return await tries(send)

    def _url(self) -> str:
        model = self.settings.model_name.strip()
        if model.startswith(("https://", "http://")):
            return model
        url = f"{self.base_url}/models/{quote(model, safe='/')}"
        task = self.settings.model_task
        return f"{url}/pipeline/{task}" if TASKS[task].pipeline else url


def _last(state: RetryCallState) -> Any:
    """What the last try gave: a reply, or its own error."""
    assert state.outcome is not None  # noqa: S101 -- a try that ended has one
    return state.outcome.result()


def _raise_for_status(reply: HTTPReply, model: str, token: str) -> None:
    if reply.status < 400:
        return
    # Some servers repeat what they were sent.
    said = _said(reply.body.replace(token.encode(), b"[token]") if token else reply.body)
    if reply.status == _NOT_READY:
        raise UnavailableError(f"the model {model!r} is not ready{said}", hint="try again in a minute")
    hints = {
        401: "check the access token",
        403: "the token needs the permission to use Inference Providers",
        404: "check the name of the model, and whether hf-inference serves it",
        429: "wait, or use a token of an account with more credit",
    }
    raise ComponentError(f"Hugging Face answered {reply.status} for {model!r}{said}", hint=hints.get(reply.status))


def _said(body: bytes) -> str:
    try:
        found = from_json(body)
    except ValueError:
        found = body.decode(errors="replace")
    message = found.get("error", found) if isinstance(found, dict) else found
    text = str(message).strip()[:500]
    return f": {text}" if text else ""


async def _read(reply: HTTPReply, context: ComponentContext) -> Any:
    media_type = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "application/json" or not media_type:
        try:
            return await _with_files(from_json(reply.body), context)
        except ValueError as error:
            raise ComponentError("Hugging Face answered with broken JSON", hint="try again") from error
    if media_type.startswith("text/"):
        return reply.body.decode(errors="replace")
    return await store_file(File(name=media_type.partition("/")[0], media_type=media_type, data=reply.body), context)


async def _with_files(answer: Any, context: ComponentContext) -> Any:
    """The answer, with a file for each sound that audio-to-audio packs into it."""
    if not isinstance(answer, list):
        return answer
    found = []
    for item in answer:
        if isinstance(item, dict) and isinstance(item.get("blob"), str) and "content-type" in item:
            try:
                data = base64.b64decode(item["blob"], validate=True)
            except binascii.Error as error:
                raise ComponentError("Hugging Face answered with broken base64", hint="try again") from error
            name = str(item.get("label") or "audio")
            item = {
                **item,
                "blob": await store_file(File(name=name, media_type=item["content-type"], data=data), context),
            }
        found.append(item)
    return found
