"""Writes on condition of a version, on servers that heed conditions and on some that do not."""

import asyncio
import hashlib
import secrets
import uuid
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest

from sre_aws import S3Storage
from sre_core.connectors.storage import NEW
from sre_core.errors import ConflictError, UnsupportedError
from sre_core.testing.replay import HttpReply, ReplayServer

from .aws_server import BUCKET, Moto, begun, error_reply, s3  # noqa: TID252 -- the folder of tests is no package

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

_OBJECT = {"ETag": '"fba9dede5f27731c9771645a39863328"', "Last-Modified": "Wed, 12 Oct 2009 17:50:00 GMT"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def home() -> str:
    """A folder of the bucket that only this test uses."""
    return uuid.uuid4().hex


@pytest.fixture
async def storage(moto: Moto, home: str) -> AsyncIterator[S3Storage]:
    started = moto.s3(prefix=home)
    await started.start()
    yield started
    await started.stop()


# Versions


async def test_the_version_of_a_list_is_good_for_a_write(storage: S3Storage) -> None:
    await storage.write("agent/a/object", b"1")
    listed = [found.version async for found in storage.list("agent/a")]
    await storage.write("agent/a/object", b"2", if_version=listed[0])
    with pytest.raises(ConflictError):
        await storage.write("agent/a/object", b"3", if_version=listed[0])


async def test_an_object_of_another_tool_can_be_replaced_by_its_version(
    storage: S3Storage, home: str, bare: Any
) -> None:
    bare.put_object(Bucket=BUCKET, Key=f"{home}/agent/a/object", Body=b"theirs")
    found = await storage.stat("agent/a/object")
    await storage.write("agent/a/object", b"ours", if_version=found.version)
    with pytest.raises(ConflictError):
        await storage.write("agent/a/object", b"late", if_version=found.version)


async def test_a_write_of_another_tool_is_noticed(storage: S3Storage, home: str, bare: Any) -> None:
    written = await storage.write("agent/a/object", b"1")
    bare.put_object(Bucket=BUCKET, Key=f"{home}/agent/a/object", Body=b"1")
    with pytest.raises(ConflictError):
        await storage.write("agent/a/object", b"2", if_version=written.version)


async def test_the_tag_changes_with_every_conditional_write_of_the_same_bytes(
    storage: S3Storage, home: str, bare: Any
) -> None:
    version = NEW
    tags = []
    for _ in range(4):
        version = (await storage.write("agent/a/object", b"same", if_version=version)).version
        tags.append(bare.head_object(Bucket=BUCKET, Key=f"{home}/agent/a/object")["ETag"])
        assert await storage.read("agent/a/object") == b"same"
    assert all(tag != following for tag, following in pairwise(tags))


@pytest.mark.parametrize("data", [b"", b"same"], ids=["empty", "some"])
async def test_one_of_many_writes_of_the_same_bytes_wins(moto: Moto, home: str, data: bytes) -> None:
    """Eight runtimes, each with a client of its own, want to be the one that has renewed a lease."""
    runtimes = [moto.s3(prefix=home) for _ in range(8)]
    await asyncio.gather(*(runtime.start() for runtime in runtimes))
    version = NEW

    async def attempt(runtime: S3Storage) -> str | None:
        try:
            return (await runtime.write("team/x/lease", data, if_version=version)).version
        except ConflictError:
            return None

    for _ in range(4):
        won = [found for found in await asyncio.gather(*map(attempt, runtimes)) if found is not None]
        assert len(won) == 1
        version = (await runtimes[0].stat("team/x/lease")).version
        assert version == won[0]
    await asyncio.gather(*(runtime.stop() for runtime in runtimes))


async def test_two_runtimes_that_count_lose_nothing(moto: Moto, home: str) -> None:
    runtimes = [moto.s3(prefix=home) for _ in range(2)]
    await asyncio.gather(*(runtime.start() for runtime in runtimes))
    await runtimes[0].write("team/x/count", b"0")

    async def count(runtime: S3Storage) -> None:
        for _ in range(5):
            while True:
                version = (await runtime.stat("team/x/count")).version
                number = int(await runtime.read("team/x/count"))
                try:
                    await runtime.write("team/x/count", str(number + 1).encode(), if_version=version)
                except ConflictError:
                    continue
                break

    async with asyncio.timeout(120):
        await asyncio.gather(*map(count, runtimes))
    assert await runtimes[0].read("team/x/count") == b"10"
    await asyncio.gather(*(runtime.stop() for runtime in runtimes))


async def test_an_expiry_set_in_between_is_no_conflict(storage: S3Storage) -> None:
    written = await storage.write("agent/a/object", b"1")
    await storage.expire("agent/a/object", 3600)
    assert (await storage.stat("agent/a/object")).version == written.version
    await storage.write("agent/a/object", b"2", if_version=written.version)


async def test_a_large_object_is_written_on_condition(storage: S3Storage) -> None:
    data = b"x" * ((64 << 20) + 1)
    first = await storage.write("agent/a/large", data, if_version=NEW)
    second = await storage.write("agent/a/large", data, if_version=first.version)
    with pytest.raises(ConflictError):
        await storage.write("agent/a/large", data, if_version=first.version)
    assert (await storage.stat("agent/a/large")).version == second.version


# Answers that are lost


async def test_a_write_whose_answer_was_lost_is_no_conflict_with_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver sends it again, and is told that the object is there: which is this very write."""
    monkeypatch.setattr(secrets, "token_hex", lambda _: "0123456789abcdef")
    async with ReplayServer.running(HttpReply(headers=_OBJECT)) as server:
        storage = s3(server.url, verify_conditions=False, retries=1)
        await storage.start()
        written = HttpReply(headers=_OBJECT | {"x-amz-meta-sre-version": "0123456789abcdef"})
        server.replies.extend([error_reply(500, "InternalError"), error_reply(412, "PreconditionFailed"), written])
        info = await storage.write("agent/a/object", b"1", if_version=NEW)
        assert [request.method for request in server.requests] == ["HEAD", "PUT", "PUT", "HEAD"]
        assert info.version == "0123456789abcdef"
        await storage.stop()


async def test_a_server_that_asks_to_try_again_is_asked_again() -> None:
    """S3 answers ConditionalRequestConflict when two conditional requests for an object cross each other."""
    async with ReplayServer.running(HttpReply(headers=_OBJECT)) as server:
        storage = s3(server.url, verify_conditions=False, retries=0)
        await storage.start()
        server.replies.extend(
            [error_reply(409, "ConditionalRequestConflict"), HttpReply(status=404), HttpReply(headers=_OBJECT)]
        )
        await storage.write("agent/a/object", b"1", if_version=NEW)
        assert [request.method for request in server.requests] == ["HEAD", "PUT", "HEAD", "PUT"]
        await storage.stop()


async def test_a_tag_that_comes_back_while_parts_are_uploaded_does_not_hide_other_writes() -> None:
    """Two others have written the same bytes in the meantime, in one form and in the other one."""
    tag = {"ETag": f'"{hashlib.md5(b"same").hexdigest()}"', "Last-Modified": _OBJECT["Last-Modified"]}
    mine, later = (HttpReply(headers=tag | {"x-amz-meta-sre-version": version}) for version in ("v1", "v3"))
    async with ReplayServer.running(HttpReply(headers=_OBJECT)) as server:
        storage = s3(server.url, verify_conditions=False, retries=0)
        await storage.start()
        server.replies.extend([mine, begun(), HttpReply(headers=tag), later, HttpReply(status=204), later])
        with pytest.raises(ConflictError, match="not in version"):
            await storage.write("agent/a/object", b"same", if_version="v1")
        assert [request.method for request in server.requests[1:]] == ["HEAD", "POST", "PUT", "HEAD", "DELETE", "HEAD"]
        await storage.stop()


# Servers that read over conditions


async def test_a_server_that_reads_over_conditions_is_found_out() -> None:
    async with ReplayServer.running(always=HttpReply(headers=_OBJECT)) as server:
        storage = s3(server.url)
        await storage.start()
        for _ in range(2):
            with pytest.raises(UnsupportedError, match="does not heed conditions"):
                await storage.write("agent/a/object", b"1", if_version=NEW)
        # Tried out once, on an object of its own, which is deleted again.
        changed = [(request.method, request.path) for request in server.requests if request.method != "HEAD"]
        assert [method for method, _ in changed] == ["PUT", "DELETE"]
        assert changed[0][1] == changed[1][1]
        assert "/.sre/probe/" in changed[0][1]
        await storage.write("agent/a/object", b"1")
        await storage.stop()


async def test_a_server_that_the_environment_names_is_tried_out_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ReplayServer.running(always=HttpReply(headers=_OBJECT)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.url)
        storage = s3(None, region="us-east-1")
        await storage.start()
        with pytest.raises(UnsupportedError, match=server.url):
            await storage.write("agent/a/object", b"1", if_version=NEW)
        await storage.stop()


async def test_a_server_that_knows_only_half_of_the_conditions_is_found_out() -> None:
    good, refused = HttpReply(headers=_OBJECT), error_reply(412, "PreconditionFailed")
    async with ReplayServer.running(good, refused, always=good) as server:
        storage = s3(server.url)
        await storage.start()
        with pytest.raises(UnsupportedError, match="does not heed conditions"):
            await storage.write("agent/a/object", b"1", if_version=NEW)
        puts = [request.headers for request in server.requests if request.method == "PUT"]
        assert [headers.get("If-None-Match") for headers in puts] == [None, None, "*"]
        await storage.stop()


async def test_a_server_that_does_not_know_conditions_is_found_out() -> None:
    async with ReplayServer.running(HttpReply(headers=_OBJECT), always=error_reply(501, "NotImplemented")) as server:
        storage = s3(server.url, retries=0)
        await storage.start()
        with pytest.raises(UnsupportedError, match="does not heed conditions"):
            await storage.write("agent/a/object", b"1", if_version=NEW)
        await storage.stop()


async def test_a_server_that_heeds_conditions_in_part_does_what_it_can(careless: Moto, home: str) -> None:
    storage = careless.s3(prefix=home)
    await storage.start()
    first = await storage.write("agent/a/object", b"1", if_version=NEW)
    second = await storage.write("agent/a/object", b"2", if_version=first.version)
    with pytest.raises(UnsupportedError, match="parts"):
        await storage.write("agent/a/object", b"2", if_version=second.version)
    assert (await storage.stat("agent/a/object")).version == second.version
    await storage.stop()


async def test_nothing_of_trying_out_stays(careless: Moto, moto: Moto, home: str) -> None:
    for server in (careless, moto):
        storage = server.s3(prefix=home)
        await storage.start()
        version = NEW
        for _ in range(2):
            try:
                version = (await storage.write("agent/a/object", b"1", if_version=version)).version
            except UnsupportedError:
                break
        await storage.delete("agent/a/object")
        assert server.left(home) == []
        await storage.stop()
