"""APICall: sends one HTTP request, and gives what came back."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

from sre_core.components.base import Component, Flaw
from sre_core.components.context import ComponentContext
from sre_core.components.node import OutputPort
from sre_core.components.web.api_body import check_body
from sre_core.components.web.api_links import TemporaryLinks
from sre_core.components.web.api_request import APIRequest, build_request, parse_headers, pick_proxy
from sre_core.components.web.api_response import read_response
from sre_core.components.web.api_settings import APICallSettings
from sre_core.components.web.oauth import OAuth
from sre_core.components.web.urls import check_own_url
from sre_core.errors import ComponentError

__all__ = ["APICall"]

# Servers that have several forms of an answer give the one that comes first.
_ACCEPT = "application/json, text/plain, */*"


class APICall(Component):
    """Sends one HTTP request and gives the reply: JSON as data, text as text, anything else as a file.

    `Response` is the body, `Headers` are the headers with names in lower case. A status other than 200 to 299 gives
    both, and `_error` beside them. When no reply came there is only `_error`. Nothing is tried twice.

    Inputs are filled into the URL, the headers and the body, each encoded for the place where it stands, so that it
    stays one value there. Only a host that the author wrote may be of a private network; one that an input names must
    be public.

    Other than in SmythOS, bodies of XML and of type `none` are filled too; headers that are no JSON are an error;
    a request that takes too long or a reply that is too large is an error; inputs never name variables and secrets.
    """

    name = "APICall"
    settings_type = APICallSettings
    outputs = (
        OutputPort(name="Response", default=True, description="The body of the reply."),
        OutputPort(name="Headers", default=True, description="The headers of the reply, by name in lower case."),
    )
    open_inputs = True
    open_outputs = True
    settings: APICallSettings

    def choose(self, proxies: Sequence[str]) -> str:
        """One of the proxies. At random; a subclass may have another way."""
        return random.choice(proxies)  # noqa: S311 -- no secret hangs on it

    def check(self) -> list[Flaw]:
        """A URL that no request can go to, headers and a body that are no JSON where they must be."""
        settings = self.settings
        return [
            *Flaw.raised_by(lambda: check_own_url(settings.url), "url"),
            *Flaw.raised_by(lambda: parse_headers(settings.headers), "headers"),
            *Flaw.raised_by(lambda: check_body(settings.content_type, settings.body), "body"),
        ]

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """Send the request. Raises ComponentError, UnavailableError, DeadlineError, and what OAuth and files raise."""
        settings = self.settings
        async with TemporaryLinks(context, settings.timeout) as links:
            request = await build_request(settings, inputs, context, node=self.node, share=links.share)
            proxy = await pick_proxy(settings.proxy, inputs, context, node=self.node, choose=self.choose)
            reply = await context.host.http.request(
                request.method,
                request.url,
                trusted=request.trusted,
                headers={"accept": _ACCEPT, **await self._signed(request, context)},
                data=request.data,
                proxy=proxy,
                timeout=settings.timeout,
                max_bytes=settings.max_bytes,
            )
        return await read_response(reply, context)

    async def _signed(self, request: APIRequest, context: ComponentContext) -> Mapping[str, str]:
        oauth = OAuth(self.settings, self.node, context)
        if oauth.is_used and request.foreign:
            raise ComponentError(
                "tokens of OAuth are not sent to a host that an input names", hint="write the host into the URL"
            )
        authorization = await oauth.authorization(
            request.method, request.url, body=request.data, content_type=request.headers.get("content-type", "")
        )
        return request.headers if authorization is None else {**request.headers, "authorization": authorization}
