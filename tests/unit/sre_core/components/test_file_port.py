import json
from base64 import b64encode
from typing import Any

import pytest

from sre_core.access.candidate import Candidate
from sre_core.components.file_port import MAX_FILES
from sre_core.components.files import read_file
from sre_core.components.node import InputPort
from sre_core.components.values import coerce
from sre_core.errors import AccessDeniedError, ComponentError
from sre_core.messages import File
from sre_core.testing.bench import Bench, bench

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
PORT = InputPort(name="binary", type="Binary")


async def contents(value: Any, b: Bench) -> bytes:
    return (await read_file(value, b.context)).data


@pytest.mark.parametrize(
    ("value", "mimetype", "ending", "data"),
    [
        ("hello world", "text/plain", "-binary.txt", b"hello world"),
        ("male", "text/plain", "-binary.txt", b"male"),
        ("{name} said [hi]", "text/plain", "-binary.txt", b"{name} said [hi]"),
        ("[1, 2]", "text/plain", "-binary.txt", b"[1, 2]"),
        ("see http://example.com/a.png and http://example.com/b.png", "text/plain", "-binary.txt", None),
        ("data:image/png;base64," + b64encode(PNG).decode(), "image/png", "-binary.png", PNG),
        (b64encode(PNG).decode(), "image/png", "-binary.png", PNG),
        (PNG, "image/png", "-binary.png", PNG),
        (File(name="photo.png", media_type="image/png", data=PNG), "image/png", "-photo.png", PNG),
    ],
)
async def test_what_comes_in_becomes_a_stored_file(value: Any, mimetype: str, ending: str, data: bytes | None) -> None:
    async with bench() as b:
        file = await coerce(value, PORT, b.context)
        assert set(file) == {"mimetype", "size", "url", "name"}
        assert file["mimetype"] == mimetype
        assert file["name"].endswith(ending)
        assert file["url"].startswith("smythfs://default.team/a1/_temp/")
        assert await contents(file, b) == (value.encode() if data is None else data)
        assert file["size"] == len(await contents(file, b))


@pytest.mark.parametrize("type_", ["image", "AUDIO", "Video", "Binary"])
async def test_an_address_of_ours_stays_where_it_is(type_: str) -> None:
    async with bench() as b:
        await b.context.storage.write("pic.png", PNG, content_type="image/png")
        expected = {"mimetype": "image/png", "size": len(PNG), "url": "smythfs://a1.agent/pic.png", "name": "pic.png"}
        for means in (expected["url"], expected, {"url": expected["url"]}, json.dumps(expected)):
            assert await coerce(means, InputPort(name="in", type=type_), b.context) == expected


async def test_several_files_become_a_list() -> None:
    async with bench() as b:
        for name in ("a.txt", "b.txt"):
            await b.context.storage.write(name, name, content_type="text/plain")
        one, two = "smythfs://a1.agent/a.txt", "smythfs://a1.agent/b.txt"
        for means in ([one, two], f"{one}, {two}", f" {one}\n{two} ", json.dumps([one, two])):
            found = await coerce(means, PORT, b.context)
            assert [file["url"] for file in found] == [one, two]


async def test_a_request_for_too_many_files_is_refused_whole() -> None:
    async with bench() as b:
        with pytest.raises(ComponentError, match="files came in at 'binary'"):
            await coerce(["x"] * (MAX_FILES + 1), PORT, b.context)
        assert len(b.context.stored) == 0


async def test_an_address_in_a_request_is_looked_at_as_its_sender() -> None:
    async with bench(caller=Candidate.user("eve")) as b:
        await b.context.storage.write("secret.txt", "the agent's own")
        value = {"url": "smythfs://a1.agent/secret.txt", "mimetype": "text/plain", "size": 15}
        with pytest.raises(AccessDeniedError):
            await coerce(value["url"], PORT, b.context)
        # A value passes as it is, and opens nothing.
        passed = await coerce(value, PORT, b.context)
        with pytest.raises(AccessDeniedError):
            await read_file(passed, b.context)


HALF_A_CHARACTER = ["\ud800", "[\ud800", "{\ud800", "data:,\ud800", "http://x/\ud800", "smythfs://a1.agent/\ud800"]


@pytest.mark.parametrize("value", [5, {"a": 1}, True, "http://localhost:1/x", "smythfs://nobody", *HALF_A_CHARACTER])
async def test_what_is_no_file_is_an_error(value: Any) -> None:
    async with bench() as b:
        with pytest.raises(ComponentError):
            await coerce(value, PORT, b.context)
