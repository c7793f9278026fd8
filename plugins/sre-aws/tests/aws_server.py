"""Where a moto server is, connectors to it, and what S3 replies where moto does not."""

from typing import Any

import boto3
import pytest
from pydantic import SecretStr

from sre_aws import S3Settings, S3Storage, SecretsManagerSettings, SecretsManagerVault
from sre_core.connectors.base import Connector
from sre_core.errors import ConnectorError
from sre_core.testing.replay import HttpReply

BUCKET = "sre-tests"
KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
KEYS = {"aws_access_key_id": KEY_ID, "aws_secret_access_key": SECRET, "region_name": "us-east-1"}


def s3(url: str | None, **more: Any) -> S3Storage:
    """A storage in the bucket of the tests at `url`, or where the environment says; not started."""
    settings: dict[str, Any] = {"bucket": BUCKET, "url": url} | credentials() | more
    return S3Storage(S3Settings(**settings))


def vault(url: str, **more: Any) -> SecretsManagerVault:
    """A vault at `url`, not started."""
    settings: dict[str, Any] = {"url": url, "region": "us-east-1"} | credentials() | more
    return SecretsManagerVault(SecretsManagerSettings(**settings))


def credentials() -> dict[str, SecretStr]:
    """Settings of AWS' own example key."""
    return {"access_key_id": SecretStr(KEY_ID), "secret_access_key": SecretStr(SECRET)}


async def raised_by(connector: Connector, call: Any) -> ConnectorError:
    """What starting a connector and calling it raises."""

    async def use() -> None:
        await connector.start()
        await call(connector)

    try:
        with pytest.raises(ConnectorError) as raised:
            await use()
    finally:
        await connector.stop()
    return raised.value


class Moto:
    """A running server, with the bucket of the tests."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        boto3.client("s3", endpoint_url=self.url, **KEYS).create_bucket(Bucket=BUCKET)

    def left(self, prefix: str) -> list[str]:
        """The names in the bucket that begin so, with those of unfinished uploads."""
        bare = boto3.client("s3", endpoint_url=self.url, **KEYS)
        uploads = bare.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
        objects = bare.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        return [found["Key"] for found in (*objects, *uploads) if found["Key"].startswith(prefix)]

    def s3(self, **more: Any) -> S3Storage:
        """A storage in it, not started."""
        return s3(self.url, **more)

    def vault(self, **more: Any) -> SecretsManagerVault:
        """A vault in it, not started."""
        return vault(self.url, **more)


def begun() -> HttpReply:
    """As in the API reference of Amazon S3, action CreateMultipartUpload."""
    upload = "<UploadId>EXAMPLEJZ6e0YupT2h66iePQCc9IEbYbD</UploadId>"
    return _xml(f"<InitiateMultipartUploadResult>{upload}</InitiateMultipartUploadResult>")


def copied() -> HttpReply:
    """The same, action UploadPartCopy."""
    modified = "<LastModified>2011-04-11T20:34:56.000Z</LastModified>"
    tag = "<ETag>&quot;9b2cf535f27731c974343645a3985328&quot;</ETag>"
    return _xml(f"<CopyPartResult>{modified}{tag}</CopyPartResult>")


def listed(*names: str) -> HttpReply:
    """The same, action ListObjectsV2."""
    details = "<LastModified>2009-10-12T17:50:30.000Z</LastModified><Size>7</Size><StorageClass>STANDARD</StorageClass>"
    tag = "<ETag>&quot;fba9dede5f27731c9771645a39863328&quot;</ETag>"
    found = "".join(f"<Contents><Key>{name}</Key>{details}{tag}</Contents>" for name in names)
    count = f"<KeyCount>{len(names)}</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>"
    return _xml(f"<ListBucketResult><Name>{BUCKET}</Name><Prefix/>{count}{found}</ListBucketResult>")


def error_reply(status: int, code: str) -> HttpReply:
    """As in the API reference of Amazon S3, page "Error Responses"."""
    return _xml(f"<Error><Code>{code}</Code><Message>No.</Message></Error>", status=status)


def _xml(text: str, *, status: int = 200) -> HttpReply:
    return HttpReply.text(
        f'<?xml version="1.0" encoding="UTF-8"?>{text}', status=status, content_type="application/xml"
    )
