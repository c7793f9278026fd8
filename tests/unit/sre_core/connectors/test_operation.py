"""Tests of operations and streams: deadlines, foreign errors, cancellation, spans."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

import pytest
from opentelemetry import trace

from sre_core.access import Access, AccessRequest, Resource
from sre_core.connectors.deadline import Alarm
from sre_core.connectors.operation import Operation, collect, stream
from sre_core.errors import AccessDeniedError, ConflictError, ConnectorError, DeadlineError
from sre_core.telemetry import Span
from tests.unit.sre_core.access.world import A2, World
from tests.unit.sre_core.connectors.spans import recorded

SECRET = "hunter2"

Read = Callable[..., Awaitable[list[object]]]


class Backend:
    """A target that counts how often it is started."""

    service, name = "storage", "backend"

    def __init__(self, *, started: bool = True) -> None:
        self.started = started
        self.starts = 0

    async def start(self) -> None:
        self.starts += 1
        self.started = True

    def alarm(self, seconds: float) -> Alarm:
        return Alarm(seconds)


def operation(target: Backend | None = None, timeout: float | None = None) -> Operation:
    return Operation("read", target or Backend(), timeout=timeout)


async def forever() -> None:
    await asyncio.Event().wait()


async def test_the_backend_is_started_when_it_is_not() -> None:
    backend = Backend(started=False)
    for _ in range(2):
        async with operation(backend):
            pass
    assert backend.starts == 1


async def test_a_denied_operation_does_not_begin() -> None:
    backend, world = Backend(started=False), World()
    request = AccessRequest(A2, Access.READ, Resource.parse("storage/agent/a1/x"))
    with recorded() as spans, pytest.raises(AccessDeniedError):
        async with Operation("read", backend, guard=world.guard, request=request):
            pytest.fail("it began")
    assert (backend.starts, spans) == (0, [])


async def test_a_foreign_error_becomes_ours_with_its_cause_and_without_its_words() -> None:
    foreign = OSError(f"cannot log in with {SECRET}")
    with pytest.raises(ConnectorError) as raised:
        async with operation():
            raise foreign
    assert raised.value.__cause__ is foreign
    assert raised.value.message == "storage read through 'backend' failed: OSError"
    assert SECRET not in f"{raised.value.hint}"


async def test_our_own_errors_pass_as_they_are() -> None:
    ours = ConflictError("taken")
    with pytest.raises(ConflictError) as raised:
        async with operation():
            raise ours
    assert raised.value is ours
    assert ours.__cause__ is None


async def test_what_hangs_is_given_up() -> None:
    with pytest.raises(DeadlineError, match=r"did not finish within 0\.01 s"):
        async with operation(timeout=0.01):
            await forever()


async def test_a_timeout_of_the_backends_own_is_a_deadline_too() -> None:
    with pytest.raises(DeadlineError, match="did not finish in time"):
        async with operation():
            raise TimeoutError


@pytest.mark.parametrize("timeout", [None, 60.0])
async def test_a_cancellation_stays_one(timeout: float | None) -> None:
    began = asyncio.Event()

    async def work() -> None:
        async with operation(timeout=timeout):
            began.set()
            await forever()

    task = asyncio.create_task(work())
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_callers_own_deadline_stays_his() -> None:
    with pytest.raises(TimeoutError) as raised:
        async with asyncio.timeout(0.01), operation(timeout=60):
            await forever()
    assert not isinstance(raised.value, ConnectorError)


async def test_a_span_says_what_was_called_and_is_the_parent_of_what_follows() -> None:
    with recorded() as spans:
        async with operation():
            with Span("inner", {}):
                pass
        with Span("after", {}):
            pass
    inner, outer, after = spans
    assert (outer.name, dict(outer.attributes or {})) == (
        "storage read",
        {"sre.service": "storage", "sre.connector": "backend"},
    )
    assert inner.parent is not None
    assert inner.parent.span_id == outer.context.span_id
    assert after.parent is None


@pytest.mark.parametrize(
    ("error", "kind"), [(OSError(SECRET), "connector"), (ConflictError(SECRET), "connector.conflict")]
)
async def test_the_span_of_a_failure_has_its_code_and_none_of_its_words(error: Exception, kind: str) -> None:
    with recorded() as spans, pytest.raises(ConnectorError):
        async with operation():
            raise error
    (span,) = spans
    assert (span.attributes or {})["error.type"] == span.status.description == kind
    assert SECRET not in span.to_json()


class Pieces:
    """A generator of a connector, and whether it was closed."""

    def __init__(self, *items: object) -> None:
        self.items = items
        self.closed = False

    async def __call__(self) -> AsyncGenerator[object]:
        try:
            for item in self.items:
                if isinstance(item, BaseException):
                    raise item
                if item is Ellipsis:
                    await forever()
                yield item
        finally:
            self.closed = True


async def read(pieces: Pieces, timeout: float | None = None) -> list[object]:
    return [item async for item in stream(operation(timeout=timeout), pieces)]


async def gather(pieces: Pieces, timeout: float | None = None) -> list[object]:
    return await collect(operation(timeout=timeout), pieces)


both = pytest.mark.parametrize("read", [read, gather], ids=["stream", "collect"])


@both
async def test_a_stream_gives_all_pieces_and_one_span(read: Read) -> None:
    pieces = Pieces("a", "b", None, "c")
    with recorded() as spans:
        assert await read(pieces, timeout=60) == ["a", "b", None, "c"]
    assert pieces.closed
    assert [span.name for span in spans] == ["storage read"]


async def test_the_deadline_of_what_is_collected_is_for_each_piece(skip: Callable[[float], None]) -> None:
    async def slow() -> AsyncGenerator[int]:
        for number in range(4):
            skip(400)
            await asyncio.sleep(0)
            yield number

    assert await collect(operation(timeout=600), slow) == [0, 1, 2, 3]


async def test_the_deadline_of_a_stream_is_for_each_piece(skip: Callable[[float], None]) -> None:
    async with aclosing(stream(operation(timeout=60), Pieces(*range(3)))) as items:
        seen = []
        async for item in items:
            seen.append(item)
            # Longer than the deadline, but it is the reader who takes his time.
            skip(100)
            await asyncio.sleep(0)
    assert seen == [0, 1, 2]


@both
async def test_a_stream_that_hangs_is_given_up_and_closed(read: Read) -> None:
    pieces = Pieces("a", ...)
    with recorded() as spans, pytest.raises(DeadlineError):
        await read(pieces, timeout=0.01)
    assert pieces.closed
    assert (spans[0].attributes or {})["error.type"] == "connector.deadline"


async def test_a_foreign_error_in_the_middle_becomes_ours_after_the_pieces_before() -> None:
    foreign = OSError(SECRET)
    items = stream(operation(), Pieces("a", foreign))
    with recorded() as spans:
        assert await anext(items) == "a"
        with pytest.raises(ConnectorError, match="OSError") as raised:
            await anext(items)
    assert raised.value.__cause__ is foreign
    assert SECRET not in f"{raised.value} {raised.value.hint} {spans[0].to_json()}"


async def test_to_leave_a_stream_early_closes_the_generator_of_the_connector() -> None:
    pieces = Pieces("a", "b")
    with recorded() as spans:
        async with aclosing(stream(operation(), pieces)) as items:
            assert await anext(items) == "a"
            assert not pieces.closed
            assert spans == []
    assert pieces.closed
    (span,) = spans
    assert span.status.is_ok or span.status.is_unset


async def test_a_cancelled_reader_closes_it_too() -> None:
    pieces, began = Pieces("a", ...), asyncio.Event()

    async def work() -> None:
        async with aclosing(stream(operation(), pieces)) as items:
            async for _ in items:
                began.set()

    task = asyncio.create_task(work())
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert pieces.closed


async def test_no_span_is_current_while_the_reader_has_a_piece() -> None:
    with recorded():
        async with aclosing(stream(operation(), Pieces("a", "b"))) as items:
            async for _ in items:
                assert not trace.get_current_span().get_span_context().is_valid


async def test_a_connector_that_refuses_to_stream_says_so() -> None:
    def refuse() -> AsyncGenerator[object]:
        raise ConflictError("not now")

    with pytest.raises(ConflictError, match="not now"):
        await anext(stream(operation(), refuse))
