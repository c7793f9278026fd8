"""Where a request goes and what it says of itself: URLs, origins and headers, checked before anything is sent."""

import base64
import re
from collections.abc import Mapping

from yarl import URL

from sre_core.errors import ComponentError

__all__ = [
    "basic_auth",
    "check_headers",
    "check_method",
    "encode_text",
    "is_same_origin",
    "origin_of",
    "origin_text",
    "parse_url",
    "redirect_url",
    "without_credentials",
]

# What says nothing of who asks. Any other header may hold a key, by whatever name the service calls it.
_FOR_ALL = frozenset(
    {
        *("accept", "accept-encoding", "accept-language", "cache-control", "content-encoding", "content-language"),
        *("content-type", "range", "user-agent"),
    }
)
# The client's own business: a wrong length would let the rest of a body pass for another request, and who expects an
# answer before the body may wait for it in vain.
_FRAMING = frozenset(
    {"connection", "content-length", "expect", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
)
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_BLANKS = re.compile(r"[\x00-\x20\x7f]")


def parse_url(text: str) -> URL:
    """The URL, in the form in which it is sent. Raises ComponentError, which does not repeat what may be secret."""
    encode_text(text)
    if _BLANKS.search(text):
        raise ComponentError("the URL has spaces or control characters in it", hint="encode them, as %20")
    authority = re.split(r"[/?#]", text.partition("//")[2], maxsplit=1)[0]
    if "\\" in authority:
        raise ComponentError("the URL has a backslash in its host")
    try:
        url = URL(text)
        _ = url.port
    except (ValueError, TypeError, UnicodeError):
        raise ComponentError("the URL is illegal") from None
    if url.scheme not in {"http", "https"}:
        raise ComponentError(f"a URL begins with http:// or https://, not {url.scheme!r}")
    if not url.raw_host:
        raise ComponentError("the URL names no host")
    return url.with_fragment(None)


def redirect_url(base: URL, location: str) -> URL:
    """Where a `Location` leads from `base`, without the credentials that it may hold."""
    try:
        target = str(base.join(URL(location.strip())))
    except (ValueError, TypeError, UnicodeError):
        raise ComponentError(f"{origin_of(base)} redirects to an illegal URL") from None
    return parse_url(target).with_user(None)


def origin_of(url: URL) -> str:
    """Scheme, host and port, which messages may show: paths, queries and credentials may be secret."""
    return str(url.origin())


def origin_text(text: str) -> str:
    """As `origin_of`, of a URL as text. Raises ComponentError for an illegal one."""
    return origin_of(parse_url(text))


def is_same_origin(one: URL, other: URL) -> bool:
    """Whether scheme, host and port are the same; a step from http to https on the usual ports counts as the same."""
    if one.raw_host != other.raw_host:
        return False
    places = [(one.scheme, one.port), (other.scheme, other.port)]
    return places[0] == places[1] or places == [("http", 80), ("https", 443)]


def check_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers without those that only the client may set. Raises ComponentError for one that is no header."""
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            raise ComponentError(f"{name!r} is no name of a header")
        if _CONTROLS.search(value):
            raise ComponentError(f"the header {name!r} has a line break or a control character in its value")
        encode_text(value)
    return {name: value for name, value in headers.items() if name.lower() not in _FRAMING}


def check_method(method: str) -> str:
    """The method in capitals. Raises ComponentError for what is none."""
    if not _NAME.fullmatch(method):
        raise ComponentError(f"{method!r} is no method of HTTP")
    return method.upper()


def encode_text(text: str) -> bytes:
    """The text in UTF-8. Raises ComponentError for half of a character, which JSON can hold and UTF-8 cannot."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise ComponentError("a text holds half of a character, which cannot be sent") from None


def without_credentials(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that may go to another origin: those that hold no key, and no name of a host."""
    return {name: value for name, value in headers.items() if name.lower() in _FOR_ALL}


def basic_auth(user: str, password: str) -> str:
    """The value of an `Authorization` header."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
