"""One turn of a model: stream it, report it piece by piece, try again what may pass."""

from collections.abc import Awaitable, Callable
from contextlib import aclosing

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, wait_random_exponential

from sre_core import logs, telemetry
from sre_core.agents.reporter import Reporter
from sre_core.connectors.llm import LLM, Completion, LLMChunk, LLMRequest, fold
from sre_core.errors import ConnectorError, RateLimitedError, UnavailableError
from sre_core.events import TextDelta, ThinkingDelta

__all__ = ["LONGEST_WAIT", "Sleep", "model_turn"]

log = logs.get_logger(__name__)

Sleep = Callable[[float], Awaitable[None]]

LONGEST_WAIT = 60.0
"""Seconds. A backend that asks for a longer pause than this gets no second try."""

_BACK_OFF = wait_random_exponential(multiplier=0.5, max=LONGEST_WAIT / 2)


async def model_turn(*, llm: LLM, request: LLMRequest, report: Reporter, retries: int, sleep: Sleep) -> Completion:
    """Ask the model once. Emits TextDelta and ThinkingDelta as they come.

    Retryable ConnectorErrors are tried again up to `retries` times, after a random exponential pause or the one
    that the backend asks for; but only as long as nothing of the turn was emitted, since it would come twice.
    Raises ConnectorError, AccessDeniedError, and ModelReplyError when the stream was cut short.
    """
    attributes = {"gen_ai.operation.name": "chat"}
    if request.model:
        attributes["gen_ai.request.model"] = request.model
    with telemetry.Span(f"chat {request.model or 'default'}", attributes) as span:
        attempt = _Attempt(llm, request, report)
        failure: ConnectorError | None = None
        # The first try goes without tenacity, which costs as much as all the rest of a turn.
        try:
            completion = await attempt()
        except ConnectorError as error:
            if attempt.emitted or not _may_pass(error):
                raise
            failure = error
        if failure is not None:
            completion = await _more_attempts(attempt, failure, retries, sleep)
        span.set(
            {
                "gen_ai.usage.input_tokens": completion.usage.input_tokens,
                "gen_ai.usage.output_tokens": completion.usage.output_tokens,
                "gen_ai.response.finish_reasons": (completion.finish_reason.value,),
            }
        )
        return completion


class _Attempt:
    """Streams a request; may be called again as long as `emitted` is false."""

    __slots__ = ("_llm", "_report", "_request", "emitted")

    def __init__(self, llm: LLM, request: LLMRequest, report: Reporter) -> None:
        self._llm = llm
        self._request = request
        self._report = report
        self.emitted = False

    async def __call__(self) -> Completion:
        chunks: list[LLMChunk] = []
        report = self._report
        async with aclosing(self._llm.stream(self._request)) as stream:
            async for chunk in stream:
                chunks.append(chunk)
                if chunk.thinking:
                    self.emitted = True
                    if report.is_heard:
                        await report(ThinkingDelta(run_id=report.run_id, agent_id=report.agent_id, text=chunk.thinking))
                if chunk.text:
                    self.emitted = True
                    if report.is_heard:
                        await report(TextDelta(run_id=report.run_id, agent_id=report.agent_id, text=chunk.text))
        return fold(chunks)


async def _more_attempts(attempt: _Attempt, failure: ConnectorError, retries: int, sleep: Sleep) -> Completion:
    failures = [failure]

    def again(error: BaseException) -> bool:
        return _may_pass(error) and not attempt.emitted

    async def repeat() -> Completion:
        if failures:
            raise failures.pop()
        return await attempt()

    retrying = AsyncRetrying(
        stop=stop_after_attempt(retries + 1),
        wait=_pause,
        retry=retry_if_exception(again),
        sleep=sleep,
        before_sleep=_log_retry,
        reraise=True,
    )
    return await retrying(repeat)


def _may_pass(error: BaseException) -> bool:
    advice = _advice(error)
    if advice is not None and advice > LONGEST_WAIT:
        return False
    return isinstance(error, ConnectorError) and error.retryable


def _pause(state: RetryCallState) -> float:
    advice = _advice(state.outcome.exception() if state.outcome else None)
    return _BACK_OFF(state) if advice is None else max(0.0, advice)


def _advice(error: BaseException | None) -> float | None:
    """The pause that the backend asks for, in seconds."""
    return error.retry_after if isinstance(error, RateLimitedError | UnavailableError) else None


def _log_retry(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.info("model_turn_retried", attempt=state.attempt_number, error=getattr(error, "code", None))
