"""Lists of URLs, in all the forms in which they come, and one attempt for each."""

import time

import anyio
import pytest

from sre_core.components.web.urls import check_web_address, read_each, url_list
from sre_core.errors import ComponentError, UnavailableError


@pytest.mark.parametrize(
    "value",
    [
        ["https://a.example/x", "https://b.example"],
        '["https://a.example/x", "https://b.example"]',
        "https://a.example/x, https://b.example",
        "https://a.example/x,https://b.example,",
        "https://a.example/x\nhttps://b.example\n",
        [{"url": "https://a.example/x", "title": "A"}, {"url": "https://b.example"}],
        '[{"url": "https://a.example/x"}, {"url": "https://b.example"}]',
        ["https://a.example/x", ["https://b.example", "https://a.example/x"]],
    ],
    ids=["list", "json", "commas", "tight commas", "lines", "results", "json of results", "nested and twice"],
)
def test_urls_come_in_many_forms(value):
    assert url_list(value) == ["https://a.example/x", "https://b.example"]


def test_a_comma_within_a_url_separates_nothing():
    assert url_list("https://a.example/x,y?z=1,2") == ["https://a.example/x,y?z=1,2"]


def test_a_text_of_nothing_but_separators_takes_no_time():
    begun = time.process_time()
    assert url_list("," * 200_000 + "x") == ["x"]
    assert url_list("x" + " ," * 100_000) == ["x"]
    assert time.process_time() - begun < 20


def test_an_empty_text_and_an_empty_list_hold_no_urls():
    assert url_list("") == url_list([]) == []


@pytest.mark.parametrize("value", [None, 7, [None], {"link": "https://a.example"}, "[https://a.example"])
def test_what_holds_no_urls_is_refused(value):
    with pytest.raises(ComponentError, match="URLs"):
        url_list(value)


async def test_a_url_that_fails_stops_no_other():
    async def read(url):
        if "bad" in url:
            raise UnavailableError("no reply")
        return {"url": url}

    outputs = await read_each(["https://a", "https://bad", "https://b"], read)
    assert outputs == {
        "Results": [{"url": "https://a"}, {"url": "https://b"}],
        "FailedURLs": [{"url": "https://bad", "error": "no reply"}],
    }


async def test_that_all_fail_is_an_error_beside_the_outputs():
    async def read(url):
        raise ComponentError(f"nothing at {url}")

    outputs = await read_each(["https://a", "https://b"], read)
    assert outputs["Results"] == []
    assert "none of 2 URLs could be read" in outputs["_error"]


async def test_no_more_are_read_at_once_than_is_allowed():
    running, most = 0, 0
    full = anyio.Event()

    async def read(url):
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == 3:
            full.set()
        await full.wait()
        await anyio.lowlevel.checkpoint()
        running -= 1
        return {"url": url}

    with anyio.fail_after(60):
        outputs = await read_each([f"https://{n}" for n in range(20)], read, at_once=3)
    assert most == 3
    assert [result["url"] for result in outputs["Results"]] == [f"https://{n}" for n in range(20)]


@pytest.mark.parametrize("url", ["https://a.example", "HTTP://a.example/x?y#z"])
def test_addresses_of_web_pages_are_let_through(url):
    check_web_address(url)


@pytest.mark.parametrize("url", ["", "a.example", "file:///etc/passwd", "ftp://a.example", "http://", "http://[x"])
def test_other_addresses_are_refused(url):
    with pytest.raises(ComponentError, match="no address of a web page"):
        check_web_address(url)
