"""Runs: awaited, streamed, left early, cancelled, failed, forgotten."""

import asyncio

import pytest

from sre_core.connectors.llm import LLMChunk
from sre_core.errors import AgentError, UnavailableError
from sre_core.events import Event, RunFailed, RunFinished, RunStarted, TextDelta
from sre_core.hookspecs import hookimpl
from sre_core.messages import FinishReason, Message, SkillCall, Usage
from sre_core.testing.scripted import Pause
from sre_sdk import Agent, Limits, SkillContext

END = LLMChunk(usage=Usage(), finish_reason=FinishReason.STOP)


async def test_awaiting_twice_gives_the_same_reply(make_runtime):
    runtime, llm = make_runtime("One.")
    async with runtime:
        run = Agent("a", runtime=runtime).prompt("hi")
        first = await run
        assert await run is first
    assert first == "One."
    assert len(llm.requests) == 1


async def test_a_stream_gives_every_event_in_order(runtime):
    run = Agent("a", runtime=runtime).prompt("hi")
    async with run.stream() as events:
        seen = [event async for event in events]
    assert isinstance(seen[0], RunStarted)
    assert isinstance(seen[-1], RunFinished)
    assert "".join(event.text for event in seen if isinstance(event, TextDelta)) == "Hello there."
    assert await run == "Hello there."


async def test_text_gives_the_pieces_of_the_reply(runtime):
    pieces = [piece async for piece in Agent("a", runtime=runtime).prompt("hi").text()]
    assert "".join(pieces) == "Hello there."
    assert len(pieces) > 1


async def test_the_run_waits_for_its_reader(make_runtime):
    emitted: list[Event] = []
    ahead: list[int] = []

    class Listener:
        @hookimpl
        def on_event(self, event: Event) -> None:
            emitted.append(event)

    runtime, _ = make_runtime([*["word "] * 40, END], plugin=Listener())
    async with runtime, Agent("a", runtime=runtime).prompt("hi").stream() as events:
        taken = 0
        async for _ in events:
            taken += 1
            for _ in range(50):
                await asyncio.sleep(0)
            ahead.append(len(emitted) - taken)
    assert taken == len(emitted) > 40
    assert max(ahead) == 1


async def test_leaving_a_stream_early_stops_the_model(make_runtime):
    pause = Pause()
    runtime, llm = make_runtime(["Hel", pause, "lo"])
    async with runtime:
        run = Agent("a", runtime=runtime).prompt("hi")
        async with run.stream() as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    await pause.reached.wait()
                    assert llm.running == 1
                    break
        assert llm.running == 0
        with pytest.raises(asyncio.CancelledError):
            await run


async def test_leaving_after_the_answer_keeps_the_reply(runtime):
    run = Agent("a", runtime=runtime).prompt("hi")
    async with run.stream() as events:
        async for event in events:
            if isinstance(event, RunFinished):
                break
    assert await run == "Hello there."


async def test_an_exception_in_the_block_comes_out_as_it_is(make_runtime):
    runtime, llm = make_runtime(["Hel", Pause()])
    async with runtime:
        with pytest.raises(ZeroDivisionError):
            await _read(Agent("a", runtime=runtime).prompt("hi"), [], fail_at=TextDelta)
    assert llm.running == 0


async def test_an_error_in_mid_stream_is_raised_by_the_iteration(make_runtime):
    runtime, _ = make_runtime(["Hel", UnavailableError("gone")])
    seen: list[Event] = []
    async with runtime:
        agent = Agent("a", runtime=runtime, limits=Limits(retries=0))
        with pytest.raises(UnavailableError, match="gone"):
            await _read(agent.prompt("hi"), seen)
    assert isinstance(seen[-1], RunFailed)
    assert any(isinstance(event, TextDelta) for event in seen)


async def test_cancel_reaches_the_model_and_whoever_waits(make_runtime):
    pause = Pause()
    runtime, llm = make_runtime([pause])
    async with runtime:
        run = Agent("a", runtime=runtime).prompt("hi")
        waiter = asyncio.ensure_future(_outcome(run))
        await pause.reached.wait()
        run.cancel()
        assert await waiter == "cancelled"
    assert llm.running == 0


async def test_cancelling_who_awaits_cancels_the_run(make_runtime):
    pause = Pause()
    runtime, llm = make_runtime([pause])
    async with runtime:
        waiter = asyncio.ensure_future(_outcome(Agent("a", runtime=runtime).prompt("hi")))
        await pause.reached.wait()
        waiter.cancel()
        await waiter
        assert llm.running == 0


