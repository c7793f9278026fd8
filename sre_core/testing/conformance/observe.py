"""What the lifecycle kit watches a connector do: opening things, writing lines, holding secrets."""

import io
import logging
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import cache
from typing import Any, get_args, get_origin

from pydantic import BaseModel, SecretBytes, SecretStr

from sre_core.connectors.base import Connector
from sre_core.errors import SREError

__all__ = ["MARKED_NAME", "MARKER", "Output", "marked", "opened", "output", "plain_secrets", "secrets"]

MARKER = "marker-of-the-conformance-kit-0451"
"""Stands for a secret: wherever it turns up, a secret would have."""

MARKED_NAME = "marked-by-the-conformance-kit"
"""Names the one secret of a setting that maps names to secrets, such as headers."""

_OPENS = (
    "http.client.connect",
    "open",
    "os.mkdir",
    "os.posix_spawn",
    "os.remove",
    "os.rename",
    "os.system",
    "socket.",
    "sqlite3.connect",
    "subprocess.Popen",
    "tempfile.",
    "urllib.Request",
)
_IMPORTED = (".py", ".pyc", ".pyd", ".so", ".dylib", ".dll", ".pth", ".zip")
_SHORTEST_SECRET = 8
_OF_EVERY_RECORD = frozenset(vars(logging.makeLogRecord({})))


class _Audit:
    """What the watched thread opens, while somebody watches."""

    def __init__(self) -> None:
        self.thread: int | None = None
        self.seen: list[str] = []

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.thread is None or not event.startswith(_OPENS) or threading.get_ident() != self.thread:
            return
        subject = str(arguments[0]) if arguments else ""
        if event != "open" or not subject.endswith(_IMPORTED):
            self.seen.append(f"{event} {subject}".strip())


@cache
def _audit() -> _Audit:
    # An audit hook can never be removed, so there is one for the life of the process.
    audit = _Audit()
    sys.addaudithook(audit)
    return audit


@contextmanager
def opened() -> Iterator[list[str]]:
    """Collects the files, sockets, threads and processes that this thread opens inside; imports are left out."""
    audit = _audit()
    audit.seen = []
    threads = set(threading.enumerate())
    audit.thread = threading.get_ident()
    try:
        yield audit.seen
    finally:
        audit.thread = None
        # Python 3.11 has no audit event for them.
        audit.seen += [f"thread {thread.name}" for thread in threading.enumerate() if thread not in threads]


class Output(logging.Handler):
    """Everything that was logged or printed, and every error that was noted, as one text."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.stream = io.StringIO()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record with its arguments, what was logged beside its message, and its traceback."""
        extra = {name: value for name, value in vars(record).items() if name not in _OF_EVERY_RECORD}
        self.stream.write(f"{record.getMessage()} {record.msg} {record.args} {extra}\n")
        if record.exc_info:
            self.stream.write("".join(traceback.format_exception(*record.exc_info)))

    def note(self, error: BaseException) -> None:
        """Keep what a user would see of an error."""
        if isinstance(error, SREError):
            self.stream.write(f"{error} {error!r} {error.hint}\n")

    @property
    def text(self) -> str:
        """All of it."""
        return self.stream.getvalue()


@contextmanager
def output() -> Iterator[Output]:
    """Collects logs of every level, standard output and standard error."""
    collected = Output()
    loggers = (logging.getLogger(), logging.getLogger("sre"))
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(collected)
        logger.setLevel(logging.DEBUG)
    try:
        with redirect_stdout(collected.stream), redirect_stderr(collected.stream):
            yield collected
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.removeHandler(collected)
            logger.setLevel(level)


def secrets(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """The names and plain texts of all secrets in `value`, however deep; too short ones are left out."""
    if isinstance(value, SecretStr | SecretBytes):
        plain = value.get_secret_value()
        text = plain.decode(errors="replace") if isinstance(plain, bytes) else plain
        if len(text) >= _SHORTEST_SECRET:
            yield name, text
    elif isinstance(value, BaseModel):
        for field in type(value).model_fields:
            yield from secrets(getattr(value, field), f"{name}.{field}".strip("."))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from secrets(item, f"{name}.{key}".strip("."))
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        for item in value:
            yield from secrets(item, name)


def plain_secrets(settings: type[BaseModel]) -> list[str]:
    """The fields that are named like a secret but hold plain text."""
    return [
        name
        for name, field in settings.model_fields.items()
        if (name in {"key", "api_key"} or name.split("_")[-1] in {"password", "passphrase", "secret", "token"})
        and str in _parts(field.annotation)
    ]


def marked(connector: Connector) -> Connector:
    """Another connector of the same settings, whose secrets are all MARKER, if it can be built."""
    update = {
        name: {MARKED_NAME: SecretStr(MARKER)} if _holds_mapping(field.annotation) else SecretStr(MARKER)
        for name, field in type(connector.settings).model_fields.items()
        if SecretStr in _parts(field.annotation)
    }
    try:
        return type(connector)(connector.settings.model_copy(update=update))
    except (SREError, ValueError):
        return connector


def _holds_mapping(annotation: Any) -> bool:
    kinds = {get_origin(part) for part in _parts(annotation)} - {None}
    return any(isinstance(kind, type) and issubclass(kind, Mapping) for kind in kinds)


def _parts(annotation: Any) -> set[Any]:
    found = {annotation}
    for part in get_args(annotation):
        found |= _parts(part)
    return found
