"""Files that are downloaded, from a web service on loopback."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import cached_property

import pytest
from aiohttp import web

from sre_core.access.candidate import Candidate
from sre_core.components.context import ComponentContext, Request
from sre_core.components.files import read_file
from sre_core.components.http_client import HTTPClient
from sre_core.components.node import InputPort
from sre_core.components.values import coerce
from sre_core.errors import ComponentError
from sre_core.host import RuntimeHost
from sre_core.testing.bench import bench
from tests.integration.sre_core.components.local_service import LocalService, Received, local_service

pytestmark = pytest.mark.integration

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
ANSWERS = {
    "/photo": ("image/png", PNG),
    "/blob.png": ("application/octet-stream", PNG),
    "/b%C3%BCcher.csv": ("text/csv; charset=utf-8", b"a,b"),
    "/": ("text/html", b"<p>"),
}


class OpenHost(RuntimeHost):
    """A host whose components may ask loopback."""

    @cached_property
    def http(self) -> HTTPClient:
        """A client that takes every address for a public one."""
        return HTTPClient(public=lambda _: True)


@asynccontextmanager
async def around(*, public: bool = True) -> AsyncGenerator[tuple[LocalService, ComponentContext]]:
    def answer(request: Received) -> web.Response:
        found = ANSWERS.get(request.target.partition("?")[0])
        if found is None:
            return web.Response(status=404, text="no such file")
        return web.Response(headers={"Content-Type": found[0]}, body=found[1])

    eve = Candidate.user("eve")
    async with local_service(answer) as service, bench(caller=eve) as b:
        host = OpenHost(b.host.runtime, b.host.agent)
        yield service, host.context(Request(), caller=eve) if public else b.context
        await host.http.aclose()


@pytest.mark.parametrize(
    ("path", "name", "media_type", "data"),
    [
        ("/photo?size=5", "photo.png", "image/png", PNG),
        ("/blob.png", "blob.png", "image/png", PNG),
        ("/b%C3%BCcher.csv", "bücher.csv", "text/csv", b"a,b"),
        ("/", "page.html", "text/html", b"<p>"),
    ],
)
async def test_an_address_is_downloaded_with_its_name_and_type(
    path: str, name: str, media_type: str, data: bytes
) -> None:
    async with around() as (service, context):
        file = await read_file(service.url + path, context, name="page")
        assert (file.name, file.media_type, file.data) == (name, media_type, data)


async def test_a_file_value_may_point_at_the_web() -> None:
    async with around() as (service, context):
        value = {"url": f"{service.url}/blob.png", "mimetype": "image/x-claimed", "size": 3, "name": "mine.png"}
        file = await read_file(value, context)
        assert (file.name, file.media_type, file.data) == ("mine.png", "image/png", PNG)


async def test_what_is_not_there_is_an_error_that_shows_no_key() -> None:
    async with around() as (service, context):
        with pytest.raises(ComponentError, match="answered 404") as caught:
            await read_file(service.url + "/none?key=s3cret#x", context)
        assert "/none" in str(caught.value)
        assert "s3cret" not in str(caught.value)


async def test_addresses_at_a_file_port_are_downloaded_once_and_kept() -> None:
    async with around() as (service, context):
        text = f"{service.url}/photo, {service.url}/b%C3%BCcher.csv"
        found = await coerce(text, InputPort(name="in", type="Binary"), context)
        assert [(file["mimetype"], file["size"]) for file in found] == [("image/png", len(PNG)), ("text/csv", 3)]
        assert [(await read_file(file, context)).data for file in found] == [PNG, b"a,b"]
        assert len(service.received) == 2


async def test_an_address_that_is_not_public_is_never_asked() -> None:
    async with around(public=False) as (service, context):
        for value in (f"{service.url}/photo", {"url": f"{service.url}/photo", "mimetype": "x/y", "size": 1}):
            with pytest.raises(ComponentError, match="is refused"):
                await read_file(value, context)
        assert service.received == []
