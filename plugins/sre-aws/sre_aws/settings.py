"""What all connectors to AWS are told: where, as whom, and how long to wait."""

from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator

from sre_core.connectors.base import Settings

__all__ = ["AwsSettings"]


class AwsSettings(Settings):
    """Where AWS is, and as whom it is called: with explicit keys, else as a profile, else as the surroundings say.

    The surroundings are what the AWS tools look through: environment variables, `~/.aws`, the role of a container
    or of a machine.
    """

    region: str | None = Field(
        default=None, description="Such as eu-central-1; what the profile or the environment says if not given."
    )
    profile: str | None = Field(default=None, description="A profile of `~/.aws/config` to take credentials from.")
    access_key_id: SecretStr | None = Field(default=None, description="Explicit credentials: which key.")
    secret_access_key: SecretStr | None = Field(default=None, description="Explicit credentials: the key itself.")
    session_token: SecretStr | None = Field(default=None, description="Explicit credentials: of a temporary key.")
    url: str | None = Field(
        default=None,
        description="Of a server that stands in for AWS, as http://localhost:9000; what the profile or the environment "
        "says if not given, else AWS itself.",
    )
    ca_file: Path | None = Field(
        default=None, description="Certificates (PEM) to trust instead of the usual ones, for a server of your own."
    )
    timeout: float = Field(default=60.0, gt=0, description="Seconds to wait for the next bytes of a reply.")
    connect_timeout: float = Field(default=10.0, gt=0, description="Seconds to wait for a connection.")
    pool: int = Field(default=256, ge=1, description="Connections that are open at once, at most.")
    retries: int = Field(
        default=3, ge=0, le=20, description="How often the driver tries again what is worth it; 0 means never."
    )

    @model_validator(mode="after")
    def _one_identity(self) -> Self:
        if (self.access_key_id is None) != (self.secret_access_key is None):
            raise ValueError("give access_key_id and secret_access_key together")
        if self.session_token is not None and self.access_key_id is None:
            raise ValueError("session_token needs access_key_id and secret_access_key")
        if self.profile is not None and self.access_key_id is not None:
            raise ValueError("give a profile or explicit keys, not both")
        if self.url is not None and not self.url.startswith(("http://", "https://")):
            raise ValueError("url does not begin with http:// or https://")
        # It is told in errors.
        if self.url is not None and "@" in urlsplit(self.url).netloc:
            raise ValueError("url has credentials in it; give access_key_id and secret_access_key instead")
        return self
