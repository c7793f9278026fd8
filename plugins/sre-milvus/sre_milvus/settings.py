"""Settings of the Milvus connector: a file or which server, as whom, laid out how, within which limits."""

import re
from pathlib import Path
from typing import Any, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, SecretStr, field_validator, model_validator

from sre_core.connectors.base import Settings

__all__ = ["Layout", "MilvusSettings"]

Layout = Literal["collections", "partitions"]

_DEFAULT_PORTS = {"http": 19530, "https": 443}


class MilvusSettings(Settings):
    """What `[connectors.vectors.<id>]` with `use = "milvus"` takes; only `uri` is required.

    Zilliz Cloud is a server like any other: its endpoint as `uri`, and an API key as `token`. Times are in seconds.
    """

    # Whoever puts a password into the URI is told not to, and not by quoting it.
    model_config: ClassVar[ConfigDict] = ConfigDict(hide_input_in_errors=True)

    uri: Path | str = Field(
        description="A path, as in `.sre/milvus.db`, for Milvus Lite in this process; else `http://host:19530`, or "
        "`https://…` for TLS; without credentials.",
    )
    token: SecretStr | None = Field(default=None, description="An API key, or `user:password`.")
    user: str | None = Field(default=None, min_length=1, description="The user, if there is no token.")
    password: SecretStr | None = Field(default=None, description="The password of that user.")
    database: str = Field(
        default="",
        pattern=r"^([A-Za-z_][A-Za-z0-9_]{0,254})?$",
        description="The database on the server; `default` if not given.",
    )
    ca_file: Path | None = Field(
        default=None, description="Certificates of the authorities to trust (PEM), instead of the public ones."
    )
    cert_file: Path | None = Field(default=None, description="Our own certificate, if the server wants one (PEM).")
    key_file: Path | None = Field(default=None, description="The key of `cert_file` (PEM).")
    server_name: str | None = Field(
        default=None, description="The name in the server's certificate, if it is not the host of `uri`."
    )
    prefix: str = Field(
        default="sre",
        pattern=r"^[A-Za-z][A-Za-z0-9]{0,31}$",
        description="What the names of our collections in Milvus begin with, so that others can share a database.",
    )
    layout: Layout = Field(
        default="collections",
        description="`collections`: a Milvus collection for each of ours. `partitions`: one for all of a dimension and "
        "metric, divided by a partition key; for thousands of collections, which a server would not hold.",
    )
    index: str | None = Field(
        default=None, description="The type of index; `FLAT`, which is exact, for a file, else `AUTOINDEX`."
    )
    index_params: dict[str, Any] = Field(
        default_factory=dict, description="How the index is built, such as `{ M = 16, efConstruction = 200 }`."
    )
    search_params: dict[str, Any] = Field(
        default_factory=dict, description="How the index is searched, such as `{ ef = 64 }`."
    )
    timeout: float = Field(default=30.0, gt=0, description="For one call of the server, with all its attempts.")
    connect_timeout: float = Field(default=10.0, gt=0, description="For the connection at the start.")
    retries: int = Field(
        default=2, ge=0, description="Further attempts after a lost connection, or when the server is busy; 0 for none."
    )
    retry_wait: float = Field(default=0.2, ge=0, description="Before the second attempt; it doubles each time.")
    batch_bytes: int = Field(
        default=8 << 20, ge=1 << 16, description="Bytes of records in one call; larger batches are sent in parts."
    )

    @field_validator("uri", mode="before")
    @classmethod
    def _uri(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if "://" not in value:
            if not value.strip():
                raise ValueError("a file or an address is needed")
            return Path(value)
        parts = urlsplit(value)
        if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
            raise ValueError("use http://host:19530, https://host, or a path")
        if parts.username is not None or parts.password is not None:
            raise ValueError("put no credentials there; use token, or user and password")
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError("nothing may follow the host and the port; name the database in database")
        parts.port  # noqa: B018 -- raises ValueError for one that is none
        return value.rstrip("/")

    @field_validator("index")
    @classmethod
    def _index(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[A-Z][A-Z0-9_]*", value):
            raise ValueError('use the name that Milvus has for it, such as "HNSW"')
        return value

    @model_validator(mode="after")
    def _together(self) -> Self:
        if self.token is not None and (self.user is not None or self.password is not None):
            raise ValueError("give token, or user and password, not both")
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password belong together")
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file belong together")
        if not self.tls and (self.ca_file or self.cert_file or self.server_name):
            raise ValueError("ca_file, cert_file and server_name need an https:// uri")
        return self

    @property
    def file(self) -> Path | None:
        """Where Milvus Lite keeps its data; None with a server."""
        return self.uri if isinstance(self.uri, Path) else None

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return isinstance(self.uri, str) and self.uri.startswith("https://")

    @property
    def address(self) -> str:
        """Host and port of the server, as gRPC wants them."""
        parts = urlsplit(str(self.uri))
        host = parts.hostname or ""
        return f"{f'[{host}]' if ':' in host else host}:{parts.port or _DEFAULT_PORTS[parts.scheme]}"

    @property
    def index_type(self) -> str:
        """The type of index that new collections get."""
        return self.index or ("AUTOINDEX" if self.file is None else "FLAT")

    @property
    def place(self) -> str:
        """Where the vectors are, in words for messages."""
        return f"Milvus at {self.uri}" if self.file is None else f"the Milvus file {str(self.file)!r}"
