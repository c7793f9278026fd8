"""Settings of the Pinecone connector: whose account, which indexes, within which limits."""

from typing import ClassVar
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, SecretStr, field_validator

from sre_core.connectors.base import Settings

__all__ = ["PineconeSettings"]


class PineconeSettings(Settings):
    """What `[connectors.vectors.<id>]` with `use = "pinecone"` takes; only `key` is required. Times are in seconds.

    An index has one dimension and one metric. Without `host`, an index is made for each pair that is needed. With
    `host`, there is that index alone, and what needs another is refused.
    """

    # What goes wrong with a key is told without it.
    model_config: ClassVar[ConfigDict] = ConfigDict(hide_input_in_errors=True)

    key: SecretStr = Field(description="The API key of a project.")
    index: str = Field(
        default="sre",
        pattern=r"^[a-z0-9]([a-z0-9-]{0,26}[a-z0-9])?$",
        description="What the names of our indexes begin with, as in `sre-1536-cosine`.",
    )
    host: str | None = Field(
        default=None, description="The host of an index that exists, as the console shows it, to use no other."
    )
    cloud: str = Field(default="aws", min_length=1, description="Where new indexes are: aws, gcp or azure.")
    region: str = Field(default="us-east-1", min_length=1, description="Where in that cloud.")
    url: str = Field(default="https://api.pinecone.io", description="Where indexes are listed and made.")
    timeout: float = Field(default=30.0, gt=0, description="For one request, with all its attempts.")
    connect_timeout: float = Field(default=10.0, gt=0, description="For one attempt to connect.")
    create_timeout: float = Field(default=120.0, gt=0, description="For a new index to be ready.")
    fresh_timeout: float = Field(
        default=30.0, gt=0, description="For a change to show: Pinecone takes it at once, and shows it somewhat later."
    )
    recheck: float = Field(
        default=10.0,
        ge=0,
        description="For this long a collection that was seen counts as there when it is written to.",
    )
    retries: int = Field(
        default=3, ge=0, description="Further attempts after a lost connection, a status of 5xx or 429; 0 for none."
    )
    retry_wait: float = Field(
        default=0.25, ge=0, description="Before the second attempt, if Pinecone names no time; it doubles each time."
    )
    pool_size: int = Field(default=256, ge=1, description="Connections at most; further requests wait for one.")
    batch: int = Field(default=100, ge=1, le=1000, description="Records in one request; it also has at most 2 MB.")

    @field_validator("key")
    @classmethod
    def _key(cls, value: SecretStr) -> SecretStr:
        key = value.get_secret_value()
        if not key.strip() or key != key.strip() or not key.isascii() or not key.isprintable():
            raise ValueError("a key is printable ASCII, without blanks around it")
        return value

    @field_validator("url")
    @classmethod
    def _url(cls, value: str) -> str:
        return _checked(value)

    @field_validator("host")
    @classmethod
    def _host(cls, value: str | None) -> str | None:
        if value is None:
            return None
        return _checked(value if "://" in value else f"https://{value}")


def _checked(url: str) -> str:
    """A URL of a server, without a slash at the end."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("it is a host, or https:// and a host")
    if parts.username is not None or parts.password is not None:
        raise ValueError("put no credentials there; use key")
    if parts.query or parts.fragment:
        raise ValueError("nothing may follow the host")
    parts.port  # noqa: B018 -- raises ValueError for one that is none
    return url.rstrip("/")
