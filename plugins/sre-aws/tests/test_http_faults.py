"""The faults that every connector over HTTP survives, on both."""

from typing import Any

from pydantic import SecretStr

from sre_aws import S3Storage, SecretsManagerVault
from sre_core.testing.conformance.http_faults import HttpFaultConformance
from sre_core.testing.replay import HttpReply

from .aws_server import s3, vault  # noqa: TID252 -- the folder of tests is no package

# As in the API reference of Amazon S3, action GetObject.
_HEADERS = {"ETag": '"fba9dede5f27731c9771645a39863328"', "Last-Modified": "Wed, 12 Oct 2009 17:50:00 GMT"}


class TestS3Faults(HttpFaultConformance):
    def make_at(self, url: str) -> S3Storage:
        return s3(url, secret_access_key=SecretStr(self.secret), retries=0)

    async def call(self, connector: Any) -> Any:
        return await connector.read("agent/a/notes.txt")

    def good(self) -> HttpReply:
        return HttpReply.text("content", headers=_HEADERS)


class TestS3WriteFaults(TestS3Faults):
    async def call(self, connector: Any) -> Any:
        return await connector.write("agent/a/notes.txt", b"content")

    def good(self) -> HttpReply:
        return HttpReply(headers=_HEADERS)


class TestSecretsManagerFaults(HttpFaultConformance):
    def make_at(self, url: str) -> SecretsManagerVault:
        return vault(url, secret_access_key=SecretStr(self.secret), retries=0)

    async def call(self, connector: Any) -> Any:
        return await connector.get("openai")

    def good(self) -> HttpReply:
        # As in the API reference of AWS Secrets Manager, action GetSecretValue.
        return HttpReply.json(
            {
                "ARN": "arn:aws:secretsmanager:us-west-2:123456789012:secret:MyTestDatabaseSecret-a1b2c3",
                "Name": "sre/openai",
                "SecretString": "sk-1",
                "VersionStages": ["AWSCURRENT"],
            }
        )
