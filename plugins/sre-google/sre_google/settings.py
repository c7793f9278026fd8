"""Settings of the connector: which of Google's two APIs, whose account, which models, within which limits."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from sre_core.connectors.base import Settings

__all__ = ["Backend", "GoogleSettings", "ThinkingLevel"]

Backend = Literal["gemini", "vertex"]
ThinkingLevel = Literal["minimal", "low", "medium", "high", "xhigh"]


class GoogleSettings(Settings):
    """What `[connectors.llm.<id>]` with `use = "google"` takes.

    The Gemini API needs a `key`. Vertex AI needs a `project` and credentials: those that are given, or else the
    machine's own (application default credentials); or a `key` instead of both.
    """

    backend: Backend = Field(default="gemini", description="Which API: the Gemini API, or Vertex AI of Google Cloud.")
    key: SecretStr | None = Field(default=None, description="API key.")
    project: str | None = Field(
        default=None, description="Vertex AI: project that is billed; if not given, the one that the credentials name."
    )
    location: str = Field(default="global", description='Vertex AI: region, such as "europe-west4", or "global".')
    credentials: SecretStr | None = Field(
        default=None, description="Vertex AI: the JSON text of a service account's key, or of a user's credentials."
    )
    credentials_file: Path | None = Field(default=None, description="Vertex AI: file that holds such a text.")
    url: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="Base URL instead of Google's own, for a gateway: what comes before the version in every path.",
    )
    api_version: str | None = Field(default=None, description="v1beta for the Gemini API and v1beta1 for Vertex AI.")
    model: str = Field(default="gemini-3.8-flash", description="Model of requests that name none.")
    thinking_level: ThinkingLevel | None = Field(
        default=None, description="How hard models of Gemini 3 and later think; each has its own habit if not given."
    )
    embedding_model: str = Field(default="gemini-embedding-001", description="What `embed` uses when it is not told.")
    embedding_dimensions: int | None = Field(default=None, ge=1, description="Length of the vectors, if not the usual.")
    embedding_task: str | None = Field(
        default=None, description="What vectors are for, such as RETRIEVAL_DOCUMENT, for models that are told."
    )
    embedding_batch: int = Field(default=100, ge=1, le=250, description="Texts that are embedded by one request.")
    image_model: str = Field(
        default="gemini-nano-banana-2.1", description="What `generate_images` uses when it is not told."
    )
    count_tokens: bool = Field(
        default=True,
        description="Count tokens by asking the server; if not, agents with a token window estimate them instead.",
    )
    file_bytes: int = Field(
        default=100_000_000,
        ge=0,
        description="Bytes of all files of a request as they are sent, a third more than raw.",
    )
    headers: Mapping[str, SecretStr] = Field(default={}, description="Headers that go with every request.")
    timeout: float = Field(
        default=300.0, gt=0, description="Seconds that the server may be silent, before its reply and between pieces."
    )
    connect_timeout: float = Field(default=10.0, gt=0, description="Seconds to connect.")
    max_connections: int = Field(default=1000, ge=1, description="Requests under way at once; more wait.")

    @field_validator("url")
    @classmethod
    def _leads_somewhere(cls, url: str | None) -> str | None:
        # Asking for the port is what checks it.
        if url is not None and (not urlsplit(url).hostname or urlsplit(url).port == 0):
            raise ValueError("the url names no server")
        return url

    @property
    def plain_key(self) -> str:
        """The key without the line break that a file may end with; empty where there is none."""
        return "" if self.key is None else self.key.get_secret_value().strip()

    @property
    def place(self) -> str | None:
        """The URL, if one is set, without what nobody may see, such as a password in it."""
        if self.url is None:
            return None
        parts = urlsplit(self.url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()

    @model_validator(mode="after")
    def _account(self) -> Self:
        given = [name for name in ("project", "credentials", "credentials_file") if getattr(self, name) is not None]
        if self.credentials is not None and self.credentials_file is not None:
            raise ValueError("give credentials or credentials_file, not both")
        if self.backend == "gemini" and given:
            raise ValueError(f'{given[0]} is for backend = "vertex"; the Gemini API takes a key')
        if self.backend == "vertex" and self.key is not None and given:
            raise ValueError(f"a key replaces project and credentials; leave {given[0]} out")
        return self
