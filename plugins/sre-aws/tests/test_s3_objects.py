"""What lies in the bucket, and what does not go into it."""

import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from sre_aws import S3Settings, S3Storage
from sre_aws.s3 import upload
from sre_aws.s3.bucket import Bucket
from sre_core.errors import ConfigError, ConnectorError, NotFoundError
from sre_core.testing.servers import free_port

from .aws_server import BUCKET, Moto, credentials, s3  # noqa: TID252 -- the folder of tests is no package

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

_MIB = 1 << 20


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


async def _chunks(*chunks: bytes) -> AsyncGenerator[bytes]:
    for chunk in chunks:
        yield chunk


# What others see


async def test_other_tools_find_the_object_under_its_name(storage: S3Storage, home: str, bare: Any) -> None:
    await storage.write("agent/a/\u00e4 b.txt", b"1", content_type="text/csv", metadata={"author": "Ada"})
    found = bare.get_object(Bucket=BUCKET, Key=f"{home}/agent/a/\u00e4 b.txt")
    assert (found["Body"].read(), found["ContentType"], found["Metadata"]["author"]) == (b"1", "text/csv", "Ada")


async def test_objects_of_other_tools_are_read_and_listed(storage: S3Storage, home: str, bare: Any) -> None:
    bare.put_object(Bucket=BUCKET, Key=f"{home}/team/x/theirs.txt", Body=b"22", Metadata={"a": "1"})
    bare.put_object(Bucket=BUCKET, Key=f"{home}/team/x/", Body=b"")
    assert await storage.read("team/x/theirs.txt") == b"22"
    info = await storage.stat("team/x/theirs.txt")
    assert (info.size, info.metadata, info.content_type) == (2, {"a": "1"}, "binary/octet-stream")
    assert [(found.key, found.size) async for found in storage.list("")] == [("team/x/theirs.txt", 2)]


async def test_what_lies_outside_the_prefix_is_not_seen(storage: S3Storage, home: str, bare: Any) -> None:
    bare.put_object(Bucket=BUCKET, Key=f"{home}x/agent/a", Body=b"1")
    bare.put_object(Bucket=BUCKET, Key=f"{home}", Body=b"1")
    assert [found.key async for found in storage.list("")] == []


async def test_a_list_skips_our_own_notes(storage: S3Storage, home: str, bare: Any) -> None:
    for name in ("-before", "team/z"):
        await storage.write(name, b"1")
    for number in range(3):
        bare.put_object(Bucket=BUCKET, Key=f"{home}/.sre/expiry/agent/{number} 99999999999999", Body=b"")
    assert [found.key async for found in storage.list("")] == ["-before", "team/z"]


async def test_a_list_jumps_over_pages_of_our_notes(careless: Moto, home: str) -> None:
    """This server lists three at a time."""
    storage = careless.s3(prefix=home)
    await storage.start()
    names = ["-1", "-2", "-3", "-4", "a/1", "a/2", "a/3", "a/4"]
    for name in names:
        await storage.write(name, b"1")
        await storage.expire(name, 3600)
    assert [found.key async for found in storage.list("")] == names
    assert [found.key async for found in storage.list("a")] == names[4:]
    for name in names[::2]:
        await storage.expire(name, -10)
    assert [found.key async for found in storage.list("")] == names[1::2]
    await storage.stop()


# Large objects


async def test_a_failed_upload_leaves_no_parts_behind(moto: Moto, storage: S3Storage, home: str) -> None:
    async def broken() -> AsyncGenerator[bytes]:
        yield b"x" * (20 * _MIB)
        raise RuntimeError("the source is gone")

    with pytest.raises(RuntimeError, match="gone"):
        await storage.write_stream("agent/a/large", broken())
    assert moto.left(home) == []
    with pytest.raises(NotFoundError):
        await storage.stat("agent/a/large")


async def test_an_object_with_too_many_parts_is_refused_and_leaves_nothing(
    moto: Moto, storage: S3Storage, home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "MOST_PARTS", 2)
    with pytest.raises(ConnectorError, match="larger than S3 takes in 2 parts"):
        await storage.write_stream("agent/a/large", _chunks(b"x" * (30 * _MIB)))
    assert moto.left(home) == []
    with pytest.raises(NotFoundError):
        await storage.stat("agent/a/large")


