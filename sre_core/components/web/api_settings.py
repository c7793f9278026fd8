"""The settings of a node that calls an API."""

from enum import StrEnum
from typing import Any, Literal

from pydantic import Field, field_validator

from sre_core.components.base import ComponentSettings

__all__ = ["APICallSettings", "BodyType"]


class BodyType(StrEnum):
    """How a body is made and sent."""

    NONE = "none"
    JSON = "application/json"
    MULTIPART = "multipart/form-data"
    BINARY = "binary"
    FORM = "application/x-www-form-urlencoded"
    TEXT = "text/plain"
    XML = "application/xml"


class APICallSettings(ComponentSettings):
    """What to send, where, and as whom. Texts may hold placeholders, except where a description says otherwise."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] = Field(description="The HTTP method.")
    url: str = Field(
        max_length=8192,
        description="Where to, with placeholders for inputs; their values are encoded for the place where they stand.",
    )
    headers: str | dict[str, Any] = Field(default="", description="The headers, as a JSON object.")
    content_type: BodyType = Field(default=BodyType.NONE, description="How the body is made and sent.")
    body: Any = Field(
        default="", description="The body: JSON for JSON and both kinds of forms, one input for binary, else text."
    )
    proxy: str = Field(
        default="",
        description="Proxies, one a line, as http://user:password@host:3128; one of them is taken at random. "
        "http, https, socks4, socks4a and socks5 are known. Inputs are not filled in here.",
    )
    timeout: float = Field(
        default=120.0, gt=0, le=3600, description="How long to wait for all of the reply, in seconds."
    )
    max_bytes: int = Field(
        default=64 * 2**20, gt=0, le=2**30, description="How large the reply may be, unpacked, in bytes."
    )
    oauth_service: str = Field(
        default="",
        description="The kind of OAuth, as editors name it: None, or what says 1.0, 2.0, client credentials.",
    )
    oauth_con_id: str = Field(
        default="",
        alias="oauth_con_id",
        description="The name of the secret that holds the tokens, which alone asks for OAuth; None asks for none. "
        "By default OAUTH_<id of the node>_TOKENS.",
    )
    scope: str = Field(default="", description="The scopes to ask for, separated by spaces, for OAuth 2.")
    token_url: str = Field(default="", alias="tokenURL", description="Where OAuth 2 gives and refreshes tokens.")
    client_id: str = Field(default="", alias="clientID", description="The client's id for OAuth 2.")
    client_secret: str = Field(default="", description="The client's secret for OAuth 2; name a secret of the vault.")
    consumer_key: str = Field(default="", description="The consumer's key for OAuth 1.")
    consumer_secret: str = Field(
        default="", description="The consumer's secret for OAuth 1; name a secret of the vault."
    )

    @field_validator("method", mode="before")
    @classmethod
    def _in_capitals(cls, value: Any) -> Any:
        return value.strip().upper() if isinstance(value, str) else value
