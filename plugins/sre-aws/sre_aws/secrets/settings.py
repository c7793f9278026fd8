"""Settings of the vault in AWS Secrets Manager: under which names, and how it deletes."""

from pydantic import Field, field_validator

from sre_aws.secrets.names import LONGEST, is_plain
from sre_aws.settings import AwsSettings

__all__ = ["SecretsManagerSettings"]


class SecretsManagerSettings(AwsSettings):
    """What `[connectors.vault.<id>]` with `use = "aws-secrets"` takes; everything has a default."""

    prefix: str = Field(
        default="sre", description="Secrets have names such as <prefix>/openai; empty for the whole account."
    )
    recovery_days: int = Field(
        default=7,
        ge=0,
        le=30,
        description="Days, 7 to 30, in which AWS can bring a deleted secret back; 0 deletes at once and for good.",
    )
    kms_key_id: str | None = Field(
        default=None,
        description="The KMS key that encrypts new secrets; the account's own for this service if not given.",
    )

    @field_validator("prefix")
    @classmethod
    def _legal_prefix(cls, prefix: str) -> str:
        prefix = prefix.strip("/")
        if not is_plain(prefix) or len(prefix) > LONGEST // 2:
            raise ValueError(f"prefix {prefix!r} has other characters than letters, digits and /_+.@-, or too many")
        return prefix

    @field_validator("recovery_days")
    @classmethod
    def _what_aws_takes(cls, days: int) -> int:
        if 0 < days < 7:
            raise ValueError("recovery_days is 0, or 7 to 30")
        return days
