"""What is said between connector and service when not all goes well, reply by reply.

The replies follow the pages "Resumable uploads", "Objects: get" and "Request preconditions" of the documentation of
Google Cloud Storage.
"""

import asyncio
import json
import tracemalloc
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from multidict import CIMultiDict

from sre_core.connectors.storage import NEW
from sre_core.errors import ConflictError, ConnectorError, NotFoundError, UnavailableError
from sre_core.testing.replay import HttpReply, HttpRequest, ReplayServer
from sre_gcp import GcsSettings, GcsStorage
from sre_gcp.checksum import Checksum

pytestmark = pytest.mark.anyio

_PIECE = 256 * 1024
_LONG_AGO = "1000000000.0"
_EMPTY = HttpReply.json({"kind": "storage#objects"})
_SESSION = HttpReply(headers={"Location": "https://storage.googleapis.com/upload/b/o?upload_id=secret-7"})
_BUSY = HttpReply.json({"error": {"message": "not now"}}, status=503)
_CHANGED = HttpReply.json({"error": {"message": "Precondition Failed"}}, status=412)
_MISSING = HttpReply.json({"error": {"message": "No such object"}}, status=404)
_DONE = HttpReply(status=204)


def described(data: bytes = b"", **other: Any) -> HttpReply:
    told = {
        "kind": "storage#object",
        "name": "a",
        "size": str(len(data)),
        "generation": "7",
        "metageneration": "1",
        "timeCreated": "2026-11-27T10:00:00.123Z",
        "crc32c": str(Checksum(data)),
    }
    return HttpReply.json({**told, **other})


def media(data: bytes, *, status: int = 200, cut: bool = False, **headers: str) -> HttpReply:
    known = {"X-Goog-Generation": "7", "X-Goog-Metageneration": "1"}
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpReply(status=status, headers={**known, **more}, pieces=(data,), cut=cut)


def taken(end: int) -> HttpReply:
    return HttpReply(status=308, headers={"Range": f"bytes=0-{end - 1}"} if end else {})


@asynccontextmanager
async def talking(
    *replies: HttpReply, retries: int = 1, pool_size: int = 200
) -> AsyncIterator[tuple[GcsStorage, ReplayServer]]:
    """A started connector, and a service that will give these replies."""
    async with ReplayServer.running(_EMPTY) as server:
        settings = GcsSettings(
            bucket="bucket",
            endpoint=server.url,
            anonymous=True,
            piece_bytes=_PIECE,
            retries=retries,
            pool_size=pool_size,
        )
        connector = GcsStorage(settings)
        try:
            await connector.start()
            server.requests.clear()
            server.replies.extend(replies)
            yield connector, server
        finally:
            await connector.stop()


async def pieces(*given: bytes) -> AsyncGenerator[bytes]:
    for piece in given:
        yield piece


async def joined(items: AsyncGenerator[bytes]) -> bytes:
    async with aclosing(items):
        return b"".join([piece async for piece in items])


def spans(requests: list[HttpRequest]) -> list[tuple[str, int]]:
    """What was put, and how much of it."""
    return [(request.headers["Content-Range"], len(request.body)) for request in requests if request.method == "PUT"]


# Uploads in pieces


async def test_a_piece_is_sent_again_when_the_service_was_busy() -> None:
    data = b"x" * (2 * _PIECE + 5)
    replies = (_SESSION, _BUSY, taken(_PIECE), taken(2 * _PIECE), _BUSY, described(data))
    async with talking(*replies) as (connector, server):
        written = await connector.write_stream("a", pieces(data))
    assert written.size == len(data)
    first = (f"bytes 0-{_PIECE - 1}/*", _PIECE)
    last = (f"bytes {2 * _PIECE}-{len(data) - 1}/{len(data)}", 5)
    assert spans(server.requests) == [first, first, (f"bytes {_PIECE}-{2 * _PIECE - 1}/*", _PIECE), last, last]


