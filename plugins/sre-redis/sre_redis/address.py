"""Where a server is: addresses read from text."""

from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

__all__ = ["Address", "endpoint", "parse_url"]

_SCHEMES = ("redis", "rediss", "unix")
_PORT = 6379


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One server: `host` and `port`, or the `path` of a socket. `db` is None when nothing names it."""

    host: str = "localhost"
    port: int = _PORT
    path: str | None = None
    db: int | None = None
    tls: bool = False

    def __str__(self) -> str:
        """For messages: the path, or host and port."""
        if self.path is not None:
            return self.path
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def endpoint(text: str, *, port: int) -> tuple[str, int]:
    """Host and port of "host:port", "host" or "[::1]:port"; `port` is for those that name none. Raises ValueError."""
    parts = urlsplit(f"//{text}")
    if not parts.hostname or parts.path or parts.query or parts.username is not None:
        raise ValueError(f"{text!r} is not of the form host:port")
    return parts.hostname, _port(parts) or port


def parse_url(url: str) -> Address:
    """The address in a `redis://`, `rediss://` or `unix://` URL. Raises ValueError, which never quotes the URL."""
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES:
        raise ValueError(f"the URL should begin with {'://, '.join(_SCHEMES)}://")
    if parts.username is not None or parts.password is not None:
        raise ValueError("the URL should hold no credentials; set username and password beside it")
    options = dict(parse_qsl(parts.query))
    if set(options) - {"db"}:
        raise ValueError("of all options in a URL only db is known; set the others beside it")
    if parts.scheme == "unix":
        if not parts.path.strip("/"):
            raise ValueError("the URL should hold the path of a socket, as in unix:///run/redis.sock")
        return Address(path=unquote(parts.netloc + parts.path), db=_database(options.get("db", "")))
    return Address(
        host=parts.hostname or "localhost",
        port=_port(parts) or _PORT,
        db=_database(options.get("db") or parts.path.strip("/")),
        tls=parts.scheme == "rediss",
    )


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port
    except ValueError:
        raise ValueError("a port is a number from 1 to 65535") from None


def _database(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit()):
        raise ValueError("a database is a whole number, as in redis://localhost:6379/0")
    return int(text)
