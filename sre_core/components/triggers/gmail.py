"""A trigger for unread mail at Gmail."""

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import quote

from pydantic import Field

from sre_core.components.context import ComponentContext
from sre_core.components.triggers.base import Trigger, TriggerSettings
from sre_core.components.triggers.gmail_message import read_mail
from sre_core.components.web.api_settings import APICallSettings
from sre_core.components.web.oauth import OAuth
from sre_core.components.web.service import ask
from sre_core.errors import ComponentError

__all__ = ["GmailTrigger", "GmailTriggerSettings"]

_MAILS = 5


class GmailTriggerSettings(TriggerSettings):
    """Whose mail."""

    oauth_cred_id: str = Field(
        "", alias="oauth_cred_id", description="Secret of the vault that holds the tokens of the account."
    )


class GmailTrigger(Trigger):
    """Starts a workflow for each of the newest unread mails at Gmail, five at most.

    `Payload` is `{email: {id, threadId, labelIds, snippet, sizeEstimate, internalDate, headers, body: {text, html},
    attachments, isUnread}}`; attachments are named, not fetched. Mails stay unread, so that they come again the next
    time. Tokens are renewed when they end, and are in no log. Nothing in this runtime asks by itself from time to
    time: call the trigger from a scheduler of your own.
    """

    name = "GmailTrigger"
    settings_type = GmailTriggerSettings
    settings: GmailTriggerSettings
    base_url: ClassVar[str] = "https://gmail.googleapis.com/gmail/v1"

    async def payloads(self, inputs: Mapping[str, Any], context: ComponentContext) -> list[Any]:
        """The mails. Raises UnauthenticatedError and what else a request may raise."""
        name = self.settings.oauth_cred_id
        if not name:
            raise ComponentError("the trigger has no account", hint="set oauth_cred_id to a secret with its tokens")
        messages = f"{self.base_url}/users/me/messages"
        listed = await self._get(f"{messages}?labelIds=UNREAD&maxResults={_MAILS}", context)
        # No messages at all is no list at all.
        ids = [
            str(entry.get("id", ""))
            for entry in listed.get("messages") or []
            if isinstance(entry, Mapping) and "id" in entry
        ]
        return [
            read_mail(await self._get(f"{messages}/{quote(id_, safe='')}?format=full", context)) for id_ in ids[:_MAILS]
        ]

    async def _get(self, url: str, context: ComponentContext) -> Mapping[str, Any]:
        settings = APICallSettings(
            method="GET", url=url, oauth_service="OAuth2.0", oauth_con_id=self.settings.oauth_cred_id
        )
        authorization = (
            await OAuth(settings, self.node, context).authorization("GET", url, body=None, content_type="") or ""
        )
        token = authorization.removeprefix("Bearer ")
        headers = {"Authorization": authorization}
        answer = await ask(context, "GET", url, service="Gmail", key=token, headers=headers)
        if not isinstance(answer, Mapping):
            raise ComponentError("Gmail answered with something else than mail")
        return answer
