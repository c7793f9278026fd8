"""Settings of the connector: which server, which model, within which limits."""

from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from sre_core.connectors.base import Settings

__all__ = ["OFFICIAL_URL", "AnthropicSettings"]

OFFICIAL_URL = "https://api.anthropic.com"


class AnthropicSettings(Settings):
    """What `[connectors.llm.<id>]` with `use = "anthropic"` takes; besides the key, everything has a default."""

    key: SecretStr | None = Field(
        default=None, description="API key; needed unless `url` leads to a server that asks for none."
    )
    url: str = Field(
        default=OFFICIAL_URL,
        pattern=r"^https?://",
        description="Where the API is, without /v1: of a proxy, or of another server that speaks it.",
    )
    model: str = Field(default="claude-sonnet-5-5", min_length=1, description="Model of requests that name none.")
    max_tokens: int | None = Field(
        default=None,
        ge=1,
        description="Longest reply of requests that do not say, thinking included. If not given: as much as the model "
        "can write, or 8192 tokens of one that is not known.",
    )
    prompt_caching: Literal["5m", "1h", "off"] = Field(
        default="5m", description="How long the provider keeps what it has read; 1h costs more to write."
    )
    changed_history: Literal["drop", "error"] = Field(
        default="drop",
        description="What becomes of thoughts in a conversation whose beginning was cut or changed since: newer models "
        "refuse them, and so they are dropped, or the request fails.",
    )
    sampling: Literal["ignore", "refuse"] = Field(
        default="ignore",
        description="What becomes of `temperature` and `top_p`, which the API no longer takes. An `api_version` of "
        "2023-06-01 sends them, for models up to 4.6.",
    )
    api_version: str | None = Field(
        default=None,
        pattern=r"^\d{4}-\d{2}-\d{2}$",
        description="Version of the API; that of the client library if not given, 2026-10-21.",
    )
    betas: tuple[str, ...] = Field(default=(), description="Beta features that all requests ask for.")
    headers: Mapping[str, SecretStr] = Field(default={}, description="Headers that go with every request.")
    timeout: float = Field(
        default=300.0, gt=0, description="Seconds that the server may be silent, before its reply and between pieces."
    )
    connect_timeout: float = Field(default=10.0, gt=0, description="Seconds to connect.")
    max_connections: int = Field(default=1000, ge=1, description="Requests under way at once; more wait.")

    @field_validator("url")
    @classmethod
    def _leads_somewhere(cls, url: str) -> str:
        parts = urlsplit(url)
        # Asking for the port is what checks it.
        if not parts.hostname or parts.port == 0:
            raise ValueError("the url names no server")
        if parts.username is not None or parts.password is not None:
            raise ValueError("the url holds a name or password, which the API does not take; give it as one of headers")
        return url

    @property
    def plain_key(self) -> str:
        """The key without the line break that a file may end with; empty where there is none."""
        return "" if self.key is None else self.key.get_secret_value().strip()

    @property
    def samples(self) -> bool:
        """Whether the version of the API takes `temperature` and its like."""
        return self.api_version is not None and self.api_version < "2026"