async def test_what_the_service_did_not_take_of_a_piece_comes_with_the_next_one() -> None:
    half = _PIECE // 2
    data = b"abc" * half
    async with talking(_SESSION, taken(half), described(data)) as (connector, server):
        await connector.write_stream("a", pieces(data))
        sent = [request.body for request in server.requests if request.method == "PUT"]
    assert sent == [data[:_PIECE], data[half:]]


async def test_a_service_that_takes_nothing_is_unavailable_and_the_upload_is_cancelled() -> None:
    async with talking(_SESSION, taken(0), HttpReply(status=499)) as (connector, server):
        with pytest.raises(UnavailableError, match="0 bytes arrived"):
            await connector.write_stream("a", pieces(b"x" * (_PIECE + 1)))
        assert [request.method for request in server.requests] == ["POST", "PUT", "DELETE"]
        assert dict(server.requests[-1].query) == {"upload_id": "secret-7"}


async def test_an_upload_that_the_service_has_lost_is_unavailable() -> None:
    async with talking(_SESSION, _MISSING, _MISSING) as (connector, _):
        with pytest.raises(UnavailableError, match="was lost") as raised:
            await connector.write_stream("a", pieces(b"x" * (_PIECE + 1)))
    assert "secret-7" not in f"{raised.value} {raised.value.hint}"


async def test_an_object_that_was_damaged_on_its_way_is_removed() -> None:
    data = b"x" * (_PIECE + 1)
    async with talking(_SESSION, taken(_PIECE), described(data[:-1] + b"y"), _DONE) as (connector, server):
        with pytest.raises(UnavailableError, match="other bytes arrived"):
            await connector.write_stream("a", pieces(data))
        assert server.requests[-1].method == "DELETE"
        assert server.requests[-1].query["ifGenerationMatch"] == "7"


async def test_the_service_compares_what_it_got_before_it_replaces_an_object() -> None:
    data = b"x" * (_PIECE + 1)
    async with talking(described(b"1"), _SESSION, taken(_PIECE), described(data)) as (connector, server):
        await connector.write("a", b"1")
        assert f'"crc32c": "{Checksum(b"1")}"'.encode() in server.requests[0].body
        await connector.write_stream("a", pieces(data))
        told = [request.headers.get("X-Goog-Hash") for request in server.requests if request.method == "PUT"]
    assert told == [None, f"crc32c={Checksum(data)}"]


async def test_an_upload_whose_session_has_no_address_fails() -> None:
    async with talking(HttpReply()) as (connector, _):
        with pytest.raises(ConnectorError, match="names no session"):
            await connector.write_stream("a", pieces(b"x" * (_PIECE + 1)))


async def test_an_object_larger_than_a_piece_is_written_in_pieces_on_the_same_condition() -> None:
    data = b"x" * (_PIECE + 1)
    async with talking(_SESSION, taken(_PIECE), described(data)) as (connector, server):
        await connector.write("a", data, if_version=NEW)
        assert server.requests[0].query["ifGenerationMatch"] == "0"


# Downloads


async def test_a_download_that_breaks_off_goes_on_where_it_ended() -> None:
    data = bytes(range(256)) * 64
    rest = media(data[1000:], status=206, Content_Range=f"bytes 1000-{len(data) - 1}/{len(data)}")
    async with talking(media(data[:1000], cut=True), rest) as (connector, server):
        assert await joined(connector.read_stream("a")) == data
        assert server.requests[1].headers["Range"] == "bytes=1000-"
        assert server.requests[1].query["generation"] == "7"


async def test_a_download_that_breaks_off_after_its_last_byte_is_whole() -> None:
    end = HttpReply(status=416, headers={"Content-Range": "bytes */4"})
    async with talking(media(b"data", cut=True), end) as (connector, _):
        assert await joined(connector.read_stream("a")) == b"data"


async def test_a_download_that_begins_again_is_no_continuation() -> None:
    async with talking(media(b"da", cut=True), media(b"data"), media(b"data")) as (connector, _):
        with pytest.raises(UnavailableError, match="did not go on"):
            await joined(connector.read_stream("a"))