async def test_a_run_cancelled_before_it_begins_never_begins(make_runtime):
    runtime, llm = make_runtime("One.")
    async with runtime:
        run = Agent("a", runtime=runtime).prompt("hi")
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
    assert llm.requests == []


async def test_awaiting_inside_the_block_drops_the_rest_of_the_events(runtime):
    run = Agent("a", runtime=runtime).prompt("hi")
    async with run.stream() as events:
        assert isinstance(await anext(events), RunStarted)
        assert await run == "Hello there."


async def test_a_run_that_has_begun_cannot_be_streamed(runtime):
    run = Agent("a", runtime=runtime).prompt("hi")
    await run
    with pytest.raises(AgentError, match="begun"):
        async with run.stream():
            pass


async def test_a_forgotten_prompt_warns(runtime):
    with pytest.warns(RuntimeWarning, match="'hello world' was never awaited"):
        Agent("a", runtime=runtime).prompt("hello world")


async def test_a_thousand_agents_answer_at_once(make_runtime):
    runtime, llm = make_runtime("Yes.", repeat=True)
    async with runtime:
        agents = [Agent(f"agent {number}", runtime=runtime) for number in range(1000)]
        replies = await asyncio.gather(*(agent.prompt("hi") for agent in agents))
    assert replies == ["Yes."] * 1000
    assert len(llm.requests) == 1000


async def test_a_run_can_be_made_a_task(runtime):
    task = asyncio.create_task(Agent("a", runtime=runtime).prompt("hi"))
    assert await task == "Hello there."


async def test_several_tasks_can_wait_for_one_run(make_runtime):
    runtime, llm = make_runtime("One.")
    async with runtime:
        run = Agent("a", runtime=runtime).prompt("hi")
        tasks = [asyncio.ensure_future(run) for _ in range(3)]
        assert await asyncio.wait_for(run, 60) == "One."
        assert await asyncio.gather(*tasks) == ["One."] * 3
        assert await asyncio.wait_for(run, 60) == "One."
    assert len(llm.requests) == 1


async def test_a_run_fits_a_task_group(runtime):
    agent = Agent("a", runtime=runtime)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(agent.prompt("hi")) for _ in range(3)]
    assert [task.result() for task in tasks] == ["Hello there."] * 3


async def test_cancelling_the_task_of_a_run_cancels_the_run(make_runtime):
    pause = Pause()
    runtime, _ = make_runtime([pause, "Never.", END])
    async with runtime:
        run = Agent("a", runtime=runtime).prompt("hi")
        task = asyncio.create_task(run)
        await pause.reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(asyncio.CancelledError):
            await run


def test_asyncio_run_takes_a_run(echo_project):
    assert asyncio.run(Agent("a").prompt("hi")) == "hi"


async def test_a_closed_run_never_begins_and_is_no_forgotten_one(make_runtime):
    runtime, llm = make_runtime("One.")
    async with runtime:
        run = Agent("a", runtime=runtime).prompt("hi")
        run.close()
        with pytest.raises(asyncio.CancelledError):
            await run
    assert llm.requests == []


async def _read(run, seen: list[Event], fail_at: type[Event] | None = None) -> None:
    async with run.stream() as events:
        async for event in events:
            seen.append(event)
            if fail_at is not None and isinstance(event, fail_at):
                raise ZeroDivisionError


async def _outcome(run) -> str:
    try:
        await run
    except asyncio.CancelledError:
        return "cancelled"
    return "finished"


async def test_what_a_skill_leaves_running_works_on_after_the_end_of_a_stream(make_runtime):
    ended, left = asyncio.Event(), []

    async def begin(context: SkillContext) -> str:
        async def later() -> bytes:
            await ended.wait()
            await context.storage.write("late.txt", b"late")
            return await context.storage.read("late.txt")

        left.append(asyncio.create_task(later()))
        return "begun"

    call = SkillCall(id="1", name="begin", arguments="{}")
    runtime, _ = make_runtime(Message.assistant(skill_calls=(call,)), "Done.")
    async with runtime:
        async with Agent("a", skills=[begin], runtime=runtime).prompt("hi").stream() as events:
            assert isinstance([event async for event in events][-1], RunFinished)
        ended.set()
        assert await left[0] == b"late"
