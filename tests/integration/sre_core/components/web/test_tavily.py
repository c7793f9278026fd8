"""A search with Tavily: the request as its documentation says, and what becomes of the reply.

The replies follow https://docs.tavily.com/documentation/api-reference/endpoint/search
"""

import json

import anyio
import pytest
from aiohttp import web

from sre_core.components.web.tavily import TavilyWebSearch
from sre_core.errors import (
    ComponentError,
    RateLimitedError,
    SREError,
    UnauthenticatedError,
    UnavailableError,
)
from sre_core.testing.bench import bench
from tests.integration.sre_core.components.local_service import local_service

pytestmark = pytest.mark.integration

KEY = "tvly-0123456789"
RESULT = {"title": "Lyon", "url": "https://a.example/lyon", "content": "A city.", "score": 0.9, "raw_content": None}
REPLY = {
    "query": "lyon",
    "answer": "A city in France.",
    "images": ["https://a.example/1.png"],
    "results": [RESULT],
    "response_time": 1.67,
}


@pytest.fixture
async def tavily(monkeypatch):
    """The service, whose next reply a test may change."""
    answers = [REPLY]
    async with local_service(lambda _: answers[0]) as service:
        monkeypatch.setattr(TavilyWebSearch, "base_url", service.url)
        yield service, answers


async def search(data=None, query="lyon"):
    async with bench(secrets={"tavily": KEY}) as place:
        return await place.run("WebSearch", data, inputs={"SearchQuery": query})


async def test_the_request_is_what_the_documentation_says(tavily):
    service, _ = tavily
    data = {
        "sourcesLimit": "3",
        "searchTopic": "news",
        "includeImages": True,
        "includeQAs": "true",
        "includeRawContent": False,
        "timeRange": "week",
        "excludeDomains": "a.example, b.example,",
    }
    await search(data)
    (received,) = service.received
    assert (received.method, received.target) == ("POST", "/search")
    assert received.headers["authorization"] == f"Bearer {KEY}"
    assert json.loads(received.body) == {
        "query": "lyon",
        "topic": "news",
        "max_results": 3,
        "include_images": True,
        "include_answer": True,
        "include_raw_content": False,
        "time_range": "week",
        "exclude_domains": ["a.example", "b.example"],
    }


async def test_the_key_is_in_a_header_alone(tavily):
    service, _ = tavily
    await search()
    assert KEY not in service.received[0].target + service.received[0].body.decode()


async def test_images_and_answer_come_only_if_asked_for(tavily):
    assert await search() == {"Results": [RESULT]}
    assert await search({"includeImages": True, "includeQAs": True}) == {
        "Results": [RESULT],
        "Images": ["https://a.example/1.png"],
        "Answer": "A city in France.",
    }


@pytest.mark.parametrize("time_range", ["None", "", None])
async def test_no_time_range_asks_for_none(tavily, time_range):
    service, _ = tavily
    await search({"timeRange": time_range})
    assert "time_range" not in json.loads(service.received[0].body)


async def test_a_query_with_a_placeholder_names_no_secret(tavily):
    service, _ = tavily
    await search(query="{{KEY(tavily)}}")
    assert json.loads(service.received[0].body)["query"] == "{{KEY(tavily)}}"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, UnauthenticatedError),
        (429, RateLimitedError),
        (432, ComponentError),
        (500, UnavailableError),
        (302, ComponentError),
    ],
)
async def test_an_error_of_the_service_is_told_without_the_key(tavily, status, kind):
    _, answers = tavily
    answers[0] = web.json_response(
        {"detail": {"error": f"Something about {KEY}."}}, status=status, headers={"Retry-After": "7", "Location": "/x"}
    )
    with pytest.raises(kind, match=rf"{status}: Something about \[key\]") as caught:
        await search()
    assert not isinstance(caught.value, RateLimitedError) or caught.value.retry_after == 7.0
    assert KEY not in repr(caught.value)


@pytest.mark.parametrize("body", ["<html>", '{"no": "results"}', "[]"])
async def test_an_odd_reply_is_an_error(tavily, body):
    _, answers = tavily
    answers[0] = web.Response(text=body)
    with pytest.raises(ComponentError, match="Tavily answered with"):
        await search()


@pytest.mark.parametrize("query", ["", "  ", None])
async def test_without_a_query_nothing_is_sent(tavily, query):
    service, _ = tavily
    with pytest.raises(ComponentError, match="nothing to search for"):
        await search(query=query)
    assert not service.received


async def test_an_agent_without_the_key_is_told_so(tavily):
    service, _ = tavily
    async with bench() as place:
        with pytest.raises(SREError, match="tavily"):
            await place.run("TavilyWebSearch", inputs={"SearchQuery": "lyon"})
    assert not service.received


async def test_many_searches_at_once_do_not_mix(monkeypatch):
    async with local_service(lambda request: {"results": [{"url": json.loads(request.body)["query"]}]}) as service:
        monkeypatch.setattr(TavilyWebSearch, "base_url", service.url)
        async with bench(secrets={"tavily": KEY}) as place, anyio.create_task_group() as group:

            async def one(query):
                outputs = await place.run("TavilyWebSearch", inputs={"SearchQuery": query})
                assert outputs["Results"] == [{"url": query}]

            for number in range(20):
                group.start_soon(one, f"query {number}")
    assert len(service.received) == 20
