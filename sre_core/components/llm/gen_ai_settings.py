"""Settings of GenAILLM beyond those of a prompt: context, reasoning, and search by the provider."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from pydantic import Field, field_validator

from sre_core.components.llm.settings import PromptSettings, split_list
from sre_core.connectors.llm import LLMRequest

__all__ = ["GenAISettings"]

_DATE = r"^\d{4}-\d{2}-\d{2}$"


class GenAISettings(PromptSettings):
    """A model, what it is told, what it knows, and how it thinks and searches."""

    use_system_prompt: bool = Field(default=False, description="Whether the agent's behavior goes before the prompt.")
    use_context_window: bool = Field(
        default=False, description="Whether the model sees what was said so far in the chat of the request."
    )
    max_context_window_length: int = Field(
        default=1024, ge=0, description="How much of the chat it sees, in tokens; the newest messages, each whole."
    )
    verbosity: Literal["low", "medium", "high"] | None = Field(default=None, description="How long replies are.")
    use_reasoning: bool = Field(default=False, description="Whether the model thinks before it answers, if it can.")
    reasoning_effort: Literal["none", "default", "minimal", "low", "medium", "high", "xhigh"] | None = Field(
        default=None, description="How hard it thinks."
    )
    max_thinking_tokens: int | None = Field(default=None, ge=1, description="The most tokens to think with.")

    use_web_search: bool = Field(default=False, description="Whether the provider searches the web for the model.")
    web_search_context_size: Literal["high", "medium", "low"] | None = Field(
        default=None, description="How much of what it finds the model reads."
    )
    web_search_city: str = Field(default="", max_length=100, description="The city of who asks.")
    web_search_country: str = Field(default="", max_length=100, description="Their country, in two letters.")
    web_search_region: str = Field(default="", max_length=100, description="Their region or state.")
    web_search_timezone: str = Field(default="", max_length=100, description='Their time zone, as "Europe/Vienna".')

    use_search: bool = Field(default=False, description="Whether xAI searches for the model.")
    search_mode: Literal["auto", "on", "off"] | None = Field(
        default=None, description="Off forbids the search; the model decides with both others."
    )
    search_data_sources: list[Literal["web", "x", "news", "rss"]] = Field(
        default_factory=list, max_length=4, description="Where to search; X and the web if nothing is said."
    )
    excluded_websites: str = Field(default="", description="Hosts to leave out, with commas between.")
    allowed_websites: str = Field(default="", description="The only hosts to search, with commas between.")
    included_x_handles: str = Field(default="", description="The only accounts of X to search.")
    excluded_x_handles: str = Field(default="", description="Accounts of X to leave out.")
    from_date: str = Field(default="", pattern=_DATE, description="The first day of what is found on X: 2026-01-31.")
    to_date: str = Field(default="", pattern=_DATE, description="The last day of what is found on X.")

    @field_validator("search_data_sources", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return split_list(value) if isinstance(value, str) else value

    def fill(self, request: LLMRequest, connector: str) -> LLMRequest:
        """The request with all that is set here; thinking is asked for, or forbidden, where something says so."""
        filled = super().fill(request, connector)
        if self.reasoning_effort == "none":
            return replace(filled, thinking=False)
        return replace(filled, thinking=True) if self.use_reasoning else filled

    def options(self, connector: str) -> Mapping[str, Any]:
        """What LLMRequest has no field for, by the names that connectors use; nothing that is neutral."""
        found = {**super().options(connector), **({"verbosity": self.verbosity} if self.verbosity else {})}
        if self.use_reasoning:
            if self.reasoning_effort not in {None, "default", "none"}:
                found["thinking_level" if connector == "google" else "effort"] = self.reasoning_effort
            if self.max_thinking_tokens:
                found["thinking_budget"] = self.max_thinking_tokens
        tools = [*self._web_search(), *self._xai_search()]
        return {**found, "hosted_tools": tools} if tools else found

    def _web_search(self) -> list[dict[str, Any]]:
        """As https://developers.openai.com/api/docs/guides/tools-web-search has it."""
        if not self.use_web_search:
            return []
        place = {
            "city": self.web_search_city,
            "country": self.web_search_country,
            "region": self.web_search_region,
            "timezone": self.web_search_timezone,
        }
        given = {key: value for key, value in place.items() if value}
        tool: dict[str, Any] = {"type": "web_search"}
        if self.web_search_context_size:
            tool["search_context_size"] = self.web_search_context_size
        return [tool | ({"user_location": {"type": "approximate", **given}} if given else {})]

    def _xai_search(self) -> list[dict[str, Any]]:
        """As https://docs.x.ai/developers/tools has it; the search that SmythOS knew was switched off in 2026."""
        if not self.use_search or self.search_mode == "off":
            return []
        sources = self.search_data_sources or ["web", "x"]
        tools: list[dict[str, Any]] = []
        if {"web", "news", "rss"} & set(sources):
            filters = _lists(allowed_domains=self.allowed_websites, excluded_domains=self.excluded_websites)
            tools.append({"type": "web_search"} | ({"filters": filters} if filters else {}))
        if "x" in sources:
            handles = _lists(allowed_x_handles=self.included_x_handles, excluded_x_handles=self.excluded_x_handles)
            days = {"from_date": self.from_date, "to_date": self.to_date}
            tools.append({"type": "x_search", **handles, **{key: day for key, day in days.items() if day}})
        return tools


def _lists(**texts: str) -> dict[str, list[str]]:
    return {key: entries for key, text in texts.items() if (entries := split_list(text))}
