"""Replies with status 200 that are not of S3, one in the middle of others that are, as a proxy sends them."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from sre_core.connectors.storage import NEW
from sre_core.errors import ConnectorError
from sre_core.testing.replay import HttpReply, ReplayServer

from .aws_server import begun, copied, s3  # noqa: TID252 -- the folder of tests is no package

pytestmark = pytest.mark.anyio

_MIB = 1 << 20
_FOUND = {"ETag": '"fba9dede5f27731c9771645a39863328"', "Last-Modified": "Wed, 12 Oct 2009 17:50:00 GMT"}
_BUCKET = HttpReply()
_OBJECT = HttpReply.text("content", headers=_FOUND)
_WRITTEN = HttpReply(headers=_FOUND)
_GONE = HttpReply(status=204)
_PAGE = HttpReply.text("<html><body>Please log in.</body></html>", content_type="text/html")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def _two_parts(storage: Any) -> None:
    async def chunks() -> AsyncGenerator[bytes]:
        yield b"x" * (9 * _MIB)

    await storage.write_stream("agent/a/large", chunks())


async def _expire(storage: Any) -> None:
    await storage.expire("agent/a/notes.txt", 3600)


_UPLOAD = [begun(), _WRITTEN, _WRITTEN]
_COPY = [_OBJECT, _WRITTEN, begun(), copied(), _OBJECT]


@pytest.mark.parametrize("foreign", [HttpReply(), _PAGE], ids=["nothing", "page"])
@pytest.mark.parametrize(
    ("call", "before", "begins"),
    [
        pytest.param(_two_parts, _UPLOAD[:0], False, id="upload-create"),
        pytest.param(_two_parts, _UPLOAD[:2], True, id="upload-part"),
        pytest.param(_two_parts, _UPLOAD, True, id="upload-complete"),
        pytest.param(_expire, _COPY[:1], False, id="expire-note"),
        pytest.param(_expire, _COPY[:2], False, id="expire-create"),
        pytest.param(_expire, _COPY[:3], True, id="expire-copy"),
        pytest.param(_expire, _COPY, True, id="expire-complete"),
    ],
)
async def test_a_foreign_reply_to_a_step_of_an_upload_is_an_error(
    call: Any, before: list[HttpReply], begins: bool, foreign: HttpReply
) -> None:
    """It is said whose reply it was not, and what had begun is taken back."""
    async with ReplayServer.running(_BUCKET, *before, foreign, always=_GONE) as server:
        storage = s3(server.url, retries=0)
        await storage.start()
        with pytest.raises(ConnectorError, match="not of S3") as raised:
            await call(storage)
        assert "agent/a/" in raised.value.message
        assert raised.value.hint == "check url"
        aborted = [request for request in server.requests if request.method == "DELETE"]
        assert len(aborted) == begins
        await storage.stop()


async def test_a_deletion_that_nobody_confirms_is_an_error() -> None:
    async with ReplayServer.running(_BUCKET, HttpReply(), _GONE) as server:
        storage = s3(server.url, retries=0)
        await storage.start()
        with pytest.raises(ConnectorError, match=r"deleting 'agent/a/notes\.txt'.* not of S3"):
            await storage.delete("agent/a/notes.txt")
        await storage.delete("agent/a/notes.txt")
        await storage.stop()


async def test_a_page_teaches_nothing_about_conditions() -> None:
    """A server that heeds them is not taken for one that does not, because a proxy answered while that was tried."""
    refused = HttpReply(status=412)
    tried_out = [refused, _WRITTEN, refused, _GONE]
    async with ReplayServer.running(_BUCKET, _PAGE, _GONE, *tried_out, _WRITTEN) as server:
        storage = s3(server.url, retries=0)
        await storage.start()
        with pytest.raises(ConnectorError, match="not of S3"):
            await storage.write("agent/a/notes.txt", b"content", if_version=NEW)
        await storage.write("agent/a/notes.txt", b"content", if_version=NEW)
        await storage.stop()
