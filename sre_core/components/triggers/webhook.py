"""A trigger for web hooks of any service."""

import json
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import parse_qsl

from pydantic import Field

from sre_core.components.context import ComponentContext, Request
from sre_core.components.template import expand
from sre_core.components.triggers.base import HTTPAnswer, Trigger, TriggerSettings
from sre_core.components.triggers.signature import check_signature, header
from sre_core.errors import ComponentError

__all__ = ["WebhookTrigger", "WebhookTriggerSettings"]


class WebhookTriggerSettings(TriggerSettings):
    """Whether requests must be signed, and how."""

    secret: str = Field("", description="Secret that the sender signs with, such as {{KEY(hook)}}; empty takes all.")
    signature_header: str = Field("X-Hub-Signature-256", description="Header with the signature, in hex.")
    algorithm: Literal["sha1", "sha256", "sha512"] = Field("sha256", description="Hash of the HMAC.")


class WebhookTrigger(Trigger):
    """Starts a workflow for each request to its address: `Payload` is the body, or the query of a GET.

    With a secret, a request counts only if it has the HMAC of its raw body in a header, as GitHub and many others
    send it, and `Payload` is read from these very bytes, JSON or a form. A GET has no body to sign, and is refused
    then. SmythOS has no such trigger of its own.
    """

    name = "WebhookTrigger"
    settings_type = WebhookTriggerSettings
    settings: WebhookTriggerSettings

    async def handle(self, request: Request, context: ComponentContext) -> HTTPAnswer | None:
        """A refusal for what is not signed as it must be."""
        try:
            await self._check(request, context)
        except ComponentError as error:
            return HTTPAnswer(status=403, body=error.message)
        return None

    async def payloads(self, inputs: Mapping[str, Any], context: ComponentContext) -> list[Any]:
        """The one of this request. Raises ComponentError for what is not signed as it must be."""
        request = context.request
        await self._check(request, context)
        # What was signed, and nothing that came beside it.
        return [_read(request.raw) if self.settings.secret else dict(request.input)]

    async def _check(self, request: Request, context: ComponentContext) -> None:
        if not self.settings.secret:
            return
        if request.method.upper() == "GET":
            raise ComponentError("a GET has no body that could be signed", hint="let the sender use POST")
        secret = await expand(self.settings.secret, {}, context, node=self.node, missing="empty")
        name = self.settings.signature_header
        signature = header(request.headers, name)
        check_signature(request.raw, signature, secret, algorithm=self.settings.algorithm, name=name)


def _read(raw: bytes) -> dict[str, Any]:
    """The body of a signed request: JSON, else a form. What is neither an object nor a form stands under `body`."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return dict(parse_qsl(raw.decode(errors="replace"), keep_blank_values=True))
    return found if isinstance(found, dict) else {"body": found}
