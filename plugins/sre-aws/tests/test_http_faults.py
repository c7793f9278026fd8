"""The faults that every connector over HTTP survives, on both."""

import asyncio
from typing import Any

from pydantic import SecretStr

from sre_aws import S3Storage, SecretsManagerVault
from sre_core.testing.conformance.http_faults import HttpFaultConformance
from sre_core.testing.replay import HttpReply, ReplayServer

from .aws_server import listed, s3, vault  # noqa: TID252 -- the folder of tests is no package

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


class TestS3DeleteFaults(TestS3Faults):
    async def call(self, connector: Any) -> Any:
        await connector.delete("agent/a/notes.txt")

    def good(self) -> HttpReply:
        return HttpReply(status=204)


class TestS3ListFaults(TestS3Faults):
    async def call(self, connector: Any) -> Any:
        return [found async for found in connector.list("agent/a")]

    def good(self) -> HttpReply:
        return listed("agent/a/notes.txt")

    async def test_a_cancelled_call_frees_its_connection(self) -> None:
        """The same as in the kit, but for the two requests that a list makes at once."""
        async with (
            asyncio.timeout(self.patience),
            ReplayServer.running(always=HttpReply()) as server,
            self._started(server.url) as connector,
        ):
            server.always = HttpReply(headers={"Content-Type": "application/xml"}, hang=True)
            call = asyncio.ensure_future(self.call(connector))
            await server.wait_until_busy(2)
            call.cancel()
            await asyncio.wait({call})
            assert call.cancelled()
            await server.wait_until_busy(0)
            server.always = self.good()
            assert [found.key for found in await self.call(connector)] == ["agent/a/notes.txt"]


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


# As in the API reference of AWS Secrets Manager, action UpdateSecret, and those of DeleteSecret and ListSecrets.
_SECRET = {"ARN": "arn:aws:secretsmanager:us-west-2:123456789012:secret:MyTestDatabaseSecret-a1b2c3", "Name": "sre/a"}


class TestSecretsManagerSetFaults(TestSecretsManagerFaults):
    async def call(self, connector: Any) -> Any:
        await connector.set("a", SecretStr("sk-1"))

    def good(self) -> HttpReply:
        return HttpReply.json(_SECRET | {"VersionId": "EXAMPLE1-90ab-cdef-fedc-ba987EXAMPLE"})


class TestSecretsManagerDeleteFaults(TestSecretsManagerFaults):
    async def call(self, connector: Any) -> Any:
        await connector.delete("a")

    def good(self) -> HttpReply:
        return HttpReply.json(_SECRET | {"DeletionDate": 1524085349.095})


class TestSecretsManagerNamesFaults(TestSecretsManagerFaults):
    async def call(self, connector: Any) -> Any:
        return await connector.names()

    def good(self) -> HttpReply:
        return HttpReply.json({"SecretList": [_SECRET]})


class TestSecretsManagerPingFaults(TestSecretsManagerNamesFaults):
    async def call(self, connector: Any) -> Any:
        await connector.ping()
