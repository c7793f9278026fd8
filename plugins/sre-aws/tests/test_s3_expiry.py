"""Objects that vanish, as they lie in the bucket."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sre_aws import S3Storage
from sre_aws.s3.bucket import Bucket
from sre_aws.s3.keys import Keys
from sre_core.errors import ConfigError, NotFoundError
from sre_core.testing.replay import HttpReply, ReplayServer

from .aws_server import BUCKET, Moto, begun, error_reply, s3  # noqa: TID252 -- the folder of tests is no package

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

_LONG_AGO = time.time() - 7 * 86_400


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


def _expired(bare: Any, home: str, key: str, when: float) -> None:
    """Put an object that expired at `when`, as it lies there if nobody has come by since."""
    bare.put_object(Bucket=BUCKET, Key=f"{home}/{key}", Body=b"old", Metadata={"sre-expires": f"{when:.3f}"})
    bare.put_object(Bucket=BUCKET, Key=Keys(home).note(key, when), Body=b"")


@pytest.mark.parametrize("look", ["read", "stat", "url"])
async def test_whoever_meets_an_expired_object_deletes_it_with_its_note(
    moto: Moto, storage: S3Storage, home: str, bare: Any, look: str
) -> None:
    _expired(bare, home, "agent/a/old", _LONG_AGO)
    with pytest.raises(NotFoundError):
        await (storage.url("agent/a/old", 60) if look == "url" else getattr(storage, look)("agent/a/old"))
    assert moto.left(home) == []


async def test_a_list_deletes_what_expired_with_its_notes(moto: Moto, storage: S3Storage, home: str, bare: Any) -> None:
    for number in range(40):
        _expired(bare, home, f"agent/a/{number}", _LONG_AGO)
    await storage.write("agent/a/alive", b"1")
    assert [found.key async for found in storage.list("agent")] == ["agent/a/alive"]
    assert moto.left(home) == [f"{home}/agent/a/alive"]


async def test_what_expired_just_now_is_missing_but_is_left_where_it_is(
    moto: Moto, storage: S3Storage, home: str, bare: Any
) -> None:
    """Somebody whose clock is behind may be prolonging its life."""
    _expired(bare, home, "agent/a/old", time.time() - 1)
    with pytest.raises(NotFoundError):
        await storage.stat("agent/a/old")
    assert [found.key async for found in storage.list("")] == []
    assert f"{home}/agent/a/old" in moto.left(home)


async def test_notes_that_came_to_nothing_are_deleted_and_fresh_ones_are_not(
    moto: Moto, storage: S3Storage, home: str, bare: Any
) -> None:
    await storage.write("agent/a/alive", b"1")
    keys = Keys(home)
    fresh = keys.note("agent/z/other", time.time() - 5)
    for note in (keys.note("agent/a/alive", _LONG_AGO), keys.note("agent/a/gone", _LONG_AGO), fresh):
        bare.put_object(Bucket=BUCKET, Key=note, Body=b"")
    bare.put_object(Bucket=BUCKET, Key=keys.note("agent/z/gone", _LONG_AGO), Body=b"")
    assert [found.key async for found in storage.list("")] == ["agent/a/alive"]
    assert moto.left(home) == [fresh, f"{home}/agent/a/alive"]


@pytest.mark.parametrize("alive", ["agent/a", "agent/z"], ids=["behind-the-objects", "among-the-objects"])
async def test_notes_that_came_to_nothing_are_deleted_many_at_once(
    moto: Moto, storage: S3Storage, home: str, bare: Any, monkeypatch: pytest.MonkeyPatch, alive: str
) -> None:
    """The list waits for it, and there may be thousands."""
    await storage.write(alive, b"1")
    for number in range(32):
        bare.put_object(Bucket=BUCKET, Key=Keys(home).note(f"agent/gone/{number}", _LONG_AGO), Body=b"")
    together, remove = asyncio.Barrier(16), Bucket.remove

    async def remove_together(*arguments: Any) -> None:
        await together.wait()
        await remove(*arguments)

    monkeypatch.setattr(Bucket, "remove", remove_together)
    async with asyncio.timeout(120):
        assert [found.key async for found in storage.list("")] == [alive]
    assert moto.left(home) == [f"{home}/{alive}"]


async def test_a_list_tells_of_an_object_whose_note_is_older_than_its_time(
    storage: S3Storage, home: str, bare: Any
) -> None:
    await storage.write("agent/a/object", b"1", metadata={"a": "1"})
    await storage.expire("agent/a/object", 3600)
    bare.put_object(Bucket=BUCKET, Key=Keys(home).note("agent/a/object", time.time() - 5), Body=b"")
    found = [info async for info in storage.list("")]
    assert [(info.key, info.metadata) for info in found] == [("agent/a/object", {"a": "1"})]
    assert found[0].expires is not None


async def test_an_empty_object_can_expire(storage: S3Storage) -> None:
    await storage.write("agent/a/empty", b"", content_type="text/csv")
    await storage.expire("agent/a/empty", 3600)
    info = await storage.stat("agent/a/empty")
    assert (info.size, info.content_type, await storage.read("agent/a/empty")) == (0, "text/csv", b"")


async def test_expire_keeps_the_version_and_what_others_put_into_headers(
    storage: S3Storage, home: str, bare: Any
) -> None:
    bare.put_object(
        Bucket=BUCKET, Key=f"{home}/agent/a/page", Body=b"<p>", ContentType="text/html", CacheControl="max-age=5"
    )
    before = await storage.stat("agent/a/page")
    await storage.expire("agent/a/page", 3600)
    found = bare.head_object(Bucket=BUCKET, Key=f"{home}/agent/a/page")
    assert (found["ContentType"], found["CacheControl"]) == ("text/html", "max-age=5")
    assert (await storage.stat("agent/a/page")).version == before.version


async def test_the_tag_of_an_object_that_expires_is_none_that_a_write_gives(
    storage: S3Storage, home: str, bare: Any
) -> None:
    """So that deleting it by its tag cannot hit the same bytes, written anew."""
    await storage.write("agent/a/object", b"same")
    await storage.expire("agent/a/object", 3600)
    expiring = bare.head_object(Bucket=BUCKET, Key=f"{home}/agent/a/object")["ETag"]
    await storage.write("agent/a/object", b"same")
    assert bare.head_object(Bucket=BUCKET, Key=f"{home}/agent/a/object")["ETag"] != expiring


async def test_another_time_of_expiry_leaves_no_note_of_the_one_before(
    moto: Moto, storage: S3Storage, home: str
) -> None:
    """An object may be kept alive for years, a minute at a time."""
    await storage.write("agent/a/object", b"1")
    for seconds in (60, 120, 180):
        await storage.expire("agent/a/object", seconds)
    assert len(moto.left(f"{home}/.sre/expiry/")) == 1
    await storage.expire("agent/a/object", None)
    assert moto.left(home) == [f"{home}/agent/a/object"]


async def test_a_write_of_the_same_bytes_during_a_copy_is_not_undone() -> None:
    """Its tag is the same: it has nothing new but its metadata."""
    tag = {"ETag": '"fba9dede5f27731c9771645a39863328"', "Last-Modified": "Wed, 12 Oct 2009 17:50:00 GMT"}
    before, after = (HttpReply(headers=tag | {"x-amz-meta-sre-version": version}) for version in ("v1", "v2"))
    done = [begun(), HttpReply(headers=tag)]
    async with ReplayServer.running(HttpReply(), before, HttpReply(headers=tag), *done, after) as server:
        storage = s3(server.url, retries=0)
        await storage.start()
        server.replies.extend([HttpReply(status=204), HttpReply(status=404)])
        with pytest.raises(NotFoundError):
            await storage.expire("agent/a/object", 60)
        methods = [request.method for request in server.requests[1:]]
        assert methods == ["HEAD", "PUT", "POST", "PUT", "HEAD", "DELETE", "HEAD"]
        await storage.stop()


async def test_an_expiry_whose_answer_was_lost_is_set() -> None:
    """The driver asks again to put the copy together, and is told that the tag is another one by now."""
    found = {"ETag": '"fba9dede5f27731c9771645a39863328"', "Last-Modified": "Wed, 12 Oct 2009 17:50:00 GMT"}
    good = HttpReply(headers=found)
    lost = [error_reply(500, "InternalError"), error_reply(412, "PreconditionFailed"), HttpReply(status=204)]
    async with ReplayServer.running(HttpReply(), good, good, begun(), good, good, *lost) as server:
        storage = s3(server.url, retries=1)
        await storage.start()
        server.replies.append(HttpReply(headers=found | {"x-amz-meta-sre-expires": "0.000"}))
        await storage.expire("agent/a/object", -1e12)
        assert not server.replies
        await storage.stop()


async def test_expire_never_undoes_a_write(moto: Moto, home: str) -> None:
    """One runtime writes while another one sets the expiry of the same object: the last write stays."""
    runtimes = [moto.s3(prefix=home) for _ in range(2)]
    await asyncio.gather(*(runtime.start() for runtime in runtimes))
    for number in range(10):
        await runtimes[0].write("agent/a/object", b"before")
        await asyncio.gather(
            runtimes[0].write("agent/a/object", str(number).encode()), runtimes[1].expire("agent/a/object", 3600)
        )
        assert await runtimes[0].read("agent/a/object") == str(number).encode()
    await asyncio.gather(*(runtime.stop() for runtime in runtimes))


@pytest.mark.parametrize("seconds", [float("inf"), float("nan")])
async def test_a_time_that_is_none_is_refused(storage: S3Storage, seconds: float) -> None:
    await storage.write("agent/a/object", b"1")
    with pytest.raises(ConfigError, match="cannot expire after"):
        await storage.expire("agent/a/object", seconds)


async def test_a_key_that_is_too_long_to_expire_is_refused(storage: S3Storage) -> None:
    key = "agent/a/" + "x" * 960
    await storage.write(key, b"1")
    with pytest.raises(ConfigError, match="too long for an object that expires"):
        await storage.expire(key, 60)


async def test_an_expiry_before_the_epoch_is_one(storage: S3Storage) -> None:
    await storage.write("agent/a/object", b"1")
    await storage.expire("agent/a/object", -1e12)
    assert [found.key async for found in storage.list("")] == []
