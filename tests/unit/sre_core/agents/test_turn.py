"""One turn of a model: what is tried again, and what is not."""

import asyncio

import anyio
import pytest

from sre_core.agents.limits import Limits
from sre_core.agents.turn import LONGEST_WAIT
from sre_core.connectors import CallDelta, LLMChunk
from sre_core.errors import DeadlineError, NotFoundError, RateLimitedError, UnavailableError
from sre_core.events import RunFailed
from sre_core.messages import FinishReason


async def test_errors_that_may_pass_are_tried_again_with_growing_pauses(stage):
    reply = await stage.run(UnavailableError("down"), DeadlineError("slow"), UnavailableError("down"), "ok")
    assert reply == "ok"
    assert len(stage.sleeps) == 3
    for number, pause in enumerate(stage.sleeps):
        assert 0 <= pause <= 0.5 * 2**number
    assert stage.types().count("run_started") == 1
    assert "run_failed" not in stage.types()


async def test_the_pause_that_the_backend_asks_for_is_honoured(stage):
    await stage.run(RateLimitedError("slow", retry_after=7.5), UnavailableError("down", retry_after=0), "ok")
    assert stage.sleeps == [7.5, 0]


@pytest.mark.parametrize("kind", [RateLimitedError, UnavailableError])
async def test_a_pause_that_is_too_long_is_not_waited_for(stage, kind):
    with pytest.raises(kind):
        await stage.run(kind("tomorrow", retry_after=LONGEST_WAIT + 1), "ok")
    assert (stage.sleeps, len(stage.model.requests)) == ([], 1)


@pytest.mark.parametrize("retries", [0, 1, 3])
async def test_after_the_last_try_the_backends_own_error_comes_out(stage, retries):
    with pytest.raises(UnavailableError, match="down"):
        await stage.run(*[UnavailableError("down")] * 5, limits=Limits(retries=retries))
    assert len(stage.model.requests) == retries + 1
    assert len(stage.sleeps) == retries
    assert stage.of(RunFailed)[0].code == "connector.unavailable"


async def test_an_error_that_will_not_pass_is_not_tried_again(stage):
    with pytest.raises(NotFoundError):
        await stage.run(NotFoundError("no such model"), "ok")
    assert len(stage.model.requests) == 1


@pytest.mark.parametrize("begun", ["some text", LLMChunk(thinking="hm")])
async def test_a_turn_that_has_begun_to_speak_is_not_tried_again(stage, begun):
    with pytest.raises(UnavailableError):
        await stage.run([begun, UnavailableError("lost")], "ok")
    assert len(stage.model.requests) == 1


async def test_a_second_try_that_has_begun_to_speak_is_not_followed_by_a_third(stage):
    with pytest.raises(UnavailableError, match="lost"):
        await stage.run(UnavailableError("down"), ["some", UnavailableError("lost")], "ok")
    assert len(stage.model.requests) == 2


async def test_a_turn_that_fails_in_the_middle_of_a_call_is_tried_again(stage):
    begun = LLMChunk(call=CallDelta(index=0, id="c", name="work", arguments='{"a'))
    assert await stage.run([begun, UnavailableError("lost")], "ok") == "ok"
    assert "skill_called" not in stage.types()


async def test_a_run_can_be_cancelled_while_it_waits_to_try_again(stage):
    waiting = anyio.Event()

    async def forever(seconds):
        waiting.set()
        await anyio.sleep_forever()

    stage.sleep = forever
    task = asyncio.create_task(stage.run(UnavailableError("down"), "ok"))
    with anyio.fail_after(60):
        await waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert stage.of(RunFailed)[0].code == "cancelled"


async def test_each_turn_of_a_run_has_its_own_tries(stage, asks):
    def ping() -> str:
        return "pong"

    down = UnavailableError("down")
    assert await stage.run(down, asks(("ping", "{}")), down, "ok", skills=[ping], limits=Limits(retries=1)) == "ok"


async def test_a_reply_in_one_chunk_is_whole(stage):
    assert await stage.run([LLMChunk(text="all", finish_reason=FinishReason.STOP)]) == "all"
