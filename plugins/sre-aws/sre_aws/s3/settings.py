"""Settings of the S3 storage: which bucket, where in it, and how large objects travel."""

from typing import Literal

from pydantic import Field, field_validator

from sre_aws.settings import AwsSettings

__all__ = ["S3Settings"]

_MEBIBYTE = 1 << 20


class S3Settings(AwsSettings):
    """What `[connectors.storage.<id>]` with `use = "s3"` takes. The bucket must exist."""

    bucket: str = Field(min_length=1, description="The bucket that holds the objects.")
    prefix: str = Field(default="", description="A folder of the bucket to keep everything in, as apps/notes.")
    part_size: int = Field(
        default=8 * _MEBIBYTE,
        ge=5 * _MEBIBYTE,
        le=512 * _MEBIBYTE,
        description="Bytes of the parts in which large objects are uploaded; later parts of very large ones grow.",
    )
    parts_at_once: int = Field(
        default=3, ge=1, le=64, description="Parts of one object that are uploaded at once; all are held in memory."
    )
    addressing: Literal["auto", "path", "virtual"] = Field(
        default="auto",
        description="Whether the bucket's name is in the path of a URL or in its host; auto is path with `url`.",
    )
    checksums: Literal["auto", "always", "required"] = Field(
        default="auto",
        description="When uploads carry a checksum: always, or where S3 requires one, which some stand-ins need; "
        "auto is required with `url`, else always.",
    )
    verify_conditions: bool = Field(
        default=True,
        description="Ask a server that stands in for AWS once whether it heeds conditions, before relying on it.",
    )

    @field_validator("prefix")
    @classmethod
    def _plain_folder(cls, prefix: str) -> str:
        prefix = prefix.strip("/")
        if "//" in prefix or any(part in {".", ".."} for part in prefix.split("/")):
            raise ValueError(f"prefix {prefix!r} is not a path of plain names")
        return prefix
