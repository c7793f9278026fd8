"""What a storage goes through with a real server: crowds, rivals, crashes, cut and silent connections, long streams."""

import asyncio
import math
import tracemalloc
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from anyio import to_thread
from azure.storage.blob.aio import BlobServiceClient

from sre_azure import AzureSettings, AzureStorage
from sre_core.access.candidate import Candidate
from sre_core.config import load
from sre_core.connectors.storage import NEW
from sre_core.errors import (
    ConfigError,
    ConflictError,
    DeadlineError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
)
from sre_core.runtime import Runtime
from sre_core.testing.proxy import FaultProxy

from .azurite import ACCOUNT, KEY, Azurite  # noqa: TID252 -- the folder of tests is no package

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

_PIECE = 1 << 16


@asynccontextmanager
async def started(url: str, container: str, **other: Any) -> AsyncIterator[AzureStorage]:
    given = {"container": container, "account": ACCOUNT, "account_key": KEY, "endpoint": url}
    settings = AzureSettings.model_validate({**given, "piece_bytes": _PIECE, "retries": 0, **other})
    connector = AzureStorage(settings)
    try:
        await connector.start()
        yield connector
    finally:
        await connector.stop()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Azurite]:
    """A server of the test's own, to be stopped and killed."""
    server = Azurite(tmp_path)
    with server.process:
        yield server


async def blocks(count: int, size: int = _PIECE) -> AsyncGenerator[bytes]:
    for number in range(count):
        yield bytes([number % 256]) * size


async def names(service: BlobServiceClient, container: str) -> list[str]:
    """The names of all blobs that are there, expired or not."""
    async with service:
        return [blob.name async for blob in service.get_container_client(container).list_blobs()]


async def test_fifty_writes_at_once_are_all_there(azurite: Azurite, container: str) -> None:
    async with started(azurite.url, container) as storage:
        keys = [f"a/{number:02}" for number in range(50)]
        await asyncio.gather(*(storage.write(key, key.encode()) for key in keys))
        assert [info.key async for info in storage.list("a")] == keys
        assert await asyncio.gather(*map(storage.read, keys)) == [key.encode() for key in keys]


async def test_two_runtimes_that_count_in_one_object_lose_nothing(
    azurite: Azurite, container: str, tmp_path: Path
) -> None:
    entry = {"use": "azure", "container": container, "account": ACCOUNT, "account_key": KEY, "endpoint": azurite.url}
    config = load(tmp_path, {}, {"data": str(tmp_path), "connectors": {"storage": {"default": entry}}}).config

    async def count(runtime: Runtime) -> None:
        handle = runtime.storage(Candidate.agent("counter"))
        for _ in range(10):
            while True:
                try:
                    version = (await handle.stat("count")).version
                    number = int(await handle.read_text("count"))
                except NotFoundError:
                    version, number = NEW, 0
                try:
                    await handle.write("count", str(number + 1), if_version=version)
                except ConflictError:
                    continue
                break

    async with Runtime(config) as one, Runtime(config) as other:
        await asyncio.gather(count(one), count(other))
        assert await one.storage(Candidate.agent("counter")).read_text("count") == "20"


async def test_two_writers_of_one_large_object_do_not_mix_their_blocks(azurite: Azurite, container: str) -> None:
    async def one_letter(letter: bytes) -> AsyncGenerator[bytes]:
        for _ in range(8):
            yield letter * _PIECE
            await asyncio.sleep(0)

    async with started(azurite.url, container) as storage:
        calls = [storage.write_stream("a", one_letter(letter)) for letter in (b"x", b"y")]
        results = await asyncio.gather(*calls, return_exceptions=True)
        failed = [result for result in results if isinstance(result, BaseException)]
        assert len(failed) < 2
        assert all(isinstance(error, ConflictError) for error in failed)
        data = await storage.read("a")
        assert data in (b"x" * 8 * _PIECE, b"y" * 8 * _PIECE)


async def test_a_missing_container_is_not_found(azurite: Azurite) -> None:
    with pytest.raises(NotFoundError, match="there is no container 'nobodys-container'"):
        async with started(azurite.url, "nobodys-container"):
            pass


async def test_a_container_that_vanishes_is_not_found(azurite: Azurite, container: str) -> None:
    async with started(azurite.url, container) as storage:
        async with azurite.service() as service:
            await service.delete_container(container)
        for call in (
            storage.read("a"),
            storage.stat("a"),
            storage.write("a", b""),
            storage.ping(),
            storage.expire("a", 1),
        ):
            with pytest.raises(NotFoundError, match="there is no container"):
                await call


@pytest.mark.parametrize("key", ["bm90IHRoZSBrZXk=", "not base64 ~"])
async def test_a_wrong_key_is_refused_and_not_shown(azurite: Azurite, container: str, key: str) -> None:
    with pytest.raises(UnauthenticatedError) as raised:
        async with started(azurite.url, container, account_key=key):
            pass
    assert key not in f"{raised.value} {raised.value.hint}"


