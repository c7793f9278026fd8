"""Settings of Azure Blob Storage: which container, with which credentials, within which limits."""

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from sre_core.connectors.base import Settings

__all__ = ["AzureSettings"]


class AzureSettings(Settings):
    """What `[connectors.storage.<id>]` with `use = "azure"` takes: `container`, and `account` or `connection_string`.

    Credentials are those of `connection_string`, `account_key` or `sas_token`, else whatever the machine offers (a
    managed identity, a workload identity, `az login`), for which `sre-azure[identity]` must be installed.
    """

    container: str = Field(min_length=1, description="The container, which must exist.")
    prefix: str = Field(
        default="", description="A folder in the container that all objects are kept below, as `team/agents`."
    )
    account: str | None = Field(default=None, description="The name of the storage account.")
    endpoint: str | None = Field(
        default=None,
        description="Where the service is, for emulators and other clouds; "
        "`https://ACCOUNT.blob.core.windows.net` if not given.",
    )
    connection_string: SecretStr | None = Field(
        default=None, description="Account, endpoint and credentials in one, as the portal shows it."
    )
    account_key: SecretStr | None = Field(default=None, description="One of the two keys of the account.")
    sas_token: SecretStr | None = Field(
        default=None, description="A shared access signature for the container; it makes no links."
    )
    ca_file: Path | None = Field(
        default=None, description="Certificates of the authorities to trust besides those of the system (PEM)."
    )
    piece_bytes: int = Field(
        default=8 << 20,
        ge=1 << 16,
        le=1 << 30,
        description="Bytes of a stream that are held in memory and travel in one request; "
        "a streamed object has at most 50,000 such pieces.",
    )
    pool_size: int = Field(default=200, ge=1, description="Connections that may be open; more calls wait for one.")
    connect_timeout: float = Field(default=10.0, gt=0, description="Seconds that a connection may take to open.")
    timeout: float = Field(default=60.0, gt=0, description="Seconds that the service may be silent within a call.")
    retries: int = Field(
        default=3,
        ge=0,
        description="How often a request is tried again when the service fails or cannot be reached; "
        "a write on a condition never is.",
    )

    @field_validator("prefix")
    @classmethod
    def _path(cls, value: str) -> str:
        if value and any(part in {"", ".", ".."} for part in value.split("/")):
            raise ValueError("it should be a path of plain names such as 'team/agents', without a slash at its ends")
        return value

    @field_validator("endpoint")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        address = urlsplit(value)
        if address.scheme not in {"http", "https"} or not address.netloc or address.query or address.fragment:
            raise ValueError("it should be a URL such as 'http://127.0.0.1:10000/devstoreaccount1'")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _one_way_in(self) -> "AzureSettings":
        secrets = [name for name in ("connection_string", "account_key", "sas_token") if getattr(self, name)]
        if len(secrets) > 1:
            raise ValueError(f"give only one of {', '.join(secrets)}")
        if self.connection_string is None and self.account is None:
            raise ValueError("give `account`, or `connection_string`")
        if self.connection_string is not None and (self.account is not None or self.endpoint is not None):
            raise ValueError("`connection_string` says `account` and `endpoint` already")
        return self
