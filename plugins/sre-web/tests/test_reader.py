"""Web pages, read from a real server on loopback."""

from contextlib import asynccontextmanager

import anyio
import pytest
from aiohttp import web

from sre_core.components.http_client import HTTPClient
from sre_core.errors import ComponentError
from sre_core.plugins import Plugins
from sre_core.testing.bench import bench

STORY = "The river rose by two metres in one night, and half of the old town was under water by the morning."


def page(name):
    return f"<html><head><title>{name}</title></head><body><article><p>{STORY}</p></article></body></html>"


async def answer(request):
    match request.path:
        case "/missing":
            return web.Response(status=404, text=page("Not found"), content_type="text/html")
        case "/pdf":
            return web.Response(body=b"%PDF-1.7", content_type="application/pdf")
        case "/large":
            return web.Response(body=b"x" * 3_000_000, content_type="text/html")
        case "/moved":
            return web.Response(status=302, headers={"Location": "/there"})
        case path:
            return web.Response(text=page(path), content_type="text/html")


@asynccontextmanager
async def site(handler=answer):
    """The address of a web site; names and addresses of this machine count as public ones there."""
    runner = web.ServerRunner(web.Server(handler), shutdown_timeout=0.1)
    await runner.setup()
    server = web.TCPSite(runner, "127.0.0.1", 0)
    await server.start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


async def read(urls, data=None, *, public=lambda _: True):
    async with bench(plugins=Plugins.load(only=["web"])) as place:
        if public is not None:
            place.host.ends.http = HTTPClient(public=public)
        return await place.run("WebReader", data, inputs={"URLs": urls})


async def test_pages_are_read_in_order():
    async with site() as url:
        outputs = await read(f"{url}/b, {url}/a")
    assert [result["title"] for result in outputs["Results"]] == ["/b", "/a"]
    assert outputs["Results"][0] == {"url": f"{url}/b", "title": "/b", "content": STORY}
    assert outputs["FailedURLs"] == []


async def test_a_page_that_fails_stops_no_other():
    async with site() as url:
        paths = ["missing", "pdf", "large", "moved"]
        outputs = await read([*(f"{url}/{path}" for path in paths), "file:///etc/passwd", "http://127.0.0.1:9/"])
    assert [result["title"] for result in outputs["Results"]] == ["/there"]
    errors = [failed["error"] for failed in outputs["FailedURLs"]]
    assert errors[0] == "the page answers 404"
    assert "this is a PDF" in errors[1]
    assert "larger than 2097152 bytes" in errors[2]
    assert "no address of a web page" in errors[3]
    assert "no reply" in errors[4]


async def test_results_of_a_search_are_urls_too():
    async with site() as url:
        outputs = await read([{"url": f"{url}/a", "content": "…"}])
    assert outputs["Results"][0]["title"] == "/a"


async def test_a_long_page_is_cut_and_says_so():
    async with site() as url:
        outputs = await read(f"{url}/a", {"maxCharacters": "9", "format": "text"})
    assert outputs["Results"] == [{"url": f"{url}/a", "title": "/a", "content": "The river", "truncated": True}]


async def test_no_url_leads_to_a_private_network():
    asked = []

    async def handler(request):
        asked.append(request.path)
        return web.Response(text=page("secret"), content_type="text/html")

    async with site(handler) as url:
        port = url.rpartition(":")[2]
        outputs = await read([f"{url}/", f"http://localhost:{port}/", "http://169.254.169.254/latest"], public=None)
    assert outputs["Results"] == []
    assert len(outputs["FailedURLs"]) == 3
    assert "refused" in outputs["_error"]
    assert asked == []


async def test_a_slow_page_fails_in_time():
    async def handler(request):
        await anyio.sleep_forever()

    async with site(handler) as url:
        with anyio.fail_after(60):
            outputs = await read(f"{url}/", {"timeout": 0.05})
    assert "within 0.05 s" in outputs["FailedURLs"][0]["error"]


async def test_many_pages_at_once_do_not_mix():
    async with site() as url:
        urls = [f"{url}/{number}" for number in range(40)]
        outputs = await read(urls)
    assert [(result["url"], result["title"]) for result in outputs["Results"]] == [
        (one, one.removeprefix(url)) for one in urls
    ]


async def test_what_holds_no_urls_is_refused():
    with pytest.raises(ComponentError, match="no URLs"):
        await read({"link": "https://a.example"})


def test_the_plugin_is_found_where_it_is_installed():
    (info,) = [info for info in Plugins.load(only=["web"]).infos if info.name == "web"]
    assert (info.error, info.offers) == (None, ("component:WebReader",))
