"""Settings of the HashiCorp vault: where it is, who we are there, and where in it the secrets lie."""

from pathlib import Path
from typing import ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, SecretStr, field_validator, model_validator

from sre_core.connectors.base import Settings

__all__ = ["HashicorpSettings"]

_WAYS_IN = ("token", "token_file", "role_id", "kubernetes_role")


class HashicorpSettings(Settings):
    """What `[connectors.vault.<id>]` with `use = "hashicorp"` takes.

    One of `token`, `token_file`, `role_id` and `kubernetes_role` is needed. Times are in seconds.
    """

    # Settings that do not go together are refused as a whole, and the token is among them.
    model_config: ClassVar[ConfigDict] = ConfigDict(hide_input_in_errors=True)

    url: str = Field(default="https://127.0.0.1:8200", description="The server, as https://vault.example.com:8200.")
    namespace: str | None = Field(
        default=None, description="The namespace, as team/project; the root one if not given."
    )
    mount: str = Field(default="secret", min_length=1, description="Where the KV engine is mounted.")
    kv_version: Literal["auto", 1, 2] = Field(default="auto", description="1 or 2; auto asks the server at start.")
    prefix: str = Field(default="", description="The path below `mount` under which all names lie, as sre/prod.")
    field: str = Field(
        default="value",
        min_length=1,
        description="Which entry of a secret is read and written; one that has a single other entry is read as well.",
    )
    token: SecretStr | None = Field(default=None, min_length=1, description="A token.")
    token_file: Path | None = Field(
        default=None, description="A file that holds a token; it is read again when the token is no longer taken."
    )
    role_id: str | None = Field(default=None, min_length=1, description="The role to log in as with AppRole.")
    secret_id: SecretStr | None = Field(default=None, min_length=1, description="The secret ID of that role.")
    kubernetes_role: str | None = Field(default=None, min_length=1, description="The role to log in as from a pod.")
    jwt_file: Path = Field(
        default=Path("/var/run/secrets/kubernetes.io/serviceaccount/token"),
        description="The token of the pod's service account.",
    )
    auth_mount: str | None = Field(
        default=None, min_length=1, description="Where the login method is mounted; approle or kubernetes if not given."
    )
    renew_after: float = Field(
        default=0.66, gt=0, lt=1, description="The part of a token's time to live after which it is renewed."
    )
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
    timeout: float = Field(default=10.0, gt=0, description="For one request, with all its attempts.")
    connect_timeout: float = Field(default=5.0, gt=0, description="For one attempt to connect.")
    retries: int = Field(default=2, ge=0, description="Further attempts after a lost connection; 0 for none.")
    retry_wait: float = Field(
        default=0.1, ge=0, description="Before the second attempt; it doubles each time, up to one second."
    )
    pool_size: int = Field(default=256, ge=1, description="Connections at most; further requests wait for one.")
    lists: int = Field(default=16, ge=1, description="Folders that `names` asks for at the same time.")

    @field_validator("url")
    @classmethod
    def _url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("the URL should begin with https:// or http:// and name a host")
        if parts.username is not None or parts.query or parts.fragment:
            raise ValueError("the URL should hold neither credentials nor a query")
        try:
            _ = parts.port
        except ValueError:
            raise ValueError("a port is a number from 0 to 65535") from None
        return value.rstrip("/")

    @field_validator("kv_version", mode="before")
    @classmethod
    def _version(cls, value: object) -> object:
        # An environment variable holds text.
        return int(value) if isinstance(value, str) and value in ("1", "2") else value

    @field_validator("mount", "prefix", "namespace", "auth_mount")
    @classmethod
    def _path(cls, value: str | None) -> str | None:
        value = value and value.strip("/")
        if value and {"", ".", ".."} & set(value.split("/")):
            raise ValueError("a path has no empty parts, and neither . nor ..")
        return value

    @model_validator(mode="after")
    def _together(self) -> Self:
        given = [name for name in _WAYS_IN if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give one of {', '.join(_WAYS_IN)}; {' and '.join(given) or 'none'} is given")
        if not self.mount:
            raise ValueError("mount is empty")
        if self.secret_id is not None and self.role_id is None:
            raise ValueError("secret_id needs role_id")
        if self.auth_mount is not None and given[0] in ("token", "token_file"):
            raise ValueError("auth_mount is for role_id and kubernetes_role")
        if self.key_file is not None and self.cert_file is None:
            raise ValueError("key_file needs cert_file")
        return self

    @property
    def place(self) -> str:
        """Where the secrets are, in words for messages."""
        return f"vault at {self.url}" if self.namespace is None else f"vault at {self.url}, namespace {self.namespace}"