async def test_an_object_that_is_replaced_while_it_is_read_cannot_be_read_on() -> None:
    async with talking(media(b"da", cut=True), _MISSING) as (connector, _):
        with pytest.raises(UnavailableError, match="was replaced"):
            await joined(connector.read_stream("a"))


async def test_bytes_that_changed_on_their_way_are_not_handed_out() -> None:
    wrong = media(b"dato", x_goog_hash=f"crc32c={Checksum(b'data')},md5=jXd/OF09/siBXSD3SWAm3A==")
    async with talking(wrong, wrong, wrong, wrong) as (connector, _):
        with pytest.raises(UnavailableError, match="other bytes arrived"):
            await connector.read("a")
        with pytest.raises(UnavailableError, match="other bytes arrived"):
            await joined(connector.read_stream("a"))


async def test_an_object_whose_description_was_changed_is_looked_at_for_its_expiry() -> None:
    changed = media(b"data", X_Goog_Metageneration="2")
    alive, over = described(b"data"), described(b"data", metadata={"sre-expires": _LONG_AGO})
    async with talking(changed, alive, changed, over, changed, over) as (connector, _):
        assert await connector.read("a") == b"data"
        with pytest.raises(NotFoundError):
            await connector.read("a")
        with pytest.raises(NotFoundError):
            await joined(connector.read_stream("a"))


async def test_an_object_that_was_replaced_before_it_was_looked_at_is_read_again() -> None:
    old, new = media(b"old", X_Goog_Metageneration="2"), media(b"new", X_Goog_Generation="8")
    async with talking(old, described(generation="8"), new) as (connector, _):
        assert await connector.read("a") == b"new"
    again = (described(generation="8"), _MISSING, old, described(generation="9"), new)
    async with talking(old, *again) as (connector, server):
        assert await joined(connector.read_stream("a")) == b"new"
        downloads = [dict(request.query) for request in server.requests if "alt" in request.query]
        assert [query.get("generation") for query in downloads] == [None, "8", None, "9"]


async def test_one_connection_is_enough_to_read_what_may_expire() -> None:
    data = b"more than waits in a connection" * 100_000
    changed = media(data, X_Goog_Metageneration="2")
    async with asyncio.timeout(120), talking(changed, described(), changed, pool_size=1) as (connector, _):
        assert await joined(connector.read_stream("a")) == data


async def test_a_checksum_is_found_wherever_the_service_puts_it() -> None:
    sums = [("X-Goog-Hash", "md5=jXd/OF09/siBXSD3SWAm3A=="), ("X-Goog-Hash", f"crc32c={Checksum(b'data')}")]
    headers = CIMultiDict([*sums, *media(b"").headers.items()])
    async with talking(HttpReply(headers=headers, pieces=(b"dato",))) as (connector, _):
        with pytest.raises(UnavailableError, match="other bytes arrived"):
            await connector.read("a")


async def test_a_checksum_of_many_bytes_lets_others_run() -> None:
    checksum, turns = Checksum(), 0
    summing = asyncio.create_task(checksum.add_many(bytes(range(256)) * (8 << 12)))
    while not summing.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns >= 8
    assert str(checksum) == str(Checksum(bytes(range(256)) * (8 << 12)))


async def test_an_object_of_five_gibibytes_is_announced_and_takes_no_memory() -> None:
    huge = media(b"beginning", cut=True, Content_Length=str(5 << 30))
    async with talking(huge, retries=0) as (connector, _):
        tracemalloc.start()
        try:
            with pytest.raises(UnavailableError):
                await connector.read("a")
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 4 << 20


# Conditions


async def test_a_write_on_a_version_asks_that_its_expiry_was_not_touched() -> None:
    async with talking(described(b"1")) as (connector, server):
        await connector.write("a", b"1", if_version="6")
        query = server.requests[0].query
        assert (query["ifGenerationMatch"], query["ifMetagenerationMatch"]) == ("6", "1")


