"""Pages read with Scrapfly: the request as its documentation says, and what becomes of each reply.

The replies follow https://scrapfly.io/docs/scrape-api/getting-started and https://scrapfly.io/docs/scrape-api/errors
"""

import anyio
import pytest
from aiohttp import web

from sre_core.components.web.scrapfly import ScrapflyWebScrape
from sre_core.errors import ComponentError
from sre_core.testing.bench import bench
from tests.integration.sre_core.components.local_service import local_service

pytestmark = pytest.mark.integration

KEY = "scp-live-0123"


def page(request):
    """A page that says its address, or the error that its address asks for."""
    url = request.query["url"]
    if "refused" in url:
        body = {"status": "error", "http_code": 401, "reason": "Unauthorized", "message": f"Invalid API key {KEY}"}
        return web.json_response(body, status=401)
    if "unread" in url:
        error = {"code": "ERR::SCRAPE::BAD_UPSTREAM_RESPONSE", "message": "The website answered 404"}
        return {"result": {"success": False, "status_code": 404, "content": "", "error": error}}
    if "empty" in url:
        return {"context": {}}
    return {"result": {"success": True, "status_code": 200, "content": f"# {url}", "format": "markdown"}}


@pytest.fixture
async def scrapfly(monkeypatch):
    async with local_service(page) as service:
        monkeypatch.setattr(ScrapflyWebScrape, "base_url", service.url)
        yield service


async def scrape(urls, data=None):
    async with bench(secrets={"scrapfly": KEY}) as place:
        return await place.run("WebScrape", data, inputs={"URLs": urls})


async def test_the_request_is_what_the_documentation_says(scrapfly):
    data = {
        "format": "text",
        "antiScrapingProtection": True,
        "javascriptRendering": "true",
        "autoScroll": True,
        "countries": ["US", "ca"],
    }
    await scrape("https://a.example/?q=1&key=other", data)
    (received,) = scrapfly.received
    assert (received.method, received.target.partition("?")[0]) == ("GET", "/scrape")
    assert received.query == {
        "key": KEY,
        "url": "https://a.example/?q=1&key=other",
        "format": "text",
        "asp": "true",
        "cost_budget": "80",
        "render_js": "true",
        "auto_scroll": "true",
        "country": "us,ca",
    }


async def test_a_page_becomes_markdown_unless_its_author_says_otherwise(scrapfly):
    outputs = await scrape(["https://a.example"])
    assert outputs == {"Results": [{"url": "https://a.example", "content": "# https://a.example"}], "FailedURLs": []}
    assert scrapfly.received[0].query == {"key": KEY, "url": "https://a.example", "format": "markdown"}


async def test_a_page_that_fails_stops_no_other(scrapfly):
    outputs = await scrape("https://a.example, https://unread.example, https://empty.example, file:///etc/passwd")
    assert [result["url"] for result in outputs["Results"]] == ["https://a.example"]
    errors = {failed["url"]: failed["error"] for failed in outputs["FailedURLs"]}
    assert errors == {
        "https://unread.example": "the page could not be read: The website answered 404",
        "https://empty.example": "Scrapfly answered without the content of the page",
        "file:///etc/passwd": "'file:///etc/passwd' is no address of a web page",
    }
    assert "_error" not in outputs


async def test_a_refused_key_is_told_and_never_shown(scrapfly):
    outputs = await scrape(["https://refused.example"])
    assert "Invalid API key [key]" in outputs["FailedURLs"][0]["error"]
    assert "Invalid API key [key]" in outputs["_error"]
    assert KEY not in repr(outputs)


async def test_a_service_that_cannot_be_reached_shows_no_key(monkeypatch):
    monkeypatch.setattr(ScrapflyWebScrape, "base_url", "http://127.0.0.1:9")
    outputs = await scrape(["https://a.example"])
    assert outputs["Results"] == []
    assert KEY not in repr(outputs)


async def test_no_more_than_five_pages_are_read_at_once(monkeypatch):
    running, most = 0, 0
    full = anyio.Event()

    async def answer(request):
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == 5:
            full.set()
        await full.wait()
        running -= 1
        return page(request)

    async with local_service(answer) as service:
        monkeypatch.setattr(ScrapflyWebScrape, "base_url", service.url)
        with anyio.fail_after(60):
            outputs = await scrape([f"https://a.example/{number}" for number in range(30)])
    assert len(outputs["Results"]) == 30
    assert most == 5


async def test_without_urls_there_is_nothing_to_read(scrapfly):
    assert await scrape([]) == {"Results": [], "FailedURLs": []}
    with pytest.raises(ComponentError, match="no URLs"):
        await scrape(None)
    assert not scrapfly.received
