import re
import time
from base64 import b64encode
from typing import Any

import pytest

from sre_core.access.acl import Access
from sre_core.access.candidate import Candidate
from sre_core.components.files import (
    MAX_FILE_BYTES,
    describe_file,
    is_file_value,
    is_url,
    read_file,
    safe_name,
    store_file,
)
from sre_core.errors import AccessDeniedError, ComponentError, NotFoundError
from sre_core.messages import File
from sre_core.testing.bench import bench

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
EVE = Candidate.user("eve")


async def test_a_stored_file_comes_back_as_it_was() -> None:
    async with bench() as b:
        value = await store_file(File(name="binary", media_type="text/plain", data=b"hello world"), b.context)
        assert value["mimetype"] == "text/plain"
        assert value["size"] == 11
        assert re.fullmatch(r"[A-Z0-9]{11,}-binary\.txt", value["name"])
        assert value["url"] == f"smythfs://default.team/a1/_temp/{value['name']}"
        for means in (value, value["url"], {"url": value["url"]}):
            file = await read_file(means, b.context)
            assert (file.data, file.media_type, file.name) == (b"hello world", "text/plain", value["name"])
        assert await describe_file(value["url"], b.context) == value


async def test_a_temporary_file_vanishes_unless_it_is_kept() -> None:
    async with bench() as b:
        file = File(name="x", media_type="text/plain", data=b"x")
        team = b.context.storage.of(Candidate.team("default"))
        paths = [
            (await store_file(file, b.context, **kept))["url"].partition(".team/")[2]
            for kept in ({}, {"ttl": 60.0}, {"ttl": None})
        ]
        day, minute, always = [(await team.stat(path)).expires for path in paths]
        assert day is not None
        assert minute is not None
        assert day > minute
        assert always is None


async def test_an_address_from_a_request_opens_only_what_its_sender_may_open() -> None:
    async with bench(caller=EVE) as b:
        storage = b.context.storage
        await storage.write("secret.txt", "the agent's own")
        await storage.of(Candidate.team("default")).write("a1/_temp/OLD-x.txt", "of another run")
        for address in ("smythfs://a1.agent/secret.txt", "smythfs://default.team/a1/_temp/OLD-x.txt"):
            for means in (address, address.upper().replace("SECRET.TXT", "secret.txt"), f" {address} "):
                with pytest.raises((AccessDeniedError, ComponentError, NotFoundError)):
                    await read_file(means, b.context)
            with pytest.raises(AccessDeniedError):
                await read_file({"url": address, "mimetype": "text/plain", "size": 1}, b.context)
            with pytest.raises(AccessDeniedError):
                await describe_file(address, b.context)
        assert (await read_file("smythfs://a1.agent/secret.txt", b.context, from_caller=False)).data


async def test_a_caller_opens_what_is_his_or_was_granted_to_him() -> None:
    async with bench(caller=EVE) as b:
        await b.context.caller_storage.write("mine.txt", "eve's")
        await b.context.storage.write("shared.txt", "for eve")
        await b.context.storage.grant("shared.txt", EVE, Access.READ)
        assert (await read_file("smythfs://eve.user/mine.txt", b.context)).data == b"eve's"
        assert (await read_file("smythfs://a1.agent/shared.txt", b.context)).data == b"for eve"
        # The agent has no right to what is hers.
        with pytest.raises(AccessDeniedError):
            await read_file("smythfs://eve.user/mine.txt", b.context, from_caller=False)


async def test_what_a_run_stored_it_reads_again_for_a_caller_without_rights() -> None:
    async with bench(caller=EVE) as b:
        value = await store_file(File(name="chart", media_type="image/png", data=PNG), b.context)
        assert (await read_file(value, b.context)).data == PNG
        assert (await read_file(value["url"] + "?x=1#y", b.context)).data == PNG
        # Another run for the same caller does not: there the address came with her request.
        later = b.host.context(b.context.request, caller=EVE)
        with pytest.raises(AccessDeniedError):
            await read_file(value, later)