async def test_a_version_whose_expiry_was_touched_is_written_after_a_look() -> None:
    found = described(metageneration="3", metadata={"sre-expires": "9999999999.0"})
    async with talking(_CHANGED, found, described(b"1", generation="8")) as (connector, server):
        assert (await connector.write("a", b"1", if_version="7")).version == "8"
        query = server.requests[-1].query
        assert (query["ifGenerationMatch"], query["ifMetagenerationMatch"]) == ("7", "3")


async def test_a_version_that_has_expired_is_a_conflict() -> None:
    over = described(metageneration="3", metadata={"sre-expires": _LONG_AGO})
    async with talking(_CHANGED, over) as (connector, _):
        with pytest.raises(ConflictError):
            await connector.write("a", b"1", if_version="7")


@pytest.mark.parametrize("version", ["0x8D", "0", "\u0661", "9" * 20])
async def test_a_version_that_is_none_of_theirs_is_a_conflict_without_a_request(version: str) -> None:
    async with talking() as (connector, server):
        with pytest.raises(ConflictError):
            await connector.write("a", b"1", if_version=version)
        assert server.requests == []


async def test_what_has_expired_is_replaced_by_what_must_be_new() -> None:
    over = described(metageneration="3", metadata={"sre-expires": _LONG_AGO})
    async with talking(_CHANGED, over, described(b"1", generation="8")) as (connector, server):
        assert (await connector.write("a", b"1", if_version=NEW)).version == "8"
        assert server.requests[-1].query["ifGenerationMatch"] == "7"


async def test_a_conditional_write_that_may_have_happened_is_not_tried_again() -> None:
    async with talking(_BUSY, described(b"1")) as (connector, server):
        with pytest.raises(UnavailableError):
            await connector.write("a", b"1", if_version=NEW)
        assert len(server.requests) == 1


async def test_an_expiry_is_set_again_when_the_object_was_replaced_meanwhile() -> None:
    replies = (described(), _CHANGED, described(generation="8"), described(generation="8"))
    async with talking(*replies) as (connector, server):
        await connector.expire("a", 60)
        last = server.requests[-1]
        assert (last.method, last.query["ifGenerationMatch"]) == ("PATCH", "8")
        assert set(json.loads(last.body)["metadata"]) == {"sre-expires"}


# Trying again


async def test_a_call_is_tried_as_often_as_retries_says() -> None:
    async with talking(_BUSY, _BUSY, described(b"1"), retries=2) as (connector, server):
        assert (await connector.stat("a")).version == "7"
        assert len(server.requests) == 3


async def test_a_service_that_wants_a_long_rest_is_not_waited_for() -> None:
    wait = HttpReply.json({"error": {"message": "not now"}}, status=503, headers={"Retry-After": "3600"})
    async with talking(wait, described(b"1"), retries=5) as (connector, server):
        with pytest.raises(UnavailableError) as raised:
            await connector.stat("a")
        assert raised.value.retry_after == 3600
        assert len(server.requests) == 1


async def test_a_redirection_is_not_followed() -> None:
    away = HttpReply(status=302, headers={"Location": "http://127.0.0.1:9/elsewhere"})
    async with talking(away) as (connector, _):
        with pytest.raises(ConnectorError, match="not followed"):
            await connector.stat("a")


# Lists


async def test_a_list_goes_on_from_page_to_page() -> None:
    def page(name: str, **more: str) -> HttpReply:
        item = json.loads(described().pieces[0])
        return HttpReply.json({"kind": "storage#objects", "items": [{**item, "name": name}], **more})

    async with talking(page("a", nextPageToken="token/ 2"), page("b")) as (connector, server):
        assert [info.key async for info in connector.list("")] == ["a", "b"]
        assert server.requests[1].query["pageToken"] == "token/ 2"


async def test_a_list_leaves_out_what_is_no_key() -> None:
    item = json.loads(described().pieces[0])
    names = ["a/", "/a", "a//b", "a/./b", "a/b"]
    listed = HttpReply.json({"kind": "storage#objects", "items": [{**item, "name": name} for name in names]})
    async with talking(listed) as (connector, _):
        assert [info.key async for info in connector.list("")] == ["a/b"]
