"""A chat completions server on loopback that answers at once, so that only the client costs.

Started as `python -m benchmarks.stub_server`, in a process of its own; its first line of output is its URL. It takes a
free port, or the one that is its argument. The model's name chooses the behavior:

- "text": an answer of three pieces;
- "skill": a call of the skill `add`, and an answer when its result has come;
- "slow": the answer after 100 ms;
- "stamp": the first piece holds the time of its sending, in nanoseconds of the monotonic clock; the rest follows later.
"""

import asyncio
import json
import sys
import time
from typing import Any

from aiohttp import web

__all__ = ["LATENCY", "REPLY", "main"]

REPLY = "Hello from the stub."
LATENCY = 0.1
_PIECES = ("Hello ", "from the ", "stub.")
_USAGE = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}
_CALL = {"id": "call_1", "type": "function", "function": {"name": "add", "arguments": '{"a": 2, "b": 3}'}}


def _event(choices: list[dict[str, Any]], model: str, **more: Any) -> bytes:
    body = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": model, "choices": choices, **more}
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def _delta(model: str, finish: str | None = None, **delta: Any) -> bytes:
    return _event([{"index": 0, "delta": delta, "finish_reason": finish}], model)


def _tail(model: str, finish: str) -> bytes:
    return _delta(model, finish) + _event([], model, usage=_USAGE) + b"data: [DONE]\n\n"


def _whole(model: str, message: dict[str, Any], finish: str) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish, "logprobs": None}
    return {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [choice],
        "usage": _USAGE,
    }


async def _stamped(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    await response.write(_delta("stamp", role="assistant", content=f"{time.monotonic_ns()} "))
    # Long enough for the first piece to be taken before the rest comes.
    await asyncio.sleep(0.01)
    await response.write(_delta("stamp", content="later") + _tail("stamp", "stop"))
    await response.write_eof()
    return response


async def _complete(request: web.Request) -> web.StreamResponse:
    body = await request.json()
    model, messages = body["model"], body["messages"]
    if model == "stamp":
        return await _stamped(request)
    if model == "slow":
        await asyncio.sleep(LATENCY)
    calls = model == "skill" and messages[-1]["role"] != "tool"
    if not body.get("stream"):
        if calls:
            return web.json_response(_whole(model, {"content": None, "tool_calls": [_CALL]}, "tool_calls"))
        return web.json_response(_whole(model, {"content": REPLY}, "stop"))
    if calls:
        raw = _delta(model, role="assistant", tool_calls=[{"index": 0, **_CALL}]) + _tail(model, "tool_calls")
    else:
        raw = b"".join(_delta(model, content=piece) for piece in _PIECES) + _tail(model, "stop")
    return web.Response(body=raw, content_type="text/event-stream")


async def _serve(port: int) -> None:
    application = web.Application(client_max_size=64 * 1024 * 1024)
    application.router.add_post("/v1/chat/completions", _complete)
    runner = web.AppRunner(application, access_log=None, keepalive_timeout=600)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, backlog=2048)
    await site.start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}/v1", flush=True)
    await asyncio.Event().wait()


def main() -> None:
    """Serve until the process is ended."""
    asyncio.run(_serve(int(sys.argv[1]) if sys.argv[1:] else 0))


if __name__ == "__main__":
    main()