async def test_a_signature_that_has_expired_is_refused_and_not_shown(azurite: Azurite, container: str) -> None:
    token = "sv=2021-06-08&se=2020-01-01T00%3A00%3A00Z&sr=c&sp=rl&sig=c2VjcmV0LXdvcmRz"
    with pytest.raises(UnauthenticatedError) as raised:
        async with started(azurite.url, container, account_key=None, sas_token=token):
            pass
    assert "c2VjcmV0LXdvcmRz" not in f"{raised.value} {raised.value.hint}"


async def test_a_connection_string_says_all_at_once(azurite: Azurite, container: str) -> None:
    text = f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={azurite.url};"
    settings = AzureSettings.model_validate({"container": container, "connection_string": text})
    storage = AzureStorage(settings)
    await storage.start()
    await storage.write("a", b"1")
    assert "sig=" in await storage.url("a", 60)
    await storage.stop()


async def test_a_prefix_keeps_two_storages_in_one_container_apart(azurite: Azurite, container: str) -> None:
    async with (
        started(azurite.url, container, prefix="one.") as one,
        started(azurite.url, container, prefix="o") as other,
    ):
        await one.write("a", b"1")
        await other.write("a", b"2")
        assert await one.read("a") == b"1"
        assert [info.key async for info in one.list("")] == ["a"]
    assert await names(azurite.service(), container) == ["o/a", "one.!/a"]


async def test_a_download_survives_a_restart_of_the_server(own: Azurite) -> None:
    container = await to_thread.run_sync(own.container)
    async with started(own.url, container, retries=3) as storage:
        await storage.write_stream("a", blocks(16))
        read = bytearray()
        async with aclosing(storage.read_stream("a")) as pieces:
            async for piece in pieces:
                if not read:
                    # It writes down what it has when it is asked to end, and not at each change.
                    await to_thread.run_sync(own.process.stop)
                    await to_thread.run_sync(own.process.start)
                read += piece
        assert bytes(read) == b"".join([block async for block in blocks(16)])


async def test_an_upload_survives_a_restart_of_the_server_or_leaves_the_old_object(own: Azurite) -> None:
    async def stopping() -> AsyncGenerator[bytes]:
        async for block in blocks(4):
            yield block
        await to_thread.run_sync(own.process.stop)
        await to_thread.run_sync(own.process.start)
        async for block in blocks(4):
            yield block

    container = await to_thread.run_sync(own.container)
    async with started(own.url, container, retries=3) as storage:
        await storage.write("old", b"old")
        written = await storage.write_stream("new", stopping())
        assert written.size == len(await storage.read("new")) == 8 * _PIECE
        assert await storage.read("old") == b"old"


async def test_an_upload_ends_with_the_server_and_leaves_the_old_object(own: Azurite) -> None:
    async def stopping() -> AsyncGenerator[bytes]:
        async for block in blocks(4):
            yield block
        await to_thread.run_sync(own.process.stop)
        async for block in blocks(4):
            yield block

    container = await to_thread.run_sync(own.container)
    async with started(own.url, container) as storage:
        await storage.write("old", b"old")
        with pytest.raises(UnavailableError, match=str(own.port)):
            await storage.write_stream("old", stopping())
        with pytest.raises(UnavailableError):
            await storage.read("old")
        await to_thread.run_sync(own.process.start)
        assert await storage.read("old") == b"old"
        assert [info.key async for info in storage.list("")] == ["old"]


async def test_a_server_that_is_killed_is_unavailable_and_is_used_again_once_it_is_up(own: Azurite) -> None:
    container = await to_thread.run_sync(own.container)
    async with started(own.url, container) as storage:
        await storage.write("a", b"1")
        await to_thread.run_sync(own.process.kill)
        for call in (storage.read("a"), storage.write("a", b"2"), storage.ping()):
            with pytest.raises(UnavailableError, match=str(own.port)):
                await call
        await to_thread.run_sync(own.process.start)
        # It forgets what it was told in its last seconds, and so perhaps its container.
        async with own.service() as service:
            if not await service.get_container_client(container).exists():
                await service.create_container(container)
        await storage.write("a", b"2")
        assert await storage.read("a") == b"2"


async def test_connections_that_are_cut_are_replaced(azurite: Azurite, container: str) -> None:
    async with FaultProxy.before(azurite.port) as proxy:
        url = f"http://127.0.0.1:{proxy.port}/{ACCOUNT}"
        async with started(url, container, retries=3) as storage:

            async def cutting() -> AsyncGenerator[bytes]:
                async for block in blocks(4):
                    yield block
                    proxy.break_off()

            whole = b"".join([block async for block in blocks(4)])
            await storage.write_stream("a", cutting())
            read = bytearray()
            async with aclosing(storage.read_stream("a")) as pieces:
                async for piece in pieces:
                    read += piece
                    proxy.break_off()
            assert bytes(read) == whole


async def test_a_silent_server_is_given_up_and_used_again_when_it_speaks(azurite: Azurite, container: str) -> None:
    async with FaultProxy.before(azurite.port) as proxy:
        url = f"http://127.0.0.1:{proxy.port}/{ACCOUNT}"
        async with started(url, container, timeout=2) as storage:
            await storage.write("a", b"1")
            proxy.silent = True
            calls = (storage.read("a"), storage.write("a", b"2"), storage.stat("a"))
            errors = await asyncio.gather(*calls, return_exceptions=True)
            assert [type(error) for error in errors] == [DeadlineError] * 3
            proxy.silent = False
            proxy.break_off()
            assert await storage.read("a") == b"1"


