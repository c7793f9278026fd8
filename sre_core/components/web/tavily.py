"""A search in the web with Tavily."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from sre_core.components.base import Component, ComponentSettings
from sre_core.components.context import ComponentContext
from sre_core.components.node import InputPort, OutputPort
from sre_core.components.template import as_text, read_secret
from sre_core.components.web.service import ask
from sre_core.errors import ComponentError

__all__ = ["TavilyWebSearch", "TavilyWebSearchSettings"]

_SECRET = "tavily"  # noqa: S105 -- the name of a secret, and no secret


class TavilyWebSearchSettings(ComponentSettings):
    """What to search for, and how much of it to return."""

    sources_limit: int = Field(10, ge=1, le=20, description="Most results to return.")
    search_topic: Literal["general", "news", "finance"] = Field("general", description="Kind of sources to search in.")
    include_images: bool = Field(default=False, description="Also search for images; gives the output Images.")
    include_qas: bool = Field(
        default=False, alias="includeQAs", description="Also let Tavily answer the query; gives the output Answer."
    )
    include_raw_content: bool = Field(default=False, description="Give each result the text of its whole page.")
    time_range: Literal["day", "week", "month", "year"] | None = Field(
        None, description="Only what was published within this time; none searches all."
    )
    exclude_domains: str = Field("", description="Domains that no result may come from, with commas between them.")

    @field_validator("time_range", mode="before")
    @classmethod
    def _no_time(cls, value: Any) -> Any:
        """Files write the word."""
        return None if value == "None" else value


class TavilyWebSearch(Component):
    """Searches the web with Tavily. The key is the secret `tavily` of the agent or its team.

    `Results` is a list of `{title, url, content, score}`, with `raw_content` if asked for. `Images` and `Answer` are
    given only if asked for. Unlike in SmythOS the key travels in a header, not in the body.
    """

    name = "TavilyWebSearch"
    aliases = ("WebSearch",)
    settings_type = TavilyWebSearchSettings
    settings: TavilyWebSearchSettings
    inputs = (InputPort(name="SearchQuery", type="Text", description="What to search for."),)
    outputs = (
        OutputPort(name="Results", default=True, description="What was found, the best first."),
        OutputPort(name="Images", default=True, description="Addresses of images, if asked for."),
        OutputPort(name="Answer", default=True, description="A short answer to the query, if asked for."),
    )
    base_url: ClassVar[str] = "https://api.tavily.com"

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """Search."""
        query = as_text(inputs.get("SearchQuery") or "").strip()
        if not query:
            raise ComponentError("there is nothing to search for", hint="give the input SearchQuery a text")
        key = await read_secret(_SECRET, context)
        answer = await ask(
            context,
            "POST",
            f"{self.base_url}/search",
            service="Tavily",
            key=key,
            headers={"Authorization": f"Bearer {key}"},
            body=self._body(query),
        )
        if not isinstance(answer, Mapping) or not isinstance(answer.get("results"), list):
            raise ComponentError("Tavily answered without a list of results")
        outputs: dict[str, Any] = {"Results": answer["results"]}
        if self.settings.include_images:
            outputs["Images"] = answer.get("images") or []
        if self.settings.include_qas:
            outputs["Answer"] = answer.get("answer") or ""
        return outputs

    def _body(self, query: str) -> dict[str, Any]:
        asked = self.settings
        body: dict[str, Any] = {
            "query": query,
            "topic": asked.search_topic,
            "max_results": asked.sources_limit,
            "include_images": asked.include_images,
            "include_answer": asked.include_qas,
            "include_raw_content": asked.include_raw_content,
        }
        if asked.time_range:
            body["time_range"] = asked.time_range
        if excluded := [domain for part in asked.exclude_domains.split(",") if (domain := part.strip())]:
            body["exclude_domains"] = excluded
        return body
