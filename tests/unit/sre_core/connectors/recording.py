"""Connectors of every kind that do nothing but write down what they are asked, made from the contracts."""

import inspect
from collections.abc import AsyncGenerator, Callable
from typing import Any

from sre_core import connectors
from sre_core.access import Access, Candidate, Guard
from sre_core.connectors import Connector, Handle, ImageRequest, LLMRequest, Service, Settings, Slot

__all__ = ["HANDLES", "KINDS", "Recorder", "arguments", "call"]


def _kinds(base: type) -> dict[Service, Any]:
    found = [kind for kind in vars(connectors).values() if inspect.isclass(kind) and kind.__base__ is base]
    return {kind.service: kind for kind in found}


KINDS: dict[Service, type[Connector]] = _kinds(Connector)
HANDLES: dict[Service, type[Handle]] = _kinds(Handle)


class Recorder:
    """One connector, and everything that was asked of it; not even made before it is needed."""

    def __init__(self, service: Service) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        kind = KINDS[service]
        verbs = {name: verb for name, verb in vars(kind).items() if inspect.isfunction(verb) and name[0] != "_"}
        body = {name: self._coroutine(name) for name in ("start", "stop", "ping")}
        for name, verb in verbs.items():
            # Those that give pieces are generators, in the contract by their annotation only.
            pieces = "AsyncGenerator" in str(inspect.signature(verb).return_annotation)
            body[name] = self._generator(name) if pieces else self._coroutine(name)
        self.type = type("Recording", (kind,), {**body, "name": "recording"})
        self.slot = Slot(self.type, self._make)

    async def _make(self) -> Connector:
        self.calls.append(("make", ()))
        return self.type(Settings())

    def _coroutine(self, name: str) -> Callable[..., Any]:
        async def verb(connector: Connector, *args: Any, **options: Any) -> list[Any]:
            self.calls.append((name, (*args, *options.values())))
            return []

        return verb

    def _generator(self, name: str) -> Callable[..., Any]:
        async def verb(connector: Connector, *args: Any, **options: Any) -> AsyncGenerator[Any]:
            self.calls.append((name, (*args, *options.values())))
            return
            yield

        return verb

    def handle(self, candidate: Candidate, guard: Guard, home: Candidate | None = None) -> Handle:
        handle = HANDLES[self.slot.kind.service](self.slot, candidate, guard)
        return handle if home is None else handle.of(home)


PATHS = {"path", "prefix", "key", "collection", "name", "model"}


def arguments(verb: Callable[..., Any], path: str) -> dict[str, Any]:
    """Arguments for a verb of a handle; `path` wherever a place is named."""

    async def nothing() -> None:
        return None

    async def pieces() -> AsyncGenerator[bytes]:
        yield b"x"

    other = {
        "request": _request(verb, path),
        "candidate": Candidate.user("u9"),
        "access": Access.READ,
        "texts": ["x"],
        "data": b"x",
        "chunks": pieces(),
        "value": 1,
        "make": nothing,
        "secret": "x",
        "dimension": 2,
        "vector": [1.0, 0.0],
        "records": [],
        "ids": ["x"],
        "seconds": 1.0,
    }
    given: dict[str, Any] = {}
    for name, parameter in inspect.signature(verb).parameters.items():
        if name in PATHS:
            given[name] = path
        elif name in other:
            given[name] = other[name]
        elif parameter.default is inspect.Parameter.empty:
            raise AssertionError(f"no argument for {name!r} of {verb.__qualname__}: add one here")
    return given


def _request(verb: Callable[..., Any], path: str) -> ImageRequest | LLMRequest:
    of_images = inspect.signature(verb).parameters.get("request")
    if of_images is not None and of_images.annotation is ImageRequest:
        return ImageRequest(prompt="x", model=path)
    return LLMRequest(messages=(), model=path)


async def call(handle: Handle, verb: str, path: str) -> Any:
    """Call a verb, and read all pieces of what gives pieces."""
    method = getattr(handle, verb)
    answer = method(**arguments(method, path))
    return [piece async for piece in answer] if inspect.isasyncgen(answer) else await answer