async def test_calls_to_a_slow_server_can_be_cancelled_and_leave_no_connection_open(
    azurite: Azurite, container: str
) -> None:
    async with FaultProxy.before(azurite.port) as proxy:
        url = f"http://127.0.0.1:{proxy.port}/{ACCOUNT}"
        async with started(url, container) as storage:
            await storage.write("a", b"1")
            proxy.silent = True
            calls = [asyncio.create_task(storage.read("a")) for _ in range(20)]
            async with asyncio.timeout(30):
                await proxy.wait_until_open(20)
                for call in calls:
                    call.cancel()
                await asyncio.wait(calls)
                await proxy.wait_until_open(0)
            proxy.silent = False
            assert await storage.read("a") == b"1"


async def test_a_long_stream_takes_little_memory_both_ways(azurite: Azurite, container: str) -> None:
    async with started(azurite.url, container, piece_bytes=1 << 20) as storage:
        await storage.write("warm", b"up")
        tracemalloc.start()
        try:
            await storage.write_stream("a", blocks(48, 1 << 20))
            size = 0
            async with aclosing(storage.read_stream("a")) as pieces:
                async for piece in pieces:
                    size += len(piece)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert size == 48 << 20
    assert peak < 12 << 20, f"48 MiB took {peak >> 20} MiB"


async def test_what_has_expired_is_removed_by_who_meets_it(azurite: Azurite, container: str) -> None:
    async with started(azurite.url, container) as storage:
        for key in ("read", "stat", "list/1", "list/2", "living"):
            await storage.write(key, b"1")
            await storage.expire(key, 3600 if key == "living" else -61)
        # The clocks of those who may prolong it differ.
        await storage.write("fresh", b"1")
        await storage.expire("fresh", -1)
        for call in (storage.read("read"), storage.stat("stat"), storage.stat("fresh")):
            with pytest.raises(NotFoundError):
                await call
        assert await names(azurite.service(), container) == ["fresh", "list/1", "list/2", "living"]
        assert [info.key async for info in storage.list("")] == ["living"]
    assert await names(azurite.service(), container) == ["fresh", "living"]


async def test_a_version_is_over_with_its_object(azurite: Azurite, container: str) -> None:
    async with started(azurite.url, container) as storage:
        await storage.write("a", b"1")
        await storage.expire("a", 3600)
        living = (await storage.stat("a")).version
        await storage.write("a", b"2", if_version=living)
        etag = living.partition(";")[0]
        with pytest.raises(ConflictError):
            await storage.write("a", b"3", if_version=f"{etag};until=1.5")
        assert await storage.read("a") == b"2"


async def test_the_time_of_a_write_stays_when_its_object_gets_an_expiry(azurite: Azurite, container: str) -> None:
    async with started(azurite.url, container) as storage:
        written = await storage.write("a", b"1", metadata={"a": "1"})
        await storage.expire("a", 60)
        await storage.expire("a", 90)
        found = await storage.stat("a")
        assert (found.modified, dict(found.metadata)) == (written.modified, {"a": "1"})


async def test_a_link_ends_with_its_object(azurite: Azurite, container: str) -> None:
    async with started(azurite.url, container) as storage:
        await storage.write("a", b"1")
        long = await storage.url("a", 86400)
        await storage.expire("a", 60)
        assert (await storage.url("a", 86400)).split("se=")[1] < long.split("se=")[1]
        for seconds in (0, -1, math.nan):
            with pytest.raises(ConfigError, match="a link cannot live"):
                await storage.url("a", seconds)
        with pytest.raises(NotFoundError):
            await storage.url("missing", 60)


@pytest.mark.parametrize("seconds", [math.inf, math.nan])
async def test_an_expiry_that_is_no_time_is_refused(azurite: Azurite, container: str, seconds: float) -> None:
    async with started(azurite.url, container) as storage:
        await storage.write("a", b"1")
        with pytest.raises(ConfigError, match="cannot expire"):
            await storage.expire("a", seconds)
        with pytest.raises(ConfigError, match="a link cannot live"):
            await storage.url("a", seconds)


async def test_a_content_type_that_no_header_can_have_is_refused(azurite: Azurite, container: str) -> None:
    async with started(azurite.url, container) as storage:
        for content_type in ("text/plain\r\nX-Evil: 1", "text/plain; name=\u00e4"):
            with pytest.raises(ConfigError, match="illegal content type"):
                await storage.write("a", b"1", content_type=content_type)


async def test_a_blob_whose_name_is_no_key_is_left_out_of_lists(azurite: Azurite, container: str) -> None:
    async with azurite.service() as service:
        for name in ("a/", "a//b", "c.", "a/b"):
            await service.get_blob_client(container, name).upload_blob(b"1")
    async with started(azurite.url, container) as storage:
        assert [info.key async for info in storage.list("")] == ["a/b"]
