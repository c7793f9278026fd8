"""A trigger for messages to a WhatsApp Business account."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from sre_core.components.context import ComponentContext, Request
from sre_core.components.template import expand
from sre_core.components.triggers.base import HTTPAnswer, Trigger, TriggerSettings
from sre_core.components.triggers.signature import check_signature, header, same_text
from sre_core.errors import ComponentError

__all__ = ["WhatsAppTrigger", "WhatsAppTriggerSettings"]

_SIGNATURE = "X-Hub-Signature-256"


class WhatsAppTriggerSettings(TriggerSettings):
    """The app at Meta that messages come from. Each may be a template, such as {{KEY(whatsapp)}}."""

    verify_token: str = Field("", description="Word that Meta's check of the address has to bring along.")
    client_secret: str = Field("", description="App secret, which Meta signs messages with.")
    app_secret: str = Field("", description="The same; used where clientSecret is empty.")
    client_id: str = Field("", description="App id.")
    app_id: str = Field("", description="The same; used where clientId is empty.")
    webhook_url: str = Field("", description="Address that Meta sends to, as it is entered there.")


class WhatsAppTrigger(Trigger):
    """Starts a workflow for each message to a WhatsApp Business account.

    `Payload` is `{message: {id, from, profileName, text, type, timestamp, phoneNumberId}}`; `text` is "" for what is
    no text. Reports of delivery start nothing. Meta's check of the address is answered with its challenge.

    Unlike in SmythOS every message must be signed with the app secret, and all messages of a request count, not the
    first alone. The address is entered at Meta by hand: this trigger subscribes to nothing by itself.
    """

    name = "WhatsAppTrigger"
    settings_type = WhatsAppTriggerSettings
    settings: WhatsAppTriggerSettings

    async def handle(self, request: Request, context: ComponentContext) -> HTTPAnswer | None:
        """The challenge of Meta's check, or a refusal; None for signed messages."""
        if request.method.upper() == "GET":
            return await self._verify(request, context)
        try:
            await self._check(request, context)
        except ComponentError as error:
            return HTTPAnswer(status=403, body=error.message)
        return None

    async def payloads(self, inputs: Mapping[str, Any], context: ComponentContext) -> list[Any]:
        """The messages of this request. Raises ComponentError for one that Meta did not sign, or that is no JSON."""
        request = context.request
        await self._check(request, context)
        try:
            body = json.loads(request.raw)
        except (ValueError, RecursionError) as error:
            raise ComponentError("the request from WhatsApp is not JSON") from error
        return list(_messages(body))

    async def _verify(self, request: Request, context: ComponentContext) -> HTTPAnswer:
        expected = await self._text(self.settings.verify_token, context)
        given = str(request.query.get("hub.verify_token", ""))
        asked = request.query.get("hub.mode") == "subscribe"
        if asked and expected and same_text(given, expected):
            return HTTPAnswer(body=str(request.query.get("hub.challenge", "")))
        return HTTPAnswer(status=403, body="the verify token is wrong")

    async def _check(self, request: Request, context: ComponentContext) -> None:
        secret = await self._text(self.settings.client_secret or self.settings.app_secret, context)
        if not secret:
            raise ComponentError(
                "the trigger has no app secret, so nobody can tell who sent a message",
                hint="set clientSecret to the app secret at Meta, best as {{KEY(name)}}",
            )
        signature = header(request.headers, _SIGNATURE)
        check_signature(request.raw, signature, secret, algorithm="sha256", name=_SIGNATURE)

    async def _text(self, setting: str, context: ComponentContext) -> str:
        return await expand(setting, {}, context, node=self.node, missing="empty")


def _messages(body: Any) -> Iterator[Mapping[str, Any]]:
    for entry in _list(body, "entry"):
        for change in _list(entry, "changes"):
            value = _mapping(change, "value")
            number = str(_mapping(value, "metadata").get("phone_number_id", ""))
            names = {
                contact.get("wa_id"): _mapping(contact, "profile").get("name", "")
                for contact in _list(value, "contacts")
                if isinstance(contact, Mapping)
            }
            for message in _list(value, "messages"):
                if isinstance(message, Mapping):
                    yield {"message": _message(message, names, number)}


def _message(message: Mapping[str, Any], names: Mapping[Any, Any], number: str) -> dict[str, Any]:
    sender = message.get("from", "")
    return {
        "id": message.get("id", ""),
        "from": sender,
        "profileName": names.get(sender, "") if isinstance(sender, str) else "",
        "text": _mapping(message, "text").get("body", ""),
        "type": message.get("type", ""),
        "timestamp": message.get("timestamp", ""),
        "phoneNumberId": number,
    }


def _list(value: Any, key: str) -> list[Any]:
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, list) else []


def _mapping(value: Any, key: str) -> Mapping[str, Any]:
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else {}
