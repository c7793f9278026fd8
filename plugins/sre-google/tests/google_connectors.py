"""Connectors that lead to the fake server, through each of the two APIs."""

from collections.abc import Callable
from typing import Any

from pydantic import SecretStr

from sre_google import GoogleLLM, GoogleSettings

from .fake_google import KEY, LOCATION, FakeGoogle  # noqa: TID252 -- the folder of tests is no package

Make = Callable[..., GoogleLLM]


def gemini(server: FakeGoogle, **changes: Any) -> GoogleLLM:
    settings = {"key": SecretStr(KEY), "url": server.url}
    return GoogleLLM(GoogleSettings(**(settings | changes)))


def vertex(server: FakeGoogle, **changes: Any) -> GoogleLLM:
    account = SecretStr(server.account.text)
    settings = {"backend": "vertex", "credentials": account, "location": LOCATION, "url": server.url}
    return GoogleLLM(GoogleSettings(**(settings | changes)))
