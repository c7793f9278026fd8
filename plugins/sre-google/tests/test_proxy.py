"""The environment may name a proxy, and servers that are reached without it."""

import pytest
from pydantic import SecretStr

from sre_core.testing.replay import HttpReply, ReplayServer
from sre_core.testing.servers import free_port
from sre_google import GoogleLLM, GoogleSettings
from sre_google.proxy import proxy_for

pytestmark = pytest.mark.anyio

PROXY = "http://user:password@proxy.example:3128"


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("settings", "variables", "proxy"),
    [
        ({}, {}, None),
        ({}, {"https_proxy": PROXY}, PROXY),
        ({}, {"http_proxy": PROXY}, None),
        ({"backend": "vertex"}, {"https_proxy": PROXY}, PROXY),
        ({}, {"https_proxy": PROXY, "no_proxy": ".googleapis.com"}, None),
        (
            {"backend": "vertex", "location": "europe-west4"},
            {"https_proxy": PROXY, "no_proxy": "europe-west4-aiplatform.googleapis.com"},
            None,
        ),
        ({"url": "http://gateway.example"}, {"http_proxy": PROXY, "no_proxy": "other.example"}, PROXY),
        ({}, {"https_proxy": "https://proxy.example"}, None),
    ],
)
def test_the_environment_decides(
    settings: dict[str, str], variables: dict[str, str], proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(GoogleSettings.model_validate(settings)) == proxy


async def test_requests_go_through_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ReplayServer.running(always=HttpReply.json({"totalTokens": 3})) as server:
        monkeypatch.setenv("http_proxy", server.url)
        assert await count("http://gemini.example") == [3]
        (request,) = server.requests
        assert request.headers["Host"] == "gemini.example"


async def test_what_needs_no_proxy_is_reached_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    async with ReplayServer.running(always=HttpReply.json({"totalTokens": 3})) as server:
        assert await count(server.url) == [3]


async def count(url: str) -> list[int]:
    connector = GoogleLLM(GoogleSettings(key=SecretStr("some-key"), url=url))
    await connector.start()
    try:
        return await connector.count_tokens(["hello"])
    finally:
        await connector.stop()
