"""Settings of Google Cloud Storage: which bucket, with which credentials, within which limits."""

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from sre_core.connectors.base import Settings

__all__ = ["GcsSettings"]

_QUANTUM = 256 * 1024  # Google takes pieces of an upload in multiples of this


class GcsSettings(Settings):
    """What `[connectors.storage.<id>]` with `use = "gcs"` takes; only `bucket` is required.

    Credentials are those of `key` or `key_file`, else whatever the machine offers ("application default
    credentials": `GOOGLE_APPLICATION_CREDENTIALS`, `gcloud auth application-default login`, the account of a virtual
    machine or pod).
    """

    bucket: str = Field(min_length=1, description="The bucket, which must exist.")
    prefix: str = Field(
        default="", description="A folder in the bucket that all objects are kept below, as `team/agents`."
    )
    project: str | None = Field(
        default=None, description="The project that requests are counted for, when it is not that of the credentials."
    )
    key: SecretStr | None = Field(
        default=None,
        description="The JSON text of a service account's key, or of a user's credentials, as `{ vault = \"gcs\" }`.",
    )
    key_file: Path | None = Field(default=None, description="A file that holds what `key` would.")
    anonymous: bool = Field(default=False, description="Send no credentials: for emulators and public buckets.")
    endpoint: str = Field(
        default="https://storage.googleapis.com", description="Where the service is, for emulators and private access."
    )
    ca_file: Path | None = Field(
        default=None, description="Certificates of the authorities to trust besides those of the system (PEM)."
    )
    piece_bytes: int = Field(
        default=8 << 20,
        ge=_QUANTUM,
        multiple_of=_QUANTUM,
        description="Bytes of a streamed upload that are held in memory and sent at once; a multiple of 256 KiB.",
    )
    pool_size: int = Field(default=200, ge=1, description="Connections that may be open; more calls wait for one.")
    connect_timeout: float = Field(default=10.0, gt=0, description="Seconds that a connection may take to open.")
    timeout: float = Field(default=60.0, gt=0, description="Seconds that the service may be silent within a call.")
    retries: int = Field(
        default=3, ge=0, description="How often a call is tried again when the service is busy or cannot be reached."
    )

    @field_validator("prefix")
    @classmethod
    def _path(cls, value: str) -> str:
        if value and any(part in {"", ".", ".."} for part in value.split("/")):
            raise ValueError("it should be a path of plain names such as 'team/agents', without a slash at its ends")
        return value

    @field_validator("endpoint")
    @classmethod
    def _address(cls, value: str) -> str:
        address = urlsplit(value)
        if address.scheme not in {"http", "https"} or not address.netloc or address.query or address.fragment:
            raise ValueError("it should be a URL such as 'http://127.0.0.1:4443'")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _one_way_in(self) -> "GcsSettings":
        given = [name for name in ("key", "key_file", "anonymous") if getattr(self, name)]
        if len(given) > 1:
            raise ValueError(f"give only one of {', '.join(given)}")
        return self