async def test_an_agent_reads_its_team_and_no_other_agent() -> None:
    async with bench() as b:
        other = b.host.runtime.storage(Candidate.agent("a2"))
        await other.write("private.txt", "of a2")
        with pytest.raises(AccessDeniedError):
            await read_file("smythfs://a2.agent/private.txt", b.context)
        with pytest.raises(AccessDeniedError):
            await read_file("smythfs://other.team/x.txt", b.context)
        with pytest.raises(NotFoundError):
            await read_file("smythfs://default.team/a1/_temp/none.txt", b.context)


@pytest.mark.parametrize(
    "address",
    [
        "smythfs://a1.agent/../a2/x",
        "smythfs://a1.agent/a/./b",
        "smythfs://a1.agent/a\\..\\b",
        "smythfs://a1.agent//x",
        "smythfs://a1.agent/",
        "smythfs://a1.agent",
        "smythfs://a1.smyth/x",
        "smythfs://../x",
        "smythfs://a1.agent@other.team/x",
        "smythfs://user:pass@a1.agent/x",
    ],
)
async def test_an_address_leads_to_no_other_place(address: str) -> None:
    async with bench() as b:
        await b.context.storage.write("x", "here")
        with pytest.raises(ComponentError):
            await read_file(address, b.context)


@pytest.mark.parametrize(
    ("value", "media_type", "data"),
    [
        ("data:text/html,%3Cb%3E", "text/html", b"<b>"),
        ("data:,a%20b", "text/plain", b"a b"),
        ("data:image/png;base64," + b64encode(PNG).decode(), "image/png", PNG),
        ("DATA:image/png;charset=x;BASE64," + b64encode(PNG).decode().rstrip("="), "image/png", PNG),
        ("data:application/x-y;base64,-_-_", "application/x-y", b"\xfb\xff\xbf"),
        (b64encode(PNG).decode(), "image/png", PNG),
        (re.sub("(.{20})", "\\1\n", b64encode(PNG).decode()), "image/png", PNG),
        (PNG, "image/png", PNG),
        (bytearray(b"%PDF-1.7\n"), "application/pdf", b"%PDF-1.7\n"),
        ("male", "text/plain", b"male"),
        ("test", "text/plain", b"test"),
        ("5eb63bbbe01eeed093cb22bb8f5acdc3", "text/plain", b"5eb63bbbe01eeed093cb22bb8f5acdc3"),
        ("data: a, b", "text/plain", b"data: a, b"),
        ("BMW builds cars", "text/plain", b"BMW builds cars"),
        (b"BMW builds cars", "text/plain", b"BMW builds cars"),
        (b"\x00\x01\x02", "application/octet-stream", b"\x00\x01\x02"),
    ],
)
async def test_files_come_in_all_forms(value: Any, media_type: str, data: bytes) -> None:
    async with bench() as b:
        file = await read_file(value, b.context)
        assert (file.media_type, file.data) == (media_type, data)


@pytest.mark.parametrize("value", [5, None, ["a"], {"a": 1}, {"url": "no address"}, {"url": 5}, object()])
async def test_what_is_no_file_is_named_with_its_port(value: Any) -> None:
    async with bench() as b:
        with pytest.raises(ComponentError, match="'photo' is no file"):
            await read_file(value, b.context, name="photo")


async def test_broken_base64_in_a_data_url_is_an_error() -> None:
    async with bench() as b:
        with pytest.raises(ComponentError, match="base64"):
            await read_file("data:image/png;base64,%%%", b.context)


async def test_a_claimed_type_fills_a_gap_and_overrules_nothing() -> None:
    async with bench() as b:
        await b.context.storage.write("blob", b"\x00\x01", content_type="application/octet-stream")
        await b.context.storage.write("page", b"<p>", content_type="text/html; charset=utf-8")
        claim = {"mimetype": "application/x-thing; v=1", "size": 2, "name": "../../etc/passwd"}
        blob = await read_file({**claim, "url": "smythfs://a1.agent/blob"}, b.context)
        page = await read_file({**claim, "url": "smythfs://a1.agent/page"}, b.context)
        assert (blob.media_type, page.media_type) == ("application/x-thing", "text/html")
        assert blob.name == "passwd"