async def test_a_stream_of_just_one_part_is_uploaded_plainly(storage: S3Storage, home: str, bare: Any) -> None:
    await storage.write_stream("agent/a/part", _chunks(b"x" * (8 * _MIB)))
    assert "-" not in bare.head_object(Bucket=BUCKET, Key=f"{home}/agent/a/part")["ETag"]
    await storage.write_stream("agent/a/parts", _chunks(b"x" * (8 * _MIB), b"y"))
    assert bare.head_object(Bucket=BUCKET, Key=f"{home}/agent/a/parts")["ETag"].endswith('-2"')


async def test_a_large_object_in_memory_goes_up_in_parts(storage: S3Storage, home: str, bare: Any) -> None:
    data = bytes(range(256)) * (65 * _MIB // 256)
    await storage.write("agent/a/large", data)
    assert await storage.read("agent/a/large") == data
    assert bare.head_object(Bucket=BUCKET, Key=f"{home}/agent/a/large")["ETag"].endswith('-9"')


# Links


async def test_a_link_is_made_for_seven_days_at_most(storage: S3Storage) -> None:
    await storage.write("agent/a/object", b"1")
    assert "X-Amz-Expires=604800" in await storage.url("agent/a/object", 7 * 86_400)
    for seconds in (7 * 86_400 + 1, 0.5, -1):
        with pytest.raises(ConfigError, match="seven days"):
            await storage.url("agent/a/object", seconds)


async def test_a_link_does_not_outlive_its_object(storage: S3Storage) -> None:
    await storage.write("agent/a/object", b"1")
    await storage.expire("agent/a/object", 100)
    seconds = int((await storage.url("agent/a/object", 3600)).split("X-Amz-Expires=")[1].split("&")[0])
    assert 0 < seconds <= 100


async def test_a_link_to_aws_itself_leads_to_the_region_of_the_bucket() -> None:
    """Elsewhere, a bucket is known only hours after it was made."""
    client = Bucket(S3Settings(bucket="notes", region="eu-central-1", **credentials())).client
    await client.open()
    link = await client.driver.generate_presigned_url("get_object", Params={"Bucket": "notes", "Key": "a"})
    assert link.startswith("https://notes.s3.eu-central-1.amazonaws.com/a?")
    await client.close()


async def test_there_is_no_link_to_a_missing_object(storage: S3Storage) -> None:
    with pytest.raises(NotFoundError, match="agent/a/missing"):
        await storage.url("agent/a/missing", 60)


# What is not there, and what does not go


async def test_a_missing_bucket_is_found_out_at_the_start(moto: Moto) -> None:
    storage = moto.s3(bucket="no-such-bucket")
    with pytest.raises(NotFoundError, match="no-such-bucket"):
        await storage.start()
    await storage.stop()


async def test_a_bucket_that_goes_away_is_not_found(moto: Moto, bare: Any) -> None:
    bare.create_bucket(Bucket="short-lived")
    storage = moto.s3(bucket="short-lived")
    await storage.start()
    bare.delete_bucket(Bucket="short-lived")
    for call in (storage.read("a"), storage.write("a", b"1"), storage.delete("a"), storage.stat("a"), storage.ping()):
        with pytest.raises(NotFoundError):
            await call
    with pytest.raises(NotFoundError):
        _ = [found async for found in storage.list("")]
    await storage.stop()


async def test_a_server_that_is_not_there_is_named_at_the_start() -> None:
    port = free_port()
    storage = s3(f"http://127.0.0.1:{port}", retries=0)
    with pytest.raises(ConnectorError, match=str(port)):
        await storage.start()
    await storage.stop()


async def test_a_key_that_is_too_long_is_refused_by_every_verb(storage: S3Storage) -> None:
    key = "x" * 1024
    for call in (storage.read(key), storage.write(key, b""), storage.delete(key), storage.stat(key)):
        with pytest.raises(ConfigError, match="too long"):
            await call
    with pytest.raises(ConfigError, match="too long"):
        _ = [found async for found in storage.list(key)]


async def test_metadata_that_are_too_large_are_refused_before_anything_is_sent(storage: S3Storage) -> None:
    for write in (
        storage.write("agent/a/object", b"1", metadata={"a": "x" * 3000}),
        storage.write_stream("agent/a/object", _chunks(b"1"), metadata={"a": "x" * 3000}),
    ):
        with pytest.raises(ConfigError, match="metadata"):
            await write
    with pytest.raises(NotFoundError):
        await storage.stat("agent/a/object")


async def test_a_stream_may_be_left_before_its_end(storage: S3Storage) -> None:
    await storage.write("agent/a/large", b"x" * (20 * _MIB))
    async with aclosing(storage.read_stream("agent/a/large")) as pieces:
        assert len(await anext(pieces)) <= _MIB
    assert (await storage.stat("agent/a/large")).size == 20 * _MIB
