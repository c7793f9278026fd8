"""Lists of URLs as inputs bring them, and one attempt for each."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from sre_core.components.loose_json import parse_loose_json
from sre_core.errors import ComponentError, ConnectorError

__all__ = ["check_own_url", "check_web_address", "read_each", "url_list"]

# Commas count at the beginning of their run alone: else a long run would be tried from each of them.
_BETWEEN = re.compile(r"\s+|(?<!,),++(?=[a-zA-Z][a-zA-Z0-9+.-]*+://)")


def check_own_url(url: str) -> None:
    """Raises ComponentError for an author's URL that no request can go to; one with placeholders may turn out well.

    Nothing of it is repeated, since it may hold a secret.
    """
    if "{{" in url:
        return
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        raise ComponentError("the URL is illegal") from None
    if parts.scheme not in {"http", "https"}:
        raise ComponentError("the URL does not begin with http:// or https://")
    if not parts.hostname:
        raise ComponentError("the URL names no host")


def check_web_address(url: str) -> None:
    """Raises ComponentError unless the URL may be that of a web page."""
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = None
    if parts is None or parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ComponentError(f"{url!r:.200} is no address of a web page", hint="it begins with https://")


def url_list(value: Any) -> list[str]:
    """The URLs in a list, a text of JSON, or a text that separates them by commas or spaces; each once, in order.

    An entry may be a result of a search, a mapping with `url`. Raises ComponentError for anything else.
    """
    return list(dict.fromkeys(_urls(value)))


async def read_each(
    urls: Sequence[str], read: Callable[[str], Awaitable[Mapping[str, Any]]], *, at_once: int = 5
) -> dict[str, Any]:
    """`Results` of `read` for each URL and `FailedURLs`, `{url, error}`, both in the order of `urls`.

    At most `at_once` are read at the same time. When nothing could be read at all, `_error` stands beside them.
    """
    gate = asyncio.Semaphore(at_once)

    async def attempt(url: str) -> Mapping[str, Any] | str:
        async with gate:
            try:
                return await read(url)
            except (ComponentError, ConnectorError) as error:
                return error.message

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(attempt(url)) for url in urls]
    ends = [(url, task.result()) for url, task in zip(urls, tasks, strict=True)]
    failed = [{"url": url, "error": end} for url, end in ends if isinstance(end, str)]
    outputs: dict[str, Any] = {"Results": [end for _, end in ends if not isinstance(end, str)], "FailedURLs": failed}
    if failed and not outputs["Results"]:
        outputs["_error"] = f"none of {len(failed)} URLs could be read; the first: {failed[0]['error']}"
    return outputs


def _urls(value: Any) -> list[str]:
    if isinstance(value, str):
        text = value.strip()
        if text.startswith(("[", "{", '"')):
            return _urls(_from_json(text))
        return [part for piece in _BETWEEN.split(text) if (part := piece.strip(","))]
    if isinstance(value, Mapping) and isinstance(value.get("url"), str):
        return [value["url"]]
    if isinstance(value, list | tuple):
        return [url for item in value for url in _urls(item)]
    raise ComponentError(
        f"no URLs: {value!r:.80}", hint="give a list of URLs, a JSON list, or a text with commas between them"
    )


def _from_json(text: str) -> Any:
    try:
        return parse_loose_json(text, repair=False)
    except ComponentError as error:
        raise ComponentError(f"the list of URLs is no JSON: {text!r:.80}", hint=error.hint) from error
