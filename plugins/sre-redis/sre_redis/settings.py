"""Settings of the Redis cache: which servers, as whom, within which limits."""

from pathlib import Path
from typing import ClassVar, Self

from pydantic import ConfigDict, Field, SecretStr, field_validator, model_validator

from sre_core.connectors.base import Settings
from sre_redis.address import Address, endpoint, parse_url

__all__ = ["RedisSettings"]

_SENTINEL_PORT = 26379


class RedisSettings(Settings):
    """What `[connectors.cache.<id>]` with `use = "redis"` takes; everything has a default.

    One server is `url`, or `host`, `port` and `db`. With `sentinels` the server is the one that they call primary.
    With `cluster`, the address is of any node, and `nodes` are others to ask. Times are in seconds.
    """

    # Whoever puts a password into the URL is told not to, and not by quoting it.
    model_config: ClassVar[ConfigDict] = ConfigDict(hide_input_in_errors=True)

    url: str | None = Field(
        default=None,
        description="`redis://host:port/db`, `rediss://` for TLS, or `unix:///path?db=0`; without credentials.",
    )
    host: str = Field(default="localhost", min_length=1, description="The server, if no URL is given.")
    port: int = Field(default=6379, ge=1, le=65535, description="Its port, if no URL is given.")
    db: int = Field(default=0, ge=0, description="The number of the database; Cluster has only 0.")
    username: str | None = Field(default=None, description="The ACL user; `default` if not given.")
    password: SecretStr | None = Field(default=None, description="The password of that user.")
    prefix: str = Field(
        default="sre:cache:", description="What all keys begin with, so that others can share a server."
    )
    tls: bool = Field(default=False, description="Encrypt the connection; `rediss://` says so too.")
    ca_file: Path | None = Field(
        default=None, description="Certificates of the authorities to trust besides those of the system (PEM)."
    )
    cert_file: Path | None = Field(default=None, description="Our own certificate, if the server wants one (PEM).")
    key_file: Path | None = Field(
        default=None, description="The key of `cert_file` (PEM); without, it is in there too."
    )
    verify: bool = Field(
        default=True, description="Check the server's certificate and its host name; only a test turns that off."
    )
    sentinels: tuple[str, ...] = Field(default=(), description='Sentinels to ask, each as "host:port".')
    sentinel_master: str = Field(default="mymaster", min_length=1, description="What the Sentinels call the primary.")
    sentinel_username: str | None = Field(default=None, description="The ACL user of the Sentinels.")
    sentinel_password: SecretStr | None = Field(default=None, description="The password of the Sentinels.")
    sentinel_tls: bool | None = Field(default=None, description="TLS to the Sentinels; as `tls` if not given.")
    cluster: bool = Field(default=False, description="Whether the server is a node of a Cluster.")
    nodes: tuple[str, ...] = Field(
        default=(), description='Other nodes of the Cluster to ask where its slots are, each as "host:port".'
    )
    timeout: float = Field(default=5.0, gt=0, description="For one call, with all its attempts.")
    connect_timeout: float = Field(
        default=3.0, gt=0, description="For one attempt to connect, and for what one Sentinel answers."
    )
    retries: int = Field(
        default=3,
        ge=0,
        description="Further attempts after a lost connection or a server that is not ready; 0 for none. What would be "
        "counted twice is not tried again.",
    )
    retry_wait: float = Field(
        default=0.1, ge=0, description="Before the second attempt; it doubles each time, up to one second."
    )
    pool_size: int = Field(
        default=256, ge=1, description="Connections at most, with Cluster to each node; further calls wait for one."
    )

    @field_validator("url")
    @classmethod
    def _url(cls, value: str | None) -> str | None:
        if value is not None:
            parse_url(value)
        return value

    @field_validator("sentinels", "nodes")
    @classmethod
    def _endpoints(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            endpoint(text, port=_SENTINEL_PORT)
        return value

    @model_validator(mode="after")
    def _together(self) -> Self:
        found = parse_url(self.url) if self.url is not None else None
        if found is not None and (self.host, self.port) != ("localhost", 6379):
            raise ValueError("give url, or host and port, not both")
        if found is not None and found.db is not None and self.db not in (0, found.db):
            raise ValueError("url and db name different databases")
        if self.sentinels and self.cluster:
            raise ValueError("give sentinels or cluster, not both: a Cluster needs no Sentinels")
        if self.nodes and not self.cluster:
            raise ValueError("nodes belong to a Cluster; set cluster = true")
        if self.cluster and self.address.db:
            raise ValueError("a Cluster has only the database 0")
        if self.address.path is not None and (self.tls or self.cluster or self.sentinels):
            raise ValueError("a unix:// socket goes with neither tls, cluster nor sentinels")
        if self.key_file is not None and self.cert_file is None:
            raise ValueError("key_file needs cert_file")
        return self

    @property
    def address(self) -> Address:
        """The one server, or the first node of the Cluster; `db` is always set."""
        if self.url is None:
            return Address(host=self.host, port=self.port, db=self.db, tls=self.tls)
        found = parse_url(self.url)
        return Address(
            host=found.host,
            port=found.port,
            path=found.path,
            db=self.db if found.db is None else found.db,
            tls=found.tls or self.tls,
        )

    @property
    def sentinel_endpoints(self) -> list[tuple[str, int]]:
        """Host and port of each Sentinel."""
        return [endpoint(text, port=_SENTINEL_PORT) for text in self.sentinels]

    @property
    def cluster_endpoints(self) -> list[tuple[str, int]]:
        """Host and port of all known nodes, that of the address first."""
        first = self.address
        return [(first.host, first.port), *(endpoint(text, port=first.port) for text in self.nodes)]

    @property
    def place(self) -> str:
        """Where the values are, in words for messages."""
        if self.sentinels:
            return f"Redis {self.sentinel_master!r} of the Sentinels {', '.join(self.sentinels)}"
        if self.cluster:
            return f"Redis Cluster at {', '.join([str(self.address), *self.nodes])}"
        return f"Redis at {self.address}"
