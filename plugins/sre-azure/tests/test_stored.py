"""What lies in a container, who may look at it, and for how long."""

import math
from contextlib import aclosing

import pytest

from sre_azure import AzureSettings, AzureStorage
from sre_core.errors import ConfigError, ConflictError, NotFoundError, UnauthenticatedError, UnavailableError

from .azurite import ACCOUNT, KEY, Azurite  # noqa: TID252 -- the folder of tests is no package
from .storages import PIECE, names, started  # noqa: TID252

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


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


async def test_a_list_tells_the_version_that_stat_tells_with_and_without_an_expiry(
    azurite: Azurite, container: str
) -> None:
    async with started(azurite.url, container) as storage:
        written = await storage.write("a", b"1")
        assert [info async for info in storage.list("")] == [written]
        await storage.expire("a", 3600)
        listed = [info async for info in storage.list("")]
        assert listed == [await storage.stat("a")]
        assert await storage.write("a", b"2", if_version=listed[0].version)


@pytest.mark.parametrize("version", ["*", "1", "\u00e9", '"a", "b"', 'W/"0x7"', '"0x7"\r\nx-ms-lease-id: 1'])
async def test_a_version_that_is_none_of_theirs_is_a_conflict(azurite: Azurite, container: str, version: str) -> None:
    async with started(azurite.url, container) as storage:
        await storage.write("a", b"1")
        with pytest.raises(ConflictError):
            await storage.write("a", b"2", if_version=version)
        assert await storage.read("a") == b"1"


async def test_a_reader_of_an_object_that_gets_an_expiry_is_told_why_it_ends(azurite: Azurite, container: str) -> None:
    async with started(azurite.url, container) as storage:
        await storage.write("a", b"x" * 3 * PIECE)
        async with aclosing(storage.read_stream("a")) as items:
            await anext(items)
            await storage.expire("a", 3600)
            with pytest.raises(UnavailableError, match="got another expiry"):
                await anext(items)


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