async def test_a_file_too_large_for_memory_is_refused_before_it_is_read() -> None:
    async with bench() as b:
        await b.context.storage.write("big", bytes(MAX_FILE_BYTES + 1))
        with pytest.raises(ComponentError, match="bytes"):
            await read_file("smythfs://a1.agent/big", b.context)


@pytest.mark.parametrize("start", ["data:text/plain,", "data:;base64,", ""])
async def test_a_file_in_the_text_itself_may_be_no_larger(start: str) -> None:
    text = start + "A" * (MAX_FILE_BYTES // 3 * 4 + 100)
    async with bench() as b:
        with pytest.raises(ComponentError, match="bytes"):
            await read_file(text, b.context)
        with pytest.raises(ComponentError, match="bytes"):
            await read_file({"url": text if start else f"data:,{text}"}, b.context)
        with pytest.raises(ComponentError, match="bytes"):
            await read_file(bytes(MAX_FILE_BYTES + 1), b.context)


@pytest.mark.parametrize("url", ["http://localhost:3000/x?key=s3cret", "http://169.254.169.254/latest", "http:///x"])
async def test_addresses_inside_the_network_are_refused(url: str) -> None:
    async with bench() as b:
        if not is_url(url):
            assert (await read_file(url, b.context)).media_type == "text/plain"
            return
        with pytest.raises(ComponentError) as caught:
            await read_file(url, b.context)
        assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://localhost:3000", True),
        ("HTTPS://example.com/a?b=c", True),
        ("smythfs://default.team/a", True),
        ("data:,x", True),
        ("ftp://example.com/a", False),
        ("http://", False),
        ("see http://example.com", False),
        ("http://example.com and more", False),
        (5, False),
    ],
)
def test_an_address_alone_is_an_address(text: Any, expected: bool) -> None:
    assert is_url(text) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"url": "u", "mimetype": "m", "size": 0}, True),
        ({"url": "u", "mimetype": "m", "size": True}, False),
        ({"url": "", "mimetype": "m", "size": 1}, False),
        ({"url": "u", "mimetype": "m"}, False),
        ("u", False),
    ],
)
def test_a_file_value_has_an_address_a_type_and_a_size(value: Any, expected: bool) -> None:
    assert is_file_value(value) is expected


@pytest.mark.parametrize(
    ("name", "media_type", "expected"),
    [
        ("binary", "text/plain", "binary.txt"),
        ("photo.png", "image/png", "photo.png"),
        ("../../etc/passwd", "application/octet-stream", "passwd"),
        ("a\\b\\..\\c d.PDF", "application/pdf", "c_d.PDF"),
        ("..", "text/plain", "file.txt"),
        ("", "audio/wav", "file.wav"),
        ("bücher", "text/markdown", "bücher.md"),
        ("bu\u0308cher", "text/markdown", "bücher.md"),
        ("x\x00\n/y\x00?#%41.txt", "text/plain", "y_41.txt"),
    ],
)
def test_a_name_is_one_safe_part_of_a_path(name: str, media_type: str, expected: str) -> None:
    assert safe_name(name, media_type) == expected


async def test_a_very_long_name_is_cut_and_still_stored() -> None:
    async with bench() as b:
        value = await store_file(File(name="语" * 5000, media_type="text/plain", data=b"x"), b.context)
        assert value["name"].endswith(".txt")
        assert (await read_file(value, b.context)).name == value["name"]


def test_a_name_of_megabytes_is_cut_at_once() -> None:
    begun = time.process_time()
    assert len(safe_name("é" * 5_000_000 + ".txt")) < 200
    assert time.process_time() - begun < 20
