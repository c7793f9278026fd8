"""The component that reads web pages."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Literal

import anyio.to_thread
from pydantic import Field

from sre_core.components.base import Component, ComponentSettings
from sre_core.components.context import ComponentContext
from sre_core.components.node import InputPort, OutputPort
from sre_core.components.web.urls import check_web_address, read_each, url_list
from sre_core.connectors.base import import_drivers
from sre_core.errors import ComponentError
from sre_web.page import read_page

__all__ = ["WebReader", "WebReaderSettings"]

_ACCEPT = "text/html, application/xhtml+xml, text/*;q=0.9, application/json;q=0.8, */*;q=0.1"


class WebReaderSettings(ComponentSettings):
    """How pages are read."""

    format: Literal["markdown", "text"] = Field("markdown", description="What the content of each page is turned into.")
    include_links: bool = Field(default=False, description="Keep the addresses behind links.")
    max_characters: int = Field(100_000, ge=1, description="Characters of a page that are kept; the rest is cut off.")
    max_bytes: int = Field(2 * 2**20, ge=1, le=16 * 2**20, description="Bytes of the largest page that is read.")
    timeout: float = Field(30.0, gt=0, le=600, description="Seconds that a page may take to arrive.")


class WebReader(Component):
    """Reads web pages over plain HTTP and keeps their main text. It needs no key.

    `Results` is a list of `{url, title, content}`; one whose content was cut also has `truncated`. `FailedURLs` is a
    list of `{url, error}`: a page that fails does not stop the others. If all fail, `_error` is given too. URLs come
    as a list, as JSON, with commas between them, or as the results of a search.

    It runs no scripts, and reads no PDF. URLs are never trusted: none may lead to a private network.
    """

    name = "WebReader"
    settings_type = WebReaderSettings
    settings: WebReaderSettings
    inputs = (InputPort(name="URLs", description="The pages to read."),)
    outputs = (
        OutputPort(name="Results", default=True, description="The pages that were read."),
        OutputPort(name="FailedURLs", default=True, description="The pages that were not, and why."),
    )

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """Read all pages, some at a time."""
        urls = url_list(inputs.get("URLs"))
        await import_drivers("trafilatura")
        return await read_each(urls, partial(self._read, context))

    async def _read(self, context: ComponentContext, url: str) -> Mapping[str, Any]:
        check_web_address(url)
        asked = self.settings
        reply = await context.host.http.request(
            "GET", url, headers={"Accept": _ACCEPT}, timeout=asked.timeout, max_bytes=asked.max_bytes
        )
        if reply.status != 200:
            raise ComponentError(f"the page answers {reply.status}")
        read = partial(read_page, output=asked.format, links=asked.include_links)
        page = await anyio.to_thread.run_sync(
            read, reply.body, reply.headers.get("content-type", ""), reply.url, abandon_on_cancel=True
        )
        result = {"url": url, "title": page.title, "content": page.content[: asked.max_characters]}
        return {**result, "truncated": True} if len(page.content) > asked.max_characters else result
