"""The text of web pages, read with Scrapfly."""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar, Literal
from urllib.parse import urlencode

from pydantic import Field

from sre_core.components.base import Component, ComponentSettings
from sre_core.components.context import ComponentContext
from sre_core.components.node import InputPort, OutputPort
from sre_core.components.template import read_secret
from sre_core.components.web.service import ask
from sre_core.components.web.urls import check_web_address, read_each, url_list
from sre_core.errors import ComponentError

__all__ = ["ScrapflyWebScrape", "ScrapflyWebScrapeSettings"]

_SECRET = "scrapfly"  # noqa: S105 -- the name of a secret, and no secret
_TIMEOUT = 160.0
"""Seconds: Scrapfly itself gives up after 155."""
_BUDGET = 80
"""Credits that one page may cost when protections are worked around, which can take several tries."""


class ScrapflyWebScrapeSettings(ComponentSettings):
    """How pages are read."""

    format: Literal["markdown", "text", "clean_html", "raw", "json"] = Field(
        "markdown", description="What the content of each page is turned into."
    )
    anti_scraping_protection: bool = Field(
        default=False, description="Work around protections against scraping; costs more credits."
    )
    javascript_rendering: bool = Field(
        default=False, description="Run the scripts of the page in a browser; costs more credits."
    )
    auto_scroll: bool = Field(default=False, description="Scroll to the end of the page; runs its scripts too.")
    countries: tuple[str, ...] = Field(
        (), description="Countries to send requests from, by two letters; one of them is picked."
    )


class ScrapflyWebScrape(Component):
    """Reads web pages with Scrapfly. The key is the secret `scrapfly` of the agent or its team.

    `Results` is a list of `{url, content}`, `FailedURLs` one of `{url, error}`: a page that fails does not stop the
    others. If all fail, `_error` is given too. URLs come as a list, as JSON, with commas between them, or as the
    results of a search.
    """

    name = "ScrapflyWebScrape"
    aliases = ("WebScrape",)
    settings_type = ScrapflyWebScrapeSettings
    settings: ScrapflyWebScrapeSettings
    inputs = (InputPort(name="URLs", description="The pages to read."),)
    outputs = (
        OutputPort(name="Results", default=True, description="The pages that were read."),
        OutputPort(name="FailedURLs", default=True, description="The pages that were not, and why."),
    )
    open_inputs = True
    base_url: ClassVar[str] = "https://api.scrapfly.io"

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """Read all pages, some at a time."""
        urls = url_list(inputs.get("URLs"))
        key = await read_secret(_SECRET, context)
        return await read_each(urls, partial(self._read, key=key, context=context))

    async def _read(self, url: str, *, key: str, context: ComponentContext) -> Mapping[str, Any]:
        check_web_address(url)
        query = urlencode({"key": key, "url": url, **self._options()})
        answer = await ask(
            context, "GET", f"{self.base_url}/scrape?{query}", service="Scrapfly", key=key, timeout=_TIMEOUT
        )
        result = answer.get("result") if isinstance(answer, Mapping) else None
        if not isinstance(result, Mapping) or not isinstance(result.get("content"), str):
            raise ComponentError("Scrapfly answered without the content of the page")
        if result.get("success") is False:
            raise ComponentError(f"the page could not be read: {_reason(result)}")
        return {"url": url, "content": result["content"]}

    def _options(self) -> dict[str, str]:
        asked = self.settings
        options: dict[str, str] = {"format": asked.format}
        if asked.anti_scraping_protection:
            options |= {"asp": "true", "cost_budget": str(_BUDGET)}
        if asked.javascript_rendering or asked.auto_scroll:
            options["render_js"] = "true"
        if asked.auto_scroll:
            options["auto_scroll"] = "true"
        if asked.countries:
            options["country"] = ",".join(country.strip().lower() for country in asked.countries)
        return options


def _reason(result: Mapping[str, Any]) -> str:
    error = result.get("error")
    said = error.get("message") if isinstance(error, Mapping) else error
    return str(said or f"it answered {result.get('status_code', 'with an error')}")
